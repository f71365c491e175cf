"""Early stopping."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from scratchnet.arguments import check_count
from scratchnet.callbacks.base import Logs
from scratchnet.callbacks.monitor import BEST, Monitor
from scratchnet.fields import array, count, join, like_arrays, list_of, optional, record
from scratchnet.printing import say


class EarlyStopping(Monitor):
    """Ends training once a value has not become better for `patience` epochs.

    Args:
        monitor, min_delta, mode: see Monitor.
        patience: epochs that may pass without a better value; the first epoch never ends training.
        verbose: 1 says when it ends training.
        baseline: a better value must be better than this, too, or the patience runs on.
        restore_best_weights: whether the model gets the weights of its best epoch when training ends, be it better than
            the baseline or not.
        start_from_epoch: epochs before it begins to watch.

    Attributes:
        stopped_epoch: the epoch, from 0, after which it ended training; 0 if it did not.
        best, best_epoch: the best value of this run, and its epoch, from 0.

    Each `fit` begins anew.

    Raises:
        ValueError: patience below 0, or as Monitor.

    Source: https://keras.io/api/callbacks/early_stopping/; keras/src/callbacks/early_stopping.py of Keras 3.15.
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
        super().__init__(monitor, mode, min_delta)
        self.patience = check_count(patience, "patience", "EarlyStopping", 0, None)
        self.start_from_epoch = check_count(start_from_epoch, "start_from_epoch", "EarlyStopping", 0, None)
        self.verbose, self.baseline, self.restore_best_weights = verbose, baseline, restore_best_weights
        self._begin()

    def _begin(self) -> None:
        self.best: float | None = None
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

    def check_state(self, state: Mapping[str, Any], where: str) -> None:
        """See Callback."""
        counts = dict.fromkeys(("wait", "stopped_epoch", "best_epoch"), count())
        record(best=BEST, **counts, best_weights=optional(list_of(array)))(state, where)
        if state["best_weights"] is not None:
            own, kept = (
                {str(i): a for i, a in enumerate(w)} for w in (self.model.get_weights(), state["best_weights"])
            )
            like_arrays(kept, own, join(where, "best_weights"))

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take over all of it; the patience that is used up stays so."""
        for name, value in state.items():
            setattr(self, name, value)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Look at the value; end training if it is time."""
        value = self.value(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self.best_weights, self.best_epoch = self.model.get_weights(), epoch  # also where all values are NaN
        self.wait += 1
        if self.is_better(value, self.best):
            self.best, self.best_epoch = value, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self.is_better(value, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Say it, and bring the best weights back."""
        if self.stopped_epoch and self.verbose:
            say(f"Epoch {self.stopped_epoch + 1}: early stopping; the best was epoch {self.best_epoch + 1}.")
        if self.best_weights is not None:
            self.model.set_weights(self.best_weights)
