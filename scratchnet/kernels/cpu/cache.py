"""What is kept of compiled kernels on disk: found by every later process, and by none for which it is not right.

Numba keeps each kernel for itself, until the file that it stands in changes. Four things would go wrong with ours:

- A kernel holds code of those that it calls, out of other files. So all are compiled anew when one file changes.
- A kernel that a function makes, and that calls others made like this, would be found by no later process: each would
  compile it, and keep it once more. For Numba looks for it by what the function's variables hold, and a kernel that
  they hold has another number in each process. So kernels are left out of that.
- Kernels that one function makes share a name. Numba tells them apart by a number that counts from 1 in each process.
  Of two with the same number, kept by two processes, a third one would run the first in place of the second, which
  writes where it should not. So each gets a name of its own, by `variant`.
- Two processes that compile a kernel at once for other types may write to the same file, and one would find in it what
  is for the other's types. So it is asked for which types it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba.core import sigutils
from numba.core.caching import FunctionCache
from numba.core.dispatcher import Dispatcher

SOURCES = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))).hexdigest()


class _Cache(FunctionCache):
    """Numba's cache of one kernel, with other conditions."""

    def __init__(self, function: Callable[..., Any]):
        super().__init__(function)
        index = self._cache_file
        index._source_stamp = index._source_stamp, SOURCES

    def _index_key(self, signature: Any, codegen: Any) -> tuple[Any, ...]:
        held = [cell.cell_contents for cell in self._py_func.__closure__ or ()]
        return signature, codegen.magic_tuple(), repr([value for value in held if not isinstance(value, Dispatcher)])

    def _load_overload(self, signature: Any, target: Any) -> Any:
        found = super()._load_overload(signature, target)
        types, _ = sigutils.normalize_signature(signature)
        return found if found is not None and tuple(found.signature.args) == tuple(types) else None


def cached(kernel: Dispatcher) -> Dispatcher:
    """Keep what is compiled of a kernel on disk."""
    kernel._cache = _Cache(kernel.py_func)
    return kernel


def variant(*parameters: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Name a function after the parameters that it is made for; below the decorator that compiles it."""

    def name(function: Callable[..., Any]) -> Callable[..., Any]:
        function.__qualname__ = "_".join(map(str, (function.__qualname__, *parameters)))
        return function

    return name
