"""Focal cross-entropies: what is recognized already counts little, so that a few hard examples are not drowned.

Source: Lin et al., arXiv 1708.02002.
"""

from __future__ import annotations

import numpy as np

from scratchnet import kernels
from scratchnet.arguments import check_number
from scratchnet.devices import array_module
from scratchnet.losses.base import EPSILON
from scratchnet.losses.crossentropy import BinaryCrossentropy, OfClasses, normalized
from scratchnet.signatures import OnlyDefault


class BinaryFocalCrossentropy(BinaryCrossentropy):
    """L = mean of w * (1 - q)^gamma * c: c the binary cross-entropy of an element, q the probability of its label.

        q = t * p + (1 - t) * (1 - p),   c = -t * log p - (1 - t) * log(1 - p),   p = y_pred, or sigmoid(y_pred)
        dL/dp = w * (gamma * (1 - q)^(gamma - 1) * (1 - 2t) * c + (1 - q)^gamma * (p - t) / (p * (1 - p))) / size

    w is 1, or with apply_class_balancing alpha where t is 1 and 1 - alpha where it is 0. From logits, the gradient has
    one more factor, p * (1 - p). Shapes as in BinaryCrossentropy.
    """

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: OnlyDefault = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_focal_crossentropy",
        dtype: OnlyDefault = None,
    ):
        super().__init__(from_logits, label_smoothing, reduction=reduction, name=name)
        self.apply_class_balancing = apply_class_balancing
        self.alpha = check_number(alpha, "alpha", "BinaryFocalCrossentropy", 0, 1)
        self.gamma = check_number(gamma, "gamma", "BinaryFocalCrossentropy", 0)

    def compute(
        self, y_true: np.ndarray, y_pred: np.ndarray, weight: np.ndarray | None = None
    ) -> tuple[float, np.ndarray]:
        """From `terms` and `slopes` in every case."""
        return super(BinaryCrossentropy, self).compute(y_true, y_pred, weight)

    def _parts(self, t: np.ndarray, y_pred: np.ndarray) -> tuple[np.ndarray, ...]:
        """(p, 1 - q, c, w)."""
        xp = array_module(y_pred)
        p = kernels.of(y_pred).sigmoid(y_pred) if self.from_logits else y_pred
        clipped = p.clip(EPSILON, 1 - EPSILON)
        c = -(t * xp.log(clipped, dtype=np.float64) + (1 - t) * xp.log1p(-clipped, dtype=np.float64))
        w = t * self.alpha + (1 - t) * (1 - self.alpha) if self.apply_class_balancing else xp.ones_like(t)
        return p, t * (1 - p) + (1 - t) * p, c, w

    def terms(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """w * (1 - q)^gamma * c."""
        _, wrong, c, w = self._parts(y_true, y_pred)
        return w * wrong**self.gamma * c

    def slopes(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """As above; the part of c is 0 where p was clipped."""
        p, wrong, c, w = self._parts(y_true, y_pred)
        clipped = p.clip(EPSILON, 1 - EPSILON)
        dc = array_module(y_pred).where(clipped == p, (clipped - y_true) / (clipped * (1 - clipped)), 0)
        slopes = w * wrong**self.gamma * dc
        if self.gamma:
            slopes = slopes + w * self.gamma * wrong ** (self.gamma - 1) * (1 - 2 * y_true) * c
        return slopes * p * (1 - p) if self.from_logits else slopes


class CategoricalFocalCrossentropy(OfClasses):
    """L = mean over n of -alpha * sum over k of (1 - p[n,k])^gamma * t[n,k] * log p[n,k].

        p = y_pred / the row's sum, from logits softmax(y_pred); clipped to 1e-7 ... 1 - 1e-7
        g = alpha * t * (gamma * (1 - p)^(gamma - 1) * log p - (1 - p)^gamma / p), 0 where p was clipped
        dL/dy = (g - sum over k of g * p) / (N * the row's sum); from logits p * (g - sum over k of g * p) / N

    Shapes: y_true = t (N, K), one-hot or any shares; y_pred (N, K).
    """

    def __init__(
        self,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: OnlyDefault = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_focal_crossentropy",
        dtype: OnlyDefault = None,
    ):
        super().__init__(from_logits, label_smoothing, reduction, name)
        self.alpha = check_number(alpha, "alpha", "CategoricalFocalCrossentropy", 0)
        self.gamma = check_number(gamma, "gamma", "CategoricalFocalCrossentropy", 0)

    def _probabilities(self, y_pred: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return normalized(kernels.of(y_pred).softmax(y_pred) if self.from_logits else y_pred)

    def call(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """-alpha * sum over k of (1 - p)^gamma * t * log p."""
        p = self._probabilities(y_pred)[1]
        log_p = array_module(p).log(p, dtype=np.float64)
        return -self.alpha * ((1 - p) ** self.gamma * self.shares(y_true, y_pred) * log_p).sum(axis=1)

    def gradient(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """As above."""
        p, clipped, sums = self._probabilities(y_pred)
        xp, wrong, t = array_module(p), 1 - clipped, self.shares(y_true, y_pred)
        g = -(wrong**self.gamma) / clipped
        if self.gamma:
            g = g + self.gamma * wrong ** (self.gamma - 1) * xp.log(clipped)
        g = xp.where(clipped == p, self.alpha * t * g, 0)
        slopes = g - (g * p).sum(axis=1, keepdims=True)
        return (slopes * p if self.from_logits else slopes / sums).astype(y_pred.dtype, copy=False)
