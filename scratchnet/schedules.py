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
