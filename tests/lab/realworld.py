"""Writes docs/realworld.md: what gopherdx answers for each published recording, and whether that is right.

    python tests/lab/realworld.py [FOLDER]

FOLDER (GOPHERDX_REALWORLD, else ../shared/realworld) holds the recordings and ``manifest.jsonl``; nothing of
their content gets into the page. What is right was judged by reading each recording with the toolchain's own
tools; ``tests/unit/test_realworld.py`` holds the answers to it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import yaml

import gopherdx
from gopherdx.errors import UnreadableInput
from gopherdx.model import Diagnosis

ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = ROOT / "docs" / "realworld.md"
CHECKED: Final[Mapping[str, Mapping[str, Any]]] = yaml.safe_load(
    (Path(__file__).parent / "realworld.yaml").read_text(encoding="utf-8")
)
"""What the toolchain's tools say dominates, of recordings where it was looked up: function and percent."""
SLACK: Final = 3.5
"""Percentage points: recorders and frames of the library are counted otherwise."""
FOLDER: Final = Path(os.environ.get("GOPHERDX_REALWORLD", ROOT.parent / "shared" / "realworld"))

Answer = Diagnosis | UnreadableInput

ACCEPTED: Final[Mapping[str, tuple[str, str]]] = {
    "t057.trace": (
        "G201",
        "600 collections in a second under a goal of 4 MB, all by the one function named",
    ),
    "t059.trace": (
        "G201",
        "60 collections in the last half second over 10 to 50 MB, more than a quarter of the CPU time",
    ),
    "t074.trace": (
        "G201",
        "860 collections a second over 3 MB, all by the one function named, a fifth of the CPU time",
    ),
}
"""Likely findings that are right, with the archetype and the reason; every other one is wrong."""

_OLD = "its format is older than Go 1.11's"
_ADDRESSES = "the text form holds addresses only, which name nothing without the program"
_NOT_GO = "not of a Go program"
_BEFORE_1_11 = ("017", "024", "036", "070", "078", "079", "084", "089", "096", "102", "104")
REFUSED: Final[Mapping[str, str]] = {
    "p009.pprof": _ADDRESSES,
    "p040.pprof": _NOT_GO,
    "p055.pprof": "wall-clock time, made by a tool from a trace",
    "p058.pprof": _NOT_GO,
    "p069.pprof": "its gzip is cut; the toolchain refuses it too",
    "p101.pprof": _ADDRESSES,
    "p110.pprof": _NOT_GO,
    "p122.pprof": "three samples written by hand",
    "p131.pprof": "a longer file was written over; the sentence says how to keep the whole part",
    "p140.pprof": _NOT_GO,
    **{
        f"t{n}.trace": _OLD
        for n in ("017", "024", "036", "070", "078", "079", "084", "089", "096", "102", "104")
    },
    "t044.trace": "cut: clock and stacks of its format lie at the end; the toolchain refuses it too",
}
"""Recordings that are refused, with the reason why nobody can read a bug from them."""

HEALTHY: Final[Mapping[str, str]] = {
    "t007.trace": "workers idle on a channel, one websocket",
    "t009.trace": "idle server; its recorder's own sleep is no finding",
    "t014.trace": "consumers that wait for messages",
    "t015.trace": "four goroutines compute side by side, and print",
    "t018.trace": "loops without a pause that keep nobody waiting: G205 is possible, no more",
    "t022.trace": "one goroutine that calls and computes by turns, on purpose",
    "t027.trace": "loops without a pause that keep nobody waiting: G205 is possible, no more",
    "t029.trace": "one short program; its longest run keeps nobody waiting",
    "t043.trace": "a bot that starts and waits",
    "t053.trace": "one goroutine computes: a benchmark",
    "t055.trace": "goroutines that compute; a delay of milliseconds",
    "t061.trace": "idle proxy; its recorder's own sleep is no finding",
    "t063.trace": "senders wait for a semaphore and get it: back-pressure, no leak",
    "t069.trace": "a periodic writer; its clock is 256 times too fast, which is corrected and said",
    "t071.trace": "one request that allocates: 18 collections in five seconds",
    "t073.trace": "one goroutine computes: a benchmark",
    "t075.trace": "idle server: the load was not recorded",
    "t080.trace": "a test that sleeps and exports",
    "t086.trace": "a ticker; the 199 s in a system call are the runtime's own timer goroutine",
    "t093.trace": "idle server; its recorder's own sleep is no finding",
    "t101.trace": "one goroutine computes: a benchmark without garbage",
    "t108.trace": "a bot whose workers wait for work",
    "t109.trace": "a second of idling",
}
"""Traces in which none of the bugs is, with what is in them."""

_INSUFFICIENT: Final[Mapping[str, str]] = {
    "trace": "a trace of less than a second shows what is there, not what is not",
    "cpu": "a CPU profile shows no waiting",
    "heap": "a heap profile shows memory only",
    "allocs": "an allocs profile shows memory only",
    "mutex": "a mutex profile shows locks only",
    "block": "a block profile shows waits that ended, and no rates",
    "goroutine": "where goroutines are at one moment",
    "goroutine-dump": "where goroutines are at one moment",
    "gctrace": "a gctrace log shows the collector only",
    "metrics": "one moment's metrics show no rates",
}
_OF_FILE: Final[Mapping[str, str]] = {
    "d03.txt": "collections between benchmarks, a fifth of them asked for by package testing",
    "d18.txt": "500 receivers that leaked, which the overview names; G302 is about senders",
    "d24.txt": "eight dumps one after another, all read",
    "p010.pprof": "ten heap profiles one after another, read as ten moments; what is in use stays the same",
    "p022.pprof": "runtime.cgocall on Windows is a system call, not C code",
    "p073.pprof": "one burst of a hundred waits in ten seconds; a trace would tell more",
    "p105.pprof": "a leak of memory in use, which is none of the archetypes",
}


def rows(folder: Path = FOLDER) -> list[dict[str, Any]]:
    """The manifest; empty where the recordings are not at hand."""
    manifest = folder / "manifest.jsonl"
    if not manifest.is_file():
        return []
    return [json.loads(line) for line in manifest.read_text(encoding="utf-8").splitlines()]


def answer(file: str, folder: Path = FOLDER) -> Answer:
    """What gopherdx says of a recording: a diagnosis, or the refusal."""
    try:
        return gopherdx.diagnose(folder / file)
    except UnreadableInput as error:
        return error


def page(answers: Iterable[tuple[Mapping[str, Any], Answer]]) -> str:
    """docs/realworld.md."""
    lines = [_line(row, said) for row, said in answers]
    return _HEAD.format(count=len(lines), checked=len(CHECKED)) + "\n".join(lines) + "\n"


_HEAD: Final = """# Recordings of strangers

{count} files that people committed to public repositories: traces of Go 1.5 to 1.26, profiles, goroutine
dumps, gctrace logs and metrics. They are no part of this repository. Written by `tests/lab/realworld.py`;
`tests/unit/test_realworld.py` holds answers to this page, and totals to what the toolchain's tools print.

*insufficient*: the file alone cannot tell whether most of the archetypes are there, and the answer names
what to record. *healthy*: it could tell, and none is. *What dominates* is the first sentence of the answer
where there is no finding; its place was compared with what the toolchain's tools print for {checked} of them
(`tests/lab/realworld.yaml`), and the percentage is theirs.

| file | kind | answer | is that right? | what dominates | by the toolchain's tools |
|---|---|---|---|---|---|
"""


def _line(row: Mapping[str, Any], said: Answer) -> str:
    cells = (row["file"], row["kind"], _words(said), verdict(row, said), _dominates(said), checked(row, said))
    return f"| {' | '.join(cells)} |"


def _dominates(said: Answer) -> str:
    return "" if isinstance(said, UnreadableInput) else said.overview.dominates.replace("|", "\\|")


def checked(row: Mapping[str, Any], said: Answer) -> str:
    """What the toolchain's tools say of the place that dominates, and whether that is the same; else ""."""
    theirs = CHECKED.get(row["file"])
    if theirs is None or isinstance(said, UnreadableInput):
        return ""
    first = next((place for place in said.overview.places if not place.by_design), None)
    same = (
        first is not None
        and first.location is not None
        and first.location.function.replace("[...]", "") == theirs["function"]
        and abs(100 * first.share - theirs["percent"]) <= SLACK
    )
    return f"{'the same' if same else 'no'}: {theirs['percent']:g} %"


def _words(said: Answer) -> str:
    if isinstance(said, UnreadableInput):
        return "refused: " + said.what.removeprefix("is ").split(";")[0].split(":")[0]
    likely = ", ".join(finding.id for finding in said.likely)
    return f"**{likely}**" if likely else said.outcome


def verdict(row: Mapping[str, Any], said: Answer) -> str:
    """Whether an answer is right, and why; "no" for an answer that nobody has looked at."""
    file = row["file"]
    if isinstance(said, UnreadableInput):
        return f"yes: {REFUSED[file]}" if file in REFUSED else "no"
    if said.likely:
        right = file in ACCEPTED and [f.id for f in said.likely] == [ACCEPTED[file][0]]
        return f"yes: {ACCEPTED[file][1]}" if right else "no"
    if said.outcome == "healthy":
        return f"yes: {HEALTHY[file]}" if file in HEALTHY else "no"
    if said.outcome == "insufficient" and file not in {*ACCEPTED, *HEALTHY, *REFUSED}:
        return f"yes: {_OF_FILE.get(file) or _INSUFFICIENT[row['kind']]}"
    return "no"


def answers(folder: Path = FOLDER) -> Iterator[tuple[dict[str, Any], Answer]]:
    """Every recording with its answer, in the manifest's order."""
    for row in rows(folder):
        yield row, answer(row["file"], folder)


if __name__ == "__main__":
    PAGE.write_text(page(answers(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)), encoding="utf-8")
