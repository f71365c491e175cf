"""The pictures that the metrics take: checked, scaled to -1 to 1, padded to the size of a classifier's input."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet.arguments import ArgumentError
from scratchnet.devices import to_numpy

Range = tuple[float, float]
SLACK = 0.02  # how far pictures may go beyond their range, as a share of it, through rounding or compression


def check_pictures(x: Any, name: str, value_range: Range | None = None) -> tuple[np.ndarray, Range]:
    """Pictures as an array (N, H, W, C), and the values of black and white in them.

    Args:
        x: (N, H, W, C), or (N, H, W) for grey pictures; whole numbers or floats.
        name: what errors call them.
        value_range: (black, white). None: (0, 255) for whole numbers and (-1, 1) for floats, as the generator's tanh
            has it.

    Raises:
        ValueError: no pictures, another shape, NaN or infinity, or values outside the range; the text says which.
    """
    x = to_numpy(x)
    if x.dtype.kind not in "uif":
        raise ArgumentError(f"{name}: expected pictures as numbers, got an array of {x.dtype}.")
    if x.ndim == 3:
        x = x[..., None]
    if x.ndim != 4 or x.size == 0:
        raise ArgumentError(
            f"{name}: expected pictures of shape (N, H, W, C), or (N, H, W) for grey ones, got {x.shape}."
        )
    whole = x.dtype.kind in "ui"
    if value_range is None:
        value_range = (0.0, 255.0) if whole else (-1.0, 1.0)
    low, high = (float(value) for value in value_range)
    if not low < high:
        raise ArgumentError(f"{name}: expected value_range as (black, white), such as (0, 1), got {value_range!r}.")
    least, most = float(x.min()), float(x.max())  # NaN where there is one
    if not np.isfinite(least + most):
        bad = next(i for i, picture in enumerate(x) if not np.isfinite(picture).all())
        raise ArgumentError(f"{name}: NaN or infinity in the pictures, first in {name}[{bad}].")
    slack = SLACK * (high - low)
    if least < low - slack or most > high + slack:
        hint = "" if whole else " Say value_range=(0, 1), or (0, 255), if that is how they are scaled."
        raise ArgumentError(f"{name}: expected values from {low:g} to {high:g}, got {least:g} to {most:g}.{hint}")
    return x, (low, high)


def check_real(x: np.ndarray, value_range: Range, name: str) -> None:
    """Raise a ValueError where no value lies in the darker half of the range: real pictures have darker places."""
    middle = sum(value_range) / 2
    if float(x.min()) >= middle:
        raise ValueError(
            f"{name}: all values are at or above {middle:g}, the middle of {value_range[0]:g} to {value_range[1]:g}. "
            "If the pictures are scaled from 0 to 1, say value_range=(0, 1)."
        )


def scaled(x: np.ndarray, value_range: Range) -> np.ndarray:
    """Pictures of this range as float32 from -1 to 1."""
    low, high = value_range
    return ((x.astype(np.float32) - np.float32(low)) * np.float32(2 / (high - low)) - np.float32(1)).clip(-1, 1)


def padded(x: np.ndarray, size: int) -> np.ndarray:
    """Pictures from -1 to 1 with a black margin on all sides, so that they are size x size pixels."""
    before = [(size - edge) // 2 for edge in x.shape[1:3]]
    pads = [(b, size - edge - b) for b, edge in zip(before, x.shape[1:3])]
    return np.pad(x, [(0, 0), *pads, (0, 0)], constant_values=-1) if any(map(any, pads)) else x
