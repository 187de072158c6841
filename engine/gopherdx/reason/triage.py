"""What to ask next, and what an answer changes: one pure step from a state and an answer to a question.

A question stands for the evidence that names it in archetype.yaml. Its worth is the expected fall of entropy
(the sum of the archetypes' binary entropies) over what may be answered, computed from the table of
likelihoods without running a rule, divided by what it costs to answer. A capture is a question too: it stands
for all evidence that its kind of artifact can show, and costs more than a word.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Final, Literal

from gopherdx.errors import UsageError
from gopherdx.kb import Archetype, KnowledgeBase, Likelihoods, Proof
from gopherdx.model import Observations
from gopherdx.reason import chain
from gopherdx.reason.advice import cost, record
from gopherdx.reason.belief import ANSWER_RELIABILITY, Answer, Belief, Piece, Told, believe, rates
from gopherdx.reason.confidence import by_archetype, without_bug
from gopherdx.reason.facts import Lookup
from gopherdx.rules import Conclusion

SURE: Final = 0.9
WORTH_ASKING_BITS: Final = 0.012
CAPTURE_COST: Final = 25.0
"""What recording an artifact costs against answering a question at once: while any question tells something,
it comes first."""

CAPTURES_MAX: Final = 1
"""Recordings that are asked for in vain: who has not the most telling one is not asked for a
dozen others. The diagnosis names them all."""

QUESTIONS_MAX: Final = 12
"""Questions of one conversation, the first one too: later ones tell hardly anything."""

FIRST: Final = "symptom"
_CAPTURE: Final = "capture."
_NO_OBSERVATIONS: Final = Observations((), frozenset(), frozenset())
_YES = re.compile(r"y|yes|true|ja|1", re.I)
_NO = re.compile(r"n|no|false|nein|0", re.I)
_UNKNOWN = re.compile(r"|\?+|u|unknown|don'?t know|dunno|no idea|not sure|skip", re.I)
_NUMBER = re.compile(r"(?:about|~|>|<|over|under)?\s*(-?\d+(?:[.,]\d+)?)\s*([kKMG]?)\s*([a-zA-Z/%µ]*.*)")
_TIMES = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9}

Conclusions = Mapping[str, Mapping[str, Mapping[str, Conclusion]]]
How = Literal["free", "yes-no", "number", "capture"]


@dataclass(frozen=True, slots=True)
class Question:
    """Something to ask. ``stands_for`` are (archetype, evidence); ``bits`` the expected fall of entropy.

    ``command`` records the artifact of kind ``kind`` that a capture asks for.
    """

    id: str
    how: How
    text: str
    unit: str = ""
    bits: float = 0.0
    stands_for: tuple[tuple[str, str], ...] = ()
    kind: str = ""
    command: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """All that is known in a conversation; nothing else decides what is asked next.

    ``answers`` are (question id, what was said), ``text`` the likeness of what was described to reports of
    each archetype in log-odds, ``like`` the report that is nearest. ``observations`` are what files said;
    ``concluded`` what the rules made of them, by archetype, evidence and subject (``observed`` sets both;
    without it the rules run each time).
    """

    answers: tuple[tuple[str, str], ...] = ()
    text: Mapping[str, float] = field(default_factory=dict)
    like: Mapping[str, str] = field(default_factory=dict)
    observations: Observations = _NO_OBSERVATIONS
    concluded: Conclusions | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Standing:
    """An archetype in the ranking so far."""

    id: str
    slug: str
    title: str
    confidence: float
    because: tuple[str, ...]


def step(
    kb: KnowledgeBase, state: State, question: Question | None = None, said: str = ""
) -> tuple[State, Question | None]:
    """Take an answer to ``question`` in, and say what to ask next: None where it is time for a diagnosis.

    Raises ``UsageError`` for an answer that is none to this question; the state is then as it was.
    """
    if question is not None:
        state = answered(state, question, said)
    return state, ask(kb, state)


def answered(state: State, question: Question, said: str) -> State:
    """The state with an answer. Raises ``UsageError`` for one that cannot be understood."""
    if question.how in ("yes-no", "number") and not _UNKNOWN.fullmatch(said.strip()):
        understand(question, said)
    kept = tuple(a for a in state.answers if a[0] != question.id)
    return replace(state, answers=(*kept, (question.id, said.strip())))


def observed(kb: KnowledgeBase, state: State, observations: Observations) -> State:
    """The state with what files said, and what the rules make of it."""
    return replace(state, observations=observations, concluded=_conclude(kb, observations))


def undone(state: State) -> State:
    """The state before the last answer."""
    last = state.answers[-1][0] if state.answers else ""
    before = replace(state, answers=state.answers[:-1])
    return replace(before, text={}, like={}) if last == FIRST else before


def ask(kb: KnowledgeBase, state: State) -> Question | None:
    """The question worth most for its cost; None where none is worth asking, or one archetype is sure."""
    asked = {name for name, _ in state.answers}
    if not asked and not state.observations.items:
        return Question(FIRST, "free", "What do you see? One or two sentences, in your own words.")
    beliefs = standing(kb, state)
    count = 1 + sum(not name.startswith(FIRST) for name in asked)
    if count >= QUESTIONS_MAX or any(b.confidence >= SURE for b in beliefs):
        return None
    offers = [q for q in _questions(kb, state, beliefs) if q.id not in asked and q.bits >= WORTH_ASKING_BITS]
    if sum(name.startswith(_CAPTURE) for name in asked) >= CAPTURES_MAX:
        offers = [q for q in offers if q.how != "capture"]
    return max(offers, key=lambda q: (q.bits / _cost(q), q.id), default=None)


def ranking(kb: KnowledgeBase, state: State) -> tuple[tuple[Standing, ...], float]:
    """Every archetype, the likeliest first, with what speaks for it; and the probability of none of them."""
    beliefs = standing(kb, state)
    none = math.prod(1 - b.confidence for b in beliefs)
    rows = sorted(beliefs, key=lambda b: (-b.confidence, b.archetype.id))
    return tuple(_row(b) for b in rows), round(none, 4)


def why(kb: KnowledgeBase, question: Question) -> str:
    """Why a question is asked, in a sentence."""
    if not question.stands_for:
        return "What people say of a bug tells more than any single number; it decides what is asked next."
    if question.how == "capture":
        ids = list(dict.fromkeys(a for a, _ in question.stands_for))
        return f"It shows more than any answer could: it tells for or against {', '.join(ids)}."
    proofs = [(kb[a], kb[a].proof(name)) for a, name in question.stands_for]
    said = [_speaks(question, archetype, proof) for archetype, proof in proofs]
    return " ".join(dict.fromkeys(said))


def _speaks(question: Question, archetype: Archetype, proof: Proof) -> str:
    """For and against what an answer speaks."""
    yes = f"A number {proof.expect}" if question.how == "number" else "Yes"
    other = "any other" if question.how == "number" else "no"
    named = f"{archetype.id} {archetype.slug} ({archetype.title})"
    first, second = ("for", "against") if proof.supports else ("against", "for")
    return f"{yes} speaks {first} {named}, {other} {second} it."


def told(kb: KnowledgeBase, state: State) -> Told:
    """The answers as evidence: each question's answer goes to every piece of evidence that it stands for."""
    questions = {q.id: q for q in _asked_of_people(kb)}
    answers: dict[str, dict[str, Answer]] = {}
    unknown = {questions[name].text for name, said in state.answers if name in questions and is_unknown(said)}
    for name, said in state.answers:
        question = questions.get(name)
        if question is None or is_unknown(said):
            continue
        value = understand(question, said)
        for archetype, evidence in question.stands_for:
            proof = kb[archetype].proof(evidence)
            seen = value if isinstance(value, bool) else proof.expect.met(value)
            answers.setdefault(archetype, {})[evidence] = Answer(
                seen, value if not isinstance(value, bool) else ("yes" if value else "no")
            )
    return Told(answers, state.text, state.like, frozenset(unknown))


def contradictions(kb: KnowledgeBase, state: State) -> tuple[str, ...]:
    """Where an answer and a file say different things of the same evidence: the file is believed."""
    of_files = {
        (b.archetype.id, p.proof.name): p for b in standing(kb, replace(state, answers=())) for p in b.pieces
    }
    found = []
    for archetype, answers in told(kb, state).answers.items():
        for evidence, answer in answers.items():
            piece = of_files.get((archetype, evidence))
            if piece is None or piece.state == "open" or (piece.state == "seen") == answer.seen:
                continue
            heard = f"You said {answer.said} to {piece.proof.question!r}"
            found.append(f"{heard}, but {_says(piece)}; the file is believed.")
    return tuple(dict.fromkeys(found))


def _says(piece: Piece) -> str:
    """What a file says of a piece of evidence, with its value where it has one."""
    said = piece.evidence
    if said is None:
        return "a file says otherwise"
    if said.actual is None or isinstance(said.actual, bool):
        return f"the {said.source.artifact} {'shows it' if piece.state == 'seen' else 'shows none of it'}"
    value = f"{said.actual:.3g}" if isinstance(said.actual, float) else str(said.actual)
    return f"the {said.source.artifact} says {f'{value} {said.unit}'.strip()} ({said.text})"


def is_answer(question: Question, said: str) -> bool:
    """Whether it can be understood as an answer to a question that is not answered freely."""
    try:
        return is_unknown(said) or understand(question, said) is not None
    except UsageError:
        return False


def is_unknown(said: str) -> bool:
    """Whether it says that the person does not know."""
    return _UNKNOWN.fullmatch(said.strip()) is not None


def is_yes(said: str) -> bool:
    """Whether it says yes and nothing else."""
    return _YES.fullmatch(said.strip()) is not None


def is_no(said: str) -> bool:
    """Whether it says no, or that the person does not know."""
    return is_unknown(said) or _NO.fullmatch(said.strip()) is not None


def understand(question: Question, said: str) -> bool | float:
    """An answer as yes, no or a number in the question's unit. Raises ``UsageError``."""
    said = said.strip()
    if question.how == "number" and (match := _NUMBER.fullmatch(said)):
        return float(match[1].replace(",", ".")) * _TIMES[match[2]]
    if _YES.fullmatch(said) or _NO.fullmatch(said):
        return _YES.fullmatch(said) is not None
    wanted = f"a number ({question.unit})" if question.how == "number" else "yes or no"
    raise UsageError(f"{said!r} is no answer to this", todo=f"say {wanted}, or unknown")


# Beliefs ----------------------------------------------------------------------------------------------


def standing(kb: KnowledgeBase, state: State) -> list[Belief]:
    """The best belief in each archetype that this program's Go version can have."""
    lookup = Lookup(state.observations)
    said = _conclude(kb, state.observations) if state.concluded is None else state.concluded
    what = told(kb, state)
    beliefs = []
    for archetype in kb.archetypes:
        if without_bug(archetype, state.observations.go_version):
            continue
        of_it = believe(archetype, said.get(archetype.id, {}), lookup, kb.likelihoods, what)
        beliefs.append(max(of_it, key=lambda b: b.confidence))
    return beliefs


def _conclude(kb: KnowledgeBase, observations: Observations) -> Conclusions:
    return by_archetype(chain.run(kb, observations).evidence) if observations.items else {}


def _row(belief: Belief) -> Standing:
    because = [p.proof.text for p in belief.pieces if p.state == "seen" and p.proof.supports]
    if belief.text_weight > 0:
        because.insert(0, "reads like reports of it")
    archetype = belief.archetype
    return Standing(archetype.id, archetype.slug, archetype.title, belief.confidence, tuple(because))


# Questions --------------------------------------------------------------------------------------------


def _asked_of_people(kb: KnowledgeBase) -> list[Question]:
    """Every question of the knowledge base once; evidence that words it alike shares it."""
    by_text: dict[str, list[tuple[Archetype, Proof]]] = {}
    for archetype in kb.archetypes:
        for proof in archetype.evidence:
            if proof.question:
                by_text.setdefault(proof.question, []).append((archetype, proof))
    return [_question(text, of) for text, of in by_text.items()]


def _question(text: str, of: Sequence[tuple[Archetype, Proof]]) -> Question:
    first = of[0][1]
    number = bool(re.match(r"how (?:many|much|long|often|large|big)\b", text, re.I))
    return Question(
        id=f"{of[0][0].id}.{first.name}",
        how="number" if number and first.expect.how not in ("told", "equals") else "yes-no",
        text=text,
        unit=first.expect.unit if number else "",
        stands_for=tuple((archetype.id, proof.name) for archetype, proof in of),
    )


def _questions(kb: KnowledgeBase, state: State, beliefs: Sequence[Belief]) -> Iterable[Question]:
    """What can be asked now, each with the fall of entropy that its answer is expected to bring."""
    by_id = {b.archetype.id: b for b in beliefs}
    for question in _asked_of_people(kb):
        bits = math.fsum(
            _fall(
                by_id[archetype].confidence, [kb[archetype].proof(name)], kb.likelihoods, ANSWER_RELIABILITY
            )
            for archetype, name in question.stands_for
            if archetype in by_id and _open(by_id[archetype], name)
        )
        yield replace(question, bits=round(bits, 6))
    wanted = dict.fromkeys(kind for b in beliefs for kinds in b.archetype.requires for kind in kinds)
    for kind in wanted:
        if kind not in state.observations.kinds:
            yield _capture(kind, beliefs, kb.likelihoods)


def _capture(kind: str, beliefs: Sequence[Belief], likelihoods: Likelihoods) -> Question:
    words, command = record(kind)
    shown = [
        (b, [p.proof for p in b.pieces if p.state == "open" and kind in p.proof.artifacts]) for b in beliefs
    ]
    bits = math.fsum(_fall(b.confidence, proofs, likelihoods, 1.0) for b, proofs in shown)
    return Question(
        id=f"{_CAPTURE}{kind}",
        how="capture",
        text=f"Can you record {words}? It costs {cost(kind)}. Give its path then, or say no.",
        bits=round(bits, 6),
        stands_for=tuple((b.archetype.id, proof.name) for b, proofs in shown for proof in proofs),
        kind=kind,
        command=command,
    )


def _open(belief: Belief, evidence: str) -> bool:
    return any(p.proof.name == evidence and p.state == "open" for p in belief.pieces)


def _cost(question: Question) -> float:
    return CAPTURE_COST if question.how == "capture" else 1.0


def _fall(belief: float, proofs: Sequence[Proof], likelihoods: Likelihoods, reliability: float) -> float:
    """Expected fall of one archetype's binary entropy, in bits, over all ways in which its evidence may fall.

    Evidence that stands in for another of these tells the same, and counts once.
    """
    names = {proof.name for proof in proofs}
    apart = [rates(p, likelihoods, reliability) for p in proofs if names.isdisjoint(p.stands_in_for)]
    belief = min(max(belief, 1e-6), 1 - 1e-6)
    after = 0.0
    for seen in product((True, False), repeat=len(apart)):
        if_bug = belief * math.prod(p if s else 1 - p for s, (p, _) in zip(seen, apart, strict=True))
        if_not = (1 - belief) * math.prod(q if s else 1 - q for s, (_, q) in zip(seen, apart, strict=True))
        after += (if_bug + if_not) * _entropy(if_bug / (if_bug + if_not))
    return max(0.0, _entropy(belief) - after)


def _entropy(p: float) -> float:
    return 0.0 if p <= 0 or p >= 1 else -p * math.log2(p) - (1 - p) * math.log2(1 - p)
