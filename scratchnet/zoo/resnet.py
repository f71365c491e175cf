"""Residual networks, reference [6] of the article: a block learns what is to be added to its input."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from scratchnet.annotations import checked
from scratchnet.arguments import check_count
from scratchnet.layers import (
    Add,
    BatchNormalization,
    Conv2D,
    Dense,
    GlobalAveragePooling2D,
    Input,
    Layer,
    ReLU,
)
from scratchnet.models import Model

STAGES = 16, 32, 64  # filters of the CIFAR networks' stages, at 32 x 32, 16 x 16 and 8 x 8 places
Scaling = Callable[[Any], Any]  # what is done to a block's branch before it is added


def _convolution(x: Any, filters: int, kernel_size: int, strides: int = 1) -> Any:
    # Without a bias: the normalization behind it subtracts the mean, and so any bias.
    return Conv2D(
        filters, kernel_size, strides, padding="same", use_bias=False, kernel_initializer="he_normal"
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
    check_count(classes, "classes", caller)
    block = _pre_activation_block if pre_activation else _block
    inputs = x = Input(input_shape)
    for layer in first:
        x = layer(x)
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
