"""The steps of `Trainable.fit`: a batch is taken, trained on, and taken note of, one by one or recorded in groups."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

from scratchnet.devices import array_module, to_numpy
from scratchnet.divergence import Guard
from scratchnet.losses import Loss
from scratchnet.optimizers import Optimizer
from scratchnet.structures import each, joined, length
from scratchnet.training.data import Batch, Feed
from scratchnet.training.memory import Room
from scratchnet.training.step import RunningMeans, total, train_step
from scratchnet.training.streams import Stream


class SupervisedSteps:
    """Each step is a `train_step` on a batch of the feed; see `scratchnet.training.recorded` for its methods.

    Args:
        model, loss, optimizer: what learns, and how.
        feed: what it is trained on.
        guard, means: what takes note of each step.
        outputs: outputs(z, loss): the model's outputs from what `train_step` returned.
        room: says which batch would fit, where one does not.
    """

    multiple = 1

    def __init__(
        self,
        model: Any,
        loss: Loss,
        optimizer: Optimizer,
        feed: Feed | Stream,
        guard: Guard,
        means: RunningMeans,
        outputs: Callable[[Any, Loss], Any],
        room: Room,
    ) -> None:
        self.model, self.loss, self.optimizer, self.feed = model, loss, optimizer, feed
        self.guard, self.means, self.outputs, self.room = guard, means, outputs, room

    def one(self, index: Any, epoch: int, where: str) -> None:
        """A step by itself."""
        with self.room:
            x, y, weight = self.take(index, epoch)
            self.before(1)
            value, z = train_step(self.model, self.loss, self.optimizer, x, y, weight)
        self.guard.after_step(total(value), x, where)
        self.means.update(value, y, self.outputs(z, self.loss), weight)

    def take(self, index: Any, epoch: int) -> Batch:
        """The examples of these numbers, augmented anew in each epoch; of a stream, the batch that came."""
        batch = self.feed.take(index, epoch)
        self.room.batch_size = length(batch[0])
        return batch

    def train(self, x: Any, y: Any, weight: Any) -> tuple[Any, Any]:
        """(loss, the outputs before their activation) of a recorded step, on the device."""
        return train_step(self.model, self.loss, self.optimizer, x, y, weight)

    def before(self, count: int) -> None:
        """Keep a copy of the weights now and then."""
        self.guard.before_step(count)

    def done(self, values: list[tuple[Any, Any]], batch: Batch, where: Sequence[str]) -> None:
        """The losses come to the CPU by one copy; the metrics take all of the group's examples at once."""
        x, y, weight = batch
        numbers = [number for value, _ in values for number in (value if isinstance(value, tuple) else (value,))]
        xp, size = array_module(numbers[0]), length(x) // len(values)
        flat = to_numpy(xp.stack(numbers)).tolist()
        each_has = len(flat) // len(values)
        losses = [tuple(flat[i : i + each_has]) for i in range(0, len(flat), each_has)]
        for number, (loss, place) in enumerate(zip(losses, where)):
            part = slice(number * size, (number + 1) * size)
            self.guard.after_step(loss[0], each(itemgetter(part), x), place)
        z = joined([z for _, z in values])
        self.means.update_group(losses, y, self.outputs(z, self.loss), weight)
