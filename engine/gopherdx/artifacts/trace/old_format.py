"""The wire format of Go execution traces up to Go 1.21, as tables.

Source: ``internal/trace/parser.go`` and ``runtime/trace.go`` of Go 1.21, whose parser reads every header from
``go 1.5`` on. This reader takes ``go 1.11`` (Go 1.11 to 1.18), ``go 1.19`` (1.19, 1.20) and ``go 1.21``: one
format, to which 1.19 added CPU samples and 1.21 more reasons for stopping the world. Event numbers never
changed their meaning.

An event is a byte (number in the low six bits, arguments less one in the high two; four stand for "a length
follows") and varints, the first the time since the event before it in the batch. A batch begins with an event
of its own (P, time), and ends where the next one begins.
"""

from __future__ import annotations

import numpy as np

# Event number, its name in the toolchain, arguments after the time stamp, the stack last among them.
_EVENTS: tuple[tuple[int, str, tuple[str, ...]], ...] = (
    (4, "Gomaxprocs", ("procs", "stack")),
    (5, "ProcStart", ("thread",)),
    (6, "ProcStop", ()),
    (7, "GCStart", ("seq", "stack")),
    (8, "GCDone", ()),
    (9, "STWStart", ("kind",)),
    (10, "STWDone", ()),
    (11, "GCSweepStart", ("stack",)),
    (12, "GCSweepDone", ("swept", "reclaimed")),
    (13, "GoCreate", ("g", "newstack", "stack")),
    (14, "GoStart", ("g", "seq")),
    (15, "GoEnd", ()),
    (16, "GoStop", ("stack",)),
    (17, "GoSched", ("stack",)),
    (18, "GoPreempt", ("stack",)),
    (19, "GoSleep", ("stack",)),
    (20, "GoBlock", ("stack",)),
    (21, "GoUnblock", ("g", "seq", "stack")),
    (22, "GoBlockSend", ("stack",)),
    (23, "GoBlockRecv", ("stack",)),
    (24, "GoBlockSelect", ("stack",)),
    (25, "GoBlockSync", ("stack",)),
    (26, "GoBlockCond", ("stack",)),
    (27, "GoBlockNet", ("stack",)),
    (28, "GoSysCall", ("stack",)),
    (29, "GoSysExit", ("g", "seq", "time")),
    (30, "GoSysBlock", ()),
    (31, "GoWaiting", ("g",)),
    (32, "GoInSyscall", ("g",)),
    (33, "HeapAlloc", ("bytes",)),
    (34, "HeapGoal", ("bytes",)),
    (36, "FutileWakeup", ()),
    (38, "GoStartLocal", ("g",)),
    (39, "GoUnblockLocal", ("g", "stack")),
    (40, "GoSysExitLocal", ("g", "time")),
    (41, "GoStartLabel", ("g", "seq", "label")),
    (42, "GoBlockGC", ("stack",)),
    (43, "GCMarkAssistStart", ("stack",)),
    (44, "GCMarkAssistDone", ()),
    (45, "UserTaskCreate", ("task", "parent", "string", "stack")),
    (46, "UserTaskEnd", ("task", "stack")),
    (47, "UserRegion", ("task", "mode", "string", "stack")),
    (48, "UserLog", ("task", "key", "stack")),
    (49, "CPUSample", ("time", "p", "g", "stack")),
)

EVENT_NAMES: dict[int, str] = {number: name for number, name, _ in _EVENTS}

# Number of arguments after the time stamp; -1: no such timed event.
ARG_COUNTS = np.full(64, -1, dtype=np.int64)
for _number, _, _args in _EVENTS:
    ARG_COUNTS[_number] = len(_args)

# Why the world is stopped: Go 1.21 tells its stwReasonStrings (runtime/proc.go), before that there were two.
STW_REASONS: tuple[str, ...] = (
    "unknown", "GC mark termination", "GC sweep termination", "write heap dump", "goroutine profile",
    "goroutine profile cleanup", "all goroutines stack trace", "read mem stats", "AllThreadsSyscall",
    "GOMAXPROCS", "start trace", "stop trace", "CountPagesInUse (test)", "ReadMetricsSlow (test)",
    "ReadMemStatsSlow (test)", "PageCachePagesLeaked (test)", "ResetDebugLog (test)",
)  # fmt: skip
STW_REASONS_TO_1_20: tuple[str, ...] = ("GC mark termination", "GC sweep termination")

# The reasons that events stand for, in the words that the runtime has used since Go 1.22.
BLOCK_REASONS: dict[int, str] = {
    16: "forever",
    17: "runtime.Gosched",
    18: "preempted",
    19: "sleep",
    20: "unspecified",
    22: "chan send",
    23: "chan receive",
    24: "select",
    25: "sync",
    26: "sync.(*Cond).Wait",
    27: "network",
    42: "GC mark assist wait for work",
}
