"""What the toolchain's own tools say of a trace, for comparison with ours.

Three views of the same recording: events by name (``-d=wire``), waits by stack (``-pprof=KIND``), and every
state that every goroutine was in, replayed in plain Python from the events that ``-d=parsed`` prints.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import numpy as np

from gopherdx.artifacts.pprof import UNKNOWN_FUNCTION, read_profile
from gopherdx.artifacts.trace import read_trace, reader
from gopherdx.artifacts.trace.replay import Replay
from gopherdx.artifacts.trace.tables import Trace

StackKey = tuple[tuple[str, int], ...]
Totals = dict[StackKey, tuple[int, int]]

KINDS = ("sync", "net", "syscall", "sched")

# Batches, tables and marks: what -d=wire prints beside the events.
STRUCTURE = frozenset(
    "EventBatch Stacks Stack Strings String CPUSamples Frequency Sync ClockSnapshot EndOfGeneration "
    "ExperimentalBatch Trace".split()
)

# Kinds of `go tool trace -d=parsed` (internal/trace/event.go), by the wire events that become them. A switch
# between coroutines becomes three transitions.
PARSED_KINDS = {
    "StateTransition": (
        "ProcStart ProcStop ProcSteal ProcStatus GoCreate GoCreateSyscall GoStart GoDestroy GoDestroySyscall "
        "GoStop GoBlock GoUnblock GoSyscallBegin GoSyscallEnd GoSyscallEndBlocked GoStatus GoStatusStack "
        "GoCreateBlocked GoSwitch GoSwitch GoSwitch GoSwitchDestroy GoSwitchDestroy GoSwitchDestroy"
    ),
    "RangeBegin": "STWBegin GCBegin GCSweepBegin GCMarkAssistBegin",
    "RangeActive": "GCActive GCSweepActive GCMarkAssistActive",
    "RangeEnd": "STWEnd GCEnd GCSweepEnd GCMarkAssistEnd",
    "Metric": "ProcsChange HeapAlloc HeapGoal",
    "Label": "GoLabel",
    "StackSample": "CPUSample",
    "TaskBegin": "UserTaskBegin",
    "TaskEnd": "UserTaskEnd",
    "RegionBegin": "UserRegionBegin",
    "RegionEnd": "UserRegionEnd",
    "Log": "UserLog",
}


def find_go() -> str | None:
    """A Go toolchain to compare with: GOPHERDX_GO, or go on the PATH."""
    return os.environ.get("GOPHERDX_GO") or shutil.which("go")


def go_env() -> dict[str, str]:
    """The environment that keeps the go command to itself: no download, no other toolchain."""
    return dict(os.environ, GOTOOLCHAIN="local", GOFLAGS="-mod=mod", GOPROXY="off")


def go_minor(go: str) -> int:
    """The minor version of a toolchain (26 for go1.26.6)."""
    text = subprocess.run(
        [go, "env", "GOVERSION"], check=True, capture_output=True, text=True, env=go_env()
    ).stdout
    match = re.match(r"go1\.(\d+)", text)
    assert match is not None, text
    return int(match[1])


def _run(go: str, *args: str) -> bytes:
    return subprocess.run([go, "tool", "trace", *args], check=True, capture_output=True, env=go_env()).stdout


# --- -d=wire ---


def wire_counts(go: str, trace: Path) -> Counter[str]:
    """Events by name, as ``go tool trace -d=wire`` lists them (structure and tables left out)."""
    names: Counter[str] = Counter()
    for line in _run(go, "-d=wire", str(trace)).splitlines():
        name = line.split(b" ", 1)[0]
        if name.isalpha() and name.decode() not in STRUCTURE:
            names[name.decode()] += 1
    return names


# --- -pprof ---


def pprof_totals(go: str, trace: Path, kind: str) -> Totals:
    """``go tool trace -pprof=KIND`` by stack: (count, ns). Stacks are (function, line), leaf first."""
    data = _run(go, f"-pprof={kind}", str(trace))
    profile = read_profile(data, path=f"{kind}.pprof")
    counts, times = profile.by_stack(0), profile.by_stack(1)
    out: dict[StackKey, list[int]] = defaultdict(lambda: [0, 0])
    for stack, count in counts.items():
        key = tuple((f.function, f.line) for f in stack)
        row = out[_without_nameless(key)]
        row[0] += count
        row[1] += times.get(stack, 0)
    return {key: (n, ns) for key, (n, ns) in out.items()}


def our_totals(trace: Trace, kind: str) -> Totals:
    """The same from our tables: closed stays only, as the reference counts them."""
    out: dict[StackKey, list[int]] = defaultdict(lambda: [0, 0])
    for wait in trace.waits:
        if not _is_of_kind(wait.reason, kind):
            continue
        row = out[our_key(trace, wait.stack)]
        row[0] += wait.count
        row[1] += wait.ns
    return {key: (n, ns) for key, (n, ns) in out.items() if n}


def _is_of_kind(reason: str, kind: str) -> bool:
    """cmd/trace/pprof.go: which reasons make up a profile."""
    if kind == "sync":
        return "chan" in reason or "sync" in reason or "select" in reason
    return reason in {"net": ("network",), "syscall": ("syscall",), "sched": ("runnable", "stopped")}[kind]


def our_key(trace: Trace, stack: int) -> StackKey:
    """A stack of ours as the key that the reference's stacks have."""
    return _without_nameless(tuple((f.function, f.line) for f in trace.stack(stack)))


def _without_nameless(key: StackKey) -> StackKey:
    """No stack, and one frame without a name, are the same to a reader of the profile.

    The profile itself takes both for one stack, since neither has a program counter.
    """
    return () if key in ((("", 0),), ((UNKNOWN_FUNCTION, 0),)) else key


# --- times ---


def read_with_moved_times(path: Path, step: int = 1) -> Trace:
    """Our reading under the reference reader's rule of time, which ours does without.

    It moves each event forward to be later than the one before, by a nanosecond at least (``step``): where
    generations overlap, what the next one tells of that time happens at one moment (Reader.ReadEvent of
    internal/trace/reader.go).
    """
    with mock.patch.object(reader, "Replay", return_value=_Moved(step)):
        return read_trace(path)


def ran_ahead_ns(go: str, trace: Path) -> int:
    """How far, at most, the reference ran ahead within a generation, of events that could have been next.

    When the earliest event cannot be next it sorts the others and tries them from the second entry on. Where
    another one bears the same time as the earliest, the sorting may bring that one to the first place, and
    it is left out for now. What lies between is then moved behind the later event, a nanosecond apart.
    """
    ahead, times = 0, [0]
    for event in parsed_events(go, trace):
        if event.kind == "Sync":
            times = [event.time]
            continue
        times.append(event.time)
        if len(times) > 4 and times[-1] - times[-4] == 3:
            ahead = max(ahead, times[-4] - times[-5])
    return ahead


class _Moved(Replay):
    """A generation begins with its first event, and no event is earlier than the one before."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self._step = step
        self._at = 0
        self._begins = False

    def begin(self, first_ns: int) -> None:
        self._begins = True

    def fold(self, window: tuple[Any, ...], rows: int, *rest: Any) -> None:
        steps = np.arange(rows) * self._step
        times = window[0][:rows]
        times[:] = np.maximum.accumulate(np.maximum(times - steps, self._at + self._step)) + steps
        self._at = int(times[-1])
        if self._begins:
            self._begins = False
            super().begin(int(times[0]))
        super().fold(window, rows, *rest)


# --- -d=parsed ---


class Event(NamedTuple):
    """One event of ``-d=parsed``: its context, its text behind the time stamp, and both stacks."""

    time: int
    kind: str
    goroutine: int
    rest: str
    stack: StackKey
    target_stack: StackKey


_EVENT = re.compile(r"M=-?\d+ P=-?\d+ G=(-?\d+) (\w+) Time=(\d+)(.*)")
_TRANSITION = re.compile(r' GoID=(\d+) (\w+)->(\w+) Reason="(.*)"$')


def parsed_events(go: str, trace: Path) -> Iterator[Event]:
    """The events that the reference reader makes of a trace, in its order."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as out:
        subprocess.run([go, "tool", "trace", "-d=parsed", str(trace)], check=True, stdout=out, env=go_env())
        out.seek(0)
        head: re.Match[str] | None = None
        stacks: dict[str, list[tuple[str, int]]] = {}
        frames: list[tuple[str, int]] = []
        function = ""
        for line in out:
            if line.startswith("\t\t"):
                frames.append((function, int(line.rsplit(":", 1)[1])))
            elif line.startswith("\t"):
                function = line[1:].rsplit(" @ ", 1)[0]
            elif line.startswith(("Stack=", "TransitionStack=")):
                frames = stacks[line.split("=", 1)[0]] = []
            elif match := _EVENT.match(line):
                if head is not None:
                    yield _event(head, stacks)
                head, stacks = match, {}
        if head is not None:
            yield _event(head, stacks)


def _event(head: re.Match[str], stacks: dict[str, list[tuple[str, int]]]) -> Event:
    return Event(
        int(head[3]), head[2], int(head[1]), head[4],
        _without_nameless(tuple(stacks.get("Stack", ()))),
        _without_nameless(tuple(stacks.get("TransitionStack", ()))),
    )  # fmt: skip


def parsed_counts(counts: dict[str, int], callbacks_with_p: int = 0) -> dict[str, int]:
    """Our counts by wire name as counts by kind of ``-d=parsed``.

    ``callbacks_with_p``: goroutines of C threads that ended while they held a P; the reference makes up one
    more transition for each, which is in no file.
    """
    out = {kind: sum(counts.get(name, 0) for name in names.split()) for kind, names in PARSED_KINDS.items()}
    out["StateTransition"] += callbacks_with_p
    return {kind: n for kind, n in out.items() if n}


@dataclass
class Replayed:
    """The states of all goroutines. Stays by (reason, stack): (how often, ns)."""

    kinds: Counter[str] = field(default_factory=Counter)
    closed: dict[tuple[str, StackKey], list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    open_start: dict[tuple[str, StackKey], list[int]] = field(
        default_factory=lambda: defaultdict(lambda: [0, 0])
    )
    open_end: dict[tuple[str, StackKey], list[int]] = field(
        default_factory=lambda: defaultdict(lambda: [0, 0])
    )
    open_both: int = 0
    running_ns: int = 0
    created: Counter[StackKey] = field(default_factory=Counter)
    created_ns: dict[StackKey, int] = field(default_factory=lambda: defaultdict(int))
    ended: int = 0
    at_start: int = 0
    live: int = 0
    gc_cycles: int = 0
    procs: int = 0
    samples: Counter[StackKey] = field(default_factory=Counter)
    wakers: Counter[tuple[str, StackKey, StackKey | None]] = field(default_factory=Counter)
    first_ns: int = 0
    last_ns: int = 0


@dataclass
class _Life:
    """One goroutine's present state."""

    state: str
    since: int
    reason: str
    stack: StackKey
    open_start: bool
    ran: bool = False
    stopped: bool = False
    created_at: StackKey | None = None
    created_ns: int = 0


def replay(go: str, trace: Path) -> Replayed:
    """Follow each goroutine through the reference's events.

    As in ours: a status that a generation tells for the first time counts from the generation's start, a
    repeated status is no transition, and a switch of coroutines is no stay in the scheduler's queue.
    """
    out = Replayed()
    lives: dict[int, _Life] = {}
    generation_ns = 0
    events = list(parsed_events(go, trace))
    switched = _switches(events)
    for i, event in enumerate(events):
        out.kinds[event.kind] += 1
        if event.kind == "Sync":
            generation_ns = 0  # its own time is that of the clock's reading, now and then 0.1 s earlier
            continue
        generation_ns = generation_ns or event.time
        out.first_ns = out.first_ns or event.time
        out.last_ns = max(out.last_ns, event.time)
        if event.kind == "RangeBegin" and 'Name="GC concurrent mark phase"' in event.rest:
            out.gc_cycles += 1
        elif event.kind == "Metric" and "gomaxprocs" in event.rest:
            out.procs = max(out.procs, int(re.findall(r"Uint64\((\d+)\)", event.rest)[0]))
        elif event.kind == "StackSample":
            out.samples[event.stack] += 1
        elif event.kind == "StateTransition":
            match = _TRANSITION.match(event.rest)
            if match is not None:
                _transition(out, lives, event, match, generation_ns, i in switched)
    for life in lives.values():
        out.live += 1
        length = out.last_ns - life.since
        if life.state == "Running":
            out.running_ns += length
        elif life.open_start:
            out.open_both += 1
        else:
            row = out.open_end[(_reason(life), life.stack)]
            row[0] += 1
            row[1] += length
    return out


def _switches(events: list[Event]) -> set[int]:
    """Which transitions to runnable are halves of a switch between coroutines.

    The reference writes a switch as three events: the next one becomes runnable, the present one waits or
    ends, the next one runs. None has a stack, and nothing can come between.
    """
    out = set()
    for i in range(len(events) - 2):
        parts = [
            _TRANSITION.match(e.rest) if e.kind == "StateTransition" else None for e in events[i : i + 3]
        ]
        wake, leave, run = parts
        if wake is None or leave is None or run is None or events[i].stack or events[i + 1].stack:
            continue
        if (
            (wake[2], wake[3]) == ("Waiting", "Runnable")
            and leave[2] == "Running"
            and leave[3] in ("Waiting", "NotExist")
            and int(leave[1]) == events[i].goroutine
            and (run[1], run[2], run[3]) == (wake[1], "Runnable", "Running")
        ):
            out.add(i)
    return out


def _reason(life: _Life) -> str:
    if life.state == "Syscall":
        return "syscall"
    if life.state == "Runnable":
        if not life.ran:
            return "first run"
        return "stopped" if life.stopped else "runnable"
    return life.reason


def _transition(
    out: Replayed,
    lives: dict[int, _Life],
    event: Event,
    match: re.Match[str],
    generation_ns: int,
    switched: bool,
) -> None:
    goroutine, old, new, reason = int(match[1]), match[2], match[3], match[4]
    life = lives.get(goroutine)
    if life is None and old != "NotExist":
        lives[goroutine] = _Life(new, generation_ns, "", event.target_stack, open_start=True)
        lives[goroutine].ran = new == "Running"
        out.at_start += 1
        return
    if life is None:
        # The stack of one that is created waiting (a coroutine) is its creator's: it waits nowhere yet.
        stack = () if new == "Waiting" else event.stack
        lives[goroutine] = _Life(new, event.time, reason, stack, open_start=False)
        lives[goroutine].created_at, lives[goroutine].created_ns = event.stack, event.time
        out.created[event.stack] += 1
        return
    if old == new or switched:
        if not life.stack and life.open_start and new != "Running" and event.target_stack:
            life.stack = event.target_stack
        return
    if life.state == "Waiting" and new == "Runnable":
        waker = event.stack if event.goroutine >= 0 else None
        out.wakers[(life.reason, life.stack, waker)] += 1
    length = event.time - life.since
    if life.state == "Running":
        out.running_ns += length
    else:
        row = (out.open_start if life.open_start else out.closed)[(_reason(life), life.stack)]
        row[0] += 1
        row[1] += length
    if new == "NotExist":
        out.ended += 1
        if life.created_at is not None:
            out.created_ns[life.created_at] += event.time - life.created_ns
        del lives[goroutine]
        return
    life.state, life.since, life.reason, life.open_start = new, event.time, reason, False
    life.stack = event.stack if new != "Running" else ()
    life.ran = life.ran or new == "Running"
    life.stopped = old == "Running" and new == "Runnable"
