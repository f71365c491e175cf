"""Normal noise, added or as a factor."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from scratchnet import kernels
from scratchnet.arguments import check_number
from scratchnet.layers.dropout import RandomLayer


class GaussianNoise(RandomLayer):
    """In training, adds normal noise of mean 0.

        y = x + stddev * g,  dx = dy,  g from the standard normal distribution

    Otherwise y = x. The noise follows from a key (drawn when the layer is built, or from `seed`) and the number of the
    batch.

    Shapes: any, unchanged.

    Args:
        stddev: the noise's standard deviation, in the units of x.
        seed: 64 bits, which fix the noise whatever `set_random_seed` said.

    Raises:
        ValueError: stddev is below 0, or seed not 64 bits.

    Source: https://keras.io/api/layers/regularization_layers/gaussian_noise/
    """

    def __init__(self, stddev: float, seed: int | None = None, **options: Any):
        super().__init__(seed, **options)
        self.stddev = check_number(stddev, "stddev", self.full_name, 0)

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        if not training or self.stddev == 0:
            return x
        self.next_step()
        return x + kernels.of(x).normal(x.shape, x.dtype, self.key, self.step_now) * self.stddev


class GaussianDropout(RandomLayer):
    """In training, multiplies each element by a normal number of mean 1: the same mean and variance as Dropout's.

        y = x * (1 + s * g),  dx = dy * (1 + s * g),  s = sqrt(rate / (1 - rate)),  g standard normal

    Otherwise y = x. The numbers follow from a key (drawn when the layer is built, or from `seed`) and the number of the
    batch; none is stored.

    Shapes: any, unchanged.

    Args and errors: as for Dropout.

    Source: Srivastava et al., JMLR 15, 2014, section 10.
    """

    def __init__(self, rate: float, seed: int | None = None, **options: Any):
        super().__init__(seed, **options)
        self.rate = self.check_rate(rate)
        self.stddev = math.sqrt(rate / (1 - rate))

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        self.drops = training and self.rate > 0
        if not self.drops:
            return x
        self.next_step()
        return x * self._factors(x)

    def call_backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> np.ndarray | None:
        return dy * self._factors(dy) if self.drops else dy

    def _factors(self, x: np.ndarray) -> np.ndarray:
        return kernels.of(x).normal(x.shape, x.dtype, self.key, self.step_now) * self.stddev + 1
