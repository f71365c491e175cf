"""Dropout: of elements, whole channels, whole examples, and for networks of SELU; and what random layers share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from scratchnet import kernels, random
from scratchnet.arguments import check_seed, shape_text
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


class MaskLayer(RandomLayer):
    """In training, y = x * m and dx = dy * m: m is 0 with probability `rate`, else 1 / (1 - rate). Otherwise y = x.

    Those who inherit from it say by `mask_shape` which numbers share one m. NaN times 0 is NaN.
    """

    def __init__(self, rate: float, seed: int | None, **options: Any):
        super().__init__(seed, **options)
        self.rate = self.check_rate(rate)

    def mask_shape(self, shape: Shape) -> Shape:
        """The mask's for x of this shape: as many axes, each of its size or 1."""
        raise NotImplementedError

    def mask(self, x: np.ndarray) -> np.ndarray:
        """m for the batch of `next_step`, the same for x and for dy."""
        ones = array_module(x).ones(self.mask_shape(x.shape), x.dtype)
        return kernels.of(x).dropout(ones, self.rate, self.key, self.step_now)

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        self.drops = training and self.rate > 0
        if not self.drops:
            return x
        self.next_step()
        return x * self.mask(x)

    def call_backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> np.ndarray | None:
        return dy * self.mask(dy) if self.drops else dy


class NoiseShape(MaskLayer):
    """A layer whose mask has the shape of its input, or one that the reader gives."""

    def __init__(self, rate: float, noise_shape: Sequence[int | None] | None, seed: int | None, **options: Any):
        super().__init__(rate, seed, **options)
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        self.mask_shape((None, *input_shape[1:]))
        return tuple(input_shape)

    def mask_shape(self, shape: Shape) -> Shape:
        wanted = shape if self.noise_shape is None else self.noise_shape
        pairs = zip(wanted, shape)
        if len(wanted) != len(shape) or any(m not in (None, 1, n) and n is not None for m, n in pairs):
            raise ValueError(
                f"{self.full_name}: expected noise_shape to have for each axis of the input, {shape_text(shape)}, its "
                f"size, 1 where one draw holds for the whole axis, or None for its size, got {self.noise_shape!r}."
            )
        return tuple(n if m is None else m for m, n in zip(wanted, shape))


class Dropout(NoiseShape):
    """In training, sets each element to 0 with probability `rate`, and divides the others by 1 - rate.

        y = x * m / (1 - rate),  dx = dy * m / (1 - rate),  m = 1 with probability 1 - rate, else 0

    Otherwise y = x. The mask m follows from a key (drawn when the layer is built, or from `seed`) and the number of
    the batch; nothing is stored.

    With a noise_shape, m has that shape, and is the same along the axes where it has 1: (None, 1, 1, 1) keeps or drops
    whole examples, (None, 1, 1, None) whole channels, (None, 1, None) all words of a text in the same way.

    Shapes: any, unchanged.

    Args:
        rate: the share that is set to 0.
        noise_shape: for each axis of x, its batch included, its size or None, or 1 for one draw along it.
        seed: 64 bits, which fix the masks whatever `set_random_seed` said.

    Raises:
        ValueError: rate is not from 0 to below 1, seed not 64 bits, or a noise_shape that does not fit the input.

    Source: Srivastava et al., JMLR 15, 2014.
    """

    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        **options: Any,
    ):
        super().__init__(rate, noise_shape, seed, **options)

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        if self.noise_shape is not None or not training or self.rate == 0:
            return super().call(x, training)
        self.drops = True
        self.next_step()
        return kernels.of(x).dropout(x, self.rate, self.key, self.step_now)  # one pass: no mask in memory

    def call_backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> np.ndarray | None:
        if self.noise_shape is not None or not self.drops:
            return super().call_backward(dy, param_grads, input_grad)
        return kernels.of(dy).dropout(dy, self.rate, self.key, self.step_now)


class StochasticDepth(MaskLayer):
    """In training, sets whole examples to 0 with probability `rate`, and divides the others by 1 - rate.

        y[n,...] = x[n,...] * m[n] / (1 - rate),  dx[n,...] = dy[n,...] * m[n] / (1 - rate)

    with m[n] = 1 with probability 1 - rate, else 0. Otherwise y = x. It belongs at the end of a residual branch,

        x = sn.layers.Add()([x, sn.layers.StochasticDepth(0.2)(branch(x))])

    where an example that is dropped takes the shortcut alone: the network is shallower for it, and its gradient comes
    back unchanged. The mask is drawn as Dropout's; `Dropout(rate, noise_shape=(None, 1, 1, 1))`, as Keras's
    EfficientNet has it, drops the same.

    The paper drops a branch for a whole batch at a time, and multiplies by 1 - rate in inference instead; its rates
    rise linearly along the network, up to 0.5. What drops example by example is torchvision.ops.StochasticDepth(p,
    mode="row") there, and DropPath elsewhere.

    Shapes: any, unchanged.

    Args:
        rate: the share of examples that is set to 0.
        seed: 64 bits, which fix the masks whatever `set_random_seed` said.

    Raises:
        ValueError: rate is not from 0 to below 1, or seed not 64 bits.

    Source: Huang et al., "Deep Networks with Stochastic Depth", arXiv 1603.09382.
    """

    def __init__(self, rate: float, seed: int | None = None, **options: Any):
        super().__init__(rate, seed, **options)

    def mask_shape(self, shape: Shape) -> Shape:
        return (shape[0], *(1 for _ in shape[1:]))


class SpatialDropout2D(MaskLayer):
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
        super().__init__(rate, seed, name=name, **options)

    def mask_shape(self, shape: Shape) -> Shape:
        return shape[0], 1, 1, shape[3]


_SELU_FLOOR = -1.6732632423543772 * 1.0507009873554805  # what SELU comes to for large negative numbers


class AlphaDropout(NoiseShape):
    """Dropout for networks of SELU: what is dropped becomes SELU's floor, and mean and variance stay what they were.

        y = a * (x * m + floor * (1 - m)) + b,  dx = a * dy * m,  m = 1 with probability 1 - rate, else 0

    in training, with floor = -1.7581, a = ((1 - rate) * (1 + rate * floor^2))^(-1/2) and b = -a * floor * rate. For x
    of mean 0 and variance 1, y has them too. Otherwise y = x. The mask is drawn as Dropout's.

    Shapes: any, unchanged.

    Args and errors: as for Dropout.

    Source: Klambauer et al., "Self-normalizing neural networks", arXiv 1706.02515.
    """

    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        **options: Any,
    ):
        super().__init__(rate, noise_shape, seed, **options)
        self.a = ((1 - rate) * (1 + rate * _SELU_FLOOR**2)) ** -0.5
        self.b = -self.a * _SELU_FLOOR * rate

    def mask(self, x: np.ndarray) -> np.ndarray:
        return (super().mask(x) > 0).astype(x.dtype)

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        self.drops = training and self.rate > 0
        if not self.drops:
            return x
        self.next_step()
        mask = self.mask(x)
        return (x * mask + (1 - mask) * _SELU_FLOOR) * self.a + self.b

    def call_backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> np.ndarray | None:
        return dy * self.mask(dy) * self.a if self.drops else dy
