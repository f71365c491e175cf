"""Convolution in groups of channels on the GPU: of G slices of the filters the first sees the first of G slices of x.

Each group is a convolution by itself. x (N, H, W, C), w (KH, KW, I, F) with I = C / G, y (N, OH, OW, F).
"""

from __future__ import annotations

from typing import Any

from scratchnet.kernels.checks import check_groups
from scratchnet.kernels.gpu.conv.conv2d import conv2d, conv2d_input_grad, conv2d_weight_grad
from scratchnet.kernels.gpu.conv.dense import bias_grad
from scratchnet.kernels.gpu.runtime.contract import takes
from scratchnet.kernels.gpu.runtime.memory import empty
from scratchnet.shapes import Pads, output_hw


def _slices(size: int, groups: int) -> list[slice]:
    part = size // groups
    return [slice(g * part, (g + 1) * part) for g in range(groups)]


@takes(x="N H W C", w="KH KW I F", b="F, or None")
def grouped_conv2d(x: Any, w: Any, b: Any | None, strides: tuple[int, int], pads: Pads, relu: bool = False) -> Any:
    """`conv2d` in C / I groups: filter f sees the I channels from f // (F * I / C) * I on."""
    (KH, KW, I, F), C = w.shape, x.shape[3]  # noqa: E741
    groups = check_groups(C, I, F, "grouped_conv2d")
    y = empty((len(x), *output_hw(x.shape[1:3], (KH, KW), strides, pads), F), x.dtype)
    for c, f in zip(_slices(C, groups), _slices(F, groups)):
        y[..., f] = conv2d(x[..., c], w[..., f], None if b is None else b[f], strides, pads, relu)
    return y


@takes(dy="N OH OW F", w="KH KW I F")
def grouped_conv2d_input_grad(
    dy: Any, w: Any, groups: int, input_hw: tuple[int, int], strides: tuple[int, int], pads: Pads
) -> Any:
    """The gradient of `grouped_conv2d` for x (N, H, W, groups * I)."""
    I, F = w.shape[2:]  # noqa: E741
    check_groups(groups * I, I, F, "grouped_conv2d_input_grad")
    dx = empty((len(dy), *input_hw, groups * I), dy.dtype)
    for c, f in zip(_slices(groups * I, groups), _slices(F, groups)):
        dx[..., c] = conv2d_input_grad(dy[..., f], w[..., f], input_hw, strides, pads)
    return dx


@takes(x="N H W C", dy="N OH OW F", dw="KH KW I F, added", db="F, added, or None")
def grouped_conv2d_weight_grad(
    x: Any,
    dy: Any,
    kernel_size: tuple[int, int],
    strides: tuple[int, int],
    pads: Pads,
    dw: Any,
    db: Any | None = None,
) -> Any:
    """The gradient of `grouped_conv2d` for w is added to dw, and the sum of dy to db, if given; returns dw."""
    C, F = x.shape[3], dy.shape[3]
    groups = check_groups(C, dw.shape[2], F, "grouped_conv2d_weight_grad")
    for c, f in zip(_slices(C, groups), _slices(F, groups)):
        dw[..., f] += conv2d_weight_grad(x[..., c], dy[..., f], kernel_size, strides, pads)
    if db is not None:
        db += bias_grad(dy)
    return dw
