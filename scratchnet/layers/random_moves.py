"""Pictures turned, zoomed and shifted at random while a network trains: each by a matrix of its own."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from scratchnet import kernels
from scratchnet.arguments import check_choice, check_number
from scratchnet.devices import array_module, like
from scratchnet.kernels.interface import FILL_MODES
from scratchnet.layers.random_pictures import Factor, RandomPictures, between
from scratchnet.layers.resize import INTERPOLATIONS
from scratchnet.signatures import OnlyDefault


class RandomMove(RandomPictures):
    """In training, pixel (i, j) of a result comes from the place (a, b) of the picture, by its matrix m.

        (a, b) = (m0 i + m1 j + m2, m3 i + m4 j + m5),  y[n,i,j,c] = sum over k of w_k * x[n,h_k,v_k,c]
        dx[n,h,v,c] = sum of w_k * dy[n,i,j,c] over all i, j, k with (h_k, v_k) = (h, v)

    Bilinear: the four pixels round (a, b), w = (1 - t)(1 - s), (1 - t) s, t (1 - s), t s with t = a - floor(a) and s
    = b - floor(b). Nearest: one pixel, (floor(a + 1/2), floor(b + 1/2)). Pixels outside are those of `fill_mode`.
    """

    def __init__(self, fill_mode: str, interpolation: str, seed: int | None, fill_value: float, **options: Any):
        super().__init__(seed, **options)
        self.fill_mode = check_choice(fill_mode, FILL_MODES, "fill_mode")
        self.interpolation = check_choice(interpolation, INTERPOLATIONS, "interpolation")
        self.fill_value = check_number(fill_value, "fill_value", self.full_name)

    def change(self, x: np.ndarray) -> np.ndarray:
        if self.interpolation == "bilinear":
            return kernels.of(x).augment(x, np.arange(len(x)), self.now, self.fill_mode, self.fill_value, dtype=x.dtype)
        ((index, _, inside),) = self._pixels(x)
        y = kernels.of(x).gather(x.reshape(-1, x.shape[3]), index, x.dtype).reshape(x.shape)
        return array_module(x).where(inside, y, self.fill_value) if self.fill_mode == "constant" else y

    def change_backward(self, dy: np.ndarray) -> np.ndarray:
        xp, C = array_module(dy), dy.shape[3]
        dx = xp.zeros((dy.size // C, C), dy.dtype)
        for index, weight, inside in self._pixels(dy):
            part = dy * xp.where(inside, weight, 0).astype(dy.dtype)
            kernels.of(dy).gather_backward(part.reshape(-1, C), index, dx)
        return dx.reshape(dy.shape)

    def _pixels(self, x: np.ndarray) -> Iterator[tuple[Any, Any, Any]]:
        """For each k: the numbers of the pixels (h_k, v_k) among those of all pictures, w_k, and whether they are any.

        The numbers have shape (N * H * W,), the others (N, H, W, 1).
        """
        (N, H, W, _), xp = x.shape, array_module(x)
        m = like(self.now, x)[:, :, None, None]
        i, j, n = (xp.arange(size, dtype=np.float64) for size in (H, W, N))
        a, b = (m[:, k] * i[:, None] + m[:, k + 1] * j + m[:, k + 2] for k in (0, 3))
        if self.interpolation == "nearest":
            a, b = xp.floor(a + 0.5), xp.floor(b + 0.5)
        top, left = xp.floor(a), xp.floor(b)
        t, s = a - top, b - left
        corners = [(0, 0, (1 - t) * (1 - s)), (0, 1, (1 - t) * s), (1, 0, t * (1 - s)), (1, 1, t * s)]
        for down, right, weight in corners[: 1 if self.interpolation == "nearest" else 4]:
            h, in_rows = _inside(xp, top + down, H, self.fill_mode)
            v, in_columns = _inside(xp, left + right, W, self.fill_mode)
            index = (n[:, None, None] * H + h) * W + v
            yield index.astype(np.int64).reshape(-1), weight[..., None], (in_rows & in_columns)[..., None]


def _inside(xp: Any, i: Any, size: int, mode: str) -> tuple[Any, Any]:
    """The rows or columns that stand for numbers i, which may lie outside; and whether there are any."""
    if mode == "reflect":
        i = i - xp.floor(i / (2 * size)) * (2 * size)
        i = xp.where(i < size, i, 2 * size - 1 - i)
    elif mode == "wrap":
        i = i - xp.floor(i / size) * size
    kept = xp.clip(i, 0, size - 1)
    return kept, (kept == i) if mode == "constant" else xp.ones_like(i, dtype=bool)


def about_middle(m0: Any, m1: Any, m3: Any, m4: Any, H: int, W: int) -> np.ndarray:
    """(N, 6) matrices that leave the middle of the picture where it is."""
    y, x = (H - 1) / 2, (W - 1) / 2
    return np.stack([m0, m1, y - m0 * y - m1 * x, m3, m4, x - m3 * y - m4 * x], axis=1)


class RandomRotation(RandomMove):
    """In training, turns each picture about its middle, by an angle of its own.

        m = (cos, sin, ., -sin, cos, .) of the angle, which goes from lower to upper full turns, to the left where it is
        above 0; see RandomMove for the formula of y and of dx

    Otherwise y = x. What is drawn follows from a key (drawn when the layer is built, or from `seed`), the number of the
    batch, and the picture's place in it.

    Shapes: x (N, H, W, C), y the same.

    Args:
        factor: (lower, upper), each from -1 to 1, in full turns; one number f stands for (-f, f).
        fill_mode: what lies outside, around abcd: "reflect" (dcba abcd dcba), "constant" (fill_value), "nearest" (aaaa
            abcd dddd), "wrap" (abcd abcd abcd).
        interpolation: "bilinear" or "nearest".
        seed: 64 bits, which fix what is drawn whatever `set_random_seed` said.
        fill_value: for fill_mode="constant".

    Raises:
        ValueError: a bad argument.

    Source: https://keras.io/api/layers/preprocessing_layers/image_augmentation/random_rotation/
    """

    def __init__(
        self,
        factor: Factor,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: OnlyDefault = None,
        **options: Any,
    ):
        super().__init__(fill_mode, interpolation, seed, fill_value, **options)
        self.factor = self.interval(factor, "factor", -1, 1)

    def table(self, u: np.ndarray, H: int, W: int) -> np.ndarray:
        angle = 2 * math.pi * between(u[0], self.factor)
        cos, sin = np.cos(angle), np.sin(angle)
        return about_middle(cos, sin, -sin, cos, H, W)


class RandomZoom(RandomMove):
    """In training, shows each picture larger or smaller, by factors of its own, about its middle.

        m = (rows, 0, ., 0, columns, .), each from 1 + lower to 1 + upper: above 1 the picture becomes smaller; see
        RandomMove for the formula of y and of dx

    Otherwise y = x. What is drawn: as for RandomRotation.

    Shapes: x (N, H, W, C), y the same.

    Args:
        height_factor: (lower, upper), each above -1 and up to 1; one number f stands for (-f, f).
        width_factor: alike for the columns; None for the rows' number, so that nothing is stretched.
        fill_mode, interpolation, seed, fill_value: as for RandomRotation.

    Raises:
        ValueError: a bad argument.

    Source: https://keras.io/api/layers/preprocessing_layers/image_augmentation/random_zoom/
    """

    def __init__(
        self,
        height_factor: Factor,
        width_factor: Factor | None = None,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: OnlyDefault = None,
        **options: Any,
    ):
        super().__init__(fill_mode, interpolation, seed, fill_value, **options)
        self.height_factor = self.interval(height_factor, "height_factor", -1, 1, above=True)
        self.width_factor = (
            None if width_factor is None else self.interval(width_factor, "width_factor", -1, 1, above=True)
        )

    def table(self, u: np.ndarray, H: int, W: int) -> np.ndarray:
        rows = 1 + between(u[0], self.height_factor)
        columns = rows if self.width_factor is None else 1 + between(u[1], self.width_factor)
        none = np.zeros_like(rows)
        return about_middle(rows, none, none, columns, H, W)


class RandomTranslation(RandomMove):
    """In training, shifts each picture, by a way of its own.

        m = (1, 0, -down * H, 0, 1, -right * W), both shares from lower to upper; see RandomMove for the formula of y
        and of dx

    Otherwise y = x. What is drawn: as for RandomRotation.

    Shapes: x (N, H, W, C), y the same.

    Args:
        height_factor: (lower, upper) of the way down, as a share of the height, each from -1 to 1; one number f stands
            for (-f, f).
        width_factor: alike for the way to the right, as a share of the width.
        fill_mode, interpolation, seed, fill_value: as for RandomRotation.

    Raises:
        ValueError: a bad argument.

    Source: https://keras.io/api/layers/preprocessing_layers/image_augmentation/random_translation/
    """

    def __init__(
        self,
        height_factor: Factor,
        width_factor: Factor,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: OnlyDefault = None,
        **options: Any,
    ):
        super().__init__(fill_mode, interpolation, seed, fill_value, **options)
        self.height_factor = self.interval(height_factor, "height_factor", -1, 1)
        self.width_factor = self.interval(width_factor, "width_factor", -1, 1)

    def table(self, u: np.ndarray, H: int, W: int) -> np.ndarray:
        one, none = np.ones(u.shape[1]), np.zeros(u.shape[1])
        down, right = between(u[0], self.height_factor) * H, between(u[1], self.width_factor) * W
        return np.stack([one, none, -down, none, one, -right], axis=1)
