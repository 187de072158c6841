"""Every recording that strangers published gets an answer; its numbers are those of the toolchain's tools.

What other tests hold already stays there: stacks and counts event by event (test_trace_reference.py,
test_old_trace_reference.py), totals of profiles (test_pprof.py), goroutines of dumps (test_dump.py), lines of
logs (test_gclog.py) and values of metrics (test_metrics.py). This one needs no toolchain: the recordings'
manifest holds what the tools printed.
"""

from __future__ import annotations

import itertools
from functools import cache
from typing import Any

import pytest

from gopherdx.artifacts.trace import Trace, read_trace
from gopherdx.errors import UnreadableInput
from gopherdx.kb import load_kb
from gopherdx.model import INCONCLUSIVE, Diagnosis
from tests.lab import realworld
from tests.lab.realworld import ACCEPTED, FOLDER, REFUSED, Answer
from tests.support import reference as ref

pytestmark = pytest.mark.slow

ROWS = realworld.rows()
TRACES = [row for row in ROWS if row["kind"] == "trace" and row["file"] not in REFUSED]
BORDER_NS = 10_000_000
SENTENCE_MAX = 400


def _minor(row: dict[str, Any]) -> int:
    return int(str(row["go"]).split(".")[1])


def _file(row: dict[str, Any]) -> str:
    return str(row["file"])


every_recording = pytest.mark.parametrize("row", ROWS, ids=_file)
every_trace = pytest.mark.parametrize("row", TRACES, ids=_file)


@cache
def _answer(file: str) -> Answer:
    return realworld.answer(file)


@cache
def _trace(file: str) -> Trace:
    return read_trace(FOLDER / file)


# --- answers ---


@every_recording
def test_a_recording_is_diagnosed_or_refused_in_one_sentence(row: dict[str, Any]) -> None:
    said = _answer(row["file"])
    assert isinstance(said, UnreadableInput) == (row["file"] in REFUSED)
    if isinstance(said, UnreadableInput):
        sentence = str(said)
        assert said.exit_code == 2
        assert said.what
        assert said.todo
        assert "\n" not in sentence
        assert len(sentence) < SENTENCE_MAX
        assert "Traceback" not in sentence
        return
    assert said.errors == ()
    assert said.overview.text
    assert all("\n" not in warning for item in said.inputs for warning in item.warnings)


@every_recording
def test_every_archetype_ends_in_exactly_one_list(row: dict[str, Any]) -> None:
    said = _answer(row["file"])
    if isinstance(said, Diagnosis):
        ends = [
            {found.id for found in said.findings},
            *({x.id for x in group} for group in (said.ruled_out, said.not_judged, said.not_applicable)),
        ]
        assert sorted(itertools.chain(*ends)) == [archetype.id for archetype in load_kb().archetypes]


@every_recording
def test_only_what_is_right_is_likely_and_nothing_is_in_between(row: dict[str, Any]) -> None:
    said = _answer(row["file"])
    if isinstance(said, Diagnosis):
        accepted = [ACCEPTED[row["file"]][0]] if row["file"] in ACCEPTED else []
        assert [found.id for found in said.findings if found.confidence >= INCONCLUSIVE] == accepted


@every_recording
def test_a_recording_is_of_the_kind_that_it_is_known_to_be(row: dict[str, Any]) -> None:
    said = _answer(row["file"])
    if isinstance(said, Diagnosis):
        # Of an empty lock profile nothing tells which of the two it is.
        assert all(row["kind"] in item.kind for item in said.inputs)


@pytest.mark.skipif(not ROWS, reason="the published recordings are not at hand")
def test_the_page_says_what_is_answered() -> None:
    text = realworld.page((row, _answer(row["file"])) for row in ROWS)
    assert "| no |" not in text
    assert realworld.PAGE.read_text(encoding="utf-8") == text


# --- what dominates, and units of work ---


@every_recording
def test_what_dominates_is_what_the_toolchain_says(row: dict[str, Any]) -> None:
    assert not realworld.checked(row, _answer(row["file"])).startswith("no")


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        # Counted in the dumps by hand: stacks with that function, and all but the one that writes.
        ("d18.txt", "500 of 502 goroutines wait to receive from a channel in pprof.goRoutineLeakSpike.func1"),
        (
            "d20.txt",
            "2 of 12 goroutines wait for an answer in rpc.SendRequestVote.func1 (rpc.(*Client).Call)",
        ),
        # The manifest's 15.2 s of system calls in 160 ms, and 137 of 143 ms.
        ("t023.trace", "on average 94.4 of 114 goroutines are in a system call in main.main.func1"),
        ("t046.trace", "on average 0.96 of 1 goroutines are in a system call in main.main"),
        # What the repository says of them: a hundred at a time behind a semaphore; one request in main.
        ("t063.trace", "on average 100.0 of 102 goroutines sleep in main.CountMessages"),
        ("t010.trace", "on average 1.00 of 3.0 goroutines wait for an answer in main.main (http.Get)"),
        ("t094.trace", "on average 1.00 of 3.0 goroutines wait for an answer in main.main (http.Get)"),
        # A benchmark's goroutine is started by package testing, and named after the benchmark.
        (
            "t101.trace",
            "100 % of the CPU time is in the goroutine of ptr-vs-stack.BenchmarkMemoryStack (1 of 12 Ps used)",  # noqa: E501
        ),
    ],
)
def test_the_first_sentence_holds_numbers_counted_by_hand(file: str, sentence: str) -> None:
    if not (FOLDER / file).is_file():
        pytest.skip("the published recordings are not at hand")
    said = _answer(file)
    assert isinstance(said, Diagnosis)
    assert said.overview.dominates == sentence


@every_trace
def test_parts_of_units_sum_up_to_their_length(row: dict[str, Any]) -> None:
    trace, said = _trace(row["file"]), _answer(row["file"])
    for kind in trace.units:
        assert kind.ns >= kind.max_ns == kind.slowest[0].ns
        for unit in (*kind.slowest, *kind.sampled):
            assert sum(part.ns for part in unit.parts) == unit.ns <= trace.duration_ns
    assert isinstance(said, Diagnosis)
    for shown in said.overview.units:
        for path in (shown.slowest, shown.typical):
            assert sum(part.ns for part in path.parts) == path.ns


@pytest.mark.parametrize(
    ("file", "kind", "name", "count"),
    [
        ("t016.trace", "task", "task0", 1),
        ("t016.trace", "region", "span0", 1),
        ("t106.trace", "region", "goroutine: anon", 6),
        ("t063.trace", "goroutine", "main.main.func1.2", 1000),
        ("t023.trace", "goroutine", "main.main.func1", 256),
    ],
)
def test_units_of_published_traces_have_their_names(file: str, kind: str, name: str, count: int) -> None:
    if not (FOLDER / file).is_file():
        pytest.skip("the published recordings are not at hand")
    said = _answer(file)
    assert isinstance(said, Diagnosis)
    assert (kind, name, count) in [(u.kind, u.name, u.count) for u in said.overview.units]


# --- totals ---


@every_trace
def test_events_are_counted_as_the_toolchain_counts_them(row: dict[str, Any]) -> None:
    counts, reference = _trace(row["file"]).counts, row["reference"]
    if _minor(row) >= 22:
        theirs = {kind: n for kind, n in reference["events"].items() if kind != "Sync"}
        # A C thread's goroutine that ends with a P is one more transition there, which is in no file.
        more = theirs["StateTransition"] - ref.parsed_counts(counts)["StateTransition"]
        assert 0 <= more <= counts.get("GoDestroySyscall", 0)
        assert ref.parsed_counts(counts, more) == theirs
        assert len(_trace(row["file"]).generations) + 1 == reference["events"]["Sync"]
    else:
        assert counts == reference["events"]
        assert sum(counts.values()) == reference["events_total"]


@every_trace
@pytest.mark.parametrize("kind", ["sync", "net", "syscall"])
def test_waiting_in_all_is_what_the_toolchain_says(row: dict[str, Any], kind: str) -> None:
    trace, theirs = _trace(row["file"]), row["reference"][_COLUMN[kind]]
    if row["file"] == "t069.trace":  # the file's clock is 256 times too fast, which its tools do not know
        theirs *= 256
    slack = theirs / 1000 + BORDER_NS * len(trace.generations)
    assert abs(_waited_ns(trace, kind, _minor(row)) - theirs) <= slack


_COLUMN = {"sync": "sync_wait_ns", "net": "net_wait_ns", "syscall": "syscall_ns"}


def _waited_ns(trace: Trace, kind: str, minor: int) -> int:
    """Time of closed stays that the toolchain's profile of this kind counts."""
    if minor >= 22:
        return sum(ns for _, ns in ref.our_totals(trace, kind).values())
    # Up to Go 1.21 the profile leaves out what happened at no stack, and waiting to assist is in sync.
    words = {"sync": ("chan", "sync", "select", "assist"), "net": ("network",), "syscall": ("syscall",)}[kind]
    return sum(w.ns for w in trace.waits if w.stack and any(word in w.reason for word in words))


# --- what the recordings teach ---


@pytest.mark.skipif(not ROWS, reason="the published recordings are not at hand")
def test_the_clock_of_go_1_22_on_windows_is_corrected_and_said() -> None:
    trace = _trace("t069.trace")
    starts = [generation.start_ns for generation in trace.generations]
    assert all(0.9e9 < after - before < 1.2e9 for before, after in itertools.pairwise(starts))
    assert 33e9 < trace.duration_ns < 36e9
    assert any("256 times" in warning for warning in trace.warnings)
    said = _answer("t069.trace")
    assert isinstance(said, Diagnosis)
    assert "34.2 s" in said.overview.text


@every_trace
def test_no_other_trace_has_that_clock(row: dict[str, Any]) -> None:
    told = any("256 times" in warning for warning in _trace(row["file"]).warnings)
    assert told == (row["file"] == "t069.trace")


@every_trace
def test_the_collector_never_takes_more_than_there_is(row: dict[str, Any]) -> None:
    trace = _trace(row["file"])
    gc = trace.gc
    slack = BORDER_NS * len(trace.generations)
    assert gc.assist_ns <= trace.running_ns + slack
    assert sum(gc.mark_ns.values()) + gc.assist_ns <= trace.gomaxprocs * (trace.duration_ns + slack)


@every_trace
def test_a_moment_rules_nothing_out(row: dict[str, Any]) -> None:
    said, trace = _answer(row["file"]), _trace(row["file"])
    assert isinstance(said, Diagnosis)
    if trace.duration_ns < 1_000_000_000:
        assert said.outcome == "insufficient"
        assert not any(ruled.evidence[0].supports for ruled in said.ruled_out)  # by what is there, if at all
        assert any("trace of a second or more" in step.text for step in said.next)


@pytest.mark.skipif(not ROWS, reason="the published recordings are not at hand")
def test_profiles_appended_to_one_file_are_as_many_moments() -> None:
    said = _answer("p010.pprof")
    assert isinstance(said, Diagnosis)
    assert said.inputs[0].warnings == ("holds 10 heap profiles, taken as that many moments",)
