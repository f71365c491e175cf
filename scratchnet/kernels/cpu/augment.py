"""Pictures moved, turned, recoloured and cut into, in one pass over a batch, and the random numbers for it.

A row of the result is made, recoloured and normalized while it is in the first-level cache. Random numbers come from
Philox with the example's own number as the counter: they do not depend on the batch, on its order or on the threads.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import prange

from scratchnet.kernels.cpu.dropout import philox
from scratchnet.kernels.cpu.gather import COMPILED, check_index, normalize, per_element
from scratchnet.kernels.cpu.jit import parallel, serial
from scratchnet.kernels.cpu.memory import empty

# What lies outside of the picture abcd, by Keras's names.
FILL_MODES = {
    "constant": 0,  # kkkk|abcd|kkkk
    "nearest": 1,  # aaaa|abcd|dddd
    "reflect": 2,  # dcba|abcd|dcba
    "wrap": 3,  # abcd|abcd|abcd
}


@serial
def _uniform(key, step, index, u):
    low, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    for n in range(len(index)):
        number = np.uint64(index[n])
        for group in range((len(u) + 3) // 4):
            counter = number & low, number >> half, step & low, np.uint64(group)
            words = philox(key & low, key >> half, counter[0], counter[1], counter[2], counter[3])
            for k in range(4 * group, min(4 * group + 4, len(u))):
                u[k, n] = words[k - 4 * group] / 4294967296.0


def uniform(key: int, step: int, index: np.ndarray, count: int) -> np.ndarray:
    """(count, N) random numbers from 0 to below 1, in float64: u[k, n] follows from (key, step, index[n], k) alone.

    Args:
        key: 64 random bits.
        step: from 0 to below 2**32; another step, other numbers.
        index: (N,), whole numbers of at least 0.
        count: how many for each.
    """
    u = np.empty((count, len(index)))
    _uniform(np.uint64(key), np.uint64(step), np.asarray(index, np.int64), u)
    return u


@serial
def _inside(i, size, mode):
    """The row or column that stands for number i, which may lie outside; -1 for the fill value."""
    if 0 <= i < size:
        return i
    if mode == 0:
        return -1
    if mode == 1:
        return 0 if i < 0 else size - 1
    if mode == 2:
        i %= 2 * size
        return i if i < size else 2 * size - 1 - i
    return i % size


@serial
def _copy_row(picture, i, m, mode, fill, row):
    """Row i of a picture moved by whole pixels, or mirrored: nothing is computed, the bits are the source's."""
    C = len(fill)
    W = len(row) // C
    h = _inside(i * int(m[0]) + int(m[2]), len(picture), mode)
    step, left = int(m[4]), int(m[5])
    for j in range(W):
        v = _inside(left + step * j, W, mode)
        for c in range(C):
            row[j * C + c] = picture[h, v * C + c] if h >= 0 and v >= 0 else fill[c]


@serial
def _blend_row(picture, i, m, mode, fill, row):
    """Row i by bilinear interpolation."""
    H, C = len(picture), len(fill)
    W = len(row) // C
    y0, y1, x0, x1 = m[0] * i + m[2], m[1], m[3] * i + m[5], m[4]
    for j in range(W):
        y, x = y0 + y1 * j, x0 + x1 * j
        top, left = int(math.floor(y)), int(math.floor(x))
        down, right = row.dtype.type(y - top), row.dtype.type(x - left)
        if 0 <= top < H - 1 and 0 <= left < W - 1:
            above, below = picture[top, left * C : (left + 2) * C], picture[top + 1, left * C : (left + 2) * C]
            for c in range(C):
                a, b, d, e = row.dtype.type(above[c]), row.dtype.type(above[c + C]), row.dtype.type(below[c]), row.dtype.type(below[c + C])
                a += (b - a) * right
                d += (e - d) * right
                row[j * C + c] = a + (d - a) * down
        else:
            h0, h1 = _inside(top, H, mode), _inside(top + 1, H, mode)
            v0, v1 = _inside(left, W, mode), _inside(left + 1, W, mode)
            for c in range(C):
                a = row.dtype.type(picture[h0, v0 * C + c]) if h0 >= 0 and v0 >= 0 else fill[c]
                b = row.dtype.type(picture[h0, v1 * C + c]) if h0 >= 0 and v1 >= 0 else fill[c]
                d = row.dtype.type(picture[h1, v0 * C + c]) if h1 >= 0 and v0 >= 0 else fill[c]
                e = row.dtype.type(picture[h1, v1 * C + c]) if h1 >= 0 and v1 >= 0 else fill[c]
                a += (b - a) * right
                d += (e - d) * right
                row[j * C + c] = a + (d - a) * down


@parallel
def _augment(x, index, matrix, mode, fill, colour, hole, scale, offset, y):
    C = len(fill)
    for n in prange(len(y)):
        picture, m = x[index[n]], matrix[n]
        gain, shift = colour[n, 0], colour[n, 1]
        top, bottom, left, right = hole[n, 0], hole[n, 1], hole[n, 2], hole[n, 3]
        whole = abs(m[0]) == 1 and m[1] == 0 and m[3] == 0 and abs(m[4]) == 1
        whole = whole and m[2] == math.floor(m[2]) and m[5] == math.floor(m[5])
        for i in range(y.shape[1]):
            row = y[n, i]
            if whole:
                _copy_row(picture, i, m, mode, fill, row)
            else:
                _blend_row(picture, i, m, mode, fill, row)
            if gain != 1 or shift != 0:
                for e in range(len(row)):
                    row[e] = min(max(gain * row[e] + shift, 0), 255)
            if top <= i < bottom:
                for j in range(left, right):
                    for c in range(C):
                        row[j * C + c] = fill[c]
            if len(scale):
                normalize(row, scale, offset)
