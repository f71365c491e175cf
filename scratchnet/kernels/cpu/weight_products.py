"""Sums of products of two pictures over all their places, on register tiles: the gradient of a kernel's weights.

The sum runs over the whole batch. It is cut into parts, whose number follows from the shapes alone, and the parts are
added in order: the same bits for any number of threads.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from scratchnet.kernels.cpu.jit import parallel, serial
from scratchnet.kernels.cpu.memory import empty
from scratchnet.kernels.cpu.sums import add_parts
from scratchnet.kernels.cpu.tile import HEIGHTS, add_products, panel_width, tile_table

_TASKS = 16  # enough to keep several threads busy
_PLACES_A_PART = 2048  # fewer would not be worth the adding up
_PLACES_A_TILE = 400  # a tile goes through several small pictures before it is stored
_MOST_NUMBERS = 1 << 20  # in all parts together
_BUNCH = 8  # tiles, at least, in a task of its own: as many rows of dw that follow each other in memory
_PANEL_BYTES = 36 * 1024  # of rows that all tiles use before the next are fetched: they stay in the first-level cache
_ROW_PARTS = 8  # of a sum over rows
_LEAST_DEPTH = 16  # rows; with fewer at a time, loading and storing the sums would take as long as adding to them
FEW = 8  # channels below which the cells of a row of the window are taken together


@serial
def first_inside(start, size, step):
    """The smallest k >= 0 with start + k * step >= 0, given step > 0: where a window enters the picture."""
    return 0 if start >= 0 else (-start + step - 1) // step


@serial
def end_inside(start, size, count, step):
    """One past the largest k < count with start + k * step < size: where a window leaves the picture."""
    return max(0, min(count, (size - start + step - 1) // step))


@parallel
def _weight_products(x, x_shape, x_steps, dy, dy_shape, kernel, one, zeros, go_on, few, tiles, cut, dw, db):
    N, H, W, C = x_shape
    KH, KW, sh, sw, top, left = kernel
    _, OH, OW, F = dy_shape
    (x_cell, x_channel), (at_once, parts, groups, bunches) = x_steps, cut
    row, width = W * x_cell, len(zeros)
    nothing, no = np.intp(0), np.bool_(False)  # see correlate.py
    for task in prange(parts * KH * groups * bunches):
        bunch, group, rest = task % bunches, task // bunches % groups, task // bunches // groups
        k, part = rest % KH, rest // KH
        z0, z1 = bunch * len(tiles) // bunches, (bunch + 1) * len(tiles) // bunches
        f0, f1 = group * F // width // groups * width, (group + 1) * F // width // groups * width
        n0, n1 = part * N // parts, (part + 1) * N // parts
        i0, i1 = first_inside(k - top, H, sh), end_inside(k - top, H, OH, sh)
        for n in range(n0, n1, at_once):
            first, pictures = n == n0 and not go_on, min(at_once, n1 - n)
            for f in range(f0, f1, width):
                for m in range(KW):
                    j0, j1 = (0, OW) if few else (first_inside(m - left, W, sw), end_inside(m - left, W, OW, sw))
                    a0 = ((n * H + i0 * sh + k - top) * W + j0 * sw + m - left) * x_cell
                    b0 = ((n * OH + i0) * OW + j0) * F + f
                    for z in range(z0, z1):
                        to = (((part * KH + k) * KW + m) * C + tiles[z, 0]) * F + f
                        s, s0, sp = (zeros, nothing, nothing) if first else (dw, to, F)
                        add_products(
                            tiles[z, 1], x, a0 + tiles[z, 0] * x_channel, x_channel, H * row, sh * row, sw * x_cell,
                            dy, b0, OH * OW * F, OW * F, F, pictures, i1 - i0, j1 - j0, s, s0, sp, dw, to, F, no,
                        )  # fmt: skip
                if k == 0 and bunch == 0 and len(db) > 0:
                    # A bias is the weight of an input that is always 1.
                    to, b0 = part * F + f, n * OH * OW * F + f
                    s, s0 = (zeros, nothing) if first else (db, to)
                    add_products(
                        np.intp(len(HEIGHTS) - 1), one, nothing, nothing, nothing, nothing, nothing,
                        dy, b0, OH * OW * F, OW * F, F, pictures, OH, OW, s, s0, nothing, db, to, F, no,
                    )  # fmt: skip


def weight_products(
    x: np.ndarray, dy: np.ndarray, kernel: tuple[int, int, int, int, int, int], dw: np.ndarray, db: np.ndarray | None
) -> None:
    """dw[k,l,c,f] += sum over n, i, j of x~[n, sh*i+k-top, sw*j+l-left, c] * dy[n,i,j,f]; db[f] += sum of dy, if given.

    x (N, H, W, C), dy (N, OH, OW, F), dw and db contiguous; x~ is x with zeros around it.
    kernel = (KH, KW, sh, sw, top, left).
    """
    (N, H, W, C), (_, OH, OW, F), (KH, KW, sh, sw, top, left) = x.shape, dy.shape, kernel
    width, rows, few, x_cell = panel_width(x.itemsize), KH * KW * C, C < FEW, C
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
    most = min(N, N * OH * OW // _PLACES_A_PART, _MOST_NUMBERS // max(1, rows * wide))
    parts = max(1, min(-(-_TASKS // KH), most))
    tiles = tile_table(C, False)
    bunches = max(1, min(len(tiles) // _BUNCH, -(-_TASKS // (parts * KH))))
    groups = min(wide // width, -(-_TASKS // (parts * KH * bunches)))
    at_once = max(1, _PLACES_A_TILE // (OH * OW))
    go_on = parts == 1 and wide == F
    flat = [np.empty(0, x.dtype) if a is None else a.reshape(-1) for a in (dw, db)]
    if not go_on:
        sizes = parts * rows * wide, 0 if db is None else parts * wide
        flat = [empty((size,), x.dtype) for size in sizes]
    _weight_products(
        x.reshape(-1), (N, H, W, C), (x_cell, 1), dy.reshape(-1), dy.shape, (KH, KW, sh, sw, top, left),
        np.ones(1, x.dtype), np.zeros(width, x.dtype), go_on, few, tiles, (at_once, parts, groups, bunches), *flat,
    )  # fmt: skip
    if not go_on:
        add_parts(flat[0].reshape(parts, rows, wide), dw.reshape(rows, F))
        if db is not None:
            add_parts(flat[1].reshape(parts, 1, wide), db.reshape(1, F))


def depth_of(w: np.ndarray) -> int | None:
    """How many rows of w (D, U) `row_products` takes at a time, a divisor of D; None where it does not pay."""
    D, U = w.shape
    most = min(D, _PANEL_BYTES // (U * w.itemsize))
    depth = next((n for n in range(most, 0, -1) if D % n == 0), 0)
    return depth if depth >= _LEAST_DEPTH and U % panel_width(w.itemsize) == 0 else None


def row_products(x: np.ndarray, w: np.ndarray, depth: int, y: np.ndarray) -> None:
    """y[n,u] += the sum over d of x[n,d] * w[d,u]; all contiguous, depth as `depth_of` has it.

    The same sum as the gradient of a kernel of one cell, with d for its places and n for its channels: w is read once,
    as it lies.
    """
    (N, D), U, width = x.shape, w.shape[1], panel_width(x.itemsize)
    chunks = D // depth
    parts = min(_ROW_PARTS, chunks)
    partial, none = empty((parts, N, U), x.dtype), np.empty(0, x.dtype)
    _weight_products(
        x.reshape(-1), (chunks, 1, depth, N), (1, D), w.reshape(-1), (chunks, 1, depth, U), (1, 1, 1, 1, 0, 0),
        np.ones(1, x.dtype), np.zeros(width, x.dtype), False, False, tile_table(N, False), (1, parts, 1, 1),
        partial.reshape(-1), none,
    )  # fmt: skip
    add_parts(partial, y)
