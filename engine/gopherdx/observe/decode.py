"""Long decodes of JSON without types: how long one takes, and what of it is the collector's.

A decode is a stretch in which every stack seen of a goroutine lies under the untyped decoder.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from gopherdx import frames as fr
from gopherdx.observe.memory import Mark, Memory
from gopherdx.observe.said import Said, Sayer, place_of

if TYPE_CHECKING:
    from gopherdx.artifacts.trace.tables import Span, Trace

LOOKED = (
    "decode.untyped_longest_ms", "decode.untyped_count", "decode.untyped_cores", "decode.untyped_alloc_share",
    "decode.untyped_running_share", "decode.restarts_each",
)  # fmt: skip
LONG_NS = 10_000_000
MIN_SAMPLES = 30.0
MIN_SHARE = 0.02
# Two allocations of the same size that were sampled: a document that was read once grew each block once.
LARGEST_SAMPLES = 1.5


def of_trace(trace: Trace) -> Said:
    """Observations by the function that calls the decoder."""
    out = Sayer("trace", LOOKED)
    duration = max(trace.duration_ns, 1)
    spans: dict[str, list[Span]] = defaultdict(list)
    frames: dict[str, fr.Frame] = {}
    for span in trace.spans:
        frame = _caller(trace, span.stack)
        if span.kind != "json-untyped" or frame is None or span.end_ns - span.start_ns < LONG_NS:
            continue
        name = fr.plain(frame.function)
        spans[name].append(span)
        frames.setdefault(name, frame)
    shares = _alloc_shares(trace)
    restarts = _restarts(trace)
    for name, group in sorted(spans.items()):
        lengths = sorted((s.end_ns - s.start_ns for s in group), reverse=True)
        running = sum(s.running_ns for s in group)
        say = out.about(name, place_of(frames[name]), "stacks under the untyped decoder")
        say("decode.untyped_longest_ms", lengths[0] / 1e6, "ms")
        say("decode.untyped_mean_ms", sum(lengths) / len(lengths) / 1e6, "ms")
        say("decode.untyped_count", len(group), "decodes")
        say("decode.untyped_cores", running / duration, "cores")
        say("decode.untyped_running_share", min(1.0, running / max(sum(lengths), 1)), "share")
        say("decode.untyped_assist_ms", sum(s.assist_ns for s in group) / len(group) / 1e6, "ms")
        say("decode.restarts_each", restarts.get(name, 0) / len(group), "documents")
        say("decode.untyped_alloc_share", shares.get(name, 0.0), "share")
        # Typed decoding of the same bytes takes a third to two thirds; a limit on the body takes it all away.
        say("decode.gain_low", lengths[0] / 1e6 / 3, "ms")
        say("decode.gain_high", lengths[0] / 1e6, "ms")
    return out.done()


def _caller(trace: Trace, stack: int) -> fr.Frame | None:
    frames = trace.stack(stack)
    return fr.caller_of(frames, fr.JSON_ENTRY) or fr.caller_of(frames, fr.JSON_UNTYPED)


def _restarts(trace: Trace) -> dict[str, int]:
    """How often a decode of this caller began within milliseconds of the one before, on one goroutine."""
    out: dict[str, int] = defaultdict(int)
    for counted in trace.restarts:
        frame = _caller(trace, counted.stack)
        if frame is not None:
            out[fr.plain(frame.function)] += counted.count
    return out


def _alloc_shares(trace: Trace) -> dict[str, float]:
    """Share of the allocation marks (GC triggers, assists, sweeps) that lie under each caller's decode."""
    total = 0
    under: dict[str, int] = defaultdict(int)
    for counted in (*trace.gc.triggers, *trace.gc.assists, *trace.gc.sweeps):
        frames = trace.stack(counted.stack)
        if fr.user_frame(frames) is None:
            continue
        total += counted.count
        if fr.has(frames, fr.JSON_DECODE):
            frame = _caller(trace, counted.stack)
            if frame is not None:
                under[fr.plain(frame.function)] += counted.count
    return {name: n / total for name, n in under.items()} if total else {}


def of_memory(memory: Memory) -> Said:
    """Of heap and allocs profiles: the share of allocation under untyped decoding, and its largest block.

    Shares alone cannot tell one huge document from many small ones. Sizes can, where the document holds a
    long list or came through a Decoder: a slice, or the Decoder's buffer, is then as large as megabytes. The
    largest is that of the sizes seen more than once: what is read once, at the start, is left out.
    """
    whole = memory.made_bytes
    if not memory.tells_made or memory.samples < MIN_SAMPLES or not whole:
        return Said((), frozenset())
    bytes_of: dict[str, float] = defaultdict(float)
    untyped: dict[str, float] = defaultdict(float)
    sizes: dict[str, dict[float, float]] = defaultdict(lambda: defaultdict(float))
    frames: dict[str, fr.Frame] = {}
    for row in memory.rows:
        if not row.marks & Mark.JSON:
            continue
        frame = fr.caller_of(row.stack, fr.JSON_ENTRY)
        if frame is None:
            continue
        name = fr.plain(frame.function)
        frames.setdefault(name, frame)
        bytes_of[name] += row.made_bytes
        if row.marks & Mark.JSON_UNTYPED:
            untyped[name] += row.made_bytes
        sizes[name][row.size] += row.samples
    out = Sayer(memory.kind, ("decode.untyped_alloc_share",))
    for name in sorted(untyped):
        # A Decoder's buffer grows for typed documents too, and a program may call it for both.
        if untyped[name] < MIN_SHARE * whole or untyped[name] < 0.3 * bytes_of[name]:
            continue
        say = out.about(name, place_of(frames[name]), "alloc_space under the untyped decoder")
        say("decode.untyped_alloc_share", bytes_of[name] / whole, "share")
        again = (size for size, samples in sizes[name].items() if samples >= LARGEST_SAMPLES)
        # An object with any number of keys makes small blocks alone: that there is no large one says nothing.
        if (block := max(again, default=0.0)) >= memory.period_bytes:
            say("decode.untyped_largest_block_kb", block / 1024, "KB")
    return out.done()
