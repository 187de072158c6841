"""A conversation that ends in a diagnosis: what a person says, files given in between, the next question.

    triage = Triage()
    while triage.question is not None:
        print(triage.say(input(f"{triage.question.text} ")).text)
    print(triage.diagnosis().summary)

All that decides is in ``reason.triage``, a pure step; here it meets files, the corpus and what people type.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from gopherdx import saved
from gopherdx.artifacts.capture import Limits, Named, Progress
from gopherdx.artifacts.remote import is_address
from gopherdx.errors import GopherdxError, UsageError
from gopherdx.model import Diagnosis, Observations
from gopherdx.pipeline import (
    Library,
    Reading,
    as_file,
    conclude,
    knowledge,
    nothing_read,
    parse_go_version,
    read,
)
from gopherdx.reason import triage as step
from gopherdx.reason.triage import FIRST, Question, Standing, State

SHOWN_MAX: Final = 5
TERM_SCORE: Final = 0.35
"""Below it a passage is not about the term that was asked for."""

_WHY = ("?", "why", "why?")
_BACK = ("b", "back")
_SHOW = ("show", "s")
_STOP = ("q", "quit", "stop", "done", "end", "exit")
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.I)
_TERM = re.compile(
    r"(?:and )?(?:what(?:'s| is| are| does)|what do you mean by|explain|define|how do i read|meaning of)\b.+",
    re.I,
)
_FILE_NAME = re.compile(
    r"(?:[~.]{0,2}/)?[\w.@%+=:,/-]*(?:/[\w.@%+=:,-]+|\.(?:out|pprof|prof|gz|log|txt|json|pb|trace|dump))"
)
_A_FEW_WORDS: Final = 4
_TERM_WORDS: Final = 8

Heard = Literal["answer", "why", "back", "ranking", "files", "term", "described", "refused", "stopped"]


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of something that was said: as what it was heard, and what to tell the person."""

    heard: Heard
    text: str = ""


class Triage:
    """One conversation. ``question`` is what to ask next; None when it is time for ``diagnosis()``."""

    def __init__(
        self,
        *paths: str | os.PathLike[str],
        symptom: str | None = None,
        select: Sequence[str] = (),
        ignore: Sequence[str] = (),
        go_version: str | None = None,
        kb: Sequence[str | os.PathLike[str]] = (),
        passages: bool = True,
        encoder: str = "static",
        corpus: Sequence[str | os.PathLike[str]] = (),
        progress: Progress | None = None,
    ) -> None:
        """Begin, with files or a description where there are any already; the arguments are ``diagnose``'s.

        Raises what ``diagnose`` raises.
        """
        self._version = None if go_version is None else parse_go_version(go_version)
        self._kb = knowledge(select, ignore, kb)
        self._library = Library(encoder, corpus)
        if corpus or encoder != Library.encoder:
            self._library.open()
        self._passages = passages
        self._progress = progress
        self._paths: tuple[str, ...] = ()
        self._files: dict[str, Named] = {}  # so that an address is fetched once
        self._reading: Reading = nothing_read(self._version)
        self._state = step.observed(self._kb, State(), _merged(self._reading))
        self._stopped = False
        self._asked: tuple[State, Question | None] | None = None
        if paths:
            self.add(*paths)
        if symptom is not None:
            self.describe(symptom)

    # What is known -------------------------------------------------------------------------------------

    @property
    def question(self) -> Question | None:
        """What to ask next."""
        if self._stopped:
            return None
        if self._asked is None or self._asked[0] is not self._state:
            self._asked = (self._state, step.ask(self._kb, self._state))
        return self._asked[1]

    @property
    def answers(self) -> tuple[tuple[str, str], ...]:
        """What was said so far: (question id, answer)."""
        return self._state.answers

    def ranking(self) -> tuple[tuple[Standing, ...], float]:
        """Every archetype with its belief and what speaks for it, likeliest first; and P(none of them)."""
        return step.ranking(self._kb, self._state)

    def why(self) -> str:
        """Why the question is asked."""
        question = self.question
        return "Nothing more is worth asking." if question is None else step.why(self._kb, question)

    def contradictions(self) -> tuple[str, ...]:
        """Where an answer and a file say different things."""
        return step.contradictions(self._kb, self._state)

    def diagnosis(self) -> Diagnosis:
        """The answer as far as it goes, in the form of a diagnosis from files."""
        told = step.told(self._kb, self._state)
        made = conclude(self._kb, self._reading, told, self._library if self._passages else None)
        return replace(made, warnings=(*made.warnings, *self.contradictions()))

    # What changes it -----------------------------------------------------------------------------------

    def answer(self, text: str) -> None:
        """Answer the question. Raises ``UsageError`` for what is no answer to it; nothing changes then."""
        question = self.question
        if question is None:
            raise UsageError("nothing is asked any more", todo="read the diagnosis")
        self._become(step.answered(self._state, question, text))

    def describe(self, text: str) -> None:
        """Add to what the person sees."""
        said = sum(name.startswith(FIRST) for name, _ in self._state.answers)
        name = FIRST if not said else f"{FIRST}.{said + 1}"
        self._become(replace(self._state, answers=(*self._state.answers, (name, text.strip()))))

    def back(self) -> bool:
        """Take the last answer back; False where there is none."""
        if not self._state.answers:
            return False
        self._stopped = False
        self._become(step.undone(self._state))
        return True

    def stop(self) -> None:
        """Ask no more."""
        self._stopped = True

    def add(self, *paths: str | os.PathLike[str]) -> tuple[str, ...]:
        """Read files with those given before; returns what they are. Raises what ``diagnose`` raises.

        Files that were added one by one are one process, as if they had been named together.
        """
        given = [os.fspath(path) for path in paths]
        new = tuple(path if is_address(path) else str(Path(path).expanduser()) for path in given)
        named = tuple(dict.fromkeys((*self._paths, *new)))
        files = {path: self._files.get(path) or Named(as_file(path)) for path in named}
        reading = read(
            list(files.values()), limits=Limits(), progress=self._progress, go_version=self._version
        )
        known = {item.path for item in self._reading.inputs}
        self._paths, self._files, self._reading = named, files, reading
        self._become(step.observed(self._kb, self._state, _merged(reading)))
        return tuple(f"{item.path}: {item.kind}" for item in reading.inputs if item.path not in known)

    def _become(self, state: State) -> None:
        described = _described(state)
        if described and described == _described(self._state) and self._state.text:
            state = replace(state, text=self._state.text, like=self._state.like)
        elif described:
            told = self._library.told(self._kb, described)
            state = replace(state, text=told.text, like=told.like)
        else:
            state = replace(state, text={}, like={})
        self._state = state

    # What a person types -------------------------------------------------------------------------------

    def say(self, text: str) -> Reply:
        """Take whatever a person types at the question, and say what became of it.

        ``?`` why it is asked, ``b`` back, ``show`` the ranking, ``quit`` the end, a path or an address is
        read, a question about a term is answered from the corpus; all else is an answer, or more of the
        description.
        """
        text = text.strip()
        word = text.lower()
        if word in _WHY:
            return Reply("why", self.why())
        if word in _BACK:
            return Reply("back", "" if self.back() else "There is nothing to take back.")
        if word in _SHOW:
            return Reply("ranking", self._shown())
        if word in _STOP:
            self.stop()
            return Reply("stopped")
        if is_address(text):
            return self._read(text)
        if _ADDRESS.fullmatch(text):
            return Reply("refused", f"{text}: only http and https are fetched; save it, then give the file.")
        question = self.question
        if not (question and question.how in ("yes-no", "number") and step.is_answer(question, text)):
            if _is_path(text):
                return self._read(text)
            if len(text.split()) <= _TERM_WORDS and _TERM.fullmatch(text):
                return self._explained(text)
        return self._answered(text)

    def _answered(self, text: str) -> Reply:
        before = self.contradictions()
        question = self.question
        try:
            if question is not None and question.how == "capture" and step.is_yes(text):
                return Reply("refused", "Run the command, then give the path of the file that it wrote.")
            if question is not None and question.how == "capture" and not step.is_no(text):
                return self._described(text, f"{text!r} is no file; give its path, or say no")
            self.answer(text)
        except UsageError as error:
            return self._described(text, str(error))
        return Reply("answer", "\n".join(c for c in self.contradictions() if c not in before))

    def _described(self, text: str, otherwise: str) -> Reply:
        """A sentence that is no answer is more of the description; less than a sentence is refused."""
        if len(text.split()) < _A_FEW_WORDS:
            return Reply("refused", otherwise)
        self.describe(text)
        return Reply("described", "Noted, as part of what you see.")

    def _read(self, text: str) -> Reply:
        before = self.contradictions()
        try:
            read_now = self.add(text.strip("'\""))
        except GopherdxError as error:
            return Reply("refused", f"{error}.")
        new = [c for c in self.contradictions() if c not in before]
        return Reply("files", "\n".join([f"Read {', '.join(read_now) or 'again'}.", *new]))

    def _explained(self, text: str) -> Reply:
        """An answer from the corpus, with its source."""
        hits = self._library.search(text, kinds=("note", "runbook"), count=1)
        if not hits or hits[0].score < TERM_SCORE:
            return Reply("term", "The corpus has nothing on that.")
        passage = hits[0].passage
        first = passage.text.strip().split("\n\n")[0].replace("\n", " ")
        return Reply("term", f"{passage.title}. {first}\n({passage.source})")

    def _shown(self) -> str:
        rows, none = self.ranking()
        shown = [
            f"{row.confidence:.2f}  {row.id} {row.slug}{': ' if row.because else ''}{'; '.join(row.because)}"
            for row in rows[:SHOWN_MAX]
        ]
        return "\n".join([*shown, f"{none:.2f}  none of these"])

    # To keep it ----------------------------------------------------------------------------------------

    def to_json(self) -> dict[str, Any]:
        """The conversation as plain JSON types; ``resume`` goes on from it, without the files."""
        return saved.to_json(
            saved.Kept(self._state.answers, self._paths, self._reading.inputs, self._reading.overview,
                       self._reading.warnings, self._reading.processes)
        )  # fmt: skip

    def resume(self, data: object) -> None:
        """Go on from what ``to_json`` gave. Raises ``UnreadableInput`` for anything else."""
        kept = saved.from_json(data)
        self._paths = kept.paths
        self._reading = Reading(kept.processes, kept.inputs, kept.overview, kept.warnings)
        self._stopped = False
        state = replace(self._state, answers=kept.answers)
        self._become(step.observed(self._kb, state, _merged(self._reading)))


def _described(state: State) -> str:
    """All that the person described, as one text."""
    return " ".join(
        said for name, said in state.answers if name.startswith(FIRST) and not step.is_unknown(said)
    )


def _merged(reading: Reading) -> Observations:
    """What the files of all processes said, to ask by; the diagnosis judges each process by itself."""
    seen = [observations for _, observations in reading.processes]
    if len(seen) == 1:
        return seen[0]
    versions = {s.go_version for s in seen}
    return Observations(
        items=tuple(item for s in seen for item in s.items),
        looked=frozenset().union(*(s.looked for s in seen)),
        kinds=frozenset().union(*(s.kinds for s in seen)),
        truncated=any(s.truncated for s in seen),
        go_version=versions.pop() if len(versions) == 1 else None,
        brief=all(s.brief for s in seen),
    )


def _is_path(text: str) -> bool:
    """Whether it names a file: one that is there, or what only a file would be called."""
    bare = text.strip("'\"")
    if not bare or "\0" in bare:
        return False
    try:
        there = Path(bare).expanduser().exists()
    except (OSError, RuntimeError, ValueError):
        return False
    return there or _FILE_NAME.fullmatch(bare) is not None
