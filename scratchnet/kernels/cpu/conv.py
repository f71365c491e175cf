"""Convolution and its two gradients, which also serve the transposed convolution.

x (N, H, W, C), w (KH, KW, C, F), y (N, OH, OW, F); pads ((top, bottom), (left, right)). The formulas stand as plain
loops in `scratchnet.reference`.
"""

from __future__ import annotations

import numpy as np

from scratchnet.kernels.cpu.correlate import Kernel, Weights, correlate
from scratchnet.kernels.cpu.memory import empty
from scratchnet.kernels.cpu.pool import max_pool2d_backward
from scratchnet.kernels.cpu.pooled_gradient import pays as pooling_pays
from scratchnet.kernels.cpu.pooled_gradient import pooled_gradients
from scratchnet.kernels.cpu.spread import pays, spread
from scratchnet.kernels.cpu.sums import as_flat, column_sums
from scratchnet.kernels.cpu.weight_products import FEW, weight_products
from scratchnet.kernels.cpu.winograd import scheme_of, slide_tiles
from scratchnet.kernels.cpu.winograd_gradient import weight_tiles
from scratchnet.shapes import Pads, output_hw


def _slide(x, weights, bias, kernel, relu, y, y0, y_steps, hw, F):
    """`correlate`, or where that is faster the same with fewer multiplications."""
    scheme = scheme_of(x.shape, kernel, hw, F, x.itemsize)
    if scheme is None:
        correlate(x, weights, bias, kernel, relu, y, y0, y_steps, hw, F)
    else:
        slide_tiles(scheme, x, weights, bias, kernel, relu, y, y0, y_steps, hw, F)


def conv2d(
    x: np.ndarray, w: np.ndarray, b: np.ndarray | None, strides: tuple[int, int], pads: Pads, relu: bool = False
) -> np.ndarray:
    """y[n,i,j,f] = b[f] + sum over k, l, c of x~[n, sh*i+k-top, sw*j+l-left, c] * w[k,l,c,f]; x~ is 0 outside of x.

    With relu, y = max(y, 0).
    """
    KH, KW, C, F = w.shape
    OH, OW = output_hw(x.shape[1:3], (KH, KW), strides, pads)
    if strides == (1, 1) and pays(C, F):  # turned by 180 degrees, it is a transposed convolution
        turned = Kernel(KH, KW, 1, 1, KH - 1 - pads[0][0], KW - 1 - pads[1][0])
        return spread(np.ascontiguousarray(x), w[::-1, ::-1].swapaxes(2, 3), b, turned, relu, (OH, OW))
    y = empty((len(x), OH, OW, F), x.dtype)
    weights = Weights(as_flat(w), 0, KW * C * F, C * F, F, 1)
    kernel = Kernel(KH, KW, *strides, pads[0][0], pads[1][0])
    _slide(np.ascontiguousarray(x), weights, b, kernel, relu, y.reshape(-1), 0, (OH * OW * F, OW * F, F), (OH, OW), F)
    return y


def conv2d_transpose(
    x: np.ndarray,
    w: np.ndarray,
    b: np.ndarray | None,
    strides: tuple[int, int],
    pads: Pads,
    output_hw: tuple[int, int],
    relu: bool = False,
) -> np.ndarray:
    """The gradient of `conv2d` with respect to its input, as a forward: x (N, H, W, F) to y (N, OH, OW, C), plus b.

    w is (KH, KW, C, F): Keras's order for Conv2DTranspose, output channels before input channels. `strides` and `pads`
    are those of the convolution that goes the other way, from (OH, OW) to (H, W).

    Output rows h with the same remainder of h + top by sh meet the same rows of w. Each such phase is a convolution of
    its own, with a part of w turned by 180 degrees: no product with a zero between strides is ever made.
    """
    (KH, KW, C, F), (OH, OW), (sh, sw) = w.shape, output_hw, strides
    (top, _), (left, _) = pads
    x, flat_w = np.ascontiguousarray(x), as_flat(w)
    if pays(F, C):
        return spread(x, w, b, Kernel(KH, KW, sh, sw, top, left), relu, output_hw)
    y = empty((len(x), OH, OW, C), x.dtype)
    y_steps = (OH * OW * C, sh * OW * C, sw * C)
    for h in range(min(sh, OH)):
        k, before = (h + top) % sh, (h + top) // sh
        rows = len(range(k, KH, sh))
        for v in range(min(sw, OW)):
            m, left_of = (v + left) % sw, (v + left) // sw
            columns = len(range(m, KW, sw))
            last = ((k + (rows - 1) * sh) * KW + m + (columns - 1) * sw) * C * F
            weights = Weights(flat_w, last, -sh * KW * C * F, -sw * C * F, 1, F)
            kernel = Kernel(rows, columns, 1, 1, rows - 1 - before, columns - 1 - left_of)
            hw = (len(range(h, OH, sh)), len(range(v, OW, sw)))
            _slide(x, weights, b, kernel, relu, y.reshape(-1), (h * OW + v) * C, y_steps, hw, C)
    return y


def conv2d_input_grad(
    dy: np.ndarray, w: np.ndarray, input_hw: tuple[int, int], strides: tuple[int, int], pads: Pads
) -> np.ndarray:
    """dx[n,h,v,c] = the sum over all i, j, k, l with sh*i+k-top = h, sw*j+l-left = v of dy[n,i,j,f] * w[k,l,c,f]."""
    return conv2d_transpose(dy, w, None, strides, pads, input_hw)


def conv2d_weight_grad(
    x: np.ndarray,
    dy: np.ndarray,
    kernel_size: tuple[int, int],
    strides: tuple[int, int],
    pads: Pads,
    dw: np.ndarray | None = None,
    db: np.ndarray | None = None,
) -> np.ndarray:
    """dw[k,l,c,f] = the sum over n, i, j of x~[n, sh*i+k-top, sw*j+l-left, c] * dy[n,i,j,f].

    Where dw (KH, KW, C, F) is given, the sum is added to it; so is the sum of dy to db (F,). Both are contiguous.
    """
    if dw is None:
        dw = np.zeros((*kernel_size, x.shape[3], dy.shape[3]), x.dtype)
    (KH, KW), (top, _), (left, _) = kernel_size, *pads
    x, dy = np.ascontiguousarray(x), np.ascontiguousarray(dy)
    if strides == (1, 1) and dy.shape[3] < FEW <= x.shape[3]:
        # The sum is the same with dy as the picture and x as the gradient, all steps turned; and x fills the tile.
        turned = np.zeros((KH, KW, dy.shape[3], x.shape[3]), x.dtype)
        weight_products(dy, x, (KH, KW, 1, 1, KH - 1 - top, KW - 1 - left), turned, None)
        dw += turned[::-1, ::-1].swapaxes(2, 3)
        if db is not None:
            db += column_sums(dy)
        return dw
    kernel = Kernel(KH, KW, *strides, top, left)
    scheme = scheme_of(x.shape, kernel, dy.shape[1:3], dy.shape[3], x.itemsize, for_weights=True)
    if scheme is None:
        weight_products(x, dy, kernel, dw, db)
    else:
        weight_tiles(scheme, x, dy, kernel, dw)
        if db is not None:
            db += column_sums(dy)
    return dw


def conv2d_max_pool2d_backward(
    dy: np.ndarray,
    x: np.ndarray,
    w: np.ndarray,
    argmax: np.ndarray,
    strides: tuple[int, int],
    pads: Pads,
    pooling: tuple[tuple[int, int], tuple[int, int], Pads],
    dw: np.ndarray | None,
    db: np.ndarray | None,
    input_grad: bool,
) -> np.ndarray | None:
    """The gradients of `conv2d` where `max_pool2d` follows, from dy and argmax (N, PH, PW, F) of the pooling.

    dw and db are added to where they are given, as by `conv2d_weight_grad`; returns dx if input_grad. `pooling` is
    (pool_size, strides, pads).
    """
    hw = output_hw(x.shape[1:3], w.shape[:2], strides, pads)
    kernel = Kernel(*w.shape[:2], *strides, pads[0][0], pads[1][0])
    if pooling_pays(x.shape, kernel, hw, dy.shape, x.itemsize):
        x, w, dy, argmax = (np.ascontiguousarray(a) for a in (x, w, dy, argmax))
        return pooled_gradients(x, w, dy, argmax, kernel, hw, dw, db, input_grad)
    dy = max_pool2d_backward(dy, argmax, hw, *pooling)
    if dw is not None:
        conv2d_weight_grad(x, dy, w.shape[:2], strides, pads, dw, db)
    return conv2d_input_grad(dy, w, x.shape[1:3], strides, pads) if input_grad else None
