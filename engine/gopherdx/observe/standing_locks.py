"""Goroutines that stand before a mutex at a moment: where, how many mutexes, and who may be holding them.

No form names a lock's holder. Who may hold it: goroutines in a function that takes it, or in a method of the
same type, that do not wait for a mutex themselves. Where there are none and the waits are minutes old, those
who wait hold what the others wait for: a deadlock.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gopherdx import frames as fr
from gopherdx.observe.goroutines import Place, places
from gopherdx.observe.said import Said, Sayer, place_of
from gopherdx.observe.standing import Moment, Standing, series

LOOKED = ("dump.lock_waiters", "lock.stuck")
_METHOD = re.compile(r"(.*\.\(?\*?[\w\[\].]+\)?)\.\w+(?:\.func[\d.]+)*$")


@dataclass(frozen=True, slots=True)
class Queue:
    """Goroutines that wait for a mutex in one user's function.

    ``mutexes`` is how many different ones, 0 where not told. ``holder`` is where those stand who may hold it,
    with their number; None where there are none.
    """

    place: Place
    mutexes: int
    holder: Place | None
    holders: int

    def stuck(self, moment: Moment) -> bool:
        """Whether nobody seems to be there who could unlock, and they have waited for minutes or for ever."""
        ended = moment.why.startswith("fatal error: all goroutines are asleep")
        return self.holder is None and (ended or self.place.minutes >= 1)


def of_capture(artifacts: Sequence[Any]) -> Said:
    """Observations by the user's function that waits, from the newest moment."""
    found = series(artifacts)
    if not found:
        return Said((), frozenset())
    now = found[0][-1]
    out = Sayer(now.kind, ("dump.lock_waiters",))
    if now.aged:
        out.look("lock.stuck")
    for queue in queues(now):
        say = out.about(queue.place.function, place_of(queue.place.frame), "goroutines before a mutex")
        say("dump.lock_waiters", queue.place.count, "goroutines")
        say("dump.lock_holders", queue.holders, "goroutines")
        if queue.mutexes:
            say("dump.lock_mutexes", queue.mutexes, "mutexes")
        if now.aged:
            say("dump.lock_minutes", queue.place.minutes, "min")
        if queue.stuck(now):
            say("lock.stuck", queue.place.count, "goroutines")
    return out.done()


def queues(moment: Moment) -> list[Queue]:
    """Who waits for mutexes, the most first."""
    return [_queue(p, moment) for p in _waiting(moment)]


def _waiting(moment: Moment) -> list[Place]:
    joined: dict[str, Place] = {}
    for place in places(g for g in moment.groups if g.on_mutex):
        first = joined.setdefault(place.function, place)
        if first is not place:  # readers and writers of one RWMutex
            first.count += place.count
            first.minutes = max(first.minutes, place.minutes)
            first.groups += place.groups
    return sorted(joined.values(), key=lambda p: (-p.count, p.function))


def _queue(place: Place, moment: Moment) -> Queue:
    locks = [lock for group in place.groups for lock in group.locks]
    mutexes = len(set(locks)) if locks and all(locks) else 0
    maybe = places(g for g in moment.groups if not g.on_mutex and _may_hold(g, place.function))
    return Queue(place, mutexes, maybe[0] if maybe else None, sum(p.count for p in maybe))


def _may_hold(group: Standing, function: str) -> bool:
    """Whether it stands in that function, or in a method of the same type."""
    of_type = _METHOD.match(function)
    for frame in group.stack:
        name = fr.plain(frame.function)
        if name == function:
            return True
        if of_type is not None and "(" in of_type[1] and name.startswith(of_type[1] + "."):
            return True
    return False
