"""Rates that fall by a formula: by a factor, as one over the steps, as a power of what is left."""

from __future__ import annotations

import math

from scratchnet.arguments import check_number
from scratchnet.config import plain
from scratchnet.schedules.base import Schedule, check_start


class ExponentialDecay(Schedule):
    """initial_learning_rate * decay_rate^(step / decay_steps), with staircase=True of whole step / decay_steps.

    Args:
        initial_learning_rate: the first step's.
        decay_steps: how many steps take one decay_rate off.
        decay_rate: what is left after them, a share.
        staircase: whether the rate stays the same for decay_steps, and falls then.
        name: how it is called; nothing depends on it.

    Raises:
        ValueError: a rate below 0, or decay_steps not above 0.

    Source: https://keras.io/api/optimizers/learning_rate_schedules/exponential_decay/
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ):
        self.initial_learning_rate, self.decay_steps = check_start(
            initial_learning_rate, decay_steps, type(self).__name__
        )
        self.decay_rate = plain(check_number(decay_rate, "decay_rate", type(self).__name__, 0))
        self.staircase, self.name = staircase, name

    def __call__(self, step: int) -> float:
        """The rate for this step."""
        done = step / self.decay_steps
        return self.initial_learning_rate * self.decay_rate ** (math.floor(done) if self.staircase else done)


class InverseTimeDecay(Schedule):
    """initial_learning_rate / (1 + decay_rate * step / decay_steps), with staircase=True of whole step / decay_steps.

    Args:
        initial_learning_rate: the first step's.
        decay_steps: how many steps make one.
        decay_rate: how much the divisor grows with each.
        staircase: whether the rate stays the same for decay_steps, and falls then.
        name: how it is called; nothing depends on it.

    Raises:
        ValueError: a rate below 0, or decay_steps not above 0.

    Source: https://keras.io/api/optimizers/learning_rate_schedules/inverse_time_decay/
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ):
        self.initial_learning_rate, self.decay_steps = check_start(
            initial_learning_rate, decay_steps, type(self).__name__
        )
        self.decay_rate = plain(check_number(decay_rate, "decay_rate", type(self).__name__, 0))
        self.staircase, self.name = staircase, name

    def __call__(self, step: int) -> float:
        """The rate for this step."""
        done = step / self.decay_steps
        return self.initial_learning_rate / (1 + self.decay_rate * (math.floor(done) if self.staircase else done))


class PolynomialDecay(Schedule):
    """From initial_learning_rate to end_learning_rate in decay_steps, then constant.

        rate = (initial_learning_rate - end_learning_rate) * (1 - step / decay_steps)^power + end_learning_rate

    With cycle=True it goes on: decay_steps becomes the first multiple of it that is not below the step.

    Args:
        initial_learning_rate: the first step's.
        decay_steps: how long it takes.
        end_learning_rate: the last one.
        power: 1 is a straight line.
        cycle: whether to go up again at the end, less each time.
        name: how it is called; nothing depends on it.

    Raises:
        ValueError: a rate or power below 0, or decay_steps not above 0.

    Source: https://keras.io/api/optimizers/learning_rate_schedules/polynomial_decay/
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ):
        self.initial_learning_rate, self.decay_steps = check_start(
            initial_learning_rate, decay_steps, type(self).__name__
        )
        for argument, value in (("end_learning_rate", end_learning_rate), ("power", power)):
            check_number(value, argument, type(self).__name__, 0)
        self.end_learning_rate, self.power = plain(end_learning_rate), plain(power)
        self.cycle, self.name = cycle, name

    def __call__(self, step: int) -> float:
        """The rate for this step."""
        steps = self.decay_steps * (max(1, math.ceil(step / self.decay_steps)) if self.cycle else 1)
        left = (1 - min(step, steps) / steps) ** self.power
        return (self.initial_learning_rate - self.end_learning_rate) * left + self.end_learning_rate
