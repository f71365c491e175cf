"""Linear units beside ReLU, bent or hard, and their gradients. NaN in, NaN out."""

from __future__ import annotations

import math

import numpy as np
from numba import prange

from scratchnet.kernels.cpu.activation import binary, unary
from scratchnet.kernels.cpu.exponential import exp_of, expm1_of, log1p_of, sigmoid_of
from scratchnet.kernels.cpu.normal import normal_of
from scratchnet.kernels.cpu.runtime.contract import takes
from scratchnet.kernels.cpu.runtime.jit import BLOCK, in_order, inlined_in_order, parallel
from scratchnet.kernels.cpu.runtime.memory import empty
from scratchnet.kernels.cpu.sums import as_rows

_ROOT_2_PER_PI, _CUBIC = math.sqrt(2 / math.pi), 0.044715  # of the approximate GELU


@in_order
def _elu(x, alpha, scale, per_width, y):
    for block in prange((len(x) + BLOCK - 1) // BLOCK):
        a, out = x[block * BLOCK : (block + 1) * BLOCK], y[block * BLOCK : (block + 1) * BLOCK]
        for e in range(len(a)):
            low = alpha * expm1_of(0 if a[e] > 0 else a[e] * per_width)
            out[e] = scale * (a[e] if a[e] > 0 else low)


@in_order
def _elu_backward(dy, x, alpha, scale, per_width, dx):
    for block in prange((len(x) + BLOCK - 1) // BLOCK):
        d, a = dy[block * BLOCK : (block + 1) * BLOCK], x[block * BLOCK : (block + 1) * BLOCK]
        out = dx[block * BLOCK : (block + 1) * BLOCK]
        for e in range(len(a)):
            low = alpha * per_width * exp_of(0 if a[e] > 0 else a[e] * per_width)
            left = low if a[e] != 0 else min(low, 1.0)
            out[e] = d[e] * scale * (1 if a[e] > 0 else left)


@in_order
def _softplus(x, y):
    for block in prange((len(x) + BLOCK - 1) // BLOCK):
        a, out = x[block * BLOCK : (block + 1) * BLOCK], y[block * BLOCK : (block + 1) * BLOCK]
        for e in range(len(a)):
            out[e] = (a[e] if a[e] > 0 else 0) + log1p_of(exp_of(-abs(a[e])))


@in_order
def _softplus_backward(dy, x, dx):
    for block in prange((len(x) + BLOCK - 1) // BLOCK):
        d, a = dy[block * BLOCK : (block + 1) * BLOCK], x[block * BLOCK : (block + 1) * BLOCK]
        out = dx[block * BLOCK : (block + 1) * BLOCK]
        for e in range(len(a)):
            out[e] = d[e] * sigmoid_of(a[e])


@in_order
def _gelu(x, y):
    for block in prange((len(x) + BLOCK - 1) // BLOCK):
        a, out = x[block * BLOCK : (block + 1) * BLOCK], y[block * BLOCK : (block + 1) * BLOCK]
        for e in range(len(a)):
            below, _ = normal_of(a[e])
            out[e] = a[e] * below


@in_order
def _gelu_backward(dy, x, dx):
    for block in prange((len(x) + BLOCK - 1) // BLOCK):
        d, a = dy[block * BLOCK : (block + 1) * BLOCK], x[block * BLOCK : (block + 1) * BLOCK]
        out = dx[block * BLOCK : (block + 1) * BLOCK]
        for e in range(len(a)):
            below, density = normal_of(a[e])
            out[e] = d[e] * (below + a[e] * density)


@inlined_in_order
def _approximate_normal_of(x):
    """(P(x), p(x)) of the approximate GELU: (1 + tanh(u)) / 2 is s, the sigmoid of 2 * u, with the slope s * (1 - s).

    From |x| = 100 on s is 0 or 1, and x counts as 100: its cube cannot overflow.
    """
    v = min(max(np.float64(x), -100.0), 100.0) if x == x else np.float64(x)
    s = sigmoid_of(2 * _ROOT_2_PER_PI * (v + _CUBIC * v * v * v))
    return s, s * (1 - s) * 2 * _ROOT_2_PER_PI * (1 + 3 * _CUBIC * v * v)


@in_order
def _approximate_gelu(x, y):
    for block in prange((len(x) + BLOCK - 1) // BLOCK):
        a, out = x[block * BLOCK : (block + 1) * BLOCK], y[block * BLOCK : (block + 1) * BLOCK]
        for e in range(len(a)):
            below, _ = _approximate_normal_of(a[e])
            out[e] = a[e] * below


@in_order
def _approximate_gelu_backward(dy, x, dx):
    for block in prange((len(x) + BLOCK - 1) // BLOCK):
        d, a = dy[block * BLOCK : (block + 1) * BLOCK], x[block * BLOCK : (block + 1) * BLOCK]
        out = dx[block * BLOCK : (block + 1) * BLOCK]
        for e in range(len(a)):
            below, density = _approximate_normal_of(a[e])
            out[e] = d[e] * (below + a[e] * density)


@inlined_in_order
def _bend_of(x):
    """(t, 1 - t) for t = tanh(log(1 + exp(x))) = n / (n + 2), n = exp(x) * (exp(x) + 2).

    For x > 0, both sides of the fraction are divided by exp(2 * x), which would overflow.
    """
    e = exp_of(-abs(x))
    n, two = (1 + 2 * e, 2 * e * e) if x > 0 else (e * (e + 2), 2.0)
    return n / (n + two), two / (n + two)


@in_order
def _mish(x, y):
    for block in prange((len(x) + BLOCK - 1) // BLOCK):
        a, out = x[block * BLOCK : (block + 1) * BLOCK], y[block * BLOCK : (block + 1) * BLOCK]
        for e in range(len(a)):
            t, _ = _bend_of(a[e])
            out[e] = a[e] * t


@in_order
def _mish_backward(dy, x, dx):
    for block in prange((len(x) + BLOCK - 1) // BLOCK):
        d, a = dy[block * BLOCK : (block + 1) * BLOCK], x[block * BLOCK : (block + 1) * BLOCK]
        out = dx[block * BLOCK : (block + 1) * BLOCK]
        for e in range(len(a)):
            t, rest = _bend_of(a[e])
            out[e] = d[e] * (t + a[e] * (rest * (1 + t)) * sigmoid_of(a[e]))


@in_order
def _hard_sigmoid(x, y):
    for block in prange((len(x) + BLOCK - 1) // BLOCK):
        a, out = x[block * BLOCK : (block + 1) * BLOCK], y[block * BLOCK : (block + 1) * BLOCK]
        for e in range(len(a)):
            middle = a[e] / 6 + 0.5
            out[e] = 0 if a[e] <= -3 else (1 if a[e] >= 3 else middle)


@in_order
def _hard_sigmoid_backward(dy, x, dx):
    for block in prange((len(x) + BLOCK - 1) // BLOCK):
        d, a = dy[block * BLOCK : (block + 1) * BLOCK], x[block * BLOCK : (block + 1) * BLOCK]
        out = dx[block * BLOCK : (block + 1) * BLOCK]
        for e in range(len(a)):
            out[e] = 0 if abs(a[e]) >= 3 else d[e] / 6


@in_order
def _hard_silu(x, y):
    for block in prange((len(x) + BLOCK - 1) // BLOCK):
        a, out = x[block * BLOCK : (block + 1) * BLOCK], y[block * BLOCK : (block + 1) * BLOCK]
        for e in range(len(a)):
            middle = a[e] * (a[e] / 6 + 0.5)
            out[e] = 0 if a[e] <= -3 else (a[e] if a[e] >= 3 else middle)


@in_order
def _hard_silu_backward(dy, x, dx):
    for block in prange((len(x) + BLOCK - 1) // BLOCK):
        d, a = dy[block * BLOCK : (block + 1) * BLOCK], x[block * BLOCK : (block + 1) * BLOCK]
        out = dx[block * BLOCK : (block + 1) * BLOCK]
        for e in range(len(a)):
            middle = d[e] * (a[e] / 3 + 0.5)
            out[e] = 0 if a[e] <= -3 else (d[e] if a[e] >= 3 else middle)


@parallel
def _prelu(x, alpha, y):
    R, K = x.shape
    for r in prange(R):
        for k in range(K):
            y[r, k] = x[r, k] if x[r, k] > 0 else alpha[k] * x[r, k]


@parallel
def _prelu_backward(dy, x, alpha, dx, share):
    R, K = x.shape
    for r in prange(R):
        for k in range(K):
            above = x[r, k] > 0
            dx[r, k] = 0 if x[r, k] == 0 else (dy[r, k] if above else alpha[k] * dy[r, k])
            share[r, k] = 0 if above else dy[r, k] * x[r, k]


@takes(x="...")
def elu(x: np.ndarray, alpha: float = 1.0, scale: float = 1.0, width: float = 1.0) -> np.ndarray:
    """y = scale * x where x > 0, else scale * alpha * (exp(x / width) - 1): ELU, SELU, CELU."""
    return unary(_elu, x, float(alpha), float(scale), 1 / width)


@takes(dy="...", x="...")
def elu_backward(
    dy: np.ndarray, x: np.ndarray, alpha: float = 1.0, scale: float = 1.0, width: float = 1.0
) -> np.ndarray:
    """dx = scale * dy where x > 0, else scale * alpha / width * exp(x / width) * dy; at 0 the smaller slope."""
    return binary(_elu_backward, dy, x, float(alpha), float(scale), 1 / width)


@takes(x="...")
def softplus(x: np.ndarray) -> np.ndarray:
    """y = log(1 + exp(x)), worked out as max(x, 0) + log(1 + exp(-|x|))."""
    return unary(_softplus, x)


@takes(dy="...", x="...")
def softplus_backward(dy: np.ndarray, x: np.ndarray) -> np.ndarray:
    """dx = dy / (1 + exp(-x))."""
    return binary(_softplus_backward, dy, x)


@takes(x="...")
def gelu(x: np.ndarray, approximate: bool = False) -> np.ndarray:
    """y = x * P(x), P(x) = (1 + erf(x / sqrt(2))) / 2; approximate: P(x) = (1 + tanh(u)) / 2."""
    return unary(_approximate_gelu if approximate else _gelu, x)


@takes(dy="...", x="...")
def gelu_backward(dy: np.ndarray, x: np.ndarray, approximate: bool = False) -> np.ndarray:
    """dx = dy * (P(x) + x * p(x)), p the derivative of P."""
    return binary(_approximate_gelu_backward if approximate else _gelu_backward, dy, x)


@takes(x="...")
def mish(x: np.ndarray) -> np.ndarray:
    """y = x * t, t = tanh(log(1 + exp(x)))."""
    return unary(_mish, x)


@takes(dy="...", x="...")
def mish_backward(dy: np.ndarray, x: np.ndarray) -> np.ndarray:
    """dx = dy * (t + x * (1 - t^2) / (1 + exp(-x)))."""
    return binary(_mish_backward, dy, x)


@takes(x="...")
def hard_sigmoid(x: np.ndarray) -> np.ndarray:
    """y = x / 6 + 1 / 2, at least 0, at most 1."""
    return unary(_hard_sigmoid, x)


@takes(dy="...", x="...")
def hard_sigmoid_backward(dy: np.ndarray, x: np.ndarray) -> np.ndarray:
    """dx = dy / 6 where -3 < x < 3, else 0."""
    return binary(_hard_sigmoid_backward, dy, x)


@takes(x="...")
def hard_silu(x: np.ndarray) -> np.ndarray:
    """y = x * hard_sigmoid(x): 0 up to x = -3, x from 3 on."""
    return unary(_hard_silu, x)


@takes(dy="...", x="...")
def hard_silu_backward(dy: np.ndarray, x: np.ndarray) -> np.ndarray:
    """dx = 0 where x <= -3, dy where x >= 3, else dy * (2 * x + 3) / 6."""
    return binary(_hard_silu_backward, dy, x)


@takes(x="... K", alpha="K")
def prelu(x: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """y = x where x > 0, else alpha[k] * x."""
    y = empty(x.shape, x.dtype)
    _prelu(as_rows(x), np.ascontiguousarray(alpha), as_rows(y))
    return y


@takes(dy="... K", x="... K", alpha="K")
def prelu_backward(dy: np.ndarray, x: np.ndarray, alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(dx, share): dx = dy where x > 0, alpha[k] * dy where x < 0, 0 at 0; share = dy * x where x <= 0, else 0."""
    dx, share = empty(x.shape, x.dtype), empty(x.shape, x.dtype)
    _prelu_backward(as_rows(dy), as_rows(x), np.ascontiguousarray(alpha), as_rows(dx), as_rows(share))
    return dx, share
