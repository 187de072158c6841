"""The report for a terminal: cause and place first, values with units, no recording in control of it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gopherdx.model import Diagnosis, Evidence, Fix, Gain, Input, Location, NotJudged, RuledOut, Source
from gopherdx.report.numbers import quantity
from gopherdx.report.safe import safe
from gopherdx.report.text import actual, expected, render
from tests.conftest import MakeDiagnosis, MakeFinding

HOSTILE = "main.\x1b[31mf\x1b]8;;http://x\x07\r\n[red]g[/red]\u202eevil\x9b2J"


def test_the_first_sentence_names_the_cause_and_the_place(make_diagnosis: MakeDiagnosis) -> None:
    first = " ".join(render(make_diagnosis()).split("\n")[:2])
    assert "example.com/shop/prices.(*Cache).Quote does its work while it holds a lock" in first


def test_a_place_that_the_summary_leaves_out_is_said_in_front(
    make_diagnosis: MakeDiagnosis, make_finding: MakeFinding
) -> None:
    finding = make_finding(summary="Work is done under a lock.", location=Location("main.work"))
    assert render(make_diagnosis(findings=(finding,))).startswith("main.work: Work is done under a lock.\n")


def test_the_first_screen_holds_certainty_severity_place_cost_and_evidence(
    make_diagnosis: MakeDiagnosis,
) -> None:
    screen = "\n".join(render(make_diagnosis()).split("\n")[:24])
    for part in (
        "G101 mutex-serialized-work",
        "likely, confidence 0.97",
        "severity high",
        "/src/shop/prices/cache.go:57",
        "5.2 cores stand idle behind the lock",
        "87.4 %",
        "at least 40 %",
        "12.3 ms",
        "at least 1 ms",
        "sync.(*Mutex).Lock (state waiting, reason sync)",
    ):
        assert part in screen


def test_fix_code_stands_there_before_and_after(make_diagnosis: MakeDiagnosis) -> None:
    text = render(make_diagnosis())
    assert "Fix: compute outside the lock  (Go 1.18 or later)" in text
    assert "    defer c.mu.Unlock()" in text
    assert "        return q" in text  # indentation of Go survives
    assert text.index("  before\n") < text.index("  after\n")


def test_what_was_ruled_out_says_the_value_that_did_it(make_diagnosis: MakeDiagnosis) -> None:
    line = next(line for line in render(make_diagnosis()).split("\n") if "gc-thrash-small-heap" in line)
    assert line.strip() == (
        "G201 gc-thrash-small-heap  CPU time that the collector takes: 1.2 % (the bug shows at least 10 %)"
    )


def test_a_value_that_the_bug_has_too_is_said_to_be_one(make_diagnosis: MakeDiagnosis) -> None:
    """Else it reads as "ruled out: 12 per s (the bug shows at least 8 per s)"."""
    made = make_diagnosis()
    first = made.ruled_out[0]
    for value, shown in ((12.0, "as with the bug, but without what else it shows"), (7.9, "the bug shows")):
        item = replace(first.evidence[0], actual=value, expected="at least 8", unit="1/s")
        text = render(replace(made, ruled_out=(replace(first, evidence=(item,)), *made.ruled_out[1:])))
        assert f"per s ({shown}" in " ".join(text.split())


def test_what_was_not_judged_says_how_to_collect_it_once_for_all_that_lack_it(
    make_diagnosis: MakeDiagnosis,
) -> None:
    collect = "curl -o heap.pprof http://HOST/debug/pprof/heap"
    lacking = tuple(NotJudged(name, name, ("heap",), collect) for name in ("G301", "G206"))
    text = render(make_diagnosis(not_judged=lacking))
    assert "G206 G206, G301 G301: needs a heap profile\n    $ " + collect in text
    assert text.count(collect) == 1


def test_a_healthy_program_gets_one_line_and_the_overview(make_diagnosis: MakeDiagnosis) -> None:
    summary = "Healthy: none of the 11 archetypes that could be judged is there."
    lines = render(make_diagnosis(outcome="healthy", summary=summary, findings=())).split("\n")
    assert lines[:3] == [summary, "", "Overview"]


def test_several_findings_are_listed_before_the_first_is_told(
    make_diagnosis: MakeDiagnosis, make_finding: MakeFinding
) -> None:
    other = make_finding(location=Location("main.other"), summary="main.other computes under a lock.")
    text = render(make_diagnosis(findings=(make_finding(), other)))
    assert text.startswith("2 findings, the surest first:\n  1. ")
    assert "\n  2. main.other computes under a lock.\n" in text
    assert text.count("Fix: compute outside the lock") == 1  # the same fix is told once
    assert "Fix: as above" in text


def test_files_of_one_folder_are_listed_by_name(make_diagnosis: MakeDiagnosis) -> None:
    files = tuple(Input(f"run/{name}", "cpu", None, 2048, name == "b", ("odd",)) for name in "ab")
    text = render(make_diagnosis(inputs=files))
    read = "\nRead in run\n  a  (cpu, 2 KiB)\n    Warning: odd\n  b  (cpu, 2 KiB, cut off)\n"
    assert read in text


def test_a_source_that_all_evidence_shares_is_said_once(
    make_diagnosis: MakeDiagnosis, make_finding: MakeFinding
) -> None:
    source = Source("trace", "sync waits")
    evidence = tuple(Evidence(n, 1, "at least 1", "count", True, source, n) for n in ("one", "two"))
    text = render(make_diagnosis(findings=(make_finding(evidence=evidence),)))
    assert text.count("trace: sync waits") == 1
    assert "   read from trace: sync waits\n" in text


@pytest.mark.parametrize(
    ("confidence", "text"), [(0.97, "confidence 0.97"), (0.9999, "confidence over 0.99"), (1.0, "over 0.99")]
)
def test_confidence_is_never_certainty(
    confidence: float, text: str, make_diagnosis: MakeDiagnosis, make_finding: MakeFinding
) -> None:
    report = render(make_diagnosis(findings=(make_finding(confidence=confidence),)))
    assert text in report
    assert "1.00" not in report


@pytest.mark.parametrize(
    ("gain", "text"),
    [
        (Gain(1.8, 4.4, "x", "m"), "1.8 to 4.4 x expected"),
        (Gain(2.0, 2.0, "x", "m"), " 2 x expected"),
        (Gain(0.0005, 0.012, "s", "m"), "500 us to 12 ms expected"),
    ],
)
def test_gain_is_a_range(
    gain: Gain, text: str, make_diagnosis: MakeDiagnosis, make_finding: MakeFinding
) -> None:
    assert text in render(make_diagnosis(findings=(make_finding(gain=gain),)))


@pytest.mark.parametrize(
    ("go", "heading"),
    [
        (">=1.18", "Fix: t  (Go 1.18 or later)\n"),
        (">=1.0", "Fix: t\n"),
        ("", "Fix: t\n"),
        ("<1.23", "(Go <1.23)\n"),
    ],
)
def test_a_fix_says_which_go_it_needs(
    go: str, heading: str, make_diagnosis: MakeDiagnosis, make_finding: MakeFinding
) -> None:
    fix = Fix("t", "a", "b", go, "")
    assert heading in render(make_diagnosis(findings=(make_finding(fix=(fix,)),)))


def test_an_error_of_a_rule_is_shown(full_diagnosis: Diagnosis) -> None:
    assert "G402 rules.py: lookups:12: division by zero" in render(full_diagnosis)


def test_a_possible_finding_comes_without_its_fix(full_diagnosis: Diagnosis) -> None:
    text = render(full_diagnosis)
    assert "Possible, not proven" in text
    assert "possible, confidence 0.21" in text


@pytest.mark.parametrize("color", [False, True])
def test_hostile_names_are_shown_escaped(
    color: bool, make_diagnosis: MakeDiagnosis, make_finding: MakeFinding
) -> None:
    evidence = Evidence("e", HOSTILE, "at least 1", "count", True, Source("trace", HOSTILE), HOSTILE)
    finding = make_finding(summary=HOSTILE, location=Location(HOSTILE, HOSTILE, 1), evidence=(evidence,))
    diagnosis = make_diagnosis(
        findings=(finding,), ruled_out=(RuledOut("G1", HOSTILE, (evidence,)),), warnings=(HOSTILE,)
    )
    text = render(diagnosis, color=color, width=200)
    assert not re.search(r"[\x00-\x09\x0b-\x1a\x1c-\x1f\x7f-\x9f\u202e]", text)
    assert "\x1b]" not in text
    assert re.sub(r"\x1b\[[0-9;]*m", "", text).count("\x1b") == 0
    assert "[red]g[/red]" in text
    assert "\\x1b[31mf" in text
    if not color:
        assert "\x1b" not in text


@given(st.text())
def test_safe_text_holds_nothing_that_steers_a_terminal(text: str) -> None:
    shown = safe(text)
    assert shown.isprintable() or all(c.isprintable() or c == "\u3000" or c.isspace() for c in shown)
    assert "\x1b" not in shown
    assert "\n" not in shown


def test_the_same_diagnosis_gives_the_same_bytes_whatever_the_terminal(
    full_diagnosis: Diagnosis, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = render(full_diagnosis, color=True)
    for name, value in {"COLUMNS": "40", "TERM": "dumb", "NO_COLOR": "1", "FORCE_COLOR": "1"}.items():
        monkeypatch.setenv(name, value)
    assert render(full_diagnosis, color=True) == first


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_lines_keep_to_the_width_unless_a_command_is_longer(full_diagnosis: Diagnosis, width: int) -> None:
    for line in render(full_diagnosis, width=width).split("\n"):
        assert len(line) <= width or "$ curl" in line
        assert line == line.rstrip()


def test_colour_changes_nothing_but_colour(full_diagnosis: Diagnosis) -> None:
    plain = render(full_diagnosis)
    colored = re.sub(r"\x1b\[[0-9;]*m", "", render(full_diagnosis, color=True))
    assert [line.rstrip() for line in colored.split("\n")] == plain.split("\n")


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.874, "share", "87.4 %"),
        (0.0123, "s", "12.3 ms"),
        (61.0, "s", "61 s"),
        (1_500, "ns", "1.5 us"),
        (250, "ns", "250 ns"),
        (0, "s", "0 ns"),
        (1536, "bytes", "1.5 KiB"),
        (3 << 30, "bytes", "3 GiB"),
        (2048, "bytes/s", "2 KiB/s"),
        (41_230, "count", "41,230"),
        (1.1, "cores", "1.1 cores"),
        (285.7, "1/s", "286 per s"),
        (0.0194402, "share of CPU time", "1.94 % of CPU time"),
        (0.00001, "cores", "1.0e-05 cores"),
    ],
)
def test_numbers_are_written_with_their_unit(value: float, unit: str, text: str) -> None:
    assert quantity(value, unit) == text


def test_actual_and_expected_stand_in_the_same_unit() -> None:
    evidence = Evidence("w", 0.004, "below 0.001", "s", True, Source("trace"))
    assert (actual(evidence), expected(evidence)) == ("4 ms", "below 1 ms")


def test_of_what_a_share_is_said_once() -> None:
    evidence = Evidence("w", 0.4449, "at least 0.1", "share of CPU time", True, Source("trace"))
    assert (actual(evidence), expected(evidence)) == ("44.5 % of CPU time", "at least 10 %")


def test_a_value_that_was_not_seen_says_so() -> None:
    evidence = Evidence("w", None, "true", "", False, Source("trace"))
    assert (actual(evidence), expected(evidence)) == ("not seen", "yes")
