"""Sums, activations and dropout with their gradients, and losses taken together with the activation before them."""

from __future__ import annotations

from typing import Protocol

import numpy as np


class Activation(Protocol):
    """Elementwise, any shape; softmax along the last axis. NaN in, NaN out; no overflow for large x.

    A backward takes dy, and of x and y what makes its formula simplest.
    """

    def add(self, a: np.ndarray, b: np.ndarray, relu: bool = False) -> np.ndarray:
        """y = a + b, both of one shape. With relu, y = max(y, 0)."""

    def relu(
        self, x: np.ndarray, negative_slope: float = 0.0, threshold: float = 0.0, max_value: float = np.inf
    ) -> np.ndarray:
        """y = max(x, 0), and by its settings the leaky ReLU and the one that is cut off above.

        In full: y = max_value where x > max_value, x where threshold <= x, else negative_slope * (x - threshold).
        """

    def relu_backward(
        self,
        dy: np.ndarray,
        x: np.ndarray,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        max_value: float = np.inf,
    ) -> np.ndarray:
        """dx = dy where x > 0, else 0; at the kink, x = 0, the derivative is taken as that of the left side.

        In full: dx = 0 where x > max_value, dy where x > threshold, else negative_slope * dy. For the plain ReLU, y may
        be given in place of x: it is above 0 where x is.
        """

    def sigmoid(self, x: np.ndarray) -> np.ndarray:
        """y = 1 / (1 + exp(-x))."""

    def sigmoid_backward(self, dy: np.ndarray, y: np.ndarray) -> np.ndarray:
        """dx = dy * y * (1 - y)."""

    def tanh(self, x: np.ndarray) -> np.ndarray:
        """y = (exp(x) - exp(-x)) / (exp(x) + exp(-x))."""

    def tanh_backward(self, dy: np.ndarray, y: np.ndarray) -> np.ndarray:
        """dx = dy * (1 - y^2)."""

    def silu(self, x: np.ndarray) -> np.ndarray:
        """y = x * sigmoid(x), also called swish."""

    def silu_backward(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        """dx = dy * (s + x * s * (1 - s)) with s = sigmoid(x)."""

    def softmax(self, x: np.ndarray) -> np.ndarray:
        """y[.., k] = exp(x[.., k]) / sum over j of exp(x[.., j]); the maximum is taken off x first.

        A score of -inf gets 0. A row of nothing but -inf has no maximum to shift by, and gives NaN.
        """

    def softmax_backward(self, dy: np.ndarray, y: np.ndarray) -> np.ndarray:
        """dx[.., k] = y[.., k] * (dy[.., k] - sum over j of dy[.., j] * y[.., j])."""

    def dropout(self, x: np.ndarray, rate: float, key: int, step: int) -> np.ndarray:
        """y = x / (1 - rate) where the element is kept, else 0; the backward is the same call on dy.

        Element e, counted in row-major order, is kept if word e % 4 of Philox4x32-10 is below round((1-rate) * 2^32).
        Philox's key is `key`, its counter is e // 4 in the low 64 bits and `step` in the high ones: the same mask on
        every device, and none is stored. Source: Salmon et al., SC 2011.

        Args:
            x: any shape.
            rate: the share set to zero, from 0 to below 1.
            key: 64 random bits, the layer's own.
            step: counts the batches, so that each gets another mask.
        """


class Loss(Protocol):
    """(L, dz) from scores z: the loss, a Python float summed in float64, and its gradient dL/dz, a fresh array.

    Taken together with their activation, losses never take the logarithm of a probability that was rounded to zero.
    """

    def softmax_cross_entropy(self, z: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
        """L = mean over n of -log softmax(z)[n, labels[n]], dz = (softmax(z) - onehot(labels)) / N.

        z (N, K); labels (N,), whole numbers from 0 to K-1.

        Raises:
            ValueError: a label outside.
        """

    def softmax_cross_entropy_onehot(self, z: np.ndarray, t: np.ndarray) -> tuple[float, np.ndarray]:
        """L = mean over n of -sum over k of t[n,k] * log softmax(z)[n,k].

        dz[n,k] = (softmax(z)[n,k] * sum over j of t[n,j] - t[n,k]) / N. z and t (N, K).
        A target of 0 takes no part, even where its score is -inf.
        """

    def sigmoid_binary_cross_entropy(self, z: np.ndarray, t: np.ndarray) -> tuple[float, np.ndarray]:
        """L = mean of max(z, 0) - z*t + log(1 + exp(-|z|)) over all elements, dz = (sigmoid(z) - t) / size.

        z and t of any shape. L is the mean of -t*log(s) - (1-t)*log(1-s) with s = sigmoid(z).
        """
