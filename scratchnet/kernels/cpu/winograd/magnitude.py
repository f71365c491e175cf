"""Whether Winograd's way is right for these numbers: it is not where one pixel is NaN, infinite, or far above the rest.

The input transform takes differences of neighbouring pixels. So what is in one pixel of a tile reaches all outputs of
the tile and must cancel there: what is not finite does not cancel, and a huge number leaves its rounding error behind.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from scratchnet.kernels.cpu.runtime.jit import BLOCK, parallel

_EVEN = 64  # the largest by the mean, up to which no more is asked: images and activations have 5 to 50
_HUGE = 1024  # the largest by what is usual, in float32, above which the rounding error of a tile would be seen


@parallel
def _magnitudes(x, bits, means, largest):
    """For each block the mean of |x|, and the largest |x| by its bits: in their order, infinity and NaN come last."""
    for block in prange(len(means)):
        a, b = x[block * BLOCK : (block + 1) * BLOCK], bits[block * BLOCK : (block + 1) * BLOCK]
        total, most = a.dtype.type(0), b.dtype.type(0)
        for e in range(len(a)):
            total += abs(a[e])
        for e in range(len(b)):
            most = max(most, (b[e] << b.dtype.type(1)) >> b.dtype.type(1))  # without the sign
        means[block], largest[block] = total / len(a), most


def is_even(x: np.ndarray) -> bool:
    """Whether all of x is finite and none of it far above the rest. x is contiguous.

    The rest is the median of the means of blocks, in which one pixel, however large, counts for nothing.
    """
    blocks = -(-x.size // BLOCK)
    unsigned = np.dtype(f"u{x.itemsize}")
    means, largest = np.empty(blocks), np.empty(blocks, unsigned)
    flat = x.reshape(-1)
    _magnitudes(flat, flat.view(unsigned), means, largest)
    most = float(largest.max(keepdims=True).view(x.dtype)[0])
    if most <= _EVEN * means.mean():
        return most < np.inf
    huge = _HUGE * np.finfo(np.float32).eps / np.finfo(x.dtype).eps
    return most < np.inf and most <= huge * float(np.median(means))
