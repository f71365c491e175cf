"""A loss that becomes NaN or infinite: where it began, what usually helps, and the last weights that were good."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from typing import Any

from scratchnet.devices import array_module
from scratchnet.fields import count, record
from scratchnet.layers import Chain, Layer
from scratchnet.layers.composite import Composite
from scratchnet.structures import flat, leaves, packed

EVERY = 100  # steps between copies of the weights: copying takes about a fiftieth of a step


class DivergedError(ArithmeticError):
    """The loss of a training step was NaN or infinite. The message says where, and what usually helps."""


class Guard:
    """Watches the losses of a training run and keeps a copy of weights whose loss was finite.

    Before each step `before_step()`, after it `after_step(loss, x, where)`, and after each epoch `after_epoch(...)`.
    """

    def __init__(self, model: Any, optimizer: Any):
        self.model, self.optimizer = model, optimizer
        self.step, self.resumed = 0, False
        self.x: Any = None  # the last batch
        self.good: tuple[int, Any] | None = None  # the step before which they were copied, and the copies
        self.tried: Any = None  # copies whose loss is not known yet

    def get_state(self) -> dict[str, int]:
        """The number of steps; copies of weights belong to a process."""
        return {"step": self.step}

    def check_state(self, state: Mapping[str, Any], where: str) -> None:
        """Raise a ValueError unless `set_state` can take it."""
        record(step=count())(state, where)

    def set_state(self, state: Mapping[str, int]) -> None:
        """Go on counting from there."""
        self.step, self.resumed = state["step"], True

    def before_step(self, count: int = 1) -> None:
        """Copy the weights now and then, and where no copy is good yet. They are once the step's loss is finite.

        Where several steps are one launch, `count` is how many; `after_step` follows for each of them.
        """
        due = -self.step % EVERY < count  # one of these steps is the first of another hundred
        if (self.good is None or due) and self.model.built:
            optimizer = copy.deepcopy((self.optimizer.state, self.optimizer.iterations))
            self.tried = (self.step, (self.model.get_weights(), optimizer))

    def after_step(self, loss: float, x: Any, where: str) -> None:
        """Take note of a step's loss.

        Args:
            loss: of the step that was just done.
            x: the batch it was done on.
            where: the step in words, such as "epoch 1, batch 5".

        Raises:
            DivergedError: the loss is not finite; the model and the optimizer are then back where they were good.
        """
        self.x, self.step = x, self.step + 1
        if math.isfinite(loss):
            if self.tried is not None:
                self.good, self.tried = self.tried, None
            return
        self._raise(f"the loss became {loss} in step {self.step} ({where})")

    def after_epoch(self, epoch: int, val_loss: float | None) -> None:
        """Look at the weights that the epoch's last step left, which no training loss has judged yet.

        Args:
            epoch: counted from 0.
            val_loss: of the validation data; None where there are none.

        Raises:
            DivergedError: the loss, or a weight, is not finite; model and optimizer are then back where they were good.
        """
        if val_loss is not None and not math.isfinite(val_loss):
            self._raise(f"the validation loss became {val_loss} after epoch {epoch + 1}")
        if not all_finite(self.model):
            self._raise(f"weights became NaN or infinite in step {self.step}, the last of epoch {epoch + 1}")

    def _raise(self, what: str) -> None:
        assert self.x is not None  # a step has been done
        found = self.find(self.x)  # before the weights are brought back
        raise DivergedError(
            f"{self.model.full_name}: {what}. {found} {self._go_back()}\nWhat usually helps: {self.advice(self.x)}"
        )

    def find(self, x: Any) -> str:
        """In words, where the numbers that are not finite begin."""
        return first_bad_place(self.model, x)

    def advice(self, x: Any) -> str:
        """What usually helps."""
        rate, arrays = self.optimizer.learning_rate, leaves(x)
        low, high = min(float(array.min()) for array in arrays), max(float(array.max()) for array in arrays)
        return (
            f"a smaller learning rate (it is {rate:g}: try {rate / 10:g}); clipnorm=1 in the optimizer; inputs of "
            f"about -1 to 1 (here they go from {low:g} to {high:g}); a softmax or sigmoid at the "
            "end, or from_logits=True in the loss, but not both."
        )

    def _go_back(self) -> str:
        if self.good is None:
            since = " since the run was resumed" if self.resumed else ""
            return f"It was the first step{since}, so there are no good weights to go back to."
        step, (weights, (state, iterations)) = self.good
        self.model.set_weights(weights)
        self.optimizer.state, self.optimizer.iterations = copy.deepcopy(state), iterations
        return f"Model and optimizer are as they were after {step} steps, the last copy whose loss was finite."


def _finite(value: Any) -> bool:
    return all(bool(array_module(array).isfinite(array).all()) for array in leaves(value))


def all_finite(model: Any) -> bool:
    """Whether none of the weights and of the state is NaN or infinite."""
    return all(_finite(array) for part in (model.params, model.state) for array in part.values())


def _simple(layer: Layer) -> list[Layer]:
    """The layers that are not made of others, in their order; chains and branches are taken apart."""
    if isinstance(layer, Composite):
        return [simple for inner in layer.layers for simple in _simple(inner)]
    return [layer]


def _bad_output(layer: Layer, x: Any) -> Layer | None:
    """The first layer within this one, or itself, whose output for x is not all finite."""
    if (graph := getattr(layer, "graph", None)) is not None:
        return _bad_in_graph(graph, x)
    for inner in layer.layers if isinstance(layer, Composite) else ():
        if (bad := _bad_output(inner, x)) is not None:
            return bad
        if isinstance(layer, Chain):  # branches all get the same x
            x = inner.forward(x, training=True)
    return None if isinstance(layer, Chain) or _finite(layer.forward(x, training=True)) else layer


def _bad_in_graph(graph: Any, x: Any) -> Layer | None:
    """The same for a graph of layers, call by call; see `models/graph.py`."""
    values = {id(tensor): value for tensor, value in zip(graph.inputs, leaves(x))}
    for node in graph.nodes:
        if all(id(tensor) in values for tensor in node.outputs):  # those of the inputs
            continue
        given = packed(node.given, [values[id(tensor)] for tensor in node.inputs])
        if (bad := _bad_output(node.layer, given)) is not None:
            return bad
        y = flat(node.layer.forward(given, training=True))
        values |= {id(tensor): value for tensor, value in zip(node.outputs, y)}
    return None


def first_bad_place(model: Any, x: Any) -> str:
    """In words: the first layer whose weights, or else whose output for x, are not all finite."""
    if not _finite(x):
        return "The inputs themselves hold NaN or infinity."
    places = {layer: f"{layer.full_name}, layer {i}" for i, layer in enumerate(_simple(model))}
    for layer, place in places.items():
        for name, array in layer.params.items():
            if not _finite(array):
                return f"The first numbers that are not finite are in {name} of {place}."
    if (bad := _bad_output(model, x)) is not None:
        place = places.get(bad, bad.full_name)
        return f"The first numbers that are not finite came out of {place}; its weights are finite."
    return "All weights and outputs are finite: it is the loss that is not."
