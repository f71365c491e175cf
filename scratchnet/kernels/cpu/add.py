"""The sum of two arrays: of a network's branches, and of the gradients that come back from them."""

from __future__ import annotations

import numpy as np
from numba import prange

from scratchnet.kernels.cpu.runtime.contract import takes
from scratchnet.kernels.cpu.runtime.jit import BLOCK, parallel
from scratchnet.kernels.cpu.runtime.memory import empty


@parallel
def _add(a, a_step, b, b_step, length, relu, y):
    """y in lines of `length`, the last one perhaps shorter; a and b have lines that begin a_step and b_step apart."""
    lines, several, zero = (len(y) + length - 1) // length, max(1, BLOCK // length), y.dtype.type(0)
    for task in prange((lines + several - 1) // several):
        for line in range(task * several, min(lines, (task + 1) * several)):
            out = y[line * length : min(len(y), (line + 1) * length)]
            one, other = a[line * a_step : line * a_step + len(out)], b[line * b_step : line * b_step + len(out)]
            for e in range(len(out)):
                value = one[e] + other[e]
                out[e] = zero if relu and value < 0 else value  # NaN is not below and stays


def _as_lines(a: np.ndarray) -> tuple[np.ndarray, int]:
    """(the numbers from a's first to its last as they lie in memory, how far apart lines along the last axis begin).

    So a slice of the channels, as Concatenate's backward gives it, is read where it lies.
    """
    if a.flags.c_contiguous or a.ndim == 1:
        return np.ascontiguousarray(a).reshape(-1), a.shape[-1]
    length, apart = a.shape[-1] * a.itemsize, a.strides[-2]
    even = all(a.strides[i] == a.strides[i + 1] * a.shape[i + 1] for i in range(a.ndim - 2))
    if a.strides[-1] != a.itemsize or not even or apart < length or apart % a.itemsize:
        return np.ascontiguousarray(a).reshape(-1), a.shape[-1]
    size, step = a.size // a.shape[-1], apart // a.itemsize
    return np.lib.stride_tricks.as_strided(a, ((size - 1) * step + a.shape[-1],), (a.itemsize,)), step


@takes(a="...", b="...")
def add(a: np.ndarray, b: np.ndarray, relu: bool = False) -> np.ndarray:
    """y = a + b. With relu, y = max(y, 0)."""
    y = empty(a.shape, a.dtype)
    if y.size == 0 or (y.size <= BLOCK and not relu):  # too little to wake threads for
        return np.add(a, b, out=y)
    if a.flags.c_contiguous and b.flags.c_contiguous:
        _add(a.reshape(-1), BLOCK, b.reshape(-1), BLOCK, BLOCK, relu, y.reshape(-1))
    else:
        (one, one_step), (other, other_step) = _as_lines(a), _as_lines(b)
        _add(one, one_step, other, other_step, a.shape[-1], relu, y.reshape(-1))
    return y
