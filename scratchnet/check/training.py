"""Exercises on training: clipping the gradient, the learning rate."""

from __future__ import annotations

import numpy as np

from scratchnet.check.exercise import Exercise


def _draw(seed: int, shape: tuple[int, ...]) -> np.ndarray:
    return np.round(np.random.default_rng(seed).normal(size=shape), 2)


def _norm(dw: np.ndarray) -> float:
    return float(np.sqrt(np.sum(dw**2)))


def _clip_rows(g: np.ndarray, limit: float) -> np.ndarray:
    return g * np.minimum(1, limit / np.linalg.norm(g, axis=-1, keepdims=True))


clip_by_norm = Exercise(
    "Clipping by the norm",
    lambda dw, limit: dw * min(1.0, limit / np.sqrt(np.sum(dw**2))),
    [
        (np.array([3.0, 4.0]), 10.0),
        (np.array([3.0, 4.0]), 5.0),
        (np.array([3.0, 4.0]), 1.0),
        (np.array([0.0, 0.0]), 1.0),
        (np.array([0.3, -0.4]), 0.1),
        (_draw(0, (2, 3)), 0.5),
    ],
    {
        "a short gradient stays as it is.": lambda dw, limit: dw * limit / np.sqrt(np.sum(dw**2)),
        "a long gradient is changed, not a short one: min, not max.": (
            lambda dw, limit: dw * max(1, limit / np.sqrt(np.sum(dw**2))),
            lambda dw, limit: dw if _norm(dw) >= limit else dw * limit / np.sqrt(np.sum(dw**2)),
        ),
        "clip the length, not each number: the direction stays.": (
            lambda dw, limit: np.clip(dw, -limit, limit),
            lambda dw, limit: np.minimum(dw, limit),
        ),
        "the norm is the root of the sum of squares.": (
            lambda dw, limit: dw * min(1.0, limit / np.sum(dw**2)),
            lambda dw, limit: dw if np.sum(dw**2) <= limit else dw * limit / np.sqrt(np.sum(dw**2)),
        ),
        "the length is the root of the sum of squares, not the sum of the sizes.": lambda dw, limit: (
            dw * min(1.0, limit / np.sum(np.abs(dw)))
        ),
        "the length is the root of the sum of squares, not the largest number.": lambda dw, limit: (
            dw * min(1.0, limit / np.abs(dw).max())
        ),
        "the root of the sum of squares, not of their mean.": lambda dw, limit: (
            dw * min(1.0, limit / np.sqrt(np.mean(dw**2)))
        ),
        "the numbers are squared before they are summed: np.sum(dw**2).": lambda dw, limit: (
            dw * min(1.0, limit / np.sqrt(np.sum(dw) ** 2))
        ),
        "a long gradient is shortened to limit, not to 1.": (
            lambda dw, limit: dw if _norm(dw) <= limit else dw / _norm(dw),
            lambda dw, limit: dw if _norm(dw) < limit else dw / _norm(dw),
            lambda dw, limit: dw / np.sqrt(np.sum(dw**2)),
        ),
        "the factor is limit / length.": (
            lambda dw, limit: dw * min(1.0, np.sqrt(np.sum(dw**2)) / limit),
            lambda dw, limit: dw if _norm(dw) <= limit else dw / limit,
            lambda dw, limit: dw if _norm(dw) <= limit else dw * limit,
            lambda dw, limit: dw if _norm(dw) < limit else dw / limit,
            lambda dw, limit: dw if _norm(dw) < limit else dw * limit,
            lambda dw, limit: dw * np.sqrt(np.sum(dw**2)) / limit if _norm(dw) > limit else dw,
        ),
        "that is the length; asked is the gradient, shortened.": (
            lambda dw, limit: min(np.sqrt(np.sum(dw**2)), limit),
            lambda dw, limit: np.sqrt(np.sum(dw**2)),
        ),
        "a gradient of zeros has length 0: do not divide it by that.": lambda dw, limit: (
            dw / np.sqrt(np.sum(dw**2)) * min(np.sqrt(np.sum(dw**2)), limit)
        ),
        "one length for all numbers, not one for each row.": _clip_rows,
        "a long gradient is shortened, not set to 0 or to limit.": (
            lambda dw, limit: dw if _norm(dw) <= limit else np.zeros_like(dw),
            lambda dw, limit: dw if _norm(dw) <= limit else np.full_like(dw, limit),
            lambda dw, limit: dw if _norm(dw) <= limit else limit,
        ),
    },
)

cosine_rate = Exercise(
    "The rate along half a cosine",
    lambda step, steps, rate: rate * (1 + np.cos(np.pi * step / steps)) / 2,
    [(0, 10, 1.0), (5, 10, 1.0), (10, 10, 1.0), (3, 12, 0.2)],
    {
        "half a cosine goes from 1 to -1; moved up and halved, from 1 to 0.": (
            lambda s, n, r: r * np.cos(np.pi * s / n),
            lambda s, n, r: r * np.cos(np.pi * s / n) / 2,
            lambda s, n, r: r * abs(np.cos(np.pi * s / n)),
        ),
        "half a period is pi, a whole one 2 * pi.": (
            lambda s, n, r: r * (1 + np.cos(2 * np.pi * s / n)) / 2,
            lambda s, n, r: r * np.cos(2 * np.pi * s / n),
        ),
        "a quarter of a period is pi / 2, and falls steepest at its end; half a one is pi.": lambda s, n, r: (
            r * np.cos(np.pi / 2 * s / n)
        ),
        "the initial rate is missing: times rate.": lambda s, n, r: (1 + np.cos(np.pi * s / n)) / 2,
        "halved: 1 + cos goes from 2 to 0.": (
            lambda s, n, r: r * (1 + np.cos(np.pi * s / n)),
            lambda s, n, r: r + r * np.cos(np.pi * s / n),
        ),
        "brackets: the half is of 1 + cos, not of the cosine alone.": (
            lambda s, n, r: r * (1 + np.cos(np.pi * s / n) / 2),
            lambda s, n, r: r * 1 + np.cos(np.pi * s / n) / 2,
            lambda s, n, r: 0.5 * (r + np.cos(np.pi * s / n)),
        ),
        "the rate starts at its largest: 1 + cos, not 1 - cos or a sine.": (
            lambda s, n, r: r * (1 - np.cos(np.pi * s / n)) / 2,
            lambda s, n, r: r * (1 + np.sin(np.pi * s / n)) / 2,
            lambda s, n, r: r * np.sin(np.pi * s / n),
        ),
        "that is a straight line.": lambda s, n, r: r * (1 - s / n),
        "np.cos takes radians: pi, not 180.": lambda s, n, r: r * (1 + np.cos(180 * s / n)) / 2,
        "the pi is missing: half a period is pi long.": (
            lambda s, n, r: r * (1 + np.cos(s / n)) / 2,
            lambda s, n, r: r * np.cos(s / n),
        ),
        "step // steps is 0 until the end: divide by /.": (
            lambda s, n, r: r * (1 + np.cos(np.pi * (s // n))) / 2,
            lambda s, n, r: r * (1 + np.cos(np.pi * s // n)) / 2,
        ),
        "the share of the way is step / steps.": (
            lambda s, n, r: r * (1 + np.cos(np.pi * s)) / 2,
            lambda s, n, r: r * (1 + np.cos(np.pi * n / s)) / 2,
        ),
    },
)
