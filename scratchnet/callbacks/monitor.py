"""Whether a value got better: what early stopping, checkpoints and falling learning rates have in common."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import Any

from scratchnet.arguments import check_choice
from scratchnet.callbacks.base import Callback, Logs
from scratchnet.fields import number, optional, record

# Ends of the names whose larger values are better; not "entropy", in which losses end too.
LARGER = ("accuracy", "acc", "auc", "precision", "recall", "class_entropy", "diversity")


BEST = optional(number(finite=False))  # the best value, in states


class Monitor(Callback):
    """Watches one value of the logs and remembers its best.

    Args:
        monitor: its name, such as "val_loss".
        mode: "min" or "max", which of two values is better; "auto" takes the larger accuracy, AUC, precision, recall,
            class entropy and diversity, and the smaller of anything else.
        min_delta: how much better a value must be to count.
        best: what the first value is compared with; None for nothing.

    A value that is NaN is never better.

    Raises:
        ValueError: a mode that there is not, or a min_delta below 0.
    """

    def __init__(self, monitor: str, mode: str = "auto", min_delta: float = 0.0, best: float | None = None):
        mode = check_choice(mode, ("auto", "max", "min"), "mode")
        if not min_delta >= 0:
            raise ValueError(f"{type(self).__name__}: expected min_delta of at least 0, got {min_delta!r}.")
        self.monitor, self.min_delta, self.first_best = monitor, min_delta, best
        self.larger_is_better = mode == "max" or (mode == "auto" and monitor.endswith(LARGER))
        self.best = best

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget the last run."""
        self.best = self.first_best

    def get_state(self) -> dict[str, Any]:
        """The best value so far."""
        return {"best": self.best}

    def check_state(self, state: Mapping[str, Any], where: str) -> None:
        """See Callback."""
        record(best=BEST)(state, where)

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take over the best value, which later ones are compared with."""
        self.best = state["best"]

    def value(self, logs: Logs | None) -> float | None:
        """The value in the logs; None, with a warning, where it is not there."""
        if logs is None or self.monitor not in logs:
            hint = " Give fit validation_data." if self.monitor.startswith("val_") else ""
            warnings.warn(
                f"{type(self).__name__}: there is no {self.monitor!r} to watch, only {', '.join(sorted(logs or {}))}."
                f"{hint}",
                UserWarning,
                stacklevel=2,
            )
            return None
        return float(logs[self.monitor])

    def is_better(self, value: float) -> bool:
        """Whether the value is better than the best, by more than min_delta."""
        if math.isnan(value):
            return False
        if self.best is None:
            return True
        return value - self.min_delta > self.best if self.larger_is_better else value + self.min_delta < self.best
