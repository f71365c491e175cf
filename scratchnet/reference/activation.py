"""Sums of arrays, activations and their gradients."""

import math

import numpy as np


def logistic(value):
    """1 / (1 + exp(-value)) of one number, written so that exp never overflows."""
    return 1 / (1 + math.exp(-value)) if value >= 0 else math.exp(value) / (1 + math.exp(value))


def each(function, *arrays):
    """The function of each element, of several arrays at once."""
    y = np.zeros_like(arrays[0])
    for index in np.ndindex(*y.shape):
        y[index] = function(*(array[index] for array in arrays))
    return y


def add(a, b):
    """y = a + b, element by element."""
    return each(lambda one, other: one + other, a, b)


def relu(x, negative_slope=0.0, threshold=0.0, max_value=math.inf):
    """y = max(x, 0), and by its settings the leaky ReLU and the one that is cut off above.

    In full: y = max_value where x > max_value, x where threshold <= x, else negative_slope * (x - threshold).
    """

    def y_of(v):
        if v > max_value:
            return max_value
        if v < threshold:
            return negative_slope * (v - threshold) if negative_slope != 0 else 0  # no 0 * inf
        return v  # NaN, too

    return each(y_of, x)


def relu_backward(dy, x, negative_slope=0.0, threshold=0.0, max_value=math.inf):
    """dx = dy where x > 0, else 0; at the kink, x = 0, the derivative is taken as that of the left side.

    In full: dx = 0 where x > max_value, dy where x > threshold, else negative_slope * dy.
    """

    def dx_of(d, v):
        if v > max_value:
            return 0
        return negative_slope * d if v <= threshold else d

    return each(dx_of, dy, x)


def sigmoid(x):
    """y = 1 / (1 + exp(-x))."""
    return each(logistic, x)


def sigmoid_backward(dy, y):
    """dx = dy * y * (1 - y)."""
    return each(lambda d, s: d * s * (1 - s), dy, y)


def tanh(x):
    """y = (exp(x) - exp(-x)) / (exp(x) + exp(-x))."""
    return each(math.tanh, x)


def tanh_backward(dy, y):
    """dx = dy * (1 - y^2)."""
    return each(lambda d, t: d * (1 - t**2), dy, y)


def silu(x):
    """y = x * sigmoid(x)."""
    return each(lambda v: v * logistic(v), x)


def silu_backward(dy, x):
    """dx = dy * (s + x * s * (1 - s)) with s = sigmoid(x)."""
    return each(lambda d, v: d * (logistic(v) + v * logistic(v) * (1 - logistic(v))), dy, x)


def softmax(x):
    """y[.., k] = exp(x[.., k]) / sum over j of exp(x[.., j]); the maximum is taken off first, which changes nothing."""
    y = np.zeros_like(x)
    for index in np.ndindex(*x.shape[:-1]):
        weights = [math.exp(value - max(x[index])) for value in x[index]]
        for k, weight in enumerate(weights):
            y[(*index, k)] = weight / sum(weights)
    return y


def softmax_backward(dy, y):
    """dx[.., k] = y[.., k] * (dy[.., k] - sum over j of dy[.., j] * y[.., j])."""
    dx = np.zeros_like(y)
    for index in np.ndindex(*y.shape):
        row = index[:-1]
        dx[index] = y[index] * (dy[index] - sum(dy[row][j] * y[row][j] for j in range(y.shape[-1])))
    return dx
