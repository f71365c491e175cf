"""Where a training run stands: all that it needs to go on, in another process, as if it had never stopped."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from scratchnet import config, random
from scratchnet.callbacks import CallbackList
from scratchnet.feed import Feed
from scratchnet.steps import batches


class Run:
    """A run of `fit`, as it is after the last whole step.

    Args:
        model: with get_run_state and set_run_state.
        callbacks: all of them.
        parts: what else changes while it trains, by name, each with get_state and set_state.
        feed: what it is trained on.
        batch_size, shuffle, epochs: as in fit.
        epoch: the first one.

    Attributes:
        epoch: epochs that are done.
        batch: batches of the next epoch that are done.
    """

    def __init__(
        self,
        model: Any,
        callbacks: CallbackList,
        parts: Mapping[str, Any],
        feed: Feed,
        batch_size: int,
        shuffle: bool,
        epochs: int,
        epoch: int = 0,
    ):
        self.model, self.callbacks, self.feed = model, callbacks, feed
        self.parts = {**parts, "feed": feed}
        self.batch_size, self.shuffle, self.epochs = batch_size, shuffle, epochs
        self.epoch, self.batch = epoch, 0
        self.logs: dict[str, float] = {}
        self._at_epoch = random.get_state()

    @property
    def complete(self) -> bool:
        """Whether there is nothing left to train."""
        return self.epoch >= self.epochs or self.model.stop_training

    def batches(self) -> Iterator[tuple[int, np.ndarray]]:
        """(number, indices) of the batches that are left in this epoch, in the epoch's own order."""
        if self.batch == 0:
            self._at_epoch = random.get_state()
            order = list(batches(len(self.feed), self.batch_size, self.shuffle))
        else:
            with random.untouched():
                random.set_state(self._at_epoch)
                order = list(batches(len(self.feed), self.batch_size, self.shuffle))
        for number in range(self.batch, len(order)):
            yield number, order[number]

    def epoch_done(self, logs: dict[str, float]) -> None:
        """Count an epoch."""
        self.epoch, self.batch, self.logs = self.epoch + 1, 0, logs

    def identity(self) -> dict[str, Any]:
        """What must be the same in a run that goes on with this one: layers, data, batches."""
        layers = json.dumps(_without_names(config.describe(self.model, self.model.who)), sort_keys=True)
        return {
            "model": f"{type(self.model).__name__} with a checksum of {zlib.crc32(layers.encode()):08x}",
            **self.feed.identity(),
            "batch_size": self.batch_size,
            "shuffle": self.shuffle,
        }

    def get_state(self) -> dict[str, Any]:
        """All that changes while it trains."""
        return {
            "epoch": self.epoch,
            "batch": self.batch,
            "logs": self.logs,
            "random_at_epoch": self._at_epoch,
            "random": random.get_state(),
            "model": self.model.get_run_state(),
            "callbacks": self.callbacks.get_state(),
            "parts": {name: part.get_state() for name, part in self.parts.items()},
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on from what `get_state` gave."""
        self.model.set_run_state(state["model"])
        self.callbacks.set_state(state["callbacks"])
        for name, part in self.parts.items():
            part.set_state(state["parts"][name])
        self.epoch, self.batch, self.logs = state["epoch"], state["batch"], state["logs"]
        self._at_epoch = state["random_at_epoch"]
        random.set_state(state["random"])


def _without_names(tree: Any) -> Any:
    """A description without the names of layers, which are counted up from model to model."""
    if isinstance(tree, dict):
        return {k: _without_names(v) for k, v in tree.items() if k != "name"}
    return [_without_names(v) for v in tree] if isinstance(tree, list) else tree
