"""What Go 1.21's own parser says of a trace of the old format, for comparison with ours.

Its events, ordered and timed by itself (``bench/reader_old``), are followed here in plain Python into every
state that each goroutine was in.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gopherdx import frames as fr
from gopherdx.artifacts.trace.old_format import BLOCK_REASONS, EVENT_NAMES
from tests.support.reference import StackKey, go_env, go_minor

READER = Path(__file__).resolve().parents[2] / "bench" / "reader_old" / "main.go"

_REASONS = {EVENT_NAMES[kind]: reason for kind, reason in BLOCK_REASONS.items()}
_STOPS = {"GoSched", "GoPreempt"}
Key = tuple[str, StackKey]


def find_go_1_21() -> str | None:
    """Go 1.21: GOPHERDX_GO_1_21_13 (or of another patch), or GOPHERDX_GO where that is one."""
    for name, value in sorted(os.environ.items()):
        if re.fullmatch(r"GOPHERDX_GO_1_21(_\d+)?", name) and value:
            return value
    go = os.environ.get("GOPHERDX_GO")
    return go if go and go_minor(go) == 21 else None


def build_reader(go: str, folder: Path) -> Path:
    """``bench/reader_old``, built as a command of the toolchain since it imports internal/trace."""
    root = subprocess.run([go, "env", "GOROOT"], check=True, capture_output=True, text=True, env=go_env())
    command = Path(root.stdout.strip()) / "src" / "cmd"
    overlay = folder / "overlay.json"
    overlay.write_text(json.dumps({"Replace": {str(command / "gdxreaderold" / "main.go"): str(READER)}}))
    out = folder / "reader_old"
    subprocess.run(
        [go, "build", "-overlay", overlay, "-o", out, "cmd/gdxreaderold"],
        check=True,
        cwd=command,
        env=go_env() | {"GOFLAGS": ""},
    )
    return out


def counts(reader: Path, trace: Path) -> dict[str, int] | None:
    """Events by name; None where the parser refuses the trace."""
    done = subprocess.run([reader, "-counts", trace], capture_output=True)
    if done.returncode != 0:
        return None
    out: dict[str, int] = json.loads(done.stdout)
    return out


def events(reader: Path, trace: Path) -> Iterator[dict[str, Any]]:
    """Each event, in the parser's order."""
    done = subprocess.run([reader, "-events", trace], check=True, capture_output=True)
    return (json.loads(line) for line in done.stdout.splitlines())


@dataclass
class _Goroutine:
    """``told``: it was there when the recording began, and nothing is known of it but its status."""

    state: str
    since: int
    stack: StackKey = ()
    told: bool = False
    ran: bool = False
    start: StackKey = ()
    call: tuple[int, StackKey] | None = None


@dataclass
class Followed:
    """Stays by (reason, stack), closed and open at either end or at both; and what else there is."""

    closed: dict[Key, tuple[int, int]] = field(default_factory=dict)
    open_start: Counter[Key] = field(default_factory=Counter)
    open_end: Counter[Key] = field(default_factory=Counter)
    open_both: Counter[Key] = field(default_factory=Counter)
    short: Counter[StackKey] = field(default_factory=Counter)
    wakes: Counter[tuple[str, StackKey, StackKey | None]] = field(default_factory=Counter)
    created: Counter[tuple[str, StackKey]] = field(default_factory=Counter)
    running_ns: int = 0
    live: int = 0


def follow(reader: Path, trace: Path) -> Followed:  # noqa: C901 - one branch for each event
    """Every state of every goroutine, from the parser's events."""
    out = Followed()
    rows = list(events(reader, trace))
    behind = _next_of_goroutine(rows)
    living: dict[int, _Goroutine] = {}
    started = False
    closed: dict[Key, list[int]] = defaultdict(lambda: [0, 0])

    def leave(g: _Goroutine, t: int) -> None:
        if g.state == "running":
            out.running_ns += t - g.since
        elif g.told:
            out.open_start[(g.state, g.stack)] += 1
        else:
            row = closed[(g.state, g.stack)]
            row[0] += 1
            row[1] += t - g.since
        g.told = False

    def enter(g: _Goroutine, t: int, state: str, stack: StackKey = ()) -> None:
        leave(g, t)
        g.state, g.since, g.stack = state, t, stack
        if state == "running":
            g.ran = True

    for i, row in enumerate(rows):
        name, t, stack = row["Name"], row["Time"], _key(row["Stack"])
        this, other = row["G"], row["Args"][0]
        if name == "ProcStart":
            started = True
        elif name == "GoCreate":
            start = _key(row["Start"])
            g = living[other] = _Goroutine("first run", t, stack, start=start)
            if not started:
                g.since, g.stack, g.told = 0, (), True
            else:
                out.created[(fr.plain(start[0][0]) if start else "", stack)] += 1
        elif name in ("GoWaiting", "GoInSyscall"):
            g = living[this]
            g.state, g.stack = ("", ()) if name == "GoWaiting" else ("syscall", ())
            if g.told and fr.is_internal([fr.Frame(f, "", n) for f, n in g.start]):
                g.stack = g.start
        elif name in ("GoStart", "GoStartLabel"):
            enter(living[this], t, "running")
        elif name in _STOPS:
            enter(living[this], t, "stopped", stack)
        elif name in _REASONS:
            g = living[this]
            if name == "GoBlock" and not stack and fr.is_internal([fr.Frame(f, "", n) for f, n in g.start]):
                stack = g.start
            enter(g, t, _REASONS[name], stack)
        elif name == "GoUnblock":
            g = living[other]
            timer = (
                this in living and living[this].start[:1] and living[this].start[0][0] == "runtime.timerproc"
            )
            out.wakes[(g.state, g.stack, None if timer or not this else stack)] += 1
            enter(g, t, "runnable" if g.ran else "first run", stack)
        elif name == "GoSysCall":
            if this in living and behind[i] and rows[behind[i]]["Name"] == "GoSysBlock":
                enter(living[this], t, "syscall", stack)
            else:
                out.short[stack] += 1
        elif name == "GoSysExit":
            g = living[this]
            enter(g, t, "runnable" if g.ran else "first run")
        elif name == "GoEnd":
            leave(living.pop(this), t)
    end = max(row["Time"] for row in rows)
    for g in living.values():
        if g.state == "running":
            out.running_ns += end - g.since
        else:
            (out.open_both if g.told else out.open_end)[(g.state, g.stack)] += 1
    out.closed = {key: (n, ns) for key, (n, ns) in closed.items()}
    out.live = len(living)
    return out


def _next_of_goroutine(rows: list[dict[str, Any]]) -> list[int]:
    """By event: the next event of the same goroutine, 0 for none."""
    out = [0] * len(rows)
    last: dict[int, int] = {}
    for i in range(len(rows) - 1, -1, -1):
        g = rows[i]["G"]
        out[i] = last.get(g, 0)
        if rows[i]["Name"] != "CPUSample":
            last[g] = i
    return out


def _key(frames: list[dict[str, Any]]) -> StackKey:
    key = tuple((f["Function"], f["Line"]) for f in frames or ())
    return () if key == (("", 0),) else key
