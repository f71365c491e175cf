"""A first layer between dense and convolution: how much of a picture a unit sees, how many units share weights."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from scratchnet import initializers
from scratchnet.arguments import check_count
from scratchnet.layers import activation as activations
from scratchnet.layers.base import Layer
from scratchnet.shapes import Shape, sizes


class Patches(Layer):
    """Every unit looks at a square patch of a grey picture; the units of a block share their weights.

        y[n,i,j,f] = b[g,f] + sum over k of patch(i,j)[n,k] * w[g,k,f],   g = the block of (i, j)

    With a patch as large as the picture and blocks of one unit this is a dense layer. With small patches and blocks of
    one unit it is *locally connected*. With one block of all units it is a convolution with valid padding. What comes
    out has the same shape each time: `places` x `places` units, `filters` times.

    A patch is centred where that of the convolution would be, and moved inwards where it would stick out.

    Shapes: x (N, H, H, 1), w (G, size * size, filters), b (G, filters), y (N, places, places, filters).

    Args:
        filters: F, units at each place.
        size: pixels a side of the patch.
        block: places a side of a block; it divides `places`.
        places: OH = OW.
        activation: applied to y; see `Activation`.

    Raises:
        ValueError: a bad argument, a picture that is not square and grey, or one smaller than `size` or `places`.
    """

    rank = 4

    def __init__(
        self, filters: int, size: int, block: int = 1, places: int = 12, activation: str | None = None, **options: Any
    ):
        super().__init__(**options)
        self.filters = check_count(filters, "filters", self.full_name)
        self.size = check_count(size, "size", self.full_name)
        self.places = check_count(places, "places", self.full_name)
        self.block = check_count(block, "block", self.full_name)
        if self.places % self.block:
            raise ValueError(f"{self.full_name}: expected a block that divides {places} places, got {block}.")
        self.activation = activations.get(activation)

    def compute_output_shape(self, input_shape: Shape) -> Shape:  # type: ignore[override]
        """(N, places, places, filters) for square grey pictures."""
        n, height, width, channels = input_shape
        if height != width or channels != 1 or height is None or height < max(self.size, self.places):
            raise ValueError(
                f"{self.full_name}: expected square grey pictures (N, H, H, 1) of at least "
                f"{max(self.size, self.places)} pixels a side, got {tuple(input_shape)}."
            )
        return (n, self.places, self.places, self.filters)

    def create_weights(self, input_shape: Shape) -> None:
        """The kernels of all blocks and their biases; and which pixels the unit at each place sees."""
        height = sizes(input_shape)[0]
        top = np.arange(self.places) + (height - self.places + 1) // 2 - self.size // 2
        top = np.clip(top, 0, height - self.size)  # first row of each patch; the first columns are the same numbers
        inside = np.arange(self.size)
        rows = (top[:, None, None, None] + inside[:, None]) * height
        pixels = (rows + top[:, None, None] + inside).reshape(self.places**2, self.size**2)
        across = self.places // self.block
        block_of = np.arange(self.places) // self.block
        groups = (block_of[:, None] * across + block_of).reshape(-1)
        order = np.argsort(groups, kind="stable").reshape(across**2, self.block**2)
        self.pixels, self.order = pixels, order  # (places, k) and (G, places of that block)
        # Each weight is drawn as a convolution's would be: the fan-in is the number of pixels in a patch.
        start = initializers.RandomNormal(stddev=math.sqrt(2 / self.size**2))
        self.add_weight((len(order), self.size**2, self.filters), start, name="kernel")
        self.add_weight((len(order), self.filters), "zeros", name="bias")

    def multiply_adds(self) -> int:
        """One for each pixel that a unit sees: sharing weights saves none."""
        return self.places**2 * self.size**2 * self.filters

    def call(self, x: np.ndarray, training: bool) -> np.ndarray:
        """The formula, as one product of matrices a block."""
        (groups, inside), flat = self.order.shape, x.reshape(len(x), -1)
        if flat.shape[1] == self.size**2 and self.block == 1:  # every unit sees the whole picture
            self.seen = np.broadcast_to(flat, (groups, *flat.shape))
        else:
            seen = flat[:, self.pixels[self.order]]  # (N, G, places of a block, k)
            self.seen = np.ascontiguousarray(seen.transpose(1, 0, 2, 3)).reshape(groups, -1, self.size**2)
        y = np.matmul(self.seen, self.params["kernel"]) + self.params["bias"][:, None]
        y = y.reshape(groups, len(x), inside, self.filters).transpose(1, 0, 2, 3)
        back = np.argsort(self.order.reshape(-1))
        return y.reshape(len(x), -1, self.filters)[:, back].reshape(len(x), self.places, self.places, self.filters)

    def call_backward(self, dy: np.ndarray, param_grads: bool, input_grad: bool) -> np.ndarray | None:
        """The gradients of w and b, and of x, which collects from all units that saw a pixel."""
        groups, _ = self.order.shape
        dy = dy.reshape(len(dy), -1, self.filters)[:, self.order]  # (N, G, places of a block, F)
        by_group = np.ascontiguousarray(dy.transpose(1, 0, 2, 3)).reshape(groups, -1, self.filters)
        if param_grads:
            self.grads["kernel"] += np.matmul(self.seen.transpose(0, 2, 1), by_group)
            self.grads["bias"] += by_group.sum(axis=1)
        if not input_grad:
            return None
        d_seen = np.matmul(by_group, self.params["kernel"].transpose(0, 2, 1))
        d_seen = d_seen.reshape(groups, len(dy), -1, self.size**2).transpose(1, 0, 2, 3)
        dx = np.zeros((len(dy), sizes(self.input_shape)[0] ** 2), dy.dtype)
        np.add.at(dx.T, self.pixels[self.order], np.moveaxis(d_seen, 0, -1))
        return dx.reshape(len(dy), *sizes(self.input_shape))
