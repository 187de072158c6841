"""Artifacts to observations: one file for each question, each a function of one artifact.

``observe`` puts them together, ``overview`` says what was recorded. Nothing here knows an archetype.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from gopherdx.model import GoRange, Observation, Observations, Overview
from gopherdx.observe import calls, cpu, decode, gc, locks, scheduler, sends, slices
from gopherdx.observe.overview import overview_of
from gopherdx.observe.said import Said

if TYPE_CHECKING:
    from gopherdx.artifacts.pprof import Profile
    from gopherdx.artifacts.trace.tables import Trace

    Artifact = Trace | Profile

_OF_TRACE: tuple[Callable[[Any], Said], ...] = (
    scheduler.of_trace,
    locks.of_trace,
    gc.of_trace,
    decode.of_trace,
    slices.of_trace,
    sends.of_trace,
    calls.of_trace,
)
_OF_PROFILE: dict[str, tuple[Callable[[Any], Said], ...]] = {"cpu": (cpu.of_profile,)}


def observe(artifacts: Sequence[Artifact]) -> Observations:
    """Everything that these artifacts of one process say, in the order of their kinds."""
    said: list[Said] = []
    for artifact in artifacts:
        observers = _OF_TRACE if is_trace(artifact) else _OF_PROFILE.get(kind_of(artifact), ())
        said += [observer(artifact) for observer in observers]
    return Observations(
        items=_once(item for part in said for item in part.items),
        looked=frozenset(name for part in said for name in part.looked),
        kinds=frozenset(kind_of(a) for a in artifacts),
        truncated=any(getattr(a, "truncated", False) for a in artifacts),
        go_version=_go_version(artifacts),
    )


def overview(artifacts: Sequence[Artifact]) -> Overview:
    """What was recorded, whether or not an archetype fits."""
    return overview_of(artifacts)


def is_trace(artifact: Artifact) -> bool:
    """Whether an artifact is an execution trace (without importing the reader)."""
    return hasattr(artifact, "generations")


def kind_of(artifact: Artifact) -> str:
    """The artifact's kind in the words of the command line."""
    return "trace" if is_trace(artifact) else str(getattr(artifact, "kind", "other"))


def _once(items: Iterable[Observation]) -> tuple[Observation, ...]:
    """One observation for each (name, subject): the first; a trace speaks before a profile."""
    seen: dict[tuple[str, str], Observation] = {}
    for item in items:
        seen.setdefault((item.name, item.subject), item)
    return tuple(seen.values())


def _go_version(artifacts: Sequence[Artifact]) -> GoRange | None:
    for artifact in artifacts:
        go = getattr(artifact, "go", None)
        if go is not None:
            return go  # type: ignore[no-any-return]
    return None
