"""Convolution and its two gradients, which also serve the transposed convolution.

x (N, H, W, C), w (KH, KW, C, F), y (N, OH, OW, F); pads ((top, bottom), (left, right)). The formulas stand as plain
loops in `scratchnet.reference`. Padding is never stored: the sums leave out the places outside of the picture.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from scratchnet.kernels.cpu.block import add_scaled_rows, dot
from scratchnet.kernels.cpu.jit import PARTS, parallel, serial
from scratchnet.kernels.cpu.sums import add_parts, as_flat, as_rows
from scratchnet.shapes import Pads, output_hw

FEW = 8  # channels below which a sum over filters is quicker than rows of channels


@serial
def first_inside(start, size, step):
    """The smallest k >= 0 with start + k * step >= 0, given step > 0: where a window enters the picture."""
    return 0 if start >= 0 else (-start + step - 1) // step


@serial
def end_inside(start, size, count, step):
    """One past the largest k < count with start + k * step < size: where a window leaves the picture."""
    return max(0, min(count, (size - start + step - 1) // step))


@parallel
def _conv2d(x, w, b, x_shape, w_shape, y_shape, sh, sw, top, left, y):
    _, H, W, C = x_shape
    KH, KW, _, F = w_shape
    N, OH, OW, _ = y_shape
    for row in prange(N * OH):
        n, i = row // OH, row % OH
        h0 = i * sh - top
        k0, k1 = first_inside(h0, H, 1), end_inside(h0, H, KH, 1)
        for j in range(OW):
            v0 = j * sw - left
            l0, l1 = first_inside(v0, W, 1), end_inside(v0, W, KW, 1)
            r = row * OW + j
            for f in range(F):
                y[r, f] = b[f]
            for k in range(k0, k1):
                # The cells of one row of the window, all channels of each, are neighbours in x and in w.
                xo = ((n * H + h0 + k) * W + v0 + l0) * C
                add_scaled_rows(y, r, x, xo, 1, w, (k * KW + l0) * C, (l1 - l0) * C)


@parallel
def _conv2d_input_grad(dy, w, wt, b, dx_shape, w_shape, dy_shape, sh, sw, top, left, dx):
    N, H, W, C = dx_shape
    KH, KW, _, F = w_shape
    _, OH, OW, _ = dy_shape
    for row in prange(N * H):
        n, h = row // H, row % H
        for v in range(W):
            r = row * W + v
            for c in range(C):
                dx[r, c] = b[c]
            # x[h, v] took part in y[i, j] through w[k, l] where h + top = i * sh + k: every sh-th k, and so for l.
            for k in range((h + top) % sh, KH, sh):
                i = (h + top - k) // sh
                if 0 <= i < OH:
                    for m in range((v + left) % sw, KW, sw):
                        j = (v + left - m) // sw
                        if 0 <= j < OW:
                            yo, kl = ((n * OH + i) * OW + j) * F, k * KW + m
                            if C < FEW:
                                for c in range(C):
                                    dx[r, c] += dot(dy, yo, w, kl * C + c)
                            else:
                                add_scaled_rows(dx, r, dy, yo, 1, wt, kl * F, F)


@parallel
def _conv2d_weight_grad(x, dy, x_shape, w_shape, dy_shape, sh, sw, top, left, partial):
    N, H, W, C = x_shape
    KH, KW, _, F = w_shape
    _, OH, OW, _ = dy_shape
    parts = len(partial)
    # A task is one part of the batch and one (k, l, c): a row of dw that nobody else writes.
    for task in prange(parts * KH * KW):
        part, kl = task // (KH * KW), task % (KH * KW)
        k, m = kl // KW, kl % KW
        i0, i1 = first_inside(k - top, H, sh), end_inside(k - top, H, OH, sh)
        j0, j1 = first_inside(m - left, W, sw), end_inside(m - left, W, OW, sw)
        out = partial[part]
        for c in range(C):
            for f in range(F):
                out[kl * C + c, f] = 0
        for n in range(part * N // parts, (part + 1) * N // parts):
            for i in range(i0, i1):
                xo = ((n * H + i * sh + k - top) * W + j0 * sw + m - left) * C
                for c in range(C):
                    add_scaled_rows(out, kl * C + c, x, xo + c, sw * C, dy, (n * OH + i) * OW + j0, j1 - j0)


def conv2d(x: np.ndarray, w: np.ndarray, b: np.ndarray | None, strides: tuple[int, int], pads: Pads) -> np.ndarray:
    """y[n,i,j,f] = b[f] + sum over k, l, c of x~[n, sh*i+k-top, sw*j+l-left, c] * w[k,l,c,f]; x~ is 0 outside of x."""
    oh, ow = output_hw(x.shape[1:3], w.shape[:2], strides, pads)
    y = np.empty((len(x), oh, ow, w.shape[3]), x.dtype)
    b = np.zeros(w.shape[3], x.dtype) if b is None else b
    (top, _), (left, _) = pads
    _conv2d(as_flat(x), as_rows(w), as_flat(b), x.shape, w.shape, y.shape, *strides, top, left, as_rows(y))
    return y


def conv2d_transpose(
    x: np.ndarray,
    w: np.ndarray,
    b: np.ndarray | None,
    strides: tuple[int, int],
    pads: Pads,
    output_hw: tuple[int, int],
) -> np.ndarray:
    """The gradient of `conv2d` with respect to its input, as a forward: x (N, H, W, F) to y (N, OH, OW, C), plus b.

    w is (KH, KW, C, F): Keras's order for Conv2DTranspose, output channels before input channels. `strides` and `pads`
    are those of the convolution that goes the other way, from (OH, OW) to (H, W).
    """
    y = np.empty((len(x), *output_hw, w.shape[2]), x.dtype)
    b = np.zeros(w.shape[2], x.dtype) if b is None else b
    wt = as_rows(w.transpose(0, 1, 3, 2))  # so that the loop over the results' channels runs along memory
    (top, _), (left, _) = pads
    _conv2d_input_grad(
        as_flat(x), as_rows(w), wt, as_flat(b), y.shape, w.shape, x.shape, *strides, top, left, as_rows(y)
    )
    return y


def conv2d_input_grad(
    dy: np.ndarray, w: np.ndarray, input_hw: tuple[int, int], strides: tuple[int, int], pads: Pads
) -> np.ndarray:
    """dx[n,h,v,c] = the sum over all i, j, k, l with sh*i+k-top = h, sw*j+l-left = v of dy[n,i,j,f] * w[k,l,c,f]."""
    return conv2d_transpose(dy, w, None, strides, pads, input_hw)


def conv2d_weight_grad(
    x: np.ndarray, dy: np.ndarray, kernel_size: tuple[int, int], strides: tuple[int, int], pads: Pads
) -> np.ndarray:
    """dw[k,l,c,f] = the sum over n, i, j of x~[n, sh*i+k-top, sw*j+l-left, c] * dy[n,i,j,f]."""
    w_shape = (*kernel_size, x.shape[3], dy.shape[3])
    partial = np.empty((min(PARTS, len(x)), kernel_size[0] * kernel_size[1] * x.shape[3], dy.shape[3]), x.dtype)
    (top, _), (left, _) = pads
    _conv2d_weight_grad(as_flat(x), as_rows(dy), x.shape, w_shape, dy.shape, *strides, top, left, partial)
    return add_parts(partial.reshape(len(partial), -1)).reshape(w_shape)
