"""Archetypes by the names that people give: an id, a slug, or the beginning of an id for a family."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import replace

from gopherdx.errors import KnowledgeBaseError, UsageError
from gopherdx.kb import Archetype, KnowledgeBase


def find(kb: KnowledgeBase, name: str) -> Archetype:
    """The archetype of this id or slug, upper or lower case. Raises ``UsageError``."""
    for archetype in kb.archetypes:
        if name.lower() in (archetype.id.lower(), archetype.slug):
            return archetype
    raise _unknown(kb, name)


def restrict(kb: KnowledgeBase, *, select: Sequence[str] = (), ignore: Sequence[str] = ()) -> KnowledgeBase:
    """The knowledge base with the selected archetypes (all where none is named) and without the ignored.

    Raises ``UsageError`` for a name that fits no archetype, and where nothing is left.
    """
    if not select and not ignore:
        return kb
    chosen = _matches(kb, select) if select else {archetype.id for archetype in kb.archetypes}
    left = chosen - _matches(kb, ignore)
    if not left:
        raise UsageError("no archetype is left to judge", where="--select and --ignore", todo="ask for fewer")
    return replace(kb, archetypes=tuple(a for a in kb.archetypes if a.id in left))


def read_page(archetype: Archetype) -> str:
    """The README.md of an archetype. Raises ``KnowledgeBaseError`` where it has none."""
    page = archetype.folder.joinpath("README.md")
    try:
        return page.read_text("utf-8")
    except OSError:
        raise KnowledgeBaseError("there is no such file", where=str(page), todo="write it") from None


def _matches(kb: KnowledgeBase, names: Sequence[str]) -> set[str]:
    """Ids of the archetypes that each name stands for; a beginning of an id stands for all that begin so."""
    found: set[str] = set()
    for name in names:
        wanted = name.strip().lower()
        ids = {
            a.id for a in kb.archetypes if wanted and (a.id.lower().startswith(wanted) or a.slug == wanted)
        }
        if not ids:
            raise _unknown(kb, name)
        found |= ids
    return found


def _unknown(kb: KnowledgeBase, name: str) -> UsageError:
    names = [n for a in kb.archetypes for n in (a.id, a.slug)]
    close = difflib.get_close_matches(name.lower(), [n.lower() for n in names], n=1, cutoff=0.5)
    todo = f"did you mean {next(n for n in names if n.lower() == close[0])}?" if close else ""
    return UsageError(f"no archetype is called {name!r}", todo=f"{todo} `gopherdx kb list` names all".strip())
