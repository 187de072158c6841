"""Several processes, each judged by itself, and one answer for all of them."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

import gopherdx
from gopherdx.kb import KnowledgeBase
from gopherdx.model import Diagnosis, Observation, RuleError
from gopherdx.reason import chain, confidence
from gopherdx.reason.confidence import Verdict
from gopherdx.reason.facts import Concluded
from gopherdx.reason.together import together
from gopherdx.report import text
from tests.support.made_kb import kb_of, made, o, seen
from tests.support.profiles import cpu_profile
from tests.support.services import sides_as_text


def verdict(
    kb: KnowledgeBase, *items: Observation, looked: tuple[str, ...] = (), failed: str = ""
) -> Verdict:
    facts = seen(list(items), list(looked))
    concluded = chain.run(kb, facts)
    if failed:
        concluded = Concluded(concluded.evidence, errors=(RuleError(failed, "made", "rule", 3, "broken"),))
    return confidence.judge(kb, facts, concluded)


def joined(kb: KnowledgeBase, **verdicts: Verdict) -> Verdict:
    return together(kb, verdicts, frozenset({"trace"}))


def ends(judged: Verdict) -> dict[str, list[str]]:
    lists = {
        "findings": [f.id for f in judged.findings],
        "ruled out": [r.id for r in judged.ruled_out],
        "not judged": [n.id for n in judged.not_judged],
        "not applicable": [n.id for n in judged.not_applicable],
        "errors": [e.id for e in judged.errors],
    }
    return {name: ids for name, ids in lists.items() if ids}


@pytest.fixture
def kb(tmp_path: Path) -> KnowledgeBase:
    return kb_of(made(tmp_path, "X901"))


FOUND = (o("lock.share", 0.9, "main.f"),)
BELOW = (o("lock.share", 0.1, "main.f"),)


def test_a_finding_in_any_process_is_one_and_says_which(kb: KnowledgeBase) -> None:
    judged = joined(kb, a=verdict(kb, *BELOW), b=verdict(kb, *FOUND))
    assert ends(judged) == {"findings": ["X901"]}
    assert judged.findings[0].process == "b"
    assert judged.outcome == "diagnosed"
    both = joined(kb, a=verdict(kb, *FOUND), b=verdict(kb, *FOUND))
    assert [f.process for f in both.findings] == ["a", "b"]


def test_ruled_out_is_what_is_ruled_out_for_all_with_the_nearest_values(kb: KnowledgeBase) -> None:
    nearer = o("lock.share", 0.3, "main.g")
    judged = joined(kb, a=verdict(kb, *BELOW), b=verdict(kb, nearer))
    assert ends(judged) == {"ruled out": ["X901"]}
    assert judged.outcome == "healthy"
    assert judged.ruled_out[0].process == "a"  # believed alike: the first that was named


def test_what_cannot_be_judged_for_one_process_is_not_ruled_out(kb: KnowledgeBase) -> None:
    judged = joined(kb, a=verdict(kb, *BELOW), b=verdict(kb))
    assert ends(judged) == {"not judged": ["X901"]}
    assert judged.not_judged[0].process == "b"
    assert judged.outcome == "insufficient"


def test_a_rule_that_failed_for_one_process_never_reads_as_healthy(kb: KnowledgeBase) -> None:
    judged = joined(kb, a=verdict(kb, *BELOW), b=verdict(kb, *BELOW, failed="X901"))
    assert ends(judged) == {"errors": ["X901"]}
    assert judged.outcome != "healthy"
    found = joined(kb, a=verdict(kb, *FOUND), b=verdict(kb, *BELOW, failed="X901"))
    assert ends(found) == {"findings": ["X901"]}
    assert "failed" in found.summary


# The whole way ----------------------------------------------------------------------------------------


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    folders = tmp_path / "orders", tmp_path / "stock"
    for folder, dump in zip(folders, sides_as_text(), strict=True):
        folder.mkdir()
        folder.joinpath("goroutines.txt").write_text(dump)
    return folders


def test_services_that_wait_on_each_other_take_the_folders_of_both(two: tuple[Path, Path]) -> None:
    alone = gopherdx.diagnose(two[0])
    assert [f.id for f in alone.likely] == []
    assert {i.process for i in alone.inputs} == {None}
    both = gopherdx.diagnose(*two)
    assert [(f.id, f.process) for f in both.likely] == [("G403", str(two[0])), ("G403", str(two[1]))]
    assert {i.process for i in both.inputs} == {str(folder) for folder in two}


def test_each_archetype_is_in_one_list(two: tuple[Path, Path]) -> None:
    two[0].joinpath("cpu.pprof").write_bytes(cpu_profile())
    both = gopherdx.diagnose(*two)
    ended = [
        *{f.id for f in both.findings},
        *(x.id for group in (both.ruled_out, both.not_judged, both.not_applicable) for x in group),
    ]
    assert sorted(ended) == [a.id for a in gopherdx.load_kb(rules=False).archetypes]


def test_the_order_of_the_folders_changes_no_finding(two: tuple[Path, Path]) -> None:
    def findings(d: Diagnosis) -> list[tuple[str, float, str | None]]:
        return [(f.id, f.confidence, f.process) for f in d.findings]

    assert findings(gopherdx.diagnose(*two)) == findings(gopherdx.diagnose(*reversed(two)))


def test_the_json_is_of_the_schema_and_the_text_says_which_process(two: tuple[Path, Path]) -> None:
    both = gopherdx.diagnose(*two)
    schema = json.loads((files("gopherdx") / "schema" / "diagnosis-1.0.json").read_text("utf-8"))
    Draft202012Validator(schema).validate(json.loads(json.dumps(both.to_dict())))
    shown = text.render(both, width=200)
    for folder in two:
        assert f"in the process of {folder}" in shown
