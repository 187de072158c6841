"""Metrics of the runtime as JSON, expvar and Prometheus text, all under the same names."""

from __future__ import annotations

import io
import json
import math
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gopherdx.artifacts import metrics
from gopherdx.artifacts.metrics import Metrics, read_metrics
from gopherdx.errors import UnreadableInput

WILD = Path(os.environ.get("GOPHERDX_REALWORLD", Path(__file__).parents[3] / "shared" / "realworld"))

MEMSTATS = {
    "Alloc": 10, "TotalAlloc": 1000, "Sys": 500, "HeapAlloc": 10, "HeapSys": 300, "HeapIdle": 200,
    "HeapInuse": 100, "HeapReleased": 150, "HeapObjects": 4, "StackInuse": 20, "StackSys": 30,
    "NextGC": 25, "LastGC": 1_700_000_000_500_000_000, "NumGC": 3, "NumForcedGC": 1, "GCCPUFraction": 0.25,
    "PauseEnd": [1_700_000_000_000_000_000, 1_700_000_000_500_000_000, 0],
}  # fmt: skip

SCRAPE = """\
# HELP go_goroutines Number of goroutines that currently exist.
# TYPE go_goroutines gauge
go_goroutines 12
# TYPE go_gc_duration_seconds summary
go_gc_duration_seconds{quantile="0.5"} 0.0001
go_gc_duration_seconds_sum 0.5
go_gc_duration_seconds_count 77
go_info{version="go1.23.4"} 1
go_memstats_heap_alloc_bytes 10
go_memstats_heap_idle_bytes 200
go_memstats_heap_inuse_bytes 100
go_memstats_heap_released_bytes 150
go_memstats_alloc_bytes_total 1000
go_cpu_classes_gc_mark_assist_cpu_seconds_total 1.5
go_gc_cycles_automatic_gc_cycles_total 70
go_sched_latencies_seconds_bucket{le="0.001"} 3
go_sched_latencies_seconds_bucket{le="0.01"} 5
go_sched_latencies_seconds_bucket{le="+Inf"} 6
go_sched_latencies_seconds_sum 1
go_sched_latencies_seconds_count 6
go_sql_open_connections{db_name="main"} 4
process_resident_memory_bytes 4096
process_start_time_seconds 1.7e+09
process_cpu_seconds_total 9.5
http_requests_total{code="200"} 5
"""


def read(text: str | bytes) -> tuple[Metrics, ...]:
    data = text.encode() if isinstance(text, str) else text
    return read_metrics(io.BytesIO(data), path="m")


def refused(text: str | bytes) -> str:
    with pytest.raises(UnreadableInput) as caught:
        read(text)
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


# runtime/metrics ----------------------------------------------------------------------------------------


def test_one_object_a_line_is_one_snapshot_each() -> None:
    one = {"unix_ns": 1_700_000_000_000_000_000, "/sched/goroutines:goroutines": 5}
    two = {"unix_ns": 1_700_000_030_000_000_000, "/sched/goroutines:goroutines": 9}
    before, after = read(json.dumps(one) + "\n" + json.dumps(two) + "\n")
    assert (before.time_ns, after.time_ns) == (one["unix_ns"], two["unix_ns"])
    assert [m.values["/sched/goroutines:goroutines"] for m in (before, after)] == [5, 9]
    assert before.form == "runtime/metrics"


def test_objects_may_be_printed_over_several_lines_or_in_a_list() -> None:
    value = {"/gc/cycles/total:gc-cycles": 5}
    assert len(read(json.dumps(value, indent=2) + "\n" + json.dumps(value, indent=2))) == 2
    assert len(read(json.dumps([value, value]))) == 2
    assert read("\ufeff" + json.dumps({"metrics": value}))[0].values == {"/gc/cycles/total:gc-cycles": 5.0}


def test_histograms_keep_their_infinite_edges() -> None:
    name = "/sched/latencies:seconds"
    (m,) = read(json.dumps({name: {"buckets": ["-Inf", 0, 0.5, "+Inf"], "counts": [0, 3, 1]}}))
    assert m.histograms[name].edges.tolist() == [-math.inf, 0, 0.5, math.inf]
    assert m.histograms[name].counts.tolist() == [0, 3, 1]


@pytest.mark.parametrize(
    "histogram",
    [
        {"buckets": [0, 1], "counts": [1, 2]},
        {"buckets": [1, 0], "counts": [1]},
        {"buckets": [0, "NaN"], "counts": [1]},
        {"buckets": [0, 1], "counts": [-1]},
        {"buckets": [], "counts": []},
        {"buckets": "x", "counts": 3},
    ],
)
def test_a_histogram_that_makes_no_sense_is_left_out(histogram: dict[str, Any]) -> None:
    (m,) = read(json.dumps({"/gc/gogc:percent": 100, "/sched/latencies:seconds": histogram}))
    assert not m.histograms


def test_a_file_cut_in_the_second_snapshot_keeps_the_first() -> None:
    line = json.dumps({"/gc/cycles/total:gc-cycles": 5}) + "\n"
    (m,) = read(line + line[:-10])
    assert m.truncated
    assert "ends in the middle" in m.warnings[0]


def test_a_day_of_snapshots_is_thinned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "KEPT_SNAPSHOTS", 10)
    lines = "".join(json.dumps({"/gc/cycles/total:gc-cycles": n}) + "\n" for n in range(101))
    kept = [m.values["/gc/cycles/total:gc-cycles"] for m in read(lines)]
    assert len(kept) == 10
    assert (kept[0], kept[-1]) == (0, 100)


# /debug/vars --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [0, 1, 4])
def test_memstats_are_found_at_any_depth(depth: int) -> None:
    value: dict[str, Any] = {"memstats": MEMSTATS, "cmdline": ["/usr/bin/api", "-token=secret"]}
    for _ in range(depth):
        value = {"inner": value, "other": [1, {"a": 2}]}
    (m,) = read(json.dumps(value))
    assert m.form == "expvar"
    assert m.program == "api"
    assert m.values["/memory/classes/heap/objects:bytes"] == 10
    assert m.values["/memory/classes/heap/free:bytes"] == 50
    assert m.values["/memory/classes/heap/unused:bytes"] == 90
    assert m.values["/memory/classes/heap/released:bytes"] == 150
    assert m.values["/memory/classes/os-stacks:bytes"] == 10
    assert m.values["/gc/cycles/total:gc-cycles"] == 3
    assert m.values["/gc/last-end:unix-seconds"] == 1_700_000_000.5
    assert m.gc_ends_s.tolist() == [1_700_000_000.0, 1_700_000_000.5]


def test_the_runtimes_own_memstats_speak_first() -> None:
    other = dict(MEMSTATS, HeapAlloc=99)
    (m,) = read(json.dumps({"runtime": {"values": dict(other, NumGoroutine=7)}, "memstats": MEMSTATS}))
    assert m.values["/memory/classes/heap/objects:bytes"] == 10
    assert m.values["/sched/goroutines:goroutines"] == 7


def test_other_spellings_of_memstats() -> None:
    snake = {"heap_alloc": 10, "heap_idle": 200, "heap_sys": 300, "heap_released": 150, "num_gc": 3}
    (m,) = read(json.dumps(snake))
    assert m.values["/memory/classes/heap/free:bytes"] == 50


# Prometheus ---------------------------------------------------------------------------------------------


def test_names_of_the_standard_collectors() -> None:
    (m,) = read(SCRAPE)
    assert m.form == "prometheus"
    assert m.values["/sched/goroutines:goroutines"] == 12
    assert m.values["/gc/cycles/total:gc-cycles"] == 77
    assert m.values["/gc/pauses/total:seconds"] == 0.5
    assert m.values["/memory/classes/heap/free:bytes"] == 50
    assert m.values["/gc/heap/allocs:bytes"] == 1000
    assert m.values["/cpu/classes/gc/mark/assist:cpu-seconds"] == 1.5
    assert m.values["/gc/cycles/automatic:gc-cycles"] == 70
    assert m.values["/process/resident_memory:bytes"] == 4096
    assert m.values["/process/cpu:cpu-seconds"] == 9.5
    assert m.histograms["/sched/latencies:seconds"].counts.tolist() == [3, 2, 1]
    assert m.go is not None
    assert str(m.go) == "go 1.23"


def test_every_runtime_metric_has_a_prometheus_name_of_its_own() -> None:
    names = [metrics._prometheus_name(name) for name in metrics._RUNTIME]
    assert len(set(names)) == len(names)


def test_open_metrics() -> None:
    text = SCRAPE.replace("go_goroutines 12", "go_goroutines 12 1700000000.5").replace(
        "} 3\n", '} 3 # {trace_id="a"} 0.0005\n'
    )
    (m,) = read(text + "# EOF\n")
    assert m.time_ns == 1_700_000_000_500_000_000
    assert m.histograms["/sched/latencies:seconds"].counts.tolist() == [3, 2, 1]


def test_scrapes_one_after_another() -> None:
    before, after = read(SCRAPE + SCRAPE.replace("go_goroutines 12", "go_goroutines 20"))
    assert after.values["/sched/goroutines:goroutines"] - before.values["/sched/goroutines:goroutines"] == 8


def test_times_in_an_exposition() -> None:
    assert read("go_goroutines 12 1700000000500\n")[0].time_ns == 1_700_000_000_500_000_000


def test_several_go_processes_are_refused() -> None:
    text = "".join(f'go_goroutines{{instance="api-{n}:80"}} {n}\n' for n in range(3))
    assert (
        refused(text)
        == "m: holds the metrics of 3 Go processes; give those of one (instance=api-0:80 is the first)"
    )


def test_programs_in_other_languages_do_not_count() -> None:
    text = (
        'process_resident_memory_bytes{job="py"} 1\n'
        'go_goroutines{job="api"} 5\nprocess_resident_memory_bytes{job="api"} 4096\n'
    )
    (m,) = read(text)
    assert m.values["/process/resident_memory:bytes"] == 4096
    assert m.warnings == ("of 2 sets of labels the one with Go's metrics is read (job=api)",)


def test_damaged_lines_cost_only_themselves() -> None:
    (m,) = read('go_goroutines{a="b} 5\ngo_goroutines twelve\n' + SCRAPE + "http_total{ 5\n")
    assert m.values["/sched/goroutines:goroutines"] == 12
    assert m.warnings == ("2 lines of metrics are damaged and left out",)


# Anything else ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "[1,2]", "{" * 100_000, "text\n", '{"a": 1}', "process_open_fds 5\n"]
)
def test_nothing_of_go_is_one_sentence(text: str) -> None:
    assert "holds no metrics of the Go runtime" in refused(text)


def test_more_than_the_limit_is_refused() -> None:
    with pytest.raises(UnreadableInput, match="holds metrics of more than 1 KiB"):
        read_metrics(io.BytesIO(b"x" * 2000), path="m", limit_bytes=1024)


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.lists(st.sampled_from(SCRAPE.splitlines()), max_size=20).map(lambda x: "\n".join(x).encode()),
        st.tuples(st.integers(0, len(SCRAPE)), st.binary(max_size=5)).map(
            lambda x: SCRAPE.encode()[: x[0]] + x[1] + SCRAPE.encode()[x[0] :]
        ),
        st.recursive(
            st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
            lambda inner: st.one_of(
                st.lists(inner, max_size=4),
                st.dictionaries(
                    st.sampled_from(["memstats", "HeapAlloc", "HeapIdle", "HeapSys", "PauseEnd", "unix_ns",
                                     "/gc/pauses:seconds", "buckets", "counts", "cmdline", "goroutines"]),
                    inner, max_size=5,
                ),
            ),
            max_leaves=20,
        ).map(lambda x: json.dumps(x).encode()),
    )
)  # fmt: skip
def test_any_bytes_are_metrics_or_one_sentence(data: bytes) -> None:
    try:
        found = read(data)
    except UnreadableInput as error:
        sentence = str(error)
        found = ()
    else:
        sentence = ""
        assert found
    assert "\n" not in sentence
    assert not any(math.isnan(v) for m in found for v in m.values.values())


@pytest.mark.skipif(not WILD.is_dir(), reason="the published recordings are not at hand")
@pytest.mark.parametrize(
    ("name", "metric", "value"),
    [
        ("d01", "/memory/classes/heap/objects:bytes", 17034016),
        ("d01", "/gc/cycles/total:gc-cycles", 27),
        ("d02", "/memory/classes/heap/objects:bytes", 181164560),
        ("d02", "/sched/goroutines:goroutines", 1488),
        ("d26", "/gc/cycles/total:gc-cycles", 4),
        ("d06", "/gc/cycles/total:gc-cycles", 99),
        ("d08", "/sched/goroutines:goroutines", 70),
        ("d09", "/gc/cycles/total:gc-cycles", 232),
        ("d10", "/sched/goroutines:goroutines", 33),
        ("d32", "/gc/cycles/total:gc-cycles", 190932),
        ("d32", "/sched/goroutines:goroutines", 151),
    ],
)
def test_published_metrics(name: str, metric: str, value: float) -> None:
    (m,) = read((WILD / f"{name}.txt").read_bytes())
    assert m.values[metric] == value
    assert m.warnings == ()
