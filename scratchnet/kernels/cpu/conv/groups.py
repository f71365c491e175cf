"""Convolution in groups of channels: of G slices of the filters the first sees the first of G slices of x, and so on.

x (N, H, W, C), w (KH, KW, C / G, F), y (N, OH, OW, F); pads ((top, bottom), (left, right)).
"""

from __future__ import annotations

import numpy as np

from scratchnet.kernels.cpu.conv.narrow import narrow_conv2d
from scratchnet.kernels.cpu.conv.narrow_weight_grad import narrow_weight_grad
from scratchnet.kernels.cpu.gemm.operands import Output, Window
from scratchnet.kernels.cpu.runtime.memory import empty
from scratchnet.shapes import Pads, output_hw


def narrow_forward(
    x: np.ndarray, w: np.ndarray, b: np.ndarray | None, strides: tuple[int, int], pads: Pads, relu: bool
) -> np.ndarray:
    """y by `narrow`; x contiguous."""
    KH, KW, _, F = w.shape
    y = empty((len(x), *output_hw(x.shape[1:3], (KH, KW), strides, pads), F), x.dtype)
    narrow_conv2d(x, w, b, Window(KH, KW, *strides, pads[0][0], pads[1][0]), relu, Output.whole(y))
    return y


def narrow_input_grad(
    dy: np.ndarray, w: np.ndarray, input_hw: tuple[int, int], strides: tuple[int, int], pads: Pads, groups: int
) -> np.ndarray:
    """dx by `narrow`, phase by phase as in `conv2d_transpose`; dy contiguous."""
    (KH, KW, I, F), (H, W), (sh, sw), (top, _), (left, _) = w.shape, input_hw, strides, *pads
    C = I * groups
    dx = empty((len(dy), H, W, C), dy.dtype)
    # A channel's filter for the m-th of those that see it: as the filter of a group from F / G channels to I.
    turned = w[::-1, ::-1].reshape(KH, KW, I, groups, F // groups).transpose(0, 1, 4, 3, 2).reshape(KH, KW, -1, C)
    for h in range(min(sh, H)):
        k, above = (h + top) % sh, (h + top) // sh
        rows = len(range(k, KH, sh))
        for v in range(min(sw, W)):
            l, before = (v + left) % sw, (v + left) // sw  # noqa: E741
            columns = len(range(l, KW, sw))
            part = turned[(KH - 1 - k) % sh :: sh, (KW - 1 - l) % sw :: sw] if rows and columns else turned[:0, :0]
            window = Window(*part.shape[:2], 1, 1, part.shape[0] - 1 - above, part.shape[1] - 1 - before)
            hw = (len(range(h, H, sh)), len(range(v, W, sw)))
            phase = Output(dx.reshape(-1), (h * W + v) * C, H * W * C, sh * W * C, sw * C, *hw, C)
            narrow_conv2d(dy, part, None, window, False, phase)
    return dx


def narrow_weight_gradient(
    x: np.ndarray, dy: np.ndarray, kernel_size: tuple[int, int], strides: tuple[int, int], pads: Pads, groups: int
) -> np.ndarray:
    """dw by `narrow`."""
    x, dy = np.ascontiguousarray(x), np.ascontiguousarray(dy)
    window = Window(*kernel_size, *strides, pads[0][0], pads[1][0])
    return narrow_weight_grad(x, dy, window, x.shape[3] // groups)
