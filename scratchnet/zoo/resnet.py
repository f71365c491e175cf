"""Residual networks, reference [6] of the article: a block learns what is to be added to its input."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from scratchnet.annotations import checked
from scratchnet.layers import (
    Add,
    BatchNormalization,
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

STAGES = 16, 32, 64  # filters of the CIFAR networks' stages, at 32 x 32, 16 x 16 and 8 x 8 places
BOTTLENECKS = (64, 3), (128, 4), (256, 6), (512, 3)  # (filters, blocks) of the stages of ResNet-50
EPSILON = 1.001e-5  # of the normalizations of the networks of 224 x 224
Scaling = Callable[[Any], Any]  # what is done to a block's branch before it is added


def _convolution(x: Any, filters: int, kernel_size: int, strides: int = 1, use_bias: bool = False) -> Any:
    # Without a bias: the normalization behind it subtracts the mean, and so any bias.
    return Conv2D(
        filters, kernel_size, strides, padding="same", use_bias=use_bias, kernel_initializer="he_normal"
    )(x)  # fmt: skip


def _normalized(x: Any) -> Any:
    return BatchNormalization(momentum=0.9)(x)


def _block(x: Any, filters: int, strides: int, shortcuts: bool, scaling: Scaling | None) -> Any:
    """ReLU(x + branch), the branch convolution, normalization, ReLU, convolution, normalization."""
    y = ReLU()(_normalized(_convolution(x, filters, 3, strides)))
    y = _normalized(_convolution(y, filters, 3))
    if scaling is not None:
        y = scaling(y)
    if shortcuts:
        if strides != 1 or x.shape[-1] != filters:
            x = _normalized(_convolution(x, filters, 1, strides))
        y = Add()([x, y])
    return ReLU()(y)


def _pre_activation_block(x: Any, filters: int, strides: int, shortcuts: bool, scaling: Scaling | None) -> Any:
    """x + branch, the branch twice normalization, ReLU, convolution: nothing stands in the way of x."""
    a = ReLU()(_normalized(x))
    y = _convolution(a, filters, 3, strides)
    y = _convolution(ReLU()(_normalized(y)), filters, 3)
    if scaling is not None:
        y = scaling(y)
    if not shortcuts:
        return y
    if strides != 1 or x.shape[-1] != filters:
        x = _convolution(a, filters, 1, strides)
    return Add()([x, y])


def residual(
    caller: str,
    blocks: int,
    input_shape: tuple[int, int, int],
    classes: int,
    first: Sequence[Layer],
    shortcuts: bool = True,
    pre_activation: bool = False,
    scaling: Scaling | None = None,
) -> Model:
    """A convolution of 3 x 3; three stages of `blocks` residual blocks; the mean over all places; a dense layer.

    Args:
        caller: how errors begin, and the model's name.
        blocks: in each stage; the network has 6 * blocks + 2 layers with weights on its longest way.
        input_shape, classes, first, shortcuts, pre_activation: as for `resnet_20`.
        scaling: what is done to a branch before it is added, such as squeeze-and-excitation.
    """
    block = _pre_activation_block if pre_activation else _block
    inputs, x = begin(caller, input_shape, classes, first)
    x = _convolution(x, STAGES[0], 3)
    if not pre_activation:
        x = ReLU()(_normalized(x))
    for stage, filters in enumerate(STAGES):
        for number in range(blocks):
            x = block(x, filters, 2 if stage and not number else 1, shortcuts, scaling)
    if pre_activation:
        x = ReLU()(_normalized(x))
    x = GlobalAveragePooling2D()(x)
    return Model(inputs, Dense(classes, activation="softmax")(x), name=caller)


@checked
def resnet_20(
    input_shape: tuple[int, int, int] = (32, 32, 3),
    classes: int = 10,
    first: Sequence[Layer] = (),
    *,
    shortcuts: bool = True,
    pre_activation: bool = False,
) -> Model:
    """The residual network of 20 layers for CIFAR; 274,042 parameters.

    | stage | output | layers |
    |---|---|---|
    | | 32 x 32 x 16 | convolution 3 x 3 |
    | 1 | 32 x 32 x 16 | 3 blocks of two convolutions 3 x 3 |
    | 2 | 16 x 16 x 32 | 3 blocks; the first has strides of 2 |
    | 3 | 8 x 8 x 64 | 3 blocks; the first has strides of 2 |
    | | classes | mean over the places, dense layer, softmax |

        y = ReLU(x + branch(x)),  so dx = dx_branch + dy where ReLU let it through: it comes back whole

    Where a block changes the shape, the shortcut is a convolution 1 x 1 with the same strides, the paper's option B;
    the paper's own CIFAR networks pad with zero channels there, option A, and have 0.27 million parameters, too.

    Args:
        input_shape: (H, W, C) of the pictures.
        classes: how many there are.
        first: layers to begin with, such as a normalization.
        shortcuts: False leaves out what makes it residual: the plain network of the same layers.
        pre_activation: normalization and ReLU before each convolution and none behind the sum: arXiv 1603.05027.

    Sources: He, Zhang, Ren and Sun, "Deep Residual Learning for Image Recognition", arXiv 1512.03385,
    https://doi.org/10.1109/CVPR.2016.90, section 4.2; the same, "Identity Mappings in Deep Residual Networks", arXiv
    1603.05027.
    """
    return residual("resnet_20", 3, input_shape, classes, first, shortcuts, pre_activation)


@checked
def resnet_56(
    input_shape: tuple[int, int, int] = (32, 32, 3),
    classes: int = 10,
    first: Sequence[Layer] = (),
    *,
    shortcuts: bool = True,
    pre_activation: bool = False,
) -> Model:
    """The same with 9 blocks in each stage, 56 layers; 0.86 million parameters.

    Args and sources: as for `resnet_20`. Without shortcuts it is the paper's example of a network that is too deep to
    train: its error on the training pictures is larger than that of 20 layers.
    """
    return residual("resnet_56", 9, input_shape, classes, first, shortcuts, pre_activation)


# The networks for pictures of 224 x 224, layer by layer those of Keras's applications, whose convolutions have biases.


def _biased(x: Any, filters: int, kernel_size: int, strides: int = 1) -> Any:
    return _convolution(x, filters, kernel_size, strides, use_bias=True)


def _even(x: Any) -> Any:
    return BatchNormalization(epsilon=EPSILON)(x)


def _bottleneck(x: Any, filters: int, strides: int, scaling: Scaling | None) -> Any:
    """ReLU(x + branch), the branch 1 x 1 to few channels, 3 x 3 on them, 1 x 1 to four times as many."""
    shortcut = x
    if x.shape[-1] != 4 * filters:
        shortcut = _even(_biased(x, 4 * filters, 1, strides))
    y = ReLU()(_even(_biased(x, filters, 1, strides)))
    y = ReLU()(_even(_biased(y, filters, 3)))
    y = _even(_biased(y, 4 * filters, 1))
    if scaling is not None:
        y = scaling(y)
    return ReLU()(Add()([shortcut, y]))


def _pre_activation_bottleneck(x: Any, filters: int, strides: int, scaling: Scaling | None) -> Any:
    """x + branch, the branch three times normalization, ReLU, convolution; strides are those of the 3 x 3."""
    a = ReLU()(_even(x))
    if x.shape[-1] != 4 * filters:
        shortcut = _biased(a, 4 * filters, 1, strides)
    else:
        shortcut = MaxPooling2D(1, strides)(x) if strides != 1 else x
    y = _convolution(a, filters, 1)
    y = ZeroPadding2D(1)(ReLU()(_even(y)))
    y = Conv2D(filters, 3, strides, use_bias=False, kernel_initializer="he_normal")(y)
    y = _biased(ReLU()(_even(y)), 4 * filters, 1)
    if scaling is not None:
        y = scaling(y)
    return Add()([shortcut, y])


def bottlenecks(
    caller: str,
    input_shape: tuple[int, int, int],
    classes: int,
    first: Sequence[Layer],
    pre_activation: bool = False,
    scaling: Scaling | None = None,
) -> Model:
    """A convolution of 7 x 7 and a pooling; four stages of bottleneck blocks; the mean over all places; a dense layer.

    Args:
        caller: how errors begin, and the model's name.
        input_shape, classes, first, pre_activation: as for `resnet_50`.
        scaling: what is done to a branch before it is added, such as squeeze-and-excitation.
    """
    block = _pre_activation_bottleneck if pre_activation else _bottleneck
    inputs, x = begin(caller, input_shape, classes, first)
    x = Conv2D(64, 7, 2, kernel_initializer="he_normal")(ZeroPadding2D(3)(x))
    if not pre_activation:
        x = ReLU()(_even(x))
    x = MaxPooling2D(3, 2)(ZeroPadding2D(1)(x))
    for stage, (filters, blocks) in enumerate(BOTTLENECKS):
        for number in range(blocks):
            # With the normalization first, a stage's last block has the strides, of the next stage.
            strided = number == blocks - 1 and stage < 3 if pre_activation else number == 0 and stage > 0
            x = block(x, filters, 2 if strided else 1, scaling)
    if pre_activation:
        x = ReLU()(_even(x))
    x = GlobalAveragePooling2D()(x)
    return Model(inputs, Dense(classes, activation="softmax")(x), name=caller)


@checked
def resnet_50(
    input_shape: tuple[int, int, int] = (224, 224, 3),
    classes: int = 1000,
    first: Sequence[Layer] = (),
    *,
    pre_activation: bool = False,
) -> Model:
    """The residual network of 50 layers for pictures of 224 x 224; 25,636,712 parameters, 25,583,592 trained.

    | stage | output | layers |
    |---|---|---|
    | | 112 x 112 x 64 | convolution 7 x 7 with strides of 2, normalization, ReLU |
    | | 56 x 56 x 64 | max-pooling 3 x 3 with strides of 2 |
    | 1 | 56 x 56 x 256 | 3 blocks: convolutions 1 x 1 with 64 filters, 3 x 3 with 64, 1 x 1 with 256 |
    | 2 | 28 x 28 x 512 | 4 blocks: 128, 128, 512; the first has strides of 2 |
    | 3 | 14 x 14 x 1024 | 6 blocks: 256, 256, 1024; the first has strides of 2 |
    | 4 | 7 x 7 x 2048 | 3 blocks: 512, 512, 2048; the first has strides of 2 |
    | | classes | mean over the places, dense layer, softmax |

    The 3 x 3 works on a quarter of the channels: such a block of 256 channels has 69,632 weights, two convolutions of
    3 x 3 on all channels would have 1,179,648. A picture takes 3.86 thousand million multiply-adds. It is the graph of
    `keras.applications.ResNet50`, whose weights `set_weights` takes: with biases, which the normalizations make idle,
    and strides in a block's first 1 x 1, as the paper has them.

    Args:
        input_shape: (H, W, C) of the pictures; H and W at least 32.
        classes: how many there are.
        first: layers to begin with, such as a normalization.
        pre_activation: normalization and ReLU before each convolution and none behind the sum: arXiv 1603.05027. It is
            the graph of `keras.applications.ResNet50V2`, 25,613,800 parameters.

    Sources: He, Zhang, Ren and Sun, "Deep Residual Learning for Image Recognition", arXiv 1512.03385,
    https://doi.org/10.1109/CVPR.2016.90, table 1; the same, "Identity Mappings in Deep Residual Networks", arXiv
    1603.05027.
    """
    return bottlenecks("resnet_50", input_shape, classes, first, pre_activation)
