"""gopherdx kb: the knowledge base, and what its authors need."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gopherdx_cli.options import KnowledgeOption
from gopherdx_cli.output import ProgressLine, note, write_stdout

app = typer.Typer(help="The knowledge base of bug archetypes.", no_args_is_help=False, rich_markup_mode=None)

EXIT_PROBLEMS = 1


@app.command("list")
def list_archetypes(kb: KnowledgeOption = None) -> None:
    """List every archetype: id, slug, family, status, title."""
    from gopherdx import load_kb

    rows = [(a.id, a.slug, a.family, a.status, a.title) for a in load_kb(kb or (), rules=False).archetypes]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows)
    write_stdout("".join(f"{line}\n" for line in lines))


@app.command("new")
def new_archetype(
    archetype: Annotated[str, typer.Argument(metavar="ID", help="Its id, as ACME101.")],
    slug: Annotated[str, typer.Argument(metavar="SLUG", help="Its short name, as lost-wakeup.")],
    title: Annotated[
        str, typer.Option("--title", metavar="TEXT", envvar="GOPHERDX_TITLE", help="The bug in one line.")
    ] = "TODO",
    into: Annotated[
        Path, typer.Option("--into", metavar="DIR", envvar="GOPHERDX_INTO", help="The folder to make it in.")
    ] = Path(),
) -> None:
    """Make the folder of a new archetype, with TODO where you write."""
    from gopherdx.authoring import new

    folder = new(archetype, slug, title=title, parent=into)
    write_stdout(f"{folder}\n")
    note(f"write what says TODO, then: gopherdx kb check {folder}", quiet=False)


@app.command("observe")
def observe_files(
    files: Annotated[list[Path], typer.Argument(metavar="FILE|DIR...", help="Recordings of a program.")],
    grep: Annotated[
        str, typer.Option("--grep", metavar="TEXT", envvar="GOPHERDX_GREP", help="Only lines with TEXT.")
    ] = "",
) -> None:
    """Print what rules can see in recordings: each observation with its value, unit, subject and source."""
    from gopherdx.pipeline import observations

    with ProgressLine(quiet=False) as progress:
        of_processes = observations(*files, progress=progress)
    for seen in of_processes:
        rows = [(o.name, f"{o.value}", o.unit, o.source.artifact, o.subject) for o in seen.items]
        looked = sorted(seen.looked - {o.name for o in seen.items})
        rows += [(name, "looked for, not there", "", "", "") for name in looked]
        write_stdout("".join("\t".join(row).rstrip("\t") + "\n" for row in rows if grep in "\t".join(row)))


@app.command("check")
def check_archetypes(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[DIR]...", help="Folders of archetypes; those that come along where none is named."
        ),
    ] = None,
    build: Annotated[
        bool,
        typer.Option(
            "--build/--no-build",
            envvar="GOPHERDX_BUILD",
            help="Build the programs with Go, where it is found.",
        ),
    ] = True,
) -> None:
    """Judge archetypes: data, rules, texts, programs, links. Exit code 1 where something is to be mended."""
    from gopherdx.authoring import archetypes_in, check, check_together, go_command

    found = archetypes_in(folders or ())
    go = go_command() if build else None
    if build and go is None:
        note("no Go toolchain is found (PATH, GOPHERDX_GO): the programs are not built", quiet=False)
    problems = [problem for folder in found for problem in check(folder, go=go)] + check_together(found)
    write_stdout("".join(f"{problem}\n" for problem in problems))
    fine = f"{len(found)} archetype{'s' if len(found) != 1 else ''} checked"
    note(f"{fine}, {len(problems) or 'no'} problem{'s' if len(problems) != 1 else ''}", quiet=False)
    if problems:
        raise typer.Exit(EXIT_PROBLEMS)
