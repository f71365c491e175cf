"""Labels as rows of ones and zeros, and arrays brought to length one."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet.annotations import checked
from scratchnet.arguments import check_array, check_count, shortened
from scratchnet.devices import to_numpy


@checked
def to_categorical(x: Any, num_classes: int | None = None) -> np.ndarray:
    """Labels as one-hot rows: y[..., k] is 1 where k is the label, else 0; float64.

    Args:
        x: a label, or an array of labels, from 0; the shape (..., 1) counts as (...).
        num_classes: how many there are; None for the largest label plus one.

    Returns:
        x's shape, with num_classes behind it.

    Raises:
        ValueError: a label is no whole number, below 0, or not below num_classes; or no labels, and no num_classes.
    """
    check_array(x, "x", "to_categorical")
    labels = np.asarray(to_numpy(x))
    if (broken := _broken(labels.ravel())).size:
        raise ValueError(
            f"to_categorical: expected x to be whole numbers, labels from 0, got {shortened(broken.tolist()[0])}."
        )
    whole = labels.astype(np.int64)
    if labels.ndim > 1 and labels.shape[-1] == 1:
        whole = whole[..., 0]
    if not num_classes:
        if not whole.size:
            raise ValueError(
                f"to_categorical: expected labels in x, got none, its shape is {labels.shape}. Give num_classes."
            )
        num_classes = int(whole.max()) + 1
    else:
        check_count(num_classes, "num_classes", "to_categorical")
    if whole.size and (whole.min() < 0 or whole.max() >= num_classes):
        outside = whole[(whole < 0) | (whole >= num_classes)].tolist()
        raise ValueError(
            f"to_categorical: expected x, labels from 0 to num_classes - 1 = {num_classes - 1}, got {outside[0]}. "
            "Labels that begin at 1: to_categorical(x - 1)."
        )
    y = np.zeros((*whole.shape, num_classes))
    np.put_along_axis(y, whole[..., None], 1, axis=-1)
    return y


def _broken(labels: np.ndarray) -> np.ndarray:
    """Those that are no whole numbers."""
    if labels.dtype.kind == "f":
        return labels[~np.isfinite(labels) | (labels != np.trunc(labels))]
    return labels[:0] if labels.dtype.kind in "biu" else labels


@checked
def normalize(x: np.ndarray, axis: int | None = -1, order: float = 2) -> np.ndarray:
    """x divided by its norm along an axis, (sum |x|^order)^(1 / order); where that is 0, x stays as it is.

    Args:
        x: an array.
        axis: the axis; None for the norm of all of it, as one vector.
        order: of the norm: 2 for the Euclidean length, 1 for the sum of magnitudes, np.inf for the largest.

    Raises:
        ValueError: x has no such axis.
    """
    x = np.asarray(to_numpy(x))
    if axis is not None and not -x.ndim <= axis < x.ndim:
        raise ValueError(
            f"normalize: expected axis from {-x.ndim} to {x.ndim - 1} for x of shape {x.shape}, got {axis}."
        )
    vectors = x.reshape(-1) if axis is None else x
    norm = np.linalg.norm(vectors, float(order), -1 if axis is None else axis, keepdims=True)
    norm[norm == 0] = 1
    result: np.ndarray = (vectors / norm).reshape(x.shape)
    return result
