"""The gradient of the weights of a convolution in groups of few channels: the sums of some taps stay in registers.

x (N, H, W, C), dy (N, OH, OW, F), dw (KH, KW, I, F), as in `narrow`. The sum runs over the batch. It is cut into parts,
pictures and bands of them, whose number follows from the shapes alone; the parts are added in order: the same bits for
any number of threads.
"""

from __future__ import annotations

import functools

import numba
import numpy as np
from numba import prange

from scratchnet.kernels.cpu.compiling.cache import variant
from scratchnet.kernels.cpu.conv.narrow import copy_row, sources_of, widened
from scratchnet.kernels.cpu.conv.narrow_plan import MOST_COLUMNS, seen_columns
from scratchnet.kernels.cpu.conv.taps import window_multiply_add
from scratchnet.kernels.cpu.gemm.operands import Window
from scratchnet.kernels.cpu.gemm.prefetching import prefetch
from scratchnet.kernels.cpu.gemm.simd import VECTOR_BYTES, tile_load, tile_store, vector_registers
from scratchnet.kernels.cpu.machine.caches import CACHES
from scratchnet.kernels.cpu.runtime.jit import PARTS, inlined_in_order, parallel, scratch
from scratchnet.kernels.cpu.runtime.memory import empty
from scratchnet.kernels.cpu.sums import LONGEST_SUM, sum_of

# Rows and columns of the taps whose sums are held at once: with an output and a pixel, they fit into the registers.
_WINDOWS = ((5, 5) if vector_registers() == 32 else (2, 5), (3, 3), (1, 5), (1, 3), (2, 2), (1, 1))
# Of x with zeros around it, that are copied at once: they stay in the first-level cache.
_ROWS_BYTES = CACHES.first * 7 // 8
_LEAST_ROWS = 4  # of dy, that are gone through with these; with fewer, more of x would be copied twice
_BLOCKS_A_TASK = 4  # at least, where a task has not all filters
_TASKS = 32  # enough to keep many threads busy


def _make_window(K, L):
    """Sums for K x L taps, constants to the compiler."""
    taps = K * L

    @inlined_in_order
    @variant(K, L)
    def kernel(x, so, xo, x_row, x_down, x_right, lanes, dy, do, dy_row, dy_cell, rows, columns, fours):
        """x[so + (k, l)] += the sum over i < rows and j < columns of pixel (i, j) shifted by (k, l), and slope (i, j).

        The first 4 * fours columns are taken by fours.
        """
        tile = tile_load(taps, 1, x, so, lanes)
        for i in range(rows):
            at_x, at_dy = xo + i * x_down, do + i * dy_row
            for _ in range(fours):
                for q in range(4):
                    prefetch(dy, at_dy + dy_row + q * dy_cell)
                tile = window_multiply_add(tile, 4, K, L, x, at_x, x_row, dy, at_dy, dy_cell)
                at_x += 4 * lanes
                at_dy += 4 * dy_cell
            for _ in range(columns - 4 * fours):
                prefetch(dy, at_dy + dy_row)
                tile = window_multiply_add(tile, 1, K, L, x, at_x, x_row, dy, at_dy, 0)
                at_x += x_right
                at_dy += dy_cell
        tile_store(tile, taps, 1, x, so, lanes)

    return kernel


_w0, _w1, _w2, _w3, _w4, _w5 = (_make_window(*taps) for taps in _WINDOWS)


@parallel
def _narrow_weight_grad(
    x, x_shape, dy, dy_shape, window, span, columns, beside, sources, planes, chunks, cut, zeros, partial,
    buffers,
):  # fmt: skip
    """partial[part, (k, l, c), f]; a part is a number of pictures, or a band of rows of each of them.

    span: the first column of dy, and how many there are. columns and beside are as in `narrow_plan`.
    """
    N, H, W, C = x_shape
    KH, KW, sh, sw, top, _ = window
    _, OH, OW, F = dy_shape
    (j0, across), (parts, bands, group, together, some) = span, cut
    lanes = len(zeros)
    blocks = (F + lanes - 1) // lanes
    groups = (blocks + group - 1) // group
    cells, plane = KH * KW * lanes, ((across - 1) * sw + KW) * lanes
    fours = across // 4 if sw == 1 else 0
    for task in prange(parts * bands * groups):
        part, band = task // groups // bands, task // groups % bands
        i0, i1 = band * OH // bands, (band + 1) * OH // bands
        buffer, nothing = buffers[numba.get_thread_id()], tile_load(1, 1, zeros, 0, 0)
        for b0 in range(task % groups * group, min(blocks, (task % groups + 1) * group), together):
            here = min(together, blocks - b0)
            row, pixels = here * planes * plane, here * planes * cells
            down, right = sh * row, sw * lanes
            for t in range(here * planes * KH * KW):
                tile_store(nothing, 1, 1, buffer, t * lanes, 0)
            for line in range(pixels, pixels + ((some - 1) * sh + KH) * row, plane):
                for v in range(len(beside)):
                    tile_store(nothing, 1, 1, buffer, line + beside[v], 0)
            for n in range(part * N // parts, (part + 1) * N // parts):
                for i in range(i0, i1, some):
                    rows = min(some, i1 - i)
                    for r in range((rows - 1) * sh + KH):
                        h, to = i * sh - top + r, pixels + r * row
                        if 0 <= h < H:
                            copy_row(
                                x, (n * H + h) * W * C, columns, C, sources, F, b0, here, planes, plane, lanes, buffer,
                                to, W * C,
                            )  # fmt: skip
                        else:
                            for v in range(to, to + row, lanes):
                                tile_store(nothing, 1, 1, buffer, v, 0)
                    for g in range(here):
                        do = ((n * OH + i) * OW + j0) * F + min((b0 + g) * lanes, F - lanes)
                        for c in range(planes):
                            so, xo = (g * planes + c) * cells, pixels + (g * planes + c) * plane
                            for chunk in range(len(chunks)):
                                at, which = xo + chunks[chunk, 0] * row + chunks[chunk, 1] * lanes, chunks[chunk, 2]
                                if which == 0:
                                    _w0(
                                        buffer, so, at, row, down, right, lanes, dy, do, OW * F, F, rows, across, fours
                                    )  # fmt: skip
                                elif which == 1:
                                    _w1(
                                        buffer, so, at, row, down, right, lanes, dy, do, OW * F, F, rows, across, fours
                                    )  # fmt: skip
                                elif which == 2:
                                    _w2(
                                        buffer, so, at, row, down, right, lanes, dy, do, OW * F, F, rows, across, fours
                                    )  # fmt: skip
                                elif which == 3:
                                    _w3(
                                        buffer, so, at, row, down, right, lanes, dy, do, OW * F, F, rows, across, fours
                                    )  # fmt: skip
                                elif which == 4:
                                    _w4(
                                        buffer, so, at, row, down, right, lanes, dy, do, OW * F, F, rows, across, fours
                                    )  # fmt: skip
                                else:
                                    _w5(
                                        buffer, so, at, row, down, right, lanes, dy, do, OW * F, F, rows, across, fours
                                    )  # fmt: skip
                                so += chunks[chunk, 3] * chunks[chunk, 4] * lanes
            out = partial[part * bands + band]
            for g in range(here):
                f0 = min((b0 + g) * lanes, F - lanes)
                for c in range(planes):
                    so = (g * planes + c) * cells
                    for chunk in range(len(chunks)):
                        for k in range(chunks[chunk, 0], chunks[chunk, 0] + chunks[chunk, 3]):
                            for l in range(chunks[chunk, 1], chunks[chunk, 1] + chunks[chunk, 4]):  # noqa: E741
                                tile_store(
                                    tile_load(1, 1, buffer, so, 0), 1, 1, out, ((k * KW + l) * planes + c) * F + f0, 0
                                )
                                so += lanes


@functools.lru_cache(maxsize=1024)
def _chunks(KH: int, KW: int) -> np.ndarray:
    """The window cut into parts of _WINDOWS: (first row, first column, index in _WINDOWS, rows, columns) of each."""
    found, l = [], 0  # noqa: E741
    while l < KW:
        wide = next(n for n in (5, 3, 2, 1) if n <= KW - l)
        k = 0
        while k < KH:
            which = next(q for q, (K, L) in enumerate(_WINDOWS) if KH - k >= K and (wide == L or (wide, L) == (2, 1)))
            rows, columns = _WINDOWS[which]
            found += [(k, l + more, which, rows, columns) for more in range(0, wide, columns)]
            k += rows
        l += wide  # noqa: E741
    return np.array(found, np.int64).reshape(-1, 5)


def parts_and_bands(N: int, OH: int, OW: int) -> tuple[int, int]:
    """Into how many parts of the batch, and bands of a picture, a sum over all places is cut."""
    return min(N, max(PARTS, -(-N * OH * OW // LONGEST_SUM))), min(OH, -(-OH * OW // LONGEST_SUM))


@functools.lru_cache(maxsize=1024)
def _plan(dy_shape: tuple[int, ...], window: Window, planes: int, itemsize: int) -> tuple[tuple[int, ...], int]:
    """How the sum is cut, and the numbers in a thread's buffer.

    It is cut into parts of the batch, bands of a picture, and blocks of filters in a task; so many of these together,
    and so many rows of dy, are gone through at a time.
    """
    (N, OH, OW, F), (KH, KW, sh, sw, _, _) = dy_shape, window
    OW, lanes = min(OW, MOST_COLUMNS), VECTOR_BYTES // itemsize
    blocks, row = -(-F // lanes), ((OW - 1) * sw + KW) * planes * lanes
    parts, bands = parts_and_bands(N, OH, OW)
    groups = min(-(-_TASKS // (parts * bands)), max(1, blocks // _BLOCKS_A_TASK)) if F % lanes == 0 else 1
    group = -(-blocks // groups)
    some = max(min(OH, _LEAST_ROWS), (_ROWS_BYTES // (row * itemsize) - KH) // sh + 1)
    some = -(-OH // -(-OH // some))
    rows = (some - 1) * sh + KH
    together = max(1, min(group, _ROWS_BYTES // (rows * row * itemsize)))
    together = -(-group // -(-group // together))
    size = together * (KH * KW * planes * lanes + rows * row)
    return (parts, bands, group, together, some), size


def narrow_weight_grad(x: np.ndarray, dy: np.ndarray, window: Window, planes: int) -> np.ndarray:
    """dw[k,l,c,f] = sum over n, i, j of x~[n, sh*i + k - top, sw*j + l - left, f // S * I + c] * dy[n,i,j,f].

    x (N, H, W, C), dy (N, OH, OW, F), both contiguous; planes is I, dw is (KH, KW, I, F).
    """
    C, F, (KH, KW), lanes = x.shape[3], dy.shape[3], window[:2], VECTOR_BYTES // x.itemsize
    if 0 in dy.shape:
        return np.zeros((KH, KW, planes, F), x.dtype)
    dy = widened(dy, lanes)
    wide = dy.shape[3]
    cut, size = _plan(dy.shape, window, planes, x.itemsize)
    parts, spans = cut[0] * cut[1], range(0, dy.shape[2], MOST_COLUMNS)
    partial = empty((len(spans) * parts, KH * KW * planes * wide), x.dtype)
    for place, j in enumerate(spans):
        span = j, min(MOST_COLUMNS, dy.shape[2] - j)
        columns = seen_columns(j * window.sw - window.left, (span[1] - 1) * window.sw + KW, x.shape[2], lanes)
        _narrow_weight_grad(
            x.reshape(-1), x.shape, dy.reshape(-1), dy.shape, tuple(window), span, *columns,
            sources_of(C, planes, F, lanes), planes, _chunks(KH, KW), cut, np.zeros(lanes, x.dtype),
            partial[place * parts : (place + 1) * parts], scratch(size, x.dtype),
        )  # fmt: skip
    return sum_of(partial).reshape(KH, KW, planes, wide)[..., :F]
