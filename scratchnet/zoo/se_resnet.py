"""Squeeze-and-excitation, reference [8] of the article: a network that turns its channels up and down as it looks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scratchnet.annotations import checked
from scratchnet.arguments import check_count
from scratchnet.layers import Dense, GlobalAveragePooling2D, Layer, Multiply
from scratchnet.models import Model
from scratchnet.zoo.resnet import bottlenecks, residual


def squeeze_excitation(x: Any, reduction: int = 16) -> Any:
    """x with each channel multiplied by a number from 0 to 1, which two dense layers work out from all channels' means.

        z[n,c] = mean over h, v of x[n,h,v,c]                                            squeeze
        s = sigmoid(ReLU(z @ w_1 + b_1) @ w_2 + b_2)                                     excitation
        y[n,h,v,c] = x[n,h,v,c] * s[n,c]

    Shapes: x and y (N, H, W, C), z and s (N, 1, 1, C), w_1 (C, C // reduction), w_2 (C // reduction, C).

    Source: Hu, Shen, Albanie, Sun and Wu, "Squeeze-and-Excitation Networks", arXiv 1709.01507, section 3.
    """
    channels = x.shape[-1]
    s = GlobalAveragePooling2D(keepdims=True)(x)
    s = Dense(max(channels // reduction, 1), activation="relu", kernel_initializer="he_normal")(s)
    s = Dense(channels, activation="sigmoid")(s)
    return Multiply()([x, s])


@checked
def se_resnet_20(
    input_shape: tuple[int, int, int] = (32, 32, 3),
    classes: int = 10,
    first: Sequence[Layer] = (),
    *,
    reduction: int = 16,
) -> Model:
    """`resnet_20` whose branches end in squeeze-and-excitation; 276,415 parameters, 1% more than without.

    | stage | output | layers |
    |---|---|---|
    | | 32 x 32 x 16 | convolution 3 x 3 |
    | 1 | 32 x 32 x 16 | 3 blocks of two convolutions 3 x 3; dense 1, dense 16, on the means of the channels |
    | 2 | 16 x 16 x 32 | 3 blocks; the first has strides of 2; dense 2, dense 32 |
    | 3 | 8 x 8 x 64 | 3 blocks; the first has strides of 2; dense 4, dense 64 |
    | | classes | mean over the places, dense layer, softmax |

    A block of C channels gets 2 * C * C / 16 weights and C / 16 + C biases: 49, 162 and 580, three times each. What it
    brings is seen beside `resnet_20`, which is the same without.

    Args:
        input_shape: (H, W, C) of the pictures.
        classes: how many there are.
        first: layers to begin with, such as a normalization.
        reduction: how many times fewer channels the first dense layer has; the paper has 16 in all its networks.

    Source: Hu, Shen, Albanie, Sun and Wu, "Squeeze-and-Excitation Networks", arXiv 1709.01507,
    https://doi.org/10.1109/CVPR.2018.00745; its networks for CIFAR have 110 and 164 layers.
    """
    check_count(reduction, "reduction", "se_resnet_20")
    return residual(
        "se_resnet_20", 3, input_shape, classes, first, scaling=lambda x: squeeze_excitation(x, reduction)
    )  # fmt: skip


@checked
def se_resnet_50(
    input_shape: tuple[int, int, int] = (224, 224, 3),
    classes: int = 1000,
    first: Sequence[Layer] = (),
    *,
    reduction: int = 16,
) -> Model:
    """`resnet_50` whose branches end in squeeze-and-excitation; 28,167,704 parameters, 28,114,584 trained.

    | stage | output | layers |
    |---|---|---|
    | | 56 x 56 x 64 | convolution 7 x 7, normalization, ReLU, max-pooling 3 x 3, as in `resnet_50` |
    | 1 | 56 x 56 x 256 | 3 blocks of three convolutions; dense 16, dense 256, on the means of the channels |
    | 2 | 28 x 28 x 512 | 4 blocks; dense 32, dense 512 |
    | 3 | 14 x 14 x 1024 | 6 blocks; dense 64, dense 1024 |
    | 4 | 7 x 7 x 2048 | 3 blocks; dense 128, dense 2048 |
    | | classes | mean over the places, dense layer, softmax |

    A block of C channels gets 2 * C * C / 16 weights and C / 16 + C biases: with 3 of 256, 4 of 512, 6 of 1024 and 3 of
    2048 channels 2,514,944 and 16,048, to the 25,636,712 of `resnet_50`. The paper says 28.1 million: it counts no
    moving averages, 53,120 here, and its convolutions have no biases, 26,560 here.

    Args:
        input_shape: (H, W, C) of the pictures; H and W at least 32.
        classes: how many there are.
        first: layers to begin with, such as a normalization.
        reduction: how many times fewer channels the first dense layer has.

    Source: as for `se_resnet_20`, table 2.
    """
    check_count(reduction, "reduction", "se_resnet_50")
    return bottlenecks("se_resnet_50", input_shape, classes, first, scaling=lambda x: squeeze_excitation(x, reduction))
