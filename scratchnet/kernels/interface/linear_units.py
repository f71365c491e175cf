"""Linear units beside ReLU, which are bent where it breaks, and hard ones, which are straight where others bend."""

from __future__ import annotations

from typing import Protocol

import numpy as np


class LinearUnits(Protocol):
    """Elementwise, any shape. NaN in, NaN out; no overflow for large x. Every backward takes the input x.

    At a kink, the derivative is what Keras takes: that of the left side, unless the docstring says otherwise.
    """

    def elu(self, x: np.ndarray, alpha: float = 1.0, scale: float = 1.0, width: float = 1.0) -> np.ndarray:
        """y = scale * x where x > 0, else scale * alpha * (exp(x / width) - 1); width above 0.

        With scale and width 1 that is ELU; with its own alpha and scale SELU; with width = alpha CELU.
        Sources: arXiv 1511.07289, 1706.02515, 1704.07483.
        """

    def elu_backward(
        self, dy: np.ndarray, x: np.ndarray, alpha: float = 1.0, scale: float = 1.0, width: float = 1.0
    ) -> np.ndarray:
        """dx = scale * dy where x > 0, else scale * alpha / width * exp(x / width) * dy; at 0 the smaller slope."""

    def softplus(self, x: np.ndarray) -> np.ndarray:
        """y = log(1 + exp(x)), worked out as max(x, 0) + log(1 + exp(-|x|))."""

    def softplus_backward(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        """dx = dy / (1 + exp(-x))."""

    def gelu(self, x: np.ndarray, approximate: bool = False) -> np.ndarray:
        """y = x * P(x), P(x) = (1 + erf(x / sqrt(2))) / 2: the share of a standard normal below x.

        With `approximate`, P(x) = (1 + tanh(u)) / 2, u = sqrt(2 / pi) * (x + 0.044715 * x^3). Source: arXiv 1606.08415.
        """

    def gelu_backward(self, dy: np.ndarray, x: np.ndarray, approximate: bool = False) -> np.ndarray:
        """dx = dy * (P(x) + x * p(x)), p(x) = exp(-x^2 / 2) / sqrt(2 * pi).

        With `approximate`, p(x) = (1 - tanh(u)^2) / 2 * du/dx, du/dx = sqrt(2 / pi) * (1 + 3 * 0.044715 * x^2).
        """

    def mish(self, x: np.ndarray) -> np.ndarray:
        """y = x * t, t = tanh(log(1 + exp(x))). Source: arXiv 1908.08681."""

    def mish_backward(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        """dx = dy * (t + x * (1 - t^2) / (1 + exp(-x)))."""

    def hard_sigmoid(self, x: np.ndarray) -> np.ndarray:
        """y = x / 6 + 1 / 2, at least 0, at most 1."""

    def hard_sigmoid_backward(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        """dx = dy / 6 where -3 < x < 3, else 0."""

    def hard_silu(self, x: np.ndarray) -> np.ndarray:
        """y = x * hard_sigmoid(x): 0 up to x = -3, x from 3 on. Source: arXiv 1905.02244, "h-swish"."""

    def hard_silu_backward(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        """dx = 0 where x <= -3, dy where x >= 3, else dy * (2 * x + 3) / 6."""

    def prelu(self, x: np.ndarray, alpha: np.ndarray) -> np.ndarray:
        """y = x where x > 0, else alpha[k] * x; x (..., K), alpha (K,). Source: arXiv 1502.01852."""

    def prelu_backward(self, dy: np.ndarray, x: np.ndarray, alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(dx, share): dx = dy where x > 0, alpha[k] * dy where x < 0, 0 at 0; share = dy * x where x <= 0, else 0.

        share is what each element adds to dalpha[k]: its sum over all that have the k is the gradient.
        """
