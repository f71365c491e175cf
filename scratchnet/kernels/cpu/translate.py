"""Pictures moved by whole pixels, each by its own distance."""

from __future__ import annotations

import numpy as np
from numba import prange

from scratchnet.kernels.cpu.runtime.contract import takes
from scratchnet.kernels.cpu.runtime.jit import parallel
from scratchnet.kernels.cpu.runtime.memory import empty


@parallel
def _translate(x, offsets, C, y):
    N, H, row = x.shape
    for task in prange(N * H):
        n, h = task // H, task % H
        out, source, shift = y[n, h], h - offsets[n, 0], offsets[n, 1] * C
        if source < 0 or source >= H:
            out[:] = 0
            continue
        a = x[n, source]
        first, end = min(max(shift, 0), row), max(min(row + shift, row), 0)
        for e in range(first):
            out[e] = 0
        for e in range(first, end):
            out[e] = a[e - shift]
        for e in range(max(end, first), row):
            out[e] = 0


@takes(x="N H W C", offsets="N 2, whole")
def translate(x: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """y[n,h,v,c] = x[n, h - a, v - b, c] with a, b = offsets[n], 0 where that is outside; the backward has -offsets.

    x (N, H, W, C), offsets (N, 2) whole numbers: rows down, columns to the right.
    """
    N, H, W, C = x.shape
    y = empty((N, H, W * C), x.dtype)
    _translate(np.ascontiguousarray(x).reshape(N, H, W * C), np.ascontiguousarray(offsets, np.int64), C, y)
    return y.reshape(x.shape)
