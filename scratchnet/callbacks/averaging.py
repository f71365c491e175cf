"""Two averages of the weights as callbacks: one beside the weights, and one from which they go on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from scratchnet.arguments import check_count, check_number
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


class _SlowWeights(MovingAverage):
    """A moving average that takes in a share of the weights, share(number of steps), at each update."""

    def __init__(self, model: Any, share: Callable[[int], float]):
        super().__init__(model)
        self.share, self.steps = share, 0

    def _next_momentum(self) -> float:
        return 1 - check_number(self.share(self.steps), "slow_step_size", "Lookahead", 0, 1)


class Lookahead(Callback):
    """After every few steps, the weights go back to where they have been on the average, and go on from there.

        slow = slow + slow_step_size * (weights - slow),  weights = slow      after every sync_period steps

    The optimizer explores with large steps, and what is common to them stays. Statistics such as those of batch
    normalization are averaged with the weights; the optimizer keeps its memory. While it trains, and in validation,
    the model has its own, fast weights; the slow ones when training ends.

    Args:
        sync_period: steps from one average to the next; k in the paper.
        slow_step_size: from 0 to 1, alpha in the paper; or a function of the steps so far.

    Raises:
        ValueError: a bad argument, or a function that gives no number from 0 to 1.

    Source: Zhang, Lucas, Hinton and Ba, "Lookahead Optimizer: k steps forward, 1 step back", arXiv 1907.08610; the
    names are those of TensorFlow Addons.
    """

    def __init__(self, sync_period: int = 6, slow_step_size: float | Callable[[int], float] = 0.5):
        self.sync_period = check_count(sync_period, "sync_period", "Lookahead")
        if not callable(slow_step_size):
            check_number(slow_step_size, "slow_step_size", "Lookahead", 0, 1)
        self.slow_step_size = slow_step_size
        self.slow: _SlowWeights | None = None

    def get_state(self) -> dict[str, Any]:
        """The steps so far, and the slow weights."""
        return (
            {"steps": 0, "slow": None} if self.slow is None else {"steps": self.slow.steps, "slow": self.slow.average}
        )

    def check_state(self, state: Mapping[str, Any], where: str) -> None:
        """See Callback."""
        record(steps=count(), slow=optional(anything))(state, where)
        if state["slow"] is not None and self.slow is not None:
            like_arrays(state["slow"], self.slow.average, join(where, "slow"))

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take over both."""
        if state["slow"] is not None:
            slow = self._running()
            own, slow.steps = slow.average, state["steps"]
            slow.average = {name: like(array, own[name]).copy() for name, array in state["slow"].items()}

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Begin with the weights as they are."""
        size = self.slow_step_size
        self.slow = _SlowWeights(self.model, size if callable(size) else lambda _: size)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Count the step; after every sync_period of them, go back to the average."""
        slow = self._running()
        slow.steps += 1
        if slow.steps % self.sync_period == 0:
            slow.update()
            slow.put()

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Hand back the slow weights."""
        self._running().put()

    def _running(self) -> _SlowWeights:
        if self.slow is None:
            raise RuntimeError("Lookahead: there are no slow weights before on_train_begin.")
        return self.slow
