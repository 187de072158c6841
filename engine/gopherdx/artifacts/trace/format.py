"""The wire format of Go execution traces since Go 1.22, as tables.

Source: ``internal/trace/tracev2`` of the Go toolchain (events.go, spec.go), the same from Go 1.22 to 1.27
but for the events that each version adds. Event numbers never change their meaning.
"""

from __future__ import annotations

import re

import numpy as np

from gopherdx.model import GoRange

# Event type, its name in `go tool trace -d=wire`, and the names of its arguments after the time stamp.
_EVENTS: tuple[tuple[int, str, tuple[str, ...]], ...] = (
    (9, "ProcsChange", ("procs", "stack")),
    (10, "ProcStart", ("p", "seq")),
    (11, "ProcStop", ()),
    (12, "ProcSteal", ("p", "seq", "m")),
    (13, "ProcStatus", ("p", "status")),
    (14, "GoCreate", ("g", "newstack", "stack")),
    (15, "GoCreateSyscall", ("g",)),
    (16, "GoStart", ("g", "seq")),
    (17, "GoDestroy", ()),
    (18, "GoDestroySyscall", ()),
    (19, "GoStop", ("string", "stack")),
    (20, "GoBlock", ("string", "stack")),
    (21, "GoUnblock", ("g", "seq", "stack")),
    (22, "GoSyscallBegin", ("seq", "stack")),
    (23, "GoSyscallEnd", ()),
    (24, "GoSyscallEndBlocked", ()),
    (25, "GoStatus", ("g", "m", "status")),
    (26, "STWBegin", ("string", "stack")),
    (27, "STWEnd", ()),
    (28, "GCActive", ("seq",)),
    (29, "GCBegin", ("seq", "stack")),
    (30, "GCEnd", ("seq",)),
    (31, "GCSweepActive", ("p",)),
    (32, "GCSweepBegin", ("stack",)),
    (33, "GCSweepEnd", ("swept", "reclaimed")),
    (34, "GCMarkAssistActive", ("g",)),
    (35, "GCMarkAssistBegin", ("stack",)),
    (36, "GCMarkAssistEnd", ()),
    (37, "HeapAlloc", ("bytes",)),
    (38, "HeapGoal", ("bytes",)),
    (39, "GoLabel", ("string",)),
    (40, "UserTaskBegin", ("task", "parent", "string", "stack")),
    (41, "UserTaskEnd", ("task", "stack")),
    (42, "UserRegionBegin", ("task", "string", "stack")),
    (43, "UserRegionEnd", ("task", "string", "stack")),
    (44, "UserLog", ("task", "key", "string", "stack")),
    (45, "GoSwitch", ("g", "seq")),
    (46, "GoSwitchDestroy", ("g", "seq")),
    (47, "GoCreateBlocked", ("g", "newstack", "stack")),
    (48, "GoStatusStack", ("g", "m", "status", "stack")),
    # The allocation experiment (GODEBUG=traceallocfree=1) puts its events among the others.
    (128, "Span", ("id", "pages", "class")),
    (129, "SpanAlloc", ("id", "pages", "class")),
    (130, "SpanFree", ("id",)),
    (131, "HeapObject", ("id", "type")),
    (132, "HeapObjectAlloc", ("id", "type")),
    (133, "HeapObjectFree", ("id",)),
    (134, "GoroutineStack", ("id", "order")),
    (135, "GoroutineStackAlloc", ("id", "order")),
    (136, "GoroutineStackFree", ("id",)),
)

CPU_SAMPLE = 7
EVENT_NAMES: dict[int, str] = {number: name for number, name, _ in _EVENTS} | {CPU_SAMPLE: "CPUSample"}

# Number of arguments after the time stamp; -1: no such timed event.
ARG_COUNTS = np.full(256, -1, dtype=np.int64)
for _number, _, _args in _EVENTS:
    ARG_COUNTS[_number] = len(_args)

# Headers that exist, and the releases that write them. 1.22 and later share one format, described here; the
# other one is old_format.py's.
_RELEASES = {22: (22, 22), 23: (23, 24), 25: (25, 25), 26: (26, 27)}
_OLD_RELEASES = {11: (11, 18), 19: (19, 20), 21: (21, 21)}
_VERY_OLD = range(5, 11)
_HEADER = re.compile(rb"go 1\.(\d{1,3}) trace\x00\x00\x00")

HEADER_BYTES = 16


def header_version(head: bytes) -> int | None:
    """The minor version in a trace's header (22 for ``go 1.22 trace``), or None when it is no trace."""
    match = _HEADER.match(head[:HEADER_BYTES])
    return int(match.group(1)) if match else None


def go_range(minor: int) -> GoRange:
    """The Go releases that write this header: ``go 1.26`` covers two, ``go 1.11`` eight."""
    low, high = (_RELEASES | _OLD_RELEASES)[minor]
    return GoRange(f"go 1.{minor}", (1, low), (1, high))


def is_readable(minor: int) -> bool:
    """Whether traces with this header can be read."""
    return minor in _RELEASES or is_old(minor)


READABLE = "record it with a program built with Go 1.11 or later"


def unreadable(minor: int) -> str:
    """What to say of a trace whose header is not ``is_readable``."""
    if minor in _VERY_OLD:
        return f"this trace has the header go 1.{minor}: formats before that of Go 1.11 are not read"
    return f"this trace has the header go 1.{minor}, which no release that is known writes"


def is_old(minor: int) -> bool:
    """Whether this header is of the format up to Go 1.21."""
    return minor in _OLD_RELEASES


# Why a goroutine waits or stops. The strings are those of runtime/traceruntime.go, in every version the same.
WAIT_REASONS: tuple[str, ...] = (
    "",  # not told: the goroutine waited when the trace began
    "unspecified",
    "forever",
    "network",
    "select",
    "sync.(*Cond).Wait",
    "sync",
    "chan send",
    "chan receive",
    "GC mark assist wait for work",
    "GC background sweeper wait",
    "system goroutine wait",
    "preempted",
    "wait for debug call",
    "wait until GC ends",
    "sleep",
    "GC weak to strong wait",
    "synctest",
    "runtime.Gosched",
)
MAX_REASONS = 64  # room for reasons that later versions add
