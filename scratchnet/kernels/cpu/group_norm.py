"""Group normalization: each example's groups of channels brought to mean 0 and variance 1, then scaled and shifted.

x has its channels last, (N, ..., C): N examples of S places. A group is D = C / groups neighbouring channels of one
example, M = S * D elements; mean and var are (N, groups), gamma and beta (C,). Source: Wu and He, arXiv 1803.08494.

All passes run along the channels, which lie side by side, so that vectors are full however small a group is. They share
out blocks of _ROWS places; sums over a block are in the dtype of x, those over blocks and over groups in float64. Where
an example has one place and one group, `layer_norm.py` computes instead.
"""

from __future__ import annotations

import math

import numpy as np
from numba import prange

from scratchnet.kernels.cpu.layer_norm import layer_norm, layer_norm_backward
from scratchnet.kernels.cpu.norm import scale_of
from scratchnet.kernels.cpu.runtime.contract import takes
from scratchnet.kernels.cpu.runtime.jit import in_order
from scratchnet.kernels.cpu.runtime.memory import empty
from scratchnet.kernels.cpu.sums import as_flat, as_rows

_ROWS = 64  # places of a block: few enough for a sum in float32, and for x to stay in the cache until its second loop


@in_order
def _moments(x, S, means, squares):
    """Of each block and channel the mean, and the sum of squares about it: the second loop finds x in the cache."""
    N, B, C = means.shape
    for task in prange(N * B):
        n, b = task // B, task % B
        begin, end = n * S + b * _ROWS, n * S + min(S, (b + 1) * _ROWS)
        mean, square = means[n, b], squares[n, b]
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


@in_order
def _put_together(means, squares, S, center, square, mean, var):
    """Mean and sum of squares of each example's channels from those of its blocks; of these, its groups' mean, var."""
    (N, B, C), G = means.shape, mean.shape[1]
    D = C // G
    for n in prange(N):
        for c in range(C):
            center[n, c] = square[n, c] = 0
        for b in range(B):
            rows = min(S, (b + 1) * _ROWS) - b * _ROWS
            for c in range(C):
                center[n, c] += rows * means[n, b, c]
        for c in range(C):
            center[n, c] /= S
        for b in range(B):
            rows = min(S, (b + 1) * _ROWS) - b * _ROWS
            for c in range(C):
                away = means[n, b, c] - center[n, c]
                square[n, c] += squares[n, b, c] + rows * away * away
        for g in range(G):
            middle = total = 0.0
            for c in range(g * D, (g + 1) * D):
                middle += center[n, c]
            middle /= D
            for c in range(g * D, (g + 1) * D):
                total += square[n, c] + S * (center[n, c] - middle) * (center[n, c] - middle)
            mean[n, g], var[n, g] = middle, total / (S * D)


# In what follows mean and scale = 1 / sqrt(var + epsilon) are those of a channel's group: (N, C).


@in_order
def _normalize(x, S, mean, scale, gamma, beta, y):
    N, C = mean.shape
    B = (S + _ROWS - 1) // _ROWS
    for task in prange(N * B):
        n, b = task // B, task % B
        m, s = mean[n], scale[n]
        for r in range(n * S + b * _ROWS, n * S + min(S, (b + 1) * _ROWS)):
            for c in range(C):
                y[r, c] = gamma[c] * ((x[r, c] - m[c]) * s[c]) + beta[c]


@in_order
def _gradient_sums(dy, x, S, mean, scale, sums, products):
    """Of each block and channel the sum of dy, and that of dy * (x - mean) * scale."""
    N, B, C = sums.shape
    for task in prange(N * B):
        n, b = task // B, task % B
        m, s, total, product = mean[n], scale[n], sums[n, b], products[n, b]
        for c in range(C):
            total[c] = product[c] = 0
        for r in range(n * S + b * _ROWS, n * S + min(S, (b + 1) * _ROWS)):
            for c in range(C):
                total[c] += dy[r, c]
                product[c] += dy[r, c] * ((x[r, c] - m[c]) * s[c])


@in_order
def _add_blocks(blocks, S, gamma, total, mean):
    """The sum over the blocks, channel by channel; and gamma times it as the mean over a group's elements."""
    (N, B, C), G = blocks.shape, mean.shape[1]
    D = C // G
    for n in prange(N):
        for c in range(C):
            total[n, c] = 0
        for b in range(B):
            for c in range(C):
                total[n, c] += blocks[n, b, c]
        for g in range(G):
            weighted = 0.0
            for c in range(g * D, (g + 1) * D):
                weighted += gamma[c] * total[n, c]
            mean[n, g] = weighted / (S * D)


@in_order
def _input_grad(dy, x, S, mean, scale, gamma, dy_mean, product_mean, dx):
    N, C = mean.shape
    B = (S + _ROWS - 1) // _ROWS
    for task in prange(N * B):
        n, b = task // B, task % B
        m, s, d, p = mean[n], scale[n], dy_mean[n], product_mean[n]
        for r in range(n * S + b * _ROWS, n * S + min(S, (b + 1) * _ROWS)):
            for c in range(C):
                normal = (x[r, c] - m[c]) * s[c]
                dx[r, c] = s[c] * (gamma[c] * dy[r, c] - d[c] - normal * p[c])


def _sizes(x: np.ndarray) -> tuple[int, int, int]:
    """(N, S, C): examples, places of an example, channels of a place."""
    return len(x), math.prod(x.shape[1:-1]), x.shape[-1]


def _blocks(x: np.ndarray) -> np.ndarray:
    """An array for the sums over blocks: (N, blocks, C)."""
    N, S, C = _sizes(x)
    return empty((N, (S + _ROWS - 1) // _ROWS, C), x.dtype)


def _of_channels(of_groups: np.ndarray, C: int) -> np.ndarray:
    """What each group has, (N, groups), given to each of its channels: (N, C)."""
    return of_groups.repeat(C // of_groups.shape[1], axis=1)


def _check_groups(groups: int, C: int, caller: str) -> None:
    if not isinstance(groups, (int, np.integer)) or not 1 <= groups <= C or C % groups:
        raise ValueError(f"{caller}: expected groups that divide the {C} channels, got {groups!r}.")


@takes(x="... C", gamma="C", beta="C")
def group_norm(
    x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, groups: int, epsilon: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """y = gamma * (x - mean) / sqrt(var + epsilon) + beta; also mean and (biased) var of the groups, (N, groups).

    The variance is put together from squares about the means of blocks, then of channels (Chan et al., 1983):
    mean(x^2) - mean^2 loses its digits where |mean| >> std.
    """
    rows, (N, S, C) = as_rows(x), _sizes(x)
    _check_groups(groups, C, "group_norm")
    if groups == S == 1:
        y, mean, var = layer_norm(rows, as_flat(gamma), as_flat(beta), epsilon)
        return y.reshape(x.shape), mean[:, None], var[:, None]
    means, squares = _blocks(x), _blocks(x)
    _moments(rows, S, means, squares)
    mean, var = np.empty((2, N, groups), x.dtype)
    _put_together(means, squares, S, *empty((2, N, C), np.float64), mean, var)
    y = empty(x.shape, x.dtype)
    own = _of_channels(mean, C), _of_channels(scale_of(var, epsilon, x.dtype), C)
    _normalize(rows, S, *own, as_flat(gamma), as_flat(beta), as_rows(y))
    return y, mean, var


@takes(dy="... C", x="... C", gamma="C", mean="M G", var="M G")
def group_norm_backward(
    dy: np.ndarray,
    x: np.ndarray,
    gamma: np.ndarray,
    mean: np.ndarray,
    var: np.ndarray,
    groups: int,
    epsilon: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(dx, dgamma, dbeta), mean and var from `group_norm`.

    With u = (x - mean) / sqrt(var + epsilon): dbeta = sum dy, dgamma = sum dy * u, and with means over each group
    dx = (gamma * dy - mean(gamma * dy) - u * mean(gamma * dy * u)) / sqrt(var + epsilon).
    """
    rows, d_rows, (N, S, C), gamma = as_rows(x), as_rows(dy), _sizes(x), as_flat(gamma)
    _check_groups(groups, C, "group_norm_backward")
    if mean.shape != (N, groups):
        raise ValueError(f"group_norm_backward: expected mean and var of shape {(N, groups)}, got {mean.shape}.")
    if groups == S == 1:
        dx, dgamma, dbeta = layer_norm_backward(d_rows, rows, gamma, as_flat(mean), as_flat(var), epsilon)
        return dx.reshape(x.shape), dgamma, dbeta
    own = _of_channels(mean, C), _of_channels(scale_of(var, epsilon, x.dtype), C)
    sums, products = _blocks(x), _blocks(x)
    _gradient_sums(d_rows, rows, S, *own, sums, products)
    total, product = empty((2, N, C), np.float64)
    dy_mean, product_mean = np.empty((2, N, groups), x.dtype)
    _add_blocks(sums, S, gamma, total, dy_mean)
    _add_blocks(products, S, gamma, product, product_mean)
    dx = empty(x.shape, x.dtype)
    _input_grad(d_rows, rows, S, *own, gamma, _of_channels(dy_mean, C), _of_channels(product_mean, C), as_rows(dx))
    return dx, product.sum(axis=0).astype(x.dtype), total.sum(axis=0).astype(x.dtype)
