"""Depthwise convolution and its gradients: each channel is filtered by itself.

x (N, H, W, C), w (KH, KW, C, M), y (N, OH, OW, C * M), output channel c * M + m; pads ((top, bottom), (left, right)).
"""

from __future__ import annotations

import numpy as np
from numba import prange

from scratchnet.kernels.cpu.runtime.contract import takes
from scratchnet.kernels.cpu.runtime.jit import PARTS, parallel
from scratchnet.kernels.cpu.runtime.memory import empty
from scratchnet.kernels.cpu.sums import LONGEST_SUM, as_flat, as_rows, sum_of
from scratchnet.shapes import Pads, output_hw


@parallel
def _depthwise_conv2d(x, w, b, x_shape, w_shape, y_shape, sh, sw, top, left, y):
    _, H, W, C = x_shape
    KH, KW, _, M = w_shape
    N, OH, OW, _ = y_shape
    for row in prange(N * OH):
        n, i = row // OH, row % OH
        for j in range(OW):
            r = row * OW + j
            for e in range(C * M):
                y[r, e] = b[e]
            for k in range(KH):
                h = i * sh + k - top
                if 0 <= h < H:
                    for l in range(KW):  # noqa: E741
                        v = j * sw + l - left
                        if 0 <= v < W:
                            q, kl = (n * H + h) * W + v, k * KW + l
                            for m in range(M):
                                for c in range(C):
                                    y[r, c * M + m] += x[q, c] * w[kl, c * M + m]


@parallel
def _depthwise_input_grad(dy, w, dx_shape, w_shape, dy_shape, sh, sw, top, left, dx):
    N, H, W, C = dx_shape
    KH, KW, _, M = w_shape
    _, OH, OW, _ = dy_shape
    for row in prange(N * H):
        n, h = row // H, row % H
        for v in range(W):
            q = row * W + v
            for c in range(C):
                dx[q, c] = 0
            for k in range((h + top) % sh, KH, sh):
                i = (h + top - k) // sh
                if 0 <= i < OH:
                    for l in range((v + left) % sw, KW, sw):  # noqa: E741
                        j = (v + left - l) // sw
                        if 0 <= j < OW:
                            r, kl = (n * OH + i) * OW + j, k * KW + l
                            for m in range(M):
                                for c in range(C):
                                    dx[q, c] += dy[r, c * M + m] * w[kl, c * M + m]


@parallel
def _depthwise_weight_grad(x, dy, x_shape, w_shape, dy_shape, sh, sw, top, left, bands, partial):
    """partial[part, (k, l), (c, m)]; a part is a number of pictures, or a band of rows or columns of each of them."""
    N, H, W, C = x_shape
    KH, KW, _, M = w_shape
    _, OH, OW, _ = dy_shape
    parts = len(partial) // bands
    for task in prange(parts * bands * KH * KW):
        part, kl = task // (KH * KW), task % (KH * KW)
        band, share = part % bands, part // bands
        row0, row1, column0, column1 = 0, OH, 0, OW
        if OH >= OW:
            row0, row1 = band * OH // bands, (band + 1) * OH // bands
        else:
            column0, column1 = band * OW // bands, (band + 1) * OW // bands
        k, l = kl // KW, kl % KW  # noqa: E741
        out = partial[part]
        for e in range(C * M):
            out[kl, e] = 0
        for n in range(share * N // parts, (share + 1) * N // parts):
            for i in range(row0, row1):
                h = i * sh + k - top
                if 0 <= h < H:
                    for j in range(column0, column1):
                        v = j * sw + l - left
                        if 0 <= v < W:
                            q, r = (n * H + h) * W + v, (n * OH + i) * OW + j
                            for m in range(M):
                                for c in range(C):
                                    out[kl, c * M + m] += x[q, c] * dy[r, c * M + m]


@takes(x="N H W C", w="KH KW C M", b="C*M, or None")
def depthwise_conv2d(
    x: np.ndarray, w: np.ndarray, b: np.ndarray | None, strides: tuple[int, int], pads: Pads
) -> np.ndarray:
    """y[n,i,j,c*M+m] = b[c*M+m] + sum over k, l of x~[n, sh*i+k-top, sw*j+l-left, c] * w[k,l,c,m]."""
    KH, KW, C, M = w.shape
    y = empty((len(x), *output_hw(x.shape[1:3], (KH, KW), strides, pads), C * M), x.dtype)
    b = np.zeros(C * M, x.dtype) if b is None else as_flat(b)
    (top, _), (left, _) = pads
    _depthwise_conv2d(
        as_rows(x), as_flat(w).reshape(KH * KW, C * M), b, x.shape, w.shape, y.shape, *strides, top, left, as_rows(y)
    )
    return y


@takes(dy="N OH OW C*M", w="KH KW C M")
def depthwise_conv2d_input_grad(
    dy: np.ndarray, w: np.ndarray, input_hw: tuple[int, int], strides: tuple[int, int], pads: Pads
) -> np.ndarray:
    """dx[n,h,v,c] = the sum over m and all i, j, k, l that touched x[n,h,v,c] of dy[n,i,j,c*M+m] * w[k,l,c,m]."""
    KH, KW, C, M = w.shape
    dx = empty((len(dy), *input_hw, C), dy.dtype)
    (top, _), (left, _) = pads
    flat_w = as_flat(w).reshape(KH * KW, C * M)
    _depthwise_input_grad(as_rows(dy), flat_w, dx.shape, w.shape, dy.shape, *strides, top, left, as_rows(dx))
    return dx


@takes(x="N H W C", dy="N OH OW C*M")
def depthwise_conv2d_weight_grad(
    x: np.ndarray, dy: np.ndarray, kernel_size: tuple[int, int], strides: tuple[int, int], pads: Pads
) -> np.ndarray:
    """dw[k,l,c,m] = the sum over n, i, j of x~[n, sh*i+k-top, sw*j+l-left, c] * dy[n,i,j,c*M+m]."""
    w_shape = (*kernel_size, x.shape[3], dy.shape[3] // x.shape[3])
    N, OH, OW, _ = dy.shape
    parts = min(max(N, 1), max(PARTS, -(-N * OH * OW // LONGEST_SUM)))
    bands = min(-(-OH * OW // LONGEST_SUM), max(OH, OW))
    partial = empty((parts * bands, kernel_size[0] * kernel_size[1], dy.shape[3]), x.dtype)
    (top, _), (left, _) = pads
    _depthwise_weight_grad(as_rows(x), as_rows(dy), x.shape, w_shape, dy.shape, *strides, top, left, bands, partial)
    return sum_of(partial.reshape(len(partial), -1)).reshape(w_shape)
