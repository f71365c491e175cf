"""What changes from step to step, as kernels of a CUDA graph must get it: from the GPU's memory.

A captured step is replayed with the arguments that its kernels had when it was captured. A rate, the number of the step
or whether the step is to be left out cannot be such an argument: the kernel is given an address, and reads what lies
there at that moment. Outside of graphs the same kernels run, with the numbers put there just before.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import cupy
import numpy as np

from scratchnet.kernels.gpu.runtime.memory import zeros


def numbers(values: Sequence[float], dtype: np.dtype) -> Any:
    """A step's numbers in an array of the GPU's, brought there by one copy."""
    return cupy.asarray(np.array(values, dtype))


@functools.cache
def passed() -> Any:
    """How many steps a replayed graph is beyond the one that was captured, (1,) uint64; 0 outside of a replay.

    One array for the whole program: a graph is captured with its address.
    """
    return zeros((1,), np.uint64)


@functools.cache
def skip() -> Any:
    """1 where the step is to leave all weights as they are, since its loss is not finite, (1,) int32; else 0."""
    return zeros((1,), np.int32)
