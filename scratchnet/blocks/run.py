"""What a launch was: its faults, and what a GPU would pay for it."""

from __future__ import annotations

import textwrap
from typing import Any

from scratchnet.blocks.arrays import Access, Recorder
from scratchnet.blocks.counting import Banks, Sectors, count_banks, count_sectors
from scratchnet.blocks.faults import KernelFault

_WIDTH = 96  # characters of a line of text


class Run:
    """A launch that is over. `print(run)` says what it was.

    Attributes:
        kernel: its name.
        grid, block: the number of blocks and of the threads of each, along x and y.
        barriers: that each block passed; the most of any.
        accesses: every one, thread by thread.
        faults: what was wrong; empty if nothing was.
        shapes: of each array.
        shared: the names of the arrays in shared memory.
        itemsize: the bytes of a number of each array.
        text_of: a line of the kernel in words, from its number.
    """

    def __init__(
        self,
        kernel: str,
        grid: Any,
        block: Any,
        barriers: int,
        faults: list[KernelFault],
        recorder: Recorder,
        itemsize: dict[str, int],
        shared: set[str],
    ):
        self.kernel, self.grid, self.block, self.barriers = kernel, grid, block, barriers
        self.faults, self.accesses, self.shapes = faults, recorder.accesses, recorder.shapes
        self.text_of, self.itemsize, self.shared = recorder.text_of, itemsize, shared

    def _of(self, array: str) -> list[Access]:
        if array not in self.shapes:
            raise ValueError(f"{self.kernel} has no array {array!r}; it has {', '.join(self.shapes)}.")
        return [access for access in self.accesses if access.array == array]

    def reads(self, array: str) -> int:
        """How often a thread read a number of this array."""
        return sum(not access.writes for access in self._of(array))

    def writes(self, array: str) -> int:
        """How often a thread wrote a number of this array."""
        return sum(access.writes for access in self._of(array))

    @property
    def global_reads(self) -> int:
        """How often a thread read a number from an array in global memory."""
        return sum(self.reads(name) for name in self.shapes if name not in self.shared)

    @property
    def shared_reads(self) -> int:
        """How often a thread read a number from shared memory."""
        return sum(self.reads(name) for name in self.shared)

    def sectors(self, array: str) -> Sectors:
        """How many pieces of 32 bytes the warps moved of an array in global memory; see `count_sectors`."""
        if array in self.shared:
            raise ValueError(f"{array} lies in shared memory, which has banks, not sectors.")
        return count_sectors(self._of(array), self.itemsize[array])

    def banks(self, array: str) -> Banks:
        """How many turns the warps' accesses to an array in shared memory took; see `count_banks`."""
        if array not in self.shared:
            raise ValueError(f"{array} lies in global memory, which has sectors, not banks.")
        return count_banks(self._of(array), self.itemsize[array])

    def __repr__(self) -> str:
        blocks, threads = self.grid.x * self.grid.y, self.block.x * self.block.y
        lines = [
            f"{self.kernel}: {_several(blocks, 'block')} of {_several(threads, 'thread')}, "
            f"{_several(self.barriers, 'barrier')}, {self.global_reads} reads from global and "
            f"{self.shared_reads} from shared memory"
        ]
        for fault in self.faults:
            text = f"{type(fault).__name__}: {fault}"
            lines += textwrap.wrap(text, _WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)
        lines += ["  no fault found"] * (not self.faults)
        return "\n".join(lines)


def _several(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"
