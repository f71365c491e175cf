"""Inception v3, reference [5] of the article: branches side by side, and large kernels made of small ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from scratchnet.annotations import checked
from scratchnet.initializers import TruncatedNormal
from scratchnet.layers import (
    AveragePooling2D,
    BatchNormalization,
    Concatenate,
    Conv2D,
    Dense,
    Flatten,
    GlobalAveragePooling2D,
    Layer,
    MaxPooling2D,
    ReLU,
)
from scratchnet.models import Model
from scratchnet.zoo.first_layers import begin

# A block is a list of branches that run side by side, and a branch a list of steps, one after the other:
# (filters, rows, columns) is a convolution, (filters, rows, columns, 2) one with strides of 2, MEAN and MAX are
# pooling, and a list is a block again.
MEAN, MAX = "mean of 3 x 3", "maximum of 3 x 3 with strides of 2"


def _large_in_two(pooled: int) -> list[Any]:
    """Two convolutions of 3 x 3 see 5 x 5 places by 18 weights instead of 25."""
    return [
        [(64, 1, 1)],
        [(48, 1, 1), (64, 5, 5)],
        [(64, 1, 1), (96, 3, 3), (96, 3, 3)],
        [MEAN, (pooled, 1, 1)],
    ]


def _rows_then_columns(filters: int) -> list[Any]:
    """A convolution of 1 x 7 and one of 7 x 1 see 7 x 7 places by 14 weights instead of 49."""
    row, column = (filters, 1, 7), (filters, 7, 1)
    return [
        [(192, 1, 1)],
        [(filters, 1, 1), row, (192, 7, 1)],
        [(filters, 1, 1), column, row, column, (192, 1, 7)],
        [MEAN, (192, 1, 1)],
    ]


_ROW_AND_COLUMN: list[Any] = [[(384, 1, 3)], [(384, 3, 1)]]
WIDE: list[Any] = [
    [(320, 1, 1)],
    [(384, 1, 1), _ROW_AND_COLUMN],
    [(448, 1, 1), (384, 3, 3), _ROW_AND_COLUMN],
    [MEAN, (192, 1, 1)],
]
HALF: list[Any] = [[(384, 3, 3, 2)], [(64, 1, 1), (96, 3, 3), (96, 3, 3, 2)], [MAX]]
HALF_AGAIN: list[Any] = [
    [(192, 1, 1), (320, 3, 3, 2)],
    [(192, 1, 1), (192, 1, 7), (192, 7, 1), (192, 3, 3, 2)],
    [MAX],
]
# The small network's blocks; beside each, one branch of equal work with as many filters as the block gives.
SMALL: list[Any] = [
    (_large_in_two(32), [(96, 1, 1), (240, 3, 3)]),
    (HALF, [(144, 1, 1), (720, 3, 3, 2)]),
    (_rows_then_columns(128), [(192, 1, 1), (768, 3, 3)]),
    (HALF_AGAIN, [(288, 1, 1), (1296, 3, 3, 2)]),
    (WIDE, [(240, 1, 1), (2064, 3, 3)]),
]


class Builder(NamedTuple):
    """What puts steps, branches and blocks behind a symbolic tensor.

    Attributes:
        width: a factor of all numbers of filters, which are then multiples of 8.
        padding: of convolutions and poolings with strides of 2.
        momentum: of the normalizations.
    """

    width: float = 1.0
    padding: str = "valid"
    momentum: float = 0.99

    def filters(self, filters: int) -> int:
        """Scaled by the width."""
        return max(8, round(filters * self.width / 8) * 8)

    def convolution(self, x: Any, filters: int, rows: int, columns: int, strides: int = 1, padding: str = "") -> Any:
        """Convolution, normalization without factors (the next convolution has some), ReLU."""
        padding = padding or (self.padding if strides > 1 else "same")
        x = Conv2D(filters, (rows, columns), strides, padding, use_bias=False)(x)
        return ReLU()(BatchNormalization(momentum=self.momentum, scale=False)(x))

    def branch(self, x: Any, steps: list[Any]) -> Any:
        """One step after the other."""
        for step in steps:
            if isinstance(step, list):
                x = self.block(x, step)
            elif step == MEAN:
                x = AveragePooling2D(3, 1, "same")(x)
            elif step == MAX:
                x = MaxPooling2D(3, 2, self.padding)(x)
            else:
                x = self.convolution(x, self.filters(step[0]), *step[1:])
        return x

    def block(self, x: Any, branches: list[Any]) -> Any:
        """The branches' channels, one behind the other."""
        return Concatenate()([self.branch(x, steps) for steps in branches])


def _auxiliary(build: Builder, x: Any, classes: int) -> Any:
    """A second classifier half the way up, whose loss sends gradients to the lower layers on a short way."""
    x = build.convolution(AveragePooling2D(5, 3)(x), 128, 1, 1)
    x = build.convolution(x, 768, x.shape[1], x.shape[2], padding="valid")
    initializer = TruncatedNormal(stddev=0.001)
    return Dense(classes, "softmax", kernel_initializer=initializer, name="auxiliary")(Flatten()(x))


@checked
def inception_v3(
    input_shape: tuple[int, int, int] = (299, 299, 3),
    classes: int = 1000,
    first: Sequence[Layer] = (),
    *,
    auxiliary: bool = False,
) -> Model:
    """Inception v3; 23,851,784 parameters, with the auxiliary classifier 27,179,376.

    | blocks | output | layers |
    |---|---|---|
    | | 149 x 149 x 32 | convolution 3 x 3, strides of 2 |
    | | 147 x 147 x 64 | two convolutions 3 x 3, the first without padding |
    | | 73 x 73 x 64 | the largest of 3 x 3, strides of 2 |
    | | 71 x 71 x 192 | convolutions 1 x 1 and 3 x 3, without padding |
    | | 35 x 35 x 192 | the largest of 3 x 3, strides of 2 |
    | 3 | 35 x 35 x 288 | 1 x 1; 1 x 1 and 5 x 5; 1 x 1 and twice 3 x 3; mean and 1 x 1 |
    | 1 | 17 x 17 x 768 | strides of 2: 3 x 3; 1 x 1 and twice 3 x 3; the largest of 3 x 3 |
    | 4 | 17 x 17 x 768 | 1 x 1; 1 x 1, 1 x 7, 7 x 1; 1 x 1 and twice 7 x 1, 1 x 7; mean and 1 x 1 |
    | 1 | 8 x 8 x 1280 | strides of 2: 1 x 1 and 3 x 3; 1 x 1, 1 x 7, 7 x 1 and 3 x 3; the largest of 3 x 3 |
    | 2 | 8 x 8 x 2048 | 1 x 1; 1 x 1, 1 x 3 beside 3 x 1; 1 x 1, 3 x 3, 1 x 3 beside 3 x 1; mean and 1 x 1 |
    | | classes | mean over the places, dense layer, softmax |

    The graph and the order of the weights are those of keras.applications.InceptionV3.

    Args:
        input_shape: (H, W, C) of the pictures, at least 75 x 75.
        classes: how many there are.
        first: layers to begin with, such as Rescaling(1 / 127.5, -1).
        auxiliary: whether the model has a second output, "auxiliary", on top of the blocks at 17 x 17: 5 x 5 means, 1 x
            1, a convolution over all places that are left, a dense layer. Its loss is for training only, with a weight:
            `compile(..., loss_weights=[1, 0.4])`.

    Sources: Szegedy, Vanhoucke, Ioffe, Shlens and Wojna, "Rethinking the Inception Architecture for Computer Vision",
    arXiv 1512.00567, https://doi.org/10.1109/CVPR.2016.308, table 1 and figure 8; numbers of filters, and the auxiliary
    classifier, as in the authors' program, https://github.com/tensorflow/models/tree/master/research/slim; Keras,
    https://keras.io/api/applications/inceptionv3/
    """
    build = Builder()
    inputs, x = begin("inception_v3", input_shape, classes, first)
    x = build.convolution(x, 32, 3, 3, 2)
    x = build.convolution(x, 32, 3, 3, padding="valid")
    x = build.branch(x, [(64, 3, 3), MAX, (80, 1, 1)])
    x = build.convolution(x, 192, 3, 3, padding="valid")
    x = build.branch(x, [MAX, _large_in_two(32), _large_in_two(64), _large_in_two(64), HALF])
    x = build.branch(x, [_rows_then_columns(filters) for filters in (128, 160, 160, 192)])
    second = [_auxiliary(build, x, classes)] if auxiliary else []
    x = GlobalAveragePooling2D()(build.branch(x, [HALF_AGAIN, WIDE, WIDE]))
    y = Dense(classes, "softmax", name="predictions")(x)
    return Model(inputs, [y, *second] if auxiliary else y, name="inception_v3")


@checked
def inception_small(
    input_shape: tuple[int, int, int] = (32, 32, 3),
    classes: int = 10,
    first: Sequence[Layer] = (),
    *,
    branches: bool = True,
) -> Model:
    """An Inception for CIFAR, a sixth as wide: 267,138 parameters, 41 million multiply-adds, as many as ResNet-20.

    | output | layers |
    |---|---|
    | 32 x 32 x 16 | convolution 3 x 3 |
    | 32 x 32 x 40 | 1 x 1; 1 x 1 and 5 x 5; 1 x 1 and twice 3 x 3; mean and 1 x 1 |
    | 16 x 16 x 120 | strides of 2: 3 x 3; 1 x 1 and twice 3 x 3; the largest of 3 x 3 |
    | 16 x 16 x 128 | 1 x 1; 1 x 1, 1 x 7, 7 x 1; 1 x 1 and twice 7 x 1, 1 x 7; mean and 1 x 1 |
    | 8 x 8 x 216 | strides of 2: 1 x 1 and 3 x 3; 1 x 1, 1 x 7, 7 x 1 and 3 x 3; the largest of 3 x 3 |
    | 8 x 8 x 344 | 1 x 1; 1 x 1, 1 x 3 beside 3 x 1; 1 x 1, 3 x 3, 1 x 3 beside 3 x 1; mean and 1 x 1 |
    | classes | mean over the places, dense layer, softmax |

    Args:
        input_shape, classes, first: as for `inception_v3`.
        branches: False puts one branch in place of each block, a convolution of 1 x 1 and one of 3 x 3 with as many
            filters as the block gives, and between them so many that the work stays the same; 312,490 parameters.

    Source: Szegedy et al., arXiv 1512.00567; the choice of blocks is ours.
    """
    build = Builder(1 / 6, "same", 0.9)
    inputs, x = begin("inception_small", input_shape, classes, first)
    x = build.convolution(x, 16, 3, 3)
    for block, branch in SMALL:
        x = build.block(x, block) if branches else build.branch(x, branch)
    return Model(inputs, Dense(classes, "softmax")(GlobalAveragePooling2D()(x)), name="inception_small")
