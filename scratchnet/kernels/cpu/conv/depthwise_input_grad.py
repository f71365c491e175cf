"""The gradient for x of a depthwise 3x3 or 5x5 convolution with strides of one or two: each lane is a channel.

With strides of one it is the convolution of dy with the weights turned around: `depthwise_sliding`.

With strides of two, row h of dx sees every second row of the weights, those k for which h + top - k is even. While the
pixels of K / 2 rows of dy, rounded up or down, come in one by one, each gives something to K neighbours in a row of dx.
The weights and the sums of those that will get more stay in registers.

dy (N, OH, OW, C), w (K, K, 1, C), dx (N, H, W, C).
"""

from __future__ import annotations

import numpy as np
from numba import prange

from scratchnet.kernels.cpu.compiling.cache import variant
from scratchnet.kernels.cpu.conv import depthwise_sliding
from scratchnet.kernels.cpu.conv.depthwise_sliding import plan
from scratchnet.kernels.cpu.conv.sliding import outputs_at_once, rows_of_window
from scratchnet.kernels.cpu.conv.sliding_outputs import outputs_scatter
from scratchnet.kernels.cpu.conv.taps import stream_end, vector_store
from scratchnet.kernels.cpu.gemm.operands import Window
from scratchnet.kernels.cpu.gemm.prefetching import prefetch
from scratchnet.kernels.cpu.gemm.simd import VECTOR_BYTES, grid_load, tile_load
from scratchnet.kernels.cpu.runtime.jit import inlined_in_order, parallel


def _make_row(M, K):
    """A row of dx that sees M rows of dy, and K taps of each; constants to the compiler. It is a part of its caller."""
    first, carried = outputs_at_once(K, 2) - 1, K - 2

    @inlined_in_order
    @variant(M, K)
    def compute(dy, do, i, OH, OW, C, w, wo, ahead, zeros, streams, dx, xo, left, W):
        """dx[xo ...], of rows of dy from row i on, dy[do ...], the first of which meets the taps w[wo ...]."""
        weights = grid_load(M, K, w, wo, -2 * K * C, C)
        places = rows_of_window(M, dy, do, OW * C, C, i, OH, zeros)
        sums = tile_load(carried, 1, zeros, 0, 0)
        for j in range(first):
            sums, places, done = outputs_scatter(sums, places, weights, M, K, 2, ahead)
            for r in range(2):
                if 2 * j + r >= left:
                    vector_store((done[r],), streams, dx, xo + (2 * j + r - left) * C)
        for j in range(first, OW):
            at = xo + (2 * j - left) * C
            if not streams:
                prefetch(dx, at + ahead[1])
                prefetch(dx, at + ahead[1] + C)
            sums, places, done = outputs_scatter(sums, places, weights, M, K, 2, ahead)
            vector_store((done[0],), streams, dx, at)
            vector_store((done[1],), streams, dx, at + C)
        beyond = 2 * OW - left
        for r in range(carried):
            if beyond + r < W:
                vector_store((sums[r],), streams, dx, xo + (beyond + r) * C)
        for v in range(beyond + carried, W):  # no window saw these
            vector_store(tile_load(1, 1, zeros, 0, 0), streams, dx, xo + v * C)

    return compute


def _make_input_grad(K):
    """The kernel for K x K taps."""
    even, odd = _make_row((K + 1) // 2, K), _make_row(K // 2, K)

    @parallel
    @variant(K)
    def kernel(dy, dy_shape, w, streams, dx, dx_shape, top, left, cut, zeros):
        N, OH, OW, C = dy_shape
        H, W = dx_shape
        bands, some, group, _ = cut
        lanes = len(zeros)
        blocks = (C + lanes - 1) // lanes
        groups = (blocks + group - 1) // group
        for task in prange(N * bands * groups):
            n, band, b0 = task // groups // bands, task // groups % bands, task % groups * group
            b1, h1 = min(blocks, b0 + group), (band + 1) * H // bands
            for h0 in range(band * H // bands, h1, some):
                rows = min(some, h1 - h0)
                for b in range(b0, b1):
                    # While these channels are gone through, the next ones come, or the first ones of the next rows.
                    c = min(b * lanes, C - lanes)  # the last vector may begin before the one before it ends
                    ahead = (lanes, lanes)
                    if b + 1 == b1:
                        ahead = (rows // 2 * OW * C + b0 * lanes - c, rows * W * C + b0 * lanes - c)
                    for h in range(h0, h0 + rows):
                        phase, xo = (h + top) % 2, (n * H + h) * W * C + c
                        k = (K - 1 - phase) // 2 * 2 + phase  # the last row of w that meets this row, and row i of dy
                        i = (h + top - k) // 2
                        do, wo = (n * OH + i) * OW * C + c, k * K * C + c
                        if phase == 0:
                            even(dy, do, i, OH, OW, C, w, wo, ahead, zeros, streams, dx, xo, left, W)
                        else:
                            odd(dy, do, i, OH, OW, C, w, wo, ahead, zeros, streams, dx, xo, left, W)
            if streams:
                stream_end()

    return kernel


_KERNELS = {3: _make_input_grad(3), 5: _make_input_grad(5)}


def fits(dy_hw: tuple[int, int], window: Window, dx_hw: tuple[int, int]) -> bool:
    """Whether `depthwise_input_grad` can compute this."""
    if (window.sh, window.sw) == (1, 1):
        return depthwise_sliding.fits(dy_hw, _turned(window), dx_hw)
    return (window.sh, window.sw) == (2, 2) and depthwise_sliding.fits(dx_hw, window, dy_hw)


def _turned(window: Window) -> Window:
    """The window of dy that a number of dx sees, where strides are one."""
    return window._replace(top=window.KH - 1 - window.top, left=window.KW - 1 - window.left)


def depthwise_input_grad(dy: np.ndarray, w: np.ndarray, window: Window, dx: np.ndarray, streams: bool) -> None:
    """dx[n,h,v,c] = the sum over i, j, k, l with h = sh*i + k - top, v = sw*j + l - left of dy[n,i,j,c] * w[k,l,0,c].

    For what `fits`; the rest is as in `depthwise_sliding.depthwise`.
    """
    if window.sh == 1:
        nothing = np.zeros(dy.shape[3], dy.dtype)
        depthwise_sliding.depthwise(
            dy, np.ascontiguousarray(w[::-1, ::-1]), nothing, _turned(window), False, dx, streams
        )
        return
    cut = plan(0.5, dy.shape[2], dx.shape, window.KH, dy.itemsize)
    _KERNELS[window.KH](
        dy.reshape(-1), dy.shape, w.reshape(-1), streams, dx.reshape(-1), dx.shape[1:3], window.top, window.left,
        tuple(cut), np.zeros(VECTOR_BYTES // dy.itemsize, dy.dtype),
    )  # fmt: skip
