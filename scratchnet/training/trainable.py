"""Training: compile, fit, evaluate, predict. What `fit` does in a step stands here; the loop is `TrainingLoop.run`."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from scratchnet import kernels, losses, optimizers
from scratchnet.arguments import check_count
from scratchnet.augment import Augmentation
from scratchnet.callbacks import Callback, History, Logs, log_text, timing_text
from scratchnet.config import describe, make
from scratchnet.device import CPU, device_of, to_numpy
from scratchnet.divergence import Guard
from scratchnet.fields import anything, list_of, record, truth
from scratchnet.layers import BatchNormalization, Normalization, Rescaling
from scratchnet.losses import Loss
from scratchnet.metrics import Metric
from scratchnet.metrics import get as get_metric
from scratchnet.optimizers import Optimizer
from scratchnet.saving import check_model_state, model_state, set_model_state
from scratchnet.training.checks import as_numbers, check_classes, check_compiled, check_pair, check_verbose
from scratchnet.training.data import Feed, Flow, make_feed
from scratchnet.training.loop import TrainingLoop
from scratchnet.training.step import RunningMeans, batches, forward_loss, fused_with, train_step

Verbose = int | str
TRAINING = record(optimizer=anything, loss=anything, metrics=list_of(anything), optimizer_state=anything)
RUN = record(weights=anything, counters=anything, optimizer=anything, stop_training=truth)


class Trainable:
    """What turns a network into something that learns: compile, fit, evaluate, predict, train_on_batch.

    The network has forward, backward, zero_grads, params, grads, output_activation and dtype; see
    `scratchnet.models.Sequential`.
    """

    optimizer: Optimizer | None = None
    loss: Loss | None = None
    metrics: Sequence[Metric] = ()
    history: History | None = None
    training_loop: TrainingLoop | None = None  # where `fit` is, while it runs
    stop_training = False  # a callback may set it; `fit` then ends after the epoch
    policy: np.dtype  # float32 or float64: what batches are converted to
    _said_integers = False

    def compile(
        self,
        optimizer: str | Optimizer = "rmsprop",
        loss: str | Loss | None = None,
        metrics: Sequence[Any] | None = None,
    ) -> None:
        """Choose how to learn.

        Args:
            optimizer: a name ("adam", "adamw", "rmsprop", "sgd") or an object such as Adam(1e-4).
            loss: a name ("sparse_categorical_crossentropy", ...) or an object.
            metrics: names ("accuracy", "top_5_accuracy") or objects.

        Raises:
            ValueError: a name that there is not; the nearest is named.
        """
        if loss is None:
            raise ValueError(f"{self.full_name}: compile needs a loss, such as loss='sparse_categorical_crossentropy'.")
        self.optimizer, self.loss = optimizers.get(optimizer), losses.get(loss)
        wanted = [metrics] if isinstance(metrics, (str, Metric)) else list(metrics or ())
        self.metrics = [get_metric(m, self.loss) for m in wanted]
        names = [metric.name for metric in self.metrics]
        if len(set(names)) < len(names):
            raise ValueError(f"{self.full_name}: two metrics have one name: {', '.join(names)}. Give each only once.")

    def compiled_with(self) -> dict[str, Any]:
        """Optimizer, loss and metrics, as compile made them."""
        return {"optimizer": self.optimizer, "loss": self.loss, "metrics": self.metrics}

    def get_training_state(self) -> dict[str, Any] | None:
        """Optimizer, its memory, loss and metrics as JSON and arrays can hold them; None before compile."""
        if self.loss is None:
            return None
        optimizer = self.optimizer.get_state(self.params)
        return {**describe(self.compiled_with(), self.full_name), "optimizer_state": optimizer}

    def set_training_state(self, state: Mapping[str, Any], custom_objects: Mapping[str, type] | None = None) -> None:
        """Compile as `get_training_state` found it, the optimizer's memory included.

        Raises:
            ValueError: a field that is missing or not as it should be.
        """
        TRAINING(state, "training")
        made = {
            name: make(state[name], custom_objects, f"training.{name}") for name in ("optimizer", "loss", "metrics")
        }
        self.compile(**made)
        self.optimizer.set_state(state["optimizer_state"], self.params, "training.optimizer_state")

    def get_run_state(self) -> dict[str, Any]:
        """What a training run changes in the model: weights, counters, the optimizer, and whether it is to end."""
        optimizer = self.optimizer.get_state(self.params)
        return {**model_state(self), "optimizer": optimizer, "stop_training": self.stop_training}

    def set_run_state(self, state: Mapping[str, Any]) -> None:
        """Go on from what `get_run_state` gave.

        Raises:
            ValueError: a field that is missing or not as it should be.
        """
        self.check_run_state(state, "state.model")
        set_model_state(self, state, "state.model")
        self.optimizer.set_state(state["optimizer"], self.params)
        self.stop_training = state["stop_training"]

    def check_run_state(self, state: Mapping[str, Any], where: str) -> None:
        """Raise a ValueError unless `set_run_state` can take it."""
        RUN(state, where)
        check_model_state(self, state, where)
        self.optimizer.check_state(state["optimizer"], self.params, f"{where}.optimizer")

    def fit(
        self,
        x: np.ndarray | Flow,
        y: np.ndarray | None = None,
        epochs: int = 1,
        batch_size: int | None = None,
        validation_data: tuple[np.ndarray, ...] | Flow | None = None,
        validation_split: float = 0.0,
        shuffle: bool = True,
        callbacks: Callback | Sequence[Callback] | None = None,
        verbose: Verbose = "auto",
        class_weight: Mapping[int, float] | None = None,
        sample_weight: np.ndarray | None = None,
        initial_epoch: int = 0,
        augment: Augmentation | None = None,
    ) -> History:
        """Train: for each epoch, for each batch, one `train_step`.

        Ctrl-C ends training after the step that runs; the history of the whole epochs is returned as ever. A callback
        ends it after an epoch by setting `model.stop_training`.

        Args:
            x: examples along the first axis; converted to the model's dtype batch by batch. Or `datagen.flow(x, y)`,
                which has labels, weights, batch_size and shuffle of its own.
            y: labels, as the loss wants them; class numbers as (N,) or (N, 1).
            epochs: passes over the data.
            batch_size: examples a step; None for 32.
            validation_data: (x, y), (x, y, sample_weight), or a flow: loss and metrics are measured on it each epoch.
            validation_split: or the last share of x and y for that, from 0 to below 1; it is not trained on.
            shuffle: whether each epoch goes through the data in a new order.
            callbacks: one or several, see `scratchnet.callbacks`.
            verbose: 0 for silence, 1 or "auto" for a bar and a line an epoch, 2 for the line alone.
            class_weight: how much the examples of a class count in the loss, {class: weight}; 1 for those left out.
            sample_weight: (N,), how much each example counts in the loss.
            initial_epoch: the epoch to begin with, to go on with a run; `epochs` is where it ends.
            augment: `sn.Augment(...)`: what is trained on is changed at random, what is measured is not.

        Returns:
            A History: `history` has a list of values for each of loss, metrics and val_..., also as model.history.

        Raises:
            RuntimeError: the model is not compiled.
            ValueError: x and y of different length, NaN or infinity in them, labels out of range, or a bad argument.
            TypeError: something among the callbacks that is none.
            DivergedError: the loss became NaN or infinite; the model is back where it was good.
        """
        check_compiled(self, "fit")
        caller = f"{self.full_name}: fit"
        feed, epochs = self._feed("fit", x, y, sample_weight, augment), check_count(epochs, "epochs", caller)
        if isinstance(x, Flow):
            if batch_size is not None or validation_split:
                raise ValueError(f"{caller}: a generator has its own batch_size, and subset= for validation.")
            batch_size, shuffle = x.batch_size, x.shuffle
        batch_size, validation = 32 if batch_size is None else check_count(batch_size, "batch_size", caller), None
        if validation_data is not None:
            theirs = (validation_data, None, None)
            if not isinstance(validation_data, Flow):
                theirs = check_pair(validation_data, caller)
            validation = self._feed("fit's validation_data", *theirs)
        elif validation_split:
            feed, validation = feed.split(validation_split)
        feed.weigh(class_weight, caller)
        if not self.built:
            self.astype(self.compute_dtype)
            self.device = device_of(feed.x) or CPU
            self.build((None, *feed.x.shape[1:]))
        for one in (feed, validation):
            if one is not None:
                one.device = self.device
        check_classes(class_weight, feed.y, self.output_shape[-1], f"{self.full_name}: fit")
        means, guard = RunningMeans(self.metrics), Guard(self, self.optimizer)
        parts = {"means": means, "guard": guard, **({} if validation is None else {"validation": validation})}
        loop = TrainingLoop(self, feed, parts, batch_size, shuffle, epochs, initial_epoch)

        def step(index: np.ndarray, epoch: int, where: str) -> None:
            x, y, weight = feed.take(index, epoch)
            guard.before_step()
            value, z = train_step(self, self.loss, self.optimizer, x, y, weight)
            guard.after_step(value, x, where)
            means.update(value, y, self._outputs(z))

        def measure(epoch: int) -> Logs:
            return self._measure(validation, 256, epoch).logs("val_")

        return loop.run(step, callbacks, verbose, None if validation is None else measure)

    def evaluate(
        self,
        x: np.ndarray | Flow,
        y: np.ndarray | None = None,
        batch_size: int = 256,
        verbose: Verbose = "auto",
        sample_weight: np.ndarray | None = None,
    ) -> float | list[float]:
        """The mean loss on x and y, or [loss, metric, ...] if there are metrics. Nothing is learnt.

        Raises:
            RuntimeError: the model is not compiled.
            ValueError: as in `fit`.
        """
        check_compiled(self, "evaluate")
        caller = f"{self.full_name}: evaluate"
        start, feed = time.perf_counter(), self._feed("evaluate", x, y, sample_weight)
        logs = self._measure(feed, check_count(batch_size, "batch_size", caller)).logs()
        if check_verbose(verbose, caller):
            steps = -(-len(feed) // batch_size)
            timing = timing_text(steps, time.perf_counter() - start)
            print(f"{steps}/{steps} - {timing} - {log_text(logs)}")
        values = list(logs.values())
        return values if len(values) > 1 else values[0]

    def predict(self, x: np.ndarray | Flow, batch_size: int = 256) -> np.ndarray:
        """The model's outputs for all of x, batch by batch, without training, as a NumPy array.

        Raises:
            ValueError: x is empty or has the wrong shape.
        """
        size = check_count(batch_size, "batch_size", f"{self.full_name}: predict")
        if isinstance(x, Flow):
            feed = Feed(x.x, None, None, self.compute_dtype, x.augment, x.key)
        else:
            feed = Feed(as_numbers(x, "x", f"{self.full_name}: predict"), None, None, self.compute_dtype)
            self._say_integers(feed.x)
        feed.device = self.device if self.built else None
        parts = batches(len(feed), size, shuffle=False)
        return np.concatenate([to_numpy(self.forward(feed.take(index)[0])) for index in parts])

    def train_on_batch(
        self,
        x: np.ndarray,
        y: np.ndarray,
        sample_weight: np.ndarray | None = None,
        class_weight: Mapping[int, float] | None = None,
    ) -> float | list[float]:
        """One `train_step`; returns the batch's loss, or [loss, metric, ...] if there are metrics.

        Raises:
            RuntimeError, ValueError: as in `fit`.
        """
        check_compiled(self, "train_on_batch")
        feed = self._feed("train_on_batch", x, y, sample_weight)
        feed.weigh(class_weight, f"{self.full_name}: train_on_batch")
        if self.built:
            check_classes(class_weight, feed.y, self.output_shape[-1], f"{self.full_name}: train_on_batch")
        x, y, weight = feed.take(np.arange(len(feed)))
        value, z = train_step(self, self.loss, self.optimizer, x, y, weight)
        means = RunningMeans(self.metrics)
        means.update(value, y, self._outputs(z))
        values = list(means.logs().values())
        return values if len(values) > 1 else values[0]

    def _measure(self, feed: Feed, batch_size: int, step: int = 0) -> RunningMeans:
        means = RunningMeans(self.metrics)
        for index in batches(len(feed), batch_size, shuffle=False):
            x, y, weight = feed.take(index, step)
            value, _, z = forward_loss(self, self.loss, x, y, False, weight)
            means.update(value, y, self._outputs(z))
        return means

    def _outputs(self, z: np.ndarray) -> np.ndarray:
        """The model's outputs from what `forward_loss` returned: scores get their softmax or sigmoid."""
        return getattr(kernels.of(z), self.output_activation)(z) if fused_with(self, self.loss) else z

    def _feed(self, method: str, x: Any, y: Any, weight: Any, augment: Augmentation | None = None) -> Feed:
        """Checked examples; the integers of a generator are its own affair."""
        classes = None if self.output_shape is None else self.output_shape[-1]
        feed = make_feed(x, y, weight, self.compute_dtype, f"{self.full_name}: {method}", self.loss, classes, augment)
        if not isinstance(x, Flow):
            self._say_integers(feed.x)
        feed.device = self.device if self.built else None  # a model that is not built follows the first batch
        return feed

    def _say_integers(self, x: np.ndarray) -> None:
        scales = self.layers and isinstance(self.layers[0], (BatchNormalization, Normalization, Rescaling))
        if np.issubdtype(x.dtype, np.integer) and not self._said_integers and not scales:
            self._said_integers = True
            warnings.warn(
                f"{self.full_name}: x holds whole numbers ({x.dtype}, up to {int(x.max())}); they are taken as they "
                "are. Networks "
                "learn faster from small numbers: x / 255, or a first layer sn.Rescaling(1 / 255), for pictures.",
                UserWarning,
                stacklevel=4,
            )
