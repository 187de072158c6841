"""Reading an execution trace (Go 1.22 to 1.27; old.py has those before): bytes in, folded tables out.

One generation at a time: its tables first (strings, stacks, samples), then its events, which one kernel
orders and another replays. The two kernels work side by side, a window of events apart. Memory follows
neither the length of the trace nor the size of its generations (container.py).
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import numpy.typing as npt

from gopherdx.artifacts.spool import spooled
from gopherdx.artifacts.trace import format as tf
from gopherdx.artifacts.trace import kernels as k
from gopherdx.artifacts.trace.arrays import RECORD_AGAIN, WINDOWS, max_id, row_by_id
from gopherdx.artifacts.trace.container import Generations, RawGeneration
from gopherdx.artifacts.trace.jit import prepare
from gopherdx.artifacts.trace.order import Order
from gopherdx.artifacts.trace.replay import Replay
from gopherdx.artifacts.trace.stacks import MAX_NAME_BYTES, StackTable
from gopherdx.artifacts.trace.streams import Counted, Limited, Prefixed, random_access, read_exactly
from gopherdx.artifacts.trace.tables import Generation, Trace
from gopherdx.artifacts.trace.worker import Worker
from gopherdx.errors import UnreadableInput

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Progress = Callable[[str, float], None]

_LENGTHS = [len(reason) for reason in tf.WAIT_REASONS if "." in reason]  # those that are functions
MAX_BYTES = 8 << 30  # of the unpacked trace
MAX_NS = float(1 << 60)  # 36 years after the clock's start: a later time is damage

CLOCK_DIVISOR = 256
CLOCK_MAX = 1e9
"""Go 1.22.0 on Windows divided its processor's clock by 256 and wrote the undivided rate (golang/go#65997;
runtime/trace2time.go, traceClockUnitsPerSecond, has the division since). A clock divided so ticks some ten
million times a second, the others 15.6 million times: more than this is an undivided rate."""

COMPILING = "compiling what reads traces, once for this version of gopherdx: ten to thirty seconds"


def read_trace(
    source: str | os.PathLike[str] | BinaryIO,
    *,
    path: str | None = None,
    progress: Progress | None = None,
    limit_bytes: int = MAX_BYTES,
) -> Trace:
    """Read a trace, gzipped or not, as far as it goes.

    ``progress`` is called with a phase and the share of the file that was read. Raises ``UnreadableInput``
    where it is no trace, of a version that cannot be read, or holds no whole generation.
    """
    name = path or (os.fspath(source) if isinstance(source, (str, os.PathLike)) else "trace")
    if isinstance(source, (str, os.PathLike)):
        with Path(source).open("rb") as stream:
            return _read(stream, name, Path(source).stat().st_size, progress, limit_bytes)
    return _read(source, name, 0, progress, limit_bytes)


def _read(stream: BinaryIO, path: str, size: int, progress: Progress | None, limit_bytes: int) -> Trace:
    counted = Counted(stream)
    head = counted.read(2)
    plain: Prefixed | Limited = Prefixed(head, counted)
    if head == b"\x1f\x8b":
        plain = Limited(gzip.GzipFile(fileobj=cast(BinaryIO, plain), mode="rb"), path, limit_bytes)
    header = read_exactly(plain, tf.HEADER_BYTES, path)
    minor = tf.header_version(header)
    if minor is None:
        raise UnreadableInput("this is not a Go execution trace", where=path, todo=RECORD_AGAIN)
    if not tf.is_readable(minor):
        raise UnreadableInput(tf.unreadable(minor), where=path, todo=tf.READABLE)
    if tf.is_old(minor):
        return _read_old(stream, plain, minor, path, progress, limit_bytes)
    if progress is not None:
        prepare(k, lambda: progress(COMPILING, -1.0))
    builder = _Builder(path, minor)
    in_place = isinstance(plain, Prefixed) and random_access(stream)
    generations = Generations(plain, minor, path=path, file=stream if in_place else None)
    with Worker("gopherdx-replay", WINDOWS - 2) as worker:
        for raw in generations:
            if progress is not None:
                progress("reading the trace", min(1.0, counted.count / size) if size else 0.0)
            if raw.whole:
                builder.add(raw, worker)
            else:
                builder.skip(raw)
    return builder.finish(generations)


def _read_old(
    stream: BinaryIO,
    plain: Prefixed | Limited,
    minor: int,
    path: str,
    progress: Progress | None,
    limit_bytes: int,
) -> Trace:
    """Read a trace of the old format, for which a stream that cannot go back is copied to a file."""
    from gopherdx.artifacts.trace import old, old_kernels

    if progress is not None:
        prepare(k, lambda: progress(COMPILING, -1.0))
        prepare(old_kernels, lambda: progress(COMPILING, -1.0))
    in_place = isinstance(plain, Prefixed) and random_access(stream)
    too_much = UnreadableInput(
        f"this trace holds more than {limit_bytes >> 20:,} MiB", where=path, todo="take a shorter trace"
    )
    file = stream if in_place else spooled(plain.read, limit_bytes, too_much)
    try:
        return old.read_old(
            file,
            minor,
            path=path,
            progress=lambda share: progress("reading the trace", share) if progress is not None else None,
        )
    finally:
        if not in_place:
            file.close()


class _Builder:
    """Takes generations in, gives the trace out."""

    def __init__(self, path: str, minor: int) -> None:
        self._path = path
        self._minor = minor
        self._stacks = StackTable()
        self._order = Order()
        self._replay = Replay()
        self._reasons: dict[bytes, int] = {text.encode(): i for i, text in enumerate(tf.WAIT_REASONS) if text}
        self._reason_names = list(tf.WAIT_REASONS)
        self._generations: list[Generation] = []
        self._skipped = 0
        self._skipped_bytes = 0
        self._wall_clock: int | None = None
        self._bad_tables = 0
        self._damaged = False
        self._undivided = False

    def add(self, raw: RawGeneration, worker: Worker) -> None:
        """Order and replay one whole generation."""
        frequency = self._frequency(raw)
        mul = 1e9 / frequency if frequency > 0 else 0.0
        if not 0.0 <= float(np.max(raw.batches[:, k.B_TIME].astype(np.uint64))) * mul < MAX_NS or mul == 0.0:
            self._damaged = True
            self.skip(raw)
            return
        stack_of, reason_of = self._tables(raw)
        samples = self._samples(raw, mul)
        order = self._order
        events_before = order.events
        batches = raw.events
        timed = batches if batches.size else raw.batches
        first = int(np.float64(timed[:, k.B_TIME].min()) * mul)
        order.begin(raw, mul, self._path)
        labels = self._label_of()
        worker.put(self._replay.begin, first)
        for columns, rows in order.windows(samples, stack_of, reason_of):
            worker.put(self._replay.fold, columns, rows, self._stacks, labels, order.rows)
        worker.put(self._close, raw.number, first, raw.bytes, order.events - events_before)

    def _close(self, number: int, first_ns: int, size: int, events: int) -> None:
        self._generations.append(Generation(number, first_ns, size, events, self._replay.live))

    def skip(self, raw: RawGeneration) -> None:
        """Count a generation that was cut: without its tables its events have no names."""
        self._skipped += 1
        self._skipped_bytes += raw.bytes

    def _frequency(self, raw: RawGeneration) -> float:
        """Ticks a second, from the frequency event (alone up to Go 1.23, in the sync batch since 1.25)."""
        for row in raw.batches[np.isin(raw.batches[:, k.B_TYPE], (8, 50))].tolist():
            data = raw.buf[row[k.B_START] : row[k.B_END]].tobytes()
            pos = 1 if row[k.B_TYPE] == 50 else 0
            frequency = 0
            while pos < len(data):
                kind = data[pos]
                values, pos = _uvarints(data, pos + 1, {8: 1, 51: 4}.get(kind, 0))
                if kind == 8 and values:
                    frequency = values[0]
                elif kind == 51 and len(values) == 4:
                    if self._wall_clock is None:
                        self._wall_clock = values[2] * 1_000_000_000 + values[3]
                else:
                    break
            if frequency:
                return self._divided(float(frequency))
        return 0.0

    def _divided(self, frequency: float) -> float:
        """The clock's rate as it was: Go 1.22 on Windows wrote one 256 times too high."""
        if self._minor != 22 or frequency <= CLOCK_MAX:
            return frequency
        self._undivided = True
        return frequency / CLOCK_DIVISOR

    def _tables(self, raw: RawGeneration) -> tuple[Ints, Ints]:
        """Maps from this generation's stack ids and string ids to the trace's stacks and reasons."""
        buf, batches = raw.buf, raw.batches
        room = 1024
        while True:
            strings = np.empty((room, 4), dtype=np.int64)
            n, bad = k.read_strings(buf, batches, strings)
            if n >= 0:
                break
            room *= 4
        strings = strings[:n]
        self._bad_tables += bad
        string_row = row_by_id(strings[:, 0], n, self._path)
        room = 1024
        while True:
            stacks = np.empty((room, 4), dtype=np.int64)
            frames = np.empty((room * 16, 4), dtype=np.int64)
            n_stacks, n_frames, bad = k.read_stacks(buf, batches, string_row, strings, stacks, frames)
            if n_stacks >= 0:
                break
            room *= 4
        self._bad_tables += bad
        stacks = stacks[:n_stacks]
        largest = max_id(stacks[:, 0], n_stacks, self._path)
        stack_of = self._stacks.add_generation(buf, strings, stacks, frames[:n_frames], largest)
        return stack_of, self._words_of(raw, strings, frames[:n_frames], string_row.size)

    def _words_of(self, raw: RawGeneration, strings: Ints, frames: Ints, size: int) -> Ints:
        """Reason by string id; for all other strings that name no function or file, k.REASONS and more.

        Labels of mark workers and kinds of stop-the-world are reasons too; ones not met before get a number.
        """
        reason_of = np.zeros(size, dtype=np.int64)
        code = np.zeros(strings.shape[0] + 1, dtype=bool)
        code[frames[:, 1:3]] = True  # -1, for none, is the place behind the last
        # Some reasons are called like the function that waits, and are one string with it.
        for sid, start, length, _ in strings[code[:-1] & np.isin(strings[:, 2], _LENGTHS)].tolist():
            reason_of[sid] = self._reasons.get(raw.buf[start : start + length].tobytes(), 0)
        for sid, start, length, _ in strings[~code[:-1] & (strings[:, 2] <= MAX_NAME_BYTES)].tolist():
            text = raw.buf[start : start + length].tobytes()
            index = self._reasons.get(text)
            if index is None and _is_reason(text) and len(self._reason_names) < tf.MAX_REASONS:
                index = self._reasons[text] = len(self._reason_names)
                self._reason_names.append(text.decode("utf-8", "replace"))
            if index is not None:
                reason_of[sid] = index
            elif (name := self._stacks.name(text)) > 0:
                reason_of[sid] = k.REASONS + name - 1
        return reason_of

    def _label_of(self) -> Ints:
        out = np.zeros(tf.MAX_REASONS, dtype=np.int64)
        for i, name in enumerate(self._reason_names):
            out[i] = {"GC (dedicated)": 1, "GC (fractional)": 2, "GC (idle)": 3}.get(name, 0)
        return out

    def _samples(self, raw: RawGeneration, mul: float) -> Ints:
        """CPU samples by time: time ns, M, P, goroutine, stack id."""
        room = 4096
        while True:
            samples = np.empty((room, 5), dtype=np.int64)
            n = k.read_samples(raw.buf, raw.batches, samples)
            if n >= 0:
                break
            room *= 4
        samples = samples[:n]
        samples[:, 0] = np.clip(samples[:, 0] * mul, 0, MAX_NS).astype(np.int64)
        return np.ascontiguousarray(samples[np.argsort(samples[:, 0], kind="stable")])

    def finish(self, generations: Generations) -> Trace:
        if not self._generations:
            if generations.damaged or self._damaged:
                what = "this trace is damaged: no generation of it can be read"
            elif generations.trailing or self._skipped:
                what = "this trace ends inside its first generation, so its events have no names yet"
            else:
                what = "this trace holds no events"
            todo = RECORD_AGAIN + " and stop it before the program exits"
            raise UnreadableInput(what, where=self._path, todo=todo)
        warnings = self._warnings(generations)
        return self._replay.trace(
            path=self._path,
            go=tf.go_range(self._minor),
            size=generations.bytes,
            stacks=self._stacks,
            order_tally=self._order.tally,
            rows=self._order.rows,
            generations=tuple(self._generations),
            reasons=self._reason_names,
            warnings=warnings,
            truncated=bool(self._skipped or generations.trailing),
            wall_clock_ns=self._wall_clock,
            unread=(self._skipped, self._skipped_bytes + generations.trailing),
        )

    def _warnings(self, generations: Generations) -> tuple[str, ...]:
        out = []
        if self._undivided:
            out.append(
                f"Go 1.22 on Windows wrote a clock {CLOCK_DIVISOR} times too fast (golang/go#65997); times "
                f"are corrected here, and go tool trace shows them {CLOCK_DIVISOR} times too short"
            )
        if self._skipped or generations.trailing:
            lost = self._skipped_bytes + generations.trailing
            read = f"{len(self._generations)} whole generation{'s' if len(self._generations) != 1 else ''}"
            if generations.damaged or self._damaged:
                out.append(f"the trace is damaged: {read} could be read, {lost:,} bytes were not used")
            else:
                out.append(f"the trace is cut off after {read}; the last {lost:,} bytes were not used")
        forced = int(self._order.tally[k.T_FORCED])
        if forced:
            out.append(f"{forced:,} events could not be put in order by their sequence numbers")
        bad = int(self._order.tally[k.T_BAD]) + self._bad_tables
        if bad:
            out.append(f"{bad:,} batches hold events that cannot be decoded; their rest was skipped")
        return tuple(out)


_STW = frozenset(
    s.encode()
    for s in (
        "unknown", "GC mark termination", "GC sweep termination", "write heap dump", "goroutine profile",
        "goroutine profile cleanup", "all goroutines stack trace", "read mem stats", "AllThreadsSyscall",
        "GOMAXPROCS", "start trace", "stop trace", "CountPagesInUse (test)", "ReadMetricsSlow (test)",
        "ReadMemStatsSlow (test)", "PageCachePagesLeaked (test)", "ResetDebugLog (test)",
    )
)  # fmt: skip


def _is_reason(text: bytes) -> bool:
    starts = (b"GC (", b"stop-the-world (", b"GC ", b"GOMAXPROCS", b"start trace", b"stop trace")
    return text.startswith(starts) or text in _STW


def _uvarints(data: bytes, pos: int, count: int) -> tuple[list[int], int]:
    """``count`` varints from ``data[pos:]``; fewer where the data ends."""
    values = []
    for _ in range(count):
        value, shift = 0, 0
        while pos < len(data):
            byte = data[pos]
            pos += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                values.append(value)
                break
    return values, pos
