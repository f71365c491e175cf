"""What a warp's accesses cost. A warp is 32 threads that do the same instruction at the same time.

- Global memory moves in sectors of 32 bytes. If the 32 threads read 32 neighbouring float32, that is 4 sectors; if they
  read numbers far apart, each brings a sector of its own, and 28 of its 32 bytes are for nothing.
- Shared memory has 32 banks, each 4 bytes wide; word n lies in bank n % 32. Threads that want different words of one
  bank are served one after the other; those that want the same word, together.

Source: NVIDIA, CUDA C++ Programming Guide, "Device Memory Accesses" and "Shared Memory" (compute capability 5 and up).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from scratchnet.blocks.arrays import Access

WARP = 32  # threads
SECTOR = 32  # bytes
BANKS, BANK_BYTES = 32, 4


class Sectors(NamedTuple):
    """The sectors of an array's accesses."""

    accesses: int  # of warps
    moved: int  # sectors in all
    needed: int  # that would have been enough, had the numbers lain side by side

    @property
    def of_each(self) -> float:
        """Sectors that an access of a warp moves, on average."""
        return self.moved / self.accesses if self.accesses else 0.0


class Banks(NamedTuple):
    """The turns of an array's accesses in shared memory."""

    accesses: int  # of warps
    turns: int  # one each where no two threads are in each other's way

    @property
    def of_each(self) -> float:
        """Turns that an access of a warp takes, on average; 1 is without conflict."""
        return self.turns / self.accesses if self.accesses else 0.0


def warp_accesses(accesses: Sequence[Access]) -> list[list[Access]]:
    """The accesses to one array, those together that the threads of a warp make by the same instruction.

    That is the same line between the same barriers, for the n-th time.
    """
    times: Counter = Counter()
    found: dict[tuple, list[Access]] = {}
    for access in accesses:
        instruction = (access.block, access.interval, access.line, access.writes)
        nth = times[access.thread, instruction]
        times[access.thread, instruction] += 1
        found.setdefault((access.thread // WARP, nth, instruction), []).append(access)
    return list(found.values())


def count_sectors(accesses: Sequence[Access], itemsize: int) -> Sectors:
    """The sectors of 32 bytes that the warps move; the array begins at a sector."""
    moved = needed = 0
    groups = warp_accesses(accesses)
    for group in groups:
        cells = {access.cell for access in group}
        moved += len({cell * itemsize // SECTOR for cell in cells})
        needed += -(-len(cells) * itemsize // SECTOR)
    return Sectors(len(groups), moved, needed)


def count_banks(accesses: Sequence[Access], itemsize: int) -> Banks:
    """The turns that the banks take: for each access of a warp, the most different words that it wants of one bank."""
    turns = 0
    groups = warp_accesses(accesses)
    for group in groups:
        words = {access.cell * itemsize // BANK_BYTES for access in group}
        turns += max(Counter(word % BANKS for word in words).values())
    return Banks(len(groups), turns)
