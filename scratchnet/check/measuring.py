"""Exercises on GANs that are measured and trained: the discriminator's loss with its gradients, the kernel distance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from scratchnet.check.exercise import Exercise
from scratchnet.check.gradients import GradientExercise


def _draw(seed: int, *shape: int) -> np.ndarray:
    return np.round(np.random.default_rng(seed).normal(size=shape), 2)


# The discriminator's loss, forward and backward


def _sigmoid(s: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-s))


def _d_step(real: np.ndarray, fake: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    loss = float(np.logaddexp(0, -real).mean() + np.logaddexp(0, fake).mean())
    return loss, -_sigmoid(-real) / len(real), _sigmoid(fake) / len(fake)


def _changed(change: Callable[..., Any]) -> Callable[..., Any]:
    """The right values, put through `change(loss, dreal, dfake, real, fake)`."""
    return lambda real, fake: change(*_d_step(real, fake), real, fake)


discriminator_gradients = GradientExercise(
    "The discriminator's loss, with its gradients",
    _d_step,
    [
        (np.array([0.5]), np.array([-1.0])),
        (np.array([2.0, -1.0]), np.array([0.3, -0.7])),
        (_draw(3, 3), _draw(4, 5)),
    ],
    {
        "dreal: larger scores of real pictures make the loss smaller, so its gradient is negative.": _changed(
            lambda loss, dr, df, r, f: (loss, -dr, df)
        ),
        "dfake: larger scores of generated pictures make the loss larger, so its gradient is positive.": _changed(
            lambda loss, dr, df, r, f: (loss, dr, -df)
        ),
        "both gradients have the wrong sign: real scores are to rise, generated ones to fall.": _changed(
            lambda loss, dr, df, r, f: (loss, -dr, -df)
        ),
        "the loss is a mean: each gradient is divided by the number of scores of its batch.": _changed(
            lambda loss, dr, df, r, f: (loss, dr * len(r), df * len(f))
        ),
        "each batch has a mean of its own: divide by len(real) and by len(fake), not by both together.": _changed(
            lambda loss, dr, df, r, f: (
                loss,
                dr * len(r) / (len(r) + len(f)),
                df * len(f) / (len(r) + len(f)),
            )
        ),
        "dreal is -sigmoid(-real) / N, which is (p - 1) / N: small where D is right.": (
            _changed(lambda loss, dr, df, r, f: (loss, -_sigmoid(r) / len(r), df)),
        ),
        "dfake is sigmoid(fake) / N: small where D is right, not where it is wrong.": _changed(
            lambda loss, dr, df, r, f: (loss, dr, _sigmoid(-f) / len(f))
        ),
        "generated pictures are labelled 0, not 1 (the article's fault 5).": _changed(
            lambda loss, dr, df, r, f: (
                float(np.logaddexp(0, -r).mean() + np.logaddexp(0, -f).mean()),
                dr,
                -_sigmoid(-f) / len(f),
            )
        ),
        "the two means are added, not halved (the article halves them).": (
            _changed(lambda loss, dr, df, r, f: (loss / 2, dr / 2, df / 2)),
            _changed(lambda loss, dr, df, r, f: (loss / 2, dr, df)),
        ),
        "the loss is a mean over each batch, not a sum.": _changed(
            lambda loss, dr, df, r, f: (
                float(np.logaddexp(0, -r).sum() + np.logaddexp(0, f).sum()),
                dr * len(r),
                df * len(f),
            )
        ),
        "the derivative of log(1 + e^s) is the sigmoid of s, not p (1 - p).": _changed(
            lambda loss, dr, df, r, f: (
                loss,
                -_sigmoid(r) * _sigmoid(-r) / len(r),
                _sigmoid(f) * _sigmoid(-f) / len(f),
            )
        ),
    },
    returns=("loss", "dreal", "dfake"),
)


# The kernel distance


def _kernel(x: np.ndarray, y: np.ndarray, degree: int = 3, scale: bool = True, one: float = 1) -> np.ndarray:
    return (x @ y.T / (x.shape[1] if scale else 1) + one) ** degree


def _others(k: np.ndarray) -> float:
    """The mean over all pairs of two different rows."""
    return float((k.sum() - np.trace(k)) / (len(k) * (len(k) - 1)))


def _kid(x: np.ndarray, y: np.ndarray, cross: float = 2, **options: Any) -> float:
    xx, yy, xy = _kernel(x, x, **options), _kernel(y, y, **options), _kernel(x, y, **options)
    return _others(xx) + _others(yy) - cross * float(xy.mean())


def _biased(x: np.ndarray, y: np.ndarray) -> float:
    return float(_kernel(x, x).mean() + _kernel(y, y).mean() - 2 * _kernel(x, y).mean())


def _own_pairs_left_in(x: np.ndarray, y: np.ndarray) -> float:
    xx, yy = _kernel(x, x), _kernel(y, y)
    n, m = len(x), len(y)
    return float(xx.sum() / (n * (n - 1)) + yy.sum() / (m * (m - 1)) - 2 * _kernel(x, y).mean())


def _own_pairs_counted(x: np.ndarray, y: np.ndarray) -> float:
    xx, yy = _kernel(x, x), _kernel(y, y)
    within = (xx.sum() - np.trace(xx)) / xx.size + (yy.sum() - np.trace(yy)) / yy.size
    return float(within - 2 * _kernel(x, y).mean())


kernel_distance = Exercise(
    "The kernel distance, without bias",
    _kid,
    [
        (np.array([[1.0], [2.0]]), np.array([[0.0], [3.0]])),
        (np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[1.0, 1.0], [2.0, 0.0]])),
        (_draw(5, 4, 3), _draw(6, 5, 3)),
    ],
    {
        "i = j is left out in the two first means: a picture is no neighbour of itself.": _biased,
        "the pairs i = j are to be left out of the sum too: subtract the trace.": _own_pairs_left_in,
        "without i = j there are N (N - 1) pairs left, not N^2.": _own_pairs_counted,
        "x . y is divided by the number of features first.": lambda x, y: _kid(x, y, scale=False),
        "the kernel is a cube: (x . y / D + 1) ** 3.": (
            lambda x, y: _kid(x, y, degree=2),
            lambda x, y: _kid(x, y, degree=1),
        ),
        "the 1 in (x . y / D + 1) ** 3 is missing.": lambda x, y: _kid(x, y, one=0),
        "the mean of the pairs across counts twice: - 2 k(x, y).": lambda x, y: _kid(x, y, cross=1),
        "the pairs across are subtracted: two equal sets have a distance of about 0.": lambda x, y: _kid(x, y, -2),
        "values below 0 may come out, and stay: that is why the mean of many is right.": (
            lambda x, y: max(0.0, _kid(x, y)),
            lambda x, y: abs(_kid(x, y)),
        ),
        "KID is this square, not its root.": lambda x, y: float(np.sqrt(abs(_kid(x, y)))),
    },
)
