"""Small pprof files, written field by field (github.com/google/pprof, profile.proto)."""

from __future__ import annotations

import gzip
from collections.abc import Sequence

from tests.support.traces import varint


def pprof_bytes(
    *types: tuple[str, str],
    stack: Sequence[str] = ("main.work", "main.main"),
    values: Sequence[int] | None = None,
    default: str = "",
    period: tuple[str, str] | None = None,
) -> bytes:
    """A gzipped profile with one sample, of 1 in every column or ``values``; ``stack`` is leaf first."""
    strings = [""]

    def text(value: str) -> int:
        if value not in strings:
            strings.append(value)
        return strings.index(value)

    body = b"".join(_message(1, _number(1, text(t)) + _number(2, text(u))) for t, u in types)
    locations = range(1, len(stack) + 1)
    sample = b"".join(_number(1, i) for i in locations) + b"".join(
        _number(2, v) for v in values or [1] * len(types)
    )
    body += _message(2, sample)
    for i, function in enumerate(stack, 1):
        body += _message(4, _number(1, i) + _message(4, _number(1, i) + _number(2, 7)))
        body += _message(5, _number(1, i) + _number(2, text(function)) + _number(4, text("/src/main.go")))
    if period is not None:
        body += _message(11, _number(1, text(period[0])) + _number(2, text(period[1]))) + _number(12, 1)
    if default:
        body += _number(14, text(default))
    body += b"".join(_message(6, s.encode()) for s in strings)
    return gzip.compress(body, mtime=0)


def cpu_profile() -> bytes:
    """What runtime/pprof writes for a CPU profile."""
    return pprof_bytes(("samples", "count"), ("cpu", "nanoseconds"), period=("cpu", "nanoseconds"))


def heap_profile(*values: int) -> bytes:
    """What runtime/pprof writes for a heap profile; ``values`` are what was allocated and what is in use."""
    return pprof_bytes(
        ("alloc_objects", "count"),
        ("alloc_space", "bytes"),
        ("inuse_objects", "count"),
        ("inuse_space", "bytes"),
        default="inuse_space",
        period=("space", "bytes"),
        values=values or None,
    )


def contention_profile(leaf: str = "sync.(*Mutex).Unlock", *values: int) -> bytes:
    """What runtime/pprof writes for a mutex or a block profile; the leaf tells them apart."""
    return pprof_bytes(
        ("contentions", "count"),
        ("delay", "nanoseconds"),
        stack=(leaf, "main.work"),
        period=("contentions", "count"),
        values=values or None,
    )


def _number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def _message(field: int, content: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(content)) + content
