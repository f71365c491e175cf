"""Checkpoints: the model in a file after each epoch, or whenever it is better than before."""

from __future__ import annotations

import os
import string
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scratchnet.arguments import check_count
from scratchnet.callbacks.base import Logs
from scratchnet.callbacks.monitor import BEST, Monitor
from scratchnet.divergence import all_finite
from scratchnet.fields import count, record
from scratchnet.old_names import Values
from scratchnet.printing import say


class ModelCheckpoint(Monitor):
    """Writes the model into a file, whole or not at all; `sn.load_model` reads it.

    For the best and the last, take two: ModelCheckpoint("best.safetensors", save_best_only=True) and
    ModelCheckpoint("last.safetensors").

    A second `fit` with the same object goes on from the best value of the first: no worse model is written over a
    better one. A new object knows nothing of what is in the file; initial_value_threshold tells it.

    Args:
        filepath: the file; {epoch}, counted from 1, and values of the logs may stand in it as in
            "model_{epoch:02d}_{val_accuracy:.3f}.safetensors"; with a number as save_freq {batch}, too.
        monitor, mode: see Monitor; looked at with save_best_only. Where the logs have no such value, each model is
            written, with a warning.
        verbose: 1 says what is written.
        save_best_only: only where the value is better than in all epochs before.
        save_weights_only: the weights alone; `model.load_weights` reads them.
        save_freq: "epoch", or a number of batches, counted on from one `fit` to the next.
        initial_value_threshold: what the first value must be better than.
        period: with "epoch", only every so many epochs, as Keras 2 has it: 5 for the fifth, the tenth, and so on.

    Raises:
        ValueError: save_freq that is neither, save_best_only with a number of batches, braces in filepath that hold no
            name or a format that does not fit, a name that the logs do not have.
        OSError: the file cannot be written.

    Source: https://keras.io/api/callbacks/model_checkpoint/; keras/src/callbacks/model_checkpoint.py of Keras 3.15.
    """

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int | bool = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
        *,
        period: int = 1,
    ):
        super().__init__(monitor, mode, best=initial_value_threshold)
        self.period = check_count(period, "period", "ModelCheckpoint")
        check_save_freq(save_freq, "ModelCheckpoint")
        if save_best_only and save_freq != "epoch":
            raise ValueError("ModelCheckpoint: save_best_only goes with save_freq='epoch', when there is a value.")
        self.filepath, self.verbose = _template(filepath), verbose
        self.save_best_only, self.save_weights_only, self.save_freq = save_best_only, save_weights_only, save_freq
        self.batches, self.epoch = 0, 0

    @property
    def every_batch(self) -> bool:
        """Where it is to write after a number of batches."""
        return isinstance(self.save_freq, int)

    def get_state(self) -> dict[str, Any]:
        """The best value, and the batches seen."""
        return {"best": self.best, "batches": self.batches}

    def check_state(self, state: Mapping[str, Any], where: str) -> None:
        """See Callback."""
        record(best=BEST, batches=count())(state, where)

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take over both; a file that was written before stays."""
        self.best, self.batches = state["best"], state["batches"]

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Find out which of two values is better, where that is asked."""
        if self.save_best_only:
            self.find_direction()

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Note its number, for the file's name."""
        self.epoch = epoch

    def on_epoch_resume(self, epoch: int, batch: int) -> None:
        """Note its number."""
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Write after every so many batches, where that is wanted."""
        self.batches += 1
        # Weights that are spoilt are not written over good ones: the next step will raise.
        due = isinstance(self.save_freq, int) and self.batches % self.save_freq == 0
        if due and all_finite(self.model):
            self._save(self.epoch, logs or {}, batch=batch + 1)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write, if it is the best, or if all are wanted."""
        if self.save_freq != "epoch" or (epoch + 1) % self.period:
            return
        if self.save_best_only:
            value = self.value(logs)
            if value is not None and not self._is_best(value, epoch):
                return
        self._save(epoch, logs or {})

    def _is_best(self, value: float, epoch: int) -> bool:
        better = self.is_better(value, self.best)
        if self.verbose:
            before = "" if self.best is None else f" (before: {self.best:.5f})"
            say(f"Epoch {epoch + 1}: {self.monitor} is {value:.5f}{before}{'' if better else ', not better'}")
        if better:
            self.best = value
        return better

    def _save(self, epoch: int, logs: Logs, **place: int) -> None:
        values = Values({"epoch": epoch + 1, **place, **logs})
        try:
            path = Path(self.filepath.format_map(values))
        except KeyError as error:
            known = ", ".join(["epoch", *sorted(values.keys() - {"epoch"})])
            raise ValueError(
                f"ModelCheckpoint: {{{error.args[0]}}} in {self.filepath!r} is none of {known}."
            ) from error
        path.parent.mkdir(parents=True, exist_ok=True)
        (self.model.save_weights if self.save_weights_only else self.model.save)(path)
        if self.verbose:
            say(f"Epoch {epoch + 1}: saved as {path}")


def _template(filepath: str | os.PathLike[str]) -> str:
    """The file's name as text, if its braces can be filled; else a ValueError, before anything is trained."""
    text = str(filepath)
    try:
        for _, name, form, _ in string.Formatter().parse(text):
            if name is None:  # plain text
                continue
            if not name.isidentifier():
                raise ValueError(f"{{{name}}} holds no name")
            format(1 if name in ("epoch", "batch") else 0.5, form or "")
    except ValueError as error:
        raise ValueError(
            f"ModelCheckpoint: filepath {text!r}: {error}. Expected names of values, such as {{epoch:02d}} (a whole "
            "number) or {val_loss:.3f}."
        ) from error
    return text


def check_save_freq(save_freq: str | int, caller: str) -> None:
    """Raise a ValueError unless it is "epoch" or a whole number of at least 1."""
    if save_freq != "epoch" and (not isinstance(save_freq, int) or isinstance(save_freq, bool) or save_freq < 1):
        raise ValueError(
            f"{caller}: expected save_freq 'epoch' or a number of batches of at least 1, got {save_freq!r}."
        )
