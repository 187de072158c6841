"""Services that wait for each other: handlers that wait inside a call, and requests that wait behind them.

No artifact holds addresses, so who calls whom is counted, not read. A call that waits has a request, and that
request is somewhere: with a handler that works or waits for something else, behind the limit of its service,
with a handler that itself waits in a call, or outside everything that was recorded. In a circle of services
the first and the last do not exist: as many requests wait here as calls do, and none is with anybody who
could answer it. Where some are outside, a service further on may be slow or gone, and a circle is no more
than possible. While anything moves, some request is with somebody: a handler runs, sleeps, waits elsewhere.

Handlers are those of net/http, net/rpc and gRPC, by their server's frames. A goroutine that an accept loop
started is one too, past the place where others of its kind wait their turn: before, it waits for a request.

One process shows both sides where two servers of it are stuck (a dump's goroutines name the accept loop that
started them), or where two handlers are and every call in the process is accounted for, that of clients in
it included. Of several processes each is a side.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from gopherdx import frames as fr
from gopherdx.observe.said import Said, Sayer, place_of
from gopherdx.observe.waiting import ACCEPT_LOOP, Paths, View, Waiting, parted, stacks_of, views

LOOKED = ("circle.sides", "circle.handlers", "circle.in_call_share", "circle.behind", "circle.elsewhere")
# Looked for only where both sides are in sight, and more than a moment or all who take part.
CIRCLE = "circle.calls"
KEPT = "circle.kept_share"  # looked for only where time passes

_NET = re.compile(r"runtime\.|internal/poll\.|net\.|crypto/tls\.")
_READS_ON = re.compile(r"net/http\.\(\*connReader\)\.backgroundRead$")
# A wait for one's turn, whatever the frames: nothing else in a handler parks in these.
_TURN = frozenset(
    ("chan send", "sync", "semacquire", "sync.Mutex.Lock", "sync.RWMutex.Lock", "sync.RWMutex.RLock",
     "sync.Cond.Wait", "sync.(*Cond).Wait")
)  # fmt: skip
_OWN = frozenset(("chan receive", "select", "sync.WaitGroup.Wait", "sync", "semacquire", "", None))


@dataclass(slots=True)
class _Call:
    """Handlers of one function that wait in calls."""

    frame: fr.Frame
    count: int = 0
    kept: int | None = None
    ended: int = 0
    waiting: int = 0  # of the same function, behind the limit
    ids: list[int] = field(default_factory=list)
    servers: Counter[int] = field(default_factory=Counter)


@dataclass(slots=True)
class _Side:
    """The requests of one process, by where they are, and the calls that handlers and clients wait for."""

    artifact: str
    blind: bool
    calls: dict[str, _Call] = field(default_factory=dict)
    called: int = 0  # calls that handlers wait for: more than handlers where one makes several at once
    behind: int = 0
    behind_of: Counter[int] = field(default_factory=Counter)  # by server
    turns: Counter[str] = field(default_factory=Counter)  # by the function that waits for its turn
    elsewhere: int = 0
    gone: int = 0  # of all these, those whose client has hung up
    doors: int = 0  # accept loops that take no connection for now: who knocks there is in no list
    clients: int = 0

    @property
    def handlers(self) -> int:
        """Handlers that wait in calls."""
        return sum(call.count for call in self.calls.values())

    @property
    def requests(self) -> int:
        """Requests that are in this process and that somebody waits for."""
        return self.handlers + self.behind + self.elsewhere - self.gone

    @property
    def kept_share(self) -> float | None:
        """Of all handlers' calls in that time, those that neither began nor ended in it."""
        if not self.calls or any(call.kept is None for call in self.calls.values()):
            return None
        total = sum(call.count + call.ended for call in self.calls.values())
        return sum(call.kept or 0 for call in self.calls.values()) / total


def of_processes(processes: Sequence[Sequence[Any]]) -> list[Said]:
    """Observations for each process, by the handler in it that calls back; of all processes together where
    handlers of several are stuck."""
    parts = [part for artifacts in processes for part in parted(artifacts)]
    owner = [i for i, artifacts in enumerate(processes) for _ in parted(artifacts)]
    sides = [_side(part) for part in parts]
    stuck = [side for side in sides if side is not None and side.calls]
    together = [side for side in sides if side is not None] if len(stuck) > 1 else []
    said: list[list[Said]] = [[] for _ in processes]
    for i, side in zip(owner, sides, strict=True):
        if side is not None:
            said[i].append(_say(side, together or [side]))
    return [_first(of_one) for of_one in said]


def _first(said: Sequence[Said]) -> Said:
    """Of two processes whose dumps were given as one's, the one of which more is to be said."""
    return max(said, key=lambda s: len(s.items)) if said else Said((), frozenset())


# What is said -----------------------------------------------------------------------------------------


def _say(side: _Side, all_sides: Sequence[_Side]) -> Said:
    out = Sayer(side.artifact, () if side.blind else LOOKED)
    for function in sorted(side.turns):
        say = out.about(function, None, "goroutines that wait for their turn")
        say("circle.turn_waiting", side.turns[function], "goroutines")
    if not side.calls:
        if not side.blind:
            out.look(CIRCLE)
        return out.done()
    name, call = _calls_back(side)
    lost = _lost_share(all_sides)
    seen = _sides(all_sides, lost)
    say = out.about(name, place_of(call.frame), "handlers that wait in calls")
    say("circle.sides", seen, "services")
    say("circle.handlers", sum(s.handlers for s in all_sides), "handlers")
    say("circle.in_call_share", _in_call_share(side), "share")
    say("circle.behind", sum(s.behind + s.doors for s in all_sides), "requests")
    say("circle.requests", sum(s.requests for s in all_sides), "requests")
    say("circle.elsewhere", sum(s.elsewhere for s in all_sides), "handlers")
    say("circle.lost_share", lost, "share")
    kept = [s.kept_share for s in all_sides if s.calls]
    timed = all(share is not None for share in kept)
    if timed:
        say(KEPT, min(share for share in kept if share is not None), "share")
    exact, processes = _exact(all_sides), len(kept)
    if seen > 1 and (timed or exact or processes > 1):
        say(CIRCLE, sum(s.called for s in all_sides), "calls")
        say("circle.processes", processes, "processes")
        say("circle.doors", sum(s.doors for s in all_sides), "accept loops")
        out.say("circle.exact", exact, "", subject=name, place=place_of(call.frame))
    for other in _others(all_sides, name)[:1]:
        out.say("circle.other", other, "", subject=name, place=place_of(call.frame))
    for function in sorted(side.turns):
        out.say("circle.turn_behind", name, "", subject=function)
    return out.done()


def _calls_back(side: _Side) -> tuple[str, _Call]:
    """The handler whose call closes the circle: the one of a service that keeps nobody waiting itself.

    Requests pile up where they come in. Among equals it is the one whose goroutines are youngest, for the
    others' calls started them.
    """

    def rank(item: tuple[str, _Call]) -> tuple[float, float, str]:
        name, call = item
        waiting = call.waiting + sum(side.behind_of[server] for server in call.servers)
        return (waiting, -median(call.ids) if call.ids else 0.0, name)

    return min(side.calls.items(), key=rank)


def _others(sides: Sequence[_Side], name: str) -> list[str]:
    """The other functions whose handlers are stuck, those with the most first."""
    stuck = [(-call.count, other) for s in sides for other, call in s.calls.items() if other != name]
    return [other for _, other in sorted(stuck)]


def _in_call_share(side: _Side) -> float:
    return side.handlers / (side.handlers + side.elsewhere)


def _lost_share(sides: Sequence[_Side]) -> float:
    """Of the handlers' calls, those whose request is in none of these processes."""
    if any(s.doors for s in sides):
        return 0.0  # they may well wait outside
    calls = sum(s.called + s.clients for s in sides)
    requests = sum(s.requests for s in sides)
    called = sum(s.called for s in sides)
    return min(1.0, max(0, calls - requests) / called) if called else 0.0


def _sides(sides: Sequence[_Side], lost: float) -> int:
    """Services that are seen to wait for each other; 1 where only one of them is in sight."""
    stuck = [s for s in sides if s.calls]
    if len(stuck) > 1:
        return len(stuck)
    side = stuck[0]
    by_server = {max(c.servers, key=lambda s: (c.servers[s], s)) for c in side.calls.values() if c.servers}
    held_up = side.doors > 0 or side.behind >= min(c.count for c in side.calls.values())
    if len(by_server) > 1 and held_up:
        return len(by_server)
    # Two handlers of one gateway wait for the same service behind it just so. With clients in the process
    # every call can be accounted for: that service's requests would be missing.
    return len(side.calls) if _exact(sides) and not lost else 1


def _exact(sides: Sequence[_Side]) -> bool:
    """Whether every call is seen, that of clients too, and as many requests: nobody outside takes part."""
    calls = sum(s.called + s.clients for s in sides)
    requests = sum(s.requests for s in sides)
    inside = any(s.clients for s in sides) and not any(s.doors for s in sides)
    return inside and abs(requests - calls) <= max(1, calls // 20)


# Requests of one process ------------------------------------------------------------------------------


def _side(artifacts: Sequence[Any]) -> _Side | None:
    """What the artifacts of one process say, by the first that shows handlers in calls."""
    sides = [_sorted(view, artifacts) for view in views(artifacts)]
    stuck = [s for s in sides if s.calls]
    if not stuck:
        return next((s for s in sides if not s.blind), sides[0] if sides else None)
    # A trace tells what moves, a dump which server a handler belongs to and which came last.
    first = stuck[0]
    for other in stuck[1:]:
        for name, call in first.calls.items():
            if name in other.calls and not call.ids:
                call.ids, call.servers = other.calls[name].ids, other.calls[name].servers
        first.behind_of = first.behind_of or other.behind_of
        if first.kept_share is None and first.calls.keys() == other.calls.keys():
            for name, call in first.calls.items():
                call.kept, call.ended = other.calls[name].kept, other.calls[name].ended
    return first


def _sorted(view: View, artifacts: Sequence[Any]) -> _Side:
    """Who waits, sorted into handlers in calls, those behind them, those elsewhere, and clients."""
    roots = _raw_roots(view, artifacts)
    side = _Side(view.artifact, view.blind or (not roots and _serves_itself(view)))
    served, others = _served(view, roots)
    calling = [w for w in served if _in_call(w)]
    waiting = [w for w in served if not _in_call(w)]
    turns = _turns(waiting, calling)
    rest = [w for w in waiting if w not in turns]
    behind, helpers = Paths(waiting), {frame.function for w in others for frame in w.path}
    for w in calling:
        _add(side, w, _handler(w, behind, helpers))
        side.called += _sent(w)
    parents = _clients(side, others, rest, raw=any(w.handler is None for w in served))
    for w in turns:
        side.behind += w.count
        side.behind_of.update(w.servers)
        _wait_turn(side, w)
        handler = w.handler
        if handler is not None and fr.plain(handler.function) in side.calls:
            side.calls[fr.plain(handler.function)].waiting += w.count
    for w in rest:
        if w in parents:
            _add(side, w, _handler(w, behind, set()))
        else:
            side.elsewhere += w.count
    side.gone = _gone(view, side, served)
    side.doors = sum(w.count for w in others if _is_shut(w))
    return side


def _turns(waiting: Sequence[Waiting], calling: Sequence[Waiting]) -> set[Waiting]:
    """Those that wait for their turn, where nothing else is waited for or where others got past."""
    further = Paths(calling)
    turns = {w for w in waiting if _is_turn(w, further)}
    places = {w.path[-1] for w in turns if w.path}
    return turns | {w for w in waiting if w.path and w.path[-1] in places}


def _clients(side: _Side, others: Sequence[Waiting], rest: Sequence[Waiting], *, raw: bool) -> set[Waiting]:
    """Count the calls of those that have no request. Returns handlers of ``rest`` that wait for such calls:
    they make theirs on goroutines of their own."""
    parents: set[Waiting] = set()
    waits_for = {fr.plain(f.function): w for w in rest if w.state in _OWN for f in w.path}
    holders = Paths(w for w in others if _is_call(w) or _is_raw_call(w))
    for w in others:
        parent = waits_for.get(_started_by(w)) if _is_call(w) else None
        if parent is not None:
            parents.add(parent)
            side.called += _sent(w)
        elif _is_call(w) or (raw and _is_raw_call(w)):
            side.clients += _sent(w)
        elif w.state == "chan send" and holders.got_past(w):
            _wait_turn(side, w)  # a limit on calls, in no server: whoever got past it waits for an answer
    return parents


def _started_by(w: Waiting) -> str:
    """The user's function that started a goroutine; "" where it is not told."""
    if w.creator is not None:
        return fr.plain(w.creator.function)
    return re.sub(r"\.func\d+(?:\.\d+)*$", "", fr.plain(fr.outermost(w.stack)))


def _is_shut(w: Waiting) -> bool:
    """Whether this is an accept loop that takes no connection for now."""
    return fr.has(w.stack, ACCEPT_LOOP) and not fr.has(w.stack, fr.ACCEPT)


def _sent(w: Waiting) -> int:
    """How many calls are under way: who waits for a connection (``MaxConnsPerHost``) has no request yet."""
    return 0 if fr.has(w.stack, fr.DIAL) else w.count


def _wait_turn(side: _Side, w: Waiting) -> None:
    if w.path:
        side.turns[fr.plain(w.path[-1].function)] += w.count


def _gone(view: View, side: _Side, served: Iterable[Waiting]) -> int:
    """Requests of net/http whose client has hung up.

    A server reads on beside each handler to learn of that (``(*connReader).backgroundRead``), once the body
    is read: where those behind the limit have not read theirs, nothing is known.
    """
    http = sum(w.count for w in served if fr.has(w.stack, fr.SERVER))
    reading = sum(w.count for w in view.waiting if any(_READS_ON.match(f.function) for f in w.stack))
    return max(0, http - reading) if reading > side.handlers else 0


def _add(side: _Side, w: Waiting, handler: fr.Frame | None) -> None:
    if handler is None:
        return
    call = side.calls.setdefault(fr.plain(handler.function), _Call(handler))
    call.count += w.count
    call.ended += w.ended
    call.kept = None if w.kept is None else (call.kept or 0) + w.kept
    call.ids += w.ids
    call.servers.update(w.servers)


def _served(view: View, roots: set[str]) -> tuple[list[Waiting], list[Waiting]]:
    """Goroutines that have a request, and others. A connection that waits for its next request has none."""
    served, raw, others = [], [], []
    for w in view.waiting:
        if w.handler is not None:
            served.append(w)
        elif fr.plain(fr.outermost(w.stack)) in roots:
            raw.append(w)
        elif not fr.has(w.stack, fr.SERVER):
            others.append(w)
    turns = Paths(w for w in raw if w.state in _TURN)
    for w in raw:
        if w.state in _TURN or fr.has(w.stack, fr.CALL) or turns.passed(w) is not None:
            served.append(w)
    return served, others


def _raw_roots(view: View, artifacts: Sequence[Any]) -> set[str]:
    """Functions of the user that an accept loop starts for each connection."""
    loops = {fr.plain(frame.function) for w in view.waiting if fr.has(w.stack, fr.ACCEPT) for frame in w.path}
    roots = set()
    for w in view.waiting:
        root = fr.plain(fr.outermost(w.stack))
        if w.creator is not None and fr.plain(w.creator.function) in loops:
            roots.add(root)
        if w.creator is None and _started_by(w) in loops:
            roots.add(root)
    for dump in stacks_of(artifacts):
        for g in dump.groups:
            if g.creator is not None and fr.plain(g.creator.function) in loops:
                roots.add(fr.plain(fr.outermost(g.stack)))
    if not roots and _serves_itself(view):
        # A trace does not tell who started what was there before it: those that take turns, then.
        holders = Paths(w for w in view.waiting if _is_call(w) or _is_raw_call(w))
        for w in view.waiting:
            if w.state == "chan send" and holders.got_past(w):
                roots.add(fr.plain(fr.outermost(w.stack)))
    return {root for root in roots if not fr.is_standard(root)} - loops


def _serves_itself(view: View) -> bool:
    """Whether the user's own code accepts connections: who serves them is told by who started them alone."""
    for w in view.waiting:
        if fr.has(w.stack, fr.ACCEPT):
            outside = next((f for f in w.stack if not _NET.match(f.function)), None)
            if outside is not None and fr.is_user(outside.function, outside.file):
                return True
    return False


def _in_call(w: Waiting) -> bool:
    """Whether a goroutine that has a request waits for another service's answer (a database calls nobody)."""
    if fr.has(w.stack, fr.SQL):
        return False
    if w.handler is None:
        return fr.has(w.stack, fr.CALL) or fr.has(w.stack, fr.NET_READ)
    server = any(f.function.startswith(("net/http.(*body).", "net/http.(*connReader).")) for f in w.stack)
    return _is_call(w) or (fr.has(w.stack, fr.NET_READ) and not server)


def _is_call(w: Waiting) -> bool:
    called = fr.has(w.stack, fr.CALL) or fr.has(w.stack, fr.CALL_BODY)
    return bool(w.path) and called and not fr.has(w.stack, fr.SQL)


def _is_raw_call(w: Waiting) -> bool:
    return bool(w.path) and fr.has(w.stack, fr.NET_READ)


def _is_turn(w: Waiting, further: Paths) -> bool:
    """Whether handlers wait for their turn: behind a channel or lock that those in calls have got past."""
    if w.state in _TURN and not any("WaitGroup" in f.function for f in w.stack):
        return True
    if any(f.function.startswith("golang.org/x/sync/semaphore.") for f in w.stack):
        return True
    return w.state in _OWN and further.got_past(w)


def _handler(w: Waiting, behind: Paths, helpers: set[str]) -> fr.Frame | None:
    """The handler: the server's frames tell, else the function that is called once it is one's turn.

    Not what other goroutines of the program call as well: that is how it calls, not who does.
    """
    if w.handler is not None:
        return w.handler
    depth = behind.passed(w)
    if depth is None:
        return w.path[-1] if w.path else None
    return next((f for f in w.path[depth + 1 :] if f.function not in helpers), w.path[depth])
