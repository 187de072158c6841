"""What all tests share: made-up diagnoses to render, and where recordings from outside lie."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gopherdx.model import (
    Diagnosis,
    Evidence,
    Finding,
    Fix,
    Gain,
    Impact,
    Input,
    Location,
    Next,
    NotApplicable,
    NotJudged,
    Overview,
    Precision,
    RuledOut,
    RuleError,
    Source,
    Tool,
)

ROOT = Path(__file__).resolve().parent.parent

MakeDiagnosis = Callable[..., Diagnosis]
MakeFinding = Callable[..., Finding]


@pytest.fixture(scope="session")
def realworld() -> Path:
    """The folder of recordings that strangers published; tests that need it skip where it is missing."""
    folder = Path(os.environ.get("GOPHERDX_REALWORLD", ROOT.parent / "shared" / "realworld"))
    if not folder.is_dir():
        pytest.skip("the published recordings are not on this machine (GOPHERDX_REALWORLD)")
    return folder


@pytest.fixture
def make_finding() -> MakeFinding:
    """Build a finding: the lock of a price cache, with any field replaced."""

    def make(**changes: Any) -> Finding:
        return dataclasses.replace(_FINDING, **changes)

    return make


@pytest.fixture
def make_diagnosis() -> MakeDiagnosis:
    """Build a diagnosis: one likely finding and the rest judged, with any field replaced."""

    def make(**changes: Any) -> Diagnosis:
        return dataclasses.replace(_DIAGNOSIS, **changes)

    return make


_STACKS = Source("trace", "sync waits by stack")

_FINDING = Finding(
    id="G101",
    slug="mutex-serialized-work",
    title="Expensive work under one lock makes parallel code serial",
    severity="high",
    confidence=0.973,
    level="likely",
    precision=Precision(value=0.97, lower=0.91, programs=14, captures=122),
    location=Location("example.com/shop/prices.(*Cache).Quote", "/src/shop/prices/cache.go", 57),
    summary=(
        "example.com/shop/prices.(*Cache).Quote does its work while it holds a lock: on average 6.2"
        " goroutines wait for it, and 1.1 of 8 cores are busy."
    ),
    evidence=(
        Evidence(
            "waiters-behind-one-lock",
            0.874,
            "at least 0.4",
            "share",
            True,
            _STACKS,
            "part of the time in which at least one goroutine waits for the lock",
        ),
        Evidence("handed-over", 41_230, "at least 100", "count", True, _STACKS, "waits that an Unlock ended"),
        Evidence("wait", 0.0123, "at least 0.001", "s", True, _STACKS, "typical wait"),
        Evidence(
            "cores-busy",
            1.1,
            "at most 2.4",
            "cores",
            True,
            Source("trace", "running Ps"),
            "cores busy while goroutines wait",
        ),
        Evidence(
            "gc-first", None, "at least 0.1", "share", False, Source("trace"), "GC takes the CPU instead"
        ),
    ),
    impact=Impact(5.2, "cores", "5.2 cores stand idle behind the lock"),
    gain=Gain(1.8, 4.4, "x", "Amdahl for a lock"),
    explains=(),
    signature="Goroutines block in sync.(*Mutex).Lock (state waiting, reason sync) and an Unlock wakes each.",
    cause="The price is computed between Lock and Unlock, so no two goroutines compute at the same time.",
    fix=(
        Fix(
            "compute outside the lock",
            "c.mu.Lock()\ndefer c.mu.Unlock()\nif q, ok := c.m[key]; ok {\n\treturn q\n}\nq := compute(key)\n"
            "c.m[key] = q\nreturn q\n",
            "c.mu.Lock()\nq, ok := c.m[key]\nc.mu.Unlock()\nif ok {\n\treturn q\n}\nq = compute(key)\n"
            "c.mu.Lock()\nc.m[key] = q\nc.mu.Unlock()\nreturn q\n",
            ">=1.18",
            "two goroutines may compute the same key; use singleflight where that is dear",
        ),
    ),
)

_DIAGNOSIS = Diagnosis(
    outcome="diagnosed",
    summary=_FINDING.summary,
    inputs=(Input("capture/trace.out.gz", "trace", "go 1.26", 812_345, False),),
    overview=Overview(
        text="70 % of goroutine time is waiting for locks, most at example.com/shop/prices.(*Cache).Quote.",
        kinds=("trace",),
        go_version="go 1.26",
        duration_s=5.01,
        gomaxprocs=8,
        goroutines_max=112,
        goroutines_end=104,
        cpus_used=1.1,
        events=1_204_113,
        generations=5,
        cpu_samples=None,
        gc_cycles=3,
        heap_max_bytes=41_000_000,
    ),
    findings=(_FINDING,),
    ruled_out=(
        RuledOut(
            "G201",
            "gc-thrash-small-heap",
            (
                Evidence(
                    "gc-cost",
                    0.012,
                    "at least 0.1",
                    "share",
                    True,
                    Source("trace", "mark workers"),
                    "CPU time that the collector takes",
                ),
            ),
        ),
        RuledOut(
            "G302",
            "blocked-channel-send",
            (Evidence("stuck", 0, "at least 20", "count", True, Source("trace"), "sends that never ended"),),
        ),
    ),
    not_judged=(
        NotJudged(
            "G301", "timer-leak-time-after", ("heap",), "curl -o heap.pprof http://HOST/debug/pprof/heap"
        ),
        NotJudged(
            "G206", "rss-retained-after-free", ("metrics",), "curl -o vars.json http://HOST/debug/vars"
        ),
    ),
    not_applicable=(),
    errors=(),
    next=(
        Next(
            "capture",
            "Record the mutex profile to see every lock, not only the busiest",
            "curl -o mutex.pprof http://HOST/debug/pprof/mutex",
            ("G101",),
        ),
    ),
    warnings=(),
    tool=Tool("gopherdx", "0.1.0"),
)


@pytest.fixture
def full_diagnosis(make_diagnosis: MakeDiagnosis, make_finding: MakeFinding) -> Diagnosis:
    """A diagnosis in which every list holds something and every optional value is there."""
    possible = make_finding(
        id="G201",
        slug="gc-thrash-small-heap",
        confidence=0.21,
        level="possible",
        severity="info",
        location=None,
        precision=None,
        impact=None,
        gain=None,
        fix=(),
        summary="The collector may run too often on a small heap.",
    )
    return make_diagnosis(
        findings=(make_finding(explains=("G201",)), possible),
        not_applicable=(NotApplicable("G301", "timer-leak-time-after", "go 1.27 collects such timers"),),
        errors=(RuleError("G402", "slow-dns-lookup", "rules.py: lookups", 12, "division by zero"),),
        warnings=("notes.txt was left out: text of no kind that gopherdx knows",),
        figures={"cores": [[0.0, 1.0], [0.5, 1.25]]},
    )
