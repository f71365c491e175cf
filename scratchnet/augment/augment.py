"""Augment: random crops, flips, turns, colours and holes, as nearly all work on small pictures uses them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from scratchnet import kernels
from scratchnet.arguments import as_floats, check_choice, check_seed, is_number
from scratchnet.augment.augmentation import Augmentation
from scratchnet.augment.parameters import affine, draws
from scratchnet.kernels.interface import FILL_MODES


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
        horizontal_flip: whether left and right change places, for every second picture. "alternating": half of the
            pictures, drawn once, are mirrored in the first pass over the data, the others in the second, and so on:
            two passes show each picture both ways, and none twice the same way.
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

    Sources: crops and flips: He et al., arXiv 1512.03385, section 4.2; cutout: DeVries and Taylor, arXiv 1708.04552;
    alternating flips: Jordan, arXiv 2404.00498, section 3.6.
    """

    def __init__(
        self,
        crop_padding: int = 4,
        horizontal_flip: bool | str = True,
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
        for name, pixels in (("crop_padding", crop_padding), ("cutout", cutout)):
            if not isinstance(pixels, (int, np.integer)) or not 0 <= pixels <= 10_000:
                raise ValueError(f"Augment: expected {name} in whole pixels, 0 for none, got {pixels!r}.")
        for name, value, limit in (("rotation", rotation, 180), ("width_shift", width_shift, 1),
                                   ("height_shift", height_shift, 1), ("brightness", brightness, 1),
                                   ("contrast", contrast, 1)):  # fmt: skip
            if not is_number(value) or not 0 <= value <= limit:
                unit = "degrees" if name == "rotation" else "a share"
                raise ValueError(f"Augment: expected {name} as {unit} from 0 to {limit}, got {value!r}.")
        if not is_number(zoom) or not 0 <= zoom < 1:
            raise ValueError(f"Augment: expected zoom as a share from 0 to below 1, got {zoom!r}.")
        limits, fill = None if value_range is None else _as_limits(value_range), as_floats(cval)
        if fill is None or np.ndim(fill) > 1 or not np.isfinite(fill).all():
            raise ValueError(f"Augment: expected cval as a finite number, or one for each channel, got {cval!r}.")
        check_seed(seed, "Augment")
        self.crop_padding, self.cutout = int(crop_padding), int(cutout)
        if isinstance(horizontal_flip, str):
            check_choice(horizontal_flip, ("alternating",), "horizontal_flip")
        self.alternating = isinstance(horizontal_flip, str)
        self.horizontal_flip, self.vertical_flip = bool(horizontal_flip), bool(vertical_flip)
        self.rotation, self.zoom = float(rotation), float(zoom)
        self.width_shift, self.height_shift = float(width_shift), float(height_shift)
        self.brightness, self.contrast = float(brightness), float(contrast)
        self.fill_mode, self.cval = check_choice(fill_mode, FILL_MODES, "fill_mode"), fill
        self.value_range, self.seed = limits, seed

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this object again; of arrays, their numbers."""
        return {**super().get_config(), "cval": self.cval, "value_range": self.value_range}

    def __repr__(self) -> str:
        return f"Augment({', '.join(f'{name}={value!r}' for name, value in self.get_config().items())})"

    def change(self, x: np.ndarray, index: np.ndarray, step: int, key: int, dtype: Any) -> np.ndarray:
        """Moved, recoloured, cut into; see Augmentation."""
        if self.cutout > min(x.shape[1:3]):
            raise ValueError(
                f"Augment: expected a cutout smaller than the pictures, which have {x.shape[1]} x {x.shape[2]} pixels, "
                f"got cutout={self.cutout}. A quarter to a half of their size is usual."
            )
        u = draws(key, step, index)
        low, high = self._limits(x, index)
        if isinstance(self.cval, list) and len(self.cval) != x.shape[-1]:
            raise ValueError(
                f"Augment: expected cval as one number, or one for each of the {x.shape[-1]} channels, got {self.cval}."
            )
        return kernels.of(x).augment(
            x,
            index,
            self._matrix(u, x.shape[1:3], self._mirrored(u, index, step, key)),
            self.fill_mode,
            self.cval,
            self._colour(u, high - low),
            (low, high),
            self._hole(u, x.shape[1:3]),
            dtype=dtype,
        )

    def _limits(self, x: np.ndarray, index: np.ndarray) -> tuple[float, float]:
        """What recoloured pictures are kept within."""
        low, high = self.value_range or ((0, 255) if x.dtype.kind in "ui" else (0, 1))
        fits = x.dtype == np.uint8 and low <= 0 and high >= 255
        if (self.brightness or self.contrast) and not fits:
            found = x[index]
            lowest, highest = float(found.min()), float(found.max())
            slack = 0 if self.value_range is None else 1e-3 * (high - low)  # through rounding or resizing
            if not (low - slack <= lowest and highest <= high + slack):
                raise ValueError(
                    f"Augment: brightness and contrast keep {x.dtype} pictures from {low:g} to {high:g}, and these go "
                    f"from {lowest:g} to {highest:g}. Give their own scale, such as value_range=(0, 255)."
                )
        return low, high

    def _mirrored(self, u: Mapping[str, np.ndarray], index: np.ndarray, step: int, key: int) -> np.ndarray:
        """Which pictures have left and right exchanged; alternating, it is the first pass's draw that counts."""
        if self.alternating:
            first = u if step == 0 else draws(key, 0, index)
            return (first["horizontal_flip"] < 0.5) ^ (step % 2 == 1)
        return (u["horizontal_flip"] < 0.5) & self.horizontal_flip

    def _matrix(self, u: Mapping[str, np.ndarray], size: tuple[int, int], mirrored: np.ndarray) -> np.ndarray:
        steps = 2 * self.crop_padding + 1  # from -crop_padding to crop_padding
        rows = np.floor(u["crop_row"] * steps) - self.crop_padding
        columns = np.floor(u["crop_column"] * steps) - self.crop_padding
        if self.height_shift:
            rows += _centred(u["height_shift"], self.height_shift * size[0])
        if self.width_shift:
            columns += _centred(u["width_shift"], self.width_shift * size[1])
        zoom = 1 + _centred(u["zoom"], self.zoom)
        flips = (u["vertical_flip"] < 0.5) & self.vertical_flip, mirrored
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


def _as_limits(value_range: Any) -> tuple[float, float]:
    limits = as_floats(value_range)
    if not isinstance(limits, list) or np.shape(limits) != (2,) or not limits[0] < limits[1]:
        raise ValueError(f"Augment: expected value_range as (lowest, highest) or None, got {value_range!r}.")
    return limits[0], limits[1]


def _centred(u: np.ndarray, largest: float) -> np.ndarray:
    """From -largest to largest."""
    return (2 * u - 1) * largest
