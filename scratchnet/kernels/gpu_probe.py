"""Whether this machine can run the GPU's kernels, and if not, what is missing and how to get it.

The probe ends in a kernel of one line that is compiled and run: much else can be there and not fit together.
"""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
from typing import Any

_KERNEL = 'extern "C" __global__ void scratchnet_probe(int* p) { *p = 42; }'
_EXTRAS = "pip install 'scratchnet[cuda13]' (or [cuda12], for a driver older than 580)"


class GPUNotAvailable(RuntimeError):
    """The GPU was asked for and cannot be used; the message says why, and what to do."""


def cupy_packages() -> list[str]:
    """The packages that bring CuPy: there must be just one."""
    names = (distribution.metadata["Name"] for distribution in importlib.metadata.distributions())
    return sorted({name for name in names if name and name.lower().startswith("cupy")})


def _found(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ValueError:  # it is loaded, by someone who gave it no spec
        return True


def _missing() -> str:
    """What stands in the way; empty where nothing does."""
    if not _found("cupy"):
        return f"CuPy is not installed. Install it: {_EXTRAS}."
    packages = cupy_packages()
    if len(packages) > 1:
        return (
            f"{len(packages)} CuPy packages are installed ({', '.join(packages)}), and overwrite each other's files. "
            f"Uninstall all of them, pip uninstall {' '.join(packages)}, then {_EXTRAS}."
        )
    try:
        cupy: Any = importlib.import_module("cupy")
    except Exception as error:  # whatever a broken installation raises
        return f"CuPy is installed but cannot be imported ({type(error).__name__}: {error}). Once more: {_EXTRAS}."
    return _missing_driver(cupy) or _missing_compiler(cupy) or _failing_kernel(cupy)


def _missing_driver(cupy: Any) -> str:
    runtime = cupy.cuda.runtime
    try:
        driver = runtime.driverGetVersion()
    except Exception as error:
        return f"the CUDA driver cannot be asked for its version ({error}). Install NVIDIA's driver anew."
    if driver == 0:
        return "no NVIDIA driver was found (libcuda is missing). Install one; without a GPU, use the CPU."
    try:
        count = runtime.getDeviceCount()
    except Exception as error:
        built, has = runtime.runtimeGetVersion() // 1000, f"{driver // 1000}.{driver % 1000 // 10}"
        return (
            f"CuPy was built for CUDA {built}, the driver supports {has} ({error}). Install the extra that fits the "
            f"driver, scratchnet[cuda{driver // 1000}], or a newer driver."
        )
    if count == 0:
        return "no CUDA device is visible. Look at the environment variable CUDA_VISIBLE_DEVICES, and at nvidia-smi."
    return ""


def _missing_compiler(cupy: Any) -> str:
    try:
        cupy.cuda.nvrtc.getVersion()
    except Exception as error:
        return f"CUDA's compiler library, NVRTC, cannot be loaded ({error}). Install it: {_EXTRAS}."
    return ""


def _failing_kernel(cupy: Any) -> str:
    try:
        number = cupy.zeros(1, "int32")
    except MemoryError:
        free, total = cupy.cuda.runtime.memGetInfo()
        return (
            f"its memory is full: {free / 1e6:,.0f} MB of {total / 1e6:,.0f} MB are free. nvidia-smi says which "
            "programs have the rest; a notebook keeps what it has until its kernel is shut down."
        )
    except Exception as error:
        return f"no array can be made on it ({type(error).__name__}: {error}). Look at nvidia-smi; restart the driver."
    try:
        cupy.RawKernel(_KERNEL, "scratchnet_probe")((1,), (1,), (number,))
        came = int(number[0])
    except Exception as error:
        return (
            f"a kernel of one line cannot be compiled and run ({type(error).__name__}: {error}). CUDA's headers are "
            f"missing, or compiler and headers do not fit the driver: {_EXTRAS}."
        )
    return "" if came == 42 else f"a kernel of one line that writes 42 gave {came}. Restart, and test the GPU's memory."


@functools.cache
def missing() -> str:
    """What stands in the way of the GPU's kernels, as a sentence with the way out; empty where nothing does.

    It never raises. The answer is kept: a driver that is installed later is seen by the next process.
    """
    return _missing()


def require_gpu() -> None:
    """Raise a GPUNotAvailable unless the GPU's kernels can run."""
    if missing():
        raise GPUNotAvailable(f"the GPU cannot be used: {missing()}")


def described() -> str:
    """The GPU that kernels run on, where nothing is missing: "NVIDIA H200 (sm_90), 150.1 GB"."""
    runtime: Any = importlib.import_module("cupy").cuda.runtime
    facts = runtime.getDeviceProperties(runtime.getDevice())
    memory = facts["totalGlobalMem"] / 1e9
    return f"{facts['name'].decode()} (sm_{facts['major']}{facts['minor']}), {memory:,.1f} GB"
