"""Rules for what no recording of the lab shows, on made-up observations."""

from __future__ import annotations

import pytest

from gopherdx.kb import load_kb
from gopherdx.model import Observation, Observations, Source
from gopherdx.reason import chain, confidence


def _verdict(*values: tuple[str, float, str]) -> tuple[set[str], confidence.Verdict]:
    """What fires, and the verdict, for observations (name, value, subject) of a trace."""
    items = tuple(Observation(name, value, "", Source("trace"), subject) for name, value, subject in values)
    seen = Observations(items, frozenset(i.name for i in items), frozenset({"trace"}))
    kb = load_kb()
    concluded = chain.run(kb, seen)
    assert concluded.errors == ()
    return set(concluded.fired), confidence.judge(kb, seen, concluded)


def _lock(running: float) -> list[tuple[str, float, str]]:
    values = {"hold_share": 0.99, "mean_waiters": 6.0, "hold_ms": 5.0, "spare_procs": 1.5, "cores_lost": 1.4}
    out = [(f"lock.{name}", value, "main.f") for name, value in values.items()]
    return [*out, ("lock.holder_running_share", running, "main.f"), ("sched.gomaxprocs", 4, "")]


@pytest.mark.parametrize(("running", "likely"), [(0.95, True), (0.05, False)])
def test_a_holder_that_waits_for_another_service_is_no_serialised_work(running: float, likely: bool) -> None:
    fired, verdict = _verdict(*_lock(running))
    assert ("G101.holder_waits" in fired) is not likely
    assert bool([f for f in verdict.findings if f.id == "G101" and f.level == "likely"]) is likely


@pytest.mark.parametrize(("ratio", "fires"), [(1.1, True), (2.0, False)])
def test_a_goal_pressed_against_the_live_heap_speaks_for_a_memory_limit(ratio: float, fires: bool) -> None:
    fired, _ = _verdict(("gc.goal_ratio", ratio, ""), ("gc.cycles_per_s", 40.0, ""))
    assert ("G201.memory_limit" in fired) is fires


@pytest.mark.parametrize(("ratio", "likely"), [(1.05, False), (2.1, True)])
def test_a_collector_that_a_memory_limit_keeps_busy_is_another_bug(ratio: float, likely: bool) -> None:
    values = {
        "cycles_per_s": 25.0,
        "cost_share": 0.5,
        "cost_cores": 0.6,
        "live_heap_mb": 110.0,
        "goal_ratio": ratio,
    }
    _, verdict = _verdict(*((f"gc.{name}", value, "") for name, value in values.items()))
    assert bool([f for f in verdict.findings if f.id == "G201" and f.level == "likely"]) is likely


@pytest.mark.parametrize(
    ("older", "ended", "likely"),
    [(80, 2000.0, True), (0, 2000.0, False), (80, 8.0, False)],
)
def test_sends_that_others_overtake_never_end(older: int, ended: float, likely: bool) -> None:
    """Some sends at a place end and some do not: in a queue no open send is older than those that ended."""
    values = {
        "stuck": 100, "older": older, "older_share": older / 100, "ended": ended, "stuck_age_s": 0.6,
        "age_ratio": 1.4, "growth_per_min": 900.0, "ended_per_s": ended,
    }  # fmt: skip
    _, verdict = _verdict(*((f"send.{name}", float(value), "main.f") for name, value in values.items()))
    assert bool([f for f in verdict.findings if f.id == "G302" and f.level == "likely"]) is likely


def test_a_holder_whose_system_calls_have_no_length_may_be_waiting_for_a_disk() -> None:
    untimed = [v for v in _lock(0.9) if v[0] != "lock.holder_running_share"]
    _, verdict = _verdict(*untimed, ("lock.untimed_calls", True, "main.f"))
    assert not [f for f in verdict.findings if f.level == "likely"]


@pytest.mark.parametrize(("sampled", "likely"), [(None, True), (0.25, True), (0.04, False)])
def test_on_a_crowded_machine_samples_say_what_the_collector_uses(
    sampled: float | None, likely: bool
) -> None:
    values = {"cycles_per_s": 25.0, "cost_share": 0.25, "cost_cores": 0.3, "live_heap_mb": 4.0}
    told = [(f"gc.{name}", value, "") for name, value in values.items()]
    fired, verdict = _verdict(*told, *([("gc.sampled_share", sampled, "")] if sampled is not None else []))
    assert ("G201.samples_elsewhere" in fired) is not likely
    assert bool([f for f in verdict.findings if f.id == "G201" and f.level == "likely"]) is likely


@pytest.mark.parametrize(
    ("stop", "share", "likely"),
    [(0.3, 0.08, True), (3.0, 0.08, False), (3.0, 0.3, True), (None, 0.08, True)],
)
def test_where_the_world_is_slow_to_stop_the_collector_has_to_look_dearer(
    stop: float | None, share: float, likely: bool
) -> None:
    values = {"cycles_per_s": 25.0, "cost_share": share, "cost_cores": 0.3, "live_heap_mb": 4.0}
    told = [(f"gc.{name}", value, "") for name, value in values.items()]
    fired, verdict = _verdict(*told, *([("gc.stop_ms", stop, "")] if stop is not None else []))
    assert ("G201.many_cycles_in_a_crowd" in fired) is (likely and stop == 3.0)
    assert bool([f for f in verdict.findings if f.id == "G201" and f.level == "likely"]) is likely


@pytest.mark.parametrize(("restarts", "likely"), [(0.2, True), (300.0, False)])
def test_many_small_documents_in_a_loop_are_no_huge_one(restarts: float, likely: bool) -> None:
    fired, verdict = _verdict(
        ("decode.untyped_longest_ms", 400.0, "main.f"),
        ("decode.untyped_alloc_share", 0.95, "main.f"),
        ("decode.untyped_running_share", 0.95, "main.f"),
        ("decode.untyped_cores", 0.5, "main.f"),
        ("decode.restarts_each", restarts, "main.f"),
    )
    assert ("G203.small_documents" in fired) is not likely
    assert bool([f for f in verdict.findings if f.id == "G203" and f.level == "likely"]) is likely


@pytest.mark.parametrize(("garbage", "likely"), [(0.2, True), (0.0, False)])
def test_where_cpu_is_scarce_the_collector_pays_most_of_what_compiling_costs(
    garbage: float, likely: bool
) -> None:
    _, verdict = _verdict(
        ("regexp.compile_cpu_share", 0.1, "main.f"),
        ("regexp.compile_cores", 0.015, "main.f"),
        ("regexp.cost_cores", 0.015 + garbage, "main.f"),
        ("regexp.compile_alloc_share", 0.5, "main.f"),
        ("gc.cycles_per_s", 10.0, ""),
        ("gc.cost_share", 0.3, ""),
        ("gc.cost_cores", 0.4, ""),
        ("gc.live_heap_mb", 4.0, ""),
        ("alloc.share", 0.5, "main.f"),
    )
    found = {f.id: f.explains for f in verdict.findings if f.level == "likely"}
    assert found == ({"G202": ("G201",)} if likely else {"G201": ()})


@pytest.mark.parametrize(("victims", "likely"), [(0.4, True), (25.0, True), (1_000.0, False)])
def test_a_loop_in_a_crowd_that_computes_keeps_nobody_waiting_by_itself(victims: float, likely: bool) -> None:
    fired, verdict = _verdict(
        ("run.longest_s", 3.0, "main.f"),
        ("run.running_s", 1.2, "main.f"),
        ("run.recording_share", 1.0, "main.f"),
        ("run.victims_mean", victims, "main.f"),
        ("run.victim_waits_per_s", 100.0, "main.f"),
    )
    assert ("G205.long_run" in fired) is likely
    assert bool([f for f in verdict.findings if f.id == "G205" and f.level == "likely"]) is likely
    # Its length by itself is as expected, and no reason why it is not found.
    assert likely or "not at least" not in verdict.summary
