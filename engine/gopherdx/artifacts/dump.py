"""Reads goroutine dumps in text form, wherever they stand: alone, in a log, several one after another.

    for dump in read_dumps(source, path="stacks.txt", limit_bytes=1 << 30):
        dump.total, dump.groups[0].count, dump.groups[0].state, dump.groups[0].stack

Two forms. *Stacks*, a header and a stack for each goroutine, are what ``?debug=2``, ``runtime.Stack``, a
signal, a panic and a fatal error print (``goroutineheader`` and ``traceback1`` in runtime/traceback.go).
*Counts*, a stack for each group of goroutines, are what ``?debug=1`` prints (``printCountProfile`` and
``printStackRecord`` in runtime/pprof/pprof.go): no state, no age, the runtime's innermost frames unnamed.

A big dump is thousands of times the same stack. What two goroutines of one stack differ in are the arguments,
so a stack is known by its lines of file, line and offset, and parsed once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import BinaryIO, Literal, NamedTuple

from gopherdx.errors import UnreadableInput
from gopherdx.frames import Frame

DEFAULT_LIMIT_BYTES = 2 << 30
"""Bytes of text that are read. A dump of 100,000 goroutines is about 100 MB, and a log may hold several."""

Form = Literal["stacks", "counts"]

_CHUNK = 4 << 20
_BODY_MAX = 4 << 20  # what follows a header and is longer is a log
_LINE_MAX = 4096
_FRAMES_MAX = 4000


@dataclass(frozen=True, slots=True)
class GoroutineGroup:
    """Goroutines in the same state, with the same stack, started at the same place.

    ``state`` is as the runtime prints it, without what comes after it (``chan send``, ``sync.Mutex.Lock``,
    ``running``); "" where the form does not tell (most counts). ``stack`` is innermost first and without
    arguments; empty where it was not available. ``creator`` is the ``go`` statement that started them, None
    for the main goroutine and where the form does not tell. ``leaked``: the runtime proved that nothing can
    wake them. ``locked``: to a thread. ``elided``: frames in the middle of a deep stack are left out.

    ``hidden`` is for counts alone: how many of the runtime's innermost frames are not named (2 for a select,
    3 for a channel's send or receive); -1 where not known.

    ``ids``, ``minutes``, ``parents`` and ``locks`` go together, one entry for each goroutine, and are empty
    for counts. ``minutes`` is the whole minutes of waiting, 0 below one or where not told: the clock starts
    only when a collection has seen the goroutine wait, so it is the least that it waits. ``parents`` are the
    ids of the goroutines that started them (0 where not told, as up to Go 1.20), ``locks`` the addresses of
    the mutexes that they wait for (0 where it is not told for certain).
    """

    state: str
    stack: tuple[Frame, ...]
    creator: Frame | None
    count: int
    locked: bool = False
    leaked: bool = False
    elided: bool = False
    hidden: int = -1
    ids: tuple[int, ...] = ()
    minutes: tuple[int, ...] = ()
    parents: tuple[int, ...] = ()
    locks: tuple[int, ...] = ()

    @property
    def minutes_min(self) -> int:
        """The shortest wait in whole minutes; 0 where none is told."""
        return min(self.minutes, default=0)

    @property
    def minutes_max(self) -> int:
        """The longest wait in whole minutes; 0 where none is told."""
        return max(self.minutes, default=0)

    @property
    def minutes_total(self) -> int:
        """All waits together in whole minutes."""
        return sum(self.minutes)


@dataclass(frozen=True, slots=True)
class GoroutineDump:
    """The goroutines of a process at one moment, the largest group first.

    ``kind`` is ``goroutine-dump``, or ``goroutineleak`` for counts of the leak profile, which lists nothing
    but what leaked. ``total`` is the number of goroutines in ``groups``; ``said_total`` what the head of a
    counts form says (-1 for stacks). ``whole`` is false for what a panic or ``debug.Stack`` prints of one
    goroutine: of the others it says nothing. ``has_ages``: at least one wait has its minutes. ``g0`` is the
    number of threads' scheduler stacks (goroutine 0) that were printed; they are no goroutines and in no
    group. ``why`` is the panic or signal that made the runtime print it, "" for a dump that was asked for.
    """

    kind: str
    path: str
    time_ns: int
    truncated: bool
    warnings: tuple[str, ...]
    form: Form
    groups: tuple[GoroutineGroup, ...]
    total: int
    said_total: int
    whole: bool
    has_ages: bool
    g0: int
    why: str


def read_dumps(
    source: BinaryIO, *, path: str, limit_bytes: int = DEFAULT_LIMIT_BYTES
) -> tuple[GoroutineDump, ...]:
    """The dumps in a text, in its order; none where there is none.

    ``source`` is read once from where it stands, in pieces: memory follows the number of goroutines, not the
    length of the log around them. Raises ``UnreadableInput``, and nothing else, for more than
    ``limit_bytes`` and for a file that the system cannot read.
    """
    reading = _Reading(path)
    tail, seen = b"", 0
    while True:
        try:
            piece = source.read(_CHUNK)
        except OSError as error:
            raise UnreadableInput((error.strerror or "cannot be read").lower(), where=path) from None
        seen += len(piece)
        if seen > limit_bytes:
            raise UnreadableInput(
                f"is a text of more than {limit_bytes:,} bytes", where=path, todo="cut the dump out of it"
            )
        text = tail + piece
        if b"\r" in text:
            text = text.replace(b"\r\n", b"\n")
        if b'{"' in text:
            text = _JSON_LINE.sub(_unwrapped, text)
        tail = reading.take(text, last=not piece)
        if not piece:
            return reading.finish(seen)


# --- text in JSON ------------------------------------------------------------------------------------------

# A line of a log that wraps each line of output: Docker's, `go test -json`, structured loggers.
_JSON_LINE = re.compile(rb'^\{".*\}[ \t]*$', re.MULTILINE)
_OUTPUT_KEYS = ("log", "Output", "message", "textPayload", "msg")
_JSON_MAX = 1 << 20


def _unwrapped(line: re.Match[bytes]) -> bytes:
    """The output in such a line, and stacks in any other field; the line itself where it is none."""
    try:
        fields = json.loads(line[0]) if len(line[0]) <= _JSON_MAX else None
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        return line[0]
    output = next((key for key in _OUTPUT_KEYS if isinstance(fields.get(key), str)), None)
    texts = [fields[output]] if output else []
    texts += [v for k, v in fields.items() if k != output and isinstance(v, str) and "goroutine " in v]
    return "\n".join(text.removesuffix("\n") for text in texts).encode("utf-8", "replace")


# --- text to blocks ----------------------------------------------------------------------------------------

# A goroutine's header, or the head of a counts form. Since Go 1.23 it has gp=, m= and mp= where the runtime's
# own frames are printed too. With GODEBUG=tracebacklabels=1 labels stand in the brackets in Go 1.26, behind
# them from 1.27 on.
_ANCHOR = re.compile(
    rb"goroutine(?:"
    rb" (\d{1,19})(?: gp=\S{1,40} m=\S{1,20}(?: mp=\S{1,40})?)?"
    rb" \[([^\n]{1,1000}?)\](?: \{[^\n]{0,4000}\})?:[ \t]*$"
    rb"|(leak)? profile: total (\d{1,15})[ \t]*$"
    rb")",
    re.MULTILINE,
)
# A header that the end of the file cut off.
_CUT_ANCHOR = re.compile(rb"(?:^|\n)[^\n]{0,200}goroutine \d+(?: [^\n]{0,200})?\Z")
# What the runtime prints before stacks, perhaps behind a log's time. A dump before it is another one.
_WHY = re.compile(
    rb"^(?:[\d/:.,TZ+-]+ ){0,3}(?:std(?:err|out) [FP] )?(panic: |fatal error: )|(SIG[A-Z]{2,5}: [a-z])",
    re.MULTILINE,
)
# After a crash of all threads (GOTRACEBACK=crash) each prints its own goroutine once more, after this line.
_NEXT_THREAD = re.compile(rb"^-----[ \t]*$", re.MULTILINE)
_TIME = re.compile(rb"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?(Z|[+-]\d\d:\d\d)")


class _Reading:
    """Takes a text piece by piece, and keeps the dumps that it has seen and the one that it is in."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.dumps: list[GoroutineDump] = []
        self.stacks = _Stacks()
        self.open: _Open | None = None
        self.header: _Header | None = None  # of the stack that is being read
        self.continues = False  # another thread's stacks of the same crash
        self.why = b""
        self.near = (b"", 0)  # where the newest header stands
        self.cut = False

    def take(self, text: bytes, *, last: bool) -> bytes:
        """Read what is complete in ``text``; returns what is not, for the next call to begin with."""
        at = 0
        for anchor in _ANCHOR.finditer(text):
            if not last and anchor.end() >= len(text):  # its line may go on
                break
            line = text.rfind(b"\n", at, anchor.start()) + 1 or at
            self._body(text[at:line])
            self._anchor(anchor, text[max(line, anchor.start() - _LINE_MAX) : anchor.start()], text)
            at = min(anchor.end() + 1, len(text))
        if not last:
            return self._keep(text[at:])
        header, rest = self.header, text[at:]
        stack = self._body(rest)
        if header is not None and stack is not None:
            self.cut = _is_cut(header, stack)
        if _CUT_ANCHOR.search(rest[-_LINE_MAX:]):
            self.cut = True
        return b""

    def _keep(self, rest: bytes) -> bytes:
        """The part of an open block that is to be looked at again together with what follows."""
        if self.open is not None and self.open.form == "counts" and self.header is None:
            end = rest.rfind(b"\n\n") + 2
            if end >= 2:
                self._body(rest[:end])
                rest = rest[end:]
        if len(rest) <= _BODY_MAX:
            return rest
        end = rest.rfind(b"\n") + 1 or len(rest) - _LINE_MAX
        self._body(rest[:end])
        return rest[end:]

    def _anchor(self, anchor: re.Match[bytes], prefix: bytes, text: bytes) -> None:
        self.near = (text, anchor.start())
        if anchor[4] is None:
            self.header = _Header(int(anchor[1]), anchor[2], prefix)
        else:
            self._close()
            self._start("counts", "goroutineleak" if anchor[3] else "goroutine-dump", int(anchor[4]))

    def _body(self, body: bytes) -> _Stack | None:
        """What stands after a header or a head, or between dumps; the stack where there is one."""
        header, self.header = self.header, None
        found = None
        if header is not None:
            found = self.stacks.read(body, header.prefix)
            self._goroutine(header, found)
            body = found.rest
        elif self.open is not None and self.open.form == "counts":
            self.open.counts.read(body)
        if not body:
            pass
        elif _NEXT_THREAD.search(body):
            self.continues = True
        elif (why := _last(_WHY, body)) is not None:
            self._close()
            self.why = body[why.start(why.lastindex or 0) :][:200].split(b"\n", 1)[0]
        return found.stack if found else None

    def _goroutine(self, header: _Header, found: _Found) -> None:
        """Put one goroutine into the dump that it belongs to."""
        dump, stack = self.open, found.stack
        if (
            dump is None
            or dump.form == "counts"
            or (header.id in dump.seen and not self.continues)
            # The goroutine that writes a dump is its first; one that prints its own stack is alone in it.
            or (stack.writes_dump and dump.seen)
            or stack.prints_itself
            or dump.single
        ):
            self._close()
            dump = self._start("stacks", "goroutine-dump", -1)
            dump.single, dump.asked = stack.prints_itself, stack.writes_dump
        dump.add(header, found)

    def _start(self, form: Form, kind: str, said_total: int) -> _Open:
        text, at = self.near
        time_ns = _time_in(text[max(0, at - _TIME_NEAR) : at])
        self.open = _Open(form, kind, said_total, time_ns, self.why)
        self.why, self.continues = b"", False
        return self.open

    def _close(self, *, cut: bool = False) -> None:
        if self.open is not None and (dump := self.open.done(self.path, cut=cut)):
            self.dumps.append(dump)
        self.open = None

    def finish(self, size: int) -> tuple[GoroutineDump, ...]:
        """All dumps of the text, which had ``size`` bytes."""
        self._close(cut=self.cut)
        last = self.dumps[-1] if self.dumps else None
        if last is not None and last.truncated and last.form == "stacks" and size >= _RUNTIME_STOPS:
            why = "?debug=2 ends at 64 MiB; a goroutine profile (without debug) counts them all"
            self.dumps[-1] = replace(last, warnings=(*last.warnings, why))
        return tuple(self.dumps)


_TIME_NEAR = 400
_RUNTIME_STOPS = 64 << 20  # writeGoroutineStacks in runtime/pprof/pprof.go


def _last(pattern: re.Pattern[bytes], text: bytes) -> re.Match[bytes] | None:
    """The last match, of a long log in its last 64 KiB."""
    return max(pattern.finditer(text[-(1 << 16) :]), key=re.Match.start, default=None)


def _time_in(text: bytes) -> int:
    """The last time of day with a zone in a text as Unix nanoseconds, 0 where there is none."""
    found = _last(_TIME, text)
    if found is None:
        return 0
    day, clock, zone = (found[i].decode() for i in (1, 2, 4))
    try:
        when = datetime.fromisoformat(f"{day}T{clock}{'+00:00' if zone == 'Z' else zone}")
        return int(when.timestamp()) * 1_000_000_000 + int((found[3] or b"").ljust(9, b"0"))
    except (ValueError, OverflowError):
        return 0


# --- one stack ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Header:
    id: int
    brackets: bytes
    prefix: bytes  # what a log put before it on its line


@dataclass(frozen=True, slots=True)
class _Stack:
    """A stack as it was parsed once, for all goroutines that have it."""

    frames: tuple[Frame, ...]
    creator: Frame | None
    elided: bool
    unavailable: bool
    unfinished: bool  # a function without its file
    prints_itself: bool
    writes_dump: bool


class _Found(NamedTuple):
    """A goroutine's stack, who started it, which mutex it waits for, and the text behind it."""

    stack: _Stack
    parent: int
    lock: int
    rest: bytes


_FUNCTION = re.compile(r"(\S+?)\((?:\.\.\.|[0-9a-fx{},.?_ +-])*\)$")
_FILE = re.compile(r"(\S.*?):(\d{1,9})(?: \+0x[0-9a-f]+)?(?: fp=0x[0-9a-f]+ sp=0x[0-9a-f]+ pc=0x[0-9a-f]+)?$")
_SOURCE = re.compile(r"\.(?:go|s|S|c|cc|cpp|cxx|m|mm|h|hpp|y|rl|templ)$|^<autogenerated>$|^\?*$")
_CREATED = re.compile(r"created by (.+?)(?: in goroutine (\d{1,19}))?$")
_ELIDED = re.compile(r"\.\.\.(?:\d+|additional) frames elided\.\.\.$")
# Their first argument is the mutex; a ? behind it would say that the value may be an old one.
_LOCK_FRAME = re.compile(
    rb"(?:internal/)?sync\.\(\*(?:Mutex|RWMutex)\)\.(?:lockSlow|Lock|RLock)\((0x[0-9a-f]{1,16})[,)]"
)
_LOCK_DEPTH = 14  # lines: with the runtime's own frames a mutex stands in the fifth
_PRINTS_ITSELF = frozenset({"runtime/debug.Stack", "runtime/debug.PrintStack"})
_WRITES_DUMP = "runtime/pprof.writeGoroutineStacks"


class _Stacks:
    """Parses stacks, each different one once."""

    def __init__(self) -> None:
        # Of stacks that are functions and files by turns: the line of the mutex that is waited for, or -1.
        self._regular: dict[tuple[bytes, ...], tuple[_Stack, int]] = {}
        self._stacks: dict[_Stack, _Stack] = {}
        self._names: dict[str, str] = {}
        self._forms: dict[bytes, re.Pattern[bytes]] = {}

    def read(self, body: bytes, prefix: bytes) -> _Found:
        """The stack at the start of what follows a header, and the text that follows the stack."""
        if not prefix:
            lines = body[:_STACK_BYTES].split(b"\n")
        else:
            lines = self._form(prefix).sub(b"", body[:_STACK_BYTES]).split(b"\n")
        # Functions and files by turns and then an empty line: nothing stands between or behind.
        if len(lines) > 3 and not len(lines) % 2 and not lines[-1] and not lines[-2]:
            key = tuple(lines[1::2])
            known = self._regular.get(key)
            if known is None and all(line[:1] == b"\t" for line in key[:-1]):
                stack, _, _ = self._parse(lines)
                # Where a log line stands in the place of a function there are fewer frames.
                if 2 * (len(stack.frames) + (stack.creator is not None)) >= len(lines) - 4:
                    known = self._regular[key] = (stack, _lock_line(lines))
            if known is not None:
                stack, lock_line = known
                parent = 0 if stack.creator is None else _parent(lines[-4])
                return _Found(stack, parent, _address(lines[lock_line]) if lock_line >= 0 else 0, b"")
        stack, parent, used = self._parse(lines)
        lock = max((_address(line) for line in lines[:_LOCK_DEPTH]), default=0)
        return _Found(stack, parent, lock, b"\n".join(lines[used:]) + body[_STACK_BYTES:])

    def _parse(self, lines: Sequence[bytes]) -> tuple[_Stack, int, int]:
        """The stack in these lines, the goroutine that started it, and how many of the lines it takes.

        Lines that are neither function nor file are somebody else's, who wrote into the middle of it.
        """
        frames: list[Frame] = []
        creator: Frame | None = None
        function, created, parent, used = "", False, 0, 0
        elided = unavailable = False
        for used, text in enumerate(map(_stripped, lines), 1):  # noqa: B007 - read after the loop
            if (frames and not function and not text) or text.startswith("[originating from goroutine"):
                break
            if function and (place := _place(text)):
                frame = Frame(self._one(function), self._one(place[0]), place[1])
                function = ""
                if created:
                    creator = frame
                    break
                frames.append(frame)
            elif by := _CREATED.match(text):
                function, created, parent = by[1], True, int(by[2] or 0)
            elif called := _FUNCTION.match(text):
                function, created = called[1], False
            elif _ELIDED.match(text):
                elided = True
            elif text.startswith("goroutine running on other thread"):
                unavailable = True
        if frames and frames[-1].function == "runtime.goexit":
            frames.pop()
        names = {frame.function for frame in frames}
        stack = _Stack(
            frames=tuple(frames),
            creator=creator,
            elided=elided,
            unavailable=unavailable,
            unfinished=bool(function),
            prints_itself=not names.isdisjoint(_PRINTS_ITSELF),
            writes_dump=_WRITES_DUMP in names,
        )
        return self._stacks.setdefault(stack, stack), parent, used

    def _form(self, prefix: bytes) -> re.Pattern[bytes]:
        """What a log puts before each line, after what it put before the header.

        Times and process ids change from line to line: digits stand for digits, inner space for space. Before
        an empty line the last space may be missing.
        """
        inner = prefix.rstrip(b" ")
        shape = re.sub(rb"\d+", b"0", re.sub(rb"[ \t]+", b" ", inner))
        key = b"%d %b" % (len(prefix) - len(inner), shape)
        form = self._forms.get(key)
        if form is None:
            parts = (re.escape(part).replace(b"0", rb"\d+") for part in shape.split(b" "))
            last = rb"(?: {%d}|(?=\n))" % (len(prefix) - len(inner))
            form = self._forms[key] = re.compile(b"^" + rb"[ \t]+".join(parts) + last, re.MULTILINE)
        return form

    def _one(self, name: str) -> str:
        """One object for equal names: a dump holds each thousands of times."""
        return self._names.setdefault(name, name)


_STACK_BYTES = 1 << 20  # a stack has at most 100 frames printed; what goes on longer is a log


def _parent(line: bytes) -> int:
    """The goroutine in ``created by main.start in goroutine 7``; 0 where it is not told (up to Go 1.20)."""
    _, found, parent = line.rpartition(b" in goroutine ")
    return int(parent) if found and parent.isdigit() and len(parent) < 20 else 0


def _address(line: bytes) -> int:
    """The mutex that a frame of package sync locks; 0 for any other line."""
    found = _LOCK_FRAME.match(line)
    return int(found[1], 16) if found else 0


def _lock_line(lines: Sequence[bytes]) -> int:
    return next((i for i, line in enumerate(lines[:_LOCK_DEPTH]) if _LOCK_FRAME.match(line)), -1)


def _place(text: str) -> tuple[str, int] | None:
    """File and line of the line below a function's; None for anything else."""
    found = _FILE.match(text)
    if found is None or not (" +0x" in text or _SOURCE.search(found[1])):
        return None
    return found[1], int(found[2])


def _text(line: bytes) -> str:
    return line[:_LINE_MAX].decode("utf-8", "replace")


def _stripped(line: bytes) -> str:
    return _text(line).strip()


def _is_cut(header: _Header, stack: _Stack) -> bool:
    """Whether the last stack of a file stops in its middle.

    Each but the main goroutine's ends with who created it; what C calls back into has no creator, but is
    locked to its thread.
    """
    if stack.unfinished or not (stack.frames or stack.unavailable):
        return True
    whole = stack.creator or header.id <= 1 or b"locked to thread" in header.brackets or stack.prints_itself
    return not whole


# --- one dump ----------------------------------------------------------------------------------------------

_MINUTES = re.compile(rb"(\d{1,9}) minutes?$")
_MARK = re.compile(r" \((leaked|scan|durable)\)$")


@dataclass(frozen=True, slots=True)
class _Brackets:
    """What stands between the brackets of a header."""

    state: str
    minutes: int
    locked: bool
    leaked: bool


def _brackets(text: bytes) -> _Brackets:
    """``chan send (leaked), 5 minutes, locked to thread, synctest bubble 1`` taken apart."""
    parts = text.split(b" labels:{", 1)[0].split(b", ")
    state, leaked = _text(parts[0]).strip(), False
    while mark := _MARK.search(state):
        leaked = leaked or mark[1] == "leaked"
        state = state[: mark.start()]
    minutes = next((int(found[1]) for part in parts[1:] if (found := _MINUTES.match(part))), 0)
    return _Brackets(state, minutes, b"locked to thread" in parts[1:], leaked)


class _Members:
    """The goroutines of one group while they are being counted."""

    __slots__ = ("ids", "locks", "minutes", "parents", "stack")

    def __init__(self, stack: _Stack) -> None:
        self.stack = stack
        self.ids: list[int] = []
        self.minutes: list[int] = []
        self.parents: list[int] = []
        self.locks: list[int] = []

    def forget(self, goroutine: int) -> None:
        at = self.ids.index(goroutine)
        for column in (self.ids, self.minutes, self.parents, self.locks):
            del column[at]


_GroupKey = tuple[str, bool, bool, bool, tuple[Frame, ...], Frame | None]


class _Open:
    """A dump that is being read."""

    def __init__(self, form: Form, kind: str, said_total: int, time_ns: int, why: bytes) -> None:
        self.form: Form = form
        self.kind = kind
        self.said_total = said_total
        self.time_ns = time_ns
        self.why = why
        self.single = False  # one goroutine prints its own stack
        self.asked = False  # all of them were asked for, be it one
        self.seen: set[int] = set()
        self.counts = _Counts()
        self._g0 = 0
        self._unavailable: dict[int, _Members] = {}
        self._brackets: dict[bytes, _Brackets] = {}
        # By the identity of the parsed stack, which is quick: equal stacks are one object.
        self._members: dict[tuple[int, str, bool, bool], _Members] = {}

    def add(self, header: _Header, found: _Found) -> None:
        """Count one goroutine of the stacks form."""
        goroutine, stack = header.id, found.stack
        if not goroutine:
            self._g0 += 1
            return
        if goroutine in self.seen:
            # Its own thread prints it now; before it its stack was not available.
            members = self._unavailable.pop(goroutine, None)
            if members is None:
                return
            members.forget(goroutine)
        self.seen.add(goroutine)
        brackets = self._brackets.get(header.brackets)
        if brackets is None:
            brackets = self._brackets[header.brackets] = _brackets(header.brackets)
        key = (id(stack), brackets.state, brackets.locked, brackets.leaked)
        members = self._members.get(key)
        if members is None:
            members = self._members[key] = _Members(stack)
        members.ids.append(goroutine)
        members.minutes.append(brackets.minutes)
        members.parents.append(found.parent)
        members.locks.append(found.lock)
        if stack.unavailable and not stack.frames:
            self._unavailable[goroutine] = members

    def done(self, path: str, *, cut: bool) -> GoroutineDump | None:
        """The dump; None where there was nothing but threads' stacks."""
        stacks = self.form == "stacks"
        groups = self._groups() if stacks else self.counts.groups(leaked=self.kind == "goroutineleak")
        total = sum(group.count for group in groups)
        if stacks and not total:
            return None
        truncated = cut if stacks else total < self.said_total
        asleep = self.why.startswith(b"fatal error: all goroutines are asleep")
        return GoroutineDump(
            kind=self.kind,
            path=path,
            time_ns=self.time_ns,
            truncated=truncated,
            warnings=_warnings(truncated, total, self.said_total),
            form=self.form,
            groups=groups,
            total=total,
            said_total=self.said_total,
            whole=not stacks or total > 1 or asleep or self.asked,
            has_ages=any(group.minutes_max for group in groups),
            g0=self._g0,
            why=_text(self.why).strip(),
        )

    def _groups(self) -> tuple[GoroutineGroup, ...]:
        joined: dict[_GroupKey, list[_Members]] = {}
        for (_, state, locked, leaked), members in self._members.items():
            if members.ids:
                stack = members.stack
                key = (state, locked, leaked, stack.elided, stack.frames, stack.creator)
                joined.setdefault(key, []).append(members)
        groups = []
        for (state, locked, leaked, elided, frames, creator), parts in joined.items():
            columns = [
                tuple(value for part in parts for value in getattr(part, name))
                for name in ("ids", "minutes", "parents", "locks")
            ]
            groups.append(
                GoroutineGroup(state, frames, creator, len(columns[0]), locked, leaked, elided, -1, *columns)
            )
        return _sorted(groups)


def _sorted(groups: list[GoroutineGroup]) -> tuple[GoroutineGroup, ...]:
    return tuple(sorted(groups, key=lambda g: (-g.count, g.state, g.stack, g.creator or Frame("", "", 0))))


def _warnings(truncated: bool, total: int, said: int) -> tuple[str, ...]:
    if not truncated:
        return ()
    if said >= 0:
        return (f"the dump says {said:,} goroutines and shows {total:,}: it is cut short",)
    return (f"the dump stops in the middle of a stack, after {total:,} goroutines",)


# --- the counts form ---------------------------------------------------------------------------------------

_GROUP = re.compile(r"(?:^|\s)(\d{1,15}) @((?: 0x[0-9a-f]+)*)\s*$")
_COUNTED = re.compile(r"#\s+0x([0-9a-f]+)(?:\s+(\S+?)\+0x[0-9a-f]+\s+(\S.*?):(\d{1,9}))?\s*$")


class _Counts:
    """Groups of the counts form as they are read."""

    def __init__(self) -> None:
        self._sums: dict[_Counted, int] = {}
        self._count = 0
        self._addresses: list[int] = []
        self._frames: list[Frame] = []
        self._first = 0

    def read(self, body: bytes) -> None:
        for line in body.split(b"\n"):
            self._line(_text(line))

    def _line(self, line: str) -> None:
        if (frame := _COUNTED.search(line)) is not None:
            if self._count and frame[2]:
                self._first = self._first or int(frame[1][-16:], 16)
                self._frames.append(Frame(frame[2], frame[3], int(frame[4])))
        elif (group := _GROUP.search(line)) is not None:
            self._flush()
            self._count = int(group[1])
            self._addresses = [int(a[-16:], 16) for a in group[2].split()]
        elif not line.strip():
            self._flush()

    def _flush(self) -> None:
        """Close a group. Groups with equal stacks, which differ by their labels, are put together."""
        if self._count:
            hidden = self._hidden()
            runtime = tuple(self._addresses[: max(hidden, 0)])
            stack = tuple(self._frames)
            if stack and stack[-1].function == "runtime.goexit":
                stack = stack[:-1]
            counted = _Counted(stack, hidden, runtime if hidden == _CHANNEL_FRAMES else ())
            self._sums[counted] = self._sums.get(counted, 0) + self._count
        self._count, self._addresses, self._frames, self._first = 0, [], [], 0

    def _hidden(self) -> int:
        """How many frames of the runtime were left out: the list gives return addresses, a frame one less."""
        after = self._first + 1
        return self._addresses.index(after) if self._first and after in self._addresses else -1

    def groups(self, *, leaked: bool) -> tuple[GoroutineGroup, ...]:
        self._flush()
        sends, receives = _channel_calls(list(self._sums))
        groups = []
        for counted, count in self._sums.items():
            call = counted.runtime[-1] if counted.on_channel else 0
            state = "chan send" if call in sends else "chan receive" if call in receives else ""
            groups.append(
                GoroutineGroup(state, counted.stack, None, count, leaked=leaked, hidden=counted.hidden)
            )
        return _sorted(groups)


_CHANNEL_FRAMES = (
    3  # gopark, chansend or chanrecv, and what the compiler calls: chansend1, chanrecv1, chanrecv2
)
_NEIGHBOURS = 0x200  # chanrecv1 and chanrecv2 are a few instructions each, one behind the other
_APART = range(0x600, 0x8000)  # chansend, send and closechan lie between chansend1 and chanrecv1


class _Counted(NamedTuple):
    """A group of the counts form; ``runtime`` are unnamed addresses where they may be a channel's."""

    stack: tuple[Frame, ...]
    hidden: int
    runtime: tuple[int, ...]

    @property
    def on_channel(self) -> bool:
        """Whether the code itself calls what is unnamed: package sync and the poller have named frames."""
        if len(self.runtime) != _CHANNEL_FRAMES or not self.stack:
            return False
        inner = self.stack[0].function.startswith(
            ("sync.", "internal/sync.", "internal/poll.", "time.", "os/")
        )
        return not inner and 0 < self.runtime[1] - self.runtime[2] < _APART.stop


def _channel_calls(groups: Sequence[_Counted]) -> tuple[set[int], set[int]]:
    """The addresses in chansend1, and those in chanrecv1 and chanrecv2; none where that cannot be told.

    The linker keeps the order of the source: in runtime/chan.go chansend1 comes first, and chanrecv1 and
    chanrecv2 some kilobytes later (so in Go 1.15 to 1.27). Where goroutines wait for both, the lower address
    is the send's; where they wait for one, nothing tells which.
    """
    calls = sorted({group.runtime[-1] for group in groups if group.on_channel})
    if not calls:
        return set(), set()
    low = {call for call in calls if call - calls[0] < _NEIGHBOURS}
    high = {call for call in calls if calls[-1] - call < _NEIGHBOURS}
    if len(low) != 1 or len(low) + len(high) != len(calls) or min(high) - max(low) not in _APART:
        return set(), set()
    return low, high
