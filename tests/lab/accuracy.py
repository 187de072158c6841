"""Writes docs/accuracy.md and its plot from tests/lab/results.json.gz: `make accuracy`.

The results are what score.py found in each recording with the family under test left out of the fit; no
recording is needed to write the page anew. What was said of real services is in services.json, where they
were recorded. A test holds the page to both.
"""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from gopherdx.model import LIKELY
from tests.lab import services_page
from tests.lab.labels import ROOT, programs
from tests.lab.score import SURE, Json, load
from tests.lab.seen import BETTER, WHOLE
from tests.lab.statistic import RIDGES, bootstrap, wilson

PAGE = ROOT / "docs" / "accuracy.md"
PLOT = ROOT / "docs" / "reliability.svg"
EDGES = (0.0, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 1.0)


@dataclass(frozen=True)
class Case:
    """One recording in one way of giving its artifacts, and what was said of it.

    ``can`` are its bugs that these artifacts let one judge; ``found`` the findings by id, with confidence
    and whether the place is right, the surest first.
    """

    cell: Mapping[str, Any]
    way: str
    outcome: str
    can: tuple[str, ...]
    found: Mapping[str, tuple[float, str]]

    @property
    def likely(self) -> tuple[str, ...]:
        """The ids of its likely findings, the surest first."""
        return tuple(id_ for id_, (confidence, _) in self.found.items() if confidence >= LIKELY)

    @property
    def false(self) -> tuple[str, ...]:
        """Likely findings that are no bug of the program."""
        right = {*self.cell["bugs"], *self.cell["arguable"]}
        return tuple(id_ for id_ in self.likely if id_ not in right)

    @property
    def first_right(self) -> bool:
        """Whether the first finding is likely, and a bug that the program has."""
        first = next(iter(self.found), None)
        return first in self.likely and first in self.cell["bugs"]


def cases(results: Json) -> list[Case]:
    """All cases of scored recordings."""
    out = []
    for index, way, outcome, can, findings, _ in results["said"]:
        cell = results["cells"][index]
        found: dict[str, tuple[float, str]] = {}
        for id_, confidence, place in findings:
            found.setdefault(id_, (confidence, place))
        if not cell["apart"]:
            out.append(Case(cell, results["ways"][way], outcome, tuple(can), found))
    return out


# Figures ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Share:
    """So many of so many."""

    part: int
    of: int

    def __str__(self) -> str:
        return f"{self.part} of {self.of} ({self.part / self.of:.1%})" if self.of else "none"


def share(cases: Iterable[Case], holds: Callable[[Case], bool]) -> Share:
    """Of how many cases it holds."""
    told = [holds(case) for case in cases]
    return Share(sum(told), len(told))


def precision(cases: Sequence[Case], least: float) -> tuple[float, float, int, int]:
    """Of findings at ``least`` or more: the mean over families of the share that is right, its lower Wilson
    bound, families, and findings."""
    of: dict[str, list[float]] = {}
    for case in cases:
        for id_, (confidence, _) in case.found.items():
            if confidence >= least and id_ not in case.cell["arguable"]:
                of.setdefault(case.cell["family"], []).append(float(id_ in case.cell["bugs"]))
    right = math.fsum(math.fsum(v) / len(v) for v in of.values())
    n = len(of)
    return (right / n if n else 0.0), wilson(right, n)[0], n, sum(len(v) for v in of.values())


@dataclass(frozen=True)
class Reliability:
    """For each bin of confidence: how many beliefs, their mean, how many were true, and an interval of that.

    Every family weighs the same; the interval (95 %) is from a bootstrap over families.
    """

    beliefs: NDArray[np.float64]
    believed: NDArray[np.float64]
    true: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def reliability(results: Json) -> Reliability:
    """What was believed in whole captures against what was true, for each bin of ``EDGES``."""
    of: dict[str, NDArray[np.float64]] = {}
    ids = list(results["archetypes"])
    counts = np.zeros(len(EDGES) - 1)
    rows: dict[str, list[tuple[int, float, bool]]] = {}
    for index, _, believed in results["believed"]:
        cell = results["cells"][index]
        if cell["apart"] or cell["blind"]:
            continue
        for id_, p in zip(ids, believed, strict=True):
            if p is not None:
                at = min(int(np.searchsorted(EDGES, p, side="right")) - 1, len(counts) - 1)
                counts[at] += 1
                rows.setdefault(cell["family"], []).append((at, p, id_ in cell["bugs"]))
    for family, told in rows.items():
        sums = np.zeros((3, len(counts)))
        for at, p, bug in told:
            sums[:, at] += np.array([1.0, p, float(bug)]) / len(told)
        of[family] = sums
    with np.errstate(invalid="ignore", divide="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of bins that hold nothing
        total = sum(of.values(), np.zeros((3, len(counts))))
        low, high = bootstrap(of, lambda sums: sums[2] / sums[0])
        return Reliability(counts, total[1] / total[0], total[2] / total[0], low, high)


# The page ---------------------------------------------------------------------------------------------


def page(results: Json, services: Sequence[services_page.Recording] = ()) -> str:
    """docs/accuracy.md, from what was found in the lab and what was said of real services."""
    every = cases(results)
    seen = [case for case in every if not case.cell["blind"]]
    parts = [
        _intro(results, every),
        _short(results, seen, [case for case in every if case.cell["blind"]]),
        _by_archetype(results, seen),
        _by_artifact(results, seen),
        _by_run(seen),
        _families(seen),
        _silent(results, every),
        _blind(results, [case for case in every if case.cell["blind"]]),
        _wrong(every),
        services_page.section(services),
        _calibration(results),
        _apart(results),
        _weights(results),
    ]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _whole(cases: Iterable[Case]) -> list[Case]:
    return [case for case in cases if case.way in WHOLE]


def _bugs(cases: Iterable[Case]) -> list[Case]:
    return [case for case in cases if case.cell["bugs"]]


def _quiet(cases: Iterable[Case]) -> list[Case]:
    return [case for case in cases if not case.cell["bugs"]]


def _intro(results: Json, every: Sequence[Case]) -> str:
    cells = results["cells"]
    names, families = ({c[k] for c in cells} for k in ("program", "family"))
    versions = ", ".join(sorted({c["go"].rpartition(".")[0] for c in cells}, key=_version))
    procs = sorted({c["gomaxprocs"] for c in cells})
    return f"""\
# How accurate it is

Written by `make accuracy` from `tests/lab/results.json.gz`; `make lab fit` makes that anew from recordings.
Real services, under [their own head](#real-services), are from `tests/lab/services.json` and `make services`.

{len(cells):,} recordings of {len(names)} programs in {len(families)} families: Go {versions};
GOMAXPROCS {", ".join(map(str, procs))}; at least two loads of each program. `tests/lab/matrix.py` says which
combinations are recorded. From each recording come two whole captures (every artifact with a trace without
CPU samples, and with one with them), and every artifact alone: {len(every):,} diagnoses in all. What is
answered for recordings that strangers published, and whether it is right, is in [realworld.md](realworld.md).

- A *family* is a bug, its fix and everything recorded of either. A variant with a source of its own is a
  family of its own. Where a family is scored, nothing of it was in the fit of the weights: neither
  likelihoods nor temperature. Thresholds are another matter: they were set with these programs in view. The
  programs that were written without a view of the rules stand apart, under [Written blind](#written-blind).
- What is true is measured: a bug is scored where the program's own figure (rate, latency, memory) is at least
  {BETTER - 1:.0%} better with the fix, recorded one right after the other. Where it is not, both are listed
  [apart](#not-scored).
- *Right* means that the first finding is likely (0.5 or more) and is a bug that the program has. A *false
  finding* is a likely finding that is none. A symptom that another finding explains is no finding.
- Neither right nor wrong is what a program does to some degree besides, or what costs nothing at that
  GOMAXPROCS. `tests/lab/labels.yaml` has the reasons; that is
  {_arguable()}."""


def _arguable() -> str:
    """Findings that are neither right nor wrong, by archetype, with their programs."""
    named = sorted((id_, program.name) for program in programs().values() for id_ in program.arguable)
    return ", ".join(f"{id_} in {name}" for id_, name in named)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


def _short(results: Json, seen: Sequence[Case], blind: Sequence[Case]) -> str:
    whole = _whole(seen)
    bugs, quiet = _bugs(whole), _quiet(whole)
    families = _by(bugs, "family")
    halves = [f for f, told in families.items() if share(told, lambda c: c.first_right).part * 2 < len(told)]
    value, lower, n, findings = precision(whole, SURE)
    loss = results["log_loss"]
    placed = [(c, id_) for c in bugs for id_ in c.can if id_ in c.likely]
    right = Share(sum(c.found[id_][1] == "right" for c, id_ in placed), len(placed))
    ridges = ", ".join(f"{r:g}" for r in RIDGES)
    both, both_lower, both_n, _ = precision([*whole, *_whole(blind)], SURE)
    rows = [
        ("Bug captures whose first finding is right", share(bugs, lambda c: c.first_right)),
        ("Families right in less than half of their captures", ", ".join(halves) or "none"),
        ("Bugs found at the right function, of those found", right),
        (
            "Captures of fixes, healthy programs and near-misses with a likely finding",
            share(quiet, lambda c: bool(c.likely) and bool(c.false)),
        ),
        ("Bug captures with a false finding beside", share(bugs, lambda c: bool(c.false))),
        (
            f"Findings at {SURE} or more that are right, mean of {n} families",
            f"{value:.1%}, lower Wilson bound {lower:.3f} ({findings:,} findings)",
        ),
        (f"the same with families written blind ({both_n})", f"{both:.1%}, at least {both_lower:.3f}"),
        ("Log loss, nats a belief", f"{loss['grades']:.4f}"),
        ("Log loss of what the grades were meant to say, nothing counted", f"{loss['by hand']:.4f}"),
        ("Log loss of a constant", f"{loss['constant']:.4f}"),
        (
            f"Log loss of one weight for each piece of evidence (best of the ridges {ridges})",
            f"{loss['weight for each piece']:.4f}",
        ),
    ]
    return "## In short\n\nWhole captures, family left out.\n\n" + _table(("", ""), rows)


def _by_archetype(results: Json, seen: Sequence[Case]) -> str:
    whole = _whole(seen)
    rows = []
    for id_, title in results["archetypes"].items():
        mine = [c for c in whole if id_ in c.cell["bugs"]]
        found = [c for c in mine if id_ in c.likely]
        placed = Share(sum(c.found[id_][1] == "right" for c in found), len(found))
        of = [_only(c, id_) for c in whole if id_ in c.likely]
        value, lower, n, _ = precision(of, LIKELY)
        others = [c for c in whole if id_ not in c.cell["bugs"]]
        rows.append(
            (
                id_,
                title,
                len({c.cell["family"] for c in mine}),
                share(mine, lambda c, id_=id_: id_ in c.likely),  # type: ignore[misc]
                placed,
                f"{sum(id_ in c.false for c in others)} of {len(others):,}",
                f"{value:.1%}, at least {lower:.2f} ({n})" if n else "-",
            )
        )
    head = ("", "bug", "families", "found", "at the right function", "false findings", "precision by family")
    return (
        "## By archetype\n\nWhole captures. Precision is the mean over families in which "
        "there is a likely finding, "
        "with its lower Wilson bound and the number of these families: with three "
        "families no bound can be high.\n\n" + _table(head, rows)
    )


def _only(case: Case, id_: str) -> Case:
    return Case(case.cell, case.way, case.outcome, case.can, {id_: case.found[id_]})


def _by_artifact(results: Json, seen: Sequence[Case]) -> str:
    ids = list(results["archetypes"])
    rows = []
    for way in results["ways"]:
        mine = [c for c in seen if c.way == way]
        row: list[object] = [way]
        for id_ in ids:
            told = [c for c in mine if id_ in c.can]
            hit = sum(id_ in c.likely for c in told)
            row.append(f"{hit}/{len(told)}" if told else "-")
        false = sum(bool(c.false) for c in mine)
        rows.append((*row, f"{false}/{len(mine)}"))
    return (
        "## By artifact\n\nOf the bug captures that an artifact by itself lets one "
        "judge, how many have the bug as a "
        "likely finding; -: this artifact cannot show it. The last column: captures with a false finding.\n\n"
        + _table(("artifacts", *ids, "false"), rows)
    )


def _by_run(seen: Sequence[Case]) -> str:
    whole = _whole(seen)
    parts = []
    for title, key, order in (
        ("Go", lambda c: c.cell["go"].rpartition(".")[0], _version),
        ("GOMAXPROCS", lambda c: str(c.cell["gomaxprocs"]), _version),
        ("capture", lambda c: c.way, str),
    ):
        groups: dict[str, list[Case]] = {}
        for case in whole:
            groups.setdefault(key(case), []).append(case)
        rows = [
            (
                name,
                share(_bugs(groups[name]), lambda c: c.first_right),
                share(_quiet(groups[name]), lambda c: bool(c.false)),
                share(_bugs(groups[name]), lambda c: bool(c.false)),
            )
            for name in sorted(groups, key=order)
        ]
        head = (title, "first finding right", "false findings without a bug", "false findings beside a bug")
        parts.append(_table(head, rows))
    return "## By Go version, GOMAXPROCS and samples\n\nWhole captures.\n\n" + "\n\n".join(parts)


def _families(seen: Sequence[Case]) -> str:
    rows = []
    for family, told in sorted(_by(_bugs(_whole(seen)), "family").items()):
        bugs = sorted({id_ for c in told for id_ in c.cell["bugs"]})
        every = share(told, lambda c: set(c.cell["bugs"]) <= set(c.likely))
        first = share(told, lambda c: c.first_right)
        better = [c.cell["better"] for c in told if c.cell["better"] is not None]
        gain = _times(better) if better else "-"
        rows.append((family, " ".join(bugs), first, every, gain))
    head = ("family", "bugs", "first finding right", "every bug found", "better with the fix (median)")
    return "## Families\n\nWhole captures of the bug.\n\n" + _table(head, rows)


def _times(better: Sequence[float]) -> str:
    median = float(np.median(better))
    return f"{median:.3g} x" if median < 1000 else "more than 1,000 x"


def _silent(results: Json, every: Sequence[Case]) -> str:
    believed: dict[tuple[str, str], float] = {}
    ids = list(results["archetypes"])
    for index, _, told in results["believed"]:
        cell = results["cells"][index]
        for id_, p in zip(ids, told, strict=True):
            if p is not None and not cell["apart"]:
                key = (cell["program"], id_)
                believed[key] = max(believed.get(key, 0.0), p)
    rows = []
    for program, told in sorted(_by(_quiet(_whole(every)), "program").items()):
        cell = told[0].cell
        if cell["role"] in ("bug", "fix") and not cell["near"]:
            continue
        near = ", ".join(f"{id_} {believed.get((program, id_), 0):.2f}" for id_ in cell["near"])
        false = share(told, lambda c: bool(c.false))
        outcomes = sorted({c.outcome for c in told})
        name = f"{program} (blind)" if cell["blind"] else program
        rows.append((name, cell["role"], near or "-", false, ", ".join(outcomes)))
    fixes = [c for c in _quiet(_whole(every)) if c.cell["role"] == "fix"]
    gone = [c for c in _quiet(_whole(every)) if c.cell["role"] == "bug"]
    head = ("program", "", "resembles, and the most that was believed of it", "false findings", "outcomes")
    return (
        "## Programs without a bug\n\n"
        f"Fixes: false findings in {share(fixes, lambda c: bool(c.false))}. Bugs built "
        "with a Go version that does not "
        f"have them: {share(gone, lambda c: bool(c.false))}. Programs that are healthy, "
        "or resemble a bug and are none "
        "(whole captures):\n\n" + _table(head, rows)
    )


def _blind(results: Json, blind: Sequence[Case]) -> str:
    whole = _whole(blind)
    rows = []
    for family, told in sorted(_by(whole, "family").items()):
        bugs, quiet = _bugs(told), _quiet(told)
        ids = sorted({id_ for c in bugs for id_ in c.cell["bugs"]})
        rows.append(
            (
                family,
                " ".join(ids) or "-",
                share(bugs, lambda c: c.first_right),
                share([*bugs, *quiet], lambda c: bool(c.false)),
            )
        )
    bugs, quiet = _bugs(whole), _quiet(whole)
    covered = {id_ for c in bugs for id_ in c.cell["bugs"]}
    lacking = [id_ for id_ in results["archetypes"] if id_ not in covered]
    summed = (
        f"First finding right in {share(bugs, lambda c: c.first_right)} bug captures; false findings in "
        f"{share(whole, lambda c: bool(c.false))} captures."
        + (f" None of {', '.join(lacking)} yet." if lacking else "")
    )
    head = ("family", "bugs", "first finding right", "false findings")
    return (
        "## Written blind\n\nThese programs were written before the rules were, or by "
        "someone who had not read them. "
        "Where one of them showed a rule to be wrong, the rule was mended: this is how it is since. "
        f"They are in no fit and in no figure above. Whole captures. {summed}\n\n" + _table(head, rows)
    )


def _wrong(every: Sequence[Case]) -> str:
    lines: dict[str, list[str]] = {}
    for case in _whole(every):
        what = [f"{id_} missed" for id_ in case.can if id_ not in case.likely]
        what += [f"{id_} found, and is none" for id_ in case.false]
        places = [(id_, case.found[id_][1]) for id_ in case.likely if id_ in case.cell["bugs"]]
        what += [f"{id_} found, place {place}" for id_, place in places if place != "right"]
        for text in what:
            cell = case.cell
            key = f"{cell['program']}: {text}"
            lines.setdefault(key, []).append(
                f"go{cell['go'].rpartition('.')[0]} P{cell['gomaxprocs']}"
                + (" with samples" if case.way == WHOLE[1] else "")
            )
    if not lines:
        return "## What is not right\n\nNothing, in whole captures."
    rows = [(key, len(where), _some(where)) for key, where in sorted(lines.items())]
    return "## What is not right\n\nWhole captures.\n\n" + _table(("", "captures", "where"), rows)


def _some(where: Sequence[str]) -> str:
    names = sorted(set(where))
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")


def _calibration(results: Json) -> str:
    told = reliability(results)
    rows = [
        (
            f"{low:g} to {high:g}",
            f"{int(n):,}",
            f"{believed:.3f}",
            f"{true:.3f}",
            f"{least:.3f} to {most:.3f}",
        )
        for low, high, n, believed, true, least, most in zip(
            EDGES[:-1], EDGES[1:], told.beliefs, told.believed, told.true, told.low, told.high, strict=True
        )
        if n
    ]
    head = ("confidence", "beliefs", "mean", "true", "95 % of the bootstrap")
    return (
        "## Is a confidence of 0.9 right nine times in ten?\n\n"
        "Every archetype in every whole capture is one belief; every family weighs the "
        "same, and the bars are from a "
        "bootstrap over families.\n\n![Reliability](reliability.svg)\n\n" + _table(head, rows)
    )


def _apart(results: Json) -> str:
    apart = [c for c in results["cells"] if c["apart"]]
    rows = []
    for program in sorted({c["program"] for c in apart}):
        mine = [c for c in apart if c["program"] == program]
        all_ = sum(c["program"] == program for c in results["cells"])
        where = [f"go{c['go'].rpartition('.')[0]} P{c['gomaxprocs']}" for c in mine]
        worst = [c["better"] for c in mine if c["better"] is not None]
        why = (
            f"with the fix {min(worst):.2f} to {max(worst):.2f} times as good"
            if worst
            else "; ".join(sorted({c["apart"] for c in mine}))
        )
        rows.append((program, f"{len(mine)} of {all_}", why, _some(where)))
    said = (
        f"Recordings in which the program's own figure is not {BETTER - 1:.0%} better with the fix (the "
        "machine was shared; or with this GOMAXPROCS and load the bug costs next to nothing), of both alike:"
    )
    table = _table(("program", "recordings", "why", "where"), rows) if rows else "None."
    lines = ["## Not scored", "", said, "", table]
    if results["left_out"]:
        lines += ["", "Programs of which there is no recording, and recordings that cannot be read:", ""]
        lines += [f"- {name}: {why}" for name, why in sorted(results["left_out"].items())]
    return "\n".join(lines)


def _weights(results: Json) -> str:
    fit = results["fit"]
    rows = [
        (f"{'for' if side == 'supports' else 'against'}, {grade}", *fit[side][grade], _log(*fit[side][grade]))
        for side in ("supports", "against")
        for grade in fit[side]
    ]
    low, high = fit["temperature_range"]
    return (
        "## The weights\n\n"
        f"Prior {fit['prior']:g}, not fitted: how many of these programs hold a bug was "
        "decided by who wrote them, and "
        "says nothing of other people's programs. "
        f"Temperature {fit['temperature']:g} ({low:g} to {high:g} with one family left "
        f"out). What a grade is meant to say counts as {fit['smoothing']} families. A trial is one piece of "
        "evidence in one family (`tests/lab/fit.py`).\n\n"
        + _table(("evidence", "P(seen, bug)", "P(seen, not)", "log-odds seen, absent"), rows)
    )


def _log(bug: float, other: float) -> str:
    return f"{math.log(bug / other):+.2f}, {math.log((1 - bug) / (1 - other)):+.2f}"


def _by(cases: Iterable[Case], key: str) -> dict[str, list[Case]]:
    out: dict[str, list[Case]] = {}
    for case in cases:
        out.setdefault(case.cell[key], []).append(case)
    return out


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(str(value).replace('|', '/') for value in row)} |" for row in rows]
    return "\n".join(lines)


# The plot ---------------------------------------------------------------------------------------------


def plot(told: Reliability, file: Path) -> None:
    """The reliability plot as SVG; equal figures, equal bytes (of one version of matplotlib)."""
    import matplotlib as mpl

    mpl.use("svg")
    import matplotlib.pyplot as plt

    with mpl.rc_context({"svg.hashsalt": "reliability", "svg.fonttype": "none", "font.family": "sans-serif"}):
        figure, axes = plt.subplots(figsize=(5.2, 4.6), layout="constrained")
        there = told.beliefs > 0
        x, y = told.believed[there], told.true[there]
        bars = np.clip(np.stack([y - told.low[there], told.high[there] - y]), 0, None)
        axes.plot([0, 1], [0, 1], color="#999999", linewidth=1, linestyle="--")
        axes.errorbar(x, y, yerr=bars, fmt="o", color="#00768c", ecolor="#00768c", capsize=3)
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel="confidence", ylabel="share that is true")
        axes.set_aspect("equal")
        figure.savefig(file, metadata={"Date": None, "Creator": None})
        plt.close(figure)


def main() -> int:
    results = load()
    PAGE.write_text(page(results, services_page.load()), encoding="utf-8")
    plot(reliability(results), PLOT)
    print(f"{PAGE.relative_to(ROOT)} and {PLOT.relative_to(ROOT)} are written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
