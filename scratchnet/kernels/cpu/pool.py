"""Max and average pooling and their gradients, and enlarging by repetition, which average pooling undoes.

x (N, H, W, C), y (N, OH, OW, C), windows of pool_size at steps of strides; pads ((top, bottom), (left, right)). Padding
never wins a maximum (it counts as -inf) and never enters an average (only cells inside of x are counted).
"""

from __future__ import annotations

import math

import numpy as np
from numba import prange

from scratchnet.kernels.cpu.runtime.contract import takes
from scratchnet.kernels.cpu.runtime.jit import parallel
from scratchnet.kernels.cpu.runtime.memory import empty
from scratchnet.kernels.cpu.sums import as_rows
from scratchnet.shapes import Pads, output_hw

_NO_PADS: Pads = ((0, 0), (0, 0))
_LONGEST_MEAN = 1024  # cells of a window; the mean over more is summed in float64


@parallel
def _max_pool2d(x, x_shape, y_shape, KH, KW, sh, sw, top, left, relu, y, argmax):
    _, H, W, C = x_shape
    N, OH, OW, _ = y_shape
    for row in prange(N * OH):
        n, i = row // OH, row % OH
        h0, h1 = max(0, i * sh - top), min(H, i * sh - top + KH)
        for j in range(OW):
            v0, v1 = max(0, j * sw - left), min(W, j * sw - left + KW)
            most, where = y[row * OW + j], argmax[row * OW + j]
            if h1 - h0 == 2 and v1 - v0 == 2:  # the usual window in one pass
                q, place = (n * H + h0) * W + v0, h0 * W + v0
                a, b, c, d = x[q], x[q + 1], x[q + W], x[q + W + 1]
                for e in range(C):
                    # Only a larger value takes the place: the first of equals keeps it. NaN wins and stays.
                    value, at = a[e], 0
                    better = b[e] > value or (b[e] != b[e] and value == value)
                    value, at = (b[e], 1) if better else (value, at)
                    better = c[e] > value or (c[e] != c[e] and value == value)
                    value, at = (c[e], W) if better else (value, at)
                    better = d[e] > value or (d[e] != d[e] and value == value)
                    value, at = (d[e], W + 1) if better else (value, at)
                    most[e], where[e] = value, place + at
            else:
                for e in range(C):
                    most[e] = -np.inf
                    where[e] = h0 * W + v0 if h0 < h1 and v0 < v1 else -1
                for h in range(h0, h1):
                    for v in range(v0, v1):
                        a, place = x[(n * H + h) * W + v], h * W + v
                        for e in range(C):
                            better = a[e] > most[e] or (a[e] != a[e] and most[e] == most[e])
                            where[e] = place if better else where[e]
                            most[e] = a[e] if better else most[e]
            if relu:
                for e in range(C):
                    where[e] = -1 if most[e] <= 0 else where[e]


@parallel
def _max_pool2d_backward(dy, argmax, dx_shape, dy_shape, KH, KW, sh, sw, top, left, dx, outside):
    """outside[task] becomes 1 where a place in argmax is none of the picture's."""
    N, H, W, C = dx_shape
    _, OH, OW, _ = dy_shape
    apart = sh >= KH and sw >= KW  # as is usual: no window overlaps another
    bands = OH if apart else 1
    for task in prange(N * bands):
        n, i0 = task // bands, task % bands * OH // bands
        i1 = i0 + OH // bands
        # Row i of windows begins at h = i * sh - top. The rows of dx from there to the next one are this task's.
        h0, h1 = max(0, i0 * sh - top) if i0 > 0 else 0, min(H, i1 * sh - top) if i1 < OH else H
        least = most = np.int32(-1)
        for row in range((n * H + h0) * W, (n * H + h1) * W):
            for e in range(C):
                dx[row, e] = 0
        for i in range(i0, i1):
            for j in range(OW):
                v0, v1 = max(0, j * sw - left), min(W, j * sw - left + KW)
                d, where = dy[(n * OH + i) * OW + j], argmax[(n * OH + i) * OW + j]
                for e in range(C):
                    least, most = min(least, where[e]), max(most, where[e])
                for h in range(max(0, i * sh - top), min(H, i * sh - top + KH)):
                    row, place = (n * H + h) * W, h * W
                    if v1 - v0 == 2 and apart:
                        one, two = dx[row + v0], dx[row + v0 + 1]
                        for e in range(C):
                            one[e] = d[e] if where[e] == place + v0 else 0
                            two[e] = d[e] if where[e] == place + v0 + 1 else 0
                    else:
                        for v in range(v0, v1):
                            out = dx[row + v]
                            for e in range(C):
                                out[e] += d[e] if where[e] == place + v else 0
        outside[task] = least < -1 or most >= H * W


@parallel
def _average_pool2d(x, x_shape, y_shape, KH, KW, sh, sw, top, left, y):
    _, H, W, C = x_shape
    N, OH, OW, _ = y_shape
    for row in prange(N * OH):
        n, i = row // OH, row % OH
        h0, h1 = max(0, i * sh - top), min(H, i * sh - top + KH)
        for j in range(OW):
            v0, v1 = max(0, j * sw - left), min(W, j * sw - left + KW)
            r, count = row * OW + j, max(1, max(0, h1 - h0) * max(0, v1 - v0))
            for c in range(C):
                y[r, c] = 0
            for h in range(h0, h1):
                for v in range(v0, v1):
                    q = (n * H + h) * W + v
                    for c in range(C):
                        y[r, c] += x[q, c]
            for c in range(C):
                y[r, c] /= count


@parallel
def _average_pool2d_backward(dy, dx_shape, dy_shape, KH, KW, sh, sw, top, left, dx):
    N, H, W, C = dx_shape
    _, OH, OW, _ = dy_shape
    for row in prange(N * H):
        n, h = row // H, row % H
        i0, i1 = max(0, (h + top - KH) // sh + 1), min(OH, (h + top) // sh + 1)
        for v in range(W):
            j0, j1 = max(0, (v + left - KW) // sw + 1), min(OW, (v + left) // sw + 1)
            q = row * W + v
            for c in range(C):
                dx[q, c] = 0
            for i in range(i0, i1):
                rows = min(H, i * sh - top + KH) - max(0, i * sh - top)
                for j in range(j0, j1):
                    count = rows * (min(W, j * sw - left + KW) - max(0, j * sw - left))
                    r = (n * OH + i) * OW + j
                    for c in range(C):
                        dx[q, c] += dy[r, c] / count


@takes(x="N H W C")
def max_pool2d(
    x: np.ndarray, pool_size: tuple[int, int], strides: tuple[int, int], pads: Pads, relu: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """y[n,i,j,c] = the maximum of x over the window, and where: argmax = h * W + v, int32 (-1: a window of padding).

    With relu, x is what ReLU gave, and argmax is -1 also where y is 0: the gradient that comes back through this argmax
    is then the one for ReLU's input.
    """
    y = empty((len(x), *output_hw(x.shape[1:3], pool_size, strides, pads), x.shape[3]), x.dtype)
    argmax = empty(y.shape, np.int32)
    (top, _), (left, _) = pads
    _max_pool2d(as_rows(x), x.shape, y.shape, *pool_size, *strides, top, left, relu, as_rows(y), as_rows(argmax))
    return y, argmax


@takes(dy="N OH OW C", argmax="N OH OW C, int32")
def max_pool2d_backward(
    dy: np.ndarray,
    argmax: np.ndarray,
    input_hw: tuple[int, int],
    pool_size: tuple[int, int],
    strides: tuple[int, int],
    pads: Pads,
) -> np.ndarray:
    """dx[n,h,v,c] = the sum of dy[n,i,j,c] over the windows whose maximum stood at (h, v).

    Raises:
        ValueError: a place in argmax that is not from -1 to H * W - 1.
    """
    dx, outside = empty((len(dy), *input_hw, dy.shape[3]), dy.dtype), np.zeros(dy.shape[:2], np.bool_)
    (top, _), (left, _) = pads
    sizes = dx.shape, dy.shape, *pool_size, *strides, top, left
    _max_pool2d_backward(as_rows(dy), as_rows(argmax), *sizes, as_rows(dx), outside.reshape(-1))
    if outside.any():
        raise ValueError(
            f"max_pool2d_backward: expected places from -1 to {input_hw[0] * input_hw[1] - 1} in argmax, got "
            f"{argmax.min()} to {argmax.max()}."
        )
    return dx


@takes(x="N H W C")
def average_pool2d(x: np.ndarray, pool_size: tuple[int, int], strides: tuple[int, int], pads: Pads) -> np.ndarray:
    """y[n,i,j,c] = the mean of x over the cells of the window that lie inside of x."""
    long = math.prod(map(min, pool_size, x.shape[1:3])) > _LONGEST_MEAN
    dtype = np.float64 if long else x.dtype
    y = empty((len(x), *output_hw(x.shape[1:3], pool_size, strides, pads), x.shape[3]), dtype)
    (top, _), (left, _) = pads
    _average_pool2d(as_rows(x), x.shape, y.shape, *pool_size, *strides, top, left, as_rows(y))
    return y.astype(x.dtype, copy=False)


@takes(dy="N OH OW C")
def average_pool2d_backward(
    dy: np.ndarray, input_hw: tuple[int, int], pool_size: tuple[int, int], strides: tuple[int, int], pads: Pads
) -> np.ndarray:
    """dx[n,h,v,c] = the sum of dy[n,i,j,c] / (cells of the window inside of x) over the windows that hold (h, v)."""
    dx = empty((len(dy), *input_hw, dy.shape[3]), dy.dtype)
    (top, _), (left, _) = pads
    _average_pool2d_backward(as_rows(dy), dx.shape, dy.shape, *pool_size, *strides, top, left, as_rows(dx))
    return dx


@takes(x="N H W C")
def global_average_pool2d(x: np.ndarray) -> np.ndarray:
    """y[n,c] = the mean of x[n,:,:,c]: one window as large as the picture."""
    return average_pool2d(x, x.shape[1:3], (1, 1), _NO_PADS)[:, 0, 0]


@takes(dy="N C")
def global_average_pool2d_backward(dy: np.ndarray, input_hw: tuple[int, int]) -> np.ndarray:
    """dx[n,h,v,c] = dy[n,c] / (H * W)."""
    return average_pool2d_backward(dy[:, None, None], input_hw, input_hw, (1, 1), _NO_PADS)


@takes(x="N H W C")
def upsample2d(x: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """y[n,h,v,c] = x[n, h // size[0], v // size[1], c]: every cell repeated."""
    return x.repeat(size[0], axis=1).repeat(size[1], axis=2)


@takes(dy="N OH*SH OW*SW C")
def upsample2d_backward(dy: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """dx = the sum of dy over each block of repeated cells: their mean times their number."""
    return average_pool2d(dy, size, size, _NO_PADS) * dy.dtype.type(size[0] * size[1])
