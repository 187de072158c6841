"""Finds passages of a corpus that are about what was found or described: vectors and words together."""

from __future__ import annotations

from gopherdx.retrieve.index import Hit, Index, open_index
from gopherdx.retrieve.passages import Corpus, Passage, read_corpus

__all__ = ["Corpus", "Hit", "Index", "Passage", "open_index", "read_corpus"]
