"""The pipeline strings the stages together and refuses what makes no sense before it reads anything."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

import gopherdx
from gopherdx.errors import UnreadableInput, UsageError
from gopherdx.kb import KnowledgeBase
from gopherdx.model import Observations, Overview
from gopherdx.pipeline import parse_go_version
from gopherdx.reason import chain
from tests.support.profiles import cpu_profile, heap_profile


@pytest.mark.parametrize("text", ["1.23", "go1.23", "go 1.23", "go1.23.4", "1.23rc1"])
def test_a_go_version_may_be_written_as_go_writes_it(text: str) -> None:
    version = parse_go_version(text)
    assert (version.low, version.high) == ((1, 23), (1, 23))


@pytest.mark.parametrize("text", ["", "latest", "2.0", "1", "1.x", "1.23.", "-1.23"])
def test_what_is_no_go_version_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"--go-version: .* is no Go version; write it as 1\.23"):
        parse_go_version(text)


def test_arguments_are_checked_before_any_file_is_read(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    with pytest.raises(UsageError, match="no Go version"):
        gopherdx.diagnose(missing, go_version="latest")
    with pytest.raises(UsageError, match="no archetype is called"):
        gopherdx.diagnose(missing, select=["G999"])
    with pytest.raises(UnreadableInput, match="no such file"):
        gopherdx.diagnose(missing)


def test_every_archetype_ends_in_exactly_one_place(tmp_path: Path) -> None:
    (tmp_path / "cpu.pprof").write_bytes(cpu_profile())
    diagnosis = gopherdx.diagnose(tmp_path)
    ended = [
        *{f.id for f in diagnosis.findings},
        *(x.id for x in diagnosis.ruled_out),
        *(x.id for x in diagnosis.not_judged),
        *(x.id for x in diagnosis.not_applicable),
    ]
    assert sorted(ended) == [a.id for a in gopherdx.load_kb(rules=False).archetypes]


def test_only_what_is_selected_is_judged(tmp_path: Path) -> None:
    (tmp_path / "cpu.pprof").write_bytes(cpu_profile())
    diagnosis = gopherdx.diagnose(tmp_path, select=["G101"])
    judged = (diagnosis.findings, diagnosis.ruled_out, diagnosis.not_judged, diagnosis.not_applicable)
    assert {x.id for group in judged for x in group} == {"G101"}


def test_observations_see_every_artifact_and_the_go_version_that_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpu.pprof").write_bytes(cpu_profile())
    (tmp_path / "heap.pprof").write_bytes(heap_profile())
    seen: list[object] = []

    def observe(processes: Sequence[object]) -> list[Observations]:
        seen.extend(processes)
        return [Observations((), frozenset(), frozenset({"cpu", "heap"}))]

    def run(kb: KnowledgeBase, observations: Observations) -> object:
        seen.append(observations.go_version)
        return real_run(kb, observations)

    real_run = chain.run
    monkeypatch.setattr("gopherdx.observe.observe_all", observe)
    monkeypatch.setattr("gopherdx.observe.overview_all", lambda _: Overview(text="seen"))
    monkeypatch.setattr(chain, "run", run)
    diagnosis = gopherdx.diagnose(
        tmp_path / "cpu.pprof", heap_profile=tmp_path / "heap.pprof", go_version="go1.21.3"
    )
    artifacts, version = seen
    assert [a.kind for a in artifacts] == ["cpu", "heap"]  # type: ignore[attr-defined]
    assert str(version) == "go 1.21"
    assert diagnosis.overview.text == "seen"
    assert [i.kind for i in diagnosis.inputs] == ["cpu", "heap"]


def test_the_same_files_give_the_same_diagnosis(tmp_path: Path) -> None:
    (tmp_path / "cpu.pprof").write_bytes(cpu_profile())
    assert gopherdx.diagnose(tmp_path) == gopherdx.diagnose(tmp_path)


def test_where_no_archetype_is_likely_the_summary_begins_with_what_dominates() -> None:
    captures = Path(__file__).resolve().parent.parent / "captures"
    found = gopherdx.diagnose(captures / "c048" / "trace.out.gz", passages=False)
    assert found.outcome != "diagnosed"
    assert found.summary.startswith(f"{found.overview.dominates}. ")
    assert found.overview.dominates == "100 % of the CPU time is in main.derive (2.0 of 2 Ps used)"
    likely = gopherdx.diagnose(captures / "c001" / "trace.out.gz", passages=False)
    assert likely.outcome == "diagnosed"
    assert likely.summary == likely.findings[0].summary
    assert likely.overview.dominates.startswith("on average ")


def test_of_several_processes_each_has_its_places(tmp_path: Path) -> None:
    captures = Path(__file__).resolve().parent.parent / "captures"
    for name, capture in (("a", "c048"), ("b", "c018")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "trace.out.gz").symlink_to(captures / capture / "trace.out.gz")
    overview = gopherdx.diagnose(tmp_path / "a", tmp_path / "b", passages=False).overview
    first, second = overview.dominates.split("; ")
    assert first == f"{tmp_path / 'a'}: 100 % of the CPU time is in main.derive (2.0 of 2 Ps used)"
    assert second.startswith(f"{tmp_path / 'b'}: on average ")
    functions = {p.process: p.location.function for p in reversed(overview.places) if p.location}
    assert functions == {str(tmp_path / "a"): "main.derive", str(tmp_path / "b"): "main.(*desk).settle"}
