"""Constraints: what weights are brought to after each update.

    w = constraint(w - rate * ...)

    Dense(10, kernel_constraint="max_norm")                     a name, with Keras's defaults
    Dense(10, kernel_constraint=constraints.max_norm(3.0))      or an object, or a function of w

Where they act is in `layers/penalties.py`. The norms are taken along `axis`: 0 in a Dense, whose kernel is (D, U), so
that the weights of each output are bounded; [0, 1, 2] in a Conv2D, whose kernel is (KH, KW, C, F), for each filter.

Source of names and numbers: Keras, https://keras.io/api/layers/constraints/
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from scratchnet.arguments import ArgumentError, check_array, check_choice, check_number, is_whole
from scratchnet.config import Configurable
from scratchnet.devices import array_module, as_array
from scratchnet.shapes import FLOATS

__all__ = [
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "get",
    "max_norm",
    "min_max_norm",
    "non_neg",
    "unit_norm",
]

EPSILON = 1e-7  # Keras's: added to norms before they divide
Axis = int | Sequence[int]


class Constraint(Configurable):
    """A function from weights to weights of the same shape that are allowed: `constraint(w)`; w itself stays as it is.

    One of one's own defines `__call__`:

        class Rounded(Constraint):
            def __call__(self, w):
                return w.round(3)

    So that it runs on the GPU, too, take functions from `scratchnet.devices.array_module(w)` in place of NumPy's. A
    plain function of w will do as well, but cannot be written into a file with the model.
    """

    def __call__(self, w: np.ndarray) -> np.ndarray:
        """The weights as they are."""
        return w


def _floats(w: Any, caller: object) -> Any:
    """w as an array of float32 or float64."""
    check_array(w, "w", type(caller).__name__)
    w = as_array(w)
    return w if w.dtype in FLOATS else w.astype(np.float32)


def _check_axis(axis: Any, caller: str) -> int | tuple[int, ...]:
    numbers = axis.tolist() if isinstance(axis, np.ndarray) else axis
    if not is_whole(numbers) and not (isinstance(numbers, (list, tuple)) and numbers and all(map(is_whole, numbers))):
        raise ValueError(f"{caller}: expected axis as a whole number or several, such as [0, 1, 2], got {axis!r}.")
    return int(numbers) if is_whole(numbers) else tuple(int(one) for one in numbers)


def norms(w: Any, axis: int | tuple[int, ...], caller: str) -> Any:
    """|w| along the axes: the root of the sum of squares; w's axes stay, of size 1.

    Raises:
        ValueError: w has no such axis.
    """
    axes = (axis,) if isinstance(axis, int) else axis
    if len({one % max(w.ndim, 1) for one in axes}) < len(axes) or not all(-w.ndim <= one < w.ndim for one in axes):
        raise ValueError(f"{caller}: expected axis within the weights' shape {w.shape}, each once, got axis={axis}.")
    return array_module(w).sqrt((w * w).sum(axis=axis, keepdims=True))


class NonNeg(Constraint):
    """max(w, 0): no weight is negative."""

    def __call__(self, w: np.ndarray) -> np.ndarray:
        """max(w, 0); NaN stays NaN."""
        w = _floats(w, self)
        return array_module(w).maximum(w, w.dtype.type(0))


class MaxNorm(Constraint):
    """Norms of at most max_value: w * min(|w|, max_value) / (1e-7 + |w|).

    The 1e-7 is Keras's. It makes short weights a little shorter in each step.

    Args:
        max_value: the largest norm, at least 0.
        axis: along which the norms are taken, one or several.

    Raises:
        ValueError: a bad argument, or weights without that axis.

    Source: Srivastava et al., JMLR 15, 2014; https://keras.io/api/layers/constraints/
    """

    def __init__(self, max_value: float = 2, axis: Axis = 0):
        self.max_value = check_number(max_value, "max_value", type(self).__name__, 0)
        self.axis = _check_axis(axis, type(self).__name__)

    def __call__(self, w: np.ndarray) -> np.ndarray:
        """The weights, those that are too long shortened."""
        w = _floats(w, self)
        length = norms(w, self.axis, type(self).__name__)
        return w * (length.clip(0, self.max_value) / (length + w.dtype.type(EPSILON)))


class UnitNorm(Constraint):
    """Norms of 1: w / (1e-7 + |w|).

    Args:
        axis: along which the norms are taken, one or several.

    Raises:
        ValueError: a bad argument, or weights without that axis.
    """

    def __init__(self, axis: Axis = 0):
        self.axis = _check_axis(axis, type(self).__name__)

    def __call__(self, w: np.ndarray) -> np.ndarray:
        """The weights, each norm 1; zeros stay zeros."""
        w = _floats(w, self)
        return w / (norms(w, self.axis, type(self).__name__) + w.dtype.type(EPSILON))


class MinMaxNorm(Constraint):
    """Norms from min_value to max_value, or on the way there: w * d / (1e-7 + |w|).

        d = rate * (|w| brought between min_value and max_value) + (1 - rate) * |w|

    Args:
        min_value, max_value: the smallest and the largest norm, at least 0.
        rate: how far the norms go in a step, 1 for all the way.
        axis: along which the norms are taken, one or several.

    Raises:
        ValueError: a bad argument, or weights without that axis.
    """

    def __init__(self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Axis = 0):
        self.min_value = check_number(min_value, "min_value", type(self).__name__, 0)
        self.max_value = check_number(max_value, "max_value", type(self).__name__, 0)
        if min_value > max_value:
            raise ValueError(f"MinMaxNorm: expected min_value up to max_value, got {min_value!r} and {max_value!r}.")
        self.rate = check_number(rate, "rate", type(self).__name__, 0, 1)
        self.axis = _check_axis(axis, type(self).__name__)

    def __call__(self, w: np.ndarray) -> np.ndarray:
        """The weights, too long and too short ones brought nearer; zeros stay zeros."""
        w = _floats(w, self)
        length = norms(w, self.axis, type(self).__name__)
        wanted = length.clip(self.min_value, self.max_value) * self.rate + length * (1 - self.rate)
        return w * (wanted / (length + w.dtype.type(EPSILON)))


max_norm, min_max_norm, non_neg, unit_norm = MaxNorm, MinMaxNorm, NonNeg, UnitNorm  # as Keras names them, too

CONSTRAINTS: dict[str, type[Constraint]] = {
    "max_norm": MaxNorm,
    "min_max_norm": MinMaxNorm,
    "non_neg": NonNeg,
    "unit_norm": UnitNorm,
}

Bound = Constraint | Callable[[Any], Any]


def get(identifier: str | Bound | None) -> Bound | None:
    """A constraint from its name ("max_norm", "min_max_norm", "non_neg", "unit_norm"), the object itself, or None.

    Raises:
        ValueError: no constraint has that name, the nearest is named; or a class.
    """
    if identifier is None or isinstance(identifier, Constraint):
        return identifier
    if isinstance(identifier, type):
        raise ArgumentError(
            f"expected a constraint, its name or a function, got {identifier!r}. A class needs its brackets: "
            f"{identifier.__name__}()."
        )
    if callable(identifier):
        return identifier
    return CONSTRAINTS[check_choice(identifier, CONSTRAINTS, "constraint")]()
