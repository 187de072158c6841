"""gopherdx demo: a real recording that comes with the package, diagnosed."""

from __future__ import annotations

from importlib.resources import as_file, files

from gopherdx_cli.options import (
    Color,
    ColorOption,
    ForceOption,
    Format,
    FormatOption,
    OutputOption,
    QuietOption,
)
from gopherdx_cli.output import ProgressLine, Sink, note


def demo(
    format: FormatOption = Format.text,  # noqa: A002
    output: OutputOption = None,
    force: ForceOption = False,
    color: ColorOption = Color.auto,
    quiet: QuietOption = False,
) -> None:
    """Diagnose a recording that comes along."""
    sink = Sink(format, output, force, color, quiet)
    sink.check()

    import gopherdx

    note("diagnosing a recording of a slow Go service that comes with gopherdx", quiet=quiet)
    with as_file(files("gopherdx") / "demo") as folder, ProgressLine(quiet=quiet) as progress:
        diagnosis = gopherdx.diagnose(folder, progress=progress)
    sink.write(diagnosis)
