"""Makes the folder of a new archetype: it loads, its programs build, and what is to be written says TODO."""

from __future__ import annotations

import re
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

from gopherdx.errors import UsageError

_SUFFIX = ".tmpl"


def new(archetype: str, slug: str, *, title: str, parent: Path) -> Path:
    """Make ``parent``/<id>_<slug> and return it.

    ``archetype`` is the id (capitals and digits), ``slug`` its short name. Raises ``UsageError`` for names
    that are none and for a folder that exists.
    """
    if not re.fullmatch(r"[A-Z]+[0-9]+", archetype):
        raise UsageError(f"{archetype!r} is no id", todo="write capitals and digits, as G207 or ACME101")
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug):
        raise UsageError(f"{slug!r} is no slug", todo="write small letters and dashes, as lost-wakeup")
    if not title.strip() or re.search(r'["\\\n$]', title):
        raise UsageError(f"{title!r} is no title", todo="write one line without quotes")
    if not parent.is_dir():
        raise UsageError("no such folder", where=str(parent), todo="make it, or name another with --into")
    folder = parent / f"{archetype.lower()}_{slug.replace('-', '_')}"
    if folder.exists():
        raise UsageError("is there already", where=str(folder), todo="choose another id or slug")
    words = {"id": archetype, "slug": slug, "title": title.strip(), "module": slug.replace("-", "")}
    _copy(files("gopherdx.authoring") / "template", folder, words)
    return folder


def _copy(source: Traversable, target: Path, words: dict[str, str]) -> None:
    target.mkdir()
    for entry in sorted(source.iterdir(), key=lambda e: e.name):
        if entry.is_dir():
            _copy(entry, target / entry.name, words)
        elif entry.name.endswith(_SUFFIX):
            text = Template(entry.read_text("utf-8")).substitute(words)
            (target / entry.name.removesuffix(_SUFFIX)).write_text(text, encoding="utf-8")
