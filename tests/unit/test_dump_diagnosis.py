"""From dumps alone to a diagnosis: stuck senders are found as surely as a dump can tell, and no more is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gopherdx import Diagnosis, Finding, diagnose
from gopherdx.errors import UnreadableInput
from tests.support.dumps import LOCKS, READS, SENDS, SERVE, SERVED, WRITER, Call, counts, goroutine

SENDER = "example.com/shop/orders.(*Desk).settle"
SERVING: Call = ("example.com/shop/web.limited", "/src/shop/web/limit.go", 20)
CALLING: Call = ("example.com/shop/web.limited", "/src/shop/web/limit.go", 23)
ROUND_TRIP: Call = ("net/http.(*persistConn).roundTrip", "/go/src/net/http/transport.go", 2799)
HANDS_IN: Call = ("example.com/shop/orders.(*Desk).hand", "/src/shop/orders/desk.go", 41)
RECEIVES: Call = ("example.com/shop/jobs.(*Pool).work", "/src/shop/jobs/pool.go", 30)


def senders(ids: range, minutes: int = 0) -> str:
    return "".join(goroutine(i, "chan send", SENDS, minutes=minutes) for i in ids)


def dx(folder: Path, *texts: str) -> Diagnosis:
    paths = []
    for i, text in enumerate(texts):
        paths.append(folder / f"stacks-{i}.txt")
        paths[-1].write_text(text)
    return diagnose(*paths)


def stuck_sends(diagnosis: Diagnosis) -> list[Finding]:
    return [f for f in diagnosis.findings if f.id == "G302"]


def test_senders_that_wait_for_minutes_are_likely_stuck(tmp_path: Path) -> None:
    text = WRITER.format(id=900) + senders(range(1, 31), minutes=12) + senders(range(31, 33))
    (finding,) = stuck_sends(dx(tmp_path, text))
    assert finding.level == "likely"
    assert finding.location is not None
    assert (finding.location.function, finding.location.line) == (SENDER, 87)
    assert finding.summary.startswith("30 goroutines have waited for minutes, up to 12,")


def test_a_few_workers_that_have_waited_for_long_are_enough(tmp_path: Path) -> None:
    (finding,) = stuck_sends(dx(tmp_path, senders(range(1, 5), minutes=40)))
    assert finding.level == "likely"
    assert not stuck_sends(dx(tmp_path, senders(range(1, 3), minutes=40)))  # generators by design


def test_a_dump_alone_says_less_than_an_older_one_with_it(tmp_path: Path) -> None:
    (alone,) = stuck_sends(dx(tmp_path, senders(range(1, 200))))
    assert alone.level == "possible"
    assert "take another in a few minutes" in alone.summary
    (both,) = stuck_sends(dx(tmp_path, senders(range(1, 60)), senders(range(1, 200))))
    assert both.level == "likely"
    assert "140 more than in the dump before" in both.summary
    # The same number of others: a queue that moves.
    assert not [f for f in stuck_sends(dx(tmp_path, senders(range(1, 60)), senders(range(200, 280)))) if
                f.level == "likely"]  # fmt: skip


def test_an_earlier_dump_without_senders_takes_nothing_away(tmp_path: Path) -> None:
    started = "".join(goroutine(i, "chan receive", [RECEIVES]) for i in range(1, 9))
    (finding,) = stuck_sends(dx(tmp_path, started, started + senders(range(20, 400))))
    assert finding.level == "possible"
    assert finding.confidence >= 0.3


def test_counts_and_profiles_are_at_most_possible_until_they_grow(tmp_path: Path) -> None:
    def two_kinds(sending: int) -> str:
        text = counts([(sending, 3, SENDS), (4, 3, [RECEIVES])])
        # Lay the receive's addresses where chanrecv1 lies, some kilobytes behind chansend1.
        parts = text.split("\n\n")
        for i, at in ((0, 0x406C77), (1, 0x407992)):
            parts[i] = parts[i].replace("0x43a2f6 0x43a306 0x43a316", f"0x43a2f6 {at + 0x3AE:#x} {at:#x}")
        return "\n\n".join(parts)

    (alone,) = stuck_sends(dx(tmp_path, two_kinds(300)))
    assert alone.level == "possible"
    (grown,) = stuck_sends(dx(tmp_path, two_kinds(100), two_kinds(300)))
    assert grown.level == "likely"


def test_the_leak_profile_is_proof_and_an_empty_one_is_none(tmp_path: Path) -> None:
    listed = counts([(40, 3, SENDS)], kind="goroutineleak").replace(
        "goroutine profile", "goroutineleak profile"
    )
    marked = senders(range(1, 8)).replace("[chan send]", "[chan send (leaked)]")
    (finding,) = stuck_sends(dx(tmp_path, marked))
    assert finding.confidence > 0.9
    assert "Goroutines are stuck for good" in finding.summary
    assert not stuck_sends(dx(tmp_path, listed))  # counts name no state where only one kind of wait is listed
    empty = dx(tmp_path, "goroutineleak profile: total 0\n")
    assert not empty.findings
    assert "G302" in {n.id for n in empty.not_judged}


def test_permits_that_are_taken_are_no_leak(tmp_path: Path) -> None:
    waiting = "".join(
        goroutine(i, "chan send", [SERVING, *SERVE], minutes=9, started=SERVED) for i in range(1, 60)
    )
    held = "".join(
        goroutine(i, "select", [ROUND_TRIP, CALLING, *SERVE], minutes=9, started=SERVED)
        for i in range(80, 90)
    )
    assert not [f for f in stuck_sends(dx(tmp_path, waiting + held)) if f.confidence >= 0.3]


def test_other_waits_in_numbers_are_told_and_no_stuck_send(tmp_path: Path) -> None:
    idle = [*READS, ("net/http.(*conn).serve", "/go/src/net/http/server.go", 2109)]
    cases = {
        "500 in chan receive in example.com/shop/orders.(*Desk).hand for up to 30 minutes": "".join(
            goroutine(i, "chan receive", [HANDS_IN], minutes=30) for i in range(1, 501)
        ),
        "wait for one mutex in example.com/shop/orders.(*Desk).hand": "".join(
            goroutine(i, "sync.Mutex.Lock", [*LOCKS, HANDS_IN], minutes=30) for i in range(1, 501)
        ),
        "500 of net/http's own wait on connections": "".join(
            goroutine(i, "IO wait", idle, minutes=3, started=SERVED) for i in range(1, 501)
        ),
    }
    for text, dump in cases.items():
        diagnosis = dx(tmp_path, dump)
        assert not stuck_sends(diagnosis)
        assert not diagnosis.likely
        assert text in diagnosis.overview.text


@pytest.mark.parametrize("kinds", [("goroutine-dump",), ("goroutine",)])
def test_published_dumps_have_no_likely_finding(realworld: Path, kinds: tuple[str, ...]) -> None:
    for line in (realworld / "manifest.jsonl").read_text().splitlines():
        row = json.loads(line)
        if row["kind"] not in kinds:
            continue
        try:
            diagnosis = diagnose(realworld / row["file"])
        except UnreadableInput:
            continue
        assert not diagnosis.likely, row["file"]
        assert not stuck_sends(diagnosis), row["file"]
