"""The rules of archetypes: what matches, in what order nothing depends, and what a crash leaves alone."""

from __future__ import annotations

import itertools
import json
import logging
import os
import random
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gopherdx.errors import KnowledgeBaseError, UsageError
from gopherdx.kb import KnowledgeBase
from gopherdx.model import Observation
from gopherdx.reason import chain
from gopherdx.reason.facts import Concluded
from gopherdx.rules import (
    MATCH,
    NOT,
    TEST,
    ArchetypeRules,
    Constraint,
    JoinedRule,
    Pattern,
    Rule,
    above,
    at_least,
    at_most,
    below,
    fact_type,
    join,
    obs,
)
from tests.support.made_kb import data, kb_of, made, o, piece, seen, write

ROOT = Path(__file__).resolve().parents[2]


def subjects(concluded: Concluded, name: str = "waiters") -> list[str]:
    return [c.subject for c in concluded.evidence if c.name == name]


# What a rule sees -------------------------------------------------------------------------------------


def test_a_threshold_is_taken_from_the_yaml(tmp_path: Path) -> None:
    kb = kb_of(made(tmp_path))
    facts = seen([o("lock.share", 0.4, "main.at"), o("lock.share", 0.39, "main.below")])
    assert subjects(chain.run(kb, facts)) == ["main.at"]


@pytest.mark.parametrize(
    ("comparison", "matches"),
    [("at_least", [2, 3]), ("at_most", [1, 2]), ("above", [3]), ("below", [1])],
)
def test_comparisons(tmp_path: Path, comparison: str, matches: list[int]) -> None:
    rules = f"""
    @Rule(obs("n", subject=MATCH.f, value={comparison}("few")))
    def waiters(self, f):
        self.conclude("waiters", subject=f)
    """
    facts = seen([o("n", n, str(n)) for n in (1, 2, 3)] + [o("n", "2", "text"), o("n", True, "bool")])
    assert subjects(chain.run(kb_of(made(tmp_path, rules=rules)), facts)) == [str(n) for n in matches]


def test_the_same_variable_joins_observations(tmp_path: Path) -> None:
    rules = """
    @Rule(obs("a", subject=MATCH.f), obs("b", subject=MATCH.f))
    def waiters(self, f):
        self.conclude("waiters", subject=f)
    """
    facts = seen([o("a", 1, "f"), o("a", 1, "g"), o("b", 1, "g"), o("b", 1, "h")])
    assert subjects(chain.run(kb_of(made(tmp_path, rules=rules)), facts)) == ["g"]


@pytest.mark.parametrize("order", [0, 1])
def test_not_means_the_same_wherever_it_stands(tmp_path: Path, order: int) -> None:
    conditions = ['obs("a", subject=MATCH.f)', 'NOT(obs("b", subject=MATCH.f))']
    rules = f"""
    @Rule({", ".join(conditions[::-1] if order else conditions)})
    def waiters(self, f):
        self.conclude("waiters", subject=f)
    """
    facts = seen([o("a", 1, "f"), o("a", 1, "g"), o("b", 1, "g")])
    assert subjects(chain.run(kb_of(made(tmp_path, rules=rules)), facts)) == ["f"]


def test_a_rule_of_nothing_but_not_fires_once_where_nothing_is(tmp_path: Path) -> None:
    rules = """
    @Rule(NOT(obs("a")))
    def waiters(self):
        self.conclude("waiters")
    """
    kb = kb_of(made(tmp_path, rules=rules))
    assert subjects(chain.run(kb, seen([]))) == [""]
    assert subjects(chain.run(kb, seen([o("a", 1)]))) == []


def test_test_gets_variables_thresholds_and_whole_observations(tmp_path: Path) -> None:
    rules = """
    @Rule(AS.first << obs("a", subject=MATCH.f, value=MATCH.v), obs("b", subject=MATCH.f, value=MATCH.w),
          TEST(lambda v, w, t: v > t.few * w), TEST(lambda first: first.note == "kept"))
    def waiters(self, f, first):
        self.conclude("waiters", subject=f, actual=first.value)
    """
    facts = seen(
        [
            o("a", 5, "f", note="kept"),
            o("b", 2, "f"),
            o("a", 4, "g", note="kept"),
            o("b", 2, "g"),
            o("a", 9, "h"),
            o("b", 2, "h"),
        ]
    )
    evidence = chain.run(kb_of(made(tmp_path, rules=rules)), facts).evidence
    assert [(e.subject, e.actual) for e in evidence] == [("f", 5)]


def test_literals_and_functions_in_a_pattern(tmp_path: Path) -> None:
    rules = """
    @Rule(obs("leaf", subject=MATCH.f, value=MATCH.v & (lambda v: v.startswith("chan")), artifact="trace"))
    def waiters(self, f, v):
        self.conclude("waiters", subject=f, actual=v)
    """
    facts = seen([o("leaf", "chan send", "f"), o("leaf", "select", "g")])
    assert subjects(chain.run(kb_of(made(tmp_path, rules=rules)), facts)) == ["f"]


def test_true_is_not_one(tmp_path: Path) -> None:
    rules = """
    @Rule(obs("flag", subject=MATCH.f, value=True))
    def waiters(self, f):
        self.conclude("waiters", subject=f)
    """
    facts = seen([o("flag", True, "f"), o("flag", 1, "g")])
    assert subjects(chain.run(kb_of(made(tmp_path, rules=rules)), facts)) == ["f"]


def test_evidence_carries_value_unit_and_source_of_the_declared_observation(tmp_path: Path) -> None:
    rules = """
    @Rule(obs("b", subject=MATCH.f), obs("lock.share", subject=MATCH.f))
    def waiters(self, f):
        self.conclude("waiters", subject=f)
    """
    facts = seen([o("b", 1, "f", unit="s"), o("lock.share", 0.7, "f")])
    (said,) = chain.run(kb_of(made(tmp_path, rules=rules)), facts).evidence
    assert (said.actual, said.unit, said.source.locator) == (0.7, "share", "table of lock.share")


def test_of_several_values_the_most_telling_is_kept(tmp_path: Path) -> None:
    facts = seen([o("lock.share", v, "f") for v in (0.5, 0.9, 0.6)])
    (said,) = chain.run(kb_of(made(tmp_path)), facts).evidence
    assert said.actual == 0.9


def test_rules_build_on_the_evidence_of_others(tmp_path: Path) -> None:
    rules = """
    @Rule(evidence("waiters", subject=MATCH.f), obs("b", subject=MATCH.f))
    def both(self, f):
        self.conclude("both", subject=f)

    @Rule(obs("lock.share", subject=MATCH.f, value=at_least("share")))
    def waiters(self, f):
        self.conclude("waiters", subject=f)
    """
    pieces = [
        piece("waiters", "lock.share", {"at_least": "share"}),
        piece("both", "b", {"at_least": "few"}),
    ]
    kb = kb_of(made(tmp_path, rules=rules, evidence=pieces))
    facts = seen([o("lock.share", 1.0, "f"), o("lock.share", 1.0, "g"), o("b", 1, "g"), o("b", 1, "h")])
    assert subjects(chain.run(kb, facts), "both") == ["g"]


def test_methods_of_the_same_name_in_two_archetypes_both_run(tmp_path: Path) -> None:
    kb = kb_of(made(tmp_path, "X901"), made(tmp_path, "X902"))
    concluded = chain.run(kb, seen([o("lock.share", 1.0, "f")]))
    assert concluded.fired == ("X901.waiters", "X902.waiters")
    assert [e.archetype for e in concluded.evidence] == ["X901", "X902"]


def test_explains_is_a_statement_of_the_cause(tmp_path: Path) -> None:
    rules = """
    @Rule(obs("a", subject=MATCH.f))
    def mine(self, f):
        self.explains("X901", symptom="X902", subject=f)

    @Rule(obs("b", subject=MATCH.f))
    def not_mine(self, f):
        self.explains("X902", symptom="X901", subject=f)
    """
    kb = kb_of(made(tmp_path, rules=rules))
    concluded = chain.run(kb, seen([o("a", 1, "f")]))
    assert [(e.cause, e.symptom, e.subject) for e in concluded.explains] == [("X901", "X902", "f")]
    assert "cannot speak for X902" in chain.run(kb, seen([o("b", 1, "f")])).errors[0].message


def test_a_knowledge_base_without_rules_does_not_reason(tmp_path: Path) -> None:
    kb = KnowledgeBase((made(tmp_path),), kb_of().likelihoods, has_rules=False)
    with pytest.raises(UsageError, match="without its rules"):
        chain.run(kb, seen([]))


# What is refused when rules are joined ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("conditions", "body", "says"),
    [
        ('obs("a", value=at_least("nope"))', "self", "no threshold 'nope'"),
        ('obs("a", value=3)', "self", "bare number 3"),
        ('obs("a", value=MATCH.v & 0.5)', "self", "bare number 0.5"),
        ('NOT(evidence("waiters"))', "self", "NOT is for observations"),
        ('evidence("nope")', "self", "no evidence 'nope'"),
        ('obs("a", subject=MATCH.f), TEST(lambda g: g)', "self", "TEST asks for g"),
        ('obs("a", subject=MATCH.f)', "self, g", "body asks for g"),
        ('NOT(obs("a", subject=MATCH.f))', "self, f", "body asks for f"),
        ('obs("a", subject=MATCH.f, note=MATCH.f)', "self", "twice"),
        ('obs("a", subject=MATCH.t)', "self", "name t is taken"),
        ("TEST(lambda t: True)", "self", "TEST needs at least one obs"),
        ('NOT(NOT(obs("a")))', "self", "a condition is neither"),
        ('"a"', "self", "a condition is neither"),
    ],
)
def test_a_rule_that_cannot_mean_what_it_says_is_refused(
    tmp_path: Path, conditions: str, body: str, says: str
) -> None:
    rules = f"@Rule({conditions})\ndef broken({body}):\n    pass\n"
    with pytest.raises(KnowledgeBaseError, match=says) as caught:
        made(tmp_path, rules=rules)
    assert "rules.py:" in caught.value.where


def test_two_rules_of_one_name_are_refused(tmp_path: Path) -> None:
    rule = '@Rule(obs("a"))\ndef twin(self):\n    pass\n'
    with pytest.raises(KnowledgeBaseError, match="two rules are called twin"):
        made(tmp_path, rules=rule + rule)


# Crashes ----------------------------------------------------------------------------------------------

CRASHES = {
    "body": """
    @Rule(obs("lock.share", subject=MATCH.f))
    def broken(self, f):
        self.conclude("waiters", subject=f)
        raise RuntimeError(f"no {object()}")
    """,
    "test": """
    @Rule(obs("lock.share", subject=MATCH.f, value=MATCH.v),
          TEST(lambda v: 1 / (v - v)))
    def broken(self, f):
        self.conclude("waiters", subject=f)
    """,
    "pattern": """
    @Rule(obs("lock.share", value=lambda v: v.nonsense), obs("lock.share", subject=MATCH.f))
    def broken(self, f):
        self.conclude("waiters", subject=f)
    """,
    "negated pattern": """
    @Rule(obs("other"), obs("lock.share", subject=MATCH.f),
          NOT(obs("lock.share", value=lambda v: v.nonsense)))
    def broken(self, f):
        raise ValueError("only reached because a failed condition does not match")
    """,
    "undeclared evidence": """
    @Rule(obs("lock.share", subject=MATCH.f))
    def broken(self, f):
        self.conclude("nope", subject=f)
    """,
}
CRASH_LINE = {"body": 7, "test": 5, "pattern": 4, "negated pattern": 5, "undeclared evidence": 6}
FACTS = [o("lock.share", v, f"main.f{n}") for n, v in enumerate((0.1, 0.5, 0.9, 0.45))] + [o("other", 1)]


@pytest.mark.parametrize("where", CRASHES)
@pytest.mark.parametrize("crashing", ["X001", "X999"])
def test_a_crash_leaves_all_other_evidence_unchanged(tmp_path: Path, where: str, crashing: str) -> None:
    others = [made(tmp_path, name) for name in ("X901", "X902")]
    alone = chain.run(kb_of(*others), seen(FACTS))
    broken = made(tmp_path, crashing, CRASHES[where])
    together = chain.run(kb_of(broken, *others), seen(FACTS))
    assert len(alone.evidence) == 6
    assert together.evidence == alone.evidence
    assert together.explains == alone.explains
    assert {(e.id, e.slug, e.rule) for e in together.errors} == {(crashing, broken.slug, "broken")}
    assert together.errors[0].line == CRASH_LINE[where]
    assert "0x" not in together.errors[0].message


def test_a_crash_in_one_rule_keeps_the_other_rules_of_its_archetype(tmp_path: Path) -> None:
    rules = (
        CRASHES["test"] + '\n    @Rule(obs("other"))\n    def fine(self):\n        self.conclude("waiters")\n'
    )
    concluded = chain.run(kb_of(made(tmp_path, rules=rules)), seen(FACTS))
    assert subjects(concluded) == [""]
    assert [e.message for e in concluded.errors] == ["ZeroDivisionError: float division by zero"]


@pytest.mark.parametrize("blocker", ["A sorts before", "z sorts after"])
def test_whether_a_test_crashes_does_not_hang_on_the_order_of_facts(tmp_path: Path, blocker: str) -> None:
    rules = f"""
    @Rule(obs("lock.share", value=MATCH.v), NOT(obs("{blocker}")), TEST(lambda v: v.nonsense))
    def broken(self, v):
        self.conclude("waiters", actual=v)
    """
    kb = kb_of(made(tmp_path, rules=rules))
    assert [e.rule for e in chain.run(kb, seen([o("lock.share", 0.5), o(blocker, 1)])).errors] == ["broken"]


# Against brute force ----------------------------------------------------------------------------------

NAMES, SUBJECTS, VALUES = ("a", "b", "c"), ("", "f", "g"), (0, 1, 2, 3)
LIMITS = {"one": 1, "two": 2}
COMPARE: dict[str, tuple[Callable[[str], Constraint], Callable[[Any, float], bool]]] = {
    "at_least": (at_least, lambda v, t: v >= t),
    "at_most": (at_most, lambda v, t: v <= t),
    "above": (above, lambda v, t: v > t),
    "below": (below, lambda v, t: v < t),
}


@dataclass(frozen=True)
class Plan:
    """A generated pattern: name, subject (variable or text), value's variable and comparison."""

    name: str
    subject_variable: str | None
    subject: str | None
    value_variable: str | None
    compare: tuple[str, str] | None

    def pattern(self) -> Pattern:
        subject = MATCH.__getattr__(self.subject_variable) if self.subject_variable else self.subject
        value = MATCH.__getattr__(self.value_variable) if self.value_variable else None
        if self.compare:
            limit = COMPARE[self.compare[0]][0](self.compare[1])
            value = value & limit if value else limit
        return obs(self.name, subject=subject, value=value)

    def fits(self, fact: Observation, bound: dict[str, Any]) -> dict[str, Any] | None:
        """``bound`` with what this pattern binds, or None where the fact does not fit."""
        if fact.name != self.name or (self.subject is not None and fact.subject != self.subject):
            return None
        if self.compare and not COMPARE[self.compare[0]][1](fact.value, LIMITS[self.compare[1]]):
            return None
        new = dict(bound)
        for variable, value in ((self.subject_variable, fact.subject), (self.value_variable, fact.value)):
            if variable and new.setdefault(variable, value) != value:
                return None
        return new


plans = st.builds(
    lambda name, subject, value, compare: Plan(
        name,
        subject[1] if subject[0] else None,
        None if subject[0] else subject[1],
        value,
        compare,
    ),
    st.sampled_from(NAMES),
    st.one_of(
        st.tuples(st.just(True), st.sampled_from(["s", "r"])),
        st.tuples(st.just(False), st.sampled_from([*SUBJECTS, None])),
    ),
    st.sampled_from([None, "v", "w"]),
    st.one_of(st.none(), st.tuples(st.sampled_from(sorted(COMPARE)), st.sampled_from(sorted(LIMITS)))),
)
rule_plans = st.tuples(st.lists(plans, min_size=1, max_size=3), st.lists(plans, max_size=2), st.booleans())
fact_lists = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(SUBJECTS), st.sampled_from(VALUES)),
    max_size=9,
    unique=True,
)


def brute_force(
    positive: list[Plan], negative: list[Plan], tested: bool, facts: list[Observation]
) -> list[tuple[tuple[str, Any], ...]]:
    matches = []
    for chosen in itertools.product(facts, repeat=len(positive)):
        bound: dict[str, Any] | None = {}
        for plan, fact in zip(positive, chosen, strict=True):
            bound = None if bound is None else plan.fits(fact, bound)
        if bound is None or any(plan.fits(fact, bound) is not None for plan in negative for fact in facts):
            continue
        if tested and "v" in bound and "w" in bound and not bound["v"] < bound["w"]:
            continue
        matches.append(tuple(sorted(bound.items())))
    return sorted(matches, key=repr)


def joined(number: int, plan: tuple[list[Plan], list[Plan], bool], log: list[Any]) -> tuple[JoinedRule, ...]:
    positive, negative, tested = plan
    conditions: list[Any] = [NOT(p.pattern()) for p in negative] + [p.pattern() for p in positive]
    bound = {v for p in positive for v in (p.subject_variable, p.value_variable)}
    if tested and {"v", "w"} <= bound:
        conditions.insert(0, TEST(lambda v, w: v < w))

    def body(_self: ArchetypeRules, **variables: Any) -> None:
        log.append((number, tuple(sorted(variables.items()))))

    method = Rule(*conditions)(body)
    return join(type(f"Rules{number}", (ArchetypeRules,), {"body": method}), f"X{number}", LIMITS, {})


@settings(max_examples=250, deadline=None)
@given(st.lists(rule_plans, min_size=1, max_size=3), fact_lists, st.randoms(use_true_random=False))
def test_matching_agrees_with_brute_force(
    plans: list[tuple[list[Plan], list[Plan], bool]],
    made_facts: list[tuple[str, str, int]],
    rng: random.Random,
) -> None:
    facts = [o(name, value, subject) for name, subject, value in made_facts]
    log: list[Any] = []
    rules = [rule for number, plan in enumerate(plans) for rule in joined(number, plan, log)]
    rng.shuffle(rules)
    rng.shuffle(facts)
    chain._fire(rules, seen(facts))
    for number, plan in enumerate(plans):
        fired = sorted((match for rule, match in log if rule == number), key=repr)
        assert fired == brute_force(*plan, facts)


# Determinism ------------------------------------------------------------------------------------------

SCRIPT = """
import json, sys
from pathlib import Path
from gopherdx.reason import chain, confidence
from gopherdx.model import _plain
from tests.support.made_kb import kb_of, o, seen
from gopherdx.kb import read_archetype
kb = kb_of(*(read_archetype(Path(p)) for p in sys.argv[1:]))
facts = seen([o(n, v / 10, f"main.f{v}") for n in ("lock.share", "a", "b") for v in range(10)], ["x"])
concluded = chain.run(kb, facts)
print(json.dumps([_plain(concluded), _plain(confidence.judge(kb, facts, concluded))]))
"""


def test_twenty_processes_with_other_hash_seeds_give_the_same_bytes(tmp_path: Path) -> None:
    rules = """
    @Rule(obs("lock.share", subject=MATCH.f, value=MATCH.v), obs("a", subject=MATCH.g, value=MATCH.w),
          NOT(obs("b", subject=MATCH.f, value=at_least("share"))), TEST(lambda v, w: v >= w))
    def waiters(self, f, v):
        self.conclude("waiters", subject=f, actual=v)
        self.explains("{id}", symptom="X902", subject=f)

    @Rule(evidence("waiters", subject=MATCH.f), obs("a", subject=MATCH.f, value=MATCH.v),
          TEST(lambda v: 1 / v))
    def more(self, f, v):
        self.conclude("waiters", actual=v)
    """
    folders = [
        write(tmp_path / name.lower(), data(name), rules.replace("{id}", name) if name != "X902" else rule)
        for name, rule in (("X901", ""), ("X902", CRASHES["test"]), ("X903", ""))
    ]
    roots = os.pathsep.join(str(ROOT / part) for part in ("engine", "kb", "."))

    def run(seed: int) -> bytes:
        env = os.environ | {"PYTHONHASHSEED": str(seed), "PYTHONPATH": roots}
        command = [sys.executable, "-c", SCRIPT, *map(str, folders)]
        return subprocess.run(command, env=env, cwd=ROOT, capture_output=True, check=True).stdout

    with ThreadPoolExecutor(2) as pool:
        outputs = set(pool.map(run, range(20)))
    assert len(outputs) == 1
    concluded = json.loads(outputs.pop())[0]
    assert len(concluded["evidence"]) == 10
    assert [e["id"] for e in concluded["errors"]] == ["X901", "X902", "X903"]


def test_rules_fire_by_salience_then_facts_then_name(tmp_path: Path) -> None:
    fired: list[tuple[str, str]] = []

    class Rules(ArchetypeRules):
        @Rule(obs("n", subject=MATCH.f))
        def b(self, f: str) -> None:
            fired.append(("b", f))

        @Rule(obs("n", subject=MATCH.f))
        def a(self, f: str) -> None:
            fired.append(("a", f))

        @Rule(obs("n", subject=MATCH.f), salience=1)
        def urgent(self, f: str) -> None:
            fired.append(("urgent", f))

    chain._fire(join(Rules, "X901", {}, {}), seen([o("n", 1, "g"), o("n", 1, "f")]))
    assert fired == [("urgent", "f"), ("urgent", "g"), ("a", "f"), ("b", "f"), ("a", "g"), ("b", "g")]


@given(st.permutations(FACTS))
@settings(max_examples=20, deadline=None)
def test_the_order_of_observations_decides_nothing(
    tmp_path_factory: pytest.TempPathFactory, facts: list[Observation]
) -> None:
    kb = kb_of(made(tmp_path_factory.mktemp("kb")))
    assert chain.run(kb, seen(facts)) == chain.run(kb, seen(FACTS))


@pytest.mark.parametrize("crash", [None, "test"])
def test_an_engine_that_is_used_again_says_what_a_new_one_says(tmp_path: Path, crash: str | None) -> None:
    kb = kb_of(made(tmp_path, "X901"), *([made(tmp_path, "X902", CRASHES[crash])] if crash else []))
    some = [seen(FACTS[:n]) for n in (5, 0, 2, 4, 5)]
    new = []
    for facts in some:
        chain._IDLE.clear()
        new.append(chain.run(kb, facts))
    before = set(chain._IDLE.values())
    assert [chain.run(kb, facts) for facts in some] == new
    assert set(chain._IDLE.values()) == before
    assert not any(engine.facts for engine in before)


def test_few_idle_engines_are_kept(tmp_path: Path) -> None:
    bases = [kb_of(made(tmp_path, f"X90{n}")) for n in range(6)]
    for kb in bases:
        chain.prepare(kb)
    assert len(chain._IDLE) == chain._IDLE_MAX
    assert chain.run(bases[0], seen(FACTS)).evidence


def test_threads_do_not_disturb_each_other(tmp_path: Path) -> None:
    kb = kb_of(made(tmp_path, "X901"), made(tmp_path, "X902", CRASHES["test"]))
    expected = [chain.run(kb, seen(FACTS[:n])) for n in range(5)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda n: chain.run(kb, seen(FACTS[: n % 5])), range(40))) == expected * 8


def test_threads_that_load_the_same_rules_at_once_share_the_types_of_facts() -> None:
    """Else facts of the one thread would never meet the rules of the other."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            for n in range(500):
                together = threading.Barrier(4)

                def of_thread(_: int, name: str = f"x.{n}", together: threading.Barrier = together) -> type:
                    together.wait()
                    return fact_type("observation", name)

                assert len(set(pool.map(of_thread, range(4)))) == 1
    finally:
        sys.setswitchinterval(interval)


# Experta's ways ---------------------------------------------------------------------------------------

IMPORT = """
import collections, logging, sys
handlers, level = list(logging.root.handlers), logging.root.level
import gopherdx.rules
assert "experta" in sys.modules
assert logging.root.handlers == handlers == [], logging.root.handlers
assert logging.root.level == level
assert not hasattr(collections, "Mapping")
print(logging.getLogger("experta.watchers.RULES").isEnabledFor(logging.INFO))
logging.basicConfig(level=logging.INFO)
assert not logging.getLogger("experta.watchers.RULES").isEnabledFor(logging.INFO)
"""


def test_importing_rules_undoes_what_experta_does_at_import() -> None:
    ran = subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, text=True, cwd=ROOT)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "False\n", "")


@pytest.mark.parametrize(("missing", "says"), [("schema", "schema"), ("experta", "experta")])
def test_an_unusable_experta_is_said_clearly(missing: str, says: str) -> None:
    code = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from gopherdx.errors import GopherdxError\n"
        "try:\n    import gopherdx.rules\n"
        "except GopherdxError as error:\n    print(error)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert "the rule engine experta cannot be used" in ran.stdout
    assert says in ran.stdout
    assert "pip install experta==1.9.4" in ran.stdout


def test_running_rules_logs_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        chain.run(kb_of(made(tmp_path)), seen(FACTS))
    assert caplog.records == []


def test_experta_remembers_nothing_of_a_diagnosis(tmp_path: Path) -> None:
    rules = """
    @Rule(obs("a", subject=MATCH.f, value=at_least("few")), TEST(lambda f: f), NOT(obs("b", subject=MATCH.f)))
    def waiters(self, f):
        self.conclude("waiters", subject=f)

    @Rule(NOT(obs("a")))
    def nothing(self):
        pass
    """
    kb = kb_of(made(tmp_path, rules=rules))
    check: Any = sys.modules["experta.matchers.rete.check"]  # no shim is left to import it by hand
    caches = [check.FeatureCheck, check.FactCapture, check.WhereCheck, check.TypeCheck]
    chain.run(kb, seen([o("a", 3, "f")]))
    before = [len(cache._instances) for cache in caches]
    for n in range(20):
        chain.run(kb, seen([o("a", n, f"f{n}")]))
    assert [len(cache._instances) for cache in caches] == before
