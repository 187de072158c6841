"""An index over passages: vectors in faiss (exact) and words in BM25, their ranks put together.

Vectors find what is said in other words, words find names (``getaddrinfo``, ``SetMaxOpenConns``). Each alone
misses what the other finds; a passage's score is the mean of its cosine and of its BM25 score against the
best one's, so that it lies in 0..1 and means the same for every query.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from gopherdx.retrieve.encode import Encoder, encoder
from gopherdx.retrieve.passages import Corpus, Passage, builtin, in_sentences
from gopherdx.retrieve.vectors import vectors_of

if TYPE_CHECKING:
    import bm25s

FP16_FROM: Final = 100_000
"""Vectors from which they are held as fp16: at a million, recall 1.0 and half the memory."""

LEAST_SCORE: Final = 0.15
_MATCHED_CHARS: Final = 240

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*|\d+(?:\.\d+)+|\d+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_STOP = frozenset(
    "a an and are as at be been but by can did do does for from had has have how i if in into is it its just "
    "my no not of on or our so that the their then there they this to too was we were what when which while "
    "who why will with you your all any each every up out very only".split()
)


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was found: score in 0..1 (4 digits), and the sentence and words that matched."""

    passage: Passage
    score: float
    sentence: str
    words: tuple[str, ...]


class Index:
    """Passages that can be searched. Building it reads kept vectors; searching needs no network, ever."""

    def __init__(self, passages: Sequence[Passage], encode: Encoder) -> None:
        self.passages = tuple(passages)
        self.encoder = encode
        self._vectors = VectorIndex(vectors_of(self.passages, encode))
        self._words = _Words([words_of(p.whole) for p in self.passages])

    def search(
        self,
        text: str,
        *,
        count: int = 5,
        archetypes: Collection[str] = (),
        kinds: Collection[str] = (),
        go: str | None = None,
        leave_out: Collection[str] = (),
    ) -> tuple[Hit, ...]:
        """The best passages for a text, best first, ties by id; none for a text without a known word.

        ``archetypes`` and ``kinds`` keep those that are of any of them, ``go`` those that hold for that
        version (``1.23``); ``leave_out`` are ids.
        """
        wanted = [
            i
            for i, p in enumerate(self.passages)
            if (not archetypes or not set(archetypes).isdisjoint(p.archetypes))
            and (not kinds or p.kind in kinds)
            and p.id not in leave_out
            and (go is None or holds_for(p, go))
        ]
        if not wanted:
            return ()
        scores = self.scores(text)
        if scores is None:
            return ()
        ranked = sorted(wanted, key=lambda i: (-round(float(scores[i]), 4), self.passages[i].id))
        best = [i for i in ranked[:count] if scores[i] >= LEAST_SCORE]
        asked = frozenset(words_of(text))
        return tuple(self._hit(i, float(scores[i]), asked) for i in best)

    def scores(self, text: str) -> NDArray[np.float32] | None:
        """A score for each passage, in 0..1; None for a text without a known word."""
        vector = self.encoder.encode([text])[0]
        by_words = self._words.scores(words_of(text))
        if not vector.any() and by_words is None:
            return None
        cosine = np.clip(self._vectors.all_scores(vector), 0, 1)
        return cosine if by_words is None else np.asarray((cosine + by_words) / 2, np.float32)

    def _hit(self, at: int, score: float, asked: frozenset[str]) -> Hit:
        passage = self.passages[at]
        sentences = in_sentences(passage.text)
        shared = [asked & frozenset(words_of(sentence)) for sentence in sentences]
        most = max(range(len(sentences)), key=lambda i: (len(shared[i]), -i), default=None)
        sentence = sentences[most] if most is not None else passage.title
        words = tuple(sorted(asked & frozenset(words_of(passage.whole))))
        return Hit(passage, round(score, 4), sentence[:_MATCHED_CHARS], words)


class VectorIndex:
    """Exact search by inner product over unit vectors, in faiss."""

    def __init__(self, vectors: NDArray[np.float32]) -> None:
        import faiss

        count, dimensions = vectors.shape
        self._count = count
        self._index: Any = (
            faiss.IndexFlatIP(dimensions)
            if count < FP16_FROM
            else faiss.IndexScalarQuantizer(
                dimensions, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
            )
        )
        if count:
            self._index.add(np.ascontiguousarray(vectors))

    def nearest(
        self, vector: NDArray[np.float32], count: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Rows of the ``count`` nearest vectors, the nearest first, and their inner products."""
        scores, rows = self._index.search(vector[None, :], min(count, self._count))
        return rows[0], scores[0]

    def all_scores(self, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """The inner product with every vector, in their order."""
        rows, scores = self.nearest(vector, self._count)
        out = np.zeros(self._count, np.float32)
        out[rows] = scores
        return out


class _Words:
    """BM25 over words."""

    def __init__(self, documents: Sequence[Sequence[str]]) -> None:
        import bm25s

        self._known = frozenset(word for words in documents for word in words)
        self._bm25: bm25s.BM25 | None = None
        if self._known:
            self._bm25 = bm25s.BM25(method="lucene")
            self._bm25.index([list(words) for words in documents], show_progress=False)

    def scores(self, words: Sequence[str]) -> NDArray[np.float32] | None:
        """A score for each document against the best one's; None where no word is known."""
        known = [word for word in words if word in self._known]
        if not known or self._bm25 is None:
            return None
        scores = np.asarray(self._bm25.get_scores(known), np.float32)
        most = float(scores.max())
        return scores / most if most > 0 else None


def open_index(corpora: Sequence[Corpus] = (), *, encoder_name: str = "static") -> Index:
    """The built-in corpus and these, in one index. Raises what ``encoder`` raises."""
    passages = [p for corpus in (builtin(), *corpora) for p in corpus.passages]
    return Index(passages, encoder(encoder_name))


def words_of(text: str) -> list[str]:
    """Words to search by: lower case, names split at their humps and kept whole as well, no stop words."""
    found = []
    for word in _WORD.findall(text):
        parts = _HUMP.sub(" ", word.replace("_", " ")).split()
        found += [word.lower(), *(p.lower() for p in parts)] if len(parts) > 1 else [word.lower()]
    return [_stem(word) for word in found if word not in _STOP]


def _stem(word: str) -> str:
    """A plural or a verb's form without its ending; crude, and the same for texts and queries."""
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word.removesuffix(ending)
    return word


def holds_for(passage: Passage, go: str) -> bool:
    """Whether a passage is about this Go version; one that names none is about all."""
    if not passage.go:
        return True
    from packaging.specifiers import SpecifierSet

    return SpecifierSet(passage.go).contains(go)
