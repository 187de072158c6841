"""What gctrace and schedtrace lines say: the collector's rate, cost and heap; how busy the Ps were.

gctrace tells what the collector used and how much there was to use, not how much the program used: its cost
is known in cores and as a share of all Ps (a share of the CPU time used is never smaller). What counts is the
last minute of the log, without the program's first second, in which every heap is small.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gopherdx.observe.said import Said, Sayer

if TYPE_CHECKING:
    from gopherdx.artifacts.gclog import GcTrace, SchedTrace

WINDOW_S = 60.0
START_S = 1.0


def of_gctrace(log: GcTrace) -> Said:
    """Collector observations of the process, by the names that a trace's have."""
    rows = window(log.at_s)
    first, last = int(rows[0]), int(rows[-1])
    seconds = float(log.at_s[last] - log.at_s[first])
    out = Sayer("gctrace", ())
    if len(rows) < 2 or seconds <= 0:
        return out.done()
    after = rows[1:]  # the first begins the stretch: its work lies before it
    out.say("gc.cycles", len(after), "cycles", locator="lines")
    out.say("gc.cycles_per_s", len(after) / seconds, "1/s", locator="lines")
    cost_cores = float((log.assist_ms[after] + log.dedicated_ms[after]).sum()) / 1e3 / seconds
    procs = float(np.median(log.procs[after]))
    out.say("gc.cost_cores", cost_cores, "cores", locator="assist and dedicated ms cpu")
    out.say("gc.cost_of_procs", cost_cores / max(procs, 1.0), "share of all Ps", locator="ms cpu / P")
    out.say("gc.forced_share", float(log.forced[after].mean()), "share of cycles", locator="(forced)")
    out.say("sched.gomaxprocs", int(procs), "Ps", locator="P")
    live, goal = float(np.median(log.live_mb[after])), float(np.median(log.goal_mb[after]))
    out.say("gc.live_heap_mb", live, "MB", locator="third of the heap sizes")
    out.say("gc.goal_mb", goal, "MB", locator="MB goal")
    if live >= 1:
        out.say("gc.goal_ratio", goal / live, "x", locator="goal / live")
    allocated = float((log.end_mb[after] - log.live_mb[after - 1]).clip(0).sum())
    out.say("gc.alloc_mb_per_s", allocated / seconds, "MB/s", locator="heap at the end - live before")
    return out.done()


def window(at_s: np.ndarray[tuple[int], np.dtype[np.float64]]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Rows of the last minute; without the program's first second where there is more than that."""
    last = float(at_s[-1])
    begin = max(last - WINDOW_S, START_S if last >= 2 * START_S else 0.0)
    rows = np.flatnonzero(at_s >= begin)
    return rows if len(rows) else np.array([len(at_s) - 1])


def of_schedtrace(log: SchedTrace) -> Said:
    """Ps that ran, goroutines that could have, and how many goroutines there are where the lines tell it."""
    rows = window(log.at_s)
    out = Sayer("schedtrace", ())
    out.say("sched.gomaxprocs", int(log.gomaxprocs[-1]), "Ps", locator="gomaxprocs")
    busy = (log.gomaxprocs[rows] - log.idleprocs[rows]).clip(0)
    runnable = log.runqueue[rows] + log.local_runqueue[rows]
    out.say("sched.busy_procs_mean", float(busy.mean()), "Ps", locator="gomaxprocs - idleprocs")
    out.say("sched.runnable_mean", float(runnable.mean()), "goroutines", locator="run queues")
    out.say("sched.threads", int(log.threads[-1]), "threads", locator="threads")
    seconds = float(log.at_s[-1] - log.at_s[rows[0]])
    out.say("sched.threads_growth", int(log.threads[-1] - log.threads[rows[0]]), "threads", locator="threads")
    told = log.goroutines[rows] >= 0
    if told.any():
        counts = log.goroutines[rows][told]
        out.say("goroutines.total", int(counts[-1]), "goroutines", locator="scheddetail")
        if seconds > 0 and told.all():
            more = int(counts[-1] - counts[0])
            out.say("goroutines.growth", more, "goroutines", locator="scheddetail")
            out.say(
                "goroutines.growth_per_min", more / seconds * 60, "goroutines a minute", locator="scheddetail"
            )
    return out.done()
