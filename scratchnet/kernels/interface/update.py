"""The optimizers' updates, in place, all weights of a network in one pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np


class Update(Protocol):
    """p weights, g gradients, the rest is the optimizer's memory. All but g are changed IN PLACE.

    The formulas are Keras 3's, epsilon and all. Numbers such as 1 - beta_2 are worked out in float64 and rounded once.

    Raises (all but square_sum):
        ValueError: arrays of one tuple that differ in shape, of one call that differ in dtype, are not contiguous, or
            are to be changed and cannot be written to.
    """

    def sgd(
        self,
        weights: Sequence[tuple[np.ndarray, ...]],
        lr: float,
        momentum: float,
        nesterov: bool,
    ) -> None:
        """For each (p, g, m): m = momentum * m - lr * g; p += m, or with Nesterov p += momentum * m - lr * g."""

    def rmsprop(
        self,
        weights: Sequence[tuple[np.ndarray, ...]],
        lr: float,
        rho: float,
        momentum: float,
        epsilon: float,
        centered: bool,
    ) -> None:
        """For each (p, g, v, average, m):

        v = rho * v + (1-rho) * g^2; m = momentum * m + lr * g / sqrt(v - average^2 + epsilon); p -= m.

        average is the running mean of g, average = rho * average + (1-rho) * g; it counts as 0 unless centered.
        Source: Hinton, lecture 6e.
        """

    def adam(
        self,
        weights: Sequence[tuple[np.ndarray, ...]],
        lr: float,
        beta_1: float,
        beta_2: float,
        epsilon: float,
        t: int,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
    ) -> None:
        """For each (p, g, m, v), or with amsgrad each (p, g, m, v, top):

        m += (1-beta_1) * (g - m); v += (1-beta_2) * (g^2 - v); p -= lr * c * m / (sqrt(v) + epsilon).

        c = sqrt(1 - beta_2^t) / (1 - beta_1^t), with the betas rounded to float32 as Keras does, makes up for m and v
        having started at 0; t counts the steps from 1. With a weight decay, p -= lr * weight_decay * p first (AdamW).
        With amsgrad the largest v so far, top = max(top, v), stands under the root. Source: Kingma and Ba, arXiv
        1412.6980; Loshchilov and Hutter, arXiv 1711.05101; Reddi et al., ICLR 2018.
        """

    def adagrad(self, weights: Sequence[tuple[np.ndarray, ...]], lr: float, epsilon: float) -> None:
        """For each (p, g, a): a += g^2; p -= lr * g / sqrt(a + epsilon). Source: Duchi et al., JMLR 12, 2011."""

    def adadelta(self, weights: Sequence[tuple[np.ndarray, ...]], lr: float, rho: float, epsilon: float) -> None:
        """For each (p, g, a, d):

        a = rho * a + (1-rho) * g^2; u = g * sqrt(d + epsilon) / sqrt(a + epsilon); d = rho * d + (1-rho) * u^2;
        p -= lr * u. Source: Zeiler, arXiv 1212.5701.
        """

    def adamax(
        self, weights: Sequence[tuple[np.ndarray, ...]], rate: float, beta_1: float, beta_2: float, epsilon: float
    ) -> None:
        """For each (p, g, m, u): m += (1-beta_1) * (g - m); u = max(beta_2 * u, |g|); p -= rate * m / (u + epsilon).

        rate = lr / (1 - beta_1^t) in step t, from 1. Source: Kingma and Ba, arXiv 1412.6980, section 7.
        """

    def nadam(
        self,
        weights: Sequence[tuple[np.ndarray, ...]],
        rates: tuple[float, float, float],
        beta_1: float,
        beta_2: float,
        epsilon: float,
    ) -> None:
        """For each (p, g, m, v), with rates = (a, b, c) of the step:

        m += (1-beta_1) * (g - m); v += (1-beta_2) * (g^2 - v); p -= (a * m + b * g) / (c * sqrt(v) + epsilon).

        The optimizer's docstring has a, b and c. Source: Dozat, Incorporating Nesterov momentum into Adam, 2016.
        """

    def lion(self, weights: Sequence[tuple[np.ndarray, ...]], lr: float, beta_1: float, beta_2: float) -> None:
        """For each (p, g, m): p -= lr * sign(beta_1 * m + (1-beta_1) * g), then m = beta_2 * m + (1-beta_2) * g.

        Source: Chen et al., arXiv 2302.06675.
        """

    def moving_average(self, weights: Sequence[tuple[np.ndarray, ...]], momentum: float) -> None:
        """For each (average, p): average += (1 - momentum) * (p - average); p is not changed."""

    def square_sum(self, x: np.ndarray) -> float:
        """The sum of the squares of all elements, in float64, as a Python float: for clipping by norm."""
