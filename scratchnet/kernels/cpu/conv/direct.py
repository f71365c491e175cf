"""Direct convolution on the micro-kernel: no im2col matrix, and each product of the formula is made once.

It also computes the gradient for the input, phase by phase (see `conv2d_transpose`), and a dense layer: a kernel of one
cell, on one picture of one row whose pixels are the examples.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numba
import numpy as np
from numba import prange

from scratchnet.kernels.cpu.gemm.micro_kernel import HEIGHTS, ONE, ZERO, Q, micro_kernel, panel_width, tile_table
from scratchnet.kernels.cpu.gemm.operands import Depth, Left, Output, Right, Rows, Weights, Window
from scratchnet.kernels.cpu.gemm.packing import pack
from scratchnet.kernels.cpu.machine.caches import CACHES
from scratchnet.kernels.cpu.runtime.jit import parallel, scratch, serial

_PANEL_BYTES = CACHES.second // 8  # of weights that the tiles of a band share: they stay in the second-level cache
_TASKS = 32  # enough to keep many threads busy, few enough to be worth a task
# A panel that is narrower than the rows of the weights is worth packing for so many outputs of a filter, where the
# weights are more than so many bytes: those of few channels stay in the first-level cache as they lie.
_MANY_PLACES = 512
_MANY_BYTES = CACHES.first // 2
_FEW_TASKS = 8  # below, the filters are shared out too

# The rows of a tile are pixels that follow each other in a row of the picture. Where that row is short, or where much
# of the window hangs over the left and right edge, they are the same pixel of several pictures instead: a tall tile is
# then full, and it leaves out the columns of the window that lie outside, since they do so for all its rows.
_ACROSS = [P for P in HEIGHTS if P * Q >= 12]  # heights of such tiles
_SHORT = min(_ACROSS, default=0)  # pixels in a row, below which it is short
_MOST_OUTSIDE = 0.05  # of the products, before it is much
_ACROSS_TASKS = 16  # of several rows of the picture each, which share the weights that are fetched


@serial
def _copy_padded(x, n0, n1, h0, rows, v0, columns, H, W, C, out):
    """out (n1-n0, rows, columns, C) = x[n0:n1, h0 : h0 + rows, v0 : v0 + columns], 0 right and left of x; both flat."""
    left = min(columns, max(0, -v0)) * C
    right = max(left, min(columns, W - v0) * C)
    to = 0
    for n in range(n0, n1):
        for h in range(h0, h0 + rows):
            # Loops over slices: Numba then knows that no index is negative, and makes vector instructions of them.
            if 0 <= h < H:  # other rows are never read
                source = ((n * H + h) * W + v0) * C
                before, here, after = (
                    out[to : to + left],
                    out[to + left : to + right],
                    out[to + right : to + columns * C],
                )
                there = x[source + left : source + right]
                for e in range(len(before)):
                    before[e] = 0
                for e in range(len(here)):
                    here[e] = there[e]
                for e in range(len(after)):
                    after[e] = 0
            to += columns * C


@parallel
def _direct_conv2d(x, x_shape, w, w_steps, window, bias, relu, y, y_start, y_steps, y_shape, tiles, cut, buffers):
    N, H, W, C = x_shape
    KH, KW, sh, sw, top, left = window
    c_step, panel_step, width, most = w_steps
    n_step, i_step, j_step = y_steps
    OH, OW, F = y_shape
    images, band, group, across, copied = cut
    bands, panels = (OH + band - 1) // band, (F + width - 1) // width
    groups, T = (panels + group - 1) // group, KW * C
    for task in prange((N + images - 1) // images * bands * groups):
        p0, i0, n0 = task % groups * group, task // groups % bands * band, task // groups // bands * images
        p1, i1, n1 = min(panels, p0 + group), min(OH, i0 + band), min(N, n0 + images)
        buffer = buffers[numba.get_thread_id()]
        if copied:
            rows, columns = (i1 - i0 - 1) * sh + KH, (OW - 1) * sw + KW
            _copy_padded(x, n0, n1, i0 * sh - top, rows, -left, columns, H, W, C, buffer)
            a, a0, line, picture = buffer, 0, columns * C, rows * columns * C
        else:
            a, a0, line, picture = x, ((n0 * H + i0 * sh - top) * W - left) * C, W * C, H * W * C
        # The rows of a tile are neighbouring pixels, or the same pixel of several pictures: a_row and y_row lead from
        # one to the next. The loop over `others` goes through the pictures, or through the pixels of a row.
        if across:
            others, a_other, y_other, a_row, y_row = OW, sw * C, j_step, picture, n_step
        else:
            others, a_other, y_other, a_row, y_row = n1 - n0, picture, n_step, sw * C, j_step
        for p in range(p0, p1):
            f0 = p * width
            whole = f0 + width <= F
            # Weights beyond the cache are used part by part: k1 rows of the kernel, or t1 cells of a row, at a time.
            k1 = KH if most >= T * KH or not whole else max(1, most // T)
            t1 = T if most >= T or not whole else most
            parts_k, parts_t = max(1, (KH + k1 - 1) // max(1, k1)), max(1, (T + t1 - 1) // max(1, t1))
            for part in range(parts_k * parts_t):
                k, t = part // parts_t * k1, part % parts_t * t1
                first, last = part == 0, part == parts_k * parts_t - 1
                for o in range(others):
                    # Only the columns that meet the picture, too, where the rows of a tile agree on them.
                    begin, stop = (max(t, (left - o * sw) * C), (W + left - o * sw) * C) if across else (t, T)
                    count = max(0, min(stop, t + t1, T) - begin)
                    for i in range(i0, i1):
                        # Only the rows of the kernel that meet the picture.
                        ka, kb = max(k, top - i * sh), min(k + k1, KH, H + top - i * sh)
                        right = Right(p * panel_step + (ka * T + begin) * c_step, ZERO, T * c_step, c_step)
                        depth = Depth(ONE, kb - ka, count)
                        for z in range(len(tiles)):
                            tile0, height, P = tiles[z, 0], tiles[z, 1], tiles[z, 2]
                            at = a0 + o * a_other + ((i - i0) * sh + ka) * line + tile0 * a_row + begin
                            to = y_start + n0 * n_step + o * y_other + i * i_step + tile0 * y_row + f0
                            sums = Rows(to, y_row)
                            s, initial = (bias, Rows(f0, ZERO)) if first else (y, sums)
                            # The last panel may be wider than y: it goes through the end of the buffer.
                            spare = len(buffer) - P * width
                            to_array, out = (y, sums) if whole else (buffer, Rows(spare, width))
                            micro_kernel(
                                height, a, Left(at, a_row, ZERO, line, ONE), w, right, depth, s, initial, to_array, out,
                                relu and last,
                            )  # fmt: skip
                            if not whole:
                                for q in range(P):
                                    for e in range(F - f0):
                                        y[to + q * y_row + e] = buffer[spare + q * width + e]


class _Cut(NamedTuple):
    """How the work is cut into tasks: so many pictures, rows of the output (a band), panels of filters (a group) each.

    across: the rows of a tile are the same pixel of several pictures. copied: x is copied with zeros around it.
    """

    images: int
    band: int
    group: int
    across: bool
    copied: bool


@functools.lru_cache(maxsize=1024)
def _plan(
    x_shape: tuple[int, ...], window: Window, hw: tuple[int, int], F: int, itemsize: int
) -> tuple[np.ndarray, _Cut, int, int]:
    """(tiles of a row, tasks, rows of a panel that are used at a time, numbers in a thread's buffer)."""
    (N, H, W, C), (OH, OW), (KH, KW, sh, sw, top, left) = x_shape, hw, window
    width = panel_width(itemsize)
    # Tasks: a few pictures, or bands of one, or where there are few of both, groups of panels.
    images = max(1, N // _TASKS)
    inside = sum(max(0, min(KW, W + left - j * sw) - max(0, left - j * sw)) for j in range(OW))
    outside = 1 - inside / max(1, OW * KW)
    across = (OW < _SHORT or outside > _MOST_OUTSIDE) and any(N % P == 0 for P in _ACROSS)
    band = max(1, OH * N // (images * _TASKS)) if images * _TASKS > N else OH
    if across:
        images = max(P for P in _ACROSS if N % P == 0)
        band = -(-OH * (N // images) // _ACROSS_TASKS)
    tasks = -(-N // images) * -(-OH // band)
    group = max(1, -(-F // width) * tasks // _FEW_TASKS)
    rows, columns = (band - 1) * sh + KH, (OW - 1) * sw + KW
    padded = top > 0 or left > 0 or (OH - 1) * sh + KH - top > H or columns - left > W
    copied = padded and KH * KW > 0 and not across
    most = _PANEL_BYTES // (width * itemsize)
    # A tile that goes on with a sum must not meet another.
    tiles = tile_table(images if across else OW, overlap=most >= KH * KW * C)
    size = (images * rows * columns * C if copied else 0) + HEIGHTS[0] * width
    return tiles, _Cut(images, band, group, across, copied), most, size


def direct_conv2d(
    x: np.ndarray, weights: Weights, bias: np.ndarray | None, window: Window, relu: bool, y: Output
) -> None:
    """y[n,i,j,f] = bias[f] + sum over k, l, c of x~[n, sh*i + k - top, sw*j + l - left, c] * w[k,l,c,f].

    x (N, H, W, C) contiguous; x~ is x with zeros around it. With relu, negative results become 0.
    """
    (N, _, _, C), (KH, KW, *_), F = x.shape, window, y.F
    if 0 in (N, y.OH, y.OW):
        return
    width = panel_width(x.itemsize)
    panels = -(-F // width)
    w, c_step, panel_step = weights.array, weights.c_step, width
    natural = weights[2:] == (KW * C * F, C * F, F, 1)
    many = N * y.OH * y.OW >= _MANY_PLACES and KH * KW * C * F * x.itemsize > _MANY_BYTES
    if not natural or F % width or (width < F and many):
        w, c_step, panel_step = pack(weights, KH, KW, C, F), width, KH * KW * C * width
    initial = bias
    if initial is None or F % width or not initial.flags.c_contiguous:
        initial = np.zeros(panels * width, x.dtype)
        if bias is not None:
            initial[:F] = bias
    tiles, cut, most, size = _plan(x.shape, window, (y.OH, y.OW), F, x.itemsize)
    _direct_conv2d(
        x.reshape(-1), x.shape, w, (c_step, panel_step, width, most), tuple(window), initial, relu,
        y.array, y.start, y.steps, (y.OH, y.OW, F), tiles, tuple(cut), scratch(size, x.dtype),
    )  # fmt: skip
