"""Units of work of a trace, and where the time of the slowest and of a typical one goes.

A unit is a task or region that the program marked; where it marked none, a request in a server's handler;
where there are none, a goroutine that started and ended, a job that a worker was handed, or one turn of a
loop over a connection. Of the last three, those are left out that take next to no time, and those that only
wait for what comes next. Its length is split by what it did (the critical path: ``_walk`` in kernels.py) and
named by the calls that the unit made: from its own function inward to where its time divides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from gopherdx import frames as fr
from gopherdx.model import Location, UnitPart, UnitPath, Units
from gopherdx.observe.design import stay
from gopherdx.observe.said import place_of

if TYPE_CHECKING:
    from gopherdx.artifacts.trace.tables import Trace, Unit, UnitKind
    from gopherdx.artifacts.trace.tables import UnitPart as Part

KINDS_SHOWN = 5
PARTS_SHOWN = 12
SMALL = 0.005  # of a unit: parts below are told together
DIVIDES = 0.9  # the share of a unit that goes on to one call: its time does not divide there
_CLASSES = (("task", "region"), ("handler",), ("goroutine", "job", "turn"))
_UNMARKED = _CLASSES[-1]
_LITTLE = 0.01  # of the recording: who takes less in all is not where its time goes
_WHOLE = 0.9  # of the recording: a goroutine that lives so long is no piece of work, but who does it
_PARKED = {
    "chan send": "channel", "chan receive": "channel", "select": "channel", "select (no cases)": "channel",
    "sleep": "sleep", "IO wait": "network", "sync.WaitGroup.Wait": "sync", "sync.Cond.Wait": "sync",
    "syscall": "syscall",
}  # fmt: skip
_IDLE = 0.5  # of a unit: it waited for work rather than did some


def of_trace(trace: Trace) -> tuple[Units, ...]:
    """The kinds of unit that tell most, those in which most time passed first."""
    kinds = [kind for kind in trace.units if _is_work(trace, kind)]
    for names in _CLASSES:
        chosen = [kind for kind in kinds if kind.kind in names and not _is_shadow(trace, kind)]
        if chosen:
            chosen.sort(key=lambda kind: kind.kind == "region")  # the tasks that they are parts of come first
            return tuple(_units(trace, kind) for kind in chosen[:KINDS_SHOWN])
    return ()


def _is_work(trace: Trace, kind: UnitKind) -> bool:
    """Whether it is work, and the program's own: a goroutine of a library's that serves it is none."""
    if kind.kind in ("task", "region"):
        return True
    if fr.is_standard(kind.name):
        return False
    if kind.kind not in _UNMARKED:
        return True
    return kind.ns >= _LITTLE * trace.duration_ns and not (kind.kind != "goroutine" and _idles(trace, kind))


def _idles(trace: Trace, kind: UnitKind) -> bool:
    """Whether what counts as a turn of a loop mostly is that loop's own wait for the next message."""
    unit = kind.typical
    idle = sum(
        part.ns
        for part in unit.parts
        if part.what not in ("cpu", "runnable", "lock", "syscall", "gc")
        and stay(trace.stack(part.stack), None).sort != "work"
    )
    return idle > _IDLE * unit.ns


def _is_shadow(trace: Trace, kind: UnitKind) -> bool:
    """Whether the same work is told better by another kind of the same name: a worker by its jobs, the few
    pauses of goroutines that come and go by those."""
    if kind.kind not in _UNMARKED:
        return False
    worker = next((k for k in trace.units if k.kind == "goroutine" and k.name == kind.name), None)
    pieces = [k for k in trace.units if k.kind in ("job", "turn") and k.name == kind.name]
    if worker is None or not pieces:
        return False
    served = worker.quantile_ns(0.5) >= _WHOLE * trace.duration_ns or any(
        piece.count > 2 * worker.count for piece in pieces
    )
    return served == (kind.kind == "goroutine")


def _started_at(trace: Trace, kind: UnitKind) -> Location | None:
    """Where all goroutines of a unit that is a goroutine, or a part of one, were started."""
    if kind.kind not in _UNMARKED:
        return None
    stacks = {group.created_at for group in trace.groups if group.function == kind.name and group.created}
    places = {fr.user_frame(trace.stack(stack)) for stack in stacks}
    frame = places.pop() if len(places) == 1 else None
    return place_of(frame) if frame is not None else None


def _units(trace: Trace, kind: UnitKind) -> Units:
    return Units(
        kind=kind.kind,
        name=kind.name or f"(a {kind.kind} without a name)",
        count=kind.count,
        p50_ms=kind.quantile_ns(0.5) / 1e6,
        p99_ms=kind.quantile_ns(0.99) / 1e6,
        max_ms=kind.max_ns / 1e6,
        slowest=_path(trace, kind.slowest[0]),
        typical=_path(trace, kind.typical),
        started_at=_started_at(trace, kind),
    )


def _path(trace: Trace, unit: Unit) -> UnitPath:
    return UnitPath(start_ns=unit.start_ns, ns=unit.ns, goroutine=unit.goroutine, parts=_parts(trace, unit))


def _parts(trace: Trace, unit: Unit) -> tuple[UnitPart, ...]:
    """The parts by call, what and function, the largest first; their ``ns`` sum up to the unit's length."""
    paths = {part.stack: _outside_in(trace.stack(part.stack)) for part in unit.parts}
    depth = _divides_at(unit, paths)
    sums: dict[UnitPart, list[int]] = defaultdict(lambda: [0, 0])
    for part in unit.parts:
        own = paths[part.stack]
        call = _callee(trace.stack(part.stack), own, depth) if depth < len(own) else ""
        key = UnitPart(
            what=_what(part, trace),
            function=part.function or fr.plain(fr.outermost(trace.stack(part.stack))),
            call=call,
            called_at=place_of(own[depth]) if call else None,
            ns=0,
            count=0,
        )
        sums[key][0] += part.ns
        sums[key][1] += part.count
    parts = sorted(
        (replace(key, ns=ns, count=count) for key, (ns, count) in sums.items()),
        key=lambda p: (-p.ns, p.what, p.function, p.call),
    )
    shown = [p for p in parts[:PARTS_SHOWN] if p.ns >= unit.ns * SMALL]
    rest = parts[len(shown) :]
    if rest:
        shown.append(
            UnitPart("rest", "", "", None, ns=sum(p.ns for p in rest), count=sum(p.count for p in rest))
        )
    return tuple(shown)


def _what(part: Part, trace: Trace) -> str:
    """What a part was spent on: events up to Go 1.21 call waiting for the end of a collection "sync" too."""
    stack = trace.stack(part.stack)
    if part.what in ("sync", "other") and fr.has(stack, fr.GC_WORK):
        return "gc"
    if part.what == "other":  # nobody is known to have ended it; where it was parked may tell what it was
        return _PARKED.get(fr.parked_in(stack) or "", part.what)
    return part.what


def _outside_in(stack: fr.Stack) -> list[fr.Frame]:
    """The user's frames of a unit, from its own function inward; middleware around a handler is left out."""
    users = fr.user_frames(stack)[::-1]
    handler = fr.handler_frame(stack)
    return users[users.index(handler) :] if handler in users else users


def _divides_at(unit: Unit, paths: dict[int, list[fr.Frame]]) -> int:
    """How deep in the user's frames the unit's time divides among calls."""
    depth = 0
    parts: Sequence[Part] = unit.parts
    while True:
        by_frame: dict[fr.Frame, int] = defaultdict(int)
        for part in parts:
            if depth < len(paths[part.stack]):
                by_frame[paths[part.stack][depth]] += part.ns
        frame = max(by_frame, key=lambda f: by_frame[f], default=None)
        if frame is None or by_frame[frame] < DIVIDES * unit.ns:
            return depth
        inside = [p for p in parts if depth < len(paths[p.stack]) and paths[p.stack][depth] == frame]
        if all(len(paths[p.stack]) == depth + 1 for p in inside):
            return depth  # all of it is this one call
        parts = inside
        depth += 1


def _callee(stack: fr.Stack, own: Sequence[fr.Frame], depth: int) -> str:
    """What the user's frame at ``depth`` calls: the next of the user's, else the library's entry."""
    if depth + 1 < len(own):
        return fr.plain(own[depth + 1].function)
    at = next((i for i, frame in enumerate(stack) if frame is own[depth]), 0)
    inner = stack[at - 1].function if at else ""
    return "" if inner.startswith("runtime.") else inner
