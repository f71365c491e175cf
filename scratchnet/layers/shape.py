"""Layers that move numbers without changing them: flatten, reshape, permute, repeat, padding and cropping."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from scratchnet.arguments import check_count, check_sizes, is_whole, pair, shape_text, shortened
from scratchnet.devices import array_module
from scratchnet.layers.base import Layer
from scratchnet.shapes import Pads, Shape, sizes
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


def _sides(value: Any, name: str, caller: str) -> Pads:
    """((top, bottom), (left, right)) from one number, (rows, columns), or all four."""
    sides = (value, value) if is_whole(value) else value
    if not isinstance(sides, (list, tuple)) or len(sides) != 2:
        raise ValueError(
            f"{caller}: expected {name} as one number, (rows, columns) or ((top, bottom), (left, right)), got "
            f"{shortened(value)}."
        )
    rows, columns = (pair(side, name, caller, smallest=0) for side in sides)
    return rows, columns


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
        self.padding = _sides(padding, "padding", self.full_name)

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


class Cropping2D(Layer):
    """The middle of each picture: x (N, top+H+bottom, left+W+right, C) to y (N, H, W, C); dx is dy with zeros around.

    Args:
        cropping: one number for all sides, (rows, columns), or ((top, bottom), (left, right)), in pixels.

    Raises:
        ValueError: a number below 0, or not one of these forms; a picture of which nothing would be left.
    """

    rank = 4
    keeps_range = True

    def __init__(
        self, cropping: int | Sequence[Any] = ((0, 0), (0, 0)), data_format: OnlyDefault = None, **options: Any
    ):
        super().__init__(**options)
        self.cropping = _sides(cropping, "cropping", self.full_name)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        H, W, C = sizes(input_shape)
        h, w = H - sum(self.cropping[0]), W - sum(self.cropping[1])
        if min(h, w) < 1:
            raise ValueError(
                f"{self.full_name}: cropping={self.cropping} leaves nothing of pictures of {H} x {W} pixels."
            )
        return (None, h, w, C)

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        (top, bottom), (left, right) = self.cropping
        _, H, W, _ = x.shape
        self.compute_output_shape(x.shape)
        return x[:, top : H - bottom, left : W - right]

    def call_backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> np.ndarray | None:
        return array_module(dy).pad(dy, ((0, 0), *self.cropping, (0, 0)))


class Permute(Layer):
    """Axes in another order: axis i of y is axis dims[i] of x, counted from 1 without the batch's.

        Permute((2, 1))     x (N, T, D) to y (N, D, T)

    Args:
        dims: each of 1, 2, ... once.

    Raises:
        ValueError: a number is missing or stands twice, or the input has another number of axes.
    """

    keeps_range = True

    def __init__(self, dims: Sequence[int], **options: Any):
        super().__init__(**options)
        self.dims = check_sizes(dims, "dims", self.full_name)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(
                f"{self.full_name}: expected dims to be the numbers 1 to {len(self.dims)}, each once, got {dims!r}. "
                "The batch's axis stays and is not counted."
            )
        self.rank = len(self.dims) + 1

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        return (None, *(input_shape[d] for d in self.dims))

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        return x.transpose(0, *self.dims)

    def call_backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> np.ndarray | None:
        back = sorted(range(1, len(self.dims) + 1), key=lambda axis: self.dims[axis - 1])
        return dy.transpose(0, *back)


class RepeatVector(Layer):
    """A vector n times: y[b,t,d] = x[b,d] for t below n; dx[b,d] = sum over t of dy[b,t,d].

    Shapes: x (N, D), y (N, n, D).

    Args:
        n: how often.

    Raises:
        ValueError: n is not a whole number of at least 1.
    """

    rank = 2
    keeps_range = True

    def __init__(self, n: int, **options: Any):
        super().__init__(**options)
        self.n = check_count(n, "n", self.full_name)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        return (None, self.n, input_shape[1])

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        return x[:, None].repeat(self.n, axis=1)

    def call_backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> np.ndarray | None:
        return array_module(dy).ascontiguousarray(dy).sum(axis=1)


class Identity(Layer):
    """y = x, dx = dy: a place in a model where another layer may stand."""

    keeps_range = True

    def __init__(self, **options: Any):
        super().__init__(**options)
