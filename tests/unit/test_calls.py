"""How many calls a unit of work makes: the reading of an answer is part of the call that it follows."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gopherdx.frames import Frame
from gopherdx.observe import calls

SERVE = ("net/http.HandlerFunc.ServeHTTP", "net/http.serverHandler.ServeHTTP", "net/http.(*conn).serve")
TRIP = (
    "runtime.selectgo", "net/http.(*persistConn).roundTrip", "net/http.(*Transport).roundTrip",
    "net/http.send", "net/http.(*Client).Do", "main.fetch", "main.page", *SERVE,
)  # fmt: skip
BODY = (
    "internal/poll.(*FD).Read", "net.(*conn).Read", "net/http.(*persistConn).Read", "bufio.(*Reader).Read",
    "net/http.(*body).Read", "net/http.(*bodyEOFSignal).Read", "io.ReadAll", "main.fetch", "main.page",
    *SERVE,
)  # fmt: skip


def _wait(index: int, stack: int, count: int, each_ms: float, reason: str) -> Any:
    ns = each_ms * 1e6
    histogram = np.zeros(96, dtype=np.int64)
    histogram[int(2 * np.log2(ns))] = count
    return SimpleNamespace(
        index=index, stack=stack, count=count, ns=int(count * ns), reason=reason, histogram=histogram,
        quantile_ns=lambda _: ns,
    )  # fmt: skip


def _page(requests: int, trips: int, trip_ms: float, reads: int, read_ms: float) -> dict[str, Any]:
    """Each request makes so many calls, one after another, and reads each answer in so many steps."""
    stacks = [(), TRIP, BODY]
    frames = [tuple(Frame(f, "/src/main.go", n) for n, f in enumerate(s, 1)) for s in stacks]
    calls_made = requests * trips
    follows = [(0, None, requests), (0, 1, calls_made - requests), (1, 0, calls_made)]
    trace = SimpleNamespace(
        waits=[
            _wait(0, 1, calls_made, trip_ms, "select"),
            _wait(1, 2, calls_made * reads, read_ms, "network"),
        ],
        wakes=[],
        sequence=[
            SimpleNamespace(wait=wait, before=before, count=count, ns=0, gap_ns=0)
            for wait, before, count in [*follows, (1, 1, calls_made * (reads - 1))]
        ],
        stack=frames.__getitem__,
    )
    return {item.name: item.value for item in calls.of_trace(trace).items}  # type: ignore[arg-type]


def test_a_stream_that_is_passed_on_is_one_call() -> None:
    seen = _page(requests=20, trips=1, trip_ms=3, reads=60, read_ms=30)
    assert seen["calls.per_unit"] == pytest.approx(1)
    assert seen["calls.saved_share"] == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize(("trip_ms", "reads"), [(20.0, 1), (20.0, 4), (0.05, 4)])
def test_a_call_counts_if_its_answer_is_late_or_long(trip_ms: float, reads: int) -> None:
    seen = _page(requests=20, trips=3, trip_ms=trip_ms, reads=reads, read_ms=10)
    assert seen["calls.per_unit"] == pytest.approx(3)
    assert seen["calls.saved_share"] == pytest.approx(2 / 3, abs=0.01)
