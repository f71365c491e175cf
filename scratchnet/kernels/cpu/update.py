"""The optimizers' updates, in place, all weights of a network in one pass: p weights, g gradients, the rest is memory.

The formulas are Keras 3's, epsilon and all. Numbers such as 1 - beta_2 are worked out in float64 and rounded once:
1 - 0.999 taken in float32 would be wrong in its fifth digit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import numpy as np
from numba import prange

from scratchnet.kernels.cpu.runtime.jit import in_order, serial
from scratchnet.kernels.cpu.table import part, table_of

_with_parts = partial(in_order, makes_arrays=True)  # as `part` does


@_with_parts
def _sgd(table, blocks, numbers, nesterov):
    for block in prange(blocks):
        lr, momentum = numbers[0], numbers[1]
        w, d, a = part(table, block, 0, numbers), part(table, block, 1, numbers), part(table, block, 2, numbers)
        for e in range(len(w)):
            a[e] = momentum * a[e] - lr * d[e]
            w[e] += momentum * a[e] - lr * d[e] if nesterov else a[e]


@_with_parts
def _rmsprop(table, blocks, numbers, centered):
    for block in prange(blocks):
        lr, rho, new, momentum, epsilon = numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]
        w, d = part(table, block, 0, numbers), part(table, block, 1, numbers)
        square, mean = part(table, block, 2, numbers), part(table, block, 3, numbers)
        move = part(table, block, 4, numbers)
        for e in range(len(w)):
            square[e] = rho * square[e] + new * d[e] * d[e]
            under = square[e]
            if centered:
                mean[e] = rho * mean[e] + new * d[e]
                under -= mean[e] * mean[e]
            move[e] = momentum * move[e] + lr * d[e] / math.sqrt(under + epsilon)
            w[e] -= move[e]


@_with_parts
def _adam(table, blocks, numbers):
    for block in prange(blocks):
        rate, new_1, new_2, epsilon, decay = numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]
        w, d = part(table, block, 0, numbers), part(table, block, 1, numbers)
        mean, square = part(table, block, 2, numbers), part(table, block, 3, numbers)
        for e in range(len(w)):
            w[e] -= decay * w[e]
            mean[e] += (d[e] - mean[e]) * new_1
            square[e] += (d[e] * d[e] - square[e]) * new_2
            w[e] -= rate * mean[e] / (math.sqrt(square[e]) + epsilon)


@_with_parts
def _amsgrad(table, blocks, numbers):
    for block in prange(blocks):
        rate, new_1, new_2, epsilon, decay = numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]
        w, d = part(table, block, 0, numbers), part(table, block, 1, numbers)
        mean, square = part(table, block, 2, numbers), part(table, block, 3, numbers)
        largest = part(table, block, 4, numbers)
        for e in range(len(w)):
            w[e] -= decay * w[e]
            mean[e] += (d[e] - mean[e]) * new_1
            square[e] += (d[e] * d[e] - square[e]) * new_2
            largest[e] = _larger(largest[e], square[e])
            w[e] -= rate * mean[e] / (math.sqrt(largest[e]) + epsilon)


@serial
def _larger(a, b):
    """The larger of two numbers; NaN if one of them is."""
    return a if a > b or a != a else b


@_with_parts
def _adagrad(table, blocks, numbers):
    for block in prange(blocks):
        lr, epsilon = numbers[0], numbers[1]
        w, d, total = part(table, block, 0, numbers), part(table, block, 1, numbers), part(table, block, 2, numbers)
        for e in range(len(w)):
            total[e] += d[e] * d[e]
            w[e] -= lr * d[e] / math.sqrt(total[e] + epsilon)


@_with_parts
def _adadelta(table, blocks, numbers):
    for block in prange(blocks):
        lr, rho, new, epsilon = numbers[0], numbers[1], numbers[2], numbers[3]
        w, d = part(table, block, 0, numbers), part(table, block, 1, numbers)
        square, moved = part(table, block, 2, numbers), part(table, block, 3, numbers)
        for e in range(len(w)):
            square[e] = rho * square[e] + new * d[e] * d[e]
            move = d[e] * math.sqrt(moved[e] + epsilon) / math.sqrt(square[e] + epsilon)
            moved[e] = rho * moved[e] + new * move * move
            w[e] -= lr * move


@_with_parts
def _adamax(table, blocks, numbers):
    for block in prange(blocks):
        rate, new_1, beta_2, epsilon = numbers[0], numbers[1], numbers[2], numbers[3]
        w, d = part(table, block, 0, numbers), part(table, block, 1, numbers)
        mean, norm = part(table, block, 2, numbers), part(table, block, 3, numbers)
        for e in range(len(w)):
            mean[e] += (d[e] - mean[e]) * new_1
            norm[e] = _larger(beta_2 * norm[e], abs(d[e]))
            w[e] -= rate * mean[e] / (norm[e] + epsilon)


@_with_parts
def _nadam(table, blocks, numbers):
    for block in prange(blocks):
        ahead, now, grow = numbers[0], numbers[1], numbers[2]
        new_1, new_2, epsilon = numbers[3], numbers[4], numbers[5]
        w, d = part(table, block, 0, numbers), part(table, block, 1, numbers)
        mean, square = part(table, block, 2, numbers), part(table, block, 3, numbers)
        for e in range(len(w)):
            mean[e] += (d[e] - mean[e]) * new_1
            square[e] += (d[e] * d[e] - square[e]) * new_2
            w[e] -= (ahead * mean[e] + now * d[e]) / (grow * math.sqrt(square[e]) + epsilon)


@_with_parts
def _lion(table, blocks, numbers):
    for block in prange(blocks):
        lr, beta_1, new_1, beta_2, new_2 = numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]
        w, d, mean = part(table, block, 0, numbers), part(table, block, 1, numbers), part(table, block, 2, numbers)
        for e in range(len(w)):
            w[e] -= lr * np.sign(beta_1 * mean[e] + new_1 * d[e])
            mean[e] = beta_2 * mean[e] + new_2 * d[e]


@_with_parts
def _average(table, blocks, numbers):
    for block in prange(blocks):
        average, w = part(table, block, 0, numbers), part(table, block, 1, numbers)
        for e in range(len(w)):
            average[e] += (w[e] - average[e]) * numbers[0]


def sgd(weights: Sequence[tuple[np.ndarray, ...]], lr: float, momentum: float, nesterov: bool) -> None:
    """For each (p, g, m): m = momentum * m - lr * g; p += m, or with Nesterov p += momentum * m - lr * g."""
    table = table_of(weights, "sgd", 3, read=1)
    _sgd(table.rows, table.blocks, np.array([lr, momentum], table.dtype), nesterov)


def rmsprop(
    weights: Sequence[tuple[np.ndarray, ...]],
    lr: float,
    rho: float,
    momentum: float,
    epsilon: float,
    centered: bool,
) -> None:
    """For each (p, g, v, average, m):

    v = rho * v + (1-rho) * g^2; m = momentum * m + lr * g / sqrt(v - average^2 + epsilon); p -= m.

    average is the running mean of g; it counts as 0 unless centered. Source: Hinton, lecture 6e.
    """
    table = table_of(weights, "rmsprop", 5, read=1)
    _rmsprop(table.rows, table.blocks, np.array([lr, rho, 1 - rho, momentum, epsilon], table.dtype), centered)


def adam(
    weights: Sequence[tuple[np.ndarray, ...]],
    lr: float,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    t: int,
    weight_decay: float = 0.0,
    amsgrad: bool = False,
) -> None:
    """For each (p, g, m, v), or with amsgrad each (p, g, m, v, top):

    m += (1-beta_1) * (g - m); v += (1-beta_2) * (g^2 - v); p -= lr * c * m / (sqrt(v) + epsilon).

    c = sqrt(1 - beta_2^t) / (1 - beta_1^t) makes up for m and v having started at 0; t counts the steps from 1.
    With a weight decay, p -= lr * weight_decay * p first (AdamW). With amsgrad the largest v so far, top = max(top, v),
    stands under the root. Source: Kingma and Ba, arXiv 1412.6980; Loshchilov and Hutter, arXiv 1711.05101; Reddi et
    al., ICLR 2018.
    """
    # Keras rounds the betas to float32 here. The difference is 7e-6 of the rate, but ReLU and max-pooling turn it into
    # 1e-3 of the loss within twenty steps, and the same start is to give the same numbers.
    rate = lr * math.sqrt(1 - float(np.float32(beta_2)) ** t) / (1 - float(np.float32(beta_1)) ** t)
    table = table_of(weights, "adam", 5 if amsgrad else 4, read=1)
    numbers = np.array([rate, 1 - beta_1, 1 - beta_2, epsilon, lr * weight_decay], table.dtype)
    (_amsgrad if amsgrad else _adam)(table.rows, table.blocks, numbers)


def adagrad(weights: Sequence[tuple[np.ndarray, ...]], lr: float, epsilon: float) -> None:
    """For each (p, g, a): a += g^2; p -= lr * g / sqrt(a + epsilon). Source: Duchi et al., JMLR 12, 2011."""
    table = table_of(weights, "adagrad", 3, read=1)
    _adagrad(table.rows, table.blocks, np.array([lr, epsilon], table.dtype))


def adadelta(weights: Sequence[tuple[np.ndarray, ...]], lr: float, rho: float, epsilon: float) -> None:
    """For each (p, g, a, d):

    a = rho * a + (1-rho) * g^2; u = g * sqrt(d + epsilon) / sqrt(a + epsilon); d = rho * d + (1-rho) * u^2;
    p -= lr * u. Source: Zeiler, arXiv 1212.5701.
    """
    table = table_of(weights, "adadelta", 4, read=1)
    _adadelta(table.rows, table.blocks, np.array([lr, rho, 1 - rho, epsilon], table.dtype))


def adamax(
    weights: Sequence[tuple[np.ndarray, ...]], rate: float, beta_1: float, beta_2: float, epsilon: float
) -> None:
    """For each (p, g, m, u): m += (1-beta_1) * (g - m); u = max(beta_2 * u, |g|); p -= rate * m / (u + epsilon).

    rate = lr / (1 - beta_1^t) in step t, from 1. Source: Kingma and Ba, arXiv 1412.6980, section 7.
    """
    table = table_of(weights, "adamax", 4, read=1)
    _adamax(table.rows, table.blocks, np.array([rate, 1 - beta_1, beta_2, epsilon], table.dtype))


def nadam(
    weights: Sequence[tuple[np.ndarray, ...]],
    rates: tuple[float, float, float],
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> None:
    """For each (p, g, m, v), with rates = (a, b, c) of the step:

    m += (1-beta_1) * (g - m); v += (1-beta_2) * (g^2 - v); p -= (a * m + b * g) / (c * sqrt(v) + epsilon).

    Source: Dozat, Incorporating Nesterov momentum into Adam, 2016.
    """
    table = table_of(weights, "nadam", 4, read=1)
    _nadam(table.rows, table.blocks, np.array([*rates, 1 - beta_1, 1 - beta_2, epsilon], table.dtype))


def lion(weights: Sequence[tuple[np.ndarray, ...]], lr: float, beta_1: float, beta_2: float) -> None:
    """For each (p, g, m): p -= lr * sign(beta_1 * m + (1-beta_1) * g), then m = beta_2 * m + (1-beta_2) * g.

    Source: Chen et al., arXiv 2302.06675.
    """
    table = table_of(weights, "lion", 3, read=1)
    _lion(table.rows, table.blocks, np.array([lr, beta_1, 1 - beta_1, beta_2, 1 - beta_2], table.dtype))


def moving_average(weights: Sequence[tuple[np.ndarray, ...]], momentum: float) -> None:
    """For each (average, p): average += (1 - momentum) * (p - average)."""
    table = table_of(weights, "moving_average", 2, read=1)
    _average(table.rows, table.blocks, np.array([1 - momentum], table.dtype))
