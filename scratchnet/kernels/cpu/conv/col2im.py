"""The transposed convolution by a matrix product and col2im, for outputs of few channels, such as a picture's three.

A register tile is a row of vectors wide, and three channels would fill a tenth of it. Here the tile is filled by the
weights of all cells of the window: one product for each pixel of x gives what that pixel adds to each cell of its
window, and col2im adds those to the output.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from scratchnet.kernels.cpu.conv.direct import direct_conv2d
from scratchnet.kernels.cpu.conv.weight_grad import FEW_CHANNELS
from scratchnet.kernels.cpu.gemm.micro_kernel import panel_width
from scratchnet.kernels.cpu.gemm.operands import ONE_CELL, Output, Weights, Window, end_inside, first_inside
from scratchnet.kernels.cpu.machine.caches import CACHES
from scratchnet.kernels.cpu.runtime.jit import parallel
from scratchnet.kernels.cpu.runtime.memory import empty

_ENOUGH = 16  # channels to sum over: below, col2im would take longer than it saves
_BYTES = CACHES.second * 2  # of products between the two passes: they stay in the second-level caches of two cores


def is_faster(inputs: int, outputs: int) -> bool:
    """Whether a transposed convolution from so many channels to so many is faster this way."""
    return inputs >= _ENOUGH and outputs < FEW_CHANNELS


@parallel
def _col2im(z, hw, window, bias, relu, y):
    """y[n, sh*i + k - top, sw*j + l - left, f] += z[(n, i, j), (k, l, f)], plus bias[f]; then ReLU."""
    (H, W), (KH, KW, sh, sw, top, left) = hw, window
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
                for l in range(KW):  # noqa: E741
                    j0, j1 = first_inside(l - left, OW, sw), end_inside(l - left, OW, W, sw)
                    rows = z[(n * H + i) * W + j0 : (n * H + i) * W + j1, (k * KW + l) * F : (k * KW + l + 1) * F]
                    to = (j0 * sw + l - left) * F
                    for j in range(len(rows)):
                        for f in range(F):
                            out[to + j * sw * F + f] += rows[j, f]
        if relu:
            for e in range(len(out)):
                out[e] = 0 if out[e] < 0 else out[e]  # NaN is not below 0 and stays


def conv2d_transpose(
    x: np.ndarray, w: np.ndarray, bias: np.ndarray | None, window: Window, relu: bool, hw: tuple[int, int]
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
        z = empty((len(some), H, W, columns), x.dtype)
        direct_conv2d(some, weights, None, ONE_CELL, False, Output.whole(z))
        _col2im(z.reshape(-1, columns), (H, W), tuple(window), b, relu, y[n : n + at_once])
    return y.reshape(N, *hw, F)
