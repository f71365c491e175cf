"""The matrix product of a dense layer with few examples: all time goes into fetching w, so w is read once, as it lies.

The product is the same sum as the gradient of a kernel of one cell, y[n,u] = sum over d of x[n,d] * w[d,u], with d for
the places, n for the channels and u for the filters.
"""

from __future__ import annotations

import functools

import numpy as np
from numba import prange

from scratchnet.kernels.cpu.conv.weight_grad import one_and_zeros, weight_grad_parts
from scratchnet.kernels.cpu.gemm.micro_kernel import panel_width, tile_table
from scratchnet.kernels.cpu.gemm.operands import ONE_CELL
from scratchnet.kernels.cpu.runtime.jit import parallel
from scratchnet.kernels.cpu.runtime.memory import empty

# Of rows of w that all tiles use before the next are fetched: most of them stay in the first-level cache. The same for
# all processors, since it says where the sum over d is cut.
_PANEL_BYTES = 36 * 1024
_PARTS = 8  # of the sum over d
_LEAST_DEPTH = 16  # rows; with fewer at a time, loading and storing the sums would take as long as adding to them


@functools.lru_cache(maxsize=1024)
def depth_for(D: int, U: int, itemsize: int) -> int | None:
    """How many rows of w (D, U) to take at a time, a divisor of D; None where this way is not the faster one."""
    most = min(D, _PANEL_BYTES // (U * itemsize))
    depth = next((n for n in range(most, 0, -1) if D % n == 0), 0)
    return depth if depth >= _LEAST_DEPTH and U % panel_width(itemsize) == 0 else None


@parallel
def _finish(partial, b, relu, y):
    """y[n,u] = b[u] + the sum of the parts, one after the other; with relu, max(y, 0). b may be empty."""
    for n in prange(len(y)):
        out = y[n]
        for u in range(len(out)):
            out[u] = b[u] if len(b) > 0 else 0
        for p in range(len(partial)):
            part = partial[p, n]
            for u in range(len(out)):
                out[u] += part[u]
        for u in range(len(out)):
            out[u] = 0 if relu and out[u] <= 0 else out[u]  # NaN stays


def dense(x: np.ndarray, w: np.ndarray, b: np.ndarray, relu: bool, depth: int) -> np.ndarray:
    """y[n,u] = b[u] + the sum over d of x[n,d] * w[d,u]; with relu, max(y, 0).

    All are contiguous, b may be empty, depth is what `depth_for` gives.
    """
    (N, D), U, width = x.shape, w.shape[1], panel_width(x.itemsize)
    chunks = D // depth
    parts = min(_PARTS, chunks)
    partial, y = empty((parts, N, U), x.dtype), empty((N, U), x.dtype)
    weight_grad_parts(
        x.reshape(-1), (chunks, 1, depth, N), (1, D), w.reshape(-1), (chunks, 1, depth, U), tuple(ONE_CELL),
        *one_and_zeros(width, x.dtype), False, False, tile_table(N, False), (1, parts, 1, 1, 1, 0, 1),
        partial.reshape(-1), np.empty(0, x.dtype),
    )  # fmt: skip
    _finish(partial, b, relu, y)
    return y
