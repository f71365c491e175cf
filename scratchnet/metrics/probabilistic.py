"""Cross-entropies, divergences and hinges as metrics: means over all examples of the losses of these names."""

from __future__ import annotations

import numpy as np

from scratchnet.losses import (
    binary_crossentropy,
    categorical_crossentropy,
    categorical_hinge,
    hinge,
    kl_divergence,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from scratchnet.metrics.base import ExampleMean
from scratchnet.signatures import OnlyDefault


class BinaryCrossentropy(ExampleMean):
    """The mean of -t * log p - (1 - t) * log(1 - p) over all outputs."""

    direction = "down"

    def __init__(
        self,
        name: str | None = "binary_crossentropy",
        dtype: OnlyDefault = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ) -> None:
        super().__init__(name)
        self.from_logits, self.label_smoothing = from_logits, label_smoothing

    def score(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """The mean over each example's outputs."""
        return binary_crossentropy(y_true, y_pred, self.from_logits, self.label_smoothing)


class CategoricalCrossentropy(ExampleMean):
    """The mean of -sum over k of t[n,k] * log p[n,k], t one-hot."""

    direction = "down"

    def __init__(
        self,
        name: str | None = "categorical_crossentropy",
        dtype: OnlyDefault = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: OnlyDefault = -1,
    ) -> None:
        super().__init__(name)
        self.from_logits, self.label_smoothing = from_logits, label_smoothing

    def score(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """The cross-entropy of each example."""
        return categorical_crossentropy(y_true, y_pred, self.from_logits, self.label_smoothing)


class SparseCategoricalCrossentropy(ExampleMean):
    """The mean of -log p[n, y_n], y_n class numbers."""

    direction = "down"

    def __init__(
        self,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: OnlyDefault = None,
        from_logits: bool = False,
        ignore_class: OnlyDefault = None,
        axis: OnlyDefault = -1,
    ) -> None:
        super().__init__(name)
        self.from_logits = from_logits

    def score(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """The cross-entropy of each example."""
        return sparse_categorical_crossentropy(y_true, y_pred, self.from_logits)


class KLDivergence(ExampleMean):
    """The mean of sum over k of t[n,k] * log(t[n,k] / p[n,k])."""

    direction = "down"

    def __init__(self, name: str | None = "kl_divergence", dtype: OnlyDefault = None) -> None:
        super().__init__(name)

    def score(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """The divergence of each example."""
        return kl_divergence(y_true, y_pred)


class Poisson(ExampleMean):
    """The mean of y_pred - y_true * log(y_pred + 1e-7)."""

    direction = "down"

    def __init__(self, name: str | None = "poisson", dtype: OnlyDefault = None) -> None:
        super().__init__(name)

    def score(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """The mean over each example's outputs."""
        return poisson(y_true, y_pred)


class Hinge(ExampleMean):
    """The mean of max(0, 1 - t * y_pred), t = -1 or 1 (or 0 and 1)."""

    direction = "down"

    def __init__(self, name: str | None = "hinge", dtype: OnlyDefault = None) -> None:
        super().__init__(name)

    def score(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """The mean over each example's outputs."""
        return hinge(y_true, y_pred)


class SquaredHinge(ExampleMean):
    """The mean of max(0, 1 - t * y_pred)^2, t = -1 or 1 (or 0 and 1)."""

    direction = "down"

    def __init__(self, name: str | None = "squared_hinge", dtype: OnlyDefault = None) -> None:
        super().__init__(name)

    def score(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """The mean over each example's outputs."""
        return squared_hinge(y_true, y_pred)


class CategoricalHinge(ExampleMean):
    """The mean of max(0, 1 + the largest wrong score - the right one), labels one-hot."""

    direction = "down"

    def __init__(self, name: str | None = "categorical_hinge", dtype: OnlyDefault = None) -> None:
        super().__init__(name)

    def score(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """The loss of each example."""
        return categorical_hinge(y_true, y_pred)
