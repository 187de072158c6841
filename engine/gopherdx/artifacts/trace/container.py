"""A trace file as generations of batches, read one at a time into a buffer that is used again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

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
BATCH_HEAD = 24  # bytes that may be needed to know which generation a batch belongs to
MAX_GENERATION = 1 << 30  # the runtime starts a new one about every second; 16 MB have been seen


@dataclass(frozen=True, slots=True)
class RawGeneration:
    """One generation: ``buf`` holds its bytes, ``batches`` a row for each batch (columns B_… of kernels.py).

    ``whole`` is False where the file ended, or was damaged, before the generation did. Both arrays are used
    again for the next generation.
    """

    number: int
    buf: Bytes
    batches: Ints
    bytes: int
    offset: int
    whole: bool


class Generations:
    """Iterates over the generations of a trace whose header has been read already.

    After the iteration ``bytes`` is how far the file was read, ``trailing`` how many bytes could not be
    read as batches, ``damaged`` whether they are damage rather than a cut.
    """

    def __init__(self, stream: Stream, minor: int, *, path: str) -> None:
        self._stream = stream
        self._path = path
        self._explicit_end = minor >= 26
        self._buf: Bytes = np.empty(32 * CHUNK, dtype=np.uint8)  # pages count when they are used
        self._used = 0
        self._eof = False
        self._batches: Ints = np.empty((1024, 5), dtype=np.int64)
        self.bytes = tf.HEADER_BYTES
        self.trailing = 0
        self.damaged = False

    def __iter__(self) -> Iterator[RawGeneration]:
        pos = 0
        while True:
            start, rows, gen = pos, 0, 0
            while True:
                n, pos, gen, why = k.scan(self._buf, pos, self._used, gen, self._batches[rows:])
                rows += n
                if why == k.FULL:
                    self._batches = np.concatenate([self._batches, np.empty_like(self._batches)])
                elif why in (k.SHORT, k.DONE) and not self._eof:
                    self._read()
                else:
                    break
            whole = self._is_whole(why, rows, self._used - pos)
            self.bytes += pos - start
            if rows:
                yield RawGeneration(gen, self._buf, self._batches[:rows], pos - start, self.bytes, whole)
            if why in (k.SHORT, k.BAD):
                self.trailing = self._used - pos
                self.damaged = why == k.BAD
                return
            if why == k.DONE:
                return
            self._buf[: self._used - pos] = self._buf[pos : self._used].copy()
            self._used -= pos
            pos = 0

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
        if self._used + CHUNK > self._buf.size:
            if self._buf.size >= MAX_GENERATION:
                raise UnreadableInput(
                    f"one generation of this trace is larger than {MAX_GENERATION >> 20} MiB",
                    where=self._path,
                    todo="take a shorter trace (5 s are enough)",
                )
            grown: Bytes = np.empty(self._buf.size * 2, dtype=np.uint8)
            grown[: self._used] = self._buf[: self._used]
            self._buf = grown
        count = self._stream.fill(self._buf.data[self._used : self._used + CHUNK])
        self._used += count
        self._eof = count == 0
