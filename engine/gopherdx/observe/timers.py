"""Timers that time.After made and that still wait to fire, from a heap or allocs profile.

No one can stop such a timer. Where it stays in the heap until it fires (Go up to 1.22; up to 1.26 where the
main module's go line is below 1.23, or with GODEBUG asynctimerchan=1), one made for each message adds up to
rate x duration. A goroutine that waits needs one: many more timers than goroutines are waited for by nobody.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field

from gopherdx import frames as fr
from gopherdx.observe.memory import MB, Mark, Memory
from gopherdx.observe.said import Said, Sayer, place_of

LOOKED = ("timer.after_in_use", "timer.after_per_goroutine", "timer.after_heap_share")
# Timer, channel and its buffer, as GOROOT/src/time/sleep.go makes them: 80 + 96 + 24 bytes up to Go 1.22,
# 112 + 112 + 24 since 1.23. Seen in profiles of Go 1.21 to 1.27.
_BYTES_OLD = 200
_BYTES_NEW = 248
# What grows with the number of timers and is none of them: the heap of a P, in blocks.
_LARGEST = 1024
# A goroutine's own record (g of runtime/runtime2.go) takes 400 to 480 bytes.
_GOROUTINE = 440


@dataclass(slots=True)
class _Caller:
    """One function that calls time.After."""

    live_bytes: float = 0.0
    samples: float = 0.0
    made_bytes: float = 0.0
    frames: dict[fr.Frame, float] = field(default_factory=lambda: defaultdict(float))


def of_memory(memory: Memory) -> Said:
    """Timers in use by the function that calls time.After, their memory, and how long each stays."""
    if not memory.tells_live or memory.period_bytes > MB:
        return Said((), frozenset())
    each = _bytes_each(memory)
    callers = _callers(memory)
    goroutines = _goroutines_at_most(memory)
    whole = max(memory.live_bytes, 1.0)
    out = Sayer(memory.kind, LOOKED)
    for name, caller in sorted(callers.items()):
        if caller.live_bytes <= 0:
            continue
        frame = max(caller.frames, key=lambda f: (caller.frames[f], f))
        say = out.about(name, place_of(frame), "inuse_space under time.After")
        count = caller.live_bytes / each
        say("timer.after_in_use", count, "timers")
        say("timer.after_in_use_mb", caller.live_bytes / MB, "MB")
        say("timer.after_samples", caller.samples, "samples")
        say("timer.after_per_goroutine", count / goroutines, "timers")
        say("timer.after_heap_share", caller.live_bytes / whole, "share")
        say("timer.gain_low", 0.9 * caller.live_bytes / MB, "MB")
        say("timer.gain_high", caller.live_bytes / MB, "MB")
        if memory.tells_growth and memory.seconds > 0 and caller.made_bytes > 0:
            rate = caller.made_bytes / each / memory.seconds
            say("timer.after_per_s", rate, "1/s")
            say("timer.after_stay_s", count / rate, "s")
    if not any(c.live_bytes > 0 for c in callers.values()):
        out.say("timer.after_in_use", 0.0, "timers", locator="inuse_space under time.After")
    if memory.tells_growth and memory.seconds > 0:
        out.look("timer.after_stay_s")
    return out.done()


def _callers(memory: Memory) -> dict[str, _Caller]:
    callers: dict[str, _Caller] = defaultdict(_Caller)
    for row in memory.rows:
        if row.size > _LARGEST or not row.marks & Mark.TIME_AFTER:
            continue
        frame = fr.nearest_caller(row.stack, fr.TIME_AFTER)
        if frame is None:
            continue
        caller = callers[fr.plain(frame.function)]
        caller.live_bytes += row.live_bytes
        caller.samples += row.live_samples
        caller.made_bytes += row.made_bytes
        caller.frames[frame] += row.live_bytes
    return callers


def _bytes_each(memory: Memory) -> int:
    """Bytes of one timer with its channel, by the frames that its Go version has."""
    new = any(frame.function == "time.newTimer" for row in memory.rows for frame in row.stack[:2])
    return _BYTES_NEW if new else _BYTES_OLD


def _goroutines_at_most(memory: Memory) -> float:
    """The most goroutines that there have been at once, as far as samples of their records tell.

    The runtime keeps the record of one that ended for the next, so these in use are the peak. Where few were
    sampled, three more might well have been missed.
    """
    rows = [r for r in memory.rows if r.marks & Mark.GOROUTINE]
    samples = sum(r.live_samples for r in rows)
    size = max((r.size for r in rows), default=float(_GOROUTINE)) or float(_GOROUTINE)
    return (samples + 1.5 * math.sqrt(samples) + 3) * memory.period_bytes / size
