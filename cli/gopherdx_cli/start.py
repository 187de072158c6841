"""Where the console scripts begin: before anything is imported that takes time."""

from __future__ import annotations

import gc
import sys

# A process that lives for a second and drops nothing: going over all that imports leave costs a tenth of it.
_GC_THRESHOLD = 200_000
# Threads that read a trace need the interpreter for moments only, while another imports what comes after.
_SWITCH_S = 0.0005


def _settle() -> None:
    gc.set_threshold(_GC_THRESHOLD)
    sys.setswitchinterval(_SWITCH_S)


def gopherdx() -> None:
    """The console script ``gopherdx``."""
    _settle()
    from gopherdx_cli.main import main

    main()


def diagnose() -> None:
    """The console script ``diagnose``: ``gopherdx diagnose`` under the short name."""
    _settle()
    from gopherdx_cli.main import main_diagnose

    main_diagnose()


if __name__ == "__main__":
    gopherdx()
