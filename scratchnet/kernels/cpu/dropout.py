"""Dropout by a counter-based generator: the mask is worked out again where it is needed, and never stored.

Philox4x32-10 turns (key, step, index) into 128 random bits, four elements' worth. It has no state, so any element's
bits can be had at once, by any thread, on any device. Source: Salmon et al., "Parallel Random Numbers: As Easy as
1, 2, 3", SC 2011.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from scratchnet.kernels.checks import check_word
from scratchnet.kernels.cpu.runtime.contract import takes
from scratchnet.kernels.cpu.runtime.jit import BLOCK, parallel, serial
from scratchnet.kernels.cpu.runtime.memory import empty
from scratchnet.kernels.cpu.sums import as_flat


@serial
def philox(key0, key1, c0, c1, c2, c3):
    """Four 32-bit random words from a 64-bit key and a 128-bit counter, each as 32-bit words in a uint64."""
    low = np.uint64(0xFFFFFFFF)
    for _ in range(10):
        p0, p1 = np.uint64(0xD2511F53) * c0, np.uint64(0xCD9E8D57) * c2
        high0, high1 = p0 >> np.uint64(32), p1 >> np.uint64(32)
        c0, c1, c2, c3 = high1 ^ c1 ^ key0, p1 & low, high0 ^ c3 ^ key1, p0 & low
        key0, key1 = (key0 + np.uint64(0x9E3779B9)) & low, (key1 + np.uint64(0xBB67AE85)) & low
    return c0, c1, c2, c3


@parallel
def _dropout(x, key, step, keep_below, scale, y):
    low, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    for block in prange((len(x) + BLOCK - 1) // BLOCK):
        a, out = x[block * BLOCK : (block + 1) * BLOCK], y[block * BLOCK : (block + 1) * BLOCK]
        for group in range((len(a) + 3) // 4):
            index = np.uint64(block * (BLOCK // 4) + group)
            words = philox(key & low, key >> half, index & low, index >> half, step & low, step >> half)
            for e in range(4 * group, min(4 * group + 4, len(a))):
                out[e] = a[e] * scale if words[e - 4 * group] < keep_below else 0


@takes(x="...")
def dropout(x: np.ndarray, rate: float, key: int, step: int) -> np.ndarray:
    """y = x / (1 - rate) where the element's random word says keep, else 0; the backward is the same call on dy.

    Args:
        x: any shape.
        rate: the share set to zero, from 0 to below 1.
        key: 64 random bits, the layer's own.
        step: counts the batches, so that each gets another mask.
    """
    if not 0 <= rate < 1:
        raise ValueError(f"dropout: expected a rate from 0 to below 1, got {rate!r}.")
    words = check_word(key, "key", "dropout"), check_word(step, "step", "dropout")
    y = empty(x.shape, x.dtype)
    keep_below = np.uint64(round((1 - rate) * 2**32))
    _dropout(as_flat(x), *words, keep_below, x.dtype.type(1 / (1 - rate)), y.reshape(-1))
    return y
