"""The three products of a dense layer: x (N, D), w (D, U), b (U,), y (N, U). Our own loops, not a BLAS library's.

A library cuts its sums by the number of threads, so that its last bits change with it; these never do. A dense layer is
a convolution: a kernel of one cell on a picture of one row, whose pixels are the examples.
"""

from __future__ import annotations

import numpy as np

from scratchnet.kernels.cpu.conv import few_rows
from scratchnet.kernels.cpu.conv.direct import direct_conv2d
from scratchnet.kernels.cpu.conv.weight_grad import direct_weight_grad
from scratchnet.kernels.cpu.gemm.micro_kernel import panel_width
from scratchnet.kernels.cpu.gemm.operands import ONE_CELL, Output, Weights
from scratchnet.kernels.cpu.gemm.packing import transposed
from scratchnet.kernels.cpu.runtime.contract import takes
from scratchnet.kernels.cpu.runtime.jit import serial
from scratchnet.kernels.cpu.runtime.memory import empty
from scratchnet.kernels.cpu.sums import as_flat, column_sums

_BANDS, _ROWS = (32, 16, 8, 4, 2, 1), 64  # numbers of bands, and the fewest examples in one

# With few examples the time goes into fetching the weights, not into arithmetic: they are then read once, row by row.
_FEW, _DEEP, _WIDE = 64, 1024, 64  # at most so many examples, at least such D and U
_TINY = 8192  # products, below which packing, tiles and waking threads would take longer than the products


def _is_few(examples: int, w: np.ndarray) -> bool:
    return 0 < examples <= _FEW and w.shape[0] >= _DEEP and w.shape[1] >= _WIDE


@serial
def _dense_tiny(x, w, b, relu, y):
    """As `dense`, on this thread; b may be empty."""
    for n in range(len(x)):
        sums = y[n]
        for u in range(len(sums)):
            sums[u] = b[u] if len(b) > 0 else 0
        for d in range(len(w)):
            for u in range(len(sums)):
                sums[u] += x[n, d] * w[d, u]
        for u in range(len(sums)):
            sums[u] = 0 if relu and sums[u] <= 0 else sums[u]  # NaN stays


def _as_picture(rows: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(rows)[None, None]


def _product(x: np.ndarray, weights: Weights, b: np.ndarray | None, units: int, relu: bool) -> np.ndarray:
    y = empty((len(x), units), x.dtype)
    # Many examples become rows of the picture, where they can: the rows are shared out among the threads.
    bands = next(n for n in _BANDS if n == 1 or (len(x) % n == 0 and len(x) >= n * _ROWS))
    picture = _as_picture(x).reshape(1, bands, len(x) // bands, x.shape[1])
    direct_conv2d(picture, weights, b, ONE_CELL, relu, Output.whole(y.reshape(1, bands, len(x) // bands, units)))
    return y


@takes(x="N D", w="D U", b="U, or None")
def dense(x: np.ndarray, w: np.ndarray, b: np.ndarray | None, relu: bool = False) -> np.ndarray:
    """y[n,u] = b[u] + sum over d of x[n,d] * w[d,u]. With relu, y = max(y, 0)."""
    D, U = w.shape
    x, w = np.ascontiguousarray(x), np.ascontiguousarray(w)
    bias = np.empty(0, x.dtype) if b is None else np.ascontiguousarray(b)
    if len(x) * D * U <= _TINY:
        y = np.empty((len(x), U), x.dtype)
        _dense_tiny(x, w, bias, relu, y)
        return y
    depth = few_rows.depth_for(D, U, w.itemsize) if _is_few(len(x), w) else None
    if depth is None:
        return _product(x, Weights(w.reshape(-1), 0, D * U, D * U, U, 1), b, U, relu)
    return few_rows.dense(x, w, bias, relu, depth)


@takes(dy="N U", w="D U")
def dense_input_grad(dy: np.ndarray, w: np.ndarray) -> np.ndarray:
    """dx[n,d] = sum over u of dy[n,u] * w[d,u]."""
    D, U = w.shape
    if not _is_few(len(dy), w) or len(dy) % panel_width(dy.itemsize):
        return _product(dy, Weights(as_flat(w), 0, D * U, D * U, 1, U), None, D, relu=False)
    # The other way round, dx^T = w dy^T: w is then read as it lies, and dy^T is small.
    N = len(dy)
    return transposed(_product(w, Weights(as_flat(dy.T), 0, U * N, U * N, N, 1), None, N, relu=False))


@takes(x="N D", dy="N U", dw="D U, added, or None", db="U, added, or None")
def dense_weight_grad(
    x: np.ndarray, dy: np.ndarray, dw: np.ndarray | None = None, db: np.ndarray | None = None
) -> np.ndarray:
    """dw[d,u] = sum over n of x[n,d] * dy[n,u].

    Where dw (D, U) is given, the sum is added to it; so is the sum of dy to db (U,). Both are contiguous.
    """
    if dw is None:
        dw = np.zeros((x.shape[1], dy.shape[1]), x.dtype)
    direct_weight_grad(_as_picture(x), _as_picture(dy), ONE_CELL, dw, db)
    return dw


@takes(dy="... F")
def bias_grad(dy: np.ndarray) -> np.ndarray:
    """db[f] = the sum of dy over all axes but the last: a bias takes part in every place of every example."""
    return column_sums(dy)
