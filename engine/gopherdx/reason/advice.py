"""What to do next, and the outcome in one sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from gopherdx.kb import Archetype, Likelihoods
from gopherdx.model import INCONCLUSIVE, LIKELY, Evidence, Finding, Next, NotJudged, Outcome
from gopherdx.reason.belief import Belief, Piece, weigh
from gopherdx.reason.facts import Lookup

QUESTIONS_MAX: Final = 3
IDLE_CORES: Final = 0.5

# How each kind is recorded from a program that serves net/http/pprof and expvar, or that is started by hand.
_RECORD: Final[Mapping[str, tuple[str, str]]] = {
    "trace": ("an execution trace", "curl -o trace.out 'http://HOST/debug/pprof/trace?seconds=5'"),
    "cpu": ("a CPU profile", "curl -o cpu.pprof 'http://HOST/debug/pprof/profile?seconds=10'"),
    "heap": ("a heap profile", "curl -o heap.pprof 'http://HOST/debug/pprof/heap'"),
    "allocs": ("an allocs profile", "curl -o allocs.pprof 'http://HOST/debug/pprof/allocs'"),
    "mutex": ("a mutex profile", "curl -o mutex.pprof 'http://HOST/debug/pprof/mutex'"),
    "block": ("a block profile", "curl -o block.pprof 'http://HOST/debug/pprof/block'"),
    "goroutine": ("a goroutine profile", "curl -o goroutine.pprof 'http://HOST/debug/pprof/goroutine'"),
    "goroutineleak": ("a leak profile", "curl -o leak.pprof 'http://HOST/debug/pprof/goroutineleak'"),
    "goroutine-dump": (
        "a goroutine dump",
        "curl -o goroutines.txt 'http://HOST/debug/pprof/goroutine?debug=2'",
    ),
    "gctrace": ("a gctrace log", "GODEBUG=gctrace=1 ./PROGRAM 2> gctrace.log"),
    "schedtrace": ("a schedtrace log", "GODEBUG=schedtrace=1000 ./PROGRAM 2> schedtrace.log"),
    "metrics": (
        "runtime metrics, twice",
        "curl -o before.txt http://HOST/metrics; sleep 30; curl -o after.txt http://HOST/metrics",
    ),
}


# What recording costs the program, as the runtime's sources and release notes have it.
_COST: Final[Mapping[str, str]] = {
    "trace": "one or two percent of CPU while it records (up to Go 1.20 more), and some MB a second",
    "cpu": "little: a hundred samples for each second of CPU",
    "heap": "next to nothing: it is sampled all the time",
    "allocs": "next to nothing: it is sampled all the time",
    "mutex": "next to nothing, but has to be switched on first (runtime.SetMutexProfileFraction)",
    "block": "a little, and has to be switched on first (runtime.SetBlockProfileRate)",
    "goroutine": "a moment: goroutines stand still twice, for microseconds",
    "goroutineleak": "one full collection",
    "goroutine-dump": "a stop of the program while all stacks are written, some ms for each thousand",
    "gctrace": "a start of the program, and one line for each collection",
    "schedtrace": "a start of the program, and one line a second",
    "metrics": "next to nothing",
}


def cost(kind: str) -> str:
    """What recording an artifact of this kind costs, in words."""
    return _COST[kind]


def command(kind: str) -> str:
    """How to record an artifact of this kind; "" for what is none."""
    return _RECORD[kind][1] if kind in _RECORD else ""


def record(kind: str) -> tuple[str, str]:
    """An artifact of this kind in words, and how to record it."""
    return _RECORD[kind]


def summary(
    outcome: Outcome,
    findings: Sequence[Finding],
    best: Sequence[Belief],
    not_judged: Sequence[NotJudged],
    archetypes: int,
    failed: int,
) -> str:
    """The outcome in a sentence or two. ``best`` is the belief in each judged archetype, surest first."""
    broken = f" The rules of {_count(failed, 'archetype')} failed." if failed else ""
    judged = f"{len(best)} of {_count(archetypes, 'archetype')} judged"
    if outcome == "diagnosed":
        likely = [f for f in findings if f.level == "likely"]
        more = f" ({len(likely) - 1} more found)" if len(likely) > 1 else ""
        return f"{likely[0].summary}{more}{broken}"
    if outcome == "inconclusive":
        two = " or ".join(f"{f.id} {f.slug} ({f.confidence:.2f})" for f in findings[:2])
        return f"{judged}, none is likely{f'; it may be {two}' if two else ''}.{broken}"
    if outcome == "healthy":
        return f"{judged}, none fits.{_nearest(best)}"
    first = next(iter(_fewest(not_judged)), None)
    if best:
        would = f"; {_words(first[0])} lets {len(first[1])} more be judged" if first else ""
        return f"{judged}, none is likely{would}.{broken}"
    takes = f"; {_words(first[0])} lets {len(first[1])} of them be judged" if first else ""
    return f"no archetype could be judged from these artifacts{takes}.{broken}"


def summary_of_told(findings: Sequence[Finding], archetypes: int) -> str:
    """The outcome in a sentence where a person's words are all that there is."""
    if not findings:
        return f"What was told fits none of the {_count(archetypes, 'archetype')}; nothing was recorded yet."
    if findings[0].level == "likely":
        return f"{findings[0].summary} (by what was told; nothing was recorded yet)"
    several = " or ".join(f"{f.id} {f.slug} ({f.confidence:.2f})" for f in findings[:3])
    return f"By what was told, it may be {several}; nothing was recorded yet."


def to_place(archetypes: Sequence[Archetype]) -> Iterator[Next]:
    """The capture that tells the place of a likely finding which has none."""
    for archetype in archetypes:
        if archetype.unplaced is not None:
            yield Next("capture", archetype.unplaced.text, archetype.unplaced.command, (archetype.id,))


def third_source(lookup: Lookup, outcome: Outcome) -> Iterator[Next]:
    """What settles it where a CPU profile is idle and the program is said to be slow: a trace.

    The profile shows what runs, latency what takes long; neither shows for what goroutines wait.
    """
    used = lookup.number("cpu.used_cores", "")
    if outcome == "diagnosed" or used is None or used >= IDLE_CORES or "trace" in lookup.observations.kinds:
        return
    words, how = _RECORD["trace"]
    text = (
        f"The CPU profile shows {used:.2f} CPUs in use. If requests are slow all the same, they wait, and a "
        f"CPU profile cannot show for what: {words} settles it."
    )
    yield Next("capture", text, how, ())


def next_steps(
    outcome: Outcome,
    best: Sequence[Belief],
    not_judged: Sequence[NotJudged],
    kinds: frozenset[str],
    likelihoods: Likelihoods,
    *,
    only_told: bool = False,
    unknown: frozenset[str] = frozenset(),
) -> tuple[Next, ...]:
    """What would settle an open question first, then what would let more archetypes be judged.

    Of what a person told (``only_told``) nothing is settled before something was recorded. ``unknown`` are
    questions that were asked in vain.
    """
    if outcome == "diagnosed":
        return tuple(_open_questions(best, unknown))
    steps = list(_captures(not_judged))
    if outcome == "inconclusive" and best and (best[0].confidence >= INCONCLUSIVE or only_told):
        steps.insert(0, _separating(best[:2], kinds, likelihoods, unknown, ask_first=only_told))
    if outcome == "healthy":
        near = best[0].archetype
        text = "If the program was slow all the same, record it while it is slow, under its usual load."
        steps.insert(0, Next("capture", text, near.collect, ()))
    return tuple(steps)


def _nearest(best: Sequence[Belief]) -> str:
    """The archetype that came nearest, by its value and threshold (each one's stands among the ruled out)."""
    for belief in best:
        for e in belief.refuted_by_itself:
            if e.actual is not None:
                said = f"{_value(e)}, {'not ' if e.supports else ''}{e.expected}"
                return f" Nearest was {belief.archetype.id}, {e.text or e.name}: {said}."
    return ""


def _value(e: Evidence) -> str:
    value = f"{e.actual:.3g}" if isinstance(e.actual, float) else str(e.actual)
    return f"{value} {e.unit.replace('1/s', 'a second')}".strip()


def _open_questions(best: Sequence[Belief], unknown: frozenset[str]) -> Iterator[Next]:
    """What no file can tell about a likely finding, so that a person may."""
    asked = [
        Next("question", p.proof.question, None, (belief.archetype.id,))
        for belief in best
        if belief.confidence >= LIKELY
        for p in belief.pieces
        if p.state == "open" and not p.proof.artifacts and p.proof.question
        if p.proof.question not in unknown
    ]
    yield from asked[:QUESTIONS_MAX]


def _captures(not_judged: Sequence[NotJudged]) -> Iterator[Next]:
    """The fewest recordings that let everything be judged, the one that serves most first."""
    for lack, served in _fewest(not_judged):
        ids = tuple(sorted(n.id for n in served))
        commands = dict.fromkeys(n.collect for n in served)
        how = next(iter(commands)) if len(commands) == 1 else command(lack) or next(iter(commands))
        yield Next("capture", f"Record {_words(lack)}, to judge {', '.join(ids)}.", how, ids)


def _fewest(not_judged: Sequence[NotJudged]) -> Iterator[tuple[str, list[NotJudged]]]:
    """What to record, and who needs it: each time what serves most of those that are left."""
    left = sorted(not_judged, key=lambda n: n.id)
    while left:
        offers = dict.fromkeys(lack for n in left for lack in n.missing)
        if not offers:
            return
        lack = max(offers, key=lambda offer: sum(offer in n.missing for n in left))
        yield lack, [n for n in left if lack in n.missing]
        left = [n for n in left if lack not in n.missing]


def _separating(
    two: Sequence[Belief],
    kinds: frozenset[str],
    likelihoods: Likelihoods,
    unknown: frozenset[str],
    *,
    ask_first: bool,
) -> Next:
    """The capture or question whose answer moves the best two furthest.

    ``ask_first``: whoever describes something can be asked at once; what they do not know is recorded.
    """
    ids = tuple(belief.archetype.id for belief in two)
    for at_hand in (frozenset(_RECORD), kinds) if ask_first else (kinds,):
        offers = [
            (_power(p, likelihoods), step)
            for belief in two
            for p in belief.pieces
            if p.state == "open" and (step := _ask(p, belief, ids, at_hand)) and step.text not in unknown
        ]
        if offers:
            return max(offers, key=lambda offer: offer[0])[1]  # the first of equals
    text = "Record the same again, longer and while it is slow: nothing else would tell these apart."
    return Next("capture", text, two[0].archetype.collect, ids)


def _ask(piece: Piece, belief: Belief, ids: tuple[str, ...], kinds: frozenset[str]) -> Next | None:
    proof = piece.proof
    if proof.artifacts and kinds.isdisjoint(proof.artifacts):
        words, command = _RECORD[proof.artifacts[0]]
        if any(proof.artifacts[0] in wanted for wanted in belief.archetype.requires):
            command = belief.archetype.collect
        return Next("capture", f"Record {words}: does it show that {proof.text}?", command, ids)
    return Next("question", proof.question, None, ids) if proof.question else None


def _power(piece: Piece, likelihoods: Likelihoods) -> float:
    return abs(weigh(piece.proof, "seen", likelihoods)) + abs(weigh(piece.proof, "absent", likelihoods))


def _words(lack: str) -> str:
    return " and ".join(_RECORD[kind][0] if kind in _RECORD else kind for kind in lack.split(" and "))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
