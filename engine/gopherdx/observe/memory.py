"""What heap and allocs profiles hold: rows by stack and size, allocated in a stretch, in use at its end.

One profile counts allocation since the program began; two of them, or one taken with ``?seconds=``, count
between two moments and so have a rate. The runtime records one allocation in about every 512 KB and scales
up what it writes (``scaleHeapSample`` in GOROOT/src/runtime/pprof/protomem.go): a row's samples are counted
back from that, for a figure scaled up from one or two samples says little.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Final

from gopherdx import frames as fr

if TYPE_CHECKING:
    from gopherdx.artifacts.pprof import Profile

MB = 1 << 20
_DEFAULT_PERIOD = 512 << 10


class Mark:
    """Bits for the frames that a stack has anywhere: looked up once for each place in the code, not for each
    stack (and plain integers, for there are many)."""

    PROGRAM: Final = 1  # anything but the runtime
    RECORDER: Final = 2
    TIME_AFTER: Final = 4
    REGEXP: Final = 8
    JSON: Final = 16
    JSON_UNTYPED: Final = 32
    GOROUTINE: Final = 64  # a goroutine's own record


@dataclass(frozen=True, slots=True)
class Row:
    """Objects of one size made at one stack, the innermost frame first; ``marks`` are bits of ``Mark``.

    ``made`` and ``made_bytes`` were allocated in the stretch, ``live`` and ``live_bytes`` are in use at its
    end, ``grown_bytes`` is what came to them meanwhile; ``samples`` and ``live_samples`` are how many
    allocations were looked at to say so.
    """

    stack: tuple[fr.Frame, ...]
    marks: int
    size: float
    made: float
    made_bytes: float
    samples: float
    live: float
    live_bytes: float
    live_samples: float
    grown_bytes: float


@dataclass(frozen=True, slots=True)
class Memory:
    """The rows of a program's memory, without what recording it allocated.

    ``seconds`` is the length of the stretch, 0 where it is all the time since the program began. Without
    ``tells_made`` or ``tells_live`` those columns are empty; without ``tells_growth`` it is one moment only.
    ``period_bytes`` is the distance of two samples.
    """

    kind: str
    rows: tuple[Row, ...]
    seconds: float
    period_bytes: int
    tells_made: bool
    tells_live: bool
    tells_growth: bool

    @property
    def made_bytes(self) -> float:
        """Bytes allocated in the stretch, without the runtime's own."""
        return sum(row.made_bytes for row in self.rows)

    @property
    def samples(self) -> float:
        """Allocations that were looked at."""
        return sum(row.samples for row in self.rows)

    @property
    def live_bytes(self) -> float:
        """Bytes in use at the stretch's end."""
        return sum(row.live_bytes for row in self.rows)


@dataclass(slots=True)
class _Cells:
    """Objects and bytes, allocated and in use, of one stack and size in one profile."""

    made: float = 0.0
    made_bytes: float = 0.0
    live: float = 0.0
    live_bytes: float = 0.0

    def less(self, other: _Cells) -> _Cells:
        return _Cells(
            self.made - other.made,
            self.made_bytes - other.made_bytes,
            self.live - other.live,
            self.live_bytes - other.live_bytes,
        )


_Table = dict[tuple[tuple[fr.Frame, ...], int, int], _Cells]
_NONE = _Cells()
_PATTERNS = {
    Mark.TIME_AFTER: fr.TIME_AFTER,
    Mark.REGEXP: fr.REGEXP_COMPILE,
    Mark.JSON: fr.JSON_DECODE,
    Mark.JSON_UNTYPED: fr.JSON_UNTYPED,
    Mark.GOROUTINE: re.compile(r"runtime\.malg$"),
}


def read_memory(profiles: Sequence[Profile]) -> Memory | None:
    """The memory that profiles of one kind, in the order of time, tell of; None where they tell of none."""
    usable = [p for p in profiles if len(p) and p.symbolized and columns_of(p)]
    if not usable:
        return None
    last = usable[-1]
    columns, table = columns_of(last), _table(last)
    first = earlier(usable)
    before = _table(first) if first is not None else {}
    seconds = (last.time_ns - first.time_ns) / 1e9 if first is not None else last.duration_ns / 1e9
    difference = first is None and last.duration_ns > 0  # taken with ?seconds=: the file holds what changed
    return Memory(
        kind=str(last.kind),
        rows=tuple(_rows(table, before, _period(last), in_use=not difference)),
        seconds=seconds,
        period_bytes=_period(last),
        tells_made="alloc_space" in columns,
        tells_live="inuse_space" in columns and not difference,
        tells_growth="inuse_space" in columns and (difference or first is not None),
    )


def earlier(profiles: Sequence[Profile]) -> Profile | None:
    """The first of several that can be taken off the last: of the same process, and from before it."""
    last = profiles[-1]
    if last.duration_ns > 0:
        return None
    for profile in profiles[:-1]:
        whole = profile.duration_ns == 0 and profile.sample_types == last.sample_types
        # Totals since the start never fall: one that did is another process, or the same one restarted.
        older = 0 < profile.time_ns < last.time_ns and profile.totals()[0] <= last.totals()[0]
        if whole and older:
            return profile
    return None


def columns_of(profile: Profile) -> dict[str, int]:
    units = {t.type: i for i, t in enumerate(profile.sample_types)}
    return {
        name: units[name]
        for name in ("alloc_objects", "alloc_space", "inuse_objects", "inuse_space")
        if name in units
    }


def _period(profile: Profile) -> int:
    sampled = profile.period_type.type == "space" and profile.period > 0
    return profile.period if sampled else _DEFAULT_PERIOD


def _table(profile: Profile) -> _Table:
    columns = columns_of(profile)
    places = [profile.location_frames(location) for location in range(len(profile.location_addresses))]
    offsets, locations = profile.sample_offsets.tolist(), profile.sample_locations.tolist()
    marks_at = [_marks(frames) for frames in places]
    known: dict[tuple[int, ...], tuple[tuple[fr.Frame, ...], int]] = {}
    table: _Table = {}
    for sample, values in enumerate(profile.values.tolist()):
        key = tuple(locations[offsets[sample] : offsets[sample + 1]])
        if key not in known:
            stack = tuple(chain.from_iterable([places[location] for location in key]))
            marks = 0
            for location in key:
                marks |= marks_at[location]
            known[key] = stack, marks
        stack, marks = known[key]
        if marks & Mark.RECORDER:
            continue
        made, made_bytes, live, live_bytes = (
            float(values[columns[name]]) if name in columns else 0.0
            for name in ("alloc_objects", "alloc_space", "inuse_objects", "inuse_space")
        )
        objects, size = (made, made_bytes) if made else (live, live_bytes)
        # Differences may have one of the two below zero, but no object has such a size.
        each = max(round(size / objects), 0) if objects else 0
        cells = table.setdefault((stack, marks, each), _Cells())
        cells.made += made
        cells.made_bytes += made_bytes
        cells.live += live
        cells.live_bytes += live_bytes
    return table


def _marks(frames: tuple[fr.Frame, ...]) -> int:
    """The marks of one place in the code (a function, and what was inlined into it)."""
    marks = 0
    if any(fr.package_of(f.function).split("/", 1)[0] not in ("runtime", "") for f in frames):
        marks |= Mark.PROGRAM
    if fr.is_recorder(frames):
        marks |= Mark.RECORDER  # recording allocates, and writing what was recorded
    for mark, pattern in _PATTERNS.items():
        if fr.has(frames, pattern):
            marks |= mark
    return marks


def _rows(table: _Table, before: _Table, period: int, *, in_use: bool) -> Iterator[Row]:
    for (stack, marks, size), now in table.items():
        change = now.less(before.get((stack, marks, size), _NONE))
        made, made_bytes = max(change.made, 0.0), max(change.made_bytes, 0.0)
        live, live_bytes = (max(now.live, 0.0), max(now.live_bytes, 0.0)) if in_use else (0.0, 0.0)
        grown = change.live_bytes if before or not in_use else 0.0
        yield Row(
            stack,
            marks,
            float(size),
            made,
            made_bytes,
            _samples(made, made_bytes, size, period),
            live,
            live_bytes,
            _samples(live, live_bytes, size, period),
            grown,
        )


def _samples(objects: float, space: float, size: float, period: int) -> float:
    """How many allocations were sampled for this many objects (``scaleHeapSample`` the other way round)."""
    if not objects or not size:
        return space / period
    return objects * -math.expm1(-size / period)
