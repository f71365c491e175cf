"""Depthwise convolution and its gradients: each channel is filtered by itself. It is a convolution in `groups`.

x (N, H, W, C), w (KH, KW, C, M), y (N, OH, OW, C * M), output channel c * M + m; pads ((top, bottom), (left, right)).
"""

from __future__ import annotations

import numpy as np

from scratchnet.kernels.cpu.conv import groups
from scratchnet.kernels.cpu.runtime.contract import takes
from scratchnet.shapes import Pads


def _as_groups(w: np.ndarray) -> np.ndarray:
    """w of C groups, of one channel and M filters each."""
    KH, KW, C, M = w.shape
    return np.ascontiguousarray(w).reshape(KH, KW, 1, C * M)


@takes(x="N H W C", w="KH KW C M", b="C*M, or None")
def depthwise_conv2d(
    x: np.ndarray, w: np.ndarray, b: np.ndarray | None, strides: tuple[int, int], pads: Pads
) -> np.ndarray:
    """y[n,i,j,c*M+m] = b[c*M+m] + sum over k, l of x~[n, sh*i+k-top, sw*j+l-left, c] * w[k,l,c,m]."""
    return groups.narrow_forward(np.ascontiguousarray(x), _as_groups(w), b, strides, pads, relu=False)


@takes(dy="N OH OW C*M", w="KH KW C M")
def depthwise_conv2d_input_grad(
    dy: np.ndarray, w: np.ndarray, input_hw: tuple[int, int], strides: tuple[int, int], pads: Pads
) -> np.ndarray:
    """dx[n,h,v,c] = the sum over m and all i, j, k, l that touched x[n,h,v,c] of dy[n,i,j,c*M+m] * w[k,l,c,m]."""
    C = w.shape[2]
    return groups.narrow_input_grad(np.ascontiguousarray(dy), _as_groups(w), input_hw, strides, pads, C)


@takes(x="N H W C", dy="N OH OW C*M")
def depthwise_conv2d_weight_grad(
    x: np.ndarray, dy: np.ndarray, kernel_size: tuple[int, int], strides: tuple[int, int], pads: Pads
) -> np.ndarray:
    """dw[k,l,c,m] = the sum over n, i, j of x~[n, sh*i+k-top, sw*j+l-left, c] * dy[n,i,j,c*M+m]."""
    dw = groups.narrow_weight_gradient(x, dy, kernel_size, strides, pads, x.shape[3])
    return dw.reshape(*kernel_size, x.shape[3], -1)
