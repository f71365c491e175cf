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
from scratchnet.kernels.gpu.runtime.graph import Graph
from scratchnet.kernels.gpu.runtime.memory import free_memory

ARRAY_TYPE, ARRAY_MODULE, TO_NUMPY = cupy.ndarray, cupy, cupy.asnumpy
GRAPH, FREE_MEMORY = Graph, free_memory

__all__ = [
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
