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
from scratchnet.kernels.gpu.conv.conv2d import conv2d, conv2d_input_grad, conv2d_transpose, conv2d_weight_grad
from scratchnet.kernels.gpu.conv.dense import bias_grad, dense, dense_input_grad, dense_weight_grad
from scratchnet.kernels.gpu.conv.depthwise import (
    depthwise_conv2d,
    depthwise_conv2d_input_grad,
    depthwise_conv2d_weight_grad,
)
from scratchnet.kernels.gpu.runtime.graph import Graph

ARRAY_TYPE, ARRAY_MODULE, TO_NUMPY, GRAPH = cupy.ndarray, cupy, cupy.asnumpy, Graph

__all__ = [
    "bias_grad",
    "conv2d",
    "conv2d_input_grad",
    "conv2d_transpose",
    "conv2d_weight_grad",
    "dense",
    "dense_input_grad",
    "dense_weight_grad",
    "depthwise_conv2d",
    "depthwise_conv2d_input_grad",
    "depthwise_conv2d_weight_grad",
    "relu",
    "relu_backward",
    "sigmoid",
    "sigmoid_backward",
    "silu",
    "silu_backward",
    "softmax",
    "softmax_backward",
    "tanh",
    "tanh_backward",
]
