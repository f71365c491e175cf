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


def _of_true_class(p: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return p[np.arange(len(labels)), labels]


def _cross_entropy(p: np.ndarray, labels: np.ndarray) -> float:
    return float(-np.mean(np.log(_of_true_class(p, labels))))


def _one_hot(labels: np.ndarray, num_classes: int) -> np.ndarray:
    return (labels[:, None] == np.arange(num_classes)).astype(np.float32)


def _whole_columns(labels: np.ndarray, num_classes: int) -> np.ndarray:
    made = np.zeros((len(labels), num_classes))
    made[:, labels] = 1
    return made


def _label_itself(labels: np.ndarray, num_classes: int) -> np.ndarray:
    return _one_hot(labels, num_classes) * labels[:, None]


def _accuracy(p: np.ndarray, labels: np.ndarray) -> float:
    return float(np.mean(p.argmax(axis=1) == labels))


def _counted_once(true: np.ndarray, predicted: np.ndarray, num_classes: int) -> np.ndarray:
    matrix = np.zeros((num_classes, num_classes), int)
    matrix[true, predicted] += 1
    return matrix


_PREDICTIONS = [(_probabilities(n, c, n), _labels(n, c, n + 1)) for n, c in ((1, 2), (2, 2), (3, 4), (20, 10))]
_CONFUSIONS = [(np.array([0]), np.array([1]), 2), (np.array([0, 1]), np.array([1, 1]), 3)]
_CONFUSIONS += [(_labels(n, c, n), _labels(n, c, n + 7), c) for n, c in ((3, 2), (6, 3), (50, 5))]
_confusion = metrics.confusion_matrix

accuracy = Exercise(
    "Accuracy",
    lambda probabilities, labels: _accuracy(probabilities, labels),
    _PREDICTIONS,
    {
        "a count, not a fraction: divide by the number of pictures.": lambda p, y: int((p.argmax(1) == y).sum()),
        "divide by the number of pictures, not of classes.": (
            lambda p, y: float((p.argmax(1) == y).sum() / p.shape[1]),
            lambda p, y: float((p.argmax(1) == y).sum() / p.size),
        ),
        "that is right or wrong for each picture; the accuracy is the mean of it.": (
            lambda p, y: p.argmax(1) == y,
            lambda p, y: (p.argmax(1) == y).astype(float),
        ),
        "axis 0 compares pictures; the classes are on axis 1.": lambda p, y: float(np.mean(p.argmax(0) == y)),
        "argmax without an axis finds one place in the whole array; the classes are on axis 1.": lambda p, y: float(
            np.mean(p.argmax() == y)
        ),
        "in percent; the answer is a fraction from 0 to 1.": lambda p, y: 100 * _accuracy(p, y),
        "this is the error rate: 1 - accuracy.": lambda p, y: 1 - _accuracy(p, y),
        "max is the probability itself; argmax is the class that has it.": (
            lambda p, y: float(np.mean(p.max(1) == y)),
            lambda p, y: float(np.mean(p == y)),
            lambda p, y: float(np.mean(p.round() == y)),
        ),
        "argmin is the least probable class.": lambda p, y: float(np.mean(p.argmin(1) == y)),
        "that is the mean probability of the true class; a picture counts 1 or 0.": lambda p, y: float(
            np.mean(_of_true_class(p, y))
        ),
        "the most probable class counts, even with a probability below 1/2.": lambda p, y: float(
            np.mean(_of_true_class(p, y) > 0.5)
        ),
    },
)

one_hot = Exercise(
    "One-hot labels",
    _one_hot,
    [(_labels(n, c, n), c) for n, c in ((1, 2), (3, 3), (4, 10), (9, 5))],
    {
        "the axes are swapped: one row per picture, one column per class.": lambda y, c: _one_hot(y, c).T,
        "classes count from 0, not from 1.": (
            lambda y, c: np.eye(c)[y - 1],
            lambda y, c: _one_hot(y - 1, c),
            lambda y, c: np.eye(c)[y + 1],
            lambda y, c: np.eye(c + 1)[y],
        ),
        "true and false are no numbers yet: .astype(np.float32).": lambda y, c: y[:, None] == np.arange(c),
        "as many columns as classes, not as pictures.": lambda y, c: np.eye(len(y))[y],
        "a class may be missing from these labels: num_classes columns, not labels.max() + 1.": lambda y, c: np.eye(
            y.max() + 1
        )[y],
        "[:, labels] sets whole columns; one cell in each row is [np.arange(N), labels].": _whole_columns,
        "the cell holds 1, not the label.": _label_itself,
        "the 1 is never set: result[np.arange(N), labels] = 1.": lambda y, c: np.zeros((len(y), c)),
        "zeros with a single one, not ones with a single zero.": lambda y, c: 1 - _one_hot(y, c),
        "one row after the other, shape (N, num_classes): do not flatten it.": lambda y, c: _one_hot(y, c).ravel(),
    },
)

confusion_matrix = Exercise(
    "Confusion matrix",
    lambda true, predicted, num_classes: _confusion(true, predicted, num_classes),
    _CONFUSIONS,
    {
        "rows and columns are swapped: row = true class, column = predicted class.": lambda t, p, c: _confusion(
            p, t, c
        ),
        "matrix[true, predicted] += 1 counts equal pairs once: np.add.at(matrix, (true, predicted), 1).": (
            _counted_once
        ),
        "counts, not shares of a class: do not divide.": (
            lambda t, p, c: _confusion(t, p, c) / _confusion(t, p, c).sum(axis=1, keepdims=True),
            lambda t, p, c: _confusion(t, p, c) / _confusion(t, p, c).sum(axis=0),
            lambda t, p, c: _confusion(t, p, c) / np.maximum(_confusion(t, p, c).sum(axis=1, keepdims=True), 1),
        ),
        "counts, not shares of all pictures.": lambda t, p, c: _confusion(t, p, c) / len(t),
        "mistakes are counted too, beside the diagonal.": lambda t, p, c: np.diag(np.diag(_confusion(t, p, c))),
        "right answers are counted too, on the diagonal.": lambda t, p, c: (
            _confusion(t, p, c) - np.diag(np.diag(_confusion(t, p, c)))
        ),
        "classes count from 0: row 0 is class 0.": lambda t, p, c: np.roll(_confusion(t, p, c), (-1, -1), (0, 1)),
        "a class may be missing from these labels: num_classes rows and columns.": lambda t, p, c: _confusion(
            t, p, max(t.max(), p.max()) + 1
        ),
        "the order is reversed: class 0 comes first.": (
            lambda t, p, c: _confusion(t, p, c)[::-1],
            lambda t, p, c: _confusion(t, p, c)[::-1, ::-1],
        ),
    },
)

cross_entropy = Exercise(
    "Cross-entropy",
    lambda probabilities, labels: _cross_entropy(probabilities, labels),
    _PREDICTIONS,
    {
        "the sign: a logarithm of a probability is negative, the loss is minus that.": lambda p, y: (
            -_cross_entropy(p, y)
        ),
        "a sum; the loss is the mean over the pictures.": lambda p, y: _cross_entropy(p, y) * len(y),
        "divide by the number of pictures, not of all probabilities.": (
            lambda p, y: _cross_entropy(p, y) / p.shape[1],
            lambda p, y: _cross_entropy(p, y) * len(y) / p.shape[1],
        ),
        "one loss for each picture; the mean of them is missing.": lambda p, y: -np.log(_of_true_class(p, y)),
        "p[:, y] takes a column of all pictures for each label; p[np.arange(N), y] takes one number a picture.": (
            lambda p, y: float(-np.mean(np.log(p[:, y]))),
            lambda p, y: -np.log(p[:, y]),
            lambda p, y: float(-np.sum(np.log(p[:, y])) / len(y)),
            lambda p, y: -np.log(p[:, y]).mean(axis=1),
            lambda p, y: -np.log(p[:, y]).mean(axis=0),
        ),
        "np.log is the natural logarithm; log2 or log10 measure in other units.": (
            lambda p, y: _cross_entropy(p, y) / np.log(2),
            lambda p, y: _cross_entropy(p, y) / np.log(10),
        ),
        "only the probability of the true class counts: p[i, label[i]].": lambda p, y: float(-np.mean(np.log(p))),
        "p[y] takes whole rows of p; p[np.arange(N), y] takes one number of each row.": (
            lambda p, y: float(-np.mean(np.log(p[y])))
        ),
        "the label says which class is right, it is no factor: make it one-hot, or take p[np.arange(N), y].": (
            lambda p, y: float(-np.mean(y * np.log(p))),
            lambda p, y: float(-np.mean(y[:, None] * np.log(p))),
            lambda p, y: float(-np.mean(np.sum(y[:, None] * np.log(p), axis=1))),
        ),
        "that is the logarithm of the probability of all other classes.": lambda p, y: float(
            -np.mean(np.log(1 - _of_true_class(p, y)))
        ),
        "that is the entropy of the answer, which knows of no label.": (
            lambda p, y: float(-np.mean(np.sum(p * np.log(p), axis=1))),
            lambda p, y: float(-np.mean(p * np.log(p))),
        ),
        "that is the squared error; asked is the logarithm.": (
            lambda p, y: float(np.mean((p - _one_hot(y, p.shape[1])) ** 2)),
        ),
        "of each picture the true class counts, not the most probable one.": lambda p, y: float(
            -np.mean(np.log(p.max(axis=1)))
        ),
        "the mean of the logarithms, not the logarithm of the mean.": lambda p, y: float(
            -np.log(np.mean(_of_true_class(p, y)))
        ),
        "the logarithm is missing.": (
            lambda p, y: float(-np.mean(_of_true_class(p, y))),
            lambda p, y: float(1 - np.mean(_of_true_class(p, y))),
        ),
        "these are probabilities already: no softmax.": lambda p, y: _cross_entropy(
            np.exp(p) / np.exp(p).sum(axis=1, keepdims=True), y
        ),
        "that is the loss of yes-or-no answers, class by class; here one class is right.": (
            lambda p, y: float(-np.mean(np.log(np.where(_one_hot(y, p.shape[1]) == 1, p, 1 - p)))),
            lambda p, y: float(-np.mean(np.log(np.where(_one_hot(y, p.shape[1]) == 1, p, 1 - p)).sum(axis=1))),
        ),
    },
)
