"""Branches side by side: residual, dense, inception and squeeze-excite blocks without a graph engine."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np

from scratchnet import placement
from scratchnet.arguments import check_batch_shape, check_choice, shape_text, shortened
from scratchnet.devices import array_module
from scratchnet.layers.base import Layer
from scratchnet.layers.chain import Chain
from scratchnet.layers.composite import Composite
from scratchnet.layers.merging import sum_to
from scratchnet.layers.sharing import Calls, repeated
from scratchnet.shapes import Shape, sizes


class Parallel(Composite):
    """The same input through several branches, and their outputs merged.

        add       y = y_1 + y_2 + ...              dy_b = dy
        multiply  y = y_1 * y_2 * ...              dy_b = dy * (product of the other branches' outputs)
        concat    y = y_1, y_2, ... along the last axis; each branch gets its part of dy

    and dx is the sum of the branches' dx. For add and multiply, an axis of size 1 is repeated to fit, so that
    (N, 1, 1, C) scales (N, H, W, C).

    Args:
        branches: each a layer, or a list of layers one after the other; [] hands the input on unchanged.
        merge: "add", "multiply" or "concat".

    Raises:
        ValueError: an unknown merge, no branches, or outputs whose shapes do not fit together.

    Example, a residual block and squeeze-excite:

        Parallel([[Conv2D(64, 3, padding="same"), BatchNormalization(), ReLU()], []], merge="add")
        squeeze = [GlobalAveragePooling2D(keepdims=True), Dense(4, "relu"), Dense(64, "sigmoid")]
        Parallel([[], squeeze], merge="multiply")

    Source: He et al., arXiv 1512.03385; Huang et al., arXiv 1608.06993; Szegedy et al., arXiv 1512.00567; Hu et al.,
    arXiv 1709.01507.
    """

    for_backward = ("outputs", "calls")

    def __init__(self, branches: Sequence[Layer | Sequence[Layer]], merge: str = "add", **options: Any):
        chains = [branch if isinstance(branch, Layer) else Chain(branch) for branch in branches]
        super().__init__(chains, **options)
        if not chains:
            raise ValueError(f"{self.full_name}: expected branches, at least one, got {shortened(branches)}.")
        self.merge = check_choice(merge, ("add", "concat", "multiply"), "merge")

    def build(self, input_shape: Sequence[int | None]) -> None:
        self.check_layers()
        shape = (None, *check_batch_shape(input_shape, self.full_name)[1:])
        self.device = self.home()
        with placement.use(self.device):  # all in one place
            for branch in self.layers:
                branch.build(shape)
        self.input_shape = shape
        self.output_shape = self._merged([branch.output_shape or () for branch in self.layers])
        self.built = True

    def check(self, x: np.ndarray) -> None:
        for branch in self.layers:
            branch.check(x)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        return self._merged([branch.compute_output_shape(input_shape) for branch in self.layers])

    def _merged(self, shapes: Sequence[Shape]) -> Shape:
        text = ", ".join(shape_text(shape) for shape in shapes)
        if len({len(shape) for shape in shapes}) == 1:
            if self.merge == "concat" and len({shape[:-1] for shape in shapes}) == 1:
                return (*shapes[0][:-1], sum(sizes(shape)[-1] for shape in shapes))
            if self.merge != "concat":
                axes = [set(axis) - {1} for axis in zip(*(shape[1:] for shape in shapes))]
                if all(len(axis) <= 1 for axis in axes):
                    return (None, *(next(iter(axis), 1) for axis in axes))
        raise ValueError(f"{self.full_name}: the branches' outputs do not fit for merge={self.merge!r}: {text}.")

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        again = repeated([[branch] for branch in self.layers])
        self.calls = [Calls([branch]) if shared else None for branch, shared in zip(self.layers, again)]
        self.outputs = []
        for branch, calls in zip(self.layers, self.calls):
            self.outputs.append(branch.run_forward(x, training))
            if calls is not None:
                calls.keep()
        self._merged([(None, *y.shape[1:]) for y in self.outputs])
        if self.merge == "concat":
            return array_module(x).concatenate(self.outputs, axis=-1)
        y = self.outputs[0].copy() if len(self.outputs) == 1 else self.outputs[0]  # what is kept is not given away
        for other in self.outputs[1:]:
            y = y + other if self.merge == "add" else y * other
        return y

    def call_backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> np.ndarray | None:
        total, start = None, 0
        for b, (branch, y, calls) in enumerate(zip(self.layers, self.outputs, self.calls)):
            if self.merge == "concat":
                part = dy[..., start : start + y.shape[-1]]
                start += y.shape[-1]
            elif self.merge == "add":
                part = sum_to(dy, y.shape)
            else:
                part = dy
                for other, factor in enumerate(self.outputs):
                    part = part * factor if other != b else part
                part = sum_to(part, y.shape)
            with nullcontext() if calls is None else calls.recalled():
                dx = branch.run_backward(part, param_grads, input_grad)
            if input_grad:
                total = dx if total is None else total + dx
        return total
