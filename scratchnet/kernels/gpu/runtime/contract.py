"""Which CuPy arrays the GPU's kernels take, and `takes`, the contract that is written above each of them.

See `scratchnet.kernels.contract` for the language of the contract. A kernel gets contiguous arrays: of others a
contiguous copy is made.
"""

from __future__ import annotations

from typing import Any

import cupy

from scratchnet.kernels.contract import Arrays, takes_for


def is_array(value: Any) -> bool:
    """Whether this is an array on the GPU."""
    return isinstance(value, cupy.ndarray)


def _is_plain(array: Any) -> bool:
    return array.flags.c_contiguous


def _fault(array: Any) -> str | None:
    if array.flags.c_contiguous:
        return None
    return f"contiguous, got strides {array.strides} for shape {array.shape}"


takes = takes_for(Arrays("CuPy", ("flags.c_contiguous",), is_array, _is_plain, cupy.ascontiguousarray, _fault))
