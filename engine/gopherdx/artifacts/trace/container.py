"""A trace file as generations of batches, read one at a time into a buffer that is used again.

A generation lasts about a second, whatever its size. One that is larger than the buffer is not kept: its
tables are, and of its events where they lie in the file. A stream that cannot go back is copied to a
temporary file as far as that needs it.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol, cast

import numpy as np
import numpy.typing as npt

from gopherdx.artifacts.trace import format as tf
from gopherdx.artifacts.trace import kernels as k
from gopherdx.errors import UnreadableInput

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]


class Stream(Protocol):
    """What generations are read from."""

    def fill(self, buffer: memoryview) -> int:
        """Read into ``buffer``; returns how many bytes, 0 at the end."""


CHUNK = 1 << 20
KEPT = 1 << 26  # bytes of a generation that are kept in memory; most have 1 to 16 MB
BATCH_HEAD = 24  # bytes that may be needed to know which generation a batch belongs to
MAX_GENERATION = 8 << 30
MAX_TABLES = 1 << 30
MAX_BATCHES = 1 << 21  # in one generation; the runtime fills 64 KiB before it begins another
TABLES = (2, 4, 6, 8, 50, 255)  # first bytes of batches that hold no events of an M


@dataclass(frozen=True, slots=True)
class RawGeneration:
    """One generation: ``batches`` has a row for each batch (columns B_… of kernels.py).

    Starts and ends are those in ``buf``; but where there is a ``file``, those of batches with events are
    places in it. ``whole`` is False where the trace ended, or was damaged, before the generation did. The
    arrays, and what the file holds of a stream, are used again for the next generation.
    """

    number: int
    buf: Bytes
    batches: Ints
    bytes: int
    offset: int
    whole: bool
    file: BinaryIO | None = None

    @property
    def events(self) -> Ints:
        """The batches that hold events of an M."""
        return self.batches[np.isin(self.batches[:, k.B_TYPE], TABLES, invert=True)]


class Generations:
    """Iterates over the generations of a trace whose header has been read already.

    ``file`` is what ``stream`` reads from, where it can be read anywhere and stands behind the header. After
    the iteration ``bytes`` is how far the trace was read, ``trailing`` how many bytes could not be read as
    batches, ``damaged`` whether they are damage rather than a cut.
    """

    def __init__(self, stream: Stream, minor: int, *, path: str, file: BinaryIO | None = None) -> None:
        self._stream = stream
        self._path = path
        self._explicit_end = minor >= 26
        # Pages count when they are used.
        self._buf: Bytes = np.empty(min(32 * CHUNK, max(KEPT, 4 * CHUNK)), dtype=np.uint8)
        self._used = 0
        self._eof = False
        self._batches: Ints = np.empty((1024, 5), dtype=np.int64)
        self._tables = 0  # bytes of tables that were kept of what was set aside, in front of the buffer
        self._placed = 0  # rows of batches that were
        self._file = file
        self._base = 0 if file is None else file.tell()  # where the byte is that stands at ``_tables``
        self._copy: BinaryIO | None = None
        self.bytes = tf.HEADER_BYTES
        self.trailing = 0
        self.damaged = False

    def __iter__(self) -> Iterator[RawGeneration]:
        try:
            yield from self._generations()
        finally:
            if self._copy is not None:
                self._copy.close()

    def _generations(self) -> Iterator[RawGeneration]:
        pos = 0
        while True:
            rows, gen, size = 0, 0, 0
            while True:
                before = pos
                n, pos, gen, why = k.scan(self._buf, pos, self._used, gen, self._batches[rows:])
                rows += n
                size += pos - before
                if why == k.FULL:
                    self._more_batches(rows)
                elif why in (k.SHORT, k.DONE) and not self._eof:
                    if self._used + CHUNK > self._buf.size:
                        pos = self._make_room(rows, pos, size)
                    self._read()
                else:
                    break
            whole = self._is_whole(why, rows, self._used - pos)
            file = None
            if self._placed:
                pos = self._set_aside(rows, pos)
                file = self._file or self._copy
            self.bytes += size
            if rows:
                yield RawGeneration(gen, self._buf, self._batches[:rows], size, self.bytes, whole, file)
            if why in (k.SHORT, k.BAD):
                self.trailing = self._used - pos + self._rest()
                self.damaged = why == k.BAD
                return
            if why == k.DONE:
                return
            self._base += pos - self._tables
            self._move(pos, 0)
            self._tables = self._placed = pos = 0
            if self._copy is not None:
                self._copy.seek(0)
                self._copy.truncate()

    def _is_whole(self, why: int, rows: int, left: int) -> bool:
        if self._explicit_end:
            return why == k.END_OF_GENERATION
        if why == k.OTHER_GENERATION:
            return True
        if why == k.SHORT and left >= BATCH_HEAD:
            return False  # the batch that was cut belongs to this generation
        # Up to Go 1.25 nothing marks the end: strings come last, after the stacks that name them.
        return bool(rows) and bool((self._batches[:rows, k.B_TYPE] == 4).any())

    def _read(self) -> None:
        """Read the next chunk behind what the buffer holds."""
        count = self._stream.fill(self._buf.data[self._used : self._used + CHUNK])
        self._used += count
        self._eof = count == 0

    def _rest(self) -> int:
        """How many bytes the stream still has; nothing of it is used."""
        count = 0
        while more := self._stream.fill(self._buf.data):
            count += more
        return count

    def _make_room(self, rows: int, pos: int, size: int) -> int:
        """Make room for the next chunk; returns where in the buffer ``pos`` is then."""
        if self._buf.size >= KEPT:
            if size > MAX_GENERATION:
                raise self._too_large(
                    f"one generation of this trace is larger than {MAX_GENERATION >> 30} GiB"
                )
            pos = self._set_aside(rows, pos)
        if self._used + CHUNK > self._buf.size:
            if self._buf.size >= MAX_TABLES:
                raise self._too_large("the tables of this trace are larger than those of any recording")
            grown: Bytes = np.empty(self._buf.size * 2, dtype=np.uint8)
            grown[: self._used] = self._buf[: self._used]
            self._buf = grown
        return pos

    def _more_batches(self, rows: int) -> None:
        if rows >= MAX_BATCHES:
            raise self._too_large(f"one generation of this trace has more than {MAX_BATCHES:,} batches")
        self._batches = np.concatenate([self._batches, np.empty_like(self._batches)])

    def _set_aside(self, rows: int, pos: int) -> int:
        """Keep of what the buffer holds up to ``pos`` the tables alone, and where the events are.

        Returns where in the buffer that is which was at ``pos``.
        """
        begin = self._tables
        base = self._base
        if self._file is None:
            base = self._append(self._buf.data[begin:pos])
        new = self._batches[self._placed : rows]
        tables = np.isin(new[:, k.B_TYPE], TABLES)
        new[~tables, k.B_START : k.B_END + 1] += base - begin
        for row in new[tables]:
            start, end = row[k.B_START], row[k.B_END]
            self._buf[self._tables : self._tables + end - start] = self._buf[start:end].copy()
            self._tables += int(end - start)
        sizes = new[tables, k.B_END] - new[tables, k.B_START]
        new[tables, k.B_END] = begin + np.cumsum(sizes)
        new[tables, k.B_START] = new[tables, k.B_END] - sizes
        self._placed = rows
        self._base += pos - begin
        self._move(pos, self._tables)
        return self._tables

    def _append(self, data: memoryview) -> int:
        """Copy bytes of a stream behind those that were copied before; returns where they begin."""
        try:
            if self._copy is None:
                self._copy = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115
            begin = self._copy.seek(0, io.SEEK_END)
            self._copy.write(data)
        except OSError as error:
            raise UnreadableInput(
                f"a part of this trace cannot be copied to a temporary file: {error}",
                where=self._path,
                todo="make room there, or unpack the trace to a file and name that",
            ) from error
        return begin

    def _move(self, pos: int, to: int) -> None:
        """Move what lies behind ``pos`` in the buffer to ``to``."""
        left = self._used - pos
        self._buf[to : to + left] = self._buf[pos : self._used].copy()
        self._used = to + left

    def _too_large(self, what: str) -> UnreadableInput:
        return UnreadableInput(what, where=self._path, todo="take a shorter trace (5 s are enough)")
