"""What a diagnosis means to a script: the exit code under ``--fail-on``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gopherdx_cli.options import FailOn

if TYPE_CHECKING:
    from gopherdx.model import Diagnosis

DONE = 0
FOUND = 1
UNDECIDED = 3


def exit_code(diagnosis: Diagnosis, fail_on: FailOn | None) -> int:
    """0 when done; under ``--fail-on`` 1 for a likely finding that severe, 3 where nothing was decided."""
    from gopherdx.model import SEVERITIES

    if fail_on is None:
        return DONE
    bar = SEVERITIES.index(fail_on.value)
    if any(SEVERITIES.index(finding.severity) >= bar for finding in diagnosis.likely):
        return FOUND
    return UNDECIDED if diagnosis.outcome in ("inconclusive", "insufficient") else DONE
