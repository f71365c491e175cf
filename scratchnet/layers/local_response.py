"""Local response normalization, by which neighbouring channels compete; AlexNet has it."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet import kernels
from scratchnet.arguments import check_count, check_number
from scratchnet.layers.base import Layer


class LocalResponseNormalization(Layer):
    """Each number divided by a power of the squares of its neighbours: those in the channels near its own.

        y[..,c] = x[..,c] * s[c]^-beta,  s[c] = bias + alpha * sum of x[..,j]^2 over all j with |j - c| <= depth_radius

    The sum is over 2 * depth_radius + 1 channels at one place of a picture, fewer where there are no more. Where one of
    them is large, the others become small.

    Backward: x[c] moves its own y directly, and through the sums s[j] those of all channels near it. From

        dy[j]/dx[c] = (s[j]^-beta if j = c, else 0) + x[j] * (-beta) * s[j]^(-beta-1) * ds[j]/dx[c],
        ds[j]/dx[c] = 2 * alpha * x[c] where |j - c| <= depth_radius, else 0

    follows, summed up with the gradients that come,

        dx[c] = dy[c] * s[c]^-beta - 2 * alpha * beta * x[c] * sum of dy[j] * x[j] * s[j]^(-beta-1) over j near c

    Only x is kept for it: s is worked out anew, in less time than it takes to write it down and read it again.

    The defaults are AlexNet's: n = 5 channels, k = 2, alpha = 1e-4, beta = 0.75. Keras has no such layer. Names and
    meaning are those of tf.nn.local_response_normalization, whose own defaults are 5, 1, 1 and 0.5. As there and in the
    paper, alpha is a factor of the sum; torch.nn.LocalResponseNorm(size) divides it by size first, so that its
    alpha=5e-4 with size=5 is 1e-4 here.

    Shapes: x (N, ..., C), y the same. There are no weights.

    Args:
        depth_radius: how many channels on each side are neighbours; the paper's n is 2 * depth_radius + 1.
        bias: the paper's k, above 0.
        alpha: a factor of the sum of squares.
        beta: the exponent. 0.75 and 0.5 are fast, by roots.

    Raises:
        ValueError: a bad argument.

    Source: Krizhevsky, Sutskever and Hinton, "ImageNet Classification with Deep Convolutional Neural Networks",
    NIPS 2012, https://doi.org/10.1145/3065386, section 3.3.
    """

    for_backward = ("x",)

    def __init__(
        self, depth_radius: int = 2, bias: float = 2.0, alpha: float = 1e-4, beta: float = 0.75, **options: Any
    ):
        super().__init__(**options)
        self.depth_radius = check_count(depth_radius, "depth_radius", self.full_name, 0)
        self.bias = check_number(bias, "bias", self.full_name, 0, above=True)
        self.alpha = check_number(alpha, "alpha", self.full_name, 0)
        self.beta = check_number(beta, "beta", self.full_name, 0)

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        self.x = x
        return kernels.of(x).local_response_norm(x, self.depth_radius, self.bias, self.alpha, self.beta)

    def call_backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> np.ndarray | None:
        return kernels.of(dy).local_response_norm_backward(
            dy, self.x, self.depth_radius, self.bias, self.alpha, self.beta
        )
