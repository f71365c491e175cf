"""The memory of the device that is played on the CPU: how much there is, and a watch on each array's bytes.

The bytes of an array lie between two canaries, bytes that nobody may change: a kernel that writes a little beyond an
array's ends is found out when its launch is over. Under AddressSanitizer the canaries may not even be read. A fresh
array is full of 0xff bytes: floats are NaN, integers -1, so what a kernel should have written and did not shows.
"""

import ctypes
import itertools
import os
import threading
import weakref
from contextlib import contextmanager

import numpy as np

from cuda_on_cpu.compiler import SANITIZED
from cuda_on_cpu.streams import capturing, refuse_in_capture

CANARY = 16 << 10  # bytes on either side: some rows of a small array
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


device = Memory(8 << 30)


@contextmanager
def memory_limit(free):
    """Within it the device has so many bytes beside those that are taken now."""
    before = device.total
    device.total = device.used + free
    try:
        yield
    finally:
        device.total = before


class MemoryPool:
    """cupy.cuda.MemoryPool. It keeps all that is allocated from it: a graph may write there when no array is left."""

    def __init__(self):
        self.buffers = []

    def malloc(self, size):
        raise NotImplementedError("only to be handed to using_allocator")

    def free_bytes(self):
        """Bytes that it keeps and that no array uses; here it keeps none for later."""
        return 0


class _Here(threading.local):
    """What each of Python's threads has of its own."""

    def __init__(self):
        self.pools = [None]  # the last is that of allocations; None: memory is free again when its array is


_here = _Here()


@contextmanager
def using_allocator(malloc):
    """cupy.cuda.using_allocator, for the `malloc` of a pool."""
    _here.pools.append(malloc.__self__)
    try:
        yield
    finally:
        _here.pools.pop()


class Buffer(np.ndarray):
    """Bytes with canaries. Views of it are plain NumPy arrays, whose `base` leads here."""

    first: int  # where the array begins
    count: int  # its bytes
    pattern: bytes  # of the canaries

    def canaries(self):
        """For each the offset of its first byte from the array's, the bytes, and what they should be."""
        raw, end = self.view(np.ndarray), self.first + self.count
        for begin, canary in ((-self.first, raw[: self.first]), (self.count, raw[end:])):
            yield begin, canary, (self.pattern * (len(canary) // len(self.pattern) + 1))[: len(canary)]

    def protect(self):
        """Fill the canaries."""
        for _, canary, expected in self.canaries():
            canary[:] = np.frombuffer(expected, np.uint8)
        _forbid(self)

    def damage(self):
        """What has been written to outside of the array, or None. It is told once."""
        _allow(self)
        for begin, canary, expected in self.canaries():
            if canary.tobytes() != expected:
                changed = begin + np.flatnonzero(canary != np.frombuffer(expected, np.uint8))
                self.protect()
                return f"byte {changed[np.abs(changed).argmin()]}, where the array has {self.count}"
        _forbid(self)
        return None


def _pattern(number):
    """Two large float32 numbers, or a float64, then two NaN, or one; other ones in each buffer.

    What is read there shows in the results. A kernel may read beyond the end of one array, and write what comes of it
    beyond the end of another, or the same: NaN stay NaN, but of another array; the numbers change.
    """
    large, nan = 0x71000000 + number % 0xFFFFFF, 0xFFF00000 + number % 0xFFFFF
    return np.array([large, large, nan, nan], np.uint32).tobytes()


_numbers = itertools.count()


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
    pool = _here.pools[-1]
    if pool is None and capturing():
        refuse_in_capture("allocation, but from a pool that the graph keeps: cupy.cuda.using_allocator")
    dtype = np.dtype(dtype)
    shape = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
    count = dtype.itemsize
    for size in shape:
        count *= int(size)
    device.take(count)
    buffer = Buffer(2 * CANARY + ALIGNMENT + count, np.uint8)
    weakref.finalize(buffer, device.give_back, count).atexit = False
    buffer.fill(FILL)
    buffer.first = CANARY + -(buffer.ctypes.data + CANARY) % ALIGNMENT
    buffer.count = count
    buffer.pattern = _pattern(next(_numbers))
    buffer.protect()
    if pool is not None:
        pool.buffers.append(buffer)
    return buffer.view(np.ndarray)[buffer.first : buffer.first + count].view(dtype).reshape(shape)


def buffer_of(data):
    """The buffer that a NumPy array is a view of, or None where it is not the device's."""
    while data is not None and not isinstance(data, Buffer):
        data = data.base if isinstance(data, np.ndarray) else None
    return data
