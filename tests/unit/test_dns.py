"""Waits for addresses: how long, how many look-ups they are, and whose."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gopherdx.frames import Frame
from gopherdx.observe import dns

MS = 1_000_000
SECOND = 1000 * MS
LOOKUP = ("runtime.selectgo", "net.(*Resolver).lookupIPAddr", "net.(*Resolver).internetAddrList")
DIALS = (*LOOKUP, "net.(*Dialer).DialContext", "main.send", "main.main")
TRANSPORT = (*LOOKUP, "net.(*Dialer).DialContext", "net/http.(*Transport).dialConnFor")
GRPC = (*LOOKUP, "net.(*Dialer).DialContext", "google.golang.org/grpc.(*addrConn).connect")
ASKS = ("net.(*netFD).Read", "net.(*Resolver).exchange", "net.(*Resolver).goLookupIPCNAMEOrder.func3.1")
FLIGHT = ("internal/singleflight.(*Group).DoChan", *DIALS[1:])
FLIGHT_OF_TRANSPORT = ("internal/singleflight.(*Group).DoChan", *TRANSPORT[1:])
STARTS = "net/http.(*Transport).startDialConnForLocked"

_Group = tuple[str, int, int, int]


def _caller(function: str) -> tuple[str, ...]:
    return (STARTS, "net/http.(*Transport).getConn", "net/http.(*Client).Do", function)


def _wait(index: int, *, count: int, each_ns: int, reason: str = "select", still: int = 0) -> Any:
    histogram = np.zeros(96, dtype=np.int64)
    octave = each_ns.bit_length() - 1
    histogram[2 * octave + (each_ns >> (octave - 1) & 1)] = count
    return SimpleNamespace(
        index=index, reason=reason, stack=index + 1, count=count, ns=count * each_ns, seen=count + still,
        open_start=0, open_end=still, open_both=0, open_start_ns=0, open_end_ns=still * SECOND,
        open_both_ns=0, total_ns=count * each_ns + still * SECOND, histogram=histogram,
    )  # fmt: skip


def _trace(
    *stacks: tuple[str, ...], waits: list[Any], groups: Sequence[tuple[str, int, int, int]] = ()
) -> Any:
    """Two seconds. ``groups``: (start function, stack of creation, created, ns waiting)."""
    frames = [[Frame(f, "/src/main.go", n) for n, f in enumerate(s, 1)] for s in ((), *stacks)]
    made = [SimpleNamespace(function=f, created_at=s, created=n, waiting_ns=ns) for f, s, n, ns in groups]
    return SimpleNamespace(duration_ns=2 * SECOND, waits=waits, stack=frames.__getitem__, groups=made)


def _said(trace: Any) -> dict[str, dict[str, Any]]:
    out: dict[str, dict[str, Any]] = {}
    for item in dns.of_trace(trace).items:
        out.setdefault(item.subject, {})[item.name] = item.value
    return out


def test_a_dial_waits_for_the_address_and_its_function_is_named() -> None:
    group = ("internal/singleflight.(*Group).doCall", 2, 20, 0)
    said = _said(_trace(DIALS, FLIGHT, waits=[_wait(0, count=40, each_ns=100 * MS)], groups=[group]))
    assert set(said) == {"main.send"}
    assert said["main.send"]["dns.lookup_ms"] == pytest.approx(100)
    assert said["main.send"]["dns.waiting_mean"] == pytest.approx(2)
    assert said["main.send"]["dns.asked"] == 20
    assert said["main.send"]["dns.wait_share"] == 1


def test_many_that_wait_for_one_look_up_are_one_look_up() -> None:
    group = ("internal/singleflight.(*Group).doCall", 2, 1, 0)
    said = _said(_trace(DIALS, FLIGHT, waits=[_wait(0, count=40, each_ns=100 * MS)], groups=[group]))
    assert said["main.send"]["dns.asked"] == 1


def test_the_resolvers_own_goroutines_wait_for_nobody() -> None:
    assert _said(_trace(ASKS, waits=[_wait(0, count=40, each_ns=100 * MS, reason="network")])) == {}


def test_quick_look_ups_are_not_told() -> None:
    assert _said(_trace(DIALS, waits=[_wait(0, count=400, each_ns=MS // 5)])) == {}


def test_the_transports_look_ups_belong_to_those_who_made_it_dial() -> None:
    groups = [
        (f"{STARTS}.func1", 2, 30, 3 * SECOND),
        (f"{STARTS}.func1", 3, 10, SECOND),
        ("internal/singleflight.(*Group).doCall", 4, 8, 0),
    ]
    waits = [_wait(0, count=40, each_ns=100 * MS)]
    stacks = (TRANSPORT, _caller("main.fetch"), _caller("main.push"), FLIGHT_OF_TRANSPORT)
    said = _said(_trace(*stacks, waits=waits, groups=groups))
    assert set(said) == {"main.fetch", "main.push"}
    assert said["main.fetch"]["dns.waits_per_s"] == pytest.approx(15)
    assert said["main.push"]["dns.waits_per_s"] == pytest.approx(5)
    assert said["main.fetch"]["dns.asked"] == pytest.approx(6)


def test_look_ups_of_a_library_that_nobody_is_known_to_have_asked_for_have_no_place() -> None:
    said = _said(_trace(GRPC, waits=[_wait(0, count=10, each_ns=100 * MS)]))
    assert set(said) == {""}


def test_a_name_server_that_does_not_answer_leaves_waits_open() -> None:
    said = _said(_trace(DIALS, waits=[_wait(0, count=0, each_ns=100 * MS, still=4)]))
    assert said["main.send"]["dns.lookup_ms"] == pytest.approx(1000)
