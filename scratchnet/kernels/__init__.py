"""The same functions once for each device. The array's type picks which: `kernels.of(x).conv2d(x, w, b, ...)`.

What each function computes, from which arguments, is said once for all devices, in `kernels/interface`.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from scratchnet.devices import Device, array_types, device_of, register, register_later
from scratchnet.kernels.gpu_probe import require_gpu
from scratchnet.kernels.interface import Kernels

_cpu: Any = None  # `kernels/cpu`, the module, once a kernel was asked for: Numba takes longest to import


def _load_cpu() -> Any:
    global _cpu
    _cpu = importlib.import_module("scratchnet.kernels.cpu")
    return _cpu


CPU = Device("cpu", np.ndarray, np, lambda: _cpu or _load_cpu(), np.asarray)
register(CPU)


def gpu_device(gpu: Any) -> Device:
    """The device that `kernels/gpu`, the module, has the kernels of."""
    of_arrays = gpu.ARRAY_TYPE, gpu.ARRAY_MODULE, lambda: gpu, gpu.TO_NUMPY
    return Device("gpu", *of_arrays, gpu.GRAPH, gpu.FREE_MEMORY, gpu.PRECISION)


def _gpu() -> Device:
    """The GPU: its kernels import CuPy, which is looked for here, when they are first asked for."""
    require_gpu()
    return gpu_device(importlib.import_module("scratchnet.kernels.gpu"))


register_later("gpu", "cupy", _gpu)


def of(array: Any) -> Kernels:
    """The kernels for the device that an array is on.

    Raises:
        TypeError: not an array that there are kernels for.
    """
    if isinstance(array, np.ndarray):  # the CPU is asked for first: this runs at every call of a kernel
        return _cpu or _load_cpu()
    device = device_of(array)
    if device is None:
        raise TypeError(
            f"expected an array that there are kernels for ({', '.join(array_types())}), got "
            f"{type(array).__name__}. Convert it first: np.asarray(x)."
        )
    return device.kernels()
