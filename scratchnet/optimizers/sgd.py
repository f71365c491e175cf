"""Stochastic gradient descent, with momentum and Nesterov's look ahead."""

from __future__ import annotations

from scratchnet import kernels
from scratchnet.arguments import check_number
from scratchnet.optimizers.base import Optimizer, Rows
from scratchnet.schedules import Schedule
from scratchnet.signatures import OnlyDefault


class SGD(Optimizer):
    """Stochastic gradient descent: u = momentum * u - rate * dw, w += u; with Nesterov w += momentum * u - rate * dw.

    Source: https://keras.io/api/optimizers/sgd/; Sutskever et al., ICML 2013.
    """

    memory = ("velocity",)

    def __init__(
        self,
        learning_rate: float | Schedule = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
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
        self.momentum, self.nesterov = check_number(momentum, "momentum", "SGD", 0, 1), nesterov

    def move(self, weights: Rows, rate: float) -> None:
        """All arrays of one dtype in one call of the kernel, which has the formula above."""
        kernels.of(weights[0][0]).sgd(weights, rate, self.momentum, self.nesterov)
