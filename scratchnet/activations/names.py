"""Which name of Keras is which activation with which settings, and what else `activation=` takes."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any, Protocol

import numpy as np

from scratchnet.activations.base import Own, WithBackward
from scratchnet.activations.kinds import Formula, FromInput, FromOutput, LogSigmoid, LogSoftmax, Rectifier, Softmax
from scratchnet.arguments import ArgumentError, check_choice, shortened

# SELU's constants, with which mean 0 and variance 1 are a fixed point from layer to layer: arXiv 1706.02515.
SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805


def _relu(negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> WithBackward:
    return Rectifier("relu", negative_slope, threshold, np.inf if max_value is None else max_value)


# Each with its settings, by Keras's names, and Keras's defaults. None: nothing to do.
MAKERS: dict[str, Callable[..., WithBackward] | None] = {
    "celu": lambda alpha=1.0: FromInput("celu", "elu", (alpha, 1.0, alpha)),
    "elu": lambda alpha=1.0: FromInput("elu", settings=(alpha,)),
    "exponential": lambda: Formula("exponential"),
    "gelu": lambda approximate=False: FromInput("gelu", settings=(approximate,)),
    "hard_shrink": lambda threshold=0.5: Formula("hard_shrink", (threshold,)),
    "hard_sigmoid": lambda: FromInput("hard_sigmoid"),
    "hard_silu": lambda: FromInput("hard_silu"),
    "hard_tanh": lambda: Formula("hard_tanh"),
    "leaky_relu": lambda negative_slope=0.2: Rectifier("leaky_relu", negative_slope),
    "linear": None,
    "log_sigmoid": lambda: LogSigmoid("log_sigmoid"),
    "log_softmax": lambda axis=-1: LogSoftmax("log_softmax", axis),
    "mish": lambda: FromInput("mish"),
    "relu": _relu,
    "relu6": lambda: Rectifier("relu6", max_value=6.0),
    "selu": lambda: FromInput("selu", "elu", (SELU_ALPHA, SELU_SCALE)),
    "sigmoid": lambda: FromOutput("sigmoid"),
    "silu": lambda: FromInput("silu"),
    "soft_shrink": lambda threshold=0.5: Formula("soft_shrink", (threshold,)),
    "softmax": lambda axis=-1: Softmax("softmax", axis),
    "softplus": lambda: FromInput("softplus"),
    "softsign": lambda: Formula("softsign"),
    "sparse_plus": lambda: Formula("sparse_plus"),
    "sparse_sigmoid": lambda: Formula("sparse_sigmoid"),
    "squareplus": lambda b=4: Formula("squareplus", (b,)),
    "tanh": lambda: FromOutput("tanh"),
    "tanh_shrink": lambda: Formula("tanh_shrink"),
}
ALIASES = {"hard_swish": "hard_silu", "swish": "silu"}
WANTED = "a name such as 'relu', a function of scratchnet.activations, or an object with forward(x) and backward(dy)"


class TwoWay(Protocol):
    """What an object of the reader's own needs to be an activation."""

    def forward(self, x: np.ndarray, /) -> np.ndarray:
        """y of x's shape; x is not changed."""

    def backward(self, dy: np.ndarray, /) -> np.ndarray:
        """dLoss/dx from dLoss/dy, for the last forward."""


Identifier = str | Callable[..., Any] | WithBackward | TwoWay | None


def name_of(identifier: Any) -> str | None:
    """The name of one of the package's functions of arrays, or from a text; None for anything else.

    Raises:
        ValueError: no activation has that name; the nearest is named.
    """
    if isinstance(identifier, FunctionType):
        name = getattr(identifier, "name_in_files", None)
        return name if name in MAKERS else None
    if isinstance(identifier, str):
        name = check_choice(identifier, (*MAKERS, *ALIASES), "activation")
        return ALIASES.get(name, name)
    return None


def with_backward(identifier: Identifier) -> WithBackward | None:
    """What a layer runs for its argument `activation`, an object for it alone; None where there is nothing to do.

    Raises:
        ValueError: no activation has that name, or it is nothing that has a backward.
    """
    if identifier is None:
        return None
    if isinstance(identifier, type):
        raise ArgumentError(
            f"expected activation to be {WANTED}, got {identifier!r}. A class needs its brackets: "
            f"{identifier.__name__}()."
        )
    if isinstance(identifier, WithBackward):
        return identifier.fresh()
    name = name_of(identifier)
    if name is not None:
        maker = MAKERS[name]
        return None if maker is None else maker()
    if all(callable(getattr(identifier, method, None)) for method in ("forward", "backward")):
        return Own(identifier)
    if not callable(identifier):
        raise ArgumentError(f"expected activation to be {WANTED}, got {shortened(identifier)}.")
    theirs = getattr(identifier, "__name__", "")
    hint = f" Here it is activation={theirs!r}." if theirs in {**MAKERS, **ALIASES} else ""
    raise ArgumentError(
        f"expected activation to be {WANTED}, got {shortened(identifier)}, a function without its backward. There is "
        f"no autograd that finds its derivative: scratchnet.activations.Function shows how to write it.{hint}"
    )
