"""A GAN's pictures made ready to be shown: as bytes, and many on one sheet."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet.annotations import checked
from scratchnet.arguments import check_count, shape_text
from scratchnet.devices import to_numpy


def as_bytes(x: np.ndarray, value_range: tuple[float, float] | None = None) -> np.ndarray:
    """Pictures as uint8, 0 to 255, from value_range, (black, white), such as gan.picture_range; None for -1 to 1."""
    low, high = value_range or (-1.0, 1.0)
    return np.clip(np.rint((to_numpy(x) - low) * (255 / (high - low))), 0, 255).astype(np.uint8)


def check_makes_pictures(gan: Any, caller: str) -> None:
    """Raise a ValueError for a GAN whose generator makes something else than pictures; `caller` begins the message."""
    shape = gan.generator.output_shape
    if len(shape) != 4:
        raise ValueError(
            f"{caller}: expected a GAN whose generator makes pictures (N, H, W, C), got {shape_text(shape)}. "
            "Points are drawn with matplotlib's plot."
        )


@checked
def sheet(x: np.ndarray, columns: int = 8) -> np.ndarray:
    """Pictures (N, H, W, C) beside and below each other in one, (rows * H, columns * W, C); empty places are 0.

    Raises:
        ValueError: x is not a stack of pictures, or columns is below 1.
    """
    x = to_numpy(x)
    if x.ndim != 4 or len(x) == 0:
        raise ValueError(f"sheet: expected pictures (N, H, W, C), got {x.shape}.")
    N, H, W, C = x.shape
    columns = min(check_count(columns, "columns", "sheet"), N)
    rows = -(-N // columns)
    full = np.zeros((rows * columns, H, W, C), x.dtype)
    full[:N] = x
    return full.reshape(rows, columns, H, W, C).swapaxes(1, 2).reshape(rows * H, columns * W, C)
