"""The module that stands in for CuPy."""

from cuda_on_cpu import cuda
from cuda_on_cpu.arrays import FUNCTIONS, ndarray
from cuda_on_cpu.launching import RawKernel, RawModule

__all__ = ["RawKernel", "RawModule", "cuda", "get_default_memory_pool", "ndarray"]
__version__ = "14.2.0"

_pool = cuda.MemoryPool()  # that allocations come from unless another is chosen; nothing is kept in it


def get_default_memory_pool():
    """cupy.get_default_memory_pool."""
    return _pool


globals().update(FUNCTIONS)
