"""Passages: Markdown files with a small header, the corpus that comes with gopherdx and users' own folders.

    ---
    id: case-worker-send
    title: Workers stuck sending results after the first error
    kind: case
    archetypes: G302
    go: ">=1.0"
    source: https://github.com/owner/project/issues/1
    ---
    Symptom: ...

    Cause: ...

    Fix: ...

``archetypes`` is a list with commas, or ``none`` for a case whose cause is none of the known ones. A note's
text is plain paragraphs.
"""

from __future__ import annotations

import importlib.resources
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final, Literal

from gopherdx.errors import UnreadableInput

BUILTIN: Final = "gopherdx_corpus"
_LIMIT_BYTES: Final = 1 << 20
_FIELDS: Final = ("id", "title", "kind", "archetypes", "go", "source")
_PART = re.compile(r"^(Symptom|Cause|Fix): ", re.M)

Kind = Literal["note", "case", "runbook"]


@dataclass(frozen=True, slots=True)
class Passage:
    """One passage. ``symptom`` is what a case's person saw; "" for other kinds. ``corpus`` is whose it is."""

    id: str
    title: str
    kind: str
    archetypes: tuple[str, ...]
    go: str
    source: str
    text: str
    symptom: str = ""
    corpus: str = BUILTIN

    @property
    def whole(self) -> str:
        """Title and text: what is searched, and what a vector is made of."""
        return f"{self.title}. {self.text}" if self.title else self.text

    @property
    def key(self) -> str:
        """A hash of what a vector is made of."""
        return sha256(self.whole.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Corpus:
    """Passages by id, in the order of their ids; ``name`` tells whose they are."""

    name: str
    passages: tuple[Passage, ...]


@cache
def builtin() -> Corpus:
    """The corpus that comes with gopherdx."""
    return Corpus(BUILTIN, tuple(_passages(importlib.resources.files(BUILTIN), BUILTIN)))


def read_corpus(folder: Path) -> Corpus:
    """A user's folder of passages, with all folders in it. Raises ``UnreadableInput``.

    A Markdown file without a header is a passage too: its first heading is the title, its name the id.
    """
    if not folder.is_dir():
        raise UnreadableInput(
            "is no folder of passages", where=str(folder), todo="name a folder of .md files"
        )
    found = tuple(_passages(folder, str(folder)))
    if not found:
        raise UnreadableInput("holds no .md file", where=str(folder), todo="name a folder of .md files")
    return Corpus(str(folder), found)


def _passages(top: Traversable, corpus: str) -> Iterator[Passage]:
    seen: dict[str, str] = {}
    read = [_passage(file, corpus) for file in _files(top)]
    for passage in sorted(read, key=lambda p: p.id):
        if passage.id in seen:
            raise UnreadableInput(
                f"two passages have the id {passage.id!r}: {seen[passage.id]!r} and {passage.title!r}",
                where=corpus,
                todo="give each its own",
            )
        seen[passage.id] = passage.title
        yield passage


def _files(top: Traversable) -> Iterator[Traversable]:
    for entry in sorted(top.iterdir(), key=lambda e: e.name):
        if entry.name.startswith((".", "_")):
            continue
        if entry.is_dir():
            yield from _files(entry)
        elif entry.name.endswith(".md"):
            yield entry


def _passage(file: Traversable, corpus: str) -> Passage:
    where = str(file)
    try:
        text = file.read_bytes()[:_LIMIT_BYTES].decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableInput(f"is no text ({type(error).__name__})", where=where, todo="mend it") from None
    header, body = _header(text, where)
    if not header:
        heading = re.search(r"^#+ +(.+)$", body, re.M)
        title = heading[1].strip() if heading else file.name.removesuffix(".md")
        return Passage(
            file.name.removesuffix(".md"), title, "runbook", (), "", where, body.strip(), "", corpus
        )
    archetypes = tuple(a for a in re.split(r"[,\s]+", header["archetypes"]) if a and a != "none")
    symptom = _parts(body).get("Symptom", "") if header["kind"] == "case" else ""
    return Passage(
        header["id"], header["title"], header["kind"], archetypes, header["go"], header["source"],
        body.strip(), symptom, corpus,
    )  # fmt: skip


def _header(text: str, where: str) -> tuple[dict[str, str], str]:
    """The header's fields and the text below it; no fields where there is no header."""
    if not text.startswith("---\n"):
        return {}, text
    head, end, body = text[4:].partition("\n---\n")
    if not end:
        raise UnreadableInput("its header does not end", where=where, todo="close it with a line of ---")
    fields = {}
    for line in head.splitlines():
        name, colon, value = line.partition(":")
        if not colon or name not in _FIELDS:
            raise UnreadableInput(
                f"{line!r} is no line of a header", where=where, todo=f"know: {', '.join(_FIELDS)}"
            )
        fields[name] = value.strip().strip('"')
    lacks = [name for name in ("id", "title", "kind") if not fields.get(name)]
    if lacks:
        raise UnreadableInput(f"its header lacks {', '.join(lacks)}", where=where, todo="add it")
    return {name: fields.get(name, "") for name in _FIELDS}, body


def _parts(body: str) -> dict[str, str]:
    """The labelled parts of a case: Symptom, Cause, Fix."""
    pieces = _PART.split(body)
    return {name: " ".join(text.split()) for name, text in zip(pieces[1::2], pieces[2::2], strict=False)}


def in_sentences(text: str) -> Sequence[str]:
    """A text as sentences, to show the one that matched."""
    return [s for s in re.split(r"(?<=[.!?])\s+|\n+", text.strip()) if s]
