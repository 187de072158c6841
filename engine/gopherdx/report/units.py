"""Units of work in words: how many, how long, and what the slowest and a typical one did."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath

from gopherdx import frames as fr
from gopherdx.model import UnitPart, UnitPath, Units
from gopherdx.report.numbers import quantity

KINDS_TOLD = 3
PARTS_TOLD = 5
SMALL = 0.03  # of a unit: parts below are told together
NOTHING = 0.001  # of a unit: what is left over and not worth a word
_LITERAL = re.compile(r"\.func\d+(?:\.\d+)*$")
_ONE = {
    "task": "task{s} {name}",
    "region": "region{s} {name}",
    "job": "job{s} of {name}",
    "turn": "turn{s} of the loop in {name}",
    "goroutine": "goroutine{s} {name}",
    "handler": "request{s} to {name}",
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
        yield "  ", f"{_named(kind)}: {_lengths(kind)}"
        yield "    slowest  " if kind.count > 1 else "    ", _path(kind.slowest, kind.name)
        if kind.count > 1:
            yield "    typical  ", _path(kind.typical, kind.name)


def _named(kind: Units) -> str:
    """How many of what, and where goroutines were started whose function has no name of its own."""
    marked = kind.kind in ("task", "region")
    name = kind.name if marked else fr.short(kind.name)
    text = f"{kind.count:,} " + _ONE[kind.kind].format(s="" if kind.count == 1 else "s", name=name)
    at = kind.started_at
    if at is not None and at.file and at.line and _LITERAL.search(kind.name):
        text += f", started at {PurePath(at.file).name}:{at.line}"
    return text


def _lengths(kind: Units) -> str:
    p50, p99, most = (quantity(ms, "ms") for ms in (kind.p50_ms, kind.p99_ms, kind.max_ms))
    if kind.count == 1:
        return most
    return f"p50 {p50}, p99 {p99}, at most {most}" if kind.count > 2 else f"at most {most}"


def _path(path: UnitPath, name: str) -> str:
    large = [part for part in path.parts if part.what != "rest" and part.ns >= SMALL * path.ns][:PARTS_TOLD]
    rest_ns = path.ns - sum(part.ns for part in large)
    told = [_part(part, name) for part in large]
    if rest_ns >= NOTHING * path.ns:
        told.append(f"{quantity(rest_ns, 'ns')} {_WHAT['rest']}")
    whole = f"{quantity(path.ns, 'ns')} = " if len(told) > 1 else ""  # one part is the whole
    return whole + " + ".join(told)


def _part(part: UnitPart, name: str) -> str:
    """One part; of what the unit's own function did it is not said again where."""
    what = _WHAT[part.what]
    length = quantity(part.ns, "ns")
    if part.what == "lock":
        text = f"{length} {what.format(fr.short(part.function) or 'another goroutine')}"
    elif not part.function:
        text = f"{length} {what}"
    else:
        text = f"{length} {what}" + ("" if part.function == name else f" in {fr.short(part.function)}")
    if part.called_at is None or not part.call:
        return text
    at = part.called_at
    line = f"{PurePath(at.file).name}:{at.line}" if at.file and at.line else fr.short(at.function)
    called = "" if part.call == part.function else f"{fr.short(part.call)}, "
    return f"{text} ({called}{line})"
