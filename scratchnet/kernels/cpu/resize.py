"""Pictures in another size, and the gradient: one axis after the other, each number a blend of two or a copy of one.

Which two, and with which weights, is worked out in whole numbers: it is the same on every device.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import prange

from scratchnet.kernels.cpu.runtime.contract import takes
from scratchnet.kernels.cpu.runtime.jit import in_order
from scratchnet.kernels.cpu.runtime.memory import empty


class _Axis(NamedTuple):
    """For each of the new cells the two old ones that it is blended from, and the weight of the second."""

    low: np.ndarray
    high: np.ndarray
    weight: np.ndarray
    begin: np.ndarray  # for each of the old cells the new ones that it may have a part in, from begin to below end
    end: np.ndarray


def _axis(size: int, new: int, bilinear: bool, dtype: np.dtype) -> _Axis:
    """From `size` cells to `new` ones: the middle of cell i lies at (i + 1/2) * size / new in units of old cells."""
    middle, cell = (2 * np.arange(new) + 1) * size, np.arange(size)  # middle in units of 1 / (2 * new)
    if not bilinear:
        nearest = middle // (2 * new)
        ends = np.searchsorted(nearest, cell), np.searchsorted(nearest, cell, "right")
        return _Axis(nearest, nearest, np.zeros(new, dtype), *ends)
    below, rest = np.divmod(middle - new, 2 * new)  # the last old middle at or before it
    ends = np.searchsorted(below, cell - 1), np.searchsorted(below, cell, "right")
    return _Axis(below.clip(0), (below + 1).clip(0, size - 1), (rest / (2 * new)).astype(dtype), *ends)


@in_order
def _blend(x, low, high, weight, bilinear, y):
    A, new, B = y.shape
    for task in prange(A * new):
        a, i = task // new, task % new
        one, two, out, t = x[a, low[i]], x[a, high[i]], y[a, i], weight[i]
        if bilinear:
            for b in range(B):
                out[b] = one[b] + (two[b] - one[b]) * t
        else:
            for b in range(B):
                out[b] = one[b]


@in_order
def _collect(dy, low, high, weight, begin, end, dx):
    A, size, B = dx.shape
    one = weight.dtype.type(1)
    for task in prange(A * size):
        a, h = task // size, task % size
        out = dx[a, h]
        for b in range(B):
            out[b] = 0
        for i in range(begin[h], end[h]):
            part, t = dy[a, i], weight[i]
            if low[i] == h and high[i] == h:
                t = one
            elif low[i] == h:
                t = one - t
            for b in range(B):
                out[b] += part[b] * t


@takes(x="N A B C")
def resize2d(x: np.ndarray, output_hw: tuple[int, int], bilinear: bool = True) -> np.ndarray:
    """y[n,i,j,c] = what lies at ((i + 1/2) * A / H - 1/2, (j + 1/2) * B / W - 1/2) in x[n,:,:,c], blended."""
    (N, A, B, C), (H, W) = x.shape, output_hw
    rows, columns = _axis(A, H, bilinear, x.dtype), _axis(B, W, bilinear, x.dtype)
    between, y = empty((N, H, B * C), x.dtype), empty((N, H, W, C), x.dtype)
    _blend(np.ascontiguousarray(x).reshape(N, A, B * C), *rows[:3], bilinear, between)
    _blend(between.reshape(N * H, B, C), *columns[:3], bilinear, y.reshape(N * H, W, C))
    return y


@takes(dy="N A B C")
def resize2d_backward(dy: np.ndarray, input_hw: tuple[int, int], bilinear: bool = True) -> np.ndarray:
    """dx[n,h,v,c] = sum of dy[n,i,j,c] times the part that x[n,h,v,c] has in y[n,i,j,c]."""
    (N, A, B, C), (H, W) = dy.shape, input_hw
    rows, columns = _axis(H, A, bilinear, dy.dtype), _axis(W, B, bilinear, dy.dtype)
    between, dx = empty((N * A, W, C), dy.dtype), empty((N, H, W, C), dy.dtype)
    _collect(np.ascontiguousarray(dy).reshape(N * A, B, C), *columns, between)
    _collect(between.reshape(N, A, W * C), *rows, dx.reshape(N, H, W * C))
    return dx
