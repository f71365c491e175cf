"""Densely connected networks, reference [7] of the article: each layer sees what all layers before it gave."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scratchnet.annotations import checked
from scratchnet.layers import (
    AveragePooling2D,
    BatchNormalization,
    Concatenate,
    Conv2D,
    Dense,
    GlobalAveragePooling2D,
    Layer,
    MaxPooling2D,
    ReLU,
    ZeroPadding2D,
)
from scratchnet.models import Model
from scratchnet.zoo.first_layers import begin

EPSILON = 1.001e-5  # of the normalizations of DenseNet-121
PLAIN_WIDTHS = 36, 60, 68  # filters of the CIFAR network's blocks where nothing is concatenated


def _convolution(x: Any, filters: int, kernel_size: int) -> Any:
    return Conv2D(filters, kernel_size, padding="same", use_bias=False, kernel_initializer="he_normal")(x)


def _layer(x: Any, filters: int, kernel_size: int, momentum: float = 0.9, epsilon: float = 1e-3) -> Any:
    """Normalization, ReLU, convolution."""
    x = BatchNormalization(momentum=momentum, epsilon=epsilon)(x)
    return _convolution(ReLU()(x), filters, kernel_size)


@checked
def densenet_40(
    input_shape: tuple[int, int, int] = (32, 32, 3),
    classes: int = 10,
    first: Sequence[Layer] = (),
    *,
    concatenate: bool = True,
) -> Model:
    """The densely connected network of 40 layers for CIFAR, growth rate 12; 1,037,818 parameters, 1,019,722 trained.

    | block | output | layers |
    |---|---|---|
    | | 32 x 32 x 16 | convolution 3 x 3 |
    | 1 | 32 x 32 x 160 | 12 times: normalization, ReLU, convolution 3 x 3 with 12 filters, behind what was there |
    | | 16 x 16 x 160 | normalization, ReLU, convolution 1 x 1; means of 2 x 2 |
    | 2 | 16 x 16 x 304 | 12 times the same |
    | | 8 x 8 x 304 | normalization, ReLU, convolution 1 x 1; means of 2 x 2 |
    | 3 | 8 x 8 x 448 | 12 times the same |
    | | classes | normalization, ReLU, mean over the places, dense layer, softmax |

        x_l = [x_0, h_1(x_0), h_2(x_1), ..., h_l(x_{l-1})],  so each h gets its gradient from all that come behind it

    The paper says 1.0 million: convolutions 3 x 3 432 + 106,272 + 292,896 + 479,520 = 879,120 (that of a layer with C
    channels before it has 9 * C * 12), convolutions 1 x 1 160**2 + 304**2 = 118,016, scales and shifts of 9,048
    normalized channels 18,096, dense layer 4,490. The moving averages of those channels are 18,096 further numbers.

    Args:
        input_shape: (H, W, C) of the pictures.
        classes: how many there are.
        first: layers to begin with, such as a normalization.
        concatenate: False leaves out what makes it dense: each layer sees only the one before. With 12 filters it would
            be a network of a twentieth of the weights. So that like is compared with like, each block, with the 1 x 1
            behind it, has as many filters as give it the weights and so the multiply-adds of the dense one: 36, 60
            and 68; together 1,018,162 parameters and 267 million multiply-adds a picture, against 265.

    Source: Huang, Liu, van der Maaten and Weinberger, "Densely Connected Convolutional Networks", arXiv 1608.06993,
    https://doi.org/10.1109/CVPR.2017.243, table 2; without its dropout, which is for pictures that are not augmented.
    """
    inputs, x = begin("densenet_40", input_shape, classes, first)
    x = _convolution(x, 16, 3)
    for block in range(3):
        if block:
            x = AveragePooling2D(2)(_layer(x, x.shape[-1], 1))
        for _ in range(12):
            x = Concatenate()([x, _layer(x, 12, 3)]) if concatenate else _layer(x, PLAIN_WIDTHS[block], 3)
    x = GlobalAveragePooling2D()(ReLU()(BatchNormalization(momentum=0.9)(x)))
    return Model(inputs, Dense(classes, activation="softmax")(x), name="densenet_40")


@checked
def densenet_121(
    input_shape: tuple[int, int, int] = (224, 224, 3), classes: int = 1000, first: Sequence[Layer] = ()
) -> Model:
    """The densely connected network of 121 layers for 224 x 224; 8,062,504 parameters, 7,978,856 trained.

    | block | output | layers |
    |---|---|---|
    | | 112 x 112 x 64 | convolution 7 x 7 with strides of 2, normalization, ReLU |
    | | 56 x 56 x 64 | max-pooling 3 x 3 with strides of 2 |
    | 1 | 56 x 56 x 256 | 6 times: convolution 1 x 1 with 128 filters, 3 x 3 with 32, behind what was there |
    | | 28 x 28 x 128 | convolution 1 x 1, means of 2 x 2 |
    | 2 | 28 x 28 x 512 | 12 times the same |
    | | 14 x 14 x 256 | convolution 1 x 1, means of 2 x 2 |
    | 3 | 14 x 14 x 1024 | 24 times the same |
    | | 7 x 7 x 512 | convolution 1 x 1, means of 2 x 2 |
    | 4 | 7 x 7 x 1024 | 16 times the same |
    | | classes | normalization, ReLU, mean over the places, dense layer, softmax |

    Each convolution in a block and between blocks has normalization and ReLU before it. Against `densenet_40` the 1 x 1
    spare the 3 x 3 the many channels (a bottleneck, "B"), and those between blocks halve them (compression, "C"). A
    picture takes 2.83 thousand million multiply-adds. It is the graph of `keras.applications.DenseNet121`, whose
    weights `set_weights` takes.

    Args:
        input_shape: (H, W, C) of the pictures; H and W at least 32.
        classes: how many there are.
        first: layers to begin with, such as a normalization.

    Source: Huang, Liu, van der Maaten and Weinberger, "Densely Connected Convolutional Networks", arXiv 1608.06993,
    https://doi.org/10.1109/CVPR.2017.243, table 1.
    """
    inputs, x = begin("densenet_121", input_shape, classes, first)
    x = Conv2D(64, 7, 2, use_bias=False, kernel_initializer="he_normal")(ZeroPadding2D(3)(x))
    x = ReLU()(BatchNormalization(epsilon=EPSILON)(x))
    x = MaxPooling2D(3, 2)(ZeroPadding2D(1)(x))
    for block, layers in enumerate((6, 12, 24, 16)):
        if block:
            x = AveragePooling2D(2)(_layer(x, x.shape[-1] // 2, 1, 0.99, EPSILON))
        for _ in range(layers):
            x = Concatenate()([x, _layer(_layer(x, 128, 1, 0.99, EPSILON), 32, 3, 0.99, EPSILON)])
    x = GlobalAveragePooling2D()(ReLU()(BatchNormalization(epsilon=EPSILON)(x)))
    return Model(inputs, Dense(classes, activation="softmax")(x), name="densenet_121")
