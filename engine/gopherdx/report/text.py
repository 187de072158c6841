"""A diagnosis for a person at a terminal, who has two minutes: the cause and its place first, then the proof.

Everything that comes from a recording (function names, paths, states) is shown with control characters
escaped and is never read as markup. The same diagnosis, width and colour setting give the same bytes.
"""

from __future__ import annotations

import io
import operator
import re
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from pathlib import PurePath

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gopherdx.model import (
    Diagnosis,
    Evidence,
    Finding,
    Fix,
    Location,
    Next,
    NotJudged,
    Overview,
    RuledOut,
)
from gopherdx.report import places
from gopherdx.report.numbers import quantity
from gopherdx.report.safe import safe
from gopherdx.report.units import told as units_told

DEFAULT_WIDTH = 100
MIN_WIDTH = 60
EXPLAINED = "explained-by"
"""Evidence of a symptom that another finding explains; its text is the whole sentence."""

_SEVERITY_STYLE = {
    "critical": "bold white on red",
    "high": "bold red",
    "medium": "bold yellow",
    "low": "yellow",
    "info": "cyan",
}
_OUTCOME_STYLE = {"diagnosed": "bold red", "inconclusive": "bold yellow", "insufficient": "bold yellow"}


def render(diagnosis: Diagnosis, *, width: int = DEFAULT_WIDTH, color: bool = False) -> str:
    """The report as text, each line at most ``width`` columns wide unless a name or command is longer."""
    page = _Page(max(width, MIN_WIDTH), color)
    _headline(page, diagnosis)
    first = diagnosis.outcome != "diagnosed"
    if first and diagnosis.inputs:
        _overview(page, diagnosis.overview)
    told: set[str] = set()
    for number, finding in enumerate(diagnosis.likely, 1):
        if len(diagnosis.likely) > 1:
            page.rule(f"{number} of {len(diagnosis.likely)}")
        _finding(page, finding, told)
    _possible(page, [f for f in diagnosis.findings if f.level == "possible"])
    _errors(page, diagnosis)
    _next(page, diagnosis.next)
    _ruled_out(page, diagnosis.ruled_out)
    _not_judged(page, diagnosis.not_judged, frozenset(step.command or "" for step in diagnosis.next))
    _not_applicable(page, diagnosis)
    if diagnosis.inputs:  # there are none where a person's words were all there was
        if not first:
            _overview(page, diagnosis.overview)
        _inputs(page, diagnosis)
    return page.text()


# Parts of the report, in their order --------------------------------------------------------------------


def _headline(page: _Page, diagnosis: Diagnosis) -> None:
    """One sentence that could stand alone: the cause and its place, or what was judged and found well."""
    labels = {
        "diagnosed": "",
        "healthy": "Healthy: ",
        "inconclusive": "Inconclusive: ",
        "insufficient": "Not enough to judge: ",
    }
    likely = diagnosis.likely
    if len(likely) == 1:
        return
    if likely:
        page.line(Text(f"{len(likely)} findings, the surest first:", style="bold"))
        for number, finding in enumerate(likely, 1):
            page.hanging(f"  {number}. ", Text(safe(_first_sentence(finding))))
        return
    sentence = safe(diagnosis.summary)
    label = labels[diagnosis.outcome]
    if label and sentence.lower().startswith(label.rstrip(": ").lower()):
        label = ""
    style = _OUTCOME_STYLE.get(diagnosis.outcome, "bold green")
    page.line(Text.assemble((label, style), (sentence, "bold")))


def _finding(page: _Page, finding: Finding, told: set[str]) -> None:
    """One likely finding; ``told`` holds the ids whose fix stands above already, at another place."""
    page.line(Text(safe(_first_sentence(finding)), style="bold"))
    page.line(_badge(finding))
    page.gap()
    page.pairs(_about(finding))
    page.heading("Evidence")
    _evidence(page, finding.evidence)
    if finding.id in told:
        page.heading("Fix: as above")
    else:
        for fix in finding.fix:
            _fix(page, fix)
    told.add(finding.id)
    _read_on(page, finding)
    page.line(Text(f"More: gopherdx explain {safe(finding.id)}", style="dim"))


def _read_on(page: _Page, finding: Finding) -> None:
    """Passages, each with its source below it, to be opened or copied."""
    if not finding.passages:
        return
    page.heading("Read on")
    for passage in finding.passages:
        page.hanging("  ", Text(safe(passage.title)))
        page.link(passage.source)


def _first_sentence(finding: Finding) -> str:
    """The summary, with the place said in front where the summary itself leaves it out."""
    place = finding.location
    if place is None or place.function in finding.summary:
        return finding.summary
    return f"{place.function}: {finding.summary}"


def _badge(finding: Finding) -> Text:
    """Id, certainty, severity and place in one line; the place breaks to the next line rather than within."""
    badge = Text.assemble(
        (f"{safe(finding.id)} {safe(finding.slug)}", "cyan"),
        f"  {finding.level}, confidence {_confidence(finding.confidence)}",
        "  severity ",
        (finding.severity, _SEVERITY_STYLE[finding.severity]),
    )
    if finding.location is not None:
        badge.append(f"\nat {safe(_place(finding.location))}")
    if finding.process is not None:
        badge.append(f"\nin the process of {safe(finding.process)}")
    return badge


def _confidence(value: float) -> str:
    """Two digits, and never a certainty that no evidence gives."""
    return "over 0.99" if value > 0.99 else f"{value:.2f}"


def _place(location: Location) -> str:
    if location.file is None:
        return location.function
    line = f":{location.line}" if location.line else ""
    return f"{location.function} ({location.file}{line})"


def _about(finding: Finding) -> list[tuple[str, str]]:
    rows = []
    if finding.impact is not None:
        rows.append(("Cost", finding.impact.text or quantity(finding.impact.value, finding.impact.unit)))
    rows.append(("Cause", finding.cause))
    rows.append(("Signature", finding.signature))
    if finding.gain is not None:
        gain = finding.gain
        share = _range(gain.low, gain.high, gain.unit)
        rows.append(("Gain", f"{share} expected from the fix ({gain.model})"))
    if finding.explains:
        rows.append(("Explains", ", ".join(finding.explains)))
    if finding.precision is not None:
        p = finding.precision
        right = f"right in {p.value * 100:.0f} % of {p.captures} captures of {p.programs} programs"
        rows.append(("Track record", f"{right} (at least {p.lower * 100:.0f} % with 95 % certainty)"))
    return [(name, text) for name, text in rows if text]


def _evidence(page: _Page, evidence: Sequence[Evidence], indent: int = 0) -> None:
    """Actual against expected, one row each; a source that all share is said once, below."""
    sources = {_source(item) for item in evidence}
    table = _evidence_table(evidence, page, with_source=len(sources) > 1)
    page.show(Padding(table, (0, 0, 0, indent), expand=False))
    if len(sources) == 1:
        page.hanging(" " * (indent + 3), Text(safe(f"read from {sources.pop()}"), style="dim"))


def _evidence_table(evidence: Sequence[Evidence], page: _Page, *, with_source: bool) -> Table:
    table = Table(box=None, show_header=True, header_style="dim" if page.color else "", pad_edge=False)
    table.add_column("", width=1)
    table.add_column("what", overflow="fold", max_width=page.width * (45 if with_source else 65) // 100)
    table.add_column("actual", justify="right", overflow="fold", min_width=_widest(evidence, actual))
    table.add_column("expected", overflow="fold", min_width=_widest(evidence, expected))
    if with_source:
        table.add_column("read from", overflow="fold", max_width=page.width * 30 // 100)
    for item in evidence:
        mark, style = ("+", "green") if item.supports else ("-", "red")
        cells = [
            Text(mark, style=style),
            Text(safe(item.text or item.name)),
            Text(safe(actual(item)), style="bold"),
            Text(safe(expected(item))),
            Text(safe(_source(item)), style="dim"),
        ]
        table.add_row(*cells[: len(table.columns)])
    return table


def _widest(evidence: Sequence[Evidence], show: Callable[[Evidence], str]) -> int:
    """Columns that values need so that a number stays with its unit; longer texts may be broken."""
    return min(18, max((len(safe(show(item))) for item in evidence), default=1))


def _source(item: Evidence) -> str:
    return f"{item.source.artifact}: {item.source.locator}" if item.source.locator else item.source.artifact


def _fix(page: _Page, fix: Fix) -> None:
    versions = _versions(fix.go)
    page.heading(f"Fix: {safe(fix.title)}{f'  ({versions})' if versions else ''}")
    for name, code in (("before", fix.before), ("after", fix.after)):
        if code.strip():
            page.line(Text(f"  {name}", style="dim"))
            page.code(code)
    if fix.safety:
        page.pairs([("Watch", fix.safety)])


def _range(low: float, high: float, unit: str) -> str:
    """``1.3 to 2 x``: a unit that both ends share is said once."""
    first, last = quantity(low, unit), quantity(high, unit)
    if first == last:
        return first
    number, _, unit_of_first = first.partition(" ")
    return f"{number if last.partition(' ')[2] == unit_of_first else first} to {last}"


def _versions(go: str) -> str:
    """A range of Go versions in words: ``>=1.18`` is ``Go 1.18 or later``; nothing where every Go will do."""
    match = re.fullmatch(r">= ?(1\.(\d+))", go)
    if match is None:
        return f"Go {safe(go)}" if go else ""
    return "" if match[2] == "0" else f"Go {match[1]} or later"


def _possible(page: _Page, findings: Sequence[Finding]) -> None:
    """What may be: one sentence, its certainty and the evidence; the fix waits until it is likely."""
    if not findings:
        return
    page.heading("Possible, not proven")
    for finding in findings:
        page.hanging("  ", Text(safe(_first_sentence(finding))))
        page.hanging("  ", _badge(finding))
        _evidence(page, finding.evidence, indent=2)
        if finding.passages:
            page.hanging(
                "  Read on: ", Text(safe(f"{finding.passages[0].title} ({finding.passages[0].source})"))
            )


def _ruled_out(page: _Page, ruled_out: Sequence[RuledOut]) -> None:
    if not ruled_out:
        return
    page.heading(f"Ruled out ({len(ruled_out)})")
    page.pairs([(f"{r.id} {r.slug}", f"{_refutation(r.evidence)}{_in(r.process)}") for r in ruled_out])


def _in(process: str | None) -> str:
    """Which of several processes it is that something was said of."""
    return "" if process is None else f", in {process}"


def _refutation(evidence: Sequence[Evidence]) -> str:
    if not evidence:
        return "nothing in this recording speaks for it"
    first = evidence[0]
    if first.name == EXPLAINED:
        return first.text
    return f"{first.text or first.name}: {_against(first)}"


def _against(item: Evidence) -> str:
    """The value that refuted, beside the one that the bug has."""
    found = "not seen" if item.actual is None else actual(item)
    if not item.supports and item.actual is not None:
        return found
    if not item.expected:
        return found
    if _is_as_expected(item):
        return f"{found} (as with the bug, but without what else it shows)"
    return f"{found} (the bug shows {expected(item)})"


def _is_as_expected(item: Evidence) -> bool:
    """Whether the value by itself is one that the bug has: it is missing since others of its rule are."""
    match = _COMPARISON.fullmatch(item.expected)
    if match is None or isinstance(item.actual, (str, bool)) or item.actual is None:
        return False
    return bool(_COMPARE[match[1]](item.actual, float(match[2])))


def _not_judged(page: _Page, not_judged: Sequence[NotJudged], told: frozenset[str]) -> None:
    """Archetypes that lack the same thing stand together: one command collects it for all.

    Commands that stand under "Next" already are not told again.
    """
    if not not_judged:
        return
    page.heading(f"Not judged ({len(not_judged)})")
    by_lack = sorted(not_judged, key=lambda n: (n.missing, n.collect, n.process or "", n.id))
    for (missing, collect, process), group in groupby(
        by_lack, key=lambda n: (n.missing, n.collect, n.process)
    ):
        names = ", ".join(f"{n.id} {n.slug}" for n in group)
        page.hanging("  ", Text(safe(f"{names}: {_lack(missing)}{_in(process)}")))
        if collect not in told:
            page.command(collect)


_KIND_NAMES = {
    "trace": "an execution trace",
    "cpu": "a CPU profile",
    "heap": "a heap profile",
    "allocs": "an allocs profile",
    "mutex": "a mutex profile",
    "block": "a block profile",
    "goroutine": "a goroutine profile",
    "goroutine-dump": "a goroutine dump",
    "gctrace": "a gctrace log",
    "metrics": "runtime metrics",
}


def _lack(missing: Sequence[str]) -> str:
    """What is missing, in words; each entry is one way out, and may need several artifacts together."""
    ways = (" and ".join(_KIND_NAMES.get(kind, kind) for kind in way.split(" and ")) for way in missing)
    return "needs " + (" or ".join(ways) or "an artifact that shows it")


def _not_applicable(page: _Page, diagnosis: Diagnosis) -> None:
    if diagnosis.not_applicable:
        page.heading(f"Not applicable ({len(diagnosis.not_applicable)})")
        page.pairs([(f"{n.id} {n.slug}", n.because) for n in diagnosis.not_applicable])


def _errors(page: _Page, diagnosis: Diagnosis) -> None:
    if diagnosis.errors:
        page.heading("Rules that failed (neither found nor ruled out)", style="bold red")
        for error in diagnosis.errors:
            where = f"{error.rule}:{error.line}" if error.line else error.rule
            page.hanging(f"  {safe(error.id)} ", Text(safe(f"{where}: {error.message}")))


def _next(page: _Page, steps: Sequence[Next]) -> None:
    if not steps:
        return
    page.heading("Next")
    for number, step in enumerate(steps, 1):
        tells = len(step.separates) > 1 and not all(name in step.text for name in step.separates)
        between = f" (tells {' from '.join(step.separates)})" if tells else ""
        page.hanging(f"  {number}. ", Text(safe(step.text + between)))
        if step.command:
            page.command(step.command, indent=5)


def _overview(page: _Page, overview: Overview) -> None:
    page.heading("Overview")
    lines = [line.rstrip() for line in overview.text.splitlines() if line.strip()]
    for line in lines or [", ".join(_facts(overview)) or "nothing that could be counted"]:
        page.hanging("  ", Text(safe(line)))
    for line in overview.incomplete:
        page.hanging("  Incomplete: ", Text(safe(line)), style="yellow")
    _places(page, overview)
    if overview.units:
        page.heading("Where the time of a unit of work goes")
        for head, text in units_told(overview.units):
            page.hanging(head, Text(safe(text)))


def _places(page: _Page, overview: Overview) -> None:
    """Where the time goes: a line for each of the largest places."""
    lines, idle = places.lines(overview), places.idle(overview)
    if not lines:
        if idle:
            page.heading(safe(places.heading(overview)))
            page.hanging("  ", Text(safe(idle)))
        return
    page.heading(safe(places.heading(overview)))
    what, amount = (
        max(len(c) for c in column) for column in ([i.what for i in lines], [i.amount for i in lines])
    )
    room = page.width - 2 - what - 2 - amount - 2 - 5 - 2
    for line in lines:
        head = f"  {line.what:<{what}}  {line.amount:>{amount}}  {line.share:>5}  "
        page.line(Text.assemble(head, (safe(line.where(room)), "bold")))


def _facts(overview: Overview) -> Iterable[str]:
    """What was recorded where the overview has no words for it, in the order in which one would ask."""
    values: tuple[tuple[float | int | None, str], ...] = (
        (overview.duration_s, "{} recorded"),
        (overview.gomaxprocs, "GOMAXPROCS {}"),
        (overview.cpus_used, "{} cores used"),
        (overview.goroutines_max, "at most {} goroutines"),
        (overview.goroutines_end, "{} at the end"),
        (overview.heap_max_bytes, "heap up to {}"),
        (overview.gc_cycles, "{} GC cycles"),
        (overview.cpu_samples, "{} CPU samples"),
        (overview.events, "{} events"),
        (overview.generations, "{} generations"),
    )
    units = {"{} recorded": "s", "heap up to {}": "bytes", "{} cores used": ""}
    if overview.go_version:
        yield overview.go_version
    for value, phrase in values:
        if value is not None:
            yield phrase.format(quantity(value, units.get(phrase, "count")))


def _inputs(page: _Page, diagnosis: Diagnosis) -> None:
    """What was read; files of one folder by their names, the folder once."""
    folders = {PurePath(item.path).parent for item in diagnosis.inputs}
    shared = folders.pop() if len(folders) == 1 and len(diagnosis.inputs) > 1 else None
    page.heading(f"Read in {safe(str(shared))}" if shared else "Read")
    for item in diagnosis.inputs:
        about = [item.kind, item.go_version or "", quantity(item.bytes, "bytes")]
        about += ["cut off"] if item.truncated else []
        name = PurePath(item.path).name if shared else item.path
        page.hanging("  ", Text(safe(f"{name}  ({', '.join(a for a in about if a)})")))
        for warning in item.warnings:
            page.hanging("    Warning: ", Text(safe(warning)), style="yellow")
    for warning in diagnosis.warnings:
        page.hanging("  Warning: ", Text(safe(warning)), style="yellow")


# Values -------------------------------------------------------------------------------------------------

_COMPARE = {
    "at least": operator.ge, "above": operator.gt, "over": operator.gt, "at most": operator.le,
    "below": operator.lt, "under": operator.lt, "exactly": operator.eq,
}  # fmt: skip
_COMPARISON = re.compile(rf"({'|'.join(_COMPARE)}) (-?\d[\d.]*(?:e[-+]?\d+)?)\b")


def actual(item: Evidence) -> str:
    """The value that was found, in a unit for people."""
    if item.actual is None:
        return "not seen"
    if isinstance(item.actual, bool):
        return "yes" if item.actual else "no"
    if isinstance(item.actual, str):
        return item.actual
    return quantity(item.actual, item.unit)


def expected(item: Evidence) -> str:
    """The value that the bug has, in the same unit as the actual one."""
    match = _COMPARISON.fullmatch(item.expected)
    if match is None:
        return {"True": "yes", "true": "yes", "False": "no", "false": "no"}.get(item.expected, item.expected)
    unit = "share" if item.unit.startswith("share of ") else item.unit  # the actual value says of what
    return f"{match[1]} {quantity(float(match[2]), unit)}"


# The page -----------------------------------------------------------------------------------------------


class _Page:
    """Lines of a report, laid out by rich and free of everything that its surroundings could change."""

    def __init__(self, width: int, color: bool) -> None:
        self.width = width
        self.color = color
        self._out = io.StringIO()
        self._console = Console(
            file=self._out,
            width=width,
            force_terminal=color,
            color_system="standard" if color else None,
            no_color=not color,
            markup=False,
            emoji=False,
            highlight=False,
            legacy_windows=False,
            soft_wrap=False,
            _environ={},
        )

    def line(self, text: Text) -> None:
        text.overflow = "fold"
        self._console.print(text)

    def gap(self) -> None:
        self._console.print()

    def show(self, renderable: RenderableType) -> None:
        self._console.print(renderable)

    def heading(self, text: str, style: str = "bold") -> None:
        self.gap()
        self.line(Text(text, style=style))

    def rule(self, text: str) -> None:
        self.gap()
        self.line(Text(f"---- {text} ".ljust(self.width, "-"), style="dim"))

    def hanging(self, head: str, text: Text, style: str = "") -> None:
        """A paragraph that begins with ``head`` and goes on under its first word."""
        grid = Table.grid(expand=False)
        grid.add_column(width=len(head), no_wrap=True)
        grid.add_column(overflow="fold")
        grid.add_row(Text(head, style=style), text)
        self._console.print(grid)

    def pairs(self, rows: Sequence[tuple[str, str]]) -> None:
        """Names and what is to be said of them, in two columns."""
        if not rows:
            return
        grid = Table.grid(padding=(0, 2, 0, 0), pad_edge=False)
        longest = max(len(safe(name)) for name, _ in rows)
        grid.add_column(width=2 + min(longest, self.width // 2), overflow="fold")
        grid.add_column(overflow="fold")
        for name, text in rows:
            grid.add_row(Padding(Text(safe(name), style="cyan"), (0, 0, 0, 2)), Text(safe(text)))
        self._console.print(grid)

    def command(self, text: str, indent: int = 4) -> None:
        """A command to copy: never wrapped, so that it can be."""
        self._console.print(Text(" " * indent + "$ " + safe(text), style="green"), soft_wrap=True)

    def link(self, address: str) -> None:
        """An address, never broken, so that it can be copied."""
        self._console.print(Text("    " + safe(address), style="dim"), soft_wrap=True)

    def code(self, source: str) -> None:
        lines = [safe(line.replace("\t", "    ")) for line in source.strip("\n").split("\n")]
        text = "\n".join(lines)
        if self.color:
            from rich.syntax import Syntax  # brings pygments along: only where it colours something

            shown: RenderableType = Syntax(
                text, "go", theme="ansi_dark", background_color="default", word_wrap=False
            )
            self._console.print(Padding(shown, (0, 0, 0, 4)))
            return
        for line in lines:
            self._console.print(Text(f"    {line}".rstrip()), soft_wrap=True)

    def text(self) -> str:
        """The page, without the blanks that tables leave at the ends of lines."""
        lines = [line.rstrip() for line in self._out.getvalue().split("\n")]
        return "\n".join(lines).strip("\n") + "\n"
