"""What a trace says when it has been read: sums that add up, cuts, damage, hostile numbers, first runs."""

from __future__ import annotations

import gzip
import io
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gopherdx.artifacts.trace import Trace, read_trace
from gopherdx.errors import UnreadableInput
from tests.support import traces as made

ROOT = Path(__file__).resolve().parent.parent.parent
CAPTURES = ROOT / "tests" / "captures"
LABELS = yaml.safe_load((CAPTURES / "labels.yaml").read_text("utf-8"))
# Those of generations; the format up to Go 1.21 has its own tests.
OLD = tuple(name for name, label in LABELS.items() if int(label["go"].split(".")[1]) <= 21)
SHIPPED = sorted(p for p in CAPTURES.glob("*/trace.out.gz") if p.parent.name not in OLD)
LONG_DELAY_BIN = 46  # 8.4 ms and more
QUEUED = ("runnable", "stopped", "first run")
LIMIT_S = 5.0
BORDER_NS = 10_000_000  # a status may be told so late: the integrals miss its goroutine until then
OVERLAP_NS = 70_000_000  # by which generations overlap at most: 64.8 ms in c073, from a crowded machine

every_shipped = pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.parent.name)


@cache
def _bytes(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes())


@cache
def _read(path: Path) -> Trace:
    return read_trace(path)


def _smallest() -> list[Path]:
    """The smallest shipped trace of each header."""
    best: dict[bytes, Path] = {}
    for path in sorted(SHIPPED, key=lambda p: p.stat().st_size):
        best.setdefault(_bytes(path)[:16], path)
    return list(best.values())


smallest = pytest.mark.parametrize("path", _smallest(), ids=lambda p: p.parent.name)


# --- facts ---


@every_shipped
def test_a_trace_knows_what_its_recording_was(path: Path) -> None:
    label = LABELS[path.parent.name]
    trace = _read(path)
    release = tuple(int(n) for n in label["go"].split(".")[:2])
    assert trace.go.low <= release <= trace.go.high
    assert trace.gomaxprocs == label["gomaxprocs"]
    assert trace.sampled <= label["with_cpu"]  # an idle program has no samples
    assert label["seconds"] * 0.9 <= trace.duration_ns / 1e9 <= label["seconds"] * 1.5 + 1
    assert not trace.truncated
    assert trace.warnings == ()
    assert trace.bytes == len(_bytes(path)) == 16 + sum(g.bytes for g in trace.generations)


@every_shipped
def test_sums_add_up(path: Path) -> None:
    assert_sums_add_up(_read(path))


def assert_sums_add_up(trace: Trace) -> None:
    """What holds in any trace, whatever is in it."""
    border = BORDER_NS * len(trace.generations)
    assert trace.events == sum(trace.counts.values()) == sum(g.events for g in trace.generations)

    created = sum(trace.counts.get(n, 0) for n in ("GoCreate", "GoCreateBlocked", "GoCreateSyscall"))
    ended = sum(trace.counts.get(n, 0) for n in ("GoDestroy", "GoDestroySyscall", "GoSwitchDestroy"))
    assert (trace.created, trace.ended) == (created, ended)
    assert trace.live == created - ended + sum(g.at_start for g in trace.groups) <= trace.live_max
    for group in trace.groups:
        assert group.live == group.created - group.ended + group.at_start
        assert group.live <= group.live_max or not group.function

    # Each stay is in one slot and in one group.
    by_reason: dict[str, int] = {}
    for wait in trace.waits:
        kind = "runnable" if wait.reason in QUEUED else "syscall" if wait.reason == "syscall" else "waiting"
        by_reason[kind] = by_reason.get(kind, 0) + wait.total_ns
        assert wait.histogram.sum() == wait.count
        assert 0 <= wait.max_ns <= wait.ns
        assert wait.quantile_ns(0.5) <= wait.quantile_ns(0.99) <= max(wait.max_ns, 1)
    for kind in ("runnable", "syscall", "waiting"):
        assert sum(getattr(g, f"{kind}_ns") for g in trace.groups) == by_reason.get(kind, 0)

    # A goroutine is always in exactly one state: where a group's whole lives were seen, states fill them.
    for group in trace.groups:
        states = group.running_ns + group.runnable_ns + group.waiting_ns + group.syscall_ns
        if group.at_start == group.live == 0:
            assert abs(states - group.life_ns) <= border
        assert states <= (group.created + group.at_start) * (trace.duration_ns + border)

    # Integrals over time are sums over goroutines (mark workers are counted apart from those that run).
    histogram = trace.running_histogram_ns
    assert histogram.sum() == trace.duration_ns
    overlap = OVERLAP_NS * (len(trace.generations) - 1) * trace.gomaxprocs
    by_number = int(histogram[:-1] @ np.arange(histogram.size - 1))
    assert abs(by_number - trace.running_ns) <= overlap or histogram[-1] > 0
    running = sum(g.running_ns for g in trace.groups) - sum(trace.gc.mark_ns.values())
    assert abs(running - trace.running_ns) <= border
    # A goroutine that was runnable before it was first told of is in no integral until then.
    queued = sum(g.runnable_ns for g in trace.groups) - trace.runnable_ns
    untold = sum(w.open_start_ns + w.open_both_ns for w in trace.waits if w.reason in QUEUED)
    assert -border * trace.live_max <= queued <= untold + border * trace.live_max

    woken: dict[int, int] = {}
    for wake in trace.wakes:
        woken[wake.wait] = woken.get(wake.wait, 0) + wake.count
        assert 0 <= wake.hold_running_ns <= wake.hold_known_ns + border
        assert wake.hold_known_ns <= wake.hold_ns
    for index, count in woken.items():
        assert count <= trace.waits[index].count + trace.waits[index].open_start
    for lock in trace.locks:
        assert 0 <= lock.busy_ns <= trace.duration_ns
        assert lock.busy_ns <= lock.waiters_ns or lock.waits == 0
    for run in trace.runs:
        assert run.running_ns <= run.length_ns + border
        assert 0 <= run.long_delays <= trace.delay_histogram[LONG_DELAY_BIN:].sum()
    assert trace.gc.cycles == trace.counts.get("GCBegin", 0)


@smallest
def test_gzip_stream_and_file_are_read_alike(path: Path, tmp_path: Path) -> None:
    (tmp_path / "trace.out").write_bytes(_bytes(path))
    whole = _facts(_read(path))
    assert _facts(read_trace(tmp_path / "trace.out")) == whole
    assert _facts(read_trace(io.BytesIO(_bytes(path)))) == whole
    assert _facts(read_trace(io.BytesIO(path.read_bytes()))) == whole
    assert _facts(read_trace(_Sips(_bytes(path)))) == whole


@smallest
def test_reading_twice_gives_the_same(path: Path) -> None:
    assert _facts(read_trace(path)) == _facts(read_trace(path))


def _facts(trace: Trace) -> tuple[object, ...]:
    return (
        trace.counts, trace.generations, trace.duration_ns, trace.warnings, trace.groups, trace.runs,
        trace.spans, trace.wakes, trace.sequence, trace.locks, trace.gc, trace.samples, trace.stacks,
        [(w.reason, w.stack, w.seen, w.total_ns, w.histogram.tolist()) for w in trace.waits],
    )  # fmt: skip


class _Sips(io.BytesIO):
    """A stream that gives less than it was asked for, as pipes do."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(min(size, 777) if size is not None and size > 0 else size)


# --- cuts ---


def _ends(trace: Trace) -> list[int]:
    """Where each generation ends in the file."""
    return [int(end) for end in np.cumsum([g.bytes for g in trace.generations]) + 16]


@smallest
def test_a_cut_trace_keeps_its_whole_generations(path: Path) -> None:
    data, whole = _bytes(path), _read(path)
    ends = _ends(whole)
    rnd = random.Random(4)
    around = {end + by for end in ends for by in (-1, 0, 1, 3)}
    for cut in sorted({*rnd.sample(range(len(data)), 45), *around, 0, 1, 15, 16, 17} & set(range(len(data)))):
        kept = sum(end <= cut for end in ends)
        try:
            trace = read_trace(io.BytesIO(data[:cut]))
        except UnreadableInput:
            assert kept == 0, cut
            continue
        assert [g.number for g in trace.generations] == [g.number for g in whole.generations[:kept]], cut
        assert trace.generations == whole.generations[:kept]
        assert trace.truncated == (cut not in ends)
        assert trace.skipped_bytes == cut - ends[kept - 1]
        assert_sums_add_up(trace)
        if trace.truncated:
            assert f"cut off after {kept} whole generation" in trace.warnings[0]


@smallest
def test_a_cut_gzip_keeps_its_whole_generations(path: Path) -> None:
    packed, ends = gzip.compress(_bytes(path)), _ends(_read(path))
    seen = set()
    for share in (0.2, 0.4, 0.6, 0.8, 0.95, 0.999):
        try:
            trace = read_trace(io.BytesIO(packed[: int(len(packed) * share)]))
        except UnreadableInput:
            continue
        assert trace.bytes - trace.skipped_bytes <= ends[len(trace.generations) - 1] <= trace.bytes
        assert trace.truncated or len(trace.generations) == len(ends)
        seen.add(len(trace.generations))
    assert seen
    assert seen <= set(range(1, len(ends) + 1))


@smallest
@pytest.mark.parametrize(
    "garbage", [b"\0", b"\xff" * 100, b"curl: (18) transfer closed\n", b"\x01", b"\x01\x01"]
)
def test_garbage_behind_a_trace_is_left_out_and_told(path: Path, garbage: bytes) -> None:
    trace = read_trace(io.BytesIO(_bytes(path) + garbage))
    assert trace.generations == _read(path).generations
    assert trace.counts == _read(path).counts
    assert trace.truncated
    assert "1 bytes" in trace.warnings[0] or f"{len(garbage):,} bytes" in trace.warnings[0]


# --- damage ---


def _read_in_time(data: bytes) -> Trace | None:
    begin = time.monotonic()
    try:
        return read_trace(io.BytesIO(data))
    except UnreadableInput:
        return None
    finally:
        assert time.monotonic() - begin < LIMIT_S


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_damaged_bytes_end_in_a_trace_or_one_sentence(data: st.DataObject) -> None:
    original = _bytes(data.draw(st.sampled_from(_smallest())))
    worse = bytearray(original)
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(worse) - 1))
        worse[at] = data.draw(st.integers(0, 255))
    _read_in_time(bytes(worse))


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(path=st.sampled_from(_smallest()), seed=st.integers(0, 1 << 32))
def test_damaged_batches_end_in_a_trace_or_one_sentence(path: Path, seed: int) -> None:
    _read_in_time(made.worse_batches(_bytes(path), random.Random(seed)))


@settings(max_examples=100, deadline=None)
@given(body=st.binary(max_size=400), minor=st.sampled_from((22, 23, 25, 26)))
def test_any_bytes_behind_a_header_end_in_one_sentence(body: bytes, minor: int) -> None:
    assert _read_in_time(made.made(body, minor)) is None


HEAD = made.tables()


def _trace(*extra: bytes, head: bytes = HEAD, hz: int = 1_000_000_000, **batch: int) -> bytes:
    body = made.batch(made.events(*extra), **batch)
    return made.made(made.frequency(hz) + body + head)


def test_a_trace_made_by_hand_is_read() -> None:
    """What the hostile ones below are changed from is sound."""
    trace = _trace(made.event(20, 10, 3, 1), made.event(21, 5, 2, 1, 1))
    read = read_trace(io.BytesIO(trace))
    assert read.counts == {"ProcStatus": 1, "GoStatus": 1, "GoCreate": 1, "GoBlock": 1, "GoUnblock": 1}
    assert read.warnings[0] == "1 events could not be put in order by their sequence numbers"


def test_generations_that_overlap_are_counted_at_the_times_that_they_tell() -> None:
    """One M is late with its last event, at 6000, when another has been in the next generation since 2000."""
    first = (
        made.frequency()
        + made.batch(made.event(13, 1, 0, 1) + made.event(25, 1, 1, 1, 2) + made.event(20, 4998, 3, 1))
        + made.batch(made.event(13, 1, 1, 1) + made.event(25, 1, 3, 2, 2), m=2)
        + HEAD
    )
    begin = made.event(13, 1, 1, 1) + made.event(25, 1, 3, 2, 2)
    wait_and_run = made.event(20, 998, 3, 1) + made.event(21, 500, 3, 1, 0) + made.event(16, 500, 3, 2)
    second = (
        made.batch(made.event(8, 1_000_000_000), m=-1, generation=2)
        + made.batch(begin + wait_and_run + made.event(20, 3000, 3, 1), m=2, time=2000, generation=2)
        + made.batch(b"\x04" + made.string(3, "sync"), m=-1, generation=2)
    )
    trace = read_trace(io.BytesIO(made.made(first + second)))
    assert trace.forced == trace.unsettled == 0
    assert trace.duration_ns == 6000
    # Goroutine 1 runs from 1000 (told at 1002) to 6000. Goroutine 3 runs from 1000 (told at 1002) to 3000,
    # waits to 3500, is runnable to 4000 and runs to 7000.
    assert sum(g.running_ns for g in trace.groups) == 5000 + 2000 + 3000
    assert sum(g.waiting_ns for g in trace.groups) == 500 + 1000
    assert sum(g.runnable_ns for g in trace.groups) == trace.runnable_ns == 500
    assert trace.running_ns == 5000 + 2000 + 3000 - 2 * 2
    assert trace.running_histogram_ns[:3].tolist() == [2, 1000, 4998]  # the one generation, then the other


HUGE = [n for n in made.HOSTILE if n > 1 << 19]
HOSTILE_CASES: dict[str, Callable[[int], bytes]] = {
    "batch size": lambda n: made.made(made.frequency() + made.batch(b"\x02", size=n) + HEAD),
    "string length": lambda n: _trace(head=made.tables(made.string(9, "x", n))),
    "string id": lambda n: _trace(head=made.tables(made.string(n, "x"))),
    "stack id": lambda n: _trace(head=made.tables(stacks=made.stack(n, [(1, 1, 2, 3)]))),
    "stack depth": lambda n: _trace(head=made.tables(stacks=made.stack(2, [(1, 1, 2, 3)], n))),
    "frame": lambda n: _trace(head=made.tables(stacks=made.stack(2, [(n, n, n, n)]))),
    "goroutine created": lambda n: _trace(made.event(14, 5, n, 1, 1), made.event(14, 5, n, 1, 1)),
    "goroutine started": lambda n: _trace(made.event(16, 5, n, n)),
    "goroutine woken": lambda n: _trace(made.event(21, 5, n, n, n)),
    "goroutine switched to": lambda n: _trace(made.event(45, 5, n, n), made.event(46, 5, n, n)),
    "status of goroutine": lambda n: _trace(made.event(25, 5, n, n, 4), made.event(48, 5, n, n, n, n)),
    "status": lambda n: _trace(made.event(25, 5, 7, 1, n), made.event(13, 5, 7, n)),
    "M of a status": lambda n: _trace(made.event(25, 5, 7, n, 3)),
    "P started": lambda n: _trace(made.event(11, 1), made.event(10, 5, n, n)),
    "P stolen": lambda n: _trace(made.event(12, 5, n, n, n)),
    "status of P": lambda n: _trace(made.event(13, 5, n, 1)),
    "reason and stack": lambda n: _trace(made.event(20, 5, n, n)),
    "label": lambda n: _trace(made.event(39, 5, n)),
    "heap": lambda n: _trace(made.event(37, 5, n), made.event(38, 5, n)),
    "procs": lambda n: _trace(made.event(9, 5, n, n)),
    "collection": lambda n: _trace(made.event(29, 5, n, n), made.event(30, 5, n), made.event(28, 5, n)),
    "assist": lambda n: _trace(made.event(34, 5, n), made.event(35, 5, n), made.event(36, 5)),
    "stop the world": lambda n: _trace(made.event(26, 5, n, n), made.event(27, n)),
    "task and region": lambda n: _trace(made.event(40, 5, n, n, n, n), made.event(42, 5, n, n, n)),
    "time step": lambda n: _trace(made.event(20, n, 3, 1), made.event(19, n, 3, 1)),
    "batch time": lambda n: _trace(time=n),
    "M": lambda n: _trace(m=n),
    "generation": lambda n: _trace(generation=n),
    "frequency": lambda n: _trace(hz=n),
    "sample": lambda n: _trace(head=HEAD + made.batch(b"\x06" + made.event(7, n, n, n, n, n), m=-1)),
    "clock": lambda n: made.made(
        made.batch(b"\x32" + made.event(8, n) + made.event(51, n, n, n, n), m=-1)
        + made.batch(made.events())
        + HEAD,
        25,
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE_CASES)
def test_hostile_numbers_cost_neither_time_nor_memory(what: str) -> None:
    for number in (0, *HUGE):
        trace = _read_in_time(HOSTILE_CASES[what](number))
        if trace is not None:
            assert trace.live_max < 100
            assert sum(trace.counts.values()) <= 8


@pytest.mark.parametrize("hz", [0, 1])
def test_a_clock_without_a_rate_is_damage(hz: int) -> None:
    with pytest.raises(UnreadableInput, match="damaged"):
        read_trace(io.BytesIO(_trace(hz=hz, time=1 << 40)))


def test_times_beyond_any_clock_are_damage() -> None:
    for when in (1 << 62, (1 << 63) - 1, 1 << 63, (1 << 64) - 1):
        with pytest.raises(UnreadableInput, match="damaged"):
            read_trace(io.BytesIO(_trace(time=when)))


def test_more_ps_and_ms_than_any_machine_has_are_read() -> None:
    ps = b"".join(made.event(13, 0, p, 2) for p in range(5000))
    ms = b"".join(made.batch(made.event(25, 1, 100 + m, m, 4), m=m) for m in range(3000))
    trace = read_trace(io.BytesIO(made.made(made.frequency() + made.batch(made.events(ps)) + ms + HEAD)))
    assert trace.counts["ProcStatus"] == 5001
    assert trace.counts["GoStatus"] == 3001


def test_a_header_that_no_release_writes_is_named() -> None:
    for head in (
        b"go 1.24 trace\0\0\0",
        b"go 1.99 trace\0\0\0",
        b"go 1.10 trace\0\0\0",
        b"go 1.5 trace\0\0\0\0",
    ):
        with pytest.raises(UnreadableInput, match=r"go 1\.(?:24|99|10|5)|not a Go execution trace"):
            read_trace(io.BytesIO(head))
    for head in (b"", b"g", b"go 1.2", b"\x1f\x8b", b"\x1f\x8b\x08\x00" + b"\0" * 40):
        with pytest.raises(UnreadableInput):
            read_trace(io.BytesIO(head))


def test_a_gzip_that_unpacks_to_more_than_the_limit_is_refused() -> None:
    bomb = gzip.compress(made.made(made.batch(b"\0" * 60_000) * 200))
    with pytest.raises(UnreadableInput, match="unpacks to more than"):
        read_trace(io.BytesIO(bomb), limit_bytes=4 << 20)


# --- other processes ---


@pytest.fixture
def unpacked(tmp_path: Path) -> list[Path]:
    """The smallest shipped trace of each header, unpacked."""
    out = []
    for path in _smallest():
        target = tmp_path / f"{path.parent.name}.out"
        target.write_bytes(_bytes(path))
        out.append(target)
    return out


@pytest.mark.slow
def test_no_damage_makes_a_kernel_leave_its_arrays(
    unpacked: list[Path], tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """Damaged traces with numba's bounds checks on, for GOPHERDX_FUZZ_S seconds from GOPHERDX_FUZZ_SEED."""
    assert pytestconfig.cache is not None
    cache_dir = pytestconfig.cache.mkdir(
        "trace-boundscheck"
    )  # a warm cache of unchecked kernels ignores the switch
    env = dict(os.environ, NUMBA_BOUNDSCHECK="1", NUMBA_CACHE_DIR=str(cache_dir), PYTHONPATH=_python_path())
    seed, seconds = os.environ.get("GOPHERDX_FUZZ_SEED", "1"), float(os.environ.get("GOPHERDX_FUZZ_S", "15"))
    done = subprocess.run(
        [sys.executable, ROOT / "tests/support/fuzz_traces.py", seed, str(seconds), tmp_path, *unpacked],
        env=env, cwd=ROOT, capture_output=True, text=True, timeout=seconds + 300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.split()[0]) > 50


def _python_path() -> str:
    return os.pathsep.join(
        str(p) for p in (ROOT / "engine", ROOT / "kb", ROOT / "cli", ROOT / "corpus", ROOT)
    )


@pytest.fixture
def installed() -> Iterator[Path]:
    """A copy of the library in a folder that nobody can write, outside of pytest's own (which is private)."""
    folder = Path(tempfile.mkdtemp(prefix="gopherdx-installed-"))
    shutil.copytree(ROOT / "engine", folder / "engine", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(min(SHIPPED, key=lambda p: p.stat().st_size), folder / "trace.out.gz")
    for path in (*folder.rglob("*"), folder):
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield folder
    for path in (folder, *folder.rglob("*")):
        if path.is_dir():
            path.chmod(0o755)
    shutil.rmtree(folder)


@pytest.mark.slow
def test_kernels_compile_where_nothing_can_be_written(installed: Path) -> None:
    """The first run of a package that root installed, by a user without a home."""
    before = sorted(installed.rglob("*"))
    program = "from gopherdx.artifacts.trace import read_trace; print(read_trace('trace.out.gz').events)"
    command = [sys.executable, "-c", program]
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("root without setpriv can write everywhere")
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command]
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(installed / "engine")}
    if os.geteuid() != 0:
        env["HOME"] = str(installed)
    begin = time.time()
    done = subprocess.run(command, env=env, cwd=installed, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == read_trace(installed / "trace.out.gz").events
    assert done.stderr == ""
    assert sorted(installed.rglob("*")) == before
    left = [
        p
        for p in Path(tempfile.gettempdir()).iterdir()
        if p.stat().st_uid == 65534 and p.stat().st_mtime >= begin
    ]
    assert left == []
