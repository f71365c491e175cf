"""Sequential: a network of layers one after the other, that can be trained."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from scratchnet import placement, saving
from scratchnet.annotations import checked
from scratchnet.arguments import check_choice, check_input, shape_text
from scratchnet.layers.base import Layer
from scratchnet.layers.chain import Chain, Composite
from scratchnet.printing import say
from scratchnet.saving import PathLike
from scratchnet.signatures import OnlyDefault
from scratchnet.training.trainable import Trainable


class Sequential(Trainable, Chain):
    """Layers one after the other, as Keras has it: add, compile, fit, evaluate, predict.

        y = model.forward(x, training=False)     through all layers
        dx = model.backward(dy)                  back through all layers; adds to their grads

    Args:
        layers: may also be added one by one. If the first has input_shape, the weights are made at once, otherwise at
            the first forward.
        name: of the model.
        dtype: "float32" or "float64", in which fit, evaluate and predict compute. `forward` follows its input.
        fuse: whether neighbouring layers may run as one, which is faster; see `layers/fusion.py`. With False, a
            breakpoint in the backward of any layer stops.

    Raises:
        TypeError: something that is no layer.
        ValueError: two layers of one name, one layer at two places, an unknown dtype, shapes that do not fit.

    A Sequential is a layer itself, and can be put into another or into a branch of Parallel.
    """

    def __init__(
        self,
        layers: Iterable[Layer] | None = None,
        trainable: OnlyDefault = True,
        name: str | None = None,
        *,
        dtype: str = "float32",
        fuse: bool = True,
    ):
        super().__init__((), fuse=fuse, name=name)
        self.compute_dtype = np.dtype(check_choice(dtype, ("float32", "float64"), "dtype"))
        for layer in () if layers is None else layers:
            self.add(layer)

    @checked
    def add(self, layer: Layer, rebuild: OnlyDefault = True) -> None:
        """Put a layer behind the last one."""
        before = self.output_shape
        self.layers.append(layer)
        try:
            self.check_layers()
            if len(self.layers) == 1:
                if (shape := layer.input_shape or self.input_shape) is not None:
                    self.build(shape)
            elif before is not None:  # it is built
                with placement.use(self.device):
                    layer.build(before)
                self.output_shape = layer.output_shape
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

    @checked
    def save(self, filepath: PathLike, overwrite: OnlyDefault = True, zipped: OnlyDefault = None) -> None:
        """Write the whole model into a file: layers, weights, optimizer with its memory, loss and metrics.

        The file is in the safetensors format, with the architecture as JSON in its header; it holds no code. It is
        written whole or not at all. `sn.load_model(filepath)` brings the model back. A usual name is model.safetensors.

        Raises:
            RuntimeError: the model is not built yet.
            TypeError: a layer was made with an argument that JSON cannot hold, such as a function.
            OSError: the folder or the disk does not let us.
        """
        saving.save_model(self, filepath)

    @checked
    def save_weights(
        self, filepath: PathLike, overwrite: OnlyDefault = True, max_shard_size: OnlyDefault = None
    ) -> None:
        """Write the weights alone. Errors as for `save`."""
        saving.save_weights(self, filepath)

    @checked
    def load_weights(self, filepath: PathLike, skip_mismatch: OnlyDefault = False) -> None:
        """Take over the weights from a file of `save_weights` or `save`, from whichever device; the model stays on its.

        Raises:
            RuntimeError: the model is not built yet.
            FileNotFoundError: there is no such file.
            ValueError: a damaged file, or one whose layers are not this model's; no weight is changed.
        """
        saving.load_weights(self, filepath)

    @checked
    def summary(
        self,
        line_length: OnlyDefault = None,
        positions: OnlyDefault = None,
        print_fn: OnlyDefault = None,
        expand_nested: OnlyDefault = False,
        show_trainable: OnlyDefault = False,
        layer_range: OnlyDefault = None,
    ) -> None:
        """Print a table: each layer's output shape, parameters, and multiply-adds for one picture."""
        if not self.built:
            raise RuntimeError(
                f"{self.full_name}: summary before build. Give the first layer input_shape=(H, W, C), or call build."
            )
        rows = [
            (
                f"{layer.name} ({type(layer).__name__})",
                shape_text(layer.output_shape or ()),
                f"{layer.count_params():,}",
                f"{layer.multiply_adds():,}",
            )
            for layer in self.layers
        ]
        head = ("layer (type)", "output shape", "parameters", "multiply-adds")
        total = ("total", "", f"{self.count_params():,}", f"{self.multiply_adds():,}")
        widths = [max(len(row[c]) for row in (head, total, *rows)) for c in range(4)]

        def line(row: Sequence[Any]) -> str:
            left = f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}"
            return f"{left}  {row[2]:>{widths[2]}}  {row[3]:>{widths[3]}}"

        rule = "-" * (sum(widths) + 6)
        say(f"Model {self.name!r}", line(head), rule, *map(line, rows), rule, line(total), sep="\n")
        trained = sum(math.prod(p.shape) for p in self.params.values())
        if trained != self.count_params():
            say(f"{trained:,} parameters are trained, {self.count_params() - trained:,} are moving averages")
