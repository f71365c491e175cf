"""Layer normalization, and vectors brought to length 1."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from scratchnet import initializers, kernels
from scratchnet.arguments import check_number, is_whole, shape_text, shortened
from scratchnet.constraints import Bound
from scratchnet.devices import array_module
from scratchnet.layers.base import Layer
from scratchnet.regularizers import Regularizer
from scratchnet.shapes import Shape, sizes

_SMALLEST_LENGTH = 1e-12


def _axes(axis: Any, caller: str) -> tuple[int, ...]:
    """One axis or several, as a tuple."""
    axes = (axis,) if is_whole(axis) else axis
    if not isinstance(axes, (list, tuple)) or not axes or not all(map(is_whole, axes)):
        raise ValueError(
            f"{caller}: expected axis as a whole number or several, such as axis=-1, got {shortened(axis)}."
        )
    return tuple(int(a) for a in axes)


class LayerNormalization(Layer):
    """Each example's numbers brought to mean 0 and variance 1 along the last axis, then scaled and shifted.

        y[...,c] = gamma[c] * u[...,c] + beta[c],  u = (x - mean) / sqrt(var + epsilon)

    mean and (biased) var are over the last axis alone, of M numbers; with several axes, such as axis=[1, 2, 3], over
    all of them together, and gamma and beta have their shape. With s = sqrt(var + epsilon):

        dbeta = sum dy,  dgamma = sum dy * u                                over all other axes
        dx = (gamma * dy - sum(gamma * dy) / M - u * sum(gamma * dy * u) / M) / s

    It is computed by the kernels of group normalization, as one group in examples of one place; on the CPU that is
    `kernels/cpu/layer_norm.py`.

    Shapes: x (N, ..., C), y the same; gamma, beta (C,), or the sizes of the axes.

    Args:
        axis: the last axis, -1, or several up to the last, [-3, -2, -1].
        epsilon: added to the variance.
        center, scale: whether there are beta and gamma.
        beta_regularizer, gamma_regularizer: penalties on them: names or objects; see `scratchnet.regularizers`.
        beta_constraint, gamma_constraint: what they are brought to after each update; see `scratchnet.constraints`.

    Raises:
        ValueError: a bad argument, axes that are not the last ones, or an input whose sizes changed along them.

    Source: Ba, Kiros, Hinton, arXiv 1607.06450; Keras,
    https://keras.io/api/layers/normalization_layers/layer_normalization/
    """

    normal_shape: tuple[int, ...] | None = None  # the sizes of the axes, once built

    for_backward = ("rows", "mean", "var")

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: str | initializers.Initializer = "zeros",
        gamma_initializer: str | initializers.Initializer = "ones",
        beta_regularizer: str | Regularizer | None = None,
        gamma_regularizer: str | Regularizer | None = None,
        beta_constraint: str | Bound | None = None,
        gamma_constraint: str | Bound | None = None,
        **options: Any,
    ):
        super().__init__(**options)
        self.rule("beta", beta_regularizer, beta_constraint)
        self.rule("gamma", gamma_regularizer, gamma_constraint)
        self.axis = _axes(axis, self.full_name)
        self.epsilon = check_number(epsilon, "epsilon", self.full_name, 0, above=True)
        self.center, self.scale = center, scale
        self.start = {"gamma": initializers.get(gamma_initializer), "beta": initializers.get(beta_initializer)}

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        rank, count = len(input_shape), len(self.axis)
        axes = sorted(a + rank if a < 0 else a for a in self.axis)
        if axes != list(range(rank - count, rank)) or axes[0] < 1:
            raise ValueError(
                f"{self.full_name}: expected axis=-1, or several axes up to the last and none of the batch, got "
                f"axis={self.axis!r} for inputs of shape {shape_text(input_shape)}."
            )
        return tuple(input_shape)

    def create_weights(self, input_shape: Shape) -> None:
        self.normal_shape = sizes(input_shape)[-len(self.axis) :]
        for name, used in (("gamma", self.scale), ("beta", self.center)):
            if used:
                self.add_weight(self.normal_shape, self.start[name], name=name)

    def check(self, x: np.ndarray) -> None:
        super().check(x)
        if self.normal_shape is not None and x.shape[-len(self.axis) :] != self.normal_shape:
            raise ValueError(
                f"{self.full_name}: expected x of shape (N, ..., {', '.join(map(str, self.normal_shape))}), got "
                f"{x.shape}."
            )

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        assert self.normal_shape is not None
        xp, count = array_module(x), math.prod(self.normal_shape)
        self.rows = x.reshape(-1, count)
        self.gamma = self.params["gamma"].reshape(-1) if self.scale else xp.ones(count, x.dtype)
        beta = self.params["beta"].reshape(-1) if self.center else xp.zeros(count, x.dtype)
        y, self.mean, self.var = kernels.of(x).group_norm(self.rows, self.gamma, beta, 1, self.epsilon)
        return y.reshape(x.shape)

    def call_backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> np.ndarray | None:
        dx, dgamma, dbeta = kernels.of(dy).group_norm_backward(
            dy.reshape(self.rows.shape), self.rows, self.gamma, self.mean, self.var, 1, self.epsilon
        )
        if param_grads:
            for name, gradient in (("gamma", dgamma), ("beta", dbeta)):
                if name in self.grads:
                    self.grads[name] += gradient.reshape(self.grads[name].shape)
        return dx.reshape(dy.shape)


class UnitNormalization(Layer):
    """Vectors along an axis brought to length 1.

        y = x / |x|,  dx = (dy - y * sum(dy * y)) / |x|,  |x| = sqrt(sum x^2)

    with the sums along the axis; with several, over all of them together. A vector of zeros stays one: where |x| is
    below 1e-12, that is divided by instead, as a constant.

    Shapes: any, unchanged.

    Args:
        axis: one or several, not that of the batch.

    Raises:
        ValueError: an axis that the input has not, or the batch's.

    Source: https://keras.io/api/layers/normalization_layers/unit_normalization/
    """

    for_backward = ("y", "length", "moves")

    def __init__(self, axis: int | Sequence[int] = -1, **options: Any):
        super().__init__(**options)
        self.axis = _axes(axis, self.full_name)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        rank = len(input_shape)
        if any(not -rank < a < rank or a == 0 for a in self.axis):
            raise ValueError(
                f"{self.full_name}: expected axes from 1 to {rank - 1}, or from -1 down, for inputs of shape "
                f"{shape_text(input_shape)}, got axis={self.axis!r}."
            )
        return tuple(input_shape)

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        xp = array_module(x)
        x = xp.ascontiguousarray(x)  # the order of a sum, and its last bit, follow from how the numbers lie
        length = xp.sqrt((x * x).sum(axis=self.axis, keepdims=True))
        self.moves = length > _SMALLEST_LENGTH
        self.length = xp.maximum(length, x.dtype.type(_SMALLEST_LENGTH))
        self.y = x / self.length
        return self.y

    def call_backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> np.ndarray | None:
        dy = array_module(dy).ascontiguousarray(dy)
        along = (dy * self.y).sum(axis=self.axis, keepdims=True) * self.moves
        return (dy - self.y * along) / self.length

    def unshare(self, y: np.ndarray) -> None:
        if "y" in vars(self) and array_module(y).may_share_memory(self.y, y):
            self.y = self.y.copy()
