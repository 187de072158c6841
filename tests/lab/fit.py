"""How much evidence weighs, counted over the recordings of the lab by program family.

`make fit` writes kb/gopherdx_kb/likelihoods.yaml with it. For each grade, for and against:

- P(seen | bug) is the share of trials in which evidence of this grade was seen where the bug is,
  P(seen | not) where it is not. A trial is one piece of evidence in one family of programs (a bug, its fix,
  and all recordings of both): the share of the family's recordings, and ways of giving them, that could show
  the piece and did. Thirty recordings of one program are one trial, not thirty.
- Both are smoothed: what each grade is meant to say (`REFERENCE`) counts as much as so many families
  (`SMOOTHING`, whichever makes the log loss least). A count alone would make all grades alike and nearly
  proofs: where a rule fires on a program of the lab that does not have the bug, the rule is mended, and so
  the lab's healthy programs show less than others do.
- Evidence against is counted, where the bug is not, over what looks like the bug: where something speaks
  for it.
- The temperature divides the sums of log-odds so that the log loss over families is least, the sums of each
  family being taken with likelihoods that were counted without it. It is at least 1: it makes sums less sure
  of themselves, never surer, for the lab's programs are clearer cases than many.

The prior is not fitted. How many of the lab's recordings hold a bug was decided by whoever wrote its
programs and says nothing of how many of other people's do.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray

from gopherdx.kb import Archetype, KnowledgeBase, Likelihood, Likelihoods
from gopherdx.model import Grade, Precision
from gopherdx.reason.belief import Belief, believe
from gopherdx.reason.confidence import by_archetype, without_bug
from gopherdx.reason.facts import Lookup
from tests.lab.seen import WHOLE, Cell, Seen, judgeable

PRIOR = 0.02
GRADES: tuple[Grade, ...] = ("decisive", "strong", "supporting")
Side = Literal["supports", "against"]
Piece = tuple[str, str]  # archetype, evidence
Class = tuple[Side, Grade]
CLASSES: tuple[Class, ...] = tuple((side, grade) for side in ("supports", "against") for grade in GRADES)

REFERENCE = Likelihoods(
    prior=PRIOR,
    temperature=1.0,
    supports=MappingProxyType(
        {
            "decisive": Likelihood(0.95, 0.01),
            "strong": Likelihood(0.85, 0.1),
            "supporting": Likelihood(0.7, 0.3),
        }
    ),
    against=MappingProxyType(
        {
            "decisive": Likelihood(0.003, 0.3),
            "strong": Likelihood(0.03, 0.25),
            "supporting": Likelihood(0.1, 0.23),
        }
    ),
    precision=MappingProxyType({}),
)
"""What the grades are meant to say, before anything was counted.

Decisive: the mechanism itself, measured; it is missed in one bug of twenty (a short recording), and one
program in a hundred shows it for another reason. Strong: what the bug nearly always brings along and other
bugs bring now and then. Supporting: fits the bug, and a good part of all programs as well. Evidence against
weighs, where it is seen, what the same grade weighs for the bug.

They also say which place of a recording is looked at where there are several, so that what is counted
does not depend on what was counted before.
"""

SMOOTHING = (30, 100, 300, 1000)
"""Families that what a grade is meant to say may count for, beside those that were counted."""

_CLIP = 1e-4
_TEMPERATURES = (1.0, 5.0)


@dataclass(frozen=True)
class Row:
    """One archetype in one way of one recording: which evidence was seen at its best place, which was absent.

    ``cap`` is the most that may be believed there, whatever was seen (of what costs next to nothing).
    """

    family: str
    cell: str
    way: str
    archetype: str
    bug: bool
    seen: frozenset[str]
    absent: frozenset[str]
    cap: float = 1.0

    @property
    def whole(self) -> bool:
        """Whether all artifacts were given."""
        return self.way in WHOLE


# Rows -------------------------------------------------------------------------------------------------


def rows_of(kb: KnowledgeBase, cell: Cell, way: str, seen: Seen) -> list[Row]:
    """A row for each archetype that could be judged there; none where the truth is not known.

    Left out is what another bug of the same program explains: it is neither right nor wrong.
    """
    can = judgeable(kb, seen.kinds, cell.version)
    explained = {
        e.symptom for said in seen.concluded for e in said.explains if e.cause in cell.bugs
    } - cell.bugs.keys()
    unknown = explained | set(cell.arguable)
    rows = []
    for archetype in kb.archetypes:
        if archetype.id not in can or archetype.id in unknown:
            continue
        belief = _best(kb, archetype, seen)
        if belief is not None:
            rows.append(_row(cell, way, archetype, belief))
    return rows


def _best(kb: KnowledgeBase, archetype: Archetype, seen: Seen) -> Belief | None:
    """What is believed most, over all places in all processes; None where nothing could be seen."""
    beliefs: list[Belief] = []
    for observed, concluded in zip(seen.observed, seen.concluded, strict=True):
        if without_bug(archetype, observed.go_version):
            continue
        said = by_archetype(concluded.evidence).get(archetype.id, {})
        beliefs += believe(archetype, said, Lookup(observed), REFERENCE)
    told = [b for b in beliefs if any(p.state != "open" for p in b.pieces)]
    return max(told, key=lambda b: (_sum(b), b.confidence), default=None)


def _sum(belief: Belief) -> float:
    return math.fsum(p.weight for p in belief.pieces)


def _row(cell: Cell, way: str, archetype: Archetype, belief: Belief) -> Row:
    states = {p.proof.name: p.state for p in belief.pieces}
    uncapped = _sigmoid(_logit(PRIOR) + _sum(belief))
    return Row(
        family=cell.program.family,
        cell=cell.name,
        way=way,
        archetype=archetype.id,
        bug=archetype.id in cell.bugs,
        seen=frozenset(n for n, state in states.items() if state == "seen"),
        absent=frozenset(n for n, state in states.items() if state == "absent"),
        cap=1.0 if belief.confidence >= uncapped - 1e-3 else belief.confidence,
    )


# Counting ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Counted:
    """Shares of seen evidence by class and truth: one for each piece and family, and whose it is."""

    trials: Mapping[tuple[Class, bool], tuple[tuple[str, float], ...]]

    @cached_property
    def _sums(self) -> dict[tuple[Class, bool], tuple[dict[str, tuple[float, int]], tuple[float, int]]]:
        """The sum of shares and how many they are, of each family and of all."""
        out = {}
        for key, trials in self.trials.items():
            of: dict[str, tuple[float, int]] = {}
            for family, share in trials:
                total, n = of.get(family, (0.0, 0))
                of[family] = total + share, n + 1
            out[key] = of, (math.fsum(share for _, share in trials), len(trials))
        return out

    def share(self, of: Class, bug: bool, smoothing: float, without: frozenset[str] = frozenset()) -> float:
        """P(seen | bug or not), smoothed, without the trials of some families."""
        sums, (total, n) = self._sums.get((of, bug), ({}, (0.0, 0)))
        gone = [sums[family] for family in without if family in sums]
        families, n = len(sums) - len(gone), n - sum(n for _, n in gone)
        mean = (total - math.fsum(total for total, _ in gone)) / max(n, 1)
        meant = (REFERENCE.supports if of[0] == "supports" else REFERENCE.against)[of[1]]
        of_grade = meant.bug if bug else meant.other
        return (families * mean + smoothing * of_grade) / (families + smoothing)


def classes(kb: KnowledgeBase) -> dict[Piece, Class]:
    """The side and the grade of every piece of evidence."""
    return {
        (a.id, p.name): ("supports" if p.supports else "against", p.grade)
        for a in kb.archetypes
        for p in a.evidence
    }


def count(rows: Iterable[Row], of: Mapping[Piece, Class]) -> Counted:
    """Count each piece of evidence in each family."""
    shares: defaultdict[tuple[Class, bool, str, Piece], list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        alike = any(of[row.archetype, name][0] == "supports" for name in row.seen)
        for name in sorted(row.seen | row.absent):
            class_ = of[row.archetype, name]
            if class_[0] == "against" and not row.bug and not alike:
                continue
            counted = shares[class_, row.bug, row.family, (row.archetype, name)]
            counted[0] += name in row.seen
            counted[1] += 1
    trials: defaultdict[tuple[Class, bool], list[tuple[str, float]]] = defaultdict(list)
    for (class_, bug, family, _), (seen, n) in sorted(shares.items()):
        trials[class_, bug].append((family, seen / n))
    return Counted({key: tuple(value) for key, value in trials.items()})


def weights(
    counted: Counted, smoothing: float, without: frozenset[str] = frozenset()
) -> dict[Class, Likelihood]:
    """The likelihoods of each class, counted without some families; never such that evidence speaks for the
    other side, or that a higher grade says less than a lower one."""
    raw = {
        c: Likelihood(*(counted.share(c, bug, smoothing, without) for bug in (True, False))) for c in CLASSES
    }
    out: dict[Class, Likelihood] = {}
    for side, grade in CLASSES:
        out[side, grade] = _on_its_side(side, raw[side, grade])
    for side in ("supports", "against"):
        for lower, higher in (("supporting", "strong"), ("strong", "decisive")):
            weak, firm = (cast(Class, (side, g)) for g in (lower, higher))
            if abs(_seen_weight(out[firm])) < abs(_seen_weight(out[weak])):
                out[firm] = out[weak]
    return out


def _on_its_side(side: Side, found: Likelihood) -> Likelihood:
    """Evidence that was not seen on its side more often than on the other says nothing."""
    right = found.bug > found.other if side == "supports" else found.bug < found.other
    if right:
        return found
    middle = (found.bug + found.other) / 2
    return Likelihood(middle, middle)


def _seen_weight(of: Likelihood) -> float:
    return math.log(of.bug / of.other)


# Temperature and log loss -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Table:
    """Rows as arrays, R of them: how many pieces of each class were seen and absent, shape (R, 6) each."""

    family: NDArray[np.int64]
    families: tuple[str, ...]
    bug: NDArray[np.bool_]
    seen: NDArray[np.float64]
    absent: NDArray[np.float64]
    cap: NDArray[np.float64]

    @property
    def weight(self) -> NDArray[np.float64]:
        """Of each row, so that every family weighs the same; their sum is 1."""
        sizes = np.bincount(self.family, minlength=len(self.families))
        here = 1.0 / sizes[self.family]
        return cast("NDArray[np.float64]", here / here.sum())


def table(rows: Sequence[Row], of: Mapping[Piece, Class]) -> Table:
    """The rows as arrays."""
    families = tuple(sorted({row.family for row in rows}))
    column = {c: i for i, c in enumerate(CLASSES)}
    seen, absent = (np.zeros((len(rows), len(CLASSES))) for _ in range(2))
    for i, row in enumerate(rows):
        for name in row.seen:
            seen[i, column[of[row.archetype, name]]] += 1
        for name in row.absent:
            absent[i, column[of[row.archetype, name]]] += 1
    return Table(
        family=np.array([families.index(row.family) for row in rows], np.int64),
        families=families,
        bug=np.array([row.bug for row in rows], np.bool_),
        seen=seen,
        absent=absent,
        cap=np.array([row.cap for row in rows]),
    )


def sums(rows: Table, of: Mapping[Class, Likelihood]) -> NDArray[np.float64]:
    """Log-odds of each row before the temperature, prior included."""
    for_seen = np.array([math.log(of[c].bug / of[c].other) for c in CLASSES])
    for_absent = np.array([math.log((1 - of[c].bug) / (1 - of[c].other)) for c in CLASSES])
    out: NDArray[np.float64] = _logit(PRIOR) + rows.seen @ for_seen + rows.absent @ for_absent
    return out


def sums_left_out(
    rows: Table, counted: Counted, smoothing: float, without: frozenset[str] = frozenset()
) -> NDArray[np.float64]:
    """Log-odds of each row with likelihoods counted without its family."""
    out = np.zeros(len(rows.bug))
    for i, family in enumerate(rows.families):
        mine = rows.family == i
        some = Table(
            rows.family[mine],
            rows.families,
            rows.bug[mine],
            rows.seen[mine],
            rows.absent[mine],
            rows.cap[mine],
        )
        out[mine] = sums(some, weights(counted, smoothing, without | {family}))
    return out


def temperature(
    rows: Table, logits: NDArray[np.float64], without: frozenset[str] = frozenset()
) -> tuple[float, float]:
    """The temperature of least log loss over all families but some, to 0.01, and that log loss.

    By golden-section search. It is 1 unless what it gains is more than the standard error of the gain over
    families (Breiman's rule of one standard error: the simpler of two that cannot be told apart).
    """
    left_out = [i for i, f in enumerate(rows.families) if f in without]
    weight = np.where(np.isin(rows.family, left_out), 0.0, rows.weight)

    def loss(t: float) -> float:
        return float((losses(t) * weight).sum() / weight.sum())

    def losses(t: float) -> NDArray[np.float64]:
        return _losses(np.minimum(_sigmoid_all(logits / t), rows.cap), rows.bug)

    t = round(_least(loss, *_TEMPERATURES), 2)
    gained = np.bincount(rows.family, weight * (losses(1.0) - losses(t)), len(rows.families))
    gained = np.delete(gained, left_out)
    if gained.sum() <= gained.std() * math.sqrt(gained.size):
        t = 1.0
    return t, loss(t)


def log_loss(believed: NDArray[np.float64], bug: NDArray[np.bool_], weight: NDArray[np.float64]) -> float:
    """Mean of -log of what was believed of the truth, in nats, weighted; beliefs are taken to 4 decimals."""
    return float((_losses(believed, bug) * weight).sum() / weight.sum())


def _losses(believed: NDArray[np.float64], bug: NDArray[np.bool_]) -> NDArray[np.float64]:
    p = np.clip(believed, _CLIP, 1 - _CLIP)
    return cast("NDArray[np.float64]", -np.where(bug, np.log(p), np.log1p(-p)))


def _least(f: Callable[[float], float], low: float, high: float) -> float:
    ratio = (math.sqrt(5) - 1) / 2
    a, b = math.log(low), math.log(high)
    c, d = b - ratio * (b - a), a + ratio * (b - a)
    fc, fd = f(math.exp(c)), f(math.exp(d))
    while b - a > 1e-4:
        if fc <= fd:
            b, d, fd = d, c, fc
            c = b - ratio * (b - a)
            fc = f(math.exp(c))
        else:
            a, c, fc = c, d, fd
            d = a + ratio * (b - a)
            fd = f(math.exp(d))
    return math.exp((a + b) / 2)


# The fit ----------------------------------------------------------------------------------------------


class Fit:
    """Likelihoods and temperature from rows, for all families or with one left out of everything."""

    def __init__(self, kb: KnowledgeBase, rows: Sequence[Row]) -> None:
        of = classes(kb)
        self.counted = count(rows, of)
        self.whole = table([row for row in rows if row.whole], of)

    def loss_of(self, of: Likelihoods) -> float:
        """Log loss of some weights on all these rows, whatever they were counted over; nats a belief."""
        found: dict[Class, Likelihood] = {}
        for side, grade in CLASSES:
            found[side, grade] = (of.supports if side == "supports" else of.against)[grade]
        logits = sums(self.whole, found) / of.temperature
        believed = np.minimum(_sigmoid_all(logits), self.whole.cap)
        return log_loss(believed, self.whole.bug, self.whole.weight)

    def smoothing_and_temperature(self, without: frozenset[str] = frozenset()) -> tuple[int, float]:
        """Those of least log loss over all families but some, each with likelihoods that lack it."""
        tried = {}
        for smoothing in SMOOTHING:
            logits = sums_left_out(self.whole, self.counted, smoothing, without)
            tried[smoothing] = temperature(self.whole, logits, without)
        best = min(SMOOTHING, key=lambda smoothing: (tried[smoothing][1], smoothing))
        return best, tried[best][0]

    def likelihoods(
        self, left_out: str | None = None, precision: Mapping[str, Precision] | None = None
    ) -> Likelihoods:
        """The fit without a family: neither its evidence nor its part in the temperature."""
        without = frozenset({left_out} if left_out else ())
        smoothing, t = self.smoothing_and_temperature(without)
        found = weights(self.counted, smoothing, without)
        return Likelihoods(
            prior=PRIOR,
            temperature=t,
            supports=MappingProxyType({g: _rounded(found["supports", g]) for g in GRADES}),
            against=MappingProxyType({g: _rounded(found["against", g]) for g in GRADES}),
            precision=MappingProxyType(dict(precision or {})),
        )


def _rounded(of: Likelihood) -> Likelihood:
    return Likelihood(*(min(max(float(f"{x:.3g}"), 0.001), 0.999) for x in (of.bug, of.other)))


def _logit(p: float) -> float:
    return math.log(p / (1 - p))


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def _sigmoid_all(x: NDArray[np.float64]) -> NDArray[np.float64]:
    out: NDArray[np.float64] = 1 / (1 + np.exp(-np.clip(x, -700, 700)))
    return out
