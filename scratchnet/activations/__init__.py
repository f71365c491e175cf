"""Activations: as functions of arrays, and what a layer runs for them, with their backward.

    sn.activations.relu(x)                                  values; NaN in, NaN out
    sn.Dense(4, activation="relu")                          by name
    sn.Dense(4, activation=sn.activations.relu)             the function
    sn.Dense(4, activation=sn.LeakyReLU(0.1))               a layer that is an activation, with settings
    sn.Dense(4, activation=Squared())                       one of your own, see `Function`

At a kink the derivative is what Keras takes, mostly that of the left side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from scratchnet import config as configs
from scratchnet.activations import linear_units, sigmoids
from scratchnet.activations.base import Function
from scratchnet.activations.linear_units import (
    celu,
    elu,
    gelu,
    hard_shrink,
    hard_silu,
    hard_swish,
    leaky_relu,
    linear,
    mish,
    relu,
    relu6,
    selu,
    silu,
    soft_shrink,
    softplus,
    sparse_plus,
    squareplus,
    swish,
    tanh_shrink,
)
from scratchnet.activations.names import MAKERS, Identifier, name_of, with_backward
from scratchnet.activations.sigmoids import (
    exponential,
    hard_sigmoid,
    hard_tanh,
    log_sigmoid,
    log_softmax,
    sigmoid,
    softmax,
    softsign,
    sparse_sigmoid,
    tanh,
)
from scratchnet.annotations import checked
from scratchnet.arguments import ArgumentError, shortened

__all__ = [
    "Function",
    "celu",
    "deserialize",
    "elu",
    "exponential",
    "gelu",
    "get",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "serialize",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "squareplus",
    "swish",
    "tanh",
    "tanh_shrink",
]

FUNCTIONS: dict[str, Callable[..., Any]] = {
    name: getattr(room, name) for room in (linear_units, sigmoids) for name in MAKERS if hasattr(room, name)
}
for _name, _function in FUNCTIONS.items():
    setattr(_function, "name_in_files", _name)  # noqa: B010 - type checkers know no attributes of functions


def _get(identifier: Identifier) -> Any:
    if identifier is None:
        return linear
    name = name_of(identifier)
    if name is not None:
        return FUNCTIONS[name]
    with_backward(identifier)  # raises an error for what a layer cannot take
    return identifier


@checked
def get(identifier: Identifier) -> Callable[..., Any] | Any:
    """The function of arrays that has this name; what is no name, as it is, if a layer can take it.

    Raises:
        ValueError: no activation has that name, or a layer could not go back through it.
    """
    return _get(identifier)


@checked
def serialize(activation: Identifier) -> Any:
    """An activation as JSON can hold it: its name, or the class and the arguments of an object.

    Raises:
        TypeError: an object whose arguments nobody knows: its class must be made from `Function`.
    """
    return configs.describe(_get(activation), "activation")


@checked
def deserialize(config: str | dict[str, Any], custom_objects: Mapping[str, type] | None = None) -> Any:
    """What `serialize` wrote down, again.

    Args:
        config: what `serialize` gave.
        custom_objects: {"Squared": Squared} for classes that are not the package's own.
    """
    if isinstance(config, dict) and config.keys() != {"class", "config"}:
        raise ArgumentError(f"expected config to be what serialize gives, got {shortened(config)}.")
    return _get(configs.make(config, custom_objects, "activation"))
