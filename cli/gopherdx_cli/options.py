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


class Encoder(str, Enum):
    """What compares texts."""

    static = "static"
    minilm = "minilm"


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
SymptomOption = Annotated[
    str | None,
    typer.Option(
        "--symptom",
        metavar="TEXT",
        envvar="GOPHERDX_SYMPTOM",
        help="What you see, in a sentence or two: with files or alone.",
    ),
]
PassagesOption = Annotated[
    bool,
    typer.Option(
        "--passages/--no-passages",
        envvar="GOPHERDX_PASSAGES",
        help="Whether findings carry passages of the corpus to read on with.",
    ),
]
EncoderOption = Annotated[
    Encoder,
    typer.Option(
        "--encoder",
        envvar="GOPHERDX_ENCODER",
        help="How texts are compared; minilm needs gopherdx[semantic].",
    ),
]
CorpusOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--corpus",
        metavar="DIR",
        envvar="GOPHERDX_CORPUS",
        help="A folder of Markdown of your own, such as runbooks, besides what comes along.",
    ),
]
