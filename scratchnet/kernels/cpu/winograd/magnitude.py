"""Whether Winograd's way is right for these numbers: it is not where one pixel is NaN, infinite, or far above the rest.

The input transform takes differences of neighbouring pixels. So what is in one pixel of a tile reaches all outputs of
the tile and must cancel there: what is not finite does not cancel, and a huge number leaves its rounding error behind.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from scratchnet.kernels.cpu.runtime.jit import BLOCK, parallel

_EVEN = 256  # the bound below by the mean: up to it no more is asked; images and activations have about 100
_HUGE = 1024  # the largest by what is usual, in float32, above which the rounding error of a tile would be seen


@parallel
def _magnitudes(x, means, squares):
    """For each block the mean of |x|, and the sum of the squares, whose root no |x| is above."""
    for block in prange(len(means)):
        a = x[block * BLOCK : (block + 1) * BLOCK]
        total, square = x.dtype.type(0), x.dtype.type(0)
        for e in range(len(a)):
            total += abs(a[e])
            square += a[e] * a[e]
        means[block], squares[block] = total / len(a), square


def is_even(x: np.ndarray) -> bool:
    """Whether all of x is finite and none of it far above the rest. x is contiguous.

    The rest is the median of the means of blocks, in which one pixel, however large, counts for nothing.
    """
    means, squares = np.empty((2, -(-x.size // BLOCK)))
    _magnitudes(x.reshape(-1), means, squares)
    mean = means.mean()
    if squares.max() <= (_EVEN * mean) ** 2:
        return bool(mean < np.inf)
    huge = _HUGE * np.finfo(np.float32).eps / np.finfo(x.dtype).eps
    return bool(mean < np.inf and np.abs(x).max() <= huge * np.median(means))
