"""Layers that move numbers without changing them: flatten, reshape, zero padding, enlarging by repetition."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from scratchnet import kernels
from scratchnet.arguments import check_sizes, is_whole, pair, shape_text
from scratchnet.devices import array_module
from scratchnet.layers.base import Layer
from scratchnet.layers.conv import Size
from scratchnet.shapes import Shape, sizes
from scratchnet.signatures import OnlyDefault


class Flatten(Layer):
    """All axes but the first become one: x (N, H, W, C) to y (N, H*W*C), row by row, channels fastest."""

    keeps_range = True

    def __init__(self, data_format: OnlyDefault = None, **options: Any):
        super().__init__(**options)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        return (None, math.prod(sizes(input_shape)))

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        self.shape = x.shape
        return x.reshape(len(x), -1)

    def call_backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> np.ndarray | None:
        return dy.reshape(self.shape)


class Reshape(Layer):
    """Another shape for the same numbers, in row-major order: x (N, ...) to y (N, *target_shape).

    Args:
        target_shape: without the batch; one axis may be -1 and takes what is left.

    Raises:
        ValueError: the numbers do not fill that shape.
    """

    keeps_range = True

    def __init__(self, target_shape: int | Sequence[int], **options: Any):
        super().__init__(**options)
        shape = (target_shape,) if is_whole(target_shape) else target_shape
        self.target_shape = check_sizes(shape, "target_shape", self.full_name, smallest=-1)
        if self.target_shape.count(-1) > 1 or 0 in self.target_shape:
            raise ValueError(
                f"{self.full_name}: expected sizes of at least 1, at most one of them -1, got {target_shape!r}."
            )

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        size, known = math.prod(sizes(input_shape)), math.prod(s for s in self.target_shape if s != -1)
        if size % known or (-1 not in self.target_shape and size != known):
            raise ValueError(
                f"{self.full_name}: {size} numbers of input shape {shape_text(input_shape)} do not fill "
                f"{self.target_shape}."
            )
        return (None, *(size // known if s == -1 else s for s in self.target_shape))

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        self.shape = x.shape
        return x.reshape(len(x), *self.compute_output_shape(x.shape)[1:])

    def call_backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> np.ndarray | None:
        return dy.reshape(self.shape)


class ZeroPadding2D(Layer):
    """Zeros around each picture: x (N, H, W, C) to y (N, top+H+bottom, left+W+right, C); dx is the middle of dy.

    Args:
        padding: one number for all sides, (rows, columns), or ((top, bottom), (left, right)), in pixels.

    Raises:
        ValueError: a number below 0, or not one of these forms.
    """

    rank = 4
    keeps_range = True

    def __init__(self, padding: int | Sequence[Any] = (1, 1), data_format: OnlyDefault = None, **options: Any):
        super().__init__(**options)
        sides = (padding, padding) if isinstance(padding, (int, np.integer)) else tuple(padding)
        if len(sides) != 2:
            raise ValueError(
                f"{self.full_name}: expected padding as one number, (rows, columns) or ((top, bottom), (left, right)), "
                f"got {padding!r}."
            )
        self.padding = tuple(pair(side, "padding", self.full_name, smallest=0) for side in sides)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        H, W, C = sizes(input_shape)
        return (None, H + sum(self.padding[0]), W + sum(self.padding[1]), C)

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        self.hw = x.shape[1:3]
        return array_module(x).pad(x, ((0, 0), *self.padding, (0, 0)))

    def call_backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> np.ndarray | None:
        (top, _), (left, _) = self.padding
        H, W = self.hw
        return dy[:, top : top + H, left : left + W]


class UpSampling2D(Layer):
    """Every cell repeated: y[n,h,v,c] = x[n, h // size[0], v // size[1], c]; dx sums dy over the repeated cells.

    Shapes: x (N, H, W, C), y (N, H * size[0], W * size[1], C).

    Args:
        size: one number or (rows, columns).

    Raises:
        ValueError: a bad argument.
    """

    rank = 4
    keeps_range = True

    def __init__(
        self,
        size: Size = (2, 2),
        data_format: OnlyDefault = None,
        interpolation: OnlyDefault = "nearest",
        **options: Any,
    ):
        super().__init__(**options)
        self.size = pair(size, "size", self.full_name)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        H, W, C = sizes(input_shape)
        return (None, H * self.size[0], W * self.size[1], C)

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        return kernels.of(x).upsample2d(x, self.size)

    def call_backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> np.ndarray | None:
        return kernels.of(dy).upsample2d_backward(dy, self.size)
