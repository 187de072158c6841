"""Writes execution traces of the format of Go 1.23, event by event: one M, one P, one generation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

Frames = Sequence[tuple[str, int]]
"""Function and line, the innermost first."""

_WAITING, _RUNNING = 4, 2
_MS = 1_000_000


class TraceWriter:
    """Events in the order of their calls. Times are ms on the trace's clock, which ticks every ns."""

    def __init__(self) -> None:
        self._strings: dict[str, int] = {}
        self._stacks: dict[tuple[tuple[str, int], ...], int] = {}
        self._events: list[tuple[float, bytes]] = []
        self._seq: dict[int, int] = {}
        self._event(0.0, 13, 0, 1)  # P 0 runs on this M

    def waits(self, ms: float, g: int) -> None:
        """A goroutine that was there before, and waits."""
        self._seq[g] = 0
        self._event(ms, 25, g, (1 << 64) - 1, _WAITING)

    def runs(self, ms: float, g: int) -> None:
        """A goroutine that was there before, and runs on the M."""
        self._seq[g] = 0
        self._event(ms, 25, g, 0, _RUNNING)

    def create(self, ms: float, g: int, root: str, at: Frames) -> None:
        """The running goroutine starts one."""
        self._seq[g] = 0
        self._event(ms, 14, g, self._stack([(root, 1)]), self._stack(at))

    def start(self, ms: float, g: int) -> None:
        """A runnable goroutine runs."""
        self._seq[g] += 1
        self._event(ms, 16, g, self._seq[g])

    def block(self, ms: float, reason: str, at: Frames) -> None:
        """The running goroutine waits."""
        self._event(ms, 20, self._string(reason), self._stack(at))

    def stop(self, ms: float, reason: str, at: Frames) -> None:
        """The running goroutine lets others run."""
        self._event(ms, 19, self._string(reason), self._stack(at))

    def unblock(self, ms: float, g: int, at: Frames = ()) -> None:
        """A wait ends; by the running goroutine, where there is one and ``at`` is its stack."""
        self._seq[g] += 1
        self._event(ms, 21, g, self._seq[g], self._stack(at) if at else 0)

    def end(self, ms: float) -> None:
        """The running goroutine ends."""
        self._event(ms, 17)

    def syscall(self, ms: float, until_ms: float, at: Frames) -> None:
        """A system call of the running goroutine that does not give its P away."""
        self._event(ms, 22, 1, self._stack(at))
        self._event(until_ms, 23)

    def task(self, ms: float, task: int, name: str, at: Frames) -> None:
        """The running goroutine begins a user task."""
        self._event(ms, 40, task, 0, self._string(name), self._stack(at))

    def task_end(self, ms: float, task: int, at: Frames) -> None:
        """The running goroutine ends a user task."""
        self._event(ms, 41, task, self._stack(at))

    def region(self, ms: float, name: str, at: Frames, *, end: bool = False) -> None:
        """A user region of the running goroutine begins, or ends."""
        self._event(ms, 43 if end else 42, 0, self._string(name), self._stack(at))

    def write(self, path: Path) -> Path:
        """The whole trace as a file."""
        out = bytearray(b"go 1.23 trace\x00\x00\x00")
        data, begun, last = bytearray(), 0, 0
        for ms, event in self._events:
            now = round(ms * _MS)
            if len(data) > 60_000:
                out += _batch(0, bytes(data), begun)
                data, begun = bytearray(), last
            data += event[:1] + _uvarint(now - last) + event[1:]
            last = now
        out += _batch(0, bytes(data), begun)
        out += _batch(-1, b"\x08" + _uvarint(1_000_000_000))
        stacks = bytearray(b"\x02")
        for frames, number in self._stacks.items():
            stacks += b"\x03" + _uvarint(number) + _uvarint(len(frames))
            for function, line in frames:
                where = self._string(
                    "example.com/service/main.go" if function.startswith("main.") else "lib.go"
                )
                stacks += _uvarint(0) + _uvarint(self._string(function)) + _uvarint(where) + _uvarint(line)
        strings = bytearray(b"\x04")
        for text, number in self._strings.items():
            strings += b"\x05" + _uvarint(number) + _uvarint(len(text)) + text.encode()
        out += _batch(-1, bytes(strings)) + _batch(-1, bytes(stacks))
        path.write_bytes(bytes(out))
        return path

    def _event(self, ms: float, kind: int, *arguments: int) -> None:
        self._events.append((ms, bytes([kind]) + b"".join(_uvarint(a) for a in arguments)))

    def _string(self, text: str) -> int:
        return self._strings.setdefault(text, len(self._strings) + 1)

    def _stack(self, frames: Frames) -> int:
        return self._stacks.setdefault(tuple(frames), len(self._stacks) + 1)


def _batch(m: int, data: bytes, time: int = 0) -> bytes:
    return b"\x01" + _uvarint(1) + _uvarint(m % (1 << 64)) + _uvarint(time) + _uvarint(len(data)) + data


def _uvarint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
