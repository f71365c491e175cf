"""Max and average pooling and their gradients, and enlarging by repetition, on the GPU; the kernels are in pool.cu.

x (N, H, W, C), y (N, OH, OW, C), windows of pool_size at steps of strides; pads ((top, bottom), (left, right)). Padding
never wins a maximum (it counts as -inf) and never enters an average (only cells inside of x are counted).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet.kernels.checks import Sizes
from scratchnet.kernels.gpu.column_sums import tile_block
from scratchnet.kernels.gpu.runtime.contract import takes
from scratchnet.kernels.gpu.runtime.memory import empty
from scratchnet.kernels.gpu.runtime.source import Source
from scratchnet.shapes import Pads, output_hw

_source = Source(__file__)
_NO_PADS: Pads = ((0, 0), (0, 0))


def _countable(caller: str, settings: dict[str, Any], sizes: Sizes) -> None:
    """Refuse what the kernels cannot count in 32 bits: the cells of a picture, and those of an axis with its pads."""
    H, W, pads = sizes["H"], sizes["W"], settings["pads"]
    if max(H * W, H + sum(pads[0]), W + sum(pads[1])) >= 2**31:
        raise ValueError(f"{caller}: expected a picture of fewer than 2**31 cells, got {(H, W)} with pads {pads}.")


def _window(pool_size: tuple[int, int], strides: tuple[int, int], pads: Pads) -> tuple[int, ...]:
    """As the kernels take it: KH, KW, sh, sw, top, left."""
    (top, _), (left, _) = pads
    return *pool_size, *strides, top, left


@takes(rule=_countable, x="N H W C")
def max_pool2d(
    x: Any, pool_size: tuple[int, int], strides: tuple[int, int], pads: Pads, relu: bool = False
) -> tuple[Any, Any]:
    """y[n,i,j,c] = the maximum of x over the window, and where: argmax = h * W + v, int32 (-1: a window of padding).

    With relu, x is what ReLU gave, and argmax is -1 also where y is 0: the gradient that comes back through this argmax
    is then the one for ReLU's input.
    """
    N, *HWC = x.shape
    y = empty((N, *output_hw(HWC[:2], pool_size, strides, pads), HWC[2]), x.dtype)
    argmax = empty(y.shape, np.int32)
    sizes = *HWC, *y.shape[1:3], *_window(pool_size, strides, pads)
    _source.each("max_pool2d", x.dtype, y.size, x, *sizes, relu, -np.inf, y, argmax)
    return y, argmax


@takes(rule=_countable, dy="N OH OW C", argmax="N OH OW C, int32")
def max_pool2d_backward(
    dy: Any,
    argmax: Any,
    input_hw: tuple[int, int],
    pool_size: tuple[int, int],
    strides: tuple[int, int],
    pads: Pads,
) -> Any:
    """dx[n,h,v,c] = the sum of dy[n,i,j,c] over the windows whose maximum stood at (h, v).

    A place in argmax that is none of the window's cells, as only one that max_pool2d did not give can be, is no cell's
    maximum, and its dy goes nowhere: to find it, the CPU would have to wait for the GPU.
    """
    N, OH, OW, C = dy.shape
    dx = empty((N, *input_hw, C), dy.dtype)
    sizes = *input_hw, C, OH, OW, *_window(pool_size, strides, pads)
    _source.each("max_pool2d_backward", dy.dtype, dx.size, dy, argmax, *sizes, dx)
    return dx


def _window_sums(x: Any, pool_size: tuple[int, int], strides: tuple[int, int], pads: Pads, mean: bool) -> Any:
    N, H, W, C = x.shape
    OH, OW = output_hw((H, W), pool_size, strides, pads)
    y = empty((N, OH, OW, C), x.dtype)
    sizes = H, W, C, OH, OW, *_window(pool_size, strides, pads)
    _source.each("window_sums", x.dtype, y.size, x, *sizes, mean, y)
    return y


@takes(rule=_countable, x="N H W C")
def average_pool2d(x: Any, pool_size: tuple[int, int], strides: tuple[int, int], pads: Pads) -> Any:
    """y[n,i,j,c] = the mean of x over the cells of the window that lie inside of x."""
    return _window_sums(x, pool_size, strides, pads, mean=True)


@takes(rule=_countable, dy="N OH OW C")
def average_pool2d_backward(
    dy: Any, input_hw: tuple[int, int], pool_size: tuple[int, int], strides: tuple[int, int], pads: Pads
) -> Any:
    """dx[n,h,v,c] = the sum of dy[n,i,j,c] / (cells of the window inside of x) over the windows that hold (h, v)."""
    N, OH, OW, C = dy.shape
    dx = empty((N, *input_hw, C), dy.dtype)
    sizes = *input_hw, C, OH, OW, *_window(pool_size, strides, pads)
    _source.each("average_pool2d_backward", dy.dtype, dx.size, dy, *sizes, dx)
    return dx


@takes(x="N H W C")
def global_average_pool2d(x: Any) -> Any:
    """y[n,c] = the mean of x[n,:,:,c]: one window as large as the picture."""
    N, H, W, C = x.shape
    y, block = empty((N, C), x.dtype), tile_block(H * W, C)
    _source.launch("global_average_pool2d", x.dtype, (N * -(-C // block[0]),), block, x, H * W, C, y)
    return y


@takes(dy="N C")
def global_average_pool2d_backward(dy: Any, input_hw: tuple[int, int]) -> Any:
    """dx[n,h,v,c] = dy[n,c] / (H * W)."""
    (N, C), (H, W) = dy.shape, input_hw
    dx = empty((N, H, W, C), dy.dtype)
    _source.each("global_average_pool2d_backward", dy.dtype, dx.size, dy, H * W, C, dx)
    return dx


@takes(x="N H W C")
def upsample2d(x: Any, size: tuple[int, int]) -> Any:
    """y[n,h,v,c] = x[n, h // size[0], v // size[1], c]: every cell repeated."""
    N, H, W, C = x.shape
    y = empty((N, H * size[0], W * size[1], C), x.dtype)
    _source.each("upsample2d", x.dtype, y.size, x, H, W, C, *size, y)
    return y


@takes(dy="N OH*SH OW*SW C")
def upsample2d_backward(dy: Any, size: tuple[int, int]) -> Any:
    """dx = the sum of dy over each block of repeated cells."""
    return _window_sums(dy, size, size, _NO_PADS, mean=False)
