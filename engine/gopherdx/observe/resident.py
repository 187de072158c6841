"""Where the process's memory is: alive, dead, kept by the runtime, given back but still counted, not Go's.

RSS is what the kernel counts, ``total - released`` what the runtime holds (metrics of /memory/classes). What
the runtime keeps beyond its heap goal is memory that was freed: spans that are free and not yet scavenged,
and room between few objects on many spans. What it has given back and the kernel counts all the same is
MADV_FREE (``GODEBUG=madvdontneed=0``), or transparent huge pages. What is beyond both is not Go's: C, mapped
files.

Measured with Go 1.21 to 1.27 on Linux: after a peak of 300 MB the background scavenger gave all free spans
back within some seconds, once a collection had seen that they are free; spans with an object on each stayed
for good.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gopherdx.observe.metrics import GOAL, MB, NO_GOAL, OBJECTS, live_bytes
from gopherdx.observe.said import Said, Sayer
from gopherdx.observe.snapshots import stretch

if TYPE_CHECKING:
    from gopherdx.artifacts.metrics import Metrics

RSS = "/process/resident_memory:bytes"
TOTAL = "/memory/classes/total:bytes"
RELEASED = "/memory/classes/heap/released:bytes"
FREE = "/memory/classes/heap/free:bytes"
UNUSED = "/memory/classes/heap/unused:bytes"
STACKS = ("/memory/classes/heap/stacks:bytes", "/memory/classes/os-stacks:bytes")

LOOKED = (
    "memory.go_mb", "memory.live_mb", "memory.objects_mb", "memory.free_mb", "memory.unused_mb",
    "memory.released_mb", "memory.kept_mb", "memory.kept_ratio",
)  # fmt: skip
LOOKED_WITH_RSS = ("memory.rss_mb", "memory.kept_share", "memory.outside_mb", "memory.outside_share")

# The program itself and its libraries are in RSS too, and are no memory that it allocated.
_IMAGE_BYTES = 16 * MB
# The scavenger leaves a tenth more than the goal (GOROOT/src/runtime/mgcscavenge.go, retainExtraPercent).
_RETAINED = 1.1
# Which of the three a finding names: the one that is more than half of what is kept.
_MOST = 0.5


@dataclass(frozen=True, slots=True)
class Memory:
    """The memory of one moment in bytes; ``rss`` None where it is not told.

    ``free`` and ``unused`` are what the heap keeps beyond its goal, as spans without objects and as room on
    spans with few; ``lazy`` is what was given back and is still counted; ``outside`` is not Go's.
    """

    rss: float | None
    go: float
    live: float
    free: float
    unused: float
    lazy: float
    outside: float

    @property
    def kept(self) -> float:
        return self.free + self.unused + self.lazy


def memory_of(m: Metrics) -> Memory | None:
    """The memory of one snapshot; None where the heap's classes are not in it."""
    v = m.values
    live = live_bytes(m)
    if live is None or not {TOTAL, RELEASED, FREE, UNUSED, OBJECTS} <= v.keys():
        return None
    go = max(v[TOTAL] - v[RELEASED], 0.0)
    goal = v.get(GOAL) or 2 * v[OBJECTS]
    heap = v[OBJECTS] + v[UNUSED] + v[FREE]
    beyond = max(heap - _RETAINED * min(goal, NO_GOAL), 0.0)
    rss = v.get(RSS) or None
    lazy = outside = 0.0
    if rss is not None:
        # Spans that were made and never written are no memory yet.
        beyond = min(beyond, max(rss - live, 0.0))
        over = max(rss - go - _IMAGE_BYTES, 0.0)
        lazy = min(over, v[RELEASED])
        outside = over - lazy
    unused = min(v[UNUSED], beyond)
    return Memory(rss, go, live, min(v[FREE], beyond - unused), unused, lazy, outside)


def of_metrics(artifacts: Sequence[Metrics]) -> Said:
    """Memory of the process at that moment of these at which the runtime kept most, by where it is."""
    s = stretch(artifacts)
    moments = [(memory, m) for m in s.snapshots if (memory := memory_of(m)) is not None]
    if not moments:
        return Said((), frozenset())
    memory, m = max(moments, key=lambda pair: pair[0].kept)
    out = Sayer("metrics", LOOKED)
    out.say("memory.go_mb", memory.go / MB, "MB", locator=f"{TOTAL} - {RELEASED}")
    out.say("memory.live_mb", memory.live / MB, "MB", locator="/gc/heap/live:bytes")
    out.say("memory.objects_mb", m.values[OBJECTS] / MB, "MB", locator=OBJECTS)
    out.say("memory.free_mb", m.values[FREE] / MB, "MB", locator=FREE)
    out.say("memory.unused_mb", m.values[UNUSED] / MB, "MB", locator=UNUSED)
    out.say("memory.released_mb", m.values[RELEASED] / MB, "MB", locator=RELEASED)
    out.say("memory.stacks_mb", sum(m.values.get(n, 0.0) for n in STACKS) / MB, "MB", locator="stacks")
    live = max(memory.live, MB)
    out.say("memory.kept_mb", memory.kept / MB, "MB", locator="free, unused and still counted")
    out.say("memory.kept_ratio", memory.kept / live, "x live heap", locator="kept / live")
    _most(memory, out)
    whole = memory.rss or max(memory.go, MB)
    out.say(
        "memory.live_share",
        min(memory.live / whole, 1.0),
        "share of the memory",
        locator="live / RSS or Go's",
    )
    if memory.rss is not None:
        out.look(*LOOKED_WITH_RSS)
        out.say("memory.kept_share", memory.kept / memory.rss, "share of RSS", locator="kept / RSS")
        out.say("memory.rss_mb", memory.rss / MB, "MB", locator=RSS)
        out.say("memory.rss_ratio", memory.rss / live, "x live heap", locator=f"{RSS} / live")
        out.say("memory.outside_mb", memory.outside / MB, "MB", locator=f"{RSS} - Go's own")
        out.say("memory.outside_share", memory.outside / memory.rss, "share of RSS", locator=RSS)
    _growth([pair[0] for pair in moments], s.seconds, out)
    return out.done()


def _most(memory: Memory, out: Sayer) -> None:
    """Names the one of the three ways to keep memory that explains most of it: each has its own remedy."""
    ways = (("memory.kept_free_mb", memory.free), ("memory.kept_unused_mb", memory.unused),
            ("memory.kept_lazy_mb", memory.lazy))  # fmt: skip
    for name, value in ways:
        if value > _MOST * memory.kept:
            out.say(name, value / MB, "MB", locator="most of what is kept")


def _growth(moments: Sequence[Memory], seconds: float | None, out: Sayer) -> None:
    if seconds is not None and len(moments) > 1:
        more = (moments[-1].live - moments[0].live) / MB
        out.say(
            "memory.live_growth_mb_per_min", more / seconds * 60, "MB a minute", locator="/gc/heap/live:bytes"
        )
