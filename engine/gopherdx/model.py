"""The words of the project as frozen types. The JSON of a diagnosis is these types and nothing else.

Times are nanoseconds (int, ``_ns``) or seconds (float, ``_s``); sizes are bytes; shares lie in 0..1.
Stages exchange these types and know nothing of each other.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal

SCHEMA_VERSION = "1.0"

Json = dict[str, Any]


class Kind(str, Enum):
    """Kinds of artifact (the words of the command line and of every report)."""

    TRACE = "trace"
    CPU = "cpu"
    HEAP = "heap"
    ALLOCS = "allocs"
    MUTEX = "mutex"
    BLOCK = "block"
    GOROUTINE = "goroutine"
    GOROUTINELEAK = "goroutineleak"
    GOROUTINE_DUMP = "goroutine-dump"
    GCTRACE = "gctrace"
    SCHEDTRACE = "schedtrace"
    METRICS = "metrics"


Outcome = Literal["diagnosed", "inconclusive", "healthy", "insufficient"]
Severity = Literal["info", "low", "medium", "high", "critical"]
Level = Literal["likely", "possible"]
Grade = Literal["decisive", "strong", "supporting"]
What = Literal[
    "cpu", "runnable", "gc", "syscall", "lock", "channel", "network", "sleep", "timer", "sync",
    "memory", "other",
]  # fmt: skip

SEVERITIES: tuple[Severity, ...] = ("info", "low", "medium", "high", "critical")
LIKELY = 0.5
POSSIBLE = 0.05
INCONCLUSIVE = 0.3


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value was read: the artifact's kind and a locator inside it (a table, a stack, a metric)."""

    artifact: str
    locator: str = ""


@dataclass(frozen=True, slots=True)
class Location:
    """A place in the code: Go symbol name, and file and line where the artifact has them."""

    function: str
    file: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """One measured, typed statement about a capture.

    ``subject`` joins observations that speak of the same thing: a user's function (Go symbol) in most
    cases, or ``""`` for the whole process. ``place`` is where in the code the subject lies.
    ``note`` is a short phrase that reports may print after the value.
    """

    name: str
    value: float | int | str | bool
    unit: str
    source: Source
    subject: str = ""
    place: Location | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Observations:
    """All that the observe stage has to say.

    ``looked`` names every observation that was looked for and could have been seen in these artifacts:
    only for those does a missing value count as absent. ``kinds`` are the kinds of artifact present. Of
    recordings that were cut (``truncated``) or hold only a moment (``brief``) nothing counts as absent.
    """

    items: tuple[Observation, ...]
    looked: frozenset[str]
    kinds: frozenset[str]
    truncated: bool = False
    go_version: GoRange | None = None
    brief: bool = False


@dataclass(frozen=True, slots=True)
class GoRange:
    """Go versions that an artifact may come from, as ``(1, 23)``; ``header`` is what the artifact says."""

    header: str
    low: tuple[int, int]
    high: tuple[int, int]

    def __str__(self) -> str:
        low, high = (f"{major}.{minor}" for major, minor in (self.low, self.high))
        return f"go {low}" if low == high else f"go {low} to {high}"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a rule concluded for or against an archetype: actual value against the expected one."""

    name: str
    actual: float | int | str | bool | None
    expected: str
    unit: str
    supports: bool
    source: Source
    text: str = ""


@dataclass(frozen=True, slots=True)
class Input:
    """One artifact as it was given; ``process`` names its process (its folder) where there are several."""

    path: str
    kind: str
    go_version: str | None
    bytes: int
    truncated: bool
    warnings: tuple[str, ...] = ()
    process: str | None = None


@dataclass(frozen=True, slots=True)
class Precision:
    """How often findings of this kind were right on captures left out of the fit (Wilson lower bound)."""

    value: float
    lower: float
    programs: int
    captures: int


@dataclass(frozen=True, slots=True)
class Fix:
    """Fix code that was run: before and after, the Go versions it is for, and what to watch."""

    title: str
    before: str
    after: str
    go: str
    safety: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of the corpus that retrieval returned."""

    id: str
    title: str
    score: float
    source: str


@dataclass(frozen=True, slots=True)
class Impact:
    """What the bug costs, as a rate that means something by itself (ms a request, cores, bytes)."""

    value: float
    unit: str
    text: str


@dataclass(frozen=True, slots=True)
class Gain:
    """What the fix is expected to bring, as a range, and the model it comes from."""

    low: float
    high: float
    unit: str
    model: str


@dataclass(frozen=True, slots=True)
class Finding:
    """An archetype that the evidence supports, at one place in the code (of one process among several)."""

    id: str
    slug: str
    title: str
    severity: Severity
    confidence: float
    level: Level
    precision: Precision | None
    location: Location | None
    summary: str
    evidence: tuple[Evidence, ...]
    impact: Impact | None
    gain: Gain | None
    explains: tuple[str, ...]
    signature: str
    cause: str
    fix: tuple[Fix, ...]
    passages: tuple[Passage, ...] = ()
    process: str | None = None


@dataclass(frozen=True, slots=True)
class RuledOut:
    """An archetype below 0.05, with the values that refuted it, the strongest first.

    Of several processes, ``process`` is the one where most spoke for it.
    """

    id: str
    slug: str
    evidence: tuple[Evidence, ...]
    process: str | None = None


@dataclass(frozen=True, slots=True)
class NotJudged:
    """An archetype that these artifacts cannot show: what is missing, and the command that collects it."""

    id: str
    slug: str
    missing: tuple[str, ...]
    collect: str
    process: str | None = None


@dataclass(frozen=True, slots=True)
class NotApplicable:
    """An archetype that the program's Go version does not have."""

    id: str
    slug: str
    because: str


@dataclass(frozen=True, slots=True)
class RuleError:
    """A rule that failed; the archetype it belongs to is neither found nor ruled out."""

    id: str
    slug: str
    rule: str
    line: int | None
    message: str


@dataclass(frozen=True, slots=True)
class Next:
    """What to do next: a capture to take or a question to answer, and which archetypes it separates."""

    kind: Literal["capture", "question"]
    text: str
    command: str | None
    separates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tool:
    """The program that made a diagnosis."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class UnitPart:
    """A part of a unit's length: what it did there ("cpu", "runnable", "lock", "channel", "network",
    "syscall", "gc", "timer", "sleep", "sync", "other": not told, "rest": many small ones together), in which
    function of the user's code (for a lock, the one that held it), and under which call of the unit's."""

    what: str
    function: str
    call: str
    called_at: Location | None
    ns: int
    count: int


@dataclass(frozen=True, slots=True)
class UnitPath:
    """One unit from its start (ns after the recording's) to its end: ``ns`` is the sum of its parts."""

    start_ns: int
    ns: int
    goroutine: int
    parts: tuple[UnitPart, ...]


@dataclass(frozen=True, slots=True)
class Units:
    """Units of work of one kind ("task", "region", "handler", "goroutine", "job", "turn": of a loop over a
    connection), how long they took, and where the time of the slowest and of one in the middle went.

    ``started_at`` is the ``go`` statement of their goroutines, where one place started all of them."""

    kind: str
    name: str
    count: int
    p50_ms: float
    p99_ms: float
    max_ms: float
    slowest: UnitPath
    typical: UnitPath
    started_at: Location | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where time, waiting or memory goes, at one place in the code: what it costs there, and nothing more.

    ``what`` it is spent on; ``reason`` the runtime's own word for it. ``location`` is the innermost function
    of the user's, else of a library; None where nothing tells. ``via`` is the library's function that it
    called ("" for none), as ``sync.(*Mutex).Lock``. ``artifact`` is the kind of file that tells it.

    ``value`` in ``unit``: cores, goroutines (standing there on average over a trace or profile, or at a
    dump's moment), bytes, or s where nothing tells over how long. ``share`` is of all that this artifact
    holds in that unit: of the CPU time used, of the time of all goroutines but the runtime's own and the
    recorder, of the bytes. ``count`` is how many stays, samples, objects or goroutines it was, ``p50_ms``,
    ``p99_ms`` and ``max_ms`` the length of a single stay (the longest may still go on). ``at_start`` and
    ``at_end`` are goroutines that stood there when the recording began and ended, or in the first and last
    dump.

    ``by_design``: waiting that is nobody's loss, as of idle workers, connections and tickers.
    """

    what: What
    reason: str
    location: Location | None
    via: str
    artifact: str
    value: float
    unit: str
    share: float
    count: int
    p50_ms: float | None = None
    p99_ms: float | None = None
    max_ms: float | None = None
    at_start: int | None = None
    at_end: int | None = None
    by_design: bool = False
    process: str | None = None


@dataclass(frozen=True, slots=True)
class Overview:
    """What was recorded, and where its time and memory go. Values that the artifacts do not tell are None.

    ``dominates`` is the first of ``places`` in half a sentence. ``places`` are the largest few of each sort,
    what costs most first and what waits by design last; of several artifacts that show the same, the one that
    tells most comes first. ``goroutines_mean`` counts goroutines but the runtime's own (over a trace, or at a
    dump's moment), ``by_design_mean`` those of them that wait by design. ``running_s`` is the time that
    goroutines and the collector ran, ``on_cpu_s`` what the CPU samples of the same trace add up to (10 ms
    each): far less where there are more Ps than free cores, or where the process is throttled.
    """

    text: str = ""
    kinds: tuple[str, ...] = ()
    go_version: str | None = None
    duration_s: float | None = None
    gomaxprocs: int | None = None
    goroutines_max: int | None = None
    goroutines_end: int | None = None
    cpus_used: float | None = None
    events: int | None = None
    generations: int | None = None
    cpu_samples: int | None = None
    gc_cycles: int | None = None
    heap_max_bytes: int | None = None
    incomplete: tuple[str, ...] = ()
    goroutines_mean: float | None = None
    by_design_mean: float | None = None
    running_s: float | None = None
    on_cpu_s: float | None = None
    dominates: str = ""
    places: tuple[Place, ...] = ()
    units: tuple[Units, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The whole answer. ``to_dict()`` is the JSON of every report format."""

    outcome: Outcome
    summary: str
    inputs: tuple[Input, ...]
    overview: Overview
    findings: tuple[Finding, ...]
    ruled_out: tuple[RuledOut, ...]
    not_judged: tuple[NotJudged, ...]
    not_applicable: tuple[NotApplicable, ...]
    errors: tuple[RuleError, ...]
    next: tuple[Next, ...]
    warnings: tuple[str, ...]
    tool: Tool
    schema_version: str = SCHEMA_VERSION
    figures: Mapping[str, Sequence[Sequence[float]]] = field(default_factory=dict)

    @property
    def likely(self) -> tuple[Finding, ...]:
        """Findings at level likely: what "a finding" means to exit codes, CI and tests."""
        return tuple(f for f in self.findings if f.level == "likely")

    def to_dict(self) -> Json:
        """This diagnosis as plain JSON types, keys in the order of the schema (schema 1.0)."""
        out = _plain(self)
        assert isinstance(out, dict)
        first = ("schema_version", "tool", "outcome", "summary", "inputs", "overview")
        return {k: out[k] for k in first} | {k: v for k, v in out.items() if k not in first}


def _plain(value: object) -> Any:
    """Frozen types to dict, list and scalars; enums to their value."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(v) for v in value]
    if isinstance(value, Enum):
        return value.value
    return value
