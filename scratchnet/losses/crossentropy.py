"""Cross-entropies: of classes, from numbers or shares, and of independent yes-or-no answers."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet import kernels
from scratchnet.devices import array_module
from scratchnet.losses.base import Loss, check_labels, check_same_shape
from scratchnet.replay import number, unchecked
from scratchnet.signatures import OnlyDefault

_CLIP = 1e-7


def _check_smoothing(label_smoothing: float, caller: str) -> float:
    if not 0 <= label_smoothing < 1:
        raise ValueError(f"{caller}: expected label_smoothing from 0 to below 1, got {label_smoothing!r}.")
    return label_smoothing


def _from_shares(t: np.ndarray, y_pred: np.ndarray, caller: str) -> tuple[float, np.ndarray]:
    """(mean over n of -sum_k t * log p, its gradient), with p = y_pred / s, clipped, and s the row's sum.

    With g = -t / (N * p), 0 where p was clipped, the gradient is (g - sum_k g * p) / s.
    """
    xp, sums = array_module(y_pred), y_pred.sum(axis=1, keepdims=True)
    if not (unchecked() or sums.all()):
        raise ValueError(
            f"{caller}: expected rows of probabilities, got a row with the sum 0. End the model in a softmax, or use "
            "from_logits=True for scores."
        )
    p = y_pred / sums
    clipped = xp.clip(p, _CLIP, 1 - _CLIP)
    value = -(t * xp.log(clipped, dtype=np.float64)).sum() / len(t)
    g = xp.where(clipped == p, -t / (clipped * len(t)), 0).astype(y_pred.dtype)
    return number(value), (g - (g * p).sum(axis=1, keepdims=True)) / sums


def _categorical(t: np.ndarray, y_pred: np.ndarray, weight: np.ndarray | None, loss: Any) -> tuple[float, np.ndarray]:
    """Cross-entropy for shares t: both the smoothing and the weight of an example can be put into its shares."""
    if loss.label_smoothing:
        t = t * (1 - loss.label_smoothing) + y_pred.dtype.type(loss.label_smoothing / t.shape[1])
    if weight is not None:
        t = t * weight[:, None]
    if loss.from_logits:
        return kernels.of(y_pred).softmax_cross_entropy_onehot(y_pred, t)
    return _from_shares(t, y_pred, type(loss).__name__)


class SparseCategoricalCrossentropy(Loss):
    """L = mean over n of -log p[n, y_n], y_n the true class; p = y_pred / the row's sum; from logits softmax(y_pred).

    Gradients: from logits (softmax(z) - onehot(y)) / N; from probabilities (1 - onehot(y) / p) / (N * the row's sum).

    Shapes: y_true (N,) or (N, 1), whole numbers from 0 to K - 1; y_pred (N, K).
    """

    output_activation = "softmax"

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: OnlyDefault = None,
        reduction: OnlyDefault = "sum_over_batch_size",
        axis: OnlyDefault = -1,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: OnlyDefault = None,
        *,
        label_smoothing: float = 0.0,
    ):
        super().__init__(name)
        self.from_logits = from_logits
        self.label_smoothing = _check_smoothing(label_smoothing, "SparseCategoricalCrossentropy")

    def compute(
        self, y_true: np.ndarray, y_pred: np.ndarray, weight: np.ndarray | None = None
    ) -> tuple[float, np.ndarray]:
        """From probabilities, with weights or smoothing the labels become shares, as in CategoricalCrossentropy."""
        if y_pred.ndim != 2:
            raise ValueError(f"SparseCategoricalCrossentropy: expected y_pred of shape (N, K), got {y_pred.shape}.")
        labels = check_labels(y_true, y_pred.shape[1], "SparseCategoricalCrossentropy")
        if self.from_logits and weight is None and not self.label_smoothing:
            return kernels.of(y_pred).softmax_cross_entropy(y_pred, labels)
        xp = array_module(y_pred)
        onehot = xp.zeros_like(y_pred)
        onehot[xp.arange(len(labels)), labels] = 1
        return _categorical(onehot, y_pred, weight, self)


class CategoricalCrossentropy(Loss):
    """L = mean over n of -sum over k of t[n,k] * log p[n,k]; p = y_pred / the row's sum; from logits softmax(y_pred).

    Gradients: from logits (softmax(z) * sum_k t - t) / N; from probabilities (sum_k t - t / p) / (N * the row's sum).

    Shapes: y_true = t (N, K), one-hot or any shares; y_pred (N, K).
    """

    output_activation = "softmax"

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: OnlyDefault = -1,
        reduction: OnlyDefault = "sum_over_batch_size",
        name: str | None = "categorical_crossentropy",
        dtype: OnlyDefault = None,
    ):
        super().__init__(name)
        self.from_logits = from_logits
        self.label_smoothing = _check_smoothing(label_smoothing, "CategoricalCrossentropy")

    def compute(
        self, y_true: np.ndarray, y_pred: np.ndarray, weight: np.ndarray | None = None
    ) -> tuple[float, np.ndarray]:
        """Smoothing and weights go into the shares."""
        if y_pred.ndim != 2:
            raise ValueError(f"CategoricalCrossentropy: expected y_pred of shape (N, K), got {y_pred.shape}.")
        hint = " Class numbers go with sparse_categorical_crossentropy."
        t = check_same_shape(y_true, y_pred, "CategoricalCrossentropy", hint)
        if not (unchecked() or t.min() >= 0):
            raise ValueError(
                f"CategoricalCrossentropy: expected one-hot labels, or shares of at least 0, got {float(t.min()):g} "
                "in y_true."
            )
        return _categorical(t, y_pred, weight, self)


class BinaryCrossentropy(Loss):
    """L = mean over all elements of -t * log p - (1 - t) * log(1 - p); p = y_pred, or sigmoid(y_pred) from logits.

    Gradients, with M elements: from logits (sigmoid(z) - t) / M; from probabilities (p - t) / (p * (1 - p) * M).

    Shapes: y_true = t and y_pred alike, or (N,) with (N, 1); t from 0 to 1.
    """

    output_activation = "sigmoid"

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: OnlyDefault = -1,
        reduction: OnlyDefault = "sum_over_batch_size",
        name: str | None = "binary_crossentropy",
        dtype: OnlyDefault = None,
    ):
        super().__init__(name)
        self.from_logits = from_logits
        self.label_smoothing = _check_smoothing(label_smoothing, "BinaryCrossentropy")

    def compute(
        self, y_true: np.ndarray, y_pred: np.ndarray, weight: np.ndarray | None = None
    ) -> tuple[float, np.ndarray]:
        """A weight multiplies the terms of its example and their gradients."""
        t = check_same_shape(y_true, y_pred, "BinaryCrossentropy")
        if not unchecked() and not (t.min() >= 0 and t.max() <= 1):
            least, most = float(t.min()), float(t.max())
            raise ValueError(f"BinaryCrossentropy: expected labels from 0 to 1, got {least:g} to {most:g}.")
        if self.label_smoothing:
            t = t * (1 - self.label_smoothing) + y_pred.dtype.type(self.label_smoothing / 2)
        if self.from_logits and weight is None:
            return kernels.of(y_pred).sigmoid_binary_cross_entropy(y_pred, t)
        xp = array_module(y_pred)
        each = 1 if weight is None else weight.reshape(-1, *[1] * (y_pred.ndim - 1))
        if self.from_logits:
            _, dy = kernels.of(y_pred).sigmoid_binary_cross_entropy(y_pred, t)
            z = y_pred.astype(np.float64)
            terms = xp.maximum(z, 0) - z * t + xp.log1p(xp.exp(-abs(z)))
            return number((each * terms).mean()), each * dy
        p = xp.clip(y_pred, _CLIP, 1 - _CLIP)
        terms = -(t * xp.log(p, dtype=np.float64) + (1 - t) * xp.log1p(-p, dtype=np.float64))
        dy = xp.where(p == y_pred, (p - t) / (p * (1 - p) * p.size), 0)
        return number((each * terms).mean()), (each * dy).astype(y_pred.dtype)
