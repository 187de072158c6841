"""What the toolchain's own tools say of a trace, for comparison with ours."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections import Counter, defaultdict
from pathlib import Path

from gopherdx.artifacts.pprof import by_stack, read_profile
from gopherdx.artifacts.trace.tables import Trace

StackKey = tuple[tuple[str, int], ...]
Totals = dict[StackKey, tuple[int, int]]

WIRE_EVENT = re.compile(rb"^(?:M=-?\d+ )?(\w+) ", re.M)


def find_go() -> str | None:
    """A Go toolchain to compare with: GOPHERDX_GO, or go on the PATH."""
    return os.environ.get("GOPHERDX_GO") or shutil.which("go")


def _run(go: str, *args: str) -> bytes:
    env = dict(os.environ, GOTOOLCHAIN="local", GOFLAGS="-mod=mod", GOPROXY="off")
    return subprocess.run([go, "tool", "trace", *args], check=True, capture_output=True, env=env).stdout


def wire_counts(go: str, trace: Path) -> Counter[str]:
    """Events by name, as ``go tool trace -d=wire`` lists them (structure and tables left out)."""
    structure = {
        b"EventBatch", b"Stacks", b"Stack", b"Strings", b"String", b"CPUSamples", b"Frequency", b"Sync",
        b"ClockSnapshot", b"EndOfGeneration", b"Trace",
    }  # fmt: skip
    names: Counter[str] = Counter()
    for line in _run(go, "-d=wire", str(trace)).splitlines():
        name = line.split(b" ", 1)[0]
        if name.isalpha() and name not in structure:
            names[name.decode()] += 1
    return names


def pprof_totals(go: str, trace: Path, kind: str) -> Totals:
    """``go tool trace -pprof=KIND`` by stack: (count, ns). Stacks as (function, line), the innermost first."""
    data = _run(go, f"-pprof={kind}", str(trace))
    profile = read_profile(data, path=f"{kind}.pprof")
    counts, times = by_stack(profile, 0), by_stack(profile, 1)
    out: dict[StackKey, list[int]] = defaultdict(lambda: [0, 0])
    for stack, count in counts.items():
        key = tuple((f.function, f.line) for f in stack)
        out[key][0] += count
        out[key][1] += times.get(stack, 0)
    return {key: (n, ns) for key, (n, ns) in out.items()}


def our_totals(trace: Trace, kind: str) -> Totals:
    """The same from our tables: closed stays only, as the reference counts them."""
    out: dict[StackKey, list[int]] = defaultdict(lambda: [0, 0])
    for wait in trace.waits:
        reason = wait.reason
        if kind == "sync":
            wanted = "chan" in reason or "sync" in reason or "select" in reason
        elif kind == "net":
            wanted = reason == "network"
        elif kind == "syscall":
            wanted = reason == "syscall"
        else:
            wanted = reason == "runnable"
        if not wanted:
            continue
        key = tuple((f.function, f.line) for f in trace.stack(wait.stack))
        out[key][0] += wait.count
        out[key][1] += wait.ns
    return {key: (n, ns) for key, (n, ns) in out.items() if n}
