"""gopherdx kb: the knowledge base."""

from __future__ import annotations

import typer

from gopherdx_cli.output import write_stdout

app = typer.Typer(help="The knowledge base of bug archetypes.", no_args_is_help=False, rich_markup_mode=None)


@app.command("list")
def list_archetypes() -> None:
    """List every archetype: id, slug, family, status, title."""
    from gopherdx import load_kb

    rows = [(a.id, a.slug, a.family, a.status, a.title) for a in load_kb(rules=False).archetypes]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows)
    write_stdout("".join(f"{line}\n" for line in lines))
