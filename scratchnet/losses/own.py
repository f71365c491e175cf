"""A loss of the reader's own as a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from scratchnet.arguments import shortened
from scratchnet.devices import array_module
from scratchnet.losses.base import Loss, rows
from scratchnet.replay import number


class LossFunction(Loss):
    """A function f(y_true, y_pred) that returns (value, gradient), as a loss: `compile(loss=f)` makes one of it.

    The value is a number an example, (N, ...), and the gradient's rows are those of each number by itself; or it is one
    number, the mean, with its gradient. Only the first knows weights of examples. Labels (N,) for outputs (N, 1) come
    as (N, 1).

        def squares(y_true, y_pred):
            error = y_pred - y_true
            return (error**2).mean(axis=-1), 2 * error / error.shape[-1]

    Args:
        function: f; a file of the model names it, and load_model takes it by custom_objects={name: f}.
        name: how it is called; None for the function's name.

    Raises:
        TypeError: when it is called, f returns no gradient.
    """

    def __init__(self, function: Callable[..., Any], name: str | None = None):
        super().__init__(getattr(function, "__name__", "loss") if name is None else name)
        self.function = function

    def compute(
        self, y_true: np.ndarray, y_pred: np.ndarray, weight: np.ndarray | None = None
    ) -> tuple[float, np.ndarray]:
        """The mean over the examples, and its gradient."""
        values, slopes = self._result(y_true, y_pred)
        if not getattr(values, "ndim", 0):
            if weight is not None:
                raise ValueError(
                    f"{self.name}: returns one number for all examples, so that their weights cannot count. Return a "
                    "number an example, and the gradient of each for its own row."
                )
            return number(values), slopes
        if weight is not None:
            values, slopes = values * rows(weight, values), slopes * rows(weight, slopes)
        return number(values.mean(dtype=np.float64)), slopes / y_pred.dtype.type(values.size)

    def _result(self, y_true: np.ndarray, y_pred: np.ndarray) -> tuple[Any, np.ndarray]:
        """(value, gradient), as the function gives them."""
        result = self.function(y_true, y_pred)
        if not isinstance(result, (tuple, list)) or len(result) != 2:
            raise TypeError(
                f"{self.name}: expected a loss function to return (value, gradient), got {shortened(result)}. There is "
                "no autograd here, so the gradient is written down:\n"
                f"    def {self.name}(y_true, y_pred):\n"
                "        error = y_pred - y_true\n"
                "        return (error**2).mean(axis=-1), 2 * error / error.shape[-1]\n"
                "or, as a class, with reduction and weights:\n"
                "    class MyLoss(sn.Loss):\n"
                "        def call(self, y_true, y_pred):\n"
                "            return ((y_pred - y_true) ** 2).mean(axis=-1)\n"
                "        def gradient(self, y_true, y_pred):\n"
                "            return 2 * (y_pred - y_true) / y_pred.shape[-1]\n"
                "sn.gradcheck(loss, y_pred, y_true=y_true) says whether the gradient is right."
            )
        values, slopes = result
        slopes = array_module(y_pred).asarray(slopes, y_pred.dtype)
        if slopes.shape != y_pred.shape:
            raise ValueError(f"{self.name}: expected a gradient of y_pred's shape {y_pred.shape}, got {slopes.shape}.")
        return values, slopes
