"""The programs of the lab as labels.yaml tells of them, and what is true of each with a given Go version."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
LAB = ROOT / "tests" / "lab"
LABELS = LAB / "labels.yaml"

Load = tuple[tuple[str, str], ...]
Release = tuple[int, int]

_OWN_LOAD: list[dict[str, object]] = [{}]
_SOURCES = ("go.mod", "go.sum", "*.go", "*.c", "*.h", "*.s")


class LabError(Exception):
    """Something that whoever runs the lab can mend; its text says what."""


@dataclass(frozen=True)
class Program:
    """One program of labels.yaml; the head of that file says what each field is."""

    name: str
    path: Path
    role: str
    family: str
    archetypes: tuple[dict[str, Any], ...]
    near: tuple[str, ...]
    gomaxprocs: int | None
    loads: tuple[Load, ...]
    env: Load
    godebug: str
    needs: tuple[str, ...]
    go_min: Release
    go_max: Release | None
    cgo: bool
    seconds: float | None
    light: bool | None
    blind: bool
    scored: bool
    arguable: tuple[str, ...]
    figure: bool

    def builds_with(self, version: str) -> bool:
        """Whether it is for this Go version."""
        go = release(version)
        return self.go_min <= go and (self.go_max is None or go <= self.go_max)

    def bugs(self, version: str) -> tuple[dict[str, Any], ...]:
        """What is to be found in it when it was built with this Go version."""
        go = release(version)
        return tuple(
            bug
            for bug in self.archetypes
            if ("go_min" not in bug or release(bug["go_min"]) <= go)
            and ("go_max" not in bug or go <= release(bug["go_max"]))
        )

    def costs_nothing(self, gomaxprocs: int) -> tuple[str, ...]:
        """Its bugs that cost next to nothing with so few processors: neither right nor wrong there."""
        return tuple(bug["id"] for bug in self.archetypes if gomaxprocs < bug.get("gomaxprocs_min", 1))

    def sources(self) -> list[Path]:
        """The files that it is built from."""
        found = {file for pattern in _SOURCES for file in self.path.rglob(pattern)}
        # What lies below with a go.mod of its own is another program: a fix beside its bug.
        others = {file.parent for file in found if file.name == "go.mod"} - {self.path}
        return sorted(file for file in found if others.isdisjoint(file.parents))

    def setup(self) -> Path | None:
        """The script that sets up what it needs from outside, beside it or beside the bug that it fixes."""
        beside = (self.path / "setup.py", self.path.parent / "setup.py")
        return next((file for file in beside if file.is_file()), None)

    def digest(self) -> str:
        """A word that changes with its sources and with how it is run."""
        text = hashlib.sha256()
        for file in self.sources():
            text.update(str(file.relative_to(self.path)).encode() + b"\0" + file.read_bytes() + b"\0")
        text.update(repr((self.env, self.godebug, self.needs)).encode())
        return text.hexdigest()[:12]


def truth(bug: Mapping[str, Any]) -> dict[str, Any]:
    """What is to be found, without when."""
    return {key: value for key, value in bug.items() if key not in ("go_min", "go_max", "gomaxprocs_min")}


def release(version: object) -> Release:
    """``1.26.6``, ``1.26`` or ``go1.26`` as ``(1, 26)``."""
    match = re.match(r"(?:go)?(\d+)\.(\d+)", str(version))
    if match is None:
        raise LabError(f"{version!r} is no Go version")
    return int(match[1]), int(match[2])


def programs(path: Path = LABELS) -> dict[str, Program]:
    """All programs of the lab by name, in the order of labels.yaml. Raises LabError, naming the label."""
    labels = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    return {name: _program(name, label) for name, label in labels.items()}


def _program(name: str, label: Mapping[str, Any]) -> Program:
    known = {
        "path", "role", "family", "archetypes", "near", "gomaxprocs", "loads", "env", "godebug", "needs",
        "go_min", "go_max", "cgo", "seconds", "light", "blind", "scored", "arguable", "figure", "why",
    }  # fmt: skip
    unknown = sorted(set(label) - known)
    if unknown:
        raise LabError(f"labels.yaml: {name}: {', '.join(unknown)} is no field of a program")
    path = ROOT / label["path"]
    return Program(
        name=name,
        path=path,
        role=label["role"],
        family=label["family"],
        archetypes=tuple(label.get("archetypes", ())),
        near=tuple(label.get("near", ())),
        gomaxprocs=label.get("gomaxprocs"),
        loads=tuple(_environment(load) for load in label.get("loads") or _OWN_LOAD),
        env=_environment(label.get("env") or {}),
        godebug=str(label.get("godebug") or ""),
        needs=tuple(label.get("needs", ())),
        go_min=max(_go_line(path), release(label.get("go_min", "1.0"))),
        go_max=release(label["go_max"]) if "go_max" in label else None,
        cgo=bool(label.get("cgo", "cgo" in label.get("needs", ()))),
        seconds=label.get("seconds"),
        light=label.get("light"),
        blind=bool(label.get("blind", False)),
        scored=bool(label.get("scored", True)),
        arguable=tuple(label.get("arguable", ())),
        figure=bool(label.get("figure", True)),
    )


def _environment(values: Mapping[str, object]) -> Load:
    return tuple((str(key), str(value)) for key, value in values.items())


def _go_line(path: Path) -> Release:
    """The Go version that go.mod asks for at least."""
    file = path / "go.mod"
    found = re.search(r"^go (\S+)$", file.read_text(encoding="utf-8"), re.M) if file.is_file() else None
    return release(found[1]) if found else (1, 21)
