"""Early stopping."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from scratchnet.arguments import check_count
from scratchnet.callbacks.base import Logs
from scratchnet.callbacks.monitor import Monitor


class EarlyStopping(Monitor):
    """Ends training once a value has not become better for `patience` epochs.

    Args:
        monitor, min_delta, mode: see Monitor.
        patience: epochs that may pass without a better value.
        verbose: 1 says when it ends training.
        baseline: what the value must be better than to count.
        restore_best_weights: whether the model gets the weights of its best epoch when training ends.
        start_from_epoch: epochs before it begins to watch.

    Attributes:
        stopped_epoch: the epoch, from 0, after which it ended training; 0 if it did not.

    Raises:
        ValueError: patience below 0, or as Monitor.

    Source: https://keras.io/api/callbacks/early_stopping/
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0.0,
        patience: int = 0,
        verbose: int | bool = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ):
        super().__init__(monitor, mode, abs(min_delta), baseline)
        self.patience = check_count(patience, "patience", "EarlyStopping", 0, None)
        self.start_from_epoch = check_count(start_from_epoch, "start_from_epoch", "EarlyStopping", 0, None)
        self.verbose = verbose
        self.restore_best_weights = restore_best_weights
        self._begin()

    def _begin(self) -> None:
        self.wait, self.stopped_epoch, self.best_epoch = 0, 0, 0
        self.best_weights: list[np.ndarray] | None = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget the last run."""
        super().on_train_begin(logs)
        self._begin()

    def get_state(self) -> dict[str, Any]:
        """The best epoch, its weights if they are wanted, and how long ago it was."""
        names = ("best", "wait", "stopped_epoch", "best_epoch", "best_weights")
        return {name: getattr(self, name) for name in names}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take over all of it; the patience that is used up stays so."""
        for name, value in state.items():
            setattr(self, name, value)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Look at the value; end training if it is time."""
        value = None if epoch < self.start_from_epoch else self.value(logs)
        if value is None:
            return
        if self.restore_best_weights and self.best_weights is None:
            self.best_weights = self.model.get_weights()  # even if no epoch is better than the baseline
        self.wait += 1
        if self.is_better(value):
            self.best, self.best_epoch, self.wait = value, epoch, 0
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Say it, and bring the best weights back."""
        if self.stopped_epoch and self.verbose:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping; the best was epoch {self.best_epoch + 1}.")
        if self.best_weights is not None:
            self.model.set_weights(self.best_weights)
