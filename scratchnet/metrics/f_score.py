"""Precision and recall of each class as one number."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet.annotations import checked
from scratchnet.arguments import check_choice, check_number
from scratchnet.devices import to_numpy
from scratchnet.losses.base import EPSILON, check_same_shape
from scratchnet.metrics.base import Metric, arrays, weights
from scratchnet.signatures import OnlyDefault


class FBetaScore(Metric):
    """(1 + beta^2) * precision * recall / (beta^2 * precision + recall), of each class.

    Args:
        average: None for an array, a number a class; "macro" for their mean, "weighted" for their mean weighted by the
            labels of each class, "micro" for the score of all classes together.
        beta: how much more recall counts than precision.
        threshold: an output above it says yes; None for the largest output of each example.
        name: of its values.

    Shapes: y_true (N, K), 0 or 1, and y_pred (N, K).
    """

    direction = "up"

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype: OnlyDefault = None,
    ) -> None:
        super().__init__(name=name)
        caller = type(self).__name__
        kinds = ("macro", "micro", "weighted")
        self.average = None if average is None else check_choice(average, kinds, "average")
        self.beta = check_number(beta, "beta", caller, 0, above=True)
        if threshold is not None:
            check_number(threshold, "threshold", caller, 0, 1, above=True)
        self.threshold = threshold
        self.reset_state()

    def reset_state(self) -> None:
        """Forget what was seen."""
        self.true_positives, self.positives, self.labels = np.zeros((3, 1))

    @checked
    def update_state(self, y_true: np.ndarray, y_pred: np.ndarray, sample_weight: np.ndarray | None = None) -> None:
        """Take in a batch, with weights (N,) of the examples or without."""
        caller = type(self).__name__
        t, y = (to_numpy(array) for array in arrays(y_true, y_pred, caller))
        y = y[:, None] if y.ndim == 1 else y
        if y.ndim != 2:
            raise ValueError(f"{caller}: expected y_pred of shape (N, K), got {y.shape}.")
        t = check_same_shape(t, y, caller, " Labels are one-hot: np.eye(classes)[numbers].")
        if self.threshold is None:
            said = (y >= y.max(axis=1, keepdims=True)) & (abs(y) > 1e-9)
        else:
            said = y > self.threshold
        each = np.ones((len(y), 1)) if sample_weight is None else weights(sample_weight, len(y), self)[:, None]
        self.true_positives = self.true_positives + (each * said * t).sum(axis=0)
        self.positives = self.positives + (each * said).sum(axis=0)
        self.labels = self.labels + (each * t).sum(axis=0)

    def result(self) -> Any:
        """The score, or an array of scores."""
        tp, positives, labels = self.true_positives, self.positives, self.labels
        if self.average == "micro":
            tp, positives, labels = (array.sum() for array in (tp, positives, labels))
        precision, recall = tp / (positives + EPSILON), tp / (labels + EPSILON)
        squared = self.beta**2
        scores = (1 + squared) * precision * recall / (squared * precision + recall + EPSILON)
        if self.average is None:
            return scores
        if self.average == "weighted":
            return float((scores * labels).sum() / (labels.sum() + EPSILON))
        return float(scores.mean())


class F1Score(FBetaScore):
    """2 * precision * recall / (precision + recall), of each class: FBetaScore with beta = 1."""

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: OnlyDefault = None,
    ) -> None:
        super().__init__(average, 1.0, threshold, name)
