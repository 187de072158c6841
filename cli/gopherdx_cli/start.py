"""Where the console scripts begin: before anything is imported that takes time."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from typing import NoReturn

# A process that lives for a second and drops nothing: going over all that imports leave costs a tenth of it.
_GC_THRESHOLD = 200_000
# Threads that read a trace need the interpreter for moments only, while another imports what comes after.
_SWITCH_S = 0.0005


def gopherdx() -> NoReturn:
    """The console script ``gopherdx``."""
    _run("main")


def diagnose() -> NoReturn:
    """The console script ``diagnose``: ``gopherdx diagnose`` under the short name."""
    _run("main_diagnose")


def _run(program: str) -> NoReturn:
    gc.set_threshold(_GC_THRESHOLD)
    sys.setswitchinterval(_SWITCH_S)
    from gopherdx_cli import main

    code: object = 0
    try:
        getattr(main, program)()
    except SystemExit as end:
        code = end.code
    # Everything is written: taking apart what was imported would cost as much as a twentieth of the whole.
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    os._exit(code if isinstance(code, int) else 0 if code is None else 1)


if __name__ == "__main__":
    gopherdx()
