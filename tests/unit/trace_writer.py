"""Writes execution traces of the format of Go 1.23, event by event: one M, one P, one generation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.support import traces as made

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
        self._event(ms, 25, g, -1, _WAITING)

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
        batches, data, begun, last = [], bytearray(), 0, 0
        for ms, event in self._events:
            now = round(ms * _MS)
            if len(data) > 60_000:
                batches.append(made.batch(bytes(data), m=0, time=begun))
                data, begun = bytearray(), last
            data += event[:1] + made.varint(now - last) + event[1:]
            last = now
        batches += [made.batch(bytes(data), m=0, time=begun), made.frequency()]
        stacks = b"".join(
            made.stack(number, [self._frame(*frame) for frame in frames])
            for frames, number in self._stacks.items()
        )
        strings = b"".join(made.string(number, text) for text, number in self._strings.items())
        batches += [made.batch(b"\x04" + strings, m=-1), made.batch(b"\x02" + stacks, m=-1)]
        path.write_bytes(made.made(b"".join(batches), minor=23))
        return path

    def _frame(self, function: str, line: int) -> tuple[int, int, int, int]:
        file = "example.com/service/main.go" if function.startswith("main.") else "lib.go"
        return 0, self._string(function), self._string(file), line

    def _event(self, ms: float, kind: int, *arguments: int) -> None:
        self._events.append((ms, made.event(kind, *arguments)))

    def _string(self, text: str) -> int:
        return self._strings.setdefault(text, len(self._strings) + 1)

    def _stack(self, frames: Frames) -> int:
        return self._stacks.setdefault(tuple(frames), len(self._stacks) + 1)
