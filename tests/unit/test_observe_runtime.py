"""What metrics and log lines are taken to say, and what is found from them alone."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gopherdx import Diagnosis, diagnose
from gopherdx.artifacts.gclog import GcTrace, SchedTrace, read_gclog
from gopherdx.artifacts.metrics import Metrics, read_metrics
from gopherdx.frames import Frame
from gopherdx.observe import gc, observe

MB = 1 << 20
T0 = 1_700_000_000_000_000_000

BEFORE: dict[str, Any] = {
    "unix_ns": T0,
    "/gc/cycles/total:gc-cycles": 100,
    "/gc/heap/allocs:bytes": 1000 * MB,
    "/gc/heap/live:bytes": 8 * MB,
    "/gc/heap/goal:bytes": 16 * MB,
    "/memory/classes/heap/objects:bytes": 12 * MB,
    "/memory/classes/heap/unused:bytes": 1 * MB,
    "/memory/classes/heap/free:bytes": 3 * MB,
    "/memory/classes/heap/released:bytes": 4 * MB,
    "/memory/classes/total:bytes": 24 * MB,
    "/sched/gomaxprocs:threads": 4,
    "/sched/goroutines:goroutines": 20,
    "/cpu/classes/gc/mark/assist:cpu-seconds": 1.0,
    "/cpu/classes/gc/mark/dedicated:cpu-seconds": 3.0,
    "/cpu/classes/gc/mark/idle:cpu-seconds": 2.0,
    "/cpu/classes/idle:cpu-seconds": 20.0,
    "/cpu/classes/total:cpu-seconds": 40.0,
    "/sched/latencies:seconds": {"buckets": [0, 0.001, 0.01, "+Inf"], "counts": [10, 0, 0]},
}
AFTER = BEFORE | {
    "unix_ns": T0 + 10_000_000_000,
    "/gc/cycles/total:gc-cycles": 400,
    "/gc/heap/allocs:bytes": 3000 * MB,
    "/gc/heap/live:bytes": 9 * MB,
    "/gc/heap/goal:bytes": 18 * MB,
    "/sched/goroutines:goroutines": 25,
    "/cpu/classes/gc/mark/assist:cpu-seconds": 2.0,
    "/cpu/classes/gc/mark/dedicated:cpu-seconds": 6.0,
    "/cpu/classes/gc/mark/idle:cpu-seconds": 4.0,
    "/cpu/classes/idle:cpu-seconds": 42.0,
    "/cpu/classes/total:cpu-seconds": 80.0,
    "/sched/latencies:seconds": {"buckets": [0, 0.001, 0.01, "+Inf"], "counts": [109, 1, 0]},
}


def metrics(*snapshots: dict[str, Any]) -> tuple[Metrics, ...]:
    text = "\n".join(json.dumps(s) for s in snapshots)
    return read_metrics(io.BytesIO(text.encode()), path="m")


def logs(text: str) -> tuple[GcTrace | SchedTrace, ...]:
    return read_gclog(io.BytesIO(text.encode()), path="l")


def seen(artifacts: tuple[Any, ...]) -> dict[str, Any]:
    return {o.name: o.value for o in observe(artifacts).items}


# Rates --------------------------------------------------------------------------------------------------


def test_two_snapshots_give_what_a_trace_gives() -> None:
    told = seen(metrics(BEFORE, AFTER))
    assert told["gc.cycles_per_s"] == 30
    assert told["gc.alloc_mb_per_s"] == 200
    # 40 CPU seconds of 4 Ps, 22 of them idle and 2 idle marking: 16 used, 4 of them marking and assists.
    assert told["gc.cost_share"] == pytest.approx(4 / 16)
    assert told["gc.cost_cores"] == pytest.approx(0.4)
    assert told["process.cpu_cores"] == pytest.approx(1.6)
    assert told["gc.live_heap_mb"] == 8
    assert told["gc.goal_mb"] == 18
    assert told["goroutines.growth_per_min"] == 30
    assert told["sched.delay_p99_ms"] == 1
    assert told["sched.delay_max_ms"] == 10


def test_one_snapshot_gives_means_over_the_programs_life_by_other_names() -> None:
    told = seen(metrics(AFTER))
    assert told["process.uptime_s"] == 20
    assert told["gc.life_cycles_per_s"] == 20
    assert told["gc.life_cost_share"] == pytest.approx(8 / 34, rel=1e-5)
    assert not {"gc.cycles_per_s", "gc.cost_share", "sched.delay_p99_ms"} & told.keys()


def test_snapshots_without_a_time_are_ordered_by_what_only_grows() -> None:
    before, after = ({k: v for k, v in s.items() if k != "unix_ns"} for s in (BEFORE, AFTER))
    ends = {"/gc/last-end:unix-seconds": 1_700_000_000.0}, {"/gc/last-end:unix-seconds": 1_700_000_010.0}
    told = seen(metrics(after | ends[1], before | ends[0]))
    assert told["gc.cycles_per_s"] == 30


def test_a_restart_between_snapshots_leaves_the_last() -> None:
    told = seen(metrics(AFTER | {"unix_ns": T0}, BEFORE | {"unix_ns": T0 + 5_000_000_000}))
    assert "gc.cycles_per_s" not in told
    assert told["goroutines.total"] == 20


def test_without_a_collection_between_them_the_collector_cost_nothing() -> None:
    told = seen(metrics(BEFORE, BEFORE | {"unix_ns": T0 + 5_000_000_000}))
    assert told["gc.cycles_per_s"] == 0
    assert "gc.cost_share" not in told or told["gc.cost_share"] == 0


def test_debug_vars_tell_the_rate_of_the_last_collections() -> None:
    ends = [1_700_000_000_000_000_000 + n * 20_000_000 for n in range(101)]
    stats = {"HeapAlloc": 5 * MB, "HeapIdle": 0, "HeapSys": 9 * MB, "NumGC": 101, "PauseEnd": ends}
    told = seen(metrics({"memstats": stats | {"GCCPUFraction": 0.2}}))
    assert told["gc.cycles_per_s"] == pytest.approx(50)
    assert told["gc.life_cost_of_procs"] == 0.2
    assert "gc.cycles_per_s" not in seen(metrics({"memstats": stats}))


# Log lines ----------------------------------------------------------------------------------------------


def gc_line(number: int, at: float, live: int = 5, cost: float = 3.0, procs: int = 4) -> str:
    return (
        f"gc {number} @{at:.3f}s 9%: 0.1+1+0.1 ms clock, 0.2+{cost / 3}/{cost * 2 / 3}/9+0.2 ms cpu, "
        f"{live * 2}->{live * 2}->{live} MB, {live * 2} MB goal, 0 MB stacks, 0 MB globals, {procs} P\n"
    )


SCHED = (
    "SCHED {}ms: gomaxprocs=4 idleprocs=3 threads=9 spinningthreads=0 idlethreads=4 runqueue=2 [1 0 0 0]\n"
)


def test_gctrace_gives_what_a_trace_gives() -> None:
    told = seen(logs("".join(gc_line(n, n / 50) for n in range(1, 501))))
    assert told["gc.cycles_per_s"] == pytest.approx(50)
    assert told["gc.cost_cores"] == pytest.approx(0.15)
    assert told["gc.cost_of_procs"] == pytest.approx(0.15 / 4)
    assert told["gc.live_heap_mb"] == 5
    assert told["gc.alloc_mb_per_s"] == pytest.approx(250)
    assert "gc.cost_share" not in told


def test_what_counts_is_the_last_minute() -> None:
    calm = "".join(gc_line(n, n) for n in range(1, 101))
    busy = "".join(gc_line(100 + n, 100 + n / 10) for n in range(1, 601))
    assert seen(logs(calm + busy))["gc.cycles_per_s"] == pytest.approx(10, rel=0.01)


def test_a_start_says_nothing_of_the_rest() -> None:
    start = "".join(gc_line(n, n / 100) for n in range(1, 101))
    assert not [name for name in seen(logs(start)) if name.startswith("gc.")]


def test_schedtrace_lines_tell_how_long_the_log_goes_on() -> None:
    start = "".join(gc_line(n, n / 100) for n in range(1, 101))
    told = seen(logs(start + gc_line(101, 1.5) + "".join(SCHED.format(at) for at in range(0, 21_000, 1000))))
    assert told["gc.cycles_per_s"] == pytest.approx(2 / 19, rel=1e-4)
    assert told["sched.busy_procs_mean"] == 1
    assert told["sched.runnable_mean"] == 3


# Memory -------------------------------------------------------------------------------------------------


def moment(**mb: float) -> dict[str, Any]:
    """A snapshot with this memory in MB; total follows from the parts."""
    parts = {"objects": 12.0, "unused": 1.0, "free": 3.0, "released": 4.0, "live": 8.0, "goal": 16.0} | mb
    heap = {
        f"/memory/classes/heap/{n}:bytes": parts[n] * MB for n in ("objects", "unused", "free", "released")
    }
    total = sum(parts[n] for n in ("objects", "unused", "free", "released")) + 8
    out = AFTER | heap
    out["/memory/classes/total:bytes"] = total * MB
    out["/gc/heap/live:bytes"] = parts["live"] * MB
    out["/gc/heap/goal:bytes"] = parts["goal"] * MB
    if "rss" in parts:
        out["/process/resident_memory:bytes"] = parts["rss"] * MB
    return out


SPANS = {"unused": 180.0, "objects": 10.0, "rss": 210.0}
FREE = {"free": 250.0, "rss": 280.0}
LAZY = {"released": 250.0, "rss": 270.0}
BREATHING = {"free": 150.0, "objects": 50.0, "live": 45.0, "goal": 225.0, "rss": 220.0}  # GOGC=400
LEAK = {"objects": 300.0, "live": 290.0, "goal": 580.0, "rss": 320.0}
C_MEMORY = {"rss": 300.0}
UNTOUCHED = {"free": 250.0, "rss": 30.0}  # made by one huge make, never written


@pytest.mark.parametrize(
    ("memory", "name", "kept_mb"),
    [
        (SPANS, "memory.kept_unused_mb", 10 + 180 + 3 - 1.1 * 16),
        (FREE, "memory.kept_free_mb", 12 + 1 + 250 - 1.1 * 16),
        (LAZY, "memory.kept_lazy_mb", 270 - (12 + 1 + 3 + 8) - 16),
    ],
)
def test_three_ways_to_keep_memory(memory: dict[str, float], name: str, kept_mb: float) -> None:
    told = seen(metrics(moment(**memory)))
    assert told["memory.kept_mb"] == pytest.approx(kept_mb, rel=1e-4)
    assert told[name] > kept_mb / 2
    assert len([n for n in told if n.startswith("memory.kept_") and n.endswith("_mb")]) == 2


@pytest.mark.parametrize("memory", [BREATHING, LEAK, C_MEMORY, UNTOUCHED])
def test_what_is_no_kept_memory(memory: dict[str, float]) -> None:
    assert seen(metrics(moment(**memory)))["memory.kept_mb"] < 25


# Alone --------------------------------------------------------------------------------------------------


def told_by(tmp_path: Path, text: str) -> Diagnosis:
    (tmp_path / "f").write_text(text)
    return diagnose(tmp_path / "f")


def likely(diagnosis: Diagnosis) -> list[str]:
    assert diagnosis.errors == ()
    return [f.id for f in diagnosis.likely]


def test_g201_from_gctrace_alone(tmp_path: Path) -> None:
    diagnosis = told_by(tmp_path, "".join(gc_line(n, n / 50) for n in range(1, 501)))
    assert likely(diagnosis) == ["G201"]
    (finding,) = diagnosis.likely
    assert finding.location is None
    assert "takes 0.15 cores" in finding.summary
    assert finding.confidence < 0.9


@pytest.mark.parametrize(
    "lines",
    [
        [gc_line(n, n / 50, live=900) for n in range(1, 501)],
        [gc_line(n, n / 50, cost=0.3) for n in range(1, 501)],
        [gc_line(n, n) for n in range(1, 61)],
    ],
    ids=["large heap", "cheap", "seldom"],
)
def test_no_g201_from_gctrace(tmp_path: Path, lines: list[str]) -> None:
    assert likely(told_by(tmp_path, "".join(lines))) == []


def test_g201_from_two_snapshots_alone_and_less_from_one(tmp_path: Path) -> None:
    both = told_by(tmp_path, json.dumps(BEFORE) + "\n" + json.dumps(AFTER) + "\n")
    one = told_by(tmp_path, json.dumps(AFTER) + "\n")
    assert likely(both) == ["G201"]
    assert "25% of the CPU time" in both.likely[0].summary
    assert [f.id for f in one.findings] == ["G201"]
    assert one.findings[0].confidence < both.findings[0].confidence
    assert "Since the program began" in one.findings[0].summary


def test_counts_of_collections_without_their_cost_are_possible_at_most(tmp_path: Path) -> None:
    scrape = (
        "go_gc_duration_seconds_count {}\ngo_memstats_heap_alloc_bytes 5e6\n"
        "go_memstats_last_gc_time_seconds {}\n"
    )
    diagnosis = told_by(tmp_path, scrape.format(1000, 1.7e9) + scrape.format(1600, 1.7e9 + 20))
    assert likely(diagnosis) == []
    assert [f.id for f in diagnosis.findings] == ["G201"]
    assert "what that costs" in diagnosis.findings[0].summary


@pytest.mark.parametrize(
    ("memory", "says"),
    [(SPANS, "Few objects lie on many spans"), (FREE, "free spans"), (LAZY, "until memory gets scarce")],
)
def test_g206_from_metrics_alone(tmp_path: Path, memory: dict[str, float], says: str) -> None:
    diagnosis = told_by(tmp_path, json.dumps(moment(**memory)))
    assert "G206" in likely(diagnosis)
    (finding,) = (f for f in diagnosis.likely if f.id == "G206")
    assert finding.location is None
    assert says in finding.summary


@pytest.mark.parametrize("memory", [BREATHING, LEAK, C_MEMORY, UNTOUCHED])
def test_no_g206(tmp_path: Path, memory: dict[str, float]) -> None:
    diagnosis = told_by(tmp_path, json.dumps(moment(**memory)))
    assert "G206" not in [f.id for f in diagnosis.findings]


def test_the_overview_of_metrics_and_of_a_log(tmp_path: Path) -> None:
    after = moment(rss=60.0)
    text = told_by(tmp_path, json.dumps(BEFORE) + "\n" + json.dumps(after)).overview.text
    assert text.startswith("metrics at two moments, 10.0 s apart, RSS 60 MB, 24 MB held by the runtime")
    assert "25 goroutines" in text
    log = told_by(tmp_path, "".join(gc_line(n, n / 50) for n in range(1, 501))).overview
    assert log.text.startswith("gctrace lines of 500 collections, to 10.0 s after the start")
    assert log.gc_cycles == 500


@pytest.mark.parametrize(
    ("memory", "says"),
    [
        (BREATHING, " of RSS is live heap"),
        (FREE, " of RSS was freed and is kept; the live heap is "),
        (C_MEMORY, " of RSS is not Go's: C, mapped files; the live heap is "),
    ],
)
def test_the_first_sentence_says_where_the_memory_is(
    tmp_path: Path, memory: dict[str, float], says: str
) -> None:
    assert says in told_by(tmp_path, json.dumps(moment(**memory))).overview.dominates


def test_the_first_sentence_of_a_log_says_how_busy_the_collector_or_the_scheduler_is(tmp_path: Path) -> None:
    lines = "".join(gc_line(n, n / 50) for n in range(1, 501))
    said = told_by(tmp_path, lines).overview.dominates
    assert said == "the collector ran 50 times a second of late and used 0.15 of 4 Ps"
    line = (
        "SCHED {}ms: gomaxprocs=4 idleprocs=1 threads=9 spinningthreads=0 needspinning=0 idlethreads=3 "
        "runqueue=2 [0 1 0 0]\n"
    )
    diagnosis = told_by(tmp_path, "".join(line.format(n * 1000) for n in range(1, 5)))
    assert diagnosis.summary.startswith("3.0 of 4 Ps are busy on average, and 3.0 goroutines wait for a P. ")


# Collections that the program asks for -------------------------------------------------------------------


def test_collections_that_metrics_count_as_forced_are_none_of_the_rate() -> None:
    forced = {"/gc/cycles/forced:gc-cycles": 50}, {"/gc/cycles/forced:gc-cycles": 250}
    told = seen(metrics(BEFORE | forced[0], AFTER | forced[1]))
    assert (told["gc.cycles"], told["gc.cycles_per_s"]) == (300, 10)
    assert seen(metrics(AFTER | forced[1]))["gc.life_cycles_per_s"] == pytest.approx(7.5)


def test_forced_lines_are_none_of_the_rate() -> None:
    line = "gc {} @{:.1f}s 4%: 0.1+1.4+0 ms clock, 0.2+1.9/0.2/0+0 ms cpu, 4->5->2 MB, 4 MB goal, 2 P{}\n"
    lines = [line.format(n, 1 + n / 10, "" if n % 4 == 0 else " (forced)") for n in range(1, 42)]
    told = seen(logs("".join(lines)))
    assert told["gc.cycles_per_s"] == pytest.approx(2.5)
    assert told["gc.forced_share"] == pytest.approx(0.75)


def collector(
    *,
    seconds: float,
    asked_for: int,
    triggered: int,
    sampled: tuple[tuple[int, int], ...] = (),
    stops: dict[str, tuple[int, int, int]] | None = None,
) -> dict[str, Any]:
    """What is told of a trace with these collections, each of 2 ms of marking, and CPU samples (stack, n).

    ``stops`` are how often the world was stopped, for how many ns, and the longest, by reason.
    """
    stacks = [
        (),
        (Frame("runtime.GC", "mgc.go", 1), Frame("main.flush", "main.go", 5)),
        (Frame("runtime.mallocgc", "malloc.go", 1), Frame("main.work", "main.go", 9)),
        (Frame("runtime.gcDrain", "mgcmark.go", 1), Frame("runtime.gcBgMarkWorker", "mgc.go", 1)),
    ]
    cycles = asked_for + triggered
    counts = [SimpleNamespace(stack=1, count=asked_for), SimpleNamespace(stack=2, count=triggered)]
    trace = SimpleNamespace(
        duration_ns=int(seconds * 1e9),
        running_ns=int(seconds * 1e9),
        waits=(),
        stack=stacks.__getitem__,
        samples=tuple(SimpleNamespace(stack=at, count=n) for at, n in sampled),
        gc=SimpleNamespace(
            cycles=cycles,
            mark_ns={"dedicated": 2_000_000 * cycles, "fractional": 0, "idle": 0},
            assist_ns=0,
            stw=stops or {},
            heap_low_bytes=4.0 * MB,
            goal_max_bytes=8 * MB,
            allocated_bytes=4 * MB * cycles,
            triggers=tuple(c for c in counts if c.count),
            assists=(),
            sweeps=(),
        ),
    )
    said = gc.of_trace(trace)  # type: ignore[arg-type]
    return {o.name: o.value for o in said.items} | {o.subject: o.value for o in said.items if o.subject}


def test_collections_asked_for_in_a_trace_are_none_of_the_rate_nor_of_allocation() -> None:
    told = collector(seconds=2, asked_for=60, triggered=20)
    assert (told["gc.cycles"], told["gc.cycles_per_s"]) == (80, 10)
    assert told["gc.forced_share"] == 0.75
    assert told["main.work"] == 1
    assert "main.flush" not in told


@pytest.mark.parametrize(
    ("work", "marking", "told"),
    [
        (190, 10, 0.05),  # 2 s of CPU in 5 s with a goroutine running: threads wait for a CPU
        (85, 10, None),  # too few to tell a share
        (450, 10, None),  # nearly all the CPU time that was wanted
    ],
)
def test_samples_tell_the_collectors_share_where_threads_wait_for_a_cpu(
    work: int, marking: int, told: float | None
) -> None:
    of = collector(seconds=5, asked_for=0, triggered=100, sampled=((2, work), (3, marking)))
    assert of.get("gc.sampled_share") == told


@pytest.mark.parametrize(("samples", "told"), [(0, 2.0), (99, 2.0), (200, None)])
def test_how_long_the_world_is_stopped_is_told_where_samples_are_few(
    samples: int, told: float | None
) -> None:
    stops = {
        "GC sweep termination": (100, 300_000_000, 9_000_000),
        "GC mark termination": (100, 100_000_000, 1_000_000),
        "read mem stats": (50, 900_000_000, 20_000_000),
    }
    sampled = ((2, samples),) if samples else ()
    of = collector(seconds=5, asked_for=0, triggered=100, sampled=sampled, stops=stops)
    assert of.get("gc.stop_ms") == told


def test_a_few_stops_tell_nothing_of_the_machine() -> None:
    stops = {"GC mark termination": (9, 90_000_000, 20_000_000)}
    of = collector(seconds=5, asked_for=0, triggered=4, stops=stops)
    assert "gc.stop_ms" not in of


def test_a_trace_of_less_than_a_second_tells_no_rate() -> None:
    told = collector(seconds=0.9, asked_for=0, triggered=200)
    assert told["gc.cycles"] == 200
    assert told["gc.live_heap_mb"] == 4
    assert not {"gc.cycles_per_s", "gc.cost_share", "gc.cost_cores"} & told.keys()
