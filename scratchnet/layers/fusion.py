"""Which neighbouring layers run as one, and how: the only place where a layer is not run by itself.

A network of layers one after the other is planned once: `plan` cuts it into steps, from the first layer on, and takes
the first rule of RULES that fits. Where none does, the layer is a step of its own.

- Conv2D, with ReLU or without, then MaxPooling2D; or Conv2D, a ReLU layer, MaxPooling2D. Forward: ReLU in the
  convolution's kernel, as it stores y; the pooling notes where ReLU gave 0. Backward: one kernel for all of them, which
  multiplies only what comes back to a maximum.
- BatchNormalization, then a ReLU layer. Forward: ReLU in the normalization's kernel. Backward: the normalization leaves
  out, as it reads dy, what ReLU stopped.
- Add, then a ReLU layer. Forward: ReLU in the kernel that adds. Backward: as by themselves.
- A normalization and ReLU with MaxPooling2D behind; or any layer that ends in ReLU, then MaxPooling2D. Forward: the
  pooling notes where ReLU gave 0. Backward: the pooling's gradient is ReLU's too.
- Conv2D, Conv2DTranspose or Dense with ReLU. Forward: ReLU in the layer's kernel. Backward: as by itself.

A layer with an activity_regularizer runs by itself: its output is looked at.

What is saved is passes over memory, and in the first two rules multiplications. The numbers are those of the layers one
by one, to rounding. `Chain(layers, fuse=False)`, `Sequential(layers, fuse=False)` and `model.fuse = False` run layer by
layer: then a breakpoint in any layer's `call_backward` stops.

A layer's `call` runs in every step, and leaves in it what its own backward needs. So after a fused forward it is right,
too, to go back through the layers by hand, one `layer.backward(dy)` after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from scratchnet import kernels
from scratchnet.layers.activation import ActivationLayer, is_relu
from scratchnet.layers.base import Layer
from scratchnet.layers.conv import Conv2D, Conv2DTranspose
from scratchnet.layers.dense import Dense
from scratchnet.layers.merging import Add
from scratchnet.layers.norm import BatchNormalization
from scratchnet.layers.pool import MaxPooling2D
from scratchnet.layers.steps import Step


def _call(layer: Layer, x: np.ndarray, training: bool, relu: bool) -> np.ndarray:
    """The layer's `call`; with relu, its kernel takes in the ReLU that stands behind it, or before a pooling."""
    x = layer.prepare(x)
    y = layer.call(x, training, relu=True) if relu else layer.call(x, training)  # type: ignore[call-arg]
    layer.note_output(y)
    return y


class KernelReLU(Step):
    """A layer with ReLU as its activation, which its kernel applies as it stores y."""

    ends_in_activation = True

    def forward(self, x: np.ndarray, training: bool, logits: bool) -> np.ndarray:
        """max(call(x), 0)."""
        (layer,) = self.layers
        y = _call(layer, x, training, relu=True)
        layer.activation.kept = y  # ReLU's backward asks where its input is above 0: just where y is
        return y


class NormalizationReLU(Step):
    """Batch normalization with the ReLU layer behind it."""

    ends_in_activation = True

    def forward(self, x: np.ndarray, training: bool, logits: bool) -> np.ndarray:
        """max(gamma * n + beta, 0) in the passes over memory that the normalization makes anyway."""
        norm, relu = self.layers[:2]
        y = _call(norm, x, training, relu=True)
        relu.activation.kept = relu.prepare(y)
        relu.note_output(y)
        return y

    def backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool, logits: bool) -> np.ndarray | None:
        """The normalization's backward, which takes the gradient of ReLU's output."""
        norm = self.layers[0]
        assert isinstance(norm, BatchNormalization)
        if logits:  # the reader's choice after a forward with ReLU: dy is the gradient of its input
            norm.relu_beta = None
        return norm.run_backward(dy, param_grads, input_grad)


class SumReLU(Step):
    """A sum with the ReLU layer behind it, as at the end of a residual block."""

    ends_in_activation = True

    def forward(self, x: np.ndarray, training: bool, logits: bool) -> np.ndarray:
        """max(x_1 + x_2 + ..., 0) in the sum's pass over memory."""
        add, relu = self.layers
        y = _call(add, x, training, relu=True)
        relu.activation.kept = relu.prepare(y)  # its gradient passes just where y is above 0
        relu.note_output(y)
        return y

    def backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool, logits: bool) -> np.ndarray | None:
        """ReLU's backward, whose dx is that of each of the sum's inputs."""
        add, relu = self.layers
        dx = relu.run_backward(dy, logits=logits)
        assert dx is not None  # only left out where it is not asked for
        return add.run_backward(dx, param_grads, input_grad)


class NormalizationReLUPooling(NormalizationReLU):
    """Batch normalization, the ReLU layer behind it, and max-pooling."""

    ends_in_activation = False

    def forward(self, x: np.ndarray, training: bool, logits: bool) -> np.ndarray:
        """The pooling notes where ReLU gave 0: nothing goes back there."""
        return _call(self.layers[2], super().forward(x, training, logits), training, relu=True)

    def backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool, logits: bool) -> np.ndarray | None:
        """Pooling, then normalization."""
        dy = _through(self.layers[2], dy)
        return super().backward(dy, param_grads, input_grad, logits)


class ReLUPooling(Step):
    """A layer that ends in ReLU, and max-pooling."""

    def forward(self, x: np.ndarray, training: bool, logits: bool) -> np.ndarray:
        """The pooling notes where ReLU gave 0: nothing goes back there."""
        layer, pooling = self.layers
        inner = KernelReLU([layer]) if _has_relu_in_kernel(layer) else Step([layer])
        return _call(pooling, inner.forward(x, training, logits=False), training, relu=True)

    def backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool, logits: bool) -> np.ndarray | None:
        """The pooling's gradient is that of ReLU's input: the layer goes backward from there."""
        layer, pooling = self.layers
        return layer.run_backward(_through(pooling, dy), param_grads, input_grad, logits=True)


class ConvolutionPooling(Step):
    """A convolution, ReLU as its activation or as a layer or none, and max-pooling.

    Backward is `conv2d_max_pool2d_backward`, in `kernels/cpu`: three numbers in four of what a 2x2 pooling sends back
    are zero, and more with ReLU; they are neither stored nor multiplied.
    """

    def forward(self, x: np.ndarray, training: bool, logits: bool) -> np.ndarray:
        """The pooling notes where ReLU gave 0: nothing goes back there."""
        convolution, *between, pooling = self.layers
        own = is_relu(convolution.activation)
        y = (KernelReLU if own else Step)([convolution]).forward(x, training, logits=False)
        for relu in between:
            y = relu.run_forward(y, training)
        return _call(pooling, y, training, relu=own or bool(between))

    def backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool, logits: bool) -> np.ndarray | None:
        """dw, db and dx of the convolution from the gradient of what the pooling gave."""
        convolution, pooling = self.layers[0], self.layers[-1]
        assert isinstance(convolution, Conv2D)
        assert isinstance(pooling, MaxPooling2D)
        x, w, dy = convolution.x, convolution.params["kernel"], pooling.check_gradient(dy)
        trained = param_grads and convolution.trainable
        dw, db = (convolution.grads["kernel"], convolution.grads.get("bias")) if trained else (None, None)
        strides, pads, window = convolution.strides, convolution.pads(x.shape[1:3]), pooling.window(pooling.hw)
        return kernels.of(dy).conv2d_max_pool2d_backward(
            dy, x, w, pooling.argmax, strides, pads, window, dw, db, input_grad
        )


def _through(pooling: Layer, dy: np.ndarray) -> np.ndarray:
    dx = pooling.run_backward(dy)
    assert dx is not None  # only left out where it is not asked for
    return dx


# The patterns are made of these. A class made from one of ours may compute in another way: where it has a `call` of its
# own, no rule fits, and the kernel that knows the backward of both convolution and pooling is for no subclass at all,
# and for none with groups or dilation.


def _is_convolution(layer: Layer) -> bool:
    return type(layer) is Conv2D and layer.plain and (layer.activation is None or is_relu(layer.activation))


def _is_linear_convolution(layer: Layer) -> bool:
    return type(layer) is Conv2D and layer.plain and layer.activation is None


def _is_plain_max_pooling(layer: Layer) -> bool:
    return type(layer) is MaxPooling2D


def _is_max_pooling(layer: Layer) -> bool:
    return type(layer).call is MaxPooling2D.call


def _is_normalization(layer: Layer) -> bool:
    return type(layer).call is BatchNormalization.call


def _is_sum(layer: Layer) -> bool:
    return type(layer).call is Add.call


def _is_relu_layer(layer: Layer) -> bool:
    return isinstance(layer, ActivationLayer) and is_relu(layer.activation)


def _ends_in_relu(layer: Layer) -> bool:
    return is_relu(layer.activation)


def _has_relu_in_kernel(layer: Layer) -> bool:
    return is_relu(layer.activation) and type(layer).call in (Conv2D.call, Conv2DTranspose.call, Dense.call)


def _fits(condition: Callable[[Layer], bool], layer: Layer) -> bool:
    """Whether a layer fits into a pattern. One whose output is penalized fits into none: each step would lose it."""
    return layer.activity_regularizer is None and condition(layer)


Rule = tuple[tuple[Callable[[Layer], bool], ...], type[Step]]

RULES: tuple[Rule, ...] = (
    ((_is_convolution, _is_plain_max_pooling), ConvolutionPooling),
    ((_is_linear_convolution, _is_relu_layer, _is_plain_max_pooling), ConvolutionPooling),
    ((_is_normalization, _is_relu_layer, _is_max_pooling), NormalizationReLUPooling),
    ((_is_normalization, _is_relu_layer), NormalizationReLU),
    ((_is_sum, _is_relu_layer), SumReLU),
    ((_ends_in_relu, _is_max_pooling), ReLUPooling),
    ((_has_relu_in_kernel,), KernelReLU),
)


def plan(layers: Sequence[Layer], fuse: bool, logits: bool) -> list[Step]:
    """The steps that run these layers, in their order.

    Args:
        layers: one after the other; one may come several times.
        fuse: whether rules are used; if not, each layer is a step.
        logits: the last layer's activation is left out, so no step may have taken it in.
    """
    steps: list[Step] = []
    start = 0
    while start < len(layers):
        end, kind = start + 1, Step
        for pattern, step in RULES if fuse else ():
            part = layers[start : start + len(pattern)]
            whole = logits and start + len(pattern) == len(layers) and step.ends_in_activation
            if len(part) == len(pattern) and not whole and all(map(_fits, pattern, part)):
                end, kind = start + len(pattern), step
                break
        steps.append(kind(layers[start:end]))
        start = end
    return steps
