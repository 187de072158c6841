"""What the collector cost, how often it ran, over how large a heap, and who made it run.

Cost is the time of dedicated and fractional mark workers and of mark assists, against the CPU time that the
program used; idle marking takes what nobody wanted. Who allocates is read from the stacks at which a cycle
was triggered, from assists and sweeps: all three come in proportion to bytes allocated.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from gopherdx import frames as fr
from gopherdx.observe.said import Said, Sayer, place_of

if TYPE_CHECKING:
    from gopherdx.artifacts.trace.tables import Trace

LOOKED = (
    "gc.cycles_per_s", "gc.cost_share", "gc.cost_cores", "gc.live_heap_mb", "gc.goal_mb", "gc.goal_ratio",
    "gc.alloc_mb_per_s", "alloc.share",
)  # fmt: skip
MB = 1 << 20


def of_trace(trace: Trace) -> Said:
    """Collector observations of the process, and the share of allocation by user's function."""
    gc = trace.gc
    looked = set(LOOKED)
    duration_s = max(trace.duration_ns, 1) / 1e9
    out = Sayer("trace", looked)
    cost_ns = gc.mark_ns["dedicated"] + gc.mark_ns["fractional"] + gc.assist_ns
    used_ns = (
        trace.running_ns + gc.mark_ns["dedicated"] + gc.mark_ns["fractional"] + _short_syscalls_ns(trace)
    )
    out.say("gc.cycles", gc.cycles, "cycles", locator="GCBegin")
    out.say("gc.cycles_per_s", gc.cycles / duration_s, "1/s", locator="GCBegin")
    share = cost_ns / used_ns if used_ns else 0.0
    out.say("gc.cost_share", min(share, 1.0), "share of CPU time", locator="mark workers and assists")
    out.say("gc.cost_cores", cost_ns / 1e9 / duration_s, "cores", locator="mark workers and assists")
    out.say(
        "gc.assist_share",
        gc.assist_ns / used_ns if used_ns else 0.0,
        "share of CPU time",
        locator="mark assists",
    )
    if gc.cycles >= 2 and gc.heap_low_bytes > 0:
        out.say("gc.live_heap_mb", gc.heap_low_bytes / MB, "MB", locator="HeapAlloc between cycles")
        out.say("gc.goal_mb", gc.goal_max_bytes / MB, "MB", locator="HeapGoal")
        out.say("gc.goal_ratio", gc.goal_max_bytes / gc.heap_low_bytes, "x", locator="HeapGoal / HeapAlloc")
    out.say("gc.alloc_mb_per_s", gc.allocated_bytes / MB / duration_s, "MB/s", locator="HeapAlloc")
    # Ten times the goal, ten times fewer cycles: what is left of the cost.
    out.say("gc.gain_low", 1 / (1 - 0.5 * min(share, 0.9)), "x", locator="CPU share of the collector")
    out.say("gc.gain_high", 1 / (1 - 0.9 * min(share, 0.9)), "x", locator="CPU share of the collector")
    for function, (weight, frame) in sorted(_allocators(trace).items()):
        if weight >= 0.02:
            out.say("alloc.share", weight, "share", subject=function, place=place_of(frame),
                    locator="stacks of GC triggers, assists and sweeps")  # fmt: skip
    return out.done()


def _short_syscalls_ns(trace: Trace) -> int:
    """Time in system calls that do not block (100 us on average at most): CPU time of the program too."""
    return sum(w.ns for w in trace.waits if w.reason == "syscall" and w.count and w.ns < 100_000 * w.count)


def _allocators(trace: Trace) -> dict[str, tuple[float, fr.Frame]]:
    """Share of allocation by user's function: triggers by count, assists by time, sweeps by count."""
    totals: dict[str, float] = defaultdict(float)
    frames: dict[str, dict[fr.Frame, float]] = defaultdict(lambda: defaultdict(float))
    parts = [
        [(c.stack, float(c.count)) for c in trace.gc.triggers],
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
