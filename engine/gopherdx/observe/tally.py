"""Sums by place, and which of them are worth telling: the makings of ``Overview.places``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from gopherdx import frames as fr
from gopherdx.model import Location, Place, What
from gopherdx.observe.scheduler import quantile_ns

# What a share counts for when places are put in order. A wait for the other side, or for goroutines that
# work, says less of this program than one for a lock; whoever is ready waits for those who compute.
_COUNTS: dict[What, float] = {"network": 0.7, "sync": 0.7, "sleep": 0.7, "runnable": 0.5, "other": 0.2}
GREW = 1.5
GREW_LEAST = 10
ENDED = "waits ended here"  # of mutex profiles: the place is the Unlock
POOL = "database/sql.(*DB).conn"
LEAST_SHARE = 0.01
MOST = 5  # of each sort
MOST_BY_DESIGN = 3

Key = tuple[What, str, str, str, bool]


@dataclass(slots=True)
class Sum:
    """What adds up at one place. ``value`` is in the unit that places are made with; ``at_start`` is -1 where
    it cannot be told.
    """

    value: float = 0.0
    count: int = 0
    max_ns: int = 0
    at_start: int = 0
    at_end: int = 0
    histogram: Any = None
    frames: dict[fr.Frame, float] = field(default_factory=dict)

    @property
    def frame(self) -> fr.Frame | None:
        """The line that most of it is at."""
        return max(self.frames, key=lambda f: (self.frames[f], f), default=None)


class Tally:
    """Sums by what, reason, user's function, call that it waits in, and whether that is by design."""

    def __init__(self) -> None:
        self.sums: dict[Key, Sum] = {}

    def at(
        self,
        what: What,
        reason: str,
        frame: fr.Frame | None,
        value: float,
        *,
        via: str = "",
        by_design: bool = False,
    ) -> Sum:
        """Add a value at a place, and return what there is of it, for what else is to be added."""
        function = fr.plain(frame.function) if frame is not None else ""
        found = self.sums.setdefault((what, reason, function, via, by_design), Sum())
        found.value += value
        if frame is not None:
            found.frames[frame] = found.frames.get(frame, 0.0) + value
        return found

    @property
    def total(self) -> float:
        """All that was added."""
        return sum(s.value for s in self.sums.values())

    @property
    def by_design(self) -> float:
        """What of it is by design."""
        return sum(s.value for key, s in self.sums.items() if key[4])

    def places(
        self, artifact: str, unit: str, whole: float, scale: float = 1.0, *, told: tuple[str, ...] = ()
    ) -> list[Place]:
        """The largest of each sort, as shares of ``whole`` and values times ``scale``; ``told`` of
        ``at_start``, ``at_end``, ``stays`` are the fields that this artifact can fill.
        """
        whole = max(whole, self.total)
        kept: dict[tuple[What, bool], int] = {}
        out = []
        for key, found in sorted(self.sums.items(), key=lambda item: (-item[1].value, item[0])):
            what, reason, _, via, design = key
            if found.value <= 0 or whole <= 0 or found.value / whole < LEAST_SHARE:
                continue
            kept[what, design] = kept.get((what, design), 0) + 1
            if kept[what, design] > (MOST_BY_DESIGN if design else MOST):
                continue
            p50, p99, longest = _stays(found) if "stays" in told else (None, None, None)
            out.append(
                Place(
                    what=what,
                    reason=reason,
                    location=_location(found.frame),
                    via=via,
                    artifact=artifact,
                    value=rounded(found.value * scale),
                    unit=unit,
                    share=round(found.value / whole, 4),
                    count=found.count,
                    p50_ms=p50,
                    p99_ms=p99,
                    max_ms=longest,
                    at_start=found.at_start if "at_start" in told and found.at_start >= 0 else None,
                    at_end=found.at_end if "at_end" in told else None,
                    by_design=design,
                )
            )
        return out


def rounded(value: float) -> float:
    """Four digits that count."""
    return float(f"{value:.4g}")


def _stays(found: Sum) -> tuple[float | None, float | None, float | None]:
    if found.histogram is None or not found.histogram.any():
        return None, None, rounded(found.max_ns / 1e6) if found.max_ns else None
    p50, p99 = (min(quantile_ns(found.histogram, q), found.max_ns) / 1e6 for q in (0.5, 0.99))
    return rounded(p50), rounded(p99), rounded(found.max_ns / 1e6)


def _location(frame: fr.Frame | None) -> Location | None:
    if frame is None or not frame.function:
        return None
    return Location(fr.plain(frame.function), frame.file or None, frame.line or None)


def ordered(places: Iterable[Place], whole: dict[str, float]) -> list[Place]:
    """What costs most first, what is by design last; ``whole`` is what all of a unit counts for."""
    return sorted(places, key=lambda p: (p.by_design, -weight(p, whole), p.what, p.reason, _name(p), p.via))


def weight(place: Place, whole: dict[str, float]) -> float:
    """What a place counts for beside others."""
    counts = 1.0 if place.via == POOL else _COUNTS.get(place.what, 1.0)
    if grew(place) or _stuck(place):  # however busy the others are
        return place.share
    return place.share * counts * whole.get(place.unit, 1.0)


def grew(place: Place) -> bool:
    """Whether markedly more goroutines stand there at the end than at the start."""
    start, end = place.at_start, place.at_end
    return start is not None and end is not None and end >= max(GREW * start, start + GREW_LEAST)


def _stuck(place: Place) -> bool:
    """Whether several wait for each other and nobody has got on in the time of a trace."""
    told = place.what == "lock" or place.reason.startswith("chan send")
    return told and place.artifact == "trace" and place.count > 1 and place.count == place.at_end


def _name(place: Place) -> str:
    return place.location.function if place.location else ""
