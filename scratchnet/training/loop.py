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
from scratchnet.fields import anything, count, mapping, measured, record, refuse
from scratchnet.printing import say
from scratchnet.training.checks import check_verbose
from scratchnet.training.data import Feed
from scratchnet.training.interrupt import Interrupt
from scratchnet.training.recorded import Group, Steps
from scratchnet.training.step import batches

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
        feed: what it is trained on.
        parts: what else changes while it trains, by name, each with get_state and set_state; "means" and "guard" among
            them.
        batch_size, shuffle, epochs: as in fit.
        epoch: the first one.
        steps: batches an epoch, if not all.

    Raises:
        ValueError: an epoch below 0.

    Attributes:
        epoch: epochs that are done.
        batch: batches of the next epoch that are done.
    """

    def __init__(
        self,
        model: Any,
        feed: Feed,
        parts: Mapping[str, Any],
        batch_size: int,
        shuffle: bool,
        epochs: int,
        epoch: int = 0,
        steps: int | None = None,
    ):
        self.model, self.feed, self.parts = model, feed, {**parts, "feed": feed}
        self.batch_size, self.shuffle, self.epochs = batch_size, shuffle, epochs
        self.steps = -(-len(feed) // batch_size) if steps is None else steps
        self.callbacks = CallbackList([], model, {})
        self.epoch, self.batch = check_count(epoch, "initial_epoch", f"{model.full_name}: fit", smallest=0), 0
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
        for place in range(self.batch, self.steps):
            yield place, order[place]

    def _groups(self, group: Group) -> Iterator[tuple[int, list[np.ndarray]]]:
        """(number of the first, indices) of batches that are trained on at once, all of one length."""
        rest, done = list(self.batches()), 0
        while done < len(rest):
            taken = rest[done : done + group.size]
            if len(taken) < group.size or len(taken[-1][1]) < len(taken[0][1]):  # an epoch's last batch may be shorter
                taken = taken[:1]
            yield taken[0][0], [index for _, index in taken]
            done += len(taken)

    def run(
        self,
        steps: Steps,
        callbacks: Callback | Sequence[Callback] | None,
        verbose: int | str,
        measure: Callable[[int], Logs] | None = None,
    ) -> History:
        """The loop of training: epoch by epoch, batch by batch, to the end, to Ctrl-C, or to a callback's wish.

        Args:
            steps: what is done with the examples of a batch; they run one by one, or in groups on a device that can
                record them, see `scratchnet.training.recorded`.
            callbacks, verbose: as in fit.
            measure: measure(epoch) gives what was found on the validation data.

        Returns:
            The History, also as model.history.
        """
        model, means, history = self.model, self.parts["means"], History()
        self.callbacks = callback_list = self._all_callbacks(
            callbacks, verbose, history
        )  # raises where something is no callback
        group = Group(steps, model.device, model, f"{model.full_name}: fit")
        group.look_at(callback_list.callbacks, self.steps)
        with _training(model), Interrupt() as interrupt:
            model.history, model.stop_training, model.training_loop = history, False, self
            callback_list.call("on_train_begin", {})
            while not self.complete and not interrupt.asked:
                epoch = self.epoch
                if self.batch:  # a callback has taken the run to the middle of an epoch
                    callback_list.call("on_epoch_resume", epoch, self.batch)
                else:
                    callback_list.call("on_epoch_begin", epoch, {})
                    means.reset()
                for first, indices in self._groups(group):
                    callback_list.call("on_train_batch_begin", first, {})
                    places = [f"epoch {epoch + 1}, batch {first + i + 1}" for i in range(len(indices))]
                    group(indices, epoch, places)
                    self.batch = first + len(indices)
                    callback_list.call("on_train_batch_end", self.batch - 1, means.logs())
                    if interrupt.asked:
                        break
                else:
                    logs = means.logs()
                    if measure is not None:
                        callback_list.call("on_test_begin", {})
                        measured = measure(epoch)
                        callback_list.call("on_test_end", measured)
                        logs |= measured
                    self.parts["guard"].after_epoch(epoch, logs.get("val_loss"))  # before anything is written
                    self.epoch, self.batch, self.logs = epoch + 1, 0, logs
                    callback_list.call("on_epoch_end", epoch, logs)
            if interrupt.asked:
                say(
                    f"\nStopped by Ctrl-C after {self.epoch} epochs and {self.batch} batches. {model.full_name} "
                    "is usable."
                )
                callback_list.call("on_interrupt")
            callback_list.call("on_train_end", self.logs)
        model.training_loop = None  # with it go the data, which the model would keep in memory
        return history

    def _all_callbacks(
        self, callbacks: Callback | Sequence[Callback] | None, verbose: int | str, history: History
    ) -> CallbackList:
        """The reader's callbacks, then the history and the progress, which see what those put into the logs."""
        shown = check_verbose(verbose, f"{self.model.full_name}: fit")
        own = [callbacks] if isinstance(callbacks, (Callback, type)) else callbacks or ()
        progress = [ProgressLine(bar=shown == 1)] if shown else []
        params = {"epochs": self.epochs, "steps": self.steps, "verbose": shown}
        return CallbackList([*own, history, *progress], self.model, params)

    def identity(self) -> dict[str, Any]:
        """What must be the same in a run that goes on with this one: layers, data, batches, and how it was compiled."""
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
            "random_at_epoch": self._at_epoch,
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
        self._at_epoch = state["random_at_epoch"]
        random.set_state(state["random"])

    def check_state(self, state: Mapping[str, Any], where: str) -> None:
        """Raise a ValueError unless `set_state` can take it."""
        parts = dict.fromkeys(self.parts, mapping(anything))
        record(
            epoch=count(),
            batch=count(0, self.steps),
            logs=mapping(measured),
            random_at_epoch=random.check_state,
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


def _text_of(validation: Feed | None) -> str:
    return "none" if validation is None else "; augmentation ".join(validation.identity().values())


def _without_names(tree: Any) -> Any:
    """A description without the names of layers, which are counted up from model to model."""
    if isinstance(tree, dict):
        return {k: _without_names(v) for k, v in tree.items() if k != "name"}
    return [_without_names(v) for v in tree] if isinstance(tree, list) else tree
