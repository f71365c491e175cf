"""Tensor cores in NumPy: the product of small matrices by a warp, lane by lane, and the rounding of its factors.

The instruction mma.m16n8k8 adds to c (16, 8) the product of a (16, 8) and b (8, 8). Each of the 32 lanes of a warp
holds 4 numbers of a, 2 of b and 4 of c in its registers.
The factors are TF32: float32 without the last 13 of its 23 bits.

Source: NVIDIA, PTX ISA, "Matrix Fragments for mma.m16n8k8".
"""

from __future__ import annotations

import numpy as np

LANES = np.arange(32)


def fragment_a() -> tuple[np.ndarray, np.ndarray]:
    """(row, column) of the 4 numbers of a (16, 8) that each lane holds, both (32, 4)."""
    row, column = LANES // 4, LANES % 4
    return np.stack([row, row + 8, row, row + 8], axis=1), np.stack([column, column, column + 4, column + 4], axis=1)


def fragment_b() -> tuple[np.ndarray, np.ndarray]:
    """(row, column) of the 2 numbers of b (8, 8) that each lane holds, both (32, 2)."""
    row, column = LANES % 4, LANES // 4
    return np.stack([row, row + 4], axis=1), np.stack([column, column], axis=1)


def fragment_c() -> tuple[np.ndarray, np.ndarray]:
    """(row, column) of the 4 sums of c (16, 8) that each lane holds, both (32, 4)."""
    row, column = LANES // 4, 2 * (LANES % 4)
    return np.stack([row, row, row + 8, row + 8], axis=1), np.stack([column, column + 1, column, column + 1], axis=1)


def mma(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """c + a b as the lanes of a warp hold them: a (32, 4), b (32, 2), c and the result (32, 4), float32.

    The factors are rounded to TF32. The sums here are those of float64, rounded once; a GPU's may differ in
    the last bits.
    """
    left, right, sums = np.zeros((16, 8)), np.zeros((8, 8)), np.zeros((16, 8))
    left[fragment_a()], right[fragment_b()], sums[fragment_c()] = tf32(a), tf32(b), c
    return (sums + left @ right)[fragment_c()].astype(np.float32)


def tf32(x: np.ndarray) -> np.ndarray:
    """float32 rounded to TF32, 10 bits after the leading one: to the nearest, halves away from 0 (PTX cvt.rna).

    The relative error is at most 2 ** -11. Infinite numbers and NaN stay; a number above the largest is infinite.
    """
    x = np.asarray(x, np.float32)
    rounded = ((x.view(np.uint32) + np.uint32(0x1000)) & np.uint32(0xFFFFE000)).view(np.float32)
    return np.where(np.isfinite(x), rounded, x)


def split(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """x as a sum of two TF32 numbers, large + small: together they hold 21 of float32's 23 bits."""
    large = tf32(x)
    return large, tf32(np.asarray(x, np.float32) - large)


def tf32_product(x: np.ndarray, w: np.ndarray, products: int = 1) -> np.ndarray:
    """x w with factors of TF32 and sums of float32: one product, or three for the accuracy of float32.

        x w = (X + e)(W + f) = X W + X f + e W + e f,   the last is left out

    Args:
        x: (N, C).
        w: (C, F).
        products: 1 for TF32, 3 for 3xTF32.

    Raises:
        ValueError: products is neither.
    """
    if products not in (1, 3):
        raise ValueError(f"tf32_product: expected 1 or 3 products, got {products!r}.")
    if products == 1:
        return tf32(x) @ tf32(w)
    (large_x, small_x), (large_w, small_w) = split(x), split(w)
    return (large_x @ small_w + small_x @ large_w) + large_x @ large_w
