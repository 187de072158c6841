"""The bytes of a pprof file up to the protobuf message: gzip with a limit, and what can be wrong on the way.

Anything that is no whole profile ends in one sentence: cut short, damaged, several at once, or what the file
is in truth.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from gopherdx.artifacts.sniff import Form, sniff
from gopherdx.errors import UnreadableInput

if TYPE_CHECKING:
    from gopherdx.artifacts import profile_pb2 as pb

MAX_RECORDS = 2_000_000
"""Bound for the rows of any table. A message of two bytes costs a hundred in memory and a microsecond in
Python: this is far above what a real profile holds, and keeps a hostile one from taking minutes."""

ONE_FILE_EACH = "write each profile to a file of its own (a file opened to append collects them)"

_GZIP = b"\x1f\x8b"
_MAX_MEMBERS = 1_000
_CHUNK_BYTES = 64 << 10


class DamagedError(Exception):
    """A profile that breaks the format; the message says how."""

    def __init__(self, how: str, todo: str = "record it again") -> None:
        super().__init__(how)
        self.todo = todo


def payloads(data: bytes, *, path: str, limit_bytes: int) -> list[bytes]:
    """The uncompressed bytes of each profile in a file; together at most ``limit_bytes``."""
    if not data:
        raise UnreadableInput("the file is empty", where=path, todo="record the profile again")
    if not data.startswith(_GZIP):
        if len(data) > limit_bytes:
            raise _too_large(path, limit_bytes)
        return [data]
    members = _inflate(data, path, limit_bytes)
    if members[0].startswith(_GZIP):  # compressed again on its way, by a server or by hand
        members = _inflate(b"".join(members), path, limit_bytes)
    # Members are one stream by gzip's own rule: parallel compressors cut one profile into several. Only where
    # each is a whole profile do several stand one after another.
    if len(members) == 1 or all(_is_whole(member) for member in members):
        return members
    return [b"".join(members)]


def parse(payload: bytes) -> pb.Profile:
    """The message in the bytes; DamagedError where there is none, or several."""
    from google.protobuf.message import DecodeError

    from gopherdx.artifacts import profile_pb2

    try:
        message = profile_pb2.Profile.FromString(payload)
    except DecodeError:
        repaired = _repair_strings(payload)
        try:
            message = profile_pb2.Profile.FromString(repaired)
        except DecodeError:
            raise DamagedError("a field in it is cut short or of the wrong type") from None
    if _is_concatenated(message, payload):
        raise DamagedError("several profiles one after another without gzip between them", ONE_FILE_EACH)
    return message


def refusal(payload: bytes, damage: DamagedError, path: str) -> UnreadableInput:
    """The error for bytes that could not be read: what they are instead, else how they are damaged."""
    found = sniff(payload)
    if found.form not in (None, Form.PPROF):
        return UnreadableInput(
            f"{found.looks_like}, not a pprof profile", where=path, todo="name it as what it is"
        )
    # Old text profiles, programs, web pages, answers of servers; the damage tells of the rest.
    if found.form is None and not found.looks_like.startswith("binary data"):
        todo = found.hint or "record the profile again"
        return UnreadableInput(f"{found.looks_like}, not a pprof profile", where=path, todo=todo)
    return UnreadableInput(f"not a valid pprof profile: {damage}", where=path, todo=damage.todo)


# --- gzip --------------------------------------------------------------------------------------------------


def _inflate(data: bytes, path: str, limit_bytes: int) -> list[bytes]:
    """Inflate each gzip member; the sum is at most ``limit_bytes``."""
    view, position, room = memoryview(data), 0, limit_bytes
    members: list[bytes] = []
    while position < len(data):
        if data[position : position + 2] != _GZIP:
            raise _leftover(len(data), position, path)
        if len(members) == _MAX_MEMBERS:
            raise UnreadableInput(f"more than {_MAX_MEMBERS:,} gzip members", where=path, todo=ONE_FILE_EACH)
        try:
            member, position = _inflate_member(view, position, room)
        except zlib.error as error:
            reason = str(error).removeprefix("Error -3 while decompressing data: ")
            raise UnreadableInput(
                f"the gzip is damaged ({reason})", where=path, todo="copy it again, as binary"
            ) from None
        if member is None:
            raise UnreadableInput(
                f"the gzip is cut short after {len(data):,} bytes", where=path, todo="copy or record it again"
            )
        if len(member) > room:
            raise _too_large(path, limit_bytes)
        room -= len(member)
        members.append(member)
    return members


def _inflate_member(view: memoryview, position: int, room: int) -> tuple[bytes | None, int]:
    """One member and where the next begins; None where the data ends before it does.

    Stops one byte past ``room``: a small file that inflates to gigabytes costs no more than the limit.
    """
    decoder = zlib.decompressobj(wbits=31)
    parts: list[bytes] = []
    size = 0
    while not decoder.eof and size <= room:
        feed: bytes | memoryview = decoder.unconsumed_tail
        if not feed:
            feed = view[position : position + _CHUNK_BYTES]
            position += len(feed)
        part = decoder.decompress(feed, min(1 << 20, room + 1 - size))
        if not part and not len(feed):
            return None, position
        parts.append(part)
        size += len(part)
    return b"".join(parts), position - len(decoder.unused_data)


def _too_large(path: str, limit_bytes: int) -> UnreadableInput:
    return UnreadableInput(
        f"holds more than {limit_bytes:,} bytes uncompressed, the limit for one profile",
        where=path,
        todo="record a shorter one",
    )


def _leftover(size: int, position: int, path: str) -> UnreadableInput:
    return UnreadableInput(
        f"{size - position:,} bytes that are no gzip follow the first {position:,}, which are whole"
        " (a program that writes over a longer file leaves its end)",
        where=path,
        todo=f"keep the whole part: head -c {position} FILE > profile.pb.gz",
    )


# --- protobuf encoding -------------------------------------------------------------------------------------


class _Field(NamedTuple):
    """A field of the outermost message: number, wire type, and where it and its content begin and end."""

    number: int
    wire: int
    start: int
    content: int
    end: int


_STRING_TABLE = 6
_SINGULAR = frozenset((7, 8, 9, 10, 11, 12, 14))


def _fields(payload: bytes) -> Iterator[_Field]:
    """Walk the outermost message (protobuf.dev/programming-guides/encoding, wire types 0, 1, 2 and 5)."""
    position = 0
    for _ in range(MAX_RECORDS):
        if position == len(payload):
            return
        start = position
        key, content = _varint(payload, start)
        if key & 7 == 0:
            _, position = _varint(payload, content)
        elif key & 7 == 2:
            length, content = _varint(payload, content)
            position = content + length
        elif key & 7 in (1, 5):
            position = content + (8 if key & 7 == 1 else 4)
        else:
            raise DamagedError(f"no field begins at byte {start:,}")
        if position > len(payload):
            raise DamagedError(f"it is cut short, the field at byte {start:,} goes past the end")
        yield _Field(key >> 3, key & 7, start, content, position)
    raise DamagedError(f"more than {MAX_RECORDS:,} fields")


def _varint(payload: bytes, start: int) -> tuple[int, int]:
    """A number and where the next field goes on."""
    value = 0
    for index, byte in enumerate(payload[start : start + 10]):
        value |= (byte & 127) << (7 * index)
        if byte < 128:
            return value, start + index + 1
    raise DamagedError(f"it is cut short, or no number, at byte {start:,}")


def _encoded(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _is_whole(payload: bytes) -> bool:
    """Whether the bytes are a profile by themselves: fields up to the end, a string table of its own."""
    first_string: _Field | None = None
    try:
        for field in _fields(payload):
            if first_string is None and field.number == _STRING_TABLE:
                first_string = field
    except DamagedError:
        return False
    return first_string is not None and first_string.content == first_string.end


def _is_concatenated(message: pb.Profile, payload: bytes) -> bool:
    """Whether profiles stand one after another: protobuf merges them, which mixes up their tables.

    Each begins its string table with "", and repeats a field that a profile has once.
    """
    if len(message.string_table) > MAX_RECORDS:
        raise DamagedError(f"more than {MAX_RECORDS:,} strings")
    if list(message.string_table).count("") < 2:
        return False
    once = [field.number for field in _fields(payload) if field.number in _SINGULAR]
    return len(once) > len(set(once))


def _repair_strings(payload: bytes) -> bytes:
    """The same profile with all strings as UTF-8, which protobuf insists on and Go does not.

    A label of ``pprof.Do`` may hold any bytes. Raises DamagedError where the fields themselves are broken.
    """
    pieces: list[bytes] = []
    kept = 0
    for field in _fields(payload):
        if field.number != _STRING_TABLE or field.wire != 2:
            continue
        text = payload[field.content : field.end]
        fixed = text.decode(errors="replace").encode()
        if fixed != text:
            pieces += [payload[kept : field.start], b"\x32", _encoded(len(fixed)), fixed]
            kept = field.end
    return b"".join([*pieces, payload[kept:]])
