"""Streams that a trace is read from: counted, with its first bytes given back, unpacked up to a limit."""

from __future__ import annotations

import gzip
import io
import zlib
from typing import BinaryIO

from gopherdx.errors import UnreadableInput


def read_exactly(stream: Prefixed | Limited, size: int, path: str) -> bytes:
    data = b""
    try:
        while len(data) < size and (more := stream.read(size - len(data))):
            data += more
        return data
    except (EOFError, zlib.error, gzip.BadGzipFile, OSError) as error:
        raise UnreadableInput(
            "the gzip data cannot be unpacked", where=path, todo="copy or record the file again"
        ) from error


def random_access(stream: BinaryIO) -> bool:
    """Whether going back in a stream costs nothing. In a gzip file it does, though it says ``seekable``."""
    if isinstance(stream, io.BytesIO):
        return True
    try:
        return stream.seekable() and stream.fileno() >= 0
    except OSError:
        return False


class Counted(io.RawIOBase):
    """Counts the bytes that pass, for progress."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.count = 0

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self.count += len(data)
        return data

    def fill(self, buffer: memoryview) -> int:
        """Read into ``buffer``; returns how many bytes."""
        if isinstance(self._stream, io.BufferedIOBase):
            count = self._stream.readinto(buffer)
        else:
            data = self._stream.read(len(buffer))
            count = len(data)
            buffer[:count] = data
        self.count += count
        return count


class Prefixed(io.RawIOBase):
    """A stream that gives back the bytes which were read to see what it is."""

    def __init__(self, head: bytes, stream: Counted) -> None:
        self._head = head
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        if self._head:
            if size < 0 or size >= len(self._head):
                head, self._head = self._head, b""
                rest = self._stream.read(-1 if size < 0 else size - len(head)) if size != len(head) else b""
                return head + (rest or b"")
            head, self._head = self._head[:size], self._head[size:]
            return head
        return self._stream.read(size) or b""

    def fill(self, buffer: memoryview) -> int:
        """Read into ``buffer``; returns how many bytes."""
        if not self._head:
            return self._stream.fill(buffer)
        data = self.read(min(len(buffer), len(self._head)))
        buffer[: len(data)] = data
        return len(data)


class Limited(io.RawIOBase):
    """A gzip stream that stops at a limit of unpacked bytes, and at damage ends instead of failing."""

    def __init__(self, stream: gzip.GzipFile, path: str, limit: int) -> None:
        self._stream = stream
        self._path = path
        self._left = limit
        self._limit = limit

    def read(self, size: int = -1) -> bytes:
        try:
            data = self._stream.read1(size)  # read() would lose what it unpacked before the damage
        except (EOFError, zlib.error, gzip.BadGzipFile):
            data = b""
        self._left -= len(data)
        if self._left < 0:
            raise UnreadableInput(
                f"this gzip unpacks to more than {self._limit >> 20:,} MiB",
                where=self._path,
                todo="unpack it yourself if you trust it, or take a shorter trace",
            )
        return data

    def fill(self, buffer: memoryview) -> int:
        """Unpack into ``buffer``; returns how many bytes."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)
