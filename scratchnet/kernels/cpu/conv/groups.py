"""Convolution in groups of channels: of G slices of the filters the first sees the first of G slices of x, and so on.

x (N, H, W, C), w (KH, KW, I, F) with I = C / G, y (N, OH, OW, F); pads ((top, bottom), (left, right)).

Groups that would leave most of a register tile empty go all together: by `depthwise_sliding`, `depthwise_input_grad`
and `depthwise_weight_grad` where each channel has one filter of 3x3 or 5x5 taps, or else by `narrow` and
`narrow_weight_grad`. Others go one after the other, as convolutions whose outputs are written where they belong.
"""

from __future__ import annotations

import numpy as np

from scratchnet.kernels.checks import check_groups
from scratchnet.kernels.cpu.conv import depthwise_input_grad, depthwise_sliding, depthwise_weight_grad
from scratchnet.kernels.cpu.conv.conv2d import conv2d_into, conv2d_transpose_into, conv2d_weight_grad
from scratchnet.kernels.cpu.conv.narrow import is_streamed, narrow_conv2d, narrow_conv2d_input_grad
from scratchnet.kernels.cpu.conv.narrow_weight_grad import narrow_weight_grad
from scratchnet.kernels.cpu.gemm.operands import Output, Window
from scratchnet.kernels.cpu.gemm.simd import VECTOR_BYTES
from scratchnet.kernels.cpu.runtime.contract import takes
from scratchnet.kernels.cpu.runtime.memory import empty
from scratchnet.kernels.cpu.sums import column_sums
from scratchnet.shapes import Pads, output_hw


def _is_depthwise(w: np.ndarray, C: int, itemsize: int) -> bool:
    """Whether each of C channels has one filter, and there are enough of them to fill a vector."""
    return w.shape[2] == 1 and w.shape[3] == C >= VECTOR_BYTES // itemsize


def narrow_forward(
    x: np.ndarray, w: np.ndarray, b: np.ndarray | None, strides: tuple[int, int], pads: Pads, relu: bool
) -> np.ndarray:
    """y by `depthwise_sliding` or `narrow`; x contiguous."""
    KH, KW, _, F = w.shape
    y = empty((len(x), *output_hw(x.shape[1:3], (KH, KW), strides, pads), F), x.dtype)
    window = Window(KH, KW, *strides, pads[0][0], pads[1][0])
    if _is_depthwise(w, x.shape[3], x.itemsize) and depthwise_sliding.fits(x.shape[1:3], window, y.shape[1:3]):
        b = np.zeros(F, x.dtype) if b is None else np.ascontiguousarray(b)
        depthwise_sliding.depthwise(x, np.ascontiguousarray(w), b, window, relu, y, is_streamed(y))
    else:
        narrow_conv2d(x, w, b, window, relu, y)
    return y


def narrow_input_grad(
    dy: np.ndarray, w: np.ndarray, input_hw: tuple[int, int], strides: tuple[int, int], pads: Pads, groups: int
) -> np.ndarray:
    """dx by `depthwise_input_grad` or `narrow`; dy contiguous."""
    KH, KW, I, F = w.shape  # noqa: E741
    C = I * groups
    dx, window = empty((len(dy), *input_hw, C), dy.dtype), Window(KH, KW, *strides, pads[0][0], pads[1][0])
    if _is_depthwise(w, C, dy.itemsize) and depthwise_input_grad.fits(dy.shape[1:3], window, input_hw):
        depthwise_input_grad.depthwise_input_grad(dy, np.ascontiguousarray(w), window, dx, is_streamed(dx))
        return dx
    # A channel's weights for the m-th filter of those that see it: as the filters of a group from F / G channels to I.
    turned = w.reshape(KH, KW, I, groups, F // groups).transpose(0, 1, 4, 3, 2).reshape(KH, KW, -1, C)
    narrow_conv2d_input_grad(dy, turned, window, dx)
    return dx


def narrow_weight_gradient(
    x: np.ndarray, dy: np.ndarray, kernel_size: tuple[int, int], strides: tuple[int, int], pads: Pads, groups: int
) -> np.ndarray:
    """dw by `depthwise_weight_grad` or `narrow_weight_grad`."""
    x, dy = np.ascontiguousarray(x), np.ascontiguousarray(dy)
    window = Window(*kernel_size, *strides, pads[0][0], pads[1][0])
    if groups == x.shape[3] and depthwise_weight_grad.fits(x, dy, window):
        return depthwise_weight_grad.depthwise_weight_grad(x, dy, window)
    return narrow_weight_grad(x, dy, window, x.shape[3] // groups)


def _slices(size: int, groups: int) -> list[slice]:
    part = size // groups
    return [slice(g * part, (g + 1) * part) for g in range(groups)]


def _slice_of(array: np.ndarray, channels: slice) -> Output:
    """Some channels of an array (N, H, W, C), contiguous, as the output of a convolution."""
    whole = Output.whole(array)
    return whole._replace(start=channels.start, F=channels.stop - channels.start)


def _are_narrow(filters: int, itemsize: int) -> bool:
    """Whether groups of so many outputs go together: they do not fill a vector."""
    return filters * itemsize < VECTOR_BYTES


@takes(x="N H W C", w="KH KW I F", b="F, or None")
def grouped_conv2d(
    x: np.ndarray, w: np.ndarray, b: np.ndarray | None, strides: tuple[int, int], pads: Pads, relu: bool = False
) -> np.ndarray:
    """`conv2d` in C / I groups: filter f sees the I channels from f // (F * I / C) * I on."""
    KH, KW, I, F = w.shape  # noqa: E741
    groups = check_groups(x.shape[3], I, F, "grouped_conv2d")
    x = np.ascontiguousarray(x)
    if _are_narrow(F // groups, x.itemsize):
        return narrow_forward(x, w, b, strides, pads, relu)
    y = empty((len(x), *output_hw(x.shape[1:3], (KH, KW), strides, pads), F), x.dtype)
    window = Window(KH, KW, *strides, pads[0][0], pads[1][0])
    for c, f in zip(_slices(x.shape[3], groups), _slices(F, groups)):
        part = np.ascontiguousarray(x[..., c])
        conv2d_into(part, w[..., f], None if b is None else b[f], window, relu, _slice_of(y, f))
    return y


@takes(dy="N OH OW F", w="KH KW I F")
def grouped_conv2d_input_grad(
    dy: np.ndarray, w: np.ndarray, groups: int, input_hw: tuple[int, int], strides: tuple[int, int], pads: Pads
) -> np.ndarray:
    """The gradient of `grouped_conv2d` for x (N, H, W, groups * I)."""
    KH, KW, I, F = w.shape  # noqa: E741
    C = I * check_groups(groups * I, I, F, "grouped_conv2d_input_grad")
    dy = np.ascontiguousarray(dy)
    if _are_narrow(I, dy.itemsize):
        return narrow_input_grad(dy, w, input_hw, strides, pads, groups)
    dx, window = empty((len(dy), *input_hw, C), dy.dtype), Window(KH, KW, *strides, pads[0][0], pads[1][0])
    for c, f in zip(_slices(C, groups), _slices(F, groups)):
        part = np.ascontiguousarray(dy[..., f])
        conv2d_transpose_into(part, w[..., f], None, window, False, _slice_of(dx, c))
    return dx


@takes(x="N H W C", dy="N OH OW F", dw="KH KW I F, added", db="F, added, or None")
def grouped_conv2d_weight_grad(
    x: np.ndarray,
    dy: np.ndarray,
    kernel_size: tuple[int, int],
    strides: tuple[int, int],
    pads: Pads,
    dw: np.ndarray,
    db: np.ndarray | None = None,
) -> np.ndarray:
    """The gradient of `grouped_conv2d` for w is added to dw, and the sum of dy to db, if given; returns dw."""
    groups = check_groups(x.shape[3], dw.shape[2], dy.shape[3], "grouped_conv2d_weight_grad")
    if _are_narrow(dy.shape[3] // groups, x.itemsize):
        dw += narrow_weight_gradient(x, dy, kernel_size, strides, pads, groups)
    else:
        for c, f in zip(_slices(x.shape[3], groups), _slices(dy.shape[3], groups)):
            dw[..., f] += conv2d_weight_grad(x[..., c], dy[..., f], kernel_size, strides, pads)
    if db is not None:
        db += column_sums(dy)
    return dw
