"""Dropout on the GPU; the kernel is in dropout.cu, the generator of its masks in philox.cuh."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet.kernels.checks import check_word
from scratchnet.kernels.gpu.runtime.contract import is_array, takes
from scratchnet.kernels.gpu.runtime.memory import empty
from scratchnet.kernels.gpu.runtime.source import Source
from scratchnet.kernels.gpu.runtime.transfer import on_gpu, zero

_source = Source(__file__)


def step_words(step: Any, caller: str) -> tuple[np.uint64, Any]:
    """The number of a step as kernels take it: one that they are given, and one that they find on the GPU, 0 if none.

    In a recording it is there: a graph is replayed with the arguments that it was recorded with.
    """
    if is_array(step):
        return np.uint64(0), on_gpu(step, np.int64)
    return check_word(step, "step", caller), zero(np.int64)


@takes(x="...")
def dropout(x: Any, rate: float, key: int, step: Any) -> Any:
    """y = x / (1 - rate) where the element's random word says keep, else 0; the backward is the same call on dy.

    The masks are the CPU's: word e % 4 of Philox4x32-10, whose counter is e // 4 and the step, for element e.

    Args:
        x: any shape.
        rate: the share set to zero, from 0 to below 1.
        key: 64 random bits, the layer's own.
        step: counts the batches, so that each gets another mask; in a recording it is on the GPU.
    """
    if not 0 <= rate < 1:
        raise ValueError(f"dropout: expected a rate from 0 to below 1, got {rate!r}.")
    words = check_word(key, "key", "dropout"), *step_words(step, "dropout")
    y = empty(x.shape, x.dtype)
    keep_below = np.uint64(round((1 - rate) * 2**32))
    settings = *words, keep_below, float(1 / (1 - rate))
    _source.each("dropout", x.dtype, -(-x.size // 4), x, *settings, y, np.int64(x.size))
    return y
