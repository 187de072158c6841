"""Observations as facts: in one order for the engine, and by name and subject for everything after it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from gopherdx.model import Location, Observation, Observations, RuleError
from gopherdx.rules import Conclusion, Explains

Value = float | int | str | bool


@dataclass(frozen=True, slots=True)
class Concluded:
    """What the rules had to say: at most one conclusion for each archetype, evidence and subject.

    ``fired`` names every rule that ran at least once, as ``"G101.waiters"``.
    """

    evidence: tuple[Conclusion, ...] = ()
    explains: tuple[Explains, ...] = ()
    errors: tuple[RuleError, ...] = ()
    fired: tuple[str, ...] = ()


def in_order(observations: Observations, names: Collection[str]) -> tuple[Observation, ...]:
    """The observations of these names, sorted by what they say: the order of measuring decides nothing."""
    return tuple(sorted((o for o in observations.items if o.name in names), key=_order))


def _order(o: Observation) -> tuple[object, ...]:
    number = isinstance(o.value, (int, float))
    value = (0, float(o.value), "") if number else (1, 0.0, str(o.value))
    place = (o.place.function, o.place.file or "", o.place.line or 0) if o.place else ("", "", 0)
    return (o.name, o.subject, value, o.unit, o.source.artifact, o.source.locator, o.note, place)


@dataclass(frozen=True)
class Lookup:
    """Observations by name and subject. Where several say the same, the first one measured speaks."""

    observations: Observations
    _by_name: dict[str, list[Observation]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        for o in self.observations.items:
            self._by_name.setdefault(o.name, []).append(o)

    def all(self, name: str) -> tuple[Observation, ...]:
        """Every observation of this name."""
        return tuple(self._by_name.get(name, ()))

    def of(self, name: str, subject: str) -> tuple[Observation, ...]:
        """Those of the subject; where it has none, those of the whole process."""
        found = self.all(name)
        return tuple(o for o in found if o.subject == subject) or tuple(o for o in found if not o.subject)

    def value(self, name: str, subject: str) -> Value | None:
        """The value for the subject, else for the whole process, else None."""
        found = self.of(name, subject)
        return found[0].value if found else None

    def number(self, name: str, subject: str) -> float | None:
        """As ``value``, where it is a number."""
        value = self.value(name, subject)
        return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None

    def place(self, subject: str, prefer: Collection[str] = ()) -> Location | None:
        """Where the subject lies in the code; None for the whole process.

        Observations named in ``prefer`` are asked first. A subject without a place is a Go symbol itself.
        """
        if not subject:
            return None
        placed = [o for o in self.observations.items if o.subject == subject and o.place is not None]
        best = [o for o in placed if o.name in prefer] or placed
        return best[0].place if best else Location(subject)
