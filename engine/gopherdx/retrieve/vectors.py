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
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gopherdx.retrieve.encode import Encoder, Vectors
from gopherdx.retrieve.passages import BUILTIN, Passage, builtin

SHIPPED: Final = "vectors.npz"
_CACHE_DIR: Final = "GOPHERDX_CACHE_DIR"


def vectors_of(passages: Sequence[Passage], encoder: Encoder) -> Vectors:
    """len(passages) x dimensions: kept vectors where there are any, the rest computed and kept."""
    known = _shipped(encoder)
    if any(p.key not in known for p in passages):
        known |= _kept(encoder)
    new = [p for p in passages if p.key not in known]
    if new:
        vectors = as_kept(encoder.encode([p.whole for p in new]))
        made = dict(zip((p.key for p in new), vectors, strict=True))
        known |= made
        _keep(encoder, {p.key: known[p.key] for p in passages if p.corpus != BUILTIN or p.key in made})
    if not passages:
        return np.zeros((0, encoder.dimensions), np.float32)
    return np.stack([known[p.key] for p in passages]).astype(np.float32)


def common_of(encoder: Encoder) -> Vectors:
    """What all reports in the shipped corpus have in common: their mean; zeros for another encoder.

    Without it texts are told apart by what they are about, not by all being about slow programs.
    """
    known = _shipped_for(encoder.id)
    vectors = [known[p.key] for p in builtin().passages if p.kind == "case" and p.key in known]
    if not vectors:
        return np.zeros(encoder.dimensions, np.float32)
    return np.asarray(np.stack(vectors).mean(axis=0), np.float32)


def apart(vectors: Vectors, common: Vectors) -> Vectors:
    """Unit vectors without what is common to all; a zero vector stays one."""
    there = vectors.any(axis=1, keepdims=True)
    rest = (vectors - common) * there
    lengths = np.linalg.norm(rest, axis=1, keepdims=True)
    return np.asarray(np.divide(rest, lengths, out=np.zeros_like(rest), where=lengths > 0), np.float32)


def as_kept(values: NDArray[Any]) -> Vectors:
    """Numbers as a file keeps them (fp16): what is made and what is read later give the same answer."""
    return values.astype(np.float16).astype(np.float32)


def pack(passages: Sequence[Passage], encoder: Encoder) -> bytes:
    """The file of shipped vectors: the encoder's id, the passages' keys, and their vectors as fp16."""
    once = {p.key: p.whole for p in passages}
    vectors = encoder.encode(list(once.values()))
    return _packed(encoder, dict(zip(once, vectors, strict=True)))


def _shipped(encoder: Encoder) -> dict[str, Vectors]:
    return dict(_shipped_for(encoder.id))


@cache
def _shipped_for(encoder_id: str) -> dict[str, Vectors]:
    file = importlib.resources.files("gopherdx.retrieve") / "static" / SHIPPED
    return _unpack(file.read_bytes(), encoder_id) if file.is_file() else {}


def _unpack(data: bytes, encoder_id: str) -> dict[str, Vectors]:
    with np.load(io.BytesIO(data), allow_pickle=False) as kept:
        if str(kept["encoder"]) != encoder_id:
            return {}
        vectors = kept["vectors"].astype(np.float32)
        return dict(zip(kept["keys"].tolist(), vectors, strict=True))


def cache_folder() -> Path:
    """Where the user's own vectors are kept."""
    named = os.environ.get(_CACHE_DIR)
    home = (
        Path(named)
        if named
        else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gopherdx"
    )
    return home / "vectors"


def _cache(encoder: Encoder) -> Path:
    return cache_folder() / f"{encoder.id}.npz"


def _kept(encoder: Encoder) -> dict[str, Vectors]:
    """What the user's cache holds; nothing where it cannot be read or is not the user's own."""
    try:
        path = _cache(encoder)
        if os.name == "posix" and path.stat().st_uid != os.geteuid():
            return {}
        return _unpack(path.read_bytes(), encoder.id)
    except (OSError, ValueError, KeyError, RuntimeError):
        return {}


def _keep(encoder: Encoder, vectors: dict[str, Vectors]) -> None:
    """Add to the user's cache; where that cannot be written, the next process computes them again."""
    if not vectors:
        return
    merged = _kept(encoder) | vectors
    keep(_cache(encoder), _packed(encoder, merged))


def _packed(encoder: Encoder, vectors: dict[str, Vectors]) -> bytes:
    out = io.BytesIO()
    np.savez_compressed(
        out,
        encoder=np.array(encoder.id),
        keys=np.array(list(vectors)),
        vectors=np.stack(list(vectors.values())).astype(np.float16),
    )
    return out.getvalue()


def keep(path: Path, data: bytes) -> None:
    """Write a file of the user's cache as a whole; where that cannot be, it is made again next time."""
    with contextlib.suppress(OSError, RuntimeError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".npz", delete=False) as file:
            file.write(data)
        Path(file.name).replace(path)
