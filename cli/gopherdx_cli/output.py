"""Where results go: standard output or a file, and nothing but the result; the rest to standard error."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from gopherdx.errors import UsageError
from gopherdx_cli.options import Color, Format

if TYPE_CHECKING:
    from gopherdx.model import Diagnosis

WIDTH_WITHOUT_TERMINAL = 100
PROGRESS_AFTER_S = 1.0
EXIT_BROKEN_PIPE = 141  # what a shell reports of a tool that SIGPIPE ended


@dataclass(frozen=True, slots=True)
class Sink:
    """How and where a diagnosis is written; checked before the work starts."""

    format: Format = Format.text
    file: Path | None = None
    force: bool = False
    color: Color = Color.auto
    quiet: bool = False

    def check(self, inputs: Iterable[Path] = ()) -> None:
        """Raise ``UsageError`` where writing would fail or destroy something, before any work is done."""
        if self.file is None:
            return
        where = str(self.file)
        if os.path.isdir(where):
            raise UsageError("is a folder", where=where, todo="name a file to write to")
        if not os.path.isdir(self.file.parent):
            raise UsageError("its folder does not exist", where=where, todo="make it, or name another file")
        if not os.path.lexists(where):
            return
        if any(os.path.realpath(path) == os.path.realpath(where) for path in inputs):
            raise UsageError("is one of the inputs", where=where, todo="name another file to write to")
        if not self.force:
            raise UsageError("exists already", where=where, todo="add --force to overwrite it")

    def write(self, diagnosis: Diagnosis) -> None:
        """Render the diagnosis and write it, as UTF-8 whatever the locale: the same input, the same bytes."""
        color = use_color(self.color) and (self.file is None or self.color is Color.always)
        width = WIDTH_WITHOUT_TERMINAL if self.file else terminal_width()
        text = _render(diagnosis, self.format, width, color)
        if self.file is None:
            write_stdout(text)
            return
        try:
            with self.file.open("w" if self.force else "x", encoding="utf-8", newline="\n") as out:
                out.write(text)
        except OSError as error:
            raise UsageError(
                f"cannot be written: {_words(error)}", where=str(self.file), todo="name another file"
            ) from None
        note(f"wrote {self.file}", quiet=self.quiet)


def _render(diagnosis: Diagnosis, form: Format, width: int, color: bool) -> str:
    if form is Format.json:
        from gopherdx.report import json

        return json.render(diagnosis)
    from gopherdx.report import text

    return text.render(diagnosis, width=width, color=color)


def write_stdout(text: str) -> None:
    """Write a result to standard output as UTF-8; a reader that went away (``| head``) ends it quietly."""
    if sys.stdout is None:  # started with >&-
        raise UsageError("standard output is closed", todo="send it to a file, or use -o FILE")
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        _flush_into_nothing()
        raise typer.Exit(EXIT_BROKEN_PIPE) from None
    except OSError as error:
        _flush_into_nothing()
        raise UsageError(f"cannot be written: {_words(error)}", where="standard output") from None


def _flush_into_nothing() -> None:
    """The interpreter flushes standard output at exit, and would complain again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _words(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()


def terminal_width() -> int:
    """Columns of the terminal on standard output, else a fixed width: a pipe gets the same bytes always."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL


def use_color(choice: Color) -> bool:
    """Whether to colour: as asked; on auto only a terminal, unless NO_COLOR (no-color.org) is set."""
    if choice is not Color.auto:
        return choice is Color.always
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def note(sentence: str, *, quiet: bool = False) -> None:
    """A hint for a person, on standard error."""
    if not quiet:
        from gopherdx.report.safe import safe

        sys.stderr.write(f"gopherdx: {safe(sentence)}\n")


_LARGE_BYTES = 8 << 20


def load_meanwhile(form: Format, *, passages: bool = True, files: Iterable[Path] = ()) -> None:
    """Import what reasoning and the report need while kernels read the trace, in a thread of its own.

    Passages come last, for not every diagnosis has any; where much is to be read they wait until they are
    needed, for both cores have more to do.
    """

    def load() -> None:
        # An error here comes again where the module is needed, and is told there.
        with contextlib.suppress(Exception):
            from gopherdx.pipeline import Library, prepare

            prepare()
            if form is Format.text:
                from gopherdx.report import text  # noqa: F401
            if passages and sum(file.stat().st_size for file in files if file.is_file()) < _LARGE_BYTES:
                Library().open()

    threading.Thread(target=load, name="gopherdx-load", daemon=True).start()


class ProgressLine:
    """A line on standard error that appears when the work takes over a second, and goes when it is done."""

    def __init__(self, *, quiet: bool) -> None:
        self._shown = False
        self._quiet = quiet
        self._enabled = not quiet and sys.stderr.isatty()
        self._next_s = time.monotonic() + PROGRESS_AFTER_S

    def __enter__(self) -> ProgressLine:
        return self

    def __call__(self, what: str, done: float) -> None:
        """Show how far ``what`` is; called as often as the library likes."""
        now_s = time.monotonic()
        if done < 0:  # a long step begins, of which nothing more is heard until it ends
            note(what, quiet=self._quiet)
            return
        if not self._enabled or now_s < self._next_s:
            return
        share = f" {min(done, 1.0):.0%}" if done else ""
        sys.stderr.write(f"\r\x1b[Kgopherdx: {what}{share}")
        sys.stderr.flush()
        self._shown = True
        self._next_s = now_s + 0.1

    def __exit__(self, *_: object) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
