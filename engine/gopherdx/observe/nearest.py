"""A profile's values by the nearest user's function: columns in, one row for each place out.

Stacks are not made: which place a sample belongs to follows from its locations, so the cost is that of a few
passes over arrays, however large the profile.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gopherdx import frames as fr
from gopherdx.observe.design import SCHEDULES, SWITCHES, is_runtime

if TYPE_CHECKING:
    from gopherdx.artifacts.pprof import Profile

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Row:
    """Samples of one place. ``user``: it is the user's own; ``gc``, ``recorder``: some frame is theirs.

    ``program``: some frame is not the runtime's. ``values`` are sums of the columns asked for.
    """

    frame: fr.Frame | None
    user: bool
    gc: bool
    recorder: bool
    program: bool
    values: tuple[float, ...]


def rows(profile: Profile, *columns: int) -> Iterator[Row]:
    """Sums of ``columns`` by place, by whether the collector or the recorder is in the stack."""
    marks = _Marks(profile)
    chosen = np.full(len(profile), -1, np.int64)
    kind = np.zeros(len(profile), np.int64)
    # As ``design.where``: the innermost of the user's or a dependency's, else the outermost of the library,
    # else the scheduler, else the outermost that does not only change stacks, else the outermost.
    ways = (
        (marks.user, False), (marks.foreign, False), (marks.surface, True), (marks.scheduler, True),
        (marks.plain, True), (marks.named, True),
    )  # fmt: skip
    for number, (mark, outermost) in enumerate(ways):
        at = marks.location(mark, outermost=outermost)
        free = (chosen < 0) & (at >= 0)
        chosen[free], kind[free] = at[free], number
    flags = marks.any(marks.gc) + 2 * marks.any(marks.recorder) + 4 * marks.any(marks.surface)
    keys, of_row = np.unique(((chosen + 1) * 8 + kind) * 8 + flags, return_inverse=True)
    sums = [np.bincount(of_row, profile.values[:, c].astype(np.float64), len(keys)) for c in columns]
    for i, key in enumerate(keys.tolist()):
        location, number, flag = key // 64 - 1, key // 8 % 8, key % 8
        frame = marks.frame(location, *ways[number]) if location >= 0 else None
        yield Row(
            frame, frame is not None and number == 0, bool(flag & 1), bool(flag & 2), bool(flag & 4),
            tuple(float(s[i]) for s in sums),
        )  # fmt: skip


class _Marks:
    """Marks of a profile's lines, and which location of each sample has one first or last.

    Looked up once for each function; all else are passes over arrays.
    """

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._locations = profile.sample_locations
        self._begin, self._end = profile.sample_offsets[:-1], profile.sample_offsets[1:]
        names, files = profile.function_names, profile.function_files
        self.user = self._lines([fr.is_user(n, f) for n, f in zip(names, files, strict=True)])
        self.foreign = self._lines([bool(n) and not fr.is_standard(n) for n in names])
        self.surface = self._lines([bool(n) and not is_runtime(n) for n in names])
        self.named = self._lines([bool(n) and n != "runtime.goexit" for n in names])
        self.scheduler = self._lines([SCHEDULES.match(n) is not None for n in names])
        self.plain = self._lines([bool(n) and n != "runtime.goexit" and not SWITCHES.match(n) for n in names])
        self.gc = self._lines([fr.GC_WORK.match(n) is not None for n in names])
        self.recorder = self._lines([fr.is_recorder((fr.Frame(n, "", 0),)) for n in names])

    def _lines(self, of_function: list[bool]) -> Bools:
        return np.array(of_function, bool)[self._profile.line_functions]

    def _of_location(self, mark: Bools) -> Bools:
        before, offsets = np.concatenate(([0], np.cumsum(mark))), self._profile.location_offsets
        return before[offsets[1:]] > before[offsets[:-1]]

    def any(self, mark: Bools) -> Ints:
        """For each sample 1 where any of its lines is marked, else 0."""
        before = np.concatenate(([0], np.cumsum(self._of_location(mark)[self._locations])))
        return (before[self._end] > before[self._begin]).astype(np.int64)

    def location(self, mark: Bools, *, outermost: bool) -> Ints:
        """For each sample the innermost or outermost location with a marked line; -1 where there is none."""
        positions = np.flatnonzero(self._of_location(mark)[self._locations])
        out = np.full(len(self._begin), -1, np.int64)
        if not len(positions):
            return out
        at = (
            np.searchsorted(positions, self._end) - 1
            if outermost
            else np.searchsorted(positions, self._begin)
        )
        position = positions[np.clip(at, 0, len(positions) - 1)]
        there = (position >= self._begin) & (position < self._end)
        out[there] = self._locations[position[there]]
        return out

    def frame(self, location: int, mark: Bools, outermost: bool) -> fr.Frame | None:
        """The innermost or outermost marked line of a location."""
        first, last = self._profile.location_offsets[location : location + 2].tolist()
        marked = np.flatnonzero(mark[first:last]).tolist()
        return self._profile.location_frames(location)[marked[-1 if outermost else 0]] if marked else None
