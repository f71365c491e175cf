"""Layers one after the other, as one layer: what Sequential and the branches of Parallel are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scratchnet import placement
from scratchnet.arguments import check_batch_shape
from scratchnet.layers import fusion
from scratchnet.layers.base import Layer
from scratchnet.layers.composite import Composite
from scratchnet.layers.inference import keeps_nothing
from scratchnet.layers.rescale import Rescaling
from scratchnet.layers.resize import CenterCrop, Resizing
from scratchnet.layers.sharing import all_parts
from scratchnet.layers.step import CallAmongOthers, Step, with_memories
from scratchnet.shapes import Shape

_PREPARING = (CenterCrop, Rescaling, Resizing)


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
        key: list[Any] = [self.fuse, logits]
        for layer in self.layers:
            key += layer, layer.activation, layer._activity
            if isinstance(layer, Composite):
                key += all_parts(layer)
        if key != self._planned_for:
            self.check_layers()  # somebody may have put one into the list by hand
            steps = with_memories(fusion.plan(self.layers, self.fuse, logits))
            self._planned_for, self._steps = key, steps
        return self._steps

    def forget(self) -> None:
        super().forget()
        for step in self._steps:
            if isinstance(step, CallAmongOthers):
                step.forget()

    def unshare(self, y: np.ndarray) -> None:
        super().unshare(y)
        for step in self._steps:
            if isinstance(step, CallAmongOthers):
                step.calls.unshare(y)

    def run_forward(self, x: np.ndarray, training: bool = False, logits: bool = False) -> np.ndarray:
        y = self.prepare(x)
        steps = self.plan(logits)
        alone = keeps_nothing()
        for step in steps:
            y = step.forward(y, training, logits and step is steps[-1])
            if alone:
                step.forget()
        if alone:
            self._output_shape_now = None
        else:
            self.note_output(y)
        return y

    def run_backward(
        self, dy: np.ndarray, param_grads: bool = True, input_grad: bool = True, logits: bool = False
    ) -> np.ndarray | None:
        back: np.ndarray | None = self.check_gradient(dy)
        param_grads = param_grads and self.trainable
        first = 0 if input_grad else self._first_that_learns(param_grads)
        for place in range(len(self._steps) - 1, first - 1, -1):
            assert back is not None  # only the first step may be asked for none
            last = place == len(self._steps) - 1
            back = self._steps[place].backward(back, param_grads, input_grad or place > first, logits and last)
        return back if input_grad else None

    def _first_that_learns(self, param_grads: bool) -> int:
        """The place of the step behind which no gradient is needed, such as that behind layers that are held fixed."""
        places = (place for place, step in enumerate(self._steps) if param_grads and step.learns)
        return next(places, len(self._steps))

    @property
    def output_activation(self) -> str | None:
        """The name of the activation that the last layer ends in, None for none."""
        return self.layers[-1].output_activation if self.layers else None

    @property
    def keeps_range(self) -> bool:  # type: ignore[override]
        """Whether all layers only move numbers."""
        return all(layer.keeps_range for layer in self.layers)

    @property
    def changes_alone(self) -> bool:  # type: ignore[override]
        """Whether all layers change pictures at random, or bring them to a size and a scale for that."""
        kinds = [layer.changes_alone for layer in self.layers if not isinstance(layer, _PREPARING)]
        return bool(kinds) and all(kinds)

    @property
    def last_activation(self) -> str | None:
        """The name of the activation behind which layers only move numbers; None where there is none."""
        for layer in reversed(self.layers):
            if not layer.keeps_range:
                return layer.last_activation
        return None
