"""Activations as layers of their own, and what layers take for their argument `activation`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scratchnet.activations.kinds import AlongAxes, Rectifier
from scratchnet.activations.names import MAKERS, Identifier, with_backward
from scratchnet.arguments import LARGEST, ArgumentError, check_number, check_sizes, is_whole
from scratchnet.layers.base import Layer
from scratchnet.shapes import Shape


def is_relu(activation: Any) -> bool:
    """Whether this is the plain y = max(x, 0)."""
    return isinstance(activation, Rectifier) and activation.is_relu


def get(activation: Identifier) -> Any:
    """What a layer runs for its argument `activation`, for this layer alone; None where there is nothing to do.

    Args:
        activation: a name, a function of `scratchnet.activations`, a layer that is an activation, such as
            LeakyReLU(0.2), or an object of one's own with forward and backward, see `scratchnet.activations.Function`.
            None and "linear" do nothing.

    Raises:
        ValueError: no activation has that name; the nearest is named. Or it has no backward, or weights.
    """
    if isinstance(activation, ActivationLayer) and type(activation).call is Layer.call:
        return None if activation.activation is None else activation.activation.fresh()
    if isinstance(activation, Layer) and type(activation).__module__.partition(".")[0] == __name__.partition(".")[0]:
        raise ArgumentError(
            f"expected activation to be a name or a layer that is an activation alone, such as LeakyReLU(0.2), got "
            f"{activation!r}. Put it behind: model.add({type(activation).__name__}(...))."
        )
    return with_backward(activation)


def _made(name: str, **settings: Any) -> Any:
    maker = MAKERS[name]
    assert maker is not None  # only "linear" has none
    return maker(**settings)


class ActivationLayer(Layer):
    """An activation and nothing else.

    A plain ReLU behind a BatchNormalization, or before a MaxPooling2D, runs as one with it in a model: see
    `layers/fusion.py`.
    """


class Activation(ActivationLayer):
    """An activation as a layer: any of `scratchnet.activations`, such as these.

        relu     y = max(x, 0)               dx = dy where x > 0, else 0
        sigmoid  y = 1 / (1 + exp(-x))       dx = dy * y * (1 - y)
        tanh     y = tanh(x)                 dx = dy * (1 - y^2)
        silu     y = x * sigmoid(x)          dx = dy * (s + x * s * (1 - s)), s = sigmoid(x)
        softmax  y_k = exp(x_k) / sum exp    dx_k = y_k * (dy_k - sum_j dy_j * y_j)

    In a model, a ReLU next to a BatchNormalization or a MaxPooling2D runs as one with it, and its own backward does
    not: see `layers/fusion.py`.

    Shapes: any, unchanged. NaN in, NaN out.

    Args:
        activation: a name, a function of `scratchnet.activations`, a layer that is an activation, such as
            LeakyReLU(0.2), or an object with forward and backward, see `scratchnet.activations.Function`.

    Raises:
        ValueError: no activation has that name, or it has no backward.

    Source: https://keras.io/api/layers/activations/
    """

    def __init__(self, activation: Identifier, **options: Any):
        super().__init__(**options)
        self.activation = get(activation)


class ReLU(ActivationLayer):
    """y = x from `threshold` to `max_value`, max_value above, negative_slope * (x - threshold) below.

    dx = dy where threshold < x <= max_value, negative_slope * dy at the threshold and below, 0 above max_value.

    In a model, the plain y = max(x, 0) next to a BatchNormalization or a MaxPooling2D runs as one with it, and its own
    backward does not: see `layers/fusion.py`.
    """

    def __init__(
        self, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0, **options: Any
    ):
        super().__init__(**options)
        for name, value in (("max_value", max_value), ("negative_slope", negative_slope), ("threshold", threshold)):
            if value is not None and not (name == "max_value" and value == np.inf):
                check_number(value, name, self.full_name, 0)
        limit = np.inf if max_value is None else max_value
        self.activation = Rectifier("relu", negative_slope, threshold, limit)


class LeakyReLU(ActivationLayer):
    """y = x where x > 0, else negative_slope * x; dx = dy where x > 0, else negative_slope * dy.

    Args:
        negative_slope: Keras's default is 0.3; the DCGAN paper uses 0.2. `alpha` is its older name.
    """

    def __init__(self, negative_slope: float = 0.3, *, alpha: float | None = None, **options: Any):
        super().__init__(**options)
        for name, value in (("negative_slope", negative_slope), ("alpha", 0.0 if alpha is None else alpha)):
            check_number(value, name, self.full_name, 0)
        self.activation = Rectifier("leaky_relu", negative_slope if alpha is None else alpha)


class ELU(ActivationLayer):
    """y = x where x > 0, else alpha * (exp(x) - 1); dx = dy where x > 0, else dy * alpha * exp(x),
    at 0 the smaller of both slopes.

    Args:
        alpha: y comes near -alpha for very negative x.

    Source: Clevert et al., arXiv 1511.07289.
    """

    def __init__(self, alpha: float = 1.0, **options: Any):
        super().__init__(**options)
        self.activation = _made("elu", alpha=check_number(alpha, "alpha", self.full_name))


class Softmax(ActivationLayer):
    """y_k = exp(x_k) / sum over j of exp(x_j), along an axis; dx_k = y_k * (dy_k - sum over j of dy_j * y_j).

    Args:
        axis: along which the sum is 1; 0 is the batch, -1 the last. Several axes count as one.

    Raises:
        ValueError: x has no such axis.
    """

    def __init__(self, axis: int | Sequence[int] = -1, **options: Any):
        super().__init__(**options)
        axes = check_sizes([axis] if is_whole(axis) else axis, "axis", self.full_name, smallest=-LARGEST)
        self.activation: AlongAxes = _made("softmax", axis=axes)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        self.activation.check(input_shape)
        return tuple(input_shape)
