"""What a CPU profile says: how much CPU was used, by whom, and how much of it was the collector's.

A CPU profile is blind to waiting. It can corroborate; alone it names no cause.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING

from gopherdx import frames as fr
from gopherdx.observe.said import Said, Sayer, place_of

if TYPE_CHECKING:
    from gopherdx.artifacts.pprof import Profile

LOOKED = ("cpu.used_cores", "cpu.gc_share", "cpu.untyped_decode_share", "cpu.alloc_share", "cpu.hot_share")
MIN_SHARE = 0.02
MIN_SAMPLES = 20  # a share of fewer is chance
SAMPLE_NS = 10_000_000  # of CPU time: runtime.SetCPUProfileRate's default, which net/http/pprof uses


def of_profile(profile: Profile) -> Said:
    """Observations of the process, and by user's function."""
    if not len(profile) or not profile.symbolized:
        return Said((), frozenset())
    stacks = {s: value for s, value in profile.by_stack(profile.cpu_index).items() if value > 0}
    total = sum(stacks.values())
    if total <= 0:
        return Said((), frozenset())
    out = Sayer("cpu", ("cpu.used_cores",))
    if profile.duration_ns > 0:
        out.say("cpu.used_cores", total / profile.duration_ns, "cores", locator="samples / duration")
    if total / profile.cpu_period < MIN_SAMPLES:
        return out.done()
    out.look(*LOOKED)
    gc = sum(v for stack, v in stacks.items() if fr.has(stack, fr.GC_WORK))
    out.say("cpu.gc_share", gc / total, "share of CPU samples", locator="frames of the collector")
    _by_function(stacks, total, out)
    return out.done()


def _by_function(stacks: Mapping[tuple[fr.Frame, ...], int], total: int, out: Sayer) -> None:
    groups: dict[str, dict[str, int]] = {
        name: defaultdict(int) for name in ("cpu.untyped_decode_share", "cpu.alloc_share", "cpu.hot_share")
    }
    frames: dict[str, fr.Frame] = {}

    def add(name: str, frame: fr.Frame | None, value: int) -> None:
        if frame is not None:
            groups[name][fr.plain(frame.function)] += value
            frames.setdefault(fr.plain(frame.function), frame)

    for stack, value in stacks.items():
        user = fr.user_frame(stack)
        add("cpu.hot_share", user, value)
        if fr.has(stack, fr.JSON_UNTYPED):
            add("cpu.untyped_decode_share", fr.caller_of(stack, fr.JSON_ENTRY), value)
        if fr.has(stack, fr.ALLOCATE):
            add("cpu.alloc_share", user, value)
    for name, shares in groups.items():
        for function, value in sorted(shares.items()):
            if value / total >= MIN_SHARE:
                say = out.about(function, place_of(frames[function]), "CPU samples by user's function")
                say(name, value / total, "share of CPU samples")
