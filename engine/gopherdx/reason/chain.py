"""Runs the rules of a knowledge base over observations: forward chaining, each diagnosis by itself.

Experta's order of firing depends on memory addresses and its own strategy can leave a match on the agenda
that a NOT has taken back; the strategy here orders by what matches are about, and removes by equality.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import gopherdx.rules as words
from gopherdx.errors import UsageError
from gopherdx.kb import KnowledgeBase
from gopherdx.model import Observations, RuleError
from gopherdx.reason.facts import Concluded, in_order
from gopherdx.rules import Conclusion, Explains, Failure, JoinedRule


def run(kb: KnowledgeBase, observations: Observations) -> Concluded:
    """Run every rule of ``kb`` on ``observations`` until none has anything left to say.

    Rules that raise are told in ``errors`` and said nothing. The result depends on what was observed alone,
    not on the order of observations, folders or memory addresses. Raises UsageError without rules.
    """
    if not kb.has_rules:
        raise UsageError("this knowledge base was loaded without its rules", todo="call load_kb() as it is")
    said, failures = _fire(_rules(kb), observations)
    return Concluded(
        evidence=_most_telling(kb, said.concluded),
        explains=tuple(sorted(set(said.explained), key=lambda e: (e.cause, e.symptom, e.subject, e.at))),
        errors=_errors(kb, failures),
        fired=tuple(sorted(said.fired)),
    )


@dataclass
class _Said:
    """What rules said until none was left to fire."""

    concluded: list[Conclusion] = field(default_factory=list)
    explained: list[Explains] = field(default_factory=list)
    fired: set[str] = field(default_factory=set)


# Engines that nobody uses now, by the ids of their rules, which they keep alive: to build one takes longer
# than to run it. They hold nothing of what they saw.
_IDLE: dict[tuple[int, ...], _Engine] = {}
_IDLE_MAX = 4
_LOCK = threading.Lock()


def prepare(kb: KnowledgeBase) -> None:
    """Build an engine for the rules of ``kb`` that the next ``run`` will find."""
    _give_back(_engine(_rules(kb)))


def _rules(kb: KnowledgeBase) -> list[JoinedRule]:
    return [rule for archetype in kb.archetypes for rule in archetype.joined]


def _fire(rules: Sequence[JoinedRule], observations: Observations) -> tuple[_Said, list[Failure]]:
    """Run rules until none is left to fire, in an engine that no other thread has meanwhile."""
    facts = in_order(observations, frozenset().union(*(rule.uses for rule in rules)))
    with words.failures() as failures:
        engine = _engine(rules)
        said = engine.fire(words.observation_fact(o) for o in facts)
    _give_back(engine)
    return said, failures


def _engine(rules: Sequence[JoinedRule]) -> _Engine:
    key = tuple(id(rule) for rule in rules)
    with _LOCK:
        idle = _IDLE.pop(key, None)
    return idle or _Engine(rules, key)


def _give_back(engine: _Engine) -> None:
    with _LOCK:
        while len(_IDLE) >= _IDLE_MAX:
            del _IDLE[next(iter(_IDLE))]
        _IDLE[engine.key] = engine


def _most_telling(kb: KnowledgeBase, said: Iterable[Conclusion]) -> tuple[Conclusion, ...]:
    """One conclusion for each archetype, evidence and subject: the value furthest beyond its threshold."""
    kept: dict[tuple[str, str, str], Conclusion] = {}
    for conclusion in said:
        key = (conclusion.archetype, conclusion.name, conclusion.subject)
        declared = kb[conclusion.archetype].proof(conclusion.name)
        if key not in kept or declared.expect.tells_more(conclusion.actual, kept[key].actual):
            kept[key] = conclusion
    return tuple(kept[key] for key in sorted(kept))


def _errors(kb: KnowledgeBase, failures: Iterable[Failure]) -> tuple[RuleError, ...]:
    """One error for each line that raised: conditions meet many facts, and which came first is chance."""
    first: dict[tuple[str, str, int], str] = {}
    for f in failures:
        key = (f.archetype, f.rule, f.line)
        first[key] = min(first.get(key, f.message), f.message)
    return tuple(
        RuleError(name, kb[name].slug, rule, line, message)
        for (name, rule, line), message in sorted(first.items())
    )


class _Order(words.Strategy):
    """Salience, then ids of facts (those declared first go first), then archetype and rule."""

    def _update_agenda(
        self,
        agenda: words.Agenda,
        added: Iterable[words.Activation],
        removed: Iterable[words.Activation],
    ) -> None:
        for activation in removed:
            activation.key = _key(activation)
            agenda.activations = [a for a in agenda.activations if a != activation]
        new = list(added)
        if new:
            for activation in new:
                activation.key = _key(activation)
            # Experta takes the next one from the end.
            agenda.activations = sorted([*agenda.activations, *new], key=lambda a: a.key, reverse=True)


def _key(activation: words.Activation) -> tuple[Any, ...]:
    facts = tuple(fact["__factid__"] for _, fact in words.matched_facts(activation.context))
    joined: JoinedRule = activation.rule._wrapped.joined  # type: ignore[attr-defined]
    return (-activation.rule.salience, facts, joined.archetype, joined.qualified)


class _Bus(words.BusNode):
    """Hands a fact to the patterns of its own type alone, instead of asking every pattern there is."""

    def add(self, fact: Any) -> None:
        token = words.Token.valid(fact)
        for child in self.children:
            if child.node.matcher.fact_type is type(fact):
                child.callback(token)


class _Matcher(words.ReteMatcher):
    def __init__(self, engine: Any) -> None:
        self.engine = engine
        self.root_node = _Bus()
        self.build_network()
        self._ends = tuple(_ends(self.root_node))
        # Experta remembers patterns without a name of their own by memory address, for ever.
        for key in [k for k in list(words.FactCapture._instances) if k.startswith("__pattern_")]:
            words.FactCapture._instances.pop(key, None)

    @staticmethod
    def prepare_ruleset(engine: _Engine) -> set[words.EngineRule]:
        """Conditions were prepared when their rules were joined."""
        return set(engine.get_rules())

    @staticmethod
    def build_beta_part(ruleset: Iterable[words.EngineRule], alpha_terminals: Mapping[Any, Any]) -> None:
        """Wire each rule as experta does. Its own way defines a dozen functions anew for every rule."""
        for rule in ruleset:
            last = alpha_terminals[rule[0]]
            for condition in rule[1:]:
                if isinstance(condition, words.EngineTest):
                    test = words.WhereNode(words.WhereCheck(condition[0]))
                    last.add_child(test, test.activate)
                    last = test
                    continue
                without = isinstance(condition, words.EngineNot)
                both = (words.NotNode if without else words.OrdinaryMatchNode)(words.SameContextCheck())
                last.add_child(both, both.activate_left)
                found = alpha_terminals[condition[0] if without else condition]
                found.add_child(both, both.activate_right)
                last = both
            end = words.ConflictSetNode(rule)
            last.add_child(end, end.activate)

    def _get_conflict_set_nodes(self) -> tuple[words.ConflictSetNode, ...]:
        # Experta caches these in one global slot: threads would take it from each other, and it would keep
        # the facts of the last diagnosis alive.
        return self._ends


def _ends(node: Any) -> Iterator[words.ConflictSetNode]:
    found: dict[int, words.ConflictSetNode] = {}
    waiting = [node]
    while waiting:
        at = waiting.pop()
        if isinstance(at, words.ConflictSetNode):
            found[id(at)] = at
        waiting.extend(child.node for child in at.children)
    yield from found.values()


class _Engine(words.KnowledgeEngine):
    """The rules of all archetypes together. They are no attributes, so equal names cannot meet."""

    __matcher__ = _Matcher
    __strategy__ = _Order

    def __init__(self, rules: Sequence[JoinedRule], key: tuple[int, ...]) -> None:
        self.key = key
        self._joined = rules
        self._said = _Said()
        super().__init__()

    def fire(self, facts: Iterable[Any]) -> _Said:
        """Run the rules over these facts and forget them. What experta's ``reset`` does is done already."""
        self.facts.declare(words.InitialFact())
        self.declare(*facts)
        self.run()
        said, self._said = self._said, _Said()
        self.agenda, self.facts = words.Agenda(), words.FactList()
        self.matcher.reset()
        return said

    def get_rules(self) -> list[words.EngineRule]:
        return [
            words.EngineRule(*rule.conditions, salience=rule.salience)(_firing(rule)) for rule in self._joined
        ]

    def hear(self, rule: JoinedRule, said: Iterable[Conclusion | Explains]) -> None:
        """Take in what a rule said; evidence becomes a fact that other rules may build on."""
        self._said.fired.add(f"{rule.archetype}.{rule.name}")
        for thing in said:
            if isinstance(thing, Explains):
                self._said.explained.append(thing)
            else:
                self._said.concluded.append(thing)
                self.declare(words.conclusion_fact(thing))


def _firing(rule: JoinedRule) -> Callable[..., None]:
    def fire(engine: _Engine, **variables: Any) -> None:
        engine.hear(rule, rule.fire(variables))

    fire.joined = rule  # type: ignore[attr-defined]
    return fire
