"""Exercises on scores of generated pictures: a distance of distributions, how evenly the classes are made."""

from __future__ import annotations

import numpy as np

from scratchnet.check.exercise import Exercise

frechet_in_one_dimension = Exercise(
    "Frechet distance of two normal distributions",
    lambda m, s, n, t: (m - n) ** 2 + (s - t) ** 2,
    [(0.0, 1.0, 0.0, 1.0), (0.0, 1.0, 2.0, 1.0), (0.0, 1.0, 0.0, 3.0), (1.0, 0.5, -1.0, 2.0)],
    {
        "the widths count too, not the means alone.": lambda m, s, n, t: (m - n) ** 2,
        "the means count too, not the widths alone.": lambda m, s, n, t: (s - t) ** 2,
        "the standard deviations themselves are compared, not their squares: s^2 + t^2 - 2 s t.": (
            lambda m, s, n, t: (m - n) ** 2 + (s**2 - t**2) ** 2,
            lambda m, s, n, t: (m - n) ** 2 + s**2 - t**2,
            lambda m, s, n, t: (m - n) ** 2 + abs(s**2 - t**2),
            lambda m, s, n, t: (m - n) ** 2 + s**2 + t**2 - 2 * (s * t) ** 2,
        ),
        "the term - 2 s t is missing: two equal distributions have distance 0.": (
            lambda m, s, n, t: (m - n) ** 2 + s**2 + t**2,
            lambda m, s, n, t: (m - n) ** 2 + s**2 + t**2 - s * t,
        ),
        "the differences, not the sums: two equal distributions have distance 0.": (
            lambda m, s, n, t: (m - n) ** 2 + (s + t) ** 2,
            lambda m, s, n, t: (m + n) ** 2 + (s - t) ** 2,
        ),
        "add the two squares; do not subtract.": lambda m, s, n, t: (m - n) ** 2 - (s - t) ** 2,
        "s and t are standard deviations already, not variances: no roots.": (
            lambda m, s, n, t: (m - n) ** 2 + s + t - 2 * (s * t) ** 0.5,
            lambda m, s, n, t: (m - n) ** 2 + s**2 + t**2 - 2 * (s * t) ** 0.5,
        ),
        "FID and its kin are this square, not its root.": lambda m, s, n, t: ((m - n) ** 2 + (s - t) ** 2) ** 0.5,
        "squares, not absolute values.": lambda m, s, n, t: abs(m - n) + abs(s - t),
        "each difference is squared by itself, then they are added.": (
            lambda m, s, n, t: (m - n + s - t) ** 2,
            lambda m, s, n, t: (abs(m - n) + abs(s - t)) ** 2,
        ),
        "the differences are squared: ** 2.": (
            lambda m, s, n, t: m - n + s - t,
            lambda m, s, n, t: (m - n) ** 2 + (s - t),
            lambda m, s, n, t: (m - n) ** 2 + abs(s - t),
        ),
        "m and n are the means, s and t the standard deviations: compare m with n and s with t.": lambda m, s, n, t: (
            (m - s) ** 2 + (n - t) ** 2
        ),
        "a sum, not a mean.": lambda m, s, n, t: ((m - n) ** 2 + (s - t) ** 2) / 2,
    },
)


def _entropy(counts: np.ndarray) -> float:
    p = counts[counts > 0] / counts.sum()
    return float(-np.sum(p * np.log(p))) + 0.0  # never -0.0


def _terms(counts: np.ndarray) -> np.ndarray:
    p = counts / counts.sum()
    return -p * np.log(p)


class_entropy = Exercise(
    "Entropy of the classes",
    _entropy,
    [(np.array([5]),), (np.array([4, 4]),), (np.array([1, 3, 0]),), (np.array([10] * 10),)],
    {
        "counts become shares first: divide by their sum.": (
            lambda c: float(-np.sum(c[c > 0] * np.log(c[c > 0]))),
            lambda c: float(-np.sum(c * np.log(c))),
            lambda c: float(-np.sum(c[c > 0] / len(c) * np.log(c[c > 0] / len(c)))),
            lambda c: float(-np.sum(c[c > 0] / c.max() * np.log(c[c > 0] / c.max()))),
        ),
        "the sign: entropy is not negative.": (lambda c: -_entropy(c), lambda c: -float(_terms(c).sum())),
        "natural logarithms, np.log: nats, not bits or digits.": (
            lambda c: _entropy(c) / np.log(2),
            lambda c: _entropy(c) / np.log(10),
            lambda c: float(_terms(c).sum() / np.log(2)),
            lambda c: float(_terms(c).sum() / np.log(10)),
        ),
        "a class that does not occur counts 0; 0 * log(0) gives nan: leave such classes out.": lambda c: float(
            _terms(c).sum()
        ),
        "log(p + 1) is another function; of classes that do not occur there is simply no term.": lambda c: float(
            -np.sum(c / c.sum() * np.log(c / c.sum() + 1))
        ),
        "that is the largest entropy, of classes that are made evenly.": (
            lambda c: float(np.log(len(c))),
            lambda c: float(np.log(np.sum(c > 0))),
        ),
        "one term for each class; their sum is missing.": (
            lambda c: _terms(c),
            lambda c: _terms(c[c > 0]),
        ),
        "a sum over the classes, not a mean.": (
            lambda c: float(_terms(c[c > 0]).mean()),
            lambda c: _entropy(c) / len(c),
            lambda c: float(_terms(c).mean()),
        ),
        "each logarithm is weighted with its share: p * log(p).": (
            lambda c: float(-np.sum(np.log(c[c > 0] / c.sum()))),
            lambda c: float(-np.mean(np.log(c[c > 0] / c.sum()))),
        ),
        "that is exp(entropy), the number of equally frequent classes that have this entropy.": lambda c: float(
            np.exp(_entropy(c))
        ),
        "in nats, not as a share of the largest entropy, log(number of classes).": (
            lambda c: float(_entropy(c) / np.log(len(c))),
            lambda c: float(_entropy(c) / max(np.log(len(c)), 1e-12)),
        ),
        "that is the chance that two pictures are of different classes; entropy has a logarithm.": lambda c: float(
            1 - np.sum((c / c.sum()) ** 2)
        ),
    },
)
