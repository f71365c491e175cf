"""A loss that becomes NaN or infinite: where it began, what usually helps, and the last weights that were good."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from scratchnet.layers import Chain, Layer

EVERY = 100  # steps between copies of the weights: copying takes about a fiftieth of a step


class DivergedError(ArithmeticError):
    """The loss of a training step was NaN or infinite. The message says where, and what usually helps."""


class Guard:
    """Watches the losses of a training run and keeps a copy of weights whose loss was finite.

    Before each step `before_step()`, after it `after_step(loss, x, where)`.
    """

    def __init__(self, model: Any, optimizer: Any):
        self.model, self.optimizer = model, optimizer
        self.step = 0
        self.good: tuple[int, Any] | None = None  # the step before which they were copied, and the copies
        self.tried: Any = None  # copies whose loss is not known yet

    def get_state(self) -> dict[str, int]:
        """The number of steps; copies of weights belong to a process."""
        return {"step": self.step}

    def set_state(self, state: Mapping[str, int]) -> None:
        """Go on counting from there."""
        self.step = state["step"]

    def before_step(self) -> None:
        """Copy the weights now and then. They are good once the step's loss is finite."""
        if self.step % EVERY == 0 and self.model.built:
            optimizer = copy.deepcopy((self.optimizer.state, self.optimizer.iterations))
            self.tried = (self.step, (self.model.get_weights(), optimizer))
        self.step += 1

    def after_step(self, loss: float, x: np.ndarray, where: str) -> None:
        """Take note of a step's loss.

        Args:
            loss: of the step that was just done.
            x: the batch it was done on.
            where: the step in words, such as "epoch 1, batch 5".

        Raises:
            DivergedError: the loss is not finite; the model and the optimizer are then back where they were good.
        """
        if math.isfinite(loss):
            if self.tried is not None:
                self.good, self.tried = self.tried, None
            return
        found = self.find(x)  # before the weights are brought back
        raise DivergedError(
            f"{self.model.who}: the loss became {loss} in step {self.step} ({where}). {found} {self._go_back()}\n"
            f"What usually helps: {self.advice(x)}"
        )

    def find(self, x: np.ndarray) -> str:
        """In words, where the numbers that are not finite begin."""
        return first_bad_place(self.model, x)

    def advice(self, x: np.ndarray) -> str:
        """What usually helps."""
        rate = self.optimizer.learning_rate
        return (
            f"a smaller learning rate (it is {rate:g}: try {rate / 10:g}); clipnorm=1 in the optimizer; inputs of "
            f"about -1 to 1 (here they go from {np.min(x):g} to {np.max(x):g}); a softmax or sigmoid at the end, or "
            "from_logits=True in the loss, but not both."
        )

    def _go_back(self) -> str:
        if self.good is None:
            return "It was the first step, so there are no good weights to go back to."
        step, (weights, (state, iterations)) = self.good
        self.model.set_weights(weights)
        self.optimizer.state, self.optimizer.iterations = copy.deepcopy(state), iterations
        return f"Model and optimizer are as they were after {step} steps, the last copy whose loss was finite."


def _parts(layer: Layer) -> list[Layer]:
    """A chain's layers, chains among them taken apart; any other layer as it is."""
    if isinstance(layer, Chain):
        return [part for inner in layer.layers for part in _parts(inner)]
    return [layer]


def first_bad_place(model: Any, x: np.ndarray) -> str:
    """In words: the first layer whose weights, or else whose output for x, are not all finite."""
    if not np.isfinite(x).all():
        return "The inputs themselves hold NaN or infinity."
    layers = _parts(model)
    for i, layer in enumerate(layers):
        for name, array in layer.params.items():
            if not np.isfinite(array).all():
                return f"The first numbers that are not finite are in {name} of {layer.who}, layer {i}."
    y = x
    for i, layer in enumerate(layers):
        y = layer.forward(y, training=True)
        if not np.isfinite(y).all():
            return f"The first numbers that are not finite came out of {layer.who}, layer {i}; its weights are finite."
    return "All weights and outputs are finite: it is the loss that is not."
