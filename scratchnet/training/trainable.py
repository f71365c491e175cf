"""Training: fit and train_on_batch. What `fit` does in a step is `step.train_step`; the loop is `TrainingLoop.run`."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from scratchnet import locks, old_names
from scratchnet.annotations import checked
from scratchnet.arguments import check_count, is_whole, shortened
from scratchnet.augment import Augmentation
from scratchnet.callbacks import Callback, CallbackList, History, Logs
from scratchnet.divergence import Guard
from scratchnet.layers import Layer
from scratchnet.training.checks import check_classes, check_compiled, check_pair
from scratchnet.training.data import Feed, Flow
from scratchnet.training.freezing import say_if_nothing_learns
from scratchnet.training.loop import TrainingLoop, check_free
from scratchnet.training.measuring import MEASURED, Measuring, Verbose
from scratchnet.training.memory import Room
from scratchnet.training.sources import classes_of, input_shape_of, make_source
from scratchnet.training.step import RunningMeans, returned, train_step
from scratchnet.training.steps import SupervisedSteps
from scratchnet.training.streams import Stream, is_stream


class Trainable(Measuring, old_names.Methods):
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
        x: Any,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Verbose = "auto",
        callbacks: Callback | Sequence[Callback] | None = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Mapping[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | Sequence[int] = 1,
        *,
        augment: Augmentation | None = None,
    ) -> History:
        """Train: for each epoch, for each batch, one `train_step`.

        Ctrl-C ends training after the step that runs; the history of the whole epochs is returned. A callback ends it
        after an epoch by setting `model.stop_training`. A model on the GPU gets the data there once, in their own
        dtype; those that take more than half of its free memory are copied batch by batch, with a warning.

        Args:
            x: examples along the first axis; converted to the model's dtype batch by batch. Where the model has several
                inputs, a list of arrays, or a dict by their names. Or `datagen.flow(x, y)`; or a stream of batches
                (x, y) or (x, y, sample_weight): an `sn.utils.PyDataset`, a generator, another iterable. Flows and
                streams have labels, weights and batches of their own, whatever batch_size says.
            y: labels, as the loss wants them; class numbers as (N,) or (N, 1). Of several outputs a list or a dict.
            batch_size: examples a step; None for 32.
            epochs: passes over the data.
            verbose: 0 for silence, 1 or "auto" for a bar and a line an epoch, 2 for the line alone.
            callbacks: one or several, see `scratchnet.callbacks`.
            validation_split: the last share of x and y, from 0 to below 1, is not trained on: loss and metrics are
                measured on it each epoch. Arrays only.
            validation_data: or (x, y), (x, y, sample_weight), or a flow or a stream for that.
            shuffle: whether each epoch goes through the data in a new order; of a PyDataset through its batches.
            class_weight: how much the examples of a class count in the loss, {class: weight}; 1 for those left out.
            sample_weight: (N,), how much each example counts in the loss; of several outputs also a list or a dict.
            initial_epoch: the epoch to begin with, to go on with a run; `epochs` is where it ends.
            steps_per_epoch: batches an epoch, if not all. The next epoch goes on where this one stopped; where the pass
                over the data ends first, the epoch is shorter, with a warning, as in Keras 3.
            validation_steps: batches that are measured, if not all.
            validation_batch_size: examples at once in measuring; None for 256.
            validation_freq: how often is measured: each so many epochs, or after the epochs of these numbers, from 1.
            augment: `sn.Augment(...)`: what is trained on is changed at random, what is measured is not. Arrays only.

        Returns:
            A History: `history` has a list of values for each of loss, metrics and val_..., also as model.history.

        Raises:
            RuntimeError: the model is not compiled, or is in `fit` in another thread.
            ValueError: x and y of different length, NaN or infinity in them, labels out of range, or a bad argument; of
                a stream the message says in which batch.
            TypeError: something among the callbacks that is none.
            DivergedError: the loss became NaN or infinite; the model is back where it was good.
            MemoryError: a batch is too large for the GPU's memory; the text says which batch_size would fit.
        """
        loss, optimizer = check_compiled(self, "fit")
        check_free(self, "fit")
        caller = f"{self.full_name}: fit"
        self.check_layers()
        source = make_source(self, "fit", loss, x, y, sample_weight, class_weight, augment)
        for name, value in (
            ("epochs", epochs), ("batch_size", batch_size), ("validation_batch_size", validation_batch_size),
            ("steps_per_epoch", steps_per_epoch), ("validation_steps", validation_steps),
        ):  # fmt: skip
            if value is not None or name == "epochs":
                check_count(value, name, caller)
        if isinstance(x, Flow):
            if validation_split:
                raise ValueError(f"{caller}: validation_split needs arrays; a generator has subset= for validation.")
            batch_size, shuffle = x.batch_size, x.shuffle
        batch_size, validation = batch_size or 32, None
        if validation_data is not None:
            alone = is_stream(validation_data) or isinstance(validation_data, Flow)
            theirs = (validation_data,) if alone else check_pair(validation_data, caller)
            validation = make_source(self, "fit's validation_data", loss, *theirs)
        elif validation_split:
            if isinstance(source, Stream):
                raise ValueError(f"{caller}: validation_split needs arrays, got {source.text}. Give validation_data.")
            source, validation = source.split(validation_split)
        self._build_for(source)
        say_if_nothing_learns(self, caller)
        if isinstance(source, Feed):
            source.weigh(class_weight, caller)
            check_classes(class_weight, source.y, classes_of(self), caller)
        for one in (source, validation):
            if one is not None:
                one.bring(self.device, caller)
        means, guard = RunningMeans(self.metrics, self._outputs_with_loss()), Guard(self, optimizer)
        parts = {"means": means, "guard": guard, **({} if validation is None else {"validation": validation})}
        loop = TrainingLoop(
            self, source, parts, batch_size, shuffle, epochs, initial_epoch, steps_per_epoch, goes_on=True
        )
        room = Room([self], batch_size, caller)
        steps = SupervisedSteps(self, loss, optimizer, source, guard, means, self._outputs, room)
        due = _check_frequency(validation_freq, caller)

        def measure(epoch: int, callbacks: CallbackList) -> Logs:
            if validation is None or not due(epoch + 1):
                return {}
            size, where = validation_batch_size or MEASURED, f"{caller}: validation"
            found, done = self._measure(validation, loss, size, callbacks, epoch, validation_steps, where)
            if not done:
                warnings.warn(f"{where}: {validation.text} has no more batches; nothing is measured.", stacklevel=2)
            return found.logs("val_") if done else {}

        return loop.run(steps, callbacks, verbose, measure)

    def _build_for(self, source: Feed | Stream) -> None:
        """Make the weights, where there are none yet, for examples of this shape, on the device that they are on."""
        with locks.MODELS:
            if not self.built or not all(layer.built for layer in self.layers):
                first = source if isinstance(source, Feed) else source.first()
                self.astype(self.compute_dtype)
                self.device = self._home(first)
                self.build(input_shape_of(first))

    @checked
    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Mapping[int, float] | None = None,
        return_dict: bool = False,
    ) -> float | list[float] | Logs:
        """One `train_step`; returns the batch's loss, or [loss, metric, ...] if there are metrics, as in `evaluate`.

        Args:
            x, y, sample_weight, class_weight: as in `fit`; all of them are one batch.
            return_dict: whether to return {"loss": ..., "accuracy": ..., ...}.

        Raises:
            RuntimeError, ValueError: as in `fit`.
            TypeError: a generator or the like in place of arrays.
        """
        (loss, optimizer), caller = check_compiled(self, "train_on_batch"), f"{self.full_name}: train_on_batch"
        check_free(self, "train_on_batch")
        say_if_nothing_learns(self, caller)
        feed = self._one_batch("train_on_batch", loss, x, y, sample_weight)
        feed.weigh(class_weight, caller)
        check_classes(class_weight, feed.y, classes_of(self), caller)
        feed.bring(self._home(feed), caller)
        with Room([self], len(feed), caller):
            x, y, weight = feed.take(np.arange(len(feed)))
            value, z = train_step(self, loss, optimizer, x, y, weight)
        means = RunningMeans(copy.deepcopy(self.metrics), self._outputs_with_loss())
        means.update(value, y, self._outputs(z, loss), weight)
        return returned(means.logs(), return_dict)


def _check_frequency(freq: Any, caller: str) -> Callable[[int], bool]:
    """Whether is measured after an epoch, whose number counts from 1."""
    if is_whole(freq) and freq >= 1:
        return lambda number: number % freq == 0
    if isinstance(freq, (list, tuple)) and all(is_whole(number) for number in freq):
        return lambda number: number in freq
    raise ValueError(
        f"{caller}: expected validation_freq as a whole number of at least 1, or a list of epochs, got "
        f"{shortened(freq)}."
    )
