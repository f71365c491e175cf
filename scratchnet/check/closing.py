"""Small exercises of the last chapter: how large a network's pictures are, and whether a gain is one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from scratchnet.check.exercise import Exercise

Layers = Sequence[tuple[str, int]]


def _smaller(side: int, stride: int) -> int:
    return -(-side // stride)


def _larger(side: int, stride: int) -> int:
    return side * stride


def _through(conv: Any = _smaller, transposed: Any = _larger) -> Any:
    """The side behind all layers, where these two functions say what each kind of layer makes of it."""

    def side_of(side: int, layers: Layers) -> Any:
        for kind, stride in layers:
            side = (conv if kind == "conv" else transposed)(side, stride)
        return side

    return side_of


_ARTICLE = [("conv", 2), ("conv", 2), ("conv", 2), ("conv", 1)]
_MENDED = [("transposed", 2), ("transposed", 2), ("transposed", 2), ("conv", 1)]

picture_side = Exercise(
    "The side of a picture",
    _through(),
    [
        (4, [("conv", 2)]),
        (4, [("transposed", 2)]),
        (5, [("conv", 2)]),
        (7, [("conv", 3), ("transposed", 2)]),
        (4, _ARTICLE),
        (4, _MENDED),
    ],
    {
        'with padding="same" the last window may stick out: round up, -(-side // stride).': (
            _through(conv=lambda side, stride: side // stride),
            _through(conv=lambda side, stride: round(side / stride)),
        ),
        "a transposed convolution makes the picture larger: side * stride.": (
            _through(transposed=_smaller),
            _through(transposed=lambda side, stride: side // stride),
        ),
        "a convolution makes the picture smaller: a window every `stride` pixels.": _through(conv=_larger),
        "the two kinds are swapped.": _through(_larger, _smaller),
        "each layer takes what the one before it gives; this has only one of them.": (
            lambda side, layers: _through()(side, layers[:1]),
            lambda side, layers: _through()(side, layers[-1:]),
        ),
        'padding="same" fills the edges up: no + 1.': (
            _through(conv=lambda side, stride: side // stride + 1),
            _through(conv=lambda side, stride: (side - 1) // stride),
        ),
        'that is without the zeros that padding="same" thinks around it; with them it is side * stride.': (
            _through(transposed=lambda side, stride: (side - 1) * stride + 1),
            _through(transposed=lambda side, stride: (side - 1) * stride + 3),
        ),
        "pixels are whole: round up, -(-side // stride).": _through(conv=lambda side, stride: side / stride),
        "a stride multiplies or divides; it is not added.": (
            _through(transposed=lambda side, stride: side + stride),
            _through(conv=lambda side, stride: side - stride),
        ),
        "the side, one number, not the number of pixels.": lambda side, layers: _through()(side, layers) ** 2,
        "one number: the picture is square.": lambda side, layers: (_through()(side, layers),) * 2,
    },
)


def _error(before: np.ndarray, after: np.ndarray, ddof: int = 1) -> float:
    return math.sqrt(np.var(before, ddof=ddof) / len(before) + np.var(after, ddof=ddof) / len(after))


def _difference(before: np.ndarray, after: np.ndarray) -> float:
    return float(np.mean(after) - np.mean(before))


def _with_error(error: Any) -> Any:
    return lambda before, after: (_difference(before, after), float(error(before, after)))


def _with_difference(difference: Any) -> Any:
    return lambda before, after: (float(difference(before, after)), _error(before, after))


gain = Exercise(
    "A gain and its error",
    _with_error(_error),
    [
        (np.array([0.5, 0.7]), np.array([0.7, 0.8])),
        (np.array([0.61, 0.64, 0.6]), np.array([0.66, 0.63, 0.68])),
        (np.array([0.9, 0.8, 0.84, 0.87]), np.array([0.8, 0.81, 0.88])),
    ],
    returns=("difference", "error"),
    mistakes={
        "from a few runs, the variance is divided by their number less one: np.var(..., ddof=1).": _with_error(
            lambda before, after: _error(before, after, ddof=0)
        ),
        "a mean is surer than one run: divide each variance by the number of runs.": (
            _with_error(lambda b, a: math.sqrt(np.var(b, ddof=1) + np.var(a, ddof=1))),
            _with_error(lambda b, a: math.sqrt(np.var(b) + np.var(a))),
        ),
        "errors do not add up, their squares do: add, then take the root.": (
            _with_error(lambda b, a: np.std(b, ddof=1) / len(b) ** 0.5 + np.std(a, ddof=1) / len(a) ** 0.5),
            _with_error(lambda b, a: np.std(b, ddof=1) + np.std(a, ddof=1)),
        ),
        "the root is missing: that is the square of the error.": _with_error(lambda b, a: _error(b, a) ** 2),
        "both means have an error, not one alone.": (
            _with_error(lambda b, a: np.std(a, ddof=1) / len(a) ** 0.5),
            _with_error(lambda b, a: np.std(b, ddof=1) / len(b) ** 0.5),
        ),
        "the spread of all runs together holds the gain itself; take that of each side.": _with_error(
            lambda b, a: np.std(np.concatenate([b, a]), ddof=1) / (len(a) + len(b)) ** 0.5
        ),
        "after less before: a gain is positive.": _with_difference(lambda b, a: -_difference(b, a)),
        "the difference of the means, not of the best runs.": _with_difference(lambda b, a: a.max() - b.max()),
        "the difference, not in parts of what was there before.": _with_difference(
            lambda b, a: np.mean(a) / np.mean(b) - 1
        ),
        "first the difference, then its error.": lambda b, a: (_error(b, a), _difference(b, a)),
        "return both, the difference and its error.": (_difference, _error),
        "the runs are not pairs, and there may be more of one side than of the other.": lambda b, a: (
            float(np.mean(a - b)),
            float(np.std(a - b, ddof=1) / len(a) ** 0.5),
        ),
    },
)
