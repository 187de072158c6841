"""What was recorded: kind, Go version, length, processors, goroutines, events, what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gopherdx.model import Overview

if TYPE_CHECKING:
    from gopherdx.artifacts.trace.tables import Trace


def overview_of(artifacts: Sequence[Any]) -> Overview:
    """The overview of a capture; the first trace tells most, profiles what it does not."""
    traces = [a for a in artifacts if hasattr(a, "generations")]
    profiles = [a for a in artifacts if not hasattr(a, "generations")]
    kinds = tuple("trace" for _ in traces) + tuple(str(p.kind) for p in profiles)
    if traces:
        return _of_trace(traces[0], kinds)
    cpu = next((p for p in profiles if p.kind == "cpu"), None)
    duration = next((p.duration_ns / 1e9 for p in profiles if p.duration_ns > 0), None)
    used = None
    if cpu is not None and cpu.duration_ns > 0:
        used = round(sum(cpu.values[:, cpu.default_index].tolist()) / cpu.duration_ns, 3)
    parts = [f"{_list(kinds)} profile" + ("s" if len(kinds) != 1 else "")]
    if duration:
        parts.append(f"{duration:.1f} s")
    if used is not None:
        parts.append(f"{used:.2f} CPUs used on average")
    return Overview(text=", ".join(parts), kinds=kinds, duration_s=duration, cpus_used=used)


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
    )


def _list(kinds: Sequence[str]) -> str:
    return " and ".join([", ".join(kinds[:-1]), kinds[-1]]) if len(kinds) > 1 else "".join(kinds)
