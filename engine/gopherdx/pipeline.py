"""Artifacts to a diagnosis: the one place that strings the stages together.

files --sniff--> artifacts --observe--> observations --rules--> evidence --confidence--> Diagnosis
a description --likeness to reports--> evidence (weaker);  findings --retrieve--> passages
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

from gopherdx import __version__
from gopherdx.artifacts.capture import FLAGS, Limits, Named, Progress, read_captures
from gopherdx.artifacts.remote import Remote, is_address
from gopherdx.errors import UsageError
from gopherdx.model import Diagnosis, Finding, GoRange, Input, Observations, Overview, Passage, Tool

if TYPE_CHECKING:
    from gopherdx.kb import KnowledgeBase
    from gopherdx.reason.belief import Told
    from gopherdx.reason.confidence import Verdict
    from gopherdx.retrieve import Hit, Index, Likeness
    from gopherdx.retrieve import Passage as Text
    from gopherdx.retrieve.encode import Encoder
    from gopherdx.retrieve.reading import Shelf

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
    symptom: str | None = None,
    kb: Sequence[str | os.PathLike[str]] = (),
    passages: bool = True,
    encoder: str = "static",
    corpus: Sequence[str | os.PathLike[str]] = (),
    progress: Progress | None = None,
    limits: Limits = Limits(),  # noqa: B008 - frozen
) -> Diagnosis:
    """Name the bug that a program's artifacts show, or say that none of the known ones is there.

    ``paths`` are files of any kind (known by their content, gzip or not) and open binary streams of one
    process, or folders of files: several folders are several processes. The other arguments name files of
    one kind and refuse another; two of a kind are before and after. ``select`` and ``ignore`` hold ids of
    archetypes or their beginnings (``G1`` is the family). ``go_version`` (``1.23``) overrides what the
    artifacts say. ``symptom`` is what a person sees, in a sentence or two: weak evidence, with files or
    alone. ``kb`` are folders of your own archetypes, whose rules are run.

    Findings carry ``passages`` to read on with, unless that is False: of what comes along and of your own
    folders of Markdown (``corpus``), found by the ``encoder`` static or minilm. ``progress`` is called with
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
    named = [Named(as_file(p)) for p in paths]
    named += [Named(as_file(p), FLAGS[flag]) for flag, files in flagged.items() for p in _each(files)]
    version = None if go_version is None else parse_go_version(go_version)
    if symptom is not None and not symptom.strip():
        raise UsageError("it says nothing", where="--symptom", todo="describe what you see")
    library = Library(encoder, corpus)
    if corpus or encoder != Library.encoder:
        library.open()  # what cannot be opened is said before the files are read
    # The rules are not needed before the files are read, and whoever calls may load them meanwhile.
    known = knowledge(select, ignore, kb) if select or ignore or kb else None
    if named or symptom is None:
        reading = read(named, limits=limits, progress=progress, go_version=version)
    else:
        reading = nothing_read(version)
    known = known or knowledge()
    told = None if symptom is None else library.told(known, symptom)
    return conclude(known, reading, told, library if passages else None)


@dataclass(frozen=True, slots=True)
class Reading:
    """What files said: one name and set of observations for each process, and what to tell of the files."""

    processes: tuple[tuple[str, Observations], ...]
    inputs: tuple[Input, ...]
    overview: Overview
    warnings: tuple[str, ...]

    @property
    def go(self) -> str | None:
        """The Go release (``1.23``) that all of it comes from, where that is told."""
        versions = {seen.go_version for _, seen in self.processes}
        version = versions.pop() if len(versions) == 1 else None
        if version is None or version.low != version.high:
            return None
        return f"{version.low[0]}.{version.low[1]}"


def nothing_read(go_version: GoRange | None = None) -> Reading:
    """What there is without files."""
    nothing = Observations((), frozenset(), frozenset(), go_version=go_version)
    return Reading((("", nothing),), inputs=(), overview=Overview(), warnings=())


def read(
    named: Sequence[Named], *, limits: Limits, progress: Progress | None, go_version: GoRange | None = None
) -> Reading:
    """Files to observations. ``go_version`` overrides what they say. Raises what ``diagnose`` raises."""
    captures = read_captures(named, limits=limits, progress=progress)
    from gopherdx.observe import observe_all, overview_all  # may come in while kernels read a trace

    observed = observe_all([capture.artifacts for capture in captures])
    if go_version is not None:
        observed = [replace(of_process, go_version=go_version) for of_process in observed]
    return Reading(
        processes=tuple((c.name or "", seen) for c, seen in zip(captures, observed, strict=True)),
        inputs=tuple(item for capture in captures for item in capture.inputs),
        overview=overview_all({capture.name or "": capture.artifacts for capture in captures}),
        warnings=tuple(warning for capture in captures for warning in capture.warnings),
    )


def conclude(
    kb: KnowledgeBase, reading: Reading, told: Told | None = None, library: Library | None = None
) -> Diagnosis:
    """What was read and told to a diagnosis; its findings carry passages where there is a library."""
    judged = _judge(kb, reading.processes, told)
    findings = judged.findings
    if library is not None:
        findings = tuple(replace(f, passages=library.passages_for(f, reading.go)) for f in findings)
    return Diagnosis(
        outcome=judged.outcome,
        summary=_summary(judged, reading.overview),
        inputs=reading.inputs,
        overview=reading.overview,
        findings=findings,
        ruled_out=judged.ruled_out,
        not_judged=judged.not_judged,
        not_applicable=judged.not_applicable,
        errors=judged.errors,
        next=judged.next,
        warnings=reading.warnings,
        tool=Tool("gopherdx", __version__),
    )


def _summary(judged: Verdict, overview: Overview) -> str:
    """What was judged; where no archetype is likely, after what dominates the recording."""
    if judged.outcome == "diagnosed" or not overview.dominates:
        return judged.summary
    return f"{overview.dominates}. {judged.summary[:1].upper()}{judged.summary[1:]}"


def _judge(kb: KnowledgeBase, processes: Sequence[tuple[str, Observations]], told: Told | None) -> Verdict:
    """Each process by itself, in one verdict. What a person told holds for all of them."""
    from gopherdx.reason import chain, confidence
    from gopherdx.reason.belief import NOTHING_TOLD
    from gopherdx.reason.together import together

    told = told or NOTHING_TOLD
    verdicts = [confidence.judge(kb, seen, chain.run(kb, seen), told) for _, seen in processes]
    if len(verdicts) == 1:
        return verdicts[0]
    kinds = frozenset().union(*(seen.kinds for _, seen in processes))
    named = dict(zip((name for name, _ in processes), verdicts, strict=True))
    return together(kb, named, kinds, told.unknown)


class Library:
    """The corpus with its encoder. Nothing of it is loaded before something is looked up."""

    encoder: str = "static"

    def __init__(self, encoder: str = "static", corpus: Sequence[str | os.PathLike[str]] = ()) -> None:
        self.encoder = encoder
        self._folders = tuple(Path(folder) for folder in corpus)
        self._likeness: dict[tuple[str, ...], Likeness] = {}

    def open(self) -> None:
        """Load it. Raises ``UsageError`` for an unknown encoder or an unreadable folder."""
        _ = self._encode, self._shelf

    def told(self, kb: KnowledgeBase, text: str) -> Told:
        """A description as evidence on every archetype; 0 on all where it has no known word."""
        from gopherdx.reason.belief import Told

        like = self.likeness(kb).weigh(text)
        return Told(
            text={a.id: like[a.id].log_odds if a.id in like else 0.0 for a in kb.archetypes},
            like={name: self._named(of.nearest) for name, of in like.items() if of.nearest},
        )

    def _named(self, report: Text) -> str:
        """A report in a line: a case by its title, what people say as they say it."""
        return next((p.title for p in self._passages if p.id == report.id), report.text)

    def likeness(self, kb: KnowledgeBase) -> Likeness:
        """How descriptions are weighed. What is known of all archetypes counts, whichever are judged."""
        from gopherdx.kb import load_kb
        from gopherdx.retrieve import builtin, open_likeness

        every = {a.id: a for a in (*load_kb(rules=False).archetypes, *kb.archetypes)}
        key = tuple(every)
        if key not in self._likeness:
            self._likeness[key] = open_likeness(tuple(every.values()), builtin().passages, self._encode)
        return self._likeness[key]

    def passages_for(self, finding: Finding, go: str | None) -> tuple[Passage, ...]:
        """What to read on with about a finding."""
        return self._shelf.for_finding(finding, go)

    def search(self, text: str, *, kinds: Sequence[str] = (), count: int = 5) -> tuple[Hit, ...]:
        """Passages about a text, the best first."""
        return self._index.search(text, kinds=kinds, count=count)

    @cached_property
    def _encode(self) -> Encoder:
        from gopherdx.retrieve import encoder

        return encoder(self.encoder)

    @cached_property
    def _passages(self) -> tuple[Text, ...]:
        from gopherdx.retrieve import builtin, read_corpus

        own = [read_corpus(folder) for folder in self._folders]
        return tuple(p for corpus in (builtin(), *own) for p in corpus.passages)

    @cached_property
    def _shelf(self) -> Shelf:
        from gopherdx.retrieve.reading import Shelf

        return Shelf(self._passages, self._encode)

    @cached_property
    def _index(self) -> Index:
        from gopherdx.retrieve import Index

        return Index(self._passages, self._encode)


def prepare() -> None:
    """Load what reasoning needs, but for passages: for a thread of its own while files are being read."""
    from gopherdx import observe  # noqa: F401
    from gopherdx.reason import chain, confidence  # noqa: F401

    chain.prepare(knowledge())


def observations(*paths: File, progress: Progress | None = None) -> tuple[Observations, ...]:
    """What rules can see in these artifacts, for authors of rules: one set for each process.

    Takes ``paths`` as ``diagnose`` does, and raises what it raises.
    """
    named = [Named(as_file(p)) for p in paths]
    return tuple(seen for _, seen in read(named, limits=Limits(), progress=progress).processes)


def knowledge(
    select: Sequence[str] = (), ignore: Sequence[str] = (), own: Sequence[str | os.PathLike[str]] = ()
) -> KnowledgeBase:
    """The knowledge base that comes along, with a user's own folders, and what is selected of it."""
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


def as_file(file: File) -> Path | Remote | BinaryIO:
    """A path or an address as one; addresses are fetched when they are read."""
    if isinstance(file, str) and is_address(file):
        return Remote(file)
    return Path(file) if isinstance(file, (str, os.PathLike)) else file
