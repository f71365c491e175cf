"""Losses between distributions, and for counts."""

from __future__ import annotations

import numpy as np

from scratchnet.devices import array_module
from scratchnet.losses.base import EPSILON, Elementwise, Loss, check_same_shape
from scratchnet.signatures import OnlyDefault


class KLDivergence(Loss):
    """L = mean over n of sum over k of t[n,k] * log(t[n,k] / p[n,k]), p = y_pred; both are clipped to [1e-7, 1].

    Gradient -t / p / N, 0 where p was clipped. Shapes alike.

    Source: Kullback and Leibler, On Information and Sufficiency, Annals of Mathematical Statistics 22 (1951).
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "kl_divergence",
        dtype: OnlyDefault = None,
    ):
        super().__init__(name, reduction)

    def prepare(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """The labels in y_pred's shape, clipped."""
        return check_same_shape(y_true, y_pred, "KLDivergence").clip(EPSILON, 1)

    def call(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """The sum over k of t * log(t / p)."""
        ratio = array_module(y_pred).log(y_true / y_pred.clip(EPSILON, 1), dtype=np.float64)
        return (y_true * ratio).sum(axis=-1)

    def gradient(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """-t / p where p lies within, else 0."""
        p = y_pred.clip(EPSILON, 1)
        return array_module(y_pred).where(p == y_pred, -y_true / p, 0)


class Poisson(Elementwise):
    """L = mean of y - t * log(y + 1e-7), for counts t that are expected to be y; gradient (1 - t / (y + 1e-7)) / size.

    It is -log of Poisson's probability of t, without what does not depend on y. Shapes alike; y above 0.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "poisson",
        dtype: OnlyDefault = None,
    ):
        super().__init__(name, reduction)

    def terms(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """y - t * log(y + 1e-7)."""
        return y_pred - y_true * array_module(y_pred).log(y_pred + EPSILON, dtype=np.float64)

    def slopes(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """1 - t / (y + 1e-7)."""
        return 1 - y_true / (y_pred + EPSILON)
