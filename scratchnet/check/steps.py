"""Exercises on the steps of optimizers: momentum, Adam."""

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
    returns=("w", "v"),
    mistakes={
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
        "the old velocity is lost: momentum * v is a part of the new one.": lambda w, v, g, r, p: (w - r * g, -r * g),
        "that is plain gradient descent; the velocity moves w, and is renewed.": lambda w, v, g, r, p: (w - r * g, v),
        "momentum slows the velocity down, not the weights.": (
            lambda w, v, g, r, p: (p * w - r * g, v),
            lambda w, v, g, r, p: (p * w - r * g, p * v - r * g),
        ),
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


def _adam_betas_swapped(w: Any, m: Any, v: Any, g: Any, t: int, rate: float) -> Arrays:
    m, v = 0.999 * m + 0.001 * g, 0.9 * v + 0.1 * g**2
    return w - rate * (m / (1 - 0.999**t)) / (np.sqrt(v / (1 - 0.9**t)) + 1e-8), m, v


def _adam_along_gradient(w: Any, m: Any, v: Any, g: Any, t: int, rate: float) -> Arrays:
    m, v = _means(m, v, g)
    return w - rate * g / (np.sqrt(v / (1 - 0.999**t)) + 1e-8), m, v


def _adam_corrected_in_half(w: Any, m: Any, v: Any, g: Any, t: int, rate: float) -> Arrays:
    m, v = _means(m, v, g)
    return w - rate * (m / (1 - 0.9**t)) / (np.sqrt(v) + 1e-8), m, v


def _adam_corrected_in_other_half(w: Any, m: Any, v: Any, g: Any, t: int, rate: float) -> Arrays:
    m, v = _means(m, v, g)
    return w - rate * m / (np.sqrt(v / (1 - 0.999**t)) + 1e-8), m, v


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
    returns=("w", "m", "v"),
    mistakes={
        "m and v start at 0, so they are too small at first: divide by 1 - 0.9**t and 1 - 0.999**t.": (
            _adam_uncorrected,
            _adam_constant_correction,
        ),
        "both are corrected, m by 1 - 0.9**t and v by 1 - 0.999**t.": (
            _adam_corrected_in_half,
            _adam_corrected_in_other_half,
        ),
        "t is the exponent, 0.9**t, not a factor.": _adam_factor_for_power,
        "0.9 belongs to m, 0.999 to v.": _adam_betas_swapped,
        "first the new w, then m, then v.": lambda w, m, v, g, t, r: _adam(w, m, v, g, t, r)[::-1],
        "the step goes along m, the mean of the gradients, not along g.": _adam_along_gradient,
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
