"""Networks that recognize."""

from __future__ import annotations

from collections.abc import Sequence

from scratchnet.annotations import checked
from scratchnet.arguments import check_count, check_sizes
from scratchnet.layers import (
    BatchNormalization,
    Conv2D,
    Dense,
    Flatten,
    GlobalAveragePooling2D,
    Layer,
    MaxPooling2D,
    ReLU,
)
from scratchnet.models import Sequential


@checked
def article_cnn(
    input_shape: tuple[int, int, int] = (32, 32, 3), classes: int = 10, first: Sequence[Layer] = ()
) -> Sequential:
    """The network of the article's section 4.1: two convolutions, two dense layers; 315,722 parameters at 32 x 32 x 3.

    Args:
        input_shape: (H, W, C) of the pictures.
        classes: how many there are.
        first: layers to begin with, such as a normalization.

    Source: the article, listing 4.1.
    """
    check_count(classes, "classes", "article_cnn")
    layers = [
        Conv2D(32, 3, activation="relu"),
        MaxPooling2D(),
        Conv2D(64, 3, activation="relu"),
        MaxPooling2D(),
        Flatten(),
        Dense(128, activation="relu"),
        Dense(classes, activation="softmax"),
    ]
    model = Sequential([*first, *layers])
    model.build((None, *check_sizes(input_shape, "input_shape", model.full_name)))
    return model


@checked
def small_cnn(
    input_shape: tuple[int, int, int] = (32, 32, 3),
    classes: int = 10,
    first: Sequence[Layer] = (),
    widths: Sequence[Sequence[int]] = ((32,), (64, 64), (128, 128), (256,)),
) -> Sequential:
    """Convolutions 3 x 3 with batch normalization and ReLU, a pooling between stages; 577,514 parameters as it stands.

    Global average pooling over the last 4 x 4 pixels replaces the large dense layer, which holds 94% of the weights of
    the article's network.

    Args:
        input_shape: (H, W, C) of the pictures; H and W at least 8.
        classes: how many there are.
        first: layers to begin with, such as a normalization.
        widths: for each stage, the filters of its convolutions.

    Sources: Simonyan and Zisserman, arXiv 1409.1556 (3 x 3 throughout); Ioffe and Szegedy, arXiv 1502.03167 (batch
    normalization); Lin, Chen and Yan, arXiv 1312.4400 (global average pooling).
    """
    check_count(classes, "classes", "small_cnn")
    layers: list[Layer] = [*first]
    for stage, filters in enumerate(widths):
        if stage:
            layers.append(MaxPooling2D())
        for count in filters:
            # Without a bias: the normalization after it subtracts the mean, and so any bias.
            conv = Conv2D(count, 3, padding="same", use_bias=False, kernel_initializer="he_normal")
            layers += [conv, BatchNormalization(momentum=0.9), ReLU()]
    model = Sequential([*layers, GlobalAveragePooling2D(), Dense(classes, activation="softmax")])
    model.build((None, *check_sizes(input_shape, "input_shape", model.full_name)))
    return model
