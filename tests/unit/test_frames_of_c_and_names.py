"""Frames of C calls and of name look-ups are what each toolchain's programs show, in dumps taken now.

Needs toolchains (GOPHERDX_GO_1_26_6 and the like, or GOPHERDX_GO) and a C compiler; for the C library's
resolver a network namespace too. Nobody is asked but a name server on loopback that never answers.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from gopherdx import frames as fr
from gopherdx.artifacts.dump import GoroutineDump, read_dumps

NETNS = Path(__file__).resolve().parents[1] / "lab" / "netns.sh"
TOOLCHAINS = sorted({name for name in os.environ if re.fullmatch(r"GOPHERDX_GO(_\d+_\d+_\d+)?", name)})

PROGRAM = """
package main

/*
#include <unistd.h>
static void nap(void) { usleep(3000000); }
static int fill(char *room, int n) { usleep(3000000); room[0] = 1; return n; }
*/
import "C"

import (
	"context"
	"net"
	"net/http"
	"os"
	"runtime/pprof"
	"time"
	"unsafe"
)

type work struct{ room []byte }

func (w *work) sleep() { C.nap() }

func (w *work) write() int {
	return int(C.fill((*C.char)(unsafe.Pointer(&w.room[0])), C.int(len(w.room))))
}

func dial(d *net.Dialer) { d.Dial("tcp", "harbour.test:80") }

func get(c *http.Client) { c.Get("http://quay.test/") }

func records(r *net.Resolver) { r.LookupMX(context.Background(), "pier.test") }

func main() {
	address := "127.0.0.1:0"
	if len(os.Args) > 1 {
		address = "127.0.0.1:53" // the only name server there is
	}
	silent, err := net.ListenPacket("udp", address)
	if err != nil {
		panic(err)
	}
	r := &net.Resolver{}
	if len(os.Args) == 1 {
		r.PreferGo = true
		r.Dial = func(context.Context, string, string) (net.Conn, error) {
			return net.Dial("udp", silent.LocalAddr().String())
		}
	}
	w := &work{room: make([]byte, 8)}
	go w.sleep()
	go w.write()
	d := &net.Dialer{Resolver: r}
	go dial(d)
	go get(&http.Client{Transport: &http.Transport{DialContext: d.DialContext}})
	go records(r)
	time.Sleep(500 * time.Millisecond)
	pprof.Lookup("goroutine").WriteTo(os.Stdout, 2)
	os.Exit(0)
}
"""


@pytest.fixture(scope="module", params=TOOLCHAINS or ["none"])
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program above, built with one toolchain."""
    go = os.environ.get(request.param)
    if not go:
        pytest.skip("no Go toolchain (GOPHERDX_GO or GOPHERDX_GO_1_26_6)")
    if not shutil.which(os.environ.get("CC") or "gcc"):
        pytest.skip("no C compiler")
    folder = tmp_path_factory.mktemp("frames")
    folder.joinpath("go.mod").write_text("module example.com/harbour\n\ngo 1.21\n", encoding="utf-8")
    folder.joinpath("main.go").write_text(PROGRAM, encoding="utf-8")
    env = os.environ | {"GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod", "GOPROXY": "off", "CGO_ENABLED": "1"}
    subprocess.run([go, "build", "-trimpath", "-o", "prog", "."], cwd=folder, env=env, check=True)
    return folder / "prog"


def dump_of(command: list[Path | str], **env: str) -> GoroutineDump:
    done = subprocess.run(command, env=os.environ | env, stdout=subprocess.PIPE, check=True, timeout=30)
    (dump,) = read_dumps(io.BytesIO(done.stdout), path="dump")
    return dump


def callers(dump: GoroutineDump, pattern: re.Pattern[str]) -> set[str]:
    """The user's functions outward of what matches."""
    found = (fr.caller_of(g.stack, pattern) for g in dump.groups)
    return {frame.function for frame in found if frame is not None}


@pytest.mark.slow
def test_a_c_call_names_the_function_that_makes_it(program: Path) -> None:
    dump = dump_of([program])
    found = {fr.c_caller(g.stack) for g in dump.groups} - {None}
    assert {frame.function for frame in found if frame} == {"main.(*work).sleep", "main.(*work).write"}


@pytest.mark.slow
def test_whoever_dials_or_asks_for_records_waits_in_a_look_up(program: Path) -> None:
    dump = dump_of([program])
    assert {"main.dial", "main.records"} <= callers(dump, fr.LOOKUP)


@pytest.mark.slow
def test_under_an_http_client_the_transport_looks_up_and_the_caller_waits_for_the_dial(program: Path) -> None:
    dump = dump_of([program])
    dialling = [g for g in dump.groups if fr.has(g.stack, fr.HTTP_DIALLER)]
    assert [g.count for g in dialling] == [1]
    assert fr.has(dialling[0].stack, fr.LOOKUP)
    assert fr.caller_of(dialling[0].stack, fr.LOOKUP) is None
    assert callers(dump, fr.HTTP_WAITS_FOR_DIAL) == {"main.get"}


@pytest.mark.slow
def test_the_c_librarys_resolver_is_a_look_up_and_no_c_call_of_the_users(program: Path) -> None:
    if subprocess.run([NETNS, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no network namespaces on this machine")
    dump = dump_of([NETNS, program, "system"], GODEBUG="netdns=cgo")
    in_c = [g for g in dump.groups if g.stack and fr.RESOLVER_C.match(g.stack[0].function)]
    assert sum(g.count for g in in_c) >= 2  # harbour.test and quay.test
    assert all(fr.c_caller(g.stack) is None for g in in_c)
    assert {"main.dial"} <= callers(dump, fr.LOOKUP)
