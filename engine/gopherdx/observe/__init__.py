"""Artifacts to observations: one file for each question, each a function of one artifact.

``observe`` puts them together, ``overview`` says what was recorded. Nothing here knows an archetype.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from gopherdx.model import GoRange, Observation, Observations, Overview
from gopherdx.observe import (
    calls,
    cgo,
    circle,
    contention,
    cpu,
    decode,
    dns,
    gc,
    gclog,
    goroutines,
    heap,
    locks,
    metrics,
    pools,
    regexps,
    resident,
    scheduler,
    sends,
    slices,
    standing_locks,
    standing_sends,
)
from gopherdx.observe.overview import overview_of
from gopherdx.observe.said import Said

Artifact = Any  # any of gopherdx.artifacts: observers take what they know

_OF_ONE: dict[str, tuple[Callable[[Any], Said], ...]] = {
    "trace": (
        scheduler.of_trace,
        locks.of_trace,
        gc.of_trace,
        decode.of_trace,
        regexps.of_trace,
        slices.of_trace,
        sends.of_trace,
        calls.of_trace,
        cgo.of_trace,
        dns.of_trace,
        pools.of_trace,
    ),
    "cpu": (cpu.of_profile, cgo.of_cpu, regexps.of_profile),
    "goroutine": (cgo.of_goroutines, dns.of_goroutines, pools.of_goroutines),
    "goroutine-dump": (cgo.of_goroutines, dns.of_goroutines, pools.of_goroutines),
    "gctrace": (gclog.of_gctrace,),
    "schedtrace": (gclog.of_schedtrace,),
}
"""Observers of one artifact, by its kind."""

_OF_ALL: dict[str, tuple[Callable[[Sequence[Any]], Said], ...]] = {
    "heap": (heap.of_profiles,),
    "allocs": (heap.of_profiles,),
    "mutex": (contention.of_mutex,),
    "block": (
        dns.of_block,
        pools.of_block,
    ),
    "metrics": (metrics.of_metrics, resident.of_metrics),
}
"""Observers of all artifacts of a kind in the order of time: the last is now, those before it tell growth."""

_OF_CAPTURE: tuple[Callable[[Sequence[Any]], Said], ...] = (
    contention.of_capture,
    goroutines.of_capture,
    standing_sends.of_capture,
    standing_locks.of_capture,
)
"""Observers that join artifacts of several kinds."""


BRIEF_NS = 1_000_000_000

_OF_PROCESSES: tuple[Callable[[Sequence[Sequence[Any]]], Sequence[Said]], ...] = (circle.of_processes,)
"""Observers that join the artifacts of several processes (or all of one): they say something of each."""


def observe(artifacts: Sequence[Artifact]) -> Observations:
    """What these artifacts of one process say: by kind, and those of a kind in the order of time."""
    return observe_all([artifacts])[0]


def observe_all(processes: Sequence[Sequence[Artifact]]) -> list[Observations]:
    """What the artifacts of each process say, and what they say of it together with the others'."""
    joined = [observer(processes) for observer in _OF_PROCESSES]
    return [
        _observations(artifacts, [*_observed(artifacts), *(said[i] for said in joined)])
        for i, artifacts in enumerate(processes)
    ]


def _observed(artifacts: Sequence[Artifact]) -> list[Said]:
    said: list[Said] = []
    for kind in dict.fromkeys(str(a.kind) for a in artifacts):
        of_kind = [a for a in artifacts if a.kind == kind]
        said += [observer(artifact) for artifact in of_kind for observer in _OF_ONE.get(kind, ())]
        said += [observer(of_kind) for observer in _OF_ALL.get(kind, ())]
    return said + [observer(artifacts) for observer in _OF_CAPTURE]


def _observations(artifacts: Sequence[Artifact], said: Sequence[Said]) -> Observations:
    return Observations(
        items=_once(item for part in said for item in part.items),
        looked=frozenset(name for part in said for name in part.looked),
        kinds=frozenset(str(a.kind) for a in artifacts),
        truncated=any(getattr(a, "truncated", False) for a in artifacts),
        go_version=_go_version(artifacts),
        brief=_is_brief(artifacts),
    )


def _is_brief(artifacts: Sequence[Artifact]) -> bool:
    """Whether the traces are too short to show that something is not there: all of less than a second."""
    traces = [a for a in artifacts if a.kind == "trace"]
    return bool(traces) and all(trace.duration_ns < BRIEF_NS for trace in traces)


def overview(artifacts: Sequence[Artifact]) -> Overview:
    """What was recorded, whether or not an archetype fits."""
    return overview_of(artifacts)


def overview_all(processes: Mapping[str, Sequence[Artifact]]) -> Overview:
    """What was recorded of these processes: of several each in a line, for their numbers do not add."""
    each = {name: overview_of(artifacts) for name, artifacts in processes.items()}
    if len(each) == 1:
        return next(iter(each.values()))
    versions = {o.go_version for o in each.values()}
    return Overview(
        text="\n".join(f"{name}: {o.text}" for name, o in each.items()),
        kinds=tuple(dict.fromkeys(kind for o in each.values() for kind in o.kinds)),
        go_version=versions.pop() if len(versions) == 1 else None,
        incomplete=tuple(f"{name}: {line}" for name, o in each.items() for line in o.incomplete),
        dominates="; ".join(f"{name}: {o.dominates}" for name, o in each.items() if o.dominates),
        places=tuple(replace(place, process=name) for name, o in each.items() for place in o.places),
    )


def _once(items: Iterable[Observation]) -> tuple[Observation, ...]:
    """One observation for each (name, subject), all of a name from one kind of artifact: the first to say it.

    Shares of a trace's seconds and shares since the program began do not mix: what leads one list need not
    be in the other at all.
    """
    seen: dict[tuple[str, str], Observation] = {}
    speaks: dict[str, str] = {}
    for item in items:
        if speaks.setdefault(item.name, item.source.artifact) == item.source.artifact:
            seen.setdefault((item.name, item.subject), item)
    return tuple(seen.values())


def _go_version(artifacts: Sequence[Artifact]) -> GoRange | None:
    for artifact in artifacts:
        go = getattr(artifact, "go", None)
        if go is not None:
            return go  # type: ignore[no-any-return]
    return None
