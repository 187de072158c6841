"""Texts that are known to be about an archetype, or known not to be: what a description is compared with.

Cases tell what people saw and what it was; symptoms.txt how people say it, and in lines with "!" what sounds
alike and is something else (``!G102 ...`` where that is another archetype); an archetype's page and questions
what there is to be seen; others.txt beside the archetypes what people describe that is none of them. Each
text is a passage of its own, so that its vector is kept as any other's.
"""

from __future__ import annotations

import importlib.resources
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from gopherdx.kb import PACKAGE, Archetype
from gopherdx.retrieve.passages import Passage, in_sentences

SYMPTOM: Final = "symptom"
NEAR_MISS: Final = "near-miss"
PAGE: Final = "page"
OTHER: Final = "other"

_FOR = ("What it is", "How it shows", "Why it hurts")
_AGAINST = "Not this when"
_CODE = re.compile(r"```.*?```", re.S)
_MISS = re.compile(r"!(?:([A-Z]+\d{3}) )?\s*(.*)", re.S)


@dataclass(frozen=True, slots=True)
class Example:
    """A text with the archetypes that it is about (``like``) and those that it only sounds like."""

    passage: Passage
    like: frozenset[str]
    unlike: frozenset[str] = frozenset()

    @property
    def is_told(self) -> bool:
        """Whether it is what the person of a case saw, in full."""
        passage = self.passage
        return passage.kind == "case" and not passage.title and passage.text == passage.symptom


def examples(archetypes: Sequence[Archetype], passages: Sequence[Passage]) -> list[Example]:
    """Every text that is known to be about one of these archetypes, or about none of them."""
    found = [example for archetype in archetypes for example in _of_archetype(archetype)]
    found += _of_none()
    for passage in passages:
        if passage.kind == "case":
            found += [Example(part, frozenset(passage.archetypes)) for part in _parts(passage)]
    return found


def _parts(case: Passage) -> Iterator[Passage]:
    """A case as a whole, and what its person saw by itself: that is what a description looks like."""
    yield case
    yield replace(case, title="", text=case.symptom)
    yield replace(case, title="", text=case.title)


def _of_archetype(archetype: Archetype) -> Iterator[Example]:
    this = frozenset({archetype.id})
    for number, (kind, line) in enumerate(_lines(archetype), 1):
        miss = _MISS.fullmatch(line)
        like = this if miss is None else frozenset({miss[1]} if miss[1] else ())
        passage = Passage(
            id=f"{kind}-{archetype.id}-{number:03}",
            title="",
            kind=kind,
            archetypes=tuple(like),
            go="",
            source=f"gopherdx explain {archetype.id}",
            text=miss[2] if miss else line,
        )
        yield Example(passage, like, frozenset() if miss is None else this)


def _of_none() -> Iterator[Example]:
    file = importlib.resources.files(PACKAGE) / "others.txt"
    for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
        yield Example(Passage(f"{OTHER}-{number:03}", "", OTHER, (), "", "", line), frozenset())


def _lines(archetype: Archetype) -> Iterator[tuple[str, str]]:
    """Kind and text; what tells against it begins with "!"."""
    for line in _text(archetype, "symptoms.txt").splitlines():
        if line.strip():
            yield (NEAR_MISS if line.startswith("!") else SYMPTOM), line.strip()
    yield PAGE, f"{archetype.title}. {archetype.slug.replace('-', ' ')}"
    yield PAGE, archetype.signature
    for proof in archetype.evidence:
        sign = "" if proof.supports else "! "
        yield from ((PAGE, sign + text) for text in (proof.text, proof.question) if text)
    yield from ((PAGE, sentence) for sentence in _of_page(_text(archetype, "README.md")))


def _of_page(page: str) -> Iterator[str]:
    """The sentences of an archetype's page that say how it looks; "!" before what it is not."""
    for section in re.split(r"^## ", page, flags=re.M)[1:]:
        head, _, body = section.partition("\n")
        sign = "! " if head.strip() == _AGAINST else ""
        if sign or head.strip() in _FOR:
            yield from (sign + s for s in in_sentences(" ".join(_CODE.sub("", body).split())))


def _text(archetype: Archetype, name: str) -> str:
    file = archetype.folder.joinpath(name)
    return file.read_text("utf-8") if file.is_file() else ""
