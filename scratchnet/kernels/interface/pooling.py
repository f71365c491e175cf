"""Pooling, enlarging by repetition, other sizes by interpolation, and their gradients."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from scratchnet.shapes import Pads


class Pooling(Protocol):
    """x (N, H, W, C), y (N, OH, OW, C); windows of pool_size at steps of strides; pads ((top, bottom), (left, right)).

    Padding never wins a maximum, it counts as -inf, and never enters a mean. input_hw is (H, W).
    """

    def max_pool2d(
        self,
        x: np.ndarray,
        pool_size: tuple[int, int],
        strides: tuple[int, int],
        pads: Pads,
        relu: bool = False,
    ) -> tuple[np.ndarray, np.ndarray]:
        """(y, argmax): y[n,i,j,c] = the maximum of x over the window, which was x[n,h,v,c] with argmax = h * W + v.

        On a tie the first in row-major order; NaN is larger than any number. argmax is int32, and -1 for a window of
        nothing but padding. With relu, x is what ReLU gave, and argmax is -1 also where y is 0: what comes back through
        this argmax is then the gradient for ReLU's input.
        """

    def max_pool2d_backward(
        self,
        dy: np.ndarray,
        argmax: np.ndarray,
        input_hw: tuple[int, int],
        pool_size: tuple[int, int],
        strides: tuple[int, int],
        pads: Pads,
    ) -> np.ndarray:
        """dx[n,h,v,c] = sum of dy[n,i,j,c] over the windows (i, j) whose argmax is h * W + v."""

    def average_pool2d(
        self, x: np.ndarray, pool_size: tuple[int, int], strides: tuple[int, int], pads: Pads
    ) -> np.ndarray:
        """y[n,i,j,c] = the mean of x over those cells of the window that lie inside the picture."""

    def average_pool2d_backward(
        self,
        dy: np.ndarray,
        input_hw: tuple[int, int],
        pool_size: tuple[int, int],
        strides: tuple[int, int],
        pads: Pads,
    ) -> np.ndarray:
        """dx[n,h,v,c] = sum of dy[n,i,j,c] / (cells inside the picture) over the windows (i, j) that hold (h, v)."""

    def global_average_pool2d(self, x: np.ndarray) -> np.ndarray:
        """y[n,c] = the mean of x[n,:,:,c]; y (N, C)."""

    def global_average_pool2d_backward(self, dy: np.ndarray, input_hw: tuple[int, int]) -> np.ndarray:
        """dx[n,h,v,c] = dy[n,c] / (H * W); dy (N, C)."""

    def resize2d(self, x: np.ndarray, output_hw: tuple[int, int], bilinear: bool = True) -> np.ndarray:
        """y[n,i,j,c] = sum over h, v of r[i,h] * s[j,v] * x[n,h,v,c]; x (N, A, B, C), y (N, H, W, C), output_hw (H, W).

        The middle of the new cell i is laid on the old axis of A cells, at p = (i + 1/2) * A / H - 1/2 between the
        middles of old cells. Bilinear: r[i, floor(p)] = 1 - t and r[i, floor(p) + 1] = t with t = p - floor(p); beyond
        the ends of the axis the cell at the end has both parts. Else r is 1 for the nearest, floor(p + 1/2). s alike.
        """

    def resize2d_backward(self, dy: np.ndarray, input_hw: tuple[int, int], bilinear: bool = True) -> np.ndarray:
        """dx[n,h,v,c] = sum over i, j of r[i,h] * s[j,v] * dy[n,i,j,c], with r and s of `resize2d`; dx (N, H, W, C)."""

    def upsample2d(self, x: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """y[n,h,v,c] = x[n, h // size[0], v // size[1], c]; y (N, H * size[0], W * size[1], C)."""

    def upsample2d_backward(self, dy: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """dx[n,i,j,c] = sum of dy[n,h,v,c] over h // size[0] = i, v // size[1] = j."""
