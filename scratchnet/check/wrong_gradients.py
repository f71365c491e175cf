"""Exercises on back-propagation in which a wrong gradient is found: by its table of errors, and in a program."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from scratchnet.check.exercise import Exercise


def _draw(seed: int, *shape: int) -> np.ndarray:
    return np.round(np.random.default_rng(seed).normal(size=shape), 2)


# The first wrong gradient


def _first_wrong(errors: Mapping[str, float], tolerance: float) -> str:
    return next((name for name, error in errors.items() if not error <= tolerance), "none")


_RIGHT = {"loss.dz": 1e-11, "dense.dx": 2e-10, "dense.dw": 3e-11, "pool.dx": 2e-10, "conv.dw": 1e-9}

first_wrong = Exercise(
    "The first wrong gradient",
    _first_wrong,
    [
        ({"loss.dz": 1e-11, "dense.dw": 0.5}, 1e-6),
        ({"loss.dz": 1e-11, "dense.dw": 2e-11}, 1e-6),
        ({**_RIGHT, "pool.dx": 0.3, "conv.dw": 0.9}, 1e-6),
        ({**_RIGHT, "dense.dw": math.nan, "conv.dw": 0.1}, 1e-6),
        ({**_RIGHT, "dense.dx": 2e-4, "pool.dx": 1.2, "conv.dw": 0.8}, 1e-3),
    ],
    {
        "the first in the order of the backward, not the largest: a fault makes all behind it wrong too.": (
            lambda errors, t: (
                max(errors, key=lambda n: errors[n]) if any(not e <= t for e in errors.values()) else "none"
            ),
        ),
        "the first in the order of the backward is the fault; the last is only its victim.": (
            lambda errors, t: _first_wrong(dict(reversed(errors.items())), t)
        ),
        "nan is wrong too, but nan > tolerance is False. Ask `not error <= tolerance`.": (
            lambda errors, t: next((n for n, e in errors.items() if e > t), "none")
        ),
        "an error of 1e-11 is rounding: compare with the tolerance.": (
            lambda errors, t: next((n for n, e in errors.items() if e > 0), "none"),
            lambda errors, t: next((n for n, e in errors.items() if not e <= 0), "none"),
        ),
        "return the name of the array, not its error.": (
            lambda errors, t: next((e for e in errors.values() if not e <= t), "none")
        ),
        "only the first one: return its name, not a list of all.": (
            lambda errors, t: [n for n, e in errors.items() if not e <= t]
        ),
        'where all are right, return "none".': (
            lambda errors, t: next((n for n, e in errors.items() if not e <= t), ""),
            lambda errors, t: next((n for n, e in errors.items() if not e <= t), None),
            lambda errors, t: next(n for n, e in errors.items() if not e <= t),
        ),
        "the tolerance is an argument: use it, not a number of your own.": (
            lambda errors, t: _first_wrong(errors, 1e-6),
            lambda errors, t: _first_wrong(errors, 1e-7),
        ),
    },
)


# A planted bug


def _average_pool(
    x: np.ndarray, dy: np.ndarray, size: int = 2, over: float = 4, step: int = 1, add: bool = True
) -> np.ndarray:
    dx = np.zeros(x.shape)
    for i, j in np.ndindex(*dy.shape):
        place = slice(step * i, step * i + size), slice(step * j, step * j + size)
        dx[place] = dx[place] * add + dy[i, j] / over
    return dx


average_pool_backward = Exercise(
    "Average pooling with overlapping windows, mended",
    lambda x, dy: _average_pool(x, dy),
    [
        (np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[8.0]])),
        (np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), np.array([[4.0, 8.0]])),
        (_draw(26, 4, 5), _draw(27, 3, 4)),
    ],
    {
        "where an error is says more than how large it is. Which pixels are right, and what is special about them?": (
            lambda x, dy: _average_pool(x, dy, add=False)
        ),
        "each of the four pixels had a quarter of y: it gets dy / 4.": (
            lambda x, dy: _average_pool(x, dy, over=1),
            lambda x, dy: _average_pool(x, dy, over=2),
        ),
        "the windows overlap: window (i, j) begins at (i, j), not at (2 i, 2 j).": lambda x, dy: _average_pool(
            x, dy, step=2
        ),
        "the mean has a gradient for each pixel of the window, not only for the first.": lambda x, dy: _average_pool(
            x, dy, size=1
        ),
        "do not divide by the number of windows: what comes from each of them is added.": (
            lambda x, dy: _average_pool(x, dy) / _average_pool(x, np.ones(dy.shape), over=1)
        ),
        "the mean over all of x is another layer: each dy belongs to a window of 2 x 2.": (
            lambda x, dy: np.full(x.shape, dy.sum() / x.size)
        ),
        "the derivative of a mean does not depend on x.": lambda x, dy: x * _average_pool(x, dy),
    },
)
