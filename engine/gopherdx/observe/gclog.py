"""What gctrace and schedtrace lines say: the collector's rate, cost and heap; how busy the Ps were.

gctrace tells what the collector used and how much there was to use, not how much the program used: its cost
is known in cores and as a share of all Ps (a share of the CPU time used is never smaller). What counts is the
last minute of the log, without the program's first second, in which every heap grows through small cycles.
How often it runs is told of collections that allocation triggered, as of a trace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gopherdx.observe.said import Said, Sayer

if TYPE_CHECKING:
    from gopherdx.artifacts.gclog import GcTrace, SchedTrace

WINDOW_S = 60.0
START_S = 1.0
LEAST_S = 1.0


def of_gctrace(log: GcTrace) -> Said:
    """Collector observations of the process, by the names that a trace's have; none of a log too short."""
    out = Sayer("gctrace", ())
    begin = _begin(log.until_s)
    after = np.flatnonzero(log.at_s >= begin)
    if log.until_s <= log.at_s[-1] and len(after):
        # The log ends with a collection: from one to the last, for no line tells what came after.
        begin, after = float(log.at_s[after[0]]), after[1:]
    seconds = log.until_s - begin
    if seconds < LEAST_S:
        return out.done()
    out.say("gc.cycles", len(after), "cycles", locator="lines")
    triggered = len(after) - int(log.forced[after].sum())
    out.say("gc.cycles_per_s", triggered / seconds, "1/s", locator="lines that are not (forced)")
    cost_cores = float((log.assist_ms[after] + log.dedicated_ms[after]).sum()) / 1e3 / seconds
    procs = float(np.median(log.procs))
    out.say("gc.cost_cores", cost_cores, "cores", locator="assist and dedicated ms cpu")
    out.say("gc.cost_of_procs", cost_cores / max(procs, 1.0), "share of all Ps", locator="ms cpu / P")
    out.say("sched.gomaxprocs", int(procs), "Ps", locator="P")
    rows = after if len(after) else np.array([len(log.at_s) - 1])
    out.say("gc.forced_share", float(log.forced[rows].mean()), "share of cycles", locator="(forced)")
    live, goal = float(np.median(log.live_mb[rows])), float(np.median(log.goal_mb[rows]))
    out.say("gc.live_heap_mb", live, "MB", locator="third of the heap sizes")
    out.say("gc.goal_mb", goal, "MB", locator="MB goal")
    if live >= 1:
        out.say("gc.goal_ratio", goal / live, "x", locator="goal / live")
    before = after[after > 0]
    allocated = float((log.end_mb[before] - log.live_mb[before - 1]).clip(0).sum())
    out.say("gc.alloc_mb_per_s", allocated / seconds, "MB/s", locator="heap at the end - live before")
    return out.done()


def _begin(until_s: float) -> float:
    """Where the last minute begins; the program's first second does not count."""
    return max(until_s - WINDOW_S, START_S)


def of_schedtrace(log: SchedTrace) -> Said:
    """Ps that ran, goroutines that could have, and how many goroutines there are where the lines tell it."""
    out = Sayer("schedtrace", ())
    rows = np.flatnonzero(log.at_s >= _begin(float(log.at_s[-1])))
    if not len(rows):
        return out.done()
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
