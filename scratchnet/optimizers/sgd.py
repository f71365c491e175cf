"""Stochastic gradient descent, with momentum and Nesterov's look ahead."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

import numpy as np

from scratchnet import kernels
from scratchnet.arguments import check_number
from scratchnet.optimizers.base import Optimizer, Rows
from scratchnet.schedules import Schedule
from scratchnet.signatures import OnlyDefault


class SGD(Optimizer):
    """Stochastic gradient descent: u = momentum * u - rate * dw, w += u; with Nesterov w += momentum * u - rate * dw.

    Args:
        rate_factors: by what the rate of some weights is multiplied, {pattern: factor}; a name in `model.params`, such
            as "3_dense/bias", gets the factor of the first pattern that fits it, in which * stands for any text:
            {"*/bias": 64.0}. A factor of 0 leaves weights as they are. Weight decay goes by the rate without factors.

    Raises:
        ValueError: a bad argument; at the first update, a pattern that fits no name.

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
        *,
        rate_factors: Mapping[str, float] | None = None,
    ):
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, name=name)
        self.momentum, self.nesterov = check_number(momentum, "momentum", "SGD", 0, 1), nesterov
        self.rate_factors = {
            pattern: float(check_number(factor, f"rate_factors[{pattern!r}]", "SGD", 0))
            for pattern, factor in (rate_factors or {}).items()
        }

    def factor(self, name: str) -> float:
        """That of the first pattern that fits; 1 where none does."""
        return next((factor for pattern, factor in self.rate_factors.items() if fnmatchcase(name, pattern)), 1.0)

    def _update(self, params: Mapping[str, np.ndarray], grads: Mapping[str, np.ndarray]) -> None:
        for pattern in self.rate_factors if not self.iterations else ():
            if not any(fnmatchcase(name, pattern) for name in params):
                raise ValueError(
                    f"SGD: expected patterns in rate_factors that fit the names of weights, got {pattern!r}, which "
                    f"fits none of {', '.join(params)}. A * stands for any text, as in '*/bias'."
                )
        super()._update(params, grads)

    def move(self, weights: Rows, rate: float) -> None:
        """All arrays of one dtype in one call of the kernel, which has the formula above."""
        kernels.of(weights[0][0]).sgd(weights, rate, self.momentum, self.nesterov)
