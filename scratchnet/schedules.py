"""Learning-rate schedules: the rate as a function of the step, steps counted from 0."""

from __future__ import annotations

import math
from collections.abc import Sequence

from scratchnet.config import Configurable


class Schedule(Configurable):
    """Called with the number of updates made so far, returns the learning rate of the next one."""

    def __call__(self, step: int) -> float:
        """The rate for this step."""
        raise NotImplementedError


class ConstantRate(Schedule):
    """Always the same rate."""

    def __init__(self, learning_rate: float):
        self.learning_rate = learning_rate

    def __call__(self, step: int) -> float:
        """The rate."""
        return self.learning_rate


class CosineDecay(Schedule):
    """From the initial rate to alpha times it along half a cosine, then constant; before it an optional warm-up.

    rate = r * ((1 - alpha) * (1 + cos(pi * s / decay_steps)) / 2 + alpha), s = min(step - warmup_steps, decay_steps).
    During the warm-up the rate rises in a straight line to r. Source: arXiv 1608.03983.
    """

    def __init__(self, initial_learning_rate: float, decay_steps: int, alpha: float = 0.0, warmup_steps: int = 0):
        if decay_steps < 1 or warmup_steps < 0:
            raise ValueError(
                "CosineDecay: expected decay_steps of at least 1 and warmup_steps of at least 0, got "
                f"{decay_steps} and {warmup_steps}."
            )
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, decay_steps
        self.alpha, self.warmup_steps = alpha, warmup_steps

    def __call__(self, step: int) -> float:
        """The rate for this step."""
        if step < self.warmup_steps:
            return self.initial_learning_rate * (step + 1) / self.warmup_steps
        done = min(step - self.warmup_steps, self.decay_steps) / self.decay_steps
        share = (1 - self.alpha) * (1 + math.cos(math.pi * done)) / 2 + self.alpha
        return self.initial_learning_rate * share


class StepDecay(Schedule):
    """values[0] up to and including step boundaries[0], then values[1], and so on (Keras's PiecewiseConstantDecay)."""

    def __init__(self, boundaries: Sequence[int], values: Sequence[float]):
        if len(values) != len(boundaries) + 1 or list(boundaries) != sorted(boundaries):
            raise ValueError(
                "StepDecay: expected rising boundaries and one value more than boundaries, got "
                f"{list(boundaries)} and {list(values)}."
            )
        self.boundaries, self.values = list(boundaries), list(values)

    def __call__(self, step: int) -> float:
        """The rate for this step."""
        return self.values[sum(step > boundary for boundary in self.boundaries)]


class WarmUp(Schedule):
    """The rate of another schedule, raised in a straight line from near 0 during the first steps."""

    def __init__(self, after: Schedule | float, warmup_steps: int):
        self.after = after if isinstance(after, Schedule) else ConstantRate(after)
        if warmup_steps < 1:
            raise ValueError(f"WarmUp: expected warmup_steps of at least 1, got {warmup_steps!r}.")
        self.warmup_steps = warmup_steps

    def __call__(self, step: int) -> float:
        """The rate for this step."""
        return self.after(step) * min(1.0, (step + 1) / self.warmup_steps)
