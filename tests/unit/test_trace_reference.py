"""Our reading of a trace agrees with that of the Go toolchain, event by event and wait by wait.

Needs a toolchain (GOPHERDX_GO, or go on the PATH) of at least the release that recorded the trace.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
from collections import Counter, defaultdict
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path

import pytest

from gopherdx.artifacts.trace import Trace, read_trace
from tests.support import reference as ref

ROOT = Path(__file__).resolve().parent.parent
EVERYTHING = ROOT / "support" / "everything"
LAB = os.environ.get("GOPHERDX_LAB_CAPTURES")
REALWORLD = Path(os.environ.get("GOPHERDX_REALWORLD", ROOT.parent.parent / "shared" / "realworld"))
REPLAY_BYTES = 1_500_000  # a replay in plain Python takes a second for 100 KB


def shipped() -> list[Path]:
    """Traces of Go 1.22 and later in tests/captures."""
    found = sorted(p for p in (ROOT / "captures").rglob("*.out*") if p.name.endswith((".out", ".out.gz")))
    return [p for p in found if _minor(p) >= 22]


def _minor(path: Path) -> int:
    """The release in a trace's header: 26 of ``go 1.26 trace``."""
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        return int(file.read(16).split(b".")[1].split()[0])


def published() -> list[Path]:
    """Traces of Go 1.22 and later that strangers published."""
    manifest = REALWORLD / "manifest.jsonl"
    if not manifest.is_file():
        return []
    rows = [json.loads(line) for line in manifest.read_text().splitlines()]
    return sorted(
        REALWORLD / r["file"]
        for r in rows
        if r["kind"] == "trace" and int(str(r["go"] or "1.0").split(".")[1]) >= 22
    )


def of_the_lab() -> list[Path]:
    """Traces of the lab's whole matrix, where GOPHERDX_LAB_CAPTURES names its folder."""
    return sorted(Path(LAB).rglob("trace.out")) if LAB else []


ALL = [*shipped(), *published(), *(pytest.param(p, marks=pytest.mark.slow) for p in of_the_lab())]


def _name(path: object) -> str:
    return "-".join(Path(str(path)).parts[-3:])


every_trace = pytest.mark.parametrize("path", ALL, ids=_name)


@pytest.fixture(scope="session")
def go() -> str:
    found = ref.find_go()
    if found is None:
        pytest.skip("no Go toolchain (GOPHERDX_GO, or go on the PATH)")
    return found


Plain = Callable[[Path], Path]


@pytest.fixture(scope="session")
def plain(go: str, tmp_path_factory: pytest.TempPathFactory) -> Plain:
    """The trace unpacked, as the toolchain wants it; skips where the toolchain is older than the trace."""
    folder, minor = tmp_path_factory.mktemp("plain"), ref.go_minor(go)

    @cache
    def unpacked(path: Path) -> Path:
        low = _read(path).go.low[1]
        if low > minor:
            pytest.skip(f"go 1.{minor} cannot read a trace of go 1.{low}")
        if path.suffix != ".gz":
            return path
        out = folder / f"{abs(hash(path))}.out"
        with gzip.open(path) as source, out.open("wb") as sink:
            shutil.copyfileobj(source, sink)
        return out

    return unpacked


@lru_cache(maxsize=4)
def _read(path: Path) -> Trace:
    return read_trace(path)


@lru_cache(maxsize=4)
def _moved(path: Path) -> Trace:
    """The trace with its times moved as the toolchain moves them, so that all times can be compared."""
    return ref.read_with_moved_times(path, _too_short(_read(path)))


def _slack_ns(trace: Trace, stays: int) -> int:
    """How far times may differ: the toolchain makes up events, and moves others by a nanosecond for each.

    Where it takes the clock for 256 times too fast, it also rounds each step between events down to one of
    its nanoseconds, 256 of ours: by the end of a batch of some thousand events that is most of a ms.
    """
    made_up = 2 * (_switches(trace) + trace.counts.get("GoDestroySyscall", 0)) + len(trace.generations)
    too_short = _too_short(trace)
    rounded = 1_000_000 if too_short > 1 else 0
    return 2 * (stays + made_up) * too_short + rounded


def _switches(trace: Trace) -> int:
    return trace.counts.get("GoSwitch", 0) + trace.counts.get("GoSwitchDestroy", 0)


# --- counts and profiles ---


@every_trace
def test_events_by_name_are_those_of_the_wire(go: str, plain: Plain, path: Path) -> None:
    assert _read(path).counts == dict(ref.wire_counts(go, plain(path)))


@every_trace
@pytest.mark.parametrize("kind", ref.KINDS)
def test_closed_waits_by_stack_are_those_of_the_profile(go: str, plain: Plain, path: Path, kind: str) -> None:
    trace = _moved(path)
    theirs, ours = ref.pprof_totals(go, plain(path), kind), ref.our_totals(trace, kind)
    wrong = _disagreements(trace, kind, theirs, ours)
    if wrong and all(" ns instead of " in line for line in wrong):
        wrong = _disagreements(trace, kind, theirs, ours, ref.ran_ahead_ns(go, plain(path)))
    assert wrong == []


def _disagreements(
    trace: Trace, kind: str, theirs: ref.Totals, ours: ref.Totals, ahead_ns: int = 0
) -> list[str]:
    """What differs; times may by ``ahead_ns`` where the toolchain ran ahead of its own order."""
    theirs = {key: (n, ns * _too_short(trace)) for key, (n, ns) in theirs.items()}
    out = []
    for key in theirs.keys() | ours.keys():
        (n, ns), (our_n, our_ns) = theirs.get(key, (0, 0)), ours.get(key, (0, 0))
        if our_n != n and not _explained(trace, kind, key, n, our_n):
            out.append(f"{our_n} stays instead of {n} at {key[:3]}")
        elif our_n == n and abs(our_ns - ns) > _slack_ns(trace, n) + ahead_ns:
            out.append(f"{our_ns} ns instead of {ns} at {key[:3]}")
    return out


def _too_short(trace: Trace) -> int:
    """How many times too short the toolchain's reader shows this trace's durations."""
    return 256 if any("Go 1.22 on Windows wrote a clock" in warning for warning in trace.warnings) else 1


def _explained(trace: Trace, kind: str, key: ref.StackKey, theirs: int, ours: int) -> bool:
    """Where our count rightly differs (docs/trace-reader.md); the replay below holds these to the event.

    A C thread that calls Go has one goroutine id for all its calls, and the profile keeps the last call
    only. Each switch between coroutines is a stay of no length in the profile's queue.
    """
    calls, switches = trace.counts.get("GoCreateSyscall", 0), _switches(trace)
    from_c = any(f.startswith(("runtime.cgocallback", "_cgoexp_")) for f, _ in key)
    if calls and (from_c or not key) and ours >= theirs - switches:
        return True
    return bool(switches) and kind == "sched" and not key and 0 <= theirs - ours <= switches


# --- every state of every goroutine ---


def _replayable() -> list[Path]:
    return [
        p
        for p in (*shipped(), *published())
        if p.stat().st_size * (5 if p.suffix == ".gz" else 1) < REPLAY_BYTES
    ]


@pytest.mark.slow
@pytest.mark.parametrize("path", _replayable(), ids=_name)
def test_states_of_goroutines_are_those_of_the_replayed_events(go: str, plain: Plain, path: Path) -> None:
    assert_replay_agrees(_moved(path), ref.replay(go, plain(path)))


def assert_replay_agrees(trace: Trace, theirs: ref.Replayed) -> None:
    """Each table of ours against the reference's events, followed in plain Python."""
    too_short = _too_short(trace)
    callbacks = theirs.kinds["StateTransition"] - ref.parsed_counts(trace.counts)["StateTransition"]
    assert 0 <= callbacks <= trace.counts.get("GoDestroySyscall", 0)
    kinds = dict(theirs.kinds)
    assert kinds.pop("Sync") == len(trace.generations) + 1
    assert ref.parsed_counts(trace.counts, callbacks) == kinds

    assert _stays(trace, "count") == {k: n for k, (n, _) in theirs.closed.items()}
    assert _stays(trace, "open_start") == {k: n for k, (n, _) in theirs.open_start.items()}
    assert _stays(trace, "open_end") == {k: n for k, (n, _) in theirs.open_end.items()}
    assert sum(w.open_both for w in trace.waits) == theirs.open_both
    for ours_of, seen in (
        ("ns", theirs.closed),
        ("open_start_ns", theirs.open_start),
        ("open_end_ns", theirs.open_end),
    ):
        ours = _stays(trace, ours_of)
        for key, (n, ns) in seen.items():
            assert abs(ours.get(key, 0) - ns * too_short) <= _slack_ns(trace, n), (ours_of, key)

    assert (trace.created, trace.ended, trace.live) == (
        sum(theirs.created.values()),
        theirs.ended,
        theirs.live,
    )
    assert sum(g.at_start for g in trace.groups) == theirs.at_start
    assert _by_creator(trace) == dict(theirs.created)
    assert trace.gc.cycles == theirs.gc_cycles
    assert trace.gomaxprocs == theirs.procs
    duration_ns = (theirs.last_ns - theirs.first_ns) * too_short
    assert abs(trace.duration_ns - duration_ns) <= _slack_ns(trace, 1)
    running = sum(g.running_ns for g in trace.groups)
    runs = sum(trace.counts.values())
    assert abs(running - theirs.running_ns * too_short) <= _slack_ns(trace, runs)
    samples: Counter[ref.StackKey] = Counter()
    for sample in trace.samples:
        samples[ref.our_key(trace, sample.stack)] += sample.count
    assert samples == theirs.samples
    assert _wakers(trace) == theirs.wakers


def _stays(trace: Trace, column: str) -> dict[tuple[str, ref.StackKey], int]:
    out: dict[tuple[str, ref.StackKey], int] = defaultdict(int)
    for wait in trace.waits:
        reason = "" if wait.reason == "unspecified" else wait.reason
        out[(reason, ref.our_key(trace, wait.stack))] += getattr(wait, column)
    return {k: v for k, v in out.items() if v}


def _by_creator(trace: Trace) -> dict[ref.StackKey, int]:
    out: Counter[ref.StackKey] = Counter()
    for group in trace.groups:
        out[ref.our_key(trace, group.created_at)] += group.created
    return dict(+out)


def _wakers(trace: Trace) -> Counter[tuple[str, ref.StackKey, ref.StackKey | None]]:
    out: Counter[tuple[str, ref.StackKey, ref.StackKey | None]] = Counter()
    for wake in trace.wakes:
        wait = trace.waits[wake.wait]
        reason = "" if wait.reason == "unspecified" else wait.reason
        waker = None if wake.waker is None else ref.our_key(trace, wake.waker)
        out[(reason, ref.our_key(trace, wait.stack), waker)] += wake.count
    return out


# --- a fresh trace with every event ---


@pytest.fixture(scope="session")
def everything(go: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trace with every event that this toolchain writes, recorded now."""
    folder = tmp_path_factory.mktemp("everything")
    cgo = {"CGO_ENABLED": "1" if shutil.which("cc") else "0"}
    subprocess.run(
        [go, "build", "-o", folder / "everything", "."], cwd=EVERYTHING, check=True, env=ref.go_env() | cgo
    )
    subprocess.run([folder / "everything", "-o", folder / "trace.out", "-for", "1200ms"], check=True)
    return folder / "trace.out"


@pytest.mark.slow
def test_a_trace_with_every_event_agrees(go: str, everything: Path) -> None:
    trace = ref.read_with_moved_times(everything)
    wanted = {
        "UserTaskBegin",
        "UserRegionEnd",
        "UserLog",
        "ProcSteal",
        "GCActive",
        "CPUSample",
        "GoSyscallEndBlocked",
    }
    if ref.go_minor(go) >= 23:
        wanted |= {"GoSwitch", "GoSwitchDestroy", "GoCreateBlocked", "GoStatusStack"}
    assert wanted - {"GCActive", "ProcSteal"} <= trace.counts.keys()
    assert trace.counts == dict(ref.wire_counts(go, everything))
    for kind in ref.KINDS:
        theirs, ours = ref.pprof_totals(go, everything, kind), ref.our_totals(trace, kind)
        assert _disagreements(trace, kind, theirs, ours) == []
    assert trace.forced == trace.unsettled == 0


@pytest.mark.slow
def test_a_trace_with_every_event_replays_alike(go: str, everything: Path) -> None:
    assert_replay_agrees(ref.read_with_moved_times(everything), ref.replay(go, everything))
