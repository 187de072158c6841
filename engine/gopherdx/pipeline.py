"""Artifacts to a diagnosis: the one place that strings the stages together.

files --sniff--> artifacts --observe--> observations --rules--> evidence --confidence--> Diagnosis
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

from gopherdx import __version__
from gopherdx.artifacts.capture import FLAGS, Capture, Limits, Named, Progress, read_captures
from gopherdx.errors import UsageError
from gopherdx.model import Diagnosis, GoRange, Observations, Tool
from gopherdx.observe import observe_all, overview_all

if TYPE_CHECKING:
    from gopherdx.kb import KnowledgeBase
    from gopherdx.reason.confidence import Verdict

File: TypeAlias = str | os.PathLike[str] | BinaryIO
Files: TypeAlias = File | Sequence[File]


def diagnose(
    *paths: File,
    trace: Files | None = None,
    cpu_profile: Files | None = None,
    heap_profile: Files | None = None,
    allocs_profile: Files | None = None,
    mutex_profile: Files | None = None,
    block_profile: Files | None = None,
    goroutines: Files | None = None,
    gctrace: Files | None = None,
    metrics: Files | None = None,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    go_version: str | None = None,
    kb: Sequence[str | os.PathLike[str]] = (),
    progress: Progress | None = None,
    limits: Limits = Limits(),  # noqa: B008 - frozen
) -> Diagnosis:
    """Name the bug that a program's artifacts show, or say that none of the known ones is there.

    ``paths`` are files of any kind (known by their content, gzip or not) and open binary streams of one
    process, or folders of files: several folders are several processes. The other arguments name files of
    one kind and refuse another; two of a kind are before and after. ``select`` and ``ignore`` hold ids of
    archetypes or their beginnings (``G1`` is the family). ``go_version`` (``1.23``) overrides what the
    artifacts say. ``kb`` are folders of your own archetypes, whose rules are run. ``progress`` is called with
    what is being done and the share that is done (-1: a long step begins).

    Raises ``UnreadableInput`` for a named file that cannot be read, ``UsageError`` for arguments that make no
    sense, ``KnowledgeBaseError`` for a damaged knowledge base; each says what, where and what to do.
    """
    flagged = {
        "trace": trace,
        "cpu_profile": cpu_profile,
        "heap_profile": heap_profile,
        "allocs_profile": allocs_profile,
        "mutex_profile": mutex_profile,
        "block_profile": block_profile,
        "goroutines": goroutines,
        "gctrace": gctrace,
        "metrics": metrics,
    }
    named = [Named(_file(p)) for p in paths]
    named += [Named(_file(p), FLAGS[flag]) for flag, files in flagged.items() for p in _each(files)]
    version = None if go_version is None else parse_go_version(go_version)
    # The rules are not needed before the files are read, and whoever calls may load them meanwhile.
    known = _knowledge(select, ignore, kb) if select or ignore or kb else None
    captures = read_captures(named, limits=limits, progress=progress)
    known = known or _knowledge()
    observed = observe_all([capture.artifacts for capture in captures])
    if version is not None:
        observed = [replace(of_process, go_version=version) for of_process in observed]
    judged = _judge(known, captures, observed)
    return Diagnosis(
        outcome=judged.outcome,
        summary=judged.summary,
        inputs=tuple(item for capture in captures for item in capture.inputs),
        overview=overview_all({capture.name or "": capture.artifacts for capture in captures}),
        findings=judged.findings,
        ruled_out=judged.ruled_out,
        not_judged=judged.not_judged,
        not_applicable=judged.not_applicable,
        errors=judged.errors,
        next=judged.next,
        warnings=tuple(warning for capture in captures for warning in capture.warnings),
        tool=Tool("gopherdx", __version__),
    )


def _judge(kb: KnowledgeBase, captures: Sequence[Capture], observed: Sequence[Observations]) -> Verdict:
    """Each process by itself, in one verdict."""
    from gopherdx.reason import chain, confidence
    from gopherdx.reason.together import together

    verdicts = [confidence.judge(kb, seen, chain.run(kb, seen)) for seen in observed]
    if len(verdicts) == 1:
        return verdicts[0]
    names = [capture.name or "" for capture in captures]
    kinds = frozenset().union(*(seen.kinds for seen in observed))
    return together(kb, dict(zip(names, verdicts, strict=True)), kinds)


def prepare() -> None:
    """Load what reasoning needs: for a thread of its own while files are being read."""
    from gopherdx.reason import chain, confidence  # noqa: F401

    _knowledge()


def observations(*paths: File, progress: Progress | None = None) -> tuple[Observations, ...]:
    """What rules can see in these artifacts, for authors of rules: one set for each process.

    Takes ``paths`` as ``diagnose`` does, and raises what it raises.
    """
    named = [Named(_file(p)) for p in paths]
    captures = read_captures(named, limits=Limits(), progress=progress)
    return tuple(observe_all([capture.artifacts for capture in captures]))


def _knowledge(
    select: Sequence[str] = (), ignore: Sequence[str] = (), own: Sequence[str | os.PathLike[str]] = ()
) -> KnowledgeBase:
    from gopherdx.kb import load_kb
    from gopherdx.selection import restrict

    return restrict(load_kb([Path(folder) for folder in own]), select=select, ignore=ignore)


def parse_go_version(text: str) -> GoRange:
    """``1.23``, ``go1.23.4`` or ``go 1.23`` as a range of one release; ``UsageError`` for anything else."""
    match = re.fullmatch(r"(?:go ?)?(1)\.(\d{1,3})(?:\.\d+|rc\d+)?", text.strip())
    if match is None:
        raise UsageError(
            f"{text!r} is no Go version", where="--go-version", todo="write it as 1.23 or go1.23.4"
        )
    release = (int(match[1]), int(match[2]))
    return GoRange(text.strip(), release, release)


def _each(files: Files | None) -> Sequence[File]:
    if files is None:
        return ()
    return files if isinstance(files, Sequence) and not isinstance(files, str) else (files,)


def _file(file: File) -> Path | BinaryIO:
    if isinstance(file, str) and re.match(r"https?://", file):
        raise UsageError(
            "addresses are not fetched by this version",
            where=file,
            todo="save it with curl -o FILE and name the file",
        )
    return Path(file) if isinstance(file, (str, os.PathLike)) else file
