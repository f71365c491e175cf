"""Exercises on the adversarial game: the objective at its best discriminator, the non-saturating loss both ways."""

from __future__ import annotations

import numpy as np

from scratchnet.check.exercise import Exercise
from scratchnet.check.gradients import GradientExercise

Both = tuple[float, np.ndarray]


def _softplus(s: np.ndarray) -> np.ndarray:
    return np.logaddexp(0, s)


def _sigmoid(s: np.ndarray) -> np.ndarray:
    return np.exp(-_softplus(-s))


def _xlogy(x: np.ndarray, y: np.ndarray) -> float:
    """Sum of x log y, where 0 log 0 is 0."""
    return float(np.sum(x * np.log(np.where(x > 0, y, 1))))


def _objective(r: np.ndarray, g: np.ndarray) -> float:
    total = np.where(r + g > 0, r + g, 1)
    return _xlogy(r, r / total) + _xlogy(g, g / total)


def _naive(r: np.ndarray, g: np.ndarray) -> float:
    with np.errstate(all="ignore"):
        return float(np.sum(r * np.log(r / (r + g)) + g * np.log(g / (r + g))))


def _kullback_leibler(r: np.ndarray, g: np.ndarray) -> float:
    with np.errstate(all="ignore"):
        return float(np.sum(r * np.log(r / g)))


objective_at_best = Exercise(
    "The objective at the best discriminator",
    _objective,
    [
        (np.array([1.0]), np.array([1.0])),
        (np.array([0.5, 0.5]), np.array([0.25, 0.75])),
        (np.array([1.0, 0.0]), np.array([0.0, 1.0])),
        (np.array([0.2, 0.3, 0.5, 0.0]), np.array([0.1, 0.0, 0.6, 0.3])),
    ],
    {
        "where a share is 0, 0 * log(0) gives nan; it counts as 0: sum only where the share is above 0.": _naive,
        "that is the Jensen-Shannon divergence; V* is 2 JSD - log 4.": lambda r, g: (_objective(r, g) + np.log(4)) / 2,
        "that is 2 JSD; V* is log 4 less.": lambda r, g: _objective(r, g) + np.log(4),
        "the sign: D makes V large, and V is a sum of logarithms of probabilities, never above 0.": (
            lambda r, g: -_objective(r, g)
        ),
        "D sees generated data too: the second part is the sum of g * log(1 - p).": (
            lambda r, g: _xlogy(r, r / (r + g)),
            lambda r, g: 2 * _xlogy(r, r / (r + g)),
        ),
        "the second logarithm is of 1 - p = g / (r + g), and it is weighted with g.": (
            lambda r, g: _xlogy(r, r / (r + g)) + _xlogy(r, g / (r + g)),
            lambda r, g: _xlogy(r, r / (r + g)) + _xlogy(g, r / (r + g)),
        ),
        "a sum over all values, weighted with their shares, not a mean.": lambda r, g: _objective(r, g) / len(r),
        "that is Kullback-Leibler's divergence of r from g; the best p is r / (r + g).": _kullback_leibler,
        "natural logarithms, nats, not bits.": lambda r, g: _objective(r, g) / np.log(2),
    },
)


def _nonsaturating(s: np.ndarray) -> Both:
    return float(np.mean(_softplus(-s))), -_sigmoid(-s) / s.size


def _overflows(s: np.ndarray) -> Both:
    with np.errstate(all="ignore"):
        p = 1 / (1 + np.exp(-s))
        return float(-np.mean(np.log(p))), (p - 1) / s.size


def _overflows_in_both(s: np.ndarray) -> Both:
    with np.errstate(all="ignore"):
        return float(np.mean(np.log(1 + np.exp(-s)))), -np.exp(-s) / (1 + np.exp(-s)) / s.size


def _for_probability(s: np.ndarray) -> Both:
    with np.errstate(all="ignore"):
        return _nonsaturating(s)[0], -1 / _sigmoid(s) / s.size


nonsaturating = GradientExercise(
    "The non-saturating loss, forward and backward",
    _nonsaturating,
    [
        (np.array([[0.0]]),),
        (np.array([[2.0], [-1.0]]),),
        (np.array([[0.5], [-0.5], [4.0], [-6.0]]),),
        (np.array([[-1000.0], [1000.0], [3.0]]),),
    ],
    {
        "that overflows at a score of -1000: write the loss with np.logaddexp(0, -s).": (
            _overflows,
            _overflows_in_both,
        ),
        "the value is a mean over N scores, so each gradient is divided by N.": lambda s: (
            _nonsaturating(s)[0],
            -_sigmoid(-s),
        ),
        "the sign of ds: a larger score makes the loss smaller, so ds is never above 0; it is p - 1.": lambda s: (
            _nonsaturating(s)[0],
            _sigmoid(-s) / s.size,
        ),
        "that is the minimax loss, log(1 - p), which stalls; the non-saturating one is -log p.": lambda s: (
            float(-np.mean(_softplus(s))),
            -_sigmoid(s) / s.size,
        ),
        "that is D's loss on generated data; G wants large scores: softplus(-s).": lambda s: (
            float(np.mean(_softplus(s))),
            _sigmoid(s) / s.size,
        ),
        "ds is -p there, the gradient of the minimax loss; of -log p it is p - 1.": lambda s: (
            _nonsaturating(s)[0],
            -_sigmoid(s) / s.size,
        ),
        "a mean over the batch, not a sum.": lambda s: (float(np.sum(_softplus(-s))), -_sigmoid(-s)),
        "that is the derivative with respect to p; multiply by that of the sigmoid, p (1 - p).": _for_probability,
        "ds has one number for each score; no mean is taken of it.": lambda s: (
            _nonsaturating(s)[0],
            float(np.mean(-_sigmoid(-s))),
        ),
    },
    returns=("L", "ds"),
)
