"""A trace of one generation, as large as wanted: what no program writes on the machines that tests run on.

    python -m tests.support.large_traces FILE MB [MS]

On each of MS Ms two goroutines hand over to one another. Times of all Ms interleave. The toolchain's own
reader takes it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import BinaryIO

import numpy as np

from tests.support import traces as made

GO_START, GO_BLOCK, GO_UNBLOCK, GO_STATUS, PROC_STATUS = 16, 20, 21, 25, 13
STEP = 25  # ticks from one event of an M to the next
SEQUENCE_BYTES = 4  # numbers that count up are written in so many, however small they are
EVENTS = 6  # of one turn


def write_one_generation(file: BinaryIO, megabytes: float, ms: int = 8) -> int:
    """Write a trace whose only generation has some ``megabytes`` (10**6 bytes). Returns how many events."""
    size = len(_turn(0)[0])
    turns = 60_000 // size  # of one batch: the runtime's are 64 KiB
    batches = max(1, round(megabytes * 1e6 / (turns * size * ms)))
    file.write(made.made(made.frequency(), minor=23))
    for number in range(batches):
        for m in range(ms):
            begin = 1000 + m + number * turns * EVENTS * STEP
            told = _statuses(m) if number == 0 else b""
            data = told + _turns(m, number * turns, turns)
            file.write(made.batch(data, m=100 + m, time=begin))
    file.write(made.tables())
    return batches * ms * turns * EVENTS + 3 * ms


def _statuses(m: int) -> bytes:
    """The M has a P; one of its goroutines can run, the other one waits."""
    first, second = _goroutines(m)
    return (
        made.event(PROC_STATUS, 0, m, 1)
        + made.event(GO_STATUS, 0, first, -1, 1)
        + made.event(GO_STATUS, 0, second, -1, 4)
    )


def _goroutines(m: int) -> tuple[int, int]:
    return 10 + 2 * m, 11 + 2 * m


def _turn(m: int) -> tuple[bytes, list[tuple[int, int]]]:
    """Each of an M's goroutines runs once: the bytes, and where in them sequence numbers 1, 1, 2 and 2 go."""
    first, second = _goroutines(m)
    out = bytearray()
    holes = []
    for goroutine, other, runs, wakes in ((first, second, 1, 1), (second, first, 2, 2)):
        out += made.event(GO_START, STEP, goroutine)
        holes.append((len(out), runs))
        out += bytes(SEQUENCE_BYTES)
        out += made.event(GO_UNBLOCK, STEP, other)
        holes.append((len(out), wakes))
        out += bytes(SEQUENCE_BYTES) + made.varint(1)
        out += made.event(GO_BLOCK, STEP, 3, 1)
    return bytes(out), holes


def _turns(m: int, before: int, count: int) -> bytes:
    """``count`` turns of an M behind ``before`` others."""
    template, holes = _turn(m)
    rows = np.tile(np.frombuffer(template, dtype=np.uint8), (count, 1))
    turn = np.arange(before, before + count, dtype=np.int64)
    for at, sequence in holes:
        value = 2 * turn + sequence
        for byte in range(SEQUENCE_BYTES):
            more = 0x80 if byte < SEQUENCE_BYTES - 1 else 0
            rows[:, at + byte] = (value >> (7 * byte)) & 0x7F | more
    return rows.tobytes()


if __name__ == "__main__":
    with Path(sys.argv[1]).open("wb") as out:
        write_one_generation(out, float(sys.argv[2]), *(int(n) for n in sys.argv[3:]))
