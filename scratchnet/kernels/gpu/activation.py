"""Activations and their gradients on the GPU; the kernels are in activation.cu."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet.kernels.gpu.runtime.contract import takes
from scratchnet.kernels.gpu.runtime.memory import empty
from scratchnet.kernels.gpu.runtime.source import Source

_source = Source(__file__)
_ROW_THREADS = 128  # of a block that takes a row: ROW_THREADS of activation.cu


@takes(x="...")
def relu(x: Any, negative_slope: float = 0.0, threshold: float = 0.0, max_value: float = np.inf) -> Any:
    """y = max(x, 0), and by its settings the leaky ReLU and the one that is cut off above.

    In full: y = max_value where x > max_value, x where threshold <= x, else negative_slope * (x - threshold).
    """
    y = empty(x.shape, x.dtype)
    _source.each("relu", x.dtype, x.size, x, float(negative_slope), float(threshold), float(max_value), y)
    return y


@takes(dy="...", x="...")
def relu_backward(
    dy: Any, x: Any, negative_slope: float = 0.0, threshold: float = 0.0, max_value: float = np.inf
) -> Any:
    """dx = dy where x > 0, else 0; at the kink, x = 0, the derivative is taken as that of the left side.

    In full: dx = 0 where x > max_value, dy where x > threshold, else negative_slope * dy.
    """
    dx = empty(x.shape, x.dtype)
    _source.each("relu_backward", x.dtype, x.size, dy, x, float(negative_slope), float(threshold), float(max_value), dx)
    return dx


def _unary(name: str, x: Any) -> Any:
    y = empty(x.shape, x.dtype)
    _source.each(name, x.dtype, x.size, x, y)
    return y


def _binary(name: str, dy: Any, a: Any) -> Any:
    dx = empty(a.shape, a.dtype)
    _source.each(name, a.dtype, a.size, dy, a, dx)
    return dx


@takes(x="...")
def sigmoid(x: Any) -> Any:
    """y = 1 / (1 + exp(-x))."""
    return _unary("sigmoid", x)


@takes(dy="...", y="...")
def sigmoid_backward(dy: Any, y: Any) -> Any:
    """dx = dy * y * (1 - y), from the output y."""
    return _binary("sigmoid_backward", dy, y)


@takes(x="...")
def tanh(x: Any) -> Any:
    """y = (exp(x) - exp(-x)) / (exp(x) + exp(-x))."""
    return _unary("tanh_forward", x)


@takes(dy="...", y="...")
def tanh_backward(dy: Any, y: Any) -> Any:
    """dx = dy * (1 - y^2), from the output y."""
    return _binary("tanh_backward", dy, y)


@takes(x="...")
def silu(x: Any) -> Any:
    """y = x * sigmoid(x), also called swish."""
    return _unary("silu", x)


@takes(dy="...", x="...")
def silu_backward(dy: Any, x: Any) -> Any:
    """dx = dy * (s + x * s * (1 - s)) with s = sigmoid(x), from the input x."""
    return _binary("silu_backward", dy, x)


@takes(x="... K")
def softmax(x: Any) -> Any:
    """y[.., k] = exp(x[.., k]) / sum over j of exp(x[.., j]), along the last axis; shifted by the maximum first.

    A score of -inf gets 0. A row of nothing but -inf has no maximum to shift by, and gives NaN.
    """
    y, K = empty(x.shape, x.dtype), x.shape[-1]
    _source.launch("softmax", x.dtype, (x.size // K,), (_ROW_THREADS,), x, y, K)
    return y


@takes(dy="... K", y="... K")
def softmax_backward(dy: Any, y: Any) -> Any:
    """dx[.., k] = y[.., k] * (dy[.., k] - sum over j of dy[.., j] * y[.., j]), from the output y."""
    dx, K = empty(y.shape, y.dtype), y.shape[-1]
    _source.launch("softmax_backward", y.dtype, (y.size // K,), (_ROW_THREADS,), dy, y, dx, K)
    return dx
