"""How busy the processors were and how long goroutines that could run had to wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gopherdx.observe.said import Said, Sayer

if TYPE_CHECKING:
    from gopherdx.artifacts.trace.tables import Trace


def of_trace(trace: Trace) -> Said:
    """Ps, goroutines that ran and could have run on average, delay between runnable and running."""
    out = Sayer("trace", ())
    duration = max(trace.duration_ns, 1)
    out.say("sched.gomaxprocs", trace.gomaxprocs, "Ps", locator="ProcsChange")
    out.say("sched.running_mean", trace.running_ns / duration, "goroutines", locator="goroutine states")
    out.say("sched.runnable_mean", trace.runnable_ns / duration, "goroutines", locator="goroutine states")
    out.say("sched.duration_s", duration / 1e9, "s", locator="time stamps")
    out.say("sched.sampled", trace.sampled, "", locator="CPU samples")
    delay = quantile_ns(trace.delay_histogram, 0.99) / 1e6
    out.say("sched.delay_p99_ms", delay, "ms", locator="wake-up to running")
    out.say("sched.delay_max_ms", trace.delay_max_ns / 1e6, "ms", locator="wake-up to running")
    never = never_ran_unplaced(trace)
    out.say("goroutines.never_ran_unplaced", never, "goroutines", locator="goroutine status")
    return out.done()


def never_ran_unplaced(trace: Trace) -> int:
    """Goroutines that waited from before the recording to its end, and of which it has no stack."""
    return sum(w.open_both for w in trace.waits if w.stack == 0 and w.reason == "")


def quantile_ns(histogram: np.ndarray[tuple[int], np.dtype[np.int64]], q: float) -> float:
    """The ``q`` quantile of a log histogram of stays (two bins an octave), at its bin's middle."""
    total = int(histogram.sum())
    if total == 0:
        return 0.0
    at = int(np.searchsorted(np.cumsum(histogram), q * total, side="left"))
    return float(2.0 ** (at // 2) * (1.75 if at % 2 else 1.25))
