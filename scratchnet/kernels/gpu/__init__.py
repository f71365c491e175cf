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
from scratchnet.kernels.gpu.augment import augment, uniform
from scratchnet.kernels.gpu.dropout import dropout
from scratchnet.kernels.gpu.gather import gather
from scratchnet.kernels.gpu.runtime.graph import Graph
from scratchnet.kernels.gpu.runtime.memory import free_memory
from scratchnet.kernels.gpu.sums import square_sum
from scratchnet.kernels.gpu.translate import translate
from scratchnet.kernels.gpu.update import adam, moving_average, rmsprop, sgd

ARRAY_TYPE, ARRAY_MODULE, TO_NUMPY = cupy.ndarray, cupy, cupy.asnumpy
GRAPH, FREE_MEMORY = Graph, free_memory

__all__ = [
    "adam",
    "augment",
    "dropout",
    "gather",
    "moving_average",
    "relu",
    "relu_backward",
    "rmsprop",
    "sgd",
    "sigmoid",
    "sigmoid_backward",
    "silu",
    "silu_backward",
    "softmax",
    "softmax_backward",
    "square_sum",
    "tanh",
    "tanh_backward",
    "translate",
    "uniform",
]
