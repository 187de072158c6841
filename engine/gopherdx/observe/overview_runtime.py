"""The overview of metrics and of log lines: how long, how much memory, how many goroutines, how busy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from gopherdx.model import Overview
from gopherdx.observe import gclog, metrics, resident
from gopherdx.observe.dominant import DOMINANT_SHARE, percent, processors, size
from gopherdx.observe.snapshots import stretch

if TYPE_CHECKING:
    from gopherdx.artifacts.gclog import GcTrace, SchedTrace
    from gopherdx.artifacts.metrics import Metrics
    from gopherdx.observe.resident import Memory
    from gopherdx.observe.said import Said

KINDS = ("metrics", "gctrace", "schedtrace")


def joined(base: Overview, artifacts: Sequence[Any]) -> Overview:
    """The overview of a capture without a trace, with what its metrics and log lines tell besides."""
    of_kind = {kind: [a for a in artifacts if a.kind == kind] for kind in KINDS}
    if of_kind["metrics"]:
        more = _of_metrics(of_kind["metrics"], base.kinds)
    elif of_kind["gctrace"]:
        more = _of_gctrace(of_kind["gctrace"][-1], base.kinds)
    elif of_kind["schedtrace"]:
        more = _of_schedtrace(of_kind["schedtrace"][-1], base.kinds)
    else:
        return base
    if set(base.kinds) <= set(KINDS):
        return more
    told = {f.name: getattr(base, f.name) for f in fields(base)}
    told = {name: getattr(more, name) if value is None else value for name, value in told.items()}
    return Overview(**{**told, "text": f"{base.text}; {more.text}"})


def _of_metrics(snapshots: Sequence[Metrics], kinds: tuple[str, ...]) -> Overview:
    s = stretch(snapshots)
    values = _values(metrics.of_metrics(snapshots))
    parts = [_moments(len(s.snapshots), s.seconds)]
    if s.last.go is not None:
        parts.append(str(s.last.go))
    memory = resident.memory_of(s.last)
    if memory is not None and memory.rss is not None:
        parts.append(f"RSS {memory.rss / metrics.MB:,.0f} MB")
    if memory is not None:
        parts.append(f"{memory.go / metrics.MB:,.0f} MB held by the runtime")
    parts += _told(
        values,
        ("gc.live_heap_mb", "live heap {:,.0f} MB"),
        ("goroutines.total", "{:,.0f} goroutines"),
        ("goroutines.growth_per_min", "{:+,.0f} goroutines a minute"),
        ("process.cpu_cores", "{:.2f} CPUs used on average"),
        ("gc.cycles_per_s", "{:.1f} GC cycles a second"),
        ("gc.uncosted_cycles_per_s", "{:.1f} GC cycles a second"),
        ("gc.cost_cores", "{:.2f} cores for the collector"),
        ("gc.alloc_mb_per_s", "{:,.0f} MB allocated a second"),
    )
    used = values.get("process.cpu_cores")
    return Overview(
        text=", ".join(parts),
        kinds=kinds,
        go_version=None if s.last.go is None else str(s.last.go),
        duration_s=s.seconds,
        gomaxprocs=_int(values.get("sched.gomaxprocs")),
        goroutines_end=_int(values.get("goroutines.total")),
        cpus_used=None if used is None else round(used, 3),
        gc_cycles=_int(values.get("gc.cycles")),
        dominates="" if memory is None else _where_memory_is(memory),
    )


def _where_memory_is(memory: Memory) -> str:
    """The largest part of the process's memory, where one dominates, and the live heap in any case."""
    whole = memory.rss or memory.go
    if whole <= 0:
        return ""
    of = f"the {size(whole)} of RSS" if memory.rss else f"the {size(whole)} that the runtime holds"
    live = percent(memory.live / whole) if memory.live < whole else "all"
    parts = {
        f"{percent(memory.kept / whole)} of {of} was freed and is kept": memory.kept,
        f"{percent(memory.outside / whole)} of {of} is not Go's: C, mapped files": memory.outside,
    }
    most = max(parts, key=lambda text: parts[text])
    if parts[most] > whole * DOMINANT_SHARE and parts[most] > memory.live:
        return f"{most}; the live heap is {size(memory.live)}"
    return f"{live} of {of} is live heap"


def _moments(count: int, seconds: float | None) -> str:
    if count == 1:
        return "metrics at one moment"
    text = f"metrics at {'two' if count == 2 else format(count, ',')} moments"
    return (
        text
        if seconds is None
        else f"{text}, {seconds:.1f} s apart"
        if count == 2
        else f"{text} in {seconds:.1f} s"
    )


def _of_gctrace(log: GcTrace, kinds: tuple[str, ...]) -> Overview:
    values = _values(gclog.of_gctrace(log))
    parts = [
        f"gctrace lines of {len(log.number):,} collections, to {log.until_s:,.1f} s after the start",
        *_told(
            values,
            ("gc.cycles_per_s", "{:.1f} GC cycles a second of late"),
            ("gc.live_heap_mb", "live heap {:,.0f} MB"),
            ("gc.goal_mb", "goal {:,.0f} MB"),
            ("gc.cost_cores", "{:.2f} cores for the collector"),
            ("gc.alloc_mb_per_s", "{:,.0f} MB allocated a second"),
        ),
    ]
    procs = int(log.procs[-1])
    dominates = ""
    if values.keys() >= {"gc.cycles_per_s", "gc.cost_cores"}:
        often, used = values["gc.cycles_per_s"], values["gc.cost_cores"]
        share = f"{used:.2g} of {processors(procs)}"
        dominates = f"the collector ran {often:.3g} times a second of late and used {share}"
    return Overview(
        text=", ".join(parts),
        kinds=kinds,
        dominates=dominates,
        duration_s=log.until_s,
        gomaxprocs=procs,
        gc_cycles=len(log.number),
        heap_max_bytes=int(max(log.begin_mb.max(), log.end_mb.max())) << 20,
    )


def _of_schedtrace(log: SchedTrace, kinds: tuple[str, ...]) -> Overview:
    values = _values(gclog.of_schedtrace(log))
    parts = [
        f"{len(log.at_s):,} schedtrace lines, to {float(log.at_s[-1]):,.1f} s after the start",
        f"GOMAXPROCS {int(log.gomaxprocs[-1])}",
        *_told(
            values,
            ("sched.busy_procs_mean", "{:.1f} Ps busy on average"),
            ("sched.runnable_mean", "{:.1f} goroutines that wait for a P"),
            ("sched.threads", "{:,.0f} threads"),
            ("goroutines.total", "{:,.0f} goroutines"),
        ),
    ]
    procs = int(log.gomaxprocs[-1])
    busy, waiting = values.get("sched.busy_procs_mean"), values.get("sched.runnable_mean")
    dominates = "" if busy is None else f"{busy:.1f} of {processors(procs)} are busy on average"
    if dominates and waiting is not None and waiting >= 1:
        dominates += f", and {waiting:.1f} goroutines wait for a P"
    return Overview(
        text=", ".join(parts),
        kinds=kinds,
        dominates=dominates,
        duration_s=float(log.at_s[-1]),
        gomaxprocs=procs,
        goroutines_end=_int(values.get("goroutines.total")),
    )


def _values(said: Said) -> dict[str, float]:
    return {o.name: float(o.value) for o in said.items if not isinstance(o.value, str)}


def _told(values: Mapping[str, float], *named: tuple[str, str]) -> list[str]:
    return [text.format(values[name]) for name, text in named if name in values]


def _int(value: float | None) -> int | None:
    return None if value is None else int(value)
