"""Losses: how wrong an answer is, as one number, and in which direction it is wrong, as a gradient.

    value, dy = loss(y_true, y_pred, sample_weight=None)

The mean over the examples, in nats for the cross-entropies. With from_logits=True, y_pred are scores before the softmax
or sigmoid, which is then part of the loss: that is stable, and it is what a model with a softmax or sigmoid at its end
uses in training. With from_logits=False, y_pred are probabilities; as in Keras, those of classes are divided by their
row's sum, and all are clipped to [1e-7, 1 - 1e-7].

With weights, example n counts sample_weight[n] times: the sum of weight times loss, divided by the number of examples,
as in Keras. With label_smoothing = s, a target t counts as t * (1 - s) + s / K for K classes (for one probability, K is
2): no score is worth driving to infinity. Source: Szegedy et al., arXiv 1512.00567.
"""

from __future__ import annotations

import copy
from typing import Any, ClassVar

import numpy as np

from scratchnet import kernels
from scratchnet.arguments import check_choice
from scratchnet.config import Configurable
from scratchnet.device import array_module, as_array, like

_CLIP = 1e-7


class Loss(Configurable):
    """A loss is called as loss(y_true, y_pred) and returns (value, dLoss/dy_pred)."""

    from_logits = False
    output_activation: ClassVar[str | None] = None  # the activation that the loss takes in when it works from logits

    def __call__(
        self, y_true: np.ndarray, y_pred: np.ndarray, sample_weight: np.ndarray | None = None
    ) -> tuple[float, np.ndarray]:
        """(value, gradient): the mean loss, and its gradient with respect to y_pred, of y_pred's shape.

        Args:
            y_true: labels, see each loss. They, and the weights, are brought to the device of y_pred.
            y_pred: the model's outputs.
            sample_weight: (N,), how much each example counts; None for all alike.

        Raises:
            ValueError: shapes that do not fit, an empty batch, labels out of range, weights that are no numbers.
        """
        y_pred = as_array(y_pred)
        if y_pred.dtype not in (np.float32, np.float64):
            y_pred = y_pred.astype(np.float32)
        y_true = like(y_true, y_pred)
        if y_pred.ndim < 1 or y_pred.size == 0 or len(y_true) != len(y_pred):
            raise ValueError(
                f"{type(self).__name__}: expected as many labels as predictions, at least one, got y_true of shape "
                f"{y_true.shape} and y_pred of shape {y_pred.shape}."
            )
        if sample_weight is None:
            return self.compute(y_true, y_pred)
        weight = check_weights(sample_weight, len(y_pred), type(self).__name__)
        return self.compute(y_true, y_pred, like(weight, y_pred).astype(y_pred.dtype))

    def compute(
        self, y_true: np.ndarray, y_pred: np.ndarray, weight: np.ndarray | None = None
    ) -> tuple[float, np.ndarray]:
        """What each loss defines; weight is (N,) or None."""
        raise NotImplementedError

    def fused(self) -> Loss:
        """The same loss from logits, for models that end in its activation."""
        other = copy.copy(self)
        other.from_logits = True
        return other


def check_weights(sample_weight: Any, count: int, caller: str) -> np.ndarray:
    """Weights of shape (count,), finite and not negative.

    Raises:
        ValueError: others.
    """
    weight = as_array(sample_weight, np.float64)
    if weight.ndim == 2 and weight.shape[1] == 1:
        weight = weight[:, 0]
    if weight.shape != (count,):
        raise ValueError(f"{caller}: expected sample_weight of shape ({count},), one an example, got {weight.shape}.")
    if not (array_module(weight).isfinite(weight).all() and (weight >= 0).all()):
        least, most = float(weight.min()), float(weight.max())
        raise ValueError(f"{caller}: expected finite weights of at least 0, got {least:g} to {most:g}.")
    return weight


def _check_smoothing(label_smoothing: float, caller: str) -> float:
    if not 0 <= label_smoothing < 1:
        raise ValueError(f"{caller}: expected label_smoothing from 0 to below 1, got {label_smoothing!r}.")
    return label_smoothing


def check_labels(y_true: np.ndarray, classes: int, caller: str) -> np.ndarray:
    """Labels of shape (N,) or (N, 1) as whole numbers of shape (N,).

    Raises:
        ValueError: another shape, not whole numbers, or a label outside of 0 ... classes - 1.
    """
    labels = as_array(y_true)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1:
        hint = " One-hot labels go with categorical_crossentropy." if labels.ndim == 2 else ""
        raise ValueError(f"{caller}: expected labels of shape (N,) or (N, 1), got {labels.shape}.{hint}")
    whole = labels.astype(np.int64)
    if (whole != labels).any():
        raise ValueError(f"{caller}: expected labels that are whole numbers, got some that are not.")
    if len(whole) and (whole.min() < 0 or whole.max() >= classes):
        wrong = int(whole[(whole < 0) | (whole >= classes)][0])
        raise ValueError(
            f"{caller}: expected labels from 0 to {classes - 1}, got {wrong}. The last layer has {classes} "
            "outputs, one a "
            "class; labels start at 0."
        )
    return whole


def _check_same_shape(y_true: np.ndarray, y_pred: np.ndarray, caller: str, hint: str = "") -> np.ndarray:
    """y_true in y_pred's shape and dtype; labels (N,) for predictions (N, 1) are taken, and the other way round."""
    if y_true.shape != y_pred.shape:
        if y_true.size == y_pred.size and {y_true.ndim, y_pred.ndim} == {1, 2}:
            y_true = y_true.reshape(y_pred.shape)
        else:
            raise ValueError(f"{caller}: expected y_true of y_pred's shape {y_pred.shape}, got {y_true.shape}.{hint}")
    return y_true.astype(y_pred.dtype, copy=False)


def _from_shares(t: np.ndarray, y_pred: np.ndarray, caller: str) -> tuple[float, np.ndarray]:
    """(mean over n of -sum_k t * log p, its gradient), with p = y_pred / s, clipped, and s the row's sum.

    With g = -t / (N * p), 0 where p was clipped, the gradient is (g - sum_k g * p) / s.
    """
    xp, sums = array_module(y_pred), y_pred.sum(axis=1, keepdims=True)
    if not sums.all():
        raise ValueError(
            f"{caller}: expected rows of probabilities, got a row with the sum 0. End the model in a softmax, or use "
            "from_logits=True for scores."
        )
    p = y_pred / sums
    clipped = xp.clip(p, _CLIP, 1 - _CLIP)
    value = -(t * xp.log(clipped, dtype=np.float64)).sum() / len(t)
    g = xp.where(clipped == p, -t / (clipped * len(t)), 0).astype(y_pred.dtype)
    return float(value), (g - (g * p).sum(axis=1, keepdims=True)) / sums


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

    def __init__(self, from_logits: bool = False, label_smoothing: float = 0.0):
        self.from_logits = from_logits
        self.label_smoothing = _check_smoothing(label_smoothing, "SparseCategoricalCrossentropy")

    def compute(
        self, y_true: np.ndarray, y_pred: np.ndarray, weight: np.ndarray | None = None
    ) -> tuple[float, np.ndarray]:
        """See the class."""
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

    def __init__(self, from_logits: bool = False, label_smoothing: float = 0.0):
        self.from_logits = from_logits
        self.label_smoothing = _check_smoothing(label_smoothing, "CategoricalCrossentropy")

    def compute(
        self, y_true: np.ndarray, y_pred: np.ndarray, weight: np.ndarray | None = None
    ) -> tuple[float, np.ndarray]:
        """See the class."""
        if y_pred.ndim != 2:
            raise ValueError(f"CategoricalCrossentropy: expected y_pred of shape (N, K), got {y_pred.shape}.")
        hint = " Class numbers go with sparse_categorical_crossentropy."
        t = _check_same_shape(y_true, y_pred, "CategoricalCrossentropy", hint)
        return _categorical(t, y_pred, weight, self)


class BinaryCrossentropy(Loss):
    """L = mean over all elements of -t * log p - (1 - t) * log(1 - p); p = y_pred, or sigmoid(y_pred) from logits.

    Gradients, with M elements: from logits (sigmoid(z) - t) / M; from probabilities (p - t) / (p * (1 - p) * M).

    Shapes: y_true = t and y_pred alike, or (N,) with (N, 1); t from 0 to 1.
    """

    output_activation = "sigmoid"

    def __init__(self, from_logits: bool = False, label_smoothing: float = 0.0):
        self.from_logits = from_logits
        self.label_smoothing = _check_smoothing(label_smoothing, "BinaryCrossentropy")

    def compute(
        self, y_true: np.ndarray, y_pred: np.ndarray, weight: np.ndarray | None = None
    ) -> tuple[float, np.ndarray]:
        """See the class."""
        t = _check_same_shape(y_true, y_pred, "BinaryCrossentropy")
        least, most = float(t.min()), float(t.max())
        if least < 0 or most > 1:
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
            return float((each * terms).mean()), each * dy
        p = xp.clip(y_pred, _CLIP, 1 - _CLIP)
        terms = -(t * xp.log(p, dtype=np.float64) + (1 - t) * xp.log1p(-p, dtype=np.float64))
        dy = xp.where(p == y_pred, (p - t) / (p * (1 - p) * p.size), 0)
        return float((each * terms).mean()), (each * dy).astype(y_pred.dtype)


class MeanSquaredError(Loss):
    """L = mean over all elements of (y_pred - y_true)^2; gradient 2 * (y_pred - y_true) / size. Shapes alike."""

    def compute(
        self, y_true: np.ndarray, y_pred: np.ndarray, weight: np.ndarray | None = None
    ) -> tuple[float, np.ndarray]:
        """See the class."""
        difference = y_pred - _check_same_shape(y_true, y_pred, "MeanSquaredError")
        slopes = difference * y_pred.dtype.type(2 / difference.size)
        squares = array_module(y_pred).square(difference, dtype=np.float64)
        if weight is None:
            return float(squares.mean()), slopes
        each = weight.reshape(-1, *[1] * (y_pred.ndim - 1))
        return float((each * squares).mean()), each * slopes


LOSSES: dict[str, type[Loss]] = {
    "binary_crossentropy": BinaryCrossentropy,
    "categorical_crossentropy": CategoricalCrossentropy,
    "mean_squared_error": MeanSquaredError,
    "mse": MeanSquaredError,
    "sparse_categorical_crossentropy": SparseCategoricalCrossentropy,
}


def get(loss: str | Loss) -> Loss:
    """A loss from its name, or the object itself.

    Raises:
        ValueError: no loss has that name; the nearest is named.
    """
    return loss if isinstance(loss, Loss) else LOSSES[check_choice(loss, LOSSES, "loss")]()
