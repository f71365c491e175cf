"""Convolution in groups of few channels, down to one, which is a depthwise convolution: each lane is a filter.

A tile of the micro-kernel is a row of filters that all see the same numbers of x. Here each filter has channels of its
own. So a tile is a row of P pixels, a vector of filters wide, and its sums stay in registers over all taps.

x (N, H, W, C), w (KH, KW, I, F), y (N, OH, OW, F): each S = F * I / C filters see the same I channels, filter f those
from f // S * I on. A depthwise convolution has I = 1 and S = M. The gradient for x is one more, I and S exchanged.

What a row of outputs sees is copied first, with zeros around it, to where all of it lies in the first caches: pixel
beside pixel, a vector each. The next row of x and of y is asked for ahead, since it comes from farther away.
"""

from __future__ import annotations

import functools

import numba
import numpy as np
from numba import prange

from scratchnet.kernels.cpu.conv.taps import prefetch, taps_multiply_add
from scratchnet.kernels.cpu.gemm.micro_kernel import tile_table
from scratchnet.kernels.cpu.gemm.operands import Output, Window
from scratchnet.kernels.cpu.gemm.simd import VECTOR_BYTES, tile_load, tile_relu, tile_store
from scratchnet.kernels.cpu.runtime.cache import variant
from scratchnet.kernels.cpu.runtime.caches import CACHES
from scratchnet.kernels.cpu.runtime.jit import inlined_in_order, parallel, scratch
from scratchnet.kernels.cpu.runtime.memory import empty

_HEIGHTS = (8, 7, 4, 2, 1)  # pixels of a tile: 8 sums, 5 weights and a pixel fit into 16 registers
_MOST_TAPS = (5, 3, 2, 1)  # of a row of the window, that a tile takes at once
_ROWS_BYTES = CACHES.first * 3 // 4  # of x in the windows of a row of outputs: they stay in the first-level cache
_BLOCKS_A_TASK = 4  # at least, where a task has not all filters: what is read together is some cache lines long
MOST_COLUMNS = 2048  # of outputs, that are taken at once: all rows of a window have to fit into the caches
_TASKS = 32  # enough to keep many threads busy


@inlined_in_order
def copy_row(x, at, first, last, columns, C, sources, F, block0, blocks, planes, zeros, out, to, ahead):
    """out[to ...] (blocks, planes, columns, lanes) = pixels x[at + v*C ...] for first <= v < last, 0 for the others.

    Lane e of plane c of the block that begins at filter f is channel sources[c*F + f + e]; f + e where there are no
    sources. ahead: numbers from a pixel to one that is needed soon.
    """
    lanes = len(zeros)
    nothing = tile_load(1, 1, zeros, 0, 0)
    plane = columns * lanes
    for line in range(blocks * planes):
        for v in range(first):
            tile_store(nothing, 1, 1, out, to + line * plane + v * lanes, 0)
        for v in range(last, columns):
            tile_store(nothing, 1, 1, out, to + line * plane + v * lanes, 0)
    for block in range(block0, block0 + blocks):
        f0 = min(block * lanes, F - lanes)
        if len(sources) == 0:
            v = first
            while v < last:
                pixel, place = at + v * C + f0, to + v * lanes
                if v + 4 <= last:
                    for q in range(4):
                        prefetch(x, pixel + q * C + ahead, 0)
                    tile_store(tile_load(4, 1, x, pixel, C), 4, 1, out, place, lanes)
                    v += 4
                else:
                    prefetch(x, pixel + ahead, 0)
                    tile_store(tile_load(1, 1, x, pixel, 0), 1, 1, out, place, 0)
                    v += 1
        else:
            for c in range(planes):
                for v in range(first, last):
                    for e in range(lanes):
                        out[to + c * plane + v * lanes + e] = x[at + v * C + sources[c * F + f0 + e]]
        to += planes * plane


def _make_tile(P):
    """The tile of P neighbouring outputs, a constant to the compiler. It is a part of its caller: a call would cost as
    much as a tile of 3x3 taps.
    """

    @inlined_in_order
    @variant(P)
    def kernel(
        x, xo, row, slot, KH, plane, planes, ka, kb, chunks, xs, wo, w_row, w_plane, ws, bias, bo, relu, y, yo, ys
    ):
        tile = tile_load(P, 1, bias, bo, 0)
        for k in range(ka, kb):
            at_row = xo + (slot + k if slot + k < KH else slot + k - KH) * row
            for c in range(planes):
                for chunk in range(len(chunks)):
                    at_x = at_row + c * plane + chunks[chunk, 0]
                    at_w, taps = wo + k * w_row + c * w_plane + chunks[chunk, 1], chunks[chunk, 2]
                    if taps == 3:
                        tile = taps_multiply_add(tile, P, 3, x, at_x, xs, x, at_w, ws)
                    elif taps == 5:
                        tile = taps_multiply_add(tile, P, 5, x, at_x, xs, x, at_w, ws)
                    elif taps == 2:
                        tile = taps_multiply_add(tile, P, 2, x, at_x, xs, x, at_w, ws)
                    else:
                        tile = taps_multiply_add(tile, P, 1, x, at_x, xs, x, at_w, ws)
        if relu:
            tile = tile_relu(tile)
        tile_store(tile, P, 1, y, yo, ys)

    return kernel


_t0, _t1, _t2, _t3, _t4 = (_make_tile(P) for P in _HEIGHTS)


@parallel
def _narrow_conv2d(
    x, x_shape, w, window, sources, planes, bias, relu, y, y_start, y_steps, y_shape, tiles, chunks, cut, zeros, buffers
):
    N, H, W, C = x_shape
    KH, KW, sh, sw, top, left = window
    n_step, i_step, j_step = y_steps
    OH, OW, F = y_shape
    band, group, together = cut
    lanes = len(zeros)
    bands, blocks = (OH + band - 1) // band, (F + lanes - 1) // lanes
    groups = (blocks + group - 1) // group
    columns = (OW - 1) * sw + KW
    cells, plane = KH * KW * planes * lanes, columns * lanes
    w_row, xs, ws = KW * planes * lanes, sw * lanes, sw * planes * lanes
    begin = min(columns, max(0, left))
    end = max(begin, min(columns, W + left))
    for task in prange(N * bands * groups):
        n, i0 = task // groups // bands, task // groups % bands * band
        i1 = min(OH, i0 + band)
        buffer = buffers[numba.get_thread_id()]
        for b0 in range(task % groups * group, min(blocks, (task % groups + 1) * group), together):
            here = min(together, blocks - b0)
            row = here * planes * plane
            for g in range(here):
                f0 = min((b0 + g) * lanes, F - lanes)  # the last block may begin before the one before it ends
                for t in range(KH * KW * planes):
                    tile_store(tile_load(1, 1, w, t * F + f0, 0), 1, 1, buffer, g * cells + t * lanes, 0)
            pixels, copied = here * cells, 0  # rows of x, from i0 * sh - top on; the buffer has the last KH
            for i in range(i0, i1):
                start = (i - i0) * sh
                copied = max(copied, start)
                while copied < start + KH:
                    h = i0 * sh - top + copied
                    if 0 <= h < H:  # other rows are never read
                        copy_row(
                            x, ((n * H + h) * W - left) * C, begin, end, columns, C, sources, F, b0, here, planes,
                            zeros, buffer, pixels + copied % KH * row, W * C,
                        )  # fmt: skip
                    copied += 1
                slot = start % max(1, KH)
                ka, kb = max(0, top - i * sh), min(KH, H + top - i * sh)
                for g in range(here):
                    f, wo = min((b0 + g) * lanes, F - lanes), g * cells
                    for z in range(len(tiles)):
                        xo = pixels + g * planes * plane + tiles[z, 0] * xs
                        yo, height = y_start + n * n_step + i * i_step + tiles[z, 0] * j_step + f, tiles[z, 1]
                        for q in range(tiles[z, 2]):
                            prefetch(y, yo + q * j_step + i_step, 1)
                        if height == 0:
                            _t0(
                                buffer, xo, row, slot, KH, plane, planes, ka, kb, chunks, xs, wo, w_row, lanes, ws,
                                bias, f, relu, y, yo, j_step,
                            )  # fmt: skip
                        elif height == 1:
                            _t1(
                                buffer, xo, row, slot, KH, plane, planes, ka, kb, chunks, xs, wo, w_row, lanes, ws,
                                bias, f, relu, y, yo, j_step,
                            )  # fmt: skip
                        elif height == 2:
                            _t2(
                                buffer, xo, row, slot, KH, plane, planes, ka, kb, chunks, xs, wo, w_row, lanes, ws,
                                bias, f, relu, y, yo, j_step,
                            )  # fmt: skip
                        elif height == 3:
                            _t3(
                                buffer, xo, row, slot, KH, plane, planes, ka, kb, chunks, xs, wo, w_row, lanes, ws,
                                bias, f, relu, y, yo, j_step,
                            )  # fmt: skip
                        else:
                            _t4(
                                buffer, xo, row, slot, KH, plane, planes, ka, kb, chunks, xs, wo, w_row, lanes, ws,
                                bias, f, relu, y, yo, j_step,
                            )  # fmt: skip


@functools.lru_cache(maxsize=1024)
def _chunks(KW: int, sw: int, planes: int, lanes: int) -> np.ndarray:
    """The taps of a row that are taken at once: where their pixels and weights begin, and how many they are.

    They are l, l + sw, l + 2 * sw, ...: the next output's first tap meets the pixel of this one's second.
    """
    found = []
    for first in range(min(sw, KW)):
        taps = list(range(first, KW, sw))
        while taps:
            count = next(n for n in _MOST_TAPS if n <= len(taps))
            found.append((taps[0] * lanes, taps[0] * planes * lanes, count))
            taps = taps[count:]
    return np.array(found, np.int64).reshape(-1, 3)


@functools.lru_cache(maxsize=1024)
def _plan(
    x_shape: tuple[int, ...], window: Window, hw: tuple[int, int], F: int, planes: int, itemsize: int
) -> tuple[np.ndarray, tuple[int, int, int], int]:
    """(tiles of a row, tasks, numbers in a thread's buffer).

    Tasks: a picture's rows of outputs (a band) and blocks of filters (a group) each, and of these so many together.
    """
    N, (OH, OW), (KH, KW, _, sw, _, _) = x_shape[0], hw, window
    lanes = VECTOR_BYTES // itemsize
    blocks = -(-F // lanes)
    # Blocks that overlap stay in one task: no number is written by two threads.
    groups = min(-(-_TASKS // N), max(1, blocks // _BLOCKS_A_TASK)) if F % lanes == 0 else 1
    band = -(-OH // -(-OH // max(1, min(OH, OH * N * groups // _TASKS))))
    group = -(-blocks // groups)
    row = ((OW - 1) * sw + KW) * planes * lanes
    together = max(1, min(group, _ROWS_BYTES // max(1, KH * row * itemsize)))
    together = -(-group // -(-group // together))
    size = together * (KH * KW * planes * lanes + KH * row)
    return tile_table(OW, True, _HEIGHTS, 1, 2), (band, group, together), size


@functools.lru_cache(maxsize=1024)
def sources_of(C: int, planes: int, F: int, lanes: int) -> np.ndarray:
    """sources[c*wide + f]: the c-th channel of x that filter f sees; empty where it is f.

    wide is F, but at least `lanes`: filters that are not there see channel 0.
    """
    if C == F and planes == 1 and lanes <= F:
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


def narrow_conv2d(x: np.ndarray, w: np.ndarray, b: np.ndarray | None, window: Window, relu: bool, y: Output) -> None:
    """y[n,i,j,f] = b[f] + sum over k, l, c of x~[n, sh*i + k - top, sw*j + l - left, f // S * I + c] * w[k,l,c,f].

    x (N, H, W, C) contiguous; x~ is x with zeros around it. w (KH, KW, I, F), S = F * I / C. With relu, negative
    results become 0.
    """
    (N, _, _, C), (_, _, planes, F), lanes = x.shape, w.shape, VECTOR_BYTES // x.itemsize
    if 0 in (N, y.OH, y.OW):
        return
    w, bias = widened(w, lanes), widened(np.zeros(F, x.dtype) if b is None else b, lanes)
    wide, sources, chunks = w.shape[-1], sources_of(C, planes, F, lanes), _chunks(window.KW, window.sw, planes, lanes)
    out = y if wide == F else Output.whole(empty((N, y.OH, y.OW, wide), x.dtype))
    for j in range(0, y.OW, MOST_COLUMNS):
        there = window._replace(left=window.left - j * window.sw)
        hw = y.OH, min(MOST_COLUMNS, y.OW - j)
        tiles, cut, size = _plan(x.shape, there, hw, wide, planes, x.itemsize)
        _narrow_conv2d(
            x.reshape(-1), x.shape, w.reshape(-1), tuple(there), sources, planes, bias, relu, out.array,
            out.start + j * out.j_step, out.steps, (*hw, wide), tiles, chunks, cut, np.zeros(lanes, x.dtype),
            scratch(size, x.dtype),
        )  # fmt: skip
    if wide != F:
        y.view(N)[:] = out.view(N)[..., :F]
