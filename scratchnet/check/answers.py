"""Exercises of notebook 06: comparing fairly, and how far an accuracy or a probability can be trusted."""

from __future__ import annotations

import math

import numpy as np

from scratchnet.check.exercise import Exercise
from scratchnet.check.gradients import GradientExercise

equal_steps = Exercise(
    "as much work in batches of another network",
    lambda cost, other_cost, steps: round(steps * cost / other_cost),
    [(100, 50, 10), (100, 200, 10), (100, 30, 8), (1_000_000, 300_000, 600), (192_064, 2_670_592, 2990)],
    {
        "the other way round: a network that costs more gets fewer batches.": lambda c, o, s: round(s * o / c),
        "rounded down. The nearest whole number is asked for.": lambda c, o, s: s * c // o,
        "rounded up. The nearest whole number is asked for.": lambda c, o, s: math.ceil(s * c / o),
        "not rounded: a batch is taken whole.": lambda c, o, s: s * c / o,
        "the same number of batches for both is not the same work.": lambda c, o, s: s,
        "that is the work itself, in multiplications. Divide by the other's cost.": lambda c, o, s: s * c,
        "the difference of the costs does not matter, their ratio does.": lambda c, o, s: s + c - o,
    },
)


def _range(right, total, factor=1.96, divide=True, root=True):
    p = right / total
    error = p * (1 - p) / (total if divide else 1)
    error = factor * (math.sqrt(error) if root else error)
    return max(0.0, p - error), min(1.0, p + error)


def _not_kept(right, total):
    p = right / total
    error = 1.96 * math.sqrt(p * (1 - p) / total)
    return p - error, p + error


accuracy_range = Exercise(
    "an accuracy with its range",
    _range,
    [(50, 100), (9, 10), (850, 1000), (1, 20)],
    {
        "that is one standard error. 95 times in 100 the truth lies within 1.96.": lambda r, n: _range(r, n, 1.0),
        "the square root is missing.": lambda r, n: _range(r, n, root=False),
        "not divided by N: that is the spread of one answer, not of the mean of N.": lambda r, n: _range(
            r, n, divide=False
        ),
        "a share is never below 0 or above 1: keep the range within.": _not_kept,
        "half the range: 1.96 standard errors to each side.": lambda r, n: _range(r, n, 0.98),
        "in numbers of pictures. The range is of the share.": lambda r, n: tuple(n * v for v in _range(r, n)),
        "the range alone, without the share it stands around.": lambda r, n: (
            -1.96 * math.sqrt(r / n * (1 - r / n) / n),
            1.96 * math.sqrt(r / n * (1 - r / n) / n),
        ),
    },
    returns=("low", "high"),
)


def _leaked(x_train, x_test):
    known = {np.asarray(x).tobytes() for x in x_train}
    return sum(np.asarray(x).tobytes() in known for x in x_test)


def _same_place(x_train, x_test):
    return sum(bool(np.array_equal(a, b)) for a, b in zip(x_train, x_test))


def _any_pixel(x_train, x_test):
    return sum(any(bool((np.asarray(a) == np.asarray(b)).any()) for a in x_train) for b in x_test)


def _pairs(x_train, x_test):
    return sum(bool(np.array_equal(a, b)) for a in x_train for b in x_test)


def _pictures(seed, count, copies):
    rng = np.random.default_rng(seed)
    train = rng.integers(0, 256, (count, 4, 4), dtype=np.uint8)
    test = rng.integers(0, 256, (len(copies), 4, 4), dtype=np.uint8)
    for k, place in enumerate(copies):
        if place is not None:
            test[k] = train[place]
    return train, test


def _twice():
    train, test = _pictures(3, 5, [4, 4, None, 4])
    train[1] = train[4]  # a picture that stands in the training set twice
    return train, test


leaked = Exercise(
    "test pictures that were learnt from",
    _leaked,
    [_pictures(0, 3, [2]), _pictures(1, 4, [None, 0, 3]), _pictures(2, 4, [None, None]), _twice()],
    {
        "that compares only pictures at the same place of both sets. A copy may stand anywhere.": _same_place,
        "one pixel in common is not a copy: all must be equal.": _any_pixel,
        "pairs were counted: a test picture that stands in the training set twice is one test picture.": _pairs,
        "only different ones were counted. Each test picture counts, also a second copy of the same.": lambda a, b: len(
            {x.tobytes() for x in a} & {x.tobytes() for x in b}
        ),
        "a share. The number is asked for.": lambda a, b: _leaked(a, b) / len(b),
        "those that did not leak were counted.": lambda a, b: len(b) - _leaked(a, b),
        "training pictures that are in the test set were counted, not the other way round.": lambda a, b: _leaked(b, a),
    },
)


def _tempered(z, T, y, cool=True):
    s = z / T if cool else z
    s = s - s.max(axis=1, keepdims=True)
    log_p = s - np.log(np.exp(s).sum(axis=1, keepdims=True))
    n = len(z)
    ds = np.exp(log_p)
    ds[np.arange(n), y] -= 1
    ds /= n
    return -log_p[np.arange(n), y].mean(), ds / T, -(ds * z).sum() / T**2


def _changed(dz=lambda dz, T, n: dz, dT=lambda dT, T, n: dT, loss=lambda loss, n: loss):
    """`_tempered` with one of its results exchanged."""

    def mistaken(z, T, y):
        right = _tempered(z, T, y)
        return loss(right[0], len(z)), dz(right[1], T, len(z)), dT(right[2], T, len(z))

    return mistaken


def _case(seed, N, K, T):
    rng = np.random.default_rng(seed)
    return rng.normal(0, 3, (N, K)), T, rng.integers(0, K, N)


tempered = GradientExercise(
    "cross-entropy at a temperature",
    _tempered,
    [_case(0, 2, 2, 2.0), _case(1, 3, 4, 0.5), _case(2, 5, 10, 1.7)],
    {
        "dz without 1/T: the scores reach the softmax divided by T.": _changed(dz=lambda dz, T, n: dz * T),
        "the sign of dT: d(1/T)/dT is minus 1/T**2.": _changed(dT=lambda dT, T, n: -dT),
        "dT with 1/T instead of 1/T**2.": _changed(dT=lambda dT, T, n: dT * T),
        "dT without 1/T**2.": _changed(dT=lambda dT, T, n: dT * T**2),
        "the loss is summed, not meant, over the pictures.": _changed(
            loss=lambda loss, n: loss * n, dz=lambda dz, T, n: dz * n, dT=lambda dT, T, n: dT * n
        ),
        "the loss is a mean over the pictures, so 1/N belongs into the gradients, too.": _changed(
            dz=lambda dz, T, n: dz * n, dT=lambda dT, T, n: dT * n
        ),
        "the temperature was left out of the loss.": lambda z, T, y: _tempered(z, T, y, cool=False),
        "the loss is minus the mean of log p.": _changed(loss=lambda loss, n: -loss),
    },
    returns=("loss", "dz", "dT"),
)
