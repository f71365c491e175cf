"""Training: fit, evaluate, predict. What `fit` does in a step stands here; the loop is `TrainingLoop.run`."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from scratchnet import kernels, locks, old_names
from scratchnet.annotations import checked
from scratchnet.arguments import check_count
from scratchnet.augment import Augmentation
from scratchnet.callbacks import Callback, History, Logs, log_text, timing_text
from scratchnet.devices import to_numpy
from scratchnet.divergence import Guard, all_finite
from scratchnet.layers import Layer
from scratchnet.losses import Loss
from scratchnet.printing import say
from scratchnet.signatures import OnlyDefault
from scratchnet.training.checks import (
    as_numbers,
    check_classes,
    check_compiled,
    check_pair,
    check_shape,
    check_verbose,
    say_integers,
)
from scratchnet.training.compiled import Compiled
from scratchnet.training.data import Feed, Flow, make_feed
from scratchnet.training.loop import TrainingLoop, check_free
from scratchnet.training.memory import Room
from scratchnet.training.step import RunningMeans, batches, forward_loss, fused_with, returned, train_step
from scratchnet.training.steps import SupervisedSteps

Verbose = int | str | bool
MEASURED = 256  # examples at once where nothing is learnt; Keras takes 32


class Trainable(Compiled, old_names.Methods):
    """What turns a network into something that learns: compile, fit, evaluate, predict, train_on_batch.

    A mixin for a network of `layers`, such as `scratchnet.models.Sequential`: forward, backward, params and grads are
    the network's.
    """

    layers: list[Layer]
    check_layers: Callable[[], None]
    history: History | None = None
    training_loop: TrainingLoop | None = None  # where `fit` is, while it runs
    _said_integers = False

    @checked
    def fit(
        self,
        x: np.ndarray | Flow,
        y: np.ndarray | None = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Verbose = "auto",
        callbacks: Callback | Sequence[Callback] | None = None,
        validation_split: float = 0.0,
        validation_data: tuple[np.ndarray, ...] | Flow | None = None,
        shuffle: bool = True,
        class_weight: Mapping[int, float] | None = None,
        sample_weight: np.ndarray | None = None,
        initial_epoch: int = 0,
        steps_per_epoch: OnlyDefault = None,
        validation_steps: OnlyDefault = None,
        validation_batch_size: int | None = None,
        validation_freq: OnlyDefault = 1,
        *,
        augment: Augmentation | None = None,
    ) -> History:
        """Train: for each epoch, for each batch, one `train_step`.

        Ctrl-C ends training after the step that runs; the history of the whole epochs is returned. A callback ends it
        after an epoch by setting `model.stop_training`. A model on the GPU gets the data there once, in their own
        dtype; those that take more than half of its free memory are copied batch by batch, with a warning.

        Args:
            x: examples along the first axis; converted to the model's dtype batch by batch. Or `datagen.flow(x, y)`,
                which has labels, weights, batch_size and shuffle of its own.
            y: labels, as the loss wants them; class numbers as (N,) or (N, 1).
            batch_size: examples a step; None for 32.
            epochs: passes over the data.
            verbose: 0 for silence, 1 or "auto" for a bar and a line an epoch, 2 for the line alone.
            callbacks: one or several, see `scratchnet.callbacks`.
            validation_split: the last share of x and y, from 0 to below 1, is not trained on: loss and metrics are
                measured on it each epoch.
            validation_data: or (x, y), (x, y, sample_weight), or a flow for that.
            shuffle: whether each epoch goes through the data in a new order.
            class_weight: how much the examples of a class count in the loss, {class: weight}; 1 for those left out.
            sample_weight: (N,), how much each example counts in the loss.
            initial_epoch: the epoch to begin with, to go on with a run; `epochs` is where it ends.
            validation_batch_size: examples at once in measuring; None for 256.
            augment: `sn.Augment(...)`: what is trained on is changed at random, what is measured is not.

        Returns:
            A History: `history` has a list of values for each of loss, metrics and val_..., also as model.history.

        Raises:
            RuntimeError: the model is not compiled, or is in `fit` in another thread.
            ValueError: x and y of different length, NaN or infinity in them, labels out of range, or a bad argument.
            TypeError: something among the callbacks that is none; a generator or a Dataset in place of arrays.
            DivergedError: the loss became NaN or infinite; the model is back where it was good.
            MemoryError: a batch is too large for the GPU's memory; the text says which batch_size would fit.
        """
        loss, optimizer = check_compiled(self, "fit")
        check_free(self, "fit")
        caller = f"{self.full_name}: fit"
        self.check_layers()
        feed, epochs = self._feed("fit", loss, x, y, sample_weight, augment), check_count(epochs, "epochs", caller)
        if isinstance(x, Flow):
            if batch_size is not None or validation_split:
                raise ValueError(f"{caller}: a generator has its own batch_size, and subset= for validation.")
            batch_size, shuffle = x.batch_size, x.shuffle
        batch_size, validation = 32 if batch_size is None else check_count(batch_size, "batch_size", caller), None
        if validation_batch_size is not None:
            check_count(validation_batch_size, "validation_batch_size", caller)
        if validation_data is not None:
            theirs = (validation_data, None, None)
            if not isinstance(validation_data, Flow):
                theirs = check_pair(validation_data, caller)
            validation = self._feed("fit's validation_data", loss, *theirs)
        elif validation_split:
            feed, validation = feed.split(validation_split)
        feed.weigh(class_weight, caller)
        with locks.MODELS:
            if not self.built or not all(layer.built for layer in self.layers):
                self.astype(self.compute_dtype)
                self.device = self.home(feed.x)
                self.build((None, *feed.x.shape[1:]))
        for one in (feed, validation):
            if one is not None:
                one.bring(self.device, caller)
        check_classes(class_weight, feed.y, self._classes(), caller)
        means, guard = RunningMeans(self.metrics), Guard(self, optimizer)
        parts = {"means": means, "guard": guard, **({} if validation is None else {"validation": validation})}
        loop = TrainingLoop(self, feed, parts, batch_size, shuffle, epochs, initial_epoch)
        room = Room([self], batch_size, caller)
        steps = SupervisedSteps(self, loss, optimizer, feed, guard, means, self._outputs, room)

        def measure(held_out: Feed, epoch: int) -> Logs:
            return self._measure(held_out, loss, validation_batch_size, epoch).logs("val_")

        return loop.run(steps, callbacks, verbose, None if validation is None else partial(measure, validation))

    @checked
    def evaluate(
        self,
        x: np.ndarray | Flow,
        y: np.ndarray | None = None,
        batch_size: int | None = None,
        verbose: Verbose = "auto",
        sample_weight: np.ndarray | None = None,
        steps: OnlyDefault = None,
        callbacks: OnlyDefault = None,
        return_dict: bool = False,
    ) -> float | list[float] | Logs:
        """The mean loss on x and y, or [loss, metric, ...] if there are metrics. Nothing is learnt.

        Args:
            x, y, sample_weight: as in `fit`.
            batch_size: examples at once; None for 256.
            verbose: 0 for silence, else a line.
            return_dict: whether to return {"loss": ..., "accuracy": ..., ...}.

        Raises:
            RuntimeError: the model is not compiled.
            ValueError: as in `fit`; or the loss is NaN or infinite.
        """
        loss, _ = check_compiled(self, "evaluate")
        caller = f"{self.full_name}: evaluate"
        batch_size = MEASURED if batch_size is None else check_count(batch_size, "batch_size", caller)
        start, feed = time.perf_counter(), self._feed("evaluate", loss, x, y, sample_weight)
        feed.bring(self.home(feed.x), caller)
        logs = self._measure(feed, loss, batch_size).logs()
        if not math.isfinite(logs["loss"]):
            raise ValueError(
                f"{caller}: the loss is {logs['loss']}. "
                + (f"x goes from {float(feed.x.min()):g} to {float(feed.x.max()):g}, and the numbers grow too large on "
                   "their way through the layers." if all_finite(self) else
                   "There is NaN or infinity in the model's weights: load good ones, or build it anew.")
            )  # fmt: skip
        if check_verbose(verbose, caller):
            steps = -(-len(feed) // batch_size)
            timing = timing_text(steps, time.perf_counter() - start)
            say(f"{steps}/{steps} - {timing} - {log_text(logs)}")
        return returned(logs, return_dict)

    @checked
    def predict(
        self,
        x: np.ndarray | Flow,
        batch_size: int | None = None,
        verbose: Verbose = "auto",
        steps: OnlyDefault = None,
        callbacks: OnlyDefault = None,
    ) -> np.ndarray:
        """The model's outputs for all of x, batch by batch, without training, as a NumPy array.

        Many threads may predict at once, also while another one is in `fit`: each batch is computed between two steps,
        and changes nothing. (`forward` itself is for one thread at a time.)

        Args:
            x: examples along the first axis, or a flow.
            batch_size: examples at once; None for 256.
            verbose: as in Keras; nothing is printed, whatever it says.

        Raises:
            ValueError: x is empty or has the wrong shape.
        """
        caller = f"{self.full_name}: predict"
        check_verbose(verbose, caller)
        size = MEASURED if batch_size is None else check_count(batch_size, "batch_size", caller)
        if isinstance(x, Flow):
            feed = Feed(x.x, None, None, self.compute_dtype, x.augment, x.key)
        else:
            feed = Feed(as_numbers(x, "x", caller), None, None, self.compute_dtype)
            say_integers(self, feed.x)
        check_shape(feed.x, self, caller)
        feed.bring(self.home(feed.x), caller)
        room, found = Room([self], size, caller), []
        for index in batches(len(feed), size, shuffle=False):
            with room:
                x = feed.take(index)[0]
                with locks.MODELS:  # layers keep things from one line to the next
                    found.append(to_numpy(self.forward(x)))
        return np.concatenate(found)

    @checked
    def train_on_batch(
        self,
        x: np.ndarray,
        y: np.ndarray,
        sample_weight: np.ndarray | None = None,
        class_weight: Mapping[int, float] | None = None,
        return_dict: bool = False,
    ) -> float | list[float] | Logs:
        """One `train_step`; returns the batch's loss, or [loss, metric, ...] if there are metrics.

        Args:
            x, y, sample_weight, class_weight: as in `fit`; all of them are one batch.
            return_dict: whether to return {"loss": ..., "accuracy": ..., ...}.

        Raises:
            RuntimeError, ValueError: as in `fit`.
        """
        (loss, optimizer), caller = check_compiled(self, "train_on_batch"), f"{self.full_name}: train_on_batch"
        check_free(self, "train_on_batch")
        feed = self._feed("train_on_batch", loss, x, y, sample_weight)
        feed.weigh(class_weight, caller)
        check_classes(class_weight, feed.y, self._classes(), caller)
        feed.bring(self.home(feed.x), caller)
        with Room([self], len(feed), caller):
            x, y, weight = feed.take(np.arange(len(feed)))
            value, z = train_step(self, loss, optimizer, x, y, weight)
        means = RunningMeans(copy.deepcopy(self.metrics))
        means.update(value, y, self._outputs(z, loss))
        return returned(means.logs(), return_dict)

    def _measure(self, feed: Feed, loss: Loss, batch_size: int | None, step: int = 0) -> RunningMeans:
        means = RunningMeans(copy.deepcopy(self.metrics))  # a run in another thread fills the model's own
        size = MEASURED if batch_size is None else batch_size
        room = Room([self], size, f"{self.full_name}: measuring")
        for index in batches(len(feed), size, shuffle=False):
            with room:
                x, y, weight = feed.take(index, step)
                with locks.MODELS:
                    value, _, z = forward_loss(self, loss, x, y, False, weight)
                means.update(value, y, self._outputs(z, loss))
        return means

    def _outputs(self, z: np.ndarray, loss: Loss) -> np.ndarray:
        """The model's outputs from what `forward_loss` returned: scores get their softmax or sigmoid."""
        return getattr(kernels.of(z), str(self.output_activation))(z) if fused_with(self, loss) else z

    def _feed(self, method: str, loss: Loss, x: Any, y: Any, weight: Any, augment: Augmentation | None = None) -> Feed:
        """Checked examples; the integers of a generator are its own affair."""
        caller = f"{self.full_name}: {method}"
        feed = make_feed(x, y, weight, self.compute_dtype, caller, loss, self._classes(), augment)
        check_shape(feed.x, self, caller)
        if not isinstance(x, Flow):
            say_integers(self, feed.x)
        return feed
