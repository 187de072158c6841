"""gopherdx explain: what an archetype is, how it shows, why it hurts, how to fix it."""

from __future__ import annotations

from typing import Annotated

import typer

from gopherdx_cli.options import Color, ColorOption, KnowledgeOption
from gopherdx_cli.output import terminal_width, use_color, write_stdout


def explain(
    archetype: Annotated[str, typer.Argument(metavar="ID", help="Id or slug of an archetype, as G101.")],
    color: ColorOption = Color.auto,
    kb: KnowledgeOption = None,
) -> None:
    """Explain one kind of bug and its fix."""
    from gopherdx import load_kb
    from gopherdx.report.manual import render
    from gopherdx.selection import find, read_page

    page = read_page(find(load_kb(kb or (), rules=False), archetype))
    write_stdout(render(page, width=terminal_width(), color=use_color(color)))
