"""What all losses share: how they are called, reductions, weights of examples, and checks of labels."""

from __future__ import annotations

import copy
import math
from typing import Any, ClassVar

import numpy as np

from scratchnet.annotations import checked
from scratchnet.arguments import check_choice
from scratchnet.config import Configurable
from scratchnet.devices import array_module, as_array, like
from scratchnet.replay import number, unchecked
from scratchnet.signatures import OnlyDefault

EPSILON = 1e-7  # as keras.backend.epsilon(): what probabilities, and what is divided by, are kept away from 0
REDUCTIONS = ("mean", "mean_with_sample_weight", "none", "sum", "sum_over_batch_size")


class Loss(Configurable):
    """loss(y_true, y_pred) is a number; loss.value_and_gradient(y_true, y_pred) is (value, dLoss/dy_pred).

    There is no autograd, so a loss of one's own says both what it is and what its gradient is, in one of two ways:

        call(y_true, y_pred)        one number an example, as in Keras: y_pred's shape without the last axis
        gradient(y_true, y_pred)    y_pred's shape: the gradient of each of these numbers for its own row of y_pred

    and mean, weights and reduction are done for it; or all at once, where one pass gives both,

        compute(y_true, y_pred, weight=None)    (the mean, its gradient)

    `sn.gradcheck(loss, y_pred, y_true=y_true)` compares the two.

    Args:
        name: how it is called; nothing depends on it.
        reduction: "sum_over_batch_size" or "mean" for the mean over the examples; "sum"; "mean_with_sample_weight" for
            the weighted sum divided by the sum of the weights; "none" or None for one number an example, by hand only.

    Raises:
        ValueError: no reduction has that name.

    Source: https://keras.io/api/losses/
    """

    from_logits = False
    output_activation: ClassVar[str | None] = None  # the activation that the loss takes in when it works from logits

    def __init__(
        self,
        name: str | None = None,
        reduction: str | None = "sum_over_batch_size",
        dtype: OnlyDefault = None,
    ):
        self.name = name
        self.reduction = check_choice("none" if reduction is None else reduction, REDUCTIONS, "reduction")

    @checked
    def __call__(self, y_true: np.ndarray, y_pred: np.ndarray, sample_weight: np.ndarray | None = None) -> float:
        """The loss, reduced to a number, as in Keras; arguments and errors are those of `value_and_gradient`."""
        if self.reduction == "none":
            return self._each(*self._arrays(y_true, y_pred, sample_weight))  # type: ignore[return-value]  # an array
        return self.value_and_gradient(y_true, y_pred, sample_weight)[0]

    @checked
    def value_and_gradient(
        self, y_true: np.ndarray, y_pred: np.ndarray, sample_weight: np.ndarray | None = None
    ) -> tuple[float, np.ndarray]:
        """(value, gradient): the loss, and its gradient with respect to y_pred, of y_pred's shape.

        With the reduction "none" the value is an array, a number an example, and the gradient is that of their sum.

        Args:
            y_true: labels, see each loss. They, and the weights, are brought to the device of y_pred.
            y_pred: the model's outputs.
            sample_weight: (N,), how much each example counts; None for all alike.

        Raises:
            ValueError: shapes that do not fit, an empty batch, labels out of range, weights that are no numbers.
        """
        y_pred = as_array(y_pred)
        y_true, outputs, weight = self._arrays(y_true, y_pred, sample_weight)
        with np.errstate(under="ignore"):  # what is too small for float32 is 0
            value, gradient = self._reduced(y_true, outputs, weight)
        return value, gradient.reshape(y_pred.shape)

    def _arrays(
        self, y_true: np.ndarray, y_pred: np.ndarray, sample_weight: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Labels, outputs and weights, checked, on one device and of one dtype."""
        y_pred = as_array(y_pred)
        if y_pred.dtype not in (np.float32, np.float64):
            y_pred = y_pred.astype(np.float32)
        y_true, weight = like(y_true, y_pred), None
        if y_pred.ndim < 1 or y_pred.size == 0 or len(y_true) != len(y_pred):
            raise ValueError(
                f"{type(self).__name__}: expected as many labels as predictions, at least one, got y_true of shape "
                f"{y_true.shape} and y_pred of shape {y_pred.shape}."
            )
        if sample_weight is not None:
            weight = check_weights(sample_weight, len(y_pred), type(self).__name__)
            y_pred = y_pred[:, None] if y_pred.ndim == 1 else y_pred  # each number is an example then
        with np.errstate(under="ignore"):
            weight = None if weight is None else like(weight, y_pred).astype(y_pred.dtype)
            return self.prepare(y_true, y_pred), y_pred, weight

    def _each(self, y_true: np.ndarray, y_pred: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
        """The loss of each example, times its weight."""
        with np.errstate(under="ignore"):
            values = self.call(y_true, y_pred)
            return (values if weight is None else values * rows(weight, values)).astype(y_pred.dtype)

    def _reduced(self, y_true: np.ndarray, y_pred: np.ndarray, weight: np.ndarray | None) -> tuple[Any, np.ndarray]:
        if self.reduction == "none":
            gradient = self.gradient(y_true, y_pred)
            gradient = gradient if weight is None else gradient * rows(weight, gradient)
            return self._each(y_true, y_pred, weight), gradient
        # A loss of the reader's own may know no weights.
        value, gradient = self.compute(y_true, y_pred) if weight is None else self.compute(y_true, y_pred, weight)
        if self.reduction == "sum":
            count = math.prod(y_pred.shape[:-1])
            return value * count, gradient * y_pred.dtype.type(count)
        if self.reduction == "mean_with_sample_weight" and weight is not None:
            times = len(weight) / weight.sum(dtype=np.float64)
            return number(value * times), gradient * times.astype(y_pred.dtype)
        return value, gradient

    def prepare(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """The labels as `call`, `gradient` and `compute` take them, checked; (N,) for outputs (N, 1) become (N, 1).

        Raises:
            ValueError: labels that do not fit.
        """
        return same_rank(y_true, y_pred)

    def call(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """The loss of each example by itself, y_pred.shape[:-1]."""
        raise NotImplementedError(
            f"{type(self).__name__}: what is the loss? Define call(y_true, y_pred), one number an example, and "
            "gradient(y_true, y_pred), or compute(y_true, y_pred, weight=None) that returns (the mean, its gradient)."
        )

    def gradient(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """The gradient of each example's own loss, as `call` gives it, for its row of y_pred; of y_pred's shape."""
        raise NotImplementedError(
            f"{type(self).__name__}: there is no autograd, so call needs its gradient beside it. Define "
            "gradient(self, y_true, y_pred) that returns, in y_pred's shape, the gradient of each number of call for "
            "its row of y_pred. sn.gradcheck(loss, y_pred, y_true=y_true) says whether it is right."
        )

    def compute(
        self, y_true: np.ndarray, y_pred: np.ndarray, weight: np.ndarray | None = None
    ) -> tuple[float, np.ndarray]:
        """(the mean over the examples, its gradient), from `call` and `gradient` unless a loss defines it.

        Args:
            y_true: labels, as `prepare` returned them.
            y_pred: (N, ...), float32 or float64.
            weight: (N,) of y_pred's dtype, or None.
        """
        values, slopes = self.call(y_true, y_pred), self.gradient(y_true, y_pred)
        if weight is not None:
            values, slopes = values * rows(weight, values), slopes * rows(weight, slopes)
        return number(values.mean(dtype=np.float64)), slopes / y_pred.dtype.type(max(values.size, 1))

    def fused(self) -> Loss:
        """The same loss from logits, for models that end in its activation."""
        other = copy.copy(self)
        other.from_logits = True
        return other


class Elementwise(Loss):
    """A loss that is the mean over the last axis of terms, one an element: `terms` and `slopes` are its formula.

    Shapes: y_true and y_pred alike; (N,) goes with (N, 1).
    """

    def prepare(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """The labels in y_pred's shape and dtype."""
        return check_same_shape(y_true, y_pred, type(self).__name__)

    def terms(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """The loss of each element."""
        raise NotImplementedError

    def slopes(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """dterm/dy_pred of each element."""
        raise NotImplementedError

    def call(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """The mean of each example's terms."""
        return self.terms(y_true, y_pred).mean(axis=-1, dtype=np.float64)

    def gradient(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """The slopes, divided by the length of the last axis."""
        return (self.slopes(y_true, y_pred) / y_pred.dtype.type(y_pred.shape[-1])).astype(y_pred.dtype, copy=False)


def same_rank(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """Labels with as many axes as outputs, where an axis of length 1 at the end is all that is missing or too many.

    Else (N,) and (N, 1) would make (N, N) of each other.
    """
    if y_true.ndim + 1 == y_pred.ndim and y_pred.shape[-1] == 1:
        return y_true[..., None]
    return y_true[..., 0] if y_true.ndim == y_pred.ndim + 1 and y_true.shape[-1] == 1 else y_true


def rows(weight: np.ndarray, array: np.ndarray) -> np.ndarray:
    """(N,) in a shape that multiplies the rows of an array (N, ...)."""
    return weight.reshape(-1, *[1] * (array.ndim - 1))


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
    """y_true in y_pred's shape and dtype; labels (N,) for predictions (N, 1) are taken, and the other way round."""
    labels = same_rank(y_true, y_pred)
    if labels.shape != y_pred.shape:
        raise ValueError(f"{caller}: expected y_true of y_pred's shape {y_pred.shape}, got {y_true.shape}.{hint}")
    return labels.astype(y_pred.dtype, copy=False)
