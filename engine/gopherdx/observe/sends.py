"""Goroutines stuck in a channel send: how many, since when, and whether there are ever more of them.

In a flowing pipeline each send ends soon (back-pressure). One that nobody will receive does not end: it is
open at the recording's end, and far older than the sends that did end at the same place.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gopherdx import frames as fr
from gopherdx.observe.said import Said, Sayer, place_of
from gopherdx.observe.scheduler import never_ran_unplaced

if TYPE_CHECKING:
    from gopherdx.artifacts.trace.tables import Trace, Waits

LOOKED = (
    "send.stuck",
    "send.growth_per_min",
    "send.age_ratio",
    "send.older_share",
    "send.ended_per_s",
    "send.stuck_age_s",
)
UNPLACED = 5  # fewer are main, signal handling and the like
SEND = re.compile(r"runtime\.chansend1?$")


@dataclass(slots=True)
class _Site:
    frame: fr.Frame
    started: int = 0  # stuck since some time in the recording
    before: int = 0  # stuck since before it
    age_ns: int = 0
    ended: int = 0
    ended_ns: int = 0
    longest_ended_ns: int = 0
    old: int = 0  # of those stuck, older than the longest that ended


def of_trace(trace: Trace) -> Said:
    """Observations by the function that sends.

    Where goroutines never ran and the trace does not tell where they wait (Go 1.22), it cannot show that
    nobody is stuck: nothing counts as looked for then.
    """
    blind = never_ran_unplaced(trace) >= UNPLACED
    out = Sayer("trace", () if blind else LOOKED)
    duration_s = max(trace.duration_ns, 1) / 1e9
    for name, site in sorted(_sites(trace).items()):
        stuck = site.started + site.before
        if not stuck:
            continue
        age_s = site.age_ns / stuck / 1e9
        # Nothing ended here: measured against a tenth of a second, longer than a healthy send takes.
        ended_s = max(site.longest_ended_ns / 1e9, 0.1 if not site.ended else 0.01)
        say = out.about(name, place_of(site.frame), "chan send without an end")
        say("send.stuck", stuck, "goroutines")
        say("send.stuck_before", site.before, "goroutines")
        say("send.growth_per_min", site.started / duration_s * 60, "goroutines a minute")
        say("send.stuck_age_s", age_s, "s")
        say("send.age_ratio", age_s / ended_s, "x")
        say("send.older", site.old, "goroutines")
        say("send.older_share", site.old / stuck, "share")
        say("send.ended", site.ended, "sends")
        say("send.ended_per_s", site.ended / duration_s, "1/s")
        say("send.ended_share", site.ended / (site.ended + stuck), "share")
    return out.done()


def _sites(trace: Trace) -> dict[str, _Site]:
    sites: dict[str, _Site] = {}
    heaviest: dict[str, int] = defaultdict(int)
    for wait in trace.waits:
        if not _is_send(trace, wait):
            continue
        frame = fr.user_frame(trace.stack(wait.stack))
        if frame is None:
            continue
        name = fr.plain(frame.function)
        site = sites.setdefault(name, _Site(frame))
        site.started += wait.open_end
        site.before += wait.open_both
        site.age_ns += wait.open_end_ns + wait.open_both_ns
        site.ended += wait.count + wait.open_start
        site.ended_ns += wait.ns + wait.open_start_ns
        site.longest_ended_ns = max(site.longest_ended_ns, wait.max_ns)
        site.old += wait.open_both + wait.open_end_old
        open_now = wait.open_end + wait.open_both
        if open_now > heaviest[name]:
            heaviest[name] = open_now
            site.frame = frame
    return sites


def _is_send(trace: Trace, wait: Waits) -> bool:
    if wait.reason == "chan send":
        return True
    return wait.reason == "" and any(SEND.match(f.function) for f in trace.stack(wait.stack)[:4])
