"""One step of each optimizer, written from Keras 3's formulas: p weights, g gradients, the rest is memory.

All but g are changed in place, one number after the other. lr is the step's learning rate.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

Rows = Sequence[tuple[np.ndarray, ...]]


def sgd(weights: Rows, lr: float, momentum: float, nesterov: bool) -> None:
    """For each (p, g, m): a part of the last move, and a step down the slope; with Nesterov one move ahead."""
    for p, g, m in weights:
        for i in np.ndindex(p.shape):
            m[i] = momentum * m[i] - lr * g[i]
            p[i] += momentum * m[i] - lr * g[i] if nesterov else m[i]


def rmsprop(weights: Rows, lr: float, rho: float, momentum: float, epsilon: float, centered: bool) -> None:
    """For each (p, g, v, average, m): steps are divided by the root of the running mean of g^2, or the variance."""
    for p, g, v, average, m in weights:
        for i in np.ndindex(p.shape):
            v[i] = rho * v[i] + (1 - rho) * g[i] ** 2
            under = v[i]
            if centered:
                average[i] = rho * average[i] + (1 - rho) * g[i]
                under = v[i] - average[i] ** 2
            m[i] = momentum * m[i] + lr * g[i] / math.sqrt(under + epsilon)
            p[i] -= m[i]


def adam(
    weights: Rows,
    lr: float,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    t: int,
    weight_decay: float = 0.0,
    amsgrad: bool = False,
) -> None:
    """For each (p, g, m, v), or with amsgrad each (p, g, m, v, top): running means of g and g^2, both from 0.

    In step t, from 1, they are short of the mean by 1 - beta^t, which is made up for. With amsgrad the largest v so far
    stands under the root: steps never grow.
    """
    first, second = (float(np.float32(beta)) for beta in (beta_1, beta_2))  # rounded here, as in Keras
    rate = lr * math.sqrt(1 - second**t) / (1 - first**t)
    for p, g, m, v, *largest in weights:
        for i in np.ndindex(p.shape):
            p[i] -= lr * weight_decay * p[i]
            m[i] += (1 - beta_1) * (g[i] - m[i])
            v[i] += (1 - beta_2) * (g[i] ** 2 - v[i])
            under = v[i]
            if amsgrad:
                (top,) = largest
                top[i] = under = np.maximum(top[i], v[i])
            p[i] -= rate * m[i] / (math.sqrt(under) + epsilon)


def adagrad(weights: Rows, lr: float, epsilon: float) -> None:
    """For each (p, g, a): steps are divided by the root of the sum of all g^2 so far."""
    for p, g, a in weights:
        for i in np.ndindex(p.shape):
            a[i] += g[i] ** 2
            p[i] -= lr * g[i] / math.sqrt(a[i] + epsilon)


def adadelta(weights: Rows, lr: float, rho: float, epsilon: float) -> None:
    """For each (p, g, a, d): steps as long as the last ones were, a and d running means of g^2 and of the steps^2."""
    for p, g, a, d in weights:
        for i in np.ndindex(p.shape):
            a[i] = rho * a[i] + (1 - rho) * g[i] ** 2
            move = g[i] * math.sqrt(d[i] + epsilon) / math.sqrt(a[i] + epsilon)
            d[i] = rho * d[i] + (1 - rho) * move**2
            p[i] -= lr * move


def adamax(weights: Rows, rate: float, beta_1: float, beta_2: float, epsilon: float) -> None:
    """For each (p, g, m, u): Adam, with the largest |g| in the place of the root; rate = lr / (1 - beta_1^t)."""
    for p, g, m, u in weights:
        for i in np.ndindex(p.shape):
            m[i] += (1 - beta_1) * (g[i] - m[i])
            u[i] = np.maximum(beta_2 * u[i], abs(g[i]))
            p[i] -= rate * m[i] / (u[i] + epsilon)


def nadam(weights: Rows, rates: tuple[float, float, float], beta_1: float, beta_2: float, epsilon: float) -> None:
    """For each (p, g, m, v): Adam with Nesterov's look ahead; `optimizers.Nadam` says what the three rates are."""
    ahead, now, grow = rates
    for p, g, m, v in weights:
        for i in np.ndindex(p.shape):
            m[i] += (1 - beta_1) * (g[i] - m[i])
            v[i] += (1 - beta_2) * (g[i] ** 2 - v[i])
            p[i] -= (ahead * m[i] + now * g[i]) / (grow * math.sqrt(v[i]) + epsilon)


def lion(weights: Rows, lr: float, beta_1: float, beta_2: float) -> None:
    """For each (p, g, m): every weight moves by lr, up or down; m is a running mean of g."""
    for p, g, m in weights:
        for i in np.ndindex(p.shape):
            p[i] -= lr * np.sign(beta_1 * m[i] + (1 - beta_1) * g[i])
            m[i] = beta_2 * m[i] + (1 - beta_2) * g[i]


def moving_average(weights: Rows, momentum: float) -> None:
    """For each (average, p): the average goes a part of the way to p, which is not changed."""
    for average, p in weights:
        for i in np.ndindex(p.shape):
            average[i] += (1 - momentum) * (p[i] - average[i])
