"""Evidence to a verdict: how much is believed of each archetype, and what becomes of it.

Every archetype ends in exactly one of: findings, ruled out, not judged, not applicable, errors. A finding
that another one explains is told in that one's ``explains``; its archetype then stands among the ruled out,
with "explained-by" as the evidence, unless it has a finding at another place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gopherdx.kb import Archetype, KnowledgeBase, Likelihoods, Version
from gopherdx.model import (
    INCONCLUSIVE,
    LIKELY,
    POSSIBLE,
    Finding,
    GoRange,
    Next,
    NotApplicable,
    NotJudged,
    Observations,
    Outcome,
    RuledOut,
    RuleError,
)
from gopherdx.reason import advice, finding
from gopherdx.reason.belief import NOTHING_TOLD, Belief, Told, believe
from gopherdx.reason.facts import Concluded, Lookup
from gopherdx.rules import Conclusion

PLACES_MAX: Final = 5


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of every archetype, the outcome in one word and one sentence, and what to do next."""

    outcome: Outcome
    summary: str
    findings: tuple[Finding, ...]
    ruled_out: tuple[RuledOut, ...]
    not_judged: tuple[NotJudged, ...]
    not_applicable: tuple[NotApplicable, ...]
    errors: tuple[RuleError, ...]
    next: tuple[Next, ...]
    beliefs: tuple[Belief, ...] = ()
    """The belief in each archetype that was judged, surest first."""


@dataclass(frozen=True, slots=True)
class _Fate:
    """What becomes of one archetype: drafts of findings, or one of the lists that it ends in."""

    belief: Belief | None
    ends_in: list[finding.Draft] | RuledOut | NotJudged | NotApplicable


def judge(
    kb: KnowledgeBase, observations: Observations, concluded: Concluded, told: Told = NOTHING_TOLD
) -> Verdict:
    """Judge every archetype of ``kb`` by what the rules concluded and what a person told.

    Pure: equal input, equal verdict.
    """
    failed = {error.id for error in concluded.errors}
    lookup = Lookup(observations)
    said = by_archetype(concluded.evidence)
    fates = [
        _fate(a, said.get(a.id, {}), lookup, kb.likelihoods, told)
        for a in kb.archetypes
        if a.id not in failed
    ]
    drafts = [draft for f in fates if isinstance(f.ends_in, list) for draft in f.ends_in]
    kept, folded = finding.fold(drafts, concluded.explains)
    findings = tuple(finding.write(draft, lookup, kb.likelihoods) for draft in kept)
    ruled_out = [*folded, *(f.ends_in for f in fates if isinstance(f.ends_in, RuledOut))]
    not_judged = tuple(f.ends_in for f in fates if isinstance(f.ends_in, NotJudged))
    best = sorted(
        (f.belief for f in fates if f.belief), key=lambda b: (-round(b.confidence, 2), b.archetype.id)
    )
    only_told = not observations.kinds and told != NOTHING_TOLD
    outcome = outcome_of(
        findings, judged=len(best), unjudged=len(not_judged), failed=bool(failed), only_told=only_told
    )
    return Verdict(
        outcome=outcome,
        summary=advice.summary_of_told(findings, len(kb.archetypes))
        if only_told
        else advice.summary(outcome, findings, best, not_judged, len(kb.archetypes), len(failed)),
        findings=findings,
        ruled_out=tuple(sorted(ruled_out, key=lambda r: r.id)),
        not_judged=not_judged,
        not_applicable=tuple(f.ends_in for f in fates if isinstance(f.ends_in, NotApplicable)),
        errors=concluded.errors,
        next=(
            *advice.to_place([d.belief.archetype for d in kept if d.likely and d.location is None]),
            *advice.third_source(lookup, outcome),
            *advice.next_steps(
                outcome,
                best,
                not_judged,
                observations.kinds,
                kb.likelihoods,
                only_told=only_told,
                unknown=told.unknown,
            ),
        ),
        beliefs=tuple(best),
    )


def _fate(
    archetype: Archetype,
    said: Mapping[str, Mapping[str, Conclusion]],
    lookup: Lookup,
    likelihoods: Likelihoods,
    told: Told,
) -> _Fate:
    observations, named = lookup.observations, (archetype.id, archetype.slug)
    because = without_bug(archetype, observations.go_version)
    if because:
        return _Fate(None, NotApplicable(*named, because))
    missing = _missing(archetype, observations.kinds)
    if missing and not told.text and archetype.id not in told.answers:
        return _Fate(None, NotJudged(*named, missing, archetype.collect))
    beliefs = believe(archetype, said, lookup, likelihoods, told)
    drafts = _found(beliefs, lookup)
    if drafts:
        return _Fate(drafts[0].belief, drafts)
    best = max(beliefs, key=lambda b: b.confidence)
    if best.refuted_by:
        return _Fate(best, RuledOut(*named, best.refuted_by))
    # Nothing in these artifacts spoke for or against it: to call that ruled out would be a guess.
    if missing:
        return _Fate(None, NotJudged(*named, missing, archetype.collect))
    lacks = _undecided(archetype, observations)
    kind = "trace" if observations.brief and not observations.truncated else lacks[0]
    return _Fate(None, NotJudged(*named, lacks, advice.command(kind) or archetype.collect))


def by_archetype(evidence: Iterable[Conclusion]) -> dict[str, dict[str, dict[str, Conclusion]]]:
    """Conclusions by archetype, evidence and subject."""
    said: dict[str, dict[str, dict[str, Conclusion]]] = {}
    for conclusion in evidence:
        of_name = said.setdefault(conclusion.archetype, {}).setdefault(conclusion.name, {})
        of_name[conclusion.subject] = conclusion
    return said


# What becomes of an archetype -------------------------------------------------------------------------


def without_bug(archetype: Archetype, version: GoRange | None) -> str:
    """Why no program of these Go versions can have the bug; "" where one can, or nothing is known."""
    if version is None:
        return ""
    if version.high < archetype.go_from:
        return f"{version} is older than {_go(archetype.go_from)}, the first with this bug"
    if archetype.go_until and version.low >= archetype.go_until:
        return f"this bug is gone since {_go(archetype.go_until)}, and this is {version}"
    return ""


def _go(version: Version) -> str:
    return f"go {version[0]}.{version[1]}"


def _missing(archetype: Archetype, kinds: frozenset[str]) -> tuple[str, ...]:
    """What each set of artifacts still lacks that would let it be judged; empty where one is complete."""
    lacks = [[kind for kind in wanted if kind not in kinds] for wanted in archetype.requires]
    if not all(lacks):
        return ()
    return tuple(dict.fromkeys(" and ".join(lack) for lack in lacks))


def _undecided(archetype: Archetype, observations: Observations) -> tuple[str, ...]:
    """What an archetype lacks that has its artifacts, where nothing in them spoke for or against it."""
    if observations.truncated:
        return ("a recording that is not cut short",)
    if observations.brief:
        return ("a trace of a second or more",)
    required = [kind for kinds in archetype.requires for kind in kinds]
    offers = dict.fromkeys([*required, *archetype.improves])
    better = tuple(kind for kind in offers if kind not in observations.kinds)
    return better or ("a recording that can show it",)


def _found(beliefs: Sequence[Belief], lookup: Lookup) -> list[finding.Draft]:
    """Drafts of findings: every place that is likely (at most five), else the best if it is possible."""
    drafts = [finding.draft(b, lookup) for b in beliefs if b.supported and b.confidence >= POSSIBLE]
    # Sorting keeps the order of decides_place among equals.
    drafts.sort(key=lambda d: (*d.rank[:2], -(d.impact.value if d.impact else 0.0), -_share(d)))
    likely = [d for d in drafts if d.belief.confidence >= LIKELY]
    if likely and likely[0].belief.of_process:  # one mechanism, of which the place is only the largest part
        return likely[:1]
    return likely[:PLACES_MAX] or drafts[:1]


def _share(draft: finding.Draft) -> float:
    """The value of the evidence that decides the place: who has most of it comes first."""
    values = [e.actual for e in draft.belief.told if e.name in draft.belief.archetype.decides_place]
    return max((float(v) for v in values if isinstance(v, (int, float))), default=0.0)


def outcome_of(
    findings: Sequence[Finding], *, judged: int, unjudged: int, failed: bool, only_told: bool = False
) -> Outcome:
    """The whole answer in one word, from what became of the archetypes.

    ``only_told``: a person's words are all there is. Nobody's word makes a program healthy.
    """
    if any(f.level == "likely" for f in findings):
        return "diagnosed"
    if only_told:
        return "inconclusive"
    if not judged:
        return "insufficient"
    if failed or any(f.confidence >= INCONCLUSIVE for f in findings):
        return "inconclusive"  # a rule that failed never reads as healthy
    # A CPU profile is blind to waiting: where most archetypes cannot be judged, nothing reads as healthy.
    return "healthy" if judged >= unjudged else "insufficient"
