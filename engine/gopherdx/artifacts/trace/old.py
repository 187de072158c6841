"""Reading an execution trace of the old format (Go 1.11 to 1.21): bytes in, the same ``Trace`` out.

There are no generations: batches of a P lie anywhere in the file, the clock's frequency and the stacks at its
end. So the file is walked twice: once to know where everything is, once to read the events of all Ps side by
side, a piece of each at a time. Memory follows the number of Ps and of distinct stacks, not the length of the
recording. The events are replayed by the kernel that replays those of later versions.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from gopherdx.artifacts.trace import format as tf
from gopherdx.artifacts.trace import kernels as k
from gopherdx.artifacts.trace import old_format as of
from gopherdx.artifacts.trace import old_kernels as ok
from gopherdx.artifacts.trace.arrays import (
    RECORD_AGAIN,
    WINDOWS,
    Ints,
    Window,
    doubled,
    max_id,
    row_by_id,
)
from gopherdx.artifacts.trace.order import Ordering
from gopherdx.artifacts.trace.replay import Replay
from gopherdx.artifacts.trace.stacks import MAX_NAME_BYTES, StackTable
from gopherdx.artifacts.trace.tables import Generation, Trace
from gopherdx.artifacts.trace.worker import Worker
from gopherdx.errors import UnreadableInput

Bytes = npt.NDArray[np.uint8]

CHUNK = 1 << 22  # what the first walk reads at a time; larger than any event
MAX_NS = float(1 << 60)  # as in reader.py: a longer recording is damage
MAX_POOL = 1 << 28  # bytes of names; a recording has some hundred kilobytes
MAX_ROWS = 1 << 24  # stacks or strings


def read_old(file: BinaryIO, minor: int, *, path: str, progress: Callable[[float], None]) -> Trace:
    """Read a trace whose header (``go 1.minor``) has been read already, to the end of ``file``.

    ``progress`` is called with the share that is done. Raises ``UnreadableInput`` where the trace ends before
    its clock's frequency, or has no events.
    """
    base = file.tell()
    index = _Index(path)
    index.walk(file, base, lambda share: progress(0.3 * share))
    index.check()
    stacks = StackTable()
    reasons = _Reasons(minor)
    string_row = row_by_id(index.strings[:, 0], index.strings.shape[0], path)
    ok.hash_stacks(index.stacks, index.frames, index.strings, string_row)
    largest = max_id(index.stacks[:, 0], index.stacks.shape[0], path)
    stack_of = stacks.add_generation(index.pool, index.strings, index.stacks, index.frames, largest)
    internal_of = np.where(stacks.flags[stack_of] & k.F_INTERNAL, stack_of, 0)
    words_of = reasons.labels(index, string_row.size)
    _add_names(words_of, index, stacks)
    order = _Order(index, stack_of, internal_of, words_of, reasons)
    replay = Replay()
    with Worker("gopherdx-replay", WINDOWS - 2) as worker:
        worker.put(replay.begin, 0)
        for columns, rows in order.windows(file, base):
            worker.put(replay.fold, columns, rows, stacks, reasons.kind_of, order.rows)
            progress(0.3 + 0.7 * order.share)
    size = tf.HEADER_BYTES + index.bytes
    return replay.trace(
        path=path,
        go=tf.go_range(minor),
        size=size,
        stacks=stacks,
        order_tally=order.tally,
        rows=order.rows,
        generations=(Generation(1, 0, size, order.events, replay.live),),
        reasons=reasons.names,
        warnings=_warnings(index, order),
        truncated=index.lost > 0 or bool(order.tally[ok.T_UNNAMED]),
        wall_clock_ns=None,
        unread=(0, index.lost),
        names=of.EVENT_NAMES,
    )


def _warnings(index: _Index, order: _Order) -> tuple[str, ...]:
    out = []
    tally = order.tally
    unnamed = int(tally[ok.T_UNNAMED])
    if index.lost or unnamed:
        what = "damaged" if index.damaged else "cut off"
        out.append(
            f"the trace is {what} in its table of stacks, so {unnamed:,} events have no place in the code"
        )
    if back := int(tally[ok.T_UNORDERED]):
        most = int(tally[ok.T_BACK]) * index.ns_per_tick
        out.append(
            f"{back:,} events have time stamps before that of their cause (up to {most / 1e3:,.0f} µs): the "
            "processors' clocks disagree, so waiting times are uncertain by as much"
        )
    if forced := int(tally[k.T_FORCED]):
        out.append(f"{forced:,} events could not be put in order by their sequence numbers")
    if bad := int(tally[k.T_BAD]):
        out.append(f"{bad:,} batches hold events that cannot be decoded; their rest was skipped")
    return tuple(out)


class _Index:
    """The first walk: where everything in the file is. ``lost`` bytes at its end could not be walked over."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._s: Ints = np.zeros(ok.INDEX_SIZE, dtype=np.int64)
        self._s[ok.I_MIN] = ok.NO_TIME
        self._s[ok.I_MAX] = -ok.NO_TIME
        self.pieces: Ints = np.zeros((1024, ok.PIECE_COLUMNS), dtype=np.int64)
        self.strings: Ints = np.zeros((1024, 4), dtype=np.int64)
        self.pool: Bytes = np.zeros(4 * ok.MAX_STRING, dtype=np.uint8)
        self.stacks: Ints = np.zeros((1024, 4), dtype=np.int64)
        self.frames: Ints = np.zeros((16 * 1024, 4), dtype=np.int64)
        self.samples: Ints = np.zeros((1024, 5), dtype=np.int64)
        self.timers: Ints = np.zeros(64, dtype=np.int64)
        self.bytes = 0
        self.lost = 0
        self.cut = False
        self.damaged = False

    @property
    def first_tick(self) -> int:
        """The earliest time stamp: where the recording begins."""
        return int(self._s[ok.I_MIN])

    @property
    def ns_per_tick(self) -> float:
        """From the clock's frequency at the end of the file."""
        return 1e9 / float(self._s[ok.I_FREQUENCY])

    def walk(self, file: BinaryIO, base: int, progress: Callable[[float], None]) -> None:
        """Walk over the rest of ``file``. Afterwards the arrays have the rows that are used."""
        total = max(1, file.seek(0, io.SEEK_END) - base)
        file.seek(base)
        buffer: Bytes = np.empty(CHUNK, dtype=np.uint8)
        used = 0
        offset = 0  # of the buffer's first byte
        while True:
            count = _read_into(file, buffer.data[used:])
            used += count
            why, pos = self._index(buffer, used, offset)
            offset += pos
            used -= pos
            buffer[:used] = buffer[pos : pos + used].copy()
            progress(min(1.0, offset / total))
            if why == ok.DAMAGED or count == 0:
                break
        self.damaged = why == ok.DAMAGED or used > CHUNK // 2  # no event is as long
        self.cut = used > 0 and not self.damaged
        while count := _read_into(file, buffer.data):
            used += count
        self.lost = used
        self.bytes = offset
        self._trim(offset)

    def _index(self, buffer: Bytes, used: int, offset: int) -> tuple[int, int]:
        done = 0
        while True:
            why, pos = ok.index(
                buffer[done:], used - done, offset + done, self._s, of.ARG_COUNTS, self.pieces, self.strings,
                self.pool, self.stacks, self.frames, self.samples, self.timers,
            )  # fmt: skip
            done += pos
            if why != ok.GROW:
                return why, done
            self._grow()

    def _grow(self) -> None:
        s = self._s
        if s[ok.I_POOL] + ok.MAX_STRING > self.pool.size:
            self.pool = np.concatenate([self.pool, np.zeros_like(self.pool)])
        if s[ok.I_FRAMES] + ok.MAX_FRAMES > self.frames.shape[0]:
            self.frames = doubled(self.frames)
        for name, at in (
            ("pieces", ok.I_PIECES),
            ("strings", ok.I_STRINGS),
            ("stacks", ok.I_STACKS),
            ("samples", ok.I_SAMPLES),
        ):
            rows: Ints = getattr(self, name)
            if s[at] + 2 > rows.shape[0]:
                setattr(self, name, doubled(rows))
        if self.pool.size > MAX_POOL or max(self.strings.shape[0], self.frames.shape[0]) > MAX_ROWS:
            raise UnreadableInput(
                "the tables of this trace are larger than those of any recording",
                where=self._path,
                todo=RECORD_AGAIN,
            )

    def _trim(self, end: int) -> None:
        s = self._s
        if s[ok.I_OPEN]:
            self.pieces[s[ok.I_PIECES], ok.P_END] = end
            s[ok.I_PIECES] += 1
        self.pieces = self.pieces[: s[ok.I_PIECES]]
        self.strings = self.strings[: s[ok.I_STRINGS]]
        self.stacks = self.stacks[: s[ok.I_STACKS]]
        self.frames = self.frames[: s[ok.I_FRAMES]]
        samples = self.samples[: s[ok.I_SAMPLES]]
        self.samples = np.ascontiguousarray(samples[np.argsort(samples[:, 0], kind="stable")])
        self.timers = self.timers[: s[ok.I_TIMERS]]

    def check(self) -> None:
        """Raise ``UnreadableInput`` unless the events have times."""
        s = self._s
        events = int(s[ok.I_EVENTS])
        if s[ok.I_FREQUENCY] == 0 or not self.pieces.shape[0]:
            if self.damaged:
                what = f"this trace is damaged {self.bytes + tf.HEADER_BYTES:,} bytes after its start"
            elif events or self.cut:
                what = "this trace was cut off before its end"
            else:
                what = "this trace holds no events"
            if events:
                what += (
                    f": its {events:,} events have neither times nor names, for traces of Go up to 1.21 hold "
                    "the clock's frequency and the stacks at the end"
                )
            todo = RECORD_AGAIN + " and stop it before the program exits"
            raise UnreadableInput(what, where=self._path, todo=todo)
        length = (float(s[ok.I_MAX]) - float(s[ok.I_MIN])) * self.ns_per_tick
        if s[ok.I_FREQUENCY] < 0 or not 0.0 <= length < MAX_NS:
            raise UnreadableInput(
                "this trace is damaged: it has times that no clock shows", where=self._path, todo=RECORD_AGAIN
            )


class _Reasons:
    """The words for why goroutines wait and the world stops, by the numbers that kernels use."""

    def __init__(self, minor: int) -> None:
        self.names = list(tf.WAIT_REASONS)
        self.block = np.zeros(64, dtype=np.int64)
        for kind, name in of.BLOCK_REASONS.items():
            self.block[kind] = self.names.index(name)
        stw = of.STW_REASONS if minor >= 21 else of.STW_REASONS_TO_1_20
        self.stw = np.arange(len(stw), dtype=np.int64) + len(self.names)
        self.names += stw
        self.kind_of = np.zeros(tf.MAX_REASONS, dtype=np.int64)
        self._workers = {"GC (dedicated)": 1, "GC (fractional)": 2, "GC (idle)": 3}

    def labels(self, index: _Index, size: int) -> Ints:
        """Reason by string id for the labels of mark workers, 0 for all other strings; ``kind_of`` knows
        them then."""
        out = np.zeros(size, dtype=np.int64)
        for sid, start, length, _ in index.strings[index.strings[:, 2] <= 16].tolist():
            kind = self._workers.get(index.pool[start : start + length].tobytes().decode("utf-8", "replace"))
            if kind is not None:
                if kind not in self.kind_of:
                    self.kind_of[len(self.names)] = kind
                    self.names.append(next(n for n, i in self._workers.items() if i == kind))
                out[sid] = np.flatnonzero(self.kind_of == kind)[0]
        return out


def _add_names(words_of: Ints, index: _Index, stacks: StackTable) -> None:
    """The strings that are no function, file or label may name tasks and regions: k.REASONS and more."""
    strings = index.strings
    code = np.zeros(strings.shape[0] + 1, dtype=bool)
    code[index.frames[:, 1:3]] = True  # -1, for none, is the place behind the last
    known = code[:-1] | (words_of[strings[:, 0]] > 0) | (strings[:, 2] > MAX_NAME_BYTES)
    for sid, start, length, _ in strings[~known].tolist():
        name = stacks.name(index.pool[start : start + length].tobytes())
        if name > 0:
            words_of[sid] = k.REASONS + name - 1


class _Order(Ordering):
    """State of the ordering kernel, and its output windows."""

    def __init__(
        self, index: _Index, stack_of: Ints, internal_of: Ints, label_of: Ints, reasons: _Reasons
    ) -> None:
        self._index = index
        self._stack_of = stack_of
        self._internal_of = internal_of
        self._label_of = label_of
        self._reasons = reasons
        super().__init__(ok.TALLY_SIZE, columns=ok.GOROUTINE_COLUMNS)
        self.tally[[ok.T_MIN, ok.T_LAST]] = index.first_tick
        self._loaded = 0
        self._place_cursors()

    def _place_cursors(self) -> None:
        """A cursor on the first piece of each P, and room for one piece of each."""
        pieces = self._index.pieces
        by_p = np.argsort(pieces[:, ok.P_ID], kind="stable")
        self._pieces = pieces = np.ascontiguousarray(pieces[by_p])
        same = pieces[1:, ok.P_ID] == pieces[:-1, ok.P_ID]
        self._next: Ints = np.full(pieces.shape[0], -1, dtype=np.int64)
        self._next[:-1][same] = np.flatnonzero(same) + 1
        heads = np.concatenate([[0], np.flatnonzero(~same) + 1]).astype(np.int64)
        length = pieces[:, ok.P_END] - pieces[:, ok.P_START]
        room = np.maximum.reduceat(length, heads)
        self._room = np.concatenate([[0], np.cumsum(room)]).astype(np.int64)
        self._buf: Bytes = np.empty(int(self._room[-1]), dtype=np.uint8)
        self._cursors: Ints = np.zeros((heads.size, ok.CURSOR_COLUMNS), dtype=np.int64)
        self._cursors[:, ok.C_PIECE] = heads
        self._cursors[:, ok.C_TIME] = pieces[heads, ok.P_TIME]
        self._cursors[:, ok.C_ROW] = -1
        self._heap = np.argsort(self._cursors[:, ok.C_TIME], kind="stable")  # sorted is a valid heap
        self._heap = np.append(self._heap, 0).astype(np.int64)
        self._stalled: Ints = np.zeros(heads.size + 1, dtype=np.int64)
        self.tally[k.T_HEAP] = heads.size
        self.tally[k.T_PROCS] = int((pieces[heads, ok.P_ID] >= 0).sum())

    @property
    def share(self) -> float:
        """How much of the events has been read."""
        return self._loaded / len(self._pieces)

    def windows(self, file: BinaryIO, base: int) -> Iterator[tuple[Window, int]]:
        """Ordered events, a window at a time: (columns, rows). WINDOWS of them take turns."""
        turn = filled = 0
        mul = self._index.ns_per_tick
        while True:
            columns = self._windows[turn]
            why, filled = ok.order(
                self._buf, self._pieces, self._next, self._cursors, self._heap, self._stalled, of.ARG_COUNTS,
                mul, self.tally, self._index.samples, self._stack_of, self._internal_of, self._label_of,
                self._reasons.block, self._reasons.stw, self._index.timers, self._g_keys, self._g_vals,
                self._gs, self._free, filled, *columns,
            )  # fmt: skip
            if why == ok.LOAD:
                self._load(int(self._heap[0]), file, base)
                continue
            if filled:
                yield columns, filled
                turn, filled = (turn + 1) % WINDOWS, 0
            if why == k.DONE:
                return
            if why == k.GROW_GOROUTINES:
                self._grow()

    def _load(self, cursor: int, file: BinaryIO, base: int) -> None:
        row = self._cursors[cursor]
        piece = self._pieces[row[ok.C_PIECE]]
        at = int(self._room[cursor])
        size = int(piece[ok.P_END] - piece[ok.P_START])
        file.seek(base + int(piece[ok.P_START]))
        count = _read_into(file, self._buf.data[at : at + size])
        row[ok.C_POS], row[ok.C_END] = at, at + count
        row[ok.C_LAST] = piece[ok.P_TIME]
        row[ok.C_LOADED] = 1
        self._loaded += 1


def _read_into(file: BinaryIO, buffer: memoryview) -> int:
    """Fill ``buffer`` as far as the file goes. Returns how many bytes."""
    done = 0
    while done < len(buffer):
        data = file.read(len(buffer) - done)
        if not data:
            break
        buffer[done : done + len(data)] = data
        done += len(data)
    return done
