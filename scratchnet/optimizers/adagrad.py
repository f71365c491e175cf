"""Adagrad and Adadelta: steps divided by the root of all squared gradients so far, or of the last ones."""

from __future__ import annotations

from scratchnet import kernels
from scratchnet.arguments import check_number
from scratchnet.optimizers.base import Optimizer, Rows
from scratchnet.schedules import Schedule
from scratchnet.signatures import OnlyDefault


class Adagrad(Optimizer):
    """a += g^2; p -= rate * g / sqrt(a + epsilon), a = initial_accumulator_value at the start.

    Source: Duchi, Hazan and Singer, JMLR 12, 2011; https://keras.io/api/optimizers/adagrad/
    """

    memory = ("accumulator",)

    def __init__(
        self,
        learning_rate: float | Schedule = 0.001,
        initial_accumulator_value: float = 0.1,
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
        self.initial_accumulator_value = self.first_value = check_number(
            initial_accumulator_value, "initial_accumulator_value", "Adagrad", 0
        )
        self.epsilon = check_number(epsilon, "epsilon", "Adagrad", 0)

    def move(self, weights: Rows, rate: float) -> None:
        """As for SGD."""
        kernels.of(weights[0][0]).adagrad(weights, rate, self.epsilon)


class Adadelta(Optimizer):
    """Steps as long as the last ones were, so that their unit is that of the weights.

        a = rho * a + (1 - rho) * g^2
        u = g * sqrt(d + epsilon) / sqrt(a + epsilon)
        d = rho * d + (1 - rho) * u^2
        p -= rate * u

    The paper's rate is 1.0. Source: Zeiler, arXiv 1212.5701; https://keras.io/api/optimizers/adadelta/
    """

    memory = ("accumulated_grad", "accumulated_delta_var")

    def __init__(
        self,
        learning_rate: float | Schedule = 0.001,
        rho: float = 0.95,
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
        self.rho = check_number(rho, "rho", "Adadelta", 0, 1, below=True)
        self.epsilon = check_number(epsilon, "epsilon", "Adadelta", 0)

    def move(self, weights: Rows, rate: float) -> None:
        """As for SGD."""
        kernels.of(weights[0][0]).adadelta(weights, rate, self.rho, self.epsilon)
