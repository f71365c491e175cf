"""Two relatives of Adam: Adamax, with the largest gradient for a scale, and Nadam, with Nesterov's look ahead."""

from __future__ import annotations

import math

import numpy as np

from scratchnet import kernels
from scratchnet.arguments import check_number
from scratchnet.optimizers.adam import check_betas
from scratchnet.optimizers.base import Optimizer, Rows
from scratchnet.schedules import Schedule
from scratchnet.signatures import OnlyDefault


class Adamax(Optimizer):
    """m += (1 - beta_1) * (g - m); u = max(beta_2 * u, |g|); p -= rate / (1 - beta_1^t) * m / (u + epsilon).

    t is the update's number, from 1. Source: Kingma and Ba, arXiv 1412.6980, section 7;
    https://keras.io/api/optimizers/adamax/
    """

    memory = ("momentum", "norm")

    def __init__(
        self,
        learning_rate: float | Schedule = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: OnlyDefault = False,
        ema_momentum: OnlyDefault = 0.99,
        ema_overwrite_frequency: OnlyDefault = None,
        loss_scale_factor: OnlyDefault = None,
        gradient_accumulation_steps: OnlyDefault = None,
        name: str | None = None,
    ):
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, name=name)
        check_betas(beta_1, beta_2, "Adamax")
        self.beta_1, self.beta_2 = beta_1, beta_2
        self.epsilon = check_number(epsilon, "epsilon", "Adamax", 0)

    def rates(self, learning_rate: float, t: int) -> float:
        """The rate, as if m were the mean of all gradients."""
        return learning_rate / (1 - float(np.float32(self.beta_1)) ** t)

    def move(self, weights: Rows, rate: float) -> None:
        """As for SGD."""
        kernels.of(weights[0][0]).adamax(weights, rate, self.beta_1, self.beta_2, self.epsilon)


class Nadam(Optimizer):
    """Adam that steps to where the momentum will have led, as Nesterov's method does.

        u_t = beta_1 * (1 - 0.96^t / 2)      the momentum of update t, from 1; U_t = u_1 * u_2 * ... * u_t
        m += (1 - beta_1) * (g - m)
        v += (1 - beta_2) * (g^2 - v)
        m_hat = u_(t+1) * m / (1 - U_(t+1)) + (1 - u_t) * g / (1 - U_t)
        p -= rate * m_hat / (sqrt(v / (1 - beta_2^t)) + epsilon)

    The betas are rounded to float32, as in Keras. Source: Dozat, Incorporating Nesterov momentum into Adam, ICLR
    workshop 2016; https://keras.io/api/optimizers/Nadam/
    """

    memory = ("momentum", "velocity")

    def __init__(
        self,
        learning_rate: float | Schedule = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: OnlyDefault = False,
        ema_momentum: OnlyDefault = 0.99,
        ema_overwrite_frequency: OnlyDefault = None,
        loss_scale_factor: OnlyDefault = None,
        gradient_accumulation_steps: OnlyDefault = None,
        name: str | None = None,
    ):
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, name=name)
        check_betas(beta_1, beta_2, "Nadam")
        self.beta_1, self.beta_2 = beta_1, beta_2
        self.epsilon = check_number(epsilon, "epsilon", "Nadam", 0)
        self._product = (0, 1.0)  # t, and U_t

    def rates(self, learning_rate: float, t: int) -> tuple[float, float, float]:
        """(a, b, c) of p -= (a * m + b * g) / (c * sqrt(v) + epsilon)."""
        known, product = self._product
        if known != t - 1:  # such as after a file was read
            known, product = 0, 1.0
        for number in range(known + 1, t + 1):
            product *= self._momentum(number)
        self._product = (t, product)
        now, ahead = self._momentum(t), self._momentum(t + 1)
        grow = 1 / math.sqrt(1 - float(np.float32(self.beta_2)) ** t)
        return learning_rate * ahead / (1 - product * ahead), learning_rate * (1 - now) / (1 - product), grow

    def _momentum(self, t: int) -> float:
        """u_t."""
        return float(np.float32(self.beta_1)) * (1 - 0.5 * 0.96**t)

    def move(self, weights: Rows, rate: tuple[float, float, float]) -> None:
        """As for SGD."""
        betas = float(np.float32(self.beta_1)), float(np.float32(self.beta_2))
        kernels.of(weights[0][0]).nadam(weights, rate, *betas, self.epsilon)
