"""The seven programs, slowest first. All have the same task, with stride 1 and without padding:

    y[n,i,j,f] = sum over k, l, c of x[n, i+k, j+l, c] * w[k,l,c,f]

x (N, H, W, C), w (KH, KW, C, F), float32 or float64.
"""

# ruff: noqa: E741  # k, l and c are the letters of the formula; the notebook shows these functions

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numba import prange

from scratchnet.kernels.cpu.conv.direct import direct_conv2d
from scratchnet.kernels.cpu.gemm.operands import Output, Weights, Window
from scratchnet.kernels.cpu.gemm.simd import VECTOR_BYTES
from scratchnet.kernels.cpu.runtime.jit import parallel, serial
from scratchnet.kernels.cpu.winograd.conv2d import winograd_conv2d
from scratchnet.kernels.cpu.winograd.transforms import Algorithm


def zeros_for_output(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """y (N, OH, OW, F), all 0."""
    return np.zeros((len(x), x.shape[1] - w.shape[0] + 1, x.shape[2] - w.shape[1] + 1, w.shape[3]), x.dtype)


def python_loops(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """The sum as it is written: seven loops of Python."""
    N, H, W, _ = x.shape
    KH, KW, _, F = w.shape
    y = np.zeros((N, H - KH + 1, W - KW + 1, F), x.dtype)
    for n in range(y.shape[0]):
        for i in range(y.shape[1]):
            for j in range(y.shape[2]):
                for f in range(y.shape[3]):
                    for k in range(w.shape[0]):
                        for l in range(w.shape[1]):
                            for c in range(w.shape[2]):
                                y[n, i, j, f] += x[n, i + k, j + l, c] * w[k, l, c, f]
    return y


_compiled_loops = serial(python_loops, makes_arrays=True)


def compiled_loops(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """The same loops, compiled by Numba."""
    return _compiled_loops(x, w)


@parallel
def _parallel_loops(x, w, y):
    for n in prange(y.shape[0]):
        for i in range(y.shape[1]):
            for j in range(y.shape[2]):
                for f in range(y.shape[3]):
                    for k in range(w.shape[0]):
                        for l in range(w.shape[1]):
                            for c in range(w.shape[2]):
                                y[n, i, j, f] += x[n, i + k, j + l, c] * w[k, l, c, f]


def parallel_loops(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """The same loops with `prange` for the first: the pictures shared out among threads."""
    y = zeros_for_output(x, w)
    _parallel_loops(x, w, y)
    return y


@parallel
def _filters_innermost(x, w, y):
    for n in prange(y.shape[0]):
        for i in range(y.shape[1]):
            for j in range(y.shape[2]):
                out = y[n, i, j]
                for k in range(w.shape[0]):
                    for l in range(w.shape[1]):
                        for c in range(w.shape[2]):
                            number, row = x[n, i + k, j + l, c], w[k, l, c]
                            for f in range(len(out)):
                                out[f] += number * row[f]


def filters_innermost(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """The loops in another order: along f all numbers are neighbours, so one instruction takes many of them."""
    y = zeros_for_output(x, w)
    _filters_innermost(x, w, y)
    return y


def im2col(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """All windows copied into the rows of one matrix, then NumPy's matrix product."""
    KH, KW, C, F = w.shape
    views = np.lib.stride_tricks.sliding_window_view(x, (KH, KW), axis=(1, 2))
    N, OH, OW = views.shape[:3]  # views: (N, OH, OW, C, KH, KW)
    rows = views.transpose(0, 1, 2, 4, 5, 3).reshape(N * OH * OW, KH * KW * C)
    return (rows @ w.reshape(KH * KW * C, F)).reshape(N, OH, OW, F)


def _operands(x: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, Weights, Window]:
    """(y, where w lies, its window), for the package's own convolutions."""
    KH, KW, C, F = w.shape
    return zeros_for_output(x, w), Weights(w.reshape(-1), 0, KW * C * F, C * F, F, 1), Window(KH, KW, 1, 1, 0, 0)


def register_tile(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Sums held in registers by the micro-kernel: the direct convolution that scratchnet's layers use."""
    y, weights, window = _operands(x, w)
    direct_conv2d(x, weights, None, window, False, Output.whole(y))
    return y


def fewer_multiplications(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Winograd's F(2, 3) on the micro-kernel: four outputs at a time from 16 products where the formula has 36.

    Kernels of 2 x 2 take F(2, 2), 9 for 16. See `kernels/cpu/winograd`.

    Raises:
        ValueError: kernels of another size than 2 x 2 or 3 x 3, or channels that leave a part of a vector.
    """
    KH, KW, C, F = w.shape
    lanes = VECTOR_BYTES // x.itemsize
    if KH not in (2, 3) or KH != KW or C % lanes or F % lanes:
        raise ValueError(
            f"expected w of shape (3, 3, C, F) or (2, 2, C, F) with C and F multiples of {lanes}, got {w.shape}."
        )
    y, weights, window = _operands(x, w)
    winograd_conv2d(Algorithm(2, KH), x, weights, None, window, False, Output.whole(y))
    return y


RUNGS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "loops in Python": python_loops,
    "the same, compiled": compiled_loops,
    "the same, all cores": parallel_loops,
    "filters innermost": filters_innermost,
    "im2col and @": im2col,
    "register tile": register_tile,
    "fewer multiplications": fewer_multiplications,
}
