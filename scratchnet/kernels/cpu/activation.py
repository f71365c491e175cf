"""Activations and their gradients, elementwise but for softmax. NaN in, NaN out.

A backward takes dy and whatever makes its formula simplest: the input x, or the output y.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from scratchnet.kernels.cpu.exponential import exp_of, sigmoid_of, tanh_of
from scratchnet.kernels.cpu.runtime.contract import takes
from scratchnet.kernels.cpu.runtime.jit import BLOCK, in_order, parallel
from scratchnet.kernels.cpu.runtime.memory import empty
from scratchnet.kernels.cpu.sums import as_flat, as_rows


@parallel
def _relu(x, slope, threshold, limit, y):
    for block in prange((len(x) + BLOCK - 1) // BLOCK):
        a, out = x[block * BLOCK : (block + 1) * BLOCK], y[block * BLOCK : (block + 1) * BLOCK]
        for e in range(len(a)):
            low = slope * (a[e] - threshold) if slope != 0 else slope  # no 0 * inf
            middle = low if a[e] < threshold else a[e]  # NaN is not below the threshold and passes
            out[e] = limit if middle > limit else middle


@parallel
def _relu_backward(dy, x, slope, threshold, limit, dx):
    for block in prange((len(x) + BLOCK - 1) // BLOCK):
        d, a = dy[block * BLOCK : (block + 1) * BLOCK], x[block * BLOCK : (block + 1) * BLOCK]
        out = dx[block * BLOCK : (block + 1) * BLOCK]
        for e in range(len(a)):
            low = slope * d[e] if slope != 0 else slope
            middle = low if a[e] <= threshold else d[e]
            out[e] = 0 if a[e] > limit else middle


@in_order
def _sigmoid(x, y):
    for block in prange((len(x) + BLOCK - 1) // BLOCK):
        a, out = x[block * BLOCK : (block + 1) * BLOCK], y[block * BLOCK : (block + 1) * BLOCK]
        for e in range(len(a)):
            out[e] = sigmoid_of(a[e])


@in_order
def _tanh(x, y):
    for block in prange((len(x) + BLOCK - 1) // BLOCK):
        a, out = x[block * BLOCK : (block + 1) * BLOCK], y[block * BLOCK : (block + 1) * BLOCK]
        for e in range(len(a)):
            out[e] = tanh_of(a[e])


@in_order
def _silu(x, y):
    for block in prange((len(x) + BLOCK - 1) // BLOCK):
        a, out = x[block * BLOCK : (block + 1) * BLOCK], y[block * BLOCK : (block + 1) * BLOCK]
        for e in range(len(a)):
            out[e] = a[e] * sigmoid_of(a[e])


@in_order
def _silu_backward(dy, x, dx):
    for block in prange((len(x) + BLOCK - 1) // BLOCK):
        d, a = dy[block * BLOCK : (block + 1) * BLOCK], x[block * BLOCK : (block + 1) * BLOCK]
        out = dx[block * BLOCK : (block + 1) * BLOCK]
        for e in range(len(a)):
            s = sigmoid_of(a[e])
            out[e] = d[e] * (s + a[e] * s * (1 - s))


@parallel
def _sigmoid_backward(dy, y, dx):
    for block in prange((len(y) + BLOCK - 1) // BLOCK):
        d, b = dy[block * BLOCK : (block + 1) * BLOCK], y[block * BLOCK : (block + 1) * BLOCK]
        out = dx[block * BLOCK : (block + 1) * BLOCK]
        for e in range(len(b)):
            out[e] = d[e] * b[e] * (1 - b[e])


@parallel
def _tanh_backward(dy, y, dx):
    for block in prange((len(y) + BLOCK - 1) // BLOCK):
        d, b = dy[block * BLOCK : (block + 1) * BLOCK], y[block * BLOCK : (block + 1) * BLOCK]
        out = dx[block * BLOCK : (block + 1) * BLOCK]
        for e in range(len(b)):
            out[e] = d[e] * (1 - b[e] * b[e])


@in_order
def _softmax(x, y):
    R, K = x.shape
    for r in prange(R):
        most = x[r, 0]
        for k in range(1, K):
            most = max(most, x[r, k])
        total = x.dtype.type(0)
        for k in range(K):
            y[r, k] = exp_of(x[r, k] - most)
            total += y[r, k]
        for k in range(K):
            y[r, k] /= total


@parallel
def _softmax_backward(dy, y, dx):
    R, K = y.shape
    for r in prange(R):
        inner = y[r, 0] * 0
        for k in range(K):
            inner += dy[r, k] * y[r, k]
        for k in range(K):
            dx[r, k] = y[r, k] * (dy[r, k] - inner)


@takes(x="...")
def relu(x: np.ndarray, negative_slope: float = 0.0, threshold: float = 0.0, max_value: float = np.inf) -> np.ndarray:
    """y = max(x, 0), and by its settings the leaky ReLU and the one that is cut off above.

    In full: y = max_value where x > max_value, x where threshold <= x, else negative_slope * (x - threshold).
    """
    y, number = empty(x.shape, x.dtype), x.dtype.type
    _relu(as_flat(x), number(negative_slope), number(threshold), number(max_value), y.reshape(-1))
    return y


@takes(dy="...", x="...")
def relu_backward(
    dy: np.ndarray, x: np.ndarray, negative_slope: float = 0.0, threshold: float = 0.0, max_value: float = np.inf
) -> np.ndarray:
    """dx = dy where x > 0, else 0; at the kink, x = 0, the derivative is taken as that of the left side.

    In full: dx = 0 where x > max_value, dy where x > threshold, else negative_slope * dy.
    """
    dx, number = empty(x.shape, x.dtype), x.dtype.type
    _relu_backward(
        as_flat(dy), as_flat(x), number(negative_slope), number(threshold), number(max_value), dx.reshape(-1)
    )
    return dx


def unary(kernel, x: np.ndarray, *settings) -> np.ndarray:
    """y, which the kernel fills from x, elementwise."""
    y = empty(x.shape, x.dtype)
    kernel(as_flat(x), *settings, y.reshape(-1))
    return y


def binary(kernel, dy: np.ndarray, a: np.ndarray, *settings) -> np.ndarray:
    """dx, which the kernel fills from dy and a, the input or the output, elementwise."""
    dx = empty(a.shape, a.dtype)
    kernel(as_flat(dy), as_flat(a), *settings, dx.reshape(-1))
    return dx


@takes(x="...")
def sigmoid(x: np.ndarray) -> np.ndarray:
    """y = 1 / (1 + exp(-x))."""
    return unary(_sigmoid, x)


@takes(dy="...", y="...")
def sigmoid_backward(dy: np.ndarray, y: np.ndarray) -> np.ndarray:
    """dx = dy * y * (1 - y), from the output y."""
    return binary(_sigmoid_backward, dy, y)


@takes(x="...")
def tanh(x: np.ndarray) -> np.ndarray:
    """y = (exp(x) - exp(-x)) / (exp(x) + exp(-x))."""
    return unary(_tanh, x)


@takes(dy="...", y="...")
def tanh_backward(dy: np.ndarray, y: np.ndarray) -> np.ndarray:
    """dx = dy * (1 - y^2), from the output y."""
    return binary(_tanh_backward, dy, y)


@takes(x="...")
def silu(x: np.ndarray) -> np.ndarray:
    """y = x * sigmoid(x), also called swish."""
    return unary(_silu, x)


@takes(dy="...", x="...")
def silu_backward(dy: np.ndarray, x: np.ndarray) -> np.ndarray:
    """dx = dy * (s + x * s * (1 - s)) with s = sigmoid(x), from the input x."""
    return binary(_silu_backward, dy, x)


@takes(x="... K")
def softmax(x: np.ndarray) -> np.ndarray:
    """y[.., k] = exp(x[.., k]) / sum over j of exp(x[.., j]), along the last axis; shifted by the maximum first.

    A score of -inf gets 0. A row of nothing but -inf has no maximum to shift by, and gives NaN.
    """
    y = empty(x.shape, x.dtype)
    _softmax(as_rows(x), as_rows(y))
    return y


@takes(dy="... K", y="... K")
def softmax_backward(dy: np.ndarray, y: np.ndarray) -> np.ndarray:
    """dx[.., k] = y[.., k] * (dy[.., k] - sum over j of dy[.., j] * y[.., j]), from the output y."""
    dx = empty(y.shape, y.dtype)
    _softmax_backward(as_rows(dy), as_rows(y), as_rows(dx))
    return dx
