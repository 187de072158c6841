"""Where a trace's time goes, by place: on CPUs, ready to run, in the collector, in system calls, waiting.

Of CPU time the samples tell the function, where a CPU profile ran with the trace; else only the function that
each goroutine was started with is known. What the collector takes of it is counted apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gopherdx import frames as fr
from gopherdx.model import Place
from gopherdx.observe.cpu import SAMPLE_NS
from gopherdx.observe.design import Loops, Stay, is_own, is_runtime, stay, where
from gopherdx.observe.tally import Sum, Tally

if TYPE_CHECKING:
    from gopherdx.artifacts.trace.tables import Trace, Waits

SAMPLE_S = SAMPLE_NS / 1e9
FEW_SAMPLES = 30  # fewer tell a share to no better than a tenth
STARTED = "running, by start function"
_WHOLE = 0.8  # of a recording: who sleeps that long at a stretch made it, or is main
_MAIN = {"runtime.main": "main.main"}  # up to Go 1.21 the outermost frame is the runtime's
_READY = ("runnable", "stopped", "first run")


@dataclass(frozen=True, slots=True)
class Spent:
    """Places of a trace in cores and in goroutines, and their sums: all goroutines, those idle by design."""

    cpu: list[Place]
    goroutines: list[Place]
    mean: float
    by_design: float
    sampled: bool


def of_trace(trace: Trace) -> Spent:
    """All places of a trace that are worth telling."""
    seconds = max(trace.duration_ns, 1) / 1e9
    sampled = sum(s.count for s in trace.samples) >= FEW_SAMPLES
    cpu = _by_samples(trace) if sampled else _by_start_function(trace)
    whole = cpu.total if sampled else (trace.running_ns + sum(trace.gc.mark_ns.values())) / 1e9
    waits = _waits(trace)
    _forget_starts(waits)
    running = sum(g.running_ns for g in trace.groups if not _is_own(g.function)) / 1e9
    mean = (waits.total + running) / seconds
    return Spent(
        cpu=cpu.places("trace", "cores", whole, 1 / seconds),
        goroutines=waits.places(
            "trace", "goroutines", waits.total + running, 1 / seconds, told=("stays", "at_start", "at_end")
        ),
        mean=mean,
        by_design=waits.by_design / seconds,
        sampled=sampled,
    )


def _by_samples(trace: Trace) -> Tally:
    """CPU time in s by the user's function, by samples."""
    tally = Tally()
    for sample in trace.samples:
        stack = trace.stack(sample.stack)
        add_cpu(
            tally, where(stack)[0], fr.user_frame(stack), sample.count * SAMPLE_S, sample.count,
            gc=fr.has(stack, fr.GC_WORK), recorder=fr.is_recorder(stack),
        )  # fmt: skip
    return tally


def add_cpu(
    tally: Tally,
    frame: fr.Frame | None,
    user: fr.Frame | None,
    value: float,
    count: int,
    *,
    gc: bool,
    recorder: bool,
) -> None:
    """CPU time at a place (``user``: the user's frame, if any): the collector's apart."""
    if recorder:
        found = tally.at("cpu", "recorder", frame, value, by_design=True)
    elif gc:
        reason = "GC work of an allocation" if user else "GC workers"
        found = tally.at("gc", reason, user, value)
    elif frame is not None and is_runtime(frame.function) and fr.package_of(frame.function) == "runtime":
        found = tally.at("cpu", "runtime", frame, value)
    else:
        found = tally.at("cpu", "running", frame, value)
    found.count += count


def _by_start_function(trace: Trace) -> Tally:
    """CPU time in s by the function that goroutines were started with, without what helped the collector."""
    tally = Tally()
    files, users = _files(trace), _users(trace)
    for group in trace.groups:
        started = fr.Frame(_MAIN.get(group.function, group.function), files.get(group.function, ""), 0)
        frame = users.get(group.function, started)
        helped = min(group.assist_ns, group.running_ns)
        if not group.function or group.function == "runtime.gcBgMarkWorker":
            continue
        own = _is_own(group.function)
        found = tally.at("cpu", STARTED, frame, (group.running_ns - helped) / 1e9, by_design=own)
        found.count += group.at_start + group.created
    for kind, ns in trace.gc.mark_ns.items():
        tally.at("gc", "GC workers" if kind != "idle" else "idle GC workers", None, ns / 1e9,
                 by_design=kind == "idle")  # fmt: skip
    for assist in trace.gc.assists:
        found = tally.at("gc", "GC assist", where(trace.stack(assist.stack))[0], assist.ns / 1e9)
        found.count += assist.count
    return tally


def _is_own(function: str) -> bool:
    return is_own((fr.Frame(function, "", 0),))


def _files(trace: Trace) -> dict[str, str]:
    """The source file of each start function, as far as any stack reaches down to it."""
    wanted = {group.function for group in trace.groups}
    files: dict[str, str] = {}
    for stack in trace.stacks:
        if stack and (name := fr.plain(stack[-1].function)) in wanted:
            files.setdefault(name, stack[-1].file)
    return files


def _users(trace: Trace) -> dict[str, fr.Frame]:
    """The one function of the user's that a library's start function calls: a benchmark, the only handler."""
    found: dict[str, set[fr.Frame]] = {}
    for stack in trace.stacks:
        root = fr.plain(fr.outermost(stack))
        if fr.is_standard(root) and root not in _MAIN and (users := fr.user_frames(stack)):
            inner = fr.handler_frame(stack) or users[-1]
            found.setdefault(root, set()).add(fr.Frame(fr.plain(inner.function), inner.file, 0))
    return {root: frames.pop() for root, frames in found.items() if len(frames) == 1}


def _waits(trace: Trace) -> Tally:
    """Time in s of goroutines that do not run, by place."""
    tally = Tally()
    loops, timers = Loops(trace.groups, trace.duration_ns), _timers(trace)
    for wait in trace.waits:
        if wait.reason in _READY:
            continue
        stack = trace.stack(wait.stack)
        what = stay(stack, wait.reason)
        if what.own:
            continue
        _add_wait(tally, wait, what, trace, loops.idle(wait, stack), woken=wait.index in timers)
    for group in trace.groups:
        if group.function and not _is_own(group.function):
            frame = fr.Frame(_MAIN.get(group.function, group.function), "", 0)
            found = tally.at("runnable", "runnable", frame, group.runnable_ns / 1e9)
            found.count += group.at_start + group.created
    _delays(tally, trace)
    return tally


_UNTOLD = 0.2


def _forget_starts(tally: Tally) -> None:
    """Who waits at the start and moves later has no stack then: where those may be many, no start is told."""
    untold = sum(s.at_start for key, s in tally.sums.items() if not key[2])
    for found in tally.sums.values():
        if untold > _UNTOLD * max(found.at_start, found.at_end):
            found.at_start = -1


def _add_wait(tally: Tally, wait: Waits, what: Stay, trace: Trace, idle: bool, *, woken: bool) -> None:
    by_design = what.sort == "idle" or (what.sort == "loop" and idle)
    if what.what == "sleep" and wait.max_ns > _WHOLE * trace.duration_ns:
        by_design = True
    kind = "timer" if woken and what.what == "channel" else what.what
    found = tally.at(kind, what.reason, what.frame, wait.total_ns / 1e9, via=what.via, by_design=by_design)
    found.count += wait.seen
    found.at_start += wait.open_start + wait.open_both
    found.at_end += wait.open_end + wait.open_both
    both = trace.duration_ns if wait.open_both else 0
    found.max_ns = max(found.max_ns, wait.max_ns, wait.open_end_max_ns, both)
    _merge(found, wait)


def _merge(found: Sum, wait: Waits) -> None:
    found.histogram = wait.histogram if found.histogram is None else found.histogram + wait.histogram


def _delays(tally: Tally, trace: Trace) -> None:
    """How long single stays in the run queue were, where all of a start function's are told by stack."""
    of: dict[str, Sum] = {key[2]: found for key, found in tally.sums.items() if key[0] == "runnable"}
    for wait in trace.waits:
        if wait.reason in _READY and (root := fr.plain(fr.outermost(trace.stack(wait.stack)))) in of:
            of[root].max_ns = max(of[root].max_ns, wait.max_ns)


def _timers(trace: Trace) -> set[int]:
    """Waits that no goroutine ended: for a channel or in a select, those of a timer."""
    by_none: dict[int, int] = defaultdict(int)
    ended: dict[int, int] = defaultdict(int)
    for wake in trace.wakes:
        ended[wake.wait] += wake.count
        if wake.waker is None or _is_timer(trace.stack(wake.waker)):
            by_none[wake.wait] += wake.count
    return {wait for wait, count in by_none.items() if count * 2 > ended[wait]}


def _is_timer(stack: Iterable[fr.Frame]) -> bool:
    """Up to Go 1.13 a goroutine of the runtime's fired timers."""
    return any(frame.function == "runtime.timerproc" for frame in stack)
