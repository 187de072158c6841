"""What goroutines do at a moment: how many, in which states, where most of them wait, and where they grow.

Idle by design is told apart: connections that wait for the next request, accept loops and the runtime's own.
A pool of workers that waits for work and goroutines stuck in a receive look the same at one moment; what is
said of both is where they wait, not that it is wrong.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from gopherdx import frames as fr
from gopherdx.observe.said import Said, Sayer, place_of
from gopherdx.observe.standing import Moment, Standing, minutes_between, moments, of_same_process, series

DOMINANT_SHARE = 0.2
DOMINANT_LEAST = 10
STATES = {
    "chan send": "goroutines.chan_send",
    "chan receive": "goroutines.chan_receive",
    "select": "goroutines.select",
    "IO wait": "goroutines.io_wait",
    "sleep": "goroutines.sleep",
    "syscall": "goroutines.syscall",
    "running": "goroutines.running",
    "runnable": "goroutines.runnable",
    "sync.WaitGroup.Wait": "goroutines.wait_group",
    "sync.Cond.Wait": "goroutines.cond",
}
"""States that are counted for the process; waits for mutexes, whichever, are goroutines.mutex."""


@dataclass(slots=True)
class Place:
    """Goroutines in one state at one user's function."""

    state: str | None
    function: str
    frame: fr.Frame
    count: int = 0
    minutes: int = 0
    groups: list[Standing] = field(default_factory=list)


def of_capture(artifacts: Sequence[Any]) -> Said:
    """Counts, states, where most wait, growth between moments, and what the runtime proved to be leaked."""
    found = series(artifacts)
    parts = [_of_moment(found[0][-1]), _growth(found)] if found else []
    parts.append(_leaked(artifacts))
    return Said(
        tuple(item for part in parts for item in part.items),
        frozenset(name for part in parts for name in part.looked),
    )


def places(groups: Iterable[Standing]) -> list[Place]:
    """Goroutines by state and innermost user's function, the most first; those without one are left out."""
    found: dict[tuple[str | None, str], Place] = {}
    for group in groups:
        frame = fr.user_frame(group.stack)
        if frame is None:
            continue
        key = (group.state, fr.plain(frame.function))
        place = found.setdefault(key, Place(*key, frame))
        place.count += group.count
        place.minutes = max(place.minutes, max(group.minutes, default=0))
        place.groups.append(group)
    return sorted(found.values(), key=lambda p: (-p.count, p.function, p.state or ""))


def dominant(moment: Moment) -> list[Place]:
    """Places where a good part of all goroutines wait, the largest first; running ones are no such place."""
    least = max(DOMINANT_LEAST, DOMINANT_SHARE * moment.total)
    return [p for p in places(moment.groups) if p.count >= least and p.state not in ("running", "runnable")]


def idle_connections(moment: Moment) -> int:
    """Goroutines of net/http that wait on a connection for what comes next, none in a user's function."""
    return sum(g.count for g in moment.groups if _is_idle_connection(g))


def _is_idle_connection(group: Standing) -> bool:
    if fr.user_frame(group.stack) is not None or group.state not in ("IO wait", "select", None):
        return False
    return any(fr.IDLE_CONNECTION.match(frame.function) for frame in group.stack)


def _of_moment(moment: Moment) -> Said:
    out = Sayer(moment.kind, ("goroutines.total", "goroutines.dominant"))
    out.say("goroutines.total", moment.total, "goroutines", locator="all but the recorder's")
    counts: dict[str, int] = defaultdict(int)
    for group in moment.groups:
        name = "goroutines.mutex" if group.on_mutex else STATES.get(group.state or "")
        if name:
            counts[name] += group.count
    for name, count in counts.items():
        out.say(name, count, "goroutines", locator="goroutines in this state")
    out.say("goroutines.idle_connections", idle_connections(moment), "goroutines", locator="net/http")
    told: set[str] = set()
    for place in dominant(moment):
        if place.function in told:
            continue
        told.add(place.function)
        say = out.about(place.function, place_of(place.frame), place.state or "state not told")
        say("goroutines.dominant", place.count, "goroutines")
        say("goroutines.dominant_share", place.count / max(moment.total, 1), "share")
        if moment.aged:
            say("goroutines.dominant_minutes", place.minutes, "min")
    return out.done()


def _growth(found: Sequence[Sequence[Moment]]) -> Said:
    """How many more there are than at the moment before, in all and by user's function."""
    pair = compared(found)
    if pair is None:
        return Said((), frozenset())
    before, after = pair
    out = Sayer(after.kind, ("goroutines.growth", "goroutines.growth_at"))
    out.say("goroutines.growth", after.total - before.total, "goroutines", locator="since the first moment")
    minutes = minutes_between(before, after)
    if minutes > 0:
        rate = (after.total - before.total) / minutes
        out.say("goroutines.growth_per_min", rate, "goroutines a minute", locator="since the first moment")
    was = _by_function(before)
    for function, place in _by_function(after).items():
        more = place.count - (was[function].count if function in was else 0)
        if more >= DOMINANT_LEAST:
            say = out.about(function, place_of(place.frame), place.state or "state not told")
            say("goroutines.growth_at", more, "goroutines")
    return out.done()


def compared(found: Sequence[Sequence[Moment]]) -> tuple[Moment, Moment] | None:
    """The first and the last moment of the most telling series that has two of one process."""
    for of_form in found:
        if len(of_form) > 1 and of_same_process(of_form[0], of_form[-1]):
            return of_form[0], of_form[-1]
    return None


def _by_function(moment: Moment) -> dict[str, Place]:
    """All goroutines of a function, whatever they wait for; what most of them do stands for them."""
    found: dict[str, Place] = {}
    for place in places(moment.groups):
        if place.function in found:
            found[place.function].count += place.count
        else:
            found[place.function] = place
    return found


def _leaked(artifacts: Sequence[Any]) -> Said:
    """What nothing can wake any more, as the runtime proved (``goroutineleak``).

    Only what it lists is said. It proves nothing of what it leaves out (a channel that anything living still
    refers to might be used), so a leak that is not there was never looked for.
    """
    proof = [m for m in moments(artifacts) if any(g.leaked for g in m.groups)]
    if not proof:
        return Said((), frozenset())
    # The profile and the marks in a dump may tell the same goroutines: the newest of either is enough.
    last = max(proof, key=lambda m: (m.kind == "goroutineleak", sum(g.count for g in m.groups if g.leaked)))
    out = Sayer(last.kind, ())
    leaked = [g for g in last.groups if g.leaked]
    out.say("goroutines.leaked", sum(g.count for g in leaked), "goroutines", locator="proved by the runtime")
    told: set[str] = set()
    for place in places(leaked):
        say = out.about(place.function, place_of(place.frame), f"leaked in {place.state or 'a wait'}")
        if place.state == "chan send":
            say("leak.sends", place.count, "goroutines")
        if place.function not in told:
            told.add(place.function)
            say("leak.goroutines", place.count, "goroutines")
    return out.done()
