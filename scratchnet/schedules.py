"""Learning-rate schedules: the rate as a function of the step, steps counted from 0."""

from __future__ import annotations

import math
from collections.abc import Sequence

from scratchnet.arguments import check_number
from scratchnet.config import Configurable, plain


class Schedule(Configurable):
    """Called with the number of updates made so far, returns the learning rate of the next one.

    NumPy's numbers and arrays become Python's when it is made, so that a file can hold them.
    """

    def __call__(self, step: int) -> float:
        """The rate for this step."""
        raise NotImplementedError


class ConstantRate(Schedule):
    """Always the same rate."""

    def __init__(self, learning_rate: float):
        self.learning_rate = plain(check_number(learning_rate, "learning_rate", "ConstantRate", 0))

    def __call__(self, step: int) -> float:
        """The rate."""
        return self.learning_rate


class CosineDecay(Schedule):
    """From a rate r to alpha * r along half a cosine, then constant; before it, if wanted, up to r in a straight line.

        without warmup_target   r = initial_learning_rate
        with it                 r = warmup_target; for the first warmup_steps steps
                                rate = initial + (r - initial) * step / warmup_steps
        then                    rate = r * ((1 - alpha) * (1 + cos(pi * s / decay_steps)) / 2 + alpha)

    with s = min(step - warmup_steps, decay_steps), and warmup_steps = 0 without warmup_target.

    Args:
        initial_learning_rate: the first step's.
        decay_steps: how long the cosine takes.
        alpha: what is left at its end, a share of r.
        name: how it is called; nothing depends on it.
        warmup_target: the rate to which the warm-up goes.
        warmup_steps: how long that takes; only with warmup_target.

    Raises:
        ValueError: a rate, alpha or warmup_steps below 0, decay_steps below 1, or warmup_steps without warmup_target.

    Source: Loshchilov and Hutter, arXiv 1608.03983; https://keras.io/api/optimizers/learning_rate_schedules/
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: float = 0,
    ):
        for name, value, least in (("initial_learning_rate", initial_learning_rate, 0), ("decay_steps", decay_steps, 1),
                                   ("alpha", alpha, 0), ("warmup_steps", warmup_steps, 0)):  # fmt: skip
            check_number(value, name, "CosineDecay", least)
        if warmup_target is not None:
            check_number(warmup_target, "warmup_target", "CosineDecay", 0)
        if warmup_steps and warmup_target is None:
            raise ValueError(
                f"CosineDecay: expected warmup_target, the rate to which it rises, beside warmup_steps={warmup_steps}: "
                "CosineDecay(0.0, 900, warmup_target=0.1, warmup_steps=100)."
            )
        self.initial_learning_rate, self.decay_steps = plain(initial_learning_rate), plain(decay_steps)
        self.alpha, self.name = plain(alpha), name
        self.warmup_target, self.warmup_steps = plain(warmup_target), plain(warmup_steps)

    def __call__(self, step: int) -> float:
        """The rate for this step."""
        first, top = self.initial_learning_rate, self.warmup_target
        if top is None:
            top = first
        if step < self.warmup_steps:
            return first + (top - first) * step / self.warmup_steps
        done = min(step - self.warmup_steps, self.decay_steps) / self.decay_steps
        share = (1 - self.alpha) * (1 + math.cos(math.pi * done)) / 2 + self.alpha
        return top * share


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
        self.initial_learning_rate, self.decay_steps = _start(initial_learning_rate, decay_steps, type(self).__name__)
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
        self.initial_learning_rate, self.decay_steps = _start(initial_learning_rate, decay_steps, type(self).__name__)
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
        self.initial_learning_rate, self.decay_steps = _start(initial_learning_rate, decay_steps, type(self).__name__)
        for argument, value in (("end_learning_rate", end_learning_rate), ("power", power)):
            check_number(value, argument, type(self).__name__, 0)
        self.end_learning_rate, self.power = plain(end_learning_rate), plain(power)
        self.cycle, self.name = cycle, name

    def __call__(self, step: int) -> float:
        """The rate for this step."""
        steps = self.decay_steps * (max(1, math.ceil(step / self.decay_steps)) if self.cycle else 1)
        left = (1 - min(step, steps) / steps) ** self.power
        return (self.initial_learning_rate - self.end_learning_rate) * left + self.end_learning_rate


def _start(initial_learning_rate: float, decay_steps: float, caller: str) -> tuple[float, float]:
    """Both as Python's numbers; a ValueError for what a schedule cannot begin with."""
    check_number(initial_learning_rate, "initial_learning_rate", caller, 0)
    check_number(decay_steps, "decay_steps", caller, 0, above=True)
    return plain(initial_learning_rate), plain(decay_steps)


class PiecewiseConstantDecay(Schedule):
    """values[0] up to and including step boundaries[0], then values[1], and so on.

    Args:
        boundaries: rising numbers of steps.
        values: rates, one more than boundaries.
        name: how it is called; nothing depends on it.

    Raises:
        ValueError: boundaries that do not rise, not one value more, or a rate below 0.

    Source: https://keras.io/api/optimizers/learning_rate_schedules/
    """

    def __init__(self, boundaries: Sequence[float], values: Sequence[float], name: str = "PiecewiseConstant"):
        if len(values) != len(boundaries) + 1 or list(boundaries) != sorted(boundaries):
            raise ValueError(
                "PiecewiseConstantDecay: expected rising boundaries and one value more than boundaries, got "
                f"{list(boundaries)} and {list(values)}."
            )
        for place, value in enumerate(values):
            check_number(value, f"values[{place}]", "PiecewiseConstantDecay", 0)
        self.boundaries, self.values = plain(list(boundaries)), plain(list(values))
        self.name = name

    def __call__(self, step: int) -> float:
        """The rate for this step."""
        return self.values[sum(step > boundary for boundary in self.boundaries)]


StepDecay = PiecewiseConstantDecay  # its name before it got Keras's


class WarmUp(Schedule):
    """The rate of another schedule, raised in a straight line from near 0 during the first steps."""

    def __init__(self, after: Schedule | float, warmup_steps: float):
        if not isinstance(after, Schedule):
            after = ConstantRate(check_number(after, "after", "WarmUp", 0))
        self.after = after
        self.warmup_steps = plain(check_number(warmup_steps, "warmup_steps", "WarmUp", 1))

    def __call__(self, step: int) -> float:
        """The rate for this step."""
        return self.after(step) * min(1.0, (step + 1) / self.warmup_steps)
