"""Traces made by hand, and real ones made worse: the wire format's pieces, and mutations of them.

Source of the format: ``internal/trace/tracev2/spec.go`` of the Go toolchain.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

HOSTILE = (
    0, 1, 2, 63, 64, 127, 128, 1 << 14, 1 << 20, (1 << 20) + 5, 1 << 24, 1 << 31, 1 << 32, (1 << 40) - 1,
    1 << 40, 1 << 41, 1 << 57, 1 << 62, (1 << 63) - 1, 1 << 63, (1 << 64) - 2, (1 << 64) - 1,
)  # fmt: skip
"""Numbers at which widths, packed keys and signs turn over."""


def varint(value: int) -> bytes:
    """LEB128 of the low 64 bits."""
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def event(kind: int, *args: int) -> bytes:
    """An event: its number, then its arguments (the first of a timed event is the time delta in ticks)."""
    return bytes([kind]) + b"".join(varint(a) for a in args)


def batch(
    data: bytes, *, m: int = 1, time: int = 1000, generation: int = 1, size: int | None = None
) -> bytes:
    """A batch of ``data``; ``size`` lies about its length."""
    head = (generation, m, time, len(data) if size is None else size)
    return b"\x01" + b"".join(varint(v) for v in head) + data


def frequency(hz: int = 1_000_000_000) -> bytes:
    """The batch that says how many ticks a second has."""
    return batch(event(8, hz), m=-1)


def string(number: int, text: str, size: int | None = None) -> bytes:
    """An entry of a string batch."""
    data = text.encode()
    return event(5, number, len(data) if size is None else size) + data


def stack(number: int, frames: Sequence[tuple[int, int, int, int]], depth: int | None = None) -> bytes:
    """An entry of a stack batch; frames are pc, function, file, line."""
    return event(3, number, len(frames) if depth is None else depth) + b"".join(
        varint(v) for frame in frames for v in frame
    )


def tables(strings: bytes = b"", stacks: bytes = b"") -> bytes:
    """A generation's tables: strings 1 main.work, 2 main.go, 3 sync; stack 1 has one frame."""
    known = string(1, "main.work") + string(2, "/src/main.go") + string(3, "sync")
    return batch(b"\x02" + stack(1, [(0x400, 1, 2, 7)]) + stacks, m=-1) + batch(
        b"\x04" + known + strings, m=-1
    )


def events(*extra: bytes) -> bytes:
    """Events of one M: P 0 and goroutine 1 run, goroutine 2 is made; then ``extra``."""
    return b"".join((event(13, 1, 0, 1), event(25, 1, 1, 1, 2), event(14, 5, 2, 1, 1), *extra))


def made(body: bytes, minor: int = 22) -> bytes:
    """A trace with this header."""
    return b"go 1.%d trace\0\0\0" % minor + body


@dataclass
class _Piece:
    head: bytes
    numbers: list[int]
    data: bytearray

    def bytes(self) -> bytes:
        if not self.numbers:
            return self.head
        return self.head + b"".join(varint(n) for n in (*self.numbers, len(self.data))) + bytes(self.data)


def _pieces(trace: bytes) -> list[_Piece]:
    """The batches of a whole trace: generation, M, time; data."""
    out, pos = [], 16
    while pos < len(trace):
        kind = trace[pos]
        pos += 1
        if kind == 52:
            out.append(_Piece(b"\x34", [], bytearray()))
            continue
        head = bytes([kind])
        if kind == 49:
            head += trace[pos : pos + 1]
            pos += 1
        numbers = []
        for _ in range(4):
            value, shift = 0, 0
            while True:
                byte = trace[pos]
                pos += 1
                value |= (byte & 0x7F) << shift
                shift += 7
                if byte < 0x80:
                    break
            numbers.append(value)
        size = numbers.pop()
        out.append(_Piece(head, numbers, bytearray(trace[pos : pos + size])))
        pos += size
    return out


def _number(rnd: random.Random) -> int:
    return rnd.choice(HOSTILE) if rnd.random() < 0.7 else rnd.getrandbits(rnd.randrange(1, 64))


def _put_number(data: bytearray, at: int, value: int) -> None:
    """Replace the varint that ends behind ``at``."""
    end = at
    while end < len(data) - 1 and data[end] >= 0x80:
        end += 1
    data[at : end + 1] = varint(value)


def worse_bytes(trace: bytes, rnd: random.Random) -> bytes:
    """Damage as disks and networks do it: bits, bytes, holes, repeats, a cut."""
    data = bytearray(trace)
    for _ in range(rnd.choice((1, 1, 2, 3, 8, 40))):
        if len(data) < 32:
            break
        at, what = rnd.randrange(16, len(data)), rnd.random()
        if what < 0.3:
            data[at] ^= 1 << rnd.randrange(8)
        elif what < 0.5:
            data[at] = rnd.randrange(256)
        elif what < 0.75:
            _put_number(data, at, _number(rnd))
        elif what < 0.85:
            del data[at : at + rnd.choice((1, 2, 10, 300))]
        elif what < 0.95:
            begin = rnd.randrange(16, len(data))
            data[at:at] = data[begin : begin + rnd.choice((1, 5, 50, 3000))]
        else:
            del data[at:]
    return bytes(data)


def worse_batches(trace: bytes, rnd: random.Random) -> bytes:
    """Damage within whole batches, so that it reaches the kernels: numbers, event types, order, repeats."""
    pieces = _pieces(trace)
    for _ in range(rnd.choice((1, 1, 2, 5, 20))):
        at, what = rnd.randrange(len(pieces)), rnd.random()
        piece = pieces[at]
        if not piece.numbers:
            continue
        if what < 0.1:
            piece.numbers[rnd.randrange(3)] = _number(rnd)
        elif what < 0.15:
            copy = _Piece(piece.head, list(piece.numbers), bytearray(piece.data))
            pieces.insert(rnd.randrange(len(pieces)), copy)
        elif what < 0.2 and len(pieces) > 1:
            del pieces[at]
        elif what < 0.25:
            other = rnd.randrange(len(pieces))
            pieces[at], pieces[other] = pieces[other], pieces[at]
        else:
            _worse_events(piece.data, rnd)
    return trace[:16] + b"".join(p.bytes() for p in pieces)


def _worse_events(data: bytearray, rnd: random.Random) -> None:
    for _ in range(rnd.choice((1, 1, 3, 10))):
        if len(data) < 3:
            return
        at, what = rnd.randrange(len(data)), rnd.random()
        if what < 0.5:
            _put_number(data, at, _number(rnd))
        elif what < 0.8:
            data[at] = rnd.choice((*range(9, 52), 128, 132))
        else:
            data[at] ^= 1 << rnd.randrange(8)
