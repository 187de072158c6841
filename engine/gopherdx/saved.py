"""A conversation as JSON, to go on with later: answers, and what files said, so that these may be gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from gopherdx.errors import UnreadableInput
from gopherdx.model import GoRange, Input, Location, Observation, Observations, Overview, Place, Source

VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a conversation."""

    answers: tuple[tuple[str, str], ...]
    paths: tuple[str, ...]
    inputs: tuple[Input, ...]
    overview: Overview
    warnings: tuple[str, ...]
    processes: tuple[tuple[str, Observations], ...]


def to_json(kept: Kept) -> dict[str, Any]:
    """As plain JSON types."""
    return {
        "triage": VERSION,
        "answers": [{"question": question, "said": said} for question, said in kept.answers],
        "paths": list(kept.paths),
        "inputs": [asdict(item) for item in kept.inputs],
        "overview": asdict(kept.overview),
        "warnings": list(kept.warnings),
        "processes": [{"name": name, **_observations(seen)} for name, seen in kept.processes],
    }


def from_json(data: object) -> Kept:
    """What ``to_json`` gave. Raises ``UnreadableInput`` for anything else."""
    if not isinstance(data, Mapping) or data.get("triage") != VERSION:
        raise UnreadableInput("is not the state of a conversation", todo="begin anew, with another file")
    try:
        return Kept(
            answers=tuple((str(a["question"]), str(a["said"])) for a in data["answers"]),
            paths=tuple(map(str, data["paths"])),
            inputs=tuple(Input(**_tuples(item)) for item in data["inputs"]),
            overview=_overview(data["overview"]),
            warnings=tuple(map(str, data["warnings"])),
            processes=tuple((str(p["name"]), _seen(p)) for p in data["processes"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableInput(
            f"is damaged ({type(error).__name__}: {error})", todo="begin anew, with another file"
        ) from None


def _overview(data: Mapping[str, Any]) -> Overview:
    places = tuple(
        Place(**{**place, "location": Location(**place["location"]) if place["location"] else None})
        for place in data.get("places", ())
    )
    return replace(Overview(**_tuples({n: v for n, v in data.items() if n != "places"})), places=places)


def _observations(seen: Observations) -> dict[str, Any]:
    return {
        "items": [asdict(item) for item in seen.items],
        "looked": sorted(seen.looked),
        "kinds": sorted(seen.kinds),
        "truncated": seen.truncated,
        "go_version": asdict(seen.go_version) if seen.go_version else None,
        "brief": seen.brief,
    }


def _seen(data: Mapping[str, Any]) -> Observations:
    version = data["go_version"]
    return Observations(
        items=tuple(_observation(item) for item in data["items"]),
        looked=frozenset(data["looked"]),
        kinds=frozenset(data["kinds"]),
        truncated=bool(data["truncated"]),
        go_version=GoRange(version["header"], _release(version["low"]), _release(version["high"]))
        if version
        else None,
        brief=bool(data.get("brief", False)),
    )


def _observation(data: Mapping[str, Any]) -> Observation:
    place = data["place"]
    return Observation(
        **{
            **data,
            "source": Source(**data["source"]),
            "place": Location(**place) if place is not None else None,
        }
    )


def _release(pair: Sequence[int]) -> tuple[int, int]:
    major, minor = pair
    return int(major), int(minor)


def _tuples(data: Mapping[str, Any]) -> dict[str, Any]:
    """JSON knows no tuples; every sequence of these types is one."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}
