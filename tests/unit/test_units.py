"""Units of work and their critical path, on traces whose every event is known."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gopherdx import frames as fr
from gopherdx import model
from gopherdx.artifacts.trace import kernels
from gopherdx.artifacts.trace import units as unit_tables
from gopherdx.artifacts.trace.reader import read_trace
from gopherdx.artifacts.trace.tables import Trace, Unit, UnitKind
from gopherdx.observe import units
from gopherdx.report.units import told
from gopherdx.saved import Kept, from_json, to_json
from tests.unit.trace_writer import TraceWriter

SERVE = [("net/http.serverHandler.ServeHTTP", 1), ("net/http.(*conn).serve", 1)]
IDLE = [
    ("internal/poll.(*FD).Read", 1),
    ("net.(*conn).Read", 1),
    ("net/http.(*connReader).Read", 1),
    ("bufio.(*Reader).Peek", 1),
    ("net/http.(*conn).serve", 2),
]


def read(writer: TraceWriter, tmp_path: Path) -> Trace:
    return read_trace(writer.write(tmp_path / "trace.out"))


def kind(trace: Trace, what: str, name: str) -> UnitKind:
    (found,) = [k for k in trace.units if (k.kind, k.name) == (what, name)]
    return found


def parts(unit: Unit) -> dict[tuple[str, str], float]:
    """ms by what and function; together they are the unit's length."""
    out: dict[tuple[str, str], float] = {}
    for part in unit.parts:
        key = (part.what, part.function)
        out[key] = out.get(key, 0.0) + part.ns / 1e6
    assert sum(part.ns for part in unit.parts) == unit.ns
    return {key: round(ms, 6) for key, ms in out.items()}


def call(line: int, callee: str) -> list[tuple[str, int]]:
    return [
        ("runtime.selectgo", 1),
        ("net/http.(*persistConn).roundTrip", 1),
        (callee, 5),
        ("main.page", line),
    ]


def page(trace: TraceWriter, ms: float) -> float:
    """A request of 220 ms: three calls, each answered through a goroutine of the client's own."""
    loop = [("net/http.(*persistConn).readLoop", 1)]
    for line, callee, length in ((11, "main.user", 70), (12, "main.orders", 75), (13, "main.prices", 70)):
        trace.block(ms + 1, "select", [*call(line, callee), *SERVE])
        ms += length
        trace.unblock(ms, 7)
        trace.start(ms, 7)  # the answer arrives
        trace.unblock(ms + 0.5, 1, loop)
        trace.block(ms + 0.5, "network", [("net.(*conn).Read", 1), *loop])
        trace.start(ms + 1, 1)
        ms += 1
    return ms + 2


@pytest.fixture
def server(tmp_path: Path) -> Trace:
    """A connection that serves two requests, 5 ms apart."""
    trace = TraceWriter()
    trace.runs(0, 1)
    trace.waits(0, 7)
    trace.block(0, "network", IDLE)
    for ms in (100.0, 400.0):
        trace.unblock(ms, 1)
        trace.start(ms, 1)
        if ms == 100.0:  # the client's goroutine is known to wait for the network from here on
            trace.unblock(ms, 7)
            trace.stop(ms + 0.1, "runtime.Gosched", [("runtime.Gosched", 1), ("main.page", 10), *SERVE])
            trace.start(ms + 0.1, 7)
            trace.block(
                ms + 0.1, "network", [("net.(*conn).Read", 1), ("net/http.(*persistConn).readLoop", 1)]
            )
            trace.start(ms + 0.1, 1)
        trace.block(page(trace, ms), "network", IDLE)
    trace.unblock(900, 1)
    trace.start(900, 1)
    return read(trace, tmp_path)


def test_a_connection_is_cut_at_each_request(server: Trace) -> None:
    requests = kind(server, "handler", "main.page")
    assert requests.count == 2
    assert [unit.ns for unit in requests.slowest] == [220_000_000, 220_000_000]
    assert [unit.start_ns for unit in requests.slowest] == [100_000_000, 400_000_000]


def test_each_call_of_a_request_is_named_with_its_length(server: Trace) -> None:
    (shown,) = units.of_trace(server)
    calls = {
        (part.call, part.called_at.line): part.ns
        for part in shown.slowest.parts
        if part.what == "network" and part.called_at is not None
    }
    # From the begin of a wait to the answer; the ms before it is the caller's own.
    assert calls == {
        ("main.user", 11): 69_000_000,
        ("main.orders", 12): 74_000_000,
        ("main.prices", 13): 69_000_000,
    }
    assert sum(part.ns for part in shown.slowest.parts) == shown.slowest.ns == 220_000_000
    text = " ".join(line for _, line in told([shown]))
    assert "2 requests to main.page" in text
    assert "74 ms waiting for the network in main.orders (main.go:12)" in text


def test_time_before_the_unit_was_blocked_is_its_own_not_the_wakers(tmp_path: Path) -> None:
    trace = TraceWriter()
    trace.runs(0, 1)
    trace.create(0, 2, "main.work", [("main.main", 3)])
    trace.create(0, 3, "main.helper", [("main.main", 4)])
    trace.block(0, "chan receive", [("runtime.chanrecv1", 1), ("main.main", 5)])
    trace.start(0, 3)
    trace.block(0, "sleep", [("time.Sleep", 1), ("main.helper", 2)])  # asleep from 0 to 50 ms
    trace.start(0, 2)
    trace.block(30, "chan receive", [("runtime.chanrecv1", 1), ("main.work", 9)])  # blocked from 30 to 60 ms
    trace.unblock(50, 3)
    trace.start(50, 3)
    trace.unblock(60, 2, [("runtime.chansend1", 1), ("main.helper", 3)])
    trace.end(60)
    trace.start(61, 2)
    trace.end(65)
    unit = kind(read(trace, tmp_path), "goroutine", "main.work").slowest[0]
    assert parts(unit) == {
        ("cpu", "main.work"): 34.0,  # 30 before, 4 after
        ("sleep", "main.helper"): 20.0,
        ("cpu", "main.helper"): 10.0,
        ("runnable", "main.work"): 1.0,
    }


def test_the_holder_of_a_lock_is_named_and_not_followed(tmp_path: Path) -> None:
    trace = TraceWriter()
    trace.runs(0, 1)
    trace.create(0, 2, "main.work", [("main.main", 3)])
    trace.stop(0, "runtime.Gosched", [("runtime.Gosched", 1), ("main.holder", 4)])
    trace.start(0, 2)
    trace.block(10, "sync", [("sync.(*Mutex).Lock", 1), ("main.work", 9)])
    trace.start(10, 1)
    trace.unblock(80, 2, [("sync.(*Mutex).Unlock", 1), ("main.holder", 7)])
    trace.stop(80, "runtime.Gosched", [("runtime.Gosched", 1), ("main.holder", 8)])
    trace.start(80, 2)
    trace.end(90)
    unit = kind(read(trace, tmp_path), "goroutine", "main.work").slowest[0]
    assert parts(unit) == {("lock", "main.holder"): 70.0, ("cpu", "main.work"): 20.0}


@pytest.mark.parametrize(
    "waker", ["runtime.gcStart", "runtime.gcMarkTermination", "runtime.startTheWorldWithSema"]
)
def test_who_runs_the_collector_or_the_scheduler_is_no_cause(tmp_path: Path, waker: str) -> None:
    trace = TraceWriter()
    trace.runs(0, 1)
    trace.create(0, 2, "main.work", [("main.main", 3)])
    trace.stop(0, "runtime.Gosched", [("runtime.Gosched", 1), ("main.main", 4)])
    trace.start(0, 2)
    trace.block(10, "select", [("runtime.selectgo", 1), ("main.work", 9)])
    trace.start(10, 1)
    trace.unblock(80, 2, [(waker, 1), ("main.other", 7)])
    trace.stop(80, "runtime.Gosched", [("runtime.Gosched", 1), ("main.other", 8)])
    trace.start(80, 2)
    trace.end(90)
    unit = kind(read(trace, tmp_path), "goroutine", "main.work").slowest[0]
    assert parts(unit) == {("timer", "main.work"): 70.0, ("cpu", "main.work"): 20.0}


def test_an_answer_that_others_wait_for_too_is_followed_to_whoever_gets_it(tmp_path: Path) -> None:
    """As with singleflight: the unit waits for a goroutine that makes the call for all."""
    trace = TraceWriter()
    trace.runs(0, 1)
    trace.create(0, 2, "main.first", [("main.main", 3)])
    trace.create(0, 3, "main.second", [("main.main", 3)])
    trace.block(0, "select", [("runtime.selectgo", 1), ("main.main", 4)])
    trace.start(0, 2)
    trace.block(0, "network", [("net.(*conn).Read", 1), ("main.fetch", 2), ("main.first", 1)])
    trace.start(0, 3)
    wait = [
        ("sync.(*WaitGroup).Wait", 1),
        ("golang.org/x/sync/singleflight.(*Group).Do", 1),
        ("main.second", 6),
    ]
    trace.block(5, "sync", wait)
    trace.unblock(75, 2)
    trace.start(75, 2)
    trace.unblock(76, 3, [("sync.(*WaitGroup).Done", 1), ("main.first", 2)])
    trace.end(76)
    trace.start(76, 3)
    trace.end(77)
    unit = kind(read(trace, tmp_path), "goroutine", "main.second").slowest[0]
    assert parts(unit) == {
        ("network", "main.fetch"): 70.0,
        ("cpu", "main.first"): 1.0,
        ("cpu", "main.second"): 6.0,
    }


def test_tasks_and_regions_go_by_their_names(tmp_path: Path) -> None:
    trace = TraceWriter()
    trace.runs(0, 1)
    here = [("main.main", 3)]
    trace.task(1, 77, "order", here)
    trace.region(2, "price", here)
    trace.region(3, "inner", here)
    trace.syscall(3, 9, [("syscall.write", 1), ("main.store", 2), ("main.main", 4)])
    trace.region(10, "inner", here, end=True)
    trace.region(12, "price", here, end=True)
    trace.create(13, 2, "main.later", here)
    trace.block(14, "chan receive", [("runtime.chanrecv1", 1), ("main.main", 5)])
    trace.start(15, 2)
    trace.task_end(21, 77, [("main.later", 2)])
    trace.end(21)
    read_back = read(trace, tmp_path)
    assert parts(kind(read_back, "region", "inner").slowest[0]) == {
        ("syscall", "main.store"): 6.0,
        ("cpu", "main.main"): 1.0,
    }
    assert kind(read_back, "region", "price").max_ns == 10_000_000
    # The task began on another goroutine than it ended on: through the one that was started to its starter.
    assert parts(kind(read_back, "task", "order").slowest[0]) == {
        ("cpu", "main.later"): 6.0,
        ("runnable", "main.later"): 2.0,
        ("syscall", "main.store"): 6.0,
        ("cpu", "main.store"): 2.0,  # what ran until the call, by where it was then
        ("cpu", "main.main"): 4.0,
    }
    told_of = [(u.kind, u.name) for u in units.of_trace(read_back)]
    assert told_of == [("task", "order"), ("region", "price"), ("region", "inner")]


def test_a_worker_is_cut_at_each_job(tmp_path: Path) -> None:
    trace = TraceWriter()
    trace.runs(0, 1)
    trace.create(0, 2, "main.worker", [("main.main", 3)])
    trace.stop(0, "runtime.Gosched", [("runtime.Gosched", 1), ("main.main", 3)])
    take = [("runtime.chanrecv2", 1), ("main.worker", 8)]
    trace.start(0, 2)
    for n, ms in enumerate((10, 30, 50)):
        trace.block(ms, "chan receive", take)
        trace.start(ms, 1)
        trace.unblock(ms + 5, 2, [("runtime.chansend1", 1), ("main.main", 4)])
        trace.stop(ms + 5, "runtime.Gosched", [("runtime.Gosched", 1), ("main.main", 5)])
        trace.start(ms + 6, 2)
        if n == 1:
            trace.block(ms + 6, "sleep", [("time.Sleep", 1), ("main.slow", 2), ("main.worker", 9)])
            trace.unblock(ms + 14, 2)
            trace.start(ms + 14, 2)
    trace.block(70, "chan receive", take)
    jobs = kind(read(trace, tmp_path), "job", "main.worker")
    assert [unit.ns / 1e6 for unit in jobs.slowest] == [15.0, 15.0, 15.0]
    slow = next(u for u in jobs.slowest if u.start_ns == 35_000_000)
    assert parts(slow) == {
        ("sleep", "main.slow"): 8.0,
        ("cpu", "main.worker"): 6.0,
        ("runnable", "main.worker"): 1.0,
    }


def test_what_was_too_long_ago_is_not_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unit_tables, "STAYS", 16)
    trace = TraceWriter()
    trace.runs(0, 1)
    trace.create(0, 2, "main.work", [("main.main", 3)])
    trace.block(0, "select", [("runtime.selectgo", 1), ("main.main", 4)])
    trace.start(0, 2)
    for ms in range(1, 101):  # all in one window of the replay, so no more room is made in time
        trace.block(ms, "sleep", [("time.Sleep", 1), ("main.work", 2)])
        trace.unblock(ms + 0.5, 2)
        trace.start(ms + 0.5, 2)
    trace.end(101)
    unit = kind(read(trace, tmp_path), "goroutine", "main.work").slowest[0]
    assert parts(unit) == {
        ("sleep", "main.work"): 8.0,
        ("cpu", "main.work"): 8.0,
        ("other", ""): 85.0,
    }


@pytest.mark.parametrize("end", [0, 1, 7, 8, 9, 15, 16, 17, 24, 31, 100])
def test_a_ring_that_grows_keeps_every_stay_in_its_place(end: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unit_tables, "STAYS", 8)
    x = np.zeros(kernels.X_SIZE, dtype=np.int64)
    tables = unit_tables.UnitTables(x)
    stays = tables.arrays[0]

    def log_until(number: int) -> None:
        for n in range(int(x[kernels.X_LOG]), number):
            stays[n & x[kernels.X_LOG_MASK]] = n
        x[kernels.X_LOG] = number

    for number in (end, end + 5, end + 40, end + 41):
        log_until(number)
        tables.keep_longer(x)
        size = int(x[kernels.X_LOG_MASK]) + 1
        kept = np.arange(max(number - size, int(x[kernels.X_LOG_FROM])), number)
        assert kept.size >= min(number, 8)
        assert (stays[kept & (size - 1), 0] == kept).all()


def test_of_many_units_the_slowest_and_an_even_sample_are_kept(tmp_path: Path) -> None:
    trace = TraceWriter()
    trace.runs(0, 1)
    ms = 0.0
    for n in range(2000):
        trace.create(ms, 10 + n, "main.work", [("main.main", 3)])
        trace.stop(ms, "runtime.Gosched", [("runtime.Gosched", 1), ("main.main", 3)])
        trace.start(ms, 10 + n)
        ms += 1 + (n % 500) / 100
        trace.end(ms)
        trace.start(ms, 1)
    work = kind(read(trace, tmp_path), "goroutine", "main.work")
    assert work.count == 2000
    longest = [round((1 + (499 - n // 4) / 100) * 1e6) for n in range(20)]
    assert [unit.ns for unit in work.slowest] == longest
    assert len(work.sampled) == 200
    assert {unit.start_ns for unit in work.sampled} != {unit.start_ns for unit in work.sampled[:1]}
    halves = sum(unit.start_ns / 1e6 < ms / 2 for unit in work.sampled)
    assert 60 < halves < 140  # 100 is expected; four standard deviations are 28
    assert 2.9e6 < work.typical.ns < 4.1e6  # the middle of 1 to 5.99 ms, give or take a fifth of them
    assert work.quantile_ns(0.5) == pytest.approx(3.5e6, rel=0.5)


class _Chance:
    """A program that does at each step what a number says, as far as it can."""

    def __init__(self) -> None:
        self.trace = TraceWriter()
        self.trace.runs(0, 1)
        self.ms, self.running, self.next_id = 0.0, 1, 2
        self.runnable: list[int] = []
        self.waiting: list[int] = []

    def step(self, what: int, which: int, micros: int) -> None:
        self.ms += micros / 1000
        at = [("runtime.gopark", which), (f"main.f{which}", which + 1), ("main.root", 1)]
        if self.running:
            self.act(what, which, at)
        elif self.runnable and what < 6:
            self.running = self.runnable.pop(which % len(self.runnable))
            self.trace.start(self.ms, self.running)
        elif self.waiting:
            self.trace.unblock(self.ms, self.waiting[0])
            self.runnable.append(self.waiting.pop(0))

    def act(self, what: int, which: int, at: list[tuple[str, int]]) -> None:
        if what == 0:
            self.trace.create(self.ms, self.next_id, "main.root", at)
            self.runnable.append(self.next_id)
            self.next_id += 1
        elif what in (1, 2):
            reasons = ("chan receive", "select", "sync", "network", "sleep", "sync.(*Cond).Wait")
            self.trace.block(self.ms, reasons[which], at)
            self.waiting.append(self.running)
            self.running = 0
        elif what == 3:
            self.trace.stop(self.ms, "preempted", at)
            self.runnable.append(self.running)
            self.running = 0
        elif what == 4 and self.waiting:
            self.runnable.append(self.waiting.pop(which % len(self.waiting)))
            self.trace.unblock(self.ms, self.runnable[-1], at)
        elif what == 5:
            self.trace.syscall(self.ms, self.ms + 0.1, at)
            self.ms += 0.1
        elif what == 6 and self.running != 1:
            self.trace.end(self.ms)
            self.running = 0


_STEPS = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 5), st.integers(1, 900)), max_size=120)


@given(_STEPS)
@settings(max_examples=60, deadline=None)
def test_whatever_happens_the_parts_sum_up_to_the_length(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, int, int]]
) -> None:
    chance = _Chance()
    for step in steps:
        chance.step(*step)
    for one in read(chance.trace, tmp_path_factory.mktemp("random")).units:
        for unit in (*one.slowest, *one.sampled):
            assert sum(part.ns for part in unit.parts) == unit.ns
            assert all(part.ns > 0 for part in unit.parts)


def test_captures_have_units_whose_parts_sum_up(captures: list[Path]) -> None:
    seen = set()
    for path in captures:
        trace = read_trace(path)
        for one in trace.units:
            seen.add(one.kind)
            assert one.ns >= one.max_ns > 0
            assert one.max_ns == one.slowest[0].ns
            for unit in (*one.slowest, *one.sampled):
                assert sum(part.ns for part in unit.parts) == unit.ns
        for shown in units.of_trace(trace):
            assert isinstance(shown, model.Units)
            for path_of in (shown.slowest, shown.typical):
                assert sum(part.ns for part in path_of.parts) == path_of.ns
    assert seen >= {"handler", "goroutine", "job", "turn"}


@pytest.fixture
def captures() -> list[Path]:
    folder = Path(__file__).parents[1] / "captures"
    return sorted(folder.glob("c0[0-3]*/trace.out*"))


def test_a_kept_conversation_keeps_them(server: Trace) -> None:
    overview = model.Overview(units=units.of_trace(server))
    kept = Kept(answers=(), paths=(), inputs=(), overview=overview, warnings=(), processes=())
    assert from_json(json.loads(json.dumps(to_json(kept)))) == kept


HTTP = ["net/http.serverHandler.ServeHTTP", "net/http.(*conn).serve"]
GIN = "github.com/gin-gonic/gin."
FIBER = "github.com/gofiber/fiber/v2."
ECHO = "github.com/labstack/echo/v4."


@pytest.mark.parametrize(
    ("functions", "handler"),
    [
        # Middleware of the user's own lies outside of the handler in every framework.
        (
            ["main.load", "main.getUser", GIN + "(*Context).Next", "main.auth.func1", GIN + "(*Context).Next",
             GIN + "(*Engine).handleHTTPRequest", GIN + "(*Engine).ServeHTTP", *HTTP],
            "main.getUser",
        ),
        (
            ["main.getUser", ECHO + "(*Echo).add.func1", "main.auth.func1.1", ECHO + "(*Echo).ServeHTTP",
             *HTTP],
            "main.getUser",
        ),
        (
            ["main.getUser", FIBER + "(*App).next", FIBER + "(*Ctx).Next", "main.auth",
             FIBER + "(*App).handler", "github.com/valyala/fasthttp.(*Server).serveConn"],
            "main.getUser",
        ),
        (
            ["main.(*server).SayHello", "example.com/pb._Greeter_SayHello_Handler.func1", "main.log",
             "example.com/pb._Greeter_SayHello_Handler", "google.golang.org/grpc.(*Server).processUnaryRPC"],
            "main.(*server).SayHello",
        ),
        (
            ["main.(*server).SayHello", "example.com/pb._Greeter_SayHello_Handler",
             "google.golang.org/grpc.(*Server).processUnaryRPC"],
            "main.(*server).SayHello",
        ),
        (
            ["main.(*Arith).Divide", "reflect.Value.call", "reflect.Value.Call", "net/rpc.(*service).call"],
            "main.(*Arith).Divide",
        ),
        (["bufio.(*Reader).Peek", "github.com/valyala/fasthttp.(*Server).serveConn"], None),
    ],
    ids=["gin", "echo", "fiber", "grpc interceptor", "grpc", "net/rpc", "between requests"],
)  # fmt: skip
def test_a_handler_is_named_whatever_calls_it(functions: list[str], handler: str | None) -> None:
    library = ("github.com/", "google.golang.org/")
    stack = [
        fr.Frame(f, "/root/go/pkg/mod/x@v1/x.go" if f.startswith(library) else "x.go", 1) for f in functions
    ]
    frame = fr.handler_frame(stack)
    assert (frame.function if frame else None) == handler


def test_a_stream_worker_is_cut_at_each_rpc(tmp_path: Path) -> None:
    worker = [("google.golang.org/grpc.(*Server).serverWorker", 1)]
    handling = [
        ("main.(*server).SayHello", 9),
        ("example.com/pb._Greeter_SayHello_Handler", 2),
        ("google.golang.org/grpc.(*Server).processUnaryRPC", 3),
        *worker,
    ]
    trace = TraceWriter()
    trace.runs(0, 1)
    waits = [("runtime.chanrecv2", 1), *worker]
    trace.block(0, "chan receive", waits)
    for ms in (100.0, 300.0):
        trace.unblock(ms, 1)
        trace.start(ms, 1)
        trace.block(ms + 5, "sleep", [("time.Sleep", 1), *handling])
        trace.unblock(ms + 45, 1)
        trace.start(ms + 45, 1)
        trace.block(ms + 50, "chan receive", waits)
    (shown,) = units.of_trace(read(trace, tmp_path))
    assert (shown.kind, shown.name, shown.count) == ("handler", "main.(*server).SayHello", 2)
    assert shown.slowest.ns == shown.typical.ns == 50_000_000


def test_a_worker_is_shown_by_its_jobs_not_by_its_life(tmp_path: Path) -> None:
    trace = TraceWriter()
    trace.runs(0, 1)
    trace.create(0, 2, "main.main.func1", [("main.main", 30)])
    trace.stop(0, "runtime.Gosched", [("runtime.Gosched", 1), ("main.main", 31)])
    take = [("runtime.chanrecv2", 1), ("main.main.func1", 8)]
    trace.start(0, 2)
    for ms in (10, 30, 50):
        trace.block(ms, "chan receive", take)
        trace.start(ms, 1)
        trace.unblock(ms + 5, 2, [("runtime.chansend1", 1), ("main.main", 4)])
        trace.stop(ms + 5, "runtime.Gosched", [("runtime.Gosched", 1), ("main.main", 5)])
        trace.start(ms + 6, 2)
    trace.block(70, "chan receive", take)
    trace.start(70, 1)
    trace.unblock(71, 2, [("runtime.close", 1), ("main.main", 6)])
    trace.stop(71, "runtime.Gosched", [("runtime.Gosched", 1), ("main.main", 7)])
    trace.start(71, 2)
    trace.end(72)
    read_back = read(trace, tmp_path)
    assert kind(read_back, "goroutine", "main.main.func1").max_ns == 72_000_000
    (shown,) = units.of_trace(read_back)
    assert (shown.kind, shown.name) == ("job", "main.main.func1")
    assert shown.started_at == model.Location("main.main", "example.com/service/main.go", 30)
    head = next(text for _, text in told([shown]))
    assert head.startswith(f"{shown.count} jobs of main.main.func1, started at main.go:30: p50 ")


def test_units_that_take_next_to_no_time_are_left_out(tmp_path: Path) -> None:
    trace = TraceWriter()
    trace.runs(0, 1)
    trace.create(0, 2, "main.short", [("main.main", 3)])
    trace.block(1, "sleep", [("time.Sleep", 1), ("main.main", 4)])
    trace.start(1, 2)
    trace.end(2)
    trace.unblock(900, 1)
    trace.start(900, 1)
    trace.end(901)
    read_back = read(trace, tmp_path)
    assert kind(read_back, "goroutine", "main.short").count == 1
    assert "main.short" not in [u.name for u in units.of_trace(read_back)]


def test_a_reason_that_is_called_like_the_function_that_waits_is_told(tmp_path: Path) -> None:
    """The runtime writes the text once, and both the frame and the event name that string."""
    trace = TraceWriter()
    trace.runs(0, 1)
    trace.block(1, "sync.(*Cond).Wait", [("sync.(*Cond).Wait", 71), ("main.(*queue).Get", 9)])
    trace.unblock(41, 1)
    trace.start(41, 1)
    (wait,) = [w for w in read(trace, tmp_path).waits if w.count and w.reason != "runnable"]
    assert (wait.reason, wait.ns) == ("sync.(*Cond).Wait", 40_000_000)
