"""ImageDataGenerator with Keras's arguments, on the kernels of `scratchnet.augment`; new programs are better off there.

Keras counts it among its legacy. What is its own here:

- height_shift_range moves rows and width_shift_range columns, about the picture's true centre. (Keras 3 has them the
  other way round, and turns pictures that are not square about another point; with square pictures and equal ranges
  nothing differs.)
- With fill_mode="constant" or "wrap", what lies half outside is blended with what is there (SciPy's "grid-constant" and
  "grid-wrap"); Keras takes SciPy's modes of those names, which have a hard edge, and a period of one pixel less.
- Brightness is computed in floats, in the pictures' own range; Keras stretches each picture to 0 to 255 before, and
  rounds to bytes, so that pictures from 0 to 1 become black.
- `flow_from_directory` passes over folders and files whose names begin with a dot; Keras takes them for classes and
  pictures.
- Where `fit` is missing, Keras warns and leaves the normalization out; here it is an error.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from scratchnet import kernels
from scratchnet.annotations import checked
from scratchnet.arguments import (
    check_choice,
    check_count,
    check_dtype,
    check_number,
    check_seed,
    check_sizes,
    is_flag,
    is_number,
    shortened,
)
from scratchnet.augment import affine, check_pictures, draws, key_of
from scratchnet.devices import array_module, as_array, like
from scratchnet.kernels.interface import FILL_MODES
from scratchnet.preprocessing.brightness import brightened
from scratchnet.preprocessing.flows import Flows
from scratchnet.preprocessing.ranges import are_numbers, as_factors, shift
from scratchnet.signatures import OnlyDefault
from scratchnet.utils.pictures import array_to_img, img_to_array, load_img, save_img

__all__ = ["ImageDataGenerator", "array_to_img", "img_to_array", "load_img", "save_img"]

TRANSFORM = (
    "theta", "tx", "ty", "shear", "zx", "zy", "flip_horizontal", "flip_vertical", "channel_shift_intensity",
    "brightness",
)  # fmt: skip


class ImageDataGenerator(Flows):
    """Pictures moved, turned, recoloured and brought to scale: `model.fit(datagen.flow(x, y, 32), epochs=...)`.

    First the picture is moved (rotation, shift, shear, zoom, mirrored), then recoloured (channel shift, brightness),
    then standardized: preprocessing_function, rescale, samplewise, featurewise, ZCA. Random numbers are the
    augmentation's own, see `scratchnet.augment`: a run that is resumed goes on to the same bits.

    Args:
        featurewise_center, featurewise_std_normalization: subtract the mean of the data set, divide by its deviation,
            for each channel; found by `fit`.
        samplewise_center, samplewise_std_normalization: the same with the picture's own mean and deviation.
        zca_whitening, zca_epsilon: make pixels uncorrelated, by a matrix that `fit` finds. (H W C)^2 numbers: for
            small pictures.
        rotation_range: degrees to either side.
        width_shift_range, height_shift_range: below 1 a share of the size, else pixels; an int n draws a whole number
            below n, a list one of its numbers, both to either side.
        brightness_range: (lowest, highest) factor, of how far each number is from black; 1 changes nothing.
        shear_range: degrees to either side.
        zoom_range: (lowest, highest) factor for each axis, or z for (1 - z, 1 + z); below 1 enlarges.
        channel_shift_range: added to all channels, to either side, kept between the picture's lowest and highest.
        fill_mode, cval: what lies outside: "nearest", "constant" (cval), "reflect", "wrap".
        horizontal_flip, vertical_flip: for every second picture.
        rescale: a factor, such as 1 / 255; None for none.
        preprocessing_function: takes one picture (H, W, C) and returns one of its shape, before anything is rescaled.
        validation_split: the share, at the beginning, that `flow(..., subset="validation")` takes.
        dtype: float32 or float64; in `fit` of a model, it is the model's.
        value_range: (black, white) of the pictures, for brightness; None for 0 to 255, to 65535 for uint16, and to 1
            for floats of which none is larger. Floats below 0 need it.

    Raises:
        ValueError: a bad argument.

    Source: https://www.tensorflow.org/api_docs/python/tf/keras/preprocessing/image/ImageDataGenerator
    """

    def __init__(
        self,
        featurewise_center: bool = False,
        samplewise_center: bool = False,
        featurewise_std_normalization: bool = False,
        samplewise_std_normalization: bool = False,
        zca_whitening: bool = False,
        zca_epsilon: float = 1e-6,
        rotation_range: float = 0,
        width_shift_range: Any = 0.0,
        height_shift_range: Any = 0.0,
        brightness_range: tuple[float, float] | None = None,
        shear_range: float = 0.0,
        zoom_range: float | tuple[float, float] = 0.0,
        channel_shift_range: float = 0.0,
        fill_mode: str = "nearest",
        cval: float = 0.0,
        horizontal_flip: bool = False,
        vertical_flip: bool = False,
        rescale: float | None = None,
        preprocessing_function: Callable[[np.ndarray], np.ndarray] | None = None,
        data_format: OnlyDefault = None,
        validation_split: float = 0.0,
        interpolation_order: OnlyDefault = 1,
        dtype: Any = None,
        *,
        value_range: tuple[float, float] | None = None,
    ):
        caller = "ImageDataGenerator"
        super().__init__(
            caller,
            (featurewise_center, featurewise_std_normalization),
            (samplewise_center, samplewise_std_normalization),
            (zca_whitening, zca_epsilon),
            rescale,
            preprocessing_function,
            validation_split,
        )
        zoom: Any = zoom_range
        self.zoom_range = as_factors((1 - zoom, 1 + zoom) if is_number(zoom) else zoom, "zoom_range", zoom)
        factors = brightness_range
        if value_range is not None and not -math.inf < value_range[0] < value_range[1] < math.inf:
            raise ValueError(f"{caller}: expected value_range as (black, white), got {value_range!r}.")
        self.value_range = None if value_range is None else (float(value_range[0]), float(value_range[1]))
        self.brightness_range = None if factors is None else as_factors(factors, "brightness_range", factors)
        for name, value in (("width_shift_range", width_shift_range), ("height_shift_range", height_shift_range)):
            numbers = [value] if is_number(value) else value
            if not are_numbers(numbers) or not all(abs(number) <= 1e6 for number in numbers):
                raise ValueError(
                    f"{caller}: expected {name} as a finite number, or a list of some, got {shortened(value)}. "
                    "None may be above a million."
                )
        ranges = {"rotation_range": rotation_range, "shear_range": shear_range}
        for name, value in {**ranges, "channel_shift_range": channel_shift_range, "cval": cval}.items():
            if not is_number(value) or not math.isfinite(value):
                raise ValueError(f"{caller}: expected {name} as a finite number, got {value!r}.")
        self.rotation_range, self.shear_range = rotation_range, shear_range
        self.width_shift_range, self.height_shift_range = width_shift_range, height_shift_range
        self.channel_shift_range, self.cval = channel_shift_range, cval
        self.fill_mode = check_choice(fill_mode, FILL_MODES, "fill_mode")
        self.horizontal_flip, self.vertical_flip = horizontal_flip, vertical_flip
        self.dtype = np.dtype(np.float32) if dtype is None else check_dtype(dtype, "dtype", caller)

    def change(self, x: np.ndarray, index: np.ndarray, step: int, key: int, dtype: Any) -> np.ndarray:
        """Moved, recoloured and standardized; see Augmentation."""
        self.check_fitted(x.shape[-1])
        plain = self.channel_shift_range == 0 and self.brightness_range is None
        scale, offset = self.as_scale_and_offset() if plain else (None, None)
        y = self._apply(x, index, self._parameters(draws(key, step, index), x.shape[1:3]), dtype, scale, offset)
        return y if scale is not None else self.standardize(y)

    def changed(self, x: np.ndarray, rounds: int = 1, seed: int | None = None) -> np.ndarray:
        """All pictures, `rounds` times one after the other, moved and recoloured at random, not standardized."""
        rounds = check_count(rounds, "rounds", "fit")
        key, index = key_of(seed), np.arange(len(x))
        passes = [self._parameters(draws(key, step, index), x.shape[1:3]) for step in range(rounds)]
        return array_module(x).concatenate([self._apply(x, index, parameters, self.dtype) for parameters in passes])

    @checked
    def get_random_transform(self, img_shape: Sequence[int], seed: int | None = None) -> dict[str, Any]:
        """Random parameters for a picture of shape (H, W, C), for `apply_transform`.

        theta and shear in degrees, tx and ty in pixels (rows, columns), zx and zy the zoom of each, flip_horizontal,
        flip_vertical, channel_shift_intensity and brightness (None where not used).
        """
        check_seed(seed, "get_random_transform")
        if len(check_sizes(img_shape, "img_shape", "get_random_transform")) != 3:
            raise ValueError(f"get_random_transform: expected img_shape as (H, W, C), got {img_shape!r}.")
        u = draws(key_of(seed), 0, np.zeros(1, np.int64))
        return {k: None if v is None else v[0].item() for k, v in self._parameters(u, tuple(img_shape[:2])).items()}

    @checked
    def apply_transform(self, x: np.ndarray, transform_parameters: Mapping[str, Any]) -> np.ndarray:
        """One picture (H, W, C), moved and recoloured by parameters as `get_random_transform` has them; new array."""
        for name in transform_parameters:
            check_choice(name, TRANSFORM, "parameter of apply_transform")
        for name, value in transform_parameters.items():
            if value is not None and not is_flag(value):
                check_number(value, f"transform_parameters[{name!r}]", "apply_transform")
        parameters = {k: None if v is None else np.array([v]) for k, v in transform_parameters.items()}
        x = as_array(x)[None]
        check_pictures(x, "apply_transform")
        return self._apply(x, np.zeros(1, np.int64), parameters, self.dtype)[0]

    @checked
    def random_transform(self, x: np.ndarray, seed: int | None = None) -> np.ndarray:
        """One picture (H, W, C), moved and recoloured at random, not standardized."""
        return self.apply_transform(x, self.get_random_transform(np.shape(x), seed))

    def _parameters(self, u: Mapping[str, np.ndarray], size: tuple[int, ...]) -> dict[str, np.ndarray | None]:
        low, high = self.zoom_range
        count, brightness = len(u["rotation"]), self.brightness_range
        return {
            "theta": (2 * u["rotation"] - 1) * self.rotation_range,
            "tx": shift(self.height_shift_range, u["height_shift"], size[0]),
            "ty": shift(self.width_shift_range, u["width_shift"], size[1]),
            "shear": (2 * u["shear"] - 1) * self.shear_range,
            "zx": low + (high - low) * u["zoom"],
            "zy": low + (high - low) * u["zoom_columns"],
            "flip_horizontal": (u["horizontal_flip"] < 0.5) & np.full(count, bool(self.horizontal_flip)),
            "flip_vertical": (u["vertical_flip"] < 0.5) & np.full(count, bool(self.vertical_flip)),
            "channel_shift_intensity": (2 * u["channel_shift"] - 1) * self.channel_shift_range
            if self.channel_shift_range
            else None,
            "brightness": None
            if brightness is None
            else brightness[0] + (brightness[1] - brightness[0]) * u["brightness"],
        }

    def _apply(
        self, x: np.ndarray, index: np.ndarray, p: Mapping[str, Any], dtype: Any, scale: Any = None, offset: Any = None
    ) -> np.ndarray:
        matrix = affine(
            x.shape[1:3],
            len(index),
            np.deg2rad(p.get("theta", 0.0)),
            (p.get("tx", 0.0), p.get("ty", 0.0)),
            np.deg2rad(p.get("shear", 0.0)),
            (p.get("zx", 1.0), p.get("zy", 1.0)),
            (p.get("flip_vertical", False), p.get("flip_horizontal", False)),
        )
        y = kernels.of(x).augment(x, index, matrix, self.fill_mode, self.cval, scale=scale, offset=offset, dtype=dtype)
        axes, module = (1, 2, 3), array_module(y)
        if (added := p.get("channel_shift_intensity")) is not None:
            low, high = y.min(axes, keepdims=True), y.max(axes, keepdims=True)
            y = module.clip(y + like(added.astype(y.dtype)[:, None, None, None], y), low, high)
        if (factor := p.get("brightness")) is not None:
            y = brightened(y, factor, x.dtype, self.value_range)
        return y
