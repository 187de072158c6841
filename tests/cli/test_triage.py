"""`gopherdx triage` without a terminal: plain lines, prepared answers, what is kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

DEMO = str(ROOT / "engine" / "gopherdx" / "demo")
SENDS = "thousands of goroutines hang in chan send since the consumer returned"


def triage(*args: str, said: str = "") -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GOPHERDX_")}
    return subprocess.run(
        [sys.executable, "-m", "gopherdx_cli.start", "triage", "--no-passages", *args],
        env=kept, input=said, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_plain_lines_are_a_conversation_and_only_the_diagnosis_is_on_standard_output() -> None:
    ran = triage("-f", "json", said=f"{SENDS}\n?\nyes\nquit\n")
    assert ran.returncode == 0, ran.stderr
    diagnosis = json.loads(ran.stdout)
    assert diagnosis["findings"][0]["id"] == "G302"
    assert "What do you see?" in ran.stderr
    assert "> yes" in ran.stderr


def test_the_end_of_the_input_is_the_end_of_the_conversation() -> None:
    assert json.loads(triage("-f", "json", said="").stdout)["outcome"] == "insufficient"


@pytest.mark.parametrize(
    "answers",
    [
        f"# as the customer told it\n{SENDS}\nyes\nyes\nno\n",
        json.dumps([SENDS, True, "yes", False]),
        json.dumps({"symptom": SENDS, "G302.sends-that-never-end": True}),
        f"symptom: {SENDS}\n'Are goroutines stuck in \"chan send\" for minutes?': yes\n",
    ],
)
def test_prepared_answers_need_nobody(tmp_path: Path, answers: str) -> None:
    file = tmp_path / "answers"
    file.write_text(answers, encoding="utf-8")
    ran = triage("--answers", str(file), "--no-input", "-f", "json", said="unread\n")
    (finding, *_) = json.loads(ran.stdout)["findings"]
    assert finding["id"] == "G302"
    assert {e["source"]["artifact"] for e in finding["evidence"]} == {"description", "answer"}
    assert ran.stdout == triage("--answers", str(file), "--no-input", "-f", "json").stdout


def test_transcript_and_state_are_written_as_it_goes(tmp_path: Path) -> None:
    record, state = tmp_path / "talk.txt", tmp_path / "talk.json"
    keep = ("--transcript", str(record), "--state", str(state), "-f", "json")
    first = triage(*keep, said=f"{SENDS}\nyes\n")
    assert f"you: {SENDS}\n" in record.read_text("utf-8")
    again = triage(*keep, said="")
    assert json.loads(again.stdout)["findings"] == json.loads(first.stdout)["findings"]
    assert "What do you see?" not in again.stderr
    assert record.read_text("utf-8").count("diagnosis: ") == 2


def test_files_may_be_named_at_once() -> None:
    assert json.loads(triage(DEMO, "--no-input", "-f", "json").stdout)["findings"][0]["id"] == "G101"


def test_wrong_use_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("{}", encoding="utf-8")
    for args in (
        ("--answers", "no-such-file"),
        ("--state", str(tmp_path / "state")),
        ("--transcript", str(tmp_path / "no" / "where")),
        ("no-such-file",),
    ):
        ran = triage(*args)
        assert ran.returncode == 2, args
        assert ran.stderr.count("\n") == 1, ran.stderr
