"""How fast gopherdx reads traces and what it needs for that, against the Go toolchain's own readers.

    python bench/bench.py [--runs N] [--sizes 0.5,50,200] [--go GO] [--folder FOLDER] [--old] [--no-large]

Builds ``load`` (writes traces of a wanted size) and ``reader`` (a loop over the toolchain's internal/trace
that counts events; with --old ``reader_old``, for which GO is a Go 1.21), then measures in one run, taking
turns so that noise of the machine hits all alike. Times are medians, the ratios are of the same medians. Ends
with 1 where a goal is missed.

Needs a Go toolchain (--go, GOPHERDX_GO, or go on the PATH) and gopherdx installed in this Python.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
MB = 1_000_000
PPROF_MAX_MB = 100  # `go tool trace -pprof` needs a hundred times the size of the trace

SPEED_GOAL = 4.0  # times the reader loop's MB/s, warm, at SPEED_FROM_MB and above
SPEED_FROM_MB = 50
OLD_SPEED_GOAL = 5.0  # the same for the format up to Go 1.21, whose reader keeps every event
OLD_MAX_MB = 60  # that reader needs a hundred times the size of the trace
PPROF_GOAL = 12.0  # times faster than `go tool trace -pprof=sync`, the whole command at 50 MB
PEAK_GOAL_MB = 500.0
LONG_MB = 1000  # a long recording, for its peak memory
GENERATION_MB = 300  # a single generation, for its peak memory
PEAK_RISE = 1.15  # peak at 200 MB over that at 50 MB: no more than noise
SMALL_GOAL_S = 1.2  # a 0.5 MB trace and a CPU profile, from the prompt
HELP_GOAL_S = 0.4


@dataclass
class Figure:
    """What one way to read one file took, over all turns."""

    seconds: list[float] = field(default_factory=list)
    peak_mb: float = 0.0
    mb: float = 0.0  # of the file, where it is known here

    def add(self, seconds: float, peak_bytes: float) -> None:
        self.seconds.append(seconds)
        self.peak_mb = max(self.peak_mb, peak_bytes / MB)

    @property
    def median_s(self) -> float:
        return statistics.median(self.seconds)


def run(*command: str | Path, **more: object) -> tuple[float, float, bytes]:
    """Run a command: seconds, peak memory in bytes (of it and what it waited for), stdout."""
    with tempfile.TemporaryFile() as out:
        begin = time.perf_counter()
        process = subprocess.Popen([str(c) for c in command], stdout=out, env=go_env(), **more)  # type: ignore[call-overload]
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise SystemExit(f"{' '.join(map(str, command))} ended with {process.returncode}")
        out.seek(0)
        return seconds, usage.ru_maxrss * 1024.0, out.read()


def go_env() -> dict[str, str]:
    """The go command keeps to itself: no download, no other toolchain."""
    return dict(os.environ, GOTOOLCHAIN="local", GOFLAGS="", GOPROXY="off")


def build(go: str, folder: Path, source: str) -> tuple[Path, Path]:
    """``load`` and a reader; this one imports internal/trace, so it is built as a toolchain's command."""
    load, reader = folder / "load", folder / "reader"
    run(go, "build", "-o", load, ".", cwd=HERE / "load")
    goroot = Path(run(go, "env", "GOROOT")[2].decode().strip())
    overlay = folder / "overlay.json"
    inside = goroot / "src" / "cmd" / "gdxreader" / "main.go"
    overlay.write_text(json.dumps({"Replace": {str(inside): str(HERE / source / "main.go")}}))
    run(go, "build", "-overlay", overlay, "-o", reader, "cmd/gdxreader", cwd=goroot / "src" / "cmd")
    return load, reader


@contextmanager
def warm() -> Iterator[subprocess.Popen[str]]:
    """A process that has diagnosed once already when it is used."""
    worker = subprocess.Popen(
        [sys.executable, str(HERE / "worker.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield worker
    finally:
        assert worker.stdin is not None
        worker.stdin.close()
        worker.wait()


def ask(worker: subprocess.Popen[str], trace: Path) -> tuple[float, float]:
    """Seconds and peak memory of the worker's diagnosis of one trace."""
    assert worker.stdin is not None
    assert worker.stdout is not None
    print(trace, file=worker.stdin, flush=True)
    seconds, peak = worker.stdout.readline().split()
    return float(seconds), float(peak)


def measure(
    go: str, gopherdx: Path, reader: Path, traces: dict[float, Path], profile: Path, runs: int, old: bool
) -> dict[tuple[str, float], Figure]:
    """All figures by (way, size in MB)."""
    figures: dict[tuple[str, float], Figure] = {}
    for turn in range(runs):
        for size, trace in sorted(traces.items()):
            note(f"turn {turn + 1} of {runs}: {trace.name}")
            with warm() as worker:  # one for each size, so that a peak is that size's own
                ask(worker, traces[min(traces)])
                figures.setdefault(("warm", size), Figure()).add(*ask(worker, trace))
            if not old or size <= OLD_MAX_MB:
                _, peak, out = run(reader, trace)
                inside = float(out.split()[2])  # without the start of the process, as the warm one has none
                figures.setdefault(("reader", size), Figure()).add(inside, peak)
            figures.setdefault(("command", size), Figure()).add(*run(gopherdx, "diagnose", trace, "-q")[:2])
            if size <= PPROF_MAX_MB and turn < 3 and not old:
                took = run(go, "tool", "trace", "-pprof=sync", trace)[:2]
                figures.setdefault(("pprof", size), Figure()).add(*took)
        small = traces[min(traces)]
        figures.setdefault(("small", 0), Figure()).add(*run(gopherdx, "diagnose", small, profile, "-q")[:2])
        figures.setdefault(("help", 0), Figure()).add(*run(gopherdx, "--help")[:2])
    return figures


def measure_large(gopherdx: Path, load: Path, folder: Path) -> dict[str, Figure]:
    """A long trace and a large generation, read once by the whole command."""
    python = dict(os.environ, PYTHONPATH=os.pathsep.join((str(ROOT), os.environ.get("PYTHONPATH", ""))))
    large = [sys.executable, "-m", "tests.support.large_traces"]
    figures = {}
    for name, trace, command in (
        ("long", folder / f"trace-{LONG_MB}.out", [load, "-mb", str(LONG_MB), "-o"]),
        ("generation", folder / f"generation-{GENERATION_MB}.out", large),
    ):
        if not trace.exists():
            note(f"writing {trace.name}")
            more = [str(GENERATION_MB)] if name == "generation" else []
            subprocess.run([*map(str, command), str(trace), *more], check=True, env=python)
        note(f"reading {trace.name}")
        figures[name] = Figure(mb=trace.stat().st_size / MB)
        figures[name].add(*run(gopherdx, "diagnose", trace, "-q")[:2])
    return figures


WAYS = {
    "warm": "gopherdx.diagnose, warm process",
    "command": "gopherdx diagnose, whole command",
    "reader": "loop over internal/trace",
    "pprof": "go tool trace -pprof=sync",
}


LARGE = {"long": "a long recording, whole command", "generation": "one generation, whole command"}


def table(
    figures: dict[tuple[str, float], Figure], traces: dict[float, Path], large: dict[str, Figure]
) -> list[str]:
    """MB/s and peaks, a line for each way and size."""
    rows = [f"{'':34}{'trace MB':>9}{'s':>9}{'MB/s':>9}{'peak MB':>9}"]
    for way, name in WAYS.items():
        for size, trace in sorted(traces.items()):
            figure = figures.get((way, size))
            if figure is not None:
                mb = trace.stat().st_size / MB
                rate = mb / figure.median_s
                rows.append(f"{name:34}{mb:9.1f}{figure.median_s:9.3f}{rate:9.0f}{figure.peak_mb:9.0f}")
    for way, figure in large.items():
        rate = figure.mb / figure.median_s
        rows.append(f"{LARGE[way]:34}{figure.mb:9.1f}{figure.median_s:9.3f}{rate:9.0f}{figure.peak_mb:9.0f}")
    for way, name in (("small", "small trace and CPU profile"), ("help", "gopherdx --help")):
        figure = figures[(way, 0)]
        rows.append(f"{name:34}{'':9}{figure.median_s:9.3f}{'':9}{figure.peak_mb:9.0f}")
    return rows


def goals(
    figures: dict[tuple[str, float], Figure], sizes: list[float], large: dict[str, Figure], fast: float
) -> list[tuple[str, float, str, bool]]:
    """What was promised: name, figure, goal, whether it is met. The middle size stands for a usual trace."""
    middle, largest = sizes[len(sizes) // 2], sizes[-1]
    command = figures[("command", middle)]
    peak = max(figures[(way, size)].peak_mb for way in ("warm", "command") for size in sizes)
    rise = figures[("command", largest)].peak_mb / command.peak_mb
    small, help_s = figures[("small", 0)].median_s, figures[("help", 0)].median_s
    out = []
    compared = [size for size in sizes if size >= SPEED_FROM_MB and ("reader", size) in figures] or [middle]
    for size in compared:
        speed = figures[("reader", size)].median_s / figures[("warm", size)].median_s
        name = f"warm over reader loop, {size:g} MB"
        out.append((name, speed, f"at least {fast:g}", speed >= fast))
    if ("pprof", middle) in figures:
        ratio = figures[("pprof", middle)].median_s / command.median_s
        out.append(("whole command over pprof=sync", ratio, f"at least {PPROF_GOAL:g}", ratio >= PPROF_GOAL))
    for way, figure in large.items():
        of = figure.peak_mb
        out.append(
            (f"peak of {LARGE[way].split(',')[0]}, MB", of, f"below {PEAK_GOAL_MB:g}", of < PEAK_GOAL_MB)
        )
    out += [
        ("peak memory, MB", peak, f"below {PEAK_GOAL_MB:g}", peak < PEAK_GOAL_MB),
        (f"peak at {largest:g} MB over {middle:g} MB", rise, f"at most {PEAK_RISE:g}", rise <= PEAK_RISE),
        ("small trace and CPU profile, s", small, f"below {SMALL_GOAL_S:g}", small < SMALL_GOAL_S),
        ("gopherdx --help, s", help_s, f"below {HELP_GOAL_S:g}", help_s < HELP_GOAL_S),
    ]  # fmt: skip
    return out


def note(text: str) -> None:
    """Progress, on stderr."""
    print(text, file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="speed and memory against the toolchain's own readers")
    parser.add_argument("--runs", type=int, default=5, help="turns to take the medians of")
    parser.add_argument("--sizes", default="0.5,50,200", help="sizes of the traces in MB")
    parser.add_argument(
        "--go", default=os.environ.get("GOPHERDX_GO") or shutil.which("go"), help="go command"
    )
    parser.add_argument("--old", action="store_true", help="the format up to Go 1.21; --go is a Go 1.21 then")
    parser.add_argument("--no-large", action="store_true", help="leave out the largest traces")
    parser.add_argument("--folder", type=Path, help="where traces are kept, to be used again")
    args = parser.parse_args()
    gopherdx = Path(sys.executable).with_name("gopherdx")
    if args.go is None or not gopherdx.exists():
        raise SystemExit("needs a Go toolchain (--go) and gopherdx installed in this Python")
    busy = os.getloadavg()[0]  # two threads need both cores: under load, wall time is somebody else's
    sizes = sorted(float(s) for s in args.sizes.split(","))
    with tempfile.TemporaryDirectory(prefix="gopherdx-bench-") as temporary:
        folder = args.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        note("building")
        load, reader = build(args.go, Path(temporary), "reader_old" if args.old else "reader")
        profile = folder / "cpu.pprof"
        traces = {size: folder / f"trace-{size:g}.out" for size in sizes}
        for size, trace in traces.items():
            if not trace.exists() or (size == sizes[0] and not profile.exists()):
                more = ["-cpu", profile] if size == sizes[0] else []
                note(run(load, "-mb", str(size), "-o", trace, *more)[2].decode().strip())
        version = run(args.go, "env", "GOVERSION")[2].decode().strip()
        # As pip installs it: with bytecode; and with kernels compiled. Both are there after one run.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = str(Path(temporary) / "bytecode")
        run(gopherdx, "diagnose", traces[sizes[0]], profile, "-q")
        figures = measure(args.go, gopherdx, reader, traces, profile, args.runs, args.old)
        large = {} if args.old or args.no_large else measure_large(gopherdx, load, folder)
        print(f"{version}, Python {sys.version.split()[0]}, {os.cpu_count()} CPUs, medians of {args.runs}")
        print(f"others were running (load {busy:.1f}), so times say little\n" if busy > 0.5 else "")
        print("\n".join(table(figures, traces, large)))
        print()
        reached = goals(figures, sizes, large, OLD_SPEED_GOAL if args.old else SPEED_GOAL)
        for name, value, goal, met in reached:
            print(f"{name:34}{value:9.2f}  {goal:14} {'met' if met else 'MISSED'}")
    return 0 if all(met for *_, met in reached) else 1


if __name__ == "__main__":
    sys.exit(main())
