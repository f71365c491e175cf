"""The kernels on the GPU, CUDA C by CuPy: functions from arrays to fresh arrays, without state.

Each X.py has its kernels in the X.cu beside it.
"""

import cupy

from scratchnet.kernels.gpu.activation import (
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
from scratchnet.kernels.gpu.add import add
from scratchnet.kernels.gpu.augment import augment, uniform
from scratchnet.kernels.gpu.conv.conv2d import conv2d, conv2d_input_grad, conv2d_transpose, conv2d_weight_grad
from scratchnet.kernels.gpu.conv.dense import bias_grad, dense, dense_input_grad, dense_weight_grad
from scratchnet.kernels.gpu.conv.depthwise import (
    depthwise_conv2d,
    depthwise_conv2d_input_grad,
    depthwise_conv2d_weight_grad,
)
from scratchnet.kernels.gpu.conv.groups import (
    grouped_conv2d,
    grouped_conv2d_input_grad,
    grouped_conv2d_weight_grad,
)
from scratchnet.kernels.gpu.conv.pooled_gradient import conv2d_max_pool2d_backward
from scratchnet.kernels.gpu.dropout import dropout
from scratchnet.kernels.gpu.gather import gather, gather_backward
from scratchnet.kernels.gpu.group_norm import group_norm, group_norm_backward
from scratchnet.kernels.gpu.linear_units import (
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
from scratchnet.kernels.gpu.local_response import local_response_norm, local_response_norm_backward
from scratchnet.kernels.gpu.loss import (
    sigmoid_binary_cross_entropy,
    softmax_cross_entropy,
    softmax_cross_entropy_onehot,
)
from scratchnet.kernels.gpu.noise import normal
from scratchnet.kernels.gpu.norm import (
    batch_norm,
    batch_norm_backward,
    batch_norm_inference,
    batch_norm_inference_backward,
)
from scratchnet.kernels.gpu.pool import (
    average_pool2d,
    average_pool2d_backward,
    global_average_pool2d,
    global_average_pool2d_backward,
    max_pool2d,
    max_pool2d_backward,
    upsample2d,
    upsample2d_backward,
)
from scratchnet.kernels.gpu.resize import resize2d, resize2d_backward
from scratchnet.kernels.gpu.runtime.graph import Graph
from scratchnet.kernels.gpu.runtime.memory import free_memory
from scratchnet.kernels.gpu.runtime.precision import precision
from scratchnet.kernels.gpu.sums import square_sum
from scratchnet.kernels.gpu.translate import translate
from scratchnet.kernels.gpu.update import adadelta, adagrad, adam, adamax, lion, moving_average, nadam, rmsprop, sgd

ARRAY_TYPE, ARRAY_MODULE, TO_NUMPY = cupy.ndarray, cupy, cupy.asnumpy
GRAPH, FREE_MEMORY, PRECISION = Graph, free_memory, precision

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
