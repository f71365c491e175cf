"""Arrays of the device that is played on the CPU: as strict as CuPy's, and watched.

The bytes of an array lie between two canaries, 0xff bytes that nobody may change: a kernel that writes a little beyond
an array's ends is found out when its launch is over. A fresh array is full of 0xff too: floats are NaN, integers -1, so
what a kernel should have written and did not shows. Under AddressSanitizer the canaries may not even be read.
"""

import ctypes
import os
import weakref
from contextlib import contextmanager

import numpy as np
from strict_array import Array

from cuda_on_cpu.compiler import SANITIZED
from cuda_on_cpu.streams import refuse_in_capture, submit

CANARY = 256  # bytes on either side
ALIGNMENT = 512  # of an array's first byte, as in CuPy's memory pool
FILL = 0xFF


class OutOfMemoryError(MemoryError):
    """cupy.cuda.memory.OutOfMemoryError."""

    def __init__(self, size, total, limit=0):
        super().__init__(
            f"Out of memory allocating {size:,} bytes (allocated so far: {total:,} bytes, "
            f"limit set to: {limit:,} bytes)."
        )


class Memory:
    """How much of the device's memory there is, and how much is taken."""

    def __init__(self, total):
        self.total = total
        self.used = 0

    def take(self, count):
        if self.used + count > self.total:
            raise OutOfMemoryError(count, self.used, self.total)
        self.used += count

    def give_back(self, count):
        self.used -= count


memory = Memory(8 << 30)


@contextmanager
def memory_limit(free):
    """Within it the device has so many bytes beside those that are taken now."""
    before = memory.total
    memory.total = memory.used + free
    try:
        yield
    finally:
        memory.total = before


class Buffer(np.ndarray):
    """Bytes with canaries. Views of it are plain NumPy arrays, whose `base` leads here."""

    first: int  # where the array begins
    count: int  # its bytes

    def check(self, what):
        """Raise a RuntimeError where a canary has changed."""
        _allow(self)
        raw = self.view(np.ndarray)
        before, after = raw[: self.first], raw[self.first + self.count :]
        for canary, side, places in (
            (before, "before the first byte", np.arange(self.first, 0, -1)),
            (after, "after the last byte", np.arange(1, len(after) + 1)),
        ):
            if canary.tobytes() != bytes([FILL]) * len(canary):
                nearest = places[canary != FILL].min()
                canary[:] = FILL  # the next launch is not to blame
                raise RuntimeError(f"{what}: written to outside of it, {nearest} bytes {side}")
        _forbid(self)


def _sanitizer(name):
    """AddressSanitizer's functions on ranges of memory; without it, they do nothing."""
    if not os.environ.get(SANITIZED):
        return lambda buffer: None
    function = ctypes.CDLL(None)[name]
    function.argtypes = (ctypes.c_void_p, ctypes.c_size_t)

    def call(buffer):
        end = buffer.first + buffer.count
        function(buffer.ctypes.data, buffer.first)
        function(buffer.ctypes.data + end, len(buffer) - end)

    return call


_forbid = _sanitizer("__asan_poison_memory_region")
_allow = _sanitizer("__asan_unpoison_memory_region")


def allocate(shape, dtype=float):
    """A NumPy array of the device's memory, C-contiguous."""
    refuse_in_capture("allocation")
    dtype = np.dtype(dtype)
    shape = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
    count = dtype.itemsize
    for size in shape:
        count *= int(size)
    memory.take(count)
    buffer = Buffer(2 * CANARY + ALIGNMENT + count, np.uint8)
    weakref.finalize(buffer, memory.give_back, count).atexit = False
    buffer.fill(FILL)
    buffer.first = CANARY + -(buffer.ctypes.data + CANARY) % ALIGNMENT
    buffer.count = count
    _forbid(buffer)
    return buffer.view(np.ndarray)[buffer.first : buffer.first + count].view(dtype).reshape(shape)


def buffer_of(data):
    """The buffer that a NumPy array is a view of, or None where it is not the device's."""
    while data is not None and not isinstance(data, Buffer):
        data = data.base if isinstance(data, np.ndarray) else None
    return data


def place(data):
    """A copy of a NumPy array in the device's memory; its axes keep their order there, as in CuPy."""
    axes = sorted(range(data.ndim), key=lambda axis: -abs(data.strides[axis]))
    there = allocate([data.shape[axis] for axis in axes], data.dtype).transpose(np.argsort(axes).astype(int))
    there[...] = data
    return there


class ndarray(Array):
    """cupy.ndarray. What NumPy's functions return goes to the device's memory, unless it is a view of what is there."""

    def __init__(self, data):
        super().__init__(data if buffer_of(data) is not None else place(data))

    @property
    def buffer(self):
        return buffer_of(self._data)

    @property
    def address(self):
        return self._data.ctypes.data

    @property
    def T(self):
        return self.transpose()

    def fill(self, value):
        self[...] = value

    def set(self, array):
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
    **{function.__name__: function for function in (asarray, asnumpy, empty, full, zeros, ones)},
}
