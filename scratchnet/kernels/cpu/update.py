"""The optimizers' updates, in place, one pass over each array: p the weights, g their gradient, the rest is memory.

The formulas are Keras 3's, epsilon and all.
"""

from __future__ import annotations

import math

import numpy as np
from numba import prange

from scratchnet.kernels.cpu.jit import BLOCK, parallel


@parallel
def _sgd(p, g, m, lr, momentum, nesterov):
    for block in prange((len(p) + BLOCK - 1) // BLOCK):
        w, d = p[block * BLOCK : (block + 1) * BLOCK], g[block * BLOCK : (block + 1) * BLOCK]
        a = m[block * BLOCK : (block + 1) * BLOCK]
        for e in range(len(w)):
            a[e] = momentum * a[e] - lr * d[e]
            w[e] += momentum * a[e] - lr * d[e] if nesterov else a[e]


@parallel
def _rmsprop(p, g, v, average, a, lr, rho, momentum, epsilon, centered):
    for block in prange((len(p) + BLOCK - 1) // BLOCK):
        lo, hi = block * BLOCK, (block + 1) * BLOCK
        w, d, square, mean, move = p[lo:hi], g[lo:hi], v[lo:hi], average[lo:hi], a[lo:hi]
        for e in range(len(w)):
            square[e] = rho * square[e] + (1 - rho) * d[e] * d[e]
            under = square[e]
            if centered:
                mean[e] = rho * mean[e] + (1 - rho) * d[e]
                under -= mean[e] * mean[e]
            move[e] = momentum * move[e] + lr * d[e] / math.sqrt(under + epsilon)
            w[e] -= move[e]


@parallel
def _adam(p, g, m, v, lr, rate, beta_1, beta_2, epsilon, weight_decay):
    for block in prange((len(p) + BLOCK - 1) // BLOCK):
        lo, hi = block * BLOCK, (block + 1) * BLOCK
        w, d, mean, square = p[lo:hi], g[lo:hi], m[lo:hi], v[lo:hi]
        for e in range(len(w)):
            w[e] -= lr * weight_decay * w[e]
            mean[e] += (d[e] - mean[e]) * (1 - beta_1)
            square[e] += (d[e] * d[e] - square[e]) * (1 - beta_2)
            w[e] -= rate * mean[e] / (math.sqrt(square[e]) + epsilon)


def sgd(p: np.ndarray, g: np.ndarray, m: np.ndarray, lr: float, momentum: float, nesterov: bool) -> None:
    """m = momentum * m - lr * g; p += m, or with Nesterov p += momentum * m - lr * g."""
    number = p.dtype.type
    _sgd(p.reshape(-1), g.reshape(-1), m.reshape(-1), number(lr), number(momentum), nesterov)


def rmsprop(
    p: np.ndarray,
    g: np.ndarray,
    v: np.ndarray,
    average: np.ndarray,
    m: np.ndarray,
    lr: float,
    rho: float,
    momentum: float,
    epsilon: float,
    centered: bool,
) -> None:
    """v = rho * v + (1-rho) * g^2; m = momentum * m + lr * g / sqrt(v - average^2 + epsilon); p -= m.

    average is the running mean of g; it counts as 0 unless centered.
    """
    number = p.dtype.type
    arrays = (a.reshape(-1) for a in (p, g, v, average, m))
    _rmsprop(*arrays, number(lr), number(rho), number(momentum), number(epsilon), centered)


def adam(
    p: np.ndarray,
    g: np.ndarray,
    m: np.ndarray,
    v: np.ndarray,
    lr: float,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    t: int,
    weight_decay: float = 0.0,
) -> None:
    """m += (1-beta_1) * (g - m); v += (1-beta_2) * (g^2 - v); p -= lr * c * m / (sqrt(v) + epsilon).

    c = sqrt(1 - beta_2^t) / (1 - beta_1^t) makes up for m and v having started at 0; t counts the steps from 1.
    With a weight decay, p -= lr * weight_decay * p first (AdamW). Source: Kingma and Ba, arXiv 1412.6980; Loshchilov
    and Hutter, arXiv 1711.05101.
    """
    number = p.dtype.type
    rate = lr * math.sqrt(1 - beta_2**t) / (1 - beta_1**t)
    arrays = (a.reshape(-1) for a in (p, g, m, v))
    _adam(*arrays, *(number(s) for s in (lr, rate, beta_1, beta_2, epsilon, weight_decay)))
