"""A file is known by its first bytes, whatever its name; what is not known is named in words."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import os
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gopherdx.artifacts.sniff import (
    HEAD_BYTES,
    TRACE_HEADERS,
    Form,
    is_cut,
    open_artifact,
    size_text,
    sniff,
)
from gopherdx.errors import UnreadableInput

DUMP = b"goroutine 1 [running]:\nmain.main()\n\t/src/main.go:7 +0x18\n"
GCTRACE = (
    b"gc 1 @0.012s 2%: 0.026+0.39+0.004 ms clock, 0.10+0.33/0.28/0.023+0.019 ms cpu,"
    b" 4->4->0 MB, 5 MB goal, 4 P\n"
)
SCHEDTRACE = b"SCHED 1004ms: gomaxprocs=4 idleprocs=0 threads=6 spinningthreads=0 idlethreads=1 runqueue=12\n"
PROFILE = bytes.fromhex("0a0408011002120208013200320773616d706c65733205636f756e74")
"""A pprof as bytes: one sample type ("samples", "count"), one sample, a table of three strings."""


@pytest.mark.parametrize("version", TRACE_HEADERS)
def test_every_trace_header_that_go_ever_wrote_is_a_trace_of_its_releases(version: str) -> None:
    found = sniff(f"go {version} trace\0\0\0".encode() + b"\x01\x02")
    assert found.form is Form.TRACE
    assert found.header == version
    assert TRACE_HEADERS[version] in found.looks_like


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (PROFILE, Form.PPROF),
        (DUMP, Form.GOROUTINE_DUMP),
        (b"goroutine profile: total 6\n2 @ 0x103b125 0x106cd1f\n", Form.GOROUTINE_DUMP),
        (b"2024/05/06 07:08:09 stopping\n" * 500 + DUMP, Form.GOROUTINE_DUMP),
        (b"goroutine 18 gp=0xc000007c00 m=nil [chan receive, 5 minutes]:\nmain.f()\n", Form.GOROUTINE_DUMP),
        (GCTRACE, Form.GCTRACE),
        (b"api-1 | " + GCTRACE, Form.GCTRACE),
        (SCHEDTRACE, Form.SCHEDTRACE),
        (b'{"/memory/classes/heap/free:bytes": 12, "unix_ns": 1}\n', Form.METRICS),
        (b'{"cmdline": ["./app"], "memstats": {"Alloc": 1}}', Form.METRICS),
        (b"# HELP go_goroutines Number of goroutines.\n# TYPE go_goroutines gauge\n", Form.METRICS),
        (b"go_memstats_heap_alloc_bytes 1.2e+06\n", Form.METRICS),
    ],
)
def test_each_kind_is_known_by_its_content(content: bytes, form: Form) -> None:
    assert sniff(content).form is form


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("trace.out", b"x")
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "an empty file"),
        (b"\x7fELF\x02\x01\x01" + bytes(80), "a program"),
        (_zip(), "a zip archive"),
        (bz2.compress(b"x"), "a bzip2 file"),
        (b"<!DOCTYPE html><html><title>/debug/pprof/</title>", "an HTML page"),
        (b"404 page not found\n", "failed download"),
        (b"heap profile: 13: 1595680 [47130736: 2584596557304] @ heap/1048576\n", "old text form"),
        (b'{"traceEvents": []}', "Chrome"),
        (b'{"name": "app", "version": 3}', "JSON without metrics"),
        (b"# HELP http_requests Total.\n# TYPE http_requests counter\n", "none of the Go runtime"),
        (b"dear diary\n", "text of no kind"),
        (b"go 1.2", "first bytes of an execution trace"),
        (bytes([0xFF, 0xFE, 0x00, 0x9C]) * 20, "binary data"),
    ],
)
def test_what_is_not_known_is_named_in_words(content: bytes, words: str) -> None:
    found = sniff(content)
    assert found.form is None
    assert words in found.looks_like
    assert found.hint


@given(st.binary(max_size=400))
def test_any_bytes_get_an_answer(content: bytes) -> None:
    found = sniff(content)
    assert found.form is not None or found.looks_like


@given(st.binary(min_size=40, max_size=400))
def test_bytes_after_a_byte_that_begins_no_field_are_no_profile(content: bytes) -> None:
    assert sniff(b"\x07" + content).form is not Form.PPROF


def test_a_long_profile_is_known_although_its_end_is_not_seen() -> None:
    long = PROFILE[:6] + b"\x12\x04\x0a\x02\x01\x02" * (HEAD_BYTES // 6 + 10)
    assert sniff(long[:HEAD_BYTES]).form is Form.PPROF


# Opening -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layers", [0, 1, 2])
def test_gzip_is_taken_off_once_or_twice(tmp_path: Path, layers: int) -> None:
    content = PROFILE
    for _ in range(layers):
        content = gzip.compress(content)
    file = tmp_path / "cpu.pprof"
    file.write_bytes(content)
    with open_artifact(file, where="cpu.pprof") as stream:
        assert stream.read() == PROFILE


def test_an_inflated_stream_can_go_back_and_to_its_end(tmp_path: Path) -> None:
    content = os.urandom(300_000)
    file = tmp_path / "x.gz"
    file.write_bytes(gzip.compress(content))
    with open_artifact(file, where="x.gz") as stream:
        assert stream.seek(0, os.SEEK_END) == len(content)
        assert stream.seek(200_000) == 200_000
        assert stream.read(10) == content[200_000:200_010]
        stream.seek(5)
        assert stream.read() == content[5:]


def test_gzip_members_one_after_another_are_one_stream(tmp_path: Path) -> None:
    file = tmp_path / "x.gz"
    file.write_bytes(gzip.compress(b"one ") + gzip.compress(b"two") + b"\0\0\0")
    with open_artifact(file, where="x.gz") as stream:
        assert stream.read() == b"one two"


def test_a_gzip_file_cut_short_gives_what_it_holds_and_says_so(tmp_path: Path) -> None:
    content = os.urandom(200_000)
    whole = gzip.compress(content)
    file = tmp_path / "x.gz"
    file.write_bytes(whole[: len(whole) // 2])
    with open_artifact(file, where="x.gz") as stream:
        got = stream.read()
        assert content.startswith(got)
        assert len(got) > len(content) // 3
        assert is_cut(stream)


def test_a_damaged_gzip_file_is_one_sentence(tmp_path: Path) -> None:
    whole = bytearray(gzip.compress(os.urandom(200_000)))
    whole[-6] ^= 0xFF  # the checksum
    file = tmp_path / "x.gz"
    file.write_bytes(whole)
    with open_artifact(file, where="x.gz") as stream, pytest.raises(UnreadableInput, match="damaged gzip"):
        stream.read()


def test_a_gzip_bomb_stops_at_the_limit_and_is_never_inflated_whole(tmp_path: Path) -> None:
    file = tmp_path / "bomb.gz"
    file.write_bytes(gzip.compress(bytes(64 << 20)))
    tracemalloc.start()
    with open_artifact(file, where="bomb.gz", limit=4 << 20) as stream:
        with pytest.raises(UnreadableInput, match="more than 4 MiB when it is decompressed"):
            while stream.read(1 << 16):
                pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20


@pytest.mark.parametrize(
    ("size", "text"), [(512, "512 bytes"), (1536, "1.5 KiB"), (64 << 20, "64 MiB"), (8 << 30, "8 GiB")]
)
def test_sizes_are_written_for_people(size: int, text: str) -> None:
    assert size_text(size) == text


def test_published_recordings_are_known(realworld: Path) -> None:
    legacy_text = {"p009.pprof", "p040.pprof", "p058.pprof", "p101.pprof", "p110.pprof"}
    texts = {"trace", "goroutine-dump", "gctrace", "metrics"}
    for line in (realworld / "manifest.jsonl").read_text().splitlines():
        entry = json.loads(line)
        expected = entry["kind"] if entry["kind"] in texts else "pprof"
        with open_artifact(realworld / entry["file"], where=entry["file"]) as stream:
            found = sniff(stream.read(HEAD_BYTES))
        if entry["file"] in legacy_text:
            assert "old text form" in found.looks_like
        else:
            assert found.form == expected, entry["file"]
