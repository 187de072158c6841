"""gopherdx diagnose: artifacts in, a diagnosis out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from gopherdx.errors import UsageError
from gopherdx_cli.exits import exit_code
from gopherdx_cli.options import (
    Color,
    ColorOption,
    CorpusOption,
    Encoder,
    EncoderOption,
    FailOn,
    ForceOption,
    Format,
    FormatOption,
    KnowledgeOption,
    OutputOption,
    PassagesOption,
    QuietOption,
    SymptomOption,
)
from gopherdx_cli.output import ProgressLine, Sink, load_meanwhile, note


def diagnose(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILE|DIR|URL|-",
            hidden=True,  # the text below says it better than a line of types
        ),
    ] = None,
    trace: Annotated[
        list[Path] | None,
        typer.Option(
            "--trace", metavar="FILE", envvar="GOPHERDX_TRACE", help="Execution trace, Go 1.11 or later."
        ),
    ] = None,
    cpu_profile: Annotated[
        list[Path] | None,
        typer.Option("--cpu-profile", metavar="FILE", envvar="GOPHERDX_CPU_PROFILE", help="CPU profile."),
    ] = None,
    heap_profile: Annotated[
        list[Path] | None,
        typer.Option("--heap-profile", metavar="FILE", envvar="GOPHERDX_HEAP_PROFILE", help="Heap profile."),
    ] = None,
    allocs_profile: Annotated[
        list[Path] | None,
        typer.Option(
            "--allocs-profile", metavar="FILE", envvar="GOPHERDX_ALLOCS_PROFILE", help="Allocs profile."
        ),
    ] = None,
    mutex_profile: Annotated[
        list[Path] | None,
        typer.Option(
            "--mutex-profile", metavar="FILE", envvar="GOPHERDX_MUTEX_PROFILE", help="Mutex profile."
        ),
    ] = None,
    block_profile: Annotated[
        list[Path] | None,
        typer.Option(
            "--block-profile", metavar="FILE", envvar="GOPHERDX_BLOCK_PROFILE", help="Block profile."
        ),
    ] = None,
    goroutines: Annotated[
        list[Path] | None,
        typer.Option("--goroutines", metavar="FILE", envvar="GOPHERDX_GOROUTINES", help="Goroutine profile."),
    ] = None,
    gctrace: Annotated[
        list[Path] | None,
        typer.Option(
            "--gctrace", metavar="FILE", envvar="GOPHERDX_GCTRACE", help="Log of GODEBUG=gctrace=1."
        ),
    ] = None,
    metrics: Annotated[
        list[Path] | None,
        typer.Option(
            "--metrics", metavar="FILE", envvar="GOPHERDX_METRICS", help="Metrics of the Go runtime."
        ),
    ] = None,
    select: Annotated[
        list[str] | None,
        typer.Option(
            "--select", metavar="IDS", envvar="GOPHERDX_SELECT", help="Judge only these archetypes (G101,G4)."
        ),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option("--ignore", metavar="IDS", envvar="GOPHERDX_IGNORE", help="Leave these archetypes out."),
    ] = None,
    go_version: Annotated[
        str | None,
        typer.Option(
            "--go-version",
            metavar="V",
            envvar="GOPHERDX_GO_VERSION",
            help="Go version of the program (1.23).",
        ),
    ] = None,
    symptom: SymptomOption = None,
    kb: KnowledgeOption = None,
    passages: PassagesOption = True,
    encoder: EncoderOption = Encoder.static,
    corpus: CorpusOption = None,
    fail_on: Annotated[
        FailOn | None,
        typer.Option(
            "--fail-on", envvar="GOPHERDX_FAIL_ON", help="Exit with 1 for a finding at least this severe."
        ),
    ] = None,
    format: FormatOption = Format.text,  # noqa: A002
    output: OutputOption = None,
    force: ForceOption = False,
    color: ColorOption = Color.auto,
    quiet: QuietOption = False,
) -> None:
    """Diagnose a program from what it recorded.

    Name traces, profiles or a folder of them: what each is, its content tells. - is standard input. Flags
    name a file of one kind and refuse another. Files named together are one process, several folders are
    several: two services that wait for each other take the folders of both. --symptom describes what you
    see, where there are no files yet or besides them.

    Exit codes: 0 done, 1 --fail-on reached, 2 wrong use or unreadable input, 3 undecided under --fail-on,
    70 internal error, 130 interrupted.
    """
    paths = list(files or [])
    profiles = [cpu_profile, heap_profile, allocs_profile, mutex_profile, block_profile]
    flagged = [path for given in (trace, *profiles, goroutines, gctrace, metrics) for path in given or ()]
    sink = Sink(format, output, force, color, quiet)
    sink.check([*map(Path, paths), *flagged])

    import gopherdx

    load_meanwhile(format, passages=passages, files=[*map(Path, paths), *flagged])
    with ProgressLine(quiet=quiet) as progress:
        diagnosis = gopherdx.diagnose(
            *_opened(paths),
            trace=trace,
            cpu_profile=cpu_profile,
            heap_profile=heap_profile,
            allocs_profile=allocs_profile,
            mutex_profile=mutex_profile,
            block_profile=block_profile,
            goroutines=goroutines,
            gctrace=gctrace,
            metrics=metrics,
            select=_ids(select),
            ignore=_ids(ignore),
            go_version=go_version,
            symptom=symptom,
            kb=kb or (),
            passages=passages,
            encoder=encoder.value,
            corpus=corpus or (),
            progress=progress,
        )
    sink.write(diagnosis)
    if format is not Format.text:
        for warning in diagnosis.warnings:
            note(warning, quiet=quiet)
    raise typer.Exit(exit_code(diagnosis, fail_on))


def _opened(paths: list[str]) -> list[str | BinaryIO]:
    """The paths, with standard input in the place of ``-``."""
    if paths.count("-") > 1:
        raise UsageError("- is named twice", todo="standard input can be read once")
    if "-" in paths and sys.stdin.isatty():
        raise UsageError("standard input is a terminal", todo="send a file to it, or name the file")
    return [sys.stdin.buffer if path == "-" else path for path in paths]


def _ids(values: list[str] | None) -> list[str]:
    """Ids as they may be given: repeated flags, commas, blanks."""
    return [part for value in values or [] for part in value.replace(",", " ").split()]
