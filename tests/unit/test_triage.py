"""The conversation's one step: which question comes next, what answers change, when it ends."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from gopherdx.errors import UsageError
from gopherdx.kb import Archetype, KnowledgeBase, load_kb
from gopherdx.reason import triage
from gopherdx.reason.triage import Question, State
from tests.support.made_kb import kb_of, made, o, piece, seen


def archetype(folder: Path, name: str, *pieces: dict[str, object]) -> Archetype:
    rules = "".join(
        f"""
    @Rule(obs("{p["observation"]}", value=True))
    def rule{i}(self):
        self.conclude("{p["name"]}", subject="")
"""
        for i, p in enumerate(pieces)
    )
    return made(folder, name, rules, evidence=list(pieces), decides_place=[], min_cost=None, impact=None)


@pytest.fixture
def kb(tmp_path: Path) -> KnowledgeBase:
    """Two archetypes: one with a decisive question and a weak one, one that shares the weak one."""
    yes = {"equals": True}
    one = archetype(
        tmp_path, "X901",
        piece("stuck", "stuck", yes, question="Are goroutines stuck?"),
        piece("idle", "idle", yes, grade="supporting", question="Is the CPU idle?"),
    )  # fmt: skip
    two = archetype(
        tmp_path, "X902",
        piece("slow", "slow", yes, grade="strong", question="Is a call slow?"),
        piece("idle", "idle", yes, grade="supporting", question="Is the CPU idle?"),
        piece("often", "often", {"at_least": "few"}, grade="strong", question="How often does it happen?"),
    )  # fmt: skip
    return kb_of(one, two)


def begun(said: str = "it hangs") -> State:
    return State(answers=((triage.FIRST, said),))


def asked(kb: KnowledgeBase, state: State) -> Question:
    question = triage.ask(kb, state)
    assert question is not None
    return question


def test_it_begins_with_what_the_person_sees_unless_files_were_given(kb: KnowledgeBase) -> None:
    assert asked(kb, State()).how == "free"
    assert asked(kb, State(observations=seen([o("idle", True)]))).how != "free"


def test_the_question_that_is_worth_most_comes_first_and_is_not_asked_again(kb: KnowledgeBase) -> None:
    first = asked(kb, begun())
    assert (first.text, first.stands_for) == ("Are goroutines stuck?", (("X901", "stuck"),))
    state, second = triage.step(kb, begun(), first, "no")
    assert second is not None
    assert second.id != first.id
    assert state.answers[-1] == (first.id, "no")


def test_the_worth_of_a_question_is_the_expected_fall_of_entropy(kb: KnowledgeBase) -> None:
    def h(p: float) -> float:
        return -p * math.log2(p) - (1 - p) * math.log2(1 - p)

    likely = kb.likelihoods
    prior = likely.prior
    p, q = (
        0.5 + 0.8 * (rate - 0.5)
        for rate in (likely.supports["decisive"].bug, likely.supports["decisive"].other)
    )
    yes = prior * p + (1 - prior) * q
    after = yes * h(prior * p / yes) + (1 - yes) * h(prior * (1 - p) / (1 - yes))
    assert asked(kb, begun()).bits == pytest.approx(h(prior) - after, abs=1e-6)


def test_a_question_that_two_archetypes_share_is_asked_once_and_counts_for_both(kb: KnowledgeBase) -> None:
    shared = [q for q in triage._asked_of_people(kb) if q.text == "Is the CPU idle?"]
    assert [q.stands_for for q in shared] == [(("X901", "idle"), ("X902", "idle"))]
    state = triage.answered(begun(), shared[0], "yes")
    assert {a: set(e) for a, e in triage.told(kb, state).answers.items()} == {
        "X901": {"idle"},
        "X902": {"idle"},
    }


def test_yes_raises_no_lowers_and_unknown_changes_nothing(kb: KnowledgeBase) -> None:
    question = asked(kb, begun())

    def belief(said: str) -> float:
        rows, none = triage.ranking(kb, triage.answered(begun(), question, said))
        assert none == pytest.approx(math.prod(1 - r.confidence for r in rows), abs=1e-4)
        return next(r.confidence for r in rows if r.id == "X901")

    assert belief("no") < belief("unknown") == belief("?") == kb.likelihoods.prior < belief("yes")


def test_a_number_is_compared_with_the_threshold_in_its_unit(kb: KnowledgeBase) -> None:
    question = next(q for q in triage._asked_of_people(kb) if q.how == "number")
    for said, there in (("3", True), ("about 2 times", True), ("1", False), ("0.5k", True), ("no", False)):
        answers = triage.told(kb, triage.answered(begun(), question, said)).answers
        assert answers["X902"]["often"].seen is there, said


def test_what_is_no_answer_is_refused_and_changes_nothing(kb: KnowledgeBase) -> None:
    question = asked(kb, begun())
    with pytest.raises(UsageError, match="say yes or no, or unknown"):
        triage.step(kb, begun(), question, "perhaps tomorrow")


def test_an_answer_can_be_taken_back(kb: KnowledgeBase) -> None:
    question = asked(kb, begun())
    state = triage.answered(begun(), question, "yes")
    assert triage.undone(state) == begun()
    assert triage.undone(triage.undone(State())) == State()


def test_it_ends_when_one_is_sure_or_nothing_is_worth_asking(kb: KnowledgeBase) -> None:
    sure = State(answers=begun().answers, text={"X901": 3.0}, observations=seen([o("stuck", True)]))
    assert triage.ranking(kb, sure)[0][0].confidence >= triage.SURE
    assert triage.ask(kb, sure) is None
    state: State = begun()
    for _ in range(20):
        question = triage.ask(kb, state)
        if question is None:
            return
        state = triage.answered(state, question, "" if question.how == "capture" else "no")
    raise AssertionError("it never ends")


def test_a_person_is_asked_before_a_recording_is_asked_for(kb: KnowledgeBase) -> None:
    state: State = begun()
    kinds = []
    while (question := triage.ask(kb, state)) is not None:
        kinds.append(question.how)
        state = triage.answered(state, question, "unknown")
    assert kinds == sorted(kinds, key=lambda how: how == "capture")
    assert "capture" in kinds


def test_what_a_file_says_is_not_asked(kb: KnowledgeBase) -> None:
    state = State(answers=begun().answers, observations=seen([], ["stuck", "idle"]))
    texts = [q.text for q in triage._questions(kb, state, triage.standing(kb, state)) if q.bits > 0]
    assert "Are goroutines stuck?" not in texts
    assert "Is a call slow?" in texts


def test_a_file_that_contradicts_an_answer_is_believed_and_said(kb: KnowledgeBase) -> None:
    question = asked(kb, begun())
    state = triage.answered(State(observations=seen([], ["stuck"])), question, "yes")
    (said,) = triage.contradictions(kb, state)
    assert "You said yes to 'Are goroutines stuck?'" in said
    assert triage.ranking(kb, state)[0][-1].id == "X901"


@pytest.mark.parametrize("text", [{"G401": 1.0}, {}])
def test_nobody_is_asked_for_ever(text: dict[str, float]) -> None:
    real = load_kb()
    state = State(answers=begun().answers, text=text)
    count = 1
    while (question := triage.ask(real, state)) is not None:
        state = triage.answered(state, question, "unknown")
        count += 1
    assert count <= triage.QUESTIONS_MAX
    more = [(f"G401.made-up-{n}", "no") for n in range(triage.QUESTIONS_MAX)]
    assert triage.ask(real, State(answers=(*begun().answers, *more), text=text)) is None


def test_why_says_which_answer_speaks_for_what(kb: KnowledgeBase) -> None:
    by_text = {q.text: triage.why(kb, q) for q in triage._asked_of_people(kb)}
    assert by_text["Are goroutines stuck?"].startswith("Yes speaks for X901 ")
    assert by_text["Is the CPU idle?"].count("Yes speaks for ") == 2
    assert by_text["How often does it happen?"].startswith("A number at least 2 speaks for X902 ")


def test_with_the_knowledge_base_of_the_product_a_conversation_ends() -> None:
    real = load_kb()
    state: State = begun("goroutines pile up in chan send")
    for n in range(60):
        question = triage.ask(real, state)
        if question is None:
            break
        state = triage.answered(
            state, question, "unknown" if n % 2 else "no" if question.how != "capture" else ""
        )
    assert question is None
    assert triage.why(real, asked(real, begun()))
