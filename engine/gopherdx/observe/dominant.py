"""What dominates a capture, in half a sentence: the largest place and its numbers, not that it is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gopherdx import frames as fr
from gopherdx.model import Place
from gopherdx.observe.tally import ENDED, POOL, grew

LEAST_OF_REST = 0.2  # of the goroutines that are not idle by design, for a place to dominate
LEAST_WAITING = 0.5  # goroutines on average: one that waits half of the time
UNTOLD = 1.0
LEAST_STANDING = 2  # at a moment: one goroutine that waits somewhere is everyday life
LEAST_SAMPLES = 20
LEAST_BYTES = 64 << 20  # of memory, where something else is known besides
BUSY_CORES = 0.5
BUSY_SHARE = 0.25
DOMINANT_SHARE = 0.25
MANY_IDLE = 20
CROWD = 100  # goroutines that wait at one place by design: so many may have been lost there
_MOMENTS = ("goroutine-dump", "goroutine", "goroutineleak")


@dataclass(frozen=True, slots=True)
class Known:
    """What the sentence takes its numbers from; None where the artifacts do not tell.

    ``mutexes`` are how many different ones the goroutines of a dump wait for, by function (0: not told).
    """

    places: Sequence[Place]
    used: float | None = None
    procs: int | None = None
    goroutines: float | None = None
    by_design: float | None = None
    unplaced: int = 0
    live: int | None = None
    mutexes: Mapping[str, int] = field(default_factory=dict)


def sentence(known: Known) -> str:
    """The largest place that counts; else how little there is; "" where there is nothing to say."""
    if known.unplaced and known.live and known.unplaced * 2 > known.live:
        return (
            f"{known.unplaced:,} of {known.live:,} goroutines never ran, and this trace cannot say where "
            "they wait"
        )
    if not known.places:
        return _used(known)
    for place in known.places:
        if not place.by_design and _counts(place, known):
            return _told(place, known)
    return _nothing(known)


def _counts(place: Place, known: Known) -> bool:
    if place.unit == "goroutines" and place.count:
        if place.location is None:
            return False
        least = LEAST_STANDING if place.artifact in _MOMENTS else LEAST_WAITING
        rest = (known.goroutines or place.value) - (known.by_design or 0.0)
        return place.value >= least and place.value >= LEAST_OF_REST * rest
    if place.what == "cpu" and place.location is None:
        return False
    if place.unit == "cores":
        if place.artifact == "metrics":
            return True
        if known.procs is None:
            return place.share > 0 and place.count / place.share >= LEAST_SAMPLES
        used = known.used if known.used is not None else place.value
        return used >= BUSY_CORES or used >= BUSY_SHARE * known.procs
    if place.unit == "bytes":
        large = place.location is not None and place.value >= LEAST_BYTES
        return large or all(p.unit == "bytes" for p in known.places)
    return place.unit != "s" or place.share >= LEAST_OF_REST


def _told(place: Place, known: Known) -> str:
    if place.unit == "cores" or (place.unit == "s" and place.what in ("cpu", "gc")):
        return _cpu(place, known)
    if place.unit == "bytes":
        return _memory(place)
    if place.unit == "s":
        of = f"{percent(place.share)} of {_time(place.value / place.share)} of waiting"
        if place.reason == ENDED:
            return f"{of} for locks ended at {_name(place)}"
        return f"{of} is {_waiting_for(place, known)}"
    return _goroutines(place, known)


def _used(known: Known) -> str:
    if known.used is None:
        return ""
    return (
        f"{_number(known.used)} of {processors(known.procs)} used"
        if known.procs
        else f"{_number(known.used)} cores used"
    )


def _cpu(place: Place, known: Known) -> str:
    if place.artifact == "metrics":
        return f"{_used(known)}, {percent(place.share)} of that by the collector"
    used = f" ({_used(known)})" if known.used is not None else ""
    same = [p for p in known.places if p.artifact == place.artifact and p.unit == place.unit]
    collector = sum(p.share for p in same if p.what == "gc" and not p.by_design)
    if place.what == "gc" or collector > place.share:
        most = next((p for p in same if p.what == "gc" and p.location), None)
        where = (
            f", most of it for allocations in {_name(most)}" if most and most.share * 2 > collector else ""
        )
        return f"{percent(collector)} of the CPU time is the collector's{where}{used}"
    where = _name(place)
    if "start function" in place.reason:
        where = f"goroutines of {where}" if place.count > 1 else f"the goroutine of {where}"
    elif place.reason == "runtime":
        where = f"the runtime itself ({where})"
    if place.share < DOMINANT_SHARE:
        return f"no place dominates the CPU time: the largest, {where}, has {percent(place.share)}{used}"
    return f"{percent(place.share)} of the CPU time is in {where}{used}"


def _memory(place: Place) -> str:
    whole = size(place.value / place.share if place.share else place.value)
    if place.location is None:
        return f"{percent(place.share)} of the {whole} {place.reason} is the runtime's own"
    if place.share < DOMINANT_SHARE:
        largest = f"the largest, {_name(place)}, has {percent(place.share)}"
        return f"no place dominates the {whole} {place.reason}: {largest}"
    if place.reason != "allocated":
        return f"{percent(place.share)} of the {whole} {place.reason} was allocated in {_name(place)}"
    text = f"{percent(place.share)} of the {whole} allocated is from {_name(place)}"
    return f"nothing is in use now; {text}" if place.artifact == "heap" else text


def _goroutines(place: Place, known: Known) -> str:
    now = place.at_end if place.artifact != "trace" and place.at_end is not None else place.value
    whole = known.goroutines or now
    mean = "on average " if place.artifact not in _MOMENTS else ""
    of = f" of {_number(whole)}" if known.goroutines is not None else ""
    text = f"{mean}{_number(now)}{of} goroutines {_wait(place, known)}"
    if place.what not in ("lock", "runnable") and grew(place):
        text += f", {place.at_start:,} at the start and {place.at_end:,} at the end"
    return text


def _wait(place: Place, known: Known) -> str:
    if place.what == "runnable":
        return f"are ready and wait for a P, most of them of {_name(place)}"
    if place.what == "cpu":
        return f"run in {_name(place)}"
    if place.what == "syscall":
        return f"are in a system call in {_name(place)}"
    if place.what == "sleep":
        return f"sleep in {_name(place)}"
    return f"wait {_waiting_for(place, known)}"


def _waiting_for(place: Place, known: Known) -> str:
    name = _name(place)
    if place.what == "lock":
        number = known.mutexes.get(place.location.function, 0) if place.location else 0
        which = "a mutex" if not number else "one mutex" if number == 1 else f"{number} mutexes"
        return f"for {which} that {name} unlocks" if place.reason == ENDED else f"for {which} in {name}"
    if place.via == POOL:
        return f"for a connection of the database pool in {name}"
    words = {
        "network": "for an answer" if place.reason in ("select", "chan receive") else "for the network",
        "gc": "for the collector",
        "timer": "for a timer",
        "sync": _synchronised(place.reason),
    }
    if place.what in words:
        through = f" ({fr.short(place.via)})" if place.via and not place.via.startswith("sync.") else ""
        return f"{words[place.what]} in {name}{through}"
    return f"{_CHANNEL.get(place.reason, place.reason)} in {name}".strip()


_CHANNEL = {
    "chan send": "to send to a channel", "chan receive": "to receive from a channel", "select": "in a select",
    "chan send (nil chan)": "to send to a nil channel",
    "chan receive (nil chan)": "to receive from a nil channel",
}  # fmt: skip


def _synchronised(reason: str) -> str:
    if "WaitGroup" in reason:
        return "for other goroutines"
    return "for a condition" if "Cond" in reason else "for a lock of the library"


def _nothing(known: Known) -> str:
    crowd = _crowd(known)
    if crowd is not None and known.goroutines:
        of = f"{_number(crowd.value)} of {_number(known.goroutines)} goroutines wait in {_name(crowd)}"
        return f"{of}, which is by design, but many"
    if (largest := _largest(known)) is not None:
        of = f"{_number(largest.value)} of {_number(known.goroutines or 0.0)} goroutines"
        return f"no place dominates: the largest, {_name(largest)}, has {of}"
    parts = [_used(known)] if known.used is not None else []
    if known.goroutines:
        parts.append(_idle(known))
    if not known.goroutines and any(p.unit == "s" and p.by_design for p in known.places):
        share = sum(p.share for p in known.places if p.unit == "s" and p.by_design)
        parts.append(f"{percent(share)} of the waiting is by design")
    return f"nothing stands out: {', '.join(parts)}" if parts else ""


def _largest(known: Known) -> Place | None:
    """The largest place where goroutines wait in the middle of work, if many do so at places of all sorts."""
    every = known.goroutines or 0.0
    rest = every - (known.by_design or 0.0) - _untold(known)
    if rest < max(CROWD, LEAST_OF_REST * every):
        return None
    told = [p for p in known.places if not p.by_design and p.unit == "goroutines" and p.location]
    return max(told, key=lambda p: p.value, default=None)


def _untold(known: Known) -> float:
    """Goroutines of which nobody knows where they wait."""
    return sum(p.value for p in known.places if p.unit == "goroutines" and p.location is None)


def _crowd(known: Known) -> Place | None:
    """The place where most goroutines idle, if those are many and a good part of all that there are."""
    idle = [p for p in known.places if p.by_design and p.unit == "goroutines" and p.location]
    most = max(idle, key=lambda p: p.value, default=None)
    many = most is not None and most.value >= max(CROWD, LEAST_OF_REST * (known.goroutines or 0.0))
    return most if many else None


def _idle(known: Known) -> str:
    """How many goroutines wait by design, where many of them do so, and how many nobody knows where."""
    idle, every = known.by_design or 0.0, known.goroutines or 0.0
    text = f"{_number(idle)} of {_number(every)} goroutines wait by design"
    most = next((p for p in known.places if p.by_design and p.unit == "goroutines" and p.location), None)
    if most is not None and most.value >= MANY_IDLE and most.value >= LEAST_OF_REST * every:
        text += f" ({_number(most.value)} in {_name(most)})"
    untold = _untold(known)
    return f"{text}, {_number(untold)} at a place that is not told" if untold >= UNTOLD else text


def _time(seconds: float) -> str:
    """A time in the unit in which people say it."""
    for unit, least, length in (("h", 7200.0, 3600.0), ("min", 120.0, 60.0), ("s", 1.0, 1.0)):
        if seconds >= least:
            return (
                f"{seconds / length:,.0f} {unit}"
                if seconds >= 100 * length
                else f"{seconds / length:.3g} {unit}"
            )
    return f"{seconds * 1e3:.3g} ms"


def _name(place: Place) -> str:
    return fr.short(place.location.function) if place.location else "a place that is not told"


def _number(value: float) -> str:
    """Whole numbers whole, others with one digit, or two below one."""
    if value == int(value) or value >= 100:
        return f"{value:,.0f}"
    if value < 0.005:
        return "under 0.01"
    return f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def percent(share: float) -> str:
    """A share for people: ``48 %``."""
    return f"{share * 100:.0f} %" if share >= 0.01 else "under 1 %"


def processors(count: int) -> str:
    """GOMAXPROCS in words: ``1 P``, ``8 Ps``."""
    return "1 P" if count == 1 else f"{count:,} Ps"


def size(value: float) -> str:
    """Bytes for people: ``36.5 GiB``."""
    for unit, bytes_ in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if value >= bytes_:
            return (
                f"{value / bytes_:.3g} {unit}" if value < 1000 * bytes_ else f"{value / bytes_:,.0f} {unit}"
            )
    return f"{value:.0f} bytes"
