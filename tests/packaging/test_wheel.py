"""What users install: the wheel holds every file of the four packages, and works away from the repository."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGES = ("engine/gopherdx", "kb/gopherdx_kb", "cli/gopherdx_cli", "corpus/gopherdx_corpus")

pytestmark = pytest.mark.slow


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command that must succeed, with nothing of this environment in it; returns standard output."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "GOPHERDX_", "VIRTUAL_ENV"))}
    done = subprocess.run([str(c) for c in command], cwd=cwd, capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution, and the wheel that is built from it as an index would."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--outdir", folder, ROOT, cwd=folder)
    return folder


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    (file,) = dist.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of a fresh environment with the wheel in it."""
    folder = tmp_path_factory.mktemp("installed")
    run(sys.executable, "-m", "venv", folder / "venv", cwd=folder)
    bin_ = folder / "venv" / "bin"
    run(bin_ / "python", "-m", "pip", "install", "-q", "-c", ROOT / "constraints.txt", wheel, cwd=folder)
    return bin_


def test_the_wheel_holds_every_file_of_the_four_packages_and_nothing_else(wheel: Path) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listing = run("git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *PACKAGES, cwd=ROOT)
    files = {name.split("/", 1)[1] for name in listing.splitlines() if (ROOT / name).is_file()}
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == files


def test_the_sources_leave_recordings_out(dist: Path) -> None:
    (sdist,) = dist.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = [name.split("/", 1)[1] for name in archive.getnames() if "/" in name]
    assert not [name for name in names if name.startswith("tests/captures")]
    assert {"README.md", "LICENSE", "pyproject.toml", "tests/conftest.py", "docs/generate.py"} <= set(names)


def test_every_pinned_version_is_one_that_the_project_allows() -> None:
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    pins = {}
    for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            name, version = line.split("==")
            pins[canonicalize_name(name)] = version
    wanted = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    for requirement in map(Requirement, wanted):
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), requirement


def test_the_commands_work_away_from_the_repository(installed: Path, tmp_path: Path) -> None:
    assert run(installed / "gopherdx", "version", cwd=tmp_path).startswith("gopherdx ")
    assert "G101" in run(installed / "gopherdx", "kb", "list", cwd=tmp_path)
    assert "## Fix" in run(installed / "gopherdx", "explain", "G101", cwd=tmp_path)
    demo = run(installed / "gopherdx", "demo", cwd=tmp_path)
    assert "likely, confidence" in demo
    assert run(installed / "gopherdx", "doctor", cwd=tmp_path).startswith("ok  gopherdx")


def test_both_names_of_the_command_answer_alike(installed: Path, tmp_path: Path) -> None:
    demo = run(
        installed / "python",
        "-c",
        "import gopherdx, pathlib; print(pathlib.Path(gopherdx.__file__).parent / 'demo')",
        cwd=tmp_path,
    ).strip()
    long = run(installed / "gopherdx", "diagnose", demo, "-f", "json", cwd=tmp_path)
    assert run(installed / "diagnose", demo, "-f", "json", cwd=tmp_path) == long


def test_the_installed_package_is_typed_and_quick_to_import(installed: Path, tmp_path: Path) -> None:
    code = (
        "import sys, gopherdx, pathlib\n"
        "assert (pathlib.Path(gopherdx.__file__).parent / 'py.typed').exists()\n"
        "assert 'numpy' not in sys.modules\n"
        "import gopherdx_kb, gopherdx_corpus\n"
    )
    run(installed / "python", "-c", code, cwd=tmp_path)
