"""How fast one exact query over a million vectors is, and what they take in memory.

    python bench/vectors.py [--count N] [--queries N]

Random unit vectors of the static encoder's dimension, from a seed, in the index that retrieval uses: fp16 in
faiss from `FP16_FROM` on. The answers of some queries are compared with an exact search over the same vectors
in float32. Times are those of one query after another: by the clock, where what else runs on the machine
counts, and of CPU, over all threads. Ends with 1 where a goal is missed.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gopherdx.retrieve import encoder
from gopherdx.retrieve.index import VectorIndex

SEED = 7
BLOCK = 50_000
NEAREST = 10
CHECKED = 20

QUERY_GOAL_MS = 25.0
RECALL_GOAL = 0.99

Vectors = NDArray[np.float32]


def block(number: int, rows: int, dimensions: int) -> Vectors:
    """One block of the vectors, always the same: they are never all there in float32."""
    made = np.random.default_rng((SEED, number)).standard_normal((rows, dimensions), np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def build(count: int, dimensions: int) -> VectorIndex:
    """The index over all blocks."""
    sizes = [min(BLOCK, count - begin) for begin in range(0, count, BLOCK)]
    return VectorIndex.of(count, dimensions, (block(n, size, dimensions) for n, size in enumerate(sizes)))


def exact(count: int, queries: Vectors) -> NDArray[np.int64]:
    """The nearest rows of each query, in float32, block by block."""
    rows = np.zeros((len(queries), 0), np.int64)
    scores = np.zeros((len(queries), 0), np.float32)
    for number, begin in enumerate(range(0, count, BLOCK)):
        part = block(number, min(BLOCK, count - begin), queries.shape[1])
        found = queries @ part.T
        best = np.argpartition(-found, NEAREST, axis=1)[:, :NEAREST]
        rows = np.hstack([rows, best + begin])
        scores = np.hstack([scores, np.take_along_axis(found, best, axis=1)])
    order = np.argsort(-scores, axis=1)[:, :NEAREST]
    return np.take_along_axis(rows, order, axis=1)


def resident_mb() -> float:
    """Memory of this process, in MB."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


def main() -> int:
    """Build, query, compare, and say what was reached."""
    parser = argparse.ArgumentParser(description="one exact query over many vectors")
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=100)
    args = parser.parse_args()
    dimensions = encoder().dimensions
    before = resident_mb()
    begin = time.perf_counter()
    index = build(args.count, dimensions)
    built_s, held_mb = time.perf_counter() - begin, resident_mb() - before
    queries = block(1_000_000, args.queries, dimensions)
    index.nearest(queries[0], NEAREST)
    took, worked, found = [], [], []
    for query in queries:
        begin, cpu = time.perf_counter(), time.process_time()
        found.append(index.nearest(query, NEAREST)[0])
        took.append((time.perf_counter() - begin) * 1e3)
        worked.append((time.process_time() - cpu) * 1e3)
    right = exact(args.count, queries[:CHECKED])
    recall = float(np.mean([len(set(a) & set(b)) / NEAREST for a, b in zip(right, found, strict=False)]))
    print(f"{args.count} vectors of {dimensions} dimensions: built in {built_s:.1f} s, {held_mb:.0f} MB")
    reached = [
        ("one exact query, ms (median)", statistics.median(took), QUERY_GOAL_MS, False),
        ("recall of the nearest ten", recall, RECALL_GOAL, True),
    ]
    print(
        f"by the clock: fastest {min(took):.1f} ms; CPU: fastest {min(worked):.1f} ms, "
        f"median {statistics.median(worked):.1f} ms"
    )
    for name, value, goal, above in reached:
        met = value >= goal if above else value < goal
        print(
            f"{name:34}{value:9.2f}  {'at least' if above else 'below'} {goal:g} {'met' if met else 'MISSED'}"
        )
    return 0 if recall >= RECALL_GOAL and statistics.median(took) < QUERY_GOAL_MS else 1


if __name__ == "__main__":
    sys.exit(main())
