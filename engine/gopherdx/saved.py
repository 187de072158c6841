"""A conversation as JSON, to go on with later: answers, and what files said, so that these may be gone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, is_dataclass
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from gopherdx.errors import UnreadableInput
from gopherdx.model import Input, Observations, Overview

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
            inputs=tuple(_made(Input, item) for item in data["inputs"]),
            overview=_made(Overview, data["overview"]),
            warnings=tuple(map(str, data["warnings"])),
            processes=tuple((str(p["name"]), _seen(p)) for p in data["processes"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableInput(
            f"is damaged ({type(error).__name__}: {error})", todo="begin anew, with another file"
        ) from None


def _observations(seen: Observations) -> dict[str, Any]:
    sets = {"looked": sorted(seen.looked), "kinds": sorted(seen.kinds)}
    return {**{n: v for n, v in asdict(seen).items() if n not in sets}, **sets}


def _seen(data: Mapping[str, Any]) -> Observations:
    seen: Observations = _made(Observations, {n: v for n, v in data.items() if n != "name"})
    return seen


def _made(kind: Any, value: Any) -> Any:
    """A value of this type, as the annotations of frozen types name it, from plain JSON types."""
    if is_dataclass(kind) and isinstance(value, Mapping):
        types = get_type_hints(kind)
        return kind(**{name: _made(types[name], one) for name, one in value.items()})  # type: ignore[operator]
    of = get_args(kind)
    if get_origin(kind) in (Union, UnionType):
        return None if value is None else _made(next(t for t in of if t is not NoneType), value)
    if isinstance(value, list):  # JSON knows neither tuples nor sets
        return (frozenset if get_origin(kind) is frozenset else tuple)(_made(of[0], one) for one in value)
    return value
