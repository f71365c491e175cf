"""Losses for numbers instead of classes: t = y_true, y = y_pred, and means over the last axis, then the examples."""

from __future__ import annotations

import numpy as np

from scratchnet.arguments import check_number
from scratchnet.devices import array_module
from scratchnet.losses.base import EPSILON, Elementwise, Loss, check_same_shape
from scratchnet.signatures import OnlyDefault


class MeanSquaredError(Elementwise):
    """L = mean of (y - t)^2; gradient 2 * (y - t) / size. Shapes alike."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_error",
        dtype: OnlyDefault = None,
    ):
        super().__init__(name, reduction)

    def terms(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """(y - t)^2, in float64."""
        return array_module(y_pred).square(y_pred - y_true, dtype=np.float64)

    def slopes(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """2 * (y - t)."""
        return 2 * (y_pred - y_true)


class MeanAbsoluteError(Elementwise):
    """L = mean of |y - t|; gradient sign(y - t) / size, 0 where they are equal. Shapes alike."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_error",
        dtype: OnlyDefault = None,
    ):
        super().__init__(name, reduction)

    def terms(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """|y - t|."""
        return abs(y_pred - y_true)

    def slopes(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """sign(y - t)."""
        return array_module(y_pred).sign(y_pred - y_true)


class MeanAbsolutePercentageError(Elementwise):
    """L = 100 * mean of |y - t| / max(|t|, 1e-7), in percent; gradient 100 * sign(y - t) / max(|t|, 1e-7) / size."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_percentage_error",
        dtype: OnlyDefault = None,
    ):
        super().__init__(name, reduction)

    def terms(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """100 * |y - t| / max(|t|, 1e-7)."""
        return 100 * abs(y_pred - y_true) / abs(y_true).clip(EPSILON)

    def slopes(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """100 * sign(y - t) / max(|t|, 1e-7)."""
        return 100 * array_module(y_pred).sign(y_pred - y_true) / abs(y_true).clip(EPSILON)


class MeanSquaredLogarithmicError(Elementwise):
    """L = mean of (log(1 + y) - log(1 + t))^2, with y and t of at least 1e-7: how far apart two sizes are, as a factor.

    Gradient 2 * (log(1 + y) - log(1 + t)) / (1 + y) / size, 0 where y is below 1e-7.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_logarithmic_error",
        dtype: OnlyDefault = None,
    ):
        super().__init__(name, reduction)

    def _difference(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        log1p = array_module(y_pred).log1p
        return log1p(y_pred.clip(EPSILON)) - log1p(y_true.clip(EPSILON))

    def terms(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """(log(1 + y) - log(1 + t))^2."""
        return array_module(y_pred).square(self._difference(y_true, y_pred), dtype=np.float64)

    def slopes(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """2 * (log(1 + y) - log(1 + t)) / (1 + y)."""
        slopes = 2 * self._difference(y_true, y_pred) / (1 + y_pred.clip(EPSILON))
        return array_module(y_pred).where(y_pred >= EPSILON, slopes, 0)


class Huber(Elementwise):
    """Squared where the error e = y - t is small, absolute where it is large: outliers pull no harder than delta.

        L = mean of e^2 / 2 where |e| <= delta, else delta * |e| - delta^2 / 2

    Gradient e clipped to -delta ... delta, divided by the size.

    Args:
        delta: where the one becomes the other.

    Source: Huber, Robust Estimation of a Location Parameter, Annals of Mathematical Statistics 35 (1964).
    """

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "huber_loss",
        dtype: OnlyDefault = None,
    ):
        super().__init__(name, reduction)
        self.delta = check_number(delta, "delta", "Huber", 0)

    def terms(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """e^2 / 2, or delta * |e| - delta^2 / 2."""
        size = abs(y_pred - y_true)
        small = size.clip(None, self.delta)  # |e|, or delta: both formulas are small * (size - small / 2)
        return small * (size - small / 2)

    def slopes(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """The error, clipped to -delta ... delta."""
        return (y_pred - y_true).clip(-self.delta, self.delta)


class LogCosh(Elementwise):
    """L = mean of log cosh(y - t), about e^2 / 2 for small errors e and |e| - log 2 for large; gradient tanh(e) / size.

    It is computed as |e| + log(1 + exp(-2 |e|)) - log 2, which never overflows.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "log_cosh",
        dtype: OnlyDefault = None,
    ):
        super().__init__(name, reduction)

    def terms(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """log cosh(y - t)."""
        xp, size = array_module(y_pred), abs(y_pred - y_true).astype(np.float64)
        return size + xp.log1p(xp.exp(-2 * size)) - np.log(2)

    def slopes(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """tanh(y - t)."""
        return array_module(y_pred).tanh(y_pred - y_true)


class CosineSimilarity(Loss):
    """L = -mean over n of t[n] * y[n] / (|t[n]| |y[n]|): -1 where both point the same way, 1 where they are opposed.

    With t' and y' the rows divided by their lengths, the gradient for a row is -(t' - (t' * y') y') / (|y| N). Lengths
    count as 1e-7 at least.
    """

    def __init__(
        self,
        axis: OnlyDefault = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "cosine_similarity",
        dtype: OnlyDefault = None,
    ):
        super().__init__(name, reduction)

    def prepare(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """The labels in y_pred's shape and dtype."""
        return check_same_shape(y_true, y_pred, "CosineSimilarity")

    def call(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """-t' * y' of each row."""
        return -(y_true / _length(y_true) * (y_pred / _length(y_pred))).sum(axis=-1, dtype=np.float64)

    def gradient(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """-(t' - (t' * y') y') / |y|."""
        length = _length(y_pred)
        t, y = y_true / _length(y_true), y_pred / length
        return ((t * y).sum(axis=-1, keepdims=True) * y - t) / length


def _length(vectors: np.ndarray) -> np.ndarray:
    """The length of each row, of at least 1e-7, with the row's axis kept."""
    xp = array_module(vectors)
    return xp.sqrt(xp.square(vectors).sum(axis=-1, keepdims=True)).clip(EPSILON)
