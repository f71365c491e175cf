"""cupy.cuda: what the package uses of it."""

from types import SimpleNamespace

from cuda_on_cpu import memory
from cuda_on_cpu.memory import MemoryPool, using_allocator
from cuda_on_cpu.streams import CUDARuntimeError, Graph, Stream, get_current_stream

__all__ = [
    "Graph",
    "MemoryPool",
    "Stream",
    "get_current_stream",
    "is_available",
    "memory",
    "runtime",
    "using_allocator",
]

VERSION = 12090  # 12.9
# An A100's, where kernels may ask: the smallest GPU that they are compiled for.
PROPERTIES = {
    "name": b"CUDA on the CPU",
    "major": 8,
    "minor": 0,
    "multiProcessorCount": 108,
    "warpSize": 32,
    "maxThreadsPerBlock": 1024,
    "sharedMemPerBlock": 48 << 10,
    "sharedMemPerBlockOptin": 163 << 10,
}


def is_available():
    """cupy.cuda.is_available."""
    return True


def _properties(device):
    if device != 0:
        raise CUDARuntimeError(101, "cudaErrorInvalidDevice: invalid device ordinal")
    return {**PROPERTIES, "totalGlobalMem": memory.device.total}


runtime = SimpleNamespace(
    CUDARuntimeError=CUDARuntimeError,
    driverGetVersion=lambda: VERSION,
    runtimeGetVersion=lambda: VERSION,
    getDeviceCount=lambda: 1,
    getDeviceProperties=_properties,
    memGetInfo=lambda: (memory.device.total - memory.device.used, memory.device.total),
)
