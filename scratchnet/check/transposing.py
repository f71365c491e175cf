"""An exercise of notebook 3.1a: is this map the transposed of that one? Its cases are right pairs and faulty ones."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from scratchnet.check.exercise import Exercise


class Map:
    """A function of one array that is shown by its name."""

    def __init__(self, function: Callable[[np.ndarray], np.ndarray]):
        self.function, self.__name__, self.__doc__ = function, function.__name__, function.__doc__

    def __call__(self, array: np.ndarray) -> np.ndarray:
        """What the function gives for an array."""
        return self.function(array)

    def __repr__(self) -> str:
        return self.__name__

    def __deepcopy__(self, memo: dict) -> Map:
        return self  # as functions do


def _moved(x: np.ndarray, by: int) -> np.ndarray:
    """A map whose transposed moves back: rows go down by `by`, and those that leave are lost."""
    y = np.zeros(x.shape)
    y[max(by, 0) : len(x) + min(by, 0)] = x[max(-by, 0) : len(x) - max(by, 0)]
    return y


_W = np.array([[1.0, 2.0], [3.0, -4.0]])


@Map
def gather(x: np.ndarray) -> np.ndarray:
    """A convolution: (3, 4) to (2, 3)."""
    return np.array([[np.sum(x[i : i + 2, j : j + 2] * _W) for j in range(3)] for i in range(2)])


def _stamped(y: np.ndarray, w: np.ndarray, add: bool = True) -> np.ndarray:
    x = np.zeros((3, 4))
    for i, j in np.ndindex(2, 3):
        x[i : i + 2, j : j + 2] = x[i : i + 2, j : j + 2] * add + y[i, j] * w
    return x


@Map
def scatter(y: np.ndarray) -> np.ndarray:
    """Its transposed: (2, 3) to (3, 4)."""
    return _stamped(y, _W)


@Map
def scatter_flipped(y: np.ndarray) -> np.ndarray:
    """The scatter with the kernel turned by half a turn: wrong."""
    return _stamped(y, _W[::-1, ::-1])


@Map
def scatter_assigning(y: np.ndarray) -> np.ndarray:
    """The scatter with = in the place of +=: wrong."""
    return _stamped(y, _W, add=False)


@Map
def identity(x: np.ndarray) -> np.ndarray:
    """A copy: its own transposed, and its own inverse."""
    return x.copy()


@Map
def double(x: np.ndarray) -> np.ndarray:
    """Twice x: its own transposed, and not its own inverse."""
    return 2 * x


@Map
def half(x: np.ndarray) -> np.ndarray:
    """x / 2: the inverse of `double`, and not its transposed."""
    return x / 2


@Map
def down(x: np.ndarray) -> np.ndarray:
    """Rows move down by one."""
    return _moved(x, 1)


@Map
def up(x: np.ndarray) -> np.ndarray:
    """Rows move up by one: the transposed of `down`."""
    return _moved(x, -1)


def _adjoint(
    forward: Callable[..., Any],
    back: Callable[..., Any],
    x_shape: tuple,
    y_shape: tuple,
    draw: Callable[..., np.ndarray] | None = None,
    same: Callable[..., Any] = np.isclose,
) -> bool:
    """Whether <forward(x), y> = <x, back(y)> for numbers drawn at random."""
    draw = np.random.default_rng(0).normal if draw is None else lambda size: np.ones(size)
    x, y = draw(size=x_shape), draw(size=y_shape)
    return bool(same(np.sum(forward(x) * y), np.sum(x * back(y))))


def _inverse(forward: Callable[..., Any], back: Callable[..., Any], x_shape: tuple, y_shape: tuple) -> bool:
    x = np.random.default_rng(0).normal(size=x_shape)
    return bool(np.allclose(back(forward(x)), x))


def _lengths(forward: Callable[..., Any], back: Callable[..., Any], x_shape: tuple, y_shape: tuple) -> bool:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=x_shape), rng.normal(size=y_shape)
    return bool(np.isclose(np.linalg.norm(forward(x)), np.linalg.norm(back(y))))


def _shapes(forward: Callable[..., Any], back: Callable[..., Any], x_shape: tuple, y_shape: tuple) -> bool:
    return forward(np.ones(x_shape)).shape == tuple(y_shape) and back(np.ones(y_shape)).shape == tuple(x_shape)


def _products(forward: Callable[..., Any], back: Callable[..., Any], x_shape: tuple, y_shape: tuple) -> bool:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=x_shape), rng.normal(size=y_shape)
    return bool(np.allclose(forward(x) * y, x * back(y)))


def _both_forward(forward: Callable[..., Any], back: Callable[..., Any], x_shape: tuple, y_shape: tuple) -> bool:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=x_shape), rng.normal(size=y_shape)
    return bool(np.isclose(np.sum(forward(x) * y), np.sum(back(x) * y)))


is_transposed = Exercise(
    "Is it the transposed?",
    _adjoint,
    [
        (identity, identity, (2,), (2,)),
        (double, half, (2,), (2,)),
        (double, double, (2, 2), (2, 2)),
        (down, up, (3, 1), (3, 1)),
        (down, down, (3, 1), (3, 1)),
        (gather, scatter, (3, 4), (2, 3)),
        (gather, scatter_flipped, (3, 4), (2, 3)),
        (gather, scatter_assigning, (3, 4), (2, 3)),
    ],
    {
        "with ones a flipped kernel is not noticed: draw the numbers at random.": partial(_adjoint, draw=np.ones),
        "sums round differently: compare with np.isclose, not with ==.": partial(_adjoint, same=np.equal),
        "transposed is not inverse: back(forward(x)) need not be x.": _inverse,
        "equal lengths are not enough: compare <forward(x), y> with <x, back(y)>.": _lengths,
        "the right shapes are not enough: compare the two sums.": _shapes,
        "both products are added up, and the two sums compared: np.sum.": _products,
        "the answer is True where both sums agree, and False where they do not.": lambda f, b, xs, ys: (
            not _adjoint(f, b, xs, ys)
        ),
        "x goes forward and y goes back: <forward(x), y> and <x, back(y)>.": _both_forward,
    },
)
