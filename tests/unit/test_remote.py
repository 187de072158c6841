"""Recordings at addresses: fetched once, from where they were asked for, and refused in a sentence."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import gopherdx
from gopherdx.artifacts.capture import Limits
from gopherdx.artifacts.remote import _records_s, is_address
from gopherdx.errors import UnreadableInput

TRACE = Path(__file__).parents[1] / "captures" / "c002" / "trace.out.gz"
asked: list[str] = []


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        asked.append(self.path)
        if self.path == "/elsewhere":
            self.send_response(302)
            self.send_header("Location", "file:///etc/hostname")
            self.end_headers()
        elif self.path.startswith("/debug/pprof/trace"):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(TRACE.read_bytes())
        else:
            self.send_error(404)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    asked.clear()
    served = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=served.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{served.server_port}"
    served.shutdown()
    served.server_close()


def test_what_lies_at_an_address_is_diagnosed_as_the_file_is(server: str) -> None:
    address = f"{server}/debug/pprof/trace?seconds=5"
    by_address, by_path = gopherdx.diagnose(address), gopherdx.diagnose(TRACE)
    assert by_address.inputs[0].path == address
    assert by_address.inputs[0].bytes == by_path.inputs[0].bytes
    assert (by_address.summary, by_address.findings) == (by_path.summary, by_path.findings)
    assert asked == ["/debug/pprof/trace?seconds=5"]


def test_a_conversation_fetches_an_address_once(server: str) -> None:
    talk = gopherdx.Triage()
    assert talk.say(f"{server}/debug/pprof/trace").heard == "files"
    talk.add(str(TRACE.parent / "mutex.pprof"))
    assert asked == ["/debug/pprof/trace"]


@pytest.mark.parametrize(
    ("path", "what"),
    [("/nothing", "the server answers 404"), ("/elsewhere", "the server answers 302|cannot be fetched")],
)
def test_what_cannot_be_had_is_said(server: str, path: str, what: str) -> None:
    with pytest.raises(UnreadableInput, match=what):
        gopherdx.diagnose(server + path)


def test_nobody_there_is_said() -> None:
    with pytest.raises(UnreadableInput, match="cannot be fetched"):
        gopherdx.diagnose("http://127.0.0.1:9/debug/pprof/heap")


def test_more_than_the_limit_is_refused(server: str) -> None:
    with pytest.raises(UnreadableInput, match="holds more than 1 KiB"):
        gopherdx.diagnose(f"{server}/debug/pprof/trace", limits=Limits(trace_bytes=1024))


def test_what_is_an_address() -> None:
    assert is_address("http://localhost:6060/debug/pprof/heap")
    assert is_address("HTTPS://host/x")
    assert not any(
        map(is_address, ("ftp://host/x", "file:///etc/passwd", "http://", "trace.out", "http:// x"))
    )


def test_a_server_is_given_the_seconds_that_it_was_asked_to_record() -> None:
    assert _records_s("http://h/p?seconds=30") == 30
    assert _records_s("http://h/p?seconds=x") == _records_s("http://h/p") == 0
    assert _records_s("http://h/p?seconds=1e99") == 3600
