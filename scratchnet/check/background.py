"""Exercises before any theory: luck, unbalanced classes, copies, and the simplest machine that recognizes."""

from __future__ import annotations

import math

import numpy as np

from scratchnet.check.exercise import Exercise


def _exactly(k: int, n: int, p: float) -> float:
    return math.comb(n, k) * p**k * (1 - p) ** (n - k)


def _by_luck(k: int, n: int, p: float) -> float:
    return sum(_exactly(i, n, p) for i in range(k, n + 1))


def _balanced(labels: np.ndarray, predictions: np.ndarray) -> float:
    return float(np.mean([np.mean(predictions[labels == k] == k) for k in np.unique(labels)]))


def _distances(made: np.ndarray, train: np.ndarray) -> np.ndarray:
    return np.sqrt(((made[:, None] - train[None]) ** 2).sum(axis=(2, 3)))


def _share_of_copies(made: np.ndarray, train: np.ndarray, limit: float) -> float:
    return float(np.mean(_distances(made, train).min(axis=1) <= limit))


def _means(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.array([x[y == k].mean(axis=0) for k in np.unique(y)])


def _nearest_mean(x_train: np.ndarray, y_train: np.ndarray, x: np.ndarray) -> np.ndarray:
    d = ((x[:, None] - _means(x_train, y_train)[None]) ** 2).sum(axis=2)
    return np.unique(y_train)[d.argmin(axis=1)]


def _with_other_centres(centre: str, x_train: np.ndarray, y_train: np.ndarray, x: np.ndarray) -> np.ndarray:
    classes = np.unique(y_train)
    centres = np.array([getattr(np, centre)(x_train[y_train == k], axis=0) for k in classes])
    return classes[((x[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1)]


def _points(seed: int, n: int, size: int, classes: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = np.concatenate([classes, rng.choice(classes, n - len(classes))])
    places = rng.normal(size=(max(classes) + 1, size)) * 2
    skewed = rng.exponential(1.5, size=(n, size))  # so that mean, median and sum differ
    return (
        np.round(places[y] + skewed, 1),
        y,
        np.round(places[rng.choice(classes, 12)] + rng.normal(size=(12, size)), 1),
    )


def _made(seed: int, n: int, m: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    train = np.round(rng.uniform(0, 1, (m, 2, 3)), 1)
    made = train[rng.integers(0, m, n)] + np.round(rng.normal(0, 0.15, (n, 2, 3)), 2)
    return made, train


by_luck = Exercise(
    "Could it be luck?",
    _by_luck,
    [(1, 1, 0.5), (0, 3, 0.1), (2, 3, 0.5), (3, 10, 0.1), (7, 10, 0.1)],
    {
        "that is exactly k right. At least k is the sum over k, k + 1, ... n.": _exactly,
        "more than k leaves out k itself: the sum begins at k.": lambda k, n, p: _by_luck(k + 1, n, p),
        "the sum ends with n: range(k, n + 1).": lambda k, n, p: _by_luck(k, n, p) - p**n,
        "that is at most k; asked is at least k.": lambda k, n, p: 1 - _by_luck(k + 1, n, p),
        "the k right ones may be any of the n: times math.comb(n, i).": lambda k, n, p: sum(
            p**i * (1 - p) ** (n - i) for i in range(k, n + 1)
        ),
        "the other n - i are wrong, each with 1 - p.": lambda k, n, p: sum(
            math.comb(n, i) * p**i for i in range(k, n + 1)
        ),
        "p**k is the chance that k given ones are right, and says nothing of the others.": lambda k, n, p: p**k,
        "that is how many right ones to expect, n * p, not how likely k are.": lambda k, n, p: n * p,
    },
)

balanced_accuracy = Exercise(
    "Balanced accuracy",
    _balanced,
    [
        (np.array([0, 1]), np.array([0, 1])),
        (np.array([0, 0, 0, 1]), np.array([0, 0, 0, 0])),
        (np.array([0, 1, 1, 1, 2, 2]), np.array([0, 1, 0, 1, 1, 2])),
        (np.array([3, 3, 3, 3, 5, 5, 9]), np.array([3, 3, 3, 1, 9, 5, 9])),
    ],
    {
        "that is the accuracy: each picture counts alike. Here each class counts alike.": lambda y, p: float(
            np.mean(y == p)
        ),
        "take the pictures that are of the class (labels == k), not those that were called so.": lambda y, p: float(
            np.mean([np.mean(y[p == k] == k) if np.any(p == k) else 0.0 for k in np.unique(y)])
        ),
        "the mean of the classes, not their sum.": lambda y, p: _balanced(y, p) * len(np.unique(y)),
        "only classes that occur in the labels count; others have no pictures to be right about.": [
            lambda y, p: sum(np.mean(p[y == k] == k) for k in np.unique(y)) / (max(y.max(), p.max()) + 1),
            lambda y, p: sum(np.mean(p[y == k] == k) for k in np.unique(y)) / len(np.unique(np.append(y, p))),
            lambda y, p: sum(np.mean(p[y == k] == k) for k in np.unique(y)) / 10,
        ],
        "one number: the mean of the shares of all classes.": lambda y, p: np.array(
            [np.mean(p[y == k] == k) for k in np.unique(y)]
        ),
        "the smallest share is the worst class; asked is the mean.": lambda y, p: min(
            np.mean(p[y == k] == k) for k in np.unique(y)
        ),
        "weighted by the size of the classes this is the accuracy again.": lambda y, p: float(
            np.average(
                [np.mean(p[y == k] == k) for k in np.unique(y)], weights=np.unique(y, return_counts=True)[1] ** 2
            )
        ),
        "a share for each class: divide by how many pictures it has.": lambda y, p: float(
            np.mean([np.sum(p[y == k] == k) for k in np.unique(y)])
        ),
    },
)

share_of_copies = Exercise(
    "The share of copies",
    _share_of_copies,
    [
        (np.zeros((1, 1, 1)), np.zeros((1, 1, 1)), 0.5),
        (np.array([[[3.0, 0.0]], [[0.0, 4.0]]]), np.array([[[0.0, 0.0]], [[0.0, 3.5]], [[9.0, 9.0]]]), 0.6),
        (np.array([[[3.0, 4.0]]]), np.array([[[0.0, 0.0]]]), 5.0),
        (*_made(0, 8, 5), 0.4),
        (*_made(1, 40, 30), 0.35),
    ],
    {
        "the nearest training picture counts: the minimum over them, not the mean.": lambda a, b, t: float(
            np.mean(_distances(a, b).mean(axis=1) <= t)
        ),
        "for each made picture one minimum, over the training pictures; this is the other way round.": lambda a, b, t: (
            float(np.mean(_distances(a, b).min(axis=0) <= t))
        ),
        "a distance is the root of the sum of squares.": lambda a, b, t: float(
            np.mean((_distances(a, b) ** 2).min(axis=1) <= t)
        ),
        "a share from 0 to 1: divide by how many were made.": lambda a, b, t: int(
            np.sum(_distances(a, b).min(axis=1) <= t)
        ),
        "a copy is near: at most `limit`, not beyond it.": lambda a, b, t: float(
            np.mean(_distances(a, b).min(axis=1) > t)
        ),
        "a distance of just `limit` counts as a copy: <=.": lambda a, b, t: float(
            np.mean(_distances(a, b).min(axis=1) < t)
        ),
        "the distance adds the pixels, it does not average them.": lambda a, b, t: float(
            np.mean(np.sqrt(((a[:, None] - b) ** 2).mean(axis=(2, 3))).min(axis=1) <= t)
        ),
        "squares, not absolute values.": lambda a, b, t: float(
            np.mean(np.abs(a[:, None] - b).sum(axis=(2, 3)).min(axis=1) <= t)
        ),
        "the share of made pictures, not of all pairs.": lambda a, b, t: float(np.mean(_distances(a, b) <= t)),
    },
)

nearest_mean = Exercise(
    "The nearest mean",
    _nearest_mean,
    [
        (np.array([[0.0], [1.0]]), np.array([0, 1]), np.array([[0.2], [0.7]])),
        (np.array([[0.0], [1.0], [5.0], [6.0], [13.0]]), np.array([0, 0, 1, 1, 1]), np.array([[4.0], [5.0], [-9.0]])),
        _points(0, 12, 2, (0, 1, 2)),
        _points(1, 30, 6, (2, 5, 7)),
    ],
    {
        "that is the nearest training picture; asked is the nearest class mean.": lambda x, y, new: y[
            ((new[:, None] - x[None]) ** 2).sum(axis=2).argmin(axis=1)
        ],
        "the nearest mean has the smallest distance: argmin.": lambda x, y, new: np.unique(y)[
            ((new[:, None] - _means(x, y)) ** 2).sum(axis=2).argmax(axis=1)
        ],
        "argmin gives the place in the list of classes; the answer is the class that stands there.": lambda x, y, new: (
            ((new[:, None] - _means(x, y)) ** 2).sum(axis=2).argmin(axis=1)
        ),
        "the mean, not the median.": lambda x, y, new: _with_other_centres("median", x, y, new),
        "the mean, not the sum: classes differ in size.": lambda x, y, new: _with_other_centres("sum", x, y, new),
        "square (or take absolute values) before you add, or differences cancel.": lambda x, y, new: np.unique(y)[
            (new[:, None] - _means(x, y)).sum(axis=2).argmin(axis=1)
        ],
        "the largest product is not the smallest distance: a bright mean wins everywhere.": lambda x, y, new: np.unique(
            y
        )[(new @ _means(x, y).T).argmax(axis=1)],
        "the classes, (N,), not the distances.": lambda x, y, new: ((new[:, None] - _means(x, y)) ** 2).sum(axis=2),
        "one mean for each class: x_train[y_train == k].": lambda x, y, new: np.full(len(new), np.unique(y)[0]),
    },
)
