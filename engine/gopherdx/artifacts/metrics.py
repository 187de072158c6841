"""Reads metrics of the Go runtime in three forms, and gives all of them the names of runtime/metrics.

    for snapshot in read_metrics(stream, path="metrics.jsonl"):
        snapshot.time_ns, snapshot.values["/sched/goroutines:goroutines"]

- runtime/metrics as JSON: ``{name: number | {"buckets", "counts"}}``, one object a line, ``unix_ns`` where
  known;
- ``/debug/vars`` (package expvar), with ``memstats`` at any depth, also where a program wraps it in its own;
- Prometheus text exposition or OpenMetrics with the names of the standard Go and process collectors
  (client_golang: ``go_memstats_*`` of runtime.MemStats; ``go_gc_*``, ``go_memory_classes_*``, ``go_sched_*``
  of runtime/metrics), whatever else is in it.

A file may hold several snapshots one after another. What a field of runtime.MemStats is in the terms of
runtime/metrics is in GOROOT/src/runtime/mstats.go (readmemstats_m). The process's own figures, which the
runtime does not know, get names of the same make: ``/process/resident_memory:bytes``.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gopherdx.artifacts.sniff import METRICS_LIMIT, is_cut, reason, size_text
from gopherdx.errors import UnreadableInput
from gopherdx.model import GoRange

if TYPE_CHECKING:
    from prometheus_client.samples import Sample

Float64: TypeAlias = NDArray[np.float64]

KEPT_SNAPSHOTS = 1000

_DOCUMENT_BYTES = 16 << 20
_DEPTH = 12
_MAX_NAMES = 5000
_MAX_BUCKETS = 20_000
_MAX_SERIES = 50_000

_NOT_GO = "holds no metrics of the Go runtime"
_GIVE = "give runtime/metrics as JSON, /debug/vars, or a scrape of the Go program"

MetricsForm = Literal["runtime/metrics", "expvar", "prometheus"]


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """``counts`` (N) of values between ``edges`` (N + 1, rising; the outer ones may be infinite)."""

    edges: Float64
    counts: Float64


@dataclass(frozen=True, slots=True, eq=False)
class Metrics:
    """What one process said of itself at one moment.

    ``values`` and ``histograms`` go by the names of runtime/metrics, ``/process/…`` are the process's own.
    ``gc_ends_s`` are the ends of the last collections as Unix seconds, rising (at most 256; only
    ``/debug/vars`` has them). ``time_ns`` is Unix time, 0 where nothing says it. ``program`` is the command's
    name where ``/debug/vars`` has it.
    """

    path: str
    form: MetricsForm
    values: Mapping[str, float]
    histograms: Mapping[str, Histogram]
    gc_ends_s: Float64
    program: str = ""
    go: GoRange | None = None
    time_ns: int = 0
    truncated: bool = False
    warnings: tuple[str, ...] = ()
    kind: Literal["metrics"] = "metrics"


@dataclass(slots=True)
class _Snapshot:
    """A snapshot while it is read; ``memstats`` are fields of runtime.MemStats in lower case, no ``_``."""

    values: dict[str, float] = field(default_factory=dict)
    histograms: dict[str, Histogram] = field(default_factory=dict)
    memstats: dict[str, float] = field(default_factory=dict)
    pause_ends: list[float] = field(default_factory=list)
    program: str = ""
    go: GoRange | None = None
    time_ns: int = 0

    def empty(self) -> bool:
        return not (self.values or self.histograms or self.memstats)


def read_metrics(source: BinaryIO, *, path: str, limit_bytes: int = METRICS_LIMIT) -> tuple[Metrics, ...]:
    """Every snapshot in a file (inflated, at its start), at least one, as they stand in it.

    Of more than ``KEPT_SNAPSHOTS`` an even choice is kept, the first and the last among them. Raises
    ``UnreadableInput`` where there is none, where the metrics are of several processes, or where the file
    holds more than ``limit_bytes``.
    """
    text = _text(source, path, limit_bytes)
    warnings: list[str] = ["the file ends in the middle"] if is_cut(source) else []
    form: MetricsForm
    if text.lstrip("\ufeff \t\r\n")[:1] in ("{", "["):
        snapshots = [s for s in _of_json(text, warnings) if not s.empty()]
        form = "expvar" if any(s.memstats for s in snapshots) else "runtime/metrics"
    else:
        snapshots = [s for s in _of_prometheus(text, path, warnings) if not s.empty()]
        form = "prometheus"
    if not snapshots:
        raise UnreadableInput(_NOT_GO, where=path, todo=_GIVE)
    kept = _even(snapshots, warnings)
    truncated = any("ends in the middle" in w for w in warnings)
    return tuple(_frozen(s, path, form, truncated, tuple(warnings)) for s in kept)


def _text(source: BinaryIO, path: str, limit: int) -> str:
    try:
        data = source.read(limit + 1)
    except OSError as error:
        raise UnreadableInput(reason(error), where=path, todo="copy it again") from None
    if len(data) > limit:
        raise UnreadableInput(
            f"holds metrics of more than {size_text(limit)}",
            where=path,
            todo="give the first and last snapshot",
        )
    return data.decode("utf-8", "replace")


def _even(snapshots: list[_Snapshot], warnings: list[str]) -> list[_Snapshot]:
    count = len(snapshots)
    if count <= KEPT_SNAPSHOTS:
        return snapshots
    warnings.append(f"of {count:,} snapshots {KEPT_SNAPSHOTS:,} are read, evenly spaced")
    return [snapshots[at * (count - 1) // (KEPT_SNAPSHOTS - 1)] for at in range(KEPT_SNAPSHOTS)]


def _frozen(
    snapshot: _Snapshot, path: str, form: MetricsForm, truncated: bool, warnings: tuple[str, ...]
) -> Metrics:
    values = dict(snapshot.values)
    for name, value in _of_memstats(snapshot.memstats).items():
        values.setdefault(name, value)
    ends = np.array(sorted({end for end in snapshot.pause_ends if end > 0}), np.float64)
    ends.flags.writeable = False
    return Metrics(
        path=path,
        form=form,
        values={name: values[name] for name in sorted(values)},
        histograms={name: snapshot.histograms[name] for name in sorted(snapshot.histograms)},
        gc_ends_s=ends,
        program=snapshot.program,
        go=snapshot.go,
        time_ns=snapshot.time_ns,
        truncated=truncated,
        warnings=warnings,
    )


def _number(value: object) -> float | None:
    """A JSON number, or one that JSON cannot hold as text (``"+Inf"``); None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if isinstance(value, str) and value.strip().lower() not in _SPECIAL:
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


_SPECIAL = frozenset({"+inf", "-inf", "inf", "nan"})


def _histogram(edges: Iterable[object], counts: Iterable[object]) -> Histogram | None:
    bounds, numbers = [_number(e) for e in edges], [_number(c) for c in counts]
    if None in bounds or None in numbers or not 1 <= len(numbers) <= _MAX_BUCKETS:
        return None
    if len(bounds) != len(numbers) + 1:
        return None
    edge, count = np.array(bounds, np.float64), np.array(numbers, np.float64)
    if not (edge[1:] > edge[:-1]).all() or not np.isfinite(count).all() or (count < 0).any():
        return None
    edge.flags.writeable = count.flags.writeable = False
    return Histogram(edge, count)


# JSON ---------------------------------------------------------------------------------------------------

_NAME = re.compile(r"/[a-z][\w./-]{0,200}:[\w*/-]{1,60}")
_PROGRAM = re.compile(r"[^/\\]{1,60}$")


def _of_json(text: str, warnings: list[str]) -> Iterator[_Snapshot]:
    for document in _documents(text, warnings):
        for value in document if isinstance(document, list) else [document]:
            if isinstance(value, dict):
                snapshot = _Snapshot()
                _collect(value, snapshot, 0)
                yield snapshot


def _documents(text: str, warnings: list[str]) -> Iterator[Any]:
    """One JSON value after another, on lines of their own or not; what follows damage is left out."""
    decoder = json.JSONDecoder()
    at, end = 0, len(text)
    while True:
        while at < end and text[at] in " \t\r\n,\ufeff\x1e":
            at += 1
        if at == end:
            return
        # A value of many small parts takes a hundred times its length in memory.
        cut = end if end - at <= _DOCUMENT_BYTES else text.rfind("\n", at, at + _DOCUMENT_BYTES) + 1
        try:
            value, at = decoder.raw_decode(text[:cut] if cut < end else text, at)
        except (ValueError, RecursionError):
            warnings.append(
                "the file ends in the middle of a snapshot, or is damaged there; the rest is left out"
            )
            return
        yield value


def _collect(value: dict[str, Any], into: _Snapshot, depth: int) -> None:
    """Take what is known out of an object and the objects in it; what stands nearer the top speaks first."""
    inner: list[Any] = []
    _header(value, into, depth)
    for key, item in value.items():
        if _NAME.fullmatch(key):
            _metric(key, item, into)
        elif key == "cmdline" and isinstance(item, list) and item and isinstance(item[0], str):
            program = _PROGRAM.search(item[0])
            into.program = into.program or (program[0] if program else "")
        elif key.lower() in _GOROUTINES and (count := _number(item)) is not None and count >= 0:
            into.values.setdefault("/sched/goroutines:goroutines", count)
        elif isinstance(item, dict):
            # "memstats" is the runtime's own; an object of the program's that looks like it comes after.
            inner.insert(0, item) if key == "memstats" else inner.append(item)
        elif isinstance(item, list) and len(item) <= _MAX_NAMES:
            inner += [i for i in item if isinstance(i, dict)]
    _memstats(value, into)
    if depth < _DEPTH:
        for item in inner:
            _collect(item, into, depth + 1)


_GOROUTINES = frozenset({"numgoroutine", "num_goroutine", "goroutines", "goroutine_count"})


def _header(value: dict[str, Any], into: _Snapshot, depth: int) -> None:
    unix = _number(value.get("unix_ns"))
    if depth == 0 and unix is not None and 0 < unix < 2**63 - 1024:
        into.time_ns = int(value["unix_ns"])
    go = value.get("go_version")
    if isinstance(go, str) and into.go is None:
        into.go = _go_range(go)


def _metric(name: str, item: object, into: _Snapshot) -> None:
    if len(into.values) + len(into.histograms) >= _MAX_NAMES:
        return
    number = _number(item)
    if number is not None:
        if not math.isnan(number):
            into.values.setdefault(name, number)
    elif isinstance(item, dict):
        edges, counts = item.get("buckets"), item.get("counts")
        if isinstance(edges, list) and isinstance(counts, list):
            histogram = _histogram(edges, counts)
            if histogram is not None:
                into.histograms.setdefault(name, histogram)


def _memstats(value: dict[str, Any], into: _Snapshot) -> None:
    """runtime.MemStats as encoding/json writes it, or in a program's own spelling (``heap_alloc``)."""
    fields = {key.replace("_", "").lower(): item for key, item in value.items() if len(key) < 40}
    if into.memstats or not {"heapalloc", "heapidle", "heapsys"} <= fields.keys():
        return
    for name in _MEMSTATS:
        number = _number(fields.get(name))
        if number is not None and 0 <= number < math.inf:
            into.memstats[name] = number
    ends = fields.get("pauseend")
    if isinstance(ends, list) and len(ends) <= 256:
        into.pause_ends = [n / 1e9 for n in map(_number, ends) if n is not None and 0 < n < 2**63]


_MEMSTATS = (
    "alloc totalalloc sys heapalloc heapsys heapidle heapinuse heapreleased heapobjects stackinuse stacksys "
    "mspaninuse mspansys mcacheinuse mcachesys buckhashsys gcsys othersys nextgc lastgc pausetotalns numgc "
    "numforcedgc gccpufraction"
).split()

_SAME = {
    "heapalloc": "/memory/classes/heap/objects:bytes",
    "heapreleased": "/memory/classes/heap/released:bytes",
    "heapobjects": "/gc/heap/objects:objects",
    "totalalloc": "/gc/heap/allocs:bytes",
    "sys": "/memory/classes/total:bytes",
    "stackinuse": "/memory/classes/heap/stacks:bytes",
    "mspaninuse": "/memory/classes/metadata/mspan/inuse:bytes",
    "mcacheinuse": "/memory/classes/metadata/mcache/inuse:bytes",
    "buckhashsys": "/memory/classes/profiling/buckets:bytes",
    "gcsys": "/memory/classes/metadata/other:bytes",
    "othersys": "/memory/classes/other:bytes",
    "nextgc": "/gc/heap/goal:bytes",
    "numgc": "/gc/cycles/total:gc-cycles",
    "numforcedgc": "/gc/cycles/forced:gc-cycles",
    # No metric of the runtime's: the collector's share of the CPU since start, idle marking left out.
    "gccpufraction": "/gc/cpu-fraction:share",
}
_DIFFERENCES = {
    "/memory/classes/heap/free:bytes": ("heapidle", "heapreleased"),
    "/memory/classes/heap/unused:bytes": ("heapinuse", "heapalloc"),
    "/memory/classes/os-stacks:bytes": ("stacksys", "stackinuse"),
    "/memory/classes/metadata/mspan/free:bytes": ("mspansys", "mspaninuse"),
    "/memory/classes/metadata/mcache/free:bytes": ("mcachesys", "mcacheinuse"),
}
LAST_GC = "/gc/last-end:unix-seconds"


def _of_memstats(stats: Mapping[str, float]) -> dict[str, float]:
    out = {name: stats[stat] for stat, name in _SAME.items() if stat in stats}
    for name, (whole, part) in _DIFFERENCES.items():
        if whole in stats and part in stats:
            out[name] = max(stats[whole] - stats[part], 0.0)
    if stats.get("lastgc"):
        out[LAST_GC] = stats["lastgc"] / 1e9
    return out


# Prometheus ---------------------------------------------------------------------------------------------

_RUNTIME = """
/cgo/go-to-c-calls:calls /cpu/classes/gc/mark/assist:cpu-seconds /cpu/classes/gc/mark/dedicated:cpu-seconds
/cpu/classes/gc/mark/idle:cpu-seconds /cpu/classes/gc/pause:cpu-seconds /cpu/classes/gc/total:cpu-seconds
/cpu/classes/idle:cpu-seconds /cpu/classes/scavenge/assist:cpu-seconds
/cpu/classes/scavenge/background:cpu-seconds /cpu/classes/scavenge/total:cpu-seconds
/cpu/classes/total:cpu-seconds /cpu/classes/user:cpu-seconds /gc/cleanups/executed:cleanups
/gc/cleanups/queued:cleanups /gc/cycles/automatic:gc-cycles /gc/cycles/forced:gc-cycles
/gc/cycles/total:gc-cycles /gc/finalizers/executed:finalizers /gc/finalizers/queued:finalizers
/gc/gogc:percent /gc/gomemlimit:bytes /gc/heap/allocs-by-size:bytes /gc/heap/allocs:bytes
/gc/heap/allocs:objects /gc/heap/frees-by-size:bytes /gc/heap/frees:bytes /gc/heap/frees:objects
/gc/heap/goal:bytes /gc/heap/live:bytes /gc/heap/objects:objects /gc/heap/tiny/allocs:objects
/gc/limiter/last-enabled:gc-cycle /gc/pauses:seconds /gc/scan/globals:bytes /gc/scan/heap:bytes
/gc/scan/stack:bytes /gc/scan/total:bytes /gc/stack/starting-size:bytes /memory/classes/heap/free:bytes
/memory/classes/heap/objects:bytes /memory/classes/heap/released:bytes /memory/classes/heap/stacks:bytes
/memory/classes/heap/unused:bytes /memory/classes/metadata/mcache/free:bytes
/memory/classes/metadata/mcache/inuse:bytes /memory/classes/metadata/mspan/free:bytes
/memory/classes/metadata/mspan/inuse:bytes /memory/classes/metadata/other:bytes
/memory/classes/os-stacks:bytes /memory/classes/other:bytes /memory/classes/profiling/buckets:bytes
/memory/classes/total:bytes /sched/gomaxprocs:threads /sched/goroutines-created:goroutines
/sched/goroutines/not-in-go:goroutines /sched/goroutines/runnable:goroutines
/sched/goroutines/running:goroutines /sched/goroutines/waiting:goroutines /sched/goroutines:goroutines
/sched/latencies:seconds /sched/pauses/stopping/gc:seconds /sched/pauses/stopping/other:seconds
/sched/pauses/total/gc:seconds /sched/pauses/total/other:seconds /sched/threads/total:threads
/sync/mutex/wait/total:seconds
""".split()


def _prometheus_name(name: str) -> str:
    """A runtime metric as the Go collector calls it (client_golang, RuntimeMetricsToProm), without _total."""
    return "go" + re.sub(r"[/:-]", "_", name)


_OF_PROMETHEUS: dict[str, str] = {_prometheus_name(name): name for name in _RUNTIME} | {
    "go_goroutines": "/sched/goroutines:goroutines",
    "go_threads": "/process/threads:threads",
    "go_gc_duration_seconds_count": "/gc/cycles/total:gc-cycles",
    "go_gc_duration_seconds_sum": "/gc/pauses/total:seconds",
    "go_memstats_last_gc_time_seconds": LAST_GC,
    "process_cpu_seconds": "/process/cpu:cpu-seconds",
    "process_resident_memory_bytes": "/process/resident_memory:bytes",
    "process_virtual_memory_bytes": "/process/virtual_memory:bytes",
    "process_start_time_seconds": "/process/start_time:unix-seconds",
    "process_open_fds": "/process/open_fds:files",
    "process_max_fds": "/process/max_fds:files",
}
_STATS_OF_PROMETHEUS = {
    "go_memstats_alloc_bytes_total": "totalalloc",
    "go_memstats_heap_alloc_bytes": "heapalloc",
    "go_memstats_heap_sys_bytes": "heapsys",
    "go_memstats_heap_idle_bytes": "heapidle",
    "go_memstats_heap_inuse_bytes": "heapinuse",
    "go_memstats_heap_released_bytes": "heapreleased",
    "go_memstats_heap_released_bytes_total": "heapreleased",
    "go_memstats_heap_objects": "heapobjects",
    "go_memstats_stack_inuse_bytes": "stackinuse",
    "go_memstats_stack_sys_bytes": "stacksys",
    "go_memstats_mspan_inuse_bytes": "mspaninuse",
    "go_memstats_mspan_sys_bytes": "mspansys",
    "go_memstats_mcache_inuse_bytes": "mcacheinuse",
    "go_memstats_mcache_sys_bytes": "mcachesys",
    "go_memstats_buck_hash_sys_bytes": "buckhashsys",
    "go_memstats_gc_sys_bytes": "gcsys",
    "go_memstats_other_sys_bytes": "othersys",
    "go_memstats_sys_bytes": "sys",
    "go_memstats_next_gc_bytes": "nextgc",
    "go_memstats_gc_cpu_fraction": "gccpufraction",
}
_SERIES = re.compile(r"(?P<name>(?:go|process)_\w{1,200})(?P<labels>\{[^\n]{0,4000}?\})?[ \t]+\S")
_SUFFIX = re.compile(r"_(?:total|bucket|sum|count)$")
# Labels that tell series of one process apart, not processes.
_WITHIN = frozenset({"quantile", "le", "version", "__name__"})

_Process: TypeAlias = tuple[tuple[str, str], ...]


def _of_prometheus(text: str, path: str, warnings: list[str]) -> Iterator[_Snapshot]:
    snapshots: list[dict[_Process, list[Sample]]] = [{}]
    seen: set[object] = set()
    for sample in _samples(text, warnings):
        process = tuple(sorted((k, v) for k, v in sample.labels.items() if k not in _WITHIN))
        within = tuple(sorted((k, v) for k, v in sample.labels.items() if k in _WITHIN))
        key = (sample.name, process, within)
        if key in seen:  # no exposition holds a series twice: here the next scrape begins
            snapshots.append({})
            seen.clear()
        seen.add(key)
        snapshots[-1].setdefault(process, []).append(sample)
    chosen = _one_process(snapshots, path, warnings)
    for processes in snapshots:
        if chosen in processes:
            yield _snapshot(processes[chosen])


def _samples(text: str, warnings: list[str]) -> list[Sample]:
    """The samples of the Go and process collectors. Lines of others are not parsed: they may be wrong."""
    open_metrics = bool(re.search(r"^# (?:EOF|UNIT )", text, re.MULTILINE))
    lines: list[str] = []
    for line in text.splitlines():
        match = _SERIES.match(line)
        if match is None or not _known(match["name"]):
            continue
        # An exemplar follows a sample of OpenMetrics after " # ".
        lines.append(line.split(" # ", 1)[0] if open_metrics else line)
        if len(lines) > _MAX_SERIES:
            warnings.append(f"only the first {_MAX_SERIES:,} series of the Go runtime are read")
            break
    samples, damaged = _parsed(lines)
    if damaged:
        warnings.append(f"{damaged:,} lines of metrics are damaged and left out")
    if open_metrics:  # its times are seconds, those of the text format milliseconds
        samples = [
            s._replace(timestamp=float(s.timestamp) * 1000) if s.timestamp is not None else s for s in samples
        ]
    return samples


def _parsed(lines: list[str]) -> tuple[list[Sample], int]:
    from prometheus_client.parser import text_string_to_metric_families as families

    def parse(text: str) -> list[Sample]:
        return [sample for family in families(text) for sample in family.samples]

    try:
        return parse("\n".join(lines) + "\n"), 0
    except (ValueError, IndexError, KeyError, TypeError):
        pass
    out: list[Sample] = []
    damaged = 0
    for line in lines:
        try:
            out += parse(line + "\n")
        except (ValueError, IndexError, KeyError, TypeError):
            damaged += 1
    return out, damaged


def _known(name: str) -> bool:
    return (
        name in _OF_PROMETHEUS
        or name in _STATS_OF_PROMETHEUS
        or name == "go_info"
        or _SUFFIX.sub("", name) in _OF_PROMETHEUS
        or _SUFFIX.sub("", _SUFFIX.sub("", name)) in _OF_PROMETHEUS
    )


def _one_process(snapshots: list[dict[_Process, list[Sample]]], path: str, warnings: list[str]) -> _Process:
    """The labels of the one Go process in an exposition.

    Programs that are not written in Go may have process_* figures too, but no go_* ones.
    """
    told = {p for s in snapshots for p, samples in s.items()}
    go = sorted(
        {
            p
            for s in snapshots
            for p, samples in s.items()
            if sum(x.name.startswith("go_") and x.name != "go_info" for x in samples) >= 1
        }
    )
    if len(go) > 1:
        raise UnreadableInput(
            f"holds the metrics of {len(go):,} Go processes",
            where=path,
            todo=f"give those of one ({_labels(go[0])} is the first)",
        )
    if not go:
        raise UnreadableInput(_NOT_GO, where=path, todo=_GIVE)
    if len(told) > 1:
        warnings.append(
            f"of {len(told):,} sets of labels the one with Go's metrics is read ({_labels(go[0])})"
        )
    return go[0]


def _labels(process: _Process) -> str:
    text = ", ".join(f"{key}={value}" for key, value in process) or "without labels"
    return text if len(text) <= 100 else text[:99] + "…"


def _snapshot(samples: list[Sample]) -> _Snapshot:
    out = _Snapshot()
    buckets: dict[str, list[tuple[float, float]]] = {}
    for sample in samples:
        if sample.timestamp is not None and 0 < float(sample.timestamp) < 2**33:
            out.time_ns = max(out.time_ns, int(float(sample.timestamp) * 1e9))
        if sample.name == "go_info":
            out.go = out.go or _go_range(sample.labels.get("version", ""))
        elif math.isnan(sample.value):
            continue
        elif sample.name in _STATS_OF_PROMETHEUS:
            if 0 <= sample.value < math.inf:
                out.memstats[_STATS_OF_PROMETHEUS[sample.name]] = sample.value
        elif "le" in sample.labels:
            name = _name_of(sample.name.removesuffix("_bucket"))
            edge = _le(sample.labels["le"])
            if name and edge is not None:
                buckets.setdefault(name, []).append((edge, sample.value))
        elif "quantile" not in sample.labels and (name := _name_of(sample.name)):
            out.values[name] = sample.value
    for name, pairs in buckets.items():
        pairs.sort()
        edges = [-math.inf, *(edge for edge, _ in pairs)]
        counts = np.diff([0.0, *(count for _, count in pairs)]).tolist()
        histogram = _histogram(edges, counts)
        if histogram is not None:
            out.histograms[name] = histogram
    return out


def _le(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _name_of(name: str) -> str | None:
    return _OF_PROMETHEUS.get(name) or _OF_PROMETHEUS.get(name.removesuffix("_total"))


_GO = re.compile(r"\bgo(1)\.(\d{1,3})")


def _go_range(text: str) -> GoRange | None:
    """``go1.23.4`` (also ``devel go1.24-1234`` and ``go1.22.3 X:…``) as a range of one release."""
    match = _GO.search(text)
    if match is None:
        return None
    release = (int(match[1]), int(match[2]))
    return GoRange(f"go{release[0]}.{release[1]}", release, release)
