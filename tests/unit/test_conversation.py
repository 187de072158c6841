"""A whole conversation as the library holds it: what is said is understood, files count, it can be kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gopherdx import Triage
from gopherdx.errors import GopherdxError, UnreadableInput, UsageError
from gopherdx.kb import KnowledgeBase
from gopherdx.model import GoRange, Location, Observation, Observations, Overview, Source
from gopherdx.reason import chain
from gopherdx.reason.facts import Concluded
from gopherdx.saved import Kept, from_json, to_json
from gopherdx.triage import Reply
from tests.conftest import ROOT

DEMO = str(ROOT / "engine" / "gopherdx" / "demo")
GO = GoRange("go 1.23", (1, 23), (1, 24))
SENDS = "thousands of goroutines hang in chan send since the consumer returned"


@pytest.fixture
def talk() -> Triage:
    return Triage(symptom=SENDS, passages=False)


def asked(talk: Triage) -> str:
    assert talk.question is not None
    return talk.question.text


def test_it_begins_with_what_is_seen_and_asks_for_the_likeliest_next() -> None:
    talk = Triage(passages=False)
    assert asked(talk).startswith("What do you see?")
    assert talk.say(SENDS).heard == "answer"
    assert asked(talk) == 'Are goroutines stuck in "chan send" for minutes?'
    rows, none = talk.ranking()
    assert rows[0].id == "G302"
    assert rows[0].because == ("reads like reports of it",)
    assert 0.3 < none < 1


def test_answers_lead_to_a_likely_finding(talk: Triage) -> None:
    for _ in range(12):
        if talk.question is None:
            break
        about = {archetype for archetype, _ in talk.question.stands_for}
        against = talk.question.how == "capture" or "semaphore" in talk.question.text
        talk.say("no" if against or "G302" not in about else "yes")
    diagnosis = talk.diagnosis()
    assert diagnosis.outcome == "diagnosed"
    assert diagnosis.likely[0].id == "G302"
    assert {e.source.artifact for e in diagnosis.likely[0].evidence} == {"description", "answer"}


def test_it_ends_with_a_diagnosis_whenever_it_is_stopped(talk: Triage) -> None:
    assert talk.say("quit").heard == "stopped"
    assert talk.question is None
    assert talk.diagnosis().outcome == "inconclusive"
    assert Triage(passages=False).diagnosis().outcome == "insufficient"


def test_a_question_can_be_asked_back(talk: Triage) -> None:
    before = asked(talk)
    assert "G302" in talk.say("?").text
    assert "none of these" in talk.say("show").text
    assert asked(talk) == before
    talk.say("yes")
    assert asked(talk) != before
    talk.say("b")
    assert asked(talk) == before


def test_a_path_is_read_at_any_question_and_answers_what_it_can(talk: Triage) -> None:
    reply = talk.say(DEMO)
    assert reply.heard == "files"
    assert "trace.out.gz: trace" in reply.text
    assert talk.ranking()[0][0].id == "G101"
    diagnosis = talk.diagnosis()
    assert diagnosis.likely[0].id == "G101"
    assert len(diagnosis.inputs) == 3


def test_what_a_file_contradicts_is_said_and_stands_in_the_diagnosis(talk: Triage) -> None:
    talk.say("yes")  # goroutines are stuck, it says; in the demo they are not
    reply = talk.say(DEMO)
    assert "You said yes to 'Are goroutines stuck in" in reply.text
    assert "the file is believed" in reply.text
    assert any("You said yes" in warning for warning in talk.diagnosis().warnings)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("no/such/trace.out", "no/such/trace.out: no such file"),
        ("nowhere.pprof", "nowhere.pprof: no such file"),
        ("ftp://localhost/trace.out", "only http and https are fetched"),
        ("perhaps", "say yes or no, or unknown"),
    ],
)
def test_what_cannot_be_used_is_said_in_a_sentence_and_the_question_stays(
    talk: Triage, said: str, told: str
) -> None:
    before = asked(talk)
    reply = talk.say(said)
    assert reply.heard == "refused"
    assert told in reply.text
    assert asked(talk) == before


def test_a_file_that_is_no_recording_is_refused_and_forgotten(talk: Triage, tmp_path: Path) -> None:
    bad = tmp_path / "notes.txt"
    bad.write_text("nothing of the kind", encoding="utf-8")
    assert talk.say(str(bad)).heard == "refused"
    assert talk.say(DEMO).heard == "files"


def test_a_question_about_a_term_is_answered_with_its_source(talk: Triage) -> None:
    before = asked(talk)
    reply = talk.say("what is mark assist?")
    assert reply.heard == "term"
    assert "mark" in reply.text
    assert "https://" in reply.text
    assert asked(talk) == before
    assert talk.say("what is a flurbostat?").text == "The corpus has nothing on that."


def test_a_sentence_that_is_no_answer_is_more_of_the_description(talk: Triage) -> None:
    reply = talk.say("it began when the consumer crashed, every worker sits in out <-")
    assert reply.heard == "described"
    assert talk.answers[-1][0] == "symptom.2"


def test_it_is_kept_as_json_and_goes_on_without_the_files(talk: Triage) -> None:
    talk.say("yes")
    talk.say(DEMO)
    kept = json.loads(json.dumps(talk.to_json()))
    again = Triage(passages=False)
    again.resume(kept)
    assert again.diagnosis() == talk.diagnosis()
    assert again.question == talk.question
    assert again.answers == talk.answers


def test_everything_that_files_said_is_kept() -> None:
    place = Location("main.f", "main.go", 7)
    item = Observation("lock.share", 0.4, "share", Source("trace", "Unlock"), "main.f", place, "so far")
    seen = Observations((item,), frozenset({"lock.share"}), frozenset({"trace"}), True, GO, brief=True)
    kept = Kept((("symptom", "slow"),), ("a.out",), (), Overview(text="a trace"), ("cut",), (("", seen),))
    assert from_json(json.loads(json.dumps(to_json(kept)))) == kept


@pytest.mark.parametrize("data", [None, [], {}, {"triage": 2}, {"triage": 1}, {"triage": 1, "answers": 3}])
def test_what_is_no_kept_conversation_is_refused(data: object) -> None:
    with pytest.raises(UnreadableInput):
        Triage(passages=False).resume(data)


def test_wrong_use_is_said() -> None:
    with pytest.raises(GopherdxError):
        Triage("no/such/file")
    talk = Triage(passages=False)
    talk.stop()
    with pytest.raises(UsageError, match="nothing is asked"):
        talk.answer("yes")


HEADLINE = "p99 is 220 ms but the CPU is idle"


def test_slow_with_an_idle_cpu_leads_to_calls_one_after_another() -> None:
    talk = Triage(symptom=HEADLINE, passages=False)
    assert talk.ranking()[0][0].id == "G401"
    asked_of: list[set[str]] = []
    while talk.question is not None and len(asked_of) < 4:
        about = {archetype for archetype, _ in talk.question.stands_for}
        asked_of.append(about)
        talk.say("yes" if about == {"G401"} and talk.question.how != "capture" else "no")
    assert talk.question is None
    assert asked_of[0] == {"G401"}
    (finding,) = talk.diagnosis().likely
    assert finding.id == "G401"


def test_what_a_person_does_not_know_is_not_the_next_step(talk: Triage) -> None:
    said: list[str] = []
    while talk.question is not None:
        said.append(talk.question.text)
        talk.say("unknown" if talk.question.how != "capture" else "no")
    steps = talk.diagnosis().next
    assert steps
    assert not {step.text for step in steps} & set(said)
    assert steps[0].kind == "capture"


def test_rules_run_once_for_files_and_not_for_each_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[Observations] = []
    run = chain.run

    def counted(kb: KnowledgeBase, observations: Observations) -> Concluded:
        runs.append(observations)
        return run(kb, observations)

    monkeypatch.setattr(chain, "run", counted)
    talk = Triage(DEMO, passages=False)
    for said in ("show", "no", "unknown", "b", "something else is slow in this service too"):
        talk.say(said)
        _ = talk.question, talk.ranking(), talk.contradictions()
    assert len(runs) == 1


def test_yes_to_a_recording_says_what_to_do(talk: Triage) -> None:
    while talk.question is not None and talk.question.how != "capture":
        talk.say("unknown")
    assert talk.question is not None
    assert talk.say("yes") == Reply(
        "refused", "Run the command, then give the path of the file that it wrote."
    )
