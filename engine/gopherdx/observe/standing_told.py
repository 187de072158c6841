"""What dumps and goroutine profiles show, in a sentence: how many goroutines, and where most stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gopherdx.observe.goroutines import compared, dominant, idle_connections
from gopherdx.observe.standing import Moment, moments, series
from gopherdx.observe.standing_locks import Queue, earlier, queues

_PARTS = 4
_QUEUE_LEAST = 3  # fewer before a mutex is everyday life, unless they are stuck
_IDLE_LEAST = 10


def tell(artifacts: Sequence[Any]) -> str:
    """A sentence's worth of text, "" where no artifact shows goroutines at a moment."""
    found = series(artifacts)
    parts = [_moment(found[0])] if found else []
    pair = compared(found)
    if pair is not None:
        parts.append(_change(pair[1].total - pair[0].total))
    if found:
        parts += _places(found[0][-1], earlier(found))[:_PARTS]
    parts += _leaked(artifacts)
    single = [a for a in artifacts if a.kind == "goroutine-dump" and not a.whole]
    if not found and single:
        parts.append(_single(len(single)))
    return "; ".join(parts)


def newest_total(artifacts: Sequence[Any]) -> int | None:
    """Goroutines at the newest moment, None where none is shown."""
    found = series(artifacts)
    return found[0][-1].total if found else None


def _moment(of_form: Sequence[Moment]) -> str:
    what = "goroutine profile" if of_form[0].form == "profile" else "goroutine dump"
    many = f"{len(of_form)} {what}s" if len(of_form) > 1 else what
    last = " in the last" if len(of_form) > 1 else ""
    total = of_form[-1].total
    if not total:
        return f"{many}, no goroutine but the one that recorded it{last}"
    return f"{many}, {total:,} goroutine{'s' if total > 1 else ''}{last}"


def _change(more: int) -> str:
    return (
        f"{more:,} more than at first"
        if more > 0
        else f"{-more:,} fewer than at first"
        if more
        else "as many as at first"
    )


def _places(moment: Moment, before: Moment | None) -> list[str]:
    waiting = queues(moment, before)
    told = [_queue(q, moment) for q in waiting if q.place.count >= _QUEUE_LEAST or q.stuck(moment)]
    for place in dominant(moment):
        if not place.groups[0].on_mutex:
            where = f"in {place.state}" if place.state else "wait"
            told.append(f"{place.count:,} {where} in {place.function}{_age(moment, place.minutes)}")
    idle = idle_connections(moment)
    if idle >= _IDLE_LEAST:
        told.append(f"{idle:,} of net/http's own wait on connections")
    return told


def _queue(queue: Queue, moment: Moment) -> str:
    place = queue.place
    mutex = (
        "a mutex" if not queue.mutexes else "one mutex" if queue.mutexes == 1 else f"{queue.mutexes} mutexes"
    )
    verb = "waits" if place.count == 1 else "wait"
    text = f"{place.count:,} {verb} for {mutex} in {place.function}{_age(moment, place.minutes)}"
    if queue.stuck(moment):
        return text + ", and no other goroutine stands in that function or in a method of its type"
    if queue.holder is not None:
        state = f" ({queue.holder.state})" if queue.holder.state else ""
        text += f", perhaps held in {queue.holder.function}{state}"
    return text


def _age(moment: Moment, minutes: int) -> str:
    if not moment.aged:
        return ""
    return f" for up to {minutes:,} minutes" if minutes else ", none for a minute"


def _leaked(artifacts: Sequence[Any]) -> list[str]:
    profiles = moments(artifacts, "goroutineleak")
    if not profiles:
        return []
    total = profiles[-1].total
    if total:
        return [f"the leak profile lists {total:,} goroutines that nothing can wake any more"]
    return ["the leak profile is empty, which proves nothing"]


def _single(count: int) -> str:
    what = "the stack of one goroutine" if count == 1 else f"{count:,} stacks of one goroutine each"
    return f"{what}, which says nothing of the others"
