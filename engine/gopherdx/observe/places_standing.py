"""Where goroutines stand at a moment, by place: dumps and goroutine profiles, and growth between two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gopherdx import frames as fr
from gopherdx.model import Place, What
from gopherdx.observe.design import MANY, Stay, is_own, stay
from gopherdx.observe.goroutines import compared
from gopherdx.observe.standing import Moment, Standing, series
from gopherdx.observe.standing_locks import queues
from gopherdx.observe.tally import GREW, GREW_LEAST, Key, Tally

_RUNS = ("running", "runnable")


@dataclass(frozen=True, slots=True)
class Stood:
    """Places in goroutines, and their sums: all that there are, and those idle by design.

    ``mutexes`` are how many those who wait in a function wait for, 0 where not told.
    """

    goroutines: list[Place] = field(default_factory=list)
    total: int = 0
    by_design: int = 0
    mutexes: Mapping[str, int] = field(default_factory=dict)


def of_capture(artifacts: Sequence[Any]) -> Stood:
    """The newest moment, and where there are two of one process, how many stood there in the first."""
    found = series(artifacts)
    if not found or not found[0][-1].total:
        return Stood()
    pair = compared(found)
    now = found[0][-1] if pair is None else pair[1]
    before = _counts(pair[0], {}) if pair else Tally()
    was: dict[tuple[str, ...], int] = {}
    for key, counted in before.sums.items():
        was[_place(key)] = was.get(_place(key), 0) + counted.at_end
    tally = _counts(now, was if pair else {})
    for key, counted in tally.sums.items():
        counted.at_start = was.get(_place(key), 0)
    told = ("at_end", *(("at_start",) if pair else ()), *(("stays",) if now.aged else ()))
    places = tally.places(now.kind, "goroutines", now.total, told=told)
    mutexes = {queue.place.function: queue.mutexes for queue in queues(now)}
    return Stood(places, now.total, round(tally.by_design), mutexes)


def _place(key: Key) -> tuple[str, ...]:
    what, reason, function, via, _ = key
    return what, reason, function, via


def _counts(moment: Moment, was: dict[tuple[str, ...], int]) -> Tally:
    """Goroutines by place; ``was`` are those of an earlier moment, where there is one."""
    stays = [(group, _stay(group)) for group in moment.groups]
    here: dict[tuple[str, ...], int] = {}
    for group, told in stays:
        name = told.frame.function if told.frame else ""
        here[told.what, told.reason, name] = here.get((told.what, told.reason, name), 0) + group.count
    tally = Tally()
    for group, told in stays:
        name = told.frame.function if told.frame else ""
        now = here[told.what, told.reason, name]
        before = was.get((told.what, told.reason, fr.plain(name), told.via), now if not was else 0)
        loop = told.sort == "loop" and now < MANY and now < max(GREW * before, before + GREW_LEAST)
        found = tally.at(
            told.what,
            told.reason,
            told.frame,
            group.count,
            via=told.via,
            by_design=told.sort == "idle" or loop or told.own,
        )
        found.count += group.count
        found.at_end += group.count
        found.max_ns = max(found.max_ns, max(group.minutes, default=0) * 60_000_000_000)
    return tally


def _stay(group: Standing) -> Stay:
    if group.state in _RUNS:
        told = stay(group.stack, "runnable")
        what: What = "cpu" if group.state == "running" else "runnable"
        return Stay(what, group.state or "", told.frame, told.via, "work", is_own(group.stack))
    return stay(group.stack, group.state)
