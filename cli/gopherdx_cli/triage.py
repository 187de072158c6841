"""gopherdx triage: a few good questions, files in between, and a diagnosis at the end."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gopherdx.errors import UnreadableInput, UsageError
from gopherdx_cli.options import (
    Color,
    ColorOption,
    CorpusOption,
    Encoder,
    EncoderOption,
    ForceOption,
    Format,
    FormatOption,
    KnowledgeOption,
    OutputOption,
    PassagesOption,
    QuietOption,
    SymptomOption,
)
from gopherdx_cli.output import ProgressLine, Sink, load_meanwhile
from gopherdx_cli.talk import (
    Answers,
    Transcript,
    Voice,
    from_terminal,
    has_terminal,
    lines_of_stdin,
    read_answers,
)

if TYPE_CHECKING:
    from gopherdx import Triage
    from gopherdx.reason.triage import Question


def triage(
    files: Annotated[
        list[str] | None, typer.Argument(metavar="FILE|DIR", help="What there is already: as for diagnose.")
    ] = None,
    symptom: SymptomOption = None,
    answers: Annotated[
        Path | None,
        typer.Option(
            "--answers",
            metavar="FILE",
            envvar="GOPHERDX_ANSWERS",
            help="Answers: a line each in the order of the questions, or YAML or JSON (also by question).",
        ),
    ] = None,
    no_input: Annotated[
        bool,
        typer.Option(
            "--no-input", envvar="GOPHERDX_NO_INPUT", help="Ask nobody: what --answers leaves open stays so."
        ),
    ] = False,
    transcript: Annotated[
        Path | None,
        typer.Option(
            "--transcript",
            metavar="FILE",
            envvar="GOPHERDX_TRANSCRIPT",
            help="Write what is said to FILE, at its end.",
        ),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(
            "--state",
            metavar="FILE",
            envvar="GOPHERDX_STATE",
            help="Keep the conversation in FILE, and go on from it where it exists.",
        ),
    ] = None,
    kb: KnowledgeOption = None,
    passages: PassagesOption = True,
    encoder: EncoderOption = Encoder.static,
    corpus: CorpusOption = None,
    format: FormatOption = Format.text,  # noqa: A002
    output: OutputOption = None,
    force: ForceOption = False,
    color: ColorOption = Color.auto,
    quiet: QuietOption = False,
) -> None:
    """Find the cause in a conversation.

    Say what you see; then answer yes, no, a number or unknown. At any question: ? why it is asked, b back,
    show the ranking so far, quit for the diagnosis as far as it goes. The path of a recording is read, and
    what it tells is not asked. "What is mark assist?" is answered from the corpus.

    The questions go to standard error, the diagnosis to standard output. Ctrl-C ends with exit code 130 and
    leaves --transcript and --state as they are.
    """
    sink = Sink(format, output, force, color, quiet)
    sink.check(map(Path, files or ()))
    given = read_answers(answers) if answers else Answers(())
    record = Transcript(transcript)

    import gopherdx

    load_meanwhile(format, passages=passages)
    with ProgressLine(quiet=quiet) as progress:
        talk = gopherdx.Triage(
            kb=kb or (), passages=passages, encoder=encoder.value, corpus=corpus or (), progress=progress
        )
        if state is not None and state.exists():
            _resume(talk, state)
        if files:
            talk.add(*files)
        if symptom is not None:
            talk.describe(symptom)
        voice = Voice(record, quiet=quiet and (no_input or not has_terminal()))
        _converse(talk, given, voice, state, no_input=no_input)
        diagnosis = talk.diagnosis()
    record.write("diagnosis", diagnosis.summary)
    sink.write(diagnosis)


def _converse(talk: Triage, given: Answers, voice: Voice, state: Path | None, *, no_input: bool) -> None:
    """Ask until nothing more is worth asking, or nobody answers any more."""
    asked: Question | None = None
    person = None if no_input else from_terminal(talk.answers) if has_terminal() else lines_of_stdin()
    while (question := talk.question) is not None:
        if asked is None or question.id != asked.id:
            voice.ask(question.text, question.command, question.unit)
            asked = question
        said = given.next(question.id, question.text)
        if said is None and person is not None:
            said = person()
        if said is None:
            talk.stop()
            break
        voice.said(said, echo=person is None or not has_terminal())
        reply = talk.say(said)
        voice.tell(reply.text)
        if reply.heard in ("back", "files"):
            asked = None
        if state is not None:
            _keep(talk, state)


def _resume(talk: Triage, file: Path) -> None:
    try:
        data: Any = json.loads(file.read_text("utf-8"))
        talk.resume(data)
    except (OSError, ValueError) as error:
        raise UnreadableInput(
            f"cannot be read ({type(error).__name__})", where=str(file), todo="begin anew, with another file"
        ) from None
    except UnreadableInput as error:
        raise UnreadableInput(error.what, where=str(file), todo=error.todo) from None


def _keep(talk: Triage, file: Path) -> None:
    """Write the state as a whole: an interrupt leaves the one before."""
    new = file.with_name(f"{file.name}.new")
    try:
        new.write_text(json.dumps(talk.to_json(), indent=1) + "\n", encoding="utf-8")
        os.replace(new, file)  # noqa: PTH105 - as atomic as it gets
    except OSError as error:
        raise UsageError(
            f"cannot be written ({error.strerror or type(error).__name__})",
            where=str(file),
            todo="name another file with --state",
        ) from None
