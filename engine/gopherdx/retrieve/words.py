"""Texts as words, and BM25 over them.

BM25 is Robertson and Zaragoza's (The Probabilistic Relevance Framework, 2009) in Lucene's form. It is a few
lines over a table of postings: a library for it would take longer to import than all the rest of a search.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

_K1: Final = 1.5
_B: Final = 0.75

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*|\d+(?:\.\d+)+|\d+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_STOP = frozenset(
    "a an and are as at be been but by can did do does for from had has have how i if in into is it its just "
    "my no not of on or our so that the their then there they this to too was we were what when which while "
    "who why will with you your all any each every up out very only".split()
)


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


class Words:
    """Documents as weighted words, to be searched by BM25."""

    def __init__(self, documents: Sequence[Sequence[str]]) -> None:
        counts = [Counter(words) for words in documents]
        held = Counter(word for count in counts for word in count)
        mean = sum(map(len, documents)) / max(len(documents), 1)
        self._count = len(documents)
        self.idf = {w: math.log(1 + (self._count - n + 0.5) / (n + 0.5)) for w, n in held.items()}
        postings: dict[str, tuple[list[int], list[float]]] = {}
        for at, (count, words) in enumerate(zip(counts, documents, strict=True)):
            damp = _K1 * (1 - _B + _B * len(words) / mean) if mean else _K1
            for word, n in count.items():
                rows, weights = postings.setdefault(word, ([], []))
                rows.append(at)
                weights.append(self.idf[word] * n / (n + damp))
        self._postings = {
            word: (np.array(rows, np.int64), np.array(weights, np.float32))
            for word, (rows, weights) in postings.items()
        }

    def knows(self, words: Sequence[str]) -> bool:
        """Whether a word of these, and not only a number, is in any document."""
        return any(word in self._postings and not word[0].isdigit() for word in words)

    def scores(self, words: Sequence[str]) -> NDArray[np.float32] | None:
        """A score for each document against the best one's; None where no word is known."""
        found = [self._postings[word] for word in words if word in self._postings]
        if not found:
            return None
        scores = np.zeros(self._count, np.float32)
        for rows, weights in found:
            scores[rows] += weights
        most = float(scores.max())
        return scores / most if most > 0 else None


def weighted(
    words: Sequence[str], column: Mapping[str, int], idf: NDArray[np.float32]
) -> NDArray[np.float32] | None:
    """A text as a vector of words: a word weighs more the rarer it is, and little more repeated.

    Unknown words make it shorter than a unit vector: a text that is about something else is like nothing,
    whatever few words it shares. None where no word is known.
    """
    row = np.zeros(len(idf), np.float32)
    unknown = 0.0
    for word, n in Counter(words).items():
        much = n / (n + 1)
        if word in column:
            row[column[word]] = idf[column[word]] * much
        else:
            unknown += (float(idf.max()) * much) ** 2
    if not row.any():
        return None
    return np.asarray(row / np.sqrt(float(row @ row) + unknown), np.float32)
