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
        index=0, reason="sync", stack=1, count=300, open_both=0, open_end=0, ns=4 * ns, total_ns=4 * ns
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
