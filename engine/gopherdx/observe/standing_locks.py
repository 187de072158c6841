"""Goroutines that stand before a mutex at a moment: where, how many mutexes, and who may be holding them.

No form names a lock's holder. Who may hold it: goroutines in a function that takes it, or in a method of the
same type, that do not wait for a mutex themselves. Where there are none, and the same goroutines still wait
later or have waited for minutes, it looks like a deadlock: those who wait hold what the others wait for. A
plain function that took the lock without a method of the type would not be seen; nothing is proved.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gopherdx import frames as fr
from gopherdx.observe.goroutines import Place, compared, places
from gopherdx.observe.said import Said, Sayer, place_of
from gopherdx.observe.standing import Moment, Standing, series

LOOKED = ("dump.lock_waiters", "lock.stuck")
_METHOD = re.compile(r"(.*\.\(?\*?[\w\[\].]+\)?)\.\w+(?:\.func[\d.]+)*$")


@dataclass(frozen=True, slots=True)
class Queue:
    """Goroutines that wait for a mutex in one user's function.

    ``mutexes`` is how many different ones, 0 where not told. ``holder`` is where those stand who may hold it,
    with their number; None where there are none. ``stayed``: two or more, all of whom waited for the same
    mutexes at an earlier moment, when nobody seemed to hold them either.
    """

    place: Place
    mutexes: int
    holder: Place | None
    holders: int

    stayed: bool = False

    def stuck(self, moment: Moment) -> bool:
        """Whether nobody seems to be there who could unlock, and they wait for minutes or still."""
        ended = moment.why.startswith("fatal error: all goroutines are asleep")
        return self.holder is None and (ended or self.place.minutes >= 1 or self.stayed)


def of_capture(artifacts: Sequence[Any]) -> Said:
    """Observations by the user's function that waits, from the newest moment."""
    found = series(artifacts)
    if not found:
        return Said((), frozenset())
    now, before = found[0][-1], earlier(found)
    out = Sayer(now.kind, ("dump.lock_waiters",))
    if now.aged or before is not None:
        out.look("lock.stuck")
    for queue in queues(now, before):
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


def earlier(found: Sequence[Sequence[Moment]]) -> Moment | None:
    """The first moment of the most telling series, where it has two of one process."""
    first = found[0][0] if found else None
    return first if first is not None and compared(found[:1]) else None


def queues(moment: Moment, before: Moment | None = None) -> list[Queue]:
    """Who waits for mutexes, the most first; ``before`` is an earlier moment of the same process."""
    was = {q.place.function: q for q in queues(before)} if before is not None else {}
    return [_queue(p, moment, was.get(p.function)) for p in _waiting(moment)]


def _waiting(moment: Moment) -> list[Place]:
    joined: dict[str, Place] = {}
    for place in places(g for g in moment.groups if g.on_mutex):
        first = joined.setdefault(place.function, place)
        if first is not place:  # readers and writers of one RWMutex
            first.count += place.count
            first.minutes = max(first.minutes, place.minutes)
            first.groups += place.groups
    return sorted(joined.values(), key=lambda p: (-p.count, p.function))


def _queue(place: Place, moment: Moment, before: Queue | None) -> Queue:
    locks = [lock for group in place.groups for lock in group.locks]
    mutexes = len(set(locks)) if locks and all(locks) else 0
    maybe = places(g for g in moment.groups if not g.on_mutex and _may_hold(g, place.function))
    holder = maybe[0] if maybe else None
    stayed = before is not None and before.holder is None and _all_stayed(place, before.place)
    return Queue(place, mutexes, holder, sum(p.count for p in maybe), stayed)


def _all_stayed(place: Place, before: Place) -> bool:
    now, was = _waits(place), _waits(before)
    return len(was) > 1 and was <= now


def _waits(place: Place) -> set[tuple[int, int]]:
    """Each goroutine with its mutex (0 where not told)."""
    return {pair for g in place.groups for pair in zip(g.ids, g.locks, strict=True)}


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
