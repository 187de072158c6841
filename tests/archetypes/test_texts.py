"""Each archetype's folder is as `gopherdx kb check` wants it; a new one is found by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from gopherdx.authoring import archetypes_in, check, check_together

ARCHETYPES = archetypes_in(())


@pytest.mark.parametrize("folder", ARCHETYPES, ids=lambda folder: folder.name)
def test_the_folder_is_as_it_should_be(folder: Path) -> None:
    assert [str(problem) for problem in check(folder)] == []


def test_no_symptom_is_claimed_by_two_archetypes() -> None:
    assert [str(problem) for problem in check_together(ARCHETYPES)] == []
