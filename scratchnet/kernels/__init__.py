"""The same functions once for each device. The array's type picks which: `kernels.of(x).conv2d(x, w, b, ...)`."""

from __future__ import annotations

from types import ModuleType

import numpy as np

from scratchnet.kernels import cpu


def of(array: np.ndarray) -> ModuleType:
    """The kernels for the device that an array is on.

    Raises:
        TypeError: not an array that there are kernels for.
    """
    if isinstance(array, np.ndarray):
        return cpu
    raise TypeError(f"expected a NumPy array, got {type(array).__name__}. Convert it first: np.asarray(x).")
