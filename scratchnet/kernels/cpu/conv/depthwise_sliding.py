"""Depthwise 3x3 and 5x5 convolution, with strides of one or two: each lane is a channel, the window slides along a row.

Weights and the sums of some outputs stay in registers, and each pixel of x is read, where it is, once for a row of
outputs. One vector of channels after the other goes over some rows, while the next one's pixels are asked for.

x (N, H, W, C), w (K, K, 1, C), y (N, OH, OW, C): one filter for each channel. `narrow` is for all others.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
from numba import prange

from scratchnet.kernels.cpu.compiling.cache import variant
from scratchnet.kernels.cpu.conv.sliding import outputs_at_once, rows_of_window, slides
from scratchnet.kernels.cpu.conv.sliding_outputs import outputs_in, outputs_out, outputs_slide
from scratchnet.kernels.cpu.conv.taps import stream_end, vector_store
from scratchnet.kernels.cpu.gemm.operands import Window
from scratchnet.kernels.cpu.gemm.prefetching import prefetch
from scratchnet.kernels.cpu.gemm.simd import VECTOR_BYTES, tile_load, tile_relu
from scratchnet.kernels.cpu.machine.caches import CACHES
from scratchnet.kernels.cpu.runtime.jit import inlined_in_order, parallel

# Of x and y, that are gone through for one vector of channels after the other: they stay in the second-level cache.
_ROWS_BYTES = CACHES.second // 2
_COLUMNS_BYTES = CACHES.first // 2  # of x in the windows of some outputs of a row: they stay in the first-level cache
_BLOCKS_A_TASK = 4  # vectors of channels, at least, where a task has not all
_TASKS = 32  # enough to keep many threads busy


class Cut(NamedTuple):
    """Bands of rows of outputs, a task each, and as many rows of it at a time; vectors of channels in a task; strips of
    neighbouring outputs.
    """

    bands: int
    some: int
    group: int
    strips: int


def _make_rows(K, S):
    """Rows of outputs of K x K taps, S columns of x apart: constants to the compiler.

    It is a part of its caller: as a function of its own, the copy that is kept on disk, which LLVM optimizes twice,
    can be slower than the one that is run at once.
    """
    taps, first = K * K, outputs_at_once(K, S) - 1

    @inlined_in_order
    @variant(K, S)
    def compute(x, xo, h, H, v, W, C, sh, w, c, bias, ahead, zeros, relu, streams, y, yo, y_row, rows, columns):
        """Row i < rows, column j < columns of them to y[yo + i*y_row + j*C ...].

        Pixel (0, 0) of the first one's window is x[xo ...], in row h and column v of the picture.
        """
        weights, start = tile_load(taps, 1, w, c, C), tile_load(1, 1, bias, c, 0)
        for _ in range(rows):
            places = rows_of_window(K, x, xo, W * C, C, h, H, zeros)
            sums, places = outputs_in(places, weights, start, K, K, S, ahead, v, W, zeros)
            for j in range(columns - first):
                if not streams:
                    prefetch(y, yo + j * C + ahead[1])
                sums, places, done = outputs_slide(sums, places, weights, start, K, K, S, ahead)
                if relu:
                    done = tile_relu(done)
                vector_store(done, streams, y, yo + j * C)
            sums = outputs_out(sums, places, weights, K, K, S, v + columns * S, W, zeros)
            for r in range(first):
                done = (sums[r],)
                if relu:
                    done = tile_relu(done)
                vector_store(done, streams, y, yo + (columns - 1 - r) * C)
            xo, h, yo = xo + sh * W * C, h + sh, yo + y_row

    return compute


def _make_depthwise(K):
    """The kernel for K x K taps."""
    near, apart = _make_rows(K, 1), _make_rows(K, 2)

    @parallel
    @variant(K)
    def kernel(x, x_shape, w, bias, relu, streams, y, y_shape, window, cut, zeros):
        N, H, W, C = x_shape
        OH, OW = y_shape
        _, _, sh, sw, top, left = window
        bands, some, group, strips = cut
        lanes = len(zeros)
        blocks = (C + lanes - 1) // lanes
        groups = (blocks + group - 1) // group
        for task in prange(N * bands * groups):
            n, band, b0 = task // groups // bands, task // groups % bands, task % groups * group
            b1, i1 = min(blocks, b0 + group), (band + 1) * OH // bands
            for i in range(band * OH // bands, i1, some):
                h, rows = i * sh - top, min(some, i1 - i)
                xo, yo = ((n * H + h) * W - left) * C, (n * OH + i) * OW * C
                for b in range(b0, b1):
                    # While these channels are gone through, the next ones come, or the first ones of the next rows.
                    c = min(b * lanes, C - lanes)  # the last vector may begin before the one before it ends
                    ahead = (lanes, lanes)
                    if b + 1 == b1:
                        ahead = (rows * sh * W * C + b0 * lanes - c, rows * OW * C + b0 * lanes - c)
                    for strip in range(strips):
                        j = strip * OW // strips
                        columns, v, at_x = (strip + 1) * OW // strips - j, j * sw - left, xo + j * sw * C + c
                        at_y = yo + j * C + c
                        if sw == 1:
                            near(
                                x, at_x, h, H, v, W, C, sh, w, c, bias, ahead, zeros, relu, streams, y, at_y, OW * C,
                                rows, columns,
                            )  # fmt: skip
                        else:
                            apart(
                                x, at_x, h, H, v, W, C, sh, w, c, bias, ahead, zeros, relu, streams, y, at_y, OW * C,
                                rows, columns,
                            )  # fmt: skip
            if streams:
                stream_end()

    return kernel


_KERNELS = {3: _make_depthwise(3), 5: _make_depthwise(5)}


def fits(x_hw: tuple[int, int], window: Window, y_hw: tuple[int, int]) -> bool:
    """Whether `depthwise` can compute this."""
    square = window.KH == window.KW and window.KW in _KERNELS
    return square and slides(window.KW, window.sw, window.left, x_hw[1], y_hw[1])


@functools.lru_cache(maxsize=1024)
def plan(rows_of_x: float, width: int, y_shape: tuple[int, ...], K: int, itemsize: int) -> Cut:
    """The cut of y (N, OH, OW, C), a row of which needs so many more rows of x, each `width` wide; K x K taps."""
    N, OH, OW, C = y_shape
    blocks = -(-C * itemsize // VECTOR_BYTES)
    groups = min(-(-_TASKS // max(1, N)), blocks // _BLOCKS_A_TASK)
    if groups < 1 or C * itemsize % VECTOR_BYTES:
        groups = 1  # or two tasks would write the channels that two vectors share
    bands = max(1, min(-(-_TASKS // max(1, N * groups)), OH // K))
    group, band = -(-blocks // groups), -(-OH // bands)
    wide = group * VECTOR_BYTES
    some = max(1, min(band, int((_ROWS_BYTES - K * width * wide) / ((rows_of_x * width + OW) * wide))))
    strips = max(1, min(OW // (2 * K), -(-width * K * VECTOR_BYTES // _COLUMNS_BYTES)))
    return Cut(bands, -(-band // -(-band // some)), group, strips)


def depthwise(
    x: np.ndarray, w: np.ndarray, b: np.ndarray, window: Window, relu: bool, y: np.ndarray, streams: bool
) -> None:
    """y[n,i,j,c] = b[c] + sum over k, l of x~[n, sh*i + k - top, sw*j + l - left, c] * w[k,l,0,c].

    All contiguous; x~ is x with zeros around it; at least as many channels as lanes; for what `fits`. With relu,
    negative results become 0. streams: y is written past the caches.
    """
    cut = plan(window.sh, x.shape[2], y.shape, window.KH, x.itemsize)
    _KERNELS[window.KH](
        x.reshape(-1), x.shape, w.reshape(-1), b, relu, streams, y.reshape(-1), y.shape[1:3], tuple(window), tuple(cut),
        np.zeros(VECTOR_BYTES // x.itemsize, x.dtype),
    )  # fmt: skip
