"""Where the time goes: places of made-up recordings whose truths are worked out by hand."""

from __future__ import annotations

import io
import json
import subprocess
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import gopherdx
from gopherdx.artifacts.capture import Limits, Named, read_captures
from gopherdx.artifacts.dump import read_dumps
from gopherdx.artifacts.pprof import read_profile
from gopherdx.frames import GC_WORK, Frame, has
from gopherdx.model import Location, Overview, Place
from gopherdx.observe import places, places_trace
from gopherdx.observe.design import where
from gopherdx.observe.dominant import Known, sentence
from gopherdx.observe.nearest import rows
from gopherdx.observe.overview import overview_of
from gopherdx.observe.tally import LEAST_SHARE, MOST, Tally
from tests.support.dumps import LOCKS, SERVE, SERVED, STARTED, goroutine
from tests.support.profiles import contention_profile, heap_profile
from tests.support.reference import find_go, go_env

S = 1_000_000_000


def _frames(*functions: str) -> tuple[Frame, ...]:
    return tuple(Frame(f, f"/src/{f.split('.')[0]}.go", n) for n, f in enumerate(functions, 1))


STACKS = (
    (),
    _frames("sync.(*Mutex).Lock", "main.put", "main.serve"),
    _frames("runtime.chanrecv1", "main.worker"),
    _frames(
        "runtime.selectgo", "net/http.(*persistConn).roundTrip", "net/http.Get", "main.load", "main.serve"
    ),
    _frames("runtime.gopark", "runtime.gcBgMarkWorker"),
    _frames("main.hash", "main.put", "main.serve"),
    _frames("runtime.mallocgc", "runtime.gcAssistAlloc", "main.fill", "main.serve"),
)


def _wait(index: int, reason: str, stack: int, total_s: float, **more: int) -> Any:
    counts = {"count": 0, "open_start": 0, "open_end": 0, "open_both": 0, "max_ns": 0, "open_end_max_ns": 0}
    counts |= more
    seen = sum(counts[name] for name in ("count", "open_start", "open_end", "open_both"))
    histogram = np.zeros(128, np.int64)
    return SimpleNamespace(
        index=index,
        reason=reason,
        stack=stack,
        total_ns=int(total_s * S),
        histogram=histogram,
        seen=seen,
        **counts,
    )


def _group(
    function: str, at_start: int, running_s: float, runnable_s: float = 0.0, assist_s: float = 0.0
) -> Any:
    return SimpleNamespace(
        function=function,
        at_start=at_start,
        created=0,
        ended=0,
        live=at_start,
        running_ns=int(running_s * S),
        runnable_ns=int(runnable_s * S),
        assist_ns=int(assist_s * S),
        life_ns=at_start * 10 * S,
    )


def _trace(*, samples: tuple[tuple[int, int], ...] = ()) -> Any:
    """Ten seconds of 2 Ps: 8 goroutines of main.serve, 4 workers. Of main.serve on average 3 wait for a lock
    and 1 for an answer, 1 runs (a tenth of it in assists), 0.5 is ready; the workers idle."""
    return SimpleNamespace(
        kind="trace", duration_ns=10 * S, gomaxprocs=2, live=12, stacks=STACKS, stack=STACKS.__getitem__,
        waits=(
            _wait(0, "sync", 1, 30, count=600, open_end=3, max_ns=S, open_end_max_ns=2 * S),
            _wait(1, "chan receive", 2, 40, count=400, open_end=4),
            _wait(2, "select", 3, 10, count=100, open_end=1),
            _wait(3, "system goroutine wait", 4, 20, count=9, open_end=2),
            _wait(4, "runnable", 1, 5, count=600, max_ns=S // 10),
        ),
        wakes=(), groups=(_group("main.serve", 8, 10, 5, 1), _group("main.worker", 4, 0),
                          _group("runtime.gcBgMarkWorker", 2, 2)),
        gc=SimpleNamespace(
            mark_ns={"dedicated": int(1.5 * S), "fractional": 0, "idle": S // 2},
            assists=(SimpleNamespace(stack=6, count=50, ns=S, max_ns=S),),
        ),
        running_ns=10 * S,
        samples=tuple(SimpleNamespace(stack=stack, count=count, ns=0) for stack, count in samples),
    )  # fmt: skip


def _by(found: list[Place]) -> dict[tuple[str, str], Place]:
    return {(p.what, p.location.function if p.location else p.reason): p for p in found}


def test_waiting_in_a_trace_is_counted_in_goroutines() -> None:
    spent = places_trace.of_trace(_trace())
    # 3 + 4 + 1 wait, 0.5 are ready, 1 runs; the collector's own are none of the program's.
    assert spent.mean == pytest.approx(9.5)
    assert spent.by_design == pytest.approx(4.0)
    found = _by(spent.goroutines)
    lock = found["lock", "main.put"]
    assert (lock.value, lock.share, lock.count, lock.via) == (3.0, 0.3158, 603, "sync.(*Mutex).Lock")
    assert (lock.at_end, lock.max_ms, lock.by_design) == (3, 2000.0, False)
    assert found["network", "main.load"].value == 1.0
    ready = found["runnable", "main.serve"]
    assert (ready.value, ready.max_ms) == (0.5, 100.0)
    assert [p.location.function for p in spent.goroutines if p.by_design and p.location] == ["main.worker"]
    assert not any("gcBgMark" in name for _, name in found)


def test_cpu_time_without_samples_is_that_of_start_functions_less_their_assists() -> None:
    # 10 s run, 1 of them in assists; 1.5 s marking and 0.5 s marking that nobody minded: 12 s in all.
    found = _by(places_trace.of_trace(_trace()).cpu)
    assert found["cpu", "main.serve"].share == pytest.approx(9 / 12, abs=1e-4)
    assert found["cpu", "main.serve"].value == 0.9
    assert found["gc", "main.fill"].share == pytest.approx(1 / 12, abs=1e-4)
    assert found["gc", "GC workers"].share == pytest.approx(1.5 / 12, abs=1e-4)
    assert found["gc", "idle GC workers"].by_design
    assert sum(p.share for p in found.values()) == pytest.approx(1.0, abs=1e-3)


def test_samples_tell_the_function_where_there_are_enough() -> None:
    few = places_trace.of_trace(_trace(samples=((5, 20),)))
    assert not few.sampled
    spent = places_trace.of_trace(_trace(samples=((5, 300), (6, 100))))
    found = _by(spent.cpu)
    assert (found["cpu", "main.hash"].share, found["cpu", "main.hash"].value) == (0.75, 0.3)
    assert (found["gc", "main.fill"].share, found["gc", "main.fill"].count) == (0.25, 100)


def test_what_costs_most_comes_first_and_what_is_by_design_last() -> None:
    # 1.05 of 2 Ps are used: the CPU time counts for about half, and so does waiting.
    found = places.of_capture([_trace()], used=1.05, procs=2).places
    names = [(p.what, p.location.function if p.location else "") for p in found]
    assert names[:2] == [("cpu", "main.serve"), ("lock", "main.put")]
    assert [p.by_design for p in found] == sorted(p.by_design for p in found)
    idle = places.of_capture([_trace()], used=0.2, procs=8).places
    assert idle[0].what == "lock"


def test_each_sort_is_told_by_its_largest_few() -> None:
    tally = Tally()
    for n in range(1, 20):
        tally.at("channel", "select", Frame(f"main.f{n}", "/src/main.go", n), float(n))
    tally.at("lock", "sync", Frame("main.rare", "/src/main.go", 1), 190 * LEAST_SHARE / 2)
    found = tally.places("trace", "goroutines", tally.total)
    assert [p.location.function for p in found if p.location] == [
        f"main.f{n}" for n in range(19, 19 - MOST, -1)
    ]


def test_the_line_is_the_one_that_most_is_spent_at() -> None:
    tally = Tally()
    for line, value in ((10, 1.0), (12, 5.0), (14, 2.0)):
        tally.at("lock", "sync", Frame("main.put", "/src/main.go", line), value)
    (place,) = tally.places("trace", "goroutines", 8.0)
    assert (place.value, place.location) == (8.0, Location("main.put", "/src/main.go", 12))


# Dumps ----------------------------------------------------------------------------------------------------


WORKER = ("example.com/shop/jobs.(*Pool).work", "/src/shop/jobs/pool.go", 31)
HANDLER = ("example.com/shop/web.(*Server).lookup", "/src/shop/web/server.go", 88)


def _dump(*parts: str) -> Any:
    (dump,) = read_dumps(io.BytesIO("".join(parts).encode()), path="dump.txt")
    return dump


def _locked(first: int, count: int, minutes: int = 0) -> list[str]:
    calls = (*LOCKS, HANDLER, *SERVE)
    return [
        goroutine(n, "sync.Mutex.Lock", calls, started=SERVED, minutes=minutes)
        for n in range(first, first + count)
    ]


def _workers(first: int, count: int) -> list[str]:
    return [goroutine(n, "chan receive", (WORKER,), started=STARTED) for n in range(first, first + count)]


def test_a_dump_counts_goroutines_by_place() -> None:
    found = places.of_capture([_dump(*_locked(1, 6, minutes=7), *_workers(100, 4))])
    assert (found.mean, found.by_design) == (10.0, 4.0)
    lock, idle = found.places
    assert (lock.what, lock.value, lock.share, lock.at_end, lock.max_ms) == ("lock", 6.0, 0.6, 6, 7 * 60e3)
    assert lock.location == Location(*HANDLER)
    assert (idle.by_design, idle.value, idle.location) == (True, 4.0, Location(*WORKER))
    assert found.mutexes == {HANDLER[0]: 1}


def test_a_dump_before_tells_how_many_stood_there_and_growth_is_no_idling() -> None:
    first = _dump(*_locked(1, 3), *_workers(100, 4))
    last = _dump(*_locked(1, 3), *_workers(100, 30))
    found = {p.what: p for p in places.of_capture([first, last]).places}
    assert (found["lock"].at_start, found["lock"].at_end) == (3, 3)
    grown = found["channel"]
    assert (grown.at_start, grown.at_end, grown.by_design) == (4, 30, False)


def test_a_hundred_goroutines_at_one_receive_are_worth_a_look() -> None:
    (place,) = places.of_capture([_dump(*_workers(1, 99))]).places
    assert place.by_design
    (place,) = places.of_capture([_dump(*_workers(1, 100))]).places
    assert not place.by_design


# Recordings -----------------------------------------------------------------------------------------------

CAPTURES = Path(__file__).resolve().parent.parent / "captures"


@pytest.mark.parametrize(
    ("capture", "what", "function"),
    [
        ("c001/trace.out.gz", "channel", "main.(*plant).station"),  # sends that nobody takes
        ("c018/trace.out.gz", "channel", "main.(*desk).settle"),
        ("c078/trace.out.gz", "channel", "main.(*desk).settle"),  # of Go 1.21, in the old format
        ("c001/goroutine.pprof", "channel", "main.(*plant).station"),
        ("c065/trace.out.gz", "sync", "main.(*depot).find"),  # a pool of connections
        ("c065/goroutine.pprof", "sync", "main.(*depot).find"),
        ("c005/cpu.pprof", "cpu", "main.powMod"),  # a loop that never pauses
        ("c048/trace.out.gz", "cpu", "main.derive"),
        ("c004/allocs.pprof", "memory", "main.(*catalog).readFeed"),
    ],
)
def test_of_a_recording_the_place_that_matters_is_the_first(capture: str, what: str, function: str) -> None:
    found = _overview(CAPTURES / capture).places
    assert found[0].location is not None
    assert (found[0].what, found[0].location.function) == (what, function)


@pytest.mark.parametrize("capture", ["c001", "c011", "c049", "c072", "c074"])
def test_shares_of_one_unit_in_one_artifact_add_up_to_no_more_than_all(capture: str) -> None:
    sums: dict[tuple[str, str], float] = {}
    overview = _overview(CAPTURES / capture)
    for place in overview.places:
        assert 0 < place.share <= 1
        sums[place.artifact, place.unit] = sums.get((place.artifact, place.unit), 0.0) + place.share
    assert len(sums) > 3
    assert all(total <= 1.001 for total in sums.values())
    assert overview.goroutines_mean is not None
    assert 0 <= (overview.by_design_mean or 0.0) <= overview.goroutines_mean


def _overview(path: Path) -> Overview:
    (capture,) = read_captures([Named(path)], limits=Limits(), progress=None)
    return overview_of(capture.artifacts)


@pytest.mark.parametrize("name", ["c004/allocs.pprof", "c011/cpu.pprof", "c065/heap.pprof"])
def test_places_by_columns_are_those_of_each_stack(name: str) -> None:
    profile = read_profile((CAPTURES / name).read_bytes(), path=name)
    column = profile.default_index
    slow: dict[tuple[str, bool], float] = {}
    for stack, value in profile.by_stack(column).items():
        frame, _ = where(stack)
        key = (frame.function if frame else "", has(stack, GC_WORK))
        slow[key] = slow.get(key, 0.0) + value
    fast: dict[tuple[str, bool], float] = {}
    for row in rows(profile, column):
        key = (row.frame.function if row.frame else "", row.gc)
        fast[key] = fast.get(key, 0.0) + row.values[0]
    assert {k: v for k, v in fast.items() if v} == {k: v for k, v in slow.items() if v}


@pytest.mark.parametrize(
    ("file", "package", "function"),
    [
        ("p043.pprof", r"^main\.", "main.FibRecursive"),
        ("p105.pprof", r"^main\.", "main.leakWorker"),
        (
            "p126.pprof",
            r"^github.com/matrixorigin/",
            "github.com/matrixorigin/matrixone/pkg/common/mpool.alloc",
        ),
        ("p116.pprof", r"^nlptagger/", "nlptagger/neural/tensor.(*Tensor).MatMul.func1"),
    ],
)
def test_the_first_place_of_a_published_profile_is_that_of_pprof(
    realworld: Path, file: str, package: str, function: str
) -> None:
    """With no frames but the user's shown, pprof's flat values are those of the nearest user's function."""
    go = find_go()
    if go is None:
        pytest.skip("no Go toolchain")
    command = [go, "tool", "pprof", "-top", "-nodecount=1", f"-show={package}", str(realworld / file)]
    top = subprocess.run(command, capture_output=True, text=True, check=True, env=go_env()).stdout
    percent, name = top.rstrip().splitlines()[-1].split(maxsplit=5)[1::4]
    place = _overview(realworld / file).places[0]
    assert place.location is not None
    assert (place.location.function, name) == (function, function)
    assert place.share * 100 == pytest.approx(float(percent.rstrip("%")), abs=1.5)


def test_waits_of_a_published_trace_are_those_of_the_reference(realworld: Path) -> None:
    """What the reference counts as waiting for the network, and what is open at the end besides."""
    manifest = (realworld / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    told = next(m["reference"] for m in map(json.loads, manifest) if m["file"] == "t014.trace")
    overview = _overview(realworld / "t014.trace")
    assert overview.duration_s is not None
    waiting = [p for p in overview.places if p.unit == "goroutines" and p.reason == "network"]
    total_s = sum(p.value for p in waiting) * overview.duration_s
    assert total_s >= 0.9 * told["net_wait_ns"] / 1e9
    assert overview.dominates.startswith("nothing stands out")


# Sentences ------------------------------------------------------------------------------------------------

PLACE = Place("lock", "sync.Mutex.Lock", Location("example.com/shop.(*Cart).Submit"), "sync.(*Mutex).Lock",
              "goroutine-dump", 14624.0, "goroutines", 0.9469, 14624)  # fmt: skip


@pytest.mark.parametrize(
    ("known", "text"),
    [
        (
            Known((replace(PLACE, at_end=14624),), goroutines=15445.0, by_design=20.0,
                  mutexes={"example.com/shop.(*Cart).Submit": 1}),
            "14,624 of 15,445 goroutines wait for one mutex in shop.(*Cart).Submit",
        ),
        (
            Known((replace(PLACE, what="cpu", reason="running", via="", artifact="trace", unit="cores",
                           value=1.2, share=0.62),), used=1.9, procs=8),
            "62 % of the CPU time is in shop.(*Cart).Submit (1.9 of 8 Ps used)",
        ),
        (
            Known((replace(PLACE, artifact="trace", value=0.2, share=0.05),), used=0.3, procs=8,
                  goroutines=4.0, by_design=3.5),
            "nothing stands out: 0.30 of 8 Ps used, 3.5 of 4 goroutines wait by design",
        ),
        (
            Known((replace(PLACE, what="channel", reason="chan send", via="", artifact="trace", value=537.2,
                           at_start=212, at_end=873),), used=0.03, procs=2, goroutines=548.0, by_design=9.6),
            ("on average 537 of 548 goroutines wait to send to a channel in shop.(*Cart).Submit, 212 at the "
             "start and 873 at the end"),
        ),
        (
            Known((replace(PLACE, what="memory", reason="in use", via="", artifact="heap", unit="bytes",
                           value=float(3 << 30), share=0.75),)),
            "75 % of the 4 GiB in use was allocated in shop.(*Cart).Submit",
        ),
        (
            Known((replace(PLACE, reason="waits ended here", artifact="mutex", unit="s", value=9.0,
                           share=0.9),)),
            "90 % of 10 s of waiting for locks ended at shop.(*Cart).Submit",
        ),
        (
            Known((replace(PLACE, what="other", reason="", via="", value=1004.0, share=0.14),
                   replace(PLACE, value=1001.0, share=0.14)), goroutines=7045.0, by_design=8.0),
            "no place dominates: the largest, shop.(*Cart).Submit, has 1,004 of 7,045 goroutines",
        ),
        (
            Known((replace(PLACE, what="memory", reason="in use", via="", artifact="heap", unit="bytes",
                           value=float(2 << 20), share=0.67),
                   replace(PLACE, value=0.2, share=0.05, artifact="trace")), used=0.3, procs=8,
                  goroutines=4.0, by_design=3.5),
            "nothing stands out: 0.30 of 8 Ps used, 3.5 of 4 goroutines wait by design",
        ),
        (
            Known((replace(PLACE, what="memory", reason="allocated", via="", artifact="heap", unit="bytes",
                           value=float(3 << 30), share=0.75),)),
            "nothing is in use now; 75 % of the 4 GiB allocated is from shop.(*Cart).Submit",
        ),
        (Known((), used=0.5, procs=4), "0.50 of 4 Ps used"),
        (Known(()), ""),
        (
            Known((), unplaced=194, live=219),
            "194 of 219 goroutines never ran, and this trace cannot say where they wait",
        ),
    ],
)  # fmt: skip
def test_what_dominates_is_said_with_its_numbers(known: Known, text: str) -> None:
    assert sentence(known) == text


@pytest.mark.parametrize(
    ("profile", "text"),
    [
        (heap_profile(0, 0, 0, 0), "the heap profile is empty: too little was allocated for a sample, or"),
        (heap_profile(3, 3 << 20, 0, 0), "nothing is in use now; 100 % of the 3 MiB allocated is from main."),
        (heap_profile(9, 9 << 20, 1, 1 << 20), "100 % of the 1 MiB in use was allocated in main.work"),
        (contention_profile("sync.(*Mutex).Unlock", 0, 0),
         "the mutex profile is empty: nobody waited for a lock, or runtime.SetMutexProfileFraction was not"),
        (contention_profile("runtime.chanrecv1", 0, 0),
         "the block profile is empty: nothing waited, or runtime.SetBlockProfileRate was not called"),
    ],
)  # fmt: skip
def test_a_profile_with_nothing_in_it_says_so(profile: bytes, text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.pprof"
    path.write_bytes(profile)
    assert _overview(path).dominates.startswith(text)


def test_a_dump_of_nothing_but_its_recorder_says_so(tmp_path: Path) -> None:
    path = tmp_path / "goroutine.txt"
    path.write_text(
        "goroutine 1 [running]:\nruntime/pprof.writeGoroutineStacks({0x1, 0x2})\n"
        "\t/usr/local/go/src/runtime/pprof/pprof.go:761 +0x65\n"
        "net/http/pprof.handler.ServeHTTP({0x1, 0x2}, {0x3, 0x4}, 0x5)\n"
        "\t/usr/local/go/src/net/http/pprof/pprof.go:268 +0x4d6\n"
    )
    assert _overview(path).dominates == "there was no goroutine but the one that recorded it"


def test_one_goroutine_that_waits_dominates_no_dump() -> None:
    one = replace(PLACE, value=1.0, share=0.1, count=1, at_end=1)
    assert sentence(Known((one,), goroutines=10.0, by_design=9.0)).startswith("nothing stands out")


def test_places_go_to_json_and_back_with_a_conversation() -> None:
    from gopherdx.saved import Kept, from_json, to_json

    kept = Kept(
        (), (), (), Overview(text="t", dominates="d", places=(PLACE, replace(PLACE, location=None))), (), ()
    )
    assert from_json(json.loads(json.dumps(to_json(kept)))).overview == kept.overview
    assert asdict(kept.overview)["places"][0]["what"] == "lock"


def test_a_dump_of_goroutines_at_one_mutex_says_so_first(tmp_path: Path) -> None:
    waits = (
        "goroutine {n} [sync.Mutex.Lock, 3 minutes]:\n"
        "internal/sync.runtime_SemacquireMutex(0xc000012345?, 0x0?, 0x0?)\n"
        "\t/usr/local/go/src/runtime/sema.go:95 +0x25\n"
        "internal/sync.(*Mutex).lockSlow(0xc0000b0000)\n"
        "\t/usr/local/go/src/internal/sync/mutex.go:149 +0x15d\n"
        "internal/sync.(*Mutex).Lock(...)\n\t/usr/local/go/src/internal/sync/mutex.go:70\n"
        "sync.(*Mutex).Lock(...)\n\t/usr/local/go/src/sync/mutex.go:46\n"
        "example.com/tasks.(*Pool).SubmitTask(0xc0000b0000, {{0x1, 0x2}})\n"
        "\t/src/tasks/pool.go:88 +0x4d\n"
        "created by example.com/tasks.Serve in goroutine 1\n\t/src/tasks/serve.go:20 +0x5c\n\n"
    )
    works = (
        "goroutine {n} [runnable]:\nexample.com/tasks.work(0x1)\n\t/src/tasks/work.go:5 +0x1d\n"
        "created by example.com/tasks.Serve in goroutine 1\n\t/src/tasks/serve.go:30 +0x5c\n\n"
    )
    dump = tmp_path / "goroutines.txt"
    dump.write_text(
        "".join(waits.format(n=n) for n in range(10, 10 + 14_624))
        + "".join(works.format(n=n) for n in range(20_000, 20_000 + 821))
    )
    said = gopherdx.diagnose(dump)
    assert said.overview.dominates.startswith("14,624 of 15,445 goroutines wait for one mutex in ")
    assert said.overview.dominates.endswith("tasks.(*Pool).SubmitTask")
    assert "14,624 of 15,445 goroutines wait for one mutex in" in said.summary
