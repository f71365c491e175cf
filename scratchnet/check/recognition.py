"""Exercises on recognition: labels, loss, accuracy, confusion."""

from __future__ import annotations

import numpy as np

from scratchnet import metrics
from scratchnet.check.exercise import Exercise


def _probabilities(n: int, classes: int, seed: int) -> np.ndarray:
    scores = np.exp(np.random.default_rng(seed).normal(size=(n, classes)))
    return np.round(scores / scores.sum(axis=1, keepdims=True), 3)


def _labels(n: int, classes: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, classes, n)


def _cross_entropy(p: np.ndarray, labels: np.ndarray) -> float:
    return float(-np.mean(np.log(p[np.arange(len(labels)), labels])))


def _one_hot(labels: np.ndarray, num_classes: int) -> np.ndarray:
    return (labels[:, None] == np.arange(num_classes)).astype(np.float32)


def _accuracy(p: np.ndarray, labels: np.ndarray) -> float:
    return float(np.mean(p.argmax(axis=1) == labels))


_PREDICTIONS = [(_probabilities(n, c, n), _labels(n, c, n + 1)) for n, c in ((1, 2), (2, 2), (3, 4), (20, 10))]
_CONFUSIONS = [(_labels(n, c, n), _labels(n, c, n + 7), c) for n, c in ((1, 2), (3, 2), (6, 3), (50, 5))]

accuracy = Exercise(
    "Accuracy",
    _accuracy,
    _PREDICTIONS,
    {
        "a count, not a fraction: divide by the number of pictures.": lambda p, y: int((p.argmax(1) == y).sum()),
        "axis 0 compares pictures; the classes are on axis 1.": lambda p, y: float(np.mean(p.argmax(0) == y)),
        "in percent; the answer is a fraction from 0 to 1.": lambda p, y: 100 * _accuracy(p, y),
        "this is the error rate: 1 - accuracy.": lambda p, y: 1 - _accuracy(p, y),
    },
)

one_hot = Exercise(
    "One-hot labels",
    _one_hot,
    [(_labels(n, c, n), c) for n, c in ((1, 2), (3, 3), (4, 10), (9, 5))],
    {
        "the axes are swapped: one row per picture, one column per class.": lambda y, c: _one_hot(y, c).T,
        "classes count from 0, not from 1.": lambda y, c: _one_hot(y - 1, c),
    },
)

confusion_matrix = Exercise(
    "Confusion matrix",
    metrics.confusion_matrix,
    _CONFUSIONS,
    {
        "rows and columns are swapped: row = true class, column = predicted class.": lambda t, p, c: (
            metrics.confusion_matrix(p, t, c)
        ),
        "a cell counts pictures; add 1 for each, do not set it to 1.": lambda t, p, c: np.minimum(
            metrics.confusion_matrix(t, p, c), 1
        ),
    },
)

cross_entropy = Exercise(
    "Cross-entropy",
    _cross_entropy,
    _PREDICTIONS,
    {
        "the sign: a logarithm of a probability is negative, the loss is minus that.": lambda p, y: (
            -_cross_entropy(p, y)
        ),
        "a sum; the loss is the mean over the pictures.": lambda p, y: _cross_entropy(p, y) * len(y),
        "np.log is the natural logarithm; log2 or log10 measure in other units.": lambda p, y: (
            _cross_entropy(p, y) / np.log(2)
        ),
        "only the probability of the true class counts: p[i, label[i]].": lambda p, y: float(-np.mean(np.log(p))),
    },
)
