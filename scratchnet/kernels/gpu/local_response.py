"""Local response normalization on the GPU; the kernels are in local_response.cu.

Source: Krizhevsky, Sutskever, Hinton, NIPS 2012, section 3.3.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet.kernels.checks import check_local_response
from scratchnet.kernels.gpu.runtime.contract import takes
from scratchnet.kernels.gpu.runtime.memory import empty
from scratchnet.kernels.gpu.runtime.source import Source

_source = Source(__file__)
_THREADS = 256  # of a block of the backward, as in local_response.cu


def _settings(x: Any, radius: int, bias: float, alpha: float, beta: float, caller: str) -> tuple[Any, ...]:
    """(C, radius, bias, alpha, beta) as the kernels take them; beyond the last channel is nothing."""
    check_local_response(radius, bias, alpha, beta, caller)
    C = x.shape[-1]
    return C, min(int(radius), C - 1), float(bias), float(alpha), float(beta)


@takes(x="... C")
def local_response_norm(x: Any, depth_radius: int, bias: float, alpha: float, beta: float) -> Any:
    """y[..,c] = x[..,c] * (bias + alpha * sum of x[..,j]^2 over |j - c| <= depth_radius)^-beta."""
    settings = _settings(x, depth_radius, bias, alpha, beta, "local_response_norm")
    y = empty(x.shape, x.dtype)
    _source.each("local_response_norm", x.dtype, x.size, x, *settings, y)
    return y


@takes(dy="... C", x="... C")
def local_response_norm_backward(dy: Any, x: Any, depth_radius: int, bias: float, alpha: float, beta: float) -> Any:
    """dx[..,c] = dy[..,c] * s[c]^-beta - 2 * alpha * beta * x[..,c] * sum of dy[..,j] * x[..,j] * s[j]^(-beta-1)."""
    settings = _settings(x, depth_radius, bias, alpha, beta, "local_response_norm_backward")
    dx, C = empty(x.shape, x.dtype), x.shape[-1]
    width, R = min(C, _THREADS), x.size // C
    rows = _THREADS // width
    grid = (-(-R // rows) * -(-C // width),)
    arguments = dy, x, np.int64(R), *settings, dx
    _source.launch("local_response_norm_backward", x.dtype, grid, (width, rows), *arguments)
    return dx
