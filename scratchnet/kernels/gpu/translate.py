"""Pictures moved by whole pixels on the GPU, each by its own distance; the kernel is in translate.cu."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet.kernels.gpu.gather import example_grid
from scratchnet.kernels.gpu.runtime.contract import is_array, takes
from scratchnet.kernels.gpu.runtime.memory import empty
from scratchnet.kernels.gpu.runtime.source import Source
from scratchnet.kernels.gpu.runtime.transfer import on_gpu

_source = Source(__file__)


@takes(x="N H W C")
def translate(x: Any, offsets: Any) -> Any:
    """y[n,h,v,c] = x[n, h - a, v - b, c] with a, b = offsets[n], 0 where that is outside; the backward has -offsets.

    x (N, H, W, C), offsets (N, 2) whole numbers, from NumPy or the GPU: rows down, columns to the right.
    """
    N, H, W, C = x.shape
    offsets = offsets if is_array(offsets) else np.asarray(offsets)
    if offsets.shape != (N, 2):
        raise ValueError(f"translate: expected offsets of shape ({N}, 2), to fit x, got {offsets.shape}.")
    if offsets.dtype.kind not in "iu":
        raise ValueError(f"translate: expected offsets as whole numbers, got {offsets.dtype}. Use astype.")
    y = empty(x.shape, x.dtype)
    grid, block = example_grid(N, H * W * C)
    _source.launch("translate", x.dtype, grid, block, x, on_gpu(offsets, np.int64), y, C, W * C, H * W * C)
    return y
