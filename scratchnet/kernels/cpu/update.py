"""The optimizers' updates, in place, one pass over each array: p the weights, g their gradient, the rest is memory.

The formulas are Keras 3's, epsilon and all. Numbers such as 1 - beta_2 are worked out in float64 and rounded once:
1 - 0.999 taken in float32 would be wrong in its fifth digit.
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
def _rmsprop(p, g, v, average, a, lr, rho, new, momentum, epsilon, centered):
    for block in prange((len(p) + BLOCK - 1) // BLOCK):
        lo, hi = block * BLOCK, (block + 1) * BLOCK
        w, d, square, mean, move = p[lo:hi], g[lo:hi], v[lo:hi], average[lo:hi], a[lo:hi]
        for e in range(len(w)):
            square[e] = rho * square[e] + new * d[e] * d[e]
            under = square[e]
            if centered:
                mean[e] = rho * mean[e] + new * d[e]
                under -= mean[e] * mean[e]
            move[e] = momentum * move[e] + lr * d[e] / math.sqrt(under + epsilon)
            w[e] -= move[e]


@parallel
def _adam(p, g, m, v, rate, new_1, new_2, epsilon, decay):
    for block in prange((len(p) + BLOCK - 1) // BLOCK):
        lo, hi = block * BLOCK, (block + 1) * BLOCK
        w, d, mean, square = p[lo:hi], g[lo:hi], m[lo:hi], v[lo:hi]
        for e in range(len(w)):
            w[e] -= decay * w[e]
            mean[e] += (d[e] - mean[e]) * new_1
            square[e] += (d[e] * d[e] - square[e]) * new_2
            w[e] -= rate * mean[e] / (math.sqrt(square[e]) + epsilon)


def _in_place(*arrays: np.ndarray) -> list[np.ndarray]:
    """Flat views; a copy would be updated and thrown away."""
    for array in arrays:
        if not array.flags.c_contiguous:
            raise ValueError(
                f"expected contiguous arrays to update in place, got one of shape {array.shape} with strides "
                f"{array.strides}. Make a copy, np.ascontiguousarray(a), and keep it."
            )
    return [array.reshape(-1) for array in arrays]


def sgd(p: np.ndarray, g: np.ndarray, m: np.ndarray, lr: float, momentum: float, nesterov: bool) -> None:
    """m = momentum * m - lr * g; p += m, or with Nesterov p += momentum * m - lr * g."""
    number = p.dtype.type
    _sgd(*_in_place(p, np.ascontiguousarray(g), m), number(lr), number(momentum), nesterov)


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

    average is the running mean of g; it counts as 0 unless centered. Source: Hinton, lecture 6e.
    """
    number = p.dtype.type
    settings = (number(s) for s in (lr, rho, 1 - rho, momentum, epsilon))
    _rmsprop(*_in_place(p, np.ascontiguousarray(g), v, average, m), *settings, centered)


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
    # Keras rounds the betas to float32 here. The difference is 7e-6 of the rate, but ReLU and max-pooling turn it into
    # 1e-3 of the loss within twenty steps, and the same start is to give the same numbers.
    rate = lr * math.sqrt(1 - float(np.float32(beta_2)) ** t) / (1 - float(np.float32(beta_1)) ** t)
    settings = (number(s) for s in (rate, 1 - beta_1, 1 - beta_2, epsilon, lr * weight_decay))
    _adam(*_in_place(p, np.ascontiguousarray(g), m, v), *settings)
