"""What gopherdx runs on: versions, compiled kernels, a Go toolchain. For bug reports and slow first runs."""

from __future__ import annotations

import importlib
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from gopherdx import __version__

LIBRARIES = (
    "experta",
    "frozendict",
    "numba",
    "numpy",
    "protobuf",
    "PyYAML",
    "rich",
    "typer",
)
_GO_TIMEOUT_S = 10


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; ``ok`` is false where something is missing or will be slow."""

    name: str
    ok: bool
    text: str


def examine() -> tuple[Check, ...]:
    """Look at everything; nothing is installed, compiled or sent anywhere."""
    return (
        Check("gopherdx", True, __version__),
        Check("python", sys.version_info >= (3, 11), f"{platform.python_version()} on {platform.platform()}"),
        *map(_library, LIBRARIES),
        _knowledge_base(),
        _kernels(),
        _go(),
    )


def _library(name: str) -> Check:
    try:
        return Check(name, True, version(name))
    except PackageNotFoundError:
        return Check(name, False, "not installed: install gopherdx again")


def _knowledge_base() -> Check:
    from gopherdx.errors import GopherdxError
    from gopherdx.kb import load_kb

    try:
        count = len(load_kb().archetypes)
    except GopherdxError as error:
        return Check("knowledge base", False, str(error))
    return Check("knowledge base", count > 0, f"{count} archetypes")


def _kernels() -> Check:
    """Compiled kernels make the difference between a first run of half a minute and one of a second."""
    jit = importlib.import_module("gopherdx.artifacts.trace.jit")
    kernels = importlib.import_module("gopherdx.artifacts.trace.kernels")
    count = len(jit.kernels_of(kernels))
    if jit.state(kernels) != "missing":
        return Check("kernels", True, f"compiled and kept ({count})")
    return Check(
        "kernels", False, "not compiled yet: the first trace takes longer (gopherdx demo compiles them)"
    )


def _go() -> Check:
    """Not needed; the lab and `go tool pprof` are what it is for."""
    path = shutil.which("go")
    if path is None:
        return Check("go", False, "no Go toolchain found (not needed to diagnose)")
    try:
        run = subprocess.run(
            [path, "version"], capture_output=True, text=True, timeout=_GO_TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        return Check("go", False, f"{path} does not run ({type(error).__name__})")
    return Check("go", True, f"{run.stdout.strip()} at {path}")
