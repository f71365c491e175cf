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
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar

from scratchnet.annotations import checked
from scratchnet.arguments import ArgumentError, check_choice
from scratchnet.devices import Device, known_names, named
from scratchnet.kernels import CPU
from scratchnet.kernels.gpu_probe import GPUNotAvailable

PRECISIONS = ("float32", "tf32", "3xtf32")

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


@contextmanager
def _use(device: Device, precision: str) -> Iterator[Device]:
    """`use`, with the products in a precision, where the device has several."""
    with use(device), nullcontext() if device.precision is None else device.precision(precision):
        yield device


@checked
def device(device_name: str, *, precision: str = "float32") -> AbstractContextManager[Device]:
    """Within `with sn.device("gpu"):`, networks that are built have their weights there.

    A network is built where it is made with an input_shape, or at its first input: `fit`, `predict` and `evaluate`
    bring examples to where it is, and `forward` and `backward` do so within the context. A model that is loaded within
    it is there, too. Outside of all contexts, weights are where the first input is: on the CPU, for NumPy's arrays.

    Args:
        device_name: "cpu"; "gpu"; or "auto", the GPU where it can be used, else the CPU. What was chosen is said by
            `with sn.device("auto") as chosen: print(chosen.name)`.
        precision: how what runs within the context computes the products of convolutions and dense layers of float32
            numbers. "float32"; on the GPU also "tf32", on its tensor cores, which read 11 bits of each factor (three
            digits), and "3xtf32", there too, with three products for one and float32's digits. The CPU has "float32"
            only, and "auto" takes that where it chooses the CPU.

    Raises:
        ValueError: there is no such device, or no such precision on it.
        GPUNotAvailable: "gpu", and it cannot be used: the message says what is missing, and how to get it.

    Source: https://keras.io/api/utils/config_utils/, `keras.device`.
    """
    there = chosen(device_name)
    check_choice(precision, PRECISIONS, "precision")
    if device_name == "cpu" and precision != "float32":
        raise ArgumentError(f"device: expected precision 'float32' on the CPU, got {precision!r}. The GPU has others.")
    return _use(there, precision)
