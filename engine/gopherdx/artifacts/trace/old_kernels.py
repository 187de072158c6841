"""The kernels for traces of the old format (Go 1.11 to 1.21).

``index`` walks the file once: where each P's events lie, the clock's frequency, strings, stacks, CPU samples.
``order`` then decodes the events of all Ps, a piece of each at a time, and puts them into one valid order as
``internal/trace/order.go`` of Go 1.21 does it: of the events that can come next, by the states and sequence
numbers of goroutines, the earliest. It writes them as the events that ``kernels.fold`` replays.

As in kernels.py, nothing here trusts the file. All arrays are int64 unless said.
"""

from __future__ import annotations

import numpy as np

from gopherdx.artifacts.trace.jit import helper, inline, kernel
from gopherdx.artifacts.trace.kernels import (
    ASSIST_BEGIN,
    ASSIST_END,
    CPU_SAMPLE,
    DONE,
    FULL,
    GC_BEGIN,
    GC_END,
    GO_BLOCK,
    GO_CREATE,
    GO_CREATE_SYSCALL,
    GO_DESTROY,
    GO_LABEL,
    GO_START,
    GO_STATUS,
    GO_STOP,
    GO_SYSCALL_BEGIN,
    GO_SYSCALL_RETURN,
    GO_SYSCALL_SHORT,
    GO_UNBLOCK,
    GROW_GOROUTINES,
    HEAP_ALLOC,
    HEAP_GOAL,
    NOT_READ,
    O_GEN,
    O_ID,
    O_SEQ,
    O_STATUS,
    PROCS_CHANGE,
    REASONS,
    REGION_BEGIN,
    REGION_END,
    RUNNABLE,
    RUNNING,
    STW_BEGIN,
    STW_END,
    SWEEP_BEGIN,
    SWEEP_END,
    SYSCALL,
    T_BAD,
    T_FORCED,
    T_FREE,
    T_GC_SEQ,
    T_HEAP,
    T_LIVE,
    T_ROWS,
    T_SAMPLE,
    T_STALLED,
    TASK_BEGIN,
    TASK_END,
    USER_LOG,
    WAITING,
    _drop_row,
    _emit,
    _find,
    _home,
    _local,
    _name,
    _new_row,
    _reason,
    _remove,
    _sift_down,
    _sift_up,
    _uvarint,
)

__all__ = ["O_GEN", "O_ID", "REASONS", "_home", "_remove"]  # what the imported helpers look up here

# --- event numbers of the old format (old_format.py has their names) ---
OLD_BATCH, OLD_FREQUENCY, OLD_STACK, OLD_PROCS, OLD_PROC_START = 1, 2, 3, 4, 5
OLD_GC_START, OLD_GC_DONE, OLD_STW_START, OLD_STW_DONE, OLD_SWEEP_START, OLD_SWEEP_DONE = 7, 8, 9, 10, 11, 12
OLD_CREATE, OLD_START, OLD_END, OLD_STOP, OLD_SCHED, OLD_PREEMPT, OLD_SLEEP = 13, 14, 15, 16, 17, 18, 19
OLD_BLOCK, OLD_UNBLOCK, OLD_BLOCK_NET, OLD_SYSCALL, OLD_SYS_EXIT, OLD_SYS_BLOCK = 20, 21, 27, 28, 29, 30
OLD_WAITING, OLD_IN_SYSCALL, OLD_HEAP_ALLOC, OLD_HEAP_GOAL, OLD_TIMER = 31, 32, 33, 34, 35
OLD_STRING, OLD_START_LOCAL, OLD_UNBLOCK_LOCAL, OLD_SYS_EXIT_LOCAL, OLD_START_LABEL = 37, 38, 39, 40, 41
OLD_BLOCK_GC, OLD_ASSIST_START, OLD_ASSIST_DONE, OLD_TASK, OLD_TASK_END, OLD_REGION, OLD_LOG = range(42, 49)
OLD_SAMPLE = 49

# --- what the kernels say when they stop, beside what kernels.py has ---
MORE, CUT, DAMAGED, GROW, LOAD = 21, 22, 23, 24, 25

# ---------------------------------------------------------------------------------------------------------
# index: one walk over the file

# A piece of one P's events, at most PIECE_BYTES and one event long (columns of ``pieces``): P, time stamp
# before its first event (ticks), where it begins and ends in the file, the number of its first event.
P_ID, P_TIME, P_START, P_END, P_FIRST = 0, 1, 2, 3, 4
PIECE_COLUMNS = 5
PIECE_BYTES = 60_000

# State of the walk (``s``).
(
    I_POS, I_P, I_TIME, I_OPEN, I_PIECES, I_STRINGS, I_POOL, I_STACKS, I_FRAMES, I_SAMPLES, I_TIMERS,
    I_FREQUENCY, I_MIN, I_EVENTS, I_BATCHES, I_MAX,
) = range(16)  # fmt: skip
INDEX_SIZE = 16
MAX_STRING = 1_000_000
MAX_FRAMES = 1000
NO_TIME = (1 << 63) - 1


@helper
def _number(buf, pos, end):  # type: ignore[no-untyped-def]
    """``_uvarint`` for what is rare: it costs a call, and less time to compile."""
    return _uvarint(buf, pos, end)


@kernel("BiiqqQQBQQQq", 2)
def index(  # type: ignore[no-untyped-def]
    buf, end, offset, s, arg_counts, pieces, strings, pool, stacks, frames, samples, timers,
):  # fmt: skip
    """Walk over the events in ``buf[:end]``, which is what the file holds from ``offset`` on.

    Fills rows of ``pieces``, ``strings`` (id, start and length in ``pool``, 64-bit FNV-1a), ``stacks`` (id,
    first frame, number of frames), ``frames`` (pc, string ids of function and file, line), ``samples``
    (time in ticks, P, P, goroutine, stack id) and ``timers`` (goroutines that fire timers). Returns (why it
    stopped, how far it came): MORE where the next event is not whole, GROW for room, DAMAGED.
    """
    pos = np.int64(0)
    while pos < end:
        if (
            s[I_PIECES] + 2 > pieces.shape[0]
            or s[I_STRINGS] + 2 > strings.shape[0]
            or s[I_STACKS] + 2 > stacks.shape[0]
            or s[I_SAMPLES] + 2 > samples.shape[0]
            or s[I_FRAMES] + MAX_FRAMES > frames.shape[0]
            or s[I_POOL] + MAX_STRING > pool.size
        ):
            return GROW, pos
        head = np.int64(buf[np.uintp(pos)])
        kind = head & 63
        n = (head >> 6) + 1
        p = pos + 1
        if kind == OLD_STRING:
            sid, p = _number(buf, p, end)
            if p < 0:
                return MORE, pos
            size, p = _number(buf, p, end)
            if p < 0:
                return MORE, pos
            if sid <= 0 or size < 0 or size > MAX_STRING:
                return DAMAGED, pos
            if p + size > end:
                return MORE, pos
            h = np.uint64(0xCBF29CE484222325)
            at = s[I_POOL]
            for k in range(size):
                pool[at + k] = buf[p + k]
                h = (h ^ np.uint64(buf[p + k])) * np.uint64(0x100000001B3)
            row = s[I_STRINGS]
            strings[row, 0] = sid
            strings[row, 1] = at
            strings[row, 2] = size
            strings[row, 3] = np.int64(h)
            s[I_STRINGS] += 1
            s[I_POOL] += size
            _close(s, pieces, offset + pos)
            pos = p + size
            continue
        size = np.int64(0)
        if n == 4:
            size, p = _number(buf, p, end)
            if p < 0:
                return MORE, pos
            if size < 0 or size > MAX_STRING:
                return DAMAGED, pos
            if p + size > end:
                return MORE, pos
        body = p
        first, p = _uvarint(buf, p, end)
        if p < 0:
            return MORE, pos
        if kind == OLD_BATCH:
            t, p = _number(buf, p, end)
            if p < 0:
                return MORE, pos
            if n != 2:
                return DAMAGED, pos
            _close(s, pieces, offset + pos)
            s[I_P] = first
            s[I_TIME] = t
            s[I_BATCHES] += 1
        elif kind == OLD_FREQUENCY or kind == OLD_TIMER:
            if n != 1:
                return DAMAGED, pos
            _close(s, pieces, offset + pos)
            if kind == OLD_FREQUENCY:
                s[I_FREQUENCY] = first
            elif s[I_TIMERS] < timers.size:
                timers[s[I_TIMERS]] = first
                s[I_TIMERS] += 1
        elif kind == OLD_STACK:
            depth, p = _number(buf, p, end)
            if n != 4 or p < 0 or depth < 0 or depth > MAX_FRAMES:
                return DAMAGED, pos
            row = s[I_FRAMES]
            for _ in range(depth):
                for k in range(4):
                    v, p = _number(buf, p, body + size)
                    if p < 0:
                        return DAMAGED, pos
                    frames[row, k] = v
                row += 1
            if p != body + size:
                return DAMAGED, pos
            _close(s, pieces, offset + pos)
            stacks[s[I_STACKS], 0] = first
            stacks[s[I_STACKS], 1] = s[I_FRAMES]
            stacks[s[I_STACKS], 2] = depth
            s[I_STACKS] += 1
            s[I_FRAMES] = row
        else:
            args = arg_counts[np.uintp(kind)]
            if args < 0 or (n < 4 and n != args + 1) or s[I_BATCHES] == 0:
                return DAMAGED, pos
            before = s[I_TIME]
            t = before + first
            if kind == OLD_SAMPLE:
                row = s[I_SAMPLES]
                for k in range(4):
                    v, p = _number(buf, p, body + size)
                    if p < 0:
                        return DAMAGED, pos
                    samples[row, k if k == 0 else k + 1] = v
                samples[row, 1] = samples[row, 2]
                if p != body + size:
                    return DAMAGED, pos
                s[I_SAMPLES] += 1
                _close(s, pieces, offset + pos)
                t = samples[row, 0]
            else:
                if n == 4:
                    p = body + size
                else:
                    for _ in range(args):
                        _, p = _uvarint(buf, p, end)
                        if p < 0:
                            return MORE, pos
                if kind == OLD_LOG:
                    size, p = _number(buf, p, end)
                    if p < 0:
                        return MORE, pos
                    if size < 0 or size > MAX_STRING:
                        return DAMAGED, pos
                    p += size
                    if p > end:
                        return MORE, pos
                if s[I_OPEN] == 0:
                    row = s[I_PIECES]
                    pieces[row, P_ID] = s[I_P]
                    pieces[row, P_TIME] = before
                    pieces[row, P_START] = offset + pos
                    pieces[row, P_FIRST] = kind
                    s[I_OPEN] = 1
                if offset + p - pieces[s[I_PIECES], P_START] > PIECE_BYTES:
                    _close(s, pieces, offset + p)
            s[I_TIME] = before + first
            s[I_EVENTS] += 1
            if t < s[I_MIN]:
                s[I_MIN] = t
            if t > s[I_MAX]:
                s[I_MAX] = t
        pos = p
    return DONE, pos


@inline
def _close(s, pieces, at):  # type: ignore[no-untyped-def]
    """What comes at ``at`` is no event of the open piece."""
    if s[I_OPEN] != 0:
        pieces[s[I_PIECES], P_END] = at
        s[I_PIECES] += 1
        s[I_OPEN] = 0


@kernel("QQQq", 0)
def hash_stacks(stacks, frames, strings, string_row):  # type: ignore[no-untyped-def]
    """Turn string ids of ``frames`` into rows of ``strings`` (-1: not there); hash each stack into column 3.

    ``string_row`` maps an id to its row. The hash is that of ``kernels.read_stacks``.
    """
    for j in range(stacks.shape[0]):
        h = np.uint64(0xCBF29CE484222325)
        for f in range(stacks[j, 1], stacks[j, 1] + stacks[j, 2]):
            for k in range(1, 3):
                i = frames[f, k]
                frames[f, k] = string_row[i] if 0 <= i < string_row.size else -1
            name = np.uint64(0)
            if frames[f, 1] >= 0:
                name = np.uint64(strings[frames[f, 1], 3])
            h = (h ^ np.uint64(frames[f, 0])) * np.uint64(0x100000001B3)
            h = (h ^ name) * np.uint64(0x100000001B3)
            h = (h ^ np.uint64(frames[f, 3])) * np.uint64(0x100000001B3)
            h ^= h >> np.uint64(29)
        stacks[j, 3] = np.int64(h)


# ---------------------------------------------------------------------------------------------------------
# order: all Ps into one valid order

# A cursor walks the pieces of one P (columns of ``cursors``). C_ROW is the goroutine that runs there, or -1.
C_POS, C_END, C_PIECE, C_LAST, C_TIME, C_KIND, C_A, C_B, C_C, C_D, C_ROW, C_LOADED = range(12)
CURSOR_COLUMNS = 12

# State of a goroutine as far as order needs it, after what ``kernels._new_row`` sets: what fold was told that
# it does, the stack of its last system call, whether it fires timers, and for the runtime's own its start
# function (as a stack).
O_TOLD, O_STACK, O_TIMER, O_ROOT = 4, 5, 6, 7
GOROUTINE_COLUMNS = 8

# More counters of ``order`` (``tally``).
T_STARTED, T_LAST, T_UNORDERED, T_BACK, T_MIN, T_UNNAMED = 272, 273, 274, 275, 276, 277
TALLY_SIZE = 280


@inline
def _ns(ticks, tally, mul):  # type: ignore[no-untyped-def]
    return np.int64(np.float64(ticks - tally[T_MIN]) * mul)


@inline
def _stack(stack_of, i, tally):  # type: ignore[no-untyped-def]
    """The stack with an id from the file; 0 where its table, which comes last, lacks it."""
    stack = _local(stack_of, i)
    if stack == 0 and i != 0:
        tally[T_UNNAMED] += 1
    return stack


@inline
def _advance(buf, cursors, c, arg_counts, tally):  # type: ignore[no-untyped-def]
    """Decode the next event of cursor ``c``. False at the end of its piece."""
    pos = cursors[c, C_POS]
    end = cursors[c, C_END]
    if pos >= end:
        return False
    head = np.int64(buf[np.uintp(pos)])
    kind = head & 63
    n = arg_counts[np.uintp(kind)]
    pos += 1
    ok = n >= 0
    stop = end
    if ok and head >> 6 == 3:
        size, pos = _uvarint(buf, pos, end)
        ok = pos >= 0 and 0 <= size <= end - pos
        stop = pos + size
    elif ok:
        ok = head >> 6 == n
    if ok:
        dt, pos = _uvarint(buf, pos, stop)
        ok = pos >= 0
        if ok:
            cursors[c, C_LAST] += dt
            for k in range(n):
                v, pos = _uvarint(buf, pos, stop)
                if pos < 0:
                    ok = False
                    break
                if k < 4:
                    cursors[c, C_A + k] = v
    if ok and head >> 6 == 3:
        ok = pos == stop
    if ok and kind == OLD_LOG:
        size, pos = _uvarint(buf, pos, end)
        ok = pos >= 0 and 0 <= size <= end - pos
        pos += size
    if ok:
        cursors[c, C_TIME] = cursors[c, C_LAST]
        cursors[c, C_KIND] = kind
        cursors[c, C_POS] = pos
        return True
    tally[T_BAD] += 1
    cursors[c, C_POS] = end
    return False


@inline
def _peek(buf, cursors, c, pieces, next_piece):  # type: ignore[no-untyped-def]
    """Number of the event behind the one that cursor ``c`` stands at, 0 at the P's end."""
    if cursors[c, C_POS] < cursors[c, C_END]:
        return np.int64(buf[np.uintp(cursors[c, C_POS])]) & 63
    piece = next_piece[cursors[c, C_PIECE]]
    return pieces[piece, P_FIRST] if piece >= 0 else np.int64(0)


@helper
def _row_of(g_keys, g_vals, gs, free, tally, gid, timers):  # type: ignore[no-untyped-def]
    """A new row for a goroutine (there is room: ``order`` saw to it before the event)."""
    row = _new_row(g_keys, g_vals, gs, free, tally, gid, np.int64(0))
    gs[row, O_TOLD] = 0
    gs[row, O_STACK] = 0
    gs[row, O_TIMER] = 0
    gs[row, O_ROOT] = 0
    for k in range(timers.size):
        if timers[k] == gid:
            gs[row, O_TIMER] = 1
    return row


@helper
def _emit_sample(  # type: ignore[no-untyped-def]
    samples, i, stack_of, g_keys, g_vals, tally, mul, n, out_t, out_kind, out_g, out_y, out_x, out_s, out_r,
):  # fmt: skip
    """CPU sample ``i`` becomes row ``n`` of the output."""
    at = _find(g_keys, samples[i, 3], g_keys.size - 1)
    y = g_vals[at] if g_keys[at] != 0 else np.int64(-1)
    stack = _stack(stack_of, samples[i, 4], tally)
    t = _ns(samples[i, 0], tally, mul)
    _emit(n, t, CPU_SAMPLE, -1, y, samples[i, 3], stack, 0, out_t, out_kind, out_g, out_y, out_x, out_s,
          out_r)  # fmt: skip
    tally[OLD_SAMPLE] += 1


@kernel("BQqQqqqdqQ qqqqqq qqQq i qBllqll", 2)
def order(  # type: ignore[no-untyped-def]
    buf, pieces, next_piece, cursors, heap, stalled, arg_counts, mul, tally, samples,
    stack_of, internal_of, label_of, block_reason, stw_reason, timers, g_keys, g_vals, gs, free,
    start, out_t, out_kind, out_g, out_y, out_x, out_s, out_r,
):  # fmt: skip
    """Emit events in a valid order until the trace ends, the output is full, or a piece has to be loaded.

    The output columns are those of ``kernels.order``; rows before ``start`` are filled already. Returns (why
    it stopped, rows filled); LOAD asks for the piece of the cursor that is first in ``heap``.
    """
    n = start
    room = out_t.size - 4
    mask = g_keys.size - 1
    heap_n = tally[T_HEAP]
    n_stalled = tally[T_STALLED]
    next_sample = tally[T_SAMPLE]
    none = np.int64(-1)
    while True:
        forced = False
        if heap_n == 0:
            if n_stalled == 0:
                break
            # No P can go on by the rules: the trace lost something. Force the earliest and count it.
            best = 0
            for j in range(n_stalled):
                if cursors[stalled[j], C_TIME] < cursors[stalled[best], C_TIME]:
                    best = j
            c = stalled[best]
            n_stalled -= 1
            stalled[best] = stalled[n_stalled]
            heap[0] = c
            heap_n = 1
            forced = True
            tally[T_FORCED] += 1
        why = DONE
        if n >= room:
            why = FULL
        elif max(gs.shape[0] - tally[T_ROWS], tally[T_FREE]) < 4 or g_keys.size // 2 - tally[T_LIVE] < 4:
            why = GROW_GOROUTINES
        elif cursors[heap[0], C_KIND] == NOT_READ and cursors[heap[0], C_LOADED] == 0:
            why = LOAD
        if why != DONE:
            if forced:  # put it back: nothing was done with it
                stalled[n_stalled] = heap[0]
                n_stalled += 1
                heap_n = 0
                tally[T_FORCED] -= 1
            tally[T_HEAP] = heap_n
            tally[T_STALLED] = n_stalled
            tally[T_SAMPLE] = next_sample
            return why, n
        c = heap[0]
        ticks = cursors[c, C_TIME]
        kind = cursors[c, C_KIND]
        ready = True
        if kind != NOT_READ:
            if next_sample < samples.shape[0] and samples[next_sample, 0] < ticks:
                _emit_sample(samples, next_sample, stack_of, g_keys, g_vals, tally, mul, n, out_t, out_kind,
                             out_g, out_y, out_x, out_s, out_r)  # fmt: skip
                n += 1
                next_sample += 1
                if forced:
                    stalled[n_stalled] = c
                    n_stalled += 1
                    heap_n = 0
                    tally[T_FORCED] -= 1
                continue
            a = cursors[c, C_A]
            b = cursors[c, C_B]
            g = cursors[c, C_ROW]
            new_g = g
            count = kind
            what = np.int64(0)  # event for fold, 0: none
            t = _ns(ticks, tally, mul)
            y = none
            x = np.int64(0)
            s = np.int64(0)
            r = np.int64(0)
            then_label = np.int64(0)
            if (
                OLD_CREATE <= kind <= OLD_START
                or OLD_START_LOCAL <= kind <= OLD_START_LABEL
                or kind == OLD_UNBLOCK
                or kind == OLD_SYS_EXIT
                or kind == OLD_WAITING
                or kind == OLD_IN_SYSCALL
            ):  # about a goroutine that they name
                at = _find(g_keys, a, mask)
                if g_keys[at] != 0:
                    y = g_vals[at]
                elif forced and kind != OLD_CREATE:
                    y = _row_of(g_keys, g_vals, gs, free, tally, a, timers)
            if kind == OLD_START or kind == OLD_START_LOCAL or kind == OLD_START_LABEL:
                ready = forced
                if y >= 0 and gs[y, O_STATUS] == RUNNABLE and (kind == OLD_START_LOCAL or gs[y, O_SEQ] == b):
                    ready = True
                if ready:
                    gs[y, O_SEQ] = gs[y, O_SEQ] + 1 if kind == OLD_START_LOCAL else b + 1
                    gs[y, O_STATUS] = RUNNING
                    gs[y, O_TOLD] = RUNNING
                    new_g = y
                    what = np.int64(GO_START)
                    x = a
                    if kind == OLD_START_LABEL:
                        then_label = _reason(label_of, cursors[c, C_C])
                    else:
                        count = np.int64(OLD_START)
            elif kind == OLD_UNBLOCK or kind == OLD_UNBLOCK_LOCAL:
                ready = forced
                if y >= 0 and gs[y, O_STATUS] == WAITING and (kind == OLD_UNBLOCK_LOCAL or gs[y, O_SEQ] == b):
                    ready = True
                if ready:
                    gs[y, O_SEQ] = gs[y, O_SEQ] + 1 if kind == OLD_UNBLOCK_LOCAL else b + 1
                    gs[y, O_STATUS] = RUNNABLE
                    gs[y, O_TOLD] = RUNNABLE
                    count = np.int64(OLD_UNBLOCK)
                    what = np.int64(GO_UNBLOCK)
                    x = a
                    s = _stack(stack_of, b if kind == OLD_UNBLOCK_LOCAL else cursors[c, C_C], tally)
                    if g >= 0 and gs[g, O_TIMER] != 0:
                        g = none  # a timer, and no goroutine of the program
            elif kind == OLD_SYS_EXIT or kind == OLD_SYS_EXIT_LOCAL:
                ready = forced
                if (
                    y >= 0
                    and gs[y, O_STATUS] == WAITING
                    and (kind == OLD_SYS_EXIT_LOCAL or gs[y, O_SEQ] == b)
                ):
                    ready = True
                if ready:
                    gs[y, O_SEQ] = gs[y, O_SEQ] + 1 if kind == OLD_SYS_EXIT_LOCAL else b + 1
                    gs[y, O_STATUS] = RUNNABLE
                    gs[y, O_TOLD] = RUNNABLE
                    count = np.int64(OLD_SYS_EXIT)
                    what = np.int64(GO_SYSCALL_RETURN)
                    x = a
                    # The event waits until the goroutine has a P; this is when the system call was over.
                    real = b if kind == OLD_SYS_EXIT_LOCAL else cursors[c, C_C]
                    if tally[T_MIN] <= real < ticks:
                        t = _ns(real, tally, mul)
                    g = none
            elif kind == OLD_CREATE:
                ready = forced
                if y < 0:
                    ready = True
                if ready:
                    if y < 0:
                        y = _row_of(g_keys, g_vals, gs, free, tally, a, timers)
                    behind = _peek(buf, cursors, c, pieces, next_piece)
                    status = np.int64(RUNNABLE)
                    if behind == OLD_IN_SYSCALL:
                        status = np.int64(SYSCALL)
                    elif behind == OLD_WAITING and tally[T_STARTED] == 0:
                        status = np.int64(WAITING)
                    gs[y, O_SEQ] = 1
                    gs[y, O_STATUS] = RUNNABLE
                    gs[y, O_TOLD] = status
                    x = a
                    r = _stack(stack_of, b, tally)
                    gs[y, O_ROOT] = _local(internal_of, b)
                    if tally[T_STARTED] == 0:  # told of each goroutine when the trace begins
                        what = np.int64(GO_STATUS)
                        r = (r << 3) | status
                        g = none
                    else:
                        what = np.int64(GO_CREATE_SYSCALL) if status == SYSCALL else np.int64(GO_CREATE)
                        s = _stack(stack_of, cursors[c, C_C], tally)
            elif kind == OLD_WAITING or kind == OLD_IN_SYSCALL:
                ready = forced
                if y >= 0 and gs[y, O_STATUS] == RUNNABLE and gs[y, O_SEQ] == 1:
                    ready = True
                if ready:
                    status = np.int64(WAITING) if kind == OLD_WAITING else np.int64(SYSCALL)
                    gs[y, O_SEQ] = 2
                    gs[y, O_STATUS] = WAITING
                    if gs[y, O_TOLD] != status:
                        gs[y, O_TOLD] = status
                        what = np.int64(GO_STATUS)
                        x = a
                        r = status
                        g = none
            elif kind == OLD_SYSCALL:
                s = _stack(stack_of, a, tally)
                what = np.int64(GO_SYSCALL_SHORT)
                if g >= 0:
                    gs[g, O_STACK] = s
                    if _peek(buf, cursors, c, pieces, next_piece) == OLD_SYS_BLOCK:
                        what = np.int64(GO_SYSCALL_BEGIN)
                        gs[g, O_TOLD] = SYSCALL
            elif kind == OLD_SYS_BLOCK:
                new_g = none
                ready = g < 0 or gs[g, O_STATUS] == RUNNING or forced
                if ready and g >= 0:
                    gs[g, O_STATUS] = WAITING
                    if gs[g, O_TOLD] != SYSCALL:
                        gs[g, O_TOLD] = SYSCALL
                        what = np.int64(GO_SYSCALL_BEGIN)
                        s = gs[g, O_STACK]
            elif (OLD_STOP <= kind <= OLD_BLOCK_NET) or kind == OLD_BLOCK_GC:
                s = _stack(stack_of, a, tally)
                r = block_reason[np.uintp(kind)]
                if kind == OLD_BLOCK and s == 0 and g >= 0:
                    s = gs[g, O_ROOT]  # goroutines of the runtime wait without a stack
                new_g = none
                ready = g < 0 or gs[g, O_STATUS] == RUNNING or forced
                if ready:
                    status = np.int64(WAITING)
                    what = np.int64(GO_BLOCK)
                    if kind == OLD_SCHED or kind == OLD_PREEMPT:
                        status = np.int64(RUNNABLE)
                        what = np.int64(GO_STOP)
                    if g >= 0:
                        gs[g, O_STATUS] = status
                        gs[g, O_TOLD] = status
            elif kind == OLD_END:
                what = np.int64(GO_DESTROY)
                if g >= 0:
                    _drop_row(g_keys, g_vals, gs, free, tally, g)
                new_g = none
            elif kind == OLD_GC_START:
                ready = a == tally[T_GC_SEQ] or forced
                if ready:
                    tally[T_GC_SEQ] = a + 1
                what = np.int64(GC_BEGIN)
                x = a
                s = _stack(stack_of, b, tally)
            elif kind == OLD_GC_DONE:
                what = np.int64(GC_END)
            elif kind == OLD_STW_START:
                what = np.int64(STW_BEGIN)
                x = a
                r = _local(stw_reason, a)
            elif kind == OLD_STW_DONE:
                what = np.int64(STW_END)
            elif kind == OLD_SWEEP_START:
                what = np.int64(SWEEP_BEGIN)
                s = _stack(stack_of, a, tally)
            elif kind == OLD_SWEEP_DONE:
                what = np.int64(SWEEP_END)
                x = a
            elif kind == OLD_ASSIST_START:
                what = np.int64(ASSIST_BEGIN)
                s = _stack(stack_of, a, tally)
            elif kind == OLD_ASSIST_DONE:
                what = np.int64(ASSIST_END)
            elif kind == OLD_HEAP_ALLOC:
                what = np.int64(HEAP_ALLOC)
                x = a
            elif kind == OLD_HEAP_GOAL:
                what = np.int64(HEAP_GOAL)
                x = a
            elif kind == OLD_PROCS:
                what = np.int64(PROCS_CHANGE)
                x = a
                s = _stack(stack_of, b, tally)
            elif kind == OLD_PROC_START:
                tally[T_STARTED] = 1
            elif kind == OLD_TASK:
                what = np.int64(TASK_BEGIN)
                x = a
                r = _name(label_of, cursors[c, C_C])
                s = _stack(stack_of, cursors[c, C_D], tally)
            elif kind == OLD_TASK_END:
                what = np.int64(TASK_END)
                x = a
                s = _stack(stack_of, b, tally)
            elif kind == OLD_REGION:
                what = np.int64(REGION_BEGIN) if b == 0 else np.int64(REGION_END)
                x = a
                r = _name(label_of, cursors[c, C_C])
                s = _stack(stack_of, cursors[c, C_D], tally)
            elif kind == OLD_LOG:
                what = np.int64(USER_LOG)
                x = a
                s = _stack(stack_of, cursors[c, C_C], tally)
            if ready:
                tally[count] += 1
                if ticks < tally[T_LAST]:
                    tally[T_UNORDERED] += 1
                    if tally[T_LAST] - ticks > tally[T_BACK]:
                        tally[T_BACK] = tally[T_LAST] - ticks
                else:
                    tally[T_LAST] = ticks
                cursors[c, C_ROW] = new_g
                if what != 0:
                    n = _emit(n, t, what, g, y, x, s, r, out_t, out_kind, out_g, out_y, out_x, out_s, out_r)
                if then_label > 0:
                    n = _emit(n, t, GO_LABEL, y, -1, 0, 0, then_label, out_t, out_kind, out_g, out_y, out_x,
                              out_s, out_r)  # fmt: skip
            else:
                stalled[n_stalled] = c
                n_stalled += 1
        if not ready:
            heap_n -= 1
            if heap_n > 0:
                heap[0] = heap[heap_n]
                _sift_down(heap, heap_n, 0, cursors)
            continue
        if _advance(buf, cursors, c, arg_counts, tally):
            _sift_down(heap, heap_n, 0, cursors)
        else:
            piece = next_piece[cursors[c, C_PIECE]]
            if piece >= 0:
                # The time of the next piece's first event is not known before it is loaded; not earlier than
                # this, so the cursor comes to the front in time.
                cursors[c, C_PIECE] = piece
                cursors[c, C_KIND] = NOT_READ
                cursors[c, C_LOADED] = 0
                cursors[c, C_LAST] = pieces[piece, P_TIME]
                cursors[c, C_TIME] = pieces[piece, P_TIME]
                _sift_down(heap, heap_n, 0, cursors)
            else:
                heap_n -= 1
                if heap_n > 0:
                    heap[0] = heap[heap_n]
                    _sift_down(heap, heap_n, 0, cursors)
        if kind != NOT_READ:
            while n_stalled > 0:
                n_stalled -= 1
                heap[heap_n] = stalled[n_stalled]
                _sift_up(heap, heap_n, cursors)
                heap_n += 1
    while next_sample < samples.shape[0] and n < room:
        _emit_sample(samples, next_sample, stack_of, g_keys, g_vals, tally, mul, n, out_t, out_kind,
                     out_g, out_y, out_x, out_s, out_r)  # fmt: skip
        n += 1
        next_sample += 1
    tally[T_HEAP] = 0
    tally[T_STALLED] = 0
    tally[T_SAMPLE] = next_sample
    if next_sample < samples.shape[0]:
        return FULL, n
    return DONE, n
