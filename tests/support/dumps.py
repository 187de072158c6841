"""Makes goroutine dumps for tests, in the words of the runtime."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Call = tuple[str, str, int]
"""Function, file and line; the arguments are made up."""

SENDS: Sequence[Call] = (
    ("example.com/shop/orders.(*Desk).settle", "/src/shop/orders/desk.go", 87),
    ("example.com/shop/web.handle.func1", "/src/shop/web/web.go", 233),
)
STARTED: Call = ("example.com/shop/web.handle", "/src/shop/web/web.go", 230)
SERVE: Sequence[Call] = (
    ("net/http.HandlerFunc.ServeHTTP", "/usr/local/go/src/net/http/server.go", 2322),
    ("net/http.(*ServeMux).ServeHTTP", "/usr/local/go/src/net/http/server.go", 2861),
    ("net/http.serverHandler.ServeHTTP", "/usr/local/go/src/net/http/server.go", 3340),
    ("net/http.(*conn).serve", "/usr/local/go/src/net/http/server.go", 2109),
)
SERVED: Call = ("net/http.(*Server).Serve", "/usr/local/go/src/net/http/server.go", 3493)
LOCKS: Sequence[Call] = (
    ("internal/sync.runtime_SemacquireMutex", "/usr/local/go/src/runtime/sema.go", 95),
    ("internal/sync.(*Mutex).lockSlow", "/usr/local/go/src/internal/sync/mutex.go", 149),
    ("internal/sync.(*Mutex).Lock", "/usr/local/go/src/internal/sync/mutex.go", 70),
    ("sync.(*Mutex).Lock", "/usr/local/go/src/sync/mutex.go", 46),
)
READS: Sequence[Call] = (
    ("internal/poll.runtime_pollWait", "/usr/local/go/src/runtime/netpoll.go", 351),
    ("internal/poll.(*pollDesc).wait", "/usr/local/go/src/internal/poll/fd_poll_runtime.go", 84),
    ("internal/poll.(*FD).Read", "/usr/local/go/src/internal/poll/fd_unix.go", 165),
    ("net.(*conn).Read", "/usr/local/go/src/net/net.go", 196),
)
WRITER = """goroutine {id} [running]:
runtime/pprof.writeGoroutineStacks({{0x7d2ae0, 0xc00016ae10}})
	/usr/local/go/src/runtime/pprof/pprof.go:756 +0x6b
runtime/pprof.writeGoroutine({{0x7d2ae0?, 0xc00016ae10?}}, 0x0?)
	/usr/local/go/src/runtime/pprof/pprof.go:745 +0x25
net/http/pprof.handler.ServeHTTP({{0xc0001403a1, 0x9}}, {{0x7d4de0, 0xc00016ae10}}, 0xc00017c280)
	/usr/local/go/src/net/http/pprof/pprof.go:272 +0x52a
net/http.(*conn).serve(0xc0001ae360, {{0x7ff789eb4530, 0xc0000ac2a0}})
	/usr/local/go/src/net/http/server.go:2109 +0x665
created by net/http.(*Server).Serve in goroutine 1
	/usr/local/go/src/net/http/server.go:3493 +0x485

"""


def goroutine(
    number: int,
    state: str,
    calls: Iterable[Call],
    *,
    minutes: int = 0,
    started: Call | None = STARTED,
    parent: int = 1,
    lock: int = 0xC000134930,
) -> str:
    """One goroutine as ``?debug=2`` prints it; arguments and parents differ from one to the next."""
    age = f", {minutes} minutes" if minutes else ""
    lines = [f"goroutine {number} [{state}{age}]:"]
    for function, file, line in calls:
        if function.endswith("Mutex).Lock"):  # the compiler puts it into its caller
            lines += [f"{function}(...)", f"\t{file}:{line}"]
            continue
        first = f"{lock:#x}" if function.endswith("lockSlow") else f"{0xC000000000 + number * 64:#x}"
        lines += [f"{function}({first}, {{0x{number:x}, 0x8}})", f"\t{file}:{line} +0x1c5"]
    if started is not None:
        function, file, line = started
        lines += [f"created by {function} in goroutine {parent}", f"\t{file}:{line} +0x2c5"]
    return "\n".join(lines) + "\n\n"


def many(count: int) -> str:
    """A dump of ``count`` goroutines: three of five stuck in a send, the others behind a mutex."""
    handler: Call = ("example.com/shop/web.(*Server).lookup", "/src/shop/web/server.go", 88)
    parts = []
    for i in range(1, count + 1):
        if i % 5 < 3:
            parts.append(goroutine(i, "chan send", SENDS, minutes=i % 300, parent=i // 2))
        else:
            calls = (*LOCKS, handler, *SERVE)
            parts.append(goroutine(i, "sync.Mutex.Lock", calls, minutes=i % 7, started=SERVED))
    return "".join(parts)


def counts(groups: Iterable[tuple[int, int, Sequence[Call]]], *, kind: str = "goroutine") -> str:
    """A ``?debug=1`` profile of groups (count, runtime frames left out, calls)."""
    parts, total = [], 0
    for at, (count, hidden, calls) in enumerate(groups):
        total += count
        base = 0x500000 + at * 0x1000
        addresses = [0x43A2F6 + 16 * i for i in range(hidden)]
        addresses += [base + 32 * i for i in range(len(calls))] + [0x46E1A1]
        parts.append(f"{count} @ {' '.join(f'{a:#x}' for a in addresses)}\n")
        parts += [
            f"#\t{base + 32 * i - 1:#x}\t{function}+0x1f\t\t{file}:{line}\n"
            for i, (function, file, line) in enumerate(calls)
        ]
        parts.append("\n")
    return f"{kind} profile: total {total}\n" + "".join(parts)
