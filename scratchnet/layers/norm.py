"""Batch normalization and group normalization."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scratchnet import initializers, kernels
from scratchnet.arguments import check_count, check_number, shape_text
from scratchnet.constraints import Bound
from scratchnet.devices import array_module
from scratchnet.layers.base import Layer
from scratchnet.regularizers import Regularizer
from scratchnet.shapes import Shape, sizes
from scratchnet.signatures import OnlyDefault


class _Normalization(Layer):
    """What batch and group normalization share: gamma and beta, one of each a channel, where they are asked for."""

    for_backward = ("x", "mean", "var")
    channels: int | None = None  # C, once built

    def __init__(
        self,
        axis: int,
        epsilon: float,
        center: bool,
        scale: bool,
        beta_initializer: str | initializers.Initializer,
        gamma_initializer: str | initializers.Initializer,
        **options: Any,
    ):
        super().__init__(**options)
        check_number(epsilon, "epsilon", self.full_name, 0, above=True)
        self.axis, self.epsilon, self.center, self.scale = axis, epsilon, center, scale
        self.start = {"gamma": initializers.get(gamma_initializer), "beta": initializers.get(beta_initializer)}

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        if self.axis not in (-1, len(input_shape) - 1):
            raise ValueError(f"{self.full_name}: expected axis=-1 (channels come last), got axis={self.axis!r}.")
        return tuple(input_shape)

    def create_weights(self, input_shape: Shape) -> None:
        self.channels = sizes(input_shape)[-1]
        for name, used in (("gamma", self.scale), ("beta", self.center)):
            if used:
                self.add_weight((self.channels,), self.start[name], name=name)

    def check(self, x: np.ndarray) -> None:
        super().check(x)
        if self.channels is not None and x.shape[-1] != self.channels:
            raise ValueError(f"{self.full_name}: expected x of shape (N, ..., {self.channels}), got {x.shape}.")

    def gamma_and_beta(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Both weights; ones and zeros where there are none."""
        xp = array_module(x)
        gamma = self.params.get("gamma", xp.ones(self.channels, x.dtype))
        return gamma, self.params.get("beta", xp.zeros(self.channels, x.dtype))

    def add_gradients(self, dgamma: np.ndarray, dbeta: np.ndarray) -> None:
        """To the grads of those weights that there are."""
        for name, gradient in (("gamma", dgamma), ("beta", dbeta)):
            if name in self.grads:
                self.grads[name] += gradient


class BatchNormalization(_Normalization):
    """Each channel brought to mean 0 and variance 1, then scaled by gamma and shifted by beta, which are learnt.

        y = gamma * n + beta,  n = (x - mean) / sqrt(var + epsilon)

    In training, mean and (biased) var are the batch's own, over all axes but the last; otherwise they are moving
    averages of those, m = momentum * m + (1 - momentum) * batch. A batch's variance above 3e38, the largest float32, is
    still divided by rightly, but enters the moving average as 3e38. With R elements a channel in the batch:

        dbeta = sum dy,  dgamma = sum dy * n
        training:  dx = gamma / sqrt(var + epsilon) * (dy - dbeta / R - n * dgamma / R)
        otherwise: dx = gamma / sqrt(var + epsilon) * dy

    With trainable=False it goes by the moving averages in training, too, and leaves them as they are.

    In a model, a ReLU layer behind it is worked out in the same passes over memory, forward and backward: see
    `layers/fusion.py`; `fuse=False` in the model runs each by itself.

    Shapes: x (N, ..., C), y the same; gamma, beta, moving_mean, moving_variance (C,).

    Args:
        axis: the channels' axis; only the last, -1.
        momentum: of the moving averages; nearer to 1 is slower.
        epsilon: added to the variance.
        center, scale: whether there are beta and gamma.
        beta_regularizer, gamma_regularizer: penalties on them: names or objects; see `scratchnet.regularizers`.
        beta_constraint, gamma_constraint: what they are brought to after each update; see `scratchnet.constraints`.

    Raises:
        ValueError: a bad argument, or an input whose last axis changed.

    Source: Ioffe and Szegedy, arXiv 1502.03167; Keras, https://keras.io/api/layers/normalization_layers/
    """

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
        beta_regularizer: str | Regularizer | None = None,
        gamma_regularizer: str | Regularizer | None = None,
        beta_constraint: str | Bound | None = None,
        gamma_constraint: str | Bound | None = None,
        renorm: OnlyDefault = False,
        renorm_clipping: OnlyDefault = None,
        renorm_momentum: OnlyDefault = 0.99,
        synchronized: OnlyDefault = False,
        **options: Any,
    ):
        super().__init__(axis, epsilon, center, scale, beta_initializer, gamma_initializer, **options)
        self.rule("beta", beta_regularizer, beta_constraint)
        self.rule("gamma", gamma_regularizer, gamma_constraint)
        self.momentum = check_number(momentum, "momentum", self.full_name, 0, 1)
        self.start["moving_mean"] = initializers.get(moving_mean_initializer)
        self.start["moving_variance"] = initializers.get(moving_variance_initializer)

    def create_weights(self, input_shape: Shape) -> None:
        super().create_weights(input_shape)
        for name in ("moving_mean", "moving_variance"):
            self.add_weight(sizes(input_shape)[-1:], self.start[name], trainable=False, name=name)

    def call(self, x: np.ndarray, training: bool, relu: bool = False) -> np.ndarray:
        k, xp = kernels.of(x), array_module(x)
        training = training and self.trainable
        self.x, self.used_batch = x, training
        self.gamma, beta = self.gamma_and_beta(x)
        self.relu_beta = beta if relu else None
        if not training:
            self.mean, self.var = self.state["moving_mean"].copy(), self.state["moving_variance"].copy()
            return k.batch_norm_inference(x, self.gamma, beta, self.mean, self.var, self.epsilon, relu)
        y, self.mean, self.var = k.batch_norm(x, self.gamma, beta, self.epsilon, relu)
        for name, batch in (("moving_mean", self.mean), ("moving_variance", self.var)):
            moving = self.state[name]
            if batch.dtype != moving.dtype:  # a variance beyond float32
                batch = xp.minimum(batch, np.finfo(moving.dtype).max).astype(moving.dtype)
            moving += (batch - moving) * x.dtype.type(1 - self.momentum)
        return y

    def call_backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> np.ndarray | None:
        k = kernels.of(dy)
        backward = k.batch_norm_backward if self.used_batch else k.batch_norm_inference_backward
        dx, dgamma, dbeta = backward(dy, self.x, self.gamma, self.mean, self.var, self.epsilon, self.relu_beta)
        if param_grads:
            self.add_gradients(dgamma, dbeta)
        return dx


class GroupNormalization(_Normalization):
    """Each example's groups of channels brought to mean 0 and variance 1, then scaled by gamma and shifted by beta.

        y[n,...,c] = gamma[c] * u[n,...,c] + beta[c],  u = (x - mean[n,g]) / sqrt(var[n,g] + epsilon)

    Group g holds C / groups neighbouring channels, g = c // (C / groups); mean and (biased) var are over all its M
    elements in one example. No example depends on another, so training and inference are the same, and a batch may be
    small. With s = sqrt(var + epsilon):

        dbeta[c] = sum dy,  dgamma[c] = sum dy * u                          over all but the channels
        dx = (gamma * dy - sum(gamma * dy) / M - u * sum(gamma * dy * u) / M) / s      over the group

    groups=1 normalizes all channels of an example together, which is nearly layer normalization; groups=-1 each channel
    by itself, which is instance normalization.

    Shapes: x (N, ..., C), y the same; gamma, beta (C,).

    Args:
        groups: how many there are; C must be divisible by it. -1: as many as channels.
        axis: the channels' axis; only the last, -1.
        epsilon: added to the variance.
        center, scale: whether there are beta and gamma.
        beta_regularizer, gamma_regularizer: penalties on them: names or objects; see `scratchnet.regularizers`.
        beta_constraint, gamma_constraint: what they are brought to after each update; see `scratchnet.constraints`.

    Raises:
        ValueError: a bad argument, channels that do not make equal groups, or an input whose last axis changed.

    Source: Wu and He, arXiv 1803.08494; Keras, https://keras.io/api/layers/normalization_layers/group_normalization/
    """

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: str | initializers.Initializer = "zeros",
        gamma_initializer: str | initializers.Initializer = "ones",
        beta_regularizer: str | Regularizer | None = None,
        gamma_regularizer: str | Regularizer | None = None,
        beta_constraint: str | Bound | None = None,
        gamma_constraint: str | Bound | None = None,
        **options: Any,
    ):
        super().__init__(axis, epsilon, center, scale, beta_initializer, gamma_initializer, **options)
        self.rule("beta", beta_regularizer, beta_constraint)
        self.rule("gamma", gamma_regularizer, gamma_constraint)
        self.groups = groups if groups == -1 else check_count(groups, "groups", self.full_name)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        shape, C = super().compute_output_shape(input_shape), input_shape[-1]
        if C is not None and C % self.groups:
            raise ValueError(
                f"{self.full_name}: expected channels that make {self.groups} equal groups, got {C} in input shape "
                f"{shape_text(input_shape)}. Choose groups that divide {C}; groups=-1 is one for each channel."
            )
        return shape

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        self.x = x
        self.gamma, beta = self.gamma_and_beta(x)
        groups = x.shape[-1] if self.groups == -1 else self.groups
        y, self.mean, self.var = kernels.of(x).group_norm(x, self.gamma, beta, groups, self.epsilon)
        return y

    def call_backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> np.ndarray | None:
        dx, dgamma, dbeta = kernels.of(dy).group_norm_backward(
            dy, self.x, self.gamma, self.mean, self.var, self.mean.shape[1], self.epsilon
        )
        if param_grads:
            self.add_gradients(dgamma, dbeta)
        return dx
