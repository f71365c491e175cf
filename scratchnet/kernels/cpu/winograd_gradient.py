"""The gradient of a kernel's weights with fewer multiplications: the formulas of `winograd`, with dy for the weights.

    dw[k] = sum over tiles of x[2t + k] * dy[2t] + x[2t + k + 1] * dy[2t + 1],  k = 0, 1

takes three multiplications for two cells of the kernel, as two outputs did there. What is summed over all tiles is a
matrix for each combination; the cells of the kernel are put together once, at the end.
"""

from __future__ import annotations

import numba
import numpy as np
from numba import prange

from scratchnet.kernels.cpu.cache import variant
from scratchnet.kernels.cpu.correlate import Kernel
from scratchnet.kernels.cpu.jit import in_order, parallel, scratch, serial_in_order
from scratchnet.kernels.cpu.memory import empty
from scratchnet.kernels.cpu.simd import VECTOR_BYTES, grid_load, tile_add, tile_load, tile_store
from scratchnet.kernels.cpu.tile import add_products, panel_width, tile_table
from scratchnet.kernels.cpu.winograd import line_of, make_take
from scratchnet.kernels.cpu.winograd_schemes import CELLS, DATA, GRADIENTS, Scheme, grid_transform

_CHUNK_BYTES = 1 << 23  # of combinations that are made before they are multiplied: they stay in the shared cache
_TILES_AT_ONCE = 128  # of a sum: their combinations stay in the first-level cache
_BUNCHES = 4  # tasks for each combination: enough to keep several threads busy


def _make_combine(scheme):
    n, outputs = scheme.pixels, scheme.outputs
    take_x, take_dy = make_take(n, n, DATA[scheme]), make_take(outputs, n, GRADIENTS[scheme])

    @in_order
    @variant(*scheme)
    def combine(x, x_shape, dy, dy_shape, kernel, first, count, v, w, v_line, w_line, buffers):
        """The combinations of `count` tiles from the first on: v[e, t, (a, b, c)] of x, w[e, t, f] of dy."""
        C = x_shape[3]
        _, OH, OW, _ = dy_shape
        sh, sw, top, left = kernel
        TH, TW = (OH + outputs - 1) // outputs, (OW + outputs - 1) // outputs
        for t in prange(count):
            patch = buffers[numba.get_thread_id()]
            image, i, j = (first + t) // (TH * TW), (first + t) // TW % TH * outputs, (first + t) % TW * outputs
            for a in range(sh):
                for b in range(sw):
                    h0, v0, to = i * sh + a - top, j * sw + b - left, t * v_line + (a * sw + b) * C
                    take_x(x, x_shape, image, h0, v0, sh, sw, patch, v, to, count * v_line)
            take_dy(dy, dy_shape, image, i, j, 1, 1, patch, w, t * w_line, count * w_line)

    return combine


@parallel
def _multiply(v, w, v_line, w_line, count, points, at_once, more, zeros, tiles, bunches, K, m):
    """m[e, k, f] = the sum over tiles t of v[e, t, k] * w[e, t, f]; added to what is there, if more."""
    zero, one, no = np.intp(0), np.intp(1), np.bool_(False)  # see correlate.py
    width = len(zeros)
    wide = len(m) // (points * K)
    for task in prange(points * bunches):
        e, bunch = task // bunches, task % bunches
        for t in range(0, count, at_once):
            for z in range(bunch * len(tiles) // bunches, (bunch + 1) * len(tiles) // bunches):
                for f in range(0, wide, width):
                    to = (e * K + tiles[z, 0]) * wide + f
                    start, s0, sp = (m, to, wide) if more or t > 0 else (zeros, zero, zero)
                    add_products(
                        tiles[z, 1], v, (e * count + t) * v_line + tiles[z, 0], one, zero, zero, v_line,
                        w, (e * count + t) * w_line + f, zero, zero, w_line, one, one, min(at_once, count - t),
                        start, s0, sp, m, to, wide, no,
                    )  # fmt: skip


def _make_put_together(scheme):
    taps, points, which = scheme.taps, scheme.pixels**2, CELLS[scheme]

    @serial_in_order
    @variant(*scheme)
    def cells_of(m, start, plane, F, dw, to, row, cell):
        for f in range(0, F, VECTOR_BYTES // m.itemsize):
            cells = grid_transform(tile_load(points, 1, m, start + f, plane), which)
            sums = tile_add(cells, grid_load(taps, taps, dw, to + f, row, cell))
            for k in range(taps):
                for l in range(taps):  # noqa: E741
                    tile_store((sums[k * taps + l],), 1, 1, dw, to + f + k * row + l * cell, 0)

    @in_order
    @variant(*scheme)
    def put_together(m, strides, C, F, dw):
        """dw[k*sh + a, l*sw + b, c, f] += cell (k, l) of the products m[e, (a, b, c), f]."""
        sh, sw = strides
        K = sh * sw * C
        wide = len(m) // (points * K)
        for k in prange(K):
            a, b, c = k // (sw * C), k // C % sw, k % C
            to, cell = ((a * taps * sw + b) * C + c) * F, sw * C * F
            cells_of(m, k * wide, K * wide, F, dw, to, sh * taps * cell, cell)

    return put_together


_combine = {scheme: _make_combine(scheme) for scheme in DATA}
_put_together = {scheme: _make_put_together(scheme) for scheme in DATA}


def weight_tiles(scheme: Scheme, x: np.ndarray, dy: np.ndarray, kernel: Kernel, dw: np.ndarray) -> None:
    """dw[k,l,c,f] += sum over n, i, j of x~[n, sh*i+k-top, sw*j+l-left, c] * dy[n,i,j,f], by tiles.

    scheme is what `winograd.scheme_of` gives. x (N, H, W, C), dy (N, OH, OW, F), dw (KH, KW, C, F), all contiguous; x~
    is x with zeros around it.
    """
    (N, _, _, C), (_, OH, OW, F), (_, _, sh, sw, top, left) = x.shape, dy.shape, kernel
    total = N * -(-OH // scheme.outputs) * -(-OW // scheme.outputs)
    width, points, K = panel_width(x.itemsize), scheme.pixels**2, sh * sw * C
    wide = -(-F // width) * width
    v_line, w_line = line_of(K, x.itemsize), line_of(wide, x.itemsize)
    chunks = -(-total * points * (v_line + w_line) * x.itemsize // _CHUNK_BYTES)
    most = -(-total // chunks)
    v, w = empty((points * most * v_line,), x.dtype), empty((points * most * w_line,), x.dtype)
    m, tiles = empty((points * K * wide,), x.dtype), tile_table(K, False)
    for first in range(0, total, most):
        count = min(most, total - first)
        _combine[scheme](
            x.reshape(-1), x.shape, dy.reshape(-1), dy.shape, (sh, sw, top, left), first, count, v, w, v_line, w_line,
            scratch(points * max(C, F), x.dtype),
        )  # fmt: skip
        _multiply(
            v, w, v_line, w_line, count, points, _TILES_AT_ONCE, first > 0, np.zeros(width, x.dtype), tiles, _BUNCHES,
            K, m,
        )  # fmt: skip
    _put_together[scheme](m, (sh, sw), C, F, dw.reshape(-1))
