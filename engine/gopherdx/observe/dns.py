"""Waits for the address of a name: how long, how often, and which of the user's functions waits.

Whichever resolver is in use, the goroutine that dials waits in ``(*Resolver).lookupIPAddr`` (net/lookup.go),
in a select, while a goroutine of ``internal/singleflight`` asks: one for all that want the same name at the
same time. That one asks the name servers itself, or waits for a thread in ``getaddrinfo``. Under an HTTP
client the dialling goroutine is the transport's own; who made it start is in its stack of creation.

Neither the name nor whether anything was cached is in these artifacts. A name that many wait for once, such
as at a cold start, is one look-up: look-ups are counted, not only waits.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gopherdx import frames as fr
from gopherdx.observe.contention import ended_waits
from gopherdx.observe.said import Said, Sayer, place_of
from gopherdx.observe.standing import stacks

if TYPE_CHECKING:
    from gopherdx.artifacts.dump import GoroutineDump
    from gopherdx.artifacts.pprof import Profile
    from gopherdx.artifacts.trace.tables import Trace, Waits

LOOKED = ("dns.lookup_ms", "dns.wait_share", "dns.waiting_mean")
LOOKED_BLOCK = ("block.dns_wait_ms",)
LOOKED_DUMP = ("dump.dns_waiters",)
SLOW_BIN = 46  # from 2**23 ns, 8.4 ms: a name server nearby answers sooner, and a hosts file at once
SLOW_NS = 1 << 23
_WAITS = frozenset(("select", "chan receive", "network", ""))


@dataclass(slots=True)
class _Dialer:
    """Look-ups that one user's function waits for: all waits with their time, and how many are slow."""

    frame: fr.Frame | None
    count: float = 0.0
    ns: float = 0.0
    slow: float = 0.0
    asked: float = 0.0


@dataclass(slots=True)
class _Shares:
    """Who the transport's own dialling goroutines dial for: weights by user's function."""

    weight: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    frames: dict[str, fr.Frame] = field(default_factory=dict)

    def add(self, stack: fr.Stack, weight: float) -> None:
        frame = fr.user_frame(stack)
        if frame is not None and weight > 0:
            self.weight[fr.plain(frame.function)] += weight
            self.frames.setdefault(fr.plain(frame.function), frame)

    def split(self) -> list[tuple[str, fr.Frame | None, float]]:
        """(function, frame, share); one part without a place where nobody is known."""
        total = sum(self.weight.values())
        if not total:
            return [("", None, 1.0)]
        return [(f, self.frames[f], w / total) for f, w in sorted(self.weight.items())]


def of_trace(trace: Trace) -> Said:
    """Slow look-ups by the user's function that dials or calls."""
    out = Sayer("trace", LOOKED)
    duration = max(trace.duration_ns, 1)
    dialers = _dialers(trace)
    if not dialers:
        return out.done()
    waiting = _waiting_ns(trace, dialers)
    in_c = sum(w.count for w in trace.waits if w.reason == "syscall" and _is_resolver_c(trace.stack(w.stack)))
    for name, dialer in sorted(dialers.items()):
        if dialer.slow < 1:
            continue
        share = min(1.0, dialer.ns / waiting[name]) if waiting.get(name) else 1.0
        say = out.about(name, place_of(dialer.frame), "waits in net.(*Resolver).lookupIPAddr")
        say("dns.lookup_ms", dialer.ns / dialer.count / 1e6, "ms")
        say("dns.waits_per_s", dialer.slow / (duration / 1e9), "1/s")
        say("dns.asked", dialer.asked, "look-ups")
        say("dns.asked_per_s", dialer.asked / (duration / 1e9), "1/s")
        say("dns.waiting_mean", dialer.ns / duration, "goroutines")
        say("dns.wait_share", share, "share")
        say("dns.in_c", bool(in_c), "")
        say("dns.gain_low", 1 / (1 - 0.5 * min(share, 0.9)), "x")
        say("dns.gain_high", 1 / (1 - min(share, 0.9)), "x")
    return out.done()


def of_block(profiles: Sequence[Profile]) -> Said:
    """Look-ups that ended, as block profiles count them: waits, and how many look-ups those were."""
    ended = ended_waits(profiles)
    if ended is None:
        return Said((), frozenset())
    out = Sayer("block", LOOKED_BLOCK)
    found: dict[str, _Dialer] = {}
    callers = _Shares()
    dialled_count = dialled_ns = asked = 0
    for stack, count, ns in ended.stacks:
        if fr.has(stack, fr.HTTP_WAITS_FOR_DIAL):
            callers.add(stack, ns)
        if not fr.has(stack, fr.LOOKUP):
            continue
        frame = fr.caller_of(stack, fr.LOOKUP)
        if frame is not None:
            dialer = found.setdefault(fr.plain(frame.function), _Dialer(frame))
            dialer.count += count
            dialer.ns += ns
        elif fr.has(stack, fr.HTTP_DIALLER):
            dialled_count += count
            dialled_ns += ns
        elif ns >= count * SLOW_NS / 2:
            asked += count  # of the pure Go resolver one or two waits a look-up, of the other one
    if dialled_count:
        for name, frame, share in callers.split():
            dialer = found.setdefault(name, _Dialer(frame))
            dialer.count += dialled_count * share
            dialer.ns += dialled_ns * share
    for name, dialer in sorted(found.items()):
        if dialer.ns < dialer.count * SLOW_NS:
            continue
        say = out.about(name, place_of(dialer.frame), "waits in net.(*Resolver).lookupIPAddr that ended")
        say("block.dns_wait_ms", dialer.ns / dialer.count / 1e6, "ms")
        say("block.dns_waits", dialer.count, "waits")
        say("block.dns_asked", float(asked), "waits of look-ups")
        say("block.dns_delay_s", dialer.ns / 1e9, "s")
    return out.done()


def of_goroutines(artifact: Profile | GoroutineDump) -> Said:
    """Goroutines that wait for an address at one moment, from a goroutine profile or dump."""
    rows = stacks(artifact)
    return Said((), frozenset()) if rows is None else _of_moment(artifact.kind, rows)


def _of_moment(kind: str, rows: Iterable[tuple[fr.Stack, int, int]]) -> Said:
    out = Sayer(kind, LOOKED_DUMP)
    counts: dict[str, float] = defaultdict(float)
    frames: dict[str, fr.Frame | None] = {}
    callers = _Shares()
    dialled = 0
    for stack, count, _ in rows:
        if fr.has(stack, fr.HTTP_WAITS_FOR_DIAL):
            callers.add(stack, count)
        if not fr.has(stack, fr.LOOKUP):
            continue
        frame = fr.caller_of(stack, fr.LOOKUP)
        if frame is not None:
            counts[fr.plain(frame.function)] += count
            frames.setdefault(fr.plain(frame.function), frame)
        elif fr.has(stack, fr.HTTP_DIALLER):
            dialled += count
    if dialled:
        for name, frame, share in callers.split():
            counts[name] += dialled * share
            frames.setdefault(name, frame)
    for name, waiters in sorted(counts.items()):
        say = out.about(name, place_of(frames[name]), "goroutines in net.(*Resolver).lookupIPAddr")
        say("dump.dns_waiters", float(round(waiters)), "goroutines")
    return out.done()


def _dialers(trace: Trace) -> dict[str, _Dialer]:
    found: dict[str, _Dialer] = {}
    callers = _dialled_for(trace)
    for wait in trace.waits:
        stack = trace.stack(wait.stack)
        if wait.reason not in _WAITS or not fr.has(stack, fr.LOOKUP):
            continue
        for name, frame, share in _waiters(stack, callers):
            dialer = found.setdefault(name, _Dialer(frame))
            dialer.count += wait.seen * share
            dialer.ns += wait.total_ns * share
            dialer.slow += _slow_stays(wait) * share
    # Who asked: the goroutines that singleflight starts, one for each name at a time; a look-up for other
    # records than addresses has none, and asks by itself.
    asked: dict[str, float] = defaultdict(float)
    for group in trace.groups:
        created_at = trace.stack(group.created_at)
        if fr.has(created_at, fr.LOOKUP) and group.function.startswith("internal/singleflight."):
            for name, _, share in _waiters(created_at, callers):
                asked[name] += group.created * share
    for name, dialer in found.items():
        dialer.asked = min(asked[name], dialer.slow) if asked[name] else dialer.slow
    return found


def _waiters(stack: fr.Stack, callers: _Shares) -> list[tuple[str, fr.Frame | None, float]]:
    """Whose wait this is. Nobody's where it is one of the resolver's own goroutines."""
    frame = fr.caller_of(stack, fr.LOOKUP)
    if frame is not None:
        return [(fr.plain(frame.function), frame, 1.0)]
    if fr.has(stack, fr.HTTP_DIALLER):
        return callers.split()
    own = fr.outermost(stack).startswith(("internal/singleflight.", "net."))
    return [] if own else [("", None, 1.0)]


def _dialled_for(trace: Trace) -> _Shares:
    """Whose calls made the transport dial: by the stacks at which its dialling goroutines were created."""
    shares = _Shares()
    for group in trace.groups:
        if fr.HTTP_DIALLER.match(group.function) or "startDialConnForLocked" in group.function:
            shares.add(trace.stack(group.created_at), group.waiting_ns)
    if not shares.weight:  # all of them began before the recording
        for wait in trace.waits:
            stack = trace.stack(wait.stack)
            if fr.has(stack, fr.HTTP_WAITS_FOR_DIAL):
                shares.add(stack, wait.total_ns)
    return shares


def _slow_stays(wait: Waits) -> int:
    """How many waits were slow; those open at either end are at least as long as was seen of them."""
    still = wait.open_start + wait.open_end + wait.open_both
    still_ns = wait.open_start_ns + wait.open_end_ns + wait.open_both_ns
    return int(wait.histogram[SLOW_BIN:].sum()) + (still if still_ns >= still * SLOW_NS else 0)


def _waiting_ns(trace: Trace, names: Iterable[str]) -> dict[str, int]:
    """All that the functions wait for, themselves or in what they call."""
    total: dict[str, int] = dict.fromkeys(names, 0)
    for wait in trace.waits:
        if wait.reason not in _WAITS and wait.reason not in ("sleep", "sync", "syscall"):
            continue
        for name in {fr.plain(f.function) for f in fr.user_frames(trace.stack(wait.stack))} & total.keys():
            total[name] += wait.total_ns
    return total


def _is_resolver_c(stack: fr.Stack) -> bool:
    """Whether the C library's resolver is at work here."""
    return bool(stack) and fr.RESOLVER_C.match(stack[0].function) is not None
