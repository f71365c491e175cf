"""Winograd convolution: neighbouring outputs are computed together, from fewer products than the formula has.

Two outputs of a kernel of two cells, y0 = d0*g0 + d1*g1 and y1 = d1*g0 + d2*g1, take four multiplications. F(2, 2)
takes three:

    m0 = (d0 - d1) * g0,  m1 = d1 * (g0 + g1),  m2 = (d1 - d2) * g1;   y0 = m0 + m1,  y1 = m1 - m2

In both directions of a picture that is 9 for 16. F(2, 3) takes 16 for 36, and F(4, 2) 25 for 64.

The input transform (d0 - d1, ...) of a tile of pixels serves all filters, and the filter transform (g0 + g1, ...) all
pictures. Between them and the output transform (m0 + m1, ...) stand matrix products, one for each of the 9, 16 or 25
elements of a transformed tile, on the micro-kernel. A NaN in x would reach all outputs of its tiles,
and the rounding error of a huge number, too: for such x, which `magnitude` finds, the convolution goes the direct way.

A convolution with strides is a sum of convolutions without, one for each remainder (a, b) of a pixel's row and column
by the strides. Their channels stand side by side: K = sh * sw * C.

Source: Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", arXiv 1509.09308.
"""

from __future__ import annotations

import functools

import numba
import numpy as np
from numba import prange

from scratchnet.kernels.cpu.compiling.cache import variant
from scratchnet.kernels.cpu.gemm.micro_kernel import NO, ONE, ZERO, micro_kernel, panel_width, tile_table
from scratchnet.kernels.cpu.gemm.operands import Depth, Left, Output, Right, Rows, Weights, Window
from scratchnet.kernels.cpu.gemm.packing import pack
from scratchnet.kernels.cpu.gemm.simd import (
    VECTOR_BYTES,
    grid_load,
    grid_store,
    tile_add,
    tile_load,
    tile_relu,
    tile_store,
)
from scratchnet.kernels.cpu.machine.caches import CACHES
from scratchnet.kernels.cpu.runtime.jit import in_order, scratch, serial, serial_in_order
from scratchnet.kernels.cpu.runtime.memory import LINE, empty
from scratchnet.kernels.cpu.winograd.transforms import FILTER, INPUT, OUTPUT, POINTS, Algorithm, grid_transform

_BUFFER_BYTES = CACHES.second * 3 // 8  # of transformed pixels in a task: they stay in the second-level cache
# Of transformed weights that are used at a time. A little more than the first-level cache holds: to fetch some of them
# again takes less time than to store the sums and go on with them.
_PANEL_BYTES = CACHES.first * 9 // 8
_BLOCKS = 8  # the number of blocks of tiles is a multiple of it, where there are enough: threads share them evenly
FEWEST_TILES, FEWEST_CHANNELS = 128, 64  # below, the transforms would cost more than they save
LARGEST_PART = 0.65  # of the direct convolution's multiplications, or it is not worth it


@serial
def line_length(numbers, itemsize):
    """So many numbers and one cache line more: lines a power of two apart would fall on the same few of a cache."""
    return numbers + LINE // itemsize


@serial
def copy_patch(x, x_shape, image, h0, v0, sh, sw, n, patch):
    """patch (n, n, C) = the pixels of x from (h0, v0) in steps of (sh, sw), 0 outside of x; both flat."""
    _, H, W, C = x_shape
    for u in range(n):
        for v in range(n):
            h, w = h0 + u * sh, v0 + v * sw
            out = patch[(u * n + v) * C : (u * n + v + 1) * C]
            if 0 <= h < H and 0 <= w < W:
                there = x[((image * H + h) * W + w) * C : ((image * H + h) * W + w + 1) * C]
                for c in range(len(out)):
                    out[c] = there[c]
            else:
                for c in range(len(out)):
                    out[c] = 0


@functools.cache
def make_input_transform(size, n, matrix):
    """The transform of size x size pixels to n x n elements, with the matrix of that number."""
    elements = n * n

    @serial_in_order
    @variant(size, n, matrix)
    def input_transform(x, x_shape, image, h0, v0, sh, sw, patch, out, to, plane):
        """out[to + e*plane + c] = element e of the transformed pixels from (h0, v0) on, for all channels c."""
        _, H, W, C = x_shape
        lanes = VECTOR_BYTES // x.itemsize
        if h0 >= 0 and v0 >= 0 and h0 + (size - 1) * sh < H and v0 + (size - 1) * sw < W:
            a, start, row, cell = x, ((image * H + h0) * W + v0) * C, sh * W * C, sw * C
        else:
            copy_patch(x, x_shape, image, h0, v0, sh, sw, size, patch)
            a, start, row, cell = patch, 0, size * C, C
        for c in range(0, C, lanes):
            pixels = grid_load(size, size, a, start + c, row, cell)
            tile_store(grid_transform(pixels, matrix), elements, 1, out, to + c, plane)

    return input_transform


def _make_filter_transform(algorithm):
    r, elements, matrix = algorithm.r, algorithm.n**2, FILTER[algorithm]

    @in_order
    @variant(*algorithm)
    def filter_transform(packed, strides, C, panels, width, u):
        """u[e, p, (a, b, c), f] = element e of the transformed cells packed[p, k*sh + a, l*sw + b, c, f], k, l < r."""
        sh, sw = strides
        K, lanes = sh * sw * C, VECTOR_BYTES // packed.itemsize
        for task in prange(panels * sh * sw):
            p, a, b = task // (sh * sw), task // sw % sh, task % sw
            for c in range(C):
                start = ((p * r * sh + a) * r * sw + b) * C * width + c * width
                to = ((p * sh + a) * sw + b) * C * width + c * width
                for f in range(0, width, lanes):
                    cells = grid_load(r, r, packed, start + f, sh * r * sw * C * width, sw * C * width)
                    tile_store(grid_transform(cells, matrix), elements, 1, u, to + f, panels * K * width)

    return filter_transform


def _make_output_transform(algorithm):
    elements, m, matrix = algorithm.n**2, algorithm.m, OUTPUT[algorithm]
    places = m * m

    @serial_in_order
    @variant(*algorithm)
    def output_transform(products, start, plane, bias, f0, relu, columns, y, to, i_step, j_step, down, right):
        """From products[start + e*plane + f] the outputs y[to + i*i_step + j*j_step + f], i < down, j < right."""
        for f in range(0, columns, VECTOR_BYTES // products.itemsize):
            outputs = grid_transform(tile_load(elements, 1, products, start + f, plane), matrix)
            outputs = tile_add(outputs, tile_load(places, 1, bias, f0 + f, 0))
            if relu:
                outputs = tile_relu(outputs)
            grid_store(outputs, m, m, y, to + f, i_step, j_step, down, right)

    return output_transform


def _make_conv2d(algorithm):
    m, n, elements = algorithm.m, algorithm.n, algorithm.n**2
    input_transform, output_transform = make_input_transform(n, n, INPUT[algorithm]), _make_output_transform(algorithm)

    @in_order
    @variant(*algorithm)
    def winograd(x, x_shape, u, window, bias, zeros, relu, y, y_start, y_steps, y_shape, cut, tiles, buffers):
        N, _, _, C = x_shape
        _, _, sh, sw, top, left = window
        OH, OW, F = y_shape
        n_step, i_step, j_step = y_steps
        count, most = cut
        TH, TW, K = (OH + m - 1) // m, (OW + m - 1) // m, sh * sw * C
        width = len(zeros)
        line = line_length(K, x.itemsize)
        total, panels = N * TH * TW, (F + width - 1) // width
        # A buffer holds transformed pixels [element, tile, channel], products [element, panel, tile, filter], a patch.
        plane, products0, patch0 = count * line, elements * count * line, elements * count * (line + panels * width)
        for task in prange((total + count - 1) // count):
            first = task * count
            here = min(count, total - first)
            buffer = buffers[numba.get_thread_id()]
            for t in range(here):
                image, i, j = (first + t) // (TH * TW), (first + t) // TW % TH * m, (first + t) % TW * m
                for a in range(sh):
                    for b in range(sw):
                        h0, v0, to = i * sh + a - top, j * sw + b - left, t * line + (a * sw + b) * C
                        input_transform(x, x_shape, image, h0, v0, sh, sw, buffer[patch0:], buffer, to, plane)
            for e in range(elements):
                for p in range(panels):
                    for k in range(0, K, most):
                        right = Right(((e * panels + p) * K + k) * width, ZERO, ZERO, width)
                        depth = Depth(ONE, ONE, min(most, K - k))
                        for z in range(len(tiles)):
                            t0, height = tiles[z, 0], tiles[z, 1]
                            pixels = Left(e * plane + t0 * line + k, line, ZERO, ZERO, ONE)
                            out = Rows(products0 + ((e * panels + p) * count + t0) * width, width)
                            s, initial = (zeros, Rows(ZERO, ZERO)) if k == 0 else (buffer, out)
                            micro_kernel(height, buffer, pixels, u, right, depth, s, initial, buffer, out, NO)
            for t in range(here):
                image, i, j = (first + t) // (TH * TW), (first + t) // TW % TH * m, (first + t) % TW * m
                for p in range(panels):
                    start, f0 = products0 + (p * count + t) * width, p * width
                    to = y_start + image * n_step + i * i_step + j * j_step + f0
                    output_transform(
                        buffer, start, panels * count * width, bias, f0, relu, min(width, F - f0),
                        y, to, i_step, j_step, OH - i, OW - j,
                    )  # fmt: skip

    return winograd


_filter_transform = {algorithm: _make_filter_transform(algorithm) for algorithm in POINTS}
_winograd = {algorithm: _make_conv2d(algorithm) for algorithm in POINTS}


@functools.lru_cache(maxsize=4096)
def choose_algorithm(
    x_shape: tuple[int, ...], window: Window, hw: tuple[int, int], F: int, itemsize: int, for_weights: bool = False
) -> Algorithm | None:
    """F(m, r) with the fewest multiplications, r = KH / sh = KW / sw; None where none can be, or is faster.

    With for_weights, for the gradient of the weights, which has no filter transform.
    """
    (N, _, _, C), (KH, KW, sh, sw, _, _), (OH, OW) = x_shape, window, hw
    lanes, r = VECTOR_BYTES // itemsize, KH // sh
    if (r * sh, r * sw) != (KH, KW) or C % lanes or F % lanes or min(sh * sw * C, F) < FEWEST_CHANNELS:
        return None
    part, best = LARGEST_PART, None
    for algorithm in POINTS:
        tiles = N * -(-OH // algorithm.m) * -(-OW // algorithm.m)
        # With m = 4, the filter transform makes 25 numbers of 4, for each remainder: more tiles have to share them.
        fewest = FEWEST_TILES * (1 if for_weights or algorithm.m == 2 else sh * sw)
        multiplications = tiles * algorithm.n**2 / max(1, N * OH * OW * r**2)
        if algorithm.r == r and tiles >= fewest and multiplications <= part:
            part, best = multiplications, algorithm
    return best


def winograd_conv2d(
    algorithm: Algorithm,
    x: np.ndarray,
    weights: Weights,
    bias: np.ndarray | None,
    window: Window,
    relu: bool,
    y: Output,
) -> None:
    """`direct_conv2d`, to rounding, by the algorithm that `choose_algorithm` gives."""
    (N, _, _, C), (KH, KW, sh, sw, _, _), F = x.shape, window, y.F
    width, elements, K = panel_width(x.itemsize), algorithm.n**2, sh * sw * C
    panels = -(-F // width)
    packed, u = pack(weights, KH, KW, C, F), empty((elements * panels * K * width,), x.dtype)
    _filter_transform[algorithm](packed, (sh, sw), C, panels, width, u)
    initial = np.zeros(panels * width, x.dtype)
    if bias is not None:
        initial[:F] = bias
    total = N * -(-y.OH // algorithm.m) * -(-y.OW // algorithm.m)
    blocks = -(-total * elements * K * x.itemsize // _BUFFER_BYTES)
    blocks = -(-blocks // _BLOCKS) * _BLOCKS
    count = -(-total // blocks)
    _winograd[algorithm](
        x.reshape(-1), x.shape, u, tuple(window), initial, np.zeros(width, x.dtype), relu,
        y.array, y.start, y.steps, (y.OH, y.OW, F), (count, _PANEL_BYTES // (width * x.itemsize)),
        tile_table(count, False),
        scratch(elements * count * (line_length(K, x.itemsize) + panels * width) + elements * C, x.dtype),
    )  # fmt: skip
