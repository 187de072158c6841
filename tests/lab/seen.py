"""What gopherdx observes and concludes in each recording of the lab, in each way of giving it artifacts.

Reading and reasoning take most of the time and do not depend on how much evidence weighs: both are done once
for a recording and kept (.seen/), so that weights are fitted and compared without reading anything again.
What changes what is seen (the recording, the library, the knowledge base's rules) makes it anew.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from gopherdx.artifacts.capture import Limits, Named, in_order, read_capture
from gopherdx.errors import UnreadableInput
from gopherdx.kb import KnowledgeBase, load_kb
from gopherdx.model import Observations
from gopherdx.observe import observe_all
from gopherdx.reason import chain
from gopherdx.reason.facts import Concluded
from tests.lab.labels import ROOT, Program, release
from tests.lab.recording import times_better, told_of

# What comes with every trace: all that a run leaves but traces, the CPU profile, and other forms of the same
# (a dump as counts, metrics as expvar and Prometheus text).
_BESIDE = (
    "heap-before.pprof heap.pprof allocs-before.pprof allocs.pprof mutex-before.pprof mutex.pprof "
    "block-before.pprof block.pprof goroutine.pprof goroutine-before.txt goroutine.txt goroutineleak.pprof "
    "gctrace.log metrics.jsonl"
).split()
WHOLE = ("whole, no samples", "whole, samples")
WAYS: Mapping[str, tuple[str, ...]] = {
    WHOLE[0]: ("trace-nocpu.out", *_BESIDE),
    WHOLE[1]: ("trace-cpu.out", "cpu.pprof", *_BESIDE),
    "trace, no samples": ("trace-nocpu.out",),
    "trace, samples": ("trace-cpu.out",),
    "cpu": ("cpu.pprof",),
    "heap": ("heap.pprof",),
    "allocs": ("allocs.pprof",),
    "mutex": ("mutex.pprof",),
    "block": ("block.pprof",),
    "goroutine": ("goroutine.pprof",),
    "goroutineleak": ("goroutineleak.pprof",),
    "dump, debug=2": ("goroutine.txt",),
    "dump, debug=1": ("goroutine-debug1.txt",),
    "two dumps, debug=2": ("goroutine-before.txt", "goroutine.txt"),
    "gctrace": ("gctrace.log",),
    "two metrics, runtime/metrics": ("metrics.jsonl",),
    "two metrics, Prometheus": ("prometheus-before.txt", "prometheus-after.txt"),
    "two metrics, expvar": ("vars-before.json", "vars-after.json"),
}
"""Ways to give the artifacts of a recording, and the files of each."""

_NOT_EVERY_GO = frozenset({"goroutineleak.pprof"})

BETTER = 1.1
"""A fix is one where the program's own figure is at least this many times better."""


@dataclass(frozen=True)
class Cell:
    """One recording of the lab and the truth about it.

    ``bugs`` are what is to be found. ``apart`` says why it is not scored; "" where it is. ``better`` is how
    many times better the fix's figure is (None where there is no pair).
    """

    program: Program
    version: str
    variant: str
    folder: Path
    told: Mapping[str, Any]
    bugs: Mapping[str, Mapping[str, Any]]
    better: float | None
    apart: str

    @property
    def name(self) -> str:
        """As ``thumbs/go1.26.6/p2-l0``."""
        return f"{self.program.name}/go{self.version}/{self.variant}"

    @property
    def arguable(self) -> tuple[str, ...]:
        """Archetypes that are neither right nor wrong there."""
        return (*self.program.arguable, *self.program.costs_nothing(self.told["gomaxprocs"]))


@dataclass(frozen=True)
class Seen:
    """What was observed and concluded in one way of one cell, for each of its processes."""

    observed: tuple[Observations, ...]
    concluded: tuple[Concluded, ...]

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of artifacts that were given."""
        return frozenset().union(*(o.kinds for o in self.observed))


def cells(out: Path, programs: Mapping[str, Program]) -> list[Cell]:
    """Every whole recording under ``out`` of these programs with their present sources, in order."""
    found: list[Cell] = []
    for program in programs.values():
        digest = program.digest()
        for file in sorted((out / program.name).glob("go*/p*/run.json")):
            told = told_of(file.parent)
            if told is None or told.get("digest") != digest:
                continue
            version, variant = told["go"], file.parent.name
            free = program.costs_nothing(told["gomaxprocs"])
            bugs = {bug["id"]: bug for bug in program.bugs(version) if bug["id"] not in free}
            better, apart = _gain(out, program, programs, version, variant, told)
            found.append(Cell(program, version, variant, file.parent, told, bugs, better, apart))
    return found


def _gain(
    out: Path,
    program: Program,
    programs: Mapping[str, Program],
    version: str,
    variant: str,
    told: dict[str, Any],
) -> tuple[float | None, str]:
    """How much better the fix is than the bug in this cell, and why the cell is not scored."""
    if not program.scored:
        return None, "its label says that it is not scored"
    pair = {"bug": "fix", "fix": "bug"}.get(program.role)
    twins = [p for p in programs.values() if p.family == program.family and p.role == pair]
    if not twins:
        return None, ""
    bug = program if program.role == "bug" else twins[0]
    if not bug.bugs(version):
        return None, ""  # with this Go version there is no bug that a fix could mend
    other = told_of(out / twins[0].name / f"go{version}" / variant)
    if other is None or other.get("digest") != twins[0].digest():
        return None, f"there is no recording of {twins[0].name} to compare it with"
    better = times_better(told, other) if program.role == "bug" else times_better(other, told)
    return better, "" if better >= BETTER else f"its figure is {better:.2f} times as good with the fix"


# Reading and reasoning --------------------------------------------------------------------------------


def look(
    found: Sequence[Cell],
    out: Path,
    ways: Sequence[str] = tuple(WAYS),
    *,
    jobs: int = 2,
    tell: Callable[[str], None] = print,
) -> dict[str, str]:
    """See, in ``jobs`` processes, what of these cells is not seen yet by the present library.

    Returns the cells of which an artifact cannot be read, by name, and why.
    """
    unreadable: dict[str, str] = {}
    keys = _code_keys()
    todo = [cell for cell in found if not _is_fresh(cell, out, keys, ways)]
    if todo:
        tell(f"{len(todo)} of {len(found)} recordings are to be read")
        with multiprocessing.get_context("fork").Pool(jobs, _lower) as pool:
            work = [(cell, out, keys, ways) for cell in todo]
            for n, (name, error) in enumerate(pool.imap_unordered(_make, work, chunksize=2), 1):
                if error:
                    unreadable[name] = error
                    tell(f"left out: {name}: {error}")
                if n % 100 == 0:
                    tell(f"{n} of {len(todo)} read")
    return unreadable


def seen_in(
    found: Sequence[Cell], out: Path, ways: Sequence[str] = tuple(WAYS)
) -> Iterator[tuple[Cell, dict[str, Seen]]]:
    """Each cell with what was seen in these ways; those whose files a cell lacks are left out."""
    for cell in found:
        kept = _load(_file(cell, out))["ways"]
        yield cell, {way: kept[way] for way in ways if way in kept}


def _lower() -> None:
    load_kb()


def _file(cell: Cell, out: Path) -> Path:
    return out / ".seen" / f"{cell.name.replace('/', '+')}.pickle"


def _is_fresh(cell: Cell, out: Path, keys: tuple[str, str], ways: Sequence[str]) -> bool:
    file = _file(cell, out)
    if not file.exists():
        return False
    kept = _load(file)
    return bool(kept["keys"] == (*keys, _cell_key(cell)) and kept["looked"].issuperset(ways))


def _load(file: Path) -> dict[str, Any]:
    with file.open("rb") as f:
        # Our own file: nothing from elsewhere is ever put there.
        read: dict[str, Any] = pickle.load(f)  # noqa: S301
    return read


def _make(work: tuple[Cell, Path, tuple[str, str], Sequence[str]]) -> tuple[str, str]:
    """See a cell anew, as much as is not known; returns its name and what is wrong with it."""
    cell, out, keys, wanted = work
    file = _file(cell, out)
    key = _cell_key(cell)
    old = _load(file) if file.exists() else None
    kb = load_kb()
    try:
        if old and old["keys"][::2] == (keys[0], key) and old["looked"].issuperset(wanted):
            observed = {way: seen.observed for way, seen in old["ways"].items()}
            wanted = tuple(old["looked"])
        else:
            observed = _observed(cell, wanted)
        ways = {way: Seen(o, tuple(_concluded(kb, x) for x in o)) for way, o in observed.items()}
    except UnreadableInput as error:
        return cell.name, f"{Path(error.where or '').name} {error.what}"
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    with part.open("wb") as f:
        pickle.dump({"keys": (*keys, key), "looked": frozenset(wanted), "ways": ways}, f, protocol=5)
    part.replace(file)
    return cell.name, ""


def _observed(cell: Cell, ways: Sequence[str]) -> dict[str, tuple[Observations, ...]]:
    """What is observed in each way; every file is read once."""
    folders = [cell.folder, *(f for f in (cell.folder / "peer",) if f.is_dir())]
    read = [_Files(folder) for folder in folders]
    out: dict[str, tuple[Observations, ...]] = {}
    for way in ways:
        names = WAYS[way]
        if all(read[0].has(name) for name in names if name not in _NOT_EVERY_GO or way not in WHOLE):
            out[way] = tuple(observe_all([files.artifacts(names) for files in read]))
    return out


class _Files:
    """The artifacts in the files of one process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read = cache(self._artifacts)

    def has(self, name: str) -> bool:
        return (self.folder / name).is_file()

    def artifacts(self, names: Sequence[str]) -> tuple[Any, ...]:
        """Those in these files, as far as they are there, in the order in which observers take them."""
        return in_order([artifact for name in names if self.has(name) for artifact in self._read(name)])

    def _artifacts(self, name: str) -> tuple[Any, ...]:
        return read_capture([Named(self.folder / name)], limits=Limits()).artifacts


def _concluded(kb: KnowledgeBase, observed: Observations) -> Concluded:
    """What the rules conclude, of those alone that can have something to say.

    Most of the time goes into rules. An archetype that these artifacts do not let one judge ends unjudged
    whatever its rules say, and a rule none of whose observations is there cannot fire.
    """
    there = {item.name for item in observed.items}
    can = tuple(
        replace(a, joined=tuple(r for r in a.joined if not r.uses or not r.uses.isdisjoint(there)))
        for a in kb.archetypes
        if any(observed.kinds.issuperset(wanted) for wanted in a.requires)
    )
    return chain.run(replace(kb, archetypes=can), observed) if any(a.joined for a in can) else Concluded()


# What makes it anew -----------------------------------------------------------------------------------

_OBSERVING = ("artifacts", "observe")
_OBSERVING_FILES = ("frames.py", "model.py")
_REASONING_FILES = ("rules.py", "kb.py", "yamlfile.py", "reason/chain.py", "reason/facts.py")


def _code_keys() -> tuple[str, str]:
    """What observing depends on, and what concluding depends on besides."""
    engine = ROOT / "engine" / "gopherdx"
    observing = [f for folder in _OBSERVING for f in sorted((engine / folder).rglob("*.py"))]
    observing += [engine / name for name in _OBSERVING_FILES]
    reasoning = [engine / name for name in _REASONING_FILES]
    kb = ROOT / "kb" / "gopherdx_kb"
    reasoning += sorted([*kb.glob("*/rules.py"), *kb.glob("*/archetype.yaml")])
    return _digest(observing, repr(sorted(WAYS.items()))), _digest(reasoning)


def _digest(files: Sequence[Path], more: str = "") -> str:
    text = hashlib.sha256(more.encode())
    for file in files:
        text.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return text.hexdigest()


def _cell_key(cell: Cell) -> str:
    return _digest([cell.folder / "run.json"])


def judgeable(kb: KnowledgeBase, kinds: frozenset[str], version: str) -> frozenset[str]:
    """The archetypes that these kinds of artifacts let one judge, with this Go version."""
    return frozenset(
        a.id
        for a in kb.archetypes
        if any(kinds.issuperset(wanted) for wanted in a.requires)
        and (a.go_until is None or release(version) < a.go_until)
    )
