"""Where the console scripts begin: before anything is imported that takes time."""

from __future__ import annotations

import gc

# A process that lives for a second and drops nothing: going over all that imports leave costs a tenth of it.
_GC_THRESHOLD = 200_000


def gopherdx() -> None:
    """The console script ``gopherdx``."""
    gc.set_threshold(_GC_THRESHOLD)
    from gopherdx_cli.main import main

    main()


def diagnose() -> None:
    """The console script ``diagnose``: ``gopherdx diagnose`` under the short name."""
    gc.set_threshold(_GC_THRESHOLD)
    from gopherdx_cli.main import main_diagnose

    main_diagnose()


if __name__ == "__main__":
    gopherdx()
