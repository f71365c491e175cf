"""Dropout: of single elements, of whole channels, and for networks of SELU; and what all random layers share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from scratchnet import kernels, random
from scratchnet.arguments import check_seed
from scratchnet.devices import array_module
from scratchnet.layers.base import Layer
from scratchnet.replay import fresh
from scratchnet.shapes import Shape
from scratchnet.signatures import OnlyDefault


class RandomLayer(Layer):
    """A layer that draws random numbers in training. They follow from a key and the number of the batch alone.

    The key is drawn when the layer is built, or is `seed`. Nothing is stored: backward works the numbers out again.
    """

    def __init__(self, seed: int | None, **options: Any):
        super().__init__(**options)
        check_seed(seed, self.full_name)
        self.seed = seed
        self.step = 0

    def check_rate(self, rate: float) -> float:
        """A share from 0 to below 1."""
        if not 0 <= rate < 1:
            raise ValueError(f"{self.full_name}: expected a rate from 0 to below 1 (the share set to 0), got {rate!r}.")
        return rate

    def create_weights(self, input_shape: Shape) -> None:
        self.key = int(random.new_key()) if self.seed is None else self.seed

    def get_counters(self) -> dict[str, int]:
        return {"key": self.key, "step": self.step} if self.built else {}

    def set_counters(self, counters: Mapping[str, int]) -> None:
        self.key, self.step = counters["key"], counters["step"]

    def next_step(self) -> None:
        """Go on to the numbers of the next batch, `step_now`; in steps that a device records, too."""
        self.step_now = fresh(self._count)

    def _count(self) -> int:
        self.step += 1
        return self.step


class Dropout(RandomLayer):
    """In training, sets each element to 0 with probability `rate`, and divides the others by 1 - rate.

        y = x * m / (1 - rate),  dx = dy * m / (1 - rate),  m = 1 with probability 1 - rate, else 0

    Otherwise y = x. The mask m follows from a key (drawn when the layer is built, or from `seed`) and the number of
    the batch; nothing is stored.

    Shapes: any, unchanged.

    Args:
        rate: the share that is set to 0.
        seed: 64 bits, which fix the masks whatever `set_random_seed` said.

    Raises:
        ValueError: rate is not from 0 to below 1, or seed not 64 bits.

    Source: Srivastava et al., JMLR 15, 2014.
    """

    def __init__(self, rate: float, noise_shape: OnlyDefault = None, seed: int | None = None, **options: Any):
        super().__init__(seed, **options)
        self.rate = self.check_rate(rate)

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        self.drops = training and self.rate > 0
        if not self.drops:
            return x
        self.next_step()
        return kernels.of(x).dropout(x, self.rate, self.key, self.step_now)

    def call_backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> np.ndarray | None:
        return kernels.of(dy).dropout(dy, self.rate, self.key, self.step_now) if self.drops else dy


class SpatialDropout2D(RandomLayer):
    """In training, sets whole channels of a picture to 0 with probability `rate`, and divides the others by 1 - rate.

        y[n,h,v,c] = x[n,h,v,c] * m[n,c] / (1 - rate),  dx[n,h,v,c] = dy[n,h,v,c] * m[n,c] / (1 - rate)

    with m = 1 with probability 1 - rate, else 0. Otherwise y = x. Neighbouring pixels of a channel are alike: where
    single ones are dropped, the others tell what they were. The mask is drawn as Dropout's.

    Shapes: x (N, H, W, C), y the same.

    Args and errors: as for Dropout.

    Source: Tompson et al., "Efficient object localization using convolutional networks", arXiv 1411.4280.
    """

    rank = 4

    def __init__(
        self,
        rate: float,
        data_format: OnlyDefault = None,
        seed: int | None = None,
        name: str | None = None,
        dtype: OnlyDefault = None,
        **options: Any,
    ):
        super().__init__(seed, name=name, **options)
        self.rate = self.check_rate(rate)

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        self.drops = training and self.rate > 0
        if not self.drops:
            return x
        self.next_step()
        return x * self._mask(x)

    def call_backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> np.ndarray | None:
        return dy * self._mask(dy) if self.drops else dy

    def _mask(self, x: np.ndarray) -> np.ndarray:
        ones = array_module(x).ones((len(x), 1, 1, x.shape[3]), x.dtype)
        return kernels.of(x).dropout(ones, self.rate, self.key, self.step_now)


_SELU_FLOOR = -1.6732632423543772 * 1.0507009873554805  # what SELU comes to for large negative numbers


class AlphaDropout(RandomLayer):
    """Dropout for networks of SELU: what is dropped becomes SELU's floor, and mean and variance stay what they were.

        y = a * (x * m + floor * (1 - m)) + b,  dx = a * dy * m,  m = 1 with probability 1 - rate, else 0

    in training, with floor = -1.7581, a = ((1 - rate) * (1 + rate * floor^2))^(-1/2) and b = -a * floor * rate. For x
    of mean 0 and variance 1, y has them too. Otherwise y = x. The mask is drawn as Dropout's.

    Shapes: any, unchanged.

    Args and errors: as for Dropout.

    Source: Klambauer et al., "Self-normalizing neural networks", arXiv 1706.02515.
    """

    def __init__(self, rate: float, noise_shape: OnlyDefault = None, seed: int | None = None, **options: Any):
        super().__init__(seed, **options)
        self.rate = self.check_rate(rate)
        self.a = ((1 - rate) * (1 + rate * _SELU_FLOOR**2)) ** -0.5
        self.b = -self.a * _SELU_FLOOR * rate

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        self.drops = training and self.rate > 0
        if not self.drops:
            return x
        self.next_step()
        mask = self._mask(x)
        return (x * mask + (1 - mask) * _SELU_FLOOR) * self.a + self.b

    def call_backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> np.ndarray | None:
        return dy * self._mask(dy) * self.a if self.drops else dy

    def _mask(self, x: np.ndarray) -> np.ndarray:
        kept = kernels.of(x).dropout(array_module(x).ones_like(x), self.rate, self.key, self.step_now)
        return (kept > 0).astype(x.dtype)
