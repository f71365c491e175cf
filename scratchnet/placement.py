"""Where networks are built: `with sn.device("gpu")`, and what a device's name stands for.

    with sn.device("gpu"):
        model = sn.Sequential([sn.Conv2D(8, 3, input_shape=(28, 28, 1)), ...])     its weights are on the GPU
    model.to("cpu")                                                                and back

A network is where its weights are, and nothing else remembers a device. Weights are made when a network is built, so
the context holds for what is built within it, and changes nothing that was built before. It holds for one thread (and
one task of asyncio): others have theirs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar

from scratchnet.annotations import checked
from scratchnet.arguments import ArgumentError, check_choice
from scratchnet.devices import Device, known_names, named
from scratchnet.kernels import CPU
from scratchnet.kernels.gpu_probe import GPUNotAvailable

_current: ContextVar[Device | None] = ContextVar("_current", default=None)


def current() -> Device | None:
    """The device that the innermost context names; None outside of all."""
    return _current.get()


@contextmanager
def use(device: Device) -> Iterator[Device]:
    """Within it, what is built is on this device."""
    token = _current.set(device)
    try:
        yield device
    finally:
        _current.reset(token)


def chosen(name: str) -> Device:
    """The device of that name; for "auto" the GPU where it can be used, else the CPU.

    Raises:
        ValueError: there is no such device; the nearest is named.
        GPUNotAvailable: "gpu", and it cannot be used.
    """
    if name.lower().startswith(("cuda", "gpu:")):  # as other programs name it
        raise ArgumentError(
            f"unknown device {name!r}. Did you mean 'gpu'? Of several, the environment variable CUDA_VISIBLE_DEVICES "
            "picks one. Known: auto, cpu, gpu."
        )
    name = check_choice(name, [*known_names(), "auto"], "device")
    if name != "auto":
        return named(name)
    try:
        return named("gpu")
    except GPUNotAvailable:
        return CPU


@checked
def device(device_name: str) -> AbstractContextManager[Device]:
    """Within `with sn.device("gpu"):`, networks that are built have their weights there.

    A network is built where it is made with an input_shape, or at its first input: `fit`, `predict` and `evaluate`
    bring examples to where it is, and `forward` and `backward` do so within the context. A model that is loaded within
    it is there, too. Outside of all contexts, weights are where the first input is: on the CPU, for NumPy's arrays.

    Args:
        device_name: "cpu"; "gpu"; or "auto", the GPU where it can be used, else the CPU. What was chosen is said by
            `with sn.device("auto") as chosen: print(chosen.name)`.

    Raises:
        ValueError: there is no such device.
        GPUNotAvailable: "gpu", and it cannot be used: the message says what is missing, and how to get it.

    Source: https://keras.io/api/utils/config_utils/, `keras.device`.
    """
    return use(chosen(device_name))
