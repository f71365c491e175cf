"""Lion: all weights move by the same amount, and only the direction is of the gradient."""

from __future__ import annotations

import numpy as np

from scratchnet import kernels
from scratchnet.arguments import check_number
from scratchnet.optimizers.base import Optimizer, Rows
from scratchnet.schedules import Schedule
from scratchnet.signatures import OnlyDefault


class Lion(Optimizer):
    """p -= rate * sign(beta_1 * m + (1 - beta_1) * g), then m = beta_2 * m + (1 - beta_2) * g.

    A third to a tenth of Adam's rate suits it. The betas are rounded to float32, as in Keras. Source: Chen et al.,
    Symbolic discovery of optimization algorithms, arXiv 2302.06675; https://keras.io/api/optimizers/lion/
    """

    memory = ("momentum",)

    def __init__(
        self,
        learning_rate: float | Schedule = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
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
        self.beta_1 = check_number(beta_1, "beta_1", "Lion", 0, 1, above=True)
        self.beta_2 = check_number(beta_2, "beta_2", "Lion", 0, 1)

    def move(self, weights: Rows, rate: float) -> None:
        """As for SGD."""
        betas = float(np.float32(self.beta_1)), float(np.float32(self.beta_2))
        kernels.of(weights[0][0]).lion(weights, rate, *betas)
