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
from scratchnet.kernels.gpu.group_norm import group_norm, group_norm_backward
from scratchnet.kernels.gpu.loss import (
    sigmoid_binary_cross_entropy,
    softmax_cross_entropy,
    softmax_cross_entropy_onehot,
)
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
from scratchnet.kernels.gpu.runtime.graph import Graph

ARRAY_TYPE, ARRAY_MODULE, TO_NUMPY, GRAPH = cupy.ndarray, cupy, cupy.asnumpy, Graph

__all__ = [
    "average_pool2d",
    "average_pool2d_backward",
    "batch_norm",
    "batch_norm_backward",
    "batch_norm_inference",
    "batch_norm_inference_backward",
    "global_average_pool2d",
    "global_average_pool2d_backward",
    "group_norm",
    "group_norm_backward",
    "max_pool2d",
    "max_pool2d_backward",
    "relu",
    "relu_backward",
    "sigmoid",
    "sigmoid_backward",
    "sigmoid_binary_cross_entropy",
    "silu",
    "silu_backward",
    "softmax",
    "softmax_backward",
    "softmax_cross_entropy",
    "softmax_cross_entropy_onehot",
    "tanh",
    "tanh_backward",
    "upsample2d",
    "upsample2d_backward",
]
