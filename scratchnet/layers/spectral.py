"""Spectral normalization: a layer whose weights, as a matrix, stretch nothing by more than one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scratchnet import initializers, kernels
from scratchnet.arguments import check_count
from scratchnet.device import array_module
from scratchnet.layers.base import Layer
from scratchnet.layers.conv import Conv2D, Conv2DTranspose
from scratchnet.layers.dense import Dense
from scratchnet.shapes import Shape, sizes

_SMALL = 1e-12  # added to lengths: a kernel of zeros stays zeros


class SpectralNormalization(Layer):
    """A Dense, Conv2D or Conv2DTranspose whose kernel w is divided by its largest singular value.

    With m the kernel as a matrix, a column for each output (rows: all inputs of one sum), and a vector u of as many
    numbers as outputs, which is kept:

        v = m u / |m u|,  u = m^T v / |m^T v|,  sigma = v^T m u,  w_bar = w / sigma

    is one power iteration; sigma comes near the largest singular value from step to step, since w changes slowly. The
    layer computes with w_bar. Iterations are made in training only; otherwise sigma = |m u|. The backward holds u and v
    constant, dsigma/dm = v u^T:

        dw = (dw_bar - sum(dw_bar * w_bar) * v u^T) / sigma

    Shapes: those of the layer. `params` are its own, kernel and bias; `state` has u (outputs,).

    Args:
        layer: the Dense, Conv2D or Conv2DTranspose.
        power_iterations: for each forward in training.

    Raises:
        TypeError: another kind of layer.
        ValueError: power_iterations below 1, and what the layer raises.

    Source: Miyato et al., arXiv 1802.05957, algorithm 1.
    """

    def __init__(self, layer: Layer, power_iterations: int = 1, **options: Any):
        if not isinstance(layer, (Dense, Conv2D, Conv2DTranspose)):
            raise TypeError(f"SpectralNormalization: expected a Dense, Conv2D or Conv2DTranspose layer, got {layer!r}.")
        super().__init__(**options)
        self.power_iterations = check_count(power_iterations, "power_iterations", self.full_name)
        self.layer, self.rank = layer, layer.rank
        self.transposed = isinstance(layer, Conv2DTranspose)  # its kernel is (KH, KW, outputs, inputs)
        if self.input_shape is None:
            self.input_shape = layer.input_shape

    def create_weights(self, input_shape: Shape) -> None:
        if not self.layer.built:
            self.layer.astype(self.dtype)
            self.layer.device = self.device
            self.layer.build(input_shape)
        self.params, self.grads = dict(self.layer.params), dict(self.layer.grads)
        start = initializers.RandomNormal(stddev=1.0)
        self.add_weight("u", sizes(self.output_shape)[-1:], start, trainable=False)
        self.state["u"] /= _length(self.state["u"])

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        return self.layer.compute_output_shape(input_shape)

    def multiply_adds(self) -> int:
        return self.layer.multiply_adds()

    def check(self, x: np.ndarray) -> None:
        self.layer.check(x)

    def unshare(self, y: np.ndarray) -> None:
        self.layer.unshare(y)

    @property
    def output_activation(self) -> str | None:
        """The layer's own activation."""
        return self.layer.output_activation

    def astype(self, dtype: Any) -> None:
        super().astype(dtype)
        self.layer.astype(dtype)

    def run_forward(self, x: np.ndarray, training: bool = False, logits: bool = False) -> np.ndarray:
        x = self.prepare(x)
        self._measure(training)
        self.w_bar = self.params["kernel"] / self.sigma
        self.layer.params = {**self.params, "kernel": self.w_bar}
        y = self.layer.run_forward(x, training, logits)
        self.note_output(y)
        return y

    def run_backward(
        self, dy: np.ndarray, param_grads: bool = True, input_grad: bool = True, logits: bool = False
    ) -> np.ndarray | None:
        dy = self.check_gradient(dy)
        dw_bar = array_module(dy).zeros_like(self.w_bar) if param_grads else self.w_bar
        self.layer.grads = {**self.grads, "kernel": dw_bar}
        dx = self.layer.run_backward(dy, param_grads, input_grad, logits)
        if param_grads:
            along = self._as_kernel(self.v[:, None] * self.u) * (dw_bar * self.w_bar).sum()
            self.grads["kernel"] += (dw_bar - along) / self.sigma
        return dx

    def _measure(self, training: bool) -> None:
        """u, v and sigma for this forward; in training u moves on."""
        m, u = self._as_matrix(self.params["kernel"]), self.state["u"]
        k = kernels.of(m)
        for _ in range(self.power_iterations if training else 1):
            stretched = k.dense_input_grad(u[None], m)[0]  # m u
            self.v = stretched / _length(stretched)
            if training:
                stretched = k.dense(self.v[None], m, None)[0]  # m^T v
                u = stretched / _length(stretched)
        if training:
            self.state["u"] = u
        self.u, self.sigma = u, _length(stretched)  # v^T m u is |m^T v| after an iteration, and |m u| without

    def _as_matrix(self, w: np.ndarray) -> np.ndarray:
        if self.transposed:
            w = w.transpose(0, 1, 3, 2)
        return array_module(w).ascontiguousarray(w).reshape(-1, w.shape[-1])

    def _as_kernel(self, m: np.ndarray) -> np.ndarray:
        shape = self.params["kernel"].shape
        if not self.transposed:
            return m.reshape(shape)
        return m.reshape(*shape[:2], shape[3], shape[2]).transpose(0, 1, 3, 2)


def _length(x: np.ndarray) -> np.floating[Any]:
    """|x|, in x's dtype, and never 0."""
    return array_module(x).sqrt((x * x).sum()) + x.dtype.type(_SMALL)
