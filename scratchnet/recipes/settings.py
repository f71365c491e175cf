"""What several recipes for CIFAR-10 have in common: how pictures are normalized, and how the rate goes."""

from __future__ import annotations

from scratchnet.datasets import cifar10
from scratchnet.layers import Normalization
from scratchnet.schedules import CosineDecay


def normalized() -> Normalization:
    """A first layer for pictures as bytes: mean 0 and variance 1 in each channel, over the training pictures."""
    return Normalization(mean=[255 * m for m in cifar10.MEAN], variance=[(255 * s) ** 2 for s in cifar10.STD])


def one_cycle(steps: int, highest: float = 0.1) -> CosineDecay:
    """The rate rises for a sixth of the steps, then falls to 0: large ones find a good region, small its minimum."""
    return CosineDecay(0.0, steps - steps // 6, warmup_target=highest, warmup_steps=steps // 6)
