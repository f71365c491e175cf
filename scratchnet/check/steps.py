"""Exercises on the steps of optimizers: momentum, Adam."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet.check.exercise import Exercise

Arrays = tuple[np.ndarray, ...]


def _draw(seed: int, shape: tuple[int, ...]) -> np.ndarray:
    return np.round(np.random.default_rng(seed).normal(size=shape), 2)


def _momentum(w: np.ndarray, u: np.ndarray, dw: np.ndarray, rate: float, momentum: float) -> Arrays:
    u = momentum * u - rate * dw
    return w + u, u


momentum_step = Exercise(
    "A step with momentum",
    _momentum,
    [(_draw(n, s), _draw(n + 1, s) * (n > 0), _draw(n + 2, s), 0.1, 0.9) for n, s in enumerate([(1,), (2,), (2, 3)])],
    returns=("w", "u"),
    mistakes={
        "the velocity carries the minus sign: u = momentum * u - rate * dw, then w + u.": (
            lambda w, u, dw, r, p: (w + (p * u + r * dw), p * u + r * dw),
            lambda w, u, dw, r, p: (w - (p * u + r * dw), p * u + r * dw),
            lambda w, u, dw, r, p: (w - (p * u - r * dw), p * u - r * dw),
        ),
        "that is PyTorch's way, u = momentum * u + dw, then w - rate * u; here the rate is inside the velocity.": (
            lambda w, u, dw, r, p: (w - r * (p * u + dw), p * u + dw)
        ),
        "the gradient is not damped: - rate * dw, without 1 - momentum.": (
            lambda w, u, dw, r, p: (w + p * u - (1 - p) * r * dw, p * u - (1 - p) * r * dw),
            lambda w, u, dw, r, p: (w - r * (p * u + (1 - p) * dw), p * u + (1 - p) * dw),
        ),
        "the old velocity is lost: momentum * u is a part of the new one.": lambda w, u, dw, r, p: (
            w - r * dw,
            -r * dw,
        ),
        "that is plain gradient descent; the velocity moves w, and is renewed.": lambda w, u, dw, r, p: (w - r * dw, u),
        "momentum slows the velocity down, not the weights.": (
            lambda w, u, dw, r, p: (p * w - r * dw, u),
            lambda w, u, dw, r, p: (p * w - r * dw, p * u - r * dw),
        ),
        "the old velocity is slowed down: momentum * u.": lambda w, u, dw, r, p: (w + u - r * dw, u - r * dw),
        "return both, the new w and the new u.": (
            lambda w, u, dw, r, p: _momentum(w, u, dw, r, p)[0],
            lambda w, u, dw, r, p: _momentum(w, u, dw, r, p)[1],
        ),
        "first the new w, then the new u.": lambda w, u, dw, r, p: _momentum(w, u, dw, r, p)[::-1],
        "the new velocity moves w, not the old one.": lambda w, u, dw, r, p: (w + u, p * u - r * dw),
        "the rate is in the velocity already: w + u.": lambda w, u, dw, r, p: (
            w + r * (p * u - r * dw),
            p * u - r * dw,
        ),
        "the rate is missing: - rate * dw.": lambda w, u, dw, r, p: (w + p * u - dw, p * u - dw),
        "return the new velocity, not the old one.": lambda w, u, dw, r, p: (w + p * u - r * dw, u),
        "that is Nesterov's step, which looks ahead; the plain one is w + u.": lambda w, u, dw, r, p: (
            w + p * (p * u - r * dw) - r * dw,
            p * u - r * dw,
        ),
    },
)


def _means(m: np.ndarray, v: np.ndarray, dw: np.ndarray) -> Arrays:
    return 0.9 * m + 0.1 * dw, 0.999 * v + 0.001 * dw**2


def _corrected(m: np.ndarray, v: np.ndarray, t: int) -> Arrays:
    return m / (1 - 0.9**t), v / (1 - 0.999**t)


def _adam(w: np.ndarray, m: np.ndarray, v: np.ndarray, dw: np.ndarray, t: int, rate: float) -> Arrays:
    m, v = _means(m, v, dw)
    corrected_m, corrected_v = _corrected(m, v, t)
    return w - rate * corrected_m / (np.sqrt(corrected_v) + 1e-8), m, v


def _adam_uncorrected(w: Any, m: Any, v: Any, dw: Any, t: int, rate: float) -> Arrays:
    m, v = _means(m, v, dw)
    return w - rate * m / (np.sqrt(v) + 1e-8), m, v


def _adam_without_squares(w: Any, m: Any, v: Any, dw: Any, t: int, rate: float) -> Arrays:
    m, v = 0.9 * m + 0.1 * dw, 0.999 * v + 0.001 * dw
    a, b = _corrected(m, v, t)
    return w - rate * a / (np.sqrt(b) + 1e-8), m, v


def _adam_with_sizes(w: Any, m: Any, v: Any, dw: Any, t: int, rate: float) -> Arrays:
    m, v = 0.9 * m + 0.1 * dw, 0.999 * v + 0.001 * np.abs(dw)
    a, b = _corrected(m, v, t)
    return w - rate * a / (np.sqrt(b) + 1e-8), m, v


def _adam_square_of_mean(w: Any, m: Any, v: Any, dw: Any, t: int, rate: float) -> Arrays:
    m = 0.9 * m + 0.1 * dw
    v = 0.999 * v + 0.001 * m**2
    a, b = _corrected(m, v, t)
    return w - rate * a / (np.sqrt(b) + 1e-8), m, v


def _adam_swapped(w: Any, m: Any, v: Any, dw: Any, t: int, rate: float) -> Arrays:
    m, v = 0.1 * m + 0.9 * dw, 0.001 * v + 0.999 * dw**2
    a, b = _corrected(m, v, t)
    return w - rate * a / (np.sqrt(b) + 1e-8), m, v


def _adam_betas_swapped(w: Any, m: Any, v: Any, dw: Any, t: int, rate: float) -> Arrays:
    m, v = 0.999 * m + 0.001 * dw, 0.9 * v + 0.1 * dw**2
    return w - rate * (m / (1 - 0.999**t)) / (np.sqrt(v / (1 - 0.9**t)) + 1e-8), m, v


def _adam_along_gradient(w: Any, m: Any, v: Any, dw: Any, t: int, rate: float) -> Arrays:
    m, v = _means(m, v, dw)
    return w - rate * dw / (np.sqrt(v / (1 - 0.999**t)) + 1e-8), m, v


def _adam_corrected_in_half(w: Any, m: Any, v: Any, dw: Any, t: int, rate: float) -> Arrays:
    m, v = _means(m, v, dw)
    return w - rate * (m / (1 - 0.9**t)) / (np.sqrt(v) + 1e-8), m, v


def _adam_corrected_in_other_half(w: Any, m: Any, v: Any, dw: Any, t: int, rate: float) -> Arrays:
    m, v = _means(m, v, dw)
    return w - rate * m / (np.sqrt(v / (1 - 0.999**t)) + 1e-8), m, v


def _adam_factor_for_power(w: Any, m: Any, v: Any, dw: Any, t: int, rate: float) -> Arrays:
    m, v = _means(m, v, dw)
    return w - rate * (m / (1 - 0.9 * t)) / (np.sqrt(v / (1 - 0.999 * t)) + 1e-8), m, v


def _adam_constant_correction(w: Any, m: Any, v: Any, dw: Any, t: int, rate: float) -> Arrays:
    m, v = _means(m, v, dw)
    return w - rate * (m / (1 - 0.9)) / (np.sqrt(v / (1 - 0.999)) + 1e-8), m, v


def _adam_step_by(divisor: Any) -> Any:
    """Adam whose step is rate * m / divisor(v, t), from the corrected m and v."""

    def step(w: Any, m: Any, v: Any, dw: Any, t: int, rate: float) -> Arrays:
        m, v = _means(m, v, dw)
        a, b = _corrected(m, v, t)
        return w - rate * a / divisor(b, t), m, v

    return step


def _adam_keeping_corrected(w: Any, m: Any, v: Any, dw: Any, t: int, rate: float) -> Arrays:
    m, v = _means(m, v, dw)
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
        "first the new w, then m, then v.": lambda w, m, v, dw, t, r: _adam(w, m, v, dw, t, r)[::-1],
        "the step goes along m, the mean of the gradients, not along dw.": _adam_along_gradient,
        "v is the mean of the squares of dw: dw**2.": (_adam_without_squares, _adam_with_sizes),
        "v is the mean of the squares of dw, not of m.": _adam_square_of_mean,
        "the old mean counts 0.9 (0.999), the new gradient 0.1 (0.001): these are swapped.": _adam_swapped,
        "the first step has t = 1.": (
            lambda w, m, v, dw, t, r: _adam(w, m, v, dw, t + 1, r),
            lambda w, m, v, dw, t, r: _adam(w, m, v, dw, t - 1, r),
        ),
        "keep m and v as they are; only the step uses the corrected ones.": _adam_keeping_corrected,
        "return all three, the new w, m and v.": (
            lambda w, m, v, dw, t, r: _adam(w, m, v, dw, t, r)[0],
            lambda w, m, v, dw, t, r: _adam(w, m, v, dw, t, r)[:2],
            lambda w, m, v, dw, t, r: (_adam(w, m, v, dw, t, r)[0], m, v),
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
