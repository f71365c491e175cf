"""Initial weights: Keras's initializers, by name or as objects, each with a generator that can be given.

A layer with n inputs to each sum needs weights of variance about 1/n, or the numbers grow or vanish from layer to
layer. fan_in is that n, fan_out the same for the gradients on their way back.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from scratchnet import random
from scratchnet.annotations import checked
from scratchnet.arguments import check_choice, check_count, check_dtype, check_number, check_sizes
from scratchnet.config import Configurable
from scratchnet.signatures import OnlyDefault


def fans(shape: Sequence[int]) -> tuple[float, float]:
    """(fan_in, fan_out) of a weight array, as Keras counts: (D, U) or (KH, KW, C_in, C_out), 1 and () for the rest."""
    if len(shape) < 2:
        size = float(shape[0]) if shape else 1.0
        return size, size
    cells = math.prod(shape[:-2])
    return float(cells * shape[-2]), float(cells * shape[-1])


class Initializer(Configurable):
    """Makes an array of initial weights: `initializer(shape)`.

    Args:
        seed: the same numbers at every call; without one, the generator of `set_random_seed` is drawn from.
    """

    def __init__(self, *, seed: int | None = None):
        if seed is not None:
            check_count(seed, "seed", type(self).__name__, 0, None)
        self.seed = seed

    @checked
    def __call__(
        self, shape: Sequence[int], dtype: Any = None, *, rng: np.random.Generator | None = None
    ) -> np.ndarray:
        """An array of the shape, and of the dtype; None for float32.

        `rng`, if given, is drawn from; else the seed's generator; else the package's.
        """
        if rng is None:
            rng = random.generator() if self.seed is None else np.random.default_rng(self.seed)
        sizes = check_sizes(tuple(shape), "shape", type(self).__name__, 0)
        real = np.dtype(np.float32) if dtype is None else check_dtype(dtype, "dtype", type(self).__name__)
        return np.asarray(self.draw(sizes, rng), real, order="C")

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """The numbers, float64; what each initializer defines."""
        raise NotImplementedError


class Constant(Initializer):
    """Every weight is `value`."""

    def __init__(self, value: float = 0.0):
        super().__init__()
        self.value = check_number(value, "value", type(self).__name__)

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """The same number everywhere."""
        return np.full(shape, self.value)


class Zeros(Constant):
    """Every weight is 0: right for biases, wrong for kernels, whose filters would stay equal for ever."""

    def __init__(self):
        super().__init__(0.0)


class Ones(Constant):
    """Every weight is 1."""

    def __init__(self):
        super().__init__(1.0)


class RandomNormal(Initializer):
    """Normal with `mean` and `stddev`. The DCGAN paper uses stddev=0.02."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None):
        super().__init__(seed=seed)
        self.mean = check_number(mean, "mean", type(self).__name__)
        self.stddev = check_number(stddev, "stddev", type(self).__name__, 0)

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """Normal numbers."""
        return rng.normal(self.mean, self.stddev, shape)


class RandomUniform(Initializer):
    """Uniform from `minval` to `maxval`."""

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None):
        super().__init__(seed=seed)
        self.minval = check_number(minval, "minval", "RandomUniform")
        self.maxval = check_number(maxval, "maxval", "RandomUniform")
        if minval > maxval:
            raise ValueError(f"RandomUniform: expected minval up to maxval, got {minval!r} and {maxval!r}.")

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """Uniform numbers."""
        return rng.uniform(self.minval, self.maxval, shape)


def _truncated_normal(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Standard normal numbers, those beyond two standard deviations drawn again."""
    numbers = rng.normal(size=shape)
    while (far := np.abs(numbers) > 2).any():
        numbers[far] = rng.normal(size=int(far.sum()))
    return numbers


class TruncatedNormal(RandomNormal):
    """Normal, with numbers beyond two standard deviations drawn again."""

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """Normal numbers without tails."""
        return self.mean + self.stddev * _truncated_normal(shape, rng)


class VarianceScaling(Initializer):
    """Mean 0 and variance scale / n, with n fan_in, fan_out or their mean, as `mode` says.

    Args:
        scale: 1 keeps the variance through a linear layer, 2 through one with ReLU.
        mode: "fan_in", "fan_out" or "fan_avg".
        distribution: "uniform", from -sqrt(3 v) to sqrt(3 v), or "truncated_normal".

    Source: Glorot and Bengio, AISTATS 2010; He et al., arXiv 1502.01852.
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | None = None,
        input_axes: OnlyDefault = None,
        output_axes: OnlyDefault = None,
    ):
        super().__init__(seed=seed)
        self.scale = check_number(scale, "scale", type(self).__name__, 0, above=True)
        self.mode = check_choice(mode, ("fan_in", "fan_out", "fan_avg"), "mode")
        self.distribution = check_choice(distribution, ("uniform", "truncated_normal"), "distribution")

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """Numbers whose variance follows from the shape."""
        fan_in, fan_out = fans(shape)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, n)
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)
            return rng.uniform(-limit, limit, shape)
        # Cutting the tails off makes a standard normal's standard deviation 0.8796; this makes up for it.
        return math.sqrt(variance) / 0.87962566103423978 * _truncated_normal(shape, rng)


class GlorotUniform(VarianceScaling):
    """Uniform, variance 2 / (fan_in + fan_out): Keras's default for kernels."""

    def __init__(self, seed: int | None = None, input_axes: OnlyDefault = None, output_axes: OnlyDefault = None):
        super().__init__(1.0, "fan_avg", "uniform", seed)


class GlorotNormal(VarianceScaling):
    """Truncated normal, variance 2 / (fan_in + fan_out)."""

    def __init__(self, seed: int | None = None, input_axes: OnlyDefault = None, output_axes: OnlyDefault = None):
        super().__init__(1.0, "fan_avg", "truncated_normal", seed)


class HeUniform(VarianceScaling):
    """Uniform, variance 2 / fan_in: made for ReLU."""

    def __init__(self, seed: int | None = None, input_axes: OnlyDefault = None, output_axes: OnlyDefault = None):
        super().__init__(2.0, "fan_in", "uniform", seed)


class HeNormal(VarianceScaling):
    """Truncated normal, variance 2 / fan_in: made for ReLU."""

    def __init__(self, seed: int | None = None, input_axes: OnlyDefault = None, output_axes: OnlyDefault = None):
        super().__init__(2.0, "fan_in", "truncated_normal", seed)


class LecunUniform(VarianceScaling):
    """Uniform, variance 1 / fan_in."""

    def __init__(self, seed: int | None = None, input_axes: OnlyDefault = None, output_axes: OnlyDefault = None):
        super().__init__(1.0, "fan_in", "uniform", seed)


class LecunNormal(VarianceScaling):
    """Truncated normal, variance 1 / fan_in."""

    def __init__(self, seed: int | None = None, input_axes: OnlyDefault = None, output_axes: OnlyDefault = None):
        super().__init__(1.0, "fan_in", "truncated_normal", seed)


class Orthogonal(Initializer):
    """Orthogonal columns (or rows) of length `gain`, all axes but the last taken as one. Source: arXiv 1312.6120."""

    def __init__(self, gain: float = 1.0, seed: int | None = None):
        super().__init__(seed=seed)
        self.gain = check_number(gain, "gain", "Orthogonal")

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """The Q of a normal matrix's QR, signs made unique."""
        if len(shape) < 2:
            raise ValueError(f"orthogonal: expected a shape of at least two axes, got {shape}.")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        q, r = np.linalg.qr(rng.normal(size=(max(rows, columns), min(rows, columns))))
        q = q * np.sign(np.diag(r))
        return self.gain * (q if rows >= columns else q.T).reshape(shape)


INITIALIZERS: dict[str, type[Initializer]] = {
    "constant": Constant,
    "glorot_normal": GlorotNormal,
    "glorot_uniform": GlorotUniform,
    "he_normal": HeNormal,
    "he_uniform": HeUniform,
    "lecun_normal": LecunNormal,
    "lecun_uniform": LecunUniform,
    "ones": Ones,
    "orthogonal": Orthogonal,
    "random_normal": RandomNormal,
    "random_uniform": RandomUniform,
    "truncated_normal": TruncatedNormal,
    "variance_scaling": VarianceScaling,
    "zeros": Zeros,
}


_OTHER_NAMES = {"normal": RandomNormal, "uniform": RandomUniform}  # Keras's


def get(identifier: str | Initializer) -> Initializer:
    """An initializer from its name ("glorot_uniform"), or the object itself.

    Raises:
        ValueError: no initializer has that name; the nearest is named.
    """
    if isinstance(identifier, Initializer):
        return identifier
    known = {**INITIALIZERS, **_OTHER_NAMES}
    return known[check_choice(identifier, known, "initializer")]()
