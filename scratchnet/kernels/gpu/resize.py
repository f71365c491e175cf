"""Pictures in another size on the GPU, and the gradient, one axis after the other; the kernels are in resize.cu."""

from __future__ import annotations

from typing import Any

from scratchnet.kernels.gpu.runtime.contract import takes
from scratchnet.kernels.gpu.runtime.memory import empty
from scratchnet.kernels.gpu.runtime.source import Source

_source = Source(__file__)


@takes(x="N A B C")
def resize2d(x: Any, output_hw: tuple[int, int], bilinear: bool = True) -> Any:
    """y[n,i,j,c] = what lies at ((i + 1/2) * A / H - 1/2, (j + 1/2) * B / W - 1/2) in x[n,:,:,c], blended."""
    (N, A, B, C), (H, W) = x.shape, output_hw
    between, y = empty((N, H, B, C), x.dtype), empty((N, H, W, C), x.dtype)
    _source.each("blend", x.dtype, between.size, x, A, H, B * C, bilinear, between)
    _source.each("blend", x.dtype, y.size, between, B, W, C, bilinear, y)
    return y


@takes(dy="N A B C")
def resize2d_backward(dy: Any, input_hw: tuple[int, int], bilinear: bool = True) -> Any:
    """dx[n,h,v,c] = sum of dy[n,i,j,c] times the part that x[n,h,v,c] has in y[n,i,j,c]."""
    (N, A, B, C), (H, W) = dy.shape, input_hw
    between, dx = empty((N, A, W, C), dy.dtype), empty((N, H, W, C), dy.dtype)
    _source.each("collect", dy.dtype, between.size, dy, W, B, C, bilinear, between)
    _source.each("collect", dy.dtype, dx.size, between, H, A, W * C, bilinear, dx)
    return dx
