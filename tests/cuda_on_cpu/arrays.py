"""Arrays of the device that is played on the CPU: strict_array.py's, in its memory (memory.py)."""

import operator
from typing import NamedTuple

import numpy as np
from strict_array import Array

from cuda_on_cpu.memory import allocate, buffer_of
from cuda_on_cpu.streams import capturing, refuse_in_capture, submit


class MemoryPointer(NamedTuple):
    """cupy.cuda.MemoryPointer: an array's `data`, for launch code that puts addresses into a table."""

    ptr: int


def place(data):
    """A copy of a NumPy array in the device's memory. As in CuPy axes keep their order, swapped bytes do not."""
    axes = sorted(range(data.ndim), key=lambda axis: -abs(data.strides[axis]))
    dtype = data.dtype.newbyteorder("=")
    there = allocate([data.shape[axis] for axis in axes], dtype).transpose(np.argsort(axes).astype(int))
    there[...] = data
    return there


class ndarray(Array):
    """cupy.ndarray. What NumPy's functions return goes to the device's memory, unless it is a view of what is there."""

    def __init__(self, data):
        super().__init__(data if buffer_of(data) is not None else place(data))

    @classmethod
    def _computed(cls, function):
        if not capturing():
            return super()._computed(function)
        with np.errstate(all="ignore"):
            value = function()  # of numbers that are not there yet, but it says what kind of array it is
        result = cls.wrap(value)
        if isinstance(result, cls) and buffer_of(value) is None:
            submit(lambda: operator.setitem(result._data, ..., function()), [result.buffer])
        return result

    @property
    def buffer(self):
        return buffer_of(self._data)

    @property
    def address(self):
        return self._data.ctypes.data

    @property
    def data(self):
        return MemoryPointer(self.address)

    @property
    def T(self):
        return self.transpose()

    def fill(self, value):
        self[...] = value

    def set(self, array, stream=None):
        """Take over the numbers of a NumPy array."""
        refuse_in_capture("copy to the device")
        if array.shape != self.shape or array.dtype != self.dtype:
            raise ValueError(f"expected {self.shape} of {self.dtype}, got {array.shape} of {array.dtype}")
        self._data[...] = array

    def item(self, *args):
        self._leaving()
        return self._data.item(*args)

    def _change(self, action):
        submit(action, [self.buffer])

    def _leaving(self):
        refuse_in_capture("copy to the CPU's memory")


def asarray(x, dtype=None):
    """cupy.asarray: a copy of what is not on the device yet."""
    if isinstance(x, ndarray):
        return x if dtype in (None, x.dtype) else x.astype(dtype)
    refuse_in_capture("copy to the device")
    return ndarray(place(np.asarray(x, dtype)))


def asnumpy(x):
    """cupy.asnumpy: a copy in the CPU's memory."""
    return x.get() if isinstance(x, ndarray) else np.asarray(x)


def empty(shape, dtype=float):
    """cupy.empty. Full of NaN bytes, since a GPU's memory holds what was there before."""
    return ndarray(allocate(shape, dtype))


def empty_like(x, dtype=None):
    """cupy.empty_like."""
    return empty(x.shape, x.dtype if dtype is None else dtype)


def full(shape, value, dtype=None):
    """cupy.full."""
    array = empty(shape, np.asarray(ndarray.unwrap(value)).dtype if dtype is None else dtype)
    array.fill(value)
    return array


def zeros(shape, dtype=float):
    """cupy.zeros."""
    return full(shape, 0, dtype)


def ones(shape, dtype=float):
    """cupy.ones."""
    return full(shape, 1, dtype)


FUNCTIONS = {
    **ndarray.functions(),
    **{function.__name__: function for function in (asarray, asnumpy, empty, empty_like, full, zeros, ones)},
}
