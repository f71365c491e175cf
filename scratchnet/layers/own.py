"""Layers of the reader's own, written as Keras's guide teaches it, and with the backward that is needed here.

    class Linear(Layer):
        def __init__(self, units, **options):
            super().__init__(**options)
            self.units = units

        def build(self, input_shape):
            self.w = self.add_weight((input_shape[-1], self.units), name="w")

        def call(self, x):
            self.x = x
            return x @ self.w

        def call_backward(self, dy):
            self.grads["w"] += self.x.T @ dy
            return dy @ self.w.T

`adapted` makes of it what `Layer` asks for. A class that is written in the package's own way, with create_weights,
call(self, x, training) and call_backward(self, dy, param_grads, input_grad), stays as it is.

| the guide's | here |
|---|---|
| `build` that makes the weights | `create_weights`: `Layer.build` calls it, with what it does for all layers |
| `call(self, x)` without `training` | `call(self, x, training)` |
| no `compute_output_shape` | the shape that `call` gives for an example of zeros |
| no gradient: there is an autograd | `call_backward(self, dy)`, or with param_grads, input_grad; else backward raises |

Source: https://keras.io/guides/making_new_layers_and_models_via_subclassing/
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from scratchnet.shapes import Shape, sizes

Method = Callable[..., Any]
PACKAGE = __name__.partition(".")[0]


class Adapting:
    """Its subclasses outside of the package are adapted; the package's own are written as `Layer` asks."""

    _of_a_reader = False

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.__module__.partition(".")[0] != PACKAGE:
            cls._of_a_reader = True
            adapted(cls, next(one for one in cls.__mro__ if one.__module__ == f"{PACKAGE}.layers.base"))


def adapted(cls: Any, layer: Any) -> None:
    """Have a class that derives from `layer`, the class Layer, do what that asks of its kinds."""
    own = vars(cls)
    if "call" not in own:
        return
    ours = "build" not in own and _takes(own["call"], "training") and _takes(cls.call_backward, "param_grads")
    if "build" in own:
        cls.create_weights = _once_within(own["build"])
        del cls.build
    if not _takes(own["call"], "training"):
        cls.call = _without_training(own["call"])
    if cls.compute_output_shape is layer.compute_output_shape and not ours:
        cls.create_weights = _once(cls.create_weights)
        cls.compute_output_shape = _shape_of_call
    if cls.call_backward is layer.call_backward:
        cls.call_backward = _no_backward
    elif "call_backward" in own and not _takes(own["call_backward"], "param_grads"):
        cls.call_backward = _of_gradient_alone(own["call_backward"])


def _takes(function: Method, name: str) -> bool:
    parameters = inspect.signature(function).parameters.values()
    return any(p.name == name or p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters)


def _once_within(build: Method) -> Method:
    """`create_weights` from a reader's `build`, in which `super().build(input_shape)` does nothing more."""

    @functools.wraps(build)
    def create_weights(self: Any, input_shape: Shape) -> None:
        self._in_build = True
        try:
            build(self, input_shape)
        finally:
            self._in_build = False

    return create_weights


def _once(create: Method) -> Method:
    """`create_weights` that leaves weights alone which `_shape_of_call` had to make."""

    @functools.wraps(create)
    def create_weights(self: Any, input_shape: Shape) -> None:
        if not self._has_weights:
            create(self, input_shape)

    return create_weights


def _without_training(call: Method) -> Method:
    @functools.wraps(call)
    def call_as_layers_do(self: Any, x: np.ndarray, training: bool) -> np.ndarray:
        y: np.ndarray = call(self, x)
        return y

    return call_as_layers_do


def _of_gradient_alone(backward: Method) -> Method:
    """`call_backward(self, dy)` adds to the grads in any case; where they are not asked for, they are put back."""

    @functools.wraps(backward)
    def call_backward(self: Any, dy: np.ndarray, param_grads: bool, input_grad: bool) -> Any:
        before = {} if param_grads else {name: gradient.copy() for name, gradient in self.grads.items()}
        dx = backward(self, dy)
        for name, gradient in before.items():
            self.grads[name][...] = gradient
        return dx

    return call_backward


def _shape_of_call(self: Any, input_shape: Sequence[int | None]) -> Shape:
    """The shape of the output, found by a call with zeros; with None for the batch."""
    if not self.built and not self._has_weights:
        self.device = self.home()
        self.create_weights((None, *input_shape[1:]))
        self._has_weights = True
    x = self.device.module.zeros((1, *sizes(input_shape)), self.dtype)
    return (None, *self.call(x, False).shape[1:])


def _no_backward(self: Any, dy: np.ndarray, param_grads: bool, input_grad: bool) -> Any:
    raise NotImplementedError(
        f"{self.full_name}: {type(self).__name__} defines call and no call_backward(self, dy), which returns dLoss/dx "
        "and adds to self.grads. There is no autograd that could find it; sn.gradcheck(layer, x) says whether it is "
        "right."
    )
