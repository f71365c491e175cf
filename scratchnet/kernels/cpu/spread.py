"""The transposed convolution for outputs of few channels, such as the three of a picture.

A register tile holds a row of vectors, and three channels would fill a tenth of it. Here all weights that meet one
pixel stand beside each other: a product for every pixel fills the tile, and a second pass spreads its results.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from scratchnet.kernels.cpu.correlate import Kernel, Weights, correlate
from scratchnet.kernels.cpu.jit import parallel
from scratchnet.kernels.cpu.memory import empty
from scratchnet.kernels.cpu.tile import panel_width
from scratchnet.kernels.cpu.weight_products import FEW, end_inside, first_inside

_ENOUGH = 16  # channels to sum over: below, the second pass would take longer than it saves
_BYTES = 1 << 21  # of products between the two passes: they stay in the second-level caches
_ONE_CELL = Kernel(1, 1, 1, 1, 0, 0)


def pays(inputs: int, outputs: int) -> bool:
    """Whether a transposed convolution from so many channels to so many is faster this way."""
    return inputs >= _ENOUGH and outputs < FEW


@parallel
def _spread(z, hw, kernel, bias, relu, y):
    (H, W), (KH, KW, sh, sw, top, left) = hw, kernel
    N, OH, _ = y.shape
    F = len(bias)
    OW = y.shape[2] // F
    for task in prange(N * OH):
        n, h = task // OH, task % OH
        out = y[n, h]
        for v in range(OW):
            for f in range(F):
                out[v * F + f] = bias[f]
        for k in range(KH):
            i = (h + top - k) // sh
            if i * sh == h + top - k and 0 <= i < H:
                for m in range(KW):
                    j0, j1 = first_inside(m - left, OW, sw), end_inside(m - left, OW, W, sw)
                    rows = z[(n * H + i) * W + j0 : (n * H + i) * W + j1, (k * KW + m) * F : (k * KW + m + 1) * F]
                    to = (j0 * sw + m - left) * F
                    for j in range(len(rows)):
                        for f in range(F):
                            out[to + j * sw * F + f] += rows[j, f]
        if relu:
            for e in range(len(out)):
                out[e] = 0 if out[e] < 0 else out[e]  # NaN is not below 0 and stays


def spread(
    x: np.ndarray, w: np.ndarray, bias: np.ndarray | None, kernel: Kernel, relu: bool, hw: tuple[int, int]
) -> np.ndarray:
    """y[n, sh*i + k - top, sw*j + l - left, f] += sum over c of x[n,i,j,c] * w[k,l,f,c]; plus bias[f], then ReLU.

    x (N, H, W, C) contiguous, w (KH, KW, F, C), y (N, OH, OW, F) with hw = (OH, OW).
    """
    (N, H, W, C), (KH, KW, F, _), width = x.shape, w.shape, panel_width(x.itemsize)
    cells = KH * KW * F
    columns = -(-cells // width) * width  # whole panels: the tile writes no other
    matrix = np.zeros((C, columns), x.dtype)
    matrix[:, :cells] = w.reshape(cells, C).T
    weights = Weights(matrix.reshape(-1), 0, matrix.size, matrix.size, columns, 1)
    b = np.zeros(F, x.dtype) if bias is None else np.ascontiguousarray(bias)
    y = empty((N, hw[0], hw[1] * F), x.dtype)
    at_once = max(1, _BYTES // max(1, H * W * columns * x.itemsize))
    for n in range(0, N, at_once):
        some = x[n : n + at_once]
        z = empty((len(some) * H * W, columns), x.dtype)
        steps = (H * W * columns, W * columns, columns)
        correlate(some, weights, None, _ONE_CELL, False, z.reshape(-1), 0, steps, (H, W), columns)
        _spread(z, (H, W), tuple(kernel), b, relu, y[n : n + at_once])
    return y.reshape(N, *hw, F)
