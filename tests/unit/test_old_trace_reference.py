"""Our reading of a trace of Go 1.11 to 1.21 agrees with that of Go 1.21, event by event and wait by wait.

Needs Go 1.21 (GOPHERDX_GO_1_21_13, or GOPHERDX_GO): it is the last toolchain whose own format that was.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
from collections import Counter
from functools import lru_cache
from pathlib import Path

import pytest

from gopherdx import frames as fr
from gopherdx.artifacts.trace import Trace, read_trace
from gopherdx.errors import UnreadableInput
from tests.support import old_reference as old
from tests.support import reference as ref

ROOT = Path(__file__).resolve().parent.parent
EVERYTHING = ROOT / "support" / "everything"
RECORDED = ROOT / "support" / "old"
LAB = os.environ.get("GOPHERDX_LAB_CAPTURES")
REALWORLD = Path(os.environ.get("GOPHERDX_REALWORLD", ROOT.parent.parent / "shared" / "realworld"))
FOLLOW_BYTES = 700_000  # a second for 100 KB
SLACK_NS = 10_000_000


def published() -> list[Path]:
    """Traces of Go 1.11 to 1.21 that strangers published."""
    manifest = REALWORLD / "manifest.jsonl"
    if not manifest.is_file():
        return []
    rows = [json.loads(line) for line in manifest.read_text().splitlines()]
    return sorted(
        REALWORLD / r["file"] for r in rows if r["kind"] == "trace" and r["go"] in ("1.11", "1.19", "1.21")
    )


def of_the_lab() -> list[Path]:
    """Traces that the lab recorded with Go 1.21, where GOPHERDX_LAB_CAPTURES names its folder."""
    return sorted(Path(LAB).rglob("go1.21.*/*/trace*.out")) if LAB else []


ALL = [
    *sorted(RECORDED.glob("*.out.gz")),
    *published(),
    *(pytest.param(p, marks=pytest.mark.slow) for p in of_the_lab()),
]


def _name(path: object) -> str:
    return "-".join(Path(str(path)).parts[-3:])


every_trace = pytest.mark.parametrize("path", ALL, ids=_name)


@pytest.fixture(scope="session")
def go() -> str:
    found = old.find_go_1_21()
    if found is None:
        pytest.skip("no Go 1.21 (GOPHERDX_GO_1_21_13)")
    return found


@pytest.fixture(scope="session")
def reader(go: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The loop over Go 1.21's parser."""
    return old.build_reader(go, tmp_path_factory.mktemp("reader"))


@pytest.fixture
def plain(path: Path, tmp_path: Path) -> Path:
    """The trace unpacked, as the toolchain wants it."""
    if path.suffix != ".gz":
        return path
    out = tmp_path / "trace.out"
    out.write_bytes(gzip.decompress(path.read_bytes()))
    return out


@lru_cache(maxsize=4)
def _read(path: Path) -> Trace:
    return read_trace(path)


@every_trace
def test_events_by_name_are_those_of_the_parser(reader: Path, plain: Path, path: Path) -> None:
    theirs = old.counts(reader, plain)
    if theirs is None:
        with pytest.raises(UnreadableInput, match="cut off before its end"):
            read_trace(path)
        return
    trace = _read(path)
    assert trace.counts == theirs
    assert trace.forced == trace.unsettled == 0
    assert trace.warnings == ()


@every_trace
def test_waiting_by_stack_is_that_of_the_profiles(go: str, reader: Path, plain: Path, path: Path) -> None:
    if old.counts(reader, plain) is None:
        pytest.skip("the reference refuses this trace")
    trace = _read(path)
    for kind in ref.KINDS:
        assert_profile_agrees(trace, kind, ref.pprof_totals(go, plain, kind))


def assert_profile_agrees(trace: Trace, kind: str, theirs: ref.Totals) -> None:
    """Counts by stack are the same, and times within 0.1 % and 10 ms.

    In ``sched`` the reference counts goroutines that were runnable when the recording began as created by
    whoever began it; ours stand apart, as open at the start.
    """
    ours = _totals(trace, kind)
    our_counts = Counter({key: n for key, (n, _) in ours.items()})
    their_counts = Counter({key: n for key, (n, _) in theirs.items()})
    if kind == "sched":
        began = sum(w.open_start for w in trace.waits if w.reason in ("runnable", "first run"))
        beginner = their_counts - our_counts
        assert list(beginner.values()) == ([began] if began else [])
        their_counts -= beginner
        theirs = {key: value for key, value in theirs.items() if key not in beginner}
        ours = {key: value for key, value in ours.items() if key not in beginner}
    assert our_counts == their_counts
    for key, (_, ns) in theirs.items():
        assert abs(ours[key][1] - ns) <= ns / 1000 + SLACK_NS
    total = sum(ns for _, ns in theirs.values())
    assert abs(sum(ns for _, ns in ours.values()) - total) <= total / 1000 + SLACK_NS


_REASONS = {
    "sync": (
        "chan send", "chan receive", "select", "sync", "sync.(*Cond).Wait", "GC mark assist wait for work",
    ),
    "net": ("network",),
    "syscall": ("syscall",),
    "sched": ("runnable", "first run"),
}  # fmt: skip


def _totals(trace: Trace, kind: str) -> ref.Totals:
    """Closed stays by stack; the reference leaves out those without one."""
    out: dict[ref.StackKey, tuple[int, int]] = {}
    for wait in trace.waits:
        if wait.reason in _REASONS[kind] and wait.stack and wait.count:
            key = ref.our_key(trace, wait.stack)
            n, ns = out.get(key, (0, 0))
            out[key] = (n + wait.count, ns + wait.ns)
    return out


def _followable() -> list[Path]:
    return [p for p in [*sorted(RECORDED.glob("*.out.gz")), *published()] if p.stat().st_size < FOLLOW_BYTES]


@pytest.mark.parametrize("path", _followable(), ids=_name)
def test_states_of_goroutines_are_those_of_the_parsers_events(reader: Path, plain: Path, path: Path) -> None:
    assert_followed_agrees(_read(path), old.follow(reader, plain))


def assert_followed_agrees(trace: Trace, theirs: old.Followed) -> None:
    """Stays, wakers, creators and running time come out as the parser's events tell them, to the ns."""
    closed: Counter[old.Key] = Counter()
    times: Counter[old.Key] = Counter()
    short: Counter[ref.StackKey] = Counter()
    for wait in trace.waits:
        closed[(wait.reason, ref.our_key(trace, wait.stack))] += wait.count
        times[(wait.reason, ref.our_key(trace, wait.stack))] += wait.ns
        short[ref.our_key(trace, wait.stack)] += wait.short
    assert +closed == Counter({key: n for key, (n, _) in theirs.closed.items()})
    assert +times == +Counter({key: ns for key, (_, ns) in theirs.closed.items()})
    for column in ("open_start", "open_end", "open_both"):
        assert _stays(trace, column) == dict(getattr(theirs, column)), column
    assert +short == theirs.short
    assert _wakers(trace) == theirs.wakes
    created: Counter[tuple[str, ref.StackKey]] = Counter()
    for group in trace.groups:
        created[(group.function, ref.our_key(trace, group.created_at))] += group.created
    assert +created == theirs.created
    assert sum(g.running_ns for g in trace.groups) == theirs.running_ns
    assert trace.live == theirs.live


def _stays(trace: Trace, column: str) -> dict[old.Key, int]:
    out: Counter[old.Key] = Counter()
    for wait in trace.waits:
        out[(wait.reason, ref.our_key(trace, wait.stack))] += getattr(wait, column)
    return dict(+out)


def _wakers(trace: Trace) -> Counter[tuple[str, ref.StackKey, ref.StackKey | None]]:
    out: Counter[tuple[str, ref.StackKey, ref.StackKey | None]] = Counter()
    for wake in trace.wakes:
        wait = trace.waits[wake.wait]
        waker = None if wake.waker is None else ref.our_key(trace, wake.waker)
        out[(wait.reason, ref.our_key(trace, wait.stack), waker)] += wake.count
    return out


@pytest.mark.slow
def test_a_fresh_trace_with_every_event_agrees(go: str, reader: Path, tmp_path: Path) -> None:
    cgo = {"CGO_ENABLED": "1" if shutil.which("cc") else "0"}
    subprocess.run(
        [go, "build", "-o", tmp_path / "everything", "."], cwd=EVERYTHING, check=True, env=ref.go_env() | cgo
    )
    path = tmp_path / "trace.out"
    subprocess.run([tmp_path / "everything", "-o", path, "-for", "1500ms"], check=True)
    trace = read_trace(path)
    wanted = "UserTaskCreate UserRegion UserLog CPUSample GoSysExit GoStartLabel GoBlockNet GoBlockSync"
    assert set(wanted.split()) <= trace.counts.keys()
    assert trace.counts == old.counts(reader, path)
    for kind in ref.KINDS:
        assert_profile_agrees(trace, kind, ref.pprof_totals(go, path, kind))
    assert_followed_agrees(trace, old.follow(reader, path))
    assert any(fr.is_internal(trace.stack(w.stack)) for w in trace.waits)
