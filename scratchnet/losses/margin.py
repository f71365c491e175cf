"""Losses with a margin: only what is wrong, or right by less than 1, counts. Scores have no activation before them."""

from __future__ import annotations

import numpy as np

from scratchnet.devices import array_module
from scratchnet.losses.base import Elementwise, Loss, check_same_shape
from scratchnet.signatures import OnlyDefault


class Hinge(Elementwise):
    """L = mean of max(0, 1 - t * y), t = -1 or 1; gradient -t / size where that is above 0. Shapes alike.

    Labels that are all 0 or 1 are taken as -1 and 1, as in Keras.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "hinge",
        dtype: OnlyDefault = None,
    ):
        super().__init__(name, reduction)

    def prepare(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """The labels in y_pred's shape, as -1 and 1."""
        t = super().prepare(y_true, y_pred)
        return array_module(t).where(((t == 0) | (t == 1)).all(), 2 * t - 1, t)

    def terms(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """max(0, 1 - t * y)."""
        return (1 - y_true * y_pred).clip(0)

    def slopes(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """-t where 1 - t * y is above 0, else 0."""
        return array_module(y_pred).where(y_true * y_pred < 1, -y_true, 0)


class SquaredHinge(Hinge):
    """L = mean of max(0, 1 - t * y)^2, t as in Hinge; gradient -2 * t * max(0, 1 - t * y) / size."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "squared_hinge",
        dtype: OnlyDefault = None,
    ):
        super().__init__(reduction, name)

    def terms(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """max(0, 1 - t * y)^2."""
        return array_module(y_pred).square((1 - y_true * y_pred).clip(0))

    def slopes(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """-2 * t * max(0, 1 - t * y)."""
        return -2 * y_true * (1 - y_true * y_pred).clip(0)


class CategoricalHinge(Loss):
    """L = mean over n of max(0, 1 + w - r): r the score of the right class, w the largest of the wrong ones.

        r = sum over k of t[n,k] * y[n,k],  w = max over k of (1 - t[n,k]) * y[n,k],  t one-hot

    As in Keras, the right class stands among the wrong ones with the score 0. Gradient, where the loss is above 0: -t,
    and 1 - t at the first place of the maximum; divided by N. Shapes alike, (N, K).
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_hinge",
        dtype: OnlyDefault = None,
    ):
        super().__init__(name, reduction)

    def prepare(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """The labels in y_pred's shape."""
        hint = " Labels are one-hot: np.eye(classes)[numbers]."
        return check_same_shape(y_true, y_pred, "CategoricalHinge", hint)

    def call(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """max(0, 1 + w - r)."""
        return (((1 - y_true) * y_pred).max(axis=-1) - (y_true * y_pred).sum(axis=-1) + 1).clip(0)

    def gradient(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """(1 - t) at the largest wrong score, minus t, where the loss is above 0."""
        xp, wrong = array_module(y_pred), (1 - y_true) * y_pred
        largest = xp.arange(y_pred.shape[-1]) == wrong.argmax(axis=-1)[..., None]
        within = self.call(y_true, y_pred)[..., None] > 0
        return xp.where(within, largest * (1 - y_true) - y_true, 0).astype(y_pred.dtype)
