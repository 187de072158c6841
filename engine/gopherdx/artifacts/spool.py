"""A stream that cannot go back, as a temporary file that can."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import BinaryIO, cast

from gopherdx.errors import UnreadableInput

CHUNK = 1 << 20


def spooled(read: Callable[[int], bytes], limit: int, too_much: UnreadableInput) -> BinaryIO:
    """All that ``read`` gives, until it gives nothing; the caller closes the file, which is at its start.

    Raises ``too_much`` where it is more than ``limit`` bytes.
    """
    file = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115
    try:
        left = limit
        while chunk := read(CHUNK):
            left -= len(chunk)
            if left < 0:
                raise too_much
            file.write(chunk)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file
