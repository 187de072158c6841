"""gopherdx version: one line."""

from __future__ import annotations

import gopherdx
from gopherdx_cli.output import write_stdout


def version() -> None:
    """Show the version."""
    write_stdout(f"gopherdx {gopherdx.__version__}\n")
