"""Puts recordings of real software into tests/captures, as selection.yaml lists them: entries with `service`.

    services.py select [--capture C]…

They hold what the software gave up, and less than the lab's own: no runtime/metrics, for one. Log lines
between the gctrace lines are left out, for they tell of the machine.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from gopherdx.artifacts.trace import read_trace
from tests.lab.lab import SELECTED, pack, write_labels
from tests.lab.labels import LAB, LabError
from tests.lab.recording import told_of

ROLE = "foreign"


def select(recordings: Path, only: Sequence[str]) -> None:
    """Pack what selection.yaml lists, or ``only`` these of it, with their labels. Raises LabError."""
    plan = yaml.safe_load((LAB / "selection.yaml").read_text(encoding="utf-8"))
    labels = yaml.safe_load((SELECTED / "labels.yaml").read_text(encoding="utf-8"))
    for name, entry in plan.items():
        if "service" not in entry or (only and name not in only):
            continue
        folder = recordings / entry["service"] / entry["variant"]
        told = told_of(folder)
        if told is None:
            raise LabError(f"{name}: {entry['service']} {entry['variant']} is not recorded")
        trace = f"trace-{entry.get('trace', 'cpu')}.out"
        with tempfile.TemporaryDirectory(prefix="gopherdx-lab-") as temporary:
            chosen = Path(temporary) / "chosen"
            _choose(folder, trace, chosen)
            pack(chosen, SELECTED / name)
        labels[name] = _label(entry, told, folder / trace)
        print(f"{name}: {entry['service']} {entry['variant']}", flush=True)
    write_labels(plan, labels)


def _choose(folder: Path, trace: str, chosen: Path) -> None:
    """One trace, with the CPU profile of its seconds if there is one, and all other artifacts."""
    chosen.mkdir()
    for file in folder.iterdir():
        if file.suffix == ".out" and file.name != trace:
            continue
        if file.name == "cpu.pprof" and trace != "trace-cpu.out":
            continue
        if file.name == "gctrace.log":
            lines = file.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
            kept = "".join(line for line in lines if line.startswith("gc "))
            if kept:
                (chosen / file.name).write_text(kept, encoding="utf-8")
            continue
        shutil.copy(file, chosen)


def _label(entry: Mapping[str, Any], told: Mapping[str, Any], trace: Path) -> dict[str, Any]:
    read = read_trace(trace) if trace.exists() else None
    return {
        "program": entry["service"],
        "role": ROLE,
        "family": entry["service"],
        "archetypes": [],
        "near": [],
        "arguable": [],
        "go": told["go"],
        "gomaxprocs": read.gomaxprocs if read else None,
        "with_cpu": trace.name == "trace-cpu.out",
        "seconds": round(read.duration_ns / 1e9, 1) if read else None,
        "load": {"LOAD": told["load"]} if "load" in told else {},
        "figure": None,
    }
