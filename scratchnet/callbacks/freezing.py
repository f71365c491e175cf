"""Layers that learn for some epochs only, as a callback."""

from __future__ import annotations

from collections.abc import Sequence

from scratchnet.arguments import check_count
from scratchnet.callbacks.base import Callback, Logs


class FreezeLayers(Callback):
    """Layers learn in the first epochs, and are held fixed from then on: what lies before them needs no gradient any
    more, and a step is faster.

    Args:
        layers: their names.
        epoch: the first epoch, counted from 0, in which they are held fixed (`trainable = False`).

    Raises:
        ValueError: the model has no layer of that name; said before training begins.

    Source: Brock, Lim, Ritchie and Weston, "FreezeOut", arXiv 1706.04983.
    """

    def __init__(self, layers: Sequence[str], epoch: int):
        self.layers, self.epoch = list(layers), check_count(epoch, "epoch", "FreezeLayers", 0)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Look whether the layers are there."""
        for name in self.layers:
            self.model.get_layer(name)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Let them learn, or hold them fixed; the optimizer goes on with what it remembers."""
        for name in self.layers:
            self.model.get_layer(name).trainable = epoch < self.epoch
        self.model.take_over_trainable()

    def on_epoch_resume(self, epoch: int, batch: int) -> None:
        """The same in the middle of an epoch."""
        self.on_epoch_begin(epoch)
