"""The contract of all devices: every kernel's arguments, shapes and formula. Each device's module of kernels keeps it.

`kernels/cpu` has these functions in Numba, another device has them under the same names. A test holds each module to
the names, order and defaults written here (`tests/test_kernel_interface.py`), and the kernels' own tests to the
formulas. In signatures, np.ndarray stands for the device's own type of arrays.

For all kernels, unless their docstring says otherwise:

- Functions of arrays, without state. The result is a fresh array, C-contiguous, of the dtype that came: float32 or
  float64, the same for all arrays of a call. Arguments are never changed, but for those of which it says ADDED to.
- Arrays may have any strides.
- NaN in, NaN out. The same call gives the same bits, whatever the number of threads.
- No kernel reads or writes outside of an array. Arguments whose shapes or dtypes do not fit each other, and arrays to
  be ADDED to that are not contiguous or not writeable, are a ValueError, before anything is changed.
- Where a sum runs over the batch or over a picture, no more than some thousand numbers are added one after the other in
  float32; what has more is cut into parts. Adding up far more, float32 loses its digits, and at last it sticks: 2**24
  and 1 is 2**24.

Arguments come in one order, here and in `scratchnet.reference`:

- A forward takes its arrays (x, w, b), then sizes and settings, then what is fused into it (relu).
- `..._backward` takes dy, then of the forward's arrays those that the formula needs, in the forward's order, then what
  the forward returned (argmax; mean, var; y), then the same sizes and settings, then what is fused.
- `..._input_grad` and `..._weight_grad` take the forward's arrays, with dy in the place of the one whose gradient they
  return: from conv2d(x, w, ...) follow conv2d_input_grad(dy, w, ...) and conv2d_weight_grad(x, dy, ...).
- Arrays that are ADDED to come last (dw, db).
"""

from __future__ import annotations

from typing import Protocol

from scratchnet.kernels.interface.activation import Activation, Loss
from scratchnet.kernels.interface.convolution import Convolution, Dense, Depthwise, Grouped
from scratchnet.kernels.interface.data import FILL_MODES, Data
from scratchnet.kernels.interface.linear_units import LinearUnits
from scratchnet.kernels.interface.norm import Norm
from scratchnet.kernels.interface.pooling import Pooling
from scratchnet.kernels.interface.update import Update

__all__ = ["FILL_MODES", "Kernels"]


class Kernels(
    Convolution, Depthwise, Grouped, Dense, Activation, LinearUnits, Pooling, Norm, Loss, Update, Data, Protocol
):
    """All kernels of a device."""
