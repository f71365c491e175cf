"""The one building block under convolution and dense layers: a small matrix product that is summed in registers.

Every product of a network is "P numbers times a row of vectors, summed over many steps". The three convolutions and the
three products of a dense layer differ only in where the numbers and the rows lie, and that is what the steps say.
"""

from __future__ import annotations

import functools

import numpy as np

from scratchnet.kernels.cpu.cache import variant
from scratchnet.kernels.cpu.jit import serial
from scratchnet.kernels.cpu.simd import (
    VECTOR_BYTES,
    has_fma,
    tile_load,
    tile_multiply_add,
    tile_relu,
    tile_store,
    vector_registers,
)

# Vectors in a row of the tile, and the heights P that are compiled, found by measuring. The tile, a row of vectors and
# one number spread over a vector must fit into the registers: P * Q + Q + 1, and one more where there is no FMA.
if vector_registers() == 32:
    Q, HEIGHTS = (2, (13, 9, 8, 6, 4, 2, 1)) if VECTOR_BYTES == 64 else (4, (6, 5, 4, 3, 2, 1))
else:
    Q, HEIGHTS = (2, (6, 5, 4, 3, 2, 1)) if has_fma() else (2, (5, 4, 3, 2, 1))

# Multiply-adds that a processor has under way at once: a tile of fewer waits for its own sums.
_UNDER_WAY = 8


def panel_width(itemsize: int) -> int:
    """Columns of one tile: numbers in Q vectors."""
    return Q * VECTOR_BYTES // itemsize


def _make_kernel(P):
    """The building block for P rows, which the compiler knows."""

    @serial
    @variant(P)
    def kernel(a, a0, ap, ao, ai, at, b, b0, bo, bi, bt, O, I, T, s, s0, sp, y, y0, yp, relu):  # noqa: E741
        tile = tile_load(P, Q, s, s0, sp)
        for o in range(O):
            for i in range(I):
                m, n = a0 + o * ao + i * ai, b0 + o * bo + i * bi
                for _ in range(T):
                    tile = tile_multiply_add(tile, P, Q, a, m, ap, b, n)
                    m += at
                    n += bt
        if relu:
            tile = tile_relu(tile)
        tile_store(tile, P, Q, y, y0, yp)

    return kernel


_kernels = [_make_kernel(P) for P in HEIGHTS]
_k0, _k1, _k2, _k3, _k4, _k5, _k6 = (_kernels + _kernels[-1:] * 7)[:7]


@serial
def add_products(which, a, a0, ap, ao, ai, at, b, b0, bo, bi, bt, O, I, T, s, s0, sp, y, y0, yp, relu):  # noqa: E741
    """y[y0 + p*yp + f] = s[s0 + p*sp + f] + the sum over o, i, t of a[A + p*ap] * b[B + f], for p < P, f < panel width.

    A = a0 + o*ao + i*ai + t*at and B = b0 + o*bo + i*bi + t*bt; o < O, i < I, t < T. P = HEIGHTS[which]. All arrays are
    flat. s may be y itself, to go on with a sum. With relu, negative results become 0.
    """
    if which == 0:
        _k0(a, a0, ap, ao, ai, at, b, b0, bo, bi, bt, O, I, T, s, s0, sp, y, y0, yp, relu)
    elif which == 1:
        _k1(a, a0, ap, ao, ai, at, b, b0, bo, bi, bt, O, I, T, s, s0, sp, y, y0, yp, relu)
    elif which == 2:
        _k2(a, a0, ap, ao, ai, at, b, b0, bo, bi, bt, O, I, T, s, s0, sp, y, y0, yp, relu)
    elif which == 3:
        _k3(a, a0, ap, ao, ai, at, b, b0, bo, bi, bt, O, I, T, s, s0, sp, y, y0, yp, relu)
    elif which == 4:
        _k4(a, a0, ap, ao, ai, at, b, b0, bo, bi, bt, O, I, T, s, s0, sp, y, y0, yp, relu)
    elif which == 5:
        _k5(a, a0, ap, ao, ai, at, b, b0, bo, bi, bt, O, I, T, s, s0, sp, y, y0, yp, relu)
    else:
        _k6(a, a0, ap, ao, ai, at, b, b0, bo, bi, bt, O, I, T, s, s0, sp, y, y0, yp, relu)


@functools.lru_cache(maxsize=4096)
def tile_table(count: int, overlap: bool) -> np.ndarray:
    """`count` rows cut into tiles in the least time: (first row, index of its height in HEIGHTS, height) of each.

    With `overlap` a tile may begin before the one before it ends, and work out some rows twice.
    """
    cost = [max(P * Q, _UNDER_WAY) + 1 for P in HEIGHTS]
    best: list[tuple[float, int]] = [(0, -1)]  # for so many rows: time, and one tile's height
    for rows in range(1, count + 1):
        fitting = [k for k, P in enumerate(HEIGHTS) if (count if overlap else rows) >= P]
        best.append(min((best[max(0, rows - HEIGHTS[k])][0] + cost[k], k) for k in fitting))
    chosen, rows = [], count
    while rows > 0:
        chosen.append(best[rows][1])
        rows -= HEIGHTS[chosen[-1]]
    tiles, start = [], 0
    for k in sorted(chosen):  # tall ones first
        tiles.append((min(start, count - HEIGHTS[k]), k, HEIGHTS[k]))
        start += HEIGHTS[k]
    return np.array(tiles, np.int64)
