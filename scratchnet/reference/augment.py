"""What augmentation does to pictures."""

import math

import numpy as np


def inside(i, size, mode):
    """The row or column that stands for number i, which may lie outside of 0 ... size - 1; None for the fill value.

    Round abcd: "constant" kkkk|abcd|kkkk, "nearest" aaaa|abcd|dddd, "reflect" dcba|abcd|dcba, "wrap" abcd|abcd|abcd.
    """
    while not 0 <= i < size:
        if mode == "constant":
            return None
        if mode == "nearest":
            i = 0 if i < 0 else size - 1
        elif mode == "reflect":
            i = -1 - i if i < 0 else 2 * size - 1 - i
        else:
            i = i + size if i < 0 else i - size
    return i


def pixel(picture, h, v, c, mode, fill):
    """Channel c of the picture at whole numbers (h, v), which may lie outside."""
    row, column = inside(h, picture.shape[0], mode), inside(v, picture.shape[1], mode)
    return fill[c] if row is None or column is None else float(picture[row, column, c])


def bilinear(picture, y, x, c, mode, fill):
    """Channel c at any place (y, x): each of the four pixels round it counts by how near it is along both axes."""
    h, v = math.floor(y), math.floor(x)
    down, right = y - h, x - v
    return (
        (1 - down) * (1 - right) * pixel(picture, h, v, c, mode, fill)
        + (1 - down) * right * pixel(picture, h, v + 1, c, mode, fill)
        + down * (1 - right) * pixel(picture, h + 1, v, c, mode, fill)
        + down * right * pixel(picture, h + 1, v + 1, c, mode, fill)
    )


def nearest(picture, y, x, c, mode, fill):
    """Channel c of the pixel whose middle is nearest to the place (y, x)."""
    return pixel(picture, math.floor(y + 0.5), math.floor(x + 0.5), c, mode, fill)


def move(x, matrix, mode, fill, interpolation):
    """Pictures x, each by its own matrix, as the layers RandomRotation, RandomZoom and RandomTranslation move them."""
    value = {"bilinear": bilinear, "nearest": nearest}[interpolation]
    y = np.zeros(x.shape)
    for n, i, j, c in np.ndindex(*y.shape):
        m = matrix[n]
        y[n, i, j, c] = value(x[n], m[0] * i + m[1] * j + m[2], m[3] * i + m[4] * j + m[5], c, mode, fill)
    return y


def augment(x, index, matrix, mode, fill, colour, limits, hole, scale, offset):
    """Pictures x[index], moved by a matrix, recoloured, cut into and normalized; see `kernels/interface/data.py`."""
    y = np.zeros((len(index), *x.shape[1:]))
    for n, i, j, c in np.ndindex(*y.shape):
        picture, m = x[index[n]], matrix[n]
        value = bilinear(picture, m[0] * i + m[1] * j + m[2], m[3] * i + m[4] * j + m[5], c, mode, fill)
        contrast, factor, addend = colour[n]
        if (contrast, factor, addend) != (1, 1, 0):
            mean = sum(float(v) for v in picture.ravel()) / picture.size
            value = factor * (mean + contrast * (value - mean)) + addend
            value = min(max(value, limits[0]), limits[1])
        top, bottom, left, right = hole[n]
        if top <= i < bottom and left <= j < right:
            value = fill[c]
        y[n, i, j, c] = value * scale[c] + offset[c]
    return y
