"""EfficientNet, reference [9] of the article: depthwise convolutions, and a rule by which a network grows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from scratchnet.annotations import checked
from scratchnet.arguments import check_number
from scratchnet.initializers import VarianceScaling
from scratchnet.layers import (
    Activation,
    Add,
    BatchNormalization,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    GlobalAveragePooling2D,
    Layer,
    Multiply,
    Normalization,
    Rescaling,
    StochasticDepth,
    ZeroPadding2D,
)
from scratchnet.models import Model
from scratchnet.zoo.first_layers import begin

SQUEEZE = 0.25  # of a block's input channels: what squeeze-and-excitation goes down to


class Stage(NamedTuple):
    """Blocks of one kind, the first of them with the strides.

    Attributes:
        expansion: how many times as many channels there are within the block as come in.
        filters: what goes out.
        repeats: how many blocks.
        strides: of the first.
        kernel_size: of the depthwise convolution.
    """

    expansion: int
    filters: int
    repeats: int
    strides: int
    kernel_size: int


B0 = (
    Stage(1, 16, 1, 1, 3),
    Stage(6, 24, 2, 2, 3),
    Stage(6, 40, 2, 2, 5),
    Stage(6, 80, 3, 2, 3),
    Stage(6, 112, 3, 1, 5),
    Stage(6, 192, 4, 2, 5),
    Stage(6, 320, 1, 1, 3),
)
SMALL = Stage(4, 24, 2, 2, 3), Stage(4, 40, 2, 2, 5), Stage(4, 80, 3, 1, 3), Stage(4, 112, 2, 1, 5)


class Factors(NamedTuple):
    """By how much a network is deeper, wider, and its pictures larger, than the one to begin with."""

    depth: float
    width: float
    resolution: float


@checked
def compound_scaling(phi: float, alpha: float = 1.2, beta: float = 1.1, gamma: float = 1.15) -> Factors:
    """Depth alpha^phi, width beta^phi, resolution gamma^phi: a network grows in all three at once.

    The work of convolutions grows with the depth, with the square of the width, and with the square of the resolution.
    So with alpha * beta^2 * gamma^2 near 2, it doubles with each phi; the paper's numbers, found on B0, give 1.92.

        depth, width, resolution = compound_scaling(1)  # (1.2, 1.1, 1.15)
        efficientnet_b0((260, 260, 3), depth=depth, width=width)  # EfficientNet-B2

    Args:
        phi: how far, from -10 to 10; 0 is the network to begin with.
        alpha, beta, gamma: of depth, width and resolution; from 1 to 10.

    Raises:
        ValueError: a number beyond.

    Source: Tan and Le, arXiv 1905.11946, equation 3.
    """
    check_number(phi, "phi", "compound_scaling", -10, 10)
    for name, value in (("alpha", alpha), ("beta", beta), ("gamma", gamma)):
        check_number(value, name, "compound_scaling", 1, 10)
    return Factors(alpha**phi, beta**phi, gamma**phi)


def round_filters(filters: int, width: float) -> int:
    """width * filters, to the nearest multiple of 8, or the next one where that takes away more than a tenth."""
    wanted = filters * width
    rounded = max(8, int(wanted + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * wanted else rounded


def round_repeats(repeats: int, depth: float) -> int:
    """depth * repeats, rounded up."""
    return math.ceil(depth * repeats)


def _convolution(x: Any, filters: int, kernel_size: int = 1, strides: int = 1, **options: Any) -> Any:
    padding = "valid" if strides > 1 else "same"
    initializer = VarianceScaling(2.0, "fan_out")
    return Conv2D(filters, kernel_size, strides, padding, kernel_initializer=initializer, **options)(x)


def _padded(x: Any, kernel_size: int) -> Any:
    """With the zeros that padding="same" takes for strides of 2."""
    after = kernel_size // 2
    rows, columns = (after - 1 + size % 2 for size in x.shape[1:3])
    return ZeroPadding2D(((rows, after), (columns, after)))(x)


def _swish_of_normalized(x: Any, momentum: float) -> Any:
    return Activation("swish")(BatchNormalization(momentum=momentum)(x))


def _excited(x: Any, squeezed: int) -> Any:
    """Squeeze-and-excitation: each channel times a factor from 0 to 1, which follows from the means of all channels."""
    factors = GlobalAveragePooling2D(keepdims=True)(x)
    factors = _convolution(factors, squeezed, activation="swish")
    factors = _convolution(factors, x.shape[-1], activation="sigmoid")
    return Multiply()([x, factors])


def _width_of_equal_work(stage: Stage, channels: int, strides: int) -> int:
    """E of a block with a full convolution: a * E^2 + b * E is the work of the depthwise one, for each place of y."""
    inner = channels * stage.expansion
    taps, outside = stage.kernel_size**2, channels * strides**2 + stage.filters
    work = (taps + outside) * inner
    return round((math.sqrt(outside**2 + 4 * taps * work) - outside) / (2 * taps))


def _block(x: Any, stage: Stage, strides: int, drop_rate: float, momentum: float, depthwise: bool) -> Any:
    """MBConv: wider by 1 x 1, each channel filtered by itself, excited, narrower by 1 x 1; added to x if it fits."""
    channels, y = x.shape[-1], x
    inner = channels * stage.expansion if depthwise else _width_of_equal_work(stage, channels, strides)
    if stage.expansion > 1:
        y = _swish_of_normalized(_convolution(y, inner, use_bias=False), momentum)
    if strides > 1:
        y = _padded(y, stage.kernel_size)
    if depthwise:
        y = DepthwiseConv2D(
            stage.kernel_size, strides, "valid" if strides > 1 else "same", use_bias=False,
            depthwise_initializer=VarianceScaling(2.0, "fan_out"),
        )(y)  # fmt: skip
    else:
        y = _convolution(y, inner, stage.kernel_size, strides, use_bias=False)
    y = _swish_of_normalized(y, momentum)
    y = _excited(y, max(1, int(channels * SQUEEZE)))
    y = BatchNormalization(momentum=momentum)(_convolution(y, stage.filters, use_bias=False))
    if strides > 1 or channels != stage.filters:
        return y
    if drop_rate > 0:
        y = StochasticDepth(drop_rate)(y)
    return Add()([y, x])


def _stages(x: Any, stages: Sequence[Stage], drop_rate: float, momentum: float = 0.99, depthwise: bool = True) -> Any:
    """All blocks; the farther one is from the input, the more often its branch is left out."""
    blocks = [(stage, stage.strides if number == 0 else 1) for stage in stages for number in range(stage.repeats)]
    for number, (stage, strides) in enumerate(blocks):
        x = _block(x, stage, strides, drop_rate * number / len(blocks), momentum, depthwise)
    return x


@checked
def efficientnet_b0(
    input_shape: tuple[int, int, int] = (224, 224, 3),
    classes: int = 1000,
    first: Sequence[Layer] = (),
    *,
    depth: float = 1.0,
    width: float = 1.0,
    stochastic_depth: float = 0.2,
    dropout: float = 0.2,
) -> Model:
    """EfficientNet-B0 for pictures as bytes, and by depth and width its larger kin; 5,330,571 parameters.

    | stage | output | layers |
    |---|---|---|
    | | 224 x 224 x 3 | division by 255, normalization (`adapt` it, or it lets all pass) |
    | | 112 x 112 x 32 | convolution 3 x 3, strides of 2 |
    | 1 | 112 x 112 x 16 | 1 block, depthwise 3 x 3, no expansion |
    | 2 | 56 x 56 x 24 | 2 blocks, 3 x 3, expansion 6, as all further ones |
    | 3 | 28 x 28 x 40 | 2 blocks, 5 x 5 |
    | 4 | 14 x 14 x 80 | 3 blocks, 3 x 3 |
    | 5 | 14 x 14 x 112 | 3 blocks, 5 x 5 |
    | 6 | 7 x 7 x 192 | 4 blocks, 5 x 5 |
    | 7 | 7 x 7 x 320 | 1 block, 3 x 3 |
    | | 7 x 7 x 1280 | convolution 1 x 1 |
    | | classes | mean over the places, dropout, dense layer, softmax |

    The graph and the order of the weights are those of keras.applications.EfficientNetB0.

    Args:
        input_shape: (H, W, C) of the pictures.
        classes: how many there are.
        first: layers to begin with.
        depth, width: factors of the numbers of blocks and of filters; see `compound_scaling`. B1 to B7 have the depths
            1.1, 1.2, 1.4, 1.8, 2.2, 2.6, 3.1, the widths 1, 1.1, 1.2, 1.4, 1.6, 1.8, 2, and pictures of 240, 260, 300,
            380, 456, 528, 600.
        stochastic_depth: with what probability the branch of the last block is left out in training.
        dropout: before the dense layer.

    Raises:
        ValueError: a factor that is not above 0 or is above 10, a probability that is not from 0 to below 1.

    Sources: Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", arXiv 1905.11946,
    table 1; Huang et al., "Deep Networks with Stochastic Depth", https://doi.org/10.1007/978-3-319-46493-0_39; Keras,
    https://keras.io/api/applications/efficientnet/
    """
    for name, factor in (("depth", depth), ("width", width)):
        check_number(factor, name, "efficientnet_b0", 0, 10, above=True)
    for name, rate in (("stochastic_depth", stochastic_depth), ("dropout", dropout)):
        check_number(rate, name, "efficientnet_b0", 0, 1, below=True)
    inputs, x = begin("efficientnet_b0", input_shape, classes, (*first, Rescaling(1 / 255), Normalization()))
    x = _convolution(_padded(x, 3), round_filters(32, width), 3, 2, use_bias=False)
    x = _swish_of_normalized(x, 0.99)
    stages = [
        stage._replace(filters=round_filters(stage.filters, width), repeats=round_repeats(stage.repeats, depth))
        for stage in B0
    ]
    x = _stages(x, stages, stochastic_depth)
    x = _swish_of_normalized(_convolution(x, round_filters(1280, width), use_bias=False), 0.99)
    x = GlobalAveragePooling2D()(x)
    x = Dropout(dropout)(x) if dropout > 0 else x
    initializer = VarianceScaling(1 / 3, "fan_out", "uniform")
    return Model(inputs, Dense(classes, "softmax", kernel_initializer=initializer)(x), name="efficientnet_b0")


@checked
def efficientnet_small(
    input_shape: tuple[int, int, int] = (32, 32, 3),
    classes: int = 10,
    first: Sequence[Layer] = (),
    *,
    depthwise: bool = True,
    stochastic_depth: float = 0.1,
) -> Model:
    """An EfficientNet for CIFAR: 485,686 parameters, 28 million multiply-adds for a picture.

    | stage | output | layers |
    |---|---|---|
    | | 32 x 32 x 16 | convolution 3 x 3 |
    | 1 | 16 x 16 x 24 | 2 blocks, depthwise 3 x 3, expansion 4, as all further ones |
    | 2 | 8 x 8 x 40 | 2 blocks, 5 x 5 |
    | 3 | 8 x 8 x 80 | 3 blocks, 3 x 3 |
    | 4 | 8 x 8 x 112 | 2 blocks, 5 x 5 |
    | | 8 x 8 x 384 | convolution 1 x 1 |
    | | classes | mean over the places, dense layer, softmax |

    A depthwise convolution of K x K has K^2 multiply-adds for each place and channel, a full one of E channels K^2 * E:
    so for the same work a block may be several times as wide inside, 4 times C instead of about C.

    Args:
        input_shape, classes, first, stochastic_depth: as for `efficientnet_b0`.
        depthwise: False takes full convolutions. The channels within each block, E, are then so many that the work
            stays the same, K^2 * E^2 + (C + filters) * E instead of K^2 * 4 C + (C + filters) * 4 C; E is from 0.6 to
            1.4 times C, and there are 416,378 parameters.

    Source: Tan and Le, arXiv 1905.11946; the stages are ours.
    """
    check_number(stochastic_depth, "stochastic_depth", "efficientnet_small", 0, 1, below=True)
    inputs, x = begin("efficientnet_small", input_shape, classes, first)
    x = _swish_of_normalized(_convolution(x, 16, 3, use_bias=False), 0.9)
    x = _stages(x, SMALL, stochastic_depth, 0.9, depthwise)
    x = _swish_of_normalized(_convolution(x, 384, use_bias=False), 0.9)
    x = GlobalAveragePooling2D()(x)
    return Model(inputs, Dense(classes, "softmax")(x), name="efficientnet_small")
