"""Convolution in groups of channels, and with gaps between the kernel's taps, by the kernels of the ordinary one.

Each class here has kernels under their own names, arguments and order, see `kernels/interface/convolution.py`, and
computes by those that it is given. `Conv2D` asks for the one that fits it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet.devices import array_module
from scratchnet.shapes import Pads, output_hw

_ONES = (1, 1)
_NO_PADS: Pads = ((0, 0), (0, 0))


class Grouped:
    """Convolution in groups: of G slices of the filters the first sees the first of G slices of the channels, and so
    on.

    x (N, H, W, C), w (KH, KW, C / G, F), y (N, OH, OW, F).
    """

    def __init__(self, kernels: Any, groups: int):
        self.k, self.groups = kernels, groups

    def conv2d(
        self, x: np.ndarray, w: np.ndarray, b: np.ndarray | None, strides: Any, pads: Pads, relu: bool = False
    ) -> np.ndarray:
        """As the kernel; each group by itself."""
        return self.k.grouped_conv2d(x, w, b, strides, pads, relu)

    def conv2d_input_grad(self, dy: np.ndarray, w: np.ndarray, hw: Any, strides: Any, pads: Pads) -> np.ndarray:
        """As the kernel; each group by itself."""
        return self.k.grouped_conv2d_input_grad(dy, w, self.groups, hw, strides, pads)

    def conv2d_weight_grad(
        self, x: np.ndarray, dy: np.ndarray, size: Any, strides: Any, pads: Pads, dw: np.ndarray, db: np.ndarray | None
    ) -> None:
        """As the kernel; each group by itself. dw and db are ADDED to."""
        self.k.grouped_conv2d_weight_grad(x, dy, size, strides, pads, dw, db)


class Dilated:
    """Convolution whose taps stand (dh, dw) pixels apart, at strides of 1: it sees further with as many weights.

    An output sees every dh-th row and every dw-th column. Those that stand so far apart make a picture of their own, a
    phase; there are dh * dw of them, and the ordinary convolution of each gives the outputs of that phase. So no
    product with a zero is worked out, as it would be with zeros between the taps.

    Source: Yu and Koltun, arXiv 1511.07122.
    """

    def __init__(self, kernels: Any, rate: tuple[int, int]):
        self.kernels, self.rate = kernels, rate

    def _phases(self, x: np.ndarray, pads: Pads) -> np.ndarray:
        """x with zeros around it, and as many more as fill the last phase, as (N * dh * dw, rows, columns, C)."""
        (dh, dw), (top, bottom), (left, right) = self.rate, *pads
        bottom += -(top + x.shape[1] + bottom) % dh
        right += -(left + x.shape[2] + right) % dw
        x = array_module(x).pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)))
        N, H, W, C = x.shape
        apart = x.reshape(N, H // dh, dh, W // dw, dw, C).transpose(0, 2, 4, 1, 3, 5)
        return apart.reshape(N * dh * dw, H // dh, W // dw, C)

    def _whole(self, phases: np.ndarray) -> np.ndarray:
        """The pictures whose phases these are."""
        (dh, dw), (_, h, w, C) = self.rate, phases.shape
        return phases.reshape(-1, dh, dw, h, w, C).transpose(0, 3, 1, 4, 2, 5).reshape(-1, h * dh, w * dw, C)

    def _forward(self, kernel: Any, x: np.ndarray, w: np.ndarray, b: np.ndarray | None, pads: Pads, *more: Any) -> Any:
        reach = [(k - 1) * d + 1 for k, d in zip(w.shape[:2], self.rate)]
        oh, ow = output_hw(x.shape[1:3], reach, _ONES, pads)
        return self._whole(kernel(self._phases(x, pads), w, b, _ONES, _NO_PADS, *more))[:, :oh, :ow]

    def _phases_of_gradient(self, dy: np.ndarray, size: Any, hw: Any, pads: Pads) -> tuple[np.ndarray, Any]:
        """dy's phases, and the rows and columns of those of x; outputs that only zeros beyond x would see get 0."""
        rows, columns = (-(-(n + sum(p)) // d) for n, p, d in zip(hw, pads, self.rate))
        full = [(n - k + 1) * d for n, k, d in zip((rows, columns), size, self.rate)]
        missing = [(0, wanted - there) for wanted, there in zip(full, dy.shape[1:3])]
        return self._phases(dy, (missing[0], missing[1])), (rows, columns)

    def _input_grad(self, kernel: Any, dy: np.ndarray, w: np.ndarray, hw: Any, pads: Pads) -> np.ndarray:
        phases, phase_hw = self._phases_of_gradient(dy, w.shape[:2], hw, pads)
        (top, _), (left, _), (H, W) = *pads, hw
        dx = self._whole(kernel(phases, w, phase_hw, _ONES, _NO_PADS))
        return dx[:, top : top + H, left : left + W]

    def _weight_grad(self, kernel: Any, x: np.ndarray, dy: np.ndarray, size: Any, pads: Pads, *added: Any) -> Any:
        phases, _ = self._phases_of_gradient(dy, size, x.shape[1:3], pads)
        return kernel(self._phases(x, pads), phases, size, _ONES, _NO_PADS, *added)

    def conv2d(
        self, x: np.ndarray, w: np.ndarray, b: np.ndarray | None, strides: Any, pads: Pads, relu: bool = False
    ) -> np.ndarray:
        """As the kernel, of each phase."""
        return self._forward(self.kernels.conv2d, x, w, b, pads, relu)

    def conv2d_input_grad(self, dy: np.ndarray, w: np.ndarray, hw: Any, strides: Any, pads: Pads) -> np.ndarray:
        """As the kernel, of each phase."""
        return self._input_grad(self.kernels.conv2d_input_grad, dy, w, hw, pads)

    def conv2d_weight_grad(
        self, x: np.ndarray, dy: np.ndarray, size: Any, strides: Any, pads: Pads, dw: np.ndarray, db: np.ndarray | None
    ) -> None:
        """As the kernel, summed over the phases. dw and db are ADDED to."""
        self._weight_grad(self.kernels.conv2d_weight_grad, x, dy, size, pads, dw, db)

    def depthwise_conv2d(
        self, x: np.ndarray, w: np.ndarray, b: np.ndarray | None, strides: Any, pads: Pads
    ) -> np.ndarray:
        """As the kernel, of each phase."""
        return self._forward(self.kernels.depthwise_conv2d, x, w, b, pads)

    def depthwise_conv2d_input_grad(
        self, dy: np.ndarray, w: np.ndarray, hw: Any, strides: Any, pads: Pads
    ) -> np.ndarray:
        """As the kernel, of each phase."""
        return self._input_grad(self.kernels.depthwise_conv2d_input_grad, dy, w, hw, pads)

    def depthwise_conv2d_weight_grad(
        self, x: np.ndarray, dy: np.ndarray, size: Any, strides: Any, pads: Pads
    ) -> np.ndarray:
        """As the kernel, summed over the phases."""
        return self._weight_grad(self.kernels.depthwise_conv2d_weight_grad, x, dy, size, pads)
