"""Exercises on training: steps of optimizers, clipping, the learning rate."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet.check.exercise import Exercise

Arrays = tuple[np.ndarray, ...]


def _draw(seed: int, shape: tuple[int, ...]) -> np.ndarray:
    return np.round(np.random.default_rng(seed).normal(size=shape), 2)


def _momentum(w: np.ndarray, v: np.ndarray, g: np.ndarray, rate: float, momentum: float) -> Arrays:
    v = momentum * v - rate * g
    return w + v, v


momentum_step = Exercise(
    "A step with momentum",
    _momentum,
    [(_draw(n, s), _draw(n + 1, s) * (n > 0), _draw(n + 2, s), 0.1, 0.9) for n, s in enumerate([(1,), (2,), (2, 3)])],
    {
        "the velocity carries the minus sign: v = momentum * v - rate * g, then w + v.": (
            lambda w, v, g, r, p: (w + (p * v + r * g), p * v + r * g),
            lambda w, v, g, r, p: (w - (p * v + r * g), p * v + r * g),
            lambda w, v, g, r, p: (w - (p * v - r * g), p * v - r * g),
        ),
        "that is PyTorch's way, v = momentum * v + g, then w - rate * v; here the rate is inside the velocity.": (
            lambda w, v, g, r, p: (w - r * (p * v + g), p * v + g)
        ),
        "the gradient is not damped: - rate * g, without 1 - momentum.": (
            lambda w, v, g, r, p: (w + p * v - (1 - p) * r * g, p * v - (1 - p) * r * g),
            lambda w, v, g, r, p: (w - r * (p * v + (1 - p) * g), p * v + (1 - p) * g),
        ),
        "the old velocity counts momentum times, and is not lost.": lambda w, v, g, r, p: (w - r * g, -r * g),
        "the old velocity is slowed down: momentum * v.": lambda w, v, g, r, p: (w + v - r * g, v - r * g),
        "return both, the new w and the new v.": (
            lambda w, v, g, r, p: _momentum(w, v, g, r, p)[0],
            lambda w, v, g, r, p: _momentum(w, v, g, r, p)[1],
        ),
        "first the new w, then the new v.": lambda w, v, g, r, p: _momentum(w, v, g, r, p)[::-1],
        "the new velocity moves w, not the old one.": lambda w, v, g, r, p: (w + v, p * v - r * g),
        "the rate is in the velocity already: w + v.": lambda w, v, g, r, p: (
            w + r * (p * v - r * g),
            p * v - r * g,
        ),
        "the rate is missing: - rate * g.": lambda w, v, g, r, p: (w + p * v - g, p * v - g),
        "return the new velocity, not the old one.": lambda w, v, g, r, p: (w + p * v - r * g, v),
        "that is Nesterov's step, which looks ahead; the plain one is w + v.": lambda w, v, g, r, p: (
            w + p * (p * v - r * g) - r * g,
            p * v - r * g,
        ),
    },
)


def _means(m: np.ndarray, v: np.ndarray, g: np.ndarray) -> Arrays:
    return 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2


def _corrected(m: np.ndarray, v: np.ndarray, t: int) -> Arrays:
    return m / (1 - 0.9**t), v / (1 - 0.999**t)


def _adam(w: np.ndarray, m: np.ndarray, v: np.ndarray, g: np.ndarray, t: int, rate: float) -> Arrays:
    m, v = _means(m, v, g)
    corrected_m, corrected_v = _corrected(m, v, t)
    return w - rate * corrected_m / (np.sqrt(corrected_v) + 1e-8), m, v


def _adam_uncorrected(w: Any, m: Any, v: Any, g: Any, t: int, rate: float) -> Arrays:
    m, v = _means(m, v, g)
    return w - rate * m / (np.sqrt(v) + 1e-8), m, v


def _adam_without_squares(w: Any, m: Any, v: Any, g: Any, t: int, rate: float) -> Arrays:
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g
    a, b = _corrected(m, v, t)
    return w - rate * a / (np.sqrt(b) + 1e-8), m, v


def _adam_with_sizes(w: Any, m: Any, v: Any, g: Any, t: int, rate: float) -> Arrays:
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * np.abs(g)
    a, b = _corrected(m, v, t)
    return w - rate * a / (np.sqrt(b) + 1e-8), m, v


def _adam_square_of_mean(w: Any, m: Any, v: Any, g: Any, t: int, rate: float) -> Arrays:
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * m**2
    a, b = _corrected(m, v, t)
    return w - rate * a / (np.sqrt(b) + 1e-8), m, v


def _adam_swapped(w: Any, m: Any, v: Any, g: Any, t: int, rate: float) -> Arrays:
    m, v = 0.1 * m + 0.9 * g, 0.001 * v + 0.999 * g**2
    a, b = _corrected(m, v, t)
    return w - rate * a / (np.sqrt(b) + 1e-8), m, v


def _adam_factor_for_power(w: Any, m: Any, v: Any, g: Any, t: int, rate: float) -> Arrays:
    m, v = _means(m, v, g)
    return w - rate * (m / (1 - 0.9 * t)) / (np.sqrt(v / (1 - 0.999 * t)) + 1e-8), m, v


def _adam_constant_correction(w: Any, m: Any, v: Any, g: Any, t: int, rate: float) -> Arrays:
    m, v = _means(m, v, g)
    return w - rate * (m / (1 - 0.9)) / (np.sqrt(v / (1 - 0.999)) + 1e-8), m, v


def _adam_step_by(divisor: Any) -> Any:
    """Adam whose step is rate * m / divisor(v, t), from the corrected m and v."""

    def step(w: Any, m: Any, v: Any, g: Any, t: int, rate: float) -> Arrays:
        m, v = _means(m, v, g)
        a, b = _corrected(m, v, t)
        return w - rate * a / divisor(b, t), m, v

    return step


def _adam_keeping_corrected(w: Any, m: Any, v: Any, g: Any, t: int, rate: float) -> Arrays:
    m, v = _means(m, v, g)
    a, b = _corrected(m, v, t)
    return w - rate * a / (np.sqrt(b) + 1e-8), a, b


adam_step = Exercise(
    "A step of Adam",
    _adam,
    [
        (_draw(0, (1,)), np.zeros(1), np.zeros(1), _draw(3, (1,)), 1, 0.01),
        (_draw(1, (2,)), np.zeros(2), np.zeros(2), np.array([-0.5, 0.0]), 1, 0.01),
        (np.array([0.01]), np.zeros(1), np.zeros(1), np.array([1e-6]), 1, 0.01),  # the epsilon is felt
        (_draw(2, (2,)), _draw(3, (2,)), _draw(4, (2,)) ** 2, _draw(5, (2,)), 2, 0.01),
        (_draw(3, (2, 3)), _draw(4, (2, 3)), _draw(5, (2, 3)) ** 2, _draw(6, (2, 3)), 10, 0.01),
    ],
    {
        "m and v start at 0, so they are too small at first: divide by 1 - 0.9**t and 1 - 0.999**t.": (
            _adam_uncorrected,
            _adam_constant_correction,
        ),
        "t is the exponent, 0.9**t, not a factor.": _adam_factor_for_power,
        "v is the mean of the squares of g: g**2.": (_adam_without_squares, _adam_with_sizes),
        "v is the mean of the squares of g, not of m.": _adam_square_of_mean,
        "the old mean counts 0.9 (0.999), the new gradient 0.1 (0.001): these are swapped.": _adam_swapped,
        "the first step has t = 1.": (
            lambda w, m, v, g, t, r: _adam(w, m, v, g, t + 1, r),
            lambda w, m, v, g, t, r: _adam(w, m, v, g, t - 1, r),
        ),
        "keep m and v as they are; only the step uses the corrected ones.": _adam_keeping_corrected,
        "return all three, the new w, m and v.": (
            lambda w, m, v, g, t, r: _adam(w, m, v, g, t, r)[0],
            lambda w, m, v, g, t, r: _adam(w, m, v, g, t, r)[:2],
            lambda w, m, v, g, t, r: (_adam(w, m, v, g, t, r)[0], m, v),
        ),
        "epsilon is added to the root, not under it.": _adam_step_by(lambda v, t: np.sqrt(v + 1e-8)),
        "epsilon is missing: a gradient of 0 gives 0 / 0.": _adam_step_by(lambda v, t: np.sqrt(v)),
        "epsilon is 1e-8 here. (Keras has 1e-7.)": _adam_step_by(lambda v, t: np.sqrt(v) + 1e-7),
        "divide v by 1 - 0.999**t first, then add epsilon. (Keras does it the other way round.)": _adam_step_by(
            lambda v, t: np.sqrt(v) + 1e-8 / np.sqrt(1 - 0.999**t)
        ),
        "divide by the root of v, not by v.": _adam_step_by(lambda v, t: v + 1e-8),
        "the step goes against the gradient: w minus it.": _adam_step_by(lambda v, t: -(np.sqrt(v) + 1e-8)),
    },
)


def _norm(g: np.ndarray) -> float:
    return float(np.sqrt(np.sum(g**2)))


def _clip_rows(g: np.ndarray, limit: float) -> np.ndarray:
    return g * np.minimum(1, limit / np.linalg.norm(g, axis=-1, keepdims=True))


clip_by_norm = Exercise(
    "Clipping by the norm",
    lambda g, limit: g * min(1.0, limit / np.sqrt(np.sum(g**2))),
    [
        (np.array([3.0, 4.0]), 10.0),
        (np.array([3.0, 4.0]), 5.0),
        (np.array([3.0, 4.0]), 1.0),
        (np.array([0.0, 0.0]), 1.0),
        (np.array([0.3, -0.4]), 0.1),
        (_draw(0, (2, 3)), 0.5),
    ],
    {
        "a short gradient stays as it is.": lambda g, limit: g * limit / np.sqrt(np.sum(g**2)),
        "min, not max: the factor is never above 1.": lambda g, limit: g * max(1, limit / np.sqrt(np.sum(g**2))),
        "clip the length, not each number: the direction stays.": (
            lambda g, limit: np.clip(g, -limit, limit),
            lambda g, limit: np.minimum(g, limit),
        ),
        "the norm is the root of the sum of squares.": (
            lambda g, limit: g * min(1.0, limit / np.sum(g**2)),
            lambda g, limit: g if np.sum(g**2) <= limit else g * limit / np.sqrt(np.sum(g**2)),
        ),
        "the length is the root of the sum of squares, not the sum of the sizes.": lambda g, limit: (
            g * min(1.0, limit / np.sum(np.abs(g)))
        ),
        "the length is the root of the sum of squares, not the largest number.": lambda g, limit: (
            g * min(1.0, limit / np.abs(g).max())
        ),
        "the root of the sum of squares, not of their mean.": lambda g, limit: (
            g * min(1.0, limit / np.sqrt(np.mean(g**2)))
        ),
        "the numbers are squared before they are summed: np.sum(g**2).": lambda g, limit: (
            g * min(1.0, limit / np.sqrt(np.sum(g) ** 2))
        ),
        "a long gradient is shortened to limit, not to 1.": lambda g, limit: g if _norm(g) <= limit else g / _norm(g),
        "a gradient of zeros has length 0: do not divide it by that.": lambda g, limit: (
            g / np.sqrt(np.sum(g**2)) * min(np.sqrt(np.sum(g**2)), limit)
        ),
        "one length for all numbers, not one for each row.": _clip_rows,
        "a long gradient is shortened, not set to 0 or to limit.": (
            lambda g, limit: g if _norm(g) <= limit else np.zeros_like(g),
            lambda g, limit: g if _norm(g) <= limit else np.full_like(g, limit),
            lambda g, limit: g if _norm(g) <= limit else limit,
        ),
    },
)

cosine_rate = Exercise(
    "The rate along half a cosine",
    lambda step, steps, rate: rate * (1 + np.cos(np.pi * step / steps)) / 2,
    [(0, 10, 1.0), (5, 10, 1.0), (10, 10, 1.0), (3, 12, 0.2)],
    {
        "half a cosine goes from 1 to -1; moved up and halved, from 1 to 0.": lambda s, n, r: r * np.cos(np.pi * s / n),
        "half a period is pi, a whole one 2 * pi.": (
            lambda s, n, r: r * (1 + np.cos(2 * np.pi * s / n)) / 2,
            lambda s, n, r: r * np.cos(2 * np.pi * s / n),
        ),
        "a quarter of a period is pi / 2, and falls steepest at its end; half a one is pi.": lambda s, n, r: (
            r * np.cos(np.pi / 2 * s / n)
        ),
        "a share of the initial rate: times rate.": lambda s, n, r: (1 + np.cos(np.pi * s / n)) / 2,
        "halved: 1 + cos goes from 2 to 0.": (
            lambda s, n, r: r * (1 + np.cos(np.pi * s / n)),
            lambda s, n, r: r + r * np.cos(np.pi * s / n),
        ),
        "brackets: the half is of 1 + cos, not of the cosine alone.": lambda s, n, r: (
            r * (1 + np.cos(np.pi * s / n) / 2)
        ),
        "1 + cos falls from 2 to 0; 1 - cos and the sine begin at 0.": (
            lambda s, n, r: r * (1 - np.cos(np.pi * s / n)) / 2,
            lambda s, n, r: r * (1 + np.sin(np.pi * s / n)) / 2,
            lambda s, n, r: r * np.sin(np.pi * s / n),
        ),
        "that is a straight line.": lambda s, n, r: r * (1 - s / n),
        "np.cos takes radians: pi, not 180.": lambda s, n, r: r * (1 + np.cos(180 * s / n)) / 2,
        "the pi is missing: half a period is pi long.": lambda s, n, r: r * (1 + np.cos(s / n)) / 2,
        "step // steps is 0 until the end: divide by /.": (lambda s, n, r: r * (1 + np.cos(np.pi * (s // n))) / 2,),
        "the share of the way is step / steps.": (
            lambda s, n, r: r * (1 + np.cos(np.pi * s)) / 2,
            lambda s, n, r: r * (1 + np.cos(np.pi * n / s)) / 2,
        ),
    },
)
