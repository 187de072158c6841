"""A named file that cannot be read is an error of one sentence; inside a folder it is a warning."""

from __future__ import annotations

import gzip
import io
import json
import os
import socket
from pathlib import Path

import pytest

from gopherdx.artifacts.capture import FLAGS, Capture, Limits, Named, read_capture, read_captures
from gopherdx.errors import GopherdxError, UnreadableInput, UsageError
from tests.support.profiles import contention_profile, cpu_profile, heap_profile, pprof_bytes

DUMP = b"goroutine 1 [running]:\nmain.main()\n\t/src/main.go:7 +0x18\n"
GCTRACE = (
    b"gc 1 @0.012s 2%: 0.026+0.39+0.004 ms clock, 0.10+0.33/0.28/0.023+0.019 ms cpu, "
    b"4->4->0 MB, 4 MB goal, 0 MB stacks, 0 MB globals, 4 P\n"
)


def read(*named: Path | Named, limits: Limits | None = None) -> Capture:
    items = [n if isinstance(n, Named) else Named(n) for n in named]
    return read_capture(items, limits=limits or Limits())


def refused(*named: Path | Named, limits: Limits | None = None) -> str:
    """The one sentence of the error, which exits with 2."""
    with pytest.raises(GopherdxError) as caught:
        read(*named, limits=limits)
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def cpu(tmp_path: Path) -> Path:
    file = tmp_path / "cpu.pprof"
    file.write_bytes(cpu_profile())
    return file


def test_a_profile_is_read_as_what_it_is_whatever_its_name(tmp_path: Path) -> None:
    file = tmp_path / "trace.out"
    file.write_bytes(heap_profile())
    (item,) = read(file).inputs
    assert (item.kind, item.path, item.bytes) == ("heap", str(file), file.stat().st_size)


def test_a_profile_compressed_twice_is_read(tmp_path: Path) -> None:
    file = tmp_path / "cpu.pprof.gz"
    file.write_bytes(gzip.compress(cpu_profile()))
    assert [i.kind for i in read(file).inputs] == ["cpu"]


def test_a_stream_that_cannot_go_back_is_read(cpu: Path) -> None:
    class Pipe(io.RawIOBase):
        def __init__(self, content: bytes) -> None:
            self._rest = content

        def readable(self) -> bool:
            return True

        def read(self, size: int = -1) -> bytes:
            out, self._rest = self._rest[:size], self._rest[size:]
            return out

    capture = read(Named(Pipe(cpu.read_bytes())))  # type: ignore[arg-type]
    assert [(i.kind, i.path) for i in capture.inputs] == [("cpu", "standard input")]


def test_an_empty_stream_is_refused() -> None:
    assert refused(Named(io.BytesIO())) == "standard input: is empty; record it again"


# Named files that cannot be read ---------------------------------------------------------------------------


def test_nothing_named(tmp_path: Path) -> None:
    assert refused() == "nothing to diagnose; name a trace, a profile or a folder of them"


def test_a_missing_file(tmp_path: Path) -> None:
    assert refused(tmp_path / "no.trace") == f"{tmp_path}/no.trace: no such file; check the name"


@pytest.mark.parametrize("name", ["x" * 300, "a\0b"])
def test_a_name_that_no_file_can_have(tmp_path: Path, name: str) -> None:
    assert refused(tmp_path / name)


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "trace.out").touch()
    assert refused(tmp_path / "trace.out") == f"{tmp_path}/trace.out: is empty; record it again"


def test_random_bytes(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"\xff\x00\x13" * 99)
    assert "x: is binary data of no kind that gopherdx knows; give a trace" in refused(tmp_path / "x")


@pytest.mark.parametrize("version", ["1.5", "1.7", "1.8", "1.9", "1.10", "1.99"])
def test_a_trace_of_a_version_that_is_not_read_is_named(tmp_path: Path, version: str) -> None:
    (tmp_path / "t").write_bytes(f"go {version} trace\0\0\0".encode() + bytes(100))
    sentence = refused(tmp_path / "t")
    assert f"(header go {version})" in sentence
    assert "Go 1.11 or later" in sentence


def test_a_pprof_given_as_a_trace(cpu: Path) -> None:
    assert refused(Named(cpu, FLAGS["trace"])).startswith(
        f"{cpu}: is a pprof profile, not an execution trace; name it without a flag"
    )


@pytest.mark.parametrize(
    ("flag", "content", "words"),
    [
        ("cpu_profile", heap_profile(), "is a heap profile, not a CPU profile; give it as --heap-profile"),
        ("heap_profile", cpu_profile(), "is a CPU profile, not a heap profile; give it as --cpu-profile"),
        ("cpu_profile", DUMP, "is a goroutine dump (text), not a CPU profile; give it as --goroutines"),
        ("metrics", GCTRACE, "is a gctrace log, not runtime metrics; give it as --gctrace"),
        ("trace", b"hello", "is text of no kind that gopherdx knows, not an execution trace"),
    ],
)
def test_a_flag_refuses_another_kind_and_names_the_right_flag(
    tmp_path: Path, flag: str, content: bytes, words: str
) -> None:
    (tmp_path / "f").write_bytes(content)
    assert words in refused(Named(tmp_path / "f", FLAGS[flag]))


@pytest.mark.parametrize("flag", ["mutex_profile", "block_profile"])
def test_mutex_and_block_profiles_are_what_their_flag_says(tmp_path: Path, flag: str) -> None:
    (tmp_path / "f").write_bytes(contention_profile(leaf="main.unknown"))
    (item,) = read(Named(tmp_path / "f", FLAGS[flag])).inputs
    assert item.kind == flag.removesuffix("_profile")
    assert item.warnings == ()


def test_a_name_settles_what_the_content_leaves_open(tmp_path: Path) -> None:
    for name in ("block.pprof", "mutex.pprof", "x.pprof"):
        (tmp_path / name).write_bytes(contention_profile(leaf="main.unknown"))
    inputs = read(tmp_path).inputs
    assert [i.kind for i in inputs] == ["block", "mutex", "mutex or block"]
    assert [len(i.warnings) for i in inputs] == [0, 0, 1]


def test_the_content_decides_where_it_can_whatever_the_name(tmp_path: Path) -> None:
    (tmp_path / "block.pprof").write_bytes(contention_profile(leaf="sync.(*Mutex).Unlock"))
    assert [i.kind for i in read(tmp_path).inputs] == ["mutex"]


@pytest.mark.parametrize("flag", ["heap_profile", "allocs_profile"])
def test_heap_and_allocs_profiles_hold_the_same_and_are_what_their_flag_says(
    tmp_path: Path, flag: str
) -> None:
    (tmp_path / "f").write_bytes(heap_profile())
    (item,) = read(Named(tmp_path / "f", FLAGS[flag])).inputs
    assert item.kind == flag.removesuffix("_profile")


def test_a_profile_of_no_kind_that_is_judged(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(pprof_bytes(("wall-time", "nanoseconds")))
    assert "no kind that gopherdx judges (sample types: wall-time)" in refused(tmp_path / "f")


def test_a_damaged_profile(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(cpu_profile()[:-12])
    assert "cut short" in refused(tmp_path / "f")


def test_a_gzip_bomb(tmp_path: Path) -> None:
    body = gzip.decompress(cpu_profile())
    (tmp_path / "f").write_bytes(gzip.compress(body + b"\x32\x80\x01" + bytes(128)) * 1)
    bomb = gzip.compress(body + (b"\x32\x80\x80\x40" + bytes(1 << 20)) * 8)
    (tmp_path / "bomb").write_bytes(bomb)
    assert "limit" in refused(tmp_path / "bomb", limits=Limits(profile_bytes=1 << 20))


def test_a_folder_given_to_a_flag(tmp_path: Path) -> None:
    assert (
        refused(Named(tmp_path, FLAGS["trace"]))
        == f"{tmp_path}: is a folder, not a file; name the file in it"
    )


def test_a_pipe_a_socket_and_a_device_are_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "pipe: is a pipe, not a file; save it to a file" in refused(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s"))
        assert "s: is a socket, not a file" in refused(tmp_path / "s")
    assert "/dev/null: is a device, not a file" in refused(Path("/dev/null"))


def test_a_file_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cpu: Path) -> None:
    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    assert refused(cpu) == f"{cpu}: permission denied; check its permissions"


def test_a_log_is_every_kind_that_it_holds_wherever_it_holds_it(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"level=info\n" * 50_000 + GCTRACE + DUMP + b"level=info\n" + DUMP)
    capture = read(tmp_path / "log")
    assert [a.kind for a in capture.artifacts] == ["gctrace", "goroutine-dump", "goroutine-dump"]
    assert [i.kind for i in capture.inputs] == ["gctrace", "goroutine-dump"]


def test_text_in_utf_16_is_read_as_powershell_writes_it(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes((GCTRACE + DUMP * 3000).decode().replace("\n", "\r\n").encode("utf-16"))
    kinds = [a.kind for a in read(tmp_path / "log").artifacts]
    assert kinds == ["gctrace"] + ["goroutine-dump"] * 3000
    (tmp_path / "odd").write_bytes("notes".encode("utf-16") + b"\xd8")
    assert "no kind that gopherdx knows" in refused(tmp_path / "odd")


def test_what_powershell_made_of_a_download_is_named(tmp_path: Path) -> None:
    """Its > turns what a program writes into UTF-16 text, its curl shows an object; both were published."""
    head = b"go 1.22 trace\x00\x00\x00\x01\x01\x80\x91".decode("cp437").replace("\n", "\r\n")
    (tmp_path / "trace.out").write_bytes(head.encode("utf-16"))
    shown = "\r\nStatusCode        : 200\r\nStatusDescription : OK\r\nContent : {31, 139...}\r\n"
    (tmp_path / "heap.pprof").write_bytes(shown.encode("utf-16"))
    todo = "download it with curl.exe -o FILE URL, or Invoke-WebRequest URL -OutFile FILE"
    for name, what in (
        ("trace.out", "is binary data that PowerShell's > turned into text, which damages it"),
        ("heap.pprof", "is what PowerShell shows of a download, not the download"),
    ):
        assert refused(tmp_path / name) == f"{tmp_path / name}: {what}; {todo}"


def test_a_long_text_of_no_kind_is_refused_and_in_a_folder_left_out(tmp_path: Path, cpu: Path) -> None:
    (tmp_path / "log").write_bytes(b"level=info\n" * 50_000)
    assert "is text of no kind that gopherdx knows" in refused(tmp_path / "log")
    assert read(tmp_path).warnings == ("left out what is no artifact: log",)


# Folders ---------------------------------------------------------------------------------------------------


def test_a_folder_is_the_files_in_it_by_name(tmp_path: Path) -> None:
    (tmp_path / "b.pprof").write_bytes(cpu_profile())
    (tmp_path / "a.pprof").write_bytes(heap_profile())
    (tmp_path / ".hidden").write_bytes(heap_profile())
    (tmp_path / "within").mkdir()
    capture = read(tmp_path)
    assert [i.kind for i in capture.inputs] == ["heap", "cpu"]
    assert capture.warnings == ()


def test_in_a_folder_what_cannot_be_read_is_a_warning(tmp_path: Path, cpu: Path) -> None:
    (tmp_path / "damaged.pprof").write_bytes(cpu_profile()[:-12])
    (tmp_path / "empty").touch()
    (tmp_path / "gc.log").write_bytes(GCTRACE)
    for name in ("LICENSE", "main.go", "notes.txt", "zoo.txt"):
        (tmp_path / name).write_text("text\n")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "old.trace").write_bytes(b"go 1.9 trace\0\0\0\0" + bytes(40))
    capture = read(tmp_path)
    assert [(i.kind, i.warnings) for i in capture.inputs] == [
        ("cpu", ()),
        ("gctrace", ()),
    ]
    warnings = "\n".join(capture.warnings)
    assert "damaged.pprof: the gzip is cut short" in warnings
    assert "empty: is empty" in warnings
    assert "Go 1.9" in warnings
    assert "left out what is no artifact: LICENSE, main.go, notes.txt and 2 more" in warnings


def test_an_empty_folder(tmp_path: Path) -> None:
    assert "is an empty folder; record a trace or a profile into it" in refused(tmp_path)


def test_a_folder_with_nothing_known(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("text\n")
    assert "holds no trace or profile that can be read (notes.txt)" in refused(tmp_path)


def test_a_folder_of_folders_says_which_to_name(tmp_path: Path) -> None:
    (tmp_path / "api-1").mkdir()
    assert "holds no files, only folders; name the folder within: api-1" in refused(tmp_path)


def test_a_folder_of_dumps_is_a_capture(tmp_path: Path) -> None:
    (tmp_path / "stacks.txt").write_bytes(DUMP)
    assert [a.kind for a in read(tmp_path).artifacts] == ["goroutine-dump"]


def several(*files: Path, flag: str | None = None) -> tuple[Capture, ...]:
    named = [Named(file, FLAGS[flag] if flag and not file.is_dir() else None) for file in files]
    return read_captures(named, limits=Limits())


@pytest.fixture
def two(tmp_path: Path, cpu: Path) -> tuple[Path, Path]:
    folders = tmp_path / "a", tmp_path / "b"
    for folder in folders:
        folder.mkdir()
        (folder / "cpu.pprof").write_bytes(cpu.read_bytes())
    (folders[1] / "notes.txt").write_text("nothing of interest")
    return folders


def test_two_folders_are_two_processes(two: tuple[Path, Path]) -> None:
    first, second = several(*two)
    assert (first.name, second.name) == tuple(map(str, two))
    assert [(i.path, i.process) for c in (first, second) for i in c.inputs] == [
        (f"{folder}/cpu.pprof", str(folder)) for folder in two
    ]
    assert (first.warnings, second.warnings) == (
        (),
        (f"{two[1]}: left out what is no artifact: notes.txt",),
    )


def test_one_folder_is_one_process_and_needs_no_name(two: tuple[Path, Path], cpu: Path) -> None:
    for files in ((two[0],), (two[0], cpu), (cpu,)):
        (capture,) = several(*files)
        assert capture.name is None
        assert {i.process for i in capture.inputs} == {None}


def test_a_folder_named_twice_is_one_process(two: tuple[Path, Path]) -> None:
    (capture,) = several(two[0], two[0])
    assert capture.warnings == (f"{two[0]} was named twice and is read once",)
    assert [c.name for c in several(*two, two[0])] == [str(folder) for folder in two]


def test_files_beside_several_folders_belong_to_no_process(two: tuple[Path, Path], cpu: Path) -> None:
    with pytest.raises(UsageError, match=r"cpu\.pprof: several folders are several processes"):
        several(*two, cpu)
    with pytest.raises(UsageError, match="--cpu-profile: several folders are several processes"):
        several(*two, cpu, flag="cpu_profile")


def test_too_many_processes_are_refused(tmp_path: Path) -> None:
    folders = [tmp_path / str(n) for n in range(17)]
    for folder in folders:
        folder.mkdir()
    with pytest.raises(UsageError, match="17 folders are as many processes, and 16 at most"):
        several(*folders)


def test_a_file_named_twice_is_read_once(tmp_path: Path, cpu: Path) -> None:
    (tmp_path / "same").symlink_to(cpu)
    capture = read(cpu, tmp_path / "same", tmp_path)
    assert len(capture.inputs) == 1
    assert capture.warnings == (f"{tmp_path}/same was named twice and is read once",)


def test_published_recordings_are_read_or_refused_in_one_sentence(realworld: Path) -> None:
    for line in (realworld / "manifest.jsonl").read_text().splitlines():
        entry = json.loads(line)
        file = realworld / entry["file"]
        if entry["kind"] == "trace" and file.stat().st_size > 200_000:
            continue  # the tests of the trace reader read all of them
        try:
            (item,) = read(file).inputs
        except UnreadableInput as error:
            sentence = str(error)
        else:
            sentence = ""
            assert entry["kind"] in item.kind, entry["file"]
        assert "\n" not in sentence, entry["file"]
