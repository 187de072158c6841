"""Vectors that are kept: in the package for the corpus that comes along, in the user's cache for the rest.

One mechanism for both encoders and all folders: a vector is kept under the id of its encoder's weights and a
hash of its text, so that neither a new model nor a changed text is ever answered from an old vector.
"""

from __future__ import annotations

import contextlib
import importlib.resources
import io
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from gopherdx.retrieve.encode import Encoder, Vectors
from gopherdx.retrieve.passages import BUILTIN, Passage

SHIPPED: Final = "vectors.npz"
_CACHE_DIR: Final = "GOPHERDX_CACHE_DIR"


def vectors_of(passages: Sequence[Passage], encoder: Encoder) -> Vectors:
    """len(passages) x dimensions: kept vectors where there are any, the rest computed and kept."""
    known = _shipped(encoder) | _kept(encoder)
    new = [p for p in passages if p.key not in known]
    if new:
        made = dict(zip((p.key for p in new), encoder.encode([p.whole for p in new]), strict=True))
        known |= made
        _keep(encoder, {p.key: known[p.key] for p in passages if p.corpus != BUILTIN or p.key in made})
    if not passages:
        return np.zeros((0, encoder.dimensions), np.float32)
    return np.stack([known[p.key] for p in passages]).astype(np.float32)


def pack(passages: Sequence[Passage], encoder: Encoder) -> bytes:
    """The file of shipped vectors: the encoder's id, the passages' keys, and their vectors as fp16."""
    out = io.BytesIO()
    vectors = encoder.encode([p.whole for p in passages])
    np.savez_compressed(
        out,
        encoder=np.array(encoder.id),
        keys=np.array([p.key for p in passages]),
        vectors=vectors.astype(np.float16),
    )
    return out.getvalue()


def _shipped(encoder: Encoder) -> dict[str, Vectors]:
    file = importlib.resources.files("gopherdx.retrieve") / "static" / SHIPPED
    return _unpack(file.read_bytes(), encoder) if file.is_file() else {}


def _unpack(data: bytes, encoder: Encoder) -> dict[str, Vectors]:
    with np.load(io.BytesIO(data), allow_pickle=False) as kept:
        if str(kept["encoder"]) != encoder.id:
            return {}
        vectors = kept["vectors"].astype(np.float32)
        return dict(zip(kept["keys"].tolist(), vectors, strict=True))


def _cache(encoder: Encoder) -> Path:
    named = os.environ.get(_CACHE_DIR)
    home = (
        Path(named)
        if named
        else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gopherdx"
    )
    return home / "vectors" / f"{encoder.id}.npz"


def _kept(encoder: Encoder) -> dict[str, Vectors]:
    """What the user's cache holds; nothing where it cannot be read or is not the user's own."""
    try:
        path = _cache(encoder)
        if os.name == "posix" and path.stat().st_uid != os.geteuid():
            return {}
        return _unpack(path.read_bytes(), encoder)
    except (OSError, ValueError, KeyError, RuntimeError):
        return {}


def _keep(encoder: Encoder, vectors: dict[str, Vectors]) -> None:
    """Add to the user's cache; where that cannot be written, the next process computes them again."""
    if not vectors:
        return
    merged = _kept(encoder) | vectors
    with contextlib.suppress(OSError, RuntimeError):
        path = _cache(encoder)
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".npz", delete=False) as file:
            np.savez_compressed(
                file,
                encoder=np.array(encoder.id),
                keys=np.array(list(merged)),
                vectors=np.stack(list(merged.values())).astype(np.float16),
            )
        Path(file.name).replace(path)
