"""The three products of a dense layer: x (N, D), w (D, U), b (U,), y (N, U). Our own loops, not a BLAS library's.

A library cuts its sums by the number of threads, so that its last bits change with it; these never do. A dense layer is
a convolution: a kernel of one cell on a picture of one row, whose pixels are the examples.
"""

from __future__ import annotations

import numpy as np

from scratchnet.kernels.cpu.correlate import Kernel, Weights, correlate
from scratchnet.kernels.cpu.memory import empty
from scratchnet.kernels.cpu.sums import as_flat, column_sums
from scratchnet.kernels.cpu.weight_products import weight_products

_ONE_CELL = Kernel(1, 1, 1, 1, 0, 0)
_BANDS, _ROWS = (32, 16, 8, 4, 2, 1), 64  # numbers of bands, and the fewest examples in one


def _as_picture(rows: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(rows)[None, None]


def _product(x: np.ndarray, weights: Weights, b: np.ndarray | None, units: int, relu: bool) -> np.ndarray:
    y = empty((len(x), units), x.dtype)
    # Many examples become rows of the picture, where they can: the rows are shared out among the threads.
    bands = next(n for n in _BANDS if n == 1 or (len(x) % n == 0 and len(x) >= n * _ROWS))
    hw, steps = (bands, len(x) // bands), (0, len(x) // bands * units, units)
    picture = _as_picture(x).reshape(1, *hw, x.shape[1])
    correlate(picture, weights, b, _ONE_CELL, relu, y.reshape(-1), 0, steps, hw, units)
    return y


def dense(x: np.ndarray, w: np.ndarray, b: np.ndarray | None, relu: bool = False) -> np.ndarray:
    """y[n,u] = b[u] + sum over d of x[n,d] * w[d,u]. With relu, y = max(y, 0)."""
    D, U = w.shape
    return _product(x, Weights(as_flat(w), 0, D * U, D * U, U, 1), b, U, relu)


def dense_input_grad(dy: np.ndarray, w: np.ndarray) -> np.ndarray:
    """dx[n,d] = sum over u of dy[n,u] * w[d,u]."""
    D, U = w.shape
    return _product(dy, Weights(as_flat(w), 0, D * U, D * U, 1, U), None, D, relu=False)


def dense_weight_grad(
    x: np.ndarray, dy: np.ndarray, dw: np.ndarray | None = None, db: np.ndarray | None = None
) -> np.ndarray:
    """dw[d,u] = sum over n of x[n,d] * dy[n,u].

    Where dw (D, U) is given, the sum is added to it; so is the sum of dy to db (U,). Both are contiguous.
    """
    if dw is None:
        dw = np.zeros((x.shape[1], dy.shape[1]), x.dtype)
    weight_products(_as_picture(x), _as_picture(dy), _ONE_CELL, dw, db)
    return dw


def bias_grad(dy: np.ndarray) -> np.ndarray:
    """db[f] = the sum of dy over all axes but the last: a bias takes part in every place of every example."""
    return column_sums(dy)
