"""Losses for numbers instead of classes."""

from __future__ import annotations

import numpy as np

from scratchnet.devices import array_module
from scratchnet.losses.base import Loss, check_same_shape
from scratchnet.replay import number
from scratchnet.signatures import OnlyDefault


class MeanSquaredError(Loss):
    """L = mean over all elements of (y_pred - y_true)^2; gradient 2 * (y_pred - y_true) / size. Shapes alike."""

    def __init__(
        self,
        reduction: OnlyDefault = "sum_over_batch_size",
        name: str | None = "mean_squared_error",
        dtype: OnlyDefault = None,
    ):
        super().__init__(name)

    def compute(
        self, y_true: np.ndarray, y_pred: np.ndarray, weight: np.ndarray | None = None
    ) -> tuple[float, np.ndarray]:
        """A weight multiplies the squares of its example and their gradients."""
        difference = y_pred - check_same_shape(y_true, y_pred, "MeanSquaredError")
        slopes = difference * y_pred.dtype.type(2 / difference.size)
        squares = array_module(y_pred).square(difference, dtype=np.float64)
        if weight is None:
            return number(squares.mean()), slopes
        each = weight.reshape(-1, *[1] * (y_pred.ndim - 1))
        return number((each * squares).mean()), each * slopes
