"""The knowledge base as data: folders of archetypes, read into frozen types.

The archetypes that come with gopherdx are found by the name of their package, a user's own by path. What an
archetype.yaml says is checked when it is read, whoever wrote it: an error names the file and the field.
"""

from __future__ import annotations

import importlib
import importlib.resources
import re
import sys
import textwrap
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from hashlib import sha256
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Final, Literal, cast

from gopherdx.errors import KnowledgeBaseError
from gopherdx.model import LIKELY, SEVERITIES, Grade, Precision, Severity
from gopherdx.yamlfile import KINDS, Node, is_number, read_yaml

if TYPE_CHECKING:
    from gopherdx.rules import JoinedRule

PACKAGE: Final = "gopherdx_kb"
MIN_COST_CAP: Final = 0.25
_COMPARISONS: Final = ("at_least", "at_most", "above", "below")

How = Literal["at_least", "at_most", "above", "below", "equals", "told"]
Version = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Threshold:
    """A number that rules compare with: value, unit, and why it is this one."""

    value: float
    unit: str
    why: str


@dataclass(frozen=True, slots=True)
class Expect:
    """What a piece of evidence expects of its observation. ``told``: no file can show it, only a person."""

    how: How
    limit: float | str | bool | None = None
    unit: str = ""

    def __str__(self) -> str:
        if self.how == "told":
            return "an answer"
        if self.how == "equals":
            return str(self.limit).lower() if isinstance(self.limit, bool) else str(self.limit)
        return f"{self.how.replace('_', ' ')} {self.limit:.10g}"

    def met(self, actual: object) -> bool:
        """Whether a value by itself is as expected."""
        if self.how in ("equals", "told"):
            return self.how == "equals" and actual == self.limit
        if not is_number(actual) or not is_number(self.limit):
            return False
        above = actual > self.limit if self.how in ("at_least", "above") else actual < self.limit
        return above or (actual == self.limit and self.how in ("at_least", "at_most"))

    def tells_more(self, one: object, other: object) -> bool:
        """Whether ``one`` lies further on the expected side than ``other`` (False for what is no number)."""
        if not is_number(one):
            return False
        if not is_number(other):
            return True
        return one < other if self.how in ("at_most", "below") else one > other


@dataclass(frozen=True, slots=True)
class Proof:
    """One piece of evidence as archetype.yaml declares it.

    ``observation`` is the one that it is read from: whether that was looked for decides between absent and
    not observable. Without ``artifacts`` only a person can answer, by ``question``. ``stands_in_for`` names
    other evidence of the archetype that shows the same thing more closely: this one counts only where none of
    that could be seen.
    """

    name: str
    supports: bool
    grade: Grade
    artifacts: tuple[str, ...]
    observation: str | None
    expect: Expect
    text: str
    question: str | None
    stands_in_for: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MinCost:
    """Below this much of an observation a mechanism costs too little to be called likely.

    ``confidence`` is the most that is believed of it then. It is higher where the observation is no cost but
    what a proof takes: the mechanism may well be there, and these artifacts alone cannot show it.
    """

    observation: str
    at_least: float
    confidence: float


@dataclass(frozen=True, slots=True)
class ImpactOf:
    """The observation that says what the bug costs, the sentence that says it, and how bad how much is."""

    observation: str
    unit: str
    text: str
    severity: tuple[tuple[float, Severity], ...] = ()


@dataclass(frozen=True, slots=True)
class GainOf:
    """The model of what the fix brings; each end is a number or the name of an observation."""

    model: str
    unit: str
    low: float | str
    high: float | str


@dataclass(frozen=True, slots=True)
class Unplaced:
    """What to say of a finding whose place these artifacts cannot tell, and the capture that tells it."""

    summary: tuple[str, ...]
    text: str
    command: str


@dataclass(frozen=True, slots=True)
class FixOf:
    """A fix, and the folders of the program before and after it (their code is read when it is shown)."""

    title: str
    go: str
    safety: str
    bug: str | None
    fix: str | None


@dataclass(frozen=True)
class Archetype:
    """One kind of bug: archetype.yaml as types. ``joined`` are its rules with their thresholds resolved.

    The bug is in Go from ``go_from`` until before ``go_until`` (the first version without it). Of several
    summaries, causes, costs, impacts and gains the first is used whose values these artifacts tell.
    """

    id: str
    slug: str
    title: str
    family: str
    status: Literal["stable", "preview"]
    go_from: Version
    go_until: Version | None
    requires: tuple[tuple[str, ...], ...]
    improves: tuple[str, ...]
    collect: str
    location: str
    decides_place: tuple[str, ...]
    evidence: tuple[Proof, ...]
    thresholds: Mapping[str, Threshold]
    min_cost: tuple[MinCost, ...]
    impact: tuple[ImpactOf, ...]
    gain: tuple[GainOf, ...]
    signature: str
    cause: tuple[str, ...]
    summary: tuple[str, ...]
    unplaced: Unplaced | None
    fix: tuple[FixOf, ...]
    confounders: tuple[str, ...]
    references: tuple[str, ...]
    folder: Traversable = field(repr=False, compare=False)
    joined: tuple[JoinedRule, ...] = field(default=(), repr=False, compare=False)

    def proof(self, name: str) -> Proof:
        """The declared evidence of this name. Raises KeyError."""
        for proof in self.evidence:
            if proof.name == name:
                return proof
        raise KeyError(name)

    def snippet(self, program: str | None) -> str:
        """The code between ``// snippet:start`` and ``// snippet:end`` of a program's main.go; "" without."""
        if program is None:
            return ""
        main = self.folder.joinpath(*program.split("/"), "main.go")
        if not main.is_file():
            return ""
        parts = re.findall(
            r"// snippet:start[^\n]*\n(.*?)^[ \t]*// snippet:end", main.read_text("utf-8"), re.S | re.M
        )
        return "\n".join(textwrap.dedent(part).strip("\n") + "\n" for part in parts)


@dataclass(frozen=True, slots=True)
class Likelihood:
    """P(seen | bug) and P(seen | not the bug) of evidence of one grade."""

    bug: float
    other: float


@dataclass(frozen=True, slots=True)
class Likelihoods:
    """The weights of evidence by grade, for and against, with prior, temperature and counted precision."""

    prior: float
    temperature: float
    supports: Mapping[str, Likelihood]
    against: Mapping[str, Likelihood]
    precision: Mapping[str, Precision]


@dataclass(frozen=True)
class KnowledgeBase:
    """All archetypes by id, and how much evidence weighs. Without ``has_rules`` it cannot reason."""

    archetypes: tuple[Archetype, ...]
    likelihoods: Likelihoods
    has_rules: bool = True

    def __getitem__(self, name: str) -> Archetype:
        """The archetype with this id. Raises KeyError."""
        for archetype in self.archetypes:
            if archetype.id == name:
                return archetype
        raise KeyError(name)


def load_kb(extra: Sequence[Path] = (), *, rules: bool = True) -> KnowledgeBase:
    """The archetypes that come with gopherdx and those in the folders of ``extra``, sorted by id.

    A folder of ``extra`` is an archetype or holds archetypes; loading it runs its rules.py. ``rules=False``
    reads the data alone and no rule engine: for listings and explanations. Raises KnowledgeBaseError.
    """
    found = list(_builtin(rules))
    for path in extra:
        folders = _folders(path) if path.is_dir() else []
        if not folders:
            raise KnowledgeBaseError("no archetype.yaml here or one folder below", where=str(path))
        found.extend(_read(folder, _theirs, rules) for folder in folders)
    _refuse_twins(found)
    return KnowledgeBase(tuple(sorted(found, key=lambda a: a.id)), _likelihoods(), has_rules=rules)


@cache
def _builtin(rules: bool) -> tuple[Archetype, ...]:
    """The archetypes of the package, read once a process: they are frozen, and no part of it changes."""
    return tuple(_read(folder, _ours, rules) for folder in _folders(importlib.resources.files(PACKAGE)))


@cache
def _likelihoods() -> Likelihoods:
    return read_likelihoods(importlib.resources.files(PACKAGE).joinpath("likelihoods.yaml"))


def read_archetype(folder: Path, *, rules: bool = True) -> Archetype:
    """The archetype in a folder anywhere. Raises KnowledgeBaseError, naming the file and the field."""
    return _read(folder, _theirs, rules)


def _folders(top: Traversable) -> list[Traversable]:
    if top.joinpath("archetype.yaml").is_file():
        return [top]
    inside = sorted((f for f in top.iterdir() if f.is_dir()), key=lambda f: f.name)
    return [f for f in inside if f.joinpath("archetype.yaml").is_file()]


def _refuse_twins(found: Sequence[Archetype]) -> None:
    seen: dict[str, Archetype] = {}
    for archetype in found:
        for name in (archetype.id, archetype.slug):
            if name in seen:
                raise KnowledgeBaseError(
                    f"{name} is also the name of the archetype in {seen[name].folder}",
                    where=str(archetype.folder),
                    todo="an id and a slug are given once",
                )
            seen[name] = archetype


# rules.py ---------------------------------------------------------------------------------------------


def _read(folder: Traversable, load: Callable[[Traversable], ModuleType], rules: bool) -> Archetype:
    archetype = _archetype(folder)
    if not rules:
        return archetype
    where = str(folder.joinpath("rules.py"))
    if not folder.joinpath("rules.py").is_file():
        raise KnowledgeBaseError("there is no such file", where=where, todo="an archetype needs its rules")
    module = _run(load, folder, where)
    from gopherdx.rules import ArchetypeRules, join

    owner = getattr(module, "Rules", None)
    if not (isinstance(owner, type) and issubclass(owner, ArchetypeRules)):
        raise KnowledgeBaseError("it defines no class Rules(ArchetypeRules)", where=where)
    joined = join(
        owner,
        archetype.id,
        {name: threshold.value for name, threshold in archetype.thresholds.items()},
        {proof.name: proof.observation for proof in archetype.evidence},
    )
    return replace(archetype, joined=joined)


def _run(load: Callable[[Traversable], ModuleType], folder: Traversable, where: str) -> ModuleType:
    """Run a rules.py; whatever it raises is an error of the knowledge base, at its line."""
    try:
        return load(folder)
    except KnowledgeBaseError as error:
        at = _line(error, where)
        raise KnowledgeBaseError(error.what, where=error.where or at, todo=error.todo) from error
    except SyntaxError as error:
        raise KnowledgeBaseError(f"{error.msg}", where=f"{where}:{error.lineno}") from error
    except Exception as error:
        raise KnowledgeBaseError(f"{type(error).__name__}: {error}", where=_line(error, where)) from error


def _line(error: BaseException, where: str) -> str:
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == where]
    return f"{where}:{lines[-1]}" if lines else where


def _ours(folder: Traversable) -> ModuleType:
    return importlib.import_module(f"{PACKAGE}.{folder.name}.rules")


def _theirs(folder: Traversable) -> ModuleType:
    """Run a user's rules.py under a made-up module name; what the file says now, never a compiled copy."""
    path = Path(str(folder)).resolve() / "rules.py"
    name = f"_gopherdx_archetype_{sha256(str(path).encode()).hexdigest()[:12]}"
    module = ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module  # dataclasses look their module up here
    code = compile(path.read_bytes(), str(folder.joinpath("rules.py")), "exec")
    exec(code, module.__dict__)
    return module


# archetype.yaml and likelihoods.yaml ------------------------------------------------------------------


def _archetype(folder: Traversable) -> Archetype:
    file = folder.joinpath("archetype.yaml")
    node = Node(read_yaml(file), str(file))
    thresholds = {name: _threshold(t) for name, t in node.table("thresholds").items()}
    limits = {name: threshold.value for name, threshold in thresholds.items()}
    units = {name: threshold.unit for name, threshold in thresholds.items()}
    evidence = node.each("evidence", lambda n: _proof(n, limits, units))
    severity = _severity(node)
    go = node.node("go")
    archetype = Archetype(
        id=node.text("id", like=r"[A-Z]+[0-9]+"),
        slug=node.text("slug", like=r"[a-z0-9]+(-[a-z0-9]+)*"),
        title=node.text("title"),
        family=node.text("family"),
        status=cast("Literal['stable', 'preview']", node.text("status", among=("stable", "preview"))),
        go_from=_version(go, "from") or (1, 0),
        go_until=_version(go, "until"),
        requires=node.kind_sets("requires"),
        improves=node.texts("improves", among=KINDS),
        collect=node.text("collect"),
        location=node.text("location"),
        decides_place=node.texts("decides_place", among=tuple(p.name for p in evidence)),
        evidence=evidence,
        thresholds=MappingProxyType(thresholds),
        min_cost=node.some("min_cost", lambda n: _min_cost(n, limits)),
        impact=node.some("impact", lambda n: _impact(n, limits, severity)),
        gain=node.some("gain", _gain),
        signature=node.text("signature"),
        cause=node.templates("cause", limits),
        summary=node.templates("summary", limits),
        unplaced=node.maybe("unplaced", lambda n: _unplaced(n, limits)),
        fix=node.each("fix", _fix),
        confounders=node.texts("confounders"),
        references=node.texts("references"),
        folder=folder,
    )
    go.close()
    node.close()
    names = [p.name for p in evidence]
    if len(set(names)) < len(names):
        node.refuse("evidence", "two pieces have the same name")
    _check_stand_ins(evidence, node)
    return archetype


def _check_stand_ins(evidence: Sequence[Proof], node: Node) -> None:
    """Evidence stands in only for what is declared before it, so that none stands in for itself."""
    before: dict[str, Proof] = {}
    for proof in evidence:
        for name in proof.stands_in_for:
            if name not in before or before[name].supports != proof.supports:
                node.refuse(
                    "evidence",
                    f"{proof.name} stands in for {name!r}, which is no evidence before it on the same side",
                )
        before[proof.name] = proof


def _threshold(node: Node) -> Threshold:
    return Threshold(node.number("value"), node.text("unit", empty=True), node.text("why"))


def _proof(node: Node, limits: Mapping[str, float], units: Mapping[str, str]) -> Proof:
    artifacts = node.texts("artifacts", among=KINDS)
    observation = node.optional_text("observation")
    if bool(artifacts) != bool(observation):
        node.refuse("observation", "what files can show names artifacts and observation, the rest neither")
    expect = node.maybe("expect", lambda n: _expect(n, limits, units))
    if expect is None and observation:
        node.refuse("expect", "is missing")
    return Proof(
        name=node.text("name", like=r"[a-z0-9]+(-[a-z0-9]+)*"),
        supports=node.flag("supports"),
        grade=cast("Grade", node.text("grade", among=("decisive", "strong", "supporting"))),
        artifacts=artifacts,
        observation=observation,
        expect=expect or Expect("told"),
        text=node.text("text"),
        question=node.optional_text("question"),
        stands_in_for=node.optional_texts("stands_in_for"),
    )


def _expect(node: Node, limits: Mapping[str, float], units: Mapping[str, str]) -> Expect:
    how = node.only((*_COMPARISONS, "equals"))
    if how == "equals":
        return Expect("equals", node.scalar("equals"))
    return Expect(cast("How", how), node.limit(how, limits), units[node.text(how)])


def _min_cost(node: Node, limits: Mapping[str, float]) -> MinCost:
    observation, least = node.text("observation"), node.limit("at_least", limits)
    most = node.share("confidence") if "confidence" in node.values else MIN_COST_CAP
    if most >= LIKELY:
        node.refuse("confidence", f"must lie below {LIKELY}, where likely begins")
    return MinCost(observation, least, most)


def _impact(
    node: Node, limits: Mapping[str, float], severity: tuple[tuple[float, Severity], ...]
) -> ImpactOf:
    """An impact with its own table of severity, else the archetype's."""
    texts = node.text("observation"), node.text("unit"), node.template("text", limits)
    return ImpactOf(*texts, _severity(node) or severity)


def _gain(node: Node) -> GainOf:
    def end(name: str) -> float | str:
        observation = node.optional_text(f"observation_{name}")
        return observation if observation is not None else node.number(name)

    return GainOf(node.text("model"), node.text("unit"), end("low"), end("high"))


def _unplaced(node: Node, limits: Mapping[str, float]) -> Unplaced:
    return Unplaced(node.templates("summary", limits), node.text("text"), node.text("command"))


def _fix(node: Node) -> FixOf:
    return FixOf(
        title=node.text("title"),
        go=node.text("go"),
        safety=node.text("safety"),
        bug=node.optional_text("bug"),
        fix=node.optional_text("fix"),
    )


def _severity(node: Node) -> tuple[tuple[float, Severity], ...]:
    steps = node.take("severity", list, "a list of [value, severity]", default=[])
    for step in steps:
        if not (isinstance(step, list) and len(step) == 2 and is_number(step[0]) and step[1] in SEVERITIES):
            node.refuse("severity", f"{step!r} is not [value, one of {', '.join(SEVERITIES)}]")
    values = [step[0] for step in steps]
    if values != sorted(set(values)):
        node.refuse("severity", "values must rise")
    return tuple((float(value), severity) for value, severity in steps)


def _version(node: Node, key: str) -> Version | None:
    text = node.optional_text(key, like=r"[0-9]+\.[0-9]+", hint='write it in quotes, as "1.20"')
    return None if text is None else cast("Version", tuple(int(part) for part in text.split(".")))


def read_likelihoods(file: Traversable) -> Likelihoods:
    """Read a likelihoods.yaml. Raises KnowledgeBaseError, naming the field."""
    node = Node(read_yaml(file), str(file))
    supports = {grade: _likelihood(n) for grade, n in node.table("supports").items()}
    against = {grade: _likelihood(n) for grade, n in node.table("against").items()}
    for key, grades in (("supports", supports), ("against", against)):
        if sorted(grades) != ["decisive", "strong", "supporting"]:
            node.refuse(key, "needs decisive, strong and supporting")
    read = Likelihoods(
        prior=node.share("prior"),
        temperature=node.number("temperature"),
        supports=MappingProxyType(supports),
        against=MappingProxyType(against),
        precision=MappingProxyType({name: _precision(n) for name, n in node.table("precision").items()}),
    )
    if read.temperature <= 0:
        node.refuse("temperature", "must be above 0")
    node.close()
    return read


def _likelihood(node: Node) -> Likelihood:
    return Likelihood(node.share("seen_if_bug"), node.share("seen_if_not"))


def _precision(node: Node) -> Precision:
    counts = [int(node.number(key)) for key in ("programs", "captures")]
    return Precision(node.number("value"), node.number("lower"), *counts)
