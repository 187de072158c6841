"""Small archetypes written into folders, and observations, for tests of the reasoning."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

import gopherdx_kb
from gopherdx.kb import Archetype, KnowledgeBase, Likelihoods, read_archetype, read_likelihoods
from gopherdx.model import GoRange, Location, Observation, Observations, Source

LIKELIHOODS = Path(str(gopherdx_kb.__path__[0])) / "likelihoods.yaml"


def likelihoods() -> Likelihoods:
    """The ones that come with the product."""
    return read_likelihoods(LIKELIHOODS)


def data(name: str = "X901", **changes: Any) -> dict[str, Any]:
    """An archetype.yaml as data: one decisive piece (``waiters``) that decides the place, and thresholds."""
    return {
        "id": name,
        "slug": f"made-up-{name.lower()}",
        "title": "A made-up bug",
        "family": "hidden-serialization",
        "status": "stable",
        "go": {"from": "1.0", "until": None},
        "requires": [["trace"]],
        "improves": [],
        "collect": "curl -o trace.out 'http://HOST/debug/pprof/trace?seconds=5'",
        "location": "the function that holds the lock",
        "decides_place": ["waiters"],
        "evidence": [piece("waiters", "lock.share", {"at_least": "share"})],
        "thresholds": {
            "share": {"value": 0.4, "unit": "share", "why": "half-way between bug and fix"},
            "few": {"value": 2, "unit": "", "why": "one is chance"},
        },
        "impact": {"observation": "lock.cores_lost", "unit": "cores", "text": "{value:.1f} cores stand idle"},
        "severity": [[0.1, "low"], [0.5, "medium"], [1.5, "high"], [4.0, "critical"]],
        "signature": "waits in sync.(*Mutex).Lock",
        "cause": "{function} holds the lock",
        "summary": "{function} holds the lock for {lock.share:.0%} of the time",
        "fix": [],
        "confounders": [],
        "references": [],
    } | changes


def piece(name: str, observation: str | None, expect: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    """One entry under ``evidence``: decisive, for the bug, read from a trace."""
    return {
        "name": name,
        "supports": True,
        "grade": "decisive",
        "artifacts": ["trace"] if observation else [],
        "observation": observation,
        "expect": expect,
        "text": f"{name} is there",
        "question": None,
    } | more


WAITERS = """
    @Rule(obs("lock.share", subject=MATCH.f, value=MATCH.v & at_least("share")))
    def waiters(self, f, v):
        self.conclude("waiters", subject=f, actual=v)
"""


def write(folder: Path, yaml_data: dict[str, Any], rules: str = WAITERS) -> Path:
    """An archetype's folder; ``rules`` is the body of its class, indented by four."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "archetype.yaml").write_text(yaml.safe_dump(yaml_data, sort_keys=False), "utf-8")
    head = (
        "from gopherdx.rules import AS, MATCH, NOT, TEST, ArchetypeRules, Rule\n"
        "from gopherdx.rules import above, at_least, at_most, below, evidence, obs\n"
        "class Rules(ArchetypeRules):\n"
    )
    (folder / "rules.py").write_text(
        head + textwrap.indent(textwrap.dedent(rules).strip(), "    ") + "\n", "utf-8"
    )
    return folder


def made(folder: Path, name: str = "X901", rules: str = WAITERS, **changes: Any) -> Archetype:
    """A loaded archetype of its own folder below ``folder``."""
    return read_archetype(write(folder / name.lower(), data(name, **changes), rules))


def kb_of(*archetypes: Archetype, likely: Likelihoods | None = None) -> KnowledgeBase:
    """A knowledge base of these alone."""
    return KnowledgeBase(tuple(sorted(archetypes, key=lambda a: a.id)), likely or likelihoods())


def o(name: str, value: float | str | bool, subject: str = "", **more: Any) -> Observation:
    """An observation from a trace."""
    given: dict[str, Any] = {"unit": "share", "source": Source("trace", f"table of {name}")} | more
    return Observation(name, value, given.pop("unit"), given.pop("source"), subject, **given)


def at(function: str, line: int) -> Location:
    return Location(function, "main.go", line)


def seen(
    items: Iterable[Observation],
    looked: Iterable[str] = (),
    kinds: Iterable[str] = ("trace",),
    *,
    truncated: bool = False,
    go: tuple[tuple[int, int], tuple[int, int]] | None = None,
) -> Observations:
    """Observations of a trace; what is there was looked for, and so was ``looked``."""
    items = tuple(items)
    names = frozenset(looked) | {item.name for item in items}
    version = GoRange(f"go {go[0][0]}.{go[0][1]}", *go) if go else None
    return Observations(items, names, frozenset(kinds), truncated, version)
