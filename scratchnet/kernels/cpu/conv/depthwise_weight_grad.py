"""The gradient of a depthwise 3x3 convolution's weights: x and dy are read where they are, each lane is a channel.

The sums of the nine taps, a vector of channels wide, stay in registers while they go over some rows of a picture.
Beside x there are zeros. All is summed as in `narrow_weight_grad`, in the same order, to the same bits. That one copies
x first, with zeros around it, and is for kernels of any size: more sums would leave no registers for the rest.

x (N, H, W, C), dy (N, OH, OW, C), dw (3, 3, 1, C).
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numba
import numpy as np
from numba import prange

from scratchnet.kernels.cpu.conv.narrow_weight_grad import parts_and_bands
from scratchnet.kernels.cpu.conv.taps import beside_window_multiply_add
from scratchnet.kernels.cpu.gemm.operands import Window
from scratchnet.kernels.cpu.gemm.prefetching import prefetch
from scratchnet.kernels.cpu.gemm.simd import VECTOR_BYTES, tile_load, tile_store, vector_registers
from scratchnet.kernels.cpu.machine.caches import CACHES
from scratchnet.kernels.cpu.runtime.jit import inlined_in_order, parallel, scratch
from scratchnet.kernels.cpu.runtime.memory import empty
from scratchnet.kernels.cpu.sums import sum_of

# Of x and dy, that are gone through for one vector of channels after the other: they stay in the second-level cache.
_ROWS_BYTES = CACHES.second // 2
_BLOCKS_A_TASK = 4  # vectors of channels, at least, where a task has not all
_TASKS = 32  # enough to keep many threads busy
# Outputs of a row whose slopes are held at once, beside nine sums and a pixel: each pixel is then loaded once for all.
_SLOPES = 4 if vector_registers() == 32 else 2


class _Cut(NamedTuple):
    """How the sum is cut: parts of the batch, bands of a picture, vectors of channels in a task, rows at a time."""

    parts: int
    bands: int
    group: int
    some: int


@inlined_in_order
def _add_taps(sums, so, x, xo, h, H, v, W, C, strides, ask, zeros, dy, do, rows, OW):
    """sums[so + (k, l)] += the sum over i < rows and j < OW of pixel (i, j) shifted by (k, l), and slope (i, j).

    Pixel (0, 0) is in row h and column v of the picture. It is a part of its caller: as a function of its own, the copy
    that is kept on disk, which LLVM optimizes twice, would be up to a half slower than the one that is run at once.
    """
    (sh, sw), (ahead, down), lanes = strides, ask, len(zeros)
    together = OW // _SLOPES if sw == 1 else 0
    tile = tile_load(9, 1, sums, so, lanes)
    for i in range(rows):
        at_x, at_dy, row, column = xo + i * sh * W * C, do + i * OW * C, h + i * sh, v
        for _ in range(together):
            for q in range(_SLOPES):
                prefetch(dy, at_dy + OW * C + q * C)
                for r in range(down):
                    prefetch(x, at_x + ahead + (r * W + q) * C)
            tile = beside_window_multiply_add(
                tile, _SLOPES, 3, 3, x, at_x, W * C, C, row, H, column, W, zeros, dy, at_dy
            )
            at_x += _SLOPES * C
            at_dy += _SLOPES * C
            column += _SLOPES
        for _ in range(OW - _SLOPES * together):
            prefetch(dy, at_dy + OW * C)
            for r in range(down):
                for q in range(sw):
                    prefetch(x, at_x + ahead + (r * W + q) * C)
            tile = beside_window_multiply_add(tile, 1, 3, 3, x, at_x, W * C, C, row, H, column, W, zeros, dy, at_dy)
            at_x += sw * C
            at_dy += C
            column += sw
    tile_store(tile, 9, 1, sums, so, lanes)


@parallel
def _weight_grad(x, x_shape, dy, dy_shape, window, cut, ask, zeros, partial, buffers):
    """partial[part, (k, l, c)]; a part is a number of pictures, or a band of rows of each of them."""
    N, H, W, C = x_shape
    _, _, sh, sw, top, left = window
    _, OH, OW, _ = dy_shape
    parts, bands, group, some = cut
    lanes = len(zeros)
    blocks = (C + lanes - 1) // lanes
    groups = (blocks + group - 1) // group
    for task in prange(parts * bands * groups):
        part, band, b0 = task // groups // bands, task // groups % bands, task % groups * group
        b1, i1 = min(blocks, b0 + group), (band + 1) * OH // bands
        sums, nothing = buffers[numba.get_thread_id()], tile_load(1, 1, zeros, 0, 0)
        for at in range(0, (b1 - b0) * 9 * lanes, lanes):
            tile_store(nothing, 1, 1, sums, at, 0)
        for n in range(part * N // parts, (part + 1) * N // parts):
            for i in range(band * OH // bands, i1, some):
                h, rows = i * sh - top, min(some, i1 - i)
                for b in range(b0, b1):
                    c = min(b * lanes, C - lanes)  # the last vector may begin before the one before it ends
                    xo, do = ((n * H + h) * W - left) * C + c, (n * OH + i) * OW * C + c
                    _add_taps(
                        sums, (b - b0) * 9 * lanes, x, xo, h, H, -left, W, C, (sh, sw), ask, zeros, dy, do, rows, OW
                    )  # fmt: skip
        out = partial[part * bands + band]
        for b in range(b0, b1):
            tile = tile_load(9, 1, sums, (b - b0) * 9 * lanes, lanes)
            tile_store(tile, 9, 1, out, min(b * lanes, C - lanes), C)


def fits(x: np.ndarray, dy: np.ndarray, window: Window) -> bool:
    """Whether `depthwise_weight_grad` can compute this: a 3x3 convolution, and channels that fill a vector."""
    return window[:2] == (3, 3) and len(x) > 0 and x.shape[3] == dy.shape[3] >= VECTOR_BYTES // x.itemsize


@functools.lru_cache(maxsize=1024)
def _plan(x_shape: tuple[int, ...], dy_shape: tuple[int, ...], window: Window, itemsize: int) -> _Cut:
    (N, OH, OW, C), W, (KH, _, sh, _, _, _) = dy_shape, x_shape[2], window
    parts, bands = parts_and_bands(N, OH, OW)
    blocks = -(-C * itemsize // VECTOR_BYTES)
    groups = max(1, min(-(-_TASKS // (parts * bands)), blocks // _BLOCKS_A_TASK))
    group = -(-blocks // groups)
    wide = group * VECTOR_BYTES
    some = max(1, min(OH, (_ROWS_BYTES - (KH - sh) * W * wide) // ((sh * W + OW) * wide)))
    return _Cut(parts, bands, group, -(-OH // -(-OH // some)))


def depthwise_weight_grad(x: np.ndarray, dy: np.ndarray, window: Window) -> np.ndarray:
    """dw[k,l,0,c] = sum over n, i, j of x~[n, sh*i + k - top, sw*j + l - left, c] * dy[n,i,j,c].

    x (N, H, W, C), dy (N, OH, OW, C), both contiguous; x~ is x with zeros around it. For what `fits`.
    """
    (KH, KW, sh, _, _, _), (_, _, W, C), lanes = window, x.shape, VECTOR_BYTES // x.itemsize
    cut = _plan(x.shape, dy.shape, window, x.itemsize)
    partial = empty((cut.parts * cut.bands, KH * KW * C), x.dtype)
    ask = (KH * W * C, sh) if x.nbytes > _ROWS_BYTES else (0, 0)  # the rows that the next row of outputs sees anew
    _weight_grad(
        x.reshape(-1), x.shape, dy.reshape(-1), dy.shape, tuple(window), tuple(cut), ask, np.zeros(lanes, x.dtype),
        partial, scratch(cut.group * KH * KW * lanes, x.dtype),
    )  # fmt: skip
    return sum_of(partial).reshape(KH, KW, 1, C)
