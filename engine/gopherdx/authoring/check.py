"""Judges the folder of an archetype: its data, its rules, its texts, its programs, its links.

Each check is a function of a folder that yields what is wrong in it. What ``load_kb`` refuses is refused here
with the same words; the rest is what makes an archetype worth reading and its code worth copying.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final

from gopherdx.errors import KnowledgeBaseError
from gopherdx.kb import Archetype, read_archetype

HEADINGS: Final = ("What it is", "How it shows", "Why it hurts", "Fix", "Fix safety", "Not this when")
SYMPTOMS_LEAST: Final = 8
NEAR_MISSES_LEAST: Final = 4
_BUILD_TIMEOUT_S: Final = 300

# Names of states since Go 1.22 (reasons, ranges, labels: what pages put in double quotes), and of the same
# events up to Go 1.21. Where a page speaks of one, a reader with the other trace must find its own.
OLD_NAMES: Final = {
    "sync": "GoBlockSync",
    "select": "GoBlockSelect",
    "network": "GoBlockNet",
    "chan send": "GoBlockSend",
    "chan receive": "GoBlockRecv",
    "forever": "GoStop",
    "preempted": "GoPreempt",
    "sleep": "GoSleep",
    "sync.(*Cond).Wait": "GoBlockCond",
    "GC mark assist": "GCMarkAssistStart",
    "GC mark assist wait for work": "GoBlockGC",
    "GC concurrent mark phase": "GCStart",
}

_MACHINE_PATH = re.compile(r"/(?:work|home|root|tmp|Users|mnt|usr/local)/|\b[A-Z]:\\|site-packages")
_LINK = re.compile(r"https://[A-Za-z0-9.-]+\.[a-z]{2,}(?:/[^\s<>\"'`)]*)?$")
_ANY_LINK = re.compile(r"https?://[^\s<>\"'`)]+")
_INSTEAD = re.compile(r"^![A-Z]+\d{3} ")
_TODO = re.compile(r"\bTODO\b")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: the file (relative to the folder of archetypes) and what to mend."""

    file: str
    what: str

    def __str__(self) -> str:
        return f"{self.file}: {self.what}"


def check(folder: Path, *, go: Path | None = None) -> list[Problem]:
    """Everything that is wrong in the folder of one archetype, in the order of the checks.

    ``go`` is a go command: its programs are built with it, in a temporary folder; without one they are not.
    """
    try:
        archetype = read_archetype(folder)
    except KnowledgeBaseError as error:
        return [Problem(folder.name, str(error).removeprefix(f"{folder}{os.sep}"))]
    found: list[Problem] = []
    for look in (_headings, _fix_code, _state_names, _symptoms, _paths, _todos, _links, _programs, _rules):
        found += [Problem(f"{folder.name}/{file}", what) for file, what in look(folder, archetype)]
    if go is not None and not found:
        found += [Problem(f"{folder.name}/{file}", what) for file, what in _builds(folder, go)]
    return found


def archetypes_in(paths: Iterable[Path]) -> list[Path]:
    """The folders of archetypes at these paths or one folder below; those of the package where none is named.

    Raises ``KnowledgeBaseError`` for a path without any.
    """
    found: list[Path] = []
    for path in paths or [Path(str(resources.files("gopherdx_kb")))]:
        here = [path] if (path / "archetype.yaml").is_file() else []
        below = sorted(file.parent for file in path.glob("*/archetype.yaml"))
        if not here and not below:
            raise KnowledgeBaseError("no archetype.yaml here or one folder below", where=str(path))
        found += here or below
    return found


def check_together(folders: Iterable[Path]) -> list[Problem]:
    """What is wrong between archetypes: a symptom that two of them claim."""
    claimed: dict[str, str] = {}
    found = []
    for folder in sorted(folders):
        for line in dict.fromkeys(_said(folder)):
            other = claimed.setdefault(line.lower(), folder.name)
            if other != folder.name:
                found.append(Problem(f"{folder.name}/symptoms.txt", f"{line!r} is also a symptom of {other}"))
    return found


def programs(folder: Path) -> list[Path]:
    """The folders of an archetype that hold a Go program, relative to it."""
    return sorted(main.parent.relative_to(folder) for main in folder.rglob("main.go"))


# Texts ------------------------------------------------------------------------------------------------

Found = Iterator[tuple[str, str]]


def _headings(folder: Path, archetype: Archetype) -> Found:
    """A title that names the archetype, then the six headings in their order, each with text."""
    title = f"# {archetype.id} {archetype.slug}: {archetype.title}"
    page = _without_code(_page(folder))
    if (page.splitlines() or [""])[0] != title:
        yield "README.md", f"the first line is not {title!r}"
    if re.findall(r"^#+ .*", page, re.M)[1:] != [f"## {heading}" for heading in HEADINGS]:
        yield "README.md", f"the headings are not {', '.join(HEADINGS)}"
    for heading in HEADINGS:
        if not section(page, heading).strip():
            yield "README.md", f"there is nothing under {heading}"


def _fix_code(folder: Path, archetype: Archetype) -> Found:
    """The code under Before and After is the code of the programs that were run."""
    fix = section(_page(folder), "Fix")
    for label, program in (("Before", "bug"), ("After", "fix")):
        shown = re.findall(rf"^{label}\n+```go\n(.*?)^```$", fix, re.M | re.S)
        if shown != [archetype.snippet(program)]:
            yield "README.md", f"{label} is not, once, the snippet of {program}/main.go"


def _state_names(folder: Path, _: Archetype) -> Found:
    """New and old names of trace states stand side by side, and no name that no trace ever had."""
    page = _without_code(_page(folder))
    quoted = {re.sub(r"\s+", " ", name) for name in re.findall(r'"([^"]+)"', page)}
    for new, old in OLD_NAMES.items():
        if (new in quoted) != (re.search(rf"\b{old}\b", page) is not None):
            yield "README.md", f'"{new}" stands without {old}, or the other way round'
    if "GoBlockSyscall" in page:
        yield "README.md", "there never was a GoBlockSyscall"


def _symptoms(folder: Path, archetype: Archetype) -> Found:
    """How people say it, one a line, and near-misses behind "!"; the words are theirs, not ours.

    ``!G102`` names the archetype that a near-miss is instead; not the one that it is no symptom of.
    """
    lines = _text(folder, "symptoms.txt").splitlines()
    if any(line.startswith(f"!{archetype.id} ") for line in lines):
        yield "symptoms.txt", f"a near-miss of {archetype.id} is called {archetype.id}"
    lines = [_INSTEAD.sub("! ", line) for line in lines]
    misses = [line for line in lines if line.startswith("! ")]
    said = [line for line in lines if not line.startswith("!")]
    if len(said) < SYMPTOMS_LEAST or len(misses) < NEAR_MISSES_LEAST or len(said) + len(misses) != len(lines):
        least = f"at least {SYMPTOMS_LEAST} and {NEAR_MISSES_LEAST} (lines with '! ')"
        yield (
            "symptoms.txt",
            f"{len(said)} symptoms and {len(misses)} near-misses in {len(lines)} lines, not {least}",
        )
    if any(line != line.strip() or len(line.removeprefix("! ").split()) < 3 for line in lines):
        yield "symptoms.txt", "a line is empty, padded, or too short to say anything"
    if len({line.removeprefix("! ").lower() for line in lines}) != len(lines):
        yield "symptoms.txt", "a line is there twice"
    if re.search(r"\b[A-Z]+\d{3}\b", "\n".join(lines)):
        yield "symptoms.txt", "nobody describes a bug by its id"


def _paths(folder: Path, _: Archetype) -> Found:
    """No text names a path of the machine that it was written on."""
    for name in ("README.md", "symptoms.txt", "archetype.yaml"):
        for hit in _MACHINE_PATH.finditer(_text(folder, name)):
            yield name, f"{hit.group()} is a path of some machine"


def _todos(folder: Path, _: Archetype) -> Found:
    """What a new folder leaves to be written was written."""
    for path in sorted(p for p in folder.rglob("*") if p.suffix in {".yaml", ".py", ".md", ".txt", ".go"}):
        left = len(_TODO.findall(path.read_text("utf-8", errors="replace")))
        if left:
            yield str(path.relative_to(folder)), f"{left} TODO left"


def _links(folder: Path, archetype: Archetype) -> Found:
    """Links have the form of links. Whether they answer is not asked: nothing here goes to the network."""
    for link in archetype.references:
        if not _LINK.match(link):
            yield "archetype.yaml", f"references: {link!r} is no https link"
    for link in _ANY_LINK.findall(_without_code(_page(folder))):
        if not _LINK.match(link.rstrip(".,;:")) and not link.startswith("http://HOST"):
            yield "README.md", f"{link!r} is no https link"


def _programs(folder: Path, archetype: Archetype) -> Found:
    """The bug and its fix are programs with the code that is shown; each variant has its fix beside it."""
    for fix in archetype.fix:
        for program in (fix.bug, fix.fix):
            if program is not None and not archetype.snippet(program).strip():
                yield f"{program}/main.go", "there is no code between // snippet:start and // snippet:end"
    there = programs(folder)
    for name in ("bug", "fix"):
        if Path(name) not in there:
            yield name, "there is no main.go"
    for path in there:
        if not _module(folder, path):
            yield str(path), "there is no go.mod"
        if path.parent.name == "variants" and path / "fix" not in there:
            yield str(path), "the variant has no fix/main.go"


def _module(folder: Path, program: Path) -> bool:
    return any((folder / p / "go.mod").is_file() for p in (program, *program.parents))


# Rules ------------------------------------------------------------------------------------------------


def _rules(folder: Path, archetype: Archetype) -> Found:
    """Every piece of evidence has a rule, every threshold a use, and no number stands bare in a condition."""
    tree = ast.parse(_text(folder, "rules.py"))
    concluded = {
        call.args[0].value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "conclude"
        and call.args
        and isinstance(call.args[0], ast.Constant)
    }
    for proof in archetype.evidence:
        if proof.observation and proof.name not in concluded:
            yield "rules.py", f"no rule concludes {proof.name!r}, which archetype.yaml declares"
    declared = _text(folder, "archetype.yaml")
    texts = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    attributes = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    for name in archetype.thresholds:
        used = re.search(rf"(?:at_least|at_most|above|below):\s*{re.escape(name)}\b", declared)
        if name not in texts | attributes and used is None and f"{{{name}" not in declared:
            yield "archetype.yaml", f"the threshold {name!r} is used nowhere"
    for node in ast.walk(tree):
        number = isinstance(node, ast.Constant) and isinstance(node.value, (int, float))
        if number and not isinstance(getattr(node, "value", None), bool):
            yield "rules.py", f"line {getattr(node, 'lineno', 0)}: a bare number; name it in archetype.yaml"


# Programs ---------------------------------------------------------------------------------------------


def go_command() -> Path | None:
    """The go command that GOPHERDX_GO names, else the one on PATH, else None."""
    named = os.environ.get("GOPHERDX_GO") or shutil.which("go")
    return Path(named) if named else None


def _builds(folder: Path, go: Path) -> Found:
    env = os.environ | {"GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod", "GOPROXY": "off", "GOWORK": "off"}
    with tempfile.TemporaryDirectory(prefix="gopherdx-check-") as temporary:
        for program in programs(folder):
            done = _run_go(go, folder / program, Path(temporary) / "program", env)
            if done is not None:
                yield f"{program}/main.go", f"does not build: {done}"


def _run_go(go: Path, program: Path, binary: Path, env: dict[str, str]) -> str | None:
    """Build and vet one program; what the toolchain complains of first, None where it does not."""
    for command in (["build", "-trimpath", "-o", str(binary), "."], ["vet", "."]):
        try:
            done = subprocess.run(
                [str(go), *command], cwd=program, env=env, capture_output=True, text=True,
                timeout=_BUILD_TIMEOUT_S, check=False,
            )  # fmt: skip
        except (OSError, subprocess.SubprocessError) as error:
            return f"{go} does not run ({type(error).__name__})"
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if line and not line.startswith("#")]
            return lines[0] if lines else f"go {command[0]} ends with {done.returncode}"
    return None


# Files ------------------------------------------------------------------------------------------------


def _text(folder: Path, name: str) -> str:
    path = folder / name
    return path.read_text("utf-8") if path.is_file() else ""


def _page(folder: Path) -> str:
    return _text(folder, "README.md")


def _said(folder: Path) -> list[str]:
    return [line for line in _text(folder, "symptoms.txt").splitlines() if line and not line.startswith("!")]


def _without_code(page: str) -> str:
    """A page without its fenced blocks: their comments and strings are no headings and no states."""
    return re.sub(r"^```\w*\n.*?^```$", "", page, flags=re.M | re.S)


def section(page: str, heading: str) -> str:
    """The text under a ## heading, to the next one; "" where there is none."""
    part = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", page, re.M | re.S)
    return part.group(1) if part else ""
