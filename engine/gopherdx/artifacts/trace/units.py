"""Units of work: the replaying kernel's tables of them, and what they become."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from gopherdx.artifacts.trace import format as tf
from gopherdx.artifacts.trace import kernels as k
from gopherdx.artifacts.trace.arrays import hash_table
from gopherdx.artifacts.trace.stacks import StackTable
from gopherdx.artifacts.trace.tables import Unit, UnitKind, UnitPart

Ints = npt.NDArray[np.int64]

# Over so many stays the time of a unit can be followed back. Few fit into a processor's cache; where a unit
# is older than the oldest that is kept, twice as many are kept from then on, up to 29 MB of them.
STAYS = 1 << 15
OPEN_TASKS = 1 << 13

KINDS = {
    k.U_TASK: "task",
    k.U_REGION: "region",
    k.U_HANDLER: "handler",
    k.U_GOROUTINE: "goroutine",
    k.U_JOB: "job",
    k.U_TURN: "turn",
}
WHATS = ("cpu", "runnable", "lock", "channel", "network", "syscall", "gc", "timer", "sleep", "sync", "other")

_WHAT_OF_REASON = {
    "network": k.C_NETWORK,
    "select": k.C_CHANNEL,
    "sync.(*Cond).Wait": k.C_SYNC,
    "sync": k.C_SYNC,
    "chan send": k.C_CHANNEL,
    "chan receive": k.C_CHANNEL,
    "GC mark assist wait for work": k.C_GC,
    "GC background sweeper wait": k.C_GC,
    "wait until GC ends": k.C_GC,
    "GC weak to strong wait": k.C_GC,
    "preempted": k.C_RUNNABLE,
    "sleep": k.C_SLEEP,
    "runtime.Gosched": k.C_RUNNABLE,
}


def _what_of() -> Ints:
    out = np.full(128, k.C_OTHER, dtype=np.int64)
    for i, reason in enumerate(tf.WAIT_REASONS):
        out[i] = _WHAT_OF_REASON.get(reason, k.C_OTHER)
    out[k.K_SYSCALL] = k.C_SYSCALL
    out[[k.K_SCHED, k.K_SCHED_NEW, k.K_STOPPED]] = k.C_RUNNABLE
    return out


WHAT_OF = _what_of()
"""What a unit does in a stay of each kind (columns of kernels.py: a wait's reason, or one of K_…)."""


class UnitTables:
    """The stays of goroutines of late, and the units that were kept (columns are described in kernels.py)."""

    def __init__(self, x: Ints) -> None:
        # As large as it may become: pages count when they are used.
        self._stays: Ints = np.empty((k.STAYS_MAX, k.STAY_COLUMNS), dtype=np.int64)
        x[k.X_LOG_MASK] = STAYS - 1
        self._walk: Ints = np.zeros((k.WALK_DEPTH, k.WALK_COLUMNS), dtype=np.int64)
        self._parts: Ints = np.zeros((k.PARTS + 1, 3), dtype=np.int64)
        self._keys, self._vals = hash_table(4 * k.KINDS_MAX)
        self._tasks = hash_table(2 * OPEN_TASKS)
        self._kinds: Ints = np.zeros((k.KINDS_MAX, k.KIND_COLUMNS), dtype=np.int64)
        self._hist = np.zeros((k.KINDS_MAX, k.HIST_BINS), dtype=np.int32)
        self._units: Ints = np.zeros((k.KINDS_MAX * k.UNITS_A_KIND, k.UNIT_COLUMNS), dtype=np.int64)
        self._unit_parts: Ints = np.zeros((k.KINDS_MAX * k.UNITS_A_KIND, 3 * k.PARTS), dtype=np.int64)

    @property
    def arrays(self) -> tuple[Any, ...]:
        """The arguments of the kernel from ``stays`` to ``task_vals``."""
        return (
            self._stays, self._walk, self._parts, self._keys, self._vals, self._kinds, self._hist,
            self._units, self._unit_parts, *self._tasks,
        )  # fmt: skip

    def keep_longer(self, x: Ints) -> None:
        """A unit began before the oldest stay that is kept: double their room, as far as that goes."""
        x[k.X_LOG_LACKED] = 0
        size = int(x[k.X_LOG_MASK]) + 1
        if size >= k.STAYS_MAX:
            return
        end = int(x[k.X_LOG])
        x[k.X_LOG_FROM] = max(end - size, int(x[k.X_LOG_FROM]))
        # Of the numbers that are kept those with the new bit move: the last ones, or those before them.
        first, last = (0, end & (size - 1)) if end & size else (end & (size - 1), size)
        self._stays[size + first : size + last] = self._stays[first:last]
        x[k.X_LOG_MASK] = 2 * size - 1

    def kinds(self, count: int, stacks: StackTable, zero_ns: int) -> tuple[UnitKind, ...]:
        """The first ``count`` kinds, those that took longest in all first. Times count from ``zero_ns``."""
        out = [self._kind(row, stacks, zero_ns) for row in range(count)]
        return tuple(sorted(out, key=lambda kind: (-kind.ns, kind.kind, kind.name)))

    def _kind(self, row: int, stacks: StackTable, zero_ns: int) -> UnitKind:
        what, name, count, ns, most = self._kinds[row, : k.U_MAX + 1].tolist()
        named = stacks.names if what in (k.U_TASK, k.U_REGION) else stacks.functions
        first = row * k.UNITS_A_KIND
        slowest, sampled = (
            _Kept(self._units[at : at + n], self._unit_parts[at : at + n], stacks, zero_ns, longest_first=way)
            for at, n, way in (
                (first, min(count, k.SLOWEST), True),
                (first + k.SLOWEST, min(count, k.SAMPLED), False),
            )
        )
        return UnitKind(
            kind=KINDS[what],
            name=named[name] if name < len(named) else "",
            count=count,
            ns=ns,
            max_ns=most,
            histogram=self._hist[row].astype(np.int64),
            slowest=slowest,
            sampled=sampled,
        )


class _Kept(Sequence[Unit]):
    """Units by length, each made when it is asked for: of hundreds that are kept, few are told."""

    def __init__(
        self, units: Ints, parts: Ints, stacks: StackTable, zero_ns: int, *, longest_first: bool
    ) -> None:
        length = units[:, k.V_NS] * (-1 if longest_first else 1)
        order = np.lexsort((units[:, k.V_G], units[:, k.V_T], length))
        self._units, self._parts = units[order], parts[order]
        self._stacks, self._zero_ns = stacks, zero_ns

    def __len__(self) -> int:
        return len(self._units)

    @overload
    def __getitem__(self, at: int) -> Unit: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[Unit]: ...

    def __getitem__(self, at: int | slice) -> Unit | Sequence[Unit]:
        if isinstance(at, slice):
            return [self[i] for i in range(*at.indices(len(self)))]
        ns, start, goroutine, parts = self._units[at].tolist()
        rows = self._parts[at, : 3 * parts].reshape(parts, 3)
        return Unit(
            goroutine=goroutine,
            start_ns=start - self._zero_ns,
            ns=ns,
            parts=tuple(
                UnitPart(
                    what=WHATS[key >> (2 * k.STACK_BITS)],
                    stack=(key >> k.STACK_BITS) & k.STACK_MASK,
                    function=self._stacks.functions[key & k.STACK_MASK],
                    ns=part,
                    count=n,
                )
                for key, part, n in rows[np.argsort(-rows[:, 1], kind="stable")].tolist()
            ),
        )
