"""Changes to the pictures before D sees them, real and generated alike, so that its task is not too easy.

Each trick has `forward(x)` and `backward(dy)`, since the generator's gradient flows through it; `Tricks` applies all of
them in order. Random numbers come from scratchnet.random, so that a run that is resumed draws the same ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from scratchnet import kernels, random
from scratchnet.annotations import checked
from scratchnet.arguments import check_count, check_number
from scratchnet.devices import like
from scratchnet.replay import also, fresh


class InstanceNoise:
    """Normal noise on every number that D sees, falling to 0: y = x + s_t * e, s_t = std * max(0, 1 - t / steps).

    At first real and generated pictures are two sets that do not overlap: D separates them perfectly, and G's gradient
    vanishes. The noise makes them overlap. dx = dy.

    Args:
        std: of the noise at the first step.
        steps: until there is none.

    Source: Sønderby et al., arXiv 1610.04490; Arjovsky and Bottou, arXiv 1701.04862.
    """

    @checked
    def __init__(self, std: float, steps: int):
        self.std = check_number(std, "instance_noise (std)", "InstanceNoise", 0)
        self.steps = check_count(steps, "noise_steps", "InstanceNoise")
        self.step = 0

    @property
    def now(self) -> float:
        """The standard deviation at this step."""
        return self.std * max(0.0, 1 - self.step / self.steps)

    def forward(self, x: np.ndarray) -> np.ndarray:
        """x with new noise."""
        if self.now == 0:
            return x
        noise = like(fresh(lambda: self._noise(x.shape, x.dtype)), x)  # the same numbers on any device
        return noise + x

    def _noise(self, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        if self.now == 0:  # a recording goes on when the noise has ended
            return np.zeros(shape, dtype)
        noise = random.generator().standard_normal(shape, dtype=dtype)
        noise *= dtype.type(self.now)
        return noise

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """dx = dy."""
        return dy


class Translation:
    """Every picture moved by up to `pixels` in each direction, zeros moved in: y[n,h,v] = x[n, h-a, v-b].

    a and b are whole numbers from -pixels to pixels, drawn anew for each picture. dx[n,h,v] = dy[n, h+a, v+b]. D cannot
    memorize few pictures, and, since generated ones are moved too, G does not learn to move them.

    Source: Zhao et al., "Differentiable Augmentation", arXiv 2006.10738.
    """

    @checked
    def __init__(self, pixels: int):
        self.pixels = check_count(pixels, "translation (pixels)", "Translation", smallest=0)
        self.offsets = np.zeros((0, 2), np.int64)

    def forward(self, x: np.ndarray) -> np.ndarray:
        """x with each picture moved anew."""
        if self.pixels == 0:
            return x
        if x.ndim != 4:
            raise ValueError(f"translation: expected pictures of shape (N, H, W, C), got {x.shape}. Leave it out.")
        self.offsets = fresh(lambda: self._offsets(len(x)))
        return kernels.of(x).translate(x, self.offsets)

    def _offsets(self, count: int) -> np.ndarray:
        return random.generator().integers(-self.pixels, self.pixels, (count, 2), endpoint=True)

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """Each gradient moved back."""
        return dy if self.pixels == 0 else kernels.of(dy).translate(dy, -self.offsets)


class Tricks:
    """All tricks in order: translation, then noise."""

    @checked
    def __init__(self, instance_noise: float = 0.0, noise_steps: int = 1000, translation: int = 0):
        self.noise = InstanceNoise(instance_noise, noise_steps)
        self.translation = Translation(translation)

    def forward(self, x: np.ndarray) -> np.ndarray:
        """The pictures as D sees them."""
        return self.noise.forward(self.translation.forward(x))

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """dLoss/dx from dLoss/dy of the last forward."""
        return self.translation.backward(self.noise.backward(dy))

    def step_done(self) -> None:
        """Count a step: the noise becomes less."""
        also(self._count)

    def _count(self) -> None:
        self.noise.step += 1

    def get_state(self) -> dict[str, Any]:
        """At which step of its schedule the noise is."""
        return {"step": self.noise.step}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take over the step that `get_state` gave."""
        self.noise.step = state["step"]
