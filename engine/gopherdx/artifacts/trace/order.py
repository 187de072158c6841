"""State of the ordering kernel across generations, and what it is given: cursors, batches, output windows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from gopherdx.artifacts.trace import format as tf
from gopherdx.artifacts.trace import kernels as k
from gopherdx.artifacts.trace.arrays import (
    WINDOWS,
    Ints,
    Window,
    doubled,
    hash_table,
    rehashed,
    windows,
)
from gopherdx.artifacts.trace.container import Bytes, RawGeneration
from gopherdx.errors import UnreadableInput

LOADED = 128  # batches of all Ms together that are read ahead where a generation lies in a file


class Ordering:
    """What the ordering kernel of either format keeps: its counts, goroutines by id, the windows it fills."""

    def __init__(self, tally_size: int, *, columns: int) -> None:
        self.tally: Ints = np.zeros(tally_size, dtype=np.int64)
        self._g_keys, self._g_vals = hash_table(4096)
        self._gs: Ints = np.zeros((2048, columns), dtype=np.int64)
        self._free: Ints = np.zeros(2048, dtype=np.int64)
        self._windows = windows()

    @property
    def events(self) -> int:
        """Events so far, CPU samples among them."""
        return int(self.tally[:256].sum())

    @property
    def rows(self) -> int:
        """Rows of goroutines that were ever in use at the same time."""
        return int(self._gs.shape[0])

    def _grow(self) -> None:
        """Make room for more goroutines."""
        if self._g_keys.size // 2 - self.tally[k.T_LIVE] <= 4:
            self._g_keys, self._g_vals = rehashed(self._g_keys, self._g_vals)
        if max(self._gs.shape[0] - self.tally[k.T_ROWS], self.tally[k.T_FREE]) <= 4:
            self._gs = doubled(self._gs)
            self._free = doubled(self._free)


class Order(Ordering):
    """State of the ordering kernel across generations, and its output windows."""

    def __init__(self) -> None:
        super().__init__(k.TALLY_SIZE, columns=4)
        self.tally[k.T_GC_SEQ] = -1
        self._m_keys, self._m_vals = hash_table(256)
        self._ms: Ints = np.full((64, 2), -1, dtype=np.int64)
        self._m_rows: dict[int, int] = {}
        self._p_keys, self._p_vals = hash_table(4096)
        self._ps: Ints = np.zeros((2048, 4), dtype=np.int64)
        self._turn = 0
        self._order = k.order.in_turn()

    def begin(self, raw: RawGeneration, mul: float, path: str) -> None:
        """Set a cursor in front of the first batch of each M of this generation."""
        batches = raw.events
        self._batches = batches = np.ascontiguousarray(batches[np.argsort(batches[:, k.B_M], kind="stable")])
        ms = batches[:, k.B_M]
        heads = np.flatnonzero(np.diff(ms, prepend=ms[:1] - 1)).astype(np.int64)
        # What comes behind each batch; and behind rows that are none, what comes first for each cursor.
        self._next = np.concatenate([np.arange(1, ms.size + 1), heads]).astype(np.int64)
        self._next[np.append(heads[1:], ms.size)[: heads.size] - 1] = -1
        self._cursors = np.zeros((heads.size, k.CURSOR_COLUMNS), dtype=np.int64)
        self._cursors[:, k.C_BATCH] = ms.size + np.arange(heads.size)
        self._cursors[:, k.C_M] = [self._m_row(int(m)) for m in ms[heads].tolist()]
        start = (batches[heads, k.B_TIME].astype(np.float64) * mul).astype(np.int64)
        self._cursors[:, k.C_LAST] = self._cursors[:, k.C_TIME] = start
        self._heap = np.zeros(heads.size + 1, dtype=np.int64)
        self._heap[: heads.size] = np.argsort(start, kind="stable")  # sorted is a valid heap
        self._stalled = np.zeros(heads.size + 1, dtype=np.int64)
        self._mul = mul
        self._loader = None if raw.file is None else _Loader(raw.file, batches, heads, path)
        self._buf = raw.buf if self._loader is None else self._loader.buf
        self.tally[k.T_GEN] = raw.number
        self.tally[[k.T_HEAP, k.T_SAMPLE, k.T_STALLED, k.T_LOAD]] = heads.size, 0, 0, 0

    def _m_row(self, m: int) -> int:
        row = self._m_rows.get(m)
        if row is None:
            row = len(self._m_rows)
            self._m_rows[m] = row
            m = max(-1, min(m, (1 << 62)))  # no M has such an id; the table stores it plus one
            if row >= self._ms.shape[0]:
                self._ms = np.concatenate([self._ms, np.full_like(self._ms, -1)])
            if row * 2 + 2 > self._m_keys.size:
                self._m_keys, self._m_vals = rehashed(self._m_keys, self._m_vals)
            k.put(self._m_keys, self._m_vals, m, row)
        return row

    def windows(self, samples: Ints, stack_of: Ints, reason_of: Ints) -> Iterator[tuple[Window, int]]:
        """Ordered events, a window at a time: (columns, rows). WINDOWS of them take turns."""
        while True:
            turn = self._turn
            out = self._windows[turn]
            why, n = self._order(
                self._buf, self._batches, self._next, self._cursors, self._heap, self._stalled, tf.ARG_COUNTS,
                self._mul, self.tally, samples, stack_of, reason_of, self._g_keys, self._g_vals, self._gs,
                self._free, self._m_keys, self._m_vals, self._ms, self._p_keys, self._p_vals, self._ps, *out,
            )  # fmt: skip
            if n:
                self._turn = (turn + 1) % WINDOWS
                yield out, n
            if why == k.DONE:
                return
            if why == k.BAD:
                raise RuntimeError("a table has not the columns that the kernel knows")
            if why == k.GROW_GOROUTINES:
                self._grow()
            elif why == k.LOAD_BATCH:
                assert self._loader is not None
                cursor = int(self._heap[0])
                self._loader.load(cursor, int(self._next[self._cursors[cursor, k.C_BATCH]]))


class _Loader:
    """The batches of a generation that lies in a file: of each M the one that it stands in, and the next few.

    ``batches`` are in order of their Ms, whose first rows are ``heads``. Their starts and ends are places in
    the file before, and become those in ``buf`` when they are loaded.
    """

    def __init__(self, file: BinaryIO, batches: Ints, heads: Ints, path: str) -> None:
        self._file = file
        self._path = path
        self._batches = batches
        self._at = batches[:, k.B_START].copy()
        self._size = batches[:, k.B_END] - self._at
        batches[:, k.B_START] = batches[:, k.B_END] = -1
        self._ahead = max(1, LOADED // max(1, heads.size))  # of each M
        self._ends = np.append(heads[1:], batches.shape[0])[: heads.size]
        largest = np.maximum.reduceat(self._size, heads) if heads.size else heads
        room = largest * np.minimum(self._ends - heads, self._ahead)
        self._room = np.concatenate([[0], np.cumsum(room)])
        self.buf: Bytes = np.empty(max(1, int(self._room[-1])), dtype=np.uint8)

    def load(self, cursor: int, first: int) -> None:
        """Load batch ``first`` and the next few of a cursor's M, which is through with those before."""
        back = self._file.tell()
        to = int(self._room[cursor])
        for row in range(first, min(first + self._ahead, int(self._ends[cursor]))):
            end = to + int(self._size[row])
            self._file.seek(int(self._at[row]))
            if self._file.readinto(self.buf.data[to:end]) != end - to:  # type: ignore[attr-defined]
                what = "this file became shorter while it was read"
                raise UnreadableInput(what, where=self._path, todo="wait until it is complete and try again")
            self._batches[row, k.B_START : k.B_END + 1] = to, end
            to = end
        self._file.seek(back)
