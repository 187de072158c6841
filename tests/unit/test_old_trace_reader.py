"""Traces of Go 1.11 to 1.21 become the same tables as later ones, whatever is wrong with them.

test_old_trace_reference.py holds recordings to Go 1.21's own parser; here nothing but Python is needed.
"""

from __future__ import annotations

import gzip
import io
import os
import random
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from typing import BinaryIO, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gopherdx import diagnose
from gopherdx.artifacts.trace import Trace, jit, kernels, old_kernels, read_trace
from gopherdx.errors import UnreadableInput
from tests.support import old_traces as made

ROOT = Path(__file__).resolve().parent.parent.parent
RECORDED = sorted((ROOT / "tests" / "support" / "old").glob("*.out.gz"))
HEADERS = (11, 19, 21)
LIMIT_S = 5.0

every_recorded = pytest.mark.parametrize("path", RECORDED, ids=lambda p: p.name.split(".")[0])


@cache
def _bytes(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes())


@cache
def _read(path: Path) -> Trace:
    return read_trace(path)


def _of(*batches: bytes, minor: int = 21, hz: int = made.HZ) -> Trace:
    return read_trace(io.BytesIO(made.made(*batches, minor=minor, hz=hz)))


# --- facts ---

LOCK, UNLOCK, WORK, CREATING = (made.AT[n] for n in ("locking", "unlocking", "main.work", "creating"))
P0 = made.begun(2) + b"".join((
    made.event(13, 1000, 3, WORK, CREATING),  # at tick 1202
    made.event(25, 1000, LOCK),  # 2202: goroutine 1 waits for a mutex
    made.event(38, 100, 3),
    made.event(39, 3000, 1, UNLOCK),  # 5302: goroutine 3 hands it over
    made.event(15, 100),
    made.event(38, 100, 1),  # 5502
    made.event(28, 1000, WORK),  # 6502: a system call
    made.event(30, 100),  # … that blocks
    made.event(21, 1898, 2, 2, 0),  # 8500: no goroutine wakes goroutine 2
))  # fmt: skip
P1 = made.batch(
    1,
    7000,
    made.event(5, 500, 1),
    made.event(29, 1500, 1, 4, 8002),  # 9000: over since 8002, told when there is a P
    made.event(14, 500, 1, 5),  # 9500
    made.event(28, 1000, WORK),  # a system call that does not block
    made.event(16, 1000, WORK),  # 11500: select {}
)
FIRST = 101  # the tick of the first event


def _waits(trace: Trace) -> dict[tuple[str, str], tuple[int, int, int, int, int]]:
    """Reason and innermost function: closed count and ns, open at the start, at the end, at both."""
    return {
        (w.reason, trace.stack(w.stack)[0].function if w.stack else ""): (
            w.count, w.ns, w.open_start, w.open_end, w.open_both,
        )
        for w in trace.waits
    }  # fmt: skip


@pytest.mark.parametrize("minor", HEADERS)
@pytest.mark.parametrize("batches", [(P0, P1), (P1, P0)], ids=["in order", "out of order"])
def test_a_trace_made_by_hand_is_read(minor: int, batches: tuple[bytes, bytes]) -> None:
    trace = _of(*batches, minor=minor)
    assert trace.go.header == f"go 1.{minor}"
    assert trace.duration_ns == 11500 - FIRST
    assert trace.counts == {
        "GoCreate": 3, "GoWaiting": 1, "ProcStart": 2, "GoStart": 4, "GoBlockSync": 1, "GoUnblock": 2,
        "GoEnd": 1, "GoSysCall": 2, "GoSysBlock": 1, "GoSysExit": 1, "GoStop": 1,
    }  # fmt: skip
    assert trace.events == sum(trace.counts.values())
    assert _waits(trace) == {
        ("sync", "sync.(*Mutex).Lock"): (1, 3100, 0, 0, 0),
        ("runnable", "sync.(*Mutex).Unlock"): (1, 200, 0, 0, 0),
        ("first run", "main.lock"): (1, 1100, 0, 0, 0),
        ("syscall", "main.work"): (1, 1500, 0, 0, 0),
        ("runnable", ""): (1, 9500 - 8002, 0, 0, 0),
        ("first run", ""): (0, 0, 1, 1, 0),  # goroutine 1 before it first ran, goroutine 2 after its wake-up
        ("", ""): (0, 0, 1, 0, 0),  # goroutine 2 waited since before the recording
        ("forever", "main.work"): (0, 0, 0, 1, 0),
    }
    assert [w.short for w in trace.waits if w.reason == "syscall"] == [1]
    wakes = {(trace.waits[w.wait].reason, w.waker and trace.stack(w.waker)[0].function) for w in trace.wakes}
    assert wakes == {("sync", "sync.(*Mutex).Unlock"), ("", None)}
    groups = {(g.function, g.created, g.ended, g.at_start) for g in trace.groups if g.created or g.at_start}
    assert groups == {("main.work", 1, 1, 0), ("main.work", 0, 0, 1), ("runtime.main", 0, 0, 1)}
    assert (trace.created, trace.ended, trace.live) == (1, 1, 2)
    assert sum(g.running_ns for g in trace.groups) == trace.running_ns == 5000 + 3100
    # Goroutine 1 could have run from 8002 on, though the file says so at 9000 only.
    assert trace.runnable_ns == 101 + 1100 + 200 + 1498 + 3000
    (lock,) = [s for s in trace.locks if s.function == "main.lock"]
    assert (lock.handovers, lock.waits, lock.wait_ns) == (1, 1, 3100)
    assert trace.warnings == ()
    assert not trace.truncated


def test_ticks_become_ns_by_the_frequency_at_the_end() -> None:
    assert _of(P0, P1, hz=made.HZ // 4).duration_ns == 4 * (11500 - FIRST)


def test_sequence_numbers_order_what_time_stamps_do_not() -> None:
    late = made.begun(2) + made.event(21, 4798, 2, 2, UNLOCK)  # 5000: goroutine 1 wakes goroutine 2
    early = made.batch(1, 3000, made.event(5, 500, 1), made.event(14, 500, 2, 3))  # … which ran at 4000
    trace = _of(late, early)
    assert trace.forced == 0
    assert trace.counts["GoStart"] == 2
    (warning,) = trace.warnings
    assert warning.startswith("1 events have time stamps before that of their cause (up to 1 µs)")


def test_an_event_that_cannot_come_is_forced_and_told() -> None:
    lost = made.batch(1, 3000, made.event(5, 500, 1), made.event(14, 500, 2, 7))
    trace = _of(made.begun(2), lost)
    assert trace.forced == 1
    assert "1 events could not be put in order" in trace.warnings[0]


def test_goroutines_of_timers_are_nobody() -> None:
    woken = made.begun(2) + made.event(21, 1000, 2, 2, 0)
    timer = made.batch(3, 0) + made.event(35, 1)
    assert [w.waker is None for w in _of(woken).wakes] == [False]
    assert [w.waker is None for w in _of(woken, timer).wakes] == [True]


@pytest.mark.parametrize(
    ("minor", "kind", "reason"),
    [(11, 0, "GC mark termination"), (19, 1, "GC sweep termination"), (21, 7, "read mem stats")],
)
def test_the_reason_to_stop_the_world_is_told(minor: int, kind: int, reason: str) -> None:
    trace = _of(made.begun() + made.event(9, 1000, kind) + made.event(10, 500), minor=minor)
    assert trace.gc.stw == {reason: (1, 500, 500)}


def test_the_collector_is_followed() -> None:
    idle = made.batch(1, 300, made.string(6, "GC (idle)"), made.event(13, 50, 9, made.AT["runtime.main"], 0))
    idle += made.event(41, 100, 9, 1, 6) + made.event(17, 1000, 0)
    first = (
        made.begun() + made.event(33, 1, 4 << 20) + made.event(7, 100, 0, WORK) + made.event(34, 1, 8 << 20)
    )
    first += made.event(43, 10, WORK) + made.event(44, 300) + made.event(8, 400)
    first += made.event(7, 1000, 1, WORK) + made.event(8, 400)
    gc = _of(first, idle).gc
    assert (gc.cycles, gc.marking_ns, gc.assist_ns) == (2, 711 + 400, 300)
    assert gc.mark_ns == {"dedicated": 0, "fractional": 0, "idle": 1000}
    assert (gc.heap_max_bytes, gc.goal_end_bytes) == (4 << 20, 8 << 20)
    assert [(c.count, c.ns) for c in gc.assists] == [(1, 300)]


def test_an_assist_costs_the_time_that_it_ran() -> None:
    waits = made.begun() + made.event(13, 10, 3, WORK, CREATING)
    waits += made.event(43, 10, WORK) + made.event(42, 100, WORK)  # nothing to mark: it waits for some
    waits += made.event(38, 50, 3) + made.event(39, 3000, 1, UNLOCK) + made.event(15, 100)
    waits += made.event(38, 100, 1) + made.event(44, 200) + made.event(15, 1000)
    trace = _of(waits)
    assert trace.forced == 0
    assert (trace.gc.assist_ns, [(c.count, c.ns) for c in trace.gc.assists]) == (300, [(1, 300)])
    assert sum(g.assist_ns for g in trace.groups) == 100 + 50 + 3000 + 100 + 100 + 200


def test_annotations_with_text_between_events_are_read() -> None:
    noted = made.begun() + made.string(40, "order") + made.event(45, 5, 1, 0, 40, WORK)
    noted += made.string(41, "state") + made.log(1, 41, WORK, "x" * 300) + made.event(47, 5, 1, 0, 40, WORK)
    noted += made.log(1, 41, WORK, "") + made.event(47, 5, 1, 1, 40, WORK) + made.event(46, 5, 1, WORK)
    trace = _of(noted)
    assert (trace.counts["UserTaskCreate"], trace.counts["UserTaskEnd"]) == (1, 1)
    assert (trace.counts["UserLog"], trace.counts["UserRegion"]) == (2, 2)
    assert trace.warnings == ()


def test_samples_are_counted_where_they_fell() -> None:
    samples = made.batch(0, 9000, made.event(49, 1, 5000, 0, 1, WORK), made.event(49, 1, 4000, 0, 1, WORK))
    trace = _of(made.begun(), samples, minor=19)
    assert trace.counts["CPUSample"] == 2
    assert [(trace.stack(c.stack)[0].function, c.count) for c in trace.samples] == [("main.work", 2)]
    assert trace.duration_ns == 5000 - FIRST


def test_a_batch_longer_than_a_piece_is_read() -> None:
    events = [made.event(18, 3, 0) + made.event(38, 1, 1) for _ in range(200_000)]
    trace = _of(made.begun() + b"".join(events))
    assert trace.counts["GoPreempt"] == 200_000
    assert sum(w.count for w in trace.waits if w.reason == "stopped") == 200_000
    assert trace.duration_ns == 200 - FIRST + 4 * 200_000


@every_recorded
def test_sums_add_up(path: Path) -> None:
    trace = _read(path)
    assert trace.warnings == ()
    assert trace.go.low == trace.go.high == (1, 21)
    assert trace.bytes == len(_bytes(path))
    assert trace.events == sum(trace.counts.values())
    at_start = sum(g.at_start for g in trace.groups)
    assert trace.live == at_start + trace.created - trace.ended
    assert trace.counts["GoCreate"] == at_start + trace.created
    assert int(trace.running_histogram_ns.sum()) == trace.duration_ns
    for wait in trace.waits:
        assert int(wait.histogram.sum()) == wait.count
    kinds = {"running_ns": 0, "runnable_ns": 0, "waiting_ns": 0, "syscall_ns": 0}
    for kind in kinds:
        kinds[kind] = sum(getattr(g, kind) for g in trace.groups)
    queued = sum(w.total_ns for w in trace.waits if w.reason in ("runnable", "stopped", "first run"))
    assert kinds["runnable_ns"] == queued
    assert kinds["syscall_ns"] == sum(w.total_ns for w in trace.waits if w.reason == "syscall")
    assert trace.gomaxprocs >= 2


@every_recorded
def test_file_stream_gzip_and_pipe_are_read_alike(path: Path, tmp_path: Path) -> None:
    plain = tmp_path / "trace.out"
    plain.write_bytes(_bytes(path))
    with plain.open("rb") as file:
        file.seek(0)
        of_file = read_trace(file)
    pipe = subprocess.Popen(["cat", plain], stdout=subprocess.PIPE)
    assert pipe.stdout is not None
    of_pipe = read_trace(cast(BinaryIO, pipe.stdout))
    pipe.stdout.close()
    pipe.wait()
    for other in (read_trace(plain), of_file, of_pipe, read_trace(io.BytesIO(_bytes(path)))):
        assert _tables(other) == _tables(_read(path))


def _tables(trace: Trace) -> str:
    parts = (trace.counts, trace.groups, trace.wakes, trace.sequence, trace.runs, trace.locks, trace.gc)
    return repr((*parts, [(w.reason, w.stack, w.count, w.ns, w.open_both) for w in trace.waits]))


def test_a_stream_behind_its_start_is_read_from_there() -> None:
    stream = io.BytesIO(b"something else" + made.made(P0, P1))
    stream.seek(len(b"something else"))
    assert read_trace(stream).counts["GoSysExit"] == 1


def test_the_bug_of_a_go_1_21_program_is_found() -> None:
    found = {
        path.name.split("-")[0]: [
            (f.id, f.location.function)
            for f in diagnose(trace=path).findings
            if f.level == "likely" and f.location
        ]
        for path in RECORDED
    }
    assert found["login"] == [("G101", "main.(*vault).login")]
    assert found["plant"] == [("G302", "main.(*plant).station")]


# --- versions ---


@pytest.mark.parametrize(
    ("minor", "releases"), [(11, ((1, 11), (1, 18))), (19, ((1, 19), (1, 20))), (21, ((1, 21), (1, 21)))]
)
def test_a_header_stands_for_its_releases(minor: int, releases: tuple[tuple[int, int], ...]) -> None:
    go = _of(P0, P1, minor=minor).go
    assert (go.low, go.high) == releases


@pytest.mark.parametrize("minor", [5, 7, 8, 9, 10])
def test_older_formats_are_named(minor: int) -> None:
    head = f"go 1.{minor} trace".encode().ljust(16, b"\0")
    with pytest.raises(UnreadableInput, match=rf"header go 1\.{minor}: formats before that of Go 1\.11"):
        read_trace(io.BytesIO(head + b"\0" * 100))


# --- damage ---


@every_recorded
def test_a_cut_trace_ends_in_one_sentence_or_keeps_its_events(path: Path) -> None:
    whole = _bytes(path)
    places = made.cuts(whole, 40, random.Random(1))
    for at in places:
        try:
            trace = read_trace(io.BytesIO(whole[:at]))
        except UnreadableInput as error:
            said = str(error)
        else:
            said = trace.warnings[0]
            assert trace.counts == _read(path).counts
            assert trace.truncated
        assert "this trace was cut off before its end" in said or "cut off in its table of stacks" in said


def test_a_cut_gzip_is_a_cut_trace() -> None:
    packed = RECORDED[0].read_bytes()
    with pytest.raises(UnreadableInput, match="cut off before its end"):
        read_trace(io.BytesIO(packed[: len(packed) // 2]))


def test_damage_is_told_with_its_place() -> None:
    good = made.made(P0)
    at = 16 + len(P0)
    with pytest.raises(UnreadableInput, match=rf"damaged {at} bytes after its start: its \d+ events"):
        read_trace(io.BytesIO(good[:at] + b"\x3f" + good[at:]))


def _read_in_time(data: bytes) -> Trace | None:
    begin = time.monotonic()
    try:
        return read_trace(io.BytesIO(data))
    except UnreadableInput:
        return None
    finally:
        assert time.monotonic() - begin < LIMIT_S


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_damaged_bytes_end_in_a_trace_or_one_sentence(data: st.DataObject) -> None:
    worse = bytearray(_bytes(data.draw(st.sampled_from(RECORDED))))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(worse) - 1))
        worse[at] = data.draw(st.integers(0, 255))
    _read_in_time(bytes(worse))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(minor=st.sampled_from(HEADERS), seed=st.integers(0, 1 << 32))
def test_damaged_events_end_in_a_trace_or_one_sentence(minor: int, seed: int) -> None:
    rnd = random.Random(seed)
    _read_in_time(made.worse_events(made.made(P0, P1, minor=minor), rnd))
    _read_in_time(made.worse_events(_bytes(rnd.choice(RECORDED)), rnd))


@settings(max_examples=100, deadline=None)
@given(body=st.binary(max_size=400), minor=st.sampled_from(HEADERS))
def test_any_bytes_behind_a_header_end_in_one_sentence(body: bytes, minor: int) -> None:
    _read_in_time(b"go 1.%d trace\0\0\0" % minor + body)


HOSTILE_CASES = {
    "far ids of stacks": made.made(P0) + made.stack((1 << 63) - 1, (1, 1, 1, 1)),
    "far ids of strings": made.made(P0) + made.string((1 << 63) - 1, "x"),
    "far times": made.made(P0, made.batch(1, 1 << 62, made.event(6, 1 << 62))),
    "ids of goroutines": made.made(
        P0 + b"".join(made.event(13, 1, (1 << 64) - 1 - i, 1, 1) for i in range(9))
    ),
    "a slow clock": made.made(P0, P1, hz=1),
    "no rate": made.made(P0, P1, hz=0),
    "a negative rate": made.made(P0, P1, hz=(1 << 64) - 5),
    "a string of a megabyte": made.made(P0, made.string(99, "x" * 1_000_000)),
    "a string of two": made.made(P0, made.string(99, "x" * 2_000_000)),
    "a stack too deep": made.made(P0) + made.stack(50, *[(1, 1, 1, 1)] * 1001),
}


@pytest.mark.parametrize("what", HOSTILE_CASES)
def test_hostile_numbers_cost_neither_time_nor_memory(what: str) -> None:
    _read_in_time(HOSTILE_CASES[what])


def test_more_ps_and_goroutines_than_any_machine_has_are_read() -> None:
    many = [made.batch(p, 1000 + p, made.event(5, 1, p)) for p in range(1, 5000)]
    more = made.begun() + b"".join(made.event(13, 1, 100 + g, WORK, WORK) for g in range(9000))
    trace = _of(more, *many)
    assert trace.counts["ProcStart"] == 5000
    assert trace.created == 9000
    assert trace.forced == 0


def test_a_trace_in_a_pipe_is_not_copied_beyond_the_limit() -> None:
    with pytest.raises(UnreadableInput, match="more than 4 MiB"):
        read_trace(cast(BinaryIO, _Endless()), path="trace", limit_bytes=4 << 20)


class _Endless(io.RawIOBase):
    """A pipe through which a trace comes that never ends."""

    def __init__(self) -> None:
        self._begin = b"go 1.21 trace\0\0\0"

    def read(self, size: int = -1) -> bytes:
        begin, self._begin = self._begin[:size], self._begin[size:]
        return begin or bytes(size)


# --- machine code ---


def test_kept_machine_code_depends_on_every_source_of_it() -> None:
    assert [Path(f).name for f in jit._sources(old_kernels)] == ["kernels.py", "old_kernels.py"]
    assert [Path(f).name for f in jit._sources(kernels)] == ["kernels.py"]


def test_kernels_of_the_old_format_are_not_made_for_a_new_trace() -> None:
    program = (
        "import sys; from gopherdx.artifacts.trace import read_trace; read_trace(sys.argv[1]); "
        "print('gopherdx.artifacts.trace.old_kernels' in sys.modules)"
    )
    path = min((ROOT / "tests" / "captures").glob("*/trace.out.gz"), key=lambda p: p.stat().st_size)
    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.slow
def test_no_damage_makes_a_kernel_leave_its_arrays(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    """Damaged traces with numba's bounds checks on, for GOPHERDX_FUZZ_S seconds from GOPHERDX_FUZZ_SEED."""
    assert pytestconfig.cache is not None
    traces = []
    for i, data in enumerate((*map(_bytes, RECORDED), *(made.made(P0, P1, minor=m) for m in HEADERS))):
        traces.append(tmp_path / f"{i}.out")
        traces[-1].write_bytes(data)
    env = dict(
        os.environ,
        NUMBA_BOUNDSCHECK="1",
        NUMBA_CACHE_DIR=str(pytestconfig.cache.mkdir("trace-boundscheck")),
        PYTHONPATH=os.pathsep.join(str(p) for p in (ROOT / "engine", ROOT)),
    )
    seed, seconds = os.environ.get("GOPHERDX_FUZZ_SEED", "1"), float(os.environ.get("GOPHERDX_FUZZ_S", "15"))
    done = subprocess.run(
        [sys.executable, ROOT / "tests/support/fuzz_traces.py", seed, str(seconds), tmp_path, *traces],
        env=env, cwd=ROOT, capture_output=True, text=True, timeout=seconds + 300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.split()[0]) > 50
