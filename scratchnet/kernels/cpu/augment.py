"""Pictures moved, rotated, recoloured and cut into, in one pass over a batch, and the random numbers for it.

A row of the result is made, recoloured and normalized while it is in the first-level cache. Random numbers come from
Philox with the example's own number as the counter: they do not depend on the batch, on its order or on the threads.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import prange

from scratchnet.arguments import check_count, check_index
from scratchnet.kernels.checks import check_float, check_pictures, check_word
from scratchnet.kernels.cpu.dropout import philox
from scratchnet.kernels.cpu.gather import COMPILED, normalize, per_element
from scratchnet.kernels.cpu.runtime.jit import parallel, serial
from scratchnet.kernels.cpu.runtime.memory import empty

# How the kernels below know them: a fill mode's number.
_MODES = {"constant": 0, "nearest": 1, "reflect": 2, "wrap": 3}


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
    words = check_word(key, "key", "uniform"), check_word(step, "step", "uniform", bits=32)
    index = np.array(check_index(index, 2**63 - 1))
    u = np.empty((check_count(count, "count", "uniform", smallest=0), len(index)))
    _uniform(*words, index, u)
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
def _copy_pixels(source, first, last, left, step, mode, fill, row):
    """Pixels from `first` to before `last` of a row, some of which may lie outside of the picture's row `source`."""
    C = len(fill)
    W = len(row) // C
    for j in range(first, last):
        v = _inside(left + step * j, W, mode)
        for c in range(C):
            row[j * C + c] = source[v * C + c] if v >= 0 else fill[c]


@serial
def _copy_row(picture, i, m, mode, fill, row):
    """Row i of a picture moved by whole pixels, or mirrored: nothing is computed, the bits are the source's."""
    C = len(fill)
    W = len(row) // C
    step, left = int(m[4]), int(m[5])
    h = _inside(i * int(m[0]) + int(m[2]), len(picture), mode)
    if h < 0:
        for e in range(len(row)):
            row[e] = fill[e % C]
        return
    source = picture[h]
    # From `first` to before `last`, pixels come from inside; the long loops are here.
    first = min(max(-left if step > 0 else left - W + 1, 0), W)
    last = max(min(W - left if step > 0 else left + 1, W), first)
    _copy_pixels(source, 0, first, left, step, mode, fill, row)
    if step > 0:
        for e in range(first * C, last * C):
            row[e] = source[left * C + e]
    else:
        for j in range(first, last):
            for c in range(C):
                row[j * C + c] = source[(left - j) * C + c]
    _copy_pixels(source, last, W, left, step, mode, fill, row)


@serial
def _blend_row(picture, i, m, mode, fill, row):
    """Row i by bilinear interpolation between the four pixels round each place."""
    H, C = len(picture), len(fill)
    W = len(row) // C
    real = row.dtype.type
    y0, y1, x0, x1 = m[0] * i + m[2], m[1], m[3] * i + m[5], m[4]
    for j in range(W):
        y, x = y0 + y1 * j, x0 + x1 * j
        top, left = math.floor(y), math.floor(x)
        down, right = real(y - top), real(x - left)
        h0, h1, v0, v1 = top, top + 1, left, left + 1
        if not (0 <= top < H - 1 and 0 <= left < W - 1):
            h0, h1 = _inside(top, H, mode), _inside(top + 1, H, mode)
            v0, v1 = _inside(left, W, mode), _inside(left + 1, W, mode)
        for c in range(C):
            a = real(picture[h0, v0 * C + c]) if h0 >= 0 and v0 >= 0 else fill[c]
            b = real(picture[h0, v1 * C + c]) if h0 >= 0 and v1 >= 0 else fill[c]
            d = real(picture[h1, v0 * C + c]) if h1 >= 0 and v0 >= 0 else fill[c]
            e = real(picture[h1, v1 * C + c]) if h1 >= 0 and v1 >= 0 else fill[c]
            a += (b - a) * right
            d += (e - d) * right
            row[j * C + c] = a + (d - a) * down


@serial
def _mean(picture):
    total = 0.0
    for i in range(len(picture)):
        for e in range(picture.shape[1]):
            total += picture[i, e]
    return total / picture.size


@parallel
def _augment(x, index, matrix, mode, fill, colour, low, high, hole, scale, offset, y):
    C = len(fill)
    for n in prange(len(y)):
        picture, m = x[index[n]], matrix[n]
        whole = abs(m[0]) == 1 and m[1] == 0 and m[3] == 0 and abs(m[4]) == 1
        whole = whole and m[2] == math.floor(m[2]) and m[5] == math.floor(m[5])
        contrast, factor, addend = colour[n, 0], colour[n, 1], colour[n, 2]
        recoloured = contrast != 1 or factor != 1 or addend != 0
        if contrast != 1:
            addend += factor * (1 - contrast) * _mean(picture)
            factor *= contrast
        gain, shift = y.dtype.type(factor), y.dtype.type(addend)
        top, bottom, left, right = hole[n, 0], hole[n, 1], hole[n, 2], hole[n, 3]
        for i in range(y.shape[1]):
            row = y[n, i]
            if whole:
                _copy_row(picture, i, m, mode, fill, row)
            else:
                _blend_row(picture, i, m, mode, fill, row)
            if recoloured:
                for e in range(len(row)):
                    row[e] = min(max(gain * row[e] + shift, low), high)
            if top <= i < bottom:
                for j in range(left, right):
                    for c in range(C):
                        row[j * C + c] = fill[c]
            if len(scale):
                normalize(row, scale, offset)


def augment(
    x: np.ndarray,
    index: np.ndarray,
    matrix: np.ndarray,
    mode: str = "reflect",
    fill: Any = 0,
    colour: np.ndarray | None = None,
    limits: tuple[float, float] = (0, 255),
    hole: np.ndarray | None = None,
    scale: Any = None,
    offset: Any = None,
    dtype: Any = np.float32,
) -> np.ndarray:
    """Pictures x[index], each moved by its own matrix, then recoloured, cut into, and normalized.

    Pixel (i, j) of the result is that at (m0 i + m1 j + m2, m3 i + m4 j + m5) of the source, blended from the four
    round that place; where all of these are whole numbers, as in a shift or a flip, it is copied. Then

        v = min(max(factor * (mean + contrast * (v - mean)) + addend, low), high)

    with the source picture's mean over all its numbers; then `fill` inside the hole; then v * scale + offset.

    Args:
        x: (M, H, W, C), all pictures.
        index: (N,), the numbers of the pictures to take.
        matrix: (N, 6), rows (m0, ..., m5), each at most a million.
        mode: what lies outside of a picture, one of `kernels.interface.FILL_MODES`.
        fill: with mode "constant", and in holes: a number, or one for each channel.
        colour: (N, 3), rows (contrast, factor, addend); None changes nothing.
        limits: (low, high) of recoloured numbers.
        hole: (N, 4), whole numbers (top, bottom, left, right), the latter of each pair beyond the last pixel; None for
            none.
        scale, offset: a number, or one for each channel; None for 1 and 0.
        dtype: float32 or float64.

    Raises:
        ValueError: shapes that do not fit, numbers in the matrix that are not finite or too large.
        IndexError: an index out of range.
    """
    x, dtype = np.asarray(x), check_float(dtype, "augment")
    check_pictures(x, mode, _MODES)
    index = check_index(index, len(x))
    if x.dtype not in COMPILED or not x.flags.c_contiguous:
        x, index = np.ascontiguousarray(x[index], x.dtype if x.dtype in COMPILED else dtype), np.arange(len(index))
    N, (H, W, C) = len(index), x.shape[1:]
    matrix = _rows(matrix, "matrix", (N, 6))
    if not np.abs(matrix).max(initial=0) <= 1e6:
        raise ValueError("expected numbers of at most a million in matrix, got NaN or larger ones.")
    colour = np.tile([1.0, 1.0, 0.0], (N, 1)) if colour is None else _rows(colour, "colour", (N, 3))
    hole = np.zeros((N, 4), np.int64) if hole is None else _rows(hole, "hole", (N, 4), np.int64)
    hole = np.clip(hole, 0, (H, H, W, W))
    scale, offset = (
        np.empty(0, dtype) if scale is None and offset is None else per_element(value, name, C, W, dtype)
        for name, value in (("scale", 1 if scale is None else scale), ("offset", 0 if offset is None else offset))
    )
    low, high = map(dtype.type, limits)
    y = empty((N, H, W, C), dtype)
    fill = per_element(fill, "fill", C, 1, dtype)
    rows = x.reshape(len(x), H, W * C), index, matrix, _MODES[mode], fill, colour, low, high, hole
    _augment(*rows, scale, offset, y.reshape(N, H, W * C))
    return y


def _rows(values: Any, name: str, shape: tuple[int, int], dtype: Any = np.float64) -> np.ndarray:
    values = np.ascontiguousarray(values, dtype)
    if values.shape != shape:
        raise ValueError(f"expected {name} of shape {shape}, a row for each picture, got {values.shape}.")
    return values
