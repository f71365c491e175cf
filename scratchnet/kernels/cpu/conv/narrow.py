"""Convolution in groups of few channels, down to one channel with several filters: each lane is a filter.

A tile of the micro-kernel is a row of filters that all see the same numbers of x. Here each filter has channels of its
own. So a tile is a row of P pixels, a vector of filters wide, and its sums stay in registers over all taps.

x (N, H, W, C), w (KH, KW, I, F), y (N, OH, OW, F): each S = F * I / C filters see the same I channels, filter f those
from f // S * I on. A depthwise convolution has I = 1 and S = M. The gradient for x is one more, I and S exchanged.

What a row of outputs sees is copied first, with zeros around it, to where all of it lies in the first caches: vectors
side by side, in the order in which they are met, so that where the next one lies is known when the kernel is compiled.
The next row of x and of y is asked for ahead, since it comes from farther away. `narrow_plan` says what meets what.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numba
import numpy as np
from numba import prange

from scratchnet.kernels.cpu.compiling.cache import variant
from scratchnet.kernels.cpu.conv.narrow_plan import HEIGHTS, MOST_COLUMNS, Meeting, forward, input_grad
from scratchnet.kernels.cpu.conv.taps import groups_store, stream_end, taps_multiply_add, tile_stream
from scratchnet.kernels.cpu.gemm.operands import Window
from scratchnet.kernels.cpu.gemm.prefetching import prefetch
from scratchnet.kernels.cpu.gemm.simd import VECTOR_BYTES, tile_load, tile_relu, tile_store
from scratchnet.kernels.cpu.machine.caches import CACHES
from scratchnet.kernels.cpu.runtime.jit import inlined_in_order, parallel, scratch
from scratchnet.kernels.cpu.runtime.memory import LINE, empty

_ROWS_BYTES = CACHES.first * 3 // 4  # of x in the windows of a row of outputs: they stay in the first-level cache
_BLOCKS_A_TASK = 4  # at least, where a task has not all filters: what is read together is some cache lines long
_TASKS = 32  # enough to keep many threads busy
_STREAMED = 1 << 23  # bytes of y from which on it is written past the caches: they would not hold it anyway
_GROUPS = (1, 2, 4, 8)  # channels and filters of a group whose lanes change places in a register
_Meets = Callable[..., Meeting]


@inlined_in_order
def copy_row(x, at, columns, C, sources, F, block0, blocks, planes, plane, lanes, out, to, ahead):
    """out[to + block * planes * plane + c * plane + place ...] = pixel x[at + column * C ...], a vector each.

    columns: (column, place) of all that are copied. Lane e of plane c of the block that begins at filter f is channel
    sources[c*F + f + e]; where there are no sources, the c-th channel of the group of f + e. ahead: numbers from a
    pixel to one that is needed soon.
    """
    for block in range(block0, block0 + blocks):
        f0 = min(block * lanes, F - lanes)
        if len(sources) > 0:
            for c in range(planes):
                for v in range(len(columns)):
                    pixel, place = at + columns[v, 0] * C, to + c * plane + columns[v, 1]
                    for e in range(lanes):
                        out[place + e] = x[pixel + sources[c * F + f0 + e]]
        elif planes == 1:
            for v in range(len(columns)):
                pixel = at + columns[v, 0] * C + f0
                prefetch(x, pixel + ahead)
                tile_store(tile_load(1, 1, x, pixel, 0), 1, 1, out, to + columns[v, 1], 0)
        else:
            for v in range(len(columns)):
                pixel, place = at + columns[v, 0] * C + f0, to + columns[v, 1]
                prefetch(x, pixel + ahead)
                vector = tile_load(1, 1, x, pixel, 0)
                if planes == 2:
                    groups_store(vector, 2, out, place, plane)
                elif planes == 4:
                    groups_store(vector, 4, out, place, plane)
                else:
                    groups_store(vector, 8, out, place, plane)
        to += planes * plane


def _make_row(P, L):
    """What a row of L taps adds to P neighbouring outputs, for the rows of the window."""

    @inlined_in_order
    @variant(P, L)
    def add(tile, buffer, xo, row, slot, ring, plane, planes, rows, wo, w_row, w_plane):
        for _ in range(rows):
            at_x, at_w = xo + slot * row, wo
            for _ in range(planes):
                tile = taps_multiply_add(tile, P, L, buffer, at_x, at_w)
                at_x += plane
                at_w += w_plane
            wo += w_row
            slot += 1
            if slot == ring:
                slot = 0
        return tile

    return add


def _make_tile(P):
    """The tile of P neighbouring outputs, a constant to the compiler. It is a part of its caller: a call would cost as
    much as a tile of 3x3 taps.
    """
    one, two, three, five = (_make_row(P, L) for L in (1, 2, 3, 5))

    @inlined_in_order
    @variant(P)
    def kernel(
        buffer, xo, row, slot, ring, plane, planes, rows, wo, lanes, k0, k_step, chunks, first, last,
        bias, bo, relu, streams, y, yo, ys, y_next,
    ):  # fmt: skip
        for q in range(0 if streams else P):
            prefetch(y, yo + q * ys + y_next)
        tile = tile_load(P, 1, bias, bo, 0)
        for chunk in range(first, last):
            taps = chunks[chunk, 2]
            w_plane = taps * lanes
            at_x, at_w = xo + chunks[chunk, 0], wo + chunks[chunk, 1] + k0 * planes * w_plane
            w_row = k_step * planes * w_plane
            if taps == 3:
                tile = three(tile, buffer, at_x, row, slot, ring, plane, planes, rows, at_w, w_row, w_plane)
            elif taps == 5:
                tile = five(tile, buffer, at_x, row, slot, ring, plane, planes, rows, at_w, w_row, w_plane)
            elif taps == 2:
                tile = two(tile, buffer, at_x, row, slot, ring, plane, planes, rows, at_w, w_row, w_plane)
            else:
                tile = one(tile, buffer, at_x, row, slot, ring, plane, planes, rows, at_w, w_row, w_plane)
        if relu:
            tile = tile_relu(tile)
        if streams:
            tile_stream(tile, P, y, yo, ys)
        else:
            tile_store(tile, P, 1, y, yo, ys)

    return kernel


_t0, _t1, _t2, _t3, _t4 = (_make_tile(P) for P in HEIGHTS)


@parallel
def _narrow_conv2d(
    x, x_shape, w, order, sources, planes, bias, relu, streams, y, y_start, y_shape, rows, columns, beside, tiles,
    chunks, sizes, cut, zeros, buffers,
):  # fmt: skip
    N, H, W, C = x_shape
    OH, OW, F = y_shape
    plane, ring, k_step = sizes
    band, group, together = cut
    lanes = len(zeros)
    bands, blocks = (OH + band - 1) // band, (F + lanes - 1) // lanes
    groups = (blocks + group - 1) // group
    cells = len(order) * lanes
    for task in prange(N * bands * groups):
        n, i0 = task // groups // bands, task // groups % bands * band
        i1 = min(OH, i0 + band)
        buffer, nothing = buffers[numba.get_thread_id()], tile_load(1, 1, zeros, 0, 0)
        for b0 in range(task % groups * group, min(blocks, (task % groups + 1) * group), together):
            here = min(together, blocks - b0)
            row = here * planes * plane
            for g in range(here):
                f0 = min((b0 + g) * lanes, F - lanes)  # the last block may begin before the one before it ends
                for t in range(len(order)):
                    tile_store(tile_load(1, 1, w, order[t] * F + f0, 0), 1, 1, buffer, g * cells + t * lanes, 0)
            for line in range(here * cells, here * cells + ring * row, plane):
                for v in range(len(beside)):
                    tile_store(nothing, 1, 1, buffer, line + beside[v], 0)
            pixels, copied = here * cells, 0  # rows of x; the buffer has the last `ring`
            for i in range(i0, i1):
                first, k0, count = rows[i, 0], rows[i, 1], rows[i, 2]
                copied = max(copied, first)
                while copied < first + count:
                    copy_row(
                        x, (n * H + copied) * W * C, columns, C, sources, F, b0, here, planes, plane, lanes, buffer,
                        pixels + copied % ring * row, W * C,
                    )  # fmt: skip
                    copied += 1
                slot = first % ring
                for g in range(here):
                    f, wo = min((b0 + g) * lanes, F - lanes), g * cells
                    for z in range(len(tiles)):
                        ys = tiles[z, 1] * F
                        xo = pixels + g * planes * plane + tiles[z, 3] * lanes
                        yo = y_start + ((n * OH + i) * OW + tiles[z, 0]) * F + f
                        which, c0, c1 = tiles[z, 4], tiles[z, 5], tiles[z, 6]
                        if which == 0:
                            _t0(
                                buffer, xo, row, slot, ring, plane, planes, count, wo, lanes, k0, k_step, chunks,
                                c0, c1, bias, f, relu, streams, y, yo, ys, OW * F,
                            )  # fmt: skip
                        elif which == 1:
                            _t1(
                                buffer, xo, row, slot, ring, plane, planes, count, wo, lanes, k0, k_step, chunks,
                                c0, c1, bias, f, relu, streams, y, yo, ys, OW * F,
                            )  # fmt: skip
                        elif which == 2:
                            _t2(
                                buffer, xo, row, slot, ring, plane, planes, count, wo, lanes, k0, k_step, chunks,
                                c0, c1, bias, f, relu, streams, y, yo, ys, OW * F,
                            )  # fmt: skip
                        elif which == 3:
                            _t3(
                                buffer, xo, row, slot, ring, plane, planes, count, wo, lanes, k0, k_step, chunks,
                                c0, c1, bias, f, relu, streams, y, yo, ys, OW * F,
                            )  # fmt: skip
                        else:
                            _t4(
                                buffer, xo, row, slot, ring, plane, planes, count, wo, lanes, k0, k_step, chunks,
                                c0, c1, bias, f, relu, streams, y, yo, ys, OW * F,
                            )  # fmt: skip
            if streams:
                stream_end()


@functools.lru_cache(maxsize=1024)
def _cut(N: int, OH: int, F: int, cells: int, row: int, ring: int, itemsize: int) -> tuple[tuple[int, int, int], int]:
    """(tasks, numbers in a thread's buffer), given the numbers of a block's row in the buffer.

    Tasks: a picture's rows of outputs (a band) and blocks of filters (a group) each, and of these so many together.
    """
    lanes = VECTOR_BYTES // itemsize
    blocks = -(-F // lanes)
    # Blocks that overlap stay in one task: no number is written by two threads.
    groups = min(-(-_TASKS // N), max(1, blocks // _BLOCKS_A_TASK)) if F % lanes == 0 else 1
    band = -(-OH // -(-OH // max(1, min(OH, OH * N * groups // _TASKS))))
    group = -(-blocks // groups)
    together = max(1, min(group, _ROWS_BYTES // (ring * row * itemsize)))
    together = -(-group // -(-group // together))
    return (band, group, together), together * (cells * lanes + ring * row)


@functools.lru_cache(maxsize=1024)
def sources_of(C: int, planes: int, F: int, lanes: int) -> np.ndarray:
    """sources[c*wide + f]: the c-th channel of x that filter f sees; empty where it stands in the group of f itself.

    wide is F, but at least `lanes`: filters that are not there see channel 0.
    """
    if C == F >= lanes and planes in _GROUPS and planes <= lanes:
        return np.empty(0, np.int64)
    table = np.zeros((planes, max(F, lanes)), np.int64)
    table[:, :F] = np.arange(F) // (F * planes // C) * planes + np.arange(planes)[:, None]
    return table.reshape(-1)


def widened(array: np.ndarray, lanes: int) -> np.ndarray:
    """The array, contiguous, with zeros where its last axis is shorter than a vector."""
    if array.shape[-1] >= lanes:
        return np.ascontiguousarray(array)
    wide = np.zeros((*array.shape[:-1], lanes), array.dtype)
    wide[..., : array.shape[-1]] = array
    return wide


def narrow_conv2d(
    x: np.ndarray, w: np.ndarray, b: np.ndarray | None, window: Window, relu: bool, y: np.ndarray
) -> None:
    """y[n,i,j,f] = b[f] + sum over k, l, c of x~[n, sh*i + k - top, sw*j + l - left, f // S * I + c] * w[k,l,c,f].

    x (N, H, W, C) and y contiguous; x~ is x with zeros around it. w (KH, KW, I, F), S = F * I / C. With relu, negative
    results become 0.
    """
    _convolve(x, w, b, window, relu, y, forward)


def narrow_conv2d_input_grad(dy: np.ndarray, w: np.ndarray, window: Window, dx: np.ndarray) -> None:
    """dx[n,h,v,c] = the sum over i, j, k, l with h = sh*i + k - top and v = sw*j + l - left, and over m < S, of
    dy[n, i, j, c // I * S + m] * w[k,l,m,c].

    dy (N, OH, OW, F) and dx contiguous; w (KH, KW, S, C): a channel's weights for the m-th filter of those that see it.
    """
    _convolve(dy, w, None, window, False, dx, input_grad)


def _convolve(
    x: np.ndarray, w: np.ndarray, b: np.ndarray | None, window: Window, relu: bool, y: np.ndarray, meeting: _Meets
) -> None:
    """`narrow_conv2d`, or its gradient for x, as `meeting` says."""
    (N, OH, OW, F), C, planes, lanes = y.shape, x.shape[3], w.shape[2], VECTOR_BYTES // x.itemsize
    if y.size == 0:
        return
    w, bias = widened(w, lanes), widened(np.zeros(F, x.dtype) if b is None else b, lanes)
    wide = w.shape[3]
    out = y if wide == F else empty((N, OH, OW, wide), x.dtype)
    for j in range(0, OW, MOST_COLUMNS):
        met = meeting(window, x.shape[1:3], (OH, OW), j, planes, lanes)
        plane, ring, _ = met.sizes
        cut, size = _cut(N, OH, wide, len(met.order), planes * plane, ring, x.itemsize)
        _narrow_conv2d(
            x.reshape(-1), x.shape, w.reshape(-1), met.order, sources_of(C, planes, F, lanes), planes, bias, relu,
            is_streamed(out), out.reshape(-1), j * wide, (OH, OW, wide), met.rows, met.columns, met.beside, met.tiles,
            met.chunks, met.sizes, cut, np.zeros(lanes, x.dtype), scratch(size, x.dtype),
        )  # fmt: skip
    if wide != F:
        y[:] = out[..., :F]


def is_streamed(y: np.ndarray) -> bool:
    """Whether y is large, and each vector of it a cache line."""
    lines = VECTOR_BYTES == LINE and y.shape[3] * y.itemsize % LINE == 0
    return lines and y.nbytes >= _STREAMED and y.ctypes.data % LINE == 0
