"""From evidence to a verdict: the arithmetic, what an archetype ends in, the outcome and what to do next."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gopherdx.kb import Archetype, KnowledgeBase, Likelihood, Likelihoods
from gopherdx.model import Evidence, Observation, Observations, RuleError, Source
from gopherdx.reason import chain, confidence
from gopherdx.reason.belief import Answer, Told, weigh
from gopherdx.reason.confidence import Verdict
from gopherdx.reason.facts import Concluded
from gopherdx.rules import Conclusion, Explains
from tests.support.made_kb import at, kb_of, likelihoods, made, o, piece, seen

FOR = {
    "decisive": Likelihood(0.95, 0.01),
    "strong": Likelihood(0.85, 0.1),
    "supporting": Likelihood(0.7, 0.3),
}
AGAINST = {
    "decisive": Likelihood(0.01, 0.3),
    "strong": Likelihood(0.03, 0.25),
    "supporting": Likelihood(0.1, 0.2),
}


def weights(prior: float = 0.02, temperature: float = 1.0) -> Likelihoods:
    return Likelihoods(
        prior, temperature, MappingProxyType(FOR), MappingProxyType(AGAINST), MappingProxyType({})
    )


# One archetype with a piece of evidence for every grade; each is concluded from an observation of its name
# where that is true, at the observation's subject.
PIECES = [
    piece("decisive", "decisive", {"equals": True}),
    piece("strong", "strong", {"equals": True}, grade="strong"),
    piece("supporting", "supporting", {"equals": True}, grade="supporting"),
    piece("against", "against", {"equals": True}, grade="strong", supports=False),
]
RULES = "".join(
    f"""
@Rule(obs("{p["name"]}", subject=MATCH.f, value=True))
def {p["name"]}(self, f):
    self.conclude("{p["name"]}", subject=f)
"""
    for p in PIECES
)


def graded(folder: Path, name: str = "X901", only: tuple[str, ...] = (), **changes: Any) -> Archetype:
    pieces = [p for p in PIECES if not only or p["name"] in only]
    rules = RULES if not only else "".join(r for r in RULES.split("\n\n") if any(f'"{n}"' in r for n in only))
    given = {"evidence": pieces, "decides_place": ["decisive"], "summary": "{function} waits"} | changes
    return made(folder, name, rules or "pass", **given)


def verdict(kb: KnowledgeBase, facts: Observations) -> Verdict:
    return confidence.judge(kb, facts, chain.run(kb, facts))


def believed(archetype: Archetype, facts: Observations, likely: Likelihoods | None = None) -> float:
    """The confidence of the one finding, whatever its size; 0 where it is ruled out."""
    findings = verdict(kb_of(archetype, likely=likely or weights()), facts).findings
    return findings[0].confidence if findings else 0.0


# Arithmetic -------------------------------------------------------------------------------------------

# Odds by hand: prior 0.02/0.98 = 0.0204082; decisive seen x 95, absent x 0.05/0.99; strong seen x 8.5,
# absent x 0.15/0.9; supporting seen x 7/3, absent x 3/7; against seen x 0.12, absent x 0.97/0.75.
BY_HAND = [
    (["decisive"], [], 0.6597),  # odds 1.938776
    (["decisive", "strong"], [], 0.9428),  # 16.479592
    (["decisive"], ["strong"], 0.2442),  # 0.323129
    (["decisive", "supporting"], [], 0.8190),  # 4.523810
    (["decisive"], ["supporting"], 0.4538),  # 0.830904
    (["decisive", "against"], [], 0.1887),  # 0.232653
    (["decisive"], ["against"], 0.7149),  # 2.507483
    (["decisive", "strong", "supporting"], ["against"], 0.9803),  # 49.731803
    (["strong"], [], 0.1478),  # 0.173469
]


@pytest.mark.parametrize(("there", "absent", "expected"), BY_HAND)
def test_confidence_agrees_with_hand_computed_odds(
    tmp_path: Path, there: list[str], absent: list[str], expected: float
) -> None:
    subject = "main.f" if "decisive" in there else ""
    facts = seen([o(name, True, subject) for name in there], absent)
    assert believed(graded(tmp_path), facts) == pytest.approx(expected, abs=6e-5)


def test_the_temperature_divides_the_log_odds(tmp_path: Path) -> None:
    facts = seen([o("decisive", True, "main.f")])
    expected = math.sqrt(1.938776) / (1 + math.sqrt(1.938776))
    assert believed(graded(tmp_path), facts, weights(temperature=2.0)) == pytest.approx(expected, abs=6e-5)


def test_an_unreliable_source_weighs_less(tmp_path: Path) -> None:
    proof = graded(tmp_path).proof("decisive")
    # 0.95 and 0.01 drawn towards 0.5 by a fifth are 0.86 and 0.108.
    assert weigh(proof, "seen", weights(), 0.8) == pytest.approx(2.0748, abs=1e-4)
    assert weigh(proof, "absent", weights(), 0.8) == pytest.approx(math.log(0.14 / 0.892), abs=1e-9)
    assert weigh(proof, "seen", weights(), 0.0) == 0.0
    assert weigh(proof, "open", weights()) == 0.0


def _with_a_stand_in(folder: Path) -> Archetype:
    """Decisive evidence in a trace; the same thing in a dump, and in a profile, says less."""
    pieces = [
        PIECES[0],
        piece("dump", "strong", {"equals": True}, grade="strong", artifacts=["goroutine-dump"],
              stands_in_for="decisive"),
        piece("profile", "supporting", {"equals": True}, grade="supporting", artifacts=["goroutine"],
              stands_in_for=["decisive", "dump"]),
    ]  # fmt: skip
    rules = """
    @Rule(obs("decisive", subject=MATCH.f, value=True))
    def decisive(self, f):
        self.conclude("decisive", subject=f)

    @Rule(obs("strong", subject=MATCH.f, value=True))
    def dump(self, f):
        self.conclude("dump", subject=f)

    @Rule(obs("supporting", subject=MATCH.f, value=True))
    def profile(self, f):
        self.conclude("profile", subject=f)
"""
    requires = [["trace"], ["goroutine-dump"], ["goroutine"]]
    return made(folder, rules=rules, evidence=pieces, requires=requires, decides_place=["decisive", "dump"])


def told(**answers: bool) -> Told:
    """What a person answered of the made-up archetype."""
    return Told(answers={"X901": {name: Answer(seen, "yes") for name, seen in answers.items()}})


def with_answers(archetype: Archetype, facts: Observations, what: Told) -> float:
    kb = kb_of(archetype, likely=weights())
    found = confidence.judge(kb, facts, chain.run(kb, facts), what).findings
    return found[0].confidence if found else 0.0


def test_an_answer_counts_as_far_as_a_person_is_trusted_and_only_where_no_file_says_it(
    tmp_path: Path,
) -> None:
    archetype = graded(tmp_path)
    nothing = seen([], (), ())
    # 0.95 and 0.01 drawn towards 0.5 by a fifth are 0.86 and 0.108; odds 0.0204082 x 7.962963 = 0.1625.
    assert with_answers(archetype, nothing, told(decisive=True)) == pytest.approx(0.1398, abs=6e-5)
    assert with_answers(archetype, nothing, told(decisive=False)) == 0
    # A trace that looked for it and did not see it is not argued with, nor is one that saw it.
    there = seen([o("decisive", True, "main.f")])
    assert with_answers(archetype, seen([], ["decisive"]), told(decisive=True)) == 0
    assert with_answers(archetype, there, told(decisive=False)) == pytest.approx(0.6597, abs=6e-5)
    # What a dump says of the same thing is not argued with either.
    both = _with_a_stand_in(tmp_path)
    dump = seen([o("strong", True, "main.f")], [], ["goroutine-dump"])
    assert with_answers(both, dump, told(decisive=True)) == pytest.approx(0.1478, abs=6e-5)


def test_text_alone_is_never_likely(tmp_path: Path) -> None:
    archetype, nothing = graded(tmp_path), seen([], (), ())
    assert with_answers(archetype, nothing, Told(text={"X901": 1.0})) == pytest.approx(0.0526, abs=6e-5)
    assert with_answers(archetype, nothing, Told(text={"X901": 99.0})) == pytest.approx(0.2907, abs=6e-5)
    assert with_answers(archetype, nothing, Told(text={"X902": 99.0})) == 0


def test_evidence_that_stands_in_counts_only_where_the_closer_one_could_not_be_seen(tmp_path: Path) -> None:
    archetype = _with_a_stand_in(tmp_path)
    kinds = ["trace", "goroutine-dump", "goroutine"]
    dump, profile = o("strong", True, "main.f"), o("supporting", True, "main.f")
    trace = o("decisive", True, "main.f")
    # Alone, the dump weighs what its grade says (0.1478), and the profile beside it nothing.
    assert believed(archetype, seen([dump], [], kinds)) == pytest.approx(0.1478, abs=6e-5)
    assert believed(archetype, seen([dump, profile], [], kinds)) == pytest.approx(0.1478, abs=6e-5)
    # With the trace's word it adds nothing, and against the trace's word it does not stand.
    assert believed(archetype, seen([trace, dump, profile], [], kinds)) == pytest.approx(0.6597, abs=6e-5)
    assert believed(archetype, seen([dump], ["decisive"], kinds)) == 0


def test_what_was_not_looked_for_weighs_nothing(tmp_path: Path) -> None:
    archetype = graded(tmp_path)
    facts = seen([o("decisive", True, "main.f")])
    assert believed(archetype, facts) == pytest.approx(0.6597, abs=6e-5)


def test_what_the_artifacts_cannot_show_weighs_nothing(tmp_path: Path) -> None:
    pieces = [PIECES[0], piece("strong", "strong", {"equals": True}, grade="strong", artifacts=["cpu"])]
    archetype = graded(tmp_path, evidence=pieces)
    facts = [o("decisive", True, "main.f")]
    assert believed(archetype, seen(facts, ["strong"])) == pytest.approx(0.6597, abs=6e-5)
    assert believed(archetype, seen(facts, ["strong"], ["trace", "cpu"])) == pytest.approx(0.2442, abs=6e-5)


def test_evidence_for_the_whole_process_counts_at_every_place(tmp_path: Path) -> None:
    facts = seen([o("decisive", True, "main.f"), o("strong", True, "")])
    assert believed(graded(tmp_path), facts) == pytest.approx(0.9428, abs=6e-5)


def test_evidence_at_another_place_is_absent_here(tmp_path: Path) -> None:
    facts = seen([o("decisive", True, "main.f"), o("strong", True, "main.g")])
    assert believed(graded(tmp_path), facts) == pytest.approx(0.2442, abs=6e-5)


@given(st.permutations([0.1, 1e-17, 3.3, -2.7, 1e9, -1e9]))
def test_the_sum_does_not_depend_on_its_order(order: list[float]) -> None:
    from gopherdx.reason.belief import probability

    assert probability(weights(), order) == probability(weights(), sorted(order))


# Caps -------------------------------------------------------------------------------------------------


def test_in_truncated_input_absence_counts_nothing_and_confidence_is_capped(tmp_path: Path) -> None:
    archetype = graded(tmp_path)
    some = seen([o("decisive", True, "main.f")], ["strong", "supporting"], truncated=True)
    assert believed(archetype, some) == pytest.approx(0.6597, abs=6e-5)
    much = seen([o(name, True, "main.f") for name in ("decisive", "strong", "supporting")], truncated=True)
    assert believed(archetype, much) == 0.8


def test_a_truncated_recording_that_shows_nothing_refutes_nothing(tmp_path: Path) -> None:
    facts = seen([], ["decisive", "strong", "supporting"], truncated=True)
    judged = verdict(kb_of(graded(tmp_path)), facts)
    assert judged.outcome == "insufficient"
    assert [n.missing for n in judged.not_judged] == [("a recording that is not cut short",)]


@pytest.mark.parametrize(
    ("cost", "looked", "expected"),
    [(1.9, True, 0.25), (2.0, True, 0.9428), (None, True, 0.25), (None, False, 0.9428)],
)
def test_below_the_minimal_cost_a_mechanism_is_at_most_possible(
    tmp_path: Path, cost: float | None, looked: bool, expected: float
) -> None:
    archetype = graded(tmp_path, min_cost={"observation": "cost", "at_least": "few"})
    items = [o("decisive", True, "main.f"), o("strong", True, "main.f")]
    items += [o("cost", cost, "main.f")] if cost is not None else []
    facts = seen(items, ["cost"] if looked else [])
    (found,) = verdict(kb_of(archetype, likely=weights()), facts).findings
    assert found.confidence == pytest.approx(expected, abs=6e-5)
    assert found.level == ("likely" if expected > 0.5 else "possible")


# What an archetype ends in ----------------------------------------------------------------------------


def test_ruled_out_carries_the_values_that_refuted_it_strongest_first(tmp_path: Path) -> None:
    pieces = [
        piece("some", "some", {"at_least": "few"}, grade="strong"),
        piece("waiters", "lock.share", {"at_least": "share"}),
    ]
    archetype = made(tmp_path, evidence=pieces)
    facts = seen([o("lock.share", 0.1, "f"), o("lock.share", 0.3, "g"), o("some", 1, unit="")])
    (out,) = verdict(kb_of(archetype), facts).ruled_out
    assert [(e.name, e.actual, e.expected, e.unit) for e in out.evidence] == [
        ("waiters", 0.3, "at least 0.4", "share"),
        ("some", 1, "at least 2", ""),
    ]
    assert out.evidence[0].source == Source("trace", "table of lock.share")


def test_for_at_most_the_nearest_value_is_the_smallest(tmp_path: Path) -> None:
    archetype = made(tmp_path, evidence=[piece("waiters", "lock.share", {"below": "share"})], rules="pass")
    (out,) = verdict(kb_of(archetype), seen([o("lock.share", v, "f") for v in (0.9, 0.6, 0.7)])).ruled_out
    assert (out.evidence[0].actual, out.evidence[0].expected) == (0.6, "below 0.4")


def test_a_value_that_is_as_expected_is_the_last_reason_given(tmp_path: Path) -> None:
    """The rule asked for more than the value: to read 0.9 as a refutation of "at least 0.4" would puzzle."""
    pieces = [
        piece("waiters", "lock.share", {"at_least": "share"}),
        piece("some", "some", {"at_least": "few"}, grade="strong"),
    ]
    rules = """
    @Rule(obs("lock.share", value=at_least("share")), obs("some", value=at_least("few")))
    def waiters(self):
        self.conclude("waiters")
    """
    facts = seen([o("lock.share", 0.9), o("some", 1)])
    (out,) = verdict(kb_of(made(tmp_path, rules=rules, evidence=pieces)), facts).ruled_out
    assert [e.name for e in out.evidence] == ["some", "waiters"]


def test_what_was_looked_for_and_has_no_value_at_all_says_so(tmp_path: Path) -> None:
    (out,) = verdict(kb_of(made(tmp_path)), seen([], ["lock.share"])).ruled_out
    assert out.evidence == (
        Evidence("waiters", None, "at least 0.4", "share", True, Source("trace"), "waiters is there"),
    )


def test_not_judged_says_what_is_missing_and_how_to_get_it(tmp_path: Path) -> None:
    archetype = made(tmp_path, requires=[["trace", "cpu"], ["mutex"]])
    judged = verdict(kb_of(archetype), seen([], kinds=["trace"]))
    assert judged.outcome == "insufficient"
    assert judged.not_judged[0].missing == ("cpu", "mutex")
    assert judged.not_judged[0].collect == archetype.collect
    assert [(n.command, n.separates) for n in judged.next] == [(archetype.collect, ("X901",))]
    assert "; a CPU profile lets 1 of them be judged" in judged.summary


def test_an_archetype_whose_evidence_nobody_could_see_is_not_ruled_out(tmp_path: Path) -> None:
    judged = verdict(kb_of(made(tmp_path, improves=["cpu"])), seen([]))
    assert judged.not_judged[0].missing == ("cpu",)
    assert judged.outcome == "insufficient"


@pytest.mark.parametrize(
    ("version", "because"),
    [
        (((1, 19), (1, 20)), "older than go 1.21"),
        (((1, 19), (1, 21)), ""),
        (((1, 21), (1, 22)), ""),
        (((1, 22), (1, 23)), ""),
        (((1, 23), (1, 24)), "gone since go 1.23"),
        (None, ""),
    ],
)
def test_not_applicable_needs_the_whole_range_of_versions_outside(
    tmp_path: Path, version: Any, because: str
) -> None:
    archetype = made(tmp_path, go={"from": "1.21", "until": "1.23"})
    judged = verdict(kb_of(archetype), seen([o("lock.share", 0.1)], go=version))
    assert [because in n.because for n in judged.not_applicable] == ([True] if because else [])
    assert [r.id for r in judged.ruled_out] == ([] if because else ["X901"])


def test_a_failed_rule_is_neither_found_nor_ruled_out_and_never_healthy(tmp_path: Path) -> None:
    rules = """
    @Rule(obs("lock.share"))
    def waiters(self):
        raise RuntimeError("broken")
    """
    kb = kb_of(made(tmp_path, "X901", rules), made(tmp_path, "X902"))
    judged = verdict(kb, seen([o("lock.share", 0.1)]))
    assert [(e.id, e.rule) for e in judged.errors] == [("X901", "waiters")]
    assert [r.id for r in judged.ruled_out] == ["X902"]
    assert judged.outcome == "inconclusive"
    assert "failed" in judged.summary


def test_the_absence_of_counter_evidence_alone_makes_no_finding(tmp_path: Path) -> None:
    against = [piece(f"no-{n}", "x", {"equals": True}, supports=False) for n in range(9)]
    judged = verdict(kb_of(made(tmp_path, evidence=against, decides_place=[], rules="pass")), seen([], ["x"]))
    assert judged.findings == ()
    assert [n.id for n in judged.not_judged] == ["X901"]


names = st.sampled_from(["decisive", "strong", "supporting", "against"])
observed = st.lists(
    st.builds(lambda n, f, v: o(n, v, f), names, st.sampled_from(["", "main.f", "main.g"]), st.booleans()),
    max_size=8,
)
conclusions = st.lists(
    st.builds(
        lambda a, n, f: Conclusion(a, n, f, True, "", Source("trace", "t")),
        st.sampled_from(["X901", "X902", "X903", "X904"]),
        names,
        st.sampled_from(["", "main.f", "main.g", "main.f.func1"]),
    ),
    max_size=10,
)
links = st.lists(
    st.builds(
        Explains,
        st.sampled_from(["X901", "X902", "X903"]),
        st.sampled_from(["X901", "X902", "X903"]),
        st.sampled_from(["", "main.f", "main.g"]),
    ),
    max_size=5,
)


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeBase:
    folder = tmp_path_factory.mktemp("four")
    return kb_of(
        graded(folder, "X901"),
        graded(folder, "X902", requires=[["trace"], ["cpu"]]),
        graded(folder, "X903", go={"from": "1.0", "until": "1.23"}),
        graded(folder, "X904", requires=[["cpu"]], decides_place=[]),
    )


@settings(max_examples=300, deadline=None)
@given(
    items=observed,
    said=conclusions,
    explains=links,
    looked=st.sets(names),
    kinds=st.sampled_from([["trace"], ["cpu"], ["trace", "cpu"], []]),
    go=st.sampled_from([None, ((1, 22), (1, 23)), ((1, 25), (1, 26))]),
    failed=st.sets(st.sampled_from(["X901", "X904"])),
    truncated=st.booleans(),
)
def test_every_archetype_ends_in_exactly_one_list(
    four: KnowledgeBase,
    items: list[Observation],
    said: list[Conclusion],
    explains: list[Explains],
    looked: set[str],
    kinds: list[str],
    go: Any,
    failed: set[str],
    truncated: bool,
) -> None:
    facts = seen(items, looked, kinds, truncated=truncated, go=go)
    errors = tuple(RuleError(name, "slug", "rule", 1, "broken") for name in sorted(failed))
    judged = confidence.judge(four, facts, Concluded(tuple(said), tuple(explains), errors))
    buckets = [
        {x.id for x in group}
        for group in (
            judged.findings,
            judged.ruled_out,
            judged.not_judged,
            judged.not_applicable,
            judged.errors,
        )
    ]
    assert Counter(itertools.chain(*buckets)) == Counter({a.id: 1 for a in four.archetypes})
    assert all(r.evidence for r in judged.ruled_out)
    assert all(f.confidence >= 0.05 and any(e.supports for e in f.evidence) for f in judged.findings)
    assert all((f.confidence >= 0.5) == (f.level == "likely") for f in judged.findings)
    assert not (judged.outcome == "healthy" and judged.errors)
    assert (judged.outcome == "diagnosed") == any(f.level == "likely" for f in judged.findings)
    assert judged.summary


# Findings ---------------------------------------------------------------------------------------------

FULL = ("decisive", "strong", "supporting")


def whole(subject: str, *more: Observation) -> list[Observation]:
    return [*(o(name, True, subject) for name in FULL), *more]


def test_every_likely_place_is_a_finding_and_at_most_five(tmp_path: Path) -> None:
    kb = kb_of(graded(tmp_path))
    facts = seen([x for n in range(7) for x in whole(f"main.f{n}", o("lock.cores_lost", n, f"main.f{n}"))])
    found = verdict(kb, facts).findings
    assert {f.location.function for f in found if f.location} == {f"main.f{n}" for n in range(2, 7)}


def test_of_places_that_are_only_possible_the_best_is_told(tmp_path: Path) -> None:
    facts = seen([o("decisive", True, p) for p in ("main.f", "main.g")] + [o("supporting", True, "main.g")])
    likely = weights(prior=0.004)
    (found,) = verdict(kb_of(graded(tmp_path), likely=likely), facts).findings
    assert found.location is not None
    assert (found.location.function, found.level) == ("main.g", "possible")


def test_a_finding_without_a_place_is_of_the_process(tmp_path: Path) -> None:
    (found,) = verdict(kb_of(graded(tmp_path, decides_place=[])), seen(whole(""))).findings
    assert found.location is None
    assert found.summary == "the process waits"


def test_the_place_is_that_of_the_deciding_observation(tmp_path: Path) -> None:
    items = [
        o("strong", True, "main.f", place=at("main.f", 10)),
        o("decisive", True, "main.f", place=at("main.f", 20)),
    ]
    (found,) = verdict(kb_of(graded(tmp_path)), seen(items)).findings
    assert found.location == at("main.f", 20)


@pytest.mark.parametrize(
    ("cores", "severity"),
    [(None, "info"), (0.05, "info"), (0.1, "low"), (1.4, "medium"), (1.5, "high"), (40, "critical")],
)
def test_severity_is_the_last_step_that_the_impact_reaches(
    tmp_path: Path, cores: float | None, severity: str
) -> None:
    more = [] if cores is None else [o("lock.cores_lost", cores, "main.f")]
    (found,) = verdict(kb_of(graded(tmp_path)), seen(whole("main.f", *more))).findings
    assert found.severity == severity
    assert (found.impact is None) == (cores is None)
    if found.impact:
        assert (found.impact.value, found.impact.unit) == (cores, "cores")
        assert found.impact.text == f"{cores:.1f} cores stand idle"


def test_gain_is_a_range_or_nothing(tmp_path: Path) -> None:
    gain = {"model": "Amdahl", "unit": "x", "observation_low": "low", "observation_high": "high"}
    kb = kb_of(graded(tmp_path, gain=gain))
    both = whole("main.f", o("low", 3.0, "main.f"), o("high", 1.5))
    (found,) = verdict(kb, seen(both)).findings
    assert found.gain
    assert (found.gain.low, found.gain.high, found.gain.model) == (1.5, 3.0, "Amdahl")
    assert verdict(kb, seen(both[:-1])).findings[0].gain is None


def test_a_summary_with_a_value_that_was_not_measured_falls_back_to_the_title(tmp_path: Path) -> None:
    kb = kb_of(graded(tmp_path, summary="{function}: {lock.nobody:.1f}", cause="{lock.nobody}"))
    items = [o("lock.share", 0.456, "main.f", place=at("main.f", 7))]
    (found,) = verdict(kb, seen(whole("main.f", *items))).findings
    assert found.summary == "A made-up bug, in main.f."
    assert found.cause == "A made-up bug."


def test_of_several_texts_costs_and_gains_the_first_that_was_measured_is_told(tmp_path: Path) -> None:
    kb = kb_of(
        graded(
            tmp_path,
            summary=["{lock.share:.0%}", "{lock.delay:.0f} s"],
            cause=["{lock.nobody}", "{function}"],
            impact=[
                {"observation": "lock.cores_lost", "unit": "cores", "text": "{value} cores"},
                {
                    "observation": "lock.delay",
                    "unit": "s",
                    "text": "{value} s",
                    "severity": [[3, "high"]],
                },
            ],
            gain=[
                {"model": "Amdahl", "unit": "x", "observation_low": "lock.nobody", "high": 2},
                {"model": "guess", "unit": "x", "low": 1, "high": 2},
            ],
        )
    )
    (found,) = verdict(kb, seen(whole("main.f", o("lock.delay", 5.0, "main.f")))).findings
    assert (found.summary, found.cause) == ("5 s", "main.f")
    assert found.impact
    assert (found.impact.unit, found.impact.text) == ("s", "5.0 s")
    assert found.severity == "high"
    assert found.gain
    assert found.gain.model == "guess"
    (found,) = verdict(kb, seen(whole("main.f", o("lock.cores_lost", 0.2, "main.f")))).findings
    assert found.summary == "A made-up bug, in main.f."
    assert found.impact
    assert (found.impact.unit, found.severity) == ("cores", "low")


def test_the_first_cost_that_was_measured_decides_whether_it_is_worth_anything(tmp_path: Path) -> None:
    costs = [{"observation": name, "at_least": "few"} for name in ("cost", "delay")]
    archetype = graded(tmp_path, min_cost=costs)

    def of(*more: Observation, looked: tuple[str, ...] = ()) -> float:
        return believed(archetype, seen(whole("main.f", *more), looked))

    assert of() > 0.9
    assert of(looked=("delay",)) == 0.25
    assert of(o("cost", 1, "main.f"), o("delay", 5, "main.f")) == 0.25
    assert of(o("cost", 3, "main.f"), o("delay", 1, "main.f")) > 0.9
    assert of(o("delay", 5, "main.f"), looked=("cost",)) > 0.9


def test_what_a_proof_takes_caps_higher_than_a_cost_and_below_likely(tmp_path: Path) -> None:
    archetype = graded(tmp_path, min_cost={"observation": "sides", "at_least": "few", "confidence": 0.45})
    for sides, expected in ((1, 0.45), (2, 0.9747)):
        facts = seen(whole("main.f", o("sides", sides, "main.f")))
        assert believed(archetype, facts) == pytest.approx(expected, abs=6e-5)


def test_texts_are_filled_from_observations_thresholds_and_place(tmp_path: Path) -> None:
    text = "{function} at {place}: {lock.share:.0%} of {share}, {lock.mode:.2f}, {value}"
    kb = kb_of(graded(tmp_path, summary=text, cause="{{braces}} {lock.total}"))
    items = [
        o("lock.share", 0.456, "main.f", place=at("main.f", 7)),
        o("lock.share", 0.9, "main.g"),
        o("lock.mode", "shared", "main.f"),
        o("lock.total", 12, ""),
        o("lock.cores_lost", 2.5, "main.f"),
    ]
    (found,) = verdict(kb, seen(whole("main.f", *items))).findings
    assert found.summary == "main.f at main.go:7: 46% of 0.4, shared, 2.5"
    assert found.cause == "{braces} 12"


def test_findings_are_sorted_by_confidence_severity_id_and_place(tmp_path: Path) -> None:
    kb = kb_of(*(graded(tmp_path, name) for name in ("X901", "X902", "X903")))
    said = [
        Conclusion(a, n, f, True, "", Source("trace"))
        for a, f, pieces in [
            ("X901", "main.b", FULL),
            ("X901", "main.a", FULL),
            ("X902", "main.c", FULL),
            ("X903", "main.d", ("decisive", "strong")),
        ]
        for n in pieces
    ]
    facts = seen([o("lock.cores_lost", 9, "main.c"), o("lock.cores_lost", 99, "main.d")])
    found = confidence.judge(kb, facts, Concluded(tuple(said))).findings
    places = [(f.id, f.location.function if f.location else "") for f in found]
    assert places == [("X902", "main.c"), ("X901", "main.a"), ("X901", "main.b"), ("X903", "main.d")]


# Cause and symptom ------------------------------------------------------------------------------------


def folding(
    folder: Path, places: dict[str, str], explains: list[Explains], weak: tuple[str, ...] = ()
) -> Verdict:
    """Archetypes found at the places given (fully, or just possible if weak), with what explains what."""
    kb = kb_of(*(graded(folder, name) for name in places), likely=weights(prior=0.004))
    said = [
        Conclusion(name, n, place, True, "", Source("trace"))
        for name, place in places.items()
        for n in (("decisive",) if name in weak else FULL)
    ]
    return confidence.judge(kb, seen([]), Concluded(tuple(said), tuple(explains)))


def ends(judged: Verdict) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    return {f.id: f.explains for f in judged.findings}, [r.id for r in judged.ruled_out]


@pytest.mark.parametrize("symptom_at", ["main.f", "main.f.func1", ""])
def test_a_symptom_is_folded_under_its_cause_at_the_same_or_an_enclosing_place(
    tmp_path: Path, symptom_at: str
) -> None:
    judged = folding(tmp_path, {"X901": symptom_at, "X903": "main.f"}, [Explains("X903", "X901", "main.f")])
    assert ends(judged) == ({"X903": ("X901",)}, ["X901"])
    explained = judged.ruled_out[0].evidence[0]
    assert (explained.name, explained.actual, explained.supports) == ("explained-by", "X903", False)
    assert explained.text == "explained by another finding at main.f"


@pytest.mark.parametrize(
    ("symptom_at", "subject"), [("main.g", "main.f"), ("main.f", "main.g"), ("main.f2", "main.f")]
)
def test_a_symptom_elsewhere_stays(tmp_path: Path, symptom_at: str, subject: str) -> None:
    judged = folding(tmp_path, {"X901": symptom_at, "X903": "main.f"}, [Explains("X903", "X901", subject)])
    assert ends(judged) == ({"X901": (), "X903": ()}, [])


def test_a_symptom_at_another_place_that_is_named_is_folded(tmp_path: Path) -> None:
    places = {"X901": "main.g", "X903": "main.f"}
    judged = folding(tmp_path, places, [Explains("X903", "X901", "main.f", "main.g")])
    assert ends(judged) == ({"X903": ("X901",)}, ["X901"])
    judged = folding(tmp_path, places, [Explains("X903", "X901", "main.f", "main.h")])
    assert ends(judged) == ({"X901": (), "X903": ()}, [])


def test_what_is_only_possible_explains_nothing_likely_away(tmp_path: Path) -> None:
    link = [Explains("X903", "X901", "main.f")]
    places = {"X901": "main.f", "X903": "main.f"}
    assert ends(folding(tmp_path, places, link, weak=("X903",))) == ({"X901": (), "X903": ()}, [])
    assert ends(folding(tmp_path, places, link, weak=("X901", "X903"))) == ({"X903": ("X901",)}, ["X901"])


def test_a_chain_of_causes_ends_at_the_first(tmp_path: Path) -> None:
    links = [Explains("X902", "X901", ""), Explains("X903", "X902", "")]
    judged = folding(tmp_path, {"X901": "main.f", "X902": "main.f", "X903": "main.f"}, links)
    assert ends(judged) == ({"X903": ("X901", "X902")}, ["X901", "X902"])


def test_in_a_circle_the_surest_finding_stays(tmp_path: Path) -> None:
    links = [Explains("X902", "X901", ""), Explains("X901", "X902", "")]
    judged = folding(tmp_path, {"X901": "main.f", "X902": "main.f"}, links)
    assert ends(judged) == ({"X901": ("X902",)}, ["X902"])


# Outcome and next steps -------------------------------------------------------------------------------


def test_healthy_says_how_many_were_judged_and_what_came_nearest(tmp_path: Path) -> None:
    kb = kb_of(made(tmp_path, "X901"), made(tmp_path, "X902", requires=[["cpu"]], collect="go run cpu"))
    judged = verdict(kb, seen([o("lock.share", 0.25)]))
    assert judged.outcome == "healthy"
    assert judged.summary == (
        "1 of 2 archetypes judged, none fits. "
        "Nearest was X901, waiters is there: 0.25 share, not at least 0.4."
    )
    assert judged.next[0].command == kb["X901"].collect
    assert (judged.next[1].command, judged.next[1].separates) == ("go run cpu", ("X902",))


@pytest.mark.parametrize(
    ("prior", "outcome"), [(0.004, "healthy"), (0.0045, "inconclusive"), (0.011, "diagnosed")]
)
def test_the_outcome_turns_at_three_tenths_and_at_one_half(
    tmp_path: Path, prior: float, outcome: str
) -> None:
    # Decisive alone: odds 95 x prior/(1-prior) = 0.3815, 0.4294, 1.0566.
    facts = seen([o("decisive", True, "main.f")])
    assert verdict(kb_of(graded(tmp_path), likely=weights(prior)), facts).outcome == outcome


def test_inconclusive_names_the_best_two_and_the_capture_that_separates_them(tmp_path: Path) -> None:
    pieces = [
        PIECES[0],
        piece("weak", "w", {"equals": True}, grade="supporting", artifacts=["heap"]),
        piece("samples", "s", {"equals": True}, grade="strong", artifacts=["cpu"]),
    ]
    kb = kb_of(
        graded(tmp_path, "X901", evidence=pieces),
        graded(tmp_path, "X902", only=("decisive",)),
        graded(tmp_path, "X903", only=("strong",), decides_place=["strong"]),
        likely=weights(0.006),
    )
    judged = verdict(kb, seen([o("decisive", True, "main.f")], ["strong"]))
    assert judged.outcome == "inconclusive"
    assert judged.summary == (
        "3 of 3 archetypes judged, none is likely; "
        "it may be X901 made-up-x901 (0.36) or X902 made-up-x902 (0.36)."
    )
    first = judged.next[0]
    assert (first.kind, first.separates) == ("capture", ("X901", "X902"))
    assert first.command == "curl -o cpu.pprof 'http://HOST/debug/pprof/profile?seconds=10'"
    assert first.text == "Record a CPU profile: does it show that samples is there?"


def test_inconclusive_asks_a_person_where_no_capture_would_tell(tmp_path: Path) -> None:
    pieces = [PIECES[0], piece("told", None, None, question="Did it begin with a release?", grade="strong")]
    kb = kb_of(graded(tmp_path, evidence=pieces), likely=weights(0.006))
    step = verdict(kb, seen([o("decisive", True, "main.f")])).next[0]
    assert (step.kind, step.text, step.command) == ("question", "Did it begin with a release?", None)


def test_a_diagnosis_leaves_open_what_no_file_can_tell(tmp_path: Path) -> None:
    pieces = [*PIECES, piece("told", None, None, question="Are the calls independent?", grade="strong")]
    judged = verdict(kb_of(graded(tmp_path, evidence=pieces)), seen(whole("main.f")))
    assert judged.outcome == "diagnosed"
    assert [(n.kind, n.text, n.separates) for n in judged.next] == [
        ("question", "Are the calls independent?", ("X901",))
    ]


def test_archetypes_that_lack_the_same_are_collected_by_one_command(tmp_path: Path) -> None:
    needs = {"X901": "cpu", "X902": "heap", "X903": "cpu"}
    kb = kb_of(*(made(tmp_path, name, requires=[[kind]], collect="c") for name, kind in needs.items()))
    steps = verdict(kb, seen([])).next
    assert [(s.text, s.separates) for s in steps] == [
        ("Record a CPU profile, to judge X901, X903.", ("X901", "X903")),
        ("Record a heap profile, to judge X902.", ("X902",)),
    ]


def test_the_shipped_weights_need_something_seen(tmp_path: Path) -> None:
    facts = seen([], [p["name"] for p in PIECES])
    judged = verdict(kb_of(graded(tmp_path), likely=likelihoods()), facts)
    assert (judged.outcome, [r.id for r in judged.ruled_out]) == ("healthy", ["X901"])


def test_where_a_cpu_profile_is_idle_a_trace_is_named_as_what_settles_it(tmp_path: Path) -> None:
    kb = kb_of(graded(tmp_path))

    def says(cores: float, *kinds: str) -> bool:
        steps = verdict(kb, seen([o("cpu.used_cores", cores)], [], kinds)).next
        return any("settles it" in step.text and "trace" in (step.command or "") for step in steps)

    assert says(0.1, "cpu")
    assert not says(1.5, "cpu")
    assert not says(0.1, "cpu", "trace")
