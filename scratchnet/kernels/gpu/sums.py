"""Sums of whole arrays on the GPU; the kernels are in sums.cu."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet import replay
from scratchnet.kernels.gpu.runtime.contract import takes
from scratchnet.kernels.gpu.runtime.memory import empty
from scratchnet.kernels.gpu.runtime.source import Source

_source = Source(__file__)
_THREADS, _PART = 256, 8192  # as in sums.cu


@takes(x="...")
def square_sum(x: Any) -> float:
    """The sum of the squares of all elements, in float64; in a recording it stays on the GPU."""
    parts = -(-x.size // _PART)
    partial, total = empty((parts,), np.float64), empty((), np.float64)
    _source.launch("square_sums", x.dtype, (parts,), (_THREADS,), x, partial, np.int64(x.size))
    _source.launch("sum_parts", x.dtype, (1,), (_THREADS,), partial, total, parts)
    return replay.number(total)
