"""How the CPU kernels are compiled: by Numba, cached on disk, one parallel kernel at a time.

`parallel` and `serial` are `numba.njit` with the project's settings and with the cache of `cache.py`. Numba's simplest
threading layer ends the whole process when two Python threads launch parallel kernels at once (numba#8563), so
`parallel` holds one lock for all. In a forked child kernels run on one thread: `fork.py`.

The same bits come out for any number of threads: each output element is written by one thread, in an order that does
not depend on the number of threads. Elementwise kernels share out blocks of BLOCK elements, sums over the batch are cut
into at most PARTS parts and the parts are added in order.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from scratchnet import locks
from scratchnet.kernels.cpu.runtime import fork, processors, rehearsal
from scratchnet.kernels.cpu.runtime.cache import cached
from scratchnet.kernels.cpu.runtime.memory import LINE, empty

# A thread that waits for work turns in circles for a little, since the next kernel mostly comes soon, and then sleeps.
# OpenMP's own default is to turn for long: where another program needs the core, that makes both eight times slower.
# OpenMP reads this once, when the first kernel runs.
os.environ.setdefault("GOMP_SPINCOUNT", "20000")

BLOCK = 4096  # elements: small enough for the first-level cache, large enough to be worth a task
PARTS = 8  # of a batch, when a sum runs over it

# What LLVM may do with sums and products. Not "nnan" and "ninf": a diverging run must still be seen.
_FASTMATH = {"contract", "reassoc", "nsz", "arcp"}
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

_IN_ORDER = _FASTMATH - {"reassoc"}


def _compiled(function: Callable[..., Any], **options: Any) -> Any:
    return cached(numba.njit(error_model="numpy", **options)(function))


def serial(function: Callable[..., Any]) -> Any:
    """Compile, to be called by other kernels, or for what is too little to wake threads for."""
    return _compiled(function, fastmath=_FASTMATH)


def serial_in_order(function: Callable[..., Any]) -> Any:
    """`serial` for what kernels call that are `in_order`."""
    return _compiled(function, fastmath=_IN_ORDER)


def inlined_in_order(function: Callable[..., Any]) -> Any:
    """`serial_in_order` for a long formula of one number: only within its caller's loop it becomes vector instructions.

    By itself, LLVM would call a long function once for each number.
    """
    return _compiled(function, fastmath=_IN_ORDER, forceinline=True)


def parallel(function: Callable[..., Any], fastmath: set[str] = _FASTMATH) -> Callable[..., Any]:
    """Compile with parallel `prange` loops, and let one Python thread at a time launch such a kernel."""
    compiled = _compiled(function, parallel=True, fastmath=fastmath)

    def launch(*args: Any) -> Any:
        with locks.KERNELS:
            if not fork.started:
                fork.start()
            if processors.limit is not None:
                processors.limit_threads()
            if rehearsal.planned is not None:
                return rehearsal.note(compiled, args)
            return compiled(*args)

    kernel: Any = functools.wraps(function)(launch)
    kernel.compiled = compiled
    return kernel


def in_order(function: Callable[..., Any]) -> Callable[..., Any]:
    """`parallel` for a kernel that adds and multiplies several numbers for each output, in the order that is written.

    LLVM optimizes the copy of a kernel that is cached once more than the one that is run at once. Where it may
    reassociate, the second pass can choose another order, and the process that compiles has other last bits than those
    that find the kernel compiled. Sums over many elements need the freedom, or they would not be vectorized.
    """
    return parallel(function, _IN_ORDER)


_scratch: dict[np.dtype, np.ndarray] = {}


def scratch(size: int, dtype: np.dtype) -> np.ndarray:
    """For each thread, at least `size` numbers that a kernel may write over; the next kernel does so too."""
    held = _scratch.get(dtype)
    if held is None or held.shape[1] < size:
        whole = -(-size * dtype.itemsize // LINE) * LINE // dtype.itemsize  # each thread's part begins at a cache line
        held = _scratch[dtype] = empty((_config.NUMBA_NUM_THREADS, whole), dtype)
    return held
