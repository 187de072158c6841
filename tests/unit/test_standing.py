"""What is observed of goroutines at a moment: states, places, growth, senders, queues before mutexes."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

from gopherdx.artifacts.dump import read_dumps
from gopherdx.artifacts.pprof import read_profile
from gopherdx.frames import Frame, is_recorder, parked_in
from gopherdx.observe import goroutines, standing_locks, standing_sends, standing_told
from gopherdx.observe.said import Said
from gopherdx.observe.standing import minutes_between, moments, series
from tests.support.dumps import LOCKS, READS, SENDS, SERVE, SERVED, WRITER, Call, counts, goroutine
from tests.support.profiles import pprof_bytes

Observer = Callable[[Sequence[Any]], Said]

SENDER = "example.com/shop/orders.(*Desk).settle"
CALLS: Sequence[Call] = (
    ("net/http.(*persistConn).roundTrip", "/go/src/net/http/transport.go", 2799),
    ("net/http.(*Client).Do", "/go/src/net/http/client.go", 590),
)


def dumps(*texts: str) -> list[Any]:
    return [d for text in texts for d in read_dumps(io.BytesIO(text.encode()), path="x")]


def said(observer: Observer, artifacts: Sequence[Any]) -> dict[tuple[str, str], Any]:
    return {(o.name, o.subject): o.value for o in observer(artifacts).items}


def senders(ids: range, minutes: int = 0) -> str:
    return "".join(goroutine(i, "chan send", SENDS, minutes=minutes) for i in ids)


# --- frames -----------------------------------------------------------------------------------------------


def stack(*functions: str) -> tuple[Frame, ...]:
    return tuple(Frame(f, "x.go", 1) for f in functions)


def test_what_parks_a_goroutine_is_read_from_its_innermost_frames() -> None:
    user = "example.com/shop.f"
    cases = {
        "chan send": ("runtime.gopark", "runtime.chansend", "runtime.chansend1", user),
        "chan receive": ("runtime.gopark", "runtime.chanrecv", "runtime.chanrecv2", user),
        "select": ("runtime.gopark", "runtime.selectgo", user),
        "select (no cases)": ("runtime.gopark", "runtime.block", user),
        "sleep": ("runtime.gopark", "time.Sleep", user),
        "IO wait": ("runtime.gopark", "runtime.netpollblock", "internal/poll.runtime_pollWait", user),
        "sync.Mutex.Lock": (
            "runtime.gopark", "runtime.semacquire1", "internal/sync.runtime_SemacquireMutex",
            "internal/sync.(*Mutex).lockSlow", "internal/sync.(*Mutex).Lock", "sync.(*Mutex).Lock", user,
        ),
        "sync.RWMutex.RLock": ("sync.runtime_SemacquireRWMutexR", "sync.(*RWMutex).RLock", user),
        "sync.WaitGroup.Wait": ("sync.runtime_Semacquire", "sync.(*WaitGroup).Wait", user),
        "sync.Cond.Wait": ("runtime.gopark", "sync.runtime_notifyListWait", "sync.(*Cond).Wait", user),
        "syscall": ("syscall.Syscall", "syscall.read", "os.(*File).Read", user),
    }  # fmt: skip
    for state, functions in cases.items():
        assert parked_in(stack(*functions)) == state
    assert parked_in(stack(user, "runtime.chansend1")) is None
    assert parked_in(stack("runtime.gopark", user)) is None
    assert parked_in(()) is None


def test_labels_and_regions_around_work_are_no_recorder() -> None:
    assert is_recorder(stack("runtime/pprof.writeGoroutineStacks", "main.main"))
    assert is_recorder(stack("runtime/trace.Start", "main.main"))
    assert not is_recorder(stack("main.work", "runtime/pprof.Do", "main.main"))
    assert not is_recorder(stack("main.work", "runtime/trace.WithRegion", "main.main"))


# --- moments ----------------------------------------------------------------------------------------------


def test_the_recorder_is_left_out_and_old_mutex_waits_are_named() -> None:
    old = "".join(goroutine(i, "semacquire", (*LOCKS, *SERVE), started=SERVED) for i in (3, 4))
    (moment,) = moments(dumps(WRITER.format(id=9) + old))
    assert (moment.total, moment.groups[0].state, moment.groups[0].on_mutex) == (2, "sync.Mutex.Lock", True)


def test_a_panics_stack_says_nothing_of_the_others() -> None:
    text = "panic: boom\n\n" + goroutine(7, "running", SENDS)
    assert moments(dumps(text)) == ()
    assert goroutines.of_capture(dumps(text)).looked == frozenset()


def test_dumps_without_times_follow_each_other_by_their_youngest_goroutine() -> None:
    later, first = senders(range(1, 90)), senders(range(1, 40))
    ((a, b),) = series(dumps(later, first))
    assert (a.total, b.total) == (39, 89)


def test_the_time_between_two_dumps_is_how_much_older_their_waits_are() -> None:
    (before,) = moments(dumps(senders(range(1, 9), minutes=3)))
    (after,) = moments(dumps(senders(range(1, 12), minutes=10)))
    assert minutes_between(before, after) == 7
    (young,) = moments(dumps(senders(range(1, 9))))
    assert minutes_between(young, after) == 0


# --- states and places ------------------------------------------------------------------------------------


def test_states_places_and_connections_are_counted() -> None:
    idle = [*READS, ("net/http.(*conn).serve", "/go/src/net/http/server.go", 2109)]
    text = WRITER.format(id=900) + senders(range(1, 31), minutes=12)
    text += "".join(goroutine(i, "IO wait", idle, started=SERVED) for i in range(100, 125))
    values = said(goroutines.of_capture, dumps(text))
    assert values[("goroutines.total", "")] == 55
    assert values[("goroutines.chan_send", "")] == 30
    assert values[("goroutines.io_wait", "")] == 25
    assert values[("goroutines.idle_connections", "")] == 25
    assert values[("goroutines.dominant", SENDER)] == 30
    assert values[("goroutines.dominant_minutes", SENDER)] == 12
    assert standing_told.tell(dumps(text)) == (
        f"goroutine dump, 55 goroutines; 30 in chan send in {SENDER} for up to 12 minutes; "
        "25 of net/http's own wait on connections"
    )


def test_growth_is_told_of_one_process_only() -> None:
    values = said(goroutines.of_capture, dumps(senders(range(1, 21)), senders(range(1, 61))))
    assert values[("goroutines.growth", "")] == 40
    assert values[("goroutines.growth_at", SENDER)] == 40
    others = goroutines.of_capture(dumps(senders(range(1, 21)), senders(range(500, 561))))
    assert "goroutines.growth" not in others.looked


def test_the_leak_profile_proves_what_it_lists_and_nothing_else() -> None:
    listed = dumps(counts([(7, 3, SENDS)], kind="goroutineleak"))
    assert said(goroutines.of_capture, listed)[("leak.goroutines", SENDER)] == 7
    empty = dumps("goroutineleak profile: total 0\n")
    assert goroutines.of_capture(empty).looked == frozenset()
    assert standing_told.tell(empty) == "the leak profile is empty, which proves nothing"
    marked = dumps(senders(range(1, 6)).replace("[chan send]", "[chan send (leaked)]"))
    values = said(goroutines.of_capture, marked)
    assert values[("leak.sends", SENDER)] == 5
    assert values[("goroutines.leaked", "")] == 5


# --- stuck sends ------------------------------------------------------------------------------------------

TAKE: Sequence[Call] = (("example.com/shop/web.limited", "/src/shop/web/limit.go", 20), *SERVE)
WITHIN: Sequence[Call] = (*CALLS, ("example.com/shop/web.limited", "/src/shop/web/limit.go", 23), *SERVE)
BEFORE: Sequence[Call] = (*CALLS, ("example.com/shop/web.limited", "/src/shop/web/limit.go", 17), *SERVE)


def test_senders_have_ages_where_any_wait_has_one() -> None:
    old = senders(range(1, 5), minutes=9) + senders(range(5, 8), minutes=2) + senders(range(8, 10))
    values = said(standing_sends.of_capture, dumps(old))
    assert values[("dump.send_stuck", SENDER)] == 9
    assert values[("dump.send_aged", SENDER)] == 7
    assert values[("dump.send_long", SENDER)] == 4
    assert values[("dump.send_minutes", SENDER)] == 9
    young = standing_sends.of_capture(dumps(senders(range(1, 9))))
    assert "dump.send_aged" not in young.looked
    assert "dump.send_stuck" in young.looked


def test_a_send_that_others_got_past_is_a_permit() -> None:
    waiting = "".join(goroutine(i, "chan send", TAKE, started=SERVED) for i in range(1, 9))
    held = "".join(goroutine(i, "select", WITHIN, started=SERVED) for i in (20, 21))
    asked = "".join(goroutine(i, "select", BEFORE, started=SERVED) for i in (30, 31, 32))
    site = ("dump.send_past", "example.com/shop/web.limited")
    assert said(standing_sends.of_capture, dumps(waiting + held))[site] == 2
    assert said(standing_sends.of_capture, dumps(waiting + asked))[site] == 0
    # Where waits have ages, who got past a moment ago holds nothing that others have waited for for minutes.
    aged = waiting.replace("[chan send]", "[chan send, 6 minutes]")
    assert said(standing_sends.of_capture, dumps(aged + held))[site] == 0
    old = held.replace("[select]", "[select, 6 minutes]")
    assert said(standing_sends.of_capture, dumps(aged + old))[site] == 2


def test_a_permit_taken_in_a_function_of_its_own_is_told_by_its_caller() -> None:
    take: Sequence[Call] = (("example.com/shop/web.acquire", "/src/shop/web/sem.go", 5), *TAKE)
    waiting = "".join(goroutine(i, "chan send", take, started=SERVED) for i in range(1, 9))
    held = goroutine(20, "select", WITHIN, started=SERVED)
    values = said(standing_sends.of_capture, dumps(waiting + held))
    assert values[("dump.send_past", "example.com/shop/web.acquire")] == 1


def test_growth_of_senders_and_how_many_stayed() -> None:
    same = dumps(senders(range(1, 31)), senders(range(1, 101)))
    values = said(standing_sends.of_capture, same)
    assert values[("dump.send_growth", SENDER)] == 70
    assert values[("dump.send_stayed_share", SENDER)] == 1
    moving = dumps(senders(range(1, 41)), senders(range(31, 131)))
    assert said(standing_sends.of_capture, moving)[("dump.send_stayed_share", SENDER)] == 0.25
    counted = dumps(counts([(30, 3, SENDS)]), counts([(100, 3, SENDS)]))
    assert standing_sends.of_capture(counted).looked == frozenset()  # nothing tells a send from a receive


def test_a_nil_channel_is_another_bug() -> None:
    text = "".join(goroutine(i, "chan send (nil chan)", SENDS) for i in range(1, 9))
    assert said(standing_sends.of_capture, dumps(text)) == {}


# --- mutexes ----------------------------------------------------------------------------------------------

GET: Call = ("example.com/shop/cache.(*Cache).Get", "/src/shop/cache/cache.go", 88)
LOAD: Call = ("example.com/shop/cache.(*Cache).load", "/src/shop/cache/cache.go", 140)


def waiters(ids: range, *, minutes: int = 0, lock: int = 0xC000134930) -> str:
    return "".join(
        goroutine(i, "sync.Mutex.Lock", (*LOCKS, GET, *SERVE), minutes=minutes, started=SERVED, lock=lock)
        for i in ids
    )


def test_waiters_of_one_mutex_and_who_may_hold_it() -> None:
    holder = goroutine(50, "IO wait", (*READS, LOAD), minutes=2)
    text = waiters(range(1, 41), minutes=3) + holder
    values = said(standing_locks.of_capture, dumps(text))
    assert values[("dump.lock_waiters", GET[0])] == 40
    assert values[("dump.lock_mutexes", GET[0])] == 1
    assert values[("dump.lock_holders", GET[0])] == 1
    assert ("lock.stuck", GET[0]) not in values
    assert f"40 wait for one mutex in {GET[0]} for up to 3 minutes, perhaps held in {LOAD[0]} (IO wait)" in (
        standing_told.tell(dumps(text))
    )


def test_waiters_for_minutes_with_nobody_to_unlock_are_stuck() -> None:
    text = waiters(range(1, 6), minutes=3) + waiters(range(6, 9), minutes=3, lock=0xC000555550)
    values = said(standing_locks.of_capture, dumps(text))
    assert values[("lock.stuck", GET[0])] == 8
    assert values[("dump.lock_mutexes", GET[0])] == 2


def test_waiters_without_ages_are_stuck_where_all_of_them_still_wait_for_the_same() -> None:
    name = ("lock.stuck", GET[0])
    assert name not in said(standing_locks.of_capture, dumps(waiters(range(1, 9))))
    still = dumps(waiters(range(1, 9)), waiters(range(1, 9)))
    assert said(standing_locks.of_capture, still)[name] == 8
    others = dumps(waiters(range(1, 9)), waiters(range(2, 10)))
    assert name not in said(standing_locks.of_capture, others)


def test_a_profile_and_a_dump_of_one_moment_agree() -> None:
    frames = ("runtime.gopark", "runtime.chansend", "runtime.chansend1", SENDER, "main.main")
    profile = read_profile(pprof_bytes(("goroutine", "count"), stack=frames), path="g.pprof")
    for artifacts in ([profile], dumps(WRITER.format(id=9) + senders(range(1, 2)))):
        values = said(standing_sends.of_capture, artifacts)
        assert values[("dump.send_stuck", SENDER)] == 1
        assert values[("dump.send_share", SENDER)] == 1
    leak = read_profile(pprof_bytes(("goroutineleak", "count"), stack=frames), path="l.pprof")
    assert said(goroutines.of_capture, [leak])[("leak.sends", SENDER)] == 1
    assert standing_sends.of_capture([leak]).looked == frozenset()
