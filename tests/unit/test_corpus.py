"""The corpus that comes along is as `corpus/check.py` wants it."""

from __future__ import annotations

import importlib.util
from types import ModuleType

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
