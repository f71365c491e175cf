"""How every network of the zoo that is a graph begins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scratchnet.arguments import check_count
from scratchnet.layers import Input, Layer


def begin(caller: str, input_shape: tuple[int, int, int], classes: int, first: Sequence[Layer]) -> tuple[Any, Any]:
    """(the input, what the layers in `first` make of it), both symbolic; the number of classes is checked.

    Args:
        caller: how errors begin.
        input_shape, classes, first: what the network's function got.

    Raises:
        ValueError: classes below 1, or a shape that is none.
    """
    check_count(classes, "classes", caller)
    inputs = x = Input(input_shape)
    for layer in first:
        x = layer(x)
    return inputs, x
