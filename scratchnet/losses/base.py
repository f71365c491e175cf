"""What all losses share: how they are called, weights of examples, and checks of labels."""

from __future__ import annotations

import copy
from typing import Any, ClassVar

import numpy as np

from scratchnet.annotations import checked
from scratchnet.config import Configurable
from scratchnet.devices import array_module, as_array, like
from scratchnet.replay import unchecked
from scratchnet.signatures import OnlyDefault


class Loss(Configurable):
    """loss(y_true, y_pred) is a number; loss.value_and_gradient(y_true, y_pred) is (value, dLoss/dy_pred).

    A loss of one's own defines `compute`.

    Args:
        name: how it is called; nothing depends on it.

    Source: https://keras.io/api/losses/
    """

    from_logits = False
    output_activation: ClassVar[str | None] = None  # the activation that the loss takes in when it works from logits

    def __init__(
        self,
        name: str | None = None,
        reduction: OnlyDefault = "sum_over_batch_size",
        dtype: OnlyDefault = None,
    ):
        self.name = name

    @checked
    def __call__(self, y_true: np.ndarray, y_pred: np.ndarray, sample_weight: np.ndarray | None = None) -> float:
        """The mean loss, as in Keras; arguments and errors are those of `value_and_gradient`."""
        return self.value_and_gradient(y_true, y_pred, sample_weight)[0]

    @checked
    def value_and_gradient(
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
            with np.errstate(under="ignore"):  # what is too small for float32 is 0
                return self.compute(y_true, y_pred)  # a loss of the reader's own may know no weights
        weight = check_weights(sample_weight, len(y_pred), type(self).__name__)
        with np.errstate(under="ignore"):
            return self.compute(y_true, y_pred, like(weight, y_pred).astype(y_pred.dtype))

    def compute(
        self, y_true: np.ndarray, y_pred: np.ndarray, weight: np.ndarray | None = None
    ) -> tuple[float, np.ndarray]:
        """(value, gradient) as in `value_and_gradient`, which has checked the arrays; each loss defines this.

        Args:
            y_true: labels, as many as predictions.
            y_pred: (N, ...), float32 or float64.
            weight: (N,) of y_pred's dtype, or None.
        """
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
    if not (unchecked() or (array_module(weight).isfinite(weight).all() and (weight >= 0).all())):
        least, most = float(weight.min()), float(weight.max())
        raise ValueError(f"{caller}: expected finite weights of at least 0, got {least:g} to {most:g}.")
    return weight


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
    if unchecked():
        return whole
    if labels.dtype.kind not in "iu" and (whole != labels).any():
        raise ValueError(f"{caller}: expected labels that are whole numbers, got some that are not.")
    # Seen as unsigned, a negative number is a very large one: one comparison finds both.
    if len(whole) and whole.view(np.uint64).max() >= classes:
        wrong = int(whole[(whole < 0) | (whole >= classes)][0])
        raise ValueError(
            f"{caller}: expected labels from 0 to {classes - 1}, got {wrong}. The last layer has {classes} "
            "outputs, one a "
            "class; labels start at 0."
        )
    return whole


def check_same_shape(y_true: np.ndarray, y_pred: np.ndarray, caller: str, hint: str = "") -> np.ndarray:
    """y_true in y_pred's shape and dtype; either may have one axis of size 1 more at its end, as (N,) and (N, 1)."""
    if y_true.shape != y_pred.shape:
        if y_true.shape in ((*y_pred.shape, 1), y_pred.shape[:-1]) and y_true.size == y_pred.size:
            y_true = y_true.reshape(y_pred.shape)
        else:
            raise ValueError(f"{caller}: expected y_true of y_pred's shape {y_pred.shape}, got {y_true.shape}.{hint}")
    return y_true.astype(y_pred.dtype, copy=False)
