"""A recording at an address that the user gave: fetched once, into a temporary file, from there alone."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, BinaryIO

from gopherdx.artifacts.spool import spooled
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
        self._kept: BinaryIO | None = None

    def __str__(self) -> str:
        return self.address

    def open(self, limit: int, too_much: UnreadableInput) -> BinaryIO:
        """Its bytes, fetched when first asked for; the caller closes them, not what is kept.

        Raises ``UnreadableInput`` where they cannot be had, ``too_much`` where they are more than ``limit``.
        """
        if self._kept is None:
            self._kept = self._fetched(limit, too_much)
        self._kept.seek(0)
        return os.fdopen(os.dup(self._kept.fileno()), "rb")

    def _fetched(self, limit: int, too_much: UnreadableInput) -> BinaryIO:
        # Imported where it is needed: it takes longer than a small recording.
        from http.client import HTTPException
        from urllib.error import HTTPError, URLError
        from urllib.request import Request

        request = Request(self.address, headers={"User-Agent": "gopherdx"})
        try:
            with _opener().open(request, timeout=SILENCE_S + _records_s(self.address)) as answer:
                return spooled(answer.read, limit, too_much)
        except HTTPError as error:
            what = f"the server answers {error.code} {error.reason}"
        except URLError as error:
            what = f"cannot be fetched: {error.reason}"
        except (OSError, HTTPException, ValueError) as error:
            what = f"cannot be fetched: {str(error) or type(error).__name__}"
        raise UnreadableInput(what, where=self.address, todo="see that the address is right, or give a file")


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
