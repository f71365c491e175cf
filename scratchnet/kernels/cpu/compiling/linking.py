"""Machine code is made of a parallel kernel once, and not of each library that it is linked from.

Numba makes four libraries of a function with a `prange`, each linked into the next: the loop's body; a wrapper that
runs it for some tasks; one that shares out the tasks; and the function. It makes machine code of each, but what runs,
and what is kept on disk, is the last one only, which contains the others. `direct` leaves out the machine code of the
first three, about a seventh of all compiling. All four are optimized as before: what the last one becomes is the same
to the bit. And what is kept on disk is then also what runs in the process that compiled it.

This stands on parts of Numba that are not public. Where another version has changed them, `direct` does nothing.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Iterator
from typing import Any

# What is overridden below has an effect only where Numba's own methods use it.
_USED = {
    "finalize": ("_finalize_final_module",),
    "_finalize_final_module": ("_finalize_dynamic_globals", "_add_module", "_finalize_specific", "_finalized"),
    "get_pointer_to_function": ("_ensure_finalized", "get_function_address"),
    "_get_module_for_linking": ("_final_module", "_shared_module"),
}
_BODY, _WRAPPERS = "__numba_parfor_gufunc", ("<numba.np.ufunc.wrappers._GufuncWrapper", "parallelgufuncwrapper")


def _library_class() -> Any:
    """Numba's class of libraries, without machine code of a loop's first three; None where it is not as expected."""
    try:
        base: Any = importlib.import_module("numba.core.codegen").JITCodeLibrary
        kinds = importlib.import_module("numba.core.codegen").JITCPUCodegen
        known = all(
            name in getattr(base, method).__code__.co_names for method, names in _USED.items() for name in names
        )
        if not (known and kinds._library_class is base and hasattr(kinds, "set_env")):
            return None
    except (ImportError, AttributeError):
        return None

    class Library(base):
        """A library that is only linked into others where it is one of a parallel loop's first three."""

        @property
        def _is_part(self) -> bool:
            return self.name.startswith((_BODY, *_WRAPPERS))

        def _finalize_final_module(self) -> None:
            if not self._is_part:
                super()._finalize_final_module()
                return
            self._finalize_dynamic_globals()
            self._finalized = True

        def get_pointer_to_function(self, name: str) -> int:
            """The address of its machine code; 0 where none is made, as for a name that is not there."""
            return 0 if self._is_part else super().get_pointer_to_function(name)

    return Library


_Library = _library_class()


def _set_env_where_there_is_code(codegen: Any) -> Callable[[str, Any], None]:
    """The codegen's own `set_env`, which writes to an address, for libraries too that have no machine code."""
    own, engine = codegen.set_env, codegen._engine

    def set_env(name: str, environment: Any) -> None:
        if engine.get_global_value_address(name):
            own(name, environment)

    return set_env


@contextlib.contextmanager
def direct(context: Any) -> Iterator[None]:
    """While a kernel is compiled for this target: no machine code of what is only linked into it."""
    codegen = context.codegen()
    if _Library is None or "_library_class" in vars(codegen) or not hasattr(codegen, "_engine"):
        yield
        return
    codegen._library_class, codegen.set_env = _Library, _set_env_where_there_is_code(codegen)
    try:
        yield
    finally:
        del codegen._library_class, codegen.set_env
