"""Calling kernels: what is passed is looked at, once where it is the same again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gopherdx.artifacts.trace import kernels as k


def table(size: int) -> tuple[Any, Any]:
    return np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)


def test_in_turn_sees_that_an_array_is_another_one() -> None:
    put = k.put.in_turn()
    keys, vals = table(16)
    put(keys, vals, 3, 30)
    put(keys, vals, 4, 40)
    larger, more = table(64)
    k.rehash(keys, vals, larger, more)
    put(larger, more, 5, 50)
    assert sorted(more[larger != 0].tolist()) == [30, 40, 50]
    assert sorted(vals[keys != 0].tolist()) == [30, 40]


@pytest.mark.parametrize("how", [k.put, k.put.in_turn()])
def test_an_array_of_another_type_is_refused(how: Any) -> None:
    keys, vals = table(16)
    for wrong in (keys.astype(np.int32), keys.reshape(4, 4), keys[::2]):
        with pytest.raises(TypeError, match="put takes an array of int64"):
            how(wrong, vals, 1, 1)
    with pytest.raises(TypeError, match="takes 4 arguments"):
        how(keys, vals, 1)
