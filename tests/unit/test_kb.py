"""The knowledge base is read from folders; what is wrong in one is said with its file and field."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from gopherdx.errors import KnowledgeBaseError
from gopherdx.kb import load_kb, read_archetype, read_likelihoods
from gopherdx.model import Precision
from gopherdx.reason import chain, confidence
from tests.support.made_kb import LIKELIHOODS, data, kb_of, made, o, piece, seen, write


def test_a_users_folder_of_archetypes_is_loaded_and_judged(tmp_path: Path) -> None:
    write(tmp_path / "zero", data("X902"))
    write(tmp_path / "one", data("X901"))
    (tmp_path / "notes").mkdir()
    kb = load_kb([tmp_path])
    assert [a.id for a in kb.archetypes if a.id.startswith("X")] == ["X901", "X902"]
    assert [a.id for a in kb.archetypes] == sorted(a.id for a in kb.archetypes)
    facts = seen([o("lock.share", 0.9, "main.f")])
    verdict = confidence.judge(kb, facts, chain.run(kb, facts))
    assert {f.id for f in verdict.findings} >= {"X901", "X902"}


def test_the_folder_may_be_one_archetype(tmp_path: Path) -> None:
    kb = load_kb([write(tmp_path / "mine", data())])
    assert kb["X901"].thresholds["share"].value == 0.4


def test_rules_are_read_as_they_are_now(tmp_path: Path) -> None:
    """A compiled copy of the same second and size must not come back."""
    folder = write(tmp_path / "x", data(), "@Rule(obs('a'))\ndef aa(self):\n    pass")
    assert [r.name for r in read_archetype(folder).joined] == ["aa"]
    write(folder, data(), "@Rule(obs('a'))\ndef bb(self):\n    pass")
    assert [r.name for r in read_archetype(folder).joined] == ["bb"]
    assert sorted(f.name for f in folder.iterdir()) == ["archetype.yaml", "rules.py"]


def test_the_listing_needs_no_rule_engine() -> None:
    code = (
        "import sys; from gopherdx.kb import load_kb; load_kb(rules=False); "
        "sys.exit(any(m.split('.')[0] in ('experta', 'pydantic') for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_an_id_given_twice_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "a", data("X901"))
    write(tmp_path / "b", data("X901"))
    with pytest.raises(KnowledgeBaseError, match="X901 is also the name"):
        load_kb([tmp_path])


@pytest.mark.parametrize("missing", ["", "nowhere"])
def test_a_folder_without_archetypes_is_an_error(tmp_path: Path, missing: str) -> None:
    with pytest.raises(KnowledgeBaseError, match=r"no archetype\.yaml"):
        load_kb([tmp_path / missing])


def threshold(**fields: Any) -> dict[str, Any]:
    return {"thresholds": {"share": fields}}


def evidence(*pieces: dict[str, Any]) -> dict[str, Any]:
    return {"evidence": list(pieces)}


TRUE = {"equals": True}

BROKEN: list[tuple[dict[str, Any], str]] = [
    ({"title": None}, "title: is missing"),
    ({"title": 3}, "title: must be a text, not 3"),
    ({"titel": "x"}, "titel: is no field here"),
    ({"id": "x1"}, "id: 'x1' does not look like one"),
    ({"status": "draft"}, "status: must be one of stable, preview, not 'draft'"),
    ({"requires": ["trace"]}, "requires: must hold lists of kinds, not 'trace'"),
    ({"requires": [["traces"]]}, "requires: 'traces' is none of"),
    ({"improves": ["profile"]}, "improves: 'profile' is none of"),
    ({"go": {"from": 1.2, "until": None}}, "go.from: must be a text, not 1.2; write it in quotes"),
    ({"go": {"from": "1.2", "to": "1.3"}}, "go.to: is no field here"),
    ({"decides_place": ["nope"]}, "decides_place: 'nope' is none of waiters"),
    (
        {"thresholds": {"share": {"value": "0.4", "unit": "", "why": "x"}}},
        "thresholds.share.value: must be a num",
    ),
    (
        {"thresholds": {"share": {"value": True, "unit": "", "why": "x"}}},
        "thresholds.share.value: must be a num",
    ),
    (threshold(value=1, unit=""), "thresholds.share.why: is missing"),
    (
        {"evidence": [piece("waiters", "a", {"at_least": "nope"})]},
        "evidence[0].expect.at_least: there is no thr",
    ),
    (evidence(piece("waiters", "a", {"more": "share"})), "evidence[0].expect"),
    (evidence(piece("waiters", "a", None)), "evidence[0].expect: is missing"),
    (
        {"evidence": [piece("waiters", "a", TRUE, grade="sure")]},
        "evidence[0].grade: must be one of",
    ),
    (evidence(piece("waiters", "a", TRUE, artifacts=[])), "evidence[0].observation"),
    (evidence(*[piece("waiters", "a", TRUE)] * 2), "evidence: two pieces have the same name"),
    (
        evidence(piece("waiters", "a", TRUE, stands_in_for="waiters")),
        "evidence: waiters stands in for 'waiters', which is no evidence before it on the same side",
    ),
    ({"evidence": {"waiters": {}}}, "evidence: must be a list"),
    ({"severity": [[0.5, "low"], [0.1, "high"]]}, "severity: values must rise"),
    ({"severity": [[0.5, "bad"]]}, "severity: [0.5, 'bad'] is not"),
    ({"summary": "{nope} waits"}, "summary: {nope} is no observation"),
    ({"summary": "{function waits"}, "summary: "),
    ({"summary": ["fine", "{nope}"]}, "summary[1].summary: {nope} is no observation"),
    ({"summary": []}, "summary: is empty"),
    ({"min_cost": [{"observation": "a"}]}, "min_cost[0].at_least: is missing"),
    (
        {"min_cost": {"observation": "a", "at_least": "share", "confidence": 0.5}},
        "min_cost.confidence: must lie below 0.5, where likely begins",
    ),
    (
        {"min_cost": {"observation": "a", "at_least": "nope"}},
        "min_cost.at_least: there is no threshold 'nope'",
    ),
    ({"gain": {"model": "m", "unit": "x", "low": 1}}, "gain.high: is missing"),
    ({"fix": [{"title": "t", "go": ">=1.1"}]}, "fix[0].safety: is missing"),
]


@pytest.mark.parametrize(("changes", "says"), BROKEN)
def test_one_clear_error_names_file_and_field(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(KnowledgeBaseError) as caught:
        made(tmp_path, **changes)
    assert str(caught.value).startswith(f"{tmp_path / 'x901' / 'archetype.yaml'}: {says}")
    assert caught.value.exit_code == 2


def test_yaml_that_does_not_parse_is_told_with_its_line(tmp_path: Path) -> None:
    folder = write(tmp_path / "x", data())
    (folder / "archetype.yaml").write_text("id: X901\nslug: [a\n", "utf-8")
    with pytest.raises(KnowledgeBaseError, match=r"archetype\.yaml:3: this is not YAML"):
        read_archetype(folder)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("class Rules(\n", r"rules\.py:\d: '\(' was never closed"),
        ("import gopherdx.nope\n", r"rules\.py:1: ModuleNotFoundError: No module named"),
        ("x = 1\n", r"rules\.py: it defines no class Rules"),
        ("\n\n1 / 0\n", r"rules\.py:3: ZeroDivisionError"),
    ],
)
def test_rules_that_do_not_load_are_told_with_their_line(tmp_path: Path, source: str, says: str) -> None:
    folder = write(tmp_path / "x", data())
    (folder / "rules.py").write_text(source, "utf-8")
    with pytest.raises(KnowledgeBaseError, match=says):
        read_archetype(folder)


def test_rules_may_hold_dataclasses(tmp_path: Path) -> None:
    """The made-up module is one that the rest of Python can look up."""
    folder = write(tmp_path / "x", data())
    rules = folder / "rules.py"
    head = "from __future__ import annotations\nfrom dataclasses import dataclass\n"
    head += "@dataclass\nclass P:\n    x: int\n"
    rules.write_text(head + rules.read_text("utf-8"), "utf-8")
    assert len(read_archetype(folder).joined) == 1


def test_snippets_come_from_the_programs(tmp_path: Path) -> None:
    fixes = [{"title": "t", "go": ">=1.21", "safety": "s", "bug": "bug", "fix": "variants/one/fix"}]
    archetype = made(tmp_path, fix=fixes)
    for program, line in (("bug", "mu.Lock()"), ("variants/one/fix", "work()")):
        main = tmp_path / "x901" / program / "main.go"
        main.parent.mkdir(parents=True)
        main.write_text(
            "package main\n\nfunc main() {\n\t// snippet:start\n\tif x {\n\t\t"
            + line
            + "\n\t}\n\t// snippet:end\n\tother()\n\t// snippet:start\n\tlast()\n\t// snippet:end\n}\n",
            "utf-8",
        )
    facts = seen([o("lock.share", 0.9, "main.f")])
    kb = kb_of(archetype)
    (found,) = confidence.judge(kb, facts, chain.run(kb, facts)).findings
    assert found.fix[0].before == "if x {\n\tmu.Lock()\n}\n\nlast()\n"
    assert found.fix[0].after == "if x {\n\twork()\n}\n\nlast()\n"
    assert archetype.snippet("nowhere") == archetype.snippet(None) == ""


# Likelihoods ------------------------------------------------------------------------------------------


def test_the_likelihoods_of_the_product_are_sane() -> None:
    read = read_likelihoods(LIKELIHOODS)
    assert 0 < read.prior < 0.05
    for grade in ("decisive", "strong", "supporting"):
        assert read.supports[grade].bug > read.supports[grade].other
        assert read.against[grade].bug < read.against[grade].other


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"prior": 0}, "prior: must lie between 0 and 1"),
        ({"prior": None}, "prior: is missing"),
        ({"temperature": 0}, "temperature: must be above 0"),
        ({"supports": {}}, "supports: needs decisive, strong and supporting"),
        ({"odds": 1}, "odds: is no field here"),
    ],
)
def test_broken_likelihoods_name_the_field(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    file = tmp_path / "likelihoods.yaml"
    file.write_text(yaml.safe_dump(yaml.safe_load(LIKELIHOODS.read_text("utf-8")) | changes), "utf-8")
    with pytest.raises(KnowledgeBaseError) as caught:
        read_likelihoods(file)
    assert str(caught.value).startswith(f"{file}: {says}")


def test_counted_precision_is_read_by_archetype(tmp_path: Path) -> None:
    counted = {"X901": {"value": 0.9, "lower": 0.6, "programs": 5, "captures": 20}}
    file = tmp_path / "likelihoods.yaml"
    file.write_text(
        yaml.safe_dump(yaml.safe_load(LIKELIHOODS.read_text("utf-8")) | {"precision": counted}), "utf-8"
    )
    assert read_likelihoods(file).precision == {"X901": Precision(0.9, 0.6, 5, 20)}
