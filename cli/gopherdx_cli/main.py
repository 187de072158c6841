"""The two programs, ``gopherdx`` and ``diagnose``: their commands, their exit codes, never a traceback."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from gopherdx.errors import GopherdxError
from gopherdx_cli import demo, diagnose, doctor, explain, kb, triage, version

EXIT_USAGE = 2
EXIT_INTERNAL = 70
EXIT_INTERRUPTED = 130

_SETTINGS: dict[str, Any] = {
    "add_completion": False,
    "rich_markup_mode": None,  # help in plain text: rich would double the time to --help
    "pretty_exceptions_enable": False,
    "context_settings": {"help_option_names": ["-h", "--help"], "max_content_width": 100},
}

app = typer.Typer(name="gopherdx", **_SETTINGS)
app.command("diagnose")(diagnose.diagnose)
app.command("triage")(triage.triage)
app.command("explain")(explain.explain)
app.add_typer(kb.app, name="kb")
app.command("demo")(demo.demo)
app.command("doctor")(doctor.doctor)
app.command("version")(version.version)

diagnose_app = typer.Typer(name="diagnose", **_SETTINGS)
diagnose_app.command()(diagnose.diagnose)


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    show_version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", is_eager=True)
    ] = False,
) -> None:
    """Name the bug in a slow or stuck Go program, from the traces and profiles that it already writes.

    Start with: gopherdx demo
    """
    if show_version:
        version.version()
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(EXIT_USAGE)


def main(argv: Sequence[str] | None = None) -> None:
    """The console script ``gopherdx``."""
    sys.exit(run(app, "gopherdx", argv))


def main_diagnose(argv: Sequence[str] | None = None) -> None:
    """The console script ``diagnose``: ``gopherdx diagnose`` under the short name."""
    sys.exit(run(diagnose_app, "diagnose", argv))


def run(program: typer.Typer, name: str, argv: Sequence[str] | None = None) -> int:
    """Run a program and return its exit code; every failure is one sentence on standard error."""
    command = typer.main.get_command(program)
    try:
        code = command.main(args=None if argv is None else list(argv), prog_name=name, standalone_mode=False)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except GopherdxError as error:
        return _fail(str(error), error.exit_code)
    except Exception as error:
        return _fail_otherwise(error, name)
    return code if isinstance(code, int) else 0


def _fail_otherwise(error: Exception, name: str) -> int:
    """Errors that are not the library's own: of the command line, an interrupt, or a bug of ours."""
    if isinstance(error, typer.Abort):
        return EXIT_INTERRUPTED
    message: Callable[[], str] | None = getattr(error, "format_message", None)
    if message is not None:  # typer's own errors, whichever module they come from in its versions
        context = getattr(error, "ctx", None)
        path = context.command_path if context is not None else name
        return _fail(f"{message().rstrip('.')}; see {path} --help", EXIT_USAGE)
    if os.environ.get("GOPHERDX_DEBUG"):
        traceback.print_exception(error)
    return _fail(
        f"internal error, {type(error).__name__}: {error} ({_origin(error)}); this is a bug of gopherdx: set"
        " GOPHERDX_DEBUG=1 to see all of it, and report it with what `gopherdx doctor` prints",
        EXIT_INTERNAL,
    )


def _origin(error: Exception) -> str:
    """The file and line that an error comes from."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown place"


def _fail(sentence: str, code: int) -> int:
    from gopherdx.report.safe import safe

    sys.stderr.write(f"gopherdx: {safe(' '.join(sentence.split()))}\n")
    return code


def helps() -> Iterator[tuple[str, str]]:
    """Every command with the help that it prints, for docs/cli.md."""
    root = typer.main.get_command(app)
    yield from _helps(root, "gopherdx", None)


def _helps(command: Any, name: str, parent: Any) -> Iterator[tuple[str, str]]:
    context = command.make_context(
        name.split()[-1], [], parent=parent, resilient_parsing=True, terminal_width=100, max_content_width=100
    )
    context.info_name = name.split()[-1]
    yield name, command.get_help(context)
    for child, sub in getattr(command, "commands", {}).items():
        yield from _helps(sub, f"{name} {child}", context)
