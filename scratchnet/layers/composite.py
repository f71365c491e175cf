"""A layer made of layers: what Sequential, Model, Chain and Parallel have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from scratchnet.devices import Device
from scratchnet.layers.base import Layer
from scratchnet.layers.penalties import Penalties, Rules
from scratchnet.layers.sharing import ITSELF, all_parts, check_places, named_leaves
from scratchnet.layers.weights import arrays_of


def merged(layers: Sequence[Layer], part: Callable[[Layer], Mapping[str, Any]]) -> Mapping[str, Any]:
    """The layers' dicts as one, each name with its layer's place and kind before it: "0_conv2d/kernel".

    What is at several places is named after the first. The dict cannot be written to: what was put there would reach
    no layer.
    """
    return MappingProxyType(
        {start + name: value for start, layer in named_leaves(layers) for name, value in part(layer).items()}
    )


class Composite(Layer):
    """A layer made of layers: its weights are theirs, under longer names.

    Args:
        layers: of which it is made.
        fuse: whether neighbours may run as one, see `layers/fusion.py`. False runs each layer by itself, in those that
            are made of layers, too.
    """

    takes_activity_regularizer = False
    _ruled: tuple[int, list[Layer], bool, list[Composite]] | None = None  # when, for what, `ruled`, whom to ask anew

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

    def sublayers(self) -> Sequence[Layer]:
        return self.layers

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        for name in ("layers", "branches"):  # as they are now: some may have been added since
            if name in config:
                config[name] = list(self.layers)
        return {**config, "fuse": self.fuse}

    def check_layers(self) -> None:
        """Raise a TypeError for what is no layer, a ValueError for two layers of one name; see `check_places`, too."""
        for layer in self.layers:
            if not isinstance(layer, Layer):
                raise TypeError(
                    f"{self.full_name}: expected layers, got {layer!r} of type {type(layer).__name__}. "
                    "A layer's class needs its brackets: Flatten()."
                )
        check_places(self.full_name, [(ITSELF, self)])
        names: dict[str, Layer] = {}
        for layer in self.layers:
            if names.setdefault(layer.name, layer) is not layer:
                raise ValueError(
                    f"{self.full_name}: two layers are named {layer.name!r}. Each needs a name of its own."
                )

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

    @property
    def ruled(self) -> bool:
        """Whether weights in it have regularizers or constraints; found out once, and again where something changed."""
        known = self._ruled
        if known is None or known[0] != Rules.changes or known[1] != self.layers:
            composites = [layer for layer in self.layers if isinstance(layer, Composite)]
            some = any(layer.ruled for layer in self.layers if layer not in composites)
            self._ruled = known = Rules.changes, list(self.layers), some, composites
        return known[2] or any(layer.ruled for layer in known[3])

    def trained_layers(self) -> Sequence[Penalties]:
        return [layer for _, layer in named_leaves(self.layers, trainable=True)] if self.trainable else []

    def last_activity_penalties(self) -> list[float]:
        layers = {id(part): part for part in all_parts(self) if part is not self}
        return [value for part in layers.values() for value in part.last_activity_penalties()]

    def trained(self) -> tuple[Mapping[str, np.ndarray], Mapping[str, np.ndarray]]:
        leaves = list(named_leaves(self.layers, trainable=True)) if self.trainable else []
        params = {start + name: array for start, layer in leaves for name, array in layer.params.items()}
        return params, {start + name: array for start, layer in leaves for name, array in layer.grads.items()}

    @property
    def learns(self) -> bool:
        """Whether there is anything in `trained`."""
        return self.trainable and any(layer.learns for layer in self.layers)

    @property
    def holds_weights(self) -> bool:
        """Whether there are any in its layers."""
        return any(layer.holds_weights for layer in self.layers)

    @property
    def weights(self) -> list[np.ndarray]:
        """All arrays themselves, layer by layer, of each those of `params`, then the state."""
        return [array for _, layer in named_leaves(self.layers) for array in layer.weights]

    def astype(self, dtype: Any) -> None:
        self.dtype = np.dtype(dtype)
        for layer in self.layers:
            layer.astype(dtype)

    def get_weights(self) -> list[np.ndarray]:
        return [w for _, layer in named_leaves(self.layers) for w in layer.get_weights()]

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
        for _, layer in named_leaves(self.layers):
            layer.set_weights([next(rest) for _ in layer.get_weights()])

    def get_counters(self) -> dict[str, int]:
        return dict(merged(self.layers, lambda layer: layer.get_counters()))

    def set_counters(self, counters: Mapping[str, int]) -> None:
        for start, layer in named_leaves(self.layers):
            own = {name[len(start) :]: value for name, value in counters.items() if name.startswith(start)}
            if own:
                layer.set_counters(own)

    @property
    def device(self) -> Device:
        """Where the layers' weights are; before there are any, where they will be made."""
        return next((layer.device for layer in self.layers if layer.holds_weights), self._device)

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

    def forget(self) -> None:
        super().forget()
        for layer in self.layers:
            layer.forget()

    def unshare(self, y: np.ndarray) -> None:
        for layer in self.layers:  # behind the layer that made y, others may have handed it on as it is
            layer.unshare(y)

    def multiply_adds(self) -> int:
        return sum(layer.multiply_adds() for layer in self.layers)
