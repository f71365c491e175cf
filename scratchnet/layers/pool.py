"""Pooling: a window's maximum or mean, and those of the whole picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scratchnet import kernels
from scratchnet.arguments import check_kernel_fits, check_padding, pair
from scratchnet.layers.base import Layer
from scratchnet.layers.conv import Size
from scratchnet.shapes import Pads, Shape, sizes
from scratchnet.signatures import OnlyDefault

_NO_PADS: Pads = ((0, 0), (0, 0))


class _Pooling(Layer):
    """What max and average pooling share: arguments and shapes."""

    rank = 4

    def __init__(
        self,
        pool_size: Size = (2, 2),
        strides: Size | None = None,
        padding: str = "valid",
        data_format: OnlyDefault = None,
        name: str | None = None,
        **options: Any,
    ):
        super().__init__(name=name, **options)
        self.pool_size = pair(pool_size, "pool_size", self.full_name)
        self.strides = self.pool_size if strides is None else pair(strides, "strides", self.full_name)
        self.padding = check_padding(padding, self.full_name)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        _, hw = check_kernel_fits(sizes(input_shape)[:2], self.pool_size, self.strides, self.padding, self.full_name)
        return (None, *hw, input_shape[3])

    def window(self, hw: Sequence[int]) -> tuple[Any, Any, Any]:
        """(pool_size, strides, pads) for a picture of height and width `hw`."""
        pads, _ = check_kernel_fits(tuple(hw), self.pool_size, self.strides, self.padding, self.full_name)
        return self.pool_size, self.strides, pads


class MaxPooling2D(_Pooling):
    """The maximum of each window, channel by channel.

        y[n,i,j,c] = max over k, l of x[n, sh*i + k - top, sw*j + l - left, c]
        dx[n,h,v,c] = sum of dy[n,i,j,c] over the windows whose maximum stood at (h, v)

    Where several cells are the maximum, the first in row-major order takes the gradient. Padding counts as -inf and
    never wins. NaN in a window gives NaN.

    In a model this layer may run as one with those before it, by `layers/fusion.py`: behind a Conv2D, one kernel goes
    back through both (`kernels/cpu/conv/pooled_gradient.py`), and `call_backward` here does not run; behind a ReLU,
    argmax is -1 where ReLU gave 0, and the gradient is the one for ReLU's input. `fuse=False` in the model runs each by
    itself.

    Shapes: x (N, H, W, C), y (N, OH, OW, C), with OH = (H + top + bottom - KH) // sh + 1.

    Args:
        pool_size: one number or (KH, KW), in pixels.
        strides: step of the window; pool_size if None.
        padding: "valid" or "same"; see Conv2D.

    Raises:
        ValueError: a bad argument, an input of the wrong shape, or a window that does not fit into the picture.

    Source: Keras, https://keras.io/api/layers/pooling_layers/max_pooling2d/
    """

    for_backward = ("argmax",)

    def call(self, x: np.ndarray, training: bool, relu: bool = False) -> np.ndarray:
        y, self.argmax = kernels.of(x).max_pool2d(x, *self.window(x.shape[1:3]), relu)
        self.hw = x.shape[1:3]
        return y

    def call_backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> np.ndarray | None:
        return kernels.of(dy).max_pool2d_backward(dy, self.argmax, self.hw, *self.window(self.hw))


class AveragePooling2D(_Pooling):
    """The mean of each window, channel by channel.

        y[n,i,j,c] = mean over k, l of x[n, sh*i + k - top, sw*j + l - left, c]
        dx[n,h,v,c] = sum of dy[n,i,j,c] / cells(i, j) over the windows that hold (h, v)

    Only cells inside the picture are counted, so padding does not pull the mean towards 0.

    Shapes, args and errors: as for MaxPooling2D.

    Source: Keras, https://keras.io/api/layers/pooling_layers/average_pooling2d/
    """

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        self.hw = x.shape[1:3]
        return kernels.of(x).average_pool2d(x, *self.window(self.hw))

    def call_backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> np.ndarray | None:
        return kernels.of(dy).average_pool2d_backward(dy, self.hw, *self.window(self.hw))


class GlobalAveragePooling2D(Layer):
    """The mean of each channel over the whole picture.

        y[n,c] = mean over h, v of x[n,h,v,c];  dx[n,h,v,c] = dy[n,c] / (H * W)

    Shapes: x (N, H, W, C), y (N, C), or (N, 1, 1, C) with keepdims=True.

    Source: Lin, Chen, Yan, "Network in network", arXiv 1312.4400.
    """

    rank = 4

    def __init__(self, data_format: OnlyDefault = None, keepdims: bool = False, **options: Any):
        super().__init__(**options)
        self.keepdims = keepdims

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        return (None, 1, 1, input_shape[3]) if self.keepdims else (None, input_shape[3])

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        self.hw = x.shape[1:3]
        y = kernels.of(x).global_average_pool2d(x)
        return y[:, None, None] if self.keepdims else y

    def call_backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> np.ndarray | None:
        flat = dy.reshape(len(dy), -1)
        return kernels.of(dy).global_average_pool2d_backward(flat, self.hw)


class GlobalMaxPooling2D(Layer):
    """The maximum of each channel over the whole picture.

        y[n,c] = max over h, v of x[n,h,v,c];  dx[n,h,v,c] = dy[n,c] where that maximum stood, else 0

    Where several cells are the maximum, the first in row-major order takes the gradient. NaN gives NaN. It is
    MaxPooling2D with one window.

    Shapes: x (N, H, W, C), y (N, C), or (N, 1, 1, C) with keepdims=True.

    Source: Keras, https://keras.io/api/layers/pooling_layers/global_max_pooling2d/
    """

    for_backward = ("argmax",)
    rank = 4

    def __init__(self, data_format: OnlyDefault = None, keepdims: bool = False, **options: Any):
        super().__init__(**options)
        self.keepdims = keepdims

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        return (None, 1, 1, input_shape[3]) if self.keepdims else (None, input_shape[3])

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        self.hw = x.shape[1:3]
        y, self.argmax = kernels.of(x).max_pool2d(x, self.hw, self.hw, _NO_PADS)
        return y if self.keepdims else y[:, 0, 0]

    def call_backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> np.ndarray | None:
        windows = dy.reshape(self.argmax.shape)
        return kernels.of(dy).max_pool2d_backward(windows, self.argmax, self.hw, self.hw, self.hw, _NO_PADS)
