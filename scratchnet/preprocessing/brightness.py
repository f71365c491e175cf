"""Brightness by a factor, in whatever range the pictures are."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet.devices import array_module, like

AXES = (1, 2, 3)


def brightened(y: np.ndarray, factor: np.ndarray, dtype: np.dtype, value_range: tuple[float, float] | None) -> Any:
    """black + factor * (y - black), kept between black and white; the factor 1 leaves a picture as it is.

    Args:
        y: pictures (N, H, W, C), float32 or float64.
        factor: (N,), 0 makes black.
        dtype: of the pictures as they came.
        value_range: (black, white). None: 0 to 255 for bytes, to 65535 for uint16, and for others what the picture
            itself shows: 0 to 1 where no number is larger, or else 0 to 255.

    Raises:
        ValueError: no value_range, and numbers below 0 or above white: which number is black, nobody knows.
    """
    module = array_module(y)
    scaled = like(factor.astype(y.dtype)[:, None, None, None], y)
    low, high = (0.0, _white(y, dtype)) if value_range is None else value_range
    changed, least, most = scaled != 1, y.min(AXES, keepdims=True), y.max(AXES, keepdims=True)
    if value_range is None and (changed & ((least < 0) | (most > high))).any():
        raise ValueError(
            f"ImageDataGenerator: brightness_range takes pictures from 0 to {float(np.max(high)):g}, and these "
            f"({dtype}) go from {float(y.min()):g} to {float(y.max()):g}. Say what is black and what is white, such as "
            "value_range=(-1, 1)."
        )
    moved = y * scaled if low == 0 else y.dtype.type(low) + (y - y.dtype.type(low)) * scaled
    return module.where(changed, module.clip(moved, y.dtype.type(low), module.asarray(high, y.dtype)), y)


def _white(y: np.ndarray, dtype: np.dtype) -> Any:
    """The number that is white: one for all, or one for each picture."""
    if dtype in (np.uint8, np.uint16):
        return float(np.iinfo(dtype).max)
    whole = dtype.kind in "iub"
    return 255.0 if whole else array_module(y).where(y.max(AXES, keepdims=True) > 1, 255.0, 1.0)
