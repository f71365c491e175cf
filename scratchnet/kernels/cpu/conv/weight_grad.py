"""The gradient of a convolution's weights on the micro-kernel: products of x and dy, summed over all places.

The sum runs over the whole batch. It is cut into parts, whose number follows from the shapes alone, and the parts are
added in order: the same bits for any number of threads. A part is a number of pictures, or where a picture alone is too
long a sum for float32, a band of it: some rows, or where it is wider than high, some columns.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
from numba import prange

from scratchnet.kernels.cpu.gemm.micro_kernel import HEIGHTS, NO, ZERO, micro_kernel, panel_width, tile_table
from scratchnet.kernels.cpu.gemm.operands import Depth, Left, Right, Rows, Window, end_inside, first_inside
from scratchnet.kernels.cpu.runtime.jit import parallel
from scratchnet.kernels.cpu.runtime.memory import empty
from scratchnet.kernels.cpu.sums import LONGEST_SUM, add_parts

_TASKS = 16  # enough to keep several threads busy
_PLACES_A_PART = 2048  # fewer would not be worth the adding up
_PLACES_A_TILE = 400  # a tile goes through several small pictures before it is stored
_MOST_NUMBERS = 1 << 20  # in all parts together
_BUNCH = 8  # tiles, at least, in a task of its own: as many rows of dw that follow each other in memory
FEW_CHANNELS = 8  # below, the cells of a row of the window are taken together


@parallel
def weight_grad_parts(x, x_shape, x_steps, dy, dy_shape, window, ones, zeros, go_on, few, tiles, cut, dw, db):
    """dw[part, k, l, c, f] = the sum over the part's pictures n and all i, j; db[part, f] likewise, unless it is empty.

    All arrays are flat. x_steps: numbers from pixel to pixel and from channel to channel. go_on: dw and db are one part
    each, and the sums are added to them. few: x has its padding around it, and a row of the window is one cell. cut:
    pictures that a tile goes through at once, then numbers of parts, of groups of panels, and of bunches of tiles; the
    bands of a picture, and which of them (first, number) are summed now: each is a part of its own.
    """
    N, H, W, C = x_shape
    KH, KW, sh, sw, top, left = window
    _, OH, OW, F = dy_shape
    (x_cell, x_channel), (at_once, parts, groups, bunches, bands, first_band, here) = x_steps, cut
    line, width = W * x_cell, len(zeros)
    for task in prange(parts * here * KH * groups * bunches):
        bunch, group, rest = task % bunches, task // bunches % groups, task // bunches // groups
        k, part = rest % KH, rest // KH
        band = first_band + part % here
        row0, row1, column0, column1 = 0, OH, 0, OW  # of dy, in this band
        if OH >= OW:
            row0, row1 = band * OH // bands, (band + 1) * OH // bands
        else:
            column0, column1 = band * OW // bands, (band + 1) * OW // bands
        z0, z1 = bunch * len(tiles) // bunches, (bunch + 1) * len(tiles) // bunches
        f0, f1 = group * F // width // groups * width, (group + 1) * F // width // groups * width
        n0, n1 = part // here * N // parts, (part // here + 1) * N // parts
        i0, i1 = max(row0, first_inside(k - top, H, sh)), min(row1, end_inside(k - top, H, OH, sh))
        for n in range(n0, n1, at_once):
            first, pictures = n == n0 and not go_on, min(at_once, n1 - n)
            for f in range(f0, f1, width):
                for l in range(KW):  # noqa: E741
                    j0, j1 = column0, column1
                    if not few:
                        j0, j1 = max(j0, first_inside(l - left, W, sw)), min(j1, end_inside(l - left, W, OW, sw))
                    at = ((n * H + i0 * sh + k - top) * W + j0 * sw + l - left) * x_cell
                    places = Depth(pictures, i1 - i0, j1 - j0)
                    right = Right(((n * OH + i0) * OW + j0) * F + f, OH * OW * F, OW * F, F)
                    for z in range(z0, z1):
                        c, height = tiles[z, 0], tiles[z, 1]
                        pixels = Left(at + c * x_channel, x_channel, H * line, sh * line, sw * x_cell)
                        out = Rows((((part * KH + k) * KW + l) * C + c) * F + f, F)
                        s, initial = (zeros, Rows(ZERO, ZERO)) if first else (dw, out)
                        micro_kernel(height, x, pixels, dy, right, places, s, initial, dw, out, NO)
                if k == 0 and bunch == 0 and len(db) > 0:
                    # A bias is the weight of an input that is always 1.
                    one, lowest = Left(ZERO, ZERO, ZERO, ZERO, ZERO), np.intp(len(HEIGHTS) - 1)
                    right = Right(((n * OH + row0) * OW + column0) * F + f, OH * OW * F, OW * F, F)
                    places, out = Depth(pictures, row1 - row0, column1 - column0), Rows(part * F + f, F)
                    s, initial = (zeros, Rows(ZERO, ZERO)) if first else (db, out)
                    micro_kernel(lowest, ones, one, dy, right, places, s, initial, db, out, NO)


class _Plan(NamedTuple):
    """How the sum is cut: the bands of a picture, the most parts; then the others as in `weight_grad_parts`.

    pictures, some: how many pictures and bands are summed in one go, before what their parts give is added up. go_on:
    there is only one part, which may be added to dw at once.
    """

    bands: int
    parts: int
    tiles: np.ndarray
    bunches: int
    groups: int
    at_once: int
    pictures: int
    some: int
    go_on: bool


@functools.lru_cache(maxsize=1024)
def _plan(N: int, OH: int, OW: int, KH: int, rows: int, C: int, wide: int, width: int) -> _Plan:
    """For dw of `rows` rows of `wide` numbers, a multiple of a tile's width; C channels of x are taken together."""
    bands = max(1, min(-(-OH * OW // LONGEST_SUM), max(OH, OW)))
    most = min(N, N * OH * OW // _PLACES_A_PART, _MOST_NUMBERS // max(1, rows * wide))
    parts = max(1, min(-(-_TASKS // KH), most))
    tiles = tile_table(C, False)
    bunches = max(1, min(len(tiles) // _BUNCH, -(-_TASKS // (parts * KH))))
    groups = min(wide // width, -(-_TASKS // (parts * KH * bunches)))
    pictures = parts * max(1, LONGEST_SUM * bands // (OH * OW))
    some = max(1, min(bands, _MOST_NUMBERS // max(1, parts * rows * wide)))
    at_once, go_on = max(1, _PLACES_A_TILE // (OH * OW)), parts == bands == 1 and pictures >= N
    return _Plan(bands, parts, tiles, bunches, groups, at_once, pictures, some, go_on)


@functools.lru_cache(maxsize=16)
def one_and_zeros(width: int, dtype: np.dtype) -> tuple[np.ndarray, np.ndarray]:
    """The `ones` and `zeros` of `weight_grad_parts`, which only reads them."""
    return np.ones(1, dtype), np.zeros(width, dtype)


def direct_weight_grad(x: np.ndarray, dy: np.ndarray, window: Window, dw: np.ndarray, db: np.ndarray | None) -> None:
    """dw[k,l,c,f] += sum over n, i, j of x~[n, sh*i+k-top, sw*j+l-left, c] * dy[n,i,j,f]; db[f] += sum of dy, if given.

    x (N, H, W, C), dy (N, OH, OW, F), dw and db contiguous; x~ is x with zeros around it.
    """
    (N, H, W, C), (_, OH, OW, F), (KH, KW, sh, sw, top, left) = x.shape, dy.shape, window
    width, rows, few, x_cell = panel_width(x.itemsize), KH * KW * C, C < FEW_CHANNELS, C
    wide = -(-F // width) * width
    if wide != F:  # the tiles read whole panels
        narrow, dy = dy, np.zeros((N, OH, OW, wide), dy.dtype)
        dy[..., :F] = narrow
    if few:
        # Too few channels for a tile: all cells of one row of the window, which are neighbours in x, go together.
        height, across = (OH - 1) * sh + KH, (OW - 1) * sw + KW
        if top or left or height > H or across > W:
            inside, x = x, np.zeros((N, max(height, top + H), max(across, left + W), C), x.dtype)
            x[:, top : top + H, left : left + W] = inside
        _, H, W, _ = x.shape
        C, KW, top, left = KW * C, 1, 0, 0
    bands, parts, tiles, bunches, groups, at_once, pictures, some, go_on = _plan(N, OH, OW, KH, rows, C, wide, width)
    go_on = go_on and wide == F
    for n in range(0, N, pictures):
        pixels, slopes = x[n : n + pictures], dy[n : n + pictures]
        parts = min(parts, len(pixels))
        for band in range(0, bands, some):
            here = min(some, bands - band)
            if go_on:
                sums = [np.empty(0, x.dtype) if a is None else a.reshape(-1) for a in (dw, db)]
            else:
                sizes = parts * here * rows * wide, 0 if db is None else parts * here * wide
                sums = [empty((size,), x.dtype) for size in sizes]
            weight_grad_parts(
                pixels.reshape(-1), (len(pixels), H, W, C), (x_cell, 1), slopes.reshape(-1), slopes.shape,
                (KH, KW, sh, sw, top, left), *one_and_zeros(width, x.dtype), go_on, few, tiles,
                (at_once, parts, groups, bunches, bands, band, here), *sums,
            )  # fmt: skip
            if not go_on:
                add_parts(sums[0].reshape(parts * here, rows, wide), dw.reshape(rows, F))
                if db is not None:
                    add_parts(sums[1].reshape(parts * here, 1, wide), db.reshape(1, F))
