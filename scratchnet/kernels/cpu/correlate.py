"""Sliding a kernel of weights over pictures, on register tiles: the convolution, and its gradient for its input.

A dense layer is the same with a kernel of one cell, on one picture of one row whose pixels are the examples.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numba
import numpy as np
from numba import prange

from scratchnet.kernels.cpu.jit import parallel, scratch, serial
from scratchnet.kernels.cpu.memory import empty
from scratchnet.kernels.cpu.simd import VECTOR_BYTES, turn_block
from scratchnet.kernels.cpu.tile import HEIGHTS, Q, add_products, panel_width, tile_table

_PANEL_BYTES = 112 * 1024  # of weights that the tiles of a band share: they stay in the second-level cache
_TASKS = 32  # enough to keep many threads busy, few enough to be worth a task
_MANY_PLACES = 512  # from here on it pays to lay the weights of a panel side by side
_FEW_TASKS = 8  # below, the filters are shared out too
_DEEP = [P for P in HEIGHTS if P * Q >= 12]  # heights of tiles that run through pictures, where their rows are short
_SHORT = min(_DEEP, default=0)
_DEEP_TASKS = 16  # of several rows each, which share the weights that are fetched
_MOST_WASTED = 0.05  # of the products, on zeros right and left: tiles that run through pictures leave those out as well


@parallel
def pack(w, w0, wk, wl, wr, wf, KH, KW, R, F, panels, flat):
    """panels[(p, k, l, r), e] = w[w0 + k*wk + l*wl + r*wr + f*wf], f = p * width + e; 0 where f is F or more.

    flat is panels as one axis.
    """
    width, lanes = panels.shape[1], VECTOR_BYTES // w.itemsize
    for task in prange((F + width - 1) // width * KH * KW):
        f0, kl = task // (KH * KW) * width, task % (KH * KW)
        start, here = w0 + kl // KW * wk + kl % KW * wl + f0 * wf, min(width, F - f0)
        # Weights that lie along r are turned, block by block; what the blocks leave goes number by number.
        turned, across = (R // lanes * lanes, here // lanes * lanes) if wr == 1 and wf != 1 else (0, 0)
        for r in range(0, turned, lanes):
            for e in range(0, across, lanes):
                turn_block(w, start + r + e * wf, wf, flat, (task * R + r) * width + e, width)
        for r in range(R):
            line = panels[task * R + r]
            if wf == 1:
                there = w[start + r * wr : start + r * wr + here]
                for e in range(here):
                    line[e] = there[e]
            else:
                for e in range(across if r < turned else 0, here):
                    line[e] = w[start + r * wr + e * wf]
            for e in range(here, width):
                line[e] = 0


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
def _correlate(x, x_shape, w, w_steps, kernel, s, relu, y, y0, y_steps, OH, OW, F, tiles, grid, buffers):
    N, H, W, C = x_shape
    KH, KW, sh, sw, top, left = kernel
    w_row, w_panel, width, most = w_steps
    yn, yi, yj = y_steps
    images, band, group, deep, copied = grid
    zero, one = np.intp(0), np.intp(1)  # constants are types of their own to Numba: each would compile all tiles anew
    bands, panels = (OH + band - 1) // band, (F + width - 1) // width
    groups, T = (panels + group - 1) // group, KW * C
    for task in prange((N + images - 1) // images * bands * groups):
        p0, i0, n0 = task % groups * group, task // groups % bands * band, task // groups // bands * images
        p1, i1, n1 = min(panels, p0 + group), min(OH, i0 + band), min(N, n0 + images)
        buffer = buffers[numba.get_thread_id()]
        if copied:
            rows, columns = (i1 - i0 - 1) * sh + KH, (OW - 1) * sw + KW
            _copy_padded(x, n0, n1, i0 * sh - top, rows, -left, columns, H, W, C, buffer)
            a, a0, row, image = buffer, 0, columns * C, rows * columns * C
        else:
            a, a0, row, image = x, ((n0 * H + i0 * sh - top) * W - left) * C, W * C, H * W * C
        # The rows of a tile are neighbouring pixels, or the same pixel of several pictures.
        (others, oa, oy), (ta, ty) = ((OW, sw * C, yj), (image, yn)) if deep else ((n1 - n0, image, yn), (sw * C, yj))
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
                    m, n = (max(t, (left - o * sw) * C), (W + left - o * sw) * C) if deep else (t, T)
                    count = max(0, min(n, t + t1, T) - m)
                    for i in range(i0, i1):
                        # Only the rows of the kernel that meet the picture.
                        ka, kb = max(k, top - i * sh), min(k + k1, KH, H + top - i * sh)
                        b0 = p * w_panel + (ka * T + m) * w_row
                        for z in range(len(tiles)):
                            at = a0 + o * oa + ((i - i0) * sh + ka) * row + tiles[z, 0] * ta + m
                            to = y0 + n0 * yn + o * oy + i * yi + tiles[z, 0] * ty + f0
                            start, s0, sp = (s, f0, zero) if first else (y, to, ty)
                            # The last panel may be wider than y: it goes through the end of the buffer.
                            end = len(buffer) - tiles[z, 2] * width
                            out, out0, outp = (y, to, ty) if whole else (buffer, end, width)
                            add_products(
                                tiles[z, 1], a, at, ta, zero, row, one, w, b0, zero, T * w_row, w_row,
                                one, kb - ka, count, start, s0, sp, out, out0, outp, relu and last,
                            )  # fmt: skip
                            if not whole:
                                for q in range(tiles[z, 2]):
                                    for e in range(F - f0):
                                        y[to + q * ty + e] = buffer[end + q * width + e]


def transposed(x: np.ndarray) -> np.ndarray:
    """x.T for x (D, N) contiguous, as a new contiguous array."""
    D, N = x.shape
    y, rows = empty((N, D), x.dtype), next(n for n in (16, 8, 4, 2, 1) if N % n == 0)  # rows of y in a task
    pack(x.reshape(-1), 0, rows, 0, 1, N, N // rows, 1, rows, D, y, y.reshape(-1))
    return y


class Kernel(NamedTuple):
    """A kernel that slides over pictures: its size, its steps, and how far outside of the picture it starts."""

    KH: int
    KW: int
    sh: int
    sw: int
    top: int
    left: int


class Weights(NamedTuple):
    """Where weight (k, l, r, f) stands in a flat array: start + k * k_step + l * l_step + r * r_step + f * f_step."""

    array: np.ndarray
    start: int
    k_step: int
    l_step: int
    r_step: int
    f_step: int


@functools.lru_cache(maxsize=1024)
def _plan(
    x_shape: tuple[int, ...], kernel: Kernel, hw: tuple[int, int], F: int, itemsize: int
) -> tuple[np.ndarray, tuple[int, int, int, bool, bool], int, int]:
    """How the work is cut: (tiles, grid of tasks, rows of a panel that are used at a time, numbers in a buffer)."""
    (N, H, W, C), (OH, OW), (KH, KW, sh, sw, top, left) = x_shape, hw, kernel
    width = panel_width(itemsize)
    # Tasks: a few pictures, or bands of one, or where there are few of both, groups of panels.
    images = max(1, N // _TASKS)
    inside = sum(max(0, min(KW, W + left - j * sw) - max(0, left - j * sw)) for j in range(OW))
    wasted = 1 - inside / max(1, OW * KW)
    deep = (OW < _SHORT or wasted > _MOST_WASTED) and any(N % P == 0 for P in _DEEP)
    band = max(1, OH * N // (images * _TASKS)) if images * _TASKS > N else OH
    if deep:
        images = max(P for P in _DEEP if N % P == 0)
        band = -(-OH * (N // images) // _DEEP_TASKS)
    tasks = -(-N // images) * -(-OH // band)
    group = max(1, -(-F // width) * tasks // _FEW_TASKS)
    rows, columns = (band - 1) * sh + KH, (OW - 1) * sw + KW
    outside = top > 0 or left > 0 or (OH - 1) * sh + KH - top > H or columns - left > W
    copied = outside and KH * KW > 0 and not deep
    most = _PANEL_BYTES // (width * itemsize)
    # A tile that goes on with a sum must not meet another.
    tiles = tile_table(images if deep else OW, overlap=most >= KH * KW * C)
    size = (images * rows * columns * C if copied else 0) + HEIGHTS[0] * width
    return tiles, (images, band, group, deep, copied), most, size


def correlate(
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
    """y[y0 + n*yn + i*yi + j*yj + f] = bias[f] + sum of x~[n, sh*i + k - top, sw*j + l - left, c] * w[k,l,c,f].

    x (N, H, W, C) contiguous, y flat, hw = (OH, OW). With relu, negative results become 0.
    """
    (N, _, _, C), (OH, OW), (KH, KW, *_) = x.shape, hw, kernel
    if 0 in (N, OH, OW):
        return
    width = panel_width(x.itemsize)
    panels = -(-F // width)
    w, w_row, w_panel = weights.array, weights.r_step, width
    natural = weights[2:] == (KW * C * F, C * F, F, 1)
    if not natural or F % width or (width < F and N * OH * OW >= _MANY_PLACES):
        packed = empty((panels * KH * KW * C, width), x.dtype)
        pack(w, *weights[1:], KH, KW, C, F, packed, packed.reshape(-1))
        w, w_row, w_panel = packed.reshape(-1), width, KH * KW * C * width
    s = np.zeros(panels * width, x.dtype)
    if bias is not None:
        s[:F] = bias
    tiles, grid, most, size = _plan(x.shape, kernel, hw, F, x.itemsize)
    _correlate(
        x.reshape(-1), x.shape, w, (w_row, w_panel, width, most), tuple(kernel), s, relu, y, y0, y_steps, OH, OW, F,
        tiles, grid, scratch(size, x.dtype),
    )  # fmt: skip
