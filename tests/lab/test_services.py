"""What is recorded of real software, how it is given, and what the page says of it. Nothing is run here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.lab import packages, services, services_page, serving
from tests.lab.labels import LabError

RECORDINGS: list[dict[str, Any]] = [
    {
        "program": "store",
        "variant": "busy",
        "go": "1.19.8",
        "outcomes": {"healthy": 2, "diagnosed": 2},
        "findings": [
            ["trace-cpu.out", "G201", 0.9, "store.(*Encoder).Write"],
            ["folder", "G201", 0.99, "store.(*Encoder).Write"],
            ["folder", "G302", 0.4, None],
            ["heap.pprof", "G301", 0.6, None],
        ],
        "refused": [],
    },
    {
        "program": "proxy",
        "variant": "calm",
        "go": "1.26.8",
        "outcomes": {"insufficient": 3},
        "findings": [],
        "refused": [],
    },
]
LABELS = """\
- programs: [store, proxy]
  id: G201
  place: store.(*Encoder).Write
  right: true
  why: with GOGC=400 it answers 12 % more requests
"""


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    file = tmp_path / "labels.yaml"
    file.write_text(LABELS, encoding="utf-8")
    return file


def test_a_likely_finding_is_what_its_label_says_and_open_without_one(labels: Path) -> None:
    told = services_page.judged(RECORDINGS, labels)
    assert [(v.program, v.id, v.right, len(v.ways)) for v in told] == [
        ("store", "G201", True, 2),
        ("store", "G301", None, 1),
    ]
    assert told[1].why == services_page.NOT_LOOKED_AT


def test_the_section_counts_diagnoses_and_names_what_nobody_looked_at(labels: Path) -> None:
    text = services_page.section(RECORDINGS, labels)
    assert "2 recordings of 2 programs" in text
    assert "7 diagnoses" in text
    assert "Likely findings: 3 diagnoses, 1 of them wrong or open." in text
    assert "| store | G201 | `store.(*Encoder).Write` | 0.99 | 2 | right | with GOGC=400" in text
    assert f"| store | G301 | `-` | 0.60 | 1 | open | {services_page.NOT_LOOKED_AT} |" in text
    assert "| proxy | 1.26 | 1 | 0 | 3 | 0 | 0 | none |" in text


def test_the_section_says_where_nothing_was_recorded(tmp_path: Path) -> None:
    assert services_page.load(tmp_path / "none.json") == []
    assert "Not recorded yet" in services_page.section([])


def test_every_artifact_is_given_alone_as_two_moments_and_with_all_others(tmp_path: Path) -> None:
    for name in (
        "trace-nocpu.out",
        "trace-cpu.out",
        "cpu.pprof",
        "heap.pprof",
        "heap-before.pprof",
        "goroutine-debug1.txt",
        "prometheus-before.txt",
        "prometheus-after.txt",
        "run.json",
    ):
        (tmp_path / name).touch()
    told = {way: sorted(f.name for f in files) for way, files in services.ways(tmp_path).items()}
    beside = ["goroutine-debug1.txt", "heap-before.pprof", "heap.pprof"]
    beside += ["prometheus-after.txt", "prometheus-before.txt"]
    assert told == {
        **{n: [n] for n in ("trace-nocpu.out", "trace-cpu.out", "cpu.pprof", "heap.pprof")},
        "goroutine-debug1.txt": ["goroutine-debug1.txt"],
        "two of heap.pprof": ["heap-before.pprof", "heap.pprof"],
        "prometheus, alone": ["prometheus-after.txt"],
        "prometheus, two": ["prometheus-after.txt", "prometheus-before.txt"],
        "all, no samples": [*beside, "trace-nocpu.out"],
        "all, samples": ["cpu.pprof", *beside, "trace-cpu.out"],
        "folder": [tmp_path.name],
    }


def test_a_package_that_cannot_be_had_is_said_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(LabError, match="the npm package three needs npm, which is not installed"):
        packages.Package("npm", "three", "1.0.0").unpacked(tmp_path)
    assert not [f for f in tmp_path.rglob("*") if f.is_file()]


def test_what_cannot_be_recorded_is_left_out_and_nothing_stays_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def record(home: Path, out: Path) -> dict[str, str]:
        (out / "heap.pprof").touch()
        raise LabError("it does not answer within 20 s")

    job = services.Job("store", "busy", record)
    monkeypatch.setattr(services, "jobs", lambda: iter([job]))
    assert services.record(lambda name: True, tmp_path) == [
        "store busy is left out: it does not answer within 20 s"
    ]
    assert not list((tmp_path / "store").iterdir())


def test_the_go_version_of_a_stripped_program_is_the_latest_that_it_names(tmp_path: Path) -> None:
    (tmp_path / "prog").write_bytes(b"\0go1.9.2\0needs go1.21\0go1.26.5\0")
    assert services.go_of(tmp_path / "prog") == "1.26.5"


def test_ports_are_free_and_different() -> None:
    assert len(set(serving.free_ports(5))) == 5


def test_every_likely_finding_of_what_is_shipped_was_looked_at() -> None:
    told = services_page.judged(services_page.load())
    assert [(v.program, v.id, v.place) for v in told if v.right is None] == []
