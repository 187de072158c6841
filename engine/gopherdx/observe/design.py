"""What a goroutine waits for, and whether it does so by design: idle workers, connections, tickers.

A stack tells most: who waits for a lock, below a handler, or for a library's answer waits in the middle of
work; who waits in the loop that its goroutine is made of waits for work to come. That some goroutines at such
a loop are stuck rather than idle no single stack tells; a recording does (``Loops``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from gopherdx import frames as fr
from gopherdx.model import What
from gopherdx.observe.tally import POOL

if TYPE_CHECKING:
    from gopherdx.artifacts.trace.tables import Group, Waits

Sort = Literal["work", "loop", "idle"]
"""In the middle of work; in the goroutine's own loop; certainly nobody's loss."""

MANY = 100
"""Goroutines that never move at one place: more are worth a look, whether they idle or are lost."""

_STATES: dict[str, What] = {
    "runnable": "runnable", "stopped": "runnable", "first run": "runnable", "syscall": "syscall",
    "network": "network", "IO wait": "network", "sleep": "sleep", "forever": "channel",
    "sync": "sync", "semacquire": "sync",
}  # fmt: skip
# Nothing wakes these, and nobody expects it (``select {}``).
_FOR_EVER = ("forever", "select (no cases)")
_JOIN = re.compile(r"sync\.\(\*WaitGroup\)\.Wait$|golang\.org/x/sync/errgroup\.\(\*Group\)\.Wait$")
_TESTS = re.compile(r"testing\.(?:\(\*(?:[TBM]|common|testState|testContext)\)\.\w+|runTests|tRunner\S*)$")
_SIGNALS = re.compile(r"os/signal\.")
# Libraries' functions that hand over what comes next: messages, rows of a queue, connections.
_TAKES = re.compile(
    r"(?:^|[./)])(?:[rR]ead|[rR]ecv|[rR]eceive|[nN]ext|[pP]oll|[fF]etch|[aA]ccept|[cC]onsume|[dD]equeue|[pP]op"
    r"|[sS]erve|[lL]isten|[sS]can|[pP]eek|[fF]ill)\w*$"
)
# The loop of a library that watches files, or of the runtime of another language: nothing has happened yet.
_EVENTS = re.compile(
    r"(?:golang\.org/x/sys/(?:unix|windows)|syscall)\."
    r"(?:[kK]event|[eE]poll[wW]ait|[eE]pollPwait2?|[pP]?[pP]oll|[pP]?[sS]elect|GetQueuedCompletionStatus)$"
)
_CLOSURE = re.compile(r"\.func\d+(?:\.\d+)*$|\.gowrap\d+$")
# What stands between a loop and the runtime without being a call for an answer.
_PLAIN = re.compile(r"runtime\.|(?:internal/)?sync\.|time\.Sleep$|internal/|context\.|time\.|syscall\.|os\.")
_OWN_DEPTH = 2
# The runtime looks for something to run, whichever way it came there; what changes stacks to do a thing is
# not that thing.
SCHEDULES = re.compile(r"runtime\.schedule$")
SWITCHES = re.compile(
    r"runtime\.(?:systemstack\w*|mcall|morestack\w*|mstart\w*|rt0_go|asmcgocall)(?:\.abi0)?$"
)


@dataclass(frozen=True, slots=True)
class Stay:
    """What one stack is to the overview: what it waits for, where, through which call, and of which sort.

    ``own``: of the runtime or the recorder, and none of the program's time.
    """

    what: What
    reason: str
    frame: fr.Frame | None
    via: str
    sort: Sort
    own: bool


def stay(stack: fr.Stack, reason: str | None) -> Stay:
    """One stack and state; ``reason`` is the runtime's word, "" or None where only the stack tells."""
    frame, inner = where(stack)
    word = reason or fr.parked_in(stack) or ""
    what = _what(stack, inner, word)
    if what == "gc" and fr.user_frame(stack) is not None:
        return Stay(what, word, frame, "", "work", own=False)  # an assist: it holds the user's goroutine up
    via = _via(inner)
    own = what == "gc" or is_own(stack)
    sort = "work" if own else _sort(stack, inner, what, word)
    if what in ("lock", "sync"):  # events say "sync", and old dumps "semacquire", of all of them
        word = fr.parked_in(stack) or word
    if word == "IO wait":
        word = "network"
    return Stay(what, word, frame, via, sort, own)


def where(stack: fr.Stack) -> tuple[fr.Frame | None, fr.Stack]:
    """The place that a stack stands for, and the frames inward of it.

    The innermost user's function; else of a dependency; else the outermost of the library that is not the
    runtime's; else what the runtime is at.
    """
    for i, frame in enumerate(stack):
        if fr.is_user(frame.function, frame.file):
            return frame, stack[:i]
    for i, frame in enumerate(stack):
        if frame.function and not fr.is_standard(frame.function):
            return frame, stack[:i]
    for i in range(len(stack) - 1, -1, -1):
        if stack[i].function and not is_runtime(stack[i].function):
            return stack[i], stack[:i]
    named = [i for i, frame in enumerate(stack) if frame.function and frame.function != "runtime.goexit"]
    for tells in (SCHEDULES.match, lambda name: not SWITCHES.match(name), bool):
        for i in reversed(named):
            if tells(stack[i].function):
                return stack[i], stack[:i]
    return None, ()


def is_own(stack: fr.Stack) -> bool:
    """Whether a stack is the runtime's own business or the recorder's: no time of the program's."""
    if not stack:
        return False
    root = fr.outermost(stack)
    of_runtime = is_runtime(root) and root != "runtime.main" and fr.user_frame(stack) is None
    return of_runtime or fr.is_internal(stack)


@lru_cache(maxsize=65536)
def is_runtime(function: str) -> bool:
    """Whether a symbol is of the runtime, or of the packages below the library's surface."""
    return fr.package_of(function) == "runtime" or function.startswith(("internal/", "runtime/internal/"))


def _via(inner: fr.Stack) -> str:
    """The library's function that the place called; "" for operations of the runtime (channels, select)."""
    if fr.is_pool_wait(inner):
        return POOL
    if inner and not is_runtime(inner[-1].function):
        return fr.plain(inner[-1].function)
    return ""


def _what(stack: fr.Stack, inner: fr.Stack, word: str) -> What:
    if word in ("runnable", "stopped", "first run", "syscall"):
        return _STATES[word]
    if fr.is_lock_wait(stack):
        return "lock"
    if word.startswith("GC "):
        return "gc"
    if fr.is_pool_wait(stack):
        return "sync"
    if word in ("select", "chan receive") and _answers(inner):
        return "network"
    if word in _STATES:
        return _STATES[word]
    if word.startswith("sync"):
        return "sync"
    return "channel" if word.startswith(("chan", "select")) else "other"


def _answers(inner: fr.Stack) -> bool:
    """Whether a library's call waits for the other side of a network here, through channels of its own."""
    return any(_is_call(frame.function) for frame in inner)


@lru_cache(maxsize=65536)
def _is_call(function: str) -> bool:
    return any(p.match(function) is not None for p in (fr.CALL, fr.DIAL, fr.LOOKUP, fr.CALL_BODY))


@lru_cache(maxsize=65536)
def _is_handler(function: str) -> bool:
    return fr.HANDLER.match(function) is not None


def _sort(stack: fr.Stack, inner: fr.Stack, what: What, word: str) -> Sort:
    if word in _FOR_EVER or not stack:
        return "idle" if stack else "work"
    names = [frame.function for frame in stack]
    if any(_is_handler(name) for name in names) or what == "lock":
        return "work"
    users = fr.user_frames(stack)
    if not users and any(fr.IDLE_CONNECTION.match(name) or fr.POOL_HELD.match(name) for name in names):
        return "idle"
    called = names[: len(inner) + (not users)]
    if any(fr.ACCEPT.match(name) or _TESTS.match(name) or _SIGNALS.match(name) for name in called):
        return "idle"
    if what == "syscall" and any(_EVENTS.match(name) for name in called):
        return "idle"
    if what in ("channel", "sync", "sleep", "network") and _in_own_loop(stack, users, inner, what):
        return "idle" if fr.of_main(stack) or _joins(names) else "loop"
    return "work"


def _joins(names: Iterable[str]) -> bool:
    return any(_JOIN.match(name) for name in names)


def _in_own_loop(stack: fr.Stack, users: list[fr.Frame], inner: fr.Stack, what: What) -> bool:
    """Whether the wait is the goroutine's own: at its root, for whatever comes next."""
    if any(frame.function.startswith("runtime.chansend") for frame in stack[:6]):
        return False
    if any(_is_call(frame.function) for frame in inner) or fr.outermost(stack).startswith("testing."):
        return False
    if users:
        if len(users) > _OWN_DEPTH or (len(users) == _OWN_DEPTH and not _wraps(users[-1], what)):
            return False
    elif what != "network":
        depth = sum(not is_runtime(f.function) for f in stack)
        return depth <= _OWN_DEPTH + 1 or not fr.is_standard(stack[-1].function)  # a dependency's own
    called = [frame.function for frame in inner if not _PLAIN.match(frame.function)]
    return not called or any(_TAKES.search(name) for name in called)


def _wraps(root: fr.Frame, what: What) -> bool:
    """Whether a root is but the literal of a ``go`` statement, or main: what it calls is the loop.

    Sleeping two deep is more often an imitation of work, or a pause within it.
    """
    return what != "sleep" and (_CLOSURE.search(root.function) is not None or root.function == "main.main")


class Loops:
    """Whether goroutines that wait in their own loop are idle workers, as a trace tells of their kind."""

    def __init__(self, groups: Iterable[Group], duration_ns: int) -> None:
        self._duration_ns = duration_ns
        self._made: dict[str, list[int]] = {}
        for group in groups:
            made = self._made.setdefault(group.function, [0, 0, 0, 0])
            for i, more in enumerate((group.at_start, group.created, group.ended, group.life_ns)):
                made[i] += more

    def idle(self, wait: Waits, stack: fr.Stack) -> bool:
        """Idle are those who come back to this place again and again, or stay and do not grow in number."""
        at_start, created, ended, life_ns = self._made.get(fr.plain(fr.outermost(stack)), [0, 0, 0, 0])
        known = at_start + created
        if wait.count >= 2 * max(1, min(known, wait.seen)):
            return True
        brief = ended * 2 > known > 1 and life_ns * 2 < known * self._duration_ns
        if brief and fr.user_frame(stack) is not None:
            return False  # they begin and end with what they wait for
        here = wait.open_start + wait.open_both + wait.open_end
        return here < MANY and not 0 < at_start < created - ended
