"""Who allocates, what stays in use and what grows: from heap and allocs profiles.

The runtime writes the same four columns into both; they differ in the column that is shown first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from gopherdx import frames as fr
from gopherdx.observe import decode, regexps, timers
from gopherdx.observe.memory import MB, Mark, Memory, Row, read_memory
from gopherdx.observe.said import Said, Sayer, place_of

if TYPE_CHECKING:
    from gopherdx.artifacts.pprof import Profile

MIN_SHARE = 0.02
# Shares scaled up from fewer samples than these are chance: twenty are right to about a quarter.
MIN_SAMPLES = 20.0
MIN_SAMPLES_OF_ONE = 3.0


def of_profiles(profiles: Sequence[Profile]) -> Said:
    """Everything that profiles of one kind say, in the order of time; nothing where they name no function."""
    memory = read_memory(profiles)
    if memory is None:
        return Said((), frozenset())
    parts = [
        of_memory(memory),
        *(part(memory) for part in (timers.of_memory, regexps.of_memory, decode.of_memory)),
    ]
    return Said(
        tuple(item for part in parts for item in part.items),
        frozenset(name for part in parts for name in part.looked),
    )


def of_memory(memory: Memory) -> Said:
    """Allocation and memory in use by user's function, and of the process."""
    out = Sayer(memory.kind, ())
    # Goroutines, Ps and Ms are the runtime's own.
    rows = [row for row in memory.rows if row.marks & Mark.PROGRAM]
    if memory.tells_live:
        out.say("heap.in_use_mb", sum(r.live_bytes for r in rows) / MB, "MB", locator="inuse_space")
    if memory.tells_growth and memory.seconds > 0:
        grown = sum(r.grown_bytes for r in rows) / MB / (memory.seconds / 60)
        out.say("heap.growth_mb_per_min", grown, "MB a minute", locator="inuse_space of two moments")
    made = sum(r.made_bytes for r in rows)
    if memory.tells_made and memory.seconds > 0:
        out.say("gc.alloc_mb_per_s", made / MB / memory.seconds, "MB/s", locator="alloc_space over time")
    if not memory.tells_made or memory.samples < MIN_SAMPLES or not made:
        _in_use(out, rows, memory)
        return out.done()
    said = _by_function(rows, lambda r: (r.made_bytes, r.samples))
    for function, (value, samples, frame) in sorted(said.items()):
        if value >= MIN_SHARE * made and samples >= MIN_SAMPLES_OF_ONE:
            out.say("alloc.share", value / made, "share", subject=function, place=place_of(frame),
                    locator="alloc_space by user's function")  # fmt: skip
    _in_use(out, rows, memory)
    return out.done()


def _in_use(out: Sayer, rows: Sequence[Row], memory: Memory) -> None:
    """What stays in use by the function that made it, and how fast that grows."""
    if memory.tells_live:
        whole = sum(r.live_bytes for r in rows)
        said = _by_function(rows, lambda r: (r.live_bytes, r.live_samples))
        for function, (value, samples, frame) in sorted(said.items()):
            if value >= 0.05 * whole and samples >= MIN_SAMPLES_OF_ONE:
                say = out.about(function, place_of(frame), "inuse_space by user's function")
                say("heap.in_use_mb", value / MB, "MB")
    if memory.tells_growth and memory.seconds > 0:
        period = memory.period_bytes
        said = _by_function(rows, lambda r: (r.grown_bytes, r.grown_bytes / period))
        for function, (value, samples, frame) in sorted(said.items()):
            if samples >= MIN_SAMPLES_OF_ONE:
                say = out.about(function, place_of(frame), "inuse_space of two moments")
                say("heap.growth_mb_per_min", value / MB / (memory.seconds / 60), "MB a minute")


def _by_function(
    rows: Sequence[Row], value_of: Callable[[Row], tuple[float, float]]
) -> dict[str, tuple[float, float, fr.Frame]]:
    """Value, samples and the heaviest frame by the user's function that allocated."""
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    frames: dict[str, dict[fr.Frame, float]] = defaultdict(lambda: defaultdict(float))
    for row in rows:
        frame = fr.user_frame(row.stack)
        if frame is None:
            continue
        value, samples = value_of(row)
        name = fr.plain(frame.function)
        sums[name][0] += value
        sums[name][1] += samples
        frames[name][frame] += value
    return {
        name: (value, samples, max(frames[name], key=lambda f: (frames[name][f], f)))
        for name, (value, samples) in sums.items()
    }
