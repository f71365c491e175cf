"""Ten kinds of coloured shapes, drawn by the package: 32 x 32 x 3, any number, the same for the same seed.

Place, size, angle, colour, background and noise of each picture are random, so that no single pixel tells the class: a
linear model stays below one half, and a small convolutional network passes nine tenths.
"""

from __future__ import annotations

import numpy as np

CLASS_NAMES = ("circle", "ring", "half disc", "triangle", "square", "bar", "cross", "star", "corner", "crescent")
SIZE = 32  # pixels

Split = tuple[np.ndarray, np.ndarray]


def _box(u: np.ndarray, v: np.ndarray, width: float, height: float) -> np.ndarray:
    return np.maximum(np.abs(u) - width, np.abs(v) - height)


def _star(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    # By symmetry one tenth of the circle is enough: there the edge is a line from the tip (1, 0) to a notch at 36
    # degrees.
    angle = np.abs((np.arctan2(v, u) + np.pi / 5) % (2 * np.pi / 5) - np.pi / 5)
    radius = np.hypot(u, v)
    a, b = radius * np.cos(angle), radius * np.sin(angle)
    notch = 0.42 * np.array([np.cos(np.pi / 5), np.sin(np.pi / 5)])
    edge = notch - (1, 0)
    return ((a - 1) * edge[1] - b * edge[0]) / np.hypot(*edge)


def _distance(kind: int, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """How far a point lies outside of the shape (negative: inside), in units of the shape's radius."""
    radius = np.hypot(u, v)
    if kind == 0:  # circle
        return radius - 0.85
    if kind == 1:  # ring
        return np.abs(radius - 0.72) - 0.2
    if kind == 2:  # half disc
        return np.maximum(np.hypot(u, v + 0.4) - 1, -(v + 0.4))
    if kind == 3:  # triangle: the inside of three lines
        return np.max([u * np.cos(t) + v * np.sin(t) for t in (np.pi / 2, np.pi * 7 / 6, np.pi * 11 / 6)], axis=0) - 0.5
    if kind == 4:  # square
        return _box(u, v, 0.75, 0.75)
    if kind == 5:  # bar
        return _box(u, v, 1.0, 0.3)
    if kind == 6:  # cross
        return np.minimum(_box(u, v, 1.0, 0.27), _box(u, v, 0.27, 1.0))
    if kind == 7:
        return _star(u, v)
    if kind == 8:  # corner: two bars that meet at one end
        return np.minimum(_box(u, v + 0.6, 0.85, 0.25), _box(u + 0.6, v, 0.25, 0.85))
    return np.maximum(radius - 1, 0.78 - np.hypot(u - 0.5, v))  # crescent: a disc minus another


def _draw(count: int, seed: int, split: int) -> Split:
    """(x, y) of one split. A larger set begins with the pictures of a smaller one."""
    labels, look, grain = (np.random.default_rng([seed, split, stream]) for stream in range(3))
    blocks = -(-count // 10)
    y = labels.permuted(np.tile(np.arange(10, dtype=np.uint8), (blocks, 1)), axis=1).reshape(-1)[:count]
    # Sixteen random numbers a picture determine everything but the noise.
    numbers = look.random((count, 16), dtype=np.float32)
    radius = 8 + 4.5 * numbers[:, 0]
    room = (SIZE / 2 - 0.8 * radius)[:, None]
    centre = SIZE / 2 - 0.5 + room * (2 * numbers[:, 1:3] - 1)
    angle = 0.35 * (2 * numbers[:, 3] - 1)  # up to 20 degrees either way
    rows, columns = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
    inside = np.empty((count, SIZE, SIZE), np.float32)
    for kind in range(10):
        i = np.flatnonzero(y == kind)
        r, cos, sin = (a[i, None, None] for a in (radius, np.cos(angle), np.sin(angle)))
        dv, du = rows - centre[i, 0, None, None], columns - centre[i, 1, None, None]
        # Half a pixel on either side of the edge is blended: smooth outlines.
        inside[i] = np.clip(0.5 - r * _distance(kind, (cos * du + sin * dv) / r, (cos * dv - sin * du) / r), 0, 1)
    # The shape is lighter than its background, by a little at least: some contrast in every channel.
    background = 0.5 * numbers[:, 4:7]
    colour = np.maximum(0.3 + 0.7 * numbers[:, 7:10], background + 0.15)
    slope = (numbers[:, 10:12] - 0.5)[:, :, None, None] * np.stack([rows, columns]) / SIZE
    ground = background[:, None, None] + 0.3 * slope.sum(axis=1)[..., None]
    picture = ground + inside[..., None] * (colour[:, None, None] - ground)
    strength = (0.02 + 0.08 * numbers[:, 12])[:, None, None, None]
    picture += strength * grain.standard_normal((count, SIZE, SIZE, 3), dtype=np.float32)
    return np.clip(255 * picture + 0.5, 0, 255).astype(np.uint8), y


def load_data(num_train: int = 4000, num_test: int = 1000, seed: int = 0) -> tuple[Split, Split]:
    """(x_train, y_train), (x_test, y_test), all uint8: x (N, 32, 32, 3), y (N,) from 0 to 9, named by CLASS_NAMES.

    Classes come equally often in every ten pictures. The training and the test pictures have nothing in common.

    Args:
        num_train, num_test: pictures, 3 kB each; 5,000 take about a second.
        seed: another seed, other pictures.

    Raises:
        ValueError: a number that is negative or not whole.
    """
    for name, value in (("num_train", num_train), ("num_test", num_test), ("seed", seed)):
        if not isinstance(value, (int, np.integer)) or value < 0:
            raise ValueError(f"shapes10.load_data: expected {name} to be a whole number of at least 0, got {value!r}.")
    return _draw(int(num_train), int(seed), 0), _draw(int(num_test), int(seed), 1)
