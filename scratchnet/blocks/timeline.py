"""A block step by step: in each step all its threads make their next access, as the threads of a warp do."""

from __future__ import annotations

from typing import NamedTuple

from scratchnet.blocks.arrays import Access
from scratchnet.blocks.run import Run


class Step(NamedTuple):
    """What happens in one step: the accesses of all threads, or a barrier."""

    interval: int  # barriers that were passed before
    accesses: tuple[Access, ...]  # one for each thread that has one; none at a barrier

    @property
    def is_barrier(self) -> bool:
        """Whether the threads only wait for each other here."""
        return not self.accesses


def timeline(run: Run, block: int = 0) -> list[Step]:
    """The steps of one block of a launch, with its barriers.

    Threads that do less than others between two barriers wait at the second.

    Raises:
        ValueError: the launch had no such block.
    """
    blocks = run.grid.x * run.grid.y
    if not 0 <= block < blocks:
        raise ValueError(f"timeline: expected a block from 0 to {blocks - 1}, got {block!r}.")
    together: dict[tuple[int, int], list[Access]] = {}
    for access in run.accesses:
        if access.block == block:
            together.setdefault((access.interval, access.step), []).append(access)
    steps: list[Step] = []
    for (interval, _), accesses in sorted(together.items()):
        passed = steps[-1].interval if steps else 0
        steps += [Step(between, ()) for between in range(passed, interval)]
        steps.append(Step(interval, tuple(sorted(accesses, key=lambda access: access.thread))))
    last = steps[-1].interval if steps else 0
    return steps + [Step(between, ()) for between in range(last, run.barriers)]
