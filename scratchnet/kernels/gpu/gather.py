"""Examples taken by index on the GPU, cast and normalized in one pass; the kernel is in gather.cu."""

from __future__ import annotations

import functools
import math
from typing import Any

import cupy
import numpy as np

from scratchnet import replay
from scratchnet.kernels.checks import check_float
from scratchnet.kernels.gpu.runtime.contract import is_array, takes
from scratchnet.kernels.gpu.runtime.memory import empty
from scratchnet.kernels.gpu.runtime.source import Source
from scratchnet.kernels.gpu.runtime.transfer import as_index, bring, on_gpu

_source = Source(__file__)
# A data set's dtypes; example.cuh knows them by their places here. A bool is read as the byte it is.
TYPES = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float16", "float32", "float64")
_THREADS = 256
_MOST_BLOCKS = 65535  # along the second axis of a grid


def as_examples(x: Any, caller: str) -> tuple[Any, int]:
    """A data set for a kernel: contiguous, and its dtype's place in TYPES.

    Raises:
        TypeError: not an array on the GPU.
        ValueError: not of real numbers; examples too large for kernels, which count in 31 bits within one.
    """
    if not is_array(x):
        raise TypeError(f"{caller}: expected a CuPy array as x, got {type(x).__name__}.")
    name = "uint8" if x.dtype == np.bool_ else x.dtype.name
    if name not in TYPES:
        raise ValueError(f"{caller}: expected x of numbers, of dtype bool, {', '.join(TYPES)}, got {x.dtype}.")
    if math.prod(x.shape[1:]) >= 2**31:
        raise ValueError(f"{caller}: expected examples of less than 2**31 numbers, got shape {x.shape[1:]}.")
    return cupy.ascontiguousarray(x), TYPES.index(name)


def example_grid(count: int, size: int) -> tuple[tuple[int, int], tuple[int]]:
    """The grid and the block for `count` examples of `size` numbers or pixels each, as example.cuh has them."""
    threads = min(-(-size // 32) * 32, _THREADS)  # for small ones no more than a few warps
    return (count, min(-(-size // threads), _MOST_BLOCKS)), (threads,)


# The same at each step of a training run: they need not travel each time.
_constant = functools.lru_cache(maxsize=256)(lambda values, dtype: cupy.asarray(np.array(values, dtype)))


def per_channel(values: Any, name: str, channels: int, dtype: np.dtype) -> Any:
    """A number for all channels, or one for each, as one for each on the GPU; not to be written to.

    Raises:
        ValueError: as many numbers as there are neither channels nor one.
    """
    values = cupy.asnumpy(values).astype(dtype)
    if values.ndim > 1 or values.size not in (1, channels):
        raise ValueError(
            f"expected {name} to be one number or one for each of the {channels} channels, got {values.tolist()}."
        )
    values = np.broadcast_to(values, channels)
    return _constant(tuple(values.tolist()), dtype) if replay.recording() is None else bring(values)


def gather(x: Any, index: Any, dtype: Any, scale: Any = None, offset: Any = None) -> Any:
    """y[n] = x[index[n]], cast to dtype; with a scale or an offset, y[n] = x[index[n]] * scale + offset.

    Args:
        x: (M, ...), all examples, on the GPU; bool, whole numbers or floats of any width, in C order: of others a copy
            is made at each call. Without scale and offset the bits are those of x[index].astype(dtype).
        index: (N,), the numbers of the examples, from 0 to M - 1, in any order, any of them more than once; from NumPy
            or the GPU.
        dtype: float32 or float64.
        scale, offset: a number, or one for each channel (the last axis); None for 1 and 0.

    Raises:
        ValueError: index is not along one axis; a number of scales or offsets that does not fit.
        IndexError: an index out of range.
    """
    there, type_number = as_examples(x, "gather")
    dtype, index = check_float(dtype, "gather"), as_index(index, len(x))
    y = empty((len(index), *x.shape[1:]), dtype)
    if y.size == 0:
        return y
    channels, size = x.shape[-1] if x.ndim > 1 else 1, math.prod(x.shape[1:])
    normalized = scale is not None or offset is not None
    factors = (
        per_channel(default if values is None else values, name, channels, dtype)
        for name, values, default in (("scale", scale, 1), ("offset", offset, 0))
    )
    grid, block = example_grid(len(index), size)
    arguments = (there, type_number, on_gpu(index, np.int64), np.int64(len(x)), normalized, *factors, channels, y, size)
    _source.launch("gather", dtype, grid, block, *arguments)
    return y


@takes(dy="N D", dx="M D, added")
def gather_backward(dy: Any, index: Any, dx: Any) -> Any:
    """dx[index[n]] += dy[n] for all n; returns dx.

    Each row of dx is written by one thread a column, which adds up what comes to it in the order of n, in float64.

    Args:
        dy: (N, D).
        index: (N,), whole numbers from 0 to M - 1, from NumPy or the GPU.
        dx: (M, D), contiguous; ADDED to in place.

    Raises:
        IndexError: an index out of range; then dx is as it was.
    """
    (N, D), index = dy.shape, as_index(index, len(dx))
    if index.shape != (N,):
        raise ValueError(f"gather_backward: expected index of shape ({N},), to fit dy, got {index.shape}.")
    index = on_gpu(index, np.int64)
    following, first = empty((N,), np.int32), empty((N,), np.uint8)
    _source.each("next_equal", dy.dtype, N, index, N, following, first)
    _source.each("add_rows", dy.dtype, dy.size, dy, index, following, first, np.int64(len(dx)), D, dx)
    return dx
