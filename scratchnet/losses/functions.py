"""The losses as functions, under Keras's names: called by hand, each gives one number an example, without a mean.

losses.mean_squared_error(y_true, y_pred)           shape: y_pred's without its last axis
model.compile(loss=losses.mean_squared_error)       means MeanSquaredError()
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scratchnet.annotations import checked
from scratchnet.losses.base import Loss
from scratchnet.losses.crossentropy import BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy
from scratchnet.losses.divergence import KLDivergence, Poisson
from scratchnet.losses.focal import BinaryFocalCrossentropy, CategoricalFocalCrossentropy
from scratchnet.losses.margin import CategoricalHinge, Hinge, SquaredHinge
from scratchnet.losses.regression import (
    CosineSimilarity,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
)
from scratchnet.signatures import OnlyDefault


def _each(loss: Loss, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """What a loss with the reduction "none" gives: an array, one number an example."""
    return loss.value_and_gradient(y_true, y_pred)[0]  # type: ignore[return-value]


@checked
def binary_crossentropy(
    y_true: np.ndarray,
    y_pred: np.ndarray,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: OnlyDefault = -1,
) -> np.ndarray:
    """`BinaryCrossentropy` of each example."""
    return _each(
        BinaryCrossentropy(from_logits=from_logits, label_smoothing=label_smoothing, reduction="none"), y_true, y_pred
    )


@checked
def binary_focal_crossentropy(
    y_true: np.ndarray,
    y_pred: np.ndarray,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: OnlyDefault = -1,
) -> np.ndarray:
    """`BinaryFocalCrossentropy` of each example."""
    return _each(
        BinaryFocalCrossentropy(
            apply_class_balancing=apply_class_balancing,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            reduction="none",
        ),
        y_true,
        y_pred,
    )


@checked
def categorical_crossentropy(
    y_true: np.ndarray,
    y_pred: np.ndarray,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: OnlyDefault = -1,
) -> np.ndarray:
    """`CategoricalCrossentropy` of each example."""
    return _each(
        CategoricalCrossentropy(from_logits=from_logits, label_smoothing=label_smoothing, reduction="none"),
        y_true,
        y_pred,
    )


@checked
def categorical_focal_crossentropy(
    y_true: np.ndarray,
    y_pred: np.ndarray,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: OnlyDefault = -1,
) -> np.ndarray:
    """`CategoricalFocalCrossentropy` of each example."""
    return _each(
        CategoricalFocalCrossentropy(
            alpha=alpha, gamma=gamma, from_logits=from_logits, label_smoothing=label_smoothing, reduction="none"
        ),
        y_true,
        y_pred,
    )


@checked
def categorical_hinge(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """`CategoricalHinge` of each example."""
    return _each(CategoricalHinge(reduction="none"), y_true, y_pred)


@checked
def cosine_similarity(y_true: np.ndarray, y_pred: np.ndarray, axis: OnlyDefault = -1) -> np.ndarray:
    """`CosineSimilarity` of each example."""
    return _each(CosineSimilarity(reduction="none"), y_true, y_pred)


@checked
def hinge(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """`Hinge` of each example."""
    return _each(Hinge(reduction="none"), y_true, y_pred)


@checked
def huber(y_true: np.ndarray, y_pred: np.ndarray, delta: float = 1.0) -> np.ndarray:
    """`Huber` of each example."""
    return _each(Huber(delta=delta, reduction="none"), y_true, y_pred)


@checked
def kl_divergence(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """`KLDivergence` of each example."""
    return _each(KLDivergence(reduction="none"), y_true, y_pred)


@checked
def log_cosh(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """`LogCosh` of each example."""
    return _each(LogCosh(reduction="none"), y_true, y_pred)


@checked
def mean_absolute_error(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """`MeanAbsoluteError` of each example."""
    return _each(MeanAbsoluteError(reduction="none"), y_true, y_pred)


@checked
def mean_absolute_percentage_error(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """`MeanAbsolutePercentageError` of each example."""
    return _each(MeanAbsolutePercentageError(reduction="none"), y_true, y_pred)


@checked
def mean_squared_error(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """`MeanSquaredError` of each example."""
    return _each(MeanSquaredError(reduction="none"), y_true, y_pred)


@checked
def mean_squared_logarithmic_error(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """`MeanSquaredLogarithmicError` of each example."""
    return _each(MeanSquaredLogarithmicError(reduction="none"), y_true, y_pred)


@checked
def poisson(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """`Poisson` of each example."""
    return _each(Poisson(reduction="none"), y_true, y_pred)


@checked
def sparse_categorical_crossentropy(
    y_true: np.ndarray,
    y_pred: np.ndarray,
    from_logits: bool = False,
    ignore_class: OnlyDefault = None,
    axis: OnlyDefault = -1,
) -> np.ndarray:
    """`SparseCategoricalCrossentropy` of each example."""
    return _each(SparseCategoricalCrossentropy(from_logits=from_logits, reduction="none"), y_true, y_pred)


@checked
def squared_hinge(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """`SquaredHinge` of each example."""
    return _each(SquaredHinge(reduction="none"), y_true, y_pred)


OF_FUNCTION: dict[Callable[..., np.ndarray], type[Loss]] = {
    binary_crossentropy: BinaryCrossentropy,
    binary_focal_crossentropy: BinaryFocalCrossentropy,
    categorical_crossentropy: CategoricalCrossentropy,
    categorical_focal_crossentropy: CategoricalFocalCrossentropy,
    categorical_hinge: CategoricalHinge,
    cosine_similarity: CosineSimilarity,
    hinge: Hinge,
    huber: Huber,
    kl_divergence: KLDivergence,
    log_cosh: LogCosh,
    mean_absolute_error: MeanAbsoluteError,
    mean_absolute_percentage_error: MeanAbsolutePercentageError,
    mean_squared_error: MeanSquaredError,
    mean_squared_logarithmic_error: MeanSquaredLogarithmicError,
    poisson: Poisson,
    sparse_categorical_crossentropy: SparseCategoricalCrossentropy,
    squared_hinge: SquaredHinge,
}
