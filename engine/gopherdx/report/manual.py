"""The page of an archetype, for a terminal: headings and code in colour, or the Markdown as it stands."""

from __future__ import annotations

import io


def render(markdown: str, *, width: int, color: bool) -> str:
    """Markdown laid out for a terminal of ``width`` columns; without colour it is readable as it is."""
    if not color:
        return markdown.rstrip("\n") + "\n"
    from rich.console import Console
    from rich.markdown import Markdown

    out = io.StringIO()
    console = Console(
        file=out, width=width, force_terminal=True, color_system="standard", legacy_windows=False, _environ={}
    )
    console.print(Markdown(markdown, code_theme="ansi_dark", hyperlinks=False))
    return "\n".join(line.rstrip() for line in out.getvalue().split("\n"))
