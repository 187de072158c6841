"""The lab: builds the programs of the knowledge base with several Go versions and records what they do.

    lab.py list
    lab.py build   [--program P]… [--go V]…
    lab.py record  [--program P]… [--go V]… [--gomaxprocs N]… [--load N]… [--seconds S] [--no-cpu] [--out DIR]
    lab.py matrix  [--program P]… [--full] [--jobs N] [--until HH:MM] [--watch] [--dry-run] [--out DIR]
    lab.py figures [--out DIR]
    lab.py select  [--capture C]…

A recording lies in .lab/captures/<program>/go<version>/p<GOMAXPROCS>-l<load>/; recording.py says what is in
it. `matrix` makes all recordings that docs/accuracy.md is counted from and goes on where it was stopped
(matrix.py says which they are). `figures` compares each bug with its fix by the program's own figure.
`select` makes tests/captures anew from selection.yaml. labels.yaml is the truth about the programs. Programs
hold no recording code: the files of recorder/ are laid beside their main.go in a temporary folder. What a
program needs and this machine lacks is said in a sentence, and the program is left out.
"""

from __future__ import annotations

import argparse
import gzip
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.lab import matrix
from tests.lab.building import WORK, build, built, go_command, missing
from tests.lab.labels import LAB, LabError, Program, programs, truth
from tests.lab.recording import Figure, Run, record, times_better, told_of, wait_for_idle

ROOT = Path(__file__).resolve().parents[2]
SELECTED = ROOT / "tests" / "captures"
# Text of more than this is packed in tests/captures.
PACK_BYTES = 4 * 1024
# What says which program it was stays out of tests/captures: no name there may give an answer away.
NOT_SELECTED = frozenset({"run.json", "stdout.log"})
# A fix is one where the program's own figure is at least this many times better.
BETTER = 1.1


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
    for version in args.go or matrix.VERSIONS:
        go = go_command(version, args.go_root)
        for program in chosen(args.program):
            lacks = missing(program) or (None if program.builds_with(version) else "not for this version")
            if lacks:
                print(f"{program.name} go{version}: left out: {lacks}")
                continue
            with tempfile.TemporaryDirectory(prefix="gopherdx-lab-") as temporary:
                build(program, go, Path(temporary))
            print(f"{program.name} go{version}: built")


def record_command(args: argparse.Namespace) -> None:
    for version in args.go or ("1.26.6",):
        go = go_command(version, args.go_root)
        for program in chosen(args.program):
            lacks = missing(program) or (None if program.builds_with(version) else "not for this version")
            if lacks:
                print(f"{program.name} go{version}: left out: {lacks}", file=sys.stderr)
                continue
            for procs in args.gomaxprocs or (2,):
                for index in args.load or (0,):
                    _record_one(program, version, go, procs, index, args)


def _record_one(
    program: Program, version: str, go: Path, procs: int, index: int, args: argparse.Namespace
) -> None:
    if index >= len(program.loads):
        raise LabError(f"{program.name} has no load {index}: labels.yaml names {len(program.loads)}")
    seconds = args.seconds or program.seconds or 2.0
    run = Run(
        program.gomaxprocs or procs, seconds, 0.0 if args.no_cpu else seconds, program.loads[index], index
    )
    out = args.out / program.name / f"go{version}" / run.variant
    wait_for_idle(args.wait_idle)
    figure = record(program, version, go, run, out, _binaries(args.out))
    print(f"{program.name} go{version} {run.variant}: {figure or 'recorded'}", flush=True)


def _binaries(out: Path) -> Path:
    return out.parent / "binaries"


# Matrix


def matrix_command(args: argparse.Namespace) -> None:
    until = _clock(args.until) if args.until else float("inf")
    lengths = (args.nocpu_seconds, args.cpu_seconds)
    started = time.time()
    go = cache(lambda version: go_command(version, args.go_root))

    def tell(text: str) -> None:
        print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)

    while True:
        known = {p.name: p for p in chosen(args.program)}

        def record_cell(cell: matrix.Cell, folder: Path, known: dict[str, Program] = known) -> Figure | None:
            return record(
                known[cell.program],
                cell.version,
                go(cell.version),
                cell.run,
                folder,
                _binaries(args.out),
            )

        lab = matrix.Matrix(
            args.out, known, record_cell, tell, again=args.again, calmer=args.calmer, started=started
        )
        units = matrix.plan(known, lengths, lambda p: matrix.is_light(p, args.out), full=args.full)
        lacking = lab.lacking(units)
        cells, wanted = (sum(len(u.cells) for u in some) for some in (lacking, units))
        minutes = matrix.estimate_s(lacking, args.jobs) / 60
        tell(f"{wanted - cells} of {wanted} recordings are there; the rest takes about {minutes:.0f} minutes")
        if args.dry_run or time.time() >= until or not (lacking or args.watch):
            return

        # Planned anew now and then: labels come in, and a first recording tells which programs are light.
        def build_cell(cell: matrix.Cell, known: dict[str, Program] = known) -> None:
            built(known[cell.program], cell.version, go(cell.version), _binaries(args.out))

        lab.run(lacking, args.jobs, min(until, time.time() + _REPLAN_S), build_cell)
        args.again = False
        if not lacking:
            time.sleep(min(20.0, max(0.0, until - time.time())))


_REPLAN_S = 180.0


def _clock(text: str) -> float:
    """The next time that a clock shows HH:MM, as Unix time."""
    hours, minutes = (int(part) for part in text.split(":"))
    now = time.localtime()
    at = time.mktime((now.tm_year, now.tm_mon, now.tm_mday, hours, minutes, 0, 0, 0, -1))
    return at if at > time.time() else at + 24 * 3600


# Figures


def figures_command(args: argparse.Namespace) -> None:
    """One line for each bug and fix that were recorded alike: both figures, how many times better."""
    known = programs()
    apart: list[str] = []
    for fix in (p for p in known.values() if p.role == "fix"):
        bug = next(p for p in known.values() if p.family == fix.family and p.role == "bug")
        for ran in sorted((args.out / fix.name).glob("go*/p*/run.json")):
            runs = [
                told_of(args.out / bug.name / ran.parent.relative_to(args.out / fix.name)),
                told_of(ran.parent),
            ]
            if runs[0] is not None and runs[1] is not None:
                line = _compared(fix.family, "/".join(ran.parts[-3:-1]), runs[0], runs[1])
                print(line)
                if times_better(runs[0], runs[1]) < BETTER:
                    apart.append(line)
    print(f"\nless than {BETTER - 1:.0%} better with the fix, and not scored: {len(apart)}")
    for line in apart:
        print(line)


def _compared(family: str, where: str, bug: dict[str, Any], fix: dict[str, Any]) -> str:
    before, after = bug["figure"], fix["figure"]
    other_s = max(r["cpu_elsewhere_s"] for r in (bug, fix))
    return (
        f"{family:12} {where:18} {after['name']} ({after['better']} is better): "
        f"{before['mean']:.4g} -> {after['mean']:.4g} {after['unit']}, {times_better(bug, fix):.2f} x better"
        + (f" (beside {other_s:.1f} s of other work: measure again)" if other_s > 0.5 else "")
    )


# Selection


def select_command(args: argparse.Namespace) -> None:
    """Record what selection.yaml lists and put it, with its labels, into tests/captures."""
    plan = yaml.safe_load((LAB / "selection.yaml").read_text(encoding="utf-8"))
    file = SELECTED / "labels.yaml"
    labels = yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else {}
    known = programs()
    for name in args.capture or plan:
        entry = plan[name]
        if "service" in entry:  # services.py select
            continue
        program = known[entry["program"]]
        lacks = missing(program)
        if lacks:
            raise LabError(f"{name}: {lacks}")
        run = _selected_run(program, entry)
        with tempfile.TemporaryDirectory(prefix="gopherdx-lab-") as temporary:
            out = Path(temporary)
            wait_for_idle(args.wait_idle)
            go = go_command(entry["go"], args.go_root)
            figure = record(program, entry["go"], go, run, out / "r", out / "binaries")
            pack(out / "r", SELECTED / name)
        labels[name] = _label(program, entry["go"], run, figure)
        print(f"{name}: {program.name} go{entry['go']} {run.variant}", flush=True)
        write_labels(plan, labels)


def write_labels(plan: Mapping[str, Any], labels: Mapping[str, Any]) -> None:
    """Write labels.yaml of tests/captures, in the order of selection.yaml."""
    text = yaml.safe_dump({n: labels[n] for n in plan if n in labels}, sort_keys=False, width=110)
    (SELECTED / "labels.yaml").write_text(_LABELS_HEAD + text, encoding="utf-8")


def _selected_run(program: Program, entry: dict[str, Any]) -> Run:
    """A selected recording holds one trace: with CPU samples, or without."""
    seconds = entry.get("seconds", 3.0)
    with_cpu = entry.get("with_cpu", True)
    return Run(
        program.gomaxprocs or entry.get("gomaxprocs", 2),
        0.0 if with_cpu else seconds,
        seconds if with_cpu else 0.0,
        tuple((k, str(v)) for k, v in entry.get("load", {}).items()),
    )


_LABELS_HEAD = """\
# What each recording is, and what a diagnosis of it has to say. Written by `lab.py select` from tests/lab.
# archetypes: what has to be found, with the functions that are right as its location, best first.
# load: environment that set the program's load, where it was not the program's own default.
# role foreign: real software, recorded by `services.py select`; it gives up less than a program of the lab.
"""


def _label(program: Program, version: str, run: Run, figure: Figure | None) -> dict[str, Any]:
    return {
        "program": program.name,
        "role": program.role,
        "family": program.family,
        "archetypes": [truth(a) for a in program.bugs(version)],
        "near": list(program.near),
        "arguable": list(program.arguable),
        "go": version,
        "gomaxprocs": run.gomaxprocs,
        "with_cpu": run.cpu_s > 0,
        "seconds": run.cpu_s or run.nocpu_s,
        "load": dict(run.load),
        "figure": figure
        and {
            "name": figure.name,
            "mean": float(f"{figure.mean:.4g}"),
            "unit": figure.unit,
            "better": figure.better,
        },
    }


def pack(recorded: Path, folder: Path) -> None:
    """Copy a recording; traces and long texts are gzipped, without a time stamp: same bytes, same file.

    Its one trace becomes trace.out, whether it has CPU samples or not.
    """
    if folder.exists():
        shutil.rmtree(folder)
    for file in sorted(f for f in recorded.rglob("*") if f.is_file() and f.name not in NOT_SELECTED):
        # A program of several processes has a folder within for each other process.
        inside = folder / file.parent.relative_to(recorded)
        inside.mkdir(parents=True, exist_ok=True)
        name = "trace.out" if file.suffix == ".out" else file.name
        data = file.read_bytes()
        if file.suffix == ".out" or (file.suffix != ".pprof" and len(data) > PACK_BYTES):
            (inside / f"{name}.gz").write_bytes(gzip.compress(data, 9, mtime=0))
        else:
            (inside / name).write_bytes(data)


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lab.py", description="Builds and records the programs of the lab.")
    commands = parser.add_subparsers(dest="command", required=True)
    toolchain = argparse.ArgumentParser(add_help=False)
    toolchain.add_argument(
        "--go-root", type=Path, metavar="DIR", help="GOROOT to use instead of looking for one"
    )
    program = argparse.ArgumentParser(add_help=False, parents=[toolchain])
    program.add_argument(
        "--program", action="append", metavar="P", help="a program of labels.yaml (default: all)"
    )
    which = argparse.ArgumentParser(add_help=False, parents=[program])
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
    _record_arguments(commands.add_parser("record", parents=[which, calm, where], help="build and record"))
    _matrix_arguments(commands.add_parser("matrix", parents=[program, where], help="record the whole matrix"))
    commands.add_parser("figures", parents=[where], help="compare bugs with fixes").set_defaults(
        do=figures_command
    )
    sel = commands.add_parser("select", parents=[toolchain, calm], help="make tests/captures anew")
    sel.add_argument(
        "--capture", action="append", metavar="C", help="a capture of selection.yaml (default: all)"
    )
    sel.set_defaults(do=select_command)
    return parser


def _record_arguments(rec: argparse.ArgumentParser) -> None:
    rec.add_argument("--gomaxprocs", action="append", type=int, metavar="N", help="default 2")
    rec.add_argument(
        "--load", action="append", type=int, metavar="N", help="which of the program's loads (default 0)"
    )
    rec.add_argument(
        "--seconds", type=float, metavar="S", help="length of each trace (default 2, or as its label says)"
    )
    rec.add_argument("--no-cpu", action="store_true", help="no CPU profile, and no trace with CPU samples")
    rec.set_defaults(do=record_command)


def _matrix_arguments(mat: argparse.ArgumentParser) -> None:
    mat.add_argument("--full", action="store_true", help="every cell, not only the covering design")
    mat.add_argument("--jobs", type=int, default=3, metavar="N", help="light programs recorded side by side")
    mat.add_argument("--until", metavar="HH:MM", help="start no recording after this time of the day")
    mat.add_argument("--watch", action="store_true", help="go on for programs that come into labels.yaml")
    mat.add_argument("--again", action="store_true", help="try again what failed")
    mat.add_argument(
        "--calmer", action="store_true", help="make anew what was recorded beside much other work"
    )
    mat.add_argument("--dry-run", action="store_true", help="only say how much there is to record")
    mat.add_argument("--nocpu-seconds", type=float, default=1.2, metavar="S", help="default 1.2")
    mat.add_argument("--cpu-seconds", type=float, default=1.5, metavar="S", help="default 1.5")
    mat.set_defaults(do=matrix_command)


def main() -> int:
    args = arguments().parse_args()
    try:
        args.do(args)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Whoever reads has had enough (`| head`). What is still in the buffer has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
