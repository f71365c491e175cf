"""Sums over the batch, and views of arrays: what several kernels share.

A sum over the batch is cut into parts by rows. The number of parts follows from the number of rows alone, and the
parts are added in order: the same bits for any number of threads. Short partial sums also round less in float32,
where a sum that is long enough sticks: 2**24 and 1 is 2**24.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from scratchnet.kernels.cpu.runtime.contract import takes
from scratchnet.kernels.cpu.runtime.jit import BLOCK, parallel
from scratchnet.kernels.cpu.runtime.memory import empty

LONGEST_SUM = 8192  # numbers that are added one after the other in float32, and not many more: see kernels/interface
_PARTS = 64
_MOST_ROWS = LONGEST_SUM // 2  # of a part; short sums of a batch have fewer by far


def as_flat(array: np.ndarray) -> np.ndarray:
    """The elements in row-major order as one axis; a copy only where they do not lie so."""
    return np.ascontiguousarray(array).reshape(-1)


def as_rows(array: np.ndarray) -> np.ndarray:
    """As a matrix whose rows run along the last axis; a copy only where they do not lie so."""
    return np.ascontiguousarray(array).reshape(-1, array.shape[-1])


def parts_for(rows: np.ndarray) -> np.ndarray:
    """An array for the partial sums over the rows of a matrix."""
    return empty((max(min(_PARTS, len(rows)), -(-len(rows) // _MOST_ROWS)), rows.shape[1]), rows.dtype)


@parallel
def _column_sums(x, partial):
    parts, C = partial.shape
    R = len(x)
    for p in prange(parts):
        for c in range(C):
            partial[p, c] = 0
        for r in range(p * R // parts, (p + 1) * R // parts):
            for c in range(C):
                partial[p, c] += x[r, c]


@parallel
def _add_parts(partial, total):
    parts, rows, _ = partial.shape
    for r in prange(rows):
        out = total[r]
        for p in range(parts):
            part = partial[p, r]
            for e in range(len(out)):
                out[e] += part[e]


def add_parts(partial: np.ndarray, total: np.ndarray) -> None:
    """Add to total (rows, columns) the parts (parts, rows, columns or more), one after the other."""
    _add_parts(partial, total)


def sum_of(partial: np.ndarray) -> np.ndarray:
    """The sum of parts (parts, columns), one after the other; in float64 where they are many."""
    total = np.zeros((1, partial.shape[1]), partial.dtype if len(partial) <= _PARTS else np.float64)
    add_parts(partial[:, None], total)
    return total[0].astype(partial.dtype, copy=False)


def column_sums(x: np.ndarray) -> np.ndarray:
    """The sum over all axes but the last."""
    rows = as_rows(x)
    partial = parts_for(rows)
    _column_sums(rows, partial)
    return sum_of(partial)


@parallel
def _square_sums(x, sums):
    for block in prange(len(sums)):
        part = x[block * BLOCK : (block + 1) * BLOCK]
        total = 0.0
        for e in range(len(part)):
            total += np.float64(part[e]) * part[e]
        sums[block] = total


@takes(x="...")
def square_sum(x: np.ndarray) -> float:
    """The sum of the squares of all elements, in float64."""
    sums = np.empty(-(-x.size // BLOCK))
    _square_sums(as_flat(x), sums)
    return float(sums.sum())
