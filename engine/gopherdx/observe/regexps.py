"""Regular expressions that are compiled while the program works: CPU and allocation under regexp.Compile.

A pattern that is compiled once, at the program's start, is none: the start is on the main goroutine. What a
goroutine of its own (a handler, a worker) compiles, it compiles for a piece of work. A program that does its
work in main looks like its start in samples and traces, and they do not judge it; a profile of memory does:
it says whether patterns were kept.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from gopherdx import frames as fr
from gopherdx.observe.cpu import SAMPLE_NS
from gopherdx.observe.gc import paid_ns
from gopherdx.observe.memory import MB, Mark, Memory
from gopherdx.observe.said import Said, Sayer, place_of

if TYPE_CHECKING:
    from gopherdx.artifacts.pprof import Profile
    from gopherdx.artifacts.trace.tables import Trace

LOOKED_CPU = ("regexp.compile_cpu_share", "regexp.compile_cores", "regexp.cost_cores")
LOOKED_ALLOC = ("regexp.compile_alloc_share",)
MIN_SAMPLES = 30.0
MIN_MARKS = 20
MIN_SHARE = 0.01
# *Regexp, one for each pattern that is compiled; its size differs little between versions.
KEPT_TELLS_FROM = 4  # times what is in use
_REGEXP_BYTES = (128, 224)


class _Shares:
    """What lies under regexp.Compile by the function that calls it; ``start`` is the main goroutine's."""

    def __init__(self) -> None:
        self.units: dict[str, float] = defaultdict(float)
        self.start = 0.0
        self.frames: dict[str, fr.Frame] = {}

    def add(self, stack: fr.Stack, value: float, *, with_main: bool = False) -> None:
        if not fr.has(stack, fr.REGEXP_COMPILE):
            return
        frame = fr.nearest_caller(stack, fr.REGEXP_COMPILE)
        if frame is None:
            return
        if fr.of_main(stack) and not with_main:
            self.start += value
            return
        name = fr.plain(frame.function)
        self.units[name] += value
        self.frames.setdefault(name, frame)


def of_profile(profile: Profile) -> Said:
    """Of a CPU profile: share of its samples, and cores, by the function that compiles."""
    if not len(profile) or not profile.symbolized or profile.duration_ns <= 0:
        return Said((), frozenset())
    stacks = [(stack, float(value)) for stack, value in profile.by_stack(profile.cpu_index).items()]
    return _of_samples(stacks, "cpu", profile.duration_ns, float(profile.period or SAMPLE_NS), {})


def of_trace(trace: Trace) -> Said:
    """Of a trace: as of a CPU profile where it holds samples, and the share of allocation always."""
    parts = []
    if trace.sampled:
        stacks = [(trace.stack(c.stack), float(c.count * SAMPLE_NS)) for c in trace.samples]
        parts.append(_of_samples(stacks, "trace", max(trace.duration_ns, 1), SAMPLE_NS, _garbage_ns(trace)))
    parts.append(_of_marks(trace))
    return Said(
        tuple(item for part in parts for item in part.items),
        frozenset(name for part in parts for name in part.looked),
    )


def of_memory(memory: Memory) -> Said:
    """Of heap and allocs profiles: share of allocation, how many were compiled, how much is kept."""
    whole = memory.made_bytes
    if not memory.tells_made or memory.samples < MIN_SAMPLES or not whole:
        return Said((), frozenset())
    between = memory.seconds > 0
    made, live, count = _Shares(), _Shares(), _Shares()
    for row in memory.rows:
        if not row.marks & Mark.REGEXP:
            continue
        made.add(row.stack, row.made_bytes, with_main=True)
        live.add(row.stack, row.grown_bytes if between else row.live_bytes, with_main=True)
        if row.stack[0].function == "regexp.compile" and _REGEXP_BYTES[0] <= row.size <= _REGEXP_BYTES[1]:
            count.add(row.stack, row.made, with_main=True)
    # Before the collector has been round a few times, what was thrown away is in use as well.
    often_enough = whole >= KEPT_TELLS_FROM * sum(max(row.live_bytes, 0) for row in memory.rows)
    tells_kept = often_enough and (memory.tells_growth if between else memory.tells_live)
    out = Sayer(memory.kind, {*LOOKED_ALLOC, "regexp.compiled"})
    if tells_kept:
        out.look("regexp.kept_share")
    if between:
        out.look("regexp.compile_alloc_mb_per_s")
    for name, value in sorted(made.units.items()):
        if value < MIN_SHARE * whole:
            continue
        say = out.about(name, place_of(made.frames[name]), "alloc_space under regexp.Compile")
        say("regexp.compile_alloc_share", value / whole, "share")
        say("regexp.compile_alloc_mb", value / MB, "MB")
        say("regexp.compiled", count.units.get(name, 0.0), "patterns")
        if tells_kept:
            say("regexp.kept_share", max(live.units.get(name, 0.0), 0.0) / value, "share")
        if between:
            say("regexp.compile_alloc_mb_per_s", value / MB / memory.seconds, "MB/s")
            say("regexp.compiled_per_s", count.units.get(name, 0.0) / memory.seconds, "1/s")
    return out.done()


def _of_samples(
    stacks: Iterable[tuple[fr.Stack, float]],
    artifact: str,
    duration_ns: int,
    each: float,
    garbage_ns: Mapping[str, float],
) -> Said:
    """``each``: CPU ns that one sample stands for; ``garbage_ns``: what the collector paid, where known."""
    shares, total = _Shares(), 0.0
    for stack, value in stacks:
        if value > 0 and not fr.is_recorder(stack):
            total += value
            shares.add(stack, value)
    if total < MIN_SAMPLES * each:
        return Said((), frozenset())
    out = Sayer(artifact, LOOKED_CPU if shares.start < MIN_SHARE * total else ())
    for name, value in sorted(shares.units.items()):
        if value < MIN_SHARE * total:
            continue
        say = out.about(name, place_of(shares.frames[name]), "CPU samples under regexp.Compile")
        cores = value / duration_ns
        say("regexp.compile_cpu_share", value / total, "share of CPU samples")
        say("regexp.compile_cores", cores, "cores")
        say("regexp.cost_cores", cores + garbage_ns.get(name, 0.0) / duration_ns, "cores")
        # What is compiled no more is not collected either: as much again at the most.
        say("regexp.gain_low", cores, "cores")
        say("regexp.gain_high", min(2 * cores, total / duration_ns), "cores")
    return out.done()


def _marks(trace: Trace) -> tuple[_Shares, int]:
    """The places in the program where allocation left its mark in the trace, and how many marks there are."""
    shares, total = _Shares(), 0
    for counted in (*trace.gc.triggers, *trace.gc.assists, *trace.gc.sweeps):
        stack = trace.stack(counted.stack)
        if fr.user_frame(stack) is None or fr.is_recorder(stack):
            continue
        total += counted.count
        shares.add(stack, counted.count)
    return shares, total


def _garbage_ns(trace: Trace) -> dict[str, float]:
    """The collector's CPU time for what compiling left behind, in ns by the function that compiles."""
    shares, total = _marks(trace)
    if total < MIN_MARKS:
        return {}
    return {name: paid_ns(trace) * value / total for name, value in shares.units.items()}


def _of_marks(trace: Trace) -> Said:
    """The share of allocation, by the stacks of GC triggers, assists and sweeps."""
    shares, total = _marks(trace)
    if total < MIN_MARKS:
        return Said((), frozenset())
    looked = (*LOOKED_ALLOC, "regexp.compile_alloc_mb_per_s")
    out = Sayer("trace", looked if shares.start < MIN_SHARE * total else ())
    mb_per_s = trace.gc.allocated_bytes / MB / (max(trace.duration_ns, 1) / 1e9)
    for name, value in sorted(shares.units.items()):
        if value < MIN_SHARE * total:
            continue
        say = out.about(name, place_of(shares.frames[name]), "stacks of GC triggers, assists and sweeps")
        say("regexp.compile_alloc_share", value / total, "share")
        say("regexp.compile_alloc_mb_per_s", mb_per_s * value / total, "MB/s")
    return out.done()
