"""Sigmoids, softmax and their logarithms as functions of arrays, dx being their backward.

Source: https://keras.io/api/layers/activations/
"""

from __future__ import annotations

from typing import Any

from scratchnet.activations.values import Numbers, values
from scratchnet.annotations import checked


@checked
def exponential(x: Numbers) -> Any:
    """The exponential function.

    y = exp(x)
    dx = dy * y
    """
    return values("exponential", x)


@checked
def hard_sigmoid(x: Numbers) -> Any:
    """A sigmoid of three straight lines.

    y = x / 6 + 1 / 2, at least 0, at most 1
    dx = dy / 6 where -3 < x < 3, else 0
    """
    return values("hard_sigmoid", x)


@checked
def hard_tanh(x: Numbers) -> Any:
    """x, at least -1, at most 1.

    dx = dy where -1 <= x <= 1, else 0
    """
    return values("hard_tanh", x)


@checked
def log_sigmoid(x: Numbers) -> Any:
    """The logarithm of the sigmoid.

    y = log(1 / (1 + exp(-x)))
    dx = dy / (1 + exp(x))
    """
    return values("log_sigmoid", x)


@checked
def log_softmax(x: Numbers, axis: int = -1) -> Any:
    """The logarithm of softmax, along an axis.

    y_k = x_k - log(sum over j of exp(x_j))
    dx_k = dy_k - exp(y_k) * sum over j of dy_j
    """
    return values("log_softmax", x, axis=axis)


@checked
def sigmoid(x: Numbers) -> Any:
    """From 0 to 1: a probability.

    y = 1 / (1 + exp(-x))
    dx = dy * y * (1 - y)
    """
    return values("sigmoid", x)


@checked
def softmax(x: Numbers, axis: int = -1) -> Any:
    """Probabilities of classes: positive, with the sum 1 along an axis.

    y_k = exp(x_k) / sum over j of exp(x_j)
    dx_k = y_k * (dy_k - sum over j of dy_j * y_j)
    """
    return values("softmax", x, axis=axis)


@checked
def softsign(x: Numbers) -> Any:
    """From -1 to 1, slower than tanh.

    y = x / (1 + |x|)
    dx = dy / (1 + |x|)^2
    """
    return values("softsign", x)


@checked
def sparse_sigmoid(x: Numbers) -> Any:
    """A sigmoid of three straight lines, from -1 to 1.

    y = (x + 1) / 2, at least 0, at most 1
    dx = dy / 2 where -1 < x < 1, else 0
    """
    return values("sparse_sigmoid", x)


@checked
def tanh(x: Numbers) -> Any:
    """From -1 to 1.

    y = (exp(x) - exp(-x)) / (exp(x) + exp(-x))
    dx = dy * (1 - y^2)
    """
    return values("tanh", x)
