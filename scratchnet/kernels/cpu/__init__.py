"""The kernels on the CPU, by Numba: functions from arrays to fresh arrays, without state. Inputs are never changed."""

from scratchnet.kernels.cpu.activation import (
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
from scratchnet.kernels.cpu.add import add
from scratchnet.kernels.cpu.augment import augment, uniform
from scratchnet.kernels.cpu.conv.conv2d import (
    conv2d,
    conv2d_input_grad,
    conv2d_max_pool2d_backward,
    conv2d_transpose,
    conv2d_weight_grad,
)
from scratchnet.kernels.cpu.conv.dense import bias_grad, dense, dense_input_grad, dense_weight_grad
from scratchnet.kernels.cpu.conv.depthwise import (
    depthwise_conv2d,
    depthwise_conv2d_input_grad,
    depthwise_conv2d_weight_grad,
)
from scratchnet.kernels.cpu.conv.groups import (
    grouped_conv2d,
    grouped_conv2d_input_grad,
    grouped_conv2d_weight_grad,
)
from scratchnet.kernels.cpu.dropout import dropout
from scratchnet.kernels.cpu.gather import gather, gather_backward
from scratchnet.kernels.cpu.group_norm import group_norm, group_norm_backward
from scratchnet.kernels.cpu.linear_units import (
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
from scratchnet.kernels.cpu.local_response import local_response_norm, local_response_norm_backward
from scratchnet.kernels.cpu.loss import (
    sigmoid_binary_cross_entropy,
    softmax_cross_entropy,
    softmax_cross_entropy_onehot,
)
from scratchnet.kernels.cpu.noise import normal
from scratchnet.kernels.cpu.norm import (
    batch_norm,
    batch_norm_backward,
    batch_norm_inference,
    batch_norm_inference_backward,
)
from scratchnet.kernels.cpu.pool import (
    average_pool2d,
    average_pool2d_backward,
    global_average_pool2d,
    global_average_pool2d_backward,
    max_pool2d,
    max_pool2d_backward,
    upsample2d,
    upsample2d_backward,
)
from scratchnet.kernels.cpu.resize import resize2d, resize2d_backward
from scratchnet.kernels.cpu.sums import square_sum
from scratchnet.kernels.cpu.translate import translate
from scratchnet.kernels.cpu.update import adadelta, adagrad, adam, adamax, lion, moving_average, nadam, rmsprop, sgd

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
    "batch_norm_inference_backward",
    "bias_grad",
    "conv2d",
    "conv2d_input_grad",
    "conv2d_max_pool2d_backward",
    "conv2d_transpose",
    "conv2d_weight_grad",
    "dense",
    "dense_input_grad",
    "dense_weight_grad",
    "depthwise_conv2d",
    "depthwise_conv2d_input_grad",
    "depthwise_conv2d_weight_grad",
    "dropout",
    "elu",
    "elu_backward",
    "gather",
    "gather_backward",
    "gelu",
    "gelu_backward",
    "global_average_pool2d",
    "global_average_pool2d_backward",
    "group_norm",
    "group_norm_backward",
    "grouped_conv2d",
    "grouped_conv2d_input_grad",
    "grouped_conv2d_weight_grad",
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
    "moving_average",
    "nadam",
    "normal",
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
    "square_sum",
    "tanh",
    "tanh_backward",
    "translate",
    "uniform",
    "upsample2d",
    "upsample2d_backward",
]
