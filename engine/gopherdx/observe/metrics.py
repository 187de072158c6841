"""What metrics of the runtime say of the collector, the scheduler and the number of goroutines.

Two snapshots give the same observations as a trace, by the same names; one alone gives means over the
program's life, which have names of their own: a program that was calm for a week and is not now looks calm.
How often the collector runs is told of collections that allocation triggered, where the metrics count apart
those that the program asked for.

CPU classes are the runtime's estimates (GOROOT/src/runtime/mstats.go, cpuStats), brought up to date at the
end of each collection: their own total tells how much time they cover.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gopherdx.observe.said import Said, Sayer
from gopherdx.observe.snapshots import CPU_TOTAL, CYCLES, FORCED, GOMAXPROCS, Stretch, stretch

if TYPE_CHECKING:
    from gopherdx.artifacts.metrics import Histogram, Metrics

MB = 1 << 20
ALLOCS = "/gc/heap/allocs:bytes"
LIVE = "/gc/heap/live:bytes"
OBJECTS = "/memory/classes/heap/objects:bytes"
GOAL = "/gc/heap/goal:bytes"
GOROUTINES = "/sched/goroutines:goroutines"
# MemStats.GCCPUFraction: since the program began, without idle marking.
FRACTION = "/gc/cpu-fraction:share"
LATENCIES = "/sched/latencies:seconds"
# GOGC=off puts the goal out of reach.
NO_GOAL = float(1 << 50)

_MARK = "/cpu/classes/gc/mark/"
_ASSIST, _DEDICATED, _IDLE_MARK = (
    f"{_MARK}{part}:cpu-seconds" for part in ("assist", "dedicated", "idle")
)  # dedicated holds the fractional workers' time too
_IDLE = "/cpu/classes/idle:cpu-seconds"
_PROCESS_CPU = "/process/cpu:cpu-seconds"
_RECENT = 5


def of_metrics(artifacts: Sequence[Metrics]) -> Said:
    """Collector, scheduler and goroutines of one process."""
    s = stretch(artifacts)
    out = Sayer("metrics", ())
    _heap(s, out)
    fraction = s.now(FRACTION)
    if fraction is not None and 0 <= fraction <= 1:
        out.say("gc.life_cost_of_procs", fraction, "share of all Ps", locator="GCCPUFraction")
    if s.seconds is not None:
        _rates(s, s.seconds, out)
    else:
        _recent(s, out)
        _life(s, out)
    _scheduler(s, out)
    _goroutines(s, out)
    return out.done()


def live_bytes(m: Metrics) -> float | None:
    """What the last collection found alive; where that is not told, all objects, live and dead.

    Both are upper bounds while the heap shrinks, so the smaller counts.
    """
    told = [m.values[name] for name in (LIVE, OBJECTS) if m.values.get(name)]
    return min(told) if told else None


def cpu_used(s: Stretch) -> tuple[float, float] | None:
    """CPUs used on average between two snapshots, and the seconds that this covers."""
    total, idle, procs = s.more(CPU_TOTAL), s.more(_IDLE), s.now(GOMAXPROCS)
    if total and idle is not None and procs:
        idle += s.more(_IDLE_MARK) or 0.0
        return max(total - idle, 0.0) / total * procs, total / procs
    process = s.more(_PROCESS_CPU)
    if process is not None and s.seconds:
        return process / s.seconds, s.seconds
    return None


def _heap(s: Stretch, out: Sayer) -> None:
    live = min((x for x in map(live_bytes, s.snapshots) if x is not None), default=None)
    if live is None:
        return
    out.say("gc.live_heap_mb", live / MB, "MB", locator=LIVE if LIVE in s.last.values else OBJECTS)
    goal = s.now(GOAL)
    if goal and goal < NO_GOAL:
        out.say("gc.goal_mb", goal / MB, "MB", locator=GOAL)
        # Of a form that knows objects only, dead ones among them, a goal close by says nothing.
        if s.last.values.get(LIVE):
            out.say("gc.goal_ratio", goal / s.last.values[LIVE], "x", locator=f"{GOAL} / {LIVE}")


def _rates(s: Stretch, seconds: float, out: Sayer) -> None:
    out.say("sched.duration_s", seconds, "s", locator="between two snapshots")
    cycles = s.more(CYCLES)
    if cycles is not None:
        out.say("gc.cycles", int(cycles), "cycles", locator=CYCLES)
        triggered = max(cycles - (s.more(FORCED) or 0.0), 0.0)
        out.say(_frequency(s), triggered / seconds, "1/s", locator=CYCLES)
    allocated = s.rate(ALLOCS)
    if allocated is not None:
        out.say("gc.alloc_mb_per_s", allocated / MB, "MB/s", locator=ALLOCS)
    _cost(s, cycles, out)
    used = cpu_used(s)
    if used is not None:
        out.say("process.cpu_cores", used[0], "cores", locator="/cpu/classes or the process's CPU time")


def _cost(s: Stretch, cycles: float | None, out: Sayer) -> None:
    """CPU time of marking and assists, as in a trace; idle marking takes what nobody wanted."""
    assist, dedicated, total = s.more(_ASSIST), s.more(_DEDICATED), s.more(CPU_TOTAL)
    used, procs = cpu_used(s), s.now(GOMAXPROCS)
    if assist is None or dedicated is None or total is None or used is None or not procs:
        return
    if total == 0 and cycles:
        return
    cost_cores = (assist + dedicated) / total * procs if total else 0.0
    share = min(cost_cores / used[0], 1.0) if used[0] else 0.0
    out.say("gc.cost_share", share, "share of CPU time", locator=f"{_MARK}{{assist,dedicated}}")
    out.say("gc.cost_cores", cost_cores, "cores", locator=f"{_MARK}{{assist,dedicated}}")
    assist_cores = assist / total * procs if total else 0.0
    out.say(
        "gc.assist_share",
        min(assist_cores / used[0], 1.0) if used[0] else 0.0,
        "share of CPU time",
        locator=_ASSIST,
    )
    say_gain(out, share)


def say_gain(out: Sayer, share: float) -> None:
    """What raising the goal two to ten times is expected to save."""
    out.say("gc.gain_low", 1 / (1 - 0.5 * min(share, 0.9)), "x", locator="CPU share of the collector")
    out.say("gc.gain_high", 1 / (1 - 0.9 * min(share, 0.9)), "x", locator="CPU share of the collector")


def _recent(s: Stretch, out: Sayer) -> None:
    """``/debug/vars`` keeps the ends of the last 256 collections: their rate of late, from one snapshot."""
    ends = s.last.gc_ends_s
    if len(ends) >= _RECENT and ends[-1] - ends[0] > 0.01:
        rate = (len(ends) - 1) / float(ends[-1] - ends[0])
        out.say(_frequency(s), rate, "1/s", locator=f"the last {len(ends)} of PauseEnd")


def _frequency(s: Stretch) -> str:
    """The name of how often the collector runs: another one where nothing tells what that costs.

    Many collections may cost next to nothing, so a rate by itself neither proves nor refutes.
    """
    told = s.last.values.keys() & {_ASSIST, FRACTION}
    return "gc.cycles_per_s" if told else "gc.uncosted_cycles_per_s"


def _life(s: Stretch, out: Sayer) -> None:
    """Means over the program's life."""
    uptime = s.uptime_s()
    if uptime is None:
        return
    out.say("process.uptime_s", uptime, "s", locator="start of the process, or the CPU classes' total")
    cycles, allocated = s.now(CYCLES), s.now(ALLOCS)
    if cycles is not None:
        triggered = max(cycles - (s.now(FORCED) or 0.0), 0.0)
        out.say("gc.life_cycles_per_s", triggered / uptime, "1/s", locator=CYCLES)
    if allocated is not None:
        out.say("gc.life_alloc_mb_per_s", allocated / uptime / MB, "MB/s", locator=ALLOCS)
    told = [s.now(name) for name in (_ASSIST, _DEDICATED, CPU_TOTAL, _IDLE, _IDLE_MARK)]
    assist, dedicated, total, idle, idle_mark = told
    if None not in told and total and (used := total - (idle or 0.0) - (idle_mark or 0.0)) > 0:
        cost = (assist or 0.0) + (dedicated or 0.0)
        out.say("gc.life_cost_share", min(cost / used, 1.0), "share of CPU time", locator=_MARK)
        out.say("gc.life_cost_cores", cost / uptime, "cores", locator=_MARK)


def _scheduler(s: Stretch, out: Sayer) -> None:
    procs = s.now(GOMAXPROCS)
    if procs:
        out.say("sched.gomaxprocs", int(procs), "Ps", locator=GOMAXPROCS)
    delays = s.histogram(LATENCIES)
    if delays is not None and delays.counts.sum() > 0:
        out.say("sched.delay_p99_ms", quantile(delays, 0.99) * 1e3, "ms", locator=LATENCIES)
        out.say("sched.delay_max_ms", quantile(delays, 1.0) * 1e3, "ms", locator=LATENCIES)


def _goroutines(s: Stretch, out: Sayer) -> None:
    count = s.now(GOROUTINES)
    if count is None:
        return
    out.say("goroutines.total", int(count), "goroutines", locator=GOROUTINES)
    before = s.first.values.get(GOROUTINES)
    if s.seconds is not None and before is not None:
        out.say("goroutines.growth", int(count - before), "goroutines", locator=GOROUTINES)
        rate = (count - before) / s.seconds * 60
        out.say("goroutines.growth_per_min", rate, "goroutines a minute", locator=GOROUTINES)


def quantile(histogram: Histogram, q: float) -> float:
    """The ``q`` quantile at its bucket's upper edge; its lower edge where that is infinite."""
    total = float(histogram.counts.sum())
    at = int(np.searchsorted(np.cumsum(histogram.counts), q * total * (1 - 1e-12), side="left"))
    at = min(at, len(histogram.counts) - 1)
    upper, lower = float(histogram.edges[at + 1]), float(histogram.edges[at])
    if math.isfinite(upper):
        return max(upper, 0.0)
    return max(lower, 0.0) if math.isfinite(lower) else 0.0
