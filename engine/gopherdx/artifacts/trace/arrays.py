"""Arrays that kernels are given: windows of events, hash tables, tables by id."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gopherdx.artifacts.trace import kernels as k
from gopherdx.errors import UnreadableInput

Ints = npt.NDArray[np.int64]
Window = tuple[npt.NDArray[np.int64 | np.uint8 | np.int32], ...]

WINDOW = 1 << 17  # events between the ordering and the replaying kernel
FIRST = 1 << 14  # those of the first one, so that replaying begins at once
WINDOWS = 6  # one is filled, one is replayed, the others wait: enough for the tables of a generation

RECORD_AGAIN = "record it again with curl -o trace.out 'http://HOST/debug/pprof/trace?seconds=5'"


def windows() -> list[Window]:
    """WINDOWS windows of events: columns of time, type, goroutine, target, value, stack, reason.

    They are one piece of memory, which numpy asks large pages for: thousands of small ones cost more than
    what is done with them.
    """
    types = [np.dtype(t) for t in (np.int64, np.uint8, np.int32, np.int32, np.int64, np.int32, np.int32)]
    sizes = [FIRST] + [WINDOW] * (WINDOWS - 1)
    memory = np.empty(sum(sizes) * sum(t.itemsize for t in types), dtype=np.uint8)
    out = []
    at = 0
    for size in sizes:
        columns = []
        for t in types:
            columns.append(memory[at : at + size * t.itemsize].view(t))
            at += size * t.itemsize
        out.append(tuple(columns))
    return out


def hash_table(size: int) -> tuple[Ints, Ints]:
    """Keys and values of an empty table (kernels.py, ``_find``)."""
    return np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)


def rehashed(keys: Ints, vals: Ints) -> tuple[Ints, Ints]:
    """The same table with twice the room."""
    new_keys, new_vals = hash_table(keys.size * 2)
    k.rehash(keys, vals, new_keys, new_vals)
    return new_keys, new_vals


def doubled(rows: Ints) -> Ints:
    """The same rows, and as many of zeros behind them."""
    return np.concatenate([rows, np.zeros_like(rows)])


def max_id(ids: Ints, count: int, path: str) -> int:
    """The largest id of a table. Ids count up from 1, so a far larger one is damage (and costs memory)."""
    if count == 0:
        return 0
    low, high = int(ids.min()), int(ids.max())
    if low < 0 or high > 64 * count + (1 << 20):
        raise UnreadableInput("a table of this trace has impossible ids", where=path, todo=RECORD_AGAIN)
    return high


def row_by_id(ids: Ints, count: int, path: str) -> Ints:
    """Row by id, -1 for ids that are not there."""
    row = np.full(max_id(ids, count, path) + 1, -1, dtype=np.int64)
    row[ids] = np.arange(count)
    return row
