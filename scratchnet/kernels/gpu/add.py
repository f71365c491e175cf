"""The sum of two arrays on the GPU: of a network's branches, and of the gradients that come back from them."""

from __future__ import annotations

from typing import Any

from scratchnet.kernels.gpu.runtime.contract import takes
from scratchnet.kernels.gpu.runtime.memory import empty
from scratchnet.kernels.gpu.runtime.source import Source

_source = Source(__file__)


@takes(a="...", b="...")
def add(a: Any, b: Any, relu: bool = False) -> Any:
    """y = a + b. With relu, y = max(y, 0)."""
    y = empty(a.shape, a.dtype)
    _source.each("add", a.dtype, a.size, a, b, bool(relu), y)
    return y
