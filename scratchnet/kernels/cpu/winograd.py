"""Convolution with fewer multiplications: neighbouring outputs are worked out together, from a few products each.

Two outputs of a kernel of two cells, y0 = d0*g0 + d1*g1 and y1 = d1*g0 + d2*g1, take four multiplications. Three do:

    m0 = (d0 - d1) * g0,  m1 = d1 * (g0 + g1),  m2 = (d1 - d2) * g1;   y0 = m0 + m1,  y1 = m1 - m2

In both directions of a picture, nine do for sixteen. With a kernel of three cells 16 do for 36, and for four outputs of
a kernel of two 25 for 64; `winograd_schemes` has the rule.

Pixels and weights are combined first, and each combination serves many products: one of pixels those with all filters,
one of weights those with all pictures. What remains is a matrix product for each of the 9, 16 or 25, on the register
tile. Sums and differences also spread: a NaN in x reaches all outputs that are worked out together.

A convolution with steps is a sum of convolutions without, one for each remainder of a pixel's place by the step.

Source: Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", arXiv 1509.09308.
"""

from __future__ import annotations

import functools

import numba
import numpy as np
from numba import prange

from scratchnet.kernels.cpu.cache import variant
from scratchnet.kernels.cpu.correlate import Kernel, Weights, pack
from scratchnet.kernels.cpu.jit import in_order, scratch, serial, serial_in_order
from scratchnet.kernels.cpu.memory import LINE, empty
from scratchnet.kernels.cpu.simd import (
    VECTOR_BYTES,
    grid_load,
    grid_store,
    tile_add,
    tile_load,
    tile_relu,
    tile_store,
)
from scratchnet.kernels.cpu.tile import add_products, panel_width, tile_table
from scratchnet.kernels.cpu.winograd_schemes import DATA, OUTPUTS, POINTS, WEIGHTS, Scheme, grid_transform

_BUFFER_BYTES = 3 << 17  # of transformed pixels in a task: they stay in the second-level cache
_PANEL_BYTES = 36 * 1024  # of transformed weights that are used at a time: they stay in the first-level cache
_BLOCKS = 8  # the number of blocks of tiles is a multiple of it, where there are enough: threads share them evenly
FEWEST_TILES, FEWEST_CHANNELS = 128, 64  # below, the combining would cost more than it saves
LARGEST_PART = 0.65  # of the direct convolution's multiplications, or it is not worth it


@serial
def line_of(numbers, itemsize):
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
def make_take(n, points, which):
    """A function that combines the n x n pixels of one tile with the matrix of that number, into points x points."""
    points = points * points

    @serial_in_order
    @variant(n, points, which)
    def take(x, x_shape, image, h0, v0, sh, sw, patch, out, to, plane):
        """out[to + e*plane + c] = combination e of the pixels from (h0, v0) on, for all channels c."""
        _, H, W, C = x_shape
        lanes = VECTOR_BYTES // x.itemsize
        if h0 >= 0 and v0 >= 0 and h0 + (n - 1) * sh < H and v0 + (n - 1) * sw < W:
            a, start, row, cell = x, ((image * H + h0) * W + v0) * C, sh * W * C, sw * C
        else:
            copy_patch(x, x_shape, image, h0, v0, sh, sw, n, patch)
            a, start, row, cell = patch, 0, n * C, C
        for c in range(0, C, lanes):
            tile_store(grid_transform(grid_load(n, n, a, start + c, row, cell), which), points, 1, out, to + c, plane)

    return take


def _make_combine_weights(scheme):
    """Weights, laid side by side in panels, to their combinations."""
    taps, points, which = scheme.taps, scheme.pixels**2, WEIGHTS[scheme]

    @in_order
    @variant(*scheme)
    def combine_weights(packed, strides, C, panels, width, u):
        """u[e, p, (a, b, c), f] = combination e of the cells packed[p, (k*sh + a, m*sw + b), c, f], k, m < taps."""
        sh, sw = strides
        K, lanes = sh * sw * C, VECTOR_BYTES // packed.itemsize
        for task in prange(panels * sh * sw):
            p, a, b = task // (sh * sw), task // sw % sh, task % sw
            for c in range(C):
                start = ((p * taps * sh + a) * taps * sw + b) * C * width + c * width
                to = ((p * sh + a) * sw + b) * C * width + c * width
                for f in range(0, width, lanes):
                    cells = grid_load(taps, taps, packed, start + f, sh * taps * sw * C * width, sw * C * width)
                    tile_store(grid_transform(cells, which), points, 1, u, to + f, panels * K * width)

    return combine_weights


def _make_give(scheme):
    points, count, which = scheme.pixels**2, scheme.outputs, OUTPUTS[scheme]
    places = count * count

    @serial_in_order
    @variant(*scheme)
    def give(m, start, plane, s, s0, relu, columns, y, to, yi, yj, down, right):
        """From products m[start + e*plane + f] the outputs y[to + i*yi + j*yj + f], i < down, j < right."""
        for f in range(0, columns, VECTOR_BYTES // m.itemsize):
            outputs = grid_transform(tile_load(points, 1, m, start + f, plane), which)
            outputs = tile_add(outputs, tile_load(places, 1, s, s0 + f, 0))
            if relu:
                outputs = tile_relu(outputs)
            grid_store(outputs, count, count, y, to + f, yi, yj, down, right)

    return give


def _make_slide(scheme):
    n, points, outputs = scheme.pixels, scheme.pixels**2, scheme.outputs
    take, give = make_take(n, n, DATA[scheme]), _make_give(scheme)

    @in_order
    @variant(*scheme)
    def slide(x, x_shape, u, kernel, s, zeros, relu, y, y0, y_steps, hw, F, cut, tiles, buffers):
        N, _, _, C = x_shape
        sh, sw, top, left = kernel
        OH, OW = hw
        yn, yi, yj = y_steps
        count, most = cut
        TH, TW, K = (OH + outputs - 1) // outputs, (OW + outputs - 1) // outputs, sh * sw * C
        width = len(zeros)
        line = line_of(K, x.itemsize)
        zero, one, no = np.intp(0), np.intp(1), np.bool_(False)  # see correlate.py
        total, panels = N * TH * TW, (F + width - 1) // width
        plane, m0, patch0 = count * line, points * count * line, points * count * (line + panels * width)
        for task in prange((total + count - 1) // count):
            first = task * count
            here = min(count, total - first)
            buffer = buffers[numba.get_thread_id()]
            for t in range(here):
                image, i, j = (first + t) // (TH * TW), (first + t) // TW % TH * outputs, (first + t) % TW * outputs
                for a in range(sh):
                    for b in range(sw):
                        h0, v0, to = i * sh + a - top, j * sw + b - left, t * line + (a * sw + b) * C
                        take(x, x_shape, image, h0, v0, sh, sw, buffer[patch0:], buffer, to, plane)
            for e in range(points):
                for p in range(panels):
                    for k in range(0, K, most):
                        for z in range(len(tiles)):
                            to = m0 + ((e * panels + p) * count + tiles[z, 0]) * width
                            start, s0, sp = (zeros, zero, zero) if k == 0 else (buffer, to, width)
                            add_products(
                                tiles[z, 1], buffer, e * plane + tiles[z, 0] * line + k, line, zero, zero, one,
                                u, ((e * panels + p) * K + k) * width, zero, zero, width, one, one, min(most, K - k),
                                start, s0, sp, buffer, to, width, no,
                            )  # fmt: skip
            for t in range(here):
                image, i, j = (first + t) // (TH * TW), (first + t) // TW % TH * outputs, (first + t) % TW * outputs
                for p in range(panels):
                    start, to = m0 + (p * count + t) * width, y0 + image * yn + i * yi + j * yj + p * width
                    columns = min(width, F - p * width)
                    give(
                        buffer, start, panels * count * width, s, p * width, relu, columns,
                        y, to, yi, yj, OH - i, OW - j,
                    )  # fmt: skip

    return slide


_combine_weights = {scheme: _make_combine_weights(scheme) for scheme in POINTS}
_slide = {scheme: _make_slide(scheme) for scheme in POINTS}


def scheme_of(
    x_shape: tuple[int, ...], kernel: Kernel, hw: tuple[int, int], F: int, itemsize: int, for_weights: bool = False
) -> Scheme | None:
    """The scheme with the fewest multiplications for one remainder's kernel; None where it cannot be, or does not pay.

    With for_weights, for the gradient of the weights: then there are none to combine.
    """
    (N, _, _, C), (KH, KW, sh, sw, _, _), (OH, OW) = x_shape, kernel, hw
    lanes, taps = VECTOR_BYTES // itemsize, KH // sh
    if (taps * sh, taps * sw) != (KH, KW) or C % lanes or F % lanes or min(sh * sw * C, F) < FEWEST_CHANNELS:
        return None
    part, best = LARGEST_PART, None
    for scheme in POINTS:
        tiles = N * -(-OH // scheme.outputs) * -(-OW // scheme.outputs)
        # Where there are more combinations of weights than weights, all of them have to serve more tiles.
        fewest = FEWEST_TILES * (1 if for_weights or scheme.outputs == 2 else sh * sw)
        multiplications = tiles * scheme.pixels**2 / max(1, N * OH * OW * taps**2)
        if scheme.taps == taps and tiles >= fewest and multiplications <= part:
            part, best = multiplications, scheme
    return best


def slide_tiles(
    scheme: Scheme,
    x: np.ndarray,
    weights: Weights,
    bias: np.ndarray | None,
    kernel: Kernel,
    relu: bool,
    y: np.ndarray,
    y0: int,
    y_steps: tuple[int, int, int],
    hw: tuple[int, int],
    F: int,
) -> None:
    """As `correlate.correlate`, whose arguments the others are, for what `scheme_of` gives."""
    (N, _, _, C), (KH, KW, sh, sw, top, left), (OH, OW) = x.shape, kernel, hw
    width, points, K = panel_width(x.itemsize), scheme.pixels**2, sh * sw * C
    panels = -(-F // width)
    packed, u = empty((panels * KH * KW * C, width), x.dtype), empty((points * panels * K * width,), x.dtype)
    pack(*weights, KH, KW, C, F, packed, packed.reshape(-1))
    _combine_weights[scheme](packed.reshape(-1), (sh, sw), C, panels, width, u)
    s = np.zeros(panels * width, x.dtype)
    if bias is not None:
        s[:F] = bias
    total = N * -(-OH // scheme.outputs) * -(-OW // scheme.outputs)
    blocks = -(-total * points * K * x.itemsize // _BUFFER_BYTES)
    blocks = -(-blocks // _BLOCKS) * _BLOCKS
    count = -(-total // blocks)
    _slide[scheme](
        x.reshape(-1), x.shape, u, (sh, sw, top, left), s, np.zeros(width, x.dtype), relu, y, y0, y_steps, hw, F,
        (count, _PANEL_BYTES // (width * x.itemsize)), tile_table(count, False),
        scratch(points * count * (line_of(K, x.itemsize) + panels * width) + points * C, x.dtype),
    )  # fmt: skip
