"""Compile: how a network is to learn, and what of that goes into files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from scratchnet import optimizers
from scratchnet.annotations import checked
from scratchnet.config import describe, make
from scratchnet.devices import Device
from scratchnet.fields import anything, list_of, record, truth
from scratchnet.layers import Layer
from scratchnet.losses import Loss, LossByOutput
from scratchnet.metrics import Metric
from scratchnet.optimizers import Optimizer
from scratchnet.saving import check_model_state, model_state, set_model_state
from scratchnet.signatures import OnlyDefault
from scratchnet.training.checks import compiled_parts
from scratchnet.training.freezing import Flags, flags_of
from scratchnet.training.loop import check_not_training
from scratchnet.training.outputs import loss_of, metrics_of

TRAINING = record(optimizer=anything, loss=anything, metrics=list_of(anything), optimizer_state=anything)
RUN = record(weights=anything, counters=anything, optimizer=anything, stop_training=truth)


def _tell_apart(metrics: Sequence[Metric]) -> None:
    """Number metrics of one name: the second `auc` becomes auc_1."""
    taken: set[str] = set()
    for metric in metrics:
        name, number = metric.name, 0
        while metric.name in taken:
            number += 1
            metric.name = f"{name}_{number}"
        taken.add(metric.name)


class Compiled(Layer):
    """A network with an optimizer, a loss and metrics; see `Trainable` for what it does with them."""

    compute_dtype: np.dtype  # float32 or float64: what batches are converted to
    optimizer: Optimizer | None = None
    loss: Loss | None = None
    metrics: Sequence[Metric] = ()
    said_fixed = False  # whether a warning has said that nothing is trained
    compiled_trainable: Flags = ()  # what each layer's `trainable` was at compile
    stop_training = False  # a callback may set it; `fit` then ends after the epoch

    @checked
    def compile(
        self,
        optimizer: str | Optimizer = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: OnlyDefault = 1,
        jit_compile: bool | str = "auto",
        auto_scale_loss: OnlyDefault = True,
    ) -> None:
        """Choose how to learn. Which layers are held fixed (`trainable = False`) is taken over now, as in Keras.

        Args:
            optimizer: a name ("adam", "adamw", "rmsprop", "sgd") or an object such as Adam(1e-4).
            loss: a name ("sparse_categorical_crossentropy", "mse", ...), an object, a function of `losses`, or one of
                your own that returns (value, gradient), see `losses.LossFunction`. Of several outputs a list with one
                for each, or a dict by their names; None in it for an output that is not trained on. They add up.
            loss_weights: how much each output's loss counts in the sum: a list, or a dict by name; None for 1 each.
            metrics: names ("accuracy", "mse", "top_5_accuracy", ...), objects, or functions f(y_true, y_pred) that
                give a number an example; the history has them under these names, a second one of a name as name_1.
                Of several outputs a list with an entry for each, or a dict; the history has "OUTPUT_accuracy".
            weighted_metrics: the same, for metrics in which an example counts as much as its sample_weight says.
            run_eagerly, jit_compile: taken, and without effect: layers are plain Python, their kernels are compiled.

        Raises:
            ValueError: a name that there is not, the nearest is named; not one loss for each output; an optimizer that
                has updated another model.

        Source: https://keras.io/api/models/model_training_apis/
        """
        names = self.output_names
        made = loss_of(loss, loss_weights, names, f"{self.full_name}: compile")
        metric_objects = metrics_of(metrics, weighted_metrics, made, names, f"{self.full_name}: compile")
        optimizer = optimizers.get(optimizer)
        optimizer.check_model(self)
        self.optimizer, self.loss, self.metrics = optimizer, made, metric_objects
        self.said_fixed = False
        self.take_over_trainable()

    def take_over_trainable(self) -> None:
        """Train from now on those layers whose `trainable` is True now: as `compile` does, but nothing else changes."""
        self.compiled_trainable = flags_of(self)

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs, by which fit takes a dict of arrays."""
        return ["input"]

    @property
    def output_names(self) -> list[str]:
        """The names of the outputs, by which compile takes losses and metrics: those of the layers that give them."""
        layers = getattr(self, "layers", ())
        return [layers[-1].name if layers else "output"]

    @property
    def metrics_names(self) -> list[str]:
        """The names of what `evaluate` returns, in its order. (Keras 3 says "compile_metrics" for all metrics at once.)

        Empty before compile.
        """
        outputs = [f"{name}_loss" for name in self._outputs_with_loss()]
        return [] if self.loss is None else ["loss", *outputs, *(metric.name for metric in self.metrics)]

    def reset_metrics(self) -> None:
        """Let the metrics forget what they have seen; `fit` does so before each epoch."""
        for metric in self.metrics:
            metric.reset_state()

    def _outputs_with_loss(self) -> list[str]:
        """The outputs that have a loss of their own, where there are several: the history has each one's."""
        losses = self.loss.losses if isinstance(self.loss, LossByOutput) else ()
        names = [name for name, one in zip(self.output_names, losses) if one is not None]
        return names if len(names) > 1 else []

    def bring(self, device: Device) -> None:
        """Its layers, and what its optimizer remembers of each weight."""
        check_not_training(self, "to")
        super().bring(device)
        if self.optimizer is not None:
            self.optimizer.bring(device)

    def compiled_with(self) -> dict[str, Any]:
        """Optimizer, loss and metrics, as compile made them."""
        return {"optimizer": self.optimizer, "loss": self.loss, "metrics": self.metrics}

    def get_training_state(self) -> dict[str, Any] | None:
        """Optimizer, its memory, loss and metrics as JSON and arrays can hold them; None before compile."""
        if self.loss is None:
            return None
        _, optimizer = compiled_parts(self, "get_training_state")
        return {**describe(self.compiled_with(), self.full_name), "optimizer_state": optimizer.get_state(self.params)}

    def set_training_state(self, state: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> None:
        """Compile as `get_training_state` found it, the optimizer's memory included.

        Raises:
            ValueError: a field that is missing or not as it should be.
        """
        TRAINING(state, "training")
        made = {
            name: make(state[name], custom_objects, f"training.{name}") for name in ("optimizer", "loss", "metrics")
        }
        self.compile(**made)
        _, optimizer = compiled_parts(self, "set_training_state")
        optimizer.set_state(state["optimizer_state"], self.params, "training.optimizer_state")

    def get_run_state(self) -> dict[str, Any]:
        """What a training run changes in the model: weights, counters, the optimizer, and whether it is to end."""
        _, optimizer = compiled_parts(self, "get_run_state")
        return {**model_state(self), "optimizer": optimizer.get_state(self.params), "stop_training": self.stop_training}

    def set_run_state(self, state: Mapping[str, Any]) -> None:
        """Go on from what `get_run_state` gave.

        Raises:
            ValueError: a field that is missing or not as it should be.
        """
        self.check_run_state(state, "state.model")
        set_model_state(self, state, "state.model")
        compiled_parts(self, "set_run_state")[1].set_state(state["optimizer"], self.params)
        self.stop_training = state["stop_training"]

    def check_run_state(self, state: Mapping[str, Any], where: str) -> None:
        """Raise a ValueError unless `set_run_state` can take it."""
        RUN(state, where)
        check_model_state(self, state, where)
        compiled_parts(self, "set_run_state")[1].check_state(state["optimizer"], self.params, f"{where}.optimizer")
