"""Fresh arrays on the GPU. CuPy's pool keeps what a dead array leaves behind, and serves the next one from it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import cupy
import numpy as np


class OutOfMemory(MemoryError):
    """The GPU's memory does not hold an array.

    Attributes:
        asked: bytes that were asked for.
        free: bytes that no array holds: what the driver has, and what CuPy's pool keeps.
    """

    def __init__(self, asked: int, free: int, total: int) -> None:
        self.asked, self.free = asked, free
        super().__init__(
            f"out of memory on the GPU: asked for {_megabytes(asked)}, free are {_megabytes(free)} of "
            f"{_megabytes(total)}. Take a smaller batch_size, or a GPU that no other program uses."
        )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"


def free_memory() -> int:
    """Bytes that no array holds: what the driver has, and what CuPy's pool keeps."""
    return int(cupy.cuda.runtime.memGetInfo()[0] + cupy.get_default_memory_pool().free_bytes())


def _fresh(make: Callable[..., Any], shape: Sequence[int], dtype: Any) -> Any:
    try:
        return make(tuple(shape), dtype)
    except cupy.cuda.memory.OutOfMemoryError as error:
        asked, total = math.prod(shape) * np.dtype(dtype).itemsize, cupy.cuda.runtime.memGetInfo()[1]
        raise OutOfMemory(asked, free_memory(), total) from error


def empty(shape: Sequence[int], dtype: Any) -> Any:
    """As `cupy.empty`.

    Raises:
        OutOfMemory: a MemoryError that says how much was asked for, and how much there is.
    """
    return _fresh(cupy.empty, shape, dtype)


def zeros(shape: Sequence[int], dtype: Any) -> Any:
    """As `cupy.zeros`; raises as `empty` does."""
    return _fresh(cupy.zeros, shape, dtype)
