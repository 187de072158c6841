"""What was recorded: kind, Go version, length, processors, goroutines, events, what is missing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gopherdx import frames as fr
from gopherdx.model import Overview
from gopherdx.observe import overview_runtime, places, standing_told, units
from gopherdx.observe.dominant import Known, sentence
from gopherdx.observe.places_trace import SAMPLE_S
from gopherdx.observe.scheduler import never_ran_unplaced
from gopherdx.observe.sends import UNPLACED

if TYPE_CHECKING:
    from gopherdx.artifacts.trace.tables import Trace


def overview_of(artifacts: Sequence[Any]) -> Overview:
    """The overview of a capture; the first trace tells most, the other artifacts what it does not."""
    traces = [a for a in artifacts if a.kind == "trace"]
    others = [a for a in artifacts if a.kind != "trace"]
    kinds = tuple(dict.fromkeys(["trace"] * len(traces) + [str(a.kind) for a in others]))
    if traces:
        return _spent(_of_trace(traces[0], kinds), artifacts, traces[0])
    cpu = next((a for a in others if a.kind == "cpu"), None)
    duration = next((a.duration_ns / 1e9 for a in others if getattr(a, "duration_ns", 0) > 0), None)
    used = None
    if cpu is not None and cpu.duration_ns > 0:
        used = round(sum(cpu.values[:, cpu.default_index].tolist()) / cpu.duration_ns, 3)
    goroutines, standing = standing_told.tell(artifacts), standing_told.newest_total(artifacts)
    parts = _named(kinds, goroutines_told=bool(goroutines))
    if duration:
        parts.append(f"{duration:.1f} s")
    if used is not None:
        parts.append(f"{used:.2f} CPUs used on average")
    base = Overview(
        text="; ".join(text for text in (", ".join(parts), goroutines) if text),
        kinds=kinds,
        duration_s=duration,
        goroutines_end=standing,
        cpus_used=used,
        dominates="there was no goroutine but the one that recorded it" if standing == 0 else "",
    )
    return _spent(overview_runtime.joined(base, artifacts), artifacts, None)


def _spent(base: Overview, artifacts: Sequence[Any], trace: Trace | None) -> Overview:
    """The overview with where time and memory go."""
    spent = places.of_capture(artifacts, base.cpus_used, base.gomaxprocs)
    known = Known(
        places=spent.places,
        used=base.cpus_used,
        procs=base.gomaxprocs,
        goroutines=spent.mean,
        by_design=spent.by_design,
        unplaced=never_ran_unplaced(trace) if trace is not None and not _has_moment(artifacts) else 0,
        live=base.goroutines_end,
        mutexes=spent.mutexes,
    )
    return replace(
        base,
        goroutines_mean=_digits(spent.mean),
        by_design_mean=_digits(spent.by_design),
        dominates=_empty(artifacts) or sentence(known) or base.dominates,
        places=spent.places,
    )


_WHY_EMPTY = {
    "block": "nothing waited, or runtime.SetBlockProfileRate was not called",
    "mutex": "nobody waited for a lock, or runtime.SetMutexProfileFraction was not called",
    "mutex or block": "nothing waited, or the program did not turn it on",
    "heap": "too little was allocated for a sample, or runtime.MemProfileRate is 0",
    "allocs": "too little was allocated for a sample, or runtime.MemProfileRate is 0",
    "cpu": "the program used no CPU time meanwhile",
}


def _empty(artifacts: Sequence[Any]) -> str:
    """That profiles are empty and what that means, where there is nothing else."""
    kinds = dict.fromkeys(str(a.kind) for a in artifacts if str(a.kind) in _WHY_EMPTY and not a.values.any())
    if not kinds or any(str(a.kind) not in kinds for a in artifacts):
        return ""
    return "; ".join(
        f"the {'CPU' if kind == 'cpu' else kind} profile is empty: {_WHY_EMPTY[kind]}" for kind in kinds
    )


def _has_moment(artifacts: Sequence[Any]) -> bool:
    return any(a.kind in _GOROUTINES for a in artifacts)


def _digits(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


_OWN_NAMES = {"gctrace": "a gctrace log", "schedtrace": "a schedtrace log", "metrics": "runtime metrics"}
_GOROUTINES = frozenset({"goroutine", "goroutineleak", "goroutine-dump"})


def _named(kinds: Sequence[str], *, goroutines_told: bool) -> list[str]:
    """What the artifacts are called, profiles together; goroutines where nothing else is said of them."""
    profiles = [k for k in kinds if k not in _OWN_NAMES and not (k in _GOROUTINES and goroutines_told)]
    named = [f"{_list(profiles)} profile" + ("s" if len(profiles) > 1 else "")] if profiles else []
    return named + [_OWN_NAMES[kind] for kind in kinds if kind in _OWN_NAMES]


def _of_trace(trace: Trace, kinds: tuple[str, ...]) -> Overview:
    duration_s = trace.duration_ns / 1e9
    mark_ns = sum(trace.gc.mark_ns.values())
    used = (trace.running_ns + mark_ns) / trace.duration_ns if trace.duration_ns else None
    samples = sum(s.count for s in trace.samples)
    text = (
        f"{trace.go}, {duration_s:.1f} s, GOMAXPROCS {trace.gomaxprocs}, "
        f"{used or 0:.2f} Ps running on average, "
        f"{trace.live_max:,} goroutines at most ({trace.live:,} at the end), "
        f"{trace.events:,} events, {trace.gc.cycles:,} GC cycles"
    )
    running_s = (trace.running_ns + mark_ns) / 1e9
    text += _stuck(trace) + _off_cpu(samples, running_s)
    return Overview(
        text=text,
        kinds=kinds,
        go_version=str(trace.go),
        duration_s=round(duration_s, 6),
        gomaxprocs=trace.gomaxprocs or None,
        goroutines_max=trace.live_max,
        goroutines_end=trace.live,
        cpus_used=round(used, 3) if used is not None else None,
        events=trace.events,
        generations=len(trace.generations),
        cpu_samples=samples,
        gc_cycles=trace.gc.cycles,
        heap_max_bytes=trace.gc.heap_max_bytes or None,
        incomplete=trace.warnings,
        units=units.of_trace(trace),
        running_s=round(running_s, 6),
        on_cpu_s=round(samples * SAMPLE_S, 3) if samples else None,
    )


_SAMPLES_LEAST = 20
_RUNNING_LEAST_S = 1.0
_OFF_CPU = 0.7


def _off_cpu(samples: int, running_s: float) -> str:
    """That goroutines were said to run far longer than they were on a CPU, as the samples have it."""
    on_cpu_s = samples * SAMPLE_S
    if samples < _SAMPLES_LEAST or running_s < _RUNNING_LEAST_S or on_cpu_s >= _OFF_CPU * running_s:
        return ""
    return (
        f"; goroutines ran for {running_s:.1f} s but were on a CPU for {on_cpu_s:.1f} s by its {samples:,} "
        "samples: more Ps than free cores, throttling, or a CPU profile for a part of the time"
    )


def _stuck(trace: Trace) -> str:
    """What waits for the whole recording or longer and is nobody's design: mutexes that nobody unlocks."""
    stuck: dict[str, int] = defaultdict(int)
    for wait in trace.waits:
        count, stack = wait.open_end + wait.open_both, trace.stack(wait.stack)
        age_ns = wait.open_end_ns + wait.open_both_ns
        if wait.count or not count or age_ns < count * trace.duration_ns / 4 or not fr.is_lock_wait(stack):
            continue
        frame = fr.user_frame(stack)
        if frame is not None:
            stuck[frame.function] += count
    out = ""
    for function, count in sorted(stuck.items(), key=lambda item: (-item[1], item[0])):
        if count >= 2:
            out += f"; {count:,} goroutines wait for a mutex in {function} that nobody unlocks"
    never = never_ran_unplaced(trace)
    if never >= UNPLACED:
        out += f"; {never:,} goroutines never ran, and this trace cannot say where they wait"
    return out


def _list(kinds: Sequence[str]) -> str:
    return " and ".join([", ".join(kinds[:-1]), kinds[-1]]) if len(kinds) > 1 else "".join(kinds)
