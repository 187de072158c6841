"""Metrics of one process at several moments: which belong together, in which order, how far apart.

Counters of the runtime count since the program began. Two snapshots make rates of them; one alone tells means
over the program's life.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gopherdx.artifacts.metrics import Histogram, Metrics

CYCLES = "/gc/cycles/total:gc-cycles"
FORCED = "/gc/cycles/forced:gc-cycles"
LAST_GC = "/gc/last-end:unix-seconds"
START = "/process/start_time:unix-seconds"
CPU_TOTAL = "/cpu/classes/total:cpu-seconds"
GOMAXPROCS = "/sched/gomaxprocs:threads"

# Counters that only grow while a process lives, and so tell the order of snapshots without a time.
_COUNTERS = ("/gc/heap/allocs:bytes", CYCLES, "/process/cpu:cpu-seconds", "/gc/pauses/total:seconds")
_FORMS = ("runtime/metrics", "prometheus", "expvar")
_SHORTEST_S = 0.2
_LONGEST_S = 366 * 86400.0
# Where no time is told, the ends of the last collections stand in for it: with few between, badly.
_FEW_CYCLES = 5


@dataclass(frozen=True, slots=True)
class Stretch:
    """Snapshots of one process in the order of time; all of one form, for forms differ in what they tell.

    ``seconds`` from the first to the last, None with one snapshot or where nothing tells.
    """

    snapshots: tuple[Metrics, ...]
    seconds: float | None

    @property
    def first(self) -> Metrics:
        return self.snapshots[0]

    @property
    def last(self) -> Metrics:
        return self.snapshots[-1]

    def now(self, name: str) -> float | None:
        """A value of the last snapshot."""
        return self.last.values.get(name)

    def more(self, name: str) -> float | None:
        """How much a counter has grown from the first snapshot to the last; None where one lacks it."""
        before, after = self.first.values.get(name), self.last.values.get(name)
        if len(self.snapshots) < 2 or before is None or after is None or after < before:
            return None
        return after - before

    def rate(self, name: str) -> float | None:
        """Growth of a counter by the second."""
        more = self.more(name)
        return None if more is None or not self.seconds else more / self.seconds

    def histogram(self, name: str) -> Histogram | None:
        """What came into a histogram between the first and the last snapshot."""
        before, after = self.first.histograms.get(name), self.last.histograms.get(name)
        if len(self.snapshots) < 2 or before is None or after is None:
            return None
        if before.edges.shape != after.edges.shape or (before.edges != after.edges).any():
            return None
        counts = after.counts - before.counts
        return None if (counts < 0).any() else type(after)(after.edges, counts)

    def uptime_s(self) -> float | None:
        """Age of the process at the last snapshot; where that has no time, at the last collection.

        The runtime collects at least every two minutes, so the latter is at most that much too short.
        """
        start = self.now(START)
        end = self.last.time_ns / 1e9 or self.now(LAST_GC)
        if start is not None and end is not None:
            return end - start if _SHORTEST_S < end - start < _LONGEST_S else None
        total, procs = self.now(CPU_TOTAL), self.now(GOMAXPROCS)
        return total / procs if total and procs else None


def stretch(artifacts: Sequence[Metrics]) -> Stretch:
    """The snapshots that tell most: several before one, then the form that knows most.

    Of a process that was restarted between them, those after the last restart.
    """
    found = []
    for form in _FORMS:
        of_form = [m for m in artifacts if m.form == form]
        if of_form:
            alive = _alive(_in_order(of_form))
            found.append(Stretch(alive, _seconds(alive)))
    return max(found, key=lambda s: s.seconds is not None)


def _in_order(snapshots: list[Metrics]) -> list[Metrics]:
    if all(m.time_ns for m in snapshots):
        return sorted(snapshots, key=lambda m: m.time_ns)
    starts = {m.values.get(START) for m in snapshots}
    for counter in _COUNTERS:
        if len(starts) == 1 and all(counter in m.values for m in snapshots):
            return sorted(snapshots, key=lambda m: m.values[counter])
    return snapshots


def _alive(snapshots: list[Metrics]) -> tuple[Metrics, ...]:
    """The snapshots since the process was last started anew."""
    begin = 0
    for at in range(1, len(snapshots)):
        before, after = snapshots[at - 1].values, snapshots[at].values
        if any(c in before and c in after and after[c] < before[c] for c in _COUNTERS):
            begin = at
        if abs(before.get(START, 0) - after.get(START, before.get(START, 0))) > 1:
            begin = at
    return tuple(snapshots[begin:])


def _seconds(snapshots: tuple[Metrics, ...]) -> float | None:
    first, last = snapshots[0], snapshots[-1]
    seconds = 0.0
    if first.time_ns and last.time_ns:
        seconds = (last.time_ns - first.time_ns) / 1e9
    elif LAST_GC in first.values and LAST_GC in last.values:
        cycles = last.values.get(CYCLES, 0) - first.values.get(CYCLES, 0)
        if cycles >= _FEW_CYCLES:
            seconds = last.values[LAST_GC] - first.values[LAST_GC]
    return seconds if _SHORTEST_S <= seconds < _LONGEST_S else None
