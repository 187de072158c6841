"""The JSON of a diagnosis: the types of ``gopherdx.model``, as ``schema/diagnosis-1.0.json`` has them."""

from __future__ import annotations

import json

from gopherdx.model import Diagnosis


def render(diagnosis: Diagnosis) -> str:
    """A diagnosis as one JSON object, indented by two, ASCII only, ending in a newline.

    ASCII, so that a function name can carry neither terminal escapes nor a character set into a pipe. Numbers
    are finite: ``ValueError`` where a stage let an infinity or a NaN through.
    """
    return json.dumps(diagnosis.to_dict(), indent=2, ensure_ascii=True, allow_nan=False) + "\n"
