"""Whose a lock is that a helper takes, and how much of a core a P gets."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from gopherdx.frames import Frame, is_closure_of
from gopherdx.observe import locks

HELPER, CALLER = "main.(*guard).within", "main.(*book).post"


@pytest.mark.parametrize(
    ("function", "is_one"),
    [
        ("main.(*book).post.func1", True),
        ("main.(*book).post.func1.2", True),
        ("main.serve.(*book).post.1", True),  # post was inlined into serve
        ("main.serve.(*book).post.func1", True),
        ("main.(*book).poster.func1", False),
        ("main.(*book).post", False),
        ("main.(*shelf).post.func1", False),
    ],
)
def test_closures_are_named_after_who_makes_them(function: str, is_one: bool) -> None:
    assert is_closure_of(function, CALLER) is is_one


def _trace(*, work: str, samples: int = 300, running_s: float = 3.0) -> Any:
    """Three seconds in which a lock is handed on 300 times in HELPER, which CALLER calls; work is sampled."""
    stacks = [
        (),
        ("sync.(*Mutex).Lock", HELPER, CALLER, "main.main"),
        ("sync.(*Mutex).Unlock", HELPER, CALLER, "main.main"),
        ("main.hash", work, HELPER, CALLER, "main.main"),
    ]
    frames = [[Frame(f, "/src/main.go", n) for n, f in enumerate(s, 1)] for s in stacks]
    ns = int(3e9)
    wait = SimpleNamespace(
        short=0,
        index=0,
        reason="sync",
        stack=1,
        count=300,
        open_both=0,
        open_end=0,
        ns=4 * ns,
        total_ns=4 * ns,
    )
    wake = SimpleNamespace(
        wait=0, waker=2, count=300, ns=4 * ns, hold_ns=ns, hold_known_ns=ns, hold_running_ns=ns
    )
    site = SimpleNamespace(
        function=HELPER, busy_ns=ns, waiters_ns=4 * ns, running_ns=ns, runnable_ns=0, handovers=300
    )
    return SimpleNamespace(
        duration_ns=ns,
        gomaxprocs=8,
        locks=[site],
        waits=[wait],
        wakes=[wake],
        running_ns=int(running_s * 1e9),
        gc=SimpleNamespace(mark_ns={}),
        samples=[SimpleNamespace(stack=3, count=samples)],
        stack=frames.__getitem__,
    )


def _subjects(trace: Any) -> set[str]:
    return {item.subject for item in locks.of_trace(trace).items if item.subject}


def test_a_lock_taken_for_a_closure_is_the_callers() -> None:
    assert _subjects(_trace(work=f"{CALLER}.func1")) == {CALLER}


def test_a_method_that_works_itself_holds_its_lock() -> None:
    assert _subjects(_trace(work="main.scale")) == {HELPER}


@pytest.mark.parametrize(
    ("samples", "running_s", "share"),
    [(300, 3.0, 1.0), (300, 6.0, 0.5), (0, 3.0, 1.0), (120, 60.0, 0.1), (900, 3.0, 1.0)],
)
def test_a_spare_p_counts_as_much_of_a_core_as_ps_get(samples: int, running_s: float, share: float) -> None:
    trace = _trace(work="main.scale", samples=samples, running_s=running_s)
    assert locks.core_share(trace) == pytest.approx(share)
    lost = {i.name: i.value for i in locks.of_trace(trace).items}["lock.cores_lost"]
    assert cast("float", lost) == pytest.approx(4 * share)  # four wait and seven Ps are spare


def _hold(trace: Any) -> dict[str, Any]:
    return {i.name: i.value for i in locks.of_trace(trace).items if i.subject == HELPER}


@pytest.mark.parametrize(
    ("short", "samples", "share"),
    [(0, 0, 1.0), (100, 0, 1.0), (300, 0, None), (300, 30, 0.1), (300, 300, 1.0)],
)
def test_system_calls_without_a_length_make_what_a_holder_does_unknown(
    short: int, samples: int, share: float | None
) -> None:
    """As traces up to Go 1.21 have them: an fsync that keeps its P looks like running."""
    trace = _trace(work="main.scale", samples=samples)
    trace.waits.append(SimpleNamespace(short=short, reason="syscall", stack=3, count=0))
    if not samples:
        trace.samples = []
    seen = _hold(trace)
    assert seen.get("lock.holder_running_share") == (None if share is None else pytest.approx(share))
    assert ("lock.untimed_calls" in seen) is (share is None)


def test_what_one_unlock_ended_is_laid_to_whoever_is_known_to_hold_the_lock() -> None:
    """A spinning goroutine gets a mutex with no event: an unlock now and then ends waits for others' work."""
    trace = _trace(work="main.scale")
    frames = [Frame(f, "/src/main.go", n) for n, f in enumerate(("sync.(*Mutex).Unlock", "main.peek"), 1)]
    stack = trace.stack
    trace.stack = lambda index: frames if index == 4 else stack(index)
    known = trace.wakes[0]
    known.hold_ns = known.hold_known_ns = known.hold_running_ns = int(1e9)
    trace.wakes.append(
        SimpleNamespace(wait=0, waker=4, count=1, ns=10**9, hold_ns=10**9, hold_known_ns=0, hold_running_ns=0)
    )
    assert _subjects(trace) == {HELPER}
    assert _hold(trace)["lock.hold_share"] == pytest.approx(2 / 3)
    assert _hold(trace)["lock.holder_running_share"] == pytest.approx(1.0)
