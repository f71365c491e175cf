"""Where a graph of layers begins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scratchnet.annotations import checked
from scratchnet.arguments import check_batch_shape, check_sizes, shortened
from scratchnet.layers.base import Layer
from scratchnet.layers.symbolic import KerasTensor, Node
from scratchnet.shapes import Shape
from scratchnet.signatures import OnlyDefault

_DTYPES = ("float32", "float64", "float16", "uint8", "int8", "int16", "int32", "int64", "bool")


class InputLayer(Layer):
    """The layer that hands the model's input on; `Input` makes it. First in a Sequential it only says the shape.

    Args:
        shape: of one example, such as (32, 32, 3).
        dtype: "float32"; "int32" says that whole numbers are meant, such as those for an Embedding.
        batch_shape: the same with the batch's axis before it: (None, 32, 32, 3).
        name: of the input, under which `fit` takes it from a dict.

    Raises:
        ValueError: neither shape nor batch_shape, or both, or sizes that are none.

    Source: https://keras.io/api/layers/core_layers/input/
    """

    keeps_range = True
    fewest_axes = 1  # such as one number for an Embedding

    def __init__(
        self,
        shape: Sequence[int] | None = None,
        batch_size: int | None = None,
        dtype: str | None = None,
        sparse: OnlyDefault = None,
        ragged: OnlyDefault = None,
        batch_shape: Sequence[int | None] | None = None,
        input_tensor: OnlyDefault = None,
        optional: OnlyDefault = False,
        name: str | None = None,
        **options: Any,
    ):
        super().__init__(name=name, **options)
        one: Sequence[int | None] | None = shape
        if shape is None and batch_shape is None and self.input_shape is not None:
            one = self.input_shape[1:]  # Keras's older input_shape=
        if (one is None) == (batch_shape is None):
            raise ValueError(
                f"{self.full_name}: expected shape=, of one example, such as (32, 32, 3), or batch_shape=, got "
                f"shape={shortened(one)} and batch_shape={shortened(batch_shape)}."
            )
        if one is None:
            one = check_batch_shape(batch_shape, self.full_name)[1:]
        self.batch_size, self.output_dtype = batch_size, "float32" if dtype is None else dtype
        if self.output_dtype not in _DTYPES:
            raise ValueError(f"{self.full_name}: expected dtype to be one of {', '.join(_DTYPES)}, got {dtype!r}.")
        self.build((None, *check_sizes(one, "shape", self.full_name)))
        assert self.output_shape is not None
        self.tensor = KerasTensor(self.output_shape, self.output_dtype, name=self.name)
        Node(self, [], self.tensor)


@checked
def Input(
    shape: Sequence[int] | None = None,
    batch_size: int | None = None,
    dtype: str | None = None,
    sparse: OnlyDefault = None,
    ragged: OnlyDefault = None,
    batch_shape: Sequence[int | None] | None = None,
    name: str | None = None,
    tensor: OnlyDefault = None,
    optional: OnlyDefault = False,
) -> Any:
    """A symbolic tensor to begin a graph with, for examples of this shape.

        x = Input((32, 32, 3))
        y = Dense(10)(Flatten()(x))
        model = Model(x, y)

    Args and errors: those of InputLayer.
    """
    return InputLayer(shape, batch_size, dtype, batch_shape=batch_shape, name=name).tensor


def shape_of_input(layer: Any) -> Shape | None:
    """The shape that an Input tensor or an InputLayer, first in a Sequential, says; None for any other layer."""
    if isinstance(layer, KerasTensor) and layer.node is not None:
        layer = layer.node.layer
    return layer.output_shape if isinstance(layer, InputLayer) else None
