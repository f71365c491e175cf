"""Metrics: what people want to know and no gradient can use. Each adds up over batches.

metric.update_state(y_true, y_pred, sample_weight=None)
metric.result()
metric.reset_state()
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from scratchnet.arguments import check_choice
from scratchnet.losses import (
    BCE,
    KLD,
    MAE,
    MAPE,
    MSE,
    MSLE,
    Loss,
    bce,
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
    hinge,
    huber,
    kl_divergence,
    kld,
    log_cosh,
    mae,
    mape,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    mse,
    msle,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from scratchnet.losses import BinaryCrossentropy as BinaryCrossentropyLoss
from scratchnet.metrics.accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from scratchnet.metrics.base import Mean, MeanMetricWrapper, Metric
from scratchnet.metrics.confusion import confusion_matrix
from scratchnet.metrics.counting import (
    FalseNegatives,
    FalsePositives,
    Precision,
    Recall,
    TrueNegatives,
    TruePositives,
)
from scratchnet.metrics.curve import AUC
from scratchnet.metrics.f_score import F1Score, FBetaScore
from scratchnet.metrics.probabilistic import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalHinge,
    Hinge,
    KLDivergence,
    Poisson,
    SparseCategoricalCrossentropy,
    SquaredHinge,
)
from scratchnet.metrics.regression import (
    CosineSimilarity,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    RootMeanSquaredError,
)

__all__ = [
    "AUC",
    "BCE",
    "KLD",
    "MAE",
    "MAPE",
    "MSE",
    "MSLE",
    "Accuracy",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "F1Score",
    "FBetaScore",
    "FalseNegatives",
    "FalsePositives",
    "Hinge",
    "KLDivergence",
    "LogCoshError",
    "Mean",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanMetricWrapper",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Metric",
    "Poisson",
    "Precision",
    "Recall",
    "RootMeanSquaredError",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy",
    "SquaredHinge",
    "TopKCategoricalAccuracy",
    "TrueNegatives",
    "TruePositives",
    "bce",
    "binary_accuracy",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_accuracy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_hinge",
    "confusion_matrix",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "kld",
    "log_cosh",
    "mae",
    "mape",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "mse",
    "msle",
    "poisson",
    "sparse_categorical_accuracy",
    "sparse_categorical_crossentropy",
    "sparse_top_k_categorical_accuracy",
    "squared_hinge",
    "top_k_categorical_accuracy",
]

METRICS: dict[str, type[Metric]] = {
    "acc": Accuracy,
    "accuracy": Accuracy,
    "auc": AUC,
    "bce": BinaryCrossentropy,
    "binary_accuracy": BinaryAccuracy,
    "binary_crossentropy": BinaryCrossentropy,
    "categorical_accuracy": CategoricalAccuracy,
    "categorical_crossentropy": CategoricalCrossentropy,
    "categorical_hinge": CategoricalHinge,
    "cosine_similarity": CosineSimilarity,
    "f1_score": F1Score,
    "false_negatives": FalseNegatives,
    "false_positives": FalsePositives,
    "fbeta_score": FBetaScore,
    "hinge": Hinge,
    "kl_divergence": KLDivergence,
    "kld": KLDivergence,
    "log_cosh": LogCoshError,
    "logcosh": LogCoshError,
    "mae": MeanAbsoluteError,
    "mape": MeanAbsolutePercentageError,
    "mean_absolute_error": MeanAbsoluteError,
    "mean_absolute_percentage_error": MeanAbsolutePercentageError,
    "mean_squared_error": MeanSquaredError,
    "mean_squared_logarithmic_error": MeanSquaredLogarithmicError,
    "mse": MeanSquaredError,
    "msle": MeanSquaredLogarithmicError,
    "poisson": Poisson,
    "precision": Precision,
    "recall": Recall,
    "root_mean_squared_error": RootMeanSquaredError,
    "sparse_categorical_accuracy": SparseCategoricalAccuracy,
    "sparse_categorical_crossentropy": SparseCategoricalCrossentropy,
    "sparse_top_k_categorical_accuracy": SparseTopKCategoricalAccuracy,
    "squared_hinge": SquaredHinge,
    "top_5_accuracy": TopKCategoricalAccuracy,
    "top_k_categorical_accuracy": TopKCategoricalAccuracy,
    "true_negatives": TrueNegatives,
    "true_positives": TruePositives,
}
CLASSES = {cls.__name__: cls for cls in METRICS.values()}


def get(identifier: str | Metric | Callable[..., Any], *, loss: Loss | None = None) -> Metric:
    """A metric from its name, which it keeps, or from a function f(y_true, y_pred); or the object itself.

    "accuracy" and "acc" are binary for a single output, of classes for several; in "top_5_accuracy" any number may
    stand. A function of this module stands for the metric of its name; one of the reader's own, or a loss, becomes a
    `MeanMetricWrapper`.

    Raises:
        ValueError: no metric has that name, the nearest is named; or a class without its brackets.
    """
    if isinstance(identifier, Metric):
        return identifier
    if not isinstance(identifier, str):
        return _from_function(identifier)
    if top := re.fullmatch(r"top_(\d+)_accuracy", identifier.lower()):
        return TopKCategoricalAccuracy(int(top[1]), identifier)
    if identifier in CLASSES and identifier != "Accuracy":
        return CLASSES[identifier](name=identifier)
    name = check_choice(identifier, METRICS, "metric")
    if name in ("acc", "accuracy") and isinstance(loss, BinaryCrossentropyLoss) and loss.from_logits:
        return BinaryAccuracy(identifier, threshold=0.0)
    return METRICS[name](name=identifier)


def _from_function(function: Any) -> Metric:
    if isinstance(function, type) or not callable(function):
        check_choice(function, METRICS, "metric")  # raises, and says what to write
    name = getattr(function, "__name__", None)
    if name in METRICS and globals().get(name) is function:
        return METRICS[name](name=name)
    return MeanMetricWrapper(function, getattr(function, "name", None) if isinstance(function, Loss) else None)
