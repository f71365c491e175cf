"""How the CPU kernels are compiled: by Numba, cached on disk, one parallel kernel at a time.

`parallel` and `serial` are `numba.njit` with the project's settings. Numba's simplest threading layer ends the whole
process when two Python threads launch parallel kernels at once (numba#8563), so `parallel` holds one lock for all.

The same bits come out for any number of threads: each output element is written by one thread, in an order that does
not depend on the number of threads. Elementwise kernels share out blocks of BLOCK elements, sums over the batch are cut
into at most PARTS parts and the parts are added in order.
"""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable
from typing import Any

import numba
import numpy as np

# A thread that waits for its work sleeps, instead of turning in circles as OpenMP has it by default. Where another
# program needs one of the cores, that is eight times quicker. OpenMP reads this once, when the first kernel runs.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

BLOCK = 4096  # elements: small enough for the first-level cache, large enough to be worth a task
PARTS = 8  # of a batch, when a sum runs over it

# What LLVM may do with sums and products. Not "nnan" and "ninf": a diverging run must still be seen.
_FASTMATH = {"contract", "reassoc", "nsz", "arcp"}
_SETTINGS: dict[str, Any] = {"cache": True, "error_model": "numpy", "fastmath": _FASTMATH}
_LOCK = threading.RLock()

serial = numba.njit(**_SETTINGS)


def parallel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile with parallel `prange` loops, and let one thread at a time launch such a kernel.

    Where no array is larger than a block, the kernel runs on the calling thread alone: waking the others would take
    longer than the work.
    """
    compiled = numba.njit(parallel=True, **_SETTINGS)(function)

    @functools.wraps(function)
    def launch(*args: Any) -> Any:
        with _LOCK:
            if any(isinstance(a, np.ndarray) and a.size > BLOCK for a in args):
                return compiled(*args)
            threads = numba.get_num_threads()
            numba.set_num_threads(1)
            try:
                return compiled(*args)
            finally:
                numba.set_num_threads(threads)

    launch.compiled = compiled
    return launch
