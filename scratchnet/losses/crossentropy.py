"""Cross-entropies: of classes, from numbers or shares, and of independent yes-or-no answers."""

from __future__ import annotations

import numpy as np

from scratchnet import kernels
from scratchnet.devices import array_module
from scratchnet.losses.base import EPSILON, Elementwise, Loss, check_labels, check_same_shape, rows
from scratchnet.replay import unchecked
from scratchnet.signatures import OnlyDefault


class Smoothed(Loss):
    """What losses of classes and of yes-or-no answers share: `from_logits` and `label_smoothing`."""

    def __init__(self, from_logits: bool, label_smoothing: float, reduction: str | None, name: str | None):
        super().__init__(name, reduction)
        if not 0 <= label_smoothing < 1:
            caller = type(self).__name__
            raise ValueError(f"{caller}: expected label_smoothing from 0 to below 1, got {label_smoothing!r}.")
        self.from_logits, self.label_smoothing = from_logits, label_smoothing

    def smoothed(self, t: np.ndarray, classes: int) -> np.ndarray:
        """t * (1 - s) + s / classes, with s the label_smoothing."""
        s = self.label_smoothing
        return t * (1 - s) + t.dtype.type(s / classes) if s else t


class OfClasses(Smoothed):
    """A loss of classes that compares shares t (N, K), one-hot or others, with y_pred (N, K)."""

    output_activation = "softmax"

    def check_scores(self, y_pred: np.ndarray) -> None:
        """Raise a ValueError unless y_pred is (N, K) and, where it holds probabilities, has rows with a sum."""
        caller = type(self).__name__
        if y_pred.ndim != 2:
            raise ValueError(f"{caller}: expected y_pred of shape (N, K), got {y_pred.shape}.")
        if not (self.from_logits or unchecked() or y_pred.sum(axis=1).all()):
            raise ValueError(
                f"{caller}: expected rows of probabilities, got a row with the sum 0. End the model in a softmax, or "
                "use from_logits=True for scores."
            )

    def prepare(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """The shares, checked."""
        self.check_scores(y_pred)
        caller = type(self).__name__
        t = check_same_shape(y_true, y_pred, caller, " Class numbers go with sparse_categorical_crossentropy.")
        if not (unchecked() or t.min() >= 0):
            raise ValueError(
                f"{caller}: expected one-hot labels, or shares of at least 0, got {float(t.min()):g} in y_true."
            )
        return t

    def shares(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """t, smoothed, from what `prepare` returned."""
        return self.smoothed(y_true, y_pred.shape[1])


def normalized(y_pred: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(p, p clipped to 1e-7 ... 1 - 1e-7, the sums) with p = y_pred / the row's sum."""
    sums = y_pred.sum(axis=1, keepdims=True)
    p = y_pred / sums
    return p, p.clip(EPSILON, 1 - EPSILON), sums


class CategoricalCrossentropy(OfClasses):
    """L = mean over n of -sum over k of t[n,k] * log p[n,k]; p = y_pred / the row's sum; from logits softmax(y_pred).

    Gradients: from logits (softmax(z) * sum_k t - t) / N; from probabilities (sum_k t - t / p) / (N * the row's sum).

    Shapes: y_true = t (N, K), one-hot or any shares; y_pred (N, K).
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: OnlyDefault = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_crossentropy",
        dtype: OnlyDefault = None,
    ):
        super().__init__(from_logits, label_smoothing, reduction, name)

    def compute(
        self, y_true: np.ndarray, y_pred: np.ndarray, weight: np.ndarray | None = None
    ) -> tuple[float, np.ndarray]:
        """From logits one kernel gives both; the weight of an example goes into its shares."""
        if not self.from_logits:
            return super().compute(y_true, y_pred, weight)
        t = self.shares(y_true, y_pred)
        return kernels.of(y_pred).softmax_cross_entropy_onehot(y_pred, t if weight is None else t * rows(weight, t))

    def call(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """-sum over k of t * log p; a share of 0 takes no part, even where log p is -inf."""
        xp, t = array_module(y_pred), self.shares(y_true, y_pred)
        if self.from_logits:
            z = y_pred - y_pred.max(axis=1, keepdims=True)
            log_p = z - xp.log(xp.exp(z).sum(axis=1, keepdims=True, dtype=np.float64))
        else:
            log_p = xp.log(normalized(y_pred)[1], dtype=np.float64)
        return -(xp.where(t != 0, log_p, 0) * t).sum(axis=1)

    def gradient(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """From logits as above; from probabilities (g - sum_k g * p) / the sum, g = -t / p, 0 if p was clipped."""
        xp, t = array_module(y_pred), self.shares(y_true, y_pred)
        if self.from_logits:
            return kernels.of(y_pred).softmax(y_pred) * t.sum(axis=1, keepdims=True) - t
        p, clipped, sums = normalized(y_pred)
        g = xp.where(clipped == p, -t / clipped, 0)
        return (g - (g * p).sum(axis=1, keepdims=True)) / sums


class SparseCategoricalCrossentropy(CategoricalCrossentropy):
    """L = mean over n of -log p[n, y_n], y_n the true class; p = y_pred / the row's sum; from logits softmax(y_pred).

    Gradients: from logits (softmax(z) - onehot(y)) / N; from probabilities (1 - onehot(y) / p) / (N * the row's sum).

    Shapes: y_true (N,) or (N, 1), whole numbers from 0 to K - 1; y_pred (N, K).
    """

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: OnlyDefault = None,
        reduction: str | None = "sum_over_batch_size",
        axis: OnlyDefault = -1,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: OnlyDefault = None,
        *,
        label_smoothing: float = 0.0,
    ):
        super().__init__(from_logits, label_smoothing, reduction=reduction, name=name)

    def prepare(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """The class numbers, (N,)."""
        self.check_scores(y_pred)
        return check_labels(y_true, y_pred.shape[1], "SparseCategoricalCrossentropy")

    def shares(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """One-hot rows of the class numbers, smoothed."""
        xp, onehot = array_module(y_pred), array_module(y_pred).zeros_like(y_pred)
        onehot[xp.arange(len(y_true)), y_true] = 1
        return self.smoothed(onehot, y_pred.shape[1])

    def compute(
        self, y_true: np.ndarray, y_pred: np.ndarray, weight: np.ndarray | None = None
    ) -> tuple[float, np.ndarray]:
        """As in CategoricalCrossentropy; from logits, without weights and smoothing, by a kernel without shares."""
        if self.from_logits and weight is None and not self.label_smoothing:
            return kernels.of(y_pred).softmax_cross_entropy(y_pred, y_true)
        return super().compute(y_true, y_pred, weight)


class BinaryCrossentropy(Elementwise, Smoothed):
    """L = mean over all elements of -t * log p - (1 - t) * log(1 - p); p = y_pred, or sigmoid(y_pred) from logits.

    Gradients, with M elements: from logits (sigmoid(z) - t) / M; from probabilities (p - t) / (p * (1 - p) * M).

    Shapes: y_true = t and y_pred alike, or (N,) with (N, 1); t from 0 to 1, or somewhat beyond: noise on the labels of
    a GAN, such as 1.05, pulls p as far as it goes.
    """

    output_activation = "sigmoid"

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: OnlyDefault = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_crossentropy",
        dtype: OnlyDefault = None,
    ):
        Smoothed.__init__(self, from_logits, label_smoothing, reduction, name)

    def prepare(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """The labels, smoothed. Whole numbers beyond 0 and 1 are class numbers, and these belong to another loss."""
        t = super().prepare(y_true, y_pred)
        if not unchecked() and not (t.min() >= 0 and t.max() <= 1) and (t == t.astype(np.int64)).all():
            least, most = float(t.min()), float(t.max())
            raise ValueError(
                f"{type(self).__name__}: expected labels from 0 to 1, got {least:g} to {most:g}. Class numbers go with "
                "sparse_categorical_crossentropy, -1 and 1 with hinge."
            )
        return self.smoothed(t, 2)

    def compute(
        self, y_true: np.ndarray, y_pred: np.ndarray, weight: np.ndarray | None = None
    ) -> tuple[float, np.ndarray]:
        """From logits and without weights one kernel gives both."""
        if self.from_logits and weight is None:
            return kernels.of(y_pred).sigmoid_binary_cross_entropy(y_pred, y_true)
        return super().compute(y_true, y_pred, weight)

    def terms(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """-t * log p - (1 - t) * log(1 - p); from logits max(z, 0) - z * t + log(1 + exp(-|z|))."""
        xp = array_module(y_pred)
        if self.from_logits:
            z = y_pred.astype(np.float64)
            return z.clip(0) - z * y_true + xp.log1p(xp.exp(-abs(z)))
        p = y_pred.clip(EPSILON, 1 - EPSILON)
        return -(y_true * xp.log(p, dtype=np.float64) + (1 - y_true) * xp.log1p(-p, dtype=np.float64))

    def slopes(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """(p - t) / (p * (1 - p)), 0 where p was clipped; from logits sigmoid(z) - t."""
        if self.from_logits:
            return kernels.of(y_pred).sigmoid(y_pred) - y_true
        p = y_pred.clip(EPSILON, 1 - EPSILON)
        return array_module(y_pred).where(p == y_pred, (p - y_true) / (p * (1 - p)), 0)
