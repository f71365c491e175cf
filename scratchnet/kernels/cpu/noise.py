"""Normal random numbers by a counter: worked out again where they are needed, and never stored. See dropout.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import prange

from scratchnet.kernels.checks import check_float, check_word
from scratchnet.kernels.cpu.dropout import philox
from scratchnet.kernels.cpu.runtime.jit import BLOCK, in_order
from scratchnet.kernels.cpu.runtime.memory import empty


@in_order
def _normal(key, step, y):
    low, half, whole = np.uint64(0xFFFFFFFF), np.uint64(32), 4294967296.0
    for block in prange((len(y) + BLOCK - 1) // BLOCK):
        out = y[block * BLOCK : (block + 1) * BLOCK]
        for group in range((len(out) + 3) // 4):
            index = np.uint64(block * (BLOCK // 4) + group)
            words = philox(key & low, key >> half, index & low, index >> half, step & low, step >> half)
            for pair in range(2):
                u, v = (words[2 * pair] + 1.0) / whole, words[2 * pair + 1] / whole  # u is never 0
                radius, angle, e = np.sqrt(-2 * np.log(u)), 2 * np.pi * v, 4 * group + 2 * pair
                if e < len(out):
                    out[e] = radius * np.cos(angle)
                if e + 1 < len(out):
                    out[e + 1] = radius * np.sin(angle)


def normal(shape: Sequence[int], dtype: Any, key: int, step: int) -> np.ndarray:
    """Numbers with mean 0 and standard deviation 1, by Box and Muller from Philox's words.

    Args:
        shape, dtype: of the result; float32 or float64.
        key: 64 random bits, the layer's own.
        step: counts the batches, so that each gets other numbers.
    """
    words = check_word(key, "key", "normal"), check_word(step, "step", "normal")
    y = empty(tuple(shape), check_float(dtype, "normal"))
    _normal(*words, y.reshape(-1))
    return y
