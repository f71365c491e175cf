"""The gradient of a depthwise 3x3 or 5x5 convolution's weights: x and dy are read where they are, lanes are channels.

The sums of some rows of taps, a vector of channels wide, stay in registers while the window slides along some rows of a
picture. Beside x there are zeros. All is summed as in `narrow_weight_grad`, in the same order, to the same bits. That
one copies x first, with zeros around it, and is for kernels of any size.

x (N, H, W, C), dy (N, OH, OW, C), dw (K, K, 1, C).
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numba
import numpy as np
from numba import prange

from scratchnet.kernels.cpu.compiling.cache import variant
from scratchnet.kernels.cpu.conv.narrow_weight_grad import parts_and_bands
from scratchnet.kernels.cpu.conv.sliding import outputs_at_once, rows_of_window, slides
from scratchnet.kernels.cpu.conv.sliding_taps import slide, slide_in, slide_out, window_multiply_add_one
from scratchnet.kernels.cpu.gemm.operands import Window
from scratchnet.kernels.cpu.gemm.simd import VECTOR_BYTES, tile_load, tile_store, vector_registers
from scratchnet.kernels.cpu.machine.caches import CACHES
from scratchnet.kernels.cpu.runtime.jit import inlined_in_order, parallel, scratch
from scratchnet.kernels.cpu.runtime.memory import empty
from scratchnet.kernels.cpu.sums import sum_of

# Of x and dy, that are gone through for one vector of channels after the other: they stay in the second-level cache.
_ROWS_BYTES = CACHES.second // 2
_BLOCKS_A_TASK = 4  # vectors of channels, at least, where a task has not all
_TASKS = 32  # enough to keep many threads busy
# Outputs of a row that the window slides over before it goes on to the next row: in three rows, their pixels stay in
# the first-level cache. The order of a sum follows from it, so it does not depend on the machine.
_COLUMNS = 64


class _Cut(NamedTuple):
    """How the sum is cut: parts of the batch, bands of a picture, vectors of channels in a task, rows at a time; and
    strips of neighbouring outputs, 0 where the window does not slide, but outputs are taken one by one.
    """

    parts: int
    bands: int
    group: int
    some: int
    strips: int


def _make_rows(K, L, S):
    """What rows of outputs, S columns of x apart, add to the sums of K rows of L taps: constants to the compiler.

    It is a part of its caller: as a function of its own, the copy that is kept on disk, which LLVM optimizes twice,
    would be up to a half slower than the one that is run at once.
    """
    taps, first = K * L, outputs_at_once(L, S) - 1

    @inlined_in_order
    @variant(K, L, S)
    def add(sums, so, x, xo, h, H, v, W, C, sh, ahead, zeros, dy, do, dy_row, rows, columns):
        tile = tile_load(taps, 1, sums, so, len(zeros))
        for _ in range(rows):
            places = rows_of_window(K, x, xo, W * C, C, h, H, zeros)
            window, places = slide_in(tile, places, K, L, S, ahead, v, W, zeros, dy, do, C)
            for j in range(first, columns):
                window, places = slide(window, places, K, L, S, ahead, dy, do + j * C)
            tile = slide_out(window, places, K, L, S, v + columns * S, W, zeros)
            xo, h, do = xo + sh * W * C, h + sh, do + dy_row
        tile_store(tile, taps, 1, sums, so, len(zeros))

    return add


def _make_taps(K, L):
    """The sums of K rows of L taps."""
    taps, near, apart = K * L, _make_rows(K, L, 1), _make_rows(K, L, 2)

    @inlined_in_order
    @variant(K, L)
    def add(sums, so, x, xo, h, H, v, W, C, strides, strips, ahead, zeros, dy, do, rows, OW):
        """sums[so + (k, l)] += the sum over i < rows and j < OW of pixel (i, j) shifted by (k, l), and slope (i, j).

        Pixel (0, 0) is in row h and column v of the picture.
        """
        sh, sw = strides
        for strip in range(strips):
            j = strip * OW // strips
            columns, at_x, at_dy, at_v = (strip + 1) * OW // strips - j, xo + j * sw * C, do + j * C, v + j * sw
            if sw == 1:
                near(sums, so, x, at_x, h, H, at_v, W, C, sh, ahead, zeros, dy, at_dy, OW * C, rows, columns)
            else:
                apart(sums, so, x, at_x, h, H, at_v, W, C, sh, ahead, zeros, dy, at_dy, OW * C, rows, columns)
        if strips == 0:
            tile = tile_load(taps, 1, sums, so, len(zeros))
            for i in range(rows):
                for j in range(OW):
                    q = j * sw
                    places = rows_of_window(K, x, xo + (i * sh * W + q) * C, W * C, C, h + i * sh, H, zeros)
                    tile = window_multiply_add_one(tile, places, K, L, v + q, W, zeros, dy, do + (i * OW + j) * C)
            tile_store(tile, taps, 1, sums, so, len(zeros))

    return add


def _make_5x5():
    """The sums of 5 x 5 taps, of as many rows at once as leave registers for the rest."""
    two = _make_taps(2, 5)
    if vector_registers() == 32:
        three = _make_taps(3, 5)

        @inlined_in_order
        @variant(3, 2)
        def add(sums, so, x, xo, h, H, v, W, C, strides, strips, ahead, zeros, dy, do, rows, OW):
            three(sums, so, x, xo, h, H, v, W, C, strides, strips, ahead, zeros, dy, do, rows, OW)
            so, xo, h = so + 15 * len(zeros), xo + 3 * W * C, h + 3
            two(sums, so, x, xo, h, H, v, W, C, strides, strips, None, zeros, dy, do, rows, OW)

        return add
    one = _make_taps(1, 5)

    @inlined_in_order
    @variant(2, 2, 1)
    def add(sums, so, x, xo, h, H, v, W, C, strides, strips, ahead, zeros, dy, do, rows, OW):
        part, down = 10 * len(zeros), 2 * W * C
        two(sums, so, x, xo, h, H, v, W, C, strides, strips, ahead, zeros, dy, do, rows, OW)
        so, xo, h = so + part, xo + down, h + 2
        two(sums, so, x, xo, h, H, v, W, C, strides, strips, None, zeros, dy, do, rows, OW)
        so, xo, h = so + part, xo + down, h + 2
        one(sums, so, x, xo, h, H, v, W, C, strides, strips, None, zeros, dy, do, rows, OW)

    return add


def _make_weight_grad(K, add):
    """The kernel for K x K taps."""
    taps = K * K

    @parallel
    @variant(K)
    def kernel(x, x_shape, dy, dy_shape, window, cut, zeros, partial, buffers):
        """partial[part, (k, l, c)]; a part is a number of pictures, or a band of rows of each of them."""
        N, H, W, C = x_shape
        _, _, sh, sw, top, left = window
        _, OH, OW, _ = dy_shape
        parts, bands, group, some, strips = cut
        lanes = len(zeros)
        blocks = (C + lanes - 1) // lanes
        groups = (blocks + group - 1) // group
        for task in prange(parts * bands * groups):
            part, band, b0 = task // groups // bands, task // groups % bands, task % groups * group
            b1, i1 = min(blocks, b0 + group), (band + 1) * OH // bands
            sums, nothing = buffers[numba.get_thread_id()], tile_load(1, 1, zeros, 0, 0)
            for at in range(0, (b1 - b0) * taps * lanes, lanes):
                tile_store(nothing, 1, 1, sums, at, 0)
            for n in range(part * N // parts, (part + 1) * N // parts):
                for i in range(band * OH // bands, i1, some):
                    h, rows = i * sh - top, min(some, i1 - i)
                    xo, do = ((n * H + h) * W - left) * C, (n * OH + i) * OW * C
                    for b in range(b0, b1):
                        # While these channels are gone through, the next ones come, or the first ones of the next rows.
                        c = min(b * lanes, C - lanes)  # the last vector may begin before the one before it ends
                        ahead = (lanes, lanes)
                        if b + 1 == b1:
                            back = b0 * lanes - c
                            if i + some < i1:
                                ahead = (back + rows * sh * W * C, back + rows * OW * C)
                            else:
                                i2 = band * OH // bands
                                ahead = (back + (H + i2 * sh - top - h) * W * C, back + (OH + i2 - i) * OW * C)
                        so = (b - b0) * taps * lanes
                        add(
                            sums, so, x, xo + c, h, H, -left, W, C, (sh, sw), strips, ahead, zeros, dy, do + c, rows, OW
                        )  # fmt: skip
            out = partial[part * bands + band]
            for b in range(b0, b1):
                so, to = (b - b0) * taps * lanes, min(b * lanes, C - lanes)
                for k in range(K):
                    tile_store(tile_load(K, 1, sums, so + k * K * lanes, lanes), K, 1, out, to + k * K * C, C)

    return kernel


_KERNELS = {3: _make_weight_grad(3, _make_taps(3, 3)), 5: _make_weight_grad(5, _make_5x5())}


def fits(x: np.ndarray, dy: np.ndarray, window: Window) -> bool:
    """Whether `depthwise_weight_grad` can compute this: 3x3 or 5x5 taps, and channels that fill a vector."""
    square = window.KH == window.KW and window.KW in _KERNELS
    return square and len(x) > 0 and x.shape[3] == dy.shape[3] >= VECTOR_BYTES // x.itemsize


@functools.lru_cache(maxsize=1024)
def _plan(x_shape: tuple[int, ...], dy_shape: tuple[int, ...], window: Window, itemsize: int) -> _Cut:
    (N, OH, OW, C), W, (K, _, sh, sw, _, left) = dy_shape, x_shape[2], window
    parts, bands = parts_and_bands(N, OH, OW)
    blocks = -(-C * itemsize // VECTOR_BYTES)
    groups = min(-(-_TASKS // (parts * bands)), blocks // _BLOCKS_A_TASK)
    if groups < 1 or C * itemsize % VECTOR_BYTES:
        groups = 1  # or two tasks would write the channels that two vectors share
    group = -(-blocks // groups)
    wide = group * VECTOR_BYTES
    some = max(1, min(OH, (_ROWS_BYTES - (K - sh) * W * wide) // ((sh * W + OW) * wide)))
    strips = -(-OW // _COLUMNS) if slides(K, sw, left, W, OW) else 0
    return _Cut(parts, bands, group, -(-OH // -(-OH // some)), strips)


def depthwise_weight_grad(x: np.ndarray, dy: np.ndarray, window: Window) -> np.ndarray:
    """dw[k,l,0,c] = sum over n, i, j of x~[n, sh*i + k - top, sw*j + l - left, c] * dy[n,i,j,c].

    x (N, H, W, C), dy (N, OH, OW, C), both contiguous; x~ is x with zeros around it. For what `fits`.
    """
    K, C, lanes = window.KH, x.shape[3], VECTOR_BYTES // x.itemsize
    cut = _plan(x.shape, dy.shape, window, x.itemsize)
    partial = empty((cut.parts * cut.bands, K * K * C), x.dtype)
    _KERNELS[K](
        x.reshape(-1), x.shape, dy.reshape(-1), dy.shape, tuple(window), tuple(cut), np.zeros(lanes, x.dtype),
        partial, scratch(cut.group * K * K * lanes, x.dtype),
    )  # fmt: skip
    return sum_of(partial).reshape(K, K, 1, C)
