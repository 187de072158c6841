"""gopherdx explain: what an archetype is, how it shows, why it hurts, how to fix it."""

from __future__ import annotations

from typing import Annotated

import typer

from gopherdx_cli.options import Color, ColorOption
from gopherdx_cli.output import terminal_width, use_color, write_stdout


def explain(
    archetype: Annotated[str, typer.Argument(metavar="ID", help="Id or slug of an archetype, as G101.")],
    color: ColorOption = Color.auto,
) -> None:
    """Explain one kind of bug and its fix."""
    from gopherdx.report.manual import render

    from gopherdx import load_kb

    readme = load_kb().find(archetype).readme
    write_stdout(render(readme, width=terminal_width(), color=use_color(color)))
