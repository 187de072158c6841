"""Goroutines as they stood at one moment: one view of dumps in text and of goroutine profiles.

A dump with a stack for each tells states and, once a collection has seen them wait, ages; a profile tells
neither, but its innermost frames tell what a goroutine waits for. Who records is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from gopherdx import frames as fr

if TYPE_CHECKING:
    from gopherdx.artifacts.dump import GoroutineDump
    from gopherdx.artifacts.pprof import Profile

Form = Literal["stacks", "counts", "profile"]
_CHANNEL = 3  # frames that counts hide where a goroutine waits for a channel
MUTEX = frozenset({"sync.Mutex.Lock", "sync.RWMutex.Lock", "sync.RWMutex.RLock"})


@dataclass(frozen=True, slots=True)
class Standing:
    """Goroutines with one stack and one state.

    ``state`` is a wait reason of the runtime, ``running``, ``runnable`` or ``syscall``; None where not told.
    ``minutes``, ``ids`` and ``locks`` hold one entry for each goroutine, or none where the form has none
    (:class:`gopherdx.artifacts.dump.GoroutineGroup` says what they are). ``creator`` is None where not told.
    """

    count: int
    state: str | None
    stack: tuple[fr.Frame, ...]
    creator: fr.Frame | None = None
    minutes: tuple[int, ...] = ()
    ids: tuple[int, ...] = ()
    locks: tuple[int, ...] = ()
    leaked: bool = False

    @property
    def on_mutex(self) -> bool:
        """Whether they wait for a mutex."""
        return self.state in MUTEX

    def aged(self, minutes: int) -> int:
        """How many have waited that many minutes or longer, as far as told."""
        return sum(1 for m in self.minutes if m >= minutes)


@dataclass(frozen=True, slots=True)
class Moment:
    """All goroutines of a process at one time, but those that recorded it.

    ``kind`` is the artifact's. ``aged``: ages are told, so a wait without one is younger than a minute.
    ``sends_known``: a goroutine that waits in a send is known to.
    """

    kind: str
    form: Form
    path: str
    time_ns: int
    aged: bool
    sends_known: bool
    why: str
    groups: tuple[Standing, ...]

    @property
    def total(self) -> int:
        """Number of goroutines."""
        return sum(group.count for group in self.groups)


def moments(artifacts: Iterable[Any], kind: str = "") -> tuple[Moment, ...]:
    """The moments that artifacts show, in their order; of one kind where it is named.

    Left out is what tells of one goroutine only (a panic's stack), profiles without function names, and other
    kinds of artifact.
    """
    found = []
    for artifact in artifacts:
        if kind and artifact.kind != kind:
            continue
        if artifact.kind in ("goroutine", "goroutineleak") and hasattr(artifact, "by_stack"):
            if artifact.symbolized or not len(artifact):
                found.append(_of_profile(artifact))
        elif artifact.kind in ("goroutine-dump", "goroutineleak") and artifact.whole:
            found.append(_of_dump(artifact))
    return tuple(found)


def stacks(artifact: Any) -> list[tuple[fr.Stack, int, int]] | None:
    """(stack, goroutines, minutes that the oldest has waited or 0), the recorder's own among them.

    None where the artifact does not tell of all goroutines: the stack of a panic, a profile without names.
    """
    if artifact.kind == "goroutine-dump":
        return [(g.stack, g.count, g.minutes_max) for g in artifact.groups] if artifact.whole else None
    if not artifact.symbolized or not len(artifact):
        return None
    return [(s, count, 0) for s, count in artifact.by_stack(artifact.default_index).items()]


def series(artifacts: Iterable[Any]) -> tuple[tuple[Moment, ...], ...]:
    """Moments that can be compared with one another, the most telling series first, each in order of time.

    Of several forms of the same moment, a dump with ages tells more than one without, that more than a
    profile, and counts least. Without times, dumps of a process follow each other as their youngest
    goroutines' ids do: ids only grow.
    """
    of_form: dict[str, list[Moment]] = {}
    for moment in moments(artifacts):
        if moment.kind != "goroutineleak":
            of_form.setdefault(moment.form, []).append(moment)
    for of_one in of_form.values():
        if not all(m.time_ns for m in of_one) and all(_youngest(m) for m in of_one):
            of_one.sort(key=_youngest)
    rank = ("stacks", "profile", "counts")
    return tuple(tuple(of_form[form]) for form in rank if form in of_form)


def minutes_between(before: Moment, after: Moment) -> float:
    """The time between two moments; 0 where it cannot be told.

    Where they carry no time: goroutines that wait at the same place in both are older by that much, in whole
    minutes.
    """
    if before.time_ns and after.time_ns:
        return max(0, after.time_ns - before.time_ns) / 60e9
    was = {g: (m, s.stack) for s in before.groups for g, m in zip(s.ids, s.minutes, strict=True) if m}
    older = sorted(
        m - was[g][0]
        for s in after.groups
        for g, m in zip(s.ids, s.minutes, strict=True)
        if g in was and was[g][1] == s.stack and m >= was[g][0]
    )
    return float(older[len(older) // 2]) if older else 0.0


def of_same_process(before: Moment, after: Moment) -> bool:
    """Whether two moments are of one process: some goroutine is in both. Without ids that is believed."""
    old = {g for s in before.groups for g in s.ids}
    return not old or any(g in old for s in after.groups for g in s.ids)


def _youngest(moment: Moment) -> int:
    return max((g for s in moment.groups for g in s.ids), default=0)


def _of_dump(dump: GoroutineDump) -> Moment:
    shown = [g for g in dump.groups if not fr.is_recorder(g.stack)]
    groups = tuple(
        Standing(
            count=g.count,
            state=_state(g.state, g.stack),
            stack=g.stack,
            creator=g.creator,
            minutes=g.minutes,
            ids=g.ids,
            locks=g.locks,
            leaked=g.leaked,
        )
        for g in shown
    )
    return Moment(
        kind=dump.kind,
        form=dump.form,
        path=dump.path,
        time_ns=dump.time_ns,
        aged=dump.has_ages,
        # Counts do not name waits for a channel; the reader may have told sends from receives all the same.
        sends_known=all(s.state or g.hidden != _CHANNEL for g, s in zip(shown, groups, strict=True)),
        why=dump.why,
        groups=groups,
    )


def _of_profile(profile: Profile) -> Moment:
    leaked = profile.kind == "goroutineleak"
    groups = []
    for stack, count in profile.by_stack(profile.default_index).items():
        if count > 0 and not fr.is_recorder(stack):
            groups.append(Standing(count, fr.parked_in(stack), stack, leaked=leaked))
    groups.sort(key=lambda g: (-g.count, g.stack))
    return Moment(
        kind=profile.kind,
        form="profile",
        path=profile.path,
        time_ns=profile.time_ns,
        aged=False,
        sends_known=True,
        why="",
        groups=tuple(groups),
    )


def _state(state: str, stack: Sequence[fr.Frame]) -> str | None:
    """The state as printed, but for mutexes before Go 1.20, which dumps call semacquire."""
    if state in ("", "semacquire"):
        return fr.parked_in(stack) or state or None
    return state
