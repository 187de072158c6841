"""gopherdx version: one line."""

from __future__ import annotations

import typer

import gopherdx


def version() -> None:
    """Show the version."""
    typer.echo(f"gopherdx {gopherdx.__version__}")
