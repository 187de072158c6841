"""An index over passages: vectors in faiss (exact) and words in BM25, their ranks put together.

Vectors find what is said in other words, words find names (``getaddrinfo``, ``SetMaxOpenConns``). Each alone
misses what the other finds; a passage's score is the mean of its cosine (without what all texts have in
common) and of its BM25 score against the best one's, so that it lies in 0..1 and means the same for every
query.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gopherdx.retrieve.encode import Encoder
from gopherdx.retrieve.passages import Passage, in_sentences
from gopherdx.retrieve.vectors import apart, common_of, vectors_of
from gopherdx.retrieve.words import Words, words_of

FP16_FROM: Final = 100_000
"""Vectors from which they are held as fp16: at a million, recall 1.0 and half the memory."""

LEAST_SCORE: Final = 0.15
_MATCHED_CHARS: Final = 240


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
        self._common = common_of(encode)
        self._vectors = VectorIndex(apart(vectors_of(self.passages, encode), self._common))
        self._words = Words([words_of(p.whole) for p in self.passages])

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
        words = words_of(text)
        if not self._words.knows(words) and not self.encoder.knows(text):
            return None
        by_words = self._words.scores(words)
        (vector,) = apart(self.encoder.encode([text]), self._common)
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
        self._count = len(vectors)
        self._index = _filled(len(vectors), vectors.shape[1], [vectors])

    @classmethod
    def of(cls, count: int, dimensions: int, blocks: Iterable[NDArray[np.float32]]) -> VectorIndex:
        """Over ``count`` vectors that come in blocks, so that they need not all be there at once."""
        made = cls(np.zeros((0, dimensions), np.float32))
        made._count, made._index = count, _filled(count, dimensions, blocks)
        return made

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


def _filled(count: int, dimensions: int, blocks: Iterable[NDArray[np.float32]]) -> Any:
    """An index of ``count`` vectors; a large one is in two halves, which are searched side by side."""
    import faiss

    if count < FP16_FROM:
        whole = faiss.IndexFlatIP(dimensions)
        for block in blocks:
            whole.add(np.ascontiguousarray(block))
        return whole
    fp16 = faiss.ScalarQuantizer.QT_fp16
    halves = [faiss.IndexScalarQuantizer(dimensions, fp16, faiss.METRIC_INNER_PRODUCT) for _ in range(2)]
    first = count // 2
    for block in blocks:
        left = first - halves[0].ntotal  # what the first half still takes
        for half, part in zip(halves, (block[:left], block[left:]), strict=True):
            half.add(np.ascontiguousarray(part))
    shards: Any = faiss.IndexShards
    both = shards(dimensions, True, True)  # in threads, and rows of the second half counted on from the first
    for half in halves:
        both.add_shard(half)
    return both


def holds_for(passage: Passage, go: str) -> bool:
    """Whether a passage is about this Go version; one that names none is about all."""
    if not passage.go:
        return True
    from packaging.specifiers import SpecifierSet

    return SpecifierSet(passage.go).contains(go)
