"""Passages to read on with, for a finding: of its archetype, and near to its evidence and place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gopherdx.model import Finding
from gopherdx.model import Passage as Shown
from gopherdx.retrieve.encode import Encoder
from gopherdx.retrieve.index import Index, holds_for
from gopherdx.retrieve.passages import BUILTIN, Passage

READ_MAX: Final = 3


class Shelf:
    """Passages sorted by archetype; an index is made only of those that a finding needs."""

    def __init__(self, passages: Sequence[Passage], encode: Encoder) -> None:
        self._passages = tuple(passages)
        self._encode = encode
        self._indexes: dict[tuple[str, str | None], Index] = {}

    def for_finding(self, finding: Finding, go: str | None = None) -> tuple[Shown, ...]:
        """At most three, best first. ``go`` (``1.23``) leaves out what does not hold for that version.

        A user's own passages that name no archetype are looked through for every finding.
        """
        key = (finding.id, go)
        if key not in self._indexes:
            wanted = [p for p in self._passages if _fits(p, finding.id) and (go is None or holds_for(p, go))]
            self._indexes[key] = Index(wanted, self._encode)
        hits = self._indexes[key].search(asked(finding), count=READ_MAX)
        return tuple(Shown(h.passage.id, h.passage.title, h.score, h.passage.source) for h in hits)


def asked(finding: Finding) -> str:
    """What is searched for: cause, evidence and the words of the function's name."""
    seen = [e.text for e in finding.evidence if e.supports and e.text]
    place = finding.location.function.rpartition("/")[2] if finding.location else ""
    return " ".join([finding.title, finding.cause, *seen, place])


def _fits(passage: Passage, archetype: str) -> bool:
    return archetype in passage.archetypes or (passage.corpus != BUILTIN and not passage.archetypes)
