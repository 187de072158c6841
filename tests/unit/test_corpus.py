"""The corpus that comes along is as `corpus/check.py` wants it."""

from __future__ import annotations

import importlib.util
from types import ModuleType

from gopherdx.kb import load_kb
from gopherdx.retrieve import encoder, likeness, vectors
from gopherdx.retrieve.examples import examples
from gopherdx.retrieve.passages import builtin
from tests.conftest import ROOT


def load_check() -> ModuleType:
    spec = importlib.util.spec_from_file_location("corpus_check", ROOT / "corpus" / "check.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_no_passage_has_a_problem() -> None:
    assert list(load_check().problems(builtin().passages)) == []


def test_vectors_and_fit_are_shipped_for_every_text() -> None:
    """Else they would be made again on each machine that runs it: `make corpus` writes them."""
    archetypes, passages = load_kb(rules=False).archetypes, builtin().passages
    known = examples(archetypes, passages)
    shipped = vectors._shipped(encoder())
    missing = [p.id for p in (*passages, *(e.passage for e in known)) if p.key not in shipped]
    assert missing == []
    assert likeness._read(likeness.SHIPPED_FIT, likeness._key(known, encoder())) is not None
