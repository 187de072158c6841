"""What share of a trace's running time each start function has, by the toolchain alone.

    python tests/lab/running.py GO TRACE…

Reads what ``go tool trace -d=parsed`` prints (Go 1.26 reads traces from Go 1.11 on) and adds up the time
that goroutines were Running, by the outermost function of the first stack that names it. Knows nothing of
gopherdx: ``realworld.yaml`` has its figures for comparison.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Final

EVENT: Final = re.compile(r"M=-?\d+ P=-?\d+ G=(-?\d+) (\w+) Time=(\d+) ?(.*)")
MOVE: Final = re.compile(r"GoID=(\d+) (\w+)->(\w+)")


def running(go: str, trace: Path) -> dict[str, float]:
    """Percent of all running time by start function, the largest first; "" where no stack tells it."""
    command = [go, "tool", "trace", "-d=parsed", str(trace)]
    seen = _Goroutines()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, errors="replace") as tool:
        assert tool.stdout is not None
        for line in tool.stdout:
            seen.read(line)
    return seen.shares()


class _Goroutines:
    """Where each goroutine began, and how long it ran, line by line."""

    def __init__(self) -> None:
        self._root: dict[int, str] = {}
        self._state: dict[int, tuple[str, int]] = {}
        self._ran: Counter[int] = Counter()
        self._time = 0
        self._own = self._moved = -1  # of the last event: the goroutine on its M, and the one it is about
        self._whose = -1  # the goroutine whose stack is being read
        self._frame = ""

    def read(self, line: str) -> None:
        if line.startswith("\t"):
            if not line.startswith("\t\t"):
                self._frame = line.strip().split(" @ ")[0]  # the last one is the outermost
            return
        if self._frame and self._whose >= 0:
            self._root.setdefault(self._whose, self._frame)
        self._whose, self._frame = -1, ""
        if line.startswith("TransitionStack="):
            self._whose = self._moved
        elif line.startswith("Stack="):
            self._whose = self._own
        elif event := EVENT.match(line):
            self._own, self._time, self._moved = int(event[1]), int(event[3]), -1
            if event[2] == "StateTransition" and (move := MOVE.match(event[4])):
                self._moved = int(move[1])
                self._change(self._moved, move[3])

    def _change(self, goroutine: int, to: str) -> None:
        was, since = self._state.get(goroutine, ("", self._time))
        if was == "Running":
            self._ran[goroutine] += self._time - since
        self._state[goroutine] = (to, self._time)

    def shares(self) -> dict[str, float]:
        for goroutine in self._state:
            self._change(goroutine, "")
        by_root: Counter[str] = Counter()
        for goroutine, ns in self._ran.items():
            by_root[self._root.get(goroutine, "")] += ns
        return {name: 100 * ns / max(1, by_root.total()) for name, ns in by_root.most_common()}


def main() -> None:
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    for path in map(Path, sys.argv[2:]):
        shares = list(running(sys.argv[1], path).items())[:3]
        print(f"{path.name}:", ", ".join(f"{name or '?'} {percent:.2f} %" for name, percent in shares))


if __name__ == "__main__":
    main()
