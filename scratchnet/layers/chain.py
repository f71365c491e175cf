"""Layers one after the other, as one layer: what Sequential and the branches of Parallel are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from scratchnet.layers.activation import ActivationLayer, is_relu
from scratchnet.layers.base import Layer, Shape, snake_case
from scratchnet.layers.conv import Conv2D
from scratchnet.layers.norm import BatchNormalization
from scratchnet.layers.pool import MaxPooling2D


def _prefix(place: int, layer: Layer) -> str:
    return f"{place}_{snake_case(type(layer).__name__)}/"


def merged(layers: Sequence[Layer], part: Callable[[Layer], dict[str, Any]]) -> dict[str, Any]:
    """The layers' dicts as one, each name with its layer's place and kind before it: "0_conv2d/kernel"."""
    return {_prefix(i, layer) + name: value for i, layer in enumerate(layers) for name, value in part(layer).items()}


class Composite(Layer):
    """A layer made of layers: its weights are theirs, under longer names. `params` is made anew at each look."""

    def __init__(self, layers: Iterable[Layer], **options: Any):
        self.layers: list[Layer] = list(layers)
        super().__init__(**options)
        self.check_layers()

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        for name in ("layers", "branches"):  # as they are now: some may have been added since
            if name in config:
                config[name] = list(self.layers)
        return config

    def check_layers(self) -> None:
        """Raise a TypeError for what is no layer, a ValueError for two layers of one name."""
        for layer in self.layers:
            if not isinstance(layer, Layer):
                raise TypeError(
                    f"{self.full_name}: expected layers, got {layer!r} of type {type(layer).__name__}. "
                    "A layer's class needs its brackets: Flatten()."
                )
        names = [layer.name for layer in self.layers]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"{self.full_name}: two layers are named {name!r}. Each needs a name of its own.")

    @property
    def params(self) -> dict[str, np.ndarray]:
        """The layers' parameters: "0_conv2d/kernel", ..."""
        return merged(self.layers, lambda layer: layer.params)

    @property
    def grads(self) -> dict[str, np.ndarray]:
        """The layers' gradients, under the names of `params`."""
        return merged(self.layers, lambda layer: layer.grads)

    @property
    def state(self) -> dict[str, np.ndarray]:
        """The layers' state, such as moving averages."""
        return merged(self.layers, lambda layer: layer.state)

    # The base class starts every layer with empty dicts; here they are views, so there is nothing to set.
    @params.setter
    def params(self, _: Any) -> None: ...

    @grads.setter
    def grads(self, _: Any) -> None: ...

    @state.setter
    def state(self, _: Any) -> None: ...

    def astype(self, dtype: Any) -> None:
        self.dtype = np.dtype(dtype)
        for layer in self.layers:
            layer.astype(dtype)

    def get_weights(self) -> list[np.ndarray]:
        return [w for layer in self.layers for w in layer.get_weights()]

    def set_weights(self, weights: Sequence[np.ndarray]) -> None:
        if not self.built:
            raise RuntimeError(
                f"{self.full_name}: set_weights before build. Call build(input_shape) or forward(x) first."
            )
        arrays, before = [np.asarray(w) for w in weights], self.get_weights()
        if len(arrays) != len(before):
            raise ValueError(f"{self.full_name}: expected {len(before)} arrays, got {len(arrays)}.")
        try:
            self._hand_out(arrays)
        except ValueError:
            self._hand_out(before)  # all or nothing
            raise
        if arrays:
            self.astype(np.float64 if any(a.dtype == np.float64 for a in arrays) else np.float32)

    def _hand_out(self, arrays: list[np.ndarray]) -> None:
        rest = iter(arrays)
        for layer in self.layers:
            layer.set_weights([next(rest) for _ in layer.get_weights()])

    def get_counters(self) -> dict[str, int]:
        return merged(self.layers, lambda layer: layer.get_counters())

    def set_counters(self, counters: Mapping[str, int]) -> None:
        for i, layer in enumerate(self.layers):
            start = _prefix(i, layer)
            own = {name[len(start) :]: value for name, value in counters.items() if name.startswith(start)}
            if own:
                layer.set_counters(own)

    def multiply_adds(self) -> int:
        return sum(layer.multiply_adds() for layer in self.layers)


class Chain(Composite):
    """Layers one after the other: forward from the first to the last, backward from the last to the first."""

    def build(self, input_shape: Sequence[int | None]) -> None:
        shape = tuple(input_shape)
        for layer in self.layers:
            layer.build(shape)
            shape = layer.output_shape
        self.input_shape = self.layers[0].input_shape if self.layers else shape
        self.output_shape = shape
        self.built = True

    def check(self, x: np.ndarray) -> None:
        first = self.layers[0] if self.layers else super()
        first.check(x)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        shape = tuple(input_shape)
        for layer in self.layers:
            shape = layer.compute_output_shape(shape)
        return shape

    def forward(self, x: np.ndarray, training: bool = False, logits: bool = False) -> np.ndarray:
        """The last layer's output; with logits=True without its final activation. See Layer.forward."""
        x = np.asarray(x)
        y = self.run(x, training, logits)
        self.let_go(y)
        return y.copy() if np.may_share_memory(y, x) else y

    def let_go(self, y: np.ndarray) -> None:
        for layer in self.layers:  # behind the layer that made y, others may have handed it on as it is
            layer.let_go(y)

    def run(self, x: np.ndarray, training: bool = False, logits: bool = False) -> np.ndarray:
        y = self._receive(np.asarray(x))
        for i, layer in enumerate(self.layers):
            if isinstance(layer, MaxPooling2D) and self._takes_in_relu(i):
                y = layer.run_after_relu(y)
            elif isinstance(layer, BatchNormalization) and self._gives_relu(i, logits):
                y = layer.run_before_relu(y, training)
            elif isinstance(layer, ActivationLayer) and self._gives_relu(i - 1, logits):
                layer.take_over(y)
            else:
                y = layer.run(y, training, logits and layer is self.layers[-1])
        self._expected_dy = y.shape
        return y

    def run_backward(
        self, dy: np.ndarray, param_grads: bool = True, input_grad: bool = True, logits: bool = False
    ) -> np.ndarray | None:
        self._require_forward()
        if not self.layers:
            return super().run_backward(dy, param_grads, input_grad)  # the identity
        i = len(self.layers) - 1
        while i >= 0:
            layer, first = self.layers[i], self._convolution_before(i)
            if first is not None:
                upstream, window = layer.receive_gradient(dy), layer.window(layer.hw)
                needed, i = input_grad or first > 0, first
                dy = self.layers[i].run_backward_pooled(upstream, layer.argmax, window, param_grads, needed)
            elif not self._gives_relu(i - 1, logits):
                before_activation = (logits and i == len(self.layers) - 1) or self._takes_in_relu(i + 1)
                dy = layer.run_backward(dy, param_grads, input_grad or i > 0, before_activation)
            i -= 1
        return dy

    def _convolution_before(self, i: int) -> int | None:
        """The number of the convolution that layer i, a max-pooling, goes backward together with; None where not so.

        Between the two there may be a ReLU, as the convolution's activation or as a layer.
        """
        k = i - 1
        relu = k >= 0 and isinstance(self.layers[k], ActivationLayer) and is_relu(self.layers[k].activation)
        k -= relu
        # Not for a class made from one of them: it may go backward in another way.
        if k < 0 or type(self.layers[i]) is not MaxPooling2D or type(self.layers[k]) is not Conv2D:
            return None
        activation = self.layers[k].activation
        return k if activation is None or (is_relu(activation) and not relu) else None

    def _takes_in_relu(self, i: int) -> bool:
        """Whether layer i is a max-pooling whose gradient is that of the ReLU before it as well: a pass saved."""
        if not 0 < i < len(self.layers) or not isinstance(self.layers[i], MaxPooling2D):
            return False
        return is_relu(self.layers[i - 1].activation)

    def _gives_relu(self, i: int, logits: bool) -> bool:
        """Whether layer i is a normalization that works out the ReLU behind it in the same passes over memory."""
        if not 0 <= i < len(self.layers) - 1 or not isinstance(self.layers[i], BatchNormalization):
            return False
        after = self.layers[i + 1]
        left_out = logits and i + 1 == len(self.layers) - 1
        return isinstance(after, ActivationLayer) and is_relu(after.activation) and not left_out

    @property
    def output_activation(self) -> str | None:
        """The name of the activation that the last layer ends in, None for none."""
        return self.layers[-1].output_activation if self.layers else None

    @property
    def keeps_range(self) -> bool:
        """Whether all layers only move numbers."""
        return all(layer.keeps_range for layer in self.layers)

    @property
    def last_activation(self) -> str | None:
        """The name of the activation behind which layers only move numbers; None where there is none."""
        for layer in reversed(self.layers):
            if not layer.keeps_range:
                return layer.last_activation
        return None

    def zero_grads(self) -> None:
        for layer in self.layers:
            layer.zero_grads()
