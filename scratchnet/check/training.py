"""Exercises on training: steps of optimizers, clipping, the learning rate."""

from __future__ import annotations

import numpy as np

from scratchnet.check.exercise import Exercise


def _draw(seed: int, shape: tuple[int, ...]) -> np.ndarray:
    return np.round(np.random.default_rng(seed).normal(size=shape), 2)


def _momentum(w: np.ndarray, v: np.ndarray, g: np.ndarray, rate: float, momentum: float) -> np.ndarray:
    v = momentum * v - rate * g
    return np.array([w + v, v])


def _adam(w: np.ndarray, m: np.ndarray, v: np.ndarray, g: np.ndarray, t: int, rate: float) -> np.ndarray:
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    corrected_m, corrected_v = m / (1 - 0.9**t), v / (1 - 0.999**t)
    return np.array([w - rate * corrected_m / (np.sqrt(corrected_v) + 1e-8), m, v])


def _adam_uncorrected(w: np.ndarray, m: np.ndarray, v: np.ndarray, g: np.ndarray, t: int, rate: float) -> np.ndarray:
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    return np.array([w - rate * m / (np.sqrt(v) + 1e-8), m, v])


def _clip(g: np.ndarray, limit: float) -> np.ndarray:
    return g * min(1.0, limit / np.sqrt(np.sum(g**2)))


def _cosine(step: int, steps: int, rate: float) -> float:
    return rate * (1 + np.cos(np.pi * step / steps)) / 2


momentum_step = Exercise(
    "A step with momentum",
    _momentum,
    [(_draw(n, s), _draw(n + 1, s) * (n > 0), _draw(n + 2, s), 0.1, 0.9) for n, s in enumerate([(1,), (2,), (2, 3)])],
    {
        "the velocity carries the minus sign: v = momentum * v - rate * g, then w + v.": lambda w, v, g, r, p: np.array(
            [w - (p * v + r * g), p * v + r * g]
        ),
        "the old velocity counts momentum times, and is not lost.": lambda w, v, g, r, p: np.array([w - r * g, -r * g]),
        "return both, the new w and the new v.": lambda w, v, g, r, p: _momentum(w, v, g, r, p)[0],
        "the new velocity moves w, not the old one.": lambda w, v, g, r, p: np.array([w + v, p * v - r * g]),
    },
)

adam_step = Exercise(
    "A step of Adam",
    _adam,
    [
        (_draw(n, s), _draw(n + 1, s) * (t > 1), _draw(n + 2, s) ** 2 * (t > 1), _draw(n + 3, s), t, 0.01)
        for n, (s, t) in enumerate([((1,), 1), ((2,), 1), ((2,), 2), ((2, 3), 10)])
    ],
    {
        "m and v start at 0, so they are too small at first: divide by 1 - 0.9**t and 1 - 0.999**t.": _adam_uncorrected,
        "v is the mean of the squares of g: g**2.": lambda w, m, v, g, t, r: _adam(
            w, m, v + 0.001 * (np.abs(g) - g**2) / 0.999, g, t, r
        ),
        "the first step has t = 1.": lambda w, m, v, g, t, r: _adam(w, m, v, g, t + 1, r),
        "keep m and v as they are; only the step uses the corrected ones.": lambda w, m, v, g, t, r: (
            _adam(w, m, v, g, t, r) / np.array([1, 1 - 0.9**t, 1 - 0.999**t]).reshape(3, *[1] * w.ndim)
        ),
        "return all three, the new w, m and v.": lambda w, m, v, g, t, r: _adam(w, m, v, g, t, r)[0],
    },
)

clip_by_norm = Exercise(
    "Clipping by the norm",
    _clip,
    [
        (np.array([3.0, 4.0]), 10.0),
        (np.array([3.0, 4.0]), 5.0),
        (np.array([3.0, 4.0]), 1.0),
        (_draw(0, (2, 3)), 0.5),
    ],
    {
        "a short gradient stays as it is.": lambda g, limit: g * limit / np.sqrt(np.sum(g**2)),
        "clip the length, not each number: the direction stays.": lambda g, limit: np.clip(g, -limit, limit),
        "the norm is the root of the sum of squares.": lambda g, limit: g * min(1.0, limit / np.sum(g**2)),
    },
)

cosine_rate = Exercise(
    "The rate along half a cosine",
    _cosine,
    [(0, 10, 1.0), (5, 10, 1.0), (10, 10, 1.0), (3, 12, 0.2)],
    {
        "half a cosine goes from 1 to -1; moved up and halved, from 1 to 0.": lambda s, n, r: r * np.cos(np.pi * s / n),
        "half a period is pi, a whole one 2 * pi.": lambda s, n, r: r * (1 + np.cos(2 * np.pi * s / n)) / 2,
        "a share of the initial rate: times rate.": lambda s, n, r: (1 + np.cos(np.pi * s / n)) / 2,
    },
)
