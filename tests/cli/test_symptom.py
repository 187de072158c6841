"""`--symptom`, `--no-passages`, `--corpus` and `--encoder`, as they are typed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

DEMO = str(ROOT / "engine" / "gopherdx" / "demo")
SENDS = "thousands of goroutines hang in chan send since the consumer returned"


def run(*args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GOPHERDX_")}
    return subprocess.run(
        [sys.executable, "-m", "gopherdx_cli.start", *args],
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_description_alone_is_answered_in_every_format() -> None:
    ran = run("diagnose", "--symptom", SENDS, "-f", "json")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["findings"][0]["id"] == "G302"
    text = run("diagnose", GOPHERDX_SYMPTOM=SENDS).stdout
    assert "it may be G302 blocked-channel-send" in text
    assert "Read on: " in text
    assert "\nRead\n" not in text  # no files were read


def test_undecided_under_fail_on() -> None:
    assert run("diagnose", "--symptom", SENDS, "--fail-on", "low").returncode == 3


def test_passages_stand_in_a_short_list_and_can_be_left_out(tmp_path: Path) -> None:
    text = run("diagnose", DEMO).stdout
    assert "\nRead on\n" in text
    assert "https://" in text.split("\nRead on\n")[1]
    for without in (run("diagnose", DEMO, "--no-passages"), run("diagnose", DEMO, GOPHERDX_PASSAGES="0")):
        assert "Read on" not in without.stdout


def test_what_cannot_be_opened_is_said_before_files_are_read(tmp_path: Path) -> None:
    ran = run("diagnose", "no-such-file", "--corpus", str(tmp_path / "nowhere"))
    assert ran.returncode == 2
    assert "nowhere: is no folder of passages" in ran.stderr
    assert run("diagnose", DEMO, "--encoder", "word2vec").returncode == 2
