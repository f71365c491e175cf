"""Convolution, transposed convolution, depthwise convolution: sums over windows, and their gradients."""

import numpy as np


def windows(x_shape, kernel_size, strides, pads):
    """Yield (n, i, j, k, l, h, v): cell (h, v) of picture n lies under cell (k, l) of the window at place (i, j).

    Only cells inside the picture are yielded: h = sh*i + k - top with 0 <= h < H, and v = sw*j + l - left likewise.
    """
    (N, H, W, _), (KH, KW), (sh, sw) = x_shape, kernel_size, strides
    (top, bottom), (left, right) = pads
    for n in range(N):
        for i in range((H + top + bottom - KH) // sh + 1):
            for j in range((W + left + right - KW) // sw + 1):
                for k in range(KH):
                    for l in range(KW):
                        h, v = sh * i + k - top, sw * j + l - left
                        if 0 <= h < H and 0 <= v < W:
                            yield n, i, j, k, l, h, v


def places(hw, kernel_size, strides, pads):
    """(OH, OW): OH = floor((H + top + bottom - KH) / sh) + 1, and OW likewise."""
    return tuple((hw[a] + sum(pads[a]) - kernel_size[a]) // strides[a] + 1 for a in (0, 1))


def conv2d(x, w, b, strides, pads):
    """y[n,i,j,f] = b[f] + sum over k, l, c of x[n, sh*i+k-top, sw*j+l-left, c] * w[k,l,c,f]. b may be None."""
    KH, KW, C, F = w.shape
    y = np.zeros((len(x), *places(x.shape[1:3], (KH, KW), strides, pads), F), x.dtype)
    if b is not None:
        y += b
    for n, i, j, k, l, h, v in windows(x.shape, (KH, KW), strides, pads):
        for f in range(F):
            for c in range(C):
                y[n, i, j, f] += x[n, h, v, c] * w[k, l, c, f]
    return y


def conv2d_backward(dy, x, w, strides, pads):
    """(dx, dw, db): each product x * w that entered y hands dy on, to x times w, and to w times x."""
    KH, KW, C, F = w.shape
    dx, dw, db = np.zeros_like(x), np.zeros_like(w), np.zeros(F, x.dtype)
    for n, i, j, k, l, h, v in windows(x.shape, (KH, KW), strides, pads):
        for f in range(F):
            for c in range(C):
                dx[n, h, v, c] += dy[n, i, j, f] * w[k, l, c, f]
                dw[k, l, c, f] += dy[n, i, j, f] * x[n, h, v, c]
    for index in np.ndindex(*dy.shape):
        db[index[-1]] += dy[index]
    return dx, dw, db


def conv2d_transpose(x, w, b, strides, pads, output_hw):
    """The convolution from (OH, OW) to (H, W) run backwards: x[n,i,j,f] spreads over the window it would come from.

    y[n, sh*i+k-top, sw*j+l-left, c] += x[n,i,j,f] * w[k,l,c,f]; x (N, H, W, F), w (KH, KW, C, F), y (N, OH, OW, C).
    """
    KH, KW, C, F = w.shape
    y = np.zeros((len(x), *output_hw, C), x.dtype)
    if b is not None:
        y += b
    for n, i, j, k, l, h, v in windows(y.shape, (KH, KW), strides, pads):
        for f in range(F):
            for c in range(C):
                y[n, h, v, c] += x[n, i, j, f] * w[k, l, c, f]
    return y


def conv2d_transpose_backward(dy, x, w, strides, pads):
    """(dx, dw, db) of `conv2d_transpose`; dx is the ordinary convolution of dy."""
    KH, KW, C, F = w.shape
    dx, dw, db = np.zeros_like(x), np.zeros_like(w), np.zeros(C, x.dtype)
    for n, i, j, k, l, h, v in windows(dy.shape, (KH, KW), strides, pads):
        for f in range(F):
            for c in range(C):
                dx[n, i, j, f] += dy[n, h, v, c] * w[k, l, c, f]
                dw[k, l, c, f] += dy[n, h, v, c] * x[n, i, j, f]
    for index in np.ndindex(*dy.shape):
        db[index[-1]] += dy[index]
    return dx, dw, db


def depthwise_conv2d(x, w, b, strides, pads):
    """y[n,i,j,c*M+m] = b[c*M+m] + sum over k, l of x[n, sh*i+k-top, sw*j+l-left, c] * w[k,l,c,m]; w (KH, KW, C, M)."""
    KH, KW, C, M = w.shape
    y = np.zeros((len(x), *places(x.shape[1:3], (KH, KW), strides, pads), C * M), x.dtype)
    if b is not None:
        y += b
    for n, i, j, k, l, h, v in windows(x.shape, (KH, KW), strides, pads):
        for c in range(C):
            for m in range(M):
                y[n, i, j, c * M + m] += x[n, h, v, c] * w[k, l, c, m]
    return y


def depthwise_conv2d_backward(dy, x, w, strides, pads):
    """(dx, dw, db) of `depthwise_conv2d`."""
    KH, KW, C, M = w.shape
    dx, dw, db = np.zeros_like(x), np.zeros_like(w), np.zeros(C * M, x.dtype)
    for n, i, j, k, l, h, v in windows(x.shape, (KH, KW), strides, pads):
        for c in range(C):
            for m in range(M):
                dx[n, h, v, c] += dy[n, i, j, c * M + m] * w[k, l, c, m]
                dw[k, l, c, m] += dy[n, i, j, c * M + m] * x[n, h, v, c]
    for index in np.ndindex(*dy.shape):
        db[index[-1]] += dy[index]
    return dx, dw, db


def grouped_conv2d(x, w, b, strides, pads):
    """y[n,i,j,f] = b[f] + sum over k, l and c < I of x[n, sh*i+k-top, sw*j+l-left, f // (F/G) * I + c] * w[k,l,c,f].

    w (KH, KW, I, F); there are G = C / I groups.
    """
    KH, KW, I, F = w.shape
    filters = F * I // x.shape[3]  # of a group
    y = np.zeros((len(x), *places(x.shape[1:3], (KH, KW), strides, pads), F), x.dtype)
    if b is not None:
        y += b
    for n, i, j, k, l, h, v in windows(x.shape, (KH, KW), strides, pads):
        for f in range(F):
            for c in range(I):
                y[n, i, j, f] += x[n, h, v, f // filters * I + c] * w[k, l, c, f]
    return y


def grouped_conv2d_backward(dy, x, w, strides, pads):
    """(dx, dw, db) of `grouped_conv2d`."""
    KH, KW, I, F = w.shape
    filters = F * I // x.shape[3]
    dx, dw, db = np.zeros_like(x), np.zeros_like(w), np.zeros(F, x.dtype)
    for n, i, j, k, l, h, v in windows(x.shape, (KH, KW), strides, pads):
        for f in range(F):
            for c in range(I):
                seen = f // filters * I + c
                dx[n, h, v, seen] += dy[n, i, j, f] * w[k, l, c, f]
                dw[k, l, c, f] += dy[n, i, j, f] * x[n, h, v, seen]
    for index in np.ndindex(*dy.shape):
        db[index[-1]] += dy[index]
    return dx, dw, db
