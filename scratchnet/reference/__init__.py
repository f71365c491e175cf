"""Every formula of the package as literal loops: the definition of right.

Nothing here is fast, and nothing needs to be: each function says what is computed, one number at a time, and the
tests compare every kernel with it. Pictures are x (N, H, W, C): number, height, width, channels. Filters are
w (KH, KW, C, F). `strides` is (sh, sw), `pads` is ((top, bottom), (left, right)), zeros that are thought around x.
dx always means dLoss/dx. Arrays are made with the dtype of x.

A function that is also a kernel takes its arguments in the kernel's order (see `kernels/interface`), without those that
only serve speed. A `..._backward` takes dy, then the arrays of the forward, then what the forward returned.

What the field calls convolution is cross-correlation: the kernel is not flipped.
"""

from scratchnet.reference.activation import (
    add,
    relu,
    relu_backward,
    sigmoid,
    sigmoid_backward,
    silu,
    silu_backward,
    softmax,
    softmax_backward,
    tanh,
    tanh_backward,
)
from scratchnet.reference.augment import augment, move
from scratchnet.reference.conv import (
    conv2d,
    conv2d_backward,
    conv2d_transpose,
    conv2d_transpose_backward,
    depthwise_conv2d,
    depthwise_conv2d_backward,
    grouped_conv2d,
    grouped_conv2d_backward,
    places,
    windows,
)
from scratchnet.reference.dense import dense, dense_backward
from scratchnet.reference.gather import gather_backward
from scratchnet.reference.linear_units import (
    elu,
    elu_backward,
    gelu,
    gelu_backward,
    hard_sigmoid,
    hard_sigmoid_backward,
    hard_silu,
    hard_silu_backward,
    mish,
    mish_backward,
    prelu,
    prelu_backward,
    softplus,
    softplus_backward,
)
from scratchnet.reference.loss import sigmoid_binary_cross_entropy, softmax_cross_entropy, softmax_cross_entropy_onehot
from scratchnet.reference.norm import (
    batch_norm,
    batch_norm_backward,
    batch_norm_inference,
    group_norm,
    group_norm_backward,
    local_response_norm,
    local_response_norm_backward,
)
from scratchnet.reference.pool import average_pool2d, average_pool2d_backward, max_pool2d, max_pool2d_backward
from scratchnet.reference.random import dropout, normal, philox, uniform
from scratchnet.reference.resize import resize2d, resize2d_backward
from scratchnet.reference.update import adadelta, adagrad, adam, adamax, lion, moving_average, nadam, rmsprop, sgd

__all__ = [
    "adadelta",
    "adagrad",
    "adam",
    "adamax",
    "add",
    "augment",
    "average_pool2d",
    "average_pool2d_backward",
    "batch_norm",
    "batch_norm_backward",
    "batch_norm_inference",
    "conv2d",
    "conv2d_backward",
    "conv2d_transpose",
    "conv2d_transpose_backward",
    "dense",
    "dense_backward",
    "depthwise_conv2d",
    "depthwise_conv2d_backward",
    "dropout",
    "elu",
    "elu_backward",
    "gather_backward",
    "gelu",
    "gelu_backward",
    "group_norm",
    "group_norm_backward",
    "grouped_conv2d",
    "grouped_conv2d_backward",
    "hard_sigmoid",
    "hard_sigmoid_backward",
    "hard_silu",
    "hard_silu_backward",
    "lion",
    "local_response_norm",
    "local_response_norm_backward",
    "max_pool2d",
    "max_pool2d_backward",
    "mish",
    "mish_backward",
    "move",
    "moving_average",
    "nadam",
    "normal",
    "philox",
    "places",
    "prelu",
    "prelu_backward",
    "relu",
    "relu_backward",
    "resize2d",
    "resize2d_backward",
    "rmsprop",
    "sgd",
    "sigmoid",
    "sigmoid_backward",
    "sigmoid_binary_cross_entropy",
    "silu",
    "silu_backward",
    "softmax",
    "softmax_backward",
    "softmax_cross_entropy",
    "softmax_cross_entropy_onehot",
    "softplus",
    "softplus_backward",
    "tanh",
    "tanh_backward",
    "uniform",
    "windows",
]
