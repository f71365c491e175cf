"""Learning rates that change from epoch to epoch. Those that change from step to step are in `scratchnet.schedules`."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from scratchnet.arguments import check_count, check_number, is_number, shortened
from scratchnet.callbacks.base import Callback, Logs
from scratchnet.callbacks.monitor import BEST, Monitor
from scratchnet.fields import count, record
from scratchnet.printing import say
from scratchnet.schedules import ConstantRate


def check_no_schedule(optimizer: Any, caller: str) -> None:
    """Raise a ValueError where a rate that is set would replace a schedule; `optimizer` may be a GAN's pair."""
    for one in getattr(optimizer, "both", {"": optimizer}).values():
        if not isinstance(one.schedule, ConstantRate):
            raise ValueError(
                f"{caller}: the optimizer has a {type(one.schedule).__name__} for its learning rate, which this "
                "callback "
                "would replace. Leave out one of them, or give the optimizer a number."
            )


def log_rate(optimizer: Any, logs: Logs | None) -> None:
    """Put the rate of this epoch into its logs, as "learning_rate"; of a GAN's pair it is the generator's."""
    if logs is not None:
        logs["learning_rate"] = float(optimizer.learning_rate)


class LearningRateScheduler(Callback):
    """Before each epoch, learning rate = schedule(epoch, learning rate); epochs counted from 0.

    The history, the CSV file and all that look at the logs have it as "learning_rate".

    Args:
        schedule: a function of (epoch, rate), or of the epoch alone. A rate that stays goes to the optimizer:
            sn.Adam(0.001).
        verbose: 1 says the rate of each epoch.

    Raises:
        TypeError: schedule is no function, or what it returns is no number.
        ValueError: the optimizer has a schedule of its own; said before training begins.

    Source: https://keras.io/api/callbacks/learning_rate_scheduler/
    """

    def __init__(self, schedule: Callable[..., float], verbose: int | bool = 0):
        self.schedule, self.verbose = schedule, verbose

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Look whether the rate is there to be set."""
        check_no_schedule(self.model.optimizer, "LearningRateScheduler")

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Set the rate."""
        optimizer = self.model.optimizer
        arguments = (epoch, optimizer.learning_rate)
        rate = self.schedule(*arguments[: 2 if len(inspect.signature(self.schedule).parameters) > 1 else 1])
        if isinstance(rate, np.ndarray) and rate.ndim == 0:
            rate = rate[()]
        if not is_number(rate) or not 0 <= rate < math.inf:
            raise TypeError(
                f"LearningRateScheduler: expected schedule to return a rate of at least 0, a finite number, got "
                f"{shortened(rate)} for epoch {epoch}."
            )
        optimizer.learning_rate = float(rate)
        if self.verbose:
            say(f"Epoch {epoch + 1}: learning rate {optimizer.learning_rate:g}")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Add the rate to the logs."""
        log_rate(self.model.optimizer, logs)


class ReduceLROnPlateau(Monitor):
    """Multiplies the learning rate by `factor` once a value has not become better for `patience` epochs.

    The logs have the rate with which the epoch was trained as "learning_rate". Each `fit` begins anew, with the rate as
    it is.

    Args:
        monitor, mode, min_delta: see Monitor.
        factor: from 0 to below 1.
        patience: epochs that may pass without a better value.
        verbose: 1 says when the rate falls.
        cooldown: epochs after that in which it does not count.
        min_lr: the rate never falls below.

    Raises:
        ValueError: a factor that is not from 0 to below 1; an optimizer that has a schedule of its own, said before
            training begins.

    Source: https://keras.io/api/callbacks/reduce_lr_on_plateau/; keras/src/callbacks/reduce_lr_on_plateau.py of 3.15.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int | bool = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ):
        super().__init__(monitor, mode, min_delta)
        self.factor = check_number(factor, "factor", "ReduceLROnPlateau", 0, 1, below=True)
        self.patience = check_count(patience, "patience", "ReduceLROnPlateau", 0, None)
        self.cooldown = check_count(cooldown, "cooldown", "ReduceLROnPlateau", 0, None)
        self.min_lr, self.verbose = check_number(min_lr, "min_lr", "ReduceLROnPlateau", 0), verbose
        self.wait, self.cooling = 0, 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget the last run."""
        super().on_train_begin(logs)
        check_no_schedule(self.model.optimizer, "ReduceLROnPlateau")
        self.best, self.wait, self.cooling = None, 0, 0

    def get_state(self) -> dict[str, Any]:
        """The best value, and how many epochs have passed."""
        return {"best": self.best, "wait": self.wait, "cooling": self.cooling}

    def check_state(self, state: Mapping[str, Any], where: str) -> None:
        """See Callback."""
        record(best=BEST, wait=count(), cooling=count())(state, where)

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take over the best value and both counts of epochs."""
        self.best, self.wait, self.cooling = state["best"], state["wait"], state["cooling"]

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Look at the value, lower the rate if it is time."""
        log_rate(self.model.optimizer, logs)
        value = self.value(logs)
        if value is None:
            return
        if self.cooling > 0:
            self.cooling -= 1
            self.wait = 0
        if self.is_better(value, self.best):
            self.best, self.wait = value, 0
        elif self.cooling <= 0:
            self.wait += 1
            optimizer = self.model.optimizer
            if self.wait >= self.patience and optimizer.learning_rate > self.min_lr:
                optimizer.learning_rate = max(optimizer.learning_rate * self.factor, self.min_lr)
                self.cooling, self.wait = self.cooldown, 0
                if self.verbose:
                    say(f"Epoch {epoch + 1}: learning rate lowered to {optimizer.learning_rate:g}")
