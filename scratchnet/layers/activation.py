"""Activations: as functions that Conv2D and Dense apply to their sums, and as layers of their own."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet import kernels
from scratchnet.arguments import check_choice, check_number
from scratchnet.devices import array_module
from scratchnet.layers.base import Layer


class Function:
    """An activation function: forward keeps in `kept`, its input or its output, what backward needs."""

    kept: Any = None  # an array, once there was a forward

    def __init__(self, name: str):
        self.name = name

    def unshare(self, y: np.ndarray) -> None:
        """Keep a copy, if what is kept shares memory with y: y is about to be given to someone who may change it."""
        if self.kept is not None and array_module(y).may_share_memory(self.kept, y):
            self.kept = self.kept.copy()


class Rectifier(Function):
    """y = x above the threshold, negative_slope * (x - threshold) below it, at most max_value."""

    def __init__(self, name: str, negative_slope: float = 0.0, threshold: float = 0.0, max_value: float = np.inf):
        super().__init__(name)
        self.arguments = (negative_slope, threshold, max_value)

    @property
    def is_relu(self) -> bool:
        """Whether this is y = max(x, 0), which other kernels can do on their way: its gradient can be told from y."""
        return self.arguments == (0, 0, np.inf)

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Keeps x: it says where the gradient passes."""
        self.kept = x
        return kernels.of(x).relu(x, *self.arguments)

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """dx = dy above the threshold, negative_slope * dy at it and below, 0 above max_value."""
        return kernels.of(dy).relu_backward(dy, self.kept, *self.arguments)


class FromOutput(Function):
    """Sigmoid, tanh or softmax: those whose gradient is simplest in terms of the output y, which is kept."""

    def forward(self, x: np.ndarray) -> np.ndarray:
        """y = f(x)."""
        self.kept = getattr(kernels.of(x), self.name)(x)
        return self.kept

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """dx from dy and y."""
        return getattr(kernels.of(dy), f"{self.name}_backward")(dy, self.kept)


class SiLU(Function):
    """y = x * sigmoid(x)."""

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Keeps x."""
        self.kept = x
        return kernels.of(x).silu(x)

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """dx = dy * (s + x * s * (1 - s)) with s = sigmoid(x)."""
        return kernels.of(dy).silu_backward(dy, self.kept)


def is_relu(activation: Any) -> bool:
    """Whether this is the plain y = max(x, 0)."""
    return isinstance(activation, Rectifier) and activation.is_relu


_MAKERS: dict[str, Any] = {
    "leaky_relu": lambda: Rectifier("leaky_relu", negative_slope=0.2),
    "linear": lambda: None,
    "relu": lambda: Rectifier("relu"),
    "sigmoid": lambda: FromOutput("sigmoid"),
    "silu": lambda: SiLU("silu"),
    "softmax": lambda: FromOutput("softmax"),
    "swish": lambda: SiLU("silu"),
    "tanh": lambda: FromOutput("tanh"),
}


def get(activation: str | None) -> Any:
    """A fresh activation function from its name; None and "linear" give None, nothing to do.

    Raises:
        ValueError: no activation has that name; the nearest is named.
    """
    if activation is None:
        return None
    return _MAKERS[check_choice(activation, _MAKERS, "activation")]()


class ActivationLayer(Layer):
    """An activation and nothing else.

    A plain ReLU behind a BatchNormalization, or before a MaxPooling2D, runs as one with it in a model: see
    `layers/fusion.py`.
    """


class Activation(ActivationLayer):
    """An activation as a layer: relu, leaky_relu (slope 0.2), sigmoid, tanh, silu, softmax (last axis) or linear.

        relu     y = max(x, 0)               dx = dy where x > 0, else 0
        sigmoid  y = 1 / (1 + exp(-x))       dx = dy * y * (1 - y)
        tanh     y = tanh(x)                 dx = dy * (1 - y^2)
        silu     y = x * sigmoid(x)          dx = dy * (s + x * s * (1 - s)), s = sigmoid(x)
        softmax  y_k = exp(x_k) / sum exp    dx_k = y_k * (dy_k - sum_j dy_j * y_j)

    In a model, a ReLU next to a BatchNormalization or a MaxPooling2D runs as one with it, and its own backward does
    not: see `layers/fusion.py`.

    Shapes: any, unchanged. NaN in, NaN out.

    Raises:
        ValueError: no activation has that name.

    Source: https://keras.io/api/layers/activations/
    """

    def __init__(self, activation: str, **options: Any):
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
