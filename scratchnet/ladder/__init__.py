"""Convolution seven times, each faster than the one before: the rungs of the notebook A1_making_convolution_fast.

From the outside in: `rungs` has the seven programs, `machine` the task that they are given, the clock, and what the
processor and the memory can do at most.
"""

from scratchnet.kernels.cpu.gemm.micro_kernel import HEIGHTS
from scratchnet.kernels.cpu.gemm.simd import VECTOR_BYTES
from scratchnet.ladder.machine import Task, memory_speed, seconds, task, tile_speed
from scratchnet.ladder.rungs import (
    RUNGS,
    _filters_innermost,
    compiled_loops,
    fewer_multiplications,
    filters_innermost,
    im2col,
    parallel_loops,
    python_loops,
    register_tile,
)

__all__ = [
    "HEIGHTS",
    "RUNGS",
    "VECTOR_BYTES",
    "Task",
    "_filters_innermost",
    "compiled_loops",
    "fewer_multiplications",
    "filters_innermost",
    "im2col",
    "memory_speed",
    "parallel_loops",
    "python_loops",
    "register_tile",
    "seconds",
    "task",
    "tile_speed",
]
