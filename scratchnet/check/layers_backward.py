"""Exercises on back-propagation in which a layer is written with its backward: dense with ReLU, convolution."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from scratchnet.check.gradients import GradientExercise


def _draw(seed: int, *shape: int) -> np.ndarray:
    return np.round(np.random.default_rng(seed).normal(size=shape), 2)


# A dense layer with ReLU


def _dense_relu(x: np.ndarray, w: np.ndarray, b: np.ndarray, dy: np.ndarray) -> tuple[np.ndarray, ...]:
    z = x @ w + b
    dz = dy * (z > 0)
    return np.maximum(z, 0), dz @ w.T, x.T @ dz, dz.sum(axis=0)


def _dense_relu_with(
    mask: Callable[..., Any] = lambda z, dy: z > 0, **change: Callable[..., Any]
) -> Callable[..., Any]:
    """The same with one part changed: the mask, or y, dx, dw, db as a function of x, w, z, dz, dy."""

    def function(x: np.ndarray, w: np.ndarray, b: np.ndarray, dy: np.ndarray) -> tuple[Any, ...]:
        z = x @ w + b
        dz = dy * mask(z, dy)
        parts = dict(zip(("y", "dx", "dw", "db"), (np.maximum(z, 0), dz @ w.T, x.T @ dz, dz.sum(axis=0))))
        return tuple(change[name](x, w, z, dz, dy) if name in change else part for name, part in parts.items())

    return function


dense_relu_backward = GradientExercise(
    "A dense layer with ReLU, forward and backward",
    _dense_relu,
    [
        (np.array([[2.0]]), np.array([[3.0]]), np.array([-1.0]), np.array([[1.0]])),
        (np.array([[1.0, -1.0]]), np.array([[1.0, 2.0], [1.0, 5.0]]), np.array([0.0, 1.0]), np.array([[4.0, 7.0]])),
        (_draw(2, 3, 2), _draw(3, 2, 2), _draw(4, 2), _draw(5, 3, 2)),
        (_draw(6, 4, 3), _draw(7, 3, 5), _draw(8, 5), _draw(9, 4, 5)),
    ],
    {
        "ReLU lets through where its input z is above 0; the mask is (z > 0), not (dy > 0).": _dense_relu_with(
            mask=lambda z, dy: dy > 0
        ),
        "the gradient passes ReLU first: dz = dy * (z > 0), and dx, dw, db are made from dz.": _dense_relu_with(
            mask=lambda z, dy: 1
        ),
        "where z is exactly 0 the derivative is taken as 0: z > 0.": _dense_relu_with(mask=lambda z, dy: z >= 0),
        "ReLU's derivative is 1 or 0, not its output.": _dense_relu_with(mask=lambda z, dy: np.maximum(z, 0)),
        "dx = dz @ w.T: the sum runs over the outputs. With a square w a forgotten .T raises no error.": (
            _dense_relu_with(dx=lambda x, w, z, dz, dy: dz @ w)
        ),
        "dw has the shape of w, (D, U): x.T @ dz.": _dense_relu_with(dw=lambda x, w, z, dz, dy: dz.T @ x),
        "db is summed over the pictures: one number for each output.": (
            _dense_relu_with(db=lambda x, w, z, dz, dy: dz),
            _dense_relu_with(db=lambda x, w, z, dz, dy: dz.sum()),
            _dense_relu_with(db=lambda x, w, z, dz, dy: dz.sum(axis=1)),
        ),
        "db is a sum over the pictures, not a mean: the division by N is in dy already.": _dense_relu_with(
            db=lambda x, w, z, dz, dy: dz.mean(axis=0)
        ),
        "the division by N is in dy already: it came from the loss. Do not divide again.": _dense_relu_with(
            dw=lambda x, w, z, dz, dy: x.T @ dz / len(x), db=lambda x, w, z, dz, dy: dz.mean(axis=0)
        ),
        "dw and db lie behind ReLU: they are made from dz, not from dy.": _dense_relu_with(
            dw=lambda x, w, z, dz, dy: x.T @ dy, db=lambda x, w, z, dz, dy: dy.sum(axis=0)
        ),
        "y is what comes out of ReLU: max(z, 0).": _dense_relu_with(y=lambda x, w, z, dz, dy: z),
    },
)


# A convolution with a stride


def _conv(
    x: np.ndarray, w: np.ndarray, b: np.ndarray, stride: int, dy: np.ndarray, step: int | None = None, **how: bool
) -> tuple[np.ndarray, ...]:
    """Right without `how`; each word in it is a mistake. `step`: where windows of dx start, if not at stride * i."""
    (KH, KW), step = w.shape[:2], stride if step is None else step
    y, dx, dw = np.zeros(dy.shape), np.zeros(x.shape), np.zeros(w.shape)
    scattered = w[::-1, ::-1] if how.get("flipped") else w
    for i, j in np.ndindex(*dy.shape[1:3]):
        window = x[:, stride * i : stride * i + KH, stride * j : stride * j + KW]
        place = (slice(None), slice(step * i, step * i + KH), slice(step * j, step * j + KW))
        y[:, i, j] = np.tensordot(window, w, 3) + (0 if how.get("no_bias") else b)
        dw += np.tensordot(window, dy[:, i, j], (0, 0))
        dx[place] = (0 if how.get("overwritten") else dx[place]) + np.tensordot(dy[:, i, j], scattered, (1, 3))
    return y, dx, dw, dy.sum(axis=(0, 1, 2))


def _conv_with(part: int, change: Callable[..., Any]) -> Callable[..., Any]:
    """One of y, dx, dw, db replaced: change(right one, x, w, stride, dy)."""

    def function(x: np.ndarray, w: np.ndarray, b: np.ndarray, stride: int, dy: np.ndarray) -> tuple[Any, ...]:
        parts: list[Any] = list(_conv(x, w, b, stride, dy))
        parts[part] = change(parts[part], x, w, stride, dy)
        return tuple(parts)

    return function


conv2d_backward_stride = GradientExercise(
    "Convolution with a stride, forward and backward",
    lambda x, w, b, stride, dy: _conv(x, w, b, stride, dy),
    [
        (_draw(10, 1, 2, 2, 1), _draw(11, 2, 2, 1, 1), _draw(12, 1), 1, _draw(13, 1, 1, 1, 1)),
        (_draw(14, 1, 3, 3, 1), _draw(15, 2, 2, 1, 1), _draw(16, 1), 1, _draw(17, 1, 2, 2, 1)),
        (_draw(18, 2, 5, 5, 1), _draw(19, 3, 3, 1, 2), _draw(20, 2), 2, _draw(21, 2, 2, 2, 2)),
        (_draw(22, 2, 6, 7, 2), _draw(23, 3, 2, 2, 3), _draw(24, 3), 2, _draw(25, 2, 2, 3, 3)),
    ],
    {
        "a pixel lies in several windows: their parts of dx add up, +=.": lambda x, w, b, s, dy: _conv(
            x, w, b, s, dy, overwritten=True
        ),
        "in dx, too, the window of output (i, j) begins at (stride * i, stride * j).": lambda x, w, b, s, dy: _conv(
            x, w, b, s, dy, step=1
        ),
        "dx[.., s i + k, s j + l] += dy w[k, l]: when you scatter, the kernel stays as it is. It is flipped when you "
        "write dx as a convolution of dy.": lambda x, w, b, s, dy: _conv(x, w, b, s, dy, flipped=True),
        "dw is summed over the pictures; here only one of them counts.": (
            _conv_with(2, lambda dw, x, w, s, dy: _conv(x[-1:], w, np.zeros(1), s, dy[-1:])[2]),
            _conv_with(2, lambda dw, x, w, s, dy: _conv(x[:1], w, np.zeros(1), s, dy[:1])[2]),
        ),
        "dw is a sum over the pictures, not a mean: the division by N is in dy already.": _conv_with(
            2, lambda dw, x, w, s, dy: dw / len(x)
        ),
        "db is a sum over pictures and places, not a mean.": (
            _conv_with(3, lambda db, x, w, s, dy: dy.mean(axis=(0, 1, 2))),
            _conv_with(3, lambda db, x, w, s, dy: db / len(x)),
        ),
        "one bias for each filter: db sums over n, i and j, and has the shape (F,).": (
            _conv_with(3, lambda db, x, w, s, dy: dy.sum()),
            _conv_with(3, lambda db, x, w, s, dy: dy.sum(axis=0)),
            _conv_with(3, lambda db, x, w, s, dy: dy.sum(axis=(1, 2))),
        ),
        "the forward adds the bias of each filter.": lambda x, w, b, s, dy: _conv(x, w, b, s, dy, no_bias=True),
        "all of dx is 0: each product x * w of the forward hands dy * w back to its x.": _conv_with(
            1, lambda dx, x, w, s, dy: np.zeros(x.shape)
        ),
    },
    returns=("y", "dx", "dw", "db"),
)
