"""What a schedule is, and what several of them check."""

from __future__ import annotations

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


def check_start(initial_learning_rate: float, decay_steps: float, caller: str) -> tuple[float, float]:
    """Both as Python's numbers; a ValueError for what a schedule cannot begin with."""
    check_number(initial_learning_rate, "initial_learning_rate", caller, 0)
    check_number(decay_steps, "decay_steps", caller, 0, above=True)
    return plain(initial_learning_rate), plain(decay_steps)
