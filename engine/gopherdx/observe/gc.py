"""What the collector cost, how often it ran, over how large a heap, and who made it run.

Cost is the time of dedicated and fractional mark workers and of mark assists, against the CPU time that the
program used; idle marking takes what nobody wanted. Who allocates is read from the stacks at which a cycle
was triggered, from assists and sweeps: all three come in proportion to bytes allocated.

How often it runs is told of collections that allocation triggered: one that the program asks for (runtime.GC,
debug.FreeOSMemory, package testing before each benchmark) comes however little it allocates. Rates are told
of recordings of a second or more: in the moment that a test or a start takes, every heap grows through small
cycles, and nothing shows that it goes on.

A thread that waits for a CPU counts as running. Mark workers wait for all other threads at the end of a
cycle, so on a crowded or throttled machine their time tells little of what they use; CPU samples do. Without
those, how long the world is stopped tells of such a machine: it waits for threads, too.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from gopherdx import frames as fr
from gopherdx.observe.cpu import SAMPLE_NS
from gopherdx.observe.said import Said, Sayer, place_of

if TYPE_CHECKING:
    from gopherdx.artifacts.trace.tables import Trace

LOOKED = (
    "gc.cycles_per_s", "gc.cost_share", "gc.cost_cores", "gc.live_heap_mb", "gc.goal_mb", "gc.goal_ratio",
    "gc.alloc_mb_per_s", "alloc.share",
)  # fmt: skip
MB = 1 << 20
LEAST_S = 1.0
LEAST_STOPS = 10
LEAST_SAMPLES = 100  # a second of CPU time: a share of them is known to some percent
STARVED = 0.6
ASKED_FOR = "runtime.GC"


def of_trace(trace: Trace) -> Said:
    """Collector observations of the process, and the share of allocation by user's function."""
    gc = trace.gc
    duration_s = max(trace.duration_ns, 1) / 1e9
    forced = _asked_for(trace)
    out = Sayer("trace", ())
    out.say("gc.cycles", gc.cycles, "cycles", locator="GCBegin")
    if gc.cycles:
        out.say("gc.forced_share", forced / gc.cycles, "share of cycles", locator=f"GCBegin in {ASKED_FOR}")
    if gc.cycles >= 2 and gc.heap_low_bytes > 0:
        out.say("gc.live_heap_mb", gc.heap_low_bytes / MB, "MB", locator="HeapAlloc between cycles")
        out.say("gc.goal_mb", gc.goal_max_bytes / MB, "MB", locator="HeapGoal")
        out.say("gc.goal_ratio", gc.goal_max_bytes / gc.heap_low_bytes, "x", locator="HeapGoal / HeapAlloc")
    if duration_s >= LEAST_S:
        out.look(*LOOKED)
        _rates(trace, gc.cycles - forced, duration_s, out)
    for function, (weight, frame) in sorted(_allocators(trace).items()):
        if weight >= 0.02:
            out.say("alloc.share", weight, "share", subject=function, place=place_of(frame),
                    locator="stacks of GC triggers, assists and sweeps")  # fmt: skip
    return out.done()


def _asked_for(trace: Trace) -> int:
    """Collections that the program asked for; debug.FreeOSMemory calls runtime.GC too."""
    return sum(c.count for c in trace.gc.triggers if _is_asked_for(trace.stack(c.stack)))


def _is_asked_for(stack: fr.Stack) -> bool:
    return any(frame.function == ASKED_FOR for frame in stack)


def paid_ns(trace: Trace) -> int:
    """CPU time that the collector took from the program: not idle marking, which takes what nobody wanted."""
    gc = trace.gc
    return gc.mark_ns["dedicated"] + gc.mark_ns["fractional"] + gc.assist_ns


def _rates(trace: Trace, cycles: int, duration_s: float, out: Sayer) -> None:
    """What the collector did a second and what it cost; ``cycles`` are those that allocation triggered."""
    gc = trace.gc
    cost_ns = paid_ns(trace)
    used_ns = (
        trace.running_ns + gc.mark_ns["dedicated"] + gc.mark_ns["fractional"] + _short_syscalls_ns(trace)
    )
    _samples(trace, used_ns + gc.mark_ns["idle"], out)
    out.say("gc.cycles_per_s", cycles / duration_s, "1/s", locator="GCBegin")
    share = cost_ns / used_ns if used_ns else 0.0
    out.say("gc.cost_share", min(share, 1.0), "share of CPU time", locator="mark workers and assists")
    out.say("gc.cost_cores", cost_ns / 1e9 / duration_s, "cores", locator="mark workers and assists")
    out.say(
        "gc.assist_share",
        gc.assist_ns / used_ns if used_ns else 0.0,
        "share of CPU time",
        locator="mark assists",
    )
    out.say("gc.alloc_mb_per_s", gc.allocated_bytes / MB / duration_s, "MB/s", locator="HeapAlloc")
    # Ten times the goal, ten times fewer cycles: what is left of the cost.
    out.say("gc.gain_low", 1 / (1 - 0.5 * min(share, 0.9)), "x", locator="CPU share of the collector")
    out.say("gc.gain_high", 1 / (1 - 0.9 * min(share, 0.9)), "x", locator="CPU share of the collector")


def _samples(trace: Trace, running_ns: int, out: Sayer) -> None:
    """The collector's share of the CPU samples, where they tell of much less CPU time than the Ps ran.

    Where there are none, how long the world is stopped for a collection.
    """
    count = sum(c.count for c in trace.samples)
    if count < LEAST_SAMPLES:
        stops, stopped_ns = _stops(trace)
        if stops >= LEAST_STOPS:
            out.say("gc.stop_ms", stopped_ns / stops / 1e6, "ms", locator="STWBegin and STWEnd, on average")
        return
    if count * SAMPLE_NS >= STARVED * running_ns:
        return
    spent = sum(c.count for c in trace.samples if fr.has(trace.stack(c.stack), fr.GC_WORK))
    out.look("gc.sampled_share")
    out.say("gc.sampled_share", spent / count, "share of CPU samples", locator="CPU samples in the trace")


def _stops(trace: Trace) -> tuple[int, int]:
    """How often, and for how many ns in all, the world was stopped at either end of a collection."""
    of_gc = [(n, ns) for reason, (n, ns, _) in trace.gc.stw.items() if reason.startswith("GC ")]
    return sum(n for n, _ in of_gc), sum(ns for _, ns in of_gc)


def _short_syscalls_ns(trace: Trace) -> int:
    """Time in system calls that do not block (100 us on average at most): CPU time of the program too."""
    return sum(w.ns for w in trace.waits if w.reason == "syscall" and w.count and w.ns < 100_000 * w.count)


def _allocators(trace: Trace) -> dict[str, tuple[float, fr.Frame]]:
    """Share of allocation by user's function: triggers by count, assists by time, sweeps by count."""
    totals: dict[str, float] = defaultdict(float)
    frames: dict[str, dict[fr.Frame, float]] = defaultdict(lambda: defaultdict(float))
    parts = [
        [(c.stack, float(c.count)) for c in trace.gc.triggers if not _is_asked_for(trace.stack(c.stack))],
        [(c.stack, float(c.ns)) for c in trace.gc.assists],
        [(c.stack, float(c.count)) for c in trace.gc.sweeps],
    ]
    # A handful of triggers or assists is chance; sweeps come by the thousand but not only from allocation.
    weights = [1.0 if sum(n for _, n in parts[0]) >= 5 else 0.2, 1.0 if len(parts[1]) else 0.0, 0.5]
    whole = 0.0
    for weight, part in zip(weights, parts, strict=True):
        marks = []
        for stack, n in part:
            frame = fr.user_frame(trace.stack(stack))
            if frame is not None:
                marks.append((frame, n))
        total = sum(n for _, n in part if n)
        if not total or not marks:
            continue
        whole += weight
        for frame, n in marks:
            name = fr.plain(frame.function)
            totals[name] += weight * n / total
            frames[name][frame] += weight * n / total
    if not whole:
        return {}
    return {
        name: (total / whole, max(frames[name], key=lambda f: (frames[name][f], f)))
        for name, total in totals.items()
    }
