"""Goroutines that run on and on: stretches interrupted by nothing but forced preemption.

Since Go 1.14 a loop is preempted after 10 ms at the earliest, by a signal; whoever waits for its P waits that
long. The place of such a loop is in the CPU samples that fell on the goroutine; the stack of a preemption
names a frameless leaf's caller, or nothing.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from gopherdx import frames as fr
from gopherdx.model import Location
from gopherdx.observe.said import Said, Sayer, place_of

if TYPE_CHECKING:
    from gopherdx.artifacts.trace.tables import Run, Trace

LOOKED = ("run.longest_s", "run.recording_share", "run.running_s", "run.victims_mean",
          "run.victim_waits_per_s", "run.count")  # fmt: skip
LONG_NS = 400_000_000


def of_trace(trace: Trace) -> Said:
    """Observations by the loop's function, or of the process where its place is not known."""
    out = Sayer("trace", LOOKED)
    duration = max(trace.duration_ns, 1)
    groups: dict[str, list[Run]] = defaultdict(list)
    places: dict[str, Location | None] = {}
    for run in trace.runs:
        if run.length_ns < LONG_NS or _is_internal(trace, run):
            continue
        frame = _place(trace, run)
        name = fr.plain(frame.function) if frame else ""
        groups[name].append(run)
        places.setdefault(name, place_of(frame))
    for name, runs in sorted(groups.items()):
        longest = max(runs, key=lambda r: r.length_ns)
        say = out.about(name, places[name], "runs ended by no pause")
        say("run.longest_s", longest.length_ns / 1e9, "s")
        say("run.running_s", longest.running_ns / 1e9, "s")
        say("run.running_share", longest.running_ns / max(longest.length_ns, 1), "share")
        say("run.count", len(runs), "runs")
        say("run.recording_share", longest.length_ns / duration, "share")
        say("run.victims_mean", _victims(runs), "goroutines")
        say("run.victim_waits_per_s", _victim_waits_per_s(runs), "1/s")
        say("run.victim_delay_ms", _victim_delay_ms(trace), "ms")
        say("run.preemptions", sum(n for r in runs for _, n in r.preemptions), "preemptions")
        say("run.placed", bool(name), "")
        say("run.goroutine", longest.goroutine, "")
    return out.done()


def _is_internal(trace: Trace, run: Run) -> bool:
    """The collector's workers and the recorder run long by design."""
    stacks = [s for s, _ in run.preemptions[:4]] + [s for s, _ in run.samples[:4]] + [run.preempted_at]
    return any(fr.is_recorder(trace.stack(s)) for s in stacks) or run.function.startswith(
        ("runtime.gcBgMarkWorker", "runtime.bgsweep", "runtime.bgscavenge")
    )


def _place(trace: Trace, run: Run) -> fr.Frame | None:
    """The user's function that most CPU samples of the run fell in; without samples, that of preemptions."""
    # A preemption whose stack does not begin where the signal struck has lost the innermost frames (a leaf
    # without a frame of its own): what is left names a caller.
    struck = [(s, n) for s, n in run.preemptions if fr.has(trace.stack(s)[:2], fr.ASYNC_PREEMPT)]
    for marks in (run.samples, struck):
        total = sum(n for _, n in marks)
        votes: dict[str, int] = defaultdict(int)
        frames: dict[str, dict[fr.Frame, int]] = defaultdict(lambda: defaultdict(int))
        for stack, n in marks:
            frame = fr.user_frame(trace.stack(stack))
            if frame is not None:
                name = fr.plain(frame.function)
                votes[name] += n
                frames[name][frame] += n
        if votes:
            best = max(votes, key=lambda f: (votes[f], f))
            if votes[best] * 2 >= total:
                return max(frames[best], key=lambda f: (frames[best][f], f))
            return _common(trace, [s for s, _ in marks])
    return None


def _common(trace: Trace, stacks: list[int]) -> fr.Frame | None:
    """The innermost user frame that all stacks share, seen from their roots."""
    shared: list[fr.Frame] | None = None
    for stack in stacks:
        users = fr.user_frames(trace.stack(stack))[::-1]
        if not users:
            continue
        if shared is None:
            shared = users
            continue
        same = 0
        while same < min(len(shared), len(users)) and shared[same].function == users[same].function:
            same += 1
        shared = shared[:same]
    return shared[-1] if shared else None


def _victims(runs: list[Run]) -> float:
    """Goroutines that were runnable and waited, on average over the runs (their own waiting left out)."""
    length = sum(r.length_ns for r in runs)
    return sum(r.victims_ns for r in runs) / length if length else 0.0


def _victim_waits_per_s(runs: list[Run]) -> float:
    """How often a goroutine that could run waited 8 ms or more during the runs: for a forced preemption."""
    length = sum(r.length_ns for r in runs)
    return sum(r.long_delays for r in runs) / (length / 1e9) if length else 0.0


def _victim_delay_ms(trace: Trace) -> float:
    """The longest that a goroutine which could run waited, in the whole trace."""
    return trace.delay_max_ns / 1e6
