"""Shares of right answers."""

from __future__ import annotations

import numpy as np

from scratchnet.annotations import checked
from scratchnet.arguments import check_count, check_number
from scratchnet.devices import array_module
from scratchnet.losses import check_labels
from scratchnet.metrics.base import ExampleMean
from scratchnet.signatures import OnlyDefault


def _classes(y_true: np.ndarray, y_pred: np.ndarray, caller: str) -> np.ndarray:
    """The true classes, (N,), from class numbers (N,) or (N, 1), or from one-hot rows like y_pred."""
    if y_true.shape == y_pred.shape and y_pred.ndim == 2 and y_pred.shape[1] > 1:
        return y_true.argmax(axis=1)
    return check_labels(y_true, y_pred.shape[-1], caller)


def _right_side(y_true: np.ndarray, y_pred: np.ndarray, threshold: float) -> np.ndarray:
    """Whether each output is above the threshold where its label is 1, and not above where it is 0."""
    if y_true.size != y_pred.size or len(y_true) != len(y_pred):
        raise ValueError(f"accuracy: expected one label an output, got shapes {y_true.shape} and {y_pred.shape}.")
    return (y_pred > threshold) == y_true.reshape(y_pred.shape)


class Accuracy(ExampleMean):
    """The share of examples whose largest output is that of the true class. y_pred (N, K), scores or probabilities.

    It is what the name "accuracy" stands for. A single output is taken as Keras does, as a probability: see
    BinaryAccuracy. (A Keras Accuracy that is made by hand compares numbers with numbers, without a look for the
    largest.)
    """

    direction = "up"

    def __init__(self, name: str | None = "accuracy", dtype: OnlyDefault = None) -> None:
        super().__init__(name)

    def score(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """1 where right, else 0."""
        if y_pred.ndim == 1 or y_pred.shape[-1] == 1:
            return _right_side(y_true, y_pred, 0.5)
        return y_pred.argmax(axis=1) == _classes(y_true, y_pred, "accuracy")


class CategoricalAccuracy(Accuracy):
    """Accuracy under Keras's name for one-hot labels; class numbers are taken too."""

    def __init__(self, name: str | None = "categorical_accuracy", dtype: OnlyDefault = None) -> None:
        super().__init__(name)


class SparseCategoricalAccuracy(Accuracy):
    """Accuracy under Keras's name for class numbers; one-hot labels are taken too."""

    def __init__(self, name: str | None = "sparse_categorical_accuracy", dtype: OnlyDefault = None) -> None:
        super().__init__(name)


class BinaryAccuracy(ExampleMean):
    """The share of outputs on the right side of the threshold: 0.5 for probabilities, 0 for scores (logits).

    Labels are 0 and 1; any other is never right, as in Keras.
    """

    direction = "up"

    def __init__(self, name: str | None = "binary_accuracy", dtype: OnlyDefault = None, threshold: float = 0.5) -> None:
        super().__init__(name)
        self.threshold = check_number(threshold, "threshold", "BinaryAccuracy")

    def score(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """1 where right, else 0."""
        return _right_side(y_true, y_pred, self.threshold)


class TopKCategoricalAccuracy(ExampleMean):
    """The share of examples whose true class is among the k largest outputs; y_true class numbers or one-hot."""

    direction = "up"

    def __init__(self, k: int = 5, name: str | None = "top_k_categorical_accuracy", dtype: OnlyDefault = None) -> None:
        super().__init__(name)
        self.k = check_count(k, "k", type(self).__name__)

    def score(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """1 where the true class is among the first k: where fewer than k outputs are larger than its own."""
        xp = array_module(y_pred)
        own = xp.take_along_axis(y_pred, _classes(y_true, y_pred, self.name)[:, None], axis=1)
        return ((y_pred > own).sum(axis=1) < self.k) & ~xp.isnan(own[:, 0])


class SparseTopKCategoricalAccuracy(TopKCategoricalAccuracy):
    """TopKCategoricalAccuracy under Keras's name for class numbers; one-hot labels are taken too."""

    def __init__(
        self,
        k: int = 5,
        name: str | None = "sparse_top_k_categorical_accuracy",
        dtype: OnlyDefault = None,
        from_sorted_ids: OnlyDefault = False,
    ) -> None:
        super().__init__(k, name)


def _each(metric: ExampleMean, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """1 where right, else 0, in the outputs' dtype."""
    right = metric.scores(y_true, y_pred)
    return right.astype(y_pred.dtype if getattr(y_pred, "dtype", None) == np.float64 else np.float32)


@checked
def binary_accuracy(y_true: np.ndarray, y_pred: np.ndarray, threshold: float = 0.5) -> np.ndarray:
    """`BinaryAccuracy` of each output: 1 where right, else 0."""
    return _each(BinaryAccuracy(threshold=threshold), y_true, y_pred)


@checked
def categorical_accuracy(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """`CategoricalAccuracy` of each example: 1 where right, else 0."""
    return _each(CategoricalAccuracy(), y_true, y_pred)


@checked
def sparse_categorical_accuracy(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """`SparseCategoricalAccuracy` of each example: 1 where right, else 0."""
    return _each(SparseCategoricalAccuracy(), y_true, y_pred)


@checked
def top_k_categorical_accuracy(y_true: np.ndarray, y_pred: np.ndarray, k: int = 5) -> np.ndarray:
    """`TopKCategoricalAccuracy` of each example: 1 where right, else 0."""
    return _each(TopKCategoricalAccuracy(k), y_true, y_pred)


@checked
def sparse_top_k_categorical_accuracy(
    y_true: np.ndarray, y_pred: np.ndarray, k: int = 5, from_sorted_ids: OnlyDefault = False
) -> np.ndarray:
    """`SparseTopKCategoricalAccuracy` of each example: 1 where right, else 0."""
    return _each(SparseTopKCategoricalAccuracy(k), y_true, y_pred)
