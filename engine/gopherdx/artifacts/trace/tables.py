"""``Trace``: what remains of an execution trace when it has been read. Tables, never events.

Times are ns on the trace's own clock; every table is small (its size follows the number of distinct stacks
and groups of goroutines, not the length of the recording).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gopherdx.frames import Stack
from gopherdx.model import GoRange

Ints = npt.NDArray[np.int64]


def binned_quantile_ns(histogram: Ints, q: float) -> float:
    """The ``q`` quantile of durations counted in two bins an octave of ns: near the middle of its bin."""
    total = int(histogram.sum())
    if total == 0:
        return 0.0
    at = int(np.searchsorted(np.cumsum(histogram), q * total, side="left"))
    return float(2.0 ** (at // 2) * (1.5 if at % 2 else 1.0) * 1.2)


@dataclass(frozen=True, slots=True)
class Waits:
    """Stays in one state at one stack. ``reason`` is the runtime's word ("network", "chan send", …),
    ``"syscall"``, ``"runnable"`` (after a wake-up), ``"stopped"`` (runnable after a preemption) or
    ``"first run"`` (runnable before the goroutine's first run in the recording, most often since its
    creation; the reference's scheduling profile leaves it out).

    Closed stays are counted apart from those open at the recording's start, at its end, and at both.
    ``open_end_old`` of those open at the end are older than the longest that closed. ``short`` are system
    calls that did not block, in a trace of Go up to 1.21, which does not tell how long they took.
    """

    index: int
    reason: str
    stack: int
    count: int
    ns: int
    max_ns: int
    open_start: int
    open_start_ns: int
    open_end: int
    open_end_ns: int
    open_end_max_ns: int
    open_end_min_ns: int
    open_end_old: int
    open_both: int
    open_both_ns: int
    histogram: Ints
    short: int = 0

    @property
    def seen(self) -> int:
        """Stays of every sort."""
        return self.count + self.open_start + self.open_end + self.open_both

    @property
    def total_ns(self) -> int:
        """Time of every sort, open or closed."""
        return self.ns + self.open_start_ns + self.open_end_ns + self.open_both_ns

    def quantile_ns(self, q: float) -> float:
        """The ``q`` quantile of closed stays, to within a bin (a factor of 1.5)."""
        value = binned_quantile_ns(self.histogram, q)
        return min(value, float(self.max_ns)) if self.max_ns else value / 1.2


@dataclass(frozen=True, slots=True)
class Wake:
    """Who ended waits: ``waker`` is a stack, or None where no goroutine did (network poller, timer).

    For waits for a mutex, ``hold_ns`` is how long the waker can have held it; for the part where it is known
    when the waker got the lock (``hold_known_ns``), ``hold_running_ns`` of that it ran.
    """

    wait: int
    waker: int | None
    count: int
    ns: int
    hold_ns: int
    hold_known_ns: int
    hold_running_ns: int


@dataclass(frozen=True, slots=True)
class Next:
    """Two waits that followed each other on one goroutine. ``before`` is None for its first wait."""

    wait: int
    before: int | None
    count: int
    ns: int
    gap_ns: int


@dataclass(frozen=True, slots=True)
class Group:
    """Goroutines with one start function and one stack of creation (0: not seen being created)."""

    function: str
    created_at: int
    created: int
    ended: int
    at_start: int
    live: int
    live_max: int
    running_ns: int
    runnable_ns: int
    waiting_ns: int
    syscall_ns: int
    assist_ns: int
    life_ns: int
    life_max_ns: int
    first_run_ns: int
    running_max_ns: int


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch that one goroutine ran (or was runnable) with no pause but forced preemption.

    ``victims_ns`` is the time that goroutines which had been woken could run and waited meanwhile, and
    ``long_delays`` how many such waits of 8 ms or more ended in it: for somebody's forced preemption.
    """

    goroutine: int
    function: str
    start_ns: int
    end_ns: int
    running_ns: int
    victims_ns: int
    long_delays: int
    preempted_at: int
    open_start: bool
    open_end: bool
    samples: tuple[tuple[int, int], ...] = ()
    preemptions: tuple[tuple[int, int], ...] = ()

    @property
    def length_ns(self) -> int:
        """From first start to the pause."""
        return self.end_ns - self.start_ns


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch in which every stack seen of a goroutine shows one kind of work (``kind``)."""

    kind: str
    goroutine: int
    start_ns: int
    end_ns: int
    running_ns: int
    assist_ns: int
    stack: int
    seen: int


@dataclass(frozen=True, slots=True)
class LockSite:
    """A place of the user's code that waits for a mutex; ``function`` is "" for all of them together.

    ``busy_ns`` is the time with at least one waiter, ``waiters_ns`` the integral of their number over it,
    ``running_ns`` and ``runnable_ns`` those of running and runnable goroutines over the same time.
    """

    function: str
    busy_ns: int
    waiters_ns: int
    running_ns: int
    runnable_ns: int
    handovers: int
    waits: int
    wait_ns: int


@dataclass(frozen=True, slots=True)
class Counted:
    """Something counted at a stack."""

    stack: int
    count: int
    ns: int
    max_ns: int


@dataclass(frozen=True, slots=True)
class Gc:
    """The collector over the recording. ``mark_ns`` by kind of worker: dedicated, fractional, idle.

    ``assist_ns`` and ``assists`` are the time that goroutines ran in mark assists. One that finds no work
    waits for some; that is not in them, but it is in the ``assist_ns`` of groups and spans: it holds them up.
    """

    cycles: int
    marking_ns: int
    mark_ns: dict[str, int]
    assist_ns: int
    stw_ns: int
    stw: dict[str, tuple[int, int, int]]
    first_ns: int
    last_ns: int
    gap_max_ns: int
    heap_max_bytes: int
    heap_low_bytes: float
    heap_low_max_bytes: int
    heap_end_bytes: int
    goal_min_bytes: int
    goal_max_bytes: int
    goal_end_bytes: int
    allocated_bytes: int
    triggers: tuple[Counted, ...]
    assists: tuple[Counted, ...]
    sweeps: tuple[Counted, ...]


@dataclass(frozen=True, slots=True)
class UnitPart:
    """A part of a unit's length: ``what`` it did ("cpu", "runnable", "lock", "channel", "network", "syscall",
    "gc", "timer", "sleep", "sync" or "other": not known), at which stack of its own, and in which function:
    the user's innermost of whoever did it, the holder's for a lock. ``count`` stretches."""

    what: str
    stack: int
    function: str
    ns: int
    count: int


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit of work, from start to end, on the goroutine that ended it; the parts sum up to its length."""

    goroutine: int
    start_ns: int
    ns: int
    parts: tuple[UnitPart, ...]

    @property
    def unknown_ns(self) -> int:
        """How much of its length the recording does not tell of."""
        return sum(part.ns for part in self.parts if part.what == "other")


@dataclass(frozen=True, slots=True)
class UnitKind:
    """Units of one kind: user tasks or regions of a name, requests that one handler served, goroutines that
    started and ended, jobs that a worker was handed. ``slowest`` are the longest of all, the longest first;
    ``sampled`` are drawn evenly, by length."""

    kind: str
    name: str
    count: int
    ns: int
    max_ns: int
    histogram: Ints
    slowest: Sequence[Unit]
    sampled: Sequence[Unit]

    @property
    def typical(self) -> Unit:
        """One from the middle fifth of the sample, next to its middle, of which nearly all is known."""
        middle = (len(self.sampled) - 1) / 2
        reach = len(self.sampled) / 10
        near = [i for i in range(len(self.sampled)) if abs(i - middle) <= max(reach, 0.5)]
        near.sort(key=lambda i: abs(i - middle))
        known = (unit for i in near if (unit := self.sampled[i]).unknown_ns * 20 <= unit.ns)
        return next(known, self.sampled[near[0]])

    def quantile_ns(self, q: float) -> float:
        """The ``q`` quantile of lengths, of all where few were, else to within a bin (a factor of 1.5)."""
        if self.count == len(self.sampled):
            return float(self.sampled[min(self.count - 1, int(q * self.count))].ns)
        return min(binned_quantile_ns(self.histogram, q), float(self.max_ns))


@dataclass(frozen=True, slots=True)
class Generation:
    """One generation: its number, where it began on the trace's clock, its bytes and events."""

    number: int
    start_ns: int
    bytes: int
    events: int
    live: int


@dataclass(frozen=True)
class Trace:
    """A whole execution trace, folded.

    ``running_histogram_ns[n]`` is the time with ``n`` goroutines running; where generations overlap, by what
    the earlier one tells. ``delay_histogram`` counts stays between a wake-up and running (two bins an octave
    of ns), without those of the runtime's own goroutines.
    """

    path: str
    go: GoRange
    bytes: int
    duration_ns: int
    events: int
    counts: dict[str, int]
    generations: tuple[Generation, ...]
    truncated: bool
    warnings: tuple[str, ...]
    stacks: Sequence[Stack]
    waits: tuple[Waits, ...]
    wakes: tuple[Wake, ...]
    sequence: tuple[Next, ...]
    groups: tuple[Group, ...]
    runs: tuple[Run, ...]
    spans: tuple[Span, ...]
    locks: tuple[LockSite, ...]
    units: tuple[UnitKind, ...]
    units_left_out: int
    gc: Gc
    samples: tuple[Counted, ...]
    restarts: tuple[Counted, ...]
    created: int
    ended: int
    live: int
    live_max: int
    gomaxprocs: int
    running_ns: int
    runnable_ns: int
    running_histogram_ns: Ints
    delay_histogram: Ints
    delay_max_ns: int
    wall_clock_ns: int | None
    forced: int
    unsettled: int
    skipped_bytes: int = 0
    unread_generations: int = 0

    @property
    def kind(self) -> str:
        """The artifact's kind."""
        return "trace"

    @property
    def time_ns(self) -> int:
        """Unix time at which the recording began, 0 where the trace does not tell."""
        return self.wall_clock_ns or 0

    @property
    def sampled(self) -> bool:
        """Whether a CPU profile ran during the trace, so that it holds samples."""
        return bool(self.samples)

    def stack(self, index: int) -> Stack:
        """Frames of a stack, the innermost first; empty where the trace has none."""
        return self.stacks[index]
