"""What a file is, by its content. Names lie: stacks in ``trace.out``, text in ``.pprof``.

``open_artifact`` opens a file so that gzip is transparent and a gzip bomb stays small; ``sniff`` looks at the
first bytes and says which form of artifact it is, or in words what it looks like instead. Neither reads an
artifact: that is for the file of its kind.
"""

from __future__ import annotations

import io
import os
import re
import stat
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import BinaryIO, cast

from gopherdx.errors import UnreadableInput

HEAD_BYTES = 1 << 18
"""How much of a file ``sniff`` looks at: a dump may follow pages of log lines."""

INFLATED_LIMIT = 8 << 30
"""Bytes that one compressed file may grow to. A minute of trace of a busy server is about 1 GB."""

# The largest profile at hand, of a process with 46 GB of heap, is 2.4 MB uncompressed. A hostile file of this
# size takes up to 40 times as much memory once parsed: whoever reads strangers' files passes a lower limit.
PROFILE_LIMIT = 64 << 20
METRICS_LIMIT = 64 << 20

_CHUNK = 1 << 16
_GZIP = b"\x1f\x8b"


class Form(str, Enum):
    """Forms of file that are known by their first bytes; which profile a pprof is, its sample types tell."""

    TRACE = "trace"
    PPROF = "pprof"
    GOROUTINE_DUMP = "goroutine-dump"
    GCTRACE = "gctrace"
    SCHEDTRACE = "schedtrace"
    METRICS = "metrics"
    LOG = "log"  # text that shows none of these in its first bytes, and goes on


FORM_NAMES = {
    Form.TRACE: "an execution trace",
    Form.PPROF: "a pprof profile",
    Form.GOROUTINE_DUMP: "a goroutine dump (text)",
    Form.GCTRACE: "a gctrace log",
    Form.SCHEDTRACE: "a schedtrace log",
    Form.METRICS: "a file of runtime metrics",
    Form.LOG: "text",
}

TRACE_HEADERS = {
    "1.5": "Go 1.5 or 1.6",
    "1.7": "Go 1.7",
    "1.8": "Go 1.8",
    "1.9": "Go 1.9",
    "1.10": "Go 1.10",
    "1.11": "Go 1.11 to 1.18",
    "1.19": "Go 1.19 or 1.20",
    "1.21": "Go 1.21",
    "1.22": "Go 1.22",
    "1.23": "Go 1.23 or 1.24",
    "1.25": "Go 1.25",
    "1.26": "Go 1.26 or 1.27",
}
"""Releases that write each trace header (Go's internal/trace/version; up to 1.21 its parser.go)."""


@dataclass(frozen=True, slots=True)
class Sniffed:
    """What the first bytes tell.

    ``form`` is None for what gopherdx does not know; ``looks_like`` then says in words what it seems to be.
    ``header`` is the version in a trace's header, as ``1.22``. ``hint`` is what to do about it, if anything.
    """

    form: Form | None
    looks_like: str
    header: str = ""
    hint: str = ""


def sniff(head: bytes) -> Sniffed:
    """Say what a file is from its first bytes (already inflated; at most ``HEAD_BYTES`` are looked at)."""
    head = head[:HEAD_BYTES]
    if not head:
        return Sniffed(None, "an empty file", hint="record it again")
    for look in (_trace, _legacy_profile, _foreign, _pprof, _text):
        found = look(head)
        if found is not None:
            return found
    return Sniffed(
        None, "binary data of no kind that gopherdx knows", hint="give a trace, a profile or a metrics file"
    )


# Opening ------------------------------------------------------------------------------------------------


def check_file(path: Path) -> None:
    """Raise ``UnreadableInput`` unless ``path`` is a regular file that can be opened."""
    where = str(path)
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise UnreadableInput("no such file", where=where, todo="check the name") from None
    except OSError as error:
        raise UnreadableInput(reason(error), where=where, todo="check the name and its permissions") from None
    except ValueError:  # a NUL in it
        raise UnreadableInput("is no name that a file can have", where=repr(where)) from None
    if stat.S_ISDIR(mode):
        raise UnreadableInput("is a folder, not a file", where=where, todo="name the file in it")
    if not stat.S_ISREG(mode):
        what = "a pipe" if stat.S_ISFIFO(mode) else "a socket" if stat.S_ISSOCK(mode) else "a device"
        raise UnreadableInput(
            f"is {what}, not a file",
            where=where,
            todo="save it to a file, or send it to standard input and name -",
        )


def is_folder(path: Path) -> bool:
    """Whether a path is a folder; False where it cannot be looked at (``Path.is_dir`` raises for some)."""
    try:
        return path.is_dir()
    except OSError:
        return False


def open_artifact(file: Path | BinaryIO, *, where: str, limit: int = INFLATED_LIMIT) -> BinaryIO:
    """Open a file for reading, seekable, with gzip taken off (twice where a profile was compressed again).

    A file object is taken as it is, from its start, and must be seekable. More than ``limit`` bytes out of a
    compressed file raise ``UnreadableInput`` when they are read; nothing is inflated ahead of the reader.
    """
    if isinstance(file, Path):
        check_file(file)
        try:
            stream = cast(BinaryIO, file.open("rb"))
        except OSError as error:
            raise UnreadableInput(reason(error), where=where, todo="check its permissions") from None
    else:
        stream = file
    try:
        for _ in range(2):
            stream.seek(0)
            magic = stream.read(len(_GZIP))
            stream.seek(0)
            if magic != _GZIP:
                break
            stream = cast(BinaryIO, io.BufferedReader(Inflated(stream, where=where, limit=limit), _CHUNK))
    except BaseException:
        stream.close()
        raise
    return stream


def is_cut(stream: BinaryIO) -> bool:
    """Whether a stream of ``open_artifact``, read to its end, was a gzip file that stops in the middle."""
    raw = getattr(stream, "raw", None)
    return isinstance(raw, Inflated) and (raw.cut or is_cut(raw.compressed))


def reason(error: OSError) -> str:
    """An operating system's error in its own words: ``permission denied``."""
    return (error.strerror or type(error).__name__).lower()


class Inflated(io.RawIOBase):
    """A gzip file as the bytes in it, inflated as they are read and never more than ``limit`` of them.

    A file that stops in the middle ends there and sets ``cut``: what a crashed recorder left is still worth
    reading. ``seek`` goes forward by inflating and back by starting anew.
    """

    def __init__(self, compressed: BinaryIO, *, where: str, limit: int) -> None:
        super().__init__()
        self.compressed = compressed
        self.cut = False
        self._where = where
        self._limit = limit
        self._rewind()

    def close(self) -> None:
        if not self.closed:
            self.compressed.close()
        super().close()

    def _rewind(self) -> None:
        self.compressed.seek(0)
        self._inflate = zlib.decompressobj(wbits=31)
        self._pending = b""
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence == os.SEEK_CUR:
            offset += self._at
        elif whence == os.SEEK_END:
            offset += self._end()
        if offset < self._at:
            self._rewind()
        while self._at < offset and self._next(min(_CHUNK, offset - self._at)):
            pass
        return self._at

    def _end(self) -> int:
        while self._next(_CHUNK):
            pass
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        out = self._next(len(buffer))
        buffer[: len(out)] = out
        return len(out)

    def _next(self, size: int) -> bytes:
        """At least one and at most ``size`` inflated bytes; none at the end."""
        try:
            while True:
                if self._inflate.eof and not self._next_member():
                    return b""
                data = self._pending or self.compressed.read(_CHUNK)
                out = self._inflate.decompress(data, size)
                self._pending = self._inflate.unconsumed_tail
                if out:
                    return self._count(out)
                if not data:
                    self.cut = not self._inflate.eof
                    return b""
        except zlib.error as error:
            raise UnreadableInput(
                f"is a damaged gzip file ({error})", where=self._where, todo="copy or record it again"
            ) from None
        except OSError as error:
            raise UnreadableInput(reason(error), where=self._where, todo="copy it again") from None

    def _next_member(self) -> bool:
        """Gzip files may follow one another; what follows and is none is padding, as for gzip(1)."""
        rest = self._inflate.unused_data or self.compressed.read(_CHUNK)
        if len(rest) < len(_GZIP):
            rest += self.compressed.read(_CHUNK)
        if not rest.startswith(_GZIP):
            return False
        self._inflate = zlib.decompressobj(wbits=31)
        self._pending = rest
        return True

    def _count(self, out: bytes) -> bytes:
        self._at += len(out)
        if self._at > self._limit:
            raise UnreadableInput(
                f"grows to more than {size_text(self._limit)} when it is decompressed",
                where=self._where,
                todo="if it is no gzip bomb, decompress it and give the plain file",
            )
        return out


def size_text(size: int) -> str:
    """A number of bytes for a sentence: ``512 MiB``."""
    value = float(size)
    for unit in ("bytes", "KiB", "MiB"):
        if value < 1024:
            return f"{value:.3g} {unit}"
        value /= 1024
    return f"{value:.3g} GiB"


# Looking ------------------------------------------------------------------------------------------------

_TRACE_HEADER = re.compile(rb"go (1\.\d{1,3}) trace\x00{3}")


def _trace(head: bytes) -> Sniffed | None:
    match = _TRACE_HEADER.match(head)
    if match is None:
        if len(head) < 16 and b"go 1.26 trace".startswith(head[:4]) and head.startswith(b"go 1."):
            return Sniffed(None, "the first bytes of an execution trace", hint="record it again")
        return None
    version = match[1].decode()
    releases = TRACE_HEADERS.get(version, "an unknown Go release")
    return Sniffed(Form.TRACE, f"an execution trace of {releases} (header go {version})", header=version)


_LEGACY = (
    (b"heap profile:", "a heap profile in the old text form"),
    (b"--- contention", "a mutex or block profile in the old text form"),
    (b"--- mutex:", "a mutex profile in the old text form"),
    (b"threadcreate profile:", "a threadcreate profile in the old text form"),
)


def _legacy_profile(head: bytes) -> Sniffed | None:
    for start, name in _LEGACY:
        if head.startswith(start):
            return Sniffed(None, name, hint="fetch it again without ?debug=1")
    return None


_FOREIGN = (
    (b"\x7fELF", "a program (ELF)", "give what it recorded, not the program"),
    (b"MZ", "a Windows program", "give what it recorded, not the program"),
    (b"\xcf\xfa\xed\xfe", "a program (Mach-O)", "give what it recorded, not the program"),
    (b"PK\x03\x04", "a zip archive", "unpack it first"),
    (b"\x28\xb5\x2f\xfd", "a zstd file", "decompress it first"),
    (b"\xfd7zXZ", "an xz file", "decompress it first"),
    (b"BZh", "a bzip2 file", "decompress it first"),
    (b"PERFILE2", "a perf recording of Linux", "give a pprof profile or a trace of Go"),
    (_GZIP, "a gzip file within gzip within gzip", "decompress it first"),
)


def _foreign(head: bytes) -> Sniffed | None:
    if head[257:262] == b"ustar":
        return Sniffed(None, "a tar archive", hint="unpack it first")
    for start, name, hint in _FOREIGN:
        if head.startswith(start):
            return Sniffed(None, name, hint=hint)
    return None


# The fields of Profile that are messages or strings, and numbers (github.com/google/pprof, profile.proto).
_PPROF_BYTES = frozenset({1, 2, 3, 4, 5, 6, 11, 13})
_PPROF_NUMBERS = frozenset({7, 8, 9, 10, 12, 13, 14, 15})


def _pprof(head: bytes) -> Sniffed | None:
    """A pprof has no magic number: every top-level field must be one of Profile, and one must name a type."""
    typed = False
    try:
        for field, value in _fields(memoryview(head)):
            if field not in (_PPROF_NUMBERS if value is None else _PPROF_BYTES):
                return None
            typed = typed or (field in (1, 11) and value is not None and _is_value_type(value))
    except ValueError:
        return None
    return Sniffed(Form.PPROF, FORM_NAMES[Form.PPROF]) if typed else None


def _is_value_type(message: memoryview) -> bool:
    """Whether a message is a ValueType: two numbers, both indices into the table of strings."""
    fields = list(_fields(message))
    return 0 < len(fields) <= 2 and all(field in (1, 2) and value is None for field, value in fields)


def _fields(data: memoryview) -> Iterator[tuple[int, memoryview | None]]:
    """The top-level fields of a protobuf message (value None for a number); ValueError where it is none.

    A last field that is cut off ends the walk: it is the head of a longer file.
    """
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        wire = tag & 7
        if tag >> 3 == 0 or wire not in (0, 2):
            raise ValueError("no field of a profile")
        value, at = _varint(data, at)
        if wire == 0:
            yield tag >> 3, None
            continue
        if at + value > len(data) and len(data) < HEAD_BYTES:
            raise ValueError("a field is longer than the file")
        yield tag >> 3, data[at : at + value]
        at += value


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            if len(data) < HEAD_BYTES:
                raise ValueError("a number is cut off")
            return 0, at
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("a number is too long")


_GOROUTINE = re.compile(
    rb"goroutine \d+ (?:gp=\S+ m=\S+ (?:mp=\S+ )?)?\[[A-Za-z?][^\n]*?\](?: \{[^\n]*\})?:(?:[ \t\r]*$|\\n)",
    re.MULTILINE,
)
_GOROUTINE_COUNTS = re.compile(rb"goroutine(?:leak)? profile: total \d+(?:[ \t\r]*$|\\n)", re.MULTILINE)
_GCTRACE = re.compile(rb"gc \d+ @[\d.]+s \d+%(?: \([^)\n]{1,60}\))?: [\d.+]+ ms clock, ")
_SCHEDTRACE = re.compile(rb"SCHED \d+ms: gomaxprocs=\d+ ")
_PROMETHEUS = re.compile(
    rb"^(?:# (?:TYPE|HELP) go_\w+ |go_\w+(?:\{[^}\n]*\})?[ \t]+[-+\d.eEINnaf]+(?:[ \t]+[\d.]+)?\s*$)", re.M
)
_PROMETHEUS_ANY = re.compile(rb"^# (?:TYPE|HELP) \w+ ", re.MULTILINE)
_METRIC_NAME = re.compile(
    rb'"(?:/(?:gc|memory|sched|cpu|sync|cgo|godebug)/[a-z][^"\n]*:[^"\n]*|memstats|HeapAlloc|heap_alloc)"\s*[:,]'
)


def _text(head: bytes) -> Sniffed | None:
    if b"\x00" in head:
        return None
    known: tuple[tuple[Form, Callable[[bytes], object]], ...] = (
        (Form.GOROUTINE_DUMP, _GOROUTINE_COUNTS.search),
        (Form.GOROUTINE_DUMP, _GOROUTINE.search),
        (Form.GCTRACE, _GCTRACE.search),
        (Form.SCHEDTRACE, _SCHEDTRACE.search),
        (Form.METRICS, _METRIC_NAME.search),
        (Form.METRICS, _PROMETHEUS.search),
    )
    for form, search in known:
        if search(head):
            return Sniffed(form, FORM_NAMES[form])
    return _other_text(head)


# ``curl`` is Invoke-WebRequest there, whose answer is an object; ``>`` writes text in UTF-16.
_SHOWN = re.compile(rb"statuscode\s*:\s*\d")
DOWNLOAD = "download it with curl.exe -o FILE URL, or Invoke-WebRequest URL -OutFile FILE"


def of_recoded(head: bytes) -> Sniffed:
    """Say what a file is that was UTF-16, from its first bytes in UTF-8."""
    found = sniff(head)
    if found.form in (Form.TRACE, Form.PPROF) or b"\x00" in head:
        what = "binary data that PowerShell's > turned into text, which damages it"
        return Sniffed(None, what, hint=DOWNLOAD)
    return found


def _other_text(head: bytes) -> Sniffed | None:
    start = head.lstrip()[:200].lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return Sniffed(None, "an HTML page", hint="fetch the profile itself, not the page that links to it")
    if start.startswith((b"404", b"unknown profile", b"could not", b"unable to")):
        line = start.split(b"\n")[0].decode("utf-8", "replace").strip()
        return Sniffed(None, f"the error page of a failed download ({line[:60]!r})", hint="check the address")
    if _SHOWN.match(start):
        return Sniffed(None, "what PowerShell shows of a download, not the download", hint=DOWNLOAD)
    if b'"traceEvents"' in head:
        return Sniffed(None, "a trace of Chrome's viewer (JSON)", hint="give the trace of Go itself")
    if _PROMETHEUS_ANY.search(head):
        if len(head) >= HEAD_BYTES:  # in the order of the alphabet, much may stand before go_
            return Sniffed(Form.METRICS, FORM_NAMES[Form.METRICS])
        return Sniffed(
            None, "Prometheus metrics with none of the Go runtime", hint="scrape the Go program itself"
        )
    if start.startswith((b"{", b"[")):
        return Sniffed(
            None, "JSON without metrics of the Go runtime", hint="give /debug/vars or runtime/metrics"
        )
    try:
        head[:_CHUNK].decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < min(len(head), _CHUNK) - 4:
            return None
    form = Form.LOG if len(head) >= HEAD_BYTES else None
    return Sniffed(
        form, "text of no kind that gopherdx knows", hint="give a trace, a profile or a metrics file"
    )
