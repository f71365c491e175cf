"""Long sums are cut into parts that run at the same time, and the parts are added in order (split-K).

How follows from the sizes alone, not from the GPU: the same bits on each run.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from scratchnet.kernels.gpu.runtime.memory import empty
from scratchnet.kernels.gpu.runtime.source import Source

_source = Source(__file__)
_NUMBERS, _SHARES = 32, 8  # of parts.cu: the threads of a block

_LONGEST = 4096  # numbers that one thread adds one after the other: see kernels/interface
_SHORTEST = 64  # a shorter part is not worth its stores
_BLOCKS = 256  # enough to keep a GPU busy: the largest have some 130 multiprocessors
_ROUND = 16  # a part begins where a step of every tile does
_MOST_PARTS = 2**16 - 1  # blocks along the second axis of a grid
_MOST = 2**31 - 2**17  # what kernels count in 32 bits: the end of a tile or part beyond it still fits


def count_of(*sizes: int) -> int:
    """The product of sizes, where a kernel counts pixels or products in 32 bits.

    Raises:
        ValueError: it does not fit.
    """
    count = math.prod(sizes)
    if count > _MOST:
        product = " * ".join(map(str, sizes))
        raise ValueError(f"expected at most {_MOST} pixels, or products in a sum, got {product} = {count}.")
    return count


def cut(length: int, blocks: int, wanted: int = _BLOCKS) -> tuple[int, int]:
    """(parts, share): sums of `length` products are cut into `parts` of `share` products each.

    Few blocks would leave most of the GPU idle: then the sums are cut further than float32 asks for.
    """
    parts = max(-(-length // _LONGEST), min(wanted // max(1, blocks), length // _SHORTEST), 1)
    share = -(-length // min(parts, _MOST_PARTS))
    share = max(1, -(-share // _ROUND)) * _ROUND
    return max(1, -(-length // share)), share


def add_parts(
    partial: Any, b: Any | None, y: Any, relu: bool = False, add: bool = False, rest: Any | None = None
) -> None:
    """y = the sum of partial (parts, ...) over its parts, plus b along y's last axis; with add, plus y.

    A part has y.size numbers, and behind them those of `rest`, if it is given.
    """
    parts, size = len(partial), y.size + (0 if rest is None else rest.size)
    arguments = (np.int64(y.size), np.int64(size), parts, y.shape[-1], relu, add)
    grid, block = (-(-size // _NUMBERS),), (_NUMBERS, _SHARES)
    _source.launch("add_parts", y.dtype, grid, block, partial, b, y, rest, *arguments)


def column_sums(x: Any, y: Any, add: bool = False) -> None:
    """y[c] = the sum over all axes of x but the last; with add, plus y[c]."""
    columns = x.shape[-1]
    rows, across = x.size // columns, -(-columns // _NUMBERS)
    parts, share = cut(rows, across)
    grid, block = (across, parts), (_NUMBERS, _SHARES)
    if parts == 1:
        _source.launch("column_sums", x.dtype, grid, block, x, y, np.int64(rows), columns, share, add)
        return
    partial = empty((parts, columns), x.dtype)
    _source.launch("column_sums", x.dtype, grid, block, x, partial, np.int64(rows), columns, share, False)
    add_parts(partial, None, y, add=add)
