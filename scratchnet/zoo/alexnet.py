"""AlexNet, reference [3] of the article: the network that made deep learning known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scratchnet.annotations import checked
from scratchnet.initializers import RandomNormal
from scratchnet.layers import (
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Layer,
    LocalResponseNormalization,
    MaxPooling2D,
)
from scratchnet.models import Model
from scratchnet.zoo.first_layers import begin

_WEIGHTS: dict[str, Any] = {"kernel_initializer": RandomNormal(stddev=0.01)}
_RELU: dict[str, Any] = {"activation": "relu", **_WEIGHTS}
_POSITIVE: dict[str, Any] = {"bias_initializer": "ones", **_RELU}  # ReLU begins where it has a slope


@checked
def alexnet(
    input_shape: tuple[int, int, int] = (227, 227, 3), classes: int = 1000, first: Sequence[Layer] = ()
) -> Model:
    """Five convolutions and three dense layers, in two groups; 60,965,224 parameters at 227 x 227 x 3.

    | layer | output | what it does | parameters |
    |---|---|---|---|
    | 1 | 55 x 55 x 96 | convolution 11 x 11, strides of 4; LRN | 34,944 |
    | | 27 x 27 x 96 | maximum of 3 x 3, strides of 2 | |
    | 2 | 27 x 27 x 256 | convolution 5 x 5, padded, two groups; LRN | 307,456 |
    | | 13 x 13 x 256 | maximum of 3 x 3, strides of 2 | |
    | 3 | 13 x 13 x 384 | convolution 3 x 3, padded | 885,120 |
    | 4 | 13 x 13 x 384 | convolution 3 x 3, padded, two groups | 663,936 |
    | 5 | 13 x 13 x 256 | convolution 3 x 3, padded, two groups | 442,624 |
    | | 6 x 6 x 256 | maximum of 3 x 3, strides of 2 | |
    | 6 | 4096 | dense, of 9216 numbers; dropout 0.5 | 37,752,832 |
    | 7 | 4096 | dense; dropout 0.5 | 16,781,312 |
    | 8 | classes | dense, softmax | 4,097,000 |

    ReLU ends layers 1 to 7, and LRN, local response normalization, follows it. Groups are what the paper's two GPUs
    were for: each had half of the channels, and in layers 2, 4 and 5 saw no others; so the kernels of layer 2 are
    5 x 5 x 48 there and here. The windows of the pooling overlap. 62% of the parameters are in layer 6.

    Weights begin as the paper's: N(0, 0.01), biases as 1 in layers 2, 4, 5, 6 and 7, so that ReLU first has positive
    inputs, and as 0 in 1, 3 and 8. It was trained by SGD with momentum 0.9, batches of 128, weight decay 0.0005 and a
    learning rate of 0.01 that was divided by 10 three times. The paper writes 224 x 224 pixels; 55 places of 11 pixels
    at strides of 4 are 227.

    Args:
        input_shape: (H, W, C) of the pictures; H and W at least 67, so that something is left to pool.
        classes: how many there are.
        first: layers to begin with, such as a normalization.

    Source: Krizhevsky, Sutskever and Hinton, "ImageNet Classification with Deep Convolutional Neural Networks",
    NIPS 2012, https://doi.org/10.1145/3065386.
    """
    inputs, x = begin("alexnet", input_shape, classes, first)
    for layer in (
        Conv2D(96, 11, strides=4, **_RELU),
        LocalResponseNormalization(),
        MaxPooling2D(3, strides=2),
        Conv2D(256, 5, padding="same", groups=2, **_POSITIVE),
        LocalResponseNormalization(),
        MaxPooling2D(3, strides=2),
        Conv2D(384, 3, padding="same", **_RELU),
        Conv2D(384, 3, padding="same", groups=2, **_POSITIVE),
        Conv2D(256, 3, padding="same", groups=2, **_POSITIVE),
        MaxPooling2D(3, strides=2),
        Flatten(),
        Dense(4096, **_POSITIVE),
        Dropout(0.5),
        Dense(4096, **_POSITIVE),
        Dropout(0.5),
        Dense(classes, activation="softmax", **_WEIGHTS),
    ):
        x = layer(x)
    return Model(inputs, x, name="alexnet")
