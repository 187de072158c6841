"""What authors of archetypes import: the words of a rule. The only file that imports experta.

    class Rules(ArchetypeRules):
        @Rule(obs("lock.contended_share", subject=MATCH.f, value=MATCH.v & at_least("contended_share")),
              NOT(obs("lock.deadlocked", subject=MATCH.f)))
        def waiters(self, f, v):
            self.conclude("waiters-behind-one-lock", subject=f, actual=v)

A rule fires once for every way in which observations fit all its ``obs`` patterns together (same variable,
same value), no observation fits a ``NOT`` and every ``TEST`` holds. The order of these conditions means
nothing. Rules only add: evidence (``conclude``) and which finding explains which symptom (``explains``).
Whatever raises inside a rule is noted as an error of its archetype and changes no other rule.

``join`` turns a class of rules into experta's conditions once its archetype's thresholds are known.
"""

from __future__ import annotations

import collections
import collections.abc
import inspect
import logging
import operator
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NoReturn

from gopherdx.errors import GopherdxError, KnowledgeBaseError
from gopherdx.model import Observation, Source


@contextmanager
def _manners() -> Iterator[None]:
    """Give experta 1.9.4 what it needs at import, and undo what it does to others.

    Its dependency frozendict 1.2 subclasses ``collections.Mapping``, gone since Python 3.10; experta calls
    ``logging.basicConfig`` and logs every match at INFO.
    """
    lacks_alias = not hasattr(collections, "Mapping")
    if lacks_alias:
        collections.Mapping = collections.abc.Mapping  # type: ignore[attr-defined]
    before = list(logging.root.handlers)
    try:
        yield
    finally:
        if lacks_alias:
            del collections.Mapping  # type: ignore[attr-defined]
        for handler in [h for h in logging.root.handlers if h not in before]:
            logging.root.removeHandler(handler)
        logging.getLogger("experta").setLevel(logging.WARNING)


def _unusable(because: object) -> GopherdxError:
    return GopherdxError(
        f"the rule engine experta cannot be used ({because})", todo="reinstall it: pip install experta==1.9.4"
    )


with _manners():
    try:
        import experta
    except ImportError as error:
        raise _unusable(error) from error
    if not hasattr(experta, "Rule"):  # it swallows a missing dependency and stays empty
        try:
            import experta.engine  # type: ignore[import-untyped,import-not-found,unused-ignore]
        except ImportError as error:
            raise _unusable(error) from error
        raise _unusable("its import left it empty")
    # For reason/chain.py, which runs the rules: experta is imported here and nowhere else.
    from experta import InitialFact as InitialFact
    from experta import KnowledgeEngine as KnowledgeEngine
    from experta.abstract import Strategy as Strategy
    from experta.activation import Activation as Activation
    from experta.agenda import Agenda as Agenda
    from experta.factlist import FactList as FactList
    from experta.matchers.rete import ReteMatcher as ReteMatcher
    from experta.matchers.rete.check import FactCapture as FactCapture
    from experta.matchers.rete.check import SameContextCheck as SameContextCheck
    from experta.matchers.rete.check import WhereCheck as WhereCheck
    from experta.matchers.rete.nodes import BusNode as BusNode
    from experta.matchers.rete.nodes import ConflictSetNode as ConflictSetNode
    from experta.matchers.rete.nodes import NotNode as NotNode
    from experta.matchers.rete.nodes import OrdinaryMatchNode as OrdinaryMatchNode
    from experta.matchers.rete.nodes import WhereNode as WhereNode
    from experta.matchers.rete.token import Token as Token

__all__ = [
    "AS",
    "MATCH",
    "NOT",
    "TEST",
    "ArchetypeRules",
    "Conclusion",
    "Explains",
    "Rule",
    "above",
    "at_least",
    "at_most",
    "below",
    "evidence",
    "obs",
]

EngineRule = experta.Rule
EngineTest = experta.TEST
EngineNot = experta.NOT

_FACT: Final = "gdx_fact_"  # experta's name for the fact that pattern number n matched
_RESERVED: Final = ("self", "t")

# What authors write -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Comparison:
    """A number compared with a threshold that archetype.yaml names. Anything but a number does not match."""

    how: Literal["at_least", "at_most", "above", "below"]
    threshold: str


Check = Comparison | str | bool | Callable[..., object]


@dataclass(frozen=True, slots=True)
class Constraint:
    """What a field of an observation must be: checks that all hold, and a variable that takes its value."""

    variable: str | None = None
    checks: tuple[Check, ...] = ()

    def __and__(self, other: Constraint | Check) -> Constraint:
        more = _constraint(other)
        if self.variable and more.variable:
            raise KnowledgeBaseError(f"one field binds two variables, {self.variable} and {more.variable}")
        return Constraint(self.variable or more.variable, self.checks + more.checks)


Field = Constraint | str | bool | Callable[..., object] | None


@dataclass(frozen=True, slots=True)
class Pattern:
    """Observations (or evidence) of one name whose fields fit."""

    kind: Literal["observation", "evidence"]
    name: str
    fields: tuple[tuple[str, Constraint], ...] = ()
    archetype: str | None = None
    bound: str | None = None


@dataclass(frozen=True, slots=True)
class NOT:
    """No observation fits the pattern. Variables that nothing else binds may be anything."""

    pattern: Pattern


@dataclass(frozen=True, slots=True)
class TEST:
    """A function of bound variables holds. An argument called ``t`` gets the thresholds as attributes."""

    function: Callable[..., object]


Condition = Pattern | NOT | TEST


def obs(
    name: str,
    *,
    subject: Field = None,
    value: Field = None,
    unit: Field = None,
    note: Field = None,
    artifact: Field = None,
) -> Pattern:
    """An observation called ``name`` whose fields fit.

    A field is a variable (``MATCH.v``), a text or bool, a comparison with a threshold, a function of the
    value (and of ``t``, the thresholds), or several of these joined by ``&``.
    """
    fields = {"subject": subject, "value": value, "unit": unit, "note": note, "artifact": artifact}
    return Pattern("observation", name, _fields(fields))


def evidence(name: str, *, subject: Field = None, archetype: str | None = None) -> Pattern:
    """Evidence that a rule concluded, of this archetype or of the one named. ``NOT`` of it is refused."""
    return Pattern("evidence", name, _fields({"subject": subject}), archetype)


def at_least(threshold: str) -> Constraint:
    """The value is the threshold or more."""
    return Constraint(None, (Comparison("at_least", threshold),))


def at_most(threshold: str) -> Constraint:
    """The value is the threshold or less."""
    return Constraint(None, (Comparison("at_most", threshold),))


def above(threshold: str) -> Constraint:
    """The value is more than the threshold."""
    return Constraint(None, (Comparison("above", threshold),))


def below(threshold: str) -> Constraint:
    """The value is less than the threshold."""
    return Constraint(None, (Comparison("below", threshold),))


class _Match:
    def __getattr__(self, name: str) -> Constraint:
        if name.startswith("_"):
            raise AttributeError(name)
        return Constraint(name)


@dataclass(frozen=True, slots=True)
class _Name:
    name: str

    def __lshift__(self, pattern: Pattern) -> Pattern:
        return Pattern(pattern.kind, pattern.name, pattern.fields, pattern.archetype, self.name)


class _As:
    def __getattr__(self, name: str) -> _Name:
        if name.startswith("_"):
            raise AttributeError(name)
        return _Name(name)


MATCH: Final = _Match()
"""``MATCH.f`` is the variable f: the same value wherever it stands in a rule."""

AS: Final = _As()
"""``AS.o << obs(…)`` gives the whole observation to the rule's body under the name o."""


@dataclass(frozen=True, slots=True)
class RuleMethod:
    """A method of a class of rules with its conditions."""

    conditions: tuple[Condition, ...]
    salience: int
    body: Callable[..., object]


class Rule:
    """Decorates a method of ArchetypeRules: it runs for every match. Higher ``salience`` runs earlier."""

    def __init__(self, *conditions: Condition, salience: int = 0) -> None:
        self._conditions = conditions
        self._salience = salience

    def __call__(self, body: Callable[..., object]) -> RuleMethod:
        # The second method of a name would silently take the first one's place in the class.
        if isinstance(sys._getframe(1).f_locals.get(body.__name__), RuleMethod):
            raise KnowledgeBaseError(f"two rules are called {body.__name__}", todo="give each its own name")
        return RuleMethod(self._conditions, self._salience, body)


@dataclass(frozen=True, slots=True)
class Conclusion:
    """Evidence that a rule concluded for one subject; archetype.yaml says whether it is for or against."""

    archetype: str
    name: str
    subject: str
    actual: float | int | str | bool | None
    unit: str
    source: Source


@dataclass(frozen=True, slots=True)
class Explains:
    """A finding of ``cause`` at ``subject`` explains one of ``symptom`` there ("" is the whole process).

    Where the symptom lies elsewhere, ``at`` names its place.
    """

    cause: str
    symptom: str
    subject: str
    at: str = ""


class Thresholds:
    """The thresholds of an archetype as attributes."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, float]) -> None:
        self._values = dict(values)

    def __getattr__(self, name: str) -> float:
        try:
            return self._values[name]
        except KeyError:
            raise AttributeError(f"archetype.yaml has no threshold {name}") from None


class ArchetypeRules:
    """Base of an archetype's class of rules. A new instance runs each match, so a rule cannot keep state."""

    t: Thresholds
    _rule: JoinedRule
    _matched: tuple[Observation | Conclusion, ...]
    _said: list[Conclusion | Explains]

    def conclude(self, name: str, *, subject: str = "", actual: float | str | bool | None = None) -> None:
        """Conclude the evidence ``name`` for ``subject`` ("" is the whole process).

        Source and unit are those of the matched observation that archetype.yaml names for it, and so is
        ``actual`` where none is given. Raises ValueError for evidence that archetype.yaml does not declare.
        """
        if name not in self._rule.evidence:
            raise ValueError(f"archetype.yaml declares no evidence {name!r}")
        if not isinstance(subject, str):
            raise TypeError(f"subject is a text, not {type(subject).__name__}")
        read = _read_from(self._rule.evidence[name], subject, self._matched)
        unit, source = (read.unit, read.source) if read else ("", Source("", ""))
        if actual is None and read is not None:
            actual = read.value if isinstance(read, Observation) else read.actual
        self._said.append(Conclusion(self._rule.archetype, name, subject, actual, unit, source))

    def explains(self, cause: str, *, symptom: str, subject: str = "", at: str = "") -> None:
        """Say that this archetype (``cause``) at ``subject`` explains a finding of ``symptom`` there.

        ``at`` is the symptom's place where that is another one.
        """
        if cause != self._rule.archetype:
            raise ValueError(f"a rule of {self._rule.archetype} cannot speak for {cause}")
        self._said.append(Explains(cause, symptom, subject, at))


def _read_from(
    name: str | None, subject: str, matched: tuple[Observation | Conclusion, ...]
) -> Observation | Conclusion | None:
    """The matched fact that evidence was read from: the declared observation, at best of the same subject."""
    ranked = sorted(matched, key=lambda seen: (seen.name != name, seen.subject != subject))
    return ranked[0] if ranked else None


def _fields(given: Mapping[str, Field]) -> tuple[tuple[str, Constraint], ...]:
    return tuple((name, _constraint(value)) for name, value in given.items() if value is not None)


def _constraint(given: object) -> Constraint:
    if isinstance(given, Constraint):
        return given
    if isinstance(given, (str, bool, Comparison)) or callable(given):
        return Constraint(None, (given,))
    if isinstance(given, (int, float)):
        raise KnowledgeBaseError(
            f"the bare number {given!r} stands in a rule",
            todo='name it under "thresholds" in archetype.yaml and write at_least("name")',
        )
    raise KnowledgeBaseError(f"{given!r} cannot stand in a pattern")


# What goes wrong inside a rule ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Failure:
    """An exception out of a condition or a body: whose, and the line of its rules.py."""

    archetype: str
    rule: str
    line: int
    message: str


_FAILURES: ContextVar[list[Failure]] = ContextVar("gopherdx_rule_failures")


@contextmanager
def failures() -> Iterator[list[Failure]]:
    """Collect the failures of all rules that are run inside the block."""
    collected: list[Failure] = []
    token = _FAILURES.set(collected)
    try:
        yield collected
    finally:
        _FAILURES.reset(token)


def _note(error: Exception, rule: JoinedRule) -> None:
    code = rule.body.__code__
    line, walk = code.co_firstlineno, error.__traceback__
    while walk is not None:
        if walk.tb_frame.f_code.co_filename == code.co_filename:
            line = walk.tb_lineno
        walk = walk.tb_next
    # Memory addresses differ from run to run; the same input gives the same bytes.
    text = re.sub(r" at 0x[0-9a-fA-F]+", "", str(error))
    message = f"{type(error).__name__}: {text}".rstrip(": ")
    _FAILURES.get().append(Failure(rule.archetype, rule.name, line, message))


# Joining: an author's class and its thresholds become experta's conditions ----------------------------


@dataclass(frozen=True)
class JoinedRule:
    """One rule of one archetype, ready for an engine. ``uses`` are the observations that it looks at."""

    archetype: str
    name: str
    qualified: str
    salience: int
    uses: frozenset[str]
    evidence: Mapping[str, str | None]
    owner: type[ArchetypeRules]
    body: Any
    thresholds: Thresholds
    arguments: Mapping[str, int | None]
    conditions: tuple[Any, ...] = field(default=(), repr=False)

    def fire(self, context: Mapping[str, Any]) -> tuple[Conclusion | Explains, ...]:
        """Run the body on one match; what it said, or nothing at all where it raised half-way."""
        rules = self.owner()
        rules.t, rules._rule, rules._said = self.thresholds, self, []
        rules._matched = tuple(fact["seen"] for _, fact in matched_facts(context) if "seen" in fact)
        try:
            self.body(rules, **_arguments(self.arguments, context))
        except Exception as error:
            _note(error, self)
            return ()
        return tuple(rules._said)


def join(
    owner: type[ArchetypeRules],
    archetype: str,
    thresholds: Mapping[str, float],
    evidence: Mapping[str, str | None],
) -> tuple[JoinedRule, ...]:
    """Resolve a class of rules against its archetype: thresholds by name, evidence with its observation.

    Raises KnowledgeBaseError, with file and line, for a threshold, variable or evidence that is not there
    and for conditions that would not mean what they seem to.
    """
    methods: dict[str, RuleMethod] = {}
    for base in reversed(owner.__mro__):
        methods |= {name: value for name, value in vars(base).items() if isinstance(value, RuleMethod)}
    return tuple(
        _Joiner(owner, archetype, thresholds, evidence, name, method).rule()
        for name, method in methods.items()
    )


def observation_fact(observation: Observation) -> experta.Fact:
    """An observation as the engine sees it."""
    return fact_type("observation", observation.name)(
        seen=observation, **{name: read(observation) for name, read in _READ.items()}
    )


def conclusion_fact(conclusion: Conclusion) -> experta.Fact:
    """Evidence as the engine sees it. What was measured is no part of it, so that rules on evidence end."""
    key = Conclusion(conclusion.archetype, conclusion.name, conclusion.subject, None, "", Source("", ""))
    kind = fact_type("evidence", f"{conclusion.archetype}:{conclusion.name}")
    return kind(seen=key, subject=conclusion.subject)


def matched_facts(context: Mapping[str, Any]) -> list[tuple[int, experta.Fact]]:
    """The facts of a match by the number of the pattern that they fit."""
    return sorted(
        ((int(key.removeprefix(_FACT)), fact) for key, fact in context.items() if key.startswith(_FACT)),
        key=lambda pair: pair[0],
    )


_TYPES: Final[dict[tuple[str, str], type[experta.Fact]]] = {}


def fact_type(kind: str, name: str) -> type[experta.Fact]:
    """One type of fact for each name: a pattern's functions only ever see facts of the name they are for.

    One also where threads ask for it at the same time, which ``functools.cache`` does not promise: facts of
    another type of the same name would never meet the rule.
    """
    known = _TYPES.get((kind, name))
    return known or _TYPES.setdefault((kind, name), type(f"{kind} {name}", (experta.Fact,), {}))


_READ: Final[Mapping[str, Callable[[Observation], Any]]] = {
    "subject": lambda seen: seen.subject,
    "value": lambda seen: seen.value,
    "unit": lambda seen: seen.unit,
    "note": lambda seen: seen.note,
    "artifact": lambda seen: seen.source.artifact,
}

_COMPARE: Final = {
    "at_least": operator.ge,
    "at_most": operator.le,
    "above": operator.gt,
    "below": operator.lt,
}


def _arguments(wanted: Mapping[str, int | None], context: Mapping[str, Any]) -> dict[str, Any]:
    """Values of variables, and whole observations for names given by AS (their pattern's number)."""
    return {
        name: context[name] if number is None else context[f"{_FACT}{number}"]["seen"]
        for name, number in wanted.items()
    }


def _takes_t(function: Callable[..., object]) -> bool:
    try:
        return "t" in inspect.signature(function).parameters
    except ValueError:  # some builtins do not tell
        return False


class _Joiner:
    """Joins one rule. Patterns come first, then tests, then NOTs, whatever order the author chose.

    Experta reads conditions from left to right: a NOT ahead of the pattern that binds its variable would
    mean something else, and a TEST after a NOT would see matches that the NOT takes back a moment later.
    """

    def __init__(
        self,
        owner: type[ArchetypeRules],
        archetype: str,
        thresholds: Mapping[str, float],
        evidence: Mapping[str, str | None],
        name: str,
        method: RuleMethod,
    ) -> None:
        self.owner, self.archetype, self.name, self.method = owner, archetype, name, method
        self.values, self.evidence = thresholds, evidence
        self.thresholds = Thresholds(thresholds)
        self.patterns = [c for c in method.conditions if isinstance(c, Pattern)]
        self.tests = [c for c in method.conditions if isinstance(c, TEST)]
        self.nots = [c for c in method.conditions if isinstance(c, NOT)]
        self.bound = self._bound()

    def rule(self) -> JoinedRule:
        self._check()
        joined = JoinedRule(
            archetype=self.archetype,
            name=self.name,
            qualified=f"{self.owner.__module__}.{self.method.body.__qualname__}",
            salience=self.method.salience,
            uses=frozenset(p.name for p in self._all_patterns() if p.kind == "observation"),
            evidence=self.evidence,
            owner=self.owner,
            body=self.method.body,
            thresholds=self.thresholds,
            arguments=self._wanted(self.method.body, skip=1, what="the rule's body"),
        )
        conditions = (
            *(self._pattern(number, p, joined) for number, p in enumerate(self.patterns)),
            *(self._test(test, joined) for test in self.tests),
            *(
                experta.NOT(self._pattern(len(self.patterns) + number, n.pattern, joined))
                for number, n in enumerate(self.nots)
            ),
        )
        # Experta's own preparation (prepare_rule) would find alternatives to take apart in none of them, and
        # take half as long as everything else; that of a rule without patterns is an InitialFact in front.
        first = () if self.patterns else (InitialFact(),)
        # They hold the rule that they report to.
        object.__setattr__(joined, "conditions", (*first, *conditions))
        return joined

    def _all_patterns(self) -> Iterable[Pattern]:
        return [*self.patterns, *(n.pattern for n in self.nots)]

    def _bound(self) -> dict[str, int | None]:
        names: dict[str, int | None] = {}
        for number, pattern in enumerate(self.patterns):
            names |= {c.variable: None for _, c in pattern.fields if c.variable}
            if pattern.bound:
                names[pattern.bound] = number
        return names

    def _check(self) -> None:
        known = len(self.patterns) + len(self.tests) + len(self.nots)
        if known != len(self.method.conditions) or any(not isinstance(n.pattern, Pattern) for n in self.nots):
            self._refuse("a condition is neither obs(…), evidence(…), NOT(obs(…)) nor TEST(…)")
        if self.tests and not self.patterns:
            self._refuse("TEST needs at least one obs(…) beside it")
        for n in self.nots:
            if n.pattern.kind != "observation":
                self._refuse("NOT is for observations: what rules conclude depends on the order of facts")
            if n.pattern.bound:
                self._refuse(f"NOT has no observation to give to {n.pattern.bound}")
        for pattern in self._all_patterns():
            self._check_pattern(pattern)

    def _check_pattern(self, pattern: Pattern) -> None:
        variables = [c.variable for _, c in pattern.fields if c.variable]
        if len(set(variables)) < len(variables):
            self._refuse(f"obs({pattern.name!r}) binds one variable twice")
        for name in [*variables, *([pattern.bound] if pattern.bound else [])]:
            if name in _RESERVED or name.startswith(_FACT):
                self._refuse(f"the name {name} is taken")
        own = pattern.archetype in (None, self.archetype)
        if pattern.kind == "evidence" and own and pattern.name not in self.evidence:
            self._refuse(f"archetype.yaml declares no evidence {pattern.name!r}")
        for _, constraint in pattern.fields:
            for check in constraint.checks:
                if isinstance(check, Comparison) and check.threshold not in self.values:
                    self._refuse(f"archetype.yaml has no threshold {check.threshold!r}")

    def _wanted(self, function: Callable[..., object], skip: int, what: str) -> dict[str, int | None]:
        """The bound names that a function asks for."""
        parameters = list(inspect.signature(function).parameters.values())[skip:]
        if any(p.kind is p.VAR_KEYWORD for p in parameters):
            return dict(self.bound)
        for p in parameters:
            if p.name not in {*self.bound, "t"} and p.default is p.empty:
                self._refuse(f"{what} asks for {p.name}, which no obs(…) binds")
        return {p.name: self.bound[p.name] for p in parameters if p.name in self.bound}

    def _pattern(self, number: int, pattern: Pattern, rule: JoinedRule) -> experta.Fact:
        """One predicate checks the whole pattern, so its functions run in one order: that of obs()."""
        if pattern.kind == "evidence":
            kind, name = "evidence", f"{pattern.archetype or self.archetype}:{pattern.name}"
        else:
            kind, name = "observation", pattern.name
        checks = [(field, self._check_function(c)) for field, wants in pattern.fields for c in wants.checks]
        read = _READ

        def fits(seen: Observation) -> bool:
            try:
                return all(check(read[field](seen)) for field, check in checks)
            except Exception as error:
                _note(error, rule)
                return False

        variables = {name: experta.W(c.variable) for name, c in pattern.fields if c.variable}
        fact = fact_type(kind, name)(seen=experta.P(fits), **variables)
        fact.__bind__ = f"{_FACT}{number}"
        return fact

    def _check_function(self, check: Check) -> Callable[[Any], object]:
        if isinstance(check, Comparison):
            compare, limit = _COMPARE[check.how], self.values[check.threshold]
            return lambda value: (
                isinstance(value, (int, float)) and not isinstance(value, bool) and compare(value, limit)
            )
        if isinstance(check, (str, bool)):
            return lambda value: type(value) is type(check) and value == check
        return (lambda value: check(value, t=self.thresholds)) if _takes_t(check) else check

    def _test(self, test: TEST, rule: JoinedRule) -> experta.TEST:
        names = inspect.signature(test.function).parameters
        given = {"t": self.thresholds} if "t" in names else {}
        wanted = self._wanted(test.function, skip=0, what="TEST")

        def holds(**context: Any) -> bool:
            try:
                return bool(test.function(**_arguments(wanted, context), **given))
            except Exception as error:
                _note(error, rule)
                return False

        # Experta passes what the signature names.
        keys = [name if number is None else f"{_FACT}{number}" for name, number in wanted.items()]
        holds.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY) for key in dict.fromkeys(keys)]
        )
        return experta.TEST(holds)

    def _refuse(self, what: str) -> NoReturn:
        code = self.method.body.__code__
        where = f"{code.co_filename}:{code.co_firstlineno}"
        raise KnowledgeBaseError(f"rule {self.name}: {what}", where=where)
