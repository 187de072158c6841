"""pprof profiles are read as Go's own tool reads them, and nothing else is."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tracemalloc
import zlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gopherdx.artifacts import profile_pb2 as pb
from gopherdx.artifacts.pprof import Label, Profile, fold, read_profile, read_profiles
from gopherdx.errors import UnreadableInput
from gopherdx.frames import Frame

CPU = (("samples", "count"), ("cpu", "nanoseconds"))
HEAP = (
    ("alloc_objects", "count"),
    ("alloc_space", "bytes"),
    ("inuse_objects", "count"),
    ("inuse_space", "bytes"),
)
LOCKS = (("contentions", "count"), ("delay", "nanoseconds"))

Stack = Sequence[str | Sequence[str]]
"""Function names, leaf first; an inner sequence is one location with inlined functions, innermost first."""


class Maker:
    """Builds a profile message the way Go's runtime does: ids from 1 on, one string table."""

    def __init__(self, types: Sequence[tuple[str, str]] = CPU, period: tuple[str, str] | None = None) -> None:
        self.message: Any = pb.Profile()
        self.message.string_table.append("")
        self.known = {"": 0}
        self.functions: dict[str, int] = {}
        self.locations: dict[tuple[str, ...], int] = {}
        for value_type in types:
            self.message.sample_type.add(type=self.text(value_type[0]), unit=self.text(value_type[1]))
        period = period or types[-1]
        self.message.period_type.type, self.message.period_type.unit = map(self.text, period)
        self.message.period = 1
        self.message.time_nanos = 1_700_000_000_000_000_000

    def text(self, value: str) -> int:
        if value not in self.known:
            self.known[value] = len(self.message.string_table)
            self.message.string_table.append(value)
        return self.known[value]

    def function(self, name: str) -> int:
        if name not in self.functions:
            file = name.split(".")[0].split("/")[-1] + ".go"
            self.functions[name] = len(self.functions) + 1
            self.message.function.add(
                id=self.functions[name], name=self.text(name), filename=self.text(file), start_line=3
            )
        return self.functions[name]

    def location(self, functions: tuple[str, ...]) -> int:
        if functions not in self.locations:
            self.locations[functions] = len(self.locations) + 1
            location = self.message.location.add(id=self.locations[functions], address=0x1000)
            for line, function in enumerate(functions):
                location.line.add(function_id=self.function(function), line=10 + line)
        return self.locations[functions]

    def sample(self, values: Sequence[int], stack: Stack = ()) -> Any:
        locations = [self.location((part,) if isinstance(part, str) else tuple(part)) for part in stack]
        return self.message.sample.add(value=values, location_id=locations)

    def raw(self) -> bytes:
        return bytes(self.message.SerializeToString())

    def read(self) -> Profile:
        return read_profile(gzip.compress(self.raw()), path="made.pb.gz")


def _kind(types: Sequence[tuple[str, str]], stack: Stack = (), default: str = "") -> str:
    made = Maker(types)
    made.message.default_sample_type = made.text(default)
    if stack:
        made.sample([1] * len(types), stack)
    return made.read().kind


# What a profile says -----------------------------------------------------------------------------------


def test_a_profile_tells_its_types_period_times_and_totals() -> None:
    made = Maker()
    made.message.duration_nanos = 10_000_000_000
    made.message.comment.append(made.text("taken in the lab"))
    made.sample([2, 20], ["main.work", "main.main"])
    made.sample([1, 10], ["main.idle", "main.main"])
    profile = made.read()
    assert profile.sample_types == CPU
    assert (profile.period_type, profile.period) == (("cpu", "nanoseconds"), 1)
    assert (profile.time_ns, profile.duration_ns) == (1_700_000_000_000_000_000, 10_000_000_000)
    assert profile.comments == ("taken in the lab",)
    assert profile.totals() == (3, 30)
    assert len(profile) == 2
    assert profile.value_index("cpu") == profile.default_index == 1


def test_plain_protobuf_reads_like_gzip() -> None:
    made = Maker()
    made.sample([2, 20], ["main.work"])
    assert read_profile(made.raw(), path="p").totals() == made.read().totals() == (2, 20)


def test_a_profile_compressed_twice_is_read() -> None:
    made = Maker()
    made.sample([2, 20], ["main.work"])
    assert read_profile(gzip.compress(gzip.compress(made.raw())), path="p").totals() == (2, 20)


def test_inlined_functions_come_innermost_first() -> None:
    made = Maker()
    made.sample([1, 10], [("strings.Repeat", "main.pad"), "main.main"])
    assert made.read().frames(0) == (
        Frame("strings.Repeat", "strings.go", 10),
        Frame("main.pad", "main.go", 11),
        Frame("main.main", "main.go", 10),
    )


def test_labels_keep_texts_numbers_and_units() -> None:
    made = Maker()
    labels = made.sample([1, 10], ["main.main"]).label
    labels.add(key=made.text("path"), str=made.text("/items"))
    labels.add(key=made.text("bytes"), num=512, num_unit=made.text("bytes"))
    labels.add(key=made.text("nothing"))
    made.sample([1, 10], ["main.main"])
    profile = made.read()
    assert profile.labels(0) == (Label("path", "/items", None, ""), Label("bytes", None, 512, "bytes"))
    assert profile.labels(1) == ()


def test_a_label_that_is_no_utf8_does_not_hide_the_profile() -> None:
    made = Maker()
    made.sample([1, 10], ["main.main"]).label.add(key=made.text("user"), str=made.text("mark"))
    raw = made.raw().replace(b"mark", b"m\xffrk")
    assert read_profile(raw, path="p").labels(0) == (Label("user", "m\ufffdrk", None, ""),)


def test_ids_may_be_any_numbers_in_any_order() -> None:
    made = Maker()
    made.sample([1, 10], ["main.leaf", "main.main"])
    new = {1: 2**64 - 1, 2: 7}
    for location in made.message.location:
        location.id = new[location.id]
        for line in location.line:
            line.function_id = new[line.function_id]
    for function in made.message.function:
        function.id = new[function.id]
    made.message.sample[0].location_id[:] = [new[1], new[2]]
    assert [frame.function for frame in made.read().frames(0)] == ["main.leaf", "main.main"]


def test_a_difference_of_two_profiles_has_negative_values() -> None:
    made = Maker(HEAP)
    made.sample([5, 50, -3, -30], ["main.grow"])
    made.sample([1, 10, 1, 10], ["main.keep"])
    profile = made.read()
    assert profile.totals() == (6, 60, -2, -20)
    assert fold(profile, 3).flat_of("main.grow") == -30


def test_an_empty_profile_is_valid_and_says_that_it_is_empty() -> None:
    profile = Maker(HEAP).read()
    assert (profile.kind, len(profile), profile.totals(), profile.symbolized) == ("heap", 0, (0,) * 4, True)
    assert any("no samples" in warning for warning in profile.warnings)
    assert fold(profile, 0).functions == ()
    assert profile.by_stack(0) == {}


def test_arrays_cannot_be_changed() -> None:
    made = Maker()
    made.sample([1, 10], ["main.main"])
    with pytest.raises(ValueError, match="read-only"):
        made.read().values[0, 0] = 5


def test_without_symbols_frames_name_the_file_and_a_warning_says_so() -> None:
    made = Maker()
    made.message.mapping.add(id=1, filename=made.text("/usr/lib/libc.so.6"))
    made.message.location.add(id=1, mapping_id=1, address=0x10)
    made.message.location.add(id=2, address=0x20)
    made.message.sample.add(value=[1, 10], location_id=[1, 2])
    profile = made.read()
    assert profile.frames(0) == (Frame("[libc.so.6]", "", 0), Frame("<unknown>", "", 0))
    assert profile.symbolized is False
    assert any("no function names" in warning for warning in profile.warnings)


def test_one_named_frame_among_c_frames_is_symbolized() -> None:
    made = Maker()
    made.sample([1, 10], ["main.main"])
    made.message.location.add(id=2, address=0x20)
    made.message.sample[0].location_id.insert(0, 2)
    profile = made.read()
    assert profile.symbolized is True
    assert [frame.function for frame in profile.frames(0)] == ["<unknown>", "main.main"]
    assert profile.location_named.tolist() == [True, False]


# Which kind it is --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("types", "default", "kind"),
    [
        (CPU, "", "cpu"),
        ((("cpu", "nanoseconds"),), "cpu", "cpu"),
        (HEAP, "", "heap"),
        (HEAP, "inuse_space", "heap"),
        (HEAP, "alloc_space", "allocs"),
        ((("alloc_space", "bytes"),), "", "allocs"),
        ((("goroutine", "count"),), "", "goroutine"),
        ((("goroutineleak", "count"),), "", "goroutineleak"),
        ((("threadcreate", "count"),), "", "other"),
        ((("objects", "count"), ("space", "bytes")), "", "other"),
        ((("wall-time", "nanoseconds"),), "", "other"),
    ],
)
def test_kind_follows_from_sample_types(types: Sequence[tuple[str, str]], default: str, kind: str) -> None:
    assert _kind(types, default=default) == kind
    assert _kind(types, ["main.main", "runtime.main"], default) == kind


@pytest.mark.parametrize(
    ("leaf", "kind"),
    [
        ("sync.(*Mutex).Unlock", "mutex"),
        ("internal/sync.(*Mutex).Unlock", "mutex"),
        ("sync.(*RWMutex).RUnlock", "mutex"),
        ("sync.(*RWMutex).Unlock", "mutex"),
        ("runtime.unlock", "mutex"),
        ("runtime._LostContendedRuntimeLock", "mutex"),
        ("sync.(*Mutex).Lock", "block"),
        ("sync.(*RWMutex).RLock", "block"),
        ("sync.(*WaitGroup).Wait", "block"),
        ("sync.(*Cond).Wait", "block"),
        ("internal/poll.(*FD).Close", "block"),
        ("runtime.chanrecv1", "block"),
        ("runtime.chansend1", "block"),
        ("runtime.selectgo", "block"),
        ("main.Unlock", "mutex or block"),
    ],
)
def test_mutex_and_block_are_told_apart_by_the_leaf(leaf: str, kind: str) -> None:
    assert _kind(LOCKS, [(leaf, "main.use"), "main.main"]) == kind


def test_mutex_and_block_that_no_frame_tells_apart_are_said_to_be_unknown() -> None:
    profile = Maker(LOCKS).read()
    assert profile.kind == "mutex or block"
    assert any("--mutex-profile" in warning for warning in profile.warnings)
    both = Maker(LOCKS)
    both.sample([1, 1], ["sync.(*Mutex).Lock"])
    both.sample([1, 1], ["sync.(*Mutex).Unlock"])
    assert both.read().kind == "mutex or block"


def test_profiles_of_other_languages_are_other() -> None:
    made = Maker()
    made.sample([1, 10], ["app::serve", "main"])
    for function in made.message.function:
        function.filename = made.text("src/main.rs")
    assert made.read().kind == "other"


# Folding -----------------------------------------------------------------------------------------------


def test_fold_counts_a_recursive_function_once_a_sample() -> None:
    made = Maker()
    made.sample([3, 30], ["main.fib", "main.fib", "main.fib", "main.main"])
    made.sample([1, 10], ["main.main"])
    result = fold(made.read(), 1)
    assert result.top(5) == [("main.fib", 30, 30), ("main.main", 10, 40)]
    assert result.top(1, by="cum") == [("main.main", 10, 40)]
    assert (result.total, result.flat_of("no.such"), result.cum_of("no.such")) == (40, 0, 0)


def test_fold_gives_inlined_leaves_their_own_flat_time() -> None:
    made = Maker()
    made.sample([1, 10], [("main.inner", "main.outer"), "main.main"])
    assert fold(made.read(), 1).top(9) == [
        ("main.inner", 10, 10),
        ("main.main", 0, 10),
        ("main.outer", 0, 10),
    ]


def test_by_stack_adds_up_equal_stacks_whatever_their_labels() -> None:
    made = Maker()
    made.sample([1, 10], ["main.work", "main.main"]).label.add(key=made.text("worker"), num=1)
    made.sample([1, 10], ["main.work", "main.main"]).label.add(key=made.text("worker"), num=2)
    made.sample([1, 10], ["main.main"])
    sums = made.read().by_stack(1)
    assert [(tuple(frame.function for frame in stack), value) for stack, value in sums.items()] == [
        (("main.work", "main.main"), 20),
        (("main.main",), 10),
    ]


def test_folding_in_parts_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Maker()
    for index in range(50):
        made.sample(
            [1, index], [f"main.f{index % 7}", "main.loop", "main.loop", "main.main"][: 1 + index % 4]
        )
        made.sample([1, 1])
    profile = made.read()
    whole = fold(profile, 1)
    monkeypatch.setattr("gopherdx.artifacts.pprof._FOLD_FRAMES", 5)
    parts = fold(profile, 1)
    assert parts.cum.tolist() == whole.cum.tolist()
    assert whole.cum_of("main.main") == sum(index for index in range(50) if index % 4 == 3)


# What is refused ---------------------------------------------------------------------------------------


def _refused(data: bytes, limit: int = 1 << 20) -> UnreadableInput:
    with pytest.raises(UnreadableInput) as caught:
        read_profile(data, path="the.file", limit_bytes=limit)
    assert caught.value.where == "the.file"
    assert caught.value.todo
    assert "\n" not in str(caught.value)
    return caught.value


def _one() -> bytes:
    made = Maker()
    made.sample([1, 10], ["main.work", "main.main"])
    return made.raw()


def test_profiles_appended_to_one_file_are_read_one_by_one_and_never_as_one() -> None:
    first, second = Maker(HEAP), Maker(HEAP)
    first.sample([1, 10, 1, 10], ["main.keep"])
    second.sample([2, 20, 2, 20], ["main.keep"])
    data = gzip.compress(first.raw()) + gzip.compress(second.raw())
    assert [profile.totals()[3] for profile in read_profiles(data, path="p")] == [10, 20]
    assert "2 profiles" in _refused(data).what


def test_profiles_appended_without_gzip_are_refused() -> None:
    error = _refused(_one() + _one())
    assert "several profiles" in error.what
    assert "file of its own" in error.todo


def test_one_profile_in_several_gzip_members_is_one() -> None:
    raw = _one()
    data = gzip.compress(raw[:20]) + gzip.compress(raw[20:])
    assert read_profile(data, path="p").totals() == (1, 10)


def test_a_gzip_past_the_limit_is_refused_before_it_is_inflated() -> None:
    bomb = gzip.compress(bytes(200 << 20), compresslevel=1)
    tracemalloc.start()
    try:
        error = _refused(bomb, limit=1 << 20)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "1,048,576 bytes" in error.what
    assert peak < 16 << 20


def test_the_limit_holds_over_all_members_and_for_plain_files() -> None:
    member = gzip.compress(_one())
    size = len(_one())
    assert len(read_profiles(member * 2, path="p", limit_bytes=2 * size)) == 2
    with pytest.raises(UnreadableInput, match="the limit"):
        read_profiles(member * 3, path="p", limit_bytes=2 * size)
    assert "the limit" in _refused(_one(), limit=size - 1).what
    assert read_profile(member, path="p", limit_bytes=size).totals() == (1, 10)


@pytest.mark.parametrize("kept", [1, 2, 9, 10, 50, -1, -8])
def test_a_cut_gzip_is_refused_as_cut(kept: int) -> None:
    data = gzip.compress(_one())[:kept]
    what = _refused(data).what
    assert ("cut short" in what) == (kept != 1)


def test_damage_in_a_gzip_is_found_by_its_checksum() -> None:
    data = bytearray(gzip.compress(_one()))
    data[-6] ^= 1
    assert "damaged" in _refused(bytes(data)).what


def test_bytes_left_over_after_a_profile_are_told_with_the_way_to_cut_them_off() -> None:
    data = gzip.compress(_one())
    error = _refused(data + b"rest of an older, longer file")
    assert f"head -c {len(data)} " in error.todo


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (gzip.compress(b""), "empty"),
        (b"heap profile: 13: 1595680 [47130736: 2584596557304] @ heap/1048576\n", "heap profile in the old"),
        (b"--- contention:\ncycles/second=1596785089\n2824 1 @ 0x1004\n", "old text form"),
        (b"--- mutex:\ncycles/second=1596785089\nsampling period=1\n", "mutex profile in the old text form"),
        (b"goroutine profile: total 6\n2 @ 0x103b125\n", "goroutine dump"),
        (b"goroutine 1 [running]:\nmain.main()\n\t/src/main.go:3 +0x1d\n", "goroutine dump"),
        (b"go 1.22 trace\x00\x00\x00" + bytes(40), "execution trace"),
        (b"<!DOCTYPE html><html><body>login</body></html>", "HTML"),
        (b"Could not enable CPU profiling: cpu profiling already in use\n", "could not enable cpu"),
        (b"\x7fELF\x02\x01\x01" + bytes(60), "program"),
        (bytes(range(256)), "not a valid pprof"),
    ],
)
def test_other_files_are_named_for_what_they_are(data: bytes, says: str) -> None:
    assert says in _refused(data).what
    if data and not data.startswith(b"\x1f\x8b"):
        assert says in _refused(gzip.compress(data)).what


def _break(change: str) -> bytes:
    """A small valid profile with one thing wrong."""
    made = Maker()
    made.message.mapping.add(id=1)
    made.sample([1, 10], ["main.work", "main.main"])
    message, sample = made.message, made.message.sample[0]
    changes: dict[str, Any] = {
        "location does not exist": lambda: sample.location_id.append(99),
        "location 0": lambda: sample.location_id.append(0),
        "huge location": lambda: sample.location_id.append(2**64 - 1),
        "function does not exist": lambda: message.location[0].line.add(function_id=77),
        "function 0": lambda: message.location[0].line.add(line=3),
        "string out of range": lambda: setattr(message.function[0], "name", 1000),
        "string negative": lambda: setattr(message.function[0], "filename", -1),
        "label key": lambda: sample.label.add(key=2**62, num=1),
        "label text": lambda: sample.label.add(key=1, str=-(2**63)),
        "sample type": lambda: setattr(message.sample_type[0], "unit", 99),
        "default type": lambda: setattr(message, "default_sample_type", 99),
        "comment": lambda: message.comment.append(99),
        "reserved id": lambda: setattr(message.location[0], "id", 0),
        "same location id": lambda: setattr(message.location[0], "id", 2),
        "same function id": lambda: setattr(message.function[0], "id", 2),
        "same mapping id": lambda: message.mapping.add(id=1),
        "too few values": lambda: sample.value.pop(),
        "too many values": lambda: sample.value.append(1),
        "no sample types": lambda: message.ClearField("sample_type"),
        "no strings": lambda: message.ClearField("string_table"),
        "first string": lambda: message.string_table.__setitem__(0, "x"),
        "sum": lambda: [message.sample.add(value=[2**62, 0]) for _ in range(2)],
        "sum of negatives": lambda: [message.sample.add(value=[-(2**63), 0]) for _ in range(2)],
    }
    if not change:
        return "\n".join(changes).encode()
    changes[change]()
    return made.raw()


@pytest.mark.parametrize("change", _break("").decode().split("\n"))
def test_a_profile_that_breaks_the_format_is_refused(change: str) -> None:
    assert _refused(_break(change)).what.startswith("not a valid pprof profile: ")


def test_a_location_in_no_known_mapping_is_read_as_the_reference_reads_it() -> None:
    made = Maker()
    made.sample([1, 10], ["main.main"])
    made.message.location[0].mapping_id = 9
    assert made.read().location_mappings.tolist() == [-1]


def test_a_few_bytes_that_stand_for_billions_of_frames_are_refused() -> None:
    made = Maker()
    location = made.location(("main.main",))
    for _ in range(9_999):
        made.message.location[0].line.add(function_id=1)
    made.message.sample.add(value=[1, 10], location_id=[location] * 10_000)
    assert "more than 20,000,000 frames" in _refused(gzip.compress(made.raw())).what


def _use(data: bytes) -> None:
    """Read and use everything; the only way to fail is UnreadableInput."""
    try:
        profiles = read_profiles(data, path="fuzz", limit_bytes=1 << 20)
    except UnreadableInput:
        return
    for profile in profiles:
        for index, total in enumerate(profile.totals()):
            assert fold(profile, index).total == total == sum(profile.by_stack(index).values())
        for sample in range(len(profile)):
            profile.frames(sample)
            profile.labels(sample)


def _seed() -> bytes:
    made = Maker(HEAP)
    made.message.mapping.add(id=1, memory_limit=1 << 40, filename=made.text("/bin/shop"), has_functions=True)
    made.message.location.add(id=9, mapping_id=1, address=77)
    for index in range(6):
        sample = made.sample([index] * 4, [("main.a", f"main.f{index}"), "main.main", "runtime.main"])
        sample.location_id.append(9)
        sample.label.add(key=made.text("bytes"), num=index, num_unit=made.text("bytes"))
        sample.label.add(key=made.text("path"), str=made.text("/items"))
    return made.raw()


_FUZZ = settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
_EDITS = st.lists(
    st.tuples(st.integers(0, 10_000), st.integers(0, 3), st.binary(min_size=1, max_size=12)),
    min_size=1,
    max_size=6,
)


def _mutate(data: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    out = bytearray(data)
    for place, way, new in edits:
        at = place % (len(out) + 1)
        if way == 0:
            out[at : at + len(new)] = new
        elif way == 1:
            out[at:at] = new
        elif way == 2:
            del out[at : at + len(new)]
        else:
            out[at : at + 1] = b"\xff" * 9 + b"\x01"  # the largest number of 64 bits
    return bytes(out)


@_FUZZ
@given(_EDITS)
def test_no_change_of_bytes_makes_anything_but_a_profile_or_a_clear_error(
    edits: list[tuple[int, int, bytes]],
) -> None:
    _use(_mutate(_seed(), edits))
    _use(gzip.compress(_mutate(_seed(), edits), compresslevel=1))
    _use(_mutate(gzip.compress(_seed(), mtime=0), edits))


_IDS = st.one_of(st.integers(0, 4), st.sampled_from([2**31, 2**63, 2**64 - 1]))
_INTS = st.one_of(st.integers(-1, 5), st.sampled_from([2**31, 2**62, 2**63 - 1, -(2**63)]))


@_FUZZ
@given(
    st.lists(st.tuples(st.lists(_IDS, max_size=4), st.lists(_INTS, max_size=3), st.lists(_INTS, max_size=4))),
    st.lists(st.tuples(_IDS, _IDS, st.lists(st.tuples(_IDS, _INTS), max_size=3)), max_size=5),
    st.lists(st.tuples(_IDS, _INTS, _INTS), max_size=5),
    st.lists(_IDS, max_size=2),
    st.integers(0, 3),
)
def test_no_mixture_of_ids_and_indices_makes_anything_but_a_profile_or_a_clear_error(
    samples: list[tuple[list[int], list[int], list[int]]],
    locations: list[tuple[int, int, list[tuple[int, int]]]],
    functions: list[tuple[int, int, int]],
    mappings: list[int],
    types: int,
) -> None:
    message: Any = pb.Profile(string_table=["", "cpu", "nanoseconds", "main.main", "main.go"])
    for _ in range(types):
        message.sample_type.add(type=1, unit=2)
    for location_ids, values, label in samples:
        sample = message.sample.add(location_id=location_ids, value=values)
        sample.label.add(**dict(zip(("key", "str", "num", "num_unit"), label, strict=False)))
    for location_id, mapping_id, lines in locations:
        location = message.location.add(id=location_id, mapping_id=mapping_id)
        for function_id, line in lines:
            location.line.add(function_id=function_id, line=line)
    for function_id, name, file in functions:
        message.function.add(id=function_id, name=name, filename=file)
    for mapping_id in mappings:
        message.mapping.add(id=mapping_id)
    _use(bytes(message.SerializeToString()))


# The module itself -------------------------------------------------------------------------------------


def _python(code: str) -> str:
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return result.stdout


def test_importing_the_reader_does_not_import_protobuf() -> None:
    code = "import sys, gopherdx.artifacts.pprof; print('google.protobuf' in sys.modules)"
    assert _python(code).strip() == "False"


def test_the_schema_lives_beside_another_copy_of_it_in_one_process() -> None:
    code = """
from google.protobuf import descriptor_pb2, descriptor_pool
other = descriptor_pb2.FileDescriptorProto(name="profile.proto", package="perftools.profiles")
other.message_type.add(name="Profile")
descriptor_pool.Default().Add(other)
from gopherdx.artifacts import profile_pb2
print(profile_pb2.Profile.DESCRIPTOR.full_name)
"""
    assert _python(code).strip() == "gopherdx.artifacts.pprof.Profile"


# Against the toolchain's own reader --------------------------------------------------------------------


@pytest.fixture(scope="session")
def go() -> str:
    """The go command; GOPHERDX_GO names one that is not on PATH."""
    found = os.environ.get("GOPHERDX_GO") or shutil.which("go")
    if not found:
        pytest.skip("no Go toolchain on this machine (GOPHERDX_GO)")
    return found


def _go(go: str, *arguments: str | Path, cwd: Path | None = None) -> str:
    environment = os.environ | {"GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod", "GOPROXY": "off"}
    command = [go, *map(str, arguments)]
    result = subprocess.run(command, env=environment, cwd=cwd, capture_output=True, check=False)
    assert result.returncode == 0, result.stderr.decode(errors="replace")
    return result.stdout.decode(errors="replace")


def _reference_stacks(raw: str) -> tuple[int, Counter[tuple[tuple[int, ...], tuple[str, ...]]]]:
    """Locations, and how often each (values, frames) comes, in the output of ``go tool pprof -raw``."""
    head, _, tail = raw.partition("\nLocations\n")
    frames: dict[int, list[str]] = {}
    current: list[str] = []
    for line in tail.partition("\nMappings")[0].split("\n"):
        start = re.match(r" *(\d+): 0x[0-9a-f]+ (?:M=\d+ )?(?:\[F\] )?", line)
        if start:
            current = frames.setdefault(int(start[1]), [])
        text = (line[start.end() :] if start else line).strip()
        if text and not text.startswith(":"):  # a line of a function without a name
            current.append(re.sub(r"(:\d+)(:0)? s=(-?\d+)(\(.*\))?$", r"\1 s=\3", text))
    stacks: Counter[tuple[tuple[int, ...], tuple[str, ...]]] = Counter()
    for line in head.split("\n"):
        sample = re.match(r" *(-?\d+(?: +-?\d+)*): ([\d ]*)$", line)
        if sample:
            values = tuple(map(int, sample[1].split()))
            stacks[values, tuple(frame for i in sample[2].split() for frame in frames[int(i)])] += 1
    return len(frames), stacks


def _own_stacks(profile: Profile) -> Counter[tuple[tuple[int, ...], tuple[str, ...]]]:
    stacks: Counter[tuple[tuple[int, ...], tuple[str, ...]]] = Counter()
    for sample in range(len(profile)):
        frames = []
        for location in profile.sample_locations[
            profile.sample_offsets[sample] : profile.sample_offsets[sample + 1]
        ]:
            for line in range(profile.location_offsets[location], profile.location_offsets[location + 1]):
                function = profile.line_functions[line]
                name, file = profile.function_names[function], profile.function_files[function]
                start = profile.function_start_lines[function]
                if profile.location_named[location]:
                    frames.append(f"{name} {file}:{profile.line_numbers[line]} s={start}".strip())
        stacks[tuple(profile.values[sample].tolist()), tuple(frames)] += 1
    return stacks


def _differs(go: str, file: Path, data: bytes | None = None) -> str:
    """How a profile differs from what ``go tool pprof -raw`` prints of it; empty for not at all."""
    profile = read_profile(data or file.read_bytes(), path=file.name)
    raw = _go(go, "tool", "pprof", "-raw", "-symbolize=none", file)
    types = [f"{value_type.type}/{value_type.unit}" for value_type in profile.sample_types]
    printed = raw.partition("Samples:\n")[2].split("\n")[0].replace("[dflt]", "").split()
    locations, stacks = _reference_stacks(raw)
    if types != printed:
        return f"{file.name}: types {types}, not {printed}"
    if len(profile.location_addresses) != locations:
        return f"{file.name}: {len(profile.location_addresses)} locations, not {locations}"
    if _own_stacks(profile) != stacks:
        difference = _own_stacks(profile)
        difference.subtract(stacks)
        return f"{file.name}: {[item for item in difference.items() if item[1]][:2]}"
    return ""


_SUFFIX = re.compile(r" (\(inline\)|\(partial-inline\))$")


def _top_differs(go: str, file: Path) -> str:
    """How the fold of the default column differs from ``go tool pprof -top``."""
    profile = read_profile(file.read_bytes(), path=file.name)
    index = profile.default_index
    unit = {"nanoseconds": "ns", "bytes": "B"}.get(profile.sample_types[index].unit, "count")
    limits = ("-nodecount=0", "-nodefraction=0", "-symbolize=none", f"-unit={unit}")
    printed = _go(go, "tool", "pprof", "-top", *limits, file).partition("cum%\n")[2]
    reference: Counter[tuple[str, str]] = Counter()
    for row in filter(None, printed.split("\n")):
        flat, _, _, cum, _, name = row.split(maxsplit=5)
        name = _SUFFIX.sub("", name)
        reference[name, "flat"] += int(flat.removesuffix(unit))
        reference[name, "cum"] += int(cum.removesuffix(unit))
    result = fold(profile, index)
    own: Counter[tuple[str, str]] = Counter()
    for name in result.functions:
        own[name, "flat"], own[name, "cum"] = result.flat_of(name), result.cum_of(name)
    wrong = [key for key in own.keys() | reference.keys() if own[key] != reference[key]]
    return f"{file.name}: {[(key, own[key], reference[key]) for key in sorted(wrong)[:3]]}" if wrong else ""


_PROGRAM = """
package main

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"sync"
)

var kept [][]byte

func work(n int) (sum int) {
	for i := 0; i < n; i++ {
		sum += i % 7
	}
	return sum
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	runtime.SetMutexProfileFraction(1)
	runtime.SetBlockProfileRate(1)
	runtime.MemProfileRate = 512
	cpu, err := os.Create(filepath.Join(os.Args[1], "cpu.pb.gz"))
	check(err)
	check(pprof.StartCPUProfile(cpu))
	var lock sync.Mutex
	var group sync.WaitGroup
	labels := pprof.Labels("path", "/items", "odd", "m\\xff")
	for i := 0; i < 4; i++ {
		group.Add(1)
		go pprof.Do(context.Background(), labels, func(context.Context) {
			defer group.Done()
			for j := 0; j < 30; j++ {
				lock.Lock()
				work(1_000_000)
				kept = append(kept, make([]byte, 4096))
				lock.Unlock()
			}
		})
	}
	group.Wait()
	for i := 0; i < 3; i++ {
		go func() { <-make(chan int) }()
	}
	runtime.GC()
	pprof.StopCPUProfile()
	check(cpu.Close())
	for _, profile := range pprof.Profiles() {
		file, err := os.Create(filepath.Join(os.Args[1], profile.Name()+".pb.gz"))
		check(err)
		check(profile.WriteTo(file, 0))
		check(file.Close())
	}
}
"""


@pytest.mark.slow
def test_every_profile_that_go_writes_reads_as_go_reads_it(go: str, tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module shop\n\ngo 1.21\n")
    (tmp_path / "main.go").write_text(_PROGRAM)
    out = tmp_path / "out"
    out.mkdir()
    _go(go, "run", ".", out, cwd=tmp_path)
    kinds = {}
    for file in sorted(out.iterdir()):
        name = file.name.removesuffix(".pb.gz")
        profile = read_profile(file.read_bytes(), path=file.name)
        kinds[name] = profile.kind
        assert profile.symbolized or name == "threadcreate"
        assert _differs(go, file) == ""
        assert _top_differs(go, file) == ""
    assert kinds.pop("threadcreate") == "other"
    assert {"cpu", "heap", "allocs", "mutex", "block", "goroutine"} <= kinds.keys()
    assert all(kind == name for name, kind in kinds.items())
    labels = {label for i in range(3) for label in _labels_of(out / "cpu.pb.gz", i)}
    assert Label("odd", "m\ufffd", None, "") in labels


def _labels_of(file: Path, sample: int) -> tuple[Label, ...]:
    profile = read_profile(file.read_bytes(), path=file.name)
    return profile.labels(sample) if sample < len(profile) else ()


# Recordings of strangers -------------------------------------------------------------------------------

# Empty lock profiles: nothing in them tells which of the two they are. p140 is of a C++ program.
_KINDS = dict.fromkeys(("p016", "p042", "p052", "p066"), "mutex or block") | {"p140": "other"}


def _published(realworld: Path) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in (realworld / "manifest.jsonl").read_text().splitlines()]
    return [row for row in rows if row["file"].endswith(".pprof")]


def _is_text(file: Path) -> bool:
    return file.read_bytes()[:1] in (b"-", b"h")


def test_published_profiles_have_the_totals_of_the_reference(realworld: Path) -> None:
    read = 0
    for row in _published(realworld):
        file, reference = realworld / row["file"], row["reference"]
        if not reference["ok"] or _is_text(file):
            continue
        profile = read_profile(file.read_bytes(), path=row["file"])
        types = [f"{value_type.type}/{value_type.unit}" for value_type in profile.sample_types]
        kind = _KINDS.get(row["file"].split(".")[0], row["kind"])
        assert (row["file"], types, list(profile.totals()), len(profile), profile.kind) == (
            row["file"],
            reference["sample_types"],
            reference["totals"],
            reference["samples"],
            kind,
        )
        assert (profile.period, profile.duration_ns > 0) == (reference["period"], bool(reference["duration"]))
        read += 1
    assert read > 50


def test_published_profiles_that_are_none_end_in_one_clear_sentence(realworld: Path) -> None:
    says = {
        "p009": "text form",
        "p040": "text form",
        "p058": "heap profile in the old text form",
        "p069": "cut short",
        "p101": "heap profile in the old text form",
        "p110": "heap profile in the old text form",
        "p131": "no gzip",
    }
    for name, words in says.items():
        with pytest.raises(UnreadableInput, match=words):
            read_profile((realworld / f"{name}.pprof").read_bytes(), path=name)


def test_ten_heap_profiles_in_one_published_file_are_ten_in_time(realworld: Path) -> None:
    data = (realworld / "p010.pprof").read_bytes()
    profiles = read_profiles(data, path="p010.pprof")
    times = [profile.time_ns for profile in profiles]
    assert len(profiles) == 10
    assert times == sorted(times)
    assert {profile.kind for profile in profiles} == {"heap"}


def test_the_whole_part_of_an_overwritten_published_file_is_a_profile(realworld: Path) -> None:
    data = (realworld / "p131.pprof").read_bytes()
    assert "head -c 458 " in _refused(data).todo
    assert read_profile(data[:458], path="p131.pprof").kind == "cpu"


@pytest.mark.slow
def test_published_profiles_have_the_stacks_and_sums_of_go_tool_pprof(realworld: Path, go: str) -> None:
    wrong = []
    for row in _published(realworld):
        file = realworld / row["file"]
        if row["reference"]["ok"] and not _is_text(file):
            wrong += [_differs(go, file), _top_differs(go, file)]
    assert len(wrong) > 100
    assert [text for text in wrong if text] == []


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(["p001", "p004", "p017", "p026", "p073", "p122", "p018"]), _EDITS)
def test_no_change_of_a_published_profile_ends_in_a_traceback(
    realworld: Path, name: str, edits: list[tuple[int, int, bytes]]
) -> None:
    data = zlib.decompress((realworld / f"{name}.pprof").read_bytes(), wbits=31)
    _use(_mutate(data, edits))


def test_a_legacy_binary_cpu_profile_is_refused() -> None:
    assert "not a valid pprof" in _refused(struct.pack("<8Q", 0, 3, 0, 10_000, 0, 1, 1, 0x4004)).what
