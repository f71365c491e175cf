"""How the sums of pixels, weights and products are made that `winograd` multiplies: from a few points, by one rule.

A sum over a kernel, y[i] = sum over k of d[i + k] * g[k], is a product of polynomials read the other way round. A
polynomial is known by its values at as many points as it has coefficients, and values of a product are products of
values. So there are as many products as outputs and cells together, less one. The last point is "at infinity": the
leading coefficient. More points would save more, and round worse, since their powers grow.

Source: Winograd, "Arithmetic Complexity of Computations", 1980; the points: Barabasz, Anderson, Soodhalter, Gregg,
"Error Analysis and Improving the Accuracy of Winograd Convolution for Deep Neural Networks", arXiv 1803.10986.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from scratchnet.kernels.cpu.simd import multiply_add


class Scheme(NamedTuple):
    """In each direction: cells of the kernel, and outputs that are worked out together."""

    taps: int
    outputs: int

    @property
    def pixels(self) -> int:
        """Pixels that those outputs see: as many combinations there are."""
        return self.taps + self.outputs - 1


POINTS = {Scheme(2, 2): (0, 1), Scheme(3, 2): (0, 1, -1), Scheme(2, 4): (0, 1, -0.5, -2)}


def _combinations(points: tuple[float, ...]) -> np.ndarray:
    """Of pixels, a row for each point: the coefficients of the polynomial that is 0 at all the others."""
    rows = [np.poly([q for q in points if q != p])[::-1] for p in points]
    return np.array([*([*row, 0] for row in rows), np.poly(points)[::-1]])


def _values(points: tuple[float, ...], count: int) -> np.ndarray:
    """Of `count` coefficients, a row for each point: the value there, by that of its row of `_combinations` there."""
    scale = [math.prod(p - q for q in points if q != p) for p in points]
    return np.array([*([p**k / s for k in range(count)] for p, s in zip(points, scale)), np.eye(count)[-1]])


def _coefficients(points: tuple[float, ...], count: int) -> np.ndarray:
    """Of products, a row for each of `count` results."""
    return np.array([[*(p**k for p in points), float(k == count - 1)] for k in range(count)])


# The combinations of pixels d, of weights g, and of products m. A gradient of weights is the same sum with dy for the
# weights, and the cells of the kernel for the outputs. The kernels know a matrix by its number, and so does the cache.
MATRICES: list[np.ndarray] = []


def _numbered(matrices: Iterable[np.ndarray]) -> dict[Scheme, int]:
    MATRICES.extend(matrices)
    return {scheme: len(MATRICES) - len(POINTS) + k for k, scheme in enumerate(POINTS)}


DATA = _numbered(_combinations(points) for points in POINTS.values())
WEIGHTS = _numbered(_values(points, scheme.taps) for scheme, points in POINTS.items())
OUTPUTS = _numbered(_coefficients(points, scheme.outputs) for scheme, points in POINTS.items())
GRADIENTS = _numbered(_values(points, scheme.outputs) for scheme, points in POINTS.items())
CELLS = _numbered(_coefficients(points, scheme.taps) for scheme, points in POINTS.items())


def _combine(builder: ir.IRBuilder, factors: Sequence[float], vectors: Sequence[ir.Value]) -> ir.Value:
    """The sum of factor * vector, in order."""
    total = None
    for factor, vector in zip(factors, vectors):
        constant = ir.Constant(vector.type, [ir.Constant(vector.type.element, float(factor))] * vector.type.count)
        if factor == 0:
            continue
        if total is None:
            total = vector if factor == 1 else builder.fneg(vector) if factor == -1 else builder.fmul(vector, constant)
        elif abs(factor) == 1:
            total = builder.fsub(total, vector) if factor < 0 else builder.fadd(total, vector)
        else:
            total = multiply_add(builder, vector.type, vector, constant, total)
    return total


@intrinsic(prefer_literal=True)
def grid_transform(typing, grid, which):
    """M grid M^T for the matrix M of that number, and a square grid of vectors, row by row."""
    matrix = MATRICES[which.literal_value]
    rows, columns = len(matrix), len(matrix[0])
    result = types.UniTuple(grid.dtype, rows * rows)

    def codegen(context, builder, signature, args):
        cells = cgutils.unpack_tuple(builder, args[0])
        lines = [[_combine(builder, m, cells[q::columns]) for q in range(columns)] for m in matrix]
        return context.make_tuple(builder, result, [_combine(builder, m, line) for line in lines for m in matrix])

    return result(grid, which), codegen
