"""Depthwise convolution and its gradients on the GPU: each channel is filtered by itself.

x (N, H, W, C), w (KH, KW, C, M), y (N, OH, OW, C * M), output channel c * M + m; pads ((top, bottom), (left, right)).
"""

from __future__ import annotations

from typing import Any

from scratchnet.kernels.gpu.gemm.parts import add_parts, count_of, cut
from scratchnet.kernels.gpu.runtime.contract import takes
from scratchnet.kernels.gpu.runtime.memory import empty
from scratchnet.kernels.gpu.runtime.source import Source
from scratchnet.shapes import Pads, output_hw

_source = Source(__file__)
_THREADS = 128  # of a block of the gradient of the weights
_BLOCKS = 2048  # of them, to keep a GPU busy: each waits for memory most of the time


@takes(x="N H W C", w="KH KW C M", b="C*M, or None")
def depthwise_conv2d(x: Any, w: Any, b: Any | None, strides: tuple[int, int], pads: Pads) -> Any:
    """y[n,i,j,c*M+m] = b[c*M+m] + sum over k, l of x~[n, sh*i+k-top, sw*j+l-left, c] * w[k,l,c,m]."""
    (N, H, W, C), (KH, KW, _, M) = x.shape, w.shape
    OH, OW = output_hw((H, W), (KH, KW), strides, pads)
    y = empty((N, OH, OW, C * M), x.dtype)
    count_of(N, OH, OW)
    sizes = (N, H, W, C, KH, KW, M, OH, OW, *strides, pads[0][0], pads[1][0])
    _source.each("depthwise_conv2d", x.dtype, y.size, x, w, b, y, *sizes)
    return y


@takes(dy="N OH OW C*M", w="KH KW C M")
def depthwise_conv2d_input_grad(
    dy: Any, w: Any, input_hw: tuple[int, int], strides: tuple[int, int], pads: Pads
) -> Any:
    """dx[n,h,v,c] = the sum over m and all i, j, k, l that touched x[n,h,v,c] of dy[n,i,j,c*M+m] * w[k,l,c,m]."""
    (N, OH, OW, _), (H, W), (KH, KW, C, M) = dy.shape, input_hw, w.shape
    dx = empty((N, H, W, C), dy.dtype)
    count_of(N, H, W)
    sizes = (N, H, W, C, KH, KW, M, OH, OW, *strides, pads[0][0], pads[1][0])
    _source.each("depthwise_conv2d_input_grad", dy.dtype, dx.size, dy, w, dx, *sizes)
    return dx


@takes(x="N H W C", dy="N OH OW C*M")
def depthwise_conv2d_weight_grad(
    x: Any, dy: Any, kernel_size: tuple[int, int], strides: tuple[int, int], pads: Pads
) -> Any:
    """dw[k,l,c,m] = the sum over n, i, j of x~[n, sh*i+k-top, sw*j+l-left, c] * dy[n,i,j,c*M+m]."""
    (N, H, W, C), (_, OH, OW, CM), (KH, KW) = x.shape, dy.shape, kernel_size
    dw = empty((KH, KW, C, CM // C), x.dtype)
    blocks = -(-dw.size // _THREADS)
    parts, share = cut(count_of(N, OH, OW), blocks, _BLOCKS)
    partial = dw if parts == 1 else empty((parts, *dw.shape), x.dtype)
    sizes = (N, H, W, C, KH, KW, CM // C, OH, OW, *strides, pads[0][0], pads[1][0])
    grid, block = (blocks, parts), (_THREADS,)
    _source.launch("depthwise_conv2d_weight_grad", x.dtype, grid, block, x, dy, partial, *sizes, share)
    if parts > 1:
        add_parts(partial, None, dw)
    return dw
