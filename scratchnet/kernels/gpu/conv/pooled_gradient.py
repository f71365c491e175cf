"""The gradients of a convolution that a max-pooling follows, on the GPU."""

from __future__ import annotations

from typing import Any

from scratchnet.kernels.checks import check_output
from scratchnet.kernels.gpu.conv.conv2d import conv2d_input_grad, conv2d_weight_grad
from scratchnet.kernels.gpu.gemm.parts import column_sums
from scratchnet.kernels.gpu.pool import max_pool2d_backward
from scratchnet.kernels.gpu.runtime.contract import takes
from scratchnet.shapes import Pads, output_hw


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
    dy: Any,
    x: Any,
    w: Any,
    argmax: Any,
    strides: tuple[int, int],
    pads: Pads,
    pooling: tuple[tuple[int, int], tuple[int, int], Pads],
    dw: Any | None,
    db: Any | None,
    input_grad: bool,
) -> Any | None:
    """The gradients of `conv2d` where `max_pool2d` follows, from dy and argmax (N, PH, PW, F) of the pooling.

    dw and db are added to where they are given, as by `conv2d_weight_grad`; returns dx if input_grad. `pooling` is
    (pool_size, strides, pads).

    On the CPU the zeros that a pooling sends back are left out of the products. Here the threads of a tile take the
    same steps, and would wait for one another: the zeros are multiplied.
    """
    hw, window = x.shape[1:3], w.shape[:2]
    dy = max_pool2d_backward(dy, argmax, output_hw(hw, window, strides, pads), *pooling)
    if dw is not None:
        conv2d_weight_grad(x, dy, window, strides, pads, dw, db)
    elif db is not None:
        column_sums(dy, db, add=True)
    return conv2d_input_grad(dy, w, hw, strides, pads) if input_grad else None
