"""Convolution and its gradients on the GPU, which also serve the transposed convolution; the kernels are the rungs'."""

from __future__ import annotations

from typing import Any

from scratchnet.kernels.gpu.conv.rungs import rung_for
from scratchnet.kernels.gpu.runtime.contract import takes
from scratchnet.shapes import Pads


@takes(x="N H W C", w="KH KW C F", b="F, or None")
def conv2d(x: Any, w: Any, b: Any | None, strides: tuple[int, int], pads: Pads, relu: bool = False) -> Any:
    """y[n,i,j,f] = b[f] + sum over k, l, c of x~[n, sh*i+k-top, sw*j+l-left, c] * w[k,l,c,f]; x~ is 0 outside of x.

    With relu, y = max(y, 0).
    """
    return rung_for(x.dtype).conv2d(x, w, b, strides, pads, relu)


@takes(x="N OH OW F", w="KH KW C F", b="C, or None")
def conv2d_transpose(
    x: Any,
    w: Any,
    b: Any | None,
    strides: tuple[int, int],
    pads: Pads,
    output_hw: tuple[int, int],
    relu: bool = False,
) -> Any:
    """The gradient of `conv2d` with respect to its input, as a forward: x (N, H, W, F) to y (N, OH, OW, C), plus b.

    w is (KH, KW, C, F): Keras's order for Conv2DTranspose, output channels before input channels. `strides` and `pads`
    are those of the convolution that goes the other way, from (OH, OW) to (H, W). With relu, y = max(y, 0).
    """
    return rung_for(x.dtype).conv2d_transpose(x, w, b, strides, pads, output_hw, relu)


@takes(dy="N OH OW F", w="KH KW C F")
def conv2d_input_grad(dy: Any, w: Any, input_hw: tuple[int, int], strides: tuple[int, int], pads: Pads) -> Any:
    """dx[n,h,v,c] = the sum over all i, j, k, l with sh*i+k-top = h, sw*j+l-left = v of dy[n,i,j,f] * w[k,l,c,f]."""
    return rung_for(dy.dtype).conv2d_input_grad(dy, w, input_hw, strides, pads)


@takes(x="N H W C", dy="N OH OW F", dw="KH KW C F, added, or None", db="F, added, or None")
def conv2d_weight_grad(
    x: Any,
    dy: Any,
    kernel_size: tuple[int, int],
    strides: tuple[int, int],
    pads: Pads,
    dw: Any | None = None,
    db: Any | None = None,
) -> Any:
    """dw[k,l,c,f] = the sum over n, i, j of x~[n, sh*i+k-top, sw*j+l-left, c] * dy[n,i,j,f].

    Where dw (KH, KW, C, F) is given, the sum is added to it; so is the sum of dy to db (F,). Both are contiguous.
    """
    return rung_for(x.dtype).conv2d_weight_grad(x, dy, kernel_size, strides, pads, dw, db)
