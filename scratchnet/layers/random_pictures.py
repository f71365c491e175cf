"""Pictures changed at random while a network trains: mirrored, recoloured, cut out; what all such layers share.

`random_moves.py` has those that turn, zoom and shift. What happens to a picture follows from the layer's key, the
number of the batch, and the picture's place in it: a table with a row for each picture, made on the host.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scratchnet import kernels
from scratchnet.arguments import ArgumentError, check_choice, check_number, shortened
from scratchnet.devices import array_module, like
from scratchnet.layers.dropout import RandomLayer
from scratchnet.layers.resize import CenterCrop
from scratchnet.replay import fresh
from scratchnet.signatures import OnlyDefault

Factor = float | Sequence[float]
FLIPS = ("horizontal", "horizontal_and_vertical", "vertical")


class RandomPictures(RandomLayer):
    """A layer that changes each picture of a batch at random in training, by a table; otherwise it has another call.

    A kind of it defines `table`, `change` and `change_backward`, which find the table as `self.now`.
    """

    for_backward = ("x", "now")
    rank = 4
    changes_alone = True  # called on pictures by itself it changes them, as Keras's does

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        self.changes = training and self.can_change(x)
        if not self.changes:
            return super().call(x, training)
        self.x, (N, H, W, _) = x, x.shape
        self.now = fresh(lambda: self._next_table(N, H, W))
        return self.change(x)

    def call_backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> np.ndarray | None:
        if not self.changes:
            return super().call_backward(dy, param_grads, input_grad)
        return self.change_backward(dy) if input_grad else None

    def _next_table(self, N: int, H: int, W: int) -> np.ndarray:
        self.step += 1
        index = np.arange(N)
        return self.table(kernels.of(index).uniform(self.key, self.step, index, 2), H, W)

    def can_change(self, x: np.ndarray) -> bool:
        """Whether these pictures can be changed."""
        return True

    def table(self, u: np.ndarray, H: int, W: int) -> np.ndarray:
        """A row for each picture, from its two random numbers from 0 to below 1, u (2, N)."""
        raise NotImplementedError

    def change(self, x: np.ndarray) -> np.ndarray:
        """The changed pictures."""
        raise NotImplementedError

    def change_backward(self, dy: np.ndarray) -> np.ndarray:
        """The gradient of the pictures that came in."""
        raise NotImplementedError

    def each(self, dtype: Any) -> np.ndarray:
        """A table of one number for each picture, (N, 1, 1, 1), where the pictures are."""
        return like(self.now, self.x).astype(dtype)[:, None, None, None]

    def interval(self, factor: Factor, name: str, low: float, high: float, *, above: bool = False) -> Any:
        """(lowest, highest) of two numbers; of one number f, (-|f|, |f|).

        Raises:
            ValueError: not one or two numbers from `low` to `high`, with `above` not low itself.
        """
        if isinstance(factor, (list, tuple, np.ndarray)):
            if len(factor) != 2:
                raise ArgumentError(
                    f"{self.full_name}: expected {name} as one number or two, (lowest, highest), got "
                    f"{shortened(factor)}."
                )
            first, second = (check_number(f, name, self.full_name, low, high, above=above) for f in factor)
            return min(first, second), max(first, second)
        largest = abs(check_number(factor, name, self.full_name, low, high, above=above))
        return -largest, largest

    def limits(self, value_range: Sequence[float]) -> tuple[float, float]:
        """value_range, checked."""
        if len(value_range) != 2:
            raise ArgumentError(
                f"{self.full_name}: expected value_range as (lowest, highest), got {shortened(value_range)}."
            )
        low, high = (check_number(limit, "value_range", self.full_name) for limit in value_range)
        if not low < high:
            raise ArgumentError(
                f"{self.full_name}: expected value_range as (lowest, highest), the second larger, got "
                f"{shortened(value_range)}."
            )
        return low, high


def between(u: np.ndarray, interval: tuple[float, float]) -> np.ndarray:
    """Numbers from 0 to below 1, spread over an interval."""
    return interval[0] + u * (interval[1] - interval[0])


class RandomFlip(RandomPictures):
    """In training, mirrors every second picture, chosen by chance; along both axes, each has its own chance.

        y[n,h,v,c] = x[n, h or H - 1 - h, v or W - 1 - v, c];  dx is dy, mirrored in the same way

    Otherwise y = x. What is drawn follows from a key (drawn when the layer is built, or from `seed`), the number of the
    batch, and the picture's place in it. (Keras mirrors a picture along both axes or along none.)

    Shapes: x (N, H, W, C), y the same.

    Args:
        mode: "horizontal" (left and right change places), "vertical" or "horizontal_and_vertical".
        seed: 64 bits, which fix what is drawn whatever `set_random_seed` said.

    Raises:
        ValueError: an unknown mode, or seed not 64 bits.

    Source: https://keras.io/api/layers/preprocessing_layers/image_augmentation/random_flip/
    """

    keeps_range = True

    def __init__(
        self,
        mode: str = "horizontal_and_vertical",
        seed: int | None = None,
        data_format: OnlyDefault = None,
        **options: Any,
    ):
        super().__init__(seed, **options)
        self.mode = check_choice(mode, FLIPS, "mode")

    def table(self, u: np.ndarray, H: int, W: int) -> np.ndarray:
        rows, columns = ((u[axis] < 0.5) & (name in self.mode) for axis, name in enumerate(("vertical", "horizontal")))
        none = np.zeros(len(rows))
        return np.stack([1 - 2.0 * rows, none, rows * (H - 1.0), none, 1 - 2.0 * columns, columns * (W - 1.0)], axis=1)

    def change(self, x: np.ndarray) -> np.ndarray:
        return kernels.of(x).augment(x, np.arange(len(x)), self.now, dtype=x.dtype)

    def change_backward(self, dy: np.ndarray) -> np.ndarray:
        return self.change(dy)


class RandomContrast(RandomPictures):
    """In training, multiplies the differences from each channel's mean by a random factor, another for each picture.

        y = clip(m + f * (x - m), low, high),  m[n,c] = the mean of x[n,:,:,c],  f from 1 - lower to 1 + upper
        dx = f * g + (1 - f) * (the mean of g[n,:,:,c]),  g = dy where nothing is clipped, else 0

    Otherwise y = x. What is drawn: as for RandomFlip.

    Shapes: x (N, H, W, C), y the same.

    Args:
        factor: (lower, upper), each from 0 to 1; one number stands for both, as Keras's page has it.
        value_range: (low, high) of the pictures' numbers.
        seed: as for RandomFlip.

    Raises:
        ValueError: a bad argument.

    Source: https://keras.io/api/layers/preprocessing_layers/image_augmentation/random_contrast/
    """

    def __init__(
        self, factor: Factor, value_range: Sequence[float] = (0, 255), seed: int | None = None, **options: Any
    ):
        super().__init__(seed, **options)
        lower, upper = self.interval(factor, "factor", 0, 1)
        self.factor, self.value_range = (abs(lower), upper), self.limits(value_range)

    def table(self, u: np.ndarray, H: int, W: int) -> np.ndarray:
        return between(u[0], (1 - self.factor[0], 1 + self.factor[1]))

    def change(self, x: np.ndarray) -> np.ndarray:
        return array_module(x).clip(self._unclipped(x), *self.value_range)

    def _unclipped(self, x: np.ndarray) -> np.ndarray:
        mean = kernels.of(x).global_average_pool2d(x)[:, None, None]
        return (x - mean) * self.each(x.dtype) + mean

    def change_backward(self, dy: np.ndarray) -> np.ndarray:
        g, f = unless_clipped(dy, self._unclipped(self.x), self.value_range), self.each(dy.dtype)
        return f * g + (1 - f) * kernels.of(g).global_average_pool2d(g)[:, None, None]


class RandomBrightness(RandomPictures):
    """In training, adds a random number, another for each picture.

        y = clip(x + d * (high - low), low, high),  d from lower to upper;  dx = dy where nothing is clipped, else 0

    Otherwise y = x. What is drawn: as for RandomFlip.

    Shapes: x (N, H, W, C), y the same.

    Args:
        factor: (lower, upper), each from -1 to 1; one number f stands for (-f, f).
        value_range: (low, high) of the pictures' numbers.
        seed: as for RandomFlip.

    Raises:
        ValueError: a bad argument.

    Source: https://keras.io/api/layers/preprocessing_layers/image_augmentation/random_brightness/
    """

    def __init__(
        self, factor: Factor, value_range: Sequence[float] = (0, 255), seed: int | None = None, **options: Any
    ):
        super().__init__(seed, **options)
        self.factor, self.value_range = self.interval(factor, "factor", -1, 1), self.limits(value_range)

    def table(self, u: np.ndarray, H: int, W: int) -> np.ndarray:
        return between(u[0], self.factor) * (self.value_range[1] - self.value_range[0])

    def change(self, x: np.ndarray) -> np.ndarray:
        return array_module(x).clip(x + self.each(x.dtype), *self.value_range)

    def change_backward(self, dy: np.ndarray) -> np.ndarray:
        return unless_clipped(dy, self.x + self.each(dy.dtype), self.value_range)


def unless_clipped(dy: np.ndarray, unclipped: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    """The backward of clip."""
    return array_module(dy).where((unclipped >= limits[0]) & (unclipped <= limits[1]), dy, 0)


class RandomCrop(RandomPictures, CenterCrop):
    """In training, cuts a part out of each picture, from a place by chance, the same for all of a batch.

    y[n,i,j,c] = x[n, top + i, left + j, c], and dx is dy with zeros around. Otherwise, and where pictures are smaller
    than that, as CenterCrop. What is drawn: as for RandomFlip.

    Shapes: x (N, H, W, C), y (N, height, width, C).

    Args:
        height, width: of y, in pixels.
        seed: as for RandomFlip.

    Raises:
        ValueError: a bad argument.

    Source: https://keras.io/api/layers/preprocessing_layers/image_augmentation/random_crop/
    """

    def __init__(
        self,
        height: int,
        width: int,
        seed: int | None = None,
        data_format: OnlyDefault = None,
        name: str | None = None,
        **options: Any,
    ):
        super().__init__(seed, height=height, width=width, name=name, **options)

    def can_change(self, x: np.ndarray) -> bool:
        return x.shape[1] >= self.height and x.shape[2] >= self.width

    def table(self, u: np.ndarray, H: int, W: int) -> np.ndarray:
        place = np.floor(u[:, 0] * (H - self.height + 1, W - self.width + 1))
        return np.tile(-place.astype(np.int64), (u.shape[1], 1))

    def change(self, x: np.ndarray) -> np.ndarray:
        return kernels.of(x).translate(x, self.now)[:, : self.height, : self.width]

    def change_backward(self, dy: np.ndarray) -> np.ndarray:
        (_, H, W, _), xp = self.x.shape, array_module(dy)
        around = (0, H - self.height), (0, W - self.width)
        return kernels.of(dy).translate(xp.pad(dy, ((0, 0), *around, (0, 0))), -self.now)
