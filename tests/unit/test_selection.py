"""Archetypes are found by id, slug or family; a name that fits none gets the nearest one offered."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from gopherdx.errors import UsageError
from gopherdx.kb import KnowledgeBase, Likelihoods
from gopherdx.selection import find, restrict

NAMES = {"G101": "mutex-serialized-work", "G102": "connection-pool-too-small", "G201": "gc-thrash-small-heap"}


@pytest.fixture
def kb() -> KnowledgeBase:
    archetypes = tuple(SimpleNamespace(id=id_, slug=slug) for id_, slug in NAMES.items())
    return KnowledgeBase(cast("tuple[()]", archetypes), cast(Likelihoods, None))


def ids(kb: KnowledgeBase) -> list[str]:
    return [archetype.id for archetype in kb.archetypes]


@pytest.mark.parametrize("name", ["G101", "g101", "mutex-serialized-work"])
def test_an_archetype_is_found_by_id_or_slug(kb: KnowledgeBase, name: str) -> None:
    assert find(kb, name).id == "G101"


def test_a_misspelt_name_gets_the_nearest_offered(kb: KnowledgeBase) -> None:
    with pytest.raises(UsageError, match=r"no archetype is called 'G202'.*did you mean G"):
        find(kb, "G202")
    with pytest.raises(UsageError, match="did you mean mutex-serialized-work"):
        find(kb, "mutex-serialised-work")


def test_select_and_ignore_take_ids_slugs_and_families(kb: KnowledgeBase) -> None:
    assert ids(restrict(kb)) == ["G101", "G102", "G201"]
    assert ids(restrict(kb, select=["G1"])) == ["G101", "G102"]
    assert ids(restrict(kb, select=["gc-thrash-small-heap", "g102"])) == ["G102", "G201"]
    assert ids(restrict(kb, ignore=["G1"])) == ["G201"]
    assert ids(restrict(kb, select=["G1"], ignore=["G102"])) == ["G101"]


@pytest.mark.parametrize("names", [["G9"], ["G101", "nonsense"], [""]])
def test_a_name_that_fits_nothing_is_refused(kb: KnowledgeBase, names: list[str]) -> None:
    with pytest.raises(UsageError, match="no archetype is called"):
        restrict(kb, select=names)
    with pytest.raises(UsageError, match="no archetype is called"):
        restrict(kb, ignore=names)


def test_leaving_nothing_to_judge_is_refused(kb: KnowledgeBase) -> None:
    with pytest.raises(UsageError, match="no archetype is left"):
        restrict(kb, select=["G1"], ignore=["G1"])
