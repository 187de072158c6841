"""Large traces: a generation that is not kept in memory is read as one that is, and costs no more memory.

Also what happens to the two threads of a reading when one of them fails.
"""

from __future__ import annotations

import gzip
import io
import random
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest

from gopherdx.artifacts.trace import Trace, build, container, order, read_trace, worker
from gopherdx.errors import UnreadableInput
from tests.support import traces as made
from tests.support.large_traces import write_one_generation
from tests.unit.test_trace_reader import SHIPPED, _bytes, _facts


def _not_small() -> list[Path]:
    """A shipped trace of each header that has at least 300 kB when it is unpacked."""
    best: dict[bytes, Path] = {}
    for path in sorted(SHIPPED, key=lambda p: p.stat().st_size):
        if path.stat().st_size > 50_000 and len(_bytes(path)) > 300_000:
            best.setdefault(_bytes(path)[:16], path)
    return list(best.values())


NOT_SMALL = _not_small()
one_of_each = pytest.mark.parametrize("path", NOT_SMALL, ids=lambda p: p.parent.name)


@cache
def _kept(path: Path) -> tuple[object, ...]:
    """What a trace says when its generations are kept in memory."""
    assert container.KEPT >= 1 << 26
    return _facts(read_trace(io.BytesIO(_bytes(path))))


@pytest.fixture(params=[128, 1], ids=["several batches ahead", "one batch at a time"])
def nothing_kept(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Every generation is set aside, in pieces of 16 KiB. Gives the number of pieces so far."""
    for path in NOT_SMALL:
        _kept(path)
    pieces = [0]
    usual = container.Generations._set_aside

    def counted(self: container.Generations, rows: int, pos: int) -> int:
        pieces[0] += 1
        return usual(self, rows, pos)

    monkeypatch.setattr(container, "KEPT", 0)
    monkeypatch.setattr(container, "CHUNK", 1 << 14)
    monkeypatch.setattr(order, "LOADED", request.param)
    monkeypatch.setattr(container.Generations, "_set_aside", counted)
    return pieces


@pytest.fixture
def read_anywhere(tmp_path: Path) -> Callable[[bytes], list[Trace | None]]:
    """Reads a trace as a file, as a stream that cannot go back, and as gzip."""

    def read(data: bytes) -> list[Trace | None]:
        (tmp_path / "trace.out").write_bytes(data)
        (tmp_path / "trace.out.gz").write_bytes(gzip.compress(data, 1))
        out: list[Trace | None] = []
        for source in (tmp_path / "trace.out", _Pipe(data), tmp_path / "trace.out.gz"):
            try:
                out.append(read_trace(cast(BinaryIO, source), path="trace"))
            except UnreadableInput:
                out.append(None)
        return out

    return read


class _Pipe(io.RawIOBase):
    """A stream that cannot go back and gives less than it was asked for."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def read(self, size: int = -1) -> bytes:
        return self._data.read(min(size, 5_000) if size > 0 else size)


@one_of_each
def test_a_generation_in_a_file_says_what_it_says_in_memory(
    path: Path, nothing_kept: list[int], read_anywhere: Callable[[bytes], list[Trace | None]]
) -> None:
    for trace in read_anywhere(_bytes(path)):
        assert trace is not None
        assert _facts(trace) == _kept(path)
    assert nothing_kept[0] >= 3


@one_of_each
def test_a_damaged_generation_in_a_file_says_what_it_says_in_memory(
    path: Path,
    nothing_kept: list[int],
    read_anywhere: Callable[[bytes], list[Trace | None]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rnd = random.Random(7)
    for turn in range(12):
        worse = (made.worse_batches, made.worse_bytes)[turn % 2](_bytes(path), rnd)
        if turn % 3 == 0:
            worse = worse[: rnd.randrange(len(worse))]
        found = read_anywhere(worse)
        with monkeypatch.context() as m:
            m.setattr(container, "KEPT", 1 << 26)
            m.setattr(container, "CHUNK", 1 << 20)
            try:
                expected = _facts(read_trace(io.BytesIO(worse)))
            except UnreadableInput:
                assert found == [None, None, None]
                continue
        for trace in found:
            assert trace is not None
            assert _facts(trace) == expected


def test_a_large_generation_made_by_hand_is_sound(tmp_path: Path) -> None:
    with (tmp_path / "trace.out").open("wb") as file:
        events = write_one_generation(file, 3, ms=4)
    trace = read_trace(tmp_path / "trace.out")
    assert trace.events == events
    assert (trace.forced, trace.unsettled, trace.warnings, len(trace.generations)) == (0, 0, (), 1)
    woken = sum(w.count for w in trace.waits if w.reason == "runnable")
    assert woken + sum(w.seen for w in trace.waits if w.reason == "first run") == trace.counts["GoStart"]


@pytest.mark.parametrize("kept", [1 << 26, 0])
def test_a_generation_of_tables_alone_is_one_without_events(
    kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container, "KEPT", kept)
    monkeypatch.setattr(container, "CHUNK", 1 << 10)
    many = b"".join(made.string(10 + i, "x" * 900) for i in range(60))
    for extra, events in ((b"", 0), (made.batch(made.events()), 3)):
        trace = read_trace(io.BytesIO(made.made(made.frequency() + extra + made.tables(many))))
        assert [g.events for g in trace.generations] == [events]
        assert trace.warnings == ()


PEAK = """
import sys
from gopherdx.artifacts.trace import read_trace
source = sys.stdin.buffer if sys.argv[1] == "-" else sys.argv[1]
print(read_trace(source, path="trace").events)
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="peaks are read from /proc")
def test_memory_does_not_follow_the_size_of_a_generation(tmp_path: Path) -> None:
    """One generation of 150 MB costs less than what is kept of any generation, 64 MiB, and 24 MB besides."""
    sizes = {"small": 1, "large": 150}
    events = {}
    for name, megabytes in sizes.items():
        with (tmp_path / name).open("wb") as file:
            events[name] = write_one_generation(file, megabytes)

    def peak_mb(name: str, *, piped: bool = False) -> float:
        with (tmp_path / name).open("rb") as file:
            command = [sys.executable, "-c", PEAK, "-" if piped else str(tmp_path / name)]
            done = subprocess.run(command, stdin=file, capture_output=True, text=True, check=True)
        found, kib = done.stdout.split()
        assert int(found) == events[name]
        return int(kib) * 1024 / 1e6

    limit = peak_mb("small") + container.KEPT / 1e6 + 24
    assert peak_mb("large") < limit
    assert peak_mb("large", piped=True) < limit


def test_a_file_that_becomes_shorter_while_it_is_read_is_told(nothing_kept: list[int]) -> None:
    class Shrinking(io.BytesIO):
        """Gives nothing any more once somebody goes back."""

        gone = False

        def seek(self, at: int, how: int = 0) -> int:
            self.gone = self.gone or (how == 0 and at < self.tell())
            return super().seek(at, how)

        def readinto(self, buffer: Any) -> int:
            return 0 if self.gone else super().readinto(buffer)

    with pytest.raises(UnreadableInput, match="became shorter"):
        read_trace(Shrinking(_bytes(NOT_SMALL[0])))
    assert nothing_kept[0]


def test_no_room_for_a_temporary_file_is_told(
    nothing_kept: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with pytest.raises(UnreadableInput, match="No space left on device"):
        read_trace(NOT_SMALL[0])


# --- two threads ---


def test_an_error_in_the_worker_is_raised_to_who_gives_it_work() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    done: list[int] = []
    with pytest.raises(ZeroDivisionError), worker.Worker("test-worker") as one:
        one.put(fail)
        for number in range(100):
            one.put(done.append, number)
    assert len(done) == 0
    with pytest.raises(ZeroDivisionError), worker.Worker("test-worker") as one:
        one.put(fail)
    assert not _threads("test-worker")


def test_leaving_a_worker_by_an_error_leaves_out_what_waits() -> None:
    begun, go_on = threading.Event(), threading.Event()
    done: list[str] = []

    def slow() -> None:
        begun.set()
        go_on.wait(10)
        done.append("slow")

    with pytest.raises(KeyboardInterrupt), worker.Worker("test-worker") as one:
        one.put(slow)
        begun.wait(10)
        one.put(done.append, "waits")
        threading.Timer(0.1, go_on.set).start()
        raise KeyboardInterrupt
    assert done == ["slow"]
    assert not _threads("test-worker")


def test_where_no_thread_can_be_started_the_work_is_done_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = NOT_SMALL[0]
    expected = _kept(path)

    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert _facts(read_trace(path)) == expected


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_an_interrupted_reading_leaves_no_thread(error: type[BaseException]) -> None:
    def progress(phase: str, share: float) -> None:
        if phase == "reading the trace":
            raise error

    with pytest.raises(error):
        read_trace(NOT_SMALL[0], progress=progress)
    assert not _threads("gopherdx-replay")


def test_an_error_of_the_replay_ends_the_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError("no room for the replay")

    monkeypatch.setattr("gopherdx.artifacts.trace.replay.Replay.fold", fail)
    with pytest.raises(MemoryError, match="no room for the replay"):
        read_trace(NOT_SMALL[0])
    assert not _threads("gopherdx-replay")


def _threads(name: str) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == name]


def test_numba_indexes_as_it_did_once_kernels_are_compiled() -> None:
    from numba.np import arrayobj

    usual = arrayobj.fix_integer_index
    with pytest.raises(ZeroDivisionError), build._indices_from_the_front():
        assert arrayobj.fix_integer_index is not usual
        raise ZeroDivisionError
    assert arrayobj.fix_integer_index is usual


def test_a_numba_without_the_function_that_is_replaced_compiles_as_usual(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr("numba.np.arrayobj.fix_integer_index")
    with build._indices_from_the_front():
        from numba.np import arrayobj

        assert not hasattr(arrayobj, "fix_integer_index")
