"""Regularizers: penalties that are added to the loss, each with its gradient by hand.

    loss = loss of the outputs + sum of regularizer(w) over the weights that have one
    dw   = what backward gives + regularizer.gradient(w)

    Dense(10, kernel_regularizer="l2")                      a name, with Keras's default of 0.01
    Dense(10, kernel_regularizer=regularizers.l2(1e-4))     or an object

Where they act is in `layers/penalties.py`. Source of names and numbers: Keras, https://keras.io/api/layers/regularizers/
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from scratchnet import kernels, replay
from scratchnet.arguments import check_array, check_choice, check_number
from scratchnet.config import Configurable
from scratchnet.devices import array_module, as_array
from scratchnet.shapes import FLOATS

__all__ = [
    "L1",
    "L1L2",
    "L2",
    "OrthogonalRegularizer",
    "Regularizer",
    "get",
    "l1",
    "l1_l2",
    "l2",
    "orthogonal_regularizer",
]

SMALLEST_LENGTH = 1e-7  # Keras's epsilon: a shorter row is not brought to length 1


class Regularizer(Configurable):
    """A penalty on an array: `regularizer(x)` is a number, `regularizer.gradient(x)` its gradient, of x's shape.

    One of one's own defines both, for there is no autograd:

        class Cubes(Regularizer):
            def __init__(self, factor=0.01):
                self.factor = factor

            def __call__(self, x):
                return self.factor * float((abs(x) ** 3).sum())

            def gradient(self, x):
                return self.factor * 3 * x * abs(x)

    So that it runs on the GPU, too, take functions from `scratchnet.devices.array_module(x)` in place of NumPy's, and
    `scratchnet.replay.number` in place of `float`. A model with it is loaded with
    `custom_objects={"Cubes": Cubes}`.

    Raises:
        TypeError: a subclass with a `__call__` of its own, but no `gradient`.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "__call__" in vars(cls) and cls.gradient is Regularizer.gradient:
            raise TypeError(
                f"{cls.__name__}: a regularizer defines `gradient(self, x)` beside `__call__`, the derivative of the "
                "penalty by each number of x, as an array of x's shape: there is no autograd that could find it."
            )

    def __call__(self, x: np.ndarray) -> float:
        """The penalty, a number; in a recorded step an array without axes."""
        return 0.0

    def gradient(self, x: np.ndarray) -> np.ndarray:
        """dPenalty/dx."""
        return array_module(x).zeros_like(x)


def _floats(x: Any, caller: object) -> Any:
    """x as an array of float32 or float64."""
    check_array(x, "x", type(caller).__name__)
    x = as_array(x)
    return x if x.dtype in FLOATS else x.astype(np.float32)


class L1L2(Regularizer):
    """l1 * sum |x| + l2 * sum x^2; the gradient is l1 * sign(x) + 2 * l2 * x, with sign(0) = 0.

    |x| has a kink at 0, and no derivative there; 0 lies between those on both sides, -1 and 1.

    Args:
        l1, l2: how much each counts, at least 0.

    Source: https://keras.io/api/layers/regularizers/
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0):
        self.l1 = check_number(l1, "l1", type(self).__name__, 0)
        self.l2 = check_number(l2, "l2", type(self).__name__, 0)

    def __call__(self, x: np.ndarray) -> float:
        """The penalty; the sums are in float64."""
        x, total = _floats(x, self), 0.0
        if self.l1:
            total += self.l1 * replay.number(array_module(x).abs(x).sum(dtype=np.float64))
        if self.l2:
            total += self.l2 * kernels.of(x).square_sum(x)
        return total

    def gradient(self, x: np.ndarray) -> np.ndarray:
        """dPenalty/dx, in x's dtype."""
        x = _floats(x, self)
        gradient = x * x.dtype.type(2 * self.l2)
        if self.l1:
            gradient += array_module(x).sign(x) * x.dtype.type(self.l1)
        return gradient


class L1(L1L2):
    """l1 * sum |x|, which makes many weights 0; the gradient is l1 * sign(x), with sign(0) = 0."""

    def __init__(self, l1: float = 0.01):
        super().__init__(l1, 0.0)


class L2(L1L2):
    """l2 * sum x^2, which keeps weights small; the gradient is 2 * l2 * x."""

    def __init__(self, l2: float = 0.01):
        super().__init__(0.0, l2)


class OrthogonalRegularizer(Regularizer):
    """Rows of a matrix, or its columns, that stand at right angles to each other have no penalty.

        u_i     = x_i / |x_i|                                                   each row brought to length 1
        penalty = factor * mean over the pairs i < j of |u_i . u_j|
        du_i    = factor / pairs * sum over j != i of sign(u_i . u_j) * u_j
        dx_i    = (du_i - (du_i . u_i) * u_i) / |x_i|

    sign(0) is 0, as the kink of |x| at 0 has it. A row shorter than 1e-7 is divided by that. One row alone has no
    penalty (Keras gives NaN).

    Args:
        factor: how much it counts, at least 0.
        mode: "rows" or "columns": which of them.

    Raises:
        ValueError: a bad argument, or an array that is no matrix.

    Source: https://keras.io/api/layers/regularizers/
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows"):
        self.factor = check_number(factor, "factor", type(self).__name__, 0)
        self.mode = check_choice(mode, ("columns", "rows"), "mode")

    def _rows(self, x: Any) -> tuple[Any, Any, Any]:
        """(the rows or columns of length 1, what each was divided by, their products with each other but themselves)"""
        x = _floats(x, self)
        if x.ndim != 2:
            raise ValueError(f"OrthogonalRegularizer: expected a matrix, as Dense's kernel is, got shape {x.shape}.")
        xp = array_module(x)
        rows = xp.ascontiguousarray(x if self.mode == "rows" else x.T)
        lengths = xp.maximum(xp.sqrt((rows * rows).sum(axis=1, keepdims=True)), x.dtype.type(SMALLEST_LENGTH))
        u = rows / lengths
        products = kernels.of(u).dense(u, xp.ascontiguousarray(u.T), None)
        return u, lengths, products * (1 - xp.eye(len(u), dtype=u.dtype))

    def _pairs(self, u: Any) -> float:
        return max(len(u) * (len(u) - 1) / 2, 1)

    def __call__(self, x: np.ndarray) -> float:
        """The penalty."""
        u, _, products = self._rows(x)
        total = array_module(u).abs(products).sum(dtype=np.float64)  # each pair is in it twice
        return self.factor / (2 * self._pairs(u)) * replay.number(total)

    def gradient(self, x: np.ndarray) -> np.ndarray:
        """dPenalty/dx, in x's dtype."""
        u, lengths, products = self._rows(x)
        xp = array_module(u)
        du = kernels.of(u).dense(xp.sign(products), u, None) * u.dtype.type(self.factor / self._pairs(u))
        along = (du * u).sum(axis=1, keepdims=True) * u
        rows = xp.where(lengths > u.dtype.type(SMALLEST_LENGTH), du - along, du) / lengths
        return rows if self.mode == "rows" else xp.ascontiguousarray(rows.T)


l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer  # as Keras names them, too

REGULARIZERS: dict[str, Callable[[], Regularizer]] = {
    "l1": L1,
    "l1_l2": lambda: L1L2(0.01, 0.01),
    "l2": L2,
    "orthogonal_regularizer": OrthogonalRegularizer,
}


def get(identifier: str | Regularizer | None) -> Regularizer | None:
    """A regularizer from its name ("l1", "l2", "l1_l2", "orthogonal_regularizer"), or the object itself, or None.

    By name, l1, l2 and factor are 0.01.

    Raises:
        ValueError: no regularizer has that name; the nearest is named.
    """
    if identifier is None or isinstance(identifier, Regularizer):
        return identifier
    return REGULARIZERS[check_choice(identifier, REGULARIZERS, "regularizer")]()
