"""Linear units beside ReLU, and their gradients."""

import math

import numpy as np

from scratchnet.reference.activation import each, logistic


def elu(x, alpha=1.0, scale=1.0, width=1.0):
    """y = scale * x where x > 0, else scale * alpha * (exp(x / width) - 1)."""
    return each(lambda v: scale * v if v > 0 else scale * alpha * math.expm1(v / width), x)


def elu_backward(dy, x, alpha=1.0, scale=1.0, width=1.0):
    """dx = scale * dy where x > 0, else scale * alpha / width * exp(x / width) * dy; at 0 the smaller slope."""

    def slope(v):
        left = alpha / width * math.exp(min(v, 0) / width)
        return scale * (1 if v > 0 else min(1, left) if v == 0 else left)

    return each(lambda d, v: d * slope(v), dy, x)


def softplus(x):
    """y = log(1 + exp(x)), worked out as max(x, 0) + log(1 + exp(-|x|)), where no exp overflows."""
    return each(lambda v: max(v, 0) + math.log1p(math.exp(-abs(v))), x)


def softplus_backward(dy, x):
    """dx = dy / (1 + exp(-x))."""
    return each(lambda d, v: d * logistic(v), dy, x)


def _u(v):
    """u of the approximate GELU, sqrt(2 / pi) * (v + 0.044715 * v^3), and du/dv."""
    factor = math.sqrt(2 / math.pi)
    return factor * (v + 0.044715 * v**3), factor * (1 + 3 * 0.044715 * v**2)


def _share_below(v, approximate):
    """P(v): the share of a standard normal below v."""
    return (1 + math.tanh(_u(v)[0])) / 2 if approximate else math.erfc(-v / math.sqrt(2)) / 2


def _density(v, approximate):
    """p(v), the derivative of P."""
    if approximate:
        u, slope = _u(v)
        return (1 - math.tanh(u) ** 2) / 2 * slope
    return math.exp(-(v**2) / 2) / math.sqrt(2 * math.pi)


def gelu(x, approximate=False):
    """y = x * P(x), P(x) = (1 + erf(x / sqrt(2))) / 2; approximate: P(x) = (1 + tanh(u)) / 2."""
    return each(lambda v: v * _share_below(v, approximate), x)


def gelu_backward(dy, x, approximate=False):
    """dx = dy * (P(x) + x * p(x)), p the derivative of P."""
    return each(lambda d, v: d * (_share_below(v, approximate) + v * _density(v, approximate)), dy, x)


def _bend(v):
    """t = tanh(log(1 + exp(v)))."""
    return math.tanh(max(v, 0) + math.log1p(math.exp(-abs(v))))


def mish(x):
    """y = x * t, t = tanh(log(1 + exp(x)))."""
    return each(lambda v: v * _bend(v), x)


def mish_backward(dy, x):
    """dx = dy * (t + x * (1 - t^2) / (1 + exp(-x)))."""
    return each(lambda d, v: d * (_bend(v) + v * (1 - _bend(v) ** 2) * logistic(v)), dy, x)


def hard_sigmoid(x):
    """y = x / 6 + 1 / 2, at least 0, at most 1."""
    return each(lambda v: min(max(v / 6 + 1 / 2, 0), 1), x)


def hard_sigmoid_backward(dy, x):
    """dx = dy / 6 where -3 < x < 3, else 0."""
    return each(lambda d, v: d / 6 if -3 < v < 3 else 0, dy, x)


def hard_silu(x):
    """y = x * hard_sigmoid(x): 0 up to x = -3, x from 3 on."""
    return each(lambda v: v * min(max(v / 6 + 1 / 2, 0), 1), x)


def hard_silu_backward(dy, x):
    """dx = 0 where x <= -3, dy where x >= 3, else dy * (2 * x + 3) / 6."""
    return each(lambda d, v: 0 if v <= -3 else d if v >= 3 else d * (2 * v + 3) / 6, dy, x)


def prelu(x, alpha):
    """y = x where x > 0, else alpha[k] * x."""
    y = np.zeros_like(x)
    for index in np.ndindex(*x.shape):
        y[index] = x[index] if x[index] > 0 else alpha[index[-1]] * x[index]
    return y


def prelu_backward(dy, x, alpha):
    """(dx, share): dx = dy where x > 0, alpha[k] * dy where x < 0, 0 at 0; share = dy * x where x <= 0, else 0.

    dalpha[k] is the sum of the shares that have the k.
    """
    dx, share = np.zeros_like(x), np.zeros_like(x)
    for index in np.ndindex(*x.shape):
        if x[index] > 0:
            dx[index] = dy[index]
        elif x[index] < 0:
            dx[index] = alpha[index[-1]] * dy[index]
            share[index] = dy[index] * x[index]
    return dx, share
