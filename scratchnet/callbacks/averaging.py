"""The moving average of the weights as a callback."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scratchnet.averaging import MovingAverage, check_momentum
from scratchnet.callbacks.base import Callback, Logs
from scratchnet.devices import like
from scratchnet.fields import anything, count, join, like_arrays, optional, record, truth


class ExponentialMovingAverage(Callback):
    """Trains the weights as ever, and measures, saves and hands back their moving average, which is steadier.

    The average is put in the weights' place when an epoch's validation begins, and taken out when the next epoch
    begins. So val_..., checkpoints and early stopping are about the average, and the model has it when training ends.
    It runs before all others, wherever it stands in the list.

    Args:
        momentum: see scratchnet.averaging.MovingAverage.

    Raises:
        ValueError: momentum is not from 0 to below 1.
    """

    runs_first = True  # those that save, and those that bring back earlier weights, find the average in place

    def __init__(self, momentum: float = 0.999):
        check_momentum(momentum, "ExponentialMovingAverage")
        self.momentum = momentum
        self.average: MovingAverage | None = None
        self.in_place = False

    def get_state(self) -> dict[str, Any]:
        """The average, or, where that is in the weights' place, the weights."""
        if self.average is None:
            return {"in_place": False, "updates": 0, "average": None}
        return {"in_place": self.in_place, "updates": self.average.updates, "average": self.average.average}

    def check_state(self, state: Mapping[str, Any], where: str) -> None:
        """See Callback."""
        record(in_place=truth, updates=count(), average=optional(anything))(state, where)
        if state["average"] is not None and self.average is not None:
            like_arrays(state["average"], self._running().average, join(where, "average"))

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take over the average, whichever of both stands in the weights' place."""
        if state["average"] is not None:
            average = self._running()
            average.updates, self.in_place = state["updates"], state["in_place"]
            own = average.average
            average.average = {name: like(array, own[name]).copy() for name, array in state["average"].items()}

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Begin with the weights as they are."""
        self.average, self.in_place = MovingAverage(self.model, self.momentum), False

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Train the weights themselves."""
        self._put(False)

    def on_epoch_resume(self, epoch: int, batch: int) -> None:
        """Train the weights themselves."""
        self._put(False)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Take in the weights as they are after this step."""
        self._running().update()

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Measure the average."""
        self._put(True)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Save the average, also where there was no validation."""
        self._put(True)

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Hand back the average, also where an epoch was broken off."""
        self._put(True)

    def _put(self, average: bool) -> None:
        if self.in_place != average:
            self._running().swap()
            self.in_place = average

    def _running(self) -> MovingAverage:
        if self.average is None:
            raise RuntimeError("ExponentialMovingAverage: there is no average before on_train_begin.")
        return self.average
