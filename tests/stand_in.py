"""A device that stands in for a GPU: arrays as strict as CuPy's (`strict_array.py`), and kernels that are counted.

Code that forgets the device fails here as it would fail on a GPU. Its kernels are those of the CPU, so results must be
the CPU's to the last bit.

    with stand_in.registered():
        y = layer.forward(stand_in.put(x))
    assert stand_in.reached["conv2d"] == 1
"""

from collections import Counter
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
from strict_array import Array

from scratchnet import devices
from scratchnet.kernels import cpu

NAME = "stand_in"
reached: Counter[str] = Counter()  # how often each kernel was called


def put(x, dtype=None):
    """An array on the device; of what is not there yet a copy, as on a GPU."""
    if isinstance(x, Array):
        return x if dtype in (None, x.dtype) else x.astype(dtype)
    return Array(np.array(x, dtype))


module = SimpleNamespace(**Array.functions(), asarray=put)

# Their tables (which examples, how far, how turned) are small and mostly come from the host; see kernels/interface.
TAKE_TABLES = ("augment", "gather", "translate")


def _kernel(name):
    function = Array.on_data(getattr(cpu, name))

    def kernel(*args, **kwargs):
        reached[name] += 1
        if name in TAKE_TABLES:
            args = (args[0], *(put(table) if isinstance(table, np.ndarray) else table for table in args[1:]))
        return function(*args, **kwargs)

    return kernel


kernels = SimpleNamespace(**{name: _kernel(name) for name in cpu.__all__})


@contextmanager
def registered(name=NAME, free_memory=None):
    """Within it the device is known to the package, by this name, and `reached` counts from nothing."""
    reached.clear()
    devices.register(devices.Device(name, Array, module, lambda: kernels, Array.get, None, free_memory))
    try:
        yield
    finally:
        devices.unregister(name)
