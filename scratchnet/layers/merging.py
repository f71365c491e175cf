"""Layers that make one array of several: sums, products, the largest, one behind the other, dot products.

y = Add()([a, b, c])            or add([a, b, c]), under the names of functions
da, db, dc = layer.backward(dy)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scratchnet import kernels
from scratchnet.arguments import check_array, shape_text, shortened
from scratchnet.devices import array_module, as_array, fresh
from scratchnet.layers.base import Layer
from scratchnet.shapes import Shape

Arrays = list[np.ndarray]


def sum_to(dy: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Undo broadcasting: the gradient of an array that was repeated along an axis is the sum along it."""
    axes = tuple(a for a, (wide, size) in enumerate(zip(dy.shape, shape)) if size == 1 and wide != 1)
    return dy.sum(axis=axes, keepdims=True) if axes else dy


class Merge(Layer):
    """A layer of several inputs. A kind of it defines `call`, `call_backward` and, if need be, `merged_shape`.

    forward takes a list of arrays, and backward returns a list of gradients. Axes of size 1 are repeated to fit, so
    that (N, 1, 1, C) goes with (N, H, W, C).

    Attributes:
        least, most: how many inputs it takes; None for any number.
    """

    least: int = 1
    most: int | None = None

    def build(self, input_shape: Any) -> None:
        shapes = self._shapes(input_shape)
        self.output_shape = self.merged_shape(shapes)
        self.input_shape = shapes  # type: ignore[assignment]  # of several
        self.device = self.home()
        self.built = True

    def compute_output_shape(self, input_shape: Any) -> Shape:
        return self.merged_shape(self._shapes(input_shape))

    def merged_shape(self, shapes: list[Shape]) -> Shape:
        """The output's shape for inputs of these; raises a ValueError where they do not fit together."""
        axes = [set(axis) - {1} for axis in zip(*(shape[1:] for shape in shapes))]
        if len({len(shape) for shape in shapes}) > 1 or any(len(axis) > 1 for axis in axes):
            raise self.misfit(shapes, "the same shape, or sizes of 1")
        return (None, *(next(iter(axis), 1) for axis in axes))

    def misfit(self, shapes: Sequence[Sequence[int | None]], expected: str) -> ValueError:
        """The error for shapes that do not fit together."""
        return ValueError(f"{self.full_name}: expected inputs of {expected}, got {', '.join(map(shape_text, shapes))}.")

    def _shapes(self, input_shape: Any) -> list[Shape]:
        shapes = list(input_shape) if isinstance(input_shape, (list, tuple)) else []
        several = all(isinstance(shape, (list, tuple)) for shape in shapes)
        if not several or not self.least <= len(shapes) <= (self.most or len(shapes)):
            count = f"{self.least}" if self.least == self.most else f"at least {self.least}"
            came = shortened(input_shape) if not several else f"{len(shapes)}"
            raise ValueError(f"{self.full_name}: expected a list of {count} inputs, got {came}. layer([a, b])")
        return [(None, *shape[1:]) for shape in shapes]

    def taken(self, x: Any) -> Any:
        if not isinstance(x, (list, tuple)):
            raise ValueError(
                f"{self.full_name}: expected inputs as a list of arrays, got {shortened(x)}. layer([a, b])"
            )
        for number, one in enumerate(x):
            check_array(one, f"inputs[{number}]", self.full_name)
        return [self.brought(as_array(one)) for one in x]

    def given(self, y: Any, x: Any) -> Any:
        return fresh(y, *x)

    def prepare(self, x: Any) -> Any:
        arrays = [as_array(one) for one in x]
        double = any(one.dtype == np.float64 for one in arrays)
        wide: np.dtype = np.dtype(np.float64 if double else np.float32)
        arrays = [one.astype(wide, copy=False) for one in arrays]
        if any(one.ndim < 2 for one in arrays):
            raise self.misfit([one.shape for one in arrays], "batches, shapes (N, ...)")
        shape = self.merged_shape(self._shapes([one.shape for one in arrays]))
        self.check_device(arrays[0])
        for one in arrays[1:]:
            self.require_device(one, "x")
        if len({len(one) for one in arrays}) > 1 or 0 in arrays[0].shape:
            raise self.misfit([one.shape for one in arrays], "as many examples each, at least one")
        self.dtype, self.output_shape = wide, shape
        if not self.built:
            self.build([one.shape for one in arrays])
        return arrays

    def backward(self, dy: np.ndarray, param_grads: bool = True, input_grad: bool = True, logits: bool = False) -> Any:
        dy = self.brought(as_array(dy))
        with np.errstate(under="ignore"):
            gradients: Any = self.run_backward(dy, param_grads, input_grad, logits)
        return None if gradients is None else [fresh(dx, dy, *gradients[:i]) for i, dx in enumerate(gradients)]

    def call(self, x: Any, training: bool) -> np.ndarray:
        raise NotImplementedError(f"{type(self).__name__} defines call(self, x, training) for a list x.")

    def call_backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> Any:
        raise NotImplementedError(f"{type(self).__name__} defines call_backward, which returns a list.")


class Add(Merge):
    """y = x_1 + x_2 + ...;  dx_i = dy, summed along the axes on which x_i was repeated.

    In a model, a ReLU layer behind it is worked out in the same pass over memory: see `layers/fusion.py`.

    Source: https://keras.io/api/layers/merging_layers/
    """

    def call(self, x: Any, training: bool, relu: bool = False) -> np.ndarray:
        self.shapes = [one.shape for one in x]
        y, k = x[0], kernels.of(x[0])
        for number, one in enumerate(x[1:], 2):
            last = relu and number == len(x)
            y = k.add(y, one, last) if y.shape == one.shape else k.relu(y + one) if last else y + one
        return k.relu(y) if relu and len(x) == 1 else y

    def call_backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> Any:
        return [sum_to(dy, shape) for shape in self.shapes]


class Subtract(Merge):
    """y = x_1 - x_2;  dx_1 = dy,  dx_2 = -dy."""

    least = most = 2

    def call(self, x: Any, training: bool) -> np.ndarray:
        self.shapes = [one.shape for one in x]
        return x[0] - x[1]

    def call_backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> Any:
        return [sum_to(dy, self.shapes[0]), sum_to(-dy, self.shapes[1])]


class Multiply(Merge):
    """y = x_1 * x_2 * ...;  dx_i = dy * (product of the others)."""

    for_backward = ("x",)

    def call(self, x: Any, training: bool) -> np.ndarray:
        self.x, y = x, x[0]
        for one in x[1:]:
            y = y * one
        return y

    def call_backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> Any:
        gradients = []
        for i, own in enumerate(self.x):
            part = dy
            for j, factor in enumerate(self.x):
                part = part * factor if j != i else part
            gradients.append(sum_to(part, own.shape))
        return gradients


class Average(Add):
    """y = (x_1 + x_2 + ... + x_k) / k;  dx_i = dy / k."""

    def call(self, x: Any, training: bool, relu: bool = False) -> np.ndarray:
        return super().call(x, training) * x[0].dtype.type(1 / len(x))

    def call_backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> Any:
        return super().call_backward(dy * dy.dtype.type(1 / len(self.shapes)), param_grads, input_grad)


class Maximum(Merge):
    """y = max(x_1, x_2, ...), element by element;  dx_i = dy where x_i is the largest, else 0; of equals the first."""

    for_backward = ("taken_from",)

    def beats(self, other: np.ndarray, best: np.ndarray) -> np.ndarray:
        """Where the other is to be taken; NaN stays or comes."""
        return (other > best) | (other != other)

    def call(self, x: Any, training: bool) -> np.ndarray:
        xp, best = array_module(x[0]), x[0]
        self.shapes = [one.shape for one in x]
        self.taken_from = xp.zeros(np.broadcast_shapes(*self.shapes), np.int32)  # which input y is
        best = xp.broadcast_to(best, self.taken_from.shape)
        for number, other in enumerate(x[1:], 1):
            better = self.beats(other, best) & (best == best)
            self.taken_from = xp.where(better, np.int32(number), self.taken_from)
            best = xp.where(better, other, best)
        return best.copy() if len(x) == 1 else best

    def call_backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> Any:
        zero = dy.dtype.type(0)
        where = array_module(dy).where
        return [sum_to(where(self.taken_from == i, dy, zero), shape) for i, shape in enumerate(self.shapes)]


class Minimum(Maximum):
    """y = min(x_1, x_2, ...), element by element;  dx_i = dy where x_i is the smallest, else 0; of equals the first."""

    def beats(self, other: np.ndarray, best: np.ndarray) -> np.ndarray:
        """Where the other is to be taken; NaN stays or comes."""
        return (other < best) | (other != other)


class Concatenate(Merge):
    """y = x_1, x_2, ... one behind the other along an axis; each gets its part of dy.

    Args:
        axis: along which; not the batch's.

    Raises:
        ValueError: no such axis, or shapes that differ on another one.
    """

    def __init__(self, axis: int = -1, **options: Any):
        super().__init__(**options)
        self.axis = axis

    def _axis(self, rank: int) -> int:
        axis = self.axis + rank if self.axis < 0 else self.axis
        if not 1 <= axis < rank:
            raise ValueError(f"{self.full_name}: expected an axis from 1 to {rank - 1}, got {self.axis}.")
        return axis

    def merged_shape(self, shapes: list[Shape]) -> Shape:
        """The sum of the sizes along the axis; the others stay."""
        axis = self._axis(len(shapes[0]))
        if len({(len(shape), shape[:axis], shape[axis + 1 :]) for shape in shapes}) > 1:
            raise self.misfit(shapes, f"the same sizes, but for axis {axis}")
        return (*shapes[0][:axis], sum(shape[axis] or 0 for shape in shapes), *shapes[0][axis + 1 :])

    def call(self, x: Any, training: bool) -> np.ndarray:
        axis = self._axis(x[0].ndim)
        self.ends = np.cumsum([one.shape[axis] for one in x]).tolist()
        return array_module(x[0]).concatenate(x, axis=axis)

    def call_backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> Any:
        before = (slice(None),) * self._axis(dy.ndim)
        return [dy[(*before, slice(start, end))] for start, end in zip([0, *self.ends], self.ends)]


# The same under the names of functions, as Keras has them: add([a, b]) is Add()([a, b]).


def add(inputs: Any, **options: Any) -> Any:
    """Add(**options)(inputs)."""
    return Add(**options)(inputs)


def subtract(inputs: Any, **options: Any) -> Any:
    """Subtract(**options)(inputs)."""
    return Subtract(**options)(inputs)


def multiply(inputs: Any, **options: Any) -> Any:
    """Multiply(**options)(inputs)."""
    return Multiply(**options)(inputs)


def average(inputs: Any, **options: Any) -> Any:
    """Average(**options)(inputs)."""
    return Average(**options)(inputs)


def maximum(inputs: Any, **options: Any) -> Any:
    """Maximum(**options)(inputs)."""
    return Maximum(**options)(inputs)


def minimum(inputs: Any, **options: Any) -> Any:
    """Minimum(**options)(inputs)."""
    return Minimum(**options)(inputs)


def concatenate(inputs: Any, axis: int = -1, **options: Any) -> Any:
    """Concatenate(axis, **options)(inputs)."""
    return Concatenate(axis, **options)(inputs)
