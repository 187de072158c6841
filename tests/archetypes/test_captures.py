"""What a diagnosis says of every shipped recording: the right bug first, and silence where there is none.

labels.yaml is the truth about each recording. golden.txt holds what every archetype says of each, so that a
change of a rule or an observation shows up as its diff: GOPHERDX_WRITE_GOLDEN=1 writes it anew.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

import gopherdx
from gopherdx.artifacts.capture import Limits, Named, read_capture
from gopherdx.kb import load_kb
from gopherdx.model import Diagnosis
from gopherdx.observe import observe
from gopherdx.reason import chain

CAPTURES = Path(__file__).parents[1] / "captures"
GOLDEN = Path(__file__).with_name("golden.txt")
LABELS: dict[str, Any] = yaml.safe_load((CAPTURES / "labels.yaml").read_text(encoding="utf-8"))

WAYS = ("trace", "trace+cpu", "cpu")
every_recording = pytest.mark.parametrize("name", sorted(LABELS))


def _files(name: str, way: str) -> list[Path]:
    """The files of one way to diagnose a recording; empty where it lacks one of them."""
    out = []
    for kind, stem in (("trace", "trace.out"), ("cpu", "cpu.pprof")):
        if kind not in way.split("+"):
            continue
        found = [p for p in (CAPTURES / name / stem, CAPTURES / name / f"{stem}.gz") if p.exists()]
        if not found:
            return []
        out.append(found[0])
    return out


@cache
def _diagnosis(name: str, way: str) -> Diagnosis | None:
    files = _files(name, way)
    return gopherdx.diagnose(*files) if files else None


@pytest.mark.parametrize("way", ["trace", "trace+cpu"])
@every_recording
def test_the_bug_is_found_at_its_function_and_nothing_else_is(name: str, way: str) -> None:
    diagnosis = _diagnosis(name, way)
    if diagnosis is None:
        pytest.skip("recorded without a CPU profile")
    wanted = {bug["id"]: bug for bug in LABELS[name]["archetypes"]}
    assert {f.id for f in diagnosis.likely} == set(wanted)
    assert diagnosis.errors == ()
    if not wanted:
        assert diagnosis.outcome in ("healthy", "inconclusive")
        return
    assert diagnosis.findings[0].id in wanted
    for finding in diagnosis.likely:
        bug = wanted[finding.id]
        assert finding.confidence >= 0.8
        if finding.location is None:
            assert bug.get("null_without_cpu")
            assert not LABELS[name]["with_cpu"]
            assert any(step.kind == "capture" for step in diagnosis.next)
        else:
            assert finding.location.function in bug["functions"]
        assert finding.evidence
        assert finding.fix[0].before
        assert finding.fix[0].after


@every_recording
def test_a_cpu_profile_alone_proves_nothing_and_says_what_would(name: str) -> None:
    diagnosis = _diagnosis(name, "cpu")
    if diagnosis is None:
        pytest.skip("recorded without a CPU profile")
    assert diagnosis.likely == ()
    assert diagnosis.outcome != "healthy"
    missing = {id_ for step in diagnosis.next if "/trace?" in (step.command or "") for id_ in step.separates}
    assert {n.id for n in diagnosis.not_judged} <= missing


@every_recording
def test_every_archetype_ends_in_exactly_one_list(name: str) -> None:
    diagnosis = _diagnosis(name, "trace")
    assert diagnosis is not None
    ends = [{f.id for f in diagnosis.findings}] + [
        {x.id for x in group}
        for group in (
            diagnosis.ruled_out, diagnosis.not_judged, diagnosis.not_applicable, diagnosis.errors,
        )
    ]  # fmt: skip
    assert sorted(id_ for group in ends for id_ in group) == [a.id for a in load_kb().archetypes]


def test_every_rule_fires_in_at_least_one_recording() -> None:
    kb = load_kb()
    fired: set[str] = set()
    for name in sorted(LABELS):
        named = [Named(path) for way in ("trace", "cpu") for path in _files(name, way)]
        capture = read_capture(named, limits=Limits())
        fired |= set(chain.run(kb, observe(capture.artifacts)).fired)
    wanted = {f"{a.id}.{rule.name}" for a in kb.archetypes for rule in a.joined}
    assert wanted - fired <= NOT_IN_THE_LAB


# Rules for what no program of the lab does yet: a lock held over a slow disk or another service, a memory
# limit that is nearly reached. Made-up observations test each: tests/unit/test_rules_of_archetypes.py.
NOT_IN_THE_LAB = frozenset({"G101.holder_waits", "G201.memory_limit", "G203.small_documents"})


def test_the_golden_file_says_what_every_archetype_says_of_every_recording() -> None:
    lines = []
    for name in sorted(LABELS):
        for way in WAYS:
            diagnosis = _diagnosis(name, way)
            if diagnosis is not None:
                lines.append(_line(name, way, diagnosis))
    text = "\n".join(lines) + "\n"
    if os.environ.get("GOPHERDX_WRITE_GOLDEN"):
        GOLDEN.write_text(text, encoding="utf-8")
    assert GOLDEN.read_text(encoding="utf-8") == text


def _line(name: str, way: str, diagnosis: Diagnosis) -> str:
    found = [
        f"{f.id} {f.confidence:.2f} {f.severity} {f.location.function if f.location else '-'}"
        for f in diagnosis.findings
    ]
    out = [r.id for r in diagnosis.ruled_out]
    unjudged = [n.id for n in diagnosis.not_judged]
    said = f"{name} {way}: {diagnosis.outcome}; {'; '.join(found) or 'nothing'}"
    said += f"; ruled out {' '.join(out) or '-'}"
    return said + (f"; not judged {' '.join(unjudged)}" if unjudged else "")
