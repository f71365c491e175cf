"""Exercises on the core concepts: counting parameters, XOR, what a shifted picture changes, two layers backwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from scratchnet.check.exercise import Exercise
from scratchnet.check.gradients import GradientExercise

LENET = (("conv", 5, 6), ("pool", 2), ("conv", 5, 16), ("pool", 2), ("dense", 120), ("dense", 84), ("dense", 10))


def _count(
    shape: tuple[int, int, int],
    layers: Sequence[tuple],
    conv: Callable[[int, int, int, int, int], int] = lambda k, c, f, oh, ow: (k * k * c + 1) * f,
    dense: Callable[[int, int], int] = lambda d, u: (d + 1) * u,
    shrink: bool = True,
    pool: bool = True,
    flatten: Callable[[int, int, int], int] = lambda h, w, c: h * w * c,
) -> int:
    (h, w, c), total = shape, 0
    for kind, size, *rest in layers:
        if kind == "conv":
            oh, ow = (h - size + 1, w - size + 1) if shrink else (h, w)
            total += conv(size, c, rest[0], oh, ow)
            h, w, c = oh, ow, rest[0]
        elif kind == "pool":
            h, w = (h // size, w // size) if pool else (h, w)
        else:
            total += dense(flatten(h, w, c), size)
            h, w, c = 1, 1, size
    return total


def _at_corners(table: Sequence[int]) -> Callable[[np.ndarray], np.ndarray]:
    """The function with these values at (0, 0), (0, 1), (1, 0) and (1, 1)."""
    return lambda x: np.array([table[int(2 * a + b)] for a, b in np.asarray(x)], np.float64)


class Picture:
    """A function from pictures to pictures, with a name for the checker's answers."""

    def __init__(self, name: str, formula: Callable[[np.ndarray], np.ndarray]):
        self.name, self.formula = name, formula

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """The picture that the function makes of x."""
        return self.formula(x)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Picture) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return self.name


def _right(x: np.ndarray) -> np.ndarray:
    return np.roll(x, 1, axis=1)


def _shift_error(f: Callable[[np.ndarray], np.ndarray], x: np.ndarray) -> float:
    return float(np.abs(f(_right(x)) - _right(f(x))).max())


_X = np.round(np.random.default_rng(0).normal(size=(3, 4)), 1)
_W = np.round(np.random.default_rng(1).normal(size=(12, 12)), 1)
_brighter = Picture("brighter", lambda x: 2 * x + 1)
_blur = Picture("blur", lambda x: (np.roll(x, -1, axis=1) + x + np.roll(x, 1, axis=1)) / 3)
_dense = Picture("dense", lambda x: (x.reshape(-1) @ _W).reshape(x.shape))
_ramp = Picture("darker_to_the_left", lambda x: x * np.arange(x.shape[1]))
_down = Picture("darker_to_the_top", lambda x: x * np.arange(x.shape[0])[:, None])

count_parameters = Exercise(
    "Count the parameters",
    _count,
    [
        ((1, 1, 3), (("dense", 2),)),
        ((4, 4, 1), (("conv", 3, 2),)),
        ((4, 4, 2), (("conv", 3, 5), ("dense", 3))),
        ((6, 6, 3), (("pool", 2), ("dense", 4), ("dense", 2))),
        ((32, 32, 1), LENET),
    ],
    {
        "the biases are missing: one for each filter, one for each unit of a dense layer.": lambda s, n: _count(
            s, n, lambda k, c, f, oh, ow: k * k * c * f, lambda d, u: d * u
        ),
        "a filter has a k x k kernel for every channel that comes in.": lambda s, n: _count(
            s, n, lambda k, c, f, oh, ow: (k * k + 1) * f
        ),
        "a filter has one bias, not one for each channel that comes in.": lambda s, n: _count(
            s, n, lambda k, c, f, oh, ow: (k * k + 1) * c * f
        ),
        "the kernel is k x k: square k.": lambda s, n: _count(s, n, lambda k, c, f, oh, ow: (k * c + 1) * f),
        "the weights are shared by all places: OH and OW count for work, not for parameters.": lambda s, n: _count(
            s, n, lambda k, c, f, oh, ow: (k * k * c + 1) * f * oh * ow
        ),
        "a convolution without padding makes the picture smaller: H - k + 1.": lambda s, n: _count(s, n, shrink=False),
        "pooling divides height and width, so fewer numbers reach the dense layer.": lambda s, n: _count(
            s, n, pool=False
        ),
        "a dense layer sees all numbers of the maps: H * W * C of them, not C.": lambda s, n: _count(
            s, n, flatten=lambda h, w, c: c
        ),
        "the biases of a dense layer belong to its units: one for each output.": lambda s, n: _count(
            s, n, dense=lambda d, u: d * u + d
        ),
    },
)

xor = Exercise(
    "XOR with a hidden layer",
    _at_corners((0, 1, 1, 0)),
    [
        (np.array([[0.0, 0.0]]),),
        (np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0]]),),
        (np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]),),
        (np.array([[1.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0], [0.0, 1.0]]),),
    ],
    {
        "this is the sum: at (1, 1) it is 2. A second neuron has to take that away.": lambda x: x[:, 0] + x[:, 1],
        "this is OR: at (1, 1) the answer is 0.": _at_corners((0, 1, 1, 1)),
        "this is AND. XOR is 1 where exactly one of the two is 1.": _at_corners((0, 0, 0, 1)),
        "this is the opposite of XOR.": _at_corners((1, 0, 0, 1)),
        "1/2 everywhere is the best that a single layer can do with a squared error.": lambda x: np.full(len(x), 0.5),
        "without relu the two layers are one weighted sum, so that (1, 1) cannot be 0.": [
            lambda x: x[:, 0] + x[:, 1] - 2 * (x[:, 0] + x[:, 1] - 1),
            lambda x: x[:, 0] - x[:, 1],
        ],
        "the second neuron needs its bias of -1, so that it answers at (1, 1) only.": lambda x: (
            x[:, 0] + x[:, 1] - 2 * np.maximum(x[:, 0] + x[:, 1], 0)
        ),
        "one answer for each row of x: shape (N,), not (N, 1).": lambda x: _at_corners((0, 1, 1, 0))(x)[:, None],
    },
)

shift_error = Exercise(
    "Shift first or shift last",
    _shift_error,
    [(_brighter, np.array([[1.0, 2.0, 3.0]])), (_ramp, np.array([[1.0, 2.0, 4.0]])), (_down, _X), (_blur, _X),
     (_dense, _X)],
    {
        "shift the answer too: f(shift(x)) is compared with shift(f(x)), not with f(x).": lambda f, x: np.abs(
            f(_right(x)) - f(x)
        ).max(),
        "compare f(shift(x)) with shift(f(x)); this compares f(x) with shift(f(x)).": lambda f, x: np.abs(
            f(x) - _right(f(x))
        ).max(),
        "to the right is along axis 1; axis 0 goes down.": lambda f, x: np.abs(
            f(np.roll(x, 1, axis=0)) - np.roll(f(x), 1, axis=0)
        ).max(),
        "without an axis np.roll moves the last pixel of a row into the next row: axis=1.": lambda f, x: np.abs(
            f(np.roll(x, 1)) - np.roll(f(x), 1)
        ).max(),
        "both shifts go the same way, to the right.": lambda f, x: np.abs(
            f(_right(x)) - np.roll(f(x), -1, axis=1)
        ).max(),
        "a difference below 0 counts as well: take np.abs before the maximum.": lambda f, x: (
            f(_right(x)) - _right(f(x))
        ).max(),
        "the largest difference, not the mean one.": lambda f, x: np.abs(f(_right(x)) - _right(f(x))).mean(),
        "one number: the largest of all the differences.": lambda f, x: np.abs(f(_right(x)) - _right(f(x))),
    },
)  # fmt: skip


def _two_layers(
    x: np.ndarray, w: np.ndarray, b: np.ndarray, w2: np.ndarray, b2: np.ndarray, dy: np.ndarray
) -> tuple[np.ndarray, ...]:
    s = x @ w + b
    h = np.maximum(s, 0)
    ds = (dy @ w2.T) * (s > 0)
    return h @ w2 + b2, ds @ w.T, x.T @ ds, ds.sum(axis=0), h.T @ dy, dy.sum(axis=0)


def _change(place: int, new: Callable[..., np.ndarray]) -> Callable[..., tuple[np.ndarray, ...]]:
    """The right answers, but for one of them."""

    def mistaken(*arguments: np.ndarray) -> tuple[np.ndarray, ...]:
        made = list(_two_layers(*arguments))
        made[place] = new(*arguments)
        return tuple(made)

    return mistaken


def _without_mask(
    x: np.ndarray, w: np.ndarray, b: np.ndarray, w2: np.ndarray, b2: np.ndarray, dy: np.ndarray
) -> tuple[np.ndarray, ...]:
    ds = dy @ w2.T
    return np.maximum(x @ w + b, 0) @ w2 + b2, ds @ w.T, x.T @ ds, ds.sum(axis=0), np.maximum(
        x @ w + b, 0
    ).T @ dy, dy.sum(axis=0)  # fmt: skip


def _linear(
    x: np.ndarray, w: np.ndarray, b: np.ndarray, w2: np.ndarray, b2: np.ndarray, dy: np.ndarray
) -> tuple[np.ndarray, ...]:
    h, ds = x @ w + b, dy @ w2.T
    return h @ w2 + b2, ds @ w.T, x.T @ ds, ds.sum(axis=0), h.T @ dy, dy.sum(axis=0)


def _averaged(*arguments: np.ndarray) -> tuple[np.ndarray, ...]:
    y, dx, *rest = _two_layers(*arguments)
    return y, dx, *(d / len(arguments[0]) for d in rest)


def _network(n: int, d: int, u: int, k: int) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng([n, d, u, k])
    return tuple(np.round(rng.normal(size=s), 1) + 0.03 for s in ((n, d), (d, u), (u,), (u, k), (k,), (n, k)))


two_layers = GradientExercise(
    "Two layers, forward and backward",
    _two_layers,
    [
        tuple(np.array(a) for a in ([[1.0]], [[2.0]], [0.5], [[3.0]], [1.0], [[1.0]])),
        tuple(np.array(a) for a in ([[1.0]], [[2.0, -2.0]], [0.5, 0.5], [[3.0], [4.0]], [1.0], [[2.0]])),
        _network(2, 3, 4, 2),
        _network(5, 4, 6, 3),
    ],
    {
        "relu lets the gradient through only where its input was above 0: times (x @ w + b > 0).": _without_mask,
        "the forward has no relu: h = np.maximum(x @ w + b, 0).": _linear,
        "the gradients of w, b, w2 and b2 are sums over the pictures, not means: the mean is in dy already.": _averaged,
        "where does relu switch off? Look at its input, x @ w + b, not at the sign of the gradient.": lambda *a: (
            lambda ds: (_two_layers(*a)[0], ds @ a[1].T, a[0].T @ ds, ds.sum(axis=0), *_two_layers(*a)[4:])
        )(np.maximum(a[5] @ a[3].T, 0)),
        "dw2 is h.T @ dy with h after relu, since h is what w2 is multiplied with.": _change(
            4, lambda x, w, b, w2, b2, dy: (x @ w + b).T @ dy
        ),
        "db2 is summed over the pictures: dy.sum(axis=0).": _change(5, lambda x, w, b, w2, b2, dy: dy),
        "db is the gradient at the input of relu, summed over the pictures; the mask belongs to it.": _change(
            3, lambda x, w, b, w2, b2, dy: (dy @ w2.T).sum(axis=0)
        ),
        "dw has the mask of relu in it as well.": _change(2, lambda x, w, b, w2, b2, dy: x.T @ (dy @ w2.T)),
        "dx goes back through w: (gradient at the input of relu) @ w.T.": _change(
            1, lambda x, w, b, w2, b2, dy: np.ones_like(x) * ((dy @ w2.T) * (x @ w + b > 0)).sum(axis=1, keepdims=True)
        ),
    },
)
