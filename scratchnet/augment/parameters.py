"""The random numbers of an augmentation, a few for each picture, and the matrices that are made of them.

They are worked out in NumPy on whatever device the pictures are: there are few of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet import kernels, random
from scratchnet.arguments import check_seed

# The random numbers of a picture, by their use; one that is not used keeps its place, so that the others stay the same.
USES = (
    "crop_row",
    "crop_column",
    "horizontal_flip",
    "vertical_flip",
    "rotation",
    "zoom",
    "zoom_columns",
    "height_shift",
    "width_shift",
    "shear",
    "brightness",
    "contrast",
    "cutout_row",
    "cutout_column",
    "channel_shift",
)


def draws(key: int, step: int, index: np.ndarray) -> dict[str, np.ndarray]:
    """For each of USES, a random number from 0 to below 1 for each picture."""
    return dict(zip(USES, kernels.of(index).uniform(key, step, index, len(USES))))


def affine(
    size: tuple[int, int],
    count: int,
    rotation: Any = 0.0,
    shift: tuple[Any, Any] = (0.0, 0.0),
    shear: Any = 0.0,
    zoom: tuple[Any, Any] = (1.0, 1.0),
    flip: tuple[Any, Any] = (False, False),
) -> np.ndarray:
    """(count, 6) matrices for the kernel `augment`: where each pixel of a result comes from.

    Seen from the centre of the picture, with p = (row, column): source = R S Z F p + R t, where

        R = [[cos a, sin a], [-sin a, cos a]],  S = [[cos b, 0], [-sin b, 1]],  Z = diag(zoom),  F = diag(+1 or -1)

    Args:
        size: (H, W) of the pictures.
        count: pictures.
        rotation, shear: angles a (to the left) and b in radians; each a number, or one for each picture, as all below.
        shift: t in pixels, rows and columns of the source.
        zoom: of rows and of columns; below 1 shows a part of the picture, enlarged.
        flip: whether rows are mirrored (the top becomes the bottom), and columns.
    """
    cos, sin = np.cos(rotation), np.sin(rotation)
    row_flip, column_flip = (1 - 2 * np.asarray(f, np.float64) for f in flip)
    rows, columns = zoom[0] * row_flip, zoom[1] * column_flip
    tilt, fall = np.cos(shear), np.sin(shear)
    m = np.empty((6, count))
    m[0], m[1] = (cos * tilt - sin * fall) * rows, sin * columns
    m[3], m[4] = (-sin * tilt - cos * fall) * rows, cos * columns
    y, x = (size[0] - 1) / 2, (size[1] - 1) / 2
    m[2] = y - m[0] * y - m[1] * x + cos * shift[0] + sin * shift[1]
    m[5] = x - m[3] * y - m[4] * x - sin * shift[0] + cos * shift[1]
    return np.ascontiguousarray(m.T)


def key_of(seed: int | None) -> int:
    """The seed, or where it is None, a new key."""
    check_seed(seed, "seed")
    return int(random.new_key()) if seed is None else int(seed)
