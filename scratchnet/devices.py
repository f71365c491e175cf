"""Where an array is: the array module of its device, and the ways onto a device and off it.

The type of an array picks the device: `kernels.of(x)` has the kernels, `array_module(x)` the array functions (NumPy's
names: zeros, stack, where, ...). So no layer, loss or optimizer asks for a device by name, and none calls `np.asarray`
on an array that may be on another one.

A device is known in one place: whoever has its kernels registers a `Device`. The CPU's (NumPy's arrays, NumPy, and
`kernels/cpu`) and the GPU's (CuPy's arrays, CuPy, and `kernels/gpu`) are registered in `kernels/__init__.py`; the GPU's
is loaded only when it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import numpy as np


class Device(NamedTuple):
    """A kind of arrays, and what there is for it.

    Attributes:
        name: "cpu", ...
        array_type: the type of its arrays.
        module: the functions on them, under NumPy's names.
        kernels: returns the module of its kernels, which holds to `kernels/interface`; asked when the first kernel is
            needed, so that what the kernels need is imported, or compiled, only then.
        to_numpy: an array of it as a NumPy array, in the CPU's memory.
        graph: makes a recording of steps that are then launched as one, see `scratchnet.replay`; None where the device
            has none.
        free_memory: bytes that are free there; None where arrays are in the CPU's memory.
        precision: precision(name) makes a context in which products are computed so; None where there is one way only.
    """

    name: str
    array_type: type
    module: Any
    kernels: Callable[[], Any]
    to_numpy: Callable[[Any], np.ndarray]
    graph: Callable[[], Any] | None = None
    free_memory: Callable[[], int] | None = None
    precision: Callable[[str], AbstractContextManager[None]] | None = None

    def __deepcopy__(self, memo: Any) -> Device:
        """Itself: the layers of a copied model are on the same device."""
        return self

    def __reduce__(self) -> Any:
        """A pickled layer names its device; modules cannot be pickled."""
        return named, (self.name,)


_devices: list[Device] = []
_later: dict[str, tuple[str, Callable[[], Device]]] = {}  # name: the package of its arrays, and what makes it known


def register(device: Device) -> None:
    """Make a device known; the last one of a name counts."""
    _devices[:] = [known for known in _devices if known.name != device.name] + [device]


def register_later(name: str, package: str, load: Callable[[], Device]) -> None:
    """Make a device known whose package is imported only when the device is asked for, or an array of it comes.

    Args:
        name: the device's.
        package: that its type of arrays comes from, "cupy".
        load: returns the device; raises where it cannot be used, with a message that says why.
    """
    _later[name] = package, load


def unregister(name: str) -> None:
    """Forget a device."""
    _devices[:] = [known for known in _devices if known.name != name]


def named(name: str) -> Device:
    """The device of that name.

    Raises:
        ValueError: there is none.
        GPUNotAvailable: "gpu" is asked for where there is none, with what is missing.
    """
    for device in _devices:
        if device.name == name:
            return device
    if name in _later:
        register(_later[name][1]())
        return named(name)
    raise ValueError(f"unknown device {name!r}. Known: {', '.join(known_names())}.")


def known_names() -> list[str]:
    """The names of all devices, also of those that may turn out not to be usable: ["cpu", "gpu"]."""
    return list(dict.fromkeys([*(device.name for device in _devices), *_later]))


def device_of(x: Any) -> Device | None:
    """The device that an array is on; None for what is no array: numbers, lists, and others that can become one."""
    for device in _devices:
        if isinstance(x, device.array_type):
            return device
    came_from = type(x).__module__.partition(".")[0]
    for name, (package, _) in _later.items():
        if came_from == package and hasattr(x, "dtype") and not any(device.name == name for device in _devices):
            named(name)
            return device_of(x)
    return None


def array_types() -> list[str]:
    """The types of arrays that there are devices for, by name, for messages: ["numpy.ndarray"]."""
    return [f"{device.array_type.__module__}.{device.array_type.__qualname__}" for device in _devices]


def array_module(x: Any) -> Any:
    """The array functions for x, under NumPy's names; NumPy itself for what is no array."""
    device = device_of(x)
    return np if device is None else device.module


def as_array(x: Any, dtype: Any = None) -> Any:
    """x where it is already an array, on whatever device; else a NumPy array of it. With a dtype, cast to it.

    Raises:
        ValueError, TypeError: what cannot become an array, in NumPy's words.
    """
    if device_of(x) is None:
        return np.asarray(x, dtype)
    return x if dtype is None or x.dtype == dtype else x.astype(dtype)


def to_numpy(x: Any) -> np.ndarray:
    """x in the CPU's memory, as a NumPy array; a NumPy array is returned as it is."""
    device = device_of(x)
    return np.asarray(x) if device is None else device.to_numpy(x)


def to_device(x: Any, device: str | Device) -> Any:
    """x, an array or what can become one, on this device; x itself where it is there already.

    Raises:
        ValueError: no device has that name.
        MemoryError: its memory does not hold the array.
    """
    device = named(device) if isinstance(device, str) else device
    if isinstance(x, device.array_type):
        return x
    here = to_numpy(x)
    try:
        return device.module.asarray(here)
    except MemoryError as error:
        free = "" if device.free_memory is None else f", free are {device.free_memory() / 1e6:,.1f} MB"
        raise MemoryError(f"out of memory on {device.name!r}: asked for {here.nbytes / 1e6:,.1f} MB{free}.") from error


def fresh(y: np.ndarray, *others: np.ndarray) -> np.ndarray:
    """y, or a copy of it where it shares memory with one of the others."""
    xp = array_module(y)
    return y.copy() if any(xp.may_share_memory(y, other) for other in others) else y


def like(x: Any, other: Any) -> Any:
    """x, an array or what can become one, on the device of the array `other`."""
    device = device_of(other)
    return as_array(x) if device is None else to_device(x, device)


def check_same_device(x: Any, other: Any, what: str, whose: str) -> None:
    """Raise a TypeError unless two arrays are on one device: no array is moved from one to another unasked.

    Args:
        x, other: the arrays.
        what: what x is, as the error begins, such as "Dense 'dense': x".
        whose: what `other` is, such as "the weights".
    """
    if type(x) is type(other):
        return
    came, expected = device_of(x), device_of(other)
    if came is not expected:
        names = [type(array).__name__ if at is None else at.name for array, at in ((x, came), (other, expected))]
        raise TypeError(
            f"{what} is on {names[0]!r}, expected it on {names[1]!r}, where {whose} are. Bring it there: "
            f"scratchnet.devices.to_device(x, {names[1]!r})."
        )
