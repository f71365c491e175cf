"""The network of the record run: airbench94, which learns CIFAR-10 to 0.94 in ten passes over the pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scratchnet.annotations import checked
from scratchnet.arguments import check_count, check_number
from scratchnet.devices import as_array, to_numpy
from scratchnet.initializers import VarianceScaling
from scratchnet.layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    Dense,
    Flatten,
    Layer,
    MaxPooling2D,
    Rescaling,
)
from scratchnet.models import Model
from scratchnet.zoo.first_layers import begin


@checked
def whitening_filters(x: np.ndarray, size: int = 2, epsilon: float = 5e-4) -> np.ndarray:
    """The kernel of a convolution whose outputs are uncorrelated on these pictures, each of about the same power.

    The patches p of size x size pixels, (K,) with K = size^2 * C, have the second moments M = mean of p p^T over all
    patches, which are the eigenvectors v_i with the eigenvalues l_i, the largest first. Filter i is

        w_i = v_i / sqrt(l_i + epsilon),   so mean of (w_i . p) (w_j . p) = l_i / (l_i + epsilon) if i = j, else 0

    and filter K + i is -w_i: an activation like ReLU then keeps both halves of what w_i has found.

    Args:
        x: pictures (N, H, W, C), floats in the scale that the convolution gets; a few thousand are enough.
        size: of a patch, in pixels.
        epsilon: added to the eigenvalues: directions in which the patches hardly differ are noise.

    Returns:
        The kernel, (size, size, C, 2 * K).

    Raises:
        ValueError: x is no pictures of at least that size.

    Source: Page, "How to train your ResNet 8: Bag of tricks", 2018; Jordan, arXiv 2404.00498, section 3.2.
    """
    x = to_numpy(as_array(x))
    check_count(size, "size", "whitening_filters")
    check_number(epsilon, "epsilon", "whitening_filters", 0, above=True)
    if x.ndim != 4 or 0 in x.shape or min(x.shape[1:3]) < size:
        raise ValueError(
            f"whitening_filters: expected x, pictures (N, H, W, C) of at least {size} x {size} pixels, got shape "
            f"{x.shape}."
        )
    patches = np.lib.stride_tricks.sliding_window_view(x, (size, size), axis=(1, 2))  # (N, H', W', C, size, size)
    patches = np.moveaxis(patches, 3, 5).reshape(-1, size * size * x.shape[3])  # (N * H' * W', K)
    values, vectors = np.linalg.eigh(patches.T.astype(np.float64) @ patches / len(patches))
    filters = (vectors / np.sqrt(values + epsilon))[:, ::-1]  # eigh gives the smallest eigenvalues first
    kernel = np.concatenate([filters, -filters], axis=1).reshape(size, size, x.shape[3], -1)
    return kernel.astype(np.float32)


def _uniform() -> VarianceScaling:
    # From -1 / sqrt(fan_in) to 1 / sqrt(fan_in), as PyTorch begins, and so the paper.
    return VarianceScaling(1 / 3, "fan_in", "uniform")


def _pass_on(layer: Conv2D) -> None:
    """Let the first filters give the input's channels as they are: partial identity; PyTorch calls it dirac."""
    kernel = layer.params["kernel"]
    passed = min(kernel.shape[2:])
    kernel[:, :, :, :passed] = 0
    for channel in range(passed):
        kernel[kernel.shape[0] // 2, kernel.shape[1] // 2, channel, channel] = 1


@checked
def airbench(
    input_shape: tuple[int, int, int] = (32, 32, 3),
    classes: int = 10,
    first: Sequence[Layer] = (),
    *,
    widths: Sequence[int] = (64, 256, 256),
    activation: str = "gelu",
    whitening: np.ndarray | None = None,
    identity: bool = True,
) -> Model:
    """Eight layers, which the recipe `record` trains to 0.94 in ten passes; 1,973,944 parameters.

    | output | layers |
    |---|---|
    | 31 x 31 x 24 | convolution 2 x 2 with bias, named "whitening"; GELU |
    | 15 x 15 x 64 | convolution 3 x 3, maximum of 2 x 2, normalization, GELU; convolution 3 x 3, normalization, GELU |
    | 7 x 7 x 256 | the same |
    | 3 x 3 x 256 | the same |
    | classes | maximum of 3 x 3, dense layer without bias, divided by 9 |

    The output is the scores, before a softmax: the loss takes from_logits=True. The normalizations have no scale, and
    moving averages that look back over two or three batches (momentum 0.6).

    Args:
        input_shape: (H, W, C) of the pictures; H and W at least 25.
        classes: how many there are.
        first: layers to begin with, such as a normalization.
        widths: filters of the three groups.
        activation: behind each normalization.
        whitening: the first kernel, from `whitening_filters`; None for a random one. To keep it as it is while the
            bias learns, the optimizer takes rate_factors={next(iter(model.params)): 0.0}.
        identity: whether the 3 x 3 filters begin by passing on their input's channels, as far as there are filters;
            the rest are random.

    Raises:
        ValueError: a bad argument, or a kernel of another shape.

    Source: Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", arXiv 2404.00498, sections 3.1 to 3.3.
    """
    inputs, x = begin("airbench", input_shape, classes, first)
    convolutions = []

    def normalized(x: Any) -> Any:
        x = BatchNormalization(momentum=0.6, epsilon=1e-12, scale=False)(x)
        return Activation(activation)(x)

    def convolved(x: Any, filters: int) -> Any:
        convolutions.append(Conv2D(filters, 3, padding="same", use_bias=False, kernel_initializer=_uniform()))
        return convolutions[-1](x)

    start = Conv2D(8 * x.shape[-1], 2, kernel_initializer=_uniform(), name="whitening")
    x = Activation(activation)(start(x))
    for filters in widths:
        x = normalized(MaxPooling2D()(convolved(x, filters)))
        x = normalized(convolved(x, filters))
    x = Flatten()(MaxPooling2D(3)(x))
    x = Rescaling(1 / 9)(Dense(classes, use_bias=False, kernel_initializer=_uniform())(x))
    model = Model(inputs, x, name="airbench")
    if whitening is not None:
        whitening = as_array(whitening)
        if whitening.shape != start.params["kernel"].shape:
            raise ValueError(
                f"airbench: expected whitening of shape {start.params['kernel'].shape}, got {whitening.shape}: "
                "whitening_filters(x) of pictures as they come out of the layers in `first`."
            )
        start.params["kernel"][...] = whitening
    for layer in convolutions if identity else ():
        _pass_on(layer)
    return model
