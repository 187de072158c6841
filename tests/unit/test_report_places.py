"""The block that says where the time goes, as it stands in a text report."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gopherdx.model import Location, Overview, Place
from gopherdx.report import places
from gopherdx.report.text import render
from tests.conftest import MakeDiagnosis

LOCK = Place(
    "lock", "sync.Mutex.Lock", Location("example.com/shop/prices.(*Cache).Quote", "/src/cache.go", 57),
    "sync.(*Mutex).Lock", "trace", 14.2, "goroutines", 0.71, 41_230, 1.2, 9.0, 80.0, None, 14,
)  # fmt: skip
CPU = Place("cpu", "running", Location("main.scan", "/src/main.go", 9), "", "trace", 0.9, "cores", 0.62, 90)
GC = Place("gc", "GC workers", None, "", "trace", 0.1, "cores", 0.08, 9)
IDLE = replace(LOCK, what="channel", reason="chan receive", via="", share=0.2, value=4.0, by_design=True)
HEAP = Place("memory", "in use", Location("main.load", "/src/main.go", 3), "", "heap", 64e6, "bytes", 0.5, 7)
OVERVIEW = Overview(
    text="what was recorded", gomaxprocs=8, cpus_used=1.0, goroutines_mean=20.0, by_design_mean=4.0,
    places=(LOCK, CPU, GC, HEAP, IDLE),
)  # fmt: skip


def _block(make_diagnosis: MakeDiagnosis, overview: Overview, width: int) -> list[str]:
    text = render(make_diagnosis(overview=overview), width=width)
    return text[text.index("\nWhere the ") + 1 :].split("\n\n")[0].splitlines()


def test_a_line_for_each_place_with_its_cost_share_and_function(make_diagnosis: MakeDiagnosis) -> None:
    assert _block(make_diagnosis, OVERVIEW, 100) == [
        "Where the time goes (1 of 8 Ps used; 20 goroutines, 4 idle by design)",
        "  lock     14.2 wait   71 %  prices.(*Cache).Quote  sync.(*Mutex).Lock  ~1.2 ms, max 80 ms",
        "  CPU     0.90 cores   62 %  main.scan  main.go:9",
        "  GC      0.10 cores    8 %  GC workers",
        "  memory      61 MiB   50 %  main.load  main.go:3",
    ]


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_no_line_is_wider_than_the_page_however_long_a_name(
    make_diagnosis: MakeDiagnosis, width: int
) -> None:
    long = Location("example.com/a/b." + "LongName" * 30, "/src/main.go", 1)
    lines = _block(make_diagnosis, replace(OVERVIEW, places=(replace(LOCK, location=long), CPU)), width)
    assert all(len(line) <= width for line in lines)
    lock, cpu = lines[-2:]
    assert "b.LongName" in lock
    assert ".." in lock
    assert cpu.index("62 %") == lock.index("71 %")


def test_of_several_artifacts_the_first_tells_and_little_is_left_out() -> None:
    again = replace(LOCK, artifact="goroutine-dump", value=14.0)
    little = replace(CPU, location=Location("main.rare"), value=0.009, share=0.04)
    small_heap = replace(HEAP, value=1e6)
    overview = replace(OVERVIEW, places=(LOCK, CPU, little, small_heap, IDLE, again))
    assert [line.what for line in places.lines(overview)] == ["lock", "CPU"]


def test_goroutines_of_which_nothing_tells_the_place_are_counted_in_the_heading() -> None:
    untold = replace(LOCK, what="other", reason="", location=None, via="", value=5.0, share=0.25)
    overview = replace(OVERVIEW, places=(LOCK, untold))
    assert places.heading(overview).endswith("(1 of 8 Ps used; 20 goroutines, 4 idle by design, 5 not told)")
    assert [line.what for line in places.lines(overview)] == ["lock"]


def test_memory_alone_is_told_whatever_its_size() -> None:
    overview = replace(OVERVIEW, places=(replace(HEAP, value=1e5),))
    assert places.heading(overview) == "Where the memory goes"
    assert [line.amount for line in places.lines(overview)] == ["97.7 KiB"]


def test_a_program_that_only_idles_is_told_where(make_diagnosis: MakeDiagnosis) -> None:
    lines = _block(make_diagnosis, replace(OVERVIEW, places=(IDLE,)), 80)
    assert lines[1] == "  nothing but waiting by design, 20 % of it in prices.(*Cache).Quote"


def test_what_was_recorded_stands_on_top_where_nothing_is_likely(make_diagnosis: MakeDiagnosis) -> None:
    healthy = make_diagnosis(outcome="inconclusive", summary="s", findings=(), overview=OVERVIEW)
    text = render(healthy)
    assert text.index("Where the time goes") < text.index("Ruled out")
    likely = render(make_diagnosis(overview=OVERVIEW))
    assert likely.index("Where the time goes") > likely.index("Ruled out")


def test_names_from_a_recording_are_shown_safely(make_diagnosis: MakeDiagnosis) -> None:
    place = replace(LOCK, location=Location("main.\x1b[31mred"), via="[bold]x")
    text = render(make_diagnosis(overview=replace(OVERVIEW, places=(place,))))
    assert "\x1b" not in text
