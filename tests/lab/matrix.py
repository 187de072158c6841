"""The lab's matrix: which recordings are made, in which order, and how they are made one after another.

The full matrix is every program x every Go version of VERSIONS x GOMAXPROCS 1, 2 and 8 x each of its loads.
The design that is recorded unless that is asked for covers it: each program meets every Go version with every
GOMAXPROCS once (15 recordings), the loads alternating so that every Go version and every GOMAXPROCS meets
every load; and the versions of ONCE each once. A recording holds a trace without and one with CPU samples.

A recording that is there, of the same sources, is not made again: a matrix that was stopped goes on.
"""

from __future__ import annotations

import concurrent.futures
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.lab.building import missing
from tests.lab.labels import LabError, Program
from tests.lab.recording import Figure, Run, told_of

VERSIONS = ("1.26.6", "1.21.13", "1.27.3", "1.22.10", "1.24.11")
ONCE = ("1.23.9", "1.25.5")
LATE = 5
PROCS = (2, 8, 1)
# Programs that use less than this of a CPU are recorded beside others.
LIGHT_CPUS = 0.35
# Beside more CPU than this of other work, a figure tells little of the program itself.
CROWDED_CPUS = 0.6
_OVERHEAD_S = 1.6


@dataclass(frozen=True)
class Cell:
    """One recording of the matrix: of a program, with a Go version, a GOMAXPROCS and one of its loads."""

    program: str
    version: str
    run: Run

    def folder(self, out: Path) -> Path:
        """Where its recording lies."""
        return out / self.program / f"go{self.version}" / self.run.variant


@dataclass(frozen=True)
class Unit:
    """Cells that are recorded one right after another, so that figures compare: a bug's and its fix's."""

    rank: int
    light: bool
    cells: tuple[Cell, ...]


def design(program: Program, *, full: bool = False) -> list[tuple[str, int, int]]:
    """What is to be recorded of a program: Go version, GOMAXPROCS, index of its load; telling ones first."""
    loads = len(program.loads)
    procs = (program.gomaxprocs,) if program.gomaxprocs else PROCS
    every = [
        (version, p, load)
        for v, version in enumerate(VERSIONS)
        for i, p in enumerate(procs)
        for load in range(loads)
        if full or program.gomaxprocs or (v + i) % loads == load
    ]
    once = [(version, procs[0], n % loads) for n, version in enumerate(ONCE)]
    cells = [cell for cell in (*every, *once) if program.builds_with(cell[0])]
    return sorted(cells, key=lambda cell: rank(*cell))


def rank(version: str, procs: int, load: int) -> int:
    """How early a cell is recorded: the newest common version first, then versions, then GOMAXPROCS."""
    first = version == VERSIONS[0]
    if procs == PROCS[0] or procs not in PROCS:
        return (0 if first else 1 if version in VERSIONS else 2) + 10 * (load > 1)
    return (3 if first else 4) + 10 * (load > 1)


def plan(
    programs: Mapping[str, Program],
    lengths: tuple[float, float],
    light: Callable[[Program], bool],
    *,
    full: bool = False,
) -> list[Unit]:
    """All units in the order in which they are recorded."""
    families: dict[str, list[Program]] = {}
    for program in programs.values():
        families.setdefault(program.family, []).append(program)
    units: list[Unit] = []
    for members in families.values():
        together: dict[tuple[str, int, int], list[Cell]] = {}
        for program in members:
            for version, procs, load in design(program, full=full):
                run = Run(procs, *_lengths(program, lengths), program.loads[load], load)
                together.setdefault((version, procs, load), []).append(Cell(program.name, version, run))
        easy = all(light(program) for program in members)
        # What has no figure to compare can wait: its other values of GOMAXPROCS come last.
        late = 0 if any(program.figure for program in members) else LATE
        units += [
            Unit(rank(*key) + late * (key[1] != PROCS[0]), easy, tuple(cells))
            for key, cells in together.items()
        ]
    return sorted(units, key=lambda unit: unit.rank)


def _lengths(program: Program, lengths: tuple[float, float]) -> tuple[float, float]:
    if program.seconds is None:
        return lengths
    return max(program.seconds, lengths[0]), max(program.seconds, lengths[1])


class Matrix:
    """Records units: heavy ones one at a time, light ones beside them."""

    def __init__(
        self,
        out: Path,
        programs: Mapping[str, Program],
        record: Callable[[Cell, Path], Figure | None],
        tell: Callable[[str], None],
        *,
        again: bool = False,
        calmer: bool = False,
        started: float | None = None,
    ) -> None:
        self.out = out
        self.programs = programs
        self.record = record
        self.tell = tell
        self.again = again
        self.calmer = calmer
        self.started = time.time() if started is None else started
        self.stop, self.built = threading.Event(), threading.Event()

    def lacking(self, units: Iterable[Unit]) -> list[Unit]:
        """The units of which a recording is not there yet. Both of a pair are made anew where one lacks."""
        return [unit for unit in units if not all(self.there(cell) for cell in unit.cells)]

    def there(self, cell: Cell) -> bool:
        """Whether the recording exists, of these very sources; or was tried in vain."""
        folder = cell.folder(self.out)
        digest = self.programs[cell.program].digest()
        told = told_of(folder) or (None if self.again else _failed(folder))
        if told is None or told.get("digest") != digest:
            return False
        if float(told.get("nocpu_seconds", cell.run.nocpu_s)) < cell.run.nocpu_s - 0.01:
            return False  # its label asks for longer traces since
        return not (self.calmer and self._was_crowded(folder, told))

    def _was_crowded(self, folder: Path, told: Mapping[str, Any]) -> bool:
        """Whether it was recorded, before now, beside much other work than the lab's own."""
        if "took_s" not in told or (folder / "run.json").stat().st_mtime > self.started:
            return False
        return bool(told["cpu_elsewhere_s"] > CROWDED_CPUS * told["took_s"])

    def run(
        self,
        units: list[Unit],
        jobs: int,
        until: float,
        build: Callable[[Cell], object] = lambda cell: None,
    ) -> None:
        """Record the units until Unix time `until`, heavy ones in one thread, light ones in `jobs`.

        Meanwhile one more thread builds ahead of them.
        """
        queues = [
            (iter([u for u in units if not u.light]), 1),
            (iter([u for u in units if u.light]), jobs),
        ]
        with concurrent.futures.ThreadPoolExecutor(2 + jobs) as pool:
            lock = threading.Lock()
            ahead = pool.submit(self._build, units, build, until)
            working = [
                pool.submit(self._work, queue, lock, until)
                for queue, workers in queues
                for _ in range(workers)
            ]
            try:
                for future in working:
                    future.result()
            except BaseException:
                self.stop.set()
                raise
            finally:
                ahead.cancel()
                self.built.set()

    def _build(self, units: Iterable[Unit], build: Callable[[Cell], object], until: float) -> None:
        for cell in (cell for unit in units for cell in unit.cells):
            if time.time() >= until or self.stop.is_set() or self.built.is_set():
                return
            try:
                if not missing(self.programs[cell.program]):
                    build(cell)
            except (LabError, OSError):
                pass  # told where it is to be recorded

    def _work(self, queue: Iterator[Unit], lock: threading.Lock, until: float) -> None:
        while time.time() < until and not self.stop.is_set():
            with lock:
                unit = next(queue, None)
            if unit is None:
                return
            for cell in unit.cells:
                self._cell(cell)

    def _cell(self, cell: Cell) -> None:
        program = self.programs[cell.program]
        folder = cell.folder(self.out)
        name = f"{cell.program} go{cell.version} {cell.run.variant}"
        try:
            lacks = missing(program)
            if lacks:
                raise LabError(f"skipped: {lacks}")
            figure = self.record(cell, folder)
        except (LabError, OSError) as error:
            folder.mkdir(parents=True, exist_ok=True)
            failed = {"digest": program.digest(), "error": str(error)}
            (folder / "failed.json").write_text(json.dumps(failed) + "\n", encoding="utf-8")
            self.tell(f"{name}: {error}")
            return
        self.tell(f"{name}: {figure or 'recorded'}")


def _failed(folder: Path) -> dict[str, str] | None:
    try:
        told: dict[str, str] = json.loads((folder / "failed.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return told


def is_light(program: Program, out: Path) -> bool:
    """As its label says, else as a recording of it measured."""
    if program.light is not None:
        return program.light
    for file in sorted((out / program.name).glob("go*/p*/run.json")):
        told = told_of(file.parent)
        if told is not None:
            return bool(told["cpu_s"] / max(told["took_s"], 1e-9) < LIGHT_CPUS)
    return False


def estimate_s(units: Iterable[Unit], jobs: int) -> float:
    """Seconds that the recordings take, builds left out."""
    heavy = light = 0.0
    for unit in units:
        took = sum(1.0 + _OVERHEAD_S + cell.run.nocpu_s + cell.run.cpu_s for cell in unit.cells)
        heavy, light = (heavy, light + took) if unit.light else (heavy + took, light)
    return max(heavy, light / max(jobs, 1))
