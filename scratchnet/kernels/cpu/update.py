"""The optimizers' updates, in place, all weights of a network in one pass: p weights, g gradients, the rest is memory.

The formulas are Keras 3's, epsilon and all. Numbers such as 1 - beta_2 are worked out in float64 and rounded once:
1 - 0.999 taken in float32 would be wrong in its fifth digit.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Sequence
from typing import Any, NamedTuple, NoReturn

import numpy as np
from numba import carray, prange, types
from numba.extending import intrinsic

from scratchnet.kernels.checks import check_float
from scratchnet.kernels.cpu.runtime.contract import is_array
from scratchnet.kernels.cpu.runtime.jit import BLOCK, in_order, serial


@intrinsic
def _pointer(typing, address):
    """An address as a pointer."""

    def codegen(context, builder, signature, args):
        return builder.inttoptr(args[0], context.get_value_type(signature.return_type))

    return types.voidptr(address), codegen


@serial
def _block(table, block, k, like):
    """A block of the k-th array of some row of the table: blocks are counted through all rows."""
    row = 0
    while block >= table[row, 1]:
        block -= table[row, 1]
        row += 1
    array = carray(_pointer(table[row, 2 + k]), (table[row, 0],), like.dtype)
    return array[block * BLOCK : (block + 1) * BLOCK]


@in_order
def _sgd(table, blocks, numbers, nesterov):
    for block in prange(blocks):
        lr, momentum = numbers[0], numbers[1]
        w, d, a = _block(table, block, 0, numbers), _block(table, block, 1, numbers), _block(table, block, 2, numbers)
        for e in range(len(w)):
            a[e] = momentum * a[e] - lr * d[e]
            w[e] += momentum * a[e] - lr * d[e] if nesterov else a[e]


@in_order
def _rmsprop(table, blocks, numbers, centered):
    for block in prange(blocks):
        lr, rho, new, momentum, epsilon = numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]
        w, d = _block(table, block, 0, numbers), _block(table, block, 1, numbers)
        square, mean = _block(table, block, 2, numbers), _block(table, block, 3, numbers)
        move = _block(table, block, 4, numbers)
        for e in range(len(w)):
            square[e] = rho * square[e] + new * d[e] * d[e]
            under = square[e]
            if centered:
                mean[e] = rho * mean[e] + new * d[e]
                under -= mean[e] * mean[e]
            move[e] = momentum * move[e] + lr * d[e] / math.sqrt(under + epsilon)
            w[e] -= move[e]


@in_order
def _adam(table, blocks, numbers):
    for block in prange(blocks):
        rate, new_1, new_2, epsilon, decay = numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]
        w, d = _block(table, block, 0, numbers), _block(table, block, 1, numbers)
        mean, square = _block(table, block, 2, numbers), _block(table, block, 3, numbers)
        for e in range(len(w)):
            w[e] -= decay * w[e]
            mean[e] += (d[e] - mean[e]) * new_1
            square[e] += (d[e] * d[e] - square[e]) * new_2
            w[e] -= rate * mean[e] / (math.sqrt(square[e]) + epsilon)


@in_order
def _average(table, blocks, numbers):
    for block in prange(blocks):
        average, w = _block(table, block, 0, numbers), _block(table, block, 1, numbers)
        for e in range(len(w)):
            average[e] += (w[e] - average[e]) * numbers[0]


class _Table(NamedTuple):
    """A row for each weight: its size, its number of blocks, the addresses of its arrays; and the blocks of all."""

    rows: np.ndarray
    blocks: int
    dtype: np.dtype


_tables: dict[tuple[Any, ...], tuple[list[weakref.ref], _Table]] = {}
_MOST_TABLES = 16


def _table(weights: Sequence[tuple[np.ndarray, ...]], caller: str, count: int, read: int) -> _Table:
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


def _make_table(weights: Sequence[tuple[np.ndarray, ...]], caller: str, count: int, read: int) -> _Table:
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
    return _Table(np.array(rows, np.int64), sum(row[1] for row in rows), np.dtype(dtype))


def sgd(weights: Sequence[tuple[np.ndarray, ...]], lr: float, momentum: float, nesterov: bool) -> None:
    """For each (p, g, m): m = momentum * m - lr * g; p += m, or with Nesterov p += momentum * m - lr * g."""
    table = _table(weights, "sgd", 3, read=1)
    _sgd(table.rows, table.blocks, np.array([lr, momentum], table.dtype), nesterov)


def rmsprop(
    weights: Sequence[tuple[np.ndarray, ...]],
    lr: float,
    rho: float,
    momentum: float,
    epsilon: float,
    centered: bool,
) -> None:
    """For each (p, g, v, average, m):

    v = rho * v + (1-rho) * g^2; m = momentum * m + lr * g / sqrt(v - average^2 + epsilon); p -= m.

    average is the running mean of g; it counts as 0 unless centered. Source: Hinton, lecture 6e.
    """
    table = _table(weights, "rmsprop", 5, read=1)
    _rmsprop(table.rows, table.blocks, np.array([lr, rho, 1 - rho, momentum, epsilon], table.dtype), centered)


def adam(
    weights: Sequence[tuple[np.ndarray, ...]],
    lr: float,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    t: int,
    weight_decay: float = 0.0,
) -> None:
    """For each (p, g, m, v):

    m += (1-beta_1) * (g - m); v += (1-beta_2) * (g^2 - v); p -= lr * c * m / (sqrt(v) + epsilon).

    c = sqrt(1 - beta_2^t) / (1 - beta_1^t) makes up for m and v having started at 0; t counts the steps from 1.
    With a weight decay, p -= lr * weight_decay * p first (AdamW). Source: Kingma and Ba, arXiv 1412.6980; Loshchilov
    and Hutter, arXiv 1711.05101.
    """
    # Keras rounds the betas to float32 here. The difference is 7e-6 of the rate, but ReLU and max-pooling turn it into
    # 1e-3 of the loss within twenty steps, and the same start is to give the same numbers.
    rate = lr * math.sqrt(1 - float(np.float32(beta_2)) ** t) / (1 - float(np.float32(beta_1)) ** t)
    table = _table(weights, "adam", 4, read=1)
    numbers = np.array([rate, 1 - beta_1, 1 - beta_2, epsilon, lr * weight_decay], table.dtype)
    _adam(table.rows, table.blocks, numbers)


def moving_average(weights: Sequence[tuple[np.ndarray, ...]], momentum: float) -> None:
    """For each (average, p): average += (1 - momentum) * (p - average)."""
    table = _table(weights, "moving_average", 2, read=1)
    _average(table.rows, table.blocks, np.array([1 - momentum], table.dtype))
