"""Several steps of `fit` as one launch, on devices that can record them: a CUDA graph on the GPU.

The loop hands over groups of batches. The first group is trained step by step, as ever, for that is when kernels are
compiled and memory is made. Then a group is recorded, and the recording is replayed for each group that follows in the
epoch; every epoch records anew, since callbacks may have changed the network in between.

The same kernels run in the same order as step by step. Where a step cannot be recorded, the run goes on step by step,
and a warning says why, once.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from operator import itemgetter
from typing import Any, Protocol

import numpy as np

from scratchnet import random, replay
from scratchnet.callbacks import Callback
from scratchnet.devices import Device
from scratchnet.structures import each, leaves, length

STEPS = 16  # in a group: Python's work for a launch is then a sixteenth of it for each step


class Steps(Protocol):
    """The steps of a run, as `fit` makes them: see `training/steps.py`, `gan/training.py`."""

    multiple: int  # a group has a multiple of so many steps

    def one(self, index: Any, epoch: int, where: str) -> None:
        """Train on the examples of these numbers and take note of it; `where` names the step, for errors."""

    def take(self, index: Any, epoch: int) -> tuple[Any, ...]:
        """The arrays of a batch, on the device, the examples along their first axes; None for those there are not.

        Where a model has several inputs or outputs, they are lists of arrays.
        """

    def train(self, *batch: Any) -> Any:
        """A step in a recording; returns what is to be taken note of, as arrays on the device."""

    def before(self, count: int) -> None:
        """Called before so many steps."""

    def done(self, values: list[Any], batch: tuple[Any, ...], where: Sequence[str]) -> None:
        """Take note of a group of steps; `values` are those of `train`, `batch` has the examples of all of them."""


class Group:
    """Runs the steps of a loop, in groups where the device can record them.

    Args:
        steps: the steps.
        model: has a device, and get_run_state and set_run_state, which undo what a recording that failed has begun.
        name: of the caller, for the warning.

    Attributes:
        size: batches that are to come at once.
    """

    def __init__(self, steps: Steps, device: Device, model: Any, name: str) -> None:
        self.steps, self.device, self.model, self.name = steps, device, model, name
        self.size = 1 if device.graph is None else max(STEPS // steps.multiple, 1) * steps.multiple
        self._warm = False  # whether a group has been trained step by step
        self._epoch: int | None = None  # that the recording was made in
        self._graph: Any = None

    def look_at(self, callbacks: Sequence[Callback], batches: int | None) -> None:
        """Give up groups where epochs have too few batches for one, or a callback must be called after each of them."""
        names = [type(callback).__name__ for callback in callbacks if callback.every_batch]
        if batches is None or batches < self.size:
            self.size = 1
        elif names and self.size > 1:
            self._give_up(f"{' and '.join(names)} must be called for each batch.")

    def _give_up(self, why: str) -> None:
        self.size, self._graph = 1, None
        warnings.warn(
            f"{self.name}: the steps are not recorded as a graph but run one by one, which is slower on the "
            f"{self.device.name.upper()}. {why}",
            stacklevel=2,
        )

    def __call__(self, indices: Sequence[Any], epoch: int, where: Sequence[str]) -> None:
        """Train on batches: one, or a group of `size`, all of one length."""
        if len(indices) > 1 and self._warm:
            try:
                batch = self.steps.take(np.concatenate(indices), epoch)
                if self._epoch != epoch:
                    self._record(batch, len(indices), epoch)
            except MemoryError as error:  # there may be room for one batch
                self._give_up(f"{len(indices)} batches at once: {error}")
        if len(indices) == 1 or self._graph is None:
            for index, place in zip(indices, where):
                self.steps.one(index, epoch, place)
            self._warm = self._warm or len(indices) > 1
            return
        for place, array in zip(leaves(self._batch), leaves(batch)):
            if place is not array:  # it is where the recording was made with this batch
                place[...] = array
        self.steps.before(len(indices))
        self._graph.replay()
        self.steps.done(self._values, batch, where)

    def _record(self, batch: tuple[Any, ...], count: int, epoch: int) -> None:
        """Record a group of so many steps; where that cannot be, all is as before."""
        assert self.device.graph is not None  # groups come only where there is one
        self._batch = batch
        before, draws = copy.deepcopy(self.model.get_run_state()), random.get_state()
        graph = self.device.graph()
        try:
            self._values = graph.record(lambda: [self.steps.train(*self._part(i, count)) for i in range(count)])
        except replay.NotRecorded as error:
            self.model.set_run_state(before)
            random.set_state(draws)
            self._give_up(f"{error}.")
        else:
            self._graph, self._epoch = graph, epoch

    def _part(self, number: int, count: int) -> tuple[Any, ...]:
        """The arrays of one of the group's batches."""
        size = length(self._batch[0]) // count
        part = slice(number * size, (number + 1) * size)
        return tuple(each(itemgetter(part), value) for value in self._batch)
