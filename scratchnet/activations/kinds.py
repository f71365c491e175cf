"""The package's activations, each with its backward: those that kernels compute, and those that a formula does.

Which name of Keras is which of them with which settings, `names.py` says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from scratchnet import kernels
from scratchnet.activations.base import Named
from scratchnet.arguments import ArgumentError, shortened
from scratchnet.devices import array_module


class Rectifier(Named):
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


class FromOutput(Named):
    """Sigmoid or tanh: those whose gradient is simplest in terms of the output y, which is kept."""

    def forward(self, x: np.ndarray) -> np.ndarray:
        """y = f(x)."""
        self.kept = getattr(kernels.of(x), self.name)(x)
        return self.kept

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """dx from dy and y."""
        return getattr(kernels.of(dy), f"{self.name}_backward")(dy, self.kept)


class FromInput(Named):
    """A kernel of x, whose backward takes dy and x: elu, softplus, gelu, mish, silu, hard_sigmoid, hard_silu.

    Args:
        name: Keras's.
        kernel: the kernel's name, where it is another.
        settings: what the kernel takes besides.
    """

    def __init__(self, name: str, kernel: str | None = None, settings: tuple[Any, ...] = ()):
        super().__init__(name)
        self.kernel, self.settings = kernel or name, settings

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Keeps x."""
        self.kept = x
        return getattr(kernels.of(x), self.kernel)(x, *self.settings)

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """dx from dy and x."""
        return getattr(kernels.of(dy), f"{self.kernel}_backward")(dy, self.kept, *self.settings)


class LogSigmoid(Named):
    """y = log(1 / (1 + exp(-x))) = -softplus(-x); dx = dy / (1 + exp(x))."""

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Keeps -x."""
        self.kept = -x
        return -kernels.of(x).softplus(self.kept)

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """Two signs make none."""
        return kernels.of(dy).softplus_backward(dy, self.kept)


class AlongAxes(Named):
    """What is worked out along an axis, or several as one.

    Args:
        name: Keras's.
        axis: one of x's axes, or several, counted from 0 for the batch; -1 is the last.
    """

    def __init__(self, name: str, axis: int | list[int] | tuple[int, ...] = -1):
        super().__init__(name)
        self.axes = tuple(axis) if isinstance(axis, (list, tuple)) else (axis,)

    @property
    def name(self) -> str:
        """Keras's name; with the axis, where that is not the last: a loss takes in only a softmax along the last."""
        along = f" along axis {', '.join(map(str, self.axes))}"
        return self._name if self.axes == (-1,) else self._name + along

    def check(self, shape: Sequence[int | None]) -> None:
        """Raise a ValueError unless arrays of this shape have these axes."""
        count = len(shape)
        known = [axis for axis in self.axes if -count <= axis < count]
        if len({axis % count for axis in known}) < len(self.axes):
            raise ArgumentError(
                f"{self._name}: expected axis from {-count} to {count - 1}, each at most once, for an x of {count} "
                f"axes, got {shortened(self.axes[0] if len(self.axes) == 1 else self.axes)}."
            )
        if any(shape[axis] == 0 for axis in self.axes):
            raise ArgumentError(f"{self._name}: expected x with numbers along its axis, got x of shape {shape}.")

    def _last(self, x: np.ndarray) -> np.ndarray:
        """x with the axes as one, the last."""
        if self.axes == (-1,):
            return x
        self.check(x.shape)
        moved = array_module(x).moveaxis(x, self.axes, self._places())
        return moved.reshape(*moved.shape[: x.ndim - len(self.axes)], -1)

    def _back(self, y: np.ndarray, like: np.ndarray) -> np.ndarray:
        """The axes of y, one at the end, where they are in `like`."""
        if self.axes == (-1,):
            return y
        xp = array_module(y)
        shape = xp.moveaxis(like, self.axes, self._places()).shape
        return xp.ascontiguousarray(xp.moveaxis(y.reshape(shape), self._places(), self.axes))

    def _places(self) -> tuple[int, ...]:
        return tuple(range(-len(self.axes), 0))


class Softmax(AlongAxes):
    """y_k = exp(x_k) / sum over j of exp(x_j); dx_k = y_k * (dy_k - sum over j of dy_j * y_j)."""

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Keeps y."""
        self.kept = self._back(kernels.of(x).softmax(self._last(x)), x)
        return self.kept

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """dx from dy and y."""
        return self._back(kernels.of(dy).softmax_backward(self._last(dy), self._last(self.kept)), dy)


class LogSoftmax(AlongAxes):
    """y_k = x_k - log(sum over j of exp(x_j)); dx_k = dy_k - exp(y_k) * sum over j of dy_j."""

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Keeps y. The maximum is taken off x first: no exp overflows."""
        self.check(x.shape)
        xp, rows = array_module(x), self._last(x)
        with np.errstate(invalid="ignore", over="ignore"):  # a row of nothing but -inf gives NaN
            less = rows - rows.max(axis=-1, keepdims=True)
        self.kept = self._back(less - xp.log(xp.exp(less).sum(axis=-1, keepdims=True)), x)
        return self.kept

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """dx from dy and y."""
        rows, y = self._last(dy), self._last(self.kept)
        return self._back(rows - array_module(dy).exp(y) * rows.sum(axis=-1, keepdims=True), dy)


# y and dy/dx of x, by array operations: those that few networks have, and no kernel. xp is the array's module.
FORMULAS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "exponential": (lambda xp, x: xp.exp(x), lambda xp, x: xp.exp(x)),
    "hard_shrink": (lambda xp, x, limit: xp.where(abs(x) <= limit, 0, x), lambda xp, x, limit: ~(abs(x) <= limit)),
    "hard_tanh": (lambda xp, x: xp.clip(x, -1, 1), lambda xp, x: ~(abs(x) > 1)),
    "soft_shrink": (
        lambda xp, x, limit: xp.where(abs(x) <= limit, 0, x - limit * xp.sign(x)),
        lambda xp, x, limit: ~(abs(x) <= limit),
    ),
    "softsign": (lambda xp, x: x / (1 + abs(x)), lambda xp, x: (1 / (1 + abs(x))) ** 2),
    "sparse_plus": (
        lambda xp, x: xp.where(x >= 1, x, (xp.clip(x, -1, 1) + 1) ** 2 / 4),
        lambda xp, x: (xp.clip(x, -1, 1) + 1) / 2,
    ),
    "sparse_sigmoid": (lambda xp, x: (xp.clip(x, -1, 1) + 1) / 2, lambda xp, x: ~(abs(x) >= 1) / 2),
    "squareplus": (
        lambda xp, x, b: x / 2 + xp.hypot(x, b**0.5) / 2,
        lambda xp, x, b: (1 + x / xp.hypot(x, b**0.5)) / 2,
    ),
    "tanh_shrink": (lambda xp, x: x - xp.tanh(x), lambda xp, x: xp.tanh(x) ** 2),
}


class Formula(Named):
    """One of FORMULAS: dx = dy * dy/dx. NaN is neither above nor below, and passes."""

    def __init__(self, name: str, settings: tuple[Any, ...] = ()):
        super().__init__(name)
        self.settings = settings

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Keeps x."""
        self.kept = x
        with np.errstate(over="ignore"):  # exp of much is infinite
            y = FORMULAS[self.name][0](array_module(x), x, *self.settings)
        return y.astype(x.dtype, copy=False)

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """dx from dy and x."""
        with np.errstate(over="ignore", invalid="ignore"):  # 0 * inf is NaN
            slope = FORMULAS[self.name][1](array_module(dy), self.kept, *self.settings)
            return (dy * slope).astype(dy.dtype, copy=False)
