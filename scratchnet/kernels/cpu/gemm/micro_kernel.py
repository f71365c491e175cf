"""The micro-kernel under convolution and dense layers: a small matrix product whose sums stay in registers.

Every product of a network is "P numbers times a row of vectors, summed over many steps". The three convolutions and the
three products of a dense layer differ only in where the numbers and the rows lie, and that is what the operands say.
"""

from __future__ import annotations

import functools

import numpy as np

from scratchnet.kernels.cpu.compiling.cache import variant
from scratchnet.kernels.cpu.gemm.prefetching import tile_prefetch
from scratchnet.kernels.cpu.gemm.simd import (
    VECTOR_BYTES,
    has_fma,
    tile_load,
    tile_multiply_add,
    tile_relu,
    tile_store,
    vector_registers,
)
from scratchnet.kernels.cpu.runtime.jit import serial

# Vectors in a row of the tile, and the heights P that are compiled, found by measuring. The tile, a row of vectors and
# one number in all lanes of a vector must fit into the registers: P * Q + Q + 1, and one more where there is no FMA.
Q: int
HEIGHTS: tuple[int, ...]
if vector_registers() == 32:
    Q, HEIGHTS = (2, (13, 9, 8, 6, 4, 2, 1)) if VECTOR_BYTES == 64 else (4, (6, 5, 4, 3, 2, 1))
else:
    Q, HEIGHTS = (2, (6, 5, 4, 3, 2, 1)) if has_fma() else (2, (5, 4, 3, 2, 1))

# Multiply-adds that a processor has under way at once: a tile of fewer waits for its own sums.
_UNDER_WAY = 8

# For what the micro-kernel gets as a constant. Numba gives the literals 0, 1 and False types of their own, and would
# compile all heights anew for each mixture of them.
ZERO, ONE, NO = np.intp(0), np.intp(1), np.bool_(False)


def panel_width(itemsize: int) -> int:
    """Columns of one tile: numbers in Q vectors."""
    return Q * VECTOR_BYTES // itemsize


def _make_micro_kernel(P):
    """The micro-kernel for tiles of P rows, a constant to the compiler."""

    @serial
    @variant(P)
    def kernel(a, left, b, right, depth, s, initial, y, out, relu):
        tile = tile_load(P, Q, s, initial.start, initial.row_step)
        tile_prefetch(P, Q, y, out.start, out.row_step)
        for outer in range(depth.outer):
            for middle in range(depth.middle):
                at_a = left.start + outer * left.outer_step + middle * left.middle_step
                at_b = right.start + outer * right.outer_step + middle * right.middle_step
                for _ in range(depth.inner):
                    tile = tile_multiply_add(tile, P, Q, a, at_a, left.row_step, b, at_b)
                    at_a += left.inner_step
                    at_b += right.inner_step
        if relu:
            tile = tile_relu(tile)
        tile_store(tile, P, Q, y, out.start, out.row_step)

    return kernel


_kernels = [_make_micro_kernel(P) for P in HEIGHTS]
_k0, _k1, _k2, _k3, _k4, _k5, _k6 = (_kernels + _kernels[-1:] * 7)[:7]


@serial
def micro_kernel(height, a, left, b, right, depth, s, initial, y, out, relu):
    """y[p, f] = s[p, f] + the sum over outer, middle, inner of a[p, ...] * b[..., f], for p < P and f < panel width.

    P = HEIGHTS[height]; outer < depth.outer, middle < depth.middle, inner < depth.inner. All arrays are flat:

        y[p, f]      stands at  out.start + p * out.row_step + f
        s[p, f]      stands at  initial.start + p * initial.row_step + f
        a[p, ...]    stands at  left.start + p * left.row_step + outer * left.outer_step + middle * ... + inner * ...
        b[..., f]    stands at  right.start + outer * right.outer_step + middle * ... + inner * ... + f

    s with initial may be y with out, to go on with a sum. With relu, negative results become 0.
    """
    if height == 0:
        _k0(a, left, b, right, depth, s, initial, y, out, relu)
    elif height == 1:
        _k1(a, left, b, right, depth, s, initial, y, out, relu)
    elif height == 2:
        _k2(a, left, b, right, depth, s, initial, y, out, relu)
    elif height == 3:
        _k3(a, left, b, right, depth, s, initial, y, out, relu)
    elif height == 4:
        _k4(a, left, b, right, depth, s, initial, y, out, relu)
    elif height == 5:
        _k5(a, left, b, right, depth, s, initial, y, out, relu)
    else:
        _k6(a, left, b, right, depth, s, initial, y, out, relu)


@functools.lru_cache(maxsize=4096)
def tile_table(
    count: int, overlap: bool, heights: tuple[int, ...] = HEIGHTS, vectors: int = Q, beside: int = 1
) -> np.ndarray:
    """`count` rows cut into tiles in the least time: (first row, index of its height in `heights`, height) of each.

    With `overlap` a tile may begin before the one before it ends, and work out some rows twice. vectors, beside: in a
    row of the tile, and what a tile takes beside its sums, in the time of one.
    """
    cost = [max(P * vectors, _UNDER_WAY) + beside for P in heights]
    best: list[tuple[float, int]] = [(0, -1)]  # for so many rows: time, and one tile's height
    for rows in range(1, count + 1):
        fitting = [k for k, P in enumerate(heights) if (count if overlap else rows) >= P]
        best.append(min((best[max(0, rows - heights[k])][0] + cost[k], k) for k in fitting))
    chosen, rows = [], count
    while rows > 0:
        chosen.append(best[rows][1])
        rows -= heights[chosen[-1]]
    tiles, start = [], 0
    for k in sorted(chosen):  # tall ones first
        tiles.append((min(start, count - heights[k]), k, heights[k]))
        start += heights[k]
    return np.array(tiles, np.int64)
