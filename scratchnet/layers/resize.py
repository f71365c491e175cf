"""Pictures in another size: enlarged by a factor, brought to a size, their middle cut out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scratchnet import kernels
from scratchnet.arguments import check_choice, check_count, pair
from scratchnet.devices import array_module
from scratchnet.layers.base import Layer
from scratchnet.layers.conv import Size
from scratchnet.shapes import Shape, sizes
from scratchnet.signatures import OnlyDefault

INTERPOLATIONS = ("bilinear", "nearest")


class UpSampling2D(Layer):
    """Pictures enlarged by whole factors: every cell repeated, or blended into its neighbours.

        nearest    y[n,h,v,c] = x[n, h // size[0], v // size[1], c]; dx sums dy over the repeated cells
        bilinear   y = r x s^T for each channel, as Resizing has it; dx = r^T dy s

    Shapes: x (N, H, W, C), y (N, H * size[0], W * size[1], C).

    Args:
        size: one number or (rows, columns).
        interpolation: "nearest" or "bilinear".

    Raises:
        ValueError: a bad argument.

    Source: https://keras.io/api/layers/reshaping_layers/up_sampling2d/
    """

    rank = 4

    def __init__(
        self,
        size: Size = (2, 2),
        data_format: OnlyDefault = None,
        interpolation: str = "nearest",
        **options: Any,
    ):
        super().__init__(**options)
        self.size = pair(size, "size", self.full_name)
        self.interpolation = check_choice(interpolation, INTERPOLATIONS, "interpolation")
        self.keeps_range = self.interpolation == "nearest"

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        H, W, C = sizes(input_shape)
        return (None, H * self.size[0], W * self.size[1], C)

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        self.hw = H, W = x.shape[1:3]
        if self.interpolation == "nearest":
            return kernels.of(x).upsample2d(x, self.size)
        return kernels.of(x).resize2d(x, (H * self.size[0], W * self.size[1]))

    def call_backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> np.ndarray | None:
        if self.interpolation == "nearest":
            return kernels.of(dy).upsample2d_backward(dy, self.size)
        return kernels.of(dy).resize2d_backward(dy, self.hw)


class _Sized(Layer):
    """A part of each picture, brought to one size."""

    rank = 4
    interpolation = "bilinear"

    def __init__(self, height: int, width: int, **options: Any):
        super().__init__(**options)
        self.height = check_count(height, "height", self.full_name)
        self.width = check_count(width, "width", self.full_name)

    def part(self, H: int, W: int) -> tuple[int, int, int, int]:
        """(top, left, height, width) of the part of pictures of H x W pixels."""
        raise NotImplementedError

    def middle(self, H: int, W: int) -> tuple[int, int, int, int]:
        """The largest part of the target's proportions, in the middle."""
        h = max(min(H, W * self.height // self.width), 1)
        w = max(min(W, H * self.width // self.height), 1)
        return (H - h) // 2, (W - w) // 2, h, w

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        return (None, self.height, self.width, input_shape[3])

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        self.hw = x.shape[1:3]
        top, left, h, w = self.part(*self.hw)
        part = x[:, top : top + h, left : left + w]
        if (h, w) == (self.height, self.width):
            return part
        return kernels.of(x).resize2d(part, (self.height, self.width), self.interpolation == "bilinear")

    def call_backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> np.ndarray | None:
        (H, W), (top, left, h, w) = self.hw, self.part(*self.hw)
        if (h, w) != (self.height, self.width):
            dy = kernels.of(dy).resize2d_backward(dy, (h, w), self.interpolation == "bilinear")
        around = (top, H - top - h), (left, W - left - w)
        return array_module(dy).pad(dy, ((0, 0), *around, (0, 0))) if (h, w) != (H, W) else dy


class Resizing(_Sized):
    """Pictures of any size brought to one.

        y[n,i,j,c] = sum over h, v of r[i,h] * s[j,v] * x[n,h,v,c];  dx[n,h,v,c] = sum of r[i,h] * s[j,v] * dy[n,i,j,c]

    The middle of row i lies at p = (i + 1/2) * H / height - 1/2, between the middles of two rows of x. Bilinear:
    r[i, floor(p)] = 1 - t and r[i, floor(p) + 1] = t with t = p - floor(p), beyond the edges the row at the edge.
    Nearest: r is 1 for that row. s alike, for the columns. A picture that becomes much smaller is not smoothed first.

    Shapes: x (N, H, W, C), y (N, height, width, C).

    Args:
        height, width: of y, in pixels.
        interpolation: "bilinear" or "nearest".
        crop_to_aspect_ratio: cut the largest part of the new proportions out first, so that nothing is stretched.

    Raises:
        ValueError: a bad argument.

    Source: https://keras.io/api/layers/preprocessing_layers/image_preprocessing/resizing/
    """

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: OnlyDefault = False,
        fill_mode: OnlyDefault = "constant",
        fill_value: OnlyDefault = 0.0,
        antialias: OnlyDefault = False,
        data_format: OnlyDefault = None,
        **options: Any,
    ):
        super().__init__(height, width, **options)
        self.interpolation = check_choice(interpolation, INTERPOLATIONS, "interpolation")
        self.crop_to_aspect_ratio = crop_to_aspect_ratio
        self.keeps_range = self.interpolation == "nearest"

    def part(self, H: int, W: int) -> tuple[int, int, int, int]:
        return self.middle(H, W) if self.crop_to_aspect_ratio else (0, 0, H, W)


class CenterCrop(_Sized):
    """The middle of each picture; of a picture too small for that, the largest part of its proportions, enlarged.

    y[n,i,j,c] = x[n, (H - height) // 2 + i, (W - width) // 2 + j, c], and dx is dy with zeros around. Where the picture
    is smaller than that, its part is enlarged as by Resizing, bilinear.

    Shapes: x (N, H, W, C), y (N, height, width, C).

    Args:
        height, width: of y, in pixels.

    Raises:
        ValueError: a bad argument.

    Source: https://keras.io/api/layers/preprocessing_layers/image_preprocessing/center_crop/
    """

    def __init__(self, height: int, width: int, data_format: OnlyDefault = None, **options: Any):
        super().__init__(height, width, **options)

    def part(self, H: int, W: int) -> tuple[int, int, int, int]:
        if self.height <= H and self.width <= W:
            return (H - self.height) // 2, (W - self.width) // 2, self.height, self.width
        return self.middle(H, W)
