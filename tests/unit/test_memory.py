"""What heap and allocs profiles tell: who allocates, what stays, patterns that are compiled, documents."""

from __future__ import annotations

import gzip
import math
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import gopherdx
from gopherdx.artifacts import profile_pb2 as pb
from gopherdx.artifacts.pprof import Profile, read_profile
from gopherdx.model import Diagnosis, Observations
from gopherdx.observe import observe

PERIOD = 512 << 10
MIB = 1 << 20

AFTER = ("time.NewTimer", "time.After", "main.follow")
COMPILE = ("regexp.compile", "regexp.Compile", "regexp.MustCompile")
UNTYPED = ("encoding/json.(*decodeState).arrayInterface", "encoding/json.Unmarshal")


class Heap:
    """A heap profile as Go's runtime writes it: a row for each stack and size."""

    def __init__(self, at_s: int = 1_700_000_000, *, seconds: int = 0, default: str = "inuse_space") -> None:
        self.message: Any = pb.Profile()
        self.strings = {"": 0}
        self.message.string_table.append("")
        self.locations: dict[str, int] = {}
        for name, unit in (
            ("alloc_objects", "count"),
            ("alloc_space", "bytes"),
            ("inuse_objects", "count"),
            ("inuse_space", "bytes"),
        ):
            self.message.sample_type.add(type=self.text(name), unit=self.text(unit))
        self.message.default_sample_type = self.text(default)
        self.message.period_type.type, self.message.period_type.unit = self.text("space"), self.text("bytes")
        self.message.period = PERIOD
        self.message.time_nanos = at_s * 10**9
        self.message.duration_nanos = seconds * 10**9

    def text(self, value: str) -> int:
        if value not in self.strings:
            self.strings[value] = len(self.message.string_table)
            self.message.string_table.append(value)
        return self.strings[value]

    def row(self, stack: Sequence[str], size: int, made: int, live: int = 0) -> Heap:
        sample = self.message.sample.add(value=[made, made * size, live, live * size])
        for function in stack:
            if function not in self.locations:
                number = self.locations[function] = len(self.locations) + 1
                self.message.function.add(id=number, name=self.text(function), filename=self.text("a.go"))
                self.message.location.add(id=number).line.add(function_id=number, line=7)
            sample.location_id.append(self.locations[function])
        return self

    def timers(self, count: int, stack: Sequence[str] = AFTER) -> Heap:
        """So many timers in use, in the three objects of each that Go 1.22 makes."""
        for size in (80, 96, 24):
            self.row(stack, size, count, count)
        return self

    def compiled(self, count: int, kept: int, *callers: str) -> Heap:
        """So many patterns: the Regexp itself and 12 KB of what compiling it takes."""
        self.row((*COMPILE, *callers), 160, count, kept)
        return self.row(("regexp/syntax.(*compiler).inst", *COMPILE, *callers), 3072, 4 * count, kept)

    @property
    def data(self) -> bytes:
        return gzip.compress(self.message.SerializeToString(), mtime=0)

    def read(self) -> Profile:
        return read_profile(self.data, path="heap.pprof")


def busy(at_s: int = 1_700_000_000, **more: Any) -> Heap:
    """A profile of a program that has allocated 64 MB for something else."""
    return Heap(at_s, **more).row(("main.other", "main.serve"), 4096, 16384, 10)


def values(observations: Observations, name: str) -> dict[str, float]:
    return {o.subject: float(o.value) for o in observations.items if o.name == name}


def seen(*heaps: Heap) -> Observations:
    return observe([heap.read() for heap in heaps])


def diagnosis(tmp_path: Path, *heaps: Heap) -> Diagnosis:
    for i, heap in enumerate(heaps):
        (tmp_path / f"{i}.pprof").write_bytes(heap.data)
    return gopherdx.diagnose(*sorted(tmp_path.glob("*.pprof")))


def found(told: Diagnosis) -> dict[str, tuple[str, str | None]]:
    return {f.id: (f.level, f.location.function if f.location else None) for f in told.findings}


# who allocates ----------------------------------------------------------------------------------------------


def test_shares_are_those_of_the_innermost_function_of_the_users_own() -> None:
    heap = Heap().row(("strings.Repeat", "main.a", "main.c"), 1024, 30_000, 10_000)
    told = seen(heap.row(("fmt.Sprint", "main.b", "main.c"), 1024, 10_000))
    assert values(told, "alloc.share") == {"main.a": pytest.approx(0.75), "main.b": pytest.approx(0.25)}
    assert values(told, "heap.in_use_mb")["main.a"] == pytest.approx(10_000 / 1024, rel=1e-4)


def test_the_runtime_and_the_recorder_allocate_for_nobody() -> None:
    heap = busy().row(("compress/flate.NewWriter", "runtime/pprof.(*profileBuilder).build"), 800_000, 90, 90)
    heap.row(("runtime.malg", "runtime.newproc1"), 440, 900_000, 900_000)
    told = seen(heap)
    assert values(told, "alloc.share") == {"main.other": 1.0}
    assert values(told, "heap.in_use_mb")[""] < 1


def test_few_samples_tell_no_shares() -> None:
    told = seen(Heap().row(("main.f",), 64, 5000, 0))
    assert "alloc.share" not in told.looked
    assert "regexp.compile_alloc_share" not in told.looked


def test_a_name_comes_from_one_kind_of_artifact() -> None:
    heap, allocs = busy(), busy(default="alloc_space").row(("main.start",), 4096, 900_000)
    told = observe([heap.read(), allocs.read()])
    assert values(told, "alloc.share") == {"main.other": 1.0}


def test_two_profiles_of_one_process_have_rates() -> None:
    first = busy(1000).row(("main.f",), 1024, 10_000, 1024)
    last = busy(1060).row(("main.f",), 1024, 130_000, 11 * 1024)
    told = seen(first, last)
    assert values(told, "gc.alloc_mb_per_s")[""] == pytest.approx(120_000 / 1024 / 60, rel=1e-4)
    assert values(told, "alloc.share") == {"main.f": 1.0}
    assert values(told, "heap.growth_mb_per_min")["main.f"] == pytest.approx(10)


def test_totals_that_fell_are_of_another_process() -> None:
    told = seen(busy(1000).row(("main.f",), 1024, 500_000), busy(1060))
    assert "gc.alloc_mb_per_s" not in told.looked
    assert values(told, "alloc.share") == {"main.other": 1.0}


def test_a_difference_taken_over_seconds_has_a_rate_and_no_level() -> None:
    told = seen(Heap(seconds=10).row(("main.f",), 1024, 100_000, -3))
    assert values(told, "gc.alloc_mb_per_s")[""] == pytest.approx(100_000 / 1024 / 10, rel=1e-4)
    assert "heap.in_use_mb" not in told.looked
    assert "timer.after_in_use" not in told.looked


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                [AFTER, (*COMPILE, "main.f"), (*UNTYPED, "main.g"), ("main.h",), ("runtime.malg",)]
            ),
            st.integers(-5, 1 << 24),
            st.integers(-1000, 1 << 20),
            st.integers(-1000, 1 << 20),
        ),
        max_size=12,
    ),
    st.integers(0, 60),
)
@example([(("runtime.malg",), -1, 0, 1)], 0)
def test_whatever_the_values_are_what_is_said_are_numbers(
    rows: list[tuple[tuple[str, ...], int, int, int]], seconds: int
) -> None:
    first, last = Heap(1000), Heap(1000 + seconds)
    for i, row in enumerate(rows):
        (first if i % 3 == 0 else last).row(*row)
    for told in (seen(last), seen(first, last)):
        assert all(math.isfinite(float(o.value)) for o in told.items)


# timers -----------------------------------------------------------------------------------------------------


def test_timers_that_nobody_waits_for_are_found_at_the_caller_of_after(tmp_path: Path) -> None:
    told = diagnosis(tmp_path, busy().timers(60_000))
    assert found(told) == {"G301": ("likely", "main.follow")}
    impact = told.findings[0].impact
    assert impact is not None
    assert impact.value == pytest.approx(60_000 * 200 / MIB, rel=0.01)


def test_as_many_goroutines_as_timers_wait_for_them(tmp_path: Path) -> None:
    heap = busy().timers(60_000)
    heap.row(("runtime.malg", "runtime.newproc1", "runtime.newproc.func1"), 440, 60_000, 60_000)
    assert "G301" not in found(diagnosis(tmp_path, heap))


def test_timers_of_contexts_and_of_newtimer_are_others(tmp_path: Path) -> None:
    heap = busy().timers(90_000, ("time.AfterFunc", "context.WithDeadlineCause", "main.take"))
    told = diagnosis(tmp_path, heap.timers(90_000, ("time.NewTimer", "main.hand")))
    assert "G301" not in found(told)
    assert "G301" in {r.id for r in told.ruled_out}


def test_a_few_timers_are_chance(tmp_path: Path) -> None:
    assert "G301" not in found(diagnosis(tmp_path, busy().timers(3000)))


def test_timers_that_fired_are_no_longer_in_use(tmp_path: Path) -> None:
    heap = busy()
    for size in (112, 112, 24):
        heap.row(("time.newTimer", *AFTER), size, 900_000, 0)
    assert "G301" not in found(diagnosis(tmp_path, heap))


def test_two_profiles_tell_how_long_a_timer_stays() -> None:
    first, last = busy(1000).timers(60_000), busy(1060)
    for size in (80, 96, 24):
        last.row(AFTER, size, 180_000, 60_000)
    told = seen(first, last)
    assert values(told, "timer.after_per_s") == {"main.follow": pytest.approx(2000)}
    assert values(told, "timer.after_stay_s") == {"main.follow": pytest.approx(30)}


def test_a_dependency_that_leaves_timers_is_named_where_no_user_frame_is() -> None:
    stack = ("time.NewTimer", "time.After", "golang.org/x/queue.(*Q).loop")
    assert list(values(seen(busy().timers(60_000, stack)), "timer.after_in_use")) == [
        "golang.org/x/queue.(*Q).loop"
    ]


def test_where_go_has_the_bug_no_more_the_version_says_so(tmp_path: Path) -> None:
    (tmp_path / "heap.pprof").write_bytes(busy().data)
    told = gopherdx.diagnose(tmp_path / "heap.pprof", go_version="1.27")
    assert [n.because for n in told.not_applicable if n.id == "G301"] == [
        "this bug is gone since go 1.27, and this is go 1.27"
    ]
    # From 1.23 on it depends on go.mod: the toolchain alone does not settle it, the heap does.
    told = gopherdx.diagnose(tmp_path / "heap.pprof", go_version="1.26")
    assert "G301" in {r.id for r in told.ruled_out}


# patterns ---------------------------------------------------------------------------------------------------

HANDLER = ("main.check", "main.post", "net/http.HandlerFunc.ServeHTTP", "net/http.(*conn).serve")
START = ("main.load", "main.main", "runtime.main")


@pytest.mark.parametrize("callers", [HANDLER, START], ids=["handler", "main"])
def test_patterns_that_are_thrown_away_are_compiled_for_each_call(
    tmp_path: Path, callers: tuple[str, ...]
) -> None:
    assert found(diagnosis(tmp_path, busy().compiled(20_000, 0, *callers))) == {
        "G202": ("likely", callers[0])
    }


@pytest.mark.parametrize("callers", [HANDLER, START], ids=["handler", "main"])
def test_patterns_that_are_kept_are_not(tmp_path: Path, callers: tuple[str, ...]) -> None:
    told = found(diagnosis(tmp_path, busy().compiled(20_000, 20_000, *callers)))
    assert told.get("G202", ("", ""))[0] != "likely"


def test_a_few_patterns_thrown_away_are_a_start_that_checks_them(tmp_path: Path) -> None:
    told = found(diagnosis(tmp_path, Heap().row(("main.other",), 4096, 9000).compiled(900, 0, *HANDLER)))
    assert told.get("G202", ("", ""))[0] != "likely"


def test_two_profiles_tell_how_much_compiling_allocates_a_second() -> None:
    told = seen(busy(1000).compiled(5_000, 0, *HANDLER), busy(1010).compiled(25_000, 0, *HANDLER))
    assert values(told, "regexp.compiled_per_s") == {"main.check": pytest.approx(2000)}
    each = (160 + 4 * 3072) / MIB
    assert values(told, "regexp.compile_alloc_mb_per_s") == {
        "main.check": pytest.approx(2000 * each, rel=1e-4)
    }


# documents --------------------------------------------------------------------------------------------------


def test_blocks_of_megabytes_seen_again_and_again_are_huge_documents(tmp_path: Path) -> None:
    heap = busy().row((*UNTYPED, "main.read"), 2 * MIB, 40).row((*UNTYPED, "main.read"), 64, 2_000_000)
    assert found(diagnosis(tmp_path, heap)) == {"G203": ("likely", "main.read")}


@pytest.mark.parametrize("block", [0, 1], ids=["none", "one"])
def test_small_blocks_alone_leave_it_open_and_one_large_one_was_read_once(tmp_path: Path, block: int) -> None:
    heap = busy().row((*UNTYPED, "main.read"), 2 * MIB, block).row((*UNTYPED, "main.read"), 64, 4_000_000)
    assert found(diagnosis(tmp_path, heap)) == {"G203": ("possible", "main.read")}


def test_typed_decoding_is_no_untyped_decoding(tmp_path: Path) -> None:
    typed = ("encoding/json.(*decodeState).array", "encoding/json.Unmarshal", "main.read")
    assert found(diagnosis(tmp_path, busy().row(typed, 2 * MIB, 40))) == {}


# what toolchains write --------------------------------------------------------------------------------------

PROGRAM = """package main

import (
	"os"
	"regexp"
	"runtime"
	"runtime/pprof"
	"time"
)

func follow(in chan int) {
	for {
		select {
		case _, ok := <-in:
			if !ok {
				return
			}
		case <-time.After(time.Hour):
		}
	}
}

func check(in chan int) {
	for range in {
		regexp.MustCompile(`^(\\\\w+)@(\\\\w+)\\\\.com [a-z]{2,5}$`)
	}
	close(done)
}

var done = make(chan int)

func main() {
	timers, patterns := make(chan int), make(chan int)
	go follow(timers)
	go check(patterns)
	for i := 0; i < 120000; i++ {
		timers <- i
	}
	for i := 0; i < 12000; i++ {
		patterns <- i
	}
	close(patterns)
	<-done
	runtime.GC()
	runtime.GC()
	f, _ := os.Create(os.Args[1])
	pprof.Lookup("heap").WriteTo(f, 0)
	f.Close()
}
"""


def _toolchains() -> list[tuple[str, str]]:
    """Versions and go commands that the environment names, as the lab does; else whatever GOPHERDX_GO is."""
    named = {
        k.removeprefix("GOPHERDX_GO_"): v for k, v in os.environ.items() if k.startswith("GOPHERDX_GO_1_")
    }
    return sorted((name.replace("_", "."), go) for name, go in named.items())


@pytest.mark.parametrize(("version", "go"), _toolchains() or [pytest.param("", "", marks=pytest.mark.skip)])
def test_each_toolchains_frames_are_known(tmp_path: Path, version: str, go: str) -> None:
    (tmp_path / "main.go").write_text(PROGRAM.replace("\\\\", "\\"), encoding="utf-8")
    (tmp_path / "go.mod").write_text("module example.com/prog\n\ngo 1.21\n", encoding="utf-8")
    environment = os.environ | {
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-mod=mod",
        "GOPROXY": "off",
        "GOWORK": "off",
    }
    for command in ([go, "build", "-o", "prog", "."], [str(tmp_path / "prog"), "heap.pprof"]):
        subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True)
    told = found(gopherdx.diagnose(tmp_path / "heap.pprof"))
    assert told["G202"] == ("likely", "main.check")
    leaks = tuple(map(int, version.split(".")[:2])) < (1, 27)  # the go line is 1.21: all others leave timers
    assert told.get("G301") == (("likely", "main.follow") if leaks else None)
