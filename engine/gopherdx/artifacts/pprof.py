"""Reads pprof profiles into frozen NumPy columns, and folds them by function and by stack.

    profile = read_profile(data, path="heap.pb.gz")
    profile.kind, profile.sample_types, profile.totals()
    fold(profile, profile.value_index("inuse_space")).top(10)

The format is profile.proto of google/pprof; the checks are those of its reference reader (``profile.Parse``
and ``Profile.CheckValid`` in cmd/vendor/github.com/google/pprof/profile of a Go installation). What Go's own
runtime writes for each kind is in GOROOT/src/runtime/pprof.

Samples stay as they are in the file, equal ones apart and those that are all 0 too, as ``go tool pprof -raw``
prints them.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from gopherdx.artifacts.pprof_wire import MAX_RECORDS, ONE_FILE_EACH, DamagedError, parse, payloads, refusal
from gopherdx.artifacts.sniff import PROFILE_LIMIT
from gopherdx.errors import UnreadableInput
from gopherdx.frames import Frame

if TYPE_CHECKING:
    from gopherdx.artifacts import profile_pb2 as pb

Int64: TypeAlias = NDArray[np.int64]
Int32: TypeAlias = NDArray[np.int32]
UInt64: TypeAlias = NDArray[np.uint64]

_Scalar = TypeVar("_Scalar", bound=np.generic)

ProfileKind = Literal[
    "cpu", "heap", "allocs", "mutex", "block", "mutex or block", "goroutine", "goroutineleak", "other"
]
"""The artifact kinds of a pprof. ``mutex or block``: the two look alike and no frame told them apart."""

_MAX_FRAMES = 20_000_000
_FOLD_FRAMES = 2_000_000

UNKNOWN_FUNCTION = "<unknown>"


class ValueType(NamedTuple):
    """What a column of values counts, as ``("inuse_space", "bytes")``."""

    type: str
    unit: str


class Label(NamedTuple):
    """A label of a sample: ``text`` for one set by ``pprof.Do``, else ``number`` (``unit`` may be empty)."""

    key: str
    text: str | None
    number: int | None
    unit: str


class Mapping(NamedTuple):
    """A file mapped into the process, and which symbols the profile claims to hold for it."""

    start: int
    limit: int
    offset: int
    file: str
    build_id: str
    has_functions: bool
    has_filenames: bool
    has_line_numbers: bool
    has_inline_frames: bool


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """A pprof profile. All arrays are read-only.

    With S samples, T sample types, L locations and F functions: ``values`` is S x T. Sample i has the
    locations ``sample_locations[sample_offsets[i]:sample_offsets[i + 1]]``, leaf first, as indices 0..L-1.
    Location j has the lines ``location_offsets[j]`` up to ``location_offsets[j + 1]`` of ``line_functions``
    (indices 0..F-1) and ``line_numbers``, innermost inlined function first; every location has at least one,
    made up from its mapping where the profile has no name (``location_named`` is false there).
    ``location_mappings`` is -1 where there is none. Labels are columns over ``label_offsets``; texts, keys
    and units are indices into ``strings``, and a text of 0 means a number.

    ``kind`` is what the content says; a caller who knows better (``--mutex-profile``) replaces it.
    ``time_ns`` is Unix time, 0 where unknown; ``duration_ns`` is 0 for a snapshot. ``symbolized`` is false
    where no location that a sample uses has a function name.
    """

    path: str
    kind: ProfileKind
    sample_types: tuple[ValueType, ...]
    default_sample_type: str
    period_type: ValueType
    period: int
    time_ns: int
    duration_ns: int
    comments: tuple[str, ...]
    drop_frames: str
    keep_frames: str
    mappings: tuple[Mapping, ...]
    symbolized: bool
    warnings: tuple[str, ...]
    values: Int64
    sample_offsets: Int64
    sample_locations: Int32
    location_addresses: UInt64
    location_mappings: Int32
    location_named: NDArray[np.bool_]
    location_offsets: Int64
    line_functions: Int32
    line_numbers: Int64
    function_names: tuple[str, ...]
    function_files: tuple[str, ...]
    function_start_lines: Int64
    label_offsets: Int64
    label_keys: Int64
    label_texts: Int64
    label_numbers: Int64
    label_units: Int64
    strings: tuple[str, ...]

    def __len__(self) -> int:
        """Number of samples."""
        return len(self.values)

    @property
    def default_index(self) -> int:
        """Column that a reader shows first: the default sample type, else the last (as ``go tool pprof``)."""
        types = [value_type.type for value_type in self.sample_types]
        return types.index(self.default_sample_type) if self.default_sample_type in types else len(types) - 1

    @property
    def cpu_index(self) -> int:
        """Column of CPU time in a CPU profile; the default one where none is called so."""
        types = [value_type.type for value_type in self.sample_types]
        return types.index("cpu") if "cpu" in types else self.default_index

    @property
    def cpu_period(self) -> int:
        """What one sample adds to the column of CPU time; 1 where that column counts samples."""
        return max(1, self.period) if self.sample_types[self.cpu_index].unit == "nanoseconds" else 1

    def value_index(self, type_name: str) -> int:
        """Column of ``values`` for a sample type such as ``"delay"``; KeyError where the profile has none."""
        for index, value_type in enumerate(self.sample_types):
            if value_type.type == type_name:
                return index
        raise KeyError(type_name)

    def totals(self) -> tuple[int, ...]:
        """Sum of each column of ``values``, in the order of ``sample_types``. Exact."""
        return tuple(int(total) for total in self.values.sum(axis=0, dtype=np.int64))

    def location_frames(self, location: int) -> tuple[Frame, ...]:
        """Frames of one location, innermost first.

        Without symbols a frame is ``[file of the mapping]`` or ``<unknown>``, line 0.
        """
        lines = range(int(self.location_offsets[location]), int(self.location_offsets[location + 1]))
        return tuple(self._frame(line) for line in lines)

    def frames(self, sample: int) -> tuple[Frame, ...]:
        """The stack of one sample, leaf first, inlined functions expanded."""
        locations = self.sample_locations[self.sample_offsets[sample] : self.sample_offsets[sample + 1]]
        return tuple(chain.from_iterable(self.location_frames(int(location)) for location in locations))

    def labels(self, sample: int) -> tuple[Label, ...]:
        """The labels of one sample in the order of the file; a key may come more than once."""
        rows = range(int(self.label_offsets[sample]), int(self.label_offsets[sample + 1]))
        return tuple(self._label(row) for row in rows)

    def by_stack(self, value_index: int) -> dict[tuple[Frame, ...], int]:
        """Sum column ``value_index`` by stack, leaf first, in order of appearance; labels are ignored."""
        table = [self.location_frames(location) for location in range(len(self.location_addresses))]
        offsets, locations = self.sample_offsets.tolist(), self.sample_locations.tolist()
        sums: dict[tuple[Frame, ...], int] = {}
        for sample, value in enumerate(self.values[:, value_index].tolist()):
            of_sample = locations[offsets[sample] : offsets[sample + 1]]
            stack = tuple(chain.from_iterable([table[location] for location in of_sample]))
            sums[stack] = sums.get(stack, 0) + value
        return sums

    def _frame(self, line: int) -> Frame:
        function = int(self.line_functions[line])
        return Frame(
            self.function_names[function], self.function_files[function], int(self.line_numbers[line])
        )

    def _label(self, row: int) -> Label:
        key, text = self.strings[self.label_keys[row]], int(self.label_texts[row])
        if text:
            return Label(key, self.strings[text], None, "")
        return Label(key, None, int(self.label_numbers[row]), self.strings[self.label_units[row]])


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """One column of values summed by function name.

    ``flat[i]`` is what the function did itself (leaf frame), ``cum[i]`` what it or anything it called did; a
    function that recurses counts once a sample. ``total`` is the sum over all samples.
    """

    functions: tuple[str, ...]
    flat: Int64
    cum: Int64
    total: int
    positions: dict[str, int]

    def flat_of(self, function: str) -> int:
        """Flat value of a function; 0 for one that is not in the profile."""
        return int(self.flat[self.positions[function]]) if function in self.positions else 0

    def cum_of(self, function: str) -> int:
        """Cumulative value of a function; 0 for one that is not in the profile."""
        return int(self.cum[self.positions[function]]) if function in self.positions else 0

    def top(self, count: int, by: Literal["flat", "cum"] = "flat") -> list[tuple[str, int, int]]:
        """The ``count`` largest as (function, flat, cum); equal ones in the order of their names."""
        key = self.flat if by == "flat" else self.cum
        order = sorted(range(len(self.functions)), key=lambda i: (-int(key[i]), self.functions[i]))
        return [(self.functions[i], int(self.flat[i]), int(self.cum[i])) for i in order[:count]]


def read_profile(data: bytes, *, path: str, limit_bytes: int = PROFILE_LIMIT) -> Profile:
    """Read the one profile in ``data`` (gzip or plain protobuf); ``path`` is what errors call it.

    Raises UnreadableInput, and nothing else, for anything that is not one valid profile of at most
    ``limit_bytes`` after inflating; a gzip is never inflated past that.
    """
    profiles = read_profiles(data, path=path, limit_bytes=limit_bytes)
    if len(profiles) > 1:
        raise UnreadableInput(
            f"{len(profiles)} profiles one after another in one file",
            where=path,
            todo=ONE_FILE_EACH,
        )
    return profiles[0]


def read_profiles(data: bytes, *, path: str, limit_bytes: int = PROFILE_LIMIT) -> tuple[Profile, ...]:
    """Read the profiles that a program appended to one file, in its order; mostly there is one.

    Each must be a gzip member of its own, as Go writes them. Errors are those of :func:`read_profile`, and
    one damaged profile refuses the file.
    """
    profiles = []
    for payload in payloads(data, path=path, limit_bytes=limit_bytes):
        try:
            profiles.append(_assemble(parse(payload), path))
        except DamagedError as damage:
            raise refusal(payload, damage, path) from None
    return tuple(profiles)


def fold(profile: Profile, value_index: int) -> Fold:
    """Sum column ``value_index`` by function name, flat and cumulative, as ``go tool pprof -top`` does."""
    names, function_ids = _unique(profile.function_names)
    line_names = function_ids[profile.line_functions]
    values = profile.values[:, value_index]
    flat, cum = np.zeros(len(names), np.int64), np.zeros(len(names), np.int64)
    stacks = np.diff(profile.sample_offsets) > 0
    leaves = profile.sample_locations[profile.sample_offsets[:-1][stacks]]
    np.add.at(flat, line_names[profile.location_offsets[leaves]], values[stacks])
    for first, last in _fold_ranges(profile):
        samples, lines = _expand(profile, first, last)
        # One key for each (sample, function): a function that comes twice in a stack counts once.
        keys = np.sort(samples * len(names) + line_names[lines])
        keys = keys[np.flatnonzero(np.diff(keys, prepend=-1))]
        np.add.at(cum, keys % max(1, len(names)), values[keys // max(1, len(names))])
    positions = {name: position for position, name in enumerate(names)}
    return Fold(names, _frozen(flat), _frozen(cum), int(values.sum()), positions)


# --- folding -----------------------------------------------------------------------------------------------


def _unique(names: Sequence[str]) -> tuple[tuple[str, ...], Int64]:
    """The different names in order of appearance, and for each name its position there."""
    positions: dict[str, int] = {}
    ids = [positions.setdefault(name, len(positions)) for name in names]
    return tuple(positions), np.array(ids, np.int64)


def _fold_ranges(profile: Profile) -> Iterator[tuple[int, int]]:
    """Ranges of samples that hold about _FOLD_FRAMES frames each, so that folding needs bounded memory."""
    lines = np.diff(profile.location_offsets)[profile.sample_locations]
    ends = np.concatenate(([0], np.cumsum(lines)))[profile.sample_offsets]
    first = 0
    while first < len(profile):
        last = int(np.searchsorted(ends, ends[first] + _FOLD_FRAMES, side="right")) - 1
        last = max(first + 1, min(last, len(profile)))
        yield first, last
        first = last


def _expand(profile: Profile, first: int, last: int) -> tuple[Int64, Int64]:
    """Sample and line of every frame of the samples ``first`` up to ``last``, in the order of the stacks."""
    offsets = profile.sample_offsets[first : last + 1]
    locations = profile.sample_locations[offsets[0] : offsets[-1]]
    starts = profile.location_offsets[locations]
    counts = profile.location_offsets[locations + 1] - starts
    samples = np.repeat(np.arange(first, last, dtype=np.int64), np.diff(offsets))
    before = np.cumsum(counts) - counts
    lines = np.repeat(starts - before, counts) + np.arange(int(counts.sum()), dtype=np.int64)
    return np.repeat(samples, counts), lines


# --- protobuf to columns -----------------------------------------------------------------------------------


def _assemble(message: pb.Profile, path: str) -> Profile:
    """Check the message as ``Profile.CheckValid`` does and turn it into columns."""
    strings = _Strings(message)
    _bounded(len(message.comment), "comment")
    sample_types = tuple(ValueType(strings[t.type], strings[t.unit]) for t in message.sample_type)
    if not sample_types:
        raise DamagedError("it names no sample type")
    period_type = ValueType(strings[message.period_type.type], strings[message.period_type.unit])
    mappings, mapping_ids = _mappings(message, strings)
    functions = _functions(message, strings)
    locations = _locations(message, mappings, mapping_ids, functions)
    samples = _samples(message, len(sample_types), locations)
    labels = _labels(message, strings)
    default_sample_type = strings[message.default_sample_type]
    drop_frames = strings[message.drop_frames]
    symbolized = not len(samples.locations) or bool(locations.named[samples.locations].any())
    kind = _kind(sample_types, default_sample_type, functions, samples, locations, drop_frames)
    return Profile(
        path=path,
        kind=kind,
        sample_types=sample_types,
        default_sample_type=default_sample_type,
        period_type=period_type,
        period=message.period,
        time_ns=message.time_nanos,
        duration_ns=message.duration_nanos,
        comments=tuple(strings[comment] for comment in message.comment),
        drop_frames=drop_frames,
        keep_frames=strings[message.keep_frames],
        mappings=mappings,
        symbolized=symbolized,
        warnings=_warnings(kind, symbolized, len(samples.values), sample_types),
        values=_frozen(samples.values),
        sample_offsets=_frozen(samples.offsets),
        sample_locations=_frozen(samples.locations),
        location_addresses=_frozen(locations.addresses),
        location_mappings=_frozen(locations.mappings),
        location_named=_frozen(locations.named),
        location_offsets=_frozen(locations.offsets),
        line_functions=_frozen(locations.line_functions),
        line_numbers=_frozen(locations.line_numbers),
        function_names=tuple(functions.names),
        function_files=tuple(functions.files),
        function_start_lines=_frozen(np.array(functions.start_lines, np.int64)),
        label_offsets=_frozen(labels.offsets),
        label_keys=_frozen(labels.keys),
        label_texts=_frozen(labels.texts),
        label_numbers=_frozen(labels.numbers),
        label_units=_frozen(labels.units),
        strings=strings.table,
    )


def _frozen(values: NDArray[_Scalar]) -> NDArray[_Scalar]:
    values.setflags(write=False)
    return values


class _Strings:
    """The string table; an index outside it is damage, never a Python error."""

    def __init__(self, message: pb.Profile) -> None:
        self.table = tuple(message.string_table)
        if not self.table or self.table[0]:
            raise DamagedError("its string table does not begin with an empty string")

    def __getitem__(self, index: int) -> str:
        if not 0 <= index < len(self.table):
            raise DamagedError(f"string {index} of {len(self.table)} does not exist")
        return self.table[index]


class _Ids:
    """Ids that a table of the profile gives its rows, any unsigned numbers but 0, each once."""

    def __init__(self, ids: Iterable[int], what: str) -> None:
        self.what = what
        self.ids: UInt64 = np.fromiter(ids, np.uint64)
        # Go numbers its rows from 1 on: then an id is a row, and a million look-ups are one subtraction.
        self.counted = bool((self.ids == np.arange(1, len(self.ids) + 1, dtype=np.uint64)).all())
        self.order: Int64 = np.argsort(self.ids, kind="stable")
        self.sorted = self.ids[self.order]
        if len(self.ids) and not self.sorted[0]:
            raise DamagedError(f"a {what} has the reserved id 0")
        if (self.sorted[1:] == self.sorted[:-1]).any():
            raise DamagedError(f"two {what}s have the same id")

    def rows(self, wanted: UInt64, *, required: bool) -> Int64:
        """Row of each wanted id; where there is none, -1 or damage."""
        if self.counted:
            rows = np.where(wanted <= np.uint64(len(self.ids)), wanted.astype(np.int64) - 1, -1)
        else:
            slots = np.minimum(np.searchsorted(self.sorted, wanted), len(self.ids) - 1)
            rows = np.where(self.sorted[slots] == wanted, self.order[slots], -1)
        if required and (rows < 0).any():
            raise DamagedError(f"{self.what} {int(wanted[int(np.argmax(rows < 0))])} does not exist")
        return rows


def _bounded(count: int, what: str) -> None:
    if count > MAX_RECORDS:
        raise DamagedError(f"more than {MAX_RECORDS:,} {what}s")


def _mappings(message: pb.Profile, strings: _Strings) -> tuple[tuple[Mapping, ...], _Ids]:
    _bounded(len(message.mapping), "mapping")
    ids = _Ids((mapping.id for mapping in message.mapping), "mapping")
    mappings = tuple(
        Mapping(
            start=mapping.memory_start,
            limit=mapping.memory_limit,
            offset=mapping.file_offset,
            file=strings[mapping.filename],
            build_id=strings[mapping.build_id],
            has_functions=mapping.has_functions,
            has_filenames=mapping.has_filenames,
            has_line_numbers=mapping.has_line_numbers,
            has_inline_frames=mapping.has_inline_frames,
        )
        for mapping in message.mapping
    )
    return mappings, ids


@dataclass(slots=True)
class _Functions:
    """The function table. Grows by made-up functions for locations that have no name."""

    ids: _Ids
    names: list[str]
    files: list[str]
    start_lines: list[int]
    real: int


def _functions(message: pb.Profile, strings: _Strings) -> _Functions:
    _bounded(len(message.function), "function")
    names, files, start_lines = [], [], []
    for function in message.function:
        names.append(strings[function.name] or strings[function.system_name] or UNKNOWN_FUNCTION)
        files.append(strings[function.filename])
        start_lines.append(function.start_line)
    ids = _Ids((function.id for function in message.function), "function")
    return _Functions(ids, names, files, start_lines, len(names))


@dataclass(slots=True)
class _Locations:
    ids: _Ids
    addresses: UInt64
    mappings: Int32
    named: NDArray[np.bool_]
    offsets: Int64
    line_functions: Int32
    line_numbers: Int64


def _locations(
    message: pb.Profile, mappings: tuple[Mapping, ...], mapping_ids: _Ids, functions: _Functions
) -> _Locations:
    _bounded(len(message.location), "location")
    ids, addresses, mapping_refs = array("Q"), array("Q"), array("Q")
    counts, function_refs, numbers = array("q"), array("Q"), array("q")
    for location in message.location:
        ids.append(location.id)
        addresses.append(location.address)
        mapping_refs.append(location.mapping_id)
        lines = location.line
        counts.append(len(lines))
        _bounded(len(numbers) + len(lines), "line")
        for line in lines:
            function_refs.append(line.function_id)
            numbers.append(line.line)
    line_functions = functions.ids.rows(np.array(function_refs, np.uint64), required=True)
    mapping_rows = mapping_ids.rows(np.array(mapping_refs, np.uint64), required=False)
    line_counts = np.array(counts, np.int64)
    bare = line_counts == 0
    made_up = _made_up(mapping_rows[bare].tolist(), mappings, functions)
    # A location without lines gets one, so that every frame has a function; it goes in front of the next.
    places = (np.cumsum(line_counts) - line_counts)[bare]
    line_functions = np.insert(line_functions, places, made_up)
    line_numbers = np.insert(np.array(numbers, np.int64), places, 0)
    named = np.array([name != UNKNOWN_FUNCTION for name in functions.names], np.bool_)
    named[functions.real :] = False
    offsets = _offsets(np.maximum(line_counts, 1))
    location_named = (
        np.logical_or.reduceat(named[line_functions], offsets[:-1]) if len(ids) else np.zeros(0, np.bool_)
    )
    return _Locations(
        ids=_Ids(ids, "location"),
        addresses=np.array(addresses, np.uint64),
        mappings=mapping_rows.astype(np.int32),
        named=location_named,
        offsets=offsets,
        line_functions=line_functions.astype(np.int32),
        line_numbers=line_numbers,
    )


def _made_up(mapping_rows: list[int], mappings: tuple[Mapping, ...], functions: _Functions) -> list[int]:
    """A function for each location without lines, named after the file it lies in (as go tool pprof does)."""
    by_name: dict[str, int] = {}
    result = []
    for row in mapping_rows:
        file = mappings[row].file if row >= 0 else ""
        base = re.split(r"[/\\]", file)[-1]
        name = (base if base.startswith("[") else f"[{base}]") if base else UNKNOWN_FUNCTION
        if name not in by_name:
            by_name[name] = len(functions.names)
            functions.names.append(name)
            functions.files.append("")
            functions.start_lines.append(0)
        result.append(by_name[name])
    return result


def _offsets(counts: Int64) -> Int64:
    return np.concatenate((np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)))


@dataclass(slots=True)
class _Samples:
    values: Int64
    offsets: Int64
    locations: Int32


def _samples(message: pb.Profile, types: int, locations: _Locations) -> _Samples:
    _bounded(len(message.sample), "sample")
    refs, counts, values = array("Q"), array("q"), array("q")
    for sample in message.sample:
        if len(refs) + len(sample.location_id) > _MAX_FRAMES:
            raise DamagedError(f"its stacks have more than {_MAX_FRAMES:,} frames")
        # A slice of a repeated field is a list made in C: this loop is most of the time of reading a profile.
        stack, row = sample.location_id[:], sample.value[:]
        if len(row) != types:
            raise DamagedError(f"a sample has {len(row)} values for {types} sample types")
        refs.fromlist(stack)
        values.fromlist(row)
        counts.append(len(stack))
    table = np.array(values, np.int64).reshape(-1, types)
    _check_sums(table)
    rows = locations.ids.rows(np.array(refs, np.uint64), required=True)
    frames = int(np.diff(locations.offsets)[rows].sum())
    if frames > _MAX_FRAMES:
        raise DamagedError(f"its stacks have more than {_MAX_FRAMES:,} frames")
    return _Samples(table, _offsets(np.array(counts, np.int64)), rows.astype(np.int32))


def _check_sums(values: Int64) -> None:
    """Refuse values whose sums would overflow: no real measurement comes near 2**63."""
    sizes = np.abs(values).view(np.uint64)  # abs of the least int64 is itself, which as unsigned is right
    high, low = (sizes >> np.uint64(32)).sum(axis=0), (sizes & np.uint64(0xFFFFFFFF)).sum(axis=0)
    if any((int(h) << 32) + int(part) >= 1 << 63 for h, part in zip(high, low, strict=True)):
        raise DamagedError("its values add up to more than 63 bits hold")


@dataclass(slots=True)
class _Labels:
    offsets: Int64
    keys: Int64
    texts: Int64
    numbers: Int64
    units: Int64


def _labels(message: pb.Profile, strings: _Strings) -> _Labels:
    offsets, cells, seen = array("q", [0]), array("q"), 0
    for sample in message.sample:
        labels = sample.label
        seen += len(labels)
        _bounded(seen, "label")
        for label in labels:
            text, number, unit = label.str, label.num, label.num_unit
            # Without text, number and unit there is nothing in it (the reference reader drops it too).
            if text or number or unit:
                cells.extend((label.key, text, number, unit))
        offsets.append(len(cells) // 4)
    table = np.array(cells, np.int64).reshape(-1, 4)
    keys, texts, numbers, units = (np.ascontiguousarray(column) for column in table.T)
    for column in (keys, texts, units):
        if len(column):
            _ = strings[int(column.min())], strings[int(column.max())]
    return _Labels(np.array(offsets, np.int64), keys, texts, numbers, units)


# --- what kind of profile it is ----------------------------------------------------------------------------

# A mutex profile blames whoever unlocks (mutexevent in runtime/sema.go and, since Go 1.22, runtime.unlock), a
# block profile whoever waits (callers of blockevent in runtime/chan.go, select.go and sema.go).
_UNLOCKS = re.compile(
    r"(internal/)?sync\.\(\*(RW)?Mutex\)\.(R?Unlock|r?unlock(Slow)?)$"
    r"|runtime\.(unlock|unlock2|unlock2Wake|unlockWithRank|_LostContendedRuntimeLock|semrelease1?)$",
    re.IGNORECASE,
)
_WAITS = re.compile(
    r"(internal/)?sync\.\(\*(RW)?Mutex\)\.(R?Lock|r?lockSlow)$"
    r"|sync\.\(\*(WaitGroup|Cond)\)\.\w+$"
    r"|internal/poll\.\(\*(FD|fdMutex)\)\.\w+$"
    r"|runtime\.(chan(recv|send)\d?|selectgo|block|semacquire\w*|gopark)$"
    r"|reflect\.(rselect|chanrecv|chansend0?|Select|Value\.(Recv|Send|recv|send))$",
    re.IGNORECASE,
)


def _kind(
    sample_types: tuple[ValueType, ...],
    default_sample_type: str,
    functions: _Functions,
    samples: _Samples,
    locations: _Locations,
    drop_frames: str,
) -> ProfileKind:
    """Decide what Go's runtime would have called this profile; ``other`` for other languages and tools."""
    if _foreign(functions, drop_frames):
        return "other"
    units = {value_type.type: value_type.unit for value_type in sample_types}
    if units.get("goroutineleak") == "count":
        return "goroutineleak"
    if units.get("goroutine") == "count":
        return "goroutine"
    if units.get("cpu") == "nanoseconds":
        return "cpu"
    if units.get("delay") == "nanoseconds" or units.get("contentions") == "count":
        return _lock_kind(functions, samples, locations)
    # The runtime writes the same four columns for both and tells them apart by the default alone.
    allocated = {"alloc_space", "alloc_objects"} & units.keys()
    live = {"inuse_space", "inuse_objects"} & units.keys()
    if allocated and (default_sample_type in allocated or not live):
        return "allocs"
    return "heap" if live else "other"


def _foreign(functions: _Functions, drop_frames: str) -> bool:
    """Whether the profile is of no Go program: functions, but none of the runtime and none in a .go file."""
    if "::" in drop_frames:
        return True
    real = range(functions.real)
    go_files = any(functions.files[i].endswith(".go") for i in real)
    go_names = any(functions.names[i].startswith("runtime.") for i in real)
    return functions.real > 0 and not go_files and not go_names


def _lock_kind(functions: _Functions, samples: _Samples, locations: _Locations) -> ProfileKind:
    stacks = np.diff(samples.offsets) > 0
    leaves = samples.locations[samples.offsets[:-1][stacks]]
    used = set(locations.line_functions[locations.offsets[leaves]].tolist())
    unlocks = any(_UNLOCKS.match(functions.names[function]) for function in used)
    waits = any(_WAITS.match(functions.names[function]) for function in used)
    if unlocks == waits:
        return "mutex or block"
    return "mutex" if unlocks else "block"


def _warnings(
    kind: ProfileKind, symbolized: bool, samples: int, sample_types: tuple[ValueType, ...]
) -> tuple[str, ...]:
    warnings = []
    if not samples:
        warnings.append("the profile is valid but holds no samples")
    if not symbolized:
        warnings.append(
            "the profile holds addresses but no function names; with the program's binary, "
            "go tool pprof -proto BINARY FILE > named.pb.gz adds them"
        )
    if kind == "mutex or block":
        warnings.append(
            "a mutex and a block profile look alike and no frame tells which this is; "
            "name it with --mutex-profile or --block-profile"
        )
    if kind == "other":
        types = ", ".join(value_type.type for value_type in sample_types)
        warnings.append(f"no kind of profile that is diagnosed (it counts {types}), or of no Go program")
    return tuple(warnings)
