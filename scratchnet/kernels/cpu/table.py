"""All weights of a network as one table of addresses, that an update goes through in one pass."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple, NoReturn

import numpy as np
from numba import carray, types
from numba.extending import intrinsic

from scratchnet.kernels.checks import check_float
from scratchnet.kernels.cpu.runtime.contract import is_array
from scratchnet.kernels.cpu.runtime.jit import BLOCK, serial


@intrinsic
def _pointer(typing, address):
    """An address as a pointer."""

    def codegen(context, builder, signature, args):
        return builder.inttoptr(args[0], context.get_value_type(signature.return_type))

    return types.voidptr(address), codegen


@partial(serial, makes_arrays=True)
def part(table, block, k, like):
    """A block of the k-th array of some row of the table: blocks are counted through all rows."""
    row = 0
    while block >= table[row, 1]:
        block -= table[row, 1]
        row += 1
    array = carray(_pointer(table[row, 2 + k]), (table[row, 0],), like.dtype)
    return array[block * BLOCK : (block + 1) * BLOCK]


class Table(NamedTuple):
    """A row for each weight: its size, its number of blocks, the addresses of its arrays; and the blocks of all."""

    rows: np.ndarray
    blocks: int
    dtype: np.dtype


_tables: dict[tuple[Any, ...], tuple[list[weakref.ref], Table]] = {}
_MOST_TABLES = 16


def table_of(weights: Sequence[tuple[np.ndarray, ...]], caller: str, count: int, read: int) -> Table:
    """The table for these rows of `count` arrays each, of which the update only reads that of number `read`.

    A training run asks for the same arrays at each step, and to ask them takes as long as to update a small network:
    the last tables are kept.

    Raises:
        ValueError: an array cannot be written to, or is of another shape or dtype: the update would go astray.
    """
    arrays = [array for row in weights for array in row]
    key = (count, read, tuple(map(len, weights)), *map(id, arrays))
    references, table = _tables.get(key, ([], None))
    # An array that is gone leaves its id to another: the same ids are not yet the same arrays. While there is a
    # reference to it, NumPy does not let an array be resized in place.
    if table is None or any(reference() is not array for reference, array in zip(references, arrays)):
        table = _make_table(weights, caller, count, read)
        while len(_tables) >= _MOST_TABLES:
            _tables.pop(next(iter(_tables)), None)
        _tables[key] = [weakref.ref(array) for array in arrays], table
    for row in weights:
        if not row[0].flags.writeable:  # from one step to the next this can change
            _refuse_read_only(row[0], caller)
    return table


def _refuse_read_only(array: np.ndarray, caller: str) -> NoReturn:
    raise ValueError(
        f"{caller}: expected arrays to update in place, got a read-only one of shape {array.shape}, such as a memory "
        "map that was opened for reading. Make a copy, np.array(a), and keep it."
    )


def _make_table(weights: Sequence[tuple[np.ndarray, ...]], caller: str, count: int, read: int) -> Table:
    rows: list[tuple[int, ...]] = []
    if not weights or not weights[0]:
        raise ValueError(f"{caller}: expected rows of {count} arrays, got none.")
    dtype = getattr(weights[0][0], "dtype", None)
    check_float(dtype, caller)
    for arrays in weights:
        if len(arrays) != count or not all(map(is_array, arrays)):
            raise ValueError(f"{caller}: expected rows of {count} arrays, got {[type(a).__name__ for a in arrays]}.")
        for k, array in enumerate(arrays):
            if not (array.flags.c_contiguous and array.flags.aligned):
                raise ValueError(
                    f"{caller}: expected contiguous arrays to update in place, got one of shape {array.shape} with "
                    f"strides {array.strides}. Make a copy, np.ascontiguousarray(a), and keep it."
                )
            if array.shape != arrays[0].shape or array.dtype != dtype:
                raise ValueError(
                    f"{caller}: expected arrays of shape {arrays[0].shape} and dtype {dtype}, got {array.shape}, "
                    f"{array.dtype}."
                )
            if k != read and not array.flags.writeable:
                _refuse_read_only(array, caller)
        size = arrays[0].size
        rows.append((size, -(-size // BLOCK), *(array.__array_interface__["data"][0] for array in arrays)))
    return Table(np.array(rows, np.int64), sum(row[1] for row in rows), np.dtype(dtype))
