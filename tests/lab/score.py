"""Scores gopherdx on the recordings of the lab, with the family under test left out of the fit.

    score.py score [--captures DIR] [--jobs N]    what is found in every recording ->
    tests/lab/results.json.gz score.py fit   [--captures DIR] [--jobs N]    likelihoods of the grades ->
    kb/gopherdx_kb/likelihoods.yaml score.py misses                               what is not right in the
    results, one line each

Both look at every recording in every way of giving its artifacts (seen.py), and fit.py says how evidence is
counted. Programs labelled blind are in no fit. docs/accuracy.md is written from the results (accuracy.py).
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from gopherdx.kb import KnowledgeBase, Likelihoods, load_kb
from gopherdx.model import LIKELY, Finding, Precision
from gopherdx.reason import confidence
from gopherdx.reason.confidence import Verdict
from gopherdx.reason.finding import EXPLAINED
from gopherdx.reason.together import together
from tests.lab.building import WORK, missing
from tests.lab.fit import GRADES, REFERENCE, Fit, Row, log_loss, rows_of
from tests.lab.labels import LAB, ROOT, LabError, Program, programs
from tests.lab.seen import WAYS, WHOLE, Cell, Seen, cells, judgeable, look, seen_in
from tests.lab.statistic import loss_of_constant, loss_of_weight_each, wilson

RESULTS = LAB / "results.json.gz"
LIKELIHOODS = ROOT / "kb" / "gopherdx_kb" / "likelihoods.yaml"
SURE = 0.8
# Weights that make the log loss this many times larger are no better ones.
WORSE = 1.05

Json = dict[str, Any]


# Scoring ----------------------------------------------------------------------------------------------


def score(
    out: Path,
    jobs: int,
    names: Sequence[str] = (),
    versions: Sequence[str] = (),
    ways: Sequence[str] = tuple(WAYS),
) -> tuple[Json, Fit]:
    """The results over all recordings under ``out``, and the fit over all families that are not blind."""
    kb = load_kb()
    known = programs()
    found = [
        cell
        for cell in cells(out, known)
        if (not names or cell.program.name in names) and (not versions or cell.version in versions)
    ]
    if not found:
        raise LabError(f"no recordings in {out}: run lab.py matrix first")
    tell(f"{len(found)} recordings of {len({c.program.name for c in found})} programs")
    unreadable = look(found, out, ways, jobs=jobs, tell=tell)
    found = [cell for cell in found if cell.name not in unreadable]
    rows = [row for cell, seen in seen_in(found, out, ways) for row in _rows(kb, cell, seen)]
    fitted = [row for row in rows if not known[row.cell.split("/")[0]].blind]
    fit = Fit(kb, fitted)
    of_family = {f: fit.likelihoods(f) for f in sorted({row.family for row in fitted})}
    for_blind = fit.likelihoods()
    tell("fitted, once without each family")
    results: Json = {
        "archetypes": {a.id: a.title for a in kb.archetypes},
        "ways": list(WAYS),
        "cells": [_cell(cell) for cell in found],
        "left_out": _left_out(known, found) | unreadable,
        "said": [],
        "believed": [],
    }
    losses: list[tuple[str, float, bool]] = []
    for i, (cell, of_ways) in enumerate(seen_in(found, out, ways)):
        weights = for_blind if cell.program.blind else of_family.get(cell.program.family, for_blind)
        with_weights = replace(kb, likelihoods=weights)
        for way, seen in of_ways.items():
            verdict = judged(with_weights, seen)
            results["said"].append(_said(i, way, cell, seen, verdict, kb))
            if way in WHOLE:
                believed = _believed(verdict, kb, cell)
                results["believed"].append([i, list(WAYS).index(way), believed])
                if not cell.apart and not cell.program.blind:
                    ids = [a.id for a in kb.archetypes]
                    losses += [
                        (cell.program.family, p, id_ in cell.bugs)
                        for id_, p in zip(ids, believed, strict=True)
                        if p is not None
                    ]
    results["log_loss"] = _log_losses(losses, [row for row in fitted if row.whole])
    results["log_loss"]["by hand"] = round(fit.loss_of(REFERENCE), 5)
    results["fit"] = _fit(for_blind, of_family) | {"smoothing": fit.smoothing_and_temperature()[0]}
    return results, fit


def _rows(kb: KnowledgeBase, cell: Cell, ways: Mapping[str, Seen]) -> list[Row]:
    if cell.apart:
        return []
    return [row for way, seen in ways.items() for row in rows_of(kb, cell, way, seen)]


def judged(kb: KnowledgeBase, seen: Seen) -> Verdict:
    """The verdict with the weights of ``kb``, as the pipeline comes to it."""
    verdicts = [confidence.judge(kb, o, c) for o, c in zip(seen.observed, seen.concluded, strict=True)]
    if len(verdicts) == 1:
        return verdicts[0]
    names = [f"process {n}" for n in range(1, len(verdicts) + 1)]
    return together(kb, dict(zip(names, verdicts, strict=True)), seen.kinds)


def _cell(cell: Cell) -> Json:
    run = cell.told
    return {
        "program": cell.program.name,
        "family": cell.program.family,
        "role": cell.program.role,
        "blind": cell.program.blind,
        "near": list(cell.program.near),
        "bugs": sorted(cell.bugs),
        "arguable": list(cell.arguable),
        "go": cell.version,
        "gomaxprocs": run["gomaxprocs"],
        "load": run["load"],
        "better": None if cell.better is None else _finite(cell.better),
        "apart": cell.apart,
    }


def _finite(x: float) -> float:
    return float(f"{min(x, 1e6):.3g}")


def _said(index: int, way: str, cell: Cell, seen: Seen, verdict: Verdict, kb: KnowledgeBase) -> list[Any]:
    """One line: cell, way, outcome, which of its bugs could be judged, what was found."""
    can = judgeable(kb, seen.kinds, cell.version)
    findings = [
        [f.id, round(f.confidence, 3), _place(f, cell, seen)]
        for f in verdict.findings
        if f.confidence >= 0.05
    ]
    errors = sorted({e.id for e in verdict.errors})
    return [index, list(WAYS).index(way), verdict.outcome, sorted(can & cell.bugs.keys()), findings, errors]


def _place(finding: Finding, cell: Cell, seen: Seen) -> str:
    """right, wrong (and where), none (and rightly none is "right"); "" for what is no bug of the program."""
    bug = cell.bugs.get(finding.id)
    if bug is None:
        return finding.location.function if finding.location else ""
    if not bug["functions"]:
        return "right" if finding.location is None else f"wrong: {finding.location.function}"
    if finding.location is None:
        samples = "cpu" in seen.kinds
        return "right" if bug.get("null_without_cpu") and not samples else "none"
    return "right" if finding.location.function in bug["functions"] else f"wrong: {finding.location.function}"


def _believed(verdict: Verdict, kb: KnowledgeBase, cell: Cell) -> list[float | None]:
    """The confidence in each archetype; None where it was not judged, or something else explains it."""
    explained = {
        r.id for r in verdict.ruled_out if any(e.name == EXPLAINED for e in r.evidence)
    } - cell.bugs.keys()
    best = {b.archetype.id: b.confidence for b in reversed(verdict.beliefs)}
    unknown = explained | set(cell.arguable)
    return [None if a.id in unknown or a.id not in best else round(best[a.id], 3) for a in kb.archetypes]


def _log_losses(losses: Sequence[tuple[str, float, bool]], rows: Sequence[Row]) -> Json:
    """Family left out, every family weighing the same: ours, a constant, one weight for each piece."""
    sizes: dict[str, int] = {}
    for family, _, _ in losses:
        sizes[family] = sizes.get(family, 0) + 1
    ours = log_loss(
        np.array([p for _, p, _ in losses]),
        np.array([bug for _, _, bug in losses], np.bool_),
        np.array([1 / sizes[family] for family, _, _ in losses]),
    )
    return {
        "grades": round(ours, 5),
        "constant": round(loss_of_constant(rows), 5),
        "weight for each piece": round(loss_of_weight_each(rows), 5),
        "beliefs": len(losses),
        "families": len(sizes),
    }


def _fit(of_all: Likelihoods, left_out: Mapping[str, Likelihoods]) -> Json:
    def sides(of: Likelihoods) -> Json:
        return {
            side: {g: [table[g].bug, table[g].other] for g in GRADES}
            for side, table in (("supports", of.supports), ("against", of.against))
        }

    temperatures = [of.temperature for of in left_out.values()]
    return {
        "prior": of_all.prior,
        "temperature": of_all.temperature,
        "temperature_range": [min(temperatures), max(temperatures)],
        **sides(of_all),
    }


def _left_out(known: Mapping[str, Program], found: Sequence[Cell]) -> Json:
    """Programs without any recording, and why."""
    there = {cell.program.name for cell in found}
    return {name: missing(program) or "not recorded" for name, program in known.items() if name not in there}


# Precision --------------------------------------------------------------------------------------------


def precisions(results: Json) -> dict[str, Precision]:
    """Of each archetype's likely findings in whole captures, how many were right, by family (Wilson)."""
    right: dict[str, dict[str, list[float]]] = {}
    for case in whole(results):
        cell = results["cells"][case[0]]
        if cell["apart"]:
            continue
        for id_ in {f[0] for f in case[4] if f[1] >= LIKELY}:
            if id_ not in cell["arguable"]:
                by_family = right.setdefault(id_, {})
                by_family.setdefault(cell["family"], []).append(float(id_ in cell["bugs"]))
    out = {}
    for id_, by_family in sorted(right.items()):
        shares = [math.fsum(v) / len(v) for v in by_family.values()]
        total = math.fsum(shares)
        out[id_] = Precision(
            value=round(total / len(shares), 3),
            lower=round(wilson(total, len(shares))[0], 3),
            programs=len(shares),
            captures=sum(len(v) for v in by_family.values()),
        )
    return out


def whole(results: Json) -> Iterable[list[Any]]:
    """The lines of whole captures."""
    ways = [results["ways"].index(way) for way in WHOLE]
    return (case for case in results["said"] if case[1] in ways)


# Files ------------------------------------------------------------------------------------------------


def save(results: Json, file: Path = RESULTS) -> None:
    """Write the results; equal results, equal bytes."""
    lines = json.dumps(results, separators=(",", ":"), sort_keys=True).replace("],[", "],\n[")
    file.write_bytes(gzip.compress(lines.encode() + b"\n", 9, mtime=0))


def load(file: Path = RESULTS) -> Json:
    """Read the results. Raises LabError."""
    if not file.exists():
        raise LabError(f"there is no {file.name}: score.py score writes it")
    read: Json = json.loads(gzip.decompress(file.read_bytes()))
    return read


_HEAD = """\
# How much a piece of evidence weighs, by grade: how often it is seen where the bug is, and where it is not.
# Each archetype is a belief of its own: log-odds of the prior, plus log(p/q) for evidence that was seen and
# log((1-p)/(1-q)) for evidence that was looked for and is absent; the sum is divided by the temperature.
#
# Written by `make fit`: counted over {recordings:,} recordings of {families} families of programs
# (tests/lab). A bug, its fix and all their recordings are one family, and a piece of evidence in a family
# is one trial, however often it was recorded. docs/accuracy.md says how right findings are with it.

# Most recordings hold none of the known bugs: an archetype is in one recording of fifty. Not counted: how
# many of the lab's programs hold a bug was decided by who wrote them, and says nothing of other people's
# programs.
prior: {prior:g}

# Pieces of evidence are no independent witnesses. Above 1 the sums would be surer of themselves than families
# left out of the count bear out, below 1 less sure.
temperature: {temperature:g}
"""
_SIDES = {
    "supports": "# Evidence for the bug.",
    "against": "# Evidence against: the mark of a look-alike, counted where something speaks for the bug.",
}
_PRECISION = """\
# Of each archetype's likely findings in families left out of the fit, how many were right: the mean over
# these families (programs), its lower Wilson bound at 95 %, and how many captures they come from.
"""


def likelihoods_text(of: Likelihoods, *, recordings: int, families: int) -> str:
    """likelihoods.yaml as text."""
    numbers = {"prior": of.prior, "temperature": of.temperature}
    lines = [_HEAD.format(recordings=recordings, families=families, **numbers)]
    for side, said in _SIDES.items():
        table = of.supports if side == "supports" else of.against
        lines += [said, f"{side}:"]
        lines += [
            f"  {g}: {{seen_if_bug: {table[g].bug:g}, seen_if_not: {table[g].other:g}}}" for g in GRADES
        ]
        lines.append("")
    lines.append(_PRECISION + ("precision:" if of.precision else "precision: {}"))
    for id_, p in sorted(of.precision.items()):
        counts = f"programs: {p.programs}, captures: {p.captures}"
        lines.append(f"  {id_}: {{value: {p.value:g}, lower: {p.lower:g}, {counts}}}")
    return "\n".join(lines) + "\n"


# Commands ---------------------------------------------------------------------------------------------


def tell(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def score_command(args: argparse.Namespace) -> None:
    results, _ = score(
        args.captures, args.jobs, args.program or (), args.go or (), WHOLE if args.whole else tuple(WAYS)
    )
    save(results, args.out)
    tell(f"{args.out}: {args.out.stat().st_size:,} bytes")


def fit_command(args: argparse.Namespace) -> None:
    results, fit = score(args.captures, args.jobs)
    save(results)
    found = fit.likelihoods(precision=precisions(results))
    before, after = (fit.loss_of(of) for of in (load_kb(rules=False).likelihoods, found))
    tell(f"log loss over all families {after:.5f}, with the weights that were there {before:.5f}")
    if after > WORSE * before and not args.force:
        raise LabError("the weights that are there are better and stay; --force writes the new ones")
    scored = [c for c in results["cells"] if not c["apart"] and not c["blind"]]
    text = likelihoods_text(found, recordings=len(scored), families=len({c["family"] for c in scored}))
    LIKELIHOODS.write_text(text, encoding="utf-8")
    tell(f"{LIKELIHOODS.relative_to(ROOT)} is written")


def misses_command(args: argparse.Namespace) -> None:
    results = load(args.out)
    for case in results["said"]:
        index, way, outcome, can, findings, errors = case
        cell = results["cells"][index]
        likely = {f[0] for f in findings if f[1] >= LIKELY}
        wrong = likely - set(cell["bugs"]) - set(cell["arguable"])
        lacking = set(can) - likely
        places = [f for f in findings if f[0] in cell["bugs"] and f[1] >= LIKELY and f[2] != "right"]
        if cell["apart"] or not (wrong or lacking or places or errors):
            continue
        what = [f"false {' '.join(sorted(wrong))}"] if wrong else []
        what += [f"missed {' '.join(sorted(lacking))}"] if lacking else []
        what += [f"place {f[0]} {f[2]}" for f in places] + [f"error {e}" for e in errors]
        print(
            f"{results['ways'][way]}: {cell['program']} go{cell['go']} p{cell['gomaxprocs']} {cell['load']}: "
            f"{'; '.join(what)} | {outcome} {findings}"
        )


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="score.py", description="Scores gopherdx on the lab's recordings.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, do, said in (
        ("score", score_command, "write tests/lab/results.json.gz"),
        ("fit", fit_command, "write likelihoods.yaml, and the results"),
        ("misses", misses_command, "show what is not right in the results"),
    ):
        command = commands.add_parser(name, help=said)
        if do is not misses_command:
            command.add_argument("--captures", type=Path, default=WORK / "captures", metavar="DIR")
            command.add_argument("--jobs", type=int, default=2, metavar="N", help="processes that read")
        if do is not fit_command:
            command.add_argument("--out", type=Path, default=RESULTS, metavar="FILE", help="the results")
        if do is fit_command:
            command.add_argument("--force", action="store_true", help="write weights that are worse, too")
        if do is score_command:
            command.add_argument("--program", action="append", metavar="P", help="only these programs")
            command.add_argument("--go", action="append", metavar="V", help="only these Go versions")
            command.add_argument("--whole", action="store_true", help="only whole captures")
        command.set_defaults(do=do)
    return parser


def main() -> int:
    args = arguments().parse_args()
    try:
        args.do(args)
    except LabError as error:
        print(f"score: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
