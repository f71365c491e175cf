"""Layers one after the other, as one layer: what Sequential and the branches of Parallel are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from scratchnet import placement
from scratchnet.arguments import check_batch_shape
from scratchnet.devices import Device
from scratchnet.layers import fusion
from scratchnet.layers.base import Layer
from scratchnet.layers.fusion import Step
from scratchnet.layers.naming import snake_case
from scratchnet.layers.sharing import ITSELF, check_places
from scratchnet.layers.weights import arrays_of
from scratchnet.shapes import Shape


def _prefix(place: int, layer: Layer) -> str:
    return f"{place}_{snake_case(type(layer).__name__)}/"


def merged(layers: Sequence[Layer], part: Callable[[Layer], Mapping[str, Any]]) -> Mapping[str, Any]:
    """The layers' dicts as one, each name with its layer's place and kind before it: "0_conv2d/kernel".

    It cannot be written to: what was put there would reach no layer.
    """
    return MappingProxyType(
        {_prefix(i, layer) + name: value for i, layer in enumerate(layers) for name, value in part(layer).items()}
    )


class Composite(Layer):
    """A layer made of layers: its weights are theirs, under longer names.

    Args:
        layers: of which it is made.
        fuse: whether neighbours may run as one, see `layers/fusion.py`. False runs each layer by itself, in those that
            are made of layers, too.
    """

    def __init__(self, layers: Iterable[Layer], *, fuse: bool = True, **options: Any):
        self.layers: list[Layer] = []  # none yet: their device stays what it is
        super().__init__(**options)
        self.layers = list(layers)
        self.check_layers()
        self._fuse = True
        if not fuse:
            self.fuse = False

    @property
    def fuse(self) -> bool:
        """Whether neighbours may run as one. It can be set at any time, and then holds from the next forward on."""
        return self._fuse

    @fuse.setter
    def fuse(self, value: bool) -> None:
        self._fuse = bool(value)
        for layer in self.layers:
            if isinstance(layer, Composite):
                layer.fuse = value

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        for name in ("layers", "branches"):  # as they are now: some may have been added since
            if name in config:
                config[name] = list(self.layers)
        return {**config, "fuse": self.fuse}

    def check_layers(self) -> None:
        """Raise a TypeError for what is no layer, a ValueError for a layer at two places or two layers of one name."""
        for layer in self.layers:
            if not isinstance(layer, Layer):
                raise TypeError(
                    f"{self.full_name}: expected layers, got {layer!r} of type {type(layer).__name__}. "
                    "A layer's class needs its brackets: Flatten()."
                )
        check_places(self.full_name, [(ITSELF, self)])
        names: set[str] = set()
        for layer in self.layers:
            if layer.name in names:
                raise ValueError(
                    f"{self.full_name}: two layers are named {layer.name!r}. Each needs a name of its own."
                )
            names.add(layer.name)

    # Views, made anew at each look. The layers hold the arrays: who wants to put another one in does it there.

    @property  # type: ignore[override]
    def params(self) -> Mapping[str, np.ndarray]:
        """The layers' parameters: "0_conv2d/kernel", ..."""
        return merged(self.layers, lambda layer: layer.params)

    @params.setter
    def params(self, value: Any) -> None:
        self._refuse("params", value)

    @property  # type: ignore[override]
    def grads(self) -> Mapping[str, np.ndarray]:
        """The layers' gradients, under the names of `params`."""
        return merged(self.layers, lambda layer: layer.grads)

    @grads.setter
    def grads(self, value: Any) -> None:
        self._refuse("grads", value)

    @property  # type: ignore[override]
    def state(self) -> Mapping[str, np.ndarray]:
        """The layers' state, such as moving averages."""
        return merged(self.layers, lambda layer: layer.state)

    @state.setter
    def state(self, value: Any) -> None:
        self._refuse("state", value)

    def _refuse(self, name: str, value: Any) -> None:
        if value:  # the base class starts every layer with empty ones
            raise AttributeError(
                f"{self.full_name}: {name} are those of its layers and cannot be replaced here. Put arrays into a "
                f"layer, model.layers[0].{name}['kernel'][...] = array, or all at once by set_weights."
            )

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
        arrays, before = arrays_of(weights, self.full_name), self.get_weights()
        if len(arrays) != len(before):
            raise ValueError(f"{self.full_name}: expected weights as {len(before)} arrays, got {len(arrays)}.")
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
        return dict(merged(self.layers, lambda layer: layer.get_counters()))

    def set_counters(self, counters: Mapping[str, int]) -> None:
        for i, layer in enumerate(self.layers):
            start = _prefix(i, layer)
            own = {name[len(start) :]: value for name, value in counters.items() if name.startswith(start)}
            if own:
                layer.set_counters(own)

    @property
    def device(self) -> Device:
        """Where the layers' weights are; before there are any, where they will be made."""
        return next((layer.device for layer in self.layers if layer.params or layer.state), self._device)

    @device.setter
    def device(self, value: Device) -> None:
        self._device = value
        for layer in self.layers:
            if not layer.built:
                layer.device = value

    def bring(self, device: Device) -> None:
        for layer in self.layers:
            layer.bring(device)
        self.device = self._asked = device
        self._accepted = self._output_shape_now = None

    def zero_grads(self) -> None:
        for layer in self.layers:
            layer.zero_grads()

    def unshare(self, y: np.ndarray) -> None:
        for layer in self.layers:  # behind the layer that made y, others may have handed it on as it is
            layer.unshare(y)

    def multiply_adds(self) -> int:
        return sum(layer.multiply_adds() for layer in self.layers)


class Chain(Composite):
    """Layers one after the other: forward from the first to the last, backward from the last to the first.

    Some neighbours run as one, by the rules of `layers/fusion.py`: a breakpoint in their `call` stops, one in their
    `call_backward` may not. `print(chain.plan())` shows what runs, and `Chain(layers, fuse=False)` runs each layer by
    itself.
    """

    _output_shape: Shape | None = None
    _output_shape_of: Sequence[Layer] | None = None  # the layers that have this output shape
    _planned_for: Sequence[Any] | None = None
    _steps: Sequence[Step] = ()

    @property
    def output_shape(self) -> Shape | None:
        """With None for the batch, once built; that of the layers as they are now, also after `layers.pop()`."""
        if self.built and self.input_shape is not None and self._output_shape_of != self.layers:
            self.output_shape = self.compute_output_shape(self.input_shape)
        return self._output_shape

    @output_shape.setter
    def output_shape(self, value: Shape | None) -> None:
        self._output_shape, self._output_shape_of = value, list(self.layers)

    def build(self, input_shape: Sequence[int | None]) -> None:
        self.check_layers()
        shape: Shape = check_batch_shape(input_shape, self.full_name)
        self.device = self.home()
        with placement.use(self.device):  # all in one place, where some layers have weights already, too
            for layer in self.layers:
                layer.build(shape)
                assert layer.output_shape is not None
                shape = layer.output_shape
        self.input_shape = self.layers[0].input_shape if self.layers else shape
        self.output_shape = shape
        self.built = True

    def check(self, x: np.ndarray) -> None:
        if self.layers:
            self.layers[0].check(x)
        else:
            super().check(x)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        shape = tuple(input_shape)
        for layer in self.layers:
            shape = layer.compute_output_shape(shape)
        return shape

    def plan(self, logits: bool = False) -> Sequence[Step]:
        """The steps in which the layers run; see `layers/fusion.py`. It is made anew where a layer has changed."""
        key = [self.fuse, logits, *self.layers, *(layer.activation for layer in self.layers)]
        if key != self._planned_for:
            self.check_layers()  # somebody may have put one into the list by hand
            self._planned_for, self._steps = key, fusion.plan(self.layers, self.fuse, logits)
        return self._steps

    def run_forward(self, x: np.ndarray, training: bool = False, logits: bool = False) -> np.ndarray:
        y = self.prepare(x)
        steps = self.plan(logits)
        for step in steps:
            y = step.forward(y, training, logits and step is steps[-1])
        self.note_output(y)
        return y

    def run_backward(
        self, dy: np.ndarray, param_grads: bool = True, input_grad: bool = True, logits: bool = False
    ) -> np.ndarray | None:
        back: np.ndarray | None = self.check_gradient(dy)
        for place, step in reversed(list(enumerate(self._steps))):
            assert back is not None  # only the first step may be asked for none
            last = place == len(self._steps) - 1
            back = step.backward(back, param_grads, input_grad or place > 0, logits and last)
        return back if input_grad else None

    @property
    def output_activation(self) -> str | None:
        """The name of the activation that the last layer ends in, None for none."""
        return self.layers[-1].output_activation if self.layers else None

    @property
    def keeps_range(self) -> bool:  # type: ignore[override]
        """Whether all layers only move numbers."""
        return all(layer.keeps_range for layer in self.layers)

    @property
    def last_activation(self) -> str | None:
        """The name of the activation behind which layers only move numbers; None where there is none."""
        for layer in reversed(self.layers):
            if not layer.keeps_range:
                return layer.last_activation
        return None
