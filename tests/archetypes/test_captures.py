"""What a diagnosis says of every shipped recording: the right bug first, and silence where there is none.

labels.yaml is the truth about each recording. golden.txt holds what every archetype says of each, so that a
change of a rule or an observation shows up as its diff: GOPHERDX_WRITE_GOLDEN=1 writes it anew.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

import gopherdx
from gopherdx.artifacts.capture import Limits, Named, read_captures
from gopherdx.kb import load_kb
from gopherdx.model import Diagnosis, Finding
from gopherdx.observe import observe_all
from gopherdx.reason import chain

CAPTURES = Path(__file__).parents[1] / "captures"
GOLDEN = Path(__file__).with_name("golden.txt")
LABELS: dict[str, Any] = yaml.safe_load((CAPTURES / "labels.yaml").read_text(encoding="utf-8"))
PEER = "peer"  # the second process of a recording of two

# Ways to give a recording's artifacts, and the files of each; whole is all of them, of all its processes.
WAYS: dict[str, tuple[str, ...]] = {
    "whole": (),
    "trace": ("trace.out",),
    "trace+cpu": ("trace.out", "cpu.pprof"),
    "cpu": ("cpu.pprof",),
    "heap": ("heap.pprof",),
    "allocs": ("allocs.pprof",),
    "mutex": ("mutex.pprof",),
    "block": ("block.pprof",),
    "goroutine": ("goroutine.pprof",),
    "dump": ("goroutine.txt",),
    "two dumps": ("goroutine-before.txt", "goroutine.txt"),
    "gctrace": ("gctrace.log",),
    "metrics": ("metrics.jsonl",),
    "prometheus": ("prometheus-before.txt", "prometheus-after.txt"),
}

# What must be found from one kind of artifact alone, wherever a recording has it.
ALONE = {
    "trace": {"G101", "G102", "G201", "G203", "G204", "G205", "G302", "G401", "G402"},
    "mutex": {"G101"},
    "block": {"G102"},
    "gctrace": {"G201"},
    "metrics": {"G201", "G206"},
    "allocs": {"G202", "G301"},
    "heap": {"G301"},
    "two dumps": {"G302", "G403"},
}

every_recording = pytest.mark.parametrize("name", sorted(LABELS))


def _files(name: str, way: str) -> list[Path]:
    """The files or folders of one way to diagnose a recording; empty where it lacks one of them."""
    folder = CAPTURES / name
    if way == "whole":
        return [folder, folder / PEER] if (folder / PEER).is_dir() else [folder]
    out = []
    for stem in WAYS[way]:
        found = [p for p in (folder / stem, folder / f"{stem}.gz") if p.exists()]
        if not found:
            return []
        out.append(found[0])
    return out


@cache
def _diagnosis(name: str, way: str) -> Diagnosis | None:
    files = _files(name, way)
    return gopherdx.diagnose(*files) if files else None


def _bugs(name: str) -> dict[str, Any]:
    return {bug["id"]: bug for bug in LABELS[name]["archetypes"]}


def _all_alone() -> Iterator[tuple[str, str]]:
    for name in sorted(LABELS):
        for way in WAYS:
            if way != "whole" and _files(name, way):
                yield name, way


@every_recording
def test_the_bug_is_found_at_its_function_and_nothing_else_is(name: str) -> None:
    diagnosis = _diagnosis(name, "whole")
    assert diagnosis is not None
    bugs, arguable = _bugs(name), set(LABELS[name].get("arguable", ()))
    assert {f.id for f in diagnosis.likely} - arguable == set(bugs)
    assert diagnosis.errors == ()
    if not bugs:
        # Profiles of real software that writes no trace do not let most archetypes be judged.
        fits = ("healthy", "inconclusive") if _files(name, "trace") else ("insufficient",)
        assert diagnosis.outcome in fits or arguable
        return
    assert diagnosis.findings[0].id in bugs
    for finding in diagnosis.likely:
        if finding.id in bugs:
            assert finding.confidence >= 0.7
            assert _right_place(finding, name)
            assert finding.evidence
            assert finding.fix[0].before
            assert finding.fix[0].after


def _right_place(finding: Finding, name: str) -> bool:
    bug = _bugs(name)[finding.id]
    if finding.location is not None:
        return finding.location.function in bug.get("functions", ())
    return not bug.get("functions") or (bug.get("null_without_cpu") and not LABELS[name]["with_cpu"])


@pytest.mark.parametrize(("name", "way"), list(_all_alone()))
def test_one_kind_of_artifact_alone_finds_what_it_shows_and_nothing_wrong(name: str, way: str) -> None:
    diagnosis = _diagnosis(name, way)
    assert diagnosis is not None
    bugs, found = _bugs(name), {f.id for f in diagnosis.likely}
    wrong = found - set(bugs) - set(LABELS[name].get("arguable", ()))
    assert wrong <= MAY_BE_TAKEN_FOR.get(way, {}).get(LABELS[name]["program"], frozenset())
    expected = set(bugs) & ALONE.get(way, set())
    assert expected <= found | NOT_SHOWN.get((name, way), frozenset())


# What one kind alone cannot tell apart, by its nature: a mutex profile does not say what a holder does, a
# block profile or a look at goroutines not what connections are held for, and neither gctrace nor metrics
# who allocates: the collector's work is then told without its cause.
MAY_BE_TAKEN_FOR = {
    "mutex": {"diary": frozenset({"G101"}), "passes": frozenset({"G101"})},
    "block": {"notices": frozenset({"G102"})},
    "goroutine": {"escrow": frozenset({"G102"})},
    "gctrace": {"signup": frozenset({"G201"})},
    "metrics": {"signup": frozenset({"G201"})},
}

# Where the artifact of this recording holds too little of the bug.
NOT_SHOWN = {
    ("c034", "gctrace"): frozenset(
        {"G201"}
    ),  # a tenth of a core: gctrace does not tell that it is half of all
    ("c078", "two dumps"): frozenset({"G302"}),  # the first was taken before anybody was stuck
    ("c081", "two dumps"): frozenset({"G403"}),  # of one of two processes
}


@every_recording
def test_a_cpu_profile_alone_never_reads_as_healthy_and_says_what_would(name: str) -> None:
    diagnosis = _diagnosis(name, "cpu")
    if diagnosis is None:
        pytest.skip("recorded without a CPU profile")
    assert diagnosis.outcome != "healthy"
    if not diagnosis.likely:
        assert any("/trace?" in (step.command or "") for step in diagnosis.next)


@every_recording
def test_every_archetype_ends_in_exactly_one_list(name: str) -> None:
    diagnosis = _diagnosis(name, "whole")
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
        for way in WAYS:
            named = [Named(path) for path in _files(name, way)]
            captures = read_captures(named, limits=Limits()) if named else ()
            for observed in observe_all([capture.artifacts for capture in captures]):
                fired |= set(chain.run(kb, observed).fired)
    wanted = {f"{a.id}.{rule.name}" for a in kb.archetypes for rule in a.joined}
    assert wanted - fired <= NOT_IN_THE_LAB


# Rules for what recordings of seconds cannot hold: minutes of waiting, a process's whole life, a memory limit
# that is nearly reached, a name server that never answers. Made-up artifacts and observations test them
# (test_standing, test_contention, test_observe_runtime, test_rules_of_archetypes, test_dns).
NOT_IN_THE_LAB = frozenset(
    """
    G101.charged_for_life G101.charged_long_between G201.many_cycles_of_late G201.many_cycles_since_start
    G201.memory_limit G201.took_cpu_since_start G201.unknown_cost G302.many_for_a_minute G302.more
    G302.some_for_long G402.runs_into_time_limits
    """.split()
)


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
