"""Model: what all networks that can be trained have in common, and the way to make one of a graph of layers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from scratchnet import saving
from scratchnet.annotations import checked
from scratchnet.layers.base import Layer
from scratchnet.layers.composite import Composite
from scratchnet.models import summary
from scratchnet.printing import say
from scratchnet.saving import PathLike
from scratchnet.signatures import OnlyDefault
from scratchnet.training.trainable import Trainable


class Model(Trainable, Composite):
    """A network of layers that can be trained: `Model(inputs, outputs)` makes one of a graph of layers.

        x = Input((32, 32, 3))
        y = Conv2D(16, 3, padding="same", activation="relu")(x)
        y = Add()([y, Conv2D(16, 1)(x)])
        model = Model(x, Dense(10, activation="softmax")(GlobalAveragePooling2D()(y)))

    What runs is in `models/graph.py`: forward call by call, backward in the reverse order, where the gradients of a
    tensor that went to several calls add up. Neighbours on a path may run as one, by `layers/fusion.py`. A layer that
    is called twice has the same weights at both places. A Model is a layer itself, and can be called in another.

    Args:
        inputs: a symbolic tensor, or a list or dict of them: those of `Input`, or those that any layers give.
        outputs: in the same way.
        name: of the model.
        trainable: False holds all weights fixed.
        dtype: "float32" or "float64", in which fit, evaluate and predict compute. `forward` follows its input.
        fuse: whether neighbouring layers may run as one.

    Raises:
        TypeError: something among inputs and outputs is no symbolic tensor, or a subclass with a `call`: there is no
            autograd that could go back through it.
        ValueError: an output depends on an input that is not among the inputs, or two layers have one name.

    Source: Keras, https://keras.io/guides/functional_api/
    """

    compute_dtype = np.dtype(np.float32)
    of_graph: ClassVar[type[Model]]  # Functional: what Model(inputs, outputs) makes

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """A Functional, where Model itself is called."""
        return super().__new__(cls.of_graph if cls is Model else cls)

    def __init_subclass__(cls, **options: Any) -> None:
        if "call" in vars(cls) and "call_backward" not in vars(cls):
            raise TypeError(
                f"{cls.__name__}: a Model with a `call` of its own would need an autograd, and there is none. Make the "
                "network of layers, Sequential([...]) or Model(inputs, outputs), and for what no layer does write a "
                "scratchnet.layers.Layer with `call` and `call_backward`."
            )
        if "train_step" in vars(cls):
            raise TypeError(
                f"{cls.__name__}: there is no train_step to override, for there is no GradientTape. A step by hand is "
                "model.forward, loss.value_and_gradient, model.backward, optimizer.update_model; see "
                "scratchnet.train_step, and scratchnet.GAN for adversarial ones."
            )
        super().__init_subclass__(**options)

    @checked
    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer of this name, or of this number.

        Raises:
            ValueError: neither or both are given, or there is no such layer.
        """
        if (name is None) == (index is None):
            raise ValueError(f"{self.full_name}: get_layer expects a name or an index, got {name!r} and {index!r}.")
        if index is not None:
            if not -len(self.layers) <= index < len(self.layers):
                raise ValueError(f"{self.full_name}: there is no layer {index}, there are {len(self.layers)}.")
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise ValueError(
            f"{self.full_name}: no layer is named {name!r}. There are {', '.join(layer.name for layer in self.layers)}."
        )

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

    def to_json(self) -> str:
        """The layers and their arguments as text, without weights: `sn.models.model_from_json` makes them again.

        Raises:
            TypeError: a layer was made with an argument that JSON cannot hold, such as a lambda.
        """
        return json.dumps(saving.architecture(self))

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
        line_length: int | None = None,
        positions: OnlyDefault = None,
        print_fn: Callable[..., Any] | None = None,
        expand_nested: OnlyDefault = False,
        show_trainable: bool = False,
        layer_range: OnlyDefault = None,
    ) -> None:
        """Print a table: each layer's output shape, parameters, and multiply-adds for one picture.

        Args:
            line_length: taken, and without effect: the table is as wide as its texts.
            print_fn: what is called with the text, instead of printing it.
            show_trainable: whether a column says which layers are trained.
        """
        if not self.built:
            raise RuntimeError(
                f"{self.full_name}: summary before build. Give the first layer input_shape=(H, W, C), or call build."
            )
        (say if print_fn is None else print_fn)(summary.table(self, show_trainable))
