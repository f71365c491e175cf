"""The devices that the kernels' tests run on: each test takes `device`, and calls its kernels with NumPy's arrays."""

import importlib
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import cuda_on_cpu
import numpy as np
import pytest

from scratchnet import devices
from scratchnet.devices import Device
from scratchnet.kernels import cpu, gpu_device, gpu_probe


class UnderTest(NamedTuple):
    """A device under test: its module of kernels, and the ways of an array to the device and back."""

    kernels: Any
    to_device: Callable[[np.ndarray], Any]
    to_numpy: Callable[[Any], np.ndarray]


def _gpu() -> UnderTest | None:
    """The GPU where there is one; else its kernels on the CPU, as `cuda_on_cpu` plays them; None without a compiler."""
    if not gpu_probe.missing():
        gpu = importlib.import_module("scratchnet.kernels.gpu")
    elif cuda_on_cpu.missing() is None:
        with cuda_on_cpu.installed():
            gpu = importlib.import_module("scratchnet.kernels.gpu")
    else:
        return None
    return UnderTest(gpu, gpu.ARRAY_MODULE.asarray, gpu.TO_NUMPY)


# Another device joins by one line.
DEVICES = {
    "cpu": UnderTest(cpu, lambda array: array, lambda array: array),
    "gpu": _gpu(),
}


@contextmanager
def gpu_registered() -> Iterator[Device]:
    """Within it the package knows the GPU that is tested. Skips where there is none, and nothing that plays it."""
    under = DEVICES["gpu"]
    if under is None:
        pytest.skip(f"no GPU ({gpu_probe.missing()}), and {cuda_on_cpu.missing()}")
    there = gpu_device(under.kernels)
    devices.register(there)
    try:
        yield there
    finally:
        devices.unregister("gpu")


class Kernels:
    """The kernels of a device as functions of NumPy's arrays: these go to the device, and results come back.

    An array that the kernel changed there is changed here too, and no other is written to. Where the CPU plays a GPU,
    each call is played in the next of the four extreme orders of threads and copies.
    """

    def __init__(self, under: UnderTest):
        self.under, self.schedules = under, itertools.cycle(cuda_on_cpu.SCHEDULES)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        kernel = getattr(self.under.kernels, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            moved: list[tuple[np.ndarray, Any]] = []
            with cuda_on_cpu.scheduled(next(self.schedules)):
                result = kernel(*self._there(args, moved), **self._there(kwargs, moved))
            for here, there in moved:
                back = self.under.to_numpy(there)
                if back is not here and back.tobytes() != here.tobytes():
                    here[...] = back
            return self._back(result)

        return call

    def _there(self, value: Any, moved: list[tuple[np.ndarray, Any]]) -> Any:
        if isinstance(value, np.ndarray):
            known = next((there for here, there in moved if here is value), None)
            if known is None:
                known = self.under.to_device(value)
                moved.append((value, known))
            return known
        if isinstance(value, dict):
            return {k: self._there(v, moved) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(self._there(v, moved) for v in value)
        return value

    def _back(self, value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(self._back(v) for v in value)
        return value if value is None or isinstance(value, float) else self.under.to_numpy(value)


@pytest.fixture(scope="session", params=list(DEVICES))
def device(request):
    """The kernels of each device, as functions of NumPy's arrays."""
    under = DEVICES[request.param]
    if under is None:
        pytest.skip(f"no GPU ({gpu_probe.missing()}), and {cuda_on_cpu.missing()}")
    return Kernels(under)
