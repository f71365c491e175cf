"""Exercises on the layers between convolutions: softmax, pooling, dead ReLUs, receptive field, normalization."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from scratchnet.check.exercise import Exercise
from scratchnet.check.gradients import GradientExercise


def _shares(e: np.ndarray) -> np.ndarray:
    return e / e.sum(axis=1, keepdims=True)


def _softmax(z: np.ndarray) -> np.ndarray:
    return _shares(np.exp(z - z.max(axis=1, keepdims=True)))


softmax = Exercise(
    "A softmax that cannot overflow",
    _softmax,
    [
        (np.array([[0.0, 0.0]]),),
        (np.array([[1.0, 2.0, 4.0]]),),
        (np.array([[0.0, 1.0], [2.0, 0.5]]),),
        (np.array([[1000.0, 1001.0]]),),
        (np.array([[0.0, 1.0], [2000.0, 2001.0]]),),
        (np.array([[-1000.0, -1001.0, -1000.0]]),),
    ],
    {
        "exp(1000) is infinite: take the row's maximum off first, which changes nothing else.": lambda z: _shares(
            np.exp(z)
        ),
        "take off each row's own maximum: one maximum for all leaves rows of exp(-2000) = 0.": lambda z: _shares(
            np.exp(z - z.max())
        ),
        "each row adds up to 1, not the whole array: sum over axis=1.": lambda z: (
            np.exp(z - z.max(axis=1, keepdims=True)) / np.exp(z - z.max(axis=1, keepdims=True)).sum()
        ),
        "the classes lie along axis 1: this one makes each column add up to 1.": lambda z: (
            np.exp(z - z.max(axis=0)) / np.exp(z - z.max(axis=0)).sum(axis=0)
        ),
        "keepdims=True, so that each row is divided by its own sum.": lambda z: (
            np.exp(z - z.max(axis=1, keepdims=True)) / np.exp(z - z.max(axis=1, keepdims=True)).sum(axis=1)
        ),
        "the exponential is missing: scores may be negative, probabilities not.": lambda z: (
            z / z.sum(axis=1, keepdims=True)
        ),
        "clipping the scores changes the answer: exp of a difference needs no clip.": lambda z: _shares(
            np.exp(np.clip(z, -700, 700))
        ),
        "divide by the sum of the row, not by its largest term.": lambda z: np.exp(z - z.max(axis=1, keepdims=True)),
        "the probabilities are asked, not their logarithms.": lambda z: np.log(np.maximum(_softmax(z), 1e-300)),
    },
)


def _pool(x: np.ndarray, dy: np.ndarray, share: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Each dy times what `share` makes of its 2 x 2 window."""
    dx = np.zeros_like(x)
    for i, j in np.ndindex(*dy.shape):
        cells = (slice(2 * i, 2 * i + 2), slice(2 * j, 2 * j + 2))
        dx[cells] = dy[i, j] * share(x[cells])
    return dx


def _first(window: np.ndarray) -> np.ndarray:
    return np.arange(window.size).reshape(window.shape) == window.argmax()


def _all(window: np.ndarray) -> np.ndarray:
    return window == window.max()


max_pool_gradient = Exercise(
    "The gradient of max-pooling, with ties",
    lambda x, dy: _pool(x, dy, _first),
    [
        (np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[5.0]])),
        (np.array([[-1.0, -2.0], [-3.0, -4.0]]), np.array([[5.0]])),
        (np.array([[0.0, 0.0], [0.0, 0.0]]), np.array([[1.0]])),
        (np.array([[0.0, 7.0], [7.0, 1.0]]), np.array([[2.0]])),
        (
            np.array([[1.0, 3.0, 0.0, 0.0], [3.0, 2.0, 0.0, 0.0], [5.0, 5.0, 1.0, 2.0], [0.0, 5.0, 4.0, 3.0]]),
            np.array([[1.0, 2.0], [3.0, 4.0]]),
        ),
    ],
    {
        "several cells are the maximum: all of them got the gradient, which is counted two to four times.": (
            lambda x, dy: _pool(x, dy, _all)
        ),
        "ties: the package gives all to the first cell; this shares it out, a possible choice, but another one.": (
            lambda x, dy: _pool(x, dy, lambda s: _all(s) / _all(s).sum())
        ),
        "ties: the first maximum is asked; this takes the last: > instead of >=.": lambda x, dy: _pool(
            x, dy, lambda s: _first(s[::-1, ::-1])[::-1, ::-1]
        ),
        "first in row-major order: along the row, then down.": lambda x, dy: _pool(x, dy, lambda s: _first(s.T).T),
        "that is average-pooling: a maximum has one cell that counts.": lambda x, dy: _pool(
            x, dy, lambda s: np.full(s.shape, 0.25)
        ),
        "the cell gets dy, not 1.": lambda x, dy: _pool(x, np.ones_like(dy), _first),
        "a maximum may be negative: begin with the window's first cell or -inf, not with 0.": lambda x, dy: _pool(
            x, dy, lambda s: _first(s) * (s.max() >= 0)
        ),
        "a maximum may be 0: a window of zeros passes its gradient on, too.": lambda x, dy: _pool(
            x, dy, lambda s: _first(s) * (s.max() != 0)
        ),
        "dx has the shape of x; this is the pooled picture.": lambda x, dy: np.array(
            [[x[2 * i : 2 * i + 2, 2 * j : 2 * j + 2].max() for j in range(dy.shape[1])] for i in range(dy.shape[0])]
        ),
    },
)


def _dead(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.flatnonzero((x @ w + b <= 0).all(axis=0))


_X = np.array([[1.0, 0.0], [0.0, 1.0], [2.0, 1.0]])
dead_relus = Exercise(
    "The dead ReLUs of a layer",
    _dead,
    [
        (np.array([[1.0]]), np.array([[1.0, -1.0]]), np.array([0.0, 0.0])),
        (np.array([[1.0], [-1.0]]), np.array([[1.0, 1.0]]), np.array([0.0, -3.0])),
        (
            _X,
            np.array([[1.0, -1.0, 0.0, 2.0, 1.0], [1.0, -2.0, 0.0, -3.0, -2.0]]),
            np.array([0.0, 0.5, 0.0, -9.0, 0.5]),
        ),
        (_X, np.array([[1.0, -1.0, 2.0], [1.0, -2.0, 3.0]]), np.array([-0.5, 5.0, 0.0])),
    ],
    {
        "dead is a unit that gives 0 for every input; for some inputs every ReLU gives 0.": lambda x, w, b: (
            np.flatnonzero((x @ w + b <= 0).any(axis=0))
        ),
        "the bias belongs to the sum: x @ w + b.": lambda x, w, b: np.flatnonzero((x @ w <= 0).all(axis=0)),
        "the numbers of the units are asked: np.flatnonzero of this mask.": lambda x, w, b: (x @ w + b <= 0).all(
            axis=0
        ),
        "np.where and np.nonzero give a tuple: take its [0], or use np.flatnonzero.": lambda x, w, b: np.nonzero(
            (x @ w + b <= 0).all(axis=0)
        ),
        "a sum of exactly 0 gives 0 as well: <= 0.": lambda x, w, b: np.flatnonzero((x @ w + b < 0).all(axis=0)),
        "a mean below 0 does not say that it is always below 0.": lambda x, w, b: np.flatnonzero(
            (x @ w + b).mean(axis=0) <= 0
        ),
        "the bias alone does not decide: the sum over the inputs does.": lambda x, w, b: np.flatnonzero(b < 0),
        "these are the living ones.": lambda x, w, b: np.flatnonzero((x @ w + b > 0).any(axis=0)),
        "the examples lie along axis 0: all(axis=0) asks each unit about all examples.": lambda x, w, b: np.flatnonzero(
            (x @ w + b <= 0).all(axis=1)
        ),
        "which units, not how many.": lambda x, w, b: len(_dead(x, w, b)),
    },
)


def _receptive(layers: Sequence[tuple[int, int]]) -> int:
    size, jump = 1, 1
    for kernel, stride in layers:
        size += (kernel - 1) * jump
        jump *= stride
    return size


def _receptive_late(layers: Sequence[tuple[int, int]]) -> int:
    size, jump = 1, 1
    for kernel, stride in layers:
        jump *= stride
        size += (kernel - 1) * jump
    return size


def _receptive_in_order(layers: Sequence[tuple[int, int]]) -> int:
    size = 1
    for kernel, stride in layers:
        size = (size - 1) * stride + kernel
    return size


receptive_field = Exercise(
    "The receptive field",
    _receptive,
    [
        ([(3, 1)],),
        ([(3, 1), (3, 1)],),
        ([(3, 1), (2, 2)],),
        ([(2, 2), (3, 1)],),
        ([(3, 1), (2, 2), (3, 1), (2, 2)],),
        ([(5, 2), (5, 2), (3, 1)],),
        ([(1, 1), (7, 3), (4, 2)],),
    ],
    {
        "kernels overlap: each adds its size less one.": lambda layers: sum(k for k, _ in layers),
        "behind a stride of 2, neighbours lie 2 pixels apart: multiply k - 1 by the strides before.": lambda layers: (
            1 + sum(k - 1 for k, _ in layers)
        ),
        "a layer's own stride counts for the layers behind it, not for itself.": _receptive_late,
        "from the first layer on it is size += (k - 1) * jump; (size - 1) * stride + k runs from the last one back.": (
            _receptive_in_order
        ),
        "without any layer the field is 1 pixel: begin with 1.": lambda layers: _receptive(layers) - 1,
        "this is how far apart neighbours lie, the product of the strides.": lambda layers: int(
            np.prod([s for _, s in layers])
        ),
        "sizes add up, they do not multiply.": lambda layers: int(np.prod([k for k, _ in layers])),
        "only the last stride was taken: the jump is the product of all strides before.": lambda layers: (
            1 + sum((k - 1) * before for (k, _), before in zip(layers, [1, *(s for _, s in layers)]))
        ),
        "one side, not an area: the field of one 3 x 3 kernel is 3.": lambda layers: _receptive(layers) ** 2,
    },
)

Gradients = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def _batch_norm(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, epsilon: float, dy: np.ndarray) -> Gradients:
    mean, s = x.mean(axis=0), np.sqrt(x.var(axis=0) + epsilon)
    n = (x - mean) / s
    dbeta, dgamma = dy.sum(axis=0), (dy * n).sum(axis=0)
    return gamma * n + beta, gamma / s * (dy - dbeta / len(x) - n * dgamma / len(x)), dgamma, dbeta


def _changed(change: Callable[..., dict[int, np.ndarray]]) -> Callable[..., tuple]:
    """The right answer with some of its four values as `change` gives them, from n, s, and the arguments."""

    def mistaken(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, epsilon: float, dy: np.ndarray) -> tuple:
        s = np.sqrt(x.var(axis=0) + epsilon)
        new = change((x - x.mean(axis=0)) / s, s, x, gamma, beta, dy)
        return tuple(new.get(place, value) for place, value in enumerate(_batch_norm(x, gamma, beta, epsilon, dy)))

    return mistaken


def _with_scale(scale: Callable[[np.ndarray, float], np.ndarray]) -> Callable[..., Gradients]:
    """The right answer with another divisor in the place of sqrt(var + epsilon)."""

    def mistaken(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, epsilon: float, dy: np.ndarray) -> Gradients:
        s = scale(x, epsilon)
        n = (x - x.mean(axis=0)) / s
        dbeta, dgamma = dy.sum(axis=0), (dy * n).sum(axis=0)
        return gamma * n + beta, gamma / s * (dy - dbeta / len(x) - n * dgamma / len(x)), dgamma, dbeta

    return mistaken


def _draw(seed: int, *shape: int) -> np.ndarray:
    return np.round(np.random.default_rng(seed).normal(size=shape), 1)


batch_norm = GradientExercise(
    "Batch normalization, forward and backward",
    _batch_norm,
    [
        (np.array([[1.0], [2.0], [6.0]]), np.array([2.0]), np.array([0.5]), 0.1, np.array([[1.0], [0.0], [-2.0]])),
        (_draw(0, 4, 2), _draw(1, 2), _draw(2, 2), 0.01, _draw(3, 4, 2)),
        (_draw(4, 6, 3) * 5 + 2, _draw(5, 3), _draw(6, 3), 1e-3, _draw(7, 6, 3)),
    ],
    {
        "dx: mean and variance depend on x, too; this treats them as constants.": _changed(
            lambda n, s, x, gamma, beta, dy: {1: gamma / s * dy}
        ),
        "dx: the way through the variance is missing, - u * dgamma / R.": _changed(
            lambda n, s, x, gamma, beta, dy: {1: gamma / s * (dy - dy.mean(axis=0))}
        ),
        "dx: the way through the mean is missing, - dbeta / R.": _changed(
            lambda n, s, x, gamma, beta, dy: {1: gamma / s * (dy - n * (dy * n).mean(axis=0))}
        ),
        "dx: gamma is missing.": _changed(
            lambda n, s, x, gamma, beta, dy: {1: (dy - dy.mean(axis=0) - n * (dy * n).mean(axis=0)) / s}
        ),
        "dx: sums where means belong: divide dbeta and dgamma by R there.": _changed(
            lambda n, s, x, gamma, beta, dy: {1: gamma / s * (dy - dy.sum(axis=0) - n * (dy * n).sum(axis=0))}
        ),
        "dgamma: gamma multiplies the normalized u, not x.": _changed(
            lambda n, s, x, gamma, beta, dy: {2: (dy * x).sum(axis=0)}
        ),
        "dgamma and dbeta are sums over the rows; the mean over them was taken in the loss already.": _changed(
            lambda n, s, x, gamma, beta, dy: {2: (dy * n).mean(axis=0), 3: dy.mean(axis=0)}
        ),
        "dgamma and dbeta have one number for each channel: sum over axis 0.": _changed(
            lambda n, s, x, gamma, beta, dy: {2: dy * n, 3: dy}
        ),
        "y: gamma and beta are missing.": _changed(lambda n, s, x, gamma, beta, dy: {0: n}),
        "the biased variance is meant: divide by R, not R - 1.": _with_scale(
            lambda x, epsilon: np.sqrt(x.var(axis=0, ddof=1) + epsilon)
        ),
        "epsilon stands under the root.": _with_scale(lambda x, epsilon: x.std(axis=0) + epsilon),
        "epsilon is missing.": _with_scale(lambda x, epsilon: x.std(axis=0)),
        "divide by the standard deviation, the root of the variance.": _with_scale(
            lambda x, epsilon: x.var(axis=0) + epsilon
        ),
        "each channel has a variance of its own: axis=0.": _with_scale(lambda x, epsilon: np.sqrt(x.var() + epsilon)),
    },
    returns=("y", "dx", "dgamma", "dbeta"),
)
