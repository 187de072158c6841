"""Compiling kernels with numba. Imported only where their machine code is not in the cache (jit.py)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FunctionType
from typing import Any

import numba
from numba import types
from numba.core.compiler_lock import global_compiler_lock
from numba.np import arrayobj

from gopherdx.artifacts.trace.jit import DTYPES, Kernel, kernels_of

# Kernels allocate nothing, so they do without numba's reference counts: passing an array to a helper would
# cost two atomic operations. They divide by constants only; the numpy model leaves out the test for zero.
_OPTIONS: dict[str, Any] = {"nogil": True, "_nrt": False, "error_model": "numpy"}
_BARE: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def objects(module: Any) -> dict[str, tuple[str, bytes]]:
    """Compile every kernel of a module: name of the kernel to (symbol, object code)."""
    out = {}
    for name, compiled in _compiled(module, _BARE).items():
        result = next(iter(compiled.overloads.values()))
        symbol = result.fndesc.llvm_func_name
        result.library.get_pointer_to_function(symbol)  # numba makes object code when it is first asked
        out[name] = (symbol, bytes(result.library._get_compiled_object()))
    return out


def checked(module: Any) -> dict[str, Callable[..., Any]]:
    """The kernels as numba's own functions: with NUMBA_BOUNDSCHECK=1 a bad index raises IndexError."""
    return _compiled(module, {})


def _compiled(module: Any, extra: dict[str, Any]) -> dict[str, Any]:
    """numba's dispatchers of a module's kernels, whose helpers are dispatchers too."""
    with _indices_from_the_front():
        return _dispatchers(module, extra)


@contextmanager
def _indices_from_the_front() -> Iterator[None]:
    """Compile ``array[i]`` without Python's "a negative i counts from the end".

    No kernel wants that, and asking it at every access is a tenth of their instructions. With
    NUMBA_BOUNDSCHECK=1 a negative index is an IndexError then, so tests show that there is none. Nobody else
    compiles meanwhile: the lock is numba's own. A numba without that function compiles as usual.
    """

    def plain(context: Any, builder: Any, kind: Any, index: Any, _size: Any) -> Any:
        return context.cast(builder, index, kind, types.intp)

    usual = getattr(arrayobj, "fix_integer_index", None)
    if usual is None:
        yield
        return
    with global_compiler_lock:
        arrayobj.fix_integer_index = plain
        try:
            yield
        finally:
            arrayobj.fix_integer_index = usual


def _dispatchers(module: Any, extra: dict[str, Any]) -> dict[str, Any]:
    names = dict(vars(module))
    for name, value in vars(module).items():
        how = getattr(value, "_gdx_helper", None)
        if how and isinstance(value, FunctionType):
            options = _OPTIONS | ({"forceinline": True} if how == "inline" else {})
            names[name] = numba.njit(**options, **extra)(_rebound(value, names))
    out = {}
    for name, one in kernels_of(module).items():
        function = _rebound(one.function, names)
        out[name] = numba.njit(_signature(one), **_OPTIONS, **extra)(function)
    return out


def _rebound(function: Callable[..., Any], names: dict[str, Any]) -> FunctionType:
    """The same function, looking its globals up in ``names``."""
    assert isinstance(function, FunctionType)
    return FunctionType(function.__code__, names, function.__name__, function.__defaults__)


def _signature(one: Kernel) -> tuple[Any, ...]:
    scalars = {"i": types.int64, "d": types.float64}
    return tuple(
        scalars[letter]
        if letter in scalars
        else types.Array(numba.from_dtype(DTYPES[letter][0]), DTYPES[letter][1], "C")
        for letter in one.arguments
    )
