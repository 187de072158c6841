"""Reads gctrace and schedtrace lines out of any log into NumPy columns.

    for log in read_gclog(stream, path="app.log"):
        log.kind, log.at_s, log.live_mb        # a GcTrace; a SchedTrace has runqueue, idleprocs ...

Loggers, kubectl and docker put text before a line and other lines between; the lines themselves are looked
for anywhere. Their form is that of ``gcMarkTermination`` (GOROOT/src/runtime/mgc.go) and ``schedtrace``
(runtime/proc.go), Go 1.5 to 1.27: Go 1.5 had five phases on the clock, stacks and globals came with 1.18 or
later, and 1.26 says in some lines that it looks for leaked goroutines.

A log may go on over restarts (the collection's number starts again), and hold several processes side by side.
One process is read: the last one.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Literal, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from gopherdx.artifacts.sniff import INFLATED_LIMIT, is_cut, reason, size_text
from gopherdx.errors import UnreadableInput

Float64: TypeAlias = NDArray[np.float64]
Int64: TypeAlias = NDArray[np.int64]

_T = TypeVar("_T", bound=np.generic)

KEPT_LINES = 500_000
"""Lines of one kind that are kept, the last ones: three days of two collections a second."""

_BLOCK = 1 << 20
_LONGEST_LINE = 1 << 16
_OPEN_RUNS = 64


@dataclass(frozen=True, slots=True, eq=False)
class GcTrace:
    """The gctrace lines of one process, one row for each collection. All arrays are read-only, of one length.

    ``at_s`` is seconds since the program started. ``clock_ms`` is the wall time of the whole cycle. CPU time
    by who spent it: ``pause_ms`` (both stops of the world), ``assist_ms``, ``dedicated_ms`` (dedicated and
    fractional mark workers) and ``idle_ms``. The heap in MiB when the cycle began, when it ended and what was
    live, its goal, and stacks and globals (-1 where the Go version does not say). ``percent`` is the share of
    the CPU since start, in whole percent. ``scavenged_mb`` is what lines of the scavenger call released, the
    last one, -1 where there is none. ``until_s`` is the latest moment that the log tells: of the last
    collection, or of a schedtrace line after it.
    """

    path: str
    number: Int64
    at_s: Float64
    percent: Int64
    clock_ms: Float64
    pause_ms: Float64
    assist_ms: Float64
    dedicated_ms: Float64
    idle_ms: Float64
    begin_mb: Int64
    end_mb: Int64
    live_mb: Int64
    goal_mb: Int64
    stacks_mb: Int64
    globals_mb: Int64
    procs: Int64
    forced: NDArray[np.bool_]
    scavenged_mb: float = -1.0
    until_s: float = 0.0
    time_ns: int = 0
    truncated: bool = False
    warnings: tuple[str, ...] = ()
    kind: Literal["gctrace"] = "gctrace"


@dataclass(frozen=True, slots=True, eq=False)
class SchedTrace:
    """The schedtrace lines of one process, one row for each. All arrays are read-only, of one length.

    ``at_s`` is seconds since the program started; ``runqueue`` the length of the global queue and
    ``local_runqueue`` of all Ps' together. With ``scheddetail=1``, ``goroutines`` is the number of living
    ones and ``waiting`` how many of them wait; -1 without.
    """

    path: str
    at_s: Float64
    gomaxprocs: Int64
    idleprocs: Int64
    threads: Int64
    spinningthreads: Int64
    idlethreads: Int64
    runqueue: Int64
    local_runqueue: Int64
    goroutines: Int64
    waiting: Int64
    time_ns: int = 0
    truncated: bool = False
    warnings: tuple[str, ...] = ()
    kind: Literal["schedtrace"] = "schedtrace"


def read_gclog(
    source: BinaryIO, *, path: str, limit_bytes: int = INFLATED_LIMIT
) -> tuple[GcTrace | SchedTrace, ...]:
    """The gctrace and the schedtrace lines of a log (inflated, at its start); () where it holds none.

    Memory stays flat: of each kind the last ``KEPT_LINES`` are kept. Raises ``UnreadableInput`` where the
    file cannot be read or holds more than ``limit_bytes``.
    """
    collections, ticks = _Collections(), _Ticks()
    for text in _blocks(source, path, limit_bytes):
        # Most blocks of most logs hold none, and a dump may be 100 MB: look for two rare words first.
        if b"ms clock" in text or collections.next_run:
            collections.read(text)
        if b"gomaxprocs=" in text or ticks.at:
            ticks.read(text)
    cut = is_cut(source)
    sched = ticks.table(path, cut)
    gc = collections.table(path, cut, float(sched.at_s[-1]) if sched is not None else 0.0)
    return tuple(table for table in (gc, sched) if table is not None)


def _blocks(source: BinaryIO, path: str, limit: int) -> Iterator[bytes]:
    """The file in blocks of whole lines; a line of more than 64 KiB is not one of the runtime's."""
    read, rest = 0, b""
    while True:
        try:
            data = source.read(_BLOCK)
        except OSError as error:
            raise UnreadableInput(reason(error), where=path, todo="copy it again") from None
        read += len(data)
        if read > limit:
            raise UnreadableInput(
                f"is a log of more than {size_text(limit)}", where=path, todo="give its last part (tail -c)"
            )
        if not data:
            yield rest
            return
        end = data.rfind(b"\n") + 1
        if not end and len(rest) > _LONGEST_LINE:
            end = len(data)
        if end:
            yield rest + data[:end]
            rest = data[end:]
        else:
            rest += data


# gctrace ------------------------------------------------------------------------------------------------

# Docker's own log files are JSON, where > is \u003e.
_ARROW = rb"(?:->|-\\u003e)"
_GC = re.compile(
    rb"gc (?P<number>\d{1,12}) @(?P<at>\d{1,12}(?:\.\d{1,9})?)s (?P<percent>\d{1,4})%(?: \([^)\n]{1,60}\))?: "
    rb"(?P<clock>[\d.+]{1,80}) ms clock, (?P<cpu>[\d.+/]{1,120}) ms cpu, "
    rb"(?P<begin>\d{1,12})" + _ARROW + rb"(?P<end>\d{1,12})" + _ARROW + rb"(?P<live>\d{1,12}) MB, "
    rb"(?P<goal>\d{1,12}) MB goal, "
    rb"(?:(?P<stacks>\d{1,12}) MB stacks, (?P<globals>\d{1,12}) MB globals, )?"
    rb"(?P<procs>\d{1,6}) P(?P<forced> \(forced\))?"
)
# Up to Go 1.15 with gctrace ("scvg: inuse: 3, idle: 59, sys: 63, released: 57, consumed: 6 (MB)"), since then
# with scavtrace ("scav 8 KiB work (bg), 0 KiB work (eager), 512 KiB now, 97% util"; 1.16 to 1.20: "total").
_SCAVENGED = re.compile(
    rb"scvg\d{0,9}: inuse: \d{1,12}, idle: \d{1,12}, sys: \d{1,12}, released: (?P<mb>\d{1,12}), consumed: "
    rb"|scav [^\n]{1,80}?(?P<kib>\d{1,15}) KiB (?:now|total), \d{1,3}% util"
)

_INT_COLUMNS = ("begin", "end", "live", "goal", "stacks", "globals", "procs")


class _Collections:
    """Rows of gctrace as they are read, each with the run (one life of a process) that it belongs to."""

    def __init__(self) -> None:
        self.ints = {name: array("q") for name in ("number", "percent", "forced", "run", *_INT_COLUMNS)}
        self.floats = {name: array("d") for name in ("at", "clock", "pause", "assist", "dedicated", "idle")}
        self.runs: dict[int, tuple[int, float]] = {}
        self.next_run = 0
        self.dropped = False
        self.scavenged_mb = -1.0

    def read(self, text: bytes) -> None:
        for match in _GC.finditer(text):
            self._add(match)
        for match in _SCAVENGED.finditer(text):
            self.scavenged_mb = float(match["mb"]) if match["mb"] else int(match["kib"]) / 1024
        if (rows := len(self.ints["run"]) - KEPT_LINES) > KEPT_LINES:
            for ints in self.ints.values():
                del ints[:rows]
            for floats in self.floats.values():
                del floats[:rows]
            self.dropped = True

    def _add(self, match: re.Match[bytes]) -> None:
        clock, cpu = _numbers(match["clock"].split(b"+")), _cpu(match["cpu"])
        if clock is None or cpu is None:
            return
        number, at = int(match["number"]), float(match["at"])
        values = dict(zip(("pause", "assist", "dedicated", "idle"), cpu, strict=True))
        for name, column in self.floats.items():
            column.append(at if name == "at" else sum(clock) if name == "clock" else values[name])
        for name in _INT_COLUMNS:
            self.ints[name].append(int(match[name]) if match[name] is not None else -1)
        self.ints["number"].append(number)
        self.ints["percent"].append(int(match["percent"]))
        self.ints["forced"].append(match["forced"] is not None)
        self.ints["run"].append(self._run(number, at))

    def _run(self, number: int, at: float) -> int:
        """The run that this line goes on with: the one whose last line is the one before it, else the latest
        that is not yet as far (lines were lost); a new one where there is none."""
        best = None
        for run, (last, last_at) in reversed(self.runs.items()):
            if number == last + 1 and at >= last_at:
                best = run
                break
        if best is None and self.runs:
            run, (last, last_at) = next(reversed(self.runs.items()))
            if number > last and at >= last_at and number > 1:
                best = run
        if best is None:
            best, self.next_run = self.next_run, self.next_run + 1
        self.runs.pop(best, None)
        self.runs[best] = (number, at)
        if len(self.runs) > _OPEN_RUNS:
            del self.runs[next(iter(self.runs))]
        return best

    def table(self, path: str, cut: bool, until_s: float) -> GcTrace | None:
        if not self.ints["run"]:
            return None
        ints = {name: np.frombuffer(column, np.int64) for name, column in self.ints.items()}
        floats = {name: np.frombuffer(column, np.float64) for name, column in self.floats.items()}
        rows, warnings = _last_run(ints["run"])
        rows = rows[-KEPT_LINES:]
        if self.dropped:
            warnings += (f"of a very long log only the last {len(rows):,} collections are read",)
        whole = {name: _frozen(column[rows]) for name, column in ints.items()}
        real = {name: _frozen(column[rows]) for name, column in floats.items()}
        return GcTrace(
            path=path,
            number=whole["number"],
            at_s=real["at"],
            percent=whole["percent"],
            clock_ms=real["clock"],
            pause_ms=real["pause"],
            assist_ms=real["assist"],
            dedicated_ms=real["dedicated"],
            idle_ms=real["idle"],
            begin_mb=whole["begin"],
            end_mb=whole["end"],
            live_mb=whole["live"],
            goal_mb=whole["goal"],
            stacks_mb=whole["stacks"],
            globals_mb=whole["globals"],
            procs=whole["procs"],
            forced=_frozen(whole["forced"] != 0),
            scavenged_mb=self.scavenged_mb,
            until_s=max(until_s, float(real["at"][-1])),
            truncated=cut,
            warnings=warnings + (("the file ends in the middle",) if cut else ()),
        )


def _last_run(runs: Int64) -> tuple[Int64, tuple[str, ...]]:
    """Rows of the process that wrote last, and what to say of the others.

    Where processes wrote side by side, the one with most lines is taken: the other may be a helper of it.
    """
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for row, run in enumerate(runs.tolist()):
        first.setdefault(run, row)
        last[run] = row
    chosen = int(runs[-1])
    beside = [run for run in first if last[run] >= first[chosen]]
    counts = np.bincount(runs)
    most = max(beside, key=lambda run: (int(counts[run]), run))
    if len(beside) > 1 and counts[most] > counts[chosen]:
        chosen = most
    rows = np.flatnonzero(runs == chosen)
    if len(first) == 1:
        return rows, ()
    if len(beside) > 1:
        text = (
            f"gctrace lines of {len(first):,} processes, some side by side; the one with {len(rows):,} lines "
            "is taken"
        )
    else:
        text = (
            f"gctrace lines of {len(first):,} processes or restarts; only the last one, {len(rows):,} lines, "
            "is taken"
        )
    return rows, (text,)


def _cpu(text: bytes) -> tuple[float, float, float, float] | None:
    """``a+b/c/d+e`` as pauses (a, e), assists (b), dedicated and fractional (c), idle (d).

    Go 1.5 has its concurrent scan between a and b: marking as well.
    """
    parts = text.split(b"+")
    marks = [at for at, part in enumerate(parts) if part.count(b"/") == 2]
    if len(parts) < 3 or len(marks) != 1 or not 0 < marks[0] < len(parts) - 1:
        return None
    mark = _numbers(parts[marks[0]].split(b"/"))
    others = _numbers([part for part in parts if b"/" not in part])
    if mark is None or others is None or len(others) + 1 != len(parts):
        return None
    return others[0] + others[-1], mark[0], mark[1] + sum(others[1:-1]), mark[2]


def _numbers(parts: list[bytes]) -> list[float] | None:
    try:
        return [float(part) for part in parts]
    except ValueError:
        return None


# schedtrace ---------------------------------------------------------------------------------------------

_SCHED = re.compile(
    rb"SCHED (?P<at>\d{1,15})ms: (?P<fields>gomaxprocs=\d{1,6}(?: [a-z]{1,20}=-?\d{1,9}){1,14})"
    rb"(?P<local> \[[ \d]{0,20000}\])?"
)
_GOROUTINE = re.compile(rb"  G\d{1,18}: status=(?P<status>\d{1,5})")
_P = re.compile(rb"  P\d{1,6}: status=\d[^\n]{1,120}? runqsize=(?P<size>\d{1,9})")
_SCHED_COLUMNS = ("gomaxprocs", "idleprocs", "threads", "spinningthreads", "idlethreads", "runqueue")
# Statuses of a goroutine (runtime/runtime2.go): never started or ended ones are not there.
_GONE = frozenset({0, 5, 6})
_WAITING = 4


class _Ticks:
    """Rows of schedtrace as they are read. Time that goes back is another process: the rows before it go."""

    def __init__(self) -> None:
        names = (*_SCHED_COLUMNS, "local", "goroutines", "waiting")
        self.ints = {name: array("q") for name in names}
        self.at = array("d")
        self.restarts = 0
        self.dropped = False

    def read(self, text: bytes) -> None:
        ticks = list(_SCHED.finditer(text))
        starts = [*(tick.start() for tick in ticks), len(text)]
        # What belongs to the last tick of the block before may go on in this one.
        self._details(text[: starts[0]])
        for tick, end in zip(ticks, starts[1:], strict=True):
            self._add(tick)
            self._details(text[tick.end() : end])
        if len(self.at) > 2 * KEPT_LINES:
            self._forget(len(self.at) - KEPT_LINES)
            self.dropped = True

    def _add(self, match: re.Match[bytes]) -> None:
        at = int(match["at"]) / 1000
        if self.at and at < self.at[-1]:
            self.restarts += 1
            self._forget(len(self.at))
            self.dropped = False
        fields = dict(field.split(b"=") for field in match["fields"].split())
        self.at.append(at)
        for name in _SCHED_COLUMNS:
            self.ints[name].append(int(fields.get(name.encode(), 0)))
        local = sum(int(n[:9]) for n in match["local"].strip(b" []").split()) if match["local"] else 0
        self.ints["local"].append(local)
        self.ints["goroutines"].append(-1)
        self.ints["waiting"].append(-1)

    def _forget(self, rows: int) -> None:
        del self.at[:rows]
        for column in self.ints.values():
            del column[:rows]

    def _details(self, text: bytes) -> None:
        """What ``scheddetail=1`` says of Ps and goroutines, in lines below the tick's own."""
        if not self.at or b": status=" not in text:
            return
        self.ints["local"][-1] += sum(int(match["size"]) for match in _P.finditer(text))
        statuses = [int(match["status"]) & 0xFFF for match in _GOROUTINE.finditer(text)]
        if statuses:
            living = sum(status not in _GONE for status in statuses)
            self.ints["goroutines"][-1] = max(self.ints["goroutines"][-1], 0) + living
            self.ints["waiting"][-1] = max(self.ints["waiting"][-1], 0) + statuses.count(_WAITING)

    def table(self, path: str, cut: bool) -> SchedTrace | None:
        if not self.at:
            return None
        ints = {name: _frozen(np.array(column[-KEPT_LINES:], np.int64)) for name, column in self.ints.items()}
        warnings: tuple[str, ...] = ()
        if self.restarts:
            warnings += (
                f"schedtrace lines of {self.restarts + 1:,} processes or restarts; the last one is taken",
            )
        if self.dropped:
            warnings += (f"of a very long log only the last {len(ints['local']):,} lines are read",)
        if cut:
            warnings += ("the file ends in the middle",)
        return SchedTrace(
            path=path,
            at_s=_frozen(np.array(self.at[-KEPT_LINES:], np.float64)),
            gomaxprocs=ints["gomaxprocs"],
            idleprocs=ints["idleprocs"],
            threads=ints["threads"],
            spinningthreads=ints["spinningthreads"],
            idlethreads=ints["idlethreads"],
            runqueue=ints["runqueue"],
            local_runqueue=ints["local"],
            goroutines=ints["goroutines"],
            waiting=ints["waiting"],
            truncated=cut,
            warnings=warnings,
        )


def _frozen(column: NDArray[_T]) -> NDArray[_T]:
    column = np.ascontiguousarray(column)
    column.flags.writeable = False
    return column
