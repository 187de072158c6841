"""Where the time and memory of a capture go: all its artifacts in one list, and what dominates in a sentence.

Of several artifacts that show the same thing the one that tells most comes first: CPU samples of a trace, a
CPU profile, the start functions of a trace's goroutines; waiting in a trace, in a dump, in a block profile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gopherdx.model import Place
from gopherdx.observe import metrics, places_profiles, places_standing, places_trace
from gopherdx.observe.scheduler import never_ran_unplaced
from gopherdx.observe.sends import UNPLACED
from gopherdx.observe.tally import ordered, rounded


@dataclass(frozen=True, slots=True)
class Spent:
    """Places, what costs most first; ``mean`` and ``by_design`` count goroutines, None where not told."""

    places: tuple[Place, ...] = ()
    mean: float | None = None
    by_design: float | None = None
    mutexes: Mapping[str, int] = field(default_factory=dict)


def of_capture(artifacts: Sequence[Any], used: float | None = None, procs: int | None = None) -> Spent:
    """The places of one process's artifacts; ``used`` of ``procs`` Ps ran on average, where that is told."""
    of_kind: dict[str, list[Any]] = {}
    for artifact in artifacts:
        of_kind.setdefault(str(artifact.kind), []).append(artifact)
    traces = of_kind.get("trace", [])
    trace = traces[0] if traces else None
    spent = places_trace.of_trace(trace) if trace is not None else None
    stood = places_standing.of_capture(artifacts)
    profile = places_profiles.of_cpu(of_kind["cpu"]) if "cpu" in of_kind else []
    sampled = spent is not None and spent.sampled
    of_trace = spent.cpu if spent else []
    tells = sum(p.count for p in profile) >= places_trace.FEW_SAMPLES or spent is None
    cpu = [of_trace, profile] if sampled or not tells else [profile, of_trace]
    blind = trace is not None and never_ran_unplaced(trace) >= UNPLACED
    waits = [spent.goroutines if spent else [], stood.goroutines]
    if blind and stood.goroutines:
        waits.reverse()
    for kind in ("block", "mutex or block", "mutex"):
        if kind in of_kind:
            waits.append(places_profiles.of_waits(of_kind[kind]))
    if "metrics" in of_kind:
        cpu.append(_collector(of_kind["metrics"]))
    memory = [places_profiles.of_memory(of_kind[kind]) for kind in ("heap", "allocs") if kind in of_kind]
    mean, by_design = (spent.mean, spent.by_design) if spent else (None, None)
    if stood.total and (spent is None or (blind and stood.goroutines)):
        mean, by_design = float(stood.total), float(stood.by_design)
    waiting = max(0.0, mean - (by_design or 0.0) - (used or 0.0)) if mean is not None else None
    weights = _weights(used, procs, waiting if any(cpu) else None)
    return Spent(_joined(cpu, waits, memory, weights), mean, by_design, stood.mutexes)


def _collector(snapshots: Sequence[Any]) -> list[Place]:
    """What metrics tell of CPU time: the collector's part of it, and nobody else's."""
    said = {o.name: o.value for o in metrics.of_metrics(snapshots).items if not o.subject}
    cores, share = said.get("gc.cost_cores"), said.get("gc.cost_share")
    if not isinstance(cores, float) or not isinstance(share, float) or cores <= 0:
        return []
    return [
        Place(
            "gc", "GC workers and assists", None, "", "metrics", rounded(cores), "cores", round(share, 4), 0
        )
    ]


def _weights(used: float | None, procs: int | None, waiting: float | None) -> dict[str, float]:
    """What all of a unit weighs: CPU time as far as the Ps are busy, or as goroutines run rather than wait.

    ``waiting`` are goroutines that do so in the middle of work.
    """
    if used is None or waiting is None:
        return {}
    busy = used / (used + waiting) if used + waiting > 0 else 0.0
    if procs:
        busy = min(1.0, max(busy, used / procs))
    return {"cores": busy, "goroutines": 1 - busy, "s": 1 - busy}


def _joined(
    cpu: Sequence[list[Place]],
    waits: Sequence[list[Place]],
    memory: Sequence[list[Place]],
    weights: dict[str, float],
) -> tuple[Place, ...]:
    """The first telling artifact of CPU time and of waiting together, then of memory, then all others."""
    chains = [[places for places in chain if places] for chain in (cpu, waits, memory)]
    time = [place for chain in chains[:2] for place in (chain[0] if chain else [])]
    first = [*ordered(time, weights), *(ordered(chains[2][0], weights) if chains[2] else [])]
    more = [place for chain in chains for places in chain[1:] for place in ordered(places, weights)]
    worth = [p for p in first if not p.by_design] + [p for p in first if p.by_design]
    return tuple(worth + more)
