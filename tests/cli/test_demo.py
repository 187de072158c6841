"""The recording that comes along, diagnosed: a real answer, and always the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

import gopherdx
from gopherdx.model import Diagnosis
from gopherdx.report.json import render
from tests.unit.test_report_json import closed

DEMO = Path(str(files("gopherdx") / "demo"))


@pytest.fixture(scope="module")
def diagnosis() -> Diagnosis:
    return gopherdx.diagnose(DEMO)


def test_the_demo_is_a_lock_that_is_held_while_working(diagnosis: Diagnosis) -> None:
    assert diagnosis.outcome == "diagnosed"
    (finding,) = diagnosis.likely
    assert finding.id == "G101"
    assert finding.location is not None
    assert finding.location.function == "main.(*previews).get"
    assert finding.fix[0].before != finding.fix[0].after


def test_the_demo_is_small() -> None:
    assert sum(file.stat().st_size for file in DEMO.iterdir()) < 300 * 1024


def test_a_real_diagnosis_is_valid_and_has_no_key_that_the_schema_lacks(diagnosis: Diagnosis) -> None:
    schema = json.loads((files("gopherdx") / "schema" / "diagnosis-1.0.json").read_text("utf-8"))
    Draft202012Validator(closed(schema)).validate(json.loads(render(diagnosis)))


@pytest.mark.parametrize("form", ["text", "json"])
def test_every_process_writes_the_same_bytes(form: str, tmp_path: Path) -> None:
    def run(seed: str, locale: str) -> bytes:
        env = os.environ | {"PYTHONHASHSEED": seed, "LC_ALL": locale}
        command = [sys.executable, "-c", "from gopherdx_cli.main import main; main()"]
        command += ["diagnose", str(DEMO), "-f", form]
        return subprocess.run(command, capture_output=True, check=True, env=env, cwd=tmp_path).stdout

    first = run("0", "C")
    assert run("4711", "C.UTF-8") == first
    assert first.decode("utf-8")


def test_recordings_of_strangers_are_diagnosed_or_refused_and_every_answer_is_valid(realworld: Path) -> None:
    schema = json.loads((files("gopherdx") / "schema" / "diagnosis-1.0.json").read_text("utf-8"))
    validator = Draft202012Validator(closed(schema))
    answered = 0
    for line in (realworld / "manifest.jsonl").read_text().splitlines():
        entry = json.loads(line)
        if (realworld / entry["file"]).stat().st_size > 500_000:
            continue
        try:
            answer = gopherdx.diagnose(realworld / entry["file"])
        except gopherdx.GopherdxError:
            continue
        validator.validate(json.loads(render(answer)))
        answered += 1
    assert answered > 90
