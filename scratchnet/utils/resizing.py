"""Pictures brought to another size as `tf.image.resize` does it, without smoothing before they are made smaller.

Along each axis, an output pixel i lies at u = (i + 1/2) n / m - 1/2 among the n input pixels, of which it is a weighted
mean: weight(j) = k(j - u) / sum of k over those within the picture. The kernels k are a triangle ("bilinear"), cubics
(Keys, "bicubic"; Mitchell and Netravali, "mitchellcubic"), Lanczos's, and a Gaussian; "area" weighs with the share of
pixel j in [i n / m, (i + 1) n / m].

Source: Keys, "Cubic Convolution Interpolation for Digital Image Processing", 1981; Mitchell and Netravali,
"Reconstruction Filters in Computer Graphics", 1988.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np


def _cubic(b: float, c: float) -> Callable[[np.ndarray], np.ndarray]:
    """The cubic kernels of Mitchell and Netravali; b = 0 and c = 1/2 is Keys's."""

    def kernel(t: np.ndarray) -> np.ndarray:
        t = np.abs(t)
        near = (12 - 9 * b - 6 * c) * t**3 + (-18 + 12 * b + 6 * c) * t**2 + 6 - 2 * b
        far = (-b - 6 * c) * t**3 + (6 * b + 30 * c) * t**2 + (-12 * b - 48 * c) * t + 8 * b + 24 * c
        return np.where(t < 1, near, np.where(t < 2, far, 0)) / 6

    return kernel


def _lanczos(radius: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda t: np.where(np.abs(t) < radius, np.sinc(t) * np.sinc(t / radius), 0)


# Name, kernel, and how far from 0 it reaches.
KERNELS: dict[str, tuple[Callable[[np.ndarray], np.ndarray], float]] = {
    "bicubic": (_cubic(0, 0.5), 2),
    "bilinear": (lambda t: np.maximum(1 - np.abs(t), 0), 1),
    "gaussian": (lambda t: np.where(np.abs(t) < 1.5, np.exp(-2 * t**2), 0), 1.5),
    "lanczos3": (_lanczos(3), 3),
    "lanczos5": (_lanczos(5), 5),
    "mitchellcubic": (_cubic(1 / 3, 1 / 3), 2),
}
METHODS = (*KERNELS, "area", "nearest")


@functools.lru_cache(maxsize=64)
def taps(n: int, m: int, method: str) -> tuple[np.ndarray, np.ndarray]:
    """(index, weight), both (m, T): which input pixels an output pixel is the mean of, and their weights, float32."""
    edges = np.arange(m + 1) * (n / m)
    if method == "nearest":
        centres = (edges[:-1] + edges[1:]) / 2
        return np.minimum(centres.astype(np.int64), n - 1)[:, None], np.ones((m, 1), np.float32)
    if method == "area":
        first = np.floor(edges[:-1]).astype(np.int64)
        index = first[:, None] + np.arange(int(np.ceil(n / m)) + 1)
        share = np.minimum(index + 1, edges[1:, None]) - np.maximum(index, edges[:-1, None])
        weight = np.maximum(share, 0)
    else:
        kernel, radius = KERNELS[method]
        u = (np.arange(m) + 0.5) * (n / m) - 0.5
        index = np.floor(u - radius).astype(np.int64)[:, None] + np.arange(1, int(2 * radius) + 1)
        weight = kernel(index - u[:, None])
    weight = np.where((index >= 0) & (index < n), weight, 0)
    weight /= weight.sum(axis=1, keepdims=True)
    return np.clip(index, 0, n - 1), weight.astype(np.float32)


def resized(x: np.ndarray, size: tuple[int, int], method: str) -> np.ndarray:
    """A picture (H, W, C) brought to (height, width), as float32 (height, width, C)."""
    height, width, channels = x.shape
    rows, columns = taps(height, size[0], method), taps(width, size[1], method)
    # Rows are taken whole, and of each row numbers: that is faster than to take pixels of three numbers.
    y = _mean(x.reshape(height, -1), rows[0], rows[1][..., None], 0)
    index = (columns[0][:, None] * channels + np.arange(channels)[:, None]).reshape(-1, columns[0].shape[1])
    return _mean(y, index, np.repeat(columns[1], channels, axis=0), 1).reshape(*size, channels)


def _mean(x: np.ndarray, index: np.ndarray, weight: np.ndarray, axis: int) -> np.ndarray:
    """The sum over t of weight[:, t] times what lies at index[:, t] along an axis, float32."""
    total = x.take(index[:, 0], axis) * weight[:, 0]
    for t in range(1, index.shape[1]):
        total += x.take(index[:, t], axis) * weight[:, t]
    return total


def cropped(x: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The largest part in the middle of a picture (H, W, C) that has the proportions of (height, width)."""
    (height, width), (h, w) = x.shape[:2], size
    high, wide = (
        max(min(n, int(other * a / b)), 1) for n, other, a, b in ((height, width, h, w), (width, height, w, h))
    )
    top, left = (height - high) // 2, (width - wide) // 2
    return x[top : top + high, left : left + wide]


def padded(x: np.ndarray, size: tuple[int, int], method: str) -> np.ndarray:
    """A picture (H, W, C) brought to fit into (height, width) in its own proportions, zeros around it."""
    real, target = np.array(x.shape[:2], np.float32), np.array(size, np.float32)
    fitting = real / (real / target).max()
    inner = np.clip(fitting.astype(int), 1, size).tolist()
    top, left = ((target - fitting) / 2).astype(int).tolist()
    y = np.zeros((*size, x.shape[2]), np.float32)
    y[top : top + inner[0], left : left + inner[1]] = resized(x, (inner[0], inner[1]), method)
    return y
