"""Bringing pictures to scale by constants, by their own statistics, or by those of a data set."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from scratchnet.annotations import checked
from scratchnet.arguments import check_number
from scratchnet.augment import Augmentation, check_pictures
from scratchnet.devices import array_module, as_array, like, to_numpy

EPSILON = 1e-6  # added to deviations, as in Keras
PART = 256  # pictures of which the statistics are taken at a time


def _parts(x: np.ndarray, scale: float) -> Iterator[np.ndarray]:
    """All pictures times the scale in float64, some at a time: whole, they take eight times the bytes' memory."""
    for start in range(0, len(x), PART):
        yield to_numpy(x[start : start + PART]) * np.float64(scale)


class Standardization(Augmentation):
    """What `ImageDataGenerator` does to a picture at last, in this order.

    preprocessing_function, rescale, the picture's own mean and deviation, the data set's, and ZCA whitening.

    Attributes:
        mean, std: (C,), of the data set, after rescaling; None before `fit`.
        zca_whitening_matrix: (H W C, H W C); None before `fit`, or where it is not wanted.

    Args:
        caller: how errors begin.
        featurewise, samplewise: (subtract the mean, divide by the deviation).
        zca: (whether, epsilon).
        rescale, preprocessing_function: as in ImageDataGenerator.
    """

    def __init__(
        self,
        caller: str,
        featurewise: tuple[bool, bool],
        samplewise: tuple[bool, bool],
        zca: tuple[bool, float],
        rescale: float | None,
        preprocessing_function: Callable[[np.ndarray], np.ndarray] | None,
    ):
        if rescale is not None:
            check_number(rescale, "rescale", caller)
        check_number(zca[1], "zca_epsilon", caller, 0, above=True)
        # As in Keras: a deviation is about its mean, and whitening does what a deviation would.
        self.zca_whitening, self.zca_epsilon = zca
        self.featurewise_std_normalization = featurewise[1] and not self.zca_whitening
        self.featurewise_center = any(featurewise) or self.zca_whitening
        self.samplewise_center, self.samplewise_std_normalization = any(samplewise), samplewise[1]
        self.rescale, self.preprocessing_function = rescale, preprocessing_function
        self.mean: np.ndarray | None = None
        self.std: np.ndarray | None = None
        self.zca_whitening_matrix: np.ndarray | None = None

    @checked
    def fit(self, x: np.ndarray, augment: bool = False, rounds: int = 1, seed: int | None = None) -> None:
        """Find mean, deviation and whitening matrix of a data set, in float64.

        Args:
            x: pictures (N, H, W, C).
            augment: whether they are changed at random before.
            rounds: how often each is, if so.
            seed: for that.

        Raises:
            ValueError: no pictures.
        """
        x = as_array(x)
        check_pictures(x, "ImageDataGenerator.fit")
        if augment:
            x = self.changed(x, rounds, seed)
        scale = 1 if self.rescale is None else self.rescale
        pixels = x.shape[0] * x.shape[1] * x.shape[2]
        mean = sum(part.sum((0, 1, 2)) for part in _parts(x, scale)) / pixels
        # About the mean, in a second pass: the mean of squares less the square of the mean may lose all its digits.
        self.mean, self.std = (
            mean,
            np.sqrt(sum(((part - mean) ** 2).sum((0, 1, 2)) for part in _parts(x, scale)) / pixels),
        )
        if self.zca_whitening:
            flat = (to_numpy(x) * np.float64(scale) - mean).reshape(len(x), -1)
            u, s, _ = np.linalg.svd(flat.T, full_matrices=False)
            self.zca_whitening_matrix = (u * (np.sqrt(len(x)) / (s + self.zca_epsilon))) @ u.T

    def changed(self, x: np.ndarray, rounds: int = 1, seed: int | None = None) -> np.ndarray:
        """All pictures, `rounds` times one after the other, changed at random, not standardized."""
        raise NotImplementedError

    def check_fitted(self, channels: int | None = None) -> None:
        """Raise a ValueError if statistics of a data set are wanted and `fit` has not found them, or others."""
        if not self.featurewise_center:
            return
        size = np.size(_found(self.mean))
        if channels is not None and size not in (1, channels):
            raise ValueError(
                f"ImageDataGenerator: the mean is of {size} channels, the pictures have {channels}. Call "
                "datagen.fit with pictures like these."
            )

    def as_scale_and_offset(self) -> tuple[Any, Any]:
        """The standardization as v * scale + offset, for each channel; (None, None) where it is more than that."""
        if self.samplewise_center or self.zca_whitening or self.preprocessing_function is not None:
            return None, None
        scale = np.float64(1 if self.rescale is None else self.rescale)
        if not self.featurewise_center:
            return scale, np.float64(0)
        deviation = _found(self.std) + EPSILON if self.featurewise_std_normalization else 1.0
        return scale / deviation, -_found(self.mean) / deviation

    @checked
    def standardize(self, x: np.ndarray) -> np.ndarray:
        """Pictures brought to scale, as a new array of float32, or of float64 if x is.

        Args:
            x: one picture (H, W, C), or several (N, H, W, C), each with its own mean and deviation.

        Raises:
            ValueError: `fit` is missing.
        """
        x = as_array(x)
        if x.ndim not in (3, 4):
            raise ValueError(f"standardize: expected x of shape (H, W, C) or (N, H, W, C), got {x.shape}.")
        self.check_fitted(x.shape[-1])
        module = array_module(x)
        y: np.ndarray = module.array(x, np.float64 if x.dtype == np.float64 else np.float32)
        if (function := self.preprocessing_function) is not None:
            pictures = [_preprocessed(function, picture) for picture in y.reshape(-1, *y.shape[-3:])]
            y = module.stack(pictures).reshape(y.shape)
        if self.rescale is not None:
            y *= y.dtype.type(self.rescale)
        if self.samplewise_center:
            y -= y.mean((-3, -2, -1), keepdims=True)
        if self.samplewise_std_normalization:
            y /= y.std((-3, -2, -1), keepdims=True) + y.dtype.type(EPSILON)
        if self.featurewise_center:
            y -= like(_found(self.mean).astype(y.dtype), y)
        if self.featurewise_std_normalization:
            y /= like((_found(self.std) + EPSILON).astype(y.dtype), y)
        if self.zca_whitening:
            matrix = like(_found(self.zca_whitening_matrix).astype(y.dtype), y)
            y = (y.reshape(-1, len(matrix)) @ matrix).reshape(y.shape)
        return y

    def identity(self) -> str:
        """What must be the same in a run that goes on with another's state: arguments and statistics."""
        config = self.get_config()
        if (function := config["preprocessing_function"]) is not None:
            config["preprocessing_function"] = getattr(function, "__qualname__", type(function).__name__)
        statistics = b"".join(a.tobytes() for a in (self.mean, self.std, self.zca_whitening_matrix) if a is not None)
        text = json.dumps(config, sort_keys=True, default=str)
        return f"{type(self).__name__} with {text} and statistics {zlib.crc32(statistics):08x}"


def _found(statistic: np.ndarray | None) -> np.ndarray:
    if statistic is None:
        raise ValueError(
            "ImageDataGenerator: featurewise normalization and whitening need the statistics of the data set. Call "
            "datagen.fit(x_train) first."
        )
    return statistic


def _preprocessed(function: Callable[[np.ndarray], np.ndarray], picture: np.ndarray) -> np.ndarray:
    result = function(picture)
    if np.shape(result) != picture.shape:
        came = "None" if result is None else f"shape {np.shape(result)}"
        raise ValueError(
            f"ImageDataGenerator: expected preprocessing_function to return a picture of shape {picture.shape}, as "
            f"it got one, and it returned {came}."
        )
    return as_array(result, picture.dtype)
