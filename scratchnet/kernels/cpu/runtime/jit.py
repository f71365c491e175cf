"""How the CPU kernels are compiled: by Numba, cached on disk, one parallel kernel at a time.

`parallel` and `serial` are `numba.njit` with the project's settings and with the cache of `compiling/cache.py`. Numba's
simplest threading layer ends the whole process when two Python threads launch parallel kernels at once (numba#8563), so
`parallel` holds one lock for all. What threads run them, and that a forked child has one: `threads/layer.py`.

The same bits come out for any number of threads: each output element is written by one thread, in an order that does
not depend on the number of threads. Elementwise kernels share out blocks of BLOCK elements, sums over the batch are cut
into at most PARTS parts and the parts are added in order.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from scratchnet import locks
from scratchnet.kernels.cpu.compiling import rehearsal
from scratchnet.kernels.cpu.compiling.compiled import compiled
from scratchnet.kernels.cpu.machine import processors
from scratchnet.kernels.cpu.runtime.memory import LINE, SMALLEST, empty
from scratchnet.kernels.cpu.threads import layer

_config: Any = numba.config

BLOCK = 4096  # elements: small enough for the first-level cache, large enough to be worth a task
PARTS = 8  # of a batch, when a sum runs over it

# What LLVM may do with sums and products. Not "nnan" and "ninf": a diverging run must still be seen.
_FASTMATH = {"contract", "reassoc", "nsz", "arcp"}
_IN_ORDER = _FASTMATH - {"reassoc"}


def serial(function: Callable[..., Any], makes_arrays: bool = False) -> Any:
    """Compile, to be called by other kernels, or for what is too little to wake threads for."""
    return compiled(function, makes_arrays, fastmath=_FASTMATH)


def serial_in_order(function: Callable[..., Any]) -> Any:
    """`serial` for what kernels call that are `in_order`."""
    return compiled(function, fastmath=_IN_ORDER)


def inlined_in_order(function: Callable[..., Any]) -> Any:
    """`serial_in_order` for a long formula of one number: only within its caller's loop it becomes vector instructions.

    By itself, LLVM would call a long function once for each number.
    """
    return compiled(function, fastmath=_IN_ORDER, forceinline=True)


def parallel(
    function: Callable[..., Any], makes_arrays: bool = False, fastmath: set[str] = _FASTMATH
) -> Callable[..., Any]:
    """Compile with parallel `prange` loops, and let one Python thread at a time launch such a kernel."""
    kernel = compiled(function, makes_arrays, parallel=True, fastmath=fastmath)

    def launch(*args: Any) -> Any:
        with locks.KERNELS:
            if rehearsal.planned is not None:
                return rehearsal.note(kernel, args)
            if not layer.started:
                layer.start()
            if processors.limit is not None:
                processors.limit_threads()
            return kernel(*args)

    launcher: Any = functools.wraps(function)(launch)
    launcher.compiled = kernel
    return launcher


def in_order(function: Callable[..., Any], makes_arrays: bool = False) -> Callable[..., Any]:
    """`parallel` for a kernel that adds and multiplies several numbers for each output, in the order that is written.

    LLVM optimizes the copy of a kernel that is cached once more than the one that is run at once. Where it may
    reassociate, the second pass can choose another order, and the process that compiles has other last bits than those
    that find the kernel compiled. Sums over many elements need the freedom, or they would not be vectorized.
    """
    return parallel(function, makes_arrays, _IN_ORDER)


_scratch: dict[np.dtype, np.ndarray] = {}


def scratch(size: int, dtype: np.dtype) -> np.ndarray:
    """For each thread, at least `size` numbers that a kernel may write over; the next kernel does so too."""
    held = _scratch.get(dtype)
    if held is None or held.shape[1] < size:
        # Each thread's part begins at a cache line: whole lines of memory that `empty` does not leave to the C library.
        whole = max(-(-size * dtype.itemsize // LINE) * LINE, SMALLEST) // dtype.itemsize
        held = _scratch[dtype] = empty((_config.NUMBA_NUM_THREADS, whole), dtype)
    return held
