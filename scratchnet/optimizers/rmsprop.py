"""RMSprop: steps divided by a running root mean square of the gradient."""

from __future__ import annotations

from scratchnet import kernels
from scratchnet.arguments import check_number
from scratchnet.optimizers.base import Optimizer, Rows
from scratchnet.schedules import Schedule
from scratchnet.signatures import OnlyDefault


class RMSprop(Optimizer):
    """v = rho * v + (1 - rho) * g^2; m = momentum * m + rate * g / sqrt(v + epsilon); p -= m.

    With centered=True the square of the running mean of g is taken off v: the variance, not the mean square.
    Source: Hinton's lecture 6e; https://keras.io/api/optimizers/rmsprop/
    """

    memory = ("velocity", "average_gradient", "momentum")

    def __init__(
        self,
        learning_rate: float | Schedule = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
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
        self.rho = check_number(rho, "rho", "RMSprop", 0, 1, below=True)
        self.momentum = check_number(momentum, "momentum", "RMSprop", 0, 1)
        self.epsilon, self.centered = check_number(epsilon, "epsilon", "RMSprop", 0), centered

    def move(self, weights: Rows, rate: float) -> None:
        """As for SGD."""
        kernels.of(weights[0][0]).rmsprop(weights, rate, self.rho, self.momentum, self.epsilon, self.centered)
