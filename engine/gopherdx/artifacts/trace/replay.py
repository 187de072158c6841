"""The replaying kernel's state, how it grows, and how its columns become a ``Trace``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from gopherdx.artifacts.trace import format as tf
from gopherdx.artifacts.trace import kernels as k
from gopherdx.artifacts.trace.stacks import MAX_SITES, SPAN_NAMES, StackTable
from gopherdx.artifacts.trace.tables import (
    Counted,
    Gc,
    Generation,
    Group,
    LockSite,
    Next,
    Run,
    Span,
    Trace,
    Waits,
    Wake,
)
from gopherdx.artifacts.trace.units import WHAT_OF, UnitTables
from gopherdx.model import GoRange

Ints = npt.NDArray[np.int64]

KEEP_RUNS = 512
KEEP_SPANS = 2048


class Replay:
    """Running totals over the ordered events of a trace (columns are described in kernels.py)."""

    def __init__(self) -> None:
        self.x: Ints = np.zeros(k.X_SIZE, dtype=np.int64)
        self.x[[k.X_GC_T, k.X_STW_T]] = -1
        self._g: Ints = np.zeros((2048, k.GOROUTINE_COLUMNS), dtype=np.int64)
        self._slots = _Table(512, k.SLOT_COLUMNS)
        self._hist = np.zeros((512, k.HIST_BINS), dtype=np.int32)
        self._edges = _Table(1024, k.EDGE_COLUMNS)
        self._counters = _Table(1024, k.COUNTER_COLUMNS)
        self._groups = _Table(512, k.GROUP_COLUMNS)
        k.put(self._groups.keys, self._groups.vals, 0, 0)
        self.x[k.X_GROUPS] = 1
        self._runs: Ints = np.zeros((2 * KEEP_RUNS, k.RUN_COLUMNS), dtype=np.int64)
        self._spans: Ints = np.zeros((2 * KEEP_SPANS, k.SPAN_COLUMNS), dtype=np.int64)
        self._sites: Ints = np.zeros((MAX_SITES, k.SITE_COLUMNS), dtype=np.int64)
        self._running_ns: Ints = np.zeros(257, dtype=np.int64)
        self._delays: Ints = np.zeros(k.HIST_BINS, dtype=np.int64)
        self._units = UnitTables(self.x)
        self._started = False
        self._fold = k.fold.in_turn()

    @property
    def live(self) -> int:
        """Goroutines alive now."""
        return int(self.x[k.X_LIVE])

    def begin(self, first_ns: int) -> None:
        """A generation begins at ``first_ns``."""
        x = self.x
        if not self._started:
            self._started = True
            x[[k.X_T0, k.X_LAST, k.X_HIST_T]] = first_ns
            self._sites[:, k.S_T] = first_ns
        x[k.X_GEN_T0] = first_ns

    def _reserve(self, rows: int) -> None:
        """Make room for the rows of goroutines that the ordering kernel hands out."""
        while self._g.shape[0] < rows:
            self._g = np.concatenate([self._g, np.zeros_like(self._g)])

    def fold(
        self, window: tuple[Any, ...], rows: int, stacks: StackTable, label_of: Ints, goroutines: int
    ) -> None:
        """Replay the first ``rows`` events of a window, which speak of so many rows of goroutines."""
        self._reserve(goroutines)
        at = 0
        while True:
            why, at = self._fold(
                *window, at, rows, self.x, self._g,
                self._slots.keys, self._slots.vals, self._slots.rows, self._hist,
                self._edges.keys, self._edges.vals, self._edges.rows,
                self._counters.keys, self._counters.vals, self._counters.rows,
                self._groups.keys, self._groups.vals, self._groups.rows,
                self._runs, self._spans, self._sites, self._running_ns, self._delays,
                stacks.flags, stacks.site, stacks.root, stacks.slot, label_of,
                *self._units.arrays, stacks.who, stacks.path, WHAT_OF,
            )  # fmt: skip
            if why == k.DONE:
                break
            self._make_room(why)
        if self.x[k.X_LOG_LACKED]:
            self._units.keep_longer(self.x)

    def _make_room(self, why: int) -> None:
        if why == k.BAD:
            raise RuntimeError("a table has not the columns that the kernel knows")
        if why == k.GROW_SLOTS:
            self._slots.grow()
            self._hist = np.concatenate([self._hist, np.zeros_like(self._hist)])
        elif why == k.GROW_EDGES:
            self._edges.grow()
        elif why == k.GROW_COUNTERS:
            self._counters.grow()
        elif why == k.GROW_GROUPS:
            self._groups.grow()
        elif why == k.COMPACT_RUNS:
            length = self._runs[:, k.RUN_END] - self._runs[:, k.RUN_T]
            self.x[k.X_RUNS] = _keep_largest(self._runs, length, int(self.x[k.X_RUNS]), KEEP_RUNS)
        elif why == k.COMPACT_SPANS:
            length = self._spans[:, k.SPAN_END] - self._spans[:, k.SPAN_T]
            self.x[k.X_SPANS] = _keep_largest(self._spans, length, int(self.x[k.X_SPANS]), KEEP_SPANS)

    def trace(
        self,
        *,
        path: str,
        go: GoRange,
        size: int,
        stacks: StackTable,
        order_tally: Ints,
        rows: int,
        generations: tuple[Generation, ...],
        reasons: list[str],
        warnings: tuple[str, ...],
        truncated: bool,
        wall_clock_ns: int | None,
        unread: tuple[int, int],
        names: Mapping[int, str] = tf.EVENT_NAMES,
    ) -> Trace:
        """Close what is still open at the end of the trace and hand over the tables.

        ``names`` are those of the events that ``order_tally`` counts.
        """
        self._finish(min(rows, self._g.shape[0]), stacks)
        x = self.x
        counters = self._counters.used(int(x[k.X_COUNTERS]))
        counts = {names[i]: int(order_tally[i]) for i in range(256) if order_tally[i] and i in names}
        groups = self._group_rows(stacks)
        return Trace(
            path=path,
            go=go,
            bytes=size,
            duration_ns=int(x[k.X_LAST] - x[k.X_T0]),
            events=int(order_tally[:256].sum()),
            counts=counts,
            generations=generations,
            truncated=truncated,
            warnings=warnings,
            stacks=stacks.stacks,
            waits=self._waits(counters, reasons),
            wakes=self._wakes(),
            sequence=self._sequence(),
            groups=groups,
            runs=self._run_rows(counters, stacks),
            spans=self._span_rows(),
            locks=self._lock_rows(stacks),
            units=self._units.kinds(int(x[k.X_KINDS]), stacks, int(x[k.X_T0])),
            units_left_out=int(x[k.X_UNITS_LEFT_OUT]),
            gc=self._gc(counters, reasons),
            samples=_counted(counters, k.TAG_SAMPLE),
            restarts=_counted(counters, k.TAG_RESTART),
            created=sum(g.created for g in groups),
            ended=sum(g.ended for g in groups),
            live=int(x[k.X_LIVE]),
            live_max=int(max(x[k.X_LIVE_MAX], x[k.X_LIVE])),
            gomaxprocs=int(x[k.X_PROCS_MAX]) or int(order_tally[k.T_PROCS]),
            running_ns=int(x[k.X_INT_RUN]),
            runnable_ns=int(x[k.X_INT_RUNNABLE]),
            running_histogram_ns=self._running_ns,
            delay_histogram=self._delays,
            delay_max_ns=int(x[k.X_DELAY_MAX]),
            wall_clock_ns=wall_clock_ns,
            forced=int(order_tally[k.T_FORCED]),
            unsettled=int(x[k.X_UNSETTLED]),
            unread_generations=unread[0],
            skipped_bytes=unread[1],
        )

    def _finish(self, rows: int, stacks: StackTable) -> None:
        row = 0
        while True:
            why, row = k.finish(
                self.x, self._g, row, rows, self._slots.keys, self._slots.vals, self._slots.rows, stacks.slot,
                self._counters.keys, self._counters.vals, self._counters.rows, self._groups.rows, self._runs,
                self._spans, self._sites, self._running_ns,
            )  # fmt: skip
            if why == k.DONE:
                return
            self._make_room(why)

    def _waits(self, counters: Ints, reasons: list[str]) -> tuple[Waits, ...]:
        names = {
            k.K_SYSCALL: "syscall",
            k.K_SCHED: "runnable",
            k.K_STOPPED: "stopped",
            k.K_SCHED_NEW: "first run",
        }
        out = []
        short = {c.stack: c.count for c in _counted(counters, k.TAG_SHORT)}
        for i, w in enumerate(self._slots.used(int(self.x[k.X_SLOTS])).tolist()):
            kind = w[k.W_KIND]
            calls = short.pop(w[k.W_STACK], 0) if kind == k.K_SYSCALL else 0
            out.append(
                Waits(
                    index=i,
                    reason=names.get(kind) or (reasons[kind] if kind < len(reasons) else "unspecified"),
                    stack=w[k.W_STACK],
                    count=w[k.W_N],
                    ns=w[k.W_NS],
                    max_ns=w[k.W_MAX],
                    open_start=w[k.W_OPEN_N],
                    open_start_ns=w[k.W_OPEN_NS],
                    open_end=w[k.W_END_N],
                    open_end_ns=w[k.W_END_NS],
                    open_end_max_ns=w[k.W_END_MAX],
                    open_end_min_ns=w[k.W_END_MIN],
                    open_end_old=w[k.W_END_OLD],
                    open_both=w[k.W_BOTH_N],
                    open_both_ns=w[k.W_BOTH_NS],
                    histogram=self._hist[i].astype(np.int64),
                    short=calls,
                )
            )
        out += (_only_short(len(out) + i, stack, n) for i, (stack, n) in enumerate(sorted(short.items())))
        return tuple(out)

    def _wakes(self) -> tuple[Wake, ...]:
        rows = self._edges.used(int(self.x[k.X_EDGES]))
        return tuple(
            Wake(
                wait=e[k.E_SLOT],
                waker=None if e[k.E_OTHER] == k.NO_WAKER else e[k.E_OTHER],
                count=e[k.E_N],
                ns=e[k.E_NS],
                hold_ns=e[k.E_HOLD],
                hold_known_ns=e[k.E_HOLD_KNOWN],
                hold_running_ns=e[k.E_HOLD_RUN],
            )
            for e in rows[rows[:, k.E_OTHER] >= 0].tolist()
        )

    def _sequence(self) -> tuple[Next, ...]:
        rows = self._edges.used(int(self.x[k.X_EDGES]))
        return tuple(
            Next(
                wait=e[k.E_SLOT],
                before=None if -e[k.E_OTHER] - 1 == k.PREV_START else -e[k.E_OTHER] - 1,
                count=e[k.E_N],
                ns=e[k.E_NS],
                gap_ns=e[k.E_GAP],
            )
            for e in rows[rows[:, k.E_OTHER] < 0].tolist()
        )

    def _group_rows(self, stacks: StackTable) -> tuple[Group, ...]:
        return tuple(
            Group(
                function=stacks.functions[r[k.R_ROOT]],
                created_at=r[k.R_STACK],
                created=r[k.R_CREATED],
                ended=r[k.R_ENDED],
                at_start=r[k.R_AT_START],
                live=r[k.R_LIVE],
                live_max=r[k.R_LIVE_MAX],
                running_ns=r[k.R_RUN],
                runnable_ns=r[k.R_RUNNABLE],
                waiting_ns=r[k.R_WAIT],
                syscall_ns=r[k.R_SYSCALL],
                assist_ns=r[k.R_ASSIST],
                life_ns=r[k.R_LIFE],
                life_max_ns=r[k.R_LIFE_MAX],
                first_run_ns=r[k.R_SCHED_NEW],
                running_max_ns=r[k.R_RUN_MAX],
            )
            for r in self._groups.used(int(self.x[k.X_GROUPS])).tolist()
        )

    def _run_rows(self, counters: Ints, stacks: StackTable) -> tuple[Run, ...]:
        """The longest runs first, with the CPU samples and preemptions that fell on their goroutines."""
        marks: dict[int, dict[int, list[tuple[int, int]]]] = {k.TAG_RUN_SAMPLE: {}, k.TAG_PREEMPT: {}}
        for tag, key, n, _, _ in counters[np.isin(counters[:, k.N_TAG], list(marks))].tolist():
            marks[tag].setdefault(key >> 28, []).append((key & 0xFFFFFFF, n))
        rows = self._runs[: int(self.x[k.X_RUNS])]
        order = np.argsort(rows[:, k.RUN_T] - rows[:, k.RUN_END], kind="stable")[:KEEP_RUNS]
        groups = self._groups.rows
        return tuple(
            Run(
                goroutine=r[k.RUN_G],
                function=stacks.functions[int(groups[r[k.RUN_GROUP], k.R_ROOT])],
                start_ns=r[k.RUN_T] - int(self.x[k.X_T0]),
                end_ns=r[k.RUN_END] - int(self.x[k.X_T0]),
                running_ns=r[k.RUN_NS],
                victims_ns=r[k.RUN_VICTIMS],
                long_delays=r[k.RUN_LONG],
                preempted_at=r[k.RUN_S],
                open_start=bool(r[k.RUN_OPEN] & 1),
                open_end=bool(r[k.RUN_OPEN] & 2),
                samples=tuple(sorted(marks[k.TAG_RUN_SAMPLE].get(r[k.RUN_G] & 0xFFFFFFF, ()))),
                preemptions=tuple(sorted(marks[k.TAG_PREEMPT].get(r[k.RUN_G] & 0xFFFFFFF, ()))),
            )
            for r in rows[order].tolist()
        )

    def _span_rows(self) -> tuple[Span, ...]:
        rows = self._spans[: int(self.x[k.X_SPANS])]
        order = np.argsort(rows[:, k.SPAN_T] - rows[:, k.SPAN_END], kind="stable")[:KEEP_SPANS]
        return tuple(
            Span(
                kind=SPAN_NAMES[r[k.SPAN_CLASS]],
                goroutine=r[k.SPAN_G],
                start_ns=r[k.SPAN_T] - int(self.x[k.X_T0]),
                end_ns=r[k.SPAN_END] - int(self.x[k.X_T0]),
                running_ns=r[k.SPAN_RUN],
                assist_ns=r[k.SPAN_ASSIST],
                stack=r[k.SPAN_S],
                seen=r[k.SPAN_N],
            )
            for r in rows[order].tolist()
        )

    def _lock_rows(self, stacks: StackTable) -> tuple[LockSite, ...]:
        return tuple(
            LockSite(
                function=stacks.sites[i],
                busy_ns=s[k.S_BUSY],
                waiters_ns=s[k.S_WAITER_NS],
                running_ns=s[k.S_RUN],
                runnable_ns=s[k.S_RUNNABLE],
                handovers=s[k.S_HANDOVERS],
                waits=s[k.S_N],
                wait_ns=s[k.S_WAIT_NS],
            )
            for i, s in enumerate(self._sites[: len(stacks.sites)].tolist())
        )

    def _gc(self, counters: Ints, reasons: list[str]) -> Gc:
        x = self.x
        labels = {c.stack: c.ns for c in _counted(counters, k.TAG_LABEL)}
        assists = _counted(counters, k.TAG_ASSIST)
        return Gc(
            cycles=int(x[k.X_GC_N]),
            marking_ns=int(x[k.X_GC_NS]),
            mark_ns={
                "dedicated": labels.get(1, 0),
                "fractional": labels.get(2, 0),
                "idle": labels.get(3, 0),
            },
            assist_ns=sum(a.ns for a in assists),
            stw_ns=int(x[k.X_STW_NS]),
            stw={reasons[c.stack]: (c.count, c.ns, c.max_ns) for c in _counted(counters, k.TAG_STW)},
            first_ns=int(x[k.X_GC_FIRST] - x[k.X_T0]) if x[k.X_GC_N] else 0,
            last_ns=int(x[k.X_GC_LAST] - x[k.X_T0]) if x[k.X_GC_N] else 0,
            gap_max_ns=int(x[k.X_GC_GAP_MAX]),
            heap_max_bytes=int(x[k.X_HEAP_MAX]),
            heap_low_bytes=float(x[k.X_LOW_SUM] / x[k.X_LOW_N]) if x[k.X_LOW_N] else float(x[k.X_LOW]),
            heap_low_max_bytes=int(x[k.X_LOW_MAX]),
            heap_end_bytes=int(x[k.X_HEAP]),
            goal_min_bytes=int(x[k.X_GOAL_MIN]),
            goal_max_bytes=int(x[k.X_GOAL_MAX]),
            goal_end_bytes=int(x[k.X_GOAL]),
            allocated_bytes=int(x[k.X_ALLOC]),
            triggers=_counted(counters, k.TAG_GC_TRIGGER),
            assists=assists,
            sweeps=_counted(counters, k.TAG_SWEEP),
        )


def _only_short(index: int, stack: int, count: int) -> Waits:
    """A place whose system calls never blocked, in a trace of the old format."""
    return Waits(
        index=index,
        reason="syscall",
        stack=stack,
        count=0,
        ns=0,
        max_ns=0,
        open_start=0,
        open_start_ns=0,
        open_end=0,
        open_end_ns=0,
        open_end_max_ns=0,
        open_end_min_ns=0,
        open_end_old=0,
        open_both=0,
        open_both_ns=0,
        histogram=np.zeros(k.HIST_BINS, dtype=np.int64),
        short=count,
    )


class _Table:
    """Rows found by an open-addressing hash of their key; both grow together."""

    def __init__(self, rows: int, columns: int) -> None:
        self.rows: Ints = np.zeros((rows, columns), dtype=np.int64)
        self.keys: Ints = np.zeros(rows * 2, dtype=np.int64)
        self.vals: Ints = np.zeros(rows * 2, dtype=np.int64)

    def grow(self) -> None:
        self.rows = np.concatenate([self.rows, np.zeros_like(self.rows)])
        keys, vals = np.zeros(self.keys.size * 2, np.int64), np.zeros(self.keys.size * 2, np.int64)
        k.rehash(self.keys, self.vals, keys, vals)
        self.keys, self.vals = keys, vals

    def used(self, count: int) -> Ints:
        return self.rows[:count]


def _keep_largest(rows: Ints, size: Ints, used: int, keep: int) -> int:
    """Move the ``keep`` largest of the first ``used`` rows to the front, in their order. Returns how many."""
    best = np.sort(np.argsort(-size[:used], kind="stable")[:keep])
    rows[: best.size] = rows[best]
    return int(best.size)


def _counted(counters: Ints, tag: int) -> tuple[Counted, ...]:
    rows = counters[counters[:, k.N_TAG] == tag]
    rows = rows[np.lexsort((rows[:, k.N_KEY], -rows[:, k.N_N]))]
    return tuple(Counted(key, n, ns, most) for _, key, n, ns, most in rows.tolist())
