"""The arithmetic of shapes: how many zeros stand around a picture, how many outputs a window has; the two dtypes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Pads = tuple[tuple[int, int], tuple[int, int]]  # ((top, bottom), (left, right)) in pixels
Shape = tuple[int | None, ...]  # None stands for the number of examples
FLOATS = (np.dtype(np.float32), np.dtype(np.float64))  # what layers, optimizers and kernels compute in


def sizes(shape: Sequence[int | None] | None) -> tuple[int, ...]:
    """The sizes behind the batch axis: (H, W, C) of (None, H, W, C). All are known where a layer is built."""
    return tuple(size for size in (shape or ())[1:] if size is not None)


def output_size(size: int, kernel: int, stride: int, pad_total: int) -> int:
    """Places at which a window fits: floor((size + pad_total - kernel) / stride) + 1; 0 or less if it never does."""
    return (size + pad_total - kernel) // stride + 1


def pads_1d(size: int, kernel: int, stride: int, padding: str) -> tuple[int, int]:
    """Zeros (before, after) one axis. "same" gives ceil(size / stride) outputs; an odd zero goes after, as in Keras.

    Source: https://www.tensorflow.org/api_docs/python/tf/nn#notes_on_padding_2
    """
    if padding == "valid":
        return 0, 0
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def pads_2d(hw: Sequence[int], kernel_size: Sequence[int], strides: Sequence[int], padding: str) -> Pads:
    """((top, bottom), (left, right)) for both axes of a picture; see `pads_1d`."""
    rows, columns = (pads_1d(hw[a], kernel_size[a], strides[a], padding) for a in (0, 1))
    return rows, columns


def output_hw(hw: Sequence[int], kernel_size: Sequence[int], strides: Sequence[int], pads: Pads) -> tuple[int, int]:
    """(OH, OW) of a window that slides over a padded picture; see `output_size`."""
    (top, bottom), (left, right) = pads
    return (
        output_size(hw[0], kernel_size[0], strides[0], top + bottom),
        output_size(hw[1], kernel_size[1], strides[1], left + right),
    )
