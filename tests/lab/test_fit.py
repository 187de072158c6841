"""Counting evidence and scoring findings, on made-up recordings of which the answers are known."""

from __future__ import annotations

import math
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from gopherdx.kb import Likelihoods, load_kb, read_likelihoods
from gopherdx.model import Precision
from tests.lab import accuracy, fit, score, services_page, statistic
from tests.lab.fit import CLASSES, PRIOR, REFERENCE, Class, Piece, Row
from tests.lab.seen import WHOLE

DECISIVE: Class = ("supports", "decisive")
STRONG: Class = ("supports", "strong")
AGAINST: Class = ("against", "strong")
OF: dict[Piece, Class] = {("G1", "a"): DECISIVE, ("G1", "b"): STRONG, ("G1", "c"): AGAINST}


def row(family: str, bug: bool, seen: str, absent: str = "", n: int = 0, cap: float = 1.0) -> Row:
    """A row of archetype G1; each letter is a piece of evidence."""
    way = "whole, samples"
    return Row(family, f"{family}/{n}", way, "G1", bug, frozenset(seen), frozenset(absent), cap)


def shares(counted: fit.Counted, of: Class, bug: bool) -> dict[str, float]:
    return dict(counted.trials.get((of, bug), ()))


# Counting ---------------------------------------------------------------------------------------------


def test_thirty_recordings_of_one_program_are_one_trial() -> None:
    rows = [row("much", True, "a", n=n) for n in range(30)] + [row("little", True, "", "a")]
    counted = fit.count(rows, OF)
    assert shares(counted, DECISIVE, True) == {"much": 1.0, "little": 0.0}
    mean, families = 0.5, 2
    expected = (families * mean + 30 * 0.95) / (families + 30)
    assert counted.share(DECISIVE, True, 30) == pytest.approx(expected)


def test_what_could_not_be_seen_is_no_trial() -> None:
    counted = fit.count([row("x", True, "a"), row("y", True, "")], OF)
    assert shares(counted, DECISIVE, True) == {"x": 1.0}
    assert shares(counted, STRONG, True) == {}


def test_a_grade_that_was_never_tried_keeps_what_it_is_meant_to_say() -> None:
    counted = fit.count([], OF)
    for side, grade in CLASSES:
        meant = (REFERENCE.supports if side == "supports" else REFERENCE.against)[grade]
        assert counted.share((side, grade), True, 30) == pytest.approx(meant.bug)
        assert counted.share((side, grade), False, 30) == pytest.approx(meant.other)


def test_many_families_outweigh_what_a_grade_is_meant_to_say() -> None:
    rows = [row(f"f{n}", False, "a" if n % 4 == 0 else "", "" if n % 4 == 0 else "a") for n in range(4000)]
    assert fit.count(rows, OF).share(DECISIVE, False, 30) == pytest.approx(0.25, abs=0.003)


def test_evidence_against_is_counted_among_what_looks_like_the_bug() -> None:
    rows = [row("alike", False, "bc", "a"), row("other", False, "c", "ab")]
    assert shares(fit.count(rows, OF), AGAINST, False) == {"alike": 1.0}


def test_a_family_that_is_left_out_leaves_no_trace() -> None:
    rows = [row("x", True, "ab"), row("y", True, "", "ab"), row("z", False, "", "ab")]
    without = fit.count(rows, OF).share(DECISIVE, True, 30, frozenset({"y"}))
    assert without == fit.count([r for r in rows if r.family != "y"], OF).share(DECISIVE, True, 30)


def test_evidence_never_speaks_for_the_other_side_and_higher_grades_never_say_less() -> None:
    # Seen in every program without the bug and in none with it: as evidence for the bug it is worthless.
    rows = [
        row(f"f{n}", n % 2 == 0, "" if n % 2 == 0 else "a", "a" if n % 2 == 0 else "") for n in range(400)
    ]
    found = fit.weights(fit.count(rows, OF), 30)
    for side in ("supports", "against"):
        logs = [math.log(found[side, g].bug / found[side, g].other) for g in fit.GRADES]
        assert all(x >= 0 for x in logs) if side == "supports" else all(x <= 0 for x in logs)
        assert sorted(map(abs, logs), reverse=True) == [abs(x) for x in logs]


# Temperature and log loss -----------------------------------------------------------------------------


def test_log_loss_of_a_coin_is_log_two_and_of_certainty_nothing() -> None:
    bug, weight = np.array([True, False]), np.ones(2)
    assert fit.log_loss(np.array([0.5, 0.5]), bug, weight) == pytest.approx(math.log(2))
    assert fit.log_loss(np.array([1.0, 0.0]), bug, weight) == pytest.approx(0, abs=2e-4)


def test_a_family_weighs_the_same_however_often_it_was_recorded() -> None:
    table = fit.table([row("much", True, "a", n=n) for n in range(9)] + [row("little", False, "a")], OF)
    assert table.weight[:9].sum() == pytest.approx(0.5)


def test_sums_are_prior_and_log_odds() -> None:
    table = fit.table([row("x", True, "a", "b"), row("y", False, "c")], OF)
    found = fit.weights(fit.count([], OF), 30)
    prior = math.log(PRIOR / (1 - PRIOR))
    expected = [prior + math.log(0.95 / 0.01) + math.log(0.15 / 0.9), prior + math.log(0.03 / 0.25)]
    assert fit.sums(table, found) == pytest.approx(expected)


def test_temperature_rises_where_sums_are_too_sure_of_themselves() -> None:
    sure_and_right = [row(f"r{n}", True, "ab") for n in range(50)]
    sure_and_wrong = [row(f"w{n}", False, "ab") for n in range(50)]
    table = fit.table(sure_and_right + sure_and_wrong, OF)
    logits = np.full(100, 4.0)
    assert fit.temperature(table, logits)[0] == pytest.approx(5.0, abs=0.01)  # no evidence is worth anything
    # One of five wrong: the best belief is 0.8, log-odds of 1.386.
    table = fit.table(sure_and_right[:40] + sure_and_wrong[:10], OF)
    assert fit.temperature(table, logits[:50])[0] == pytest.approx(4.0 / math.log(4), abs=0.02)


def test_temperature_never_makes_sums_surer() -> None:
    table = fit.table([row(f"r{n}", True, "ab") for n in range(20)], OF)
    assert fit.temperature(table, np.full(20, 1.0))[0] == 1.0


def test_temperature_is_one_where_few_families_would_gain_by_another() -> None:
    """Of ten, one is wrong: what a higher one gains there is less than its standard error."""
    table = fit.table([row(f"r{n}", True, "ab") for n in range(9)] + [row("w", False, "ab")], OF)
    logits = np.full(10, 3.0)
    best = fit._least(
        lambda t: fit.log_loss(1 / (1 + np.exp(-logits / t)), table.bug, table.weight), 1.0, 5.0
    )
    assert best == pytest.approx(3.0 / math.log(9), abs=0.02)
    assert fit.temperature(table, logits)[0] == 1.0


def test_the_cap_holds_whatever_was_seen() -> None:
    table = fit.table([row(f"w{n}", False, "ab", cap=0.25) for n in range(20)], OF)
    assert fit.temperature(table, np.full(20, 4.0))[0] == 1.0


def test_the_loss_of_weights_is_that_of_what_is_believed_with_them() -> None:
    made = fit.Fit.__new__(fit.Fit)
    made.whole = fit.table([row("x", True, "a"), row("y", False, "", "a", cap=0.25)], OF)
    prior = math.log(PRIOR / (1 - PRIOR))
    beliefs = [1 / (1 + math.exp(-prior - w)) for w in (math.log(0.95 / 0.01), math.log(0.05 / 0.99))]
    expected = -(math.log(beliefs[0]) + math.log(1 - beliefs[1])) / 2
    assert made.loss_of(REFERENCE) == pytest.approx(expected)


def test_what_is_counted_weighs_more_where_left_out_families_bear_it_out() -> None:
    """Supporting evidence that tells as much as any is believed; one that tells nothing is not."""
    of: dict[Piece, Class] = {("G1", "a"): ("supports", "supporting")}

    def smoothing(tells: bool) -> int:
        rows = [
            row(f"b{n}", True, "a" if tells or n % 2 else "", "" if tells or n % 2 else "a")
            for n in range(60)
        ]
        rows += [
            row(f"o{n}", False, "", "a") if tells or n % 2 else row(f"o{n}", False, "a") for n in range(90)
        ]
        made = fit.Fit.__new__(fit.Fit)
        made.counted, made.whole = fit.count(rows, of), fit.table(rows, of)
        return made.smoothing_and_temperature()[0]

    assert smoothing(tells=True) == min(fit.SMOOTHING)


# Statistics -------------------------------------------------------------------------------------------


def test_wilson_is_that_of_the_textbook() -> None:
    assert statistic.wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)  # Newcombe 1998, table I
    assert statistic.wilson(1, 29) == pytest.approx((0.0061, 0.1718), abs=1e-4)
    assert statistic.wilson(0, 0) == (0.0, 1.0)


def test_mean_by_family_does_not_count_recordings() -> None:
    told = [("much", 1.0)] * 9 + [("little", 0.0)]
    assert statistic.mean_by_family(told) == (0.5, 2)


def test_bootstrap_draws_families() -> None:
    same = {f"f{n}": np.array([1.0, 0.25]) for n in range(10)}
    low, high = statistic.bootstrap(same, lambda s: s[1:] / s[0])
    assert low == pytest.approx([0.25])
    assert high == pytest.approx([0.25])
    half = {f"f{n}": np.array([1.0, float(n % 2)]) for n in range(40)}
    low, high = statistic.bootstrap(half, lambda s: s[1:] / s[0])
    # The binomial's: 0.5 plus or minus 1.96 * sqrt(0.25 / 40).
    assert low[0] == pytest.approx(0.345, abs=0.035)
    assert high[0] == pytest.approx(0.655, abs=0.035)


def test_a_constant_is_the_share_in_other_families() -> None:
    rows = [row("x", True, "a"), row("y", False, ""), row("z", False, "")]
    # Left out x: 0 of two (clipped); left out y or z: one of two.
    expected = (-math.log(1e-4) - 2 * math.log(0.5)) / 3
    assert statistic.loss_of_constant(rows) == pytest.approx(expected)


def test_one_weight_for_each_piece_finds_the_piece_that_tells() -> None:
    rows = [
        row(f"f{n}", n % 2 == 0, "a" if n % 2 == 0 else "", "b" if n % 2 == 0 else "ab") for n in range(40)
    ]
    assert statistic.loss_of_weight_each(rows) < 0.05
    noise = [row(f"f{n}", n % 2 == 0, "b" if n % 4 < 2 else "", "" if n % 4 < 2 else "b") for n in range(40)]
    assert statistic.loss_of_weight_each(noise) > math.log(2)  # nothing is to be learned of other families


# Results ----------------------------------------------------------------------------------------------


def cell(program: str, bugs: list[str], **more: Any) -> dict[str, Any]:
    told: dict[str, Any] = {
        "program": program, "family": program.removesuffix("-fix"), "role": "bug" if bugs else "healthy",
        "blind": False, "near": [], "bugs": bugs, "arguable": [], "go": "1.26.6", "gomaxprocs": 2,
        "load": {}, "better": None, "apart": "",
    }  # fmt: skip
    return told | more


def results() -> dict[str, Any]:
    """Three families with G1: found, found and a false one beside, missed. One healthy with a false one."""
    cells = [
        cell("found", ["G1"], better=5.0),
        cell("beside", ["G1"]),
        cell("missed", ["G1"]),
        cell("healthy", []),
        cell("apart", ["G1"], apart="its figure is 1.00 times as good with the fix", better=1.0),
        cell("blind", ["G1"], blind=True),
    ]
    said = [
        [0, 0, "diagnosed", ["G1"], [["G1", 0.95, "right"]], []],
        [1, 0, "diagnosed", ["G1"], [["G1", 0.9, "wrong: main.f"], ["G2", 0.6, "main.g"]], []],
        [2, 0, "healthy", ["G1"], [], []],
        [3, 0, "diagnosed", [], [["G2", 0.85, "main.h"]], []],
        [4, 0, "healthy", ["G1"], [], []],
        [5, 0, "diagnosed", ["G1"], [["G1", 0.99, "right"]], []],
    ]
    believed = [
        [0, 0, [0.95, 0.0]], [1, 0, [0.9, 0.6]], [2, 0, [0.04, 0.0]], [3, 0, [0.0, 0.85]],
        [4, 0, [0.9, 0.9]], [5, 0, [0.99, 0.0]],
    ]  # fmt: skip
    weights = {g: [0.9, 0.1] for g in fit.GRADES}
    return {
        "archetypes": {"G1": "one", "G2": "two"},
        "ways": [*WHOLE],
        "cells": cells,
        "said": said,
        "believed": believed,
        "left_out": {"elsewhere": "there is no C compiler (gcc)"},
        "log_loss": {"grades": 0.1, "by hand": 0.15, "constant": 0.3, "weight for each piece": 0.2},
        "fit": {
            "prior": 0.02, "temperature": 1.1, "temperature_range": [1.0, 1.2], "smoothing": 30,
            "supports": weights, "against": {g: [0.1, 0.3] for g in fit.GRADES},
        },
    }  # fmt: skip


def test_a_recording_that_is_apart_or_blind_is_in_no_figure_of_the_rest() -> None:
    told = [c for c in accuracy.cases(results()) if not c.cell["blind"]]
    assert [c.cell["program"] for c in told] == ["found", "beside", "missed", "healthy"]
    bugs = [c for c in told if c.cell["bugs"]]
    assert accuracy.share(bugs, lambda c: c.first_right) == accuracy.Share(2, 3)
    assert accuracy.share(told, lambda c: bool(c.false)) == accuracy.Share(2, 4)


def test_precision_is_of_families() -> None:
    told = [c for c in accuracy.cases(results()) if not c.cell["blind"]]
    value, lower, families, findings = accuracy.precision(told, 0.8)
    assert value == pytest.approx(2 / 3)
    assert (families, findings) == (3, 3)
    assert lower == pytest.approx(statistic.wilson(2, 3)[0])
    told_of = score.precisions(results())
    assert told_of["G1"] == Precision(1.0, round(statistic.wilson(3, 3)[0], 3), 3, 3)
    assert told_of["G2"].value == 0


def test_reliability_compares_what_was_believed_with_what_was_true() -> None:
    told = accuracy.reliability(results())
    by_bin = dict(zip(accuracy.EDGES[:-1], zip(told.beliefs, told.true, strict=True), strict=True))
    assert by_bin[0.8] == (2, pytest.approx(0.5))  # 0.9 of beside is true, 0.85 of healthy is not
    assert by_bin[0.5] == (1, 0)
    assert by_bin[0.95] == (1, 1)
    assert told.beliefs.sum() == 8


def test_the_page_lists_what_is_wrong_apart_and_missing() -> None:
    text = accuracy.page(results())
    for line in (
        "| Bug captures whose first finding is right | 2 of 3 (66.7%) |",
        "| Families right in less than half of their captures | missed |",
        "| Bugs found at the right function, of those found | 1 of 2 (50.0%) |",
        "| missed: G1 missed | 1 | go1.26 P2 |",
        "| healthy: G2 found, and is none | 1 | go1.26 P2 |",
        "| beside: G1 found, place wrong: main.f | 1 | go1.26 P2 |",
        "| apart | 1 of 1 | with the fix 1.00 to 1.00 times as good | go1.26 P2 |",
        "| blind | G1 | 1 of 1 (100.0%) | 0 of 1 (0.0%) |",
        "- elsewhere: there is no C compiler (gcc)",
    ):
        assert line in text, line


def test_results_are_the_same_bytes_each_time(tmp_path: Path) -> None:
    for name in ("one", "two"):
        score.save(results(), tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert score.load(tmp_path / "one") == results()


def test_likelihoods_are_written_as_they_are_read(tmp_path: Path) -> None:
    precision = {"G101": Precision(0.98, 0.72, 5, 160)}
    of = Likelihoods(0.02, 1.25, REFERENCE.supports, REFERENCE.against, MappingProxyType(precision))
    file = tmp_path / "likelihoods.yaml"
    file.write_text(score.likelihoods_text(of, recordings=1200, families=70), encoding="utf-8")
    assert read_likelihoods(file) == of
    assert max(map(len, file.read_text(encoding="utf-8").splitlines())) <= 110


# The page that is shipped -----------------------------------------------------------------------------


@pytest.mark.skipif(not score.RESULTS.exists(), reason="no results are written yet")
def test_the_page_agrees_with_the_results() -> None:
    assert accuracy.PAGE.read_text(encoding="utf-8") == accuracy.page(score.load(), services_page.load())
    assert accuracy.PLOT.read_text(encoding="utf-8").startswith("<?xml")


@pytest.mark.skipif(not score.RESULTS.exists(), reason="no results are written yet")
def test_the_weights_are_those_of_the_results() -> None:
    told, used = score.load()["fit"], load_kb(rules=False).likelihoods
    assert used.prior == told["prior"]
    assert used.temperature == told["temperature"]
    for side, table in (("supports", used.supports), ("against", used.against)):
        assert {g: [table[g].bug, table[g].other] for g in fit.GRADES} == told[side]
