"""Activations that are straight lines, or near them, away from 0: as functions of arrays, dx being their backward.

Source: https://keras.io/api/layers/activations/
"""

from __future__ import annotations

from typing import Any

from scratchnet.activations.values import Numbers, values
from scratchnet.annotations import checked
from scratchnet.arguments import check_number


@checked
def celu(x: Numbers, alpha: float = 1.0) -> Any:
    """ELU whose slope has no jump.

        y = x where x > 0, else alpha * (exp(x / alpha) - 1)
        dx = dy where x > 0, else dy * exp(x / alpha)

    Source: Barron, arXiv 1704.07483.
    """
    return values("celu", x, alpha=check_number(alpha, "alpha", "celu", 0, above=True))


@checked
def elu(x: Numbers, alpha: float = 1.0) -> Any:
    """The exponential linear unit.

        y = x where x > 0, else alpha * (exp(x) - 1)
        dx = dy where x > 0, else dy * alpha * exp(x); at 0 the smaller slope

    Source: Clevert et al., arXiv 1511.07289.
    """
    return values("elu", x, alpha=check_number(alpha, "alpha", "elu"))


@checked
def gelu(x: Numbers, approximate: bool = False) -> Any:
    """The Gaussian error linear unit: x times the share of a standard normal below x.

        y = x * P,  P = (1 + erf(x / sqrt(2))) / 2
        dx = dy * (P + x * exp(-x^2 / 2) / sqrt(2 * pi))

    With `approximate`, P = (1 + tanh(u)) / 2, u = sqrt(2 / pi) * (x + 0.044715 * x^3).

    Source: Hendrycks and Gimpel, arXiv 1606.08415.
    """
    return values("gelu", x, approximate=bool(approximate))


@checked
def hard_shrink(x: Numbers, threshold: float = 0.5) -> Any:
    """0 near 0, x elsewhere.

    y = x where |x| > threshold, else 0
    dx = dy where |x| > threshold, else 0
    """
    return values("hard_shrink", x, threshold=check_number(threshold, "threshold", "hard_shrink", 0))


@checked
def hard_silu(x: Numbers) -> Any:
    """x times its hard sigmoid; `hard_swish` is another name.

        y = 0 where x <= -3, x where x >= 3, else x * (x + 3) / 6
        dx = 0 where x <= -3, dy where x >= 3, else dy * (2 * x + 3) / 6

    Source: Howard et al., arXiv 1905.02244.
    """
    return values("hard_silu", x)


@checked
def leaky_relu(x: Numbers, negative_slope: float = 0.2) -> Any:
    """ReLU that lets a part through below 0.

        y = x where x > 0, else negative_slope * x
        dx = dy where x > 0, else negative_slope * dy

    Source: Maas et al., ICML 2013.
    """
    return values("leaky_relu", x, negative_slope=check_number(negative_slope, "negative_slope", "leaky_relu"))


@checked
def linear(x: Numbers) -> Any:
    """x itself, as a fresh array."""
    return values("linear", x)


@checked
def mish(x: Numbers) -> Any:
    """x times a bent step.

        y = x * t,  t = tanh(log(1 + exp(x)))
        dx = dy * (t + x * (1 - t^2) / (1 + exp(-x)))

    Source: Misra, arXiv 1908.08681.
    """
    return values("mish", x)


@checked
def relu(x: Numbers, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """The rectified linear unit.

        y = max(x, 0)
        dx = dy where x > 0, else 0

    In full: y = max_value where x > max_value, x where threshold <= x, else negative_slope * (x - threshold).
    """
    return values(
        "relu",
        x,
        negative_slope=check_number(negative_slope, "negative_slope", "relu"),
        max_value=None if max_value is None else check_number(max_value, "max_value", "relu", 0),
        threshold=check_number(threshold, "threshold", "relu"),
    )


@checked
def relu6(x: Numbers) -> Any:
    """ReLU that is cut off at 6.

    y = max(x, 0), at most 6
    dx = dy where 0 < x <= 6, else 0
    """
    return values("relu6", x)


@checked
def selu(x: Numbers) -> Any:
    """ELU with the scale at which mean 0 and variance 1 stay so from layer to layer.

        y = 1.0507 * x where x > 0, else 1.0507 * 1.6733 * (exp(x) - 1)
        dx = 1.0507 * dy where x >= 0, else 1.0507 * 1.6733 * exp(x) * dy

    It goes with kernel_initializer="lecun_normal". Source: Klambauer et al., arXiv 1706.02515.
    """
    return values("selu", x)


@checked
def silu(x: Numbers) -> Any:
    """x times its sigmoid; `swish` is another name.

        y = x * s,  s = 1 / (1 + exp(-x))
        dx = dy * (s + x * s * (1 - s))

    Source: Ramachandran et al., arXiv 1710.05941.
    """
    return values("silu", x)


@checked
def soft_shrink(x: Numbers, threshold: float = 0.5) -> Any:
    """x brought nearer to 0.

    y = x - threshold where x > threshold, x + threshold where x < -threshold, else 0
    dx = dy where |x| > threshold, else 0
    """
    return values("soft_shrink", x, threshold=check_number(threshold, "threshold", "soft_shrink", 0))


@checked
def softplus(x: Numbers) -> Any:
    """ReLU without its kink.

    y = log(1 + exp(x))
    dx = dy / (1 + exp(-x))
    """
    return values("softplus", x)


@checked
def sparse_plus(x: Numbers) -> Any:
    """ReLU whose kink is a piece of a parabola.

    y = 0 where x <= -1, x where x >= 1, else (x + 1)^2 / 4
    dx = dy * sparse_sigmoid(x)
    """
    return values("sparse_plus", x)


@checked
def squareplus(x: Numbers, b: float = 4) -> Any:
    """ReLU without its kink, by a square root.

    y = (x + r) / 2,  r = sqrt(x^2 + b)
    dx = dy * (1 + x / r) / 2
    """
    return values("squareplus", x, b=check_number(b, "b", "squareplus", 0, above=True))


@checked
def tanh_shrink(x: Numbers) -> Any:
    """What tanh takes away.

    y = x - tanh(x)
    dx = dy * tanh(x)^2
    """
    return values("tanh_shrink", x)


hard_swish, swish = hard_silu, silu
