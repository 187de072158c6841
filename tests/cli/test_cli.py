"""The commands: results on standard output and nothing else, failures as one sentence and an exit code."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import gopherdx
from gopherdx.errors import KnowledgeBaseError, UnreadableInput
from gopherdx.model import Diagnosis
from gopherdx_cli import main as cli
from gopherdx_cli.output import ProgressLine
from tests.conftest import MakeDiagnosis, MakeFinding

# Not pydantic: typer itself converts arguments with it.
HEAVY = ("numpy", "numba", "llvmlite", "experta", "google.protobuf", "rich", "yaml", "jsonschema")


class Ran(NamedTuple):
    code: int
    out: str
    err: str


class Library:
    """Stands for ``gopherdx.diagnose``: notes what it was called with, answers as it is told."""

    def __init__(self, answer: Diagnosis | Exception) -> None:
        self.answer = answer
        self.paths: tuple[Any, ...] = ()
        self.named: dict[str, Any] = {}

    def __call__(self, *paths: Any, **named: Any) -> Diagnosis:
        self.paths, self.named = paths, named
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch, make_diagnosis: MakeDiagnosis) -> Library:
    fake = Library(make_diagnosis())
    monkeypatch.setitem(vars(gopherdx), "diagnose", fake)
    return fake


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("GOPHERDX_") or name in ("NO_COLOR", "COLUMNS"):
            monkeypatch.delenv(name)


@pytest.fixture
def run(capfdbinary: pytest.CaptureFixture[bytes]) -> Callable[..., Ran]:
    def _run(*args: str, program: str = "gopherdx") -> Ran:
        app = cli.app if program == "gopherdx" else cli.diagnose_app
        code = cli.run(app, program, args)
        out, err = capfdbinary.readouterr()
        return Ran(code, out.decode(), err.decode())

    return _run


Run = Callable[..., Ran]


# Diagnose --------------------------------------------------------------------------------------------------


def test_the_result_is_on_standard_output_and_nothing_else(run: Run, library: Library) -> None:
    ran = run("diagnose", "trace.out")
    assert ran.code == 0
    assert ran.out.startswith("example.com/shop/prices.(*Cache).Quote does its work")
    assert ran.err == ""
    assert library.paths == ("trace.out",)


def test_the_short_name_is_the_same_command(run: Run, library: Library) -> None:
    assert run("x", "-f", "json", program="diagnose") == run("diagnose", "x", "-f", "json")


def test_json_is_one_object(run: Run, library: Library) -> None:
    assert json.loads(run("diagnose", "x", "-f", "json").out)["outcome"] == "diagnosed"


FLAGS = {
    "--trace": "trace",
    "--cpu-profile": "cpu_profile",
    "--heap-profile": "heap_profile",
    "--allocs-profile": "allocs_profile",
    "--mutex-profile": "mutex_profile",
    "--block-profile": "block_profile",
    "--goroutines": "goroutines",
    "--gctrace": "gctrace",
    "--metrics": "metrics",
}


def test_every_flag_names_its_file(run: Run, library: Library) -> None:
    run("diagnose", *(part for flag in FLAGS for part in (flag, f"file{flag}")))
    assert {name: library.named[name] for name in FLAGS.values()} == {
        name: [Path(f"file{flag}")] for flag, name in FLAGS.items()
    }


def test_two_files_of_a_kind_are_before_and_after(run: Run, library: Library) -> None:
    run("diagnose", "--metrics", "before.json", "--metrics", "after.json")
    assert library.named["metrics"] == [Path("before.json"), Path("after.json")]


def test_every_flag_has_a_twin_in_the_environment(
    run: Run, library: Library, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for flag in FLAGS:
        monkeypatch.setenv(f"GOPHERDX_{flag[2:].upper().replace('-', '_')}", f"file{flag}")
    monkeypatch.setenv("GOPHERDX_SELECT", "G1,G201")
    monkeypatch.setenv("GOPHERDX_IGNORE", "G102")
    monkeypatch.setenv("GOPHERDX_GO_VERSION", "1.23")
    monkeypatch.setenv("GOPHERDX_FORMAT", "json")
    monkeypatch.setenv("GOPHERDX_OUTPUT", str(tmp_path / "out.json"))
    monkeypatch.setenv("GOPHERDX_FAIL_ON", "high")
    monkeypatch.setenv("GOPHERDX_QUIET", "1")
    ran = run("diagnose")
    assert ran == Ran(1, "", "")
    assert json.loads((tmp_path / "out.json").read_text())["schema_version"] == "1.0"
    for flag, name in FLAGS.items():
        assert library.named[name] == [Path(f"file{flag}")]
    assert (library.named["select"], library.named["ignore"]) == (["G1", "G201"], ["G102"])
    assert library.named["go_version"] == "1.23"


def test_help_names_the_twin_of_every_flag() -> None:
    import typer.main

    for app in (cli.app, cli.diagnose_app):
        for command in _commands(typer.main.get_command(app)):
            for option in command.params:
                if option.param_type_name == "option" and option.name not in ("help", "show_version"):
                    long = max(option.opts, key=len)
                    assert option.envvar == f"GOPHERDX_{long[2:].upper().replace('-', '_')}"


def _commands(command: Any) -> Iterator[Any]:
    yield command
    for child in getattr(command, "commands", {}).values():
        yield from _commands(child)


def test_standard_input_is_a_dash(run: Run, library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    piped = io.TextIOWrapper(io.BytesIO(b"x"))
    monkeypatch.setattr(sys, "stdin", piped)
    run("diagnose", "-", "cpu.pprof")
    assert library.paths == (piped.buffer, "cpu.pprof")


def test_select_takes_commas_blanks_and_repetition(run: Run, library: Library) -> None:
    run("diagnose", "x", "--select", "G101,G2", "--select", "G4 G5")
    assert library.named["select"] == ["G101", "G2", "G4", "G5"]


# Exit codes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "severity", "fail_on", "code"),
    [
        ("diagnosed", "critical", None, 0),
        ("diagnosed", "high", "high", 1),
        ("diagnosed", "critical", "high", 1),
        ("diagnosed", "medium", "high", 0),
        ("diagnosed", "info", "info", 1),
        ("healthy", None, "info", 0),
        ("inconclusive", None, "critical", 3),
        ("insufficient", None, "info", 3),
        ("inconclusive", None, None, 0),
    ],
)
def test_fail_on_decides_the_exit_code(
    run: Run,
    library: Library,
    make_diagnosis: MakeDiagnosis,
    make_finding: MakeFinding,
    outcome: str,
    severity: str | None,
    fail_on: str | None,
    code: int,
) -> None:
    findings = (make_finding(severity=severity),) if severity else ()
    library.answer = make_diagnosis(outcome=outcome, findings=findings)
    flags = ["--fail-on", fail_on] if fail_on else []
    ran = run("diagnose", "x", *flags)
    assert ran.code == code
    assert ran.out  # the result is there whatever the code


def test_a_possible_finding_does_not_fail_a_build(
    run: Run, library: Library, make_diagnosis: MakeDiagnosis, make_finding: MakeFinding
) -> None:
    finding = make_finding(level="possible", confidence=0.2, severity="critical")
    library.answer = make_diagnosis(outcome="healthy", findings=(finding,))
    assert run("diagnose", "x", "--fail-on", "info").code == 0


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (
            UnreadableInput("no such file", where="a\x1b[31mb", todo="check the name"),
            2,
            "a\\x1b[31mb: no such file; check the name",
        ),
        (
            KnowledgeBaseError("unknown threshold\nx", where="rules.py:3"),
            2,
            "rules.py:3: unknown threshold x",
        ),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_errors_are_one_sentence_and_an_exit_code(
    run: Run, library: Library, error: Exception, code: int, sentence: str
) -> None:
    library.answer = error
    ran = run("diagnose", "x")
    assert (ran.code, ran.out) == (code, "")
    assert ran.err.strip() == (f"gopherdx: {sentence}" if sentence else "")


def test_a_bug_of_ours_is_one_sentence_that_says_how_to_report_it(
    run: Run, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.answer = ZeroDivisionError("division by zero")
    ran = run("diagnose", "x")
    assert (ran.code, ran.out, ran.err.count("\n")) == (70, "", 1)
    assert "internal error, ZeroDivisionError: division by zero (test_cli.py:" in ran.err
    assert "gopherdx doctor" in ran.err
    monkeypatch.setenv("GOPHERDX_DEBUG", "1")
    assert "Traceback" in run("diagnose", "x").err


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["diagnose", "--no-such-flag"], "No such option: --no-such-flag"),
        (["diagnose", "x", "-f", "yaml"], "Invalid value for '-f' / '--format'"),
        (["frobnicate"], "No such command 'frobnicate'"),
        (["explain"], "Missing argument 'ID'"),
        (["diagnose", "--trace"], "requires an argument"),
    ],
)
def test_wrong_use_is_one_sentence_that_names_the_help(
    run: Run, library: Library, args: list[str], words: str
) -> None:
    ran = run(*args)
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert words in ran.err
    assert "--help" in ran.err


def test_no_command_shows_the_help_on_standard_error(run: Run) -> None:
    ran = run()
    assert (ran.code, ran.out) == (2, "")
    assert "gopherdx demo" in ran.err


# Output ----------------------------------------------------------------------------------------------------


def test_output_goes_to_a_file_that_does_not_exist_yet(run: Run, library: Library, tmp_path: Path) -> None:
    file = tmp_path / "report.txt"
    ran = run("diagnose", "x", "-o", str(file))
    assert ran == Ran(0, "", f"gopherdx: wrote {file}\n")
    assert "G101" in file.read_text()


def test_an_existing_file_is_overwritten_only_by_force(run: Run, library: Library, tmp_path: Path) -> None:
    file = tmp_path / "report.txt"
    file.write_text("mine")
    ran = run("diagnose", "x", "-o", str(file))
    assert (ran.code, ran.err) == (2, f"gopherdx: {file}: exists already; add --force to overwrite it\n")
    assert file.read_text() == "mine"
    assert library.paths == ()  # refused before any work
    assert run("diagnose", "x", "-o", str(file), "--force", "-q") == Ran(0, "", "")
    assert "G101" in file.read_text()


def test_an_input_is_never_overwritten(run: Run, library: Library, tmp_path: Path) -> None:
    file = tmp_path / "trace.out"
    file.write_text("recording")
    ran = run("diagnose", "--trace", str(file), "-o", str(file), "--force")
    assert (ran.code, file.read_text()) == (2, "recording")
    assert "is one of the inputs" in ran.err


@pytest.mark.parametrize(
    ("name", "words"), [("", "is a folder"), ("no/such/file", "its folder does not exist")]
)
def test_output_that_cannot_be_written_is_refused_before_any_work(
    run: Run, library: Library, tmp_path: Path, name: str, words: str
) -> None:
    ran = run("diagnose", "x", "-o", str(tmp_path / name))
    assert (ran.code, library.paths) == (2, ())
    assert words in ran.err


def test_colour_is_for_terminals_and_for_those_who_ask(
    run: Run, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = run("diagnose", "x").out
    assert "\x1b" not in plain
    assert "\x1b[" in run("diagnose", "x", "--color", "always").out
    monkeypatch.setenv("GOPHERDX_COLOR", "always")
    assert "\x1b[" in run("diagnose", "x").out
    assert run("diagnose", "x", "--color", "never").out == plain


def test_no_color_is_heeded_on_a_terminal(
    run: Run, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    assert "\x1b[" in run("diagnose", "x").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in run("diagnose", "x").out


def test_progress_appears_after_a_second_on_a_terminal_and_goes_when_the_work_is_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now_s, stderr = 100.0, io.StringIO()
    monkeypatch.setattr("gopherdx_cli.output.time.monotonic", lambda: now_s)
    monkeypatch.setattr(stderr, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", stderr)
    with ProgressLine(quiet=False) as progress:
        now_s += 0.9
        progress("reading the trace", 0.1)
        assert stderr.getvalue() == ""
        now_s += 0.2
        progress("reading the trace", 0.5)
        assert stderr.getvalue() == "\r\x1b[Kgopherdx: reading the trace 50%"
        progress("reading the trace", 0.51)  # not as often as the library calls
        assert stderr.getvalue().count("gopherdx") == 1
    assert stderr.getvalue().endswith("\r\x1b[K")


@pytest.mark.parametrize("quiet", [False, True])
def test_progress_is_for_people_at_a_terminal(quiet: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    now_s, stderr = 100.0, io.StringIO()
    monkeypatch.setattr("gopherdx_cli.output.time.monotonic", lambda: now_s)
    monkeypatch.setattr(stderr, "isatty", lambda: quiet)
    monkeypatch.setattr(sys, "stderr", stderr)
    with ProgressLine(quiet=quiet) as progress:
        now_s += 10
        progress("reading the trace", 0.5)
    assert stderr.getvalue() == ""


def test_warnings_go_to_standard_error_where_the_result_is_for_machines(
    run: Run, library: Library, make_diagnosis: MakeDiagnosis
) -> None:
    library.answer = make_diagnosis(warnings=("left out what is no artifact: notes.txt",))
    assert run("diagnose", "x", "-f", "json").err == "gopherdx: left out what is no artifact: notes.txt\n"
    assert run("diagnose", "x", "-f", "json", "--quiet").err == ""


# Authors of archetypes ------------------------------------------------------------------------------------


def test_a_new_archetype_is_made_listed_and_judged(run: Run, tmp_path: Path) -> None:
    made = run("kb", "new", "ACME101", "lost-wakeup", "--title", "A lost wake-up", "--into", str(tmp_path))
    folder = tmp_path / "acme101_lost_wakeup"
    assert made == Ran(
        0, f"{folder}\n", f"gopherdx: write what says TODO, then: gopherdx kb check {folder}\n"
    )
    assert "ACME101  lost-wakeup" in run("kb", "list", "--kb", str(tmp_path)).out
    assert "lost-wakeup" in run("explain", "ACME101", "--kb", str(tmp_path)).out
    judged = run("kb", "check", "--no-build", str(tmp_path))
    assert judged.code == 1
    assert "acme101_lost_wakeup/README.md: 6 TODO left\n" in judged.out
    assert judged.err == "gopherdx: 1 archetype checked, 7 problems\n"


def test_the_archetypes_that_come_along_have_no_problem(run: Run) -> None:
    judged = run("kb", "check", "--no-build")
    assert (judged.code, judged.out) == (0, "")
    assert judged.err.endswith(" archetypes checked, no problems\n")


def test_a_folder_without_archetypes_is_a_usage_error(run: Run, tmp_path: Path) -> None:
    judged = run("kb", "check", str(tmp_path))
    assert judged == Ran(2, "", f"gopherdx: {tmp_path}: no archetype.yaml here or one folder below\n")


# Other commands --------------------------------------------------------------------------------------------


def test_the_version_is_said_in_two_ways(run: Run) -> None:
    expected = Ran(0, f"gopherdx {gopherdx.__version__}\n", "")
    assert run("version") == run("--version") == expected


# Whole processes: few, for each costs a start of Python -----------------------------------------------------


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from gopherdx_cli.main import main\n"
        "try: main(['diagnose', '--help'])\n"
        f"finally: print(sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "--trace FILE" in done.stdout
    assert done.stderr.strip() == "[]"


def test_importing_the_library_imports_none_of_its_parts() -> None:
    code = "import sys, gopherdx; print([m for m in sys.modules if m.startswith('gopherdx.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_reader_that_goes_away_is_no_error() -> None:
    code = "from gopherdx_cli.main import main; main(['version'])"
    with subprocess.Popen(
        [sys.executable, "-c", f"import sys; sys.stdin.readline(); {code}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.stdin.write(b"\n")
        process.stdin.close()
        assert process.stderr.read() == b""
        assert process.wait() == 141
