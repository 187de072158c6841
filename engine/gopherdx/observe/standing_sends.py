"""Goroutines that stand in a channel send at a moment: how many, since when, and whether others get past it.

Names begin with ``dump.``: a moment has no rate and no end of a wait, as a trace has (observe/sends.py). What
tells a leak from back-pressure here is age, the same goroutines at a later moment, or growth. A send that
takes a permit (a buffered channel as a semaphore) is told by those that got past it: they stand further on in
the same function.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gopherdx import frames as fr
from gopherdx.observe.goroutines import compared
from gopherdx.observe.said import Said, Sayer, place_of
from gopherdx.observe.standing import Moment, Standing, minutes_between, series

SENDING = "chan send"
LONG_MINUTES = 5
_FEW = 2  # a generator or two may stand in a send at any time
_CALLERS = 3  # a permit is taken in a function of its own now and then: look at this many callers too


@dataclass(slots=True)
class _Site:
    frame: fr.Frame
    groups: list[Standing] = field(default_factory=list)

    @property
    def count(self) -> int:
        return sum(g.count for g in self.groups)

    @property
    def ids(self) -> set[int]:
        return {i for g in self.groups for i in g.ids}

    def aged(self, minutes: int) -> int:
        return sum(g.aged(minutes) for g in self.groups)


def of_capture(artifacts: Sequence[Any]) -> Said:
    """Observations by the function that sends, from the newest moment and from the first to the newest."""
    found = series(artifacts)
    now = next((of_form[-1] for of_form in found if of_form[-1].sends_known), None)
    if now is None:
        return Said((), frozenset())
    out = Sayer(now.kind, ("dump.send_stuck", "dump.send_past"))
    if now.aged:
        out.look("dump.send_aged", "dump.send_aged_share", "dump.send_long")
    sites = _sites(now)
    for function, site in sites.items():
        say = out.about(function, place_of(site.frame), "goroutines in chan send")
        say("dump.send_stuck", site.count, "goroutines")
        say("dump.send_share", site.count / max(now.total, 1), "share")
        say("dump.send_past", _past(site, now), "goroutines")
        if now.aged:
            say("dump.send_aged", site.aged(1), "goroutines")
            say("dump.send_aged_share", site.aged(1) / site.count, "share")
            say("dump.send_long", site.aged(LONG_MINUTES), "goroutines")
            say("dump.send_minutes", max(m for g in site.groups for m in g.minutes), "min")
    pair = compared([of_form for of_form in found if all(m.sends_known for m in of_form)])
    if pair is not None:
        _growth(out, *pair)
    return out.done()


def _growth(out: Sayer, before: Moment, after: Moment) -> None:
    """More senders than before, and how many of those before still stand there.

    Of a place where none stood before, or so few that they may be others, nothing is said: whether its sends
    end, two moments show no better than one.
    """
    was = {f: site for f, site in _sites(before).items() if site.count > _FEW}
    now, minutes = _sites(after), minutes_between(before, after)
    if now.keys() <= was.keys():
        out.look("dump.send_growth", "dump.send_growth_factor")
    for function, site in now.items():
        earlier = was.get(function)
        if earlier is None:
            continue
        more = site.count - earlier.count
        say = out.about(function, place_of(site.frame), "goroutines in chan send, first moment to last")
        say("dump.send_before", earlier.count, "goroutines")
        say("dump.send_growth", more, "goroutines")
        say("dump.send_growth_factor", site.count / earlier.count, "x")
        if minutes > 0:
            say("dump.send_growth_per_min", more / minutes, "goroutines a minute")
        if earlier.ids:
            stayed = len(earlier.ids & site.ids)
            say("dump.send_stayed", stayed, "goroutines")
            say("dump.send_stayed_share", stayed / len(earlier.ids), "share")


def _sites(moment: Moment) -> dict[str, _Site]:
    """Where goroutines send, by user's function. A send to a nil channel is another bug, and not counted."""
    found: dict[str, _Site] = {}
    heaviest: dict[str, int] = defaultdict(int)
    for group in moment.groups:
        frame = fr.user_frame(group.stack) if group.state == SENDING else None
        if frame is None:
            continue
        name = fr.plain(frame.function)
        site = found.setdefault(name, _Site(frame))
        site.groups.append(group)
        if group.count > heaviest[name]:
            heaviest[name] = group.count
            site.frame = frame
    return dict(sorted(found.items()))


def _past(site: _Site, moment: Moment) -> int:
    """How many stand further on in a function that sends, and not in a send: theirs was taken.

    A lower line is further on, as long as nothing jumps back. A sender whose function asks first and sends
    the answer has peers too, but before the send.
    """
    lines: dict[tuple[str, str], int] = {}
    for group in site.groups:
        for frame in fr.user_frames(group.stack)[:_CALLERS]:
            key = (fr.plain(frame.function), frame.file)
            lines[key] = min(lines.get(key, frame.line), frame.line)
    past = [g for g in moment.groups if g.state != SENDING and any(_is_past(f, lines) for f in g.stack)]
    # Each call may have a channel of its own: those that got past theirs a moment ago hold no permit that
    # others have waited for for minutes.
    return sum(g.aged(1) if moment.aged else g.count for g in past)


def _is_past(frame: fr.Frame, lines: dict[tuple[str, str], int]) -> bool:
    line = lines.get((fr.plain(frame.function), frame.file))
    return line is not None and frame.line > line
