"""Packing: weights copied into panels, in the order in which the micro-kernel reads them."""

from __future__ import annotations

import numpy as np
from numba import prange

from scratchnet.kernels.cpu.gemm.micro_kernel import panel_width
from scratchnet.kernels.cpu.gemm.operands import Weights
from scratchnet.kernels.cpu.gemm.simd import VECTOR_BYTES, transpose_block
from scratchnet.kernels.cpu.runtime.jit import parallel
from scratchnet.kernels.cpu.runtime.memory import empty


@parallel
def _pack(w, start, steps, sizes, panels, flat):
    """panels[(p, k, l, c), e] = weight (k, l, c, p * width + e); 0 beyond F. flat is panels as one axis."""
    (k_step, l_step, c_step, f_step), (KH, KW, C, F) = steps, sizes
    width, lanes = panels.shape[1], VECTOR_BYTES // w.itemsize
    for task in prange((F + width - 1) // width * KH * KW):
        f0, kl = task // (KH * KW) * width, task % (KH * KW)
        first, here = start + kl // KW * k_step + kl % KW * l_step + f0 * f_step, min(width, F - f0)
        # Weights that lie along c are transposed block by block; what the blocks leave goes number by number.
        blocks = c_step == 1 and f_step != 1
        down, across = (C // lanes * lanes, here // lanes * lanes) if blocks else (0, 0)
        for c in range(0, down, lanes):
            for e in range(0, across, lanes):
                transpose_block(w, first + c + e * f_step, f_step, flat, (task * C + c) * width + e, width)
        for c in range(C):
            line = panels[task * C + c]
            if f_step == 1:
                source = w[first + c * c_step : first + c * c_step + here]
                for e in range(here):
                    line[e] = source[e]
            else:
                for e in range(across if c < down else 0, here):
                    line[e] = w[first + c * c_step + e * f_step]
            for e in range(here, width):
                line[e] = 0


def pack(weights: Weights, KH: int, KW: int, C: int, F: int) -> np.ndarray:
    """packed[p, k, l, c, e] = weight (k, l, c, f) with f = p * width + e, 0 where f is F or more; as one axis.

    width is the micro-kernel's: a panel holds the weights of as many filters as a tile has columns.
    """
    width = panel_width(weights.array.itemsize)
    panels = empty((-(-F // width) * KH * KW * C, width), weights.array.dtype)
    _pack(weights.array, weights.start, tuple(weights[2:]), (KH, KW, C, F), panels, panels.reshape(-1))
    return panels.reshape(-1)


def transposed(x: np.ndarray) -> np.ndarray:
    """x.T for x (D, N) contiguous, as a new contiguous array."""
    D, N = x.shape
    rows = next(n for n in (16, 8, 4, 2, 1) if N % n == 0)  # rows of the result in a task
    y = empty((N, D), x.dtype)
    # As packing: one panel of D filters, with `rows` channels for each of N // rows cells.
    _pack(x.reshape(-1), 0, (rows, 0, 1, N), (N // rows, 1, rows, D), y, y.reshape(-1))
    return y
