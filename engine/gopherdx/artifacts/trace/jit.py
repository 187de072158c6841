"""Machine code for the kernels: compiled once by numba, kept as an object file, loaded without numba.

numba compiles well, but importing it and having it load its own cache costs two thirds of a second in every
process. So a kernel declares its types, numba compiles it at the first run (build.py), and the object code is
kept in the user's own cache folder; later runs load it with llvmlite alone and call it through ctypes, which
also releases the interpreter lock. Where no folder can be written, kernels are compiled in memory.

The cache is machine code: it is read only from a folder and file that belong to this user and that nobody
else may write, under a key made from the kernels' source, the versions of the compilers and the processor.

Calling convention: numba's (``numba/core/callconv.py``, CPUCallConv): status = f(result*, excinfo**, args…),
an array being (meminfo, parent, items, item size, data, shape…, strides…).
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import json
import os
import stat
import sys
import threading
from collections.abc import Callable, Mapping
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np

F = TypeVar("F", bound=Callable[..., Any])

# Types of arguments, one letter each: arrays are C-contiguous.
DTYPES: dict[str, tuple[np.dtype[Any], int]] = {
    "B": (np.dtype(np.uint8), 1),
    "l": (np.dtype(np.int32), 1),
    "L": (np.dtype(np.int32), 2),
    "q": (np.dtype(np.int64), 1),
    "Q": (np.dtype(np.int64), 2),
}
SCALARS = {"i": ctypes.c_int64, "d": ctypes.c_double}

State = Literal["cached", "loaded", "missing"]

_LOADING = threading.RLock()  # two threads would compile twice
_MAGIC = b"gopherdx kernels 1\n"
_HELPERS = "_gdx_helper"


def helper(function: F) -> F:
    """A function that kernels call and that is compiled with each of them."""
    setattr(function, _HELPERS, "jit")
    return function


def inline(function: F) -> F:
    """As ``helper``, on the hot path: a call with a dozen arrays would cost more than what it does."""
    setattr(function, _HELPERS, "inline")
    return function


def kernel(arguments: str, results: int) -> Callable[[Callable[..., Any]], Kernel]:
    """A kernel with arguments of these types (letters of DTYPES and SCALARS) and so many int64 results."""
    return lambda function: Kernel(function, arguments.replace(" ", ""), results)


class Kernel:
    """A compiled function. Called with arrays of exactly the declared types; TypeError for any other."""

    def __init__(self, function: Callable[..., Any], arguments: str, results: int) -> None:
        self.function = function
        self.arguments = arguments
        self.results = results
        self._native: Callable[..., Any] | None = None
        functools.update_wrapper(self, function)

    def __call__(self, *args: Any) -> Any:
        return self._ready()(*args)

    def _ready(self) -> Callable[..., Any]:
        native = self._native
        if native is None:
            native = self._native = _load(sys.modules[self.function.__module__], self)
        return native

    def in_turn(self) -> Callable[..., Any]:
        """This kernel for many calls with mostly the same arrays, of which only others are looked at anew.

        It keeps the arrays of its last call.
        """
        seen: list[tuple[Any, tuple[Any, ...]]] = [(None, ())] * len(self.arguments)

        def call(*args: Any) -> Any:
            native = self._ready()
            return native(*args, seen=seen) if hasattr(native, "keep") else native(*args)

        return call

    def bind(self, address: int, keep: object) -> Callable[..., Any]:
        """A Python function that calls the machine code at ``address``. ``keep`` keeps that alive."""
        types: list[Any] = [ctypes.c_void_p, ctypes.c_void_p]
        for letter in self.arguments:
            if letter in SCALARS:
                types.append(SCALARS[letter])
            else:
                fields = 5 + 2 * DTYPES[letter][1]
                types += [ctypes.c_void_p] * 2 + [ctypes.c_int64] * 2 + [ctypes.c_void_p]
                types += [ctypes.c_int64] * (fields - 5)
        code = ctypes.CFUNCTYPE(ctypes.c_int32, *types)(address)
        letters, results, name = self.arguments, self.results, self.function.__name__
        room = ctypes.c_int64 * max(1, results)

        def call(*args: Any, seen: list[tuple[Any, tuple[Any, ...]]] | None = None) -> Any:
            flat: list[Any] = []
            if len(args) != len(letters):
                raise TypeError(f"{name} takes {len(letters)} arguments, not {len(args)}")
            for i, (letter, value) in enumerate(zip(letters, args, strict=True)):
                if letter in SCALARS:
                    flat.append(float(value) if letter == "d" else int(value))
                elif seen is None:
                    flat += _fields(name, letter, value)
                else:
                    if seen[i][0] is not value:
                        seen[i] = (value, _fields(name, letter, value))
                    flat += seen[i][1]
            out, error = room(), ctypes.c_void_p()
            status = code(ctypes.addressof(out), ctypes.addressof(error), *flat)
            if status > 0:
                raise RuntimeError(f"kernel {name} failed with status {status}")
            if results == 0:
                return None
            return out[0] if results == 1 else tuple(out)

        call.keep = keep  # type: ignore[attr-defined]
        return call


def _fields(name: str, letter: str, array: Any) -> tuple[Any, ...]:
    """An array as numba passes it. TypeError where it is not of the type that ``letter`` declares."""
    dtype, dimensions = DTYPES[letter]
    shape = array.shape
    if array.dtype != dtype or len(shape) != dimensions or not array.flags.c_contiguous:
        raise TypeError(f"{name} takes an array of {dtype} with {dimensions} dimensions")
    size = dtype.itemsize
    data = array.__array_interface__["data"][0]
    if dimensions == 1:
        return (None, None, shape[0], size, data, shape[0], size)
    return (None, None, array.size, size, data, *shape, size * shape[1], size)


def state(module: Any) -> State:
    """Whether the kernels of a module are loaded, lie ready in the cache, or have to be compiled."""
    if any(one._native is not None for one in kernels_of(module).values()):
        return "loaded"
    return "cached" if _read(module) is not None else "missing"


def prepare(module: Any, compiling: Callable[[], None] | None = None) -> None:
    """Make the kernels of a module callable. ``compiling`` is called before that takes seconds."""
    pending = next((one for one in kernels_of(module).values() if one._native is None), None)
    if pending is not None:
        pending._native = _load(module, pending, compiling)


def kernels_of(module: Any) -> dict[str, Kernel]:
    """The kernels that a module defines, by name."""
    return {name: value for name, value in vars(module).items() if isinstance(value, Kernel)}


def _load(module: Any, wanted: Kernel, compiling: Callable[[], None] | None = None) -> Callable[..., Any]:
    """Make every kernel of ``module`` callable: from the cache, else by compiling. Returns ``wanted``."""
    with _LOADING:
        if wanted._native is None:
            _load_all(module, compiling)
    native = wanted._native
    assert native is not None
    return native


def _load_all(module: Any, compiling: Callable[[], None] | None) -> None:
    if os.environ.get("NUMBA_BOUNDSCHECK", "0") not in ("", "0"):
        from gopherdx.artifacts.trace import build

        for name, function in build.checked(module).items():
            kernels_of(module)[name]._native = function
    else:
        objects = _read(module)
        if objects is None:
            if compiling is not None:
                compiling()
            from gopherdx.artifacts.trace import build

            objects = build.objects(module)
            _write(module, objects)
        for name, (symbol, code) in objects.items():
            one = kernels_of(module)[name]
            one._native = one.bind(*_link(symbol, code))


def _link(symbol: str, code: bytes) -> tuple[int, object]:
    """Load object code into this process. Returns the function's address and what keeps it alive."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()  # without it LLVM ends the process
    machine = llvm.Target.from_default_triple().create_target_machine(jit=True)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    address = engine.get_function_address(symbol)
    if not address:
        raise RuntimeError(f"the object code lacks {symbol}")
    return address, engine


# --- the cache ---


def _read(module: Any) -> dict[str, tuple[str, bytes]] | None:
    """The kept object code of a module's kernels; None where there is none that can be trusted."""
    path = _path(module)
    if path is None:
        return None
    try:
        if not _is_ours(path.parent) or not _is_ours(path):
            return None
        data = path.read_bytes()
    except OSError:
        return None
    head, _, body = data.removeprefix(_MAGIC).partition(b"\n")
    if not data.startswith(_MAGIC) or hashlib.sha256(body).hexdigest().encode() != head:
        return None
    table, _, code = body.partition(b"\n")
    out = {}
    for name, (symbol, start, size) in json.loads(table).items():
        out[name] = (symbol, code[start : start + size])
    return out if set(out) == set(kernels_of(module)) else None


def _write(module: Any, objects: Mapping[str, tuple[str, bytes]]) -> None:
    """Keep object code for later runs; quietly not, where no folder of this user's own can be written."""
    path = _path(module)
    if path is None:
        return
    table, code = {}, b""
    for name, (symbol, data) in sorted(objects.items()):
        table[name] = (symbol, len(code), len(data))
        code += data
    body = json.dumps(table).encode() + b"\n" + code
    import tempfile

    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _is_ours(path.parent):
            return
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".kernels-")
        with os.fdopen(handle, "wb") as file:
            file.write(_MAGIC + hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
        Path(temporary).replace(path)
    except OSError:
        return


def _path(module: Any) -> Path | None:
    folder = _folder()
    return None if folder is None else folder / f"kernels-{_key(module)}.bin"


def _folder() -> Path | None:
    """The cache folder of this user; GOPHERDX_CACHE_DIR names another one."""
    named = os.environ.get("GOPHERDX_CACHE_DIR")
    if named:
        return Path(named)
    base = os.environ.get("LOCALAPPDATA") if os.name == "nt" else os.environ.get("XDG_CACHE_HOME")
    if base:
        return Path(base) / "gopherdx"
    try:
        return Path.home() / ".cache" / "gopherdx"
    except RuntimeError:
        return None


def _key(module: Any) -> str:
    """What the object code depends on: source, types, compilers, interpreter's platform, processor."""
    import llvmlite
    import llvmlite.binding as llvm

    parts = [
        *(Path(file).read_bytes() for file in _sources(module)),
        Path(__file__).read_bytes(),
        Path(__file__).with_name("build.py").read_bytes(),
        _numba_version(),
        llvmlite.__version__.encode(),
        sys.version.encode(),
        llvm.get_default_triple().encode(),
        llvm.get_host_cpu_name().encode(),
        llvm.get_host_cpu_features().flatten().encode(),
    ]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:24]


def _sources(module: Any) -> list[str]:
    """The files that a module's kernels and their helpers are written in."""
    files = {module.__file__}
    for value in vars(module).values():
        if hasattr(value, _HELPERS):
            files.add(value.__code__.co_filename)
    return sorted(files)


def _numba_version() -> bytes:
    """What numba says of its version in its own file: importing it, or asking for metadata, takes long."""
    found = PathFinder.find_spec("numba")
    if found is None or found.origin is None:
        return b""
    return Path(found.origin).with_name("_version.py").read_bytes()


def _is_ours(path: Path) -> bool:
    """Whether a file or folder belongs to this user and nobody else may write it."""
    if os.name == "nt":  # a profile's folders are the user's own there
        return True
    found = path.lstat()
    writable = stat.S_IMODE(found.st_mode) & (stat.S_IWGRP | stat.S_IWOTH)
    return found.st_uid == os.geteuid() and not writable and not stat.S_ISLNK(found.st_mode)
