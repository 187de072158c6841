"""A description is evidence for the archetype whose reports it reads like; what fits nothing for none."""

from __future__ import annotations

import numpy as np
import pytest

from gopherdx.kb import KnowledgeBase, load_kb
from gopherdx.reason.belief import TEXT_CAP
from gopherdx.retrieve import Likeness, builtin, encoder, likeness, open_likeness
from gopherdx.retrieve.examples import NEAR_MISS, SYMPTOM, Example, examples
from gopherdx.retrieve.passages import Passage


@pytest.fixture(scope="module")
def kb() -> KnowledgeBase:
    return load_kb(rules=False)


@pytest.fixture(scope="module")
def like(kb: KnowledgeBase) -> Likeness:
    return open_likeness(kb.archetypes, builtin().passages, encoder())


@pytest.mark.parametrize(
    ("text", "archetype"),
    [
        ("thousands of goroutines hang in chan send since the consumer died", "G302"),
        ("every new connection spends seconds in getaddrinfo", "G402"),
        ("a third of our CPU is regexp.MustCompile inside the handler", "G202"),
        ("resident memory stays at 2 GB after the import, the heap is 80 MB", "G206"),
        ("requests queue for a database connection, WaitCount rises, the database is idle", "G102"),
    ],
)
def test_a_description_is_evidence_for_what_it_describes(like: Likeness, text: str, archetype: str) -> None:
    told = like.weigh(text)
    assert max(told, key=lambda name: told[name].log_odds) == archetype
    assert 1.0 < told[archetype].log_odds <= TEXT_CAP
    nearest = told[archetype].nearest
    assert nearest is not None
    assert archetype in nearest.archetypes


@pytest.mark.parametrize(
    "text", ["the button has the wrong colour", "the invoice number is missing in the footer of the letter"]
)
def test_what_fits_nothing_speaks_for_nothing(like: Likeness, text: str) -> None:
    told = like.weigh(text)
    assert all(of.log_odds <= 0 and of.nearest is None for of in told.values())


@pytest.mark.parametrize("text", ["", "   ", "xyzzyq plughh", "?!"])
def test_a_text_without_a_known_word_says_nothing(like: Likeness, text: str) -> None:
    assert like.weigh(text) == {}


def test_a_near_miss_counts_against_the_archetype_that_it_sounds_like() -> None:
    def known(name: str, text: str, *, against: bool = False) -> Example:
        kind = NEAR_MISS if against else SYMPTOM
        passage = Passage(name, "", kind, ("X1",), "", "", text)
        return Example(
            passage, frozenset() if against else frozenset({"X1"}), frozenset({"X1"} if against else ())
        )

    texts = [
        known("one", "the queue grows and workers stand still"),
        known("two", "workers wait for the queue"),
    ]
    other = Example(Passage("o", "", SYMPTOM, (), "", "", "the disk is full of logs"), frozenset())
    miss = known("miss", "workers wait for the queue because the disk is slow", against=True)

    def score(known: list[Example]) -> float:
        vector, words = "workers wait for the slow disk", Likeness(known, ["X1"], encoder())
        return words.weigh(vector)["X1"].log_odds

    assert score([*texts, other, miss]) < score([*texts, other])


def test_log_odds_rise_with_the_score_and_stay_within_the_cap() -> None:
    values = [likeness.log_odds(score) for score in np.linspace(-1, 2, 301)]
    assert values == sorted(values)
    assert -TEXT_CAP <= values[0] < 0 < values[-1] <= TEXT_CAP


def test_what_is_shipped_is_what_a_fit_to_these_texts_gives(kb: KnowledgeBase, like: Likeness) -> None:
    known = examples(kb.archetypes, builtin().passages)
    made = likeness.Training(known, like.archetypes, encoder()).fitted()
    assert made.words == like.fitted.words
    assert np.abs(made.by_text - like.fitted.by_text).max() < 2e-3
    assert np.abs(made.by_words - like.fitted.by_words).max() < 2e-3


def test_the_symptoms_of_every_archetype_are_known(kb: KnowledgeBase) -> None:
    known = examples(kb.archetypes, builtin().passages)
    for archetype in kb.archetypes:
        kinds = [e.passage.kind for e in known if archetype.id in e.like | e.unlike]
        assert kinds.count(SYMPTOM) >= 10, archetype.id
        assert kinds.count(NEAR_MISS) >= 5, archetype.id
