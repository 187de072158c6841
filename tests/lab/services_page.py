"""The section of docs/accuracy.md about real software, from services.json and services.yaml."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from gopherdx.model import LIKELY
from tests.lab.labels import LAB

RESULTS: Final = LAB / "services.json"
LABELS: Final = LAB / "services.yaml"
NOT_LOOKED_AT: Final = "nobody has looked at it"
_OUTCOMES: Final = ("healthy", "insufficient", "inconclusive", "diagnosed")

Recording = Mapping[str, Any]


@dataclass(frozen=True)
class Judged:
    """One likely finding of a program at one place, in so many ways of its recordings.

    ``right`` is None where nobody has looked at it.
    """

    program: str
    id: str
    place: str
    ways: tuple[str, ...]
    most: float
    right: bool | None
    why: str


def load(file: Path = RESULTS) -> list[Recording]:
    """What was said of each recording; empty where nothing was recorded."""
    if not file.exists():
        return []
    recordings: list[Recording] = json.loads(file.read_text(encoding="utf-8"))["recordings"]
    return recordings


def judged(recordings: Iterable[Recording], labels: Path = LABELS) -> list[Judged]:
    """Every likely finding with what services.yaml says of it, in order."""
    known: dict[tuple[str, str, str], Mapping[str, Any]] = {}
    for label in (yaml.safe_load(labels.read_text(encoding="utf-8")) if labels.exists() else None) or ():
        for program in label["programs"]:
            known[program, label["id"], label.get("place", "-")] = label
    of: dict[tuple[str, str, str], list[tuple[str, float]]] = {}
    for recording in recordings:
        for way, id_, confidence, place in recording["findings"]:
            if confidence >= LIKELY:
                key = (recording["program"], id_, place or "-")
                of.setdefault(key, []).append((f"{recording['variant']}: {way}", confidence))
    out = []
    for (program, id_, place), told in sorted(of.items()):
        says = known.get((program, id_, place))
        ways = tuple(way for way, _ in told)
        right = bool(says["right"]) if says else None
        why = str(says["why"]).strip() if says else NOT_LOOKED_AT
        out.append(Judged(program, id_, place, ways, max(p for _, p in told), right, why))
    return out


def rows(recordings: Sequence[Recording]) -> list[tuple[object, ...]]:
    """One row a program: Go versions, recordings, diagnoses by outcome, and likely findings."""
    of: dict[str, list[Recording]] = {}
    for recording in recordings:
        of.setdefault(recording["program"], []).append(recording)
    verdicts = judged(recordings)
    out: list[tuple[object, ...]] = []
    for program, mine in of.items():
        versions = sorted({r["go"].rpartition(".")[0] for r in mine}, key=lambda v: int(v.split(".")[1]))
        outcomes = [sum(r["outcomes"].get(name, 0) for r in mine) for name in _OUTCOMES]
        found = sorted({f"{v.id} ({_word(v.right)})" for v in verdicts if v.program == program})
        out.append((program, ", ".join(versions), len(mine), *outcomes, ", ".join(found) or "none"))
    return out


HEAD: Final = ("program", "Go", "recordings", *_OUTCOMES, "likely findings")


def table(body: Iterable[Sequence[object]], head: Sequence[str] = HEAD) -> str:
    """A Markdown table."""
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(str(value).replace('|', '/') for value in row)} |" for row in body]
    return "\n".join(lines)


def section(recordings: Sequence[Recording], labels: Path = LABELS) -> str:
    """The section; says so where nothing was recorded."""
    if not recordings:
        return "## Real services\n\nNot recorded yet: `make services`."
    verdicts = judged(recordings, labels)
    count = sum(sum(r["outcomes"].values()) for r in recordings)
    wrong = [v for v in verdicts if not v.right]
    said = (
        f"{len(recordings)} recordings of {len({r['program'] for r in recordings})} programs that other "
        "people wrote and many use, under load on loopback, made and diagnosed by `make services`: every "
        "artifact that they give up alone, two moments of one kind, and all together, "
        f"{count:,} diagnoses. They are in no fit. caddy-new is a later release of caddy; compile is the Go "
        "compiler; bench-… are benchmarks of the standard library. "
        f"Likely findings: {_ways(verdicts)} diagnoses, {_ways(wrong)} of them wrong or open."
    )
    parts = ["## Real services", said, table(rows(recordings))]
    if verdicts:
        body = [
            (v.program, v.id, f"`{v.place}`", f"{v.most:.2f}", len(v.ways), _word(v.right), v.why)
            for v in verdicts
        ]
        head = ("program", "", "place", "at most", "diagnoses", "", "proof")
        parts += ["Each likely finding was looked into with the toolchain's own tools and the source:"]
        parts += [table(body, head)]
    return "\n\n".join(parts)


def _ways(verdicts: Iterable[Judged]) -> int:
    return sum(len(v.ways) for v in verdicts)


def _word(right: bool | None) -> str:
    return "open" if right is None else "right" if right else "wrong"
