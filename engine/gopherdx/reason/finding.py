"""Findings: what an archetype says at one place, what it costs, its fix, and what else it explains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import Formatter
from typing import Any, Final

from gopherdx.kb import Archetype, Likelihoods
from gopherdx.model import (
    LIKELY,
    SEVERITIES,
    Evidence,
    Finding,
    Fix,
    Gain,
    Impact,
    Level,
    Location,
    RuledOut,
    Severity,
    Source,
)
from gopherdx.reason.belief import Belief
from gopherdx.reason.facts import Lookup
from gopherdx.rules import Explains

EXPLAINED: Final = "explained-by"


@dataclass(frozen=True, slots=True)
class Draft:
    """A finding before its texts are written: enough to sort it and to fold it under another."""

    belief: Belief
    location: Location | None
    impact: Impact | None
    severity: Severity
    explains: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return self.belief.archetype.id

    @property
    def likely(self) -> bool:
        return self.belief.confidence >= LIKELY

    @property
    def rank(self) -> tuple[float, int, str, tuple[str, str, int]]:
        """Surest first (to 0.01), then most severe, then id and location."""
        place = self.location
        where = (place.function, place.file or "", place.line or 0) if place else ("", "", 0)
        confidence, severity = round(self.belief.confidence, 2), SEVERITIES.index(self.severity)
        return (-confidence, -severity, self.id, where)


def draft(belief: Belief, lookup: Lookup) -> Draft:
    """What a belief amounts to: where it is, what it costs and how bad that is."""
    archetype = belief.archetype
    decisive = [archetype.proof(name).observation or "" for name in archetype.decides_place]
    location = lookup.place(belief.subject, prefer=decisive)
    impact, severity = _impact(archetype, belief.subject, location, lookup)
    return Draft(belief, location, impact, severity)


def write(draft: Draft, lookup: Lookup, likelihoods: Likelihoods) -> Finding:
    """The finding with its texts, and the code of its fix read from the archetype's programs."""
    belief, archetype = draft.belief, draft.belief.archetype
    fill = _Filler(archetype, belief.subject, draft.location, lookup, draft.impact)
    level: Level = "likely" if draft.likely else "possible"
    return Finding(
        id=archetype.id,
        slug=archetype.slug,
        title=archetype.title,
        severity=draft.severity,
        confidence=belief.confidence,
        level=level,
        precision=likelihoods.precision.get(archetype.id),
        location=draft.location,
        summary=_summary(archetype, draft.location, fill),
        evidence=belief.told,
        impact=draft.impact,
        gain=_gain(archetype, belief.subject, lookup),
        explains=draft.explains,
        signature=archetype.signature,
        cause=fill.first(archetype.cause) or f"{archetype.title}.",
        fix=tuple(
            Fix(f.title, archetype.snippet(f.bug), archetype.snippet(f.fix), f.go, f.safety)
            for f in archetype.fix
        ),
    )


def _impact(
    archetype: Archetype, subject: str, location: Location | None, lookup: Lookup
) -> tuple[Impact | None, Severity]:
    """The first impact that was measured, and the last step of its table that it reaches.

    Severity is info below the first step, and where nothing was measured.
    """
    for told in archetype.impact:
        value = lookup.number(told.observation, subject)
        if value is None:
            continue
        bare = Impact(value, told.unit, "")
        text = _Filler(archetype, subject, location, lookup, bare).whole(told.text)
        reached: Severity = "info"
        for least, step in told.severity:
            if value >= least:
                reached = step
        return Impact(value, told.unit, text or f"{value:.3g} {told.unit}"), reached
    return None, "info"


def _summary(archetype: Archetype, location: Location | None, fill: _Filler) -> str:
    """Cause and place with their numbers; where these are not known, what is known."""
    templates = archetype.summary
    if location is None and archetype.unplaced is not None:
        templates = archetype.unplaced.summary
    where = f", in {location.function}" if location else ""
    return fill.first(templates) or f"{archetype.title}{where}."


def _gain(archetype: Archetype, subject: str, lookup: Lookup) -> Gain | None:
    for gain in archetype.gain:
        ends = [lookup.number(e, subject) if isinstance(e, str) else e for e in (gain.low, gain.high)]
        known = sorted(end for end in ends if end is not None)
        if len(known) == len(ends):
            return Gain(known[0], known[-1], gain.unit, gain.model)
    return None


# Texts ------------------------------------------------------------------------------------------------


class _Unmeasured:
    """Stands for a number that this recording does not tell, whatever its format."""

    def __format__(self, spec: str) -> str:
        return "?"


class _Filler(Formatter):
    """Fills a text of archetype.yaml: ``{lock.mean_waiters:.1f}`` is an observation, not an attribute."""

    def __init__(
        self,
        archetype: Archetype,
        subject: str,
        location: Location | None,
        lookup: Lookup,
        impact: Impact | None,
    ) -> None:
        self._subject, self._lookup, self._missing = subject, lookup, False
        self._words: dict[str, object] = {
            "function": location.function if location else "the process",
            "place": _place(location),
            "value": impact.value if impact else None,
            **{name: threshold.value for name, threshold in archetype.thresholds.items()},
        }

    def text(self, template: str) -> str:
        """The text with its values; ``?`` for one that was not measured."""
        return self.vformat(template, (), {})

    def whole(self, template: str) -> str:
        """The same, or nothing at all where a value is missing."""
        self._missing = False
        text = self.text(template)
        return "" if self._missing else text

    def first(self, templates: Sequence[str]) -> str:
        """The first text all of whose values are known; nothing where none is."""
        return next((text for text in map(self.whole, templates) if text), "")

    def get_field(
        self,
        field_name: str,
        args: Sequence[Any],  # noqa: ARG002 - as the base class has it
        kwargs: Mapping[str, Any],  # noqa: ARG002
    ) -> tuple[Any, str]:
        known = self._words.get(field_name)
        value = known if known is not None else self._lookup.value(field_name, self._subject)
        self._missing = self._missing or value is None
        return (_Unmeasured() if value is None else value), field_name

    def format_field(self, value: Any, format_spec: str) -> str:
        try:
            return str(super().format_field(value, format_spec))
        except (TypeError, ValueError):  # a text where the author expected a number
            return str(value)


def _place(location: Location | None) -> str:
    if location is None:
        return "the process"
    if location.file is None:
        return location.function
    return f"{location.file}:{location.line}" if location.line else location.file


# Cause and symptom ------------------------------------------------------------------------------------


def fold(drafts: Sequence[Draft], explains: Sequence[Explains]) -> tuple[list[Draft], list[RuledOut]]:
    """Put symptoms under their causes. Returns the drafts that stay, sorted, and what became of the rest.

    A symptom is folded under a finding of its cause at the place that the rule names, if it lies there,
    inside it (a closure) or in the process as a whole. A finding that is merely possible explains away no
    likely one. A chain of causes ends at the first; in a circle the surest finding stays.
    """
    ordered = sorted(drafts, key=lambda d: d.rank)
    above: dict[int, int] = {}
    for symptom, d in reversed(list(enumerate(ordered))):
        causes = [c for c in range(len(ordered)) if _explained(d, ordered[c], explains)]
        roots = [root for root in (_root(above, c) for c in causes) if root != symptom]
        if roots:
            above[symptom] = min(roots)
    under: dict[int, set[str]] = {}
    for symptom in above:
        under.setdefault(_root(above, symptom), set()).add(ordered[symptom].id)
    kept = [
        Draft(d.belief, d.location, d.impact, d.severity, tuple(sorted(under.get(i, set()) - {d.id})))
        for i, d in enumerate(ordered)
        if i not in above
    ]
    left = {d.id for d in kept}
    gone: dict[str, RuledOut] = {}
    for symptom in above:
        d = ordered[symptom]
        if d.id not in left and d.id not in gone:
            gone[d.id] = _folded(d, ordered[_root(above, symptom)])
    return kept, list(gone.values())


def _root(above: Mapping[int, int], at: int) -> int:
    while at in above:
        at = above[at]
    return at


def _explained(symptom: Draft, cause: Draft, explains: Sequence[Explains]) -> bool:
    if symptom.likely and not cause.likely:
        return False
    return any(
        e.cause == cause.id
        and e.symptom == symptom.id
        and (not e.subject or e.subject == cause.belief.subject or not cause.belief.subject)
        and _encloses(e.at or e.subject or cause.belief.subject, symptom.belief.subject)
        for e in explains
    )


def _encloses(place: str, other: str) -> bool:
    """Whether ``other`` is the place or a closure in it, or either is the whole process."""
    return not place or not other or other == place or other.startswith((f"{place}.func", f"{place}.gowrap"))


def _folded(symptom: Draft, cause: Draft) -> RuledOut:
    archetype, by = symptom.belief.archetype, cause.belief.archetype
    at = f" at {cause.location.function}" if cause.location else ""
    explained = Evidence(
        name=EXPLAINED,
        actual=by.id,
        expected="no other finding that explains it",
        unit="",
        supports=False,
        source=Source("rules", by.id),
        text=f"explained by another finding{at}",
    )
    return RuledOut(archetype.id, archetype.slug, (explained,))
