"""Runs a real server on loopback under load, and takes from its /debug/pprof everything that it gives.

The files are named as recording.py names them. A server has no metrics.jsonl; what it writes to standard
error, with gctrace lines between its own, is gctrace.log.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.lab.labels import LabError

WARMUP_S: Final = 3.0
TRACE_S: Final = 3
_STARTS_S: Final = 20.0
_PROFILES: Final = ("heap", "allocs", "mutex", "block", "goroutine")


@dataclass(frozen=True)
class Process:
    """A server as it is started: its program, arguments, environment, and the address that says it is up."""

    binary: Path
    arguments: Sequence[str]
    ready: str
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Scene:
    """A server, the ones it needs beside it, its files, and where it is asked.

    ``pprof`` is the address that ends in /debug/pprof. ``requests`` are arguments of hey, one list for each
    kind of request, of a load that does not fill the machine and of one that does.
    """

    process: Process
    pprof: str
    requests: Mapping[str, Sequence[Sequence[str]]]
    metrics: str | None = None
    trace: str = "trace"
    beside: Sequence[Process] = ()


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def record(scene: Scene, load: str, hey: Path, home: Path, out: Path) -> None:
    """Run the scene in ``home`` under one of its loads; what it gives goes to ``out``. Raises LabError."""
    seconds = WARMUP_S + 2 * TRACE_S + 10
    with contextlib.ExitStack() as stack:
        for number, process in enumerate(scene.beside):
            stack.enter_context(_running(process, home, f"beside{number}", home / f"beside{number}.log"))
        stack.enter_context(_running(scene.process, home, "prog", out / "gctrace.log"))
        stack.enter_context(_loaded(scene.requests[load], hey, seconds))
        time.sleep(WARMUP_S)
        _take(scene, out)


def _take(scene: Scene, out: Path) -> None:
    _moment(scene, out, "-before", "before")
    _save(f"{scene.pprof}/{scene.trace}?seconds={TRACE_S}", out / "trace-nocpu.out")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        # The profile first, so that its samples reach the trace from its first moment on.
        cpu = pool.submit(_save, f"{scene.pprof}/profile?seconds={TRACE_S + 1}", out / "cpu.pprof")
        time.sleep(0.3)
        _save(f"{scene.pprof}/{scene.trace}?seconds={TRACE_S}", out / "trace-cpu.out")
        cpu.result()
    _moment(scene, out, "", "after")


def _moment(scene: Scene, out: Path, suffix: str, when: str) -> None:
    if scene.metrics:
        _save(scene.metrics, out / f"prometheus-{when}.txt")
    _save(scene.pprof.removesuffix("/pprof") + "/vars", out / f"vars-{when}.json", may_lack=True)
    for name in _PROFILES:
        _save(f"{scene.pprof}/{name}", out / f"{name}{suffix}.pprof")
    _save(f"{scene.pprof}/goroutine?debug=2", out / f"goroutine{suffix}.txt")
    _save(f"{scene.pprof}/goroutine?debug=1", out / f"goroutine-debug1{suffix}.txt")


def _save(address: str, file: Path, *, may_lack: bool = False) -> None:
    try:
        with urllib.request.urlopen(address, timeout=60) as answer, file.open("wb") as out:
            shutil.copyfileobj(answer, out)
    except urllib.error.HTTPError as error:
        if not (may_lack and error.code in (404, 405)):
            raise LabError(f"{file.name}: HTTP {error.code}") from None
    except OSError as error:
        raise LabError(f"{file.name}: {error}") from None


@contextlib.contextmanager
def _running(process: Process, home: Path, name: str, log: Path) -> Iterator[None]:
    # Profiles tell the path of the binary: it says nothing of which program it is, and is relative.
    binary = home / name
    if not binary.exists():
        shutil.copy(process.binary, binary)
        binary.chmod(0o755)
    env = os.environ | {"GODEBUG": "gctrace=1", "HOME": ".", **process.env}
    with log.open("wb") as errors:
        running = subprocess.Popen(
            [f"./{name}", *process.arguments], cwd=home, env=env, stdout=subprocess.DEVNULL, stderr=errors
        )
        try:
            _wait(process, running, log)
            yield
        finally:
            running.terminate()
            try:
                running.wait(timeout=10)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()


def _wait(process: Process, running: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _STARTS_S
    while time.monotonic() < until:
        if running.poll() is not None:
            last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
            raise LabError(f"{process.binary.name} ends at once: {''.join(last)[-200:]}")
        with contextlib.suppress(OSError), urllib.request.urlopen(process.ready, timeout=2):
            return
        time.sleep(0.1)
    raise LabError(f"{process.binary.name} does not answer within {_STARTS_S:.0f} s")


@contextlib.contextmanager
def _loaded(requests: Sequence[Sequence[str]], hey: Path, seconds: float) -> Iterator[None]:
    """Requests of each kind for as long as the context is open, at most so many seconds."""
    clients = [
        subprocess.Popen(
            [hey, "-z", f"{seconds + 30:.0f}s", *one], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for one in requests
    ]
    try:
        yield
        early = [one for client, one in zip(clients, requests, strict=True) if client.poll() is not None]
        if early:
            raise LabError(f"the load generator ended early: hey {' '.join(early[0])}")
    finally:
        for client in clients:
            client.terminate()
        for client in clients:
            client.wait()
