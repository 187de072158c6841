"""The verdicts on several processes as one answer.

Each process is judged by itself. A finding stays what it is and bears its process's name. An archetype with
no finding in any process ends in one list all the same, in the one that claims least: where its rules failed
for one of them that is said, then that it could not be judged for one, and ruled out is only what is ruled
out for all (not applicable likewise).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gopherdx.kb import KnowledgeBase
from gopherdx.model import SEVERITIES, Finding, NotApplicable, NotJudged, RuledOut
from gopherdx.reason import advice
from gopherdx.reason.belief import DESCRIPTION, Belief
from gopherdx.reason.confidence import Verdict, outcome_of


def together(
    kb: KnowledgeBase,
    verdicts: Mapping[str, Verdict],
    kinds: frozenset[str],
    unknown: frozenset[str] = frozenset(),
) -> Verdict:
    """One verdict on the processes of these names. ``kinds`` are those of all their artifacts.

    ``unknown`` are questions that a person was asked in vain.
    """
    findings = _findings(verdicts)
    found = {f.id for f in findings}
    errors = tuple(dict.fromkeys(e for v in verdicts.values() for e in v.errors if e.id not in found))
    gone = found | {e.id for e in errors}
    not_judged = _not_judged(verdicts, gone)
    gone |= {n.id for n in not_judged}
    ruled_out = _ruled_out(verdicts, gone)
    gone |= {r.id for r in ruled_out}
    best = _best(verdicts, {n.id for n in not_judged} | {e.id for e in errors})
    failed = {e.id for v in verdicts.values() for e in v.errors}
    outcome = outcome_of(findings, judged=len(best), unjudged=len(not_judged), failed=bool(failed))
    unplaced = {f.id for f in findings if f.level == "likely" and f.location is None}
    return Verdict(
        outcome=outcome,
        summary=advice.summary(outcome, findings, best, not_judged, len(kb.archetypes), len(failed)),
        findings=findings,
        ruled_out=ruled_out,
        not_judged=not_judged,
        not_applicable=_not_applicable(verdicts, gone),
        errors=errors,
        next=(
            *advice.to_place([a for a in kb.archetypes if a.id in unplaced]),
            *advice.next_steps(outcome, best, not_judged, kinds, kb.likelihoods, unknown=unknown),
        ),
        beliefs=best,
    )


def _findings(verdicts: Mapping[str, Verdict]) -> tuple[Finding, ...]:
    """All, each with its process's name; what a person described of all of them together stands once."""
    ranked = sorted((f for n, v in verdicts.items() for f in _named(n, v)), key=_rank)
    kept: dict[tuple[str, str | None], Finding] = {}
    seen = {f.id for f in ranked if not _only_described(f)}
    for finding in ranked:
        if not _only_described(finding):
            kept[finding.id, f"{finding.process} {finding.location}"] = finding
        elif finding.id not in seen:
            kept.setdefault((finding.id, None), replace(finding, process=None))
    return tuple(kept.values())


def _only_described(finding: Finding) -> bool:
    return bool(finding.evidence) and all(e.source.artifact == DESCRIPTION for e in finding.evidence)


def _named(name: str, verdict: Verdict) -> list[Finding]:
    return [replace(f, process=name) for f in verdict.findings]


def _rank(finding: Finding) -> tuple[float, int, str, str, tuple[str, str, int]]:
    """Surest first (to 0.01), then most severe, then id, process and location."""
    place = finding.location
    where = (place.function, place.file or "", place.line or 0) if place else ("", "", 0)
    severity = SEVERITIES.index(finding.severity)
    return (-round(finding.confidence, 2), -severity, finding.id, finding.process or "", where)


def _not_judged(verdicts: Mapping[str, Verdict], gone: set[str]) -> tuple[NotJudged, ...]:
    """Each archetype that cannot be judged for some process, with what the first of these lacks."""
    first: dict[str, NotJudged] = {}
    for name, verdict in verdicts.items():
        for lacking in verdict.not_judged:
            if lacking.id not in gone:
                first.setdefault(lacking.id, replace(lacking, process=name))
    return tuple(first[i] for i in sorted(first))


def _ruled_out(verdicts: Mapping[str, Verdict], gone: set[str]) -> tuple[RuledOut, ...]:
    """Each with the values of the process where most spoke for it."""
    kept: dict[str, tuple[float, RuledOut]] = {}
    for name, verdict in verdicts.items():
        believed = {b.archetype.id: b.confidence for b in verdict.beliefs}
        for refuted in verdict.ruled_out:
            confidence = believed.get(refuted.id, 0.0)
            if refuted.id not in gone and (refuted.id not in kept or confidence > kept[refuted.id][0]):
                kept[refuted.id] = (confidence, replace(refuted, process=name))
    return tuple(kept[i][1] for i in sorted(kept))


def _not_applicable(verdicts: Mapping[str, Verdict], gone: set[str]) -> tuple[NotApplicable, ...]:
    first: dict[str, NotApplicable] = {}
    for verdict in verdicts.values():
        for archetype in verdict.not_applicable:
            if archetype.id not in gone:
                first.setdefault(archetype.id, archetype)
    return tuple(first[i] for i in sorted(first))


def _best(verdicts: Mapping[str, Verdict], unsettled: set[str]) -> tuple[Belief, ...]:
    """The surest belief in each archetype that was judged, surest first."""
    best: dict[str, Belief] = {}
    for verdict in verdicts.values():
        for belief in verdict.beliefs:
            known = best.get(belief.archetype.id)
            if belief.archetype.id not in unsettled and (
                known is None or belief.confidence > known.confidence
            ):
                best[belief.archetype.id] = belief
    return tuple(sorted(best.values(), key=lambda b: (-round(b.confidence, 2), b.archetype.id)))
