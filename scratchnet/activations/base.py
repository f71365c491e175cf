"""What an activation is to a layer: a function with its backward, by hand, as everything here."""

from __future__ import annotations

import copy
from typing import Any, TypeVar

import numpy as np

from scratchnet.arguments import ArgumentError
from scratchnet.config import Configurable
from scratchnet.devices import array_module, device_of

A = TypeVar("A", bound="WithBackward")


class WithBackward:
    """An activation of one layer: forward keeps in `kept`, its input or its output, what backward needs.

        y = activation.forward(x)      never changes x
        dx = activation.backward(dy)   dLoss/dx from dLoss/dy, for the last forward

    Attributes:
        kept: what forward has kept.
        name: how errors and `output_activation` name it.
    """

    kept: Any = None  # an array, once there was a forward

    @property
    def name(self) -> str:
        """The name that `activation=` takes; of what has none, the class: "Squared()"."""
        return f"{type(self).__name__}()"

    def forward(self, x: np.ndarray) -> np.ndarray:
        """y of x's shape and dtype."""
        raise NotImplementedError(f"{type(self).__name__}: define forward(self, x), which returns y.")

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """dx = dLoss/dx."""
        raise NotImplementedError(
            f"{type(self).__name__}: define backward(self, dy), which returns dLoss/dx: there is no autograd."
        )

    def fresh(self: A) -> A:
        """Another of the same settings, for another layer."""
        other = copy.copy(self)
        other.kept = None
        return other

    def forget(self) -> None:
        """Let go of what forward has kept: no backward follows."""
        self.kept = None

    def unshare(self, y: np.ndarray) -> None:
        """Keep a copy, if what is kept shares memory with y: y is about to be given to someone who may change it."""
        if self.kept is not None and array_module(y).may_share_memory(self.kept, y):
            self.kept = self.kept.copy()


class Function(WithBackward, Configurable):
    """What an activation of one's own is made from; each layer works with a copy of the object that it gets.

        class Squared(sn.activations.Function):
            def forward(self, x):               never changes x
                self.kept = x                   what backward needs
                return x * x

            def backward(self, dy):             dLoss/dx from dLoss/dy
                return 2 * self.kept * dy

        layer = sn.Dense(4, activation=Squared())
        sn.gradcheck(layer, x)                                              is its backward right?
        sn.load_model("model.safetensors", custom_objects={"Squared": Squared})

    Any other object with these two methods will do as well, but only the classes made from this one go into files.
    """


class Named(WithBackward):
    """Those of the package: each has its name in Keras, by which files know it."""

    def __init__(self, name: str):
        self._name = name

    @property
    def name(self) -> str:
        """Keras's name."""
        return self._name


class Own(WithBackward):
    """A reader's object with forward and backward, whatever its class; what it gives is checked.

    Each layer works with a copy of the object, made by copy.copy: two layers do not keep their values in one place.
    """

    def __init__(self, wrapped: Any):
        self.wrapped = copy.copy(wrapped)

    @property
    def name(self) -> str:
        """The object's class."""
        return f"{type(self.wrapped).__name__}()"

    def fresh(self) -> Own:
        """For another layer, another copy of the object."""
        return Own(self.wrapped)

    def forward(self, x: np.ndarray) -> np.ndarray:
        """The object's forward; a copy, which the object may have kept."""
        y = self._checked(self.wrapped.forward(x), x, "forward")
        if getattr(self.wrapped, "params", None):
            raise ArgumentError(
                f"{self.name}: expected activation to have no weights, got {', '.join(self.wrapped.params)}, which the "
                "model would not train. Put it behind the layer, as a layer of its own."
            )
        return y

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """The object's backward."""
        return self._checked(self.wrapped.backward(dy), dy, "backward")

    def _checked(self, result: Any, given: np.ndarray, method: str) -> np.ndarray:
        shape = getattr(result, "shape", None)
        if device_of(result) is not device_of(given) or shape != given.shape:
            what = type(result).__name__ if shape is None else f"{type(result).__name__} of shape {shape}"
            raise ArgumentError(
                f"{self.name}: expected {method} to return an array like the one it gets, of shape {given.shape}, got "
                f"{what}."
            )
        return np.array(result, given.dtype) if isinstance(result, np.ndarray) else result.astype(given.dtype)
