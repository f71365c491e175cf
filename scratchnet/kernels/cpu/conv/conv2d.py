"""Convolution and its two gradients, which also serve the transposed convolution: the fastest way for each shape.

x (N, H, W, C), w (KH, KW, C, F), y (N, OH, OW, F); pads ((top, bottom), (left, right)). The formulas stand as plain
loops in `scratchnet.reference`.

Winograd's way rounds more than the formula's loops: an output's error is one of float32 for the largest pixel of its
tile, not only for those that it sees. With a pixel that is not finite or far above the rest, the direct way is taken.
The gradient of the weights takes Winograd's way with any numbers: all places are in its sum anyway, but a NaN in the
outermost rows and columns of x also reaches those cells of dw that never meet them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from scratchnet.kernels.checks import check_output
from scratchnet.kernels.cpu.conv import col2im, pooled_gradient
from scratchnet.kernels.cpu.conv.direct import direct_conv2d
from scratchnet.kernels.cpu.conv.weight_grad import FEW_CHANNELS, direct_weight_grad
from scratchnet.kernels.cpu.gemm.operands import ONE_CELL, Output, Weights, Window
from scratchnet.kernels.cpu.pool import max_pool2d_backward
from scratchnet.kernels.cpu.runtime.contract import takes
from scratchnet.kernels.cpu.runtime.memory import empty
from scratchnet.kernels.cpu.sums import as_flat, column_sums
from scratchnet.kernels.cpu.winograd.conv2d import choose_algorithm, winograd_conv2d
from scratchnet.kernels.cpu.winograd.magnitude import is_even
from scratchnet.kernels.cpu.winograd.weight_grad import winograd_weight_grad
from scratchnet.shapes import Pads, output_hw


def _rotated(window: Window) -> Window:
    """The window of the transposed convolution that computes what `window` does with w rotated by 180 degrees.

    Both have strides of 1.
    """
    return window._replace(top=window.KH - 1 - window.top, left=window.KW - 1 - window.left)


_ROWS, _BANDS = 48, 32  # the fewest rows of a matrix that are a task, and the most tasks


def _as_product(x: np.ndarray, window: Window, y: Output) -> tuple[np.ndarray, Window, Output]:
    """A convolution with a kernel of one cell as a product of matrices, whose rows are all pixels that it sees.

    The rows are those of one picture, so that tiles are full where a row of x is short.
    """
    N, C = len(x), x.shape[3]
    x = np.ascontiguousarray(x[:, :: window.sh, :: window.sw][:, : y.OH, : y.OW])  # no copy where that is all of x
    rows = N * y.OH * y.OW
    bands = next(n for n in range(_BANDS, 0, -1) if n == 1 or (rows % n == 0 and rows >= n * _ROWS))
    long = rows // bands
    out = y._replace(n_step=rows * y.j_step, i_step=long * y.j_step, OH=bands, OW=long)
    return x.reshape(1, bands, long, C), ONE_CELL, out


def _is_product(x: np.ndarray, window: Window, y: Output) -> bool:
    """Whether there is one cell, no padding, and no gap between the rows of y."""
    H, W = x.shape[1:3]
    inside = (y.OH - 1) * window.sh < H and (y.OW - 1) * window.sw < W
    together = y.i_step == y.OW * y.j_step and y.n_step == y.OH * y.i_step
    return window[:2] == (1, 1) and window[4:] == (0, 0) and inside and together and 0 not in (len(x), y.OH, y.OW)


def _conv2d(
    x: np.ndarray,
    weights: Weights,
    b: np.ndarray | None,
    window: Window,
    relu: bool,
    y: Output,
    even: Callable[[], bool],
) -> None:
    """`direct_conv2d`, or Winograd's way where that is faster and x is `even`: see `is_even`."""
    algorithm = choose_algorithm(x.shape, window, (y.OH, y.OW), y.F, x.itemsize)
    if _is_product(x, window, y):
        x, window, y = _as_product(x, window, y)
    if algorithm is None or not even():
        direct_conv2d(x, weights, b, window, relu, y)
    else:
        winograd_conv2d(algorithm, x, weights, b, window, relu, y)


@takes(x="N H W C", w="KH KW C F", b="F, or None")
def conv2d(
    x: np.ndarray, w: np.ndarray, b: np.ndarray | None, strides: tuple[int, int], pads: Pads, relu: bool = False
) -> np.ndarray:
    """y[n,i,j,f] = b[f] + sum over k, l, c of x~[n, sh*i+k-top, sw*j+l-left, c] * w[k,l,c,f]; x~ is 0 outside of x.

    With relu, y = max(y, 0).
    """
    KH, KW, C, F = w.shape
    OH, OW = output_hw(x.shape[1:3], (KH, KW), strides, pads)
    x, window = np.ascontiguousarray(x), Window(KH, KW, *strides, pads[0][0], pads[1][0])
    if strides == (1, 1) and col2im.is_faster(C, F):
        rotated = w[::-1, ::-1].swapaxes(2, 3)
        return col2im.conv2d_transpose(x, rotated, b, _rotated(window), relu, (OH, OW))
    y = empty((len(x), OH, OW, F), x.dtype)
    conv2d_into(x, w, b, window, relu, Output.whole(y))
    return y


def conv2d_into(x: np.ndarray, w: np.ndarray, b: np.ndarray | None, window: Window, relu: bool, y: Output) -> None:
    """`conv2d` of x, contiguous, into y, which may be some channels of an array."""
    _, KW, C, F = w.shape
    _conv2d(x, Weights(as_flat(w), 0, KW * C * F, C * F, F, 1), b, window, relu, y, lambda: is_even(x))


@takes(x="N OH OW F", w="KH KW C F", b="C, or None")
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
    its own, with a part of w rotated by 180 degrees: no product with a zero between strides is ever made.
    """
    (KH, KW, C, F), (OH, OW) = w.shape, output_hw
    x, window = np.ascontiguousarray(x), Window(KH, KW, *strides, pads[0][0], pads[1][0])
    if col2im.is_faster(F, C):
        return col2im.conv2d_transpose(x, w, b, window, relu, output_hw)
    y = empty((len(x), OH, OW, C), x.dtype)
    conv2d_transpose_into(x, w, b, window, relu, Output.whole(y))
    return y


def conv2d_transpose_into(
    x: np.ndarray, w: np.ndarray, b: np.ndarray | None, window: Window, relu: bool, y: Output
) -> None:
    """`conv2d_transpose` of x, contiguous, into y, which may be some channels of an array."""
    (_, _, C, F), (KH, KW, sh, sw, top, left), (OH, OW) = w.shape, window, (y.OH, y.OW)
    flat_w, even = as_flat(w), functools.cache(lambda: is_even(x))
    for h in range(min(sh, OH)):
        k, above = (h + top) % sh, (h + top) // sh
        rows = len(range(k, KH, sh))
        for v in range(min(sw, OW)):
            l, before = (v + left) % sw, (v + left) // sw  # noqa: E741
            columns = len(range(l, KW, sw))
            last = ((k + (rows - 1) * sh) * KW + l + (columns - 1) * sw) * C * F
            weights = Weights(flat_w, last, -sh * KW * C * F, -sw * C * F, 1, F)
            part = Window(rows, columns, 1, 1, rows - 1 - above, columns - 1 - before)
            hw = (len(range(h, OH, sh)), len(range(v, OW, sw)))
            start = y.start + h * y.i_step + v * y.j_step
            phase = Output(y.array, start, y.n_step, sh * y.i_step, sw * y.j_step, *hw, C)
            _conv2d(x, weights, b, part, relu, phase, even)


@takes(dy="N OH OW F", w="KH KW C F")
def conv2d_input_grad(
    dy: np.ndarray, w: np.ndarray, input_hw: tuple[int, int], strides: tuple[int, int], pads: Pads
) -> np.ndarray:
    """dx[n,h,v,c] = the sum over all i, j, k, l with sh*i+k-top = h, sw*j+l-left = v of dy[n,i,j,f] * w[k,l,c,f]."""
    return conv2d_transpose(dy, w, None, strides, pads, input_hw)


@takes(x="N H W C", dy="N OH OW F", dw="KH KW C F, added, or None", db="F, added, or None")
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
    x, dy = np.ascontiguousarray(x), np.ascontiguousarray(dy)
    window = Window(*kernel_size, *strides, pads[0][0], pads[1][0])
    if strides == (1, 1) and dy.shape[3] < FEW_CHANNELS <= x.shape[3]:
        # With x and dy exchanged, the sum is dw rotated by 180 degrees with c and f exchanged; and x fills the tiles.
        rotated = np.zeros((*kernel_size, dy.shape[3], x.shape[3]), x.dtype)
        direct_weight_grad(dy, x, _rotated(window), rotated, None)
        dw += rotated[::-1, ::-1].swapaxes(2, 3)
        if db is not None:
            db += column_sums(dy)
        return dw
    algorithm = choose_algorithm(x.shape, window, dy.shape[1:3], dy.shape[3], x.itemsize, for_weights=True)
    if algorithm is None:
        direct_weight_grad(x, dy, window, dw, db)
    else:
        winograd_weight_grad(algorithm, x, dy, window, dw)
        if db is not None:
            db += column_sums(dy)
    return dw


def _check_pooling(caller: str, settings: dict[str, Any], sizes: dict[str, int]) -> None:
    """PH and PW are what the pooling makes of the convolution's OH and OW."""
    pool_size, strides, pads = settings["pooling"]
    pooled = {"OH": sizes["PH"], "OW": sizes["PW"]}
    check_output((sizes["OH"], sizes["OW"]), pool_size, strides, pads, pooled, caller)


@takes(
    dy="N PH PW F",
    x="N H W C",
    w="KH KW C F",
    argmax="N PH PW F, int32",
    dw="KH KW C F, added, or None",
    db="F, added, or None",
    rule=_check_pooling,
)
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
    KH, KW, _, _ = w.shape
    hw, window = output_hw(x.shape[1:3], (KH, KW), strides, pads), Window(KH, KW, *strides, pads[0][0], pads[1][0])
    if pooled_gradient.is_faster(x.shape, window, hw, dy.shape, x.itemsize):
        x, w, dy, argmax = (np.ascontiguousarray(a) for a in (x, w, dy, argmax))
        return pooled_gradient.pooled_gradients(x, w, dy, argmax, window, hw, dw, db, input_grad)
    dy = max_pool2d_backward(dy, argmax, hw, *pooling)
    if dw is not None:
        conv2d_weight_grad(x, dy, (KH, KW), strides, pads, dw, db)
    return conv2d_input_grad(dy, w, x.shape[1:3], strides, pads) if input_grad else None
