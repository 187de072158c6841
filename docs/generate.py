"""Writes what follows from the code: docs/cli.md, the JSON schema, the demo in README. Tests compare."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from gopherdx.model import SCHEMA_VERSION, Diagnosis

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = ROOT / "engine" / "gopherdx" / "schema" / f"diagnosis-{SCHEMA_VERSION}.json"
CLI = ROOT / "docs" / "cli.md"
README = ROOT / "README.md"

SHARES = {"Finding": ["confidence"], "Precision": ["value", "lower"], "Place": ["share"]}
NOT_NEGATIVE = {"Input": ["bytes"]}


class _EveryKeyIsThere(GenerateJsonSchema):
    """``to_dict`` always writes every key, so a reader may rely on each."""

    def field_is_required(self, *_: Any, **__: Any) -> bool:
        return True


def schema_text() -> str:
    """The JSON schema of a diagnosis, from ``model.py`` and what types cannot say (bounds)."""
    schema = TypeAdapter(Diagnosis).json_schema(mode="serialization", schema_generator=_EveryKeyIsThere)
    definitions = schema["$defs"]
    for name, fields in SHARES.items():
        for field in fields:
            definitions[name]["properties"][field] |= {"minimum": 0, "maximum": 1}
    for name, fields in NOT_NEGATIVE.items():
        for field in fields:
            definitions[name]["properties"][field] |= {"minimum": 0}
    schema["properties"]["schema_version"] = {"const": SCHEMA_VERSION, "title": "Schema Version"}
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:gopherdx:diagnosis:{SCHEMA_VERSION}",
    }
    return json.dumps(head | schema, indent=2) + "\n"


def cli_text() -> str:
    """docs/cli.md: the help of every command as the command prints it, 80 columns wide."""
    from gopherdx_cli.main import helps

    parts = [
        "# Command line",
        "",
        "Written by `make docs` from the commands themselves. Every flag has a twin in the environment,",
        "named in brackets; the flag wins.",
        "",
        "| exit code | meaning |",
        "|---|---|",
        "| 0 | done |",
        "| 1 | `--fail-on` reached |",
        "| 2 | wrong use, or input that cannot be read |",
        "| 3 | `--fail-on` given, and the answer is inconclusive or insufficient |",
        "| 70 | internal error |",
        "| 130 | interrupted |",
    ]
    for command, text in helps():
        parts += ["", f"## {command}", "", "```text", text.rstrip(), "```"]
    return "\n".join(parts) + "\n"


def readme_text() -> str:
    """README.md with what ``gopherdx demo`` says today, up to the code of the fix."""
    readme = README.read_text(encoding="utf-8")
    block = f"<!-- demo output -->\n```text\n{demo_text()}\n```\n"
    return re.sub(
        r"<!-- demo output -->\n(?:```text\n.*?\n```\n)?", lambda _: block, readme, count=1, flags=re.S
    )


def demo_text() -> str:
    """The first screen of the demo: everything before the code of the fix."""
    import gopherdx
    from gopherdx.report import text

    report = text.render(gopherdx.diagnose(ROOT / "engine" / "gopherdx" / "demo"))
    return report.split("\n  before\n")[0].rstrip()


if __name__ == "__main__":
    for file, write in ((SCHEMA, schema_text), (CLI, cli_text), (README, readme_text)):
        file.write_text(write(), encoding="utf-8")
        print(f"wrote {file.relative_to(ROOT)}")
