"""gopherdx names the bug in a slow or stuck Go program.

>>> import gopherdx
>>> gopherdx.diagnose("trace.out", "cpu.pprof").outcome    # doctest: +SKIP
'diagnosed'

Names are imported when they are first used, so that ``import gopherdx`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gopherdx.errors import GopherdxError
    from gopherdx.kb import load_kb
    from gopherdx.model import Diagnosis, Finding
    from gopherdx.pipeline import diagnose
    from gopherdx.triage import Triage

__version__ = "0.1.0"

__all__ = ["Diagnosis", "Finding", "GopherdxError", "Triage", "__version__", "diagnose", "load_kb"]

_HOME = {
    "Diagnosis": "gopherdx.model",
    "Finding": "gopherdx.model",
    "GopherdxError": "gopherdx.errors",
    "Triage": "gopherdx.triage",
    "diagnose": "gopherdx.pipeline",
    "load_kb": "gopherdx.kb",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
