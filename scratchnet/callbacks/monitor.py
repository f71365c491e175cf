"""Whether a value got better: what early stopping, checkpoints and falling learning rates have in common."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import Any

from scratchnet.arguments import check_choice, is_number
from scratchnet.callbacks.base import Callback, Logs
from scratchnet.fields import number, optional, record
from scratchnet.losses import LOSSES
from scratchnet.metrics import METRICS
from scratchnet.old_names import Values

# Which of two values is better, where the model's own metrics do not say: those that the package can put into the logs.
# Not the others of a GAN: a smaller d_loss is the better discriminator, and so the worse generator.
LARGER = {"class_entropy", "diversity", *(name for name, cls in METRICS.items() if cls.direction == "up")}
SMALLER = {"loss", "fcd", "kid", *(name for name, cls in METRICS.items() if cls.direction == "down"), *LOSSES} - LARGER


BEST = optional(number(finite=False))  # the best value, in states


class Monitor(Callback):
    """Watches one value of the logs and remembers its best.

    Args:
        monitor: its name, such as "val_loss".
        mode: "min" or "max", which of two values is better; "auto" asks the `direction` of the model's metric of that
            name, and knows the loss and the other names of this package's metrics.
        min_delta: how much better a value must be to count; the sign does not matter, as in Keras.
        best: what the first value is compared with; None for nothing.

    A value is better if value > best + min_delta, or with "min" if value < best - min_delta. A value that is NaN is
    never better: there Keras keeps a NaN that comes first as its best, which nothing later is better than.

    Raises:
        ValueError: a mode that there is not, or a min_delta that is no number; before training begins, "auto" for a
            value of which nobody knows which is better.

    Source: keras/src/callbacks/monitor_callback.py of Keras 3.15.
    """

    def __init__(self, monitor: str, mode: str = "auto", min_delta: float = 0.0, best: float | None = None):
        self.mode = check_choice(mode, ("auto", "max", "min"), "mode")
        if not is_number(min_delta) or math.isnan(min_delta):
            raise ValueError(f"{type(self).__name__}: expected min_delta as a number, got {min_delta!r}.")
        self.monitor, self.min_delta = monitor, abs(min_delta)
        self.larger_is_better: bool | None = None if self.mode == "auto" else self.mode == "max"
        self.best = best

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Find out which of two values is better. What was best in an earlier run stays."""
        self.find_direction()

    def find_direction(self) -> None:
        """Set `larger_is_better`, where mode="auto" leaves it to the name."""
        if self.mode != "auto":
            return
        name = self.monitor.removeprefix("val_")
        metrics = {metric.name: metric.direction for metric in getattr(self.model, "metrics", ())}
        if (direction := metrics.get(name)) is not None:
            self.larger_is_better = direction == "up"
        elif name.endswith("_loss") and name in getattr(self.model, "metrics_names", ()):
            self.larger_is_better = False  # the loss of one of several outputs
        elif name in LARGER or name in SMALLER or _is_top_k(name):
            self.larger_is_better = name not in SMALLER
        else:
            raise ValueError(
                f"{type(self).__name__}: is a larger or a smaller {self.monitor!r} better? Its name does not say: give "
                "mode='max' or mode='min'. A metric of your own may have direction = 'up' or 'down' in its class."
            )

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
        try:
            return float(Values(logs or {})[self.monitor])
        except KeyError:
            hint = " Give fit validation_data." if self.monitor.startswith("val_") else ""
            warnings.warn(
                f"{type(self).__name__}: there is no {self.monitor!r} to watch, only {', '.join(sorted(logs or {}))}."
                f"{hint}",
                UserWarning,
                stacklevel=2,
            )
            return None

    def is_better(self, value: float, reference: float | None) -> bool:
        """Whether the value is better than the reference, by more than min_delta; than None, anything is."""
        if math.isnan(value):
            return False
        if reference is None:
            return True
        if self.larger_is_better is None:
            self.find_direction()
        return value - self.min_delta > reference if self.larger_is_better else value + self.min_delta < reference


def _is_top_k(name: str) -> bool:
    """Whether this is "top_5_accuracy" or the like, which `compile` takes for any number."""
    start, _, end = name.partition("_")
    number, _, kind = end.partition("_")
    return (start, kind) == ("top", "accuracy") and number.isdecimal()
