"""Scalar products of two inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scratchnet.arguments import is_whole
from scratchnet.devices import array_module
from scratchnet.layers.merging import Merge
from scratchnet.shapes import Shape


class Dot(Merge):
    """Scalar products of the two inputs' vectors along an axis of each, for every example.

        y[n, i.., j..] = sum over k of a[n, i.., k] * b[n, j.., k]        k along axes[0] of a and axes[1] of b
        da = sum over j of dy * b,  db = sum over i of dy * a
        normalize: a and b are divided by their lengths first, n = x / |x|, so that y is the cosine of their angle;
            dx = (dn - n (n . dn)) / |x|

    Args:
        axes: an axis of both, or a pair; not the batch's.
        normalize: whether the vectors are brought to length 1.

    Raises:
        ValueError: no such axes, or of different sizes.
    """

    for_backward = ("moved", "rows", "lengths")
    least = most = 2

    def __init__(self, axes: int | Sequence[int], normalize: bool = False, **options: Any):
        super().__init__(**options)
        pair: tuple[int, ...] = (axes, axes) if isinstance(axes, (int, np.integer)) else tuple(axes)
        if len(pair) != 2 or not all(is_whole(axis) for axis in pair):
            raise ValueError(f"{self.full_name}: expected axes as a whole number or a pair of them, got {axes!r}.")
        self.axes, self.normalize = pair, normalize

    def _axes(self, shapes: Sequence[Sequence[int | None]]) -> list[int]:
        axes = [axis + len(shape) if axis < 0 else axis for axis, shape in zip(self.axes, shapes)]
        if not all(1 <= axis < len(shape) for axis, shape in zip(axes, shapes)):
            raise self.misfit(shapes, f"axes {tuple(self.axes)}, from 1 on")
        if shapes[0][axes[0]] != shapes[1][axes[1]]:
            raise self.misfit(shapes, f"one size on axes {tuple(axes)}")
        return axes

    def merged_shape(self, shapes: list[Shape]) -> Shape:
        """The axes of a but for the summed one, then those of b; (None, 1) where none is left."""
        a, b = (shape[1:axis] + shape[axis + 1 :] for shape, axis in zip(shapes, self._axes(shapes)))
        return (None, *(a + b or (1,)))

    def call(self, x: Any, training: bool) -> np.ndarray:
        xp, axes = array_module(x[0]), self._axes([one.shape for one in x])
        self.places = axes
        self.moved = [xp.moveaxis(one, axis, -1) for one, axis in zip(x, axes)]
        self.rows = [one.reshape(len(one), -1, one.shape[-1]) for one in self.moved]
        if self.normalize:
            self.lengths = [xp.sqrt(xp.maximum((r * r).sum(axis=-1, keepdims=True), 1e-12)) for r in self.rows]
            self.rows = [r / length for r, length in zip(self.rows, self.lengths)]
        a, b = self.rows
        y = (a[:, :, None, :] * b[:, None, :, :]).sum(axis=-1)
        return y.reshape(len(y), *self.merged_shape([one.shape for one in x])[1:])

    def call_backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> Any:
        a, b = self.rows
        xp, dy = array_module(dy), dy.reshape(len(dy), a.shape[1], b.shape[1], 1)
        gradients = [(dy * b[:, None, :, :]).sum(axis=2), (dy * a[:, :, None, :]).sum(axis=1)]
        if self.normalize:
            gradients = [
                (g - n * (n * g).sum(axis=-1, keepdims=True)) / length
                for g, n, length in zip(gradients, self.rows, self.lengths)
            ]
        return [xp.moveaxis(g.reshape(one.shape), -1, axis) for g, one, axis in zip(gradients, self.moved, self.places)]


def dot(inputs: Any, axes: int | Sequence[int] = -1, **options: Any) -> Any:
    """Dot(axes, **options)(inputs)."""
    return Dot(axes, **options)(inputs)
