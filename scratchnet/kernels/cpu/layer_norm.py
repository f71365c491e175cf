"""Layer normalization: each row brought to mean 0 and variance 1 by itself, then scaled and shifted by column.

It is group normalization of one group, in examples of one place: there is nothing to put together from blocks, and
`group_norm.py` hands it over. x (R, C), mean and var (R,), gamma and beta (C,). A row is added up in float64.
Source: Ba, Kiros, Hinton, arXiv 1607.06450.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from scratchnet.kernels.cpu.norm import scale_of
from scratchnet.kernels.cpu.runtime.jit import in_order, parallel
from scratchnet.kernels.cpu.runtime.memory import empty
from scratchnet.kernels.cpu.sums import parts_for, sum_of

_ROWS = 64  # of a task


@parallel
def _moments(x, mean, var):
    R, C = x.shape
    for task in prange((R + _ROWS - 1) // _ROWS):
        for r in range(task * _ROWS, min(R, (task + 1) * _ROWS)):
            row, total, square = x[r], 0.0, 0.0
            for c in range(C):
                total += row[c]
            middle = total / C
            for c in range(C):
                square += (row[c] - middle) * (row[c] - middle)
            mean[r], var[r] = middle, square / C


@in_order
def _normalize(x, mean, scale, gamma, beta, y):
    R, C = x.shape
    for task in prange((R + _ROWS - 1) // _ROWS):
        for r in range(task * _ROWS, min(R, (task + 1) * _ROWS)):
            for c in range(C):
                y[r, c] = gamma[c] * ((x[r, c] - mean[r]) * scale[r]) + beta[c]


@parallel
def _input_grad(dy, x, mean, scale, gamma, dx):
    R, C = x.shape
    for task in prange((R + _ROWS - 1) // _ROWS):
        for r in range(task * _ROWS, min(R, (task + 1) * _ROWS)):
            d, row, m, s, total, product = dy[r], x[r], mean[r], scale[r], 0.0, 0.0
            for c in range(C):
                weighted = gamma[c] * d[c]
                total += weighted
                product += weighted * ((row[c] - m) * s)
            total, product = x.dtype.type(total / C), x.dtype.type(product / C)
            for c in range(C):
                dx[r, c] = s * (gamma[c] * d[c] - total - (row[c] - m) * s * product)


@in_order
def _gradient_sums(dy, x, mean, scale, sums, products):
    """Of each part of the rows and each column the sum of dy, and that of dy * (x - mean) * scale."""
    parts, C = sums.shape
    R = len(x)
    for p in prange(parts):
        total, product = sums[p], products[p]
        for c in range(C):
            total[c] = product[c] = 0
        for r in range(p * R // parts, (p + 1) * R // parts):
            for c in range(C):
                total[c] += dy[r, c]
                product[c] += dy[r, c] * ((x[r, c] - mean[r]) * scale[r])


def layer_norm(
    x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, epsilon: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """y = gamma * (x - mean) / sqrt(var + epsilon) + beta; also mean and (biased) var of the rows, (R,)."""
    mean, var = np.empty((2, len(x)), x.dtype)
    _moments(x, mean, var)
    y = empty(x.shape, x.dtype)
    _normalize(x, mean, scale_of(var, epsilon, x.dtype), gamma, beta, y)
    return y, mean, var


def layer_norm_backward(
    dy: np.ndarray, x: np.ndarray, gamma: np.ndarray, mean: np.ndarray, var: np.ndarray, epsilon: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(dx, dgamma, dbeta), mean and var from `layer_norm`."""
    scale = scale_of(var, epsilon, x.dtype)
    dx, sums, products = empty(x.shape, x.dtype), parts_for(x), parts_for(x)
    _input_grad(dy, x, mean, scale, gamma, dx)
    _gradient_sums(dy, x, mean, scale, sums, products)
    return dx, sum_of(products), sum_of(sums)
