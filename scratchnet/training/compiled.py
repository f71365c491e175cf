"""Compile: how a network is to learn, and what of that goes into files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from scratchnet import losses, optimizers
from scratchnet.annotations import checked
from scratchnet.config import describe, make
from scratchnet.devices import Device
from scratchnet.fields import anything, list_of, record, truth
from scratchnet.layers import Layer
from scratchnet.losses import Loss
from scratchnet.metrics import Metric
from scratchnet.metrics import get as get_metric
from scratchnet.optimizers import Optimizer
from scratchnet.saving import check_model_state, model_state, set_model_state
from scratchnet.signatures import OnlyDefault
from scratchnet.training.checks import compiled_parts
from scratchnet.training.freezing import Flags, flags_of
from scratchnet.training.loop import check_not_training

TRAINING = record(optimizer=anything, loss=anything, metrics=list_of(anything), optimizer_state=anything)
RUN = record(weights=anything, counters=anything, optimizer=anything, stop_training=truth)


class Compiled(Layer):
    """A network with an optimizer, a loss and metrics; see `Trainable` for what it does with them."""

    compute_dtype: np.dtype  # float32 or float64: what batches are converted to
    optimizer: Optimizer | None = None
    loss: Loss | None = None
    metrics: Sequence[Metric] = ()
    compiled_trainable: Flags = ()  # what each layer's `trainable` was at compile
    stop_training = False  # a callback may set it; `fit` then ends after the epoch

    @checked
    def compile(
        self,
        optimizer: str | Optimizer = "rmsprop",
        loss: str | Loss | None = None,
        loss_weights: OnlyDefault = None,
        metrics: str | Metric | Sequence[str | Metric] | None = None,
        weighted_metrics: OnlyDefault = None,
        run_eagerly: OnlyDefault = False,
        steps_per_execution: OnlyDefault = 1,
        jit_compile: OnlyDefault = "auto",
        auto_scale_loss: OnlyDefault = True,
    ) -> None:
        """Choose how to learn. Which layers are held fixed (`trainable = False`) is taken over now, as in Keras.

        Args:
            optimizer: a name ("adam", "adamw", "rmsprop", "sgd") or an object such as Adam(1e-4).
            loss: a name ("sparse_categorical_crossentropy", ...) or an object.
            metrics: names ("accuracy", "top_5_accuracy", ...) or objects; the history has them under these names.

        Raises:
            ValueError: a name that there is not, the nearest is named; an optimizer that has updated another model.

        Source: https://keras.io/api/models/model_training_apis/
        """
        if loss is None:
            raise ValueError(
                f"{self.full_name}: compile needs a loss, such as loss='sparse_categorical_crossentropy', got None."
            )
        optimizer = optimizers.get(optimizer)
        optimizer.check_model(self)
        self.optimizer, self.loss = optimizer, losses.get(loss)
        wanted = [metrics] if isinstance(metrics, (str, Metric)) else list(() if metrics is None else metrics)
        self.metrics = [get_metric(m, loss=self.loss) for m in wanted]
        names = [metric.name for metric in self.metrics]
        if len(set(names)) < len(names):
            raise ValueError(f"{self.full_name}: two metrics have one name: {', '.join(names)}. Give each only once.")
        self.compiled_trainable = flags_of(self)

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

    def _classes(self) -> int | None:
        """How many outputs the model has; None as long as it is not built."""
        return None if self.output_shape is None else self.output_shape[-1]
