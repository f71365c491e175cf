"""Batch normalization."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet import initializers, kernels
from scratchnet.arguments import check_number
from scratchnet.device import array_module
from scratchnet.layers.base import Layer
from scratchnet.shapes import Shape, sizes
from scratchnet.signatures import OnlyDefault


class BatchNormalization(Layer):
    """Each channel brought to mean 0 and variance 1, then scaled by gamma and shifted by beta, which are learnt.

        y = gamma * n + beta,  n = (x - mean) / sqrt(var + epsilon)

    In training, mean and (biased) var are the batch's own, over all axes but the last; otherwise they are moving
    averages of those, m = momentum * m + (1 - momentum) * batch. With R elements a channel in the batch:

        dbeta = sum dy,  dgamma = sum dy * n
        training:  dx = gamma / sqrt(var + epsilon) * (dy - dbeta / R - n * dgamma / R)
        otherwise: dx = gamma / sqrt(var + epsilon) * dy

    In a model, a ReLU layer behind it is worked out in the same passes over memory, forward and backward: see
    `layers/fusion.py`; `fuse=False` in the model runs each by itself.

    Shapes: x (N, ..., C), y the same; gamma, beta, moving_mean, moving_variance (C,).

    Args:
        axis: the channels' axis; only the last, -1.
        momentum: of the moving averages; nearer to 1 is slower.
        epsilon: added to the variance.
        center, scale: whether there are beta and gamma.

    Raises:
        ValueError: a bad argument, or an input whose last axis changed.

    Source: Ioffe and Szegedy, arXiv 1502.03167; Keras, https://keras.io/api/layers/normalization_layers/
    """

    channels: int | None = None  # C, once built

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: str | initializers.Initializer = "zeros",
        gamma_initializer: str | initializers.Initializer = "ones",
        moving_mean_initializer: str | initializers.Initializer = "zeros",
        moving_variance_initializer: str | initializers.Initializer = "ones",
        beta_regularizer: OnlyDefault = None,
        gamma_regularizer: OnlyDefault = None,
        beta_constraint: OnlyDefault = None,
        gamma_constraint: OnlyDefault = None,
        renorm: OnlyDefault = False,
        renorm_clipping: OnlyDefault = None,
        renorm_momentum: OnlyDefault = 0.99,
        synchronized: OnlyDefault = False,
        **options: Any,
    ):
        super().__init__(**options)
        check_number(momentum, "momentum", self.full_name, 0, 1)
        check_number(epsilon, "epsilon", self.full_name, 0, above=True)
        self.axis, self.momentum, self.epsilon, self.center, self.scale = axis, momentum, epsilon, center, scale
        self.start = {
            "gamma": initializers.get(gamma_initializer),
            "beta": initializers.get(beta_initializer),
            "moving_mean": initializers.get(moving_mean_initializer),
            "moving_variance": initializers.get(moving_variance_initializer),
        }

    def create_weights(self, input_shape: Shape) -> None:
        if self.axis not in (-1, len(input_shape) - 1):
            raise ValueError(f"{self.full_name}: expected axis=-1 (channels come last), got axis={self.axis!r}.")
        self.channels = sizes(input_shape)[-1]
        for name, used in (("gamma", self.scale), ("beta", self.center)):
            if used:
                self.add_weight(name, (self.channels,), self.start[name])
        for name in ("moving_mean", "moving_variance"):
            self.add_weight(name, (self.channels,), self.start[name], trainable=False)

    def check(self, x: np.ndarray) -> None:
        super().check(x)
        if self.channels is not None and x.shape[-1] != self.channels:
            raise ValueError(f"{self.full_name}: expected x of shape (N, ..., {self.channels}), got {x.shape}.")

    def call(self, x: np.ndarray, training: bool, relu: bool = False) -> np.ndarray:
        k, xp = kernels.of(x), array_module(x)
        self.x, self.used_batch = x, training
        self.gamma = self.params.get("gamma", xp.ones(self.channels, x.dtype))
        beta = self.params.get("beta", xp.zeros(self.channels, x.dtype))
        self.relu_beta = beta if relu else None
        if not training:
            self.mean, self.var = self.state["moving_mean"].copy(), self.state["moving_variance"].copy()
            return k.batch_norm_inference(x, self.gamma, beta, self.mean, self.var, self.epsilon, relu)
        y, self.mean, self.var = k.batch_norm(x, self.gamma, beta, self.epsilon, relu)
        for name, batch in (("moving_mean", self.mean), ("moving_variance", self.var)):
            moving = self.state[name]
            moving += (batch - moving) * x.dtype.type(1 - self.momentum)
        return y

    def call_backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> np.ndarray | None:
        k = kernels.of(dy)
        backward = k.batch_norm_backward if self.used_batch else k.batch_norm_inference_backward
        dx, dgamma, dbeta = backward(dy, self.x, self.gamma, self.mean, self.var, self.epsilon, self.relu_beta)
        if param_grads:
            for name, gradient in (("gamma", dgamma), ("beta", dbeta)):
                if name in self.grads:
                    self.grads[name] += gradient
        return dx
