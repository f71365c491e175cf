"""Batch normalization: each channel brought to mean 0 and variance 1 over the batch, then scaled and shifted.

x has its channels last, (..., C); mean, var, gamma, beta are (C,). Source: Ioffe and Szegedy, arXiv 1502.03167.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from scratchnet.kernels.cpu.jit import parallel
from scratchnet.kernels.cpu.memory import empty
from scratchnet.kernels.cpu.sums import as_flat, as_rows, column_sums, parts_for, sum_of

_ROWS = 64  # rows a task in the passes without a sum


@parallel
def _square_sums(x, mean, partial):
    parts, C = partial.shape
    R = len(x)
    for p in prange(parts):
        for c in range(C):
            partial[p, c] = 0
        for r in range(p * R // parts, (p + 1) * R // parts):
            for c in range(C):
                partial[p, c] += (x[r, c] - mean[c]) * (x[r, c] - mean[c])


@parallel
def _product_sums(dy, x, mean, scale, partial):
    parts, C = partial.shape
    R = len(x)
    for p in prange(parts):
        for c in range(C):
            partial[p, c] = 0
        for r in range(p * R // parts, (p + 1) * R // parts):
            for c in range(C):
                partial[p, c] += dy[r, c] * ((x[r, c] - mean[c]) * scale[c])


@parallel
def _normalize(x, mean, scale, gamma, beta, y):
    R, C = x.shape
    for task in prange((R + _ROWS - 1) // _ROWS):
        for r in range(task * _ROWS, min(R, (task + 1) * _ROWS)):
            for c in range(C):
                y[r, c] = gamma[c] * ((x[r, c] - mean[c]) * scale[c]) + beta[c]


@parallel
def _input_grad(dy, x, mean, scale, gamma, dy_mean, product_mean, dx):
    R, C = x.shape
    for task in prange((R + _ROWS - 1) // _ROWS):
        for r in range(task * _ROWS, min(R, (task + 1) * _ROWS)):
            for c in range(C):
                normal = (x[r, c] - mean[c]) * scale[c]
                dx[r, c] = gamma[c] * scale[c] * (dy[r, c] - dy_mean[c] - normal * product_mean[c])


def _scale(var: np.ndarray, epsilon: float) -> np.ndarray:
    """1 / sqrt(var + epsilon), worked out in float64 and rounded once."""
    return (1 / np.sqrt(var.astype(np.float64) + epsilon)).astype(var.dtype)


def batch_norm(
    x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, epsilon: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """y = gamma * (x - mean) / sqrt(var + epsilon) + beta over the batch; also mean and (biased) var, each (C,).

    The variance is summed from x - mean in a second pass: mean(x^2) - mean^2 loses its digits where |mean| >> std.
    """
    rows = as_rows(x)
    mean = column_sums(rows) / x.dtype.type(len(rows))
    partial = parts_for(rows)
    _square_sums(rows, mean, partial)
    var = sum_of(partial) / x.dtype.type(len(rows))
    return batch_norm_inference(x, gamma, beta, mean, var, epsilon), mean, var


def batch_norm_inference(
    x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, mean: np.ndarray, var: np.ndarray, epsilon: float
) -> np.ndarray:
    """y = gamma * (x - mean) / sqrt(var + epsilon) + beta with a mean and a variance from elsewhere."""
    y = empty(x.shape, x.dtype)
    _normalize(as_rows(x), as_flat(mean), _scale(var, epsilon), as_flat(gamma), as_flat(beta), as_rows(y))
    return y


def batch_norm_backward(
    x: np.ndarray, gamma: np.ndarray, mean: np.ndarray, var: np.ndarray, dy: np.ndarray, epsilon: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(dx, dgamma, dbeta) where mean and var are the batch's own, so that x moves them too.

    With n = (x - mean) / sqrt(var + epsilon): dbeta = sum dy, dgamma = sum dy * n,
    dx = gamma / sqrt(var + epsilon) * (dy - mean(dy) - n * mean(dy * n)).
    """
    return _backward(x, gamma, mean, var, dy, epsilon, through_statistics=True)


def batch_norm_inference_backward(
    x: np.ndarray, gamma: np.ndarray, mean: np.ndarray, var: np.ndarray, dy: np.ndarray, epsilon: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(dx, dgamma, dbeta) where mean and var are constants: dx = gamma / sqrt(var + epsilon) * dy."""
    return _backward(x, gamma, mean, var, dy, epsilon, through_statistics=False)


def _backward(x, gamma, mean, var, dy, epsilon, through_statistics):
    rows, d_rows, scale = as_rows(x), as_rows(dy), _scale(var, epsilon)
    partial = parts_for(rows)
    _product_sums(d_rows, rows, as_flat(mean), scale, partial)
    dgamma, dbeta = sum_of(partial), column_sums(d_rows)
    count = x.dtype.type(len(rows))
    if through_statistics:
        dy_mean, product_mean = dbeta / count, dgamma / count
    else:
        dy_mean = product_mean = np.zeros_like(dbeta)
    dx = empty(x.shape, x.dtype)
    _input_grad(d_rows, rows, as_flat(mean), scale, as_flat(gamma), dy_mean, product_mean, as_rows(dx))
    return dx, dgamma, dbeta
