"""Where the time and memory of profiles go, by the nearest user's function.

A CPU profile names who computes, heap and allocs profiles who allocated, mutex and block profiles who waited
(a mutex profile: who let the others wait).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gopherdx import frames as fr
from gopherdx.model import Place
from gopherdx.observe.contention import ended_waits
from gopherdx.observe.design import is_own, stay, where
from gopherdx.observe.memory import columns_of, earlier
from gopherdx.observe.nearest import rows
from gopherdx.observe.places_trace import SAMPLE_S, add_cpu
from gopherdx.observe.tally import ENDED, Tally

if TYPE_CHECKING:
    from gopherdx.artifacts.pprof import Profile


def of_cpu(profiles: Sequence[Profile]) -> list[Place]:
    """CPU time by function, of the last profile: in cores where its length is told, else in s."""
    profile = profiles[-1]
    if not profile.symbolized or not len(profile):
        return []
    tally = Tally()
    unit = profile.sample_types[profile.cpu_index].unit
    each = {"nanoseconds": 1e-9, "microseconds": 1e-6, "milliseconds": 1e-3}.get(unit, SAMPLE_S)
    for row in rows(profile, profile.cpu_index):
        value = row.values[0]
        if value > 0:
            user = row.frame if row.user else None
            count = round(value / profile.cpu_period)
            add_cpu(tally, row.frame, user, value * each, count, gc=row.gc, recorder=row.recorder)
    if profile.duration_ns > 0:
        return tally.places("cpu", "cores", tally.total, 1e9 / profile.duration_ns)
    return tally.places("cpu", "s", tally.total)


def of_memory(profiles: Sequence[Profile]) -> list[Place]:
    """Bytes in use by who made them (heap), or allocated in the stretch or since the start (allocs).

    A heap profile in which nothing is in use tells what was allocated.
    """
    usable = [p for p in profiles if len(p) and p.symbolized and columns_of(p)]
    if not usable:
        return []
    last, first = usable[-1], earlier(usable)
    columns, kind = columns_of(last), str(last.kind)
    if kind != "allocs" and "inuse_space" in columns:
        tally = _bytes("in use" if last.duration_ns <= 0 else "came to be in use", last, "inuse")
        if tally.total or "alloc_space" not in columns:
            return tally.places(kind, "bytes", tally.total)
    if "alloc_space" not in columns:
        return []
    tally = _bytes("allocated", last, "alloc")
    if first is not None:
        before = _bytes("allocated", first, "alloc")
        for key, was in before.sums.items():
            if key in tally.sums:
                now = tally.sums[key]
                now.value = max(0.0, now.value - was.value)
                now.count = max(0, now.count - was.count)
    return tally.places(kind, "bytes", tally.total)


def _bytes(reason: str, profile: Profile, column: str) -> Tally:
    tally = Tally()
    columns = columns_of(profile)
    objects = f"{column}_objects" if f"{column}_objects" in columns else f"{column}_space"
    for row in rows(profile, columns[f"{column}_space"], columns[objects]):
        if row.recorder:
            continue
        frame = row.frame if row.program else None
        found = tally.at("memory", reason, frame, max(0.0, row.values[0]), via="" if frame else "runtime")
        found.count += round(row.values[1]) if objects.endswith("objects") else 0
    return tally


def of_waits(profiles: Sequence[Profile]) -> list[Place]:
    """Waits that ended, by place: goroutines waiting on average where the time is told, else s of waiting."""
    ended = ended_waits(profiles)
    if ended is None:
        return []
    kind = str(profiles[-1].kind)
    tally = Tally()
    for stack, count, ns in ended.stacks:
        if is_own(stack) or fr.is_recorder(stack) or not stack:
            continue
        if fr.UNLOCK.match(stack[0].function):
            tally.at("lock", ENDED, where(stack)[0], ns / 1e9).count += count
            continue
        told = stay(stack, "")
        found = tally.at(
            told.what, told.reason, told.frame, ns / 1e9, via=told.via, by_design=told.sort != "work"
        )
        found.count += count
    if ended.seconds:
        return tally.places(kind, "goroutines", tally.total, 1 / ended.seconds)
    return tally.places(kind, "s", tally.total)
