"""Exercises on back-propagation: p - y, a maximum, a numerical gradient.

The larger ones, a dense layer and a convolution with their backward, are in `layers_backward`; those in which a wrong
gradient is found in `wrong_gradients`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from scratchnet.check.exercise import Exercise


def _draw(seed: int, *shape: int) -> np.ndarray:
    return np.round(np.random.default_rng(seed).normal(size=shape), 2)


# p - y


def _softmax(z: np.ndarray, axis: int | None = 1) -> np.ndarray:
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def _onehot(z: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.eye(z.shape[1])[y]


def _all_columns(z: np.ndarray, y: np.ndarray) -> np.ndarray:
    p = _softmax(z)
    p[:, y] -= 1
    return p / len(z)


softmax_cross_entropy_gradient = Exercise(
    "p - y: the gradient of softmax with cross-entropy",
    lambda z, y: (_softmax(z) - _onehot(z, y)) / len(z),
    [
        (np.array([[0.0, 0.0]]), np.array([1])),
        (np.array([[1.0, 2.0, 0.0], [0.0, -1.0, 0.5]]), np.array([2, 0])),
        (np.array([[1000.0, 999.0], [0.0, 1.0], [-2.0, 1.0]]), np.array([1, 1, 0])),
        (_draw(0, 4, 5), np.array([4, 0, 0, 2])),
    ],
    {
        "the loss is a mean over the N pictures: divide by N.": lambda z, y: _softmax(z) - _onehot(z, y),
        "the sign: p - y. The true class has a gradient below 0, so that a step against it raises the score.": (
            lambda z, y: (_onehot(z, y) - _softmax(z)) / len(z)
        ),
        "the 1 of the true class is not taken off.": lambda z, y: _softmax(z) / len(z),
        "each row has a softmax of its own: sum over axis 1.": (
            lambda z, y: (_softmax(z, None) - _onehot(z, y)) / len(z),
            lambda z, y: (_softmax(z, 0) - _onehot(z, y)) / len(z),
        ),
        "exp(1000) is infinite. Take the row's maximum off first: z - z.max(axis=1, keepdims=True).": (
            lambda z, y: (np.exp(z) / np.exp(z).sum(axis=1, keepdims=True) - _onehot(z, y)) / len(z)
        ),
        "the other classes have a gradient too: p.": (
            lambda z, y: (_softmax(z) - _onehot(z, y)) * _onehot(z, y) / len(z)
        ),
        "that is the gradient for p, -1/p at the true class; the question is the one for z.": (
            lambda z, y: -_onehot(z, y) / _softmax(z) / len(z)
        ),
        "p[:, y] means all rows, with all of these columns. One cell a row is p[np.arange(len(y)), y].": _all_columns,
        "divide by the number of pictures N, not by all numbers in z.": (
            lambda z, y: (_softmax(z) - _onehot(z, y)) / z.size
        ),
    },
)


# A maximum


def _ties(x: np.ndarray) -> np.ndarray:
    return (x == x.max(axis=1, keepdims=True)).astype(float)


def _first(x: np.ndarray) -> np.ndarray:
    return np.eye(x.shape[1])[x.argmax(axis=1)]


def _in_all_rows(x: np.ndarray, dy: np.ndarray) -> np.ndarray:
    dx = np.zeros(x.shape)
    for n, column in enumerate(x.argmax(axis=1)):
        dx[:, column] = dy[n]
    return dx


maximum_backward = Exercise(
    "The gradient of a maximum",
    lambda x, dy: _first(x) * dy[:, None],
    [
        (np.array([[1.0, 3.0]]), np.array([2.0])),
        (np.array([[3.0, 1.0, 3.0]]), np.array([-1.0])),
        (np.array([[0.0, 0.0], [0.0, 1.0]]), np.array([1.0, 5.0])),
        (np.array([[1.0, 4.0, 4.0], [2.0, -1.0, 0.5], [7.0, 7.0, 7.0]]), np.array([0.5, 2.0, -3.0])),
    ],
    {
        "among equal maxima only the first takes the gradient; here each takes all of it, which counts it twice.": (
            lambda x, dy: _ties(x) * dy[:, None]
        ),
        "sharing among equal maxima is a choice too, but here the first takes all, as in sn.MaxPooling2D.": (
            lambda x, dy: _ties(x) / _ties(x).sum(axis=1, keepdims=True) * dy[:, None]
        ),
        "among equal maxima take the first, not the last.": lambda x, dy: _first(x[:, ::-1])[:, ::-1] * dy[:, None],
        "the derivative is 1 at the maximum: by the chain rule it is multiplied with dy.": lambda x, dy: _first(x),
        "the derivative at the maximum is 1, not the maximum itself.": (
            lambda x, dy: _first(x) * x.max(axis=1, keepdims=True) * dy[:, None]
        ),
        "each row has a maximum of its own: argmax(axis=1).": (
            lambda x, dy: (x == x.max()) * dy[:, None],
            lambda x, dy: (np.arange(x.size) == x.argmax()).reshape(x.shape) * dy[:, None],
        ),
        "dx[:, column] means that column in all rows: write dx[n, column].": _in_all_rows,
        "every cell gets dy here; only the maximum had a part in y.": lambda x, dy: np.ones(x.shape) * dy[:, None],
    },
)


# A numerical gradient


class _Named:
    """A function of an array that is printed as its formula."""

    def __init__(self, text: str, function: Callable[[np.ndarray], float]):
        self.text, self.function = text, function

    def __call__(self, x: np.ndarray) -> float:
        return float(self.function(x))

    def __repr__(self) -> str:
        return self.text

    def __deepcopy__(self, memory: Any) -> _Named:
        return self


def _quotients(above: float, below: float, over: float, restore: bool = True) -> Callable[..., np.ndarray]:
    """One coordinate after the other: (f(x + above h) - f(x + below h)) / (over h)."""

    def gradient(f: Callable[[np.ndarray], float], x: np.ndarray, h: float) -> np.ndarray:
        x, g = x.copy(), np.zeros(x.shape)
        for index in np.ndindex(*x.shape):
            before = x[index]
            x[index] = before + above * h
            high = f(x)
            x[index] = before + below * h
            g[index] = (high - f(x)) / (over * h)
            if restore:
                x[index] = before
        return g

    return gradient


def _by_row(f: Callable[[np.ndarray], float], x: np.ndarray, h: float) -> np.ndarray:
    g = np.zeros(x.shape)
    for i in range(len(x)):
        step = np.zeros(x.shape)
        step[i] = h
        g[i] = (f(x + step) - f(x - step)) / (2 * h)
    return g


_central = _quotients(1, -1, 2)

numerical_gradient = Exercise(
    "A numerical gradient",
    _central,
    [
        (_Named("x -> sum of x**2", lambda x: (x**2).sum()), np.array([3.0]), 1e-3),
        (_Named("x -> x[0] * x[1]**3", lambda x: x[0] * x[1] ** 3), np.array([2.0, -1.0]), 1e-3),
        (_Named("x -> sum of exp(x)", lambda x: np.exp(x).sum()), np.array([[0.0, 1.0], [-1.0, 2.0]]), 1e-4),
        (_Named("x -> sum of x**4, times x[0, 0]", lambda x: (x**4).sum() * x[0, 0]), _draw(1, 2, 3), 1e-3),
    ],
    {
        "that looks to one side only. Look to both: (f(x + h) - f(x - h)) / (2 h) is far more precise.": (
            _quotients(1, 0, 1),
            _quotients(0, -1, 1),
        ),
        "from x - h to x + h it is 2 h: divide by 2 * h.": _quotients(1, -1, 1),
        "the steps are h to each side, so the division is by 2 * h; or by h, with steps of h / 2.": (
            _quotients(0.5, -0.5, 2),
            _quotients(1, 0, 2),
        ),
        "the sign: what lies above minus what lies below.": _quotients(-1, 1, 2),
        "put x back before you move the next number; otherwise all of them end up moved.": _quotients(1, -1, 2, False),
        "move one number at a time, not all at once: the gradient has the shape of x.": (
            lambda f, x, h: (f(x + h) - f(x - h)) / (2 * h),
            lambda f, x, h: np.full(x.shape, (f(x + h) - f(x - h)) / (2 * h)),
        ),
        "x may have several axes: go through all of its numbers with np.ndindex(*x.shape), not through its rows.": (
            _by_row
        ),
        "the gradient has the shape of x.": lambda f, x, h: _central(f, x, h).ravel(),
        "divide by the step: a difference is no slope yet.": lambda f, x, h: _central(f, x, h) * 2 * h,
    },
)
