"""Errors of numbers as metrics: means over all examples of what `losses` has under the same names."""

from __future__ import annotations

import math

import numpy as np

from scratchnet.losses import (
    cosine_similarity,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)
from scratchnet.metrics.base import ExampleMean
from scratchnet.signatures import OnlyDefault


class MeanSquaredError(ExampleMean):
    """The mean of (y_pred - y_true)^2."""

    direction = "down"

    def __init__(self, name: str | None = "mean_squared_error", dtype: OnlyDefault = None) -> None:
        super().__init__(name)

    def score(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """The mean over each example's outputs."""
        return mean_squared_error(y_true, y_pred)


class RootMeanSquaredError(MeanSquaredError):
    """The square root of the mean of (y_pred - y_true)^2: an error in the unit of the labels."""

    def __init__(self, name: str | None = "root_mean_squared_error", dtype: OnlyDefault = None) -> None:
        super().__init__(name)

    def result(self) -> float:
        """The root of the mean over all that was seen."""
        return math.sqrt(super().result())


class MeanAbsoluteError(ExampleMean):
    """The mean of |y_pred - y_true|."""

    direction = "down"

    def __init__(self, name: str | None = "mean_absolute_error", dtype: OnlyDefault = None) -> None:
        super().__init__(name)

    def score(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """The mean over each example's outputs."""
        return mean_absolute_error(y_true, y_pred)


class MeanAbsolutePercentageError(ExampleMean):
    """100 times the mean of |y_pred - y_true| / max(|y_true|, 1e-7)."""

    direction = "down"

    def __init__(self, name: str | None = "mean_absolute_percentage_error", dtype: OnlyDefault = None) -> None:
        super().__init__(name)

    def score(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """The mean over each example's outputs."""
        return mean_absolute_percentage_error(y_true, y_pred)


class MeanSquaredLogarithmicError(ExampleMean):
    """The mean of (log(1 + y_pred) - log(1 + y_true))^2."""

    direction = "down"

    def __init__(self, name: str | None = "mean_squared_logarithmic_error", dtype: OnlyDefault = None) -> None:
        super().__init__(name)

    def score(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """The mean over each example's outputs."""
        return mean_squared_logarithmic_error(y_true, y_pred)


class LogCoshError(ExampleMean):
    """The mean of log cosh(y_pred - y_true)."""

    direction = "down"

    def __init__(self, name: str | None = "logcosh", dtype: OnlyDefault = None) -> None:
        super().__init__(name)

    def score(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """The mean over each example's outputs."""
        return log_cosh(y_true, y_pred)


class CosineSimilarity(ExampleMean):
    """The mean cosine of the angle between y_true and y_pred: 1 where both point the same way; the loss has a minus."""

    direction = "up"

    def __init__(
        self, name: str | None = "cosine_similarity", dtype: OnlyDefault = None, axis: OnlyDefault = -1
    ) -> None:
        super().__init__(name)

    def score(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """The cosine for each example."""
        return -cosine_similarity(y_true, y_pred)
