"""Depthwise convolution, each channel filtered by itself; and separable convolution, which mixes them then."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from scratchnet import initializers, kernels
from scratchnet.activations.names import Identifier
from scratchnet.arguments import check_count
from scratchnet.constraints import Bound
from scratchnet.layers.conv import Filter, Size
from scratchnet.regularizers import Regularizer
from scratchnet.shapes import Pads, Shape, sizes
from scratchnet.signatures import OnlyDefault

_ONES = (1, 1)
_NO_PADS: Pads = ((0, 0), (0, 0))


class DepthwiseConv2D(Filter):
    """Depthwise convolution: each channel is filtered by itself, with `depth_multiplier` filters of its own.

        y[n,i,j,c*M+m] = b[c*M+m] + sum over k, l of x~[n, sh*i + k - top, sw*j + l - left, c] * w[k,l,c,m]

    Gradients as for Conv2D, without the sum over other channels.

    Shapes: x (N, H, W, C), w (KH, KW, C, M), b (C*M,), y (N, OH, OW, C*M).

    Args and errors: as for Conv2D; M is `depth_multiplier`, and initializer, regularizer and constraint of w are
    `depthwise_initializer`, `depthwise_regularizer` and `depthwise_constraint`.

    Source: Keras, https://keras.io/api/layers/convolution_layers/depthwise_convolution2d/
    """

    def __init__(
        self,
        kernel_size: Size,
        strides: Size = (1, 1),
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: OnlyDefault = None,
        dilation_rate: Size = (1, 1),
        activation: Identifier = None,
        use_bias: bool = True,
        depthwise_initializer: str | initializers.Initializer = "glorot_uniform",
        bias_initializer: str | initializers.Initializer = "zeros",
        depthwise_regularizer: str | Regularizer | None = None,
        bias_regularizer: str | Regularizer | None = None,
        activity_regularizer: str | Regularizer | None = None,
        depthwise_constraint: str | Bound | None = None,
        bias_constraint: str | Bound | None = None,
        **options: Any,
    ):
        super().__init__(
            kernel_size, strides, padding, activation, use_bias, depthwise_initializer, bias_initializer,
            activity_regularizer=activity_regularizer, **options,
        )  # fmt: skip
        self.rule("kernel", depthwise_regularizer, depthwise_constraint)
        self.rule("bias", bias_regularizer, bias_constraint)
        self.depth_multiplier = check_count(depth_multiplier, "depth_multiplier", self.full_name)
        self.dilate(dilation_rate)

    def kernel_shape(self, channels: int) -> tuple[int, int, int, int]:
        return (*self.kernel_size, channels, self.depth_multiplier)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        H, W, C = sizes(input_shape)
        return (None, *self.placed((H, W))[1], C * self.depth_multiplier)

    def multiply_adds(self) -> int:
        return math.prod(sizes(self.output_shape)[:2]) * math.prod(self.params["kernel"].shape)

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        self.x = x
        w, b = self.params["kernel"], self.params.get("bias")
        return self.kernels(x).depthwise_conv2d(x, w, b, self.strides, self.pads(x.shape[1:3]))

    def call_backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> np.ndarray | None:
        k, hw = self.kernels(dy), self.x.shape[1:3]
        pads = self.pads(hw)
        if param_grads:
            self.add_bias_grad(dy)
            self.grads["kernel"] += k.depthwise_conv2d_weight_grad(self.x, dy, self.kernel_size, self.strides, pads)
        return k.depthwise_conv2d_input_grad(dy, self.params["kernel"], hw, self.strides, pads) if input_grad else None


class SeparableConv2D(Filter):
    """A depthwise convolution and then a 1 x 1 convolution: nearly what Conv2D does, by a fraction of the products.

        u[n,i,j,c*M+m] = sum over k, l of x~[n, sh*i + dh*k - top, sw*j + dw*l - left, c] * d[k,l,c,m]
        y[n,i,j,f]     = b[f] + sum over e of u[n,i,j,e] * p[0,0,e,f]

    The gradients are those of DepthwiseConv2D and Conv2D, one after the other.

    Shapes: x (N, H, W, C), d (KH, KW, C, M), p (1, 1, C*M, F), b (F,), y (N, OH, OW, F), sizes as for Conv2D.

    Args and errors: as for Conv2D; M is `depth_multiplier`, d is `depthwise_kernel`, p is `pointwise_kernel`, and each
    has an initializer, a regularizer and a constraint of its own.

    Source: Chollet, "Xception", arXiv 1610.02357; Keras,
    https://keras.io/api/layers/convolution_layers/separable_convolution2d/
    """

    for_backward = ("x", "between")

    def __init__(
        self,
        filters: int,
        kernel_size: Size,
        strides: Size = (1, 1),
        padding: str = "valid",
        data_format: OnlyDefault = None,
        dilation_rate: Size = (1, 1),
        depth_multiplier: int = 1,
        activation: Identifier = None,
        use_bias: bool = True,
        depthwise_initializer: str | initializers.Initializer = "glorot_uniform",
        pointwise_initializer: str | initializers.Initializer = "glorot_uniform",
        bias_initializer: str | initializers.Initializer = "zeros",
        depthwise_regularizer: str | Regularizer | None = None,
        pointwise_regularizer: str | Regularizer | None = None,
        bias_regularizer: str | Regularizer | None = None,
        activity_regularizer: str | Regularizer | None = None,
        depthwise_constraint: str | Bound | None = None,
        pointwise_constraint: str | Bound | None = None,
        bias_constraint: str | Bound | None = None,
        **options: Any,
    ):
        super().__init__(
            kernel_size, strides, padding, activation, use_bias, depthwise_initializer, bias_initializer,
            activity_regularizer=activity_regularizer, **options,
        )  # fmt: skip
        self.rule("depthwise_kernel", depthwise_regularizer, depthwise_constraint)
        self.rule("pointwise_kernel", pointwise_regularizer, pointwise_constraint)
        self.rule("bias", bias_regularizer, bias_constraint)
        self.filters = check_count(filters, "filters", self.full_name)
        self.depth_multiplier = check_count(depth_multiplier, "depth_multiplier", self.full_name)
        self.pointwise_initializer = initializers.get(pointwise_initializer)
        self.dilate(dilation_rate)

    def create_weights(self, input_shape: Shape) -> None:
        self.channels = sizes(input_shape)[-1]
        between = self.channels * self.depth_multiplier
        depthwise = (*self.kernel_size, self.channels, self.depth_multiplier)
        self.add_weight(depthwise, self.kernel_initializer, name="depthwise_kernel")
        self.add_weight((1, 1, between, self.filters), self.pointwise_initializer, name="pointwise_kernel")
        if self.use_bias:
            self.add_weight((self.filters,), self.bias_initializer, name="bias")

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        H, W, _ = sizes(input_shape)
        return (None, *self.placed((H, W))[1], self.filters)

    def multiply_adds(self) -> int:
        places = math.prod(sizes(self.output_shape)[:2])
        return places * (self.params["depthwise_kernel"].size + self.params["pointwise_kernel"].size)

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        self.x, pads = x, self.pads(x.shape[1:3])
        d, p, b = self.params["depthwise_kernel"], self.params["pointwise_kernel"], self.params.get("bias")
        self.between = self.kernels(x).depthwise_conv2d(x, d, None, self.strides, pads)
        return kernels.of(x).conv2d(self.between, p, b, _ONES, _NO_PADS)

    def call_backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> np.ndarray | None:
        k, depthwise, hw = kernels.of(dy), self.kernels(dy), self.x.shape[1:3]
        d, p, pads = self.params["depthwise_kernel"], self.params["pointwise_kernel"], self.pads(hw)
        du = k.conv2d_input_grad(dy, p, dy.shape[1:3], _ONES, _NO_PADS)
        if param_grads:
            dp, db = self.grads["pointwise_kernel"], self.grads.get("bias")
            k.conv2d_weight_grad(self.between, dy, _ONES, _ONES, _NO_PADS, dp, db)
            dd = depthwise.depthwise_conv2d_weight_grad(self.x, du, self.kernel_size, self.strides, pads)
            self.grads["depthwise_kernel"] += dd
        return depthwise.depthwise_conv2d_input_grad(du, d, hw, self.strides, pads) if input_grad else None
