"""Numba's compiler with the project's settings and with the cache of `cache.py`."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numba

from scratchnet.kernels.cpu.compiling.cache import cached

# A processor that is named by hand stands for its own features, not for those of this machine.
_config: Any = numba.config
if _config.CPU_NAME and _config.CPU_FEATURES is None:
    _config.CPU_FEATURES = ""
if _config.DISABLE_JIT:
    raise ImportError(
        "scratchnet cannot run where Numba does not compile, and NUMBA_DISABLE_JIT=1 (or DISABLE_JIT in .numba_config."
        "yaml) says so. Unset it. To follow a kernel's formula with a debugger, read the loops of "
        "scratchnet/reference, which need no compiler."
    )


def compiled(function: Callable[..., Any], makes_arrays: bool = False, **options: Any) -> Any:
    """The function, compiled when it is first called with arguments of new types.

    Only where it makes arrays does it count references to arrays: `y if first else z` within a loop would add to a
    counter in memory that all threads share, and each would wait until the others have done so.
    """
    njit: Any = numba.njit  # its types name no _nrt
    return cached(njit(error_model="numpy", _nrt=makes_arrays, **options)(function))


def callback(signature: Any) -> Callable[[Callable[..., Any]], Callable[[], int]]:
    """Compile for what is not Python: `numba.cfunc`, when the address is first asked for, and kept on disk.

    What is made returns the address of the machine code.
    """

    def make(function: Callable[..., Any]) -> Callable[[], int]:
        made: list[Any] = []

        def address() -> int:
            if not made:
                # The class behind numba.cfunc, which itself would compile at once and use Numba's cache.
                kind = importlib.import_module("numba.core.ccallback").CFunc
                made.append(cached(kind(function, (signature.args, signature.return_type), {}, {"nopython": True})))
                made[0].compile()
            return made[0].address

        return address

    return make
