"""Goroutine dumps in text: every form of the runtime, wherever it stands, and whatever is left of it."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gopherdx.artifacts.dump import GoroutineDump, read_dumps
from gopherdx.artifacts.sniff import Form, sniff
from gopherdx.errors import UnreadableInput
from tests.support.dumps import LOCKS, READS, SENDS, SERVE, SERVED, WRITER, counts, goroutine, many


def read(text: str | bytes, limit: int = 1 << 30) -> tuple[GoroutineDump, ...]:
    data = text.encode() if isinstance(text, str) else text
    return read_dumps(io.BytesIO(data), path="stacks.txt", limit_bytes=limit)


def one(text: str | bytes) -> GoroutineDump:
    (dump,) = read(text)
    return dump


def shape(dump: GoroutineDump) -> list[tuple[int, str, tuple[str, ...], str]]:
    return [
        (g.count, g.state, tuple(f.function for f in g.stack), g.creator.function if g.creator else "")
        for g in dump.groups
    ]


SENDERS = "".join(goroutine(i, "chan send", SENDS, minutes=3 + i, parent=90 + i) for i in range(1, 5))
LOCKED = "".join(goroutine(i, "sync.Mutex.Lock", (*LOCKS, *SERVE), started=SERVED) for i in (11, 12))
PAIR = [
    (4, "chan send", tuple(c[0] for c in SENDS), "example.com/shop/web.handle"),
    (2, "sync.Mutex.Lock", tuple(c[0] for c in (*LOCKS, *SERVE)), "net/http.(*Server).Serve"),
]


# --- the stacks form -------------------------------------------------------------------------------------


def test_goroutines_of_one_stack_are_one_group_whatever_their_arguments() -> None:
    dump = one(WRITER.format(id=7) + SENDERS + LOCKED)
    assert (dump.kind, dump.form, dump.total, dump.whole, dump.truncated) == (
        "goroutine-dump", "stacks", 7, True, False,
    )  # fmt: skip
    assert shape(dump)[:2] == PAIR
    senders = dump.groups[0]
    assert senders.ids == (1, 2, 3, 4)
    assert senders.minutes == (4, 5, 6, 7)
    assert (senders.minutes_min, senders.minutes_max, senders.minutes_total) == (4, 7, 22)
    assert senders.parents == (91, 92, 93, 94)
    assert senders.stack[0] == ("example.com/shop/orders.(*Desk).settle", "/src/shop/orders/desk.go", 87)
    assert dump.has_ages


def test_waiters_of_a_mutex_keep_its_address_where_the_runtime_is_sure_of_it() -> None:
    sure = one(LOCKED).groups[0]
    assert sure.locks == (0xC000134930, 0xC000134930)
    unsure = one(LOCKED.replace("0xc000134930,", "0xc000134930?,")).groups[0]
    assert unsure.locks == (0, 0)
    assert one(SENDERS).groups[0].locks == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("brackets", "state", "minutes", "locked", "leaked"),
    [
        ("[chan send]:", "chan send", 0, False, False),
        ("[chan send, 12 minutes]:", "chan send", 12, False, False),
        ("[IO wait, 1 minutes, locked to thread]:", "IO wait", 1, True, False),
        ("[chan send (leaked), 3 minutes]:", "chan send", 3, False, True),
        ("[running (scan)]:", "running", 0, False, False),
        ("[chan receive (durable), synctest bubble 4]:", "chan receive", 0, False, False),
        ("[sleep (durable), 2 minutes, synctest bubble 4]:", "sleep", 2, False, False),
        ("[chan send (nil chan)]:", "chan send (nil chan)", 0, False, False),
        ("[select (no cases), 5 minutes]:", "select (no cases)", 5, False, False),
        ('[chan send, 5 minutes labels:{"a": "b, 7 minutes"}]:', "chan send", 5, False, False),
        ("[chan send] {a: b}:", "chan send", 0, False, False),
        ("gp=0xc000002380 m=nil [chan send, 5 minutes]:", "chan send", 5, False, False),
        ("gp=0xc000002380 m=3 mp=0xc000080008 [syscall, locked to thread]:", "syscall", 0, True, False),
    ],
)
def test_headers_of_every_go_version_are_taken_apart(
    brackets: str, state: str, minutes: int, locked: bool, leaked: bool
) -> None:
    text = goroutine(5, "x", SENDS).replace("[x]:", brackets)
    (group,) = one(text).groups
    assert (group.state, group.minutes, group.locked, group.leaked) == (state, (minutes,), locked, leaked)


def test_frames_of_a_crash_have_their_registers_taken_off() -> None:
    text = """SIGQUIT: quit
PC=0x48efc1 m=0 sigcode=0

goroutine 0 gp=0x68d7a0 m=0 mp=0x68e560 [idle]:
runtime.futex(0x68e6a0, 0x80, 0x0, 0x0, 0x0, 0x0)
	/usr/local/go/src/runtime/sys_linux_amd64.s:557 +0x21 fp=0x7ffe sp=0x7ff0 pc=0x48efc1
runtime.mcall()
	/usr/local/go/src/runtime/asm_amd64.s:463 +0x53 fp=0x7ffe sp=0x7ff0 pc=0x48b933

goroutine 1 gp=0xc0000021c0 m=nil [chan send, 4 minutes]:
runtime.gopark(0xb17?, 0x4b5ffd?, 0x80?, 0x81?, 0x2b2dad5a6400?)
	/usr/local/go/src/runtime/proc.go:474 +0xca fp=0xc000054d10 sp=0xc000054cf0 pc=0x486daa
main.main()
	/src/main.go:90 +0x9e8 fp=0xc000054eb8 sp=0xc000054d68 pc=0x524d28
runtime.main()
	/usr/local/go/src/runtime/proc.go:302 +0x427 fp=0xc000054fe0 sp=0xc000054eb8 pc=0x450587
runtime.goexit({})
	/usr/local/go/src/runtime/asm_amd64.s:1264 +0x1 fp=0xc000054fe8 sp=0xc000054fe0 pc=0x48d481

goroutine 9 gp=0xc000602000 m=5 mp=0xc000580008 [running]:
	goroutine running on other thread; stack unavailable
created by main.main in goroutine 1
	/src/main.go:66 +0x9a5

rax    0xca
rbx    0x0
"""
    dump = one(text)
    assert (dump.total, dump.g0, dump.why, dump.truncated) == (2, 1, "SIGQUIT: quit", False)
    assert shape(dump) == [
        (1, "chan send", ("runtime.gopark", "main.main", "runtime.main"), ""),
        (1, "running", (), "main.main"),
    ]
    assert dump.groups[0].stack[1].line == 90

    # With GOTRACEBACK=crash the other threads follow, each with what it runs: the same dump, now complete.
    more = """
-----

SIGQUIT: quit
PC=0x524d28 m=5 sigcode=0

goroutine 9 gp=0xc000602000 m=5 mp=0xc000580008 [running]:
main.spin()
	/src/main.go:70 +0x12 fp=0xc000054eb8 sp=0xc000054d68 pc=0x524d28
created by main.main in goroutine 1
	/src/main.go:66 +0x9a5

rax    0xca
"""
    dump = one(text + more)
    assert dump.total == 2
    assert shape(dump)[1] == (1, "running", ("main.spin",), "main.main")


def test_deep_stacks_and_ancestors_and_cgo_frames() -> None:
    text = """goroutine 40 [chan send]:
main.(*box[...]).put(...)
	/src/main.go:21
main.walk(0x64)
	/src/main.go:36 +0x33
...additional frames elided...
...54 frames elided...
main.walk(0x1)
	/src/main.go:36 +0x33
main._Cfunc_work(0x1)
	_cgo_gotypes.go:51 +0x4a
created by main.(*Pool[...]).start.func2 in goroutine 3
	/src/my files/pool.go:12 +0x7a
[originating from goroutine 3]:
main.main()
	/src/main.go:5 +0x1a

"""
    (group,) = one(text).groups
    assert group.elided
    assert [f.function for f in group.stack] == [
        "main.(*box[...]).put", "main.walk", "main.walk", "main._Cfunc_work",
    ]  # fmt: skip
    assert group.creator == ("main.(*Pool[...]).start.func2", "/src/my files/pool.go", 12)


def test_windows_paths_and_old_versions() -> None:
    text = (
        "goroutine 22 [chan receive, 3 minutes]:\r\n"
        "distributed-kv/consensus.(*Raft).Start.func1()\r\n"
        "\tC:/Users/someone/Desktop/kv/consensus.go:312 +0x3be\r\n"
        "created by distributed-kv/consensus.(*Raft).Start\r\n"
        "\tC:/Users/someone/Desktop/kv/consensus.go:278 +0x56\r\n\r\n"
    )
    (group,) = one(text).groups
    assert group.stack[0].file == "C:/Users/someone/Desktop/kv/consensus.go"
    assert group.creator is not None
    assert (group.creator.line, group.parents) == (278, (0,))


# --- in logs ----------------------------------------------------------------------------------------------

PREFIXES = [
    "2024/01/01 12:00:0{n} ",
    "2026-01-02T03:04:0{n}.123456789Z stderr F ",
    "[pod/api-7/api] ",
    "api-1  | ",
    "Jan 01 12:00:0{n} host api[31{n}]: ",
    "    ",
    "\t",
    "E0101 12:00:0{n}.000000   12{n} main.go:7] ",
]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_what_a_log_puts_before_each_line_is_taken_off(prefix: str) -> None:
    lines = (SENDERS + LOCKED).split("\n")
    text = "\n".join(prefix.format(n=i % 10) + line for i, line in enumerate(lines))
    assert shape(one("starting up\n" + text)) == PAIR


@pytest.mark.parametrize("prefix", ["", *PREFIXES])
def test_tabs_may_be_spaces_or_gone(prefix: str) -> None:
    for tab in ("    ", "        ", ""):
        lines = (SENDERS + LOCKED).replace("\t", tab).split("\n")
        text = "\n".join(prefix.format(n=i % 10) + line for i, line in enumerate(lines))
        assert shape(one(text)) == PAIR


def test_log_lines_may_stand_before_between_and_within_stacks() -> None:
    noise = 'level=info msg="GET /orders (200)" took=12ms\n'
    lines = (SENDERS + LOCKED).split("\n")
    text = noise * 3
    for i, line in enumerate(lines):
        text += line + "\n" + (noise if i % 3 == 1 else "")
    assert shape(one(text + noise)) == PAIR


def test_a_header_may_follow_a_log_line_without_its_newline() -> None:
    assert shape(one("70 s have passed, dumping all stacks" + SENDERS + LOCKED)) == PAIR


def test_output_that_a_log_wraps_in_json_is_unwrapped() -> None:
    lines = (SENDERS + LOCKED).split("\n")
    docker = [{"log": line + "\n", "stream": "stderr", "time": "2026-01-02T03:04:05Z"} for line in lines]
    tests = [{"Time": "2026-01-02T03:04:05Z", "Action": "output", "Output": line + "\n"} for line in lines]
    for wrapped in (docker, tests):
        text = "".join(json.dumps(line) + "\n" for line in wrapped)
        assert shape(one(text)) == PAIR
        assert sniff(text.encode()).form is Form.GOROUTINE_DUMP
    logged = json.dumps({"level": "error", "msg": "stuck (all)", "stacktrace": SENDERS + LOCKED})
    assert shape(one('{"level": "info"}\n' + logged + "\n{}\n")) == PAIR
    assert sniff(logged.encode()).form is Form.GOROUTINE_DUMP


def test_megabytes_of_log_around_dumps_change_nothing() -> None:
    noise = "".join(f"level=info msg=order id={i} (paid) path=/src/x.go:12\n" for i in range(140_000))
    assert len(noise) > 6 << 20
    dumps = read(noise + SENDERS + LOCKED + noise + SENDERS + LOCKED + noise)
    assert [shape(d) for d in dumps] == [PAIR, PAIR]


# --- several dumps ----------------------------------------------------------------------------------------


def test_a_goroutine_that_comes_again_begins_another_dump() -> None:
    later = SENDERS + goroutine(5, "chan send", SENDS, minutes=1) + LOCKED
    first, second = read(SENDERS + LOCKED + later)
    assert (first.total, second.total) == (6, 7)


def test_each_dump_that_was_asked_for_begins_with_who_writes_it() -> None:
    first, second = read(WRITER.format(id=7) + SENDERS + WRITER.format(id=70) + LOCKED)
    assert (first.total, second.total) == (5, 3)


def test_a_signal_a_panic_and_a_head_of_counts_begin_another_dump() -> None:
    crash = "panic: boom\n\n" + LOCKED.replace("sync.Mutex.Lock", "running", 1)
    counted = counts([(3, 3, SENDS)])
    dumps = read(SENDERS + "SIGQUIT: quit\nPC=0x1 m=0\n\n" + LOCKED + crash + counted + SENDERS)
    assert [(d.form, d.total, d.why) for d in dumps] == [
        ("stacks", 4, ""),
        ("stacks", 2, "SIGQUIT: quit"),
        ("stacks", 2, "panic: boom"),
        ("counts", 3, ""),
        ("stacks", 4, ""),
    ]


def test_the_stack_of_one_goroutine_says_nothing_of_the_others() -> None:
    stack = goroutine(1, "running", [("runtime/debug.Stack", "/go/debug/stack.go", 24), *SENDS])
    dumps = read(
        stack + goroutine(30, "running", [("runtime/debug.PrintStack", "/go/stack.go", 16)]) + SENDERS
    )
    assert [(d.total, d.whole) for d in dumps] == [(1, False), (1, False), (4, True)]
    (crash,) = read("panic: boom [recovered]\n\n" + goroutine(8, "running", SENDS))
    assert (crash.whole, crash.why) == (False, "panic: boom [recovered]")
    (asleep,) = read("fatal error: all goroutines are asleep - deadlock!\n\n" + goroutine(1, "select", SENDS))
    assert asleep.whole


def test_a_time_with_a_zone_before_a_dump_is_its_time() -> None:
    stamp = "2026-01-02T03:04:05.5Z"
    assert one(f"{stamp} dumping\n" + SENDERS).time_ns == 1767323045_500_000_000
    assert one(f"2026-01-02T04:04:05.5+01:00 {SENDERS}").time_ns == 1767323045_500_000_000
    assert one("2026-01-02T03:04:05 no zone\n" + SENDERS).time_ns == 0


# --- the counts form ---------------------------------------------------------------------------------------


def test_counts_have_stacks_without_states_and_ages() -> None:
    dump = one(counts([(40, 3, SENDS), (7, 2, READS), (1, 1, SERVE)]))
    assert (dump.form, dump.total, dump.said_total, dump.has_ages, dump.truncated) == (
        "counts", 48, 48, False, False,
    )  # fmt: skip
    assert [(g.count, g.state, g.hidden) for g in dump.groups] == [(40, "", 3), (7, "", 2), (1, "", 1)]
    assert [f.function for f in dump.groups[0].stack] == [c[0] for c in SENDS]


CHANNELS = """goroutine profile: total 17
9 @ 0x43ac8e 0x407025 0x406c77 0x4edefd 0x468961
#	0x4edefc	main.send+0x1c	/src/main.go:23

5 @ 0x43ac8e 0x407d6d 0x407992 0x4edf35 0x468961
#	0x4edf34	main.recv+0x14	/src/main.go:24

2 @ 0x43ac8e 0x407d6d 0x4079b2 0x4edf95 0x468961
#	0x4edf94	main.drain+0x14	/src/main.go:29

1 @ 0x43ac8e 0x44c8b2 0x44c889 0x465045 0x470a0a 0x4ed7e5 0x468961
#	0x465044	sync.runtime_SemacquireMutex+0x24	/go/src/runtime/sema.go:77
#	0x470a09	sync.(*Mutex).lockSlow+0x159		/go/src/sync/mutex.go:171
#	0x4ed7e4	main.hold+0x14	/src/main.go:9

"""


def test_sends_and_receives_are_told_apart_by_the_order_of_the_runtimes_functions() -> None:
    # chansend1 ends at 0x406c77, chanrecv1 at 0x407992, chanrecv2 a few bytes behind it (Go 1.21, amd64).
    states = {g.stack[0].function: g.state for g in one(CHANNELS).groups}
    assert states == {
        "main.send": "chan send",
        "main.recv": "chan receive",
        "main.drain": "chan receive",
        "sync.runtime_SemacquireMutex": "",
    }


def test_where_only_one_kind_of_channel_wait_is_there_nothing_tells_which() -> None:
    for gone in (r"9 @.*?\n\n", r"5 @.*?\n\n2 @.*?\n\n"):
        dump = one(re.sub(gone, "", CHANNELS, flags=re.DOTALL))
        assert {g.state for g in dump.groups} == {""}


def test_labels_split_no_group_and_the_leak_profile_is_a_kind_of_its_own() -> None:
    text = """goroutineleak profile: total 9
5 @ 0x486daa 0x4167bc 0x4163b7 0x524ef4 0x48d481
# labels: {"a":"b c"}
#	0x524ef3	main.(*box[...]).put+0x33	example.com/shop/main.go:21

4 @ 0x486daa 0x4167bc 0x4163b7 0x524ef4 0x48d481
#	0x524ef3	main.(*box[...]).put+0x33	example.com/shop/main.go:21

"""
    dump = one(text)
    (group,) = dump.groups
    assert (dump.kind, group.count, group.leaked, group.hidden) == ("goroutineleak", 9, True, 3)
    empty = one("goroutineleak profile: total 0\n")
    assert (empty.total, empty.truncated, empty.groups) == (0, False, ())


# --- cut and hostile ---------------------------------------------------------------------------------------


def test_a_dump_that_stops_in_a_stack_says_so() -> None:
    text = SENDERS + LOCKED
    assert not one(text.rstrip("\n")).truncated
    last = text.rindex("created by")
    for end in (last, last - 5, text.rindex("goroutine 12") + len("goroutine 12 [sync.Mu"), last + 30):
        dump = one(text[:end])
        assert dump.truncated
        assert "in the middle of a stack" in dump.warnings[0]
    assert one(text[: text.rindex("goroutine 12")]).truncated is False


def test_a_dump_that_the_runtime_cut_at_64_mib_says_what_counts_them_all() -> None:
    text = (many(3000) * 30)[: 64 << 20].encode()
    dump = read(
        text.ljust(64 << 20, b"#")[: (64 << 20) - 40] + b"\ngoroutine 9999 [chan send]:\nmain.f(0x1)"
    )[-1]
    assert dump.truncated
    assert "counts them all" in dump.warnings[1]


def test_counts_that_are_cut_are_fewer_than_the_head_says() -> None:
    text = counts([(40, 3, SENDS), (7, 2, READS)])
    dump = one(text[: text.rindex("7 @")])
    assert (dump.total, dump.truncated) == (40, True)
    assert dump.warnings == ("the dump says 47 goroutines and shows 40: it is cut short",)


def test_texts_without_a_dump_have_none() -> None:
    for text in (
        "",
        "\n",
        "goroutine 7 is running\n",
        "gc 1 @0.1s 3%: 0.1+0.2+0.3 ms clock, ",
        "x" * (9 << 20),
    ):
        assert read(text) == ()


def test_more_than_the_limit_is_refused_in_a_sentence() -> None:
    with pytest.raises(UnreadableInput, match="more than 1,000 bytes"):
        read(SENDERS, limit=1000)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(SENDERS + LOCKED)), st.binary(max_size=80))
def test_a_dump_cut_anywhere_and_followed_by_anything_is_read(end: int, junk: bytes) -> None:
    text = (SENDERS + LOCKED).encode()[:end] + junk
    dumps = read(text)
    assert sum(d.total for d in dumps) <= 6 + junk.count(b"goroutine")
    for dump in dumps:
        assert dump.total == sum(g.count for g in dump.groups)


_PIECES = st.sampled_from(
    [
        b"goroutine 1 [running]:\n", b"goroutine 0 [idle]:\n", b"goroutine profile: total 3\n",
        b"\n", b"\r\n",
        b"goroutineleak profile: total 99999999999999\n", b"3 @ 0x1 0x2\n", b"#\t0x1\tmain.f+0x1\t/a.go:3\n",
        b"main.f(0x1)\n", b"\t/src/a.go:12 +0x1\n", b"created by main.g in goroutine 2\n", b"panic: x\n",
        b"-----\n", b"SIGQUIT: quit\n", b"...additional frames elided...\n", b"\x00\xff", b"f(((((((((((((",
        b"goroutine 99999999999999999999999 [x]:\n", b"goroutine 7 [a, 9999999999 minutes]:\n",
        b'{"log":"goroutine 5 [running]:\\n"}\n', b'{"a":', b"}\n", b'{"log":1}\n', b"[" * 3000,
        b"[originating from goroutine 3]:\n", b"2026-13-45T99:99:99Z ",
        b"\tgoroutine running on other thread\n",
    ]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(_PIECES, st.binary(max_size=20)), max_size=60))
def test_any_mixture_of_pieces_is_read_or_refused(pieces: list[bytes]) -> None:
    for dump in read(b"".join(pieces)):
        assert isinstance(dump.groups, tuple)
        assert all(g.count > 0 for g in dump.groups)


_HUGE = (
    b"goroutine 1 [running]:\n" + b"f(" * 3_000_000,
    b"goroutine " * 900_000,
    b"goroutine 1 [" + b"a" * 9_000_000,
)


@pytest.mark.parametrize("line", _HUGE, ids=["function", "header", "state"])
def test_huge_lines_take_no_time(line: bytes) -> None:
    read(line)


# --- size ---------------------------------------------------------------------------------------------------


def test_a_hundred_thousand_goroutines_take_little_memory_and_no_more_than_linear_time(
    tmp_path: Path,
) -> None:
    path = tmp_path / "many.txt"
    path.write_text(many(100_000))
    code = (
        "import re, sys, time\n"
        "from pathlib import Path\n"
        "from gopherdx.artifacts.dump import read_dumps\n"
        "began = time.process_time()\n"
        "with open(sys.argv[1], 'rb') as source:\n"
        "    (dump,) = read_dumps(source, path='x', limit_bytes=1 << 30)\n"
        "used = time.process_time() - began\n"
        # Not getrusage: a child's maximum begins at what its parent held when it was started.
        "peak_kib = re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1]\n"
        "print(dump.total, len(dump.groups), used, peak_kib)\n"
    )
    out = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    total, groups, used, kib = out.stdout.split()
    assert (int(total), int(groups)) == (100_000, 2)
    assert float(used) < 15  # about 1.2 s on an idle machine; a quadratic reader would take hours
    assert int(kib) < 500 * 1024


# --- recordings of others ----------------------------------------------------------------------------------


def test_published_dumps_have_the_counts_of_the_manifest(realworld: Path) -> None:
    checked = 0
    for line in (realworld / "manifest.jsonl").read_text().splitlines():
        row = json.loads(line)
        if row["kind"] != "goroutine-dump":
            continue
        checked += 1
        data = (realworld / row["file"]).read_bytes()
        dumps, said = read(data), row["reference"]
        if "profile_totals" in said:
            assert [d.total for d in dumps] == said["profile_totals"], row["file"]
            assert sum(len(d.groups) for d in dumps) == said["groups"], row["file"]
            continue
        # The manifest counts headers that begin a line; one here follows a log line without a newline.
        glued = len(re.findall(rb"[^\n\t ]goroutine \d+ \[", data))
        assert sum(d.total + d.g0 for d in dumps) == said["goroutine_headers"] + glued, row["file"]
        waits = sum(1 for d in dumps for g in d.groups for m in g.minutes if m)
        assert waits == said["waits_with_minutes"], row["file"]
        states: dict[str, int] = {}
        for group in (g for d in dumps for g in d.groups):
            states[group.state] = states.get(group.state, 0) + group.count
        for state, count in said["states"].items():
            assert states.get(state, 0) == (count if state != "idle" else 0), (row["file"], state)
        assert not any(d.truncated for d in dumps), row["file"]
    assert checked >= 12


def test_text_of_other_kinds_holds_no_dump(realworld: Path) -> None:
    for path in sorted(realworld.glob("d*.txt")):
        found = read(path.read_bytes())
        kind = next(
            json.loads(line)["kind"]
            for line in (realworld / "manifest.jsonl").read_text().splitlines()
            if json.loads(line)["file"] == path.name
        )
        assert bool(found) == (kind == "goroutine-dump"), path.name
