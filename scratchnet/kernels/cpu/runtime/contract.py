"""Which NumPy arrays the CPU's kernels take, and `takes`, the contract that is written above each of them.

See `scratchnet.kernels.contract` for the language of the contract.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet.kernels.contract import Arrays, takes_for

_PLAIN = 0x100 | 0x400  # NumPy's flags of an array that is aligned and writeable


class _Readable:
    """The numbers of a read-only array for a kernel, which does not write to them.

    Numba would compile every kernel once more for it: a read-only array is a type of its own.
    """

    def __init__(self, array: np.ndarray):
        self.array = array
        self.__array_interface__ = {**array.__array_interface__, "data": (array.ctypes.data, False)}


def is_array(value: Any) -> bool:
    """Whether this is a NumPy array without a mask, of which kernels would know nothing."""
    return isinstance(value, np.ndarray) and not isinstance(value, np.ma.MaskedArray)


def _is_plain(array: np.ndarray) -> bool:
    return type(array) is np.ndarray and array.flags.num & _PLAIN == _PLAIN


def _plain(array: np.ndarray) -> np.ndarray:
    """The array, or one with its numbers, in the way that kernels are compiled for."""
    if not array.flags.aligned:
        return np.array(array, order="C")
    array = np.asarray(array)  # such as a memory map: what it is mapped from does not matter here
    return array if array.flags.writeable else np.asarray(_Readable(array))


def _fault(array: np.ndarray) -> str | None:
    flags = array.flags
    if flags.c_contiguous and flags.writeable and flags.aligned:
        return None
    return (
        f"contiguous, aligned and writeable, got strides {array.strides} for shape {array.shape}, aligned: "
        f"{flags.aligned}, writeable: {flags.writeable}"
    )


takes = takes_for(Arrays("NumPy", ("flags.num",), is_array, _is_plain, _plain, _fault))
