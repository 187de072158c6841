"""Both ends of a conversation: a terminal, plain lines, a file of answers; and what is written down of it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gopherdx.errors import UnreadableInput, UsageError
from gopherdx.report.safe import safe

HELP = "(yes, no, a number or unknown; ? why, b back, show the ranking, quit; or the path of a recording)"

Person = Callable[[], str | None]
"""Says the next thing; None when there is nobody any more."""


class Answers:
    """Answers that were prepared: in the order of the questions, or by a question's id or text."""

    def __init__(self, answers: Sequence[str] | Mapping[str, str]) -> None:
        self._named = dict(answers) if isinstance(answers, Mapping) else None
        self._left = [] if isinstance(answers, Mapping) else list(answers)

    def next(self, question: str, text: str) -> str | None:
        """The answer to a question; None where none was prepared. Each is given once."""
        if self._named is None:
            return self._left.pop(0) if self._left else None
        return self._named.pop(question, None) or self._named.pop(text, None)


def read_answers(file: Path) -> Answers:
    """A file of answers: YAML or JSON (a list, or by question), else a line each; # begins a comment."""
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableInput(
            f"cannot be read ({type(error).__name__})", where=str(file), todo="name a file of answers"
        ) from None
    data = _structured(text)
    if isinstance(data, Mapping):
        return Answers({str(name): _plain(said) for name, said in data.items()})
    if isinstance(data, list):
        return Answers([_plain(said) for said in data])
    lines = [line.strip() for line in text.splitlines()]
    return Answers([line for line in lines if line and not line.startswith("#")])


def _structured(text: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return None  # lines, then


def _plain(said: object) -> str:
    if isinstance(said, bool):
        return "yes" if said else "no"
    return "unknown" if said is None else str(said)


class Transcript:
    """A file that what is said is added to, a line at once, so that an interrupt loses nothing."""

    def __init__(self, file: Path | None) -> None:
        try:
            self._out = file.open("a", encoding="utf-8", newline="\n") if file is not None else None
        except OSError as error:
            raise UsageError(
                f"cannot be written ({error.strerror or type(error).__name__})",
                where=str(file),
                todo="name another file with --transcript",
            ) from None

    def write(self, who: str, text: str) -> None:
        """One thing that was said, and by whom."""
        if self._out is not None and text:
            self._out.write("".join(f"{who}: {line}\n" for line in text.splitlines()))
            self._out.flush()


class Voice:
    """What the program says: to standard error, and into the transcript."""

    def __init__(self, record: Transcript, *, quiet: bool) -> None:
        self._record = record
        self._quiet = quiet
        self._helped = False

    def ask(self, text: str, command: str, unit: str) -> None:
        """A question, with the command that a recording takes or the unit of a number."""
        self.tell("\n".join([f"{text} ({unit})" if unit else text, *([f"  $ {command}"] if command else [])]))
        if self._helped is False:
            self._helped = True
            self._write(HELP)

    def tell(self, text: str) -> None:
        """An answer, a warning, a ranking."""
        self._record.write("gopherdx", text)
        if text:
            self._write(text)

    def said(self, text: str, *, echo: bool) -> None:
        """What the person said; ``echo`` where no terminal shows it."""
        self._record.write("you", text or "unknown")
        if echo:
            self._write(f"> {text}")

    def _write(self, text: str) -> None:
        if not self._quiet:
            sys.stderr.write("".join(f"{safe(line)}\n" for line in text.splitlines()))
            sys.stderr.flush()


def has_terminal() -> bool:
    """Whether a person can be asked: a terminal to read from, and one to ask on."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def lines_of_stdin() -> Person:
    """Standard input, a line each."""

    def next_line() -> str | None:
        line = sys.stdin.readline() if sys.stdin is not None else ""
        return line.strip() if line else None

    return next_line


def from_terminal(before: Sequence[tuple[str, str]]) -> Person:
    """A prompt with history (``before`` are answers of earlier) and completion of paths; Ctrl-D ends it.

    Raises ``KeyboardInterrupt`` on Ctrl-C.
    """
    import questionary
    from prompt_toolkit.completion import PathCompleter
    from prompt_toolkit.history import InMemoryHistory
    from prompt_toolkit.output import create_output

    settings: dict[str, Any] = {
        "history": InMemoryHistory([said for _, said in before]),
        "completer": PathCompleter(expanduser=True),
        "complete_while_typing": False,
        "output": create_output(sys.stderr),
    }

    def next_answer() -> str | None:
        try:
            return str(questionary.text("", qmark=">", **settings).unsafe_ask())
        except EOFError:
            return None

    return next_answer
