"""Units of work in words: how many, how long, and what the slowest and a typical one did."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePath

from gopherdx.model import UnitPart, UnitPath, Units
from gopherdx.report.numbers import quantity

KINDS_TOLD = 3
PARTS_TOLD = 5
SMALL = 0.03  # of a unit: parts below are told together
_ONE = {
    "job": "jobs of {}",
    "turn": "turns of the loop in {}",
    "goroutine": "goroutines {}",
    "handler": "requests to {}",
}
_WHAT = {
    "cpu": "on CPU",
    "runnable": "waiting for a P",
    "lock": "waiting for a lock that {} held",
    "network": "waiting for the network",
    "channel": "waiting on a channel",
    "syscall": "in system calls",
    "gc": "helping the collector",
    "timer": "waiting for a timer",
    "sleep": "asleep",
    "sync": "waiting for other goroutines",
    "other": "waiting for what this trace does not tell",
    "rest": "in smaller parts",
}


def told(units: Sequence[Units]) -> Iterator[tuple[str, str]]:
    """Lines, each a head to stand before and a text to stand beside it."""
    for kind in units[:KINDS_TOLD]:
        named = _ONE.get(kind.kind, kind.kind + "s {}").format(kind.name)
        p50, p99, most = (quantity(ms, "ms") for ms in (kind.p50_ms, kind.p99_ms, kind.max_ms))
        yield "  ", f"{kind.count:,} {named}: p50 {p50}, p99 {p99}, at most {most}"
        yield "    slowest  ", _path(kind.slowest)
        if kind.count > 1:
            yield "    typical  ", _path(kind.typical)


def _path(path: UnitPath) -> str:
    large = [part for part in path.parts if part.what != "rest" and part.ns >= SMALL * path.ns][:PARTS_TOLD]
    rest_ns = path.ns - sum(part.ns for part in large)
    told = [_part(part) for part in large]
    if rest_ns > 0:
        told.append(f"{quantity(rest_ns, 'ns')} {_WHAT['rest']}")
    return f"{quantity(path.ns, 'ns')} = " + " + ".join(told)


def _part(part: UnitPart) -> str:
    what = _WHAT[part.what]
    length = quantity(part.ns, "ns")
    if part.what == "lock":
        text = f"{length} {what.format(part.function or 'another goroutine')}"
    else:
        text = f"{length} {what}" + (f" in {part.function}" if part.function else "")
    if part.called_at is None or not part.call:
        return text
    at = part.called_at
    line = f"{PurePath(at.file).name}:{at.line}" if at.file and at.line else at.function
    called = "" if part.call == part.function else f"{part.call}, "
    return f"{text} ({called}{line})"
