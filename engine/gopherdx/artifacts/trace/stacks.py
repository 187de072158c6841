"""Stacks and strings that outlive their generation, and the marks that kernels need of each stack."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gopherdx import frames as fr
from gopherdx.artifacts.trace import kernels as k

Ints = npt.NDArray[np.int64]

SPAN_NAMES = {1: "json-untyped", 2: "json-decode", 3: "regexp-compile"}
MAX_SITES = 1024


class StackTable:
    """Every distinct stack of a trace once, whatever its id in each generation.

    Index 0 is "no stack". ``flags``, ``site``, ``root`` and ``span`` are int64 arrays by index, as the
    kernels read them (F_… of kernels.py; lock site; start function; kind of work); ``slot`` is the replaying
    kernel's own memory of each stack.
    """

    def __init__(self) -> None:
        self.stacks: list[tuple[fr.Frame, ...]] = [()]
        self.functions: list[str] = [""]
        self.sites: list[str] = [""]
        self.flags: Ints = np.zeros(1024, dtype=np.int64)
        self.site: Ints = np.zeros(1024, dtype=np.int64)
        self.root: Ints = np.zeros(1024, dtype=np.int64)
        self.span: Ints = np.zeros(1024, dtype=np.int64)
        self.slot: Ints = np.zeros((1024, 4), dtype=np.int64)
        self._by_hash: dict[int, int] = {}
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
            for name in ("flags", "site", "root", "span", "slot"):
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
        self.span[index] = _span(stack)

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
