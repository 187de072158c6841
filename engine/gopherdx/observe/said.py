"""What one observer has to say, and a short way to say it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gopherdx.frames import Frame, plain
from gopherdx.model import Location, Observation, Source


@dataclass(frozen=True, slots=True)
class Said:
    """Observations, and the names of all that were looked for and could have been seen."""

    items: tuple[Observation, ...]
    looked: frozenset[str]


class Sayer:
    """Collects the observations of one observer over one artifact."""

    def __init__(self, artifact: str, looked: Iterable[str]) -> None:
        self._artifact = artifact
        self._looked = set(looked)
        self._items: list[Observation] = []

    def say(
        self,
        name: str,
        value: float | int | str | bool,
        unit: str,
        *,
        subject: str = "",
        place: Location | None = None,
        locator: str = "",
        note: str = "",
    ) -> None:
        """One statement. Its name counts as looked for."""
        self._looked.add(name)
        if isinstance(value, float):
            value = float(f"{value:.6g}")
        self._items.append(
            Observation(name, value, unit, Source(self._artifact, locator), subject, place, note)
        )

    def about(self, subject: str, place: Location | None, locator: str) -> Callable[[str, float, str], None]:
        """A way to say several things of one subject: ``say(name, value, unit)``."""

        def say(name: str, value: float, unit: str) -> None:
            self.say(name, value, unit, subject=subject, place=place, locator=locator)

        return say

    def look(self, *names: str) -> None:
        """Names that were looked for, whether or not anything is said of them."""
        self._looked |= set(names)

    def done(self) -> Said:
        """Everything said, the subjects in a fixed order."""
        return Said(tuple(sorted(self._items, key=lambda o: (o.name, o.subject))), frozenset(self._looked))


def place_of(frame: Frame | None) -> Location | None:
    """A frame as a place in the code."""
    if frame is None:
        return None
    return Location(plain(frame.function), frame.file or None, frame.line or None)
