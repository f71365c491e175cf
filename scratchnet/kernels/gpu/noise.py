"""Normal random numbers on the GPU; the kernel is in noise.cu, the generator behind it in philox.cuh."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scratchnet.kernels.checks import check_float, check_word
from scratchnet.kernels.gpu.dropout import step_words
from scratchnet.kernels.gpu.runtime.memory import empty
from scratchnet.kernels.gpu.runtime.source import Source

_source = Source(__file__)


def normal(shape: Sequence[int], dtype: Any, key: int, step: Any) -> Any:
    """Numbers with mean 0 and standard deviation 1, by Box and Muller from Philox's words.

    Args:
        shape, dtype: of the result; float32 or float64.
        key: 64 random bits, the layer's own.
        step: counts the batches, so that each gets other numbers; in a recording it is on the GPU.
    """
    words = check_word(key, "key", "normal"), *step_words(step, "normal")
    y = empty(tuple(shape), check_float(dtype, "normal"))
    _source.each("normal", y.dtype, -(-y.size // 4), *words, y, np.int64(y.size))
    return y
