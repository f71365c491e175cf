"""How the threads of a block lie on an array (N, S, C), for the kernels that stand on column_sums.cuh."""

from __future__ import annotations

TILE_THREADS = 256  # of a block at most, as in column_sums.cuh
_WARP = 32  # threads that read side by side


def power_of_two(count: int) -> int:
    """The smallest that is at least `count`."""
    return 1 << max(count - 1, 0).bit_length()


def tile_block(S: int, C: int) -> tuple[int, int]:
    """The block for S rows of C channels: (threads along the channels, threads along the rows), powers of two.

    A warp lies along the channels, if they are so many; the other threads lie along the rows, if these are so many.
    """
    width = power_of_two(min(C, _WARP))
    rows = min(power_of_two(S), TILE_THREADS // width)
    return min(power_of_two(C), TILE_THREADS // rows), rows
