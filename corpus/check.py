"""Judges the corpus that comes with gopherdx, and says how much of each there is.

    python corpus/check.py

Headers, ids, the form of links, lengths, parts of a case, near-duplicates. Exit code 1 where something is to
be mended. `make corpus` writes the vectors that are shipped (`--vectors`).
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from gopherdx.kb import load_kb
from gopherdx.retrieve.encode import encoder
from gopherdx.retrieve.examples import examples
from gopherdx.retrieve.likeness import SHIPPED_FIT, packed
from gopherdx.retrieve.passages import Passage, builtin
from gopherdx.retrieve.vectors import SHIPPED, pack
from gopherdx.retrieve.words import words_of

STATIC = Path(__file__).resolve().parents[1] / "engine" / "gopherdx" / "retrieve" / "static"

WORDS = {"note": (30, 260), "case": (40, 220)}
ALIKE = 0.6  # share of words that two texts have in common, of all words in either
_LINK = re.compile(r"https://[A-Za-z0-9.-]+\.[a-z]{2,}(?:/\S*)?$")
_PARTS = ["Symptom", "Cause", "Fix"]


def problems(passages: Sequence[Passage]) -> Iterator[str]:
    """Everything that is to be mended, each with the passage's id."""
    known = {archetype.id for archetype in load_kb(rules=False).archetypes}
    for passage in passages:
        yield from (f"{passage.id}: {what}" for what in _of_one(passage, known))
    words = {p.id: frozenset(words_of(p.text)) for p in passages}
    for one, other in combinations(passages, 2):
        shared = words[one.id] & words[other.id]
        if len(shared) > ALIKE * len(words[one.id] | words[other.id]):
            yield f"{one.id}: says nearly the same as {other.id}"


def _of_one(passage: Passage, known: set[str]) -> Iterator[str]:
    if passage.kind not in WORDS:
        yield f"is a {passage.kind!r}, not one of {', '.join(WORDS)}"
        return
    if not re.fullmatch(rf"{passage.kind}(-[A-Za-z0-9]+)+", passage.id):
        yield f"its id does not begin with {passage.kind}-"
    if not _LINK.match(passage.source):
        yield f"{passage.source!r} is no https link"
    least, most = WORDS[passage.kind]
    count = len(passage.text.split())
    if not least <= count <= most:
        yield f"has {count} words, not {least} to {most}"
    for archetype in passage.archetypes:
        if archetype not in known:
            yield f"there is no archetype {archetype}"
    if passage.kind == "case" and re.findall(r"^(\w+): ", passage.text, re.M) != _PARTS:
        yield f"a case has the parts {', '.join(_PARTS)}, in this order"
    try:
        SpecifierSet(passage.go)
    except InvalidSpecifier:
        yield f"{passage.go!r} names no Go versions"


def listing(passages: Sequence[Passage]) -> str:
    """How many notes and cases there are, and of which archetypes."""
    kinds = Counter(p.kind for p in passages)
    rows = [f"{kinds['note']} notes, {kinds['case']} cases"]
    cases = Counter(a for p in passages if p.kind == "case" for a in p.archetypes or ("none",))
    notes = Counter(a for p in passages if p.kind == "note" for a in p.archetypes or ("none",))
    rows += [f"  {name:5} {cases[name]:4} cases {notes[name]:4} notes" for name in sorted(cases | notes)]
    return "\n".join(rows)


def main() -> int:
    """Check, list, and write the shipped vectors where asked to."""
    passages = builtin().passages
    found = list(problems(passages))
    print("\n".join([listing(passages), *found]))
    if "--vectors" in sys.argv[1:]:
        archetypes = load_kb(rules=False).archetypes
        texts = [example.passage for example in examples(archetypes, passages)]
        (STATIC / SHIPPED).write_bytes(pack([*passages, *texts], encoder()))
        (STATIC / SHIPPED_FIT.name).write_bytes(packed(archetypes, passages, encoder()))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
