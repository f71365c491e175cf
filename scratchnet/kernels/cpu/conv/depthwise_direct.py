"""Direct depthwise convolution: x is read where it is, and each lane is a channel.

A tile is a row of P pixels, a vector of channels wide; its sums stay in registers over all taps. A task goes through
the channels of P neighbouring pixels before it comes to the next ones. So it reads lines of memory side by side, and
what rows of outputs share of x is still in the second-level cache. Nothing is copied; beside x there are zeros.

x (N, H, W, C), w (KH, KW, 1, C), y (N, OH, OW, C): one filter for each channel. The gradient for x is such a
convolution, too. With a stride of sw, neighbouring outputs see pixels sw apart, for taps sw apart; in the gradient,
outputs sw apart see neighbouring pixels. Tables say which, so that one kernel serves both.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
from numba import prange

from scratchnet.kernels.cpu.compiling.cache import variant
from scratchnet.kernels.cpu.conv.narrow_plan import MOST_TAPS, table
from scratchnet.kernels.cpu.conv.taps import beside_multiply_add, stream_end, tile_stream
from scratchnet.kernels.cpu.gemm.micro_kernel import tile_table
from scratchnet.kernels.cpu.gemm.operands import Window
from scratchnet.kernels.cpu.gemm.prefetching import prefetch
from scratchnet.kernels.cpu.gemm.simd import VECTOR_BYTES, tile_load, tile_relu, tile_store
from scratchnet.kernels.cpu.machine.caches import CACHES
from scratchnet.kernels.cpu.runtime.jit import parallel, serial_in_order

_HEIGHTS = (8, 7, 4, 1)  # pixels of a tile: 8 sums, 5 weights and a pixel fit into 16 registers
_TASKS = 32  # enough to keep many threads busy
_NEAR_BYTES = CACHES.second // 2  # of x: what is no larger comes from near by, and need not be asked for ahead


class _Plan(NamedTuple):
    """Tables of a convolution. What is met by a row, or a column, of outputs depends on its number modulo the stride.

    rows:   of each row of outputs: a row of x; which part, from and up to which row of its window; its number modulo
    tiles:  first column of outputs, a column of x, index of the height, number modulo the stride
    groups: of each pair of such numbers: its first part, and how many parts a row of the window has
    parts:  taps that are taken at once: where their pixels begin, from those of the row and the tile on; their column,
            likewise; where their weights begin; and how many they are
    steps:  columns from pixel to pixel of a tile, from output to output, and from tap to tap
    fresh:  rows of x, and columns, for each row of outputs and each column: to be asked for ahead
    """

    rows: np.ndarray
    tiles: np.ndarray
    groups: np.ndarray
    parts: np.ndarray
    steps: tuple[int, int, int]
    fresh: tuple[int, int]


def _make_tile(P):
    """The tile of P outputs, a constant to the compiler, for all channels."""

    @serial_in_order
    @variant(P)
    def kernel(x, xo, v, W, xs, vs, ask, w, ws, parts, first, last, bias, zeros, relu, streams, y, yo, ys):
        lanes, C, (ahead, down, across) = len(zeros), len(bias), ask
        for block in range((C + lanes - 1) // lanes):
            c = min(block * lanes, C - lanes)  # the last block may begin before the one before it ends
            for r in range(down):
                for p in range(P * across):
                    prefetch(x, xo + c + ahead + (r * W + p) * C)
            tile = tile_load(P, 1, bias, c, 0)
            for part in range(first, last):
                at_x, at, at_w, taps = xo + parts[part, 0] + c, v + parts[part, 1], parts[part, 2] + c, parts[part, 3]
                if taps == 3:
                    tile = beside_multiply_add(tile, P, 3, x, at_x, xs, at, vs, W, zeros, w, at_w, ws)
                elif taps == 5:
                    tile = beside_multiply_add(tile, P, 5, x, at_x, xs, at, vs, W, zeros, w, at_w, ws)
                elif taps == 2:
                    tile = beside_multiply_add(tile, P, 2, x, at_x, xs, at, vs, W, zeros, w, at_w, ws)
                else:
                    tile = beside_multiply_add(tile, P, 1, x, at_x, xs, at, vs, W, zeros, w, at_w, ws)
            if relu:
                tile = tile_relu(tile)
            if streams:
                tile_stream(tile, P, y, yo + c, ys)
            else:
                tile_store(tile, P, 1, y, yo + c, ys)

    return kernel


_t0, _t1, _t2, _t3 = (_make_tile(P) for P in _HEIGHTS)


@parallel
def _depthwise(x, x_shape, w, bias, relu, streams, y, y_shape, rows, tiles, groups, parts, steps, band, ask, zeros):
    _, H, W, C = x_shape
    N, OH, OW = y_shape
    vs, y_step, w_step = steps
    xs, ys, ws = vs * C, y_step * C, w_step * C
    bands = (OH + band - 1) // band
    for task in prange(N * bands):
        n, i0 = task // bands, task % bands * band
        for i in range(i0, min(OH, i0 + band)):
            row = (n * H + rows[i, 0]) * W
            for z in range(len(tiles)):
                v, height, group = tiles[z, 1], tiles[z, 2], groups[rows[i, 3], tiles[z, 3]]
                first, last = group[0] + rows[i, 1] * group[1], group[0] + rows[i, 2] * group[1]
                xo, yo = (row + v) * C, ((n * OH + i) * OW + tiles[z, 0]) * C
                if height == 0:
                    _t0(x, xo, v, W, xs, vs, ask, w, ws, parts, first, last, bias, zeros, relu, streams, y, yo, ys)
                elif height == 1:
                    _t1(x, xo, v, W, xs, vs, ask, w, ws, parts, first, last, bias, zeros, relu, streams, y, yo, ys)
                elif height == 2:
                    _t2(x, xo, v, W, xs, vs, ask, w, ws, parts, first, last, bias, zeros, relu, streams, y, yo, ys)
                else:
                    _t3(x, xo, v, W, xs, vs, ask, w, ws, parts, first, last, bias, zeros, relu, streams, y, yo, ys)
        if streams:
            stream_end()


def _taps_at_once(count: int) -> list[tuple[int, int]]:
    """(first, how many) of the parts in which a tile takes so many taps."""
    found: list[tuple[int, int]] = []
    start = 0
    while start < count:
        found.append((start, next(size for size in MOST_TAPS if size <= count - start)))
        start += found[-1][1]
    return found


@functools.lru_cache(maxsize=1024)
def _forward(window: Window, x_hw: tuple[int, int], hw: tuple[int, int], C: int) -> _Plan:
    KH, KW, sh, sw, top, left = window
    H, W = x_hw
    taps = [
        (phase + first * sw, size)
        for phase in range(min(sw, KW))
        for first, size in _taps_at_once(len(range(phase, KW, sw)))
    ]
    parts = [((k * W + tap) * C, tap, (k * KW + tap) * C, size) for k in range(KH) for tap, size in taps]
    rows = []
    for i in range(hw[0]):
        k = min(KH, max(0, top - i * sh))
        rows.append((i * sh - top, k, max(k, min(KH, H + top - i * sh)), 0))
    tiles = [(j, j * sw - left, height, 0) for j, height, _ in tile_table(hw[1], True, _HEIGHTS, 1, 2).tolist()]
    groups = np.array([[[0, len(taps)]]])
    return _Plan(table(rows, 4), table(tiles, 4), groups, table(parts, 4), (sw, 1, sw), (sh, sw))


@functools.lru_cache(maxsize=1024)
def _input_grad(window: Window, dy_hw: tuple[int, int], hw: tuple[int, int], C: int) -> _Plan:
    KH, KW, sh, sw, top, left = window
    OH, OW = dy_hw
    parts: list[tuple[int, ...]] = []
    groups = np.zeros((sh, sw, 2), np.int64)
    tiles = []
    for v in range(min(sw, hw[1])):  # columns v, v + sw, ... of dx meet the same taps, the last one first
        met = list(range((v + left) % sw, KW, sw))[::-1]
        taps = [(met[first], (v + left - met[first]) // sw, size) for first, size in _taps_at_once(len(met))]
        for phase in range(sh):
            groups[phase, v] = len(parts), len(taps)
            for m, k in enumerate(range(phase, KH, sh)):
                parts += [((column - m * OW) * C, column, (k * KW + tap) * C, size) for tap, column, size in taps]
        for j, height, _ in tile_table(len(range(v, hw[1], sw)), True, _HEIGHTS, 1, 2).tolist():
            tiles.append((v + j * sw, j, height, v))
    rows = []
    for h in range(hw[0]):  # row k of the window meets row (h + top - k) / sh of dy
        i, phase = divmod(h + top, sh)
        m = max(0, i - OH + 1)
        rows.append((i, m, max(m, min(len(range(phase, KH, sh)), i + 1)), phase))
    return _Plan(table(rows, 4), table(sorted(tiles), 4), groups, table(parts, 4), (1, sw, -sw), (1, 1))


def depthwise(
    x: np.ndarray, w: np.ndarray, b: np.ndarray, window: Window, relu: bool, y: np.ndarray, streams: bool
) -> None:
    """y[n,i,j,c] = b[c] + sum over k, l of x~[n, sh*i + k - top, sw*j + l - left, c] * w[k,l,0,c].

    All contiguous; x~ is x with zeros around it; at least as many channels as lanes. With relu, negative results become
    0. streams: y is written past the caches.
    """
    _run(x, w, b, _forward(window, x.shape[1:3], y.shape[1:3], x.shape[3]), relu, y, streams)


def depthwise_input_grad(dy: np.ndarray, w: np.ndarray, window: Window, dx: np.ndarray, streams: bool) -> None:
    """dx[n,h,v,c] = the sum over i, j, k, l with h = sh*i + k - top, v = sw*j + l - left of dy[n,i,j,c] * w[k,l,0,c].

    The rest is as in `depthwise`.
    """
    plan = _input_grad(window, dy.shape[1:3], dx.shape[1:3], dy.shape[3])
    _run(dy, w, np.zeros(dy.shape[3], dy.dtype), plan, False, dx, streams)


def _run(x: np.ndarray, w: np.ndarray, b: np.ndarray, plan: _Plan, relu: bool, y: np.ndarray, streams: bool) -> None:
    N, OH, OW, C = y.shape
    *tables, fresh = plan
    ask = (w.shape[0] * x.shape[2] * C, *fresh) if x.nbytes > _NEAR_BYTES else (0, 0, 0)
    _depthwise(
        x.reshape(-1), x.shape, w.reshape(-1), b, relu, streams, y.reshape(-1), (N, OH, OW), *tables,
        max(1, OH * N // _TASKS), ask, np.zeros(VECTOR_BYTES // x.itemsize, x.dtype),
    )  # fmt: skip
