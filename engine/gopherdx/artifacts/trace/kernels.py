"""The kernels that decode, order and replay a trace. All of them live here: numba's cache of a kernel does
not see a change in another file.

``scan`` finds batches, ``read_strings`` and ``read_stacks`` index the tables of a generation, ``order``
decodes the events of all Ms and puts them into one valid order (time first, sequence numbers of goroutines
and Ps as the judge, as ``internal/trace/order.go`` does), ``fold`` replays that order into running totals.

No kernel trusts the file: ids are looked up in bounded tables, every read checks its end, and each kernel
returns how far it came so that its caller can make room and call again. All arrays are int64 unless said.
"""

from __future__ import annotations

import numpy as np

from gopherdx.artifacts.trace.jit import helper, inline, kernel

# --- event numbers (format.py has their names) ---
CPU_SAMPLE = 7
PROCS_CHANGE, PROC_START, PROC_STOP, PROC_STEAL, PROC_STATUS = 9, 10, 11, 12, 13
GO_CREATE, GO_CREATE_SYSCALL, GO_START, GO_DESTROY, GO_DESTROY_SYSCALL = 14, 15, 16, 17, 18
GO_STOP, GO_BLOCK, GO_UNBLOCK, GO_SYSCALL_BEGIN, GO_SYSCALL_END = 19, 20, 21, 22, 23
GO_SYSCALL_END_BLOCKED, GO_STATUS, STW_BEGIN, STW_END = 24, 25, 26, 27
GC_ACTIVE, GC_BEGIN, GC_END, SWEEP_ACTIVE, SWEEP_BEGIN, SWEEP_END = 28, 29, 30, 31, 32, 33
ASSIST_ACTIVE, ASSIST_BEGIN, ASSIST_END, HEAP_ALLOC, HEAP_GOAL, GO_LABEL = 34, 35, 36, 37, 38, 39
TASK_BEGIN, TASK_END, REGION_BEGIN, REGION_END, USER_LOG = 40, 41, 42, 43, 44
GO_SWITCH, GO_SWITCH_DESTROY, GO_CREATE_BLOCKED, GO_STATUS_STACK = 45, 46, 47, 48
# Two that no file holds, for traces of the old format (old_kernels.py): a system call whose end is not told
# since it did not block, and the return from one that did, told when the goroutine has a P again.
GO_SYSCALL_SHORT, GO_SYSCALL_RETURN = 100, 101

# --- status of goroutines and Ps on the wire ---
RUNNABLE, RUNNING, SYSCALL, WAITING = 1, 2, 3, 4
P_RUNNING, P_IDLE, P_SYSCALL, P_ABANDONED = 1, 2, 3, 4

# --- what a kernel says when it stops ---
(
    DONE, FULL, GROW_GOROUTINES, GROW_SLOTS, GROW_EDGES, GROW_COUNTERS, GROW_GROUPS, COMPACT_RUNS,
    COMPACT_SPANS,
) = range(9)  # fmt: skip
OTHER_GENERATION, SHORT, BAD, END_OF_GENERATION, LOAD_BATCH = 11, 12, 13, 14, 15


# ---------------------------------------------------------------------------------------------------------
# small tools: varints and an open-addressing hash of int64 keys (0 means empty, so keys are stored + 1)


@inline
def _uvarint(buf, pos, end):  # type: ignore[no-untyped-def]
    """(value, next position); next position -1 where the varint runs past ``end`` or past 64 bits."""
    value = np.int64(0)
    shift = np.int64(0)
    while pos < end and shift <= 63:
        b = np.int64(buf[np.uintp(pos)])  # unsigned: no test for an index from the end
        pos += 1
        value |= (b & 0x7F) << shift
        if b < 0x80:
            return value, pos
        shift += 7
    return np.int64(0), np.int64(-1)


@inline
def _uvarint_inside(buf, pos):  # type: ignore[no-untyped-def]
    """``_uvarint`` where at least ten bytes are left, which is as long as it can be."""
    b = np.int64(buf[pos])
    pos += 1
    if b < 0x80:
        return b, pos
    value = b & 0x7F
    b = np.int64(buf[pos])
    pos += 1
    if b < 0x80:
        return value | b << 7, pos
    value |= (b & 0x7F) << 7
    shift = np.int64(14)
    while shift <= 63:
        b = np.int64(buf[pos])
        pos += 1
        value |= (b & 0x7F) << shift
        if b < 0x80:
            return value, pos
        shift += 7
    return np.int64(0), np.int64(-1)


@inline
def _home(key, mask):  # type: ignore[no-untyped-def]
    # Keys are packed fields, so their upper half is folded in; of a product the middle bits depend on most.
    h = np.uint64(key)
    h = (h ^ (h >> np.uint64(32))) * np.uint64(0x9E3779B97F4A7C15)
    return np.int64((h >> np.uint64(32)) & np.uint64(mask))


@inline
def _mixed(key):  # type: ignore[no-untyped-def]
    """Every bit of ``key`` in the low 31 bits: the finalizer of MurmurHash3."""
    h = np.uint64(key)
    h ^= h >> np.uint64(33)
    h *= np.uint64(0xFF51AFD7ED558CCD)
    h ^= h >> np.uint64(29)
    h *= np.uint64(0xC4CEB9FE1A85EC53)
    h ^= h >> np.uint64(32)
    return np.int64(h & np.uint64(0x7FFFFFFF))


@inline
def _find(keys, key, mask):  # type: ignore[no-untyped-def]
    """Index of ``key`` or of the empty place where it would go."""
    i = _home(key, mask)
    while keys[i] != 0 and keys[i] != key + 1:
        i = (i + 1) & mask
    return i


@helper
def _remove(keys, vals, at, mask):  # type: ignore[no-untyped-def]
    """Empty place ``at`` and move later entries back, so that no tombstones are needed."""
    hole = at
    i = (at + 1) & mask
    while keys[i] != 0:
        home = _home(keys[i] - 1, mask)
        if ((i - home) & mask) >= ((i - hole) & mask):
            keys[hole] = keys[i]
            vals[hole] = vals[i]
            hole = i
        i = (i + 1) & mask
    keys[hole] = 0


@kernel("qqii", 0)
def put(keys, vals, key, val):  # type: ignore[no-untyped-def]
    """Set one entry; the table has room."""
    i = _find(keys, key, keys.size - 1)
    keys[i] = key + 1
    vals[i] = val


@kernel("qqqq", 0)
def rehash(old_keys, old_vals, keys, vals):  # type: ignore[no-untyped-def]
    """Put every entry of one table into a larger, empty one."""
    mask = keys.size - 1
    for j in range(old_keys.size):
        if old_keys[j] != 0:
            i = _find(keys, old_keys[j] - 1, mask)
            keys[i] = old_keys[j]
            vals[i] = old_vals[j]


# ---------------------------------------------------------------------------------------------------------
# structure: batches, strings, stacks, CPU samples

B_M, B_TIME, B_START, B_END, B_TYPE = 0, 1, 2, 3, 4
MAX_BATCH = 1 << 17  # the runtime's limit is 64 KiB


@kernel("BiiiQ", 4)
def scan(buf, pos, end, gen, batches):  # type: ignore[no-untyped-def]
    """Find the batches of generation ``gen`` (0: of the first that comes) in ``buf[pos:end]``.

    Fills rows of ``batches`` with M, time stamp (ticks), start and end of the data, first byte of the data.
    Returns (rows, next position, generation, why it stopped).
    """
    n = 0
    while pos < end:
        if n >= batches.shape[0]:
            return n, pos, gen, FULL
        kind = buf[pos]
        if kind == 52:
            return n, pos + 1, gen, END_OF_GENERATION
        if kind != 1 and kind != 49:
            return n, pos, gen, BAD
        p = pos + 1
        if kind == 49:
            p += 1
        if end - p < 44:  # four varints may not be whole: see to the end, then decide
            g, q = _uvarint(buf, p, end)
            if q >= 0:
                m, q = _uvarint(buf, q, end)
            if q >= 0:
                t, q = _uvarint(buf, q, end)
            if q >= 0:
                size, q = _uvarint(buf, q, end)
            if q < 0:
                return n, pos, gen, SHORT
        g, q = _uvarint(buf, p, end)
        if q < 0:
            return n, pos, gen, BAD
        m, q = _uvarint(buf, q, end)
        if q < 0:
            return n, pos, gen, BAD
        t, q = _uvarint(buf, q, end)
        if q < 0:
            return n, pos, gen, BAD
        size, q = _uvarint(buf, q, end)
        if q < 0 or size < 0 or size > MAX_BATCH or g <= 0:
            return n, pos, gen, BAD
        if gen == 0:
            gen = g
        if g != gen:
            return n, pos, gen, OTHER_GENERATION
        if q + size > end:
            return n, pos, gen, SHORT
        if size > 0:
            batches[n, B_M] = m
            batches[n, B_TIME] = t
            batches[n, B_START] = q
            batches[n, B_END] = q + size
            batches[n, B_TYPE] = 255 if kind == 49 else buf[q]
            n += 1
        pos = q + size
    return n, pos, gen, DONE


@kernel("BQQ", 2)
def read_strings(buf, batches, out):  # type: ignore[no-untyped-def]
    """Index string batches: rows of ``out`` are id, start, length, 64-bit FNV-1a. (rows, bad batches)."""
    n = 0
    bad = 0
    for j in range(batches.shape[0]):
        if batches[j, B_TYPE] != 4:
            continue
        pos = batches[j, B_START] + 1
        end = batches[j, B_END]
        while pos < end:
            if buf[pos] != 5:
                bad += 1
                break
            sid, pos = _uvarint(buf, pos + 1, end)
            if pos < 0:
                bad += 1
                break
            size, pos = _uvarint(buf, pos, end)
            if pos < 0 or size < 0 or size > end - pos:  # pos + size may wrap around
                bad += 1
                break
            if n >= out.shape[0]:
                return -1, bad
            h = np.uint64(0xCBF29CE484222325)
            for k in range(pos, pos + size):
                h = (h ^ np.uint64(buf[k])) * np.uint64(0x100000001B3)
            out[n, 0] = sid
            out[n, 1] = pos
            out[n, 2] = size
            out[n, 3] = np.int64(h)
            n += 1
            pos += size
    return n, bad


@kernel("BQqQQQ", 3)
def read_stacks(buf, batches, string_row, strings, stacks, frames):  # type: ignore[no-untyped-def]
    """Index stack batches.

    ``string_row`` maps a string id to its row in ``strings``. Rows of ``stacks`` are id, first frame, number
    of frames, hash over (pc, function, file, line); rows of ``frames`` are pc, string row of the function,
    string row of the file, line (-1 where the string is not there). Returns (stacks, frames, bad batches).
    """
    n = 0
    f = 0
    bad = 0
    for j in range(batches.shape[0]):
        if batches[j, B_TYPE] != 2:
            continue
        pos = batches[j, B_START] + 1
        end = batches[j, B_END]
        while pos < end:
            if buf[pos] != 3:
                bad += 1
                break
            stack_id, pos = _uvarint(buf, pos + 1, end)
            if pos < 0:
                bad += 1
                break
            depth, pos = _uvarint(buf, pos, end)
            if pos < 0 or depth < 0 or depth > 1024:
                bad += 1
                break
            if n >= stacks.shape[0] or f + depth > frames.shape[0]:
                return -1, f, bad
            h = np.uint64(0xCBF29CE484222325)
            first = f
            for _ in range(depth):
                pc, pos = _uvarint(buf, pos, end)
                if pos < 0:
                    break
                func, pos = _uvarint(buf, pos, end)
                if pos < 0:
                    break
                file, pos = _uvarint(buf, pos, end)
                if pos < 0:
                    break
                line, pos = _uvarint(buf, pos, end)
                if pos < 0:
                    break
                func_row = np.int64(-1)
                if 0 <= func < string_row.size:
                    func_row = string_row[func]
                file_row = np.int64(-1)
                if 0 <= file < string_row.size:
                    file_row = string_row[file]
                frames[f, 0] = pc
                frames[f, 1] = func_row
                frames[f, 2] = file_row
                frames[f, 3] = line
                f += 1
                name = np.uint64(0)
                if func_row >= 0:
                    name = np.uint64(strings[func_row, 3])
                h = (h ^ np.uint64(pc)) * np.uint64(0x100000001B3)
                h = (h ^ name) * np.uint64(0x100000001B3)
                h = (h ^ np.uint64(line)) * np.uint64(0x100000001B3)
                h ^= h >> np.uint64(29)
            if pos < 0:
                f = first
                bad += 1
                break
            stacks[n, 0] = stack_id
            stacks[n, 1] = first
            stacks[n, 2] = f - first
            stacks[n, 3] = np.int64(h)
            n += 1
    return n, f, bad


@kernel("BQQ", 1)
def read_samples(buf, batches, out):  # type: ignore[no-untyped-def]
    """CPU samples: rows of ``out`` are time (ticks), M, P, goroutine, stack id. Returns rows, -1: no room."""
    n = 0
    for j in range(batches.shape[0]):
        if batches[j, B_TYPE] != 6:
            continue
        pos = batches[j, B_START] + 1
        end = batches[j, B_END]
        while pos < end:
            if buf[pos] != 7:
                break
            pos += 1
            if n >= out.shape[0]:
                return -1
            for k in range(5):
                v, pos = _uvarint(buf, pos, end)
                if pos < 0:
                    break
                out[n, k] = v
            if pos < 0:
                break
            n += 1
    return n


# ---------------------------------------------------------------------------------------------------------
# order: all Ms of one generation into one valid order

REASONS = 64  # in a map of strings, numbers below are reasons of a wait or stop, from here on they are names

# A cursor walks the batches of one M (columns of ``cursors``).
C_POS, C_END, C_BATCH, C_LAST, C_TIME, C_KIND, C_A, C_B, C_C, C_D, C_M = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
CURSOR_COLUMNS = 16  # those behind C_M are not used: a row is two lines of a cache
NO_MORE, ANOTHER, NOT_LOADED = 0, 1, 2  # what an M has behind the event it stands at
NOT_READ = 0  # as an event type: the cursor stands before its first event, its time is that of its batch
NEVER = np.int64((1 << 63) - 1)
# State of an M: the goroutine's row and the P's row bound to it, -1 for none.
M_G, M_P = 0, 1
# State of a goroutine and of a P, as far as order needs it. The generation in which its sequence counts.
O_ID, O_STATUS, O_SEQ, O_GEN = 0, 1, 2, 3
# Counters of ``order`` (``tally``), after 256 counts of events by type.
T_FORCED, T_BAD, T_HEAP, T_SAMPLE, T_FREE, T_ROWS, T_LIVE, T_GEN, T_PROCS, T_GC_SEQ, T_STALLED, T_LOAD = (
    256, 257, 258, 259, 260, 261, 262, 263, 264, 265, 266, 267,
)  # fmt: skip
TALLY_SIZE = 272


@inline
def _ns(ticks, mul, whole):  # type: ignore[no-untyped-def]
    """Ticks as ns, ``mul`` each; in integers, which is faster, where that is a ``whole`` number (else 0)."""
    if whole > 0:
        return ticks * whole
    return np.int64(np.float64(ticks) * mul)


@inline
def _decode(buf, cursors, c, pos, n):  # type: ignore[no-untyped-def]
    """Time and ``n`` arguments, at most four, at ``pos``, with 50 bytes left: no number can reach the end.

    Returns the ticks since the event before and the next position, which is negative where a number is none.
    """
    dt, pos = _uvarint_inside(buf, pos)
    if pos >= 0 and n > 0:
        cursors[c, C_A], pos = _uvarint_inside(buf, pos)
    if pos >= 0 and n > 1:
        cursors[c, C_B], pos = _uvarint_inside(buf, pos)
    if pos >= 0 and n > 2:
        cursors[c, C_C], pos = _uvarint_inside(buf, pos)
    if pos >= 0 and n > 3:
        cursors[c, C_D], pos = _uvarint_inside(buf, pos)
    return dt, pos


@helper
def _advance(buf, cursors, c, batches, next_batch, arg_counts, mul, whole, tally):  # type: ignore[no-untyped-def]
    """Decode the next event of cursor ``c``. Whether there is one: NO_MORE, ANOTHER or NOT_LOADED.

    Where an event cannot be decoded the rest of its batch has no meaning: on with the M's next one. It is not
    loaded where its start is -1.
    """
    while True:
        pos = cursors[c, C_POS]
        end = cursors[c, C_END]
        while pos >= end:
            b = next_batch[cursors[c, C_BATCH]]
            if b < 0:
                return NO_MORE
            pos = batches[b, B_START]
            if pos < 0:
                return NOT_LOADED
            cursors[c, C_BATCH] = b
            end = batches[b, B_END]
            cursors[c, C_END] = end
            cursors[c, C_LAST] = np.int64(np.float64(np.uint64(batches[b, B_TIME])) * mul)
        kind = np.int64(buf[np.uintp(pos)])
        n = arg_counts[np.uintp(kind)]
        ok = n >= 0
        pos += 1
        if 0 <= n <= 4 and end - pos >= 50:
            dt, pos = _decode(buf, cursors, c, pos, n)
            ok = pos >= 0
            if ok:
                cursors[c, C_LAST] += _ns(dt, mul, whole)
        elif ok:
            dt, pos = _uvarint(buf, pos, end)
            ok = pos >= 0
            if ok:
                cursors[c, C_LAST] += _ns(dt, mul, whole)
                for k in range(n):
                    v, pos = _uvarint(buf, pos, end)
                    if pos < 0:
                        ok = False
                        break
                    if k < 4:
                        cursors[c, C_A + k] = v
        if ok:
            cursors[c, C_TIME] = cursors[c, C_LAST]
            cursors[c, C_KIND] = kind
            cursors[c, C_POS] = pos
            return ANOTHER
        tally[T_BAD] += 1
        cursors[c, C_POS] = end


@inline
def _take_up(heap, heap_n, stalled, n_stalled, cursors, more):  # type: ignore[no-untyped-def]
    """The M at the front stands at its next event, or has none; those that stood still may try again.

    Returns the new size of ``heap``; ``stalled`` is empty then.
    """
    if more == NO_MORE:
        heap_n -= 1
        if heap_n > 0:
            heap[0] = heap[heap_n]
    if heap_n > 0:
        _sift_down(heap, heap_n, 0, cursors)
    while n_stalled > 0:
        n_stalled -= 1
        heap[heap_n] = stalled[n_stalled]
        _sift_up(heap, heap_n, cursors)
        heap_n += 1
    return heap_n


@inline
def _sift_down(heap, n, i, cursors):  # type: ignore[no-untyped-def]
    item = heap[i]
    t = cursors[item, C_TIME]
    while True:
        child = 2 * i + 1
        if child >= n:
            break
        if child + 1 < n and cursors[heap[child + 1], C_TIME] < cursors[heap[child], C_TIME]:
            child += 1
        if cursors[heap[child], C_TIME] >= t:
            break
        heap[i] = heap[child]
        i = child
    heap[i] = item


@inline
def _sift_up(heap, i, cursors):  # type: ignore[no-untyped-def]
    item = heap[i]
    t = cursors[item, C_TIME]
    while i > 0:
        parent = (i - 1) >> 1
        if cursors[heap[parent], C_TIME] <= t:
            break
        heap[i] = heap[parent]
        i = parent
    heap[i] = item


@inline
def _local(table, i):  # type: ignore[no-untyped-def]
    """``table[i]`` for an id from the file; 0 (no stack, no reason) where the file's table lacks it."""
    if i < 0 or i >= table.size:
        return np.int64(0)
    return table[i]


@inline
def _reason(table, i):  # type: ignore[no-untyped-def]
    """The reason that a string id stands for; 0 where it is none."""
    r = _local(table, i)
    return r if r < REASONS else np.int64(0)


@inline
def _name(table, i):  # type: ignore[no-untyped-def]
    """The name that a string id stands for, counted from 1; 0 where it is none."""
    r = _local(table, i)
    return r - REASONS + 1 if r >= REASONS else np.int64(0)


@inline
def _emit(n, t, kind, g, y, x, s, r, out_t, out_kind, out_g, out_y, out_x, out_s, out_r):  # type: ignore[no-untyped-def]
    """Row ``n`` of the output. Returns the next."""
    out_t[n] = t
    out_kind[n] = kind
    out_g[n] = g
    out_y[n] = y
    out_x[n] = x
    out_s[n] = s
    out_r[n] = r
    return n + 1


@inline
def _emit_sample(  # type: ignore[no-untyped-def]
    n, samples, i, stack_of, g_keys, g_vals, out_t, out_kind, out_g, out_y, out_x, out_s, out_r, tally
):  # fmt: skip
    """CPU sample ``i`` as row ``n`` of the output. Returns the next."""
    at = _find(g_keys, samples[i, 3], g_keys.size - 1)
    y = g_vals[at] if g_keys[at] != 0 else np.int64(-1)
    stack = _local(stack_of, samples[i, 4])
    tally[CPU_SAMPLE] += 1
    none, zero = np.int64(-1), np.int64(0)
    return _emit(n, samples[i, 0], np.int64(CPU_SAMPLE), none, y, samples[i, 3], stack, zero, out_t, out_kind,
                 out_g, out_y, out_x, out_s, out_r)  # fmt: skip


@inline
def _sample_time(samples, i):  # type: ignore[no-untyped-def]
    return samples[i, 0] if i < samples.shape[0] else NEVER


@inline
def _leave_off(tally, heap_n, n_stalled, next_sample):  # type: ignore[no-untyped-def]
    """Keep for the next call how far this one came."""
    tally[T_HEAP] = heap_n
    tally[T_STALLED] = n_stalled
    tally[T_SAMPLE] = next_sample


@kernel("BQqQqqqdqQ qqqqQqqqQqqQ qBllqll", 2)
def order(  # type: ignore[no-untyped-def]
    buf, batches, next_batch, cursors, heap, stalled, arg_counts, mul, tally, samples,
    stack_of, reason_of, g_keys, g_vals, gs, free, m_keys, m_vals, ms, p_keys, p_vals, ps,
    out_t, out_kind, out_g, out_y, out_x, out_s, out_r,
):  # fmt: skip
    """Emit events in a valid order until the generation ends, the output is full or a batch is not loaded.

    Output columns: time ns, event type, row of the goroutine on the M (-1 none), row that the event is
    about (-1 none), value (goroutine id, bytes, count), stack (index into the trace's stacks), reason or
    status or stack of creation. Returns (why it stopped, rows written); LOAD_BATCH asks for what comes next
    in ``batches`` behind the batch of the cursor that is first in ``heap``.
    """
    # Said here, the widths of rows are constants to the compiler.
    if batches.shape[1] != 5 or cursors.shape[1] != CURSOR_COLUMNS or samples.shape[1] != 5:
        return BAD, 0
    if gs.shape[1] != 4 or ms.shape[1] != 2 or ps.shape[1] != 4:
        return BAD, 0
    n = 0
    room = out_t.size - 2
    mask = g_keys.size - 1
    m_mask = m_keys.size - 1
    p_mask = p_keys.size - 1
    whole = np.int64(0)
    if 1.0 <= mul <= 1048576.0 and np.float64(np.int64(mul)) == mul:
        whole = np.int64(mul)
    gen = tally[T_GEN]
    heap_n = tally[T_HEAP]
    n_stalled = tally[T_STALLED]
    next_sample = tally[T_SAMPLE]
    check_at = 0
    sample_t = _sample_time(samples, next_sample)
    go_on = tally[T_LOAD] != 0  # whether the M at the front is through with its event; so the last call ended
    forced = False
    while True:
        # Most events are of three kinds, ready, and not the last of their batch. The loop for them is small,
        # so that what it needs is in registers; it leaves to what follows whatever else there is.
        while heap_n > 0 and n < check_at:
            c = heap[0]
            t = cursors[c, C_TIME]
            if t > sample_t:
                break
            kind = cursors[c, C_KIND]
            m = cursors[c, C_M]
            a = cursors[c, C_A]
            b = cursors[c, C_B]
            g = ms[m, M_G]
            y = np.int64(-1)
            x = np.int64(0)
            s = np.int64(0)
            r = np.int64(0)
            if kind == GO_BLOCK:
                if g < 0:
                    break
                gs[g, O_STATUS] = WAITING
                ms[m, M_G] = -1
                r = _reason(reason_of, a)
                s = _local(stack_of, b)
            elif kind == GO_START or kind == GO_UNBLOCK:
                at = _find(g_keys, a, mask)
                if g_keys[at] == 0:
                    break
                y = g_vals[at]
                if gs[y, O_GEN] != gen or gs[y, O_SEQ] + 1 != b:
                    break
                if kind == GO_START:
                    if gs[y, O_STATUS] != RUNNABLE or g >= 0:
                        break
                    gs[y, O_STATUS] = RUNNING
                    ms[m, M_G] = y
                else:
                    if gs[y, O_STATUS] != WAITING:
                        break
                    gs[y, O_STATUS] = RUNNABLE
                    s = _local(stack_of, cursors[c, C_C])
                gs[y, O_SEQ] = b
                x = a
            else:
                break
            n = _emit(n, t, kind, g, y, x, s, r, out_t, out_kind, out_g, out_y, out_x, out_s, out_r)
            tally[kind] += 1
            go_on = True
            pos = cursors[c, C_POS]
            if cursors[c, C_END] - pos < 51:
                break
            kind = np.int64(buf[pos])
            args = arg_counts[kind]
            if args < 1 or args > 4:
                break
            dt, pos = _decode(buf, cursors, c, pos + 1, args)
            if pos < 0:
                break
            go_on = False
            t = cursors[c, C_LAST] + _ns(dt, mul, whole)
            cursors[c, C_LAST] = cursors[c, C_TIME] = t
            cursors[c, C_KIND] = kind
            cursors[c, C_POS] = pos
            heap_n = _take_up(heap, heap_n, stalled, n_stalled, cursors, np.int64(ANOTHER))
            n_stalled = np.int64(0)
        if go_on:
            more = _advance(buf, cursors, heap[0], batches, next_batch, arg_counts, mul, whole, tally)
            if more == NOT_LOADED:
                tally[T_LOAD] = 1
                _leave_off(tally, heap_n, n_stalled, next_sample)
                return LOAD_BATCH, n
            tally[T_LOAD] = 0
            go_on = False
            heap_n = _take_up(heap, heap_n, stalled, n_stalled, cursors, more)
            n_stalled = np.int64(0)
            continue
        if heap_n == 0:
            if n_stalled == 0:
                break
            # No M can go on by the rules: the trace lost something. Force the earliest and count it.
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
        if n >= check_at:
            # So many events need no look at the room left: each takes one row at most.
            why = DONE
            rows_left = max(gs.shape[0] - tally[T_ROWS], tally[T_FREE]) - 4
            keys_left = g_keys.size // 2 - tally[T_LIVE] - 4
            if n >= room:
                why = FULL
            elif rows_left < 1 or keys_left < 1:
                why = GROW_GOROUTINES
            if why != DONE:
                if forced:  # put it back: nothing was done with it
                    stalled[n_stalled] = heap[0]
                    n_stalled += 1
                    heap_n = 0
                    tally[T_FORCED] -= 1
                _leave_off(tally, heap_n, n_stalled, next_sample)
                return why, n
            check_at = min(room, n + min(rows_left, keys_left))
        c = heap[0]
        t = cursors[c, C_TIME]
        if t > sample_t:
            n = _emit_sample(n, samples, next_sample, stack_of, g_keys, g_vals, out_t, out_kind, out_g, out_y,
                             out_x, out_s, out_r, tally)  # fmt: skip
            next_sample += 1
            sample_t = _sample_time(samples, next_sample)
            continue
        m = cursors[c, C_M]
        kind = cursors[c, C_KIND]
        a = cursors[c, C_A]
        b = cursors[c, C_B]
        g = ms[m, M_G]
        p = ms[m, M_P]
        new_g = g
        y = np.int64(-1)
        x = np.int64(0)
        s = np.int64(0)
        r = np.int64(0)
        ready = True
        if kind == GO_START or kind == GO_UNBLOCK or kind == GO_SWITCH or kind == GO_SWITCH_DESTROY:
            at = _find(g_keys, a, mask)
            want = RUNNABLE if kind == GO_START else WAITING
            if g_keys[at] == 0:
                ready = False
            else:
                y = g_vals[at]
                ready = gs[y, O_STATUS] == want and gs[y, O_GEN] == gen and gs[y, O_SEQ] + 1 == b
                if kind == GO_START and g >= 0:
                    ready = False
            if not ready and forced:
                if g_keys[at] == 0:
                    y = _new_row(g_keys, g_vals, gs, free, tally, a, gen)
                ready = True
            if ready:
                gs[y, O_SEQ] = b
                gs[y, O_GEN] = gen
                x = a
                if kind == GO_START:
                    gs[y, O_STATUS] = RUNNING
                    new_g = y
                elif kind == GO_UNBLOCK:
                    gs[y, O_STATUS] = RUNNABLE
                    s = _local(stack_of, cursors[c, C_C])
                else:
                    gs[y, O_STATUS] = RUNNING
                    if g >= 0 and g != y:
                        if kind == GO_SWITCH:
                            gs[g, O_STATUS] = WAITING
                        else:
                            _drop_row(g_keys, g_vals, gs, free, tally, g)
                    new_g = y
        elif kind == GO_BLOCK or kind == GO_STOP:
            r = _reason(reason_of, a)
            s = _local(stack_of, b)
            if g >= 0:
                gs[g, O_STATUS] = WAITING if kind == GO_BLOCK else RUNNABLE
            new_g = -1
        elif kind == GO_SYSCALL_BEGIN:
            s = _local(stack_of, b)
            if g >= 0:
                gs[g, O_STATUS] = SYSCALL
            if p >= 0:
                ps[p, O_STATUS] = P_SYSCALL
                ps[p, O_SEQ] = a
                ps[p, O_GEN] = gen
        elif kind == GO_SYSCALL_END:
            if g >= 0:
                gs[g, O_STATUS] = RUNNING
            if p >= 0 and ps[p, O_STATUS] == P_SYSCALL:
                ps[p, O_STATUS] = P_RUNNING
        elif kind == GO_SYSCALL_END_BLOCKED:
            if p >= 0 and ps[p, O_STATUS] == P_SYSCALL and not forced:
                ready = False
            elif g >= 0:
                gs[g, O_STATUS] = RUNNABLE
                new_g = -1
        elif kind == GO_CREATE or kind == GO_CREATE_BLOCKED or kind == GO_CREATE_SYSCALL:
            at = _find(g_keys, a, mask)
            if g_keys[at] != 0:
                y = g_vals[at]
            else:
                y = _new_row(g_keys, g_vals, gs, free, tally, a, gen)
            gs[y, O_SEQ] = 0
            gs[y, O_GEN] = gen
            x = a
            if kind == GO_CREATE_SYSCALL:
                gs[y, O_STATUS] = SYSCALL
                new_g = y
            else:
                gs[y, O_STATUS] = RUNNABLE if kind == GO_CREATE else WAITING
                r = _local(stack_of, b)
                s = _local(stack_of, cursors[c, C_C])
        elif kind == GO_STATUS or kind == GO_STATUS_STACK:
            status = cursors[c, C_C]
            if status < RUNNABLE or status > WAITING:
                tally[T_BAD] += 1
                status = WAITING
            at = _find(g_keys, a, mask)
            if g_keys[at] != 0:
                y = g_vals[at]
            else:
                y = _new_row(g_keys, g_vals, gs, free, tally, a, gen)
            gs[y, O_SEQ] = 0
            gs[y, O_GEN] = gen
            gs[y, O_STATUS] = status
            x = a
            r = status
            if kind == GO_STATUS_STACK:
                s = _local(stack_of, cursors[c, C_D])
            if status == RUNNING:
                new_g = y
            elif status == SYSCALL and b >= 0:
                mat = _find(m_keys, b, m_mask)
                if m_keys[mat] != 0:
                    if m_vals[mat] == m:
                        new_g = y
                    elif ms[m_vals[mat], M_G] < 0:
                        ms[m_vals[mat], M_G] = y
        elif kind == GO_DESTROY:
            if g >= 0:
                _drop_row(g_keys, g_vals, gs, free, tally, g)
            new_g = -1
        elif kind == GO_DESTROY_SYSCALL:
            if g >= 0:
                _drop_row(g_keys, g_vals, gs, free, tally, g)
            new_g = -1
            if p >= 0:
                ps[p, O_STATUS] = P_ABANDONED
                ms[m, M_P] = -1
        elif kind == PROC_START:
            at = _find(p_keys, a, p_mask)
            if p_keys[at] == 0:
                ready = False
            else:
                y = p_vals[at]
                ready = ps[y, O_STATUS] == P_IDLE and ps[y, O_GEN] == gen and ps[y, O_SEQ] + 1 == b and p < 0
            if not ready and forced:
                if p_keys[at] == 0:
                    y = _new_proc(p_keys, p_vals, ps, tally, a, at)
                ready = True
            if ready and y >= 0:
                ps[y, O_STATUS] = P_RUNNING
                ps[y, O_SEQ] = b
                ps[y, O_GEN] = gen
                ms[m, M_P] = y
            x = a
        elif kind == PROC_STOP:
            if p >= 0:
                ps[p, O_STATUS] = P_IDLE
            y = p
            ms[m, M_P] = -1
        elif kind == PROC_STEAL:
            at = _find(p_keys, a, p_mask)
            if p_keys[at] == 0:
                ready = forced
            else:
                y = p_vals[at]
                ready = (
                    (ps[y, O_STATUS] == P_SYSCALL or ps[y, O_STATUS] == P_ABANDONED)
                    and ps[y, O_GEN] == gen
                    and ps[y, O_SEQ] + 1 == b
                ) or forced
                if ready:
                    if ps[y, O_STATUS] != P_ABANDONED:
                        mat = _find(m_keys, cursors[c, C_C], m_mask)
                        if m_keys[mat] != 0 and ms[m_vals[mat], M_P] == y:
                            ms[m_vals[mat], M_P] = -1
                    ps[y, O_STATUS] = P_IDLE
                    ps[y, O_SEQ] = b
                    ps[y, O_GEN] = gen
            x = a
        elif kind == PROC_STATUS:
            at = _find(p_keys, a, p_mask)
            if p_keys[at] != 0:
                y = p_vals[at]
                if b == P_ABANDONED and ps[y, O_STATUS] == P_SYSCALL:
                    b = P_SYSCALL
            else:
                y = _new_proc(p_keys, p_vals, ps, tally, a, at)
            if y >= 0:
                ps[y, O_STATUS] = b
                ps[y, O_SEQ] = 0
                ps[y, O_GEN] = gen
                if b == P_RUNNING or b == P_SYSCALL:
                    # A P in a system call may be told by the M that is about to steal it.
                    held = False
                    for j in range(ms.shape[0]):
                        if ms[j, M_P] == y:
                            held = True
                            break
                    if not held:
                        ms[m, M_P] = y
            r = b
            x = a
        elif kind == PROCS_CHANGE:
            x = a
            s = _local(stack_of, b)
        elif kind == GC_BEGIN or kind == STW_BEGIN:
            x = a
            s = _local(stack_of, b)
            if kind == STW_BEGIN:
                r = _reason(reason_of, a)
            else:
                ready = tally[T_GC_SEQ] < 0 or a == tally[T_GC_SEQ] + 1 or forced
                if ready:
                    tally[T_GC_SEQ] = a
        elif kind == GC_ACTIVE or kind == GC_END:
            ready = tally[T_GC_SEQ] < 0 or a == tally[T_GC_SEQ] + 1 or forced
            if ready:
                tally[T_GC_SEQ] = a
            x = a
        elif kind == ASSIST_BEGIN or kind == SWEEP_BEGIN:
            s = _local(stack_of, a)
        elif kind == ASSIST_ACTIVE:
            at = _find(g_keys, a, mask)
            y = g_vals[at] if g_keys[at] != 0 else np.int64(-1)
            x = a
        elif kind == HEAP_ALLOC or kind == HEAP_GOAL:
            x = a
        elif kind == SWEEP_END:
            x = a
        elif kind == GO_LABEL:
            r = _reason(reason_of, a)
        elif kind == TASK_BEGIN:
            x = a
            r = _name(reason_of, cursors[c, C_C])
            s = _local(stack_of, cursors[c, C_D])
        elif kind == TASK_END:
            x = a
            s = _local(stack_of, b)
        elif kind == REGION_BEGIN or kind == REGION_END:
            x = a
            r = _name(reason_of, b)
            s = _local(stack_of, cursors[c, C_C])
        if not ready:
            stalled[n_stalled] = c
            n_stalled += 1
            heap_n -= 1
            if heap_n > 0:
                heap[0] = heap[heap_n]
                _sift_down(heap, heap_n, 0, cursors)
            continue
        forced = False
        go_on = True
        if kind != NOT_READ:
            n = _emit(n, t, kind, g, y, x, s, r, out_t, out_kind, out_g, out_y, out_x, out_s, out_r)
            tally[kind] += 1
            ms[m, M_G] = new_g
    while next_sample < samples.shape[0] and n < room:
        n = _emit_sample(n, samples, next_sample, stack_of, g_keys, g_vals, out_t, out_kind, out_g, out_y,
                         out_x, out_s, out_r, tally)  # fmt: skip
        next_sample += 1
    _leave_off(tally, np.int64(0), np.int64(0), next_sample)
    if next_sample < samples.shape[0]:
        return FULL, n
    return DONE, n


@helper
def _new_row(g_keys, g_vals, gs, free, tally, gid, gen):  # type: ignore[no-untyped-def]
    """A row for goroutine ``gid`` (there is room: ``order`` saw to it before the event)."""
    if tally[T_FREE] > 0:
        tally[T_FREE] -= 1
        row = free[tally[T_FREE]]
    else:
        row = tally[T_ROWS]
        tally[T_ROWS] += 1
    at = _find(g_keys, gid, g_keys.size - 1)
    g_keys[at] = gid + 1
    g_vals[at] = row
    gs[row, O_ID] = gid
    gs[row, O_STATUS] = 0
    gs[row, O_SEQ] = 0
    gs[row, O_GEN] = gen
    tally[T_LIVE] += 1
    return row


@helper
def _drop_row(g_keys, g_vals, gs, free, tally, row):  # type: ignore[no-untyped-def]
    at = _find(g_keys, gs[row, O_ID], g_keys.size - 1)
    if g_keys[at] != 0:
        _remove(g_keys, g_vals, at, g_keys.size - 1)
        tally[T_LIVE] -= 1
        free[tally[T_FREE]] = row
        tally[T_FREE] += 1
    gs[row, O_STATUS] = 0


@helper
def _new_proc(p_keys, p_vals, ps, tally, pid, at):  # type: ignore[no-untyped-def]
    """A row for P ``pid``, -1 when there are more Ps than any machine has."""
    row = tally[T_PROCS]
    if row >= ps.shape[0]:
        return np.int64(-1)
    tally[T_PROCS] += 1
    p_keys[at] = pid + 1
    p_vals[at] = row
    return row


# ---------------------------------------------------------------------------------------------------------
# fold: the ordered events into running totals

# One row a living goroutine (columns of ``g``).
(
    G_ID, G_STATE, G_SINCE, G_OPEN, G_KIND, G_STACK, G_GROUP, G_CREATED, G_RUN, G_RUNNABLE, G_WAIT,
    G_SYSCALL, G_ASSIST_T, G_ASSIST_S, G_ASSIST, G_LABEL, G_BURST_T, G_BURST_RUN, G_BURST_QUEUE,
    G_UNTYPED_END, G_BURST_S, G_LOCK_T, G_LOCK_RUN, G_PREV, G_PREV_T, G_SPAN, G_SPAN_T, G_SPAN_LAST,
    G_SPAN_RUN, G_SPAN_ASSIST, G_SPAN_S, G_SPAN_N, G_RAN, G_BURST_OTHER, G_SPAN_RUN_LAST,
    G_SPAN_ASSIST_LAST, G_WOKEN, G_ASSIST_RUN, G_BURST_LONG,
    G_LOG, G_STAY_T, G_STAY_WHAT, G_WAKER, G_ASSIST_RAN,
    G_UNIT_T, G_UNIT_HANDLER, G_SERVES, G_LOOP, G_ROOT_S, G_REGIONS, G_REGION,
) = range(51)  # fmt: skip
REGION_DEPTH = 4  # open regions that are kept of a goroutine: a begin and a name each, from G_REGION on
GOROUTINE_COLUMNS = G_REGION + 2 * REGION_DEPTH

# State kinds that slots are kept for: wait reasons are 0..63, then these.
K_SYSCALL = 64  # in a system call, by the stack that entered it
K_SCHED = 65  # runnable after a wake-up or a system call, by the stack of the waker
K_STOPPED = 67  # runnable after it was preempted or yielded, by its own stack
K_SCHED_NEW = 66  # runnable before the first run in the recording, by the stack of the creator or first waker

# Totals of one (kind, stack) (columns of ``slots``).
(
    W_KIND, W_STACK, W_N, W_NS, W_OPEN_N, W_OPEN_NS, W_END_N, W_END_NS, W_BOTH_N, W_BOTH_NS,
    W_MAX, W_END_MAX, W_END_MIN, W_LAST_WAKE, W_LAST_NEXT, W_END_OLD,
) = range(16)  # fmt: skip
SLOT_COLUMNS = 16
HIST_BINS = 96  # two bins an octave of ns

# Totals of one (slot, other) pair (columns of ``edges``). other >= 0: who woke it (a stack); other < 0: the
# wait on the same goroutine before this one is slot -other - 1.
E_SLOT, E_OTHER, E_N, E_NS, E_HOLD, E_HOLD_KNOWN, E_HOLD_RUN, E_GAP = 0, 1, 2, 3, 4, 5, 6, 7
EDGE_COLUMNS = 8
NO_WAKER = (1 << 40) - 1  # woken by no goroutine: network poller, timer
PREV_START = 1 << 24  # "slot" before the first wait of a goroutine that was created in the trace

# Counters by (tag, key) (columns of ``counters``).
N_TAG, N_KEY, N_N, N_NS, N_MAX = 0, 1, 2, 3, 4
COUNTER_COLUMNS = 5
(
    TAG_GC_TRIGGER, TAG_ASSIST, TAG_SWEEP, TAG_SAMPLE, TAG_RUN_SAMPLE, TAG_LABEL, TAG_STW, TAG_PREEMPT,
    TAG_RESTART, TAG_SHORT,
) = range(1, 11)  # fmt: skip

# Goroutines by start function and stack of creation (columns of ``groups``).
(
    R_ROOT, R_STACK, R_CREATED, R_ENDED, R_LIVE, R_LIVE_MAX, R_AT_START, R_RUN, R_RUNNABLE, R_WAIT, R_SYSCALL,
    R_ASSIST, R_LIFE, R_LIFE_MAX, R_SCHED_NEW, R_RUN_MAX,
) = range(16)  # fmt: skip
GROUP_COLUMNS = 16

# Runs without a natural pause (columns of ``runs``).
RUN_G, RUN_GROUP, RUN_T, RUN_END, RUN_NS, RUN_VICTIMS, RUN_S, RUN_OPEN, RUN_LONG = range(9)
RUN_COLUMNS = 9
RUN_MIN_NS = 50_000_000
RUN_SAMPLE_NS = 100_000_000
LONG_DELAY_NS = 1 << 23  # 8.4 ms: forced preemption comes after 10 ms at the earliest, the wake-up between

# Spans in which a goroutine's own stacks show one kind of work (columns of ``spans``).
SPAN_CLASS, SPAN_G, SPAN_T, SPAN_END, SPAN_RUN, SPAN_ASSIST, SPAN_S, SPAN_N = 0, 1, 2, 3, 4, 5, 6, 7
SPAN_COLUMNS = 8
SPAN_MIN_NS = 1_000_000
SPAN_UNTYPED = 1  # stacks.py has their names
RESTART_NS = 3_000_000

# Locks, one row a place that waits for one (columns of ``sites``); row 0 is "any lock".
S_WAITERS, S_T, S_BUSY, S_WAITER_NS, S_RUN, S_RUNNABLE, S_HANDOVERS, S_WAIT_NS, S_N, S_RUN0, S_RUNNABLE0 = (
    range(11)
)
SITE_COLUMNS = 11

# Stays, a row each, in the order in which they ended; a ring of x[X_LOG_MASK] + 1 rows, so that old ones are
# overwritten (columns of ``stays``). A goroutine blocked (or was stopped, or created) at L_T0, could run
# again at L_TW and did at L_T1. L_WHAT is the kind and, in its lowest STACK_BITS, the stack. L_PREV is the
# stay before it (-1: none). L_WAKER is 0 where no goroutine woke it, or the runtime did; else the last stay
# of the one that did, plus 2, and its stack. L_ASSIST: what the goroutine had run in assists.
L_T0, L_TW, L_T1, L_WHAT, L_PREV, L_WAKER, L_ASSIST = range(7)
STAY_COLUMNS = 7
STAYS_MAX = 1 << 19
STACK_BITS = 28
STACK_MASK = (1 << STACK_BITS) - 1

# Units of work, by kind and name: totals (columns of ``kinds``), and for each kind rows of ``units`` and
# ``unit_parts``: first the slowest, then a sample.
U_TASK, U_REGION, U_HANDLER, U_GOROUTINE, U_JOB, U_TURN = 1, 2, 3, 4, 5, 6
U_WHAT, U_NAME, U_N, U_NS, U_MAX, U_LOW, U_LOW_AT = range(7)
KIND_COLUMNS = 7
KINDS_MAX = 128
ROOM = 32  # events that every table has room for, lest one that is nearly full be looked at each time
SLOWEST, SAMPLED = 20, 200
UNITS_A_KIND = SLOWEST + SAMPLED
V_NS, V_T, V_G, V_PARTS = 0, 1, 2, 3
UNIT_COLUMNS = 4
# Parts of a unit's length: key (what, the unit's own stack, the function), ns, how often. The last places
# are for what found no other.
(
    C_CPU, C_RUNNABLE, C_LOCK, C_CHANNEL, C_NETWORK, C_SYSCALL, C_GC, C_TIMER, C_SLEEP, C_SYNC, C_OTHER,
) = range(11)  # fmt: skip
PARTS_NAMED = 36
PARTS = PARTS_NAMED + 11
WALK_DEPTH = 24
WALK_COLUMNS = 6
WALK_STEPS = 50_000
TASK_NAME_BITS = 12

# Single values (``x``).
(
    X_T0, X_LAST, X_RUNNING, X_RUNNABLE, X_HIST_T, X_INT_RUN, X_INT_RUNNABLE, X_LIVE, X_LIVE_MAX, X_GC_T,
    X_GC_N, X_GC_NS, X_HEAP, X_HEAP_MAX, X_ALLOC, X_GOAL, X_GOAL_MAX, X_LOW, X_LOW_SUM, X_LOW_N,
    X_PROCS, X_PROCS_MAX,
    X_P_RUNNING, X_P_INT, X_P_T, X_STW_T, X_STW_R, X_SLOTS, X_EDGES, X_COUNTERS, X_GROUPS, X_RUNS, X_SPANS,
    X_GEN_T0, X_SAMPLES, X_NEVER, X_MARKING, X_GC_FIRST, X_GC_LAST, X_LOW_MAX, X_GOAL_MIN, X_STARTED,
    X_SAMPLES_IDLE, X_STW_NS, X_GC_GAP_MAX, X_RUN_MIN, X_UNSETTLED, X_WOKEN, X_INT_WOKEN, X_DELAY_MAX,
    X_LONG, X_LOG, X_LOG_MASK, X_LOG_FROM, X_LOG_LACKED, X_KINDS, X_UNITS_LEFT_OUT, X_TASKS,
) = range(58)  # fmt: skip
X_SIZE = 60

# Flags of a stack (``st_flags``), set by frames.py.
F_LOCK = 1  # a wait here is for a mutex
F_INTERNAL = 2  # the runtime's own business (collector, tracer, timers): no progress of the program
F_NODE = 4  # a wait that separates or makes up a unit of work (see observe/sequence.py)
F_BETWEEN = 8  # a server's connection reads its next request
F_HANDED = 16  # the user's own loop waits for what others send it
F_ASKED = 32  # the user's own loop waits on a connection
F_PAUSE = F_BETWEEN | F_HANDED | F_ASKED
F_HANDLER = 64  # in a server's handler
F_WHAT_SHIFT = 8  # from here four bits: what a wait with this stack is (C_…), for waits without a reason
F_SPAN_SHIFT = 12  # from here two bits: the kind of work that a stack shows (SPAN_…)
# ``st_who``: the user's innermost function, from here the outermost, from twice here the handler.
WHO_BITS = 20
WHO_MASK = (1 << WHO_BITS) - 1


@inline
def _bin(ns):  # type: ignore[no-untyped-def]
    """Bin of a duration: two an octave."""
    if ns < 1:
        return np.int64(0)
    # A double holds the octave in its exponent and the half in the first bit behind it.
    i = (np.float64(ns).view(np.int64) >> 51) - 2 * 1023
    return i if i < HIST_BINS else np.int64(HIST_BINS - 1)


@inline
def _slot(x, slot_keys, slot_vals, slots, st_slot, kind, stack):  # type: ignore[no-untyped-def]
    """Row of (kind, stack). ``st_slot`` remembers the last of each stack: it mostly waits in one way."""
    column = kind - K_SYSCALL if kind > K_SYSCALL else 0
    slot = st_slot[np.uintp(stack), column] - 1
    if slot >= 0 and slots[np.uintp(slot), W_KIND] == kind:
        return slot
    key = (np.int64(kind) << 40) | stack
    at = _find(slot_keys, key, slot_keys.size - 1)
    if slot_keys[at] == 0:
        slot_keys[at] = key + 1
        slot_vals[at] = x[X_SLOTS]
        slots[x[X_SLOTS], W_KIND] = kind
        slots[x[X_SLOTS], W_STACK] = stack
        x[X_SLOTS] += 1
    st_slot[np.uintp(stack), column] = slot_vals[at] + 1
    return slot_vals[at]


@inline
def _edge(x, edge_keys, edge_vals, edges, slots, slot, column, other):  # type: ignore[no-untyped-def]
    """Row of (slot, other), ``other`` being the waker's stack (>= 0) or -(slot before) - 1.

    The slot remembers its last edge of each sort (``column``): most waits are ended in the same way.
    """
    last = slots[np.uintp(slot), column] - 1
    if last >= 0 and edges[np.uintp(last), E_OTHER] == other:
        return last
    code = other if other >= 0 else (np.int64(1) << 40) - other
    key = (np.int64(slot) << 41) | code
    at = _find(edge_keys, key, edge_keys.size - 1)
    if edge_keys[at] == 0:
        edge_keys[at] = key + 1
        edge_vals[at] = x[X_EDGES]
        edges[x[X_EDGES], E_SLOT] = slot
        edges[x[X_EDGES], E_OTHER] = other
        x[X_EDGES] += 1
    slots[np.uintp(slot), column] = edge_vals[at] + 1
    return edge_vals[at]


@inline
def _count(x, count_keys, count_vals, counters, tag, key, ns):  # type: ignore[no-untyped-def]
    code = (np.int64(tag) << 57) | key
    at = _find(count_keys, code, count_keys.size - 1)
    if count_keys[at] == 0:
        count_keys[at] = code + 1
        count_vals[at] = x[X_COUNTERS]
        counters[x[X_COUNTERS], N_TAG] = tag
        counters[x[X_COUNTERS], N_KEY] = key
        x[X_COUNTERS] += 1
    row = count_vals[at]
    counters[row, N_N] += 1
    counters[row, N_NS] += ns
    if ns > counters[row, N_MAX]:
        counters[row, N_MAX] = ns


@helper
def _group(x, group_keys, group_vals, groups, root, stack):  # type: ignore[no-untyped-def]
    key = (np.int64(root) << 32) | stack
    at = _find(group_keys, key, group_keys.size - 1)
    if group_keys[at] == 0:
        group_keys[at] = key + 1
        group_vals[at] = x[X_GROUPS]
        groups[x[X_GROUPS], R_ROOT] = root
        groups[x[X_GROUPS], R_STACK] = stack
        x[X_GROUPS] += 1
    return group_vals[at]


@inline
def _tick(x, running_ns, t):  # type: ignore[no-untyped-def]
    """Bring the histogram of running goroutines to ``t``, before their number changes.

    Generations overlap, and the first events of one may be earlier than the last of the one before. It keeps
    what was told first: time that was taken from it would be another state's.
    """
    dt = t - x[X_HIST_T]
    if dt > 0:
        k = x[X_RUNNING]
        running_ns[k if k < running_ns.size else running_ns.size - 1] += dt
        x[X_HIST_T] = t


@inline
def _raise(x, count, integral, t):  # type: ignore[no-untyped-def]
    """One more of ``count`` since ``t``, see _integral."""
    x[count] += 1
    x[integral] -= t


@inline
def _lower(x, count, integral, t):  # type: ignore[no-untyped-def]
    """One less of ``count`` since ``t``, see _integral."""
    x[count] -= 1
    x[integral] += t


@inline
def _integral(x, count, integral, t):  # type: ignore[no-untyped-def]
    """What ``count`` adds up to over time until ``t``, in ns.

    Kept are the times at which it fell less those at which it rose: one addition a change, in any order.
    These sums may wrap around, and so does the product.
    """
    return x[count] * t + x[integral]


@inline
def _site_change(sites, site, t, by, run, runnable):  # type: ignore[no-untyped-def]
    """One waiter more or less at a lock; ``run`` and ``runnable`` are the integrals now."""
    dt = t - sites[np.uintp(site), S_T]
    n = sites[np.uintp(site), S_WAITERS]
    if n > 0:
        sites[np.uintp(site), S_BUSY] += dt
        sites[np.uintp(site), S_WAITER_NS] += dt * n
        sites[np.uintp(site), S_RUN] += run - sites[np.uintp(site), S_RUN0]
        sites[np.uintp(site), S_RUNNABLE] += runnable - sites[np.uintp(site), S_RUNNABLE0]
    sites[np.uintp(site), S_RUN0] = run
    sites[np.uintp(site), S_RUNNABLE0] = runnable
    sites[np.uintp(site), S_T] = t
    sites[np.uintp(site), S_WAITERS] = n + by if n + by > 0 else 0


@inline
def _end_run(x, g, row, runs, t, still):  # type: ignore[no-untyped-def]
    """A natural pause: keep the run when it was a long one."""
    r = np.uintp(row)  # unsigned: no test for an index from the end
    start = g[r, G_BURST_T]
    if start >= 0:
        if t - start >= RUN_MIN_NS:
            run = g[r, G_RUN] - g[r, G_BURST_RUN]
            if g[r, G_STATE] == RUNNING:
                run += t - g[r, G_SINCE]
            at = x[X_RUNS]
            runs[at, RUN_G] = g[r, G_ID]
            runs[at, RUN_GROUP] = g[r, G_GROUP]
            runs[at, RUN_T] = start
            runs[at, RUN_END] = t
            runs[at, RUN_NS] = run
            runs[at, RUN_VICTIMS] = _integral(x, X_WOKEN, X_INT_WOKEN, t) - g[r, G_BURST_QUEUE]
            runs[at, RUN_S] = g[r, G_BURST_S]
            runs[at, RUN_LONG] = x[X_LONG] - g[r, G_BURST_LONG]
            runs[at, RUN_OPEN] = g[r, G_BURST_OTHER] | (2 if still else 0)
            x[X_RUNS] += 1
        g[r, G_BURST_T] = -1


@helper
def _end_span(x, g, row, spans):  # type: ignore[no-untyped-def]
    r = np.uintp(row)  # unsigned: no test for an index from the end
    if g[r, G_SPAN] > 0:
        if g[r, G_SPAN_N] >= 2 and g[r, G_SPAN_LAST] - g[r, G_SPAN_T] >= SPAN_MIN_NS:
            at = x[X_SPANS]
            spans[at, SPAN_CLASS] = g[r, G_SPAN]
            spans[at, SPAN_G] = g[r, G_ID]
            spans[at, SPAN_T] = g[r, G_SPAN_T]
            spans[at, SPAN_END] = g[r, G_SPAN_LAST]
            spans[at, SPAN_RUN] = g[r, G_SPAN_RUN_LAST] - g[r, G_SPAN_RUN]
            spans[at, SPAN_ASSIST] = g[r, G_SPAN_ASSIST_LAST] - g[r, G_SPAN_ASSIST]
            spans[at, SPAN_S] = g[r, G_SPAN_S]
            spans[at, SPAN_N] = g[r, G_SPAN_N]
            x[X_SPANS] += 1
        g[r, G_SPAN] = 0


@inline
def _see_stack(  # type: ignore[no-untyped-def]
    x, g, row, t, stack, span, spans, st_root, groups, group_keys, group_vals, count_keys, count_vals,
    counters,
):  # fmt: skip
    """The goroutine's own stack at ``t``: which work it is in, and (once) where it was started."""
    r = np.uintp(row)  # unsigned: no test for an index from the end
    if stack == 0:
        return
    if g[r, G_GROUP] == 0 and st_root[np.uintp(stack)] > 0:
        new = _group(x, group_keys, group_vals, groups, st_root[np.uintp(stack)], np.int64(0))
        groups[0, R_LIVE] -= 1
        groups[0, R_AT_START] -= 1
        groups[np.uintp(new), R_LIVE] += 1
        groups[np.uintp(new), R_AT_START] += 1
        if groups[np.uintp(new), R_LIVE] > groups[np.uintp(new), R_LIVE_MAX]:
            groups[np.uintp(new), R_LIVE_MAX] = groups[np.uintp(new), R_LIVE]
        g[r, G_GROUP] = new
    if span != g[r, G_SPAN]:
        if g[r, G_SPAN] == SPAN_UNTYPED:
            g[r, G_UNTYPED_END] = t
        _end_span(x, g, row, spans)
        if span > 0:
            if span == SPAN_UNTYPED and g[r, G_UNTYPED_END] > 0 and t - g[r, G_UNTYPED_END] < RESTART_NS:
                # The next document, right after the last: a stack of the decoder's own lay between.
                _count(x, count_keys, count_vals, counters, np.int64(TAG_RESTART), stack, np.int64(0))
            g[r, G_SPAN] = span
            g[r, G_SPAN_T] = t
            g[r, G_SPAN_S] = stack
            g[r, G_SPAN_N] = 0
            g[r, G_SPAN_RUN] = g[r, G_RUN] + (t - g[r, G_SINCE] if g[r, G_STATE] == RUNNING else 0)
            g[r, G_SPAN_ASSIST] = g[r, G_ASSIST]
    if span > 0:
        g[r, G_SPAN_LAST] = t
        g[r, G_SPAN_RUN_LAST] = g[r, G_RUN] + (t - g[r, G_SINCE] if g[r, G_STATE] == RUNNING else 0)
        g[r, G_SPAN_ASSIST_LAST] = g[r, G_ASSIST]
        g[r, G_SPAN_N] += 1


@inline
def _ran(g, row, t):  # type: ignore[no-untyped-def]
    """How long the goroutine ran until ``t``."""
    r = np.uintp(row)  # unsigned: no test for an index from the end
    if g[r, G_STATE] == RUNNING and t > g[r, G_SINCE]:
        return g[r, G_RUN] + t - g[r, G_SINCE]
    return g[r, G_RUN]


@helper
def _clear(g, row, gid, t):  # type: ignore[no-untyped-def]
    r = np.uintp(row)  # unsigned: no test for an index from the end
    for k in range(GOROUTINE_COLUMNS):
        g[r, k] = 0
    g[r, G_ID] = gid
    g[r, G_SINCE] = t
    g[r, G_CREATED] = -1
    g[r, G_ASSIST_T] = -1
    g[r, G_BURST_T] = -1
    g[r, G_LOCK_T] = -1
    g[r, G_PREV] = -1
    g[r, G_LOG] = -1
    g[r, G_UNIT_T] = -1


@inline
def _leave_running(x, g, r, t, dt, count_keys, count_vals, counters):  # type: ignore[no-untyped-def]
    """Goroutine ``r`` ran for ``dt``."""
    g[r, G_RUN] += dt
    if g[r, G_LABEL] > 0:
        _count(x, count_keys, count_vals, counters, np.int64(TAG_LABEL), g[r, G_LABEL], dt)
        g[r, G_LABEL] = 0
        x[X_MARKING] -= 1
    else:
        _lower(x, X_RUNNING, X_INT_RUN, t)


@inline
def _leave_runnable(x, g, r, t, dt, bucket, groups, delays):  # type: ignore[no-untyped-def]
    """Goroutine ``r`` was runnable for ``dt``."""
    g[r, G_RUNNABLE] += dt
    _lower(x, X_RUNNABLE, X_INT_RUNNABLE, t)
    if g[r, G_WOKEN] > 0:
        g[r, G_WOKEN] = 0
        _lower(x, X_WOKEN, X_INT_WOKEN, t)
        delays[bucket] += 1
        if dt > x[X_DELAY_MAX]:
            x[X_DELAY_MAX] = dt
        if dt >= LONG_DELAY_NS:
            x[X_LONG] += 1
    if g[r, G_KIND] == K_SCHED_NEW:
        groups[g[r, G_GROUP], R_SCHED_NEW] += dt


@inline
def _leave_slot(g, r, dt, bucket, slot, slots, hist):  # type: ignore[no-untyped-def]
    """What goroutine ``r`` was in for ``dt`` is one more of its kind and stack."""
    if g[r, G_OPEN] != 0:
        slots[np.uintp(slot), W_OPEN_N] += 1
        slots[np.uintp(slot), W_OPEN_NS] += dt
    else:
        slots[np.uintp(slot), W_N] += 1
        slots[np.uintp(slot), W_NS] += dt
        hist[np.uintp(slot), np.uintp(bucket)] += 1
        if dt > slots[np.uintp(slot), W_MAX]:
            slots[np.uintp(slot), W_MAX] = dt


@inline
def _leave_waiting(  # type: ignore[no-untyped-def]
    x, g, r, t, dt, slot, kind, stack, slots, edge_keys, edge_vals, edges, sites, st_flags, st_site
):  # fmt: skip
    """Goroutine ``r`` has waited for ``dt``: what that says of its lock, or of what it does in turn."""
    if st_flags[np.uintp(stack)] & F_LOCK and (kind == 6 or kind == 0):
        site = st_site[np.uintp(stack)]
        _wait_for_lock(x, sites, site, t, t, np.int64(-1))
        if site > 0:
            sites[np.uintp(site), S_WAIT_NS] += dt
            sites[np.uintp(site), S_N] += 1
        g[r, G_LOCK_T] = t
        g[r, G_LOCK_RUN] = g[r, G_RUN]
    elif st_flags[np.uintp(stack)] & F_NODE and (kind < 9 or kind == 15 or kind > 16):
        prev = g[r, G_PREV]
        if prev >= 0:
            e = _edge(x, edge_keys, edge_vals, edges, slots, slot, W_LAST_NEXT, -prev - 1)
            edges[np.uintp(e), E_N] += 1
            edges[np.uintp(e), E_NS] += dt
            gap = g[r, G_SINCE] - g[r, G_PREV_T]
            edges[np.uintp(e), E_GAP] += gap if gap > 0 else 0
        g[r, G_PREV] = slot
        g[r, G_PREV_T] = t


@inline
def _leave(  # type: ignore[no-untyped-def]
    x, g, row, t, slot_keys, slot_vals, slots, st_slot, hist, edge_keys, edge_vals, edges, count_keys,
    count_vals, counters, groups, sites, delays, st_flags, st_site,
):  # fmt: skip
    """Close the state that a goroutine is in: its time goes to the goroutine, its slot and its lock."""
    r = np.uintp(row)  # unsigned: no test for an index from the end
    state = g[r, G_STATE]
    dt = t - g[r, G_SINCE]
    if dt < 0:
        dt = np.int64(0)
    if state == RUNNING:
        _leave_running(x, g, r, t, dt, count_keys, count_vals, counters)
        return
    if state == 0:
        return
    kind = g[r, G_KIND]
    stack = g[r, G_STACK]
    bucket = _bin(dt)
    if state == RUNNABLE:
        _leave_runnable(x, g, r, t, dt, bucket, groups, delays)
    elif state == SYSCALL:
        g[r, G_SYSCALL] += dt
    else:
        g[r, G_WAIT] += dt
    slot = _slot(x, slot_keys, slot_vals, slots, st_slot, kind, stack)
    _leave_slot(g, r, dt, bucket, slot, slots, hist)
    if state == WAITING:
        _leave_waiting(x, g, r, t, dt, slot, kind, stack, slots, edge_keys, edge_vals, edges, sites, st_flags,
                       st_site)  # fmt: skip


@inline
def _log_stay(x, g, r, ready, t, stays):  # type: ignore[no-untyped-def]
    """A goroutine that could run again at ``ready`` does at ``t``: keep when and why it could not."""
    at = np.uintp(x[X_LOG] & x[X_LOG_MASK])
    stays[at, L_T0] = g[r, G_STAY_T]
    stays[at, L_TW] = ready
    stays[at, L_T1] = t
    stays[at, L_WHAT] = g[r, G_STAY_WHAT]
    stays[at, L_PREV] = g[r, G_LOG]
    stays[at, L_WAKER] = g[r, G_WAKER]
    stays[at, L_ASSIST] = g[r, G_ASSIST_RAN]
    g[r, G_WAKER] = 0
    g[r, G_LOG] = x[X_LOG]
    x[X_LOG] += 1


@inline
def _oldest_stay(x):  # type: ignore[no-untyped-def]
    """The first stay that is still kept."""
    return max(x[X_LOG] - x[X_LOG_MASK] - 1, x[X_LOG_FROM])


@inline
def _charge(parts, what, stack, function, ns):  # type: ignore[no-untyped-def]
    """``ns`` of a unit go to what it did, at its own stack, in ``function``."""
    if ns <= 0:
        return
    key = (np.int64(what) << 56) | (np.int64(stack) << STACK_BITS) | np.int64(function)
    n = parts[PARTS, 0]
    at = np.int64(0)
    while at < n and parts[at, 0] != key:
        at += 1
    if at == n:
        if n < PARTS_NAMED:
            parts[PARTS, 0] = n + 1
            parts[at, 0] = key
        else:
            at = np.int64(PARTS_NAMED + what)
            parts[at, 0] = np.int64(what) << 56
    parts[at, 1] += ns
    parts[at, 2] += 1


@helper
def _walk(x, stays, walk, parts, st_who, st_path, st_flags, what_of, start, end, log, stack, assist):  # type: ignore[no-untyped-def]
    """Split the time from ``start`` to ``end`` of a unit that is at ``stack`` now into ``parts``, backwards.

    Where the unit was blocked, whoever woke it is followed for as long as it was blocked, not further; a lock
    is not followed, who had it is named. ``log`` is the goroutine's last stay, ``assist`` what it has run in
    assists. A row of ``walk`` is what is gone back to after a waker: limit, stay, stack, stack and function
    of the unit, assists.
    """
    for i in range(PARTS):
        parts[i, 0] = 0
        parts[i, 1] = 0
        parts[i, 2] = 0
    parts[PARTS, 0] = 0
    mask = x[X_LOG_MASK]
    oldest = _oldest_stay(x)
    depth = np.int64(0)
    limit = start
    t = end
    own = np.int64(0)  # the unit's own stack, and the function it is in, once a waker is followed
    function = np.int64(0)
    steps = 0
    while True:
        steps += 1
        there = log >= 0 and log >= oldest and steps < WALK_STEPS
        at = np.uintp(log & mask)
        began = limit
        assisted = np.int64(0)
        if there:
            began = stays[at, L_T1]
            if assist >= 0:
                assisted = assist - stays[at, L_ASSIST]
        here = own if depth > 0 else st_path[stack]
        inner = st_who[stack] & WHO_MASK
        if inner == 0:
            inner = function
        if log < 0 or there:
            began = min(t, max(began, limit))
            if assisted > t - began:
                assisted = t - began
            _charge(parts, np.int64(C_CPU), here, inner, t - began - assisted)
            _charge(parts, np.int64(C_GC), here, inner, assisted)
            t = began
        if t > limit and not there:
            if 0 <= log < oldest:
                # Worth more room where that would reach back to the unit's start.
                spanned = end - stays[np.uintp(oldest & mask), L_T1]
                if (end - start) * (mask + 1) < spanned * STAYS_MAX:
                    x[X_LOG_LACKED] += 1
            _charge(parts, np.int64(C_OTHER), here, function, t - limit)
            t = limit
        followed = False
        if t > limit:
            what = stays[at, L_WHAT]
            kind = what >> STACK_BITS
            stay = what & STACK_MASK
            waker = stays[at, L_WAKER]
            by = waker & STACK_MASK
            here = own if depth > 0 else st_path[stay]
            inner = st_who[stay] & WHO_MASK
            if inner == 0:
                inner = function
            low = min(t, max(stays[at, L_TW], limit))
            _charge(parts, np.int64(C_RUNNABLE), here, inner, t - low)
            t = low
            if t > limit:
                if kind == K_SCHED_NEW:
                    # It was created: on with its creator.
                    if waker == 0:
                        _charge(parts, np.int64(C_OTHER), here, inner, t - limit)
                        t = limit
                    else:
                        log = (waker >> STACK_BITS) - 2
                        stack = by
                        assist = np.int64(-1)
                        followed = True
                else:
                    low = min(t, max(stays[at, L_T0], limit))
                    sort = what_of[kind]
                    parked = (st_flags[stay] >> F_WHAT_SHIFT) & 15
                    if kind == 0 and parked > 0:
                        sort = parked
                    if sort == C_SYNC and st_flags[stay] & F_LOCK:
                        sort = np.int64(C_LOCK)
                        if waker != 0 and st_who[by] & WHO_MASK:
                            inner = st_who[by] & WHO_MASK
                    elif waker == 0 and sort == C_CHANNEL and kind != 7:
                        sort = np.int64(C_TIMER)
                    if (
                        t > low
                        and waker != 0
                        and (sort == C_CHANNEL or sort == C_SYNC)
                        and depth < WALK_DEPTH
                    ):
                        walk[depth, 0] = limit
                        walk[depth, 1] = stays[at, L_PREV]
                        walk[depth, 2] = stay
                        walk[depth, 3] = own
                        walk[depth, 4] = function
                        walk[depth, 5] = stays[at, L_ASSIST]
                        depth += 1
                        own = here
                        function = inner
                        limit = low
                        log = (waker >> STACK_BITS) - 2
                        stack = by
                        assist = np.int64(-1)
                        followed = True
                    else:
                        _charge(parts, sort, here, inner, t - low)
                        t = low
                        if t > limit:
                            log = stays[at, L_PREV]
                            stack = stay
                            assist = stays[at, L_ASSIST]
                            followed = True
        if followed:
            continue
        while t <= limit:
            if depth == 0:
                return
            depth -= 1
            limit = walk[depth, 0]
            log = walk[depth, 1]
            stack = walk[depth, 2]
            own = walk[depth, 3]
            function = walk[depth, 4]
            assist = walk[depth, 5]


@inline
def _unit(  # type: ignore[no-untyped-def]
    x, g, row, what, name, start, t, stack, stays, walk, parts, kind_keys, kind_vals, kinds, kind_hist, units,
    unit_parts, st_who, st_path, st_flags, what_of,
):  # fmt: skip
    """A unit of work ends at ``t`` on a goroutine at ``stack``: count it; some are kept with their parts."""
    ns = t - start
    if ns <= 0:
        return
    key = (np.int64(what) << 40) | name
    at = _find(kind_keys, key, kind_keys.size - 1)
    if kind_keys[at] == 0:
        if x[X_KINDS] >= kinds.shape[0]:
            x[X_UNITS_LEFT_OUT] += 1
            return
        kind_keys[at] = key + 1
        kind_vals[at] = x[X_KINDS]
        kinds[x[X_KINDS], U_WHAT] = what
        kinds[x[X_KINDS], U_NAME] = name
        x[X_KINDS] += 1
    k = kind_vals[at]
    n = kinds[k, U_N]
    kinds[k, U_N] += 1
    kinds[k, U_NS] += ns
    kind_hist[k, _bin(ns)] += 1
    if ns > kinds[k, U_MAX]:
        kinds[k, U_MAX] = ns
    slow = np.int64(-1)
    if n < SLOWEST:
        slow = n
    elif ns > kinds[k, U_LOW]:
        slow = kinds[k, U_LOW_AT]
    # A sample of fixed size (Vitter's algorithm R), the same for the same trace.
    place = n
    if n >= SAMPLED:
        place = (_mixed(key + n * 0x9E3779B97F4A7C1) * (n + 1)) >> 31  # of 0..n
    sampled = SLOWEST + place if place < SAMPLED else np.int64(-1)
    if slow >= 0 or sampled >= 0:
        _keep_unit(x, g, row, k, n, slow, sampled, start, ns, stack, stays, walk, parts, kinds, units,
                   unit_parts, st_who, st_path, st_flags, what_of)  # fmt: skip


@helper
def _keep_unit(  # type: ignore[no-untyped-def]
    x, g, row, k, n, slow, sampled, start, ns, stack, stays, walk, parts, kinds, units, unit_parts, st_who,
    st_path, st_flags, what_of,
):  # fmt: skip
    """Keep the unit after ``n`` of its kind in rows of its kind: of the slowest and of the sample, or -1."""
    r = np.uintp(row)  # unsigned: no test for an index from the end
    base = k * UNITS_A_KIND
    _walk(x, stays, walk, parts, st_who, st_path, st_flags, what_of, start, start + ns, g[r, G_LOG], stack,
          g[r, G_ASSIST_RAN])  # fmt: skip
    for turn in range(2):
        to = slow if turn == 0 else sampled
        if to >= 0:
            to += base
            units[to, V_NS] = ns
            units[to, V_T] = start
            units[to, V_G] = g[r, G_ID]
            kept = np.int64(0)
            for i in range(PARTS):
                if parts[i, 1] > 0:
                    for j in range(3):
                        unit_parts[to, 3 * kept + j] = parts[i, j]
                    kept += 1
            units[to, V_PARTS] = kept
    if slow >= 0 and n + 1 >= SLOWEST:
        low = np.int64(0)
        for i in range(1, SLOWEST):
            if units[base + i, V_NS] < units[base + low, V_NS]:
                low = np.int64(i)
        kinds[k, U_LOW] = units[base + low, V_NS]
        kinds[k, U_LOW_AT] = low


@inline
def _begin_run(x, g, r, t, since):  # type: ignore[no-untyped-def]
    """Running without a natural pause from ``since`` on, as is told at ``t``."""
    g[r, G_BURST_T] = since
    g[r, G_BURST_RUN] = g[r, G_RUN]
    g[r, G_BURST_QUEUE] = _integral(x, X_WOKEN, X_INT_WOKEN, t)
    g[r, G_BURST_LONG] = x[X_LONG]
    g[r, G_BURST_S] = 0
    g[r, G_BURST_OTHER] = 0


@inline
def _run_on(x, g, r, t):  # type: ignore[no-untyped-def]
    """A natural pause of a goroutine that goes on running."""
    _begin_run(x, g, r, t, t)
    g[r, G_BURST_RUN] += t - g[r, G_SINCE]


@inline
def _enter_running(x, g, r, t, since, kind, stack):  # type: ignore[no-untyped-def]
    g[r, G_STATE] = RUNNING
    g[r, G_SINCE] = since
    g[r, G_OPEN] = 0
    g[r, G_KIND] = kind
    g[r, G_STACK] = stack
    g[r, G_RAN] = 1
    _raise(x, X_RUNNING, X_INT_RUN, t)
    if g[r, G_BURST_T] < 0:
        _begin_run(x, g, r, t, since)


@inline
def _enter_other(x, g, r, t, since, state, kind, stack, counts, sites, st_flags, st_site):  # type: ignore[no-untyped-def]
    """Into a state in which a goroutine does not run."""
    g[r, G_STATE] = state
    g[r, G_SINCE] = since
    g[r, G_OPEN] = 0
    g[r, G_KIND] = kind
    g[r, G_STACK] = stack
    if state == RUNNABLE:
        _raise(x, X_RUNNABLE, X_INT_RUNNABLE, t)
        if counts:
            g[r, G_WOKEN] = 1
            _raise(x, X_WOKEN, X_INT_WOKEN, t)
    elif state == WAITING and st_flags[np.uintp(stack)] & F_LOCK and (kind == 6 or kind == 0):
        _wait_for_lock(x, sites, st_site[np.uintp(stack)], t, since, np.int64(1))


@inline
def _enter(x, g, row, t, since, state, kind, stack, counts, sites, st_flags, st_site, stays):  # type: ignore[no-untyped-def]
    r = np.uintp(row)  # unsigned: no test for an index from the end
    was = g[r, G_STATE]
    if state == RUNNING:
        if was != RUNNING and was != 0:
            _log_stay(x, g, r, g[r, G_SINCE] if was == RUNNABLE else since, since, stays)
        _enter_running(x, g, r, t, since, kind, stack)
        return
    if was == RUNNING or was == 0:
        g[r, G_STAY_T] = since
        at = stack if was == RUNNING else g[r, G_ROOT_S]
        g[r, G_STAY_WHAT] = (np.int64(kind) << STACK_BITS) | at
    _enter_other(x, g, r, t, since, state, kind, stack, np.int64(counts), sites, st_flags, st_site)


@helper
def _end_goroutine(g, row, groups):  # type: ignore[no-untyped-def]
    """Fold an ended (or, at the end of the trace, a living) goroutine into its group."""
    r = np.uintp(row)  # unsigned: no test for an index from the end
    group = g[r, G_GROUP]
    groups[np.uintp(group), R_RUN] += g[r, G_RUN]
    groups[np.uintp(group), R_RUNNABLE] += g[r, G_RUNNABLE]
    groups[np.uintp(group), R_WAIT] += g[r, G_WAIT]
    groups[np.uintp(group), R_SYSCALL] += g[r, G_SYSCALL]
    groups[np.uintp(group), R_ASSIST] += g[r, G_ASSIST]
    if g[r, G_RUN] > groups[np.uintp(group), R_RUN_MAX]:
        groups[np.uintp(group), R_RUN_MAX] = g[r, G_RUN]


@helper
def _gone(x, g, row, t, groups):  # type: ignore[no-untyped-def]
    """Count a goroutine that ended."""
    r = np.uintp(row)  # unsigned: no test for an index from the end
    group = g[r, G_GROUP]
    groups[np.uintp(group), R_ENDED] += 1
    groups[np.uintp(group), R_LIVE] -= 1
    if g[r, G_CREATED] >= 0:
        life = t - g[r, G_CREATED]
        groups[np.uintp(group), R_LIFE] += life
        if life > groups[np.uintp(group), R_LIFE_MAX]:
            groups[np.uintp(group), R_LIFE_MAX] = life
    x[X_LIVE] -= 1
    g[r, G_STATE] = 0


@inline
def _wait_for_lock(x, sites, site, t, since, by):  # type: ignore[no-untyped-def]
    """One more or less that waits for a lock ``since``, as is told at ``t``."""
    run = _integral(x, X_RUNNING, X_INT_RUN, t)
    runnable = _integral(x, X_RUNNABLE, X_INT_RUNNABLE, t)
    _site_change(sites, np.int64(0), since, by, run, runnable)
    if site > 0:
        _site_change(sites, site, since, by, run, runnable)


@inline
def _note_waker(  # type: ignore[no-untyped-def]
    x, g, y, cur, t, waited, slot, stack, edge_keys, edge_vals, edges, slots, sites, flags, st_site
):  # fmt: skip
    """Goroutine ``cur`` (or nobody, -1) ends the wait of ``y``; for a mutex, how long it can have held it."""
    by = stack if cur >= 0 else np.int64(NO_WAKER)
    e = _edge(x, edge_keys, edge_vals, edges, slots, slot, W_LAST_WAKE, by)
    edges[np.uintp(e), E_N] += 1
    edges[np.uintp(e), E_NS] += waited
    if flags & F_LOCK and cur >= 0:
        sites[0, S_HANDOVERS] += 1
        site = st_site[np.uintp(g[y, G_STACK])]
        if site > 0:
            sites[np.uintp(site), S_HANDOVERS] += 1
        c = np.uintp(cur)
        run = _ran(g, cur, t)
        if g[c, G_LOCK_T] >= g[y, G_SINCE]:
            edges[np.uintp(e), E_HOLD] += t - g[c, G_LOCK_T]
            edges[np.uintp(e), E_HOLD_KNOWN] += t - g[c, G_LOCK_T]
            edges[np.uintp(e), E_HOLD_RUN] += run - g[c, G_LOCK_RUN]
        else:
            edges[np.uintp(e), E_HOLD] += waited
        g[c, G_LOCK_T] = t
        g[c, G_LOCK_RUN] = run


@inline
def _see(  # type: ignore[no-untyped-def]
    x, g, row, t, stack, pauses, blocks, spans, st_root, st_flags, st_who, st_path, groups, group_keys,
    group_vals, count_keys, count_vals, counters,
):  # fmt: skip
    """``_see_stack``, and whether a unit of work ends or begins where a goroutine ``pauses`` (or ``blocks``).

    Returns the unit that ends here (0: none), its name and when it began.
    """
    r = np.uintp(row)
    unit = np.int64(0)
    name = np.int64(0)
    begun = np.int64(0)
    between = st_flags[np.uintp(stack)]
    span = (between >> F_SPAN_SHIFT) & 3
    _see_stack(x, g, row, t, stack, span, spans, st_root, groups, group_keys, group_vals, count_keys,
               count_vals, counters)  # fmt: skip
    if between & F_HANDLER and g[r, G_UNIT_HANDLER] == 0:
        g[r, G_UNIT_HANDLER] = st_who[np.uintp(stack)] >> (2 * WHO_BITS)
    between &= F_PAUSE
    if between and pauses:
        begun = g[r, G_UNIT_T]
        if between & F_BETWEEN:
            g[r, G_SERVES] = U_HANDLER
            if g[r, G_UNIT_HANDLER] > 0 and begun >= 0:
                unit = np.int64(U_HANDLER)
                name = g[r, G_UNIT_HANDLER]
            g[r, G_UNIT_HANDLER] = 0
            if unit > 0 or begun < 0:
                g[r, G_UNIT_T] = t
        elif (
            blocks
            and g[r, G_SERVES] != U_HANDLER
            and (g[r, G_LOOP] == 0 or g[r, G_LOOP] == st_path[np.uintp(stack)])
        ):
            # The place where it first waits so is where its loop begins anew.
            g[r, G_LOOP] = st_path[np.uintp(stack)]
            g[r, G_SERVES] = U_JOB if between & F_HANDED else U_TURN
            if begun >= 0:
                unit = g[r, G_SERVES]
                name = (st_who[np.uintp(stack)] >> WHO_BITS) & WHO_MASK
            g[r, G_UNIT_T] = -1
    return unit, name, begun


@kernel("qBllqll ii qQ qqQL qqQ qqQ qqQ QQQqq qqq Q q QQQ qqQLQQ qq qqq", 2)
def fold(  # type: ignore[no-untyped-def]
    ev_t, ev_kind, ev_g, ev_y, ev_x, ev_s, ev_r, start, end,
    x, g, slot_keys, slot_vals, slots, hist, edge_keys, edge_vals, edges, count_keys, count_vals, counters,
    group_keys, group_vals, groups, runs, spans, sites, running_ns, delays, st_flags, st_site, st_root,
    st_slot, label_of, stays, walk, parts, kind_keys, kind_vals, kinds, kind_hist, units, unit_parts,
    task_keys, task_vals, st_who, st_path, what_of,
):  # fmt: skip
    """Replay events ``start..end`` of the columns that ``order`` wrote. Returns (why it stopped, next event).

    It stops early only to ask for room (GROW_…, COMPACT_…); nothing of the event at the returned index has
    been counted then. ``label_of`` maps a reason to the kind of mark worker (1 dedicated, 2 fractional,
    3 idle) and 0.
    """
    # Said here, the widths of rows are constants to the compiler.
    if g.shape[1] != GOROUTINE_COLUMNS or slots.shape[1] != SLOT_COLUMNS or hist.shape[1] != HIST_BINS:
        return BAD, start
    if edges.shape[1] != EDGE_COLUMNS or counters.shape[1] != COUNTER_COLUMNS:
        return BAD, start
    if groups.shape[1] != GROUP_COLUMNS or sites.shape[1] != SITE_COLUMNS or st_slot.shape[1] != 4:
        return BAD, start
    if stays.shape[1] != STAY_COLUMNS or stays.shape[0] <= x[X_LOG_MASK]:
        return BAD, start
    if walk.shape[1] != WALK_COLUMNS or kinds.shape[1] != KIND_COLUMNS:
        return BAD, start
    if units.shape[1] != UNIT_COLUMNS or parts.shape[1] != 3 or kind_hist.shape[1] != HIST_BINS:
        return BAD, start
    # Whole numbers of a type: a helper is compiled anew for each literal that it is given.
    none = np.int64(-1)
    zero = np.int64(0)
    one = np.int64(1)
    check_at = start
    for i in range(start, end):
        if i >= check_at:
            # An event takes at most four rows of any table: so many events need no look at the room left.
            room = (slots.shape[0] - x[X_SLOTS]) // 4
            if room < ROOM:
                return GROW_SLOTS, i
            left = (edges.shape[0] - x[X_EDGES]) // 4
            if left < ROOM:
                return GROW_EDGES, i
            room = min(room, left)
            left = (counters.shape[0] - x[X_COUNTERS]) // 4
            if left < ROOM:
                return GROW_COUNTERS, i
            room = min(room, left)
            left = (groups.shape[0] - x[X_GROUPS]) // 4
            if left < ROOM:
                return GROW_GROUPS, i
            room = min(room, left)
            left = (runs.shape[0] - x[X_RUNS]) // 4
            if left < ROOM:
                return COMPACT_RUNS, i
            room = min(room, left)
            left = (spans.shape[0] - x[X_SPANS]) // 4
            if left < ROOM:
                return COMPACT_SPANS, i
            check_at = i + min(room, left)
        t = ev_t[i]
        kind = ev_kind[i]
        if t < x[X_T0]:
            t = x[X_T0]
        if t > x[X_LAST]:
            x[X_LAST] = t
        if kind == HEAP_ALLOC:
            v = ev_x[i]
            if x[X_HEAP] > 0 and v > x[X_HEAP]:
                x[X_ALLOC] += v - x[X_HEAP]
            x[X_HEAP] = v
            if v > x[X_HEAP_MAX]:
                x[X_HEAP_MAX] = v
            if x[X_GC_T] < 0 and (x[X_LOW] == 0 or v < x[X_LOW]):
                x[X_LOW] = v
            continue
        # Most events are of three kinds, which have no part in the deciding below.
        y = np.int64(ev_y[i])
        if kind == GO_START and y >= 0 and g[y, G_STATE] == RUNNABLE:
            _tick(x, running_ns, t)
            r = np.uintp(y)
            dt = max(zero, t - g[r, G_SINCE])
            slot = _slot(x, slot_keys, slot_vals, slots, st_slot, g[r, G_KIND], g[r, G_STACK])
            bucket = _bin(dt)
            _leave_runnable(x, g, r, t, dt, bucket, groups, delays)
            _leave_slot(g, r, dt, bucket, slot, slots, hist)
            _log_stay(x, g, r, g[r, G_SINCE], t, stays)
            _enter_running(x, g, r, t, t, zero, zero)
            continue
        cur = np.int64(ev_g[i])
        if cur >= 0 and g[cur, G_STATE] == 0:
            cur = none
        stack = np.int64(ev_s[i])
        if kind == GO_BLOCK and cur >= 0 and g[cur, G_STATE] == RUNNING:
            _tick(x, running_ns, t)
            r = np.uintp(cur)
            unit = zero
            if stack > 0:
                unit, name, begun = _see(
                    x, g, cur, t, stack, one, one, spans, st_root, st_flags, st_who, st_path, groups,
                    group_keys, group_vals, count_keys, count_vals, counters
                )  # fmt: skip
            reason = np.int64(ev_r[i])
            if reason != 12:
                _end_run(x, g, cur, runs, t, zero)
            _leave_running(x, g, r, t, max(zero, t - g[r, G_SINCE]), count_keys, count_vals, counters)
            g[r, G_STAY_T] = t
            g[r, G_STAY_WHAT] = (reason << STACK_BITS) | stack
            _enter_other(x, g, r, t, t, np.int64(WAITING), reason, stack, zero, sites, st_flags, st_site)
            if unit > 0:
                _unit(x, g, cur, unit, name, begun, t, stack, stays, walk, parts, kind_keys, kind_vals, kinds,
                      kind_hist, units, unit_parts, st_who, st_path, st_flags, what_of)  # fmt: skip
            continue
        if kind == GO_UNBLOCK and y >= 0 and g[y, G_STATE] == WAITING:
            r = np.uintp(y)
            where = g[r, G_STACK]
            why = g[r, G_KIND]
            flags = st_flags[np.uintp(where)]
            # The collector and the scheduler, whoever they run on, are nobody.
            again = cur >= 0 and g[cur, G_STATE] == RUNNING and not st_flags[np.uintp(stack)] & F_INTERNAL
            if again:
                g[r, G_WAKER] = ((g[cur, G_LOG] + 2) << STACK_BITS) | stack
            dt = max(zero, t - g[r, G_SINCE])
            slot = _slot(x, slot_keys, slot_vals, slots, st_slot, why, where)
            _note_waker(x, g, r, cur, t, dt, slot, stack, edge_keys, edge_vals, edges, slots, sites, flags,
                        st_site)  # fmt: skip
            if flags & F_BETWEEN:
                if g[r, G_UNIT_HANDLER] == 0:
                    g[r, G_UNIT_T] = t
            elif flags & F_PAUSE:
                handed = g[r, G_WAKER] != 0
                if g[r, G_LOOP] == st_path[np.uintp(where)] and handed == (g[r, G_SERVES] == U_JOB):
                    g[r, G_UNIT_T] = t
            if cur >= 0 and stack > 0:
                _see(x, g, cur, t, stack, zero, zero, spans, st_root, st_flags, st_who, st_path, groups,
                     group_keys, group_vals, count_keys, count_vals, counters)  # fmt: skip
            if again:
                _end_run(x, g, cur, runs, t, zero)
                _run_on(x, g, np.uintp(cur), t)
            g[r, G_WAIT] += dt
            _leave_slot(g, r, dt, _bin(dt), slot, slots, hist)
            _leave_waiting(x, g, r, t, dt, slot, why, where, slots, edge_keys, edge_vals, edges, sites,
                           st_flags, st_site)  # fmt: skip
            why = np.int64(K_SCHED) if g[r, G_RAN] != 0 else np.int64(K_SCHED_NEW)
            counts = not flags & F_INTERNAL
            _enter_other(
                x, g, r, t, t, np.int64(RUNNABLE), why, stack, np.int64(counts), sites, st_flags, st_site
            )
            continue
        # What another event does is decided first, in the branches below, and done once, behind them.
        see = none  # row whose own stack ``stack`` is
        pause = none  # row whose run without a pause ends here
        again = False  # … and begins anew, since it goes on running
        row = none  # row that changes state, and what to
        state = zero
        why = zero
        where = zero
        at_status = False
        then_run = none  # row that starts to run after that (GoSwitch)
        tag = zero  # counter to raise
        key = zero
        ns = zero
        known = y < 0 or g[y, G_STATE] != 0
        group = zero
        ends = none  # row on which a unit of work ends, and which
        unit = zero
        name = zero
        begun = zero
        at_end = stack
        if kind == GO_START:
            row = y
            state = np.int64(RUNNING)
        elif kind == GO_STOP or kind == GO_BLOCK:
            row = cur
            see = cur
            where = stack
            reason = np.int64(ev_r[i])
            if reason != 12:
                pause = cur
            elif kind == GO_STOP and cur >= 0:
                if g[cur, G_BURST_S] == 0:
                    g[cur, G_BURST_S] = stack
                if g[cur, G_BURST_T] >= 0 and t - g[cur, G_BURST_T] >= RUN_SAMPLE_NS:
                    tag = np.int64(TAG_PREEMPT)
                    key = ((g[cur, G_ID] & 0xFFFFFFF) << 28) | stack
            if kind == GO_STOP:
                state = np.int64(RUNNABLE)
                why = np.int64(K_STOPPED)
            else:
                state = np.int64(WAITING)
                why = reason
        elif kind == GO_UNBLOCK:
            see = cur
            if cur >= 0 and g[cur, G_STATE] == RUNNING and not st_flags[stack] & F_INTERNAL:
                pause = cur
                again = True
            row = y
            state = np.int64(RUNNABLE)
            why = np.int64(K_SCHED)
            where = stack
        elif kind == GO_SYSCALL_BEGIN:
            row = cur
            see = cur
            pause = cur
            state = np.int64(SYSCALL)
            why = np.int64(K_SYSCALL)
            where = stack
        elif kind == GO_SYSCALL_END:
            row = cur
            state = np.int64(RUNNING)
        elif kind == GO_SYSCALL_END_BLOCKED:
            row = cur
            state = np.int64(RUNNABLE)
            why = np.int64(K_SCHED)
        elif kind == GO_SYSCALL_SHORT:
            see = cur
            tag = np.int64(TAG_SHORT)
            key = stack
            if cur >= 0 and g[cur, G_STATE] == RUNNING:
                pause = cur
                again = True
        elif kind == GO_SYSCALL_RETURN:
            row = y
            state = np.int64(RUNNABLE)
            why = np.int64(K_SCHED)  # since a time that the integrals may have passed already: see _tick
        elif kind == GO_CREATE or kind == GO_CREATE_BLOCKED or kind == GO_CREATE_SYSCALL:
            if kind != GO_CREATE_SYSCALL:
                see = cur
                if cur >= 0 and g[cur, G_STATE] == RUNNING and not st_flags[stack] & F_INTERNAL:
                    pause = cur
                    again = True
            row = y
            if y >= 0:
                known = True
                _clear(g, y, ev_x[i], t)
                group = _group(x, group_keys, group_vals, groups, st_root[ev_r[i]], stack)
                g[y, G_GROUP] = group
                g[y, G_CREATED] = t
                g[y, G_PREV] = PREV_START
                g[y, G_PREV_T] = t
                g[y, G_ROOT_S] = ev_r[i]
                if again:
                    g[y, G_WAKER] = ((g[cur, G_LOG] + 2) << STACK_BITS) | stack
                groups[group, R_CREATED] += 1
                groups[group, R_LIVE] += 1
                if groups[group, R_LIVE] > groups[group, R_LIVE_MAX]:
                    groups[group, R_LIVE_MAX] = groups[group, R_LIVE]
                x[X_LIVE] += 1
            if kind == GO_CREATE:
                state = np.int64(RUNNABLE)
                why = np.int64(K_SCHED_NEW)
                where = stack
            elif kind == GO_CREATE_BLOCKED:
                state = np.int64(WAITING)
                why = np.int64(1)
            else:
                state = np.int64(SYSCALL)
                why = np.int64(K_SYSCALL)
        elif kind == GO_DESTROY or kind == GO_DESTROY_SYSCALL:
            row = cur
            pause = cur
        elif kind == GO_STATUS or kind == GO_STATUS_STACK:
            status = np.int64(ev_r[i]) & 7
            see = y
            if y >= 0 and (not known or g[y, G_STATE] != status):
                row = y
                state = status
                where = stack
                if status != RUNNABLE and st_flags[ev_r[i] >> 3] & F_INTERNAL:
                    where = np.int64(ev_r[i]) >> 3
                at_status = True
                if status == SYSCALL:
                    why = np.int64(K_SYSCALL)
                elif status == RUNNABLE:
                    why = np.int64(K_SCHED)
                if known:  # something was lost between generations: the new status counts from here
                    x[X_UNSETTLED] += 1
                    pause = y
                else:
                    # Its start function is told in the old format alone (0 else: found by its stacks).
                    group = _group(x, group_keys, group_vals, groups, st_root[ev_r[i] >> 3], zero)
                    groups[group, R_LIVE] += 1
                    groups[group, R_AT_START] += 1
                    if group > 0 and groups[group, R_LIVE] > groups[group, R_LIVE_MAX]:
                        groups[group, R_LIVE_MAX] = groups[group, R_LIVE]
            elif y >= 0 and stack > 0 and g[y, G_STACK] == 0 and status != RUNNING:
                # Told late: the stack of a stay that began before the trace (Go 1.23 and later).
                g[y, G_STACK] = stack
                if status == WAITING and st_flags[stack] & F_LOCK:
                    _wait_for_lock(x, sites, st_site[stack], t, t, np.int64(1))
        elif kind == GO_SWITCH or kind == GO_SWITCH_DESTROY:
            row = cur
            pause = cur
            then_run = y
            if kind == GO_SWITCH:
                state = np.int64(WAITING)
        elif kind == CPU_SAMPLE:
            x[X_SAMPLES] += 1
            tag = np.int64(TAG_SAMPLE)
            key = stack
            if y >= 0 and known:
                see = y
                if g[y, G_BURST_T] >= 0 and t - g[y, G_BURST_T] >= RUN_SAMPLE_NS:
                    code = ((g[y, G_ID] & 0xFFFFFFF) << 28) | stack
                    _count(x, count_keys, count_vals, counters, np.int64(TAG_RUN_SAMPLE), code, zero)
        elif kind == ASSIST_BEGIN:
            see = cur
            if cur >= 0:
                g[cur, G_ASSIST_T] = t
                g[cur, G_ASSIST_S] = stack
                g[cur, G_ASSIST_RUN] = _ran(g, cur, t)
        elif kind == ASSIST_END:
            if cur >= 0 and g[cur, G_ASSIST_T] >= 0:
                ns = t - g[cur, G_ASSIST_T]
                if ns < 0:
                    ns = zero
                g[cur, G_ASSIST] += ns
                if g[cur, G_SPAN] > 0:
                    g[cur, G_SPAN_ASSIST_LAST] = g[cur, G_ASSIST]
                # An assist that finds no work waits for some: what it cost is the time that it ran.
                ns = min(ns, _ran(g, cur, t) - g[cur, G_ASSIST_RUN])
                g[cur, G_ASSIST_RAN] += ns
                tag = np.int64(TAG_ASSIST)
                key = g[cur, G_ASSIST_S]
                g[cur, G_ASSIST_T] = -1
        elif kind == ASSIST_ACTIVE:
            if y >= 0 and known and g[y, G_ASSIST_T] < 0:
                g[y, G_ASSIST_T] = x[X_GEN_T0]
                g[y, G_ASSIST_S] = 0
                g[y, G_ASSIST_RUN] = g[y, G_RUN]
        elif kind == SWEEP_BEGIN:
            if cur >= 0 and g[cur, G_STATE] == RUNNING:
                see = cur
            tag = np.int64(TAG_SWEEP)
            key = stack
        elif kind == GC_BEGIN:
            if cur >= 0 and g[cur, G_STATE] == RUNNING:
                see = cur
            x[X_GC_T] = t
            if x[X_GC_N] == 0:
                x[X_GC_FIRST] = t
            elif t - x[X_GC_LAST] > x[X_GC_GAP_MAX]:
                x[X_GC_GAP_MAX] = t - x[X_GC_LAST]
            x[X_GC_LAST] = t
            x[X_GC_N] += 1
            tag = np.int64(TAG_GC_TRIGGER)
            key = stack
            if x[X_LOW] > 0:
                x[X_LOW_SUM] += x[X_LOW]
                x[X_LOW_N] += 1
                if x[X_LOW] > x[X_LOW_MAX]:
                    x[X_LOW_MAX] = x[X_LOW]
                x[X_LOW] = 0
        elif kind == GC_END:
            if x[X_GC_T] >= 0:
                x[X_GC_NS] += t - x[X_GC_T]
            x[X_GC_T] = -1
        elif kind == GC_ACTIVE:
            if x[X_GC_T] < 0:
                x[X_GC_T] = x[X_GEN_T0]
        elif kind == HEAP_GOAL:
            v = ev_x[i]
            x[X_GOAL] = v
            if v > x[X_GOAL_MAX] and v < (1 << 62):
                x[X_GOAL_MAX] = v
            if v > 0 and (x[X_GOAL_MIN] == 0 or v < x[X_GOAL_MIN]):
                x[X_GOAL_MIN] = v
        elif kind == GO_LABEL:
            label = label_of[ev_r[i]]
            if label > 0 and cur >= 0 and g[cur, G_STATE] == RUNNING and g[cur, G_LABEL] == 0:
                _tick(x, running_ns, t)
                g[cur, G_LABEL] = label
                _lower(x, X_RUNNING, X_INT_RUN, t)
                x[X_MARKING] += 1
        elif kind == PROCS_CHANGE:
            v = ev_x[i]
            if 0 < v < (1 << 20):
                x[X_PROCS] = v
                if v > x[X_PROCS_MAX]:
                    x[X_PROCS_MAX] = v
        elif kind == STW_BEGIN:
            x[X_STW_T] = t
            x[X_STW_R] = ev_r[i]
        elif kind == STW_END:
            if x[X_STW_T] >= 0:
                ns = t - x[X_STW_T]
                x[X_STW_NS] += ns
                tag = np.int64(TAG_STW)
                key = x[X_STW_R]
            x[X_STW_T] = -1
        elif (
            kind == REGION_BEGIN
            or kind == REGION_END
            or kind == TASK_BEGIN
            or kind == TASK_END
            or kind == USER_LOG
        ):
            if cur >= 0 and g[cur, G_STATE] == RUNNING:
                pause = cur
                again = True
                begun = none
                unit = np.int64(U_REGION)
                name = np.int64(ev_r[i])
                ends = cur
                if kind == REGION_BEGIN:
                    depth = g[cur, G_REGIONS]
                    if depth < REGION_DEPTH:
                        g[cur, G_REGION + 2 * depth] = t
                        g[cur, G_REGION + 2 * depth + 1] = name
                    g[cur, G_REGIONS] = depth + 1
                elif kind == REGION_END:
                    depth = g[cur, G_REGIONS] - 1
                    if depth >= 0:
                        g[cur, G_REGIONS] = depth
                        if depth < REGION_DEPTH:
                            begun = g[cur, G_REGION + 2 * depth]
                            name = g[cur, G_REGION + 2 * depth + 1]
                elif kind == TASK_BEGIN or kind == TASK_END:
                    at = _find(task_keys, ev_x[i], task_keys.size - 1)
                    if kind == TASK_BEGIN:
                        if task_keys[at] == 0 and x[X_TASKS] < task_keys.size // 2:
                            x[X_TASKS] += 1
                            task_keys[at] = ev_x[i] + 1
                        if task_keys[at] != 0:
                            named = name if name < 1 << TASK_NAME_BITS else zero
                            task_vals[at] = ((t - x[X_T0]) << TASK_NAME_BITS) | named
                    elif task_keys[at] != 0:
                        unit = np.int64(U_TASK)
                        begun = x[X_T0] + (task_vals[at] >> TASK_NAME_BITS)
                        name = task_vals[at] & ((1 << TASK_NAME_BITS) - 1)
                        _remove(task_keys, task_vals, at, task_keys.size - 1)
                        x[X_TASKS] -= 1
                if begun < 0:
                    ends = none

        if tag > 0:
            _count(x, count_keys, count_vals, counters, tag, key, ns)
        if row >= 0 or pause >= 0 or then_run >= 0:
            _tick(x, running_ns, t)
        if row < 0 and then_run >= 0:
            row = then_run
            then_run = none
            state = np.int64(RUNNING)
        if row >= 0 and g[row, G_STATE] == 0 and kind != GO_CREATE and kind != GO_CREATE_BLOCKED:
            # A goroutine that was there before: its stay counts from where its generation begins.
            if kind != GO_CREATE_SYSCALL:
                _clear(g, row, ev_x[i], x[X_GEN_T0])
                x[X_LIVE] += 1
                if at_status:
                    g[row, G_GROUP] = group
        if x[X_LIVE] > x[X_LIVE_MAX]:
            x[X_LIVE_MAX] = x[X_LIVE]
        if see >= 0 and stack > 0:
            pauses = kind == GO_BLOCK or kind == GO_SYSCALL_BEGIN or kind == GO_SYSCALL_SHORT
            between, whose, when = _see(
                x, g, see, t, stack, np.int64(pauses), np.int64(kind == GO_BLOCK), spans, st_root, st_flags,
                st_who, st_path, groups, group_keys, group_vals, count_keys, count_vals, counters
            )  # fmt: skip
            if between > 0:
                ends = see
                unit = between
                name = whose
                begun = when
        if pause >= 0:
            _end_run(x, g, pause, runs, t, zero)
            if again:
                _run_on(x, g, np.uintp(pause), t)
        while row >= 0:
            _leave(x, g, row, t, slot_keys, slot_vals, slots, st_slot, hist, edge_keys, edge_vals, edges,
                   count_keys, count_vals, counters, groups, sites, delays, st_flags,
                   st_site)  # fmt: skip
            if state == 0:
                at_end = g[row, G_ROOT_S]
                name = g[row, G_UNIT_HANDLER]
                unit = np.int64(U_HANDLER)
                begun = g[row, G_UNIT_T]
                if g[row, G_SERVES] != U_HANDLER:
                    begun = g[row, G_CREATED]
                    if name == 0:
                        # Of a library's goroutine that does the user's work, the last stay may tell whose.
                        unit = np.int64(U_GOROUTINE)
                        name = (st_who[at_end] >> WHO_BITS) & WHO_MASK
                        last = g[row, G_LOG]
                        if name == 0 and last >= _oldest_stay(x):
                            last = stays[last & x[X_LOG_MASK], L_WHAT] & STACK_MASK
                            name = (st_who[last] >> WHO_BITS) & WHO_MASK
                if begun >= 0 and name > 0:
                    ends = row
                _end_span(x, g, row, spans)
                _end_goroutine(g, row, groups)
                _gone(x, g, row, t, groups)
            else:
                since = t
                # Whether it waits for a P that somebody else keeps: the runtime's own, and those that were
                # preempted themselves, are nobody's victims.
                counts = why != K_STOPPED and not at_status and not st_flags[g[row, G_STACK]] & F_INTERNAL
                if why == K_SCHED and g[row, G_RAN] == 0:
                    why = np.int64(K_SCHED_NEW)
                if at_status and not known:
                    since = x[X_GEN_T0]
                _enter(x, g, row, t, since, state, why, where, counts, sites, st_flags, st_site, stays)
                if at_status:
                    g[row, G_OPEN] = 1
                    if state == RUNNING and not known:
                        g[row, G_BURST_OTHER] = 1
            row = then_run
            then_run = none
            state = np.int64(RUNNING)
            why = zero
            where = zero
            if row >= 0 and g[row, G_STATE] == 0:
                _clear(g, row, ev_x[i], x[X_GEN_T0])
                x[X_LIVE] += 1
        if ends >= 0:
            _unit(x, g, ends, unit, name, begun, t, at_end, stays, walk, parts, kind_keys, kind_vals, kinds,
                  kind_hist, units, unit_parts, st_who, st_path, st_flags, what_of)  # fmt: skip
    return DONE, end


@kernel("qQii qqQQ qqQ QQQQ q", 2)
def finish(  # type: ignore[no-untyped-def]
    x, g, row, rows, slot_keys, slot_vals, slots, st_slot, count_keys, count_vals, counters, groups, runs,
    spans, sites, running_ns,
):  # fmt: skip
    """The end of the trace: states still open go to their second columns. Returns (why, next row)."""
    t = x[X_LAST]
    _tick(x, running_ns, t)
    run = _integral(x, X_RUNNING, X_INT_RUN, t)
    runnable = _integral(x, X_RUNNABLE, X_INT_RUNNABLE, t)
    while row < rows:
        if x[X_SLOTS] + 8 > slots.shape[0]:
            return GROW_SLOTS, row
        if x[X_COUNTERS] + 8 > counters.shape[0]:
            return GROW_COUNTERS, row
        if x[X_RUNS] + 4 > runs.shape[0]:
            return COMPACT_RUNS, row
        if x[X_SPANS] + 4 > spans.shape[0]:
            return COMPACT_SPANS, row
        state = g[row, G_STATE]
        if state != 0:
            dt = t - g[row, G_SINCE]
            if dt < 0:
                dt = np.int64(0)
            _end_run(x, g, row, runs, t, np.int64(1))
            _end_span(x, g, row, spans)
            if state == RUNNING:
                g[row, G_RUN] += dt
                if g[row, G_LABEL] > 0:
                    _count(x, count_keys, count_vals, counters, np.int64(TAG_LABEL), g[row, G_LABEL], dt)
            else:
                if state == RUNNABLE:
                    g[row, G_RUNNABLE] += dt
                elif state == SYSCALL:
                    g[row, G_SYSCALL] += dt
                else:
                    g[row, G_WAIT] += dt
                slot = _slot(x, slot_keys, slot_vals, slots, st_slot, g[row, G_KIND], g[row, G_STACK])
                if g[row, G_OPEN] != 0:
                    slots[slot, W_BOTH_N] += 1
                    slots[slot, W_BOTH_NS] += dt
                else:
                    slots[slot, W_END_N] += 1
                    slots[slot, W_END_NS] += dt
                    if dt > slots[slot, W_MAX]:
                        slots[slot, W_END_OLD] += 1
                    if dt > slots[slot, W_END_MAX]:
                        slots[slot, W_END_MAX] = dt
                    if slots[slot, W_END_MIN] == 0 or dt < slots[slot, W_END_MIN]:
                        slots[slot, W_END_MIN] = dt
            if g[row, G_ASSIST_T] >= 0:
                dt = t - g[row, G_ASSIST_T]
                g[row, G_ASSIST] += dt
                dt = min(dt, g[row, G_RUN] - g[row, G_ASSIST_RUN])
                _count(x, count_keys, count_vals, counters, np.int64(TAG_ASSIST), g[row, G_ASSIST_S], dt)
                g[row, G_ASSIST_T] = -1
            _end_goroutine(g, row, groups)
        row += 1
    for site in range(sites.shape[0]):
        if sites[site, S_WAITERS] > 0:
            _site_change(sites, np.int64(site), t, np.int64(0), run, runnable)
    if x[X_GC_T] >= 0:
        x[X_GC_NS] += t - x[X_GC_T]
        x[X_GC_T] = -1
    x[X_INT_RUN] = run
    x[X_INT_RUNNABLE] = runnable
    return DONE, row
