"""Sequential: a network of layers one after the other, that can be trained."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from scratchnet import placement
from scratchnet.annotations import checked
from scratchnet.arguments import check_choice, check_input
from scratchnet.layers.base import Layer
from scratchnet.layers.chain import Chain
from scratchnet.layers.composite import Composite
from scratchnet.layers.input import Input, shape_of_input
from scratchnet.layers.symbolic import KerasTensor
from scratchnet.models.model import Model
from scratchnet.shapes import sizes
from scratchnet.signatures import OnlyDefault


class Sequential(Model, Chain):
    """Layers one after the other, as Keras has it: add, compile, fit, evaluate, predict.

        y = model.forward(x, training=False)     through all layers
        dx = model.backward(dy)                  back through all layers; adds to their grads

    Args:
        layers: may also be added one by one. If the first has input_shape, or Input(shape) stands before it, the
            weights are made at once, otherwise at the first forward.
        trainable: False holds all weights fixed.
        name: of the model.
        dtype: "float32" or "float64", in which fit, evaluate and predict compute. `forward` follows its input.
        fuse: whether neighbouring layers may run as one, which is faster; see `layers/fusion.py`. With False, a
            breakpoint in the backward of any layer stops.

    Raises:
        TypeError: something that is no layer.
        ValueError: two layers of one name, an unknown dtype, shapes that do not fit.

    A layer may be added twice: it has the same weights at both places. A Sequential is a layer itself, and can be put
    into another, into a branch of Parallel, or be called in a graph.
    """

    _tensors: Sequence[KerasTensor] = ()  # the input, and what each layer gives
    _connected: Sequence[Layer] = ()

    def __init__(
        self,
        layers: Iterable[Layer | KerasTensor] | None = None,
        trainable: bool = True,
        name: str | None = None,
        *,
        dtype: str = "float32",
        fuse: bool = True,
    ):
        super().__init__((), fuse=fuse, name=name, trainable=trainable)
        self.compute_dtype = np.dtype(check_choice(dtype, ("float32", "float64"), "dtype"))
        for layer in () if layers is None else layers:
            self.add(layer)

    @checked
    def add(self, layer: Layer | KerasTensor, rebuild: OnlyDefault = True) -> None:
        """Put a layer behind the last one. An `Input`, or an InputLayer, may come first: it says the input's shape."""
        shape = shape_of_input(layer)
        if shape is not None:
            if self.layers or self.input_shape is not None:
                raise ValueError(f"{self.full_name}: an Input comes before all layers, and only once, got another.")
            self.input_shape = shape
            return
        if not isinstance(layer, Layer):
            raise TypeError(
                f"{self.full_name}: expected a layer, got {layer!r}: what a layer gave when it was called. Add the "
                "layer itself."
            )
        before = self.output_shape
        self.layers.append(layer)
        try:
            self.check_layers()
            if len(self.layers) == 1:
                if (shape := self.input_shape or layer.input_shape) is not None:
                    self.build(shape)
            elif before is not None:  # it is built
                with placement.use(self.device):
                    layer.build(before)
                self.output_shape = layer.output_shape
                self._connect()
            if isinstance(layer, Composite) and not self.fuse:
                layer.fuse = False
        except (TypeError, ValueError):
            self.layers.pop()  # a model that raised is as it was before
            raise
        self._output_shape_now = None

    @checked
    def build(self, input_shape: Sequence[int | None]) -> None:
        """Make all weights for inputs of shape (None, H, W, C), batch axis first as in Keras."""
        if not self.layers:
            raise RuntimeError(f"{self.full_name}: build before add. Add at least one layer first.")
        super().build(input_shape)
        self._connect()

    def _connect(self) -> None:
        """Call the layers on symbolic tensors, so that each has an `input` and an `output`."""
        assert self.input_shape is not None
        if not self._tensors or list(self._connected) != self.layers[: len(self._connected)]:
            self._tensors, self._connected = [Input(sizes(self.input_shape))], ()
        for layer in self.layers[len(self._connected) :]:
            self._tensors = [*self._tensors, layer(self._tensors[-1])]
            self._connected = [*self._connected, layer]

    @checked
    def pop(self, rebuild: OnlyDefault = True) -> Layer:
        """Take the last layer away, and return it.

        Raises:
            IndexError: there is none.
        """
        if not self.layers:
            raise IndexError(f"{self.full_name}: pop, but there is no layer left.")
        self._output_shape_now = None
        return self.layers.pop()

    @property
    def input(self) -> KerasTensor:
        """The symbolic tensor that it begins with; a RuntimeError before it is built."""
        return self._path()[0]

    @property
    def output(self) -> KerasTensor:
        """What its last layer gives for `input`."""
        return self._path()[-1]

    @property
    def inputs(self) -> list[KerasTensor]:
        """`input`, in a list."""
        return [self.input]

    @property
    def outputs(self) -> list[KerasTensor]:
        """`output`, in a list."""
        return [self.output]

    def _path(self) -> list[KerasTensor]:
        if not self.built:
            raise RuntimeError(
                f"{self.full_name} has no input and output yet. Give the first layer input_shape, or call build."
            )
        self._connect()  # somebody may have changed the list by hand
        return list(self._tensors[: len(self.layers) + 1])

    def check(self, x: np.ndarray) -> None:
        """Raise a ValueError unless the first layer can take x."""
        super().check(x)
        # A first layer that takes any shape, such as Flatten, would take channels first as well.
        if self.built and self.input_shape is not None and self.layers[0].rank is None:
            check_input(x, self.input_shape, self.full_name)

    @checked
    def forward(self, x: np.ndarray, training: bool = False, logits: bool = False) -> np.ndarray:
        """The output for a batch x, in x's dtype.

        Args:
            x: examples along the first axis.
            training: whether dropout drops and normalization uses the batch's own statistics.
            logits: leave out the activation at the end: scores before a softmax or sigmoid.
        """
        if not self.layers:
            raise RuntimeError(f"{self.full_name}: forward before add. Add at least one layer first.")
        return super().forward(x, training, logits)

    def get_config(self) -> dict[str, Any]:
        """The layers as they are now, the name and the dtype; see Configurable."""
        return {**super().get_config(), "dtype": self.compute_dtype.name}
