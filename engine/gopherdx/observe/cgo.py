"""Goroutines inside C functions: how many at once, how long a stay is, and who waits meanwhile.

A C call is a system call to the scheduler (``cgocall`` in runtime/cgocall.go calls ``entersyscall``). Its
thread is no longer the runtime's: it computes beyond GOMAXPROCS, or it sleeps and another thread takes the P.
The P itself stays with the call until ``sysmon`` has seen the same call at two of its looks, which come 20 µs
to 10 ms apart (``retake`` in runtime/proc.go), so calls of a few ms can keep the Ps from everybody else.

Calls of microseconds do neither: only stays of ``LONG_NS`` and more are counted. The C library's resolver is
a look-up (observe/dns.py), and what the runtime itself waits for in a system call has no user's caller.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gopherdx import frames as fr
from gopherdx.observe.said import Said, Sayer, place_of
from gopherdx.observe.standing import stacks

if TYPE_CHECKING:
    from gopherdx.artifacts.dump import GoroutineDump
    from gopherdx.artifacts.pprof import Profile
    from gopherdx.artifacts.trace.tables import Trace, Waits

LOOKED = ("cgo.crowd", "cgo.served_share", "cgo.behind_ms")
LOOKED_SAMPLES = ("cgo.cpu_share",)
LOOKED_DUMP = ("dump.in_c",)
LONG_NS = 1 << 20  # 1.05 ms, the lower border of a bin of the histograms of stays
LONG_BIN = 40
KEPT_MS = 3.0  # a wait for a P longer than this is behind somebody, not a hand-over
_TURN = frozenset(("select", "chan send", "chan receive", "sync", "sync.(*Cond).Wait"))
_NUMBER = re.compile(r"(\.func)\d+")
MIN_SHARE = 0.25  # of the time in C: what less is spent in is not what crowds


@dataclass(slots=True)
class _Caller:
    """Long C calls made by one user's function."""

    frame: fr.Frame
    ns: int = 0
    calls: int = 0
    closed_ns: int = 0
    longest_ns: int = 0
    served_ns: int = 0
    heaviest: int = 0
    roots: set[str] = field(default_factory=set)
    path: set[str] = field(default_factory=set)
    functions: dict[str, int] = field(default_factory=lambda: defaultdict(int))


def of_trace(trace: Trace) -> Said:
    """Long C calls by the Go function that makes them."""
    out = Sayer("trace", LOOKED + (LOOKED_SAMPLES if trace.sampled else ()))
    duration = max(trace.duration_ns, 1)
    callers = _callers(trace)
    held = sum(c.ns for c in callers.values()) / duration
    if trace.sampled:
        total = sum(s.count for s in trace.samples)
        for name, (count, frame) in sorted(_sampled(trace).items()):
            out.say("cgo.cpu_share", count / total, "share of CPU samples", subject=name,
                    place=place_of(frame), locator="CPU samples in C")  # fmt: skip
    behind_ms = _behind_ms(trace)
    for name, caller in sorted(callers.items()):
        own = caller.ns / duration
        if own < MIN_SHARE * held or own < 0.01:
            continue
        most = max(caller.functions, key=lambda f: (caller.functions[f], f))
        say = out.about(name, place_of(caller.frame), f"system calls at {most}")
        say("cgo.held_mean", own, "goroutines")
        say("cgo.calls_per_s", caller.calls / (duration / 1e9), "1/s")
        say("cgo.call_ms", _call_ns(caller) / 1e6, "ms")
        say("cgo.longest_ms", caller.longest_ns / 1e6, "ms")
        say("cgo.served_share", caller.served_ns / caller.ns, "share")
        say("cgo.beyond_ps", max(0.0, held - trace.gomaxprocs), "threads")
        say("cgo.behind_ms", behind_ms, "ms")
        say("cgo.crowd", _crowd(trace, held, behind_ms, caller), "goroutines")
    return out.done()


def of_cpu(profile: Profile) -> Said:
    """CPU used inside C functions, from a CPU profile. Many short calls look there like few long ones."""
    if not len(profile) or not profile.symbolized:
        return Said((), frozenset())
    used: dict[str, int] = defaultdict(int)
    total = 0
    frames: dict[str, fr.Frame] = {}
    for stack, value in profile.by_stack(profile.cpu_index).items():
        total += max(value, 0)
        frame = _c_caller_of_sample(stack)
        if frame is not None and value > 0:
            used[fr.plain(frame.function)] += value
            frames.setdefault(fr.plain(frame.function), frame)
    out = Sayer("cpu", LOOKED_SAMPLES)
    for name, value in sorted(used.items()):
        say = out.about(name, place_of(frames[name]), "CPU samples in C")
        say("cgo.cpu_share", value / total, "share of CPU samples")
    return out.done()


def of_goroutines(artifact: Profile | GoroutineDump) -> Said:
    """Goroutines inside C functions at one moment, from a goroutine profile or dump."""
    rows = stacks(artifact)
    return Said((), frozenset()) if rows is None else _of_moment(artifact.kind, rows)


def _of_moment(kind: str, rows: Iterable[tuple[fr.Stack, int, int]]) -> Said:
    """In C, or just back from it and waiting for a P: both have the C function's Go side innermost."""
    out = Sayer(kind, LOOKED_DUMP)
    counts: dict[str, int] = defaultdict(int)
    frames: dict[str, fr.Frame] = {}
    for stack, count, _ in rows:
        frame = fr.c_caller(stack)
        if frame is not None:
            counts[fr.plain(frame.function)] += count
            frames.setdefault(fr.plain(frame.function), frame)
    for name, count in sorted(counts.items()):
        say = out.about(name, place_of(frames[name]), "goroutines in a C function")
        say("dump.in_c", float(count), "goroutines")
    return out.done()


def _callers(trace: Trace) -> dict[str, _Caller]:
    callers: dict[str, _Caller] = {}
    per_unit = _per_unit(trace)
    for wait in trace.waits:
        if wait.reason != "syscall":
            continue
        stack = trace.stack(wait.stack)
        frame = fr.c_caller(stack)
        if frame is None:
            continue
        calls, closed_ns, open_ns = _long_stays(wait)
        if not calls and not open_ns:
            continue
        name = fr.plain(frame.function)
        caller = callers.setdefault(name, _Caller(frame))
        ns = closed_ns + open_ns
        caller.ns += ns
        caller.calls += calls + wait.open_start
        caller.closed_ns += closed_ns
        caller.longest_ns = max(caller.longest_ns, wait.max_ns, wait.open_end_max_ns)
        caller.functions[stack[0].function] += ns
        caller.roots.add(_root(fr.outermost(stack)))
        caller.path.update(fr.plain(f.function) for f in fr.user_frames(stack))
        if fr.handler_frame(stack) is not None or _root(fr.outermost(stack)) in per_unit:
            caller.served_ns += ns
        if ns > caller.heaviest:
            caller.heaviest, caller.frame = ns, frame
    return callers


def _long_stays(wait: Waits) -> tuple[int, int, int]:
    """(how many closed stays were long, their time, the time of long stays open at either end)."""
    long, short = wait.histogram[LONG_BIN:], wait.histogram[:LONG_BIN]
    calls = int(long.sum())
    ns = 0
    if calls:
        # Each short stay counts as its bin's middle.
        brief = sum(int(n) * 1.2 * 2.0 ** (i // 2) * (1 + i % 2 / 2) for i, n in enumerate(short) if n)
        ns = max(calls * LONG_NS, wait.ns - int(brief))
    count = wait.open_start + wait.open_end + wait.open_both
    open_ns = wait.open_start_ns + wait.open_end_ns + wait.open_both_ns
    return calls, ns, open_ns if count and open_ns >= count * LONG_NS else 0


def _call_ns(caller: _Caller) -> float:
    """Length of a long call on average; of calls that never ended, what was seen of the longest."""
    return caller.closed_ns / caller.calls if caller.closed_ns and caller.calls else float(caller.longest_ns)


def _per_unit(trace: Trace) -> set[str]:
    """Start functions of goroutines that work for somebody: made for one piece of work, or handed it.

    Work is handed over by a channel of the user's own. A loop that only calls C, call after call, is a poll:
    it waits by design.
    """
    units = {_root(g.function) for g in trace.groups if g.created >= 3 and g.ended >= 1}
    handed: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for wake in trace.wakes:
        wait = trace.waits[wake.wait]
        stack = trace.stack(wait.stack)
        if wait.reason in ("chan receive", "select") and _is_own(stack):
            seen = handed[_root(fr.outermost(stack))]
            seen[0 if wake.waker is not None else 1] += wake.count
        elif wait.reason == "chan send" and _is_own(stack) and wake.waker is not None:
            # Somebody waited until his work was taken.
            taker = trace.stack(wake.waker)
            if _is_own(taker):
                handed[_root(fr.outermost(taker))][0] += wake.count
    return units | {name for name, (by_goroutine, other) in handed.items() if by_goroutine > other}


def _root(function: str) -> str:
    """A start function without the numbers of its literals: up to Go 1.21 the wrapper that a ``go`` statement
    starts has a number of its own, and stacks show the literal inside it.
    """
    return _NUMBER.sub(r"\1", fr.plain(function))


def _is_own(stack: fr.Stack) -> bool:
    """Whether the user's own code is at the channel, not a library inside one of its calls."""
    for frame in stack:
        if not frame.function.startswith("runtime."):
            return fr.is_user(frame.function, frame.file)
    return False


def _behind_ms(trace: Trace) -> float:
    """How long a goroutine that could run waited for a P, on average over those that were woken."""
    ns = count = 0
    for wait in trace.waits:
        if wait.reason in ("runnable", "first run") and not fr.is_internal(trace.stack(wait.stack)):
            ns += wait.ns
            count += wait.count
    return ns / count / 1e6 if count else 0.0


def _crowd(trace: Trace, held: float, behind_ms: float, caller: _Caller) -> float:
    """Threads in C beyond the Ps; or goroutines that wait for a P while C calls keep the Ps, if that is more.

    Ps are kept where goroutines wait although fewer run than there are Ps, and C calls fill the gap. Where
    the number of calls is bounded already, fewer at a time would not help.
    """
    beyond = max(0.0, held - trace.gomaxprocs)
    duration = max(trace.duration_ns, 1)
    spare = trace.gomaxprocs - trace.running_ns / duration - sum(trace.gc.mark_ns.values()) / duration
    kept = behind_ms >= KEPT_MS and spare >= trace.gomaxprocs / 2 and held >= spare / 2
    if not kept or _is_bounded(trace, caller):
        return beyond
    return max(beyond, trace.runnable_ns / duration)


def _is_bounded(trace: Trace, caller: _Caller) -> bool:
    """Whether something in Go limits the calls: no more goroutines make them than there are Ps, or goroutines
    wait for their turn in a function on the way to the call.
    """
    if sum(g.live_max for g in trace.groups if _root(g.function) in caller.roots) <= trace.gomaxprocs:
        return True
    queued_ns = 0
    for wait in trace.waits:
        if wait.reason in _TURN:
            stack = trace.stack(wait.stack)
            frame = fr.user_frame(stack)
            if frame is not None and fr.plain(frame.function) in caller.path and _is_turn(stack):
                queued_ns += wait.total_ns
    return queued_ns >= trace.duration_ns


def _is_turn(stack: fr.Stack) -> bool:
    """Whether the user's own code waits here: at a channel, a lock, a semaphore."""
    for frame in stack:
        if not frame.function.startswith(("runtime.", "sync.", "internal/sync.", "golang.org/x/sync/")):
            return fr.is_user(frame.function, frame.file)
    return False


def _sampled(trace: Trace) -> dict[str, tuple[int, fr.Frame]]:
    found: dict[str, tuple[int, fr.Frame]] = {}
    for sample in trace.samples:
        frame = _c_caller_of_sample(trace.stack(sample.stack))
        if frame is not None:
            name = fr.plain(frame.function)
            found[name] = (found.get(name, (0, frame))[0] + sample.count, frame)
    return found


def _c_caller_of_sample(stack: fr.Stack) -> fr.Frame | None:
    """Like ``c_caller``; where a C symbolizer is linked in, the C functions themselves are innermost."""
    for i, frame in enumerate(stack):
        if fr.C_CALL.match(frame.function):
            return fr.c_caller(stack[i:])
        if fr.is_user(frame.function, frame.file) or fr.package_of(frame.function) != frame.function:
            return None
    return None
