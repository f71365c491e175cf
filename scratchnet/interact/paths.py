"""Every path of a gradient through a small network: convolution, ReLU, max-pooling, dense, softmax with its loss.

From the loss to one pixel a gradient takes many paths: through a class k, a pooled cell, the cell of the map that was
its maximum, and one weight of the filter. Along a path the derivatives multiply; where paths meet they add:

    dL/dx[h,v] = sum over the paths of  start[k] * (dense weight) * [z > 0] * [is the maximum] * (filter weight)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scratchnet import reference
from scratchnet.devices import to_numpy
from scratchnet.layers import Conv2D, Dense, Flatten, MaxPooling2D, ReLU

_KINDS = (Conv2D, ReLU, MaxPooling2D, Flatten, Dense)


@dataclass(frozen=True)
class Path:
    """One path, from an output back to a pixel.

    Attributes:
        pixel: (h, v), its row and column in the picture.
        cell: (i, j, f), the cell of the map, of filter f, that has the pixel in its window.
        pooled: (p, q, f), the cell that the pooling makes of it.
        output: k, the class.
        derivatives: what is multiplied along the path: the start at the output, the dense weight, 1 or 0 of the
            pooling, 1 or 0 of ReLU, the filter's weight.
        stop: "pool" if the cell is not the maximum of its window, "relu" if ReLU made it 0; "" if the path is open.
    """

    pixel: tuple[int, int]
    cell: tuple[int, int, int]
    pooled: tuple[int, int, int]
    output: int
    derivatives: tuple[float, ...]
    stop: str

    @property
    def flow(self) -> float:
        """What arrives at the pixel on this path: the product of its derivatives."""
        return float(np.prod(self.derivatives))


class SmallNetwork:
    """The arrays of one picture's way through a network of these five layers, in float64, as the reference has them.

    Args:
        model: a built Sequential of Conv2D (stride 1, no padding, no activation), ReLU, MaxPooling2D, Flatten, Dense.
        picture: (H, W) or (H, W, 1).

    Raises:
        ValueError: other layers, settings or shapes.

    Attributes:
        x, z, a, pooled, scores, p: the picture (H, W); the maps before and after ReLU (OH, OW, F); after the pooling;
            the scores and probabilities of the classes (K,).
        won: (OH, OW, F), whether a cell is the maximum of its window.
        w, v: weights of the filters (KH, KW, F), and of the dense layer as (rows, columns, F, K).
    """

    def __init__(self, model: Any, picture: np.ndarray):
        layers = list(model.layers)
        if [type(layer) for layer in layers] != list(_KINDS):
            raise ValueError(
                f"gradient paths: expected the layers {', '.join(kind.__name__ for kind in _KINDS)}, got "
                f"{', '.join(type(layer).__name__ for layer in layers)}. Write ReLU as a layer of its own."
            )
        conv, _, pool, _, dense = layers
        self.x: np.ndarray = np.asarray(picture, np.float64).reshape(np.shape(picture)[:2])
        w, self.size = to_numpy(conv.params["kernel"]).astype(np.float64), pool.pool_size
        if conv.activation or conv.strides != (1, 1) or conv.padding != "valid" or w.shape[2] != 1:
            raise ValueError(
                "gradient paths: expected Conv2D with one input channel, stride 1, padding 'valid', no ReLU."
            )
        one, no_pads = (1, 1), ((0, 0), (0, 0))
        z = reference.conv2d(self.x[None, ..., None], w, to_numpy(conv.params["bias"]).astype(np.float64), one, no_pads)
        if pool.strides != self.size or any(n % s for n, s in zip(z.shape[1:3], self.size)):
            raise ValueError(f"gradient paths: expected windows {self.size} side by side that fill {z.shape[1:3]}.")
        a = reference.relu(z)
        pooled, argmax = reference.max_pool2d(a, self.size, self.size, no_pads)
        v = to_numpy(dense.params["kernel"]).astype(np.float64)
        self.scores = reference.dense(pooled.reshape(1, -1), v, to_numpy(dense.params["bias"]).astype(np.float64))[0]
        self.p = reference.softmax(self.scores[None])[0]
        self.z, self.a, self.pooled, self.w = z[0], a[0], pooled[0], w[:, :, 0]
        self.v = v.reshape(*self.pooled.shape, -1)
        self.won = np.zeros(self.z.shape, bool)
        for p, q, f in np.ndindex(*self.pooled.shape):
            self.won[(*divmod(int(argmax[0, p, q, f]), self.z.shape[1]), f)] = True

    def start(self, output: int | None, label: int | None = None) -> np.ndarray:
        """The gradient at the outputs, (K,): 1 at one of them; for the loss of a label (output None) p - onehot."""
        if output is None and label is None:
            raise ValueError("gradient paths: the loss needs the label; or name an output.")
        chosen = np.eye(len(self.p))[label if output is None else output]
        return self.p - chosen if output is None else chosen

    def paths(self, pixel: tuple[int, int], start: np.ndarray) -> list[Path]:
        """All paths from the outputs to a pixel, stopped ones too; none from an output that starts at 0."""
        (KH, KW, F), (OH, OW, _) = self.w.shape, self.z.shape
        found = []
        for row, column, f, output in np.ndindex(KH, KW, F, len(start)):
            i, j = pixel[0] - row, pixel[1] - column
            if not (0 <= i < OH and 0 <= j < OW) or start[output] == 0:
                continue
            pooled = (i // self.size[0], j // self.size[1], f)
            won, open_ = bool(self.won[i, j, f]), bool(self.z[i, j, f] > 0)
            stop = "" if won and open_ else "pool" if not won else "relu"
            derivatives = (start[output], self.v[(*pooled, output)], float(won), float(open_), self.w[row, column, f])
            found.append(Path(pixel, (i, j, f), pooled, output, tuple(float(d) for d in derivatives), stop))
        return found

    def gradient(self, start: np.ndarray) -> np.ndarray:
        """dx (H, W): at every pixel, the sum of its paths."""
        dx = np.zeros_like(self.x)
        for pixel in np.ndindex(*dx.shape):
            dx[pixel] = sum(path.flow for path in self.paths(pixel, start))
        return dx
