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
"""

from __future__ import annotations

from scratchnet.arguments import check_choice
from scratchnet.losses.base import Loss, check_labels, check_weights
from scratchnet.losses.by_output import LossByOutput, ScaledLoss, Values
from scratchnet.losses.crossentropy import BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy
from scratchnet.losses.regression import MeanSquaredError

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "Loss",
    "LossByOutput",
    "MeanSquaredError",
    "ScaledLoss",
    "SparseCategoricalCrossentropy",
    "Values",
    "check_labels",
    "check_weights",
    "get",
]

LOSSES: dict[str, type[Loss]] = {
    "binary_crossentropy": BinaryCrossentropy,
    "categorical_crossentropy": CategoricalCrossentropy,
    "mean_squared_error": MeanSquaredError,
    "mse": MeanSquaredError,
    "sparse_categorical_crossentropy": SparseCategoricalCrossentropy,
}


def get(identifier: str | Loss) -> Loss:
    """A loss from its name, or the object itself.

    Raises:
        ValueError: no loss has that name; the nearest is named.
    """
    return identifier if isinstance(identifier, Loss) else LOSSES[check_choice(identifier, LOSSES, "loss")]()
