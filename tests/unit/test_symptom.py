"""What a person describes, alone or with files, is weak evidence; findings carry passages to read on with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

import gopherdx
from gopherdx.errors import GopherdxError, UsageError
from gopherdx.model import POSSIBLE
from gopherdx.retrieve import builtin
from gopherdx.retrieve.encode import NAMES
from tests.conftest import ROOT

DEMO = ROOT / "engine" / "gopherdx" / "demo"
SENDS = "thousands of goroutines hang in chan send since the consumer returned"


def test_a_description_alone_ranks_archetypes_and_proves_none() -> None:
    diagnosis = gopherdx.diagnose(symptom=SENDS)
    assert diagnosis.outcome == "inconclusive"
    assert diagnosis.inputs == ()
    best = diagnosis.findings[0]
    assert (best.id, best.level) == ("G302", "possible")
    assert all(POSSIBLE <= f.confidence < 0.3 and f.level == "possible" for f in diagnosis.findings)
    assert [e.source.artifact for e in best.evidence] == ["description"]
    assert len(diagnosis.findings) + len(diagnosis.not_judged) == len(
        gopherdx.load_kb(rules=False).archetypes
    )
    schema = json.loads((ROOT / "engine/gopherdx/schema/diagnosis-1.0.json").read_text("utf-8"))
    jsonschema.validate(json.loads(json.dumps(diagnosis.to_dict())), schema)


@pytest.mark.parametrize("text", ["the button has the wrong colour", "xyzzyq"])
def test_what_fits_none_is_inconclusive_with_nothing_found(text: str) -> None:
    diagnosis = gopherdx.diagnose(symptom=text)
    assert (diagnosis.outcome, diagnosis.findings) == ("inconclusive", ())
    assert "fits none" in diagnosis.summary


def test_no_description_and_no_files_is_wrong_use() -> None:
    with pytest.raises(UsageError, match="says nothing"):
        gopherdx.diagnose(symptom="  ")
    with pytest.raises(GopherdxError):
        gopherdx.diagnose()


def test_the_go_version_rules_out_what_that_version_has_not() -> None:
    ids = [n.id for n in gopherdx.diagnose(symptom=SENDS, go_version="1.27").not_applicable]
    assert "G302" not in ids
    assert ids == [n.id for n in gopherdx.diagnose(DEMO, go_version="1.27").not_applicable]


def test_a_description_beside_files_raises_what_files_leave_open_and_moves_no_proof() -> None:
    alone = gopherdx.diagnose(DEMO)
    both = gopherdx.diagnose(DEMO, symptom=SENDS)
    assert both.outcome == "diagnosed"
    assert both.findings[0].id == alone.findings[0].id == "G101"
    assert both.findings[0].location == alone.findings[0].location


def test_passages_are_of_the_findings_archetype_and_near_to_its_evidence() -> None:
    of = {p.id: p.archetypes for p in builtin().passages}
    (finding,) = gopherdx.diagnose(DEMO).likely
    assert 1 <= len(finding.passages) <= 3
    assert all(finding.id in of[p.id] for p in finding.passages)
    scores = [p.score for p in finding.passages]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < s <= 1 and round(s, 4) == s for s in scores)
    assert gopherdx.diagnose(DEMO, passages=False).findings[0].passages == ()


def test_a_folder_of_ones_own_is_read_with_what_comes_along(tmp_path: Path) -> None:
    (tmp_path / "thumbs.md").write_text(
        "# Thumbnails are slow\n\nThe preview cache computes while it holds its lock: main.(*previews).get. "
        "Others wait for the lock; do the expensive work outside of it.\n",
        encoding="utf-8",
    )
    (finding,) = gopherdx.diagnose(DEMO, corpus=[tmp_path]).likely
    own = [p for p in finding.passages if p.id == "thumbs"]
    assert own
    assert own[0].source == str(tmp_path / "thumbs.md")


def test_an_encoder_that_is_not_there_is_said_in_a_sentence() -> None:
    with pytest.raises(UsageError, match="is no encoder"):
        gopherdx.diagnose(DEMO, encoder="word2vec")
    assert NAMES == ("static", "minilm")


def python(code: str, seed: str = "0") -> str:
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_without_passages_no_encoder_is_imported_and_torch_never_is() -> None:
    names = "[m for m in ('tokenizers', 'faiss', 'safetensors', 'torch') if m in sys.modules]"
    code = f"import sys, gopherdx; gopherdx.diagnose({str(DEMO)!r}, passages=PASSAGES); print({names})"
    assert python(code.replace("PASSAGES", "False")).strip() == "[]"
    assert "torch" not in python(code.replace("PASSAGES", "True"))


def test_the_same_description_gives_the_same_bytes() -> None:
    code = (
        "import json, gopherdx;"
        f"print(json.dumps(gopherdx.diagnose({str(DEMO)!r}, symptom={SENDS!r}).to_dict()))"
    )
    assert len({python(code, seed) for seed in ("0", "1", "random")}) == 1
