"""Finds passages of a corpus that are about what was found or described: vectors and words together."""

from __future__ import annotations

from gopherdx.retrieve.encode import encoder
from gopherdx.retrieve.index import Hit, Index
from gopherdx.retrieve.likeness import Like, Likeness, open_likeness
from gopherdx.retrieve.passages import Corpus, Passage, builtin, read_corpus

__all__ = [
    "Corpus",
    "Hit",
    "Index",
    "Like",
    "Likeness",
    "Passage",
    "builtin",
    "encoder",
    "open_likeness",
    "read_corpus",
]
