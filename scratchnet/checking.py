"""Checks of the data that come in for training and prediction: each fault is named before any weight has moved."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet.losses import Loss, SparseCategoricalCrossentropy, check_labels


def as_numbers(array: Any, name: str, who: str) -> np.ndarray:
    """The array, if it holds at least one example of real numbers.

    Raises:
        ValueError: text, objects, complex numbers, rows of different length, or nothing at all.
    """
    try:
        array = np.asarray(array)
    except ValueError as error:
        raise ValueError(f"{who}: {name} is no array: {error}. Give all examples the same shape.") from error
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{who}: expected numbers in {name}, got an array of {array.dtype}.")
    if array.ndim < 1 or len(array) == 0:
        raise ValueError(f"{who}: expected at least one example, got {name} of shape {array.shape}.")
    return array


def check_finite(array: np.ndarray, name: str, who: str) -> None:
    """Raise a ValueError that names the first example with NaN or infinity."""
    if array.dtype.kind != "f":
        return
    for start in range(0, len(array), 1024):  # a slice at a time: no second copy of the data
        finite = np.isfinite(array[start : start + 1024])
        if not finite.all():
            bad = start + int(np.argmin(finite.reshape(len(finite), -1).all(axis=1)))
            raise ValueError(
                f"{who} found NaN or infinity in {name}, first in {name}[{bad}]. One such number spoils all weights. "
                f"Find them with np.isnan({name}) and np.isinf({name})."
            )


def check_data(x: Any, y: Any, who: str, loss: Loss, classes: int | None) -> tuple[np.ndarray, np.ndarray]:
    """x and y as arrays that can be trained on.

    Args:
        x, y: examples and labels.
        who: how errors begin, such as "Sequential 'sequential': fit".
        loss: what the labels are for.
        classes: outputs of the model, None where it is not built yet.

    Raises:
        ValueError: not numbers, no examples, different lengths, NaN or infinity, labels out of range.
    """
    x, y = as_numbers(x, "x", who), as_numbers(y, "y", who)
    if len(x) != len(y):
        raise ValueError(f"{who} expected one label an example, got x of shape {x.shape} and y of shape {y.shape}.")
    check_finite(x, "x", who)
    check_finite(y, "y", who)
    if isinstance(loss, SparseCategoricalCrossentropy) and classes is not None:
        check_labels(y, classes, who)
    return x, y


def check_pair(data: Any, who: str) -> tuple[Any, Any]:
    """Raise a ValueError unless `data` is (x, y)."""
    if not isinstance(data, (tuple, list)) or len(data) != 2:
        came = f"{type(data).__name__} of {len(data)}" if hasattr(data, "__len__") else repr(data)
        raise ValueError(f"{who}: expected validation_data as a pair (x, y), got {came}.")
    return data[0], data[1]
