"""Goroutines that wait, as traces, dumps and profiles tell of them, and whether they moved meanwhile."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gopherdx import frames as fr
from gopherdx.observe.scheduler import never_ran_unplaced
from gopherdx.observe.sends import UNPLACED
from gopherdx.observe.standing import moments

if TYPE_CHECKING:
    from gopherdx.artifacts.dump import GoroutineDump, GoroutineGroup
    from gopherdx.artifacts.trace.tables import Trace, Waits

LONG_BIN = 40  # stays of 2**20 ns, about a millisecond, or more: a call, not the writing of one
SHORT_NS = 1_000_000_000  # a recording shorter than this proves nothing about what does not end
_STATES = frozenset(("runnable", "stopped", "first run"))
ACCEPT_LOOP = re.compile(
    r"net/http\.\(\*Server\)\.Serve$|net/rpc\.\(\*Server\)\.Accept$|google\.golang\.org/grpc\.\(\*Server\)\.Serve$"
)


@dataclass(slots=True, eq=False)
class Waiting:
    """Goroutines that wait at one stack. ``kept`` of them did so for the whole time (None: time is not told),
    ``ended`` others did in that time and went on. ``servers`` are the accept loops that started them."""

    stack: fr.Stack
    state: str | None
    count: int
    kept: int | None = None
    ended: int = 0
    ids: tuple[int, ...] = ()
    creator: fr.Frame | None = None
    servers: Counter[int] = field(default_factory=Counter)
    path: tuple[fr.Frame, ...] = field(init=False)  # the user's frames, the outermost first
    handler: fr.Frame | None = field(init=False)  # as a server's frames tell it

    def __post_init__(self) -> None:
        self.path = tuple(fr.user_frames(self.stack)[::-1])
        self.handler = fr.handler_frame(self.stack)


@dataclass(slots=True)
class View:
    """What one artifact, or two of a kind, tell of who waits. ``blind``: it cannot show what stands still."""

    artifact: str
    waiting: list[Waiting]
    blind: bool = False


class Paths:
    """The user's frames of goroutines as a tree, to tell whether one came by the place where another waits:
    from the root over the same lines to the same function, and there the first at a later line."""

    def __init__(self, waiting: Iterable[Waiting]) -> None:
        self._nodes: dict[tuple[int, str, int], int] = {}
        self._lines: dict[tuple[int, str], tuple[int, int]] = {}
        for w in waiting:
            node = 0
            for frame in w.path:
                low, high = self._lines.get((node, frame.function), (frame.line, frame.line))
                self._lines[node, frame.function] = (min(low, frame.line), max(high, frame.line))
                node = self._nodes.setdefault((node, frame.function, frame.line), len(self._nodes) + 1)

    def got_past(self, w: Waiting) -> bool:
        """Whether any of these is further on than this one."""
        return any(high > line for _, _, high, line in self._along(w))

    def passed(self, w: Waiting) -> int | None:
        """How deep in the path of this one is the last place that it came by and where any of these wait."""
        return max((depth for depth, low, _, line in self._along(w) if low < line), default=None)

    def _along(self, w: Waiting) -> Iterator[tuple[int, int, int, int]]:
        """By depth: first and last line at which these are in the function, and the line of this one."""
        node = 0
        for depth, frame in enumerate(w.path):
            low, high = self._lines.get((node, frame.function), (frame.line, frame.line))
            yield depth, low, high, frame.line
            node = self._nodes.get((node, frame.function, frame.line), -1)
            if node < 0:
                return


def views(artifacts: Sequence[Any]) -> Iterator[View]:
    """What the artifacts of one process show of who waits, the most telling first."""
    for trace in (a for a in artifacts if a.kind == "trace"):
        yield _of_trace(trace)
    dumps = stacks_of(artifacts)
    if dumps:
        yield _of_dumps(dumps)
    for moment in moments(artifacts):
        if moment.form != "stacks":
            waiting = [
                Waiting(g.stack, g.state, g.count, creator=g.creator)
                for g in moment.groups
                if not fr.is_recorder(g.stack)
            ]
            yield View(moment.kind, waiting)


def _of_trace(trace: Trace) -> View:
    waiting = []
    whole = trace.duration_ns >= SHORT_NS
    for wait in trace.waits:
        stack = trace.stack(wait.stack)
        if wait.reason in _STATES or not stack or fr.is_internal(stack):
            continue
        open_now = wait.open_end + wait.open_both
        ended = int(wait.histogram[LONG_BIN:].sum()) + wait.open_start
        if _stands(wait, open_now):
            ended = 0
        if open_now:
            kept = (open_now if not ended else wait.open_both) if whole else None
            state = wait.reason or fr.parked_in(stack)  # a status has no reason
            waiting.append(Waiting(stack, state, open_now, kept, ended))
    return View("trace", waiting, never_ran_unplaced(trace) >= UNPLACED)


def _stands(wait: Waits, open_now: int) -> bool:
    """Whether the waits that are open are none of those that end: all older than any that did, and old."""
    old = wait.open_both + wait.open_end_old == open_now
    return old and (not wait.open_end or wait.open_end_min_ns >= SHORT_NS)


def stacks_of(artifacts: Sequence[Any]) -> list[GoroutineDump]:
    """The dumps that name each goroutine, in the order of time."""
    return [a for a in artifacts if a.kind == "goroutine-dump" and a.form == "stacks" and a.whole]


def _of_dumps(dumps: Sequence[GoroutineDump]) -> View:
    """The last dump, and of it what stood just so in the first."""
    last, parents = dumps[-1], {}
    for g in last.groups:
        accepts = fr.has(g.stack, fr.ACCEPT) or any(ACCEPT_LOOP.match(f.function) for f in g.stack)
        for goroutine, parent in zip(g.ids, g.parents, strict=False):
            parents[goroutine] = (parent, accepts)
    before: dict[object, set[int]] = defaultdict(set)
    if len(dumps) > 1:
        for g in dumps[0].groups:
            before[_path(g.stack)].update(g.ids)
    waiting = []
    for g in last.groups:
        if fr.is_recorder(g.stack):
            continue
        then = before.get(_path(g.stack), set())
        kept = len(then.intersection(g.ids)) if len(dumps) > 1 else None
        aged = sum(1 for m in g.minutes if m)
        if aged:  # less than a minute, or not seen by a collection yet, is no sign of having moved
            kept = max(kept or 0, aged)
        servers = Counter(s for p in g.parents if (s := _server(p, parents)))
        waiting.append(Waiting(g.stack, g.state, g.count, kept, 0, g.ids, g.creator, servers))
    return View("goroutine-dump", waiting)


def _path(stack: fr.Stack) -> tuple[tuple[str, int], ...]:
    return tuple((f.function, f.line) for f in stack)


def _server(parent: int, parents: dict[int, tuple[int, bool]]) -> int:
    """The accept loop that a goroutine comes from: its parent, or the parent's (one for each connection)."""
    for _ in range(3):
        above, accepts = parents.get(parent, (0, False))
        if accepts:
            return parent
        parent = above
    return 0


def parted(artifacts: Sequence[Any]) -> list[Sequence[Any]]:
    """Artifacts of one process; two dumps that share no goroutine are of two, whatever folder they lie in."""
    dumps = stacks_of(artifacts)
    if len(artifacts) != 2 or len(dumps) != 2 or _same_process(*dumps):
        return [artifacts]
    return [[dump] for dump in dumps]


def _same_process(one: GoroutineDump, other: GoroutineDump) -> bool:
    """Whether goroutines of one id began alike: each id is given once, and some goroutines are in both."""
    first, second = _beginnings(one.groups), _beginnings(other.groups)
    both = first.keys() & second.keys()
    return bool(both) and all(first[goroutine] == second[goroutine] for goroutine in both)


def _beginnings(groups: Iterable[GoroutineGroup]) -> dict[int, tuple[str, str, int]]:
    return {
        goroutine: (
            fr.outermost(g.stack),
            g.creator.function if g.creator else "",
            g.creator.line if g.creator else 0,
        )
        for g in groups
        for goroutine in g.ids
        if g.stack
    }
