"""A free text to evidence: how much more it reads like reports of an archetype than like those of others.

The score is kernel ridge regression (Saunders, Gammerman and Vovk, ICML 1998): every text that is known to
be about an archetype, or known not to be, has a weight, and what it says of a new text grows with its
likeness to it: the mean of the cosine of their vectors, raised to a power so that near texts count most, and
of the cosine of their words, single and in pairs of neighbours ("chan send", "one after"). It takes in a new
case or a new line of symptoms.txt without being told. A table, counted over all known texts with each left
out in turn, turns a score into log-odds.
"""

from __future__ import annotations

import importlib.resources
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources.abc import Traversable
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gopherdx.kb import Archetype
from gopherdx.retrieve.encode import Encoder
from gopherdx.retrieve.examples import PAGE, Example, examples
from gopherdx.retrieve.passages import Passage
from gopherdx.retrieve.vectors import as_kept, cache_folder, keep, vectors_of
from gopherdx.retrieve.words import Words, weighted, words_of

Matrix = NDArray[np.float32]
_Reports = tuple[list[Passage], Matrix, list[frozenset[str]]]

SHIPPED_FIT: Final = importlib.resources.files("gopherdx.retrieve") / "static" / "likeness.npz"
RIDGE: Final = 0.5
UNLIKE: Final = -0.6
"""What a near-miss is, where a report of the archetype is 1 and one of something else 0."""

POWER: Final = 3
"""Of the cosine of two vectors: an odd one keeps its sign."""

TOLD: Final = 2.0
"""How much more a real report counts than a line that was written down."""

A_FEW_WORDS: Final = 5
VAGUE: Final = 2.0
"""So few words that speak for nothing with more log-odds than that ("it hangs") speak against nothing."""

_PAIR: Final = " "

# Score to log-odds. Below the first and beyond the last they stay as they are: a text alone is no more than a
# hint. Counted by `make eval` over symptoms and what cases' people saw, each left out in turn: log of how
# often a score falls there for the right archetype against how often for another.
LOG_ODDS: Final = (
    (0.025, -3.0), (0.075, -2.0), (0.125, -0.6), (0.14, 0.0), (0.165, 0.0), (0.225, 1.8), (0.275, 2.6),
    (0.32, 3.0),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a fit comes down to: weights of known texts and of words, each x archetypes."""

    words: tuple[str, ...]
    idf: Matrix
    by_text: Matrix
    by_words: Matrix


@dataclass(frozen=True, slots=True)
class Like:
    """What a text is worth for an archetype: log-odds, and, above 0, the report that it reads most like."""

    log_odds: float
    nearest: Passage | None


class Likeness:
    """Known texts, fitted. ``fitted`` are the weights of an earlier fit to the same texts."""

    def __init__(
        self,
        known: Sequence[Example],
        archetypes: Sequence[str],
        encode: Encoder,
        fitted: Fitted | None = None,
    ) -> None:
        self.archetypes = tuple(archetypes)
        self._known = tuple(known)
        self._encode = encode
        self.fitted = fitted or Training(known, archetypes, encode).fitted()
        self._vectors = vectors_of([e.passage for e in known], encode)
        self._column = {word: at for at, word in enumerate(self.fitted.words)}
        self._of: dict[str, _Reports] = {}

    def weigh(self, text: str) -> Mapping[str, Like]:
        """What a text says of each archetype; nothing for a text without a known word."""
        said = frozenset(words_of(text))
        words = weighted(terms_of(text), self._column, self.fitted.idf)
        if words is None:
            return {}
        vector = self._encode.encode([text])[0]
        scores = (self._vectors @ vector) ** POWER @ self.fitted.by_text + words @ self.fitted.by_words
        weights = [log_odds(float(score)) for score in scores]
        if len(said) <= A_FEW_WORDS and max(weights) < VAGUE:
            weights = [max(odds, 0.0) for odds in weights]
        return {
            name: Like(odds, self._nearest(name, vector, said) if odds > 0 else None)
            for name, odds in zip(self.archetypes, weights, strict=True)
        }

    def _nearest(self, name: str, vector: Matrix, words: frozenset[str]) -> Passage:
        """The report of the archetype that is most like; what people said comes before what a page says."""
        said, vectors, words_in = self._reports(name)
        shared = [len(words & of_it) / (1 + len(words)) for of_it in words_in]
        near = (vectors @ vector).astype(np.float64) + np.array(shared)
        return said[int(np.argmax(np.round(near, 4)))]

    def _reports(self, name: str) -> _Reports:
        """What is known of an archetype, with vectors and words: made when it is first asked for."""
        if name not in self._of:
            of_it = [e.passage for e in self._known if name in e.like]
            said = [p for p in of_it if p.kind != PAGE] or of_it
            words = [frozenset(words_of(p.whole)) for p in said]
            self._of[name] = (said, vectors_of(said, self._encode), words)
        return self._of[name]


class Training:
    """The fit: every known text against every other. It takes seconds, so its result is kept."""

    def __init__(self, known: Sequence[Example], archetypes: Sequence[str], encode: Encoder) -> None:
        self.known = tuple(known)
        self.archetypes = tuple(archetypes)
        self._vectors = vectors_of([e.passage for e in self.known], encode)
        documents = [terms_of(e.passage.whole) for e in self.known]
        # A pair that only one text has says no more than its words, and there are very many of them.
        held = Counter(term for terms in documents for term in set(terms))
        idf = Words(documents).idf
        self._terms = tuple(term for term in idf if held[term] > 1 or _PAIR not in term)
        self._idf = np.array([idf[term] for term in self._terms], np.float32)
        self._by_words = _matrix(documents, self._terms, self._idf)
        self._labels = self._label()

    def fitted(self) -> Fitted:
        """Weights of each known text and of each word, texts and words x archetypes."""
        of_texts = np.linalg.solve(self._kernel() + self._ridge(), self._labels) / 2
        return Fitted(
            words=self._terms,
            idf=self._idf,
            by_text=as_kept(of_texts),
            by_words=as_kept(self._by_words.T @ of_texts),
        )

    def left_out(self) -> NDArray[np.float64]:
        """Each known text's scores, known texts x archetypes, with all of its passage left out of the fit.

        In closed form: leaving rows out of a ridge regression takes a solution for these rows alone.
        """
        inverse = np.linalg.inv(self._kernel() + self._ridge())
        weights = inverse @ self._labels
        scores = np.zeros_like(self._labels)
        of: dict[str, list[int]] = {}
        for at, example in enumerate(self.known):
            of.setdefault(example.passage.id, []).append(at)
        for rows in of.values():
            scores[rows] = self._labels[rows] - np.linalg.solve(inverse[np.ix_(rows, rows)], weights[rows])
        return scores

    def _kernel(self) -> NDArray[np.float64]:
        """The likeness of every known text to every other, in 0..1."""
        of_vectors = (self._vectors @ self._vectors.T) ** POWER
        return ((of_vectors + self._by_words @ self._by_words.T) / 2).astype(np.float64)

    def _ridge(self) -> NDArray[np.float64]:
        return np.diag([RIDGE / (TOLD if example.is_told else 1.0) for example in self.known])

    def _label(self) -> NDArray[np.float64]:
        labels = np.zeros((len(self.known), len(self.archetypes)))
        for row, example in zip(labels, self.known, strict=True):
            for column, name in enumerate(self.archetypes):
                row[column] = 1.0 if name in example.like else UNLIKE if name in example.unlike else 0.0
        return labels


def terms_of(text: str) -> list[str]:
    """The words of a text, and each two that stand side by side."""
    words = words_of(text)
    return words + [f"{one}{_PAIR}{other}" for one, other in pairwise(words)]


def _matrix(documents: Sequence[Sequence[str]], terms: Sequence[str], idf: Matrix) -> Matrix:
    """Documents x terms, as ``weighted`` makes each."""
    column = {term: at for at, term in enumerate(terms)}
    out = np.zeros((len(documents), len(terms)), np.float32)
    for row, document in zip(out, documents, strict=True):
        weights = weighted(document, column, idf)
        if weights is not None:
            row[:] = weights
    return out


def open_likeness(archetypes: Sequence[Archetype], passages: Sequence[Passage], encode: Encoder) -> Likeness:
    """For these archetypes and the cases among these passages: from a kept fit where these texts have one."""
    known = examples(archetypes, passages)
    ids = [archetype.id for archetype in archetypes]
    key = _key(known, encode)
    fitted = _read(SHIPPED_FIT, key) or _read(_cached(key), key)
    made = Likeness(known, ids, encode, fitted)
    if fitted is None:
        keep(_cached(key), pack(made.fitted, key))
    return made


def packed(archetypes: Sequence[Archetype], passages: Sequence[Passage], encode: Encoder) -> bytes:
    """The file of the fit that is shipped."""
    known = examples(archetypes, passages)
    return pack(Training(known, [a.id for a in archetypes], encode).fitted(), _key(known, encode))


def pack(fitted: Fitted, key: str) -> bytes:
    """A fit as a file; ``key`` tells from which texts."""
    out = io.BytesIO()
    np.savez_compressed(
        out,
        key=np.array(key),
        words=np.array(fitted.words),
        idf=fitted.idf,
        by_text=fitted.by_text.astype(np.float16),
        by_words=fitted.by_words.astype(np.float16),
    )
    return out.getvalue()


def _read(file: Traversable, key: str) -> Fitted | None:
    """A kept fit, if it is one to these texts."""
    try:
        data = file.read_bytes()
        with np.load(io.BytesIO(data), allow_pickle=False) as kept:
            if str(kept["key"]) != key:
                return None
            return Fitted(
                tuple(kept["words"].tolist()),
                kept["idf"].astype(np.float32),
                kept["by_text"].astype(np.float32),
                kept["by_words"].astype(np.float32),
            )
    except (OSError, ValueError, KeyError, RuntimeError):
        return None


def _key(known: Sequence[Example], encode: Encoder) -> str:
    digest = sha256(f"{encode.id} {RIDGE} {UNLIKE} {POWER} {TOLD} pairs\n".encode())
    for example in known:
        labels = f"{sorted(example.like)} {sorted(example.unlike)}"
        digest.update(f"{example.passage.id} {labels} {example.passage.whole}\n".encode())
    return digest.hexdigest()[:24]


def _cached(key: str) -> Path:
    return cache_folder() / f"likeness-{key}.npz"


def log_odds(score: float) -> float:
    """A score as log-odds, by the table, straight lines between its points; two digits."""
    scores, odds = zip(*LOG_ODDS, strict=True)
    return round(float(np.interp(score, scores, odds)), 2)
