"""Augmentation: pictures are moved, turned and recoloured a little each time they are trained on: none is seen twice.

What happens to a picture follows from three numbers alone, by a counter-based generator (Philox): the key of the run,
the number of the pass over the data, and the picture's own number. It does not depend on the threads, on the batch that
the picture is in, or on the order; a resumed run needs to remember the key only.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from scratchnet import kernels, random
from scratchnet.arguments import as_floats, check_choice, is_number
from scratchnet.config import Configurable, describe
from scratchnet.kernels.cpu.augment import FILL_MODES
from scratchnet.kernels.cpu.gather import check_index

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
    """(count, 6) matrices for `kernels.cpu.augment`: where each pixel of a result comes from.

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


def check_pictures(x: np.ndarray, caller: str) -> None:
    """Raise a ValueError unless x is (N, H, W, C)."""
    if x.ndim != 4 or 0 in x.shape:
        hint = " Grey pictures need a channel axis: x[..., None]." if x.ndim == 3 else ""
        raise ValueError(f"{caller}: expected pictures of shape (N, H, W, C), got {x.shape}.{hint}")


class Augmentation(Configurable):
    """What changes pictures at random while they are trained on: Augment, ImageDataGenerator, or a class of yours.

    A class of yours has `change(x, index, step, key, dtype)`, which gets what `__call__` has checked and filled in.
    """

    seed: int | None = None

    def __call__(
        self,
        x: np.ndarray,
        index: np.ndarray | None = None,
        step: int = 0,
        key: int | None = None,
        dtype: Any = np.float32,
    ) -> np.ndarray:
        """The augmented pictures x[index], fresh.

        Args:
            x: all pictures, (M, H, W, C), bytes or floats.
            index: (N,), the numbers of those that are wanted, None for all.
            step: the number of the pass over the data: another one, other changes.
            key: 64 bits; None for the seed, or where there is none, for newly drawn ones.
            dtype: float32 or float64.

        Raises:
            ValueError: x is not (M, H, W, C).
            IndexError: an index out of range.
        """
        x = np.asarray(x)
        check_pictures(x, type(self).__name__)
        index = np.arange(len(x)) if index is None else check_index(index, len(x))
        return self.change(x, index, step, key_of(self.seed) if key is None else key, dtype)

    def change(self, x: np.ndarray, index: np.ndarray, step: int, key: int, dtype: Any) -> np.ndarray:
        """The pictures x[index], each changed by random numbers of (key, step, its index); fresh."""
        raise NotImplementedError

    def identity(self) -> str:
        """What must be the same in a run that goes on with another's state."""
        return f"{type(self).__name__} with {json.dumps(describe(self, type(self).__name__)['config'])}"


class Augment(Augmentation):
    """Random changes to pictures, for training: `fit(..., augment=Augment())`, or by hand `augment(x)`.

    By default what nearly all work on small pictures uses: a crop out of the picture with 4 more pixels on each side,
    mirrored or not. In this order, each by a random number of its own:

    - moved: by crop_padding, by the shifts, mirrored, turned, zoomed; all in one matrix. Crops and mirroring alone copy
      pixels, whatever else blends four;
    - recoloured: contrast about the picture's own mean, then brightness, kept within value_range;
    - cut into: a square of cutout x cutout pixels is set to cval. Its centre is anywhere, so it may lie half outside.

    Pictures keep their scale: normalize in the model, by `sn.layers.Rescaling` or `sn.layers.Normalization` as its
    first layer, and what is trained on, validated on and predicted from is normalized alike. In `fit`, only what is
    trained on is augmented.

    All cores work on a batch, between one step and the next, and there is no thread beside the training: on two cores,
    32 pictures of 32 x 32 x 3 bytes take some 0.2 ms, with everything switched on 0.4 ms: 2 to 8% of a training step.

    Args:
        crop_padding: pixels by which a picture moves at most, up or down and left or right, in whole pixels.
        horizontal_flip: whether left and right change places, for every second picture.
        vertical_flip: whether top and bottom do.
        rotation: the largest angle in degrees, to either side.
        zoom: the size changes by a factor from 1 - zoom to 1 + zoom; both axes alike.
        width_shift, height_shift: the largest move, as a share of the width or the height.
        brightness: up to this share of the value range is added or taken away.
        contrast: differences from the mean are multiplied by 1 - contrast to 1 + contrast.
        cutout: the side of the square in pixels.
        fill_mode: what lies outside, around abcd: "reflect" (dcba abcd dcba), "constant" (cval), "nearest" (aaaa abcd
            dddd), "wrap" (abcd abcd abcd).
        cval: for fill_mode="constant" and cutout: a number in the pictures' scale, or one for each channel.
        value_range: (lowest, highest) number of the pictures; None for (0, 255) with whole numbers, (0, 1) with others;
            pictures beyond are an error where brightness or contrast needs the range.
        seed: 64 bits; None to draw new ones (by `sn.set_random_seed`'s generator) for each run of fit, or call.

    Raises:
        ValueError: a bad argument.

    Sources: crops and flips: He et al., arXiv 1512.03385, section 4.2; cutout: DeVries and Taylor, arXiv 1708.04552.
    """

    def __init__(
        self,
        crop_padding: int = 4,
        horizontal_flip: bool = True,
        vertical_flip: bool = False,
        rotation: float = 0.0,
        zoom: float = 0.0,
        width_shift: float = 0.0,
        height_shift: float = 0.0,
        brightness: float = 0.0,
        contrast: float = 0.0,
        cutout: int = 0,
        fill_mode: str = "reflect",
        cval: Any = 0.0,
        value_range: tuple[float, float] | None = None,
        seed: int | None = None,
    ):
        for name, value in (("crop_padding", crop_padding), ("cutout", cutout)):
            if not isinstance(value, (int, np.integer)) or not 0 <= value <= 10_000:
                raise ValueError(f"Augment: expected {name} in whole pixels, 0 for none, got {value!r}.")
        for name, value, limit in (("rotation", rotation, 180), ("width_shift", width_shift, 1),
                                   ("height_shift", height_shift, 1), ("brightness", brightness, 1),
                                   ("contrast", contrast, 1)):  # fmt: skip
            if not is_number(value) or not 0 <= value <= limit:
                unit = "degrees" if name == "rotation" else "a share"
                raise ValueError(f"Augment: expected {name} as {unit} from 0 to {limit}, got {value!r}.")
        if not is_number(zoom) or not 0 <= zoom < 1:
            raise ValueError(f"Augment: expected zoom as a share from 0 to below 1, got {zoom!r}.")
        limits, fill = (None if value is None else as_floats(value) for value in (value_range, cval))
        if value_range is not None and not (np.shape(limits) == (2,) and limits[0] < limits[1]):
            raise ValueError(f"Augment: expected value_range as (lowest, highest) or None, got {value_range!r}.")
        if fill is None or np.ndim(fill) > 1 or not np.isfinite(fill).all():
            raise ValueError(f"Augment: expected cval as a finite number, or one for each channel, got {cval!r}.")
        check_seed(seed, "Augment")
        self.crop_padding, self.cutout = int(crop_padding), int(cutout)
        self.horizontal_flip, self.vertical_flip = bool(horizontal_flip), bool(vertical_flip)
        self.rotation, self.zoom = float(rotation), float(zoom)
        self.width_shift, self.height_shift = float(width_shift), float(height_shift)
        self.brightness, self.contrast = float(brightness), float(contrast)
        self.fill_mode, self.cval = check_choice(fill_mode, FILL_MODES, "fill_mode"), fill
        self.value_range, self.seed = None if limits is None else tuple(limits), seed

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this object again; of arrays, their numbers."""
        return {**super().get_config(), "cval": self.cval, "value_range": self.value_range}

    def __repr__(self) -> str:
        return f"Augment({', '.join(f'{name}={value!r}' for name, value in self.get_config().items())})"

    def change(self, x: np.ndarray, index: np.ndarray, step: int, key: int, dtype: Any) -> np.ndarray:
        """Moved, recoloured, cut into; see Augmentation."""
        u = draws(key, step, index)
        low, high = self._limits(x, index)
        if np.ndim(self.cval) and len(self.cval) != x.shape[-1]:
            raise ValueError(
                f"Augment: expected cval as one number, or one for each of the {x.shape[-1]} channels, got {self.cval}."
            )
        return kernels.of(x).augment(
            x,
            index,
            self._matrix(u, x.shape[1:3]),
            self.fill_mode,
            self.cval,
            self._colour(u, high - low),
            (low, high),
            self._hole(u, x.shape[1:3]),
            dtype=dtype,
        )

    def _limits(self, x: np.ndarray, index: np.ndarray) -> tuple[float, float]:
        """What recoloured pictures are kept within."""
        if self.value_range is not None:
            return self.value_range
        low, high = (0, 255) if x.dtype.kind in "ui" else (0, 1)
        if (self.brightness or self.contrast) and x.dtype != np.uint8:
            found = x[index]
            if found.min() < low or found.max() > high:
                raise ValueError(
                    f"Augment: brightness and contrast keep {x.dtype} pictures from {low} to {high}, and these go from "
                    f"{found.min():g} to {found.max():g}. Give their own scale, such as value_range=(0, 255)."
                )
        return low, high

    def _matrix(self, u: Mapping[str, np.ndarray], size: tuple[int, int]) -> np.ndarray:
        steps = 2 * self.crop_padding + 1  # from -crop_padding to crop_padding
        rows = np.floor(u["crop_row"] * steps) - self.crop_padding
        columns = np.floor(u["crop_column"] * steps) - self.crop_padding
        if self.height_shift:
            rows += _centred(u["height_shift"], self.height_shift * size[0])
        if self.width_shift:
            columns += _centred(u["width_shift"], self.width_shift * size[1])
        zoom = 1 + _centred(u["zoom"], self.zoom)
        flips = (
            (u["vertical_flip"] < 0.5) & self.vertical_flip,
            (u["horizontal_flip"] < 0.5) & self.horizontal_flip,
        )
        angle = _centred(u["rotation"], math.radians(self.rotation))
        return affine(size, len(rows), angle, (rows, columns), 0.0, (zoom, zoom), flips)

    def _colour(self, u: Mapping[str, np.ndarray], extent: float) -> np.ndarray | None:
        if not self.brightness and not self.contrast:
            return None
        contrast = 1 + _centred(u["contrast"], self.contrast)
        return np.stack([contrast, np.ones_like(contrast), _centred(u["brightness"], self.brightness * extent)], axis=1)

    def _hole(self, u: Mapping[str, np.ndarray], size: tuple[int, int]) -> np.ndarray | None:
        if not self.cutout:
            return None
        sides = []
        for name, extent in zip(("cutout_row", "cutout_column"), size):
            first = np.floor(u[name] * extent) - self.cutout // 2
            sides += [first, first + self.cutout]
        return np.stack(sides, axis=1).astype(np.int64)


def check_seed(seed: Any, caller: str) -> None:
    """Raise a ValueError unless it is None or 64 bits."""
    if seed is not None and (not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**64):
        raise ValueError(f"{caller}: expected seed to be a whole number from 0 to below 2**64, or None, got {seed!r}.")


def key_of(seed: int | None) -> int:
    """The seed, or where it is None, a new key."""
    return int(random.new_key()) if seed is None else int(seed)


def _centred(u: np.ndarray, largest: float) -> np.ndarray:
    """From -largest to largest."""
    return (2 * u - 1) * largest
