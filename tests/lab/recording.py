"""Runs a program of the lab once, and leaves in a folder everything that can be had of it.

trace-nocpu.out                  a trace without CPU samples
trace-cpu.out, cpu.pprof         after it one with CPU samples, and the CPU profile of the same seconds
{heap,allocs,mutex,block,goroutine}.pprof, goroutine.txt (debug=2), goroutine-debug1.txt
                                 as they were after the traces; with -before in the name before them
metrics.jsonl, prometheus-{before,after}.txt, vars-{before,after}.json
goroutineleak.pprof              where the Go version has it
gctrace.log                      what the program wrote to standard error: gctrace and schedtrace lines
run.json                         how it was recorded, and the program's own figure
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.lab.building import NETNS, built
from tests.lab.labels import LabError, Load, Program

WARMUP_S = 1.0
LONG_WARMUP_S = 5.0
RUNTIME_LINES = "gctrace=1,schedtrace=1000"
_HANGS_S = 60.0
_FIGURE = re.compile(r"^figure (\S+) (\S+) (\S+) (higher|lower)-is-better$")


class NoFigureError(LabError):
    """A program did not print its figure within its recording."""


@dataclass(frozen=True)
class Run:
    """How one recording is made: its lengths, and as `load` the environment that sets the program's load.

    `load_index` says which of the program's loads it is; a length of 0 leaves the trace out.
    """

    gomaxprocs: int = 2
    nocpu_s: float = 2.0
    cpu_s: float = 2.0
    load: Load = ()
    load_index: int = 0

    @property
    def variant(self) -> str:
        """The folder's name, as ``p2-l0``."""
        return f"p{self.gomaxprocs}-l{self.load_index}"


@dataclass(frozen=True)
class Figure:
    """A program's own measure of how well it did, second by second within the recording."""

    name: str
    unit: str
    better: str
    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        return statistics.fmean(self.values)

    def __str__(self) -> str:
        return f"{self.name} {self.mean:.4g} {self.unit}"


def record(program: Program, version: str, go: Path, run: Run, out: Path, binaries: Path) -> Figure | None:
    """Run the program once and leave its recording in `out`, whose old content goes. Raises LabError.

    Returns its figure, None where its label says that it has none.
    """
    binary = built(program, version, go, binaries)
    part = out.with_name(f".{out.name}.part")
    try:
        figure = _record(program, binary, version, run, part, WARMUP_S)
    except NoFigureError:
        # Under load some programs are not at work after a second.
        figure = _record(program, binary, version, run, part, LONG_WARMUP_S)
    if out.exists():
        shutil.rmtree(out)
    part.rename(out)
    return figure


def _record(
    program: Program, binary: Path, version: str, run: Run, part: Path, warmup_s: float
) -> Figure | None:
    if part.exists():
        shutil.rmtree(part)
    part.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="gopherdx-lab-") as temporary:
        busy = _busy_s()
        started = time.monotonic()
        with _outside(program) as told:
            env = _environment(program, run, part, Path(temporary), warmup_s) | told
            lines, used_s = _run(program, binary, run, part, Path(temporary), env)
        took_s = time.monotonic() - started
        elsewhere_s = max(0.0, _busy_s() - busy - used_s)
    figure = figure_of(lines, warmup_s) if program.figure else None
    file = part / "run.json"
    about = json.loads(file.read_text(encoding="utf-8")) | {
        "program": program.name,
        "digest": program.digest(),
        "go": version,
        "load": dict(run.load),
        "figure": figure and dataclasses.asdict(figure) | {"mean": figure.mean},
        "cpu_s": round(used_s, 2),
        "took_s": round(took_s, 2),
        # CPU that other processes used meanwhile: a figure measured beside much of it says little.
        "cpu_elsewhere_s": round(elsewhere_s, 2),
    }
    file.write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    return figure


@contextlib.contextmanager
def _outside(program: Program) -> Iterator[dict[str, str]]:
    """What the program needs from outside, for as long as the context is open; yields its environment.

    A setup script prints KEY=VALUE when all is ready, and ends all when its input ends.
    """
    script = program.setup() if program.needs else None
    if script is None:
        yield {}
        return
    process = subprocess.Popen(
        [sys.executable, script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        name, equals, value = process.stdout.readline().strip().partition("=")
        if not equals:
            raise LabError(f"{program.name}: its setup.py fails: {process.stderr.read().strip()[-300:]}")
        yield {name: value}
    finally:
        process.stdin.close()
        process.wait(timeout=_HANGS_S)
        process.stdout.close()
        process.stderr.close()


def _environment(program: Program, run: Run, out: Path, temporary: Path, warmup_s: float) -> dict[str, str]:
    env = os.environ | dict(program.env) | dict(run.load)
    own = [program.godebug, env.get("GODEBUG", "")] if "GODEBUG" in dict(program.env) else [program.godebug]
    return env | {
        "LAB_OUT": str(out),
        "LAB_WARMUP": str(warmup_s),
        "LAB_NOCPU_SECONDS": str(run.nocpu_s),
        "LAB_CPU_SECONDS": str(run.cpu_s),
        "GOMAXPROCS": str(run.gomaxprocs),
        "GODEBUG": ",".join([RUNTIME_LINES, *(text for text in own if text)]),
        "TMPDIR": str(temporary),
    }


def _run(
    program: Program, binary: Path, run: Run, out: Path, temporary: Path, env: dict[str, str]
) -> tuple[list[tuple[float, str]], float]:
    """The lines that the program printed with the second of each, and the CPU seconds that it used."""
    # Profiles tell the path of the binary: it says nothing of which program it is.
    prog = temporary / "prog"
    try:
        prog.hardlink_to(binary)
    except OSError:
        shutil.copy(binary, prog)
    command: list[str | Path] = [NETNS, prog] if "netns" in program.needs else [prog]
    lines: list[tuple[float, str]] = []
    with (out / "gctrace.log").open("w", encoding="utf-8") as errors:
        started = time.monotonic()
        process = subprocess.Popen(
            command, env=env, stdout=subprocess.PIPE, stderr=errors, text=True, errors="replace"
        )
        assert process.stdout is not None
        limit = threading.Timer(_HANGS_S + run.nocpu_s + run.cpu_s, process.kill)
        limit.start()
        try:
            for line in process.stdout:
                lines.append((time.monotonic() - started, line))
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            limit.cancel()
            process.stdout.close()
    if process.returncode != 0:
        said = (out / "gctrace.log").read_text(encoding="utf-8", errors="replace")
        last = [line for line in said.splitlines() if not line.startswith(("gc ", "SCHED "))][:12]
        raise LabError(f"{program.name}: exit {process.returncode}: {' | '.join(last)}")
    (out / "stdout.log").write_text("".join(line for _, line in lines), encoding="utf-8")
    return lines, used.ru_utime + used.ru_stime


def figure_of(lines: list[tuple[float, str]], warmup_s: float = WARMUP_S) -> Figure:
    """The figure of the whole seconds within the recording; of all seconds where it was too short."""
    found = [(at, m) for at, line in lines if (m := _FIGURE.match(line.strip()))]
    if not found:
        raise NoFigureError("the program printed no figure")
    within = [m for at, m in found if at >= warmup_s + 1] or [m for _, m in found]
    return Figure(within[0][1], within[0][3], within[0][4], tuple(float(m[2]) for m in within))


def told_of(recorded: Path) -> dict[str, Any] | None:
    """run.json of a recording; None where there is no whole recording."""
    try:
        told: dict[str, Any] = json.loads((recorded / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return told


def times_better(bug: dict[str, Any], fix: dict[str, Any]) -> float:
    """How many times better the fix's figure is than the bug's: infinite where the bug's is none at all."""
    before, after = bug["figure"]["mean"], fix["figure"]["mean"]
    worse, better = (after, before) if fix["figure"]["better"] == "lower" else (before, after)
    if worse <= 0:
        return float("inf") if better > 0 else 1.0
    return float(better / worse)


def _busy_s() -> float:
    """CPU seconds that the whole machine has used since it started; 0 where the system does not tell."""
    try:
        fields = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]
    except OSError:
        return 0.0
    user, nice, system = (int(f) for f in fields[:3])
    return (user + nice + system) / os.sysconf("SC_CLK_TCK")


def wait_for_idle(limit_s: float) -> None:
    """Return when the machine was nearly idle for a moment, at the latest after `limit_s` seconds."""
    until = time.monotonic() + limit_s
    while time.monotonic() < until:
        before = _busy_s()
        time.sleep(0.7)
        if _busy_s() - before < 0.1:
            return
