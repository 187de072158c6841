"""Who waits for mutexes, who holds them meanwhile, and what the holder does.

A trace tells no lock's address. What it tells: each wait for a mutex (by its frames), and the stack of the
Unlock that ended it. Waits are summed by the user's function that unlocked, so that one slow holder behind
many entry points is one subject. Where that function is a helper that takes the lock for its caller's closure
(``guard.with(func() {...})``), as other stacks show, the caller is the holder.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gopherdx import frames as fr
from gopherdx.observe.cpu import SAMPLE_NS
from gopherdx.observe.said import Said, Sayer, place_of

if TYPE_CHECKING:
    from gopherdx.artifacts.trace.tables import LockSite, Trace

MIN_SAMPLES = 100
LEAST_HANDOVERS = 5
LEAST_KNOWN = 0.05
UNTIMED_A_HOLD = 0.5
LEAST_EXPECTED = 20  # samples, if the holder ran all the time
MIN_CORE_SHARE = 0.1  # with less, the CPU profile ran for a part of the recording only

LOOKED = (
    "lock.hold_share", "lock.mean_waiters", "lock.holder_running_share", "lock.handovers_per_s",
    "lock.spare_procs", "lock.cores_lost", "lock.busy_share", "lock.stuck_waiters",
)  # fmt: skip


@dataclass(slots=True)
class _Holder:
    """One user's function that unlocks while others wait."""

    handovers: int = 0
    wait_ns: int = 0
    hold_ns: int = 0
    credited_ns: int = 0
    known_ns: int = 0
    running_ns: int = 0
    frames: dict[fr.Frame, int] = field(default_factory=lambda: defaultdict(int))
    waiting: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def is_known(self) -> bool:
        """Whether enough is known of how long it held the lock to say what it did meanwhile."""
        return self.known_ns > LEAST_KNOWN * self.hold_ns


def of_trace(trace: Trace) -> Said:
    """Lock observations by holder; the process's own totals where nobody holds anything."""
    out = Sayer("trace", LOOKED)
    duration = max(trace.duration_ns, 1)
    sites = {site.function: site for site in trace.locks}
    core = core_share(trace)
    for function, holder in sorted(_credited(_holders(trace)).items()):
        if holder.hold_ns < 0.001 * duration:
            continue
        site = _busiest(holder, sites)
        if site is None or site.busy_ns <= 0:
            continue
        frame = max(holder.frames, key=lambda f: (holder.frames[f], f))
        place = place_of(frame)
        locator = f"Unlock in {function} wakes {site.function}"
        held_ns = holder.hold_ns + holder.credited_ns
        hold = min(held_ns / duration, 1.0)
        waiters = site.waiters_ns / site.busy_ns
        running = site.running_ns / site.busy_ns
        spare = max(0.0, trace.gomaxprocs - running)
        lost = hold * min(waiters, spare) * core
        ms = holder.hold_ns / max(holder.handovers, 1) / 1e6
        say = out.about(function, place, locator)
        say("lock.hold_share", hold, "share")
        say("lock.busy_share", site.busy_ns / duration, "share")
        say("lock.mean_waiters", waiters, "goroutines")
        say("lock.handovers_per_s", holder.handovers / (duration / 1e9), "1/s")
        say("lock.hold_ms", ms, "ms")
        say("lock.wait_ms", holder.wait_ns / max(holder.handovers, 1) / 1e6, "ms")
        say("lock.running_meanwhile", running, "goroutines")
        say("lock.spare_procs", spare, "Ps")
        say("lock.cores_lost", lost, "cores")
        if holder.is_known:
            share = _running_share(trace, function, holder)
            if share is not None:
                say("lock.holder_running_share", share, "share")
            else:
                say("lock.untimed_calls", True, "")
        workers = max(1.0, min(trace.gomaxprocs * core, waiters + 1))
        say("lock.gain_high", 1 / ((1 - hold) + hold / workers), "x")
        say("lock.gain_low", 1 / ((1 - hold) + hold / max(1.0, 1 + (workers - 1) / 3)), "x")
    stuck = sum(
        w.open_both + w.open_end
        for w in trace.waits
        if w.reason in ("sync", "") and w.count == 0 and fr.is_lock_wait(trace.stack(w.stack))
    )
    out.say("lock.stuck_waiters", stuck, "goroutines", locator="waits for a mutex without a hand-over")
    return out.done()


def _credited(holders: dict[str, _Holder]) -> dict[str, _Holder]:
    """Holders without those that unlocked now and then, of whose holds little is known, beside others.

    The whole wait that such an unlock ended was laid to it; but a spinning goroutine gets a mutex with no
    event, so others held it meanwhile: whoever is known to hold the same lock longest.
    """
    kept = dict(holders)
    for function, holder in holders.items():
        others = [h for h in holders.values() if h.waiting.keys() & holder.waiting.keys()]
        most = max(others, key=lambda h: h.known_ns, default=holder)
        if not holder.is_known and holder.handovers < LEAST_HANDOVERS and most.known_ns > holder.known_ns:
            most.credited_ns += holder.hold_ns
            del kept[function]
    return kept


def _running_share(trace: Trace, function: str, holder: _Holder) -> float | None:
    """The share of the time that the lock was held in which its holder ran; None where that is not known.

    Up to Go 1.21 a trace does not tell how long a system call took that kept its P: it looks like running,
    also if it is an fsync. Where holders call the system, the CPU samples tell then, or nothing does.
    """
    share = holder.running_ns / holder.known_ns
    untimed = sum(w.short for w in trace.waits if w.short and _is_in(trace.stack(w.stack), function))
    if untimed < UNTIMED_A_HOLD * holder.handovers:
        return share
    expected = holder.hold_ns / SAMPLE_NS
    if not trace.samples or expected < LEAST_EXPECTED:
        return None
    return min(
        share, sum(s.count for s in trace.samples if _is_in(trace.stack(s.stack), function)) / expected
    )


def _is_in(stack: fr.Stack, function: str) -> bool:
    return any(fr.plain(frame.function) == function for frame in stack)


def core_share(trace: Trace) -> float:
    """How much of a core a P gets: CPU samples against the time that goroutines ran; 1 without samples.

    More Ps than cores, a quota, or other processes: a spare P is no spare core then.
    """
    samples = sum(s.count for s in trace.samples)
    ran_ns = trace.running_ns + sum(trace.gc.mark_ns.values())
    if samples < MIN_SAMPLES or ran_ns <= 0:
        return 1.0
    return min(1.0, max(MIN_CORE_SHARE, samples * SAMPLE_NS / ran_ns))


def _helped(trace: Trace, holders: set[str]) -> set[tuple[str, str]]:
    """Pairs (helper, caller) where the helper, a function that unlocks, calls back a closure of its caller.

    A trace shows it wherever such a closure was sampled, preempted or waited.
    """
    helped = set()
    for index in {w.stack for w in trace.waits} | {s.stack for s in trace.samples}:
        stack = trace.stack(index)
        for inner, helper, caller in zip(stack, stack[1:], stack[2:], strict=False):
            name = fr.plain(helper.function)
            if name in holders and fr.is_closure_of(inner.function, caller.function):
                helped.add((name, fr.plain(caller.function)))
    return helped


def _holders(trace: Trace) -> dict[str, _Holder]:
    holders: dict[str, _Holder] = defaultdict(_Holder)
    unlocks = [w.waker for w in trace.wakes if w.hold_ns > 0 and w.waker is not None]
    helped = _helped(trace, {fr.plain(u.function) for w in unlocks if (u := fr.user_frame(trace.stack(w)))})
    for wake in trace.wakes:
        if wake.hold_ns <= 0 or wake.waker is None:
            continue
        user = _holding(fr.user_frames(trace.stack(wake.waker)), helped)
        if user is None:
            continue
        holder = holders[fr.plain(user.function)]
        holder.handovers += wake.count
        holder.wait_ns += wake.ns
        holder.hold_ns += wake.hold_ns
        holder.known_ns += wake.hold_known_ns
        holder.running_ns += wake.hold_running_ns
        holder.frames[user] += wake.hold_ns
        waiter = fr.user_frame(trace.stack(trace.waits[wake.wait].stack))
        if waiter is not None:
            holder.waiting[fr.plain(waiter.function)] += wake.ns
    return holders


def _holding(users: list[fr.Frame], helped: set[tuple[str, str]]) -> fr.Frame | None:
    """The user's function that an Unlock is to be laid to: the innermost, or the caller that it helps."""
    helper = users[0] if users else None
    for frame in users[1:]:
        if helper is not None and (fr.plain(helper.function), fr.plain(frame.function)) in helped:
            return frame
        if helper is not None and fr.plain(frame.function) != fr.plain(helper.function):
            break
    return helper


def _busiest(holder: _Holder, sites: dict[str, LockSite]) -> LockSite | None:
    """The place that this holder keeps waiting longest."""
    known = [w for w in holder.waiting if w in sites]
    if not known:
        return None
    return sites[max(known, key=lambda w: (holder.waiting[w], w))]
