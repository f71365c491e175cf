"""Dropout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from scratchnet import kernels, random
from scratchnet.arguments import check_seed
from scratchnet.layers.base import Layer
from scratchnet.replay import fresh
from scratchnet.shapes import Shape
from scratchnet.signatures import OnlyDefault


class Dropout(Layer):
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
        super().__init__(**options)
        if not 0 <= rate < 1:
            raise ValueError(f"{self.full_name}: expected a rate from 0 to below 1 (the share set to 0), got {rate!r}.")
        check_seed(seed, self.full_name)
        self.rate, self.seed = rate, seed
        self.step = 0

    def create_weights(self, input_shape: Shape) -> None:
        self.key = int(random.new_key()) if self.seed is None else self.seed

    def get_counters(self) -> dict[str, int]:
        return {"key": self.key, "step": self.step} if self.built else {}

    def set_counters(self, counters: Mapping[str, int]) -> None:
        self.key, self.step = counters["key"], counters["step"]

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        self.drops = training and self.rate > 0
        if not self.drops:
            return x
        self.step_now = fresh(self._next_step)
        return kernels.of(x).dropout(x, self.rate, self.key, self.step_now)

    def _next_step(self) -> int:
        self.step += 1
        return self.step

    def call_backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> np.ndarray | None:
        return kernels.of(dy).dropout(dy, self.rate, self.key, self.step_now) if self.drops else dy
