"""The texts of each archetype: the page that `gopherdx explain` shows, and how people describe the bug.

One list for all folders; a new archetype is found by itself.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

import gopherdx_kb

KB = Path(gopherdx_kb.__path__[0])
ARCHETYPES = sorted(path.parent for path in KB.glob("*/archetype.yaml"))

HEADINGS = ["What it is", "How it shows", "Why it hurts", "Fix", "Fix safety", "Not this when"]

# Names of states since Go 1.22 (reasons, ranges, labels: what pages put in double quotes), and of the same
# events up to Go 1.21. Where a page speaks of one, a reader with the other trace must find its own.
OLD_NAMES = {
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

MACHINE_PATH = re.compile(r"/(?:work|home|root|tmp|Users|mnt|usr/local)/|\b[A-Z]:\\|site-packages")

Problems = list[str]


def problems_of_headings(folder: Path) -> Problems:
    """A title that names the archetype, then the six headings in their order, each with text."""
    declared = yaml.safe_load(folder.joinpath("archetype.yaml").read_text("utf-8"))
    title = f"# {declared['id']} {declared['slug']}: {declared['title']}"
    page = without_code(read_page(folder))
    found = []
    if page.splitlines()[0] != title:
        found.append(f"the first line is not {title!r}")
    if re.findall(r"^#+ .*", page, re.M)[1:] != [f"## {heading}" for heading in HEADINGS]:
        found.append(f"the headings are not {HEADINGS}")
    return found + [f"nothing under {h}" for h in HEADINGS if not section(page, h).strip()]


def problems_of_fix(folder: Path) -> Problems:
    """The code under Before and After is the code of the programs that were run."""
    fix = section(read_page(folder), "Fix")
    found = []
    for label, program in (("Before", "bug"), ("After", "fix")):
        shown = re.findall(rf"^{label}\n+```go\n(.*?)^```$", fix, re.M | re.S)
        if shown != [snippet(folder / program / "main.go")]:
            found.append(f"{label} is not the snippet of {program}/main.go, once")
    return found


def problems_of_state_names(folder: Path) -> Problems:
    """New and old names of trace states stand side by side, and no name that no trace ever had."""
    page = without_code(read_page(folder))
    quoted = {re.sub(r"\s+", " ", name) for name in re.findall(r'"([^"]+)"', page)}
    found = [
        f'"{new}" without {old}, or the other way round'
        for new, old in OLD_NAMES.items()
        if (new in quoted) != (re.search(rf"\b{old}\b", page) is not None)
    ]
    if not quoted & OLD_NAMES.keys():
        found.append("no trace state is named")
    if "GoBlockSyscall" in page:
        found.append("there never was a GoBlockSyscall")
    return found


def problems_of_symptoms(folder: Path) -> Problems:
    """How people say it, one a line, and near-misses behind "!"; the words are theirs, not ours."""
    lines = folder.joinpath("symptoms.txt").read_text("utf-8").splitlines()
    misses = [line for line in lines if line.startswith("! ")]
    said = [line for line in lines if not line.startswith("!")]
    found = []
    if len(said) < 8 or len(misses) < 4 or len(said) + len(misses) != len(lines):
        found.append(f"{len(said)} symptoms and {len(misses)} near-misses in {len(lines)} lines")
    if any(line != line.strip() or len(line.removeprefix("! ").split()) < 3 for line in lines):
        found.append("a line is empty, padded, or too short to say anything")
    if len({line.removeprefix("! ").lower() for line in lines}) != len(lines):
        found.append("a line is there twice")
    if re.search(r"\bG\d{3}\b", "\n".join(lines)):
        found.append("nobody describes a bug by its id")
    return found


def problems_of_paths(folder: Path) -> Problems:
    """No text names a path of the machine that it was written on."""
    return [
        f"{name}: {hit.group()}"
        for name in ("README.md", "symptoms.txt", "archetype.yaml")
        for hit in MACHINE_PATH.finditer(folder.joinpath(name).read_text("utf-8"))
    ]


CHECKS: list[Callable[[Path], Problems]] = [
    problems_of_headings,
    problems_of_fix,
    problems_of_state_names,
    problems_of_symptoms,
    problems_of_paths,
]


@pytest.mark.parametrize("folder", ARCHETYPES, ids=lambda folder: folder.name)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("problems_of_"))
def test_texts(folder: Path, check: Callable[[Path], Problems]) -> None:
    assert check(folder) == []


def test_no_symptom_is_claimed_by_two_archetypes() -> None:
    claims = [
        line.lower()
        for folder in ARCHETYPES
        for line in folder.joinpath("symptoms.txt").read_text("utf-8").splitlines()
        if not line.startswith("!")
    ]
    assert sorted(claims) == sorted(set(claims))


def read_page(folder: Path) -> str:
    return folder.joinpath("README.md").read_text("utf-8")


def without_code(page: str) -> str:
    """A page without its fenced blocks: their comments and strings are no headings and no states."""
    return re.sub(r"^```\w*\n.*?^```$", "", page, flags=re.M | re.S)


def section(page: str, heading: str) -> str:
    """The text under a ## heading, to the next one; "" where there is none."""
    part = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", page, re.M | re.S)
    return part.group(1) if part else ""


def snippet(program: Path) -> str:
    """What stands between the marks of a program, unindented, ending in one newline."""
    _, _, rest = program.read_text("utf-8").partition("// snippet:start\n")
    code, end, _ = rest.partition("// snippet:end")
    assert end, f"{program} has no snippet"
    return textwrap.dedent(code).strip("\n") + "\n"
