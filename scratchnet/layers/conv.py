"""Convolution and transposed convolution, and what all layers that filter share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from scratchnet import initializers, kernels
from scratchnet.activations.names import Identifier
from scratchnet.arguments import check_count, check_kernel_fits, check_padding, pair, shape_text
from scratchnet.constraints import Bound
from scratchnet.layers import activation as activations
from scratchnet.layers.base import Layer
from scratchnet.layers.dilation import Dilated, Grouped
from scratchnet.regularizers import Regularizer
from scratchnet.shapes import Shape, pads_2d, sizes
from scratchnet.signatures import OnlyDefault

Size = int | Sequence[int]


class Filter(Layer):
    """What the convolutions share: arguments, weights, and the bias with its gradient."""

    for_backward: Sequence[str] = ("x",)
    rank = 4
    channels: int | None = None  # of the input, once built
    dilation_rate = (1, 1)
    groups = 1

    def __init__(
        self,
        kernel_size: Size,
        strides: Size,
        padding: str,
        activation: Identifier,
        use_bias: bool,
        kernel_initializer: str | initializers.Initializer,
        bias_initializer: str | initializers.Initializer,
        **options: Any,
    ):
        super().__init__(**options)
        self.kernel_size = pair(kernel_size, "kernel_size", self.full_name)
        self.strides = pair(strides, "strides", self.full_name)
        self.padding = check_padding(padding, self.full_name)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)

    def kernel_shape(self, channels: int) -> tuple[int, int, int, int]:
        """The shape of the kernel for an input of so many channels."""
        raise NotImplementedError

    def create_weights(self, input_shape: Shape) -> None:
        self.channels = sizes(input_shape)[-1]
        self.add_weight(self.kernel_shape(self.channels), self.kernel_initializer, name="kernel")
        if self.use_bias:
            self.add_weight(sizes(self.output_shape)[-1:], self.bias_initializer, name="bias")

    def expected_input(self) -> Shape:
        return (None, None, None, self.channels)

    def dilate(self, rate: Size) -> None:
        """Take over a dilation rate; beside strides of 1 only, as in Keras."""
        self.dilation_rate = pair(rate, "dilation_rate", self.full_name)
        if max(self.dilation_rate) > 1 and max(self.strides) > 1:
            raise ValueError(
                f"{self.full_name}: expected strides of 1 where dilation_rate is above 1, got strides={self.strides} "
                f"and dilation_rate={self.dilation_rate}."
            )

    def placed(self, hw: Sequence[int]) -> Any:
        """(pads, (OH, OW)) for a picture of height and width `hw`; an error where the kernel does not fit."""
        (kh, kw), (dh, dw) = self.kernel_size, self.dilation_rate
        reach = (kh - 1) * dh + 1, (kw - 1) * dw + 1
        return check_kernel_fits((hw[0], hw[1]), reach, self.strides, self.padding, self.full_name)

    def pads(self, hw: Sequence[int]) -> Any:
        """The zeros around a picture of height and width `hw`; an error where the kernel does not fit."""
        return self.placed(hw)[0]

    def kernels(self, x: np.ndarray) -> Any:
        """The kernels of x's device; with groups or dilation what computes by them, see `layers/dilation.py`."""
        k: Any = kernels.of(x)
        if self.groups > 1:
            k = Grouped(k, self.groups)
        return k if self.dilation_rate == (1, 1) else Dilated(k, self.dilation_rate)

    def add_bias_grad(self, dy: np.ndarray) -> None:
        """A bias takes part in every place of every picture: its gradient is the sum over them."""
        if self.use_bias:
            self.grads["bias"] += kernels.of(dy).bias_grad(dy)


class Conv2D(Filter):
    """2-D convolution: every output is a weighted sum of one window of the input, plus a bias.

        y[n,i,j,f] = b[f] + sum over k, l, c of x~[n, sh*i + k - top, sw*j + l - left, c] * w[k,l,c,f]

    x~ is x with zeros around it; the kernel is not flipped (it is cross-correlation). The gradients:

        db[f]       = sum over n, i, j of dy[n,i,j,f]
        dw[k,l,c,f] = sum over n, i, j of x~[n, sh*i + k - top, sw*j + l - left, c] * dy[n,i,j,f]
        dx[n,h,v,c] = sum of dy[n,i,j,f] * w[k,l,c,f] over all i, j, k, l with h = sh*i + k - top, v = sw*j + l - left

    With a dilation rate (dh, dw), dh*k stands for k and dw*l for l. With groups, filter f sees the C / groups channels
    of its group alone. Both are in `layers/dilation.py`.

    In a model, ReLU is applied by the convolution's kernel as it stores y; and with a MaxPooling2D behind it, this
    layer's `call_backward` does not run: one kernel goes back through both. See `layers/fusion.py`; `fuse=False` in the
    model runs each by itself.

    Shapes: x (N, H, W, C), w (KH, KW, C / groups, F), b (F,), y (N, OH, OW, F), with
    OH = (H + top + bottom - dh * (KH - 1) - 1) // sh + 1.

    Args:
        filters: F.
        kernel_size: one number or (KH, KW).
        strides: step of the window, one number or (sh, sw), in pixels.
        padding: "valid" for none, "same" for as many zeros as give ceil(H / sh) rows; an odd one goes below and right.
        dilation_rate: how far apart the kernel's taps stand, one number or (dh, dw), in pixels; only with strides of 1.
        groups: into how many slices the channels and the filters are cut, each slice for itself.
        activation: applied to y; see `Activation`.
        use_bias: whether there is b.
        kernel_initializer, bias_initializer: names or objects; see `scratchnet.initializers`.
        kernel_regularizer, bias_regularizer, activity_regularizer: penalties on w, on b, and on y, activation included,
            divided by N: names or objects; see `scratchnet.regularizers`.
        kernel_constraint, bias_constraint: what w and b are brought to after each update; see `scratchnet.constraints`.
        input_shape: (H, W, C), for the first layer of a model.

    Raises:
        ValueError: a bad argument, an input of the wrong shape, or a kernel that does not fit into the picture.

    Source: Keras, https://keras.io/api/layers/convolution_layers/convolution2d/; formulas in `scratchnet.reference`.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Size,
        strides: Size = (1, 1),
        padding: str = "valid",
        data_format: OnlyDefault = None,
        dilation_rate: Size = (1, 1),
        groups: int = 1,
        activation: Identifier = None,
        use_bias: bool = True,
        kernel_initializer: str | initializers.Initializer = "glorot_uniform",
        bias_initializer: str | initializers.Initializer = "zeros",
        kernel_regularizer: str | Regularizer | None = None,
        bias_regularizer: str | Regularizer | None = None,
        activity_regularizer: str | Regularizer | None = None,
        kernel_constraint: str | Bound | None = None,
        bias_constraint: str | Bound | None = None,
        **options: Any,
    ):
        super().__init__(
            kernel_size, strides, padding, activation, use_bias, kernel_initializer, bias_initializer,
            activity_regularizer=activity_regularizer, **options,
        )  # fmt: skip
        self.rule("kernel", kernel_regularizer, kernel_constraint)
        self.rule("bias", bias_regularizer, bias_constraint)
        self.filters = check_count(filters, "filters", self.full_name)
        self.dilate(dilation_rate)
        self.groups = check_count(groups, "groups", self.full_name)
        if self.filters % self.groups:
            raise ValueError(
                f"{self.full_name}: expected filters that make {self.groups} equal groups, got filters={self.filters}."
            )

    @property
    def plain(self) -> bool:
        """Whether there are neither groups nor gaps, so that one kernel can go back through it and a pooling."""
        return self.groups == 1 and self.dilation_rate == (1, 1)

    def kernel_shape(self, channels: int) -> tuple[int, int, int, int]:
        return (*self.kernel_size, channels // self.groups, self.filters)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        H, W, C = sizes(input_shape)
        if C % self.groups:
            raise ValueError(
                f"{self.full_name}: expected channels that make {self.groups} equal groups, got {C} in input shape "
                f"{shape_text(input_shape)}. Choose groups that divide {C}."
            )
        return (None, *self.placed((H, W))[1], self.filters)

    def multiply_adds(self) -> int:
        return math.prod(sizes(self.output_shape)[:2]) * math.prod(self.params["kernel"].shape)

    def call(self, x: np.ndarray, training: bool, relu: bool = False) -> np.ndarray:
        self.x = x
        w, b = self.params["kernel"], self.params.get("bias")
        return self.kernels(x).conv2d(x, w, b, self.strides, self.pads(x.shape[1:3]), relu)

    def call_backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> np.ndarray | None:
        k, hw = self.kernels(dy), self.x.shape[1:3]
        pads = self.pads(hw)
        if param_grads:
            dw, db = self.grads["kernel"], self.grads.get("bias")
            k.conv2d_weight_grad(self.x, dy, self.kernel_size, self.strides, pads, dw, db)
        return k.conv2d_input_grad(dy, self.params["kernel"], hw, self.strides, pads) if input_grad else None


class Conv2DTranspose(Filter):
    """Transposed convolution: the gradient of a convolution as a layer. Each input spreads over a window of the output.

        y[n, sh*i + k - top, sw*j + l - left, f] += x[n,i,j,c] * w[k,l,f,c], summed over i, j, k, l, c; plus b[f]

    It enlarges a picture `strides` times. Forward and dx are the two convolution kernels with their parts exchanged:
    dx is the convolution of dy with w. In a model, ReLU is applied by the kernel as it stores y: `layers/fusion.py`.

    Shapes: x (N, H, W, C), w (KH, KW, F, C), b (F,), y (N, OH, OW, F). With padding="same" OH = H * sh; with "valid"
    OH = H * sh + max(KH - sh, 0).

    Args and errors: as for Conv2D; `strides` and `padding` are those of the convolution that goes the other way.

    Source: Keras, https://keras.io/api/layers/convolution_layers/convolution2d_transpose/; Dumoulin and Visin,
    "A guide to convolution arithmetic for deep learning", arXiv 1603.07285.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Size,
        strides: Size = (1, 1),
        padding: str = "valid",
        output_padding: OnlyDefault = None,
        data_format: OnlyDefault = None,
        dilation_rate: OnlyDefault = (1, 1),
        activation: Identifier = None,
        use_bias: bool = True,
        kernel_initializer: str | initializers.Initializer = "glorot_uniform",
        bias_initializer: str | initializers.Initializer = "zeros",
        kernel_regularizer: str | Regularizer | None = None,
        bias_regularizer: str | Regularizer | None = None,
        activity_regularizer: str | Regularizer | None = None,
        kernel_constraint: str | Bound | None = None,
        bias_constraint: str | Bound | None = None,
        **options: Any,
    ):
        super().__init__(
            kernel_size, strides, padding, activation, use_bias, kernel_initializer, bias_initializer,
            activity_regularizer=activity_regularizer, **options,
        )  # fmt: skip
        self.rule("kernel", kernel_regularizer, kernel_constraint)
        self.rule("bias", bias_regularizer, bias_constraint)
        self.filters = check_count(filters, "filters", self.full_name)

    def kernel_shape(self, channels: int) -> tuple[int, int, int, int]:
        return (*self.kernel_size, self.filters, channels)

    def output_hw(self, hw: Sequence[int]) -> tuple[int, int]:
        """Height and width of the output for those of the input."""
        extra = (max(k - s, 0) if self.padding == "valid" else 0 for k, s in zip(self.kernel_size, self.strides))
        oh, ow = (size * s + e for size, s, e in zip(hw, self.strides, extra))
        return oh, ow

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        return (None, *self.output_hw(sizes(input_shape)[:2]), self.filters)

    def multiply_adds(self) -> int:
        return math.prod(sizes(self.input_shape)[:2]) * math.prod(self.params["kernel"].shape)

    def call(self, x: np.ndarray, training: bool, relu: bool = False) -> np.ndarray:
        self.x = x
        hw = self.output_hw(x.shape[1:3])
        pads = pads_2d(hw, self.kernel_size, self.strides, self.padding)
        w, b = self.params["kernel"], self.params.get("bias")
        return kernels.of(x).conv2d_transpose(x, w, b, self.strides, pads, hw, relu)

    def call_backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> np.ndarray | None:
        k, hw = kernels.of(dy), self.output_hw(self.x.shape[1:3])
        pads = pads_2d(hw, self.kernel_size, self.strides, self.padding)
        if param_grads:
            self.add_bias_grad(dy)
            k.conv2d_weight_grad(dy, self.x, self.kernel_size, self.strides, pads, self.grads["kernel"])
        return k.conv2d(dy, self.params["kernel"], None, self.strides, pads) if input_grad else None
