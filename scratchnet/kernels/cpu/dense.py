"""The three products of a dense layer: x (N, D), w (D, U), b (U,), y (N, U). Our own loops, not a BLAS library's.

A library cuts its sums by the number of threads, so that its last bits change with it; these never do.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from scratchnet.kernels.cpu.block import add_scaled_rows
from scratchnet.kernels.cpu.jit import parallel
from scratchnet.kernels.cpu.sums import as_flat, as_rows, column_sums

_ROWS, _CHUNK = 8, 128  # examples a task, and rows of w that stay in the cache while these examples use them


@parallel
def _dense(x, w, b, N, D, y):
    for task in prange((N + _ROWS - 1) // _ROWS):
        n0, n1 = task * _ROWS, min(N, (task + 1) * _ROWS)
        for n in range(n0, n1):
            for u in range(len(b)):
                y[n, u] = b[u]
        for d in range(0, D, _CHUNK):
            for n in range(n0, n1):
                add_scaled_rows(y, n, x, n * D + d, 1, w, d, min(_CHUNK, D - d))


@parallel
def _dense_weight_grad(x, dy, N, D, dw):
    for d in prange(D):
        for u in range(dw.shape[1]):
            dw[d, u] = 0
        add_scaled_rows(dw, d, x, d, D, dy, 0, N)


def dense(x: np.ndarray, w: np.ndarray, b: np.ndarray | None) -> np.ndarray:
    """y[n,u] = b[u] + sum over d of x[n,d] * w[d,u]."""
    y = np.empty((len(x), w.shape[1]), x.dtype)
    b = np.zeros(w.shape[1], x.dtype) if b is None else as_flat(b)
    _dense(as_flat(x), as_rows(w), b, *x.shape, y)
    return y


def dense_input_grad(dy: np.ndarray, w: np.ndarray) -> np.ndarray:
    """dx[n,d] = sum over u of dy[n,u] * w[d,u]."""
    return dense(dy, w.T, None)


def dense_weight_grad(x: np.ndarray, dy: np.ndarray) -> np.ndarray:
    """dw[d,u] = sum over n of x[n,d] * dy[n,u]."""
    dw = np.empty((x.shape[1], dy.shape[1]), x.dtype)
    _dense_weight_grad(as_flat(x), as_rows(dy), *x.shape, dw)
    return dw


def bias_grad(dy: np.ndarray) -> np.ndarray:
    """db[f] = the sum of dy over all axes but the last: a bias takes part in every place of every example."""
    return column_sums(dy)
