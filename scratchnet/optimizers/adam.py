"""Adam, and with its weight decay apart from the gradient AdamW."""

from __future__ import annotations

import numpy as np

from scratchnet import kernels
from scratchnet.arguments import check_number
from scratchnet.optimizers.base import Optimizer, Rows
from scratchnet.schedules import Schedule
from scratchnet.signatures import OnlyDefault


def check_betas(beta_1: float, beta_2: float, caller: str) -> None:
    """Raise a ValueError unless both are from 0 to below 1."""
    for name, beta in (("beta_1", beta_1), ("beta_2", beta_2)):
        # In float32 the next number below 1 is 1 - 2^-24, and 1 - beta^t is divided by.
        if not 0 <= beta < 1 or np.float32(beta) == 1:
            raise ValueError(f"{caller}: expected {name} from 0 to below 1, also as float32, got {beta!r}.")


class Adam(Optimizer):
    """m += (1 - beta_1) * (dw - m); v += (1 - beta_2) * (dw^2 - v); w -= rate * c_t * m / (sqrt(v) + epsilon).

    c_t = sqrt(1 - beta_2^t) / (1 - beta_1^t) at update t, from 1. With amsgrad=True the largest v so far stands under
    the root. Source: Kingma and Ba, arXiv 1412.6980; Reddi et al., On the convergence of Adam and beyond, ICLR 2018;
    https://keras.io/api/optimizers/adam/
    """

    decays_itself = True

    def __init__(
        self,
        learning_rate: float | Schedule = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
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
        check_betas(beta_1, beta_2, type(self).__name__)
        self.beta_1, self.beta_2 = beta_1, beta_2
        self.epsilon = check_number(epsilon, "epsilon", type(self).__name__, 0)
        self.amsgrad = amsgrad
        self.memory = ("momentum", "velocity", "velocity_hat") if amsgrad else ("momentum", "velocity")

    def move(self, weights: Rows, rate: float) -> None:
        """The update's number goes in as t."""
        settings = (rate, self.beta_1, self.beta_2, self.epsilon, self._number, self.weight_decay, self.amsgrad)
        kernels.of(weights[0][0]).adam(weights, *settings)


class AdamW(Adam):
    """Adam, and before each update p -= rate * weight_decay * p. Source: Loshchilov and Hutter, arXiv 1711.05101."""

    def __init__(
        self,
        learning_rate: float | Schedule = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
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
        adam = (learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay)
        super().__init__(*adam, clipnorm, clipvalue, global_clipnorm, name=name)
