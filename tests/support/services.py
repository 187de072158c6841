"""Makes dumps of services that call each other, for tests."""

from __future__ import annotations

import io
from collections.abc import Sequence
from itertools import count

from gopherdx.artifacts.dump import GoroutineDump, read_dumps
from tests.support.dumps import READS, SERVE, SERVED, STARTED, Call, goroutine

SRC = "/src/shop/shop.go"
CALL: Sequence[Call] = (
    ("net/http.(*persistConn).roundTrip", "/usr/local/go/src/net/http/transport.go", 2911),
    ("net/http.(*Client).Get", "/usr/local/go/src/net/http/client.go", 489),
)
ACCEPT: Sequence[Call] = (
    ("net.(*TCPListener).Accept", "/usr/local/go/src/net/tcpsock.go", 387),
    ("net/http.(*Server).Serve", "/usr/local/go/src/net/http/server.go", 3432),
    ("example.com/shop.serve", SRC, 20),
)
READS_ON: Sequence[Call] = (
    *READS,
    ("net/http.(*connReader).backgroundRead", "/usr/local/go/src/net/http/server.go", 702),
)
LIMIT = "example.com/shop.limited.func1"
FRONT, BACK = "example.com/shop.(*Orders).place", "example.com/shop.(*Stock).reserve"


def at(function: str, line: int) -> Call:
    """A place in a file of the function's own: the reader knows a stack by its files and lines."""
    return (function, f"/src/shop/{function.rsplit('.', 1)[1]}.go", line)


class Process:
    """The goroutines of a process, one after another."""

    def __init__(self, first: int = 10) -> None:
        self._ids = count(first)
        self.parts: list[str] = []

    def add(
        self, state: str, calls: Sequence[Call], number: int = 1, started: Call = STARTED, parent: int = 1
    ) -> Process:
        """So many goroutines in this state."""
        for _ in range(number):
            self.parts.append(goroutine(next(self._ids), state, calls, started=started, parent=parent))
        return self

    def server(self) -> int:
        """An accept loop; returns its goroutine."""
        number = next(self._ids)
        self.parts.append(goroutine(number, "IO wait", ACCEPT))
        return number

    def handlers(self, function: str, server: int, number: int) -> Process:
        """Handlers, past the limit of their service, that wait in a call."""
        calls = (*CALL, at(function, 40), SERVE[0], (LIMIT, SRC, 26), *SERVE)
        return self.add("select", calls, number, SERVED, server)

    def behind(self, server: int, number: int) -> Process:
        """Requests that wait for their turn."""
        return self.add("chan send", ((LIMIT, SRC, 24), *SERVE), number, SERVED, server)

    def works(self, function: str, server: int, state: str = "sleep") -> Process:
        """A handler that is at something else."""
        calls = (at(function, 50), SERVE[0], (LIMIT, SRC, 26), *SERVE)
        return self.add(state, calls, 1, SERVED, server)

    def clients(self, number: int) -> Process:
        """Callers that have no request themselves."""
        return self.add("select", (*CALL, ("example.com/shop.load", SRC, 70)), number)

    @property
    def text(self) -> str:
        """All of them as a dump's text."""
        return "".join(self.parts)

    def dump(self) -> GoroutineDump:
        """All of them as a dump."""
        (dump,) = read_dumps(io.BytesIO(self.text.encode()), path="goroutines.txt")
        return dump


def circle(calls: int = 4, clients: int = 10) -> Process:
    """Both services in one process: each of the front's handlers waits for one of the back's, and that one
    for a free place in front."""
    p = Process()
    front, back = p.server(), p.server()
    p.handlers(FRONT, front, calls).behind(front, clients)
    return p.handlers(BACK, back, calls).clients(clients)


def _sides() -> tuple[Process, Process]:
    one, other = Process(), Process(first=3000)
    front, back = one.server(), other.server()
    return one.handlers(FRONT, front, 4).behind(front, 10), other.handlers(BACK, back, 4)


def sides() -> tuple[GoroutineDump, GoroutineDump]:
    """The two services as two processes."""
    one, other = _sides()
    return one.dump(), other.dump()


def sides_as_text() -> tuple[str, str]:
    """Their dumps as files hold them."""
    one, other = _sides()
    return one.text, other.text
