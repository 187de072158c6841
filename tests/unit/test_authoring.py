"""A new archetype's folder says what is to be written, and a finished one is judged line by line."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import gopherdx_kb
from gopherdx.authoring import archetypes_in, check, check_together, new
from gopherdx.errors import KnowledgeBaseError, UsageError
from gopherdx.kb import load_kb

KB = Path(gopherdx_kb.__path__[0])
GOOD = KB / "g302_blocked_channel_send"


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A folder without problems, to spoil."""
    return shutil.copytree(GOOD, tmp_path / GOOD.name, ignore=shutil.ignore_patterns("__pycache__"))


def says(folder: Path) -> list[str]:
    return [str(problem) for problem in check(folder)]


def edit(file: Path, change: Callable[[str], str]) -> None:
    before = file.read_text("utf-8")
    after = change(before)
    assert after != before
    file.write_text(after, encoding="utf-8")


def test_a_new_folder_loads_and_lacks_only_what_is_to_be_written(tmp_path: Path) -> None:
    folder = new("ACME101", "lost-wakeup", title="A wake-up that is lost", parent=tmp_path)
    assert folder.name == "acme101_lost_wakeup"
    assert all("TODO left" in line or "symptoms and" in line for line in says(folder))
    archetype = load_kb([tmp_path])["ACME101"]
    assert (archetype.slug, archetype.title) == ("lost-wakeup", "A wake-up that is lost")
    assert archetype.joined


def test_a_new_folder_that_was_written_has_no_problem(tmp_path: Path) -> None:
    folder = new("ACME101", "lost-wakeup", title="A wake-up that is lost", parent=tmp_path)
    for file in folder.rglob("*"):
        if file.is_file():
            file.write_text(file.read_text("utf-8").replace("TODO", "words"), encoding="utf-8")
    lines = [f"the service is slow in way {n}" for n in range(8)]
    lines += [f"! it is slow in another way {n}" for n in range(4)]
    (folder / "symptoms.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert says(folder) == []


@pytest.mark.parametrize(
    ("archetype", "slug", "title"),
    [("x1", "lost", "t"), ("G", "lost", "t"), ("G1", "Lost", "t"), ("G1", "a--b", "t"), ("G1", "a", 'a"b')],
)
def test_names_that_are_none_are_refused(tmp_path: Path, archetype: str, slug: str, title: str) -> None:
    with pytest.raises(UsageError):
        new(archetype, slug, title=title, parent=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_exists_is_left_alone(tmp_path: Path) -> None:
    new("X1", "lost", title="t", parent=tmp_path)
    with pytest.raises(UsageError, match="is there already"):
        new("X1", "lost", title="t", parent=tmp_path)


SPOILED: list[tuple[str, Callable[[str], str], str]] = [
    ("archetype.yaml", lambda s: s.replace("grade: decisive", "grade: sure", 1), "must be one of decisive"),
    ("archetype.yaml", lambda s: s.replace("https://go.dev/blog/pipelines", "go.dev"), "is no https link"),
    (
        "archetype.yaml",
        lambda s: s.replace("thresholds:\n", "thresholds:\n  idle: {value: 1, unit: x, why: y}\n"),
        "the threshold 'idle' is used nowhere",
    ),
    ("README.md", lambda s: s.replace("## Fix safety", "## Safety"), "the headings are not"),
    ("README.md", lambda s: s.replace("case <-ctx.Done():", "case <-done:", 1), "After is not, once,"),
    ("README.md", lambda s: s.replace("GoBlockSend", "another"), '"chan send" stands without'),
    ("README.md", lambda s: s + "\nSee /home/me/notes.\n", "is a path of some machine"),
    ("README.md", lambda s: s + "\nTODO\n", "1 TODO left"),
    ("symptoms.txt", lambda s: s.split("\n")[0] + "\n", "1 symptoms and 0 near-misses"),
    ("symptoms.txt", lambda s: s + s.split("\n")[0] + "\n", "a line is there twice"),
    ("symptoms.txt", lambda s: s + "!G302 it is what it is not\n", "a near-miss of"),
    ("symptoms.txt", lambda s: s + "! it looks like G999 to me\n", "nobody describes a bug by its id"),
    ("rules.py", lambda s: s.replace('at_least("age_s")', "3.5", 1), "bare number"),
    ("rules.py", lambda s: s.replace('"ever-more"', '"nobody-receives"'), "no rule concludes 'ever-more'"),
    ("bug/main.go", lambda s: s.replace("// snippet:end", ""), "there is no code between"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "change", "expected"), SPOILED, ids=[f"{f}-{i}" for i, (f, _, _) in enumerate(SPOILED)]
)
def test_what_is_spoiled_is_named(
    copied: Path, file: str, change: Callable[[str], str], expected: str
) -> None:
    assert says(copied) == []
    edit(copied / file, change)
    assert any(expected in line for line in says(copied)), says(copied)


def test_a_variant_needs_its_fix(copied: Path) -> None:
    shutil.rmtree(copied / "variants" / "replicas" / "fix")
    assert says(copied) == [f"{GOOD.name}/variants/replicas: the variant has no fix/main.go"]


def test_a_symptom_is_claimed_once(copied: Path) -> None:
    other = shutil.copytree(copied, copied.parent / "other")
    assert check_together([copied]) == []
    assert len(check_together([copied, other])) == len(
        [line for line in (GOOD / "symptoms.txt").read_text("utf-8").splitlines() if line[0] != "!"]
    )


def test_a_path_without_archetypes_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeBaseError, match=r"no archetype\.yaml here"):
        archetypes_in([tmp_path])
    assert len(archetypes_in([GOOD])) == 1
    assert len(archetypes_in([])) == len(load_kb(rules=False).archetypes)
