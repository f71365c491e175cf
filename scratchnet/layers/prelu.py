"""PReLU: a leaky ReLU whose slope is learnt."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from scratchnet import initializers, kernels
from scratchnet.arguments import check_input, check_sizes, is_whole, shape_text
from scratchnet.constraints import Bound
from scratchnet.devices import array_module
from scratchnet.layers.base import Layer
from scratchnet.regularizers import Regularizer
from scratchnet.shapes import Shape, sizes


class PReLU(Layer):
    """y = x where x > 0, else alpha * x, with an alpha for each place of an example, or for each channel.

        dx     = dy where x > 0, alpha * dy where x < 0, 0 at 0
        dalpha = the sum of dy * x where x <= 0, over the batch and the shared axes

    Shapes: x (N, ...), y the same; alpha has the shape of one example, with 1 for each shared axis.

    Args:
        alpha_initializer: name or object; see `scratchnet.initializers`.
        shared_axes: along which alpha is the same, counted from 1 behind the batch: [1, 2] for an alpha a channel.

    Raises:
        ValueError: x has no such axis, or another shape than alpha was made for.

    Source: He et al., arXiv 1502.01852; Keras, https://keras.io/api/layers/activation_layers/prelu/
    """

    for_backward = ("x",)

    def __init__(
        self,
        alpha_initializer: str | initializers.Initializer = "Zeros",
        alpha_regularizer: str | Regularizer | None = None,
        alpha_constraint: str | Bound | None = None,
        shared_axes: int | Sequence[int] | None = None,
        **options: Any,
    ):
        super().__init__(**options)
        self.rule("alpha", alpha_regularizer, alpha_constraint)
        self.alpha_initializer = initializers.get(alpha_initializer)
        axes = () if shared_axes is None else [shared_axes] if is_whole(shared_axes) else shared_axes
        self.shared_axes = check_sizes(axes, "shared_axes", self.full_name)

    def create_weights(self, input_shape: Shape) -> None:
        shape = [1 if axis in self.shared_axes else size for axis, size in enumerate(sizes(input_shape), start=1)]
        self.add_weight(shape, self.alpha_initializer, name="alpha")

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        if max(self.shared_axes, default=0) >= len(input_shape):
            raise ValueError(
                f"{self.full_name}: expected shared_axes from 1 to {len(input_shape) - 1} for input shape "
                f"{shape_text(input_shape)}, got {list(self.shared_axes)}."
            )
        return tuple(input_shape)

    def check(self, x: np.ndarray) -> None:
        super().check(x)
        if self.built:
            own = enumerate(self.params["alpha"].shape, start=1)
            check_input(x, (None, *(None if axis in self.shared_axes else size for axis, size in own)), self.full_name)

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        # The kernel takes rows, with an alpha for each column. The batch and the shared axes behind it are the rows.
        shared = itertools.takewhile(lambda axis: axis in self.shared_axes, range(1, x.ndim - 1))
        self.x, self.columns = x, x.shape[1 + len(list(shared)) :]
        xp, alpha = array_module(x), self.params["alpha"]
        self.spread = xp.broadcast_to(alpha.reshape(alpha.shape[-len(self.columns) :]), self.columns).reshape(-1)
        return kernels.of(x).prelu(self._rows(x), self.spread).reshape(x.shape)

    def call_backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> np.ndarray | None:
        k, alpha = kernels.of(dy), self.params["alpha"]
        dx, share = k.prelu_backward(self._rows(dy), self._rows(self.x), self.spread)
        if param_grads:
            sums = k.bias_grad(share).reshape(self.columns)
            for axis, size in enumerate(alpha.shape[-len(self.columns) :]):
                if size == 1:
                    sums = sums.sum(axis=axis, keepdims=True)
            self.grads["alpha"] += sums.reshape(alpha.shape)
        return dx.reshape(dy.shape) if input_grad else None

    def _rows(self, a: np.ndarray) -> np.ndarray:
        return a.reshape(-1, self.spread.size)
