"""A run of training: its loop, and where it stands, so that another process can go on as if it had never stopped."""

from __future__ import annotations

import json
import threading
import weakref
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from scratchnet import config, locks, random
from scratchnet.arguments import check_count
from scratchnet.callbacks import Callback, CallbackList, History, Logs, ProgressLine
from scratchnet.divergence import DivergedError
from scratchnet.fields import anything, count, mapping, measured, record, refuse
from scratchnet.printing import say
from scratchnet.training.checks import check_verbose
from scratchnet.training.data import Feed
from scratchnet.training.interrupt import Interrupt
from scratchnet.training.passes import Passes
from scratchnet.training.recorded import Group, Steps
from scratchnet.training.streams import Stream

_trained_by: weakref.WeakKeyDictionary[Any, threading.Thread] = weakref.WeakKeyDictionary()  # models that are in `fit`


def check_free(model: Any, method: str) -> None:
    """Raise a RuntimeError where another thread is in the model's `fit`."""
    with locks.MODELS:
        thread = _trained_by.get(model)
        # One that was left behind by a fork is not alive.
        if thread is not None and thread is not threading.current_thread() and thread.is_alive():
            raise RuntimeError(
                f"{model.full_name}: {method} in thread {threading.current_thread().name!r} while thread "
                f"{thread.name!r} is in this model's fit: both would train the same weights. Wait until that one is "
                "done, or train a copy: copy.deepcopy(model). Other threads may predict and evaluate meanwhile."
            )


def check_not_training(model: Any, method: str) -> None:
    """Raise a RuntimeError where the model is in `fit`, in whichever thread."""
    check_free(model, method)
    thread = _trained_by.get(model)
    if thread is not None and thread.is_alive():
        raise RuntimeError(
            f"{model.full_name}: {method} while it is in fit, whose batches would still come to where it was. Call it "
            "before or after."
        )


@contextmanager
def _training(model: Any) -> Iterator[None]:
    """Within it other threads cannot train the model."""
    with locks.MODELS:
        check_free(model, "fit")
        before = _trained_by.get(model)  # this thread itself, where a callback calls fit
        _trained_by[model] = threading.current_thread()
    try:
        yield
    finally:
        if before is None:
            del _trained_by[model]


class TrainingLoop:
    """A run of `fit`, as it is after the last whole step.

    Args:
        model: with get_run_state and set_run_state.
        feed: what it is trained on: a Feed, or a Stream, which has the same methods.
        parts: what else changes while it trains, by name, each with get_state and set_state; "means" and "guard" among
            them.
        batch_size, shuffle, epochs: as in fit.
        epoch: the first one.
        steps, goes_on: batches an epoch, if not a pass over the data, and where the next one begins; see `Passes`.

    Raises:
        ValueError: an epoch below 0.

    Attributes:
        epoch: epochs that are done.
        batch: batches of the next epoch that are done.
    """

    def __init__(
        self,
        model: Any,
        feed: Feed | Stream,
        parts: Mapping[str, Any],
        batch_size: int,
        shuffle: bool,
        epochs: int,
        epoch: int = 0,
        steps: int | None = None,
        goes_on: bool = False,
    ):
        self.model, self.feed, self.parts = model, feed, {**parts, "feed": feed}
        self.batch_size, self.shuffle, self.epochs = batch_size, shuffle, epochs
        self.passes = Passes(feed, batch_size, shuffle, steps, goes_on, f"{model.full_name}: fit")
        self.callbacks = CallbackList([], model, {})
        self.epoch, self.batch = check_count(epoch, "initial_epoch", f"{model.full_name}: fit", smallest=0), 0
        self.logs: dict[str, float] = {}

    @property
    def complete(self) -> bool:
        """Whether there is nothing left to train."""
        return self.epoch >= self.epochs or self.model.stop_training or self.passes.dry

    def run(
        self,
        steps: Steps,
        callbacks: Callback | Sequence[Callback] | None,
        verbose: int | str,
        measure: Callable[[int, CallbackList], Logs] | None = None,
    ) -> History:
        """The loop of training: epoch by epoch, batch by batch, to the end, to Ctrl-C, or to a callback's wish.

        Args:
            steps: what is done with the examples of a batch; they run one by one, or in groups on a device that can
                record them, see `scratchnet.training.recorded`.
            callbacks, verbose: as in fit.
            measure: measure(epoch, callbacks) gives what was found on the validation data.

        Returns:
            The History, also as model.history.
        """
        model, history = self.model, History()
        self.callbacks = callback_list = self._all_callbacks(
            callbacks, verbose, history
        )  # raises where something is no callback
        group = Group(steps, model.device, model, f"{model.full_name}: fit")
        group.look_at(callback_list.callbacks, self.passes.steps if self.feed.in_groups else 0)
        with _training(model), Interrupt() as interrupt:
            model.history, model.stop_training, model.training_loop = history, False, self
            callback_list.call("on_train_begin", {})
            try:
                while not self.complete and not interrupt.asked:
                    self._epoch(group, interrupt, measure)
            except DivergedError as error:
                if not callback_list.any("on_diverged", error):
                    raise
                model.stop_training = True
            if interrupt.asked:
                say(
                    f"\nStopped by Ctrl-C after {self.epoch} epochs and {self.batch} batches. {model.full_name} "
                    "is usable."
                )
                callback_list.call("on_interrupt")
            callback_list.call("on_train_end", self.logs)
        model.training_loop = None  # with it go the data, which the model would keep in memory
        return history

    def _epoch(self, group: Group, interrupt: Interrupt, measure: Callable[[int, CallbackList], Logs] | None) -> None:
        """The epoch that is next, or what is left of it."""
        epoch, means, callbacks = self.epoch, self.parts["means"], self.callbacks
        if self.batch:  # a callback has taken the run to the middle of an epoch
            callbacks.call("on_epoch_resume", epoch, self.batch)
        else:
            callbacks.call("on_epoch_begin", epoch, {})
            means.reset()
        self.feed.on_epoch_begin()
        for first, batches in self.passes.groups(group, self.batch):
            callbacks.call("on_train_batch_begin", first, {})
            places = [f"epoch {epoch + 1}, batch {first + i + 1}" for i in range(len(batches))]
            group(batches, epoch, places)
            self.batch = first + len(batches)
            callbacks.call("on_train_batch_end", self.batch - 1, means.logs())
            if interrupt.asked:
                return
        self.passes.end_epoch(self.batch, more=epoch + 1 < self.epochs)
        self.feed.on_epoch_end()
        logs = means.logs() | ({} if measure is None else measure(epoch, callbacks))
        self.parts["guard"].after_epoch(epoch, logs.get("val_loss"))  # before anything is written
        self.epoch, self.batch, self.logs = epoch + 1, 0, logs
        callbacks.call("on_epoch_end", epoch, logs)

    def _all_callbacks(
        self, callbacks: Callback | Sequence[Callback] | None, verbose: int | str, history: History
    ) -> CallbackList:
        """The reader's callbacks, then the history and the progress, which see what those put into the logs."""
        shown = check_verbose(verbose, f"{self.model.full_name}: fit")
        own = [callbacks] if isinstance(callbacks, (Callback, type)) else callbacks or ()
        progress = [ProgressLine(bar=shown == 1)] if shown else []
        params = {"epochs": self.epochs, "steps": self.passes.steps, "verbose": shown}
        return CallbackList([*own, history, *progress], self.model, params)

    def identity(self) -> dict[str, Any]:
        """What must be the same in a run that goes on with this one: layers, data, batches, and how it was compiled.

        Raises:
            ValueError: the batches come from a generator or the like, which cannot give them again.
        """
        if not self.feed.resumable:
            raise ValueError(
                f"{self.model.full_name}: fit: a run on {self.feed.text} cannot be kept and resumed: nobody can go "
                "back to the batches that it has given. Make it an sn.utils.PyDataset: it gives batches by number."
            )
        layers = json.dumps(_without_names(config.describe(self.model, self.model.full_name)), sort_keys=True)
        return {
            "model": f"{type(self.model).__name__} with a checksum of {zlib.crc32(layers.encode()):08x}",
            **self.feed.identity(),
            "batch_size": self.batch_size,
            "shuffle": self.shuffle,
            **{k: v for name, part in self.model.compiled_with().items() for k, v in _settings(part, name)},
            "validation": _text_of(self.parts.get("validation")),
        }

    def get_state(self) -> dict[str, Any]:
        """All that changes while it trains."""
        return {
            "epoch": self.epoch,
            "batch": self.batch,
            "logs": self.logs,
            **self.passes.get_state(),
            "random": random.get_state(),
            "model": self.model.get_run_state(),
            "callbacks": self.callbacks.get_state(),
            "parts": {name: part.get_state() for name, part in self.parts.items()},
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on from what `get_state` gave.

        Raises:
            ValueError: a field that is missing, not as it should be, or of another run; then nothing is changed.
        """
        self.check_state(state, "state")
        self.callbacks.set_state(state["callbacks"])  # first: those of a reader's own may refuse
        self.model.set_run_state(state["model"])
        for name, part in self.parts.items():
            part.set_state(state["parts"][name])
        self.epoch, self.batch, self.logs = state["epoch"], state["batch"], state["logs"]
        self.passes.set_state(state)
        random.set_state(state["random"])

    def check_state(self, state: Mapping[str, Any], where: str) -> None:
        """Raise a ValueError unless `set_state` can take it."""
        parts = dict.fromkeys(self.parts, mapping(anything))
        record(
            epoch=count(),
            batch=count(0, *([] if self.passes.steps is None else [self.passes.steps])),
            logs=mapping(measured),
            passed=count(0, *([] if self.passes.whole is None else [self.passes.whole])),
            random_at_pass=random.check_state,
            random=random.check_state,
            model=self.model.check_run_state,
            callbacks=self.callbacks.check_state,
            parts=record(**parts),
        )(state, where)
        for name, part in self.parts.items():
            part.check_state(state["parts"][name], f"{where}.parts.{name}")
        done = state["callbacks"]["History"]["epoch"]
        expected = done[-1] + 1 if done else self.epoch
        if state["epoch"] != expected:
            raise refuse(f"{where}.epoch", f"{expected}, the one after those in its history", state["epoch"])


def _settings(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    """A part of compile's settings, taken apart: ("optimizer", "optimizers.Adam"), ("optimizer.beta_1", 0.9), ..."""
    if isinstance(value, config.Configurable):
        yield name, config.class_name(type(value))
        value = value.get_config()
    if isinstance(value, Mapping):
        for key, part in value.items():
            if key != "learning_rate":  # a run that diverged may go on with a smaller one
                yield from _settings(part, f"{name}.{key}")
    elif isinstance(value, (list, tuple)):
        for number, part in enumerate(value):
            yield from _settings(part, f"{name}.{number}")
    else:
        value = value.item() if isinstance(value, np.generic) else value
        yield name, value if isinstance(value, (bool, int, float, str, type(None))) else type(value).__name__


def _text_of(validation: Feed | Stream | None) -> str:
    return "none" if validation is None else "; augmentation ".join(validation.identity().values())


def _without_names(tree: Any) -> Any:
    """A description without the names of layers, which are counted up from model to model."""
    if isinstance(tree, dict):
        return {k: _without_names(v) for k, v in tree.items() if k != "name"}
    return [_without_names(v) for v in tree] if isinstance(tree, list) else tree
