"""Real software as the healthy set: `make services` runs it, and diagnoses every artifact that it gives up.

    services.py record   [--program P]… [--out DIR]    into .lab/services/recordings/<program>/<variant>
    services.py diagnose [--program P]… [--out DIR]    -> tests/lab/services.json and a table
    services.py all      [--program P]… [--out DIR]    both
    services.py select   [--capture C]… [--out DIR]    some of them into tests/captures (services_select.py)

Servers from Debian's packages and PyPI (servers.py) under two loads each, tools from npm and PyPI, the Go
compiler and benchmarks of the standard library (tools.py). services.yaml says of each likely finding whether
it is right, and the proof; docs/accuracy.md has a section that is written from both (services_page.py). What
cannot be had is said in a sentence and left out.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import gopherdx
from gopherdx.errors import UnreadableInput
from tests.lab import matrix, servers, serving, tools
from tests.lab.building import WORK
from tests.lab.labels import LabError
from tests.lab.packages import Package
from tests.lab.recording import told_of
from tests.lab.services_page import RESULTS, rows, table
from tests.lab.services_select import select

FOLDER: Final = WORK / "services"
BENCHED: Final = ("1.21.13", "1.24.11", "1.27.3")
SHOWN: Final = 0.05
"""Findings of less confidence are ruled out."""

TRACES: Final = ("trace-nocpu.out", "trace-cpu.out")
NOT_ARTIFACTS: Final = frozenset({"run.json"})


@dataclass(frozen=True)
class Job:
    """One recording to be made: ``record`` is given a folder to work in and one for what is recorded."""

    program: str
    variant: str
    record: Callable[[Path, Path], Mapping[str, Any]]


def jobs() -> Iterator[Job]:
    """Every recording, in order."""
    for name, server in servers.SERVERS.items():
        for load in servers.LOADS:
            yield Job(name, load, _of_server(server, load))
    for name, tool in tools.TOOLS.items():
        yield Job(name, "once", _of_tool(tool))
    versions = sorted((*matrix.VERSIONS, *matrix.ONCE), key=lambda v: [int(n) for n in v.split(".")])
    for version in versions:
        for package in tools.COMPILED if version == versions[-1] else tools.COMPILED[:1]:
            variant = f"{package.replace('/', '-')}-go{version}"
            yield Job("compile", variant, _of_go(tools.record_compiler, package, version))
    for version in BENCHED:
        for name in tools.BENCHMARKS:
            yield Job(f"bench-{name}", f"go{version}", _of_go(tools.record_benchmark, name, version))


def _of_server(server: servers.Server, load: str) -> Callable[[Path, Path], Mapping[str, Any]]:
    def record(home: Path, out: Path) -> Mapping[str, Any]:
        unpacked = _unpacked(server.packages)
        hey = servers.HEY.unpacked(FOLDER / "packages") / servers.HEY_BINARY
        serving.record(server.scene(unpacked, home), load, hey, home, out)
        return {"go": go_of(next(iter(unpacked.values())) / server.binary), "load": load}

    return record


def _of_tool(tool: tools.Tool) -> Callable[[Path, Path], Mapping[str, Any]]:
    def record(home: Path, out: Path) -> Mapping[str, Any]:
        unpacked = _unpacked(tool.packages)
        tool.record(unpacked, home, out)
        return {"go": go_of(next(iter(unpacked.values())) / tool.binary)}

    return record


def _of_go(
    record_with: Callable[[str, str, Path, Path], None], what: str, version: str
) -> Callable[[Path, Path], Mapping[str, Any]]:
    def record(home: Path, out: Path) -> Mapping[str, Any]:
        record_with(what, version, home, out)
        return {"go": version}

    return record


def _unpacked(packages: Mapping[str, Package]) -> dict[str, Path]:
    return {name: package.unpacked(FOLDER / "packages") for name, package in packages.items()}


def go_of(binary: Path) -> str:
    """The Go version that a program was built with: the latest that it names, also where it is stripped."""
    named = re.findall(rb"go(1\.\d+(?:\.\d+)?)\b", binary.read_bytes())
    return max((text.decode() for text in named), key=lambda v: [int(n) for n in v.split(".")], default="")


def record(chosen: Callable[[str], bool], out: Path) -> list[str]:
    """Make every recording that is chosen; returns a sentence for each that was left out."""
    skipped: list[str] = []
    for job in jobs():
        if not chosen(job.program):
            continue
        folder = out / job.program / job.variant
        part = folder.with_name(f".{folder.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        with tempfile.TemporaryDirectory(prefix="gopherdx-lab-") as temporary:
            try:
                told = job.record(Path(temporary), part.resolve())
                if not any(part.iterdir()):
                    raise LabError("it wrote nothing")
            except LabError as error:
                skipped.append(f"{job.program} {job.variant} is left out: {error}")
                print(skipped[-1], flush=True)
                shutil.rmtree(part)
                continue
        about = {"program": job.program, "variant": job.variant, **told}
        (part / "run.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        part.rename(folder)
        print(f"{job.program} {job.variant}: recorded", flush=True)
    return skipped


# Diagnosis


def ways(folder: Path) -> dict[str, list[Path]]:
    """Ways to give the artifacts of a recording: each alone, two moments of one kind, and all of them."""
    files = sorted(f for f in folder.iterdir() if f.is_file() and f.name not in NOT_ARTIFACTS)
    out = {f.name: [f] for f in files if not f.stem.endswith(("-before", "-after"))}
    for stem in ("goroutine", "heap", "allocs", "mutex", "block"):
        for suffix in (".txt", ".pprof"):
            before, after = folder / f"{stem}-before{suffix}", folder / f"{stem}{suffix}"
            if before in files:
                out[f"two of {after.name}"] = [before, after]
    for stem, suffix in (("prometheus", ".txt"), ("vars", ".json")):
        pair = [folder / f"{stem}-{when}{suffix}" for when in ("before", "after")]
        if pair[0] in files:
            out[f"{stem}, alone"] = pair[1:]
            out[f"{stem}, two"] = pair
    rest = [f for f in files if f.name not in TRACES and f.name != "cpu.pprof"]
    if folder / TRACES[0] in files:
        out["all, no samples"] = [folder / TRACES[0], *rest]
    if folder / TRACES[1] in files:
        out["all, samples"] = [folder / TRACES[1], *(f for f in files if f.name not in TRACES)]
    out["folder"] = [folder]
    return out


def diagnose(folder: Path) -> dict[str, Any]:
    """What is said of one recording: outcomes by way, and every finding that is not ruled out."""
    told = told_of(folder) or {}
    outcomes: dict[str, int] = {}
    findings, refused = [], []
    for way, files in ways(folder).items():
        try:
            said = gopherdx.diagnose(*files, passages=False)
        except UnreadableInput as error:
            refused.append([way, error.what])
            continue
        outcomes[said.outcome] = outcomes.get(said.outcome, 0) + 1
        refused += [[way, f"{e.id}: {e.message}"] for e in said.errors]
        for finding in said.findings:
            if finding.confidence >= SHOWN:
                place = finding.location.function if finding.location else None
                findings.append([way, finding.id, round(finding.confidence, 2), place])
    about = {key: told[key] for key in ("program", "variant", "go")}
    return {**about, "outcomes": outcomes, "findings": findings, "refused": refused}


def diagnose_all(chosen: Callable[[str], bool], out: Path, skipped: list[str]) -> list[dict[str, Any]]:
    """Diagnose what was recorded and is chosen; the rest stays as services.json has it."""
    before = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    kept = {(r["program"], r["variant"]): r for r in before.get("recordings", ()) if not chosen(r["program"])}
    for job in jobs():
        folder = out / job.program / job.variant
        if chosen(job.program) and (folder / "run.json").exists():
            kept[job.program, job.variant] = said = diagnose(folder)
            likely = [
                f"{id_} {p} {where or '-'} ({way})" for way, id_, p, where in said["findings"] if p >= 0.5
            ]
            print(f"{job.program} {job.variant}: {'; '.join(likely) or 'no likely finding'}", flush=True)
    order = [(job.program, job.variant) for job in jobs()]
    return [kept[key] for key in order if key in kept]


def write(recordings: list[dict[str, Any]]) -> None:
    """tests/lab/services.json: one line a recording, so that a change shows as its lines."""
    lines = ",\n".join(json.dumps(r, separators=(",", ":")) for r in recordings)
    RESULTS.write_text(f'{{"recordings": [\n{lines}\n]}}\n', encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(prog="services.py", description="Real software as the healthy set.")
    parser.add_argument("what", choices=("record", "diagnose", "all", "select"))
    parser.add_argument("--program", action="append", metavar="P", help="one of them (default: all)")
    parser.add_argument("--out", type=Path, default=FOLDER / "recordings", metavar="DIR")
    parser.add_argument("--capture", action="append", metavar="C", help="of `select` (default: all)")
    args = parser.parse_args()
    if args.what == "select":
        select(args.out, args.capture or ())
        return 0
    known = {job.program for job in jobs()}
    unknown = set(args.program or ()) - known
    if unknown:
        parser.error(f"no program {unknown.pop()!r}; there are {', '.join(sorted(known))}")

    def chosen(name: str) -> bool:
        return not args.program or name in args.program

    skipped = record(chosen, args.out) if args.what != "diagnose" else []
    if args.what != "record":
        recordings = diagnose_all(chosen, args.out, skipped)
        write(recordings)
        print(table(rows(recordings)))
    for sentence in skipped:
        print(sentence, file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
