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
    root: dict[int, str] = {}
    state: dict[int, tuple[str, int]] = {}
    spent: Counter[int] = Counter()
    time, moved, own = 0, -1, -1
    whose = -1  # goroutine that the stack is of which is being read
    frame = ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, errors="replace") as tool:
        assert tool.stdout is not None
        for line in tool.stdout:
            if line.startswith("\t"):
                if not line.startswith("\t\t"):
                    frame = line.strip().split(" @ ")[0]  # the last one is the outermost
                continue
            if frame and whose >= 0:
                root.setdefault(whose, frame)
            if line.startswith("TransitionStack="):
                whose, frame = moved, ""
            elif line.startswith("Stack="):
                whose, frame = own, ""
            elif event := EVENT.match(line):
                whose, frame, moved = -1, "", -1
                own, time = int(event[1]), int(event[3])
                if event[2] == "StateTransition" and (move := MOVE.match(event[4])):
                    moved = int(move[1])
                    was, since = state.get(moved, ("", time))
                    if was == "Running":
                        spent[moved] += time - since
                    state[moved] = (move[3], time)
    for goroutine, (last, since) in state.items():
        if last == "Running":
            spent[goroutine] += time - since
    by_root: Counter[str] = Counter()
    for goroutine, ns in spent.items():
        by_root[root.get(goroutine, "")] += ns
    return {name: 100 * ns / max(1, by_root.total()) for name, ns in by_root.most_common()}


def main() -> None:
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    for path in map(Path, sys.argv[2:]):
        shares = list(running(sys.argv[1], path).items())[:3]
        print(f"{path.name}:", ", ".join(f"{name or '?'} {percent:.2f} %" for name, percent in shares))


if __name__ == "__main__":
    main()
