"""Spectral normalization: a layer whose weights, as a matrix, stretch nothing by more than one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scratchnet import initializers, kernels, placement
from scratchnet.arguments import check_count
from scratchnet.devices import Device, array_module
from scratchnet.layers.base import Layer
from scratchnet.layers.conv import Conv2D, Conv2DTranspose
from scratchnet.layers.dense import Dense
from scratchnet.shapes import Shape, sizes

_SMALL = 1e-12  # added to lengths: a kernel of zeros stays zeros
_SETTLED, _MOST_ITERATIONS = 1e-5, 500  # sigma has settled when an iteration adds no larger part to it


class SpectralNormalization(Layer):
    """A Dense, Conv2D or Conv2DTranspose whose kernel w is divided by its largest singular value.

    With m the kernel as a matrix, a column for each output (rows: all inputs of one sum), and a vector u of as many
    numbers as outputs, which is kept:

        v = m u / |m u|,  u = m^T v / |m^T v|,  sigma = v^T m u,  w_bar = w / sigma

    is one power iteration; sigma comes near the largest singular value from step to step, since w changes slowly. The
    layer computes with w_bar. In training one iteration is made and u moves on. Otherwise u stays, and for each new
    kernel iterations are made on a copy of it until sigma settles: it is right before the first step of training, and
    for weights that were set or loaded. For a kernel of zeros sigma counts as 1. The backward holds u and v constant,
    dsigma/dm = v u^T:

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

    takes_activity_regularizer = False  # the layer's own acts

    def __init__(self, layer: Layer, power_iterations: int = 1, **options: Any):
        if not isinstance(layer, (Dense, Conv2D, Conv2DTranspose)):
            raise TypeError(f"SpectralNormalization: expected a Dense, Conv2D or Conv2DTranspose layer, got {layer!r}.")
        super().__init__(**options)
        self.power_iterations = check_count(power_iterations, "power_iterations", self.full_name)
        self.layer, self.rank = layer, layer.rank
        self._regularizers, self._constraints = layer._regularizers, layer._constraints
        self._settled: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None  # kernel, u, and what u comes to
        self.transposed = isinstance(layer, Conv2DTranspose)  # its kernel is (KH, KW, outputs, inputs)
        if self.input_shape is None:
            self.input_shape = layer.input_shape

    def create_weights(self, input_shape: Shape) -> None:
        if not self.layer.built:
            self.layer.astype(self.dtype)
            with placement.use(self.device):
                self.layer.build(input_shape)
        self.params, self.grads = dict(self.layer.params), dict(self.layer.grads)
        start = initializers.RandomNormal(stddev=1.0)
        self.add_weight(sizes(self.output_shape)[-1:], start, trainable=False, name="u")
        self.state["u"] /= _length(self.state["u"])

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        return self.layer.compute_output_shape(input_shape)

    def sublayers(self) -> Sequence[Layer]:
        return (self.layer,)

    def multiply_adds(self) -> int:
        return self.layer.multiply_adds()

    def check(self, x: np.ndarray) -> None:
        self.layer.check(x)

    def forget(self) -> None:
        super().forget()
        self.layer.forget()

    def unshare(self, y: np.ndarray) -> None:
        self.layer.unshare(y)

    @property
    def output_activation(self) -> str | None:
        """The layer's own activation."""
        return self.layer.output_activation

    def home(self, x: Any = None) -> Device:
        return self.layer.device if self.layer.built else super().home(x)

    def bring(self, device: Device) -> None:
        super().bring(device)
        self.layer.bring(device)
        self._settled = None  # it is compared with a kernel on the other device

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
        dy, param_grads = self.check_gradient(dy), param_grads and self.trainable
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
        if training:
            for _ in range(self.power_iterations):
                self.v, u, self.sigma = _iterate(m, u)
            self.state["u"] = u
        else:
            u = self._settle(m, u)
            stretched = kernels.of(m).dense_input_grad(u[None], m)[0]  # m u
            self.v, self.sigma = stretched / _length(stretched), _divisor(stretched)
        self.u = u

    def _settle(self, m: np.ndarray, u: np.ndarray) -> np.ndarray:
        """Where u comes to by iterations until sigma settles; found once for each kernel and u.

        From u alone, sigma may settle at a smaller singular value: u of another kernel may have no part along the
        largest. The longest row of m is a second start, and the larger sigma is taken.
        """
        kernel = self.params["kernel"]
        if self._settled is not None:
            same = all(a.dtype == b.dtype and bool((a == b).all()) for a, b in zip(self._settled, (kernel, u)))
            if same:
                return self._settled[2]
        found, largest = u, 0.0
        for start in (u, m[int((m * m).sum(axis=1).argmax())]):
            last, sigma, now = 0.0, 0.0, start
            for _ in range(_MOST_ITERATIONS):
                _, now, stretch = _iterate(m, now)
                last, sigma = sigma, float(stretch)
                if not sigma - last > _SETTLED * sigma:  # NaN, too
                    break
            if sigma > largest and bool((now != 0).any()):
                found, largest = now, sigma
        self._settled = kernel.copy(), u.copy(), found
        return found

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


def _divisor(stretched: np.ndarray) -> np.ndarray:
    """|x|, or 1 where that is 0: a kernel of zeros stays as it is, and so does its gradient."""
    return array_module(stretched).where(stretched.any(), _length(stretched), stretched.dtype.type(1))


def _iterate(m: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One power iteration: (v, u, sigma). Where m^T v is 0, u stays: as zeros it would never come back."""
    k = kernels.of(m)
    stretched = k.dense_input_grad(u[None], m)[0]  # m u
    v = stretched / _length(stretched)
    stretched = k.dense(v[None], m, None)[0]  # m^T v, whose length is v^T m u for the new u
    u = array_module(m).where(stretched.any(), stretched / _length(stretched), u)
    return v, u, _divisor(stretched)
