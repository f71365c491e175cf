"""The fully connected layer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from scratchnet import initializers, kernels
from scratchnet.activations.names import Identifier
from scratchnet.arguments import check_count
from scratchnet.constraints import Bound
from scratchnet.layers import activation as activations
from scratchnet.layers.base import Layer
from scratchnet.regularizers import Regularizer
from scratchnet.shapes import Shape, sizes
from scratchnet.signatures import OnlyDefault


class Dense(Layer):
    """Every output is a weighted sum of all inputs, plus a bias.

        y[n,u]  = b[u] + sum over d of x[n,d] * w[d,u]
        dx[n,d] = sum over u of dy[n,u] * w[d,u]
        dw[d,u] = sum over n of x[n,d] * dy[n,u]
        db[u]   = sum over n of dy[n,u]

    In a model, ReLU is applied by the kernel as it stores y: `layers/fusion.py`.

    Shapes: x (N, ..., D), w (D, U), b (U,), y (N, ..., U); axes between the first and the last are taken along.

    Args:
        units: U.
        activation: applied to y; see `Activation`.
        use_bias: whether there is b.
        kernel_initializer, bias_initializer: names or objects; see `scratchnet.initializers`.
        kernel_regularizer, bias_regularizer, activity_regularizer: penalties on w, on b, and on y, activation included,
            divided by N: names or objects; see `scratchnet.regularizers`.
        kernel_constraint, bias_constraint: what w and b are brought to after each update; see `scratchnet.constraints`.
        input_shape: (D,), for the first layer of a model.

    Raises:
        ValueError: a bad argument, or an input whose last axis is not D.

    Source: Keras, https://keras.io/api/layers/core_layers/dense/
    """

    features: int  # D, once built

    for_backward = ("x",)

    def __init__(
        self,
        units: int,
        activation: Identifier = None,
        use_bias: bool = True,
        kernel_initializer: str | initializers.Initializer = "glorot_uniform",
        bias_initializer: str | initializers.Initializer = "zeros",
        kernel_regularizer: str | Regularizer | None = None,
        bias_regularizer: str | Regularizer | None = None,
        activity_regularizer: str | Regularizer | None = None,
        kernel_constraint: str | Bound | None = None,
        bias_constraint: str | Bound | None = None,
        lora_rank: OnlyDefault = None,
        lora_alpha: OnlyDefault = None,
        quantization_config: OnlyDefault = None,
        **options: Any,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **options)
        self.rule("kernel", kernel_regularizer, kernel_constraint)
        self.rule("bias", bias_regularizer, bias_constraint)
        self.units = check_count(units, "units", self.full_name)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)

    def create_weights(self, input_shape: Shape) -> None:
        self.features = sizes(input_shape)[-1]
        self.add_weight((self.features, self.units), self.kernel_initializer, name="kernel")
        if self.use_bias:
            self.add_weight((self.units,), self.bias_initializer, name="bias")

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        return (*input_shape[:-1], self.units)

    def multiply_adds(self) -> int:
        return math.prod(sizes(self.input_shape)) * self.units

    def check(self, x: np.ndarray) -> None:
        super().check(x)
        if self.built and x.shape[-1] != self.features:
            flat = math.prod(x.shape[1:])
            hint = " Put a Flatten() before it, or x.reshape(len(x), -1)." if flat == self.features else ""
            raise ValueError(f"{self.full_name}: expected x of shape (N, {self.features}), got {x.shape}.{hint}")

    def call(self, x: np.ndarray, training: bool, relu: bool = False) -> np.ndarray:
        self.x = x
        rows = x.reshape(-1, self.features)
        y = kernels.of(x).dense(rows, self.params["kernel"], self.params.get("bias"), relu)
        return y.reshape(*x.shape[:-1], self.units)

    def call_backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> np.ndarray | None:
        k, d_rows = kernels.of(dy), dy.reshape(-1, self.units)
        if param_grads:
            rows = self.x.reshape(-1, self.features)
            k.dense_weight_grad(rows, d_rows, self.grads["kernel"], self.grads.get("bias"))
        return k.dense_input_grad(d_rows, self.params["kernel"]).reshape(self.x.shape) if input_grad else None
