"""Calls to other services that one unit of work makes one after another.

A unit is a request in a server's handler, a message on a connection that a goroutine serves, a job that a
goroutine takes from a channel, or a goroutine that starts in the recording. Waits of one goroutine follow
each other, so the calls of one unit never overlap: their sum is what the unit waits, the longest of them is
what it would wait if they were made at once. Whether they are independent is in no trace.

A trace tells pairs of waits that followed each other on one goroutine; a unit begins where a wait inside it
follows one outside. A goroutine that only calls (a load generator) has no such beginning and is no unit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gopherdx import frames as fr
from gopherdx.observe.said import Said, Sayer, place_of

if TYPE_CHECKING:
    from gopherdx.artifacts.trace.tables import Trace, Waits

LOOKED = (
    "calls.per_unit", "calls.served_share", "calls.serial_ms", "calls.saved_ms", "calls.saved_share",
    "calls.wait_share", "calls.units",
)  # fmt: skip
MIN_UNITS = 3
MIN_CALL_NS = 200_000
MAX_CALLS = 10  # more a unit outside a server: a client's loop that now and then waits for something else
_STATES = ("syscall", "runnable", "stopped", "first run")


@dataclass(slots=True)
class _Unit:
    """Waits of one kind of unit: ``calls`` to other services, ``idle`` between units, all ``members``.

    ``bodies`` are those of the calls that read an answer which has begun.
    """

    function: str
    handler: bool
    calls: list[int] = field(default_factory=list)
    bodies: set[int] = field(default_factory=set)
    idle: list[int] = field(default_factory=list)
    members: set[int] = field(default_factory=set)


def of_trace(trace: Trace) -> Said:
    """Observations by the function that makes the calls."""
    out = Sayer("trace", LOOKED)
    for unit in _units(trace):
        entries, handed = _entries(trace, unit)
        if not unit.calls or entries < MIN_UNITS:
            continue
        waits = [trace.waits[i] for i in unit.calls]
        long = _made(trace, unit, waits)
        total_ns = sum(w.ns for w in waits)
        made = sum(n for n, _ in long)
        if not made or not total_ns or (not unit.handler and made > MAX_CALLS * entries):
            continue
        longest_ns = max(ns / n for n, ns in long if n)
        serial_ns = total_ns / entries
        saved_ns = max(0.0, serial_ns - longest_ns)
        frame = _maker(trace, unit, waits)
        if frame is None:
            continue
        inside_ns = _inside_ns(trace, unit)
        say = out.about(fr.plain(frame.function), place_of(frame), "waits of one goroutine in sequence")
        say("calls.per_unit", made / entries, "calls")
        say("calls.units", float(entries), "units")
        say("calls.in_handler", unit.handler, "")
        say("calls.served_share", 1 - handed / entries, "share")
        say("calls.serial_ms", serial_ns / 1e6, "ms")
        say("calls.longest_ms", longest_ns / 1e6, "ms")
        say("calls.saved_ms", saved_ns / 1e6, "ms")
        say("calls.saved_low_ms", saved_ns / 2e6, "ms")
        say("calls.saved_share", saved_ns / serial_ns, "share")
        say("calls.wait_share", min(1.0, total_ns / max(inside_ns, total_ns)), "share")
        say("calls.places", float(len({w.stack for w in waits})), "stacks")
    return out.done()


def _units(trace: Trace) -> list[_Unit]:
    """Kinds of unit in this trace, with their waits sorted into calls, idle waits and others."""
    units: dict[tuple[str, bool], _Unit] = {}
    for wait in trace.waits:
        stack = trace.stack(wait.stack)
        if wait.reason in _STATES or not stack or wait.count == 0 or fr.is_internal(stack):
            continue
        handler = fr.handler_frame(stack)
        if handler is not None:
            unit = units.setdefault(
                (fr.plain(handler.function), True), _Unit(fr.plain(handler.function), True)
            )
            unit.members.add(wait.index)
            if _is_call(stack):
                unit.calls.append(wait.index)
                if not fr.has(stack, fr.CALL) and fr.has(stack, fr.CALL_BODY):
                    unit.bodies.add(wait.index)
            continue
        root = fr.plain(fr.outermost(stack))
        frames = fr.user_frames(stack)
        if not frames or fr.plain(frames[-1].function) != root:
            continue
        unit = units.setdefault((root, False), _Unit(root, False))
        unit.members.add(wait.index)
        if fr.has(stack, fr.CALL):
            unit.calls.append(wait.index)
        elif wait.reason == "network" and fr.has(stack, fr.NET_READ):
            (unit.calls if _asks(trace, stack) else unit.idle).append(wait.index)
        elif wait.reason in ("chan receive", "select") and _is_own(stack) and _is_handed(trace, wait):
            unit.idle.append(wait.index)
    return [units[key] for key in sorted(units)]


def _is_call(stack: fr.Stack) -> bool:
    """Whether a wait inside a handler is for another service's answer (its body counts to the call)."""
    if fr.has(stack, fr.CALL) or fr.has(stack, fr.CALL_BODY):
        return True
    server = any(f.function.startswith(("net/http.(*body).", "net/http.(*connReader).")) for f in stack)
    return fr.has(stack, fr.NET_READ) and not server


def _asks(trace: Trace, read: fr.Stack) -> bool:
    """Whether this read is the answer to a write of the same helper, below the goroutine's own loop.

    A server's loop reads a request and writes an answer at the same level; a call writes and reads inside
    one function further in.
    """
    reader = fr.user_frames(read)[::-1]
    for wait in trace.waits:
        if wait.reason not in ("syscall", "network"):
            continue
        stack = trace.stack(wait.stack)
        if not fr.has(stack, fr.NET_WRITE):
            continue
        writer = fr.user_frames(stack)[::-1]
        if _shared(reader, writer) >= 2:
            return True
    return False


def _shared(a: list[fr.Frame], b: list[fr.Frame]) -> int:
    """Frames from the root in which two stacks are in the same function, reached over the same lines."""
    n = 0
    for x, y in zip(a, b, strict=False):
        if x.function != y.function:
            break
        n += 1
        if x.line != y.line:
            break
    return n


def _is_own(stack: fr.Stack) -> bool:
    """Whether the user's own code waits on the channel, not a library inside one of its calls."""
    for frame in stack:
        if not frame.function.startswith("runtime."):
            return fr.is_user(frame.function, frame.file)
    return False


def _is_handed(trace: Trace, wait: Waits) -> bool:
    """Whether other goroutines end this wait (work is handed over), not a timer."""
    woken = [w for w in trace.wakes if w.wait == wait.index]
    by_goroutine = sum(w.count for w in woken if w.waker is not None)
    return by_goroutine * 2 > sum(w.count for w in woken)


def _entries(trace: Trace, unit: _Unit) -> tuple[int, int]:
    """How many units began: waits inside that follow one outside (or the goroutine's start).

    And how many of them with something taken from a channel: a job, or a client's next turn.
    """
    total = handed = 0
    idle, members, calls = set(unit.idle), unit.members, set(unit.calls)
    for pair in trace.sequence:
        if unit.handler:
            if pair.wait in members and pair.before not in members:
                total += pair.count
        elif pair.wait in calls and (pair.before is None or pair.before in idle):
            total += pair.count
            if pair.before is not None and trace.waits[pair.before].reason != "network":
                handed += pair.count
    return total, handed


def _inside_ns(trace: Trace, unit: _Unit) -> int:
    """Time from the first to the last wait of the units: the waits, and what lies between them."""
    inside = unit.members if unit.handler else unit.members - set(unit.idle)
    waiting = sum(trace.waits[i].ns for i in inside)
    between = sum(p.gap_ns for p in trace.sequence if p.wait in inside and p.before in inside)
    return waiting + between


def _made(trace: Trace, unit: _Unit, waits: Sequence[Waits]) -> list[tuple[float, float]]:
    """Calls by where they wait for an answer: (how many, their time).

    However often the reading of an answer waits, it is one call's: of the call that it follows. A call that
    did not wait long for its answer to begin counts if reading it waits.
    """
    number: dict[int, float] = {}
    time_ns: dict[int, float] = {}
    quick: dict[int, float] = {}  # share of the calls whose answers begin at once
    for wait in waits:
        if wait.index not in unit.bodies and not fr.has(trace.stack(wait.stack), fr.DIAL):
            number[wait.index], time_ns[wait.index] = _long_stays(wait)
            quick[wait.index] = max(0.0, 1 - 2 * number[wait.index] / wait.count)
    for body in (w for w in waits if w.index in unit.bodies):
        pairs = [(p.before, p.count) for p in trace.sequence if p.wait == body.index and p.before is not None]
        follows = [(before, count) for before, count in pairs if before in number]
        begun = sum(count for _, count in follows)
        for before, count in follows:
            number[before] += count * quick[before]
            time_ns[before] += body.ns * count / begun
    return [(number[index], time_ns[index]) for index in number]


def _long_stays(wait: Waits) -> tuple[int, float]:
    """(how many calls, their time): a client waits twice a call, once for a moment while it is written."""
    cut = max(wait.quantile_ns(0.9) / 4, MIN_CALL_NS)
    first = 0
    while first < wait.histogram.size and 2.0 ** (first // 2) * (1.5 if first % 2 else 1.0) < cut:
        first += 1
    count = int(wait.histogram[first:].sum())
    if not count:
        return 0, 0.0
    short = int(wait.histogram[:first].sum())
    return count, max(0.0, wait.ns - short * cut / 4)


def _maker(trace: Trace, unit: _Unit, waits: Iterable[Waits]) -> fr.Frame | None:
    """The function that makes the calls: the innermost one that all of them share.

    Where all come over the same lines (one call in a loop), the loop may be anywhere above: the handler, or
    for a goroutine the caller of the function that writes and reads.
    """
    waits = list(waits)
    most = max(w.ns for w in waits)
    paths = [fr.user_frames(trace.stack(w.stack))[::-1] for w in waits if w.ns >= most / 10]
    first = paths[0]
    shared = min((_shared(first, p) for p in paths[1:]), default=len(first))
    same_lines = all(p == first for p in paths)
    if not same_lines:
        return first[shared - 1] if shared else None
    if unit.handler:
        names = [fr.plain(f.function) for f in first]
        return first[names.index(unit.function)] if unit.function in names else first[0]
    return first[min(1, len(first) - 1)] if len(first) > 2 else first[0]
