"""The gradients of a convolution that a max-pooling follows: only the maxima of its windows get a gradient back.

Of the gradient that a pooling of 2x2 sends back, three numbers in four are zero, and more where a ReLU is in between.
Here the zeros are neither stored nor multiplied. Each filter has a list: the places (i, j) that get something back, and
the numbers dy that they get. Each entry stands for one window of x:

    dw[k,l,c,f] += dy * x~[n, sh*i + k - top, sw*j + l - left, c]     for all k, l, c
    dx~[n, sh*i + k - top, sw*j + l - left, c] += dy * w[k,l,c,f]     for all k, l, c

While the list of a filter is read, dw of that filter stays in registers for the first sum, and w for the second. The
registers hold a block of ROWS rows of the window and COLUMNS vectors. A row of the window is KW pixels with all their
channels, one behind the other; where that is more than COLUMNS vectors, the channels are taken in groups. All blocks
are of one size: what they hold beyond the kernel is zeros.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numba
import numpy as np
from numba import prange

from scratchnet.kernels.cpu.gemm.micro_kernel import ZERO
from scratchnet.kernels.cpu.gemm.operands import Rows, Window
from scratchnet.kernels.cpu.gemm.packing import transposed
from scratchnet.kernels.cpu.gemm.simd import VECTOR_BYTES, tile_add_scaled, tile_load, tile_store, vector_registers
from scratchnet.kernels.cpu.runtime.jit import parallel, scratch, serial
from scratchnet.kernels.cpu.runtime.memory import LINE, empty
from scratchnet.kernels.cpu.sums import LONGEST_SUM, add_parts

# The block, one number in all lanes of a vector and what is being fetched fit into the registers.
ROWS, COLUMNS = 3, 6 if vector_registers() == 32 else 3
_PARTS = 16  # of a batch: enough to keep several threads busy
_MOST_NUMBERS = 1 << 22  # in the sums of all parts together
_LONGEST = 1 << 20  # numbers in the lists of one picture: larger ones are rare, and each thread has lists of its own
_PLACES = 32  # a list goes through so many windows, where there are enough pictures: each list loads and stores dw
_LARGEST_PART = 0.5  # of the multiplications that all places would take: more, and the lists cost more than they save


@serial
def _add_bias_grad(dy, argmax, db):
    """db[f] += the sum of dy over all places of one picture that get something back."""
    for p in range(len(dy)):
        back, places = dy[p], argmax[p]
        for f in range(len(db)):
            db[f] += back[f] if places[f] >= 0 else 0


@serial
def _collect(back, places, table, first, offsets, values):
    """Write the list of one picture and filter: values dy, and offsets where windows begin.

    The window of a place begins at first + table[1 + place]. Returns the list's length, and how many places there are
    none of, which count as -1.
    """
    count, outside = np.uintp(0), 0  # without a sign: Numba need not ask whether it counts from the end
    for p in range(len(places)):
        place = places[p]
        at = np.uintp(place + 1)  # below 0 it is a very large number
        inside = at < np.uintp(len(table))
        outside += not inside
        offsets[count] = first + table[at if inside else np.uintp(0)]
        values[count] = back[p]
        count += np.uintp(place >= 0)  # without a branch: what comes back to no place is written over by the next
    return np.intp(count), outside


@serial
def _add_windows(x, offsets, values, count, line, s, initial, y, out):
    """The block of y at `out` = that of s at `initial` + the sum over a list of value * block of x at the offset."""
    sums = tile_load(ROWS, COLUMNS, s, initial.start, initial.row_step)
    for e in range(count):
        sums = tile_add_scaled(sums, values[e], tile_load(ROWS, COLUMNS, x, offsets[e], line))
    tile_store(sums, ROWS, COLUMNS, y, out.start, out.row_step)


@serial
def _add_to_windows(y, offsets, values, count, line, w, at):
    """The block of y at each offset of a list += value * the block of w."""
    weights = tile_load(ROWS, COLUMNS, w, at.start, at.row_step)
    for e in range(count):
        sums = tile_add_scaled(tile_load(ROWS, COLUMNS, y, offsets[e], line), values[e], weights)
        tile_store(sums, ROWS, COLUMNS, y, offsets[e], line)


@serial
def _copy(x, x_shape, n0, n1, channels, inside, picture, into):
    """Copy the channels (c0, c1) of x[n0:n1] into the picture, or with into=False out of it.

    x (N, H, W, C) and picture (n1 - n0, rows, line) are flat. inside = (top, left, rows, line, deep): x stands in the
    picture from (top, left) on, and a pixel of the picture has `deep` numbers.
    """
    (_, H, W, C), (c0, c1), (top, left, rows, line, deep) = x_shape, channels, inside
    for n in range(n0, n1):
        for h in range(H):
            for v in range(W):
                pixel, place = ((n * H + h) * W + v) * C, ((n - n0) * rows + top + h) * line + (left + v) * deep
                there, here = x[pixel + c0 : pixel + c1], picture[place : place + c1 - c0]
                if into:
                    for c in range(len(here)):
                        here[c] = there[c]
                else:
                    for c in range(len(here)):
                        there[c] = here[c]


@parallel
def _gradients(x, x_shape, dy, argmax, w, table, inside, cut, zeros, dx, dw, db, outside, buffers, lists):
    """dx, and for each part of the batch dw[part, f, (group, row), ...] and db[part, f]. An empty dx or dw is left out.

    outside[part] is the number of places in argmax that are none of the picture's.

    cut = (pictures at once, groups, rows of a block, numbers in all pictures at once); inside as for `_copy`.
    """
    N, C = x_shape[0], x_shape[3]
    parts, F = db.shape
    _, _, rows, line, deep = inside
    at_once, groups, height, size = cut
    width = len(zeros)
    for part in prange(parts):
        buffer, numbers = buffers[numba.get_thread_id()], lists[numba.get_thread_id()]
        picture, values, ends, offsets = buffer[:size], buffer[size:], numbers[: F + 1], numbers[F + 1 :]
        n0, n1 = part * N // parts, (part + 1) * N // parts
        for n in range(n0, n1, at_once):
            until = min(n1, n + at_once)
            ends[0] = 0
            for image in range(n, until):
                _add_bias_grad(dy[image], argmax[image], db[part])
            for f in range(F):
                end = ends[f]
                for image in range(n, until):
                    first = (image - n) * rows * line
                    back, places = dy[image, :, f], argmax[image, :, f]
                    length, wrong = _collect(back, places, table, first, offsets[end:], values[end:])
                    end += length
                    outside[part] += wrong
                ends[f + 1] = end
            for task in range(0 if len(dw) > 0 else groups, 2 * groups if len(dx) > 0 else groups):
                backward, g = task >= groups, task % groups  # dw for each group of channels, and then dx
                channels = g * deep, min(C, (g + 1) * deep)
                for e in range(size):
                    picture[e] = 0
                if not backward:
                    _copy(x, x_shape, n, until, channels, inside, picture, True)
                for f in range(F):
                    begins, back, count = offsets[ends[f] :], values[ends[f] :], ends[f + 1] - ends[f]
                    for k in range(0, height, ROWS):
                        window = picture[k * line :]
                        if backward:
                            block = Rows(((f * groups + g) * height + k) * width, width)
                            _add_to_windows(window, begins, back, count, line, w, block)
                        else:
                            out = Rows((((part * F + f) * groups + g) * height + k) * width, width)
                            s, initial = (zeros, Rows(ZERO, ZERO)) if n == n0 else (dw, out)
                            _add_windows(window, begins, back, count, line, s, initial, dw, out)
                if backward:
                    _copy(dx, x_shape, n, until, channels, inside, picture, False)


class _Blocks(NamedTuple):
    """How a window is cut: groups of `channels` channels, each in `height` rows of `width` numbers."""

    groups: int
    channels: int
    height: int
    width: int


@functools.lru_cache(maxsize=256)
def _blocks(KH: int, KW: int, C: int, itemsize: int) -> _Blocks | None:
    """None where a row of the window does not fit into a block, even with as few channels as a vector has lanes."""
    lanes = VECTOR_BYTES // itemsize
    channels = COLUMNS // KW * lanes
    if channels == 0:
        return None
    return _Blocks(-(-C // channels), channels, -(-KH // ROWS) * ROWS, COLUMNS * lanes)


def is_faster(
    x_shape: tuple[int, ...], window: Window, hw: tuple[int, int], dy_shape: tuple[int, ...], itemsize: int
) -> bool:
    """Whether this is faster than the pooling's backward, to the convolution's output of size hw, then dw and dx."""
    (N, _, _, C), (_, PH, PW, F), (OH, OW) = x_shape, dy_shape, hw
    blocks = _blocks(window.KH, window.KW, C, itemsize)
    if blocks is None or 0 in (N, C, PH, PW, F) or PH * PW * F > _LONGEST or PH * PW > 2 * LONGEST_SUM:
        return False
    in_blocks = blocks.groups * blocks.height * blocks.width
    return in_blocks * PH * PW <= _LARGEST_PART * window.KH * window.KW * C * OH * OW


@functools.lru_cache(maxsize=256)
def _table(OH: int, OW: int, down: int, right: int) -> np.ndarray:
    """table[1 + i*OW + j] = i * down + j * right; table[0] is for argmax = -1, which gets nothing back."""
    table = np.zeros(1 + OH * OW, np.int64)
    table[1:] = (np.arange(OH)[:, None] * down + np.arange(OW) * right).reshape(-1)
    return table


def pooled_gradients(
    x: np.ndarray,
    w: np.ndarray,
    dy: np.ndarray,
    argmax: np.ndarray,
    window: Window,
    hw: tuple[int, int],
    dw: np.ndarray | None,
    db: np.ndarray | None,
    input_grad: bool,
) -> np.ndarray | None:
    """Add the gradients to dw and db, where they are given; return dx if input_grad.

    x (N, H, W, C), w and dw (KH, KW, C, F), db (F,), dy and argmax (N, PH, PW, F), all contiguous; argmax = i * OW + j
    or -1, hw = (OH, OW).
    """
    (N, H, W, C), (KH, KW, _, F), (OH, OW), places = x.shape, w.shape, hw, dy.shape[1] * dy.shape[2]
    blocks = _blocks(KH, KW, C, x.itemsize)
    assert blocks is not None, "is_faster has said no"
    groups, deep, height, width = blocks
    rows = max(window.top + H, (OH - 1) * window.sh + height)
    line = max(window.left + W, (OW - 1) * window.sw + KW) * deep
    parts = max(1, min(_PARTS, N, _MOST_NUMBERS // (F * groups * height * width)))
    at_once = min(-(-N // parts), -(-_PLACES // places))
    size = -(-(at_once * rows * line + width) // LINE) * LINE
    parted = [(g, slice(g * deep, min(C, (g + 1) * deep)), min(deep, C - g * deep)) for g in range(groups)]
    none = np.empty(0, x.dtype)
    dx, weights = none, none
    if input_grad:
        dx, weights = empty(x.shape, x.dtype), np.zeros((F, groups, height, width), x.dtype)
        by_filter = transposed(w.reshape(-1, F)).reshape(F, KH, KW, C)
        for g, channels, count in parted:
            cells = weights[:, g, :KH, : KW * deep].reshape(F, KH, KW, deep)
            cells[..., :count] = by_filter[..., channels]
    bias_sums, total = np.zeros((1, F), x.dtype), np.zeros((F, groups * height * width), x.dtype)
    some = parts * max(1, LONGEST_SUM // places)  # pictures before what their parts give is added up
    buffers = scratch(size + F * at_once * places, x.dtype)
    lists = scratch(F + 1 + F * at_once * places, np.dtype(np.int64))
    for n in range(0, N, some):
        images = min(some, N - n)
        parts = min(parts, images)
        sums = none if dw is None else empty((parts, F, groups * height * width), x.dtype)
        bias_parts, outside = np.zeros((parts, F), x.dtype), np.zeros(parts, np.int64)
        _gradients(
            x[n : n + images].reshape(-1), (images, H, W, C), dy[n : n + images].reshape(images, places, F),
            argmax[n : n + images].reshape(images, places, F), weights.reshape(-1),
            _table(OH, OW, window.sh * line, window.sw * deep), (window.top, window.left, rows, line, deep),
            (at_once, groups, height, size), np.zeros(width, x.dtype), dx[n : n + images].reshape(-1),
            sums.reshape(-1), bias_parts, outside, buffers, lists,
        )  # fmt: skip
        if outside.any():
            raise ValueError(
                f"conv2d_max_pool2d_backward: expected places from -1 to {OH * OW - 1} in argmax, got {argmax.min()} "
                f"to {argmax.max()}."
            )
        if dw is not None:
            add_parts(sums, total)
        bias_sums += bias_parts.sum(axis=0)
    if dw is not None:
        cells = transposed(total).reshape(groups, height, width, F)[:, :KH, : KW * deep]
        for g, channels, count in parted:
            dw[:, :, channels] += cells[g].reshape(KH, KW, deep, F)[:, :, :count]
    if db is not None:
        db += bias_sums[0]
    return dx if input_grad else None
