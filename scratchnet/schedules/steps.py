"""Rates that stay for some steps, rates along straight lines, and rates that rise at first."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from scratchnet.arguments import check_number
from scratchnet.config import plain
from scratchnet.schedules.base import ConstantRate, Schedule


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


class PiecewiseLinear(Schedule):
    """Straight lines through points: values[i] at step boundaries[i]; the first value before, the last one after them.

        rate = values[i] + (values[i + 1] - values[i]) * (step - boundaries[i]) / (boundaries[i + 1] - boundaries[i])

    Up and down again, PiecewiseLinear([0, 100, 400], [0.0, 0.4, 0.0]) is the triangle of super-convergence.

    Args:
        boundaries: rising numbers of steps.
        values: the rates there.

    Raises:
        ValueError: boundaries that do not rise, another number of values than of boundaries, or a rate below 0.

    Source: Smith and Topin, "Super-convergence", arXiv 1708.07120.
    """

    def __init__(self, boundaries: Sequence[float], values: Sequence[float]):
        rising = all(one < other for one, other in itertools.pairwise(boundaries))
        if not len(values) == len(boundaries) > 0 or not rising:
            raise ValueError(
                "PiecewiseLinear: expected rising boundaries and as many values, got "
                f"{list(boundaries)} and {list(values)}."
            )
        for place, value in enumerate(values):
            check_number(value, f"values[{place}]", "PiecewiseLinear", 0)
        self.boundaries, self.values = plain(list(boundaries)), plain(list(values))

    def __call__(self, step: int) -> float:
        """The rate for this step."""
        return float(np.interp(step, self.boundaries, self.values))


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
