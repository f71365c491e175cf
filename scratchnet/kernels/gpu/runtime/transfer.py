"""Small arrays and numbers on their way to the GPU, in a step that is recorded as a graph, too.

A graph is replayed with the arguments that its kernels had when it was recorded. What changes from step to step, such
as a rate or the number of the step, can be no such argument: the kernel is given an address, and reads what lies there
at that moment. See `scratchnet.replay`, whose fresh numbers come as arrays on the GPU.
"""

from __future__ import annotations

import functools
import itertools
import weakref
from typing import Any

import cupy
import numpy as np

from scratchnet import replay
from scratchnet.arguments import check_index
from scratchnet.kernels.gpu.runtime.contract import is_array
from scratchnet.kernels.gpu.runtime.memory import zeros

# What recordings read beside their own arrays.
_kept: weakref.WeakKeyDictionary[Any, list[Any]] = weakref.WeakKeyDictionary()


def bring(array: np.ndarray) -> Any:
    """An array of the host's on the GPU. In a recording there is no copying: it becomes one of the graph's inputs."""
    return cupy.asarray(replay.fresh(lambda: np.asarray(array, order="C")))


def on_gpu(value: Any, dtype: Any) -> Any:
    """An array or a number, of either side, as a contiguous array of this dtype on the GPU."""
    if is_array(value):
        return cupy.ascontiguousarray(value.astype(dtype, copy=False))
    return bring(np.asarray(value, dtype))


def together(*arrays: Any) -> list[Any]:
    """Arrays of int64 or float64 on the GPU; where all are the host's, by one copy instead of one for each."""
    if any(map(is_array, arrays)):
        return [on_gpu(array, array.dtype) for array in arrays]
    flat = bring(np.concatenate([np.ascontiguousarray(array).reshape(-1).view(np.uint8) for array in arrays]))
    ends = itertools.accumulate(array.nbytes for array in arrays)
    return [flat[end - a.nbytes : end].view(a.dtype).reshape(a.shape) for a, end in zip(arrays, ends)]


def keep(array: Any) -> Any:
    """The array, which lives at least as long as the recording that it is used in: a graph has only its address."""
    active = replay.recording()
    if active is not None:
        _kept.setdefault(active, []).append(array)
    return array


_zero = functools.cache(lambda dtype: zeros((), dtype))


def zero(dtype: Any) -> Any:
    """A zero on the GPU, not to be written to."""
    return _zero(dtype) if replay.recording() is None else bring(np.zeros((), dtype))


def on_host(value: Any) -> Any:
    """A table as a NumPy array, whose numbers can be checked; in a recording one on the GPU stays there, unchecked."""
    return value if is_array(value) and replay.unchecked() else cupy.asnumpy(value)


def as_index(index: Any, count: int) -> Any:
    """The numbers of examples, each from 0 to count - 1, as int64; see `on_host`.

    Raises:
        ValueError, IndexError: see `check_index`.
    """
    index = on_host(index)
    return index if is_array(index) else check_index(index, count)
