"""Traces of the old format (Go 1.11 to 1.21) made by hand, and real ones made worse.

Source of the format: ``internal/trace/parser.go`` and ``runtime/trace.go`` of Go 1.21.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from tests.support.traces import HOSTILE, varint

HZ = 1_000_000_000
"""A tick is a nanosecond."""


def event(kind: int, *args: int) -> bytes:
    """An event: number and count of arguments in a byte, then those; the first is the time since the last."""
    body = b"".join(varint(a) for a in args)
    if len(args) < 4:
        return bytes([kind | (len(args) - 1) << 6]) + body
    return bytes([kind | 3 << 6]) + varint(len(body)) + body


def batch(p: int, time: int, *events: bytes) -> bytes:
    """Events of one P, the first of them after ``time``."""
    return event(1, p, time) + b"".join(events)


def string(number: int, text: str) -> bytes:
    """An entry of the dictionary, which may lie between any two events."""
    data = text.encode()
    return b"\x25" + varint(number) + varint(len(data)) + data


def stack(number: int, *frames: tuple[int, int, int, int]) -> bytes:
    """An entry of the table of stacks; frames are pc, function, file, line."""
    body = b"".join(varint(v) for v in (number, len(frames), *(v for frame in frames for v in frame)))
    return b"\xc3" + varint(len(body)) + body


def log(task: int, key: int, at: int, text: str) -> bytes:
    """A log event (a tick after the one before it); its text follows it."""
    data = text.encode()
    return event(48, 1, task, key, at) + varint(len(data)) + data


NAMES = ("runtime.main", "main.work", "main.lock", "sync.(*Mutex).Lock", "sync.(*Mutex).Unlock", "GC (idle)")
STACKS: dict[str, tuple[str, ...]] = {
    "runtime.main": ("runtime.main",),
    "main.work": ("main.work",),
    "locking": ("sync.(*Mutex).Lock", "main.lock", "main.work"),
    "unlocking": ("sync.(*Mutex).Unlock", "main.lock", "main.work"),
    "creating": ("main.lock",),
}
AT = {name: i + 1 for i, name in enumerate(STACKS)}
"""Ids of the stacks that ``tables`` tells."""


def tables(hz: int = HZ) -> bytes:
    """What comes last: the clock's frequency, then stacks with their strings."""
    numbers = {name: i + 1 for i, name in enumerate(NAMES)}
    strings = b"".join(string(i, name) for name, i in numbers.items()) + string(90, "/src/main.go")
    stacks = b"".join(
        stack(AT[name], *((numbers[f], numbers[f], 90, 10 * numbers[f]) for f in frames))
        for name, frames in STACKS.items()
    )
    return event(1, 0, 0) + event(2, hz) + strings + stacks


def made(*batches: bytes, minor: int = 21, hz: int = HZ) -> bytes:
    """A whole trace."""
    return b"go 1.%d trace\0\0\0" % minor + b"".join(batches) + tables(hz)


def begun(*waiting: int) -> bytes:
    """The first batch, of P 0 from tick 100 on: goroutine 1 runs from tick 200 + 2n, these others wait."""
    told = [event(13, 1, 1, AT["runtime.main"], 0)]
    for g in waiting:
        told += [event(13, 1, g, AT["main.work"], 0), event(31, 1, g)]
    rest = 200 - 100 - 1
    return batch(0, 100, *told, event(5, rest, 0), event(38, 0, 1))


# --- damage ---


@dataclass
class _Piece:
    data: bytearray
    timed: bool


def _pieces(trace: bytes) -> list[_Piece]:
    """The events of a whole trace, each with what belongs to it."""
    out, pos = [], 16
    while pos < len(trace):
        start = pos
        kind, count = trace[pos] & 63, (trace[pos] >> 6) + 1
        pos += 1
        if kind == 37:
            _, pos = _number_at(trace, pos)
            size, pos = _number_at(trace, pos)
            pos += size
        elif count == 4:
            size, pos = _number_at(trace, pos)
            pos += size
        else:
            for _ in range(count):
                _, pos = _number_at(trace, pos)
        if kind == 48:
            size, pos = _number_at(trace, pos)
            pos += size
        out.append(_Piece(bytearray(trace[start:pos]), kind not in (2, 3, 37)))
    return out


def _number_at(data: bytes | bytearray, pos: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[pos]
        pos += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, pos


def _arguments(piece: _Piece) -> list[int]:
    pos = 2 if piece.data[0] >> 6 == 3 else 1
    out = []
    while pos < len(piece.data):
        value, pos = _number_at(piece.data, pos)
        out.append(value)
    return out


def worse_events(trace: bytes, rnd: random.Random) -> bytes:
    """Damage that leaves events whole, so that it reaches the kernels: numbers, kinds, order, repeats."""
    pieces = _pieces(trace)
    for _ in range(rnd.choice((1, 1, 2, 5, 20, 100))):
        at, what = rnd.randrange(len(pieces)), rnd.random()
        piece = pieces[at]
        if what < 0.5 and piece.data[0] & 63 not in (37, 48):
            args = _arguments(piece)
            args[rnd.randrange(len(args))] = _number(rnd)
            piece.data[:] = event(piece.data[0] & 63, *args)
        elif what < 0.6:
            other = rnd.choice(pieces)
            if other.data[0] >> 6 == piece.data[0] >> 6 and piece.timed and other.timed:
                piece.data[0] = other.data[0]
        elif what < 0.75:
            pieces.insert(rnd.randrange(len(pieces)), _Piece(bytearray(piece.data), piece.timed))
        elif what < 0.9:
            other_at = rnd.randrange(len(pieces))
            pieces[at], pieces[other_at] = pieces[other_at], pieces[at]
        else:
            del pieces[at]
    return trace[:16] + b"".join(p.data for p in pieces)


def _number(rnd: random.Random) -> int:
    return rnd.choice(HOSTILE) if rnd.random() < 0.6 else rnd.getrandbits(rnd.randrange(1, 64))


def cuts(trace: bytes, count: int, rnd: random.Random) -> Sequence[int]:
    """Places to cut a trace at: some anywhere, some in the tables at its end."""
    return sorted(
        {rnd.randrange(16, len(trace)) for _ in range(count)} | set(range(len(trace) - count, len(trace)))
    )
