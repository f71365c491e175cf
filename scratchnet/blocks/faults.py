"""What can be wrong with a kernel, as errors whose text names the thread, the cell and the line."""

from __future__ import annotations


class KernelFault(Exception):
    """A kernel did what it must not. `times` says how often the same line did it."""

    def __init__(self, text: str):
        super().__init__(text)
        self.text, self.times = text, 1

    def __str__(self) -> str:
        more = self.times - 1
        return self.text + (f" (and {more} more like it)" if more else "")


class OutOfRange(KernelFault):
    """A cell was read or written that the array does not have."""


class Unwritten(KernelFault):
    """A cell of shared memory was read in which no thread had written: on a GPU it holds anything."""


class Race(KernelFault):
    """Two threads touched a cell with no barrier between them, and one of them wrote: who was first is chance.

    `cells` has each of them as (number of the block, array, place in the array's memory).
    """

    def __init__(self, text: str, cell: tuple[int, str, int]):
        super().__init__(text)
        self.cells = [cell]


class Divergent(KernelFault):
    """Not all threads of a block came to the same barrier: on a GPU they may wait for ever."""
