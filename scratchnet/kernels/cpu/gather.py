"""Examples taken by index, cast and normalized in one pass: how a batch leaves a data set of bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import prange

from scratchnet.arguments import check_index
from scratchnet.kernels.checks import check_float
from scratchnet.kernels.cpu.runtime.contract import takes
from scratchnet.kernels.cpu.runtime.jit import in_order, parallel, serial
from scratchnet.kernels.cpu.runtime.memory import empty

COMPILED = tuple(map(np.dtype, ("uint8", "float32", "float64")))  # dtypes of x that there are kernels for


@parallel
def _gather(x, index, y):
    for n in prange(len(index)):
        source, out = x[index[n]], y[n]
        for e in range(len(out)):
            out[e] = source[e]


@in_order
def _add_rows(dy, order, begin, index, total, dx):
    """Row index[n] of dx gets dy[n]. order[begin[k] : begin[k + 1]] are the numbers n of one row, ascending."""
    for k in prange(len(begin) - 1):
        sums, out = total[k], dx[index[order[begin[k]]]]
        for d in range(len(out)):
            sums[d] = 0
        for place in range(begin[k], begin[k + 1]):
            part = dy[order[place]]
            for d in range(len(out)):
                sums[d] += part[d]
        for d in range(len(out)):
            out[d] += sums[d]


@serial
def normalize(row, scale, offset):
    """row = row * scale + offset, in place."""
    for e in range(len(row)):
        row[e] = row[e] * scale[e] + offset[e]


@parallel
def _gather_normalized(x, index, scale, offset, y):
    for n in prange(len(index)):
        for i in range(y.shape[1]):
            source, out = x[index[n], i], y[n, i]
            for e in range(len(out)):
                out[e] = source[e]
            normalize(out, scale, offset)


def per_element(values: Any, name: str, channels: int, repeats: int, dtype: np.dtype) -> np.ndarray:
    """A number for all channels, or one for each, said again for every pixel of a row: loops over it run in vectors.

    Raises:
        ValueError: as many numbers as there are neither channels nor one.
    """
    values = np.asarray(values, dtype)
    if values.ndim > 1 or values.size not in (1, channels):
        raise ValueError(
            f"expected {name} to be one number or one for each of the {channels} channels, got {values.tolist()}."
        )
    return np.tile(np.broadcast_to(values, channels), repeats)


def gather(x: np.ndarray, index: np.ndarray, dtype: Any, scale: Any = None, offset: Any = None) -> np.ndarray:
    """y[n] = x[index[n]], cast to dtype; with a scale or an offset, y[n] = x[index[n]] * scale + offset.

    Args:
        x: (M, ...), all examples, in memory or mapped from a file; uint8, float32 and float64 in C order are taken by
            a kernel, anything else by NumPy. Without scale and offset the bits are those of x[index].astype(dtype).
        index: (N,), the numbers of the examples, from 0 to M - 1, in any order, any of them more than once.
        dtype: float32 or float64.
        scale, offset: a number, or one for each channel (the last axis); None for 1 and 0.

    Raises:
        ValueError: index is not along one axis; a number of scales or offsets that does not fit.
        IndexError: an index out of range.
    """
    x, dtype, index = np.asarray(x), check_float(dtype, "gather"), check_index(index, len(x))
    if x.dtype not in COMPILED or not x.flags.c_contiguous or x.size == 0 or not len(index):
        x, index = np.ascontiguousarray(x[index].astype(dtype, copy=False)), np.arange(len(index))
        if (scale is None and offset is None) or x.size == 0:
            return x
    y = empty((len(index), *x.shape[1:]), dtype)
    if scale is None and offset is None:
        _gather(x.reshape(len(x), -1), index, y.reshape(len(y), -1))
        return y
    channels = x.shape[-1] if x.ndim > 1 else 1
    width = x.shape[-2] if x.ndim > 2 else 1
    scale, offset = (
        per_element(default if values is None else values, name, channels, width, dtype)
        for name, values, default in (("scale", scale, 1), ("offset", offset, 0))
    )
    rows = (-1, channels * width)
    _gather_normalized(x.reshape(len(x), *rows), index, scale, offset, y.reshape(len(y), *rows))
    return y


@takes(dy="N D", index="N, whole", dx="M D, added")
def gather_backward(dy: np.ndarray, index: np.ndarray, dx: np.ndarray) -> np.ndarray:
    """dx[index[n]] += dy[n] for all n; returns dx.

    Each row of dx is written by one thread, which adds up what comes to it in the order of n, in float64.

    Raises:
        IndexError: an index out of range; then dx is as it was.
    """
    index = check_index(index, len(dx))
    order = np.argsort(index, kind="stable")
    sorted_index = index[order]
    begin = np.flatnonzero(np.concatenate([[True], sorted_index[1:] != sorted_index[:-1], [True]]))
    if len(index):
        total = empty((len(begin) - 1, dx.shape[1]), np.float64)
        _add_rows(np.ascontiguousarray(dy), order, begin, index, total, dx)
    return dx
