"""A recording at an address that the user gave: fetched once, into a temporary file, from there alone."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO

from gopherdx.artifacts.sniff import size_text
from gopherdx.errors import UnreadableInput

if TYPE_CHECKING:
    from urllib.request import OpenerDirector

SILENCE_S = 30.0
"""How long a server may say nothing, beyond the seconds that it was asked to record."""

_ADDRESS = re.compile(r"https?://[^/\s]+\S*", re.I)
_RECORDS_S_MAX = 3600.0


def is_address(text: str) -> bool:
    """Whether a text is an address that can be fetched (http and https alone)."""
    return _ADDRESS.fullmatch(text) is not None


class Remote:
    """What lies at an address. Nothing is sent but the request; other schemes are not followed."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._kept: IO[bytes] | None = None

    def __str__(self) -> str:
        return self.address

    def open(self, limit: int) -> BinaryIO:
        """Its bytes, fetched when first asked for. Raises ``UnreadableInput`` where they cannot be had, or
        are more than ``limit``."""
        if self._kept is None:
            self._kept = self._fetched(limit)
        return Path(self._kept.name).open("rb")

    def _fetched(self, limit: int) -> IO[bytes]:
        # Imported where it is needed: it takes longer than a small recording.
        from http.client import HTTPException
        from urllib.error import HTTPError, URLError
        from urllib.request import Request

        request = Request(self.address, headers={"User-Agent": "gopherdx"})
        try:
            with _opener().open(request, timeout=SILENCE_S + _records_s(self.address)) as answer:
                return self._copied(answer, limit)
        except HTTPError as error:
            what = f"the server answers {error.code} {error.reason}"
        except URLError as error:
            what = f"cannot be fetched: {error.reason}"
        except (OSError, HTTPException, ValueError) as error:
            what = f"cannot be fetched: {str(error) or type(error).__name__}"
        raise UnreadableInput(what, where=self.address, todo="see that the address is right, or give a file")

    def _copied(self, answer: IO[bytes], limit: int) -> IO[bytes]:
        kept = tempfile.NamedTemporaryFile(prefix="gopherdx-")  # noqa: SIM115 - gone with this object
        size = 0
        while chunk := answer.read(1 << 20):
            size += len(chunk)
            if size > limit:
                kept.close()
                raise UnreadableInput(
                    f"holds more than {size_text(limit)}", where=self.address, todo="record a shorter time"
                )
            kept.write(chunk)
        kept.flush()
        return kept


def _opener() -> OpenerDirector:
    """http and https only: the usual opener would follow to ftp, and open local files."""
    from urllib import request

    opener = request.OpenerDirector()
    for handler in (
        request.ProxyHandler,
        request.HTTPHandler,
        request.HTTPSHandler,
        request.HTTPDefaultErrorHandler,
        request.HTTPErrorProcessor,
        request.HTTPRedirectHandler,
        request.UnknownHandler,
    ):
        opener.add_handler(handler())
    return opener


def _records_s(address: str) -> float:
    """How long the address makes the server record before it answers (``?seconds=30``)."""
    from urllib.parse import parse_qs, urlsplit

    try:
        asked = float(parse_qs(urlsplit(address).query).get("seconds", ["0"])[0])
    except ValueError:
        return 0.0
    return min(max(asked, 0.0), _RECORDS_S_MAX)
