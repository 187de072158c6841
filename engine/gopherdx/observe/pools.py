"""Who waits for a connection of a database/sql pool, and how many goroutines are inside the driver meanwhile.

A goroutine that finds the pool's limit reached parks in ``(*DB).conn`` (GOROOT/src/database/sql/sql.go) until
another gives its connection back in ``putConn``. Where the pool is what holds things up, as many goroutines
are inside the driver as it has connections. Rows or transactions that nobody closes make the same queue, with
nobody inside the driver. Transactions and rows that are open while their owner does something else are told
by the goroutines that watch over them (``awaitDone``). A pool has no name in these artifacts: those of a
process are one, named after the user's function that waits most.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gopherdx import frames as fr
from gopherdx.observe.contention import ended_waits
from gopherdx.observe.said import Said, Sayer, place_of
from gopherdx.observe.standing import stacks

if TYPE_CHECKING:
    from gopherdx.artifacts.dump import GoroutineDump
    from gopherdx.artifacts.pprof import Profile
    from gopherdx.artifacts.trace.tables import Trace

LOOKED = (
    "pool.waiters",
    "pool.wait_ms",
    "pool.in_driver",
    "pool.handed_share",
    "pool.used_share",
    "pool.wait_share",
)
LOOKED_BLOCK = ("block.pool_wait_ms", "block.pool_waits", "block.pool_delay_s")
LOOKED_DUMP = ("dump.pool_waiters", "dump.pool_in_driver", "dump.pool_used_share")
_IN_USE = frozenset(
    ("network", "syscall", "sleep", "select", "chan receive", "chan send", "sync", "sync.(*Cond).Wait", "")
)


@dataclass(slots=True)
class _Queue:
    """Those who wait for a connection; ``weight`` is time or a number of them, by the function that asks."""

    ended: int = 0
    ended_ns: int = 0
    handed: int = 0
    woken: int = 0
    weight: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    frames: dict[str, fr.Frame] = field(default_factory=dict)

    def add(self, stack: fr.Stack, weight: int) -> None:
        frame = fr.caller_of(stack, fr.SQL)
        if frame is not None:
            function = fr.plain(frame.function)
            self.weight[function] += weight
            self.frames.setdefault(function, frame)

    @property
    def most(self) -> tuple[str, fr.Frame | None]:
        """The user's function that waits most; "" where none is known."""
        if not self.weight:
            return "", None
        function = max(self.weight, key=lambda f: (self.weight[f], f))
        return function, self.frames[function]


@dataclass(slots=True)
class _Held:
    """Connections held by a transaction or by rows: the watchers over them, as time or as a number."""

    transactions: int = 0
    rows: int = 0

    def add(self, stack: fr.Stack, weight: int) -> None:
        watcher = next((f.function for f in stack if fr.POOL_HELD.match(f.function)), "")
        if "(*Tx)" in watcher:
            self.transactions += weight
        elif watcher:
            self.rows += weight

    def used(self, in_driver: int) -> float:
        """Of the connections known to be out, the share that somebody uses."""
        out = max(in_driver, self.transactions, self.rows)
        return in_driver / out if out else 0.0


def of_trace(trace: Trace) -> Said:
    """The queue of the pools in a trace, on average over the recording."""
    out = Sayer("trace", LOOKED)
    duration = max(trace.duration_ns, 1)
    queue, held, waiting_ns, driver_ns = _Queue(), _Held(), 0, 0
    waits: set[int] = set()
    for wait in trace.waits:
        stack = trace.stack(wait.stack)
        if wait.reason in ("select", "chan receive", "") and fr.is_pool_wait(stack):
            waits.add(wait.index)
            waiting_ns += wait.total_ns
            queue.ended += wait.count
            queue.ended_ns += wait.ns
            queue.add(stack, wait.total_ns)
        elif wait.reason in _IN_USE and fr.in_driver(stack):
            driver_ns += wait.total_ns
        elif wait.reason in _IN_USE:
            held.add(stack, wait.total_ns)
    if not waiting_ns:
        return out.done()
    for wake in trace.wakes:
        if wake.wait in waits:
            queue.woken += wake.count
            if wake.waker is not None and fr.has(trace.stack(wake.waker), fr.POOL_GIVE):
                queue.handed += wake.count
    function, frame = queue.most
    say = out.about(function, place_of(frame), "waits in database/sql.(*DB).conn")
    wait_ms = queue.ended_ns / queue.ended / 1e6 if queue.ended else waiting_ns / 1e6
    drive_ms = driver_ns / queue.ended / 1e6 if queue.ended else 0.0
    say("pool.waiters", waiting_ns / duration, "goroutines")
    say("pool.in_driver", driver_ns / duration, "goroutines")
    say("pool.used_share", held.used(driver_ns), "share")
    say("pool.waits_per_s", queue.ended / (duration / 1e9), "1/s")
    say("pool.handed_share", queue.handed / queue.woken if queue.woken else 0.0, "share")
    say("pool.wait_ms", wait_ms, "ms")
    say("pool.wait_share", wait_ms / (wait_ms + drive_ms), "share")
    if queue.ended and drive_ms:
        say("pool.drive_ms", drive_ms, "ms")
        say("pool.gain_high", 1 + wait_ms / drive_ms, "x")
        say("pool.gain_low", 1 + wait_ms / drive_ms / 4, "x")
    return out.done()


def of_block(profiles: Sequence[Profile]) -> Said:
    """The waits for a connection that ended, as block profiles count them. None is inside the driver there:
    a wait for the network is in no block profile."""
    ended = ended_waits(profiles)
    if ended is None:
        return Said((), frozenset())
    out = Sayer("block", LOOKED_BLOCK)
    queue = _Queue()
    for stack, count, ns in ended.stacks:
        if fr.is_pool_wait(stack):
            queue.ended += count
            queue.ended_ns += ns
            queue.add(stack, ns)
    if queue.ended:
        function, frame = queue.most
        say = out.about(function, place_of(frame), "waits in database/sql.(*DB).conn that ended")
        say("block.pool_waits", float(queue.ended), "waits")
        say("block.pool_wait_ms", queue.ended_ns / queue.ended / 1e6, "ms")
        say("block.pool_delay_s", queue.ended_ns / 1e9, "s")
        held = _Held()
        for stack, _, ns in ended.stacks:
            held.add(stack, ns)
        elsewhere_ns = sum(ns for stack, _, ns in ended.stacks if _elsewhere(stack, function))
        if held.transactions and elsewhere_ns:
            say("block.pool_elsewhere_share", elsewhere_ns / held.transactions, "share of open transactions")
        if ended.seconds:
            say("block.pool_waiters", queue.ended_ns / 1e9 / ended.seconds, "goroutines")
    return out.done()


def _elsewhere(stack: fr.Stack, function: str) -> bool:
    """Whether a wait is one of this function, but not for the database."""
    if fr.has(stack, fr.SQL) or fr.is_lock_wait(stack):
        return False
    return any(fr.plain(frame.function) == function for frame in stack)


def of_goroutines(artifact: Profile | GoroutineDump) -> Said:
    """The queue at one moment, from a goroutine profile or dump, and how long the oldest waits if told."""
    rows = stacks(artifact)
    return Said((), frozenset()) if rows is None else _of_moment(artifact.kind, rows)


def _of_moment(kind: str, rows: Iterable[tuple[fr.Stack, int, int]]) -> Said:
    out = Sayer(kind, LOOKED_DUMP)
    queue, held, inside, minutes = _Queue(), _Held(), 0, 0
    for stack, count, age in rows:
        if fr.is_pool_wait(stack):
            queue.ended += count
            queue.add(stack, count)
            minutes = max(minutes, age)
        elif fr.in_driver(stack):
            inside += count
        else:
            held.add(stack, count)
    if queue.ended:
        function, frame = queue.most
        say = out.about(function, place_of(frame), "goroutines in database/sql.(*DB).conn")
        say("dump.pool_waiters", float(queue.ended), "goroutines")
        say("dump.pool_in_driver", float(inside), "goroutines")
        say("dump.pool_used_share", held.used(inside), "share")
        say("dump.pool_wait_minutes", float(minutes), "min")
    return out.done()
