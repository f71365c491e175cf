"""The gradient of a kernel's weights with fewer multiplications: Winograd's F(m, r) with dy for the weights.

    dw[k] = sum over tiles t of x[2t + k] * dy[2t] + x[2t + k + 1] * dy[2t + 1],  k = 0, 1

takes three multiplications for two cells of the kernel, as two outputs of F(2, 2) do. What is summed over all tiles is
a matrix for each element of the transformed tiles; their transform to the cells of the kernel comes once, at the end.
"""

from __future__ import annotations

import numba
import numpy as np
from numba import prange

from scratchnet.kernels.cpu.compiling.cache import variant
from scratchnet.kernels.cpu.gemm.micro_kernel import NO, ONE, ZERO, micro_kernel, panel_width, tile_table
from scratchnet.kernels.cpu.gemm.operands import Depth, Left, Right, Rows, Window
from scratchnet.kernels.cpu.gemm.simd import VECTOR_BYTES, grid_load, tile_add, tile_load, tile_store
from scratchnet.kernels.cpu.machine.caches import CACHES
from scratchnet.kernels.cpu.runtime.jit import in_order, parallel, scratch, serial_in_order
from scratchnet.kernels.cpu.runtime.memory import empty
from scratchnet.kernels.cpu.sums import LONGEST_SUM
from scratchnet.kernels.cpu.winograd.conv2d import line_length, make_input_transform
from scratchnet.kernels.cpu.winograd.transforms import (
    FILTER_GRAD,
    INPUT,
    OUTPUT_GRAD,
    POINTS,
    Algorithm,
    grid_transform,
)

# Of transformed x and dy that are made before they are multiplied: they stay in the shared cache. More than 8 MB would
# save nothing that is seen.
_CHUNK_BYTES = min(8 << 20, CACHES.shared // 4)
_PANEL_BYTES = CACHES.first // 2  # of a panel of transformed dy, with as much of x: they stay in the first-level cache
_BUNCHES = 4  # tasks for each element: enough to keep several threads busy


def _make_input_transforms(algorithm):
    m, n = algorithm.m, algorithm.n
    transform_x = make_input_transform(n, n, INPUT[algorithm])
    transform_dy = make_input_transform(m, n, OUTPUT_GRAD[algorithm])

    @in_order
    @variant(*algorithm)
    def input_transforms(x, x_shape, dy, dy_shape, window, first, count, v, w, v_line, w_line, buffers):
        """v[e, t, (a, b, c)] of x and w[e, t, f] of dy, for `count` tiles from the first on."""
        C = x_shape[3]
        _, OH, OW, _ = dy_shape
        _, _, sh, sw, top, left = window
        TH, TW = (OH + m - 1) // m, (OW + m - 1) // m
        for t in prange(count):
            patch = buffers[numba.get_thread_id()]
            image, i, j = (first + t) // (TH * TW), (first + t) // TW % TH * m, (first + t) % TW * m
            for a in range(sh):
                for b in range(sw):
                    h0, v0, to = i * sh + a - top, j * sw + b - left, t * v_line + (a * sw + b) * C
                    transform_x(x, x_shape, image, h0, v0, sh, sw, patch, v, to, count * v_line)
            transform_dy(dy, dy_shape, image, i, j, 1, 1, patch, w, t * w_line, count * w_line)

    return input_transforms


@parallel
def _multiply(v, w, v_line, w_line, count, elements, at_once, more, zeros, tiles, bunches, K, products):
    """products[e, k, f] = the sum over tiles t of v[e, t, k] * w[e, t, f]; added to what is there, if more."""
    width = len(zeros)
    wide = len(products) // (elements * K)
    for task in prange(elements * bunches):
        e, bunch = task // bunches, task % bunches
        for t in range(0, count, at_once):
            depth = Depth(ONE, ONE, min(at_once, count - t))
            for z in range(bunch * len(tiles) // bunches, (bunch + 1) * len(tiles) // bunches):
                k, height = tiles[z, 0], tiles[z, 1]
                left = Left((e * count + t) * v_line + k, ONE, ZERO, ZERO, v_line)
                for f in range(0, wide, width):
                    right = Right((e * count + t) * w_line + f, ZERO, ZERO, w_line)
                    out = Rows((e * K + k) * wide + f, wide)
                    s, initial = (products, out) if more or t > 0 else (zeros, Rows(ZERO, ZERO))
                    micro_kernel(height, v, left, w, right, depth, s, initial, products, out, NO)


def _make_filter_grad_transform(algorithm):
    r, elements, matrix = algorithm.r, algorithm.n**2, FILTER_GRAD[algorithm]

    @serial_in_order
    @variant(*algorithm)
    def add_cells(products, start, plane, F, dw, to, row, cell):
        """dw[to + k*row + l*cell + f] += cell (k, l) of the transformed products[start + e*plane + f]."""
        for f in range(0, F, VECTOR_BYTES // products.itemsize):
            cells = grid_transform(tile_load(elements, 1, products, start + f, plane), matrix)
            sums = tile_add(cells, grid_load(r, r, dw, to + f, row, cell))
            for k in range(r):
                for l in range(r):  # noqa: E741
                    tile_store((sums[k * r + l],), 1, 1, dw, to + f + k * row + l * cell, 0)

    @in_order
    @variant(*algorithm)
    def filter_grad_transform(products, strides, C, F, dw):
        """dw[k*sh + a, l*sw + b, c, f] += cell (k, l) of the transformed products[e, (a, b, c), f]."""
        sh, sw = strides
        K = sh * sw * C
        wide = len(products) // (elements * K)
        for task in prange(K):
            a, b, c = task // (sw * C), task // C % sw, task % C
            to, cell = ((a * r * sw + b) * C + c) * F, sw * C * F
            add_cells(products, task * wide, K * wide, F, dw, to, sh * r * cell, cell)

    return filter_grad_transform


_input_transforms = {algorithm: _make_input_transforms(algorithm) for algorithm in POINTS}
_filter_grad_transform = {algorithm: _make_filter_grad_transform(algorithm) for algorithm in POINTS}


def winograd_weight_grad(algorithm: Algorithm, x: np.ndarray, dy: np.ndarray, window: Window, dw: np.ndarray) -> None:
    """dw[k,l,c,f] += sum over n, i, j of x~[n, sh*i+k-top, sw*j+l-left, c] * dy[n,i,j,f], by tiles of m x m outputs.

    algorithm is what `choose_algorithm` gives. x (N, H, W, C), dy (N, OH, OW, F), dw (KH, KW, C, F), all contiguous;
    x~ is x with zeros around it.
    """
    (N, _, _, C), (_, OH, OW, F), (_, _, sh, sw, _, _) = x.shape, dy.shape, window
    total = N * -(-OH // algorithm.m) * -(-OW // algorithm.m)
    width, elements, K = panel_width(x.itemsize), algorithm.n**2, sh * sw * C
    wide = -(-F // width) * width
    v_line, w_line = line_length(K, x.itemsize), line_length(wide, x.itemsize)
    # A sum in float32 ends after LONGEST_SUM tiles, on all processors. Of these, so many are transformed at a time:
    together = min(total, LONGEST_SUM)
    most = -(-together // -(-together * elements * (v_line + w_line) * x.itemsize // _CHUNK_BYTES))
    v, w = empty((elements * most * v_line,), x.dtype), empty((elements * most * w_line,), x.dtype)
    products, tiles = empty((elements * K * wide,), x.dtype), tile_table(K, False)
    for start in range(0, total, LONGEST_SUM):
        end = min(total, start + LONGEST_SUM)
        for first in range(start, end, most):
            count = min(most, end - first)
            _input_transforms[algorithm](
                x.reshape(-1), x.shape, dy.reshape(-1), dy.shape, tuple(window), first, count, v, w, v_line, w_line,
                scratch(elements * max(C, F), x.dtype),
            )  # fmt: skip
            _multiply(
                v, w, v_line, w_line, count, elements, max(1, _PANEL_BYTES // (width * x.itemsize)), first > start,
                np.zeros(width, x.dtype), tiles, _BUNCHES, K, products,
            )  # fmt: skip
        _filter_grad_transform[algorithm](products, (sh, sw), C, F, dw.reshape(-1))
