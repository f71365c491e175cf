"""Exercises of the last chapter: a listing to mend, a number to reproduce, a formula that the article lacks."""

from __future__ import annotations

from collections.abc import Callable
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


# A formula that the article lacks: LeakyReLU stands in its second program and is said nowhere. Here with a slope that
# learns, after He and others, "Delving deep into rectifiers", arXiv 1502.01852.


def _leaky_relu(x: np.ndarray, alpha: float, dy: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    return np.where(x > 0, x, alpha * x), np.where(x > 0, dy, alpha * dy), float(np.sum(np.where(x > 0, 0, dy * x)))


def _leaky(change: Callable[..., Any]) -> Callable[..., Any]:
    """The right values, put through change(y, dx, dalpha, x, alpha, dy)."""
    return lambda x, alpha, dy: change(*_leaky_relu(x, alpha, dy), x, alpha, dy)


leaky_relu = GradientExercise(
    "LeakyReLU whose slope learns",
    _leaky_relu,
    [
        (np.array([[-1.0]]), 0.5, np.array([[2.0]])),
        (np.array([[3.0, -2.0]]), 0.25, np.array([[1.0, -1.5]])),
        (np.array([[1.5, -0.5, 2.0], [-3.0, 0.25, -1.0]]), 0.1, np.array([[0.5, 2.0, -1.0], [1.0, -0.5, 0.75]])),
        (np.array([[-2.0, 0.5]]), 1.5, np.array([[1.0, 3.0]])),
        (np.array([[2.0, -4.0], [-1.0, 5.0]]), -0.3, np.array([[1.0, 0.5], [-2.0, 1.5]])),
    ],
    {
        "below 0 nothing is cut off: y is alpha * x there. That is ReLU.": _leaky(
            lambda y, dx, da, x, a, dy: (np.maximum(x, 0), np.where(x > 0, dy, 0), da)
        ),
        "the two sides are exchanged: alpha belongs to x below 0.": _leaky(
            lambda y, dx, da, x, a, dy: (np.where(x > 0, a * x, x), np.where(x > 0, a * dy, dy), da)
        ),
        "np.maximum(x, alpha * x) chooses right only where alpha is 1 at most.": _leaky(
            lambda y, dx, da, x, a, dy: (np.maximum(x, a * x), dx, da)
        ),
        "dx is dy times the slope: 1 above 0, alpha below. Do not leave out dy.": _leaky(
            lambda y, dx, da, x, a, dy: (y, np.where(x > 0, 1.0, a), da)
        ),
        "dx below 0 is alpha * dy, not 0: that is why its units do not die.": _leaky(
            lambda y, dx, da, x, a, dy: (y, np.where(x > 0, dy, 0), da)
        ),
        "ask where x is above 0, not where y is: a negative slope turns y round.": _leaky(
            lambda y, dx, da, x, a, dy: (y, np.where(y > 0, dy, a * dy), da)
        ),
        "dalpha sums only over x below 0: above it, y does not know alpha.": _leaky(
            lambda y, dx, da, x, a, dy: (y, dx, float(np.sum(dy * x)))
        ),
        "there is one alpha for all numbers, so dalpha is one number: the sum.": (
            _leaky(lambda y, dx, da, x, a, dy: (y, dx, np.where(x > 0, 0, dy * x))),
            _leaky(lambda y, dx, da, x, a, dy: (y, dx, np.where(x > 0, 0, dy * x).sum(axis=0))),
        ),
        "dalpha is the sum, not the mean: the mean, if any, is in dy.": _leaky(
            lambda y, dx, da, x, a, dy: (y, dx, da / x.size)
        ),
        "dalpha is dy * x below 0, without alpha.": _leaky(lambda y, dx, da, x, a, dy: (y, dx, a * da)),
    },
)
