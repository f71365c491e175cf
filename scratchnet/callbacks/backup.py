"""Exact resume: a run that is killed at any moment goes on, when it is started again, to the same bits."""

from __future__ import annotations

import copy
import os
from pathlib import Path
from typing import Any

from scratchnet import trees
from scratchnet.callbacks.base import Callback, Logs
from scratchnet.callbacks.checkpoint import check_save_freq
from scratchnet.divergence import all_finite
from scratchnet.fields import anything, mapping, record
from scratchnet.printing import say
from scratchnet.signatures import OnlyDefault

RUN = record(identity=mapping(anything), state=anything)


class BackupAndRestore(Callback):
    """Keeps the whole run in a file: weights, optimizer, order of the batches, random numbers, history, callbacks.

    Start the same program again, and `fit` goes on after the last batch that is in the file. What comes out is the same
    to the last bit as if nothing had happened. A run that was begun on one device goes on on another; from there on its
    numbers are those of the other device, the same to rounding.

    It is written one step late, once that step has shown that the weights are good: its loss, and the weights it left,
    are finite. So where a run diverges, the file holds where it was before that, and `fit` can go on from there with a
    smaller learning rate in the program.

    Args:
        backup_dir: a folder (made if need be) in which the file is called run.safetensors, or the file itself.
        save_freq: "epoch", or a number of batches; every 100 cost little.
        delete_checkpoint: whether the file is removed once the run is complete, as in Keras; with False, a run that
            was complete is not trained anew, and more epochs go on from it.

    Raises:
        ValueError: the file is of another run (other layers, data, batch size, callbacks, or settings of compile), or
            damaged.
        OSError: the file cannot be written.

    Source: https://keras.io/api/callbacks/backup_and_restore/
    """

    runs_last = True  # what the others remember is kept as it is after this epoch

    def __init__(
        self,
        backup_dir: str | os.PathLike[str],
        save_freq: str | int = "epoch",
        double_checkpoint: OnlyDefault = False,
        delete_checkpoint: bool = True,
    ):
        check_save_freq(save_freq, "BackupAndRestore")
        path = Path(backup_dir)
        self.path = path if path.suffix == ".safetensors" else path / "run.safetensors"
        self.save_freq, self.delete_checkpoint = save_freq, delete_checkpoint

    @property
    def every_batch(self) -> bool:
        """Where it is to write after a number of batches."""
        return isinstance(self.save_freq, int)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Go on where the file says."""
        self.waiting: dict[str, Any] | None = None  # a state whose weights have not been tried by a step
        self.identity = self.model.training_loop.identity()
        if not self.path.is_file():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            return
        tree = trees.read(self.path, "run")
        with trees.naming(self.path):
            RUN(tree, "")
        before = tree["identity"]
        for name in {**self.identity, **before}:
            if before.get(name) != self.identity.get(name):
                raise ValueError(
                    f"{self.path} is the backup of another run: its {name} was {_short(before.get(name))}, this one's "
                    f"is {_short(self.identity.get(name))}. Take another path, or remove the file to begin anew."
                )
        run = self.model.training_loop
        with trees.naming(self.path):
            run.set_state(tree["state"])
        if self.params["verbose"]:
            say(f"Resumed from {self.path}: {run.epoch} epochs and {run.batch} batches are done.")

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Write what waited for this step, and keep the state after every so many batches, where that is wanted."""
        if self.waiting is not None and all_finite(self.model):
            self._write()
        if isinstance(self.save_freq, int) and (batch + 1) % self.save_freq == 0:
            self._keep()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Keep the state after each epoch."""
        self._keep()

    def on_interrupt(self) -> None:
        """Keep the state, so that nothing is lost, unless it is spoilt."""
        if all_finite(self.model):
            self._keep()

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Write what no step will try any more. Remove the file, where that is wanted and the run is complete."""
        self._write()
        if self.delete_checkpoint and self.model.training_loop.complete:
            self.path.unlink(missing_ok=True)

    def _keep(self) -> None:
        self.waiting = copy.deepcopy(self.model.training_loop.get_state())

    def _write(self) -> None:
        if self.waiting is not None:
            trees.write(self.path, "run", {"identity": self.identity, "state": self.waiting})
            self.waiting = None


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
