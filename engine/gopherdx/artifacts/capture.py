"""Files, folders and streams -> the artifacts of one process, or of several.

A file that is named and cannot be read is an error: whoever named it wants to know. Inside a folder it is a
warning, for a folder collects all sorts of things.
"""

from __future__ import annotations

import codecs
import dataclasses
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeAlias, cast

from gopherdx.artifacts.remote import Remote
from gopherdx.artifacts.sniff import (
    FORM_NAMES,
    HEAD_BYTES,
    INFLATED_LIMIT,
    METRICS_LIMIT,
    PROFILE_LIMIT,
    Form,
    Inflated,
    Sniffed,
    is_folder,
    of_recoded,
    open_artifact,
    reason,
    size_text,
    sniff,
)
from gopherdx.artifacts.spool import spooled
from gopherdx.errors import UnreadableInput, UsageError
from gopherdx.model import Input

# The reader of each form is imported when one is read: most captures are of one form.
if TYPE_CHECKING:
    from gopherdx.artifacts.dump import GoroutineDump
    from gopherdx.artifacts.gclog import GcTrace, SchedTrace
    from gopherdx.artifacts.metrics import Metrics
    from gopherdx.artifacts.pprof import Profile, ProfileKind
    from gopherdx.artifacts.trace import Trace

    Artifact: TypeAlias = Trace | Profile | GcTrace | SchedTrace | Metrics | GoroutineDump

Progress: TypeAlias = Callable[[str, float], None]
"""Called with what is being done and the share of it that is done: 0 where that is not known, -1 where
a step of several seconds begins that cannot say how far it is."""

STDIN_NAME = "standard input"
PROCESSES_MAX = 16
_MAX_NAMES = 3


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a file may hold once decompressed, in bytes. A server passes lower ones."""

    trace_bytes: int = INFLATED_LIMIT
    profile_bytes: int = PROFILE_LIMIT
    log_bytes: int = INFLATED_LIMIT
    metrics_bytes: int = METRICS_LIMIT


@dataclass(frozen=True, slots=True)
class Flag:
    """What a flag such as ``--cpu-profile`` takes: forms, kinds of profile, and the kind it makes of them."""

    name: str
    noun: str
    forms: tuple[Form, ...]
    kinds: tuple[ProfileKind, ...] = ()
    becomes: ProfileKind | None = None


# What one log may hold all of; a long one whose beginning shows none may hold it further on.
_LOGS = (Form.GOROUTINE_DUMP, Form.GCTRACE, Form.SCHEDTRACE, Form.LOG)

FLAGS: dict[str, Flag] = {
    "trace": Flag("--trace", "an execution trace", (Form.TRACE,)),
    "cpu_profile": Flag("--cpu-profile", "a CPU profile", (Form.PPROF,), ("cpu",)),
    # An allocs profile is a heap profile that shows another column first; mutex and block look alike.
    "heap_profile": Flag("--heap-profile", "a heap profile", (Form.PPROF,), ("heap", "allocs"), "heap"),
    "allocs_profile": Flag(
        "--allocs-profile", "an allocs profile", (Form.PPROF,), ("heap", "allocs"), "allocs"
    ),
    "mutex_profile": Flag(
        "--mutex-profile", "a mutex profile", (Form.PPROF,), ("mutex", "block", "mutex or block"), "mutex"
    ),
    "block_profile": Flag(
        "--block-profile", "a block profile", (Form.PPROF,), ("mutex", "block", "mutex or block"), "block"
    ),
    "goroutines": Flag(
        "--goroutines",
        "a goroutine profile or dump",
        (Form.PPROF, *_LOGS),
        ("goroutine", "goroutineleak"),
    ),
    "gctrace": Flag("--gctrace", "a gctrace log", _LOGS),
    "metrics": Flag("--metrics", "runtime metrics", (Form.METRICS,)),
}

_FLAG_OF_KIND = {
    "cpu": "--cpu-profile",
    "heap": "--heap-profile",
    "allocs": "--allocs-profile",
    "mutex": "--mutex-profile",
    "block": "--block-profile",
    "goroutine": "--goroutines",
    "goroutineleak": "--goroutines",
}
_FLAG_OF_FORM = {
    Form.TRACE: "--trace",
    Form.GOROUTINE_DUMP: "--goroutines",
    Form.GCTRACE: "--gctrace",
    Form.SCHEDTRACE: "--gctrace",
    Form.METRICS: "--metrics",
}
_LOG_KINDS = {
    "--gctrace": frozenset({"gctrace", "schedtrace"}),
    "--goroutines": frozenset({"goroutine-dump", "goroutineleak"}),
}


@dataclass(frozen=True, slots=True)
class Named:
    """One thing that the caller named: a path, an address or a stream, and the flag that came with it."""

    file: Path | Remote | BinaryIO
    flag: Flag | None = None

    @property
    def where(self) -> str:
        """What messages call it."""
        return str(self.file) if isinstance(self.file, (Path, Remote)) else STDIN_NAME


@dataclass(frozen=True, slots=True)
class Capture:
    """The artifacts of one process as they were read, and what is to be said of each."""

    artifacts: tuple[Artifact, ...]
    inputs: tuple[Input, ...]
    warnings: tuple[str, ...]
    name: str | None = None  # of the process, where several were named


def read_captures(
    named: Sequence[Named], *, limits: Limits, progress: Progress | None = None
) -> tuple[Capture, ...]:
    """Each process that was named, in the order of naming: several folders are several, all else is one.

    Raises as ``read_capture`` does, and ``UsageError`` for files beside several folders and for too many.
    """
    folders: dict[str, list[Named]] = {}
    for item in named:
        if _is_named_folder(item):
            folders.setdefault(os.path.realpath(item.where), []).append(item)
    if len(folders) < 2:
        return (read_capture(named, limits=limits, progress=progress),)
    for item in named:
        if not _is_named_folder(item):
            raise UsageError(
                "several folders are several processes, and this belongs to none of them",
                where=item.flag.name if item.flag is not None else item.where,
                todo="put it into the folder of its process",
            )
    if len(folders) > PROCESSES_MAX:
        raise UsageError(
            f"{len(folders)} folders are as many processes, and {PROCESSES_MAX} at most are judged together",
            todo="name those that call each other",
        )
    return tuple(
        _of_process(same[0].where, read_capture(same, limits=limits, progress=progress))
        for same in folders.values()
    )


def _of_process(name: str, capture: Capture) -> Capture:
    """The capture under its process's name, which everything that is said of it bears."""
    inputs = tuple(dataclasses.replace(i, process=name) for i in capture.inputs)
    warnings = tuple(w if name in w else f"{name}: {w}" for w in capture.warnings)
    return Capture(capture.artifacts, inputs, warnings, name)


def read_capture(named: Sequence[Named], *, limits: Limits, progress: Progress | None = None) -> Capture:
    """Read everything that was named of one process, a folder by the files directly in it.

    Raises ``UnreadableInput`` for a named file that cannot be read and a folder with nothing to read in it,
    ``UsageError`` where nothing is named.
    """
    if not named:
        raise UsageError("nothing to diagnose", todo="name a trace, a profile or a folder of them")
    reading = _Reading(limits, progress)
    for item in _once(named, reading):
        if _is_named_folder(item):
            reading.folder(cast(Path, item.file))
        else:
            reading.named(item)
    return Capture(in_order(reading.artifacts), tuple(reading.inputs), tuple(reading.warnings))


def _is_named_folder(item: Named) -> bool:
    return item.flag is None and isinstance(item.file, Path) and is_folder(item.file)


def in_order(artifacts: Sequence[Artifact]) -> tuple[Artifact, ...]:
    """Artifacts as observers take them: traces first, and those of one kind in the order of time.

    Where several tell the same thing, a trace tells it most closely. Artifacts of one kind of which any does
    not say when it was taken stay as they were named.
    """
    kinds = dict.fromkeys(a.kind for a in artifacts)
    ordered: list[Artifact] = []
    for kind in sorted(kinds, key=lambda kind: kind != "trace"):
        of_kind = [a for a in artifacts if a.kind == kind]
        if all(a.time_ns for a in of_kind):
            of_kind.sort(key=lambda a: a.time_ns)
        ordered += of_kind
    return tuple(ordered)


def _once(named: Sequence[Named], reading: _Reading) -> Iterator[Named]:
    """Each file once: read twice, it would count double."""
    for item in named:
        if isinstance(item.file, Path) and not reading.first_time(item.file):
            reading.warnings.append(f"{item.where} was named twice and is read once")
            continue
        yield item


@dataclass(slots=True)
class _Reading:
    """What has been read so far."""

    limits: Limits
    progress: Progress | None
    artifacts: list[Artifact] = field(default_factory=list)
    inputs: list[Input] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def first_time(self, path: Path) -> bool:
        name = str(path)
        real = name if "\0" in name else os.path.realpath(name)
        if real in self.seen:
            return False
        self.seen.add(real)
        return True

    def named(self, item: Named) -> None:
        with _Opened(item, self.limits) as opened:
            found = opened.sniffed
            _check(found, item)
            self._read(opened)

    def folder(self, folder: Path) -> None:
        """Read the files directly in a folder, by name; hidden ones and folders within are left alone."""
        try:
            entries = sorted(e for e in folder.iterdir() if not e.name.startswith("."))
        except OSError as error:
            raise UnreadableInput(reason(error), where=str(folder), todo="check its permissions") from None
        left_out: list[str] = []
        before, named = len(self.artifacts), False
        for path in entries:
            if is_folder(path):
                continue
            if _is_special(path):
                left_out.append(path.name)
            elif self.first_time(path):
                self._in_folder(path, left_out)
            else:
                named = True
        if left_out:
            self.warnings.append(f"left out what is no artifact: {_names(left_out)}")
        if len(self.artifacts) == before and not named:
            raise self._nothing_in(folder, entries)

    def _in_folder(self, path: Path, left_out: list[str]) -> None:
        item = Named(path)
        try:
            with _Opened(item, self.limits) as opened:
                found = opened.sniffed
                if found.form is None and opened.size:
                    left_out.append(path.name)
                    return
                _check(found, item)
                try:
                    self._read(opened)
                except UnreadableInput:
                    if found.form is not Form.LOG:
                        raise
                    left_out.append(path.name)
        except UnreadableInput as error:
            self.warnings.append(str(error))

    def _nothing_in(self, folder: Path, entries: Sequence[Path]) -> UnreadableInput:
        within = [e.name for e in entries if is_folder(e)]
        files = [e.name for e in entries if e.name not in within]
        if not entries:
            what = "is an empty folder"
        elif files:
            what = f"holds no trace or profile that can be read ({_names(files)})"
        else:
            what = "holds no files, only folders"
        todo = (
            f"name the folder within: {_names(within)}" if within else "record a trace or a profile into it"
        )
        return UnreadableInput(what, where=str(folder), todo=todo)

    def _read(self, opened: _Opened) -> None:
        if opened.sniffed.form is Form.TRACE:
            self._read_trace(opened)
        elif opened.sniffed.form is Form.PPROF:
            self._read_profile(opened)
        elif opened.sniffed.form is Form.METRICS:
            self._read_metrics(opened)
        else:
            self._read_log(opened)

    def _read_trace(self, opened: _Opened) -> None:
        from gopherdx.artifacts.trace import read_trace

        where = opened.item.where
        trace = read_trace(
            opened.source, path=where, progress=self.progress, limit_bytes=self.limits.trace_bytes
        )
        self.artifacts.append(trace)
        self.inputs.append(Input(where, "trace", str(trace.go), opened.size, trace.truncated, trace.warnings))

    def _read_profile(self, opened: _Opened) -> None:
        """A program that appends to its file leaves several profiles in it: as many moments."""
        from gopherdx.artifacts.pprof import read_profiles

        where = opened.item.where
        read = read_profiles(
            opened.compressed(self.limits.profile_bytes), path=where, limit_bytes=self.limits.profile_bytes
        )
        profiles = [_as_flagged(profile, opened.item) for profile in read]
        self.artifacts += profiles
        for kind in dict.fromkeys(profile.kind for profile in profiles):
            of_kind = [profile for profile in profiles if profile.kind == kind]
            warnings = tuple(dict.fromkeys(w for profile in of_kind for w in profile.warnings))
            if len(of_kind) > 1:
                warnings += (f"holds {len(of_kind)} {_kind_name(kind)} profiles, taken as that many moments",)
            self.inputs.append(Input(where, kind, None, opened.size, False, warnings))

    def _read_metrics(self, opened: _Opened) -> None:
        from gopherdx.artifacts.metrics import read_metrics

        where = opened.item.where
        found = read_metrics(opened.stream, path=where, limit_bytes=self.limits.metrics_bytes)
        self.artifacts += found
        go = next((str(m.go) for m in found if m.go is not None), None)
        self.inputs.append(Input(where, "metrics", go, opened.size, found[-1].truncated, found[-1].warnings))

    def _read_log(self, opened: _Opened) -> None:
        """A log may hold several kinds: every reader of text has a look at it."""
        from gopherdx.artifacts.dump import read_dumps
        from gopherdx.artifacts.gclog import read_gclog

        where, flag = opened.item.where, opened.item.flag
        found: list[GcTrace | SchedTrace | GoroutineDump] = []
        for read in (read_gclog, read_dumps):
            opened.stream.seek(0)
            found += read(opened.stream, path=where, limit_bytes=self.limits.log_bytes)
        sniffed = opened.sniffed
        if not found and sniffed.form is Form.LOG:
            raise UnreadableInput(f"is {sniffed.looks_like}", where=where, todo=sniffed.hint)
        wanted = _LOG_KINDS.get(flag.name) if flag is not None else None
        if flag is not None and wanted is not None and not any(a.kind in wanted for a in found):
            raise UnreadableInput(
                f"is {sniffed.looks_like}, not {flag.noun}", where=where, todo="name it without a flag"
            )
        if not found:
            raise UnreadableInput(
                f"is {sniffed.looks_like} with no whole line in it", where=where, todo="record it again"
            )
        self.artifacts += found
        for kind in dict.fromkeys(a.kind for a in found):
            of_kind = [a for a in found if a.kind == kind]
            truncated = any(a.truncated for a in of_kind)
            warnings = tuple(dict.fromkeys(w for a in of_kind for w in a.warnings))
            self.inputs.append(Input(where, kind, None, opened.size, truncated, warnings))


def _check(found: Sniffed, item: Named) -> None:
    """Raise ``UnreadableInput`` unless the file is of a form that gopherdx, and its flag, can take."""
    where, flag = item.where, item.flag
    if found.form is None:
        what = "is empty" if found.looks_like == "an empty file" else f"is {found.looks_like}"
        if flag is not None and what != "is empty":
            what += f", not {flag.noun}"
        raise UnreadableInput(what, where=where, todo=found.hint)
    if flag is not None and found.form not in flag.forms:
        better = _FLAG_OF_FORM.get(found.form)
        todo = f"give it as {better}" if better else "name it without a flag, or with the flag of its kind"
        raise UnreadableInput(f"is {FORM_NAMES[found.form]}, not {flag.noun}", where=where, todo=todo)
    if found.form is Form.TRACE:
        from gopherdx.artifacts.trace.format import is_readable

        if not is_readable(int(found.header.split(".")[1])):
            raise UnreadableInput(
                f"is {found.looks_like}, a version that this gopherdx does not read",
                where=where,
                todo="record it with a program built with Go 1.11 or later",
            )


def _as_flagged(profile: Profile, item: Named) -> Profile:
    """The profile as the kind that its flag says, where the file allows it."""
    flag = item.flag
    if profile.kind == "other":
        types = ", ".join(value_type.type for value_type in profile.sample_types) or "none"
        raise UnreadableInput(
            f"is a pprof profile of no kind that gopherdx judges (sample types: {types})",
            where=item.where,
            todo="give one of cpu, heap, allocs, mutex, block or goroutine of a Go program",
        )
    if flag is None:
        return _by_name(profile, item)
    if profile.kind not in flag.kinds:
        article = "an" if profile.kind == "allocs" else "a"
        raise UnreadableInput(
            f"is {article} {_kind_name(profile.kind)} profile, not {flag.noun}",
            where=item.where,
            todo=f"give it as {_FLAG_OF_KIND.get(profile.kind, '--mutex-profile')}",
        )
    return profile if flag.becomes is None else _settled(profile, flag.becomes)


def _by_name(profile: Profile, item: Named) -> Profile:
    """A profile whose content leaves two kinds open, as the one that its file's name says."""
    if profile.kind != "mutex or block" or not isinstance(item.file, Path):
        return profile
    kinds: tuple[ProfileKind, ...] = ("mutex", "block")
    said = [kind for kind in kinds if kind in item.file.name.lower()]
    return _settled(profile, said[0]) if len(said) == 1 else profile


def _settled(profile: Profile, kind: ProfileKind) -> Profile:
    """The profile as this kind, without the reader's doubt which it is."""
    if profile.kind == kind:
        return profile
    warnings = tuple(w for w in profile.warnings if "no frame tells which" not in w)
    return dataclasses.replace(profile, kind=kind, warnings=warnings)


def _kind_name(kind: str) -> str:
    return "CPU" if kind == "cpu" else kind


def _is_special(path: Path) -> bool:
    """Whether this is a pipe, a socket or a device: in a folder, nothing that is to be opened."""
    try:
        return not path.is_file() and path.exists()
    except OSError:
        return False


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_MAX_NAMES])
    more = len(names) - _MAX_NAMES
    return f"{shown} and {more} more" if more > 0 else shown


class _Opened:
    """A named file, open, inflated where it is gzip, and sniffed; closes what it opened."""

    def __init__(self, item: Named, limits: Limits) -> None:
        self.item = item
        self._limits = limits

    def __enter__(self) -> _Opened:
        item, limit = self.item, self._limits.trace_bytes
        if isinstance(item.file, Path):
            self.stream = open_artifact(item.file, where=item.where, limit=limit)
            self.size = item.file.stat().st_size
        else:
            too_much = f"holds more than {size_text(limit)}"
            error = UnreadableInput(too_much, where=item.where, todo="record a shorter time")
            file = item.file
            copy = file.open(limit, error) if isinstance(file, Remote) else spooled(file.read, limit, error)
            self.size = copy.seek(0, os.SEEK_END)
            self.stream = open_artifact(copy, where=item.where, limit=limit)
        try:
            head = self.stream.read(HEAD_BYTES)
            if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                # PowerShell's > writes text so. The recoder is read like a file, in UTF-8.
                self.stream.seek(0)
                self.stream = cast(BinaryIO, codecs.EncodedFile(self.stream, "utf-8", "utf-16", "replace"))
                self.sniffed = of_recoded(self.stream.read(HEAD_BYTES))
            else:
                self.sniffed = sniff(head)
            self.stream.seek(0)
        except BaseException:
            self.stream.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stream.close()

    @property
    def _inflated(self) -> Inflated | None:
        raw = getattr(self.stream, "raw", None)
        return raw if isinstance(raw, Inflated) else None

    @property
    def source(self) -> Path | BinaryIO:
        """What the trace reader takes: the path, for it knows gzip, or the stream where there is none."""
        inflated = self._inflated
        twice = inflated is not None and isinstance(getattr(inflated.compressed, "raw", None), Inflated)
        return self.item.file if isinstance(self.item.file, Path) and not twice else self.stream

    def compressed(self, limit: int) -> bytes:
        """The bytes below the last gzip, which the pprof reader takes off by itself."""
        inflated = self._inflated
        source = self.stream if inflated is None else inflated.compressed
        source.seek(0)
        data = source.read(limit + 1)
        if len(data) > limit:
            raise UnreadableInput(
                f"is a profile of more than {size_text(limit)}",
                where=self.item.where,
                todo="record a shorter one",
            )
        return data
