"""What regularizers and constraints do in layers: penalties in the loss, their gradients, bounds on the weights.

    total = loss of the outputs + sum of regularizer(w) over the trained weights
                                + sum of activity_regularizer(y) / N over the layers' outputs, N the examples

| what | where |
|---|---|
| the penalties, in the loss that is reported | `training/step.py`, `gan/steps.py`: `penalized(value, model, ...)` |
| the gradient of the weights' penalties | there, after backward: `model.add_penalty_gradients()` |
| the gradient of an output's penalty | the layer's own `run_backward` |
| constraints | after each update: `optimizer.update_model(model)` |

Weights that are held fixed have no penalty and are not bounded, as in Keras. A layer at several places is penalized
once for its weights, and for the output of each of its calls.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np

from scratchnet import constraints, regularizers
from scratchnet.constraints import Bound
from scratchnet.devices import array_module
from scratchnet.layers.trainability import Trainability
from scratchnet.regularizers import Regularizer

V = TypeVar("V")

_collected: ContextVar[list[float] | None] = ContextVar("_collected", default=None)


@contextlib.contextmanager
def activity_penalties() -> Iterator[list[float]]:
    """Within it the penalties of all outputs that layers compute come into the list."""
    found: list[float] = []
    token = _collected.set(found)
    try:
        yield found
    finally:
        _collected.reset(token)


def penalized(value: V, model: Penalties, activities: Sequence[float] = ()) -> V:
    """A loss with the penalties of the model's weights, and of outputs, added; of several losses, to the first."""
    if not activities and not model.ruled:
        return value
    extra: Any = sum(activities, model.weights_penalty())
    return (value[0] + extra, *value[1:]) if isinstance(value, tuple) else value + extra  # type: ignore[return-value]


class Rules:
    """How often layers got regularizers or constraints for weights: what is known of a network holds until the next."""

    changes = 0


class Penalties(Trainability):
    """The regularizers and constraints of a layer: those of its weights by name, and that of its output.

    Attributes:
        regularizers, constraints: of weights, by the weight's name; they cannot be written to, see `rule`.
        activity_regularizer: of the output; it can be set at any time.
    """

    activation: Any
    takes_activity_regularizer = True

    def __init__(self) -> None:
        self._regularizers: dict[str, Regularizer] = {}
        self._constraints: dict[str, Bound] = {}
        self._activity: Regularizer | None = None
        self._active: Any = None  # the output of the last forward, activation included, where it is penalized

    @property
    def full_name(self) -> str:
        """How errors name this object."""
        return type(self).__name__

    # Of weights.

    def rule(
        self, name: str, regularizer: str | Regularizer | None = None, constraint: str | Bound | None = None
    ) -> None:
        """Have a regularizer, a constraint or both for the weight of this name, from now on; None leaves what there is.

        for layer in model.layers:
            layer.rule("kernel", regularizers.l2(1e-4))
        """
        penalty, bound = regularizers.get(regularizer), constraints.get(constraint)
        if penalty is not None:
            self._regularizers[name] = penalty
        if bound is not None:
            self._constraints[name] = bound
        if penalty is not None or bound is not None:
            Rules.changes += 1

    @property
    def regularizers(self) -> Mapping[str, Regularizer]:
        """The penalties of weights, by the weight's name; `rule` adds one."""
        return MappingProxyType(self._regularizers)

    @property
    def constraints(self) -> Mapping[str, Bound]:
        """The bounds of weights, by the weight's name; `rule` adds one."""
        return MappingProxyType(self._constraints)

    @property
    def ruled(self) -> bool:
        """Whether weights in it have regularizers or constraints: what every step asks first."""
        return bool(self._regularizers or self._constraints)

    def trained_layers(self) -> Sequence[Penalties]:
        """The layers that hold the weights of `trained`; this one itself, where it is not made of layers."""
        return [self] if self.trainable else []

    def _penalties(self) -> Iterator[tuple[Penalties, str, Regularizer]]:
        for layer in self.trained_layers() if self.ruled else ():
            for name, regularizer in layer.regularizers.items():
                if name in layer.params:  # Dense(use_bias=False, bias_regularizer=...) has no bias
                    yield layer, name, regularizer

    def weights_penalty(self) -> float:
        """The sum of the penalties of all weights that are trained; in a recorded step an array without axes."""
        return sum(self._weights_penalties(), 0.0)

    def _weights_penalties(self) -> list[float]:
        with np.errstate(under="ignore"):
            return [regularizer(layer.params[name]) for layer, name, regularizer in self._penalties()]

    @property
    def losses(self) -> list[float]:
        """The penalties, as Keras lists them: of outputs, each layer's for its last forward, then of trained weights.

        They are part of the loss that fit, evaluate and train_on_batch report. In a step of one's own, the gradients of
        those of outputs are in what `backward` does; those of weights come by `model.add_penalty_gradients()` after it.
        """
        return [*self.last_activity_penalties(), *self._weights_penalties()]

    def add_penalty_gradients(self) -> None:
        """Add to `grads` what the penalties of the trained weights give; a step of training calls it after backward.

        Raises:
            ValueError: a regularizer, which may be the reader's, gives no gradient of the weights' shape.
        """
        if not self.ruled:
            return
        with np.errstate(under="ignore"):  # what is too small for float32 is 0
            for layer, name, regularizer in self._penalties():
                w = layer.params[name]
                gradient = regularizer.gradient(w)
                layer.grads[name][...] += _like(gradient, w, f"{layer.full_name}: the regularizer of {name!r}")

    def constrain(self) -> None:
        """Bring the trained weights to what their constraints allow; an optimizer does so after each update.

        Raises:
            ValueError: a constraint, which may be the reader's, gives no weights of the same shape.
        """
        if not self.ruled:
            return
        with np.errstate(under="ignore"):
            for layer in self.trained_layers():
                for name, constraint in layer.constraints.items():
                    if name in layer.params:
                        w = layer.params[name]
                        w[...] = _like(constraint(w), w, f"{layer.full_name}: the constraint of {name!r}")

    # Of outputs.

    @property
    def activity_regularizer(self) -> Regularizer | None:
        """The penalty on the output, divided by the number of examples; None for none."""
        return self._activity

    @activity_regularizer.setter
    def activity_regularizer(self, value: str | Regularizer | None) -> None:
        regularizer = regularizers.get(value)
        if regularizer is not None and not self.takes_activity_regularizer:
            raise ValueError(
                f"{self.full_name}: activity_regularizer is for single layers. Give it to one of the layers in this "
                "one, or put scratchnet.layers.ActivityRegularization(l1, l2) behind."
            )
        self._activity = regularizer

    def note_activity(self, y: Any, logits: bool) -> None:
        """Keep the output for `activity_gradient`, and hand its penalty to `activity_penalties`.

        With logits, y is what comes before the activation; the penalty is on what comes behind it all the same.
        """
        self._active = self.activation.forward(y) if logits and self.activation is not None else y
        found = _collected.get()
        if found is not None:
            found.append(self._activity_penalty())

    def _activity_penalty(self) -> float:
        assert self._activity is not None
        with np.errstate(under="ignore"):
            return self._activity(self._active) / len(self._active)

    def activity_gradient(self, logits: bool) -> Any:
        """The gradient of the last output's penalty by the output; with logits, by what comes before the activation."""
        assert self._activity is not None
        y = self._active
        gradient = _like(self._activity.gradient(y), y, f"{self.full_name}: the activity_regularizer") / len(y)
        return self.activation.backward(gradient) if logits and self.activation is not None else gradient

    def last_activity_penalties(self) -> list[float]:
        """The penalty of the last forward's output, if there is one; of layers in this one, each of theirs."""
        return [] if self._activity is None or self._active is None else [self._activity_penalty()]

    def unshare_activity(self, y: Any) -> None:
        """Keep no output that shares memory with y, which is about to be given to someone who may change it."""
        if self._active is not None and array_module(y).may_share_memory(self._active, y):
            self._active = self._active.copy()


def _like(found: Any, x: Any, whose: str) -> Any:
    """What a function of an array gave, in the array's dtype; a ValueError if it has another shape."""
    shape = getattr(found, "shape", type(found).__name__)
    if shape != x.shape:
        raise ValueError(f"{whose}: expected it to give an array of shape {x.shape}, got {shape}.")
    return found.astype(x.dtype, copy=False)
