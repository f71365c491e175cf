"""How many examples of each class were taken for which."""

from __future__ import annotations

import numpy as np

from scratchnet.annotations import checked
from scratchnet.arguments import check_count
from scratchnet.devices import to_numpy
from scratchnet.losses import check_labels


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
