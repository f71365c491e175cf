"""Exercises of the last chapter: a listing to mend, a number to reproduce, a formula that the article lacks."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet.check.exercise import Exercise
from scratchnet.check.gradients import GradientExercise


def _draw(seed: int, *shape: int) -> np.ndarray:
    return np.round(np.random.default_rng(seed).normal(size=shape), 2)


# A listing to mend: a linear classifier with softmax, trained by plain gradient descent, in batches.


def _listing(
    x: np.ndarray,
    y: np.ndarray,
    rate: float,
    epochs: int,
    size: int,
    axis: int = 1,
    safe: bool = True,
    sign: int = -1,
    one: bool = True,
    divide: bool = True,
    forget: bool = False,
    whole: bool = True,
    bias: Any = np.sum,
    late: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """The listing, with a switch for each of its faults: (w, b) after training."""
    w, b = np.zeros((x.shape[1], int(y.max()) + 1)), np.zeros(int(y.max()) + 1)
    for _ in range(epochs):
        if forget:
            w, b = np.zeros_like(w), np.zeros_like(b)
        for start in range(0, len(x) if whole else len(x) - size, size):
            some, labels = x[start : start + size], y[start : start + size]
            z = some @ w + b
            e = np.exp(z - z.max(axis=1, keepdims=True)) if safe else np.exp(z)
            dz = e / e.sum(axis=axis, keepdims=True)
            if one:
                dz[np.arange(len(some)), labels] -= 1
            if divide:
                dz /= len(some)
            b = b + sign * rate * bias(dz, axis=0)
            if late:
                e = np.exp(some @ w + b)
                dz = (e / e.sum(axis=1, keepdims=True) - np.eye(len(b))[labels]) / len(some)
            w = w + sign * rate * some.T @ dz
    return w, b


def _faulty(**faults: Any) -> Any:
    return lambda x, y, rate, epochs, size: _listing(x, y, rate, epochs, size, **faults)


mended_listing = Exercise(
    "A listing, mended",
    lambda x, y, rate, epochs, size: _listing(x, y, rate, epochs, size),
    [
        (np.array([[1.0, 0.0]]), np.array([1]), 1.0, 1, 1),
        (np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([1, 0]), 0.5, 1, 2),
        (_draw(1, 5, 3), np.array([0, 2, 1, 1, 2]), 0.5, 2, 2),
        (_draw(2, 7, 2) * 1000, np.array([0, 1, 1, 0, 2, 2, 1]), 1.0, 3, 3),
    ],
    {
        "a step goes against the gradient: w - rate * dw.": _faulty(sign=1),
        "the sum of softmax runs over the classes, axis 1; each picture by itself.": _faulty(axis=0),
        "the gradient is p - y: the 1 of the true class is not taken off.": _faulty(one=False),
        "the loss is a mean over the pictures of the batch: divide dz by their number.": _faulty(divide=False),
        "the last pictures are never seen: range goes to len(x); the last batch may be smaller.": _faulty(whole=False),
        "w and b begin anew in each epoch, so that only the last one counts: make them before the loop.": _faulty(
            forget=True
        ),
        "db is the sum over the pictures, as dw is; dz was divided already.": _faulty(bias=np.mean),
        "exp(1000) is infinite. Take the row's maximum off before: z - z.max(axis=1, keepdims=True).": _faulty(
            safe=False
        ),
        "both gradients belong to the same w and b: compute dw and db before you change either.": _faulty(late=True),
    },
    returns=("w", "b"),
)


# A number to reproduce: the work of a whole training.


def _work(
    layers: list[tuple],
    pictures: int,
    epochs: int,
    operations: int = 2,
    passes: int = 3,
    channels: bool = True,
    places: bool = True,
    shown: bool = True,
) -> int:
    total = 0
    for kind, *sizes in layers:
        if kind == "dense":
            C, F = sizes
            total += C * F
        else:
            OH, OW, KH, KW, C, F = sizes
            total += (OH * OW if places else 1) * KH * KW * (C if channels else 1) * F
    return operations * passes * total * pictures * (epochs if shown else 1)


ARTICLE = [
    ("conv", 30, 30, 3, 3, 3, 32),
    ("conv", 13, 13, 3, 3, 32, 64),
    ("dense", 2304, 128),
    ("dense", 128, 10),
]
"""The layers of the article's network that have weights, as `training_work` takes them."""

training_work = Exercise(
    "The work of a training",
    _work,
    [
        ([("dense", 1, 1)], 1, 1),
        ([("dense", 3, 2)], 5, 2),
        ([("conv", 4, 3, 2, 2, 1, 1)], 1, 2),
        ([("conv", 4, 4, 3, 3, 2, 5), ("dense", 80, 10)], 10, 3),
        (ARTICLE, 50_000, 10),
    ],
    {
        "a product is also added: two operations.": lambda layers, n, epochs: _work(layers, n, epochs, operations=1),
        "that is the forward alone. The backward needs two more such passes: one for dx, one for dw.": (
            lambda layers, n, epochs: _work(layers, n, epochs, passes=1)
        ),
        "the backward is two passes, not one: dx and dw take as much work as y each.": (
            lambda layers, n, epochs: _work(layers, n, epochs, passes=2)
        ),
        "a filter spans all input channels: times C.": lambda layers, n, epochs: _work(
            layers, n, epochs, channels=False
        ),
        "a kernel is used at each of the OH x OW places.": lambda layers, n, epochs: _work(
            layers, n, epochs, places=False
        ),
        "each picture is seen once in every epoch: times epochs.": lambda layers, n, epochs: _work(
            layers, n, epochs, shown=False
        ),
        "that is the work for one picture: times the number of pictures.": lambda layers, n, epochs: _work(
            layers, 1, epochs
        ),
        "all layers count: add them up.": (
            lambda layers, n, epochs: _work(layers[:1], n, epochs),
            lambda layers, n, epochs: _work(layers[-1:], n, epochs),
        ),
    },
)


# A formula that the article lacks: the discriminator's loss, on scores before the sigmoid, and its gradients.


def _softplus(z: np.ndarray) -> np.ndarray:
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


def _sigmoid(z: np.ndarray) -> np.ndarray:
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1, e) / (1 + e)


def _objective(real: np.ndarray, fake: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    loss = float(np.mean(_softplus(-real)) + np.mean(_softplus(fake)))
    return loss, -_sigmoid(-real) / len(real), _sigmoid(fake) / len(fake)


def _plain(real: np.ndarray, fake: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    p, q = 1 / (1 + np.exp(-real)), 1 / (1 + np.exp(-fake))
    return float(-np.mean(np.log(p)) - np.mean(np.log(1 - q))), (p - 1) / len(real), q / len(fake)


def _changed(change: Any) -> Any:
    return lambda real, fake: change(*_objective(real, fake), real, fake)


objective = GradientExercise(
    "The discriminator's loss and its gradients",
    _objective,
    [
        (np.array([0.0]), np.array([0.0])),
        (np.array([1.0]), np.array([-1.0])),
        (np.array([2.0, -1.0, 0.5]), np.array([-0.5, 1.5])),
        (np.array([800.0, -800.0]), np.array([900.0, -900.0, 0.0])),
    ],
    {
        "real and generated are swapped: D wants high scores for real pictures.": lambda real, fake: (
            _objective(fake, real)[0],
            *_objective(fake, real)[:0:-1],
        ),
        "that is what D maximizes; the loss is minus that.": _changed(lambda L, dr, df, r, f: (-L, -dr, -df)),
        "the gradient for real pictures is p - 1: below 0, so that a step against it raises their scores.": _changed(
            lambda L, dr, df, r, f: (L, -dr, df)
        ),
        "each mean is over its own batch: divide each gradient by the number of its pictures.": _changed(
            lambda L, dr, df, r, f: (L, dr * len(r), df * len(f))
        ),
        "the loss is the sum of the two means. The article halves it, and with it both gradients.": _changed(
            lambda L, dr, df, r, f: (L / 2, dr / 2, df / 2)
        ),
        "one derivative of the sigmoid too much: of the score, the gradient is p - 1 or p.": _changed(
            lambda L, dr, df, r, f: (L, dr * _sigmoid(r) * _sigmoid(-r), df * _sigmoid(f) * _sigmoid(-f))
        ),
        "log(0), or exp(900), is infinite. softplus(z) = max(z, 0) + log(1 + exp(-|z|)) is safe.": _plain,
        "means, not sums: the loss must not grow with the batch.": _changed(
            lambda L, dr, df, r, f: (
                float(np.sum(_softplus(-r)) + np.sum(_softplus(f))),
                dr * len(r),
                df * len(f),
            )
        ),
    },
    returns=("L", "dreal", "dfake"),
)
