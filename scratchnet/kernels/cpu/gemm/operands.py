"""Where the numbers of a product or of a convolution lie: named tuples of starts and steps in flat arrays.

`Left`, `Right`, `Depth` and `Rows` belong to the micro-kernel. Kernels make them inside of their loops, where they cost
nothing: the compiler takes them apart again. The arrays stand beside them in a call, not inside: Numba would count
references to an array whenever a tuple that holds it is made, which took up to a fifth of a kernel's time.

`Window`, `Weights` and `Output` describe a convolution, in Python. A kernel is launched with `tuple(window)`, since
Numba takes 0.6 us longer to look at a named tuple than at a plain one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scratchnet.kernels.cpu.runtime.jit import serial


class Left(NamedTuple):
    """The left operand, a number for each row of the tile: its start, the steps from row to row and in each loop."""

    start: int
    row_step: int
    outer_step: int
    middle_step: int
    inner_step: int


class Right(NamedTuple):
    """The right operand, as many numbers side by side as the tile is wide: its start, and the steps in each loop."""

    start: int
    outer_step: int
    middle_step: int
    inner_step: int


class Depth(NamedTuple):
    """Over how many products a sum runs: outer * middle * inner, as three loops."""

    outer: int
    middle: int
    inner: int


class Rows(NamedTuple):
    """Where the rows of a tile are loaded from or stored to. With a step of 0 all rows are one and the same."""

    start: int
    row_step: int


class Window(NamedTuple):
    """The window of a convolution: its height and width, its strides, and the padding above and left of x."""

    KH: int
    KW: int
    sh: int
    sw: int
    top: int
    left: int


ONE_CELL = Window(1, 1, 1, 1, 0, 0)  # a convolution with it is a matrix product


class Weights(NamedTuple):
    """Where weight (k, l, c, f) lies in a flat array: start + k * k_step + l * l_step + c * c_step + f * f_step."""

    array: np.ndarray
    start: int
    k_step: int
    l_step: int
    c_step: int
    f_step: int


class Output(NamedTuple):
    """Where output (n, i, j, f) lies in a flat array: start + n * n_step + i * i_step + j * j_step + f.

    i < OH, j < OW, f < F.
    """

    array: np.ndarray
    start: int
    n_step: int
    i_step: int
    j_step: int
    OH: int
    OW: int
    F: int

    @classmethod
    def whole(cls, y: np.ndarray) -> Output:
        """All of y (N, OH, OW, F), contiguous."""
        _, OH, OW, F = y.shape
        return cls(y.reshape(-1), 0, OH * OW * F, OW * F, F, OH, OW, F)

    @property
    def steps(self) -> tuple[int, int, int]:
        """From picture to picture, row to row, pixel to pixel."""
        return self.n_step, self.i_step, self.j_step

    def view(self, N: int) -> np.ndarray:
        """The outputs of N pictures as an array (N, OH, OW, F)."""
        strides = [step * self.array.itemsize for step in (*self.steps, 1)]
        return np.lib.stride_tricks.as_strided(self.array[self.start :], (N, self.OH, self.OW, self.F), strides)


@serial
def first_inside(start, size, step):
    """The smallest k >= 0 with start + k * step >= 0, given step > 0: where a window enters the picture."""
    return 0 if start >= 0 else (-start + step - 1) // step


@serial
def end_inside(start, size, count, step):
    """One past the largest k < count with start + k * step < size: where a window leaves the picture."""
    return max(0, min(count, (size - start + step - 1) // step))
