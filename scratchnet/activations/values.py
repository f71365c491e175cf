"""What the functions of arrays share: an activation's forward by its name."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from scratchnet.activations.names import MAKERS
from scratchnet.arguments import check_array
from scratchnet.devices import array_module, as_array
from scratchnet.shapes import FLOATS


class Symbolic(Protocol):
    """What stands for an array that is not there yet, and remembers what is to be done with it."""

    def activated(self, name: str, settings: dict[str, Any]) -> Any:
        """What stands for the activation of that name, with these settings."""


Numbers = float | np.ndarray | Symbolic


def values(name: str, x: Any, **settings: Any) -> Any:
    """The activation of that name for x: a fresh array of float32, or of float64 where x is that."""
    activated = getattr(x, "activated", None)
    if activated is not None:
        return activated(name, settings)
    check_array(x, "x", name)
    x = as_array(x)
    x = x if x.dtype in FLOATS else x.astype(np.float32)
    maker, array = MAKERS[name], x.reshape(x.shape or 1)  # a number, too, as an array
    y = array if maker is None else maker(**settings).forward(array)
    return (y.copy() if array_module(y).may_share_memory(y, x) else y).reshape(x.shape)
