"""Stacks and strings that outlive their generation, and the marks that kernels need of each stack."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gopherdx import frames as fr
from gopherdx.artifacts.trace import kernels as k

Ints = npt.NDArray[np.int64]

SPAN_NAMES = {1: "json-untyped", 2: "json-decode", 3: "regexp-compile"}
_WHAT_OF_STATE = {
    "chan send": k.C_CHANNEL,
    "chan receive": k.C_CHANNEL,
    "select": k.C_CHANNEL,
    "sleep": k.C_SLEEP,
    "IO wait": k.C_NETWORK,
    "sync.Mutex.Lock": k.C_SYNC,
    "sync.RWMutex.RLock": k.C_SYNC,
    "sync.RWMutex.Lock": k.C_SYNC,
    "sync.WaitGroup.Wait": k.C_SYNC,
    "sync.Cond.Wait": k.C_SYNC,
    "syscall": k.C_SYSCALL,
}
MAX_SITES = 1024
MAX_NAMES = 1 << 16
MAX_NAME_BYTES = 200


class StackTable:
    """Every distinct stack of a trace once, whatever its id in each generation.

    Index 0 is "no stack". ``names`` are those of tasks and regions. The int64 arrays by index are for
    kernels: ``flags`` (F_… of kernels.py), ``site`` (of a lock), ``root`` (start function), ``who`` (its
    user's functions, packed), ``path`` (the first stack with the same frames of the user's). ``slot`` is the
    replaying kernel's own memory of each stack.
    """

    def __init__(self) -> None:
        self.stacks: list[tuple[fr.Frame, ...]] = [()]
        self.functions: list[str] = [""]
        self.sites: list[str] = [""]
        self.flags: Ints = np.zeros(1024, dtype=np.int64)
        self.site: Ints = np.zeros(1024, dtype=np.int64)
        self.root: Ints = np.zeros(1024, dtype=np.int64)
        self.who: Ints = np.zeros(1024, dtype=np.int64)
        self.path: Ints = np.zeros(1024, dtype=np.int64)
        self.slot: Ints = np.zeros((1024, 4), dtype=np.int64)
        self.names: list[str] = [""]
        self._name_ids: dict[bytes, int] = {}
        self._by_hash: dict[int, int] = {}
        self._paths: dict[tuple[fr.Frame, ...], int] = {}
        self._function_ids: dict[str, int] = {"": 0}
        self._site_ids: dict[str, int] = {}
        self._strings: dict[int, str] = {}

    def add_generation(
        self, buf: npt.NDArray[np.uint8], strings: Ints, stacks: Ints, frames: Ints, max_id: int
    ) -> Ints:
        """Take in a generation's stacks. Returns the map from its stack ids to indices of this table.

        ``strings``, ``stacks`` and ``frames`` are what the kernels of the same name fill.
        """
        ids = np.zeros(max_id + 1, dtype=np.int64)
        by_hash = self._by_hash
        for stack_id, first, depth, key in stacks.tolist():
            index = by_hash.get(key)
            if index is None:
                index = len(self.stacks)
                by_hash[key] = index
                self._append(self._frames(buf, strings, frames[first : first + depth]))
            ids[stack_id] = index
        return ids

    def name(self, text: bytes) -> int:
        """Number of a name that the program gave to a task or region, from 1 on; 0: too many."""
        number = self._name_ids.get(text)
        if number is None:
            number = len(self.names)
            if number >= MAX_NAMES:
                return 0
            self._name_ids[text] = number
            self.names.append(text.decode("utf-8", "replace"))
        return number

    def _frames(self, buf: npt.NDArray[np.uint8], strings: Ints, rows: Ints) -> tuple[fr.Frame, ...]:
        return tuple(
            fr.Frame(self._string(buf, strings, func), self._string(buf, strings, file), line)
            for _, func, file, line in rows.tolist()
        )

    def _string(self, buf: npt.NDArray[np.uint8], strings: Ints, row: int) -> str:
        if row < 0:
            return ""
        key = int(strings[row, 3])
        text = self._strings.get(key)
        if text is None:
            start, size = int(strings[row, 1]), int(strings[row, 2])
            text = buf[start : start + size].tobytes().decode("utf-8", "replace")
            self._strings[key] = text
        return text

    def _append(self, stack: tuple[fr.Frame, ...]) -> None:
        index = len(self.stacks)
        self.stacks.append(stack)
        if index >= self.flags.size:
            for name in ("flags", "site", "root", "who", "path", "slot"):
                old: Ints = getattr(self, name)
                setattr(self, name, np.concatenate([old, np.zeros_like(old)]))
        self.root[index] = self._function(fr.plain(fr.outermost(stack)))
        internal = fr.is_internal(stack)
        if internal:
            self.flags[index] |= k.F_INTERNAL
        elif fr.is_lock_wait(stack):
            self.flags[index] |= k.F_LOCK
            user = fr.user_frame(stack)
            if user is not None:
                self.site[index] = self._site(fr.plain(user.function))
        else:
            self.flags[index] |= k.F_NODE
            self.flags[index] |= _pauses(stack)
        self.flags[index] |= _span(stack) << k.F_SPAN_SHIFT
        users = fr.user_frames(stack)
        self.path[index] = self._paths.setdefault(tuple(users) or stack[-1:], index)
        self.flags[index] |= _WHAT_OF_STATE.get(fr.parked_in(stack) or "", 0) << k.F_WHAT_SHIFT
        if users:
            handler = fr.handler_frame(stack)
            if handler:
                self.flags[index] |= k.F_HANDLER
            whose = [users[0].function, users[-1].function] + ([handler.function] if handler else [])
            for place, function in enumerate(whose):
                number = self._function(fr.plain(function))
                if number <= k.WHO_MASK:
                    self.who[index] |= number << (place * k.WHO_BITS)

    def _function(self, name: str) -> int:
        index = self._function_ids.get(name)
        if index is None:
            index = len(self.functions)
            self.functions.append(name)
            self._function_ids[name] = index
        return index

    def _site(self, name: str) -> int:
        index = self._site_ids.get(name)
        if index is None:
            index = len(self.sites)
            if index >= MAX_SITES:
                return 0
            self.sites.append(name)
            self._site_ids[name] = index
        return index


def _pauses(stack: tuple[fr.Frame, ...]) -> int:
    """What a wait at this stack lies between: two requests of a connection, two jobs of a worker, or nothing.

    A goroutine's own loop, in the function it was started with, waits for what others hand or send to it.
    """
    if fr.has(stack, fr.READS_REQUEST):
        return k.F_BETWEEN if fr.has(stack, fr.SERVES_CONNECTION) else 0
    if fr.has(stack, fr.NET_READ):
        own = fr.is_user(stack[-1].function, stack[-1].file) and len(fr.user_frames(stack)) <= 2
        return k.F_ASKED if own else 0
    for i, frame in enumerate(stack):
        if not frame.function.startswith("runtime."):
            if fr.TAKES_REQUEST.match(frame.function):
                return k.F_BETWEEN
            last = all(f.function.startswith("runtime.") for f in stack[i + 1 :])
            return k.F_HANDED if last and fr.is_user(frame.function, frame.file) else 0
    return 0


def _span(stack: tuple[fr.Frame, ...]) -> int:
    """The kind of work that a stack shows (``SPAN_NAMES``), 0 for any other."""
    for frame in stack:
        name = frame.function
        if name.startswith("encoding/json"):
            if fr.has(stack, fr.JSON_UNTYPED):
                return 1
            return 2 if fr.has(stack, fr.JSON_DECODE) else 0
        if name.startswith("regexp."):
            return 3 if fr.has(stack, fr.REGEXP_COMPILE) else 0
    return 0
