"""The statistics of docs/accuracy.md: intervals, a bootstrap over families, and weights to compare with."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from tests.lab.fit import Piece, Row, log_loss

Z95 = 1.959963984540054
RIDGES = (1e-2, 1e-3, 1e-4)


def wilson(right: float, n: float, z: float = Z95) -> tuple[float, float]:
    """The Wilson score interval of a share (Wilson 1927), 95 % unless told; (0, 1) of nothing.

    ``right`` may be a sum of shares: of each of ``n`` families, how much of it was right.
    """
    if n <= 0:
        return 0.0, 1.0
    p = right / n
    middle = p + z * z / (2 * n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def mean_by_family(values: Sequence[tuple[str, float]]) -> tuple[float, int]:
    """The mean of the families' means, and how many families there are."""
    of: dict[str, list[float]] = {}
    for family, value in values:
        of.setdefault(family, []).append(value)
    means = [math.fsum(v) / len(v) for v in of.values()]
    return (math.fsum(means) / len(means) if means else 0.0), len(means)


def bootstrap(
    by_family: Mapping[str, NDArray[np.float64]],
    statistic: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    *,
    rounds: int = 2000,
    seed: int = 1,
) -> NDArray[np.float64]:
    """The 2.5th and 97.5th percentile of a statistic, families drawn with replacement; shape (2, …).

    ``by_family`` holds sums of each family, all of one shape; ``statistic`` takes the sum of those drawn.
    Reproducible: the draw depends on the seed and the number of families alone.
    """
    sums = np.stack([by_family[f] for f in sorted(by_family)])
    draw = np.random.default_rng(seed).integers(0, len(sums), (rounds, len(sums)))
    told = np.stack([statistic(sums[chosen].sum(axis=0)) for chosen in draw])
    return cast("NDArray[np.float64]", np.nanpercentile(told, [2.5, 97.5], axis=0))


# What to compare with ---------------------------------------------------------------------------------


def loss_of_constant(rows: Sequence[Row]) -> float:
    """Log loss where every archetype is believed as often as it was true in the other families."""
    family, families, bug, weight = _arrays(rows)
    believed = np.zeros(len(rows))
    for i in range(len(families)):
        others = family != i
        believed[~others] = (bug[others] * weight[others]).sum() / weight[others].sum()
    return log_loss(believed, bug, weight)


def loss_of_weight_each(rows: Sequence[Row]) -> float:
    """Log loss of one weight for each piece of evidence, fitted (logistic regression for each archetype).

    A piece counts +1 seen, -1 absent, 0 where it could not be seen. Weights are those of least log loss over
    the other families with a ridge; of several ridges, the one counts that did best in the end, which nobody
    could have known before: what is compared with it is to be better than its best.
    """
    return min(_loss_of_weight_each(rows, ridge) for ridge in RIDGES)


def _loss_of_weight_each(rows: Sequence[Row], ridge: float) -> float:
    family, families, bug, weight = _arrays(rows)
    believed = np.zeros(len(rows))
    archetypes = sorted({row.archetype for row in rows})
    for archetype in archetypes:
        mine = np.array([i for i, row in enumerate(rows) if row.archetype == archetype])
        pieces = sorted({(archetype, n) for i in mine for n in rows[i].seen | rows[i].absent})
        x = _design([rows[i] for i in mine], pieces)
        y, w, of = bug[mine].astype(float), weight[mine], family[mine]
        for i in range(len(families)):
            test = of == i
            if test.any():
                b = _logistic(x[~test], y[~test], w[~test], ridge)
                believed[mine[test]] = 1 / (1 + np.exp(-np.clip(x[test] @ b, -50, 50)))
    return log_loss(believed, bug, weight)


def _arrays(
    rows: Sequence[Row],
) -> tuple[NDArray[np.int64], list[str], NDArray[np.bool_], NDArray[np.float64]]:
    families = sorted({row.family for row in rows})
    family = np.array([families.index(row.family) for row in rows], np.int64)
    sizes = np.bincount(family)
    return family, families, np.array([row.bug for row in rows], np.bool_), 1.0 / sizes[family]


def _design(rows: Sequence[Row], pieces: Sequence[Piece]) -> NDArray[np.float64]:
    x = np.zeros((len(rows), len(pieces) + 1))
    x[:, -1] = 1
    column = {name: i for i, (_, name) in enumerate(pieces)}
    for i, row in enumerate(rows):
        for name in row.seen:
            x[i, column[name]] = 1
        for name in row.absent:
            x[i, column[name]] = -1
    return x


def _logistic(
    x: NDArray[np.float64], y: NDArray[np.float64], weight: NDArray[np.float64], ridge: float
) -> NDArray[np.float64]:
    """Weights of least log loss by Newton's method, steps halved until the loss falls."""
    weight = weight / weight.sum()
    b = np.zeros(x.shape[1])

    def loss(b: NDArray[np.float64]) -> float:
        z = np.clip(x @ b, -50, 50)
        return float((weight * (np.logaddexp(0, z) - y * z)).sum() + ridge / 2 * b @ b)

    at = loss(b)
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(x @ b, -50, 50)))
        gradient = x.T @ (weight * (p - y)) + ridge * b
        hessian = (x.T * (weight * p * (1 - p))) @ x + ridge * np.eye(len(b))
        step = np.linalg.solve(hessian, gradient)
        size = 1.0
        while size > 1e-6 and loss(b - size * step) > at:
            size /= 2
        b = b - size * step
        now = loss(b)
        if at - now < 1e-9:
            break
        at = now
    return b
