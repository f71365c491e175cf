"""Metrics: what people want to know and no gradient can use. Each adds up over batches: update, result, reset."""

from __future__ import annotations

import re

import numpy as np

from scratchnet.annotations import checked
from scratchnet.arguments import check_choice, check_count, check_number
from scratchnet.config import Configurable
from scratchnet.devices import array_module, as_array, like, to_numpy
from scratchnet.losses import BinaryCrossentropy, Loss, check_labels, check_weights
from scratchnet.signatures import OnlyDefault


class Metric(Configurable):
    """A mean over all examples seen since the last reset; a metric says per example whether it is right.

    Args:
        name: of its values in logs and history, and behind "val_" of those of validation.

    Attributes:
        direction: "up" if larger values are better, "down" if smaller ones are; None if nobody knows, and callbacks
            that watch it must be told.

    Source: https://keras.io/api/metrics/
    """

    name = "metric"
    direction: str | None = None

    def __init__(self, dtype: OnlyDefault = None, name: str | None = None) -> None:
        if name is not None:
            self.name = name
        self.reset()

    def reset(self) -> None:
        """Forget what was seen."""
        self.total: float = 0.0
        self.count: float = 0  # a whole number, as long as no weights come

    @checked
    def update(self, y_true: np.ndarray, y_pred: np.ndarray, sample_weight: np.ndarray | None = None) -> None:
        """Take in a batch; labels and weights are brought to the device of y_pred.

        With weights (N,), the result is the sum of weight times score, divided by the sum of the weights.
        """
        y_pred = as_array(y_pred)
        y_true = like(y_true, y_pred)
        if len(y_true) != len(y_pred):
            raise ValueError(
                f"{type(self).__name__}: expected as many y_true as y_pred, got shapes {y_true.shape} and "
                f"{y_pred.shape}."
            )
        with np.errstate(under="ignore"):
            right = self.score(y_true, y_pred)
        if sample_weight is None:
            self.total += float(right.sum())
            self.count += right.size
            return
        weight = like(check_weights(sample_weight, len(right), type(self).__name__), y_pred)
        self.total += float((right.reshape(len(right), -1).mean(axis=1) * weight).sum())
        self.count += float(weight.sum())

    def result(self) -> float:
        """The mean over the examples seen; NaN if there were none."""
        return self.total / self.count if self.count else float("nan")

    def score(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """One number an example; what each metric defines."""
        raise NotImplementedError


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


class Accuracy(Metric):
    """The share of examples whose largest output is that of the true class. y_pred (N, K), scores or probabilities.

    It is what the name "accuracy" stands for. A single output is taken as Keras does, as a probability: see
    BinaryAccuracy. (A Keras Accuracy that is made by hand compares numbers with numbers, without a look for the
    largest.)
    """

    direction = "up"

    def __init__(self, name: str | None = "accuracy", dtype: OnlyDefault = None) -> None:
        super().__init__(name=name)

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


class BinaryAccuracy(Metric):
    """The share of outputs on the right side of the threshold: 0.5 for probabilities, 0 for scores (logits).

    Labels are 0 and 1; any other is never right, as in Keras.
    """

    direction = "up"

    def __init__(self, name: str | None = "binary_accuracy", dtype: OnlyDefault = None, threshold: float = 0.5) -> None:
        super().__init__(name=name)
        self.threshold = check_number(threshold, "threshold", "BinaryAccuracy")

    def score(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """1 where right, else 0."""
        return _right_side(y_true, y_pred, self.threshold)


class TopKCategoricalAccuracy(Metric):
    """The share of examples whose true class is among the k largest outputs; y_true class numbers or one-hot."""

    direction = "up"

    def __init__(self, k: int = 5, name: str | None = "top_k_categorical_accuracy", dtype: OnlyDefault = None) -> None:
        super().__init__(name=name)
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


@checked
def confusion_matrix(y_true: np.ndarray, y_pred: np.ndarray, num_classes: int | None = None) -> np.ndarray:
    """counts[t, p] = how many examples of class t were taken for class p.

    Args:
        y_true: class numbers, (N,) or (N, 1).
        y_pred: class numbers like y_true, or one row of probabilities an example, (N, K).
        num_classes: K; by default one more than the largest class number.

    Raises:
        ValueError: different lengths, or a class number out of range.
    """
    y_true, y_pred = to_numpy(y_true), to_numpy(y_pred)
    if y_pred.ndim == 2 and y_pred.shape[1] > 1:
        num_classes = num_classes or y_pred.shape[1]
        y_pred = y_pred.argmax(axis=1)
    if len(y_true) != len(y_pred):
        raise ValueError(
            f"confusion_matrix: expected as many y_true as y_pred, got {len(y_true)} true classes and {len(y_pred)} "
            "predicted ones."
        )
    if num_classes is not None:
        check_count(num_classes, "num_classes", "confusion_matrix")
    if num_classes is None:
        num_classes = int(max(y_true.max(initial=0), y_pred.max(initial=0))) + 1
    t, p = (check_labels(y, num_classes, "confusion_matrix") for y in (y_true, y_pred))
    return np.bincount(t * num_classes + p, minlength=num_classes**2).reshape(num_classes, num_classes)


METRICS: dict[str, type[Metric]] = {
    "acc": Accuracy,
    "accuracy": Accuracy,
    "binary_accuracy": BinaryAccuracy,
    "categorical_accuracy": CategoricalAccuracy,
    "sparse_categorical_accuracy": SparseCategoricalAccuracy,
    "sparse_top_k_categorical_accuracy": SparseTopKCategoricalAccuracy,
    "top_5_accuracy": TopKCategoricalAccuracy,
    "top_k_categorical_accuracy": TopKCategoricalAccuracy,
}


def get(identifier: str | Metric, *, loss: Loss | None = None) -> Metric:
    """A metric from its name, which it keeps, or the object itself.

    "accuracy" and "acc" are binary or of classes, as the loss needs it; in "top_5_accuracy" any number may stand.

    Raises:
        ValueError: no metric has that name; the nearest is named.
    """
    if isinstance(identifier, Metric):
        return identifier
    if top := re.fullmatch(r"top_(\d+)_accuracy", str(identifier).lower()):
        return TopKCategoricalAccuracy(int(top[1]), identifier)
    name = check_choice(identifier, METRICS, "metric")
    if name in ("acc", "accuracy") and isinstance(loss, BinaryCrossentropy):
        return BinaryAccuracy(identifier, threshold=0.0 if loss.from_logits else 0.5)
    return METRICS[name](name=identifier)
