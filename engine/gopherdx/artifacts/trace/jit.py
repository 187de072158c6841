"""numba, with a cache on disk where one can be kept and without where not.

numba looks for a folder that it may write (NUMBA_CACHE_DIR, the package's own ``__pycache__``, the user's
cache folder) when a function is decorated, and refuses to decorate when there is none. A shared folder such
as /tmp is no way out: the cache is pickle, and whoever may write it may run code.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba

F = TypeVar("F", bound=Callable[..., Any])


def jit(function: F) -> F:
    """Compile at the first call; keep the machine code where a folder can be written.

    Kernels allocate nothing, so they do without numba's reference counts: passing an array to a helper
    would cost two atomic operations.
    """
    return _compile(function, {"nogil": True, "_nrt": False})


def inline(function: F) -> F:
    """As ``jit``, for helpers on the hot path: a call with a dozen arrays costs more than what it does."""
    return _compile(function, {"nogil": True, "_nrt": False, "forceinline": True})


def _compile(function: F, options: dict[str, Any]) -> F:
    try:
        return numba.njit(cache=True, **options)(function)  # type: ignore[no-any-return]
    except (RuntimeError, OSError):
        return numba.njit(cache=False, **options)(function)  # type: ignore[no-any-return]


def is_cached(function: Any) -> bool:
    """Whether a compiled form of this kernel lies on disk (or is in memory already)."""
    if function.signatures:
        return True
    try:
        index = function._cache._cache_file._load_index()
    except Exception:
        return False
    return bool(index)
