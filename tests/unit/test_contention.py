"""Mutex and block profiles: what they say of locks and connection pools, and what they cannot."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Literal

import pytest

from gopherdx import frames as fr
from gopherdx.artifacts.dump import read_dumps
from gopherdx.artifacts.metrics import read_metrics
from gopherdx.artifacts.pprof import Profile, read_profile
from gopherdx.artifacts.profile_pb2 import Profile as Message
from gopherdx.errors import UnreadableInput
from gopherdx.frames import Frame
from gopherdx.kb import load_kb
from gopherdx.model import Observations
from gopherdx.observe import contention, observe, pools
from gopherdx.observe.said import Said
from gopherdx.reason import chain, confidence

Waits = tuple[Sequence[str], int, float]
"""A stack from its innermost frame, how many waits, and their seconds."""

UNLOCK = ("sync.(*Mutex).Unlock", "main.(*store).get", "main.handle")
CONN = ("runtime.selectgo", "database/sql.(*DB).conn", "database/sql.(*DB).query", "main.find", "main.handle")
DRIVER = ("net.(*conn).Read", "main.(*session).ask", "database/sql.(*DB).queryDC", "main.find", "main.handle")


def profile(kind: str, *waits: Waits, seconds: float = 0.0, at_s: int = 0) -> Profile:
    """A mutex, block, cpu or goroutine profile with these stacks."""
    columns = {
        "cpu": [("samples", "count"), ("cpu", "nanoseconds")],
        "goroutine": [("goroutine", "count")],
    }.get(kind, [("contentions", "count"), ("delay", "nanoseconds")])
    message = Message(duration_nanos=int(seconds * 1e9), time_nanos=at_s * 10**9)
    strings = [""]

    def text(value: str) -> int:
        if value not in strings:
            strings.append(value)
        return strings.index(value)

    for name, unit in columns:
        message.sample_type.add(type=text(name), unit=text(unit))
    functions: dict[str, int] = {}
    for stack, count, delay_s in waits:
        for name in stack:
            if name not in functions:
                functions[name] = number = len(functions) + 1
                message.function.add(id=number, name=text(name), filename=text("/src/main.go"))
                message.location.add(id=number).line.add(function_id=number, line=7)
        values = [count, int(delay_s * 1e9)][: len(columns)]
        message.sample.add(location_id=[functions[name] for name in stack], value=values)
    message.string_table.extend(strings)
    return read_profile(message.SerializeToString(), path=f"{kind}.pprof")


def values(said: Said | Observations, subject: str) -> dict[str, object]:
    return {item.name: item.value for item in said.items if item.subject == subject}


def verdict(*profiles: object) -> confidence.Verdict:
    kb = load_kb()
    seen = observe(profiles)
    concluded = chain.run(kb, seen)
    assert concluded.errors == ()
    return confidence.judge(kb, seen, concluded)


def likely(*profiles: object) -> list[tuple[str, str | None]]:
    found = [f for f in verdict(*profiles).findings if f.level == "likely"]
    return [(f.id, f.location.function if f.location else None) for f in found]


# Reading them


def test_one_profile_has_waits_and_no_rate() -> None:
    said = contention.of_mutex([profile("mutex", (UNLOCK, 2000, 40.0))])
    assert values(said, "main.(*store).get") == {
        "mutex.waits": 2000, "mutex.wait_ms": 20, "mutex.delay_s": 40,
    }  # fmt: skip
    assert "mutex.mean_waiters" not in said.looked


def test_a_profile_of_some_seconds_has_a_rate() -> None:
    said = contention.of_mutex([profile("mutex", (UNLOCK, 2000, 40.0), seconds=10)])
    assert values(said, "main.(*store).get")["mutex.mean_waiters"] == 4


def test_two_profiles_tell_what_came_between_them() -> None:
    before = profile("mutex", (UNLOCK, 1000, 10.0), at_s=100)
    now = profile("mutex", (UNLOCK, 1500, 40.0), at_s=110)
    seen = values(contention.of_mutex([before, now]), "main.(*store).get")
    assert (seen["mutex.waits"], seen["mutex.delay_s"], seen["mutex.mean_waiters"]) == (500, 30, 3)


def test_locks_of_the_runtime_are_nobodys() -> None:
    lost = ("runtime._LostContendedRuntimeLock",)
    own = ("runtime.unlock", "runtime.mallocgc", "main.(*store).get")
    said = contention.of_mutex([profile("mutex", (lost, 9000, 90.0), (own, 9000, 90.0), (UNLOCK, 5, 0.001))])
    assert said.items == ()
    assert "mutex.wait_ms" in said.looked


def test_an_empty_profile_was_never_switched_on_and_shows_no_absence() -> None:
    assert contention.of_mutex([profile("mutex")]).looked == frozenset()
    assert pools.of_block([profile("block")]).looked == frozenset()


def test_all_instances_of_a_generic_function_are_one() -> None:
    stacks = [("sync.(*Mutex).Unlock", f"main.(*memo[go.shape.{t}]).get") for t in ("int", "string")]
    said = contention.of_mutex([profile("mutex", *((s, 50, 1.0) for s in stacks))])
    assert values(said, "main.(*memo[...]).get")["mutex.waits"] == 100


def test_a_young_process_has_no_known_age() -> None:
    def metrics(cpu_s: float) -> SimpleNamespace:
        names = {"/sched/gomaxprocs:threads": 2.0, "/cpu/classes/total:cpu-seconds": cpu_s}
        return SimpleNamespace(kind="metrics", values=names, time_ns=0)

    assert contention.uptime_s([metrics(100.0)]) == 0
    assert contention.uptime_s([metrics(7200.0)]) == 3600


# G101


def test_long_waits_for_one_holder_are_found_in_a_mutex_profile_alone() -> None:
    assert likely(profile("mutex", (UNLOCK, 2000, 40.0))) == [("G101", "main.(*store).get")]
    assert likely(profile("mutex", (UNLOCK, 2000, 40.0), seconds=10)) == [("G101", "main.(*store).get")]


@pytest.mark.parametrize(
    ("delay_s", "seconds", "found"), [(40.0, 0, True), (40.0, 5, True), (10.0, 10, False)]
)
def test_of_a_lock_that_is_held_long_few_waits_end(delay_s: float, seconds: float, found: bool) -> None:
    seen = likely(profile("mutex", (UNLOCK, 70, delay_s), seconds=seconds))
    assert (seen == [("G101", "main.(*store).get")]) is found


@pytest.mark.parametrize(
    ("count", "delay_s", "seconds"),
    [
        (40_000, 40.0, 0.0),  # a short critical section: many waits of a millisecond
        (40_000, 40.0, 10.0),
        (40, 4.0, 0.0),  # a burst
        (300, 3.0, 0.0),  # too little in all, where nobody knows since when
        (300, 3.0, 60.0),  # nobody waits for most of the time
    ],
)
def test_what_a_busy_but_healthy_lock_leaves_in_a_mutex_profile(
    count: int, delay_s: float, seconds: float
) -> None:
    assert likely(profile("mutex", (UNLOCK, count, delay_s), seconds=seconds)) == []


@pytest.mark.parametrize(("age_s", "found"), [(1000, True), (86400, False)])
def test_what_adds_up_over_a_long_life_is_no_queue(age_s: int, found: bool) -> None:
    names = {"/sched/gomaxprocs:threads": 2, "/cpu/classes/total:cpu-seconds": 2 * age_s}
    (metrics,) = read_metrics(io.BytesIO(json.dumps(names).encode()), path="metrics.json")
    mutex = profile("mutex", (UNLOCK, 100_000, 2000.0))
    said = contention.of_capture([mutex, metrics])
    assert values(said, "main.(*store).get")["mutex.life_waiters"] == pytest.approx(2000 / age_s, rel=1e-4)
    assert (likely(mutex, metrics) == [("G101", "main.(*store).get")]) is found


def test_a_cpu_profile_settles_whether_the_holder_computes() -> None:
    mutex = profile("mutex", (UNLOCK, 2000, 40.0))
    busy = profile("cpu", (("main.scale", "main.(*store).get", "main.handle"), 450, 4.5), seconds=5)
    idle = profile("cpu", (("main.encode", "main.handle"), 20, 0.2), seconds=5)
    assert likely(mutex, busy) == [("G101", "main.(*store).get")]
    assert verdict(mutex, busy).findings[0].confidence > verdict(mutex).findings[0].confidence
    assert likely(mutex, idle) == []


def test_a_block_profile_shows_a_holder_that_calls_another_service() -> None:
    mutex = profile("mutex", (UNLOCK, 1000, 40.0))
    call = ("runtime.selectgo", "net/http.(*persistConn).roundTrip", "main.(*store).get", "main.handle")
    lock = ("sync.(*Mutex).Lock", "main.(*store).get", "main.handle")
    assert likely(mutex, profile("block", (call, 1000, 4.5), (lock, 1000, 40.0))) == []
    assert likely(mutex, profile("block", (lock, 1000, 40.0))) == [("G101", "main.(*store).get")]


# G102


def test_waits_for_a_connection_are_found_in_a_block_profile_alone() -> None:
    assert likely(profile("block", (CONN, 1500, 60.0))) == [("G102", "main.find")]


@pytest.mark.parametrize(
    ("count", "delay_s"),
    [
        (60, 60.0),  # as long as a time limit
        (20, 6.0),  # a burst
        (5000, 6.0),  # a moment each
        (600, 2.0),  # too little in all
    ],
)
def test_waits_for_a_connection_that_are_no_small_pool(count: int, delay_s: float) -> None:
    assert likely(profile("block", (CONN, count, delay_s))) == []


def test_a_moment_with_waiters_and_busy_connections_is_found_in_a_goroutine_profile() -> None:
    assert likely(profile("goroutine", (CONN, 18, 0), (DRIVER, 4, 0))) == [("G102", "main.find")]


def test_lost_connections_have_the_same_waiters_and_nobody_in_the_driver() -> None:
    assert likely(profile("goroutine", (CONN, 18, 0))) == []
    # The block profile alone cannot tell; what the goroutines do refutes it.
    block = profile("block", (CONN, 1500, 60.0))
    assert likely(block, profile("goroutine", (CONN, 18, 0))) == []


def test_a_call_inside_a_transaction_shows_in_the_block_profile() -> None:
    watch = ("runtime.chanrecv1", "database/sql.(*Tx).awaitDone", "database/sql.(*DB).beginDC.gowrap1")
    call = ("runtime.selectgo", "net/http.(*persistConn).roundTrip", "main.find", "main.handle")
    queue: Waits = (CONN, 1500, 60.0)
    assert likely(profile("block", queue, (watch, 1500, 50.0), (call, 1500, 45.0))) == []
    assert likely(profile("block", queue, (watch, 1500, 50.0))) == [("G102", "main.find")]
    # Without transactions, and beside short ones, the call may as well come before the query.
    assert likely(profile("block", queue, (call, 1500, 45.0))) == [("G102", "main.find")]
    assert likely(profile("block", queue, (watch, 1500, 5.0), (call, 1500, 45.0))) == [("G102", "main.find")]


class _Trace(SimpleNamespace):
    def stack(self, index: int) -> object:
        return self.stacks[index]


def _trace(*, driver_ns: int, handed: bool) -> _Trace:
    """Ten seconds in which ten goroutines wait for a connection all the time, 20 ms each."""
    give = ("runtime.chansend1", "database/sql.(*DB).putConnDBLocked", "database/sql.(*DB).putConn")
    out = ("context.(*timerCtx).cancel",)
    stacks = [[Frame(f, "", 1) for f in s] for s in ((), CONN, DRIVER, give, out)]

    def wait(index: int, reason: str, count: int, ns: int) -> SimpleNamespace:
        return SimpleNamespace(index=index, reason=reason, stack=index + 1, count=count, ns=ns, total_ns=ns)

    waits = [wait(0, "select", 5000, 100 * 10**9), wait(1, "network", 5000, driver_ns)]
    wakes = [SimpleNamespace(wait=0, waker=3 if handed else 4, count=5000)]
    return _Trace(kind="trace", stacks=stacks, waits=waits, wakes=wakes, duration_ns=10 * 10**9)


def test_the_number_of_goroutines_inside_the_driver_is_the_size_of_the_pool() -> None:
    seen = values(pools.of_trace(_trace(driver_ns=40 * 10**9, handed=True)), "main.find")  # type: ignore[arg-type]
    assert (seen["pool.in_driver"], seen["pool.waiters"], seen["pool.wait_ms"]) == (4, 10, 20)
    assert (seen["pool.drive_ms"], seen["pool.handed_share"]) == (8, 1)
    assert seen["pool.wait_share"] == pytest.approx(20 / 28, rel=1e-4)


def test_connections_that_never_come_back_leave_nobody_inside_the_driver() -> None:
    seen = values(pools.of_trace(_trace(driver_ns=0, handed=False)), "main.find")  # type: ignore[arg-type]
    assert (seen["pool.in_driver"], seen["pool.handed_share"]) == (0, 0)


def test_a_dump_of_one_goroutine_says_nothing_of_a_pool() -> None:
    text = b"panic: full\n\ngoroutine 7 [running]:\nmain.handle()\n\t/src/main.go:7 +0x1d\nexit status 2\n"
    (dump,) = read_dumps(io.BytesIO(text), path="log", limit_bytes=1 << 20)
    assert not dump.whole
    assert pools.of_goroutines(dump).looked == frozenset()


def test_a_dump_tells_the_queue_and_its_age() -> None:
    frames = (
        "database/sql.(*DB).conn(0xc0, 0x1)\n\t/sql.go:1369 +0x1\nmain.find(0x2)\n\t/src/main.go:7 +0x1\n"
    )
    text = "".join(f"goroutine {n} [select, 3 minutes]:\n{frames}\n" for n in range(1, 6))
    (dump,) = read_dumps(io.BytesIO(text.encode()), path="dump", limit_bytes=1 << 20)
    seen = values(pools.of_goroutines(dump), "main.find")
    assert (seen["dump.pool_waiters"], seen["dump.pool_in_driver"], seen["dump.pool_wait_minutes"]) == (
        5,
        0,
        3,
    )


def test_transactions_that_are_open_during_a_call_hold_connections_that_nobody_uses() -> None:
    watch = ("runtime.chanrecv1", "database/sql.(*Tx).awaitDone", "database/sql.(*DB).beginDC.gowrap1")
    seen = values(
        pools.of_goroutines(profile("goroutine", (CONN, 20, 0), (DRIVER, 2, 0), (watch, 10, 0))), "main.find"
    )
    assert seen["dump.pool_used_share"] == pytest.approx(0.2)
    assert likely(profile("goroutine", (CONN, 20, 0), (DRIVER, 2, 0), (watch, 10, 0))) == []
    assert likely(profile("goroutine", (CONN, 20, 0), (DRIVER, 9, 0), (watch, 10, 0))) == [
        ("G102", "main.find")
    ]


# Recordings from outside, and what each toolchain calls things


@pytest.mark.parametrize("kind", ["mutex", "block"])
def test_no_published_profile_has_a_bug_of_these(realworld: Path, kind: Literal["mutex", "block"]) -> None:
    manifest = (realworld / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    files = [m["file"] for m in map(json.loads, manifest) if m["kind"] == kind]
    read = []
    for file in files:
        try:
            read.append(read_profile((realworld / file).read_bytes(), path=file))
        except UnreadableInput:  # the old text form
            continue
    assert read
    assert {p.path: likely(dataclasses.replace(p, kind=kind)) for p in read} == {p.path: [] for p in read}


def _toolchains() -> list[Path]:
    return [Path(v) for k, v in sorted(os.environ.items()) if k.startswith("GOPHERDX_GO_1_")]


@pytest.mark.parametrize("go", _toolchains() or [pytest.param(Path(), marks=pytest.mark.skip)])
def test_each_toolchain_has_the_frames_that_a_pool_is_known_by(go: Path) -> None:
    root = subprocess.run([go, "env", "GOROOT"], capture_output=True, text=True, check=True).stdout.strip()
    source = (Path(root) / "src" / "database" / "sql" / "sql.go").read_text(encoding="utf-8")
    methods = re.findall(r"^func \(\w+ (\*\w+)\) (\w+)\(", source, re.M)
    symbols = [f"database/sql.({receiver}).{method}" for receiver, method in methods]
    assert "database/sql.(*DB).conn" in symbols
    given = {s.rsplit(".", 1)[1] for s in symbols if fr.POOL_GIVE.match(s)}
    assert {"putConn", "putConnDBLocked", "openNewConnection"} <= given
    held = [s for s in symbols if fr.POOL_HELD.match(s)]
    assert sorted(held) == ["database/sql.(*Rows).awaitDone", "database/sql.(*Tx).awaitDone"]
    waits = source.split("func (db *DB) conn(", 1)[1].split("\nfunc ", 1)[0]
    assert "case ret, ok := <-req:" in waits  # a select in conn itself
