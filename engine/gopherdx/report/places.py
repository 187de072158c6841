"""Where the time goes, as a few aligned lines: what costs most first, each with its share and its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from gopherdx import frames as fr
from gopherdx.model import Overview, Place

HEADING = "Where the time goes"
LINES = 7
_LEAST = 0.03
_MOST = {"cores": 3, "goroutines": 3, "s": 3, "bytes": 2}
_CLASSES = {"cores": "cpu", "goroutines": "waiting", "s": "waiting", "bytes": "memory"}
_ELLIPSIS = ".."
_NAMES = {"cpu": "CPU", "gc": "GC"}
_UNTOLD = 0.1  # of all goroutines: where they wait at a place that nothing tells
_MUCH = 8 << 20  # bytes: less is not worth a line beside times
_POOL = "database/sql.(*DB).conn"
# Less of a core, or of a goroutine, is not worth a line beside others.
_LEAST_VALUE = {"cores": 0.01, "goroutines": 0.1}


@dataclass(frozen=True, slots=True)
class Line:
    """One place: what it is, how much, its share, the function, and notes in the order of their worth."""

    what: str
    amount: str
    share: str
    function: str
    notes: tuple[str, ...]

    def where(self, room: int) -> str:
        """The function and as many notes as there is room for."""
        text = shortened(self.function, room)
        for note in self.notes:
            if len(text) + 2 + len(note) <= room:
                text += f"  {note}"
        return text


def heading(overview: Overview) -> str:
    """The block's heading, with what the shares are shares of."""
    if overview.places and all(place.what == "memory" for place in overview.places):
        return "Where the memory goes"
    parts = []
    if overview.cpus_used is not None:
        procs = overview.gomaxprocs
        of = f" of {procs} P{'' if procs == 1 else 's'}" if procs else " cores"
        parts.append(f"{number(overview.cpus_used)}{of} used")
    if overview.goroutines_mean:
        idle = overview.by_design_mean or 0.0
        many = f"{number(overview.goroutines_mean)} goroutines"
        untold = sum(p.value for p in overview.places if p.unit == "goroutines" and p.location is None)
        if idle:
            many += f", {number(idle)} idle by design"
        if untold >= _UNTOLD * overview.goroutines_mean:
            many += f", {number(untold)} not told"
        parts.append(many)
    return f"{HEADING} ({'; '.join(parts)})" if parts else HEADING


def idle(overview: Overview) -> str:
    """What to say where everything waits by design."""
    places = [
        place for place in overview.places if place.by_design and place.location and place.unit != "cores"
    ]
    if not places:
        return ""
    most = max(places, key=lambda place: place.share)
    where = fr.short(most.location.function) if most.location else ""
    return f"nothing but waiting by design, {percent(most.share)} of it in {where}"


def lines(overview: Overview) -> list[Line]:
    """The places that a reader should see, at most ``LINES``."""
    chosen = list(_chosen(overview.places))
    time = [place for place in chosen if place.what != "memory"]
    much = [place for place in chosen if place.what == "memory" and place.value >= _MUCH]
    return [_line(place) for place in (time + much if time else chosen)[:LINES]]


def _chosen(places: Sequence[Place]) -> Iterator[Place]:
    """What is no idling, of the first artifact that tells; the first of its sort, and what is not small."""
    first: dict[tuple[str | None, str], str] = {}
    told: dict[tuple[str | None, str], int] = {}
    for place in places:
        key = (place.process, _class(place))
        if first.setdefault(key, place.artifact) != place.artifact or place.by_design:
            continue
        told[key] = told.get(key, 0) + 1
        little = place.share < _LEAST or place.value < _LEAST_VALUE.get(place.unit, 0.0)
        named = place.location is not None or place.what in ("gc", "memory")
        if named and (told[key] == 1 or (told[key] <= _MOST[place.unit] and not little)):
            yield place


def _class(place: Place) -> str:
    return "cpu" if place.what in ("cpu", "gc") and place.unit != "goroutines" else _CLASSES[place.unit]


def _line(place: Place) -> Line:
    what = "pool" if place.via == _POOL else _NAMES.get(place.what, place.what)
    return Line(what, _amount(place), percent(place.share), _function(place), tuple(_notes(place)))


def _function(place: Place) -> str:
    if place.location is None:
        return "the runtime's own" if place.what == "memory" else place.reason
    name = place.location.function
    if "start function" in place.reason:
        return f"goroutines of {name}" if place.count > 1 else f"the goroutine of {name}"
    if place.what == "cpu" and place.reason == "runtime":
        return f"the runtime itself ({name})"
    return f"{name} ({place.reason})" if place.what == "gc" else name


def _notes(place: Place) -> Iterator[str]:
    """What a goroutine does there, how long, how their number grew, and the line."""
    start, end = place.at_start, place.at_end
    if place.what in ("channel", "timer"):
        yield place.reason
    elif place.via and place.what != "memory":
        yield fr.short(place.via)
    if start is not None and end is not None and end > start + 1:
        yield f"{start:,} -> {end:,}"
    if place.max_ms is not None:
        longest = duration(place.max_ms)
        yield f"~{duration(place.p50_ms)}, max {longest}" if place.p50_ms is not None else f"up to {longest}"
    if place.location is not None and place.location.file and place.location.line:
        yield f"{PurePath(place.location.file).name}:{place.location.line}"


def _amount(place: Place) -> str:
    if place.unit == "bytes":
        return size(place.value)
    if place.unit == "goroutines":
        standing = {"cpu": "run", "runnable": "ready", "syscall": "inside", "sleep": "sleep"}
        return f"{number(place.value)} {standing.get(place.what, 'wait')}"
    return f"{number(place.value)} {place.unit}"


def shortened(function: str, room: int) -> str:
    """A name in ``room`` columns: first without the path of its package, then without its middle."""
    text = fr.short(function)
    if len(text) <= room:
        return text
    keep = max(room - len(_ELLIPSIS), 8)
    return text[: keep // 2] + _ELLIPSIS + text[-(keep - keep // 2) :]


def percent(share: float) -> str:
    """A share in whole percent."""
    return f"{share * 100:.0f} %" if share >= 0.005 else "<1 %"


def number(value: float) -> str:
    """Whole numbers whole, others with the digits that count."""
    if value == int(value) or value >= 100:
        return f"{value:,.0f}"
    if value < 0.005:
        return "<0.01"
    return f"{value:.1f}" if value >= 3 else f"{value:.2f}"


def duration(ms: float) -> str:
    """A time in the unit in which it has one to three digits."""
    if ms >= 120_000:
        return f"{ms / 60_000:,.0f} min"
    for unit, size_ms in (("s", 1000.0), ("ms", 1.0), ("us", 1e-3)):
        if ms >= size_ms:
            return f"{ms / size_ms:.3g} {unit}"
    return f"{ms * 1e6:.0f} ns"


def size(value: float) -> str:
    """Bytes as the rest of the report writes them."""
    for unit in ("bytes", "KiB", "MiB"):
        if value < 1024:
            return f"{value:.3g} {unit}"
        value /= 1024
    return f"{value:.3g} GiB" if value < 1000 else f"{value:,.0f} GiB"
