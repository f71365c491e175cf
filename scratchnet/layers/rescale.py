"""Layers that bring inputs to a good scale with constants: part of the model, for prediction needs them as well."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from scratchnet import kernels
from scratchnet.arguments import is_array, is_number, shortened
from scratchnet.devices import Device, array_module, device_of, to_numpy
from scratchnet.layers.base import Layer
from scratchnet.shapes import Shape, sizes
from scratchnet.signatures import OnlyDefault

SMALLEST_DEVIATION = 1e-7  # Keras's epsilon: a channel that never changes is divided by it


def _for_channels(xp: Any, dtype: np.dtype, channels: int, values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Gamma / deviation, mean, beta and ones from `Constants.constants`, each an array with a number a channel."""
    gamma, mean, deviation, beta = (xp.broadcast_to(xp.asarray(value, dtype), (channels,)).copy() for value in values)
    return gamma / deviation, mean, beta, xp.ones_like(mean)


@functools.cache  # for good: a recording goes on reading them
def _kept(device: Device, dtype: np.dtype, channels: int, values: tuple[Any, ...]) -> tuple[Any, ...]:
    """The same for constants of the host, in tuples, made once: while steps are recorded none could be copied."""
    return _for_channels(device.module, dtype, channels, values)


class Constants(Layer):
    """A layer y = gamma * (x - mean) / deviation + beta with constants for each channel; nothing is learnt."""

    def constants(self) -> tuple[Any, Any, Any, Any]:
        """Gamma, mean, deviation and beta: each a number, or one for each channel."""
        raise NotImplementedError

    def check(self, x: np.ndarray) -> None:
        super().check(x)
        for value in self.constants():
            if not is_number(value) and len(value) != x.shape[-1]:
                raise ValueError(
                    f"{self.full_name}: expected {len(value)} channels, for which it has numbers, got x of shape "
                    f"{x.shape}. Channels come last."
                )

    def _arrays(self, channels: int) -> tuple[Any, ...]:
        values, device = self.constants(), self.device
        if device.graph is None or any(device_of(value) is device for value in values):
            return _for_channels(device.module, self.dtype, channels, values)
        lists = [np.asarray(value).tolist() for value in values]
        hashable = tuple(tuple(value) if isinstance(value, list) else value for value in lists)
        return _kept(device, self.dtype, channels, hashable)

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        scale, mean, beta, ones = self._arrays(x.shape[-1])
        return kernels.of(x).batch_norm_inference(x, scale, beta, mean, ones, 0.0)

    def call_backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> np.ndarray | None:
        if not input_grad:
            return None
        scale, mean, _, ones = self._arrays(dy.shape[-1])
        zeros = array_module(dy).zeros_like(mean)
        return kernels.of(dy).batch_norm_inference(dy, scale, zeros, zeros, ones, 0.0)


class Rescaling(Constants):
    """y = x * scale + offset: Rescaling(1 / 255) brings bytes to 0 to 1, Rescaling(1 / 127.5, -1) to -1 to 1.

    As the first layer of a model it takes the pictures as bytes, as the data sets have them, in training and in
    prediction alike.

        dx = dy * scale

    Shapes: any, unchanged.

    Args:
        scale, offset: a number, or one for each channel.

    Raises:
        ValueError: numbers that are not finite, or not as many as there are channels.

    Source: https://keras.io/api/layers/preprocessing_layers/image_preprocessing/rescaling/
    """

    def __init__(self, scale: Any, offset: Any = 0.0, **options: Any):
        super().__init__(**options)
        self.scale, self.offset = _numbers(scale, "scale", self.full_name), _numbers(offset, "offset", self.full_name)

    def constants(self) -> tuple[Any, Any, Any, Any]:
        return self.scale, 0.0, 1.0, self.offset

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "scale": self.scale, "offset": self.offset}


class Normalization(Constants):
    """y = (x - mean) / sqrt(variance), for each channel, with constants that are given or found by `adapt(x)`.

        dx = dy / sqrt(variance)

    For CIFAR-10 as bytes, Rescaling(1 / 255) and then Normalization(mean=cifar10.MEAN,
    variance=np.square(cifar10.STD)); or Normalization() alone, and `layer.adapt(x_train)` before training. Until then
    it lets x pass as it is.

    Shapes: x (N, ..., C), y the same; mean, variance (C,); count ().

    Args:
        axis: the channels' axis; only the last, -1.
        mean, variance: a number, or one for each channel; both or none. If none, they are found by `adapt` and belong
            to the layer's weights (they are not trained), with a `count` of 0 behind them, which Keras keeps there for
            its older files.

    Raises:
        ValueError: only one of both is given, a variance below 0, as many numbers as there are not channels.

    Source: https://keras.io/api/layers/preprocessing_layers/numerical/normalization/
    """

    def __init__(
        self,
        axis: int = -1,
        mean: Any = None,
        variance: Any = None,
        invert: OnlyDefault = False,
        **options: Any,
    ):
        super().__init__(**options)
        if axis != -1:
            raise ValueError(f"{self.full_name}: expected axis=-1 (channels come last), got axis={axis!r}.")
        if (mean is None) != (variance is None):
            raise ValueError(
                f"{self.full_name}: expected both mean and variance, or none of them and adapt(x) instead, got "
                f"mean={shortened(mean)} and variance={shortened(variance)}."
            )
        self.mean = None if mean is None else _numbers(mean, "mean", self.full_name)
        self.variance = None if variance is None else _numbers(variance, "variance", self.full_name)
        if self.variance is not None and np.min(self.variance) < 0:
            raise ValueError(f"{self.full_name}: expected a variance of at least 0, got {variance!r}.")

    def constants(self) -> tuple[Any, Any, Any, Any]:
        if self.mean is not None:
            return 1.0, self.mean, np.maximum(np.sqrt(np.asarray(self.variance)), SMALLEST_DEVIATION), 0.0
        if not self.state:
            return 1.0, 0.0, 1.0, 0.0
        mean, variance = self.state["mean"], self.state["variance"]
        xp = array_module(variance)
        return xp.ones_like(mean), mean, xp.maximum(xp.sqrt(variance), SMALLEST_DEVIATION), xp.zeros_like(mean)

    def create_weights(self, input_shape: Shape) -> None:
        if self.mean is None:
            self.add_weight(sizes(input_shape)[-1:], "zeros", trainable=False, name="mean")
            self.add_weight(sizes(input_shape)[-1:], "ones", trainable=False, name="variance")
            self.add_weight((), "zeros", trainable=False, name="count")  # unused; Keras's list of weights has it

    def adapt(self, data: np.ndarray) -> None:
        """Take mean and variance from examples (N, ..., C), of any dtype; what was found before is forgotten.

        Raises:
            ValueError: mean and variance were given, or the examples cannot be taken.
        """
        if self.mean is not None:
            raise ValueError(f"{self.full_name}: adapt, but mean and variance were given when the layer was made.")
        if not is_array(data):
            raise ValueError(f"{self.full_name}: adapt: expected data as an array of numbers, got {shortened(data)}.")
        x = to_numpy(data)
        if x.ndim < 2 or x.size == 0:
            raise ValueError(f"{self.full_name}: adapt: expected data of shape (N, ..., C), got {x.shape}.")
        self.check(x)
        if not self.built:
            self.build((None, *x.shape[1:]))
        channels = x.shape[-1]
        count, total, squares = x.size // channels, np.zeros(channels), np.zeros(channels)
        # Off a rough mean, squares are small enough to be subtracted.
        rough = x[0].reshape(-1, channels).mean(0, dtype=np.float64)
        for start in range(0, len(x), 256):  # a part at a time: no copy of the whole in float64
            part = x[start : start + 256].reshape(-1, channels) - rough
            total += part.sum(axis=0)
            squares += np.einsum("rc,rc->c", part, part)
        shift = total / count
        found = {"mean": rough + shift, "variance": np.maximum(squares / count - shift**2, 0)}
        for name, value in found.items():
            self.state[name][...] = self.device.module.asarray(value)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mean": self.mean, "variance": self.variance}


def _numbers(value: Any, name: str, caller: str) -> float | list[float]:
    """A number, or a list of numbers."""
    try:
        array = np.asarray(value, np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{caller}: expected {name} in numbers, got {shortened(value)}.") from error
    if array.ndim > 1 or array.size == 0 or not np.isfinite(array).all():
        raise ValueError(
            f"{caller}: expected {name} as a finite number, or one for each channel, got {shortened(value)}."
        )
    return array.tolist()
