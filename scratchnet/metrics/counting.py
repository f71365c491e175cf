"""Right and wrong answers to yes-or-no questions, counted at thresholds: Precision, Recall and the four counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from scratchnet.annotations import checked
from scratchnet.arguments import check_count, is_number
from scratchnet.devices import to_numpy
from scratchnet.losses.base import check_same_shape
from scratchnet.metrics.base import Metric, arrays, weights
from scratchnet.signatures import OnlyDefault

Thresholds = float | Sequence[float] | None
COUNTS = ("true_positives", "false_positives", "true_negatives", "false_negatives")


_NEVER = -1e10  # below all outputs, and below it none


def check_thresholds(thresholds: Any, caller: str) -> list[float]:
    """One threshold or several as a list; a ValueError unless they lie within 0 to 1."""
    several = list(thresholds) if isinstance(thresholds, (list, tuple, np.ndarray)) else [thresholds]
    if not several or not all(is_number(t) and 0 <= t <= 1 for t in several):
        raise ValueError(f"{caller}: expected thresholds from 0 to 1, got {thresholds!r}.")
    return several


def count_at(
    y_true: np.ndarray, y_pred: np.ndarray, thresholds: np.ndarray, weight: np.ndarray | None
) -> dict[str, np.ndarray]:
    """The four counts at each threshold, where an output above it says yes; as Keras does, in float32.

    Args:
        y_true: labels, anything but 0 is yes.
        y_pred: outputs, of y_true's shape.
        thresholds: rising.
        weight: how much each element counts, of y_true's shape; None for 1.
    """
    yes, places = y_true.ravel() != 0, np.searchsorted(thresholds.astype(np.float32), y_pred.ravel().astype(np.float32))
    each = np.ones(yes.size) if weight is None else weight.ravel()

    def above(chosen: np.ndarray) -> np.ndarray:
        """How much there is above each threshold: outputs at place i are above the first i of them."""
        found = np.bincount(places, each * chosen, len(thresholds) + 1)
        return found[::-1].cumsum()[::-1][1:]

    positive, negative = above(yes), above(~yes)
    return dict(zip(COUNTS, (positive, negative, (each * ~yes).sum() - negative, (each * yes).sum() - positive)))


class Counting(Metric):
    """The four counts at thresholds, in attributes of their names; what else can be said of them is in `result`.

    Args:
        thresholds: one or several from 0 to 1; None for 0.5. With several, the result is an array.
        top_k: only the k largest outputs of an example may be a yes.
        class_id: look at this class alone.
        name: of its values; None for the class's.

    Shapes: y_true (0 or 1) and y_pred alike, or (N,) with (N, 1).
    """

    default_name: ClassVar[str]
    true_positives: np.ndarray  # (thresholds,), as the other three
    false_positives: np.ndarray
    true_negatives: np.ndarray
    false_negatives: np.ndarray

    def __init__(
        self, thresholds: Thresholds, name: str | None, top_k: int | None = None, class_id: int | None = None
    ) -> None:
        super().__init__(name=self.default_name if name is None else name)
        caller, lowest = type(self).__name__, 0.5 if top_k is None else _NEVER  # among the k largest, any will do
        self.thresholds = [lowest] if thresholds is None else check_thresholds(thresholds, caller)
        self.top_k = None if top_k is None else check_count(top_k, "top_k", caller)
        self.class_id = None if class_id is None else check_count(class_id, "class_id", caller, 0)
        self.reset_state()

    def reset_state(self) -> None:
        """Forget what was seen."""
        for name in COUNTS:
            setattr(self, name, np.zeros(len(self.thresholds)))

    @checked
    def update_state(self, y_true: np.ndarray, y_pred: np.ndarray, sample_weight: np.ndarray | None = None) -> None:
        """Take in a batch, with weights (N,) of the examples or without."""
        caller = type(self).__name__
        t, y = (to_numpy(array) for array in arrays(y_true, y_pred, caller))
        t = check_same_shape(t, y, caller)
        if self.top_k is not None:
            least = np.sort(y, axis=-1)[..., -min(self.top_k, y.shape[-1]), None]
            y = np.where(y >= least, y, _NEVER)
        if self.class_id is not None:
            t, y = t[..., self.class_id], y[..., self.class_id]
        each = None
        if sample_weight is not None:
            each = weights(sample_weight, len(y), self).reshape(-1, *[1] * (y.ndim - 1)) * np.ones(y.shape)
        order = np.argsort(self.thresholds)
        for name, counts in count_at(t, y, np.array(self.thresholds)[order], each).items():
            getattr(self, name)[order] += counts

    def shown(self, values: np.ndarray) -> Any:
        """One number for one threshold, else an array."""
        return float(values[0]) if len(values) == 1 else values.copy()


def share(part: np.ndarray, of: np.ndarray) -> np.ndarray:
    """part / of, 0 where there is nothing, as in Keras."""
    return np.divide(part, of, out=np.zeros_like(part), where=of != 0)


class TruePositives(Counting):
    """How many outputs above the threshold have the label 1."""

    default_name = "true_positives"

    def __init__(self, thresholds: Thresholds = None, name: str | None = None, dtype: OnlyDefault = None) -> None:
        super().__init__(thresholds, name)

    def result(self) -> Any:
        """The count; with several thresholds an array."""
        return self.shown(self.true_positives)


class FalsePositives(Counting):
    """How many outputs above the threshold have the label 0."""

    default_name = "false_positives"

    def __init__(self, thresholds: Thresholds = None, name: str | None = None, dtype: OnlyDefault = None) -> None:
        super().__init__(thresholds, name)

    def result(self) -> Any:
        """The count; with several thresholds an array."""
        return self.shown(self.false_positives)


class TrueNegatives(Counting):
    """How many outputs not above the threshold have the label 0."""

    default_name = "true_negatives"

    def __init__(self, thresholds: Thresholds = None, name: str | None = None, dtype: OnlyDefault = None) -> None:
        super().__init__(thresholds, name)

    def result(self) -> Any:
        """The count; with several thresholds an array."""
        return self.shown(self.true_negatives)


class FalseNegatives(Counting):
    """How many outputs not above the threshold have the label 1."""

    default_name = "false_negatives"

    def __init__(self, thresholds: Thresholds = None, name: str | None = None, dtype: OnlyDefault = None) -> None:
        super().__init__(thresholds, name)

    def result(self) -> Any:
        """The count; with several thresholds an array."""
        return self.shown(self.false_negatives)


class Precision(Counting):
    """How many of the outputs above the threshold are right: true positives / (true + false positives); else 0."""

    direction = "up"
    default_name = "precision"

    def __init__(
        self,
        thresholds: Thresholds = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: OnlyDefault = None,
    ) -> None:
        super().__init__(thresholds, name, top_k, class_id)

    def result(self) -> Any:
        """The precision; with several thresholds an array."""
        return self.shown(share(self.true_positives, self.true_positives + self.false_positives))


class Recall(Counting):
    """How many of the labels 1 were found: true positives / (true positives + false negatives); 0 if there are none."""

    direction = "up"
    default_name = "recall"

    def __init__(
        self,
        thresholds: Thresholds = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: OnlyDefault = None,
    ) -> None:
        super().__init__(thresholds, name, top_k, class_id)

    def result(self) -> Any:
        """The recall; with several thresholds an array."""
        return self.shown(share(self.true_positives, self.true_positives + self.false_negatives))
