"""Losses: how wrong an answer is, as one number, and in which direction it is wrong, as a gradient.

    value = loss(y_true, y_pred, sample_weight=None)
    value, dy = loss.value_and_gradient(y_true, y_pred, sample_weight=None)

The mean over the examples, in nats for the cross-entropies. With from_logits=True, y_pred are scores before the softmax
or sigmoid, which is then part of the loss: that is stable, and it is what a model with a softmax or sigmoid at its end
uses in training. With from_logits=False, y_pred are probabilities; as in Keras, those of classes are divided by their
row's sum, and all are clipped to [1e-7, 1 - 1e-7].

With weights, example n counts sample_weight[n] times: the sum of weight times loss, divided by the number of examples,
as in Keras. With label_smoothing = s, a target t counts as t * (1 - s) + s / K for K classes (for one probability, K is
2): no score is worth driving to infinity. Source: Szegedy et al., arXiv 1512.00567.

As functions, `losses.mean_squared_error(y_true, y_pred)` and so on, they give one number an example.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scratchnet.arguments import check_choice
from scratchnet.losses.base import Loss, check_labels, check_weights
from scratchnet.losses.by_output import LossByOutput, ScaledLoss
from scratchnet.losses.crossentropy import BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy
from scratchnet.losses.divergence import KLDivergence, Poisson
from scratchnet.losses.focal import BinaryFocalCrossentropy, CategoricalFocalCrossentropy
from scratchnet.losses.functions import (
    OF_FUNCTION,
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
    cosine_similarity,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from scratchnet.losses.margin import CategoricalHinge, Hinge, SquaredHinge
from scratchnet.losses.own import LossFunction
from scratchnet.losses.regression import (
    CosineSimilarity,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
)

bce = BCE = binary_crossentropy
kld = KLD = kullback_leibler_divergence = kl_divergence
logcosh = log_cosh
mae = MAE = mean_absolute_error
mape = MAPE = mean_absolute_percentage_error
mse = MSE = mean_squared_error
msle = MSLE = mean_squared_logarithmic_error

__all__ = [
    "BCE",
    "KLD",
    "MAE",
    "MAPE",
    "MSE",
    "MSLE",
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "LossByOutput",
    "LossFunction",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "ScaledLoss",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "bce",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_hinge",
    "check_labels",
    "check_weights",
    "cosine_similarity",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "kld",
    "kullback_leibler_divergence",
    "log_cosh",
    "logcosh",
    "mae",
    "mape",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "mse",
    "msle",
    "poisson",
    "sparse_categorical_crossentropy",
    "squared_hinge",
]

SHORT = ("bce", "kld", "kullback_leibler_divergence", "logcosh", "mae", "mape", "mse", "msle")
LOSSES: dict[str, type[Loss]] = {
    **{function.__name__: cls for function, cls in OF_FUNCTION.items()},
    **{name: OF_FUNCTION[globals()[name]] for name in SHORT},
}
CLASSES = {cls.__name__: cls for cls in OF_FUNCTION.values()}


def get(identifier: str | Loss | Callable[..., Any]) -> Loss:
    """A loss from its name, such as "mse" or "MeanSquaredError", or from a function; or the object itself.

    A function of this module stands for the loss of its name; one of the reader's own becomes a `LossFunction`.

    Raises:
        ValueError: no loss has that name, the nearest is named; or a class without its brackets.
    """
    if isinstance(identifier, Loss):
        return identifier
    if not isinstance(identifier, (str, type)) and callable(identifier):
        return OF_FUNCTION[identifier]() if identifier in OF_FUNCTION else LossFunction(identifier)
    known = CLASSES.get(identifier) if isinstance(identifier, str) else None
    return (known or LOSSES[check_choice(identifier, LOSSES, "loss")])()
