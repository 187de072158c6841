"""Search in passages: what has no known word finds nothing, and large indexes answer as small ones do."""

from __future__ import annotations

import numpy as np
import pytest

from gopherdx.retrieve import Index, builtin, encoder, index
from gopherdx.retrieve.index import VectorIndex
from gopherdx.retrieve.vectors import apart, common_of


@pytest.fixture(scope="module")
def corpus() -> Index:
    return Index(builtin().passages, encoder())


@pytest.mark.parametrize("text", ["zxqv blorp", "xyzzyq", "", "?!", "the of and", "qqq 7 zzxy"])
def test_a_text_without_a_known_word_finds_nothing(corpus: Index, text: str) -> None:
    assert corpus.search(text) == ()


def test_a_known_word_beside_unknown_ones_is_enough(corpus: Index) -> None:
    assert any("G402" in hit.passage.archetypes for hit in corpus.search("zxqv getaddrinfo blorp"))


def test_a_word_of_the_language_is_known_and_its_pieces_alone_are_not() -> None:
    assert encoder().knows("elephant")
    assert not encoder().knows("zxqv blorp")
    assert encoder().encode(["zxqv blorp"]).any()  # it has pieces, which mean nothing


@pytest.mark.parametrize("blocks", [1, 3, 7])
def test_an_index_in_halves_finds_what_one_whole_finds(monkeypatch: pytest.MonkeyPatch, blocks: int) -> None:
    made = np.random.default_rng(5).standard_normal((101, 16)).astype(np.float32)
    vectors = made / np.linalg.norm(made, axis=1, keepdims=True)
    whole = VectorIndex(vectors)
    monkeypatch.setattr(index, "FP16_FROM", 10)
    halves = VectorIndex.of(101, 16, np.array_split(vectors, blocks))
    for query in vectors[::9]:
        rows, scores = halves.nearest(query, 5)
        assert rows.tolist() == np.argsort(-(vectors @ query))[:5].tolist()
        assert np.abs(scores - whole.nearest(query, 5)[1]).max() < 2e-3  # fp16
    assert np.abs(halves.all_scores(vectors[0]) - vectors @ vectors[0]).max() < 2e-3


def test_what_is_common_to_all_reports_is_taken_out_of_vectors() -> None:
    common = common_of(encoder())
    assert 0.3 < float(np.linalg.norm(common)) < 1
    rest = apart(encoder().encode(["goroutines pile up in chan send", "xyzzyq plughh", ""]), common)
    assert np.linalg.norm(rest, axis=1) == pytest.approx([1, 1, 0], abs=1e-5)
