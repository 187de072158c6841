"""gctrace and schedtrace lines, in logs of all sorts."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gopherdx.artifacts import gclog
from gopherdx.artifacts.gclog import GcTrace, SchedTrace, read_gclog
from gopherdx.errors import UnreadableInput

WILD = Path(os.environ.get("GOPHERDX_REALWORLD", Path(__file__).parents[3] / "shared" / "realworld"))

GO_1_27 = (
    "gc 12 @3.456s 2%: 0.01+1.2+0.02 ms clock, 0.04+0.3/1.1/2.0+0.1 ms cpu, 4->5->2 MB, 6 MB goal, "
    "1 MB stacks, 0 MB globals, 4 P"
)
GO_1_16 = (
    "gc 3 @0.010s 10%: 0.055+0.61+0.020 ms clock, 0.67+0.085/1.2/0.53+0.24 ms cpu, "
    "4->4->3 MB, 5 MB goal, 12 P"
)
GO_1_5 = (
    "gc 2 @0.050s 8%: 0.030+0.40+0.010+0.60+0.20 ms clock, 0.12+0.40+0+0.10/0.50/0.30+0.80 ms cpu, "
    "4->6->2 MB, 4 MB goal, 4 P (forced)"
)
LEAK_CHECK = (
    "gc 7 @1.5s 1% (checking for goroutine leaks): 0.1+1+0.1 ms clock, 0.2+0/1/0+0.2 ms cpu, "
    "2->2->1 MB, 4 MB goal, 0 MB stacks, 0 MB globals, 2 P (forced)"
)


def line(number: int, at: float) -> str:
    return (
        f"gc {number} @{at:.3f}s 1%: 0.1+1+0.1 ms clock, 0.2+0.5/1/0+0.2 ms cpu, 4->5->{number % 7} MB, "
        "5 MB goal, 0 MB stacks, 0 MB globals, 2 P\n"
    )


def read(text: str | bytes) -> tuple[GcTrace | SchedTrace, ...]:
    data = text.encode() if isinstance(text, str) else text
    return read_gclog(io.BytesIO(data), path="app.log")


def gc(text: str | bytes) -> GcTrace:
    (table,) = read(text)
    assert isinstance(table, GcTrace)
    return table


def sched(text: str) -> SchedTrace:
    (table,) = read(text)
    assert isinstance(table, SchedTrace)
    return table


# gctrace ------------------------------------------------------------------------------------------------


def test_every_number_of_a_line_has_its_column() -> None:
    table = gc(GO_1_27 + "\n")
    assert table.number.tolist() == [12]
    assert table.at_s.tolist() == [3.456]
    assert table.percent.tolist() == [2]
    assert table.clock_ms[0] == pytest.approx(1.23)
    assert table.pause_ms[0] == pytest.approx(0.14)
    assert (table.assist_ms[0], table.dedicated_ms[0], table.idle_ms[0]) == (0.3, 1.1, 2.0)
    assert [c[0] for c in (table.begin_mb, table.end_mb, table.live_mb, table.goal_mb)] == [4, 5, 2, 6]
    assert (table.stacks_mb[0], table.globals_mb[0], table.procs[0], table.forced[0]) == (1, 0, 4, False)


def test_lines_of_older_versions_say_nothing_of_stacks() -> None:
    table = gc(GO_1_16)
    assert (table.stacks_mb[0], table.globals_mb[0], table.procs[0]) == (-1, -1, 12)


def test_go_1_5_scans_in_a_phase_of_its_own() -> None:
    table = gc(GO_1_5)
    assert table.pause_ms[0] == pytest.approx(0.92)
    assert table.assist_ms[0] == 0.1
    assert table.dedicated_ms[0] == pytest.approx(0.9)
    assert table.forced[0]


def test_a_search_for_leaked_goroutines_is_a_collection_too() -> None:
    assert gc(LEAK_CHECK).forced.tolist() == [True]


@pytest.mark.parametrize(
    "around",
    [
        "api-1  | {}\n",
        "2026-01-02T03:04:05.678901234Z stderr F {}\r\n",
        "Jan 02 03:04:05 host app[12]: {}\n",
        "BenchmarkX-12 \t{}\nPASS\n",
        "a log line\n{}\nanother\n\n",
    ],
)
def test_text_around_a_line_does_not_matter(around: str) -> None:
    assert gc(around.format(GO_1_27)).live_mb.tolist() == [2]


def test_docker_writes_logs_as_json() -> None:
    escaped = GO_1_27.replace(">", r"\u003e")
    assert gc('{"log":"' + escaped + '\\n","stream":"stderr"}\n').live_mb.tolist() == [2]


def test_a_restart_leaves_the_last_process() -> None:
    first = "".join(line(n, n / 10) for n in range(1, 51))
    table = gc(first + "restarting\n" + "".join(line(n, n / 5) for n in range(1, 11)))
    assert table.number.tolist() == list(range(1, 11))
    assert table.warnings == (
        "gctrace lines of 2 processes or restarts; only the last one, 10 lines, is taken",
    )


def test_of_processes_side_by_side_the_one_with_most_lines_is_taken() -> None:
    mixed = "".join(line(n, n / 10) + (line(n // 4, n / 9) if n % 4 == 0 else "") for n in range(1, 101))
    table = gc(mixed)
    assert table.number.tolist() == list(range(1, 101))
    assert "2 processes, some side by side; the one with 100 lines" in table.warnings[0]


def test_lines_may_be_lost() -> None:
    assert gc(line(3, 1) + line(9, 2) + line(10, 3)).number.tolist() == [3, 9, 10]


def test_the_scavenger_says_what_it_gave_back() -> None:
    assert (
        gc(GO_1_16 + "\nscvg: inuse: 3, idle: 59, sys: 63, released: 57, consumed: 6 (MB)\n").scavenged_mb
        == 57
    )
    scav = "scav 8 KiB work (bg), 0 KiB work (eager), 2048 KiB now, 97% util\n"
    assert gc(GO_1_27 + "\n" + scav).scavenged_mb == 2


def test_a_cut_line_is_none() -> None:
    assert gc(line(1, 1) + line(2, 2)[:70]).number.tolist() == [1]


def test_no_lines_no_table() -> None:
    assert read("") == ()
    assert read("gc 1 was here\nSCHED soon\n") == ()
    assert read(bytes(range(256)) * 100) == ()


def test_of_a_very_long_log_the_end_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gclog, "KEPT_LINES", 100)
    monkeypatch.setattr(gclog, "_BLOCK", 4096)
    table = gc("".join(line(n, n) for n in range(1, 1001)))
    assert table.number.tolist() == list(range(901, 1001))
    assert table.warnings == ("of a very long log only the last 100 collections are read",)


def test_more_than_the_limit_is_refused() -> None:
    with pytest.raises(UnreadableInput, match=r"is a log of more than 1 KiB; give its last part"):
        read_gclog(io.BytesIO(b"x\n" * 1000), path="f", limit_bytes=1024)


def test_a_line_is_found_wherever_a_block_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "".join(line(n, n) for n in range(1, 40))
    for block in (1, 7, 64, 150):
        monkeypatch.setattr(gclog, "_BLOCK", block)
        assert gc(text).number.tolist() == list(range(1, 40))


# schedtrace ---------------------------------------------------------------------------------------------


def test_schedtrace_of_all_versions() -> None:
    table = sched(
        "SCHED 1004ms: gomaxprocs=8 idleprocs=6 threads=12 spinningthreads=1 idlethreads=4 runqueue=3 "
        "[0 1 0 2 0 0 0 0]\n"
        "app | SCHED 2004ms: gomaxprocs=8 idleprocs=0 threads=13 spinningthreads=0 needspinning=1 "
        "idlethreads=4 runqueue=5 [ 1 1 0 0 0 0 0 0 ] schedticks=[ 9 9 9 9 9 9 9 9 ]\n"
    )
    assert table.at_s.tolist() == [1.004, 2.004]
    assert table.idleprocs.tolist() == [6, 0]
    assert table.threads.tolist() == [12, 13]
    assert table.runqueue.tolist() == [3, 5]
    assert table.local_runqueue.tolist() == [3, 2]
    assert table.goroutines.tolist() == [-1, -1]


def test_scheddetail_counts_goroutines() -> None:
    table = sched(
        "SCHED 0ms: gomaxprocs=2 idleprocs=0 threads=3 spinningthreads=1 needspinning=0 idlethreads=0 "
        "runqueue=1 gcwaiting=false nmidlelocked=0 stopwait=0 sysmonwait=false\n"
        "  P0: status=1 schedtick=0 syscalltick=0 m=0 runqsize=2 gfreecnt=0 timerslen=0\n"
        "  P1: status=1 schedtick=0 syscalltick=0 m=2 runqsize=3 gfreecnt=0 timerslen=0\n"
        "  M1: p=nil curg=nil mallocing=0 throwing=0 preemptoff= locks=32 dying=0\n"
        "  G1: status=2(running) m=0 lockedm=0\n"
        "  G2: status=4(force gc (idle)) m=nil lockedm=nil\n"
        "  G3: status=6() m=nil lockedm=nil\n"
    )
    assert (table.local_runqueue[0], table.goroutines[0], table.waiting[0]) == (5, 2, 1)


def test_schedtrace_of_a_restarted_process() -> None:
    text = "SCHED {}ms: gomaxprocs=2 idleprocs=1 threads=3 spinningthreads=0 idlethreads=1 runqueue=0 [0 0]\n"
    table = sched("".join(text.format(at) for at in (0, 1000, 2000, 0, 1000)))
    assert table.at_s.tolist() == [0, 1]
    assert table.warnings == ("schedtrace lines of 2 processes or restarts; the last one is taken",)


def test_a_log_may_hold_both() -> None:
    sched_line = (
        "SCHED 0ms: gomaxprocs=2 idleprocs=1 threads=3 spinningthreads=0 idlethreads=1 runqueue=0 [0 0]\n"
    )
    assert [table.kind for table in read(GO_1_27 + "\n" + sched_line)] == ["gctrace", "schedtrace"]


# Anything -----------------------------------------------------------------------------------------------

PIECES = st.sampled_from(
    [
        GO_1_27,
        GO_1_16,
        GO_1_5,
        LEAK_CHECK,
        "SCHED 5ms: gomaxprocs=1 idleprocs=0 runqueue=0 [0]",
        "  G1: status=4",
        "\n",
    ]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(PIECES.map(str.encode), st.binary(max_size=40)), max_size=12), st.integers(0, 400))
def test_any_bytes_give_columns_of_one_length(parts: list[bytes], cut: int) -> None:
    data = b"".join(parts)
    for table in read(data[: max(0, len(data) - cut)]):
        columns = [getattr(table, name) for name in table.__slots__]
        lengths = {len(c) for c in columns if isinstance(c, np.ndarray)}
        assert len(lengths) == 1
        assert lengths != {0}
        assert all(np.isfinite(c).all() for c in columns if isinstance(c, np.ndarray))


@pytest.mark.skipif(not WILD.is_dir(), reason="the published recordings are not at hand")
@pytest.mark.parametrize(
    ("name", "lines", "forced", "last"), [("d03", 67, 13, 5.557), ("d17", 49, 12, 5.088)]
)
def test_published_logs(name: str, lines: int, forced: int, last: float) -> None:
    table = gc((WILD / f"{name}.txt").read_bytes())
    assert len(table.number) == lines
    assert table.forced.sum() == forced
    assert table.at_s[-1] == last
    assert table.warnings == ()
