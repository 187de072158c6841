"""Numbers with their units, as people write them."""

from __future__ import annotations


def quantity(value: float, unit: str) -> str:
    """A number with its unit, three digits, as people write it: ``12.5 ms``, ``87 %``, ``1.2 GiB``."""
    if unit == "share" or unit.startswith("share of "):
        return f"{_digits(float(f'{value * 100:.3g}'))} %{unit.removeprefix('share')}"
    if unit in ("s", "ms", "us", "ns"):
        return _duration(value * {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}[unit])
    if unit in ("bytes", "B") or unit.startswith(("bytes ", "bytes/")):
        return _size(value) + unit.removeprefix("bytes").removeprefix("B")
    if unit in ("", "count", "1"):
        return _digits(value)
    if unit.startswith("1/"):
        return f"{_digits(value)} per {unit.removeprefix('1/')}"
    return f"{_digits(value)} {unit}"


def _digits(value: float) -> str:
    """Three digits that count, whole numbers whole, thousands grouped."""
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= 1e-4 else f"{value:.1e}"


def _duration(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if abs(seconds) >= size:
            return f"{_digits(float(f'{seconds / size:.3g}'))} {unit}"
    return f"{_digits(float(f'{seconds / 1e-9:.3g}'))} ns"


def _size(value: float) -> str:
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if abs(value) < 1024 or unit == "GiB":
            break
        value /= 1024
    return f"{_digits(float(f'{value:.3g}'))} {unit}"
