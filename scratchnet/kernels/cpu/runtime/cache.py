"""Compiled kernels on disk: every later process finds them, and none runs one that is not right for it.

Numba's own cache looks for a kernel by the file that it stands in, its name, its types and the variables that it holds.
That goes wrong with kernels that call each other and that functions make, in four ways. What is done here:

- A kernel contains the code of the kernels that it calls, which stand in other files. Numba sees a change of its own
  file only. Here all kernels are compiled anew when any file of kernels/cpu has changed.
- Two kernels that one function makes, `kernel` for P = 4 and for P = 6, have one name. Numba tells them apart by a
  number that counts from 1 in each process, so that a process may run the kernel for 4 as that for 6, which writes
  beyond its arrays. Here each gets a name of its own, by `variant`.
- Among the variables that a kernel holds may be another kernel. Numba would look for it by its address, which no later
  process has. Here kernels are left out of what is looked for.
- Two processes that compile a kernel for different types at once may write to one file. What is found is run only if it
  was compiled for the types that were asked for.

This stands on parts of Numba that are not public. Where another version has changed them, kernels are not kept on disk:
a slower start, and a warning.
"""

from __future__ import annotations

import hashlib
import importlib
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba

_FILES = sorted(Path(__file__).parents[1].rglob("*.py"))  # of kernels/cpu with all its rooms
SOURCES = hashlib.sha256(b"".join(path.read_bytes() for path in _FILES)).hexdigest()


KNOWN = "0.60 to 0.68"  # versions of Numba whose cache is built as this file expects it


def _private(path: str) -> Any:
    """A part of Numba that is not public, such as "numba.core.caching.FunctionCache"; None where there is none."""
    module, _, name = path.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name, None)
    except ImportError:
        return None


_FunctionCache = _private("numba.core.caching.FunctionCache")
_normalize_signature = _private("numba.core.sigutils.normalize_signature")

# What `_Cache` overrides or sets has an effect only where Numba's own methods use it.
_USED: dict[str, dict[str, tuple[str, ...]]] = {
    "numba.core.caching.FunctionCache": {
        "load_overload": ("_load_overload",),
        "_load_overload": ("_index_key", "_cache_file"),
        "_save_overload": ("_index_key", "_cache_file"),
    },
    "numba.core.caching.IndexDataCacheFile": {"_load_index": ("_source_stamp",), "_save_index": ("_source_stamp",)},
    "numba.core.dispatcher.Dispatcher": {"compile": ("_cache",), "enable_caching": ("_cache",)},
}


def difference() -> str | None:
    """What in this version of Numba is not as `_Cache` expects it; None where all is."""
    for path, methods in _USED.items():
        for method, names in methods.items():
            code = getattr(getattr(_private(path), method, None), "__code__", None)
            for name in names:
                if code is None or name not in code.co_names:
                    return f"{path}.{method} does not use {name}"
    if _normalize_signature is None or not hasattr(_private("numba.core.compiler.CompileResult"), "signature"):
        return "no normalize_signature, or no CompileResult.signature"
    return None


_DIFFERENCE = difference()
if _DIFFERENCE is not None:
    warnings.warn(
        f"Kernels are compiled anew in each process, and nothing is kept in NUMBA_CACHE_DIR: Numba {numba.__version__} "
        f"keeps compiled kernels in a way that scratchnet does not know ({_DIFFERENCE}). All results are right; the "
        f"start is slower. A Numba that it knows is {KNOWN}.",
        RuntimeWarning,
        stacklevel=2,
    )


class _Cache(_FunctionCache or object):  # type: ignore[misc]  # a class that is looked up has no type
    """Numba's cache of one kernel, with other conditions."""

    def __init__(self, function: Callable[..., Any]):
        super().__init__(function)
        self.function = function
        index = self._cache_file
        index._source_stamp = index._source_stamp, SOURCES

    def _index_key(self, signature: Any, codegen: Any) -> tuple[Any, ...]:
        held = [cell.cell_contents for cell in self.function.__closure__ or ()]
        values = [value for value in held if not hasattr(value, "py_func")]  # all but kernels
        return signature, codegen.magic_tuple(), repr(values)

    def _load_overload(self, signature: Any, target: Any) -> Any:
        found = super()._load_overload(signature, target)
        types, _ = _normalize_signature(signature)
        return found if found is not None and tuple(found.signature.args) == tuple(types) else None


def cached(kernel: Any) -> Any:
    """Keep what is compiled of a kernel on disk."""
    if _DIFFERENCE is None:
        kernel._cache = _Cache(kernel.py_func)
    return kernel


def variant(*parameters: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Name a function after the parameters that it is made for; below the decorator that compiles it."""

    def name(function: Callable[..., Any]) -> Callable[..., Any]:
        function.__qualname__ = "_".join(map(str, (function.__qualname__, *parameters)))
        return function

    return name
