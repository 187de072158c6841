"""A description is evidence for the archetype whose reports it reads like; what fits nothing for none."""

from __future__ import annotations

import re

import numpy as np
import pytest

from gopherdx.kb import KnowledgeBase, load_kb
from gopherdx.reason.belief import TEXT_CAP
from gopherdx.retrieve import Likeness, builtin, encoder, likeness, open_likeness
from gopherdx.retrieve.examples import NEAR_MISS, OTHER, SYMPTOM, Example, examples
from gopherdx.retrieve.passages import Passage
from tests.conftest import ROOT


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


@pytest.mark.parametrize("text", ["the service is slow", "it hangs", "something is wrong with the app"])
def test_a_few_vague_words_speak_against_nothing(like: Likeness, text: str) -> None:
    told = like.weigh(text)
    assert told
    assert all(0 <= of.log_odds < likeness.VAGUE for of in told.values())
    more = f"{text}, and the invoice number is missing in the footer of the printed letter"
    assert min(of.log_odds for of in like.weigh(more).values()) < 0


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


def test_a_near_miss_that_is_another_archetype_counts_for_that_one(kb: KnowledgeBase) -> None:
    known = examples(kb.archetypes, ())
    named = [e for e in known if e.passage.kind == NEAR_MISS and e.like]
    assert named
    for example in named:
        assert example.like.isdisjoint(example.unlike)
        assert example.passage.archetypes == tuple(example.like)
        assert not re.match(r"!|G\d{3}", example.passage.text)


def test_what_is_told_of_other_things_is_known_to_be_none(kb: KnowledgeBase) -> None:
    others = [e for e in examples(kb.archetypes, ()) if e.passage.kind == OTHER]
    assert len(others) >= 50
    assert not any(e.like or e.unlike for e in others)


def held_out() -> list[tuple[str, str]]:
    lines = (ROOT / "bench" / "symptoms-heldout.txt").read_text("utf-8").splitlines()
    return [(a, text) for a, _, text in (line.partition(": ") for line in lines if line[:1] not in ("", "#"))]


def test_held_out_descriptions_are_of_every_archetype_and_in_no_fit(kb: KnowledgeBase) -> None:
    said = held_out()
    for archetype in kb.archetypes:
        assert sum(a == archetype.id for a, _ in said) >= 4, archetype.id
    assert sum(a == "none" for a, _ in said) >= 20
    known = {e.passage.text.lower() for e in examples(kb.archetypes, builtin().passages)}
    assert known.isdisjoint(text.lower() for _, text in said)


def test_held_out_descriptions_are_guessed_right(like: Likeness) -> None:
    """The first guess for 0.85 of those with a bug; 0.8 of the others are at most a hint of anything."""
    right, low = [], []
    for archetype, text in held_out():
        told = {name: of.log_odds for name, of in like.weigh(text).items()}
        best = max(told, key=lambda name: told[name], default="")
        if archetype != "none":
            right.append(best == archetype)
        else:
            low.append(told.get(best, 0.0) < 2.2)  # that lifts the prior to 0.15
    assert np.mean(right) >= 0.85
    assert np.mean(low) >= 0.8


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
