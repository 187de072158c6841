"""How much is believed of an archetype at one place, from the evidence that was seen, absent or out of sight.

Each archetype is a yes-or-no belief of its own (naive Bayes in log-odds): the prior's, plus log(p/q) for
evidence that was seen and log((1-p)/(1-q)) for evidence that was looked for and is absent, where p and q are
P(seen | bug) and P(seen | not) of the evidence's grade. What nobody could see counts nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from gopherdx.kb import Archetype, Likelihoods, Proof
from gopherdx.model import Evidence, Observation, Observations, Source
from gopherdx.reason.facts import Lookup
from gopherdx.rules import Conclusion
from gopherdx.yamlfile import is_number

TRUNCATED_CAP: Final = 0.8

ANSWER_RELIABILITY: Final = 0.8
"""How far a person's word is trusted, against 1 for what a file says."""

TEXT_CAP: Final = 3.0
"""Log-odds that likeness to other reports may add at most: it lifts the prior to 0.29, never to likely."""

DESCRIPTION: Final = "description"
"""Evidence, and its source, of what a person described."""

State = Literal["seen", "absent", "open"]


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of declared evidence at one place. ``open``: it could not be seen or asked, and weighs 0.

    ``evidence`` is what was measured, or None where nothing was; ``of_process``: not at this place but of the
    process as a whole.
    """

    proof: Proof
    state: State
    weight: float
    evidence: Evidence | None
    of_process: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person said of one piece of evidence: whether it is there, and in which words or number."""

    seen: bool
    said: float | str


@dataclass(frozen=True, slots=True)
class Told:
    """What a person told: answers by archetype and evidence, and likeness to other reports by archetype.

    Likeness is in log-odds, as retrieval weighs it; more than ``TEXT_CAP`` counts as that. ``like`` is the
    report that reads most like what was described. ``unknown`` are the questions that the person was asked
    and could not answer: they change no belief, and are not asked again.
    """

    answers: Mapping[str, Mapping[str, Answer]] = field(default_factory=dict)
    text: Mapping[str, float] = field(default_factory=dict)
    like: Mapping[str, str] = field(default_factory=dict)
    unknown: frozenset[str] = field(default=frozenset(), compare=False)


NOTHING_TOLD: Final = Told()


@dataclass(frozen=True, slots=True)
class Belief:
    """How much is believed of an archetype at one place (a subject of observations, "" for the process)."""

    archetype: Archetype
    subject: str
    confidence: float
    pieces: tuple[Piece, ...]
    text_weight: float = 0.0
    likeness: Evidence | None = None
    """What was described, where that speaks for it."""

    @property
    def supported(self) -> bool:
        """Whether anything at all was seen, or told, that speaks for it."""
        return self.text_weight > 0 or any(p.state == "seen" and p.proof.supports for p in self.pieces)

    @property
    def of_process(self) -> bool:
        """Whether the mechanism is the process's own, and the place only where most of it comes from."""
        seen = [p for p in self.pieces if p.state == "seen" and p.proof.supports]
        decisive = [p for p in seen if p.proof.grade == "decisive"]
        return bool(decisive) and all(p.of_process for p in decisive)

    @property
    def told(self) -> tuple[Evidence, ...]:
        """What was described, then what rules concluded for and against, in the order of archetype.yaml."""
        seen = tuple(p.evidence for p in self.pieces if p.state == "seen" and p.evidence)
        return (self.likeness, *seen) if self.likeness else seen

    @property
    def refuted_by(self) -> tuple[Evidence, ...]:
        """What counted against it, the strongest first.

        A value that is as expected by itself refutes only together with others that its rule asks for; it
        would read oddly as a reason and comes last.
        """
        return tuple(e for _, e in sorted(self._against, key=lambda a: (_met_alone(a[0]), a[0].weight)))

    @property
    def refuted_by_itself(self) -> tuple[Evidence, ...]:
        """Of what counted against it, what is a reason without anything beside it, the strongest first."""
        alone = [a for a in self._against if not _met_alone(a[0])]
        return tuple(e for _, e in sorted(alone, key=lambda a: a[0].weight))

    @property
    def _against(self) -> list[tuple[Piece, Evidence]]:
        return [(p, p.evidence) for p in self.pieces if p.weight < 0 and p.evidence]


def believe(
    archetype: Archetype,
    said: Mapping[str, Mapping[str, Conclusion]],
    lookup: Lookup,
    likelihoods: Likelihoods,
    told: Told = NOTHING_TOLD,
) -> list[Belief]:
    """A belief for each place that the archetype's deciding evidence names; for the process without any.

    ``said`` are its conclusions by evidence and subject. The order of ``decides_place`` is kept. An answer in
    ``told`` counts where no file tells the same.
    """
    answers = told.answers.get(archetype.id, {})
    text = max(-TEXT_CAP, min(told.text.get(archetype.id, 0.0), TEXT_CAP))
    places = [
        subject
        for name in archetype.decides_place
        if archetype.proof(name).supports
        for subject in sorted(said.get(name, {}))
        if subject
    ]
    beliefs = []
    for subject in dict.fromkeys(places) or [""]:
        of_files = _pieces(archetype, subject, said, lookup, likelihoods)
        pieces = _answered(of_files, answers, likelihoods)
        believed = probability(likelihoods, (text, *(p.weight for p in pieces)))
        confidence = min(believed, _cap(archetype, subject, lookup))
        described = _described(text, told.like.get(archetype.id, ""))
        beliefs.append(Belief(archetype, subject, round(confidence, 4), pieces, text, described))
    return beliefs


def weigh(proof: Proof, state: State, likelihoods: Likelihoods, reliability: float = 1.0) -> float:
    """The log-odds that a piece of evidence adds. A source less reliable than 1 draws p and q towards 0.5."""
    if state == "open":
        return 0.0
    p, q = rates(proof, likelihoods, reliability)
    return math.log(p / q) if state == "seen" else math.log((1 - p) / (1 - q))


def rates(proof: Proof, likelihoods: Likelihoods, reliability: float = 1.0) -> tuple[float, float]:
    """(P(seen | bug), P(seen | not)) of evidence, drawn towards 0.5 by its source's reliability."""
    of_grade = (likelihoods.supports if proof.supports else likelihoods.against)[proof.grade]
    return 0.5 + (of_grade.bug - 0.5) * reliability, 0.5 + (of_grade.other - 0.5) * reliability


def probability(likelihoods: Likelihoods, weights: Iterable[float]) -> float:
    """Prior and weights as a probability (their sum does not depend on their order)."""
    prior = math.log(likelihoods.prior / (1 - likelihoods.prior))
    return 1 / (1 + math.exp(-math.fsum([prior, *weights]) / likelihoods.temperature))


def _cap(archetype: Archetype, subject: str, lookup: Lookup) -> float:
    """The most that may be believed: of what costs next to nothing, and of recordings that were cut."""
    cap = TRUNCATED_CAP if lookup.observations.truncated else 1.0
    costs = [(c, lookup.number(c.observation, subject)) for c in archetype.min_cost]
    for least, cost in costs:
        if cost is not None:
            return min(cap, least.confidence) if cost < least.at_least else cap
    # It was looked for, and there was none.
    looked = [least for least, _ in costs if least.observation in lookup.observations.looked]
    return min(cap, looked[0].confidence) if looked else cap


def _pieces(
    archetype: Archetype,
    subject: str,
    said: Mapping[str, Mapping[str, Conclusion]],
    lookup: Lookup,
    likelihoods: Likelihoods,
) -> tuple[Piece, ...]:
    """Every piece of evidence at one place. What stands in for closer evidence is open where that is not."""
    pieces = [_piece(p, subject, said.get(p.name, {}), lookup, likelihoods) for p in archetype.evidence]
    judged = {p.proof.name for p in pieces if p.state != "open"}
    return tuple(
        p if judged.isdisjoint(p.proof.stands_in_for) else Piece(p.proof, "open", 0.0, None) for p in pieces
    )


def _piece(
    proof: Proof,
    subject: str,
    said: Mapping[str, Conclusion],
    lookup: Lookup,
    likelihoods: Likelihoods,
) -> Piece:
    here = said.get(subject) or said.get("")
    if here is not None:
        whole = subject not in said
        return Piece(proof, "seen", weigh(proof, "seen", likelihoods), _seen(proof, here), whole)
    # Seen at some place says nothing about a process for which no place was found, and is not absent either.
    elsewhere = bool(said) and not subject
    if elsewhere or not _observable(proof, lookup.observations):
        return Piece(proof, "open", 0.0, None)
    return Piece(proof, "absent", weigh(proof, "absent", likelihoods), _absent(proof, subject, lookup))


def _answered(
    pieces: Sequence[Piece], answers: Mapping[str, Answer], likelihoods: Likelihoods
) -> tuple[Piece, ...]:
    """The pieces with what a person told of those that no file, in whichever form, says anything of."""
    judged = {_mechanism(p.proof) for p in pieces if p.state != "open"}
    out = []
    for piece in pieces:
        answer, mechanism = answers.get(piece.proof.name), _mechanism(piece.proof)
        if answer is not None and mechanism not in judged:
            judged.add(mechanism)
            piece = _told(piece.proof, answer, likelihoods)
        out.append(piece)
    return tuple(out)


def _described(weight: float, like: str) -> Evidence | None:
    """Likeness to reports as evidence; none where a description does not speak for it."""
    if weight <= 0:
        return None
    text = f"it reads like reports of it, as: {like}" if like else "it reads like reports of it"
    return Evidence(DESCRIPTION, weight, "above 0", "log-odds", True, Source(DESCRIPTION), text)


def _mechanism(proof: Proof) -> str:
    """What evidence shows, whichever artifact it is seen in."""
    return proof.stands_in_for[0] if proof.stands_in_for else proof.name


def _told(proof: Proof, answer: Answer, likelihoods: Likelihoods) -> Piece:
    state: State = "seen" if answer.seen else "absent"
    number = is_number(answer.said)
    evidence = Evidence(
        name=proof.name,
        actual=answer.said,
        expected=str(proof.expect) if number else "yes",
        unit=proof.expect.unit if number else "",
        supports=proof.supports,
        source=Source("answer", proof.question or proof.name),
        text=proof.text,
    )
    return Piece(proof, state, weigh(proof, state, likelihoods, ANSWER_RELIABILITY), evidence)


def _observable(proof: Proof, observations: Observations) -> bool:
    if observations.truncated or observations.brief:  # it may be in what is missing
        return False
    return proof.observation in observations.looked and not observations.kinds.isdisjoint(proof.artifacts)


def _seen(proof: Proof, said: Conclusion) -> Evidence:
    return Evidence(
        name=proof.name,
        actual=said.actual,
        expected=str(proof.expect),
        unit=said.unit,
        supports=proof.supports,
        source=said.source,
        text=proof.text,
    )


def _absent(proof: Proof, subject: str, lookup: Lookup) -> Evidence:
    """Evidence that is not there, with the value that came nearest to it."""
    near = _nearest(proof, subject, lookup)
    kinds = [kind for kind in proof.artifacts if kind in lookup.observations.kinds]
    return Evidence(
        name=proof.name,
        actual=near.value if near else None,
        expected=str(proof.expect),
        unit=near.unit if near else proof.expect.unit,
        supports=proof.supports,
        source=near.source if near else Source(kinds[0]),
        text=proof.text,
    )


def _nearest(proof: Proof, subject: str, lookup: Lookup) -> Observation | None:
    """The observation nearest to what is expected: of the subject, else the process, else all places."""
    name = proof.observation or ""
    nearest: Observation | None = None
    for seen in lookup.of(name, subject) or (() if subject else lookup.all(name)):
        if nearest is None or proof.expect.tells_more(seen.value, nearest.value):
            nearest = seen
    return nearest


def _met_alone(piece: Piece) -> bool:
    """Whether it is absent although its own value is as expected."""
    if piece.state != "absent" or piece.evidence is None:
        return False
    return piece.proof.expect.met(piece.evidence.actual)
