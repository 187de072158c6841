"""The lab's programs and recordings are what their labels say."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lab import lab, matrix
from tests.lab.building import go_command, go_env
from tests.lab.labels import LAB, LabError, programs, release, truth
from tests.lab.recording import Figure, figure_of, times_better

ROOT = lab.ROOT
PROGRAMS = programs()
SNIPPET = re.compile(r"^// snippet:start\n(.*?)^// snippet:end$", re.DOTALL | re.MULTILINE)
# A function as traces name it: package, receiver, name, and what is a literal within it.
SYMBOL = re.compile(
    r"(?:main|example\.com(?:/\w+)+)\."
    r"(?:(?P<receiver>\(\*\w+(?:\[\.\.\.\])?\)|[A-Za-z]\w*)\.(?!func\d))?"
    r"(?P<function>\w+)(?:\[\.\.\.\])?(?:\.func\d+)*"
)
CAPTURE_LABELS: dict[str, dict[str, Any]] = yaml.safe_load(
    (lab.SELECTED / "labels.yaml").read_text(encoding="utf-8")
)
# Words that would tell a reader, or a rule, what is wrong with a program.
TELLING = (
    "bug",
    "leak",
    "slow",
    "serial",
    "hot",
    "stuck",
    "block",
    "thrash",
    "oversize",
    "wrong",
    "broken",
)

by_program = pytest.mark.parametrize("name", sorted(PROGRAMS))
by_fix = pytest.mark.parametrize("name", sorted(n for n, p in PROGRAMS.items() if p.role == "fix"))
of_the_kb = pytest.mark.parametrize(
    "name", sorted(n for n, p in PROGRAMS.items() if p.path.is_relative_to(ROOT / "kb"))
)
FOREIGN = {name for name, label in CAPTURE_LABELS.items() if label["role"] == "foreign"}
by_capture = pytest.mark.parametrize("name", sorted(CAPTURE_LABELS))
by_capture_of_the_lab = pytest.mark.parametrize("name", sorted(CAPTURE_LABELS.keys() - FOREIGN))


def source(name: str) -> str:
    """Its Go code, main.go first."""
    files = [f for f in PROGRAMS[name].sources() if f.suffix == ".go"]
    return "\n".join(f.read_text(encoding="utf-8") for f in sorted(files, key=lambda f: f.name != "main.go"))


def module_line(name: str) -> str:
    return (PROGRAMS[name].path / "go.mod").read_text(encoding="utf-8").splitlines()[0]


def test_every_program_on_disk_has_a_label() -> None:
    on_disk = {p.parent for p in (ROOT / "kb").glob("gopherdx_kb/g*/**/main.go")}
    on_disk |= {p.parent for p in (ROOT / "tests/lab/programs").glob("**/main.go")}
    assert {p.path for p in PROGRAMS.values()} == on_disk


@by_program
def test_program_is_a_module_with_a_neutral_name_and_a_go_line_that_the_lab_builds(name: str) -> None:
    text = (PROGRAMS[name].path / "go.mod").read_text(encoding="utf-8")
    head, _, rest = text.partition("\n\ngo ")
    assert head == f"module example.com/{PROGRAMS[name].family}"
    line, _, rest = rest.partition("\n")
    assert release(line) in {release(v) for v in (*matrix.VERSIONS, *matrix.ONCE)}
    # Debian's Go packages alone; the lab takes nothing from the network.
    assert not rest or "gocode" in PROGRAMS[name].needs


@by_program
def test_program_has_at_least_two_loads(name: str) -> None:
    assert len(set(PROGRAMS[name].loads)) >= 2


@by_program
def test_names_in_a_program_do_not_tell_what_is_wrong(name: str) -> None:
    declared = re.findall(
        r"\b(?:func(?: \([^)]*\))?|type|module|package) (?:example\.com/)?(\w+)", source(name)
    )
    declared += re.findall(r"\b(\w+) :?= ", source(name))
    for word in [*declared, module_line(name)]:
        assert not any(told in word.lower() for told in TELLING), word


@by_program
def test_program_holds_no_recording_code(name: str) -> None:
    assert not re.search(
        r"runtime/(trace|pprof|metrics)|net/http/pprof|SetMutexProfile|SetBlockProfile", source(name)
    )


@by_fix
def test_fix_is_the_same_program_but_for_the_fix(name: str) -> None:
    program = PROGRAMS[name]
    bug = next(p for p in PROGRAMS.values() if p.family == program.family and p.role == "bug")
    before, after = set(source(bug.name).splitlines()), source(name).splitlines()
    shared = sum(line in before for line in after) / len(after)
    assert 0.8 < shared < 1
    assert program.path != bug.path
    assert not program.archetypes
    assert bug.archetypes


@of_the_kb
def test_program_of_the_knowledge_base_shows_one_piece_of_code(name: str) -> None:
    shown = SNIPPET.findall(source(name))
    if PROGRAMS[name].path.parent.name.startswith("g"):  # what the page shows; variants are not shown
        assert len(shown) == 1
    assert all(8 <= len(code.strip().splitlines()) <= 30 for code in shown)


@by_program
def test_functions_of_the_labels_are_in_the_source(name: str) -> None:
    for archetype in PROGRAMS[name].archetypes:
        for symbol in archetype["functions"]:
            found = SYMBOL.fullmatch(symbol)
            assert found, symbol
            receiver, function = found["receiver"], found["function"]
            # A method of a value may be declared without a name for it.
            of = rf"\((?:\w+ )?{re.escape(receiver.strip('()'))}(?:\[\w+\])?\) " if receiver else ""
            assert re.search(rf"^func {of}{function}[(\[]", source(name), re.MULTILINE), symbol


def test_labels_of_the_selection_are_those_of_the_programs() -> None:
    plan = yaml.safe_load((LAB / "selection.yaml").read_text(encoding="utf-8"))
    assert list(plan) == list(CAPTURE_LABELS)
    for name, label in CAPTURE_LABELS.items():
        if name in FOREIGN:
            assert label["program"] == plan[name]["service"]
            continue
        program = PROGRAMS[label["program"]]
        assert label["program"] == plan[name]["program"]
        assert (label["role"], label["family"]) == (program.role, program.family), name
        told = [truth(bug) for bug in label["archetypes"]]
        assert told == [truth(bug) for bug in program.bugs(label["go"])], name


def test_selection_has_a_bug_and_a_fix_of_every_archetype() -> None:
    selected = {label["program"] for name, label in CAPTURE_LABELS.items() if name not in FOREIGN}
    assert selected <= set(PROGRAMS)
    for folder in (ROOT / "kb/gopherdx_kb").glob("g*"):
        for role in ("bug", "fix"):
            of_it = {n for n, p in PROGRAMS.items() if p.path.is_relative_to(folder) and p.role == role}
            assert of_it & selected, f"{folder.name}: no {role}"


@by_capture_of_the_lab
def test_capture_holds_every_artifact(name: str) -> None:
    folder = lab.SELECTED / name
    found = {f.name.removesuffix(".gz") for f in folder.iterdir()}
    wanted = {f"{p}.pprof" for p in ("heap", "allocs", "mutex", "block", "goroutine")}
    wanted |= {"trace.out", "goroutine.txt", "goroutine-debug1.txt", "metrics.jsonl", "gctrace.log"}
    wanted |= {"cpu.pprof"} if CAPTURE_LABELS[name]["with_cpu"] else set()
    # As they were before the trace, and other forms of metrics; older recordings hold none of them.
    before = {f"{p}-before.pprof" for p in ("heap", "allocs", "mutex", "block", "goroutine")}
    before |= {"goroutine-before.txt", "goroutine-debug1-before.txt"}
    forms = {f"{form}-{when}" for form in ("prometheus", "vars") for when in ("before", "after")}
    more = before | {f"{f}.{'txt' if f.startswith('p') else 'json'}" for f in forms}
    assert found - {"goroutineleak.pprof", "peer"} in (wanted, wanted | more)


def test_a_recording_is_packed_with_one_trace_and_without_what_names_the_program(tmp_path: Path) -> None:
    recorded = tmp_path / "recorded"
    (recorded / "peer").mkdir(parents=True)
    for file in (
        "trace-cpu.out",
        "cpu.pprof",
        "goroutine.txt",
        "run.json",
        "stdout.log",
        "peer/trace-cpu.out",
    ):
        (recorded / file).write_bytes(b"x" * 100_000)
    lab.pack(recorded, tmp_path / "packed")
    names = sorted(str(f.relative_to(tmp_path / "packed")) for f in (tmp_path / "packed").rglob("*.*"))
    assert names == ["cpu.pprof", "goroutine.txt.gz", "peer/trace.out.gz", "trace.out.gz"]
    assert gzip.decompress((tmp_path / "packed/trace.out.gz").read_bytes()) == b"x" * 100_000


@by_capture
def test_capture_is_small_and_does_not_name_its_program(name: str) -> None:
    files = [f for f in (lab.SELECTED / name).rglob("*") if f.is_file()]
    assert max(f.stat().st_size for f in files) < 1_000_000
    assert not any(f.name in lab.NOT_SELECTED for f in files)


def test_captures_are_small_in_all() -> None:
    assert sum(f.stat().st_size for f in lab.SELECTED.rglob("*")) < 25_000_000


@by_capture_of_the_lab
def test_metrics_are_two_lines_of_strict_json(name: str) -> None:
    def refuse(constant: str) -> float:
        raise ValueError(constant)

    (file,) = (lab.SELECTED / name).glob("metrics.jsonl*")
    data = file.read_bytes()
    text = gzip.decompress(data) if file.suffix == ".gz" else data
    start, end = (json.loads(line, parse_constant=refuse) for line in text.splitlines())
    length_s = (end["unix_ns"] - start["unix_ns"]) / 1e9
    # Between them lie both traces of a run, of which one may be kept, and what was written before the first.
    assert CAPTURE_LABELS[name]["seconds"] <= length_s < 30
    assert start["/sched/gomaxprocs:threads"] == CAPTURE_LABELS[name]["gomaxprocs"]
    assert start["/sched/latencies:seconds"]["buckets"][-1] == "+Inf"


@by_capture
def test_trace_header_is_that_of_the_go_version(name: str) -> None:
    file = lab.SELECTED / name / "trace.out.gz"
    if name in FOREIGN and not file.exists():
        pytest.skip("real software that writes no trace")
    with gzip.open(file) as f:
        header = f.read(16).rstrip(b"\0")
    formats = {
        "1.19": b"go 1.19 trace",
        "1.21": b"go 1.21 trace",
        "1.22": b"go 1.22 trace",
        "1.23": b"go 1.23 trace",
        "1.24": b"go 1.23 trace",
        "1.25": b"go 1.25 trace",
        "1.26": b"go 1.26 trace",
        "1.27": b"go 1.26 trace",
    }
    assert header == formats[CAPTURE_LABELS[name]["go"].rpartition(".")[0]]


def test_figure_takes_only_whole_seconds_of_the_recording() -> None:
    lines = [
        (0.9, "figure x 900 ms lower-is-better\n"),
        (1.9, "other\n"),
        (2.1, "figure x 5 ms lower-is-better\n"),
    ]
    figure = figure_of(lines)
    assert (figure.name, figure.unit, figure.better, figure.values) == ("x", "ms", "lower", (5.0,))


def test_program_without_a_figure_is_an_error() -> None:
    with pytest.raises(LabError, match="no figure"):
        figure_of([(2.0, "started\n")])


def test_toolchain_of_another_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "go"
    fake.write_text("#!/bin/sh\necho go1.21.1\n", encoding="ascii")
    fake.chmod(0o755)
    monkeypatch.setenv("GOPHERDX_GO_1_26_6", str(fake))
    with pytest.raises(LabError, match=r"is go1\.21\.1, wanted go1\.26\.6"):
        go_command("1.26.6")


@pytest.mark.slow
@by_program
def test_program_passes_go_vet(name: str) -> None:
    go = os.environ.get("GOPHERDX_GO") or shutil.which("go")
    if go is None:
        pytest.skip("no Go toolchain on this machine (GOPHERDX_GO)")
    done = subprocess.run(
        [go, "vet", "."],
        cwd=PROGRAMS[name].path,
        env=go_env(cgo=PROGRAMS[name].cgo),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@by_program
def test_the_design_covers_versions_procs_and_loads(name: str) -> None:
    program = PROGRAMS[name]
    cells = matrix.design(program)
    versions = [v for v in matrix.VERSIONS if program.builds_with(v)]
    procs = [program.gomaxprocs] if program.gomaxprocs else list(matrix.PROCS)
    assert {(v, p) for v, p, _ in cells if v in matrix.VERSIONS} == {(v, p) for v in versions for p in procs}
    if len(versions) > 1:
        assert {(v, load) for v, _, load in cells} >= {(v, n) for v in versions for n in (0, 1)}
        assert {(p, load) for _, p, load in cells} >= {(p, n) for p in procs for n in (0, 1)}
    assert len(set(cells)) == len(cells)


def test_a_bug_and_its_fix_are_recorded_one_after_the_other() -> None:
    units = matrix.plan(PROGRAMS, (1.0, 1.0), lambda program: False)
    assert [u.rank for u in units] == sorted(u.rank for u in units)
    for unit in units:
        family = {PROGRAMS[c.program].family for c in unit.cells}
        assert len(family) == 1
        assert len({(c.version, c.run.variant) for c in unit.cells}) == 1


def test_a_matrix_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    some = {n: PROGRAMS[n] for n in ("thumbs", "thumbs-fix", "presence")}
    done: list[str] = []

    def record(cell: matrix.Cell, folder: Path) -> Figure:
        done.append(cell.program)
        if cell.program == "presence":
            raise LabError("it does not build")
        folder.mkdir(parents=True)
        told = {"digest": some[cell.program].digest(), "cpu_s": 1, "took_s": 2}
        (folder / "run.json").write_text(json.dumps(told), encoding="utf-8")
        return Figure("x", "ms", "lower", (1.0,))

    said: list[str] = []
    recorder = matrix.Matrix(tmp_path, some, record, said.append)
    units = matrix.plan(some, (1.0, 1.0), lambda program: program.name == "presence")
    recorder.run(units[:3], 2, until=float("inf"))
    assert sorted(done) == sorted(c.program for u in units[:3] for c in u.cells)
    assert recorder.lacking(units) == units[3:]
    assert any("it does not build" in line for line in said)


def test_times_better_knows_which_way_is_better() -> None:
    def told(mean: float, better: str) -> dict[str, Any]:
        return {"figure": {"mean": mean, "better": better}}

    assert times_better(told(10, "lower"), told(5, "lower")) == 2
    assert times_better(told(10, "higher"), told(5, "higher")) == 0.5
    assert times_better(told(3, "lower"), told(0, "lower")) == float("inf")
    assert times_better(told(0, "lower"), told(0, "lower")) == 1


def test_figures_into_a_closed_pipe_end_quietly(tmp_path: Path) -> None:
    for name, mean in (("thumbs", 30), ("thumbs-fix", 3)):
        for n in range(300):
            folder = tmp_path / name / "go1.26.6" / f"p{n}-l0"
            folder.mkdir(parents=True)
            figure = {"name": "x", "unit": "ms", "better": "lower", "mean": mean}
            told = {"figure": figure, "cpu_elsewhere_s": 0}
            (folder / "run.json").write_text(json.dumps(told), encoding="utf-8")
    lab_py = [sys.executable, str(LAB / "lab.py"), "figures", "--out", str(tmp_path)]
    process = subprocess.Popen(lab_py, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    said = process.stderr.read()
    assert process.wait(timeout=60) == 0
    assert said == b""
