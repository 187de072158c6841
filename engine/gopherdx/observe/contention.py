"""What mutex and block profiles say: where goroutines queued for a lock, how often and how long each time.

Both record a wait when it ends, and count from the day they were switched on: there is no rate in one alone.
Two of one process differ by what happened between them, one taken with ``?seconds=`` has its length in it,
and what else is in a capture may tell how long the process has been running.

A mutex profile charges waits to the stack of the Unlock that ended them (``mutexevent`` and ``semrelease1``
in GOROOT/src/runtime): since Go 1.22 what all who queue have waited since the lock was last handed over, in a
steady queue the wait of each; up to 1.21 the same for the first in the queue alone, that is how long the lock
was held. Nothing in the profile says which. The runtime scales sampled counts itself. Its own locks are in
there since 1.22 (``runtime.unlock``, ``runtime._LostContendedRuntimeLock``); they are nobody's mutex and left
out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gopherdx import frames as fr
from gopherdx.observe.said import Said, Sayer, place_of

if TYPE_CHECKING:
    from gopherdx.artifacts.pprof import Profile

LOOKED = ("mutex.wait_ms", "mutex.waits", "mutex.delay_s")
RATES = ("mutex.mean_waiters", "mutex.waits_per_s")
MIN_DELAY_S = 0.01
MIN_CPU_S = 1.0
MIN_AGE_S = 600.0
MIN_BLOCKED = 0.01  # of what its waiters wait


@dataclass(frozen=True, slots=True)
class Ended:
    """Waits that ended: by stack their number and what they add up to, over ``seconds`` (0: not known)."""

    stacks: tuple[tuple[fr.Stack, int, int], ...]
    seconds: float
    since_start: bool


def ended_waits(profiles: Sequence[Profile]) -> Ended | None:
    """The waits in mutex or block profiles of one process; None where they tell nothing.

    Of several in the order of time, what came between the first and the last, where both say when they were
    taken. A profile without samples is most often one that was never switched on: it shows no absence.
    """
    last = profiles[-1]
    now = _by_stack(last)
    if not now:
        return None
    if last.duration_ns > 0:
        return Ended(tuple((s, n, ns) for s, (n, ns) in now.items()), last.duration_ns / 1e9, False)
    first = next((p for p in profiles[:-1] if 0 < p.time_ns < last.time_ns and not p.duration_ns), None)
    if first is None:
        return Ended(tuple((s, n, ns) for s, (n, ns) in now.items()), 0.0, True)
    before = _by_stack(first)
    between = []
    for stack, (count, ns) in now.items():
        was_count, was_ns = before.get(stack, (0, 0))
        if count > was_count and ns > was_ns:
            between.append((stack, count - was_count, ns - was_ns))
    return Ended(tuple(between), (last.time_ns - first.time_ns) / 1e9, False)


def _by_stack(profile: Profile) -> dict[fr.Stack, tuple[int, int]]:
    types = [t.type for t in profile.sample_types]
    if "contentions" not in types or "delay" not in types or not profile.symbolized:
        return {}
    counts, delays = (profile.by_stack(types.index(name)) for name in ("contentions", "delay"))
    return {
        stack: (count, delays[stack]) for stack, count in counts.items() if count > 0 and delays[stack] > 0
    }


@dataclass(slots=True)
class _Holder:
    """One user's function that unlocks while others wait."""

    waits: int = 0
    delay_ns: int = 0
    frames: dict[fr.Frame, int] = field(default_factory=dict)

    @property
    def frame(self) -> fr.Frame:
        """The line that most is charged to."""
        return max(self.frames, key=lambda f: (self.frames[f], f))


def of_mutex(profiles: Sequence[Profile]) -> Said:
    """By the function that unlocks: how often others queued, and how long each time."""
    ended = ended_waits(profiles)
    if ended is None:
        return Said((), frozenset())
    out = Sayer("mutex", LOOKED + (RATES if ended.seconds else ()))
    for function, holder in sorted(holders(ended).items()):
        delay_s = holder.delay_ns / 1e9
        if delay_s < MIN_DELAY_S:
            continue
        say = out.about(function, place_of(holder.frame), f"waits that an Unlock in {function} ended")
        say("mutex.waits", float(holder.waits), "waits")
        say("mutex.wait_ms", holder.delay_ns / holder.waits / 1e6, "ms")
        say("mutex.delay_s", delay_s, "s")
        if ended.seconds:
            say("mutex.mean_waiters", delay_s / ended.seconds, "goroutines")
            say("mutex.waits_per_s", holder.waits / ended.seconds, "1/s")
    return out.done()


def holders(ended: Ended) -> dict[str, _Holder]:
    """Waits of a mutex profile by the user's function that unlocked."""
    found: dict[str, _Holder] = {}
    for stack, count, ns in ended.stacks:
        if not stack or not fr.UNLOCK.match(stack[0].function) or fr.is_recorder(stack):
            continue
        frame = fr.user_frame(stack)
        if frame is None:
            continue
        holder = found.setdefault(fr.plain(frame.function), _Holder())
        holder.waits += count
        holder.delay_ns += ns
        holder.frames[frame] = holder.frames.get(frame, 0) + ns
    return found


def of_capture(artifacts: Sequence[Any]) -> Said:
    """What a mutex profile says together with others: its rate, and whether the holder computes or waits."""
    profiles = _of_kind(artifacts, "mutex")
    ended = ended_waits(profiles) if profiles else None
    if ended is None:
        return Said((), frozenset())
    held = {f: h for f, h in holders(ended).items() if h.delay_ns >= MIN_DELAY_S * 1e9}
    out = Sayer("mutex", ())
    if ended.since_start:
        _say_rates(out, held, uptime_s(artifacts))
    _say_cpu(out, held, _of_kind(artifacts, "cpu"))
    _say_blocks(out, held, _of_kind(artifacts, "block"))
    return out.done()


def _say_rates(out: Sayer, held: dict[str, _Holder], seconds: float) -> None:
    """A profile of all the time since start, and a process of known age.

    The lock may have been free for most of that time: it is an average over a life, nights included.
    """
    if seconds <= 0:
        return
    for function, holder in held.items():
        say = out.about(function, place_of(holder.frame), "waits since the process started")
        say("mutex.life_waiters", holder.delay_ns / 1e9 / seconds, "goroutines")


def _say_cpu(out: Sayer, held: dict[str, _Holder], profiles: Sequence[Profile]) -> None:
    """How many cores the holder's function used, with all that it called: a holder that waits uses none."""
    cpu = next((p for p in profiles if p.duration_ns >= MIN_CPU_S * 1e9 and p.symbolized and len(p)), None)
    if cpu is None:
        return
    used = dict.fromkeys(held, 0)
    for stack, value in cpu.by_stack(cpu.cpu_index).items():
        for function in {fr.plain(f.function) for f in stack} & used.keys():
            used[function] += value
    for function, value in used.items():
        say = out.about(function, place_of(held[function].frame), "CPU samples of it and what it calls")
        say("mutex.holder_cpu_cores", value / cpu.duration_ns, "cores")


def _say_blocks(out: Sayer, held: dict[str, _Holder], profiles: Sequence[Profile]) -> None:
    """How long the holder's function blocks on something else than a lock, for each hand-over of it.

    Where it does not, nothing was looked for: a wait for a socket or a file is in no block profile.
    """
    ended = ended_waits(profiles) if profiles else None
    if ended is None:
        return
    blocked = dict.fromkeys(held, 0)
    for stack, _, ns in ended.stacks:
        if fr.is_lock_wait(stack) or fr.is_internal(stack):
            continue
        for function in {fr.plain(f.function) for f in stack} & blocked.keys():
            blocked[function] += ns
    for function, ns in blocked.items():
        holder = held[function]
        if ns < MIN_BLOCKED * holder.delay_ns:
            continue
        say = out.about(function, place_of(holder.frame), "waits of the holder in the block profile")
        say("mutex.holder_blocked_ms", ns / holder.waits / 1e6, "ms")
        say("mutex.holder_blocked_share", ns / holder.delay_ns, "share of the waits that it causes")


def uptime_s(artifacts: Iterable[Any]) -> float:
    """How long the process has been running, as far as its metrics or gctrace lines tell; 0 without.

    ``/cpu/classes/total:cpu-seconds`` is GOMAXPROCS over time up to the last collection
    (``cpuStats.accumulate`` in GOROOT/src/runtime/mstats.go), gctrace's ``@`` the time of the last one. One
    is forced every two minutes (``forcegcperiod``), so an age of less than ten says too little.
    """
    return max((s for a in artifacts for s in _ages(a) if s >= MIN_AGE_S), default=0.0)


def _ages(artifact: Any) -> Iterator[float]:
    if artifact.kind == "metrics":
        values = artifact.values
        procs = values.get("/sched/gomaxprocs:threads", 0)
        if procs:
            yield values.get("/cpu/classes/total:cpu-seconds", 0.0) / procs
        started = values.get("/process/start_time:unix-seconds", 0.0)
        if started and artifact.time_ns:
            yield artifact.time_ns / 1e9 - started
    elif artifact.kind == "gctrace" and len(artifact.at_s):
        yield float(artifact.at_s.max())


def _of_kind(artifacts: Iterable[Any], kind: str) -> list[Any]:
    return [a for a in artifacts if a.kind == kind]
