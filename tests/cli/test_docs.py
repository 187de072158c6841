"""What docs and README say of the commands is what the commands say of themselves."""

from __future__ import annotations

import re
import stat
import subprocess
import tomllib

import pytest

import gopherdx
from tests.conftest import ROOT
from tests.unit.test_report_json import load_generator


def test_the_page_of_the_command_line_is_what_the_commands_print() -> None:
    assert (ROOT / "docs" / "cli.md").read_text("utf-8") == load_generator().cli_text(), "run `make docs`"


def test_the_version_has_one_source() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert "version" not in project
    assert f"## {gopherdx.__version__}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_readme_has_one_command_to_see_it_and_one_to_test_it() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    commands = re.findall(r"<!-- (\w+) command -->\n```sh\n(.+)\n```", readme)
    assert [name for name, _ in commands] == ["demo", "test"]
    demo, test = (command for _, command in commands)
    assert demo.endswith(".venv/bin/gopherdx demo")
    assert test.endswith(".venv/bin/python -m pytest")


def test_readme_shows_what_the_demo_really_says() -> None:
    generate = load_generator()
    assert (ROOT / "README.md").read_text("utf-8") == generate.readme_text(), "run `make docs`"
    assert "likely, confidence" in generate.demo_text()


def test_ci_runs_the_test_command_of_readme() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & stat.S_IXUSR
    text = script.read_text("utf-8")
    extract = re.search(r"^command=\$\((sed .+ README\.md)\)$", text, re.MULTILINE)
    assert extract is not None
    extracted = subprocess.run(
        ["bash", "-c", extract[1]], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    (command,) = re.findall(
        r"<!-- test command -->\n```sh\n(.+)\n```", (ROOT / "README.md").read_text("utf-8")
    )
    assert extracted == command


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "docs/cli.md", "docs/json.md"])
def test_links_within_the_docs_lead_somewhere(name: str) -> None:
    page = ROOT / name
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text("utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target
