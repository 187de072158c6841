"""A circle of services is told from a service that does not answer by counting calls and requests."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gopherdx.artifacts.dump import GoroutineDump
from gopherdx.kb import load_kb
from gopherdx.model import Finding, Observation, Observations, RuledOut
from gopherdx.observe import observe_all
from gopherdx.observe.circle import of_processes
from gopherdx.observe.said import Said
from gopherdx.reason import chain, confidence
from tests.support.dumps import LOCKS, READS, SERVE, SERVED, Call, goroutine
from tests.support.services import ACCEPT, BACK, CALL, FRONT, LIMIT, READS_ON, SRC, Process, at, circle, sides


def values(said: Said, subject: str = BACK) -> dict[str, object]:
    return {o.name.removeprefix("circle."): o.value for o in said.items if o.subject == subject}


def seen(*dumps: GoroutineDump) -> dict[str, object]:
    return values(of_processes([dumps])[0])


def judged(*processes: Sequence[GoroutineDump]) -> list[list[Finding | RuledOut]]:
    """What becomes of the archetype in each process."""
    kb = load_kb()
    found: list[list[Finding | RuledOut]] = []
    for observations in observe_all(processes):
        verdict = confidence.judge(kb, observations, chain.run(kb, observations))
        ends: list[Finding | RuledOut] = [*verdict.findings, *verdict.ruled_out]
        found.append([x for x in ends if x.id == "G403"])
    return found


def level(*processes: Sequence[GoroutineDump]) -> list[str]:
    return [
        "".join(x.level if isinstance(x, Finding) else "ruled out" for x in of_one) or "not judged"
        for of_one in judged(*processes)
    ]


def test_every_call_has_its_request_and_nobody_is_at_work() -> None:
    dump = circle(calls=4, clients=10).dump()
    assert seen(dump) == {
        "sides": 2, "calls": 8, "lost_share": 0.0, "handlers": 8, "in_call_share": 1.0, "behind": 10,
        "requests": 18, "elsewhere": 0, "other": FRONT, "exact": True, "processes": 1, "doors": 0,
    }  # fmt: skip
    ((found,),) = judged([dump])
    assert isinstance(found, Finding)
    assert found.level == "likely"
    assert found.location is not None
    assert (found.location.function, found.location.line) == (BACK, 40)


def test_the_handler_that_calls_back_is_the_one_that_keeps_nobody_waiting() -> None:
    p = Process()
    front, back = p.server(), p.server()
    dump = p.handlers(BACK, back, 4).handlers(FRONT, front, 4).behind(front, 8).dump()
    assert "calls" in seen(dump, dump)
    assert values(of_processes([[dump]])[0], FRONT) == {}


def test_one_server_may_be_one_direction_only() -> None:
    p = Process()
    server = p.server()
    dump = p.handlers(FRONT, server, 4).handlers(BACK, server, 4).behind(server, 20).dump()
    assert seen(dump)["sides"] == 1
    assert level([dump]) == ["possible"]
    assert level([dump, dump]) == ["possible"]


def test_a_service_further_on_that_does_not_answer_is_no_circle() -> None:
    p = Process()
    front, back = p.server(), p.server()
    p.handlers(FRONT, front, 6).behind(front, 4).handlers(BACK, back, 4).behind(back, 2).clients(10)
    assert seen(p.dump())["lost_share"] == pytest.approx(0.4)  # four of ten are with the third service
    assert level([p.dump()]) != ["likely"]


@pytest.mark.parametrize("state", ["sleep", "running", "runnable", "IO wait", "select"])
def test_one_handler_at_work_may_answer_all_others(state: str) -> None:
    p = circle()
    dump = p.works(BACK, 11, state).dump()
    assert seen(dump)["elsewhere"] == 1
    assert level([dump]) == ["ruled out"]


def test_the_recorder_is_nobody_at_work() -> None:
    p = circle()
    calls: Sequence[Call] = (("net/http/pprof.handler.ServeHTTP", "/usr/local/go/src/net/http/pprof.go", 9),)
    assert seen(p.add("running", (*calls, *SERVE), 1, SERVED, 10).dump())["elsewhere"] == 0


def test_a_lock_as_the_limit_takes_two_looks() -> None:
    p = Process()
    front, back = p.server(), p.server()
    p.handlers(FRONT, front, 1).handlers(BACK, back, 1)
    p.add("sync.Mutex.Lock", (*LOCKS, ("example.com/shop.(*Orders).open", SRC, 60), *SERVE), 1, SERVED, front)
    assert level([p.dump()]) != ["likely"]
    assert level([p.dump(), p.dump()]) == ["likely"]


def test_two_looks_that_find_others_in_the_same_places_show_that_it_moves() -> None:
    first, second = circle(), Process(first=500)
    front, back = second.server(), second.server()
    second.handlers(FRONT, front, 4).behind(front, 10).handlers(BACK, back, 4).clients(10)
    steady = [goroutine(n, "select", CALL) for n in range(1000, 1100)]  # what makes them one process
    first.parts += steady
    second.parts += steady
    assert seen(first.dump(), second.dump())["kept_share"] == 0
    assert level([first.dump(), second.dump()]) == ["ruled out"]


def test_one_side_alone_is_possible_and_both_are_likely() -> None:
    one, other = sides()
    assert level([one, one]) == ["possible"]
    assert level([one], [other]) == ["likely", "likely"]
    both = [one, one], [other, other]
    assert level(*both) == ["likely", "likely"]
    functions = [f.location and f.location.function for (f,) in judged(*both) if isinstance(f, Finding)]
    assert functions == [FRONT, BACK]


def test_a_moment_of_a_process_that_others_call_proves_nothing() -> None:
    """Both servers' handlers wait in calls, as in a busy chain whose last service is elsewhere."""
    p = Process()
    front, back = p.server(), p.server()
    p.handlers(FRONT, front, 4).behind(front, 10).handlers(BACK, back, 4)
    assert level([p.dump()]) == ["possible"]
    assert level([p.dump(), p.dump()]) == ["likely"]


def test_minutes_beside_the_goroutines_are_a_second_look() -> None:
    p = Process()
    front, back = p.server(), p.server()
    p.handlers(FRONT, front, 4).behind(front, 10).handlers(BACK, back, 4)
    p.parts.append(goroutine(900, "chan receive", (("main.idle", "/src/main.go", 3),), minutes=7))
    assert "kept_share" not in seen(p.dump())
    p.parts = [part.replace("[select]", "[select, 3 minutes]") for part in p.parts]
    assert seen(p.dump())["kept_share"] == 1
    assert level([p.dump()]) == ["likely"]


def test_a_closed_door_hides_who_waits_behind_it() -> None:
    p = Process()
    front = p.server()
    shut: Sequence[Call] = (at("example.com/shop.door.Accept", 26), *ACCEPT[1:])
    back = int(p.add("chan send", shut).parts[-1].split()[1])
    p.handlers(FRONT, front, 4).handlers(BACK, back, 4).clients(10)
    assert level([p.dump()]) == ["possible"]
    assert level([p.dump(), p.dump()]) == ["likely"]


def test_who_waits_for_a_connection_has_no_request_yet() -> None:
    p = circle()
    wait: Call = ("net/http.(*Transport).getConn", "/usr/local/go/src/net/http/transport.go", 1482)
    p.add("select", (wait, *CALL[1:], ("example.com/shop.load", SRC, 70)), 5)
    assert seen(p.dump())["exact"] is True


def test_a_third_process_is_counted_and_not_accused() -> None:
    one, other = sides()
    idle = Process(first=9000)
    idle.server()
    idle.clients(3)
    assert level([one, one], [other, other], [idle.dump()]) == ["likely", "likely", "ruled out"]
    slow = Process(first=9000)
    slow.works("example.com/shop.(*Bank).pay", slow.server())
    assert level([one, one], [other, other], [slow.dump()]) == ["ruled out", "ruled out", "ruled out"]


def test_two_dumps_of_two_processes_need_no_folders() -> None:
    """No goroutine is in both, or one of the same number began elsewhere."""
    assert level(list(sides())) == ["likely"]
    one, other = Process(), Process()
    front = one.server()
    back = other.clients(1).server()
    one.handlers(FRONT, front, 4).behind(front, 10)
    assert level([one.dump(), other.handlers(BACK, back, 4).dump()]) == ["likely"]


def test_two_dumps_of_a_busy_process_share_few_goroutines_and_are_of_one() -> None:
    first, second = Process(), Process()
    for p in (first, second):
        p.handlers(FRONT, p.server(), 4)
    second.parts = [part.replace("goroutine 11 ", "goroutine 911 ") for part in second.parts[:2]]
    second.clients(3)
    assert seen(first.dump(), second.dump()) == {}
    assert values(of_processes([[first.dump(), second.dump()]])[0], FRONT)["sides"] == 1


def test_requests_whose_client_hung_up_cover_for_no_call() -> None:
    """As where clients give up on a chain whose last service does not answer: their requests stay."""
    p = Process()
    front, back = p.server(), p.server()
    p.handlers(FRONT, front, 6).behind(front, 34).handlers(BACK, back, 4).behind(back, 2).clients(10)
    assert seen(p.dump())["lost_share"] == 0
    p.add("IO wait", READS_ON, 16)  # beside the handlers of the ten, and the six calls between the services
    assert seen(p.dump())["lost_share"] == pytest.approx(0.4)


def test_calls_that_a_handler_makes_on_goroutines_of_their_own_are_its_calls() -> None:
    p = Process()
    front, back = p.server(), p.server()
    wait: Call = ("sync.(*WaitGroup).Wait", "/usr/local/go/src/sync/waitgroup.go", 118)
    p.add("sync.WaitGroup.Wait", (wait, at(FRONT, 44), *SERVE), 4, SERVED, front).behind(front, 10)
    p.add("select", (*CALL, at(f"{FRONT}.func1", 42)), 4, at(FRONT, 41), 12)
    dump = p.handlers(BACK, back, 4).dump()
    told = seen(dump, dump)
    assert (told["handlers"], told["elsewhere"], told["calls"]) == (8, 0, 8)


ANSWER = "example.com/shop.(*station).serve"
LISTEN: Call = ("example.com/shop.(*station).listen", SRC, 30)


def station(p: Process, function: str, calling: int, waiting: int) -> None:
    """A service that accepts connections itself and works on a few lines of text at a time."""
    accept: Call = ("net.(*TCPListener).Accept", "/usr/local/go/src/net/tcpsock.go", 387)
    p.add("IO wait", (accept, LISTEN))
    inside: Sequence[Call] = (("example.com/shop.(*station).work", SRC, 52), (ANSWER, SRC, 45))
    p.add("IO wait", (*READS, ("example.com/shop.ask", SRC, 60), at(function, 70), *inside), calling, LISTEN)
    p.add("chan send", (("example.com/shop.(*station).work", SRC, 50), (ANSWER, SRC, 45)), waiting, LISTEN)
    p.add("IO wait", (*READS, (ANSWER, SRC, 43)), 5, LISTEN)  # connections without a request


def test_a_protocol_of_ones_own_has_handlers_past_the_limit() -> None:
    p = Process()
    station(p, FRONT, 4, 10)
    station(p, BACK, 4, 0)
    dump = p.add("IO wait", (*READS, ("example.com/shop.ask", SRC, 60), ("main.load", SRC, 9)), 10).dump()
    (said,) = of_processes([[dump]])
    ((handler, found),) = [(o.subject, o.value) for o in said.items if o.name == "circle.calls"]
    assert (handler, found) in {(FRONT, 8), (BACK, 8)}


def test_idle_services_are_ruled_out() -> None:
    p = Process()
    p.server()
    p.clients(3)
    p.add("IO wait", READS_ON, 50)
    assert level([p.dump()]) == ["ruled out"]


def test_a_send_at_the_limit_is_told_as_a_turn() -> None:
    said = of_processes([[circle().dump()]])[0]
    turns: list[Observation] = [o for o in said.items if o.subject == LIMIT]
    assert [(o.name, o.value) for o in turns] == [("circle.turn_behind", BACK), ("circle.turn_waiting", 10)]


def test_no_artifact_that_shows_goroutines_says_nothing() -> None:
    assert of_processes([[], []]) == [Said((), frozenset()), Said((), frozenset())]
    (nothing,) = observe_all([[]])
    assert nothing == Observations((), nothing.looked, frozenset())
