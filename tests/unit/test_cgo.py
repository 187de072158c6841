"""Who is inside C functions, for how long at a time, and for whom."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gopherdx.frames import Frame, c_caller
from gopherdx.observe import cgo

MS = 1_000_000
SECOND = 1000 * MS
SERVED = ("main._Cfunc_scale", "main.scale", "main.(*shop).page", "net/http.HandlerFunc.ServeHTTP")
POLL = ("main._Cfunc_poll", "main.consume")
WORK = ("main._C2func_pack", "main.pack", "main.batch.func1")


def _stack(functions: tuple[str, ...]) -> list[Frame]:
    return [Frame(f, "/src/main.go", n) for n, f in enumerate(functions, 1)]


def _stays(count: int, each_ns: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    histogram = np.zeros(96, dtype=np.int64)
    octave = each_ns.bit_length() - 1
    histogram[2 * octave + (each_ns >> (octave - 1) & 1)] = count
    return histogram


def _wait(index: int, stack: int, *, count: int, each_ns: int, reason: str = "syscall") -> Any:
    return SimpleNamespace(
        index=index, reason=reason, stack=stack, count=count, ns=count * each_ns, max_ns=each_ns,
        open_start=0, open_end=0, open_both=0, open_start_ns=0, open_end_ns=0, open_both_ns=0,
        open_end_max_ns=0, total_ns=count * each_ns, histogram=_stays(count, each_ns),
    )  # fmt: skip


def _trace(
    functions: tuple[str, ...], *, count: int, each_ns: int, groups: tuple[Any, ...] = (), **more: Any
) -> Any:
    """Two seconds on two Ps in which one C function is called ``count`` times, ``each_ns`` a call."""
    stacks = [[], _stack(functions), _stack(("runtime.chansend1", "main.feed"))]
    waits = [_wait(0, 1, count=count, each_ns=each_ns)]
    if "late_ms" in more:
        waits.append(_wait(1, 2, count=100, each_ns=more["late_ms"] * MS, reason="runnable"))
    return SimpleNamespace(
        duration_ns=2 * SECOND, gomaxprocs=2, waits=waits, wakes=[], groups=groups,
        samples=[SimpleNamespace(stack=1, count=more.get("samples", 0))], sampled="samples" in more,
        running_ns=more.get("running_ns", SECOND), runnable_ns=more.get("runnable_ns", 0),
        gc=SimpleNamespace(mark_ns={}), stack=stacks.__getitem__,
    )  # fmt: skip


def _said(trace: Any) -> dict[str, Any]:
    return {item.name: item.value for item in cgo.of_trace(trace).items}


def test_threads_in_c_beyond_the_ps_crowd() -> None:
    said = _said(_trace(SERVED, count=400, each_ns=50 * MS))
    assert said["cgo.held_mean"] == pytest.approx(10)
    assert said["cgo.call_ms"] == pytest.approx(50)
    assert said["cgo.crowd"] == pytest.approx(8)
    assert said["cgo.served_share"] == 1


def test_calls_of_microseconds_hold_no_thread_however_many() -> None:
    assert _said(_trace(SERVED, count=3_000_000, each_ns=600)) == {}


def test_a_long_call_in_the_background_crowds_nobody() -> None:
    said = _said(_trace(POLL, count=4, each_ns=250 * MS))
    assert said["cgo.crowd"] == 0
    assert said["cgo.served_share"] == 0


def test_a_poll_loop_works_for_nobody_and_a_goroutine_for_each_piece_of_work_does() -> None:
    # Up to Go 1.21 the group is that of the wrapper, main.batch.func2, and stacks show main.batch.func1.
    poll = SimpleNamespace(function="main.consume", created=0, ended=0, live_max=16)
    piece = SimpleNamespace(function="main.batch.func2", created=40, ended=30, live_max=12)
    assert _said(_trace(POLL, count=400, each_ns=50 * MS, groups=(poll,)))["cgo.served_share"] == 0
    assert _said(_trace(WORK, count=400, each_ns=50 * MS, groups=(piece,)))["cgo.served_share"] == 1


def test_calls_that_already_queue_in_go_keep_no_ps() -> None:
    group = SimpleNamespace(function=SERVED[-1], created=0, ended=0, live_max=12)
    waiting = {"late_ms": 40, "runnable_ns": 30 * 2 * SECOND, "running_ns": SECOND // 10}
    trace = _trace(SERVED, count=600, each_ns=6 * MS, groups=(group,), **waiting)
    queue = ("runtime.selectgo", "main.(*shop).page", "net/http.HandlerFunc.ServeHTTP")
    stacks = [trace.stack(0), trace.stack(1), trace.stack(2), _stack(queue)]
    trace.stack = stacks.__getitem__
    trace.waits.append(_wait(2, 3, count=100, each_ns=100 * MS, reason="select"))
    assert _said(trace)["cgo.crowd"] == 0


@pytest.mark.parametrize(
    ("callers", "running_ns", "crowd"),
    [
        (12, SECOND // 10, 30),
        (12, 4 * SECOND, 0),  # Go code runs on both Ps: they are not C's
        (2, SECOND // 10, 0),  # no more callers than Ps: fewer at a time would not help
    ],
)
def test_calls_that_keep_the_ps_crowd_those_who_wait(callers: int, running_ns: int, crowd: float) -> None:
    group = SimpleNamespace(function=SERVED[-1], created=0, ended=0, live_max=callers)
    waiting = {"late_ms": 40, "runnable_ns": 30 * 2 * SECOND, "running_ns": running_ns}
    trace = _trace(SERVED, count=600, each_ns=6 * MS, groups=(group,), **waiting)
    assert _said(trace)["cgo.crowd"] == pytest.approx(crowd)


def test_the_share_of_cpu_in_c_is_told_where_the_trace_has_samples() -> None:
    assert _said(_trace(SERVED, count=400, each_ns=50 * MS, samples=90))["cgo.cpu_share"] == 1
    without = cgo.of_trace(_trace(SERVED, count=400, each_ns=50 * MS))
    assert "cgo.cpu_share" not in without.looked
    assert "cgo.crowd" in without.looked


@pytest.mark.parametrize(
    ("functions", "caller"),
    [
        (SERVED, "main.scale"),
        (("runtime.cgocall", "main._Cfunc_scale", "main.scale"), "main.scale"),
        (("main._Cfunc_scale", "main.scale.func1", "main.scale", "main.main"), "main.scale"),
        (("example.com/lib/c._C2func_open", "example.com/lib/c.Open"), "example.com/lib/c.Open"),
        (("runtime.cgocall", "main.callSymbol"), "main.callSymbol"),
        (("net._C2func_getaddrinfo", "net._C_getaddrinfo.func1", "main.dial"), None),
        (("syscall.Syscall", "os.(*File).Sync", "main.keep"), None),
        (("runtime.chansend1", "main.callback", "runtime.cgocallback", "main._Cfunc_run", "main.run"), None),
        (("runtime.notetsleepg", "os/signal.signal_recv", "os/signal.loop"), None),
        ((), None),
    ],
)
def test_the_function_that_calls_c(functions: tuple[str, ...], caller: str | None) -> None:
    frame = c_caller(_stack(functions))
    assert (frame.function if frame else None) == caller
