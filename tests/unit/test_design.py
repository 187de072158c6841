"""What goroutines wait for, and which of it is waiting by design."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from gopherdx.frames import Frame
from gopherdx.observe.design import Loops, stay

PARK, SELECT = "runtime.gopark", "runtime.selectgo"
RECV, SEND = "runtime.chanrecv1", "runtime.chansend1"
NET = ("internal/poll.(*FD).Read", "net.(*netFD).Read", "net.(*conn).Read")
SERVER = ("net/http.serverHandler.ServeHTTP", "net/http.(*conn).serve")


def stack(*functions: str) -> tuple[Frame, ...]:
    """Frames, the innermost first, each in a file of its own package."""
    return tuple(Frame(f, f"/src/{f.split('.')[0]}/x.go", n) for n, f in enumerate(functions, 1))


@pytest.mark.parametrize(
    ("functions", "reason", "what", "sort", "function", "via"),
    [
        # A worker in its own loop, whether or not a literal stands around it; deeper it is in the middle.
        ((RECV, "main.worker"), "chan receive", "channel", "loop", "main.worker", ""),
        ((SELECT, "main.(*pool).run", "main.start.func1"), "select", "channel", "loop",
         "main.(*pool).run", ""),
        ((RECV, "main.ask", "main.(*pool).run"), "chan receive", "channel", "work", "main.ask", ""),
        ((RECV, "main.c", "main.b", "main.a.func1"), "chan receive", "channel", "work", "main.c", ""),
        # Nobody sends by design: whoever waits there has something that nobody takes.
        ((SEND, "main.worker"), "chan send", "channel", "work", "main.worker", ""),
        # Below a handler everything is in the middle of work.
        ((RECV, "main.page", *SERVER), "chan receive", "channel", "work", "main.page", ""),
        (("time.Sleep", "main.page", *SERVER), "sleep", "sleep", "work", "main.page", "time.Sleep"),
        # A lock is one at any depth, by event, by the status of old and new traces, and in old dumps.
        (("sync.(*Mutex).Lock", "main.put"), "sync", "lock", "work", "main.put", "sync.(*Mutex).Lock"),
        (
            ("sync.runtime_SemacquireMutex", "sync.(*RWMutex).RLock", "main.get", *SERVER),
            "semacquire", "lock", "work", "main.get", "sync.(*RWMutex).RLock",
        ),
        (
            (PARK, "internal/sync.runtime_SemacquireMutex", "internal/sync.(*Mutex).lockSlow",
             "sync.(*Mutex).Lock", "main.put"),
            "", "lock", "work", "main.put", "sync.(*Mutex).Lock",
        ),
        # Connections between requests; a read of the program's own goroutine; one below a handler.
        ((*NET, "net/http.(*conn).serve"), "network", "network", "idle", "net/http.(*conn).serve",
         "net.(*conn).Read"),
        ((SELECT, "net/http.(*persistConn).writeLoop"), "select", "channel", "idle",
         "net/http.(*persistConn).writeLoop", ""),
        ((*NET, "bufio.(*Reader).fill", "main.(*session).loop"), "network", "network", "loop",
         "main.(*session).loop", "bufio.(*Reader).fill"),
        ((*NET, "main.page", *SERVER), "IO wait", "network", "work", "main.page", "net.(*conn).Read"),
        (("internal/poll.(*FD).Accept", "net.(*netFD).accept", "net.(*TCPListener).Accept", "main.listen"),
         "network", "network", "idle", "main.listen", "net.(*TCPListener).Accept"),
        # A client's call waits for an answer, though in a select, and is no loop of its goroutine's.
        ((SELECT, "net/http.(*persistConn).roundTrip", "net/http.Get", "main.load"), "select", "network",
         "work", "main.load", "net/http.Get"),
        ((SELECT, "database/sql.(*DB).conn", "database/sql.(*DB).QueryContext", "main.load"), "select",
         "sync", "work", "main.load", "database/sql.(*DB).conn"),
        ((SELECT, "database/sql.(*DB).connectionOpener"), "select", "channel", "loop",
         "database/sql.(*DB).connectionOpener", ""),
        ((SELECT, "database/sql.(*Tx).awaitDone"), "select", "channel", "idle",
         "database/sql.(*Tx).awaitDone", ""),
        # The main goroutine waits for the others, and so does who closes a channel after them.
        (("sync.(*WaitGroup).Wait", "main.main"), "sync", "sync", "idle", "main.main",
         "sync.(*WaitGroup).Wait"),
        (("sync.(*WaitGroup).Wait", "main.page", *SERVER), "sync", "sync", "work", "main.page",
         "sync.(*WaitGroup).Wait"),
        ((RECV, "main.main"), "chan receive", "channel", "idle", "main.main", ""),
        (("runtime.block", "main.worker"), "", "channel", "idle", "main.worker", ""),
        # A test that waits for its parallel parts.
        ((RECV, "testing.(*T).Run", "main.TestAll", "testing.tRunner"), "chan receive", "channel", "idle",
         "main.TestAll", "testing.(*T).Run"),
        ((RECV, "testing.tRunner.func1", "testing.tRunner"), "chan receive", "channel", "idle",
         "testing.tRunner", "testing.tRunner.func1"),
        ((RECV, "main.TestOne", "testing.tRunner"), "chan receive", "channel", "work", "main.TestOne", ""),
        # An assist that finds no work holds the user's goroutine up.
        (("runtime.gcParkAssist", "runtime.gcAssistAlloc", "runtime.mallocgc", "main.fill"),
         "GC mark assist wait for work", "gc", "work", "main.fill", ""),
        (("syscall.read", "os.(*File).Read", "main.load"), "syscall", "syscall", "work", "main.load",
         "os.(*File).Read"),
        # Who watches files waits for the next event, in a call of the system; not so below a handler.
        (("golang.org/x/sys/unix.kevent", "golang.org/x/sys/unix.Kevent", "github.com/f/fsnotify.read"),
         "syscall", "syscall", "idle", "github.com/f/fsnotify.read", "golang.org/x/sys/unix.Kevent"),
        (("syscall.EpollWait", "main.(*watcher).loop"), "syscall", "syscall", "idle",
         "main.(*watcher).loop", "syscall.EpollWait"),
        (("syscall.Select", "main.page", *SERVER), "syscall", "syscall", "work", "main.page",
         "syscall.Select"),
    ],
)  # fmt: skip
def test_a_stack_tells_what_is_waited_for_and_whether_by_design(
    functions: tuple[str, ...], reason: str, what: str, sort: str, function: str, via: str
) -> None:
    told = stay(stack(*functions), reason)
    assert told.frame is not None
    assert (told.what, told.sort, told.frame.function, told.via, told.own) == (
        what,
        sort,
        function,
        via,
        False,
    )


@pytest.mark.parametrize(
    "functions",
    [
        (PARK, "runtime.gcBgMarkWorker"),
        ("runtime.goparkunlock", "runtime.bgsweep"),
        (RECV, "runtime.(*wakeableSleep).sleep", "runtime.traceStartReadCPU.func1"),
        ("time.Sleep", "net/http/pprof.Trace", "net/http.HandlerFunc.ServeHTTP", *SERVER),
        ("os/signal.signal_recv", "os/signal.loop"),
    ],
)
def test_the_runtime_and_the_recorder_are_no_time_of_the_program(functions: tuple[str, ...]) -> None:
    assert stay(stack(*functions), "chan receive").own


def _wait(**counts: int) -> Any:
    given = {"count": 0, "open_start": 0, "open_end": 0, "open_both": 0} | counts
    return SimpleNamespace(**given, seen=sum(given.values()))


def _group(at_start: int, created: int, ended: int, life_s: float) -> Any:
    """Goroutines of main.worker; ``life_s`` is the mean of their lives in the recording."""
    return SimpleNamespace(
        function="main.worker", at_start=at_start, created=created, ended=ended,
        life_ns=int(life_s * 1e9 * (at_start + created)),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("group", "wait", "idle"),
    [
        (_group(4, 0, 0, 10), _wait(open_both=4), True),  # a pool that had nothing to do
        (_group(0, 4, 0, 10), _wait(count=900, open_end=4), True),  # one that had, begun with the program
        (_group(0, 4, 4, 10), _wait(count=4), True),  # one that ends with the program
        (_group(0, 400, 400, 0.1), _wait(count=400), False),  # they live for one answer each
        (_group(0, 200, 0, 5), _wait(open_end=200), False),  # more than a pool, and none came back
        (_group(300, 0, 0, 10), _wait(count=9000, open_end=300), True),  # many, and all come back
        (_group(20, 30, 0, 8), _wait(open_both=20, open_end=30), False),  # ever more of them
    ],
)
def test_a_loop_is_idle_where_its_goroutines_come_back_or_stay_as_many(
    group: Any, wait: Any, idle: bool
) -> None:
    loops = Loops([group], duration_ns=10_000_000_000)
    assert loops.idle(cast(Any, wait), stack(RECV, "main.worker")) is idle
