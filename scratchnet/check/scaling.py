"""Exercises of notebook 05: laws of scaling, and the smallest change that makes a network wrong."""

from __future__ import annotations

import math

import numpy as np

from scratchnet.check.exercise import Exercise
from scratchnet.check.gradients import GradientExercise
from scratchnet.check.layers import softmax


def _power_law(n, error):
    slope, start = np.polyfit(np.log(n), np.log(error), 1)
    return np.exp(start), -slope


def _in_plain_numbers(n, error):
    slope, start = np.polyfit(n, error, 1)
    return start, -slope


def _log_of_n_only(n, error):
    slope, start = np.polyfit(np.log(n), error, 1)
    return start, -slope


def _slope_first(n, error):
    return tuple(reversed(_power_law(n, error)))


power_law = Exercise(
    "the law error = a * n**-alpha through measured points",
    _power_law,
    [
        (np.array([10.0, 100.0]), np.array([1.0, 0.1])),
        (np.array([1.0, 2.0, 4.0]), np.array([0.8, 0.4, 0.2])),
        (np.array([94.0, 188.0, 375.0, 750.0]), np.array([0.35, 0.30, 0.26, 0.22])),
    ],
    {
        "the exponent's sign: the error falls, so the line's slope is negative, and alpha is minus it.": lambda n, e: (
            _power_law(n, e)[0],
            -_power_law(n, e)[1],
        ),
        "a is exp of the line's height at log n = 0, not the height itself.": lambda n, e: (
            math.log(_power_law(n, e)[0]),
            _power_law(n, e)[1],
        ),
        "np.polyfit gives the slope first. The law asks for a first, then alpha.": _slope_first,
        "that is a line through n and error. The law is a line through log n and log error.": _in_plain_numbers,
        "only n was taken the logarithm of. The error needs it, too.": _log_of_n_only,
        "natural logarithms go back by exp, not by 10**.": lambda n, e: (
            10 ** math.log(_power_law(n, e)[0]),
            _power_law(n, e)[1],
        ),
        "log10 goes back by 10**, not by exp.": lambda n, e: (
            math.exp(math.log10(_power_law(n, e)[0])),
            _power_law(n, e)[1],
        ),
    },
    returns=("a", "alpha"),
)

data_for_half = Exercise(
    "how many times as much data halves the error",
    lambda alpha: 2 ** (1 / alpha),
    [(1.0,), (0.5,), (0.25,), (0.1,)],
    {
        "2**alpha is by how much the error falls with twice the data. Here the error is given, and the data asked.": (
            lambda alpha: 2**alpha
        ),
        "that is below 1: with less data the error would have to fall. Solve k**-alpha = 1/2 for k.": (
            lambda alpha: 0.5 ** (1 / alpha)
        ),
        "a power law is no proportion: k**alpha = 2, not k * alpha = 2.": lambda alpha: 2 / alpha,
        "the logarithm of k was forgotten to be undone: log k = log(2) / alpha.": lambda alpha: math.log(2) / alpha,
        "1/alpha stands in the exponent: k = 2**(1/alpha).": lambda alpha: 1 / alpha,
        "e instead of 2: that is for an error of 1/e.": lambda alpha: math.exp(1 / alpha),
        "twice the data does not halve the error, unless alpha is 1.": lambda alpha: 2.0,
    },
)


def _fgsm(x, dx, epsilon):
    return np.clip(x + epsilon * np.sign(dx), 0, 1)


_pictures = np.random.default_rng(0)
_X, _DX = _pictures.random((2, 4, 4)), _pictures.normal(size=(2, 4, 4))

fgsm = Exercise(
    "the fast gradient sign method",
    _fgsm,
    [
        (np.array([0.5, 0.5, 0.5]), np.array([2.0, -3.0, 0.0]), 0.1),
        (np.array([0.02, 0.98]), np.array([-1.0, 1.0]), 0.1),
        (np.array([0.3, 0.6]), np.array([-0.5, 0.1]), 0.0),
        (_X, _DX, 0.25),
    ],
    {
        "minus: that lowers the loss. An attack goes up the gradient.": lambda x, dx, e: _fgsm(x, -dx, e),
        "the gradient itself, not its sign: then only a few pixels move, and by any amount.": lambda x, dx, e: np.clip(
            x + e * dx, 0, 1
        ),
        "the picture leaves 0 to 1: no camera takes it. np.clip brings it back.": lambda x, dx, e: x + e * np.sign(dx),
        "these pictures lie in 0 to 1, not in -1 to 1.": lambda x, dx, e: np.clip(x + e * np.sign(dx), -1, 1),
        "divided by its length, a gradient still moves few pixels much. The sign moves all alike.": (
            lambda x, dx, e: np.clip(x + e * dx / (np.linalg.norm(dx) or 1), 0, 1)
        ),
        "the sign of x instead of that of the gradient.": lambda x, dx, e: np.clip(x + e * np.sign(x), 0, 1),
        "the noise without the picture.": lambda x, dx, e: np.clip(e * np.sign(dx), 0, 1),
    },
)


def _classify(x, w, b, dy):
    p = softmax.right(x @ w + b)
    dz = p * (dy - (dy * p).sum(axis=1, keepdims=True))
    return p, dz @ w.T, x.T @ dz, dz.sum(axis=0)


def _wrong_classify(softmax_backward=None, dx=None, dw=None, db=None):
    """`_classify` with a part of its backward exchanged."""

    def mistaken(x, w, b, dy):
        p = softmax.right(x @ w + b)
        dz = p * (dy - (dy * p).sum(axis=1, keepdims=True)) if softmax_backward is None else softmax_backward(p, dy)
        return (
            p,
            dz @ w.T if dx is None else dx(dz, w),
            x.T @ dz if dw is None else dw(x, dz),
            dz.sum(axis=0) if db is None else db(dz),
        )

    return mistaken


def _classifier_case(seed, N, D, K):
    rng = np.random.default_rng(seed)
    return tuple(rng.normal(size=shape) for shape in ((N, D), (D, K), (K,), (N, K)))


classifier_with_gradients = GradientExercise(
    "a linear classifier: probabilities, and the gradient for the picture",
    _classify,
    [_classifier_case(0, 1, 2, 2), _classifier_case(1, 3, 4, 3), _classifier_case(2, 5, 7, 10)],
    {
        "the softmax's backward takes only p * (1 - p): each score moves all probabilities, not its own alone.": (
            _wrong_classify(softmax_backward=lambda p, dy: dy * p * (1 - p))
        ),
        "the softmax was left out on the way back: dz is not dy.": _wrong_classify(softmax_backward=lambda p, dy: dy),
        "the sum in the softmax's backward runs over the classes (axis=1) of each picture, not over all pictures.": (
            _wrong_classify(softmax_backward=lambda p, dy: p * (dy - (dy * p).sum()))
        ),
        "p stands in front of the bracket: dz = p * (dy - sum), not dy - sum.": (
            _wrong_classify(softmax_backward=lambda p, dy: dy - (dy * p).sum(axis=1, keepdims=True))
        ),
        "dx of the scores, not of the picture: multiply by w transposed.": _wrong_classify(dx=lambda dz, w: dz),
        "dw is summed over the pictures, not averaged: the mean, if any, is in dy.": (
            _wrong_classify(dw=lambda x, dz: x.T @ dz / len(x))
        ),
        "db is summed over the pictures: all of them share b.": _wrong_classify(db=lambda dz: dz.mean(axis=0)),
    },
    returns=("p", "dx", "dw", "db"),
)
