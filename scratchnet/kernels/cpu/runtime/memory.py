"""Fresh arrays without fresh memory: what a dead array leaves behind serves the next one of its size.

Memory that comes from the operating system is mapped and cleared page by page as it is first touched, which can take
longer than the kernel that writes to it. A training step needs the same sizes again and again. Prediction needs each
layer's size once, and what the large pictures of the first layers leave serves the smaller ones behind.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from scratchnet import locks

SMALLEST = 1 << 16  # bytes; below, the C library keeps memory at hand by itself
MOST = 1 << 28  # bytes that are held for later
LARGEST_PART = 4  # times as large as it is asked for may a block be: more would be missed where all of it is needed
LINE = 64  # bytes in a cache line: a vector that begins at one needs only one


class _Block(NamedTuple):
    """`size` bytes from `address` on, a cache line's beginning; `memory` holds them."""

    memory: np.ndarray
    address: int
    size: int


class _Store:
    """Memory that is held for later, by size."""

    def __init__(self) -> None:
        self.free: OrderedDict[int, list[_Block]] = OrderedDict()  # the sizes used last at the end
        self.held = 0
        self.lock = locks.MEMORY  # an array may die, and come back here, while a list is changed

    def take(self, size: int) -> _Block:
        """`size` bytes that begin at a cache line."""
        with self.lock:
            found = size if self.free.get(size) else self._larger(size)
            if found is not None:
                self.held -= found
                return self.free[found].pop()
        memory = np.empty(size + LINE, np.uint8)
        address = memory.ctypes.data
        return _Block(memory, address + -address % LINE, size)

    def _larger(self, size: int) -> int | None:
        """The smallest of the larger blocks' sizes, if it is not too large."""
        fitting = (have for have, blocks in self.free.items() if blocks and size < have <= LARGEST_PART * size)
        return min(fitting, default=None)

    def give_back(self, block: _Block) -> None:
        """Hold it for later; where too much is held then, what was not asked for longest goes."""
        size = block.size
        if size > MOST:
            return
        with self.lock:
            self.held += size
            self.free.setdefault(size, []).append(block)
            self.free.move_to_end(size)
            while self.held > MOST:
                oldest, blocks = next(iter(self.free.items()))
                if not blocks:
                    del self.free[oldest]
                else:
                    blocks.pop(0)
                    self.held -= oldest


_STORE = _Store()


class _Lease:
    """Lends memory to one array, which NumPy makes from this; goes when that array and all its views are gone."""

    __slots__ = ("__array_interface__", "block", "store")

    def __init__(self, block: _Block, shape: tuple[int, ...], dtype: np.dtype):
        self.block, self.store = block, _STORE
        data = block.address, False  # not read-only
        self.__array_interface__ = {"shape": shape, "typestr": dtype.str, "data": data, "version": 3}

    def __del__(self) -> None:
        self.store.give_back(self.block)


def empty(shape: Sequence[int], dtype: Any) -> np.ndarray:
    """As `np.empty`: an array that shares memory with no other while it, or a view of it, is alive."""
    dtype = np.dtype(dtype)
    size = math.prod(shape) * dtype.itemsize
    if size < SMALLEST:
        return np.empty(shape, dtype)
    return np.asarray(_Lease(_STORE.take(size), tuple(shape), dtype))
