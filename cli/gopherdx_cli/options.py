"""Options that several commands share, each with its twin in the environment."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer


class Format(str, Enum):
    """How a diagnosis is written."""

    text = "text"
    json = "json"


class Color(str, Enum):
    """When to colour."""

    auto = "auto"
    always = "always"
    never = "never"


class FailOn(str, Enum):
    """Severities, for ``--fail-on``."""

    info = "info"
    low = "low"
    medium = "medium"
    high = "high"
    critical = "critical"


FormatOption = Annotated[
    Format, typer.Option("-f", "--format", envvar="GOPHERDX_FORMAT", help="How to write the diagnosis.")
]
OutputOption = Annotated[
    Path | None,
    typer.Option(
        "-o", "--output", metavar="FILE", envvar="GOPHERDX_OUTPUT", help="Write to FILE, not standard output."
    ),
]
ForceOption = Annotated[
    bool, typer.Option("--force", envvar="GOPHERDX_FORCE", help="Let -o overwrite a file that exists.")
]
ColorOption = Annotated[
    Color,
    typer.Option("--color", envvar="GOPHERDX_COLOR", help="Colour the text; auto heeds NO_COLOR."),
]
QuietOption = Annotated[
    bool,
    typer.Option("-q", "--quiet", envvar="GOPHERDX_QUIET", help="No progress and notes on standard error."),
]
KnowledgeOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--kb",
        metavar="DIR",
        envvar="GOPHERDX_KB",
        help="A folder of archetypes of your own, besides those that come along. Runs its rules.",
    ),
]
