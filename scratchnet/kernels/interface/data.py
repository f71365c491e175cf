"""Examples on their way into a network: taken by index, augmented, moved; and the random numbers for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

# What lies outside of the picture abcd, by Keras's names.
FILL_MODES = (
    "constant",  # kkkk|abcd|kkkk
    "nearest",  # aaaa|abcd|dddd
    "reflect",  # dcba|abcd|dcba
    "wrap",  # abcd|abcd|abcd
)


class Data(Protocol):
    """x (M, ...) are all examples, y (N, ...) the batch.

    x is on the device. index and the other tables are small and mostly come from NumPy: a kernel takes them from there,
    too.
    """

    def gather(self, x: np.ndarray, index: np.ndarray, dtype: Any, scale: Any = None, offset: Any = None) -> np.ndarray:
        """y[n] = x[index[n]], cast to dtype; with a scale or an offset, y[n] = x[index[n]] * scale + offset.

        Args:
            x: (M, ...), any dtype; without scale and offset the bits are those of x[index].astype(dtype).
            index: (N,), whole numbers from 0 to M - 1, in any order, any of them more than once.
            dtype: float32 or float64.
            scale, offset: a number, or one for each channel (the last axis); None for 1 and 0.

        Raises:
            ValueError: index is not along one axis; a number of scales or offsets that does not fit.
            IndexError: an index out of range.
        """

    def gather_backward(self, dy: np.ndarray, index: np.ndarray, dx: np.ndarray) -> np.ndarray:
        """dx[index[n]] += dy[n] for n = 0, 1, ...: the gradient of rows x[index]; returns dx.

        What comes to one row is added up in float64, in the order of n: the same bits in every run.

        Args:
            dy: (N, D).
            index: (N,), whole numbers from 0 to M - 1.
            dx: (M, D), contiguous; ADDED to in place.

        Raises:
            IndexError: an index out of range; then dx is as it was.
        """

    def normal(self, shape: Sequence[int], dtype: Any, key: int, step: int) -> np.ndarray:
        """Standard normal numbers; element e in row-major order follows from (key, step, e) alone.

        Words 0 to 3 of Philox4x32-10, with the counter e // 4 in the low 64 bits and `step` in the high ones, make the
        numbers of four neighbours, by Box and Muller: u = (word 0 + 1) / 2^32, v = word 1 / 2^32,

            sqrt(-2 log u) * cos(2 pi v)  and  sqrt(-2 log u) * sin(2 pi v)

        and the next two from words 2 and 3. It is computed in float64: on another device, and in another dtype, the
        numbers are the same to rounding. None is beyond 6.7. Source: Box and Muller, Ann. Math. Stat. 29, 1958.

        Args:
            shape, dtype: of the result; float32 or float64.
            key: 64 random bits.
            step: counts the batches, so that each gets other numbers.
        """

    def uniform(self, key: int, step: int, index: np.ndarray, count: int) -> np.ndarray:
        """(count, N) random numbers from 0 to below 1, in float64: u[k, n] follows from (key, step, index[n], k) alone.

        u[k, n] is word k % 4 of Philox4x32-10, divided by 2^32. Philox's key is `key`, its counter is index[n] in the
        low 64 bits, then `step` and k // 4 with 32 bits each: the same numbers on every device.

        Args:
            key: 64 random bits.
            step: from 0 to below 2**32; another step, other numbers.
            index: (N,), whole numbers of at least 0.
            count: how many for each.
        """

    def augment(
        self,
        x: np.ndarray,
        index: np.ndarray,
        matrix: np.ndarray,
        mode: str = "reflect",
        fill: Any = 0,
        colour: np.ndarray | None = None,
        limits: tuple[float, float] = (0, 255),
        hole: np.ndarray | None = None,
        scale: Any = None,
        offset: Any = None,
        dtype: Any = np.float32,
    ) -> np.ndarray:
        """Pictures x[index], each moved by its own matrix, then recoloured, cut into, and normalized.

        Pixel (i, j) of the result is that at (m0 i + m1 j + m2, m3 i + m4 j + m5) of the source, blended from the four
        round that place; where all of these are whole numbers, as in a shift or a flip, it is copied. Then

            v = min(max(factor * (mean + contrast * (v - mean)) + addend, low), high)

        with the source picture's mean over all its numbers; then `fill` inside the hole; then v * scale + offset.

        Args:
            x: (M, H, W, C), all pictures.
            index: (N,), the numbers of the pictures to take.
            matrix: (N, 6), rows (m0, ..., m5), each at most a million.
            mode: what lies outside of a picture, one of FILL_MODES.
            fill: with mode "constant", and in holes: a number, or one for each channel.
            colour: (N, 3), rows (contrast, factor, addend); None changes nothing.
            limits: (low, high) of recoloured numbers.
            hole: (N, 4), whole numbers (top, bottom, left, right), the latter of each pair beyond the last pixel; None
                for none.
            scale, offset: a number, or one for each channel; None for 1 and 0.
            dtype: float32 or float64.

        Raises:
            ValueError: shapes that do not fit, numbers in the matrix that are not finite or too large.
            IndexError: an index out of range.
        """

    def translate(self, x: np.ndarray, offsets: np.ndarray) -> np.ndarray:
        """y[n,h,v,c] = x[n, h - a, v - b, c] with a, b = offsets[n], 0 where that is outside.

        x (N, H, W, C), offsets (N, 2) whole numbers: rows down, columns to the right. The backward is the same call on
        dy with -offsets.
        """
