"""Batch normalization: each channel brought to mean 0 and variance 1 over the batch, then scaled and shifted.

x has its channels last, (..., C); mean, var, gamma, beta are (C,). Source: Ioffe and Szegedy, arXiv 1502.03167.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from scratchnet.kernels.cpu.runtime.contract import takes
from scratchnet.kernels.cpu.runtime.jit import in_order, parallel, serial
from scratchnet.kernels.cpu.runtime.memory import empty
from scratchnet.kernels.cpu.sums import as_flat, as_rows, parts_for, sum_of

_ROWS = 64  # rows a task in the passes without a sum


@parallel
def _moments(x, means, squares):
    """Of each part of the rows the mean, and the sum of squares about it: the second loop finds x in the cache."""
    parts, C = means.shape
    R = len(x)
    for p in prange(parts):
        begin, end = p * R // parts, (p + 1) * R // parts
        mean, square = means[p], squares[p]
        for c in range(C):
            mean[c] = square[c] = 0
        for r in range(begin, end):
            for c in range(C):
                mean[c] += x[r, c]
        for c in range(C):
            mean[c] /= end - begin
        for r in range(begin, end):
            for c in range(C):
                square[c] += (x[r, c] - mean[c]) * (x[r, c] - mean[c])


@serial
def _put_together(means, squares, R, largest, mean, var):
    """Mean and variance of all R rows from those of their parts; returns whether none is above `largest`, or NaN."""
    parts, C = means.shape
    for p in range(parts):
        rows = (p + 1) * R // parts - p * R // parts
        for c in range(C):
            mean[c] += rows * means[p, c]
    for c in range(C):
        mean[c] /= R
    for p in range(parts):
        rows = (p + 1) * R // parts - p * R // parts
        for c in range(C):
            var[c] += squares[p, c] + rows * (means[p, c] - mean[c]) * (means[p, c] - mean[c])
    fits = True
    for c in range(C):
        var[c] /= R
        fits = fits and abs(mean[c]) <= largest and var[c] <= largest
    return fits


# In what follows a result y of at most `low` is where ReLU stops the gradient: 0, or minus infinity without ReLU.


@in_order
def _normalize(x, mean, scale, gamma, beta, low, y):
    R, C = x.shape
    for task in prange((R + _ROWS - 1) // _ROWS):
        for r in range(task * _ROWS, min(R, (task + 1) * _ROWS)):
            for c in range(C):
                value = gamma[c] * ((x[r, c] - mean[c]) * scale[c]) + beta[c]
                y[r, c] = low if value < low else value  # NaN is not below and stays


@parallel
def _gradient_sums(dy, x, mean, scale, gamma, beta, low, sums, products):
    parts, C = sums.shape
    R, zero = len(x), x.dtype.type(0)
    for p in prange(parts):
        total, product = sums[p], products[p]
        for c in range(C):
            total[c] = product[c] = 0
        for r in range(p * R // parts, (p + 1) * R // parts):
            for c in range(C):
                normal = (x[r, c] - mean[c]) * scale[c]
                d = zero if gamma[c] * normal + beta[c] <= low else dy[r, c]
                total[c] += d
                product[c] += d * normal


@in_order
def _input_grad(dy, x, mean, scale, gamma, beta, low, dy_mean, product_mean, dx):
    (R, C), zero = x.shape, x.dtype.type(0)
    for task in prange((R + _ROWS - 1) // _ROWS):
        for r in range(task * _ROWS, min(R, (task + 1) * _ROWS)):
            for c in range(C):
                normal = (x[r, c] - mean[c]) * scale[c]
                d = zero if gamma[c] * normal + beta[c] <= low else dy[r, c]
                dx[r, c] = gamma[c] * scale[c] * (d - dy_mean[c] - normal * product_mean[c])


def scale_of(var: np.ndarray, epsilon: float, dtype: np.dtype) -> np.ndarray:
    """1 / sqrt(var + epsilon), worked out in float64 and rounded once."""
    return (1 / np.sqrt(var.astype(np.float64) + epsilon)).astype(dtype)


def _low(relu: bool, dtype: np.dtype) -> np.floating:
    """Where ReLU cuts off, if at all."""
    return dtype.type(0 if relu else -np.inf)


@takes(x="... C", gamma="C", beta="C")
def batch_norm(
    x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, epsilon: float, relu: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """y = gamma * (x - mean) / sqrt(var + epsilon) + beta over the batch; also mean and (biased) var, each (C,).

    With relu, y = max(y, 0). The variance is summed from squares about the means of parts of the batch, which are then
    put together (Chan et al., 1983): mean(x^2) - mean^2 loses its digits where |mean| >> std. A variance that float32
    cannot hold, above 3e38, is returned as float64.
    """
    rows = as_rows(x)
    means, squares = parts_for(rows), parts_for(rows)
    _moments(rows, means, squares)
    mean, var = np.zeros((2, rows.shape[1]))  # float64: sums over parts are to lose nothing
    if _put_together(means, squares, len(rows), np.finfo(x.dtype).max, mean, var) or x.dtype == np.float64:
        mean, var = mean.astype(x.dtype), var.astype(x.dtype)
    else:  # squares above 3e38: once more, in float64
        means, squares = means.astype(np.float64), squares.astype(np.float64)
        _moments(rows, means, squares)
        mean, var = np.zeros((2, rows.shape[1]))
        _put_together(means, squares, len(rows), np.inf, mean, var)
        mean = mean.astype(x.dtype)
    return batch_norm_inference(x, gamma, beta, mean, var, epsilon, relu), mean, var


@takes(x="... C", gamma="C", beta="C", mean="C", var="C, or float64")
def batch_norm_inference(
    x: np.ndarray,
    gamma: np.ndarray,
    beta: np.ndarray,
    mean: np.ndarray,
    var: np.ndarray,
    epsilon: float,
    relu: bool = False,
) -> np.ndarray:
    """y = gamma * (x - mean) / sqrt(var + epsilon) + beta with a mean and a variance from elsewhere.

    With relu, y = max(y, 0).
    """
    y = empty(x.shape, x.dtype)
    channels = as_flat(mean), scale_of(var, epsilon, x.dtype), as_flat(gamma), as_flat(beta)
    _normalize(as_rows(x), *channels, _low(relu, x.dtype), as_rows(y))
    return y


@takes(dy="... C", x="... C", gamma="C", mean="C", var="C, or float64", relu_beta="C, or None")
def batch_norm_backward(
    dy: np.ndarray,
    x: np.ndarray,
    gamma: np.ndarray,
    mean: np.ndarray,
    var: np.ndarray,
    epsilon: float,
    relu_beta: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(dx, dgamma, dbeta) where mean and var are the batch's own, so that x moves them too.

    With n = (x - mean) / sqrt(var + epsilon): dbeta = sum dy, dgamma = sum dy * n,
    dx = gamma / sqrt(var + epsilon) * (dy - mean(dy) - n * mean(dy * n)).
    Where y went through ReLU, relu_beta is the forward's beta, and dy counts as 0 where y <= 0.
    """
    return _backward(dy, x, gamma, mean, var, epsilon, relu_beta, through_statistics=True)


@takes(dy="... C", x="... C", gamma="C", mean="C", var="C, or float64", relu_beta="C, or None")
def batch_norm_inference_backward(
    dy: np.ndarray,
    x: np.ndarray,
    gamma: np.ndarray,
    mean: np.ndarray,
    var: np.ndarray,
    epsilon: float,
    relu_beta: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(dx, dgamma, dbeta) where mean and var are constants: dx = gamma / sqrt(var + epsilon) * dy.

    relu_beta as for `batch_norm_backward`.
    """
    return _backward(dy, x, gamma, mean, var, epsilon, relu_beta, through_statistics=False)


def _backward(dy, x, gamma, mean, var, epsilon, relu_beta, through_statistics):
    rows, d_rows = as_rows(x), as_rows(dy)
    relu = relu_beta is not None
    beta = as_flat(relu_beta) if relu else np.zeros(len(gamma), x.dtype)
    forward = as_flat(mean), scale_of(var, epsilon, x.dtype), as_flat(gamma), beta, _low(relu, x.dtype)
    sums, products = parts_for(rows), parts_for(rows)
    _gradient_sums(d_rows, rows, *forward, sums, products)
    dbeta, dgamma = sum_of(sums), sum_of(products)
    count = x.dtype.type(len(rows))
    if through_statistics:
        dy_mean, product_mean = dbeta / count, dgamma / count
    else:
        dy_mean = product_mean = np.zeros_like(dbeta)
    dx = empty(x.shape, x.dtype)
    _input_grad(d_rows, rows, *forward, dy_mean, product_mean, as_rows(dx))
    return dx, dgamma, dbeta
