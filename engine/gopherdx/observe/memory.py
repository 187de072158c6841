"""What heap and allocs profiles hold: rows by stack and size, allocated in a stretch, in use at its end.

One profile counts allocation since the program began; two of them, or one taken with ``?seconds=``, count
between two moments and so have a rate. The runtime records one allocation in about every 512 KB and scales
up what it writes (``scaleHeapSample`` in GOROOT/src/runtime/pprof/protomem.go): a row's samples are counted
back from that, for a figure scaled up from one or two samples says little.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gopherdx import frames as fr

if TYPE_CHECKING:
    from gopherdx.artifacts.pprof import Profile

MB = 1 << 20
_DEFAULT_PERIOD = 512 << 10


@dataclass(frozen=True, slots=True)
class Row:
    """Objects of one size made at one stack, the innermost frame first.

    ``made`` and ``made_bytes`` were allocated in the stretch, ``live`` and ``live_bytes`` are in use at its
    end, ``grown_bytes`` is what came to them meanwhile; ``samples`` and ``live_samples`` are how many
    allocations were looked at to say so.
    """

    stack: tuple[fr.Frame, ...]
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


_Table = dict[tuple[tuple[fr.Frame, ...], int], _Cells]
_NONE = _Cells()


def read_memory(profiles: Sequence[Profile]) -> Memory | None:
    """The memory that profiles of one kind, in the order of time, tell of; None where they tell of none."""
    usable = [p for p in profiles if len(p) and p.symbolized and _columns(p)]
    if not usable:
        return None
    last = usable[-1]
    columns, table = _columns(last), _table(last)
    first = _earlier(usable)
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


def _earlier(profiles: Sequence[Profile]) -> Profile | None:
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


def _columns(profile: Profile) -> dict[str, int]:
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
    columns = _columns(profile)
    places = [
        tuple(fr.Frame(*frame) for frame in profile.location_frames(location))
        for location in range(len(profile.location_addresses))
    ]
    offsets, locations = profile.sample_offsets.tolist(), profile.sample_locations.tolist()
    ours: dict[tuple[int, ...], tuple[fr.Frame, ...] | None] = {}
    table: _Table = {}
    for sample, values in enumerate(profile.values.tolist()):
        key = tuple(locations[offsets[sample] : offsets[sample + 1]])
        if key not in ours:
            stack = tuple(frame for location in key for frame in places[location])
            ours[key] = None if _not_the_programs(stack) else stack
        kept = ours[key]
        if kept is None:
            continue
        made, made_bytes, live, live_bytes = (
            float(values[columns[name]]) if name in columns else 0.0
            for name in ("alloc_objects", "alloc_space", "inuse_objects", "inuse_space")
        )
        objects, size = (made, made_bytes) if made else (live, live_bytes)
        cells = table.setdefault((kept, round(size / objects) if objects else 0), _Cells())
        cells.made += made
        cells.made_bytes += made_bytes
        cells.live += live
        cells.live_bytes += live_bytes
    return table


def _not_the_programs(stack: tuple[fr.Frame, ...]) -> bool:
    """Recording allocates, and writing what was recorded."""
    return fr.is_recorder(stack)


def _rows(table: _Table, before: _Table, period: int, *, in_use: bool) -> Iterator[Row]:
    for (stack, size), now in table.items():
        change = now.less(before.get((stack, size), _NONE))
        made, made_bytes = max(change.made, 0.0), max(change.made_bytes, 0.0)
        live, live_bytes = (now.live, now.live_bytes) if in_use else (0.0, 0.0)
        grown = change.live_bytes if before or not in_use else 0.0
        yield Row(
            stack,
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
