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
from gopherdx.artifacts.capture import FLAGS, Limits, Named, Progress, read_capture
from gopherdx.errors import UsageError
from gopherdx.model import Diagnosis, GoRange, Tool
from gopherdx.observe import observe, overview

if TYPE_CHECKING:
    from gopherdx.kb import KnowledgeBase

File: TypeAlias = str | os.PathLike[str] | BinaryIO


def diagnose(
    *paths: File,
    trace: File | None = None,
    cpu_profile: File | None = None,
    heap_profile: File | None = None,
    allocs_profile: File | None = None,
    mutex_profile: File | None = None,
    block_profile: File | None = None,
    goroutines: File | None = None,
    gctrace: File | None = None,
    metrics: File | None = None,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    go_version: str | None = None,
    progress: Progress | None = None,
    limits: Limits = Limits(),  # noqa: B008 - frozen
) -> Diagnosis:
    """Name the bug that the artifacts of one process show, or say that none of the known ones is there.

    ``paths`` are files of any kind (known by their content, gzip or not), open binary streams, or one folder
    of files. The other arguments name a file of one kind and refuse another. ``select`` and ``ignore`` hold
    ids of archetypes or their beginnings (``G1`` is the family). ``go_version`` (``1.23``) overrides what the
    artifacts say. ``progress`` is called with what is being done and the share that is done (-1: a long step
    begins).

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
    named += [Named(_file(p), FLAGS[flag]) for flag, p in flagged.items() if p is not None]
    version = None if go_version is None else parse_go_version(go_version)
    # The rules are not needed before the files are read, and whoever calls may load them meanwhile.
    kb = _knowledge(select, ignore) if select or ignore else None
    capture = read_capture(named, limits=limits, progress=progress)
    from gopherdx.reason import chain, confidence

    kb = kb or _knowledge(select, ignore)
    observations = observe(capture.artifacts)
    if version is not None:
        observations = replace(observations, go_version=version)
    concluded = chain.run(kb, observations)
    judged = confidence.judge(kb, observations, concluded)
    return Diagnosis(
        outcome=judged.outcome,
        summary=judged.summary,
        inputs=capture.inputs,
        overview=overview(capture.artifacts),
        findings=judged.findings,
        ruled_out=judged.ruled_out,
        not_judged=judged.not_judged,
        not_applicable=judged.not_applicable,
        errors=judged.errors,
        next=judged.next,
        warnings=capture.warnings,
        tool=Tool("gopherdx", __version__),
    )


def prepare() -> None:
    """Load what reasoning needs: for a thread of its own while files are being read."""
    from gopherdx.reason import chain, confidence  # noqa: F401

    _knowledge((), ())


def _knowledge(select: Sequence[str], ignore: Sequence[str]) -> KnowledgeBase:
    from gopherdx.kb import load_kb
    from gopherdx.selection import restrict

    return restrict(load_kb(), select=select, ignore=ignore)


def parse_go_version(text: str) -> GoRange:
    """``1.23``, ``go1.23.4`` or ``go 1.23`` as a range of one release; ``UsageError`` for anything else."""
    match = re.fullmatch(r"(?:go ?)?(1)\.(\d{1,3})(?:\.\d+|rc\d+)?", text.strip())
    if match is None:
        raise UsageError(
            f"{text!r} is no Go version", where="--go-version", todo="write it as 1.23 or go1.23.4"
        )
    release = (int(match[1]), int(match[2]))
    return GoRange(text.strip(), release, release)


def _file(file: File) -> Path | BinaryIO:
    if isinstance(file, str) and re.match(r"https?://", file):
        raise UsageError(
            "addresses are not fetched by this version",
            where=file,
            todo="save it with curl -o FILE and name the file",
        )
    return Path(file) if isinstance(file, (str, os.PathLike)) else file
