"""Linear units beside ReLU, bent or hard, and their gradients on the GPU; the kernels are in linear_units.cu."""

from __future__ import annotations

from typing import Any

from scratchnet.kernels.gpu.runtime.contract import takes
from scratchnet.kernels.gpu.runtime.memory import empty
from scratchnet.kernels.gpu.runtime.source import Source

_source = Source(__file__)


def _unary(name: str, x: Any, *settings: Any) -> Any:
    y = empty(x.shape, x.dtype)
    _source.each(name, x.dtype, x.size, x, *settings, y)
    return y


def _binary(name: str, dy: Any, x: Any, *settings: Any) -> Any:
    dx = empty(x.shape, x.dtype)
    _source.each(name, x.dtype, x.size, dy, x, *settings, dx)
    return dx


@takes(x="...")
def elu(x: Any, alpha: float = 1.0, scale: float = 1.0, width: float = 1.0) -> Any:
    """y = scale * x where x > 0, else scale * alpha * (exp(x / width) - 1): ELU, SELU, CELU."""
    return _unary("elu", x, float(alpha), float(scale), float(1 / width))


@takes(dy="...", x="...")
def elu_backward(dy: Any, x: Any, alpha: float = 1.0, scale: float = 1.0, width: float = 1.0) -> Any:
    """dx = scale * dy where x > 0, else scale * alpha / width * exp(x / width) * dy; at 0 the smaller slope."""
    return _binary("elu_backward", dy, x, float(alpha), float(scale), float(1 / width))


@takes(x="...")
def softplus(x: Any) -> Any:
    """y = log(1 + exp(x)), worked out as max(x, 0) + log(1 + exp(-|x|))."""
    return _unary("softplus", x)


@takes(dy="...", x="...")
def softplus_backward(dy: Any, x: Any) -> Any:
    """dx = dy / (1 + exp(-x))."""
    return _binary("softplus_backward", dy, x)


@takes(x="...")
def gelu(x: Any, approximate: bool = False) -> Any:
    """y = x * P(x), P(x) = (1 + erf(x / sqrt(2))) / 2; approximate: P(x) = (1 + tanh(u)) / 2."""
    return _unary("gelu", x, bool(approximate))


@takes(dy="...", x="...")
def gelu_backward(dy: Any, x: Any, approximate: bool = False) -> Any:
    """dx = dy * (P(x) + x * p(x)), p the derivative of P."""
    return _binary("gelu_backward", dy, x, bool(approximate))


@takes(x="...")
def mish(x: Any) -> Any:
    """y = x * t, t = tanh(log(1 + exp(x)))."""
    return _unary("mish", x)


@takes(dy="...", x="...")
def mish_backward(dy: Any, x: Any) -> Any:
    """dx = dy * (t + x * (1 - t^2) / (1 + exp(-x)))."""
    return _binary("mish_backward", dy, x)


@takes(x="...")
def hard_sigmoid(x: Any) -> Any:
    """y = x / 6 + 1 / 2, at least 0, at most 1."""
    return _unary("hard_sigmoid", x)


@takes(dy="...", x="...")
def hard_sigmoid_backward(dy: Any, x: Any) -> Any:
    """dx = dy / 6 where -3 < x < 3, else 0."""
    return _binary("hard_sigmoid_backward", dy, x)


@takes(x="...")
def hard_silu(x: Any) -> Any:
    """y = x * hard_sigmoid(x): 0 up to x = -3, x from 3 on."""
    return _unary("hard_silu", x)


@takes(dy="...", x="...")
def hard_silu_backward(dy: Any, x: Any) -> Any:
    """dx = 0 where x <= -3, dy where x >= 3, else dy * (2 * x + 3) / 6."""
    return _binary("hard_silu_backward", dy, x)


@takes(x="... K", alpha="K")
def prelu(x: Any, alpha: Any) -> Any:
    """y = x where x > 0, else alpha[k] * x."""
    y = empty(x.shape, x.dtype)
    _source.each("prelu", x.dtype, x.size, x, alpha, y, len(alpha))
    return y


@takes(dy="... K", x="... K", alpha="K")
def prelu_backward(dy: Any, x: Any, alpha: Any) -> tuple[Any, Any]:
    """(dx, share): dx = dy where x > 0, alpha[k] * dy where x < 0, 0 at 0; share = dy * x where x <= 0, else 0."""
    dx, share = empty(x.shape, x.dtype), empty(x.shape, x.dtype)
    _source.each("prelu_backward", x.dtype, x.size, dy, x, alpha, dx, share, len(alpha))
    return dx, share
